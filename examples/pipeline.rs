//! A pipeline: a ventilator hands out jobs, workers do them in parallel, and a sink collects the results.
//!
//! Each worker process has four threads. No process knows how many others there are: each job goes to the next connected
//! worker, and a worker stops when no job has arrived for a while.
//!
//! Jobs are dealt out in advance, so a worker that dies takes its share along. `dispatch` and `work` lose none: see the
//! chapter about jobs in the guide.
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
//! cargo run --example pipeline -- worker    # one or more
//! ```

mod cli;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use zeroless::{Client, Result, Server, text};

/// The ventilator hands out this number of jobs, and the sink collects the same number of results.
const JOBS: usize = 200;

/// A worker stops after this time without a job.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role_with_two_ports(&[("ventilator", ventilator), ("worker", worker), ("sink", sink)])
}

fn ventilator(port: u16) -> Result<()> {
    let push = Server::new(port).push()?;
    println!("handing out {JOBS} jobs at port {port}");
    for number in 1..=JOBS {
        // A real ventilator takes some time to make a job.
        thread::sleep(Duration::from_millis(2));
        push.send(&[number.to_string()])?;
    }
    println!("no jobs are left");
    Ok(())
}

fn worker(port: u16) -> Result<()> {
    let jobs = Client::new().connect_local(port).timeout(IDLE_TIMEOUT).pull()?;
    // There is no timeout here, so no result is lost if the sink starts late.
    let results = Client::new().connect_local(port + 1).push()?;
    println!("working until no job arrives for {} seconds", IDLE_TIMEOUT.as_secs());
    let name = format!("worker {}", std::process::id());
    jobs.workers(4, |job| {
        // A real job takes some time.
        thread::sleep(Duration::from_millis(5));
        let Some(square) = number(&job[0]).and_then(|number| number.checked_mul(number)) else {
            return eprintln!("cannot square {}", text(&job));
        };
        if let Err(error) = results.send(&[&name, &square.to_string()]) {
            eprintln!("cannot send the result {square}: {error}");
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
