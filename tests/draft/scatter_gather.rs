//! Scatter/gather: each message goes to one gatherer.

use std::time::Duration;

use crate::support::{Folder, client_of, unused_port, watchdog};
use zeroless::{Client, ErrorKind, Receiver, Sender, Server};

fn scatter_and_gather() -> (Sender, Receiver) {
    let gather = Server::new(0).gather().unwrap();
    let scatter = client_of(&gather).scatter().unwrap();
    (scatter, gather)
}

#[test]
fn delivers_in_order() {
    let _watchdog = watchdog();
    let (scatter, mut gather) = scatter_and_gather();
    for text in ["Msg1", "", "Msg3"] {
        scatter(&[text.as_bytes()]).unwrap();
    }
    for text in ["Msg1", "", "Msg3"] {
        assert_eq!(gather.next().unwrap(), [text.as_bytes()]);
    }
}

#[test]
fn delivers_over_ipc_and_inproc() {
    let _watchdog = watchdog();
    let folder = Folder::new("scatter");
    for endpoint in [folder.ipc("gather"), "inproc://scatter".to_owned()] {
        let gather = Server::at(endpoint.clone()).gather().unwrap();
        let scatter = Client::new().connect_to(&endpoint).scatter().unwrap();
        scatter(&[b"hello"]).unwrap();
        assert_eq!(gather.recv().unwrap(), [b"hello"], "{endpoint}");
    }
}

#[test]
fn alternates_between_gatherers() {
    let _watchdog = watchdog();
    let servers = [(); 3].map(|()| Server::new(0).gather().unwrap());
    let mut client = Client::new();
    for server in &servers {
        client.connect_local(server.socket().port().unwrap());
    }
    let scatter = client.scatter().unwrap();
    (0..9).for_each(|number| scatter.send(&[number.to_string()]).unwrap());
    for server in &servers {
        assert_eq!(server.iter().take(3).count(), 3);
    }
}

#[test]
fn refuses_two_frames() {
    let _watchdog = watchdog();
    let (scatter, gather) = scatter_and_gather();
    let error = scatter(&[b"one", b"two"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("a message has one frame"), "{error}");
    scatter(&[b"next"]).unwrap();
    assert_eq!(gather.recv().unwrap(), [b"next"]);
}

#[test]
fn queues_for_server_that_starts_later() {
    let _watchdog = watchdog();
    let port = unused_port();
    let scatter = Client::new().connect_local(port).scatter().unwrap();
    scatter(&[b"early"]).unwrap();
    let gather = Server::new(port).gather().unwrap();
    assert_eq!(gather.recv().unwrap(), [b"early"]);
}

#[test]
fn server_waits_for_first_client() {
    let _watchdog = watchdog();
    let scatter = Server::new(0).scatter().unwrap();
    let error = scatter
        .send_timeout(&["too early"], Duration::from_millis(10))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn client_of_another_pattern_is_denied() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    crate::support::await_denial_of(&client_of(&pull).scatter().unwrap());
}
