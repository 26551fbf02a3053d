//! Passes messages on between two sockets.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::thread::{self, Builder};

use crossbeam_channel::{Select, bounded};

use crate::engine::{Cancel, Wait};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::{OpenSocket, Receiver, Sender};
use crate::report;
use crate::sys;

/// One side of a [`proxy`]: a sender, a receiver, or both.
///
/// A sender, a receiver, or a pair of them converts into it. [`proxy`] accepts each of these directly.
#[derive(Clone, Debug)]
pub struct ProxySide {
    sender: Option<Sender>,
    receiver: Option<Receiver>,
}

impl From<(Sender, Receiver)> for ProxySide {
    fn from((sender, receiver): (Sender, Receiver)) -> ProxySide {
        ProxySide {
            sender: Some(sender),
            receiver: Some(receiver),
        }
    }
}

impl From<Sender> for ProxySide {
    fn from(sender: Sender) -> ProxySide {
        ProxySide {
            sender: Some(sender),
            receiver: None,
        }
    }
}

impl From<Receiver> for ProxySide {
    fn from(receiver: Receiver) -> ProxySide {
        ProxySide {
            sender: None,
            receiver: Some(receiver),
        }
    }
}

impl ProxySide {
    fn sockets(&self) -> impl Iterator<Item = &OpenSocket> {
        let sender = self.sender.iter().map(Sender::open_socket);
        sender.chain(self.receiver.iter().map(Receiver::open_socket))
    }
}

/// Passes what each side receives on to the other side, and blocks until one of them is closed.
///
/// | to connect | frontend | backend |
/// |---|---|---|
/// | clients that ask with workers that answer | [`router`](crate::Server::router) | [`dealer`](crate::Server::dealer) |
/// | publishers with subscribers | [`xsubscribe`](crate::Server::xsubscribe) | [`xpublish`](crate::Server::xpublish) |
/// | sockets that push with sockets that pull | [`pull`](crate::Server::pull) | [`push`](crate::Server::push) |
///
/// Messages pass unchanged, with their envelopes, and their large frames are not copied. The proxy takes a message from
/// one side only when there is room on the other. So senders wait as if there were no proxy in between.
///
/// A reply to a client that has left is dropped, as it would be without a proxy. A client that is connected but does
/// not read its replies delays the replies to all other clients. A [`timeout`](crate::Server::timeout) on the router's
/// recipe limits that: a reply that still has no room after that time is dropped, and the log warns. The timeout has no
/// effect on receiving.
///
/// The proxy blocks the calling thread, and runs one more thread for each direction. These threads have terminated when
/// it returns. It drops the handles that it was given, so clone those that you still need. To stop it, close either
/// side, from any thread: [`Socket::close`](crate::Socket::close).
///
/// # Errors
///
/// * [`InvalidInput`](crate::ErrorKind::InvalidInput) if no side can send what the other receives, or if a sender comes
///   from a publisher with a topic of its own.
/// * [`Exhausted`](crate::ErrorKind::Exhausted) if the system has no more threads or file descriptors.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use zeroless::{Client, Server, proxy};
///
/// // Clients connect to the frontend, workers to the backend.
/// let (frontend, backend) = (Server::new(0).router()?, Server::new(0).dealer()?);
/// let (for_clients, for_workers) = (frontend.1.socket(), backend.1.socket());
/// let broker = thread::spawn(|| proxy(frontend, backend));
///
/// let (reply, requests) = Client::new().connect_local(for_workers.port()?).reply()?;
/// let worker = thread::spawn(move || {
///     for request in requests.iter().take(1) {
///         reply.send(&[request[0].to_ascii_uppercase()]).unwrap();
///     }
/// });
///
/// let (request, mut replies) = Client::new().connect_local(for_clients.port()?).request()?;
/// request(&[b"hello"])?;
/// assert_eq!(replies.next().unwrap(), [b"HELLO"]);
///
/// for_clients.close();
/// broker.join().unwrap()?;
/// # worker.join().unwrap();
/// # Ok::<(), zeroless::Error>(())
/// ```
pub fn proxy(frontend: impl Into<ProxySide>, backend: impl Into<ProxySide>) -> Result<()> {
    Proxy {
        frontend: frontend.into(),
        backend: backend.into(),
        capture: None,
    }
    .run()
}

/// Runs a [`proxy`] that also sends every message to `capture`. Blocks until one of the sides is closed.
///
/// Messages of both directions are copied to `capture`. While `capture` waits for room, the proxy waits, too. So use a
/// publisher, which never waits, or set a timeout on the recipe of `capture`. If `capture` cannot send a message, it
/// misses that message, and the log warns. The proxy still passes the message on.
///
/// # Errors
///
/// Fails as [`proxy`] does: `InvalidInput` if no side can send what the other receives, or if a sender comes from a
/// publisher with a topic of its own, and `Exhausted` if the system has no more threads or file descriptors.
///
/// # Examples
///
/// ```
/// use std::thread;
/// use zeroless::{Client, Server, proxy_with_capture};
///
/// let (jobs, work) = (Server::new(0).pull()?, Server::new(0).push()?);
/// let (for_producers, for_workers) = (jobs.socket(), work.socket());
/// let record = Server::new(0).pull()?;
/// let capture = Client::new().connect_local(record.socket().port()?).push()?;
/// let streamer = thread::spawn(move || proxy_with_capture(jobs, work, &capture));
///
/// let push = Client::new().connect_local(for_producers.port()?).push()?;
/// let pull = Client::new().connect_local(for_workers.port()?).pull()?;
/// push(&[b"job"])?;
/// assert_eq!(pull.recv()?, [b"job"]);
/// assert_eq!(record.recv()?, [b"job"]);
///
/// for_producers.close();
/// streamer.join().unwrap()?;
/// # Ok::<(), zeroless::Error>(())
/// ```
pub fn proxy_with_capture(
    frontend: impl Into<ProxySide>,
    backend: impl Into<ProxySide>,
    capture: &Sender,
) -> Result<()> {
    Proxy {
        frontend: frontend.into(),
        backend: backend.into(),
        capture: Some(capture),
    }
    .run()
}

