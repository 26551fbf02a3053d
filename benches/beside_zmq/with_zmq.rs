//! What the bare `zmq` crate does in its turns, as a newcomer would write it.

use std::time::Duration;

use zmq::{Context, PULL, PUSH, REP, REQ, Socket};

use crate::helper::Helper;
#[cfg(target_os = "linux")]
use crate::idle::Rest;
use crate::instructions::fill_and_empty;
use crate::many_peers::{self, BACKLOG};
use crate::turn::{INPROC, Outcome, TCP, Tally, Turn};

/// Sends with `send_multipart` and receives with `recv_multipart`.
pub fn multipart(turn: Turn) -> Outcome<Duration> {
    let (push, pull) = link(PUSH, PULL, turn.endpoint)?;
    let receive = |count, tally: &mut Tally| receive(&pull, count, tally);
    let send = move |count| send(&push, turn.message, count);
    Ok(turn.time(receive, send))
}

/// The least that libzmq asks for: receives frames into one `zmq::Message`, where they stay.
pub fn floor(turn: Turn) -> Outcome<Duration> {
    let (push, pull) = link(PUSH, PULL, turn.endpoint)?;
    let &[frame] = turn.message else {
        return Err("the floor is for messages of one frame".into());
    };
    let mut message = zmq::Message::new();
    let receive = |count, tally: &mut Tally| {
        for _ in 0..count {
            pull.recv(&mut message, 0)?;
            tally.add(&[&*message])?;
        }
        Ok(())
    };
    let send = move |count| {
        for _ in 0..count {
            push.send(frame, 0)?;
        }
        Ok(())
    };
    Ok(turn.time(receive, send))
}

/// Asks one thread from another.
pub fn round_trips(turn: Turn) -> Outcome<Duration> {
    let (request, reply) = link(REQ, REP, turn.endpoint)?;
    let ask = |count, tally: &mut Tally| ask(&request, turn.message, count, tally);
    let answer = move |count| answer(&reply, count);
    Ok(turn.time(ask, answer))
}

/// Asks another process.
pub fn round_trips_between_processes(turn: Turn) -> Outcome<Duration> {
    let mut server = Helper::start(&["echo", "zmq"])?;
    let request = Context::new().socket(REQ)?;
    request.connect(&server.said()?)?;
    let ask = |count, tally: &mut Tally| ask(&request, turn.message, count, tally);
    Ok(turn.time_near(ask, || ()))
}

/// Replies with what it is asked, for ever, as a helper.
pub fn echo() -> Outcome {
    let reply = Context::new().socket(REP)?;
    println!("{}", bind(&reply, TCP)?);
    answer(&reply, usize::MAX)
}

/// Receives from many peers, as a helper.
pub fn pull(peers: usize, count: usize) -> Outcome {
    let pull = Context::new().socket(PULL)?;
    pull.set_backlog(BACKLOG)?;
    println!("{}", bind(&pull, TCP)?);
    many_peers::serve(peers, count, |count, tally| receive(&pull, count, tally))
}

/// Waits in `recv_multipart` while nothing comes.
#[cfg(target_os = "linux")]
pub fn rest(time: Duration) -> Outcome<Rest> {
    let (push, pull) = link(PUSH, PULL, TCP)?;
    let receive = move || {
        pull.recv_multipart(0)?;
        Ok(())
    };
    Rest::observe(time, receive, || Ok(push.send("wake up", 0)?))
}

/// Fills a queue without limit, and may empty it, as a helper.
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
        |count, tally| receive(&pull, count, tally),
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
    Ok(bound.map_err(|_| "libzmq gave an endpoint that is no text")?)
}

fn send(push: &Socket, message: &[&[u8]], count: usize) -> Outcome {
    for _ in 0..count {
        push.send_multipart(message, 0)?;
    }
    Ok(())
}

fn receive(pull: &Socket, count: usize, tally: &mut Tally) -> Outcome {
    for _ in 0..count {
        tally.add(&pull.recv_multipart(0)?)?;
    }
    Ok(())
}

fn ask(request: &Socket, message: &[&[u8]], count: usize, tally: &mut Tally) -> Outcome {
    for _ in 0..count {
        request.send_multipart(message, 0)?;
        tally.add(&request.recv_multipart(0)?)?;
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
