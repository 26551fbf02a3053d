//! The tasks with zeroless, as a newcomer would write them.

use std::thread;
use std::time::Duration;

use zeroless::{Caller, Calls, Client, Message, Receiver, Sender, Server};

use crate::helper::Helper;
#[cfg(target_os = "linux")]
use crate::idle::IdleCost;
use crate::instructions::fill_and_empty;
use crate::many_peers::{self, BACKLOG};
use crate::run::{Counter, INPROC, Outcome, Run, TCP, or_exit, share};

/// Calls to send and iterates to receive.
pub fn iterate(run: Run) -> Outcome<Duration> {
    let (push, pull) = link(run.endpoint)?;
    let receive = |count, counter: &mut Counter| receive(&pull, count, counter);
    let send = |count| send(&push, run.message, count);
    Ok(run.time(receive, send))
}

/// Receives into the buffers of one message.
pub fn recv_into(run: Run) -> Outcome<Duration> {
    let (push, pull) = link(run.endpoint)?;
    let mut message = Message::new();
    let receive = |count, counter: &mut Counter| {
        for _ in 0..count {
            pull.recv_into(&mut message)?;
            counter.add(&message)?;
        }
        Ok(())
    };
    let send = |count| send(&push, run.message, count);
    Ok(run.time(receive, send))
}

/// Iterates over frames that are not copied.
pub fn frames(run: Run) -> Outcome<Duration> {
    let (push, pull) = link(run.endpoint)?;
    let receive = |count, counter: &mut Counter| {
        for message in pull.frames().take(count) {
            counter.add(&message)?;
        }
        Ok(())
    };
    let send = |count| send(&push, run.message, count);
    Ok(run.time(receive, send))
}

/// Tells one of the threads that share a receiver that no more messages come.
const END: &[u8] = b"";

/// Lets this number of threads iterate over one receiver.
pub fn receivers<const THREADS: usize>(run: Run) -> Outcome<Duration> {
    let (push, pull) = link(run.endpoint)?;
    let receive = |_, counter: &mut Counter| {
        thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(|| receive_until_end(&pull, run.message)));
            for thread in threads {
                counter.include(thread.join().map_err(|_| "a receiver panicked")?);
            }
            Ok(())
        })
    };
    let send = |count| {
        send(&push, run.message, count)?;
        send(&push, &[END], THREADS)
    };
    Ok(run.time(receive, send))
}

