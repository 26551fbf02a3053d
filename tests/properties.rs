//! What holds for any input: endpoints, messages and sequences of operations that nobody thought of.
//!
//! Each property has its share of proptest's number of cases, which `PROPTEST_CASES` changes.

mod support;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::iter;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;
use support::{await_subscribers, watchdog};
use zeroless::{Client, Error, ErrorKind, Message, Publisher, Receiver, Sender, Server, Socket, Subscriber, proxy};

/// Runs so many cases out of a hundred of proptest's own number. No file keeps those that fail: each belongs into a
/// test of its own.
fn cases(percent: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: (config.cases * percent / 100).max(1),
        failure_persistence: None,
        // In milliseconds: what fails by waiting is shown before the watchdog bites.
        max_shrink_time: 30_000,
        ..config
    }
}

// Endpoints.

/// A folder of this test's own, which is gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("zeroless-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn ipc(&self, path: &str) -> String {
        format!("ipc://{}/{path}", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Any text, but none that libzmq would take for a path outside of the tests' folders.
fn text() -> impl Strategy<Value = String> {
    let long =
        (any::<char>(), 0..5_000_usize).prop_map(|(character, count)| iter::repeat_n(character, count).collect());
    let text = prop_oneof![8 => any::<String>(), 2 => "[ -~]{0,20}", 1 => "[a-z:/@*;%\\[\\]\\x00 ]{0,20}", 1 => long];
    text.prop_filter("it is no path", |text| !text.starts_with("ipc:"))
}

/// What may stand between `tcp://` and the port. None of these is looked up in the network, and none leads there.
fn host() -> impl Strategy<Value = String> {
    let known = select(vec![
        "127.0.0.1",
        "127.255.0.9",
        "localhost",
        "lo",
        "*",
        "@",
        "%",
        "",
        "0",
        "1.2.3",
        "256.1.1.1",
        "[::1]",
        "[::1",
        "::1]",
        "::1",
        "[::]",
        "[*]",
        "[]",
        "[[::1]]",
        "[::1%lo]",
        "[::ffff:127.0.0.1]",
        "[127.0.0.1]",
        "lo;127.0.0.1",
        "127.0.0.1:0;127.0.0.1",
        "127.0.0.1;127.0.0.1",
        ";127.0.0.1",
        "127.0.0.1;",
        "127.0.0.1%lo",
        "nosuch0",
    ])
    .prop_map(str::to_owned);
    let odd = "[@*;%\\[\\]:. \\x00\\-]{0,8}";
    prop_oneof![8 => known, 3 => odd]
}

/// Ports that no other test's server has: those that systems do not hand out.
fn port() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        "0",
        "*",
        "-1",
        "+1",
        "00",
        "65536",
        "99999999999",
        "http",
        "1 ",
        "٣",
        "0x10",
        "%",
        "1;2",
    ]);
    prop_oneof![2 => odd.prop_map(str::to_owned), 3 => Just("0".to_owned()), 3 => (61_000..=u16::MAX).prop_map(|port| port.to_string())]
}

fn scheme() -> impl Strategy<Value = String> {
    let known = select(vec![
        "TCP", "udp", "tipc", "vmci", "pgm", "epgm", "norm", "ws", "wss", "http", "", " tcp", "tcp\0", "é",
    ]);
    prop_oneof![
        known.prop_map(str::to_owned),
        "[a-z]{0,5}".prop_filter("it is no path", |scheme| scheme != "ipc")
    ]
}

/// What stands behind the folder of an `ipc` path.
fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof!["[a-z*@;%:. ]{0,10}", "[^/]{0,10}", "[a-z]{80,120}"];
    prop::collection::vec(part, 1..3)
        .prop_map(|parts| parts.join("/"))
        .prop_filter("it stays in the folder", |path| !path.contains(".."))
}

/// A name of an `inproc` endpoint, or of the abstract namespace of `ipc`.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,12}", "x{240,260}", any::<String>()]
}

