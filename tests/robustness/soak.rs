//! The resources of a process do not grow, however long it runs.
//!
//! ```text
//! cargo test --test robustness -- --ignored --test-threads=1 soak    # an hour each
//! ZEROLESS_SOAK_SECONDS=60 cargo test --test robustness -- --ignored --test-threads=1 soak    # a minute each
//! ```
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::abuse::assert_signals_do_nothing;
use crate::support::usage::Usage;
use crate::support::{await_subscribers, client_of, client_of_sender, push_and_pull, time_to_soak, wait_until};
use zeroless::{Client, Server, proxy};

/// Repeats the work, and asserts that nothing grows after the first fifth of the time.
fn soak(name: &str, mut work: impl FnMut()) {
    /// How much the allocator may keep in addition.
    const SLACK: u64 = 8_000_000;
    /// Only one soak runs at a time, because the others would take its resources for growth.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let time = time_to_soak();
    let started = Instant::now();
    let mut rounds = 0;
    let mut warm: Option<Usage> = None;
    while started.elapsed() < time {
        work();
        rounds += 1;
        if warm.is_none() && started.elapsed() > time / 5 {
            warm = Some(Usage::now());
        }
    }
    let warm = warm.expect("a round ends in time");
    // libzmq frees closed sockets in the background.
    wait_until(|| Usage::now().descriptors <= warm.descriptors && Usage::now().threads <= warm.threads);
    let end = Usage::now();
    println!("{name}: {rounds} rounds in {time:?}");
    println!("  after a fifth: {warm}");
    println!("  at the end:    {end}");
    assert!(end.memory < warm.memory + SLACK);
}

/// Opens, uses and closes sockets of many patterns.
fn use_everything() {
    let (push, jobs) = push_and_pull();
    (0..100).for_each(|_| push(&[b"job", &[0; 1_000]]).unwrap());
    push(&[&[0; 100_000]]).unwrap();
    let left = AtomicUsize::new(101);
    jobs.workers(3, |_| {
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            jobs.socket().close();
        }
    })
    .unwrap();

    let publish = Server::new(0).publish().unwrap();
    let news = client_of_sender(&publish).subscribe(["a"]).unwrap();
    await_subscribers(&publish, 1);
    let news = news.into_channel(10);
    (0..100).for_each(|_| publish(&[b"a", b"b"]).unwrap());
    assert_eq!(news.iter().take(100).count(), 100);

    let (frontend, backend) = (Server::new(0).router().unwrap(), Server::new(0).dealer().unwrap());
    let (front, back) = (frontend.0.socket(), backend.0.socket());
    let broker = thread::spawn(|| proxy(frontend, backend));
    let (reply, requests) = Client::new().connect_local(back.port().unwrap()).reply().unwrap();
    let (request, replies) = Client::new().connect_local(front.port().unwrap()).request().unwrap();
    for _ in 0..50 {
        request(&[b"question"]).unwrap();
        reply.send(&requests.recv().unwrap()).unwrap();
        replies.recv().unwrap();
    }
    front.close();
    broker.join().unwrap().unwrap();

    let (say, hear) = Server::new(0).pair().unwrap();
    let (answer, listen) = client_of(&hear).pair().unwrap();
    say(&[b"one"]).unwrap();
    answer.send(&listen.recv().unwrap()).unwrap();
    hear.recv().unwrap();
    say.socket().close();
}

#[test]
#[ignore = "takes an hour, or as long as ZEROLESS_SOAK_SECONDS says"]
fn sockets_that_come_and_go() {
    let _lasting = Server::new(0).pull().unwrap();
    soak("sockets that come and go", use_everything);
}

#[test]
#[ignore = "takes an hour, or as long as ZEROLESS_SOAK_SECONDS says"]
fn consumer_slower_than_producer() {
    let pull = Server::new(0).high_water_mark(100).pull().unwrap();
    let push = client_of(&pull).high_water_mark(100).push().unwrap();
    let stop = push.socket();
    let producer = thread::spawn(move || while push(&[&[0; 10_000]]).is_ok() {});
    soak("a slow consumer", || {
        pull.recv().unwrap();
        thread::sleep(Duration::from_millis(1)); // its work
    });
    stop.close();
    // What is in transit must be received, or the process waits for it at its end.
    while pull.recv_timeout(Duration::from_millis(500)).is_ok() {}
    producer.join().unwrap();
}

#[test]
#[ignore = "takes an hour, or as long as ZEROLESS_SOAK_SECONDS says"]
fn clients_that_reconnect() {
    let (answer, questions) = Server::new(0).router().unwrap();
    let port = questions.socket().port().unwrap();
    let serving = thread::spawn(move || questions.iter().for_each(|question| drop(answer.send(&question))));
    let (ask, answers) = Client::new().identity("again").dealer().unwrap();
    soak("clients that connect again", || {
        ask.socket().connect_local(port).unwrap();
        ask(&[b"hello"]).unwrap();
        answers.recv().unwrap();
        ask.socket().disconnect_all().unwrap();
    });
    drop((ask, answers));
    drop(serving);
}

#[test]
#[ignore = "takes an hour, or as long as ZEROLESS_SOAK_SECONDS says"]
fn signals_lose_nothing_and_tear_nothing() {
    assert_signals_do_nothing(time_to_soak());
}
