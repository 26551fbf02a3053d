//! The client, which shows what the command prints.

use std::io::{self, Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use zeroless::{Client, ErrorKind, text};

use crate::{Result, SILENCE};

/// Runs a command at the server, and returns its exit code.
pub fn run(endpoint: &str, seconds: &str, command: &[&str]) -> Result<ExitCode> {
    if seconds.parse::<u64>().is_err() {
        return Err(format!("`{seconds}` is not a number of whole seconds").into());
    }
    let (send, events) = Client::new()
        .connect_to(endpoint)
        .timeout(SILENCE)
        .linger(Duration::ZERO) // otherwise a server that starts later would still run the command
        .dealer()?;
    send.send(&[&[seconds], command].concat())?;
    let mut silence = "no server answers; start it, or correct the address";
    for event in events.incoming() {
        let event = match event {
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(format!("{endpoint}: {silence}").into()),
            event => event?,
        };
        silence = "the server has gone, or the network to it; the command may still run";
        match event.as_slice() {
            [kind, line] if kind == b"stdout" => match stdout().write_all(line) {
                // The reader of a pipe, such as `head`, may stop reading early. Then the server ends the command.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                written => written?,
            },
            [kind, line] if kind == b"stderr" => stderr().write_all(line)?,
            [kind, code, words] if kind == b"end" => {
                eprintln!("({})", text(&[words]));
                return Ok(ExitCode::from(text(&[code]).parse::<u8>()?));
            }
            _ => {} // the command is running, and prints nothing
        }
    }
    Err("the socket was closed".into())
}
