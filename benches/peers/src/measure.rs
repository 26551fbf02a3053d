//! Runs the libraries in turn, and computes figures from the times.

use std::fmt::{self, Display};
use std::io::{IsTerminal, stderr};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use zeroless::Message;

use crate::libraries::{BASELINE, LIBRARIES, Library};

pub struct Size {
    pub bytes: usize,
    /// The number of messages in a run. A run takes some tenths of a second.
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

/// How much to measure for each size.
pub struct Effort {
    /// In each round, all libraries do one run.
    rounds: usize,
    /// The number of messages in a run is divided by this.
    divisor: usize,
}

pub const FULL: Effort = Effort { rounds: 21, divisor: 1 };
pub const QUICK: Effort = Effort { rounds: 7, divisor: 4 };

/// The longest time for a run. Without it, a library that loses a message would wait for it forever.
const LIMIT: Duration = Duration::from_secs(60);

/// The bytes to send. A frame of a given size consists of the first bytes of this array.
static BYTES: [u8; 1 << 20] = [b'0'; 1 << 20];

/// What a library has to do in one run.
#[derive(Clone, Copy)]
pub struct Run {
    /// The frame that is sent again and again.
    pub frame: &'static [u8],
    pub count: usize,
    library: Library,
}

impl Run {
    /// Times two threads that send and receive, after a first message that shows that they are connected.
    pub fn time<Sending: Display, Receiving: Display>(
        self,
        mut send: impl FnMut() -> Result<(), Sending> + Send,
        mut receive: impl FnMut() -> Result<Message, Receiving>,
    ) -> Duration {
        let mut receive = || self.check(self.or_exit(receive()).iter().map(Vec::len));
        self.or_exit(send());
        receive();
        thread::scope(|scope| {
            let start = Instant::now();
            scope.spawn(|| (0..self.count).for_each(|_| self.or_exit(send())));
            (0..self.count).for_each(|_| receive());
            start.elapsed()
        })
    }

    /// Checks that the lengths of the frames of a message are those of the message that was sent.
    pub fn check(&self, lengths: impl IntoIterator<Item = usize>) {
        if !lengths.into_iter().eq([self.frame.len()]) {
            self.fail("a message arrived with frames of the wrong length");
        }
    }

    /// Exits on an error, on any thread. Otherwise another thread could wait forever for a message that was not sent.
    pub fn or_exit<T>(&self, outcome: Result<T, impl Display>) -> T {
        outcome.unwrap_or_else(|error| self.fail(error))
    }

    fn fail(&self, reason: impl Display) -> ! {
        show_progress("");
        eprintln!("{} with {} bytes: {reason}", self.library.name, self.frame.len());
        process::exit(1)
    }

    /// Does the run, and returns the messages a second.
    fn throughput(self) -> f64 {
        let (done, is_done) = mpsc::channel::<()>();
        let elapsed = thread::scope(|scope| {
            scope.spawn(move || {
                if is_done.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                    self.fail(format_args!("a run took longer than {LIMIT:?}"));
                }
            });
            let outcome = (self.library.push_pull)(self);
            drop(done);
            self.or_exit(outcome)
        });
        self.count as f64 / elapsed.as_secs_f64()
    }
}

/// What the libraries reached with one size.
pub struct Row {
    pub bytes: usize,
    rounds: Vec<[f64; LIBRARIES.len()]>,
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

    /// Returns the throughput of each library, divided by that of the baseline.
    pub fn ratios(&self) -> [f64; LIBRARIES.len()] {
        self.medians(|round, library| round[library] / round[BASELINE])
    }

    /// Returns the messages a second of each library.
    pub fn throughputs(&self) -> [f64; LIBRARIES.len()] {
        self.medians(|round, library| round[library])
    }

    fn medians(&self, figure: impl Fn(&[f64; LIBRARIES.len()], usize) -> f64) -> [f64; LIBRARIES.len()] {
        std::array::from_fn(|library| median(self.rounds.iter().map(|round| figure(round, library))))
    }
}

/// Runs each library once. The library that runs first rotates, so that drift does not favour any of them.
fn round(number: usize, bytes: usize, count: usize) -> [f64; LIBRARIES.len()] {
    let mut throughputs = [0.0; LIBRARIES.len()];
    for place in 0..LIBRARIES.len() {
        let library = (number + place) % LIBRARIES.len();
        let run = Run {
            frame: &BYTES[..bytes],
            count,
            library: LIBRARIES[library],
        };
        throughputs[library] = run.throughput();
    }
    throughputs
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Overwrites the last line of a terminal.
fn show_progress(progress: impl Display) {
    if stderr().is_terminal() {
        const CLEARED: &str = "\r\x1b[K";
        eprint!("{CLEARED}{progress}");
    }
}
