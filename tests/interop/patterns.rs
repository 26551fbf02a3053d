//! Messages between zeroless and Python's Zeroless or pyzmq, in both directions.
//!
//! The Python end is `peer.py`. It does one thing after the other, as the test orders it, so that no test has to guess
//! how far it is.
//!
//! Python's Zeroless has no dealers, routers, raw streams, x-patterns and proxies, so ours are tested with pyzmq only.

use std::ffi::OsString;
use std::iter;
use std::thread;
use std::time::Duration;

use crate::support::python::{HELLO, Peer, interpreter};
use crate::support::{await_subscribers, client_of_port, push_and_pull, watchdog};
use zeroless::{
    Caller, Calls, Client, ErrorKind, Message, Publisher, Receiver, Result, Sender, Server, Socket, Subscriber, proxy,
    proxy_with_capture,
};

/// How long a socket waits for what should come at once, so that a test fails instead of hanging.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The routing id of the peer of a router, where the other side must know it.
const NAME: &str = "name";

const SUBSCRIBE_TO_SPORT: &[u8] = b"\x01sport";
const UNSUBSCRIBE_FROM_SPORT: &[u8] = b"\0sport";

/// Makes two tests of a function: Python uses this library, and binds or connects.
macro_rules! with_library {
    ($library:literal, $binds:ident, $connects:ident, $test:ident) => {
        #[test]
        #[ignore = "needs Python: see CONTRIBUTING.md"]
        fn $binds() {
            super::run($library, true, super::$test);
        }

        #[test]
        #[ignore = "needs Python: see CONTRIBUTING.md"]
        fn $connects() {
            super::run($library, false, super::$test);
        }
    };
}

/// Makes two tests of each function: Python uses pyzmq, and binds or connects.
macro_rules! with_pyzmq {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            with_library!("pyzmq", pyzmq_binds, pyzmq_connects, $test);
        }
    )+};
}

/// Makes four tests of each function: Python uses either library, and binds or connects.
macro_rules! with_each_python {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            with_library!("zeroless", python_zeroless_binds, python_zeroless_connects, $test);
            with_library!("pyzmq", pyzmq_binds, pyzmq_connects, $test);
        }
    )+};
}

with_each_python! {
    pull_from_python,
    push_to_python,
    subscribe_to_python,
    publish_to_python,
    subscribe_filters_topics,
    python_filters_topics,
    subscribe_to_topic_of_python,
    publish_topic_to_python,
    subscribe_to_embedded_topic,
    publish_embedded_topic,
    reply_to_python,
    request_from_python,
    serve_answers_python,
    serve_fails_request_of_python,
    call_is_answered_by_python,
    pair_receives_from_python,
    pair_sends_to_python,
}

with_pyzmq! {
    dealer_sends_to_router,
    dealer_receives_from_router,
    router_receives_from_dealer,
    router_sends_to_dealer,
    router_replies_to_request,
    request_is_answered_by_router,
    dealer_is_answered_by_reply,
    xpublish_to_subscriber,
    xpublish_to_xsubscriber,
    xsubscribe_to_publisher,
    xsubscribe_to_xpublisher,
    stream_receives_from_stream,
    stream_sends_to_stream,
    proxy_passes_requests_and_replies,
    proxy_passes_publications,
}

fn pull_from_python(python: Python) {
    let (pull, mut peer) = python.meet("push", &[], Server::pull, Client::pull, Receiver::socket);
    peer.send_all(&messages());
    peer.ends_well();
    assert_eq!(take(&pull, messages().len()), messages());
}

fn push_to_python(python: Python) {
    let (push, mut peer) = python.meet("pull", &[], Server::push, Client::push, Sender::socket);
    peer.receive(messages().len());
    send_all(&push, &messages());
    assert_eq!(peer.reports(messages().len()), messages());
    peer.ends_well();
}

fn subscribe_to_python(python: Python) {
    let (subscriber, mut peer) = python.publishes("publish", "", &[""]);
    peer.send_all(&messages());
    assert_eq!(take_after_hello(&subscriber, messages().len()), messages());
    peer.ends_well();
}

