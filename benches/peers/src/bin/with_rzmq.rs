//! `rzmq`, in pure Rust. Each side is a task on a tokio runtime with as many threads as there are cores.

#![forbid(unsafe_code)]

use std::future::pending;
use std::time::Instant;

use peers::{HOST, Outcome, Role, Run, announce, finish, or_exit, role};
use rzmq::socket::LAST_ENDPOINT;
use rzmq::{Context, Msg, Socket, SocketType, ZmqError};
use tokio::runtime::Runtime;
use tokio::spawn;

fn main() -> Outcome {
    let (role, run) = role()?;
    let side = spawn_side(role, run);
    Ok(Runtime::new()?.block_on(side)?)
}

async fn spawn_side(role: Role, run: Run) -> Result<(), ZmqError> {
    let context = Context::new()?;
    let side = match role {
        Role::Both => {
            let pusher = context.clone();
            let listening = move |endpoint| _ = spawn(async move { or_exit(push(run, pusher, endpoint).await) });
            spawn(pull(run, context, listening))
        }
        Role::Pull => spawn(pull(run, context, |endpoint| announce(&endpoint))),
        Role::Push(endpoint) => spawn(push(run, context, endpoint)),
        Role::Request(endpoint) => spawn(request(run, context, endpoint)),
        Role::Reply => spawn(reply(context)),
    };
    side.await.expect("a side does not panic")
}

async fn pull(run: Run, context: Context, listening: impl FnOnce(String)) -> Result<(), ZmqError> {
    let pull = context.socket(SocketType::Pull)?;
    listening(bind(&pull).await?);
    run.check([pull.recv().await?.size()]);
    let start = Instant::now();
    for _ in 0..run.count {
        run.check([pull.recv().await?.size()]);
    }
    finish(start.elapsed())
}

async fn push(run: Run, context: Context, endpoint: String) -> Result<(), ZmqError> {
    let push = context.socket(SocketType::Push)?;
    push.connect(&endpoint).await?;
    for _ in 0..=run.count {
        push.send(Msg::from_vec(run.frame.to_vec())).await?;
    }
    // The driver ends the process when all messages are received.
    pending().await
}

async fn request(run: Run, context: Context, endpoint: String) -> Result<(), ZmqError> {
    let request = context.socket(SocketType::Req)?;
    request.connect(&endpoint).await?;
    let mut start = Instant::now();
    for number in 0..=run.count {
        request.send(Msg::from_vec(run.frame.to_vec())).await?;
        run.check([request.recv().await?.size()]);
        if number == 0 {
            start = Instant::now();
        }
    }
    finish(start.elapsed())
}

async fn reply(context: Context) -> Result<(), ZmqError> {
    let reply = context.socket(SocketType::Rep)?;
    announce(&bind(&reply).await?);
    loop {
        let request = reply.recv().await?;
        reply.send(request).await?;
    }
}

/// Returns the endpoint for clients to connect to.
async fn bind(server: &Socket) -> Result<String, ZmqError> {
    server.bind(&format!("tcp://{HOST}:0")).await?;
    let endpoint = server.get_option(LAST_ENDPOINT).await?;
    Ok(String::from_utf8_lossy(&endpoint).into_owned())
}
