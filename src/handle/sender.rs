//! The sending half of a pattern.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::open_socket::OpenSocket;
use super::socket::Socket;
use crate::engine::{Cancel, Wait};
use crate::error::{Error, Result};
use crate::topic;

type Call = dyn Fn(&[&[u8]]) -> Result<()> + Send + Sync;

/// The sending half of a pattern: call it with the frames of a message.
///
/// ```
/// # let pull = zeroless::Server::new(0).pull()?;
/// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
/// push(&[b"id", b"a longer body"])?;
/// # pull.recv()?;
/// # Ok::<(), zeroless::Error>(())
/// ```
///
/// A message is sent whole or not at all, and frames of two threads never mix. Clones send over the same socket, from
/// any thread, also while others receive from it; the socket closes when the last handle is dropped.
///
/// Being sent means being queued in libzmq, which delivers in the background, and goes on to do so after the handle
/// is dropped: see [`Socket::close`].
///
/// # The limits of call syntax
///
/// A call takes `&[&[u8]]`; [`send`](Sender::send) takes strings and vectors too. As a named struct cannot implement
/// `Fn` on stable Rust, a sender dereferences to a function instead, which shows in two places:
///
/// ```
/// use zeroless::{Result, Sender};
///
/// struct Job { push: Sender }
///
/// impl Job {
///     fn run(&self) -> Result<()> {
///         (self.push)(&[b"done"]) // a field wants parentheses, as any function in a field does
///     }
/// }
///
/// fn twice(mut call: impl FnMut(&[&[u8]]) -> Result<()>) -> Result<()> {
///     call(&[b"once"])?;
///     call(&[b"again"])
/// }
///
/// # let pull = zeroless::Server::new(0).pull()?;
/// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
/// twice(&*push)?; // a generic function wants the function inside
/// # Job { push }.run()?;
/// # pull.iter().take(3).for_each(drop);
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Sender {
    outlet: Arc<Outlet>,
    /// Sends through the same outlet.
    call: Arc<Call>,
}

/// A way into a socket, and what its messages must look like.
struct Outlet {
    socket: OpenSocket,
    topic: Option<Topic>,
}

/// What a message has to do with a topic.
pub(crate) enum Topic {
    /// Its first frame must begin with it.
    Required(Vec<u8>),
    /// It is sent before the first frame, as a frame of its own.
    Embedded(Vec<u8>),
}

impl Sender {
    pub(crate) fn new(socket: OpenSocket) -> Sender {
        Sender::with_topic(socket, None)
    }

    pub(crate) fn with_topic(socket: OpenSocket, topic: Option<Topic>) -> Sender {
        let outlet = Arc::new(Outlet { socket, topic });
        let call = {
            let outlet = Arc::clone(&outlet);
            move |frames: &[&[u8]]| outlet.send(frames, outlet.socket.timeout())
        };
        Sender {
            outlet,
            call: Arc::new(call),
        }
    }

    /// Whether messages go out as they are.
    pub(crate) fn is_without_topic(&self) -> bool {
        self.outlet.topic.is_none()
    }

    /// Sends until cancelled, and no longer than the timeout.
    pub(crate) fn send_until(&self, frames: &[&[u8]], cancel: &Cancel) -> Result<()> {
        self.outlet.send(frames, self.outlet.socket.timeout_or(cancel))
    }

    pub(crate) fn open_socket(&self) -> &OpenSocket {
        &self.outlet.socket
    }

