//! The command line of the examples that have two roles, `server` and `client`.

use std::process::ExitCode;

use zeroless::{Message, Result};

/// The port that the roles meet at if the command line names none.
const PORT: u16 = 12345;

/// Plays the role that the command line names.
pub fn play(server: fn(u16) -> Result<()>, client: fn(u16) -> Result<()>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let role = match arguments.get(1).map(String::as_str) {
        Some("server") => server,
        Some("client") => client,
        _ => return usage(&arguments[0]),
    };
    let port = match arguments.get(2).map(|port| port.parse()) {
        None => PORT,
        Some(Ok(port)) => port,
        Some(Err(_)) => return usage(&arguments[0]),
    };
    match role(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(program: &str) -> ExitCode {
    let program = program.rsplit('/').next().unwrap_or(program);
    eprintln!("usage: {program} server|client [PORT]");
    eprintln!("Start one of each, in two terminals, in any order. PORT is a number up to 65535, or else {PORT}.");
    ExitCode::from(2)
}

/// The frames of a message as text, with commas in between.
pub fn text(message: &Message) -> String {
    let frames: Vec<_> = message.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
    frames.join(", ")
}
