//! Iterating over messages and errors.

use std::time::Duration;

use crate::support::{client_of, push_and_pull, texts, watchdog};
use zeroless::{ErrorKind, Server};

#[test]
fn continues_after_timeout() {
    let _watchdog = watchdog();
    let pull = Server::new(0).timeout(Duration::from_millis(10)).pull().unwrap();
    let mut incoming = pull.incoming();
    for _ in 0..2 {
        let error = incoming.next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
    client_of(&pull).push().unwrap().send("late").unwrap();
    let message = incoming.find_map(Result::ok).unwrap();
    assert_eq!(texts(&message), ["late"]);
}

#[test]
fn continues_after_fault() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let (request, _replies) = client_of(&requests).request().unwrap();
    request(&[b"ask"]).unwrap();

    let mut incoming = requests.incoming();
    assert_eq!(texts(&incoming.next().unwrap().unwrap()), ["ask"]);
    let error = incoming.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfTurn);
    reply(&[b"answer"]).unwrap();
    requests.socket().close();
    assert!(incoming.next().is_none());
}

#[test]
fn ends_when_closed() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    push.send("last").unwrap();
    let mut messages = 0;
    for message in pull.incoming() {
        assert_eq!(texts(&message.unwrap()), ["last"]);
        messages += 1;
        pull.socket().close();
    }
    assert_eq!(messages, 1);
    assert!(pull.incoming().next().is_none());
}
