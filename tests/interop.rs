//! What zeroless sends, Python's Zeroless and bare pyzmq receive, and the other way round.
//!
//! Left out unless `ZEROLESS_PYTHON` names a Python that has both:
//!
//! ```text
//! python3 -m venv venv && venv/bin/pip install zeroless pyzmq
//! ZEROLESS_PYTHON=venv/bin/python cargo test --test interop
//! ```
//!
//! The Python end is `interop/peer.py`. It does one thing after the other as the test tells it, so that no test has to
//! guess how far it is.

mod support;

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use support::{await_subscribers, client_of_port, watchdog};
use zeroless::{Client, ErrorKind, Message, Publisher, Receiver, Result, Sender, Server, Socket, Subscriber};

/// How long a socket waits for what should come at once: a failure is better than a hang.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Makes four tests of each function: Python plays with one library or the other, and binds or connects.
macro_rules! with_each_python {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[test]
            fn when_python_zeroless_binds() {
                super::run("zeroless", true, super::$test);
            }

            #[test]
            fn when_python_zeroless_connects() {
                super::run("zeroless", false, super::$test);
            }

            #[test]
            fn when_pyzmq_binds() {
                super::run("pyzmq", true, super::$test);
            }

            #[test]
            fn when_pyzmq_connects() {
                super::run("pyzmq", false, super::$test);
            }
        }
    )+};
}

with_each_python! {
    zeroless_pulls_what_python_pushes,
    python_pulls_what_zeroless_pushes,
    zeroless_hears_what_python_publishes,
    python_hears_what_zeroless_publishes,
    zeroless_hears_no_other_topics_than_it_subscribed_to,
    python_hears_no_other_topics_than_it_subscribed_to,
    zeroless_hears_a_python_publisher_of_one_topic,
    python_hears_a_zeroless_publisher_of_one_topic,
    zeroless_hears_the_topic_that_python_embeds,
    python_hears_the_topic_that_zeroless_embeds,
    zeroless_replies_to_what_python_requests,
    python_replies_to_what_zeroless_requests,
    a_zeroless_pair_hears_what_a_python_pair_says,
    a_python_pair_hears_what_a_zeroless_pair_says,
}

fn zeroless_pulls_what_python_pushes(python: Python) {
    let (pull, mut peer) = python.meet("push", &[], Server::pull, Client::pull, Receiver::socket);
    peer.send_all(&messages());
    peer.ends_well();
    assert_eq!(take(&pull, messages().len()), messages());
}

fn python_pulls_what_zeroless_pushes(python: Python) {
    let (push, mut peer) = python.meet("pull", &[], Server::push, Client::push, Sender::socket);
    peer.receive(messages().len());
    send_all(&push, &messages());
    assert_eq!(peer.reports(messages().len()), messages());
    peer.ends_well();
}

fn zeroless_hears_what_python_publishes(python: Python) {
    let (subscriber, mut peer) = python.publishes("publish", "", &[""]);
    peer.send_all(&messages());
    assert_eq!(take_after_hello(&subscriber, messages().len()), messages());
    peer.ends_well();
}

fn python_hears_what_zeroless_publishes(python: Python) {
    let (publisher, mut peer) = python.subscribes(&[""], messages().len());
    send_all(&publisher, &messages());
    assert_eq!(peer.reports(messages().len()), messages());
    peer.ends_well();
}

fn zeroless_hears_no_other_topics_than_it_subscribed_to(python: Python) {
    let (subscriber, mut peer) = python.publishes("publish", "", &["sport", "weather"]);
    peer.send_all(&news());
    assert_eq!(take_after_hello(&subscriber, 3), news_of_sport_and_weather());
    peer.ends_well();
}

fn python_hears_no_other_topics_than_it_subscribed_to(python: Python) {
    let (publisher, mut peer) = python.subscribes(&["sport", "weather"], 3);
    send_all(&publisher, &news());
    assert_eq!(peer.reports(3), news_of_sport_and_weather());
    peer.ends_well();
}

