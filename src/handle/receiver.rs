//! The receiving half of a pattern.

use std::fmt;
use std::time::Duration;

use super::channel::Channel;
use super::open_socket::OpenSocket;
use super::socket::Socket;
use super::workers;
use crate::engine::Wait;
use crate::error::{ErrorKind, Result};
use crate::message::{Frame, Message};
use crate::report;

/// The receiving half of a pattern: iterate over its messages.
///
/// ```no_run
/// for message in zeroless::Server::new(12345).pull()? {
///     println!("{message:?}");
/// }
/// # Ok::<(), zeroless::Error>(())
/// ```
///
/// Each step blocks until a message arrives. Iteration ends when the socket is closed, when the recipe's timeout has
/// passed, and when receiving fails. [`incoming`](Self::incoming) returns the last two as errors, and ends only when the
/// socket is closed.
///
/// Each message arrives whole. Clones, and threads that share a `&Receiver`, receive from the same socket, and each
/// message goes to one of them. Other threads can send over the socket at the same time. The socket closes when its last
/// handle is dropped.
///
/// ```
/// use std::thread;
///
/// # let receiver = zeroless::Server::new(0).pull()?;
/// # receiver.socket().close();
/// thread::scope(|scope| {
///     for worker in 1..=4 {
///         let jobs = &receiver;
///         scope.spawn(move || {
///             for job in jobs {
///                 println!("worker {worker} does {job:?}");
///             }
///         });
///     }
/// });
/// # Ok::<(), zeroless::Error>(())
/// ```
///
/// # The end of iteration
///
/// Iteration ends in these cases:
///
/// * The socket is closed, from this thread or from another one.
/// * The recipe's timeout has passed without a message. You can iterate again afterwards.
/// * Receiving fails for another reason. The log reports it at error level.
///
/// Iteration does not end when all peers are gone: other peers may come.
///
/// To tell these cases apart, iterate over [`incoming`](Self::incoming), which returns a timeout and a fault as an error
/// and ends only when the socket is closed. [`recv`](Self::recv) returns each of the three as an error.
#[derive(Clone)]
pub struct Receiver {
    socket: OpenSocket,
}

impl Receiver {
    pub(crate) fn new(socket: OpenSocket) -> Receiver {
        Receiver { socket }
    }

    pub(crate) fn open_socket(&self) -> &OpenSocket {
        &self.socket
    }

