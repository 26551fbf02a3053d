//! The rules that cannot be told from outside: 3, 4, 6 and 7. `tests/threads.rs` has the others.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::thread;
use std::time::{Duration, Instant};

use zmq::{POLLIN, POLLOUT, PollEvents};

use super::gate::{Device, Flag};
use super::wire::{DENIED, Wire};
use super::*;
use crate::recipe::Options;

const SOON: Duration = Duration::from_secs(30);

/// A wire that is bound, and the endpoint to reach it at.
fn bound_wire(context: &zmq::Context, kind: Kind, configure: impl Fn(&zmq::Socket)) -> (Wire, String) {
    let socket = context.socket(kind.socket_type()).unwrap();
    socket.set_linger(0).unwrap();
    configure(&socket);
    socket.bind("tcp://127.0.0.1:*").unwrap();
    let endpoint = socket.get_last_endpoint().unwrap().unwrap();
    (Wire::new(socket, kind), endpoint)
}

/// A peer in a context of its own, so that it can be gone from one moment to the next.
fn peer(socket_type: zmq::SocketType, endpoint: &str) -> zmq::Socket {
    let socket = zmq::Context::new().socket(socket_type).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_rcvtimeo(SOON.as_millis() as i32).unwrap();
    socket.connect(endpoint).unwrap();
    socket
}

/// Waits until the socket is ready for this.
fn wait_for(wire: &Wire, events: PollEvents) {
    assert_eq!(
        wire.socket.poll(events, SOON.as_millis() as i64).unwrap(),
        1,
        "the peer has not come"
    );
}

/// A message of which the peer vanishes while the frame after the first, or the last, is about to be sent.
struct Vanishing<'a> {
    peer: &'a RefCell<Option<zmq::Socket>>,
    fd: RawFd,
    /// How many times the frame has been looked at. The first time is for its length.
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
    /// Ends the peer, and waits until the next send cannot but notice.
    fn vanish(&self) {
        drop(self.peer.take());
        let told = zmq::poll(&mut [zmq::PollItem::from_fd(self.fd, POLLIN)], SOON.as_millis() as i64);
        assert_eq!(told.unwrap(), 1, "the socket is told that its peer is gone");
        // A send looks at what has happened once in three million ticks of the CPU; these are more.
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(20) {}
    }
}

/// Has the peer of a wire vanish before the given frame of three, and returns the wire and a new peer of it.
fn after_a_peer_has_vanished(kind: Kind, peer_type: zmq::SocketType, frame: usize) -> (Wire, zmq::Socket) {
    let context = zmq::Context::new();
    loop {
        let (mut wire, endpoint) = bound_wire(&context, kind, |socket| {
            if kind == Kind::Request {
                socket.set_req_relaxed(true).unwrap();
                socket.set_req_correlate(true).unwrap();
            }
        });
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
            // Now and then libzmq is done with the peer before it looks at the frame, and drops the rest in silence.
            Ok(()) => continue,
            Err(error) => assert_eq!(error, zmq::Error::EAGAIN),
        }

        let second_peer = peer(peer_type, &endpoint);
        wait_for(&wire, POLLOUT);
        return (wire, second_peer);
    }
}

fn the_next_messages_are_whole(kind: Kind, peer_type: zmq::SocketType) {
    for frame in [1, 2] {
        let (mut wire, peer) = after_a_peer_has_vanished(kind, peer_type, frame);
        for message in [vec!["x", "y", "z"], vec!["end"]] {
            wire.try_send(&message).unwrap();
            let received = peer.recv_multipart(0).expect("the message has come");
            assert_eq!(
                received,
                message.iter().map(|frame| frame.as_bytes()).collect::<Vec<_>>()
            );
            if kind == Kind::Request {
                peer.send("the reply", 0).unwrap();
            }
        }
    }
}

#[test]
fn a_pusher_whose_peer_vanishes_in_the_middle_of_a_message_sends_the_next_whole() {
    the_next_messages_are_whole(Kind::Push, zmq::PULL);
}

#[test]
fn a_requester_whose_peer_vanishes_in_the_middle_of_a_message_sends_the_next_whole() {
    the_next_messages_are_whole(Kind::Request, zmq::REP);
}

