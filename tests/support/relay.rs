//! A network link between a client and a server that tests can break and record.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};

/// How many bytes the relay asks the system to buffer in each direction. The system takes twice as much.
///
/// It is small, so that little is in transit when a connection breaks.
pub const BUFFER: usize = 16 << 10;

/// How often a thread that reads or writes checks whether its connection has been broken.
const GLANCE: Duration = Duration::from_millis(5);

/// Forwards connections from its own port to another port of this machine.
pub struct Relay {
    port: u16,
    shared: Arc<Shared>,
    /// The thread that accepts connections, unless they are refused.
    door: Option<JoinHandle<()>>,
    opened: Receiver<()>,
}

struct Shared {
    target: u16,
    state: Mutex<State>,
    changed: Condvar,
    opened: Sender<()>,
}

#[derive(Default)]
struct State {
    refusing: bool,
    stalled: bool,
    delay: Duration,
    /// What was forwarded to the server and to the client, if it is recorded.
    recording: Option<[Vec<u8>; 2]>,
    /// All breaks, in order. A connection remembers how many there were when it was opened, so the next one is its own.
    breaks: Vec<Break>,
    connections: Vec<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Break {
    Cut,
    Reset,
}

impl Relay {
    pub fn to(target: u16) -> Relay {
        let (sender, opened) = unbounded();
        let shared = Shared {
            target,
            state: Mutex::default(),
            changed: Condvar::new(),
            opened: sender,
        };
        let mut relay = Relay {
            port: super::unused_port(),
            shared: Arc::new(shared),
            door: None,
            opened,
        };
        relay.accept();
        relay
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the next connection.
    pub fn await_connection(&self) {
        self.opened.recv().unwrap();
    }

    /// Closes all connections. Each end reads the end of the stream.
    pub fn cut(&self) {
        self.break_connections(Break::Cut);
    }

    /// Resets all connections. Each end reads an error.
    pub fn reset(&self) {
        self.break_connections(Break::Reset);
    }

    /// Stops forwarding. All connections stay open, and new ones are accepted.
    pub fn stall(&self) {
        self.shared.lock().stalled = true;
    }

    /// Forwards again, beginning with what has arrived meanwhile.
    pub fn resume(&self) {
        self.shared.lock().stalled = false;
        self.shared.changed.notify_all();
    }

    /// Forwards everything after this delay.
    pub fn delay(&self, delay: Duration) {
        self.shared.lock().delay = delay;
    }

    /// Records what it forwards from now on.
    pub fn record(&self) {
        self.shared.lock().recording = Some(Default::default());
    }

    /// Returns what it has recorded: the bytes to the server, and the bytes to the client.
    pub fn recording(&self) -> [Vec<u8>; 2] {
        self.shared.lock().recording.clone().expect("it was to record")
    }

    /// Refuses new connections: nothing listens on the port.
    pub fn refuse(&mut self) {
        self.shared.lock().refusing = true;
        // The thread notices it at the next connection.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.door.take().into_iter().for_each(|door| door.join().unwrap());
    }

    /// Accepts connections again.
    pub fn accept(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        // Accepted connections inherit this.
        setsockopt(&listener, sockopt::RcvBuf, &BUFFER).unwrap();
        let shared = Arc::clone(&self.shared);
        shared.lock().refusing = false;
        self.door = Some(thread::spawn(move || {
            for client in listener.incoming() {
                if shared.lock().refusing {
                    break;
                }
                // Without a server, the connection is closed.
                let _ = client.and_then(|client| shared.connect(client));
            }
        }));
    }

    /// The connections are closed when this returns.
    fn break_connections(&self, how: Break) {
        let connections = {
            let mut state = self.shared.lock();
            state.breaks.push(how);
            std::mem::take(&mut state.connections)
        };
        self.shared.changed.notify_all();
        connections
            .into_iter()
            .for_each(|connection| connection.join().unwrap());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.refuse();
        self.cut();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(("127.0.0.1", self.target))?;
        setsockopt(&server, sockopt::SndBuf, &BUFFER)?;
        for end in [&client, &server] {
            end.set_nodelay(true)?;
            end.set_read_timeout(Some(GLANCE))?;
            end.set_write_timeout(Some(GLANCE))?;
        }
        let mut state = self.lock();
        let connection = Connection {
            client,
            server,
            opened_after: state.breaks.len(),
            shared: Arc::clone(self),
        };
        state.connections.push(thread::spawn(move || connection.forward()));
        let _ = self.opened.send(());
        Ok(())
    }
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    opened_after: usize,
    shared: Arc<Shared>,
}

impl Connection {
    /// Forwards in both directions until both have ended, then closes.
    fn forward(self) {
        thread::scope(|scope| {
            scope.spawn(|| self.forward_one_way(&self.client, &self.server, 0));
            self.forward_one_way(&self.server, &self.client, 1);
        });
        if self.broken() == Some(Break::Reset) {
            // With a linger of zero, closing resets the connection.
            let at_once = linger {
                l_onoff: 1,
                l_linger: 0,
            };
            for end in [&self.client, &self.server] {
                setsockopt(end, sockopt::Linger, &at_once).unwrap();
            }
        }
    }

    fn forward_one_way(&self, mut from: &TcpStream, to: &TcpStream, way: usize) {
        let mut buffer = [0; BUFFER];
        // An error means that this end is gone.
        while let Ok(Some(length @ 1..)) = self.unless_broken(|| from.read(&mut buffer)) {
            // Recorded before it is written, so that all that has arrived is recorded.
            if let Some(recording) = &mut self.shared.lock().recording {
                recording[way].extend_from_slice(&buffer[..length]);
            }
            if !self.hold_back() || self.write(to, &buffer[..length]).is_err() {
                break;
            }
        }
        if self.broken() != Some(Break::Reset) {
            let _ = to.shutdown(Shutdown::Write);
        }
    }

    fn write(&self, mut to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while let (false, Some(written)) = (bytes.is_empty(), self.unless_broken(|| to.write(bytes))?) {
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Reads or writes until it succeeds, or until the connection is broken.
    fn unless_broken(&self, mut operation: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
        while self.broken().is_none() {
            match operation() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return outcome.map(Some),
            }
        }
        Ok(None)
    }

    /// Holds back what has just arrived as long as required, and returns whether to forward it.
    fn hold_back(&self) -> bool {
        let came = Instant::now();
        let mut state = self.shared.lock();
        loop {
            let left = match state.stalled {
                true => Duration::MAX,
                false => state.delay.saturating_sub(came.elapsed()),
            };
            if left.is_zero() || state.breaks.len() > self.opened_after {
                return left.is_zero();
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    fn broken(&self) -> Option<Break> {
        self.shared.lock().breaks.get(self.opened_after).copied()
    }
}
