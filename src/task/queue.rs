//! The rules of a work queue: which worker gets which job, and when a job has its outcome.
//!
//! A [`Queue`] has no socket, no thread and no clock. It is told what has happened and what time it is, and calls
//! [`Outside`] to send an order to a worker, which returns whether the worker can be reached, and to report an outcome.
//! The [producer](super::producer) connects it to a socket.
//!
//! # The rules
//!
//! 1. **A worker holds one job.** Only a worker that is idle gets a job: one that has said `Ready` since its last job.
//!    (A worker of plain RFC 7 is also ready after a reply.) Nothing is sent to a worker in advance.
//! 2. **The next job goes to the worker that has been idle longest.**
//! 3. **A busy worker is lost only when it cannot be reached**, however long it is silent: it may be working. It is
//!    probed with a heartbeat each second. An orderly worker does not read while it works, so probes accumulate in its
//!    queue. A full queue would stop libzmq from reading, and the connection would break. So while a worker is silent,
//!    the time between two probes is never less than a hundredth of its silence: then there are fewer than a thousand in
//!    nine days.
//! 4. **An idle worker that is silent is forgotten**, as it may hang. When it says something again, it is told to
//!    register anew. So is each worker that the queue does not know.
//! 5. **The job of a lost worker goes to the front of the queue.** So does a job that its worker gives back, and one that
//!    has run for longer than the time limit, although its worker lives. (That worker gets no other job until it has
//!    finished.) If the job has already started `attempts` times, its outcome is an error instead.
//! 6. **The first result of a job is its outcome**, whichever worker it is from. Later ones are dropped, and those of
//!    another run.
//! 7. **What crosses on the way is not an end.** A `Ready` and a `Disconnect` may cross a job that is on its way to the
//!    same worker. So they name the last job that the worker has received. If it is not the job that the worker was sent
//!    last, then after `Ready` the worker is still going to receive it, and after `Disconnect` the job has not started: a
//!    worker of this crate ignores jobs until it hears that the queue does not know it.
//! 8. **It is over** when there will be no more jobs, and each job has its outcome. Then each worker is told so once, also
//!    those that come later. A worker that is not busy confirms it, by leaving. The producer waits for that before it
//!    closes, because a connection that is closed while a message of the worker arrives can lose what the worker has not
//!    read.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::mem;
use std::time::Duration;

use super::mdp::{Address, Order, Word, WorkerResult};
use super::outcome::Outcome;
use crate::error::{Error, ErrorKind};
use crate::message::Message;

/// How often a busy worker is probed, and an idle one learns that the producer is there.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The time between two probes of a silent worker is at least its silence divided by this.
const PROBES_PER_SILENCE: u32 = 100;

/// After this time, an idle worker that has said nothing is forgotten: three heartbeats of RFC 7.
const IDLE_LIMIT: Duration = Duration::from_millis(7_500);

/// What a queue acts on.
pub(super) trait Outside {
    fn send(&mut self, worker: &[u8], order: Order<'_>) -> Reach;

    fn report(&mut self, outcome: Outcome);
}

/// Whether a worker could be sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Sent,
    /// The worker is connected, but there is no room in the queue of its connection.
    Full,
    /// The worker is not connected any more.
    Gone,
}

/// A routing id.
type WorkerId = Vec<u8>;

/// A moment, as the time since the queue was made.
type Moment = Duration;

pub(super) struct Queue {
    run: u64,
    /// How many times a job may start.
    attempts: u32,
    time_limit: Option<Duration>,
    /// The jobs without an outcome.
    jobs: HashMap<u64, QueuedJob>,
    jobs_added: u64,
    /// The jobs to start, in this order.
    waiting: VecDeque<u64>,
    workers: HashMap<WorkerId, Worker>,
    /// The idle workers, the one that has been idle longest first.
    idle: BTreeMap<u64, WorkerId>,
    times_idle: u64,
    /// The time as it was told last.
    now: Moment,
    /// When the jobs that run have run for too long. Empty without a time limit.
    deadlines: BTreeSet<(Moment, u64)>,
    next_round: Moment,
    is_ending: bool,
    is_over: bool,
}

struct QueuedJob {
    body: Message,
    /// How many times it was sent to a worker, which numbers the starts.
    sent: u32,
    /// How many times it has started, or may have.
    started: u32,
    /// When it was sent last.
    sent_at: Option<Moment>,
    running: Option<Running>,
}

/// The start of a job that the queue waits for. An earlier start, of a worker that exceeds the time limit, can still
/// bring the result.
struct Running {
    start: u32,
    deadline: Option<Moment>,
}

