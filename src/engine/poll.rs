//! Waits for the two descriptors of a socket.

use super::wait::{Deadline, milliseconds};
pub(super) use crate::sys::{Descriptor, Notifier};

/// Waits until something has happened to the socket, the notifier is notified, or the deadline has passed.
pub(super) fn wait(socket: Descriptor, notifier: Descriptor, deadline: Deadline<'_>) -> zmq::Result<()> {
    let items = &mut [socket, notifier].map(|descriptor| zmq::PollItem::from_fd(descriptor, zmq::POLLIN));
    loop {
        let milliseconds = deadline.remaining().map_or(-1, milliseconds);
        match zmq::poll(items, milliseconds.into()) {
            // Rule 5 of the engine.
            Err(zmq::Error::EINTR) => {}
            outcome => return outcome.map(drop),
        }
    }
}
