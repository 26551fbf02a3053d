//! Runs the libraries in turn, and computes figures from the times.

use std::env;
use std::fmt::Display;
use std::io::{BufRead, BufReader, IsTerminal, Lines, stderr};
use std::process::{Child, ChildStdout, Command, Stdio};

use peers::Outcome;

/// The libraries, as the tables name them. Their executables are called `with_` and this name.
pub const LIBRARIES: [&str; 4] = ["zeroless", "zmq", "zeromq", "rzmq"];
const ZEROLESS: usize = 0;
/// The library that all others are compared with.
pub const BASELINE: usize = 1;
/// The libraries that share no code with zeroless.
const OTHERS: [usize; 2] = [2, 3];

/// The sizes of a message in bytes.
pub const SIZES: [usize; 9] = [16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];

pub fn label(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}

/// What the libraries do.
#[derive(Clone, Copy, PartialEq)]
pub enum Work {
    OneProcess,
    TwoProcesses,
    RoundTrips,
}

impl Work {
    pub fn title(self) -> &'static str {
        match self {
            Work::OneProcess => "push/pull over TCP in one process: higher is better",
            Work::TwoProcesses => "push/pull over TCP between two processes: higher is better",
            Work::RoundTrips => "round trips over TCP between two processes: lower is better",
        }
    }

    pub fn unit(self) -> &'static str {
        match self {
            Work::OneProcess | Work::TwoProcesses => "k messages/s",
            Work::RoundTrips => "µs a round trip",
        }
    }

    /// The number of messages in a run, which takes some tenths of a second.
    fn count(self, bytes: usize) -> usize {
        match self {
            Work::OneProcess | Work::TwoProcesses => (200 << 20) / (bytes + 500),
            Work::RoundTrips => 60_000_000 / (bytes + 30_000),
        }
    }

    fn figure(self, seconds: f64, count: usize) -> f64 {
        match self {
            Work::OneProcess | Work::TwoProcesses => count as f64 / seconds / 1e3,
            Work::RoundTrips => seconds / count as f64 * 1e6,
        }
    }

    /// Does one run of a library, and returns how long it took.
    fn run(self, library: &str, bytes: usize, count: usize) -> Outcome<f64> {
        let (bytes, count) = (&*bytes.to_string(), &*count.to_string());
        let start = |role: &[&str]| Process::start(library, role);
        let mut timed;
        // Dropping the other side ends its process, after the timed one has received everything.
        let _other;
        match self {
            Work::OneProcess => timed = start(&["both", bytes, count])?,
            Work::TwoProcesses => {
                timed = start(&["pull", bytes, count])?;
                _other = start(&["push", bytes, count, &timed.read_line()?])?;
            }
            Work::RoundTrips => {
                let mut server = start(&["reply", bytes, count])?;
                timed = start(&["request", bytes, count, &server.read_line()?])?;
                _other = server;
            }
        }
        Ok(timed.read_line()?.parse()?)
    }
}

/// How much to measure for each size.
pub struct Effort {
    /// In each round, all libraries do one run.
    rounds: usize,
    /// The number of messages in a run is divided by this.
    divisor: usize,
}

pub const FULL: Effort = Effort { rounds: 11, divisor: 1 };
pub const QUICK: Effort = Effort { rounds: 5, divisor: 8 };

/// The executable of a library, as it runs.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(library: &str, role: &[&str]) -> Outcome<Process> {
        let executable = env::current_exe()?.with_file_name(format!("with_{library}"));
        let mut child = Command::new(&executable)
            .args(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}; build all executables", executable.display()))?;
        let output = child.stdout.take().ok_or("an executable has no standard output")?;
        let lines = BufReader::new(output).lines();
        Ok(Process { child, lines })
    }

    fn read_line(&mut self) -> Outcome<String> {
        Ok(self.lines.next().ok_or("an executable ended too early")??)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has nothing to save. If these calls fail, it has exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the libraries reached with one size.
pub struct Row {
    pub bytes: usize,
    work: Work,
    rounds: Vec<[f64; LIBRARIES.len()]>,
}

impl Row {
    /// Does all rounds, after one to warm up.
    pub fn measure(work: Work, bytes: usize, effort: &Effort) -> Outcome<Row> {
        let count = (work.count(bytes) / effort.divisor).max(1);
        let mut rounds = Vec::new();
        for number in 0..=effort.rounds {
            show_progress(format_args!("{}: round {number} of {}", label(bytes), effort.rounds));
            rounds.push(round(number, work, bytes, count)?);
        }
        show_progress("");
        rounds.remove(0);
        Ok(Row { bytes, work, rounds })
    }

    /// Returns the figure of each library, divided by that of the baseline.
    pub fn ratios(&self) -> [f64; LIBRARIES.len()] {
        self.medians(|round, library| round[library] / round[BASELINE])
    }

    pub fn figures(&self) -> [f64; LIBRARIES.len()] {
        self.medians(|round, library| round[library])
    }

    /// Returns the figure of zeroless, divided by that of the best library that is not built on libzmq.
    pub fn ratio_to_best(&self) -> f64 {
        let ratios = OTHERS.map(|other| median(self.rounds.iter().map(|round| round[ZEROLESS] / round[other])));
        match self.work {
            Work::RoundTrips => ratios.into_iter().fold(0.0, f64::max),
            Work::OneProcess | Work::TwoProcesses => ratios.into_iter().fold(f64::INFINITY, f64::min),
        }
    }

    fn medians(&self, figure: impl Fn(&[f64; LIBRARIES.len()], usize) -> f64) -> [f64; LIBRARIES.len()] {
        std::array::from_fn(|library| median(self.rounds.iter().map(|round| figure(round, library))))
    }
}

/// Runs each library once. The library that runs first rotates, so that drift does not favour any of them.
fn round(number: usize, work: Work, bytes: usize, count: usize) -> Outcome<[f64; LIBRARIES.len()]> {
    let mut figures = [0.0; LIBRARIES.len()];
    for place in 0..LIBRARIES.len() {
        let library = (number + place) % LIBRARIES.len();
        figures[library] = work.figure(work.run(LIBRARIES[library], bytes, count)?, count);
    }
    Ok(figures)
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
