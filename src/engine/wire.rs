//! Whole messages over one `zmq::Socket`, without ever blocking.
//!
//! A [`Wire`] is used by one thread at a time, under the engine's lock. Its methods either do all of their work or
//! give `EAGAIN`, and never leave the socket in the middle of a message.

use std::mem;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use zmq::{DONTWAIT, PollEvents, SNDMORE};

use super::Kind;
use super::gate::Device;
use crate::Message;

/// How many messages a publisher sends between two looks at the subscriptions that have arrived.
///
/// libzmq queues them until they are read, without bound; but a look at an empty queue is a system call, too dear
/// for every message.
const SENDS_BETWEEN_LOOKS: u32 = 256;

/// What is large, in bytes.
///
/// A large message is only copied for libzmq once there is room for it: a failed send throws its copy away, which for
/// a small message is cheaper than to ask first. And the memory of a large frame is not kept until the next.
const LARGE: usize = 16 * 1024;

/// What says that the servers have turned this client away; libzmq has no word for it, and uses this one for nothing
/// that is sent or received.
pub(super) const DENIED: zmq::Error = zmq::Error::ECONNREFUSED;

pub(super) struct Wire {
    pub(super) socket: zmq::Socket,
    kind: Kind,
    /// The frame that was received last, made use of again: to make and drop one for each would cost more than the
    /// receiving does.
    frame: zmq::Message,
    /// How many subscriptions have arrived since the socket opened; only a publisher counts.
    subscriptions: usize,
    /// How often the publisher was used since the last look for subscriptions.
    sends_since_look: u32,
    /// The envelope of the request that a reply socket has received and not replied to yet, with the empty frame that
    /// ends it. Empty if there is no such request.
    envelope: Vec<zmq::Message>,
    /// How many servers it is connected to, not counting those of this process.
    servers: usize,
    /// Whether it has, or had, peers that come and go as they like: what is bound, and servers of this process.
    has_guests: bool,
    /// How many messages may be in the queues for the servers, and more than that never.
    queued: u64,
    /// A `REQ` socket stands in the middle of a request whose peer is gone, and wants a last frame to be rid of it.
    owes_last_frame: bool,
}

impl Wire {
    pub(super) fn new(socket: zmq::Socket, kind: Kind) -> Wire {
        Wire {
            socket,
            kind,
            frame: zmq::Message::new(),
            subscriptions: 0,
            sends_since_look: 0,
            envelope: Vec::new(),
            servers: 0,
            has_guests: false,
            queued: 0,
            owes_last_frame: false,
        }
    }

    pub(super) fn bind(&mut self, endpoint: &str) -> zmq::Result<()> {
        // As systems build it, libzmq ends the process if it has no descriptor left to look at the interfaces with.
        UnixDatagram::unbound().map_err(|_| zmq::Error::EMFILE)?;
        self.has_guests = true;
        self.socket.bind(endpoint)
    }

    pub(super) fn connect(&mut self, endpoint: &str) -> zmq::Result<()> {
        self.socket.connect(endpoint)?;
        match endpoint.starts_with("inproc://") {
            true => self.has_guests = true,
            false => self.servers += 1,
        }
        Ok(())
    }

    pub(super) fn disconnect(&mut self, endpoint: &str) -> zmq::Result<()> {
        self.socket.disconnect(endpoint)?;
        if !endpoint.starts_with("inproc://") {
            self.servers -= 1;
        }
        Ok(())
    }

    /// Sends one message, all of its frames or none.
    ///
    /// `EAGAIN` means that no peer has room. It can also be a stale answer, since a send that does not wait processes
    /// what has happened to the socket only once in about three million CPU ticks: a full queue may have emptied a
    /// millisecond ago. So it is believed only once [`events`](Device::events) agrees (rule 3 of the engine).
    #[inline]
    pub(super) fn try_send(&mut self, frames: &[impl AsRef<[u8]>]) -> zmq::Result<()> {
        match frames {
            // Most messages are so. If it fails, nothing has been sent yet.
            [frame] if self.sends_at_once(frame.as_ref()) => Ok(()),
            _ => self.try_send_any(frames),
        }
    }

