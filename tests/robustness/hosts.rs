//! Hosts with a network between them, for the tests of `namespaces`: each host is a network namespace of Linux, and a
//! bridge in one more namespace connects them. And the processes that run there, each of them a test that another runs.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Process, argument_of_child, await_subscribers, report, run_in_child_of, texts, wait_until};
use crossbeam_channel::tick;
use zeroless::{Client, Server, text};

/// What the names of our namespaces begin with. The id of the process follows.
const PREFIX: &str = "zeroless";

/// The port of every server. Each network is of its own.
const PORT: u16 = 5555;

/// The keepalive of the processes that must soon notice a dead host, which is then four seconds later.
const KEEPALIVE: Duration = Duration::from_secs(1);

/// How many connections [`connects_often`] makes.
pub const CONNECTIONS: usize = 20;

/// Sets a heartbeat in milliseconds, if it is not 0.
macro_rules! set_heartbeat {
    ($recipe:expr, $heartbeat:expr) => {
        if let heartbeat @ 1.. = $heartbeat.parse().unwrap() {
            $recipe.heartbeat(Duration::from_millis(heartbeat));
        }
    };
}

/// Runs `ip`, which must succeed.
fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split_whitespace()).output();
    let output = output.unwrap_or_else(|error| panic!("this test needs ip, of the package iproute2: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "this test needs root and network namespaces, but `ip {arguments}` failed: {said}"
    );
}

/// Deletes a namespace, if it exists, with its files.
fn delete_namespace(name: &str) {
    let _ = Command::new("ip").args(["netns", "del", name]).output();
    let _ = fs::remove_dir_all(files_of(name));
}

/// The folder of files that processes of a namespace see in `/etc`.
fn files_of(namespace: &str) -> PathBuf {
    PathBuf::from("/etc/netns").join(namespace)
}

/// Deletes what a process has left that was killed, or that a watchdog has ended.
fn delete_leftovers() {
    for name in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let name = name.file_name().to_string_lossy().into_owned();
        let id = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').nth(1));
        if id.is_some_and(|id| !PathBuf::from("/proc").join(id).exists()) {
            delete_namespace(&name);
        }
    }
}

/// A network without hosts, apart from those that [`Network::host`] adds.
pub struct Network {
    hub: String,
}

impl Network {
    pub fn new() -> Network {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        delete_leftovers();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // From here on, the namespace is deleted when this is dropped.
        let network = Network {
            hub: format!("{PREFIX}-{}-{count}", process::id()),
        };
        ip(&format!("netns add {}", network.hub));
        network.ip("link add bridge type bridge");
        network.ip("link set bridge up");
        network
    }

    fn ip(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.hub));
    }

    /// Starts a host. Of a number there is one at a time.
    pub fn host(&self, number: u8) -> Host<'_> {
        let host = Host {
            network: self,
            number,
            name: format!("{}-{number}", self.hub),
        };
        let (name, link, address) = (&host.name, host.link(), host.address());
        ip(&format!("netns add {name}"));
        self.ip(&format!(
            "link add {link} type veth peer name eth0 address 02:00:00:00:00:{number:02x} netns {name}"
        ));
        self.ip(&format!("link set {link} master bridge up"));
        ip(&format!("-n {name} address add {address}/24 dev eth0"));
        ip(&format!("-n {name} link set eth0 up"));
        host
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        delete_namespace(&self.hub);
    }
}

/// A host, which is gone when it is dropped.
pub struct Host<'a> {
    network: &'a Network,
    number: u8,
    name: String,
}

impl Host<'_> {
    pub fn address(&self) -> String {
        format!("10.77.0.{}", self.number)
    }

    /// The network's end of its link.
    fn link(&self) -> String {
        format!("host{}", self.number)
    }

    /// Runs a test of this executable on the host, with an argument for it.
    pub fn run(&self, test: impl Fn(), argument: &str) -> Process {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.name])
            .arg(std::env::current_exe().unwrap());
        run_in_child_of(&mut command, test, argument)
    }

    /// Like [`run`](Self::run), and waits until the process reports that it listens. Returns its further reports, too.
    pub fn serve<T: Fn()>(&self, test: T, argument: &str) -> (Process, impl Iterator<Item = String> + use<T>) {
        let mut server = self.run(test, argument);
        let mut reports = server.reports();
        assert!(
            reports.any(|line| line == "listening"),
            "the server ended before it listened"
        );
        (server, reports)
    }

    /// Makes the network drop what the host sends, and what is sent to it. The host cannot notice.
    pub fn cut(&self) {
        self.network.ip(&format!("link set {} nomaster", self.link()));
    }

    pub fn mend(&self) {
        self.network.ip(&format!("link set {} master bridge", self.link()));
    }

    /// Waits until everything that a process of this host has sent is acknowledged.
    ///
    /// An acknowledgement may come late. If it is lost, the system sends again, and does not probe. If it comes after a
    /// restart of the host, the host says that it does not know the connection.
    pub fn await_acknowledgements(&self, process: &Process) {
        const ESTABLISHED: &str = "01";
        const NOTHING_QUEUED: &str = "00000000:";
        let is_acknowledged = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[3] != ESTABLISHED || fields[4].starts_with(NOTHING_QUEUED)
        };
        let connections = || fs::read_to_string(format!("/proc/{}/net/tcp", process.id())).unwrap();
        wait_until(|| connections().lines().all(is_acknowledged));
    }

    /// Ends the host and its process so that nobody on the network gets a FIN or an RST.
    pub fn lose_power(self, mut process: Process) {
        self.network.ip(&format!("link set {} down", self.link()));
        process.kill();
    }

    /// Sets which address processes of this host find for a name. Must be called before the first of them starts.
    pub fn set_name(&self, name: &str, address: &str) {
        let files = files_of(&self.name);
        fs::create_dir_all(&files).unwrap();
        // This changes the file in place, because running processes have this file, whatever has its name later.
        fs::write(files.join("hosts"), format!("{address} {name}\n")).unwrap();
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        // The system deletes the links of a namespace only later, and another host may need the number now.
        let arguments = ["-n", &self.network.hub, "link", "del", &self.link()];
        let _ = Command::new("ip").args(arguments).output();
        delete_namespace(&self.name);
    }
}

