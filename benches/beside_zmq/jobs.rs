//! Measures a work queue beside push and pull.
//!
//! The workers are threads of helpers. They answer with the frames of the job. With push and pull, the producer has one
//! socket that pushes the jobs and one that pulls the results.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use zeroless::{Client, Server};

use crate::comparison::{Comparison, alternate, show_progress};
use crate::helper::Helper;
use crate::run::{Counter, Outcome, TCP, or_exit};

const MESSAGE: &[&[u8]] = &[&[b'0'; 16]];

/// The number of jobs in a run.
const COUNT: usize = 100_000;

/// The numbers of processes, and of workers in each of them.
const POOLS: [(usize, usize); 8] = [(1, 1), (1, 2), (1, 4), (1, 8), (1, 16), (1, 32), (1, 64), (4, 1)];

/// How long the workers may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Prints the table, and what a queue costs and how well it shares.
pub fn print(rounds: usize, divisor: usize) {
    println!("\njobs of a work queue, compared with push and pull, 1 frame of 16 B, TCP");
    println!(
        "{:>10}{:>10}{:>8}{:>14}{:>10}{:>20}",
        "processes", "workers", "percent", "spread", "jobs k/s", "push and pull k/s"
    );
    let count = COUNT / divisor;
    let rate = |time: Duration| count as f64 / time.as_secs_f64() / 1e3;
    for (processes, workers) in POOLS {
        let comparison = Comparison::of(&alternate(
            &format!("{workers} workers in each of {processes} processes"),
            rounds,
            || rate(or_exit(dispatch(processes, workers, count))),
            || rate(or_exit(push_and_pull(processes, workers, count))),
        ))
        .in_percent();
        println!(
            "{processes:>10}{workers:>10}{:>8.2}{:>14}{:>10.1}{:>20.1}",
            comparison.ratio,
            comparison.spread(),
            comparison.zeroless,
            comparison.baseline,
        );
    }
    or_exit(print_cost(10 * count));
    show_progress("jobs of different lengths");
    let lengths = lengths(1_000, divisor as u32);
    let queue = or_exit(share_by_queue(&lengths));
    let threads = share_by_threads(&lengths);
    show_progress("");
    let best = lengths.iter().sum::<Duration>() / WORKERS as u32;
    println!(
        "1,000 jobs of different lengths, {WORKERS} workers: {queue:.2?}; {WORKERS} threads without messages: {threads:.2?}; \
         at best {best:.2?}"
    );
}

fn start_helpers(processes: usize, role: &[&str]) -> Outcome<Vec<Helper>> {
    (0..processes).map(|_| Helper::start(role)).collect()
}

/// Dispatches this number of jobs.
fn dispatch(processes: usize, workers: usize, count: usize) -> Outcome<Duration> {
    let (dispatch, outcomes) = Server::at(TCP).dispatch()?;
    let endpoint = &dispatch.socket().endpoints()[0];
    let _helpers = start_helpers(processes, &["work", endpoint, &workers.to_string()])?;
    dispatch.wait_for_workers(processes * workers, START_LIMIT)?;
    let start = Instant::now();
    let producer = thread::spawn(move || (0..count).try_for_each(|_| dispatch(MESSAGE)));
    let mut counter = Counter::new(MESSAGE);
    for outcome in &outcomes {
        counter.add(&outcome.result?)?;
    }
    let time = start.elapsed();
    producer.join().map_err(|_| "the producer panicked")??;
    counter.check(count)?;
    Ok(time)
}

/// Answers jobs with their frames, in a helper.
pub fn work(endpoint: &str, workers: usize) -> Outcome {
    let jobs = Client::new().connect_to(endpoint).work()?;
    Ok(jobs.workers(workers, |job| Ok::<_, String>(job.clone()))?)
}

/// Does the same with push and pull.
fn push_and_pull(processes: usize, workers: usize, count: usize) -> Outcome<Duration> {
    let push = Server::at(TCP).push()?;
    let results = Server::at(TCP).pull()?;
    let [jobs_at, results_at] = [push.socket(), results.socket()].map(|socket| socket.endpoints()[0].clone());
    let _helpers = start_helpers(processes, &["pass", &jobs_at, &results_at, &workers.to_string()])?;
    let mut greetings = Counter::new(&[b"ready"]);
    for message in results.iter().take(processes) {
        greetings.add(&message)?;
    }
    greetings.check(processes)?;
    let start = Instant::now();
    let producer = thread::spawn(move || (0..count).try_for_each(|_| push(MESSAGE)));
    let mut counter = Counter::new(MESSAGE);
    for message in results.iter().take(count) {
        counter.add(&message)?;
    }
    let time = start.elapsed();
    producer.join().map_err(|_| "the producer panicked")??;
    counter.check(count)?;
    Ok(time)
}

