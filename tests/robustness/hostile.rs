//! Hostile peers over raw TCP, while an honest client is served.
//!
//! The server is a process of its own, so that its memory can be measured, and so that the test notices if libzmq
//! aborts it.
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::zmtp::{self, COMMAND, MORE, await_hang_up, await_taken, greet, shake_hands};
use crate::support::{Process, argument_of_child, client_of_port, report, run_in_child, wait_until, watchdog};
use crossbeam_channel::bounded;
use nix::libc::linger;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{setsockopt, sockopt};
use zeroless::{Client, Receiver, Sender, Server};

const MIB: u64 = 1024 * 1024;

/// The largest frame that the server accepts.
const LARGEST_FRAME: u64 = MIB;

/// How many round trips the honest client makes, at least, before, during and after an attack.
const TRIPS: usize = 50;

#[test]
#[ignore = "runs as a child process of another test"]
fn serves() {
    let pattern = argument_of_child();
    let mut attacked = Server::new(0);
    attacked.max_message_size(LARGEST_FRAME);
    // Otherwise it would linger for what hostile peers have not read.
    attacked.linger(Duration::ZERO);
    // Unless it is the hasty one, it disconnects a peer for what it sends, never for the time it takes.
    let patience = if pattern == HASTY_REPLY { 1_000 } else { 0 };
    attacked.configure(move |socket| socket.set_handshake_ivl(patience));
    let (send, receive) = open(&pattern, &attacked);

    let sockets = [receive.socket(), send.socket()];
    report(
        &sockets
            .each_ref()
            .map(|socket| socket.port().unwrap().to_string())
            .join(" "),
    );
    thread::spawn(move || {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        sockets.iter().for_each(|socket| socket.close());
    });
    for message in &receive {
        // Every request must be replied to, whoever sent it.
        if pattern.ends_with("reply") || message.last().unwrap().starts_with(b"honest") {
            send.send(&message).unwrap();
        }
    }
}

/// Opens the socket to attack, and another one for the other direction if the pattern has only one.
fn open(pattern: &str, attacked: &Server) -> (Sender, Receiver) {
    let aside = Server::new(0);
    match pattern {
        "reply" | HASTY_REPLY => attacked.reply().unwrap(),
        "router" => attacked.router().unwrap(),
        "stream" => attacked.stream().unwrap(),
        "pull" => (aside.push().unwrap(), attacked.pull().unwrap()),
        "publish" => (Sender::clone(&attacked.publish().unwrap()), aside.pull().unwrap()),
        "xpublish" => {
            let (publish, subscriptions) = attacked.xpublish().unwrap();
            thread::spawn(move || subscriptions.iter().for_each(drop));
            (publish, aside.pull().unwrap())
        }
        _ => panic!("{pattern} is not for attacking"),
    }
}

/// A reply server that soon disconnects peers that do not complete the handshake.
const HASTY_REPLY: &str = "hasty reply";

/// A server to attack, in a process of its own.
struct Victim {
    process: Process,
    /// The port that is attacked.
    port: u16,
}

impl Victim {
    /// Starts a server, and an honest client of it.
    fn start(pattern: &str) -> (Victim, Honest) {
        let mut process = run_in_child(serves, pattern);
        let mut reports = process.reports();
        let ports = reports.find_map(|line| {
            let (receiving, sending) = line.split_once(' ')?;
            Some((receiving.parse().ok()?, sending.parse().ok()?))
        });
        let (receiving, sending) = ports.expect("the server reports its ports");
        // Anything else that it reports is the reason why it failed.
        thread::spawn(move || reports.for_each(|line| eprintln!("the server: {line}")));

        let port = if pattern.ends_with("publish") {
            sending
        } else {
            receiving
        };
        (Victim { process, port }, Honest::client_of(pattern, receiving, sending))
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    /// Connects a peer, and performs its handshake.
    fn befriend(&self, socket_type: &str) -> TcpStream {
        let mut connection = self.connect();
        shake_hands(&mut connection, socket_type);
        connection
    }

    /// How many bytes of memory it has: `VmRSS` is what is in memory now, `VmPeak` the most that it has ever requested.
    fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        let kilobytes = line.trim_matches(|letter: char| !letter.is_ascii_digit());
        1024 * kilobytes.parse::<u64>().unwrap()
    }

