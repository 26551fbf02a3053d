//! Whole messages over one `zmq::Socket`, without ever blocking.
//!
//! One thread at a time uses a [`Wire`], under the engine's lock. Its methods do all of their work or return `EAGAIN`,
//! and never leave the socket in the middle of a message.

use std::mem;
use std::time::{Duration, Instant};

use zmq::{DONTWAIT, PollEvents, SNDMORE};

use super::acceptance::Acceptance;
use super::denial::{DENIED, DenialDetector};
use super::draft::{self, ROUTING_ID_LENGTH, TagKind};
use super::eintr::retry_interrupted;
use super::envelope::Envelope;
use super::gate::Pollable;
use super::incoming::{Incoming, LARGE};
use super::pattern::{AfterTornMessage, Pattern, Properties, Udp};
use super::subscriptions::Subscriptions;
use super::wait::{Deadline, Wait, milliseconds};
use crate::{endpoint, sys};

/// Stands for "the socket has never had an endpoint". libzmq never returns this one from sending or receiving.
pub(super) const UNCONNECTED: zmq::Error = zmq::Error::ENOTCONN;

/// Stands for "no peer is connected". libzmq never returns this one from sending or receiving.
pub(super) const NO_PEER: zmq::Error = zmq::Error::ENETDOWN;

/// Stands for "the message does not fit into a datagram". libzmq never returns this one from sending.
pub(super) const TOO_LONG: zmq::Error = zmq::Error::EMSGSIZE;

/// How many bytes libzmq sends and receives in a datagram at most.
pub(super) const LARGEST_DATAGRAM: usize = 8192;

/// What will become of the messages that a closing socket has sent.
pub(super) enum Fate {
    /// They are delivered, or it cannot be known.
    Unknown,
    /// The server has not accepted the client yet. It may still receive this number of messages.
    Unaccepted(u64),
    /// The server has refused the client. At most this number of messages is lost.
    Refused(u64),
}

pub(super) struct Wire {
    pub(super) socket: zmq::Socket,
    properties: &'static Properties,
    /// Whether it was ever bound or connected.
    has_endpoint: bool,
    /// Whether it was ever bound or connected over UDP.
    has_datagrams: bool,
    /// Of a peer only: the servers that it is connected to, and their routing ids.
    servers: Vec<(String, [u8; ROUTING_ID_LENGTH])>,
    /// The frame that was received last. It is reused, because making and dropping one for each message would cost more
    /// than receiving.
    frame: zmq::Message,
    /// Whether a `REQ` socket is in the middle of a request whose peer has gone, and must be given a last frame.
    owes_last_frame: bool,
    denial: DenialDetector,
    acceptance: Acceptance,
    /// How many of the messages that were sent have certainly left the queue.
    settled: u64,
    /// Whether it does not matter if what was sent is lost.
    may_lose: bool,
    /// Of a reply socket only.
    envelope: Option<Envelope>,
    /// Of a publisher only.
    subscriptions: Option<Subscriptions>,
}

impl Wire {
    pub(super) fn new(socket: zmq::Socket, pattern: Pattern) -> Wire {
        let properties = pattern.properties();
        Wire {
            socket,
            properties,
            has_endpoint: false,
            has_datagrams: false,
            servers: Vec::new(),
            frame: zmq::Message::new(),
            owes_last_frame: false,
            denial: DenialDetector::default(),
            acceptance: Acceptance::default(),
            settled: 0,
            may_lose: false,
            envelope: properties.has_envelope.then(Envelope::default),
            subscriptions: properties.counts_subscriptions.then(Subscriptions::default),
        }
    }

    pub(super) fn bind(&mut self, endpoint: &str) -> zmq::Result<()> {
        // libzmq opens a descriptor to list the interfaces, and in most systems' builds aborts the process if none is
        // left.
        sys::check_free_descriptors(1).map_err(|_| zmq::Error::EMFILE)?;
        self.acceptance.stop(&self.socket)?;
        self.denial.note_bound();
        match endpoint::is_udp(endpoint) {
            true => self.with_ipv4(|wire| wire.socket.bind(endpoint))?,
            false => self.socket.bind(endpoint)?,
        }
        self.has_endpoint = true;
        Ok(())
    }

