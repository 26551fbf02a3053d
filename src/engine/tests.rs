//! Tests of what cannot be observed from outside: the rules 3, 4, 6, 7 and 8, cancelling, and the detection of
//! refusals. The tests in `tests/lifecycle` check the other rules.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::thread;
use std::time::{Duration, Instant};

use zmq::{POLLIN, POLLOUT, PollEvents};

use super::denial::DENIED;
use super::gate::{Pollable, WaiterState};
use super::wire::Fate;
use super::*;
use crate::message::Message;

const SOON: Duration = Duration::from_secs(30);

/// A wire that is bound, and its endpoint.
fn bound_wire(context: &zmq::Context, pattern: Pattern, configure: impl Fn(&zmq::Socket)) -> (Wire, String) {
    let socket = context.socket(pattern.properties().socket_type).unwrap();
    socket.set_linger(0).unwrap();
    configure(&socket);
    let mut wire = Wire::new(socket, pattern);
    wire.bind("tcp://127.0.0.1:*").unwrap();
    let endpoint = wire.socket.get_last_endpoint().unwrap().unwrap();
    (wire, endpoint)
}

/// A peer in a context of its own, so that it can vanish from one moment to the next.
fn peer(socket_type: zmq::SocketType, endpoint: &str) -> zmq::Socket {
    let socket = zmq::Context::new().socket(socket_type).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_rcvtimeo(SOON.as_millis() as i32).unwrap();
    socket.connect(endpoint).unwrap();
    socket
}

/// Waits until the socket is ready for these events.
fn wait_for(wire: &Wire, events: PollEvents) {
    assert_eq!(
        wire.socket.poll(events, SOON.as_millis() as i64).unwrap(),
        1,
        "the peer has not connected"
    );
}

/// A frame that makes the peer vanish when it is about to be sent.
struct Vanishing<'a> {
    peer: &'a RefCell<Option<zmq::Socket>>,
    fd: RawFd,
    /// How many times the frame has been read. The first time is for its length.
    looks: Cell<u32>,
}

enum Frame<'a> {
    Plain(&'static [u8]),
    Vanishing(Vanishing<'a>),
}

impl AsRef<[u8]> for Frame<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Frame::Plain(bytes) => bytes,
            Frame::Vanishing(frame) => {
                frame.looks.set(frame.looks.get() + 1);
                if frame.looks.get() == 2 {
                    frame.vanish();
                }
                b"while the peer vanishes"
            }
        }
    }
}

impl Vanishing<'_> {
    /// Ends the peer, and waits until the next send certainly notices.
    fn vanish(&self) {
        drop(self.peer.take());
        let told = zmq::poll(&mut [zmq::PollItem::from_fd(self.fd, POLLIN)], SOON.as_millis() as i64);
        assert_eq!(told.unwrap(), 1, "libzmq reports that the peer has gone");
        // A send processes events once in three million CPU ticks; this takes longer.
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(20) {}
    }
}

/// Makes the peer of a wire vanish before frame number `frame` of three; returns the wire and a new peer.
fn wire_after_torn_message(pattern: Pattern, peer_type: zmq::SocketType, frame: usize) -> (Wire, zmq::Socket) {
    let context = zmq::Context::new();
    loop {
        let set_options = pattern.properties().set_options;
        let (mut wire, endpoint) = bound_wire(&context, pattern, |socket| set_options(socket).unwrap());
        let first_peer = RefCell::new(Some(peer(peer_type, &endpoint)));
        wait_for(&wire, POLLOUT);

        let mut frames = [Frame::Plain(b"a"), Frame::Plain(b"b"), Frame::Plain(b"c")];
        let fd = wire.socket.get_fd().unwrap();
        frames[frame] = Frame::Vanishing(Vanishing {
            peer: &first_peer,
            fd,
            looks: Cell::new(0),
        });
        match wire.try_send(&frames) {
            // Sometimes libzmq removes the peer before it reads the frame, and silently drops the rest.
            Ok(()) => continue,
            Err(error) => assert_eq!(error, zmq::Error::EAGAIN),
        }

        let second_peer = peer(peer_type, &endpoint);
        wait_for(&wire, POLLOUT);
        return (wire, second_peer);
    }
}

