//! Messages and their frames.

use std::fmt;
use std::ops::Deref;

/// One message: all of its frames, in order, each as it was sent.
///
/// A message has at least one frame. A frame may be empty.
///
/// # Examples
///
/// ```
/// let message: zeroless::Message = vec![b"id".to_vec(), b"body".to_vec()];
/// let [id, body] = message.as_slice() else { panic!("two frames were expected") };
/// # assert!(id == b"id" && body == b"body");
/// ```
pub type Message = Vec<Vec<u8>>;

/// One frame of a message: its bytes, in the memory that libzmq received them into, without a copy.
///
/// [`Receiver::frames`](crate::Receiver::frames) returns frames, and they can be sent on. Dropping a frame frees its
/// memory.
///
/// # Examples
///
/// ```
/// # let pull = zeroless::Server::new(0).pull()?;
/// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
/// push.send(&["a picture", "of many bytes"])?;
/// let frames = pull.recv_frames()?;
/// assert_eq!(frames[1].len(), 13);
/// assert!(frames[0].starts_with(b"a "));
///
/// push.send(&frames)?;
/// # assert_eq!(pull.recv_frames()?, frames);
/// # Ok::<(), zeroless::Error>(())
/// ```
pub struct Frame(zmq::Message);

impl Frame {
    pub(crate) fn new(message: zmq::Message) -> Frame {
        Frame(message)
    }
}

impl Deref for Frame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Frame {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// How many frames a message has and how long they are, for the log. The content is not logged.
pub(crate) fn sizes(lengths: impl IntoIterator<Item = usize>) -> String {
    let lengths: Vec<String> = lengths.into_iter().map(|length| length.to_string()).collect();
    let noun = if lengths.len() == 1 { "frame" } else { "frames" };
    format!("{} {noun} of {} bytes", lengths.len(), lengths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_tell_no_content() {
        assert_eq!(sizes([5]), "1 frame of 5 bytes");
        assert_eq!(sizes([5, 0]), "2 frames of 5, 0 bytes");
    }

    #[test]
    fn frame_equals_anything_with_the_same_bytes() {
        let frame = Frame::new(zmq::Message::from("abc"));
        assert_eq!(frame, "abc");
        assert_eq!(frame, b"abc".to_vec());
        assert_ne!(frame, "abd");
    }
}