    /// Sends a message, blocking while there is no room for it: the same as calling the sender.
    ///
    /// The frames are anything that is bytes: `&["a", "b"]`, a slice of `Vec<u8>`, a received
    /// [`Message`](crate::Message).
    ///
    /// `push`, `request`, `dealer` and `pair` wait while the queues of all peers are full, and a server's also while no
    /// client is there. `router` and `stream` wait while the queue of the one peer is full that the message is for.
    /// `publish`, `xpublish`, `xsubscribe` and `reply` never block.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](crate::ErrorKind::TimedOut) if the recipe's timeout passed first.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket was closed, before or meanwhile.
    /// * [`Denied`](crate::ErrorKind::Denied) for a push, a request, a dealer or a pair that its server
    ///   [does not let in](crate#clients-that-are-not-let-in).
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a message of no frames, for one that does not fit the
    ///   publisher's topic, and for one that is not of the form that a router, a stream or an xsubscriber sends.
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) if no peer has the routing id that the message begins with.
    /// * [`OutOfTurn`](crate::ErrorKind::OutOfTurn) for a reply without a request.
    /// * [`Exhausted`](crate::ErrorKind::Exhausted) if there is no file descriptor to wait with, or no memory for a
    ///   copy of the message.
    ///
    /// None of the message is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pull = zeroless::Server::new(0).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// push.send(&["a word", "and another"])?;
    /// push.send(&vec![b"frames".to_vec(), b"received before".to_vec()])?;
    /// # pull.iter().take(2).for_each(drop);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn send<F: AsRef<[u8]>>(&self, frames: &[F]) -> Result<()> {
        self.outlet.send(&slices(frames), self.outlet.socket.timeout())
    }

    /// Sends a message if there is room for it, without blocking.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](crate::ErrorKind::WouldBlock) if there is none; otherwise as [`send`](Self::send).
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let push = Server::new(0).push()?;
    /// let error = push.try_send(&["no client is there to take it"]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn try_send<F: AsRef<[u8]>>(&self, frames: &[F]) -> Result<()> {
        self.outlet.send(&slices(frames), Wait::Never)
    }

    /// Sends a message, blocking no longer than `timeout` while there is no room for it.
    ///
    /// The time is kept to the millisecond, and holds in place of the recipe's.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let push = Server::new(0).push()?;
    /// let error = push.send_timeout(&["no client is there"], Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn send_timeout<F: AsRef<[u8]>>(&self, frames: &[F], timeout: Duration) -> Result<()> {
        self.outlet.send(&slices(frames), Wait::For(timeout))
    }

    /// Returns the live socket under this handle, without blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// let push = zeroless::Server::new(0).push()?;
    /// println!("port {}", push.socket().port()?);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        Socket::new(self.open_socket().engine())
    }
}

/// The bytes of frames of any type. They are asked for here, as what a user's type does then is no business of the
/// engine's, which holds a lock.
fn slices<F: AsRef<[u8]>>(frames: &[F]) -> Vec<&[u8]> {
    frames.iter().map(AsRef::as_ref).collect()
}

impl Outlet {
    #[inline]
    fn send(&self, frames: &[&[u8]], wait: Wait<'_>) -> Result<()> {
        match &self.topic {
            None => self.socket.send(frames, wait),
            Some(topic) => self.send_with_topic(topic, frames, wait),
        }
    }

    #[inline(never)]
    fn send_with_topic(&self, topic: &Topic, frames: &[&[u8]], wait: Wait<'_>) -> Result<()> {
        match topic {
            Topic::Required(topic) => {
                self.check_topic(topic, frames)?;
                self.socket.send(frames, wait)
            }
            Topic::Embedded(topic) => {
                let topic_first: Vec<&[u8]> = [topic.as_slice()].into_iter().chain(frames.iter().copied()).collect();
                self.socket.send(&topic_first, wait)
            }
        }
    }

    fn check_topic(&self, topic: &[u8], frames: &[&[u8]]) -> Result<()> {
        match frames.first() {
            Some(first) if !first.starts_with(topic) => Err(Error::invalid(format!(
                "{}: a message must begin with the topic {}; begin its first frame with it, or use embed_topic",
                self.socket.label(),
                topic::quote(topic)
            ))),
            _ => Ok(()),
        }
    }
}

impl Deref for Sender {
    type Target = Call;

    fn deref(&self) -> &Call {
        &*self.call
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({})", self.open_socket().label())
    }
}