    #[inline]
    fn sends_at_once(&mut self, frame: &[u8]) -> bool {
        let is_all = self.kind != Kind::Reply && !self.owes_last_frame;
        let is_sent = is_all && frame.len() < LARGE && self.socket.send(frame, DONTWAIT).is_ok();
        self.queued += u64::from(is_sent);
        is_sent
    }

    #[inline(never)]
    fn try_send_any(&mut self, frames: &[impl AsRef<[u8]>]) -> zmq::Result<()> {
        let large = is_large(frames);
        if large {
            self.try_find_room()?;
        }
        self.send_unless_full(|wire| {
            if large {
                wire.send_copies(frames)
            } else {
                wire.send_frames(frames.len(), |socket, index, flags| {
                    socket.send(frames[index].as_ref(), flags)
                })
            }
        })
    }

    /// Sends, and again if libzmq takes its `EAGAIN` back (rule 3). Where `POLLOUT` may speak of another peer than the
    /// one that is full (rule 8), it is asked only once more.
    #[inline]
    fn send_unless_full(&mut self, mut send: impl FnMut(&mut Wire) -> zmq::Result<()>) -> zmq::Result<()> {
        let mut again = true;
        loop {
            match send(self) {
                Err(zmq::Error::EAGAIN) if again => {
                    self.check_room(self.look()?)?;
                    again = self.kind.tells_of_room();
                }
                outcome => return outcome,
            }
        }
    }

    /// `EAGAIN` unless a message can be sent, to some peer at least.
    pub(super) fn try_find_room(&self) -> zmq::Result<()> {
        match self.kind.tells_of_room() {
            true => self.check_room(self.look()?),
            false => Ok(()),
        }
    }

    /// `EAGAIN` if no peer has room, and [`DENIED`] if no server will ever have.
    fn check_room(&self, events: PollEvents) -> zmq::Result<()> {
        match events.contains(zmq::POLLOUT) {
            true => Ok(()),
            false if self.is_denied(events)? => Err(DENIED),
            false => Err(zmq::Error::EAGAIN),
        }
    }

    /// Whether all servers have turned this client away.
    ///
    /// libzmq does not tell. But a client has a queue for each server from when it connects until libzmq gives up on
    /// that server, which it does for no other reason: what is lost it connects again. So if no queue has room, though
    /// fewer messages were sent than one of them holds, there is no queue left. Where libzmq makes the queues only once
    /// it is connected, which `configure` may have said, this cannot be told.
    fn is_denied(&self, events: PollEvents) -> zmq::Result<bool> {
        let tells = self.kind.tells_of_room() && self.servers > 0 && !self.has_guests;
        if !tells || events.contains(zmq::POLLOUT) || self.socket.is_immediate()? {
            return Ok(false);
        }
        let room = u64::try_from(self.socket.get_sndhwm()?).unwrap_or(0);
        Ok(room == 0 || self.queued < room)
    }

    /// Whether to try again after that error of receiving: if there is something by now, as whoever waits is not told of
    /// it any more (rule 4). It is [`DENIED`] if there never will be.
    #[cold]
    fn check_for_more(&self, error: zmq::Error) -> zmq::Result<()> {
        if error != zmq::Error::EAGAIN || self.servers == 0 || !self.kind.tells_of_room() {
            return Err(error);
        }
        let events = self.look()?;
        match events.contains(zmq::POLLIN) {
            true => Ok(()),
            false if self.is_denied(events)? => Err(DENIED),
            false => Err(error),
        }
    }

    /// Notes that a message was received.
    #[inline]
    fn note_received(&mut self) {
        // Of several servers, another may still have requests in its queue.
        if self.kind == Kind::Request && self.servers == 1 {
            self.queued = 0;
        }
    }

    /// What the socket is ready for.
    fn look(&self) -> zmq::Result<PollEvents> {
        retry_interrupted(|| self.socket.get_events())
    }

