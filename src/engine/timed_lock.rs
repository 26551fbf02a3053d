//! A lock without data. A thread can wait for it until a deadline.
//!
//! `Mutex<()>` has no timeout, but a thread that waits here may have to return by a deadline.

use std::sync::PoisonError;

use super::sync::{Condvar, Mutex, MutexGuard};
use super::wait::Deadline;

#[derive(Default)]
pub(super) struct TimedLock {
    state: Mutex<State>,
    unlocked: Condvar,
}

#[derive(Default)]
struct State {
    is_locked: bool,
    /// How many threads wait for the lock: notifying nobody would still be a system call.
    waiting: usize,
}

/// Holds the lock until it is dropped.
pub(super) struct TimedLockGuard<'a>(&'a TimedLock);

impl TimedLock {
    /// Waits for the lock; `None` if the deadline passes first.
    pub(super) fn lock(&self, deadline: Deadline<'_>) -> Option<TimedLockGuard<'_>> {
        let mut state = self.state();
        // The lock is looked at before the clock. A thread that is notified exactly at its deadline takes the lock, as
        // no other thread was notified.
        while state.is_locked {
            let remaining = deadline.remaining();
            if remaining.is_some_and(|remaining| remaining.is_zero()) {
                return None;
            }
            state.waiting += 1;
            state = match remaining {
                None => self.unlocked.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(remaining) => {
                    let (state, _) = self
                        .unlocked
                        .wait_timeout(state, remaining)
                        .unwrap_or_else(PoisonError::into_inner);
                    state
                }
            };
            state.waiting -= 1;
        }
        state.is_locked = true;
        Some(TimedLockGuard(self))
    }

    /// Takes the lock if nobody holds it.
    pub(super) fn try_lock(&self) -> Option<TimedLockGuard<'_>> {
        let mut state = self.state();
        if state.is_locked {
            return None;
        }
        state.is_locked = true;
        Some(TimedLockGuard(self))
    }

    /// Makes all waiting threads check their deadlines.
    pub(super) fn wake_all(&self) {
        let _state = self.state();
        self.unlocked.notify_all();
    }

    #[cfg(all(test, not(zeroless_loom)))]
    pub(super) fn has_waiting_thread(&self) -> bool {
        self.state().waiting > 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TimedLockGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_locked = false;
        if state.waiting > 0 {
            self.0.unlocked.notify_one();
        }
    }
}
