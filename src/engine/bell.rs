//! What a thread waits at: the socket's `ZMQ_FD`, and a bell that another thread can ring.

use std::io::{Read, Result, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;

use super::patience::{Deadline, milliseconds};

/// Something to wait at. It is not owned: whoever waits sees to it that it is open.
pub(super) type Descriptor = RawFd;

/// A wake-up. What is written to the first is read from the second; one byte lies in it while it rings.
pub(super) struct Bell(UnixStream, UnixStream);

impl Bell {
    pub(super) fn new() -> Result<Bell> {
        UnixStream::pair().map(|(writer, reader)| Bell(writer, reader))
    }

    pub(super) fn ring(&mut self) -> Result<()> {
        self.0.write_all(&[1])
    }

    /// Stops the ringing.
    pub(super) fn still(&mut self) -> Result<()> {
        self.1.read_exact(&mut [0])
    }

    pub(super) fn descriptor(&self) -> Descriptor {
        self.1.as_raw_fd()
    }
}

/// Waits until something has happened to the socket, the bell rings, or the deadline has passed.
pub(super) fn wait(socket: &Descriptor, bell: &Descriptor, deadline: Deadline<'_>) -> zmq::Result<()> {
    let items = &mut [socket, bell].map(|descriptor| zmq::PollItem::from_fd(*descriptor, zmq::POLLIN));
    loop {
        let milliseconds = deadline.remaining().map_or(-1, milliseconds);
        match zmq::poll(items, milliseconds.into()) {
            Err(zmq::Error::EINTR) => {}
            outcome => return outcome.map(drop),
        }
    }
}
