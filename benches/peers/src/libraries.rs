//! The libraries that are compared. Each does the same work.

use std::time::Duration;

use crate::Outcome;
use crate::measure::Run;

#[derive(Clone, Copy)]
pub struct Library {
    pub name: &'static str,
    /// Does one run, and returns how long it took without the first message, which shows that the sockets are connected.
    pub push_pull: fn(Run) -> Outcome<Duration>,
}

pub const LIBRARIES: [Library; 4] = [
    Library::new("zeroless", with_zeroless::push_pull),
    Library::new("zmq", with_zmq::push_pull),
    Library::new("zeromq", with_zeromq::push_pull),
    Library::new("rzmq", with_rzmq::push_pull),
];

/// The index of the library that all others are compared with: `zmq`.
pub const BASELINE: usize = 1;

impl Library {
    const fn new(name: &'static str, push_pull: fn(Run) -> Outcome<Duration>) -> Library {
        Library { name, push_pull }
    }
}

mod with_zeroless {
    use super::*;
    use zeroless::{Client, Server};

    pub fn push_pull(run: Run) -> Outcome<Duration> {
        let pull = Server::new(0).pull()?;
        let push = Client::new().connect_local(pull.socket().port()?).push()?;

        let mut messages = pull.iter();
        let send = || push(&[run.frame]);
        let receive = || messages.next().ok_or("the messages ended");
        Ok(run.time(send, receive))
    }
}

mod with_zmq {
    use super::*;
    use zmq::{Context, PULL, PUSH};

    pub fn push_pull(run: Run) -> Outcome<Duration> {
        let context = Context::new();
        let pull = context.socket(PULL)?;
        pull.bind("tcp://127.0.0.1:*")?;
        let endpoint = pull
            .get_last_endpoint()?
            .map_err(|_| "libzmq returned an endpoint that is not valid UTF-8")?;
        let push = context.socket(PUSH)?;
        push.connect(&endpoint)?;

        let send = move || push.send_multipart([run.frame], 0);
        let receive = || pull.recv_multipart(0);
        Ok(run.time(send, receive))
    }
}

mod with_zeromq {
    use super::*;
    use std::time::Instant;
    use tokio::runtime::Runtime;
    use zeromq::{PullSocket, PushSocket, Socket, SocketRecv, SocketSend};

    pub fn push_pull(run: Run) -> Outcome<Duration> {
        Runtime::new()?.block_on(time(run))
    }

    async fn time(run: Run) -> Outcome<Duration> {
        let mut pull = PullSocket::new();
        let endpoint = pull.bind("tcp://127.0.0.1:0").await?;
        let mut push = PushSocket::new();
        push.connect(&endpoint.to_string()).await?;
        push.send(run.frame.to_vec().into()).await?;
        run.check(pull.recv().await?.iter().map(|frame| frame.len()));

        let start = Instant::now();
        let sender = tokio::spawn(async move {
            for _ in 0..run.count {
                run.or_exit(push.send(run.frame.to_vec().into()).await);
            }
            push
        });
        let receiver = tokio::spawn(async move {
            for _ in 0..run.count {
                let message = run.or_exit(pull.recv().await);
                run.check(message.iter().map(|frame| frame.len()));
            }
            start.elapsed()
        });
        let elapsed = receiver.await?;
        // Close only after all messages are received: closing does not promise to deliver what the sender still holds.
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

    pub fn push_pull(run: Run) -> Outcome<Duration> {
        Runtime::new()?.block_on(time(run))
    }

    async fn time(run: Run) -> Outcome<Duration> {
        let context = Context::new()?;
        let pull = context.socket(SocketType::Pull)?;
        pull.bind("tcp://127.0.0.1:0").await?;
        let endpoint = String::from_utf8(pull.get_option(LAST_ENDPOINT).await?)?;
        let push = context.socket(SocketType::Push)?;
        push.connect(&endpoint).await?;
        push.send(Msg::from_vec(run.frame.to_vec())).await?;
        run.check([pull.recv().await?.size()]);

        let start = Instant::now();
        let sender = tokio::spawn(async move {
            for _ in 0..run.count {
                run.or_exit(push.send(Msg::from_vec(run.frame.to_vec())).await);
            }
            push
        });
        let receiver = tokio::spawn(async move {
            for _ in 0..run.count {
                run.check([run.or_exit(pull.recv().await).size()]);
            }
            start.elapsed()
        });
        let elapsed = receiver.await?;
        sender.await?.close().await?;
        context.term().await?;
        Ok(elapsed)
    }
}
