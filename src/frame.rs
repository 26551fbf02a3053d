//! Frames that stay in libzmq's memory.

use std::fmt;
use std::ops::Deref;

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
