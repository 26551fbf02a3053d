//! The pattern methods of the draft sockets.

use super::client::Client;
use super::server::Server;
use crate::engine::Pattern;
use crate::error::Result;
use crate::group;
use crate::handle::{Dish, Radio, Receiver, Sender, sender_and_receiver};

/// Defines the pattern methods that both recipes have.
macro_rules! draft_methods {
    ($Recipe:ident) => {
        /// # Draft patterns
        ///
        /// libzmq calls these sockets drafts: later versions may change or remove them. They need the feature `draft`.
        /// [`guide::draft`](crate::guide::draft) says what each is for, and which other pattern does better.
        ///
        /// Without the feature, and with the system's libzmq, each method returns
        /// [`Unsupported`](crate::ErrorKind::Unsupported). Otherwise the methods fail as the [others](#patterns) do.
        impl $Recipe {
            /// Opens the sending end of scatter/gather: each message, of one frame, goes to one of the gatherers, in turn.
            ///
            /// It blocks and queues as [`push`](Self::push) does, which is the better choice: its messages can have
            /// several frames.
            ///
            /// # Errors
            ///
            /// [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`; otherwise the first error in
            /// the recipe, or that of an address. On the handle, a message of several frames is
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput).
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use zeroless::{Client, Server};
            ///
            /// let mut gather = Server::new(0).gather()?;
            /// let scatter = Client::new().connect_local(gather.socket().port()?).scatter()?;
            /// scatter(&[b"Msg1"])?;
            /// assert_eq!(gather.next().unwrap(), [b"Msg1"]);
            /// assert!(scatter(&[b"1", b"Msg2"]).is_err());
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn scatter(&self) -> Result<Sender> {
                Ok(Sender::new(self.open(Pattern::Scatter, Vec::new())?))
            }

            /// Opens the receiving end of scatter/gather: receives the messages of all scatterers, from each in turn.
            ///
            /// [`pull`](Self::pull) is the better choice: its messages can have several frames.
            ///
            /// # Errors
            ///
            /// [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`; otherwise the first error in
            /// the recipe, or that of an address.
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use zeroless::{Client, Server};
            ///
            /// let gather = Server::new(0).gather()?;
            /// let scatter = Client::new().connect_local(gather.socket().port()?).scatter()?;
            /// scatter(&[b"job"])?;
            /// assert_eq!(gather.recv()?, [b"job"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn gather(&self) -> Result<Receiver> {
                Ok(Receiver::new(self.open(Pattern::Gather, Vec::new())?))
            }

            /// Opens the sending end of radio/dish: each message, of one frame, goes to all dishes that have joined a
            /// group.
            ///
            /// A group has a name of 1 to 15 bytes, which must match exactly: unlike a topic, it is not the beginning of
            /// the message. [`Radio::group`] sends to other groups. Sending never blocks, and a dish that has not joined
            /// yet, or is too slow, misses the message.
            ///
            /// **Over UDP** a radio is a client: it connects to the dish's address, `udp://192.168.1.7:5555`, or to a
            /// multicast address, `udp://239.1.2.3:5555`, where any number of dishes receive each message that was sent
            /// once. The network may lose messages, repeat them and change their order. The group and the frame have at
            /// most 8,191 bytes together. Over TCP, [`publish`](Self::publish) is the better choice.
            ///
            /// # Errors
            ///
            /// * [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`, for a server over UDP, and
            ///   for a client over UDP with a key or a password: UDP has none.
            /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a group that does not have 1 to 15 bytes, or has a
            ///   zero byte. On the handle, also for a message of several frames, and for one that is too long for UDP.
            /// * Otherwise the first error in the recipe, or that of an address.
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use std::time::Duration;
            /// use zeroless::{Client, Server};
            ///
            /// let dish = Server::at("udp://127.0.0.1:0").dish(["sport"])?;
            /// let endpoint = &dish.socket().endpoints()[0];
            /// let sport = Client::new().connect_to(endpoint).radio("sport")?;
            /// let message = loop {
            ///     sport(&[b"2:1"])?; // what is sent before the dish listens is lost
            ///     if let Ok(message) = dish.recv_timeout(Duration::from_millis(10)) {
            ///         break message;
            ///     }
            /// };
            /// assert_eq!(message, [b"sport".to_vec(), b"2:1".to_vec()]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn radio(&self, group: impl AsRef<[u8]>) -> Result<Radio> {
                let group = group.as_ref();
                group::check(group)?;
                Ok(Radio::new(self.open(Pattern::Radio, Vec::new())?, group))
            }

            /// Opens the receiving end of radio/dish: receives what is sent to the groups that it has joined.
            ///
            /// Each message has two frames: the group, and the frame that was sent. [`Dish::join`] and [`Dish::leave`]
            /// change the groups.
            ///
            /// Over other transports, a *client* is the better dish: a server joins at a radio only while a thread
            /// receives, and misses what the radio sends before. The log warns about it.
            ///
            /// **Over UDP** a dish is a server: it binds an address of this machine, `udp://192.168.1.7:5555` or
            /// `udp://*:5555`, or a multicast address, `udp://239.1.2.3:5555`. Before a multicast address, the address of
            /// an interface and a semicolon choose where to receive: `udp://192.168.1.7;239.1.2.3:5555`. Several dishes
            /// can bind the same multicast address. libzmq opens the UDP port a moment after this method has returned.
            ///
            /// **Anyone who can send a datagram to a dish can send it messages**, because UDP has no connections, keys or
            /// passwords. While a dish is at its high-water mark, further datagrams are lost.
            ///
            /// # Errors
            ///
            /// * [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`, for a client over UDP, and
            ///   for a server over UDP with rules for its clients.
            /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a group that does not have 1 to 15 bytes, or has a
            ///   zero byte, and for port 0 of a multicast address.
            /// * Otherwise the first error in the recipe, or that of an address.
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use zeroless::Server;
            ///
            /// // Receives what radios on this machine send to 239.255.0.1.
            /// let dish = Server::at("udp://127.0.0.1;239.255.0.1:5670").dish(["sport", "weather"])?;
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn dish<I>(&self, groups: I) -> Result<Dish>
            where
                I: IntoIterator<Item: AsRef<[u8]>>,
            {
                let groups = group::collect(groups)?;
                Ok(Dish::new(self.open(Pattern::Dish, groups)?))
            }

            /// Opens libzmq's `SERVER`: it exchanges messages of one frame with any number of
            /// [`draft_client`](Self::draft_client)s.
            ///
            /// A received message has two frames: the routing id of the client that has sent it, of 4 bytes, and the
            /// client's frame. A message to send has the same two. A routing id names one connection; a client that
            /// connects again has another. Sending blocks while the queue of that one client is full.
            ///
            /// [`serve`](Self::serve) is the better choice for remote calls, and [`router`](Self::router) for all else.
            ///
            /// # Errors
            ///
            /// [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`; otherwise the first error in
            /// the recipe, or that of an address. On the handles, sending to a routing id that no client has is
            /// [`NotConnected`](crate::ErrorKind::NotConnected), and a message that does not have these two frames is
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput).
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use zeroless::{Client, Server};
            ///
            /// let (answer, questions) = Server::new(0).draft_server()?;
            /// let (ask, answers) = Client::new().connect_local(questions.socket().port()?).draft_client()?;
            /// ask(&[b"ping"])?;
            /// let question = questions.recv()?;
            /// assert_eq!(question[1], b"ping");
            /// answer(&[&question[0], b"pong"])?;
            /// assert_eq!(answers.recv()?, [b"pong"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn draft_server(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::DraftServer, Vec::new())?))
            }

            /// Opens libzmq's `CLIENT`: it sends messages of one frame to [`draft_server`](Self::draft_server)s, to each in
            /// turn, and receives what they send.
            ///
            /// It blocks and queues as [`dealer`](Self::dealer) does. Nothing tells which answer belongs to which
            /// message, so [`call`](Self::call) is the better choice.
            ///
            /// # Errors
            ///
            /// [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`; otherwise the first error in
            /// the recipe, or that of an address. On the handles, a message of several frames is
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput).
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use zeroless::Client;
            ///
            /// let (ask, answers) = Client::new().connect_local(5555).draft_client()?;
            /// assert!(ask(&[b"one frame", b"and another"]).is_err());
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn draft_client(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::DraftClient, Vec::new())?))
            }

            /// Opens a peer: it exchanges messages of one frame with any number of other peers, whichever side has
            /// connected.
            ///
            /// A message has two frames, as with [`draft_server`](Self::draft_server): the routing id of the other peer,
            /// of 4 bytes, and the frame. A peer that connects learns the routing id of the other from
            /// [`Socket::routing_id`](crate::Socket::routing_id), and so it can send first.
            ///
            /// [`router`](Self::router) is the better choice: its messages can have several frames, and peers can choose
            /// their own ids.
            ///
            /// # Errors
            ///
            /// As for [`draft_server`](Self::draft_server): [`Unsupported`](crate::ErrorKind::Unsupported) without the
            /// feature `draft`, [`NotConnected`](crate::ErrorKind::NotConnected) for a routing id that no peer has, and
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a message that does not have these two frames.
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use zeroless::{Client, Server};
            ///
            /// let (answer, questions) = Server::new(0).peer()?;
            /// let (ask, answers) = Client::new().connect_local(questions.socket().port()?).peer()?;
            /// let socket = ask.socket();
            /// let server = socket.routing_id(&socket.endpoints()[0])?;
            /// ask(&[&server, b"ping"])?;
            /// let question = questions.recv()?;
            /// answer(&[&question[0], b"pong"])?;
            /// assert_eq!(answers.recv()?, [&server[..], b"pong"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn peer(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Peer, Vec::new())?))
            }

            /// Opens one end of a channel: a [`pair`](Self::pair) whose messages have one frame.
            ///
            /// `pair` is the better choice: its messages can have several frames.
            ///
            /// # Errors
            ///
            /// [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`, and
            /// [`AlreadyConnected`](crate::ErrorKind::AlreadyConnected) for a client with two addresses; otherwise the
            /// first error in the recipe, or that of an address. On the handles, a message of several frames is
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput).
            ///
            /// # Examples
            ///
            #[cfg_attr(draft, doc = "```")]
            #[cfg_attr(not(draft), doc = "```ignore")]
            /// use zeroless::{Client, Server};
            ///
            /// let (say, mut hear) = Server::new(0).channel()?;
            /// let (answer, mut listen) = Client::new().connect_local(hear.socket().port()?).channel()?;
            /// say(&[b"knock, knock"])?;
            /// assert_eq!(listen.next().unwrap(), [b"knock, knock"]);
            /// answer(&[b"who's there?"])?;
            /// assert_eq!(hear.next().unwrap(), [b"who's there?"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn channel(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Channel, Vec::new())?))
            }
        }
    };
}

