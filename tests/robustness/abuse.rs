//! What a program can do wrong with its own handles and threads.

use std::mem;
use std::os::unix::thread::JoinHandleExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{push_and_pull, run_in_child, texts, wait_until, watchdog};
use nix::sys::pthread::pthread_kill;
use nix::sys::signal::Signal;
use zeroless::{Client, Server, proxy};

/// Panics without the panic hook, which would print it.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("on purpose"))
}

#[test]
fn panicking_thread_harms_no_other() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    for round in 0..100 {
        let (push_too, pull_too) = (push.clone(), pull.clone());
        let outcome = thread::spawn(move || {
            push_too(&[b"from one that panics"]).unwrap();
            pull_too.recv().unwrap();
            panic_quietly();
        });
        assert!(outcome.join().is_err());
        push.send(&[round.to_string()]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), [round.to_string()]);
    }
}

/// A frame that panics when its bytes are read.
struct Unwilling;

impl AsRef<[u8]> for Unwilling {
    fn as_ref(&self) -> &[u8] {
        panic_quietly()
    }
}

#[test]
fn panicking_frame_is_not_sent() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    for _ in 0..10 {
        assert!(catch_unwind(AssertUnwindSafe(|| push.send(&[Unwilling]))).is_err());
        push(&[b"next"]).unwrap();
        assert_eq!(pull.recv().unwrap(), [b"next"]);
    }
}

#[test]
fn dropped_handles_do_not_wake_receiver() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let blocked = pull.clone();
    let blocked = thread::spawn(move || blocked.recv());
    for _ in 0..1_000 {
        drop(pull.clone());
    }
    drop(pull);
    assert!(!blocked.is_finished());
    push(&[b"at last"]).unwrap();
    assert_eq!(blocked.join().unwrap().unwrap(), [b"at last"]);
}

#[test]
fn closing_races_all_other_calls() {
    let _watchdog = watchdog();
    let _other = Server::new(0).pull().unwrap();
    let peer = Server::at("inproc://raced").linger(Duration::ZERO).publish().unwrap();
    for round in 0..10_000 {
        let mut client = Client::new();
        client.connect_to("inproc://raced").linger(Duration::ZERO);
        let news = client.subscribe(["a"]).unwrap();
        let (say, hear) = Client::new().linger(Duration::ZERO).dealer().unwrap();
        let (socket, another) = (news.socket(), hear.socket());
        let (news_too, hear_too) = (news.clone(), hear.clone());
        // Each of eight threads has one of the handles, so that they are also dropped at the same time.
        let threads: [Box<dyn FnOnce() + Send + '_>; 8] = [
            Box::new(|| drop(peer.send(&[format!("a {round}")]))),
            Box::new(move || drop(news_too.recv())),
            Box::new(move || drop((news.subscribe("b"), news.unsubscribe("a"), news.try_recv()))),
            Box::new(move || drop((say.try_send(&["x"]), say.send_timeout(&["y"], Duration::from_millis(1))))),
            Box::new(move || drop(hear.into_channel(1))),
            Box::new(move || drop(hear_too.recv_timeout(Duration::from_millis(1)))),
            Box::new({
                let another = another.clone();
                move || drop((another.connect_to("inproc://raced"), another.disconnect_all()))
            }),
            Box::new(|| {
                socket.close();
                another.close();
            }),
        ];
        thread::scope(|scope| threads.into_iter().for_each(|work| _ = scope.spawn(work)));
        assert!(socket.is_closed() && another.is_closed());
    }
}

/// Sends and receives through a proxy for this time, while a signal interrupts all of its threads every millisecond.
pub fn assert_signals_do_nothing(time: Duration) {
    // The handler does nothing, so that the signal interrupts system calls but does not terminate the process.
    signal_hook::flag::register(Signal::SIGUSR1 as i32, Arc::new(AtomicBool::new(false))).unwrap();
    let (frontend, backend) = (Server::new(0).pull().unwrap(), Server::new(0).push().unwrap());
    let (front, back) = (frontend.socket(), backend.socket());
    let proxied = thread::spawn(|| proxy(frontend, backend));
    let push = Client::new().connect_local(front.port().unwrap()).push().unwrap();
    let pull = Client::new().connect_local(back.port().unwrap()).pull().unwrap();

    let message = |number: usize| {
        let size = [1, 100, 40_000][number % 3];
        [number.to_string().into_bytes(), vec![b'x'; size], b"end".to_vec()]
    };
    let sending = thread::spawn(move || {
        let started = Instant::now();
        let mut sent = 0;
        while started.elapsed() < time {
            push.send(&message(sent)).unwrap();
            sent += 1;
        }
        push(&[b"stop"]).unwrap();
        sent
    });
    let receiving = thread::spawn(move || {
        let until_stop = pull.iter().take_while(|message| *message != [b"stop"]);
        until_stop
            .enumerate()
            .inspect(|(number, found)| assert_eq!(*found, message(*number)))
            .count()
    });
    while !(sending.is_finished() && receiving.is_finished()) {
        for thread in [sending.as_pthread_t(), receiving.as_pthread_t(), proxied.as_pthread_t()] {
            pthread_kill(thread, Signal::SIGUSR1).unwrap();
        }
        thread::sleep(Duration::from_millis(1)); // the time between two signals
    }
    assert_eq!(receiving.join().unwrap(), sending.join().unwrap());
    front.close();
    proxied.join().unwrap().unwrap();
}

#[test]
fn signals_lose_nothing_and_tear_nothing() {
    let _watchdog = watchdog();
    assert_signals_do_nothing(Duration::from_secs(3));
}

#[test]
#[ignore = "runs as a child process of another test"]
fn leaks_its_handles() {
    let (push, pull) = push_and_pull();
    push(&[b"never received"]).unwrap();
    mem::forget((push, pull));
}

#[test]
fn process_with_leaked_handles_ends() {
    let _watchdog = watchdog();
    run_in_child(leaks_its_handles, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn returns_while_threads_are_blocked() {
    let (push, pull) = push_and_pull();
    let full = Server::new(0).push().unwrap();
    let (hear, channel) = (pull.clone(), pull.clone().into_channel(1));
    let about = Arc::new(AtomicUsize::new(0));
    let counted = |work: Box<dyn FnOnce() + Send>| {
        let about = Arc::clone(&about);
        thread::spawn(move || {
            about.fetch_add(1, Ordering::SeqCst);
            work();
        });
    };
    counted(Box::new(move || drop(hear.recv())));
    counted(Box::new(move || drop(full(&[b"no one takes it"]))));
    counted(Box::new(move || drop(channel.recv())));
    wait_until(|| about.load(Ordering::SeqCst) == 3);
    drop(push);
}

#[test]
fn process_with_blocked_threads_ends() {
    let _watchdog = watchdog();
    run_in_child(returns_while_threads_are_blocked, "").succeeds();
}
