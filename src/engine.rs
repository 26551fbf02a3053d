//! A socket that threads share: the one owner of `zmq::Socket`, and all of the crate's concurrency.
//!
//! A `zmq::Socket` may move between threads, but threads must not share it, and it cannot be closed while a thread
//! waits on it. Through an [`Engine`], any number of threads can send, receive, connect and close at the same time. It
//! has no thread of its own, and holds no lock while a thread blocks. (A client that is closed before a server has
//! accepted it gets one: see [`closing`].)
//!
//! # How it works
//!
//! The socket is in a mutex. An operation locks the mutex, tries without waiting, and unlocks. Only if libzmq returns
//! `EAGAIN` does the thread wait. It waits outside the lock, by polling two file descriptors: the socket's `ZMQ_FD`,
//! which libzmq makes readable when something has happened to the socket, and a notifier of the engine's own, which
//! other threads notify. Then it tries again.
//!
//! It would be simpler to hold a lock during a blocking call of libzmq, as other bindings do. But then no thread can
//! send while another receives, and no thread can close at all. It would be simpler still to give each socket a thread
//! of its own. But then every message costs two more thread switches, and a message on its way between the threads can
//! be lost.
//!
//! # What can go wrong, and the rule against it
//!
//! 1. **Another thread consumes the wake-up.** `ZMQ_FD` reports only *new* events, and any operation on the socket
//!    processes all of them, so `ZMQ_FD` is not readable any more. If a sender processes "a message has arrived" while
//!    it sends, the receiver sleeps on, although a message is there. So a thread that is about to unlock checks whether
//!    a thread waits; if so, it asks libzmq what the socket is ready for, and wakes the threads that wait for it:
//!    `Core::wake_ready` in the [`gate`]. This also holds within one direction: if two messages cause one wake-up, and
//!    a receiver that does not wait takes the first, it must wake the waiting thread for the second.
//! 2. **All threads wake for one message.** If all waiting receivers polled, each message would wake all of them, and
//!    each would need a notifier of its own. So at most one thread per direction polls. The others wait for its poll
//!    lock. A thread takes the poll lock only after `EAGAIN`, so sharing costs nothing while messages flow.
//! 3. **A sender waits although the queue is empty.** A send that does not wait processes what has happened to the
//!    socket only about once in three million CPU ticks. So its `EAGAIN` may be outdated. It counts only if the events
//!    confirm it: `Wire::try_send`.
//! 4. **The event comes just before the sleep.** A thread that announces only after unlocking that it waits would miss
//!    what happened in between. So it announces this before it releases the lock under which its attempt failed. That
//!    attempt processed all events so far. A later event makes `ZMQ_FD` readable, or another thread sees the
//!    announcement.
//! 5. **A signal interrupts the wait.** After `EINTR`, the thread continues to wait, for the time that is left.
//! 6. **A message is torn.** The frames of a message are sent under one lock, and received under one lock. If a peer
//!    vanishes in the middle, the socket is first given what libzmq still expects of that message:
//!    `Wire::recover_from_torn_message`.
//! 7. **A descriptor number is reused.** If a descriptor is closed while a thread polls it, the system may give the
//!    same number to another file. So closing first takes the socket out of the mutex, then wakes the polling threads
//!    and waits for them. Only then is the socket closed: [`Gate::close`], and after it [`closing`].
//! 8. **libzmq cannot report that there is room.** A router sends to the one peer that a message names. When the queue
//!    of that peer is full, `ZMQ_EVENTS` does not help: it says that *some* peer has room. So before a thread that
//!    waits for such a peer sleeps, the events are no reason for it to try again, or it would try again without end. It
//!    tries again when `ZMQ_FD` reports any new event. It also tries again every few milliseconds, because another
//!    thread that waits for another peer may process the event. Only this and `Engine::wait_for_subscriptions` need a
//!    timer.
//! 9. **The last peer leaves.** A thread that waits for an answer must learn that nobody can answer any more, and libzmq
//!    reports that only by reporting no room to send. So where a pattern asks for it, a socket without a peer counts as
//!    ready to receive, and receiving fails: `Wire::events` and `Engine::receive_while_connected`.