/// Anything that can be given for an endpoint, in a folder.
fn endpoint(folder: String) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => text(),
        4 => (host(), port()).prop_map(|(host, port)| format!("tcp://{host}:{port}")),
        1 => host().prop_map(|host| format!("tcp://{host}")),
        2 => path().prop_map(move |path| format!("{folder}{path}")),
        1 => name().prop_map(|name| format!("ipc://@{name}")),
        2 => name().prop_map(|name| format!("inproc://{name}")),
        1 => (scheme(), text()).prop_map(|(scheme, text)| format!("{scheme}://{text}")),
    ]
}

/// Asserts that an error says what is wrong, and with what.
fn assert_names(error: &Error, input: &str) -> Result<(), TestCaseError> {
    let message = error.to_string();
    let escaped = input.escape_debug().to_string();
    prop_assert!(
        message.contains(input) || message.contains(&escaped),
        "{message:?} does not name {input:?}"
    );
    prop_assert!(
        !message.contains(char::is_control),
        "{message:?} is not one line of text"
    );
    prop_assert_ne!(error.kind(), ErrorKind::Other, "{}", message);
    Ok(())
}

fn assert_kind<T: std::fmt::Debug>(outcome: Result<T, Error>, kind: ErrorKind) -> Result<(), TestCaseError> {
    match outcome {
        Err(error) if error.kind() == kind => Ok(()),
        other => Err(TestCaseError::fail(format!("{other:?} is not {kind:?}"))),
    }
}

/// Asserts that a server that was given an endpoint tells it, as far as that is resolved.
fn assert_bound(socket: &Socket, endpoint: &str) -> Result<(), TestCaseError> {
    let endpoints = socket.endpoints();
    match endpoint.starts_with("tcp://") {
        false => prop_assert!(endpoints.iter().any(|other| other == endpoint), "{endpoints:?}"),
        true => {
            let port = socket.port().unwrap();
            prop_assert_ne!(port, 0);
            prop_assert!(
                endpoints.iter().any(|other| other.ends_with(&format!(":{port}"))),
                "{endpoints:?}"
            );
        }
    }
    Ok(())
}

/// Whether a server of that endpoint would be open to the network, on a port that is not chosen by the system.
fn is_exposed(endpoint: &str) -> bool {
    let is_local = endpoint.starts_with("tcp://127.0.0.1:");
    endpoint.starts_with("tcp://") && !is_local && !endpoint.ends_with(":0") && !endpoint.ends_with(":*")
}

#[test]
fn a_server_at_any_endpoint_is_bound_or_an_error_that_names_it() {
    let _watchdog = watchdog();
    let folder = Folder::new("bound");
    let _keeps_the_context = Client::new().pull().unwrap();
    let endpoint = endpoint(folder.ipc("")).prop_filter("it is not exposed", |endpoint| !is_exposed(endpoint));
    proptest!(cases(200), |(endpoint in endpoint, is_second: bool)| {
        let mut server = if is_second { Server::new(0) } else { Server::at(&endpoint) };
        if is_second {
            server.also_at(&endpoint);
        }
        match server.pull() {
            Ok(pull) => assert_bound(&pull.socket(), &endpoint)?,
            Err(error) => assert_names(&error, &endpoint)?,
        }
    });
}

/// Asserts what holds for a socket that was told to connect to an endpoint, by one of two ways.
fn assert_connected(socket: &Socket, input: &str, outcome: Result<(), Error>) -> Result<(), TestCaseError> {
    if let Err(error) = outcome {
        return assert_names(&error, input);
    }
    let [endpoint] = &socket.endpoints()[..] else {
        panic!("it is connected to one")
    };
    let again = socket.connect_to(endpoint);
    assert_kind(again.clone(), ErrorKind::AlreadyConnected)?;
    assert_names(&again.unwrap_err(), endpoint)?;
    socket.disconnect_from(endpoint).unwrap();
    assert_kind(socket.disconnect_from(endpoint), ErrorKind::NotConnected)
}

/// The sender of a client that does not wait for the servers that are not there.
fn open_client(client: &mut Client) -> Result<Sender, Error> {
    client.linger(Duration::ZERO).push()
}