fn assert_next_messages_are_whole(pattern: Pattern, peer_type: zmq::SocketType) {
    for frame in [1, 2] {
        let (mut wire, peer) = wire_after_torn_message(pattern, peer_type, frame);
        for message in [vec!["x", "y", "z"], vec!["end"]] {
            wire.try_send(&message).unwrap();
            let received = peer.recv_multipart(0).expect("the message has arrived");
            assert_eq!(
                received,
                message.iter().map(|frame| frame.as_bytes()).collect::<Vec<_>>()
            );
            if pattern == Pattern::Request {
                peer.send("the reply", 0).unwrap();
            }
        }
    }
}

#[test]
fn push_sends_whole_messages_after_a_torn_one() {
    assert_next_messages_are_whole(Pattern::Push, zmq::PULL);
}

#[test]
fn request_sends_whole_messages_after_a_torn_one() {
    assert_next_messages_are_whole(Pattern::Request, zmq::REP);
}

#[test]
fn dealer_sends_whole_messages_after_a_torn_one() {
    assert_next_messages_are_whole(Pattern::Dealer, zmq::DEALER);
}

#[test]
fn pair_sends_whole_messages_after_a_torn_one() {
    assert_next_messages_are_whole(Pattern::Pair, zmq::PAIR);
}

#[test]
fn sends_at_once_when_the_queue_was_just_emptied() {
    let context = zmq::Context::new();
    let push = context.socket(zmq::PUSH).unwrap();
    push.set_sndhwm(1).unwrap();
    let mut wire = Wire::new(push, Pattern::Push);
    wire.bind("inproc://emptied").unwrap();
    let pull = context.socket(zmq::PULL).unwrap();
    pull.set_rcvhwm(1).unwrap();
    pull.connect("inproc://emptied").unwrap();
    wait_for(&wire, POLLOUT);

    // Many rounds, in less time than a send without rule 3 takes to process events once.
    for _ in 0..1_000 {
        while wire.try_send(&["full"]).is_ok() {}
        while pull.recv_bytes(zmq::DONTWAIT).is_ok() {}
        assert_eq!(wire.try_send(&["room"]), Ok(()));
    }
}

/// A server, and its endpoint.
fn open(pattern: Pattern) -> (Engine, String) {
    let spec = SocketSpec {
        pattern,
        binds: &["tcp://127.0.0.1:*".to_owned()],
        connects: &[],
        topics: Vec::new(),
        options: &Options::default(),
    };
    let engine = Engine::open(spec).unwrap();
    let endpoint = engine.bound().remove(0);
    (engine, endpoint)
}

#[test]
fn wakes_for_a_message_between_the_attempt_and_the_sleep() {
    let (engine, endpoint) = open(Pattern::Pull);
    let push = peer(zmq::PUSH, &endpoint);
    // After the first message, the only further event is the next message.
    push.send("the first", 0).unwrap();
    let mut message = Message::new();
    engine.receive(&mut message, Wait::For(SOON)).unwrap();
    // As if a thread waited to send, too: waking it processes all events.
    engine.gate.lock().waiters[Direction::Sending as usize]
        .announce()
        .unwrap();

    let mut attempts = 0;
    let started = Instant::now();
    let outcome = engine.gate.run_blocking(
        Direction::Receiving,
        Wait::For(SOON),
        || None,
        |wire| {
            let outcome = wire.try_receive(&mut message);
            attempts += 1;
            if attempts == 1 {
                push.send("just then", 0).unwrap();
                let told = zmq::poll(
                    &mut [zmq::PollItem::from_fd(engine.gate.descriptor, POLLIN)],
                    SOON.as_millis() as i64,
                );
                assert_eq!(told, Ok(1), "the message has arrived");
            }
            outcome
        },
    );
    assert!(outcome.is_ok());
    assert_eq!(message, [b"just then"]);
    assert!(
        started.elapsed() < SOON / 2,
        "the thread slept although a message was there, until its deadline"
    );
}

