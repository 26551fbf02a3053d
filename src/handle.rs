//! What keeps a socket open.

use std::ops::Deref;
use std::sync::Arc;

use crate::engine::Engine;
use crate::{Receiver, Sender};

/// A share in an open socket. The socket closes when the last share is dropped, in the thread that drops it.
#[derive(Clone)]
pub(crate) struct Handle {
    engine: Arc<Engine>,
    _open: Arc<Open>,
}

/// Closes its socket when dropped.
struct Open(Arc<Engine>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Handle {
    pub(crate) fn new(engine: Engine) -> Handle {
        let engine = Arc::new(engine);
        Handle {
            engine: Arc::clone(&engine),
            _open: Arc::new(Open(engine)),
        }
    }

    /// The engine, for whoever uses the socket without keeping it open.
    pub(crate) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    pub(crate) fn into_both(self) -> (Sender, Receiver) {
        (Sender::new(self.clone()), Receiver::new(self))
    }
}

impl Deref for Handle {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}
