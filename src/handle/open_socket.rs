//! What keeps a socket open.

use std::ops::Deref;
use std::sync::Arc;

use crate::engine::{Engine, SocketSpec, Wait};
use crate::error::Result;
use crate::message::Message;

/// A share in an open socket. The socket closes when the last share is dropped, in the thread that drops it.
#[derive(Clone)]
pub(crate) struct OpenSocket {
    engine: Arc<Engine>,
    _close_on_drop: Arc<CloseOnDrop>,
}

struct CloseOnDrop(Arc<Engine>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl OpenSocket {
    pub(crate) fn open(spec: SocketSpec<'_>) -> Result<OpenSocket> {
        let engine = Arc::new(Engine::open(spec)?);
        Ok(OpenSocket {
            engine: Arc::clone(&engine),
            _close_on_drop: Arc::new(CloseOnDrop(engine)),
        })
    }

    /// The engine, for handles that do not keep the socket open.
    pub(crate) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// Receives the next message of an iteration; `None` if it ends without a fault.
    pub(crate) fn next_message(&self, wait: Wait<'_>) -> Result<Option<Message>> {
        let mut message = Message::new();
        match self.receive(&mut message, wait) {
            Ok(()) => Ok(Some(message)),
            Err(error) if error.ends_iteration_quietly() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Deref for OpenSocket {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}
