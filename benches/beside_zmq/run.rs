//! One run of a task, and how long it takes.

use std::error::Error;
use std::fmt::Display;
use std::hint::black_box;
use std::process;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// An implementation of a task. It does one run and returns how long that took.
pub type Implementation = fn(Run) -> Outcome<Duration>;

/// Any free port on the loopback interface. A client of another program that has lost its server tries the server's port
/// at 127.0.0.1 again and again, and the benchmark could get that port. Linux has more addresses for this machine.
#[cfg(target_os = "linux")]
pub const TCP: &str = "tcp://127.0.0.9:*";
#[cfg(not(target_os = "linux"))]
pub const TCP: &str = "tcp://127.0.0.1:*";

/// A name for the threads of this process.
pub const INPROC: &str = "inproc://beside_zmq";

/// What an implementation has to do in one run.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The endpoint that the server binds.
    pub endpoint: &'static str,
    /// The message that is sent again and again.
    pub message: &'a [&'a [u8]],
    pub count: usize,
}

impl<'a> Run<'a> {
    /// Lets two threads send and receive one message, which shows that they are connected, and then times all others.
    ///
    /// Each side gets the number of messages as an argument. The timed side counts what it receives.
    pub fn time(
        self,
        timed: impl FnMut(usize, &mut Counter) -> Outcome,
        mut untimed: impl FnMut(usize) -> Outcome + Send,
    ) -> Duration {
        let connected = &Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(move || {
                or_exit(untimed(1));
                connected.wait();
                or_exit(untimed(self.count));
            });
            self.time_one_side(timed, || _ = connected.wait())
        })
    }

    /// Times one side, while the other side runs in another thread or process. Calls `connected` before it starts the
    /// clock.
    pub fn time_one_side(
        self,
        mut timed: impl FnMut(usize, &mut Counter) -> Outcome,
        connected: impl FnOnce(),
    ) -> Duration {
        let mut counter = Counter::new(self.message);
        or_exit(timed(1, &mut counter));
        connected();
        let start = Instant::now();
        or_exit(timed(self.count, &mut counter));
        let elapsed = start.elapsed();
        or_exit(counter.check(1 + self.count));
        elapsed
    }
}

/// Counts the messages that arrive, and checks that their frames are as long as those that were sent.
pub struct Counter<'a> {
    expected: &'a [&'a [u8]],
    received: usize,
}

impl<'a> Counter<'a> {
    pub fn new(expected: &'a [&'a [u8]]) -> Counter<'a> {
        Counter { expected, received: 0 }
    }

    pub fn add<F: AsRef<[u8]>>(&mut self, message: &[F]) -> Outcome {
        let lengths = black_box(message).iter().map(|frame| frame.as_ref().len());
        if !lengths.eq(self.expected.iter().map(|frame| frame.len())) {
            return Err("a message arrived with frames of the wrong length".into());
        }
        self.received += 1;
        Ok(())
    }

    /// Adds the messages that another thread has counted.
    pub fn include(&mut self, other: Counter) {
        self.received += other.received;
    }

    pub fn check(&self, count: usize) -> Outcome {
        let received = self.received;
        if received == count {
            Ok(())
        } else {
            Err(format!("{received} messages arrived, {count} were sent").into())
        }
    }
}

/// Returns how many of `count` messages the thread with this index sends.
pub fn share(count: usize, index: usize, threads: usize) -> usize {
    count * (index + 1) / threads - count * index / threads
}

/// Exits on an error, on any thread. Otherwise another thread could wait forever for a message that was not sent.
pub fn or_exit<T>(outcome: Result<T, impl Display>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("beside_zmq: {error}");
        process::exit(1)
    })
}
