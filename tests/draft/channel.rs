//! Channel: a pair whose messages have one frame.

use crate::support::{client_of, texts, watchdog};
use zeroless::{Client, ErrorKind, Server};

#[test]
fn both_ends_send_and_receive() {
    let _watchdog = watchdog();
    let (say, mut hear) = Server::new(0).channel().unwrap();
    let (answer, mut listen) = client_of(&hear).channel().unwrap();
    say(&[b"1"]).unwrap();
    say(&[b""]).unwrap();
    answer(&[b"3"]).unwrap();
    assert_eq!(texts(&listen.next().unwrap()), ["1"]);
    assert_eq!(texts(&listen.next().unwrap()), [""]);
    assert_eq!(texts(&hear.next().unwrap()), ["3"]);
}

#[test]
fn refuses_two_frames() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).channel().unwrap();
    let (_answer, listen) = client_of(&hear).channel().unwrap();
    let error = say(&[b"one", b"two"]).unwrap_err();
    assert!(error.to_string().contains("a message has one frame"), "{error}");
    say(&[b"next"]).unwrap();
    assert_eq!(listen.recv().unwrap(), [b"next"]);
}

#[test]
fn refuses_second_peer() {
    let _watchdog = watchdog();
    let error = Client::new()
        .connect_local(5555)
        .connect_local(5556)
        .channel()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyConnected);
    assert!(error.to_string().contains("a channel has one peer"), "{error}");
}
