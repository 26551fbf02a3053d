//! Why the program ends, and its exit status.

use std::fmt::Display;

use zeroless::{Error, ErrorKind};

pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;
/// As timeout(1) says it.
pub const TIMED_OUT: u8 = 124;

pub type Result<T> = std::result::Result<T, Fault>;

/// Why the program ends before it is done.
#[derive(Debug)]
pub struct Fault {
    pub status: u8,
    /// What to say; `None` if the log has said it.
    pub message: Option<String>,
}

impl Fault {
    pub fn new(status: u8, message: impl Display) -> Fault {
        Fault {
            status,
            message: Some(format!("zeroless: {message}")),
        }
    }

    /// Fails with the words of the other end, and nothing else.
    pub fn in_words(words: impl Display) -> Fault {
        Fault {
            status: FAILED,
            message: Some(words.to_string()),
        }
    }

    /// Ends with a status after the log has said why.
    pub fn silent(status: u8) -> Fault {
        Fault { status, message: None }
    }

    pub fn failed(message: impl Display) -> Fault {
        Fault::new(FAILED, message)
    }

    /// A socket that could not be opened: most reasons are in what the user has written.
    pub fn from_opening(error: Error) -> Fault {
        match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::AlreadyConnected | ErrorKind::Unsupported => Fault::new(USAGE, error),
            _ => error.into(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let status = match error.kind() {
            ErrorKind::TimedOut => TIMED_OUT,
            _ => FAILED,
        };
        Fault::new(status, error)
    }
}
