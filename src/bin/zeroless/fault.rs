//! Why the program ends, and its exit status.

use std::fmt::Display;
use std::io;

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
    /// What to say; `None` if nobody needs to know.
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

    /// Nobody reads the output any more, so the program has done its work.
    pub fn no_reader() -> Fault {
        Fault::silent(0)
    }

    /// A socket that could not be opened: most reasons are in what the user has written.
    pub fn from_opening(error: Error) -> Fault {
        match error.kind() {
            ErrorKind::InvalidInput => Fault::new(USAGE, error),
            _ => error.into(),
        }
    }

    /// An error of the standard output.
    pub fn from_output(error: io::Error) -> Fault {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Fault::no_reader(),
            _ => Fault::failed(format!("cannot write the output: {error}")),
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