    /// How many connections it has accepted and not closed, plus one for listening.
    fn connections(&self) -> usize {
        let address = format!("0100007F:{:04X}", self.port);
        let all = fs::read_to_string(format!("/proc/{}/net/tcp", self.process.id())).unwrap();
        // The list has all connections of the system, which may be tens of thousands, so most are excluded cheaply.
        let lines = all.lines().filter(|line| line.contains(&address));
        let fields = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
        // A connection that no process has open has no inode.
        fields.filter(|fields| fields[1] == address && fields[9] != "0").count()
    }

    /// How many files and connections it has open.
    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap().count()
    }
}

/// A client that follows the protocol.
struct Honest {
    send: Sender,
    receive: Receiver,
    /// The first frame of its messages, if there is one.
    routing_id: Option<Vec<u8>>,
    /// Whether it sends again what is not answered.
    insists: bool,
    trips: usize,
}

impl Honest {
    fn client_of(pattern: &str, receiving: u16, sending: u16) -> Honest {
        // A subscription takes a moment to arrive.
        let insists = pattern.ends_with("publish");
        let timeout = Duration::from_millis(if insists { 200 } else { 60_000 });
        let client = |port| client_of_port(port).timeout(timeout).clone();
        let to: Client = client(receiving);
        let (send, receive) = match pattern {
            "reply" | HASTY_REPLY => to.request().unwrap(),
            "router" => to.dealer().unwrap(),
            "stream" => to.stream().unwrap(),
            "pull" => (to.push().unwrap(), client(sending).pull().unwrap()),
            _ => {
                let news = client(sending).subscribe(["honest"]).unwrap();
                (to.push().unwrap(), Receiver::clone(&news))
            }
        };
        // A stream reports its connection.
        let routing_id = (pattern == "stream").then(|| receive.recv().unwrap().swap_remove(0));
        Honest {
            send,
            receive,
            routing_id,
            insists,
            trips: 0,
        }
    }

    /// Sends a message to the server, and waits until it comes back.
    fn make_trip(&mut self) {
        self.trips += 1;
        let words = format!("honest {}", self.trips).into_bytes();
        let message: Vec<Vec<u8>> = self.routing_id.iter().cloned().chain([words]).collect();
        loop {
            self.send.send(&message).unwrap();
            // Late answers to earlier messages are skipped.
            if self.receive.iter().any(|heard| heard == message) {
                return;
            }
            assert!(self.insists, "it is not answered");
        }
    }

    fn make_trips(&mut self) {
        (0..TRIPS).for_each(|_| self.make_trip());
    }
}

/// How many bytes of memory a server had before an attack, during it, during the second attack, and afterwards.
#[derive(Debug)]
struct Memory {
    before: u64,
    during: u64,
    again: u64,
    after: u64,
}

impl Memory {
    fn assert_grew_less_than(&self, bytes: u64) {
        assert!(
            self.during.max(self.again).max(self.after) < self.before + bytes,
            "{self:?}"
        );
    }
}

/// Attacks a server, twice, while an honest client is served all the time.
///
/// What the attack returns is dropped when the memory has been measured.
fn attack<T>(pattern: &str, mut attack: impl FnMut(&Victim) -> T) -> Memory {
    let _watchdog = watchdog();
    let (mut victim, mut honest) = Victim::start(pattern);
    honest.make_trips();
    let before = victim.memory("VmRSS");
    let connections = victim.connections();

    let [during, again] = [(); 2].map(|()| {
        let attackers = while_served(&mut honest, || attack(&victim));
        honest.make_trips();
        let held = victim.memory("VmRSS");
        drop(attackers);
        wait_until(|| victim.connections() <= connections);
        honest.make_trips();
        held
    });

    let after = victim.memory("VmRSS");
    victim.process.let_go();
    victim.process.succeeds();
    let memory = Memory {
        before,
        during,
        again,
        after,
    };
    println!("{pattern}: {memory:?}");
    memory
}

