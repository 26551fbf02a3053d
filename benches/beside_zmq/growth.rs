//! What happens as messages get longer, and threads more.

use crate::turn::Contestant;
use crate::with_zeroless;
use crate::works::{PLAIN, Work, rounded};

/// How long the frame of a message is, what to call that, and how many messages there are in a turn.
const SIZES: [(usize, &str, usize); 5] = [
    (1, "1 B", 1_000_000),
    (100, "100 B", 600_000),
    (10_000, "10 kB", 60_000),
    (1_000_000, "1 MB", 600),
    (100_000_000, "100 MB", 8),
];

type Threads = (usize, Contestant, Contestant);

/// How many threads there are, who receives with as many, and who sends.
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
    println!("\niterate and call beside zmq, 1 frame, TCP");
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
            rounded(comparison.other * 1e3),
            megabytes(comparison.other),
        );
    }
}

fn size(bytes: usize, name: &'static str, count: usize) -> Work {
    Work {
        name,
        bytes,
        count,
        ..PLAIN
    }
}

fn print_threads(rounds: usize, divisor: usize) {
    println!("\nthreads on one socket beside one thread, 1 frame of 16 B, TCP");
    println!(
        "{:>10}{:>12}{:>14}{:>10}{:>14}{:>14}{:>10}",
        "threads", "receiving", "spread", "k/s", "sending", "spread", "k/s"
    );
    for (count, receivers, senders) in THREADS {
        let [receiving, sending] = [
            shared("receiving threads", receivers, with_zeroless::receivers::<1>),
            shared("sending threads", senders, with_zeroless::senders::<1>),
        ]
        .map(|work| work.compare(rounds, divisor));
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

fn shared(name: &'static str, many: Contestant, one: Contestant) -> Work {
    Work {
        name,
        zeroless: many,
        other: one,
        ..PLAIN
    }
}

/// Goes through all of it with few messages, to see that it can be done.
pub fn try_out() {
    for (bytes, name, _) in SIZES {
        size(bytes, name, 1).try_out();
    }
    for (_, receivers, senders) in THREADS {
        shared("threads", receivers, senders).try_out();
    }
}
