//! The thread behind a producer: it connects a [`Queue`] to a socket.
//!
//! The handles and the thread share a [`State`] under a mutex. Handles put jobs there. The thread takes them, and is then
//! the only one that uses the queue. It waits in the socket, because most of what happens is a message of a worker. So
//! before it waits, it leaves a [`Cancel`] in the state, with which a handle that has news ends the wait.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::mdp::{Order, Word};
use super::outcome::Outcome;
use super::queue::{Outside, Queue, Reach};
use crate::engine::{Cancel, Engine, Wait};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::OpenSocket;
use crate::message::Message;
use crate::recipe::JobOptions;
use crate::{report, unwind};

/// How long the producer waits, when it closes, for workers to confirm that they know.
const CONFIRMATION_LIMIT: Duration = Duration::from_secs(1);

/// How many jobs the thread adds before it listens to the workers again.
const BATCH: usize = 64;

/// How long the thread waits after a fault of the socket, which may pass.
const FAULT_INTERVAL: Duration = Duration::from_millis(100);

/// What the handles of a producer share. The drop of the last one tells the workers that it is over, and closes the
/// socket.
pub(super) struct Producer {
    shared: Arc<Shared>,
    engine: Arc<Engine>,
    thread: Option<JoinHandle<()>>,
}

/// One side of the handles: it counts as gone when the last of its clones is dropped.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Dispatchers,
    Outcomes,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Notified when there may be room for a job.
    room: Condvar,
    /// Notified when the number of workers has changed.
    workers: Condvar,
}

#[derive(Default)]
struct State {
    /// The jobs that the thread has not taken yet.
    jobs: VecDeque<Message>,
    /// How many jobs have no outcome yet.
    unfinished: usize,
    /// How many there may be; `None` for no limit.
    limit: Option<usize>,
    workers: usize,
    /// Which sides are gone.
    is_gone: [bool; 2],
    is_closed: bool,
    /// How the thread can be woken, while it waits or is about to.
    sleeper: Option<Arc<Cancel>>,
}

/// What the thread has to do.
struct News {
    is_gone: [bool; 2],
    /// Ends the wait for a message when there is more.
    cancel: Arc<Cancel>,
}

