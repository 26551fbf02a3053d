//! The one error of the crate, and what kinds of it there are.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::sys;

/// What every fallible call of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed: a kind for programs, and a message for people.
///
/// The message names the endpoint or the input at fault and says what to do about it. Where libzmq or the
/// operating system gave a reason of its own, [`source`](StdError::source) has it.
///
/// It converts into a [`std::io::Error`], so `?` works in a function that returns [`std::io::Result`].
///
/// # Examples
///
/// ```
/// use zeroless::{Client, ErrorKind};
///
/// let error = Client::new().connect("no spaces here", 5555).push().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// assert!(error.to_string().contains("no spaces here"));
/// ```
#[derive(Clone)]
pub struct Error(Arc<Repr>);

struct Repr {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`Error`] that a program may want to tell apart.
///
/// More may be added, so a `match` needs a `_` arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input can never work: a host with a space in it, port 0 to connect to, a message of no frames, a
    /// message that does not begin with the publisher's topic.
    InvalidInput,
    /// Another socket, of this or of another process, listens on that address already.
    AddrInUse,
    /// The address to bind is not one of this machine's, or the folder of an `ipc` path does not exist.
    AddrNotAvailable,
    /// The operating system does not let this user bind there, or read that file: a port below 1024, a folder or a key
    /// of someone else's.
    PermissionDenied,
    /// The server has turned this client away, and libzmq has given up on it: a wrong password, a key or an address that
    /// is not let in, another mechanism, or a pattern that does not go with this one.
    Denied,
    /// The socket is connected to that address already, or it is a pair that has its one peer.
    AlreadyConnected,
    /// The socket is not connected to the address to disconnect from, not subscribed to the topic to drop, or has no
    /// peer of the routing id to send to.
    NotConnected,
    /// The timeout passed before the message could be sent or received, or the subscribers arrived.
    TimedOut,
    /// A `try_` call could do nothing without waiting.
    WouldBlock,
    /// The socket was closed.
    Closed,
    /// It is the peer's turn: a reply without a request, a second request before the first was answered for.
    OutOfTurn,
    /// File descriptors, memory, threads or libzmq's sockets have run out.
    Exhausted,
    /// The scheme of the endpoint is none that this crate, this build of libzmq or this pattern speaks, or this build has
    /// no CURVE.
    Unsupported,
    /// Any other reason; the message and the source tell.
    Other,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Arc::new(Repr {
            kind,
            message: message.into(),
            source: None,
        }))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidInput, message)
    }

    /// An error of libzmq. `what_failed` is a clause: "cannot bind tcp://…".
    pub(crate) fn from_zmq(what_failed: impl fmt::Display, source: zmq::Error) -> Error {
        let message = format!("{what_failed}: {}", remedy_of_zmq(source));
        Error::with_source(kind_of_zmq(source), message, source)
    }

    /// An error of the operating system.
    pub(crate) fn from_io(what_failed: impl fmt::Display, source: io::Error) -> Error {
        let message = format!("{what_failed}: {source}; {}", remedy_of_io(&source));
        Error::with_source(kind_of_io(&source), message, source)
    }

    /// The error for a thread that could not be started.
    pub(crate) fn from_spawn(what_failed: impl fmt::Display, source: io::Error) -> Error {
        let message = format!("{what_failed}: the system has no thread left; end some, or raise the limit (ulimit -u)");
        Error::with_source(ErrorKind::Exhausted, message, source)
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        message: String,
        source: impl StdError + Send + Sync + 'static,
    ) -> Error {
        Error(Arc::new(Repr {
            kind,
            message,
            source: Some(Box::new(source)),
        }))
    }

    /// Whether it is no fault, but what ends an iteration in the course of things.
    pub(crate) fn ends_iteration_quietly(&self) -> bool {
        let kinds = [ErrorKind::Closed, ErrorKind::TimedOut, ErrorKind::WouldBlock];
        kinds.contains(&self.kind())
    }

    /// Returns what kind of error this is, without blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let pull = Server::new(0).pull()?;
    /// assert_eq!(pull.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

