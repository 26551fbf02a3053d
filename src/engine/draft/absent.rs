//! In the place of `ffi` where libzmq has no draft sockets. `libzmq::require_draft` has failed before any of this is
//! called.

use std::ffi::CStr;

use super::types::{DraftType, Tag, TagKind};

/// libzmq's context.
pub(in crate::engine) struct Context(zmq::Context);

impl Context {
    pub(in crate::engine) fn new() -> zmq::Result<Context> {
        Ok(Context(zmq::Context::new()))
    }

    pub(in crate::engine) fn socket(&self, socket_type: zmq::SocketType) -> zmq::Result<zmq::Socket> {
        self.0.socket(socket_type)
    }

    pub(in crate::engine) fn draft_socket(&self, _socket_type: DraftType) -> zmq::Result<zmq::Socket> {
        Err(zmq::Error::ENOTSUP)
    }
}

pub(super) fn send(_socket: &mut zmq::Socket, _tag: &Tag, _body: &[u8]) -> zmq::Result<()> {
    Err(zmq::Error::ENOTSUP)
}

pub(super) fn receive(_socket: &mut zmq::Socket, _kind: TagKind) -> zmq::Result<[zmq::Message; 2]> {
    Err(zmq::Error::ENOTSUP)
}

pub(super) fn join(_socket: &mut zmq::Socket, _group: &CStr) -> zmq::Result<()> {
    Err(zmq::Error::ENOTSUP)
}

pub(super) fn leave(_socket: &mut zmq::Socket, _group: &CStr) -> zmq::Result<()> {
    Err(zmq::Error::ENOTSUP)
}

pub(super) fn connect_peer(_socket: &mut zmq::Socket, _endpoint: &CStr) -> zmq::Result<u32> {
    Err(zmq::Error::ENOTSUP)
}
