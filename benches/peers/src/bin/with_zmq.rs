//! The `zmq` crate, with the libzmq that its dependency zmq-sys builds: blocking `send_multipart` and `recv_multipart`.
//! This executable must not use zeroless, which would bring its own libzmq.

#![forbid(unsafe_code)]

use std::thread;

use peers::{HOST, Outcome, Role, Run, announce, or_exit, role, stay};
use zmq::{Context, PULL, PUSH, REP, REQ, Socket};

fn main() -> Outcome {
    let (role, run) = role()?;
    let context = Context::new();
    match role {
        Role::Both => pull(run, &context, |endpoint| {
            let (context, endpoint) = (context.clone(), endpoint.to_string());
            thread::spawn(move || or_exit(push(run, &context, &endpoint)));
        }),
        Role::Pull => pull(run, &context, announce),
        Role::Push(endpoint) => push(run, &context, &endpoint),
        Role::Request(endpoint) => request(run, &context, &endpoint),
        Role::Reply => reply(&context),
    }
}

fn pull(run: Run, context: &Context, listening: impl FnOnce(&str)) -> Outcome {
    let pull = context.socket(PULL)?;
    listening(&bind(&pull)?);
    run.time(|| {
        run.check(pull.recv_multipart(0)?.iter().map(Vec::len));
        zmq::Result::Ok(())
    })
}

fn push(run: Run, context: &Context, endpoint: &str) -> Outcome {
    let push = context.socket(PUSH)?;
    push.connect(endpoint)?;
    for _ in 0..=run.count {
        push.send_multipart([run.frame], 0)?;
    }
    stay()
}

fn request(run: Run, context: &Context, endpoint: &str) -> Outcome {
    let request = context.socket(REQ)?;
    request.connect(endpoint)?;
    run.time(|| {
        request.send_multipart([run.frame], 0)?;
        run.check(request.recv_multipart(0)?.iter().map(Vec::len));
        zmq::Result::Ok(())
    })
}

fn reply(context: &Context) -> Outcome {
    let reply = context.socket(REP)?;
    announce(&bind(&reply)?);
    loop {
        let request = reply.recv_multipart(0)?;
        reply.send_multipart(request, 0)?;
    }
}

/// Returns the endpoint for clients to connect to.
fn bind(server: &Socket) -> Outcome<String> {
    server.bind(&format!("tcp://{HOST}:*"))?;
    let bound = server.get_last_endpoint()?;
    Ok(bound.map_err(|_| "libzmq returned an endpoint that is not valid UTF-8")?)
}
