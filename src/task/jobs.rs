//! The workers' side: jobs to do.
//!
//! A worker is a socket that holds one job at most. A [`Jobs`] begins with one, and opens another when a thread asks for a
//! job while all others are in use. A worker says `Ready` only when a thread waits for a job, so that no job waits for a
//! worker that does something else.

use std::cell::RefCell;
use std::fmt::{self, Display};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::mdp::{self, Address, Received};
use super::queue::PROBE_INTERVAL;
use crate::engine::{Cancel, Engine, Wait};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::{OpenSocket, workers};
use crate::message::{AsFrames, Message};
use crate::report;
use crate::unwind::contain;

/// After this time without a word of the producer, it may not be there.
const SILENCE: Duration = Duration::from_secs(3);

/// How often a worker says something to a producer that may not be there. libzmq queues it until there is a connection.
const CALL_INTERVAL: Duration = Duration::from_secs(5);

/// The jobs that a producer gives to this worker: iterate over them.
///
/// Each step blocks until there is a job. Iteration ends when the producer has no more jobs. It also ends when
/// [`close`](Self::close) is called, when the recipe's timeout has passed, and on a fault, which the log reports at error
/// level. You can iterate again, except after `close`: then the worker waits for the next producer. While a producer that
/// has no more jobs is still there, that iteration ends at once. A timeout must be longer than a job needs to arrive: one
/// that comes too late is given to another worker.
///
/// If the producer is not there, or is lost, the worker waits until there is one.
///
/// A worker is ready for a job only while a thread waits in a step of iteration. Threads that share a `&Jobs`, and clones,
/// are workers of their own: each has a connection, and holds one job at a time. So does a thread that asks for the next
/// job before the last one is done. When the producer tells one of these workers that there are no more jobs, all threads
/// end: those that wait at once, and those that do a job at their next step. Each of them ends once. A thread that begins
/// only then waits for the next producer. The threads of [`workers`](Self::workers) begin together. A recipe that is a
/// [`Server`](crate::Server) has only one worker.
///
/// # Examples
///
/// ```no_run
/// use zeroless::Client;
///
/// for job in Client::new().connect("boss", 12345).work()? {
///     let answer = job[0].to_ascii_uppercase();
///     job.done(&[answer])?;
/// }
/// println!("the producer has no more jobs");
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Jobs {
    pool: Arc<Pool>,
}

struct Pool {
    open: Box<dyn Fn() -> Result<OpenSocket> + Send + Sync>,
    is_client: bool,
    /// How long a step waits.
    timeout: Option<Duration>,
    state: Mutex<PoolState>,
}

#[derive(Default)]
struct PoolState {
    /// The workers that nobody uses. They have no job, and are not ready for one.
    free: Vec<Worker>,
    /// The threads that wait for a job.
    waiting: Vec<Arc<Waiter>>,
    /// How many times a producer has said that it has no more jobs.
    ends: u64,
    is_closed: bool,
}

thread_local! {
    /// What this thread iterates over.
    static ITERATIONS: RefCell<Vec<Iteration>> = const { RefCell::new(Vec::new()) };
}

/// An iteration of a thread from its first step until it ends.
///
/// The producer may end while the thread is between two steps. Another thread is told so, and then nobody is left to tell
/// this one.
struct Iteration {
    pool: Weak<Pool>,
    /// How many times a producer had no more jobs when it began.
    ends: u64,
}

struct Waiter {
    /// The socket in which it waits.
    engine: Arc<Engine>,
    cancel: Cancel,
}

impl Jobs {
    pub(super) fn new(
        is_client: bool,
        timeout: Option<Duration>,
        open: impl Fn() -> Result<OpenSocket> + Send + Sync + 'static,
    ) -> Result<Jobs> {
        let first = Worker::new(open()?);
        let pool = Pool {
            open: Box::new(open),
            is_client,
            timeout,
            state: Mutex::default(),
        };
        pool.lock().free.push(first);
        Ok(Jobs { pool: Arc::new(pool) })
    }

