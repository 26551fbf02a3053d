//! The recipe of a socket that connects to others.

use super::job_options::JobOptions;
use super::warnings;
use crate::endpoint;
use crate::engine::{Options, Pattern, SocketSpec};
use crate::error::{Error, Result};
use crate::handle::OpenSocket;
use crate::security::{Credentials, Keypair};

/// The recipe of a socket that connects to one or more servers.
///
/// A recipe is plain data, in the style of [`std::process::Command`]: options return `&mut Self`, and patterns take
/// `&self`. You can keep it, clone it and use it again. A [pattern method](#patterns) opens a socket from it. Nothing
/// is connected before that. If an address is invalid, the pattern method returns the error.
///
/// The server does not have to run yet. libzmq connects in the background, and connects again when the connection is
/// lost. So a host that does not exist is not an error either: libzmq keeps trying.
///
/// # Examples
///
/// ```
/// use zeroless::{Client, Server};
///
/// let one = Server::new(0).pull()?;
/// let two = Server::new(0).pull()?;
///
/// let mut client = Client::new();
/// client.connect_local(one.socket().port()?).connect("127.0.0.1", two.socket().port()?);
/// let push = client.push()?; // to both, in turn
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Client {
    addresses: Vec<String>,
    pub(crate) options: Options,
    pub(crate) jobs: JobOptions,
    /// The first error in the recipe, which the pattern methods return.
    pub(super) fault: Option<Error>,
}

impl Client {
    /// Makes the recipe of a client that has no server to connect to yet.
    ///
    /// A socket that is opened from it as it is neither sends nor receives: these calls return
    /// [`NotConnected`](crate::ErrorKind::NotConnected) until the socket is
    /// [connected](crate::Socket::connect).
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// assert!(Client::new().addresses().is_empty());
    /// ```
    pub fn new() -> Client {
        Client::default()
    }

    /// Adds a server to connect to, by its host and port.
    ///
    /// The host is a name or an IP address, version 4 or 6.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for text that is neither a host name
    /// nor an IP address and for port 0, and [`AlreadyConnected`](crate::ErrorKind::AlreadyConnected) for an address
    /// that was added before.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// let mut client = Client::new();
    /// client.connect("example.com", 5555).connect("::1", 5555);
    /// assert_eq!(client.addresses(), ["tcp://example.com:5555", "tcp://[::1]:5555"]);
    /// ```
    pub fn connect(&mut self, host: impl AsRef<str>, port: u16) -> &mut Client {
        self.add(endpoint::to_connect(host.as_ref(), port))
    }

    /// Adds a server on this machine to connect to, by its port.
    ///
    /// # Errors
    ///
    /// The pattern method fails as for [`connect`](Self::connect): `InvalidInput` for port 0, and `AlreadyConnected`
    /// for a port that was added before.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// assert_eq!(Client::new().connect_local(5555).addresses(), ["tcp://127.0.0.1:5555"]);
    /// ```
    pub fn connect_local(&mut self, port: u16) -> &mut Client {
        self.add(endpoint::to_connect_locally(port))
    }

    /// Adds a server to connect to, by any libzmq endpoint: `tcp://host:port`, `ipc:///tmp/path` or `inproc://name`, or
    /// `udp://address:port` for a [`radio`](Self::radio).
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for a malformed endpoint,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a scheme that the pattern does not speak, and
    /// [`AlreadyConnected`](crate::ErrorKind::AlreadyConnected) for an endpoint that was added before.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, ErrorKind};
    ///
    /// assert!(Client::new().connect_to("ipc:///tmp/jobs").push().is_ok());
    /// let error = Client::new().connect_to("http://example.com").push().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unsupported);
    /// ```
    pub fn connect_to(&mut self, endpoint: impl AsRef<str>) -> &mut Client {
        let endpoint = endpoint.as_ref();
        self.add(endpoint::check_connectable(endpoint).map(|()| endpoint.to_owned()))
    }

    /// Removes a server, by the host and port that it was added with.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`NotConnected`](crate::ErrorKind::NotConnected) for an address that was not added,
    /// and [`InvalidInput`](crate::ErrorKind::InvalidInput) as for [`connect`](Self::connect).
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// let mut client = Client::new();
    /// client.connect("example.com", 5555).connect("example.com", 5556).disconnect("example.com", 5555);
    /// assert_eq!(client.addresses(), ["tcp://example.com:5556"]);
    /// ```
    pub fn disconnect(&mut self, host: impl AsRef<str>, port: u16) -> &mut Client {
        self.remove(endpoint::to_connect(host.as_ref(), port))
    }

    /// Removes a server on this machine, by its port.
    ///
    /// # Errors
    ///
    /// The pattern method fails as for [`disconnect`](Self::disconnect): `NotConnected` for a port that was not added,
    /// and `InvalidInput` for port 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// assert!(Client::new().connect_local(5555).disconnect_local(5555).addresses().is_empty());
    /// ```
    pub fn disconnect_local(&mut self, port: u16) -> &mut Client {
        self.remove(endpoint::to_connect_locally(port))
    }

    /// Removes a server, by its endpoint.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`NotConnected`](crate::ErrorKind::NotConnected) for an endpoint that was not added.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// let mut client = Client::new();
    /// assert!(client.connect_to("ipc:///tmp/jobs").disconnect_from("ipc:///tmp/jobs").addresses().is_empty());
    /// ```
    pub fn disconnect_from(&mut self, endpoint: impl AsRef<str>) -> &mut Client {
        self.remove(Ok(endpoint.as_ref().to_owned()))
    }

