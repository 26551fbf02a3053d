//! The instructions that a message costs outside the kernel, which valgrind counts: what else the machine does changes
//! nothing about them.
//!
//! A helper fills the queue between two sockets of its own with messages of 16 B, and takes them out again, all in one
//! thread. What a message costs is the difference between two helpers that have different numbers to do; and what receiving costs,
//! that between those that both send and receive, and those that only send.

use std::process::Command;

use crate::comparison::show_progress;
use crate::helper;
use crate::table::Row;
use crate::turn::{Outcome, Tally};

/// What a helper has to do.
const FEW: usize = 2_000;
const MANY: usize = 12_000;

const MESSAGE: &[&[u8]] = &[&[b'0'; 16]];

/// The rows for both sides, or why there are none.
pub fn rows() -> Result<[Row; 2], &'static str> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("instructions a message: valgrind is not here to count them");
    }
    show_progress("instructions a message");
    let zeroless = Cost::of("zeroless");
    let other = Cost::of("zmq");
    show_progress("");
    match (zeroless, other) {
        (Ok(zeroless), Ok(other)) => Ok([
            row("send", zeroless.send, other.send),
            row("receive", zeroless.receive, other.receive),
        ]),
        _ => Err("instructions a message: valgrind could not count them"),
    }
}

fn row(side: &str, zeroless: f64, other: f64) -> Row {
    Row {
        name: format!("instructions to {side}, 1 frame of 16 B"),
        ratio: format!("{:.2}", zeroless / other),
        spread: "counted".into(),
        wanted: "<= 1.00".into(),
        zeroless: format!("{zeroless:.1}"),
        other: format!("{other:.1}"),
        unit: "a message",
        other_is: "zmq",
    }
}

/// The instructions for one message.
struct Cost {
    send: f64,
    receive: f64,
}

impl Cost {
    fn of(contestant: &str) -> Outcome<Cost> {
        let send = per_message(contestant, "send")?;
        let both = per_message(contestant, "both")?;
        Ok(Cost {
            send,
            receive: both - send,
        })
    }
}

fn per_message(contestant: &str, sides: &str) -> Outcome<f64> {
    let count = |messages| count(contestant, sides, messages);
    Ok((count(MANY)? - count(FEW)?) / (MANY - FEW) as f64)
}

/// Counts all instructions of a helper.
fn count(contestant: &str, sides: &str, messages: usize) -> Outcome<f64> {
    let helper = helper::command(&["count", contestant, sides, &messages.to_string()])?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(helper.get_program())
        .args(helper.get_args())
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :"));
    let (_, instructions) = collected.ok_or_else(|| told.to_string())?;
    Ok(instructions.trim().parse()?)
}

/// Does what is counted, as a helper, and ends the process at once: what is left in the queue is not to be counted.
pub fn fill_and_empty(
    sides: &str,
    messages: usize,
    send: impl FnOnce(&[&[u8]], usize) -> Outcome,
    receive: impl FnOnce(usize, &mut Tally) -> Outcome,
) -> Outcome {
    send(MESSAGE, messages)?;
    if sides == "both" {
        let mut tally = Tally::new(MESSAGE);
        receive(messages, &mut tally)?;
        tally.check(messages)?;
    }
    std::process::exit(0)
}

/// Has helpers do a little of it, to see that it can be done.
pub fn try_out() -> Outcome {
    for contestant in ["zeroless", "zmq"] {
        for sides in ["send", "both"] {
            let status = helper::command(&["count", contestant, sides, "10"])?.status()?;
            if !status.success() {
                return Err(format!("{contestant} could not be counted: {status}").into());
            }
        }
    }
    Ok(())
}
