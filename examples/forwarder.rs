//! A forwarder: publishers and subscribers both connect to it, so none of them needs the address of another.
//!
//! It passes messages to the subscribers and subscriptions to the publishers. So a publisher sends only messages that
//! have a subscriber.
//!
//! ```text
//!   publisher ──┐             ┌────────────┬──────────┐                 ┌──▶ subscriber
//!   publisher ──┼─── PORT ───▶│ xsubscribe │ xpublish │─── PORT + 1 ────┼──▶ subscriber
//!   publisher ──┘             └────────────┴──────────┘                 └──▶ subscriber
//!                                     forwarder
//! ```
//!
//! ```sh
//! cargo run --example forwarder -- forwarder
//! cargo run --example forwarder -- subscriber
//! cargo run --example forwarder -- publisher
//! ```

mod cli;

use std::process::ExitCode;
use std::time::Duration;

use zeroless::{Client, Result, Server, proxy, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role_with_two_ports(&[
        ("forwarder", forwarder),
        ("publisher", publisher),
        ("subscriber", subscriber),
    ])
}

fn forwarder(port: u16) -> Result<()> {
    let publishers = Server::new(port).xsubscribe()?;
    let subscribers = Server::new(port + 1).xpublish()?;
    println!(
        "publishers at port {port}, subscribers at port {}; Ctrl-C to stop",
        port + 1
    );
    proxy(publishers, subscribers)
}

fn publisher(port: u16) -> Result<()> {
    let publish = Client::new().connect_local(port).publish()?;
    println!("waiting for a subscriber");
    // The forwarder passes each topic on once, even if it has many subscribers.
    publish.wait_for_subscribers(1, Duration::from_secs(600))?;

    let sport = publish.embed_topic("sport");
    let weather = publish.embed_topic("weather");
    for minute in ["1", "2", "3"] {
        sport(&[minute.as_bytes(), b"still no goal"])?;
        weather(&[minute.as_bytes(), b"still no rain"])?;
    }
    println!("published 6 messages");
    Ok(())
}

fn subscriber(port: u16) -> Result<()> {
    let news = Client::new().connect_local(port + 1).subscribe(["sport"])?;
    println!("subscribed to sport");
    for message in news.iter().take(3) {
        println!("{}", text(&message));
    }
    Ok(())
}
