//! Which thread may use the socket when, and which thread wakes which: all of the engine's waiting.
//!
//! The rules are those of the [engine's documentation](super). The socket behind a [`Gate`] is a
//! [`Wire`](super::wire::Wire), or a simulated one in the model.

use std::time::Duration;

use zmq::PollEvents;

#[cfg(zeroless_loom)]
use super::model::poll::{self, Descriptor, Notifier};
#[cfg(not(zeroless_loom))]
use super::poll::{self, Descriptor, Notifier};
use super::sync::{self, Mutex, MutexGuard};
use super::timed_lock::TimedLock;
use super::wait::{Cancel, Deadline, Wait};
use crate::report;

/// A socket that can tell what it is ready for.
pub(super) trait Pollable {
    /// What it is ready for. Asking makes the socket process all that has happened to it.
    fn events(&self) -> zmq::Result<PollEvents>;

    /// Does the work that is due from time to time. Called when no thread waits.
    fn housekeep(&mut self);

    /// Prepares the socket for being dropped.
    fn prepare_close(&mut self);
}

/// The two things that a thread can wait for.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Receiving,
    Sending,
}

impl Direction {
    const BOTH: [Direction; 2] = [Direction::Receiving, Direction::Sending];

    fn other(self) -> Direction {
        match self {
            Direction::Receiving => Direction::Sending,
            Direction::Sending => Direction::Receiving,
        }
    }

    fn event(self) -> PollEvents {
        match self {
            Direction::Receiving => zmq::POLLIN,
            Direction::Sending => zmq::POLLOUT,
        }
    }
}

/// Why an operation was not done.
pub(super) enum GateError {
    /// The socket is not ready, and there was no time to wait, or not enough.
    NotReady,
    Closed,
    Libzmq(zmq::Error),
    /// There was no descriptor left for a notifier.
    NoNotifier(std::io::Error),
}

impl From<zmq::Error> for GateError {
    fn from(error: zmq::Error) -> GateError {
        match error {
            zmq::Error::EAGAIN => GateError::NotReady,
            zmq::Error::ETERM => GateError::Closed,
            other => GateError::Libzmq(other),
        }
    }
}

pub(super) type GateResult<T> = std::result::Result<T, GateError>;

/// A socket that any number of threads use, wait for, and close.
pub(super) struct Gate<S> {
    /// The socket's `ZMQ_FD`. A thread may poll it only while it holds the poll lock of a direction, and only if it has
    /// found `core.socket` there since it took that lock (rule 7).
    pub(super) descriptor: Descriptor,
    pub(super) core: Mutex<Core<S>>,
    /// One for each direction: at most one thread polls the descriptors for it (rule 2).
    pub(super) poll_locks: [TimedLock; 2],
}

/// What the mutex guards. It is never locked while a thread blocks.
pub(super) struct Core<S> {
    /// `None` once closed.
    pub(super) socket: Option<S>,
    /// One for each direction.
    pub(super) waiters: [Waiter; 2],
}

/// The one thread that polls for a direction, if there is one, and the notifier that wakes it.
#[derive(Default)]
pub(super) struct Waiter {
    pub(super) state: WaiterState,
    /// Made only when the first thread waits, to save file descriptors. It is notified while the state is `Notified`.
    notifier: Option<Notifier>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum WaiterState {
    /// No thread waits.
    #[default]
    Idle,
    /// A thread waits, or is about to, and has not been notified.
    Waiting,
    /// A thread waits, and has been notified to try again.
    Notified,
}

impl Waiter {
    /// Announces that the calling thread is going to wait, and returns what to poll besides the socket.
    pub(super) fn announce(&mut self) -> std::io::Result<Descriptor> {
        let notifier = match self.notifier.take() {
            Some(notifier) => notifier,
            None => Notifier::new()?,
        };
        self.state = WaiterState::Waiting;
        Ok(self.notifier.insert(notifier).descriptor())
    }