impl Producer {
    pub(super) fn start(
        socket: OpenSocket,
        limit: Option<usize>,
        options: &JobOptions,
    ) -> Result<(Arc<Producer>, Receiver<Outcome>)> {
        let shared = Arc::new(Shared::default());
        shared.lock().limit = limit;
        let engine = socket.engine();
        let (outcomes, reported) = unbounded();
        let queue = Queue::new(new_run(), options.attempts, options.time_limit);
        let thread = {
            let shared = Arc::clone(&shared);
            let run = move || Driver::new(socket, outcomes, &shared, queue).run();
            thread::Builder::new().name("zeroless-dispatch".into()).spawn(run)
        };
        let thread = thread.map_err(|error| Error::from_spawn("cannot dispatch jobs", error))?;
        let producer = Producer {
            shared,
            engine,
            thread: Some(thread),
        };
        Ok((Arc::new(producer), reported))
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Adds a job when there is room for it.
    pub(super) fn submit(&self, frames: &[&[u8]], wait: Wait<'_>) -> Result<()> {
        let what_failed = |what: &str| format!("{}: could not dispatch a job{what}", self.engine.label());
        if frames.is_empty() {
            let message = format!("{}: a job has at least one frame; give an empty frame", what_failed(""));
            return Err(Error::invalid(message));
        }
        let state = self.shared.lock();
        let is_full =
            |state: &mut State| state.limit.is_some_and(|limit| state.unfinished >= limit) && !state.is_closed;
        let mut state = wait_while(&self.shared.room, state, wait, is_full);
        if state.is_closed {
            return Err(Error::new(ErrorKind::Closed, what_failed(": the socket is closed")));
        }
        if is_full(&mut state) {
            let unfinished = state.unfinished;
            drop(state);
            let (kind, within) = match wait {
                Wait::For(time) => (ErrorKind::TimedOut, format!("within {time:?}")),
                _ => (ErrorKind::WouldBlock, "without waiting".to_owned()),
            };
            let message = format!("{} {within}: {unfinished} jobs are unfinished", what_failed(""));
            return Err(Error::new(kind, message));
        }
        state
            .jobs
            .push_back(frames.iter().map(|frame| frame.to_vec()).collect());
        state.unfinished += 1;
        self.wake(state);
        Ok(())
    }

    pub(super) fn wait_for_workers(&self, wanted: usize, timeout: Duration) -> Result<()> {
        let is_short = |state: &mut State| state.workers < wanted && !state.is_closed;
        let mut state = wait_while(&self.shared.workers, self.shared.lock(), Wait::For(timeout), is_short);
        let what_failed = || format!("{}: could not wait for {wanted} workers", self.engine.label());
        if state.is_closed {
            return Err(Error::new(
                ErrorKind::Closed,
                format!("{}: the socket is closed", what_failed()),
            ));
        }
        if is_short(&mut state) {
            let there = state.workers;
            drop(state);
            let message = format!("{}: {there} of them are there after {timeout:?}", what_failed());
            return Err(Error::new(ErrorKind::TimedOut, message));
        }
        Ok(())
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> usize {
        self.shared.lock().workers
    }

    /// Notes that the last handle of a side is gone.
    pub(super) fn leave(&self, side: Side) {
        let mut state = self.shared.lock();
        state.is_gone[side as usize] = true;
        self.wake(state);
    }

    /// Wakes the thread, as there is news for it.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let sleeper = state.sleeper.take();
        drop(state);
        if let Some(cancel) = sleeper {
            self.engine.cancel(&cancel);
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.leave(Side::Dispatchers);
        self.leave(Side::Outcomes);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the condition does not hold any more, or the time has passed.
fn wait_while<'a>(
    changed: &Condvar,
    state: MutexGuard<'a, State>,
    wait: Wait<'_>,
    condition: impl FnMut(&mut State) -> bool,
) -> MutexGuard<'a, State> {
    match wait {
        Wait::Never => state,
        Wait::For(time) => {
            let outcome = changed.wait_timeout_while(state, time, condition);
            outcome.unwrap_or_else(PoisonError::into_inner).0
        }
        Wait::Forever | Wait::Until(..) => changed
            .wait_while(state, condition)
            .unwrap_or_else(PoisonError::into_inner),
    }
}

/// A number that differs for each producer. The standard library seeds its hashers at random.
fn new_run() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What only the thread uses.
struct Driver<'a> {
    shared: &'a Shared,
    /// The jobs that the handles have brought.
    brought: VecDeque<Message>,
    queue: Queue,
    desk: Desk,
    /// How many workers there are, as the handles know.
    told_workers: usize,
    started: Instant,
    cancel: Arc<Cancel>,
}

/// Through what the queue acts.
struct Desk {
    socket: OpenSocket,
    /// `None` once each job has its outcome, and there will be no more.
    outcomes: Option<Sender<Outcome>>,
    /// How many jobs have had their outcome since the handles were told.
    finished: usize,
}

impl Outside for Desk {
    fn send(&mut self, worker: &[u8], order: Order<'_>) -> Reach {
        match order.send(worker, |frames| self.socket.send(frames, Wait::Never)) {
            Ok(()) => Reach::Sent,
            Err(error) if [ErrorKind::NotConnected, ErrorKind::Closed].contains(&error.kind()) => Reach::Gone,
            // There is no room, or no memory for a copy.
            Err(_) => Reach::Full,
        }
    }