fn kind_of_zmq(error: zmq::Error) -> ErrorKind {
    match error {
        zmq::Error::EADDRINUSE => ErrorKind::AddrInUse,
        zmq::Error::EADDRNOTAVAIL | zmq::Error::ENODEV | zmq::Error::ENOENT => ErrorKind::AddrNotAvailable,
        zmq::Error::EACCES => ErrorKind::PermissionDenied,
        zmq::Error::EAGAIN => ErrorKind::WouldBlock,
        zmq::Error::EFSM => ErrorKind::OutOfTurn,
        zmq::Error::EINVAL | zmq::Error::ENAMETOOLONG => ErrorKind::InvalidInput,
        zmq::Error::EMFILE | zmq::Error::ENOMEM | zmq::Error::ENOBUFS => ErrorKind::Exhausted,
        zmq::Error::ENOCOMPATPROTO | zmq::Error::ENOTSUP | zmq::Error::EPROTONOSUPPORT => ErrorKind::Unsupported,
        zmq::Error::ENOTSOCK | zmq::Error::ETERM => ErrorKind::Closed,
        _ => ErrorKind::Other,
    }
}

const OUT_OF_DESCRIPTORS: &str =
    "no file descriptor or libzmq socket is left; close some sockets, or raise the limit (ulimit -n)";

/// What to do about it, where that can be said from the error alone.
fn remedy_of_zmq(error: zmq::Error) -> &'static str {
    match error {
        zmq::Error::EADDRINUSE => "the address is in use already; choose another, or port 0 for a free one",
        zmq::Error::EADDRNOTAVAIL | zmq::Error::ENODEV => {
            "no interface of this machine has that address; give an IP address of its own, the name of an \
             interface, or * for all of them"
        }
        zmq::Error::ENOENT => "the folder does not exist; create it first",
        zmq::Error::EACCES => "not permitted; ports below 1024 and other users' folders need privileges",
        zmq::Error::EINVAL => "libzmq takes it for invalid",
        zmq::Error::ENAMETOOLONG => "the path is too long; ipc paths end at about 100 bytes",
        zmq::Error::EMFILE => OUT_OF_DESCRIPTORS,
        zmq::Error::ENOMEM => "there is no memory for it; nothing else is wrong, so smaller frames may do",
        other => other.message(),
    }
}

fn kind_of_io(error: &io::Error) -> ErrorKind {
    match error.kind() {
        _ if sys::is_out_of_descriptors(error) => ErrorKind::Exhausted,
        io::ErrorKind::AddrInUse => ErrorKind::AddrInUse,
        io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::AddrNotAvailable,
        io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename => ErrorKind::InvalidInput,
        io::ErrorKind::OutOfMemory | io::ErrorKind::StorageFull => ErrorKind::Exhausted,
        io::ErrorKind::Unsupported => ErrorKind::Unsupported,
        _ => ErrorKind::Other,
    }
}

/// The same, for what the operating system says of a path or an address.
fn remedy_of_io(error: &io::Error) -> &'static str {
    match error.kind() {
        _ if sys::is_out_of_descriptors(error) => OUT_OF_DESCRIPTORS,
        io::ErrorKind::AddrInUse => "a server, or a file that is none, is there already; choose another",
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "create the folder first",
        io::ErrorKind::PermissionDenied => "choose a folder of your own",
        io::ErrorKind::InvalidInput => "ipc paths end at about 100 bytes",
        _ => "choose another",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// For people too: it is what a `main` that returns an error shows.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} (kind: {:?})", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error.kind() {
            ErrorKind::InvalidInput => io::ErrorKind::InvalidInput,
            ErrorKind::AddrInUse => io::ErrorKind::AddrInUse,
            ErrorKind::AddrNotAvailable => io::ErrorKind::AddrNotAvailable,
            ErrorKind::PermissionDenied | ErrorKind::Denied => io::ErrorKind::PermissionDenied,
            ErrorKind::AlreadyConnected => io::ErrorKind::AlreadyExists,
            ErrorKind::NotConnected => io::ErrorKind::NotConnected,
            ErrorKind::TimedOut => io::ErrorKind::TimedOut,
            ErrorKind::WouldBlock => io::ErrorKind::WouldBlock,
            ErrorKind::Closed => io::ErrorKind::BrokenPipe,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::OutOfTurn | ErrorKind::Exhausted | ErrorKind::Other => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