    /// Wakes the waiting thread, if there is one, to try again.
    fn wake(&mut self) {
        if let (WaiterState::Waiting, Some(notifier)) = (self.state, &mut self.notifier) {
            match notifier.notify() {
                Ok(()) => self.state = WaiterState::Notified,
                // The state is still `Waiting`, so the next thread that unlocks tries again to wake it.
                Err(error) => report::error(format_args!("cannot wake a waiting thread: {error}")),
            }
        }
    }

    /// Withdraws the announcement, and clears the notification if there was one.
    fn withdraw(&mut self) {
        if let (WaiterState::Notified, Some(notifier)) = (self.state, &mut self.notifier)
            && let Err(error) = notifier.clear()
        {
            report::error(format_args!("cannot clear a wake-up: {error}"));
        }
        self.state = WaiterState::Idle;
    }
}

impl<S: Pollable> Core<S> {
    /// Uses the socket. The caller must call `wake_ready` before it unlocks.
    #[inline]
    fn attempt<T>(&mut self, operation: impl FnOnce(&mut S) -> zmq::Result<T>) -> GateResult<T> {
        let socket = self.socket.as_mut().ok_or(GateError::Closed)?;
        Ok(operation(socket)?)
    }

    /// Announces that the calling thread is going to wait, wakes the threads that wait already, and returns what to
    /// poll.
    ///
    /// Under the same lock, an attempt has just failed, so it has processed all events, as rule 4 requires. It may have
    /// processed an event for the other direction, so if a thread waits there, the events must be asked for. This may
    /// process an event that this thread waits for, so this thread is announced before. Where the events cannot tell
    /// (rule 8), it is announced after, or it would wake itself again and again.
    fn announce_and_wake_ready(&mut self, direction: Direction, events_can_tell: bool) -> std::io::Result<Descriptor> {
        if !events_can_tell {
            self.wake_ready();
        }
        let descriptor = self.waiters[direction as usize].announce();
        if events_can_tell && self.waiters[direction.other() as usize].state == WaiterState::Waiting {
            self.wake_ready();
        }
        descriptor
    }

    /// Wakes the threads that wait for what the socket is ready for (rule 1). The socket must not be used between this
    /// and unlocking.
    #[inline]
    fn wake_ready(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        match self.waiters.iter().any(|waiter| waiter.state == WaiterState::Waiting) {
            true => self.wake_by_events(),
            false => socket.housekeep(),
        }
    }

    #[inline(never)]
    fn wake_by_events(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        // If this fails, all waiting threads wake, and their own attempts return the error.
        let events = socket.events().unwrap_or(PollEvents::all());
        for direction in Direction::BOTH {
            if events.contains(direction.event()) {
                self.waiters[direction as usize].wake();
            }
        }
    }
}

impl<S: Pollable> Gate<S> {
    pub(super) fn new(socket: S, descriptor: Descriptor) -> Gate<S> {
        Gate {
            descriptor,
            core: Mutex::new(Core {
                socket: Some(socket),
                waiters: Default::default(),
            }),
            poll_locks: Default::default(),
        }
    }

    /// Runs an operation on the socket once, without waiting.
    pub(super) fn run<T>(&self, operation: impl FnOnce(&mut S) -> zmq::Result<T>) -> GateResult<T> {
        let mut core = self.lock();
        let outcome = core.attempt(operation);
        core.wake_ready();
        outcome
    }

