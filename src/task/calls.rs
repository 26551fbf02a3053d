//! The calls that a server receives.

use std::collections::VecDeque;
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::call::Call;
use super::protocol;
use crate::engine::{Deadline, Wait};
use crate::error::{ErrorKind, Result};
use crate::handle::{OpenSocket, Socket, step, workers};
use crate::message::{AsFrames, Message};
use crate::{report, unwind};

/// The calls that a server receives: iterate over them.
///
/// ```no_run
/// for call in zeroless::Server::new(12345).serve()? {
///     match call[0].as_slice() {
///         b"ping" => call.reply("pong")?,
///         _ => call.fail("unknown operation")?,
///     }
/// }
/// # Ok::<(), zeroless::Error>(())
/// ```
///
/// Each step blocks until a call arrives. Iteration ends when the socket is closed, when the recipe's timeout has passed,
/// and when receiving fails, which is reported in the [log](crate#the-log). Clones, and threads that share a `&Calls`,
/// receive from the same socket, and each call goes to one of them. [`workers`](Self::workers) starts such threads.
///
/// # Calls whose callers have given up
///
/// A call says how long its caller waits. When a server looks for the next call, it takes all calls that have arrived, up
/// to its [`high_water_mark`](crate::Server::high_water_mark), and 10,000 at most. If it has then held one for longer than its caller waits,
/// it drops that call without running it. And once the oldest call has waited for half of its time, the newest is run first,
/// so that it is answered in time, instead of one after the other just too late. So a server that is overrun does not spend
/// its time on answers that nobody waits for. Only the time in the server's hands counts, not the time on the way, so the clocks of two machines are
/// never compared.
#[derive(Clone)]
pub struct Calls {
    socket: OpenSocket,
    hands: Arc<Mutex<Hands>>,
}

/// The calls that the server has taken, and has not begun to run.
///
/// Nothing is written to the log while they are locked: a logger may call this server.
struct Hands {
    held: VecDeque<Held>,
    /// How many messages to hold at most.
    limit: usize,
    /// How many threads wait for a call to arrive. While they wait, a call that arrives is for one of them, so no other
    /// thread takes more calls than it runs.
    waiting: usize,
}

impl Hands {
    /// Takes the call that has waited longest. But if that has waited for half of its time, the server is overrun. Then the
    /// call that came last is taken, which can still be answered in time. To go on with the oldest would mean to answer
    /// each just too late.
    fn take(&mut self) -> Option<Held> {
        let oldest = self.held.front()?;
        match oldest.is_late() && !oldest.is_given_up() {
            true => self.held.pop_back(),
            false => self.held.pop_front(),
        }
    }
}

struct Held {
    /// `Err` is a message that is not a call. It waits like a call, so that one peer that sends such messages without end
    /// does not keep the server from those of others.
    content: std::result::Result<Call, Message>,
    taken: Instant,
    patience: Option<Duration>,
}

/// What a thread that looks for a call does next.
enum Next<'a> {
    Take(Held),
    /// Nothing is held.
    Wait(Waiting<'a>),
}

impl Calls {
    pub(crate) fn new(socket: OpenSocket) -> Calls {
        /// The most calls to hold, even without a high-water mark: a server that is flooded would take calls without end.
        const MOST_HELD: usize = 10_000;

        let hands = Hands {
            held: VecDeque::new(),
            limit: socket.receive_limit().min(MOST_HELD),
            waiting: 0,
        };
        Calls {
            socket,
            hands: Arc::new(Mutex::new(hands)),
        }
    }