    /// Receives the next job, and blocks until there is one; `None` if the producer has no more jobs.
    ///
    /// Iteration does the same, and ends without saying why. Use this to tell the reasons apart.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](ErrorKind::TimedOut) if the recipe's timeout passed first.
    /// * [`Closed`](ErrorKind::Closed) if [`close`](Self::close) was called, before or during the call.
    /// * [`Denied`](ErrorKind::Denied) if the producer [does not let this worker
    ///   in](crate::guide::networks#refused-clients).
    /// * [`Exhausted`](ErrorKind::Exhausted) if there is no file descriptor to wait with, or no memory for the job.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{Client, ErrorKind};
    ///
    /// let jobs = Client::new().connect_local(9).timeout(Duration::from_millis(10)).work()?;
    /// assert_eq!(jobs.recv().unwrap_err().kind(), ErrorKind::TimedOut); // there is no producer
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn recv(&self) -> Result<Option<Job>> {
        let outcome = self.recv_since(self.pool.begin());
        if let Ok(None) = outcome {
            self.pool.end_here();
        }
        outcome
    }

    /// As [`recv`](Self::recv). `ends` is how many times a producer had no more jobs when the iteration began. It ends when
    /// another thread is told so.
    fn recv_since(&self, ends: u64) -> Result<Option<Job>> {
        if self.pool.is_over(ends) {
            return self.pool.no_job(ends);
        }
        let Some(mut worker) = self.pool.take()? else {
            return self.pool.no_job(ends);
        };
        let waiting = Waiting::begin(&self.pool, &worker);
        let outcome = worker.wait(&waiting, ends);
        drop(waiting);
        if let Ok(Next::Job { address, message }) = outcome {
            return Ok(Some(Job {
                message,
                address,
                worker: Some(worker),
                pool: Arc::downgrade(&self.pool),
                ends,
            }));
        }
        worker.withdraw();
        let ends_heard = match outcome {
            Ok(Next::Finished) => self.pool.end(ends),
            _ => ends,
        };
        self.pool.put_back(worker, ends_heard);
        outcome?;
        self.pool.no_job(ends)
    }

    /// Calls `work` with the jobs, on `count` threads, and blocks until the producer has no more jobs.
    ///
    /// If `work` returns frames, the job is done and they are its result. If it returns an error, the job has failed,
    /// and so it has if `work` panics. Each thread is a worker of its own, with its own connection, and ends by itself. It also
    /// ends as iteration does: when [`close`](Self::close) is called or the recipe's timeout has passed.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](ErrorKind::InvalidInput) if `count` is 0, or more than 1 and the recipe is a
    ///   [`Server`](crate::Server).
    /// * [`Exhausted`](ErrorKind::Exhausted) if the system has no more threads. The `Jobs` is then closed.
    /// * Any error that would have ended iteration, and that the log would have reported.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use zeroless::Client;
    ///
    /// let jobs = Client::new().connect("boss", 12345).work()?;
    /// jobs.workers(4, |job| std::fs::read_to_string(zeroless::text(job)))?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn workers<R, E>(&self, count: usize, work: impl Fn(&Message) -> std::result::Result<R, E> + Sync) -> Result<()>
    where
        R: AsFrames,
        E: Display,
    {
        if count > 1 && !self.pool.is_client {
            let message = format!(
                "cannot work with {count} workers: one address has one worker; use a Client, which connects each of them"
            );
            return Err(Error::invalid(message));
        }
        let ends = self.pool.lock().ends;
        let run = || -> Result<()> {
            while let Some(job) = or_quiet_end(self.recv_since(ends))? {
                job.perform(&work)?;
            }
            Ok(())
        };
        workers::on_threads(count, &run, || self.close())
    }

