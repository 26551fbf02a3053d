//! The threads that answer libzmq's questions about clients: the ZAP handler.
//!
//! libzmq asks at one endpoint, for all sockets of a context. If nobody is bound to it, libzmq lets everyone in. If the
//! socket there is not a `ROUTER` or `REP`, libzmq aborts the process. (With an option of libzmq, it refuses everyone
//! instead if nobody is bound, but the `zmq` crate does not have that option.) So:
//!
//! * the handler's socket is bound before the first socket with a policy opens, and until all are closed; if nobody
//!   answers, libzmq waits for the handshake time, and lets nobody in;
//! * each socket with a policy has a ZAP domain of its own before it is bound;
//! * users cannot bind the endpoint: [`endpoint::check_bindable`] refuses it.
//!
//! # Threads
//!
//! To check a client may run users' code: a password function, a logger, the `drop` of what these own. It may read files
//! of keys. All of that may block, panic, or never end. So the thread that receives what libzmq asks does none of it,
//! also for clients that a look into memory could decide on, because a refusal is logged. It puts each request into the
//! queue of its socket at once, where old ones are dropped, and libzmq frees the clients that have left. Other threads
//! check the clients:
//!
//! * They start when requests wait, and end when none does. Most servers check clients seldom, and starting a thread
//!   costs less than the connection of the client.
//! * Each works for one socket, and each socket has a few at most: [`Admission::start_checker`]. A function that never
//!   returns keeps its thread forever, but concerns only the clients of its own socket.
//! * Nobody waits for their end. A thread whose check ends after the handler has stopped finds the socket closed, and
//!   touches nothing of libzmq. If a check drops the last socket of all, its thread stops the handler.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::gate::{Direction, Gate, GateError, GateResult};
use super::pattern::Pattern;
use super::wait::{Cancel, Wait};
use super::wire::Wire;
use crate::endpoint;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::security::{self, Admission, Checker, Verdict, ZapReply};
use crate::unwind::contain;

/// How long to wait before trying again to start a thread, after the system had none left.
const THREAD_RETRY_INTERVAL: Duration = Duration::from_millis(100);

pub(super) struct ZapHandler {
    responder: Arc<Responder>,
    thread: Option<JoinHandle<()>>,
}

impl ZapHandler {
    /// Binds a `ROUTER` socket to the endpoint. From now on, libzmq lets in only clients that are answered for.
    pub(super) fn bind(socket: zmq::Socket, what_failed: &str) -> Result<ZapHandler> {
        let mut wire = Wire::new(socket, Pattern::Router);
        let mut prepare = || {
            wire.set_linger(Duration::ZERO);
            wire.bind(endpoint::ZAP)?;
            wire.socket.get_fd()
        };
        let descriptor = prepare().map_err(|error| Error::from_zmq(what_failed, error))?;
        let gate = Gate::new(wire, descriptor);
        // The notifier is made now: once started, the thread must not fail because no descriptor is left.
        let notifier = gate.lock().waiters[Direction::Receiving as usize].announce();
        notifier.map_err(|error| Error::from_io(what_failed, error))?;
        let refusals = Mutex::default();
        Ok(ZapHandler {
            responder: Arc::new(Responder { gate, refusals }),
            thread: None,
        })
    }

    /// Starts the thread that answers, unless it runs.
    pub(super) fn ensure_answering(&mut self, what_failed: &str) -> Result<()> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            let responder = Arc::clone(&self.responder);
            let thread = thread::Builder::new()
                .name("zeroless-zap".into())
                .spawn(move || while contain(|| responder.answer_all()).is_none() {});
            self.thread = Some(thread.map_err(|error| Error::from_spawn(what_failed, error))?);
        }
        Ok(())
    }

    /// Stops answering, and waits until the thread has terminated, which runs no user's code.
    pub(super) fn stop(self) {
        self.responder.gate.close();
        if let Some(thread) = self.thread {
            let _ = thread.join();
        }
    }
}

/// What the threads share.
struct Responder {
    gate: Gate<Wire>,
    refusals: Mutex<DelayedRefusals>,
}

impl Responder {
    /// Takes requests and sends delayed refusals, until the gate is closed.
    fn answer_all(self: &Arc<Responder>) {
        let mut without_thread: Vec<Arc<Admission>> = Vec::new();
        loop {
            let retry_interval = (!without_thread.is_empty()).then_some(THREAD_RETRY_INTERVAL);
            match self.receive(retry_interval) {
                Ok(request) => {
                    let admission = security::enqueue(request);
                    let is_new = |one: &Arc<Admission>| !without_thread.iter().any(|other| Arc::ptr_eq(one, other));
                    without_thread.extend(admission.filter(is_new));
                }
                Err(GateError::Closed) => return,
                // Something else is due. Or there was no memory, which lets nobody in, and the next request may be
                // answered.
                Err(_) => {}
            }
            without_thread.retain(|admission| self.start_checker(admission).is_err());
            let due = self.refusals().take_due();
            due.iter().for_each(|reply| self.send(reply));
        }
    }

