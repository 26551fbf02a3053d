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
/// Call it as any sender. The topic of a message is how its first frame begins, so as it is, each message carries its
/// own; [`topic`](Self::topic) and [`embed_topic`](Self::embed_topic) give publishers that see to it.
///
/// Publishing never blocks. Who has not subscribed yet misses the message, and so does who is more messages behind
/// than the high-water mark. To a newcomer it seems as if the first messages were lost: the subscription takes a moment
/// to arrive. [`wait_for_subscribers`](Self::wait_for_subscribers) waits for it.
///
/// Clones, and publishers of other topics made from it, share its socket.
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

    /// Makes a publisher over the same socket that refuses messages which do not begin with the topic. Does not block.
    ///
    /// # Errors
    ///
    /// Its sending fails with [`InvalidInput`](crate::ErrorKind::InvalidInput) for such a message.
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

    /// Makes a publisher over the same socket that sends the topic as the first frame of each message. Does not block.
    ///
    /// Also when the topic is empty: then the first frame is.
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

    /// Blocks until `subscriptions` have arrived since the socket opened, no longer than `timeout`.
    ///
    /// A subscriber of two topics counts for two, one that connects again counts again, and one that leaves is still
    /// counted: this is for the start, not for keeping track.
    ///
    /// # Errors
    ///
    /// * [`TimedOut`](crate::ErrorKind::TimedOut) if there were fewer; the message says how many.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket was closed, before or meanwhile.
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
/// Iterate over it as over any receiver. What it is subscribed to can be changed while others iterate.
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

    /// Takes in the messages that begin with this topic too. Does not block.
    ///
    /// The publisher knows of it a moment later. A topic that is subscribed to already stays so.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a topic of 246 to 255 bytes, which libzmq 4.3.4 would
    ///   never find in a message.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    /// As [above](Self).
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.receiver.open_socket().subscribe(topic.as_ref())
    }

    /// Takes in the messages that begin with this topic no longer, unless another topic fits them. Does not block.
    ///
    /// The publisher knows of it a moment later; what has arrived by then is still received.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for a topic that is not subscribed to.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    /// As [above](Self).
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) -> Result<()> {
        self.receiver.open_socket().unsubscribe(topic.as_ref())
    }
}

impl Subscriber {
    /// Turns the subscriber into a channel of crossbeam's: see [`Receiver::into_channel`]. Does not block.
    ///
    /// Its topics stay as they are; keep a clone to change them.
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
