//! Publish/subscribe: the server publishes news, and each client receives the news of its topic.
//!
//! ```text
//!                                ┌──▶ subscribe "sport" (client)
//!   publish (server) ── PORT ────┼──▶ subscribe "sport" (client)
//!                                └──▶ subscribe "sport" (client)
//! ```
//!
//! ```sh
//! cargo run --example publish_subscribe -- server
//! cargo run --example publish_subscribe -- client
//! ```

mod cli;

use std::process::ExitCode;
use std::time::Duration;

use zeroless::{Client, Result, Server, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role(&[("server", server), ("client", client)])
}

fn server(port: u16) -> Result<()> {
    let publish = Server::new(port).publish()?;
    println!("waiting for a subscriber at port {}", publish.socket().port()?);
    // A subscriber that connects later misses the messages that were published before.
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

fn client(port: u16) -> Result<()> {
    let news = Client::new().connect_local(port).subscribe(["sport"])?;
    println!("subscribed to sport");
    for message in news.iter().take(3) {
        println!("{}", text(&message));
    }
    Ok(())
}
