//! What zeroless does in its turns, as a newcomer would write it.

use std::thread;
use std::time::Duration;

use zeroless::{Client, Message, Receiver, Sender, Server};

use crate::helper::Helper;
#[cfg(target_os = "linux")]
use crate::idle::Rest;
use crate::instructions::fill_and_empty;
use crate::many_peers::{self, BACKLOG};
use crate::turn::{INPROC, Outcome, TCP, Tally, Turn, must, share};

/// Calls to send and iterates to receive.
pub fn iterate(turn: Turn) -> Outcome<Duration> {
    let (push, pull) = link(turn.endpoint)?;
    let receive = |count, tally: &mut Tally| receive(&pull, count, tally);
    let send = |count| send(&push, turn.message, count);
    Ok(turn.time(receive, send))
}

/// Receives into the buffers of one message.
pub fn recv_into(turn: Turn) -> Outcome<Duration> {
    let (push, pull) = link(turn.endpoint)?;
    let mut message = Message::new();
    let receive = |count, tally: &mut Tally| {
        for _ in 0..count {
            pull.recv_into(&mut message)?;
            tally.add(&message)?;
        }
        Ok(())
    };
    let send = |count| send(&push, turn.message, count);
    Ok(turn.time(receive, send))
}

/// Iterates over frames that are not copied.
pub fn frames(turn: Turn) -> Outcome<Duration> {
    let (push, pull) = link(turn.endpoint)?;
    let receive = |count, tally: &mut Tally| {
        for message in pull.frames().take(count) {
            tally.add(&message)?;
        }
        Ok(())
    };
    let send = |count| send(&push, turn.message, count);
    Ok(turn.time(receive, send))
}

/// What tells one of the threads that share a receiver that no more will come.
const END: &[u8] = b"";

/// Has so many threads iterate over one receiver.
pub fn receivers<const THREADS: usize>(turn: Turn) -> Outcome<Duration> {
    let (push, pull) = link(turn.endpoint)?;
    let receive = |_, tally: &mut Tally| {
        thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(|| receive_until_end(&pull, turn.message)));
            for thread in threads {
                tally.include(thread.join().map_err(|_| "a receiver panicked")?);
            }
            Ok(())
        })
    };
    let send = |count| {
        send(&push, turn.message, count)?;
        send(&push, &[END], THREADS)
    };
    Ok(turn.time(receive, send))
}

fn receive_until_end<'a>(pull: &Receiver, expected: &'a [&'a [u8]]) -> Tally<'a> {
    let mut tally = Tally::new(expected);
    for message in pull.iter().take_while(|message| message[0] != END) {
        must(tally.add(&message));
    }
    tally
}

/// Has so many threads send, each with a clone of one sender.
pub fn senders<const THREADS: usize>(turn: Turn) -> Outcome<Duration> {
    let (push, pull) = link(turn.endpoint)?;
    let receive = |count, tally: &mut Tally| receive(&pull, count, tally);
    let send = |count| {
        thread::scope(|scope| {
            for index in 0..THREADS {
                let push = push.clone();
                scope.spawn(move || must(send(&push, turn.message, share(count, index, THREADS))));
            }
        });
        Ok(())
    };
    Ok(turn.time(receive, send))
}

/// Asks one thread from another.
pub fn round_trips(turn: Turn) -> Outcome<Duration> {
    let (reply, requests) = Server::at(turn.endpoint).reply()?;
    let (request, replies) = Client::new().connect_local(requests.socket().port()?).request()?;
    let ask = |count, tally: &mut Tally| ask(&request, &replies, turn.message, count, tally);
    let answer = |count| answer(&reply, &requests, count);
    Ok(turn.time(ask, answer))
}

/// Asks another process.
pub fn round_trips_between_processes(turn: Turn) -> Outcome<Duration> {
    let mut server = Helper::start(&["echo", "zeroless"])?;
    let (request, replies) = Client::new().connect_to(server.said()?).request()?;
    let ask = |count, tally: &mut Tally| ask(&request, &replies, turn.message, count, tally);
    Ok(turn.time_near(ask, || ()))
}

/// Replies with what it is asked, for ever, as a helper.
pub fn echo() -> Outcome {
    let (reply, requests) = Server::at(TCP).reply()?;
    println!("{}", requests.socket().endpoints()[0]);
    answer(&reply, &requests, usize::MAX)
}

/// Receives from many peers, as a helper.
pub fn pull(peers: usize, count: usize) -> Outcome {
    let pull = Server::at(TCP).configure(|socket| socket.set_backlog(BACKLOG)).pull()?;
    println!("{}", pull.socket().endpoints()[0]);
    many_peers::serve(peers, count, |count, tally| receive(&pull, count, tally))
}

/// Waits in `recv` while nothing comes.
#[cfg(target_os = "linux")]
pub fn rest(time: Duration) -> Outcome<Rest> {
    let (push, pull) = link(TCP)?;
    let receive = || {
        pull.recv()?;
        Ok(())
    };
    Rest::observe(time, receive, || Ok(push(&[b"wake up"])?))
}

/// Fills a queue without limit, and may empty it, as a helper.
pub fn count(sides: &str, messages: usize) -> Outcome {
    let pull = Server::at(INPROC).high_water_mark(0).pull()?;
    let push = Client::new().connect_to(INPROC).high_water_mark(0).push()?;
    fill_and_empty(
        sides,
        messages,
        |message, count| send(&push, message, count),
        |count, tally| receive(&pull, count, tally),
    )
}

fn link(endpoint: &str) -> Outcome<(Sender, Receiver)> {
    let pull = Server::at(endpoint).pull()?;
    let push = Client::new().connect_to(&pull.socket().endpoints()[0]).push()?;
    Ok((push, pull))
}

fn send(push: &Sender, message: &[&[u8]], count: usize) -> Outcome {
    for _ in 0..count {
        push(message)?;
    }
    Ok(())
}

fn receive(pull: &Receiver, count: usize, tally: &mut Tally) -> Outcome {
    for message in pull.iter().take(count) {
        tally.add(&message)?;
    }
    Ok(())
}

fn ask(request: &Sender, replies: &Receiver, message: &[&[u8]], count: usize, tally: &mut Tally) -> Outcome {
    for _ in 0..count {
        request(message)?;
        tally.add(&replies.iter().next().ok_or("no reply came")?)?;
    }
    Ok(())
}

fn answer(reply: &Sender, requests: &Receiver, count: usize) -> Outcome {
    for request in requests.iter().take(count) {
        reply.send(&request)?;
    }
    Ok(())
}
