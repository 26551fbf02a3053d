//! A pipeline: a ventilator hands out jobs, workers do them side by side, and a sink collects what comes of them.
//!
//! Each worker process has four threads. No process is told how many others there are: a job goes to the next worker
//! that is there, and a worker ends when no job has come for a while.
//!
//! ```text
//!                                 ┌──▶ worker ──┐
//!   ventilator (server) ── PORT ──┼──▶ worker ──┼── PORT + 1 ──▶ sink (server)
//!                                 └──▶ worker ──┘
//! ```
//!
//! ```sh
//! cargo run --example pipeline -- sink
//! cargo run --example pipeline -- ventilator
//! cargo run --example pipeline -- worker    # several, if you like
//! ```

mod cli;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use zeroless::{Client, Result, Server};

/// The sink awaits as many results as the ventilator has jobs.
const JOBS: usize = 200;

/// A worker that has had no job for so long ends.
const SILENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    env_logger::init();
    cli::play_at_two_ports(&[("ventilator", ventilator), ("worker", worker), ("sink", sink)])
}

fn ventilator(port: u16) -> Result<()> {
    let push = Server::new(port).push()?;
    println!("handing out {JOBS} jobs at port {port}");
    for number in 1..=JOBS {
        // It stands for the work of making a job.
        thread::sleep(Duration::from_millis(2));
        push.send(&[number.to_string()])?;
    }
    println!("no jobs are left");
    Ok(())
}

fn worker(port: u16) -> Result<()> {
    let jobs = Client::new().connect_local(port).timeout(SILENCE).pull()?;
    // Without a timeout, so that no result is given up when the sink is late.
    let results = Client::new().connect_local(port + 1).push()?;
    println!("working until there is no job for {} seconds", SILENCE.as_secs());
    let me = format!("worker {}", std::process::id());
    jobs.workers(4, |job| {
        // It stands for the work of most jobs.
        thread::sleep(Duration::from_millis(5));
        let Some(square) = number(&job[0]).and_then(|number| number.checked_mul(number)) else {
            return eprintln!("cannot square {}", cli::text(&job));
        };
        if let Err(error) = results.send(&[&me, &square.to_string()]) {
            eprintln!("the square {square} is lost: {error}");
        }
    })
}

fn sink(port: u16) -> Result<()> {
    let results = Server::new(port + 1).pull()?;
    println!("collecting {JOBS} results at port {}", port + 1);
    let mut sum: u64 = 0;
    let mut shares: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for mut result in results.iter().take(JOBS) {
        let square = result.pop().and_then(|square| number(&square));
        sum = sum.saturating_add(square.unwrap_or(0));
        *shares.entry(result.concat()).or_default() += 1;
    }
    for (worker, jobs) in shares {
        println!("{} did {jobs} jobs", String::from_utf8_lossy(&worker));
    }
    println!("the squares of 1 to {JOBS} add up to {sum}");
    Ok(())
}

fn number(frame: &[u8]) -> Option<u64> {
    std::str::from_utf8(frame).ok()?.parse().ok()
}