#[test]
fn a_dealer_whose_peer_vanishes_in_the_middle_of_a_message_sends_the_next_whole() {
    the_next_messages_are_whole(Kind::Dealer, zmq::DEALER);
}

#[test]
fn a_pair_whose_peer_vanishes_in_the_middle_of_a_message_sends_the_next_whole() {
    the_next_messages_are_whole(Kind::Pair, zmq::PAIR);
}

#[test]
fn a_queue_that_has_just_emptied_takes_a_message_at_once() {
    let context = zmq::Context::new();
    let push = context.socket(zmq::PUSH).unwrap();
    push.set_sndhwm(1).unwrap();
    push.bind("inproc://emptied").unwrap();
    let pull = context.socket(zmq::PULL).unwrap();
    pull.set_rcvhwm(1).unwrap();
    pull.connect("inproc://emptied").unwrap();
    let mut wire = Wire::new(push, Kind::Push);
    wait_for(&wire, POLLOUT);

    // Many times over, in less time than a send without rule 3 takes to look once.
    for _ in 0..1_000 {
        while wire.try_send(&["full"]).is_ok() {}
        while pull.recv_bytes(zmq::DONTWAIT).is_ok() {}
        assert_eq!(wire.try_send(&["room"]), Ok(()));
    }
}

/// A server, and the endpoint to reach it at.
fn open(kind: Kind) -> (Engine, String) {
    let plan = Plan {
        kind,
        binds: &["tcp://127.0.0.1:*".to_owned()],
        connects: &[],
        topics: Vec::new(),
        options: &Options::default(),
    };
    let engine = Engine::open(plan).unwrap();
    let endpoint = engine.bound().remove(0);
    (engine, endpoint)
}

#[test]
fn a_message_that_comes_between_an_attempt_and_the_sleep_wakes_the_thread() {
    let (engine, endpoint) = open(Kind::Pull);
    let push = peer(zmq::PUSH, &endpoint);
    // Once there has been a message, all that happens to the socket is that there is another.
    push.send("the first", 0).unwrap();
    let mut message = Message::new();
    engine.receive(&mut message, Patience::For(SOON)).unwrap();
    // As if a thread waited to send as well: settling for it takes notice of all that has happened.
    engine.gate.lock().lanes[Direction::Sending as usize].raise().unwrap();

    let mut attempts = 0;
    let started = Instant::now();
    let outcome = engine.gate.operate(
        Direction::Receiving,
        Patience::For(SOON),
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
                assert_eq!(told, Ok(1), "the message has come");
            }
            outcome
        },
    );
    assert!(outcome.is_ok());
    assert_eq!(message, [b"just then"]);
    assert!(
        started.elapsed() < SOON / 2,
        "the thread has slept beside a message, and found it at the deadline"
    );
}

#[test]
fn a_thread_that_waits_for_a_full_peer_rests_though_another_peer_has_room() {
    let context = SharedContext::get("").unwrap();
    let options = Options {
        high_water_mark: Some(1),
        ..Options::default()
    };
    let engine = Engine::open(Plan {
        kind: Kind::Router,
        binds: &["inproc://rests".to_owned()],
        connects: &[],
        topics: Vec::new(),
        options: &options,
    })
    .unwrap();
    let _peers = ["full", "with room"].map(|identity| {
        let peer = context.socket(zmq::DEALER).unwrap();
        peer.set_identity(identity.as_bytes()).unwrap();
        peer.set_rcvhwm(1).unwrap();
        peer.connect("inproc://rests").unwrap();
        peer
    });
    engine.send(&[b"with room", b"x"], Patience::For(SOON)).unwrap();
    while engine.send(&[b"full", b"x"], Patience::None).is_ok() {}

    let mut attempts = 0;
    let time = Duration::from_millis(300);
    let slice = engine.slice_of_sending();
    let outcome = engine.gate.operate(
        Direction::Sending,
        Patience::For(time),
        || slice,
        |wire| {
            attempts += 1;
            wire.try_send(&["full", "y"])
        },
    );
    assert!(matches!(outcome, Err(Halt::Unready)));
    assert!(attempts <= 60, "in {time:?}, {attempts} attempts were made");
}