    /// Ends iteration in all threads. Jobs that have been received can still be done.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    ///
    /// let jobs = zeroless::Client::new().connect_local(9).work()?;
    /// let closer = jobs.clone();
    /// thread::spawn(move || closer.close());
    /// assert_eq!(jobs.count(), 0); // ends when the other thread has closed
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn close(&self) {
        let mut state = self.pool.lock();
        state.is_closed = true;
        let waiting = state.waiting.clone();
        let free = std::mem::take(&mut state.free);
        drop(state);
        for waiter in waiting {
            waiter.engine.cancel(&waiter.cancel);
        }
        // Their sockets close.
        drop(free);
    }
}

/// The next job; `None` if there is none for an ordinary reason.
fn or_quiet_end(outcome: Result<Option<Job>>) -> Result<Option<Job>> {
    match outcome {
        Err(error) if error.ends_iteration_quietly() => Ok(None),
        outcome => outcome,
    }
}

impl Iterator for &Jobs {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        let job = or_quiet_end(self.recv()).unwrap_or_else(|error| {
            report::error(format_args!("the jobs end: {error}"));
            None
        });
        if job.is_none() {
            self.pool.end_here();
        }
        job
    }
}

impl Iterator for Jobs {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        (&*self).next()
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.pool.lock();
        match state.is_closed {
            true => f.write_str("Jobs(closed)"),
            false => write!(f, "Jobs({} waiting)", state.waiting.len()),
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the iteration of this thread, if it has not begun. Returns how many ends there were then.
    fn begin(self: &Arc<Pool>) -> u64 {
        let ends = self.lock().ends;
        let begin = |iterations: &RefCell<Vec<Iteration>>| {
            let mut iterations = iterations.borrow_mut();
            if let Some(begun) = iterations.iter().find(|iteration| iteration.is_of(self)) {
                return begun.ends;
            }
            iterations.retain(|iteration| iteration.pool.strong_count() > 0);
            let pool = Arc::downgrade(self);
            iterations.push(Iteration { pool, ends });
            ends
        };
        // A thread that ends may have no memory any more.
        ITERATIONS.try_with(begin).unwrap_or(ends)
    }

    /// Ends the iteration of this thread.
    fn end_here(&self) {
        let _ = ITERATIONS.try_with(|iterations| iterations.borrow_mut().retain(|iteration| !iteration.is_of(self)));
    }

    /// Keeps a worker for the next thread that waits for a job. It has no unread word of these ends. If there was another
    /// end, it may have been told, too, and would tell it to a later iteration: then its socket closes, as it does once
    /// closed.
    fn put_back(&self, worker: Worker, ends: u64) {
        let mut state = self.lock();
        if !state.is_closed && state.ends == ends {
            state.free.push(worker);
        }
    }

    /// Notes that the producer has no more jobs, for all threads: a worker whose connection is made only now may never be
    /// told, because the producer may be gone then. Returns how many ends there were.
    ///
    /// If another thread was told since the iteration began, it is the same end, and must not end a later iteration.
    fn end(&self, ends: u64) -> u64 {
        let mut state = self.lock();
        if state.ends != ends {
            return state.ends;
        }
        state.ends += 1;
        let waiting = state.waiting.clone();
        // They may have been told, too.
        let unneeded = std::mem::take(&mut state.free);
        drop(state);
        for waiter in waiting {
            waiter.engine.cancel(&waiter.cancel);
        }
        drop(unneeded);
        ends + 1
    }

    /// Whether there are no more jobs for an iteration that began after so many ends.
    fn is_over(&self, ends: u64) -> bool {
        let state = self.lock();
        state.is_closed || state.ends != ends
    }

    /// Why there is no job for an iteration that began after so many ends; `None` if the producer has no more.
    fn no_job<T>(&self, ends: u64) -> Result<Option<T>> {
        let state = self.lock();
        match self.timeout {
            _ if state.is_closed => {}
            _ if state.ends != ends => return Ok(None),
            Some(timeout) => {
                let message = format!("there was no job within {timeout:?}; start the producer, or wait longer");
                return Err(Error::new(ErrorKind::TimedOut, message));
            }
            None => {}
        }
        Err(Error::new(ErrorKind::Closed, "there is no job: the worker is closed"))
    }

    /// A worker that nobody uses; `None` once closed.
    fn take(&self) -> Result<Option<Worker>> {
        let mut state = self.lock();
        if state.is_closed {
            return Ok(None);
        }
        match state.free.pop() {
            Some(worker) => Ok(Some(worker)),
            None => {
                drop(state);
                (self.open)().map(|socket| Some(Worker::new(socket)))
            }
        }
    }
}

impl Iteration {
    fn is_of(&self, pool: &Pool) -> bool {
        ptr::eq(self.pool.as_ptr(), pool)
    }
}

/// Notes that a thread waits for a job, so that another can wake it.
struct Waiting<'a> {
    pool: &'a Pool,
    waiter: Arc<Waiter>,
}