    pub(super) fn connect(&mut self, endpoint: &str) -> zmq::Result<()> {
        // The recipe may have had no IPv6 address.
        if endpoint.contains('[') {
            self.socket.set_ipv6(true)?;
        }
        match self.can_watch_acceptance(endpoint)? {
            true => self.acceptance.watch(&self.socket)?,
            false => self.acceptance.stop(&self.socket)?,
        }
        if endpoint::is_udp(endpoint) {
            sys::check_free_descriptors(1).map_err(|_| zmq::Error::EMFILE)?;
            self.with_ipv4(|wire| wire.socket.connect(endpoint))?;
        } else if self.properties.connects_peers {
            let routing_id = draft::connect_peer(&mut self.socket, endpoint)?;
            self.servers.push((endpoint.to_owned(), routing_id));
        } else {
            self.socket.connect(endpoint)?;
        }
        self.denial.note_connected(endpoint);
        self.has_endpoint = true;
        Ok(())
    }

    /// Opens an endpoint over UDP. There, libzmq supports only IPv4, which the recipe's IPv6 addresses over TCP turn off.
    fn with_ipv4(&mut self, open: impl FnOnce(&Wire) -> zmq::Result<()>) -> zmq::Result<()> {
        let ipv6 = self.socket.is_ipv6()?;
        self.socket.set_ipv6(false)?;
        let outcome = open(self);
        self.socket.set_ipv6(ipv6)?;
        self.has_datagrams |= outcome.is_ok();
        outcome
    }

    /// The routing id of a server that a peer is connected to.
    pub(super) fn routing_id(&self, endpoint: &str) -> Option<[u8; ROUTING_ID_LENGTH]> {
        let server = self.servers.iter().find(|(server, _)| server == endpoint);
        server.map(|(_, routing_id)| *routing_id)
    }

    /// With `ZMQ_IMMEDIATE`, libzmq makes the queue later, with the high-water mark of now, so that must not change.
    fn can_watch_acceptance(&self, endpoint: &str) -> zmq::Result<bool> {
        let has_fit_pattern = self.properties.pollout_is_exact && !self.properties.reply_empties_queue;
        let is_first = !self.has_endpoint && !endpoint::is_inproc(endpoint);
        Ok(has_fit_pattern && is_first && !self.socket.is_immediate()?)
    }

    pub(super) fn disconnect(&mut self, endpoint: &str) -> zmq::Result<()> {
        self.acceptance.stop(&self.socket)?;
        match self.socket.disconnect(endpoint) {
            // libzmq has dropped the endpoint by itself: an `inproc` server has closed, or a connection was lost and
            // `ZMQ_RECONNECT_IVL` is -1.
            Ok(()) | Err(zmq::Error::ENOENT) => {}
            Err(error) => return Err(error),
        }
        self.servers.retain(|(server, _)| server != endpoint);
        self.denial.note_disconnected(endpoint);
        Ok(())
    }

    /// Subscribes to a topic, or joins a group.
    pub(super) fn subscribe(&mut self, topic: &[u8]) -> zmq::Result<()> {
        match self.properties.joins_groups {
            true => draft::join(&mut self.socket, topic),
            false => self.socket.set_subscribe(topic),
        }
    }

    pub(super) fn unsubscribe(&mut self, topic: &[u8]) -> zmq::Result<()> {
        match self.properties.joins_groups {
            true => draft::leave(&mut self.socket, topic),
            false => self.socket.set_unsubscribe(topic),
        }
    }

    /// Sends one message, all of its frames or none.
    ///
    /// `EAGAIN` means that no peer has room. libzmq's own `EAGAIN` can be outdated: a send that does not wait processes
    /// what has happened to the socket only about once in three million CPU ticks, so a queue that seems full may have
    /// been emptied a millisecond ago. So it counts only if the events confirm it (rule 3 of the engine).
    #[inline]
    pub(super) fn try_send(&mut self, frames: &[impl AsRef<[u8]>]) -> zmq::Result<()> {
        match frames {
            // Most messages are like this. If it fails, nothing has been sent yet.
            [frame] if self.sends_at_once(frame.as_ref()) => Ok(()),
            _ => self.try_send_any(frames),
        }
    }

