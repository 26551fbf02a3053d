//! Finds out whether a server has accepted a client. libzmq does not report it.
//!
//! libzmq's own thread takes messages from the client's queue only after the server has accepted the client. So the
//! client is accepted once one message has been taken.
//!
//! That thread reports how many messages it has taken whenever their number is a multiple of half the high-water mark,
//! rounded up. With a mark of 1,000, the first report comes after 500 messages. So the mark begins at 2, and is doubled
//! before the queue can reach it, up to the mark that the user has set. Then half the mark is never more than the number
//! of messages that were sent. So when all of them have been taken, there has been a report: the number of messages
//! taken grows one by one, half the mark does not fall, and so the two were equal at some time.
//!
//! libzmq crashes if the mark changes while a queue is being removed. So the mark changes only while there is one queue,
//! and right after `ZMQ_EVENTS` has shown that it has room: then it is not being removed.

use super::eintr::retry_interrupted;

/// If the user has set no limit, the mark grows up to this before it becomes unlimited.
const LARGEST_MARK: u64 = 1 << 30;

/// The growing high-water mark of a client.
pub(super) struct Acceptance {
    /// What the mark grows to. `None` if the socket is not watched.
    user_mark: Option<i32>,
    /// The number of the message that needs a larger mark.
    grow_at: u64,
}

impl Default for Acceptance {
    fn default() -> Acceptance {
        Acceptance {
            user_mark: None,
            grow_at: u64::MAX,
        }
    }
}

impl Acceptance {
    /// Begins to watch a socket that is about to connect for the first time.
    pub(super) fn watch(&mut self, socket: &zmq::Socket) -> zmq::Result<()> {
        self.user_mark = Some(socket.get_sndhwm()?);
        self.set_mark(socket, 2)
    }

    /// Stops watching, because the socket is about to get another queue, or to lose its only one.
    ///
    /// If that one is gone, because its server has refused the client, the mark cannot be restored. Then a next queue
    /// holds fewer messages than the user has set.
    pub(super) fn stop(&mut self, socket: &zmq::Socket) -> zmq::Result<()> {
        self.grow_at = u64::MAX;
        match self.user_mark.take() {
            Some(mark) if has_room(socket)? => socket.set_sndhwm(mark),
            _ => Ok(()),
        }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.user_mark.is_some()
    }

    /// Whether the mark must grow before one more message is sent.
    #[inline]
    pub(super) fn must_grow(&self, sent: u64) -> bool {
        sent + 1 == self.grow_at
    }

    #[cold]
    pub(super) fn grow(&mut self, socket: &zmq::Socket) -> zmq::Result<()> {
        match has_room(socket)? {
            true => self.set_mark(socket, self.grow_at * 2),
            false => Ok(()),
        }
    }

    fn set_mark(&mut self, socket: &zmq::Socket, mark: u64) -> zmq::Result<()> {
        let user_mark = self.user_mark.unwrap_or(0);
        let largest = match u64::try_from(user_mark) {
            Ok(limit @ 1..) => limit.min(LARGEST_MARK),
            // No limit.
            _ => LARGEST_MARK,
        };
        let (mark, grow_at) = match i32::try_from(mark) {
            Ok(small) if mark < largest => (small, mark),
            _ => (user_mark, u64::MAX),
        };
        self.grow_at = grow_at;
        socket.set_sndhwm(mark)
    }

    /// Whether libzmq has reported that it took one of the `sent` messages. Nothing can be sent afterwards. The queue
    /// must have room.
    pub(super) fn has_report(&self, socket: &zmq::Socket, sent: u64) -> zmq::Result<bool> {
        // With this mark, there is room if and only if a message is known to have been taken.
        socket.set_sndhwm(i32::try_from(sent).unwrap_or(i32::MAX))?;
        has_room(socket)
    }
}

fn has_room(socket: &zmq::Socket) -> zmq::Result<bool> {
    let events = retry_interrupted(|| socket.get_events())?;
    Ok(events.contains(zmq::POLLOUT))
}
