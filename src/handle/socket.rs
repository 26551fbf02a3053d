//! The socket that the handles of a pattern share.

use std::fmt;
use std::sync::Arc;

use crate::endpoint;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// The socket that the handles of one pattern share, returned by a handle's `socket()`.
///
/// From any thread, you can read its port, connect, disconnect and unbind it while it is in use, and close it.
///
/// Holding a `Socket` does not keep it open: only the senders and receivers of the pattern do. So you can give it to a
/// Ctrl-C handler, and the socket still closes when its handles are dropped.
///
/// # After it is closed
///
/// These things happen after [`close`](Self::close), and also after the last handle was dropped:
///
/// * Iteration ends within a moment in all threads, also in those that are blocked.
/// * Sending, receiving, connecting, disconnecting, unbinding and subscribing fail with [`Closed`](crate::ErrorKind::Closed).
/// * What was sent is delivered in the background, for as long as the recipe's `linger` allows.
/// * What had arrived and was not received is lost.
/// * [`port`](Self::port) and [`endpoints`](Self::endpoints) still return what they returned before.
/// * Closing again does nothing.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use zeroless::Server;
///
/// let pull = Server::new(0).pull()?;
/// let socket = pull.socket();
/// thread::spawn(move || socket.close());
/// assert_eq!(pull.iter().count(), 0); // ends when the other thread has closed
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone)]
pub struct Socket {
    engine: Arc<Engine>,
}

impl Socket {
    pub(crate) fn new(engine: Arc<Engine>) -> Socket {
        Socket { engine }
    }

