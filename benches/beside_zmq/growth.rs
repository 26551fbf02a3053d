//! Measures longer messages, and more threads on one socket.

use crate::run::Implementation;
use crate::tasks::{PLAIN, Task, rounded};
use crate::with_zeroless;

/// The length of the frame of a message, its name in the table, and the number of messages in a run.
const SIZES: [(usize, &str, usize); 5] = [
    (1, "1 B", 1_000_000),
    (100, "100 B", 600_000),
    (10_000, "10 kB", 60_000),
    (1_000_000, "1 MB", 600),
    (100_000_000, "100 MB", 8),
];

type Threads = (usize, Implementation, Implementation);

/// The number of threads, and the implementations that receive and send with them.
const THREADS: [Threads; 5] = [
    threads::<1>(),
    threads::<2>(),
    threads::<4>(),
    threads::<8>(),
    threads::<16>(),
];

const fn threads<const COUNT: usize>() -> Threads {
    (
        COUNT,
        with_zeroless::receivers::<COUNT>,
        with_zeroless::senders::<COUNT>,
    )
}

/// Prints the tables of sizes and of threads.
pub fn print(rounds: usize, divisor: usize) {
    print_sizes(rounds, divisor);
    print_threads(rounds, divisor);
}

fn print_sizes(rounds: usize, divisor: usize) {
    println!("\niterate and call, compared with zmq, 1 frame, TCP");
    println!(
        "{:>10}{:>8}{:>14}{:>13}{:>8}{:>13}{:>8}",
        "size", "ratio", "spread", "zeroless /s", "MB/s", "zmq /s", "MB/s"
    );
    for (bytes, name, count) in SIZES {
        let comparison = size(bytes, name, count).compare(rounds, divisor);
        let megabytes = |thousands: f64| thousands * 1e3 * bytes as f64 / 1e6;
        println!(
            "{name:>10}{:>8.2}{:>14}{:>13}{:>8.0}{:>13}{:>8.0}",
            comparison.ratio,
            comparison.spread(),
            rounded(comparison.zeroless * 1e3),
            megabytes(comparison.zeroless),
            rounded(comparison.baseline * 1e3),
            megabytes(comparison.baseline),
        );
    }
}

fn size(bytes: usize, name: &'static str, count: usize) -> Task {
    Task {
        name,
        bytes,
        count,
        ..PLAIN
    }
}

fn print_threads(rounds: usize, divisor: usize) {
    println!("\nthreads on one socket, compared with one thread, 1 frame of 16 B, TCP");
    println!(
        "{:>10}{:>12}{:>14}{:>10}{:>14}{:>14}{:>10}",
        "threads", "receiving", "spread", "k/s", "sending", "spread", "k/s"
    );
    for (count, receivers, senders) in THREADS {
        let [receiving, sending] = [
            shared("receiving threads", receivers, with_zeroless::receivers::<1>),
            shared("sending threads", senders, with_zeroless::senders::<1>),
        ]
        .map(|task| task.compare(rounds, divisor));
        println!(
            "{count:>10}{:>12.2}{:>14}{:>10.1}{:>14.2}{:>14}{:>10.1}",
            receiving.ratio,
            receiving.spread(),
            receiving.zeroless,
            sending.ratio,
            sending.spread(),
            sending.zeroless,
        );
    }
}

fn shared(name: &'static str, many: Implementation, one: Implementation) -> Task {
    Task {
        name,
        zeroless: many,
        baseline: one,
        ..PLAIN
    }
}

/// Runs all of it with few messages, to check that it works.
pub fn smoke_test() {
    for (bytes, name, _) in SIZES {
        size(bytes, name, 1).smoke_test();
    }
    for (_, receivers, senders) in THREADS {
        shared("threads", receivers, senders).smoke_test();
    }
}
