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
//!    asks libzmq what the socket is ready for and wakes whom it concerns: `Core::settle` in the [`gate`]. This holds for the own
//!    direction too: of two messages behind one wake-up, a passing receiver takes one and must pass the other on.
//! 2. **The stampede.** If all waiting receivers polled, each message would wake all of them, and each would need a
//!    wake-up of its own. So at most one thread a direction waits at the descriptors, and the others queue for its
//!    place, at a `Turnstile`. It is taken only after an `EAGAIN`, so that sharing costs nothing while messages
//!    flow.
//! 3. **The sender that sleeps beside an empty queue.** A send that does not wait looks at what has happened to the
//!    socket only every three million CPU ticks. Its `EAGAIN` is believed only after a look: `Wire::try_send`.
//! 4. **The wake-up before the sleep.** A thread that said it waits only after unlocking would miss what happened in
//!    between. So it raises its flag under the lock under which its attempt failed, which took notice of all there was.
//!    Whatever comes later makes `ZMQ_FD` readable, or finds the flag raised.
//! 5. **The signal.** `EINTR` ends a wait early and means nothing: the wait goes on, for the time that is left.
//! 6. **The torn message.** The frames of a message are sent under one lock, and so are they received. If a peer
//!    vanishes in the middle, what libzmq still expects of that message is dealt with before anything else is sent:
//!    `Wire::abandon`.
//! 7. **The descriptor that is someone else's.** A descriptor that is closed while it is polled may be handed out
//!    again at once, to another file. So closing first takes the socket away from the lock, then wakes and waits for
//!    whoever polls, and only then drops the socket: [`Gate::close`].
//! 8. **The room that libzmq cannot tell of.** A router sends to the one peer that a message names. When that peer's
//!    queue is full, `ZMQ_EVENTS` has nothing to say about it: it tells that *some* peer has room. So there the events
//!    are not believed: a thread that waits for such a peer is woken by whatever happens to the socket, does not take
//!    a look at them for a reason to go on, and tries again every few milliseconds besides, as two threads may
//!    wait for two peers. This is the one place where time is asked for help.

#[cfg(not(zeroless_loom))]
mod bell;
mod gate;
mod kind;
#[cfg(zeroless_loom)]
mod model;
mod patience;
mod sync;
#[cfg(all(test, not(zeroless_loom)))]
mod tests;
mod turnstile;
mod wire;
mod zap;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::context::{self, SharedContext};
use crate::endpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{self, Policy};
use crate::recipe::Options;
use crate::{Frame, Message, publish};
use gate::{Device, Direction, Gate, Halt};
pub(crate) use kind::Kind;
use patience::milliseconds;
pub(crate) use patience::{Cancel, Patience};
use wire::Wire;
pub(crate) use zap::{Guard, Handler};

/// A live socket, shared by all the handles of one pattern. See the [module's documentation](self).
pub(crate) struct Engine {
    kind: Kind,
    timeout: Option<Duration>,
    gate: Gate<Wire>,
    /// Locked before the gate, where both are.
    book: Mutex<Book>,
    /// Disconnected once closed.
    closed: crossbeam_channel::Receiver<Infallible>,
    /// Whom to let in, if not everyone.
    policy: Option<Arc<Policy>>,
    /// Locked through all of closing, and for nothing else; `None` once closed.
    open: Mutex<Option<Open>>,
}

/// What is given back when a socket closes, in this order.
struct Open {
    _guard: Option<Guard>,
    /// The other end of the engine's `closed`.
    _closed: crossbeam_channel::Sender<Infallible>,
    /// The share in the process's context.
    _context: Arc<SharedContext>,
}

/// What the socket was told. It is still known when the socket is closed.
struct Book {
    bound: Vec<String>,
    connected: Vec<String>,
    /// The first that the socket was bound or connected to.
    first_endpoint: Option<String>,
    topics: Vec<Vec<u8>>,
}