    /// Receives a call, and blocks until there is one.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](ErrorKind::TimedOut) if the recipe's timeout passed first.
    /// * [`Closed`](ErrorKind::Closed) if the socket was closed, before or during the call.
    /// * [`NotConnected`](ErrorKind::NotConnected) for a client that was never given an address.
    /// * [`Exhausted`](ErrorKind::Exhausted) if there is no file descriptor to wait with, or no memory for the call.
    ///
    /// # Examples
    ///
    /// ```
    /// # let calls = zeroless::Server::new(0).serve()?;
    /// # let caller = zeroless::Client::new().connect_local(calls.socket().port()?).call()?;
    /// # let asks = std::thread::spawn(move || caller(&[b"hello"]));
    /// let call = calls.recv()?;
    /// let greeting = call[0].to_ascii_uppercase();
    /// call.reply(&[greeting])?;
    /// # assert_eq!(asks.join().unwrap()?, [b"HELLO"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn recv(&self) -> Result<Call> {
        self.next_call(self.socket.timeout())
    }

    /// Receives a call if there is one, without blocking.
    ///
    /// # Errors
    ///
    /// Fails with [`WouldBlock`](ErrorKind::WouldBlock) if there is none, and otherwise as [`recv`](Self::recv) does, but
    /// never with `TimedOut`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{ErrorKind, Server};
    ///
    /// assert_eq!(Server::new(0).serve()?.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn try_recv(&self) -> Result<Call> {
        self.next_call(Wait::Never)
    }

    /// Receives a call, and blocks for at most `timeout` until there is one.
    ///
    /// The time is rounded up to milliseconds. It replaces the recipe's timeout for this call.
    ///
    /// # Errors
    ///
    /// Fails as [`recv`](Self::recv) does, with [`TimedOut`](ErrorKind::TimedOut) if `timeout` passed first.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let calls = Server::new(0).serve()?;
    /// let error = calls.recv_timeout(Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Call> {
        self.next_call(Wait::For(timeout))
    }

    /// Runs a function for each call, on `count` threads, and blocks until iteration ends.
    ///
    /// What the function returns answers the call: the frames of `Ok`, or a failure with the text of `Err`. If the
    /// function panics, that call fails, and the thread goes on with the next one. A worker takes a call when it has
    /// answered the previous one, so no call waits for a busy worker while another one is free.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](ErrorKind::InvalidInput) if `count` is 0.
    /// * [`Exhausted`](ErrorKind::Exhausted) if not all threads could be started. Then none is left running.
    /// * Any other error of [`recv`](Self::recv) that ended iteration, except `Closed` and `TimedOut`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    /// use zeroless::{Client, Message, Server};
    ///
    /// fn double(call: &Message) -> Result<[String; 1], Box<dyn std::error::Error>> {
    ///     let number: u32 = std::str::from_utf8(&call[0])?.parse()?;
    ///     Ok([(2 * number).to_string()])
    /// }
    ///
    /// let calls = Server::new(0).serve()?;
    /// let call = Client::new().connect_local(calls.socket().port()?).call()?;
    /// let server = thread::spawn(move || calls.workers(4, double));
    /// assert_eq!(call(&[b"21"])?, [b"42"]);
    /// assert_eq!(call(&[b"a word"]).unwrap_err().to_string(), "invalid digit found in string");
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn workers<R, E>(&self, count: usize, run: impl Fn(&Message) -> std::result::Result<R, E> + Sync) -> Result<()>
    where
        R: AsFrames,
        E: Display,
    {
        workers::run(&self.socket, count, &|wait| self.next_call(wait), &|call| {
            answer(call, &run)
        })
    }

    /// Returns the socket that this handle uses, for example to read its port or to close it.
    ///
    /// # Examples
    ///
    /// ```
    /// let calls = zeroless::Server::new(0).serve()?;
    /// println!("port {}", calls.socket().port()?);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        Socket::new(self.socket.engine())
    }

    fn next_call(&self, wait: Wait<'_>) -> Result<Call> {
        let deadline = Deadline::after(wait);
        let mut left = wait;
        // Once the time has passed, only what was taken in time counts: what is not a call may arrive without end.
        let mut may_receive = true;
        while !wait.is_cancelled() {
            let held = match self.look_for_call(may_receive)? {
                Next::Take(held) => held,
                Next::Wait(waiting) if may_receive => {
                    let received = self.receive(left);
                    drop(waiting);
                    received?
                }
                Next::Wait(_) => break,
            };
            if let Some(call) = self.accept(held) {
                return Ok(call);
            }
            may_receive = !deadline.has_passed();
            left = deadline.wait();
        }
        Err(self.socket.nothing_received(wait))
    }

    /// Takes what has arrived, if it `may_receive`, and returns what to do next.
    fn look_for_call(&self, may_receive: bool) -> Result<Next<'_>> {
        let mut hands = self.hands();
        while may_receive && hands.waiting == 0 && hands.held.len() < hands.limit {
            match self.receive(Wait::Never) {
                Ok(held) => hands.held.push_back(held),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(match hands.take() {
            Some(held) => Next::Take(held),
            None => Next::Wait(Waiting::begin(&self.hands, hands)),
        })
    }

    /// Receives a message, and writes nothing to the log.
    fn receive(&self, wait: Wait<'_>) -> Result<Held> {
        let mut message = Message::new();
        self.socket.receive_quietly(&mut message, wait)?;
        let request = protocol::parse_request(message);
        Ok(Held {
            taken: Instant::now(),
            patience: request.as_ref().ok().and_then(|request| request.patience),
            content: request.map(|request| Call::new(self.socket.clone(), request)),
        })
    }

    /// Returns the call, if it is one and its caller still waits.
    fn accept(&self, held: Held) -> Option<Call> {
        let label = || self.socket.label();
        let is_given_up = held.is_given_up();
        match held.content {
            Err(message) => {
                self.socket.log_received(|| message.iter().map(Vec::len).collect());
                log::warn!(target: "zeroless", "{} drops a message that is not a call", label());
                None
            }
            Ok(call) => {
                self.socket.log_received(|| call.lengths());
                if is_given_up {
                    log::debug!(target: "zeroless", "{} drops a call that its caller has given up", label());
                    call.forget();
                    return None;
                }
                Some(call)
            }
        }
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        lock(&self.hands)
    }
}

