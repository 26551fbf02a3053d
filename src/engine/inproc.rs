//! The `inproc` endpoints that sockets are bound to, and those that no socket has bound yet.
//!
//! libzmq keeps a socket that is connected to such an endpoint, even if it has been closed, until another socket binds
//! the endpoint. When the context terminates, libzmq makes a socket of its own for each of those connections; if it has
//! no sockets left then, it aborts the process. So the crate binds the endpoints before that, with one socket that it
//! keeps for this purpose.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::endpoint;

static NAMES: Mutex<Names> = Mutex::new(Names {
    bound: BTreeSet::new(),
    pending: BTreeSet::new(),
});

struct Names {
    /// Those that a socket is bound to.
    bound: BTreeSet<String>,
    /// Those to which a connection may be pending.
    pending: BTreeSet<String>,
}

fn names() -> MutexGuard<'static, Names> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that a socket is about to connect to an endpoint.
pub(super) fn note_connected(endpoint: &str) {
    if endpoint::is_inproc(endpoint) {
        names().pending.insert(endpoint.to_owned());
    }
}

/// Notes that a socket is bound to an endpoint, so that no connection to it is pending.
pub(super) fn note_bound(endpoint: &str) {
    if endpoint::is_inproc(endpoint) {
        let mut names = names();
        names.pending.remove(endpoint);
        names.bound.insert(endpoint.to_owned());
    }
}

/// Notes that a socket that was bound to an endpoint is about to release it.
pub(super) fn note_released(endpoint: &str) {
    if endpoint::is_inproc(endpoint) {
        let mut names = names();
        names.pending.remove(endpoint);
        names.bound.remove(endpoint);
    }
}

/// Whether these endpoints are names that no socket has bound yet, all of them and at least one.
pub(super) fn are_unbound(endpoints: &[String]) -> bool {
    let is_unbound = |endpoint: &String| {
        endpoint::is_inproc(endpoint) && {
            let names = names();
            names.pending.contains(endpoint) && !names.bound.contains(endpoint)
        }
    };
    !endpoints.is_empty() && endpoints.iter().all(is_unbound)
}

/// Binds all endpoints with pending connections with this socket, and closes it.
pub(super) fn bind_all(spare: zmq::Socket) {
    let pending = std::mem::take(&mut names().pending);
    for endpoint in pending {
        // If that fails, another socket is bound to it, so no connection is pending.
        let _ = spare.bind(&endpoint);
    }
}