struct Proxy<'a> {
    frontend: ProxySide,
    backend: ProxySide,
    capture: Option<&'a Sender>,
}

/// One direction of a proxy.
#[derive(Clone, Copy)]
struct Forwarding<'a> {
    from: &'a Receiver,
    to: &'a Sender,
    capture: Option<&'a Sender>,
}

impl Proxy<'_> {
    /// Runs a thread for each direction, and waits until one of them terminates or one of the sockets is closed.
    ///
    /// These threads block signals, as `Engine::pass_on` requires. The caller's thread must not, so even a single
    /// direction gets a thread of its own.
    fn run(&self) -> Result<()> {
        let directions = self.directions()?;
        let cancel = &Cancel::default();
        thread::scope(|scope| {
            let mut ends: Vec<_> = self.sockets().map(|socket| socket.closed().clone()).collect();
            let mut threads = Vec::new();
            let mut outcome = Ok(());
            for direction in directions {
                let (running, ended) = bounded::<Infallible>(0);
                let builder = Builder::new().name("zeroless-proxy".into());
                let thread = builder.spawn_scoped(scope, move || {
                    let _running = running;
                    direction.forward_all(cancel)
                });
                match thread {
                    Ok(thread) => threads.push(thread),
                    Err(error) => outcome = Err(Error::from_spawn("cannot run a proxy", error)),
                }
                ends.push(ended);
            }
            wait_for_any(&ends);
            let capture = self.capture.map(Sender::open_socket);
            self.sockets().chain(capture).for_each(|socket| socket.cancel(cancel));
            for thread in threads {
                outcome = outcome.and(thread.join().unwrap_or_else(|payload| resume_unwind(payload)));
            }
            outcome
        })
    }

    fn directions(&self) -> Result<Vec<Forwarding<'_>>> {
        let sides = [(&self.frontend, &self.backend), (&self.backend, &self.frontend)];
        let mut directions = Vec::new();
        for (from, to) in sides {
            if let (Some(from), Some(to)) = (&from.receiver, &to.sender) {
                check_sender(to)?;
                directions.push(Forwarding {
                    from,
                    to,
                    capture: self.capture,
                });
            }
        }
        if directions.is_empty() {
            return Err(Error::invalid(
                "cannot run a proxy between these sides: one side must receive and the other must send",
            ));
        }
        Ok(directions)
    }

    fn sockets(&self) -> impl Iterator<Item = &OpenSocket> {
        self.frontend.sockets().chain(self.backend.sockets())
    }
}

fn check_sender(sender: &Sender) -> Result<()> {
    match sender.is_without_topic() {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "cannot run a proxy that sends to {}: it must pass messages on unchanged; give it a sender without a topic",
            sender.open_socket().label()
        ))),
    }
}

/// Waits until one of the channels is disconnected.
fn wait_for_any(ends: &[crossbeam_channel::Receiver<Infallible>]) {
    let mut select = Select::new();
    for end in ends {
        select.recv(end);
    }
    select.ready();
}

impl Forwarding<'_> {
    /// Passes messages on until cancelled, or until one of the sockets is closed.
    fn forward_all(self, cancel: &Cancel) -> Result<()> {
        match sys::block_signals() {
            Ok(()) => {}
            Err(error) => report::warn(format_args!("a proxy cannot block signals in its thread: {error}")),
        }
        loop {
            match self.forward_one(cancel) {
                Err(error) if error.ends_iteration_quietly() => return Ok(()),
                outcome => outcome?,
            }
        }
    }

    fn forward_one(self, cancel: &Cancel) -> Result<()> {
        let (from, to) = (self.from.open_socket(), self.to.open_socket());
        // Before a message is taken, so that the proxy does not hold one that it has no room for.
        to.wait_for_room(Wait::Until(cancel, None))?;
        let mut frames: Vec<zmq::Message> = Vec::new();
        from.receive(&mut frames, Wait::Until(cancel, None))?;
        let slices: Vec<&[u8]> = frames.iter().map(|frame| &**frame).collect();
        if let Some(capture) = self.capture
            && let Err(error) = capture.send_until(&slices, cancel)
        {
            report::warn(format_args!("a proxy could not capture a message: {error}"));
        }
        match to.pass_on(frames, cancel) {
            Err(error) if error.kind() == ErrorKind::NotConnected => {
                log::debug!(target: "zeroless", "a proxy drops a message: {error}");
                Ok(())
            }
            Err(error) if [ErrorKind::TimedOut, ErrorKind::InvalidInput].contains(&error.kind()) => {
                report::warn(format_args!("a proxy drops a message: {error}"));
                Ok(())
            }
            Err(error) if error.ends_iteration_quietly() => {
                report::warn(format_args!(
                    "a proxy stops, and drops the message that it has received: {error}"
                ));
                Err(error)
            }
            outcome => outcome,
        }
    }
}
