//! Workers and producers that die, hang, lose their network, and come back.

use std::time::Instant;

use nix::sys::signal::{Signal, raise};

use super::*;
use crate::support::relay::Relay;
use crate::support::{Process, argument_of_child, report, run_in_child, unused_port};

/// A worker process. The argument is a port. It does what its jobs say, and reports what it has begun.
#[test]
#[ignore = "runs as a child process of another test"]
fn does_what_jobs_say() {
    let mut lines = std::io::stdin().lines();
    for job in client_of_port(argument_of_child().parse().unwrap()).work().unwrap() {
        let command = text_of(&job);
        report(&command);
        match command.as_str() {
            "die" => std::process::abort(),
            // Goes back.
            "drop" => drop(job),
            // Until a line is typed.
            "wait" => {
                lines.next().unwrap().unwrap();
                job.done(&[std::process::id().to_string()]).unwrap();
            }
            _ => job.done(&[&command]).unwrap(),
        }
    }
    report("finished");
}

/// A worker process that kills itself. The argument is a port and the moment.
#[test]
#[ignore = "runs as a child process of another test"]
fn dies() {
    let argument = argument_of_child();
    let (port, moment) = argument.split_once(' ').unwrap();
    let die_at = |now| {
        if now == moment {
            raise(Signal::SIGKILL).unwrap();
        }
    };
    for job in client_of_port(port.parse().unwrap()).work().unwrap() {
        die_at("on receipt");
        let mut result = job[0].to_ascii_uppercase();
        die_at("in the middle");
        result.push(b'!');
        die_at("between work and result");
        job.done(&[result]).unwrap();
        die_at("just after the result");
    }
}

/// A worker that is a server. The argument is its port. It never finishes its jobs.
#[test]
#[ignore = "runs as a child process of another test"]
fn serves_and_keeps_jobs() {
    let port = argument_of_child().parse().unwrap();
    for job in Server::new(port).work().unwrap() {
        report(&text_of(&job));
        std::io::stdin().lines().for_each(drop);
    }
}

/// A worker process, and what it reports.
struct Worker {
    process: Process,
    reports: Box<dyn Iterator<Item = String>>,
}

impl Worker {
    fn start(port: u16) -> Worker {
        let mut process = run_in_child(does_what_jobs_say, &port.to_string());
        let reports = Box::new(process.reports());
        Worker { process, reports }
    }

    fn await_report(&mut self, wanted: &str) {
        assert!(
            self.reports.any(|line| line == wanted),
            "it ended before it reported {wanted}"
        );
    }

    fn id(&self) -> String {
        self.process.id().to_string()
    }
}

fn producer(server: &Server) -> (Dispatcher, Outcomes, u16) {
    let (dispatch, outcomes) = server.dispatch().unwrap();
    let port = dispatch.socket().port().unwrap();
    (dispatch, outcomes, port)
}

#[test]
fn killed_while_idle() {
    let _watchdog = watchdog();
    let (dispatch, outcomes, port) = producer(&Server::new(0));
    let [mut victim, mut survivor] = [(); 2].map(|()| Worker::start(port));
    await_workers(&dispatch, 2);
    victim.process.kill();
    (0..20).for_each(|_| dispatch(&[b"echo"]).unwrap());
    drop(dispatch);
    assert_eq!(summaries(outcomes), ["echo=echo"; 20]);
    survivor.await_report("finished");
}

#[test]
fn killed_in_the_middle_of_a_job() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes, port) = producer(&Server::new(0));
    let mut victim = Worker::start(port);
    dispatch(&[b"wait"]).unwrap();
    victim.await_report("wait");
    victim.process.kill();
    let mut heir = Worker::start(port);
    heir.await_report("wait");
    heir.process.types("");
    let outcome = outcomes.next().unwrap();
    assert_eq!(summary(&outcome), format!("wait={}", heir.id()));
    assert_eq!(outcome.attempts, 2);
    drop((dispatch, outcomes));
    heir.await_report("finished");
}

#[test]
fn killed_although_it_is_the_server() {
    let _watchdog = watchdog();
    let [victim, heir] = [(); 2].map(|()| unused_port());
    let mut process = run_in_child(serves_and_keeps_jobs, &victim.to_string());
    let (dispatch, outcomes) = client_of_port(victim).connect_local(heir).dispatch().unwrap();
    dispatch(&[b"job"]).unwrap();
    assert!(process.reports().any(|line| line == "job"));
    process.kill();
    let jobs = Server::new(heir).work().unwrap();
    let heir = thread::spawn(move || jobs.workers(1, |_| Ok::<_, String>("done")));
    drop(dispatch);
    assert_eq!(summaries(outcomes), ["job=done"]);
    heir.join().unwrap().unwrap();
}

