//! Dispatching the jobs of an iterator.

use std::fmt;
use std::iter::Fuse;
use std::time::Duration;

use super::dispatch::Dispatcher;
use super::outcome::Outcome;
use super::outcomes::Outcomes;
use crate::error::{Error, ErrorKind};
use crate::handle::Socket;
use crate::message::Message;

/// Dispatches the jobs of an iterator, and iterates over their outcomes: returned by
/// [`dispatch_all`](crate::Server::dispatch_all).
///
/// It takes jobs from the iterator in the thread that iterates: at least one in each step, until as many jobs as
/// [`high_water_mark`](crate::Server::high_water_mark) allows have been taken and not been returned as outcomes.
///
/// Dropping it before its end gives up the jobs that have no outcome, and tells the workers that it is over.
pub struct DispatchAll<I> {
    jobs: Fuse<I>,
    /// `None` once all jobs are dispatched.
    dispatcher: Option<Dispatcher>,
    outcomes: Outcomes,
    /// How many jobs were dispatched and not returned as outcomes.
    open: usize,
    limit: usize,
}

impl<I: Iterator> DispatchAll<I> {
    pub(super) fn new(jobs: I, limit: Option<usize>, dispatcher: Dispatcher, outcomes: Outcomes) -> DispatchAll<I> {
        DispatchAll {
            jobs: jobs.fuse(),
            limit: limit.unwrap_or(usize::MAX),
            dispatcher: Some(dispatcher),
            outcomes,
            open: 0,
        }
    }
}

impl<I> DispatchAll<I> {
    /// Returns the producer's socket, for example to read its port or to close it.
    ///
    /// # Examples
    ///
    /// ```
    /// let outcomes = zeroless::Server::new(0).dispatch_all([["a"], ["b"]])?;
    /// println!("listening on port {}", outcomes.socket().port()?);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        self.outcomes.socket()
    }
}

impl<I: Iterator<Item: IntoIterator<Item: AsRef<[u8]>>>> Iterator for DispatchAll<I> {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        // One job is taken before an outcome is returned, so that the workers have work while the outcome is used. Not
        // more, because the iterator may be slow, and there is an outcome.
        while self.open < self.limit
            && let Some(dispatcher) = &self.dispatcher
        {
            let Some(job) = self.jobs.next() else {
                self.dispatcher = None;
                break;
            };
            let job: Message = job.into_iter().map(|frame| frame.as_ref().to_vec()).collect();
            if let Err(error) = dispatcher.try_send(&job) {
                return Some(self.refuse(job, error));
            }
            self.open += 1;
            if let Some(outcome) = self.outcomes.next_ready() {
                self.open -= 1;
                return Some(outcome);
            }
        }
        let outcome = self.outcomes.next();
        self.open -= usize::from(outcome.is_some());
        outcome
    }
}

impl<I> DispatchAll<I> {
    /// The outcome of a job that could not be dispatched.
    fn refuse(&mut self, job: Message, error: Error) -> Outcome {
        if error.kind() == ErrorKind::Closed {
            self.dispatcher = None;
        }
        Outcome {
            job,
            result: Err(error),
            attempts: 0,
            time: Duration::ZERO,
        }
    }
}

impl<I> fmt::Debug for DispatchAll<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DispatchAll").field(&self.outcomes.socket()).finish()
    }
}