/// Has two threads wait to take a message: one at the descriptors and one that queues behind it, if they are given
/// the time. Cancels, does something, and asserts that they end at once and take nothing.
fn cancel_two(engine: &Engine, in_time: bool, then: impl FnOnce()) {
    let cancel = &Cancel::default();
    let started = Instant::now();
    thread::scope(|scope| {
        let waiting = [(); 2].map(|()| scope.spawn(|| engine.take(Patience::Until(cancel, Some(SOON)))));
        let turnstile = &engine.gate.turnstiles[Direction::Receiving as usize];
        while in_time && !turnstile.is_queued_at() {
            thread::yield_now();
        }
        engine.cancel(cancel);
        then();
        for waiting in waiting {
            assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
        }
    });
    assert!(started.elapsed() < SOON / 2, "they have waited until the deadline");
}

#[test]
fn cancelling_ends_those_who_wait_and_those_who_queue() {
    let (engine, _) = open(Kind::Pull);
    for round in 0..200 {
        cancel_two(&engine, round % 2 == 0, || {});
    }
}

#[test]
fn cancelling_ends_who_queues_behind_another_that_goes_on_waiting() {
    let (engine, _) = open(Kind::Pull);
    let (patient, hasty) = (&Cancel::default(), &Cancel::default());
    let turnstile = &engine.gate.turnstiles[Direction::Receiving as usize];
    thread::scope(|scope| {
        let take = |cancel| engine.take(Patience::Until(cancel, Some(SOON)));
        let waiting = scope.spawn(move || take(patient));
        while engine.gate.lock().lanes[Direction::Receiving as usize].flag == Flag::Down {
            thread::yield_now();
        }
        let queued = scope.spawn(move || take(hasty));
        while !turnstile.is_queued_at() {
            thread::yield_now();
        }
        let started = Instant::now();
        engine.cancel(hasty);
        assert!(queued.join().unwrap().is_err());
        assert!(started.elapsed() < SOON / 2, "it has waited until the deadline");
        assert!(!waiting.is_finished());
        engine.cancel(patient);
    });
}

#[test]
fn who_was_cancelled_takes_no_message_that_comes_afterwards() {
    let (engine, endpoint) = open(Kind::Pull);
    let push = peer(zmq::PUSH, &endpoint);
    for round in 0..200 {
        cancel_two(&engine, round % 2 == 0, || push.send("afterwards", 0).unwrap());
        assert_eq!(
            engine.take(Patience::For(SOON)).unwrap()[0].as_str(),
            Some("afterwards")
        );
    }
}

#[test]
fn large_frames_are_handed_on_once_there_is_room_and_not_before() {
    let context = zmq::Context::new();
    let (mut wire, endpoint) = bound_wire(&context, Kind::Push, |socket| socket.set_sndhwm(1).unwrap());
    let frames = || [vec![b'x'; 100_000], b"small".to_vec(), vec![b'y'; 100_000]].map(zmq::Message::from);
    // Nothing is handed on while there is no one to take it.
    let mut waiting = frames();
    assert_eq!(wire.try_pass_on(&mut waiting), Err(zmq::Error::EAGAIN));
    assert_eq!(waiting, frames());

    let pull = peer(zmq::PULL, &endpoint);
    wait_for(&wire, POLLOUT);
    wire.try_pass_on(&mut waiting).unwrap();
    assert!(
        waiting[0].is_empty() && waiting[2].is_empty(),
        "they were handed on, not copied"
    );
    assert_eq!(&*waiting[1], b"small");
    let received: Vec<zmq::Message> = pull.recv_multipart(0).unwrap().into_iter().map(Into::into).collect();
    assert_eq!(received, frames());
}