struct Worker {
    state: WorkerState,
    /// Whether it says `Ready` before each job. A worker of plain RFC 7 does so only before the first.
    announces: bool,
    heard_at: Moment,
    probe_at: Moment,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WorkerState {
    /// Ready for a job. The number is its key in `idle`.
    Idle(u64),
    /// Ready for a job, but its connection has no room for one.
    Full,
    /// It has been sent this job, and has not replied.
    Busy(Address),
    /// It has replied, and has not said `Ready` since then.
    Resting,
    /// It was told that it is over, and may confirm it soon.
    Told { is_awaited: bool },
}

/// Why a start of a job has no result.
#[derive(Clone, Copy)]
enum Loss {
    /// The worker is lost, or gave the job back.
    Worker,
    TimeLimit,
    /// The worker never received it.
    NotStarted,
}

impl Queue {
    pub(super) fn new(run: u64, attempts: u32, time_limit: Option<Duration>) -> Queue {
        Queue {
            run,
            attempts,
            time_limit,
            jobs: HashMap::new(),
            jobs_added: 0,
            waiting: VecDeque::new(),
            workers: HashMap::new(),
            idle: BTreeMap::new(),
            times_idle: 0,
            now: Duration::ZERO,
            deadlines: BTreeSet::new(),
            next_round: Duration::ZERO,
            is_ending: false,
            is_over: false,
        }
    }

    /// How many workers have registered.
    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Whether each job has its outcome, and there will be no more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether a worker that was told that it is over is going to confirm it.
    pub(super) fn awaits_confirmation(&self) -> bool {
        let is_awaited = |worker: &Worker| worker.state == WorkerState::Told { is_awaited: true };
        self.workers.values().any(is_awaited)
    }

    /// When to call [`pass_time`](Self::pass_time) next, if nothing happens before.
    pub(super) fn next_moment(&self) -> Option<Moment> {
        let round = (!self.workers.is_empty()).then_some(self.next_round);
        let deadline = self.deadlines.first().map(|&(deadline, _)| deadline);
        round.into_iter().chain(deadline).min()
    }

    /// Adds a job at the end of the queue.
    pub(super) fn add(&mut self, body: Message, now: Moment, outside: &mut impl Outside) {
        self.now = now;
        let id = self.jobs_added;
        self.jobs_added += 1;
        let job = QueuedJob {
            body,
            sent: 0,
            started: 0,
            sent_at: None,
            running: None,
        };
        self.jobs.insert(id, job);
        self.waiting.push_back(id);
        self.hand_out(now, outside);
    }

    /// Notes that there will be no more jobs.
    pub(super) fn end(&mut self, outside: &mut impl Outside) {
        self.is_ending = true;
        self.check_over(outside);
    }

    /// Gives up all jobs: this error is their outcome.
    pub(super) fn abandon(&mut self, error: &Error, outside: &mut impl Outside) {
        self.waiting.clear();
        self.deadlines.clear();
        let mut jobs: Vec<(u64, QueuedJob)> = mem::take(&mut self.jobs).into_iter().collect();
        jobs.sort_by_key(|&(id, _)| id);
        for (_, job) in jobs {
            outside.report(job.outcome(Err(error.clone()), self.now));
        }
        self.end(outside);
    }

    /// Does what is due at this time.
    pub(super) fn pass_time(&mut self, now: Moment, outside: &mut impl Outside) {
        self.now = now;
        if now >= self.next_round {
            self.next_round = now + PROBE_INTERVAL;
            self.go_round(now, outside);
        }
        while let Some(&(deadline, id)) = self.deadlines.first()
            && now >= deadline
        {
            self.put_back(id, Loss::TimeLimit, outside);
        }
        self.hand_out(now, outside);
    }

    /// Probes the workers, and forgets those that are silent.
    fn go_round(&mut self, now: Moment, outside: &mut impl Outside) {
        if self.is_over {
            self.tell_over(outside);
            let told = |worker: &Worker| matches!(worker.state, WorkerState::Told { .. });
            return self
                .workers
                .retain(|id, worker| !told(worker) || outside.send(id, Order::Heartbeat) != Reach::Gone);
        }
        let mut lost = Vec::new();
        let mut with_room = Vec::new();
        for (id, worker) in &mut self.workers {
            let silence = now.saturating_sub(worker.heard_at);
            let is_busy = matches!(worker.state, WorkerState::Busy(_));
            if !is_busy && silence >= IDLE_LIMIT {
                lost.push(id.clone());
            } else if !is_busy || now >= worker.probe_at {
                worker.probe_at = now + PROBE_INTERVAL.max(silence / PROBES_PER_SILENCE);
                match outside.send(id, Order::Heartbeat) {
                    Reach::Gone => lost.push(id.clone()),
                    Reach::Sent if worker.state == WorkerState::Full => with_room.push(id.clone()),
                    Reach::Sent | Reach::Full => {}
                }
            }
        }
        for id in lost {
            self.remove(&id, Loss::Worker, outside);
        }
        for id in with_room {
            self.make_idle(&id);
        }
    }