    /// Sends a message that was taken from another socket: large frames are handed on, small ones copied.
    ///
    /// A failed send throws away the frame that it was handed. So frames are handed on only when there is room for
    /// certain, and to make certain is a system call, for which a small frame is copied several times. (The thread has
    /// its signals blocked, so none of its sends is interrupted.) A router and a stream take no more than the first
    /// frame, which names the peer, for a reason to fail.
    ///
    /// If the peer vanishes after a frame was handed on, the message is lost, like all that was queued for that peer.
    pub(super) fn try_pass_on(&mut self, frames: &mut [zmq::Message]) -> zmq::Result<()> {
        if frames.iter().map(|frame| frame.len()).sum::<usize>() < LARGE {
            return self.send_unless_full(|wire| {
                wire.send_frames(frames.len(), |socket, index, flags| socket.send(&*frames[index], flags))
            });
        }
        loop {
            self.try_find_room()?;
            let mut handed_on = false;
            let outcome = self.send_frames(frames.len(), |socket, index, flags| {
                if frames[index].len() < LARGE {
                    return socket.send(&*frames[index], flags);
                }
                handed_on = true;
                socket.send(mem::replace(&mut frames[index], zmq::Message::new()), flags)
            });
            match outcome {
                Err(zmq::Error::EAGAIN) if handed_on => return Ok(()),
                // The peer that had room has vanished.
                Err(zmq::Error::EAGAIN) if self.kind.tells_of_room() => {}
                outcome => return outcome,
            }
        }
    }

    /// Sends frames that may be large. The memory for their copies is asked for before the first one is sent, as a
    /// message cannot be taken back.
    ///
    /// Where the peer is known to have room, they are copied beforehand too, to leave it no time to vanish in between.
    /// A router or a stream may yet find its one peer full, and would copy them for nothing.
    fn send_copies(&mut self, frames: &[impl AsRef<[u8]>]) -> zmq::Result<()> {
        let reserve = |frame: &[u8]| {
            let mut copy = Vec::new();
            copy.try_reserve_exact(frame.len()).map_err(|_| zmq::Error::ENOMEM)?;
            Ok(copy)
        };
        let copies: zmq::Result<Vec<Vec<u8>>> = frames.iter().map(|frame| reserve(frame.as_ref())).collect();
        let mut copies = copies?;
        if self.kind.tells_of_room() {
            for (copy, frame) in copies.iter_mut().zip(frames) {
                copy.extend_from_slice(frame.as_ref());
            }
        }
        self.send_frames(frames.len(), |socket, index, flags| {
            let mut copy = mem::take(&mut copies[index]);
            // Not copied yet, or spent on a send that was interrupted.
            if copy.is_empty() {
                copy.extend_from_slice(frames[index].as_ref());
            }
            socket.send(copy, flags)
        })
    }

    /// Sends as many frames as that, one after the other.
    #[inline]
    fn send_frames(
        &mut self,
        count: usize,
        mut send: impl FnMut(&zmq::Socket, usize, i32) -> zmq::Result<()>,
    ) -> zmq::Result<()> {
        if self.owes_last_frame {
            self.send_empty_frame(0)?;
            self.owes_last_frame = false;
        }
        if self.kind == Kind::Reply {
            self.send_envelope()?;
        }
        for index in 0..count {
            let left = count - index - 1;
            let more = if left > 0 { SNDMORE } else { 0 };
            match retry_interrupted(|| send(&self.socket, index, DONTWAIT | more)) {
                Ok(()) => {}
                Err(zmq::Error::EAGAIN) if index > 0 => {
                    self.abandon(left)?;
                    return Err(zmq::Error::EAGAIN);
                }
                Err(error) => return Err(error),
            }
        }
        self.queued += 1;
        Ok(())
    }

    /// Begins the reply to the request in hand.
    fn send_envelope(&mut self) -> zmq::Result<()> {
        if self.envelope.is_empty() {
            return Err(zmq::Error::EFSM);
        }
        // Copied, as a send that is interrupted throws away the frame that it was handed.
        for frame in &self.envelope {
            retry_interrupted(|| self.socket.send(&**frame, DONTWAIT | SNDMORE))?;
        }
        self.envelope.clear();
        Ok(())
    }

