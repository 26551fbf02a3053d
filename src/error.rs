//! The error type of the crate, and its kinds.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::sys;

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed: a kind for programs, and a message for people.
///
/// The message names the endpoint or the input that is wrong, and says what to do about it. If libzmq or the operating
/// system reported an error, [`source`](StdError::source) returns it.
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

/// The kinds of [`Error`] that a program may need to tell apart.
///
/// Later versions may add kinds, so a `match` needs a `_` arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input can never work, for example a host with a space in it, port 0 to connect to, a message without frames,
    /// or a message that does not begin with the publisher's topic.
    InvalidInput,
    /// Another socket, of this process or of another one, already listens on that address.
    AddrInUse,
    /// The address to bind is not an address of this machine, or the folder of an `ipc` path does not exist.
    AddrNotAvailable,
    /// The operating system does not let this user bind there or read that file: a port below 1024, or another user's
    /// folder or key file.
    PermissionDenied,
    /// The server refused this client, and libzmq does not try again: nothing that this socket sends reaches that server.
    /// Its pattern does not match this one; or the password is wrong, the key or the address is not let in, or the
    /// server uses another mechanism; or the server has sent a malformed message.
    Denied,
    /// The socket is already connected to that address, or it is a pair that has its one peer.
    AlreadyConnected,
    /// No server was connected in time, so a [call](crate::Caller) was not run; the client was never given an address; or
    /// the socket is not connected to the address to disconnect from, is not
    /// bound to the endpoint to unbind, is not subscribed to the topic to unsubscribe from, or has no peer with the
    /// routing id to send to.
    NotConnected,
    /// The timeout passed before the message could be sent or received, or before the subscribers arrived. After a
    /// [call](crate::Caller), the server may have run it.
    TimedOut,
    /// A `try_` call could not proceed without blocking.
    WouldBlock,
    /// The other end says that what was asked has failed. The text of the error is its own. See
    /// [`Call::fail`](crate::Call::fail) and [`Job::fail`](crate::Job::fail).
    Failed,
    /// The connection was lost after a [call](crate::Caller) was sent and before its answer arrived. The server may have
    /// run the call.
    Lost,
    /// The socket was closed.
    Closed,
    /// Requests and replies take turns, and this call was out of turn. It tried to send a reply without a request, to
    /// receive the next request before replying to the last one, or to receive a reply without a request.
    OutOfTurn,
    /// File descriptors, memory, threads or libzmq's sockets have run out.
    Exhausted,
    /// This crate, this build of libzmq or this pattern does not support the scheme of the endpoint; or this build has
    /// no CURVE, or cannot unbind and keep the connections; or this pattern, a `stream`, cannot prove or check who the
    /// peers are.
    Unsupported,
    /// Any other reason; see the message and the source.
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

    /// An error of libzmq. `what_failed` is a clause, such as "cannot bind tcp://…".
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
        let message =
            format!("{what_failed}: the system has no thread left; stop some, or raise the limit (ulimit -u)");
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

    /// Whether this is an ordinary end of an iteration, and not a fault.
    pub(crate) fn ends_iteration_quietly(&self) -> bool {
        let kinds = [ErrorKind::Closed, ErrorKind::TimedOut, ErrorKind::WouldBlock];
        kinds.contains(&self.kind())
    }

    /// Returns the kind of the error.
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

/// What is wrong and what to do, as far as the error alone shows it.
fn remedy_of_zmq(error: zmq::Error) -> &'static str {
    match error {
        zmq::Error::EADDRINUSE => "the address is already in use; choose another one, or port 0 for any free port",
        zmq::Error::EADDRNOTAVAIL | zmq::Error::ENODEV => {
            "no interface of this machine has that address, and a server takes no host names; for this machine only, \
             give the port alone or 127.0.0.1; else give an IP address or the name of an interface of this machine, or \
             * for all interfaces"
        }
        zmq::Error::ENOENT => "the folder does not exist; create it first",
        zmq::Error::EACCES => "not permitted; ports below 1024 and other users' folders need privileges",
        zmq::Error::EINVAL => "libzmq rejects it as invalid",
        zmq::Error::ENAMETOOLONG => "the path is too long; an ipc path has at most about 100 bytes",
        zmq::Error::EMFILE => OUT_OF_DESCRIPTORS,
        zmq::Error::ENOMEM => "there is not enough memory; nothing else is wrong, so smaller frames may work",
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

/// What to do about an error that the operating system reports for a path or an address.
fn remedy_of_io(error: &io::Error) -> &'static str {
    match error.kind() {
        _ if sys::is_out_of_descriptors(error) => OUT_OF_DESCRIPTORS,
        io::ErrorKind::AddrInUse => "a server or another file is already there; choose another path",
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "create the folder first",
        io::ErrorKind::PermissionDenied => "choose a folder that this user may write to",
        io::ErrorKind::InvalidInput => "an ipc path has at most about 100 bytes",
        _ => "choose another address",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// The text of `Display`, and the kind, because a `main` that returns an error prints `Debug`.
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
            ErrorKind::Lost => io::ErrorKind::ConnectionAborted,
            ErrorKind::Closed => io::ErrorKind::BrokenPipe,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::Failed | ErrorKind::OutOfTurn | ErrorKind::Exhausted | ErrorKind::Other => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
