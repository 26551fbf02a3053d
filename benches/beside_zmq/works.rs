//! The table of works: what the contestants are compared at.

use std::time::Duration;

use crate::comparison::{Comparison, alternate};
use crate::table::Row;
use crate::turn::{Contestant, INPROC, TCP, Turn, must};
use crate::{with_zeroless, with_zmq};

#[derive(Clone, Copy)]
pub struct Work {
    pub name: &'static str,
    pub measure: Measure,
    /// The ratio that is: at least it for throughput, at most it for round trips.
    pub wanted: f64,
    pub zeroless: Contestant,
    pub other: Contestant,
    /// What zeroless is compared with.
    pub other_is: &'static str,
    pub endpoint: &'static str,
    /// How many frames a message has, and how long each of them is.
    pub frames: usize,
    pub bytes: usize,
    /// How many messages, or round trips, there are in a turn: what takes some tenths of a second.
    pub count: usize,
}

/// The plainest work, of which the others say only where they differ.
pub const PLAIN: Work = Work {
    name: "iterate and call, 1 frame of 16 B, TCP",
    measure: Measure::Throughput,
    wanted: 1.00,
    zeroless: with_zeroless::iterate,
    other: with_zmq::multipart,
    other_is: "zmq",
    endpoint: TCP,
    frames: 1,
    bytes: 16,
    count: 1_000_000,
};

pub const WORKS: [Work; 12] = [
    PLAIN,
    Work {
        name: "iterate and call, 1 frame of 16 B, inproc",
        endpoint: INPROC,
        ..PLAIN
    },
    Work {
        name: "iterate and call, 3 frames of 16 B, TCP",
        wanted: 1.15,
        frames: 3,
        count: 400_000,
        ..PLAIN
    },
    Work {
        name: "iterate and call, 3 frames of 16 B, inproc",
        wanted: 1.15,
        endpoint: INPROC,
        frames: 3,
        count: 400_000,
        ..PLAIN
    },
    Work {
        name: "iterate and call, 1 frame of 1 KiB, TCP",
        bytes: 1 << 10,
        count: 200_000,
        ..PLAIN
    },
    Work {
        name: "iterate and call, 1 frame of 1 MiB, TCP",
        bytes: 1 << 20,
        count: 600,
        ..PLAIN
    },
    Work {
        name: "recv_into, 1 frame of 16 B, TCP",
        wanted: 0.97,
        zeroless: with_zeroless::recv_into,
        other: with_zmq::floor,
        other_is: "floor",
        ..PLAIN
    },
    Work {
        name: "frames(), 1 frame of 1 MiB, TCP",
        wanted: 0.97,
        zeroless: with_zeroless::frames,
        other: with_zmq::floor,
        other_is: "floor",
        bytes: 1 << 20,
        count: 600,
        ..PLAIN
    },
    Work {
        name: "request and reply, 16 B, one process",
        measure: Measure::RoundTrip,
        zeroless: with_zeroless::round_trips,
        other: with_zmq::round_trips,
        count: 5_000,
        ..PLAIN
    },
    Work {
        name: "request and reply, 16 B, two processes",
        measure: Measure::RoundTrip,
        zeroless: with_zeroless::round_trips_between_processes,
        other: with_zmq::round_trips_between_processes,
        count: 5_000,
        ..PLAIN
    },
    Work {
        name: "four threads on one &Receiver, 16 B, TCP",
        wanted: 0.90,
        zeroless: with_zeroless::receivers::<4>,
        other: with_zeroless::receivers::<1>,
        other_is: "one thread",
        ..PLAIN
    },
    Work {
        name: "four cloned senders, 16 B, TCP",
        wanted: 0.90,
        zeroless: with_zeroless::senders::<4>,
        other: with_zeroless::senders::<1>,
        other_is: "one sender",
        ..PLAIN
    },
];

impl Work {
    /// Compares in so many rounds, with turns that are so many times shorter.
    pub fn compare(&self, rounds: usize, divisor: usize) -> Comparison {
        let count = (self.count / divisor).max(1);
        let reached = |contestant| self.measure.figure(self.take_turn(contestant, count), count);
        Comparison::of(&alternate(
            self.name,
            rounds,
            || reached(self.zeroless),
            || reached(self.other),
        ))
    }

    /// Goes through the work once, if that is few messages, to see that it can be done.
    pub fn try_out(&self) {
        for contestant in [self.zeroless, self.other] {
            self.take_turn(contestant, self.count.min(10));
        }
    }

    fn take_turn(&self, contestant: Contestant, count: usize) -> Duration {
        let frame = vec![b'0'; self.bytes];
        must(contestant(Turn {
            endpoint: self.endpoint,
            message: &vec![frame.as_slice(); self.frames],
            count,
        }))
    }

    pub fn row(&self, comparison: &Comparison) -> Row {
        Row {
            name: self.name.into(),
            ratio: format!("{:.2}", comparison.ratio),
            spread: comparison.spread(),
            wanted: self.measure.wanted(self.wanted),
            zeroless: rounded(comparison.zeroless),
            other: rounded(comparison.other),
            unit: self.measure.unit(),
            other_is: self.other_is,
        }
    }
}

/// A figure, with as many places as tell it from others that are alike.
pub fn rounded(figure: f64) -> String {
    let places = match figure {
        ..10.0 => 3,
        10.0..10_000.0 => 1,
        _ => 0,
    };
    format!("{figure:.places$}")
}

#[derive(Clone, Copy)]
pub enum Measure {
    Throughput,
    RoundTrip,
}

impl Measure {
    fn figure(self, time: Duration, count: usize) -> f64 {
        match self {
            Measure::Throughput => count as f64 / time.as_secs_f64() / 1e3,
            Measure::RoundTrip => time.as_secs_f64() * 1e6 / count as f64,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Measure::Throughput => "k messages/s",
            Measure::RoundTrip => "µs a round trip",
        }
    }

    fn wanted(self, ratio: f64) -> String {
        match self {
            Measure::Throughput => format!(">= {ratio:.2}"),
            Measure::RoundTrip => format!("<= {ratio:.2}"),
        }
    }
}
