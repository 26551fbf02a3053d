//! The functions of libzmq's draft interface, which the `zmq` crate lacks. All of this crate's `unsafe` is here.
//!
//! The `zmq` crate makes sockets only of the types that it knows, and does not show the pointer of its context. So this
//! module makes the context, too, and hands out its sockets as those of the `zmq` crate.

#![allow(unsafe_code, reason = "the zmq crate has no safe functions for draft sockets")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::{ptr, slice};

use super::types::{DraftType, Tag, TagKind};
use crate::engine::incoming::LARGE;

// SAFETY: these are in the libzmq that the build script builds, and it sets `cfg(draft)` for no other. The declarations are
// those of `zmq_draft.h` of libzmq 4.3.4, the only version for which `build/draft.rs` fits.
unsafe extern "C" {
    fn zmq_msg_set_routing_id(message: *mut zmq_sys::zmq_msg_t, routing_id: u32) -> c_int;
    fn zmq_msg_routing_id(message: *mut zmq_sys::zmq_msg_t) -> u32;
    fn zmq_msg_set_group(message: *mut zmq_sys::zmq_msg_t, group: *const c_char) -> c_int;
    fn zmq_msg_group(message: *mut zmq_sys::zmq_msg_t) -> *const c_char;
    fn zmq_join(socket: *mut c_void, group: *const c_char) -> c_int;
    fn zmq_leave(socket: *mut c_void, group: *const c_char) -> c_int;
    fn zmq_connect_peer(socket: *mut c_void, endpoint: *const c_char) -> u32;
}

/// The error of the function of libzmq that this thread has called last.
fn last_error() -> zmq::Error {
    // SAFETY: it only reads a variable of this thread.
    zmq::Error::from_raw(unsafe { zmq_sys::zmq_errno() })
}

/// The outcome of a function of libzmq that returns -1 if it fails.
fn check(outcome: c_int) -> zmq::Result<()> {
    match outcome {
        -1 => Err(last_error()),
        _ => Ok(()),
    }
}

/// libzmq's context. Dropping it blocks until its sockets are closed, and have delivered what was sent.
pub(in crate::engine) struct Context(*mut c_void);

// SAFETY: libzmq documents that threads may share a context.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    pub(in crate::engine) fn new() -> zmq::Result<Context> {
        // SAFETY: it takes nothing, and returns null if it fails.
        let context = unsafe { zmq_sys::zmq_ctx_new() };
        match context.is_null() {
            true => Err(last_error()),
            false => Ok(Context(context)),
        }
    }

    pub(in crate::engine) fn socket(&self, socket_type: zmq::SocketType) -> zmq::Result<zmq::Socket> {
        // The `zmq` crate lists the types in the order of their numbers.
        self.socket_of_number(socket_type as c_int)
    }

    pub(in crate::engine) fn draft_socket(&self, socket_type: DraftType) -> zmq::Result<zmq::Socket> {
        self.socket_of_number(socket_type as c_int)
    }

    fn socket_of_number(&self, number: c_int) -> zmq::Result<zmq::Socket> {
        // SAFETY: the context lives as long as `self`. libzmq checks the number, and returns null if it fails.
        let socket = unsafe { zmq_sys::zmq_socket(self.0, number) };
        match socket.is_null() {
            true => Err(last_error()),
            // SAFETY: this is the only pointer to a socket that was just made, as the one that `Socket::into_raw`
            // returns would be. The memory of the context is freed only after the socket is closed, because dropping the
            // context waits for that.
            false => Ok(unsafe { zmq::Socket::from_raw(socket) }),
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context was made by `zmq_ctx_new`, and is terminated only here. If a signal interrupts that, it
        // must be called again.
        while unsafe { zmq_sys::zmq_ctx_term(self.0) } == -1 && last_error() == zmq::Error::EINTR {}
    }
}

/// A message of one frame, and its tag.
struct TaggedMessage(zmq_sys::zmq_msg_t);

impl TaggedMessage {
    fn empty() -> TaggedMessage {
        let mut message = zmq_sys::zmq_msg_t::default();
        // SAFETY: it initialises the message, and cannot fail. A message may be moved.
        unsafe { zmq_sys::zmq_msg_init(&mut message) };
        TaggedMessage(message)
    }

    fn copy_of(body: &[u8]) -> zmq::Result<TaggedMessage> {
        let mut message = zmq_sys::zmq_msg_t::default();
        // SAFETY: it initialises the message, or fails and leaves nothing behind.
        check(unsafe { zmq_sys::zmq_msg_init_size(&mut message, body.len()) })?;
        let mut message = TaggedMessage(message);
        // SAFETY: the message is initialised, and its data has as many bytes as `body`. It is new, so the two do not
        // overlap.
        unsafe {
            let data = zmq_sys::zmq_msg_data(&mut message.0).cast::<u8>();
            ptr::copy_nonoverlapping(body.as_ptr(), data, body.len());
        }
        Ok(message)
    }

