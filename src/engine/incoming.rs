//! What a message can be received into.

use std::mem;

use crate::message::Message;

/// A frame of this many bytes or more is large: there may be no memory to copy it.
pub(super) const LARGE: usize = 16 * 1024;

/// Takes the frames of one message, in order.
pub(crate) trait Incoming {
    /// Takes the frame at `index`, which has been received. It may move the frame out, and leave an empty one.
    ///
    /// `ENOMEM` if there is no memory for it.
    fn put(&mut self, index: usize, frame: &mut zmq::Message, more: bool) -> zmq::Result<()>;

    /// Drops what an earlier message left behind these frames.
    fn truncate(&mut self, frames: usize);

    /// The lengths of the frames.
    fn lengths(&self) -> Vec<usize>;
}

/// Copies the frames, into the buffers that are there.
impl Incoming for Message {
    #[inline]
    fn put(&mut self, index: usize, frame: &mut zmq::Message, more: bool) -> zmq::Result<()> {
        let bytes: &[u8] = frame;
        if bytes.len() >= LARGE {
            return put_large(self, index, frame);
        }
        if let Some(buffer) = self.get_mut(index) {
            buffer.clear();
            buffer.extend_from_slice(bytes);
        } else if self.capacity() == 0 && !more {
            // Most messages have one frame, and need no room to grow.
            *self = vec![bytes.to_vec()];
        } else {
            self.push(bytes.to_vec());
        }
        Ok(())
    }

    fn truncate(&mut self, frames: usize) {
        Vec::truncate(self, frames);
    }

    fn lengths(&self) -> Vec<usize> {
        self.iter().map(Vec::len).collect()
    }
}

/// Copies a frame that there may be no memory for. The received frame is freed, so that its memory is not kept until
/// the next one.
#[inline(never)]
fn put_large(message: &mut Message, index: usize, frame: &mut zmq::Message) -> zmq::Result<()> {
    let frame = mem::replace(frame, zmq::Message::new());
    if message.len() == index {
        message.push(Vec::new());
    }
    let buffer = &mut message[index];
    buffer.clear();
    buffer.try_reserve_exact(frame.len()).map_err(|_| zmq::Error::ENOMEM)?;
    buffer.extend_from_slice(&frame);
    Ok(())
}

/// Moves the frames, which stay in libzmq's memory.
impl Incoming for Vec<zmq::Message> {
    fn put(&mut self, index: usize, frame: &mut zmq::Message, _more: bool) -> zmq::Result<()> {
        Vec::truncate(self, index);
        self.push(mem::replace(frame, zmq::Message::new()));
        Ok(())
    }

    fn truncate(&mut self, frames: usize) {
        Vec::truncate(self, frames);
    }

    fn lengths(&self) -> Vec<usize> {
        self.iter().map(|frame| frame.len()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(target: &mut impl Incoming, frames: &[&[u8]]) {
        for (index, frame) in frames.iter().enumerate() {
            let more = index + 1 < frames.len();
            target.put(index, &mut zmq::Message::from(*frame), more).unwrap();
        }
        target.truncate(frames.len());
    }

    #[test]
    fn message_holds_the_frames_of_the_last_message_only() {
        let mut message = Message::new();
        let large = vec![7; LARGE];
        let messages: [&[&[u8]]; 4] = [&[b"a", b"b", b"c"], &[b"longer"], &[b"", &large], &[b"d", b"e"]];
        for frames in messages {
            receive(&mut message, frames);
            assert_eq!(message, frames);
        }
        assert_eq!(message.lengths(), [1, 1]);
    }

    #[test]
    fn large_frame_is_not_kept() {
        let mut frame = zmq::Message::from(vec![7; LARGE]);
        Message::new().put(0, &mut frame, false).unwrap();
        assert!(frame.is_empty());
    }

    #[test]
    fn frames_are_moved() {
        let mut frames: Vec<zmq::Message> = Vec::new();
        receive(&mut frames, &[b"a", b"b"]);
        receive(&mut frames, &[b"c"]);
        assert_eq!(frames.lengths(), [1]);
        assert_eq!(&*frames[0], b"c");
    }
}