mod acceptance;
mod closing;
mod context;
mod denial;
mod draft;
mod eintr;
mod envelope;
mod failure;
mod gate;
mod incoming;
mod inproc;
#[cfg(zeroless_loom)]
mod model;
mod options;
mod pattern;
#[cfg(not(zeroless_loom))]
mod poll;
mod reaper;
mod setup;
mod state;
mod subscriptions;
pub(crate) mod sync;
#[cfg(all(test, not(zeroless_loom)))]
mod tests;
mod timed_lock;
mod wait;
mod wire;
mod zap_handler;

use std::convert::Infallible;
use std::fmt::Display;
use std::mem;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::security::{self, Policy, ZapDomain};
use crate::{endpoint, group, libzmq, message, topic};
use context::SharedContext;
use gate::{Direction, Gate, GateError, Pollable};
use incoming::Incoming;
pub(crate) use options::{Options, SocketSpec};
pub(crate) use pattern::Pattern;
use pattern::{Properties, Udp};
use state::SocketState;
pub(crate) use wait::{Cancel, Deadline, Wait};
use wire::{NO_PEER, Wire};

/// A live socket that all handles of one pattern share. See the [module's documentation](self).
pub(crate) struct Engine {
    properties: &'static Properties,
    timeout: Option<Duration>,
    /// Whether the client proves its identity.
    has_credentials: bool,
    gate: Gate<Wire>,
    /// Locked before the gate, where both are locked.
    state: Mutex<SocketState>,
    /// Disconnected once the socket is closed.
    closed: crossbeam_channel::Receiver<Infallible>,
    /// Which clients to let in, if not all.
    policy: Option<Arc<Policy>>,
    /// Locked during all of closing, and for nothing else; `None` once closed.
    resources: Mutex<Option<Resources>>,
}

/// What came to a socket that waits only while a peer is connected.
pub(crate) enum Arrival {
    Message,
    /// No peer is connected. Until then, this number of messages was sent.
    NoPeer {
        sent: u64,
    },
}

/// What is released when a socket has closed, in this order.
struct Resources {
    _domain: Option<ZapDomain>,
    /// The other end of the engine's `closed`.
    _closed: crossbeam_channel::Sender<Infallible>,
    context: Arc<SharedContext>,
}

impl Engine {
    /// Makes a socket, sets its options, binds it and connects it.
    pub(crate) fn open(spec: SocketSpec<'_>) -> Result<Engine> {
        let properties = spec.pattern.properties();
        let what_failed = format!("cannot open a {} socket", properties.name);
        let from_zmq = |error| Error::from_zmq(&what_failed, error);

        if properties.draft_type.is_some() {
            libzmq::require_draft(&what_failed)?;
        }
        let policy = spec.options.access.policy(properties.name)?;
        check_security(&spec, policy.as_ref(), &what_failed)?;
        let context = SharedContext::get(&what_failed)?;
        let domain = policy.map(|policy| context.enforce(policy, &what_failed)).transpose()?;
        let mut socket = context.socket(properties).map_err(from_zmq)?;
        setup::set_up(&mut socket, &spec, domain.as_ref())?;
        let descriptor = socket.get_fd().map_err(from_zmq)?;

        let (on_close, closed) = crossbeam_channel::bounded(0);
        let engine = Engine {
            properties,
            timeout: spec.options.timeout,
            has_credentials: spec.options.credentials.is_some(),
            gate: Gate::new(Wire::new(socket, spec.pattern), descriptor),
            state: Mutex::new(SocketState::new(spec.topics)),
            closed,
            policy: domain.as_ref().map(ZapDomain::policy),
            resources: Mutex::new(Some(Resources {
                _domain: domain,
                _closed: on_close,
                context,
            })),
        };
        let bind_all = || spec.binds.iter().try_for_each(|endpoint| engine.bind(endpoint));
        let connect_all = || spec.connects.iter().try_for_each(|endpoint| engine.connect(endpoint));
        match bind_all().and_then(|()| connect_all()) {
            Ok(()) => Ok(engine),
            Err(error) => {
                engine.close();
                Err(error)
            }
        }
    }

