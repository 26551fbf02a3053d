//! A work queue: each job has one outcome, whichever worker dies.

mod deaths;
mod end;
mod peers;
mod soak;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{bounded, unbounded};

use crate::support::{Folder, client_of_port, wait_until, watchdog};
use zeroless::{Client, Dispatcher, ErrorKind, Outcome, Outcomes, Server, Socket, frames, text as text_of};

/// How long to wait for what comes soon.
const SOON: Duration = Duration::from_secs(60);

/// Starts threads that do jobs until the producer has no more: they answer with the job's first frame in capitals.
fn work(client: &Client, workers: usize) -> JoinHandle<zeroless::Result<()>> {
    let jobs = client.work().unwrap();
    thread::spawn(move || jobs.workers(workers, |job| Ok::<_, String>([job[0].to_ascii_uppercase()])))
}

fn client_of(socket: &Socket) -> Client {
    client_of_port(socket.port().unwrap())
}

/// The job and its result, or the kind of its error.
fn summary(outcome: &Outcome) -> String {
    let job = text_of(&outcome.job);
    match &outcome.result {
        Ok(result) => format!("{job}={}", text_of(result)),
        Err(error) => format!("{job}!{:?}", error.kind()),
    }
}

fn summaries(outcomes: impl Iterator<Item = Outcome>) -> Vec<String> {
    let mut summaries: Vec<String> = outcomes.map(|outcome| summary(&outcome)).collect();
    summaries.sort();
    summaries
}

/// Asserts that jobs get their results over this pair of recipes.
fn assert_work(server: &Server, client: impl FnOnce(&Socket) -> Client) {
    let outcomes = server.dispatch_all([["a"], ["b"], ["c"]]).unwrap();
    let workers = work(&client(&outcomes.socket()), 2);
    assert_eq!(summaries(outcomes), ["a=A", "b=B", "c=C"]);
    workers.join().unwrap().unwrap();
}

#[test]
fn each_job_has_one_outcome() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let workers = work(&client_of(&dispatch.socket()), 3);
    for number in 0..500 {
        dispatch(frames![format!("job {number}"), "and more"]).unwrap();
    }
    drop(dispatch);
    let mut numbers: Vec<u32> = Vec::new();
    for outcome in outcomes {
        assert_eq!(outcome.job[1], b"and more");
        let result = text_of(&outcome.result.unwrap());
        numbers.push(result.strip_prefix("JOB ").unwrap().parse().unwrap());
        assert_eq!(outcome.attempts, 1);
    }
    numbers.sort();
    assert_eq!(numbers, Vec::from_iter(0..500));
    workers.join().unwrap().unwrap();
}

/// An error whose text panics on demand.
struct Refusal(&'static str);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_ne!(self.0, "no words", "on purpose, too");
        f.write_str(self.0)
    }
}

#[test]
fn failures_and_panics_are_outcomes() {
    let _watchdog = watchdog();
    let jobs = [["succeed"], ["fail"], ["panic"], ["fail without words"], ["succeed"]];
    let outcomes = Server::new(0).dispatch_all(jobs).unwrap();
    let jobs = client_of(&outcomes.socket()).work().unwrap();
    let worker = thread::spawn(move || {
        jobs.workers(1, |job| match job[0].as_slice() {
            b"fail" => Err(Refusal("not today")),
            b"panic" => panic!("on purpose"),
            b"fail without words" => Err(Refusal("no words")),
            _ => Ok("done"),
        })
    });
    let outcomes: Vec<Outcome> = outcomes.collect();
    let errors: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| outcome.result.as_ref().err())
        .map(|error| format!("{error:?}"))
        .collect();
    assert_eq!(errors.len(), 3);
    assert!(errors.contains(&"not today (kind: Failed)".to_owned()));
    assert!(errors.contains(&"the worker panicked: on purpose (kind: Failed)".to_owned()));
    assert!(
        errors.iter().any(|error| error.contains("on purpose, too")),
        "{errors:?}"
    );
    assert!(outcomes.iter().all(|outcome| outcome.attempts == 1));
    worker.join().unwrap().unwrap();
}

#[test]
fn over_every_transport() {
    let _watchdog = watchdog();
    let folder = Folder::new("jobs");
    for endpoint in [
        "tcp://127.0.0.1:0".to_owned(),
        folder.ipc("jobs"),
        "inproc://jobs".to_owned(),
    ] {
        assert_work(&Server::at(endpoint), |socket| {
            let mut client = Client::new();
            client.connect_to(&socket.endpoints()[0]);
            client
        });
    }
}

