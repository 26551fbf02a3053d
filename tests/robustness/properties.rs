//! Properties that hold for any endpoint, any message and any sequence of calls.
//!
//! Each property has a share of proptest's number of cases, which `PROPTEST_CASES` changes.

use std::iter;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{self, Folder, await_subscribers, watchdog};
use proptest::prelude::*;
use proptest::sample::select;
use zeroless::{Client, Error, ErrorKind, Message, Receiver, Sender, Server, Socket, proxy};

/// Runs this percentage of proptest's own number of cases, without a file of the cases that failed: each of those gets
/// a test of its own.
fn cases(percent: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: (config.cases * percent / 100).max(1),
        failure_persistence: None,
        // In milliseconds, so that a case that fails by waiting is shown before the watchdog ends the process.
        max_shrink_time: 30_000,
        ..config
    }
}

// Endpoints.

/// Any text that libzmq does not take for a path outside of the tests' folders.
fn text() -> impl Strategy<Value = String> {
    let long =
        (any::<char>(), 0..5_000_usize).prop_map(|(character, count)| iter::repeat_n(character, count).collect());
    let text = prop_oneof![8 => any::<String>(), 2 => "[ -~]{0,20}", 1 => "[a-z:/@*;%\\[\\]\\x00 ]{0,20}", 1 => long];
    text.prop_filter("it is no path", |text| !text.starts_with("ipc:"))
}

/// What may stand between `tcp://` and the port. None of these is looked up or connected to over the network.
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

/// Ports that no other test's server has, because systems do not assign them.
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

/// The part of an `ipc` path after its folder.
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

/// Any text as an endpoint; paths are in this folder.
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

/// Asserts that an error says what is wrong, and names the input.
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

/// Asserts that a server returns the endpoint that it was given, with its port resolved.
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

/// Whether a server at this endpoint would be open to the network, on a port that the system has not chosen.
fn is_exposed(endpoint: &str) -> bool {
    let is_local = endpoint.starts_with("tcp://127.0.0.1:");
    endpoint.starts_with("tcp://") && !is_local && !endpoint.ends_with(":0") && !endpoint.ends_with(":*")
}

