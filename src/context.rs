//! The `zmq::Context` that all sockets of the process share.
//!
//! It is made when the first socket opens and ended when the last one closes. Ending it blocks until libzmq has
//! delivered what was sent, or until the linger of each socket has passed: this is what lets a script's last messages
//! survive its exit. The wait falls to whoever closes the last socket, whichever socket the messages were sent on.

use std::collections::BTreeSet;
use std::io;
use std::mem;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use crate::endpoint;
use crate::engine::{Guard, Handler};
use crate::error::{Error, Result};
use crate::policy::Policy;

/// How long ending the context may take before the log says that it does.
const PATIENCE: Duration = Duration::from_secs(1);

/// The context in use, if any socket is open.
static CURRENT: Mutex<Weak<SharedContext>> = Mutex::new(Weak::new());

/// Every open socket holds one; dropping the last one ends the context.
pub(crate) struct SharedContext {
    /// `Some` until the drop.
    context: Option<zmq::Context>,
    /// In reserve for the end, when libzmq may have no other left: see [`answer_for_those_awaited`].
    spare: Mutex<Option<zmq::Socket>>,
    /// Made for the first socket that does not let everyone in.
    zap: Mutex<Option<Handler>>,
}

impl SharedContext {
    /// The context in use, or a new one. An error says what it was wanted for: `doing` something.
    ///
    /// One that is just ending is no longer in use: a socket opened meanwhile gets the next one, and does not wait.
    pub(crate) fn get(doing: &str) -> Result<Arc<SharedContext>> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = current.upgrade() {
            return Ok(context);
        }
        check_descriptors().map_err(|error| Error::from_io(doing, error))?;
        check_threads().map_err(|error| Error::from_spawn(doing, error))?;
        let context = zmq::Context::new();
        let spare = context
            .socket(zmq::PAIR)
            .map_err(|error| Error::from_zmq(doing, error))?;
        let fresh = Arc::new(SharedContext {
            context: Some(context),
            spare: Mutex::new(Some(spare)),
            zap: Mutex::new(None),
        });
        *current = Arc::downgrade(&fresh);
        Ok(fresh)
    }

    /// Puts a policy in force, with someone there to be asked for it.
    pub(crate) fn guard(&self, policy: Policy, doing: &str) -> Result<Guard> {
        let mut zap = self.zap.lock().unwrap_or_else(PoisonError::into_inner);
        if zap.is_none() {
            let socket = self
                .socket(zmq::ROUTER)
                .map_err(|error| Error::from_zmq(doing, error))?;
            *zap = Some(Handler::start(socket, doing)?);
        }
        Ok(Guard::new(policy))
    }

    /// A new socket. If none is left, this waits for those that libzmq is about to free.
    pub(crate) fn socket(&self, kind: zmq::SocketType) -> zmq::Result<zmq::Socket> {
        let context = self.context.as_ref().expect("BUG: the context is gone before its drop");
        loop {
            match context.socket(kind) {
                Err(zmq::Error::EMFILE) if is_freeing_sockets() => thread::sleep(FREEING_STEP),
                outcome => return outcome,
            }
        }
    }
}

/// Looks whether there are as many file descriptors as a context and its first two sockets take, which are twelve
/// here: if libzmq finds none while it starts, it ends the process.
fn check_descriptors() -> io::Result<()> {
    let pairs: io::Result<Vec<_>> = (0..7).map(|_| UnixStream::pair()).collect();
    pairs.map(drop)
}

/// Looks whether there are as many threads as a context takes, for the same reason. It takes two; two more make sure,
/// as a thread that has just ended may count for a moment longer.
fn check_threads() -> io::Result<()> {
    let (held, hold) = bounded::<()>(0);
    let start = |_| {
        let hold = hold.clone();
        thread::Builder::new().spawn(move || _ = hold.recv())
    };
    let threads: Vec<_> = (0..4).map(start).collect();
    drop(held);
    threads
        .into_iter()
        .try_for_each(|thread| thread.map(|thread| _ = thread.join()))
}

impl Drop for SharedContext {
    fn drop(&mut self) {
        let zap = self.zap.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let spare = self.spare.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let context = self.context.take();
        // The handler's thread drops a socket if the function of a user that it asks for passwords was the last to hold
        // it. That thread cannot wait for its own end.
        match zap {
            Some(zap) if zap.thread() == thread::current().id() => {
                thread::spawn(move || end(Some(zap), spare, context));
            }
            zap => end(zap, spare, context),
        }
    }
}

