//! The handle that a producer dispatches jobs with.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::producer::{Producer, Side};
use crate::engine::Wait;
use crate::error::Result;
use crate::handle::Socket;
use crate::message::AsFrames;

type Call = dyn Fn(&[&[u8]]) -> Result<()> + Send + Sync;

/// The producer's handle: call it with the frames of a job.
///
/// Each job goes to one worker that is idle, and its outcome to the [`Outcomes`](crate::Outcomes). The call blocks while as many jobs are
/// unfinished as the recipe's [`high_water_mark`](crate::Server::high_water_mark) allows.
///
/// Clones dispatch to the same workers, from any thread. When the last of them is dropped, there are no more jobs: the
/// outcomes end when each job has its outcome, and then the workers' loops end. A call takes slices of bytes, and
/// [`frames!`](crate::frames!) makes them of strings and vectors, as with a [`Sender`](crate::Sender).
///
/// # Examples
///
/// ```
/// use std::thread;
/// use zeroless::{Client, Server, frames};
///
/// let (dispatch, outcomes) = Server::new(0).dispatch()?;
/// let port = dispatch.socket().port()?;
/// let jobs = Client::new().connect_local(port).work()?;
/// let workers = thread::spawn(move || jobs.workers(2, |job| Ok::<_, String>([job.concat()])));
///
/// for number in 1..=3 {
///     dispatch(frames!["job", number.to_string()])?;
/// }
/// drop(dispatch);
/// let mut results: Vec<_> = outcomes.filter_map(|outcome| outcome.result.ok()).collect();
/// results.sort();
/// assert_eq!(results, [[b"job1"], [b"job2"], [b"job3"]]);
/// workers.join().unwrap()?;
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Dispatcher {
    writer: Arc<Writer>,
    /// The target of `Deref`, which makes a dispatcher callable.
    call: Arc<Call>,
}

/// Shared by the clones of a dispatcher.
struct Writer(Arc<Producer>);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.leave(Side::Dispatchers);
    }
}

impl Dispatcher {
    pub(super) fn new(producer: Arc<Producer>) -> Dispatcher {
        let writer = Arc::new(Writer(producer));
        let call = {
            let writer = Arc::clone(&writer);
            move |frames: &[&[u8]]| writer.0.submit(frames, writer.0.engine().timeout())
        };
        Dispatcher {
            writer,
            call: Arc::new(call),
        }
    }

    fn producer(&self) -> &Producer {
        &self.writer.0
    }

    /// Dispatches a job, and blocks while too many jobs are unfinished. Calling the dispatcher does the same.
    ///
    /// The frames can be anything that converts to bytes, as for [`Sender::send`](crate::Sender::send).
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](crate::ErrorKind::TimedOut) if the recipe's timeout passed first.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket was closed, before or during the call.
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a job without frames.
    ///
    /// After an error, the job is not dispatched and has no outcome.
    ///
    /// # Examples
    ///
    /// ```
    /// let (dispatch, outcomes) = zeroless::Server::new(0).dispatch()?;
    /// dispatch.send("one frame")?;
    /// dispatch.send(&["two", "frames"])?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn send(&self, frames: &(impl AsFrames + ?Sized)) -> Result<()> {
        let wait = self.producer().engine().timeout();
        self.producer().submit(&frames.as_frames(), wait)
    }

    /// Dispatches a job if there is room for it, without blocking.
    ///
    /// # Errors
    ///
    /// Fails with [`WouldBlock`](crate::ErrorKind::WouldBlock) if too many jobs are unfinished, and otherwise as
    /// [`send`](Self::send) does, but never with `TimedOut`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let (dispatch, outcomes) = Server::new(0).high_water_mark(1).dispatch()?;
    /// dispatch.try_send("first")?;
    /// assert_eq!(dispatch.try_send("second").unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn try_send(&self, frames: &(impl AsFrames + ?Sized)) -> Result<()> {
        self.producer().submit(&frames.as_frames(), Wait::Never)
    }

    /// Dispatches a job, and blocks for at most `timeout` while too many jobs are unfinished.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does, with [`TimedOut`](crate::ErrorKind::TimedOut) if `timeout` passed first.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (dispatch, outcomes) = zeroless::Server::new(0).dispatch()?;
    /// dispatch.send_timeout("a job", Duration::from_secs(1))?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn send_timeout(&self, frames: &(impl AsFrames + ?Sized), timeout: Duration) -> Result<()> {
        self.producer().submit(&frames.as_frames(), Wait::For(timeout))
    }

    /// Blocks until `workers` workers are there, but no longer than `timeout`.
    ///
    /// A worker is there from its first step of iteration until it leaves, dies, or is idle and silent for 7.5 seconds.
    /// Each thread of [`Jobs::workers`](crate::Jobs::workers) is one worker.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](crate::ErrorKind::TimedOut) if fewer are there in time; the message says how many.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket was closed, before or during the call.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let (dispatch, outcomes) = Server::new(0).dispatch()?;
    /// let error = dispatch.wait_for_workers(1, Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn wait_for_workers(&self, workers: usize, timeout: Duration) -> Result<()> {
        self.producer().wait_for_workers(workers, timeout)
    }

    /// Returns the producer's socket, for example to read its port or to close it.
    ///
    /// Closing it gives each job that has no outcome an outcome of the kind [`Closed`](crate::ErrorKind::Closed). The workers
    /// are not told that it is over: they wait for a producer that listens at the same endpoint.
    ///
    /// # Examples
    ///
    /// ```
    /// let (dispatch, outcomes) = zeroless::Server::new(0).dispatch()?;
    /// println!("port {}", dispatch.socket().port()?);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        Socket::new(Arc::clone(self.producer().engine()))
    }
}

impl Deref for Dispatcher {
    type Target = Call;

    fn deref(&self) -> &Call {
        &*self.call
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dispatcher({})", self.producer().engine().label())
    }
}