#[test]
fn server_binds_any_endpoint_or_names_it() {
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

/// Asserts what holds after a socket has been told to connect.
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

/// The sender of a client that does not linger for absent servers.
fn open_client(client: &mut Client) -> Result<Sender, Error> {
    client.linger(Duration::ZERO).push()
}

#[test]
fn client_connects_to_any_endpoint_or_names_it() {
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

/// Whether a name would be looked up over the network. All names are that are not addresses of this machine.
fn is_looked_up(host: &str) -> bool {
    let is_known = host.starts_with("127.") || host == "localhost" || host.contains(':');
    !is_known
}

#[test]
fn client_connects_to_any_host_or_names_it() {
    let _watchdog = watchdog();
    let running = open_client(&mut Client::new()).unwrap();
    let socket = running.socket();
    let port = prop_oneof![Just(0), 1..1024_u16, 61_000..=u16::MAX];
    proptest!(cases(200), |(host in prop_oneof![host(), text()], port in port)| {
        let mut client = Client::new();
        client.connect(&host, port);
        // A recipe shows what it accepts as a host without being opened.
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
fn disconnecting_from_any_text_names_it() {
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

/// The shape of a message: for each frame, its length, and the value of its first byte, from which the others count up.
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

/// Asserts that messages of any shape arrive unchanged.
fn assert_unchanged(journey: impl Fn(&Message) -> Vec<Message>) {
    let _watchdog = watchdog();
    proptest!(cases(15), |(shape in shape())| {
        let message = message_of(&shape);
        for (arrival, arrived) in journey(&message).iter().enumerate() {
            // The message is not shown: it may have a million bytes.
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
fn push_pull_keeps_any_message() {
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
fn pair_keeps_any_message() {
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
fn request_reply_keeps_any_message() {
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
fn dealer_router_keeps_any_message() {
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
fn publish_keeps_any_message() {
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
fn proxy_keeps_any_message() {
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

// Sequences of operations.

/// How many servers a sequence has.
const SERVERS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    Connect(usize),
    Disconnect(usize),
    Send,
    Receive(usize),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..SERVERS).prop_map(Step::Connect),
        3 => (0..SERVERS).prop_map(Step::Disconnect),
        12 => Just(Step::Send),
        6 => (0..SERVERS).prop_map(Step::Receive),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 1..40)
}

/// A client that pushes to servers that pull, together with a model of what must happen.
struct Pushing {
    push: Sender,
    pulls: [(Receiver, String); SERVERS],
    is_closed: bool,
    /// The number of the connection that the client has to each server.
    connections: [Option<usize>; SERVERS],
    connections_made: usize,
    /// The connections that existed when each message was sent.
    sent: Vec<[Option<usize>; SERVERS]>,
    /// The messages that each server has received, in order.
    arrived: [Vec<usize>; SERVERS],
}

impl Pushing {
    fn open(endpoints: [&str; SERVERS]) -> Pushing {
        let open = |endpoint: &str| {
            let pull = Server::at(endpoint).pull().unwrap();
            let endpoint = pull.socket().endpoints().remove(0);
            (pull, endpoint)
        };
        Pushing {
            push: Client::new().push().unwrap(),
            pulls: endpoints.map(open),
            is_closed: false,
            connections: Default::default(),
            connections_made: 0,
            sent: Vec::new(),
            arrived: Default::default(),
        }
    }

    /// Does one step, and asserts that its outcome is the one of the model.
    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let socket = self.push.socket();
        match step {
            Step::Connect(server) => {
                let fault = self.connections[server].map(|_| ErrorKind::AlreadyConnected);
                if self.succeeds(socket.connect_to(&self.pulls[server].1), fault)? {
                    self.connections_made += 1;
                    self.connections[server] = Some(self.connections_made);
                }
            }
            Step::Disconnect(server) => {
                let fault = self.connections[server].is_none().then_some(ErrorKind::NotConnected);
                if self.succeeds(socket.disconnect_from(&self.pulls[server].1), fault)? {
                    self.connections[server] = None;
                }
            }
            // There is always room, because a sequence is far shorter than a queue.
            Step::Send => {
                let fault = match self.connections_made {
                    0 => Some(ErrorKind::NotConnected),
                    _ => (self.connections == [None; SERVERS]).then_some(ErrorKind::WouldBlock),
                };
                if self.succeeds(self.push.try_send(&[self.sent.len().to_string()]), fault)? {
                    self.sent.push(self.connections);
                }
            }
            Step::Receive(server) => self.receive(server),
            Step::Close => {
                socket.close();
                self.is_closed = true;
            }
        }
        Ok(())
    }

    /// Asserts that the error is this one or none, or `Closed` if the socket is closed. Returns whether it succeeded.
    fn succeeds(&self, outcome: Result<(), Error>, fault: Option<ErrorKind>) -> Result<bool, TestCaseError> {
        let fault = if self.is_closed { Some(ErrorKind::Closed) } else { fault };
        prop_assert_eq!(outcome.err().map(|error| error.kind()), fault);
        Ok(fault.is_none())
    }

    /// Receives a message, if there is one.
    fn receive(&mut self, server: usize) {
        let number = |message: Message| String::from_utf8(message.concat()).unwrap().parse::<usize>().unwrap();
        self.arrived[server].extend(self.pulls[server].0.try_recv().map(number));
    }

    /// Receives all that is left, and asserts that everything arrived once, and in order on each connection.
    fn finish(mut self) -> Result<(), TestCaseError> {
        let started = Instant::now();
        while self.arrived.iter().map(Vec::len).sum::<usize>() < self.sent.len() {
            prop_assert!(
                started.elapsed() < Duration::from_secs(10),
                "lost: of {:?} {:?} arrived",
                self.sent,
                self.arrived
            );
            (0..SERVERS).for_each(|server| self.receive(server));
        }
        let mut numbers = self.arrived.concat();
        numbers.sort();
        prop_assert!(
            numbers.into_iter().eq(0..self.sent.len()),
            "not once: {:?}",
            self.arrived
        );
        for (server, arrived) in self.arrived.iter().enumerate() {
            let mut by_connection = arrived.clone();
            by_connection.sort_by_key(|&number| self.sent[number][server]);
            prop_assert!(
                by_connection.is_sorted_by_key(|&number| (self.sent[number][server], number)),
                "out of order: {arrived:?}"
            );
            prop_assert!(
                arrived.iter().all(|&number| self.sent[number][server].is_some()),
                "astray: {arrived:?}"
            );
        }
        Ok(())
    }
}

/// Asserts that everything that a client sends arrives, even what it sends before it disconnects or closes.
fn assert_nothing_is_lost_in_any_sequence(endpoints: [&str; SERVERS]) {
    let _watchdog = watchdog();
    let _keeps_the_context = Client::new().pull().unwrap();
    proptest!(cases(100), |(steps in steps())| {
        let mut pushing = Pushing::open(endpoints);
        steps.iter().try_for_each(|&step| pushing.take(step))?;
        pushing.finish()?;
    });
}

#[test]
fn any_sequence_of_calls_loses_nothing_over_inproc() {
    assert_nothing_is_lost_in_any_sequence(["inproc://sequence-1", "inproc://sequence-2", "inproc://sequence-3"]);
}

#[test]
fn any_sequence_of_calls_loses_nothing_over_tcp() {
    assert_nothing_is_lost_in_any_sequence(["tcp://127.0.0.1:0"; SERVERS]);
}
