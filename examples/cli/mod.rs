//! The command line of the examples.
#![allow(dead_code, reason = "each example uses a part of it")]

use std::env;
use std::error::Error;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::process::{ExitCode, Termination};

/// The port that is used if the command line names none.
const DEFAULT_PORT: u16 = 12345;

/// What a program does in one role, with a port.
type Role<E> = fn(u16) -> Result<(), E>;

/// What a program does with its arguments.
type Program<T> = fn(&[&str]) -> Result<T, Box<dyn Error>>;

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
    let role = match env::args().nth(1) {
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
    let Some(given) = env::args().nth(argument) else {
        return Ok(DEFAULT_PORT);
    };
    let port = given.parse().ok().filter(|port| ports.contains(port));
    port.ok_or_else(|| format!("`{given}` is not a valid PORT."))
}

fn start<E: Display>(role: Result<Role<E>, String>, port: Result<u16, String>, usage: &str) -> ExitCode {
    let (role, port) = match (role, port) {
        (Ok(role), Ok(port)) => (role, port),
        (Err(problem), _) | (_, Err(problem)) => {
            eprintln!("usage: {} {usage}\n{problem}", program_name());
            return ExitCode::from(2);
        }
    };
    finish(role(port))
}

fn program_name() -> String {
    let program = env::args().next().unwrap_or_default();
    program.rsplit('/').next().unwrap_or_default().to_owned()
}

fn finish<T: Termination, E: Display>(outcome: Result<T, E>) -> ExitCode {
    match outcome {
        Ok(done) => done.report(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The error of a program that cannot use its arguments.
#[derive(Debug)]
pub struct WrongUsage;

impl Display for WrongUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrong usage")
    }
}

impl Error for WrongUsage {}

/// Runs a program that takes other arguments than a role and a port. `usage` lists each set of arguments in its own line.
///
/// If the program fails with [`WrongUsage`], this prints the usage.
pub fn run_with_arguments<T: Termination>(usage: &str, program: Program<T>) -> ExitCode {
    let arguments = env::args_os().skip(1);
    let arguments: Vec<String> = arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match program(&arguments) {
        Err(error) if error.is::<WrongUsage>() => {
            eprintln!("usage:");
            for line in usage.lines() {
                eprintln!("{}", format!("  {} {line}", program_name()).trim_end());
            }
            eprintln!("An ADDRESS is PORT or HOST:PORT. A server at 0.0.0.0:PORT can be reached from other machines.");
            ExitCode::from(2)
        }
        outcome => finish(outcome),
    }
}

/// Returns the endpoint of an address, which is `PORT` or `HOST:PORT`. Without a host, it is on this machine.
pub fn endpoint(address: &str) -> String {
    let is_port = address.chars().all(|character| character.is_ascii_digit());
    let host = if is_port { "127.0.0.1:" } else { "" };
    format!("tcp://{host}{address}")
}

/// Returns the endpoints of an address and of the next port.
pub fn two_endpoints(address: &str) -> Result<[String; 2], Box<dyn Error>> {
    let first = endpoint(address);
    let (host, port) = first.rsplit_once(':').expect("an endpoint has a colon");
    let next = port.parse::<u16>().ok().and_then(|port| port.checked_add(1));
    let next = next.ok_or_else(|| format!("`{address}` has no PORT from 1 to 65534"))?;
    let second = format!("{host}:{next}");
    Ok([first, second])
}