    fn report(&mut self, outcome: Outcome) {
        self.finished += 1;
        if let Some(outcomes) = &self.outcomes {
            // The outcomes may be gone, and the jobs are done all the same.
            let _ = outcomes.send(outcome);
        }
    }
}

impl Driver<'_> {
    fn new(socket: OpenSocket, outcomes: Sender<Outcome>, shared: &Shared, queue: Queue) -> Driver<'_> {
        Driver {
            shared,
            brought: VecDeque::new(),
            queue,
            desk: Desk {
                socket,
                outcomes: Some(outcomes),
                finished: 0,
            },
            told_workers: 0,
            started: Instant::now(),
            cancel: Arc::default(),
        }
    }

    fn run(mut self) {
        if unwind::contain(|| self.drive()).is_none() {
            // The logger may do it again.
            unwind::contain(|| {
                self.give_up(&Error::new(
                    ErrorKind::Other,
                    "the job has no result: the thread of the producer has panicked, probably in the program's logger",
                ));
            });
        }
    }

    /// Does what there is to do, until the socket is closed or the handles are gone.
    fn drive(&mut self) {
        let mut message = Message::new();
        loop {
            let news = self.exchange();
            let now = self.started.elapsed();
            let batch = self.brought.len().min(BATCH);
            for job in self.brought.drain(..batch) {
                self.queue.add(job, now, &mut self.desk);
            }
            match news.is_gone {
                [true, true] => return self.finish(message),
                [true, false] if self.brought.is_empty() => self.queue.end(&mut self.desk),
                _ => {}
            }
            self.queue.pass_time(now, &mut self.desk);
            if self.queue.is_over() {
                self.desk.outcomes = None;
            }
            if self.has_news() {
                continue;
            }
            match self.receive(&mut message, &news, now) {
                Ok(()) => self.hear(&message),
                Err(error) if error.kind() == ErrorKind::Closed => {
                    return self.give_up(&Error::new(
                        ErrorKind::Closed,
                        "the job has no result: the producer's socket was closed",
                    ));
                }
                // There is news, or a time has come.
                Err(error) if error.ends_iteration_quietly() => {}
                Err(fault) => {
                    report::error(format_args!("dispatching goes on after a fault: {fault}"));
                    thread::sleep(FAULT_INTERVAL);
                }
            }
        }
    }

    /// Waits for a message of a worker, until there is news or a time has come.
    fn receive(&self, message: &mut Message, news: &News, now: Duration) -> Result<()> {
        let socket = &self.desk.socket;
        if self.brought.is_empty() {
            let time = self.queue.next_moment().map(|moment| moment.saturating_sub(now));
            match socket.receive(message, Wait::Until(&news.cancel, time)) {
                Err(error) if error.ends_iteration_quietly() => {}
                outcome => return outcome,
            }
        }
        // A cancelled wait takes no message, and handles that bring jobs without end cancel each one.
        socket.receive(message, Wait::Never)
    }

    fn hear(&mut self, message: &[Vec<u8>]) {
        if let [worker, frames @ ..] = message {
            let now = self.started.elapsed();
            self.queue.hear(worker, Word::parse(frames), now, &mut self.desk);
        }
    }

    /// No job can be dispatched any more, and those that were have this error as their outcome.
    fn give_up(&mut self, error: &Error) {
        {
            let mut state = self.shared.lock();
            state.is_closed = true;
            self.brought.append(&mut state.jobs);
        }
        for job in self.brought.drain(..) {
            let result = Err(error.clone());
            self.desk.report(Outcome {
                job,
                result,
                attempts: 0,
                time: Duration::ZERO,
            });
        }
        self.queue.abandon(error, &mut self.desk);
    }

    /// Nobody waits for an outcome any more: tells the workers that it is over, also those that have just come.
    fn finish(&mut self, mut message: Message) {
        let abandoned = Error::new(ErrorKind::Closed, "the outcome is not awaited");
        self.queue.abandon(&abandoned, &mut self.desk);
        let started = Instant::now();
        loop {
            let wait = match self.queue.awaits_confirmation() {
                true => Wait::For(CONFIRMATION_LIMIT.saturating_sub(started.elapsed())),
                false => Wait::Never,
            };
            // A worker that talks without end does not prolong it.
            if started.elapsed() > CONFIRMATION_LIMIT || self.desk.socket.receive(&mut message, wait).is_err() {
                return;
            }
            self.hear(&message);
        }
    }

    /// Whether the handles have not been told yet what has happened.
    fn has_news(&self) -> bool {
        self.desk.finished > 0 || self.told_workers != self.queue.workers()
    }

    /// Tells the handles what has happened, and takes what they have brought.
    fn exchange(&mut self) -> News {
        let mut state = self.shared.lock();
        if self.desk.finished > 0 {
            state.unfinished -= self.desk.finished;
            self.desk.finished = 0;
            self.shared.room.notify_all();
        }
        if self.told_workers != self.queue.workers() {
            self.told_workers = self.queue.workers();
            state.workers = self.told_workers;
            self.shared.workers.notify_all();
        }
        // A handle has taken it, and has used it or is about to.
        if state.sleeper.is_none() {
            self.cancel = Arc::default();
            state.sleeper = Some(Arc::clone(&self.cancel));
        }
        self.brought.append(&mut state.jobs);
        News {
            is_gone: state.is_gone,
            cancel: Arc::clone(&self.cancel),
        }
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        state.workers = 0;
        self.shared.room.notify_all();
        self.shared.workers.notify_all();
    }
}