    /// Runs an operation on the socket, and again each time that the socket may have become ready for it.
    ///
    /// When the operation returns `EAGAIN`, it must have processed all that has happened to the socket, and found no
    /// reason to continue: a waiting thread only learns of what happens later.
    ///
    /// A `retry_interval` says that the events cannot tell when to try again (rule 8), and makes the thread try again
    /// after that time. It is called only before waiting.
    #[inline]
    pub(super) fn run_blocking<T>(
        &self,
        direction: Direction,
        wait: Wait<'_>,
        retry_interval: impl FnOnce() -> Option<Duration>,
        mut operation: impl FnMut(&mut S) -> zmq::Result<T>,
    ) -> GateResult<T> {
        let mut core = self.lock();
        let outcome = core.attempt(|socket| operation(socket));
        match outcome {
            Err(GateError::NotReady) if !matches!(wait, Wait::Never) => {
                let deadline = Deadline::after(wait);
                self.wait_and_retry(direction, deadline, retry_interval(), operation, core)
            }
            outcome => {
                core.wake_ready();
                outcome
            }
        }
    }

    /// Waits and runs the operation again, until it succeeds or the deadline passes. The caller has just tried it,
    /// under the lock that it passes on.
    #[inline(never)]
    fn wait_and_retry<'a, T>(
        &'a self,
        direction: Direction,
        deadline: Deadline<'_>,
        retry_interval: Option<Duration>,
        mut operation: impl FnMut(&mut S) -> zmq::Result<T>,
        mut core: MutexGuard<'a, Core<S>>,
    ) -> GateResult<T> {
        let poll_lock = &self.poll_locks[direction as usize];
        let mut poll_guard = None;
        loop {
            poll_guard = poll_guard.or_else(|| poll_lock.try_lock());
            let waited = if poll_guard.is_some() {
                let notifier = core.announce_and_wake_ready(direction, retry_interval.is_none());
                drop(core);
                let notifier = notifier.map_err(GateError::NoNotifier)?;
                poll::wait(self.descriptor, notifier, deadline.within(retry_interval))
            } else {
                core.wake_ready();
                drop(core);
                poll_guard = poll_lock.lock(deadline.within(retry_interval));
                Ok(())
            };
            // The clock is read before the attempt, so that there is an attempt after the deadline, too.
            let is_last = deadline.has_passed();
            core = self.lock();
            if poll_guard.is_some() {
                core.waiters[direction as usize].withdraw();
            }
            waited?;
            let outcome = core.attempt(|socket| operation(socket));
            if is_last || !matches!(outcome, Err(GateError::NotReady)) {
                core.wake_ready();
                // Unlocked before the poll lock, or the next thread to poll would find the mutex locked.
                drop(core);
                return outcome;
            }
        }
    }

    /// Whether a thread polls the socket, and so processes what happens to it.
    pub(super) fn is_polled(&self) -> bool {
        self.poll_locks.iter().any(|poll_lock| poll_lock.try_lock().is_none())
    }

    /// Cancels all operations that wait with `cancel`. When this returns, none of them will receive a message.
    pub(super) fn cancel(&self, cancel: &Cancel) {
        cancel.set();
        // A thread that is about to wait checks the flag under one of these locks. The other waiting threads wake, too,
        // and wait again.
        self.lock().waiters.iter_mut().for_each(Waiter::wake);
        self.poll_locks.iter().for_each(TimedLock::wake_all);
    }

    /// Wakes all waiting threads, and takes the socket out when no thread polls its descriptor. Two threads must not
    /// call this at the same time.
    pub(super) fn close(&self) -> Option<S> {
        let mut socket = {
            let mut core = self.lock();
            core.waiters.iter_mut().for_each(Waiter::wake);
            core.socket.take()
        };
        socket.iter_mut().for_each(Pollable::prepare_close);
        // A thread that gets a poll lock from now on finds the socket gone, and leaves. So once this thread has had both
        // poll locks, no thread polls the descriptor (rule 7).
        for poll_lock in &self.poll_locks {
            drop(poll_lock.lock(Deadline::default()));
        }
        socket
    }

    /// Reads something of the socket without changing it; `None` once closed.
    pub(super) fn inspect<T>(&self, inspect: impl FnOnce(&S) -> T) -> Option<T> {
        self.lock().socket.as_ref().map(inspect)
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Core<S>> {
        sync::lock(&self.core)
    }
}
