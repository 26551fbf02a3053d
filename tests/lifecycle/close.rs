//! Closing wakes what is blocked and frees what was held. Later calls return `Closed`.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{self, client_of, push_and_pull, watchdog};
use zeroless::{Client, ErrorKind, Server, Socket};

/// Closes the socket, and asserts that all of `blocked` end within a second.
fn close_ends(socket: &Socket, blocked: Vec<thread::JoinHandle<()>>) {
    let started = Instant::now();
    socket.close();
    blocked.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "it took {:?}",
        started.elapsed()
    );
}

#[test]
fn wakes_blocked_iterators() {
    let _watchdog = watchdog();
    for _ in 0..200 {
        let (push, pull) = push_and_pull();
        let started = std::sync::Arc::new(AtomicUsize::new(0));
        let blocked = [(); 4].map(|()| {
            let (pull, started) = (pull.clone(), started.clone());
            thread::spawn(move || pull.for_each(|_| _ = started.fetch_add(1, Ordering::SeqCst)))
        });
        // At least one thread iterates; the others do or are about to.
        push(&[b"x"]).unwrap();
        support::wait_until(|| started.load(Ordering::SeqCst) == 1);
        close_ends(&pull.socket(), blocked.into());
    }
}

#[test]
fn wakes_blocked_sender() {
    let _watchdog = watchdog();
    for _ in 0..200 {
        let push = Server::new(0).push().unwrap();
        let (about, to_block) = crossbeam_channel::bounded(0);
        let socket = push.socket();
        let blocked = thread::spawn(move || {
            about.send(()).unwrap();
            assert_eq!(push(&[b"no one takes it"]).unwrap_err().kind(), ErrorKind::Closed);
        });
        to_block.recv().unwrap();
        close_ends(&socket, vec![blocked]);
    }
}

#[test]
fn wakes_wait_for_subscribers() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let socket = publish.socket();
    let blocked = thread::spawn(move || {
        let error = publish.wait_for_subscribers(1, Duration::from_secs(60)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
    close_ends(&socket, vec![blocked]);
}

#[test]
fn wakes_both_directions_of_pair() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).pair().unwrap();
    let socket = hear.socket();
    let blocked = vec![
        thread::spawn(move || assert!(say(&[b"no one takes it"]).is_err())),
        thread::spawn(move || assert_eq!(hear.count(), 0)),
    ];
    close_ends(&socket, blocked);
}

#[test]
fn every_call_returns_closed() {
    let _watchdog = watchdog();
    let (push, mut pull) = push_and_pull();
    let news = Client::new().subscribe(["a"]).unwrap();
    let publish = Server::new(0).publish().unwrap();
    let port = pull.socket().port().unwrap();
    for socket in [push.socket(), pull.socket(), news.socket(), publish.socket()] {
        assert!(!socket.is_closed());
        socket.close();
        socket.close();
        assert!(socket.is_closed());
    }
    let closed = |outcome: zeroless::Result<()>| assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Closed);
    closed(push(&[b"x"]));
    closed(push.try_send(&["x"]));
    closed(push.send_timeout(&["x"], Duration::from_secs(1)));
    closed(pull.recv().map(drop));
    closed(pull.try_recv().map(drop));
    closed(pull.recv_timeout(Duration::from_secs(1)).map(drop));
    closed(push.socket().connect_local(5555));
    closed(push.socket().disconnect_local(port));
    closed(push.socket().disconnect_all());
    closed(pull.socket().disconnect_all());
    closed(news.subscribe("b"));
    closed(news.unsubscribe("a"));
    closed(publish.wait_for_subscribers(1, Duration::from_secs(1)));
    assert_eq!(pull.next(), None);
    assert_eq!(pull.try_iter().count(), 0);
    assert_eq!(pull.socket().port().unwrap(), port, "still known");
    assert_eq!(push.socket().endpoints(), [format!("tcp://127.0.0.1:{port}")]);
}

#[test]
fn happens_when_last_handle_is_dropped() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).pair().unwrap();
    let (answer, listen) = client_of(&hear).pair().unwrap();
    let socket = hear.socket();
    drop(hear);
    let another = say.clone();
    drop(say);
    another(&[b"still open"]).unwrap();
    assert_eq!(listen.recv().unwrap(), [b"still open"]);
    assert!(!socket.is_closed());
    drop(another);
    assert!(socket.is_closed());
    drop((answer, listen));
}

#[test]
fn delivers_what_was_sent_before() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    (0..1_000).for_each(|number| push.send(&[number.to_string()]).unwrap());
    push.socket().close();
    assert_eq!(pull.iter().take(1_000).count(), 1_000);
}

#[test]
fn races_with_every_call() {
    let _watchdog = watchdog();
    for _ in 0..500 {
        // Neither end lingers: if both close at the same moment, libzmq may linger forever.
        let (say, hear) = Server::new(0).high_water_mark(1).linger(Duration::ZERO).pair().unwrap();
        let (answer, listen) = client_of(&hear)
            .high_water_mark(1)
            .linger(Duration::ZERO)
            .pair()
            .unwrap();
        let socket = listen.socket();
        thread::scope(|scope| {
            scope.spawn(|| while answer(&[b"a", b"b"]).is_ok() {});
            scope.spawn(|| while answer.try_send(&["c"]).is_ok() {});
            scope.spawn(|| listen.iter().for_each(drop));
            scope.spawn(|| while listen.recv_timeout(Duration::ZERO).is_ok() {});
            scope.spawn(|| _ = socket.connect_local(5555));
            scope.spawn(|| _ = socket.disconnect_all());
            scope.spawn(|| socket.close());
            scope.spawn(|| socket.close());
            // So that the other end is not blocked forever.
            let _ = say.try_send(&["x"]);
        });
        assert!(socket.is_closed());
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_and_closes_a_thousand_sockets() {
    let open_files = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open_files();
    for _ in 0..50 {
        let sockets: Vec<_> = (0..10).map(|_| push_and_pull()).collect();
        for (push, pull) in &sockets {
            push(&[b"x"]).unwrap();
            pull.recv().unwrap();
            // Waiting creates the wake-up descriptors.
            pull.recv_timeout(Duration::from_millis(1)).unwrap_err();
        }
        assert!(open_files() > before);
    }
    // The last drop has terminated the context, which waits for libzmq's own threads.
    assert_eq!(open_files(), before);
}

#[test]
fn frees_all_descriptors() {
    let _watchdog = watchdog();
    // In a process of its own, because the other tests open files meanwhile.
    support::run_in_child(opens_and_closes_a_thousand_sockets, "").succeeds();
}

#[test]
fn frees_port() {
    let _watchdog = watchdog();
    let _another = Server::new(0).pull().unwrap();
    for _ in 0..100 {
        let pull = Server::new(0).pull().unwrap();
        let port = pull.socket().port().unwrap();
        drop(pull);
        Server::new(port).pull().unwrap();
    }
}

#[test]
fn frees_inproc_name() {
    let _watchdog = watchdog();
    let _another = Server::new(0).pull().unwrap();
    for _ in 0..100 {
        drop(Server::at("inproc://freed").pull().unwrap());
    }
}
