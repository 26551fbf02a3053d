//! The primitives of `std::sync` that the waiting is made of, or those of the model checker in their place.

#[cfg(zeroless_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};
#[cfg(not(zeroless_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};
