//! The patterns, and what is particular to each.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::draft::{DraftType, ROUTING_ID_LENGTH, TagKind};
use crate::topic;

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Push,
    Pull,
    Publish,
    Subscribe,
    Request,
    Reply,
    Pair,
    Dealer,
    Router,
    XPublish,
    XSubscribe,
    Stream,
    Call,
    /// Finds out whether the servers of a `Call` refuse it.
    CallProbe,
    Serve,
    /// A producer of jobs.
    Dispatch,
    /// A worker that does jobs.
    Work,
    // The draft sockets.
    Scatter,
    Gather,
    Radio,
    Dish,
    DraftServer,
    DraftClient,
    Peer,
    Channel,
    Dgram,
}

/// All that is particular to a pattern. The rest of the engine asks for one of these properties, never for a pattern by
/// name, so a new pattern is one arm of [`Pattern::properties`].
pub(super) struct Properties {
    pub(super) name: &'static str,
    pub(super) socket_type: zmq::SocketType,
    /// The type of a draft socket, in the place of `socket_type`.
    pub(super) draft_type: Option<DraftType>,
    /// What the first of the two frames of a message is, if libzmq does not take it as a frame.
    pub(super) tag: Option<TagKind>,
    /// Sets the options of libzmq that the pattern needs.
    pub(super) set_options: fn(&zmq::Socket) -> zmq::Result<()>,
    pub(super) linger: Linger,
    /// Whether `POLLOUT` says exactly when a message can be sent.
    ///
    /// A router and a stream send to the one peer that the message names, and `POLLOUT` only says that *some* peer
    /// has room. The patterns that drop what a peer has no room for are always ready.
    pub(super) pollout_is_exact: bool,
    pub(super) message_shape: MessageShape,
    /// What libzmq expects after a peer has vanished in the middle of a message to it.
    pub(super) after_torn_message: AfterTornMessage,
    /// Whether the crate keeps the envelope of each request, and sends it back before the reply.
    pub(super) has_envelope: bool,
    /// Whether the crate reads and counts the subscriptions that arrive.
    pub(super) counts_subscriptions: bool,
    /// Whether a message that arrives shows that the queue for the one server is empty.
    pub(super) reply_empties_queue: bool,
    /// Whether receiving fails when no peer is connected (rule 9 of the engine).
    pub(super) fails_without_peer: bool,
    /// Whether the socket can connect to only one peer in its lifetime.
    pub(super) has_one_peer: bool,
    pub(super) udp: Udp,
    /// Whether its topics are groups, which a dish joins.
    pub(super) joins_groups: bool,
    /// Whether it knows the routing ids of the servers that it connects to.
    pub(super) connects_peers: bool,
    /// Whether it speaks plain TCP instead of ZeroMQ's protocol, which rules out other transports and security.
    pub(super) is_raw: bool,
    /// What to do after an operation out of turn.
    pub(super) advice_on_turns: &'static str,
}

/// How long closing waits to deliver what was sent.
pub(super) enum Linger {
    /// As long as the options say.
    AsOptionsSay,
    /// Not at all: there is nothing to deliver. And libzmq would linger forever for a connection that was reset while
    /// the queue of received messages was full.
    Never,
    /// As the options say, or for a second. What is not delivered then is done again by another peer.
    AMoment,
    /// As libzmq chooses. A subscriber must not wait to send its topics to a publisher that has gone.
    AsLibzmqChooses,
}

/// What a socket can do over UDP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Udp {
    Nothing,
    /// It sends, and so it connects. A datagram also holds the group and its length.
    Connects,
    /// It receives, and so it binds.
    Binds,
    /// It binds one endpoint, and speaks nothing else.
    Only,
}

