//! The client in Python that the page `guide::protocol` shows.

use std::process::{Command, Output};
use std::thread;

use crate::support::python::interpreter;
use crate::support::watchdog;
use zeroless::{Server, text};

const PAGE: &str = include_str!("../../src/guide/protocol.rs");

/// Returns the client, as a reader would copy it.
fn client() -> String {
    let lines = PAGE.lines().skip_while(|line| *line != "//! ```python").skip(1);
    let lines = lines.take_while(|line| *line != "//! ```");
    lines
        .map(|line| {
            line.trim_start_matches("//!")
                .strip_prefix(' ')
                .unwrap_or_default()
                .to_owned()
                + "\n"
        })
        .collect()
}

/// Runs the client with this question, for a server that adds.
fn ask(question: &[&str]) -> Output {
    let calls = Server::new(0).serve().unwrap();
    let socket = calls.socket();
    let server = thread::spawn(move || {
        calls.workers(1, |call| {
            let numbers = call.iter().map(|frame| text(&[frame]).parse::<u32>());
            let sum = numbers.sum::<Result<u32, _>>()?;
            Ok::<_, std::num::ParseIntError>([sum.to_string()])
        })
    });
    let port = socket.port().unwrap().to_string();
    let output = Command::new(interpreter())
        .arg("-c")
        .arg(client())
        .arg(port)
        .args(question)
        .output();
    socket.close();
    server.join().unwrap().unwrap();
    output.unwrap()
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn client_of_guide_gets_answer() {
    let _watchdog = watchdog();
    let output = ask(&["1", "2"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "[b'3']\n");
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn client_of_guide_understands_failure() {
    let _watchdog = watchdog();
    let output = ask(&["1", "two"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.ends_with("RuntimeError: invalid digit found in string\n"),
        "{error}"
    );
}
