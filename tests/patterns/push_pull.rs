//! Push/pull: each message goes to one puller.

use std::collections::HashSet;
use std::time::Duration;

use crate::support::{self, client_of, client_of_sender, push_and_pull, texts, watchdog};
use zeroless::{Client, ErrorKind, Message, Server};

#[test]
fn server_pulls_from_client() {
    let _watchdog = watchdog();
    let (push, mut pull) = push_and_pull();
    for text in ["Msg1", "Msg2", "Msg3"] {
        push(&[text.as_bytes()]).unwrap();
    }
    for text in ["Msg1", "Msg2", "Msg3"] {
        assert_eq!(texts(&pull.next().unwrap()), [text]);
    }
}

#[test]
fn client_pulls_from_server() {
    let _watchdog = watchdog();
    let push = Server::new(0).push().unwrap();
    let mut pull = client_of_sender(&push).pull().unwrap();
    push(&[b"to the client"]).unwrap();
    assert_eq!(texts(&pull.next().unwrap()), ["to the client"]);
}

#[test]
fn keeps_empty_and_binary_frames() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let every_byte: Vec<u8> = (0..=255).collect();
    let message: Message = vec![vec![], every_byte, vec![0; 100_000], vec![]];
    push.send(&message).unwrap();
    assert_eq!(pull.recv().unwrap(), message);
}

#[test]
fn keeps_message_of_one_empty_frame() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    push(&[b""]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b""]);
}

#[test]
fn alternates_between_pullers() {
    let _watchdog = watchdog();
    let servers = [(); 3].map(|()| Server::new(0).pull().unwrap());
    let mut client = Client::new();
    for server in &servers {
        client.connect_local(server.socket().port().unwrap());
    }
    let push = client.push().unwrap();
    (0..9).for_each(|number| push.send(&[number.to_string()]).unwrap());
    for server in &servers {
        assert_eq!(server.iter().take(3).count(), 3);
    }
}

#[test]
fn pulls_from_all_clients() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let clients = ["a", "b", "c"].map(|name| (client_of(&pull).push().unwrap(), name));
    for (push, name) in &clients {
        push.send(&[name]).unwrap();
    }
    let senders: HashSet<Message> = pull.iter().take(3).collect();
    assert_eq!(senders.len(), 3);
}

#[test]
fn queues_for_server_that_starts_later() {
    let _watchdog = watchdog();
    let port = support::unused_port();
    let push = Client::new().connect_local(port).push().unwrap();
    push(&[b"early"]).unwrap();
    let mut pull = Server::new(port).pull().unwrap();
    assert_eq!(texts(&pull.next().unwrap()), ["early"]);
}

#[test]
fn recipe_can_be_reused_and_cloned() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let client = client_of(&pull);
    let (one, two) = (client.push().unwrap(), client.clone().push().unwrap());
    one(&[b"one"]).unwrap();
    two(&[b"two"]).unwrap();
    assert_eq!(pull.iter().take(2).count(), 2);
}

#[test]
fn recv_into_reuses_buffers() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    push(&[b"longer than the next", b"two", b"three"]).unwrap();
    push(&[b"next"]).unwrap();

    let mut message = Message::new();
    pull.recv_into(&mut message).unwrap();
    assert_eq!(message.len(), 3);
    let buffer = message[0].as_ptr();
    pull.recv_into(&mut message).unwrap();
    assert_eq!(message, [b"next"]);
    assert_eq!(message[0].as_ptr(), buffer);
}

#[test]
fn recv_frames_returns_what_was_sent() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let large = vec![7; 1_000_000];
    push.send(&[&b"head"[..], b"", &large]).unwrap();
    push(&[b"next"]).unwrap();
    let frames = pull.recv_frames().unwrap();
    assert_eq!(frames, [&b"head"[..], b"", &large]);

    push.send(&frames).unwrap();
    drop(frames);
    assert_eq!(pull.recv().unwrap(), [b"next"]);
    assert_eq!(pull.recv().unwrap(), [&b"head"[..], b"", &large]);
}

#[test]
fn frames_end_when_socket_closes() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    push(&[b"one"]).unwrap();
    push(&[b"two"]).unwrap();
    let received = pull.frames().inspect(|frames| {
        if *frames == [b"two"] {
            pull.socket().close();
        }
    });
    assert_eq!(received.count(), 2);
}

#[test]
fn send_blocks_at_high_water_mark() {
    let _watchdog = watchdog();
    let push = Server::new(0).high_water_mark(1).push().unwrap();
    let pull = client_of_sender(&push).high_water_mark(1).pull().unwrap();
    // The system's buffers hold only a few of these.
    let frame = vec![0; 1 << 20];
    let mut sent = 0;
    loop {
        match push.send_timeout(&[&frame], Duration::from_millis(200)) {
            Ok(()) => sent += 1,
            Err(error) => break assert_eq!(error.kind(), ErrorKind::TimedOut),
        }
        assert!(sent < 1_000, "nothing holds it back");
    }
    assert_eq!(pull.iter().take(sent).count(), sent);
    push.send(&[&frame]).unwrap();
    pull.recv().unwrap();
}

