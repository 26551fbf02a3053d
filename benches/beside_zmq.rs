//! zeroless beside the bare `zmq` crate, over loopback TCP, in one run.
//!
//! ```text
//! cargo bench                # about a minute
//! cargo bench -- --quick     # a fifth of that
//! ```
//!
//! Both do the same work, as a newcomer to each would write it: zeroless calls to send and iterates to receive, `zmq`
//! calls its blocking `send_multipart` and `recv_multipart`. One thread sends while another receives, or one asks and
//! another replies. Both crates sit on the same libzmq, so what shows is the price of what zeroless adds: sockets that
//! threads share, timeouts, closing from anywhere.
//!
//! `zmq` asks with a plain `REQ`. zeroless sets `REQ_RELAXED` and `REQ_CORRELATE` on its own, so that a request can be
//! repeated after a timeout, and pays for that here.
//!
//! # How to read it
//!
//! By the ratios. The other figures tell as much of the machine, and of what else it was doing; but the contestants
//! take turns of a fraction of a second, and what slows the one mostly slows the other. Each ratio is the median of the
//! ratios of all rounds, and the least and the greatest of them stand beside it. Throughput wants 0.95 or more of
//! `zmq`'s, a round trip 1.05 or less.

use std::error::Error;
use std::fmt::Display;
use std::hint::black_box;
use std::io::{IsTerminal, stderr};
use std::process;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use zeroless::Message;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What the contestants are compared at.
struct Work {
    name: &'static str,
    measure: Measure,
    zeroless: Contestant,
    zmq: Contestant,
    /// How many frames a message has, and how long each of them is.
    frames: usize,
    bytes: usize,
    /// How many messages, or round trips, there are in a turn: what takes some tenths of a second.
    count: usize,
}

/// Takes a turn, and says how long it took.
type Contestant = fn(Turn) -> Outcome<Duration>;

const WORKS: [Work; 5] = [
    Work::push_pull("push/pull, 1 frame of 16 B", 1, 16, 1_000_000),
    Work::push_pull("push/pull, 3 frames of 16 B", 3, 16, 400_000),
    Work::push_pull("push/pull, 1 frame of 1 KiB", 1, 1 << 10, 200_000),
    Work::push_pull("push/pull, 1 frame of 1 MiB", 1, 1 << 20, 600),
    Work::request_reply("request/reply, 1 frame of 16 B", 1, 16, 5_000),
];

impl Work {
    const fn push_pull(name: &'static str, frames: usize, bytes: usize, count: usize) -> Work {
        let (zeroless, zmq) = (with_zeroless::push_pull, with_zmq::push_pull);
        Work {
            name,
            measure: Measure::Throughput,
            zeroless,
            zmq,
            frames,
            bytes,
            count,
        }
    }

    const fn request_reply(name: &'static str, frames: usize, bytes: usize, count: usize) -> Work {
        let (zeroless, zmq) = (with_zeroless::request_reply, with_zmq::request_reply);
        Work {
            name,
            measure: Measure::RoundTrip,
            zeroless,
            zmq,
            frames,
            bytes,
            count,
        }
    }
}

/// How much of each work to do.
struct Effort {
    /// In each, both contestants take a turn.
    rounds: usize,
    /// What the length of a turn is divided by.
    divisor: usize,
}

const FULL: Effort = Effort { rounds: 21, divisor: 1 };
const QUICK: Effort = Effort { rounds: 7, divisor: 2 };

fn main() {
    let told = |flag| std::env::args().any(|argument| argument == flag);
    // Cargo passes `--bench` to measure, but not to test that the benches run.
    match (told("--bench"), told("--quick")) {
        (true, false) => compare(&FULL),
        (true, true) => compare(&QUICK),
        (false, _) => smoke_test(),
    }
}

fn compare(effort: &Effort) {
    println!(
        "{:32}{:>6}{:>14}{:>9}{:>12}{:>12}",
        "", "ratio", "spread", "wanted", "zeroless", "zmq"
    );
    for work in &WORKS {
        println!("{}", work.row(&work.rounds(effort)));
    }
}