#[test]
fn worker_is_the_server() {
    let _watchdog = watchdog();
    let (port, mut ports) = (unbounded(), Vec::new());
    let workers: Vec<JoinHandle<()>> = (0..2)
        .map(|_| {
            let port = port.0.clone();
            thread::spawn(move || {
                let first = crate::support::unused_port();
                let jobs = Server::new(first).work().unwrap();
                port.send(first).unwrap();
                for job in jobs {
                    let result = job.concat();
                    job.done(&[result]).unwrap();
                }
            })
        })
        .collect();
    ports.extend(port.1.iter().take(2));
    let mut producer = Client::new();
    producer.connect_local(ports[0]).connect_local(ports[1]);
    let (dispatch, outcomes) = producer.dispatch().unwrap();
    dispatch.wait_for_workers(2, SOON).unwrap();
    (0..20).for_each(|number| dispatch(frames![number.to_string()]).unwrap());
    drop(dispatch);
    assert_eq!(outcomes.filter(|outcome| outcome.result.is_ok()).count(), 20);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

#[test]
fn with_passwords() {
    let _watchdog = watchdog();
    let mut server = Server::new(0);
    server.plain_users([("ada", "enchantress")]);
    assert_work(&server, |socket| client_of(socket).plain("ada", "enchantress").clone());
}

#[test]
fn worker_that_is_refused_is_told() {
    let _watchdog = watchdog();
    let (dispatch, _outcomes) = Server::new(0).plain_users([("ada", "enchantress")]).dispatch().unwrap();
    let stranger = client_of(&dispatch.socket()).plain("ada", "wrong").work().unwrap();
    let error = stranger.workers(1, |_| Ok::<_, String>("")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[test]
fn receiving_says_why_there_is_no_job() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let jobs = client_of(&dispatch.socket())
        .timeout(Duration::from_millis(20))
        .work()
        .unwrap();
    assert_eq!(jobs.recv().unwrap_err().kind(), ErrorKind::TimedOut);
    let jobs = client_of(&dispatch.socket()).work().unwrap();
    dispatch(&[b"job"]).unwrap();
    let job = jobs.recv().unwrap().unwrap();
    assert_eq!(*job, [b"job"]);
    job.done("done").unwrap();
    drop(dispatch);
    assert!(jobs.recv().unwrap().is_none());
    jobs.close();
    assert_eq!(jobs.recv().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(summaries(outcomes), ["job=done"]);
}

#[test]
fn workers_are_counted() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    assert_eq!(outcomes.workers(), 0);
    let jobs = client_of(&dispatch.socket()).work().unwrap();
    let workers = {
        let jobs = jobs.clone();
        thread::spawn(move || jobs.workers(2, |_| Ok::<_, String>("")))
    };
    wait_until(|| outcomes.workers() == 2);
    jobs.close();
    workers.join().unwrap().unwrap();
    wait_until(|| outcomes.workers() == 0);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn with_keys() {
    let _watchdog = watchdog();
    let [ours, theirs] = [(); 2].map(|()| crate::support::new_keypair());
    let mut server = Server::new(0);
    server.curve(&ours).allow_keys([theirs.public()]);
    assert_work(&server, |socket| {
        client_of(socket).curve(ours.public(), &theirs).clone()
    });
}

#[test]
fn threads_share_the_handles() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).high_water_mark(5).dispatch().unwrap();
    let workers = work(&client_of(&dispatch.socket()), 4);
    let seen = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in ["a", "b", "c"] {
            let dispatch = dispatch.clone();
            scope.spawn(move || (0..100).for_each(|number| dispatch(frames![format!("{thread}{number}")]).unwrap()));
        }
        drop(dispatch);
        for _ in 0..2 {
            scope.spawn(|| {
                for outcome in &outcomes {
                    seen.lock().unwrap().push(text_of(&outcome.result.unwrap()));
                }
            });
        }
    });
    let mut seen = seen.into_inner().unwrap();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 300);
    workers.join().unwrap().unwrap();
}

#[test]
fn unread_outcomes_do_not_count_for_the_high_water_mark() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).high_water_mark(2).dispatch().unwrap();
    let workers = work(&client_of(&dispatch.socket()), 1);
    // In one thread: this would lock up if they counted.
    (0..100).for_each(|number| dispatch(frames![number.to_string()]).unwrap());
    drop(dispatch);
    assert_eq!(outcomes.count(), 100);
    workers.join().unwrap().unwrap();
}

