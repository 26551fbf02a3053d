//! The recipe of a socket that others connect to.

use std::time::Duration;

use crate::endpoint;
use crate::engine::Kind;
use crate::error::Result;
use crate::handle::Handle;
use crate::recipe::{Options, recipe_methods};
use crate::{Publisher, Receiver, Sender, Subscriber};

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
    options: Options,
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
    /// It binds every interface of the machine, and it lets everyone in: there is neither password nor encryption. The
    /// log warns of it when the socket opens.
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

    fn open(&self, kind: Kind, topics: Vec<Vec<u8>>) -> Result<Handle> {
        let handle = self.options.open(kind, &self.endpoints, &[], topics)?;
        if handle.bound().iter().any(|endpoint| endpoint::is_everywhere(endpoint)) {
            log::warn!(
                target: "zeroless",
                "{} can be reached from other machines, by anyone, without a password or encryption; \
                 Server::new listens to this machine alone",
                handle.label()
            );
        }
        if kind == Kind::Subscribe {
            log::warn!(
                target: "zeroless",
                "{} binds, so it gets nothing that is published before it first receives; \
                 where that matters, let the publisher be the server and the subscriber the client",
                handle.label()
            );
        }
        Ok(handle)
    }
}

recipe_methods!(Server);