#[test]
fn waits_for_a_full_peer_although_another_has_room() {
    let context = SharedContext::get("").unwrap();
    let options = Options {
        high_water_mark: Some(1),
        ..Options::default()
    };
    let engine = Engine::open(SocketSpec {
        pattern: Pattern::Router,
        binds: &["inproc://rests".to_owned()],
        connects: &[],
        topics: Vec::new(),
        options: &options,
    })
    .unwrap();
    let _peers = ["full", "with room"].map(|identity| {
        let peer = context.socket(Pattern::Dealer.properties()).unwrap();
        peer.set_identity(identity.as_bytes()).unwrap();
        peer.set_rcvhwm(1).unwrap();
        peer.connect("inproc://rests").unwrap();
        peer
    });
    engine.send(&[b"with room", b"x"], Wait::For(SOON)).unwrap();
    while engine.send(&[b"full", b"x"], Wait::Never).is_ok() {}

    let mut attempts = 0;
    let time = Duration::from_millis(300);
    let interval = engine.send_retry_interval();
    let outcome = engine.gate.run_blocking(
        Direction::Sending,
        Wait::For(time),
        || interval,
        |wire| {
            attempts += 1;
            wire.try_send(&["full", "y"])
        },
    );
    assert!(matches!(outcome, Err(GateError::NotReady)));
    assert!(attempts <= 60, "in {time:?}, {attempts} attempts were made");
}

/// Receives one message.
fn receive(engine: &Engine, wait: Wait<'_>) -> Result<Message> {
    let mut message = Message::new();
    engine.receive(&mut message, wait)?;
    Ok(message)
}

/// Lets two threads wait for a message: one polls, and one waits for the poll lock, if `in_time`. Cancels them, runs
/// `then`, and asserts that they return at once and take no message.
fn cancel_two(engine: &Engine, in_time: bool, then: impl FnOnce()) {
    let cancel = &Cancel::default();
    let started = Instant::now();
    thread::scope(|scope| {
        let waiting = [(); 2].map(|()| scope.spawn(|| receive(engine, Wait::Until(cancel, Some(SOON)))));
        let poll_lock = &engine.gate.poll_locks[Direction::Receiving as usize];
        while in_time && !poll_lock.has_waiting_thread() {
            thread::yield_now();
        }
        engine.cancel(cancel);
        then();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
        }
    });
    assert!(started.elapsed() < SOON / 2, "they waited until the deadline");
}

#[test]
fn cancel_wakes_polling_and_queued_threads() {
    let (engine, _) = open(Pattern::Pull);
    for round in 0..200 {
        cancel_two(&engine, round % 2 == 0, || {});
    }
}

#[test]
fn cancel_wakes_a_thread_queued_behind_one_that_waits_on() {
    let (engine, _) = open(Pattern::Pull);
    let (first, second) = (&Cancel::default(), &Cancel::default());
    let poll_lock = &engine.gate.poll_locks[Direction::Receiving as usize];
    thread::scope(|scope| {
        let take = |cancel| receive(&engine, Wait::Until(cancel, Some(SOON)));
        let waiting = scope.spawn(move || take(first));
        while engine.gate.lock().waiters[Direction::Receiving as usize].state == WaiterState::Idle {
            thread::yield_now();
        }
        let queued = scope.spawn(move || take(second));
        while !poll_lock.has_waiting_thread() {
            thread::yield_now();
        }
        let started = Instant::now();
        engine.cancel(second);
        assert!(queued.join().unwrap().is_err());
        assert!(started.elapsed() < SOON / 2, "it waited until the deadline");
        assert!(!waiting.is_finished());
        engine.cancel(first);
    });
}

#[test]
fn cancelled_thread_takes_no_later_message() {
    let (engine, endpoint) = open(Pattern::Pull);
    let push = peer(zmq::PUSH, &endpoint);
    for round in 0..200 {
        cancel_two(&engine, round % 2 == 0, || push.send("afterwards", 0).unwrap());
        assert_eq!(receive(&engine, Wait::For(SOON)).unwrap(), [b"afterwards"]);
    }
}

