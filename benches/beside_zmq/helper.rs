//! Other processes that this executable starts, with itself, to have the far end of a connection.
//!
//! A helper says on its standard output, line by line, what its starter waits for. It ends with its starter, whatever
//! becomes of that: its standard input ends then.

use std::env;
use std::io::{BufRead, BufReader, Lines, stdin};
use std::process::{self, Child, ChildStdout, Command, Stdio};
use std::thread;

use crate::turn::Outcome;
use crate::{with_zeroless, with_zmq};

/// The first argument of a helper.
const HELPER: &str = "helper";

/// A helper, from the side of its starter.
pub struct Helper {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    pub fn start(role: &[&str]) -> Outcome<Helper> {
        let mut process = command(role)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("a helper has no standard output")?;
        Ok(Helper {
            process,
            lines: BufReader::new(output).lines(),
        })
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for the next thing that the helper says.
    pub fn said(&mut self) -> Outcome<String> {
        Ok(self.lines.next().ok_or("a helper ended too early")??)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It has nothing to lose, and is not there any more if these fail.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What runs this executable as a helper.
pub fn command(role: &[&str]) -> Outcome<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(HELPER).args(role);
    Ok(command)
}

/// Does what the arguments of a helper say, or returns `None` if they are not those of one.
pub fn help(arguments: &[&str]) -> Option<Outcome> {
    match arguments {
        [HELPER, role @ ..] => Some(play(role)),
        _ => None,
    }
}

fn play(role: &[&str]) -> Outcome {
    match role {
        ["echo", "zeroless"] => with_starter(with_zeroless::echo),
        ["echo", "zmq"] => with_starter(with_zmq::echo),
        ["pull", "zeroless", peers, count] => pull(with_zeroless::pull, peers, count),
        ["pull", "zmq", peers, count] => pull(with_zmq::pull, peers, count),
        ["count", "zeroless", sides, messages] => with_zeroless::count(sides, messages.parse()?),
        ["count", "zmq", sides, messages] => with_zmq::count(sides, messages.parse()?),
        _ => Err(format!("no helper does {role:?}").into()),
    }
}

fn pull(server: fn(usize, usize) -> Outcome, peers: &str, count: &str) -> Outcome {
    let (peers, count) = (peers.parse()?, count.parse()?);
    with_starter(|| server(peers, count))
}

/// Does the work for as long as the starter is there.
fn with_starter(work: impl FnOnce() -> Outcome) -> Outcome {
    thread::spawn(|| {
        for _ in stdin().lines() {}
        process::exit(0);
    });
    work()
}
