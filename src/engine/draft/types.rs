//! The types of draft sockets, and the tags of their messages.

use std::ffi::CString;

/// A type of draft socket, by its number in libzmq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum DraftType {
    Server = 12,
    Client = 13,
    Radio = 14,
    Dish = 15,
    Gather = 16,
    Scatter = 17,
    Dgram = 18,
    Peer = 19,
    Channel = 20,
}

/// What libzmq keeps beside the frame of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum TagKind {
    RoutingId,
    Group,
}

/// What libzmq is given beside the frame of a message.
pub(super) enum Tag {
    RoutingId(u32),
    Group(CString),
}

impl Tag {
    /// The tag that a frame stands for; `None` if there is no such tag.
    pub(super) fn from_frame(kind: TagKind, frame: &[u8]) -> Option<Tag> {
        match kind {
            TagKind::RoutingId => frame.try_into().ok().map(u32::from_be_bytes).map(Tag::RoutingId),
            TagKind::Group => CString::new(frame).ok().map(Tag::Group),
        }
    }
}
