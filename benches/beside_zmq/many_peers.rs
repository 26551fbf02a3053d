//! Measures a server with more and more peers.
//!
//! The server is a helper, so its memory is its own. For both libraries, the peers are sockets of the `zmq` crate, in
//! one or more other helpers. They push in turn.

use std::collections::BTreeSet;
use std::fs;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zmq::{Context, PUSH, Socket};

use crate::comparison::{Comparison, alternate, median};
use crate::helper::Helper;
use crate::run::{Counter, Outcome, TCP, or_exit, share};

/// The numbers of peers that are measured unless the command line names others.
pub const PEERS: [usize; 4] = [1, 10, 100, 1_000];

/// Less than the 1,023 sockets that libzmq allows in a context.
const SOCKETS_PER_CONTEXT: usize = 1_000;

const MESSAGE: &[&[u8]] = &[&[b'0'; 16]];

/// The number of messages in a run. With fewer, a thousand peers would send most of them before they reach full speed.
const COUNT: usize = 400_000;

/// How many connections the system keeps waiting for the server: all of them, if the system allows it.
pub const BACKLOG: i32 = 10_000;

/// The time that a server gets, after it has printed its endpoint, to start waiting for peers.
const SETTLING: Duration = Duration::from_millis(20);

/// What was measured in one run.
struct Measurement {
    time: Duration,
    /// `None` where there is no /proc.
    memory: Option<Memory>,
    /// How long it took after a restart until all peers were connected. `None` if the server was not restarted, and
    /// where there is no /proc.
    restart: Option<Duration>,
}

/// The resident memory of the server.
struct Memory {
    /// What each peer adds that has sent one message, in KiB.
    per_peer: f64,
    /// What the server had at most, in MiB.
    peak: f64,
}

/// Prints the table for these numbers of peers. If the server is to restart, also measures how long that takes.
pub fn print(rounds: usize, peer_counts: &[usize], restart: bool) {
    println!("\npeers of one server that pulls, 1 frame of 16 B, TCP; the memory is the server's");
    println!(
        "{:>10}{:>8}{:>14}{:>16}{:>8}{:>18}{:>8}{:>19}{:>8}{:>22}{:>8}",
        "peers",
        "ratio",
        "spread",
        "zeroless k/s",
        "zmq",
        "zeroless KiB/peer",
        "zmq",
        "zeroless peak MiB",
        "zmq",
        "zeroless reconnect s",
        "zmq"
    );
    for peers in possible(peer_counts) {
        let name = format!("{peers} peers");
        let measured = |library| or_exit(measure(library, peers, COUNT, restart));
        let rounds = alternate(&name, rounds, || measured("zeroless"), || measured("zmq"));
        print_row(peers, &rounds);
    }
}

fn print_row(peers: usize, rounds: &[(Measurement, Measurement)]) {
    let rate = |measurement: &Measurement| COUNT as f64 / measurement.time.as_secs_f64() / 1e3;
    let rates: Vec<_> = rounds
        .iter()
        .map(|(zeroless, zmq)| (rate(zeroless), rate(zmq)))
        .collect();
    let comparison = Comparison::of(&rates);
    let medians = |figure: fn(&Measurement) -> Option<f64>| {
        [
            median_of(rounds.iter().map(|(zeroless, _)| figure(zeroless))),
            median_of(rounds.iter().map(|(_, zmq)| figure(zmq))),
        ]
    };
    let per_peer = medians(|measurement| Some(measurement.memory.as_ref()?.per_peer));
    let peak = medians(|measurement| Some(measurement.memory.as_ref()?.peak));
    let restart = medians(|measurement| Some(measurement.restart?.as_secs_f64()));
    println!(
        "{peers:>10}{:>8.2}{:>14}{:>16.1}{:>8.1}{:>18}{:>8}{:>19}{:>8}{:>22}{:>8}",
        comparison.ratio,
        comparison.spread(),
        comparison.zeroless,
        comparison.baseline,
        per_peer[0],
        per_peer[1],
        peak[0],
        peak[1],
        restart[0],
        restart[1],
    );
}

fn median_of(figures: impl Iterator<Item = Option<f64>>) -> String {
    match figures.collect::<Option<Vec<f64>>>() {
        Some(figures) => format!("{:.1}", median(figures.into_iter())),
        None => "-".into(),
    }
}

/// For everything else that a process has open.
const SPARE: usize = 100;

/// Returns the numbers of peers to measure. They are smaller where the system has too few file descriptors.
fn possible(peer_counts: &[usize]) -> BTreeSet<usize> {
    let room = descriptors().saturating_sub(SPARE).max(1);
    if peer_counts.iter().any(|&peers| peers > room) {
        println!("  (the limit of file descriptors allows only {room} peers)");
    }
    peer_counts.iter().map(|&peers| peers.clamp(1, room)).collect()
}