#[test]
fn a_client_of_any_endpoint_is_connected_or_an_error_that_names_it() {
    let _watchdog = watchdog();
    let folder = Folder::new("connected");
    let running = open_client(&mut Client::new()).unwrap();
    let socket = running.socket();
    proptest!(cases(200), |(endpoint in endpoint(folder.ipc("")))| {
        assert_connected(&socket, &endpoint, socket.connect_to(&endpoint))?;
        match open_client(Client::new().connect_to(&endpoint)) {
            Ok(push) => prop_assert_eq!(push.socket().endpoints(), [endpoint]),
            Err(error) => assert_names(&error, &endpoint)?,
        }
    });
}

/// Whether a name would be looked up in the network: everything that is no address of this machine.
fn is_looked_up(host: &str) -> bool {
    let is_known = host.starts_with("127.") || host == "localhost" || host.contains(':');
    !is_known
}

#[test]
fn a_client_of_any_host_and_port_is_connected_or_an_error_that_names_it() {
    let _watchdog = watchdog();
    let running = open_client(&mut Client::new()).unwrap();
    let socket = running.socket();
    let port = prop_oneof![Just(0), 1..1024_u16, 61_000..=u16::MAX];
    proptest!(cases(200), |(host in prop_oneof![host(), text()], port in port)| {
        let mut client = Client::new();
        client.connect(&host, port);
        // A recipe tells what it takes for a host, and need not be opened for it.
        if client.addresses().is_empty() {
            assert_names(&open_client(&mut client).unwrap_err(), &host)?;
            assert_names(&socket.connect(&host, port).unwrap_err(), &host)?;
        } else if !is_looked_up(&host) {
            assert_connected(&socket, &host, socket.connect(&host, port))?;
            open_client(&mut client).unwrap();
        }
    });
}

#[test]
fn disconnecting_from_any_text_is_an_error_that_names_it() {
    let _watchdog = watchdog();
    let folder = Folder::new("disconnected");
    let running = open_client(&mut Client::new()).unwrap();
    proptest!(cases(200), |(endpoint in endpoint(folder.ipc("")))| {
        let recipe = open_client(Client::new().disconnect_from(&endpoint)).map(drop);
        for outcome in [running.socket().disconnect_from(&endpoint), recipe] {
            assert_kind(outcome.clone(), ErrorKind::NotConnected)?;
            assert_names(&outcome.unwrap_err(), &endpoint)?;
        }
    });
}

// Messages.

/// The shape of a message: the length of each frame, and what its bytes begin to count from.
fn shape() -> impl Strategy<Value = Vec<(usize, u8)>> {
    let edges = select(vec![0, 1, 33, 255, 256, 8192, 16_383, 16_384, 65_536]);
    let length = prop_oneof![3 => edges, 1 => 0..300_usize, 1 => 0..=70_000_usize];
    prop::collection::vec((length, any::<u8>()), 1..=20)
}

fn message_of(shape: &[(usize, u8)]) -> Message {
    let frame = |&(length, first): &(usize, u8)| (first..=u8::MAX).chain(0..=u8::MAX).cycle().take(length).collect();
    shape.iter().map(frame).collect()
}

/// Opens a server and a client of it over each transport.
fn over_each_transport<S, C>(
    name: &str,
    serve: impl Fn(&Server) -> (S, Socket),
    connect: impl Fn(&Client) -> C,
) -> (Folder, Vec<(S, C)>) {
    let folder = Folder::new(name);
    let endpoints = [
        "tcp://127.0.0.1:0".to_owned(),
        format!("inproc://{name}"),
        folder.ipc("socket"),
    ];
    let open = |endpoint: String| {
        let (server, socket) = serve(&Server::at(endpoint));
        let client = connect(Client::new().connect_to(&socket.endpoints()[0]));
        (server, client)
    };
    (folder, endpoints.map(open).into())
}

