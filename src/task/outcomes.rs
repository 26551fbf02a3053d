//! The handle over which a producer reads what has become of its jobs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::outcome::Outcome;
use super::producer::{Producer, Side};
use crate::handle::Socket;

/// The outcomes of dispatched jobs, in the order in which the jobs end: iterate over them.
///
/// Each job has exactly one outcome. Each step blocks until the next job has its outcome. Iteration ends when all
/// [`Dispatcher`](crate::Dispatcher)s are dropped and each job has its outcome. It also ends when the recipe's timeout has passed, and you
/// can iterate again afterwards.
///
/// Outcomes that are not read yet wait in memory. They do not count for the
/// [`high_water_mark`](crate::Server::high_water_mark), so a thread can dispatch all jobs first and read the outcomes
/// afterwards.
///
/// Clones share the outcomes: each outcome goes to one of them. Dropping the last of them does not stop the jobs while
/// there is a `Dispatcher`. When the last handle of either type is dropped, the jobs that have no outcome are given up,
/// the workers are told that it is over, and the socket closes.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use zeroless::{Client, Server};
///
/// let (dispatch, outcomes) = Server::new(0).dispatch()?;
/// let port = dispatch.socket().port()?;
/// let worker = thread::spawn(move || -> zeroless::Result<()> {
///     for job in Client::new().connect_local(port).work()? {
///         let answer = job[0].to_ascii_uppercase();
///         job.done(&[answer])?;
///     }
///     Ok(())
/// });
///
/// dispatch(&[b"hello"])?;
/// drop(dispatch); // there are no more jobs
/// for outcome in outcomes {
///     assert_eq!(outcome.job, [b"hello"]);
///     assert_eq!(outcome.result?, [b"HELLO"]);
/// }
/// worker.join().unwrap()?; // the worker's loop has ended
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Outcomes {
    reported: Receiver<Outcome>,
    reader: Arc<Reader>,
}

/// Shared by the clones of the outcomes.
struct Reader(Arc<Producer>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.leave(Side::Outcomes);
    }
}

impl Outcomes {
    pub(super) fn new(producer: Arc<Producer>, reported: Receiver<Outcome>) -> Outcomes {
        Outcomes {
            reported,
            reader: Arc::new(Reader(producer)),
        }
    }

    /// An outcome that is there already.
    pub(super) fn next_ready(&self) -> Option<Outcome> {
        self.reported.try_recv().ok()
    }

    fn producer(&self) -> &Producer {
        &self.reader.0
    }

    fn next_within(&self, timeout: Option<Duration>) -> Option<Outcome> {
        match timeout {
            Some(timeout) => self.reported.recv_timeout(timeout).ok(),
            None => self.reported.recv().ok(),
        }
    }

    /// Returns how many workers are there: idle or with a job.
    ///
    /// [`wait_for_workers`](crate::Dispatcher::wait_for_workers) says when a worker is there. Use this to show progress.
    ///
    /// # Examples
    ///
    /// ```
    /// let (dispatch, outcomes) = zeroless::Server::new(0).dispatch()?;
    /// assert_eq!(outcomes.workers(), 0);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn workers(&self) -> usize {
        self.producer().workers()
    }

    /// Returns the producer's socket, for example to read its port or to close it.
    ///
    /// # Examples
    ///
    /// ```
    /// let (dispatch, outcomes) = zeroless::Server::new(0).dispatch()?;
    /// outcomes.socket().close();
    /// assert_eq!(outcomes.count(), 0);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        Socket::new(Arc::clone(self.producer().engine()))
    }
}

impl Iterator for &Outcomes {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        self.next_within(self.producer().engine().default_timeout())
    }
}

impl Iterator for Outcomes {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        (&*self).next()
    }
}

impl fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outcomes({})", self.producer().engine().label())
    }
}
