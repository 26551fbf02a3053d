//! The command line of the examples.
#![allow(dead_code, reason = "each example uses a part of it")]

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::process::ExitCode;

/// The port that is used if the command line names none.
const DEFAULT_PORT: u16 = 12345;

/// What a program does in one role, with a port.
type Role<E> = fn(u16) -> Result<(), E>;

/// Runs the role that the command line names.
pub fn run_role<E: Display>(roles: &[(&str, Role<E>)]) -> ExitCode {
    let explanation = format!("PORT is a number up to 65535; the default is {DEFAULT_PORT}.");
    run_role_within(roles, 0..=u16::MAX, &explanation)
}

/// Runs the role that the command line names, for roles that use two ports: the given port and the next.
pub fn run_role_with_two_ports(roles: &[(&str, Role<zeroless::Error>)]) -> ExitCode {
    let explanation =
        format!("PORT is a number from 1 to 65534; the default is {DEFAULT_PORT}. The next port is used too.");
    run_role_within(roles, 1..=u16::MAX - 1, &explanation)
}

/// Runs a program that has only one role.
pub fn run<E: Display>(program: Role<E>) -> ExitCode {
    let usage = format!("[PORT]\nPORT is a number up to 65535; the default is {DEFAULT_PORT}.");
    start(Ok(program), port(1, 0..=u16::MAX), &usage)
}

fn run_role_within<E: Display>(roles: &[(&str, Role<E>)], ports: RangeInclusive<u16>, explanation: &str) -> ExitCode {
    let names: Vec<&str> = roles.iter().map(|(name, _)| *name).collect();
    let usage = format!(
        "{} [PORT]\nRun each role in its own terminal, in any order.\n{explanation}",
        names.join("|")
    );
    let role = match std::env::args().nth(1) {
        None => Err("The role is missing.".to_owned()),
        Some(named) => match roles.iter().find(|(name, _)| named == *name) {
            Some((_, role)) => Ok(*role),
            None => Err(format!("There is no role `{named}`.")),
        },
    };
    start(role, port(2, ports), &usage)
}

/// Returns the port that an argument of the command line names, or says what is wrong with it.
fn port(argument: usize, ports: RangeInclusive<u16>) -> Result<u16, String> {
    let Some(given) = std::env::args().nth(argument) else {
        return Ok(DEFAULT_PORT);
    };
    let port = given.parse().ok().filter(|port| ports.contains(port));
    port.ok_or_else(|| format!("`{given}` is not a valid PORT."))
}

fn start<E: Display>(role: Result<Role<E>, String>, port: Result<u16, String>, usage: &str) -> ExitCode {
    let (role, port) = match (role, port) {
        (Ok(role), Ok(port)) => (role, port),
        (Err(problem), _) | (_, Err(problem)) => {
            let program = std::env::args().next().unwrap_or_default();
            let program = program.rsplit('/').next().unwrap_or_default();
            eprintln!("usage: {program} {usage}\n{problem}");
            return ExitCode::from(2);
        }
    };
    match role(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