/// Does something while an honest client makes round trips.
fn while_served<T>(honest: &mut Honest, work: impl FnOnce() -> T) -> T {
    let (working, is_over) = bounded::<()>(0);
    thread::scope(|scope| {
        scope.spawn(move || {
            while is_over.try_recv().is_err_and(|error| error.is_empty()) {
                honest.make_trip();
            }
        });
        // Is dropped even if the work panics.
        let _working = working;
        work()
    })
}

/// Pseudorandom bytes that are the same each time.
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_be_bytes()[0]
        };
        (0..count).map(|_| next()).collect()
    }
}

/// Sends bytes that the server may refuse at any point, and waits until it closes the connection.
fn hurl(mut connection: TcpStream, bytes: &[u8]) {
    // This fails if the server has closed the connection already.
    let _ = connection.write_all(bytes);
    let _ = connection.shutdown(Shutdown::Write);
    await_hang_up(&mut connection);
}

#[test]
fn ignores_garbage() {
    for (pattern, friend) in [("reply", "REQ"), ("pull", "PUSH"), ("router", "DEALER"), ("stream", "")] {
        let mut noise = Noise(0x5eed);
        let memory = attack(pattern, |victim| {
            for _ in 0..30 {
                hurl(victim.connect(), &noise.bytes(100_000));
                // And from a peer that first follows the protocol.
                if pattern != "stream" {
                    let mut acquaintance = victim.connect();
                    greet(&mut acquaintance);
                    hurl(acquaintance, &noise.bytes(10_000));
                    hurl(victim.befriend(friend), &noise.bytes(10_000));
                }
            }
        });
        memory.assert_grew_less_than(64 * MIB);
    }
}

#[test]
fn drops_peers_that_stop_in_greeting() {
    let memory = attack(HASTY_REPLY, |victim| {
        let connections = victim.connections();
        let mut silent: Vec<TcpStream> = (0..200).map(|_| victim.connect()).collect();
        for (number, connection) in silent.iter_mut().enumerate() {
            connection.write_all(&zmtp::greeting("NULL")[..number % 64]).unwrap();
        }
        silent.iter_mut().for_each(await_hang_up);
        wait_until(|| victim.connections() == connections);
    });
    memory.assert_grew_less_than(32 * MIB);
}

#[test]
fn serves_older_protocol_versions() {
    /// The signature of later versions, version 2, a socket of type REQ, and no identity.
    const SECOND: &[u8] = b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x03\0\0";
    attack("reply", |victim| {
        // In version 1 the length precedes the flags and counts them; a connection begins with an identity.
        let mut first = victim.connect();
        first.write_all(b"\x01\0\x01\x01\x06\0hello").unwrap();
        let mut heard = [0; 19];
        first.read_exact(&mut heard).unwrap();
        assert!(heard.ends_with(b"\x01\x01\x06\0hello"), "{}", heard.escape_ascii());

        let mut second = victim.connect();
        second.write_all(SECOND).unwrap();
        second.write_all(b"\x01\0\0\x05hello").unwrap();
        let mut heard = [0; 23];
        second.read_exact(&mut heard).unwrap();
        assert!(heard.ends_with(b"\x01\0\0\x05hello"), "{}", heard.escape_ascii());
        [first, second]
    });
    attack("pull", |victim| {
        hurl(victim.connect(), b"\x01\0\x06\0hello");
        hurl(victim.connect(), &[SECOND, b"\0\x05hello"].concat());
    });
}

