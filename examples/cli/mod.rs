//! The command line of the examples.
#![allow(dead_code, reason = "each example uses a part of it")]

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::process::ExitCode;

use zeroless::Message;

/// The port that the roles meet at if the command line names none.
const PORT: u16 = 12345;

/// What a program does in a role, at a port.
type Role<E> = fn(u16) -> Result<(), E>;

/// Plays the role that the command line names.
pub fn play<E: Display>(roles: &[(&str, Role<E>)]) -> ExitCode {
    let explanation = format!("PORT is a number up to 65535, or else {PORT}.");
    play_within(roles, 0..=u16::MAX, &explanation)
}

/// Plays the role that the command line names, where the roles meet at two ports: the one given and the next.
pub fn play_at_two_ports(roles: &[(&str, Role<zeroless::Error>)]) -> ExitCode {
    let explanation = format!("PORT is a number from 1 to 65534, or else {PORT}; the port after it is used too.");
    play_within(roles, 1..=u16::MAX - 1, &explanation)
}

/// Runs a program that has one role only.
pub fn run<E: Display>(program: Role<E>) -> ExitCode {
    let port = port(1, 0..=u16::MAX);
    let usage = format!("[PORT]\nPORT is a number up to 65535, or else {PORT}.");
    perform(Some(program), port, &usage)
}

fn play_within<E: Display>(roles: &[(&str, Role<E>)], ports: RangeInclusive<u16>, explanation: &str) -> ExitCode {
    let named = std::env::args().nth(1);
    let role = roles.iter().find(|(name, _)| named.as_deref() == Some(name));
    let names: Vec<&str> = roles.iter().map(|(name, _)| *name).collect();
    let usage = format!(
        "{} [PORT]\nStart one of each, in terminals of their own, in any order.\n{explanation}",
        names.join("|")
    );
    perform(role.map(|(_, role)| *role), port(2, ports), &usage)
}

/// The port that an argument of the command line names, if it is one.
fn port(argument: usize, ports: RangeInclusive<u16>) -> Option<u16> {
    match std::env::args().nth(argument) {
        None => Some(PORT),
        Some(port) => port.parse().ok().filter(|port| ports.contains(port)),
    }
}

fn perform<E: Display>(role: Option<Role<E>>, port: Option<u16>, usage: &str) -> ExitCode {
    let (Some(role), Some(port)) = (role, port) else {
        let program = std::env::args().next().unwrap_or_default();
        eprintln!("usage: {} {usage}", program.rsplit('/').next().unwrap_or_default());
        return ExitCode::from(2);
    };
    match role(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The frames of a message as text, with commas in between.
pub fn text(message: &Message) -> String {
    let frames: Vec<_> = message.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
    frames.join(", ")
}
