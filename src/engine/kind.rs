//! The kinds of sockets, and what is particular to each.

use crate::publish;

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
}

impl Kind {
    pub(super) fn socket_type(self) -> zmq::SocketType {
        match self {
            Kind::Push => zmq::PUSH,
            Kind::Pull => zmq::PULL,
            // A PUB that is told of its subscribers.
            Kind::Publish => zmq::XPUB,
            Kind::Subscribe => zmq::SUB,
            Kind::Request => zmq::REQ,
            // A REP, which takes turns by itself, loses the next client's reply over a request without an envelope from
            // one that is gone; and it cannot be emptied before it is closed, if it owes a reply.
            Kind::Reply => zmq::ROUTER,
            Kind::Pair => zmq::PAIR,
            Kind::Dealer => zmq::DEALER,
            Kind::Router => zmq::ROUTER,
            Kind::XPublish => zmq::XPUB,
            Kind::XSubscribe => zmq::XSUB,
            Kind::Stream => zmq::STREAM,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Push => "push",
            Kind::Pull => "pull",
            Kind::Publish => "publish",
            Kind::Subscribe => "subscribe",
            Kind::Request => "request",
            Kind::Reply => "reply",
            Kind::Pair => "pair",
            Kind::Dealer => "dealer",
            Kind::Router => "router",
            Kind::XPublish => "xpublish",
            Kind::XSubscribe => "xsubscribe",
            Kind::Stream => "stream",
        }
    }

    /// Whether `POLLOUT` says just when a message can be sent.
    ///
    /// A router and a stream send to the one peer that the message names, and `POLLOUT` says no more than that *some*
    /// peer has room. The others drop what a peer has no room for, and are always ready.
    pub(super) fn tells_of_room(self) -> bool {
        matches!(self, Kind::Push | Kind::Request | Kind::Pair | Kind::Dealer)
    }

    /// Whether these frames can be a message of such a socket; if not, what would make them one.
    ///
    /// libzmq drops such messages without a word, or loses its place between two messages over them.
    #[inline]
    pub(super) fn check(self, frames: &[impl AsRef<[u8]>]) -> Result<(), String> {
        let is_particular = matches!(self, Kind::Router | Kind::Stream | Kind::XSubscribe);
        if is_particular || frames.is_empty() {
            return self.check_closely(frames);
        }
        Ok(())
    }

    #[inline(never)]
    fn check_closely(self, frames: &[impl AsRef<[u8]>]) -> Result<(), String> {
        let fault = |what: &str| Err(what.to_owned());
        match (self, frames) {
            (_, []) => fault("a message has one frame at least; an empty frame will do"),
            (Kind::Router, [_]) => fault("a message is the routing id of a peer, and one frame more at least"),
            (Kind::Stream, [_] | [_, _, _, ..]) => {
                fault("a message is the routing id of a peer, and one frame of bytes")
            }
            (Kind::XSubscribe, [subscription]) => match subscription.as_ref() {
                [1, topic @ ..] => publish::check_topic(topic).map_err(|error| error.to_string()),
                _ => Ok(()),
            },
            (Kind::XSubscribe, frames) if frames.iter().any(|frame| matches!(frame.as_ref(), [0 | 1, ..])) => {
                fault("a subscription is one frame: a byte 1, or 0 to end it, and the topic")
            }
            _ => Ok(()),
        }
    }
}