/// Asserts that messages of any shape come back from a journey as they were.
fn assert_unchanged(journey: impl Fn(&Message) -> Vec<Message>) {
    let _watchdog = watchdog();
    proptest!(cases(15), |(shape in shape())| {
        let message = message_of(&shape);
        for (arrival, arrived) in journey(&message).iter().enumerate() {
            // Not shown: it may have a million bytes.
            prop_assert!(*arrived == message, "arrival {} is another message", arrival);
        }
    });
}

/// Sends a message one way.
fn pass(send: &Sender, receive: &Receiver, message: &Message) -> Message {
    send.send(message).unwrap();
    receive.recv().unwrap()
}

#[test]
fn any_message_is_pushed_and_pulled_unchanged() {
    let serve = |server: &Server| {
        let pull = server.pull().unwrap();
        let socket = pull.socket();
        (pull, socket)
    };
    let (_folder, links) = over_each_transport("push", serve, |client| client.push().unwrap());
    assert_unchanged(|message| links.iter().map(|(pull, push)| pass(push, pull, message)).collect());
}

/// A server that both sends and receives, and its socket.
fn both((send, receive): (Sender, Receiver)) -> ((Sender, Receiver), Socket) {
    let socket = send.socket();
    ((send, receive), socket)
}

#[test]
fn any_message_goes_both_ways_between_a_pair_unchanged() {
    let serve = |server: &Server| both(server.pair().unwrap());
    let (_folder, links) = over_each_transport("pair", serve, |client| client.pair().unwrap());
    assert_unchanged(|message| {
        let there_and_back = |((say, hear), (answer, listen)): &((Sender, Receiver), (Sender, Receiver))| {
            [pass(say, listen, message), pass(answer, hear, message)]
        };
        links.iter().flat_map(there_and_back).collect()
    });
}

#[test]
fn any_message_is_requested_and_replied_unchanged() {
    let serve = |server: &Server| both(server.reply().unwrap());
    let (_folder, links) = over_each_transport("request", serve, |client| client.request().unwrap());
    assert_unchanged(|message| {
        let ask = |((reply, requests), (request, replies)): &((Sender, Receiver), (Sender, Receiver))| {
            [pass(request, requests, message), pass(reply, replies, message)]
        };
        links.iter().flat_map(ask).collect()
    });
}

#[test]
fn any_message_goes_from_a_dealer_to_a_router_and_back_unchanged() {
    let serve = |server: &Server| both(server.router().unwrap());
    let (_folder, links) = over_each_transport("dealer", serve, |client| client.dealer().unwrap());
    assert_unchanged(|message| {
        let ask = |((answer, questions), (ask, answers)): &((Sender, Receiver), (Sender, Receiver))| {
            let question = pass(ask, questions, message);
            let answered = pass(answer, answers, &question);
            [question[1..].to_vec(), answered]
        };
        links.iter().flat_map(ask).collect()
    });
}

#[test]
fn any_message_is_published_unchanged() {
    let serve = |server: &Server| {
        let publish = server.publish().unwrap();
        let socket = publish.socket();
        (publish, socket)
    };
    let (_folder, links) = over_each_transport("publish", serve, |client| client.subscribe([""]).unwrap());
    links.iter().for_each(|(publish, _)| await_subscribers(publish, 1));
    assert_unchanged(|message| {
        links
            .iter()
            .map(|(publish, news)| pass(publish, news, message))
            .collect()
    });
}

#[test]
fn any_message_goes_through_a_proxy_unchanged() {
    let serve = |server: &Server| {
        let (frontend, backend) = (server.pull().unwrap(), Server::new(0).push().unwrap());
        let pull = support::client_of_sender(&backend).pull().unwrap();
        let socket = frontend.socket();
        let thread = thread::spawn(|| proxy(frontend, backend));
        ((pull, socket.clone(), thread), socket)
    };
    let (_folder, links) = over_each_transport("proxy", serve, |client| client.push().unwrap());
    assert_unchanged(|message| {
        links
            .iter()
            .map(|((pull, _, _), push)| pass(push, pull, message))
            .collect()
    });
    for ((_, frontend, thread), _) in links {
        frontend.close();
        thread.join().unwrap().unwrap();
    }
}

// Sequences.

/// How many servers a sequence has.
const SERVERS: usize = 3;