fn publish_to_python(python: Python) {
    let (publisher, mut peer) = python.subscribes(&[""], messages().len());
    send_all(&publisher, &messages());
    assert_eq!(peer.reports(messages().len()), messages());
    peer.ends_well();
}

fn subscribe_filters_topics(python: Python) {
    let (subscriber, mut peer) = python.publishes("publish", "", &["sport", "weather"]);
    peer.send_all(&news());
    assert_eq!(take_after_hello(&subscriber, 3), news_of_sport_and_weather());
    peer.ends_well();
}

fn python_filters_topics(python: Python) {
    let (publisher, mut peer) = python.subscribes(&["sport", "weather"], 3);
    send_all(&publisher, &news());
    assert_eq!(peer.reports(3), news_of_sport_and_weather());
    peer.ends_well();
}

fn subscribe_to_topic_of_python(python: Python) {
    let (subscriber, mut peer) = python.publishes("publish", "sport", &["sport"]);
    peer.send_all(&beginning_with("sport"));
    assert_eq!(take_after_hello(&subscriber, messages().len()), beginning_with("sport"));
    peer.ends_well();
}

fn publish_topic_to_python(python: Python) {
    let (publisher, mut peer) = python.subscribes(&["sport"], messages().len());
    send_all(&publisher.topic("sport"), &beginning_with("sport"));
    assert_eq!(peer.reports(messages().len()), beginning_with("sport"));
    peer.ends_well();
}

fn subscribe_to_embedded_topic(python: Python) {
    let (subscriber, mut peer) = python.publishes("embed", "sport", &["sport"]);
    peer.send_all(&messages());
    assert_eq!(take_after_hello(&subscriber, messages().len()), behind_frame("sport"));
    peer.ends_well();
}

fn publish_embedded_topic(python: Python) {
    let (publisher, mut peer) = python.subscribes(&["sport"], messages().len());
    send_all(&publisher.embed_topic("weather"), &messages());
    send_all(&publisher.embed_topic("sport"), &messages());
    assert_eq!(peer.reports(messages().len()), behind_frame("sport"));
    peer.ends_well();
}

fn reply_to_python(python: Python) {
    let ((reply, requests), mut peer) = python.meet("request", &[], Server::reply, Client::reply, socket_of_both);
    for message in messages() {
        peer.send(&message);
        assert_eq!(requests.recv().unwrap(), message);
        reply.send(&reversed(&message)).unwrap();
        assert_eq!(peer.hear(), reversed(&message));
    }
    peer.ends_well();
}

fn request_from_python(python: Python) {
    let ((request, replies), mut peer) = python.meet("reply", &[], Server::request, Client::request, socket_of_both);
    for message in messages() {
        request.send(&message).unwrap();
        assert_eq!(peer.hear(), message);
        peer.send(&reversed(&message));
        assert_eq!(replies.recv().unwrap(), reversed(&message));
    }
    peer.ends_well();
}

fn serve_answers_python(python: Python) {
    let (calls, mut peer) = python.meet("request", &[], Server::serve, Client::serve, Calls::socket);
    for message in messages() {
        peer.send(&message);
        let call = calls.recv().unwrap();
        assert_eq!(*call, message);
        call.reply(&reversed(&message)).unwrap();
        assert_eq!(peer.hear(), reversed(&message));
    }
    peer.ends_well();
}

fn serve_fails_request_of_python(python: Python) {
    let (calls, mut peer) = python.meet("request", &[], Server::serve, Client::serve, Calls::socket);
    peer.send(&[b"tea".to_vec()]);
    calls.recv().unwrap().fail("out of tea").unwrap();
    assert_eq!(peer.hear(), [&b"failed"[..], b"out of tea"]);
    peer.ends_well();
}

fn call_is_answered_by_python(python: Python) {
    let (caller, mut peer) = python.meet("reply", &[], Server::call, Client::call, Caller::socket);
    for message in messages() {
        let answer = thread::spawn({
            let (caller, message) = (caller.clone(), message.clone());
            move || caller.call(&message)
        });
        assert_eq!(peer.hear(), message);
        peer.send(&reversed(&message));
        assert_eq!(answer.join().unwrap().unwrap(), reversed(&message));
    }
    peer.ends_well();
}

