//! The recipes of sockets: what `Server` and `Client` have in common.

mod client;
mod draft;
mod job_options;
mod server;
mod warnings;

use std::time::Duration;

use crate::engine::Pattern;
use crate::error::{Error, Result};
use crate::handle::{Publisher, Receiver, Sender, Subscriber, sender_and_receiver};
use crate::topic;

pub use client::Client;
pub(crate) use job_options::JobOptions;
pub use server::Server;

/// Defines the option methods of a recipe, which set its fields `options`, `jobs` and `fault`.
///
/// They are methods of the recipe, not of a trait, so that users need not import a trait.
macro_rules! option_methods {
    ($Recipe:ident) => {
        /// # Options
        ///
        /// An option applies to each socket that is opened from the recipe afterwards.
        impl $Recipe {
            /// Sets how long a call, a step of iteration, or dropping the last handle may block.
            ///
            /// Without a timeout, each of them blocks as long as it takes. The time is rounded up to milliseconds.
            /// [`Duration::ZERO`] means not to wait at all.
            ///
            /// When the time has passed, a call returns [`TimedOut`](crate::ErrorKind::TimedOut), and iteration ends.
            /// You can then call or iterate again. When the last socket of the process closes, messages that are not
            /// delivered within this time are dropped, unless [`linger`](Self::linger) sets another time.
            ///
            /// For [`call`](Self::call), this is how long to wait for the answer. If no server is connected in this time,
            /// the error is [`NotConnected`](crate::ErrorKind::NotConnected).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::{ErrorKind, Server};
            ///
            /// let pull = Server::new(0).timeout(Duration::from_millis(10)).pull()?;
            /// assert_eq!(pull.recv().unwrap_err().kind(), ErrorKind::TimedOut);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn timeout(&mut self, timeout: Duration) -> &mut Self {
                self.options.timeout = Some(timeout);
                self
            }

            /// Sets how long closing the socket may wait to deliver what was sent.
            ///
            /// The default is the [`timeout`](Self::timeout), or forever if there is none, and a second for jobs. The time
            /// starts when the socket closes. But only closing the *last* socket of the process waits; until then, libzmq delivers in
            /// the background. If the time passes, messages that are not delivered are lost, and an error in the
            /// [log](crate#the-log) says so, where libzmq lets the crate know it. A `call` socket never waits, because a
            /// call that was not sent yet has been given up.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::Client;
            ///
            /// let push = Client::new().connect_local(9).linger(Duration::from_millis(10)).push()?;
            /// push(&[b"nothing listens there"])?;
            /// drop(push); // returns after the linger
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn linger(&mut self, linger: Duration) -> &mut Self {
                self.options.linger = Some(linger);
                self
            }

            /// Sets how many messages are queued for each peer, in each direction, before sending blocks or drops
            /// messages.
            ///
            /// The default is libzmq's: 1000 in each direction. 0 means no limit except memory. When there is no room,
            /// the pattern decides:
            ///
            /// * `push`, `request`, `dealer` and `pair` block while the queues of all peers are full.
            /// * `router` and `stream` block while the queue of the one peer that the message is for is full.
            /// * `publish`, `xpublish` and `reply` drop the message for a peer whose queue is full.
            /// * `call` waits while the queues of all servers are full, and `serve` drops the answer to a caller whose
            ///   queue is full. For these two, a queue has room for twice as many. [`Caller`](crate::Caller#when-to-set-a-timeout)
            ///   says why a caller with more threads than this needs a timeout.
            ///
            /// For [`dispatch`](Self::dispatch), this is how many jobs may have no outcome yet, before dispatching
            /// blocks. The default is 1000 jobs, and 0 means no limit.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for more than 2,147,483,647.
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

            /// Sets the routing id by which a [`router`](Self::router) knows this socket.
            ///
            /// Without it, the router generates an id for each connection. With it, a client that connects again keeps
            /// its id. Give each client of a router a different identity: if two clients have the same one, the client
            /// that connected last receives everything that is sent to that identity. It has an effect only for
            /// `dealer`, `request`, `reply` and `router`.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) unless the identity has 1 to
            /// 255 bytes and the first byte is not zero.
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

            /// Sets how often to check that a silent peer is still there.
            ///
            /// If a peer's process dies, its system closes the connection, and this socket notices at once. A heartbeat
            /// also detects a peer whose machine lost power or its network connection. Without a heartbeat, a server
            /// queues messages for such a peer until the high-water mark.
            ///
            /// A connection on which nothing has arrived for about two intervals is dropped; a client then connects
            /// again. The other side is told to expect heartbeats, so it is enough to set them on one side. Over
            /// `inproc` they have no effect. The time is rounded up to milliseconds. Use intervals of about a tenth of
            /// a second or longer.
            ///
            /// A heartbeat can also break a healthy connection that is busy, and the messages on their way are then
            /// lost. libzmq counts only whole messages as a sign of life, and a receiver whose queue is full stops
            /// reading. So use an interval that is longer than the longest transfer of a message, and longer than a
            /// receiver needs for a full queue. Opening `push` or `pull` with a heartbeat logs a warning.
            ///
            /// Most programs need no heartbeat, because TCP keepalive, which breaks no healthy connection, is on:
            /// [`keepalive`](Self::keepalive) compares the two.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for [`Duration::ZERO`].
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

            /// Sets after how much silence the operating system checks that a peer's machine is still there, over TCP.
            ///
            /// A machine that loses its power or its network does not close its connections. A program that only waits
            /// for messages of that machine would wait forever. Therefore the system probes a connection over which
            /// nothing has passed for this time. A healthy machine answers the probe by itself, even if its program is
            /// busy. If no answer comes, the system sends two more probes, each after another sixth of the time, but
            /// at least a second. Then it drops the connection: a client connects again, and a server frees what it
            /// kept for that peer.
            ///
            /// The default is 30 seconds, so such a connection is dropped after 45 seconds. The time is rounded up to
            /// whole seconds. [`Duration::ZERO`] turns keepalive off, for connections that may be cut for long and
            /// that must then continue without a new connection. Over `ipc` and `inproc` it has no effect.
            ///
            /// Use a [`heartbeat`](Self::heartbeat) instead in these cases:
            ///
            /// * Your libzmq ignores keepalive: see [the builds of libzmq](crate::guide::platforms).
            /// * The peer's program may be stopped while its machine continues to run. Its system then still answers.
            /// * You must know earlier than after about 15 minutes that a peer is lost while messages to it are on
            ///   their way. The system does not probe then; it only sends the data again.
            /// * A proxy or a tunnel stands between the two ends. It answers the probes itself.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for more than 32,767 seconds,
            /// and [`Unsupported`](crate::ErrorKind::Unsupported) if libzmq ignores keepalive and the time is not
            /// [`Duration::ZERO`].
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::{Client, ErrorKind};
            ///
            /// // Connects again 9 seconds after the last sign of the server's machine.
            /// match Client::new().connect_local(12345).keepalive(Duration::from_secs(6)).subscribe(["news"]) {
            ///     Ok(news) => println!("{news:?}"),
            ///     Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
            /// }
            /// ```
            pub fn keepalive(&mut self, idle: Duration) -> &mut Self {
                let outcome = self.options.set_keepalive(idle);
                self.note(outcome);
                self
            }

            /// Sets the largest frame, in bytes, that a peer may send. A peer that sends a larger frame is
            /// disconnected.
            ///
            /// Without it, there is no limit except memory. The limit applies to each frame that is received, because
            /// libzmq has no limit for whole messages. It does not apply over `inproc`. No part of a message with such
            /// a frame arrives. A client connects again and continues with its next message.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for 0 and for more than
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

            /// Sets any other option of libzmq, through a function that is called before the socket binds or connects.
            ///
            /// The function is called for each socket that is opened from the recipe. It runs after this crate has set
            /// its options, so it can override them. Several functions are called in order. A function must not set
            /// which clients are let in. Where this crate does not answer libzmq's questions about clients, libzmq lets
            /// everyone in, or terminates the process.
            ///
            /// # Errors
            ///
            /// The pattern method returns the function's error. It returns
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the function has set such an option: if it has made
            /// the socket a server of PLAIN or CURVE, or has set its ZAP domain.
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

            /// Sets how many times a job that is [dispatched](Self::dispatch) may start, if its workers die.
            ///
            /// The default is 3. When a job has started this many times, and each time its worker has died, has given
            /// the job back, or has exceeded the [`time_limit`](Self::time_limit), its outcome is an error. So a job
            /// that kills its workers does not kill all of them. A job that a worker fails is not tried again.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for 0.
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::Server;
            ///
            /// let (dispatch, outcomes) = Server::new(0).attempts(1).dispatch()?;
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn attempts(&mut self, attempts: u32) -> &mut Self {
                match attempts {
                    0 => self.note(Err(Error::invalid(
                        "cannot start a job in 0 attempts; give at least 1",
                    ))),
                    _ => self.jobs.attempts = attempts,
                }
                self
            }

            /// Sets how long a job that is [dispatched](Self::dispatch) may take before it is given to another worker.
            ///
            /// Without it, a job can take as long as its worker lives. If the first worker finishes the job after all,
            /// and no other one has, its result counts. Otherwise the work was done twice. So set it only where a worker
            /// can hang, and to a longer time than a job ever needs.
            ///
            /// # Errors
            ///
            /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for [`Duration::ZERO`].
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::Server;
            ///
            /// let (dispatch, outcomes) = Server::new(0).time_limit(Duration::from_secs(60)).dispatch()?;
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn time_limit(&mut self, time_limit: Duration) -> &mut Self {
                match time_limit.is_zero() {
                    true => self.note(Err(Error::invalid(
                        "cannot limit jobs to no time; give a longer time, or do not call time_limit",
                    ))),
                    false => self.jobs.time_limit = Some(time_limit),
                }
                self
            }

            /// Keeps the first error in the recipe, for the pattern methods to return.
            fn note(&mut self, outcome: Result<()>) {
                if let (None, Err(error)) = (&self.fault, outcome) {
                    self.fault = Some(error);
                }
            }

            /// Fails with the first error in the recipe.
            pub(crate) fn check(&self) -> Result<()> {
                self.fault.clone().map_or(Ok(()), Err)
            }
        }
    };
}

