//! The primitives of `std::sync` that the waiting is made of, or those of the model checker in their place.

#[cfg(zeroless_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};
#[cfg(not(zeroless_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};

use std::hint;
use std::sync::PoisonError;

/// Locks a mutex that threads lock for each message.
///
/// A thread that finds it locked pauses for a few microseconds before it waits. Meanwhile the other thread goes on, and
/// what the mutex guards stays in the cache of its core. If the threads took turns message by message, that would move
/// from core to core for each message.
#[inline]
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The model does not know caches.
    if cfg!(not(zeroless_loom)) {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(_) => pause(),
        }
    }
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cold]
fn pause() {
    (0..100).for_each(|_| hint::spin_loop());
}
