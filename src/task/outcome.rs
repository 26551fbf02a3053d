//! What has become of a job.

use std::time::Duration;

use crate::error::Result;
use crate::message::Message;

/// What has become of a job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The job, as it was dispatched.
    pub job: Message,
    /// What the worker has given to [`Job::done`](crate::Job::done), or why there is no result.
    ///
    /// The error's [kind](crate::Error::kind) is one of these:
    ///
    /// * [`Failed`](crate::ErrorKind::Failed): a worker has called [`Job::fail`](crate::Job::fail), or its function has failed
    ///   or panicked. What it said is the message of the error.
    /// * [`Lost`](crate::ErrorKind::Lost): the job has started as often as [`attempts`](crate::Server::attempts) allows, and
    ///   each time its worker died or gave the job back.
    /// * [`TimedOut`](crate::ErrorKind::TimedOut): the last of these attempts took longer than the
    ///   [`time_limit`](crate::Server::time_limit).
    /// * [`Closed`](crate::ErrorKind::Closed): the producer's socket was closed. The job may have run.
    pub result: Result<Message>,
    /// How many times the job has started, as far as the producer knows.
    pub attempts: u32,
    /// How long the job has taken since it was last given to a worker; zero if it never was.
    pub time: Duration,
}
