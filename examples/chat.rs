//! Chat: one thread reads from a pair, another writes to it what is typed.
//!
//! ```sh
//! cargo run --example chat -- server
//! cargo run --example chat -- client
//! ```

mod cli;

use std::io::stdin;
use std::process::ExitCode;
use std::thread;

use zeroless::{Client, ErrorKind, Receiver, Result, Sender, Server};

fn main() -> ExitCode {
    env_logger::init();
    cli::play(&[
        ("server", |port| chat(Server::new(port).pair()?)),
        ("client", |port| chat(Client::new().connect_local(port).pair()?)),
    ])
}

fn chat((say, hear): (Sender, Receiver)) -> Result<()> {
    println!("type to the other end; Ctrl-D ends it");
    let listener = thread::spawn(move || listen(&hear));
    let outcome = talk(&say);
    // Ends the iteration of the other thread.
    say.socket().close();
    listener.join().expect("the listener does not panic");
    outcome
}

/// Prints what the other end says, until it takes its leave with an empty message.
fn listen(hear: &Receiver) {
    for message in hear {
        if message == [b""] {
            println!("(the other end has left; Enter ends this one)");
            hear.socket().close();
        } else {
            println!("> {}", cli::text(&message));
        }
    }
}

/// Says what is typed, until there is no more of it, or no one to say it to.
fn talk(say: &Sender) -> Result<()> {
    let lines = stdin()
        .lines()
        .map_while(|line| line.ok())
        .filter(|line| !line.is_empty());
    for line in lines.chain([String::new()]) {
        match say.send(&[line]) {
            Err(error) if error.kind() == ErrorKind::Closed => break,
            outcome => outcome?,
        }
    }
    Ok(())
}