#[test]
fn drops_peers_of_other_mechanism() {
    attack("reply", |victim| {
        for mechanism in [
            "PLAIN",
            "CURVE",
            "GSSAPI",
            "",
            "null",
            "NULLIFY",
            "a very long name.....",
        ] {
            let mut connection = victim.connect();
            connection.write_all(&zmtp::greeting(mechanism)).unwrap();
            await_hang_up(&mut connection);
            let hello = zmtp::frame(COMMAND, b"\x05HELLO\x01a\x01b");
            hurl(victim.connect(), &[&zmtp::greeting(mechanism)[..], &hello].concat());
        }
    });
}

#[test]
fn drops_peers_of_wrong_type() {
    for (pattern, wrong) in [
        ("reply", &["PUB", "REP", "PULL", "", "?"][..]),
        ("pull", &["REQ", "PULL"]),
        ("publish", &["PUSH"]),
    ] {
        attack(pattern, |victim| {
            for socket_type in wrong {
                let mut connection = victim.connect();
                greet(&mut connection);
                connection.write_all(&zmtp::ready(socket_type)).unwrap();
                await_hang_up(&mut connection);
            }
        });
    }
}

/// If a peer sends a request without an envelope and leaves, libzmq's reply socket keeps the beginning of the reply to
/// it, and appends the next reply, which then reaches no one. That client must ask again.
#[test]
fn requests_without_envelope_cost_no_reply() {
    let memory = attack("reply", |victim| {
        (0..200).for_each(|_| hurl(victim.befriend("REQ"), &zmtp::frame(0, b"no envelope")));
    });
    memory.assert_grew_less_than(16 * MIB);
}

#[test]
fn ignores_malformed_commands_and_frames() {
    let handshakes = [
        zmtp::frame(COMMAND, b""),
        zmtp::frame(COMMAND, b"\x05READ"),
        zmtp::frame(COMMAND, b"\xffREADY"),
        zmtp::frame(COMMAND, b"\x05READY\xff"),
        zmtp::frame(COMMAND, b"\x05READY\x0bSocket-Type"),
        zmtp::frame(COMMAND, b"\x05READY\x0bSocket-Type\xff\xff\xff\xffREQ"),
        zmtp::frame(COMMAND, b"\x05READY\x0bSocket-Type\x80\0\0\0REQ"),
        zmtp::frame(COMMAND, b"\x05ERROR"),
        zmtp::frame(COMMAND, b"\x05ERROR\xff?"),
        zmtp::frame(COMMAND, &[b'x'; 100_000]),
        zmtp::frame(0, b"a message already"),
        zmtp::long_head(COMMAND, 1 << 63),
    ];
    let afterwards = [
        zmtp::frame(COMMAND, b""),
        zmtp::frame(COMMAND, b"\xffshort"),
        zmtp::frame(COMMAND, b"\x07UNKNOWN"),
        zmtp::frame(COMMAND, b"\x04PING"),
        zmtp::frame(COMMAND, b"\x04PING\0"),
        zmtp::frame(COMMAND, &[&b"\x04PING\xff\xff"[..], &[b'x'; 200]].concat()),
        zmtp::frame(COMMAND, b"\x04PONG"),
        zmtp::frame(COMMAND | MORE, b"\x04PING\0\0"),
        zmtp::frame(COMMAND, b"\x09SUBSCRIBE"),
        zmtp::frame(COMMAND, b"\x09SUBSCRIBEtopic"),
        zmtp::frame(COMMAND, b"\x06CANCELtopic"),
        zmtp::frame(COMMAND, b"\x05JOINx"),
        zmtp::ready("PUB"),
        zmtp::frame(0xff, b"all flags there are"),
        zmtp::long_head(0, 1 << 63),
        zmtp::long_head(0, u64::MAX),
        zmtp::long_head(MORE, (1 << 63) - 1),
        // Messages that are valid, but not for a reply server.
        zmtp::frame(0, b"no envelope"),
        [zmtp::frame(MORE, b""), zmtp::frame(MORE, b"cut short")].concat(),
    ];
    for (pattern, friend) in [
        ("reply", "REQ"),
        ("pull", "PUSH"),
        ("router", "DEALER"),
        ("publish", "SUB"),
        ("xpublish", "XSUB"),
    ] {
        let memory = attack(pattern, |victim| {
            for bytes in &handshakes {
                let mut connection = victim.connect();
                greet(&mut connection);
                hurl(connection, bytes);
            }
            afterwards.iter().for_each(|bytes| hurl(victim.befriend(friend), bytes));
        });
        memory.assert_grew_less_than(32 * MIB);
    }
}