fn smoke_test() {
    for work in &WORKS {
        work.round(0, 10);
    }
    println!("all works went through; `cargo bench` measures them");
}

mod with_zeroless {
    use super::*;
    use zeroless::{Client, Server};

    pub fn push_pull(turn: Turn) -> Outcome<Duration> {
        let pull = Server::new(0).pull()?;
        let push = Client::new().connect_local(pull.socket().port()?).push()?;

        let receive = |count, tally: &mut Tally| {
            for message in pull.iter().take(count) {
                tally.add(message)?;
            }
            Ok(())
        };
        let send = |count| {
            for _ in 0..count {
                push(turn.message)?;
            }
            Ok(())
        };
        Ok(turn.time(receive, send))
    }

    pub fn request_reply(turn: Turn) -> Outcome<Duration> {
        let (reply, requests) = Server::new(0).reply()?;
        let (request, mut replies) = Client::new().connect_local(requests.socket().port()?).request()?;

        let ask = |count, tally: &mut Tally| {
            for _ in 0..count {
                request(turn.message)?;
                tally.add(replies.next().ok_or("no reply came")?)?;
            }
            Ok(())
        };
        let answer = |count| {
            for request in requests.iter().take(count) {
                reply.send(&request)?;
            }
            Ok(())
        };
        Ok(turn.time(ask, answer))
    }
}

mod with_zmq {
    use super::*;
    use zmq::{Context, PULL, PUSH, REP, REQ, Socket};

    pub fn push_pull(turn: Turn) -> Outcome<Duration> {
        let context = Context::new();
        let pull = context.socket(PULL)?;
        let push = context.socket(PUSH)?;
        link(&pull, &push)?;

        let receive = |count, tally: &mut Tally| {
            for _ in 0..count {
                tally.add(pull.recv_multipart(0)?)?;
            }
            Ok(())
        };
        let send = move |count| {
            for _ in 0..count {
                push.send_multipart(turn.message, 0)?;
            }
            Ok(())
        };
        Ok(turn.time(receive, send))
    }

    pub fn request_reply(turn: Turn) -> Outcome<Duration> {
        let context = Context::new();
        let reply = context.socket(REP)?;
        let request = context.socket(REQ)?;
        link(&reply, &request)?;

        let ask = |count, tally: &mut Tally| {
            for _ in 0..count {
                request.send_multipart(turn.message, 0)?;
                tally.add(request.recv_multipart(0)?)?;
            }
            Ok(())
        };
        let answer = move |count| {
            for _ in 0..count {
                let request = reply.recv_multipart(0)?;
                reply.send_multipart(request, 0)?;
            }
            Ok(())
        };
        Ok(turn.time(ask, answer))
    }

    fn link(server: &Socket, client: &Socket) -> Outcome {
        server.bind("tcp://127.0.0.1:*")?;
        let endpoint = server
            .get_last_endpoint()?
            .map_err(|_| "libzmq gave an endpoint that is no text")?;
        Ok(client.connect(&endpoint)?)
    }
}

/// One contestant's part of a round.
#[derive(Clone, Copy)]
struct Turn<'a> {
    /// What to send, over and over.
    message: &'a [&'a [u8]],
    count: usize,
}

impl Turn<'_> {
    /// Has two threads do their parts for one message, so that they are connected, then times them for all the others.
    ///
    /// A part is told how many messages to do. The near part, which is on the clock, tallies what it receives.
    fn time(
        self,
        mut near: impl FnMut(usize, &mut Tally) -> Outcome,
        mut far: impl FnMut(usize) -> Outcome + Send,
    ) -> Duration {
        let connected = &Barrier::new(2);
        let mut tally = Tally {
            expected: self.message,
            received: 0,
        };
        thread::scope(|scope| {
            scope.spawn(move || {
                must(far(1));
                connected.wait();
                must(far(self.count));
            });
            must(near(1, &mut tally));
            connected.wait();
            let start = Instant::now();
            must(near(self.count, &mut tally));
            let elapsed = start.elapsed();
            must(tally.check(1 + self.count));
            elapsed
        })
    }
}

