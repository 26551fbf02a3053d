//! Messages between our draft sockets and those of pyzmq, which must be built with libzmq's draft sockets.

use std::env;
use std::slice;
use std::thread;
use std::time::Duration;

use crate::support::python::Peer;
use crate::support::{unused_port, wait_until, watchdog};
use zeroless::{Client, Message, Server, Socket};

/// Starts a Python that plays this role at an endpoint.
fn python(role: &str, endpoint: &str, groups: &[&str]) -> Peer {
    let interpreter =
        env::var_os("ZEROLESS_DRAFT_PYTHON").expect("this test needs ZEROLESS_DRAFT_PYTHON: see CONTRIBUTING.md");
    Peer::start(&interpreter, "draft_peer.py", [&[role, endpoint], groups].concat()).0
}

fn python_at(socket: &Socket, role: &str, groups: &[&str]) -> Peer {
    python(role, &socket.endpoints()[0], groups)
}

/// Messages of one frame: empty, short, and long.
fn bodies() -> [Vec<u8>; 3] {
    [vec![], b"short".to_vec(), vec![7; 5_000]]
}

fn tagged(tag: &[u8], body: &[u8]) -> Message {
    vec![tag.to_vec(), body.to_vec()]
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn gather_receives() {
    let _watchdog = watchdog();
    let gather = Server::new(0).gather().unwrap();
    let mut scatter = python_at(&gather.socket(), "scatter", &[]);
    for body in bodies() {
        scatter.send(slice::from_ref(&body));
        assert_eq!(gather.recv().unwrap(), [body]);
    }
    scatter.ends_well();
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn scatter_sends() {
    let _watchdog = watchdog();
    let scatter = Server::new(0).scatter().unwrap();
    let mut gather = python_at(&scatter.socket(), "gather", &[]);
    for body in bodies() {
        scatter.send(&[&body]).unwrap();
        assert_eq!(gather.hear(), [body]);
    }
    gather.ends_well();
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn dish_receives() {
    let _watchdog = watchdog();
    let endpoints = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"];
    for endpoint in endpoints {
        let dish = Server::at(endpoint).dish(["group of 15 byt"]).unwrap();
        let mut radio = python_at(&dish.socket(), "radio", &[]);
        let wanted = tagged(b"group of 15 byt", b"news");
        wait_until(|| {
            radio.send(&tagged(b"another", b"news"));
            radio.send(&wanted);
            match dish.recv_timeout(Duration::from_millis(10)) {
                Ok(message) => {
                    assert_eq!(message, wanted, "{endpoint}");
                    true
                }
                Err(_) => false,
            }
        });
    }
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn radio_sends_over_tcp() {
    let _watchdog = watchdog();
    let radio = Server::new(0).radio("sport").unwrap();
    let mut dish = python_at(&radio.socket(), "dish", &["sport"]);
    // Python blocks until one arrives, and radios send to nobody until it has joined.
    let socket = radio.socket();
    thread::spawn(move || {
        while radio(&[b"2:1"]).is_ok() {
            let _ = radio.group("weather").unwrap()(&[b"rain"]);
            thread::yield_now();
        }
    });
    assert_eq!(dish.hear(), tagged(b"sport", b"2:1"));
    assert_eq!(dish.hear(), tagged(b"sport", b"2:1"));
    socket.close();
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn radio_sends_over_udp() {
    let _watchdog = watchdog();
    let ports = [unused_port(), unused_port()];
    let endpoints = [
        format!("udp://127.0.0.1:{}", ports[0]),
        format!("udp://127.0.0.1;239.255.17.20:{}", ports[1]),
    ];
    for endpoint in endpoints {
        let mut dish = python("dish", &endpoint, &["sport"]);
        let radio = Client::new().connect_to(&endpoint).radio("sport").unwrap();
        let socket = radio.socket();
        let sender = thread::spawn(move || {
            while radio(&[b"2:1"]).is_ok() {
                thread::yield_now();
            }
        });
        assert_eq!(dish.hear(), tagged(b"sport", b"2:1"), "{endpoint}");
        socket.close();
        sender.join().unwrap();
    }
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn server_answers() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).draft_server().unwrap();
    let mut client = python_at(&questions.socket(), "client", &[]);
    for body in bodies() {
        client.send(slice::from_ref(&body));
        let question = questions.recv().unwrap();
        assert_eq!(question[1], body);
        answer.send(&question).unwrap();
        assert_eq!(client.hear(), [body]);
    }
    client.ends_well();
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn client_asks() {
    let _watchdog = watchdog();
    let (ask, answers) = Server::new(0).draft_client().unwrap();
    let mut server = python_at(&answers.socket(), "server", &[]);
    for body in bodies() {
        ask.send(&[&body]).unwrap();
        let question = server.hear();
        assert_eq!(question[1], body);
        server.send(&question);
        assert_eq!(answers.recv().unwrap(), [body]);
    }
    server.ends_well();
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn peer_talks_to_a_peer_that_connects() {
    let _watchdog = watchdog();
    // pyzmq does not tell the routing id of a peer that it connects to, so ours connects.
    let port = unused_port();
    let endpoint = format!("tcp://127.0.0.1:{port}");
    let (ask, answers) = Client::new().connect_to(&endpoint).peer().unwrap();
    let mut python = python("peer", &endpoint, &[]);
    let id = ask.socket().routing_id(&endpoint).unwrap();
    for body in bodies() {
        ask.send(&[&id[..], &body]).unwrap();
        let question = python.hear();
        assert_eq!(question[1], body);
        python.send(&question);
        assert_eq!(answers.recv().unwrap(), [id.clone(), body]);
    }
    python.ends_well();
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn channel_talks() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).channel().unwrap();
    let mut other = python_at(&hear.socket(), "channel", &[]);
    for body in bodies() {
        say.send(&[&body]).unwrap();
        assert_eq!(other.hear(), slice::from_ref(&body));
        other.send(slice::from_ref(&body));
        assert_eq!(hear.recv().unwrap(), [body]);
    }
    other.ends_well();
}

#[test]
#[ignore = "needs a pyzmq with drafts: see CONTRIBUTING.md"]
fn dgrams_exchange() {
    let _watchdog = watchdog();
    let (send, datagrams) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    let ours = datagrams.socket().endpoints()[0]
        .strip_prefix("udp://")
        .unwrap()
        .to_owned();
    let theirs = format!("127.0.0.1:{}", unused_port());
    let mut other = python("dgram", &format!("udp://{theirs}"), &[]);
    wait_until(|| {
        other.send(&tagged(ours.as_bytes(), b"hello"));
        datagrams.recv_timeout(Duration::from_millis(10)).is_ok()
    });
    send.send(&[theirs.as_bytes(), b"good day"]).unwrap();
    assert_eq!(other.hear()[1], b"good day");
}