#[test]
fn hands_large_frames_over_only_when_there_is_room() {
    let context = zmq::Context::new();
    let (mut wire, endpoint) = bound_wire(&context, Pattern::Push, |socket| socket.set_sndhwm(1).unwrap());
    let frames = || [vec![b'x'; 100_000], b"small".to_vec(), vec![b'y'; 100_000]].map(zmq::Message::from);
    // Without a peer, nothing is handed over.
    let mut waiting = frames();
    assert_eq!(wire.try_pass_on(&mut waiting), Err(zmq::Error::EAGAIN));
    assert_eq!(waiting, frames());

    let pull = peer(zmq::PULL, &endpoint);
    wait_for(&wire, POLLOUT);
    wire.try_pass_on(&mut waiting).unwrap();
    assert!(
        waiting[0].is_empty() && waiting[2].is_empty(),
        "they were handed over, not copied"
    );
    assert_eq!(&*waiting[1], b"small");
    let received: Vec<zmq::Message> = pull.recv_multipart(0).unwrap().into_iter().map(Into::into).collect();
    assert_eq!(received, frames());
}

#[test]
fn no_thread_polls_when_close_returns() {
    // Keeps the context, or the wait for its end would hide that closing did not wait for the threads.
    let _context = SharedContext::get("").unwrap();
    for _ in 0..200 {
        let (engine, _) = &open(Pattern::Pull);
        let waits = || engine.gate.lock().waiters[Direction::Receiving as usize].state == WaiterState::Waiting;
        thread::scope(|scope| {
            let waiting = [(); 3].map(|()| scope.spawn(|| engine.receive(&mut Message::new(), Wait::Forever)));
            while !waits() {
                thread::yield_now();
            }
            engine.close();
            // A thread that stops polling withdraws its announcement.
            assert!(
                engine
                    .gate
                    .lock()
                    .waiters
                    .iter()
                    .all(|waiter| waiter.state == WaiterState::Idle)
            );
            for waiting in waiting {
                assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
            }
        });
    }
}

#[test]
fn publisher_that_only_sends_reads_subscriptions() {
    let (engine, endpoint) = open(Pattern::Publish);
    let news = peer(zmq::SUB, &endpoint);
    (0..1_000).for_each(|topic| news.set_subscribe(topic.to_string().as_bytes()).unwrap());
    let started = Instant::now();
    while engine.gate.inspect(Wire::subscriptions_arrived).unwrap() < 1_000 {
        engine.send(&[b"x"], Wait::Forever).unwrap();
        assert!(started.elapsed() < SOON, "the subscriptions are not read");
    }
}

#[test]
fn client_without_a_queue_is_denied() {
    const NOWHERE: &str = "tcp://127.0.0.1:9";
    let context = zmq::Context::new();
    let mut wire = Wire::new(context.socket(zmq::DEALER).unwrap(), Pattern::Dealer);
    wire.connect(NOWHERE).unwrap();
    assert_eq!(wire.events(), Ok(POLLOUT));
    // Without the wire, as libzmq does when a server refuses the client.
    wire.socket.disconnect(NOWHERE).unwrap();
    assert_eq!(wire.events(), Ok(PollEvents::all()));
    assert_eq!(wire.try_send(&[b"to nobody"]), Err(DENIED));
    assert_eq!(wire.try_find_room(), Err(DENIED));
    assert_eq!(wire.try_receive(&mut Message::new()), Err(DENIED));
    assert_eq!(wire.try_receive(&mut Vec::<zmq::Message>::new()).map(drop), Err(DENIED));
}

