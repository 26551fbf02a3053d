//! Detects that all servers have refused a client. libzmq does not report it.
//!
//! A client has a queue for each server, from connecting until libzmq gives up on that server. libzmq gives up only
//! if the server refuses the client: a lost connection is made again. So if no queue has room, although fewer messages
//! were sent than one queue holds, there is no queue left.

use zmq::PollEvents;

use crate::endpoint;

/// Stands for "all servers have refused this client". libzmq has no error for it, and never returns this one from
/// sending or receiving.
pub(super) const DENIED: zmq::Error = zmq::Error::ECONNREFUSED;

#[derive(Default)]
pub(super) struct DenialDetector {
    /// How many servers the socket is connected to, without those of this process.
    servers: usize,
    /// Whether the socket has, or had, other peers, which come and go without being refused: clients of an endpoint
    /// that it bound, and servers of this process.
    has_other_peers: bool,
    /// An upper bound of the number of messages in the queues for the servers.
    queued: u64,
}

impl DenialDetector {
    pub(super) fn note_bound(&mut self) {
        self.has_other_peers = true;
    }

    pub(super) fn note_connected(&mut self, endpoint: &str) {
        match endpoint::is_inproc(endpoint) {
            true => self.has_other_peers = true,
            false => self.servers += 1,
        }
    }

    pub(super) fn note_disconnected(&mut self, endpoint: &str) {
        if !endpoint::is_inproc(endpoint) {
            self.servers -= 1;
        }
    }

    #[inline]
    pub(super) fn note_sent(&mut self) {
        self.queued += 1;
    }

    /// Notes that a reply has arrived, so what was sent to a single server has left its queue.
    #[inline]
    pub(super) fn note_reply(&mut self) {
        // With several servers, another one may still have requests in its queue.
        if self.servers == 1 {
            self.queued = 0;
        }
    }

    /// Whether the socket has servers that could refuse it.
    pub(super) fn has_servers(&self) -> bool {
        self.servers > 0
    }

    /// An upper bound of the number of messages in the queues for the servers.
    #[inline]
    pub(super) fn queued(&self) -> u64 {
        self.queued
    }

    /// Whether all servers have refused the client. `events` is what the socket is ready for. Its `POLLOUT` must be
    /// exact.
    ///
    /// This cannot be detected with `ZMQ_IMMEDIATE`, which the user may have configured: libzmq then makes a queue only
    /// once it is connected.
    pub(super) fn is_denied(&self, socket: &zmq::Socket, events: PollEvents) -> zmq::Result<bool> {
        let can_tell = self.servers > 0 && !self.has_other_peers;
        if !can_tell || events.contains(zmq::POLLOUT) || socket.is_immediate()? {
            return Ok(false);
        }
        let room = u64::try_from(socket.get_sndhwm()?).unwrap_or(0);
        Ok(room == 0 || self.queued < room)
    }
}
