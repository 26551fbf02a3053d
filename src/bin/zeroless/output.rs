//! Where received messages are written: the standard output, in blocks.

use std::fs::File;
use std::io::{self, Write};

use crate::ending;
use crate::fault::{Fault, Result};
use crate::format::{Format, Misfit};

/// How much is written at once.
const BLOCK: usize = 64 * 1024;

/// The standard output for messages.
pub struct Output {
    format: Format,
    file: File,
    buffer: Vec<u8>,
    /// How many messages were written.
    written: u64,
}

impl Output {
    pub fn new(format: Format) -> Result<Output> {
        Ok(Output {
            format,
            file: ending::duplicate_stdout()?.into(),
            buffer: Vec::with_capacity(2 * BLOCK),
            written: 0,
        })
    }

    /// Keeps a message to be written by [`flush`](Self::flush), if the format can carry it.
    pub fn put(&mut self, message: &[impl AsRef<[u8]>]) -> std::result::Result<(), Misfit> {
        self.written += 1;
        self.format.write(message, &mut self.buffer)
    }

    /// Writes a message, at the latest when [`flush`](Self::flush) is called.
    pub fn write(&mut self, message: &[impl AsRef<[u8]>]) -> Result<()> {
        if let Err(misfit) = self.put(message) {
            self.flush()?;
            return Err(Fault::failed(format!(
                "cannot write message {}: {misfit}",
                self.written
            )));
        }
        match self.buffer.len() >= BLOCK {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Writes what was kept, or ends the program if nobody reads it any more.
    pub fn flush(&mut self) -> Result<()> {
        self.try_flush().or_else(ending::end_if_unread)
    }

    /// Writes what was kept.
    pub fn try_flush(&mut self) -> io::Result<()> {
        let outcome = self.file.write_all(&self.buffer);
        self.buffer.clear();
        outcome
    }
}
