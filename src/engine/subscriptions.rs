//! The subscriptions that arrive at a publisher.

use zmq::DONTWAIT;

use super::eintr::retry_interrupted;

/// How many messages a publisher sends between two reads of the subscriptions that have arrived.
///
/// libzmq queues them without limit until they are read. But reading an empty queue is a system call, which costs too
/// much for every message.
const SENDS_BETWEEN_READS: u32 = 256;

#[derive(Default)]
pub(super) struct Subscriptions {
    /// How many have arrived since the socket opened.
    arrived: usize,
    /// How many operations the publisher has done since the last read. Most of them are sends.
    sends_since_read: u32,
}

impl Subscriptions {
    pub(super) fn arrived(&self) -> usize {
        self.arrived
    }

    /// Reads and counts those that have arrived.
    pub(super) fn read(&mut self, socket: &zmq::Socket) -> zmq::Result<()> {
        self.sends_since_read = 0;
        let mut frame = zmq::Message::new();
        loop {
            match retry_interrupted(|| socket.recv(&mut frame, DONTWAIT)) {
                // A byte 1 and the topic is a subscription; a byte 0 ends one.
                Ok(()) => self.arrived += usize::from(frame.first() == Some(&1)),
                Err(zmq::Error::EAGAIN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads from time to time what libzmq would queue forever.
    #[inline]
    pub(super) fn housekeep(&mut self, socket: &zmq::Socket) {
        self.sends_since_read += 1;
        if self.sends_since_read >= SENDS_BETWEEN_READS {
            // The next operation returns the error, if there is one.
            let _ = self.read(socket);
        }
    }
}