    #[inline]
    fn sends_at_once(&mut self, frame: &[u8]) -> bool {
        let is_whole = self.envelope.is_none() && !self.owes_last_frame;
        let is_whole = is_whole && self.has_endpoint && !self.acceptance.must_grow(self.denial.queued());
        let is_sent = is_whole && frame.len() < LARGE && self.socket.send(frame, DONTWAIT).is_ok();
        if is_sent {
            self.denial.note_sent();
        }
        is_sent
    }

    #[inline(never)]
    fn try_send_any(&mut self, frames: &[impl AsRef<[u8]>]) -> zmq::Result<()> {
        self.check_endpoint()?;
        self.check_datagram(frames)?;
        if let (Some(kind), [tag, body]) = (self.properties.tag, frames) {
            return self.try_send_tagged(kind, tag.as_ref(), body.as_ref());
        }
        // A failed send throws its copy away. For a small message, that costs less than asking first whether there is
        // room.
        let large = frames.iter().map(|frame| frame.as_ref().len()).sum::<usize>() >= LARGE;
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

    /// Sends, and tries again if the events contradict libzmq's `EAGAIN` (rule 3). Where `POLLOUT` may be about another
    /// peer than the one whose queue is full (rule 8), it tries only once more.
    #[inline]
    fn send_unless_full(&mut self, mut send: impl FnMut(&mut Wire) -> zmq::Result<()>) -> zmq::Result<()> {
        let mut again = true;
        loop {
            match send(self) {
                Err(zmq::Error::EAGAIN) if again => {
                    self.check_room(self.ready_events()?)?;
                    again = self.properties.pollout_is_exact;
                }
                outcome => return outcome,
            }
        }
    }

    fn try_send_tagged(&mut self, kind: TagKind, tag: &[u8], body: &[u8]) -> zmq::Result<()> {
        self.send_unless_full(|wire| {
            retry_interrupted(|| draft::send(&mut wire.socket, kind, tag, body))?;
            wire.denial.note_sent();
            Ok(())
        })
    }

    /// Fails with [`TOO_LONG`] if libzmq would drop a message because it does not fit into a datagram.
    #[inline]
    fn check_datagram(&self, frames: &[impl AsRef<[u8]>]) -> zmq::Result<()> {
        if !self.has_datagrams {
            return Ok(());
        }
        let sent = match self.properties.udp {
            // The address is not sent.
            Udp::Only => &frames[1..],
            _ => frames,
        };
        let length: usize = sent.iter().map(|frame| frame.as_ref().len()).sum();
        match length + self.properties.udp.header_length() > LARGEST_DATAGRAM {
            true => Err(TOO_LONG),
            false => Ok(()),
        }
    }

    /// Fails with `EAGAIN` if no peer has room. Where `POLLOUT` is not exact, succeeds always, because only sending
    /// shows whether there is room.
    pub(super) fn try_find_room(&self) -> zmq::Result<()> {
        self.check_endpoint()?;
        match self.properties.pollout_is_exact {
            true => self.check_room(self.ready_events()?),
            false => Ok(()),
        }
    }

    /// A socket that never had an endpoint would wait forever, or drop what it sends.
    #[inline]
    fn check_endpoint(&self) -> zmq::Result<()> {
        match self.has_endpoint {
            true => Ok(()),
            false => Err(UNCONNECTED),
        }
    }

    /// Fails with `EAGAIN` if no peer has room, and with [`DENIED`] if no server ever will.
    fn check_room(&self, events: PollEvents) -> zmq::Result<()> {
        match events.contains(zmq::POLLOUT) {
            true => Ok(()),
            false if self.is_denied(events)? => Err(DENIED),
            false => Err(zmq::Error::EAGAIN),
        }
    }

    fn is_denied(&self, events: PollEvents) -> zmq::Result<bool> {
        Ok(self.properties.pollout_is_exact && self.denial.is_denied(&self.socket, events)?)
    }

    /// Decides whether to receive again after an error. Asking for the events, to detect a refusal, processes them. So
    /// if there is a message now, it must be received, because a waiting thread would not learn of it any more (rule
    /// 4). Fails with [`DENIED`] if there never will be a message, with [`NO_PEER`] if the pattern says so, and otherwise
    /// with the error.
    #[cold]
    fn check_for_more(&self, error: zmq::Error) -> zmq::Result<()> {
        self.check_endpoint()?;
        let may_be_denied = self.denial.has_servers() && self.properties.pollout_is_exact;
        if error != zmq::Error::EAGAIN || !(may_be_denied || self.properties.fails_without_peer) {
            return Err(error);
        }
        let events = self.ready_events()?;
        match events.contains(zmq::POLLIN) {
            true => Ok(()),
            false if self.is_denied(events)? => Err(DENIED),
            false if self.is_without_peer(events)? => Err(NO_PEER),
            false => Err(error),
        }
    }

    /// Whether receiving fails because no peer is connected (rule 9). With `ZMQ_IMMEDIATE`, only a connected peer has a
    /// queue. So if no queue has room, although none can be full, there is none.
    ///
    /// libzmq may still count half a queue of messages that have left it, because it learns of them late.
    fn is_without_peer(&self, events: PollEvents) -> zmq::Result<bool> {
        if !self.properties.fails_without_peer || events.contains(zmq::POLLOUT) {
            return Ok(false);
        }
        let room = u64::try_from(self.socket.get_sndhwm()?).unwrap_or(0);
        Ok(room == 0 || self.sent() - self.settled <= room / 2)
    }

    /// Notes that of the messages that were sent, this number has certainly left the queue.
    pub(super) fn note_settled(&mut self, settled: u64) {
        self.settled = settled;
    }

    /// What libzmq says that the socket is ready for.
    fn ready_events(&self) -> zmq::Result<PollEvents> {
        retry_interrupted(|| self.socket.get_events())
    }

    /// Sends a message that was received from another socket. Large frames are handed over, small ones are copied.
    ///
    /// A failed send throws away the frame that it was given. So frames are handed over only when there certainly is
    /// room. To check that is a system call, which costs more than copying small frames. (The calling thread blocks its
    /// signals, so none interrupts a send.) A router and a stream can fail only on the first frame, which names the
    /// peer.
    ///
    /// If the peer vanishes after a frame was handed over, the message is lost, like all that was queued for that peer.
    pub(super) fn try_pass_on(&mut self, frames: &mut [zmq::Message]) -> zmq::Result<()> {
        if self.properties.tag.is_some() || self.has_datagrams {
            return self.try_send_any(&frames.iter().map(|frame| &**frame).collect::<Vec<&[u8]>>());
        }
        if frames.iter().map(|frame| frame.len()).sum::<usize>() < LARGE {
            return self.send_unless_full(|wire| {
                wire.send_frames(frames.len(), |socket, index, flags| socket.send(&*frames[index], flags))
            });
        }
        loop {
            self.try_find_room()?;
            let mut handed_over = false;
            let outcome = self.send_frames(frames.len(), |socket, index, flags| {
                if frames[index].len() < LARGE {
                    return socket.send(&*frames[index], flags);
                }
                handed_over = true;
                socket.send(mem::replace(&mut frames[index], zmq::Message::new()), flags)
            });
            match outcome {
                Err(zmq::Error::EAGAIN) if handed_over => return Ok(()),
                // The peer that had room has vanished.
                Err(zmq::Error::EAGAIN) if self.properties.pollout_is_exact => {}
                outcome => return outcome,
            }
        }
    }

    /// Sends frames of which some may be large. The memory for all copies is reserved before the first frame is sent,
    /// as a message cannot be taken back.
    ///
    /// Where the peer certainly has room, the frames are also copied before, so that it has no time to vanish in
    /// between. A router or a stream may find that its one peer has no room, and would have copied for nothing.
    fn send_copies(&mut self, frames: &[impl AsRef<[u8]>]) -> zmq::Result<()> {
        let reserve = |frame: &[u8]| {
            let mut copy = Vec::new();
            copy.try_reserve_exact(frame.len()).map_err(|_| zmq::Error::ENOMEM)?;
            Ok(copy)
        };
        let copies: zmq::Result<Vec<Vec<u8>>> = frames.iter().map(|frame| reserve(frame.as_ref())).collect();
        let mut copies = copies?;
        if self.properties.pollout_is_exact {
            for (copy, frame) in copies.iter_mut().zip(frames) {
                copy.extend_from_slice(frame.as_ref());
            }
        }
        self.send_frames(frames.len(), |socket, index, flags| {
            let mut copy = mem::take(&mut copies[index]);
            // Not copied yet, or thrown away by a send that was interrupted.
            if copy.is_empty() {
                copy.extend_from_slice(frames[index].as_ref());
            }
            socket.send(copy, flags)
        })
    }

    /// Sends a message of `count` frames, where `send` sends the frame of an index.
    #[inline]
    fn send_frames(
        &mut self,
        count: usize,
        mut send: impl FnMut(&zmq::Socket, usize, i32) -> zmq::Result<()>,
    ) -> zmq::Result<()> {
        if self.acceptance.must_grow(self.denial.queued()) {
            self.acceptance.grow(&self.socket)?;
        }
        if self.owes_last_frame {
            self.send_empty_frame(0)?;
            self.owes_last_frame = false;
        }
        if let Some(envelope) = &mut self.envelope {
            envelope.send(&self.socket)?;
        }
        for index in 0..count {
            let frames_left = count - index - 1;
            let more = if frames_left > 0 { SNDMORE } else { 0 };
            match retry_interrupted(|| send(&self.socket, index, DONTWAIT | more)) {
                Ok(()) => {}
                Err(zmq::Error::EAGAIN) if index > 0 => {
                    self.recover_from_torn_message(frames_left)?;
                    return Err(zmq::Error::EAGAIN);
                }
                Err(error) => return Err(error),
            }
        }
        self.denial.note_sent();
        Ok(())
    }

    /// Brings the socket to the start of the next message, after `EAGAIN` on a frame that was not the first (rule 6).
    ///
    /// libzmq takes the first frame of a message only if the peer has room for all of it, so the peer has vanished.
    /// What libzmq took of the message is lost with the peer, and the message must be sent again from its beginning, to
    /// another peer. (If libzmq has removed that peer by then, it silently drops the rest, and the message is one of
    /// those that were queued for the peer and are lost with it.) But first:
    ///
    /// * A socket that takes turns among its peers (`PUSH`, `REQ`, `DEALER`) drops every further frame up to the end of
    ///   the message. Without those frames, it would drop the frames of the next message instead. If it were given the
    ///   failed frame again, a later peer would get a message without its first frames.
    /// * If it was the last frame that failed, `PUSH` and `DEALER` are at the start of a message. `REQ` is not: it would
    ///   send the next request without its envelope. A lone last frame ends the broken request; a `REP` peer ignores
    ///   it.
    /// * `PAIR` forgets the message together with its peer, and one more frame might go to the next peer.
    ///
    /// The other patterns never come here: once they have taken the first frame, they silently drop what they cannot
    /// send.
    fn recover_from_torn_message(&mut self, frames_left: usize) -> zmq::Result<()> {
        match (self.properties.after_torn_message, frames_left) {
            (AfterTornMessage::NextMessage, _) | (AfterTornMessage::MissingFrames, 0) => {}
            (AfterTornMessage::MissingFramesOrOneMore, 0) => self.owes_last_frame = true,
            (_, 1..) => {
                for left in (0..frames_left).rev() {
                    self.send_empty_frame(if left > 0 { SNDMORE } else { 0 })?;
                }
            }
        }
        Ok(())
    }

    fn send_empty_frame(&self, more: i32) -> zmq::Result<()> {
        retry_interrupted(|| self.socket.send(zmq::Message::new(), DONTWAIT | more))
    }

    /// Receives one message, all of its frames. If there is none, `message` stays unchanged.
    ///
    /// If there is no memory for a frame, the message is lost, and the next one is whole.
    #[inline]
    pub(super) fn try_receive(&mut self, message: &mut impl Incoming) -> zmq::Result<()> {
        if self.envelope.is_some() {
            self.try_receive_envelope()?;
        }
        if let Some(kind) = self.properties.tag {
            return self.try_receive_tagged(kind, message);
        }
        let mut count = 0;
        let mut outcome = Ok(());
        loop {
            // libzmq delivers messages whole, so once there is a first frame, the others are there too.
            if let Err(error) = retry_interrupted(|| self.socket.recv(&mut self.frame, DONTWAIT)) {
                self.check_for_more(error)?;
                continue;
            }
            let more = self.frame.get_more();
            if outcome.is_ok() {
                outcome = message.put(count, &mut self.frame, more);
            }
            count += 1;
            if !more {
                self.note_received(outcome.is_ok());
                message.truncate(count);
                return outcome;
            }
        }
    }

    #[inline(never)]
    fn try_receive_tagged(&mut self, kind: TagKind, message: &mut impl Incoming) -> zmq::Result<()> {
        let [mut tag, mut body] = loop {
            match retry_interrupted(|| draft::receive(&mut self.socket, kind)) {
                Ok(frames) => break frames,
                Err(error) => self.check_for_more(error)?,
            }
        };
        message.put(0, &mut tag, true)?;
        message.put(1, &mut body, false)?;
        message.truncate(2);
        Ok(())
    }

    fn try_receive_envelope(&mut self) -> zmq::Result<()> {
        self.check_endpoint()?;
        self.envelope
            .iter_mut()
            .try_for_each(|envelope| envelope.receive(&self.socket))
    }

    #[inline]
    fn note_received(&mut self, is_kept: bool) {
        if self.properties.reply_empties_queue {
            self.denial.note_reply();
        }
        // A request that is lost cannot be replied to.
        if let (Some(envelope), false) = (&mut self.envelope, is_kept) {
            envelope.discard();
        }
    }

    /// Reads and counts the subscriptions that have arrived. Fails with `EAGAIN` if there were fewer than `wanted`
    /// since the socket opened.
    pub(super) fn try_count_subscriptions(&mut self, wanted: usize) -> zmq::Result<()> {
        self.check_endpoint()?;
        if let Some(subscriptions) = &mut self.subscriptions {
            subscriptions.read(&self.socket)?;
        }
        match self.subscriptions_arrived() < wanted {
            true => Err(zmq::Error::EAGAIN),
            false => Ok(()),
        }
    }

    pub(super) fn subscriptions_arrived(&self) -> usize {
        self.subscriptions.as_ref().map_or(0, Subscriptions::arrived)
    }
}

impl Wire {
    /// How long libzmq delivers what was sent after the socket is closed; `None` for no limit.
    pub(super) fn linger(&self) -> Option<Duration> {
        let linger = self.socket.get_linger().unwrap_or(0);
        u64::try_from(linger).ok().map(Duration::from_millis)
    }

