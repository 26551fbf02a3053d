//! Hostile peers, of which libzmq's own draft sockets would abort the process.
//!
//! What is attacked is a process of its own, so that the test notices if libzmq aborts it. Afterwards it must still serve
//! an honest peer.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::support::usage::Usage;
use crate::support::zmtp::{COMMAND, MORE, await_hang_up, await_taken, frame, read_frame, shake_hands};
use crate::support::{Process, argument_of_child, client_of_port, report, run_in_child, wait_until, watchdog};
use crossbeam_channel::{Receiver as Reports, unbounded};
use zeroless::{Client, Receiver, Sender, Server};

const SHORT: Duration = Duration::from_millis(50);

/// The argument is the pattern to open. A receiver waits for a line before it receives, and reports what is honest. A
/// sender sends all the time. Both end with their standard input.
#[test]
#[ignore = "runs as a child process of another test"]
fn serves() {
    let (mut server, mut udp) = (Server::new(0), Server::at("udp://127.0.0.1:0"));
    server.high_water_mark(10).linger(Duration::ZERO);
    udp.high_water_mark(10);
    let receives = |receiver: Receiver| (None, Some(receiver));
    let (sender, receiver): (Option<Sender>, Option<Receiver>) = match argument_of_child().as_str() {
        "radio" => (Some(Sender::clone(&server.radio("honest").unwrap())), None),
        "scatter" => (Some(server.scatter().unwrap()), None),
        "dish" => receives(Receiver::clone(&server.dish(["honest"]).unwrap())),
        "udp dish" => receives(Receiver::clone(&udp.dish(["honest"]).unwrap())),
        "gather" => receives(server.gather().unwrap()),
        "draft_server" => receives(server.draft_server().unwrap().1),
        "draft_client" => receives(server.draft_client().unwrap().1),
        "peer" => receives(server.peer().unwrap().1),
        "channel" => receives(server.channel().unwrap().1),
        "dgram" => receives(udp.dgram().unwrap().1),
        other => panic!("{other} is not for attacking"),
    };
    let sockets = [
        sender.as_ref().map(Sender::socket),
        receiver.as_ref().map(Receiver::socket),
    ];
    let socket = sockets.into_iter().flatten().next().unwrap();
    report(&socket.port().unwrap().to_string());

    std::io::stdin().read_line(&mut String::new()).unwrap();
    thread::spawn(move || {
        std::io::stdin().lines().for_each(drop);
        socket.close();
    });
    for message in receiver.iter().flatten() {
        if message.last().unwrap() == b"honest" {
            report("honest");
        }
    }
    if let Some(sender) = sender {
        while !sender.socket().is_closed() {
            let _ = sender.send_timeout(&["honest"], SHORT);
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A process to attack.
struct Target {
    process: Process,
    reports: Reports<String>,
    port: u16,
}

impl Target {
    fn start(pattern: &str) -> Target {
        let mut process = run_in_child(serves, pattern);
        let (sender, reports) = unbounded();
        let lines = process.reports();
        thread::spawn(move || lines.for_each(|line| sender.send(line).unwrap_or(())));
        let port = reports
            .iter()
            .find_map(|line| line.parse().ok())
            .expect("it reports a port");
        Target { process, reports, port }
    }

    /// Lets it receive, or send.
    fn go(&mut self) {
        self.process.types("go");
    }

    /// Lets an honest client send until the target has received something of it.
    fn serves_sender(&mut self, send: impl Fn()) {
        wait_until(|| {
            send();
            self.reports.recv_timeout(SHORT).is_ok_and(|line| line == "honest")
        });
        self.ends();
    }

    /// Asserts that an honest client receives something of the target.
    fn serves_receiver(&mut self, receiver: &Receiver) {
        while receiver.recv().unwrap().last().unwrap() != b"honest" {}
        self.ends();
    }

    fn ends(&mut self) {
        self.process.let_go();
        self.process.succeeds();
    }

    fn connect(&self, socket_type: &str) -> TcpStream {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        shake_hands(&mut connection, socket_type);
        connection
    }

    /// Sends these bytes as a peer of this type, and waits until they are read or the connection is closed for them.
    fn is_sent(&self, socket_type: &str, bytes: &[u8]) {
        let mut connection = self.connect(socket_type);
        connection.write_all(bytes).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let ping = frame(COMMAND, b"\x04PING\0\0");
        // It may be closed, and it may have stopped reading.
        let _ = connection.write_all(&ping);
        let _ = connection.read(&mut [0; 100]);
    }

    fn is_sent_datagrams(&self, datagrams: &[&[u8]]) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for datagram in datagrams {
            let _ = socket.send_to(datagram, ("127.0.0.1", self.port));
        }
    }
}

fn command(name: &str, body: &[u8]) -> Vec<u8> {
    frame(COMMAND, &[&[name.len() as u8], name.as_bytes(), body].concat())
}

#[test]
fn radio_survives_groups_that_are_too_long() {
    let _watchdog = watchdog();
    let mut target = Target::start("radio");
    target.go();
    for name in ["JOIN", "LEAVE"] {
        for length in [256, 100_000] {
            let mut connection = target.connect("DISH");
            connection.write_all(&command(name, &vec![b'a'; length])).unwrap();
            await_hang_up(&mut connection);
        }
        for group in [&b""[..], &[b'a'; 255], b"\0\0", b"\xff"] {
            let mut connection = target.connect("DISH");
            connection.write_all(&command(name, group)).unwrap();
            await_taken(&mut connection);
        }
    }
    let dish = client_of_port(target.port).dish(["honest"]).unwrap();
    target.serves_receiver(&dish);
}

#[test]
fn radio_survives_messages_and_unknown_commands() {
    let _watchdog = watchdog();
    let mut target = Target::start("radio");
    target.go();
    let bytes = [
        frame(0, b"message"),
        frame(MORE, b"one"),
        frame(0, b"two"),
        command("SUBSCRIBE", b"a"),
        command("CANCEL", b"a"),
        command("NOTHING", b"a"),
        frame(0, b"\x04JOINa"),
    ];
    target.is_sent("DISH", &bytes.concat());
    let dish = client_of_port(target.port).dish(["honest"]).unwrap();
    target.serves_receiver(&dish);
}

#[test]
fn dish_survives_malformed_messages() {
    let _watchdog = watchdog();
    let mut target = Target::start("dish");
    target.go();
    let malformed = [
        frame(0, b"no body"),
        frame(MORE, &[b'a'; 256]),
        [frame(MORE, b"honest"), frame(MORE, b"two"), frame(0, b"three")].concat(),
        command("JOIN", b"a"),
        command("SUBSCRIBE", b"a"),
    ];
    for bytes in malformed {
        target.is_sent("RADIO", &bytes);
    }
    // It leaves in the middle of a message.
    target.is_sent("RADIO", &frame(MORE, &[b'a'; 255]));
    let radio = client_of_port(target.port).radio("honest").unwrap();
    target.serves_sender(|| radio(&[b"honest"]).unwrap());
}

#[test]
fn dish_survives_a_full_queue_of_an_empty_group() {
    let _watchdog = watchdog();
    let mut target = Target::start("dish");
    let message = [frame(MORE, b""), frame(0, b"x")].concat();
    let mut connection = target.connect("RADIO");
    connection.write_all(&message.repeat(1_000)).unwrap();
    // The queue of the dish is full when it begins to receive, or soon after.
    target.go();
    assert_eq!(read_frame(&mut connection), b"\x04JOINhonest");
    await_taken(&mut connection);
    let radio = client_of_port(target.port).radio("honest").unwrap();
    target.serves_sender(|| radio(&[b"honest"]).unwrap());
}

#[test]
fn dish_survives_any_datagram() {
    let _watchdog = watchdog();
    let mut target = Target::start("udp dish");
    let long = [b'a'; 9_000];
    let negative = [&[0xc8][..], &[b'a'; 250]].concat();
    let large_group = [&[0xff][..], &[b'a'; 255], b"body"].concat();
    let attack: [&[u8]; 10] = [
        b"",
        b"\x00",
        b"\x00body",
        b"\x80",
        b"\xff",
        b"\x05ab",
        b"\x7f",
        &negative,
        &large_group,
        &long,
    ];
    for round in 0..2 {
        for _ in 0..200 {
            target.is_sent_datagrams(&attack);
        }
        if round == 0 {
            target.go();
        }
    }
    let radio = Client::new()
        .connect_to(format!("udp://127.0.0.1:{}", target.port))
        .radio("honest")
        .unwrap();
    target.serves_sender(|| radio(&[b"honest"]).unwrap());
}

#[test]
fn dgram_survives_any_datagram() {
    let _watchdog = watchdog();
    let mut target = Target::start("dgram");
    let long = [b'a'; 9_000];
    for _ in 0..200 {
        target.is_sent_datagrams(&[b"", b"\0", b"text", &long]);
    }
    target.go();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = target.port;
    target.serves_sender(|| {
        let _ = socket.send_to(b"honest", ("127.0.0.1", port));
    });
}

/// Frames that no honest peer of a draft socket sends.
fn multipart() -> Vec<u8> {
    let message = [frame(MORE, b"one"), frame(MORE, b""), frame(0, b"three")].concat();
    let commands = [
        command("NOTHING", b""),
        command("SUBSCRIBE", b"a"),
        command("JOIN", b"a"),
    ]
    .concat();
    [message.repeat(20), commands, frame(MORE, b"never ended")].concat()
}

/// The patterns that receive messages of one frame over connections, and the types of their peers.
const RECEIVERS: [(&str, &str); 5] = [
    ("gather", "SCATTER"),
    ("draft_server", "CLIENT"),
    ("draft_client", "SERVER"),
    ("peer", "PEER"),
    ("channel", "CHANNEL"),
];

#[test]
fn messages_that_are_dropped_take_no_memory() {
    const MEGABYTES: usize = 100;

    let _watchdog = watchdog();
    let message = [frame(MORE, &[7; 10_000]), frame(0, b"")].concat();
    for (pattern, hostile) in RECEIVERS {
        let mut target = Target::start(pattern);
        target.go();
        let mut connection = target.connect(hostile);
        for _ in 0..MEGABYTES {
            connection.write_all(&message.repeat(100)).unwrap();
        }
        await_taken(&mut connection);
        let memory = Usage::of(&target.process.id().to_string()).memory;
        assert!(memory < (MEGABYTES as u64) * 500_000, "{pattern} holds {memory} bytes");
        target.ends();
    }
}

#[test]
fn receivers_drop_messages_of_several_frames() {
    let _watchdog = watchdog();
    for (pattern, hostile) in RECEIVERS {
        let mut target = Target::start(pattern);
        target.is_sent(hostile, &multipart());
        target.go();
        target.is_sent(hostile, &multipart());
        let client = client_of_port(target.port);
        let open = || match pattern {
            "gather" => client.scatter().unwrap(),
            "draft_server" => client.draft_client().unwrap().0,
            "draft_client" => client.draft_server().unwrap().0,
            "peer" => client.peer().unwrap().0,
            _ => client.channel().unwrap().0,
        };
        println!("{pattern}");
        match pattern {
            // The target would have to send first.
            "draft_client" => target.ends(),
            "peer" => {
                let send = open();
                let id = send.socket().routing_id(&send.socket().endpoints()[0]).unwrap();
                target.serves_sender(|| send.send(&[&id[..], b"honest"]).unwrap());
            }
            // A channel may have been taken by the hostile peer for a moment longer.
            _ => target.serves_sender(|| _ = open().try_send(&["honest"])),
        }
    }
}

#[test]
fn scatter_survives_messages() {
    let _watchdog = watchdog();
    let mut target = Target::start("scatter");
    target.go();
    target.is_sent("GATHER", &multipart());
    let gather = client_of_port(target.port).gather().unwrap();
    target.serves_receiver(&gather);
}

/// Over `inproc`, libzmq does not check the patterns, so any socket may be told the groups of a dish.
#[test]
#[ignore = "runs as a child process of another test"]
fn takes_groups_of_a_dish() {
    let server = |pattern| Server::at(format!("inproc://{pattern}"));
    let pull = server("pull").pull().unwrap();
    let gather = server("gather").gather().unwrap();
    let (_, questions) = server("router").router().unwrap();
    let (_, messages) = server("pair").pair().unwrap();
    let (_, subscriptions) = server("xpublish").xpublish().unwrap();
    let (_, requests) = server("reply").reply().unwrap();
    let mut client = Client::new();
    for pattern in ["pull", "gather", "router", "pair", "xpublish", "reply"] {
        client.connect_to(format!("inproc://{pattern}"));
    }
    let dish = client.dish(["group", "group of 15 byt"]).unwrap();
    dish.leave("group").unwrap();
    for receiver in [pull, gather, questions, messages, subscriptions, requests] {
        while receiver.recv_timeout(SHORT).is_ok() {}
    }
    report("done");
}

#[test]
fn other_patterns_survive_a_dish_over_inproc() {
    let _watchdog = watchdog();
    run_in_child(takes_groups_of_a_dish, "").succeeds();
}
