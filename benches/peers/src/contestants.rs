//! Those who are compared, each at the same work.

use std::time::Duration;

use crate::Outcome;
use crate::measure::Turn;

#[derive(Clone, Copy)]
pub struct Contestant {
    pub name: &'static str,
    /// Takes a turn, and says how long it took from the second message on: with the first one, they are connected.
    pub push_pull: fn(Turn) -> Outcome<Duration>,
}

pub const CONTESTANTS: [Contestant; 4] = [
    Contestant::new("zeroless", with_zeroless::push_pull),
    Contestant::new("zmq", with_zmq::push_pull),
    Contestant::new("zeromq", with_zeromq::push_pull),
    Contestant::new("rzmq", with_rzmq::push_pull),
];

/// Where the one is that all are measured against: `zmq`.
pub const YARDSTICK: usize = 1;

impl Contestant {
    const fn new(name: &'static str, push_pull: fn(Turn) -> Outcome<Duration>) -> Contestant {
        Contestant { name, push_pull }
    }
}

mod with_zeroless {
    use super::*;
    use zeroless::{Client, Server};

    pub fn push_pull(turn: Turn) -> Outcome<Duration> {
        let pull = Server::new(0).pull()?;
        let push = Client::new().connect_local(pull.socket().port()?).push()?;

        let mut messages = pull.iter();
        let send = || push(&[turn.frame]);
        let receive = || messages.next().ok_or("the messages ended");
        Ok(turn.time(send, receive))
    }
}

mod with_zmq {
    use super::*;
    use zmq::{Context, PULL, PUSH};

    pub fn push_pull(turn: Turn) -> Outcome<Duration> {
        let context = Context::new();
        let pull = context.socket(PULL)?;
        pull.bind("tcp://127.0.0.1:*")?;
        let endpoint = pull
            .get_last_endpoint()?
            .map_err(|_| "libzmq gave an endpoint that is no text")?;
        let push = context.socket(PUSH)?;
        push.connect(&endpoint)?;

        let send = move || push.send_multipart([turn.frame], 0);
        let receive = || pull.recv_multipart(0);
        Ok(turn.time(send, receive))
    }
}

mod with_zeromq {
    use super::*;
    use std::time::Instant;
    use tokio::runtime::Runtime;
    use zeromq::{PullSocket, PushSocket, Socket, SocketRecv, SocketSend};

    pub fn push_pull(turn: Turn) -> Outcome<Duration> {
        Runtime::new()?.block_on(time(turn))
    }

    async fn time(turn: Turn) -> Outcome<Duration> {
        let mut pull = PullSocket::new();
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        let mut push = PushSocket::new();
        push.connect(&endpoint.to_string()).await?;
        push.send(turn.frame.to_vec().into()).await?;
        turn.check(pull.recv().await?.iter().map(|frame| frame.len()));

        let start = Instant::now();
        let sender = tokio::spawn(async move {
            for _ in 0..turn.count {
                turn.must(push.send(turn.frame.to_vec().into()).await);
            }
            push
        });
        let receiver = tokio::spawn(async move {
            for _ in 0..turn.count {
                let message = turn.must(pull.recv().await);
                turn.check(message.iter().map(|frame| frame.len()));
            }
            start.elapsed()
        });
        let elapsed = receiver.await?;
        // Not before all is received: nothing promises that closing delivers what the sender still holds.
        sender.await?.close().await;
        Ok(elapsed)
    }
}

mod with_rzmq {
    use super::*;
    use rzmq::socket::LAST_ENDPOINT;
    use rzmq::{Context, Msg, SocketType};
    use std::time::Instant;
    use tokio::runtime::Runtime;

    pub fn push_pull(turn: Turn) -> Outcome<Duration> {
        Runtime::new()?.block_on(time(turn))
    }

    async fn time(turn: Turn) -> Outcome<Duration> {
        let context = Context::new()?;
        let pull = context.socket(SocketType::Pull)?;
        pull.bind("tcp://127.0.0.1:0").await?;
        let endpoint = String::from_utf8(pull.get_option(LAST_ENDPOINT).await?)?;
        let push = context.socket(SocketType::Push)?;
        push.connect(&endpoint).await?;
        push.send(Msg::from_vec(turn.frame.to_vec())).await?;
        turn.check([pull.recv().await?.size()]);

        let start = Instant::now();
        let sender = tokio::spawn(async move {
            for _ in 0..turn.count {
                turn.must(push.send(Msg::from_vec(turn.frame.to_vec())).await);
            }
            push
        });
        let receiver = tokio::spawn(async move {
            for _ in 0..turn.count {
                turn.check([turn.must(pull.recv().await).size()]);
            }
            start.elapsed()
        });
        let elapsed = receiver.await?;
        sender.await?.close().await?;
        context.term().await?;
        Ok(elapsed)
    }
}
