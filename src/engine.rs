//! The one owner of `zmq::Socket`, and all of the crate's concurrency.
//!
//! A `zmq::Socket` may move between threads but not be shared by them, and it knows nothing of being closed while
//! someone waits on it. An [`Engine`] makes of it a connection that any number of threads send to, receive from,
//! connect and close at the same time, without a thread of its own and without holding a lock while blocked.
//!
//! # How it works
//!
//! The socket sits in a mutex. An operation locks, tries without waiting, and unlocks. Only if libzmq answers
//! `EAGAIN` does it wait, outside the lock, polling two file descriptors: the socket's `ZMQ_FD`, which libzmq makes
//! readable when something has happened to the socket, and a wake-up of the engine's own, which another thread
//! writes to. Then it tries again.
//!
//! Holding a lock through a blocking call of libzmq would be simpler, and is what peers do: then no one can send while
//! another receives, and no one can close at all. A thread per socket would be simpler still: then every message
//! pays for two more switches of threads, and a message under way between the two can be lost.
//!
//! # What can go wrong, and the rule against it
//!
//! 1. **The wake-up that another thread has eaten.** `ZMQ_FD` tells only of *new* happenings, and any operation on
//!    the socket takes notice of them all. A sender that finds "a message has arrived" while it sends leaves the
//!    receiver asleep with a message waiting. So whoever is about to unlock looks whether a thread waits, and if so
//!    asks libzmq what the socket is ready for and wakes whom it concerns: [`Core::settle`]. This holds for the own
//!    direction too: of two messages behind one wake-up, a passing receiver takes one and must pass the other on.
//! 2. **The stampede.** If all waiting receivers polled, each message would wake all of them, and each would need a
//!    wake-up of its own. So at most one thread a direction waits at the descriptors, and the others queue for its
//!    place, at a [`Turnstile`]. It is taken only after an `EAGAIN`, so that sharing costs nothing while messages
//!    flow.
//! 3. **The sender that sleeps beside an empty queue.** A send that does not wait looks at what has happened to the
//!    socket only every three million CPU ticks. Its `EAGAIN` is believed only after a look: `Wire::try_send`.
//! 4. **The wake-up before the sleep.** A thread that said it waits only after unlocking would miss what happened in
//!    between. So it raises its flag under the lock, and looks once more before it unlocks. Whatever comes later
//!    makes `ZMQ_FD` readable, or finds the flag raised.
//! 5. **The signal.** `EINTR` ends a wait early and means nothing: the wait goes on, for the time that is left.
//! 6. **The torn message.** The frames of a message are sent under one lock, and so are they received. If a peer
//!    vanishes in the middle, what libzmq still expects of that message is dealt with before anything else is sent:
//!    `Wire::abandon`.
//! 7. **The descriptor that is someone else's.** A descriptor that is closed while it is polled may be handed out
//!    again at once, to another file. So closing first takes the socket away from the lock, then wakes and waits for
//!    whoever polls, and only then drops the socket: [`Engine::close`].

#[cfg(test)]
mod tests;
mod turnstile;
mod wire;

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use zmq::PollEvents;

use crate::context::{self, SharedContext};
use crate::endpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::recipe::Options;
use crate::{Message, publish};
use turnstile::Turnstile;
use wire::Wire;

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Push,
    Pull,
    Publish,
    Subscribe,
    Request,
    Reply,
    Pair,
}

impl Kind {
    fn socket_type(self) -> zmq::SocketType {
        match self {
            Kind::Push => zmq::PUSH,
            Kind::Pull => zmq::PULL,
            // A PUB that is told of its subscribers.
            Kind::Publish => zmq::XPUB,
            Kind::Subscribe => zmq::SUB,
            Kind::Request => zmq::REQ,
            Kind::Reply => zmq::REP,
            Kind::Pair => zmq::PAIR,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Push => "push",
            Kind::Pull => "pull",
            Kind::Publish => "publish",
            Kind::Subscribe => "subscribe",
            Kind::Request => "request",
            Kind::Reply => "reply",
            Kind::Pair => "pair",
        }
    }

    /// Whether sending can find its queue full and wait. The others drop what a peer has no room for.
    fn may_be_full(self) -> bool {
        matches!(self, Kind::Push | Kind::Request | Kind::Pair)
    }
}

/// How long an operation may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    None,
    For(Duration),
    Forever,
}