    pub(super) fn set_linger(&self, linger: Duration) {
        // An error has no consequence but a longer or shorter linger, and libzmq has none to return.
        let _ = self.socket.set_linger(milliseconds(linger));
    }

    /// How many messages were sent. (A socket that receives replies counts only those after the last reply.)
    pub(super) fn sent(&self) -> u64 {
        self.denial.queued()
    }

    pub(super) fn has_sent(&self) -> bool {
        self.denial.queued() > 0
    }

    /// Notes that it does not matter if what was sent is lost. It is delivered if that takes less than a moment.
    pub(super) fn let_lose(&mut self) {
        const MOMENT: Duration = Duration::from_millis(200);

        self.may_lose = true;
        self.set_linger(self.linger().map_or(MOMENT, |linger| linger.min(MOMENT)));
    }

    pub(super) fn may_lose(&self) -> bool {
        self.may_lose
    }

    /// What will become of the messages that were sent. Nothing can be sent afterwards.
    pub(super) fn fate(&self) -> zmq::Result<Fate> {
        let sent = self.denial.queued();
        let events = self.ready_events()?;
        if sent == 0 || self.properties.reply_empties_queue {
            return Ok(Fate::Unknown);
        }
        if self.is_denied(events)? {
            return Ok(Fate::Refused(sent));
        }
        let is_watched = self.acceptance.is_watched() && events.contains(zmq::POLLOUT);
        match is_watched && !self.acceptance.has_report(&self.socket, sent)? {
            true => Ok(Fate::Unaccepted(sent)),
            false => Ok(Fate::Unknown),
        }
    }