    /// How long an operation waits by default.
    #[inline]
    pub(crate) fn timeout(&self) -> Wait<'static> {
        self.timeout.map_or(Wait::Forever, Wait::For)
    }

    /// The timeout of the recipe.
    pub(crate) fn default_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The default wait, which `cancel` can end earlier.
    pub(crate) fn timeout_or<'a>(&self, cancel: &'a Cancel) -> Wait<'a> {
        Wait::Until(cancel, self.timeout)
    }

    /// Sends one message when there is room for it.
    #[inline]
    pub(crate) fn send(&self, frames: &[&[u8]], wait: Wait<'_>) -> Result<()> {
        self.send_quietly(frames, wait)?;
        self.log_sent(frames);
        Ok(())
    }

    /// Sends one message, as [`send`](Self::send) does, and writes nothing to the log: for callers that hold a lock, which a
    /// logger may need.
    #[inline]
    pub(crate) fn send_quietly(&self, frames: &[&[u8]], wait: Wait<'_>) -> Result<()> {
        self.check_shape(frames)?;
        self.gate
            .run_blocking(
                Direction::Sending,
                wait,
                || self.send_retry_interval(),
                |wire| wire.try_send(frames),
            )
            .map_err(|error| self.explain_sending(error, wait, frames[0]))
    }

    #[inline]
    pub(crate) fn log_sent(&self, frames: &[&[u8]]) {
        log::trace!(target: "zeroless", "{} sent {}", self.label(), message::sizes(frames.iter().map(|frame| frame.len())));
    }

    /// Receives one message when there is one, and replaces what is in the buffers of `message`.
    ///
    /// A caller that can be cancelled receives again and again, while another thread sends. So if that thread must
    /// first send a request or a reply (`EFSM`), this waits instead of failing.
    #[inline]
    pub(crate) fn receive(&self, message: &mut impl Incoming, wait: Wait<'_>) -> Result<()> {
        self.receive_quietly(message, wait)?;
        self.log_received(|| message.lengths());
        Ok(())
    }

    /// Receives one message, as [`receive`](Self::receive) does, and writes nothing to the log: for callers that hold a
    /// lock, which a logger may need.
    #[inline]
    pub(crate) fn receive_quietly(&self, message: &mut impl Incoming, wait: Wait<'_>) -> Result<()> {
        let try_receive = |wire: &mut Wire| {
            // After cancelling, the caller does not take a message any more, so it would be lost.
            if wait.is_cancelled() {
                return Err(zmq::Error::EAGAIN);
            }
            match wire.try_receive(message) {
                // Asking for the events processes them, as `run_blocking` requires before `EAGAIN`. The thread that
                // sends then wakes this one if there is a message.
                Err(zmq::Error::EFSM) if wait.is_cancellable() => wire.events().and(Err(zmq::Error::EAGAIN)),
                outcome => outcome,
            }
        };
        self.gate
            .run_blocking(Direction::Receiving, wait, || None, try_receive)
            .map_err(|error| self.explain(error, wait, &"receive"))
    }

    #[inline]
    pub(crate) fn log_received(&self, lengths: impl FnOnce() -> Vec<usize>) {
        log::trace!(target: "zeroless", "{} received {}", self.label(), message::sizes(lengths()));
    }

    /// The error of receiving when nothing has arrived in time.
    pub(crate) fn nothing_received(&self, wait: Wait<'_>) -> Error {
        self.explain(GateError::NotReady, wait, &"receive")
    }

    /// Receives one message, as [`receive_quietly`](Self::receive_quietly) does, or learns that no peer is connected (rule
    /// 9). Of the messages that were sent, the first `settled` have certainly left the queue.
    pub(crate) fn receive_while_connected(
        &self,
        message: &mut Message,
        settled: u64,
        wait: Wait<'_>,
    ) -> Result<Arrival> {
        let mut sent = 0;
        let try_receive = |wire: &mut Wire| {
            wire.note_settled(settled);
            sent = wire.sent();
            wire.try_receive(message)
        };
        match self.gate.run_blocking(Direction::Receiving, wait, || None, try_receive) {
            Ok(()) => Ok(Arrival::Message),
            Err(GateError::Libzmq(NO_PEER)) => Ok(Arrival::NoPeer { sent }),
            Err(error) => Err(self.explain(error, wait, &"receive")),
        }
    }

    /// Waits until a peer is connected that has room for a message.
    ///
    /// libzmq makes a queue for an `inproc` name before a server has bound it. That does not count as a peer.
    pub(crate) fn wait_for_peer(&self, wait: Wait<'_>) -> Result<()> {
        /// Another socket may bind the name, and libzmq does not report it.
        const RETRY_INTERVAL: Duration = Duration::from_millis(10);

        let endpoints = self.connected();
        let find_peer = |wire: &mut Wire| match inproc::are_unbound(&endpoints) {
            true => wire.events().and(Err(zmq::Error::EAGAIN)),
            false => wire.try_find_room(),
        };
        let interval = || inproc::are_unbound(&endpoints).then_some(RETRY_INTERVAL);
        self.gate
            .run_blocking(Direction::Sending, wait, interval, find_peer)
            .map_err(|error| self.explain(error, wait, &"connect"))
    }

    /// Whether all servers are `inproc` names that no socket has bound yet.
    pub(crate) fn awaits_binding(&self) -> bool {
        inproc::are_unbound(&self.state().connected)
    }

    /// How many received messages the queue of a peer holds.
    pub(crate) fn receive_limit(&self) -> usize {
        let limit = self.gate.inspect(|wire| wire.socket.get_rcvhwm());
        match limit
            .and_then(zmq::Result::ok)
            .and_then(|limit| usize::try_from(limit).ok())
        {
            None | Some(0) => usize::MAX,
            Some(limit) => limit,
        }
    }

    /// Waits until there is room for a message, as far as libzmq can tell without knowing the message.
    pub(crate) fn wait_for_room(&self, wait: Wait<'_>) -> Result<()> {
        let interval = || self.send_retry_interval();
        self.gate
            .run_blocking(Direction::Sending, wait, interval, |wire| wire.try_find_room())
            .map_err(|error| self.explain(error, wait, &"send"))
    }

    /// Sends a message that was received from another socket, when there is room for it. It waits until cancelled; if
    /// the message is for one peer, as on a router, also no longer than the timeout.
    ///
    /// The calling thread must block its signals: see [`Wire::try_pass_on`].
    pub(crate) fn pass_on(&self, mut frames: Vec<zmq::Message>, cancel: &Cancel) -> Result<()> {
        let wait = match self.properties.pollout_is_exact {
            true => Wait::Until(cancel, None),
            false => self.timeout_or(cancel),
        };
        self.check_shape(&frames.iter().map(|frame| &**frame).collect::<Vec<&[u8]>>())?;
        self.gate
            .run_blocking(
                Direction::Sending,
                wait,
                || self.send_retry_interval(),
                |wire| wire.try_pass_on(&mut frames),
            )
            .map_err(|error| self.explain_sending(error, wait, &frames[0]))
    }

    /// Waits until `wanted` subscriptions have arrived since the socket opened.
    pub(crate) fn wait_for_subscriptions(&self, wanted: usize, wait: Wait<'_>) -> Result<()> {
        /// Of several threads, only the one that polls sees the subscriptions arrive. The others may wait for fewer, so
        /// they check again by themselves.
        const RETRY_INTERVAL: Duration = Duration::from_millis(100);

        self.gate
            .run_blocking(
                Direction::Receiving,
                wait,
                || Some(RETRY_INTERVAL),
                |wire| wire.try_count_subscriptions(wanted),
            )
            .map_err(|error| {
                let arrived = self.gate.inspect(Wire::subscriptions_arrived).unwrap_or(0);
                let action = format!("wait for {wanted} subscriptions, of which {arrived} have arrived");
                self.explain(error, wait, &action)
            })
    }

    /// Cancels all operations that wait with `cancel`. When this returns, none of them will receive a message.
    pub(crate) fn cancel(&self, cancel: &Cancel) {
        self.gate.cancel(cancel);
    }

    #[inline]
    fn check_shape(&self, frames: &[impl AsRef<[u8]>]) -> Result<()> {
        let outcome = self.properties.check_shape(frames);
        outcome.map_err(|fault| Error::invalid(format!("{}: {fault}", self.label())))
    }

    /// How long a sender waits before it tries again, if the events cannot tell it when (rule 8).
    fn send_retry_interval(&self) -> Option<Duration> {
        const RETRY_INTERVAL: Duration = Duration::from_millis(10);
        (!self.properties.pollout_is_exact).then_some(RETRY_INTERVAL)
    }

    /// Closes the socket. When this returns, the socket is closed, even if another thread closed it.
    ///
    /// If it was the process's last socket, this blocks until all that was sent is delivered or given up. Meanwhile it
    /// holds the lock of `resources`, which only closing takes. A second thread that closes must wait, too: if it
    /// returned early, the process could end with undelivered messages.
    pub(crate) fn close(&self) {
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(resources) = resources.take() else { return };
        log::info!(target: "zeroless", "closing {}", self.label());
        for endpoint in self.bound() {
            inproc::note_released(&endpoint);
            reaper::note_released(endpoint);
        }
        if let Some(wire) = self.gate.close() {
            resources
                .context
                .closing
                .close(wire, self.label(), self.has_credentials);
        }
        drop(resources);
    }

    /// Says that it does not matter if what was sent is lost. Closing hardly waits for it then, and reports nothing.
    pub(crate) fn let_lose(&self) {
        // An error means that it is closed.
        let _ = self.gate.run(|wire| {
            wire.let_lose();
            Ok(())
        });
    }

    /// A channel that carries nothing, and is disconnected once the socket is closed.
    pub(crate) fn closed(&self) -> &crossbeam_channel::Receiver<Infallible> {
        &self.closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.gate.inspect(|_| ()).is_none()
    }

    fn bind(&self, endpoint: &str) -> Result<()> {
        self.check_udp(endpoint, Udp::Binds, "bind")?;
        let endpoint = &*check_bindable_once_freed(endpoint)?;
        self.check_transport("bind", endpoint)?;
        let bound = self.bind_once_freed(endpoint)?;
        inproc::note_bound(&bound);
        log::info!(target: "zeroless", "{} bound to {bound}", self.properties.name);
        self.state().note_bound(bound);
        if let Some(policy) = &self.policy {
            policy.set_label(self.label());
        }
        Ok(())
    }

    /// Binds, and returns the endpoint as libzmq has resolved it. If a socket that was just closed is in the way, this
    /// waits until libzmq has freed it.
    fn bind_once_freed(&self, endpoint: &str) -> Result<String> {
        loop {
            let attempt = self.gate.run(|wire| {
                wire.bind(endpoint)?;
                match endpoint::is_udp(endpoint) {
                    // libzmq returns it without its scheme.
                    true => Ok(Ok(endpoint.to_owned())),
                    false => wire.socket.get_last_endpoint(),
                }
            });
            match attempt {
                Err(GateError::Libzmq(zmq::Error::EADDRINUSE)) if reaper::may_free(endpoint) => {}
                Err(GateError::Libzmq(zmq::Error::EMFILE)) if reaper::may_free_socket() => {}
                Err(error) => return Err(error.into_error(&format_args!("cannot bind {endpoint}"))),
                Ok(bound) => return Ok(bound.unwrap_or_else(|_| endpoint.to_owned())),
            }
            thread::sleep(reaper::RETRY_INTERVAL);
        }
    }

    /// Fails if the socket is closed. This is checked first, so that a closed socket always gives this error.
    fn check_open(&self, what_failed: &dyn Display) -> Result<()> {
        match self.is_closed() {
            true => Err(GateError::Closed.into_error(what_failed)),
            false => Ok(()),
        }
    }

    /// A stream speaks TCP only. Over `inproc`, libzmq would treat the peer as a raw one, too.
    fn check_transport(&self, action: &str, endpoint: &str) -> Result<()> {
        if self.properties.is_raw && !endpoint.starts_with("tcp://") {
            let message =
                format!("cannot {action} {endpoint}: a stream speaks only tcp; give an endpoint tcp://host:port");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(())
    }

    /// Fails for a pattern that does not speak UDP that way, and for one that speaks nothing else.
    fn check_udp(&self, endpoint: &str, wanted: Udp, action: &str) -> Result<()> {
        let Properties { name, udp, .. } = *self.properties;
        let fault = |kind, what: &str| {
            let shown = endpoint.escape_debug();
            Err(Error::new(kind, format!("cannot {action} {shown}: {what}")))
        };
        let unsupported = |what: &str| fault(ErrorKind::Unsupported, what);
        match (endpoint::is_udp(endpoint), udp) {
            (false, Udp::Only) => unsupported("a dgram speaks only udp; give an endpoint udp://address:port"),
            (false, _) => Ok(()),
            (true, Udp::Nothing) => unsupported(&format!(
                "a {name} does not speak udp; use tcp, ipc or inproc, or the patterns radio and dish"
            )),
            (true, Udp::Connects) if wanted == Udp::Binds => {
                unsupported("over udp, a radio is a client; use Client::connect_to, and Server::at for the dish")
            }
            (true, Udp::Binds | Udp::Only) if wanted == Udp::Connects => {
                unsupported(&format!("over udp, a {name} is a server; use Server::at"))
            }
            (true, _) if self.policy.is_some() || self.has_credentials => {
                unsupported("udp has no keys, passwords or rules for clients; use another transport")
            }
            (true, Udp::Only) if !self.bound().is_empty() => fault(
                ErrorKind::AlreadyConnected,
                "a dgram has one endpoint, and this one is bound already; open another dgram",
            ),
            (true, _) => Ok(()),
        }
    }

    pub(crate) fn connect(&self, endpoint: &str) -> Result<()> {
        self.connect_quietly(endpoint)?;
        log::info!(target: "zeroless", "{} connecting to {endpoint}", self.properties.name);
        Ok(())
    }

    fn connect_quietly(&self, endpoint: &str) -> Result<()> {
        self.check_open(&format_args!("cannot connect to {endpoint}"))?;
        self.check_transport("connect to", endpoint)?;
        self.check_udp(endpoint, Udp::Connects, "connect to")?;
        inproc::note_connected(endpoint);
        self.state().connect(&self.gate, self.properties, endpoint)
    }

    pub(crate) fn disconnect(&self, endpoint: &str) -> Result<()> {
        self.disconnect_quietly(endpoint)?;
        log::info!(target: "zeroless", "{} disconnected from {endpoint}", self.properties.name);
        Ok(())
    }

    fn disconnect_quietly(&self, endpoint: &str) -> Result<()> {
        self.check_open(&format_args!("cannot disconnect from {}", endpoint.escape_debug()))?;
        self.state().disconnect(&self.gate, endpoint)?;
        // There libzmq's own thread takes no part: the other end is a socket, and answers when its threads use it.
        if !endpoint::is_inproc(endpoint) {
            self.finish_disconnecting();
        }
        Ok(())
    }

    /// Connects again to the servers that libzmq may have given up, which it does not report: `inproc` servers that have
    /// closed, and, if a message was `sent` to the others since they were connected, those that have sent a frame that is
    /// too large or malformed. What is queued for them is lost. Does nothing if a peer has room for a message.
    ///
    /// This writes nothing to the log: the caller holds a lock, and a logger may need it.
    pub(crate) fn connect_again(&self, sent: bool) {
        let may_be_given_up = |endpoint: &String| match endpoint::is_inproc(endpoint) {
            true => !inproc::are_unbound(slice::from_ref(endpoint)),
            false => sent,
        };
        let mut endpoints = self.connected();
        endpoints.retain(may_be_given_up);
        if endpoints.is_empty() || self.gate.run(|wire| wire.try_find_room()).is_ok() {
            return;
        }
        // An error means that another thread has disconnected or closed the socket.
        endpoints.retain(|endpoint| self.disconnect_quietly(endpoint).is_ok());
        self.await_no_room();
        for endpoint in endpoints {
            let _ = self.connect_quietly(&endpoint);
        }
    }

    /// Waits until no peer has room for a message, after disconnecting from all.
    ///
    /// libzmq's own thread may have just made a connection. It adds it to the socket, and takes it away again when it learns
    /// that the socket has disconnected. What is sent in between is lost.
    fn await_no_room(&self) {
        /// libzmq's thread may be busy.
        const LIMIT: Duration = Duration::from_millis(200);

        let look = |wire: &mut Wire| match wire.try_find_room() {
            Ok(()) => Err(zmq::Error::EAGAIN),
            Err(_) => Ok(()),
        };
        // A peer that still has room then is another one.
        let _ = self
            .gate
            .run_blocking(Direction::Receiving, Wait::For(LIMIT), || None, look);
    }

    pub(crate) fn disconnect_all(&self) -> Result<()> {
        self.check_open(&"cannot disconnect")?;
        let connected = self.connected();
        let outcomes = connected.iter().map(|endpoint| self.disconnect(endpoint));
        // An error does not keep the other endpoints connected.
        outcomes.fold(Ok(()), Result::and)
    }

    /// Stops listening at an endpoint. The connections stay.
    pub(crate) fn unbind(&self, endpoint: &str) -> Result<()> {
        self.check_open(&state::cannot_unbind(endpoint))?;
        self.state().unbind(&self.gate, endpoint)?;
        log::info!(target: "zeroless", "{} unbound from {endpoint}", self.properties.name);
        if let Some(policy) = &self.policy {
            policy.set_label(self.label());
        }
        Ok(())
    }

    /// Waits until something has happened to the socket, and processes it.
    ///
    /// After disconnecting, libzmq's own thread needs one answer of the socket before it closes the connection. A socket
    /// that nobody uses would never give it, and the server would go on sending messages to it, which are lost.
    fn finish_disconnecting(&self) {
        /// libzmq's thread may be busy.
        const LIMIT: Duration = Duration::from_millis(50);

        // A thread that polls the socket already processes what happens to it.
        if self.gate.is_polled() {
            return;
        }
        let mut is_first = true;
        let look = |wire: &mut Wire| {
            wire.events()?;
            match mem::take(&mut is_first) {
                true => Err(zmq::Error::EAGAIN),
                false => Ok(()),
            }
        };
        // Without an answer, the connection is closed when the socket is used next.
        let _ = self
            .gate
            .run_blocking(Direction::Receiving, Wait::For(LIMIT), || None, look);
    }

    /// Subscribes to a topic, or joins a group.
    pub(crate) fn subscribe(&self, topic: &[u8]) -> Result<()> {
        self.check_open(&state::cannot_subscribe(self.properties, topic))?;
        match self.properties.joins_groups {
            true => group::check(topic)?,
            false => topic::check(topic)?,
        }
        self.state().subscribe(&self.gate, self.properties, topic)
    }

    pub(crate) fn unsubscribe(&self, topic: &[u8]) -> Result<()> {
        self.check_open(&state::cannot_unsubscribe(self.properties, topic))?;
        self.state().unsubscribe(&self.gate, self.properties, topic)
    }

    /// The routing id of a server that a peer is connected to.
    pub(crate) fn routing_id(&self, endpoint: &str) -> Result<Vec<u8>> {
        let what_failed = format!("cannot return the routing id of {}", endpoint.escape_debug());
        if !self.properties.connects_peers {
            let name = self.properties.name;
            return Err(Error::invalid(format!(
                "{what_failed}: a {name} does not know it; only a peer does"
            )));
        }
        self.check_open(&what_failed)?;
        let routing_id = self.gate.inspect(|wire| wire.routing_id(endpoint)).flatten();
        routing_id
            .map(Vec::from)
            .ok_or_else(|| endpoint::not_a_server(&what_failed, &self.connected()))
    }

    /// Which clients the socket lets in, if not all.
    pub(crate) fn policy(&self) -> Option<&Policy> {
        self.policy.as_deref()
    }

    /// The policy of an open socket, to change the keys that it lets in.
    pub(crate) fn policy_for_keys(&self) -> Result<&Policy> {
        self.check_open(&"cannot change the keys that are let in")?;
        self.policy().ok_or_else(|| security::no_curve(&self.label()))
    }

    /// The endpoints that the socket is bound to, as libzmq has resolved them.
    pub(crate) fn bound(&self) -> Vec<String> {
        self.state().bound.clone()
    }

    /// The endpoints that the socket is connected to.
    pub(crate) fn connected(&self) -> Vec<String> {
        self.state().connected.clone()
    }

    /// A name of the socket for people: its pattern and endpoints.
    pub(crate) fn label(&self) -> String {
        let state = self.state();
        let endpoints: Vec<&str> = state.bound.iter().chain(&state.connected).map(String::as_str).collect();
        match endpoints.as_slice() {
            [] => format!("{} (connected to nothing)", self.properties.name),
            some => format!("{} on {}", self.properties.name, some.join(", ")),
        }
    }

    fn state(&self) -> MutexGuard<'_, SocketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error of sending a message that begins with `first_frame`.
    #[cold]
    fn explain_sending(&self, error: GateError, wait: Wait<'_>, first_frame: &[u8]) -> Error {
        match error {
            GateError::Libzmq(zmq::Error::EHOSTUNREACH) => failure::of_unknown_peer(&self.label(), first_frame),
            other => self.explain(other, wait, &"send"),
        }
    }

    #[cold]
    fn explain(&self, error: GateError, wait: Wait<'_>, action: &dyn Display) -> Error {
        failure::of_waiting(
            error,
            &self.label(),
            action,
            wait,
            self.has_credentials,
            self.properties.advice_on_turns,
        )
    }
}

/// Checks an endpoint to bind, and returns it, with a port if it had none over UDP. If a socket that was just closed is
/// still there, this waits until libzmq has freed it.
fn check_bindable_once_freed(endpoint: &str) -> Result<String> {
    loop {
        match endpoint::check_bindable(endpoint) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && reaper::may_free(endpoint) => {
                thread::sleep(reaper::RETRY_INTERVAL);
            }
            outcome => return outcome,
        }
    }
}

/// Fails if the pattern or this build of libzmq cannot do what the socket's security needs.
fn check_security(spec: &SocketSpec<'_>, policy: Option<&Policy>, what_failed: &str) -> Result<()> {
    let credentials = spec.options.credentials.as_ref();
    if spec.pattern.properties().is_raw && (policy.is_some() || credentials.is_some()) {
        let message = format!(
            "{what_failed}: a stream speaks plain TCP, without keys, passwords or rules for clients; use another pattern"
        );
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    credentials.map_or(Ok(()), |credentials| credentials.check(what_failed))
}
