//! A load balancer: each request goes to the worker that has been idle longest, and waits while all of them are busy.
//!
//! So a slow request holds up one worker, and none of the requests behind it. A worker that leaves while it is idle
//! costs nothing; with one that dies at work its request is lost, and the client asks again. Workers say only once
//! that they are ready, so a balancer that is started anew wants new workers.
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
//! cargo run --example load_balancer -- worker    # several, if you like
//! cargo run --example load_balancer -- client
//! ```

mod cli;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Duration;

use zeroless::crossbeam_channel::{never, select};
use zeroless::{Client, ErrorKind, Message, Result, Sender, Server};

fn main() -> ExitCode {
    env_logger::init();
    cli::play_at_two_ports(&[("balancer", balancer), ("worker", worker), ("client", client)])
}

fn balancer(port: u16) -> Result<()> {
    let (answer, requests) = Server::new(port).router()?;
    let (assign, reports) = Server::new(port + 1).router()?;
    let (requests, reports) = (requests.into_channel(1), reports.into_channel(100));
    println!("clients at port {port}, workers at port {}; Ctrl-C ends it", port + 1);

    let nobody = never();
    let mut idle = VecDeque::new();
    let mut job = None;
    loop {
        // While no one could do it, the next request stays where it is.
        let clients = if job.is_none() && !idle.is_empty() {
            &*requests
        } else {
            &nobody
        };
        select! {
            recv(reports) -> report => match report {
                Ok(report) => idle.push_back(take_report(report, &answer)?),
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

/// Passes a worker's reply on, if it is one, and returns which worker is idle now.
fn take_report(mut report: Message, answer: &Sender) -> Result<Vec<u8>> {
    let worker = report.remove(0);
    // A reply begins with who asked. Just one frame says that the worker is ready.
    if report.len() > 1 {
        is_there(answer.send(&report))?; // a client that has left wants no reply
    }
    Ok(worker)
}

/// Gives a job to the first worker that is still there. Returns the job if none is.
fn assign_job(job: Message, idle: &mut VecDeque<Vec<u8>>, assign: &Sender) -> Result<Option<Message>> {
    while let Some(worker) = idle.pop_front() {
        let frames: Message = [worker].into_iter().chain(job.iter().cloned()).collect();
        if is_there(assign.send(&frames))? {
            return Ok(None);
        }
    }
    Ok(Some(job))
}

/// Whether the peer that something was sent to is still there.
fn is_there(outcome: Result<()>) -> Result<bool> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

fn worker(port: u16) -> Result<()> {
    let (report, jobs) = Client::new().connect_local(port + 1).dealer()?;
    report(&[b"ready"])?;
    println!("working for port {}; Ctrl-C ends it", port + 1);
    let signature = format!("by worker {}", std::process::id());
    for mut job in jobs {
        // What comes before the request says who asked, up to an empty frame. It goes before the reply as it came.
        let envelope = job
            .iter()
            .position(|frame| frame.is_empty())
            .map_or(1, |empty| empty + 1);
        let request = job.split_off(envelope);
        println!("asked for {}", cli::text(&request));
        job.extend(request.iter().map(|frame| frame.to_ascii_uppercase()));
        job.push(signature.clone().into_bytes());
        report.send(&job)?;
    }
    Ok(())
}

fn client(port: u16) -> Result<()> {
    let (request, mut replies) = Client::new()
        .connect_local(port)
        .timeout(Duration::from_secs(2))
        .request()?;
    for question in ["one", "two", "three"] {
        loop {
            request(&[question.as_bytes()])?;
            match replies.next() {
                Some(reply) => break println!("{question} is {}", cli::text(&reply)),
                None => println!("no reply to {question} yet; are the balancer and a worker there?"),
            }
        }
    }
    Ok(())
}
