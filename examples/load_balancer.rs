//! A load balancer: each request goes to the worker that has been idle longest, or waits while all workers are busy.
//!
//! So a slow request delays only its own worker, and no other request. When an idle worker leaves, nothing is lost. When
//! a worker dies while it works, its request is lost, and the client sends it again. When the balancer restarts, it knows
//! no worker, so a worker that hears nothing for two seconds reports again that it is ready.
//!
//! This shows how to build such a thing of sockets. For jobs that one program hands out, `dispatch` and `work` do all of
//! it, and also give the job of a dead worker to another one: see the chapter about jobs in the guide.
//!
//! ```text
//!   client ◀──┐             ┌────────┬────────┐                 ┌──▶ worker
//!   client ◀──┼─── PORT ───▶│ router │ router │◀── PORT + 1 ────┼──▶ worker
//!   client ◀──┘             └────────┴────────┘                 └──▶ worker
//!                                balancer
//! ```
//!
//! ```sh
//! cargo run --example load_balancer -- balancer
//! cargo run --example load_balancer -- worker    # one or more
//! cargo run --example load_balancer -- client
//! ```

mod cli;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Duration;

use zeroless::crossbeam_channel::{never, select};
use zeroless::{Client, ErrorKind, Message, Result, Sender, Server, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role_with_two_ports(&[("balancer", balancer), ("worker", worker), ("client", client)])
}

fn balancer(port: u16) -> Result<()> {
    let (reply, requests) = Server::new(port).router()?;
    let (assign, reports) = Server::new(port + 1).router()?;
    let (requests, reports) = (requests.into_channel(1), reports.into_channel(100));
    println!("clients at port {port}, workers at port {}; Ctrl-C to stop", port + 1);

    let no_requests = never();
    let mut idle = VecDeque::new();
    let mut job = None;
    loop {
        // While no worker is idle, the next request stays in its queue.
        let clients = if job.is_none() && !idle.is_empty() {
            &*requests
        } else {
            &no_requests
        };
        select! {
            recv(reports) -> report => match report {
                Ok(report) => {
                    let worker = take_report(report, &reply)?;
                    if !idle.contains(&worker) {
                        idle.push_back(worker);
                    }
                }
                Err(_) => return Ok(()), // the socket was closed
            },
            recv(clients) -> request => match request {
                Ok(request) => job = Some(request),
                Err(_) => return Ok(()),
            },
        }
        if let Some(request) = job.take() {
            job = assign_job(request, &mut idle, &assign)?;
        }
    }
}

/// Sends a worker's reply to its client, if the report is a reply. Returns the id of the worker, which is idle.
fn take_report(mut report: Message, reply: &Sender) -> Result<Vec<u8>> {
    let worker = report.remove(0);
    // A reply begins with the routing id of the client. A single frame means that the worker is ready.
    if report.len() > 1 {
        is_there(reply.send(&report))?; // a client that has left needs no reply
    }
    Ok(worker)
}

/// Gives a job to the first idle worker that is still there. Returns the job if there is none.
fn assign_job(job: Message, idle: &mut VecDeque<Vec<u8>>, assign: &Sender) -> Result<Option<Message>> {
    while let Some(worker) = idle.pop_front() {
        let frames: Message = [worker].into_iter().chain(job.iter().cloned()).collect();
        if is_there(assign.send(&frames))? {
            return Ok(None);
        }
    }
    Ok(Some(job))
}

/// Returns whether the peer that a message was sent to is still there.
fn is_there(outcome: Result<()>) -> Result<bool> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

fn worker(port: u16) -> Result<()> {
    let (report, jobs) = Client::new()
        .connect_local(port + 1)
        .timeout(Duration::from_secs(2))
        .dealer()?;
    report(&[b"ready"])?;
    println!("waiting for requests from port {}; Ctrl-C to stop", port + 1);
    let signature = format!("by worker {}", std::process::id());
    for job in jobs.incoming() {
        let mut job = match job {
            // The balancer may have restarted.
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                report(&[b"ready"])?;
                continue;
            }
            job => job?,
        };
        // The envelope, up to and including the empty frame, names the client. The reply starts with the same envelope.
        let envelope = job
            .iter()
            .position(|frame| frame.is_empty())
            .map_or(1, |empty| empty + 1);
        let request = job.split_off(envelope);
        println!("asked for {}", text(&request));
        job.extend(request.iter().map(|frame| frame.to_ascii_uppercase()));
        job.push(signature.clone().into_bytes());
        report.send(&job)?;
    }
    Ok(())
}

fn client(port: u16) -> Result<()> {
    let (request, replies) = Client::new()
        .connect_local(port)
        .timeout(Duration::from_secs(2))
        .request()?;
    for question in ["one", "two", "three"] {
        loop {
            request(&[question.as_bytes()])?;
            match replies.recv() {
                Ok(reply) => break println!("{question} is {}", text(&reply)),
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    println!("no reply to {question} yet; are the balancer and a worker running?");
                }
                // Another request would fail, too, for example because the server does not reply to requests at all.
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
