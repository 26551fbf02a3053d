//! A clean stop: Ctrl-C closes the socket, which ends the iteration over it, and the program goes on to its end.
//!
//! Any thread may close a socket, so one of them waits for the signal. What was received is done to the end; what has
//! arrived but was not received yet is lost, as nobody is left to do it.
//!
//! ```text
//!   SIGINT, SIGTERM ──▶ thread ── close ──▶ socket ── end of iteration ──▶ main
//! ```
//!
//! ```sh
//! cargo run --example clean_stop
//! cargo run --example push_pull -- client    # pushes something to it
//! ```

mod cli;

use std::io;
use std::process::ExitCode;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zeroless::{Server, Socket};

fn main() -> ExitCode {
    env_logger::init();
    cli::run(clean_stop)
}

fn clean_stop(port: u16) -> io::Result<()> {
    let pull = Server::new(port).pull()?;
    close_on_signal(pull.socket())?;
    println!("pulling at port {}; Ctrl-C ends it", pull.socket().port()?);
    let mut count = 0;
    for message in &pull {
        count += 1;
        println!("{}", cli::text(&message));
    }
    println!("stopped; messages received: {count}");
    Ok(())
}

/// From now on these signals no longer end the process.
fn close_on_signal(socket: Socket) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            socket.close();
        }
    });
    Ok(())
}
