//! The handle that calls.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::LevelFilter;

use super::exchange::{Event, Exchange, Fault, Received, Visit};
use super::protocol;
use crate::endpoint;
use crate::engine::{Arrival, Deadline, Wait};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::{OpenSocket, Socket};
use crate::message::{AsFrames, Message};

type Function = dyn Fn(&[&[u8]]) -> Result<Message> + Send + Sync;

/// Opens a [`CallProbe`](crate::engine::Pattern::CallProbe) that is connected to these endpoints.
pub(crate) type OpenProbe = Box<dyn Fn(&[String]) -> Result<OpenSocket> + Send + Sync>;

/// Asks a server, and returns its answer: call it with the frames of a question.
///
/// ```
/// # use std::thread;
/// use zeroless::{Client, Server, frames};
///
/// # let calls = Server::new(0).serve()?;
/// # let port = calls.socket().port()?;
/// # thread::spawn(move || calls.for_each(|call| call.reply("3").unwrap()));
/// let call = Client::new().connect_local(port).call()?;
/// let sum = call(frames!["add", "1", "2"])?;
/// assert_eq!(sum, [b"3"]);
/// # Ok::<(), zeroless::Error>(())
/// ```
///
/// Any number of threads can call at the same time, over one handle or over clones of it, and each receives the answer to
/// its own call. The server can answer in any order. The socket closes when the last handle is dropped.
///
/// A caller with several servers gives the calls to those that are connected, in turn.
///
/// # What an error means
///
/// The crate never repeats a call, so a server runs each call **at most once**. If a call fails, the
/// [kind](Error::kind) of the error says whether the server may have run it:
///
/// | kind | what happened | did the server run it? |
/// |---|---|---|
/// | [`NotConnected`](ErrorKind::NotConnected) | no server with room for the call was connected in time, or the client has no address | no; call again at will |
/// | [`Failed`](ErrorKind::Failed) | the server says that the call has failed; the text of the error is its own | yes, as far as its text says |
/// | [`Lost`](ErrorKind::Lost) | the connection was lost before the answer arrived | perhaps |
/// | [`TimedOut`](ErrorKind::TimedOut) | no answer arrived in time | perhaps |
/// | [`Denied`](ErrorKind::Denied) | the server does not let this client in | no |
/// | [`Closed`](ErrorKind::Closed) | this socket was closed | perhaps, if it was closed during the call |
///
/// After `Lost` or `TimedOut`, call again only if it does no harm that the server runs the call twice.
///
/// # When to set a timeout
///
/// Without a [timeout](crate::Client::timeout), a call waits until a server is connected, and then until the answer
/// arrives. If the server's process ends, its callers know at once: the call fails with `Lost`. A timeout is needed to
/// notice other faults:
///
/// * The server hangs, or its machine is lost. (TCP keepalive or a [`heartbeat`](crate::Client::heartbeat) also notices a
///   lost machine.)
/// * One of several servers ends. Only when none is connected any more, the calls that wait are lost.
/// * A server behind a [proxy](crate::proxy()) ends.
/// * More calls are unanswered than [`high_water_mark`](crate::Client::high_water_mark) says. Then the crate cannot tell
///   a full queue from a lost server.
/// * This process was stopped, or waited for a processor, for half a second or longer, and meanwhile the connection was
///   lost and made again.
#[derive(Clone)]
pub struct Caller {
    line: Arc<Line>,
    /// The target of `Deref`, which makes a caller callable.
    function: Arc<Function>,
}

/// The socket of a caller, and the calls over it.
struct Line {
    socket: OpenSocket,
    exchange: Exchange,
    /// `None` if this side is the server, which nobody refuses.
    open_probe: Option<OpenProbe>,
    probe: Mutex<Option<Probe>>,
}

/// A second socket of a client that waits for its servers, with the same address and password. It has a queue from the
/// beginning, and loses it when its servers refuse it. The socket for calls has a queue only once it is connected, so
/// libzmq does not say whether it is refused.
struct Probe {
    endpoints: Vec<String>,
    socket: OpenSocket,
}

impl Caller {
    pub(crate) fn new(socket: OpenSocket, open_probe: Option<OpenProbe>) -> Caller {
        let line = Arc::new(Line {
            socket,
            exchange: Exchange::default(),
            open_probe,
            probe: Mutex::default(),
        });
        let function = {
            let line = Arc::clone(&line);
            move |frames: &[&[u8]]| line.call(frames, line.socket.timeout())
        };
        Caller {
            line,
            function: Arc::new(function),
        }
    }