/// What the handles do now and then. Its messages are written to the log by the engine, after unlocking: a logger may
/// well send what it is given over a socket.
impl Book {
    fn connect(&mut self, gate: &Gate<Wire>, kind: Kind, endpoint: &str) -> Result<()> {
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
        gate.perform(|wire| wire.connect(endpoint))
            .map_err(|halt| halt.into_error(&format_args!("cannot connect to {endpoint}")))?;
        self.first_endpoint.get_or_insert_with(|| endpoint.to_owned());
        self.connected.push(endpoint.to_owned());
        Ok(())
    }

    fn disconnect(&mut self, gate: &Gate<Wire>, endpoint: &str) -> Result<()> {
        let position = self.connected.iter().position(|other| other == endpoint);
        let position = position.ok_or_else(|| endpoint::not_connected(endpoint, &self.connected))?;
        gate.perform(|wire| wire.disconnect(endpoint))
            .map_err(|halt| halt.into_error(&format_args!("cannot disconnect from {endpoint}")))?;
        self.connected.remove(position);
        Ok(())
    }

    fn subscribe(&mut self, gate: &Gate<Wire>, topic: &[u8]) -> Result<()> {
        if !self.topics.iter().any(|other| other == topic) {
            gate.perform(|wire| wire.socket.set_subscribe(topic))
                .map_err(|halt| halt.into_error(&format_args!("cannot subscribe to \"{}\"", topic.escape_ascii())))?;
            self.topics.push(topic.to_owned());
        }
        Ok(())
    }

