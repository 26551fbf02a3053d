//! Threads that share the messages of one receiver.

use std::panic::resume_unwind;
use std::thread::{self, Builder};

use super::open_socket::OpenSocket;
use crate::engine::Cancel;
use crate::error::{Error, Result};
use crate::message::Message;

/// Calls `work` on `count` threads, and waits for all of them.
pub(crate) fn run(socket: &OpenSocket, count: usize, work: &(impl Fn(Message) + Sync)) -> Result<()> {
    if count == 0 {
        return Err(Error::invalid(
            "cannot share messages among 0 workers; give a count of at least 1",
        ));
    }
    let cancel = &Cancel::default();
    thread::scope(|scope| {
        let mut workers = Vec::new();
        let mut outcome = Ok(());
        for number in 1..=count {
            let builder = Builder::new().name(format!("zeroless-worker-{number}"));
            match builder.spawn_scoped(scope, move || run_one(socket, cancel, work)) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    socket.cancel(cancel);
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
fn run_one(socket: &OpenSocket, cancel: &Cancel, work: &impl Fn(Message)) -> Result<()> {
    let others = CancelOnDrop { socket, cancel };
    while let Some(message) = socket.next_message(socket.timeout_or(cancel))? {
        work(message);
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