draft_methods!(Server);
draft_methods!(Client);

/// # Datagrams
impl Server {
    /// Opens a UDP port that sends and receives datagrams of any program.
    ///
    /// It speaks plain UDP, without ZeroMQ's protocol. A message has two frames: an address, as text such as
    /// `127.0.0.1:5555`, and the bytes of a datagram. In a received message it is the address of the sender, so that the
    /// message can be answered; in a message to send, that of the receiver. Needs the feature `draft`.
    ///
    /// The recipe must have exactly one endpoint, `udp://address:port`; a client cannot be a dgram. A datagram has at
    /// most 8,192 bytes; longer ones that arrive are dropped. The network may lose datagrams, repeat them and change
    /// their order. While the queue of received messages is full, further datagrams are lost. libzmq opens the UDP port a
    /// moment after this method has returned.
    ///
    /// If you do not need what zeroless adds (threads that share it, iteration, closing from another thread), use
    /// [`std::net::UdpSocket`].
    ///
    /// # Errors
    ///
    /// * [`Unsupported`](crate::ErrorKind::Unsupported) without the feature `draft`, for an endpoint of another
    ///   transport, and for a recipe with rules for its clients.
    /// * [`AlreadyConnected`](crate::ErrorKind::AlreadyConnected) for a recipe with two endpoints.
    /// * Otherwise the first error in the recipe, or that of an address.
    /// * On the handles, [`InvalidInput`](crate::ErrorKind::InvalidInput) for a message that does not have these two
    ///   frames, and for one that is too long.
    ///
    /// # Examples
    ///
    #[cfg_attr(draft, doc = "```")]
    #[cfg_attr(not(draft), doc = "```ignore")]
    /// use std::net::UdpSocket;
    /// use std::time::Duration;
    /// use zeroless::Server;
    ///
    /// let (send, datagrams) = Server::at("udp://127.0.0.1:0").dgram()?;
    /// let device = UdpSocket::bind("127.0.0.1:0").unwrap();
    /// device.connect(("127.0.0.1", datagrams.socket().port()?)).unwrap();
    /// let hello = loop {
    ///     let _ = device.send(b"hello"); // what is sent before libzmq listens is lost
    ///     if let Ok(message) = datagrams.recv_timeout(Duration::from_millis(10)) {
    ///         break message;
    ///     }
    /// };
    /// assert_eq!(hello[1], b"hello");
    /// send(&[&hello[0], b"good day"])?;
    ///
    /// let mut answer = [0; 8];
    /// device.recv(&mut answer).unwrap();
    /// assert_eq!(&answer, b"good day");
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn dgram(&self) -> Result<(Sender, Receiver)> {
        Ok(sender_and_receiver(self.open(Pattern::Dgram, Vec::new())?))
    }
}