    /// Returns the port that the server listens on over TCP or UDP, the first one if there are several.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a client, and for a server over another transport: they
    /// have no port.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let pull = Server::new(0).pull()?;
    /// let push = Client::new().connect_local(pull.socket().port()?).push()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn port(&self) -> Result<u16> {
        self.engine
            .bound()
            .iter()
            .find_map(|endpoint| endpoint::port_of(endpoint))
            .ok_or_else(|| {
                let label = self.engine.label();
                Error::invalid(format!(
                    "{label}: it has no port; only a server over tcp or udp listens on a port"
                ))
            })
    }

    /// Returns the endpoints that the socket is bound to, followed by those that it is connected to.
    ///
    /// A bound endpoint is shown as libzmq resolved it, with the actual port instead of port 0.
    ///
    /// # Examples
    ///
    /// ```
    /// let push = zeroless::Client::new().connect("example.com", 5555).push()?;
    /// assert_eq!(push.socket().endpoints(), ["tcp://example.com:5555"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn endpoints(&self) -> Vec<String> {
        let mut endpoints = self.engine.bound();
        endpoints.append(&mut self.engine.connected());
        endpoints
    }

    /// Returns the routing id of the peer at an endpoint that this [`peer`](crate::Client::peer) is connected to: the first
    /// frame of a message to it.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for an endpoint that the socket is not connected to.
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a socket of another pattern. A [`router`](crate::Server::router)
    ///   learns the routing id of a peer from the peer's messages, or from its [`identity`](crate::Client::identity).
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    #[cfg_attr(draft, doc = "```")]
    #[cfg_attr(not(draft), doc = "```ignore")]
    /// use zeroless::{Client, Server};
    ///
    /// let (_, messages) = Server::at("inproc://other").peer()?;
    /// let (send, _) = Client::new().connect_to("inproc://other").peer()?;
    /// let other = send.socket().routing_id("inproc://other")?;
    /// send(&[&other, b"hello"])?;
    /// assert_eq!(messages.recv()?[1], b"hello");
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn routing_id(&self, endpoint: impl AsRef<str>) -> Result<Vec<u8>> {
        self.engine.routing_id(endpoint.as_ref())
    }

    /// Connects to one more server, by its host and port. Does not block: libzmq connects in the background.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for text that is neither a host name nor an IP address, and
    ///   for port 0.
    /// * [`AlreadyConnected`](crate::ErrorKind::AlreadyConnected) for an address that the socket is connected to
    ///   already, and for a pair that has, or had, its one peer.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let push = Client::new().push()?;
    /// let mut pull = Server::new(0).pull()?;
    /// push.socket().connect("127.0.0.1", pull.socket().port()?)?;
    /// push(&[b"hello"])?;
    /// assert_eq!(pull.next().unwrap(), [b"hello".to_vec()]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn connect(&self, host: impl AsRef<str>, port: u16) -> Result<()> {
        self.engine.connect(&endpoint::to_connect(host.as_ref(), port)?)
    }

    /// Connects to one more server on this machine, by its port. Does not block: libzmq connects in the background.
    ///
    /// # Errors
    ///
    /// Fails as [`connect`](Self::connect) does: `InvalidInput` for port 0, `AlreadyConnected` for a port that the
    /// socket is connected to already and for a pair that has or had its peer, and `Closed` if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let push = Client::new().push()?;
    /// let pull = Server::new(0).pull()?;
    /// push.socket().connect_local(pull.socket().port()?)?;
    /// push(&[b"hello"])?;
    /// assert_eq!(pull.recv()?, [b"hello"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn connect_local(&self, port: u16) -> Result<()> {
        self.engine.connect(&endpoint::to_connect_locally(port)?)
    }

    /// Connects to one more server, by any libzmq endpoint. Does not block: libzmq connects in the background.
    ///
    /// # Errors
    ///
    /// Fails as [`connect`](Self::connect) does, with `InvalidInput` for a malformed endpoint, and with
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a scheme that the pattern does not speak: most speak `tcp`,
    /// `ipc` and `inproc`, a `stream` only `tcp`, and a `radio` also `udp`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let mut pull = Server::at("inproc://anywhere").pull()?;
    /// let push = Client::new().push()?;
    /// push.socket().connect_to("inproc://anywhere")?;
    /// push(&[b"hello"])?;
    /// assert_eq!(pull.next().unwrap(), [b"hello".to_vec()]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn connect_to(&self, endpoint: impl AsRef<str>) -> Result<()> {
        let endpoint = endpoint.as_ref();
        endpoint::check_connectable(endpoint)?;
        self.engine.connect(endpoint)
    }

    /// Disconnects from a server, by its host and port.
    ///
    /// Blocks until libzmq can close the connection: usually for less than a millisecond, and for at most 50
    /// milliseconds. If libzmq needs longer, it closes the connection when the socket is next used. Until then the
    /// server may still send messages to this socket, and they are lost.
    ///
    /// Messages that are still queued for it are delivered in the background, for as long as the recipe's `linger`
    /// allows, and are dropped after that.
    ///
    /// libzmq may have given up the server already: an `inproc` server has closed, or
    /// [`configure`](crate::Client::configure) has turned reconnecting off. Then disconnecting only removes the endpoint
    /// from [`endpoints`](Self::endpoints), so that you can connect to it again.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for an address that the socket is not connected to.
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for text that is neither a host name nor an IP address, and
    ///   for port 0.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, ErrorKind};
    ///
    /// let push = Client::new().connect("127.0.0.1", 5555).push()?;
    /// push.socket().disconnect("127.0.0.1", 5555)?;
    /// let error = push.socket().disconnect("127.0.0.1", 5555).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotConnected);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn disconnect(&self, host: impl AsRef<str>, port: u16) -> Result<()> {
        self.engine.disconnect(&endpoint::to_connect(host.as_ref(), port)?)
    }

    /// Disconnects from a server on this machine, by its port.
    ///
    /// Blocks as [`disconnect`](Self::disconnect) does: for at most 50 milliseconds.
    ///
    /// # Errors
    ///
    /// Fails as [`disconnect`](Self::disconnect) does: `NotConnected` for a port that the socket is not connected to,
    /// `InvalidInput` for port 0, and `Closed` if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let push = zeroless::Client::new().connect_local(5555).push()?;
    /// push.socket().disconnect_local(5555)?;
    /// assert!(push.socket().endpoints().is_empty());
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn disconnect_local(&self, port: u16) -> Result<()> {
        self.engine.disconnect(&endpoint::to_connect_locally(port)?)
    }

    /// Disconnects from a server, by its endpoint.
    ///
    /// Blocks as [`disconnect`](Self::disconnect) does: for at most 50 milliseconds.
    ///
    /// # Errors
    ///
    /// Fails as [`disconnect`](Self::disconnect) does: `NotConnected` for an endpoint that the socket is not connected
    /// to, and `Closed` if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let push = zeroless::Client::new().connect_to("ipc:///tmp/jobs").push()?;
    /// push.socket().disconnect_from("ipc:///tmp/jobs")?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn disconnect_from(&self, endpoint: impl AsRef<str>) -> Result<()> {
        self.engine.disconnect(endpoint.as_ref())
    }

    /// Disconnects from all servers.
    ///
    /// Blocks for each of them as [`disconnect`](Self::disconnect) does: for at most 50 milliseconds.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let push = zeroless::Client::new().connect("127.0.0.1", 5555).connect("127.0.0.1", 5556).push()?;
    /// push.socket().disconnect_all()?;
    /// assert!(push.socket().endpoints().is_empty());
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn disconnect_all(&self) -> Result<()> {
        self.engine.disconnect_all()
    }

    /// Stops listening at an endpoint. Clients that are connected stay connected, and no other can connect.
    ///
    /// So a server can stop without losing messages: it unbinds, serves its clients until they have finished, and closes.
    /// A client that loses its connection later does not come back. Does not block: libzmq stops listening in the
    /// background, within a moment.
    ///
    /// The endpoint must be one of [`endpoints`](Self::endpoints), which has the actual port instead of port 0.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for an endpoint that the socket is not bound to.
    /// * [`Unsupported`](crate::ErrorKind::Unsupported) over `tcp` and `ipc`, if [libzmq](crate::libzmq()) is not the one
    ///   that zeroless builds by default: any other one would also close the connections.
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    #[cfg_attr(libzmq = "own", doc = "```")]
    #[cfg_attr(not(libzmq = "own"), doc = "```ignore")]
    /// use zeroless::{Client, Server};
    ///
    /// let pull = Server::new(0).pull()?;
    /// let push = Client::new().connect_local(pull.socket().port()?).push()?;
    /// push(&[b"first"])?;
    /// assert_eq!(pull.recv()?, [b"first"]);
    ///
    /// for endpoint in pull.socket().endpoints() {
    ///     pull.socket().unbind(endpoint)?;
    /// }
    /// push(&[b"still connected"])?;
    /// assert_eq!(pull.recv()?, [b"still connected"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn unbind(&self, endpoint: impl AsRef<str>) -> Result<()> {
        self.engine.unbind(endpoint.as_ref())
    }

    /// Lets in clients with these public keys, from now on.
    ///
    /// A client that was refused before does not come back by itself: it must open a new socket.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a key that is not 40 characters of Z85, and for a socket
    ///   without [`curve`](crate::Server::curve).
    /// * [`Closed`](crate::ErrorKind::Closed) if the socket is closed.
    ///
    /// # Examples
    ///
    #[cfg_attr(feature = "curve", doc = "```")]
    #[cfg_attr(not(feature = "curve"), doc = "```ignore")]
    /// use zeroless::{Keypair, Server};
    ///
    /// let pull = Server::new(0).curve(&Keypair::generate()?).pull()?; // lets no client in
    /// let ada = Keypair::generate()?;
    /// pull.socket().allow_keys([ada.public()])?;
    /// pull.socket().revoke_keys([ada.public()])?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn allow_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.engine.policy_for_keys()?.allow_keys(keys)
    }

    /// Stops letting in clients with these public keys.
    ///
    /// Clients that are connected stay connected until their connection is lost, or until this socket is closed,
    /// because libzmq cannot disconnect them. A key that is also in a [file](crate::Server::allow_keys_in) is still let
    /// in.
    ///
    /// # Errors
    ///
    /// Fails as [`allow_keys`](Self::allow_keys) does: `InvalidInput` for a malformed key and for a socket without
    /// [`curve`](crate::Server::curve), and `Closed` if the socket is closed.
    ///
    /// # Examples
    ///
    #[cfg_attr(feature = "curve", doc = "```")]
    #[cfg_attr(not(feature = "curve"), doc = "```ignore")]
    /// use zeroless::{Keypair, Server};
    ///
    /// let ada = Keypair::generate()?;
    /// let pull = Server::new(0).curve(&Keypair::generate()?).allow_keys([ada.public()]).pull()?;
    /// pull.socket().revoke_keys([ada.public()])?; // lets no client in
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn revoke_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.engine.policy_for_keys()?.revoke_keys(keys)
    }

    /// Closes the socket for all of its handles, and blocks until it is closed. Calls that are blocked in other threads
    /// return.
    ///
    /// If this was the last open socket of the process, it blocks until everything that the process has sent is
    /// delivered, or until the `linger` of each socket has passed. After 1 s, 10 s and 60 s, a warning in the
    /// [log](crate#the-log) names the sockets that it waits for. Otherwise it blocks for at most a tenth of a second, and
    /// only if messages have arrived that were not received. Dropping the last handle does the same.
    ///
    /// If the server has refused a `push`, `dealer` or `pair`, or if the linger passes before a server has accepted it,
    /// an error in the log says how many messages are lost. To know this, the crate keeps such a client in a thread
    /// until its server accepts it, but for no longer than a minute. For other patterns, and for a client of several
    /// servers, libzmq does not report what is lost.
    ///
    /// See [After it is closed](Self#after-it-is-closed) for what happens to the handles.
    ///
    /// # Examples
    ///
    /// ```
    /// let pull = zeroless::Server::new(0).pull()?;
    /// pull.socket().close();
    /// assert_eq!(pull.recv().unwrap_err().kind(), zeroless::ErrorKind::Closed);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn close(&self) {
        self.engine.close();
    }

    /// Returns whether the socket is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let pull = zeroless::Server::new(0).pull()?;
    /// let socket = pull.socket();
    /// assert!(!socket.is_closed());
    /// drop(pull); // the last handle
    /// assert!(socket.is_closed());
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = if self.is_closed() { ", closed" } else { "" };
        write!(f, "Socket({}{closed})", self.engine.label())
    }
}