impl From<Option<Duration>> for Patience {
    fn from(timeout: Option<Duration>) -> Patience {
        timeout.map_or(Patience::Forever, Patience::For)
    }
}

/// The moment at which to stop waiting, if there is one.
#[derive(Clone, Copy)]
struct Deadline(Option<Instant>);

impl Deadline {
    const NEVER: Deadline = Deadline(None);

    fn after(patience: Patience) -> Deadline {
        match patience {
            Patience::None => Deadline(Some(Instant::now())),
            // A moment too far away for the clock is as good as none.
            Patience::For(time) => Deadline(Instant::now().checked_add(time)),
            Patience::Forever => Deadline::NEVER,
        }
    }

    /// The time left; `None` if it is without end.
    fn remaining(self) -> Option<Duration> {
        self.0.map(|moment| moment.saturating_duration_since(Instant::now()))
    }

    fn has_passed(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}

/// The two things that a thread can wait for; each has a turnstile and a lane of its own.
#[derive(Clone, Copy)]
enum Direction {
    Receiving,
    Sending,
}

impl Direction {
    const BOTH: [Direction; 2] = [Direction::Receiving, Direction::Sending];

    fn event(self) -> PollEvents {
        match self {
            Direction::Receiving => zmq::POLLIN,
            Direction::Sending => zmq::POLLOUT,
        }
    }
}

/// Why an operation was not done.
enum Halt {
    /// Not yet, and there was no time to wait, or not enough.
    Unready,
    Closed,
    Fault(zmq::Error),
    /// The wake-up could not be made, for want of file descriptors.
    NoWakeUp(std::io::Error),
}

impl From<zmq::Error> for Halt {
    fn from(error: zmq::Error) -> Halt {
        match error {
            zmq::Error::EAGAIN => Halt::Unready,
            zmq::Error::ETERM => Halt::Closed,
            other => Halt::Fault(other),
        }
    }
}

/// A live socket, shared by all the handles of one pattern. See the [module's documentation](self).
pub(crate) struct Engine {
    kind: Kind,
    timeout: Patience,
    /// The socket's `ZMQ_FD`. It may be polled by who holds a turn and has seen `core.wire` since (rule 7).
    fd: RawFd,
    core: Mutex<Core>,
    turnstiles: [Turnstile; 2],
    /// The share in the process's context, until closed. It is locked through all of closing, and for nothing else.
    context: Mutex<Option<Arc<SharedContext>>>,
}

/// What the lock guards. It is never held while blocked.
struct Core {
    /// `None` once closed.
    wire: Option<Wire>,
    lanes: [Lane; 2],
    bound: Vec<String>,
    connected: Vec<String>,
    /// The first that the socket was bound or connected to.
    first_endpoint: Option<String>,
    topics: Vec<Vec<u8>>,
}

/// Where the one thread that waits in a direction can be told to try again.
#[derive(Default)]
struct Lane {
    flag: Flag,
    /// Made when first waited on: file descriptors are what sockets run out of. What is written to the first is read
    /// from the second; one byte lies in it while the flag is `Woken`, else none.
    wake_up: Option<(UnixStream, UnixStream)>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Flag {
    /// No one waits.
    #[default]
    Down,
    /// A thread waits, or is about to, and no one has told it anything yet.
    Raised,
    /// A thread waits, and has been told to try again.
    Woken,
}

impl Lane {
    /// Says that the calling thread is going to wait, and returns the descriptor to wait at beside `ZMQ_FD`.
    fn raise(&mut self) -> std::io::Result<RawFd> {
        if self.wake_up.is_none() {
            self.wake_up = Some(UnixStream::pair()?);
        }
        self.flag = Flag::Raised;
        let (_, reader) = self.wake_up.as_ref().expect("BUG: the wake-up was made above");
        Ok(reader.as_raw_fd())
    }

    /// Tells the waiting thread, if there is one, to try again.
    fn wake(&mut self) {
        if let (Flag::Raised, Some((writer, _))) = (self.flag, &mut self.wake_up) {
            match writer.write_all(&[1]) {
                Ok(()) => self.flag = Flag::Woken,
                // The flag stays up, so the next one to unlock tries again.
                Err(error) => log::error!(target: "zeroless", "cannot wake a waiting thread: {error}"),
            }
        }
    }