#[test]
fn poison_job_is_given_up_and_the_others_are_done() {
    let _watchdog = watchdog();
    let (dispatch, outcomes, port) = producer(Server::new(0).attempts(2));
    let mut workers = [(); 3].map(|()| Worker::start(port));
    await_workers(&dispatch, 3);
    dispatch(&[b"die"]).unwrap();
    (0..20).for_each(|_| dispatch(&[b"echo"]).unwrap());
    drop(dispatch);
    let outcomes: Vec<Outcome> = outcomes.collect();
    let poison = outcomes.iter().find(|outcome| outcome.job == [b"die"]).unwrap();
    assert_eq!((summary(poison).as_str(), poison.attempts), ("die!Lost", 2));
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| summary(outcome) == "echo=echo")
            .count(),
        20
    );
    assert_eq!(
        workers
            .iter_mut()
            .filter_map(|worker| worker.reports.find(|line| line == "finished"))
            .count(),
        1
    );
}

#[test]
fn killed_while_it_has_a_job() {
    let _watchdog = watchdog();
    for moment in [
        "on receipt",
        "in the middle",
        "between work and result",
        "just after the result",
    ] {
        let (dispatch, mut outcomes, port) = producer(&Server::new(0));
        let mut victim = run_in_child(dies, &format!("{port} {moment}"));
        dispatch(&[b"job"]).unwrap();
        drop(dispatch);
        // It writes there until it is dead.
        victim.reports().for_each(drop);
        let heir = work(&client_of_port(port), 1);
        let seen: Vec<(String, u32)> = outcomes
            .by_ref()
            .map(|outcome| (summary(&outcome), outcome.attempts))
            .collect();
        heir.join().unwrap().unwrap();
        let by_the_heir = [("job=JOB".to_owned(), 2)];
        // The last result may die with its worker.
        let by_the_victim = [("job=JOB!".to_owned(), 1)];
        assert!(
            seen == by_the_heir || moment == "just after the result" && seen == by_the_victim,
            "{moment}: {seen:?}"
        );
    }
}

#[test]
fn job_that_is_dropped_is_tried_again() {
    let _watchdog = watchdog();
    let (dispatch, outcomes, port) = producer(&Server::new(0));
    let mut worker = Worker::start(port);
    dispatch(&[b"drop"]).unwrap();
    dispatch(&[b"echo"]).unwrap();
    drop(dispatch);
    assert_eq!(summaries(outcomes), ["drop!Lost", "echo=echo"]);
    worker.await_report("finished");
}

#[test]
fn stopped_worker_loses_its_job_after_the_time_limit() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes, port) = producer(Server::new(0).time_limit(Duration::from_millis(500)));
    let mut stopped = Worker::start(port);
    dispatch(&[b"wait"]).unwrap();
    stopped.await_report("wait");
    stopped.process.signal(Signal::SIGSTOP);
    let mut heir = Worker::start(port);
    heir.await_report("wait");
    heir.process.types("");
    assert_eq!(summary(&outcomes.next().unwrap()), format!("wait={}", heir.id()));
    // Its late result is dropped, and it takes part again.
    stopped.process.types("");
    stopped.process.signal(Signal::SIGCONT);
    dispatch(&[b"wait"]).unwrap();
    let all_wait = [&mut stopped, &mut heir].into_iter();
    let ids: Vec<String> = all_wait.map(|worker| worker.id()).collect();
    dispatch(&[b"wait"]).unwrap();
    for worker in [&mut stopped, &mut heir] {
        worker.await_report("wait");
        worker.process.types("");
    }
    drop(dispatch);
    let mut expected = ids.iter().map(|id| format!("wait={id}")).collect::<Vec<_>>();
    expected.sort();
    assert_eq!(summaries(outcomes), expected);
}

#[test]
fn late_result_counts_if_it_is_first() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes, port) = producer(Server::new(0).time_limit(Duration::from_millis(100)));
    let mut slow = Worker::start(port);
    dispatch(&[b"wait"]).unwrap();
    slow.await_report("wait");
    thread::sleep(Duration::from_millis(300)); // longer than the limit
    slow.process.types("");
    let outcome = outcomes.next().unwrap();
    assert_eq!(summary(&outcome), format!("wait={}", slow.id()));
    assert_eq!(outcome.attempts, 1);
}

#[test]
fn hung_job_is_not_given_away_without_a_time_limit() {
    let _watchdog = watchdog();
    // It takes more than ten heartbeats of the protocol, the probes.
    let (dispatch, mut outcomes, port) = producer(&Server::new(0));
    let mut slow = Worker::start(port);
    dispatch(&[b"wait"]).unwrap();
    slow.await_report("wait");
    let idle = work(&client_of_port(port), 1);
    await_workers(&dispatch, 2);
    thread::sleep(Duration::from_millis(10_500)); // its work
    slow.process.types("");
    let outcome = outcomes.next().unwrap();
    assert_eq!(
        (summary(&outcome), outcome.attempts),
        (format!("wait={}", slow.id()), 1)
    );
    drop((dispatch, outcomes));
    idle.join().unwrap().unwrap();
}