    fn set_tag(&mut self, tag: &Tag) -> zmq::Result<()> {
        match tag {
            // libzmq refuses it, as no peer has it.
            Tag::RoutingId(0) => Err(zmq::Error::EHOSTUNREACH),
            // SAFETY: the message is initialised.
            Tag::RoutingId(routing_id) => check(unsafe { zmq_msg_set_routing_id(&mut self.0, *routing_id) }),
            // SAFETY: the message is initialised. The group ends with a NUL, and libzmq copies it.
            Tag::Group(group) => check(unsafe { zmq_msg_set_group(&mut self.0, group.as_ptr()) }),
        }
    }

    /// The tag as a frame.
    fn tag(&mut self, kind: TagKind) -> zmq::Message {
        match kind {
            TagKind::RoutingId => {
                // SAFETY: the message is initialised.
                let routing_id = unsafe { zmq_msg_routing_id(&mut self.0) };
                zmq::Message::from(&routing_id.to_be_bytes()[..])
            }
            TagKind::Group => {
                // SAFETY: the message is initialised. libzmq returns a string that ends with a NUL and is a part of the
                // message. It is copied before the message changes.
                let group = unsafe { CStr::from_ptr(zmq_msg_group(&mut self.0)) };
                zmq::Message::from(group.to_bytes())
            }
        }
    }

    /// A copy of the frame.
    fn body(&mut self) -> zmq::Result<zmq::Message> {
        // SAFETY: the message is initialised.
        let (data, size) = unsafe { (zmq_sys::zmq_msg_data(&mut self.0), zmq_sys::zmq_msg_size(&self.0)) };
        let bytes: &[u8] = match size {
            0 => &[],
            // SAFETY: libzmq has returned a pointer to as many bytes as it says. They stay as they are until the message
            // changes.
            _ => unsafe { slice::from_raw_parts(data.cast(), size) },
        };
        if bytes.len() < LARGE {
            return Ok(zmq::Message::from(bytes));
        }
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len()).map_err(|_| zmq::Error::ENOMEM)?;
        copy.extend_from_slice(bytes);
        Ok(zmq::Message::from(copy))
    }
}

impl Drop for TaggedMessage {
    fn drop(&mut self) {
        // SAFETY: the message is initialised, and is closed only here. After it was sent, it is an empty one. It cannot
        // fail.
        unsafe { zmq_sys::zmq_msg_close(&mut self.0) };
    }
}

pub(super) fn send(socket: &mut zmq::Socket, tag: &Tag, body: &[u8]) -> zmq::Result<()> {
    let mut message = TaggedMessage::copy_of(body)?;
    message.set_tag(tag)?;
    // SAFETY: the message is initialised, and the socket is open and used by no other thread, because it is borrowed
    // mutably. If libzmq takes the message, it leaves an empty one.
    check(unsafe { zmq_sys::zmq_msg_send(&mut message.0, socket.as_mut_ptr(), zmq::DONTWAIT) })
}

pub(super) fn receive(socket: &mut zmq::Socket, kind: TagKind) -> zmq::Result<[zmq::Message; 2]> {
    let mut message = TaggedMessage::empty();
    // SAFETY: as in `send`. libzmq replaces the message, or leaves it initialised.
    check(unsafe { zmq_sys::zmq_msg_recv(&mut message.0, socket.as_mut_ptr(), zmq::DONTWAIT) })?;
    Ok([message.tag(kind), message.body()?])
}

pub(super) fn join(socket: &mut zmq::Socket, group: &CStr) -> zmq::Result<()> {
    // SAFETY: the socket is open and borrowed mutably. libzmq copies the group.
    check(unsafe { zmq_join(socket.as_mut_ptr(), group.as_ptr()) })
}

pub(super) fn leave(socket: &mut zmq::Socket, group: &CStr) -> zmq::Result<()> {
    // SAFETY: as in `join`.
    check(unsafe { zmq_leave(socket.as_mut_ptr(), group.as_ptr()) })
}

pub(super) fn connect_peer(socket: &mut zmq::Socket, endpoint: &CStr) -> zmq::Result<u32> {
    // SAFETY: as in `join`, with the endpoint. libzmq checks that the socket is a peer.
    match unsafe { zmq_connect_peer(socket.as_mut_ptr(), endpoint.as_ptr()) } {
        0 => Err(last_error()),
        routing_id => Ok(routing_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_zmq_crate_are_their_numbers() {
        let context = Context::new().unwrap();
        let types = [zmq::PAIR, zmq::PUB, zmq::SUB, zmq::REQ, zmq::REP, zmq::DEALER];
        let others = [zmq::ROUTER, zmq::PULL, zmq::PUSH, zmq::XPUB, zmq::XSUB, zmq::STREAM];
        for socket_type in types.into_iter().chain(others) {
            assert_eq!(context.socket(socket_type).unwrap().get_socket_type(), Ok(socket_type));
        }
    }

    #[test]
    fn tags_are_kept_and_copied() {
        let mut message = TaggedMessage::copy_of(b"body").unwrap();
        message.set_tag(&Tag::RoutingId(0x0102_0304)).unwrap();
        message.set_tag(&Tag::Group(c"group of 15 byt".to_owned())).unwrap();
        assert_eq!(&*message.tag(TagKind::RoutingId), [1, 2, 3, 4]);
        assert_eq!(&*message.tag(TagKind::Group), b"group of 15 byt");
        assert_eq!(&*message.body().unwrap(), b"body");
    }
}
