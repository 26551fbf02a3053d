//! Messages and their frames.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

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
/// memory. A frame equals text, slices and arrays with the same bytes. To match it, write `&frame[..]`.
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
/// assert!(frames[0] == "a picture" && frames[1] == b"of many bytes");
/// match &frames[0][..] {
///     b"a picture" => println!("{} bytes", frames[1].len()),
///     other => println!("{}", other.escape_ascii()),
/// }
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

/// The frames of a message to send: what [`Sender::send`](crate::Sender::send) takes.
///
/// * A list of frames: an array, a slice or a `Vec` of anything that converts to bytes, such as `&["a", "b"]` and a
///   received [`Message`].
/// * A `&str` or `&String`: one frame.
///
/// Bytes without a list around them are a compile error, because a list of numbers does not say whether each number is
/// a frame. Put a list around them: `&[bytes]`.
///
/// ```
/// # let pull = zeroless::Server::new(0).pull()?;
/// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
/// let bytes: &[u8] = b"hello";
/// push.send(&[bytes])?;
/// # pull.recv()?;
/// # Ok::<(), zeroless::Error>(())
/// ```
///
/// ```compile_fail
/// # let pull = zeroless::Server::new(0).pull()?;
/// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
/// let bytes: &[u8] = b"hello";
/// push.send(bytes)?; // error: `[u8]` is not a list of frames
/// # pull.recv()?;
/// # Ok::<(), zeroless::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of frames",
    label = "expected a list of frames, such as `&[\"a\", \"b\"]`",
    note = "for a message of one frame, write `&[frame]`",
    note = "for frames of different types, write `frames![a, b]`",
    note = "for a smart pointer to a list of frames, write `&*pointer`"
)]
pub trait AsFrames {
    /// Returns the bytes of each frame.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::AsFrames;
    ///
    /// assert_eq!(["a", "b"].as_frames(), [b"a", b"b"]);
    /// assert_eq!("ab".as_frames(), [b"ab"]);
    /// ```
    fn as_frames(&self) -> Vec<&[u8]>;
}

// Without `do_not_recommend`, the compiler would report that `u8` lacks `AsRef<[u8]>`, and not the remedy above.
#[diagnostic::do_not_recommend]
impl<F: AsRef<[u8]>> AsFrames for [F] {
    fn as_frames(&self) -> Vec<&[u8]> {
        self.iter().map(AsRef::as_ref).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<F: AsRef<[u8]>, const N: usize> AsFrames for [F; N] {
    fn as_frames(&self) -> Vec<&[u8]> {
        self.as_slice().as_frames()
    }
}

#[diagnostic::do_not_recommend]
impl<F: AsRef<[u8]>> AsFrames for Vec<F> {
    fn as_frames(&self) -> Vec<&[u8]> {
        self.as_slice().as_frames()
    }
}

impl AsFrames for str {
    fn as_frames(&self) -> Vec<&[u8]> {
        vec![self.as_bytes()]
    }
}

impl AsFrames for String {
    fn as_frames(&self) -> Vec<&[u8]> {
        self.as_str().as_frames()
    }
}

/// Implements [`AsFrames`] for pointers to frames.
macro_rules! as_frames_of_pointers {
    ($($pointer:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T: AsFrames + ?Sized> AsFrames for $pointer {
            fn as_frames(&self) -> Vec<&[u8]> {
                (**self).as_frames()
            }
        }
    )*};
}

as_frames_of_pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

/// Returns the frames of a message as text for people, with `", "` between them.
///
/// Each sequence of bytes that is not valid UTF-8 becomes `\u{FFFD}` (�). Control characters stay. To show the bytes of a
/// frame exactly, use [`escape_ascii`](slice::escape_ascii).
///
/// # Examples
///
/// ```
/// let message: zeroless::Message = vec![b"tea".to_vec(), b"7".to_vec()];
/// assert_eq!(zeroless::text(&message), "tea, 7");
/// ```
pub fn text<F: AsRef<[u8]>>(message: &[F]) -> String {
    let frames: Vec<_> = message
        .iter()
        .map(|frame| String::from_utf8_lossy(frame.as_ref()))
        .collect();
    frames.join(", ")
}

/// Makes the `&[&[u8]]` that a call of a [`Sender`](crate::Sender) takes, of frames of any types that are
/// `AsRef<[u8]>`.
///
/// `&str`, `String`, `Vec<u8>`, arrays and slices of bytes, and [`Frame`] are. A number is not: choose how to write it,
/// with `to_string()` or `to_be_bytes()`.
///
/// Use the macro as the argument of a call. A value that is made inside it, such as `id.to_string()`, lives until the
/// end of the statement, so a `let` cannot keep the frames.
///
/// # Examples
///
/// ```
/// use zeroless::frames;
///
/// # let pull = zeroless::Server::new(0).pull()?;
/// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
/// let (path, id) = (String::from("a.txt"), 7);
/// push(frames!["job", path, id.to_string()])?;
/// assert_eq!(pull.recv()?, frames!["job", "a.txt", "7"]);
/// # Ok::<(), zeroless::Error>(())
/// ```
#[macro_export]
macro_rules! frames {
    ($($frame:expr),* $(,)?) => {
        (&[$(::core::convert::AsRef::<[u8]>::as_ref(&$frame)),*] as &[&[u8]])
    };
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
        let frame = || Frame::new(zmq::Message::from("abc"));
        assert_eq!(frame(), "abc");
        assert_eq!(frame(), b"abc");
        assert_eq!(frame(), *b"abc");
        assert_eq!(frame(), b"abc"[..]);
        assert_eq!(frame(), b"abc".to_vec());
        assert_eq!(frame(), frame());
        assert_ne!(frame(), "abd");
        assert_eq!(vec![frame()], [b"abc"]);
        assert_eq!(vec![frame()], [b"abc".to_vec()]);
        assert!(matches!(&frame()[..], b"abc"));
    }

    #[test]
    fn text_joins_frames_and_replaces_what_is_not_utf8() {
        assert_eq!(text(&["a", "", "ö"]), "a, , ö");
        assert_eq!(text(&[b"a\xffb\n"]), "a\u{FFFD}b\n");
        assert_eq!(text(&[Frame::new(zmq::Message::from("abc"))]), "abc");
        assert_eq!(text::<&str>(&[]), "");
    }
}
