//! The thread that answers libzmq's questions about clients: the ZAP handler.
//!
//! libzmq asks at one endpoint, for all sockets of a context. If nobody is bound to it, libzmq lets everyone in. If the
//! socket there is not a `ROUTER` or `REP`, libzmq aborts the process. (With an option of libzmq, it refuses everyone
//! instead if nobody is bound, but the `zmq` crate does not have that option.) So:
//!
//! * the handler starts before the first socket with a policy opens, and runs until all are closed; if its thread
//!   fails, libzmq waits for the answer, and lets nobody in;
//! * each socket with a policy has a ZAP domain of its own before it is bound;
//! * users cannot bind the endpoint: [`endpoint::check_bindable`] refuses it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use super::gate::{Direction, Gate, GateError};
use super::pattern::Pattern;
use super::wait::Wait;
use super::wire::Wire;
use crate::endpoint;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::security::{self, Verdict, ZapReply};

pub(super) struct ZapHandler {
    gate: Arc<Gate<Wire>>,
    thread: JoinHandle<()>,
}

impl ZapHandler {
    /// Starts answering, with a `ROUTER` socket.
    pub(super) fn start(socket: zmq::Socket, what_failed: &str) -> Result<ZapHandler> {
        let mut wire = Wire::new(socket, Pattern::Router);
        let mut prepare = || {
            wire.set_linger(Duration::ZERO);
            wire.bind(endpoint::ZAP)?;
            wire.descriptor()
        };
        let descriptor = prepare().map_err(|error| Error::from_zmq(what_failed, error))?;
        let gate = Arc::new(Gate::new(wire, descriptor));
        // The notifier is made now: once started, the thread must not fail because no descriptor is left.
        let notifier = gate.lock().waiters[Direction::Receiving as usize].announce();
        notifier.map_err(|error| Error::from_io(what_failed, error))?;
        let thread = {
            let gate = Arc::clone(&gate);
            thread::Builder::new()
                .name("zeroless-zap".into())
                .spawn(move || answer_all(&gate))
                .map_err(|error| Error::from_spawn(what_failed, error))?
        };
        Ok(ZapHandler { gate, thread })
    }

    pub(super) fn thread(&self) -> ThreadId {
        self.thread.thread().id()
    }

    /// Stops the thread, and waits until it has terminated. The thread itself must not call this.
    pub(super) fn stop(self) {
        self.gate.close();
        // If it panicked, the panic hook has reported that.
        let _ = self.thread.join();
    }
}

/// Answers until the gate is closed.
fn answer_all(gate: &Gate<Wire>) {
    let mut request = Message::new();
    let mut refusals = DelayedRefusals::default();
    loop {
        let receive = |wire: &mut Wire| wire.try_receive(&mut request);
        match gate.run_blocking(Direction::Receiving, refusals.wait(), || None, receive) {
            Ok(()) => match security::answer(&request) {
                Some((Verdict::Refuse, reply)) => refusals.push(reply),
                Some((_, reply)) => send(gate, &reply),
                None => {}
            },
            Err(GateError::Closed) => return,
            // A refusal is due. Or there was no memory, which lets nobody in, and the next request may be answered.
            Err(_) => {}
        }
        refusals.take_due().for_each(|reply| send(gate, &reply));
    }
}

/// If the session that asked has gone, libzmq drops the reply, because this `ROUTER` is not mandatory. It never waits.
fn send(gate: &Gate<Wire>, reply: &ZapReply) {
    let _ = gate.run(|wire| wire.try_send(reply));
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

    /// How long to wait until the next one is due.
    fn wait(&self) -> Wait<'static> {
        match self.0.front() {
            Some((due, _)) => Wait::For(due.saturating_duration_since(Instant::now())),
            None => Wait::Forever,
        }
    }

    fn take_due(&mut self) -> impl Iterator<Item = ZapReply> {
        let now = Instant::now();
        let count = self.0.iter().take_while(|(due, _)| *due <= now).count();
        self.0.drain(..count).map(|(_, reply)| reply)
    }
}
