//! Receivers as crossbeam channels.

use std::thread;
use std::time::Duration;

use crate::support::{
    await_subscribers, client_of, client_of_sender, push_and_pull, run_in_child, texts, wait_until, watchdog,
};
use zeroless::crossbeam_channel::{RecvError, RecvTimeoutError, TryRecvError, after, bounded, select, tick};
use zeroless::{ErrorKind, Server};

#[test]
fn selects_sockets_timer_and_plain_channel() {
    let _watchdog = watchdog();
    let (tea, pull_tea) = push_and_pull();
    let (coffee, pull_coffee) = push_and_pull();
    let (teas, coffees) = (pull_tea.into_channel(10), pull_coffee.into_channel(10));
    let (bell, rings) = bounded(1);
    let clock = tick(Duration::from_millis(1));
    let mut heard = Vec::new();
    for step in 0..4 {
        match step {
            0 => tea(&[b"tea"]).unwrap(),
            1 => coffee(&[b"coffee"]).unwrap(),
            2 => bell.send("ring").unwrap(),
            _ => {}
        }
        let never = after(Duration::from_secs(60));
        loop {
            select! {
                recv(teas) -> message => break heard.push(texts(&message.unwrap())[0].to_owned()),
                recv(coffees) -> message => break heard.push(texts(&message.unwrap())[0].to_owned()),
                recv(rings) -> ring => break heard.push(ring.unwrap().to_owned()),
                recv(clock) -> _ => if step == 3 { break heard.push("tick".to_owned()) },
                recv(never) -> _ => panic!("nothing has come in step {step}"),
            }
        }
    }
    assert_eq!(heard, ["tea", "coffee", "ring", "tick"]);
}

