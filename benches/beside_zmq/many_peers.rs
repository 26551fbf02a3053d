//! Measures a server with more and more peers.
//!
//! The server is a helper, so its memory and its file descriptors are its own. For both libraries, the peers are sockets
//! of the `zmq` crate in this process. They push in turn.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zmq::{Context, PUSH, Socket};

use crate::comparison::{Comparison, alternate, median};
use crate::helper::Helper;
use crate::run::{Counter, Outcome, or_exit};

const PEERS: [usize; 4] = [1, 10, 100, 1_000];

/// Less than the 1,023 sockets that libzmq allows in a context.
const SOCKETS_PER_CONTEXT: usize = 1_000;

const MESSAGE: &[&[u8]] = &[&[b'0'; 16]];

/// The number of messages in a run. With fewer, a thousand peers would send most of them before they reach full speed.
const COUNT: usize = 400_000;

/// How many connections the system keeps waiting for the server: all of them.
pub const BACKLOG: i32 = 1_000;

/// The time that a server gets, after it has printed its endpoint, to start waiting for peers.
const SETTLING: Duration = Duration::from_millis(20);

/// What was measured in one run.
struct Measurement {
    time: Duration,
    /// What each peer adds. `None` where there is no /proc.
    growth: Option<Usage>,
}

/// What a process uses.
struct Usage {
    kibibytes: f64,
    descriptors: f64,
}

/// Prints the table of peers.
pub fn print(rounds: usize) {
    println!("\npeers of one server that pulls, 1 frame of 16 B, TCP; KiB (resident memory) and fds are the server's");
    println!(
        "{:>10}{:>8}{:>14}{:>16}{:>8}{:>18}{:>8}{:>14}{:>8}",
        "peers", "ratio", "spread", "zeroless k/s", "zmq", "zeroless KiB/peer", "zmq", "zeroless fds", "zmq"
    );
    for peers in peer_counts() {
        let name = format!("{peers} peers");
        let measured = |library| or_exit(measure(library, peers, COUNT));
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
    println!(
        "{peers:>10}{:>8.2}{:>14}{:>16.1}{:>8.1}{:>18}{:>8}{:>14}{:>8}",
        comparison.ratio,
        comparison.spread(),
        comparison.zeroless,
        comparison.baseline,
        median_of(rounds.iter().map(|(zeroless, _)| zeroless), |usage| usage.kibibytes),
        median_of(rounds.iter().map(|(_, zmq)| zmq), |usage| usage.kibibytes),
        median_of(rounds.iter().map(|(zeroless, _)| zeroless), |usage| usage.descriptors),
        median_of(rounds.iter().map(|(_, zmq)| zmq), |usage| usage.descriptors),
    );
}

fn median_of<'a>(measurements: impl Iterator<Item = &'a Measurement>, figure: fn(&Usage) -> f64) -> String {
    let figures: Option<Vec<f64>> = measurements
        .map(|measurement| measurement.growth.as_ref().map(figure))
        .collect();
    match figures {
        Some(figures) => format!("{:.1}", median(figures.into_iter())),
        None => "-".into(),
    }
}

/// Returns the numbers of peers to measure. They are smaller where the system has too few file descriptors.
fn peer_counts() -> BTreeSet<usize> {
    /// For everything else that this process has open.
    const SPARE: u64 = 100;
    // A socket takes two descriptors, and its connection takes one.
    let room = descriptors().saturating_sub(SPARE) / 3;
    let room = usize::try_from(room).unwrap_or(usize::MAX).max(1);
    if room < PEERS[PEERS.len() - 1] {
        println!("  (the limit of file descriptors allows only {room} peers)");
    }
    PEERS.iter().map(|&peers| peers.min(room)).collect()
}

/// Raises the limit of file descriptors as far as possible, and returns it.
fn descriptors() -> u64 {
    let (soft, hard) = or_exit(getrlimit(Resource::RLIMIT_NOFILE));
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// Connects this number of peers to a new server, and lets them push this number of messages.
fn measure(library: &str, peers: usize, count: usize) -> Outcome<Measurement> {
    let mut server = Helper::start(&["pull", library, &peers.to_string(), &count.to_string()])?;
    let endpoint = server.read_line()?;
    thread::sleep(SETTLING);
    let before = Usage::read(&server);
    let sockets = connect(&endpoint, peers)?;
    server.read_line()?;
    let after = Usage::read(&server);
    let start = Instant::now();
    for socket in sockets.iter().cycle().take(count) {
        socket.send(MESSAGE[0], 0)?;
    }
    server.read_line()?;
    Ok(Measurement {
        time: start.elapsed(),
        growth: before.zip(after).map(|(before, after)| Usage {
            kibibytes: (after.kibibytes - before.kibibytes) / peers as f64,
            descriptors: (after.descriptors - before.descriptors) / peers as f64,
        }),
    })
}

/// Returns peers that have each pushed one message.
fn connect(endpoint: &str, peers: usize) -> Outcome<Vec<Socket>> {
    let mut sockets = Vec::new();
    let mut context = Context::new();
    for number in 0..peers {
        if number > 0 && number % SOCKETS_PER_CONTEXT == 0 {
            context = Context::new();
        }
        let socket = context.socket(PUSH)?;
        socket.connect(endpoint)?;
        socket.send(MESSAGE[0], 0)?;
        sockets.push(socket);
    }
    Ok(sockets)
}

impl Usage {
    fn read(helper: &Helper) -> Option<Usage> {
        let process = format!("/proc/{}", helper.id());
        let status = fs::read_to_string(format!("{process}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(Usage {
            kibibytes: resident.trim().trim_end_matches(" kB").parse().ok()?,
            descriptors: fs::read_dir(format!("{process}/fd")).ok()?.count() as f64,
        })
    }
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
        measure(library, 2, 10)?;
    }
    Ok(())
}