fn lock(hands: &Mutex<Hands>) -> MutexGuard<'_, Hands> {
    hands.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that waits for a call, until this is dropped, also by a panic.
struct Waiting<'a>(&'a Mutex<Hands>);

impl<'a> Waiting<'a> {
    /// `locked` are these hands: the thread waits before another one can take calls.
    fn begin(hands: &'a Mutex<Hands>, mut locked: MutexGuard<'_, Hands>) -> Waiting<'a> {
        locked.waiting += 1;
        Waiting(hands)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(self.0).waiting -= 1;
    }
}

impl Held {
    fn is_given_up(&self) -> bool {
        self.patience.is_some_and(|patience| self.taken.elapsed() >= patience)
    }

    fn is_late(&self) -> bool {
        self.patience
            .is_some_and(|patience| self.taken.elapsed() >= patience / 2)
    }
}

/// Runs the function for a call, and answers with what it returns.
fn answer<R: AsFrames, E: Display>(call: Call, run: &impl Fn(&Message) -> std::result::Result<R, E>) {
    let outcome = unwind::contain(|| match run(&call) {
        Ok(frames) => call.reply(&frames),
        Err(error) => call.fail(error),
    });
    if let Some(Err(error)) = outcome
        && error.kind() != ErrorKind::Closed
    {
        report::error(format_args!("a call has no answer: {error}"));
    }
}

impl Iterator for Calls {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        step(self.recv())
    }
}

impl Iterator for &Calls {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        step(self.recv())
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calls({})", self.socket.label())
    }
}

#[cfg(all(test, not(zeroless_loom)))]
mod tests {
    use super::*;
    use crate::recipe::Server;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// The calls that a server takes, one after the other, if it holds calls that have waited for these times.
    fn taken<const N: usize>(held: [(u64, Option<Duration>); N]) -> [usize; N] {
        let calls = Server::new(0).serve().unwrap();
        let hold = |(number, (seconds, patience)): (usize, (u64, Option<Duration>))| {
            let message = vec![b"peer".to_vec(), Vec::new(), vec![0; number]];
            Held {
                content: protocol::parse_request(message).map(|request| Call::new(calls.socket.clone(), request)),
                taken: Instant::now() - Duration::from_secs(seconds),
                patience,
            }
        };
        let mut hands = Hands {
            held: held.into_iter().enumerate().map(hold).collect(),
            limit: N,
            waiting: 0,
        };
        [(); N].map(|()| hands.take().unwrap().content.unwrap()[0].len())
    }

    #[test]
    fn oldest_is_next() {
        let held = [(4, Some(PATIENCE)), (3, None), (2, Some(PATIENCE)), (1, None)];
        assert_eq!(taken(held), [0, 1, 2, 3]);
    }

    #[test]
    fn newest_is_next_if_the_server_is_overrun() {
        let held = [(6, Some(PATIENCE)), (3, Some(PATIENCE)), (1, Some(PATIENCE))];
        assert_eq!(taken(held), [2, 1, 0]);
    }

    #[test]
    fn what_was_given_up_and_what_has_no_limit_is_not_overtaken() {
        let held = [(15, None), (12, Some(PATIENCE)), (6, Some(PATIENCE)), (1, None)];
        assert_eq!(taken(held), [0, 1, 3, 2]);
    }
}