    /// Waits until something has happened to the socket since it was last asked for its events, or the deadline has
    /// passed. Returns whether something has happened.
    pub(super) fn wait_for_event(&self, deadline: Deadline<'_>) -> zmq::Result<bool> {
        let event = &mut [zmq::PollItem::from_fd(self.socket.get_fd()?, zmq::POLLIN)];
        let milliseconds = || deadline.remaining().map_or(-1, milliseconds);
        let happened = retry_interrupted(|| zmq::poll(event, milliseconds().into()))?;
        Ok(happened > 0)
    }

    /// Whether the server has refused a client that it had not accepted yet. Something has happened to the client since
    /// then.
    ///
    /// To such a client, libzmq reports that it has taken a message, or that one has arrived. Without either, libzmq has
    /// removed the queue, because the server has refused the client.
    pub(super) fn is_refused_by_event(&self) -> zmq::Result<bool> {
        /// How long after a frame the next one of its message is taken.
        const FRAME_INTERVAL: Duration = Duration::from_millis(100);

        loop {
            if !self.ready_events()?.is_empty() {
                return Ok(false);
            }
            // Other libzmqs than ours also report that they have taken a frame that is not the last one of its message.
            let may_be_a_frame = !cfg!(libzmq = "own");
            if !may_be_a_frame || !self.wait_for_event(Deadline::after(Wait::For(FRAME_INTERVAL)))? {
                return Ok(true);
            }
        }
    }
}

impl Pollable for Wire {
    /// If all servers have refused this client, all waiting threads must learn of it, so the socket counts as ready for
    /// everything. If receiving fails because no peer is connected, the thread that waits to receive must learn of that.
    fn events(&self) -> zmq::Result<PollEvents> {
        let events = self.ready_events()?;
        Ok(match self.is_denied(events)? {
            true => PollEvents::all(),
            false if self.is_without_peer(events)? => events | zmq::POLLIN,
            false => events,
        })
    }

