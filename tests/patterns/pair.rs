//! Pair: two ends that both send and receive as they like.

use std::thread;

use crate::support::{client_of, texts, watchdog};
use zeroless::{Client, ErrorKind, Server};

#[test]
fn both_ends_send_and_receive() {
    let _watchdog = watchdog();
    let (say, mut hear) = Server::new(0).pair().unwrap();
    let (answer, mut listen) = client_of(&hear).pair().unwrap();
    say(&[b"1", b""]).unwrap();
    say(&[b"2"]).unwrap();
    answer(&[b"3"]).unwrap();
    assert_eq!(texts(&listen.next().unwrap()), ["1", ""]);
    assert_eq!(texts(&listen.next().unwrap()), ["2"]);
    assert_eq!(texts(&hear.next().unwrap()), ["3"]);
}

#[test]
fn keeps_order_between_threads() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).pair().unwrap();
    let (answer, listen) = client_of(&hear).pair().unwrap();
    thread::spawn(move || {
        for message in listen {
            answer.send(&message).unwrap();
        }
    });
    thread::scope(|scope| {
        scope.spawn(|| (0..10_000).for_each(|number| say.send(&[number.to_string()]).unwrap()));
        for (number, message) in hear.iter().take(10_000).enumerate() {
            assert_eq!(texts(&message), [number.to_string()], "in order");
        }
    });
}

#[test]
fn refuses_two_servers() {
    let error = Client::new()
        .connect_local(5555)
        .connect_local(5556)
        .pair()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyConnected);
    assert!(
        error.to_string().contains("5555") && error.to_string().contains("5556"),
        "{error}"
    );
}

#[test]
fn refuses_second_peer() {
    let _watchdog = watchdog();
    let (_say, hear) = Server::new(0).pair().unwrap();
    let (_answer, listen) = client_of(&hear).pair().unwrap();
    for socket in [hear.socket(), listen.socket()] {
        assert_eq!(
            socket.connect_local(5555).unwrap_err().kind(),
            ErrorKind::AlreadyConnected
        );
    }
}

#[test]
fn refuses_other_peer_after_disconnect() {
    let _watchdog = watchdog();
    let (_say, hear) = Client::new().connect_local(5555).pair().unwrap();
    hear.socket().disconnect_all().unwrap();
    let error = hear.socket().connect_local(5556).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyConnected);
    assert!(error.to_string().contains("open a new pair"), "{error}");
}

#[test]
fn connects_later() {
    let _watchdog = watchdog();
    let (say, _hear) = Client::new().pair().unwrap();
    let (_answer, listen) = Server::new(0).pair().unwrap();
    say.socket().connect_local(listen.socket().port().unwrap()).unwrap();
    say(&[b"hello"]).unwrap();
    assert_eq!(texts(&listen.recv().unwrap()), ["hello"]);
}