#[test]
fn worker_whose_machine_is_gone_loses_its_job() {
    let _watchdog = watchdog();
    // A stopped process answers no heartbeats of libzmq, like a machine without its network.
    let (dispatch, mut outcomes, port) = producer(Server::new(0).heartbeat(Duration::from_secs(1)));
    let mut gone = Worker::start(port);
    dispatch(&[b"wait"]).unwrap();
    gone.await_report("wait");
    gone.process.signal(Signal::SIGSTOP);
    let mut heir = Worker::start(port);
    heir.await_report("wait");
    heir.process.types("");
    let outcome = outcomes.next().unwrap();
    assert_eq!(
        (summary(&outcome), outcome.attempts),
        (format!("wait={}", heir.id()), 2)
    );
    // It comes back, and its late result is dropped.
    gone.process.types("");
    gone.process.signal(Signal::SIGCONT);
    heir.process.kill();
    (0..5).for_each(|_| dispatch(&[b"echo"]).unwrap());
    drop(dispatch);
    assert_eq!(summaries(outcomes), ["echo=echo"; 5]);
    gone.await_report("finished");
}

#[test]
fn worker_comes_back_after_its_link_was_cut() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes, port) = producer(&Server::new(0));
    let relay = Relay::to(port);
    let mut worker = Worker::start(relay.port());
    dispatch(&[b"echo"]).unwrap();
    assert_eq!(summary(&outcomes.next().unwrap()), "echo=echo");
    relay.cut();
    dispatch(&[b"wait"]).unwrap();
    worker.await_report("wait");
    relay.reset();
    // Its result is sent over the next connection, or it is lost, and the job is given to the worker again.
    worker.process.types("");
    worker.process.types("");
    let outcome = outcomes.next().unwrap();
    assert_eq!(summary(&outcome), format!("wait={}", worker.id()));
    drop(dispatch);
    assert_eq!(outcomes.count(), 0);
    worker.await_report("finished");
}

/// A producer process. The argument is a port, and the job that it dispatches again and again.
#[test]
#[ignore = "runs as a child process of another test"]
fn dispatches_until_killed() {
    let argument = argument_of_child();
    let (port, job) = argument.split_once(' ').unwrap();
    let server = Server::new(port.parse().unwrap());
    for outcome in server.dispatch_all(std::iter::repeat([job])).unwrap() {
        report(&summary(&outcome));
    }
}

#[test]
fn worker_finds_a_producer_that_was_restarted() {
    let _watchdog = watchdog();
    let port = unused_port();
    let workers = work(&client_of_port(port), 2);
    for job in ["first", "second", "third"] {
        let mut producer = run_in_child(dispatches_until_killed, &format!("{port} {job}"));
        let wanted = format!("{job}={}", job.to_ascii_uppercase());
        let mut reports = producer.reports();
        let other = reports.by_ref().take(20).find(|line| *line != wanted);
        assert_eq!(other, None, "the results of an earlier producer are dropped");
        producer.kill();
    }
    let (dispatch, outcomes) = Server::new(port).dispatch().unwrap();
    // Both are told that it is over.
    await_workers(&dispatch, 2);
    dispatch(&[b"last"]).unwrap();
    drop(dispatch);
    assert_eq!(summaries(outcomes), ["last=LAST"]);
    workers.join().unwrap().unwrap();
}

#[test]
fn result_for_a_producer_that_was_restarted_is_dropped() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut worker = Worker::start(port);
    let mut producer = run_in_child(dispatches_until_killed, &format!("{port} wait"));
    worker.await_report("wait");
    producer.kill();
    let (dispatch, outcomes) = Server::new(port).dispatch().unwrap();
    worker.process.types("");
    dispatch(&[b"echo"]).unwrap();
    drop(dispatch);
    assert_eq!(summaries(outcomes), ["echo=echo"]);
    worker.await_report("finished");
}

/// A producer that gives up a large job as soon as it is on its way.
#[test]
#[ignore = "runs as a child process of another test"]
fn gives_up_a_large_job() {
    let (dispatch, outcomes, port) = producer(&Server::new(0));
    report(&port.to_string());
    dispatch.wait_for_workers(1, SOON).unwrap();
    report("a worker is there");
    std::io::stdin().lines().next().unwrap().unwrap();
    dispatch.send(&[vec![0; 50_000_000]]).unwrap();
    drop((dispatch, outcomes));
}

#[test]
fn producer_does_not_wait_for_a_worker_that_reads_nothing() {
    let _watchdog = watchdog();
    let mut producer = run_in_child(gives_up_a_large_job, "");
    let mut reports = producer.reports();
    let port = reports.find_map(|line| line.parse().ok()).unwrap();
    let worker = Worker::start(port);
    assert!(reports.any(|line| line == "a worker is there"));
    worker.process.signal(Signal::SIGSTOP);
    producer.types("");
    let started = Instant::now();
    // It writes there until it has ended.
    reports.for_each(drop);
    producer.succeeds();
    assert!(started.elapsed() < SOON / 3, "it took {:?}", started.elapsed());
}