fn pair_receives_from_python(python: Python) {
    let ((_, hear), mut peer) = python.meet("pair", &[], Server::pair, Client::pair, socket_of_both);
    peer.send_all(&messages());
    assert_eq!(take(&hear, messages().len()), messages());
    peer.ends_well();
}

fn pair_sends_to_python(python: Python) {
    let ((say, _), mut peer) = python.meet("pair", &[], Server::pair, Client::pair, socket_of_both);
    peer.receive(messages().len());
    send_all(&say, &messages());
    assert_eq!(peer.reports(messages().len()), messages());
    peer.ends_well();
}

fn dealer_sends_to_router(python: Python) {
    let ((say, _), mut peer) = python.routes();
    peer.receive(messages().len());
    send_all(&say, &messages());
    assert_eq!(peer.reports(messages().len()), behind_frame(NAME));
    peer.ends_well();
}

fn dealer_receives_from_router(python: Python) {
    let ((say, hear), mut peer) = python.routes();
    // A router drops messages to peers that it does not know yet.
    say(&[HELLO]).unwrap();
    assert_eq!(peer.hear(), [NAME.as_bytes(), HELLO]);
    peer.send_all(&behind_frame(NAME));
    assert_eq!(take(&hear, messages().len()), messages());
    peer.ends_well();
}

fn router_receives_from_dealer(python: Python) {
    let ((_, hear), mut peer) = python.meet("dealer", &[NAME], Server::router, Client::router, socket_of_both);
    peer.send_all(&messages());
    assert_eq!(take(&hear, messages().len()), behind_frame(NAME));
    peer.ends_well();
}

fn router_sends_to_dealer(python: Python) {
    let ((say, hear), mut peer) = python.meet("dealer", &[NAME], Server::router, Client::router, socket_of_both);
    // Sending to the dealer is an error until the router has received from it.
    peer.send(&[HELLO.to_vec()]);
    assert_eq!(hear.recv().unwrap(), [NAME.as_bytes(), HELLO]);
    peer.receive(messages().len());
    send_all(&say, &behind_frame(NAME));
    assert_eq!(peer.reports(messages().len()), messages());
    peer.ends_well();
}

fn router_replies_to_request(python: Python) {
    let ((reply, requests), mut peer) = python.meet("request", &[NAME], Server::router, Client::router, socket_of_both);
    for message in messages() {
        peer.send(&message);
        let (envelope, request) = opened(requests.recv().unwrap());
        assert_eq!(envelope, [NAME.as_bytes(), b""]);
        assert_eq!(request, message);
        reply.send(&enclosed(&envelope, &reversed(&message))).unwrap();
        assert_eq!(peer.hear(), reversed(&message));
    }
    peer.ends_well();
}

fn request_is_answered_by_router(python: Python) {
    let ((request, replies), mut peer) = python.meet("router", &[], Server::request, Client::request, socket_of_both);
    for message in messages() {
        request.send(&message).unwrap();
        let (envelope, request) = opened(peer.hear());
        let [_, number, _] = envelope.as_slice() else {
            panic!("the envelope is the routing id, the number of the request and the empty frame, not {envelope:?}");
        };
        assert_eq!(number.len(), 4);
        assert_eq!(request, message);
        peer.send(&enclosed(&envelope, &reversed(&message)));
        assert_eq!(replies.recv().unwrap(), reversed(&message));
    }
    peer.ends_well();
}

fn dealer_is_answered_by_reply(python: Python) {
    let ((ask, answers), mut peer) = python.meet("reply", &[], Server::dealer, Client::dealer, socket_of_both);
    let envelope = [b"".to_vec()];
    for message in messages() {
        ask.send(&enclosed(&envelope, &message)).unwrap();
        assert_eq!(peer.hear(), message);
        peer.send(&reversed(&message));
        assert_eq!(answers.recv().unwrap(), enclosed(&envelope, &reversed(&message)));
    }
    peer.ends_well();
}

