//! Any number of threads can share a handle, and send and receive at the same time.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{self, client_of, client_of_sender, push_and_pull, watchdog};
use nix::sys::pthread::pthread_kill;
use nix::sys::signal::Signal;
use std::os::unix::thread::JoinHandleExt;
use zeroless::{
    Call, Caller, Calls, Client, ErrorKind, Frame, Frames, Iter, Publisher, Receiver, Sender, Server, Socket,
    Subscriber, TryIter,
};

/// Compiles only if the type can be sent to and shared between threads.
fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn every_public_type_is_send_and_sync() {
    is_send_and_sync::<Server>();
    is_send_and_sync::<Client>();
    is_send_and_sync::<Sender>();
    is_send_and_sync::<Receiver>();
    is_send_and_sync::<Publisher>();
    is_send_and_sync::<Subscriber>();
    is_send_and_sync::<Socket>();
    is_send_and_sync::<Caller>();
    is_send_and_sync::<Calls>();
    is_send_and_sync::<Call>();
    is_send_and_sync::<Iter<'_>>();
    is_send_and_sync::<TryIter<'_>>();
    is_send_and_sync::<Frames<'_>>();
    is_send_and_sync::<Frame>();
    is_send_and_sync::<zeroless::Error>();
}

/// Four threads use each end of a pair at the same time: two send, two receive. Every message must arrive once.
fn flood_a_pair(high_water_mark: u32, messages: usize) {
    let _watchdog = watchdog();
    let (left_send, left_receive) = Server::new(0).high_water_mark(high_water_mark).pair().unwrap();
    let (right_send, right_receive) = client_of(&left_receive)
        .high_water_mark(high_water_mark)
        .pair()
        .unwrap();

    thread::scope(|scope| {
        for send in [&left_send, &right_send] {
            for sender in 0..2 {
                scope.spawn(move || {
                    for number in (sender..messages).step_by(2) {
                        send.send(&[number.to_string(), "end".to_owned()]).unwrap();
                    }
                });
            }
        }
        for receive in [&left_receive, &right_receive] {
            scope.spawn(move || {
                let unclaimed = AtomicUsize::new(messages);
                let received = thread::scope(|scope| {
                    let receivers = [(); 2].map(|()| scope.spawn(|| collect_numbers(receive, &unclaimed)));
                    receivers.map(|receiver| receiver.join().unwrap())
                });
                let numbers: HashSet<usize> = received.iter().flatten().copied().collect();
                assert_eq!(
                    received.iter().map(Vec::len).sum::<usize>(),
                    messages,
                    "nothing comes twice"
                );
                assert_eq!(numbers, (0..messages).collect(), "nothing is lost");
            });
        }
    });
}

/// Claims and receives one message after the other, until all are claimed.
fn collect_numbers(receive: &Receiver, unclaimed: &AtomicUsize) -> Vec<usize> {
    let claim = || unclaimed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    let mut numbers = Vec::new();
    while claim().is_ok() {
        let [number, end] = receive.recv().unwrap().try_into().expect("two frames");
        assert_eq!(end, b"end");
        numbers.push(String::from_utf8(number).unwrap().parse().unwrap());
    }
    numbers
}

#[test]
fn pair_loses_nothing_at_high_water_mark_1() {
    flood_a_pair(1, 20_000);
}

#[test]
fn pair_loses_nothing_at_high_water_mark_10() {
    flood_a_pair(10, 50_000);
}

#[test]
fn pair_loses_nothing_at_high_water_mark_1000() {
    flood_a_pair(1000, 200_000);
}

#[test]
fn eight_receivers_get_each_message_once() {
    const SENDERS: usize = 4;
    const MESSAGES: usize = 20_000;
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let missing = &AtomicUsize::new(SENDERS * MESSAGES);

    let received: Vec<(usize, usize)> = thread::scope(|scope| {
        for sender in 0..SENDERS {
            let push = push.clone();
            scope.spawn(move || {
                for number in 0..MESSAGES {
                    // The number of frames differs, so that a torn message is detected.
                    let mut frames = vec![format!("{sender} {number}"); 2 + number % 3];
                    frames.push("end".to_owned());
                    push.send(&frames).unwrap();
                }
            });
        }
        let receivers = [(); 8].map(|()| {
            let pull = &pull;
            scope.spawn(move || {
                let mut seen = Vec::new();
                for message in pull {
                    seen.push(check_frames(&message));
                    if missing.fetch_sub(1, Ordering::Relaxed) == 1 {
                        pull.socket().close();
                    }
                }
                seen
            })
        });
        receivers
            .into_iter()
            .flat_map(|receiver| receiver.join().unwrap())
            .collect()
    });

    assert_eq!(received.len(), SENDERS * MESSAGES, "nothing comes twice");
    assert_eq!(
        received.into_iter().collect::<HashSet<_>>().len(),
        SENDERS * MESSAGES,
        "nothing is lost"
    );
}

