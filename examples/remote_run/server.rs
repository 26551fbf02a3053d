//! The server, which runs the commands.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use zeroless::crossbeam_channel::{Sender as Slot, after, bounded, select, tick};
use zeroless::{ErrorKind, Receiver, Sender, frames, text};

use crate::{PROBE_INTERVAL, Result};

/// The longest line that is sent as one message. Without a limit, one line could fill the memory.
const MAX_LINE: u64 = 64 * 1024;

pub fn run(send: &Sender, requests: Receiver) {
    for request in requests {
        let send = send.clone();
        thread::spawn(move || {
            let (client, command) = (&request[0], &request[1..]);
            let ending = execute(&send, client, command);
            let (code, words) = ending.unwrap_or_else(|error| (127, format!("cannot run it: {error}")));
            let _ = writeln!(io::stdout(), "server: {}: {words}", text(command)); // fails if nobody reads it
            let _ = send(frames![client, "end", code.to_string(), words]); // fails if the client has gone
        });
    }
}

/// Runs a command until it has ended, its time is over, or its client has gone. Returns its exit code, and words for it.
fn execute(send: &Sender, client: &[u8], command: &[Vec<u8>]) -> Result<(i32, String)> {
    let [seconds, program, arguments @ ..] = command else {
        return Err("a request is a number of seconds, a program, and its arguments".into());
    };
    let limit = Duration::from_secs(str::from_utf8(seconds)?.parse()?);
    let mut child = Command::new(OsStr::from_bytes(program))
        .args(arguments.iter().map(|argument| OsStr::from_bytes(argument)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0) // a group of its own, with what it starts
        .spawn()?;
    let group = Pid::from_raw(child.id() as i32);
    let kill_group = move || {
        let _ = killpg(group, Signal::SIGKILL); // fails if all have ended
    };

    // It is over when three threads have dropped this: those that forward the output, and one that waits for the end.
    let (running, over) = bounded::<()>(0);
    let stdout = child.stdout.take().expect("it is piped");
    let stderr = child.stderr.take().expect("it is piped");
    forward("stdout", stdout, send, client, running.clone());
    forward("stderr", stderr, send, client, running.clone());
    thread::spawn(move || {
        // With NOWAIT, the ended process keeps its id, so no other group can have it when this one is killed.
        let _ = waitid(Id::Pid(group), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        kill_group();
        drop(running);
    });

    let (time_is_over, probe) = (after(limit), tick(PROBE_INTERVAL));
    let reason = loop {
        select! {
            recv(over) -> _ => break "",
            recv(time_is_over) -> _ => break "killed, because its time was over; ",
            recv(probe) -> _ => match send.try_send(frames![client, "running"]) {
                Err(error) if error.kind() == ErrorKind::NotConnected => break "killed, because its client has gone; ",
                _ => {} // it may have no room just now
            },
        }
    };
    kill_group();
    let _ = over.recv_timeout(Duration::from_secs(1)); // for the last lines
    let status = child.wait()?;
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    Ok((code.unwrap_or(1), format!("{reason}{status}")))
}

/// Sends each line of an output to the client, in a thread, until the output ends or the client has gone.
fn forward(name: &'static str, output: impl Read + Send + 'static, send: &Sender, client: &[u8], running: Slot<()>) {
    let (send, client, mut output) = (send.clone(), client.to_vec(), BufReader::new(output));
    thread::spawn(move || {
        let mut line = Vec::new();
        while let Ok(1..) = output.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)
            && send(frames![client, name, line]).is_ok()
        {
            line.clear();
        }
        drop(running);
    });
}
