//! `zeromq`, in pure Rust. Each side is a task on a tokio runtime with as many threads as there are cores.

#![forbid(unsafe_code)]

use std::future::pending;
use std::time::Instant;

use peers::{HOST, Outcome, Role, Run, announce, finish, or_exit, role};
use tokio::runtime::Runtime;
use tokio::spawn;
use zeromq::{PullSocket, PushSocket, RepSocket, ReqSocket, Socket, SocketRecv, SocketSend, ZmqMessage, ZmqResult};

fn main() -> Outcome {
    let (role, run) = role()?;
    let side = spawn_side(role, run);
    Ok(Runtime::new()?.block_on(side)?)
}

async fn spawn_side(role: Role, run: Run) -> ZmqResult<()> {
    let side = match role {
        Role::Both => spawn(pull(run, move |endpoint| {
            _ = spawn(async move { or_exit(push(run, endpoint).await) })
        })),
        Role::Pull => spawn(pull(run, |endpoint| announce(&endpoint))),
        Role::Push(endpoint) => spawn(push(run, endpoint)),
        Role::Request(endpoint) => spawn(request(run, endpoint)),
        Role::Reply => spawn(reply()),
    };
    side.await.expect("a side does not panic")
}

async fn pull(run: Run, listening: impl FnOnce(String)) -> ZmqResult<()> {
    let mut pull = PullSocket::new();
    listening(pull.bind(&format!("tcp://{HOST}:0")).await?.to_string());
    check(run, &pull.recv().await?);
    let start = Instant::now();
    for _ in 0..run.count {
        check(run, &pull.recv().await?);
    }
    finish(start.elapsed())
}

async fn push(run: Run, endpoint: String) -> ZmqResult<()> {
    let mut push = PushSocket::new();
    push.connect(&endpoint).await?;
    for _ in 0..=run.count {
        push.send(run.frame.to_vec().into()).await?;
    }
    // Closing does not promise to deliver what the socket still holds. The driver ends the process.
    pending().await
}

async fn request(run: Run, endpoint: String) -> ZmqResult<()> {
    let mut request = ReqSocket::new();
    request.connect(&endpoint).await?;
    let mut start = Instant::now();
    for number in 0..=run.count {
        request.send(run.frame.to_vec().into()).await?;
        check(run, &request.recv().await?);
        if number == 0 {
            start = Instant::now();
        }
    }
    finish(start.elapsed())
}

async fn reply() -> ZmqResult<()> {
    let mut reply = RepSocket::new();
    announce(&reply.bind(&format!("tcp://{HOST}:0")).await?.to_string());
    loop {
        let request = reply.recv().await?;
        reply.send(request).await?;
    }
}

fn check(run: Run, message: &ZmqMessage) {
    run.check(message.iter().map(|frame| frame.len()));
}