fn xpublish_to_subscriber(python: Python) {
    let ((publish, subscriptions), mut peer) = python.meet(
        "subscribe",
        &["sport"],
        Server::xpublish,
        Client::xpublish,
        socket_of_both,
    );
    peer.receive(messages().len());
    assert_eq!(subscriptions.recv().unwrap(), [SUBSCRIBE_TO_SPORT]);
    send_all(&publish, &beginning_with("weather"));
    send_all(&publish, &beginning_with("sport"));
    assert_eq!(peer.reports(messages().len()), beginning_with("sport"));
    peer.ends_well();
}

fn xpublish_to_xsubscriber(python: Python) {
    let ((publish, subscriptions), mut peer) =
        python.meet("xsubscribe", &[], Server::xpublish, Client::xpublish, socket_of_both);
    peer.send(&[SUBSCRIBE_TO_SPORT.to_vec()]);
    peer.receive(messages().len());
    assert_eq!(subscriptions.recv().unwrap(), [SUBSCRIBE_TO_SPORT]);
    send_all(&publish, &beginning_with("sport"));
    assert_eq!(peer.reports(messages().len()), beginning_with("sport"));
    peer.send(&[UNSUBSCRIBE_FROM_SPORT.to_vec()]);
    assert_eq!(subscriptions.recv().unwrap(), [UNSUBSCRIBE_FROM_SPORT]);
    peer.ends_well();
}

fn xsubscribe_to_publisher(python: Python) {
    let ((subscribe, news), mut peer) =
        python.meet("publish", &[], Server::xsubscribe, Client::xsubscribe, socket_of_both);
    subscribe(&[SUBSCRIBE_TO_SPORT]).unwrap();
    peer.say_hello_to("sport", &news);
    peer.send_all(&beginning_with("weather"));
    peer.send_all(&beginning_with("sport"));
    assert_eq!(take_after_hello(&news, messages().len()), beginning_with("sport"));
    peer.ends_well();
}

fn xsubscribe_to_xpublisher(python: Python) {
    let ((subscribe, news), mut peer) =
        python.meet("xpublish", &[], Server::xsubscribe, Client::xsubscribe, socket_of_both);
    subscribe(&[SUBSCRIBE_TO_SPORT]).unwrap();
    // If ours binds, it sends its subscriptions only while it receives, so it must start to receive first.
    let heard = thread::spawn(move || take(&news, messages().len()));
    assert_eq!(peer.hear(), [SUBSCRIBE_TO_SPORT]);
    peer.send_all(&beginning_with("sport"));
    assert_eq!(heard.join().unwrap(), beginning_with("sport"));
    subscribe(&[UNSUBSCRIBE_FROM_SPORT]).unwrap();
    assert_eq!(peer.hear(), [UNSUBSCRIBE_FROM_SPORT]);
    peer.ends_well();
}

fn stream_receives_from_stream(python: Python) {
    let ((_, hear), their_id, mut peer, our_id) = python.streams();
    peer.send_all(&pieces_for(&our_id));
    assert_eq!(bytes_of(&their_id, || hear.recv().unwrap()), pieces().concat());
    peer.ends_well();
}

fn stream_sends_to_stream(python: Python) {
    let ((say, _), their_id, mut peer, our_id) = python.streams();
    send_all(&say, &pieces_for(&their_id));
    assert_eq!(bytes_of(&our_id, || peer.hear()), pieces().concat());
    peer.ends_well();
}

fn proxy_passes_requests_and_replies(python: Python) {
    let (frontend, mut asks) = python.meet("request", &[], Server::router, Client::router, socket_of_both);
    let (backend, mut answers) = python.meet("reply", &[], Server::dealer, Client::dealer, socket_of_both);
    let socket = socket_of_both(&frontend);
    let broker = thread::spawn(|| proxy(frontend, backend));
    for message in messages() {
        asks.send(&message);
        assert_eq!(answers.hear(), message);
        answers.send(&reversed(&message));
        assert_eq!(asks.hear(), reversed(&message));
    }
    asks.ends_well();
    answers.ends_well();
    socket.close();
    broker.join().unwrap().unwrap();
}

