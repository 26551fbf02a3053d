//! The calls of one caller, and the threads that wait for their answers.
//!
//! There is no thread behind a caller. Of the threads that wait, one receives, and hands over the answers that are for
//! the others. The others sleep, each on a condition variable of its own, so an answer wakes only its thread.
//!
//! # What can go wrong, and the rule against it
//!
//! 1. **Nobody receives.** A thread that leaves may be the one that received, or may have been woken to receive. So each
//!    thread that leaves checks whether another receives. If not, it wakes one that sleeps, which then receives.
//! 2. **A new call is taken for lost.** A receiver learns that no peer is connected. Before it has locked the desk, a
//!    server connects and another thread sends. So the engine says which calls had been sent when no peer was connected,
//!    and only those are lost. Calls are numbered in the order in which they are sent, under the lock, so their numbers
//!    are also the engine's.
//! 3. **A full queue is taken for a lost server**: in both cases libzmq has no room. So the engine is told which call was
//!    answered last. That one and all before it have left the queue, and it can only be full if enough were sent since.
//! 4. **A logger calls.** Its answer may be received by any thread, but not by one that waits for the logger. So a thread
//!    writes to the log only while it does not receive, and has woken another to receive.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::engine::Deadline;
use crate::engine::sync::{Condvar, Mutex, MutexGuard};
use crate::error::{Error, Result};
use crate::message::Message;

/// What a thread has received.
pub(super) enum Event {
    /// The answer to the call with this number.
    Answer(u64, Result<Message>),
    /// No peer is connected. The calls up to this number had been sent.
    NoPeer(u64),
    /// Nothing can be received any more.
    Closed(Error),
    /// This attempt to receive has failed.
    Failed(Error),
    /// The time has passed, or what has arrived is not an answer.
    Nothing,
}

/// What a thread has received, and what writes to the log about it, if there is anything to write.
pub(super) struct Received<'a> {
    pub(super) event: Event,
    pub(super) report: Option<Box<dyn FnOnce() + 'a>>,
}

impl From<Event> for Received<'_> {
    fn from(event: Event) -> Self {
        Received { event, report: None }
    }
}

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The time has passed.
    TimedOut,
    /// After the call was sent, no peer was connected any more.
    Lost,
    /// The answer is a failure, or receiving it has failed.
    Failed(Error),
}

type Outcome = std::result::Result<Message, Fault>;

#[derive(Default)]
pub(super) struct Exchange(Mutex<Desk>);

#[derive(Default)]
struct Desk {
    /// The number of the call that was sent last.
    sent: u64,
    /// The number of the last call that has certainly left the queue.
    settled: u64,
    /// The number of the last call before the connections were made again.
    renewed: u64,
    /// The threads that wait, by the numbers of their calls.
    waiting: BTreeMap<u64, Waiting>,
    /// The call of the thread that receives.
    receiver: Option<u64>,
}

/// A thread that waits for an answer.
#[derive(Default)]
struct Waiting {
    outcome: Option<Outcome>,
    is_asleep: bool,
    woken: Arc<Condvar>,
}