fn receive_until_end<'a>(pull: &Receiver, expected: &'a [&'a [u8]]) -> Counter<'a> {
    let mut counter = Counter::new(expected);
    for message in pull.iter().take_while(|message| message[0] != END) {
        or_exit(counter.add(&message));
    }
    counter
}

/// Lets this number of threads send, each with a clone of one sender.
pub fn senders<const THREADS: usize>(run: Run) -> Outcome<Duration> {
    let (push, pull) = link(run.endpoint)?;
    let receive = |count, counter: &mut Counter| receive(&pull, count, counter);
    let send = |count| {
        thread::scope(|scope| {
            for index in 0..THREADS {
                let push = push.clone();
                scope.spawn(move || or_exit(send(&push, run.message, share(count, index, THREADS))));
            }
        });
        Ok(())
    };
    Ok(run.time(receive, send))
}

/// Sends requests from one thread to another.
pub fn round_trips(run: Run) -> Outcome<Duration> {
    let (reply, requests) = Server::at(run.endpoint).reply()?;
    let (request, replies) = Client::new().connect_to(&requests.socket().endpoints()[0]).request()?;
    let ask = |count, counter: &mut Counter| ask(&request, &replies, run.message, count, counter);
    let answer = |count| answer(&reply, &requests, count);
    Ok(run.time(ask, answer))
}

/// Sends requests to another process.
pub fn round_trips_between_processes(run: Run) -> Outcome<Duration> {
    let mut server = Helper::start(&["echo", "zeroless"])?;
    let (request, replies) = Client::new().connect_to(server.read_line()?).request()?;
    let ask = |count, counter: &mut Counter| ask(&request, &replies, run.message, count, counter);
    Ok(run.time_one_side(ask, || ()))
}

/// Replies with each request, forever, in a helper.
pub fn echo() -> Outcome {
    let (reply, requests) = Server::at(TCP).reply()?;
    println!("{}", requests.socket().endpoints()[0]);
    answer(&reply, &requests, usize::MAX)
}

/// Lets this number of threads call, all over one caller. One thread serves.
pub fn calls<const THREADS: usize>(run: Run) -> Outcome<Duration> {
    let calls = Server::at(run.endpoint).serve()?;
    let call = Client::new().connect_to(&calls.socket().endpoints()[0]).call()?;
    let ask = |count, counter: &mut Counter| match THREADS {
        1 => ask_by_call(&call, run.message, count, counter),
        _ => thread::scope(|scope| {
            let (call, message) = (&call, run.message);
            let threads: Vec<_> = (0..THREADS)
                .map(|index| scope.spawn(move || call_from_thread(call, message, share(count, index, THREADS))))
                .collect();
            for thread in threads {
                counter.include(thread.join().map_err(|_| "a caller panicked")?);
            }
            Ok(())
        }),
    };
    Ok(run.time(ask, |count| serve(&calls, run.message, count)))
}

fn call_from_thread<'a>(call: &Caller, message: &'a [&'a [u8]], count: usize) -> Counter<'a> {
    let mut counter = Counter::new(message);
    or_exit(ask_by_call(call, message, count, &mut counter));
    counter
}

/// Receives from many peers, in a helper.
pub fn pull(endpoint: &str, peers: usize, count: usize) -> Outcome {
    let pull = Server::at(endpoint)
        .configure(|socket| socket.set_backlog(BACKLOG))
        .pull()?;
    println!("{}", pull.socket().endpoints()[0]);
    many_peers::serve(peers, count, |count, counter| receive(&pull, count, counter))
}

/// Waits in `recv` while no message arrives.
#[cfg(target_os = "linux")]
pub fn idle(time: Duration) -> Outcome<IdleCost> {
    let (push, pull) = link(TCP)?;
    let receive = || {
        pull.recv()?;
        Ok(())
    };
    IdleCost::measure(time, receive, || Ok(push(&[b"wake up"])?))
}

/// Fills a queue without limit, and receives its messages if `sides` is `both`, in a helper.
pub fn count(sides: &str, messages: usize) -> Outcome {
    let pull = Server::at(INPROC).high_water_mark(0).pull()?;
    let push = Client::new().connect_to(INPROC).high_water_mark(0).push()?;
    fill_and_empty(
        sides,
        messages,
        |message, count| send(&push, message, count),
        |count, counter| receive(&pull, count, counter),
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

fn receive(pull: &Receiver, count: usize, counter: &mut Counter) -> Outcome {
    for message in pull.iter().take(count) {
        counter.add(&message)?;
    }
    Ok(())
}

fn ask(request: &Sender, replies: &Receiver, message: &[&[u8]], count: usize, counter: &mut Counter) -> Outcome {
    for _ in 0..count {
        request(message)?;
        counter.add(&replies.iter().next().ok_or("no reply arrived")?)?;
    }
    Ok(())
}

fn answer(reply: &Sender, requests: &Receiver, count: usize) -> Outcome {
    for request in requests.iter().take(count) {
        reply.send(&request)?;
    }
    Ok(())
}

fn ask_by_call(call: &Caller, message: &[&[u8]], count: usize, counter: &mut Counter) -> Outcome {
    for _ in 0..count {
        counter.add(&call(message)?)?;
    }
    Ok(())
}

fn serve(calls: &Calls, answer: &[&[u8]], count: usize) -> Outcome {
    for call in calls.into_iter().take(count) {
        call.reply(answer)?;
    }
    Ok(())
}
