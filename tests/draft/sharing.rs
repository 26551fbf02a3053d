//! Threads that share a draft socket, close it, and wait with a timeout.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use crate::support::{client_of, watchdog};
use crossbeam_channel::bounded;
use zeroless::{Client, ErrorKind, Receiver, Sender, Server};

const SHORT: Duration = Duration::from_millis(10);

/// A receiver of each type that receives.
fn receivers() -> Vec<Receiver> {
    let server = Server::new(0);
    let udp = Server::at("udp://127.0.0.1:0");
    vec![
        server.gather().unwrap(),
        Receiver::clone(&server.dish(["a"]).unwrap()),
        Receiver::clone(&udp.dish(["a"]).unwrap()),
        server.draft_server().unwrap().1,
        server.draft_client().unwrap().1,
        server.peer().unwrap().1,
        server.channel().unwrap().1,
        udp.dgram().unwrap().1,
    ]
}

/// A sender of each type that waits for a peer.
fn senders() -> Vec<Sender> {
    let server = Server::new(0);
    vec![
        server.scatter().unwrap(),
        server.draft_client().unwrap().0,
        server.channel().unwrap().0,
    ]
}

#[test]
fn close_wakes_blocked_receivers() {
    let _watchdog = watchdog();
    for receiver in receivers() {
        let (started, wait) = bounded(2);
        thread::scope(|scope| {
            let threads = [(); 2].map(|()| {
                scope.spawn(|| {
                    started.send(()).unwrap();
                    receiver.recv().unwrap_err().kind()
                })
            });
            wait.iter().take(2).for_each(drop);
            // They may not wait yet. They must end in any case.
            receiver.socket().close();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), ErrorKind::Closed, "{receiver:?}");
            }
        });
    }
}

#[test]
fn close_wakes_blocked_senders() {
    let _watchdog = watchdog();
    for sender in senders() {
        let (started, wait) = bounded(1);
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                started.send(()).unwrap();
                sender(&[b"to nobody"]).unwrap_err().kind()
            });
            wait.recv().unwrap();
            sender.socket().close();
            assert_eq!(thread.join().unwrap(), ErrorKind::Closed, "{sender:?}");
        });
    }
}

#[test]
fn waits_end_at_the_timeout() {
    let _watchdog = watchdog();
    for receiver in receivers() {
        assert_eq!(
            receiver.recv_timeout(SHORT).unwrap_err().kind(),
            ErrorKind::TimedOut,
            "{receiver:?}"
        );
        assert_eq!(
            receiver.try_recv().unwrap_err().kind(),
            ErrorKind::WouldBlock,
            "{receiver:?}"
        );
    }
    for sender in senders() {
        let outcome = sender.send_timeout(&["to nobody"], SHORT);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TimedOut, "{sender:?}");
    }
}

#[test]
fn receiver_wakes_for_each_message() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).draft_server().unwrap();
    let (ask, answers) = client_of(&questions).draft_client().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| questions.iter().for_each(|question| answer.send(&question).unwrap()));
        // Both sides wait for each message.
        for number in 0..2_000u32 {
            ask(&[&number.to_be_bytes()]).unwrap();
            assert_eq!(answers.recv().unwrap(), [number.to_be_bytes()]);
        }
        questions.socket().close();
    });
}

#[test]
fn threads_share_the_messages() {
    let _watchdog = watchdog();
    let gather = Server::new(0).gather().unwrap();
    let scatter = client_of(&gather).scatter().unwrap();
    let (arrived, messages) = bounded(4_000);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (scatter, gather, arrived) = (&scatter, &gather, arrived.clone());
            scope.spawn(move || {
                (0..1_000).for_each(|number| scatter.send(&[format!("{thread} {number}")]).unwrap());
            });
            scope.spawn(move || gather.iter().for_each(|message| arrived.send(message).unwrap()));
        }
        assert_eq!(messages.iter().take(4_000).collect::<HashSet<_>>().len(), 4_000);
        gather.socket().close();
    });
}

#[test]
fn worker_pool_receives() {
    let _watchdog = watchdog();
    let gather = Server::new(0).gather().unwrap();
    let scatter = client_of(&gather).scatter().unwrap();
    let (done, results) = bounded(100);
    let socket = gather.socket();
    thread::scope(|scope| {
        scope.spawn(|| gather.workers(4, |message| done.send(message).unwrap()).unwrap());
        (0..100).for_each(|number| scatter.send(&[number.to_string()]).unwrap());
        assert_eq!(results.iter().take(100).collect::<HashSet<_>>().len(), 100);
        socket.close();
    });
}

#[test]
fn last_handle_delivers_before_the_process_ends() {
    let _watchdog = watchdog();
    let gather = Server::new(0).gather().unwrap();
    let scatter = client_of(&gather).scatter().unwrap();
    (0..100).for_each(|_| scatter(&[b"hello"]).unwrap());
    drop(scatter);
    assert_eq!(gather.iter().take(100).count(), 100);
}

#[test]
fn client_without_an_address_is_an_error() {
    let _watchdog = watchdog();
    let client = Client::new();
    let errors = [
        client.scatter().unwrap()(&[b"x"]).unwrap_err(),
        client.radio("a").unwrap()(&[b"x"]).unwrap_err(),
        client.dish(["a"]).unwrap().recv().unwrap_err(),
        client.draft_server().unwrap().1.recv().unwrap_err(),
        client.peer().unwrap().0(&[b"\0\0\0\x01", b"x"]).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
    }
}