#[test]
fn when_close_returns_no_thread_is_at_the_descriptors() {
    // So that closing does not wait for anything else, and hides what it should have waited for.
    let _context = SharedContext::get("").unwrap();
    for _ in 0..200 {
        let (engine, _) = &open(Kind::Pull);
        let waits = || engine.gate.lock().lanes[Direction::Receiving as usize].flag == Flag::Raised;
        thread::scope(|scope| {
            let waiting = [(); 3].map(|()| scope.spawn(|| engine.receive(&mut Message::new(), Patience::Forever)));
            while !waits() {
                thread::yield_now();
            }
            engine.close();
            // Whoever leaves the descriptors lowers the flag.
            assert!(engine.gate.lock().lanes.iter().all(|lane| lane.flag == Flag::Down));
            for waiting in waiting {
                assert_eq!(waiting.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
            }
        });
    }
}

#[test]
fn a_publisher_that_only_sends_reads_the_subscriptions_that_arrive() {
    let (engine, endpoint) = open(Kind::Publish);
    let news = peer(zmq::SUB, &endpoint);
    (0..1_000).for_each(|topic| news.set_subscribe(topic.to_string().as_bytes()).unwrap());
    let started = Instant::now();
    while engine.gate.look(Wire::subscriptions).unwrap() < 1_000 {
        engine.send(&[b"x"], Patience::Forever).unwrap();
        assert!(
            started.elapsed() < SOON,
            "they are left unread, and libzmq keeps them for ever"
        );
    }
}

#[test]
fn a_wait_is_rounded_up_to_the_millisecond_and_never_wraps() {
    assert_eq!(milliseconds(Duration::ZERO), 0);
    assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
    assert_eq!(milliseconds(Duration::from_millis(7)), 7);
    assert_eq!(milliseconds(Duration::MAX), i32::MAX);
}

#[test]
fn a_client_that_has_no_queue_left_is_denied_and_all_who_wait_are_told() {
    const NOWHERE: &str = "tcp://127.0.0.1:9";
    let context = zmq::Context::new();
    let mut wire = Wire::new(context.socket(zmq::DEALER).unwrap(), Kind::Dealer);
    assert_eq!(
        wire.try_send(&[b"to nobody"]),
        Err(zmq::Error::EAGAIN),
        "there is no server yet"
    );
    wire.connect(NOWHERE).unwrap();
    assert_eq!(wire.events(), Ok(POLLOUT));
    // Behind its back, as libzmq does when a server turns the client away.
    wire.socket.disconnect(NOWHERE).unwrap();
    assert_eq!(wire.events(), Ok(PollEvents::all()));
    assert_eq!(wire.try_send(&[b"to nobody"]), Err(DENIED));
    assert_eq!(wire.try_find_room(), Err(DENIED));
    assert_eq!(wire.try_receive(&mut Message::new()), Err(DENIED));
    assert_eq!(wire.try_take().map(drop), Err(DENIED));
}

#[test]
fn a_socket_whose_queues_may_be_full_or_not_made_yet_is_not_denied() {
    const NOWHERE: &str = "tcp://127.0.0.1:9";
    let context = zmq::Context::new();
    let socket = context.socket(zmq::DEALER).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_sndhwm(2).unwrap();
    let mut wire = Wire::new(socket, Kind::Dealer);
    wire.connect(NOWHERE).unwrap();
    wire.try_send(&[b"one"]).unwrap();
    wire.try_send(&[b"two"]).unwrap();
    assert_eq!(wire.try_send(&[b"three"]), Err(zmq::Error::EAGAIN));

    let socket = context.socket(zmq::DEALER).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_sndhwm(3).unwrap();
    let mut wire = Wire::new(socket, Kind::Dealer);
    wire.connect(NOWHERE).unwrap();
    // However it is sent: from a proxy, in frames, and what is large.
    wire.try_pass_on(&mut [zmq::Message::from("one")]).unwrap();
    wire.try_pass_on(&mut [zmq::Message::from(vec![0; 100_000])]).unwrap();
    wire.try_send(&[&vec![0; 100_000][..], b"three"]).unwrap();
    assert_eq!(wire.try_send(&[b"four"]), Err(zmq::Error::EAGAIN));

    let socket = context.socket(zmq::DEALER).unwrap();
    socket.set_immediate(true).unwrap();
    let mut wire = Wire::new(socket, Kind::Dealer);
    wire.connect(NOWHERE).unwrap();
    assert_eq!(wire.try_send(&[b"one"]), Err(zmq::Error::EAGAIN));

    let mut wire = Wire::new(context.socket(zmq::DEALER).unwrap(), Kind::Dealer);
    wire.connect(NOWHERE).unwrap();
    wire.socket.disconnect(NOWHERE).unwrap();
    wire.bind("inproc://guests").unwrap();
    assert_eq!(wire.try_send(&[b"one"]), Err(zmq::Error::EAGAIN), "a guest may come");
}
