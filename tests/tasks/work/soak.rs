//! Workers that are killed and started at random: each job still has one outcome, and nothing grows.
//!
//! ```text
//! ZEROLESS_SOAK_SECONDS=60 cargo test --test tasks -- --ignored soak    # a minute
//! ```

use std::time::Instant;

use super::*;
use crate::support::usage::Usage;
use crate::support::{Process, argument_of_child, report, run_in_child, time_to_soak};

/// A worker process. The argument is a port.
#[test]
#[ignore = "runs as a child process of another test"]
fn works_until_killed() {
    let jobs = client_of_port(argument_of_child().parse().unwrap()).work().unwrap();
    jobs.workers(2, |job| {
        if job[0].ends_with(b"7") {
            thread::sleep(Duration::from_millis(5)); // its work
        }
        Ok::<_, String>([job[0].to_ascii_uppercase()])
    })
    .unwrap();
}

/// A worker process that reports what it uses for each line of its input. The argument is a port.
#[test]
#[ignore = "runs as a child process of another test"]
fn reports_usage_until_killed() {
    thread::spawn(|| {
        for _ in std::io::stdin().lines() {
            let usage = Usage::now();
            report(&format!("{} {} {}", usage.memory, usage.descriptors, usage.threads));
        }
    });
    works_until_killed();
}

/// What a worker of [`reports_usage_until_killed`] uses now.
fn usage_of(worker: &mut Process, reports: &mut impl Iterator<Item = String>) -> Usage {
    worker.types("");
    let numbers = reports.find_map(|line| {
        let numbers: Result<Vec<u64>, _> = line.split(' ').map(str::parse).collect();
        numbers.ok()
    });
    let numbers = numbers.expect("the worker lives");
    Usage {
        memory: numbers[0],
        descriptors: numbers[1] as usize,
        threads: numbers[2] as usize,
    }
}

#[test]
#[ignore = "takes an hour, or as long as ZEROLESS_SOAK_SECONDS says"]
fn workers_that_are_killed() {
    /// How much the allocator may keep in addition.
    const SLACK: u64 = 8_000_000;

    let (time, started) = (time_to_soak(), Instant::now());
    let dispatched = Arc::new(AtomicUsize::new(0));
    let jobs = {
        let dispatched = Arc::clone(&dispatched);
        std::iter::repeat_with(move || [format!("job {}", dispatched.fetch_add(1, Ordering::SeqCst))])
            .take_while(move |_| started.elapsed() < time)
    };
    // So many attempts that no job is given up because of the killing.
    let outcomes = Server::new(0)
        .high_water_mark(100)
        .attempts(100)
        .dispatch_all(jobs)
        .unwrap();
    let port = outcomes.socket().port().unwrap();
    let mut steady = run_in_child(reports_usage_until_killed, &port.to_string());
    let mut reports = steady.reports();
    let killer = thread::spawn(move || {
        let mut workers = [(); 3].map(|()| run_in_child(works_until_killed, &port.to_string()));
        let mut killed = 0;
        while started.elapsed() < time {
            thread::sleep(Duration::from_millis(50 + killed * 37 % 400));
            let victim = &mut workers[killed as usize % 3];
            victim.kill();
            *victim = run_in_child(works_until_killed, &port.to_string());
            killed += 1;
        }
        (killed, workers)
    });

    // A bit for each job that has its outcome, as the memory must not grow much.
    let mut seen: Vec<u64> = vec![0; 1 << 24];
    let (mut outcomes_seen, mut repeated) = (0, 0);
    let (mut warm, mut end) = (None, None);
    for outcome in outcomes {
        let number: usize = text_of(&outcome.job).strip_prefix("job ").unwrap().parse().unwrap();
        assert_eq!(text_of(&outcome.result.unwrap()), format!("JOB {number}"));
        let word = &mut seen[number / 64 % (1 << 24)];
        assert_eq!(*word >> (number % 64) & 1, 0, "a job has one outcome");
        *word |= 1 << (number % 64);
        outcomes_seen += 1;
        repeated += usize::from(outcome.attempts > 1);
        let mut usage = || [Usage::now(), usage_of(&mut steady, &mut reports)];
        if warm.is_none() && started.elapsed() > time / 5 {
            warm = Some(usage());
        } else if end.is_none() && started.elapsed() > time * 9 / 10 {
            end = Some(usage());
        }
    }
    let (killed, workers) = killer.join().unwrap();
    reports.for_each(drop);
    steady.succeeds();
    drop(workers);
    // The one that ended the iteration was not dispatched.
    assert_eq!(outcomes_seen, dispatched.load(Ordering::SeqCst) - 1);
    println!("{outcomes_seen} jobs, {repeated} of them repeated, {killed} workers killed in {time:?}");
    let warm = warm.expect("a job ends after a fifth of the time");
    let end = end.expect("a job ends in the last tenth of the time");
    for (who, warm, end) in [("producer", &warm[0], &end[0]), ("a worker", &warm[1], &end[1])] {
        println!("  {who} after a fifth: {warm}");
        println!("  {who} near the end:  {end}");
        assert!(end.memory < warm.memory + SLACK);
        assert!(end.threads <= warm.threads && end.descriptors <= warm.descriptors + 16);
    }
}