impl Waiting<'_> {
    fn begin<'a>(pool: &'a Pool, worker: &Worker) -> Waiting<'a> {
        let waiter = Arc::new(Waiter {
            engine: worker.socket.engine(),
            cancel: Cancel::default(),
        });
        pool.lock().waiting.push(Arc::clone(&waiter));
        Waiting { pool, waiter }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waiting = &mut self.pool.lock().waiting;
        waiting.retain(|waiter| !Arc::ptr_eq(waiter, &self.waiter));
    }
}

/// A socket that a producer knows as one worker.
struct Worker {
    socket: OpenSocket,
    /// The address of the last job that it has received.
    seen: Vec<u8>,
    standing: Standing,
    /// A reply that could not be sent, because a queue full of heartbeats waits for a producer.
    unsent: Option<Message>,
    /// Whether a reply was sent that the producer may not have received.
    has_replied: bool,
}

/// What the producer knows of a worker, as far as the worker can know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It has not said that it is ready for a job.
    Silent,
    Ready,
    /// It was ready, and has said that it is not any more. A job may have been on its way, and is given to another worker.
    /// So jobs are ignored until the producer says that it does not know this worker.
    Withdrawn,
}

/// How a wait for a job ends.
enum Next {
    Job {
        address: Vec<u8>,
        message: Message,
    },
    /// The producer has no more jobs.
    Finished,
    /// The timeout has passed, the `Jobs` was closed, or another thread was told that there are no more jobs.
    Nothing,
}

impl Worker {
    fn new(socket: OpenSocket) -> Worker {
        Worker {
            socket,
            seen: Address::NONE.to_bytes().to_vec(),
            standing: Standing::Silent,
            unsent: None,
            has_replied: false,
        }
    }

    /// Waits for a job. Afterwards the worker may still be ready for one: see `withdraw`.
    fn wait(&mut self, waiting: &Waiting<'_>, ends: u64) -> Result<Next> {
        let Waiting { pool, waiter } = waiting;
        // A moment that the clock cannot represent is no limit.
        let deadline = pool.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut heard_at = Instant::now();
        // A producer that does not know this worker answers a heartbeat.
        let mut beat_at = match self.standing {
            Standing::Withdrawn => heard_at,
            _ => heard_at + PROBE_INTERVAL,
        };
        loop {
            if pool.is_over(ends) {
                return Ok(Next::Nothing);
            }
            if self.standing == Standing::Silent {
                self.say_ready()?;
            }
            let mut message = Message::new();
            let until = deadline.map_or(beat_at, |deadline| deadline.min(beat_at));
            let time = until.saturating_duration_since(Instant::now());
            match self
                .socket
                .receive(&mut message, Wait::Until(&waiter.cancel, Some(time)))
            {
                Ok(()) => {
                    heard_at = Instant::now();
                    if let Some(next) = self.obey(message) {
                        return Ok(next);
                    }
                }
                Err(error) if is_quiet(&error) => {}
                Err(fault) => return Err(fault),
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(Next::Nothing);
            }
            if now >= beat_at {
                beat_at = now + beat_interval(now - heard_at);
                match self.socket.send(&mdp::heartbeat(), Wait::Never) {
                    Err(fault) if !is_quiet(&fault) => return Err(fault),
                    _ => {}
                }
            }
        }
    }