    /// Receives a message, and blocks until there is one.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](crate::ErrorKind::TimedOut) if the recipe's timeout passed first.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket was closed, before or during the call.
    /// * [`Denied`](crate::ErrorKind::Denied) for a `request`, `dealer` or `pair` whose server
    ///   [does not let it in](crate::guide::networks#refused-clients).
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for a client that was never given an address.
    /// * [`OutOfTurn`](crate::ErrorKind::OutOfTurn) on a `request` if no request was sent, and on a `reply` if the last
    ///   request was not replied to.
    /// * [`Exhausted`](crate::ErrorKind::Exhausted) if there is no file descriptor to wait with, or no memory for the
    ///   message. In the latter case the message is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pull = zeroless::Server::new(0).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// push.send(&["a", "b"])?;
    /// assert_eq!(pull.recv()?, [b"a", b"b"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn recv(&self) -> Result<Message> {
        self.receive(self.socket.timeout())
    }

    /// Receives a message if there is one, without blocking.
    ///
    /// # Errors
    ///
    /// Fails with [`WouldBlock`](crate::ErrorKind::WouldBlock) if there is none, and otherwise as [`recv`](Self::recv)
    /// does, but never with `TimedOut`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{ErrorKind, Server};
    ///
    /// assert_eq!(Server::new(0).pull()?.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn try_recv(&self) -> Result<Message> {
        self.receive(Wait::Never)
    }

    /// Receives a message, and blocks for at most `timeout` until there is one.
    ///
    /// The time is rounded up to milliseconds. It replaces the recipe's timeout for this call.
    ///
    /// # Errors
    ///
    /// Fails as [`recv`](Self::recv) does, with [`TimedOut`](crate::ErrorKind::TimedOut) if `timeout` passed first.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let error = Server::new(0).pull()?.recv_timeout(Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message> {
        self.receive(Wait::For(timeout))
    }

    /// Receives a message into the buffers of an earlier one, and blocks until there is one.
    ///
    /// Afterwards `message` holds the frames that were received, and nothing of its earlier content. This saves the
    /// allocations of [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// Fails as [`recv`](Self::recv) does. After an error, the content of `message` is unspecified.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Message;
    ///
    /// # let pull = zeroless::Server::new(0).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// push.send(&["a", "b"])?;
    /// push.send(&["c"])?;
    /// let mut message = Message::new();
    /// pull.recv_into(&mut message)?;
    /// assert_eq!(message, [b"a", b"b"]);
    /// pull.recv_into(&mut message)?;
    /// assert_eq!(message, [b"c"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn recv_into(&self, message: &mut Message) -> Result<()> {
        self.socket.receive(message, self.socket.timeout())
    }

    /// Iterates over the messages without consuming the receiver; each step blocks until there is one.
    ///
    /// This is the same as iterating over `&receiver`.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pull = zeroless::Server::new(0).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// push.send(&["1"])?;
    /// push.send(&["2"])?;
    /// let two: Vec<_> = pull.iter().take(2).collect();
    /// assert_eq!(two, [[b"1"], [b"2"]]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<'_> {
        Iter { receiver: self }
    }

    /// Iterates over the messages and the errors; each step blocks until there is one.
    ///
    /// Iteration ends only when the socket is closed. A step returns an error after the recipe's timeout and on a
    /// fault, as [`recv`](Self::recv) does. You can continue afterwards: the next step tries again. A fault that lasts,
    /// such as [`Denied`](crate::ErrorKind::Denied), is then returned at once by each step, so leave the loop. The log
    /// reports none of these errors.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let pull = Server::new(0).timeout(Duration::from_millis(10)).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// # push(&[b"job"])?;
    /// for message in pull.incoming() {
    ///     match message {
    ///         Ok(message) => println!("{message:?}"),
    ///         Err(error) if error.kind() == ErrorKind::TimedOut => {
    ///             println!("nothing to do");
    /// #           pull.socket().close();
    ///         }
    ///         Err(fault) => return Err(fault),
    ///     }
    /// }
    /// println!("closed");
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { receiver: self }
    }

    /// Iterates over the messages that have already arrived, without blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// let pull = zeroless::Server::new(0).pull()?;
    /// assert_eq!(pull.try_iter().count(), 0);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn try_iter(&self) -> TryIter<'_> {
        TryIter { receiver: self }
    }

    /// Receives a message without copying it, and blocks until there is one.
    ///
    /// Its frames stay in the memory that libzmq received them into. This saves the copies of [`recv`](Self::recv). It
    /// is worth it for messages of about ten thousand bytes or more.
    ///
    /// # Errors
    ///
    /// Fails as [`recv`](Self::recv) does.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pull = zeroless::Server::new(0).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// push.send(&[vec![7; 1_000_000]])?;
    /// let frames = pull.recv_frames()?;
    /// assert_eq!(frames[0].iter().filter(|&&byte| byte == 7).count(), 1_000_000);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn recv_frames(&self) -> Result<Vec<Frame>> {
        let mut frames: Vec<zmq::Message> = Vec::new();
        self.socket.receive(&mut frames, self.socket.timeout())?;
        Ok(frames.into_iter().map(Frame::new).collect())
    }

    /// Iterates over the messages without copying them; each step blocks until there is one.
    ///
    /// Iteration ends in [the same cases](Self#the-end-of-iteration) as iteration over the receiver itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pull = zeroless::Server::new(0).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// # push.send(&["a picture"])?;
    /// for message in pull.frames().take(1) {
    ///     for frame in &message {
    ///         println!("{} bytes", frame.len());
    ///     }
    /// }
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn frames(&self) -> Frames<'_> {
        Frames { receiver: self }
    }

    /// Calls `work` with the messages, on `count` threads, and blocks until iteration ends.
    ///
    /// Each message goes to a worker that is free, so a slow worker takes fewer messages than the others. Iteration
    /// ends when the socket is closed, which a worker may do. It also ends, for each worker separately, when the
    /// recipe's timeout has passed without a message. When this returns, all threads have terminated.
    ///
    /// Replies to requests still take turns: one worker must reply before the next worker gets a request. For workers
    /// that reply at the same time, put a [`proxy`](crate::proxy()) in front of them.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) if `count` is 0.
    /// * [`Exhausted`](crate::ErrorKind::Exhausted) if the system has no more threads. The threads that had started
    ///   have then terminated.
    /// * Any other error of [`recv`](Self::recv) that ended iteration, except `Closed` and `TimedOut`.
    ///
    /// # Panics
    ///
    /// If `work` panics. The other workers then finish the messages that they have and stop, and the panic continues in
    /// the calling thread. The receiver can be used again.
    ///
    /// # Examples
    ///
    /// ```
    /// let jobs = zeroless::Server::new(0).pull()?;
    /// let push = zeroless::Client::new().connect_local(jobs.socket().port()?).push()?;
    /// push(&[b"a job"])?;
    /// push(&[b"another job"])?;
    /// push(&[b"no more"])?;
    /// jobs.workers(4, |job| {
    ///     if job == [b"no more"] {
    ///         jobs.socket().close();
    ///     }
    ///     println!("{} does {job:?}", std::thread::current().name().unwrap());
    /// })?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn workers<F>(&self, count: usize, work: F) -> Result<()>
    where
        F: Fn(Message) + Sync,
    {
        workers::run(&self.socket, count, &|wait| self.receive(wait), &work)
    }

    /// Turns the receiver into a crossbeam channel, for `select!` over several sockets, timers and channels.
    ///
    /// A thread moves the messages from the socket to the channel. The channel holds `capacity` messages, but at most
    /// 65,536. When it is full, messages wait in the socket, and finally the senders wait. The recipe's timeout has no
    /// effect on the channel. The channel is disconnected once the socket is closed and the last message was taken.
    ///
    /// If the system has no more threads, the log reports it at error level, and the channel is disconnected from the
    /// start.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::crossbeam_channel::{after, select};
    /// use zeroless::{Client, Server};
    ///
    /// let orders = Server::new(0).pull()?;
    /// let order = Client::new().connect_local(orders.socket().port()?).push()?;
    /// let orders = orders.into_channel(10);
    /// let complaints = Server::new(0).pull()?.into_channel(10);
    ///
    /// order(&[b"tea"])?;
    /// select! {
    ///     recv(orders) -> order => assert_eq!(order.unwrap(), [b"tea"]),
    ///     recv(complaints) -> complaint => println!("{complaint:?}"),
    ///     recv(after(Duration::from_secs(10))) -> _ => println!("nothing to do"),
    /// }
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn into_channel(self, capacity: usize) -> Channel {
        Channel::new(self.socket, capacity)
    }

    /// Returns the socket that this handle uses, for example to read its port or to close it.
    ///
    /// # Examples
    ///
    /// ```
    /// let pull = zeroless::Server::new(0).pull()?;
    /// println!("port {}", pull.socket().port()?);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        Socket::new(self.socket.engine())
    }

    #[inline]
    fn receive(&self, wait: Wait<'_>) -> Result<Message> {
        let mut message = Message::new();
        self.socket.receive(&mut message, wait)?;
        Ok(message)
    }
}

