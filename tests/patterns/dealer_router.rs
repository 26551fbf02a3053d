//! Dealer and router.

use std::thread;
use std::time::Duration;

use crate::support::{self, client_of, texts, watchdog};
use zeroless::{Client, ErrorKind, Receiver, Sender, Server};

/// The queue is so small that a peer that does not read is soon full. Over `inproc` there are no other buffers.
fn small_router(name: &str) -> (Sender, Receiver) {
    Server::at(format!("inproc://{name}"))
        .high_water_mark(1)
        .router()
        .unwrap()
}

/// A dealer of this identity, which the router knows once this returns.
fn known_dealer(name: &str, identity: &str, messages: &Receiver) -> (Sender, Receiver) {
    let mut client = Client::new();
    client.connect_to(format!("inproc://{name}")).high_water_mark(1);
    let (say, hear) = client.identity(identity).dealer().unwrap();
    say(&[b"here"]).unwrap();
    assert_eq!(texts(&messages.recv().unwrap()), [identity, "here"]);
    (say, hear)
}

/// Sends to the peer until its queue is full.
fn fill(send: &Sender, identity: &str) {
    while send.try_send(&[identity, "filling"]).is_ok() {}
    let error = send.try_send(&[identity, "one more"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn router_replies_to_chosen_dealer() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).router().unwrap();
    let dealers: Vec<_> = (0..3).map(|_| client_of(&questions).dealer().unwrap()).collect();
    for (number, (ask, _)) in dealers.iter().enumerate() {
        // A dealer need not wait for a reply.
        ask.send(&[format!("first of {number}")]).unwrap();
        ask.send(&[format!("second of {number}"), String::new()]).unwrap();
    }
    for mut question in questions.iter().take(6) {
        question[1].splice(..0, *b"re: ");
        answer.send(&question).unwrap();
    }
    for (number, (_, answers)) in dealers.iter().enumerate() {
        assert_eq!(texts(&answers.recv().unwrap()), [format!("re: first of {number}")]);
        assert_eq!(
            texts(&answers.recv().unwrap()),
            [format!("re: second of {number}"), String::new()]
        );
    }
}

#[test]
fn dealer_alternates_between_routers() {
    let _watchdog = watchdog();
    let routers: Vec<_> = (0..2).map(|_| Server::new(0).router().unwrap()).collect();
    let mut client = Client::new();
    for (_, messages) in &routers {
        client.connect_local(messages.socket().port().unwrap());
    }
    let (deal, _) = client.dealer().unwrap();
    (0..10).for_each(|_| deal(&[b"card"]).unwrap());
    for (_, messages) in &routers {
        assert_eq!(messages.iter().take(5).count(), 5);
    }
}

#[test]
fn unknown_routing_id_is_error() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).router().unwrap();
    let (ask, answers) = client_of(&questions).dealer().unwrap();
    ask(&[b"question"]).unwrap();
    let question = questions.recv().unwrap();

    let error = answer.send(&["nobody", "hello"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert!(error.to_string().contains("\"nobody\""), "{error}");
    answer.send(&question).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"question"]);
}

#[test]
fn message_without_content_is_error() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).router().unwrap();
    let (ask, answers) = client_of(&questions).dealer().unwrap();
    ask(&[b"question"]).unwrap();
    let question = questions.recv().unwrap();

    for frames in [&[][..], &question[..1]] {
        assert_eq!(answer.send(frames).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    answer.send(&question).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"question"]);
}

#[test]
fn departed_peer_becomes_error() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).router().unwrap();
    let (ask, answers) = client_of(&questions).identity("guest").dealer().unwrap();
    ask(&[b"question"]).unwrap();
    questions.recv().unwrap();
    drop((ask, answers));
    support::wait_until(|| match answer.send(&["guest", "are you there?"]) {
        Ok(()) => false,
        Err(error) => error.kind() == ErrorKind::NotConnected,
    });
}