    /// Says that the calling thread waits no longer, and takes back what it was told.
    fn lower(&mut self) {
        if let (Flag::Woken, Some((_, reader))) = (self.flag, &mut self.wake_up) {
            if let Err(error) = reader.read_exact(&mut [0]) {
                log::error!(target: "zeroless", "cannot read a wake-up: {error}");
            }
        }
        self.flag = Flag::Down;
    }
}

impl Core {
    /// Does something to the socket, then sees to those who wait.
    fn perform<T>(&mut self, operation: impl FnOnce(&mut Wire) -> zmq::Result<T>) -> std::result::Result<T, Halt> {
        let outcome = self.attempt(operation);
        self.settle();
        outcome
    }

    /// Does something to the socket. Whoever does so settles before unlocking.
    #[inline]
    fn attempt<T>(&mut self, operation: impl FnOnce(&mut Wire) -> zmq::Result<T>) -> std::result::Result<T, Halt> {
        let wire = self.wire.as_mut().ok_or(Halt::Closed)?;
        Ok(operation(wire)?)
    }

    /// Wakes whom the state of the socket concerns (rule 1). Nothing may be done to the socket between this and the
    /// unlocking.
    #[inline]
    fn settle(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        match self.lanes.iter().any(|lane| lane.flag == Flag::Raised) {
            true => self.wake_whom_it_concerns(),
            false => wire.tidy(),
        }
    }

    #[inline(never)]
    fn wake_whom_it_concerns(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        // If libzmq cannot say, those who wait will be told when they try.
        let events = wire.events().unwrap_or(PollEvents::all());
        for direction in Direction::BOTH {
            if events.contains(direction.event()) {
                self.lanes[direction as usize].wake();
            }
        }
    }
}

/// What the handles do now and then. Its messages are written to the log by the engine, after unlocking: a logger may
/// well send what it is given over a socket.
impl Core {
    fn connect(&mut self, kind: Kind, endpoint: &str) -> Result<()> {
        if self.connected.iter().any(|other| other == endpoint) {
            return Err(endpoint::connected_twice(endpoint));
        }
        // Also if it has disconnected since: libzmq lets go of a pair's peer in the background, nobody can tell when,
        // and until then it turns another away without a word.
        if let (Kind::Pair, Some(peer)) = (kind, &self.first_endpoint) {
            return Err(Error::new(
                ErrorKind::AlreadyConnected,
                format!(
                    "cannot connect to {endpoint}: a pair has one peer for life, and this one's is {peer}; open a new pair"
                ),
            ));
        }
        self.perform(|wire| wire.socket.connect(endpoint))
            .map_err(|halt| halt.into_error(&format_args!("cannot connect to {endpoint}")))?;
        self.first_endpoint.get_or_insert_with(|| endpoint.to_owned());
        self.connected.push(endpoint.to_owned());
        Ok(())
    }

    fn disconnect(&mut self, endpoint: &str) -> Result<()> {
        let position = self.connected.iter().position(|other| other == endpoint);
        let position = position.ok_or_else(|| endpoint::not_connected(endpoint, &self.connected))?;
        self.perform(|wire| wire.socket.disconnect(endpoint))
            .map_err(|halt| halt.into_error(&format_args!("cannot disconnect from {endpoint}")))?;
        self.connected.remove(position);
        Ok(())
    }

    fn subscribe(&mut self, topic: &[u8]) -> Result<()> {
        if !self.topics.iter().any(|other| other == topic) {
            self.perform(|wire| wire.socket.set_subscribe(topic))
                .map_err(|halt| halt.into_error(&format_args!("cannot subscribe to \"{}\"", topic.escape_ascii())))?;
            self.topics.push(topic.to_owned());
        }
        Ok(())
    }

