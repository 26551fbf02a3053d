//! The sending half of a pattern.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::open_socket::OpenSocket;
use super::socket::Socket;
use crate::engine::{Cancel, Wait};
use crate::error::{Error, Result};
use crate::message::AsFrames;
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
/// A message is sent whole or not at all, and the frames of two threads never mix. Clones send over the same socket,
/// from any thread, even while other threads receive from it. The socket closes when its last handle is dropped.
///
/// A message counts as sent when libzmq has queued it. libzmq delivers it in the background, even after the handle is
/// dropped: see [`Socket::close`].
///
/// # The limits of call syntax
///
/// A call takes `&[&[u8]]`. [`frames!`](crate::frames!) makes one of strings, vectors and bytes; [`send`](Sender::send)
/// takes a list of strings or of vectors. A named struct cannot implement `Fn`
/// on stable Rust, so a sender dereferences to a function instead. This shows in two places:
///
/// ```
/// use zeroless::{Result, Sender};
///
/// struct Job { push: Sender }
///
/// impl Job {
///     fn run(&self) -> Result<()> {
///         (self.push)(&[b"done"]) // a function in a field needs parentheses
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
/// twice(&*push)?; // a generic function needs the function inside
/// # Job { push }.run()?;
/// # pull.iter().take(3).for_each(drop);
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Sender {
    outlet: Arc<Outlet>,
    /// The target of `Deref`, which makes a sender callable: a function that sends through the same outlet.
    call: Arc<Call>,
}

/// A socket to send over, and the topic to check or to add, if there is one.
struct Outlet {
    socket: OpenSocket,
    topic: Option<Topic>,
}

/// What a publisher does about its topic in each message.
pub(crate) enum Topic {
    /// The first frame must begin with the topic.
    Required(Vec<u8>),
    /// The topic is sent before the first frame, as a frame of its own.
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

    /// Whether the sender neither checks for a topic nor adds one.
    pub(crate) fn is_without_topic(&self) -> bool {
        self.outlet.topic.is_none()
    }

    /// Sends a message, and blocks until there is room, but no longer than the timeout, or until cancelled.
    pub(crate) fn send_until(&self, frames: &[&[u8]], cancel: &Cancel) -> Result<()> {
        self.outlet.send(frames, self.outlet.socket.timeout_or(cancel))
    }

    pub(crate) fn open_socket(&self) -> &OpenSocket {
        &self.outlet.socket
    }

    /// Sends a message, and blocks while there is no room for it. Calling the sender does the same.
    ///
    /// The frames can be anything that converts to bytes: `&["a", "b"]`, a slice of `Vec<u8>`, a received
    /// [`Message`](crate::Message). A `&str` is one frame. [`frames!`](crate::frames!) takes frames of different types.
    ///
    /// `push`, `request`, `dealer` and `pair` block while the queues of all peers are full; on a server, also while no
    /// client is connected. `router` and `stream` block while the queue of the one peer that the message is for is
    /// full. `publish`, `xpublish`, `xsubscribe` and `reply` never block.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](crate::ErrorKind::TimedOut) if the recipe's timeout passed first.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket was closed, before or during the call.
    /// * [`Denied`](crate::ErrorKind::Denied) for a `push`, `request`, `dealer` or `pair` whose server
    ///   [does not let it in](crate::guide::networks#refused-clients).
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a message without frames, for one that does not begin
    ///   with the publisher's topic, and for one that does not have the form that a `router`, `stream` or `xsubscribe`
    ///   requires.
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for a client that was never given an address, and on a
    ///   `router` or `stream` if no peer has the routing id that the message begins with.
    /// * [`OutOfTurn`](crate::ErrorKind::OutOfTurn) for a reply without a request.
    /// * [`Exhausted`](crate::ErrorKind::Exhausted) if there is no file descriptor to wait with, or no memory for a
    ///   copy of the message.
    ///
    /// After an error, no part of the message is sent.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pull = zeroless::Server::new(0).pull()?;
    /// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
    /// push.send(&["a word", "and another"])?;
    /// push.send(&vec![b"frames".to_vec(), b"received before".to_vec()])?;
    /// push.send("one frame")?;
    /// # pull.iter().take(3).for_each(drop);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn send(&self, frames: &(impl AsFrames + ?Sized)) -> Result<()> {
        // `as_frames` may call a user's code, so it runs before the engine takes its lock.
        self.outlet.send(&frames.as_frames(), self.outlet.socket.timeout())
    }

    /// Sends a message if there is room for it, without blocking.
    ///
    /// # Errors
    ///
    /// Fails with [`WouldBlock`](crate::ErrorKind::WouldBlock) if there is no room, and otherwise as
    /// [`send`](Self::send) does, but never with `TimedOut`.
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
    pub fn try_send(&self, frames: &(impl AsFrames + ?Sized)) -> Result<()> {
        self.outlet.send(&frames.as_frames(), Wait::Never)
    }

    /// Sends a message, and blocks for at most `timeout` while there is no room for it.
    ///
    /// The time is rounded up to milliseconds. It replaces the recipe's timeout for this call.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does, with [`TimedOut`](crate::ErrorKind::TimedOut) if `timeout` passed first.
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
    pub fn send_timeout(&self, frames: &(impl AsFrames + ?Sized), timeout: Duration) -> Result<()> {
        self.outlet.send(&frames.as_frames(), Wait::For(timeout))
    }

    /// Returns the socket that this handle uses, for example to read its port or to close it.
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
