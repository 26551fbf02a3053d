//! The recipes of sockets: what `Server` and `Client` have in common.

mod client;
mod server;

use std::time::Duration;

use crate::engine::Pattern;
use crate::error::Result;
use crate::handle::{Publisher, Receiver, Sender, Subscriber, sender_and_receiver};
use crate::topic;

pub use client::Client;
pub use server::Server;

/// Writes the options that a recipe has, into its fields `options` and `fault`.
///
/// They are methods of the recipe, not of a trait, so that users need not import a trait.
macro_rules! option_methods {
    ($Recipe:ident) => {
        /// # Options
        ///
        /// They hold for each socket that is opened from the recipe afterwards.
        impl $Recipe {
            /// Sets how long any call, step of iteration and closing drop may block.
            ///
            /// Without it they wait for as long as it takes. The time is kept to the millisecond, rounded up;
            /// [`Duration::ZERO`] is for not waiting at all. When it has passed, a call returns an error of kind
            /// [`TimedOut`](crate::ErrorPattern::TimedOut), and iteration ends; both may be tried again. The closing drop
            /// of the process's last socket gives up what has not been delivered by then, unless
            /// [`linger`](Self::linger) says otherwise.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::{ErrorKind, Server};
            ///
            /// let pull = Server::new(0).timeout(Duration::from_millis(10)).pull()?;
            /// assert_eq!(pull.recv().unwrap_err().kind(), ErrorPattern::TimedOut);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn timeout(&mut self, timeout: Duration) -> &mut Self {
                self.options.timeout = Some(timeout);
                self
            }

            /// Sets how long the closing drop may wait to deliver what was sent.
            ///
            /// The default is the [`timeout`](Self::timeout), or for ever if there is none. The time runs from the
            /// moment the socket closes, but it is waited for only when the *last* socket of the process closes: until
            /// then, libzmq delivers in the background.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::Client;
            ///
            /// let push = Client::new().connect_local(9).linger(Duration::from_millis(10)).push()?;
            /// push(&[b"no one listens there"])?;
            /// drop(push); // returns all the same
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn linger(&mut self, linger: Duration) -> &mut Self {
                self.options.linger = Some(linger);
                self
            }

            /// Sets how many messages are queued each way for each peer, before sending waits or drops.
            ///
            /// The default is libzmq's, 1000 each way. 0 is for no limit, except memory. When the queue of every
            /// peer is full, `push`, `request`, `dealer` and `pair` wait; `router` and `stream` wait when that of the
            /// one peer is full that the message is for; `publish`, `xpublish` and `reply` drop the message for a peer
            /// that has no room.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorPattern::InvalidInput) for more than
            /// 2,147,483,647.
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let pull = Server::new(0).high_water_mark(10).pull()?;
            /// let push = Client::new().connect_local(pull.socket().port()?).high_water_mark(10).push()?;
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn high_water_mark(&mut self, messages: u32) -> &mut Self {
                let outcome = self.options.set_high_water_mark(messages);
                self.note(outcome);
                self
            }

            /// Sets the routing id under which a [`router`](Self::router) knows this socket.
            ///
            /// Without it, the router makes one up for each connection. With it, a client that connects again is the
            /// same as before to the router; so let no two of its clients have the same: the one that came last
            /// would get what is sent to both. It matters to `dealer`, `request`, `reply` and `router` alone.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorPattern::InvalidInput) unless it is 1 to 255
            /// bytes, of which the first is not zero.
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let (send, messages) = Server::new(0).router()?;
            /// let port = messages.socket().port()?;
            /// let (say, hear) = Client::new().connect_local(port).identity("worker 1").dealer()?;
            /// say(&[b"ready"])?;
            /// assert_eq!(messages.recv()?, [&b"worker 1"[..], b"ready"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn identity(&mut self, identity: impl AsRef<[u8]>) -> &mut Self {
                let outcome = self.options.set_identity(identity.as_ref());
                self.note(outcome);
                self
            }

            /// Sets how often to ask a silent peer whether it is still there.
            ///
            /// A peer that dies is noticed at once, since its system closes the connection. One whose machine loses
            /// its power or its network is not, and a server would queue for it until the high-water mark. With
            /// heartbeats, a connection on which nothing has come for about two intervals is dropped; a client then
            /// connects again. The other side is told to expect them, so one side is enough. Over `inproc` it means
            /// nothing. The time is kept to the millisecond, and sensible from a tenth of a second or so.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorPattern::InvalidInput) for
            /// [`Duration::ZERO`].
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::Server;
            ///
            /// let push = Server::new(0).heartbeat(Duration::from_secs(5)).push()?;
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn heartbeat(&mut self, interval: Duration) -> &mut Self {
                let outcome = self.options.set_heartbeat(interval);
                self.note(outcome);
                self
            }

            /// Sets the size of frame, in bytes, beyond which a peer is disconnected.
            ///
            /// Without it there is no limit except memory. It holds for each frame that is received, as libzmq knows no
            /// limit for whole messages, and not over `inproc`. Nothing of the message arrives; a client connects
            /// again, and goes on with its next message.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorPattern::InvalidInput) for 0 and for more than
            /// 9,223,372,036,854,775,807.
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let pull = Server::new(0).max_message_size(1024).pull()?;
            /// let push = Client::new().connect_local(pull.socket().port()?).push()?;
            /// push(&[&[0; 1024]])?;
            /// assert_eq!(pull.recv()?, [[0; 1024]]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn max_message_size(&mut self, bytes: u64) -> &mut Self {
                let outcome = self.options.set_max_message_size(bytes);
                self.note(outcome);
                self
            }

            /// Has a function set any other option of libzmq's, before the socket binds or connects.
            ///
            /// It is called for each socket that is opened from the recipe, after all that this crate has set, so it
            /// has the last word. Several are called in order. Only who is let in is not for it to say: libzmq would let
            /// in everyone if nobody is there to be asked, or end the process.
            ///
            /// # Errors
            ///
            /// The pattern method returns what the function returns, and
            /// [`InvalidInput`](crate::ErrorPattern::InvalidInput) if it has made the socket a server of PLAIN or CURVE, or
            /// set its ZAP domain.
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::Server;
            ///
            /// let pull = Server::new(0).configure(|socket| socket.set_backlog(1000)).pull()?;
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn configure<F>(&mut self, configure: F) -> &mut Self
            where
                F: Fn(&zmq::Socket) -> zmq::Result<()> + Send + Sync + 'static,
            {
                self.options.configure.push(std::sync::Arc::new(configure));
                self
            }

            /// Keeps the first fault of the recipe, until a pattern method returns it.
            fn note(&mut self, outcome: Result<()>) {
                if let (None, Err(error)) = (&self.fault, outcome) {
                    self.fault = Some(error);
                }
            }

            fn check(&self) -> Result<()> {
                self.fault.clone().map_or(Ok(()), Err)
            }
        }
    };
}