#[test]
fn high_water_mark_bounds_unfinished_jobs() {
    let _watchdog = watchdog();
    let (dispatch, _outcomes) = Server::new(0).high_water_mark(3).dispatch().unwrap();
    (0..3).for_each(|_| dispatch(&[b"job"]).unwrap());
    assert_eq!(dispatch.try_send("job").unwrap_err().kind(), ErrorKind::WouldBlock);
    let error = dispatch.send_timeout("job", Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("3 jobs are unfinished"), "{error}");
}

/// Each job wakes the thread of the producer, which must receive the results all the same.
#[test]
fn results_arrive_while_jobs_are_dispatched_without_end() {
    const MOST: usize = 1_000_000;
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).high_water_mark(0).dispatch().unwrap();
    let workers = work(&client_of(&dispatch.socket()), 1);
    dispatch.wait_for_workers(1, SOON).unwrap();
    let first: JoinHandle<Vec<String>> =
        thread::spawn(move || outcomes.by_ref().take(20).map(|outcome| summary(&outcome)).collect());
    let dispatched = (0..MOST).take_while(|_| !first.is_finished());
    let dispatched = dispatched.map(|_| dispatch(&[b"job"]).unwrap()).count();
    drop(dispatch);
    assert_eq!(first.join().unwrap(), vec!["job=JOB"; 20]);
    assert!(dispatched < MOST, "the results came only after the last job");
    workers.join().unwrap().unwrap();
}

#[test]
fn recipe_timeout_limits_calls_and_steps() {
    let _watchdog = watchdog();
    let mut server = Server::new(0);
    server.timeout(Duration::from_millis(20)).high_water_mark(1);
    let (dispatch, mut outcomes) = server.dispatch().unwrap();
    dispatch(&[b"job"]).unwrap();
    assert_eq!(dispatch(&[b"job"]).unwrap_err().kind(), ErrorKind::TimedOut);
    assert!(outcomes.next().is_none());

    // A worker that has stopped waiting gets no job.
    let mut client = client_of(&dispatch.socket());
    let (idle_dispatch, _idle_outcomes) = Server::new(0).dispatch().unwrap();
    let patient = client_of(&idle_dispatch.socket())
        .timeout(Duration::from_millis(300))
        .work()
        .unwrap();
    assert!((&patient).next().is_none());
    wait_until(|| idle_dispatch.wait_for_workers(1, Duration::ZERO).is_err());

    let worker = work(client.timeout(SOON), 1);
    assert_eq!(
        summary(&outcomes.by_ref().find(|_| true).or_else(|| next(&outcomes)).unwrap()),
        "job=JOB"
    );
    drop((dispatch, outcomes));
    worker.join().unwrap().unwrap();
}

/// The next outcome of a recipe with a short timeout.
fn next(outcomes: &Outcomes) -> Option<Outcome> {
    let mut outcomes = outcomes;
    loop {
        if let Some(outcome) = outcomes.next() {
            return Some(outcome);
        }
    }
}

#[test]
fn endless_iterator_needs_bounded_memory() {
    let _watchdog = watchdog();
    let taken = Arc::new(AtomicUsize::new(0));
    let jobs = {
        let taken = Arc::clone(&taken);
        std::iter::repeat_with(move || [taken.fetch_add(1, Ordering::SeqCst).to_string()])
    };
    let mut outcomes = Server::new(0).high_water_mark(10).dispatch_all(jobs).unwrap();
    let workers = work(&client_of(&outcomes.socket()), 2);
    for returned in 1..=500 {
        assert!(outcomes.next().unwrap().result.is_ok());
        assert!(taken.load(Ordering::SeqCst) <= returned + 10);
    }
    drop(outcomes);
    workers.join().unwrap().unwrap();
}

#[test]
fn outcome_does_not_wait_for_a_slow_iterator() {
    let _watchdog = watchdog();
    let (give, jobs) = bounded::<[&str; 1]>(2);
    give.send(["a"]).unwrap();
    give.send(["b"]).unwrap();
    let mut outcomes = Server::new(0).dispatch_all(jobs).unwrap();
    let workers = work(&client_of(&outcomes.socket()), 1);
    // The first job was done while the iterator waited for the third.
    let feeder = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200)); // the slow iterator
        give.send(["c"]).unwrap();
        give
    });
    assert_eq!(summary(&outcomes.next().unwrap()), "a=A");
    drop(feeder.join().unwrap());
    assert_eq!(summaries(outcomes), ["b=B", "c=C"]);
    workers.join().unwrap().unwrap();
}

