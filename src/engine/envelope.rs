//! The envelope of the request that a reply socket has received and not replied to yet.

use zmq::{DONTWAIT, SNDMORE};

use super::eintr::retry_interrupted;

/// The frames of the envelope, with the empty frame that ends it; no frames if there is no such request.
#[derive(Default)]
pub(super) struct Envelope(Vec<zmq::Message>);

impl Envelope {
    /// Receives the envelope of the next well-formed request, and drops the malformed ones before it. Fails with `EFSM`
    /// if the last request has no reply yet.
    pub(super) fn receive(&mut self, socket: &zmq::Socket) -> zmq::Result<()> {
        if !self.0.is_empty() {
            return Err(zmq::Error::EFSM);
        }
        loop {
            let mut frame = zmq::Message::new();
            retry_interrupted(|| socket.recv(&mut frame, DONTWAIT))?;
            let (is_end, more) = (frame.is_empty(), frame.get_more());
            self.0.push(frame);
            match (is_end, more) {
                (true, true) => return Ok(()),
                (false, true) => {}
                (_, false) => self.0.clear(),
            }
        }
    }

    /// Sends the envelope, with which the reply begins. Fails with `EFSM` if there is no request.
    pub(super) fn send(&mut self, socket: &zmq::Socket) -> zmq::Result<()> {
        if self.0.is_empty() {
            return Err(zmq::Error::EFSM);
        }
        // Copied, because a send that is interrupted drops the frame that it was given.
        for frame in &self.0 {
            retry_interrupted(|| socket.send(&**frame, DONTWAIT | SNDMORE))?;
        }
        self.0.clear();
        Ok(())
    }

    /// Forgets the request, which cannot be replied to.
    pub(super) fn discard(&mut self) {
        self.0.clear();
    }
}