#[test]
fn full_or_missing_queues_are_no_denial() {
    const NOWHERE: &str = "tcp://127.0.0.1:9";
    let context = zmq::Context::new();
    let socket = context.socket(zmq::DEALER).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_sndhwm(2).unwrap();
    let mut wire = Wire::new(socket, Pattern::Dealer);
    wire.connect(NOWHERE).unwrap();
    wire.try_send(&[b"one"]).unwrap();
    wire.try_send(&[b"two"]).unwrap();
    assert_eq!(wire.try_send(&[b"three"]), Err(zmq::Error::EAGAIN));

    let socket = context.socket(zmq::DEALER).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_sndhwm(3).unwrap();
    let mut wire = Wire::new(socket, Pattern::Dealer);
    wire.connect(NOWHERE).unwrap();
    // Each way to send counts: from a proxy, in frames, and large.
    wire.try_pass_on(&mut [zmq::Message::from("one")]).unwrap();
    wire.try_pass_on(&mut [zmq::Message::from(vec![0; 100_000])]).unwrap();
    wire.try_send(&[&vec![0; 100_000][..], b"three"]).unwrap();
    assert_eq!(wire.try_send(&[b"four"]), Err(zmq::Error::EAGAIN));

    let socket = context.socket(zmq::DEALER).unwrap();
    socket.set_immediate(true).unwrap();
    let mut wire = Wire::new(socket, Pattern::Dealer);
    wire.connect(NOWHERE).unwrap();
    assert_eq!(wire.try_send(&[b"one"]), Err(zmq::Error::EAGAIN));

    let mut wire = Wire::new(context.socket(zmq::DEALER).unwrap(), Pattern::Dealer);
    wire.connect(NOWHERE).unwrap();
    wire.socket.disconnect(NOWHERE).unwrap();
    wire.bind("inproc://other-peers").unwrap();
    assert_eq!(
        wire.try_send(&[b"one"]),
        Err(zmq::Error::EAGAIN),
        "a client may connect"
    );
}

/// A wire that is connected to this endpoint, with this high-water mark.
fn pushing_wire(context: &zmq::Context, endpoint: &str, mark: i32) -> Wire {
    let socket = context.socket(zmq::PUSH).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_sndhwm(mark).unwrap();
    let mut wire = Wire::new(socket, Pattern::Push);
    wire.connect(endpoint).unwrap();
    wire
}

#[test]
fn acceptance_is_certain_once_all_messages_are_taken() {
    let context = zmq::Context::new();
    let pull = context.socket(zmq::PULL).unwrap();
    pull.set_rcvtimeo(SOON.as_millis() as i32).unwrap();
    pull.bind("tcp://127.0.0.1:*").unwrap();
    let endpoint = pull.get_last_endpoint().unwrap().unwrap();
    for mark in [0, 2, 3, 7, 100] {
        for count in (1..40).filter(|&count| mark == 0 || count < mark) {
            let mut wire = pushing_wire(&context, &endpoint, mark);
            (0..count).for_each(|_| wire.try_send(&["x"]).unwrap());
            (0..count).for_each(|_| drop(pull.recv_msg(0).unwrap()));
            let fate = wire.fate().unwrap();
            assert!(matches!(fate, Fate::Unknown), "{count} messages, mark {mark}");
        }
    }
}

#[test]
fn client_without_a_server_is_not_accepted() {
    let context = zmq::Context::new();
    for (mark, count) in [(0, 1), (0, 5_000), (2, 1), (3, 2), (1_000, 999)] {
        let mut wire = pushing_wire(&context, "tcp://127.0.0.1:9", mark);
        (0..count).for_each(|_| wire.try_send(&["x"]).unwrap());
        let fate = wire.fate().unwrap();
        assert!(
            matches!(fate, Fate::Unaccepted(lost) if lost == count),
            "{count} messages, mark {mark}"
        );
    }
}

#[test]
fn queue_holds_as_many_messages_as_the_user_has_set() {
    let context = zmq::Context::new();
    for mark in [1, 2, 3, 5, 1_000] {
        let fill = |wire: &mut Wire| (0..).take_while(|_| wire.try_send(&["x"]).is_ok()).count();
        let mut wire = pushing_wire(&context, "tcp://127.0.0.1:9", mark);
        assert_eq!(fill(&mut wire), mark as usize);

        let mut wire = pushing_wire(&context, "tcp://127.0.0.1:9", mark);
        wire.connect("tcp://127.0.0.1:10").unwrap();
        assert_eq!(fill(&mut wire), 2 * mark as usize);

        let mut wire = pushing_wire(&context, "tcp://127.0.0.1:9", mark);
        wire.disconnect("tcp://127.0.0.1:9").unwrap();
        wire.connect("tcp://127.0.0.1:10").unwrap();
        assert_eq!(fill(&mut wire), mark as usize);
    }
}