    fn unsubscribe(&mut self, gate: &Gate<Wire>, topic: &[u8]) -> Result<()> {
        let position = self.topics.iter().position(|other| other == topic);
        let position = position.ok_or_else(|| publish::not_subscribed(topic, &self.topics))?;
        gate.perform(|wire| wire.socket.set_unsubscribe(topic))
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
        let doing = format!("cannot open a {} socket", kind.name());
        let refused = |error| Error::from_zmq(&doing, error);
        let policy = plan.options.access.policy(kind.name())?;
        if kind == Kind::Stream && (policy.is_some() || plan.options.credentials.is_some()) {
            let message = format!("{doing}: a stream speaks plain TCP, and cannot tell whom to let in");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        if let Some(credentials) = &plan.options.credentials {
            credentials.check(&doing)?;
        }
        let context = SharedContext::get(&doing)?;
        let guard = policy.map(|policy| context.guard(policy, &doing)).transpose()?;
        let socket = context.socket(kind.socket_type()).map_err(refused)?;
        set_up(&socket, &plan, guard.as_ref())?;
        let fd = socket.get_fd().map_err(refused)?;
        let (closes, closed) = crossbeam_channel::bounded(0);
        let engine = Engine {
            kind,
            timeout: plan.options.timeout,
            gate: Gate::new(Wire::new(socket, kind), fd),
            book: Mutex::new(Book {
                bound: Vec::new(),
                connected: Vec::new(),
                first_endpoint: None,
                topics: plan.topics,
            }),
            closed,
            policy: guard.as_ref().map(Guard::policy),
            open: Mutex::new(Some(Open {
                _guard: guard,
                _closed: closes,
                _context: context,
            })),
        };
        let binds = || plan.binds.iter().try_for_each(|endpoint| engine.bind(endpoint));
        let connects = || plan.connects.iter().try_for_each(|endpoint| engine.connect(endpoint));
        match binds().and_then(|()| connects()) {
            Ok(()) => Ok(engine),
            Err(error) => {
                engine.close();
                Err(error)
            }
        }
    }

    /// Waits until cancelled, and no longer than the timeout.
    pub(crate) fn until<'a>(&self, cancel: &'a Cancel) -> Patience<'a> {
        Patience::Until(cancel, self.timeout)
    }

    /// How long an operation waits that is not told.
    #[inline]
    pub(crate) fn timeout(&self) -> Patience<'static> {
        self.timeout.map_or(Patience::Forever, Patience::For)
    }

    /// Sends one message, when there is room for it.
    #[inline]
    pub(crate) fn send(&self, frames: &[&[u8]], patience: Patience<'_>) -> Result<()> {
        self.check(frames)?;
        self.gate
            .operate(
                Direction::Sending,
                patience,
                || self.slice_of_sending(),
                |wire| wire.try_send(frames),
            )
            .map_err(|halt| self.explain_sending(halt, patience, frames[0]))
    }

    /// Receives one message into the buffers of `message`, when there is one.
    #[inline]
    pub(crate) fn receive(&self, message: &mut Message, patience: Patience<'_>) -> Result<()> {
        self.gate
            .operate(
                Direction::Receiving,
                patience,
                || None,
                |wire| wire.try_receive(message),
            )
            .map_err(|halt| self.explain(halt, patience, &"receive"))
    }

    /// Receives one message without copying it.
    pub(crate) fn receive_frames(&self, patience: Patience<'_>) -> Result<Vec<Frame>> {
        let frames = self
            .gate
            .operate(Direction::Receiving, patience, || None, Wire::try_take)
            .map_err(|halt| self.explain(halt, patience, &"receive"))?;
        Ok(frames.into_iter().map(Frame::new).collect())
    }

    /// Receives one message into a [`Message`], and waits also while it is the turn to send.
    pub(crate) fn receive_in_turn(&self, message: &mut Message, patience: Patience<'_>) -> Result<()> {
        self.take_turns(patience, |wire| wire.try_receive(message))
    }

    /// Receives one message as libzmq has it, to be passed on, and waits also while it is the turn to send.
    pub(crate) fn take(&self, patience: Patience<'_>) -> Result<Vec<zmq::Message>> {
        self.take_turns(patience, Wire::try_take)
    }

    /// Receives, for one who does so again and again until cancelled.
    fn take_turns<T>(&self, patience: Patience<'_>, mut receive: impl FnMut(&mut Wire) -> zmq::Result<T>) -> Result<T> {
        self.gate
            .operate(
                Direction::Receiving,
                patience,
                || None,
                |wire| {
                    // Once cancelled, no one is there for a message.
                    if patience.is_cancelled() {
                        return Err(zmq::Error::EAGAIN);
                    }
                    match receive(wire) {
                        // It is the turn to send. Whoever does so will look whether there is something to receive then.
                        Err(zmq::Error::EFSM) => wire.events().and(Err(zmq::Error::EAGAIN)),
                        outcome => outcome,
                    }
                },
            )
            .map_err(|halt| self.explain(halt, patience, &"receive"))
    }

    /// Waits until there is room for a message, as far as libzmq can tell before it knows which message.
    pub(crate) fn await_room(&self, patience: Patience<'_>) -> Result<()> {
        let slice = || self.slice_of_sending();
        self.gate
            .operate(Direction::Sending, patience, slice, |wire| wire.try_find_room())
            .map_err(|halt| self.explain(halt, patience, &"send"))
    }

    /// Sends a message that was taken from another socket, when there is room for it; until cancelled, and, to a peer
    /// that alone can be full, no longer than the timeout.
    ///
    /// To be called where no signal interrupts: [`Wire::try_pass_on`] says why.
    pub(crate) fn pass_on(&self, mut frames: Vec<zmq::Message>, cancel: &Cancel) -> Result<()> {
        let timeout = if self.kind.tells_of_room() { None } else { self.timeout };
        let patience = Patience::Until(cancel, timeout);
        self.check(&frames.iter().map(|frame| &**frame).collect::<Vec<&[u8]>>())?;
        self.gate
            .operate(
                Direction::Sending,
                patience,
                || self.slice_of_sending(),
                |wire| wire.try_pass_on(&mut frames),
            )
            .map_err(|halt| self.explain_sending(halt, patience, &frames[0]))
    }

    /// Waits until that many subscriptions have arrived since the socket opened.
    pub(crate) fn await_subscriptions(&self, wanted: usize, patience: Patience<'_>) -> Result<()> {
        /// Those who queue at the turnstile wait for what the one past it has seen long since, if they want fewer.
        const SLICE: Duration = Duration::from_millis(100);

        self.gate
            .operate(
                Direction::Receiving,
                patience,
                || Some(SLICE),
                |wire| wire.try_count_subscriptions(wanted),
            )
            .map_err(|halt| {
                let arrived = self.gate.look(Wire::subscriptions).unwrap_or(0);
                let doing = format!("wait for {wanted} subscriptions, of which {arrived} have arrived");
                self.explain(halt, patience, &doing)
            })
    }

    /// Ends what waits until this is set. When it returns, none of it will receive anything any more.
    pub(crate) fn cancel(&self, cancel: &Cancel) {
        self.gate.cancel(cancel);
    }

    #[inline]
    fn check(&self, frames: &[impl AsRef<[u8]>]) -> Result<()> {
        let outcome = self.kind.check(frames);
        outcome.map_err(|fault| Error::invalid(format!("{}: {fault}", self.label())))
    }

    /// How long those who wait to send do so at a time, if `POLLOUT` does not tell them when to go on (rule 8).
    fn slice_of_sending(&self) -> Option<Duration> {
        const SLICE: Duration = Duration::from_millis(10);
        (!self.kind.tells_of_room()).then_some(SLICE)
    }

    /// Closes the socket. Once it is back, the socket is closed, whoever was first to close it.
    ///
    /// If it was the process's last socket, this blocks until all that was sent is delivered or given up. Until then
    /// it holds `open`, which only those who close ask for: they too are to return when all is done, or the
    /// process could end with its messages undelivered.
    pub(crate) fn close(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.take() else { return };
        log::info!(target: "zeroless", "closing {}", self.label());
        self.bound().into_iter().for_each(context::free);
        self.gate.close();
        context::note_closed();
        drop(open);
    }

    /// A channel that is disconnected once the socket is closed, and carries nothing.
    pub(crate) fn closed(&self) -> &crossbeam_channel::Receiver<Infallible> {
        &self.closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.gate.look(|_| ()).is_none()
    }

    fn bind(&self, endpoint: &str) -> Result<()> {
        endpoint::check_bindable(endpoint)?;
        self.check_transport("bind", endpoint)?;
        let bound = loop {
            let attempt = self.gate.perform(|wire| {
                wire.bind(endpoint)?;
                wire.socket.get_last_endpoint()
            });
            match attempt {
                // A server that has just closed can be opened again.
                Err(Halt::Fault(zmq::Error::EADDRINUSE)) if context::is_freeing(endpoint) => {}
                Err(Halt::Fault(zmq::Error::EMFILE)) if context::is_freeing_sockets() => {}
                outcome => break outcome.map_err(|halt| halt.into_error(&format_args!("cannot bind {endpoint}")))?,
            }
            thread::sleep(context::FREEING_STEP);
        };
        let bound = bound.unwrap_or_else(|_| endpoint.to_owned());
        context::answer_inproc(&bound);
        log::info!(target: "zeroless", "{} bound to {bound}", self.kind.name());
        let mut book = self.book();
        book.first_endpoint.get_or_insert_with(|| bound.clone());
        book.bound.push(bound);
        drop(book);
        if let Some(policy) = &self.policy {
            policy.set_label(self.label());
        }
        Ok(())
    }

    /// That it is closed goes before whatever else may be wrong.
    fn check_open(&self, doing: &dyn std::fmt::Display) -> Result<()> {
        match self.is_closed() {
            true => Err(Halt::Closed.into_error(doing)),
            false => Ok(()),
        }
    }

    /// A stream speaks TCP and nothing else; over `inproc`, libzmq would take the peer for a raw one, too.
    fn check_transport(&self, doing: &str, endpoint: &str) -> Result<()> {
        if self.kind == Kind::Stream && !endpoint.starts_with("tcp://") {
            let message = format!("cannot {doing} {endpoint}: a stream speaks tcp only");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(())
    }

    pub(crate) fn connect(&self, endpoint: &str) -> Result<()> {
        self.check_open(&format_args!("cannot connect to {endpoint}"))?;
        self.check_transport("connect to", endpoint)?;
        context::await_inproc(endpoint);
        self.book().connect(&self.gate, self.kind, endpoint)?;
        log::info!(target: "zeroless", "{} connecting to {endpoint}", self.kind.name());
        Ok(())
    }

    pub(crate) fn disconnect(&self, endpoint: &str) -> Result<()> {
        self.check_open(&format_args!("cannot disconnect from {}", endpoint.escape_debug()))?;
        self.book().disconnect(&self.gate, endpoint)?;
        log::info!(target: "zeroless", "{} disconnected from {endpoint}", self.kind.name());
        Ok(())
    }

    /// Whom it lets in, if not everyone.
    pub(crate) fn policy(&self) -> Option<&Policy> {
        self.policy.as_deref()
    }

    /// The same, for who wants to change the keys that it lets in.
    pub(crate) fn policy_on_keys(&self) -> Result<&Policy> {
        self.check_open(&"cannot change the keys that are let in")?;
        self.policy().ok_or_else(|| policy::no_curve(&self.label()))
    }

    /// The endpoints that the socket is bound to, as libzmq resolved them.
    pub(crate) fn bound(&self) -> Vec<String> {
        self.book().bound.clone()
    }

    /// The endpoints that the socket is connected to.
    pub(crate) fn connected(&self) -> Vec<String> {
        self.book().connected.clone()
    }

    pub(crate) fn subscribe(&self, topic: &[u8]) -> Result<()> {
        self.check_open(&format_args!("cannot subscribe to \"{}\"", topic.escape_ascii()))?;
        publish::check_topic(topic)?;
        self.book().subscribe(&self.gate, topic)
    }

    pub(crate) fn unsubscribe(&self, topic: &[u8]) -> Result<()> {
        self.check_open(&format_args!("cannot unsubscribe from \"{}\"", topic.escape_ascii()))?;
        self.book().unsubscribe(&self.gate, topic)
    }

    /// The socket, as a person would name it.
    pub(crate) fn label(&self) -> String {
        let book = self.book();
        let endpoints: Vec<&str> = book.bound.iter().chain(&book.connected).map(String::as_str).collect();
        match endpoints.as_slice() {
            [] => format!("{} (connected to nothing)", self.kind.name()),
            some => format!("{} on {}", self.kind.name(), some.join(", ")),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an error of what stopped a message that may begin with the routing id of a peer.
    #[cold]
    fn explain_sending(&self, halt: Halt, patience: Patience<'_>, routing_id: &[u8]) -> Error {
        match halt {
            Halt::Fault(zmq::Error::EHOSTUNREACH) => {
                let message = format!(
                    "{}: no peer has the routing id \"{}\"; it has left, or has not come yet",
                    self.label(),
                    routing_id.escape_ascii()
                );
                Error::with_source(ErrorKind::NotConnected, message, zmq::Error::EHOSTUNREACH)
            }
            halt => self.explain(halt, patience, &"send"),
        }
    }

    /// Makes an error of what stopped an operation.
    #[cold]
    fn explain(&self, halt: Halt, patience: Patience<'_>, doing: &dyn std::fmt::Display) -> Error {
        let label = self.label();
        match halt {
            Halt::Unready => match patience {
                Patience::For(time) | Patience::Until(_, Some(time)) => {
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
            Halt::Fault(wire::DENIED) => Error::new(
                ErrorKind::Denied,
                format!(
                    "{label}: could not {doing}: the server has turned this client away, as its password, key or \
                     address is not let in, or another mechanism or pattern is spoken there; once that is mended, \
                     open a new client"
                ),
            ),
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
            Halt::NoBell(error) => {
                let message =
                    format!("{doing}: no file descriptor is left to wait with; close some, or raise the limit");
                Error::with_source(ErrorKind::Exhausted, message, error)
            }
        }
    }
}

/// The longest time, in milliseconds, that libzmq can tell a peer to expect a heartbeat within.
const LONGEST_HEARTBEAT_TTL: i32 = 6_553_599;

/// Sets what has to be set before a socket is bound or connected. What the user configures comes last, and wins.
fn set_up(socket: &zmq::Socket, plan: &Plan<'_>, guard: Option<&Guard>) -> Result<()> {
    let Plan { kind, options, .. } = plan;
    let options_set = || -> zmq::Result<()> {
        match kind {
            // libzmq lets a subscriber not linger, or it would wait to tell its topics to a publisher that is gone.
            Kind::Subscribe | Kind::XSubscribe => {}
            // It has nothing to deliver. And libzmq never ends to linger for a connection that was reset while the
            // queue of what it brought was full.
            Kind::Pull => socket.set_linger(0)?,
            _ => socket.set_linger(options.linger.or(options.timeout).map_or(-1, milliseconds))?,
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
        if let Some(identity) = &options.identity {
            socket.set_identity(identity)?;
        }
        if let Some(interval) = options.heartbeat {
            // The peer may take as long to answer as lies between two beats. It is told to expect them as well, so
            // that it notices too.
            let interval = milliseconds(interval);
            socket.set_heartbeat_ivl(interval)?;
            socket.set_heartbeat_timeout(interval)?;
            socket.set_heartbeat_ttl(interval.saturating_mul(2).min(LONGEST_HEARTBEAT_TTL))?;
        }
        if let Some(bytes) = options.max_message_size {
            socket.set_maxmsgsize(bytes)?;
        }
        match kind {
            // Relaxed, a request may be asked again after a timeout; correlated, only the reply to it is let in.
            Kind::Request => {
                socket.set_req_relaxed(true)?;
                socket.set_req_correlate(true)?;
            }
            // Verbose, so that a second subscriber to a topic is counted too.
            Kind::Publish => socket.set_xpub_verbose(true)?,
            // Mandatory, so that a message to nobody is an error. With handover, a peer that comes back under its
            // identity is let in, though libzmq may not have noticed yet that it was gone.
            Kind::Router => {
                socket.set_router_mandatory(true)?;
                socket.set_router_handover(true)?;
            }
            _ => {}
        }
        if let Some(credentials) = &options.credentials {
            credentials.set_on(socket)?;
        }
        if let Some(guard) = guard {
            socket.set_zap_domain(guard.domain())?;
            guard.policy().set_on(socket)?;
        }
        plan.topics.iter().try_for_each(|topic| socket.set_subscribe(topic))?;
        options.configure.iter().try_for_each(|configure| configure(socket))
    };
    let doing = || format!("cannot configure a {} socket", kind.name());
    options_set().map_err(|error| Error::from_zmq(doing(), error))?;
    match is_guarded_by(socket, guard) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let remedy = "who is let in is for Server::allow, plain and curve to say, and not for configure";
            Err(Error::invalid(format!("{}: {remedy}", doing())))
        }
        Err(error) => Err(Error::from_zmq(doing(), error)),
    }
}

/// Whether a socket is still as it was set up, after the user has had it.
///
/// What was never given a policy would be open, or closed, to everyone by whether there is another socket that was: if no
/// one is there to be asked, libzmq lets everyone in.
fn is_guarded_by(socket: &zmq::Socket, guard: Option<&Guard>) -> zmq::Result<bool> {
    let mechanism = socket.get_mechanism()?;
    let is_server = match mechanism {
        zmq::Mechanism::ZMQ_NULL => true,
        zmq::Mechanism::ZMQ_PLAIN => socket.is_plain_server()?,
        zmq::Mechanism::ZMQ_CURVE => socket.is_curve_server()?,
        _ => false,
    };
    let domain = socket.get_zap_domain()?;
    Ok(match guard {
        Some(guard) => {
            domain.as_deref() == Ok(guard.domain()) && (mechanism, is_server) == (guard.policy().mechanism(), true)
        }
        None => domain.as_deref() == Ok("") && (mechanism == zmq::Mechanism::ZMQ_NULL || !is_server),
    })
}
