//! Gives the contestants their turns, and makes figures of how long they take.

use std::fmt::{self, Display};
use std::io::{IsTerminal, stderr};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use zeroless::Message;

use crate::contestants::{CONTESTANTS, Contestant, YARDSTICK};

pub struct Size {
    pub bytes: usize,
    /// How many messages there are in a turn: what takes some tenths of a second.
    count: usize,
}

pub const SIZES: [Size; 9] = [
    Size::new(16, 1_000_000),
    Size::new(64, 800_000),
    Size::new(256, 500_000),
    Size::new(1 << 10, 200_000),
    Size::new(4 << 10, 60_000),
    Size::new(16 << 10, 20_000),
    Size::new(64 << 10, 8_000),
    Size::new(256 << 10, 2_500),
    Size::new(1 << 20, 600),
];

impl Size {
    const fn new(bytes: usize, count: usize) -> Size {
        Size { bytes, count }
    }
}

impl Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self.bytes {
            bytes if bytes >= 1 << 20 => write!(formatter, "{} MiB", bytes >> 20),
            bytes if bytes >= 1 << 10 => write!(formatter, "{} KiB", bytes >> 10),
            bytes => write!(formatter, "{bytes} B"),
        }
    }
}

/// How much to do for each size.
pub struct Effort {
    /// In each, all contestants take a turn.
    rounds: usize,
    /// What the length of a turn is divided by.
    divisor: usize,
}

pub const FULL: Effort = Effort { rounds: 21, divisor: 1 };
pub const QUICK: Effort = Effort { rounds: 7, divisor: 4 };

/// How long a turn may take. A peer that loses a message would otherwise wait for it for ever.
const LIMIT: Duration = Duration::from_secs(60);

/// What is sent: the first bytes of this, as many as the size wants.
static BYTES: [u8; 1 << 20] = [b'0'; 1 << 20];

/// One contestant's part of a round.
#[derive(Clone, Copy)]
pub struct Turn {
    /// What to send, over and over.
    pub frame: &'static [u8],
    pub count: usize,
    contestant: Contestant,
}

impl Turn {
    /// Has two threads send and receive, after one message that shows them to be connected.
    pub fn time<Sending: Display, Receiving: Display>(
        self,
        mut send: impl FnMut() -> Result<(), Sending> + Send,
        mut receive: impl FnMut() -> Result<Message, Receiving>,
    ) -> Duration {
        let mut receive = || self.check(self.must(receive()).iter().map(Vec::len));
        self.must(send());
        receive();
        thread::scope(|scope| {
            let start = Instant::now();
            scope.spawn(|| (0..self.count).for_each(|_| self.must(send())));
            (0..self.count).for_each(|_| receive());
            start.elapsed()
        })
    }

    /// Makes sure that a message with frames of these lengths is as long as what was sent.
    pub fn check(&self, lengths: impl IntoIterator<Item = usize>) {
        if !lengths.into_iter().eq([self.frame.len()]) {
            self.fail("a message came other than it was sent");
        }
    }

    /// Ends the process on an error, on whichever thread: the other one might wait for ever for what did not happen.
    pub fn must<T>(&self, outcome: Result<T, impl Display>) -> T {
        outcome.unwrap_or_else(|error| self.fail(error))
    }

    fn fail(&self, why: impl Display) -> ! {
        show_progress("");
        eprintln!("{} with {} bytes: {why}", self.contestant.name, self.frame.len());
        process::exit(1)
    }

    /// Messages a second.
    fn throughput(self) -> f64 {
        let (done, is_done) = mpsc::channel::<()>();
        let elapsed = thread::scope(|scope| {
            scope.spawn(move || {
                if is_done.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                    self.fail(format_args!("a turn took longer than {LIMIT:?}"));
                }
            });
            let outcome = (self.contestant.push_pull)(self);
            drop(done);
            self.must(outcome)
        });
        self.count as f64 / elapsed.as_secs_f64()
    }
}

/// What the contestants reached at one size.
pub struct Row {
    pub bytes: usize,
    rounds: Vec<[f64; CONTESTANTS.len()]>,
}

impl Row {
    /// Does all rounds, after one to warm up.
    pub fn measure(size: &Size, effort: &Effort) -> Row {
        let round = |number| {
            show_progress(format_args!("{size}: round {number} of {}", effort.rounds));
            round(number, size.bytes, size.count / effort.divisor)
        };
        let rounds = (0..=effort.rounds).map(round).skip(1).collect();
        show_progress("");
        let bytes = size.bytes;
        Row { bytes, rounds }
    }

    /// What part of the yardstick's throughput each contestant reached.
    pub fn ratios(&self) -> [f64; CONTESTANTS.len()] {
        self.medians(|round, contestant| round[contestant] / round[YARDSTICK])
    }

    /// How many messages a second went through with each contestant.
    pub fn throughputs(&self) -> [f64; CONTESTANTS.len()] {
        self.medians(|round, contestant| round[contestant])
    }

    fn medians(&self, figure: impl Fn(&[f64; CONTESTANTS.len()], usize) -> f64) -> [f64; CONTESTANTS.len()] {
        std::array::from_fn(|contestant| median(self.rounds.iter().map(|round| figure(round, contestant))))
    }
}

/// Gives each contestant a turn. Who goes first rotates, so that drift favours none.
fn round(number: usize, bytes: usize, count: usize) -> [f64; CONTESTANTS.len()] {
    let mut throughputs = [0.0; CONTESTANTS.len()];
    for place in 0..CONTESTANTS.len() {
        let contestant = (number + place) % CONTESTANTS.len();
        let turn = Turn {
            frame: &BYTES[..bytes],
            count,
            contestant: CONTESTANTS[contestant],
        };
        throughputs[contestant] = turn.throughput();
    }
    throughputs
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Writes over the last line of a terminal.
fn show_progress(what: impl Display) {
    if stderr().is_terminal() {
        const CLEARED: &str = "\r\x1b[K";
        eprint!("{CLEARED}{what}");
    }
}
