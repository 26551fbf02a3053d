//! Which libzmq this is.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Tells which libzmq the program has been linked with, and what it can do. Does not block.
///
/// # Examples
///
/// ```
/// println!("{}", zeroless::libzmq()); // libzmq 4.3.4, without CURVE
/// ```
pub fn libzmq() -> Libzmq {
    Libzmq {
        version: zmq::version(),
    }
}

/// A build of libzmq, got from [`libzmq()`]. Its `Display` is a line for people.
///
/// # Examples
///
/// As [`libzmq()`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Libzmq {
    version: (i32, i32, i32),
}

impl Libzmq {
    /// Returns the major, minor and patch number of the version, without blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(zeroless::libzmq().version() >= (4, 3, 4));
    /// ```
    pub fn version(&self) -> (i32, i32, i32) {
        self.version
    }

    /// Tells whether it has CURVE, which [`Server::curve`](crate::Server::curve) wants, without blocking.
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

    /// Tells whether it has a capability that libzmq knows under that name, such as `"ipc"`, without blocking.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(zeroless::libzmq().has("ipc"));
    /// ```
    pub fn has(&self, capability: &str) -> bool {
        // To libzmq, a name ends with its first zero byte.
        !capability.contains('\0') && zmq::has(capability) == Some(true)
    }
}

impl fmt::Display for Libzmq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        let with = if self.curve() { "with" } else { "without" };
        write!(f, "libzmq {major}.{minor}.{patch}, {with} CURVE")
    }
}

/// An error of what wants CURVE, unless there is CURVE.
pub(crate) fn require_curve(what_failed: &str) -> Result<()> {
    let libzmq = libzmq();
    if libzmq.curve() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "{what_failed}: this program has {libzmq}; build it with the feature `curve` of zeroless, or with the system's \
             libzmq, as the README says under \"Encryption\""
        ),
    ))
}
