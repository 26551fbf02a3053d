//! Request/reply: questions and answers, in turns.

use std::thread;
use std::time::Duration;

use crate::support::{self, client_of, client_of_sender, texts, watchdog};
use zeroless::{ErrorKind, Receiver, Sender, Server};

/// Replies to each request with its own frames, until closed.
fn echo(reply: Sender, requests: Receiver) {
    for request in requests {
        reply.send(&request).unwrap();
    }
}

#[test]
fn returns_reply() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let (request, mut replies) = client_of(&requests).request().unwrap();
    thread::spawn(|| echo(reply, requests));
    for number in 0..100 {
        request.send(&[format!("question {number}"), String::new()]).unwrap();
        assert_eq!(texts(&replies.next().unwrap()), [&format!("question {number}"), ""]);
    }
}

#[test]
fn server_requests_from_client() {
    let _watchdog = watchdog();
    let (request, mut replies) = Server::new(0).request().unwrap();
    let (reply, requests) = client_of_sender(&request).reply().unwrap();
    thread::spawn(|| echo(reply, requests));
    request(&[b"question"]).unwrap();
    assert_eq!(texts(&replies.next().unwrap()), ["question"]);
}

#[test]
fn each_client_gets_its_own_replies() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let client = client_of(&requests);
    thread::spawn(|| echo(reply, requests));
    thread::scope(|scope| {
        for asker in 0..4 {
            let (request, mut replies) = client.request().unwrap();
            scope.spawn(move || {
                for number in 0..200 {
                    let question = format!("{asker} {number}");
                    request.send(&[&question]).unwrap();
                    assert_eq!(texts(&replies.next().unwrap()), [question]);
                }
            });
        }
    });
}

#[test]
fn retry_gets_no_stale_reply() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let (request, mut replies) = client_of(&requests)
        .timeout(Duration::from_millis(50))
        .request()
        .unwrap();

    for round in 0..20 {
        let (first, second) = (format!("first of {round}"), format!("second of {round}"));
        request.send(&[&first]).unwrap();
        assert_eq!(replies.next(), None, "no one has replied yet");
        assert_eq!(texts(&requests.recv().unwrap()), [first.as_str()]);

        // Both replies are in transit after the second request; only one of them answers it.
        request.send(&[&second]).unwrap();
        reply.send(&[&first]).unwrap();
        assert_eq!(texts(&requests.recv().unwrap()), [second.as_str()]);
        reply.send(&[&second]).unwrap();
        let received = loop {
            match replies.recv() {
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                outcome => break outcome.unwrap(),
            }
        };
        assert_eq!(texts(&received), [second]);
    }
}

#[test]
fn retry_reaches_restarted_server() {
    let _watchdog = watchdog();
    let port = support::unused_port();
    let (reply, requests) = Server::new(port).reply().unwrap();
    let (request, replies) = client_of(&requests)
        .timeout(Duration::from_millis(100))
        .request()
        .unwrap();
    request(&[b"lost"]).unwrap();
    requests.recv().unwrap();
    drop((reply, requests)); // with the request in hand

    assert_eq!(replies.recv().unwrap_err().kind(), ErrorKind::TimedOut);
    let (reply, requests) = Server::new(port).reply().unwrap();
    let restarted = requests.socket();
    // It replies to each request, because a reply may take longer than the client waits.
    let server = thread::spawn(move || requests.iter().for_each(|request| drop(reply.send(&request))));
    let received = loop {
        request(&[b"again"]).unwrap();
        if let Ok(received) = replies.recv() {
            break received;
        }
    };
    assert_eq!(texts(&received), ["again"]);
    restarted.close();
    server.join().unwrap();
}

#[test]
fn reply_without_request_is_out_of_turn() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    assert_eq!(reply(&[b"to what?"]).unwrap_err().kind(), ErrorKind::OutOfTurn);

    // It does no harm: the next request is replied to.
    let (request, replies) = client_of(&requests).request().unwrap();
    request(&[b"question"]).unwrap();
    requests.recv().unwrap();
    reply(&[b"answer"]).unwrap();
    assert_eq!(reply(&[b"another answer"]).unwrap_err().kind(), ErrorKind::OutOfTurn);
    assert_eq!(texts(&replies.recv().unwrap()), ["answer"]);
}

#[test]
fn second_request_before_reply_is_out_of_turn() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let (request, _replies) = client_of(&requests).request().unwrap();
    request(&[b"question"]).unwrap();
    requests.recv().unwrap();
    let error = requests.recv().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfTurn);
    assert!(error.to_string().contains("send one reply"), "{error}");
    reply(&[b"answer"]).unwrap();
}

#[test]
fn receiving_without_request_is_out_of_turn() {
    let _watchdog = watchdog();
    let (_reply, requests) = Server::new(0).reply().unwrap();
    let (_request, mut replies) = client_of(&requests).request().unwrap();
    let error = replies.recv().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfTurn);
    assert!(error.to_string().contains("send one first"), "{error}");
    assert_eq!(replies.next(), None);
}

#[test]
fn reply_to_departed_client_is_dropped() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let client = client_of(&requests);
    let (request, replies) = client.request().unwrap();
    request(&[b"question"]).unwrap();
    requests.recv().unwrap();
    drop((request, replies));
    reply(&[b"to no one"]).unwrap();

    let (request, replies) = client.request().unwrap();
    request(&[b"the next"]).unwrap();
    assert_eq!(texts(&requests.recv().unwrap()), ["the next"]);
    reply(&[b"to someone"]).unwrap();
    assert_eq!(texts(&replies.recv().unwrap()), ["to someone"]);
}
