//! A receiver as a crossbeam channel.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver as Messages, Sender as Slot, TrySendError, bounded, select};

use super::open_socket::OpenSocket;
use super::socket::Socket;
use crate::engine::{Cancel, Engine, Wait};
use crate::error::Error;
use crate::message::Message;
use crate::report;

/// The largest capacity. A channel allocates room for all of its messages when it opens.
const LARGEST_CAPACITY: usize = 65_536;

/// A receiver as a channel, made by [`Receiver::into_channel`](crate::Receiver::into_channel): it dereferences to a
/// [`crossbeam_channel::Receiver<Message>`](crossbeam_channel::Receiver), for `select!`.
///
/// Receive from it in all the ways that crossbeam offers: `recv`, `try_recv`, `recv_timeout`, `iter`, `select!`. It is
/// disconnected once the socket is closed and the last message was taken.
///
/// Dropping the channel stops the thread behind it, blocks until the thread has terminated, and discards the messages
/// in the channel. The socket then closes, unless it has other handles. `channel.clone()` returns crossbeam's own
/// receiver, which does not keep the thread alive.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use zeroless::crossbeam_channel::{select, tick};
///
/// let pull = zeroless::Server::new(0).pull()?;
/// # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
/// # push(&[b"stop"])?;
/// let jobs = pull.into_channel(100);
/// let second = tick(Duration::from_secs(1));
/// loop {
///     select! {
///         recv(jobs) -> job => match job {
///             Ok(job) if job == [b"stop"] => break,
///             Ok(job) => println!("{job:?}"),
///             Err(_) => break, // the socket was closed
///         },
///         recv(second) -> _ => println!("still here"),
///     }
/// }
/// # Ok::<(), zeroless::Error>(())
/// ```
pub struct Channel {
    messages: Messages<Message>,
    socket: Socket,
    engine: Arc<Engine>,
    cancel: Arc<Cancel>,
    /// Dropped to stop the thread while it waits for room in the channel; `None` afterwards.
    going: Option<Slot<()>>,
    /// `None` if the thread could not be started, or has been joined.
    thread: Option<JoinHandle<()>>,
}

impl Channel {
    pub(crate) fn new(open_socket: OpenSocket, capacity: usize) -> Channel {
        let engine = open_socket.engine();
        let socket = Socket::new(Arc::clone(&engine));
        let cancel = Arc::new(Cancel::default());
        let (slot, messages) = bounded(capacity.min(LARGEST_CAPACITY));
        let (going, stopped) = bounded(0);
        let thread = {
            let cancel = Arc::clone(&cancel);
            thread::Builder::new()
                .name("zeroless-channel".into())
                .spawn(move || carry(&open_socket, &slot, &cancel, &stopped))
        };
        let thread = thread
            .map_err(|error| {
                let what_failed = format!("cannot make a channel of {socket:?}");
                report::error(format_args!("{}", Error::from_spawn(what_failed, error)));
            })
            .ok();
        Channel {
            messages,
            socket,
            engine,
            cancel,
            going: Some(going),
            thread,
        }
    }

    /// Returns the socket that the channel receives from, for example to read its port or to close it.
    ///
    /// # Examples
    ///
    /// ```
    /// let jobs = zeroless::Server::new(0).pull()?.into_channel(10);
    /// println!("listening on port {}", jobs.socket().port()?);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        self.socket.clone()
    }
}

/// Moves messages from the socket to the channel, until one of them is closed or the channel is dropped.
fn carry(socket: &OpenSocket, slot: &Slot<Message>, cancel: &Cancel, stopped: &Messages<()>) {
    loop {
        let message = match socket.next_message(Wait::Until(cancel, None)) {
            Ok(Some(message)) => message,
            Ok(None) => return,
            Err(error) => return report::error(format_args!("a channel stops: {error}")),
        };
        let delivered = match slot.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(message)) => select! {
                send(slot, message) -> sent => sent.is_ok(),
                recv(stopped) -> _ => false,
            },
            Err(TrySendError::Disconnected(_)) => false,
        };
        if !delivered {
            return;
        }
    }
}

impl Deref for Channel {
    type Target = Messages<Message>;

    fn deref(&self) -> &Messages<Message> {
        &self.messages
    }
}

impl<'a> IntoIterator for &'a Channel {
    type Item = Message;
    type IntoIter = crossbeam_channel::Iter<'a, Message>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.iter()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.engine.cancel(&self.cancel);
        drop(self.going.take());
        if let Some(thread) = self.thread.take() {
            // The thread panics only if the logger does, and the panic hook has reported that.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({:?}, {} waiting)", self.socket, self.messages.len())
    }
}
