//! A Python process to test with.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use zeroless::{Message, Receiver};

/// What [`Peer::say_hello_to`] sends after the topic.
pub const HELLO: &[u8] = b"hello";

/// The Python to test with.
pub fn interpreter() -> OsString {
    let interpreter = env::var_os("ZEROLESS_PYTHON")
        .expect("this test needs Python: set ZEROLESS_PYTHON to one that has the packages zeroless and pyzmq");
    let imported = Command::new(&interpreter).args(["-c", "import zeroless, zmq"]).status();
    assert!(
        imported.as_ref().is_ok_and(|status| status.success()),
        "ZEROLESS_PYTHON={interpreter:?} must be a Python that has the packages zeroless and pyzmq, \
         but importing them there gave {imported:?}"
    );
    interpreter
}

/// A running script of `tests/interop`. It is killed when it is dropped.
pub struct Peer {
    child: Child,
    /// `None` once no more orders follow.
    orders: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts it, waits until its socket is open, and returns the port that it has bound or connects to.
    pub fn start(interpreter: &OsStr, script: &str, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> (Peer, u16) {
        let mut child = Command::new(interpreter)
            // Zeroless warns of a subscriber that binds, which is tested here. And Python must not write compiled files
            // beside the script.
            .args(["-W", "ignore", "-B"])
            .arg(format!("{}/tests/interop/{script}", env!("CARGO_MANIFEST_DIR")))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut peer = Peer { child, orders, lines };
        let port = peer.line().parse().unwrap();
        (peer, port)
    }

    /// Makes Python send a message.
    pub fn send(&mut self, message: &[Vec<u8>]) {
        let frames: Vec<String> = message.iter().map(|frame| hex(frame)).collect();
        self.order(&format!("send {}", frames.join(",")));
    }

    pub fn send_all(&mut self, messages: &[Message]) {
        messages.iter().for_each(|message| self.send(message));
    }

    /// Makes Python publish a hello on a topic until the subscriber receives it: a publisher does not know who listens.
    pub fn say_hello_to(&mut self, topic: &str, there: &Receiver) {
        let hello = [topic.as_bytes(), HELLO].concat();
        let is_hello = |message: Message| message.last() == Some(&hello);
        while !there.recv_timeout(Duration::from_millis(10)).is_ok_and(is_hello) {
            self.send(std::slice::from_ref(&hello));
        }
    }

    /// Makes Python receive `count` messages and report them.
    ///
    /// A subscriber that binds sends its subscriptions only while it receives, so call this before you wait for them.
    pub fn receive(&mut self, count: usize) {
        (0..count).for_each(|_| self.order("receive"));
    }

    /// The next message that Python has received.
    pub fn report(&mut self) -> Message {
        self.line().split(',').map(bytes).collect()
    }

    /// Makes Python receive a message, and returns it.
    pub fn hear(&mut self) -> Message {
        self.receive(1);
        self.report()
    }

    pub fn reports(&mut self, count: usize) -> Vec<Message> {
        (0..count).map(|_| self.report()).collect()
    }

    /// Lets Python deliver what it has sent, and asserts that it ends well.
    pub fn ends_well(mut self) {
        drop(self.orders.take());
        assert_eq!(
            self.lines.next().transpose().unwrap(),
            None,
            "Python has received more than it was sent"
        );
        assert!(self.child.wait().unwrap().success(), "Python has failed");
    }

    pub fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("orders end with the peer");
        writeln!(orders, "{order}").expect("Python has ended early; its error output says why");
    }

    pub fn line(&mut self) -> String {
        self.lines
            .next()
            .expect("Python has ended early; its error output says why")
            .unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}
