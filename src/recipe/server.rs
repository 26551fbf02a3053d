//! The recipe of a socket that others connect to.

use std::path::PathBuf;

use crate::endpoint;
use crate::engine::{Options, Pattern, SocketSpec};
use crate::error::{Error, Result};
use crate::handle::OpenSocket;
use crate::security::Keypair;

/// The recipe of a socket that binds: clients connect to it.
///
/// It is plain data until a [pattern](#patterns) opens a socket from it, in the manner of
/// [`std::process::Command`]: options return `&mut Self`, patterns take `&self`, and it can be kept, cloned and used
/// again.
///
/// Which side is the server has nothing to do with who sends: let it be the one that is there first, or stays longer,
/// or has the address that the others know.
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
    pub(super) options: Options,
    /// The first fault of the recipe.
    pub(super) fault: Option<Error>,
}

impl Server {
    /// Makes the recipe of a server that only this machine can reach, at `127.0.0.1`. Does not block.
    ///
    /// Port 0 is for any port that is free; [`Socket::port`](crate::Socket::port) tells which it was.
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

    /// Makes the recipe of a server that anyone who can reach this machine can talk to. Does not block.
    ///
    /// It binds every interface of the machine, and it lets everyone in unless [`curve`](Self::curve),
    /// [`plain`](Self::plain), [`allow`](Self::allow) or [`deny`](Self::deny) say otherwise. If none does, the log warns
    /// of it when the socket opens.
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