#[test]
fn malformed_input_is_refused() {
    let _watchdog = watchdog();
    let kind = |outcome: zeroless::Result<()>| outcome.unwrap_err().kind();
    let (dispatch, _outcomes) = Server::new(0).dispatch().unwrap();
    assert_eq!(kind(dispatch(&[])), ErrorKind::InvalidInput);
    let attempts = Server::new(0).attempts(0).dispatch().map(drop);
    let limit = Server::new(0).time_limit(Duration::ZERO).dispatch().map(drop);
    let two_producers = Client::new().connect_local(9).connect_local(10).work().map(drop);
    let two_servers = Server::new(0).work().unwrap().workers(2, |_| Ok::<_, String>(""));
    let no_workers = Client::new()
        .connect_local(9)
        .work()
        .unwrap()
        .workers(0, |_| Ok::<_, String>(""));
    for outcome in [attempts, limit, two_producers, two_servers, no_workers] {
        assert_eq!(kind(outcome), ErrorKind::InvalidInput);
    }
    assert_eq!(kind(Client::new().dispatch().map(drop)), ErrorKind::NotConnected);
    assert_eq!(kind(Client::new().work().map(drop)), ErrorKind::NotConnected);
    let mut wrong_host = Client::new();
    wrong_host.connect("no host", 9);
    for outcome in [wrong_host.dispatch().map(drop), wrong_host.work().map(drop)] {
        assert!(outcome.unwrap_err().to_string().contains("no host"));
    }

    let mut outcomes = Server::new(0).dispatch_all([vec![], vec!["a"]]).unwrap();
    let workers = work(&client_of(&outcomes.socket()), 1);
    assert_eq!(summary(&outcomes.next().unwrap()), "!InvalidInput");
    assert_eq!(summaries(outcomes), ["a=A"]);
    workers.join().unwrap().unwrap();
}

#[test]
fn one_long_job_delays_no_other() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let client = client_of(&dispatch.socket());
    let (release, held) = bounded::<()>(0);
    let slow = {
        let jobs = client.work().unwrap();
        thread::spawn(move || {
            for job in jobs {
                let _ = held.recv();
                job.done(&["slow"]).unwrap();
            }
        })
    };
    dispatch.wait_for_workers(1, SOON).unwrap();
    dispatch(&[b"long"]).unwrap();
    let quick = work(&client, 1);
    (0..200).for_each(|_| dispatch(&[b"short"]).unwrap());
    drop(dispatch);
    let first: Vec<String> = outcomes.by_ref().take(200).map(|outcome| summary(&outcome)).collect();
    assert!(first.iter().all(|summary| summary == "short=SHORT"));
    drop(release);
    assert_eq!(summaries(outcomes), ["long=slow"]);
    slow.join().unwrap();
    quick.join().unwrap().unwrap();
}

#[test]
fn idle_workers_take_turns() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let client = client_of(&dispatch.socket());
    let names = AtomicU32::new(0);
    let counts = thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let name = names.fetch_add(1, Ordering::SeqCst).to_string();
                client.work().unwrap().for_each(|job| job.done(&[&name]).unwrap());
            });
        }
        dispatch.wait_for_workers(3, SOON).unwrap();
        let mut counts = BTreeMap::new();
        for _ in 0..30 {
            dispatch(&[b"job"]).unwrap();
            let outcome = outcomes.next().unwrap();
            *counts.entry(text_of(&outcome.result.unwrap())).or_insert(0) += 1;
            // Its `READY` is on its way.
            dispatch.wait_for_workers(3, SOON).unwrap();
        }
        drop((dispatch, outcomes));
        counts
    });
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [10, 10, 10]);
}

#[test]
fn each_job_in_hand_has_a_worker_of_its_own() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let jobs = client_of(&dispatch.socket()).work().unwrap();
    (0..5).for_each(|number| dispatch(frames![number.to_string()]).unwrap());
    drop(dispatch);
    let in_hand: Vec<zeroless::Job> = (&jobs).take(5).collect();
    for job in in_hand {
        let result = job.concat();
        thread::spawn(move || job.done(&[result]).unwrap()).join().unwrap();
    }
    assert_eq!(summaries(outcomes), ["0=0", "1=1", "2=2", "3=3", "4=4"]);
    assert_eq!(jobs.count(), 0);
}

/// Waits until this number of workers is there, and none of them is lost again.
fn await_workers(dispatch: &Dispatcher, workers: usize) {
    dispatch.wait_for_workers(workers, SOON).unwrap();
}