    /// Asks a server, and blocks until its answer arrives. Calling the caller does the same.
    ///
    /// The frames can be anything that converts to bytes: `&["add", "1"]`, a slice of `Vec<u8>`, a received [`Message`].
    /// A `&str` is one frame. [`frames!`](crate::frames!) takes frames of different types.
    ///
    /// # Errors
    ///
    /// The [table above](#what-an-error-means) lists the kinds for which a program may need to do something. The others
    /// are [`InvalidInput`](ErrorKind::InvalidInput) for a call without frames; [`Exhausted`](ErrorKind::Exhausted) if
    /// there is no file descriptor to wait with, or no memory for the call or for an answer; and
    /// [`Other`](ErrorKind::Other) for an answer that does not have the form of one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::thread;
    /// use zeroless::{Client, ErrorKind, Server};
    ///
    /// let calls = Server::new(0).serve()?;
    /// let port = calls.socket().port()?;
    /// thread::spawn(move || {
    ///     for call in calls {
    ///         call.fail("out of tea").unwrap();
    ///     }
    /// });
    /// let caller = Client::new().connect_local(port).call()?;
    /// let error = caller.call(&["tea", "2"]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Failed);
    /// assert_eq!(error.to_string(), "out of tea");
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn call(&self, frames: &(impl AsFrames + ?Sized)) -> Result<Message> {
        self.line.call(&frames.as_frames(), self.line.socket.timeout())
    }

    /// Asks a server, and blocks for at most `timeout` until its answer arrives.
    ///
    /// The time is rounded up to milliseconds. It replaces the recipe's timeout for this call. It begins when this is
    /// called, so it includes waiting for a server.
    ///
    /// # Errors
    ///
    /// Fails as [`call`](Self::call) does. If the time passes, it fails with [`NotConnected`](ErrorKind::NotConnected) or
    /// with [`TimedOut`](ErrorKind::TimedOut).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{Client, ErrorKind, Server};
    ///
    /// let calls = Server::new(0).serve()?;
    /// let caller = Client::new().connect_local(calls.socket().port()?).call()?;
    /// caller.wait_for_server(Duration::from_secs(10))?;
    /// let error = caller.call_timeout(&["hello?"], Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TimedOut); // nobody iterates over `calls`
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn call_timeout(&self, frames: &(impl AsFrames + ?Sized), timeout: Duration) -> Result<Message> {
        self.line.call(&frames.as_frames(), Wait::For(timeout))
    }

    /// Blocks until a server is connected, for at most `timeout`.
    ///
    /// Calls wait for a server by themselves. Use this to find out early that there is none.
    ///
    /// # Errors
    ///
    /// * [`NotConnected`](ErrorKind::NotConnected) if no server was connected in time, or if the client has no address.
    /// * [`Denied`](ErrorKind::Denied) if the server [does not let it in](crate::guide::networks#refused-clients).
    /// * [`Closed`](ErrorKind::Closed) if the socket was closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroless::{Client, ErrorKind};
    ///
    /// let caller = Client::new().connect_local(9).call()?;
    /// let error = caller.wait_for_server(Duration::from_millis(10)).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotConnected); // nothing listens there
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn wait_for_server(&self, timeout: Duration) -> Result<()> {
        let wait = Wait::For(timeout);
        self.line.wait_for_server(wait, Deadline::after(wait), "")
    }

    /// Returns the socket that this handle uses, for example to connect it to another server or to close it.
    ///
    /// # Examples
    ///
    /// ```
    /// let caller = zeroless::Client::new().connect_local(12345).call()?;
    /// caller.socket().connect_local(12346)?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn socket(&self) -> Socket {
        Socket::new(self.line.socket.engine())
    }
}

impl Line {
    fn call(&self, frames: &[&[u8]], wait: Wait<'_>) -> Result<Message> {
        if frames.is_empty() {
            let message = format!(
                "{}: a call has at least one frame; send an empty frame",
                self.socket.label()
            );
            return Err(Error::invalid(message));
        }
        let deadline = Deadline::after(wait);
        let visit = self.send(frames, wait, deadline)?;
        self.socket.log_sent(frames);
        match visit.wait(deadline, |settled| self.receive(settled, deadline)) {
            Ok(answer) => {
                self.stop_probing();
                Ok(answer)
            }
            Err(Fault::Failed(error)) => Err(error),
            Err(Fault::TimedOut) => {
                let time = time_of(wait);
                Err(self.may_have_run(ErrorKind::TimedOut, format_args!("no answer arrived{time}")))
            }
            Err(Fault::Lost) => {
                let what = format_args!("the connection was lost before the answer arrived");
                Err(self.may_have_run(ErrorKind::Lost, what))
            }
        }
    }

