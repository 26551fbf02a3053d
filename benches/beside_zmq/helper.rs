//! Helpers: processes in which this executable runs once more, to be the other end of a connection.
//!
//! A helper writes each line that its parent waits for to its standard output. When the parent ends, for any reason, the
//! standard input of the helper ends, and the helper exits.

use std::env;
use std::io::{BufRead, BufReader, Lines, Write, stdin};
use std::process::{self, Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::run::Outcome;
use crate::{instructions, jobs, many_peers, with_zeroless, with_zmq};

/// The first argument of a helper.
const HELPER: &str = "helper";

/// A helper, as its parent sees it.
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

    /// Returns the id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Writes a line for the helper to read.
    pub fn write_line(&mut self, line: &str) -> Outcome {
        let mut input = self.process.stdin.as_ref().ok_or("a helper has no standard input")?;
        Ok(writeln!(input, "{line}")?)
    }

    /// Waits for the next line from the helper.
    pub fn read_line(&mut self) -> Outcome<String> {
        Ok(self.lines.next().ok_or("a helper ended too early")??)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // The helper has nothing to save. If these calls fail, it has exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns a command that runs this executable as a helper.
pub fn command(role: &[&str]) -> Outcome<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(HELPER).args(role);
    Ok(command)
}

/// Runs the helper that the arguments name. Returns `None` if they are not the arguments of a helper.
pub fn run(arguments: &[&str]) -> Option<Outcome> {
    match arguments {
        [HELPER, role @ ..] => Some(run_role(role)),
        _ => None,
    }
}

fn run_role(role: &[&str]) -> Outcome {
    match role {
        ["echo", "zeroless"] => until_parent_ends(|_| with_zeroless::echo()),
        ["echo", "zmq"] => until_parent_ends(|_| with_zmq::echo()),
        ["pull", "zeroless", endpoint, peers, count] => pull(with_zeroless::pull, endpoint, peers, count),
        ["pull", "zmq", endpoint, peers, count] => pull(with_zmq::pull, endpoint, peers, count),
        ["push", endpoint, peers] => {
            let peers = peers.parse()?;
            until_parent_ends(|counts| many_peers::push(endpoint, peers, &counts))
        }
        ["work", endpoint, workers] => {
            let workers = workers.parse()?;
            until_parent_ends(|_| jobs::work(endpoint, workers))
        }
        ["pass", jobs, results, workers] => {
            let workers = workers.parse()?;
            until_parent_ends(|_| jobs::pass(jobs, results, workers))
        }
        ["dispatch", count] => {
            let count = count.parse()?;
            until_parent_ends(|_| jobs::produce(count))
        }
        ["sleep", endpoint] => until_parent_ends(|_| jobs::sleep(endpoint)),
        ["count", "zeroless", "call", count] => instructions::ask(with_zeroless::calls::<1>, count.parse()?),
        ["count", "zeroless", "request", count] => instructions::ask(with_zeroless::round_trips, count.parse()?),
        ["count", "zeroless", sides, messages] => with_zeroless::count(sides, messages.parse()?),
        ["count", "zmq", sides, messages] => with_zmq::count(sides, messages.parse()?),
        _ => Err(format!("unknown helper: {role:?}").into()),
    }
}

fn pull(server: fn(&str, usize, usize) -> Outcome, endpoint: &str, peers: &str, count: &str) -> Outcome {
    let (peers, count) = (peers.parse()?, count.parse()?);
    until_parent_ends(|_| server(endpoint, peers, count))
}

/// Does the work, which gets the lines that the parent writes, and exits when the parent ends or kills it.
fn until_parent_ends(work: impl FnOnce(Receiver<String>) -> Outcome) -> Outcome {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            // Work that has no use for lines drops the receiver.
            let _ = sender.send(line);
        }
        process::exit(0);
    });
    work(lines)?;
    loop {
        thread::park();
    }
}
