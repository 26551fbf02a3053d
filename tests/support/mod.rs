//! What the tests share.
#![allow(dead_code, reason = "each executable uses a part of it")]

pub mod python;
pub mod relay;
pub mod usage;
pub mod zmtp;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::iter;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender as Channel, bounded};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use zeroless::{Keypair, Message, Publisher, Receiver, Sender, Server};

/// How long a test may take before it counts as hung.
const LIMIT: Duration = Duration::from_secs(120);

/// Terminates the process if it is not dropped in time, so that a test that hangs fails and is named.
pub struct Watchdog {
    _fed: Channel<()>,
}

pub fn watchdog() -> Watchdog {
    silence();
    let (fed, hungry) = bounded::<()>(0);
    let test = thread::current().name().unwrap_or("a test").to_owned();
    thread::spawn(move || {
        if hungry.recv_timeout(LIMIT).is_err_and(|error| error.is_timeout()) {
            // The test harness would keep other output until the test ends.
            let _ = writeln!(std::io::stderr(), "{test} hangs: it has taken more than {LIMIT:?}");
            std::process::exit(101);
        }
    });
    Watchdog { _fed: fed }
}

/// Keeps the warnings that a process without a logger prints out of the tests' output.
pub fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if log::max_level() == log::LevelFilter::Off {
            log::set_max_level(log::LevelFilter::Error);
        }
    });
}

/// A pusher and a puller that are connected over loopback.
pub fn push_and_pull() -> (Sender, Receiver) {
    let pull = Server::new(0).pull().unwrap();
    let push = client_of(&pull).push().unwrap();
    (push, pull)
}

/// The recipe of a client of this receiver's server.
pub fn client_of(server: &Receiver) -> zeroless::Client {
    client_of_port(server.socket().port().unwrap())
}

/// The recipe of a client of this sender's server.
pub fn client_of_sender(server: &Sender) -> zeroless::Client {
    client_of_port(server.socket().port().unwrap())
}

pub fn client_of_port(port: u16) -> zeroless::Client {
    let mut client = zeroless::Client::new();
    client.connect_local(port);
    client
}

/// Waits until this number of subscriptions has arrived.
pub fn await_subscribers(publisher: &Publisher, subscriptions: usize) {
    publisher
        .wait_for_subscribers(subscriptions, Duration::from_secs(30))
        .unwrap();
}

/// Does something while a thread waits to receive, because a subscriber that binds sends its subscriptions only then.
///
/// Nothing may arrive meanwhile.
pub fn while_receiving<T>(receiver: &Receiver, work: impl FnOnce() -> T) -> T {
    let (done, wait) = bounded::<()>(0);
    thread::scope(|scope| {
        scope.spawn(move || {
            while wait.try_recv().is_err_and(|error| error.is_empty()) {
                assert!(
                    receiver.recv_timeout(Duration::from_millis(1)).is_err(),
                    "nothing comes"
                );
            }
        });
        let outcome = work();
        drop(done);
        outcome
    })
}

/// The frames of a message as text.
pub fn texts(message: &Message) -> Vec<&str> {
    message
        .iter()
        .map(|frame| std::str::from_utf8(frame).unwrap())
        .collect()
}

/// A port that nothing listens on. It is below the range from which the system takes ports for outgoing connections.
///
/// A client that connects to a port of that range while nothing listens there may be connected to itself.
pub fn unused_port() -> u16 {
    unused_ports(1)
}

/// The first of `count` consecutive ports, each like that of [`unused_port`].
pub fn unused_ports(count: u16) -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 500) as u16 * 40;
    let candidates = iter::repeat_with(|| first + TRIED.fetch_add(count, Ordering::Relaxed));
    // Listening there for a moment would prove no more, and a process that another test starts at that moment has a
    // copy of the listener until it executes its own program.
    let is_unused = |port| TcpStream::connect(("127.0.0.1", port)).is_err();
    candidates
        .take(500)
        .find(|&port| (port..port + count).all(is_unused))
        .expect("there are free ports")
}

/// Waits until a condition holds that no channel reports.
pub fn wait_until(mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < LIMIT, "waited for too long");
        thread::yield_now();
    }
}

/// Asserts that the server receives what this client sends.
pub fn assert_let_in(pull: &Receiver, friend: &zeroless::Client) {
    friend.push().unwrap().send(&["from a friend"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"from a friend"]);
}

/// Asserts that a stranger is denied, and that the server receives nothing from it and still serves a friend.
pub fn assert_denied(pull: &Receiver, stranger: &zeroless::Client, friend: &zeroless::Client) {
    await_denial(stranger);
    assert_let_in(pull, friend);
    assert_eq!(pull.try_recv().unwrap_err().kind(), zeroless::ErrorKind::WouldBlock);
}

/// Asserts that a stranger with another mechanism than the server's is denied, and that the server receives nothing
/// from it and still serves a friend.
pub fn assert_not_understood(pull: &Receiver, stranger: &zeroless::Client, friend: &zeroless::Client) {
    // With a libzmq that zeroless has not built, a client that is refused before its socket has finished connecting is not
    // told, and would linger forever.
    let stranger = stranger.clone().linger(Duration::ZERO).clone();
    let is_told = || {
        let push = stranger.push().unwrap();
        (0..100).any(|_| {
            thread::sleep(Duration::from_millis(10));
            let outcome = push.try_send(&["from a stranger"]);
            outcome.is_err_and(|error| error.kind() == zeroless::ErrorKind::Denied)
        })
    };
    wait_until(is_told);
    assert_let_in(pull, friend);
    assert_eq!(pull.try_recv().unwrap_err().kind(), zeroless::ErrorKind::WouldBlock);
}