/// One step of an iteration. Only an unusual end is logged: not closing, a timeout, or an empty `try_iter`.
#[inline]
pub(crate) fn step<T>(outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(message) => Some(message),
        Err(error) => {
            if !error.ends_iteration_quietly() {
                report::error(format_args!("iteration ends: {error}"));
            }
            None
        }
    }
}

impl Iterator for Receiver {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        step(self.recv())
    }
}

impl Iterator for &Receiver {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        step(self.recv())
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({})", self.socket.label())
    }
}

/// A blocking iterator over the messages of a [`Receiver`], made by [`Receiver::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    receiver: &'a Receiver,
}

impl Iterator for Iter<'_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        step(self.receiver.recv())
    }
}

/// A blocking iterator over the messages and the errors of a [`Receiver`], made by [`Receiver::incoming`].
#[derive(Clone, Debug)]
pub struct Incoming<'a> {
    receiver: &'a Receiver,
}

impl Iterator for Incoming<'_> {
    type Item = Result<Message>;

    fn next(&mut self) -> Option<Result<Message>> {
        match self.receiver.recv() {
            Err(error) if error.kind() == ErrorKind::Closed => None,
            outcome => Some(outcome),
        }
    }
}

/// A non-blocking iterator over the messages of a [`Receiver`], made by [`Receiver::try_iter`].
#[derive(Clone, Debug)]
pub struct TryIter<'a> {
    receiver: &'a Receiver,
}

impl Iterator for TryIter<'_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        step(self.receiver.try_recv())
    }
}

/// A blocking iterator over the messages of a [`Receiver`] that does not copy them, made by [`Receiver::frames`].
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    receiver: &'a Receiver,
}

impl Iterator for Frames<'_> {
    type Item = Vec<Frame>;

    fn next(&mut self) -> Option<Vec<Frame>> {
        step(self.receiver.recv_frames())
    }
}
