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

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use super::gate::{Direction, Gate, Halt};
use super::wire::Wire;
use super::{Kind, Patience};
use crate::Message;
use crate::endpoint::ZAP;
use crate::error::{Error, Result};
use crate::policy::{Applicant, Policy, Verdict};

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
    let mut refusals = Refusals::default();
    loop {
        let receive = |wire: &mut Wire| wire.try_receive(&mut request);
        match gate.operate(Direction::Receiving, refusals.patience(), || None, receive) {
            Ok(()) => match answer(&request) {
                Some((Verdict::Refuse, reply)) => refusals.keep(reply),
                Some((_, reply)) => send(gate, &reply),
                None => {}
            },
            Err(Halt::Closed) => return,
            // Time is up for a refusal. Or there was no memory, which lets in no one; the next one asks again.
            Err(_) => {}
        }
        refusals.due().for_each(|reply| send(gate, &reply));
    }
}

/// The session that asked may have gone, and a router drops what is for nobody. It is never full.
fn send(gate: &Gate<Wire>, reply: &Reply) {
    let _ = gate.perform(|wire| wire.try_send(reply));
}

/// What is answered to a request.
type Reply = [Vec<u8>; 8];

/// The refusals that are on their way, each with the time to send it.
///
/// A client of libzmq that is turned away before its `zmq_connect` has returned, which happens where there is only one
/// processor, never notices: its session asks to be ended before the socket knows of it. It takes a moment longer to
/// guess passwords, too.
#[derive(Default)]
struct Refusals(VecDeque<(Instant, Reply)>);

impl Refusals {
    const DELAY: Duration = Duration::from_millis(100);

    fn keep(&mut self, reply: Reply) {
        self.0.push_back((Instant::now() + Self::DELAY, reply));
    }

    /// How long to wait until the next one is due.
    fn patience(&self) -> Patience<'static> {
        match self.0.front() {
            Some((time, _)) => Patience::For(time.saturating_duration_since(Instant::now())),
            None => Patience::Forever,
        }
    }

    /// Takes those that are due.
    fn due(&mut self) -> impl Iterator<Item = Reply> {
        let now = Instant::now();
        let count = self.0.iter().take_while(|(time, _)| *time <= now).count();
        self.0.drain(..count).map(|(_, reply)| reply)
    }
}

/// The reply to a request. There is none for a socket that is closed: its clients are not refused, and what they wait
/// in is gone in a moment.
fn answer(request: &Message) -> Option<(Verdict, Reply)> {
    let [peer, _, _, id, domain, address, _, mechanism, credentials @ ..] = request.as_slice() else {
        return None;
    };
    let policy = policies().get(str::from_utf8(domain).ok()?).cloned()?;
    let verdict = policy.judge(&Applicant {
        address: str::from_utf8(address).ok()?,
        mechanism,
        credentials,
    });
    let (code, text, name) = match &verdict {
        Verdict::Admit(name) => ("200", "OK", name.as_str()),
        Verdict::Postpone => ("300", "try again", ""),
        Verdict::Refuse => ("400", "refused", ""),
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
    let reply = frames.map(<[u8]>::to_vec);
    Some((verdict, reply))
}
