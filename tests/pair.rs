//! Pair: two ends that both send and receive as they like.

mod support;

use std::thread;

use support::{client_of, texts, watchdog};
use zeroless::{Client, ErrorKind, Server};

#[test]
fn both_ends_send_and_receive_as_they_like() {
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
fn one_thread_reads_what_another_answers() {
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
fn a_client_of_two_servers_is_no_pair() {
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
fn a_pair_takes_no_second_peer_while_running() {
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
fn a_pair_that_has_disconnected_takes_no_other_peer_either() {
    let _watchdog = watchdog();
    let (_say, hear) = Client::new().connect_local(5555).pair().unwrap();
    hear.socket().disconnect_all().unwrap();
    let error = hear.socket().connect_local(5556).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyConnected);
    assert!(error.to_string().contains("open a new pair"), "{error}");
}

#[test]
fn a_pair_of_a_client_without_an_address_can_be_given_one() {
    let _watchdog = watchdog();
    let (say, _hear) = Client::new().pair().unwrap();
    let (_answer, listen) = Server::new(0).pair().unwrap();
    say.socket().connect_local(listen.socket().port().unwrap()).unwrap();
    say(&[b"hello"]).unwrap();
    assert_eq!(texts(&listen.recv().unwrap()), ["hello"]);
}
