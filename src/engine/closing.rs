//! Closes sockets, and reports the messages that are lost with them.
//!
//! Once a socket is closed, libzmq reports nothing more about it: neither that the server has refused the client, nor
//! that messages were given up at the end of the linger. So a client that no server has accepted yet stays open a
//! little longer, in a thread of its own. The last socket of the process waits for these threads, as it waits for
//! libzmq.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::draft::Context;
use super::wait::{Deadline, Wait};
use super::wire::{Fate, Wire};
use super::{failure, reaper};
use crate::report;

/// How long a client that no server has accepted stays open. After that, libzmq alone waits for the server.
const WATCH_LIMIT: Duration = Duration::from_secs(60);

/// When to warn that closing waits to deliver.
const WARNING_TIMES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];

/// How many closed sockets are remembered: those that were closed last.
const REMEMBERED: usize = 16;

/// How long after its linger libzmq may still be busy with a socket that has given up.
const TOLERANCE: Duration = Duration::from_millis(50);

/// The closed sockets that may not have delivered everything.
#[derive(Default)]
pub(super) struct Closing {
    sockets: Mutex<Vec<Arc<ClosedSocket>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Clone)]
struct ClosedSocket {
    label: String,
    /// How many messages it has not delivered; `None` if libzmq does not report it.
    undelivered: Option<u64>,
    linger: Option<Duration>,
    closed_at: Instant,
}

impl ClosedSocket {
    fn new(label: String, undelivered: Option<u64>, linger: Option<Duration>) -> ClosedSocket {
        ClosedSocket {
            label,
            undelivered,
            linger,
            closed_at: Instant::now(),
        }
    }

    /// The time that is left of its linger; `None` if it has none.
    fn linger_left(&self) -> Option<Duration> {
        let linger = self.linger?;
        Some(linger.saturating_sub(self.closed_at.elapsed()))
    }

    /// Whether its linger ended between two moments.
    fn gave_up_between(&self, from: Instant, to: Instant) -> bool {
        let end = self.linger.and_then(|linger| self.closed_at.checked_add(linger));
        end.is_some_and(|end| (from..to).contains(&end))
    }

    fn report_giving_up(&self) {
        let messages = match self.undelivered {
            Some(messages) => format!("{}, because no server has accepted the client", lost(messages)),
            None => "messages are lost, because they were not delivered".to_owned(),
        };
        report::error(format_args!(
            "{}: {messages} within {:?}; set a longer linger, or none, to wait until they are delivered",
            self.label,
            self.linger.unwrap_or_default()
        ));
    }
}

impl Closing {
    /// Closes a socket that no thread uses any more.
    pub(super) fn close(self: &Arc<Self>, wire: Wire, label: String, has_credentials: bool) {
        let linger = wire.linger();
        match wire.fate() {
            Ok(Fate::Refused(messages)) => {
                report_refusal(&label, &format!("up to {}", lost(messages)), has_credentials);
            }
            // Nothing is left to deliver, or nobody cares.
            _ if !wire.has_sent() || wire.may_lose() || linger == Some(Duration::ZERO) => {}
            Ok(Fate::Unaccepted(messages)) => {
                let socket = self.remember(ClosedSocket::new(label, Some(messages), linger));
                return self.start_watching(wire, socket, has_credentials);
            }
            _ => _ = self.remember(ClosedSocket::new(label, None, linger)),
        }
        drop(wire);
        reaper::note_closed();
    }

    fn start_watching(self: &Arc<Self>, wire: Wire, socket: Arc<ClosedSocket>, has_credentials: bool) {
        let closing = Arc::clone(self);
        let watch = move || {
            closing.watch(wire, &socket, has_credentials);
            reaper::note_closed();
        };
        let thread = thread::Builder::new().name("zeroless-closing".into()).spawn(watch);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        // If no thread is left, the socket is closed now, and only the report is lost.
        threads.extend(thread);
    }

    /// Keeps a client open until a server has accepted or refused it, or its linger has passed. Then closes it.
    fn watch(&self, wire: Wire, socket: &Arc<ClosedSocket>, has_credentials: bool) {
        let deadline = Deadline::after(Wait::For(WATCH_LIMIT)).within(socket.linger_left());
        let event = wire.wait_for_event(deadline);
        self.forget(socket);
        if event == Ok(true) && wire.is_refused_by_event() == Ok(true) {
            let messages = socket.undelivered.unwrap_or_default();
            report_refusal(&socket.label, &lost(messages), has_credentials);
        } else if event == Ok(false) && socket.linger_left() == Some(Duration::ZERO) {
            socket.report_giving_up();
        } else {
            let undelivered = None;
            self.remember(ClosedSocket {
                undelivered,
                ..(**socket).clone()
            });
        }
        if let Some(left) = socket.linger_left() {
            wire.set_linger(left);
        }
    }

    /// Waits until no client is kept open any more.
    pub(super) fn finish(&self) {
        let threads = mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // If it panicked, in a user's logger, the panic hook has reported that.
            let _ = thread.join();
        }
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<Arc<ClosedSocket>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, socket: ClosedSocket) -> Arc<ClosedSocket> {
        let socket = Arc::new(socket);
        let mut sockets = self.sockets();
        if sockets.len() == REMEMBERED {
            sockets.remove(0);
        }
        sockets.push(Arc::clone(&socket));
        socket
    }

    fn forget(&self, socket: &Arc<ClosedSocket>) {
        self.sockets().retain(|other| !Arc::ptr_eq(other, socket));
    }

    /// Terminates libzmq's context. Blocks until libzmq has delivered everything or given up, and reports what it has
    /// given up.
    pub(super) fn terminate(&self, context: Context) {
        let started = Instant::now();
        drop(context);
        // A socket whose linger ended just before has kept libzmq until now.
        let recently = Instant::now()
            .checked_sub(TOLERANCE)
            .map_or(started, |recently| recently.max(started));
        for socket in self.sockets().drain(..) {
            if socket.gave_up_between(recently, Instant::now()) {
                socket.report_giving_up();
            }
        }
    }

    /// The sockets that have not delivered everything, for people. Those for which this is certain, if there are any.
    fn undelivered(&self) -> String {
        let sockets = self.sockets();
        let certain: Vec<_> = sockets
            .iter()
            .filter_map(|socket| Some((socket, socket.undelivered?)))
            .collect();
        let names: Vec<String> = match certain.as_slice() {
            [] => sockets.iter().map(|socket| socket.label.clone()).collect(),
            certain => certain
                .iter()
                .map(|(socket, messages)| format!("{} ({messages})", socket.label))
                .collect(),
        };
        names.join("; ")
    }

    /// Warns at these times that closing still waits, until the other end of the channel is dropped.
    ///
    /// libzmq's function to terminate a context takes no timeout, so a thread watches the clock while it runs.
    pub(super) fn warn_when_late(&self, ended: &Receiver<()>) {
        let started = Instant::now();
        for time in WARNING_TIMES {
            if ended.recv_deadline(started + time) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            report::warn(format_args!(
                "the last socket has waited {time:?} to close: messages have not reached their peers yet, over {}; \
                 start the peers, or set a linger to give up after that time",
                self.undelivered()
            ));
        }
    }
}

fn lost(messages: u64) -> String {
    match messages {
        1 => "1 message is lost".to_owned(),
        _ => format!("{messages} messages are lost"),
    }
}

fn report_refusal(label: &str, loss: &str, has_credentials: bool) {
    report::error(format_args!(
        "{label}: {loss}, because the server has refused this client: {}; correct that, and send again",
        failure::reasons_for_denial(has_credentials)
    ));
}
