//! Lets one thread at a time through, for as long as it holds its turn.
//!
//! A `Mutex<()>` would do but for timeouts: whoever queues here may have promised to be back by a deadline.

use std::sync::PoisonError;

use super::patience::Deadline;
use super::sync::{Condvar, Mutex, MutexGuard};

#[derive(Default)]
pub(super) struct Turnstile {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    taken: bool,
    /// How many threads wait for a turn: to wake none of them is a system call all the same.
    queued: usize,
}

/// The right to be past the turnstile, until dropped.
pub(super) struct Turn<'a>(&'a Turnstile);

impl Turnstile {
    /// Waits for a turn, and gives up at the deadline.
    pub(super) fn enter(&self, deadline: Deadline<'_>) -> Option<Turn<'_>> {
        let mut state = self.lock();
        // The turn is looked at before the clock: a thread that is woken for its turn at the very deadline takes it,
        // or the wake-up, which was for one thread alone, would be lost.
        while state.taken {
            let left = deadline.remaining();
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            state.queued += 1;
            state = match left {
                None => self.freed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let (state, _) = self
                        .freed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner);
                    state
                }
            };
            state.queued -= 1;
        }
        state.taken = true;
        Some(Turn(self))
    }

    /// Takes a turn if no one has it.
    pub(super) fn try_enter(&self) -> Option<Turn<'_>> {
        let mut state = self.lock();
        if state.taken {
            return None;
        }
        state.taken = true;
        Some(Turn(self))
    }

    /// Has all who queue look at their deadlines.
    pub(super) fn wake_all(&self) {
        let _state = self.lock();
        self.freed.notify_all();
    }

    #[cfg(all(test, not(zeroless_loom)))]
    pub(super) fn is_queued_at(&self) -> bool {
        self.lock().queued > 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.taken = false;
        if state.queued > 0 {
            self.0.freed.notify_one();
        }
    }
}
