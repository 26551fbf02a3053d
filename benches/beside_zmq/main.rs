//! Compares zeroless with the `zmq` crate. `benches/README.md` explains how to run this and how to read the tables.
//!
//! Both crates use the same libzmq. So the difference is the cost of what zeroless adds: sockets that threads share,
//! timeouts, and closing from any thread.
//!
//! * A [`Task`](tasks::Task) is a row of the main table. It has two implementations: zeroless, and a baseline.
//! * In a round, each implementation does one [`Run`](run::Run), which takes a fraction of a second.
//!   [`alternate`](comparison::alternate) does the rounds.
//! * Some runs need other processes. [`Helper`](helper::Helper) starts this executable once more. A helper exits when
//!   this process does.

mod comparison;
mod growth;
mod helper;
#[cfg(target_os = "linux")]
mod idle;
mod instructions;
mod jobs;
mod many_peers;
mod run;
mod table;
mod tasks;
mod with_zeroless;
mod with_zmq;

use std::process;
use std::thread;
use std::time::Duration;

use run::or_exit;
use table::Row;
use tasks::TASKS;

/// How much to measure.
struct Effort {
    /// In each round, both implementations do one run.
    rounds: usize,
    /// The number of messages in a run is divided by this.
    divisor: usize,
    /// The same for the tables of growth. The runs with many peers always have the same length.
    growth_rounds: usize,
    growth_divisor: usize,
    /// How long an idle receiver is measured.
    #[cfg(target_os = "linux")]
    idle: Duration,
    /// The benchmark exits after this time, which is much more than it needs.
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
    match helper::run(&arguments) {
        Some(outcome) => or_exit(outcome),
        None => measure(&arguments),
    }
}

fn measure(arguments: &[&str]) {
    let has = |flag| arguments.contains(&flag);
    let effort = if has("--quick") { &QUICK } else { &FULL };
    thread::spawn(|| give_up_after(effort.limit));
    if let Some(option) = arguments.iter().position(|argument| *argument == "--peers") {
        let numbers = arguments[option + 1..].iter().map_while(|number| number.parse().ok());
        return many_peers::print(effort.growth_rounds, &numbers.collect::<Vec<_>>(), true);
    }
    if has("--jobs") {
        return jobs::print(effort.growth_rounds, effort.growth_divisor);
    }
    // Cargo passes `--bench` to measure. It does not pass it to test that the benchmarks work.
    if has("--bench") {
        compare(effort);
    } else {
        smoke_test();
    }
}

/// Exits after the limit. Otherwise a lost message could make a thread wait forever.
fn give_up_after(limit: Duration) {
    thread::sleep(limit);
    eprintln!("beside_zmq: not finished after {limit:?}");
    process::exit(1);
}

fn compare(effort: &Effort) {
    println!("{}", Row::heading());
    for task in &TASKS {
        println!("{}", task.row(&task.compare(effort.rounds, effort.divisor)));
    }
    #[cfg(target_os = "linux")]
    for row in idle::rows(effort.idle) {
        println!("{row}");
    }
    match instructions::rows() {
        Ok(rows) => rows.iter().for_each(|row| println!("{row}")),
        Err(reason) => println!("{reason}"),
    }
    growth::print(effort.growth_rounds, effort.growth_divisor);
    jobs::print(effort.growth_rounds, effort.growth_divisor);
    many_peers::print(effort.growth_rounds, &many_peers::PEERS, false);
}

fn smoke_test() {
    for task in &TASKS {
        task.smoke_test();
    }
    #[cfg(target_os = "linux")]
    idle::rows(Duration::ZERO);
    or_exit(instructions::smoke_test());
    growth::smoke_test();
    or_exit(jobs::smoke_test());
    or_exit(many_peers::smoke_test());
    println!("all tasks work; `cargo bench` measures them");
}