    /// Removes all servers.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// assert!(Client::new().connect_local(5555).disconnect_all().addresses().is_empty());
    /// ```
    pub fn disconnect_all(&mut self) -> &mut Client {
        self.addresses.clear();
        self
    }

    /// Returns the endpoints of the servers to connect to, in the order in which they were added.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Client;
    ///
    /// assert_eq!(Client::new().connect("example.com", 5555).addresses(), ["tcp://example.com:5555"]);
    /// ```
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Sets the server's public key and the client's own keypair, and encrypts everything that the client sends and
    /// receives.
    ///
    /// This uses libzmq's mechanism CURVE. The server's public key proves to the client that it talks to that server
    /// and to no other. The public key of `keypair` tells the server which client it talks to. Over `inproc`, CURVE has
    /// no effect.
    ///
    /// A server that does not let this key in refuses the client permanently; see
    /// [Refused clients](crate::guide::networks#refused-clients). If the server's public key is not `server`, the
    /// client keeps trying, and neither side reports it.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for a server's key that is not 40
    /// characters of Z85 or is the secret key of `keypair`, and [`Unsupported`](crate::ErrorKind::Unsupported) if the
    /// [libzmq](crate::libzmq()) of this build has no CURVE.
    ///
    /// # Examples
    ///
    #[cfg_attr(feature = "curve", doc = "```")]
    #[cfg_attr(not(feature = "curve"), doc = "```ignore")]
    /// use zeroless::{Client, Keypair, Server};
    ///
    /// let (ours, theirs) = (Keypair::generate()?, Keypair::generate()?);
    /// let mut pull = Server::new(0).curve(&ours).allow_keys([theirs.public()]).pull()?;
    ///
    /// let port = pull.socket().port()?;
    /// let push = Client::new().connect_local(port).curve(ours.public(), &theirs).push()?;
    /// push(&[b"for your eyes only"])?;
    /// assert_eq!(pull.next().unwrap(), [b"for your eyes only"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn curve(&mut self, server: impl AsRef<str>, keypair: &Keypair) -> &mut Client {
        self.prove_by(Credentials::key(server.as_ref(), keypair))
    }

    /// Sets the name and the password that the client sends to its servers.
    ///
    /// This uses libzmq's mechanism PLAIN: **nothing is encrypted**, neither the password nor the messages. Any process
    /// that answers at the server's address receives the password. On a network that others can listen to, use
    /// [`curve`](Self::curve). Over `inproc`, PLAIN has no effect.
    ///
    /// The recipe's copy of the password is wiped from memory when it is dropped. A socket gives a copy to libzmq, which
    /// does not wipe it.
    ///
    /// A server that does not let the client in refuses it permanently; see
    /// [Refused clients](crate::guide::networks#refused-clients).
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) unless the name and the password
    /// each have 1 to 255 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let mut pull = Server::new(0).plain_users([("ada", "enchantress")]).pull()?;
    /// let port = pull.socket().port()?;
    /// let push = Client::new().connect_local(port).plain("ada", "enchantress").push()?;
    /// push(&[b"hello"])?;
    /// assert_eq!(pull.next().unwrap(), [b"hello"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn plain(&mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> &mut Client {
        self.prove_by(Credentials::password(user.as_ref(), password.as_ref()))
    }

    fn prove_by(&mut self, credentials: Result<Credentials>) -> &mut Client {
        let outcome = credentials.map(|credentials| self.options.credentials = Some(credentials));
        self.note(outcome);
        self
    }

    fn add(&mut self, endpoint: Result<String>) -> &mut Client {
        let outcome = endpoint.and_then(|endpoint| {
            if self.addresses.contains(&endpoint) {
                return Err(endpoint::connected_twice(&endpoint));
            }
            self.addresses.push(endpoint);
            Ok(())
        });
        self.note(outcome);
        self
    }

    fn remove(&mut self, endpoint: Result<String>) -> &mut Client {
        let outcome = endpoint.and_then(|endpoint| {
            let position = self.addresses.iter().position(|other| *other == endpoint);
            let position = position.ok_or_else(|| endpoint::not_connected(&endpoint, &self.addresses))?;
            self.addresses.remove(position);
            Ok(())
        });
        self.note(outcome);
        self
    }

    pub(crate) fn open(&self, pattern: Pattern, topics: Vec<Vec<u8>>) -> Result<OpenSocket> {
        self.check()?;
        let socket = OpenSocket::open(SocketSpec {
            pattern,
            binds: &[],
            connects: &self.addresses,
            topics,
            options: &self.options,
        })?;
        warnings::about_heartbeat(pattern, &self.options, &socket);
        Ok(socket)
    }

    /// A function that opens sockets with the options of this recipe, for any endpoints.
    pub(crate) fn opener(&self, pattern: Pattern) -> impl Fn(&[String]) -> Result<OpenSocket> + Send + Sync + use<> {
        let options = self.options.clone();
        move |endpoints| {
            OpenSocket::open(SocketSpec {
                pattern,
                binds: &[],
                connects: endpoints,
                topics: Vec::new(),
                options: &options,
            })
        }
    }
}