/// Counts the messages that came, and makes sure that they are what was sent.
struct Tally<'a> {
    expected: &'a [&'a [u8]],
    received: usize,
}

impl Tally<'_> {
    fn add(&mut self, message: Message) -> Outcome {
        let lengths = black_box(&message).iter().map(Vec::len);
        if !lengths.eq(self.expected.iter().map(|frame| frame.len())) {
            return Err("a message came other than it was sent".into());
        }
        self.received += 1;
        Ok(())
    }

    fn check(&self, count: usize) -> Outcome {
        let received = self.received;
        if received == count {
            Ok(())
        } else {
            Err(format!("{received} of {count} messages came").into())
        }
    }
}

/// Ends the process on an error, on whichever thread: the other one might wait for ever for what did not happen.
fn must<T>(outcome: Result<T, impl Display>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("beside_zmq: {error}");
        process::exit(1)
    })
}

/// What the contestants reached at the same work, one right after the other.
struct Round {
    zeroless: f64,
    zmq: f64,
}

impl Work {
    /// Does all rounds, after one to warm up.
    fn rounds(&self, effort: &Effort) -> Vec<Round> {
        let round = |number| {
            show_progress(format_args!("{}: round {number} of {}", self.name, effort.rounds));
            self.round(number, self.count / effort.divisor)
        };
        let rounds = (0..=effort.rounds).map(round).skip(1).collect();
        show_progress("");
        rounds
    }

    /// Gives each contestant a turn. Who goes first alternates, so that drift favours neither.
    fn round(&self, number: usize, count: usize) -> Round {
        let frame = vec![b'0'; self.bytes];
        let message = vec![frame.as_slice(); self.frames];
        let reached = |contestant: Contestant| {
            let time = must(contestant(Turn {
                message: &message,
                count,
            }));
            self.measure.figure(time, count)
        };
        if number % 2 == 0 {
            let zeroless = reached(self.zeroless);
            Round {
                zeroless,
                zmq: reached(self.zmq),
            }
        } else {
            let zmq = reached(self.zmq);
            Round {
                zeroless: reached(self.zeroless),
                zmq,
            }
        }
    }

    fn row(&self, rounds: &[Round]) -> String {
        let ratios = sorted(rounds.iter().map(|round| round.zeroless / round.zmq));
        format!(
            "{:32}{:>6.2}{:>14}{:>9}{:>12.1}{:>12.1}  {}",
            self.name,
            median(&ratios),
            format!("{:.2} to {:.2}", ratios[0], ratios[ratios.len() - 1]),
            self.measure.wanted(),
            median(&sorted(rounds.iter().map(|round| round.zeroless))),
            median(&sorted(rounds.iter().map(|round| round.zmq))),
            self.measure.unit(),
        )
    }
}

enum Measure {
    Throughput,
    RoundTrip,
}

impl Measure {
    fn figure(&self, time: Duration, count: usize) -> f64 {
        match self {
            Measure::Throughput => count as f64 / time.as_secs_f64() / 1e3,
            Measure::RoundTrip => time.as_secs_f64() * 1e6 / count as f64,
        }
    }

    fn unit(&self) -> &'static str {
        match self {
            Measure::Throughput => "k messages/s",
            Measure::RoundTrip => "µs a round trip",
        }
    }

    fn wanted(&self) -> &'static str {
        match self {
            Measure::Throughput => ">= 0.95",
            Measure::RoundTrip => "<= 1.05",
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// Writes over the last line of a terminal.
fn show_progress(what: impl Display) {
    if stderr().is_terminal() {
        const CLEARED: &str = "\r\x1b[K";
        eprint!("{CLEARED}{what}");
    }
}
