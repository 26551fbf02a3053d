//! Counts, with valgrind, the instructions that a message costs outside the kernel. Nothing else on the machine changes
//! their number.
//!
//! A helper fills the queue between two of its own sockets with messages of 16 B, and receives them again, all in one
//! thread. The cost of a message comes from the difference between two helpers with different numbers of messages. The
//! cost of receiving is the difference between helpers that send and receive, and helpers that only send.
//!
//! The cost of a call includes that of its server. One thread calls another one over `inproc`, so no thread of libzmq has
//! work.

use std::process::Command;

use crate::comparison::show_progress;
use crate::helper;
use crate::run::{Counter, INPROC, Implementation, Outcome, Run};
use crate::table::Row;

/// The numbers of messages for a helper.
const FEW: usize = 2_000;
const MANY: usize = 12_000;

const MESSAGE: &[&[u8]] = &[&[b'0'; 16]];

/// Returns the rows for sending, receiving and calling, or the reason why there are none.
pub fn rows() -> Result<[Row; 3], &'static str> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("instructions a message: not counted, because valgrind is not installed");
    }
    show_progress("instructions a message");
    let zeroless = Cost::of("zeroless");
    let baseline = Cost::of("zmq");
    let call = per_message("zeroless", "call");
    let request = per_message("zeroless", "request");
    show_progress("");
    match (zeroless, baseline, call, request) {
        (Ok(zeroless), Ok(baseline), Ok(call), Ok(request)) => Ok([
            row("send", zeroless.send, baseline.send),
            row("receive", zeroless.receive, baseline.receive),
            Row {
                name: "instructions to call and serve, 16 B, inproc".into(),
                goal: "none".into(),
                unit: "a call",
                baseline_is: "request",
                ..row("call", call, request)
            },
        ]),
        _ => Err("instructions a message: not counted, because valgrind failed"),
    }
}

fn row(side: &str, zeroless: f64, baseline: f64) -> Row {
    Row {
        name: format!("instructions to {side}, 1 frame of 16 B"),
        ratio: format!("{:.2}", zeroless / baseline),
        spread: "counted".into(),
        goal: "<= 1.00".into(),
        zeroless: format!("{zeroless:.1}"),
        baseline: format!("{baseline:.1}"),
        unit: "a message",
        baseline_is: "zmq",
    }
}

/// The instructions for one message.
struct Cost {
    send: f64,
    receive: f64,
}

impl Cost {
    fn of(library: &str) -> Outcome<Cost> {
        let send = per_message(library, "send")?;
        let both = per_message(library, "both")?;
        Ok(Cost {
            send,
            receive: both - send,
        })
    }
}

fn per_message(library: &str, sides: &str) -> Outcome<f64> {
    let count = |messages| count(library, sides, messages);
    Ok((count(MANY)? - count(FEW)?) / (MANY - FEW) as f64)
}

/// Counts all instructions of a helper.
fn count(library: &str, sides: &str, messages: usize) -> Outcome<f64> {
    let helper = helper::command(&["count", library, sides, &messages.to_string()])?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(helper.get_program())
        .args(helper.get_args())
        .output()?;
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected :"));
    let (_, instructions) = collected.ok_or_else(|| report.to_string())?;
    Ok(instructions.trim().parse()?)
}

/// Does the work that is counted, in a helper, and exits at once. So freeing what is left in the queue is not counted.
pub fn fill_and_empty(
    sides: &str,
    messages: usize,
    send: impl FnOnce(&[&[u8]], usize) -> Outcome,
    receive: impl FnOnce(usize, &mut Counter) -> Outcome,
) -> Outcome {
    send(MESSAGE, messages)?;
    if sides == "both" {
        let mut counter = Counter::new(MESSAGE);
        receive(messages, &mut counter)?;
        counter.check(messages)?;
    }
    std::process::exit(0)
}

/// Makes calls or requests that are counted, in a helper, and exits at once.
pub fn ask(implementation: Implementation, count: usize) -> Outcome {
    implementation(Run {
        endpoint: INPROC,
        message: MESSAGE,
        count,
    })?;
    std::process::exit(0)
}

/// Runs the helpers with few messages, to check that they work.
pub fn smoke_test() -> Outcome {
    let both = ["send", "both"]
        .into_iter()
        .flat_map(|work| [("zeroless", work), ("zmq", work)]);
    for (library, work) in both.chain([("zeroless", "call"), ("zeroless", "request")]) {
        let status = helper::command(&["count", library, work, "10"])?.status()?;
        if !status.success() {
            return Err(format!("the helper for {library} failed: {status}").into());
        }
    }
    Ok(())
}
