//! A poller: one loop waits for messages from two sockets and for a timer.
//!
//! Each socket becomes a channel, and `select!` waits for all of them. The order between two sockets is not defined, so
//! the sender sends `end` to each of them.
//!
//! ```text
//!            ┌─ PORT ──────▶ orders ─────┐
//!   sender ──┤                           ├──▶ poller ◀── timer
//!            └─ PORT + 1 ──▶ complaints ─┘
//! ```
//!
//! ```sh
//! cargo run --example poller -- poller
//! cargo run --example poller -- sender
//! ```

mod cli;

use std::process::ExitCode;
use std::time::Duration;

use zeroless::crossbeam_channel::{select, tick};
use zeroless::{Client, Result, Server, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role_with_two_ports(&[("poller", poller), ("sender", sender)])
}

fn poller(port: u16) -> Result<()> {
    let orders = Server::new(port).pull()?.into_channel(10);
    let complaints = Server::new(port + 1).pull()?.into_channel(10);
    let second = tick(Duration::from_secs(1));
    println!("orders at port {port}, complaints at port {}; Ctrl-C to stop", port + 1);

    let mut received = 0;
    let mut ends = 0;
    while ends < 2 {
        let (kind, message) = select! {
            recv(orders) -> message => ("order", message),
            recv(complaints) -> message => ("complaint", message),
            recv(second) -> _ => {
                println!("received {received} messages so far");
                continue;
            }
        };
        match message {
            Ok(message) if message == [b"end"] => ends += 1,
            Ok(message) => {
                received += 1;
                println!("{kind}: {}", text(&message));
            }
            // The socket was closed. This program never closes it.
            Err(_) => break,
        }
    }
    println!("received {received} messages in total");
    Ok(())
}

fn sender(port: u16) -> Result<()> {
    let order = Client::new().connect_local(port).push()?;
    let complain = Client::new().connect_local(port + 1).push()?;
    order(&[b"tea", b"without milk"])?;
    complain(&[b"there is milk in the tea"])?;
    order(&[b"another tea"])?;
    for send in [order, complain] {
        send(&[b"end"])?;
    }
    println!("sent; the program exits when all messages are delivered");
    Ok(())
}