/// Defines the pattern methods of a recipe, which call its method `open(pattern, topics)`.
macro_rules! pattern_methods {
    ($Recipe:ident) => {
        /// # Patterns
        ///
        /// Each method opens one socket and returns its handles. Every method returns the first error in the recipe. It
        /// also returns what libzmq or the operating system reports for an address:
        /// [`AddrInUse`](crate::ErrorKind::AddrInUse), [`AddrNotAvailable`](crate::ErrorKind::AddrNotAvailable),
        /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied), or [`Exhausted`](crate::ErrorKind::Exhausted) if
        /// no file descriptor is left.
        ///
        /// The methods do not block, with one exception. If this process has closed a socket within the last second,
        /// and the new socket needs its port, its `ipc` path or its file descriptors, they wait for up to a second,
        /// because libzmq frees them in the background.
        impl $Recipe {
            /// Opens the sending end of push/pull: each message goes to one of the pullers, in turn.
            ///
            /// Sending blocks while the queues of all connected pullers are full. A client queues messages for a server
            /// that is not there yet; on a server, sending blocks until the first client is connected.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns).
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

            /// Opens the receiving end of push/pull: receives the messages of all pushers, from each in turn.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns).
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let pull = Server::new(0).pull()?;
            /// let push = Client::new().connect_local(pull.socket().port()?).push()?;
            /// push(&[b"job"])?;
            /// assert_eq!(pull.recv()?, [b"job"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn pull(&self) -> Result<Receiver> {
                Ok(Receiver::new(self.open(Pattern::Pull, Vec::new())?))
            }

            /// Opens the sending end of publish/subscribe: each message goes to all subscribers of its topic.
            ///
            /// The topic is the beginning of the first frame. Sending never blocks. A subscriber that is not connected,
            /// has not subscribed yet, or is too slow misses the message. [`Publisher::wait_for_subscribers`] blocks
            /// until subscribers have arrived.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns).
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

            /// Opens the receiving end of publish/subscribe: receives the messages that begin with one of the topics.
            ///
            /// A topic is any bytes. It matches each message whose first frame begins with these bytes: `["a"]` matches
            /// `"a"` and `"abc"`, and `[""]` matches everything. Without topics, nothing arrives until
            /// [`Subscriber::subscribe`] adds one.
            ///
            /// A *server* that subscribes sends its topics to publishers only while a thread receives. So it misses
            /// what a publisher sends between connecting and that moment. The log warns about it. If you can, make the
            /// publisher the server.
            ///
            /// If a publisher is restarted, a *client* that subscribes tells it its topics when it next receives, and
            /// misses what the publisher sends before that.
            ///
            /// # Errors
            ///
            /// Fails with [`InvalidInput`](crate::ErrorKind::InvalidInput) for a topic of 246 to 255 bytes if libzmq is
            /// older than 4.3.5, because it never matches such a topic with a message. Otherwise fails with the first
            /// error in the recipe, or if an address cannot be used; the kinds are listed [above](#patterns).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::time::Duration;
            /// use zeroless::{Client, Server};
            ///
            /// let publish = Server::new(0).publish()?;
            /// let news = Client::new().connect_local(publish.socket().port()?).subscribe(["sport", "weather"])?;
            /// publish.wait_for_subscribers(2, Duration::from_secs(5))?;
            ///
            /// publish(&[b"weather", b"rain"])?;
            /// assert_eq!(news.recv()?, [b"weather".to_vec(), b"rain".to_vec()]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn subscribe<I>(&self, topics: I) -> Result<Subscriber>
            where
                I: IntoIterator<Item: AsRef<[u8]>>,
            {
                let topics = topic::collect(topics)?;
                Ok(Subscriber::new(self.open(Pattern::Subscribe, topics)?))
            }

            /// Opens the asking end of request/reply: send a request, then receive its reply.
            ///
            /// If no reply arrives in time, send the request again. The reply to an earlier request is never returned
            /// for a later one. (libzmq's `REQ_CORRELATE` ensures this. It puts one more frame before the request,
            /// which a server that is a [`router`](Self::router) may not expect.) The server may receive both requests.
            /// After [`Denied`](crate::ErrorKind::Denied), do not send it again: this socket gets no reply anymore.
            ///
            /// **It is not for sharing by threads: use [`call`](Self::call).** There is one request at a time: sending a
            /// second one abandons the first, and a reply goes to the thread that receives next.
            ///
            /// Set a [`timeout`](Self::timeout). If the connection is lost after a request was sent, libzmq connects again
            /// but does not send the request again, so without a timeout you would wait for its reply forever.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns). On the handles, receiving without a request fails with
            /// [`OutOfTurn`](crate::ErrorKind::OutOfTurn).
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

            /// Opens the answering end of request/reply: receive a request, then send its reply.
            ///
            /// The reply goes to the client that sent the request. If that client is gone, libzmq drops the reply. A
            /// malformed request is dropped. (To libzmq and to the peers, the socket is a `ROUTER`.)
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns). On the handles, sending without a request, and receiving the next request before the
            /// reply is sent, fail with [`OutOfTurn`](crate::ErrorKind::OutOfTurn).
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let (reply, requests) = Server::new(0).reply()?;
            /// let (request, replies) = Client::new().connect_local(requests.socket().port()?).request()?;
            /// request(&[b"ping"])?;
            /// assert_eq!(requests.recv()?, [b"ping"]);
            /// reply(&[b"pong"])?;
            /// assert_eq!(replies.recv()?, [b"pong"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn reply(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Reply, Vec::new())?))
            }

            /// Opens one end of a pair: two ends that both send and receive at any time. A pair never has a third end.
            ///
            /// A server's pair talks to the client that connects first. libzmq refuses other clients without telling
            /// them, until the first client has gone. What the others have sent by then is lost. So do not use a pair
            /// for peers that come and go.
            ///
            /// # Errors
            ///
            /// Fails with [`AlreadyConnected`](crate::ErrorKind::AlreadyConnected) for a client with two addresses.
            /// Otherwise fails with the first error in the recipe, or if an address cannot be used; the kinds are
            /// listed [above](#patterns).
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

            /// Opens a dealer: it sends requests without waiting for the reply to the last one.
            ///
            /// It sends any number of messages before the first answer, each to one of its peers, in turn. It receives
            /// what its peers send, from each in turn. Sending blocks while the queues of all peers are full, as with
            /// [`push`](Self::push).
            ///
            /// Its peers are mostly [`router`](Self::router)s, which answer in any order, and `reply` sockets. To a
            /// `reply` socket, send an empty frame before the message: `&[b"", b"question"]`. The answers of a `reply`
            /// socket begin with an empty frame, too.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns).
            ///
            /// # Examples
            ///
            /// ```
            /// use zeroless::{Client, Server};
            ///
            /// let (reply, requests) = Server::new(0).reply()?;
            /// let (ask, answers) = Client::new().connect_local(requests.socket().port()?).dealer()?;
            /// ask(&[b"", b"one"])?; // the empty frame is for the `reply` socket
            /// ask(&[b"", b"two"])?;
            /// for request in requests.iter().take(2) {
            ///     reply(&[&request[0].to_ascii_uppercase()])?;
            /// }
            /// assert_eq!(answers.recv()?, [&b""[..], b"ONE"]);
            /// assert_eq!(answers.recv()?, [&b""[..], b"TWO"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn dealer(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Dealer, Vec::new())?))
            }

            /// Opens a router: it sends each message to a chosen peer.
            ///
            /// A received message begins with an additional frame: the routing id of the peer that sent it. A message
            /// to send must begin with the routing id of the peer that it is for. The id is the peer's
            /// [`identity`](Self::identity), or an id that libzmq generates for the connection. If a peer connects with
            /// the identity of another peer, the newer peer replaces the older one.
            ///
            /// Sending blocks while the queue of that one peer is full. So a peer that does not read blocks the thread
            /// that sends to it; a [`timeout`](Self::timeout) limits the wait.
            ///
            /// A message from a `request` has its envelope after the routing id: all frames up to and including the
            /// first empty one. Send the envelope back unchanged, before the reply.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns). On the handles, sending to a routing id that no peer has fails with
            /// [`NotConnected`](crate::ErrorKind::NotConnected). A message of one frame, which lacks a routing id or
            /// content, fails with [`InvalidInput`](crate::ErrorKind::InvalidInput).
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
            ///     let [who, what] = question.as_slice() else { panic!("a dealer sent one frame") };
            ///     answer(&[who, &what.to_ascii_uppercase()])?;
            /// }
            /// assert_eq!(answers.recv()?, [b"ONE"]);
            /// assert_eq!(answers.recv()?, [b"TWO"]);
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn router(&self) -> Result<(Sender, Receiver)> {
                Ok(sender_and_receiver(self.open(Pattern::Router, Vec::new())?))
            }

            /// Opens a publishing end that receives subscriptions as messages.
            ///
            /// It sends as [`publish`](Self::publish) does, and never blocks. When the first subscriber of a topic
            /// arrives and when the last one leaves, it receives a message of one frame: a byte 1 or 0, and the topic.
            /// To receive one for each subscriber that arrives, [`configure`](Self::configure) the socket with
            /// [`set_xpub_verbose`](zmq::Socket::set_xpub_verbose).
            ///
            /// This is for programs that pass subscriptions on, such as a [`proxy`](crate::proxy()), or that publish
            /// only what has subscribers. Keep receiving from it: unread subscriptions accumulate without limit.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns).
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

            /// Opens a subscribing end that subscribes by sending messages.
            ///
            /// To subscribe, send one frame: a byte 1 and the topic. To unsubscribe, send a byte 0 and the topic.
            /// Sending never blocks. It receives as [`subscribe`](Self::subscribe) does, except that it still receives
            /// what was published before an unsubscription arrived at the publisher. A server's subscriptions reach a
            /// publisher only while a thread receives here.
            ///
            /// This is for programs that pass subscriptions on, such as a [`proxy`](crate::proxy()).
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns). On the handles, sending a subscription of several frames fails with
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput). So does sending a topic of 246 to 255 bytes if libzmq
            /// is older than 4.3.5, because it never matches such a topic with a message.
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

            /// Opens a raw TCP socket, for peers that do not speak ZeroMQ.
            ///
            /// Each message has two frames: the routing id of a peer, and bytes. A received message has all bytes that
            /// have arrived from that peer; a message to send has the bytes for that peer. TCP has no messages, so what
            /// one call sends may arrive in pieces. A received message with an *empty* second frame means that the peer
            /// has just connected or has left. Sending a message with an empty second frame closes the connection,
            /// after everything that was sent before; libzmq does so when a thread next receives.
            ///
            /// Sending blocks while the queue of that one peer is full, as with [`router`](Self::router).
            ///
            /// # Errors
            ///
            /// Fails with [`Unsupported`](crate::ErrorKind::Unsupported) for an endpoint of another transport than
            /// `tcp`, and for a recipe that calls `curve`, `plain`, `allow` or `deny`. Otherwise fails with the first
            /// error in the recipe, or if an address cannot be used; the kinds are listed [above](#patterns). On the
            /// handles, sending to a routing id that no peer has fails with
            /// [`NotConnected`](crate::ErrorKind::NotConnected), and sending a message that does not have two frames
            /// with [`InvalidInput`](crate::ErrorKind::InvalidInput).
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
