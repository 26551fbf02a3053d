//! What a contestant does in its turn, and how long it took.

use std::error::Error;
use std::fmt::Display;
use std::hint::black_box;
use std::process;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Takes a turn, and says how long it took.
pub type Contestant = fn(Turn) -> Outcome<Duration>;

/// Any free port of this machine.
pub const TCP: &str = "tcp://127.0.0.1:*";

/// A name in this process.
pub const INPROC: &str = "inproc://beside_zmq";

/// One contestant's part of a round.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// Where the server is to listen.
    pub endpoint: &'static str,
    /// What to send, over and over.
    pub message: &'a [&'a [u8]],
    pub count: usize,
}

impl<'a> Turn<'a> {
    /// Has two threads do their parts for one message, so that they are connected, then times them for all the others.
    ///
    /// A part is told how many messages to do. The near part, which is on the clock, tallies what it receives.
    pub fn time(
        self,
        near: impl FnMut(usize, &mut Tally) -> Outcome,
        mut far: impl FnMut(usize) -> Outcome + Send,
    ) -> Duration {
        let connected = &Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(move || {
                must(far(1));
                connected.wait();
                must(far(self.count));
            });
            self.time_near(near, || _ = connected.wait())
        })
    }

    /// The near part of [`time`](Self::time), for a far part that is elsewhere. `connected` is called before the clock
    /// starts.
    pub fn time_near(self, mut near: impl FnMut(usize, &mut Tally) -> Outcome, connected: impl FnOnce()) -> Duration {
        let mut tally = Tally::new(self.message);
        must(near(1, &mut tally));
        connected();
        let start = Instant::now();
        must(near(self.count, &mut tally));
        let elapsed = start.elapsed();
        must(tally.check(1 + self.count));
        elapsed
    }
}

/// Counts the messages that came, and makes sure that they are what was sent.
pub struct Tally<'a> {
    expected: &'a [&'a [u8]],
    received: usize,
}

impl<'a> Tally<'a> {
    pub fn new(expected: &'a [&'a [u8]]) -> Tally<'a> {
        Tally { expected, received: 0 }
    }

    pub fn add<F: AsRef<[u8]>>(&mut self, message: &[F]) -> Outcome {
        let lengths = black_box(message).iter().map(|frame| frame.as_ref().len());
        if !lengths.eq(self.expected.iter().map(|frame| frame.len())) {
            return Err("a message came other than it was sent".into());
        }
        self.received += 1;
        Ok(())
    }

    /// Adds what another thread has tallied.
    pub fn include(&mut self, other: Tally) {
        self.received += other.received;
    }

    pub fn check(&self, count: usize) -> Outcome {
        let received = self.received;
        if received == count {
            Ok(())
        } else {
            Err(format!("{received} of {count} messages came").into())
        }
    }
}

/// What the `index`th of `threads` is to do of `count` messages.
pub fn share(count: usize, index: usize, threads: usize) -> usize {
    count * (index + 1) / threads - count * index / threads
}

/// Ends the process on an error, on whichever thread: the other one might wait for ever for what did not happen.
pub fn must<T>(outcome: Result<T, impl Display>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("beside_zmq: {error}");
        process::exit(1)
    })
}
