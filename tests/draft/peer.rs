//! Peer: both ends send first, by routing ids.

use crate::support::{client_of, unused_port, watchdog};
use zeroless::{Client, ErrorKind, Server};

#[test]
fn client_sends_first() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).peer().unwrap();
    let (ask, answers) = client_of(&questions).peer().unwrap();
    let server = ask.socket().routing_id(&ask.socket().endpoints()[0]).unwrap();
    ask(&[&server, b"ping"]).unwrap();
    let question = questions.recv().unwrap();
    assert_eq!(question[1], b"ping");
    answer(&[&question[0], b"pong"]).unwrap();
    assert_eq!(answers.recv().unwrap(), [&server[..], b"pong"]);
}

#[test]
fn client_chooses_among_servers() {
    let _watchdog = watchdog();
    let servers = [(); 3].map(|()| Server::new(0).peer().unwrap());
    let mut client = Client::new();
    for (_, messages) in &servers {
        client.connect_local(messages.socket().port().unwrap());
    }
    let (send, _) = client.peer().unwrap();
    for (endpoint, (_, messages)) in client.addresses().iter().zip(&servers) {
        let id = send.socket().routing_id(endpoint).unwrap();
        send(&[&id, endpoint.as_bytes()]).unwrap();
        assert_eq!(messages.recv().unwrap()[1], endpoint.as_bytes());
    }
}

#[test]
fn queues_for_server_that_starts_later() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (send, _) = Client::new().connect_local(port).peer().unwrap();
    let id = send.socket().routing_id(format!("tcp://127.0.0.1:{port}")).unwrap();
    send(&[&id, b"early"]).unwrap();
    let (_, messages) = Server::new(port).peer().unwrap();
    assert_eq!(messages.recv().unwrap()[1], b"early");
}

#[test]
fn routing_id_needs_a_connection() {
    let _watchdog = watchdog();
    let (send, _) = Client::new().connect_local(5555).peer().unwrap();
    let socket = send.socket();
    let error = socket.routing_id("tcp://127.0.0.1:5556").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert!(error.to_string().ends_with("tcp://127.0.0.1:5555"), "{error}");

    socket.disconnect_local(5555).unwrap();
    assert_eq!(
        socket.routing_id("tcp://127.0.0.1:5555").unwrap_err().kind(),
        ErrorKind::NotConnected
    );
    drop(send);
    assert_eq!(
        socket.routing_id("tcp://127.0.0.1:5555").unwrap_err().kind(),
        ErrorKind::Closed
    );
}

#[test]
fn routing_id_is_for_peers() {
    let _watchdog = watchdog();
    let push = Client::new().connect_local(5555).push().unwrap();
    let error = push.socket().routing_id("tcp://127.0.0.1:5555").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn unknown_routing_id_is_an_error() {
    let _watchdog = watchdog();
    let (send, _) = Server::new(0).peer().unwrap();
    let error = send(&[b"\0\0\0\x01", b"text"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
}
