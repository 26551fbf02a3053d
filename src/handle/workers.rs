//! Threads that share what arrives at one socket.

use std::panic::resume_unwind;
use std::thread::{self, Builder};

use super::open_socket::OpenSocket;
use crate::engine::{Cancel, Wait};
use crate::error::{Error, Result};

/// Calls `work` on `count` threads with what `receive` returns, until it returns an error, and waits for all of them. An
/// error that ends an iteration without a fault is no error.
pub(crate) fn run<T>(
    socket: &OpenSocket,
    count: usize,
    receive: &(impl Fn(Wait<'_>) -> Result<T> + Sync),
    work: &(impl Fn(T) + Sync),
) -> Result<()> {
    let cancel = &Cancel::default();
    on_threads(count, &|| run_one(socket, cancel, receive, work), || {
        socket.cancel(cancel)
    })
}

/// Calls `run` on `count` threads, and waits for all of them. If not all can be started, calls `stop`, which must end
/// those that were.
pub(crate) fn on_threads(count: usize, run: &(impl Fn() -> Result<()> + Sync), stop: impl FnOnce()) -> Result<()> {
    if count == 0 {
        return Err(Error::invalid(
            "cannot share work among 0 workers; give a count of at least 1",
        ));
    }
    thread::scope(|scope| {
        let mut workers = Vec::new();
        let mut outcome = Ok(());
        for number in 1..=count {
            let builder = Builder::new().name(format!("zeroless-worker-{number}"));
            match builder.spawn_scoped(scope, run) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    stop();
                    outcome = Err(Error::from_spawn(
                        format!("cannot start worker {number} of {count}"),
                        error,
                    ));
                    break;
                }
            }
        }
        let mut panic = None;
        for worker in workers {
            match worker.join() {
                Ok(ended) => outcome = outcome.and(ended),
                Err(payload) => panic = panic.or(Some(payload)),
            }
        }
        match panic {
            Some(payload) => resume_unwind(payload),
            None => outcome,
        }
    })
}

/// Works until iteration ends. A fault or a panic stops the other workers, too.
fn run_one<T>(
    socket: &OpenSocket,
    cancel: &Cancel,
    receive: &impl Fn(Wait<'_>) -> Result<T>,
    work: &impl Fn(T),
) -> Result<()> {
    let others = CancelOnDrop { socket, cancel };
    loop {
        match receive(socket.timeout_or(cancel)) {
            Ok(item) => work(item),
            Err(error) if error.ends_iteration_quietly() => break,
            Err(error) => return Err(error),
        }
    }
    std::mem::forget(others);
    Ok(())
}

struct CancelOnDrop<'a> {
    socket: &'a OpenSocket,
    cancel: &'a Cancel,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        self.socket.cancel(self.cancel);
    }
}
