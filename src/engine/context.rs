//! The context of libzmq that all sockets of the process share.
//!
//! It is made when the first socket opens, and terminated when the last one closes. Terminating it blocks until libzmq
//! has delivered what was sent, or until the linger of each socket has passed. So a script delivers its last messages
//! before it exits. The thread that closes the last socket waits, also for messages that were sent over other sockets.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use crossbeam_channel::bounded;

use super::closing::Closing;
use super::draft::Context;
use super::pattern::Properties;
use super::zap_handler::ZapHandler;
use super::{inproc, reaper};
use crate::error::{Error, Result};
use crate::security::{Policy, ZapDomain};
use crate::sys;

/// How many file descriptors a context and its first two sockets take at most.
const DESCRIPTORS_OF_CONTEXT: usize = 14;

/// How many threads must be left for a context. It takes two; two more are a reserve, because a thread that has just
/// terminated may count for a moment longer.
const THREADS_OF_CONTEXT: usize = 4;

/// The context in use, if a socket is open.
static CURRENT: Mutex<Weak<SharedContext>> = Mutex::new(Weak::new());

/// The process's context. Every open socket holds a share, and dropping the last share terminates the context.
pub(super) struct SharedContext {
    /// `Some` until the drop.
    context: Option<Context>,
    /// Kept for the moment when the context terminates. libzmq may have no other socket left then: see [`inproc`]. In a
    /// mutex only because a `zmq::Socket` is not `Sync`.
    spare: Mutex<Option<zmq::Socket>>,
    /// Started for the first socket that does not let everyone in.
    zap_handler: Mutex<Option<ZapHandler>>,
    /// The sockets that are closed, and may not have delivered everything.
    pub(super) closing: Arc<Closing>,
}

impl SharedContext {
    /// Returns the context in use, or a new one. A socket that is opened while a context terminates gets a new one, and
    /// does not wait.
    pub(super) fn get(what_failed: &str) -> Result<Arc<SharedContext>> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = current.upgrade() {
            return Ok(context);
        }
        // If libzmq lacks descriptors or threads while it starts, it aborts the process.
        sys::check_free_descriptors(DESCRIPTORS_OF_CONTEXT).map_err(|error| Error::from_io(what_failed, error))?;
        check_free_threads(THREADS_OF_CONTEXT).map_err(|error| Error::from_spawn(what_failed, error))?;
        let from_zmq = |error| Error::from_zmq(what_failed, error);
        let context = Context::new().map_err(from_zmq)?;
        let spare = context.socket(zmq::PAIR).map_err(from_zmq)?;
        let fresh = Arc::new(SharedContext {
            context: Some(context),
            spare: Mutex::new(Some(spare)),
            zap_handler: Mutex::new(None),
            closing: Arc::default(),
        });
        *current = Arc::downgrade(&fresh);
        Ok(fresh)
    }

    /// Registers a policy. Starts the ZAP handler before, if it does not run.
    pub(super) fn enforce(&self, policy: Policy, what_failed: &str) -> Result<ZapDomain> {
        let mut handler = self.zap_handler.lock().unwrap_or_else(PoisonError::into_inner);
        let handler = match &mut *handler {
            Some(handler) => handler,
            none => {
                let socket = self.open(|context| context.socket(zmq::ROUTER));
                let socket = socket.map_err(|error| Error::from_zmq(what_failed, error))?;
                none.insert(ZapHandler::bind(socket, what_failed)?)
            }
        };
        handler.ensure_answering(what_failed)?;
        Ok(ZapDomain::new(policy))
    }

    /// A new socket of a pattern.
    pub(super) fn socket(&self, properties: &Properties) -> zmq::Result<zmq::Socket> {
        self.open(|context| match properties.draft_type {
            None => context.socket(properties.socket_type),
            Some(draft_type) => context.draft_socket(draft_type),
        })
    }

    /// Opens a socket. If none is left, this waits for those that libzmq is about to free.
    fn open(&self, open: impl Fn(&Context) -> zmq::Result<zmq::Socket>) -> zmq::Result<zmq::Socket> {
        let context = self.context.as_ref().expect("BUG: the context is gone before its drop");
        loop {
            match open(context) {
                Err(zmq::Error::EMFILE) if reaper::may_free_socket() => thread::sleep(reaper::RETRY_INTERVAL),
                outcome => return outcome,
            }
        }
    }
}

/// Fails if the process cannot start `count` more threads.
fn check_free_threads(count: usize) -> io::Result<()> {
    let (release, released) = bounded::<()>(0);
    let start = |_| {
        let released = released.clone();
        thread::Builder::new().spawn(move || _ = released.recv())
    };
    let threads: Vec<_> = (0..count).map(start).collect();
    drop(release);
    threads
        .into_iter()
        .try_for_each(|thread| thread.map(|thread| _ = thread.join()))
}

impl Drop for SharedContext {
    fn drop(&mut self) {
        let handler = self
            .zap_handler
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let spare = self.spare.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let context = self.context.take();
        end(handler, spare, context, &self.closing);
    }
}

/// Terminates the context and all that belongs to it.
fn end(handler: Option<ZapHandler>, spare: Option<zmq::Socket>, context: Option<Context>, closing: &Arc<Closing>) {
    let (ended, wait) = bounded::<()>(0);
    let watch = {
        let closing = Arc::clone(closing);
        thread::Builder::new()
            .name("zeroless-closing".into())
            .spawn(move || closing.warn_when_late(&wait))
    };
    closing.finish();
    // All sockets are closed, so libzmq asks the handler nothing more.
    handler.into_iter().for_each(ZapHandler::stop);
    spare.into_iter().for_each(inproc::bind_all);
    context.into_iter().for_each(|context| closing.terminate(context));
    drop(ended);
    // If the thread could not be started, only its warnings are lost.
    if let Ok(watch) = watch {
        let _ = watch.join();
    }
}