impl Exchange {
    /// Sends a call. `send` is given its number. It must not block, and must write nothing to the log: it runs under a
    /// lock, and a logger may call.
    pub(super) fn send(&self, send: impl FnOnce(u64) -> Result<()>) -> Result<Visit<'_>> {
        let mut desk = self.lock();
        let number = desk.sent + 1;
        send(number)?;
        desk.sent = number;
        desk.waiting.insert(number, Waiting::default());
        Ok(Visit { exchange: self, number })
    }

    /// Makes the connections again, with `connect`, unless a call waits for an answer over them. `connect` is told whether
    /// a call was sent since they were made.
    ///
    /// Meanwhile, no call is sent. So only calls that were given up are lost with the old connections.
    pub(super) fn renew(&self, connect: impl FnOnce(bool)) {
        let mut desk = self.lock();
        if desk.waiting.is_empty() {
            let was_sent = desk.renewed < desk.sent;
            desk.renewed = desk.sent;
            connect(was_sent);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sleeps until woken, or for the remaining time at most.
fn sleep(mut desk: MutexGuard<'_, Desk>, number: u64, remaining: Option<Duration>) -> MutexGuard<'_, Desk> {
    let waiting = desk.waiting(number);
    waiting.is_asleep = true;
    let woken = Arc::clone(&waiting.woken);
    let mut desk = match remaining {
        None => woken.wait(desk).unwrap_or_else(PoisonError::into_inner),
        Some(remaining) => {
            let (desk, _) = woken
                .wait_timeout(desk, remaining)
                .unwrap_or_else(PoisonError::into_inner);
            desk
        }
    };
    desk.waiting(number).is_asleep = false;
    desk
}

impl Desk {
    fn waiting(&mut self, number: u64) -> &mut Waiting {
        self.waiting
            .get_mut(&number)
            .expect("a thread is registered until it leaves")
    }

    /// Hands over what the thread with the call `receiver` has received.
    fn note(&mut self, event: Event, receiver: u64) {
        match event {
            Event::Answer(number, answer) => {
                // A server may also answer what was never asked.
                if number <= self.sent {
                    self.settled = self.settled.max(number);
                }
                self.settle(number, answer.map_err(Fault::Failed));
            }
            Event::NoPeer(sent) => {
                self.settled = self.settled.max(sent);
                self.settle_all(|number| number <= sent, || Fault::Lost);
            }
            Event::Closed(error) => self.settle_all(|_| true, || Fault::Failed(error.clone())),
            Event::Failed(error) => self.settle(receiver, Err(Fault::Failed(error))),
            Event::Nothing => {}
        }
    }

    fn settle_all(&mut self, concerns: impl Fn(u64) -> bool, fault: impl Fn() -> Fault) {
        for (&number, waiting) in &mut self.waiting {
            if concerns(number) {
                waiting.settle(Err(fault()));
            }
        }
    }

    /// Gives a call its outcome. An answer that nobody waits for is dropped, and so is a second one.
    fn settle(&mut self, number: u64, outcome: Outcome) {
        if let Some(waiting) = self.waiting.get_mut(&number) {
            waiting.settle(outcome);
        }
    }

    /// Removes the thread with this call. If nobody receives then, one of the others must (rule 1).
    fn leave(&mut self, number: u64) {
        self.waiting.remove(&number);
        if self.receiver == Some(number) {
            self.receiver = None;
        }
        if self.receiver.is_none() {
            self.wake_next_receiver();
        }
    }

    fn wake_next_receiver(&mut self) {
        if let Some(next) = self.waiting.values_mut().find(|waiting| waiting.is_asleep) {
            next.wake();
        }
    }
}

impl Waiting {
    fn settle(&mut self, outcome: Outcome) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            self.wake();
        }
    }

    fn wake(&mut self) {
        if self.is_asleep {
            self.is_asleep = false;
            self.woken.notify_one();
        }
    }
}

/// A thread from when its call was sent until it leaves, which it also does if it panics.
pub(super) struct Visit<'a> {
    exchange: &'a Exchange,
    number: u64,
}

impl Visit<'_> {
    /// Waits for the answer.
    ///
    /// `receive` is given the number of the last call that has left the queue. It must not block for longer than the
    /// deadline, and must write nothing to the log.
    pub(super) fn wait<'a>(self, deadline: Deadline<'_>, receive: impl Fn(u64) -> Received<'a>) -> Outcome {
        let number = self.number;
        let mut desk = self.exchange.lock();
        loop {
            if let Some(outcome) = desk.waiting(number).outcome.take() {
                return outcome;
            }
            let remaining = deadline.remaining();
            if remaining.is_some_and(|remaining| remaining.is_zero()) {
                return Err(Fault::TimedOut);
            }
            if desk.receiver.is_some() {
                desk = sleep(desk, number, remaining);
            } else {
                desk.receiver = Some(number);
                let settled = desk.settled;
                drop(desk);
                let received = receive(settled);
                desk = self.exchange.lock();
                desk.receiver = None;
                desk.note(received.event, number);
                if let Some(report) = received.report {
                    desk.wake_next_receiver(); // rule 4
                    drop(desk);
                    report();
                    desk = self.exchange.lock();
                }
            }
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.exchange.lock().leave(self.number);
    }
}

#[cfg(all(test, not(zeroless_loom)))]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn number_of_call_that_was_not_sent_is_used_again() {
        let exchange = Exchange::default();
        let full = |_| Err(Error::new(ErrorKind::WouldBlock, "full"));
        assert!(exchange.send(full).is_err());
        assert!(exchange.send(full).is_err());
        assert_eq!(exchange.send(|_| Ok(())).unwrap().number, 1);
        assert_eq!(exchange.send(|_| Ok(())).unwrap().number, 2);
    }

    #[test]
    fn answer_to_what_was_never_asked_settles_nothing() {
        let exchange = Exchange::default();
        let was_answered = Cell::new(false);
        let receive = |settled| {
            assert_eq!(settled, 0);
            let number = if was_answered.replace(true) { 1 } else { u64::MAX };
            Event::Answer(number, Ok(Message::new())).into()
        };
        let visit = exchange.send(|_| Ok(())).unwrap();
        assert!(visit.wait(Deadline::default(), receive).is_ok());
    }
}
