//! The two halves of publish/subscribe: a sender and a receiver that know topics.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use super::channel::Channel;
use super::open_socket::OpenSocket;
use super::receiver::Receiver;
use super::sender::{Sender, Topic};
use crate::engine::Wait;
use crate::error::Result;
use crate::message::Message;

/// The sending half of publish/subscribe: a [`Sender`] that knows topics.
///
/// Call it like any sender. The topic of a message is the beginning of its first frame, so each message carries its own
/// topic. [`topic`](Self::topic) and [`embed_topic`](Self::embed_topic) make publishers for one topic: the first checks
/// for the topic in each message, the second adds it.
///
/// Publishing never blocks. A subscriber misses a message if its subscription has not arrived yet, or if its queue is
/// full, at the high-water mark. A subscription takes a moment to arrive. So the first messages of a program are often
/// lost, unless it calls [`wait_for_subscribers`](Self::wait_for_subscribers) first.
///
/// Clones share the publisher's socket. So do the publishers that `topic` and `embed_topic` make.
#[derive(Clone)]
pub struct Publisher {
    sender: Sender,
}

impl Publisher {
    pub(crate) fn new(socket: OpenSocket) -> Publisher {
        Publisher {
            sender: Sender::new(socket),
        }
    }

    /// Makes a publisher over the same socket that refuses messages which do not begin with the topic.
    ///
    /// # Errors
    ///
    /// Sending such a message fails with [`InvalidInput`](crate::ErrorKind::InvalidInput).
    ///
    /// # Examples
    ///
    /// ```
    /// let publish = zeroless::Server::new(0).publish()?.topic("sport");
    /// publish(&[b"sport/football", b"2:1"])?;
    /// assert!(publish(&[b"weather", b"rain"]).is_err());
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn topic(&self, topic: impl AsRef<[u8]>) -> Publisher {
        self.with(Topic::Required(topic.as_ref().to_owned()))
    }

    /// Makes a publisher over the same socket that sends the topic as the first frame of each message.
    ///
    /// If the topic is empty, the first frame is empty.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{Client, Server};
    ///
    /// let publish = Server::new(0).publish()?;
    /// let mut news = Client::new().connect_local(publish.socket().port()?).subscribe(["sport"])?;
    /// publish.wait_for_subscribers(1, Duration::from_secs(5))?;
    ///
    /// let sport = publish.embed_topic("sport");
    /// sport(&[b"2:1"])?;
    /// assert_eq!(news.next().unwrap(), [b"sport".to_vec(), b"2:1".to_vec()]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn embed_topic(&self, topic: impl AsRef<[u8]>) -> Publisher {
        self.with(Topic::Embedded(topic.as_ref().to_owned()))
    }

    fn with(&self, topic: Topic) -> Publisher {
        Publisher {
            sender: Sender::with_topic(self.sender.open_socket().clone(), Some(topic)),
        }
    }

    /// Blocks until `subscriptions` subscriptions have arrived since the socket opened, but no longer than `timeout`.
    ///
    /// A subscriber to two topics counts twice. A subscriber that connects again counts again. A subscriber that leaves
    /// still counts. So use this when a program starts, and not to count the current subscribers.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](crate::ErrorKind::TimedOut) if fewer arrived in time; the message says how many.
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for a client that was never given an address.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket was closed, before or during the call.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{ErrorKind, Server};
    ///
    /// let publish = Server::new(0).publish()?;
    /// let error = publish.wait_for_subscribers(1, Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn wait_for_subscribers(&self, subscriptions: usize, timeout: Duration) -> Result<()> {
        self.sender
            .open_socket()
            .wait_for_subscriptions(subscriptions, Wait::For(timeout))
    }
}

impl Deref for Publisher {
    type Target = Sender;

    fn deref(&self) -> &Sender {
        &self.sender
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher({})", self.sender.open_socket().label())
    }
}

/// The receiving half of publish/subscribe: a [`Receiver`] that knows topics.
///
/// Iterate over it like over any receiver. Its topics can be changed while other threads iterate.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use zeroless::{Client, Server};
///
/// let publish = Server::new(0).publish()?;
/// let mut news = Client::new().connect_local(publish.socket().port()?).subscribe(["sport"])?;
/// news.subscribe("weather")?;
/// news.unsubscribe("sport")?;
/// publish.wait_for_subscribers(2, Duration::from_secs(5))?;
///
/// publish(&[b"weather", b"rain"])?;
/// assert_eq!(news.next().unwrap()[0], b"weather");
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Subscriber {
    receiver: Receiver,
}

impl Subscriber {
    pub(crate) fn new(socket: OpenSocket) -> Subscriber {
        Subscriber {
            receiver: Receiver::new(socket),
        }
    }

    /// Adds a topic: messages that begin with it are received, too.
    ///
    /// The publisher learns of it a moment later. If the topic is subscribed already, nothing changes.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a topic of 246 to 255 bytes if libzmq is older than
    ///   4.3.5, because it never matches such a topic with a message.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// let news = Client::new().connect_local(5555).subscribe(["sport"])?;
    /// news.subscribe("weather")?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.receiver.open_socket().subscribe(topic.as_ref())
    }

    /// Removes a topic: messages that begin with it are not received any more, unless they match another topic.
    ///
    /// The publisher learns of it a moment later. Messages of the topic that have arrived and were not received yet are
    /// dropped, too, except perhaps one.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for a topic that is not subscribed.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, ErrorKind};
    ///
    /// let news = Client::new().connect_local(5555).subscribe(["sport"])?;
    /// news.unsubscribe("sport")?;
    /// assert_eq!(news.unsubscribe("sport").unwrap_err().kind(), ErrorKind::NotConnected);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.receiver.open_socket().unsubscribe(topic.as_ref())
    }

    /// Turns the subscriber into a crossbeam channel: see [`Receiver::into_channel`].
    ///
    /// Its topics stay as they are; keep a clone of the subscriber to change them.
    ///
    /// # Examples
    ///
    /// ```
    /// let news = zeroless::Client::new().connect_local(5555).subscribe(["sport"])?.into_channel(10);
    /// assert!(news.is_empty());
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn into_channel(self, capacity: usize) -> Channel {
        self.receiver.into_channel(capacity)
    }
}

impl Deref for Subscriber {
    type Target = Receiver;

    fn deref(&self) -> &Receiver {
        &self.receiver
    }
}

impl Iterator for Subscriber {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.receiver.next()
    }
}

impl Iterator for &Subscriber {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        (&self.receiver).next()
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscriber({})", self.receiver.open_socket().label())
    }
}