impl Udp {
    /// How many bytes of a datagram are neither a group nor the frame of a message.
    pub(super) fn header_length(self) -> usize {
        usize::from(self == Udp::Connects)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageShape {
    /// One frame or more.
    Any,
    /// A routing id, and one frame or more.
    Routed,
    /// A routing id, and one frame of bytes.
    RoutedBytes,
    /// One frame or more. A frame that begins with a byte 0 or 1 is a subscription, and must be the only frame.
    MaybeSubscription,
    /// One frame.
    OneFrame,
    /// A group, which the handle adds, and one frame.
    Grouped,
    /// A routing id of four bytes, and one frame.
    RoutedFrame,
    /// An IP address with a port, and one frame.
    Addressed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterTornMessage {
    /// The next message.
    NextMessage,
    /// The frames that are missing.
    MissingFrames,
    /// The frames that are missing; if there are none, one more before the next message.
    MissingFramesOrOneMore,
}

/// The properties that most patterns have.
const COMMON: Properties = Properties {
    name: "",
    socket_type: zmq::PAIR,
    draft_type: None,
    tag: None,
    set_options: |_| Ok(()),
    linger: Linger::AsOptionsSay,
    pollout_is_exact: false,
    message_shape: MessageShape::Any,
    after_torn_message: AfterTornMessage::NextMessage,
    has_envelope: false,
    counts_subscriptions: false,
    reply_empties_queue: false,
    fails_without_peer: false,
    has_one_peer: false,
    udp: Udp::Nothing,
    joins_groups: false,
    connects_peers: false,
    is_raw: false,
    advice_on_turns: "",
};

impl Pattern {
    pub(super) fn properties(self) -> &'static Properties {
        match self {
            Pattern::Push => &Properties {
                name: "push",
                socket_type: zmq::PUSH,
                pollout_is_exact: true,
                after_torn_message: AfterTornMessage::MissingFrames,
                ..COMMON
            },
            Pattern::Pull => &Properties {
                name: "pull",
                socket_type: zmq::PULL,
                linger: Linger::Never,
                ..COMMON
            },
            // An XPUB sends like a PUB, and also receives the subscriptions.
            Pattern::Publish => &Properties {
                name: "publish",
                socket_type: zmq::XPUB,
                // Verbose, to count a second subscriber to the same topic too.
                set_options: |socket| socket.set_xpub_verbose(true),
                counts_subscriptions: true,
                ..COMMON
            },
            Pattern::Subscribe => &Properties {
                name: "subscribe",
                socket_type: zmq::SUB,
                linger: Linger::AsLibzmqChooses,
                ..COMMON
            },
            Pattern::Request => &Properties {
                name: "request",
                socket_type: zmq::REQ,
                // With `REQ_RELAXED`, a request can be sent again after a timeout. With `REQ_CORRELATE`, only the reply
                // to the last request is received.
                set_options: |socket| {
                    socket.set_req_relaxed(true)?;
                    socket.set_req_correlate(true)
                },
                pollout_is_exact: true,
                after_torn_message: AfterTornMessage::MissingFramesOrOneMore,
                reply_empties_queue: true,
                advice_on_turns: "send one first, then receive the reply to it",
                ..COMMON
            },
            // Not a `REP`, although that takes turns by itself. While it owes a reply, it cannot be emptied before it
            // is closed, as `Wire::prepare_close` must. And after a request without an envelope from a peer that has
            // gone, it loses the reply to the next client.
            Pattern::Reply => &Properties {
                name: "reply",
                socket_type: zmq::ROUTER,
                has_envelope: true,
                advice_on_turns: "receive one request, send one reply to it, then receive the next",
                ..COMMON
            },
            Pattern::Pair => &Properties {
                name: "pair",
                socket_type: zmq::PAIR,
                pollout_is_exact: true,
                has_one_peer: true,
                ..COMMON
            },
            Pattern::Dealer => &Properties {
                name: "dealer",
                socket_type: zmq::DEALER,
                pollout_is_exact: true,
                after_torn_message: AfterTornMessage::MissingFrames,
                ..COMMON
            },
            Pattern::Router => &Properties {
                name: "router",
                socket_type: zmq::ROUTER,
                set_options: set_router_options,
                message_shape: MessageShape::Routed,
                ..COMMON
            },
            Pattern::XPublish => &Properties {
                name: "xpublish",
                socket_type: zmq::XPUB,
                ..COMMON
            },
            Pattern::XSubscribe => &Properties {
                name: "xsubscribe",
                socket_type: zmq::XSUB,
                linger: Linger::AsLibzmqChooses,
                message_shape: MessageShape::MaybeSubscription,
                ..COMMON
            },
            Pattern::Stream => &Properties {
                name: "stream",
                socket_type: zmq::STREAM,
                message_shape: MessageShape::RoutedBytes,
                is_raw: true,
                ..COMMON
            },
            Pattern::Call => &Properties {
                name: "call",
                socket_type: zmq::DEALER,
                // With `IMMEDIATE`, a call is queued only for a server that is connected, so no server that starts later
                // runs it.
                set_options: |socket| {
                    socket.set_immediate(true)?;
                    set_call_options(socket)
                },
                // A call that is still queued has been given up.
                linger: Linger::Never,
                pollout_is_exact: true,
                after_torn_message: AfterTornMessage::MissingFrames,
                fails_without_peer: true,
                ..COMMON
            },
            Pattern::CallProbe => &Properties {
                name: "call",
                socket_type: zmq::DEALER,
                linger: Linger::Never,
                pollout_is_exact: true,
                ..COMMON
            },
            Pattern::Serve => &Properties {
                name: "serve",
                socket_type: zmq::ROUTER,
                set_options: |socket| {
                    set_router_options(socket)?;
                    set_call_options(socket)
                },
                message_shape: MessageShape::Routed,
                ..COMMON
            },
            Pattern::Dispatch => &Properties {
                name: "dispatch",
                socket_type: zmq::ROUTER,
                // With `IMMEDIATE`, a worker that is a server and that is lost cannot be reached any more. Without it,
                // libzmq would queue its probes for the next connection.
                set_options: |socket| {
                    set_router_options(socket)?;
                    socket.set_immediate(true)?;
                    set_job_options(socket)
                },
                // What is left then is for workers that do not confirm that they have heard.
                linger: Linger::AMoment,
                message_shape: MessageShape::Routed,
                ..COMMON
            },
            // Without `ZMQ_IMMEDIATE`: with it, a connection that is lost takes along what has arrived and is not read
            // yet, such as the news that there are no more jobs.
            Pattern::Work => &Properties {
                name: "work",
                socket_type: zmq::DEALER,
                set_options: set_job_options,
                linger: Linger::AMoment,
                pollout_is_exact: true,
                after_torn_message: AfterTornMessage::MissingFrames,
                ..COMMON
            },
            Pattern::Scatter => &Properties {
                name: "scatter",
                draft_type: Some(DraftType::Scatter),
                pollout_is_exact: true,
                message_shape: MessageShape::OneFrame,
                ..COMMON
            },
            Pattern::Gather => &Properties {
                name: "gather",
                draft_type: Some(DraftType::Gather),
                linger: Linger::Never,
                ..COMMON
            },
            Pattern::Radio => &Properties {
                name: "radio",
                draft_type: Some(DraftType::Radio),
                tag: Some(TagKind::Group),
                message_shape: MessageShape::Grouped,
                udp: Udp::Connects,
                ..COMMON
            },
            Pattern::Dish => &Properties {
                name: "dish",
                draft_type: Some(DraftType::Dish),
                tag: Some(TagKind::Group),
                // It sends only which groups it joins. libzmq would drop those that a queue has no room for.
                set_options: |socket| socket.set_sndhwm(0),
                linger: Linger::AsLibzmqChooses,
                udp: Udp::Binds,
                joins_groups: true,
                ..COMMON
            },
            Pattern::DraftServer => &Properties {
                name: "draft_server",
                draft_type: Some(DraftType::Server),
                tag: Some(TagKind::RoutingId),
                message_shape: MessageShape::RoutedFrame,
                ..COMMON
            },
            Pattern::DraftClient => &Properties {
                name: "draft_client",
                draft_type: Some(DraftType::Client),
                pollout_is_exact: true,
                message_shape: MessageShape::OneFrame,
                ..COMMON
            },
            Pattern::Peer => &Properties {
                name: "peer",
                draft_type: Some(DraftType::Peer),
                tag: Some(TagKind::RoutingId),
                message_shape: MessageShape::RoutedFrame,
                connects_peers: true,
                ..COMMON
            },
            Pattern::Channel => &Properties {
                name: "channel",
                draft_type: Some(DraftType::Channel),
                pollout_is_exact: true,
                message_shape: MessageShape::OneFrame,
                has_one_peer: true,
                ..COMMON
            },
            Pattern::Dgram => &Properties {
                name: "dgram",
                draft_type: Some(DraftType::Dgram),
                pollout_is_exact: true,
                message_shape: MessageShape::Addressed,
                udp: Udp::Only,
                ..COMMON
            },
        }
    }
}

/// With `ROUTER_MANDATORY`, a message to an unknown peer is an error. With `ROUTER_HANDOVER`, a peer that comes back
/// under its identity is accepted even if libzmq has not noticed yet that it was gone.
fn set_router_options(socket: &zmq::Socket) -> zmq::Result<()> {
    socket.set_router_mandatory(true)?;
    socket.set_router_handover(true)
}

/// Sets what both ends of calls have in common.
///
/// * The queue of a peer holds as many messages as the high-water mark says, for certain. libzmq may count half a queue of
///   messages that have left it already, because it learns of those late.
/// * A caller notices that its server has gone only while no connection is there. libzmq would connect again after a tenth
///   of a second, and on a busy machine a thread may have to wait longer than that for a processor.
fn set_call_options(socket: &zmq::Socket) -> zmq::Result<()> {
    const RECONNECT_INTERVAL_MS: i32 = 500;

    socket.set_reconnect_ivl(RECONNECT_INTERVAL_MS)?;
    socket.set_sndhwm(socket.get_sndhwm()?.saturating_mul(2))
}

/// Sets what a producer and its workers have in common.
///
/// * The high-water mark bounds jobs, and not the queues of libzmq, which hold one job at most.
/// * A connection whose peer has lost its power or its network must break, as a worker may be silent for hours. By
///   default the limits are wide: short heartbeats break healthy connections that are busy.
fn set_job_options(socket: &zmq::Socket) -> zmq::Result<()> {
    const LIBZMQ_HIGH_WATER_MARK: i32 = 1_000;
    const HEARTBEAT_INTERVAL_MS: i32 = 5_000;
    const SILENCE_LIMIT_MS: i32 = 30_000;

    socket.set_sndhwm(LIBZMQ_HIGH_WATER_MARK)?;
    socket.set_rcvhwm(LIBZMQ_HIGH_WATER_MARK)?;
    if socket.get_heartbeat_ivl()? == 0 {
        socket.set_heartbeat_ivl(HEARTBEAT_INTERVAL_MS)?;
        socket.set_heartbeat_timeout(SILENCE_LIMIT_MS)?;
        socket.set_heartbeat_ttl(SILENCE_LIMIT_MS)?;
    }
    Ok(())
}

impl Properties {
    /// Checks whether these frames can be a message of the pattern, and says what would make them one.
    ///
    /// libzmq silently drops other messages, or does not know afterwards where the next message begins.
    #[inline]
    pub(super) fn check_shape(&self, frames: &[impl AsRef<[u8]>]) -> Result<(), String> {
        match self.message_shape {
            MessageShape::Any if !frames.is_empty() => Ok(()),
            _ => self.check_special_shape(frames),
        }
    }

    #[inline(never)]
    fn check_special_shape(&self, frames: &[impl AsRef<[u8]>]) -> Result<(), String> {
        let fault = |what: &str| Err(what.to_owned());
        match (self.message_shape, frames) {
            (_, []) => fault("a message has at least one frame; send an empty frame"),
            (MessageShape::Routed, [_]) => {
                fault("a message is the routing id of a peer, followed by at least one more frame")
            }
            (MessageShape::RoutedBytes, [_] | [_, _, _, ..]) => {
                fault("a message is the routing id of a peer, followed by one frame of bytes")
            }
            (MessageShape::OneFrame, [_, _, ..]) => {
                fault("a message has one frame; join the frames, or use another pattern")
            }
            (MessageShape::Grouped, [_, _, _, ..] | [_]) => {
                fault("a message has one frame, besides its group; join the frames, or use publish")
            }
            (MessageShape::RoutedFrame, [id, _]) if id.as_ref().len() == ROUTING_ID_LENGTH => Ok(()),
            (MessageShape::RoutedFrame, _) => {
                fault("a message is the routing id of a peer, of 4 bytes, followed by one frame")
            }
            (MessageShape::Addressed, [address, _]) if is_udp_address(address.as_ref()) => Ok(()),
            (MessageShape::Addressed, _) => fault(
                "a message is the IPv4 address and the port of a peer, such as 127.0.0.1:5555, followed by one frame",
            ),
            (MessageShape::MaybeSubscription, [subscription]) => match subscription.as_ref() {
                [1, topic @ ..] => topic::check(topic).map_err(|error| error.to_string()),
                _ => Ok(()),
            },
            (MessageShape::MaybeSubscription, frames)
                if frames.iter().any(|frame| matches!(frame.as_ref(), [0 | 1, ..])) =>
            {
                fault("a subscription is one frame: a byte 1, or 0 to unsubscribe, followed by the topic")
            }
            _ => Ok(()),
        }
    }
}

/// Whether a datagram can be sent to what a frame says. libzmq would silently drop it otherwise.
fn is_udp_address(frame: &[u8]) -> bool {
    let address = str::from_utf8(frame)
        .ok()
        .and_then(|text| text.parse::<SocketAddrV4>().ok());
    address.is_some_and(|address| address.port() != 0 && *address.ip() != Ipv4Addr::BROADCAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(pattern: Pattern, frames: &[&[u8]]) -> bool {
        pattern.properties().check_shape(frames).is_ok()
    }

    #[test]
    fn no_pattern_accepts_a_message_without_frames() {
        for pattern in [Pattern::Push, Pattern::Router, Pattern::Stream, Pattern::XSubscribe] {
            assert!(!is_accepted(pattern, &[]), "{pattern:?}");
        }
        assert!(is_accepted(Pattern::Push, &[b""]));
    }

    #[test]
    fn router_needs_a_routing_id_and_content() {
        assert!(!is_accepted(Pattern::Router, &[b"id"]));
        assert!(is_accepted(Pattern::Router, &[b"id", b""]));
        assert!(is_accepted(Pattern::Router, &[b"id", b"", b"body"]));
    }

    #[test]
    fn stream_needs_a_routing_id_and_one_frame() {
        assert!(!is_accepted(Pattern::Stream, &[b"id"]));
        assert!(is_accepted(Pattern::Stream, &[b"id", b"bytes"]));
        assert!(!is_accepted(Pattern::Stream, &[b"id", b"bytes", b"more"]));
    }

    #[test]
    fn draft_sockets_send_one_frame() {
        for pattern in [Pattern::Scatter, Pattern::DraftClient, Pattern::Channel] {
            assert!(is_accepted(pattern, &[b"one"]), "{pattern:?}");
            assert!(!is_accepted(pattern, &[b"one", b"two"]), "{pattern:?}");
            assert!(!is_accepted(pattern, &[]), "{pattern:?}");
        }
        assert!(is_accepted(Pattern::Radio, &[b"group", b"one"]));
        assert!(!is_accepted(Pattern::Radio, &[b"group"]));
        assert!(!is_accepted(Pattern::Radio, &[b"group", b"one", b"two"]));
    }

    #[test]
    fn draft_server_and_peer_need_a_routing_id_of_four_bytes() {
        for pattern in [Pattern::DraftServer, Pattern::Peer] {
            assert!(is_accepted(pattern, &[b"\0\0\0\x01", b"one"]), "{pattern:?}");
            assert!(!is_accepted(pattern, &[b"\0\0\0\x01"]), "{pattern:?}");
            assert!(!is_accepted(pattern, &[b"\0\0\x01", b"one"]), "{pattern:?}");
            assert!(!is_accepted(pattern, &[b"\0\0\0\x01", b"one", b"two"]), "{pattern:?}");
        }
    }

    #[test]
    fn dgram_needs_an_address_with_a_port() {
        assert!(is_accepted(Pattern::Dgram, &[b"127.0.0.1:5555", b"one"]));
        assert!(!is_accepted(Pattern::Dgram, &[b"127.0.0.1:5555"]));
        assert!(!is_accepted(Pattern::Dgram, &[b"127.0.0.1:5555", b"one", b"two"]));
        for address in [
            "localhost:5555",
            "127.0.0.1",
            "127.0.0.1:0",
            "[::1]:5555",
            "255.255.255.255:1",
            "",
        ] {
            assert!(!is_accepted(Pattern::Dgram, &[address.as_bytes(), b"one"]), "{address}");
        }
    }

    #[test]
    fn xsubscriber_sends_subscriptions_as_one_frame() {
        assert!(is_accepted(Pattern::XSubscribe, &[b"\x01topic"]));
        assert!(is_accepted(Pattern::XSubscribe, &[b"\x00topic"]));
        assert!(!is_accepted(Pattern::XSubscribe, &[b"\x01topic", b"more"]));
        assert!(!is_accepted(Pattern::XSubscribe, &[b"other", b"\x00"]));
        assert!(is_accepted(Pattern::XSubscribe, &[b"other", b"frames"]));
    }
}