#[test]
fn iteration_resumes_after_timeout() {
    let _watchdog = watchdog();
    let mut pull = Server::new(0).timeout(Duration::from_millis(20)).pull().unwrap();
    let push = client_of(&pull).push().unwrap();
    assert_eq!(pull.next(), None);
    push(&[b"late"]).unwrap();
    let late = std::iter::repeat_with(|| pull.next()).flatten().next();
    assert_eq!(late.unwrap(), [b"late"]);
}

#[test]
fn try_iter_does_not_block() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    assert_eq!(pull.try_iter().count(), 0);
    (0..10).for_each(|_| push(&[b"x"]).unwrap());
    let mut taken = 0;
    support::wait_until(|| {
        taken += pull.try_iter().count();
        taken == 10
    });
}

#[test]
fn configure_runs_before_bind_and_overrides() {
    let _watchdog = watchdog();
    let pull = Server::new(0)
        .high_water_mark(5)
        .configure(|socket| {
            assert_eq!(socket.get_last_endpoint().unwrap().unwrap(), "", "not bound yet");
            assert_eq!(socket.get_rcvhwm().unwrap(), 5);
            socket.set_rcvhwm(7)
        })
        .configure(|socket| {
            assert_eq!(socket.get_rcvhwm().unwrap(), 7, "in order");
            Ok(())
        })
        .pull();
    assert!(pull.is_ok());
}

#[test]
fn sender_passes_as_closure() {
    let _watchdog = watchdog();
    fn call_twice(mut call: impl FnMut(&[&[u8]]) -> zeroless::Result<()>) {
        call(&[b"1"]).unwrap();
        call(&[b"2", b"two"]).unwrap();
    }
    let (push, pull) = push_and_pull();
    call_twice(&*push);
    assert_eq!(pull.iter().take(2).count(), 2);
}

#[test]
fn as_ref_may_send_and_panic() {
    let _watchdog = watchdog();
    struct Meddling<'a>(&'a zeroless::Sender);
    impl AsRef<[u8]> for Meddling<'_> {
        fn as_ref(&self) -> &[u8] {
            self.0.send(&["before"]).unwrap();
            panic!("no bytes today")
        }
    }
    let (push, pull) = push_and_pull();
    let sending = std::panic::AssertUnwindSafe(|| push.send(&[Meddling(&push), Meddling(&push)]));
    assert!(std::panic::catch_unwind(sending).is_err());
    push(&[b"after", b"whole"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["before"]);
    assert_eq!(texts(&pull.recv().unwrap()), ["after", "whole"]);
}

#[test]
fn killed_peer_tears_no_message() {
    let _watchdog = watchdog();
    let push = Server::new(0)
        .high_water_mark(2)
        .timeout(Duration::from_millis(20))
        .push()
        .unwrap();
    let port = push.socket().port().unwrap();

    std::thread::scope(|scope| {
        let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
        let push = &push;
        scope.spawn(move || {
            for number in 0u32.. {
                // So large that libzmq and the system send it in many steps, and a kill interrupts it half sent.
                let frames = [
                    number.to_be_bytes().to_vec(),
                    vec![number as u8; 1 << 20],
                    number.to_be_bytes().to_vec(),
                ];
                match push.send(&frames) {
                    Err(error) if error.kind() != ErrorKind::TimedOut => panic!("{error}"),
                    _ if stopped.try_recv().is_err_and(|error| error.is_disconnected()) => break,
                    _ => {}
                }
            }
        });
        for _ in 0..30 {
            let mut child = support::run_in_child(pulls_until_killed, &port.to_string());
            let mut reports = child.reports();
            assert_eq!(reports.next().as_deref(), Some("whole"));
            // At another point of the stream each time.
            child.kill();
            assert!(reports.all(|report| report == "whole"));
        }
        // Then a peer that receives everything.
        let pull = support::client_of_port(port).high_water_mark(2).pull().unwrap();
        for message in pull.iter().take(20) {
            assert!(is_whole(&message));
        }
        drop(stop);
        pull.socket().close();
    });
}

/// Whether a message is like those that the test above sends.
fn is_whole(message: &Message) -> bool {
    let [first, body, last] = message.as_slice() else {
        return false;
    };
    first == last && body.len() == 1 << 20 && body.iter().all(|byte| Some(byte) == last.last())
}

#[test]
#[ignore = "runs as a child process of another test"]
fn pulls_until_killed() {
    let port = support::argument_of_child().parse().unwrap();
    for message in support::client_of_port(port).high_water_mark(2).pull().unwrap() {
        support::report(if is_whole(&message) { "whole" } else { "torn" });
    }
}