fn proxy_passes_publications(python: Python) {
    let (frontend, mut publisher) = python.meet("publish", &[], Server::xsubscribe, Client::xsubscribe, socket_of_both);
    let (backend, mut subscriber) = python.meet(
        "subscribe",
        &["sport"],
        Server::xpublish,
        Client::xpublish,
        socket_of_both,
    );
    let socket = socket_of_both(&frontend);
    // Only the capture shows what passes without an order to Python. The hellos end once one has passed.
    let (capture, captured) = push_and_pull();
    let broker = thread::spawn(move || proxy_with_capture(frontend, backend, &capture));
    subscriber.receive(1);
    publisher.say_hello_to("sport", &captured);
    assert!(is_hello(&subscriber.report()));

    publisher.send_all(&beginning_with("weather"));
    publisher.send_all(&beginning_with("sport"));
    let news = iter::repeat_with(|| subscriber.hear()).skip_while(is_hello);
    let heard: Vec<Message> = news.take(messages().len()).collect();
    assert_eq!(heard, beginning_with("sport"));
    publisher.ends_well();
    subscriber.ends_well();
    socket.close();
    broker.join().unwrap().unwrap();
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn repeated_request_gets_no_late_reply() {
    run("pyzmq", true, |python| {
        let ((request, replies), mut peer) =
            python.meet("reply", &[], Server::request, Client::request, socket_of_both);
        request(&[b"first"]).unwrap();
        assert_eq!(peer.hear(), [b"first"]);
        let error = replies.recv_timeout(Duration::from_millis(10)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);

        request(&[b"second"]).unwrap();
        peer.send(&[b"late reply to the first".to_vec()]);
        assert_eq!(peer.hear(), [b"second"]);
        // The late one comes before it, over the same connection: if it were let in, it would be received here.
        peer.send(&[b"reply to the second".to_vec()]);
        assert_eq!(replies.recv().unwrap(), [b"reply to the second"]);
        peer.ends_well();
    });
}

/// Messages of every shape that might be changed: a single frame, empty frames at every position, bytes of every value.
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

/// The messages, whose first frames begin with the topic.
fn beginning_with(topic: &str) -> Vec<Message> {
    let mut messages = messages();
    for message in &mut messages {
        message[0].splice(..0, topic.bytes());
    }
    messages
}

/// The messages, with a topic or a routing id as an additional first frame.
fn behind_frame(frame: &str) -> Vec<Message> {
    let behind = |message: &Message| enclosed(&[frame.into()], message);
    messages().iter().map(behind).collect()
}

/// A message in an envelope.
fn enclosed(envelope: &[Vec<u8>], message: &[Vec<u8>]) -> Message {
    [envelope, message].concat()
}

/// The envelope of a request, which ends with the first empty frame, and the message in it.
fn opened(mut envelope: Message) -> (Message, Message) {
    let end = envelope.iter().position(Vec::is_empty);
    let message = envelope.split_off(end.expect("a request is in an envelope") + 1);
    (envelope, message)
}

fn reversed(message: &Message) -> Message {
    message.iter().rev().cloned().collect()
}

/// What to send over a stream: the frames of the messages without the empty ones, which would close the connection.
fn pieces() -> Vec<Vec<u8>> {
    let frames = messages().into_iter().flatten();
    frames.filter(|frame| !frame.is_empty()).collect()
}

/// The pieces, for a stream to send to the peer with that routing id.
fn pieces_for(peer: &[u8]) -> Vec<Message> {
    pieces().into_iter().map(|piece| vec![peer.to_vec(), piece]).collect()
}

/// Receives as many bytes from a stream's peer as the pieces have. TCP may merge and split the pieces.
fn bytes_of(peer: &[u8], mut next: impl FnMut() -> Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < pieces().concat().len() {
        let [from, more] = next().try_into().unwrap();
        assert_eq!(from, peer);
        assert_ne!(more, b"", "the peer has left");
        bytes.extend(more);
    }
    bytes
}

/// The routing id of a stream's peer, from the message that reports the connection.
fn who_has_connected(message: Message) -> Vec<u8> {
    let [peer, nothing] = message.try_into().unwrap();
    assert_eq!(nothing, b"");
    peer
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

/// The next messages, or fewer if they do not come in time.
fn take(receiver: &Receiver, count: usize) -> Vec<Message> {
    receiver.iter().take(count).collect()
}

/// The next messages after the remaining hellos of [`Peer::say_hello_to`].
fn take_after_hello(subscriber: &Receiver, count: usize) -> Vec<Message> {
    subscriber.iter().skip_while(is_hello).take(count).collect()
}

fn is_hello(message: &Message) -> bool {
    message.last().is_some_and(|frame| frame.ends_with(HELLO))
}

fn socket_of_both((sender, _): &(Sender, Receiver)) -> Socket {
    sender.socket()
}

/// Runs a test with Python, which uses this library, and binds or connects.
fn run(library: &'static str, binds: bool, test: fn(Python)) {
    let _watchdog = watchdog();
    test(Python {
        interpreter: interpreter(),
        library,
        binds,
    });
}

/// Which Python to talk to, and how.
struct Python {
    interpreter: OsString,
    library: &'static str,
    binds: bool,
}

impl Python {
    /// Opens both ends of a pattern: Python's in this role, and ours as a server or as a client.
    fn meet<H>(
        &self,
        role: &str,
        topics: &[&str],
        serve: impl FnOnce(&Server) -> Result<H>,
        connect: impl FnOnce(&Client) -> Result<H>,
        socket: impl FnOnce(&H) -> Socket,
    ) -> (H, Peer) {
        if self.binds {
            let (peer, port) = self.start(role, 0, topics);
            (connect(client_of_port(port).timeout(TIMEOUT)).unwrap(), peer)
        } else {
            let handles = serve(Server::new(0).timeout(TIMEOUT)).unwrap();
            let port = socket(&handles).port().unwrap();
            let (peer, _) = self.start(role, port, topics);
            (handles, peer)
        }
    }

    fn start(&self, role: &str, port: u16, topics: &[&str]) -> (Peer, u16) {
        let port = port.to_string();
        let arguments = [&[self.library, role, &port], topics].concat();
        Peer::start(&self.interpreter, "peer.py", arguments)
    }

    /// Makes Python publish in this role, with a topic of its own or none (`""`), and subscribes to it.
    fn publishes(&self, role: &str, topic: &str, topics: &[&str]) -> (Subscriber, Peer) {
        let serve = |server: &Server| server.subscribe(topics);
        let connect = |client: &Client| client.subscribe(topics);
        let (subscriber, mut peer) = self.meet(role, &[topic], serve, connect, |subscriber| subscriber.socket());
        for topic in topics {
            peer.say_hello_to(topic, &subscriber);
        }
        (subscriber, peer)
    }

    /// Connects a Python router with our dealer, whose identity is [`NAME`].
    fn routes(&self) -> ((Sender, Receiver), Peer) {
        let serve = |server: &Server| server.clone().identity(NAME).dealer();
        let connect = |client: &Client| client.clone().identity(NAME).dealer();
        self.meet("router", &[], serve, connect, socket_of_both)
    }

    /// Opens our stream and Python's, and returns the routing id that each has for the other.
    fn streams(&self) -> ((Sender, Receiver), Vec<u8>, Peer, Vec<u8>) {
        let (stream, mut peer) = self.meet("stream", &[], Server::stream, Client::stream, socket_of_both);
        let their_id = who_has_connected(stream.1.recv().unwrap());
        let our_id = who_has_connected(peer.hear());
        (stream, their_id, peer, our_id)
    }

    /// Makes Python subscribe and wait for `count` messages of ours.
    fn subscribes(&self, topics: &[&str], count: usize) -> (Publisher, Peer) {
        let socket = |publisher: &Publisher| publisher.socket();
        let (publisher, mut peer) = self.meet("subscribe", topics, Server::publish, Client::publish, socket);
        peer.receive(count);
        await_subscribers(&publisher, topics.len());
        (publisher, peer)
    }
}