/// How long a step of a sequence waits for a message that need not come.
const SHORT: Duration = Duration::from_millis(1);

/// How long a message may be under way that has to come.
const LONG: Duration = Duration::from_secs(10);

/// What a client is connected to, as told by what was done: for each server the number of the connection.
#[derive(Default)]
struct Connections {
    current: [Option<usize>; SERVERS],
    made: usize,
    closed: bool,
}

impl Connections {
    /// Connects, and asserts that the outcome is the right one.
    fn connect(&mut self, socket: &Socket, server: usize, port: u16) -> Result<(), TestCaseError> {
        let outcome = socket.connect_local(port);
        match (self.closed, self.current[server]) {
            (true, _) => assert_kind(outcome, ErrorKind::Closed),
            (false, Some(_)) => assert_kind(outcome, ErrorKind::AlreadyConnected),
            (false, None) => {
                prop_assert!(outcome.is_ok(), "{outcome:?}");
                self.made += 1;
                self.current[server] = Some(self.made);
                Ok(())
            }
        }
    }

    /// Disconnects, and asserts that the outcome is the right one.
    fn disconnect(&mut self, socket: &Socket, server: usize, port: u16) -> Result<(), TestCaseError> {
        let outcome = socket.disconnect_local(port);
        match (self.closed, self.current[server]) {
            (true, _) => assert_kind(outcome, ErrorKind::Closed),
            (false, None) => assert_kind(outcome, ErrorKind::NotConnected),
            (false, Some(_)) => {
                prop_assert!(outcome.is_ok(), "{outcome:?}");
                self.current[server] = None;
                Ok(())
            }
        }
    }

    fn are_none(&self) -> bool {
        self.current == [None; SERVERS]
    }
}

/// Asserts for what arrives that it comes once, and in order on each connection.
#[derive(Default)]
struct Arrivals {
    numbers: HashSet<usize>,
    latest: HashMap<usize, usize>,
}

impl Arrivals {
    fn note(&mut self, number: usize, connection: usize) -> Result<(), TestCaseError> {
        prop_assert!(self.numbers.insert(number), "{number} arrived twice");
        let latest = self.latest.insert(connection, number);
        prop_assert!(latest < Some(number), "{number} arrived after {latest:?}");
        Ok(())
    }
}

