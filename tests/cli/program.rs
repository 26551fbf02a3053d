//! A `zeroless` that runs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;

use crossbeam_channel::{Receiver, unbounded};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::support::heed_interrupts;

/// A command that runs `zeroless` with these arguments, which are separated by spaces.
pub fn zeroless(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zeroless"));
    command.args(arguments.split_whitespace()).env_remove("RUST_LOG");
    command
}

/// A running program. It is killed when it is dropped.
pub struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// The lines of its standard error.
    says: Receiver<String>,
    said: Vec<String>,
    /// Whether it has a process group of its own, which is killed with it.
    is_group: bool,
}

/// What a program has left when it has ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub output: Vec<u8>,
    /// What it has said on its standard error, without the ports.
    pub said: String,
}

/// Starts `zeroless`. Its input is a pipe that stays open.
pub fn start(arguments: &str) -> Program {
    Program::start(&mut zeroless(arguments))
}

/// Starts `zeroless` as a server, and waits until it tells its port.
pub fn serve(arguments: &str) -> (Program, u16) {
    let mut program = start(&format!("server 0 {arguments}"));
    let port = program.port();
    (program, port)
}

/// Starts `zeroless` as a client of a server on this machine.
pub fn connect(port: u16, arguments: &str) -> Program {
    start(&format!("client {port} {arguments}"))
}

/// Starts `zeroless` with this input.
pub fn start_with(arguments: &str, input: impl Into<Vec<u8>>) -> Program {
    let mut program = start(arguments);
    program.give(input);
    program
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        heed_interrupts();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (line, says) = unbounded();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .try_for_each(|said| line.send(said))
        });
        Program {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
            says,
            said: Vec::new(),
            is_group: false,
        }
    }

    /// Starts a command in a process group of its own. Its input is empty.
    pub fn start_group(command: &mut Command) -> Program {
        let mut program = Program::start(command.process_group(0));
        program.is_group = true;
        drop(program.stdin.take());
        program
    }

    /// A command that the shell runs, with `zeroless` on its path.
    pub fn script(script: impl AsRef<OsStr>) -> Command {
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_zeroless")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).env("PATH", path).env_remove("RUST_LOG");
        command
    }

    /// The next port that it tells.
    pub fn port(&mut self) -> u16 {
        let line = self.hears("listening on port ");
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Waits until it says something with these words.
    pub fn hears(&mut self, words: &str) -> String {
        loop {
            let Ok(line) = self.says.recv() else {
                panic!("it ended without {words:?}: {:?}", self.said);
            };
            if line.contains(words) {
                return line;
            }
            self.said.push(line);
        }
    }

    /// Writes to its input, and closes it, in the background.
    pub fn give(&mut self, input: impl Into<Vec<u8>>) {
        let (mut stdin, input) = (self.stdin.take().unwrap(), input.into());
        // A program need not read all of it.
        thread::spawn(move || _ = stdin.write_all(&input));
    }

    /// Writes a line to its input.
    pub fn types(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line of its output, without its end.
    pub fn prints(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(
            line.ends_with('\n'),
            "it ended: {line:?}, {:?}",
            self.says.iter().collect::<Vec<_>>()
        );
        line.pop();
        line
    }

    /// The next bytes of its output.
    pub fn prints_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stdout.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub fn signal(&self, signal: Signal) {
        signal::kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends.
    pub fn ends(mut self) -> Ended {
        let mut output = Vec::new();
        self.stdout.read_to_end(&mut output).unwrap();
        let status = self.child.wait().unwrap();
        self.said.extend(self.says.iter());
        self.said.retain(|line| !line.contains("listening on port "));
        Ended {
            status,
            output,
            said: self.said.join("\n"),
        }
    }

    /// Waits until it ends, and asserts that it succeeds without a word; returns its output.
    pub fn succeeds(self) -> Vec<u8> {
        let ended = self.ends();
        assert!(ended.status.success() && ended.said.is_empty(), "{ended:?}");
        ended.output
    }

    /// Like [`succeeds`](Self::succeeds), for output that is text.
    pub fn text(self) -> String {
        String::from_utf8(self.succeeds()).unwrap()
    }

    /// Waits until it ends, and asserts that it fails with this status; returns what it says.
    pub fn fails(self, status: i32) -> String {
        let ended = self.ends();
        assert_eq!(ended.status.code(), Some(status), "{ended:?}");
        ended.said
    }

    /// Waits until it ends, and asserts that a signal ends it; returns its output.
    pub fn dies_of(self, signal: Signal) -> Vec<u8> {
        let ended = self.ends();
        assert_eq!(ended.status.signal(), Some(signal as i32), "{ended:?}");
        ended.output
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.is_group {
            let _ = signal::killpg(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `zeroless` without input, and returns how it has ended.
pub fn run(arguments: &str) -> Ended {
    start_with(arguments, "").ends()
}
