//! The clients that ask one socket to be let in: which of them is checked next, and by how many threads.
//!
//! Checking a client may take long, because it may call a user's function. Meanwhile, strangers can ask as often as
//! they like, and leave again; libzmq does not report that they have left. So:
//!
//! * **A request that has waited too long is dropped.** libzmq has given up that client, and the client asks again.
//! * **The source that was checked least recently is next**, and new sources come first. So one address that asks often
//!   does not make others wait.
//! * **Of one source, and of new ones, the newest request is next.** The clients of older ones are more likely to have
//!   left.
//! * **The queue is bounded.** When it is full, the source that has most requests in it loses its oldest.
//! * **A few threads check at the same time**, so that one slow check does not make all others wait. A thread whose
//!   check takes longer than a handshake may does not count any more, so another can start in its place. But there is
//!   a limit, because a check that never ends keeps its thread forever.
//!
//! This is a state machine without threads and without a clock.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::time::{Duration, Instant};

/// How many requests wait at most. After a restart of the server, all its clients may ask at once. With a password
/// function that takes 100 ms, about this many can be checked within the handshake time of libzmq. A request has less
/// than 2 KiB.
const REQUESTS: usize = 1_024;

/// How many sources are remembered at most.
const SOURCES: usize = 2 * REQUESTS;

/// How many threads check clients at the same time. One or two slow checks must not make all others wait. But a function
/// that computes for long, as good ones for passwords do, must leave processors to the program.
const THREADS: usize = 4;

/// How many threads there are at most, with those that take too long. Such a thread may never end, so there must be a
/// limit.
const ALL_THREADS: usize = 16;

/// The requests of type `T`, each from a source of type `S`.
pub(super) struct Queue<S, T> {
    /// How long a check is of use to the client, from when it asks.
    time_limit: Duration,
    /// Oldest first.
    waiting: VecDeque<Waiting<S, T>>,
    sources: BTreeMap<S, SourceState>,
    threads: Vec<Thread>,
    /// How many requests have been taken: the order of the sources comes from this.
    taken: u64,
    /// How many threads have started: their numbers come from this.
    started: u64,
    losses: Losses,
}

/// What went wrong since it was last asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// How many requests were dropped, because there were too many or they had waited too long.
    pub(super) dropped: usize,
    /// How many threads have taken too long.
    pub(super) late: usize,
}

struct Waiting<S, T> {
    since: Instant,
    source: S,
    request: T,
}

/// What the queue knows of a source.
#[derive(Default)]
struct SourceState {
    waiting: usize,
    /// The number of the request that was taken last; 0 if there was none.
    last_taken: u64,
}

/// A thread that checks clients.
struct Thread {
    number: u64,
    /// When it started its check.
    since: Instant,
    /// Whether it counts as one that takes too long.
    is_late: bool,
}

impl<S: Clone + Ord, T> Queue<S, T> {
    pub(super) fn new(time_limit: Duration) -> Queue<S, T> {
        Queue {
            time_limit,
            waiting: VecDeque::new(),
            sources: BTreeMap::new(),
            threads: Vec::new(),
            taken: 0,
            started: 0,
            losses: Losses::default(),
        }
    }

    pub(super) fn set_time_limit(&mut self, time_limit: Duration) {
        self.time_limit = time_limit;
    }

    /// Adds a request.
    pub(super) fn push(&mut self, now: Instant, source: S, request: T) {
        self.drop_outdated(now);
        if self.waiting.len() == REQUESTS {
            self.make_room();
        }
        if self.sources.len() == SOURCES {
            self.sources.retain(|_, state| state.waiting > 0);
        }
        self.sources.entry(source.clone()).or_default().waiting += 1;
        self.waiting.push_back(Waiting {
            since: now,
            source,
            request,
        });
    }

    /// Returns the number of a new thread, if one is needed: it must call [`next`](Self::next).
    pub(super) fn start_thread(&mut self, now: Instant) -> Option<u64> {
        let is_needed = !self.waiting.is_empty() && self.threads_in_time(now) < THREADS;
        if !is_needed || self.threads.len() == ALL_THREADS {
            return None;
        }
        self.started += 1;
        self.note_busy(self.started, now);
        Some(self.started)
    }

    /// Takes the request that this thread must check next. After `None`, the thread does not count any more, and must
    /// end.
    pub(super) fn next(&mut self, now: Instant, thread: u64) -> Option<T> {
        self.end_thread(thread);
        self.drop_outdated(now);
        // If it was late, another may have started in its place.
        if self.threads_in_time(now) == THREADS {
            return None;
        }
        let request = self.take()?;
        self.note_busy(thread, now);
        Some(request)
    }

