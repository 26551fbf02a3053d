//! One call that a server has received.

use std::fmt::{self, Display};
use std::ops::Deref;
use std::thread;

use super::protocol::Request;
use crate::engine::Wait;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::OpenSocket;
use crate::message::{AsFrames, Message};
use crate::report;
use crate::unwind::contain;

/// A call that a server has received: answer it once, with [`reply`](Call::reply) or [`fail`](Call::fail).
///
/// It dereferences to the [`Message`] of the caller, so `call[0]` is the first frame.
///
/// ```
/// # use std::thread;
/// use zeroless::{Client, Result, Server, text};
///
/// fn run_a_shop(server: &Server) -> Result<()> {
///     for call in server.serve()? {
///         let wish = text(&call);
///         match wish.as_str() {
///             "tea" => call.reply("a cup of tea")?,
///             _ => call.fail(format!("no {wish} here"))?,
///         }
///     }
///     Ok(())
/// }
/// # Ok::<(), zeroless::Error>(())
/// ```
///
/// You can send a call to another thread and answer it there, after any number of other calls. A call that is dropped
/// without an answer fails by itself, so its caller never waits in vain: after `?`, `continue` or a panic, for example.
/// A call keeps its socket open until it is answered or dropped.
pub struct Call {
    socket: OpenSocket,
    request: Request,
    is_answered: bool,
}

impl Call {
    pub(super) fn new(socket: OpenSocket, request: Request) -> Call {
        Call {
            socket,
            request,
            is_answered: false,
        }
    }

    /// Answers the call, without blocking.
    ///
    /// The frames can be anything that converts to bytes, as for [`Sender::send`](crate::Sender::send). To send frames of
    /// the call back, copy them first, as in the example, because answering consumes the call.
    ///
    /// If the caller has gone, or has more unread answers than the [`high_water_mark`](crate::Server::high_water_mark) of
    /// both sides allows, the answer is dropped. This is no error, because a server must not end with one of its callers.
    /// The [log](crate#the-log) reports it.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](ErrorKind::InvalidInput) for an answer without frames. The call fails with the same text.
    /// * [`Closed`](ErrorKind::Closed) if the socket was closed.
    /// * [`Exhausted`](ErrorKind::Exhausted) if there is no memory for a copy of the answer. The call fails with the same
    ///   text, if there is memory for that.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::thread;
    /// # let calls = zeroless::Server::new(0).serve()?;
    /// # let caller = zeroless::Client::new().connect_local(calls.socket().port()?).call()?;
    /// # let asks = thread::spawn(move || caller(&[b"1", b"2"]));
    /// let call = calls.recv()?;
    /// let question = call.to_vec();
    /// call.reply(&question)?; // an echo
    /// # assert_eq!(asks.join().unwrap()?, [b"1", b"2"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn reply(mut self, frames: &(impl AsFrames + ?Sized)) -> Result<()> {
        let frames = frames.as_frames();
        let outcome = match frames.is_empty() {
            true => Err(Error::invalid(format!(
                "{}: an answer has at least one frame; send an empty frame",
                self.socket.label()
            ))),
            false => self.send(&self.request.answer(&frames)),
        };
        self.is_answered = outcome.is_ok();
        match outcome {
            Err(error) => {
                // If that fails, too, nobody can be told.
                let _ = self.fail_with(&error);
                Err(error)
            }
            ok => ok,
        }
    }

    /// Fails the call, without blocking: the caller's call returns an error of kind [`Failed`](ErrorKind::Failed) with
    /// this text.
    ///
    /// A caller that is not of this crate receives an answer of two frames: `failed`, and the text.
    ///
    /// # Errors
    ///
    /// Fails with [`Closed`](ErrorKind::Closed) if the socket was closed, and with [`Exhausted`](ErrorKind::Exhausted) if
    /// there is no memory for a copy of the text.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::thread;
    /// # let calls = zeroless::Server::new(0).serve()?;
    /// # let caller = zeroless::Client::new().connect_local(calls.socket().port()?).call()?;
    /// # let asks = thread::spawn(move || caller(&[b"a word"]));
    /// let call = calls.recv()?;
    /// match zeroless::text(&call).parse::<u32>() {
    ///     Ok(number) => call.reply(&[(number + 1).to_string()])?,
    ///     Err(error) => call.fail(error)?, // "invalid digit found in string"
    /// }
    /// # assert!(asks.join().unwrap().unwrap_err().to_string().contains("invalid digit"));
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn fail(mut self, reason: impl Display) -> Result<()> {
        self.fail_with(&reason)
    }

    /// The lengths of the frames of its message.
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.request.lengths()
    }

    /// Drops the call without an answer: its caller does not wait any more.
    pub(super) fn forget(mut self) {
        self.is_answered = true;
    }

    fn fail_with(&mut self, reason: &dyn Display) -> Result<()> {
        // If this panics, the call is dropped, and fails with another reason.
        let text = reason.to_string();
        self.is_answered = true;
        self.send(&self.request.failure(text.as_bytes()))
    }

    fn send(&self, message: &[&[u8]]) -> Result<()> {
        match self.socket.send(message, Wait::Never) {
            Err(error) if error.kind() == ErrorKind::NotConnected => {
                log::debug!(target: "zeroless", "{} drops an answer: its caller has gone", self.socket.label());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                report::warn(format_args!(
                    "{} drops an answer, because its caller has too many unread ones; set a higher high_water_mark on \
                     the server, or a lower one on its callers",
                    self.socket.label()
                ));
                Ok(())
            }
            outcome => outcome,
        }
    }
}

impl Deref for Call {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.request.body
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.is_answered {
            let reason = match thread::panicking() {
                true => "the server has panicked while it ran the call",
                false => "the server has dropped the call without an answer",
            };
            // If this fails, the socket is closed, and nobody can be told. If a logger panicked here during another panic, the
            // process would abort.
            contain(|| self.fail_with(&reason));
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.request.body).finish()
    }
}
