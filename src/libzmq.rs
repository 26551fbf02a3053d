//! The libzmq that the program is linked with.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Which libzmq it is. The build script knows.
const WHICH: &str = if cfg!(libzmq = "own") {
    "zeroless's own"
} else if cfg!(libzmq = "zmq_sys") {
    "zmq-sys's"
} else {
    "the system's"
};

/// Returns which libzmq the program is linked with, and what it can do.
///
/// libzmq is the C++ library that implements ZeroMQ.
///
/// # Examples
///
/// ```
/// println!("{}", zeroless::libzmq()); // libzmq 4.3.4 (zeroless's own), without CURVE
/// ```
pub fn libzmq() -> Libzmq {
    Libzmq {
        version: zmq::version(),
    }
}

/// A build of libzmq, returned by [`libzmq()`]. Its `Display` is one line of text for people.
///
/// # Examples
///
/// ```
/// let libzmq = zeroless::libzmq();
/// assert!(libzmq.to_string().starts_with("libzmq 4."));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Libzmq {
    version: (i32, i32, i32),
}

impl Libzmq {
    /// Returns the major, minor and patch number of the version.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(zeroless::libzmq().version() >= (4, 3, 4));
    /// ```
    pub fn version(&self) -> (i32, i32, i32) {
        self.version
    }

    /// Returns whether zeroless has built it, as it does by default.
    ///
    /// Otherwise it is the system's, or that of the crate zmq-sys: see
    /// [Which builds of libzmq there are](crate::guide::platforms).
    ///
    /// # Examples
    ///
    /// ```
    /// let libzmq = zeroless::libzmq();
    /// assert_eq!(libzmq.own(), libzmq.to_string().contains("zeroless's own"));
    /// ```
    pub fn own(&self) -> bool {
        cfg!(libzmq = "own")
    }

    /// Returns whether it has CURVE, which [`Server::curve`](crate::Server::curve) needs.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{ErrorKind, Keypair};
    ///
    /// match Keypair::generate() {
    ///     Ok(_) => assert!(zeroless::libzmq().curve()),
    ///     Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
    /// }
    /// ```
    pub fn curve(&self) -> bool {
        self.has("curve")
    }

    /// Returns whether it has the draft sockets, such as [`Server::radio`](crate::Server::radio).
    ///
    /// Only the libzmq that the feature `draft` builds has them for this crate.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{ErrorKind, Server};
    ///
    /// match Server::new(0).gather() {
    ///     Ok(_) => assert!(zeroless::libzmq().draft()),
    ///     Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
    /// }
    /// ```
    pub fn draft(&self) -> bool {
        cfg!(draft)
    }

    /// Returns whether it has a capability, by the name that libzmq gives it, such as `"ipc"`.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(zeroless::libzmq().has("ipc"));
    /// ```
    pub fn has(&self, capability: &str) -> bool {
        // libzmq reads a name only up to its first zero byte.
        !capability.contains('\0') && zmq::has(capability) == Some(true)
    }
}

impl fmt::Display for Libzmq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        let with = if self.curve() { "with" } else { "without" };
        let and_drafts = if self.draft() { ", with draft sockets" } else { "" };
        write!(f, "libzmq {major}.{minor}.{patch} ({WHICH}), {with} CURVE{and_drafts}")
    }
}

/// Fails if libzmq has no CURVE.
pub(crate) fn require_curve(what_failed: &str) -> Result<()> {
    let libzmq = libzmq();
    if libzmq.curve() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "{what_failed}: this program uses {libzmq}; build it with the feature `curve` of zeroless, or with the system's \
             libzmq; see \"Encryption\" in the README"
        ),
    ))
}

/// Fails if libzmq has no draft sockets. It would abort the process when one of them is used over TCP or `ipc`.
pub(crate) fn require_draft(what_failed: &str) -> Result<()> {
    let libzmq = libzmq();
    if libzmq.draft() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "{what_failed}: this program uses {libzmq}, which has no draft sockets for zeroless; build it with the feature \
             `draft` of zeroless, and without the system's libzmq; see the page guide::draft of the documentation"
        ),
    ))
}

/// Fails if libzmq does not have the changes of zeroless, without which it closes the connections when it unbinds.
pub(crate) fn require_own(what_failed: &str) -> Result<()> {
    let libzmq = libzmq();
    if libzmq.own() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "{what_failed}: this program uses {libzmq}, which would also close the connections; build it with the feature \
             `own-libzmq` of zeroless, which is on by default, or close the socket"
        ),
    ))
}

/// Fails if libzmq was built without TCP keepalive. It would accept keepalive and ignore it.
pub(crate) fn require_keepalive(what_failed: &str) -> Result<()> {
    // zmq-sys's build never has it, and that of zeroless has it only on Linux.
    if cfg!(any(libzmq = "system", all(libzmq = "own", target_os = "linux"))) {
        return Ok(());
    }
    let remedy = match cfg!(target_os = "linux") {
        true => "build it with the feature `own-libzmq` of zeroless, which is on by default",
        false => "build it with the system's libzmq",
    };
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "{what_failed}: this program uses {}, which ignores it; {remedy}, or use a heartbeat",
            libzmq()
        ),
    ))
}
