//! Waits for the two descriptors of a socket.

use super::wait::{Deadline, milliseconds};
pub(super) use crate::sys::{Descriptor, Notifier};

/// Waits until something has happened to the socket, the notifier is notified, or the deadline has passed.
pub(super) fn wait(socket: Descriptor, notifier: Descriptor, deadline: Deadline<'_>) -> zmq::Result<()> {
    wait_for_any([socket, notifier], deadline).map(drop)
}

/// Waits until one of the descriptors is readable, or the deadline has passed. Returns whether one is readable.
pub(super) fn wait_for_any<const N: usize>(descriptors: [Descriptor; N], deadline: Deadline<'_>) -> zmq::Result<bool> {
    let items = &mut descriptors.map(|descriptor| zmq::PollItem::from_fd(descriptor, zmq::POLLIN));
    loop {
        let milliseconds = deadline.remaining().map_or(-1, milliseconds);
        match zmq::poll(items, milliseconds.into()) {
            // Rule 5 of the engine.
            Err(zmq::Error::EINTR) => {}
            outcome => return outcome.map(|readable| readable > 0),
        }
    }
}
