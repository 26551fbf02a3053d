//! The `zmq::Context` that all sockets of the process share.
//!
//! It is made when the first socket opens and ended when the last one closes. Ending it blocks until libzmq has
//! delivered what was sent, or until the linger of each socket has passed: this is what lets a script's last messages
//! survive its exit. The wait falls to whoever closes the last socket, whichever socket the messages were sent on.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

/// How long ending the context may take before the log says that it does.
const PATIENCE: Duration = Duration::from_secs(1);

/// The context in use, if any socket is open.
static CURRENT: Mutex<Weak<SharedContext>> = Mutex::new(Weak::new());

/// Every open socket holds one; dropping the last one ends the context.
pub(crate) struct SharedContext {
    /// `Some` until the drop.
    context: Option<zmq::Context>,
}

impl SharedContext {
    /// The context in use, or a new one.
    ///
    /// One that is just ending is no longer in use: a socket opened meanwhile gets the next one, and does not wait.
    pub(crate) fn get() -> Arc<SharedContext> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        current.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(SharedContext {
                context: Some(zmq::Context::new()),
            });
            *current = Arc::downgrade(&fresh);
            fresh
        })
    }

    pub(crate) fn socket(&self, kind: zmq::SocketType) -> zmq::Result<zmq::Socket> {
        let context = self.context.as_ref().expect("BUG: the context is gone before its drop");
        context.socket(kind)
    }
}

impl Drop for SharedContext {
    fn drop(&mut self) {
        let _ended = warn_when_late();
        drop(self.context.take());
    }
}

/// Logs a warning once [`PATIENCE`] has passed, unless the returned sender is dropped before.
///
/// libzmq's ending takes no timeout, so the clock is a thread of its own. It lives for as long as the wait, and is
/// not needed for it: where it cannot be started, only the warning is lost.
fn warn_when_late() -> Sender<()> {
    let (ended, wait) = bounded::<()>(0);
    let watch = move || {
        if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            log::warn!(
                target: "zeroless",
                "the last socket has waited {PATIENCE:?} to close: messages sent by this process have not reached \
                 their peers yet; start the peers, or set a linger to give up after it"
            );
        }
    };
    let _ = thread::Builder::new().name("zeroless-closing".into()).spawn(watch);
    ended
}