/// Writes the patterns that a recipe can open, by its method `open(pattern, topics)`.
macro_rules! pattern_methods {
    ($Recipe:ident) => {
        /// # Patterns
        ///
        /// Each opens one socket and returns its handles, without blocking. All of them fail with the first fault of
        /// the recipe, and with what libzmq says of the address: [`AddrInUse`](crate::ErrorPattern::AddrInUse),
        /// [`AddrNotAvailable`](crate::ErrorPattern::AddrNotAvailable),
        /// [`PermissionDenied`](crate::ErrorPattern::PermissionDenied), or
        /// [`Exhausted`](crate::ErrorPattern::Exhausted) when no file descriptor is left. Only where the port, or the last
        /// descriptor, was let go of by this process within the last second do they wait, up to a second, as libzmq
        /// frees them in the background.
        impl $Recipe {
            /// Opens the sending end of push/pull: each message goes to one of the pullers, in turn. Does not block.
            ///
            /// Sending waits while every connected puller's queue is full. A client queues for a server that is not
            /// there yet; a server waits for its first client.
            ///
            /// # Errors
            ///
            /// As [above](#patterns).
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let mut pull = Server::new(0).pull()?;
            /// let push = Client::new().connect_local(pull.socket().port()?).push()?;
            /// push(&[b"1", b"Msg1"])?;
            /// assert_eq!(pull.next().unwrap(), [b"1".to_vec(), b"Msg1".to_vec()]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn push(&self) -> Result<Sender> {
                Ok(Sender::new(self.open(Pattern::Push, Vec::new())?))
            }

            /// Opens the receiving end of push/pull: takes messages of all pushers, in fair turns. Does not block.
            ///
            /// # Errors
            ///
            /// As [above](#patterns).
            ///
            /// # Examples
            ///
            /// As [`push`](Self::push).
            pub fn pull(&self) -> Result<Receiver> {
                Ok(Receiver::new(self.open(Pattern::Pull, Vec::new())?))
            }

            /// Opens the sending end of publish/subscribe: each message goes to all who subscribed to its beginning.
            /// Does not block.
            ///
            /// Neither does sending: a subscriber who is not there, or not yet, or too slow, misses the message.
            /// [`Publisher::wait_for_subscribers`] waits until they are there.
            ///
            /// # Errors
            ///
            /// As [above](#patterns).
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
            /// publish(&[b"weather", b"rain"])?;
            /// publish(&[b"sport", b"2:1"])?;
            /// assert_eq!(news.next().unwrap(), [b"sport".to_vec(), b"2:1".to_vec()]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn publish(&self) -> Result<Publisher> {
                Ok(Publisher::new(self.open(Pattern::Publish, Vec::new())?))
            }

            /// Opens the receiving end of publish/subscribe: takes the messages that begin with one of the topics.
            /// Does not block.
            ///
            /// A topic is any bytes, and fits each message whose first frame begins with them: `["a"]` takes `"a"`
            /// and `"abc"`, `[""]` takes everything. With no topics, nothing comes until
            /// [`Subscriber::subscribe`].
            ///
            /// A *server* that subscribes asks the publishers that connect to it only while it receives, so it misses
            /// what they publish before. The log warns of it; better let the publisher be the server.
            ///
            /// # Errors
            ///
            /// As [above](#patterns), and [`InvalidInput`](crate::ErrorPattern::InvalidInput) for a topic of 246 to 255
            /// bytes, which libzmq 4.3.4 would never find in a message.
            ///
            /// # Examples
            ///
            /// As [`publish`](Self::publish).
            pub fn subscribe<I>(&self, topics: I) -> Result<Subscriber>
            where
                I: IntoIterator<Item: AsRef<[u8]>>,
            {
                let topics = topic::collect(topics)?;
                Ok(Subscriber::new(self.open(Pattern::Subscribe, topics)?))
            }

            /// Opens the asking end of request/reply: send a request, receive its reply, in turns. Does not block.
            ///
            /// If no reply comes in time, just ask again: a reply to an earlier request is never taken for one to a
            /// later. (So says libzmq's `REQ_CORRELATE`, which puts one frame more before the request than a
            /// hand-written router might expect.) The server may have got both requests by then.
            ///
            /// There is one request at a time: whoever sends a second one gives up the first. Threads that ask at the
            /// same time each want a socket of their own.
            ///
            /// # Errors
            ///
            /// As [above](#patterns). Receiving without a request fails with
            /// [`OutOfTurn`](crate::ErrorPattern::OutOfTurn).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::thread;
            /// use zeroless::{Client, Server};
            ///
            /// let (reply, requests) = Server::new(0).reply()?;
            /// let port = requests.socket().port()?;
            /// thread::spawn(move || {
            ///     for request in requests {
            ///         reply.send(&request).unwrap();
            ///     }
            /// });
            ///
            /// let (request, mut replies) = Client::new().connect_local(port).request()?;
            /// request(&[b"hello"])?;
            /// assert_eq!(replies.next().unwrap(), [b"hello".to_vec()]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn request(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Request, Vec::new())?))
            }

            /// Opens the answering end of request/reply: receive a request, send its reply, in turns. Does not block.
            ///
            /// The reply goes to whoever sent the request. If that one is gone, libzmq drops the reply. A request that is
            /// not well formed is dropped. (To libzmq, and to its peers, the socket is a `ROUTER`.)
            ///
            /// # Errors
            ///
            /// As [above](#patterns). Sending without a request, or receiving the next before the reply is sent,
            /// fails with [`OutOfTurn`](crate::ErrorPattern::OutOfTurn).
            ///
            /// # Examples
            ///
            /// As [`request`](Self::request).
            pub fn reply(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Reply, Vec::new())?))
            }

            /// Opens one end of a pair: both send and receive as they like, and there is no third. Does not block.
            ///
            /// A server's pair talks to the client that came first. libzmq turns others away without telling them,
            /// until the first is gone, and what they have sent by then is lost; so this is not for peers that come
            /// and go.
            ///
            /// # Errors
            ///
            /// As [above](#patterns), and [`AlreadyConnected`](crate::ErrorPattern::AlreadyConnected) for a client with
            /// two addresses.
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let (say, mut hear) = Server::new(0).pair()?;
            /// let (answer, mut listen) = Client::new().connect_local(hear.socket().port()?).pair()?;
            /// say(&[b"knock, knock"])?;
            /// assert_eq!(listen.next().unwrap(), [b"knock, knock".to_vec()]);
            /// answer(&[b"who's there?"])?;
            /// assert_eq!(hear.next().unwrap(), [b"who's there?".to_vec()]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn pair(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Pair, Vec::new())?))
            }

            /// Opens a dealer: a request end that takes no turns. Does not block.
            ///
            /// It sends any number of messages before the first answer, each to one of its peers, in turn, and
            /// receives what its peers send, in fair turns. Sending waits while the queues of all peers are full, as
            /// with [`push`](Self::push).
            ///
            /// Its peers are mostly [`router`](Self::router)s, which answer as they like, and `reply` sockets. To the
            /// latter, and from them, the message proper begins after an empty frame: send `&[b"", b"question"]`.
            ///
            /// # Errors
            ///
            /// As [above](#patterns).
            ///
            /// # Examples
            ///
            /// As [`router`](Self::router).
            pub fn dealer(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Dealer, Vec::new())?))
            }

            /// Opens a router: it knows its peers apart, and sends to the one it means. Does not block.
            ///
            /// What it receives begins with a frame more: the routing id of the peer that it came from. What it sends
            /// begins with the routing id of the peer that it is for. The id is the peer's
            /// [`identity`](Self::identity), or else one that libzmq has made up for this connection. If a peer comes
            /// with the identity of another, the newer one takes its place.
            ///
            /// Sending waits while the queue of that one peer is full. So a peer that does not read holds up the
            /// thread that sends to it; a [`timeout`](Self::timeout) sets an end to that.
            ///
            /// A message from a `request` has its envelope behind the routing id: all frames up to the first empty
            /// one. Send it back before the reply, as it came.
            ///
            /// # Errors
            ///
            /// As [above](#patterns). Sending to a routing id that no peer has fails with
            /// [`NotConnected`](crate::ErrorPattern::NotConnected), and a message of one frame, which is to nobody or
            /// says nothing, with [`InvalidInput`](crate::ErrorPattern::InvalidInput).
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let (answer, questions) = Server::new(0).router()?;
            /// let (ask, answers) = Client::new().connect_local(questions.socket().port()?).dealer()?;
            /// ask(&[b"one"])?;
            /// ask(&[b"two"])?;
            /// for question in questions.iter().take(2) {
            ///     let [who, what] = question.as_slice() else { panic!("it is from a dealer") };
            ///     answer(&[who, &what.to_ascii_uppercase()])?;
            /// }
            /// assert_eq!(answers.recv()?, [b"ONE"]);
            /// assert_eq!(answers.recv()?, [b"TWO"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn router(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Router, Vec::new())?))
            }

            /// Opens a publishing end that sees subscriptions as messages. Does not block.
            ///
            /// It sends as [`publish`](Self::publish) does, and never waits. It receives a message of one frame for
            /// each topic that its subscribers begin or cease to be interested in: a byte 1 or 0, and the topic. This
            /// is for programs that pass subscriptions on, such as a [`proxy`](crate::proxy()), or that publish only
            /// what someone wants. Receive from it: what is left unread piles up without limit.
            ///
            /// It is told when the first subscriber comes to a topic and when the last one goes; to be told of each,
            /// [`configure`](Self::configure) it with [`set_xpub_verbose`](zmq::Socket::set_xpub_verbose).
            ///
            /// # Errors
            ///
            /// As [above](#patterns).
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let (publish, subscriptions) = Server::new(0).xpublish()?;
            /// let mut news = Client::new().connect_local(publish.socket().port()?).subscribe(["sport"])?;
            /// assert_eq!(subscriptions.recv()?, [b"\x01sport"]);
            /// publish(&[b"sport", b"2:1"])?;
            /// assert_eq!(news.recv()?, [&b"sport"[..], b"2:1"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn xpublish(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::XPublish, Vec::new())?))
            }

            /// Opens a subscribing end that subscribes by sending messages. Does not block.
            ///
            /// To subscribe, send one frame: a byte 1 and the topic; to unsubscribe, a byte 0 and the topic. Sending
            /// never waits. It receives as [`subscribe`](Self::subscribe) does, except that libzmq does not sort out
            /// what was published before an unsubscription arrived. This is for programs that pass subscriptions on,
            /// such as a [`proxy`](crate::proxy()). A server's subscriptions reach a publisher only while someone
            /// receives here.
            ///
            /// # Errors
            ///
            /// As [above](#patterns). Sending a topic of 246 to 255 bytes, which libzmq 4.3.4 would never find in a
            /// message, or a subscription of several frames, fails with
            /// [`InvalidInput`](crate::ErrorPattern::InvalidInput).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::{Client, Server};
            ///
            /// let publish = Server::new(0).publish()?;
            /// let (subscribe, news) = Client::new().connect_local(publish.socket().port()?).xsubscribe()?;
            /// subscribe(&[b"\x01sport"])?;
            /// publish.wait_for_subscribers(1, Duration::from_secs(10))?;
            /// publish(&[b"sport", b"2:1"])?;
            /// assert_eq!(news.recv()?, [&b"sport"[..], b"2:1"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn xsubscribe(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::XSubscribe, Vec::new())?))
            }

            /// Opens a raw TCP socket, for peers that do not speak ZeroMQ. Does not block.
            ///
            /// Each message has two frames, the routing id of a peer and bytes: those that have come from it, as many
            /// as there were, or those to send to it. TCP knows no messages, so what is sent at once may come in
            /// pieces. An *empty* second frame says that the peer has just connected or has left. To send one hangs
            /// up, after what was sent before; libzmq does so when someone next receives.
            ///
            /// Sending waits while the queue of that one peer is full, as with [`router`](Self::router).
            ///
            /// # Errors
            ///
            /// As [above](#patterns), and [`Unsupported`](crate::ErrorPattern::Unsupported) for an endpoint of another
            /// transport than `tcp`. Sending to a routing id that no peer has fails with
            /// [`NotConnected`](crate::ErrorPattern::NotConnected), and a message of other than two frames with
            /// [`InvalidInput`](crate::ErrorPattern::InvalidInput).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::io::{Read, Write};
            /// use std::net::TcpStream;
            /// use zeroless::Server;
            ///
            /// let (send, bytes) = Server::new(0).stream()?;
            /// let mut peer = TcpStream::connect(("127.0.0.1", bytes.socket().port()?)).unwrap();
            /// peer.write_all(b"hello").unwrap();
            ///
            /// let connected = bytes.recv()?;
            /// assert_eq!(connected[1], b"");
            /// let hello = bytes.recv()?;
            /// assert_eq!(hello, [&connected[0][..], b"hello"]);
            /// send.send(&[&hello[0][..], b"good day"])?;
            ///
            /// let mut answer = [0; 8];
            /// peer.read_exact(&mut answer).unwrap();
            /// assert_eq!(&answer, b"good day");
            /// drop(peer);
            /// assert_eq!(bytes.recv()?[1], b"");
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn stream(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Stream, Vec::new())?))
            }
        }
    };
}

option_methods!(Server);
pattern_methods!(Server);
option_methods!(Client);
pattern_methods!(Client);