    /// Notes what a worker has said.
    pub(super) fn hear(&mut self, id: &[u8], word: Word, now: Moment, outside: &mut impl Outside) {
        self.now = now;
        if let Some(worker) = self.workers.get_mut(id) {
            worker.heard_at = now;
        }
        match word {
            Word::Ready { seen } => self.hear_ready(id, seen, now, outside),
            Word::Reply { address, result } => self.hear_reply(id, address, result, now, outside),
            Word::Heartbeat if self.workers.contains_key(id) => {}
            Word::Heartbeat => self.refer(id, true, now, outside),
            Word::Disconnect { seen } => {
                let loss = match self.has_crossed(id, seen) {
                    true => Loss::NotStarted,
                    false => Loss::Worker,
                };
                self.remove(id, loss, outside);
            }
            Word::Malformed => self.remove(id, Loss::Worker, outside),
        }
        self.hand_out(now, outside);
    }

    fn hear_ready(&mut self, id: &[u8], seen: Option<Address>, now: Moment, outside: &mut impl Outside) {
        if self.has_crossed(id, seen) {
            return;
        }
        match self.workers.get(id).map(|worker| worker.state) {
            Some(WorkerState::Idle(_) | WorkerState::Full | WorkerState::Told { .. }) => return,
            Some(WorkerState::Busy(_)) => self.remove(id, Loss::Worker, outside),
            Some(WorkerState::Resting) | None => {}
        }
        // Giving the job up may have ended the queue.
        if self.is_over {
            return self.refer(id, seen.is_some(), now, outside);
        }
        self.insert(id, WorkerState::Resting, seen.is_some(), now);
        self.make_idle(id);
    }

    fn hear_reply(
        &mut self,
        id: &[u8],
        address: Address,
        result: WorkerResult,
        now: Moment,
        outside: &mut impl Outside,
    ) {
        match self.workers.get_mut(id) {
            Some(worker) if worker.state == WorkerState::Busy(address) => {
                worker.state = WorkerState::Resting;
                if !worker.announces {
                    self.make_idle(id);
                }
            }
            Some(_) => {}
            None => self.refer(id, false, now, outside),
        }
        let is_known = self
            .jobs
            .get(&address.job)
            .is_some_and(|job| (1..=job.sent).contains(&address.start));
        if address.run == self.run && is_known {
            let result = result.map_err(|why| Error::new(ErrorKind::Failed, why));
            self.conclude(address.job, result, outside);
        }
    }

    /// Whether what a worker has just said has crossed a job that was sent to it. `seen` is the last job that it has
    /// received, if it says so.
    fn has_crossed(&self, id: &[u8], seen: Option<Address>) -> bool {
        match (self.workers.get(id).map(|worker| worker.state), seen) {
            (Some(WorkerState::Busy(address)), Some(seen)) => address != seen,
            _ => false,
        }
    }

    /// Tells a worker that the queue does not know what to do. If it cannot be told, it will say something again.
    fn refer(&mut self, id: &[u8], confirms: bool, now: Moment, outside: &mut impl Outside) {
        if !self.is_over {
            let _ = outside.send(id, Order::RegisterAnew);
            return;
        }
        if outside.send(id, Order::Finished) == Reach::Sent {
            let state = WorkerState::Told { is_awaited: confirms };
            self.insert(id, state, confirms, now);
        }
    }

    fn insert(&mut self, id: &[u8], state: WorkerState, announces: bool, now: Moment) {
        if self.workers.is_empty() {
            self.next_round = now + PROBE_INTERVAL;
        }
        let worker = Worker {
            state,
            announces,
            heard_at: now,
            probe_at: now,
        };
        self.workers.insert(id.to_owned(), worker);
    }

    fn make_idle(&mut self, id: &[u8]) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        worker.state = WorkerState::Idle(self.times_idle);
        self.idle.insert(self.times_idle, id.to_owned());
        self.times_idle += 1;
    }

    /// Forgets a worker, and puts its job back.
    fn remove(&mut self, id: &[u8], loss: Loss, outside: &mut impl Outside) {
        let Some(worker) = self.workers.remove(id) else { return };
        match worker.state {
            WorkerState::Idle(key) => _ = self.idle.remove(&key),
            WorkerState::Full | WorkerState::Resting | WorkerState::Told { .. } => {}
            WorkerState::Busy(address) => {
                let job = self.jobs.get(&address.job);
                // Otherwise the job has its outcome, or the start has exceeded the time limit.
                let is_awaited = job
                    .and_then(|job| job.running.as_ref())
                    .is_some_and(|running| running.start == address.start);
                if is_awaited {
                    self.put_back(address.job, loss, outside);
                }
            }
        }
    }

