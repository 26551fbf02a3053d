//! The messages to send: from the command line, or from the standard input.

use std::ffi::OsString;
use std::io::{self, BufReader, Stdin};
use std::os::unix::ffi::OsStringExt;
use std::vec;

use zeroless::Message;

use crate::decoder::Decoder;
use crate::fault::{FAILED, Fault, Result, USAGE};
use crate::format::Format;

/// How much is read at once.
const BLOCK: usize = 64 * 1024;

/// The messages to send.
pub struct Input {
    source: Source,
    decoder: Decoder,
    /// How many messages were read.
    read: u64,
    limit: u64,
}

enum Source {
    Arguments(vec::IntoIter<OsString>),
    Stdin(BufReader<Stdin>),
}

impl Input {
    /// The messages in these arguments, or, if there are none, in the standard input; `limit` of them at most.
    pub fn new(arguments: Vec<OsString>, format: Format, limit: Option<u64>) -> Input {
        let source = match arguments.is_empty() {
            true => Source::Stdin(BufReader::with_capacity(BLOCK, io::stdin())),
            false => Source::Arguments(arguments.into_iter()),
        };
        Input {
            source,
            decoder: Decoder::new(format),
            read: 0,
            limit: limit.unwrap_or(u64::MAX),
        }
    }

    /// Whether there are no more messages, as far as is known without waiting.
    pub fn has_ended(&self) -> bool {
        let is_empty = matches!(&self.source, Source::Arguments(arguments) if arguments.len() == 0);
        is_empty || self.read >= self.limit
    }

    /// Reads the next message into `message`; `false` if there is none. Blocks until it has arrived.
    pub fn next(&mut self, message: &mut Message) -> Result<bool> {
        if self.has_ended() {
            return Ok(false);
        }
        self.read += 1;
        match &mut self.source {
            Source::Arguments(arguments) => {
                let argument = arguments.next().map(OsString::into_vec).unwrap_or_default();
                *message = self.decoder.read_alone(&argument).map_err(|error| {
                    let shown = argument.escape_ascii();
                    Fault::new(USAGE, format!("cannot send the argument \"{shown}\": {error}"))
                })?;
                Ok(true)
            }
            Source::Stdin(stdin) => self.decoder.next(stdin, message).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => Fault::new(
                    FAILED,
                    format!("cannot send message {} of the input: {error}", self.read),
                ),
                _ => Fault::new(FAILED, format!("cannot read the input: {error}")),
            }),
        }
    }
}