fn zeroless_hears_a_python_publisher_of_one_topic(python: Python) {
    let (subscriber, mut peer) = python.publishes("publish", "sport", &["sport"]);
    peer.send_all(&beginning_with("sport"));
    assert_eq!(take_after_hello(&subscriber, messages().len()), beginning_with("sport"));
    peer.ends_well();
}

fn python_hears_a_zeroless_publisher_of_one_topic(python: Python) {
    let (publisher, mut peer) = python.subscribes(&["sport"], messages().len());
    send_all(&publisher.topic("sport"), &beginning_with("sport"));
    assert_eq!(peer.reports(messages().len()), beginning_with("sport"));
    peer.ends_well();
}

fn zeroless_hears_the_topic_that_python_embeds(python: Python) {
    let (subscriber, mut peer) = python.publishes("embed", "sport", &["sport"]);
    peer.send_all(&messages());
    assert_eq!(take_after_hello(&subscriber, messages().len()), behind_frame("sport"));
    peer.ends_well();
}

fn python_hears_the_topic_that_zeroless_embeds(python: Python) {
    let (publisher, mut peer) = python.subscribes(&["sport"], messages().len());
    send_all(&publisher.embed_topic("weather"), &messages());
    send_all(&publisher.embed_topic("sport"), &messages());
    assert_eq!(peer.reports(messages().len()), behind_frame("sport"));
    peer.ends_well();
}

fn zeroless_replies_to_what_python_requests(python: Python) {
    let ((reply, requests), mut peer) = python.meet("request", &[], Server::reply, Client::reply, socket_of_both);
    for message in messages() {
        peer.send(&message);
        assert_eq!(requests.recv().unwrap(), message);
        reply.send(&reversed(&message)).unwrap();
        peer.receive(1);
        assert_eq!(peer.report(), reversed(&message));
    }
    peer.ends_well();
}

fn python_replies_to_what_zeroless_requests(python: Python) {
    let ((request, replies), mut peer) = python.meet("reply", &[], Server::request, Client::request, socket_of_both);
    for message in messages() {
        request.send(&message).unwrap();
        peer.receive(1);
        assert_eq!(peer.report(), message);
        peer.send(&reversed(&message));
        assert_eq!(replies.recv().unwrap(), reversed(&message));
    }
    peer.ends_well();
}

fn a_zeroless_pair_hears_what_a_python_pair_says(python: Python) {
    let ((_, hear), mut peer) = python.meet("pair", &[], Server::pair, Client::pair, socket_of_both);
    peer.send_all(&messages());
    assert_eq!(take(&hear, messages().len()), messages());
    peer.ends_well();
}

fn a_python_pair_hears_what_a_zeroless_pair_says(python: Python) {
    let ((say, _), mut peer) = python.meet("pair", &[], Server::pair, Client::pair, socket_of_both);
    peer.receive(messages().len());
    send_all(&say, &messages());
    assert_eq!(peer.reports(messages().len()), messages());
    peer.ends_well();
}

#[test]
fn a_request_that_is_asked_again_never_gets_the_late_reply_to_the_first() {
    run("pyzmq", true, |python| {
        let ((request, replies), mut peer) =
            python.meet("reply", &[], Server::request, Client::request, socket_of_both);
        request(&[b"first"]).unwrap();
        peer.receive(1);
        assert_eq!(peer.report(), [b"first"]);
        let error = replies.recv_timeout(Duration::from_millis(10)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);

        request(&[b"second"]).unwrap();
        peer.send(&[b"late reply to the first".to_vec()]);
        peer.receive(1);
        assert_eq!(peer.report(), [b"second"]);
        // The late one comes before it, over the same connection: if it were let in, it would be received here.
        peer.send(&[b"reply to the second".to_vec()]);
        assert_eq!(replies.recv().unwrap(), [b"reply to the second"]);
        peer.ends_well();
    });
}

