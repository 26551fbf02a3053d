//! The one who is asked whom to let in: libzmq's ZAP handler ([RFC 27](https://rfc.zeromq.org/spec/27/)).
//!
//! libzmq asks at one place, `inproc://zeromq.zap.01`, for all the sockets of a context, and names the socket by its
//! *domain*. If nobody is there to be asked, it lets everyone in, and if somebody is there who is no `ROUTER` or `REP`,
//! it ends the process. (An option of libzmq's lets in no one instead of everyone, but the `zmq` crate does not have it.)
//! So here
//!
//! * the handler is there before the first guarded socket is, and stays until all are closed; if it fails, libzmq waits
//!   for its answer;
//! * each guarded socket has a domain of its own, from before it is bound;
//! * the place is no one else's: [`endpoint`](crate::endpoint) keeps users away from it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};

use super::gate::{Direction, Gate, Halt};
use super::wire::Wire;
use super::{Kind, Patience};
use crate::Message;
use crate::access::{Applicant, Policy, Verdict};
use crate::endpoint::ZAP;
use crate::error::{Error, Result};

const VERSION: &[u8] = b"1.0";

/// The policies of the sockets that are open, by their domains.
static POLICIES: Mutex<BTreeMap<String, Arc<Policy>>> = Mutex::new(BTreeMap::new());

fn policies() -> MutexGuard<'static, BTreeMap<String, Arc<Policy>>> {
    POLICIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A socket's policy, in force until this is dropped.
pub(crate) struct Guard {
    domain: String,
    policy: Arc<Policy>,
}

impl Guard {
    pub(crate) fn new(policy: Policy) -> Guard {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let domain = format!("zeroless-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let policy = Arc::new(policy);
        policies().insert(domain.clone(), Arc::clone(&policy));
        Guard { domain, policy }
    }

    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Not dropped under the lock: what a user's function holds may be another guarded socket.
        let policy = policies().remove(&self.domain);
        drop(policy);
    }
}

/// The thread that answers, and what ends it.
pub(crate) struct Handler {
    gate: Arc<Gate<Wire>>,
    thread: JoinHandle<()>,
}

impl Handler {
    /// Starts answering, with a socket that is a `ROUTER`. An error says what it was wanted for: `doing` something.
    pub(crate) fn start(socket: zmq::Socket, doing: &str) -> Result<Handler> {
        let prepare = || {
            socket.set_linger(0)?;
            socket.bind(ZAP)?;
            socket.get_fd()
        };
        let descriptor = prepare().map_err(|error| Error::from_zmq(doing, error))?;
        let gate = Arc::new(Gate::new(Wire::new(socket, Kind::Router), descriptor));
        // What it waits with is made now: once it is started, nothing may be missing that it cannot go on without.
        let bell = gate.lock().lanes[Direction::Receiving as usize].raise();
        bell.map_err(|error| Error::from_io(doing, error))?;
        let thread = {
            let gate = Arc::clone(&gate);
            thread::Builder::new()
                .name("zeroless-zap".into())
                .spawn(move || answer_all(&gate))
                .map_err(|error| Error::from_spawn(doing, error))?
        };
        Ok(Handler { gate, thread })
    }

    pub(crate) fn thread(&self) -> ThreadId {
        self.thread.thread().id()
    }

    /// Ends the thread, and waits for it. Not to be called by itself.
    pub(crate) fn end(self) {
        self.gate.close();
        // It has told of its panic, if it had one.
        let _ = self.thread.join();
    }
}

/// Answers until the gate is closed.
fn answer_all(gate: &Gate<Wire>) {
    let mut request = Message::new();
    loop {
        let receive = |wire: &mut Wire| wire.try_receive(&mut request);
        match gate.operate(Direction::Receiving, Patience::Forever, || None, receive) {
            Ok(()) => {}
            Err(Halt::Closed) => return,
            // For want of memory: nobody is let in by that, and the next one asks again.
            Err(_) => continue,
        }
        if let Some(reply) = answer(&request) {
            // The session that asked may have gone, and a router drops what is for nobody. It is never full.
            let _ = gate.perform(|wire| wire.try_send(&reply));
        }
    }
}

/// The reply to a request. There is none for a socket that is closed: its clients are not refused, and what they wait
/// in is gone in a moment.
fn answer(request: &Message) -> Option<[Vec<u8>; 8]> {
    let [peer, _, _, id, domain, address, _, mechanism, credentials @ ..] = request.as_slice() else {
        return None;
    };
    let policy = policies().get(str::from_utf8(domain).ok()?).cloned()?;
    let (code, text, name) = match policy.judge(&Applicant {
        address: str::from_utf8(address).ok()?,
        mechanism,
        credentials,
    }) {
        Verdict::Admit(name) => ("200", "OK", name),
        Verdict::Postpone => ("300", "try again", String::new()),
        Verdict::Refuse => ("400", "refused", String::new()),
    };
    let frames = [
        peer.as_slice(),
        b"",
        VERSION,
        id,
        code.as_bytes(),
        text.as_bytes(),
        name.as_bytes(),
        b"",
    ];
    Some(frames.map(<[u8]>::to_vec))
}
