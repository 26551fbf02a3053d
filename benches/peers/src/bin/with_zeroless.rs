//! zeroless: iterates to receive, calls to send.

#![forbid(unsafe_code)]

use std::thread;

use peers::{HOST, Outcome, Role, Run, announce, or_exit, role, stay};
use zeroless::{Client, Server};

fn main() -> Outcome {
    let (role, run) = role()?;
    match role {
        Role::Both => pull(run, |endpoint| {
            let endpoint = endpoint.to_string();
            thread::spawn(move || or_exit(push(run, &endpoint)));
        }),
        Role::Pull => pull(run, announce),
        Role::Push(endpoint) => push(run, &endpoint),
        Role::Request(endpoint) => request(run, &endpoint),
        Role::Reply => reply(),
    }
}

fn pull(run: Run, listening: impl FnOnce(&str)) -> Outcome {
    let pull = Server::at(format!("tcp://{HOST}:*")).pull()?;
    listening(&pull.socket().endpoints()[0]);
    let mut messages = pull.iter();
    run.time(|| {
        let message = messages.next().ok_or("the messages ended")?;
        run.check(message.iter().map(Vec::len));
        Ok::<_, &str>(())
    })
}

fn push(run: Run, endpoint: &str) -> Outcome {
    let push = Client::new().connect_to(endpoint).push()?;
    for _ in 0..=run.count {
        push(&[run.frame])?;
    }
    stay()
}

fn request(run: Run, endpoint: &str) -> Outcome {
    let (request, replies) = Client::new().connect_to(endpoint).request()?;
    run.time(|| {
        request(&[run.frame])?;
        run.check(replies.recv()?.iter().map(Vec::len));
        zeroless::Result::Ok(())
    })
}

fn reply() -> Outcome {
    let (reply, requests) = Server::at(format!("tcp://{HOST}:*")).reply()?;
    announce(&requests.socket().endpoints()[0]);
    for request in &requests {
        reply.send(&request)?;
    }
    stay()
}