/// Messages of all that may go wrong on the way: a lone frame, empty frames at every place, bytes of every value.
fn messages() -> Vec<Message> {
    let all_bytes: Vec<u8> = (0..=255).collect();
    vec![
        vec![b"lone".to_vec()],
        vec![all_bytes.clone()],
        vec![
            b"head".to_vec(),
            b"".to_vec(),
            all_bytes,
            b"\0\0\0".to_vec(),
            b"tail".to_vec(),
        ],
        vec![b"".to_vec()],
        vec![b"".to_vec(), b"between".to_vec(), b"".to_vec()],
    ]
}

/// The messages, with the topic as the beginning of their first frames.
fn beginning_with(topic: &str) -> Vec<Message> {
    let mut messages = messages();
    for message in &mut messages {
        message[0].splice(..0, topic.bytes());
    }
    messages
}

/// The messages, with the topic as a frame before their first frames.
fn behind_frame(topic: &str) -> Vec<Message> {
    let mut messages = messages();
    for message in &mut messages {
        message.insert(0, topic.into());
    }
    messages
}

fn reversed(message: &Message) -> Message {
    message.iter().rev().cloned().collect()
}

fn news() -> Vec<Message> {
    ["politics", "weather", "sport/football", "spor", "sport"]
        .map(|topic| vec![topic.into(), b"".to_vec(), b"\0\xff".to_vec()])
        .into()
}

fn news_of_sport_and_weather() -> Vec<Message> {
    let [_, weather, football, _, sport] = news().try_into().unwrap();
    vec![weather, football, sport]
}

fn send_all(sender: &Sender, messages: &[Message]) {
    for message in messages {
        sender.send(message).unwrap();
    }
}

/// The next messages; fewer, if they do not come in time.
fn take(receiver: &Receiver, count: usize) -> Vec<Message> {
    receiver.iter().take(count).collect()
}

const HELLO: &[u8] = b"hello";

/// The next messages after what is left of the greetings of [`Python::publishes`].
fn take_after_hello(subscriber: &Subscriber, count: usize) -> Vec<Message> {
    let is_hello = |message: &Message| message.last().is_some_and(|frame| frame.ends_with(HELLO));
    subscriber.iter().skip_while(is_hello).take(count).collect()
}

fn socket_of_both((sender, _): &(Sender, Receiver)) -> Socket {
    sender.socket()
}

/// Runs a test with that Python, if there is one.
fn run(library: &'static str, binds: bool, test: fn(Python)) {
    let _watchdog = watchdog();
    if let Some(interpreter) = interpreter() {
        test(Python {
            interpreter,
            library,
            binds,
        });
    }
}

/// The Python to test with; `None` where that is not asked for.
fn interpreter() -> Option<OsString> {
    let Some(interpreter) = env::var_os("ZEROLESS_PYTHON") else {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        // Not `eprintln`: of a test that passes, its output would not be shown.
        let _ = writeln!(
            io::stderr(),
            "{test} is left out; set ZEROLESS_PYTHON to a Python with the packages zeroless and pyzmq to run it"
        );
        return None;
    };
    let imported = Command::new(&interpreter).args(["-c", "import zeroless, zmq"]).status();
    assert!(
        imported.as_ref().is_ok_and(|status| status.success()),
        "ZEROLESS_PYTHON={interpreter:?} has to be a Python with the packages zeroless and pyzmq, \
         but importing them there gave {imported:?}"
    );
    Some(interpreter)
}

/// Which Python to meet, and how.
struct Python {
    interpreter: OsString,
    library: &'static str,
    binds: bool,
}

