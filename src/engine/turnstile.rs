//! Lets one thread at a time through, for as long as it holds its turn.
//!
//! A `Mutex<()>` would do but for timeouts: whoever queues here may have promised to be back by a deadline.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Deadline;

#[derive(Default)]
pub(super) struct Turnstile {
    taken: Mutex<bool>,
    freed: Condvar,
}

/// The right to be past the turnstile, until dropped.
pub(super) struct Turn<'a>(&'a Turnstile);

impl Turnstile {
    /// Waits for a turn, and gives up at the deadline.
    pub(super) fn enter(&self, deadline: Deadline) -> Option<Turn<'_>> {
        let mut taken = self.lock();
        // The turn is looked at before the clock: a thread that is woken for its turn at the very deadline takes it,
        // or the wake-up, which was for one thread alone, would be lost.
        while *taken {
            taken = match deadline.remaining() {
                None => self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return None,
                Some(left) => {
                    let (taken, _) = self
                        .freed
                        .wait_timeout(taken, left)
                        .unwrap_or_else(PoisonError::into_inner);
                    taken
                }
            };
        }
        *taken = true;
        Some(Turn(self))
    }

    /// Takes a turn if no one has it.
    pub(super) fn try_enter(&self) -> Option<Turn<'_>> {
        let mut taken = self.lock();
        if *taken {
            return None;
        }
        *taken = true;
        Some(Turn(self))
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.freed.notify_one();
    }
}
