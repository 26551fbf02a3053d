//! How producers and workers end.

use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn without_jobs() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let workers = work(&client_of(&dispatch.socket()), 2);
    await_workers(&dispatch, 2);
    drop(dispatch);
    assert_eq!(outcomes.count(), 0);
    workers.join().unwrap().unwrap();
}

#[test]
fn while_a_job_is_being_done() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let mut jobs = client_of(&dispatch.socket()).work().unwrap();
    dispatch(&[b"job"]).unwrap();
    let job = jobs.next().unwrap();
    drop(dispatch);
    job.done(&["done"]).unwrap();
    assert_eq!(summaries(outcomes), ["job=done"]);
    assert!(jobs.next().is_none());
}

#[test]
fn worker_that_comes_late_is_told() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let client = client_of(&dispatch.socket());
    drop(dispatch);
    assert!(outcomes.next().is_none());
    // The outcomes are still there.
    work(&client, 3).join().unwrap().unwrap();
}

/// A thread that has not heard of the producer yet when it ends would wait for the next one.
#[test]
fn all_threads_end_when_one_is_told() {
    let _watchdog = watchdog();
    for _ in 0..20 {
        let outcomes = Server::new(0).dispatch_all([["job"]]).unwrap();
        let workers = work(&client_of(&outcomes.socket()), 8);
        // After this, the producer is gone.
        assert_eq!(summaries(outcomes), ["job=JOB"]);
        workers.join().unwrap().unwrap();
    }
}

#[test]
fn giving_up_tells_the_workers() {
    let _watchdog = watchdog();
    let mut outcomes = Server::new(0)
        .dispatch_all((0..).map(|number: u32| [number.to_string()]))
        .unwrap();
    let workers = work(&client_of(&outcomes.socket()), 2);
    outcomes.by_ref().take(10).for_each(drop);
    drop(outcomes);
    workers.join().unwrap().unwrap();
}

#[test]
fn busy_worker_is_told_although_the_producer_has_gone() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let mut jobs = client_of(&dispatch.socket()).work().unwrap();
    dispatch(&[b"job"]).unwrap();
    let job = jobs.next().unwrap();
    let socket = dispatch.socket();
    drop((dispatch, outcomes));
    assert!(socket.is_closed());
    job.done(&["too late"]).unwrap();
    assert!(jobs.next().is_none());
}

#[test]
fn closing_the_socket_gives_each_job_an_outcome() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).high_water_mark(2).dispatch().unwrap();
    (0..2).for_each(|_| dispatch(&[b"job"]).unwrap());
    let socket = dispatch.socket();
    let blocked = thread::spawn(move || dispatch(&[b"no room"]).unwrap_err().kind());
    socket.close();
    assert_eq!(blocked.join().unwrap(), ErrorKind::Closed);
    assert_eq!(summaries(outcomes), ["job!Closed"; 2]);
}

#[test]
fn jobs_are_done_although_nobody_reads_the_outcomes() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).high_water_mark(1).dispatch().unwrap();
    drop(outcomes);
    let workers = work(&client_of(&dispatch.socket()), 1);
    (0..20).for_each(|_| dispatch(&[b"job"]).unwrap());
    drop(dispatch);
    workers.join().unwrap().unwrap();
}

#[test]
fn closed_jobs_end_in_all_threads() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let jobs = client_of(&dispatch.socket()).work().unwrap();
    dispatch(&[b"job"]).unwrap();
    let job = (&jobs).next().unwrap();
    let workers = {
        let jobs = jobs.clone();
        thread::spawn(move || jobs.workers(3, |_| Ok::<_, String>("")))
    };
    await_workers(&dispatch, 4);
    jobs.close();
    workers.join().unwrap().unwrap();
    assert_eq!(jobs.clone().count(), 0);
    // A job in hand can still be done.
    job.done(&["done"]).unwrap();
    assert_eq!(summary(&outcomes.next().unwrap()), "job=done");
    wait_until(|| dispatch.wait_for_workers(1, Duration::ZERO).is_err());
}

#[test]
fn worker_waits_for_the_next_producer() {
    let _watchdog = watchdog();
    let port = crate::support::unused_port();
    let jobs = client_of_port(port).work().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let worker = {
        let (jobs, stop) = (jobs.clone(), Arc::clone(&stop));
        // It may ask a producer that has finished again, and is told again.
        thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                jobs.workers(1, |job| Ok::<_, String>([job[0].to_ascii_uppercase()]))
                    .unwrap();
            }
        })
    };
    for job in ["a", "b", "c"] {
        let (dispatch, outcomes) = Server::new(port).dispatch().unwrap();
        await_workers(&dispatch, 1);
        dispatch(frames![job]).unwrap();
        drop(dispatch);
        assert_eq!(summaries(outcomes), [format!("{job}={}", job.to_ascii_uppercase())]);
    }
    stop.store(true, Ordering::SeqCst);
    jobs.close();
    worker.join().unwrap();
}

/// It has no worker that could be told.
#[test]
fn thread_that_is_between_two_jobs_ends_too() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let port = dispatch.socket().port().unwrap();
    let jobs = client_of_port(port).work().unwrap();
    dispatch(&[b"job"]).unwrap();
    let job = (&jobs).next().unwrap();
    let waiting = {
        let jobs = jobs.clone();
        thread::spawn(move || jobs.count())
    };
    await_workers(&dispatch, 2);
    job.done("done").unwrap();
    drop(dispatch);
    // After this, the producer is gone.
    assert_eq!(summaries(outcomes), ["job=done"]);
    assert_eq!(waiting.join().unwrap(), 0);
    assert!((&jobs).next().is_none());

    // It is told once. Threads that have not begun are not told.
    let (dispatch, outcomes) = Server::new(port).dispatch().unwrap();
    ["a", "b"].iter().for_each(|job| dispatch(frames![job]).unwrap());
    drop(dispatch);
    let first = (&jobs).next().unwrap();
    let second = thread::spawn(move || jobs.recv()).join().unwrap().unwrap().unwrap();
    for job in [first, second] {
        let result = job.concat();
        job.done(&[result]).unwrap();
    }
    assert_eq!(summaries(outcomes), ["a=a", "b=b"]);
}

/// The producer tells all its workers, also one that is busy. The thread that waits has ended before that one is free.
#[test]
fn busy_worker_does_not_end_the_next_iteration() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let port = dispatch.socket().port().unwrap();
    let jobs = client_of_port(port).work().unwrap();
    dispatch(&[b"job"]).unwrap();
    let job = jobs.recv().unwrap().unwrap();
    let waiting = {
        let jobs = jobs.clone();
        thread::spawn(move || jobs.recv().unwrap().is_none())
    };
    await_workers(&dispatch, 2);
    drop((dispatch, outcomes));
    assert!(waiting.join().unwrap(), "there is no job for it");
    job.done("too late").unwrap();
    let (dispatch, outcomes) = Server::new(port).dispatch().unwrap();
    dispatch(&[b"next"]).unwrap();
    drop(dispatch);
    // In a thread that was not there before, so that the worker is all that could tell it.
    let next = thread::spawn(move || jobs.recv()).join().unwrap();
    next.unwrap().unwrap().done("done").unwrap();
    assert_eq!(summaries(outcomes), ["next=done"]);
}