    /// Says that the worker is ready, after a reply that could not be sent before. If there is no room, it is said later.
    fn say_ready(&mut self) -> Result<()> {
        if let Some(reply) = &self.unsent {
            let reply: Vec<&[u8]> = reply.iter().map(Vec::as_slice).collect();
            match self.socket.send(&reply, Wait::Never) {
                Ok(()) => self.unsent = None,
                Err(error) if is_quiet(&error) => return Ok(()),
                Err(fault) => return Err(fault),
            }
        }
        match self.socket.send(&mdp::ready(&self.seen), Wait::Never) {
            Ok(()) => self.standing = Standing::Ready,
            Err(error) if is_quiet(&error) => {}
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Does what the producer says.
    fn obey(&mut self, message: Message) -> Option<Next> {
        match Received::parse(message) {
            Received::Request { address, body } => {
                self.seen.clone_from(&address);
                self.has_replied = false;
                if self.standing != Standing::Withdrawn {
                    self.standing = Standing::Silent;
                    return Some(Next::Job { address, message: body });
                }
            }
            Received::Finished => {
                self.has_replied = false;
                // This confirms it. It may reach the next producer instead, which may have sent a job to this worker.
                self.leave();
                return Some(Next::Finished);
            }
            Received::RegisterAnew => self.standing = Standing::Silent,
            Received::Heartbeat | Received::Malformed => {}
        }
        None
    }

    /// Tells the producer that the worker is not ready any more.
    fn withdraw(&mut self) {
        if self.standing == Standing::Ready {
            self.leave();
        }
    }

    /// Tells the producer that it cannot count on this worker. If there is no room, the connection was lost long ago.
    fn leave(&mut self) {
        if self.standing == Standing::Ready {
            self.standing = Standing::Withdrawn;
        }
        let _ = self.socket.send(&mdp::disconnect(&self.seen), Wait::Never);
    }

    /// Sends a reply, or keeps it until there is room for it.
    fn reply(&mut self, frames: &[&[u8]]) -> Result<()> {
        self.has_replied = true;
        match self.socket.send(frames, Wait::Never) {
            Err(error) if is_quiet(&error) => {
                self.unsent = Some(frames.iter().map(|frame| frame.to_vec()).collect());
                Ok(())
            }
            outcome => outcome,
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.withdraw();
        // Without a reply, only the producer's count of its workers is at stake, and it notices that the connection ends.
        if !self.has_replied {
            self.socket.let_lose();
        }
    }
}

/// When to send the next heartbeat to a producer that has been silent for some time.
fn beat_interval(silence: Duration) -> Duration {
    match silence < SILENCE {
        true => PROBE_INTERVAL,
        false => CALL_INTERVAL,
    }
}

/// Whether an operation has only taken too long.
fn is_quiet(error: &Error) -> bool {
    [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind())
}

/// One job to do: it dereferences to its [`Message`].
///
/// End it with [`done`](Self::done) or [`fail`](Self::fail). A job that is dropped without either goes back to the
/// producer, to be done by another worker, and counts as one of its [`attempts`](crate::Server::attempts). A job can be
/// sent to another thread and be ended there.
pub struct Job {
    message: Message,
    address: Vec<u8>,
    /// `None` once the job has ended.
    worker: Option<Worker>,
    pool: Weak<Pool>,
    /// How many times a producer had no more jobs when the iteration began.
    ends: u64,
}

impl Job {
    /// Ends the job, with its result.
    ///
    /// Does not block. If the connection to the producer is lost, the result is sent when there is a connection again.
    /// Meanwhile the producer may have given the job to another worker. When the worker closes, libzmq delivers the result
    /// for up to a second, or for as long as the recipe's [`linger`](crate::Client::linger) says.
    ///
    /// To send frames of the job back, copy them first, as in the example, because this consumes the job.
    ///
    /// # Errors
    ///
    /// [`Exhausted`](ErrorKind::Exhausted) if there is no memory for a copy of the result. The job then goes back to the
    /// producer.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// for job in zeroless::Client::new().connect_local(12345).work()? {
    ///     let (name, length) = (job[0].clone(), job[0].len().to_string());
    ///     job.done(zeroless::frames![name, length])?;
    /// }
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn done(mut self, result: &(impl AsFrames + ?Sized)) -> Result<()> {
        self.succeed(result)
    }

    /// Ends the job, with the reason why it cannot be done.
    ///
    /// Its outcome is an error of the kind [`Failed`](ErrorKind::Failed) with these words. No other worker tries it. It
    /// does not block, as with [`done`](Self::done).
    ///
    /// # Errors
    ///
    /// [`Exhausted`](ErrorKind::Exhausted) if there is no memory for a copy of the words.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// for job in zeroless::Client::new().connect_local(12345).work()? {
    ///     job.fail("this worker is only an example")?;
    /// }
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn fail(mut self, why: impl Display) -> Result<()> {
        self.give_up(why)
    }

    fn succeed(&mut self, result: &(impl AsFrames + ?Sized)) -> Result<()> {
        // This may panic, and the job has not ended then.
        let result = result.as_frames();
        self.end(|address| mdp::result(address, &result))
    }

    fn give_up(&mut self, why: impl Display) -> Result<()> {
        // This, too.
        let why = why.to_string();
        self.end(|address| mdp::failure(address, &why))
    }

    fn end<'a>(&'a mut self, reply: impl FnOnce(&'a [u8]) -> Vec<&'a [u8]>) -> Result<()> {
        let Some(mut worker) = self.worker.take() else {
            return Ok(());
        };
        let outcome = worker.reply(&reply(&self.address));
        if outcome.is_err() {
            worker.leave();
        }
        self.put_back(worker);
        outcome
    }

    fn put_back(&self, worker: Worker) {
        if let Some(pool) = self.pool.upgrade() {
            pool.put_back(worker, self.ends);
        }
    }

    /// Ends the job as a user's function says.
    fn perform<R: AsFrames, E: Display>(mut self, work: &impl Fn(&Message) -> std::result::Result<R, E>) -> Result<()> {
        let performed = catch_unwind(AssertUnwindSafe(|| match work(&self.message) {
            Ok(result) => self.succeed(&result),
            Err(error) => self.give_up(error),
        }));
        performed.unwrap_or_else(|payload| {
            let words = payload.downcast_ref::<&str>().map(|words| (*words).to_owned());
            let words = words.or_else(|| payload.downcast_ref::<String>().cloned());
            // A payload may panic when it is dropped.
            contain(|| drop(payload));
            self.fail(format_args!("the worker panicked: {}", words.unwrap_or_default()))
        })
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            worker.leave();
            self.put_back(worker);
        }
    }
}

impl Deref for Job {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.message).finish()
    }
}

#[cfg(all(test, not(zeroless_loom)))]
mod tests {
    use crate::Client;

    /// Otherwise the word of the second thread would end what the first one does after it has ended.
    #[test]
    fn an_end_of_which_two_threads_are_told_counts_once() {
        let jobs = Client::new().connect_local(9).work().unwrap();
        assert_eq!([jobs.pool.end(0), jobs.pool.end(0)], [1, 1]);
        assert_eq!(jobs.pool.lock().ends, 1);
    }
}
