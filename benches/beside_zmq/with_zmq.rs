//! The tasks with the `zmq` crate, as a newcomer would write them.

use std::time::Duration;

use zmq::{Context, PULL, PUSH, REP, REQ, Socket};

use crate::helper::Helper;
#[cfg(target_os = "linux")]
use crate::idle::IdleCost;
use crate::instructions::fill_and_empty;
use crate::many_peers::{self, BACKLOG};
use crate::run::{Counter, INPROC, Outcome, Run, TCP};

/// Sends with `send_multipart` and receives with `recv_multipart`.
pub fn multipart(run: Run) -> Outcome<Duration> {
    let (push, pull) = link(PUSH, PULL, run.endpoint)?;
    let receive = |count, counter: &mut Counter| receive(&pull, count, counter);
    let send = move |count| send(&push, run.message, count);
    Ok(run.time(receive, send))
}

/// Does the minimum that libzmq requires: receives frames into one `zmq::Message`, and copies nothing out.
pub fn minimum(run: Run) -> Outcome<Duration> {
    let (push, pull) = link(PUSH, PULL, run.endpoint)?;
    let &[frame] = run.message else {
        return Err("the minimum is only for messages of one frame".into());
    };
    let mut message = zmq::Message::new();
    let receive = |count, counter: &mut Counter| {
        for _ in 0..count {
            pull.recv(&mut message, 0)?;
            counter.add(&[&*message])?;
        }
        Ok(())
    };
    let send = move |count| {
        for _ in 0..count {
            push.send(frame, 0)?;
        }
        Ok(())
    };
    Ok(run.time(receive, send))
}

/// Sends requests from one thread to another.
pub fn round_trips(run: Run) -> Outcome<Duration> {
    let (request, reply) = link(REQ, REP, run.endpoint)?;
    let ask = |count, counter: &mut Counter| ask(&request, run.message, count, counter);
    let answer = move |count| answer(&reply, count);
    Ok(run.time(ask, answer))
}

/// Sends requests to another process.
pub fn round_trips_between_processes(run: Run) -> Outcome<Duration> {
    let mut server = Helper::start(&["echo", "zmq"])?;
    let request = Context::new().socket(REQ)?;
    request.connect(&server.read_line()?)?;
    let ask = |count, counter: &mut Counter| ask(&request, run.message, count, counter);
    Ok(run.time_one_side(ask, || ()))
}

/// Replies with each request, forever, in a helper.
pub fn echo() -> Outcome {
    let reply = Context::new().socket(REP)?;
    println!("{}", bind(&reply, TCP)?);
    answer(&reply, usize::MAX)
}

/// Receives from many peers, in a helper.
pub fn pull(endpoint: &str, peers: usize, count: usize) -> Outcome {
    let pull = Context::new().socket(PULL)?;
    pull.set_backlog(BACKLOG)?;
    println!("{}", bind(&pull, endpoint)?);
    many_peers::serve(peers, count, |count, counter| receive(&pull, count, counter))
}

/// Waits in `recv_multipart` while no message arrives.
#[cfg(target_os = "linux")]
pub fn idle(time: Duration) -> Outcome<IdleCost> {
    let (push, pull) = link(PUSH, PULL, TCP)?;
    let receive = move || {
        pull.recv_multipart(0)?;
        Ok(())
    };
    IdleCost::measure(time, receive, || Ok(push.send("wake up", 0)?))
}

/// Fills a queue without limit, and receives its messages if `sides` is `both`, in a helper.
pub fn count(sides: &str, messages: usize) -> Outcome {
    let context = Context::new();
    let (push, pull) = (context.socket(PUSH)?, context.socket(PULL)?);
    push.set_sndhwm(0)?;
    pull.set_rcvhwm(0)?;
    push.connect(&bind(&pull, INPROC)?)?;
    fill_and_empty(
        sides,
        messages,
        |message, count| send(&push, message, count),
        |count, counter| receive(&pull, count, counter),
    )
}

fn link(client: zmq::SocketType, server: zmq::SocketType, endpoint: &str) -> Outcome<(Socket, Socket)> {
    let context = Context::new();
    let (client, server) = (context.socket(client)?, context.socket(server)?);
    client.connect(&bind(&server, endpoint)?)?;
    Ok((client, server))
}

/// Returns the endpoint for clients to connect to.
fn bind(server: &Socket, endpoint: &str) -> Outcome<String> {
    server.bind(endpoint)?;
    let bound = server.get_last_endpoint()?;
    Ok(bound.map_err(|_| "libzmq returned an endpoint that is not valid UTF-8")?)
}

fn send(push: &Socket, message: &[&[u8]], count: usize) -> Outcome {
    for _ in 0..count {
        push.send_multipart(message, 0)?;
    }
    Ok(())
}

fn receive(pull: &Socket, count: usize, counter: &mut Counter) -> Outcome {
    for _ in 0..count {
        counter.add(&pull.recv_multipart(0)?)?;
    }
    Ok(())
}

fn ask(request: &Socket, message: &[&[u8]], count: usize, counter: &mut Counter) -> Outcome {
    for _ in 0..count {
        request.send_multipart(message, 0)?;
        counter.add(&request.recv_multipart(0)?)?;
    }
    Ok(())
}

fn answer(reply: &Socket, count: usize) -> Outcome {
    for _ in 0..count {
        let request = reply.recv_multipart(0)?;
        reply.send_multipart(request, 0)?;
    }
    Ok(())
}