    /// Receives the envelope of the next request that is well formed, and forgets those that are not.
    fn receive_envelope(&mut self) -> zmq::Result<()> {
        if !self.envelope.is_empty() {
            return Err(zmq::Error::EFSM);
        }
        loop {
            let mut frame = zmq::Message::new();
            retry_interrupted(|| self.socket.recv(&mut frame, DONTWAIT))?;
            let (is_end, more) = (frame.is_empty(), frame.get_more());
            self.envelope.push(frame);
            match (is_end, more) {
                (true, true) => return Ok(()),
                (false, true) => {}
                (_, false) => self.envelope.clear(),
            }
        }
    }

    /// Brings the socket back between two messages, after `EAGAIN` on a frame that was not the first (rule 6).
    ///
    /// libzmq takes a message's first frame only if the peer has room for all of it, so this says that the peer has
    /// vanished. What was taken of the message is lost with the peer; the message must start again, for another one.
    /// (If libzmq is done with that peer by then, it drops the rest without a word, and the message is one of those
    /// that were queued for the peer and are lost with it.) But first:
    ///
    /// * A socket that balances its peers (`PUSH`, `REQ`, `DEALER`) drops every further frame up to the end of the
    ///   message. If it is not given them, it drops those of the next message, and all of it; if it is given the frame
    ///   that failed again, a later peer gets a message without its head.
    /// * If it was the last frame that failed, `PUSH` and `DEALER` are back at a message's start. `REQ` is not: it would send the
    ///   next request without its envelope. A lone last frame ends the broken request; a `REP` peer ignores it.
    /// * `PAIR` forgets the message together with its peer, and a frame more might go to the next peer.
    ///
    /// The others never come here: once they have taken the first frame, they drop without a word what they cannot
    /// send.
    fn abandon(&mut self, frames_left: usize) -> zmq::Result<()> {
        match (self.kind, frames_left) {
            (Kind::Push | Kind::Request | Kind::Dealer, 1..) => {
                for left in (0..frames_left).rev() {
                    self.send_empty_frame(if left > 0 { SNDMORE } else { 0 })?;
                }
            }
            (Kind::Request, 0) => self.owes_last_frame = true,
            _ => {}
        }
        Ok(())
    }

    fn send_empty_frame(&self, more: i32) -> zmq::Result<()> {
        retry_interrupted(|| self.socket.send(zmq::Message::new(), DONTWAIT | more))
    }

    /// Receives one message, all of its frames, into the buffers of `message`; leaves it alone if there is none.
    ///
    /// If there is no memory for a frame, the message is lost, and the next one is whole.
    #[inline]
    pub(super) fn try_receive(&mut self, message: &mut Message) -> zmq::Result<()> {
        if self.kind == Kind::Reply {
            self.receive_envelope()?;
        }
        let mut count = 0;
        let mut outcome = Ok(());
        loop {
            // libzmq delivers messages whole, so once there is a first frame none of the others is waited for.
            if let Err(error) = retry_interrupted(|| self.socket.recv(&mut self.frame, DONTWAIT)) {
                self.check_for_more(error)?;
                continue;
            }
            let more = self.frame.get_more();
            if outcome.is_ok() {
                outcome = self.move_frame(message, count, more);
            }
            count += 1;
            if !more {
                self.note_received();
                message.truncate(count);
                if outcome.is_err() {
                    // A request that is lost cannot be replied to.
                    self.envelope.clear();
                }
                return outcome;
            }
        }
    }

    /// Receives one message as libzmq has it.
    pub(super) fn try_take(&mut self) -> zmq::Result<Vec<zmq::Message>> {
        if self.kind == Kind::Reply {
            self.receive_envelope()?;
        }
        let mut frames = Vec::new();
        loop {
            let mut frame = zmq::Message::new();
            if let Err(error) = retry_interrupted(|| self.socket.recv(&mut frame, DONTWAIT)) {
                self.check_for_more(error)?;
                continue;
            }
            let more = frame.get_more();
            frames.push(frame);
            if !more {
                self.note_received();
                return Ok(frames);
            }
        }
    }

    /// Copies the received frame to its place in the message.
    #[inline]
    fn move_frame(&mut self, message: &mut Message, place: usize, more: bool) -> zmq::Result<()> {
        let bytes: &[u8] = &self.frame;
        if bytes.len() >= LARGE {
            return self.move_large_frame(message, place);
        }
        if let Some(buffer) = message.get_mut(place) {
            buffer.clear();
            buffer.extend_from_slice(bytes);
        } else if message.capacity() == 0 && !more {
            // Most messages have one frame, and want no room to grow.
            *message = vec![bytes.to_vec()];
        } else {
            message.push(bytes.to_vec());
        }
        Ok(())
    }

