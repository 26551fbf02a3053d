//! The live connection under the handles of a pattern.

use std::fmt;
use std::sync::Arc;

use crate::endpoint;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// The live connection under the handles of one pattern, got from a handle's `socket()`.
///
/// It tells the port, connects and disconnects while running, and closes, from any thread.
///
/// It does not keep the connection open: that do only the senders and receivers of the pattern. So it can be given to
/// a handler of Ctrl-C, and the program still ends when its handles are dropped.
///
/// # After it is closed
///
/// Be it by [`close`](Self::close) or because the last handle was dropped:
///
/// * Iteration ends, in all threads, within moments; also one that is blocked.
/// * Sending, receiving, connecting, disconnecting and subscribing fail with [`Closed`](crate::ErrorKind::Closed).
/// * What was sent is delivered in the background, as long as the recipe's `linger` says.
/// * What had arrived and was not received is gone.
/// * [`port`](Self::port) and [`endpoints`](Self::endpoints) still tell what they were.
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

    /// Returns the TCP port that the server listens on, without blocking.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a client, and for a server of another transport: there is
    /// no port to tell.
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
                    "{label}: no port to tell; only a server of the tcp transport listens on one"
                ))
            })
    }

    /// Returns the endpoints that it is bound and connected to, in this order, without blocking.
    ///
    /// A bound one is as libzmq has resolved it, with the port that was free.
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

    /// Connects to one more server, by its host and port. Does not block: libzmq connects in the background.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for a host that can be none, and for port 0.
    /// * [`AlreadyConnected`](crate::ErrorKind::AlreadyConnected) to an address that it is connected to, and for a
    ///   pair that has, or had, its one peer.
    /// * [`Closed`](crate::ErrorKind::Closed) if it is closed.
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

    /// Connects to one more server of this machine, by its port. Does not block.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    ///
    /// # Examples
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_local(&self, port: u16) -> Result<()> {
        self.engine.connect(&endpoint::to_connect_locally(port)?)
    }

    /// Connects to one more server, by any endpoint of libzmq's. Does not block.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect), and [`Unsupported`](crate::ErrorKind::Unsupported) for a scheme other than
    /// `tcp`, `ipc` and `inproc`.
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

    /// Disconnects from a server, by its host and port. Does not block.
    ///
    /// What was sent to it and is not on its way yet is dropped unless `linger` lets libzmq deliver it.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](crate::ErrorKind::NotConnected) for an address that it is not connected to.
    /// * [`Closed`](crate::ErrorKind::Closed) if it is closed.
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

    /// Disconnects from a server of this machine, by its port. Does not block.
    ///
    /// # Errors
    ///
    /// As [`disconnect`](Self::disconnect).
    ///
    /// # Examples
    ///
    /// As [`disconnect`](Self::disconnect).
    pub fn disconnect_local(&self, port: u16) -> Result<()> {
        self.engine.disconnect(&endpoint::to_connect_locally(port)?)
    }

    /// Disconnects from a server, by its endpoint. Does not block.
    ///
    /// # Errors
    ///
    /// As [`disconnect`](Self::disconnect).
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

    /// Disconnects from all servers. Does not block.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed) if it is closed.
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
        self.engine
            .connected()
            .iter()
            .try_for_each(|endpoint| self.engine.disconnect(endpoint))
    }

    /// Lets in clients with these public keys from now on. Does not block.
    ///
    /// A client that was turned away before does not come back by itself: let it open a new socket.
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) for what is not 40 characters of Z85, and for a socket without
    ///   [`curve`](crate::Server::curve).
    /// * [`Closed`](crate::ErrorKind::Closed) if it is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Keypair, Server};
    /// # if !zeroless::libzmq().curve() {
    /// #     return Ok(());
    /// # }
    ///
    /// let pull = Server::new(0).curve(&Keypair::generate()?).pull()?; // lets in no one
    /// let ada = Keypair::generate()?;
    /// pull.socket().allow_keys([ada.public()])?;
    /// pull.socket().revoke_keys([ada.public()])?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn allow_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.engine.policy_for_keys()?.allow_keys(keys)
    }

    /// Lets in clients with these public keys no longer. Does not block.
    ///
    /// Those that are connected stay so until their connection is lost, or this socket is closed: libzmq cannot send them
    /// away. A key that a [file](crate::Server::allow_keys_in) has as well is let in all the same.
    ///
    /// # Errors
    ///
    /// As [`allow_keys`](Self::allow_keys).
    ///
    /// # Examples
    ///
    /// As [`allow_keys`](Self::allow_keys).
    pub fn revoke_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.engine.policy_for_keys()?.revoke_keys(keys)
    }

    /// Closes the connection for all of its handles, also those that are blocked in other threads.
    ///
    /// When it returns, the connection is closed. It blocks if this was the last open socket of the process: until all
    /// that the process has sent is delivered, or the `linger` of each socket has passed. If that takes longer than a
    /// second, the log says so, once. Otherwise it blocks for a tenth of a second at most, and only if messages have
    /// arrived that were not received. The drop of the last handle does the same.
    ///
    /// What happens to handles is told [above](Self#after-it-is-closed).
    ///
    /// # Examples
    ///
    /// As [above](Self#examples).
    pub fn close(&self) {
        self.engine.close();
    }

    /// Tells whether it is closed, without blocking.
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