/// What a step received, if anything.
fn received(outcome: Result<Message, Error>) -> Result<Option<Message>, TestCaseError> {
    match outcome {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

fn number_of(frame: &[u8]) -> usize {
    std::str::from_utf8(frame).unwrap().parse().unwrap()
}

#[derive(Clone, Copy, Debug)]
enum PushStep {
    Connect(usize),
    Disconnect(usize),
    Send,
    Receive(usize),
    Close,
}

fn push_steps() -> impl Strategy<Value = Vec<PushStep>> {
    let step = prop_oneof![
        6 => (0..SERVERS).prop_map(PushStep::Connect),
        3 => (0..SERVERS).prop_map(PushStep::Disconnect),
        12 => Just(PushStep::Send),
        6 => (0..SERVERS).prop_map(PushStep::Receive),
        1 => Just(PushStep::Close),
    ];
    prop::collection::vec(step, 1..40)
}

/// A client that pushes, servers that pull, and what is known of the messages between them.
struct Pushing {
    push: Sender,
    pulls: [Receiver; SERVERS],
    connections: Connections,
    /// The connections that each message could go to.
    sent: Vec<[Option<usize>; SERVERS]>,
    arrivals: Arrivals,
}

impl Pushing {
    fn open() -> Pushing {
        Pushing {
            // It closes before the servers do, and has delivered everything long before this.
            push: Client::new().linger(LONG).push().unwrap(),
            pulls: [(); SERVERS].map(|()| Server::new(0).pull().unwrap()),
            connections: Connections::default(),
            sent: Vec::new(),
            arrivals: Arrivals::default(),
        }
    }

    fn take(&mut self, step: PushStep) -> Result<(), TestCaseError> {
        let socket = self.push.socket();
        let port = |server: usize| self.pulls[server].socket().port().unwrap();
        match step {
            PushStep::Connect(server) => self.connections.connect(&socket, server, port(server)),
            PushStep::Disconnect(server) => self.connections.disconnect(&socket, server, port(server)),
            PushStep::Send => self.send(),
            PushStep::Receive(server) => self.receive(server, SHORT),
            PushStep::Close => {
                socket.close();
                self.connections.closed = true;
                Ok(())
            }
        }
    }

    /// Sends the next number. There is always room, as a sequence is far shorter than a queue.
    fn send(&mut self) -> Result<(), TestCaseError> {
        let outcome = self.push.try_send(&[self.sent.len().to_string()]);
        if self.connections.closed {
            return assert_kind(outcome, ErrorKind::Closed);
        }
        if self.connections.are_none() {
            return assert_kind(outcome, ErrorKind::WouldBlock);
        }
        prop_assert!(outcome.is_ok(), "{outcome:?}");
        self.sent.push(self.connections.current);
        Ok(())
    }

    fn receive(&mut self, server: usize, wait: Duration) -> Result<(), TestCaseError> {
        let Some(message) = received(self.pulls[server].recv_timeout(wait))? else {
            return Ok(());
        };
        let [number] = &message[..] else {
            panic!("it was sent as one frame")
        };
        let number = number_of(number);
        let connection = self.sent[number][server];
        prop_assert!(connection.is_some(), "{number} was not sent to server {server}");
        self.arrivals.note(number, connection.unwrap())
    }

    /// Whether a message can have been lost only by a fault: whichever connection it went to has not been given up.
    fn is_due(&self, number: usize) -> bool {
        iter::zip(self.sent[number], self.connections.current).all(|(then, now)| then.is_none() || then == now)
    }

    /// Receives until everything has come that is due.
    fn receive_the_rest(&mut self) -> Result<(), TestCaseError> {
        let started = Instant::now();
        let is_missing =
            |pushing: &Pushing, number| pushing.is_due(number) && !pushing.arrivals.numbers.contains(&number);
        while let Some(missing) = (0..self.sent.len()).find(|&number| is_missing(self, number)) {
            prop_assert!(started.elapsed() < LONG, "{missing} has not arrived");
            (0..SERVERS).try_for_each(|server| self.receive(server, SHORT))?;
        }
        Ok(())
    }
}

#[test]
fn any_sequence_of_pushing_and_connecting_delivers_in_order_and_once() {
    let _watchdog = watchdog();
    let _keeps_the_context = Client::new().pull().unwrap();
    proptest!(cases(50), |(steps in push_steps())| {
        let mut pushing = Pushing::open();
        steps.iter().try_for_each(|&step| pushing.take(step))?;
        pushing.receive_the_rest()?;
    });
}

/// Topics that begin with each other, and some that do not.
const TOPICS: [&str; 4] = ["", "a", "ab", "b"];

#[derive(Clone, Copy, Debug)]
enum SubscribeStep {
    Connect(usize),
    Disconnect(usize),
    Subscribe(&'static str),
    Unsubscribe(&'static str),
    Publish(usize, &'static str),
    Receive,
    Close,
}

fn subscribe_steps() -> impl Strategy<Value = Vec<SubscribeStep>> {
    let topic = || select(&TOPICS[..]);
    let step = prop_oneof![
        6 => (0..SERVERS).prop_map(SubscribeStep::Connect),
        3 => (0..SERVERS).prop_map(SubscribeStep::Disconnect),
        6 => topic().prop_map(SubscribeStep::Subscribe),
        3 => topic().prop_map(SubscribeStep::Unsubscribe),
        12 => (0..SERVERS, topic()).prop_map(|(server, topic)| SubscribeStep::Publish(server, topic)),
        9 => Just(SubscribeStep::Receive),
        1 => Just(SubscribeStep::Close),
    ];
    prop::collection::vec(step, 1..40)
}

/// A client that subscribes, servers that publish, and what is known of the messages between them.
struct Subscribing {
    news: Subscriber,
    publishers: [Publisher; SERVERS],
    connections: Connections,
    topics: HashSet<&'static str>,
    /// What was ever subscribed to: an unsubscription takes a moment.
    past_topics: HashSet<&'static str>,
    /// The connection that each message could come by.
    published: Vec<Option<usize>>,
    arrivals: Arrivals,
}

impl Subscribing {
    fn open() -> Subscribing {
        Subscribing {
            news: Client::new().subscribe([""; 0]).unwrap(),
            publishers: [(); SERVERS].map(|()| Server::new(0).publish().unwrap()),
            connections: Connections::default(),
            topics: HashSet::new(),
            past_topics: HashSet::new(),
            published: Vec::new(),
            arrivals: Arrivals::default(),
        }
    }

    fn take(&mut self, step: SubscribeStep) -> Result<(), TestCaseError> {
        let socket = self.news.socket();
        let port = |server: usize| self.publishers[server].socket().port().unwrap();
        match step {
            SubscribeStep::Connect(server) => self.connections.connect(&socket, server, port(server)),
            SubscribeStep::Disconnect(server) => self.connections.disconnect(&socket, server, port(server)),
            SubscribeStep::Subscribe(topic) => self.subscribe(topic),
            SubscribeStep::Unsubscribe(topic) => self.unsubscribe(topic),
            SubscribeStep::Publish(server, topic) => self.publish(server, topic),
            SubscribeStep::Receive => self.receive(),
            SubscribeStep::Close => {
                socket.close();
                self.connections.closed = true;
                Ok(())
            }
        }
    }

    fn subscribe(&mut self, topic: &'static str) -> Result<(), TestCaseError> {
        let outcome = self.news.subscribe(topic);
        if self.connections.closed {
            return assert_kind(outcome, ErrorKind::Closed);
        }
        prop_assert!(outcome.is_ok(), "{outcome:?}");
        self.topics.insert(topic);
        self.past_topics.insert(topic);
        Ok(())
    }

    fn unsubscribe(&mut self, topic: &'static str) -> Result<(), TestCaseError> {
        let outcome = self.news.unsubscribe(topic);
        match (self.connections.closed, self.topics.contains(topic)) {
            (true, _) => assert_kind(outcome, ErrorKind::Closed),
            (false, false) => assert_kind(outcome, ErrorKind::NotConnected),
            (false, true) => {
                prop_assert!(outcome.is_ok(), "{outcome:?}");
                self.topics.remove(topic);
                Ok(())
            }
        }
    }

    /// Publishes the next number, which never waits.
    fn publish(&mut self, server: usize, topic: &str) -> Result<(), TestCaseError> {
        let number = self.published.len().to_string();
        let outcome = self.publishers[server].try_send(&[topic, &number]);
        prop_assert!(outcome.is_ok(), "{outcome:?}");
        self.published.push(self.connections.current[server]);
        Ok(())
    }

    fn receive(&mut self) -> Result<(), TestCaseError> {
        let outcome = self.news.recv_timeout(SHORT);
        if self.connections.closed {
            return assert_kind(outcome, ErrorKind::Closed);
        }
        let Some(message) = received(outcome)? else {
            return Ok(());
        };
        let [topic, number] = &message[..] else {
            panic!("it was sent as two frames")
        };
        let is_wanted = self.past_topics.iter().any(|past| topic.starts_with(past.as_bytes()));
        prop_assert!(is_wanted, "{topic:?} was never subscribed to");
        let number = number_of(number);
        let connection = self.published[number];
        prop_assert!(
            connection.is_some(),
            "{number} comes from a server that it was not connected to"
        );
        self.arrivals.note(number, connection.unwrap())
    }
}

#[test]
fn any_sequence_of_publishing_and_subscribing_delivers_what_is_wanted_in_order_and_once() {
    let _watchdog = watchdog();
    let _keeps_the_context = Client::new().pull().unwrap();
    proptest!(cases(50), |(steps in subscribe_steps())| {
        let mut subscribing = Subscribing::open();
        steps.iter().try_for_each(|&step| subscribing.take(step))?;
    });
}