    /// Receives a request. Fails if a refusal is due before, or something is to be tried again after this interval.
    fn receive(&self, retry_interval: Option<Duration>) -> GateResult<Message> {
        let next_refusal = self.refusals().next();
        let until_refusal = next_refusal.map(|due| due.saturating_duration_since(Instant::now()));
        let wait = until_refusal.into_iter().chain(retry_interval).min();
        let mut request = Message::new();
        let receive = |wire: &mut Wire| match wire.try_receive(&mut request) {
            // There is a first refusal to wait for.
            Err(zmq::Error::EAGAIN) if self.refusals().next() != next_refusal => Err(zmq::Error::EINTR),
            outcome => outcome,
        };
        let wait = wait.map_or(Wait::Forever, Wait::For);
        self.gate.run_blocking(Direction::Receiving, wait, || None, receive)?;
        Ok(request)
    }

    /// Starts a thread that checks clients, if one is needed.
    fn start_checker(self: &Arc<Responder>, admission: &Arc<Admission>) -> io::Result<()> {
        let Some(checker) = admission.start_checker() else {
            return Ok(());
        };
        let responder = Arc::downgrade(self);
        let builder = thread::Builder::new().name("zeroless-check".into());
        builder.spawn(move || check_all(&checker, &responder)).map(drop)
    }

    fn reply(&self, verdict: &Verdict, reply: ZapReply) {
        match verdict {
            Verdict::Refuse => {
                self.refusals().push(reply);
                // This wakes the thread that waits for the next request.
                self.gate.cancel(&Cancel::default());
            }
            Verdict::Admit(_) | Verdict::Postpone => self.send(&reply),
        }
    }

    /// If the session that asked has gone, libzmq drops the reply, because this `ROUTER` is not mandatory. It never
    /// waits.
    fn send(&self, reply: &ZapReply) {
        let _ = self.gate.run(|wire| wire.try_send(reply));
    }

    fn refusals(&self) -> MutexGuard<'_, DelayedRefusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks clients until none waits.
fn check_all(checker: &Checker, responder: &Weak<Responder>) {
    while let Some(check) = checker.next() {
        contain(move || {
            let (verdict, reply) = check.answer()?;
            responder.upgrade()?.reply(&verdict, reply);
            Some(())
        });
    }
}

/// The refusals that are not sent yet, each with the time to send it.
///
/// A client of libzmq that is refused before its `zmq_connect` has returned never notices, because its session asks to
/// be terminated before the socket knows of the session. That happens where there is only one processor. The delay also
/// slows down guessing passwords.
#[derive(Default)]
struct DelayedRefusals(VecDeque<(Instant, ZapReply)>);

impl DelayedRefusals {
    const DELAY: Duration = Duration::from_millis(100);

    fn push(&mut self, reply: ZapReply) {
        self.0.push_back((Instant::now() + Self::DELAY, reply));
    }

    /// When the next one is due.
    fn next(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    fn take_due(&mut self) -> Vec<ZapReply> {
        let now = Instant::now();
        let count = self.0.iter().take_while(|(due, _)| *due <= now).count();
        self.0.drain(..count).map(|(_, reply)| reply).collect()
    }
}

#[cfg(all(test, not(zeroless_loom)))]
mod tests {
    use super::*;
    use crate::security::{AccessRules, ZapDomain};

    /// Asks about a client of this domain as libzmq does, and returns the status code.
    fn ask(context: &zmq::Context, domain: &ZapDomain) -> String {
        let socket = context.socket(zmq::REQ).unwrap();
        socket.set_linger(0).unwrap();
        socket.set_rcvtimeo(30_000).unwrap();
        socket.connect(endpoint::ZAP).unwrap();
        let request = ["1.0", "1", domain.name(), "127.0.0.1", "", "NULL"];
        socket.send_multipart(request, 0).unwrap();
        let reply = socket.recv_multipart(0).unwrap();
        String::from_utf8(reply[2].clone()).unwrap()
    }

    #[test]
    fn thread_that_is_gone_is_replaced() {
        let context = zmq::Context::new();
        let mut rules = AccessRules::default();
        rules.allow(["127.0.0.1"]).unwrap();
        let domain = ZapDomain::new(rules.policy("pull").unwrap().unwrap());
        let mut handler = ZapHandler::bind(context.socket(zmq::ROUTER).unwrap(), "").unwrap();
        handler.thread = Some(thread::spawn(|| {}));
        while !handler.thread.as_ref().unwrap().is_finished() {
            thread::yield_now();
        }
        handler.ensure_answering("").unwrap();
        assert_eq!(ask(&context, &domain), "200");
        let thread = handler.thread.as_ref().unwrap().thread().id();
        handler.ensure_answering("").unwrap();
        assert_eq!(handler.thread.as_ref().unwrap().thread().id(), thread, "it still runs");
        handler.stop();
    }
}
