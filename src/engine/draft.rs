//! The draft sockets of libzmq: their types, and messages that consist of a frame and a tag.
//!
//! A message of a draft socket has one frame. Beside it, libzmq keeps the routing id of a peer or the name of a group.
//! This crate calls that the tag, and shows it as the first of two frames.
//!
//! libzmq's own draft sockets are thread-safe, and have no `ZMQ_FD`. The libzmq that is built for the feature `draft` makes
//! them ordinary sockets (`build/draft.rs`). So the engine uses them like all others, and all of its rules hold.

#[cfg(not(draft))]
mod absent;
#[cfg(draft)]
mod ffi;
#[cfg_attr(
    not(draft),
    allow(dead_code, reason = "only a libzmq with drafts is given numbers and tags")
)]
mod types;

use std::ffi::CString;

#[cfg(not(draft))]
use absent as library;
#[cfg(draft)]
use ffi as library;

pub(super) use library::Context;
use types::Tag;
pub(super) use types::{DraftType, TagKind};

/// How many bytes a routing id has as a frame.
pub(super) const ROUTING_ID_LENGTH: usize = 4;

/// Sends a message of one frame and a tag, without waiting. If there is no memory for a copy of it, nothing is sent.
pub(super) fn send(socket: &mut zmq::Socket, kind: TagKind, tag: &[u8], body: &[u8]) -> zmq::Result<()> {
    let tag = Tag::from_frame(kind, tag).ok_or(zmq::Error::EINVAL)?;
    library::send(socket, &tag, body)
}

/// Receives a message of one frame and a tag, without waiting, as two frames. If there is no memory for a copy of it, it
/// is lost.
pub(super) fn receive(socket: &mut zmq::Socket, kind: TagKind) -> zmq::Result<[zmq::Message; 2]> {
    library::receive(socket, kind)
}

/// Lets a dish receive the messages of a group.
pub(super) fn join(socket: &mut zmq::Socket, group: &[u8]) -> zmq::Result<()> {
    library::join(socket, &c_string(group)?)
}

/// Undoes [`join`].
pub(super) fn leave(socket: &mut zmq::Socket, group: &[u8]) -> zmq::Result<()> {
    library::leave(socket, &c_string(group)?)
}

/// Connects a peer socket, and returns the routing id of the other end as a frame.
pub(super) fn connect_peer(socket: &mut zmq::Socket, endpoint: &str) -> zmq::Result<[u8; ROUTING_ID_LENGTH]> {
    library::connect_peer(socket, &c_string(endpoint.as_bytes())?).map(u32::to_be_bytes)
}

fn c_string(text: &[u8]) -> zmq::Result<CString> {
    CString::new(text).map_err(|_| zmq::Error::EINVAL)
}
