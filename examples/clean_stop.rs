//! A clean stop: Ctrl-C closes the socket, which ends the iteration over it, and the program finishes normally.
//!
//! Any thread may close a socket, so one thread waits for the signal. The program finishes the message that it has
//! received. Messages that have arrived, but that it has not received yet, are lost.
//!
//! ```text
//!   SIGINT, SIGTERM ──▶ thread ── close ──▶ socket ── end of iteration ──▶ main
//! ```
//!
//! ```sh
//! cargo run --example clean_stop
//! cargo run --example push_pull -- client    # pushes three messages to it
//! ```

mod cli;

use std::io;
use std::process::ExitCode;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zeroless::{Server, Socket, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run(clean_stop)
}

fn clean_stop(port: u16) -> io::Result<()> {
    let pull = Server::new(port).pull()?;
    close_on_signal(pull.socket())?;
    println!("pulling at port {}; Ctrl-C to stop", pull.socket().port()?);
    let mut count = 0;
    for message in &pull {
        count += 1;
        println!("{}", text(&message));
    }
    println!("stopped; messages received: {count}");
    Ok(())
}

/// After this call, the signals close the socket, and do not terminate the process.
fn close_on_signal(socket: Socket) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            socket.close();
        }
    });
    Ok(())
}