    /// Does not count this thread any more, if it still counts.
    pub(super) fn end_thread(&mut self, number: u64) {
        self.threads.retain(|thread| thread.number != number);
    }

    pub(super) fn take_losses(&mut self) -> Losses {
        mem::take(&mut self.losses)
    }

    fn note_busy(&mut self, number: u64, since: Instant) {
        self.threads.push(Thread {
            number,
            since,
            is_late: false,
        });
    }

    fn threads_in_time(&mut self, now: Instant) -> usize {
        for thread in &mut self.threads {
            if !thread.is_late && now.duration_since(thread.since) >= self.time_limit {
                thread.is_late = true;
                self.losses.late += 1;
            }
        }
        self.threads.iter().filter(|thread| !thread.is_late).count()
    }

    fn take(&mut self) -> Option<T> {
        let waiting = self.sources.values().filter(|state| state.waiting > 0);
        let least_recent = waiting.map(|state| state.last_taken).min()?;
        let is_next = |waiting: &Waiting<S, T>| self.sources[&waiting.source].last_taken == least_recent;
        let index = self.waiting.iter().rposition(is_next)?;
        let waiting = self.remove(index)?;
        self.taken += 1;
        if let Some(state) = self.sources.get_mut(&waiting.source) {
            state.last_taken = self.taken;
        }
        Some(waiting.request)
    }

    fn drop_outdated(&mut self, now: Instant) {
        while let Some(oldest) = self.waiting.front()
            && now.duration_since(oldest.since) >= self.time_limit
        {
            self.remove(0);
            self.losses.dropped += 1;
        }
    }

    fn make_room(&mut self) {
        let most = self.sources.values().map(|state| state.waiting).max();
        let has_most = |waiting: &Waiting<S, T>| Some(self.sources[&waiting.source].waiting) == most;
        if let Some(oldest) = self.waiting.iter().position(has_most) {
            self.remove(oldest);
            self.losses.dropped += 1;
        }
    }

