//! What happens as more peers connect to one server.
//!
//! The server is a helper: its memory and its descriptors are its own, and fresh. The peers are sockets of the bare
//! `zmq` crate in this process, for both contestants alike, and push in turn.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zmq::{Context, PUSH, Socket};

use crate::comparison::{Comparison, alternate, median};
use crate::helper::Helper;
use crate::turn::{Outcome, Tally, must};

const PEERS: [usize; 4] = [1, 10, 100, 1_000];

/// As many sockets as libzmq has in a context, 1,023, are more than this.
const SOCKETS_A_CONTEXT: usize = 1_000;

const MESSAGE: &[&[u8]] = &[&[b'0'; 16]];

/// How many messages there are in a turn. Of fewer, a thousand peers would have sent most before they are up to speed.
const COUNT: usize = 400_000;

/// For how many connections the server is to let the system wait: all of them.
pub const BACKLOG: i32 = 1_000;

/// How long a server may take from saying where it is to waiting for peers.
const SETTLING: Duration = Duration::from_millis(20);

/// What a server has come to.
struct Load {
    time: Duration,
    /// For each peer. Nothing where there is no /proc.
    growth: Option<Usage>,
}

/// What a process uses.
struct Usage {
    kibibytes: f64,
    descriptors: f64,
}

/// Prints the table of peers.
pub fn print(rounds: usize) {
    println!("\npeers of one pulling server, 1 frame of 16 B, TCP; memory (resident) and descriptors are the server's");
    println!(
        "{:>10}{:>8}{:>14}{:>16}{:>8}{:>18}{:>8}{:>14}{:>8}",
        "peers", "ratio", "spread", "zeroless k/s", "zmq", "zeroless KiB/peer", "zmq", "zeroless fds", "zmq"
    );
    for peers in as_many_as_fit() {
        let name = format!("{peers} peers");
        let reached = |contestant| must(load(contestant, peers, COUNT));
        let rounds = alternate(&name, rounds, || reached("zeroless"), || reached("zmq"));
        print_row(peers, &rounds);
    }
}

fn print_row(peers: usize, rounds: &[(Load, Load)]) {
    let rate = |load: &Load| COUNT as f64 / load.time.as_secs_f64() / 1e3;
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
        comparison.other,
        typical(rounds.iter().map(|(zeroless, _)| zeroless), |usage| usage.kibibytes),
        typical(rounds.iter().map(|(_, zmq)| zmq), |usage| usage.kibibytes),
        typical(rounds.iter().map(|(zeroless, _)| zeroless), |usage| usage.descriptors),
        typical(rounds.iter().map(|(_, zmq)| zmq), |usage| usage.descriptors),
    );
}

fn typical<'a>(loads: impl Iterator<Item = &'a Load>, figure: fn(&Usage) -> f64) -> String {
    let figures: Option<Vec<f64>> = loads.map(|load| load.growth.as_ref().map(figure)).collect();
    match figures {
        Some(figures) => format!("{:.1}", median(figures.into_iter())),
        None => "-".into(),
    }
}

/// How many peers to connect: fewer, where the system has not enough descriptors for them.
fn as_many_as_fit() -> BTreeSet<usize> {
    /// For what else this process has open.
    const SPARE: u64 = 100;
    // A socket takes two and its connection one.
    let room = descriptors().saturating_sub(SPARE) / 3;
    let room = usize::try_from(room).unwrap_or(usize::MAX).max(1);
    if room < PEERS[PEERS.len() - 1] {
        println!("  (the limit of file descriptors leaves room for no more than {room} peers)");
    }
    PEERS.iter().map(|&peers| peers.min(room)).collect()
}

/// Has the system allow as many descriptors as it may, and returns how many.
fn descriptors() -> u64 {
    let (soft, hard) = must(getrlimit(Resource::RLIMIT_NOFILE));
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// Connects so many peers to a new server, and has them push so many messages.
fn load(contestant: &str, peers: usize, count: usize) -> Outcome<Load> {
    let mut server = Helper::start(&["pull", contestant, &peers.to_string(), &count.to_string()])?;
    let endpoint = server.said()?;
    thread::sleep(SETTLING);
    let before = Usage::read(&server);
    let sockets = connect(&endpoint, peers)?;
    server.said()?;
    let after = Usage::read(&server);
    let start = Instant::now();
    for socket in sockets.iter().cycle().take(count) {
        socket.send(MESSAGE[0], 0)?;
    }
    server.said()?;
    Ok(Load {
        time: start.elapsed(),
        growth: before.zip(after).map(|(before, after)| Usage {
            kibibytes: (after.kibibytes - before.kibibytes) / peers as f64,
            descriptors: (after.descriptors - before.descriptors) / peers as f64,
        }),
    })
}

/// Peers that have each pushed one message.
fn connect(endpoint: &str, peers: usize) -> Outcome<Vec<Socket>> {
    let mut sockets = Vec::new();
    let mut context = Context::new();
    for number in 0..peers {
        if number > 0 && number % SOCKETS_A_CONTEXT == 0 {
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

/// Receives one message of each peer, to know that they are connected, and then all the others, as a helper.
pub fn serve(peers: usize, count: usize, mut receive: impl FnMut(usize, &mut Tally) -> Outcome) -> Outcome {
    let mut tally = Tally::new(MESSAGE);
    receive(peers, &mut tally)?;
    println!("all are connected");
    receive(count, &mut tally)?;
    tally.check(peers + count)?;
    println!("all was received");
    Ok(())
}

/// Goes through it with few peers and messages, to see that it can be done.
pub fn try_out() -> Outcome {
    for contestant in ["zeroless", "zmq"] {
        load(contestant, 2, 10)?;
    }
    Ok(())
}
