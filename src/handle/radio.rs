//! The two halves of radio/dish: a sender and a receiver that know groups.

use std::fmt;
use std::ops::Deref;

use super::channel::Channel;
use super::open_socket::OpenSocket;
use super::receiver::Receiver;
use super::sender::{Sender, Topic};
use crate::error::Result;
use crate::group;
use crate::message::Message;

/// The sending half of radio/dish: a [`Sender`] to one group.
///
/// Call it with the one frame of a message. Each dish that has joined the group receives it. [`group`](Self::group)
/// makes radios for other groups, over the same socket.
///
/// Sending never blocks. A dish misses a message if it has not joined yet, or if its queue is full, at the high-water
/// mark. Over UDP, the network may lose it, too.
///
/// Clones share the radio's socket.
#[derive(Clone)]
pub struct Radio {
    sender: Sender,
}

impl Radio {
    pub(crate) fn new(socket: OpenSocket, group: &[u8]) -> Radio {
        Radio {
            sender: Sender::with_topic(socket, Some(Topic::Embedded(group.to_owned()))),
        }
    }

    /// Makes a radio over the same socket that sends to another group.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a group that does not have 1 to 15 bytes, or has a zero byte.
    ///
    /// # Examples
    ///
    #[cfg_attr(draft, doc = "```")]
    #[cfg_attr(not(draft), doc = "```ignore")]
    /// use zeroless::Client;
    ///
    /// let sport = Client::new().connect_to("udp://127.0.0.1:5555").radio("sport")?;
    /// let weather = sport.group("weather")?;
    /// sport(&[b"2:1"])?;
    /// weather(&[b"rain"])?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn group(&self, group: impl AsRef<[u8]>) -> Result<Radio> {
        group::check(group.as_ref())?;
        Ok(Radio::new(self.sender.open_socket().clone(), group.as_ref()))
    }
}

impl Deref for Radio {
    type Target = Sender;

    fn deref(&self) -> &Sender {
        &self.sender
    }
}

impl fmt::Debug for Radio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Radio({})", self.sender.open_socket().label())
    }
}

/// The receiving half of radio/dish: a [`Receiver`] that knows groups.
///
/// Iterate over it like over any receiver. Each message has two frames: the group that it was sent to, and the frame that
/// was sent. The groups can be changed while other threads iterate.
///
/// # Examples
///
#[cfg_attr(draft, doc = "```")]
#[cfg_attr(not(draft), doc = "```ignore")]
/// use zeroless::Server;
///
/// let dish = Server::at("udp://127.0.0.1:0").dish(["sport"])?;
/// dish.join("weather")?;
/// dish.leave("sport")?;
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Dish {
    receiver: Receiver,
}

impl Dish {
    pub(crate) fn new(socket: OpenSocket) -> Dish {
        Dish {
            receiver: Receiver::new(socket),
        }
    }

    /// Joins a group: messages to it are received, too.
    ///
    /// Except over UDP, the radios learn of it a moment later. If the group is joined already, nothing changes.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a group that does not have 1 to 15 bytes, or has a zero
    ///   byte.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    #[cfg_attr(draft, doc = "```")]
    #[cfg_attr(not(draft), doc = "```ignore")]
    /// use zeroless::Client;
    ///
    /// let dish = Client::new().connect_local(5555).dish(["sport"])?;
    /// dish.join("weather")?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn join(&self, group: impl AsRef<[u8]>) -> Result<()> {
        self.receiver.open_socket().subscribe(group.as_ref())
    }

    /// Leaves a group: messages to it are not received any more, also those that have arrived already, except perhaps
    /// one.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for a group that is not joined.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    #[cfg_attr(draft, doc = "```")]
    #[cfg_attr(not(draft), doc = "```ignore")]
    /// use zeroless::{Client, ErrorKind};
    ///
    /// let dish = Client::new().connect_local(5555).dish(["sport"])?;
    /// dish.leave("sport")?;
    /// assert_eq!(dish.leave("sport").unwrap_err().kind(), ErrorKind::NotConnected);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn leave(&self, group: impl AsRef<[u8]>) -> Result<()> {
        self.receiver.open_socket().unsubscribe(group.as_ref())
    }

    /// Turns the dish into a crossbeam channel: see [`Receiver::into_channel`].
    ///
    /// Its groups stay as they are; keep a clone of the dish to change them.
    ///
    /// # Examples
    ///
    #[cfg_attr(draft, doc = "```")]
    #[cfg_attr(not(draft), doc = "```ignore")]
    /// let news = zeroless::Client::new().connect_local(5555).dish(["sport"])?.into_channel(10);
    /// assert!(news.is_empty());
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn into_channel(self, capacity: usize) -> Channel {
        self.receiver.into_channel(capacity)
    }
}

impl Deref for Dish {
    type Target = Receiver;

    fn deref(&self) -> &Receiver {
        &self.receiver
    }
}

impl Iterator for Dish {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.receiver.next()
    }
}

impl Iterator for &Dish {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        (&self.receiver).next()
    }
}

impl fmt::Debug for Dish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dish({})", self.receiver.open_socket().label())
    }
}