    /// Puts a job that runs back to the front of the queue, or gives it up.
    fn put_back(&mut self, id: u64, loss: Loss, outside: &mut impl Outside) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(deadline) = job.running.take().and_then(|running| running.deadline) {
            self.deadlines.remove(&(deadline, id));
        }
        let attempts = self.attempts;
        let error = match loss {
            Loss::NotStarted => {
                job.started -= 1;
                None
            }
            _ if job.started < attempts => None,
            Loss::Worker => Some(Error::new(
                ErrorKind::Lost,
                format!(
                    "the job has no result: it was lost {attempts} times, because its worker died or gave it back; \
                     check what this job does to a worker, or allow more attempts"
                ),
            )),
            Loss::TimeLimit => Some(Error::new(
                ErrorKind::TimedOut,
                format!(
                    "the job has no result: in the last of {attempts} attempts it took longer than the time limit of \
                     {:?}; check why it takes so long, or set a longer time_limit",
                    self.time_limit.unwrap_or_default()
                ),
            )),
        };
        match error {
            Some(error) => self.conclude(id, Err(error), outside),
            None => self.waiting.push_front(id),
        }
    }

    /// Reports the outcome of a job, and forgets the job.
    fn conclude(&mut self, id: u64, result: crate::error::Result<Message>, outside: &mut impl Outside) {
        let Some(job) = self.jobs.remove(&id) else { return };
        match &job.running {
            Some(Running {
                deadline: Some(deadline),
                ..
            }) => _ = self.deadlines.remove(&(*deadline, id)),
            Some(_) => {}
            // It was put back, so it is near the front.
            None => {
                if let Some(position) = self.waiting.iter().position(|&waiting| waiting == id) {
                    self.waiting.remove(position);
                }
            }
        }
        outside.report(job.outcome(result, self.now));
        self.check_over(outside);
    }

    fn check_over(&mut self, outside: &mut impl Outside) {
        if self.is_ending && self.jobs.is_empty() && !self.is_over {
            self.is_over = true;
            self.idle.clear();
            self.tell_over(outside);
        }
    }

    /// Tells the workers that it is over, once each.
    fn tell_over(&mut self, outside: &mut impl Outside) {
        self.workers.retain(|id, worker| {
            if matches!(worker.state, WorkerState::Told { .. }) {
                return true;
            }
            let reach = outside.send(id, Order::Finished);
            if reach == Reach::Sent {
                let is_busy = matches!(worker.state, WorkerState::Busy(_));
                let is_awaited = worker.announces && !is_busy;
                worker.state = WorkerState::Told { is_awaited };
            }
            reach != Reach::Gone
        });
    }

    /// Gives jobs to idle workers.
    fn hand_out(&mut self, now: Moment, outside: &mut impl Outside) {
        while let Some(&id) = self.waiting.front()
            && let Some((_, worker_id)) = self.idle.pop_first()
        {
            let (Some(job), Some(worker)) = (self.jobs.get_mut(&id), self.workers.get_mut(&worker_id)) else {
                unreachable!("what waits and who is idle is known");
            };
            let address = Address {
                run: self.run,
                job: id,
                start: job.sent + 1,
            };
            match outside.send(&worker_id, Order::Request(address, &job.body)) {
                Reach::Sent => {
                    self.waiting.pop_front();
                    job.sent += 1;
                    job.started += 1;
                    job.sent_at = Some(now);
                    // A moment that cannot be represented is no limit.
                    let deadline = self.time_limit.and_then(|limit| now.checked_add(limit));
                    self.deadlines.extend(deadline.map(|deadline| (deadline, id)));
                    job.running = Some(Running {
                        start: address.start,
                        deadline,
                    });
                    worker.state = WorkerState::Busy(address);
                    worker.heard_at = now;
                    worker.probe_at = now + PROBE_INTERVAL;
                }
                Reach::Full => worker.state = WorkerState::Full,
                Reach::Gone => _ = self.workers.remove(&worker_id),
            }
        }
    }
}

impl QueuedJob {
    fn outcome(self, result: crate::error::Result<Message>, now: Moment) -> Outcome {
        Outcome {
            job: self.body,
            result,
            attempts: self.started,
            time: self
                .sent_at
                .map_or(Duration::ZERO, |sent_at| now.saturating_sub(sent_at)),
        }
    }
}

#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod tests;