/// Raises the limit of file descriptors as far as possible, for this process and its helpers, and returns it.
fn descriptors() -> usize {
    let (soft, hard) = or_exit(getrlimit(Resource::RLIMIT_NOFILE));
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Connects this number of peers to a new server, and lets them push this number of messages.
fn measure(library: &str, peers: usize, count: usize, restart: bool) -> Outcome<Measurement> {
    let (peers_text, count_text) = (&*peers.to_string(), &*count.to_string());
    let start_server = |endpoint| Helper::start(&["pull", library, endpoint, peers_text, count_text]);
    let mut server = start_server(TCP)?;
    let endpoint = server.read_line()?;
    thread::sleep(SETTLING);
    let before = resident(&server, "VmRSS");
    let mut pushers = start_pushers(&endpoint, peers)?;
    server.read_line()?;
    let after = resident(&server, "VmRSS");

    let start = Instant::now();
    let processes = pushers.len();
    for (index, pusher) in pushers.iter_mut().enumerate() {
        pusher.write_line(&share(count, index, processes).to_string())?;
    }
    server.read_line()?;
    let time = start.elapsed();
    let peak = resident(&server, "VmHWM");
    let memory = || {
        Some(Memory {
            per_peer: (after? - before?) / peers as f64,
            peak: peak? / 1024.0,
        })
    };
    drop(server);
    let reconnected = || {
        let start = Instant::now();
        let mut server = start_server(&endpoint)?;
        server.read_line()?;
        let connected = wait_for_connections(&server, peers);
        Outcome::Ok(connected.then(|| start.elapsed()))
    };
    Ok(Measurement {
        time,
        memory: memory(),
        restart: if restart { reconnected()? } else { None },
    })
}

/// Starts helpers whose sockets connect, and push one message each.
fn start_pushers(endpoint: &str, peers: usize) -> Outcome<Vec<Helper>> {
    // A socket takes two descriptors, and its connection takes one.
    let room = (descriptors().saturating_sub(SPARE) / 3).clamp(1, SOCKETS_PER_CONTEXT);
    let processes = peers.div_ceil(room);
    (0..processes)
        .map(|index| Helper::start(&["push", endpoint, &share(peers, index, processes).to_string()]))
        .collect()
}

/// Pushes one message with each of its sockets, and then, for each line that it reads, as many as it says, in a helper.
pub fn push(endpoint: &str, peers: usize, counts: &Receiver<String>) -> Outcome {
    let context = Context::new();
    let connect = |_| {
        let socket = context.socket(PUSH)?;
        socket.connect(endpoint)?;
        socket.send(MESSAGE[0], 0)?;
        Ok(socket)
    };
    let sockets = (0..peers).map(connect).collect::<zmq::Result<Vec<Socket>>>()?;
    for count in counts {
        for socket in sockets.iter().cycle().take(count.parse()?) {
            socket.send(MESSAGE[0], 0)?;
        }
    }
    Ok(())
}

/// Waits until a server has a connection for each peer. Returns `false` where there is no /proc.
fn wait_for_connections(server: &Helper, peers: usize) -> bool {
    let sockets = || {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", server.id())).ok()?;
        let links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.ok()?.path()).ok());
        // One of them is the socket that listens.
        Some(
            links
                .filter(|link| link.to_string_lossy().starts_with("socket:"))
                .count()
                - 1,
        )
    };
    loop {
        match sockets() {
            Some(connections) if connections >= peers => return true,
            Some(_) => thread::sleep(Duration::from_millis(10)),
            None => return false,
        }
    }
}

/// Returns a line of the status of a process, in KiB.
fn resident(helper: &Helper, line: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", helper.id())).ok()?;
    let resident = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))?;
    resident.trim().trim_end_matches(" kB").parse().ok()
}

/// Receives one message from each peer, which shows that it is connected, and then all others, in a helper.
pub fn serve(peers: usize, count: usize, mut receive: impl FnMut(usize, &mut Counter) -> Outcome) -> Outcome {
    let mut counter = Counter::new(MESSAGE);
    receive(peers, &mut counter)?;
    println!("all peers are connected");
    receive(count, &mut counter)?;
    counter.check(peers + count)?;
    println!("all messages are received");
    Ok(())
}

/// Runs it with few peers and messages, to check that it works.
pub fn smoke_test() -> Outcome {
    for library in ["zeroless", "zmq"] {
        measure(library, 2, 10, true)?;
    }
    Ok(())
}