    fn unsubscribe(&mut self, topic: &[u8]) -> Result<()> {
        let position = self.topics.iter().position(|other| other == topic);
        let position = position.ok_or_else(|| publish::not_subscribed(topic, &self.topics))?;
        self.perform(|wire| wire.socket.set_unsubscribe(topic))
            .map_err(|halt| halt.into_error(&format_args!("cannot unsubscribe from \"{}\"", topic.escape_ascii())))?;
        self.topics.remove(position);
        Ok(())
    }
}

/// A socket to open, and what is said of it.
pub(crate) struct Plan<'a> {
    pub(crate) kind: Kind,
    pub(crate) binds: &'a [String],
    pub(crate) connects: &'a [String],
    pub(crate) topics: Vec<Vec<u8>>,
    pub(crate) options: &'a Options,
}

impl Engine {
    /// Makes a socket, sets its options, binds and connects it. Does not block.
    pub(crate) fn open(plan: Plan<'_>) -> Result<Engine> {
        let kind = plan.kind;
        let refused = |error| Error::from_zmq(format_args!("cannot open a {} socket", kind.name()), error);
        let context = SharedContext::get();
        let socket = context.socket(kind.socket_type()).map_err(refused)?;
        set_up(&socket, &plan)?;
        let fd = socket.get_fd().map_err(refused)?;
        let engine = Engine {
            kind,
            timeout: plan.options.timeout.into(),
            fd,
            core: Mutex::new(Core {
                wire: Some(Wire::new(socket, kind)),
                lanes: Default::default(),
                bound: Vec::new(),
                connected: Vec::new(),
                first_endpoint: None,
                topics: plan.topics,
            }),
            turnstiles: Default::default(),
            context: Mutex::new(Some(context)),
        };
        for endpoint in plan.binds {
            engine.bind(endpoint)?;
        }
        for endpoint in plan.connects {
            engine.connect(endpoint)?;
        }
        Ok(engine)
    }

    /// How long an operation waits that is not told.
    #[inline]
    pub(crate) fn timeout(&self) -> Patience {
        self.timeout
    }

    /// Sends one message, when there is room for it.
    #[inline]
    pub(crate) fn send(&self, frames: &[&[u8]], patience: Patience) -> Result<()> {
        self.operate(Direction::Sending, patience, |wire| wire.try_send(frames))
            .map_err(|halt| self.explain(halt, patience, &"send"))
    }

    /// Receives one message into the buffers of `message`, when there is one.
    #[inline]
    pub(crate) fn receive(&self, message: &mut Message, patience: Patience) -> Result<()> {
        self.operate(Direction::Receiving, patience, |wire| wire.try_receive(message))
            .map_err(|halt| self.explain(halt, patience, &"receive"))
    }

    /// Waits until that many subscriptions have arrived since the socket opened.
    pub(crate) fn await_subscriptions(&self, wanted: usize, patience: Patience) -> Result<()> {
        /// Those who queue at the turnstile wait for what the one past it has seen long since, if they want fewer. So
        /// nobody waits longer than this at a time.
        const SLICE: Duration = Duration::from_millis(100);

        let deadline = Deadline::after(patience);
        loop {
            let slice = deadline.remaining().map_or(SLICE, |left| left.min(SLICE));
            let count = |wire: &mut Wire| wire.try_count_subscriptions(wanted);
            match self.operate(Direction::Receiving, Patience::For(slice), count) {
                Err(Halt::Unready) if !deadline.has_passed() => {}
                outcome => {
                    return outcome.map_err(|halt| {
                        let arrived = self.lock().wire.as_ref().map_or(0, Wire::subscriptions);
                        let doing = format!("wait for {wanted} subscriptions, of which {arrived} have arrived");
                        self.explain(halt, patience, &doing)
                    });
                }
            }
        }
    }

    /// Tries an operation, and again each time that the socket may have become ready for it.
    #[inline]
    fn operate<T>(
        &self,
        direction: Direction,
        patience: Patience,
        mut operation: impl FnMut(&mut Wire) -> zmq::Result<T>,
    ) -> std::result::Result<T, Halt> {
        let mut core = self.lock();
        let outcome = core.attempt(|wire| operation(wire));
        match outcome {
            Err(Halt::Unready) if patience != Patience::None => {
                self.wait_to_operate(direction, patience, operation, core)
            }
            outcome => {
                core.settle();
                outcome
            }
        }
    }