/// Ends the context, and what goes with it.
fn end(zap: Option<Handler>, spare: Option<zmq::Socket>, context: Option<zmq::Context>) {
    let (ended, wait) = bounded::<()>(0);
    let watch = thread::Builder::new()
        .name("zeroless-closing".into())
        .spawn(move || warn_when_late(&wait));
    // All sockets are closed, so no one asks any more.
    zap.into_iter().for_each(Handler::end);
    spare.into_iter().for_each(answer_for_those_awaited);
    drop(context);
    drop(ended);
    // Where the thread could not be started, only its warning is lost.
    if let Ok(watch) = watch {
        let _ = watch.join();
    }
}

/// Logs a warning once [`PATIENCE`] has passed, unless the other end of the channel is dropped before.
///
/// libzmq's ending takes no timeout, so the clock is a thread of its own, for as long as the ending takes.
fn warn_when_late(ended: &Receiver<()>) {
    if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        log::warn!(
            target: "zeroless",
            "the last socket has waited {PATIENCE:?} to close: messages sent by this process have not reached their \
             peers yet; start the peers, or set a linger to give up after it"
        );
    }
}

/// The names of `inproc` endpoints that sockets have connected to, and that none has been bound to since.
static AWAITED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn awaited() -> MutexGuard<'static, BTreeSet<String>> {
    AWAITED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that a socket has connected to an endpoint.
pub(crate) fn await_inproc(endpoint: &str) {
    if endpoint.starts_with("inproc://") {
        awaited().insert(endpoint.to_owned());
    }
}

/// Notes that a socket is, or was, bound to an endpoint, so that nobody waits for it.
pub(crate) fn answer_inproc(endpoint: &str) {
    if endpoint.starts_with("inproc://") {
        awaited().remove(endpoint);
    }
}

/// Binds the names that sockets wait for in vain, all of them to this socket, and closes it.
///
/// Until then libzmq keeps those sockets, also when they are closed. It would do the same when the context ends, with a
/// new socket for each connection; if there are no more sockets then, it ends the process.
fn answer_for_those_awaited(spare: zmq::Socket) {
    for name in mem::take(&mut *awaited()) {
        // One that is bound after all is not waited for.
        let _ = spare.bind(&name);
    }
}

/// The endpoints that sockets have let go of, and when.
static FREED: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());

/// When a socket was closed last.
static LAST_CLOSED: Mutex<Option<Instant>> = Mutex::new(None);

/// How long libzmq may take to free a socket that was closed, and its endpoints; it takes a moment, in the background.
const FREEING: Duration = Duration::from_secs(1);

/// How long to wait before looking again whether something has been freed.
pub(crate) const FREEING_STEP: Duration = Duration::from_millis(1);

/// Notes that a socket was closed.
pub(crate) fn note_closed() {
    *LAST_CLOSED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// Whether libzmq may be about to free a socket and its descriptors.
pub(crate) fn is_freeing_sockets() -> bool {
    let last = LAST_CLOSED.lock().unwrap_or_else(PoisonError::into_inner);
    last.is_some_and(|last| last.elapsed() < FREEING)
}

/// Notes that a socket lets go of an endpoint.
pub(crate) fn free(endpoint: String) {
    answer_inproc(&endpoint);
    let mut freed = FREED.lock().unwrap_or_else(PoisonError::into_inner);
    freed.retain(|(_, since)| since.elapsed() < FREEING);
    freed.push((endpoint, Instant::now()));
}

/// Whether an endpoint that is in use may be one that libzmq is about to free.
pub(crate) fn is_freeing(endpoint: &str) -> bool {
    let is_same = |other: &str| match endpoint::port_of(endpoint) {
        // At whatever address: a socket at all of them is in the way of one at a single one.
        Some(port) => endpoint::port_of(other) == Some(port),
        None => other == endpoint,
    };
    let freed = FREED.lock().unwrap_or_else(PoisonError::into_inner);
    freed
        .iter()
        .any(|(other, since)| is_same(other) && since.elapsed() < FREEING)
}