#[test]
fn keeps_order_at_any_capacity() {
    let _watchdog = watchdog();
    for capacity in [0, 1, 100, usize::MAX] {
        let (push, pull) = push_and_pull();
        let channel = pull.into_channel(capacity);
        thread::scope(|scope| {
            scope.spawn(|| (0..5_000).for_each(|number| push.send(&[number.to_string()]).unwrap()));
            for (number, message) in channel.iter().take(5_000).enumerate() {
                assert_eq!(texts(&message), [number.to_string()]);
            }
        });
        assert_eq!(channel.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn full_channel_blocks_sender() {
    let _watchdog = watchdog();
    let pull = Server::at("inproc://held-back").high_water_mark(1).pull().unwrap();
    let mut client = zeroless::Client::new();
    let push = client
        .connect_to("inproc://held-back")
        .high_water_mark(1)
        .push()
        .unwrap();
    let channel = pull.into_channel(3);
    let mut sent = 0;
    while push
        .send_timeout(&[sent.to_string()], Duration::from_millis(200))
        .is_ok()
    {
        sent += 1;
    }
    // Three in the channel, one held by its thread, and what the two high-water marks allow.
    assert!((4..=8).contains(&sent), "{sent} messages were taken");
    for (number, message) in channel.iter().take(sent).enumerate() {
        assert_eq!(texts(&message), [number.to_string()]);
    }
}

#[test]
fn drop_ends_thread() {
    let _watchdog = watchdog();
    for round in 0..200 {
        let (push, pull) = push_and_pull();
        let another = pull.clone();
        let channel = pull.into_channel(round % 2);
        if round % 4 < 2 {
            // With a message that the channel has no room for.
            push(&[b"one"]).unwrap();
            push(&[b"two"]).unwrap();
            wait_until(|| round % 2 == 0 || !channel.is_empty());
        }
        let inside = (*channel).clone();
        drop(channel);
        // The channel inside is disconnected.
        while inside.recv_timeout(Duration::from_secs(20)) != Err(RecvTimeoutError::Disconnected) {}
        assert!(!another.socket().is_closed());
        push(&[b"three"]).unwrap();
        assert!(
            another.iter().any(|message| message == [b"three"]),
            "the thread takes nothing more"
        );
    }
}

#[test]
fn drop_closes_last_handle() {
    let _watchdog = watchdog();
    let channel = Server::new(0).pull().unwrap().into_channel(1);
    let socket = channel.socket();
    drop(channel);
    assert!(socket.is_closed());
}

#[test]
fn close_disconnects_empty_channel() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let channel = pull.into_channel(2);
    push(&[b"one"]).unwrap();
    push(&[b"two"]).unwrap();
    wait_until(|| channel.is_full());
    channel.socket().close();
    assert_eq!(channel.recv().unwrap(), [b"one"]);
    assert_eq!(channel.recv().unwrap(), [b"two"]);
    assert_eq!(channel.recv(), Err(RecvError));
    assert_eq!((&channel).into_iter().count(), 0);
}

/// A logger that reports when a message of a unique length has been received from its socket.
struct Witness(crossbeam_channel::Sender<()>);

const UNMISTAKABLE: usize = 4_321;

impl log::Log for Witness {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = record.args().to_string();
        if line.ends_with(&format!("received 1 frame of {UNMISTAKABLE} bytes")) {
            self.0.send(()).unwrap();
        }
    }

    fn flush(&self) {}
}

/// In a process of its own, because a process has only one logger.
#[test]
fn close_delivers_message_in_hand() {
    let _watchdog = watchdog();
    run_in_child(closes_with_message_in_hand, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn closes_with_message_in_hand() {
    let (witness, taken) = bounded(1);
    log::set_boxed_logger(Box::new(Witness(witness))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let (push, pull) = push_and_pull();
    let channel = pull.into_channel(0);
    push(&[&[b'x'; UNMISTAKABLE]]).unwrap();
    taken.recv().unwrap();
    channel.socket().close();
    assert_eq!(channel.recv().unwrap(), [[b'x'; UNMISTAKABLE]]);
    assert_eq!(channel.recv(), Err(RecvError));
}

#[test]
fn ignores_timeout_of_recipe() {
    let _watchdog = watchdog();
    let pull = Server::new(0).timeout(Duration::from_millis(1)).pull().unwrap();
    let push = client_of(&pull).push().unwrap();
    let channel = pull.into_channel(1);
    assert_eq!(
        channel.recv_timeout(Duration::from_millis(50)),
        Err(RecvTimeoutError::Timeout)
    );
    push(&[b"still there"]).unwrap();
    assert_eq!(channel.recv().unwrap(), [b"still there"]);
}

#[test]
fn carries_requests() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let (request, replies) = client_of(&requests).request().unwrap();
    let (requests, replies) = (requests.into_channel(10), replies.into_channel(10));
    for number in 0..1_000 {
        request.send(&[number.to_string()]).unwrap();
        reply.send(&requests.recv().unwrap()).unwrap();
        assert_eq!(texts(&replies.recv().unwrap()), [number.to_string()]);
    }
}

#[test]
fn pair_sender_outlives_channel() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).pair().unwrap();
    let (answer, listen) = client_of(&hear).pair().unwrap();
    drop(hear.into_channel(1));
    say(&[b"still open"]).unwrap();
    assert_eq!(listen.recv().unwrap(), [b"still open"]);
    drop(answer);
}

#[test]
fn subscriber_keeps_topics() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let news = client_of_sender(&publish).subscribe(["sport"]).unwrap();
    let topics = news.clone();
    let news = news.into_channel(10);
    topics.subscribe("weather").unwrap();
    await_subscribers(&publish, 2);
    publish(&[b"weather"]).unwrap();
    publish(&[b"sport"]).unwrap();
    assert_eq!(news.recv().unwrap(), [b"weather"]);
    assert_eq!(news.recv().unwrap(), [b"sport"]);
}

#[test]
fn drop_does_not_disturb_other_receiver() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    thread::scope(|scope| {
        let beside = scope.spawn(|| pull.recv());
        for _ in 0..100 {
            drop(pull.clone().into_channel(1));
        }
        push(&[b"at last"]).unwrap();
        assert_eq!(beside.join().unwrap().unwrap(), [b"at last"]);
    });
    assert_eq!(pull.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}
