//! The sockets and endpoints that libzmq has yet to free.
//!
//! When a socket is closed, libzmq's reaper thread frees its descriptors and endpoints a moment later. Until then,
//! opening a socket can fail with `EMFILE`, and binding the same endpoint with `EADDRINUSE`. A thread that gets such an
//! error asks here whether to try again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::endpoint;

/// How long the reaper may take.
const REAPING_LIMIT: Duration = Duration::from_secs(1);

/// How long to wait before trying again.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// When a socket was closed last.
static LAST_CLOSED: Mutex<Option<Instant>> = Mutex::new(None);

/// The endpoints that closed sockets were bound to, and when they were closed.
static RELEASED: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn note_closed() {
    *lock(&LAST_CLOSED) = Some(Instant::now());
}

/// Notes that a socket that is bound to this endpoint is about to be closed.
pub(super) fn note_released(endpoint: String) {
    let mut released = lock(&RELEASED);
    released.retain(|(_, since)| since.elapsed() < REAPING_LIMIT);
    released.push((endpoint, Instant::now()));
}

/// Whether the reaper may be about to free a socket.
pub(super) fn may_free_socket() -> bool {
    lock(&LAST_CLOSED).is_some_and(|since| since.elapsed() < REAPING_LIMIT)
}

/// Whether the reaper may be about to free this endpoint.
pub(super) fn may_free(endpoint: &str) -> bool {
    lock(&RELEASED)
        .iter()
        .any(|(released, since)| blocks(released, endpoint) && since.elapsed() < REAPING_LIMIT)
}

/// Whether a socket that is bound to `bound` prevents binding `endpoint`.
fn blocks(bound: &str, endpoint: &str) -> bool {
    match endpoint::port_of(endpoint) {
        // At any address: a socket that is bound to all of them also blocks each single one.
        Some(port) => endpoint::port_of(bound) == Some(port),
        None => bound == endpoint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_endpoints_block_each_other_by_port() {
        assert!(blocks("tcp://0.0.0.0:5555", "tcp://127.0.0.1:5555"));
        assert!(blocks("tcp://127.0.0.1:5555", "tcp://*:5555"));
        assert!(!blocks("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556"));
        assert!(blocks("ipc:///tmp/a", "ipc:///tmp/a"));
        assert!(!blocks("ipc:///tmp/a", "ipc:///tmp/b"));
    }

    #[test]
    fn released_endpoint_may_be_freed_soon() {
        assert!(!may_free("inproc://reaper-test"));
        note_released("inproc://reaper-test".to_owned());
        assert!(may_free("inproc://reaper-test"));
    }
}
