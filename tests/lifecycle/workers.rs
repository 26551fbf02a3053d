//! Pools of workers over one receiver.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crate::support::{self, client_of, push_and_pull, texts, watchdog};
use zeroless::{Client, ErrorKind, Server};

#[test]
fn do_each_message_once() {
    const JOBS: usize = 10_000;
    let _watchdog = watchdog();
    let (push, jobs) = push_and_pull();
    let sum = AtomicUsize::new(0);
    let left = AtomicUsize::new(JOBS);
    thread::scope(|scope| {
        scope.spawn(|| (1..=JOBS).for_each(|job| push.send(&[job.to_string()]).unwrap()));
        let outcome = jobs.workers(4, |job| {
            sum.fetch_add(texts(&job)[0].parse().unwrap(), Ordering::SeqCst);
            if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                jobs.socket().close();
            }
        });
        outcome.unwrap();
    });
    assert_eq!(sum.into_inner(), JOBS * (JOBS + 1) / 2);
}

#[test]
fn slow_worker_takes_fewer_messages() {
    const JOBS: usize = 600;
    const QUICK: Duration = Duration::from_millis(1);
    let _watchdog = watchdog();
    let (push, jobs) = push_and_pull();
    (0..JOBS).for_each(|job| push.send(&[job.to_string()]).unwrap());

    let slow: Mutex<Option<ThreadId>> = Mutex::new(None);
    let done: Mutex<HashMap<ThreadId, usize>> = Mutex::default();
    let left = AtomicUsize::new(JOBS);
    let started = Instant::now();
    let outcome = jobs.workers(4, |_| {
        let me = thread::current().id();
        // The first one is the slow one.
        let is_slow = *slow.lock().unwrap().get_or_insert(me) == me;
        // This is the work.
        thread::sleep(if is_slow { 50 * QUICK } else { QUICK });
        *done.lock().unwrap().entry(me).or_default() += 1;
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            jobs.socket().close();
        }
    });
    outcome.unwrap();
    let took = started.elapsed();

    let mut done = done.into_inner().unwrap();
    let slow = done.remove(&slow.into_inner().unwrap().unwrap()).unwrap_or(0);
    let fewest = done.values().min().unwrap();
    assert_eq!(done.len(), 3);
    assert!(slow * 10 < *fewest, "the slow one did {slow}, the others {done:?}");
    // Each of the others worked nearly all the time, so none has done much less than another.
    assert!(fewest * 2 > JOBS / 3, "{done:?} in {took:?}");
}

#[test]
fn panic_continues_after_others_end() {
    let _watchdog = watchdog();
    for _ in 0..50 {
        let (push, jobs) = push_and_pull();
        let at_work = AtomicUsize::new(0);
        push(&[b"good"]).unwrap();
        push(&[b"bad"]).unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| {
            jobs.workers(4, |job| {
                at_work.fetch_add(1, Ordering::SeqCst);
                if job == [b"bad"] {
                    at_work.fetch_sub(1, Ordering::SeqCst);
                    // This does not call the panic hook, which would print it.
                    std::panic::resume_unwind(Box::new("a bad job"));
                }
                at_work.fetch_sub(1, Ordering::SeqCst);
            })
        }))
        .unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a bad job"));
        assert_eq!(at_work.load(Ordering::SeqCst), 0);

        push(&[b"another"]).unwrap();
        assert!(jobs.iter().any(|job| job == [b"another"]));
    }
}

#[test]
fn end_after_timeout_without_work() {
    let _watchdog = watchdog();
    let jobs = Server::new(0).timeout(Duration::from_millis(50)).pull().unwrap();
    let push = client_of(&jobs).push().unwrap();
    push(&[b"one"]).unwrap();
    let done = AtomicUsize::new(0);
    jobs.workers(3, |_| _ = done.fetch_add(1, Ordering::SeqCst)).unwrap();
    assert_eq!(done.into_inner(), 1);
}

#[test]
fn reply_in_turns() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let socket = requests.socket();
    let client = client_of(&requests);
    let pool = thread::spawn(move || requests.workers(4, |request| reply.send(&request).unwrap()));
    thread::scope(|scope| {
        for asker in 0..4 {
            let client = &client;
            scope.spawn(move || {
                let (request, replies) = client.request().unwrap();
                for number in 0..250 {
                    request.send(&[format!("{asker} {number}")]).unwrap();
                    assert_eq!(texts(&replies.recv().unwrap()), [format!("{asker} {number}")]);
                }
            });
        }
    });
    socket.close();
    pool.join().unwrap().unwrap();
}

#[test]
fn zero_workers_are_error() {
    let _watchdog = watchdog();
    let jobs = Client::new().connect_local(9).pull().unwrap();
    let error = jobs.workers(0, |_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn serve_subscribers() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let news = support::client_of_sender(&publish).subscribe([""]).unwrap();
    support::await_subscribers(&publish, 1);
    publish(&[b"end"]).unwrap();
    news.workers(2, |_| news.socket().close()).unwrap();
}
