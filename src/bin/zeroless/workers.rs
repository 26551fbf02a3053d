//! Threads that do the same, together a limited number of times.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::fault::{Fault, Result, TIMED_OUT};

/// How many times something may still be done.
struct Left(AtomicU64);

impl Left {
    /// Takes one, if there is one.
    fn take(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
    }
}

/// Calls `step` on `workers` threads until it returns `false` there, `limit` times at most. Blocks until all have ended.
///
/// A fault ends the thread that it occurs in. Unless it is a timeout, which the others may not have, `stop` is called then,
/// which must end the others.
pub fn run(
    workers: usize,
    limit: Option<u64>,
    step: impl Fn() -> Result<bool> + Sync,
    stop: impl Fn() + Sync,
) -> Result<()> {
    let left = Left(AtomicU64::new(limit.unwrap_or(u64::MAX)));
    let work = || {
        while left.take() {
            match step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => {
                    if fault.status != TIMED_OUT {
                        stop();
                    }
                    return Err(fault);
                }
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut outcome = Ok(());
        for _ in 0..workers {
            match thread::Builder::new().spawn_scoped(scope, work) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    stop();
                    outcome = Err(Fault::failed(format!("cannot start a worker: {error}")));
                    break;
                }
            }
        }
        for thread in threads {
            let ended = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            outcome = outcome.and(ended);
        }
        outcome
    })
}
