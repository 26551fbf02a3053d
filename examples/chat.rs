//! Chat: one thread receives from a pair socket, and another sends what the user types.
//!
//! ```text
//!   keyboard ──▶ ┌───────────────┐             ┌───────────────┐ ◀── keyboard
//!                │ pair (client) │ ◀─ PORT ──▶ │ pair (server) │
//!   screen   ◀── └───────────────┘             └───────────────┘ ──▶ screen
//! ```
//!
//! ```sh
//! cargo run --example chat -- server
//! cargo run --example chat -- client
//! ```

mod cli;

use std::io::stdin;
use std::process::ExitCode;
use std::thread;

use zeroless::{Client, ErrorKind, Receiver, Result, Sender, Server, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role(&[
        ("server", |port| chat(Server::new(port).pair()?)),
        ("client", |port| chat(Client::new().connect_local(port).pair()?)),
    ])
}

fn chat((sender, receiver): (Sender, Receiver)) -> Result<()> {
    println!("type a line to send it; Ctrl-D stops the chat");
    let printer = thread::spawn(move || print_messages(&receiver));
    let outcome = send_lines(&sender);
    // This ends the iteration in the other thread.
    sender.socket().close();
    printer.join().expect("the printer does not panic");
    outcome
}

/// Prints the messages from the other end, until it sends an empty message, which means that it has left.
fn print_messages(receiver: &Receiver) {
    for message in receiver {
        if message == [b""] {
            println!("(the other end has left; press Enter to stop)");
            receiver.socket().close();
        } else {
            println!("> {}", text(&message));
        }
    }
}

/// Sends each line that the user types, until the input ends or the socket is closed. An empty message comes last.
fn send_lines(sender: &Sender) -> Result<()> {
    let lines = stdin()
        .lines()
        .map_while(|line| line.ok())
        .filter(|line| !line.is_empty());
    for line in lines.chain([String::new()]) {
        match sender.send(&[line]) {
            Err(error) if error.kind() == ErrorKind::Closed => break,
            outcome => outcome?,
        }
    }
    Ok(())
}