#[test]
fn returning_peer_is_known_at_once() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).timeout(Duration::from_secs(20)).router().unwrap();
    for round in 0..200 {
        let (ask, answers) = client_of(&questions).identity("worker 7").dealer().unwrap();
        ask.send(&[round.to_string()]).unwrap();
        let question = questions.recv().unwrap();
        assert_eq!(texts(&question), ["worker 7", &round.to_string()]);
        answer.send(&question).unwrap();
        assert_eq!(texts(&answers.recv().unwrap()), [round.to_string()]);
    }
}

#[test]
fn router_answers_request_with_its_envelope() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).router().unwrap();
    let (request, replies) = client_of(&questions).identity("me").request().unwrap();
    request(&[b"question", b"", b"with an empty frame"]).unwrap();
    let question = questions.recv().unwrap();
    assert_eq!(question[0], b"me");
    let end_of_envelope = question.iter().position(Vec::is_empty).unwrap();
    assert_eq!(
        question[end_of_envelope + 1..],
        [&b"question"[..], b"", b"with an empty frame"]
    );

    let (envelope, _) = question.split_at(end_of_envelope + 1);
    answer.send(&[envelope, &[b"answer".to_vec()]].concat()).unwrap();
    assert_eq!(replies.recv().unwrap(), [b"answer"]);
}

#[test]
fn dealer_asks_reply_socket_without_turns() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let (ask, answers) = client_of(&requests).dealer().unwrap();
    ask(&[b"", b"one"]).unwrap();
    ask(&[b"", b"two"]).unwrap();
    for request in requests.iter().take(2) {
        reply.send(&request).unwrap();
    }
    assert_eq!(texts(&answers.recv().unwrap()), ["", "one"]);
    assert_eq!(texts(&answers.recv().unwrap()), ["", "two"]);
}

#[test]
fn full_peer_blocks_until_timeout() {
    let _watchdog = watchdog();
    let (answer, questions) = small_router("waited-for");
    let (_slow, _unread) = known_dealer("waited-for", "slow", &questions);
    let (_quick, read) = known_dealer("waited-for", "quick", &questions);
    fill(&answer, "slow");
    let error = answer
        .send_timeout(&["slow", "x"], Duration::from_millis(30))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // Other peers are not affected.
    answer.send(&["quick", "hello"]).unwrap();
    assert_eq!(read.recv().unwrap(), [b"hello"]);
}

#[test]
fn full_peers_block_independently() {
    let _watchdog = watchdog();
    let (answer, questions) = small_router("two-peers");
    let (_silent, _unread) = known_dealer("two-peers", "silent", &questions);
    let (_late, read) = known_dealer("two-peers", "late", &questions);
    fill(&answer, "silent");
    fill(&answer, "late");

    thread::scope(|scope| {
        let waiting = scope.spawn(|| answer.send(&["silent", "never read"]));
        // It may wait before or behind the first one; both happen.
        let other = scope.spawn(|| answer.send(&["late", "last"]));
        assert!(read.iter().any(|message| message == [b"last"]));
        other.join().unwrap().unwrap();
        questions.socket().close();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
    });
}

#[test]
fn router_keeps_order_at_high_water_mark_1() {
    const MESSAGES: usize = 20_000;
    let _watchdog = watchdog();
    let (answer, questions) = small_router("flood");
    let (ask, answers) = known_dealer("flood", "peer", &questions);
    // Another peer, which has room, so that the router can always send.
    let (_idle, _unread) = known_dealer("flood", "idle", &questions);

    let numbers = |receiver: &Receiver| -> Vec<usize> {
        let number = |message: Vec<Vec<u8>>| texts(&message).last().unwrap().parse().unwrap();
        receiver.iter().take(MESSAGES).map(number).collect()
    };
    thread::scope(|scope| {
        scope.spawn(|| (0..MESSAGES).for_each(|number| answer.send(&["peer", &number.to_string()]).unwrap()));
        scope.spawn(|| (0..MESSAGES).for_each(|number| ask.send(&[number.to_string()]).unwrap()));
        let asked = scope.spawn(|| numbers(&questions));
        let answered = numbers(&answers);
        assert!(answered.into_iter().eq(0..MESSAGES));
        assert!(asked.join().unwrap().into_iter().eq(0..MESSAGES));
    });
}
