//! Pair: two ends that both send and receive. Here the client sends numbers, and the server echoes them.
//!
//! ```text
//!   pair (client) ◀── PORT ──▶ pair (server)
//! ```
//!
//! ```sh
//! cargo run --example pair -- server
//! cargo run --example pair -- client
//! ```

mod cli;

use std::process::ExitCode;

use zeroless::{Client, Result, Server, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role(&[("server", server), ("client", client)])
}

fn server(port: u16) -> Result<()> {
    let (send, messages) = Server::new(port).pair()?;
    println!("waiting for the client at port {}", messages.socket().port()?);
    for message in messages {
        println!("got {}", text(&message));
        send(&[b"echo", &message[0]])?;
        if message == [b"3"] {
            break;
        }
    }
    Ok(())
}

fn client(port: u16) -> Result<()> {
    let (send, mut answers) = Client::new().connect_local(port).pair()?;
    // Neither end has to wait for the other before it sends.
    for number in ["1", "2", "3"] {
        send(&[number.as_bytes()])?;
    }
    for answer in answers.by_ref().take(3) {
        println!("got {}", text(&answer));
    }
    Ok(())
}