    /// Sends a call when a server is connected.
    fn send(&self, frames: &[&[u8]], wait: Wait<'_>, deadline: Deadline<'_>) -> Result<Visit<'_>> {
        loop {
            match self.exchange.send(|number| self.try_send(frames, number, deadline)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.wait_for_server(wait, deadline, ", so the call was not run")?
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends a call if a server is connected.
    fn try_send(&self, frames: &[&[u8]], number: u64, deadline: Deadline<'_>) -> Result<()> {
        if self.socket.awaits_binding() {
            return Err(Error::new(
                ErrorKind::WouldBlock,
                "the server has not opened its socket yet",
            ));
        }
        let id = protocol::id(number, deadline.remaining());
        let message: Vec<&[u8]> = [&id[..], b""].into_iter().chain(frames.iter().copied()).collect();
        self.socket.send_quietly(&message, Wait::Never)
    }

    fn receive(&self, settled: u64, deadline: Deadline<'_>) -> Received<'_> {
        let mut message = Message::new();
        match self
            .socket
            .receive_while_connected(&mut message, settled, deadline.wait())
        {
            Ok(Arrival::Message) => self.sort(message),
            Ok(Arrival::NoPeer { sent }) => Event::NoPeer(sent).into(),
            Err(error) => match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Event::Nothing.into(),
                ErrorKind::Closed => Event::Closed(error).into(),
                // If there is no memory for an answer, there is still its first frame.
                _ => match message.first().and_then(|id| protocol::number(id)) {
                    Some(number) => Event::Answer(number, Err(error)).into(),
                    None => Event::Failed(error).into(),
                },
            },
        }
    }

    /// Finds out which call a message answers.
    fn sort(&self, message: Message) -> Received<'_> {
        let is_traced = log::max_level() == LevelFilter::Trace;
        let lengths = is_traced.then(|| message.iter().map(Vec::len).collect());
        let answer = protocol::parse_answer(message);
        let is_dropped = answer.is_none();
        let report = move || {
            if let Some(lengths) = lengths {
                self.socket.log_received(|| lengths);
            }
            if is_dropped {
                log::warn!(target: "zeroless", "{} drops a message that answers no call", self.socket.label());
            }
        };
        Received {
            event: answer.map_or(Event::Nothing, |(number, answer)| Event::Answer(number, answer)),
            report: (is_traced || is_dropped).then(|| Box::new(report) as _),
        }
    }

    /// Waits until a call can be sent. `consequence` says what it means if none can.
    fn wait_for_server(&self, wait: Wait<'_>, deadline: Deadline<'_>, consequence: &str) -> Result<()> {
        /// How long to wait before the first look whether the servers refuse this client, and between two looks.
        const PROBE_INTERVAL: Duration = Duration::from_millis(200);

        loop {
            match self.socket.wait_for_peer(deadline.within(Some(PROBE_INTERVAL)).wait()) {
                Ok(()) => {
                    self.stop_probing();
                    return Ok(());
                }
                Err(error) if !matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                    return Err(error);
                }
                Err(_) => self.exchange.renew(|was_sent| self.socket.connect_again(was_sent)),
            }
            if deadline.has_passed() {
                let message = format!(
                    "{}: no server was connected{}{consequence}; start the server, check its address, or wait longer",
                    self.socket.label(),
                    time_of(wait)
                );
                return Err(Error::new(ErrorKind::NotConnected, message));
            }
            self.check_refusal()?;
        }
    }

    /// Fails if all servers refuse this client.
    fn check_refusal(&self) -> Result<()> {
        let Some(open_probe) = &self.open_probe else {
            return Ok(());
        };
        let endpoints = self.socket.connected();
        // A server of this process refuses nobody.
        if endpoints.iter().any(|endpoint| endpoint::is_inproc(endpoint)) {
            return Ok(());
        }
        // It is opened and closed unlocked: a logger may call, and so come here.
        let current = self.probe().take();
        let probe = match current {
            Some(probe) if probe.endpoints == endpoints => probe,
            _ => Probe {
                socket: open_probe(&endpoints)?,
                endpoints,
            },
        };
        let outcome = probe.socket.wait_for_peer(Wait::Never);
        let of_another_thread = self.probe().replace(probe);
        drop(of_another_thread);
        match outcome {
            Err(error) if error.kind() == ErrorKind::Denied => Err(error),
            _ => Ok(()),
        }
    }

    /// Closes the probe, because a server has accepted this client.
    fn stop_probing(&self) {
        let probe = self.probe().take();
        drop(probe);
    }

    fn probe(&self) -> MutexGuard<'_, Option<Probe>> {
        self.probe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_have_run(&self, kind: ErrorKind, what: fmt::Arguments<'_>) -> Error {
        let label = self.socket.label();
        let message =
            format!("{label}: {what}; the server may have run the call, so repeat it only if that does no harm");
        Error::new(kind, message)
    }
}

/// The time of a wait, to follow "no answer arrived".
fn time_of(wait: Wait<'_>) -> String {
    match wait {
        Wait::For(time) => format!(" within {time:?}"),
        _ => String::new(),
    }
}

impl Deref for Caller {
    type Target = Function;

    fn deref(&self) -> &Function {
        &*self.function
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({})", self.line.socket.label())
    }
}
