//! ZeroMQ made plain.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(not(unix))]
compile_error!("zeroless waits on the file descriptors of libzmq, which needs a Unix system");

mod client;
mod context;
mod endpoint;
mod engine;
mod error;
mod handle;
mod publish;
mod receiver;
mod recipe;
mod sender;
mod server;
mod socket;

pub use client::Client;
pub use error::{Error, ErrorKind, Result};
pub use publish::{Publisher, Subscriber};
pub use receiver::{Iter, Receiver, TryIter};
pub use sender::Sender;
pub use server::Server;
pub use socket::Socket;
pub use zmq;

/// One message: all of its frames, in order, each as it was sent.
///
/// There is one frame at least; a frame may be empty.
pub type Message = Vec<Vec<u8>>;

/// Says how many frames a message has and how long they are, but not what is in them: for the log.
fn sizes(frames: &[impl AsRef<[u8]>]) -> String {
    let sizes: Vec<String> = frames.iter().map(|frame| frame.as_ref().len().to_string()).collect();
    let noun = if frames.len() == 1 { "frame" } else { "frames" };
    format!("{} {noun} of {} bytes", frames.len(), sizes.join(", "))
}