    /// The same for a frame that there may be no memory for.
    #[inline(never)]
    fn move_large_frame(&mut self, message: &mut Message, place: usize) -> zmq::Result<()> {
        let frame = mem::replace(&mut self.frame, zmq::Message::new());
        if message.len() == place {
            message.push(Vec::new());
        }
        let buffer = &mut message[place];
        buffer.clear();
        buffer.try_reserve_exact(frame.len()).map_err(|_| zmq::Error::ENOMEM)?;
        buffer.extend_from_slice(&frame);
        Ok(())
    }

    /// Counts the subscriptions that have arrived since the socket opened; `EAGAIN` if there are fewer than `wanted`.
    pub(super) fn try_count_subscriptions(&mut self, wanted: usize) -> zmq::Result<()> {
        self.read_subscriptions()?;
        if self.subscriptions < wanted {
            Err(zmq::Error::EAGAIN)
        } else {
            Ok(())
        }
    }

    pub(super) fn subscriptions(&self) -> usize {
        self.subscriptions
    }

    fn read_subscriptions(&mut self) -> zmq::Result<()> {
        self.sends_since_look = 0;
        loop {
            match retry_interrupted(|| self.socket.recv(&mut self.frame, DONTWAIT)) {
                // A one and the topic is a subscription, a zero and the topic the end of one.
                Ok(()) => self.subscriptions += usize::from(self.frame.first() == Some(&1)),
                Err(zmq::Error::EAGAIN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Device for Wire {
    /// If the servers have turned this client away, that is for all who wait to be told.
    fn events(&self) -> zmq::Result<PollEvents> {
        let events = self.look()?;
        match self.is_denied(events)? {
            true => Ok(PollEvents::all()),
            false => Ok(events),
        }
    }

    /// * libzmq loses what was sent over a connection that it has not taken notice of.
    /// * It never looks again after a connection that was reset while the queue of what it brought was full, and
    ///   lingers for it without end. Room in the queue makes it look. What is in the queue is lost with the socket
    ///   anyway; then the connection brings no more than had been read already, which is soon done. A request
    ///   that is not to receive now cannot make room.
    fn wind_up(&mut self) {
        /// How long it may take libzmq's own thread to fill the queue again, in milliseconds.
        const REFILL: i64 = 10;
        /// A peer may send without end.
        const LIMIT: Duration = Duration::from_millis(100);

        // Whether that succeeds says nothing: the socket is done with.
        let _ = self.events();
        if self.socket.get_linger() != Ok(-1) {
            return;
        }
        let started = Instant::now();
        let mut patience = 0;
        while self.socket.poll(zmq::POLLIN, patience).is_ok_and(|ready| ready > 0) {
            while self.socket.recv(&mut self.frame, DONTWAIT).is_ok() {
                if started.elapsed() > LIMIT {
                    return;
                }
            }
            patience = REFILL;
        }
    }

    /// Reads what subscribers have sent, now and then, if this is a publisher: libzmq would keep it for ever.
    #[inline]
    fn tidy(&mut self) {
        if self.kind != Kind::Publish {
            return;
        }
        self.sends_since_look += 1;
        if self.sends_since_look >= SENDS_BETWEEN_LOOKS {
            // A fault would show at the next operation, which has someone to tell.
            let _ = self.read_subscriptions();
        }
    }
}

fn is_large(frames: &[impl AsRef<[u8]>]) -> bool {
    frames.iter().map(|frame| frame.as_ref().len()).sum::<usize>() >= LARGE
}

/// Does again what a signal has interrupted (rule 5 of the engine, for what does not wait).
#[inline]
fn retry_interrupted<T>(mut operation: impl FnMut() -> zmq::Result<T>) -> zmq::Result<T> {
    loop {
        match operation() {
            Err(zmq::Error::EINTR) => {}
            outcome => return outcome,
        }
    }
}
