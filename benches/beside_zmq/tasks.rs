//! The tasks of the main table.

use std::time::Duration;

use crate::comparison::{Comparison, alternate};
use crate::run::{INPROC, Implementation, Run, TCP, or_exit};
use crate::table::Row;
use crate::{with_zeroless, with_zmq};

#[derive(Clone, Copy)]
pub struct Task {
    pub name: &'static str,
    pub measure: Measure,
    /// The ratio to reach: at least this for throughput, at most this for round trips.
    pub goal: f64,
    pub zeroless: Implementation,
    pub baseline: Implementation,
    /// What zeroless is compared with.
    pub baseline_is: &'static str,
    pub endpoint: &'static str,
    /// The number of frames in a message, and the length of each frame.
    pub frames: usize,
    pub bytes: usize,
    /// The number of messages, or of round trips, in a run. A run takes some tenths of a second.
    pub count: usize,
}

/// The simplest task. The others state only their differences.
pub const PLAIN: Task = Task {
    name: "iterate and call, 1 frame of 16 B, TCP",
    measure: Measure::Throughput,
    goal: 1.00,
    zeroless: with_zeroless::iterate,
    baseline: with_zmq::multipart,
    baseline_is: "zmq",
    endpoint: TCP,
    frames: 1,
    bytes: 16,
    count: 1_000_000,
};

pub const TASKS: [Task; 14] = [
    PLAIN,
    Task {
        name: "iterate and call, 1 frame of 16 B, inproc",
        endpoint: INPROC,
        ..PLAIN
    },
    Task {
        name: "iterate and call, 3 frames of 16 B, TCP",
        goal: 1.15,
        frames: 3,
        count: 400_000,
        ..PLAIN
    },
    Task {
        name: "iterate and call, 3 frames of 16 B, inproc",
        goal: 1.15,
        endpoint: INPROC,
        frames: 3,
        count: 400_000,
        ..PLAIN
    },
    Task {
        name: "iterate and call, 1 frame of 1 KiB, TCP",
        bytes: 1 << 10,
        count: 200_000,
        ..PLAIN
    },
    Task {
        name: "iterate and call, 1 frame of 1 MiB, TCP",
        bytes: 1 << 20,
        count: 600,
        ..PLAIN
    },
    Task {
        name: "recv_into, 1 frame of 16 B, TCP",
        goal: 0.97,
        zeroless: with_zeroless::recv_into,
        baseline: with_zmq::minimum,
        baseline_is: "minimum",
        ..PLAIN
    },
    Task {
        name: "frames(), 1 frame of 1 MiB, TCP",
        goal: 0.97,
        zeroless: with_zeroless::frames,
        baseline: with_zmq::minimum,
        baseline_is: "minimum",
        bytes: 1 << 20,
        count: 600,
        ..PLAIN
    },
    Task {
        name: "request and reply, 16 B, one process",
        measure: Measure::RoundTrip,
        zeroless: with_zeroless::round_trips,
        baseline: with_zmq::round_trips,
        count: 5_000,
        ..PLAIN
    },
    Task {
        name: "request and reply, 16 B, two processes",
        measure: Measure::RoundTrip,
        zeroless: with_zeroless::round_trips_between_processes,
        baseline: with_zmq::round_trips_between_processes,
        count: 5_000,
        ..PLAIN
    },
    Task {
        name: "four threads on one &Receiver, 16 B, TCP",
        goal: 0.90,
        zeroless: with_zeroless::receivers::<4>,
        baseline: with_zeroless::receivers::<1>,
        baseline_is: "one thread",
        ..PLAIN
    },
    Task {
        name: "four cloned senders, 16 B, TCP",
        goal: 0.90,
        zeroless: with_zeroless::senders::<4>,
        baseline: with_zeroless::senders::<1>,
        baseline_is: "one sender",
        ..PLAIN
    },
    Task {
        name: "call and serve, 16 B, one process",
        measure: Measure::RoundTrip,
        goal: 1.05,
        zeroless: with_zeroless::calls::<1>,
        baseline: with_zeroless::round_trips,
        baseline_is: "request",
        count: 5_000,
        ..PLAIN
    },
    Task {
        name: "eight threads call over one Caller, 16 B",
        measure: Measure::Calls,
        goal: 3.00,
        zeroless: with_zeroless::calls::<8>,
        baseline: with_zeroless::calls::<1>,
        baseline_is: "one thread",
        count: 10_000,
        ..PLAIN
    },
];

impl Task {
    /// Compares the implementations in this number of rounds. The number of messages in a run is
    /// divided by `divisor`.
    pub fn compare(&self, rounds: usize, divisor: usize) -> Comparison {
        let count = (self.count / divisor).max(1);
        let reached = |implementation| self.measure.figure(self.run(implementation, count), count);
        Comparison::of(&alternate(
            self.name,
            rounds,
            || reached(self.zeroless),
            || reached(self.baseline),
        ))
    }

    /// Runs the task once, with few messages, to check that it works.
    pub fn smoke_test(&self) {
        for implementation in [self.zeroless, self.baseline] {
            self.run(implementation, self.count.min(10));
        }
    }

    fn run(&self, implementation: Implementation, count: usize) -> Duration {
        let frame = vec![b'0'; self.bytes];
        or_exit(implementation(Run {
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
            goal: self.measure.goal(self.goal),
            zeroless: rounded(comparison.zeroless),
            baseline: rounded(comparison.baseline),
            unit: self.measure.unit(),
            baseline_is: self.baseline_is,
        }
    }
}

/// Formats a figure with enough digits to compare it with similar figures.
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
    Calls,
    RoundTrip,
}

impl Measure {
    fn figure(self, time: Duration, count: usize) -> f64 {
        match self {
            Measure::Throughput | Measure::Calls => count as f64 / time.as_secs_f64() / 1e3,
            Measure::RoundTrip => time.as_secs_f64() * 1e6 / count as f64,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Measure::Throughput => "k messages/s",
            Measure::Calls => "k calls/s",
            Measure::RoundTrip => "µs a round trip",
        }
    }

    fn goal(self, ratio: f64) -> String {
        match self {
            Measure::Throughput | Measure::Calls => format!(">= {ratio:.2}"),
            Measure::RoundTrip => format!("<= {ratio:.2}"),
        }
    }
}