    /// Waits, and tries an operation again, until it succeeds or the time is up. It has just been tried, under a lock
    /// that is still held.
    #[inline(never)]
    fn wait_to_operate<'a, T>(
        &'a self,
        direction: Direction,
        patience: Patience,
        mut operation: impl FnMut(&mut Wire) -> zmq::Result<T>,
        mut core: MutexGuard<'a, Core>,
    ) -> std::result::Result<T, Halt> {
        let deadline = Deadline::after(patience);
        let turnstile = &self.turnstiles[direction as usize];
        let mut turn = None;
        loop {
            turn = turn.or_else(|| turnstile.try_enter());
            if turn.is_some() {
                // Rule 4: settling is the last look, and may well wake this very thread.
                let wake_up = core.lanes[direction as usize].raise();
                core.settle();
                drop(core);
                wait(self.fd, wake_up.map_err(Halt::NoWakeUp)?, deadline)?;
            } else {
                core.settle();
                drop(core);
                turn = Some(turnstile.enter(deadline).ok_or(Halt::Unready)?);
            }
            // The clock is looked at before the attempt, so that one is made after the deadline too.
            let last = deadline.has_passed();
            core = self.lock();
            core.lanes[direction as usize].lower();
            let outcome = core.attempt(|wire| operation(wire));
            if last || !matches!(outcome, Err(Halt::Unready)) {
                core.settle();
                // Before the turn is given up, or whoever is next would run into the lock.
                drop(core);
                return outcome;
            }
        }
    }

    /// Closes the socket. Once it is back, the socket is closed, whoever was first to close it.
    ///
    /// If it was the process's last socket, this blocks until all that was sent is delivered or given up. Until then
    /// it holds `context`, which only those who close ask for: they too are to return when all is done, or the
    /// process could end with its messages undelivered.
    pub(crate) fn close(&self) {
        let mut context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(context) = context.take() else { return };
        log::info!(target: "zeroless", "closing {}", self.label());
        let wire = {
            let mut core = self.lock();
            core.lanes.iter_mut().for_each(Lane::wake);
            core.wire.take()
        };
        // Whoever comes past a turnstile from now on finds the wire gone, and leaves. With both turns in hand, no one
        // polls the socket's descriptor (rule 7).
        let turns = self
            .turnstiles
            .each_ref()
            .map(|turnstile| turnstile.enter(Deadline::NEVER));
        self.bound()
            .iter()
            .filter_map(|endpoint| endpoint::port_of(endpoint))
            .for_each(context::free_port);
        drop(wire);
        drop(turns);
        drop(context);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().wire.is_none()
    }

    fn bind(&self, endpoint: &str) -> Result<()> {
        endpoint::check_bindable(endpoint)?;
        let bound = loop {
            let attempt = self.lock().perform(|wire| {
                wire.socket.bind(endpoint)?;
                wire.socket.get_last_endpoint()
            });
            match attempt {
                // A server that has just closed can be opened again.
                Err(Halt::Fault(zmq::Error::EADDRINUSE))
                    if endpoint::port_of(endpoint).is_some_and(context::is_freeing) =>
                {
                    thread::sleep(Duration::from_millis(1));
                }
                outcome => break outcome.map_err(|halt| halt.into_error(&format_args!("cannot bind {endpoint}")))?,
            }
        };
        let bound = bound.unwrap_or_else(|_| endpoint.to_owned());
        log::info!(target: "zeroless", "{} bound to {bound}", self.kind.name());
        let mut core = self.lock();
        core.first_endpoint.get_or_insert_with(|| bound.clone());
        core.bound.push(bound);
        Ok(())
    }

    pub(crate) fn connect(&self, endpoint: &str) -> Result<()> {
        self.lock().connect(self.kind, endpoint)?;
        log::info!(target: "zeroless", "{} connecting to {endpoint}", self.kind.name());
        Ok(())
    }

    pub(crate) fn disconnect(&self, endpoint: &str) -> Result<()> {
        self.lock().disconnect(endpoint)?;
        log::info!(target: "zeroless", "{} disconnected from {endpoint}", self.kind.name());
        Ok(())
    }

    /// The endpoints that the socket is bound to, as libzmq resolved them.
    pub(crate) fn bound(&self) -> Vec<String> {
        self.lock().bound.clone()
    }

    /// The endpoints that the socket is connected to.
    pub(crate) fn connected(&self) -> Vec<String> {
        self.lock().connected.clone()
    }

    pub(crate) fn subscribe(&self, topic: &[u8]) -> Result<()> {
        publish::check_topic(topic)?;
        self.lock().subscribe(topic)
    }

    pub(crate) fn unsubscribe(&self, topic: &[u8]) -> Result<()> {
        self.lock().unsubscribe(topic)
    }