/// Ends this process when the other end of its input is closed, as it is when the parent ends in any way.
fn end_with_parent() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(1);
    });
}

/// Sends each line of its input.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn serves_lines() {
    let server = Server::public(PORT).linger(Duration::ZERO).clone();
    let lines = io::stdin().lines().map_while(|line| line.ok());
    match argument_of_child().as_str() {
        "push" => {
            let push = server.push().unwrap();
            report("listening");
            lines.for_each(|line| push.send(&[line]).unwrap());
        }
        "publish" => {
            let publish = server.publish().unwrap();
            report("listening");
            await_subscribers(&publish, 1);
            lines.for_each(|line| publish.send(&[line]).unwrap());
        }
        other => panic!("unknown pattern {other}"),
    }
}

/// Reports what it receives from a server.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn receives() {
    end_with_parent();
    let argument = argument_of_child();
    let (pattern, server) = argument.split_once(' ').unwrap();
    let mut client = Client::new();
    client.connect(server, PORT).keepalive(KEEPALIVE);
    let report_all = |message| report(texts(&message)[0]);
    match pattern {
        "pull" => client.pull().unwrap().for_each(report_all),
        "subscribe" => client.subscribe([""]).unwrap().for_each(report_all),
        other => panic!("unknown pattern {other}"),
    }
}

/// Reports what it receives from clients. The argument is its keepalive in seconds.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn serves_pushers() {
    end_with_parent();
    let keepalive = Duration::from_secs(argument_of_child().parse().unwrap());
    let pull = Server::public(PORT).keepalive(keepalive).pull().unwrap();
    // After waiting once, the socket has all descriptors that it needs for itself.
    assert!(
        pull.recv_timeout(Duration::from_millis(1)).is_err(),
        "no client is there"
    );
    report("listening");
    pull.iter().for_each(|message| report(texts(&message)[0]));
}

/// Connects to a server many times.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn connects_often() {
    let mut client = Client::new();
    client.connect(argument_of_child(), PORT).linger(Duration::ZERO);
    let pushes: Vec<_> = (0..CONNECTIONS).map(|_| client.push().unwrap()).collect();
    pushes.iter().for_each(|push| push(&[b"hello"]).unwrap());
    for _ in io::stdin().lines() {}
}

/// Sends each line of its input to a server.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn pushes_lines() {
    let mut client = Client::new();
    client.connect(argument_of_child(), PORT).linger(Duration::ZERO);
    let push = client.push().unwrap();
    let lines = io::stdin().lines().map_while(|line| line.ok());
    lines.for_each(|line| push.send(&[line]).unwrap());
}

/// Sends ever higher numbers to a server, each with the time when it was sent. The argument is the server's address, and
/// a heartbeat in milliseconds or 0.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn counts() {
    end_with_parent();
    let argument = argument_of_child();
    let (server, heartbeat) = argument.split_once(' ').unwrap();
    let mut client = Client::new();
    set_heartbeat!(client, heartbeat);
    let push = client.connect(server, PORT).push().unwrap();
    let clock = tick(Duration::from_millis(100));
    for number in 0.. {
        push.send(&[format!("{number} {}", milliseconds())]).unwrap();
        clock.recv().unwrap();
    }
}

/// Dispatches each line of its input as a job, and reports the outcomes and the numbers of their attempts. The argument
/// is a heartbeat.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn dispatches() {
    let mut server = Server::public(PORT);
    set_heartbeat!(server, argument_of_child());
    let (dispatch, outcomes) = server.dispatch().unwrap();
    report("listening");
    thread::spawn(move || {
        for outcome in outcomes {
            let result = outcome
                .result
                .map_or_else(|error| error.to_string(), |result| text(&result));
            report(&format!("{}: {result}, {}", text(&outcome.job), outcome.attempts));
        }
    });
    for line in io::stdin().lines().map_while(|line| line.ok()) {
        dispatch.send(&[line]).unwrap();
    }
}

/// Reports each job that it gets, and answers with the next line of its input. The argument is the producer's address
/// and a heartbeat.
#[test]
#[ignore = "runs as a child process of another test"]
pub fn works() {
    let argument = argument_of_child();
    let (producer, heartbeat) = argument.split_once(' ').unwrap();
    let mut client = Client::new();
    client.connect(producer, PORT);
    set_heartbeat!(client, heartbeat);
    let mut lines = io::stdin().lines().map_while(|line| line.ok());
    for job in client.work().unwrap() {
        report(&text(&job));
        match lines.next() {
            Some(line) => job.done(&line).unwrap(),
            None => break,
        }
    }
}

/// The time of day.
pub fn milliseconds() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}