#[test]
fn four_receivers_each_get_a_fair_share() {
    const MESSAGES: usize = 100_000;
    const THREADS: usize = 4;
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let ready = &Barrier::new(THREADS + 1);

    let shares: Vec<usize> = thread::scope(|scope| {
        let receivers = [(); THREADS].map(|()| {
            let pull = &pull;
            scope.spawn(move || {
                ready.wait();
                pull.iter().take_while(|message| message != &[b"end"]).count()
            })
        });
        ready.wait();
        (0..MESSAGES).for_each(|_| push(&[b"job"]).unwrap());
        (0..THREADS).for_each(|_| push(&[b"end"]).unwrap());
        receivers.map(|receiver| receiver.join().unwrap()).to_vec()
    });

    assert_eq!(shares.iter().sum::<usize>(), MESSAGES);
    let least = MESSAGES / THREADS / 10;
    assert!(shares.iter().all(|&share| share >= least), "{shares:?}");
}

/// Asserts that a message is whole, and returns its sender and number.
fn check_frames(message: &[Vec<u8>]) -> (usize, usize) {
    let (end, body) = message.split_last().unwrap();
    let (sender, number) = std::str::from_utf8(&body[0]).unwrap().split_once(' ').unwrap();
    let (sender, number) = (sender.parse().unwrap(), number.parse::<usize>().unwrap());
    assert_eq!(end, b"end");
    assert_eq!(body.len(), 2 + number % 3);
    assert!(
        body.iter().all(|frame| *frame == body[0]),
        "the frames of two messages have mixed: {message:?}"
    );
    (sender, number)
}

#[test]
fn passing_receiver_leaves_no_message_behind() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let taken = &AtomicUsize::new(0);

    thread::scope(|scope| {
        // This one sleeps in between, because messages come in pairs.
        let sleeper = scope.spawn(|| {
            pull.iter()
                .inspect(|_| _ = taken.fetch_add(1, Ordering::SeqCst))
                .count()
        });
        for round in 1..=5_000 {
            push.send(&["one"]).unwrap();
            push.send(&["two"]).unwrap();
            // Takes one of the two, unless the sleeper is faster.
            while taken.load(Ordering::SeqCst) < 2 * round {
                if pull.try_recv().is_ok() {
                    taken.fetch_add(1, Ordering::SeqCst);
                    break;
                }
            }
            // The sleeper must find the other one.
            support::wait_until(|| taken.load(Ordering::SeqCst) == 2 * round);
        }
        pull.socket().close();
        sleeper.join().unwrap();
    });
}

#[test]
fn sends_while_another_receives() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).pair().unwrap();
    let (echo, listen) = client_of(&hear).pair().unwrap();

    thread::scope(|scope| {
        // The listener sleeps before each answer, because nothing comes without a request.
        let listener = scope.spawn(|| hear.iter().take(1_000).count());
        for _ in 0..1_000 {
            say.send(&["ping"]).unwrap();
            listen.recv().unwrap();
            echo.send(&["pong"]).unwrap();
        }
        assert_eq!(listener.join().unwrap(), 1_000);
    });
}

#[test]
fn all_waiting_senders_get_a_turn() {
    let _watchdog = watchdog();
    let push = Server::new(0).high_water_mark(1).push().unwrap();

    thread::scope(|scope| {
        for sender in 0..8 {
            let push = &push;
            scope.spawn(move || (0..500).for_each(|_| push.send(&[sender.to_string()]).unwrap()));
        }
        let pull = client_of_sender(&push).high_water_mark(1).pull().unwrap();
        let mut counts = [0; 8];
        for message in pull.iter().take(8 * 500) {
            counts[support::texts(&message)[0].parse::<usize>().unwrap()] += 1;
        }
        assert_eq!(counts, [500; 8]);
    });
}

#[test]
fn waiting_threads_keep_their_own_timeouts() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();

    thread::scope(|scope| {
        let patient = scope.spawn(|| pull.recv());
        let hasty = [(); 4].map(|()| scope.spawn(|| pull.recv_timeout(Duration::from_millis(50))));
        for hasty in hasty {
            assert_eq!(hasty.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
        }
        client_of(&pull).push().unwrap().send(&["at last"]).unwrap();
        assert_eq!(patient.join().unwrap().unwrap(), [b"at last"]);
    });
}

#[test]
fn signals_neither_end_nor_extend_a_wait() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    // The handler does nothing, so that the signal interrupts system calls but does not terminate the process.
    signal_hook::flag::register(Signal::SIGUSR1 as i32, Arc::new(AtomicBool::new(false))).unwrap();

    let timeout = Duration::from_millis(300);
    let waiting = thread::spawn(move || {
        let started = Instant::now();
        let outcome = pull.recv_timeout(timeout);
        (outcome, started.elapsed())
    });
    while !waiting.is_finished() {
        pthread_kill(waiting.as_pthread_t(), Signal::SIGUSR1).unwrap();
        thread::sleep(Duration::from_millis(1)); // the time between two signals
    }
    let (outcome, waited) = waiting.join().unwrap();
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(waited >= timeout, "it ended after {waited:?}");
    assert!(waited < timeout * 10, "it ended after {waited:?}");
}
