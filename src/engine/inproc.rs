//! The `inproc` endpoints that sockets have connected to and that no socket has bound yet.
//!
//! libzmq keeps a socket that is connected to such an endpoint, even if it has been closed, until another socket binds
//! the endpoint. When the context terminates, libzmq makes a socket of its own for each of those connections; if it has
//! no sockets left then, it aborts the process. So the crate binds the endpoints before that, with one socket that it
//! keeps for this purpose.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::endpoint;

static UNBOUND: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn unbound() -> MutexGuard<'static, BTreeSet<String>> {
    UNBOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that a socket is about to connect to an endpoint.
pub(super) fn note_connected(endpoint: &str) {
    if endpoint::is_inproc(endpoint) {
        unbound().insert(endpoint.to_owned());
    }
}

/// Notes that a socket is, or was, bound to an endpoint, so that no connection to it is pending.
pub(super) fn note_bound(endpoint: &str) {
    if endpoint::is_inproc(endpoint) {
        unbound().remove(endpoint);
    }
}

/// Binds all the endpoints with this socket, and closes it.
pub(super) fn bind_all(spare: zmq::Socket) {
    for endpoint in mem::take(&mut *unbound()) {
        // If that fails, another socket is bound to it, so no connection is pending.
        let _ = spare.bind(&endpoint);
    }
}
