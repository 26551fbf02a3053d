//! A forwarder: publishers and subscribers both connect to it, so neither has to know where the others are.
//!
//! It passes news on one way and subscriptions the other, so a publisher sends only what somebody wants to hear.
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

use zeroless::{Client, Result, Server, proxy};

fn main() -> ExitCode {
    env_logger::init();
    cli::play_at_two_ports(&[
        ("forwarder", forwarder),
        ("publisher", publisher),
        ("subscriber", subscriber),
    ])
}

fn forwarder(port: u16) -> Result<()> {
    let publishers = Server::new(port).xsubscribe()?;
    let subscribers = Server::new(port + 1).xpublish()?;
    println!(
        "publishers at port {port}, subscribers at port {}; Ctrl-C ends it",
        port + 1
    );
    proxy(publishers, subscribers)
}

fn publisher(port: u16) -> Result<()> {
    let publish = Client::new().connect_local(port).publish()?;
    println!("waiting for a subscriber");
    // The forwarder passes on each topic once, however many subscribe to it.
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
        println!("{}", cli::text(&message));
    }
    Ok(())
}