/// Opens a socket of a client, and waits until it is denied.
pub fn await_denial(client: &zeroless::Client) {
    await_denial_of(&client.push().unwrap());
}

/// Sends now and then until the client is denied. This must happen before its queue is full: then it cannot be told.
pub fn await_denial_of(push: &Sender) {
    for _ in 0..900 {
        if let Err(error) = push.try_send(&["from a stranger"]) {
            return assert_eq!(error.kind(), zeroless::ErrorKind::Denied, "{error}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the client is not told that it is denied");
}

/// How long a soak test runs.
pub fn time_to_soak() -> Duration {
    let seconds = std::env::var("ZEROLESS_SOAK_SECONDS").ok();
    Duration::from_secs(seconds.map_or(3_600, |seconds| seconds.parse().expect("a number of seconds")))
}

/// A folder for one test, which is removed when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("zeroless-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub fn ipc(&self, path: &str) -> String {
        format!("ipc://{}", self.0.join(path).display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that is killed when it is dropped.
pub struct Process {
    child: Child,
    /// Whether it runs a test of this executable. Then the test must have run when the process succeeds.
    runs_test: bool,
}

/// The arguments with which this executable runs only this test.
pub fn arguments_to_run<T: Fn()>(_test: T) -> [&'static str; 5] {
    // The path of the function begins with the name of the crate, the name of the test does not.
    let (_crate, name) = std::any::type_name::<T>().split_once("::").unwrap();
    ["--exact", name, "--include-ignored", "--nocapture", "--test-threads=1"]
}

/// Runs a test of this executable in a process of its own, with an argument for it.
pub fn run_in_child(test: impl Fn(), argument: &str) -> Process {
    run_in_child_of(&mut Command::new(std::env::current_exe().unwrap()), test, argument)
}

/// Like [`run_in_child`], with a command that runs this executable.
pub fn run_in_child_of(command: &mut Command, test: impl Fn(), argument: &str) -> Process {
    command
        .args(arguments_to_run(test))
        .env("ZEROLESS_TEST_ARGUMENT", argument)
        // The test harness of the child writes there.
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = Process::start(command);
    process.runs_test = true;
    process
}

/// Runs a test that is a server in a process of its own, and waits until it reports that it listens.
pub fn serve_in_child<T: Fn()>(test: T, argument: &str) -> (Process, impl Iterator<Item = String> + use<T>) {
    let mut server = run_in_child(test, argument);
    let mut reports = server.reports();
    let mut said = String::new();
    let is_listening = reports.any(|line| {
        said = format!("{said}{line}\n");
        line == "listening"
    });
    assert!(is_listening, "the server ended before it listened: {said}");
    (server, reports)
}

/// The argument that [`run_in_child`] has passed.
pub fn argument_of_child() -> String {
    std::env::var("ZEROLESS_TEST_ARGUMENT").expect("this is run by another test, as a child")
}

/// Reports a line to the parent process.
pub fn report(line: &str) {
    eprintln!("{line}");
}

/// Lets processes that are started from now on heed Ctrl-C, also if the tests run in the background of a shell script,
/// whose processes ignore it. Those that this process starts inherit that, but they do not inherit a handler.
pub fn heed_interrupts() {
    static HEEDS: Once = Once::new();
    HEEDS.call_once(|| {
        let as_ever = Arc::new(AtomicBool::new(true));
        flag::register_conditional_default(SIGINT, as_ever).unwrap();
    });
}

impl Process {
    pub fn start(command: &mut Command) -> Process {
        heed_interrupts();
        Process {
            child: command.stdin(Stdio::piped()).spawn().unwrap(),
            runs_test: false,
        }
    }

    /// The lines that a child of [`run_in_child`] reports until it ends. Can be called once.
    pub fn reports(&mut self) -> impl Iterator<Item = String> + use<> {
        lines(self.child.stderr.take().unwrap())
    }

    /// The lines that the process prints until it ends. Can be called once.
    pub fn prints(&mut self) -> impl Iterator<Item = String> + use<> {
        lines(self.child.stdout.take().unwrap())
    }

    /// Writes a line to its standard input.
    pub fn types(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Closes its standard input.
    pub fn let_go(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Kills the process, and waits until it has ended.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        signal::kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits until the process ends by itself, and returns its exit code.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Waits until the process ends by itself, and asserts that it succeeds.
    pub fn succeeds(&mut self) {
        // Read before waiting: a process that prints more than fits into the pipe ends only once someone reads.
        let mut printed = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut printed).unwrap();
        }
        let status = self.child.wait().unwrap();
        assert!(status.success(), "it ended with {status}: {printed}");
        if self.runs_test {
            let mut said = String::new();
            let mut stdout = self.child.stdout.take().unwrap();
            stdout.read_to_string(&mut said).unwrap();
            // With the name of no test, the process would run nothing and succeed.
            assert!(said.contains("test result: ok. 1 passed"), "{said}");
        }
    }
}

fn lines(output: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(output).lines().map_while(|line| line.ok())
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a keypair. This needs a libzmq that has CURVE.
pub fn new_keypair() -> Keypair {
    Keypair::generate().unwrap_or_else(|error| panic!("this test needs CURVE: {error}"))
}