    #[inline]
    fn housekeep(&mut self) {
        if let Some(subscriptions) = &mut self.subscriptions {
            subscriptions.housekeep(&self.socket);
        }
    }

    /// * Processes all events: libzmq loses what was sent over a connection that the socket has not processed yet.
    /// * Empties the queue of received messages, if the linger is forever: after a connection was reset while that
    ///   queue was full, libzmq never looks at it again, and lingers for it forever. Room in the queue makes it look.
    ///   What is in the queue is lost with the socket anyway, and the connection only brings what had been read from it
    ///   already, which soon ends. (A request socket that may not receive now cannot make room.)
    fn prepare_close(&mut self) {
        /// How long libzmq's own thread may take to fill the queue again, in milliseconds.
        const REFILL_MS: i64 = 10;
        /// How long to empty the queue at most. A peer may send without end.
        const LIMIT: Duration = Duration::from_millis(100);

        // An error here has no consequence: the socket is about to be dropped.
        let _ = self.events();
        if self.socket.get_linger() != Ok(-1) {
            return;
        }
        let started = Instant::now();
        let mut wait_ms = 0;
        while self.socket.poll(zmq::POLLIN, wait_ms).is_ok_and(|ready| ready > 0) {
            while self.socket.recv(&mut self.frame, DONTWAIT).is_ok() {
                if started.elapsed() > LIMIT {
                    return;
                }
            }
            wait_ms = REFILL_MS;
        }
    }
}
