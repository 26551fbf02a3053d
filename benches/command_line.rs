//! Compares the command line with the library, and with other programs that move lines. `benches/README.md` explains how
//! to run this.
//!
//! Each contestant is two processes: one sends messages of 100 B, the other one receives them, and writes them to a
//! file. In each round, each contestant runs once. Its time begins when the sender starts, and ends when the receiver has
//! ended.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use zeroless::{Client, Server};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The length of a message. A line has one more byte.
const LENGTH: usize = 100;

/// How long a receiver gets to start.
const START: Duration = Duration::from_millis(300);

/// What pyzmq's tools for the command line do for each message.
const PYTHON_PUSH: &str = "
import sys, zmq
push = zmq.Context().socket(zmq.PUSH)
push.connect(sys.argv[1])
for line in sys.stdin.buffer:
    push.send_multipart([line.rstrip(b'\\n')])
";
const PYTHON_PULL: &str = "
import sys, zmq
pull = zmq.Context().socket(zmq.PULL)
pull.bind(sys.argv[1])
for _ in range(int(sys.argv[2])):
    sys.stdout.buffer.write(b'\\t'.join(pull.recv_multipart()) + b'\\n')
    sys.stdout.buffer.flush()
";

struct Contestant {
    name: &'static str,
    messages: usize,
    /// The bytes that the receiver writes for each message.
    written: usize,
    receiver: fn(&Run) -> Command,
    sender: fn(&Run) -> Command,
}

/// What the commands of a contestant need to know.
struct Run {
    port: u16,
    messages: usize,
}

impl Run {
    fn endpoint(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }
}

const CONTESTANTS: [Contestant; 5] = [
    Contestant {
        name: "the library, without lines",
        messages: 2_000_000,
        written: 0,
        receiver: |run| helper(&["pull", &run.endpoint(), &run.messages.to_string()]),
        sender: |run| helper(&["push", &run.endpoint(), &run.messages.to_string()]),
    },
    Contestant {
        name: "zeroless",
        messages: 2_000_000,
        written: LENGTH + 1,
        receiver: |run| zeroless(&format!("server {} pull -n {}", run.port, run.messages)),
        sender: |run| zeroless(&format!("client {} push", run.port)),
    },
    Contestant {
        name: "ncat",
        messages: 2_000_000,
        written: LENGTH + 1,
        receiver: |run| command("ncat", &["-l", "127.0.0.1", &run.port.to_string()]),
        sender: |run| command("ncat", &["--send-only", "127.0.0.1", &run.port.to_string()]),
    },
    Contestant {
        name: "Python's pyzmq, as zmqc does",
        messages: 200_000,
        written: LENGTH + 1,
        receiver: |run| python(PYTHON_PULL, &[&run.endpoint(), &run.messages.to_string()]),
        sender: |run| python(PYTHON_PUSH, &[&run.endpoint()]),
    },
    Contestant {
        name: "nngcat, which repeats one message",
        messages: 10_000,
        written: LENGTH,
        receiver: |run| nngcat("--pull0 --listen", run, &["--raw"]),
        sender: |run| {
            nngcat(
                "--push0 --dial",
                run,
                &["--interval", "0", "--data", &"x".repeat(LENGTH)],
            )
        },
    },
];

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn helper(arguments: &[&str]) -> Command {
    command(
        env::current_exe().unwrap_or_default().to_str().unwrap_or_default(),
        arguments,
    )
}

fn zeroless(arguments: &str) -> Command {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    command(env!("CARGO_BIN_EXE_zeroless"), &arguments)
}

fn python(script: &str, arguments: &[&str]) -> Command {
    let interpreter = env::var("ZEROLESS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = command(&interpreter, &["-c", script]);
    command.args(arguments);
    command
}

fn nngcat(role: &str, run: &Run, arguments: &[&str]) -> Command {
    let mut command = command("nngcat", &role.split(' ').collect::<Vec<_>>());
    command
        .arg(run.endpoint())
        .args(arguments)
        .args(["--count", &run.messages.to_string()]);
    command
}

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["pull", endpoint, count] => pull(endpoint, count.parse()?),
        ["push", endpoint, count] => push(endpoint, count.parse()?),
        arguments => compare(if arguments.contains(&"--quick") { 3 } else { 9 }),
    }
}

fn pull(endpoint: &str, count: usize) -> Outcome {
    let pull = Server::at(endpoint).pull()?;
    let right = pull
        .iter()
        .take(count)
        .filter(|message| message[0].len() == LENGTH)
        .count();
    (right == count)
        .then_some(())
        .ok_or_else(|| "a message has another length".into())
}

fn push(endpoint: &str, count: usize) -> Outcome {
    let push = Client::new().connect_to(endpoint).push()?;
    let message = [b'x'; LENGTH];
    (0..count).try_for_each(|_| push(&[&message]))?;
    Ok(())
}

fn compare(rounds: usize) -> Outcome {
    let folder = env::temp_dir().join(format!("zeroless-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = measure(rounds, &folder);
    fs::remove_dir_all(&folder)?;
    outcome
}

fn measure(rounds: usize, folder: &Path) -> Outcome {
    let mut rates = CONTESTANTS.map(|_| Vec::new());
    for _ in 0..rounds {
        for (contestant, rates) in CONTESTANTS.iter().zip(&mut rates) {
            match rate(contestant, folder) {
                Ok(rate) => rates.push(rate),
                Err(error) => eprintln!("{}: {error}", contestant.name),
            }
        }
    }
    println!("{:36}{:>18}{:>10}", "", "thousand a second", "÷ library");
    let library = median(rates[0].clone());
    for (contestant, rates) in CONTESTANTS.iter().zip(rates) {
        let rate = median(rates);
        println!("{:36}{:>18.0}{:>10.2}", contestant.name, rate / 1_000.0, rate / library);
    }
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How many messages pass in a second.
fn rate(contestant: &Contestant, folder: &Path) -> Outcome<f64> {
    let run = Run {
        port: TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
        messages: contestant.messages,
    };
    let (input, output) = (write_lines(contestant.messages, folder)?, folder.join("output"));
    let mut receiver = Killed((contestant.receiver)(&run).stdout(File::create(&output)?).spawn()?);
    thread::sleep(START);
    let started = Instant::now();
    let mut sender = Killed(
        (contestant.sender)(&run)
            .stdin(File::open(input)?)
            .stdout(Stdio::null())
            .spawn()?,
    );
    let ended = receiver.0.wait()?;
    let time = started.elapsed();
    if !(ended.success() && sender.0.wait()?.success()) {
        return Err("it has failed".into());
    }
    match fs::metadata(output)?.len() as usize {
        written if written == contestant.messages * contestant.written => {
            Ok(contestant.messages as f64 / time.as_secs_f64())
        }
        written => Err(format!("it has written {written} bytes").into()),
    }
}

/// A file of lines.
fn write_lines(count: usize, folder: &Path) -> Outcome<PathBuf> {
    let path = folder.join(count.to_string());
    if !path.exists() {
        let line = [vec![b'x'; LENGTH], vec![b'\n']].concat();
        File::create(&path)?.write_all(&line.repeat(count))?;
    }
    Ok(path)
}

/// A process that does not outlive its round.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // If it has ended, this fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
