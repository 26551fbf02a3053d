//! zeroless beside the bare `zmq` crate, in one run.
//!
//! ```text
//! cargo bench                # some minutes
//! cargo bench -- --quick     # less than one
//! ```
//!
//! Both do the same work, as a newcomer to each would write it: zeroless calls to send and iterates to receive, `zmq`
//! calls its blocking `send_multipart` and `recv_multipart`. One thread sends while another receives, or one asks and
//! another replies. Both crates sit on the same libzmq, so what shows is the price of what zeroless adds: sockets that
//! threads share, timeouts, closing from anywhere.
//!
//! `zmq` asks with a plain `REQ`. zeroless sets `REQ_RELAXED` and `REQ_CORRELATE` on its own, so that a request can be
//! repeated after a timeout, and pays for that here.
//!
//! # How to read it
//!
//! By the ratios. The other figures tell as much of the machine, and of what else it was doing; but the contestants
//! take turns of a fraction of a second, and what slows the one mostly slows the other. Each ratio is the median of the
//! ratios of all rounds, and the least and the greatest of them stand beside it, then what is wanted, the figures of
//! both contestants, and what the other contestant is:
//!
//! * `zmq`: the `zmq` crate, as above;
//! * `floor`: the least that libzmq asks for, where `zmq` receives each frame into one `zmq::Message` and copies
//!   nothing out;
//! * `one thread`, `one sender`: zeroless itself, with one thread where it has four.
//!
//! Where the ratios say that something has become slower, the instructions tell whether it is the code: `valgrind`
//! counts them, if it is there, and nothing else on the machine changes their number. Cycles, caches and the kernel are
//! not in it.
//!
//! An idle receiver is watched on Linux only, and so are the memory and the descriptors of a server.
//!
//! The tables below the main one tell what happens as something grows: the length of messages, the threads on one
//! socket, the peers of one server. The row of one thread beside one thread says how much of a ratio is chance: there
//! is nothing else in it.
//!
//! Some of the work is done by helpers: this executable, started once more. They end when it does.

mod comparison;
mod growth;
mod helper;
#[cfg(target_os = "linux")]
mod idle;
mod instructions;
mod many_peers;
mod table;
mod turn;
mod with_zeroless;
mod with_zmq;
mod works;

use std::process;
use std::thread;
use std::time::Duration;

use table::Row;
use turn::must;
use works::WORKS;

/// How much of each work to do.
struct Effort {
    /// In each, both contestants take a turn.
    rounds: usize,
    /// What the length of a turn is divided by.
    divisor: usize,
    /// The same for what grows. The turns of many peers are always as long.
    growth_rounds: usize,
    growth_divisor: usize,
    /// How long an idle receiver is watched.
    #[cfg(target_os = "linux")]
    idle: Duration,
    /// What it takes if all goes well, and much more.
    limit: Duration,
}

const FULL: Effort = Effort {
    rounds: 21,
    divisor: 1,
    growth_rounds: 7,
    growth_divisor: 1,
    #[cfg(target_os = "linux")]
    idle: Duration::from_millis(500),
    limit: Duration::from_secs(3600),
};
const QUICK: Effort = Effort {
    rounds: 5,
    divisor: 3,
    growth_rounds: 3,
    growth_divisor: 4,
    #[cfg(target_os = "linux")]
    idle: Duration::from_millis(200),
    limit: Duration::from_secs(600),
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match helper::help(&arguments) {
        Some(outcome) => must(outcome),
        None => measure(&arguments),
    }
}

fn measure(arguments: &[&str]) {
    let told = |flag| arguments.contains(&flag);
    let effort = if told("--quick") { &QUICK } else { &FULL };
    thread::spawn(|| give_up_after(effort.limit));
    // Cargo passes `--bench` to measure, but not to test that the benches run.
    if told("--bench") {
        compare(effort);
    } else {
        smoke_test();
    }
}

/// Ends the process, so that what waits for a message that was lost does not wait for ever.
fn give_up_after(limit: Duration) {
    thread::sleep(limit);
    eprintln!("beside_zmq: not done after {limit:?}");
    process::exit(1);
}

fn compare(effort: &Effort) {
    println!("{}", Row::heading());
    for work in &WORKS {
        println!("{}", work.row(&work.compare(effort.rounds, effort.divisor)));
    }
    #[cfg(target_os = "linux")]
    for row in idle::rows(effort.idle) {
        println!("{row}");
    }
    match instructions::rows() {
        Ok(rows) => rows.iter().for_each(|row| println!("{row}")),
        Err(why_not) => println!("{why_not}"),
    }
    growth::print(effort.growth_rounds, effort.growth_divisor);
    many_peers::print(effort.growth_rounds);
}

fn smoke_test() {
    for work in &WORKS {
        work.try_out();
    }
    #[cfg(target_os = "linux")]
    idle::rows(Duration::ZERO);
    must(instructions::try_out());
    growth::try_out();
    must(many_peers::try_out());
    println!("all works went through; `cargo bench` measures them");
}