/// Passes jobs on as results, in a helper.
pub fn pass(jobs: &str, results: &str, workers: usize) -> Outcome {
    let jobs = Client::new().connect_to(jobs).pull()?;
    let results = Client::new().connect_to(results).push()?;
    results.send("ready")?;
    Ok(jobs.workers(workers, |job| or_exit(results.send(&job)))?)
}

/// Prints what a producer needs, in a helper of its own.
fn print_cost(jobs: usize) -> Outcome {
    show_progress("the cost of a producer");
    let mut producer = Helper::start(&["dispatch", &jobs.to_string()])?;
    let endpoint = producer.read_line()?;
    let _workers = Helper::start(&["work", &endpoint, "8"])?;
    let lines = [producer.read_line()?, producer.read_line()?];
    show_progress("");
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// Hands out this number of jobs to eight workers, and then keeps as many, in a helper. Prints what that costs.
pub fn produce(jobs: usize) -> Outcome {
    let all = std::iter::repeat_n(MESSAGE, jobs);
    let mut outcomes = Server::at(TCP).dispatch_all(all)?;
    println!("{}", outcomes.socket().endpoints()[0]);
    outcomes
        .by_ref()
        .take(jobs / 10)
        .try_for_each(|outcome| outcome.result.map(drop))?;
    let before = resident()?;
    let (threads, descriptors) = (entries("task")?, entries("fd")?);
    outcomes.by_ref().try_for_each(|outcome| outcome.result.map(drop))?;
    let grown = resident()?.saturating_sub(before);
    println!(
        "{jobs} jobs, 8 workers: grows by {} KiB after the first tenth; {threads} threads, {descriptors} descriptors",
        grown / 1024
    );
    drop(outcomes);

    let (dispatch, _outcomes) = Server::at(TCP).high_water_mark(0).dispatch()?;
    let before = resident()?;
    (0..jobs).try_for_each(|_| dispatch(MESSAGE))?;
    let each = (resident()? - before) / jobs as u64;
    println!("{jobs} jobs that wait: {each} B for each, of which 16 B are the job");
    Ok(())
}

/// The resident memory of this process, in bytes.
fn resident() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: u64 = resident.ok_or("no VmRSS")?.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}

fn entries(folder: &str) -> Outcome<usize> {
    Ok(fs::read_dir(format!("/proc/self/{folder}"))?.count())
}

/// How many workers share the jobs of different lengths.
const WORKERS: usize = 4;

/// How long jobs take: 1 to 100 ms, divided by `divisor`, in no order.
fn lengths(jobs: u64, divisor: u32) -> Vec<Duration> {
    let milliseconds = |job: u64| 1 + job.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100;
    (0..jobs)
        .map(|job| Duration::from_millis(milliseconds(job)) / divisor)
        .collect()
}

/// Lets workers sleep for these times, and returns how long that takes.
fn share_by_queue(lengths: &[Duration]) -> Outcome<Duration> {
    let (dispatch, outcomes) = Server::at(TCP).dispatch()?;
    let endpoint = &dispatch.socket().endpoints()[0];
    let _helpers = start_helpers(WORKERS, &["sleep", endpoint])?;
    dispatch.wait_for_workers(WORKERS, START_LIMIT)?;
    let start = Instant::now();
    for length in lengths {
        dispatch.send(&[length.as_micros().to_string()])?;
    }
    drop(dispatch);
    outcomes.into_iter().try_for_each(|outcome| outcome.result.map(drop))?;
    Ok(start.elapsed())
}

/// The same with threads that take the next time when they are free. This shows what the system adds.
fn share_by_threads(lengths: &[Duration]) -> Duration {
    let next = &AtomicUsize::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(length) = lengths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    thread::sleep(*length);
                }
            });
        }
    });
    start.elapsed()
}

/// Sleeps for as many microseconds as a job says, in a helper.
pub fn sleep(endpoint: &str) -> Outcome {
    for job in Client::new().connect_to(endpoint).work()? {
        thread::sleep(Duration::from_micros(zeroless::text(&job).parse()?));
        job.done("")?;
    }
    Ok(())
}

/// Runs all of it with few jobs, to check that it works.
pub fn smoke_test() -> Outcome {
    dispatch(2, 2, 10)?;
    push_and_pull(2, 2, 10)?;
    print_cost(100)?;
    let lengths = lengths(4, 100);
    share_by_queue(&lengths)?;
    share_by_threads(&lengths);
    Ok(())
}