#[test]
fn refuses_large_frame_when_announced() {
    const ANNOUNCED: u64 = 10_000_000_000;
    for (pattern, friend) in [("reply", "REQ"), ("pull", "PUSH")] {
        let mut peak = 0;
        let memory = attack(pattern, |victim| {
            let mut peer = victim.befriend(friend);
            peer.write_all(&zmtp::long_head(0, ANNOUNCED)).unwrap();
            await_hang_up(&mut peer);
            peak = victim.memory("VmPeak");
        });
        memory.assert_grew_less_than(32 * MIB);
        assert!(peak < ANNOUNCED, "{peak} bytes were asked for");
    }
}

/// Sends frames of a message that never ends, and measures the server's memory when it has read all of them.
fn send_frames_without_end(pattern: &str, friend: &str, size: usize, bytes: usize) {
    let frames = zmtp::frame(MORE, &vec![b'x'; size]).repeat(1_000);
    let memory = attack(pattern, |victim| {
        let mut peer = victim.befriend(friend);
        for _ in 0..bytes / frames.len() {
            peer.write_all(&frames).unwrap();
        }
        await_taken(&mut peer);
        peer
    });
    // All of it is kept, in spite of the largest message and the high-water mark. The process may keep some of the
    // memory and use it again.
    assert!(memory.during > memory.before + bytes as u64, "{memory:?}");
    memory.assert_grew_less_than(400 * MIB);
}

#[test]
fn endless_message_uses_memory() {
    for (pattern, friend) in [("pull", "PUSH"), ("reply", "REQ")] {
        send_frames_without_end(pattern, friend, 1_000, 64_000_000);
        send_frames_without_end(pattern, friend, 0, 4_000_000);
    }
}

/// Subscribes to many topics of 200 bytes, and measures the publisher's memory when it has read all of them.
fn subscribe_to_many_topics(pattern: &str) {
    const SUBSCRIPTIONS: u64 = 20_000;
    let memory = attack(pattern, |victim| {
        let mut peer = victim.befriend("SUB");
        for number in 0..SUBSCRIPTIONS {
            let subscription = format!("\x01{number:.<200}");
            peer.write_all(&zmtp::frame(0, subscription.as_bytes())).unwrap();
        }
        await_taken(&mut peer);
        peer
    });
    assert!(memory.during > memory.before + 200 * SUBSCRIPTIONS, "{memory:?}");
    memory.assert_grew_less_than(400 * MIB);
}

#[test]
fn subscriptions_use_memory() {
    for pattern in ["publish", "xpublish"] {
        subscribe_to_many_topics(pattern);
    }
}

#[test]
fn survives_largest_subscription() {
    for pattern in ["publish", "xpublish"] {
        let memory = attack(pattern, |victim| {
            let mut peer = victim.befriend("SUB");
            let topic = vec![b'x'; LARGEST_FRAME as usize - 1];
            for verb in [b"\x01", b"\x00", b"\x01"] {
                peer.write_all(&zmtp::frame(0, &[&verb[..], &topic].concat())).unwrap();
            }
            await_taken(&mut peer);
            peer
        });
        memory.assert_grew_less_than(400 * MIB);
    }
}