    /// The socket, as a person would name it.
    pub(crate) fn label(&self) -> String {
        let core = self.lock();
        let endpoints: Vec<&str> = core.bound.iter().chain(&core.connected).map(String::as_str).collect();
        match endpoints.as_slice() {
            [] => format!("{} (connected to nothing)", self.kind.name()),
            some => format!("{} on {}", self.kind.name(), some.join(", ")),
        }
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an error of what stopped an operation.
    #[cold]
    fn explain(&self, halt: Halt, patience: Patience, doing: &dyn std::fmt::Display) -> Error {
        let label = self.label();
        match halt {
            Halt::Unready => match patience {
                Patience::For(time) => {
                    let message = format!("{label}: could not {doing} within {time:?}");
                    Error::new(ErrorKind::TimedOut, message)
                }
                _ => Error::new(
                    ErrorKind::WouldBlock,
                    format!("{label}: could not {doing} without waiting"),
                ),
            },
            Halt::Fault(zmq::Error::EFSM) => {
                Error::new(ErrorKind::OutOfTurn, format!("{label}: {}", self.whose_turn()))
            }
            halt => halt.into_error(&format_args!("{label}: could not {doing}")),
        }
    }

    /// What to do about an operation out of turn.
    fn whose_turn(&self) -> &'static str {
        match self.kind {
            Kind::Request => "requests and replies take turns: send one first, then receive the reply to it",
            _ => "requests and replies take turns: receive one request, send one reply to it, then receive the next",
        }
    }
}

impl Halt {
    /// The error for an operation that does not wait.
    fn into_error(self, doing: &dyn std::fmt::Display) -> Error {
        match self {
            Halt::Closed => Error::new(ErrorKind::Closed, format!("{doing}: the socket is closed")),
            Halt::Unready => Error::from_zmq(doing, zmq::Error::EAGAIN),
            Halt::Fault(error) => Error::from_zmq(doing, error),
            Halt::NoWakeUp(error) => {
                let message =
                    format!("{doing}: no file descriptor is left to wait with; close some, or raise the limit");
                Error::with_source(ErrorKind::Exhausted, message, error)
            }
        }
    }
}

/// Waits until something has happened to the socket, someone has written the wake-up, or the deadline has passed.
fn wait(fd: RawFd, wake_up: RawFd, deadline: Deadline) -> zmq::Result<()> {
    let items = &mut [
        zmq::PollItem::from_fd(fd, zmq::POLLIN),
        zmq::PollItem::from_fd(wake_up, zmq::POLLIN),
    ];
    loop {
        let milliseconds = deadline.remaining().map_or(-1, milliseconds);
        match zmq::poll(items, milliseconds.into()) {
            Err(zmq::Error::EINTR) => {}
            outcome => return outcome.map(drop),
        }
    }
}

/// The time in whole milliseconds, rounded up so that a wait does not end just before its deadline, and no more than
/// libzmq can count, which is 24 days.
fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

/// Sets what has to be set before a socket is bound or connected. What the user configures comes last, and wins.
fn set_up(socket: &zmq::Socket, plan: &Plan<'_>) -> Result<()> {
    let Plan { kind, options, .. } = plan;
    let options_set = || -> zmq::Result<()> {
        // libzmq lets a subscriber not linger, or it would wait to tell its topics to a publisher that is gone.
        if *kind != Kind::Subscribe {
            socket.set_linger(options.linger.or(options.timeout).map_or(-1, milliseconds))?;
        }
        socket.set_ipv6(
            plan.binds
                .iter()
                .chain(plan.connects)
                .any(|endpoint| endpoint.contains('[')),
        )?;
        if let Some(messages) = options.high_water_mark {
            socket.set_sndhwm(messages)?;
            socket.set_rcvhwm(messages)?;
        }
        match kind {
            // Relaxed, a request may be asked again after a timeout; correlated, only the reply to it is let in.
            Kind::Request => {
                socket.set_req_relaxed(true)?;
                socket.set_req_correlate(true)?;
            }
            // Verbose, so that a second subscriber to a topic is counted too.
            Kind::Publish => socket.set_xpub_verbose(true)?,
            _ => {}
        }
        plan.topics.iter().try_for_each(|topic| socket.set_subscribe(topic))?;
        options.configure.iter().try_for_each(|configure| configure(socket))
    };
    options_set().map_err(|error| Error::from_zmq(format_args!("cannot configure a {} socket", kind.name()), error))
}