    /// Makes the recipe of a server at any endpoint of libzmq's. Does not block.
    ///
    /// | endpoint | who can connect |
    /// |---|---|
    /// | `tcp://127.0.0.1:5555`, `tcp://eth0:5555`, `tcp://*:5555` | who reaches that address or interface; `*` is all of them. A port of `0` is any free one |
    /// | `ipc:///tmp/jobs` | processes of this machine that may open that file |
    /// | `inproc://jobs` | sockets of this process |
    ///
    /// Names of interfaces, such as `eth0`, are known to the system's libzmq alone, not to those that are
    /// [built with the crate](crate#platforms): give them the interface's IP address.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for an endpoint of another form,
    /// and [`Unsupported`](crate::ErrorKind::Unsupported) for another scheme.
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
            fault: None,
        }
    }

    /// Adds an endpoint, so that the same socket can be reached at several. Does not block.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at).
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

    /// Encrypts all that is sent and received, and lets in those alone whose keys are allowed. Does not block.
    ///
    /// This is CURVE. The keypair is the server's own: its public key is what clients have to know. Whom it lets in is said
    /// by [`allow_keys`](Self::allow_keys) and [`allow_keys_in`](Self::allow_keys_in), or
    /// [`allow_any_key`](Self::allow_any_key); without any of them it is **no one**. What addresses clients may have can be
    /// said besides.
    ///
    /// Sockets of this process, over `inproc`, are let in without being asked.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`Unsupported`](crate::ErrorKind::Unsupported) if the [libzmq](crate::libzmq()) of this
    /// build has no CURVE, and for a `stream`; the former's message says what to do. It returns
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) together with [`plain`](Self::plain).
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Keypair, Server};
    /// # if !zeroless::libzmq().curve() {
    /// #     return Ok(());
    /// # }
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

    /// Lets in the clients with these public keys, beside those that are let in already. Does not block.
    ///
    /// Keys are [`PublicKey`](crate::PublicKey)s, or their text. While the server runs,
    /// [`Socket::allow_keys`](crate::Socket::allow_keys) and [`Socket::revoke_keys`](crate::Socket::revoke_keys) change
    /// them.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for what is not 40 characters of Z85,
    /// and without [`curve`](Self::curve).
    ///
    /// # Examples
    ///
    /// As [`curve`](Self::curve).
    pub fn allow_keys(&mut self, keys: impl IntoIterator<Item: AsRef<str>>) -> &mut Server {
        let outcome = self.options.access.allow_keys(keys);
        self.note(outcome);
        self
    }

    /// Lets in the clients whose public keys are in a file, or in the files of a folder. Does not block.
    ///
    /// * A file is one that [`PublicKey::save`](crate::PublicKey::save), CZMQ or pyzmq has written, or a list: a key a line,
    ///   and behind it what you like.
    /// * Of a folder, it is the files whose names end in `.key`.
    ///
    /// They are read anew for each client that connects, so keys come and go while the server runs. Change a file by
    /// renaming another one over it: a client whose key is not there yet is turned away for good. If they cannot be read,
    /// the log says so, at error, and clients that they might let in try again every half minute.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) if there is no such file, or something
    /// else than keys in it, and without [`curve`](Self::curve);
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if this user may not read it.
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

    /// Lets in clients with any key: what is sent is encrypted, but anyone may be at the other end. Does not block.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) without [`curve`](Self::curve).
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Keypair, Server};
    /// # if !zeroless::libzmq().curve() {
    /// #     return Ok(());
    /// # }
    ///
    /// let pull = Server::new(0).curve(&Keypair::generate()?).allow_any_key().pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn allow_any_key(&mut self) -> &mut Server {
        self.options.access.allow_any_key();
        self
    }

    /// Lets in those alone who say a name and a password that a function agrees to. Does not block.
    ///
    /// This is PLAIN: **nothing is encrypted**, neither the password nor the messages. On a network that others can listen
    /// to, use [`curve`](Self::curve).
    ///
    /// The function is called once for each client that connects, by the one thread that lets clients in for all servers
    /// of the process. Let it be quick, for no one else is let in meanwhile, and let it not wait for sockets of this
    /// process. If it panics, the client is to try again. Called again, this takes the place of what was said before.
    ///
    /// Sockets of this process, over `inproc`, are let in without being asked.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) together with [`curve`](Self::curve),
    /// and [`Unsupported`](crate::ErrorKind::Unsupported) for a `stream`.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Client, Server};
    ///
    /// let mut pull = Server::new(0).plain(|user, password| user == "ada" && password == "enchantress").pull()?;
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

    /// Lets in those alone who say one of these names and its password. Does not block.
    ///
    /// As [`plain`](Self::plain), of which it takes the place: **nothing is encrypted**. A map does, as do pairs.
    ///
    /// # Errors
    ///
    /// As [`plain`](Self::plain).
    ///
    /// # Examples
    ///
    /// As [`Client::plain`](crate::Client::plain).
    pub fn plain_users<U, P>(&mut self, users: impl IntoIterator<Item = (U, P)>) -> &mut Server
    where
        U: Into<String>,
        P: Into<String>,
    {
        let users = users.into_iter().map(|(user, password)| (user.into(), password.into()));
        self.options.access.plain_users(users.collect());
        self
    }

    /// Lets in those alone who connect from these addresses and networks, beside those named already. Does not block.
    ///
    /// An address is one of IPv4 or IPv6, such as `192.168.1.7`; a network has the length of its prefix behind it, such as
    /// `10.0.0.0/8` or `2001:db8::/32`. Whoever connects over IPv4 has an address of IPv4, also if the server is bound to
    /// one of IPv6. Over `ipc` there is no address, so no one is let in; over `inproc` no one is asked. If none at all is
    /// named, no one is let in.
    ///
    /// Addresses can be forged by who controls the network: they keep strangers out, but prove nothing. Nothing is
    /// encrypted by this.
    ///
    /// # Errors
    ///
    /// The pattern method returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for what is neither an address nor a
    /// network, and [`Unsupported`](crate::ErrorKind::Unsupported) for a `stream`.
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

    /// Turns away those who connect from these addresses and networks, also if they are [allowed](Self::allow). Does not
    /// block.
    ///
    /// # Errors
    ///
    /// As [`allow`](Self::allow).
    ///
    /// # Examples
    ///
    /// As [`allow`](Self::allow).
    pub fn deny(&mut self, networks: impl IntoIterator<Item: AsRef<str>>) -> &mut Server {
        let outcome = self.options.access.deny(networks);
        self.note(outcome);
        self
    }

    pub(super) fn open(&self, pattern: Pattern, topics: Vec<Vec<u8>>) -> Result<OpenSocket> {
        self.check()?;
        let socket = OpenSocket::open(SocketSpec {
            pattern,
            binds: &self.endpoints,
            connects: &[],
            topics,
            options: &self.options,
        })?;
        Server::warn_of_surprises(pattern, &socket);
        Ok(socket)
    }

    fn warn_of_surprises(pattern: Pattern, socket: &OpenSocket) {
        let is_public = || socket.bound().iter().any(|endpoint| endpoint::is_everywhere(endpoint));
        match socket.policy() {
            None if is_public() => log::warn!(
                target: "zeroless",
                "{} can be reached from other machines, by anyone, without a password or encryption; \
                 the chapter \"On a network\" of the documentation tells how to let in only those you know, \
                 and Server::new listens to this machine alone",
                socket.label()
            ),
            Some(policy) if policy.lets_in_no_key() => log::warn!(
                target: "zeroless",
                "{} lets in no one yet; call allow_keys with the public keys of its clients",
                socket.label()
            ),
            _ => {}
        }
        if pattern == Pattern::Subscribe {
            log::warn!(
                target: "zeroless",
                "{} binds, so it gets nothing that is published before it first receives; \
                 where that matters, let the publisher be the server and the subscriber the client",
                socket.label()
            );
        }
    }
}