/// Before a peer is let in, its frames are limited to 64 KiB, whatever the server allows afterwards.
#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs zeroless's own libzmq: run without --config and --no-default-features"
)]
fn large_handshake_uses_no_memory() {
    const SIZE: usize = 900_000;
    let memory = attack("pull", |victim| {
        for flags in [0, COMMAND].repeat(50) {
            let mut stranger = victim.connect();
            greet(&mut stranger);
            // This fails if the server has closed the connection already.
            let _ = stranger.write_all(&zmtp::frame(flags, &[b'x'; SIZE]));
            await_hang_up(&mut stranger);
        }
        // All at the same time, and with all but the last byte.
        let strangers = || {
            let mut stranger = victim.connect();
            greet(&mut stranger);
            let _ = stranger.write_all(&zmtp::frame(COMMAND, &[b'x'; SIZE])[..SIZE]);
            stranger
        };
        (0..100).map(|_| strangers()).collect::<Vec<_>>()
    });
    memory.assert_grew_less_than(32 * MIB);
}

#[test]
fn guarded_server_drops_silent_peer_soon() {
    let _watchdog = watchdog();
    let pull = Server::new(0).deny(["10.0.0.0/8"]).pull().unwrap();
    let mut peer = TcpStream::connect(("127.0.0.1", pull.socket().port().unwrap())).unwrap();
    let started = Instant::now();
    zmtp::await_hang_up(&mut peer);
    // A server that lets everyone in waits for 30 seconds.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn tolerates_thousand_silent_peers() {
    const PEERS: usize = 1_000;
    // For this process, and for the server, which inherits the limit. It is only raised, so other tests do not notice.
    let (now, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, now.max(most.min(8_192)), most).unwrap();
    for pattern in ["reply", "stream"] {
        let memory = attack(pattern, |victim| {
            let (connections, descriptors) = (victim.connections(), victim.descriptors());
            let mut silent = Vec::new();
            while silent.len() < PEERS {
                // No more at a time than the system's backlog takes, or it delays them by a second.
                silent.extend((0..50).map(|_| victim.connect()));
                wait_until(|| victim.connections() == connections + silent.len());
            }
            // One for each, and a few that the server may need for waiting.
            let added = victim.descriptors() - descriptors;
            assert!((PEERS..PEERS + 10).contains(&added), "{added} descriptors");
            silent
        });
        memory.assert_grew_less_than(64 * MIB);
    }
}

/// libzmq stops reading from a peer when the queue is full, and does not notice if the connection breaks then.
#[test]
fn full_server_closes_after_reset() {
    let _watchdog = watchdog();
    for pattern in ["pull", "router", "reply", "pair"] {
        run_in_child(is_full_and_closes, pattern).succeeds();
    }
}

/// Alone in its process, because only the close of the last socket waits.
#[test]
#[ignore = "runs as a child process of another test"]
fn is_full_and_closes() {
    let _watchdog = watchdog();
    let server = Server::new(0);
    let ((_send, receive), peers_kind) = match argument_of_child().as_str() {
        "pull" => ((None, server.pull().unwrap()), "PUSH"),
        "router" => (with_sender(server.router().unwrap()), "DEALER"),
        "reply" => (with_sender(server.reply().unwrap()), "REQ"),
        "pair" => (with_sender(server.pair().unwrap()), "PAIR"),
        other => panic!("no pattern is called {other}"),
    };
    let connect = || {
        let mut peer = TcpStream::connect(("127.0.0.1", receive.socket().port().unwrap())).unwrap();
        shake_hands(&mut peer, peers_kind);
        peer
    };
    let mut peer = connect();
    peer.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let message = [zmtp::frame(MORE, b""), zmtp::frame(0, &[b'x'; 1_000])].concat();
    // Until the queues and the system's buffers are full.
    while peer.write_all(&message).is_ok() {}
    // So that a reply server has a request to reply to.
    receive.recv().unwrap();
    // With a linger of zero, closing resets the connection.
    let at_once = linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(&peer, sockopt::Linger, &at_once).unwrap();
    drop(peer);
    // libzmq's thread notices this connection after the reset.
    connect();
}

fn with_sender((send, receive): (Sender, Receiver)) -> (Option<Sender>, Receiver) {
    (Some(send), receive)
}
