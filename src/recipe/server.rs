//! The recipe of a socket that others connect to.

use std::path::PathBuf;

use super::job_options::JobOptions;
use super::warnings;
use crate::engine::{Options, Pattern, SocketSpec};
use crate::error::{Error, Result};
use crate::handle::OpenSocket;
use crate::security::Keypair;

/// The recipe of a socket that binds: clients connect to it.
///
/// A recipe is plain data, in the style of [`std::process::Command`]: options return `&mut Self`, and patterns take
/// `&self`. You can keep it, clone it and use it again. A [pattern method](#patterns) opens a socket from it.
///
/// A server can send or receive, and so can a client. Make the long-lived side the server: the side that starts first,
/// stays longer, or has the address that the others know.
///
/// # Examples
///
/// ```
/// use zeroless::Server;
///
/// let pull = Server::new(0).pull()?;
/// println!("listening on port {}", pull.socket().port()?);
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    endpoints: Vec<String>,
    pub(crate) options: Options,
    pub(crate) jobs: JobOptions,
    /// The first error in the recipe, which the pattern methods return.
    pub(super) fault: Option<Error>,
}

impl Server {
    /// Makes the recipe of a server that only this machine can reach, at `127.0.0.1`.
    ///
    /// Port 0 means any free port; [`Socket::port`](crate::Socket::port) returns the one that was chosen.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Server;
    ///
    /// let pull = Server::new(0).pull()?;
    /// assert_ne!(pull.socket().port()?, 0);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn new(port: u16) -> Server {
        Server::at(format!("tcp://127.0.0.1:{port}"))
    }

    /// Makes the recipe of a server that other machines can reach.
    ///
    /// It listens on all interfaces of this machine. It lets every client in, unless [`curve`](Self::curve),
    /// [`plain`](Self::plain), [`allow`](Self::allow) or [`deny`](Self::deny) restrict that. Without any of them, the
    /// log warns when the socket opens.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Server;
    ///
    /// let pull = Server::public(0).pull()?;
    /// assert!(pull.socket().endpoints()[0].starts_with("tcp://0.0.0.0:"));
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn public(port: u16) -> Server {
        Server::at(format!("tcp://*:{port}"))
    }

    /// Makes the recipe of a server at any libzmq endpoint.
    ///
    /// | endpoint | who can connect |
    /// |---|---|
    /// | `tcp://127.0.0.1:5555`, `tcp://eth0:5555`, `tcp://*:5555` | clients that can reach that address or interface; `*` means all interfaces. Port `0` means any free port |
    /// | `ipc:///tmp/jobs` | processes on this machine that may open that file |
    /// | `inproc://jobs` | sockets of this process |
    /// | `udp://127.0.0.1:5555`, `udp://*:5555`, `udp://239.1.2.3:5555` | who can send a datagram there; only for [draft sockets](crate::guide::draft) |
    ///
    /// Only the system's libzmq knows interfaces by name, such as `eth0`. With a libzmq that is
    /// [built with the crate](crate::guide::platforms), give the interface's IP address.
    ///
    /// An endpoint can be bound again as soon as the socket that was bound to it is closed. The pattern method then waits
    /// up to a second for libzmq to free it.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for a malformed endpoint,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a scheme that the pattern does not speak, and
    /// [`AddrInUse`](crate::ErrorKind::AddrInUse) for an endpoint that another socket is bound to.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let mut pull = Server::at("inproc://jobs").pull()?;
    /// let push = Client::new().connect_to("inproc://jobs").push()?;
    /// push(&[b"job"])?;
    /// assert_eq!(pull.next().unwrap(), [b"job".to_vec()]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn at(endpoint: impl Into<String>) -> Server {
        Server {
            endpoints: vec![endpoint.into()],
            options: Options::default(),
            jobs: JobOptions::default(),
            fault: None,
        }
    }

    /// Adds an endpoint: clients can reach the same socket at each of its endpoints.
    ///
    /// # Errors
    ///
    /// The pattern method fails as for [`at`](Self::at): `InvalidInput` for a malformed endpoint, and `Unsupported` for
    /// a scheme other than `tcp`, `ipc` and `inproc`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let pull = Server::new(0).also_at("inproc://orders").pull()?;
    /// let near = Client::new().connect_to("inproc://orders").push()?;
    /// let far = Client::new().connect_local(pull.socket().port()?).push()?;
    /// near(&[b"tea"])?;
    /// far(&[b"coffee"])?;
    /// assert_eq!(pull.iter().take(2).count(), 2);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn also_at(&mut self, endpoint: impl Into<String>) -> &mut Server {
        self.endpoints.push(endpoint.into());
        self
    }

    /// Encrypts everything that is sent and received, and lets in only clients whose keys are allowed.
    ///
    /// This uses libzmq's mechanism CURVE. `keypair` is the server's own; clients must know its public key.
    /// [`allow_keys`](Self::allow_keys), [`allow_keys_in`](Self::allow_keys_in) and
    /// [`allow_any_key`](Self::allow_any_key) set which clients to let in. Without any of them, the server lets **no
    /// client** in. [`allow`](Self::allow) and [`deny`](Self::deny) can restrict the clients' addresses as well.
    ///
    /// Clients over `inproc`, which are sockets of this process, are let in without a check.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`Unsupported`](crate::ErrorKind::Unsupported) if the [libzmq](crate::libzmq()) of
    /// this build has no CURVE (the message says how to get one that has it), and for a `stream`. It returns
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the recipe also calls [`plain`](Self::plain).
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
    pub fn curve(&mut self, keypair: &Keypair) -> &mut Server {
        self.options.access.curve(keypair);
        self
    }

    /// Lets in clients with these public keys, in addition to those that were allowed before.
    ///
    /// Each key is a [`PublicKey`](crate::PublicKey) or its text. While the server runs,
    /// [`Socket::allow_keys`](crate::Socket::allow_keys) and [`Socket::revoke_keys`](crate::Socket::revoke_keys) change
    /// the allowed keys.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for a key that is not 40 characters
    /// of Z85, and for a server without [`curve`](Self::curve).
    ///
    /// # Examples
    ///
    #[cfg_attr(feature = "curve", doc = "```")]
    #[cfg_attr(not(feature = "curve"), doc = "```ignore")]
    /// use zeroless::{Keypair, Server};
    ///
    /// let (ada, bob) = (Keypair::generate()?, Keypair::generate()?);
    /// let pull = Server::new(0).curve(&Keypair::generate()?).allow_keys([ada.public(), bob.public()]).pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn allow_keys(&mut self, keys: impl IntoIterator<Item: AsRef<str>>) -> &mut Server {
        let outcome = self.options.access.allow_keys(keys);
        self.note(outcome);
        self
    }

    /// Lets in clients whose public keys are in a file, or in the files of a folder.
    ///
    /// * A file is a regular file of at most 1 MiB. It is either one that [`PublicKey::save`](crate::PublicKey::save), CZMQ or pyzmq has written, or a list
    ///   with one key per line. In a list, text after a key and lines that begin with `#` are comments.
    /// * In a folder, the files whose names end in `.key` are read.
    ///
    /// Keys can be added and removed while the server runs. A change on disk applies to the next client that connects:
    /// for each client, the server examines the size, the inode and the times of what could let this client in, and
    /// reads what has changed. There is one exception, because strangers can make the server look for keys that do not
    /// exist: if a file in a folder gets another key without being replaced, the server may notice that up to a second
    /// later. And a network file system may show a change later than it was made.
    ///
    /// To change a file, rename a new file over it: a client whose key is missing for a moment is refused permanently.
    /// If a file cannot be read, the log reports it at error level, and clients whose keys might be in it try again
    /// every half minute.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) if the file does not exist or
    /// contains something other than keys, and for a server without [`curve`](Self::curve). It returns
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if this user may not read the file.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use zeroless::{Keypair, Server};
    ///
    /// let keypair = Keypair::load("server.key_secret")?;
    /// let pull = Server::public(12345).curve(&keypair).allow_keys_in("clients").pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn allow_keys_in(&mut self, path: impl Into<PathBuf>) -> &mut Server {
        self.options.access.allow_keys_in(path.into());
        self
    }

    /// Lets in clients with any key: messages are encrypted, but anyone can be the client.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) if the recipe does not call
    /// [`curve`](Self::curve).
    ///
    /// # Examples
    ///
    #[cfg_attr(feature = "curve", doc = "```")]
    #[cfg_attr(not(feature = "curve"), doc = "```ignore")]
    /// use zeroless::{Keypair, Server};
    ///
    /// let pull = Server::new(0).curve(&Keypair::generate()?).allow_any_key().pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn allow_any_key(&mut self) -> &mut Server {
        self.options.access.allow_any_key();
        self
    }

    /// Lets in only clients whose name and password a function accepts.
    ///
    /// This uses libzmq's mechanism PLAIN: **nothing is encrypted**, neither the password nor the messages. On a
    /// network that others can listen to, use [`curve`](Self::curve).
    ///
    /// Threads of the crate call the function once for each client that connects, for up to four clients of a socket at
    /// the same time. A second call of `plain` replaces the function of the first.
    ///
    /// * **When clients ask faster than the function decides**, up to 1,024 of them wait. Their addresses take turns, and
    ///   of one address the newest client is next. A client that has no answer within five seconds, the time
    ///   for its handshake, asks again.
    /// * **If a call takes longer than that**, its client is not let in. The log reports it at error level, and another
    ///   thread starts in place of the one that is busy. A socket has 16 such threads at most. If the calls in all of
    ///   them hang, the server lets no client in until one returns. Other servers are not affected.
    /// * **If a call panics**, its client asks again after that time.
    /// * **Closing** does not wait for a call.
    ///
    /// **The number of guesses is not limited.** A client with a wrong password is refused after a delay of 100 ms, and
    /// must connect again to guess again. But strangers can open many connections at the same time. So choose passwords
    /// that are too long to guess. The log reports each refusal at warn level.
    ///
    /// Clients over `inproc`, which are sockets of this process, are let in without a check.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) if the recipe also calls
    /// [`curve`](Self::curve), and [`Unsupported`](crate::ErrorKind::Unsupported) for a `stream`.
    ///
    /// # Examples
    ///
    /// ```
    /// use subtle::ConstantTimeEq;
    /// use zeroless::{Client, Server};
    ///
    /// // The time that this comparison takes does not show how much of the password is right.
    /// let is_right = |password: &str| bool::from(password.as_bytes().ct_eq(b"enchantress"));
    /// let mut pull = Server::new(0).plain(move |user, password| user == "ada" && is_right(password)).pull()?;
    /// let port = pull.socket().port()?;
    /// let push = Client::new().connect_local(port).plain("ada", "enchantress").push()?;
    /// push(&[b"hello"])?;
    /// assert_eq!(pull.next().unwrap(), [b"hello"]);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn plain(&mut self, check: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> &mut Server {
        self.options.access.plain(check);
        self
    }

    /// Lets in only clients that send one of these names and its password.
    ///
    /// Give a map, or pairs of a name and a password. Like [`plain`](Self::plain), this uses PLAIN: **nothing is
    /// encrypted**, and strangers can guess as often as they like. It replaces the function that was given to `plain`
    /// before.
    ///
    /// The time that a refusal takes shows neither which users there are nor how much of a password is right. The
    /// passwords are wiped from memory when the recipe and its sockets are dropped; libzmq does not wipe the passwords
    /// that clients have sent.
    ///
    /// # Errors
    ///
    /// The pattern method fails as for [`plain`](Self::plain): `InvalidInput` if the recipe also calls
    /// [`curve`](Self::curve), and `Unsupported` for a `stream`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Server;
    ///
    /// let pull = Server::new(0).plain_users([("ada", "enchantress"), ("bob", "builder")]).pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn plain_users<U, P>(&mut self, users: impl IntoIterator<Item = (U, P)>) -> &mut Server
    where
        U: Into<String>,
        P: Into<String>,
    {
        let users = users.into_iter().map(|(user, password)| (user.into(), password.into()));
        self.options.access.plain_users(users);
        self
    }

    /// Lets in only clients that connect from these addresses and networks, in addition to those that were named
    /// before.
    ///
    /// An address is IPv4 or IPv6, such as `192.168.1.7`. A network is an address and the length of its prefix, such as
    /// `10.0.0.0/8` or `2001:db8::/32`. A client that connects over IPv4 has an IPv4 address, even if the server is
    /// bound to an IPv6 address: `::/0` allows all clients over IPv6, but none over IPv4. A client over `ipc` has no
    /// address, so it is refused. A client over `inproc` is let in without a check. If `allow` is called only with empty
    /// lists, no client is let in.
    ///
    /// Anyone who controls the network can forge addresses. So addresses keep strangers out, but do not prove who a
    /// client is. `allow` encrypts nothing.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for text that is neither an address
    /// nor a network, and [`Unsupported`](crate::ErrorKind::Unsupported) for a `stream`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Server;
    ///
    /// let pull = Server::public(0).allow(["192.168.0.0/16", "10.1.2.3"]).deny(["192.168.1.1"]).pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn allow(&mut self, networks: impl IntoIterator<Item: AsRef<str>>) -> &mut Server {
        let outcome = self.options.access.allow(networks);
        self.note(outcome);
        self
    }

    /// Refuses clients that connect from these addresses and networks, even if they are [allowed](Self::allow).
    ///
    /// Without `allow`, all other addresses are let in. A client that connects over IPv4 has an IPv4 address, even if the
    /// server is bound to an IPv6 address. So `::/0` refuses all clients over IPv6, but none over IPv4: deny `0.0.0.0/0`,
    /// too. A client over `ipc` has no address, so `deny` does not refuse it.
    ///
    /// # Errors
    ///
    /// The pattern method fails as for [`allow`](Self::allow): `InvalidInput` for text that is neither an address nor a
    /// network, and `Unsupported` for a `stream`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Server;
    ///
    /// let pull = Server::public(0).deny(["10.1.0.0/16", "2001:db8::1"]).pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn deny(&mut self, networks: impl IntoIterator<Item: AsRef<str>>) -> &mut Server {
        let outcome = self.options.access.deny(networks);
        self.note(outcome);
        self
    }

    pub(crate) fn open(&self, pattern: Pattern, topics: Vec<Vec<u8>>) -> Result<OpenSocket> {
        self.check()?;
        let socket = OpenSocket::open(SocketSpec {
            pattern,
            binds: &self.endpoints,
            connects: &[],
            topics,
            options: &self.options,
        })?;
        warnings::about_server(pattern, &socket);
        warnings::about_heartbeat(pattern, &self.options, &socket);
        Ok(socket)
    }
}