impl Python {
    /// Opens both ends of a pattern: Python's in the role that is named, and ours, as a server or as a client.
    fn meet<H>(
        &self,
        role: &str,
        topics: &[&str],
        serve: impl FnOnce(&Server) -> Result<H>,
        connect: impl FnOnce(&Client) -> Result<H>,
        socket: impl FnOnce(&H) -> Socket,
    ) -> (H, Peer) {
        if self.binds {
            let (peer, port) = Peer::start(self, role, 0, topics);
            (connect(client_of_port(port).timeout(TIMEOUT)).unwrap(), peer)
        } else {
            let handles = serve(Server::new(0).timeout(TIMEOUT)).unwrap();
            let port = socket(&handles).port().unwrap();
            let (peer, _) = Peer::start(self, role, port, topics);
            (handles, peer)
        }
    }

    /// Python publishes in that role, with a topic of its own or none (`""`), and our subscriber hears it.
    fn publishes(&self, role: &str, topic: &str, topics: &[&str]) -> (Subscriber, Peer) {
        let serve = |server: &Server| server.subscribe(topics);
        let connect = |client: &Client| client.subscribe(topics);
        let (subscriber, mut peer) = self.meet(role, &[topic], serve, connect, |subscriber| subscriber.socket());
        // A publisher does not know who listens, so it says hello to each topic until it is heard.
        for topic in topics {
            let hello = [topic.as_bytes(), HELLO].concat();
            let is_hello = |message: Message| message.last() == Some(&hello);
            while !subscriber.recv_timeout(Duration::from_millis(10)).is_ok_and(is_hello) {
                peer.send(std::slice::from_ref(&hello));
            }
        }
        (subscriber, peer)
    }

    /// Python subscribes, and waits for so many messages of ours.
    fn subscribes(&self, topics: &[&str], count: usize) -> (Publisher, Peer) {
        let socket = |publisher: &Publisher| publisher.socket();
        let (publisher, mut peer) = self.meet("subscribe", topics, Server::publish, Client::publish, socket);
        // Asked first: a subscriber that binds sends its subscriptions only while it receives.
        peer.receive(count);
        await_subscribers(&publisher, topics.len());
        (publisher, peer)
    }
}

/// A `peer.py` that runs, and ends with the test at the latest.
struct Peer {
    child: Child,
    /// `None` once there are no more orders to come.
    orders: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts it, and waits until its socket is open; returns the port that it has bound or connects to.
    fn start(python: &Python, role: &str, port: u16, topics: &[&str]) -> (Peer, u16) {
        let mut child = Command::new(&python.interpreter)
            // Zeroless warns of a subscriber that binds, which is just what is tested.
            .args([
                "-W",
                "ignore",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/peer.py"),
            ])
            .args([python.library, role, &port.to_string()])
            .args(topics)
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

    /// Has Python send a message.
    fn send(&mut self, message: &[Vec<u8>]) {
        let frames: Vec<String> = message.iter().map(|frame| hex(frame)).collect();
        self.order(&format!("send {}", frames.join(",")));
    }

    fn send_all(&mut self, messages: &[Message]) {
        messages.iter().for_each(|message| self.send(message));
    }

    /// Has Python receive so many messages, and report them.
    fn receive(&mut self, count: usize) {
        (0..count).for_each(|_| self.order("receive"));
    }

    /// The next message that Python has received.
    fn report(&mut self) -> Message {
        self.line().split(',').map(bytes).collect()
    }

    fn reports(&mut self, count: usize) -> Vec<Message> {
        (0..count).map(|_| self.report()).collect()
    }

    /// Lets Python deliver what it has sent, and end.
    fn ends_well(mut self) {
        drop(self.orders.take());
        assert_eq!(
            self.lines.next().transpose().unwrap(),
            None,
            "Python has received more than it was sent"
        );
        assert!(self.child.wait().unwrap().success(), "Python has failed");
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("orders end with the peer");
        writeln!(orders, "{order}").expect("Python has ended early; its error output says why");
    }

    fn line(&mut self) -> String {
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