    fn remove(&mut self, index: usize) -> Option<Waiting<S, T>> {
        let removed = self.waiting.remove(index)?;
        if let Some(state) = self.sources.get_mut(&removed.source) {
            state.waiting -= 1;
        }
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// A queue whose time passes only as a test says.
    struct Simulation {
        queue: Queue<&'static str, usize>,
        now: Instant,
    }

    impl Simulation {
        fn new() -> Simulation {
            Simulation {
                queue: Queue::new(LIMIT),
                now: Instant::now(),
            }
        }

        fn push(&mut self, source: &'static str, request: usize) {
            self.queue.push(self.now, source, request);
        }

        fn start(&mut self) -> Option<u64> {
            self.queue.start_thread(self.now)
        }

        fn next(&mut self, thread: u64) -> Option<usize> {
            self.queue.next(self.now, thread)
        }

        /// What one thread takes until it must end.
        fn rest(&mut self) -> Vec<usize> {
            let Some(thread) = self.start() else { return Vec::new() };
            std::iter::from_fn(|| self.next(thread)).collect()
        }

        /// Starts threads until no more are needed. Each takes a request.
        fn start_all(&mut self) -> Vec<u64> {
            let mut threads = Vec::new();
            while let Some(thread) = self.start() {
                assert!(self.next(thread).is_some());
                threads.push(thread);
            }
            threads
        }
    }

    #[test]
    fn newest_of_a_source_is_first() {
        let mut simulation = Simulation::new();
        (0..4).for_each(|request| simulation.push("a", request));
        assert_eq!(simulation.rest(), [3, 2, 1, 0]);
    }

    #[test]
    fn sources_take_turns() {
        let mut simulation = Simulation::new();
        for (source, request) in [("a", 1), ("a", 2), ("b", 3), ("a", 4), ("c", 5), ("a", 6), ("b", 7)] {
            simulation.push(source, request);
        }
        assert_eq!(simulation.rest(), [7, 6, 5, 3, 4, 2, 1]);
    }

    #[test]
    fn a_source_that_asks_always_is_after_one_that_asks_seldom() {
        let mut simulation = Simulation::new();
        simulation.push("seldom", 0);
        (1..5).for_each(|request| simulation.push("always", request));
        let thread = simulation.start().unwrap();
        assert_eq!(simulation.next(thread), Some(4));
        simulation.push("always", 5);
        assert_eq!(simulation.next(thread), Some(0));
        simulation.push("seldom", 6);
        simulation.push("always", 7);
        assert_eq!(simulation.next(thread), Some(7));
        simulation.push("always", 8);
        assert_eq!(simulation.next(thread), Some(6));
    }

    #[test]
    fn outdated_requests_are_dropped() {
        let mut simulation = Simulation::new();
        simulation.push("a", 1);
        simulation.now += LIMIT / 2;
        simulation.push("a", 2);
        simulation.now += LIMIT / 2;
        assert_eq!(simulation.rest(), [2]);
        simulation.push("a", 3);
        simulation.now += LIMIT;
        assert_eq!(simulation.rest(), []);
        assert_eq!(simulation.queue.take_losses(), Losses { dropped: 2, late: 0 });
        simulation.queue.set_time_limit(Duration::MAX);
        simulation.push("a", 4);
        simulation.now += 1_000 * LIMIT;
        assert_eq!(simulation.rest(), [4]);
    }

    #[test]
    fn full_queue_drops_the_oldest_of_the_source_with_most() {
        let mut simulation = Simulation::new();
        simulation.push("b", 0);
        (1..=REQUESTS).for_each(|request| simulation.push("a", request));
        let rest = simulation.rest();
        assert_eq!(rest.len(), REQUESTS);
        assert_eq!(simulation.queue.take_losses(), Losses { dropped: 1, late: 0 });
        assert!(rest.contains(&0) && !rest.contains(&1) && rest.contains(&2), "{rest:?}");
    }

    #[test]
    fn full_queue_of_many_sources_drops_the_oldest() {
        let mut queue = Queue::new(LIMIT);
        let now = Instant::now();
        (0..=REQUESTS).for_each(|source| queue.push(now, source, source));
        let thread = queue.start_thread(now).unwrap();
        let rest: Vec<_> = std::iter::from_fn(|| queue.next(now, thread)).collect();
        assert!(rest.into_iter().eq((1..=REQUESTS).rev()));
    }

    #[test]
    fn remembers_a_bounded_number_of_sources() {
        let mut queue = Queue::new(LIMIT);
        let now = Instant::now();
        for source in 0..2 * SOURCES + 1 {
            queue.push(now, source, ());
            let thread = queue.start_thread(now).unwrap();
            assert!(queue.next(now, thread).is_some());
            assert!(queue.next(now, thread).is_none());
        }
        assert!(queue.sources.len() <= SOURCES);
    }

    #[test]
    fn a_few_threads_share_the_work() {
        let mut simulation = Simulation::new();
        assert_eq!(simulation.start(), None, "there is nothing to do");
        (0..10).for_each(|request| simulation.push("a", request));
        assert_eq!(simulation.start_all().len(), THREADS);
    }

    #[test]
    fn a_thread_that_has_ended_is_replaced() {
        let mut simulation = Simulation::new();
        (0..10).for_each(|request| simulation.push("a", request));
        let threads = simulation.start_all();
        simulation.queue.end_thread(threads[0]);
        assert!(simulation.start().is_some());
        assert_eq!(simulation.start(), None);
    }

    #[test]
    fn threads_that_take_too_long_are_replaced_up_to_a_limit() {
        let mut simulation = Simulation::new();
        let mut stuck = Vec::new();
        for _ in 0..10 {
            (0..10).for_each(|request| simulation.push("a", request));
            stuck.extend(simulation.start_all());
            simulation.now += LIMIT;
        }
        assert_eq!(stuck.len(), ALL_THREADS);
        assert_eq!(simulation.queue.take_losses().late, ALL_THREADS);
        assert_eq!(simulation.queue.take_losses(), Losses::default());
        simulation.push("a", 10);
        assert_eq!(simulation.start(), None);
        // One of them has returned in the end.
        assert_eq!(simulation.next(stuck[0]), Some(10));
    }

    #[test]
    fn a_late_thread_ends_if_others_work_in_its_place() {
        let mut simulation = Simulation::new();
        (0..THREADS).for_each(|request| simulation.push("a", request));
        let late = simulation.start_all();
        simulation.now += LIMIT;
        (0..10).for_each(|request| simulation.push("a", request));
        let others = simulation.start_all();
        assert_eq!(others.len(), THREADS);
        assert_eq!(simulation.next(late[0]), None);
        assert!(simulation.next(others[0]).is_some());
    }
}
