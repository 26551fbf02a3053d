//! Pair: two ends that both send and receive; here one counts and the other answers.
//!
//! ```sh
//! cargo run --example pair -- server
//! cargo run --example pair -- client
//! ```

mod cli;

use std::process::ExitCode;

use zeroless::{Client, Result, Server};

fn main() -> ExitCode {
    env_logger::init();
    cli::play(&[("server", server), ("client", client)])
}

fn server(port: u16) -> Result<()> {
    let (say, hear) = Server::new(port).pair()?;
    println!("waiting for the other end at port {}", hear.socket().port()?);
    for message in hear {
        println!("heard {}", cli::text(&message));
        say(&[b"and", &message[0]])?;
        if message == [b"3"] {
            break;
        }
    }
    Ok(())
}

fn client(port: u16) -> Result<()> {
    let (say, mut hear) = Client::new().connect_local(port).pair()?;
    // Neither end has to wait its turn.
    for number in ["1", "2", "3"] {
        say(&[number.as_bytes()])?;
    }
    for answer in hear.by_ref().take(3) {
        println!("heard {}", cli::text(&answer));
    }
    Ok(())
}
