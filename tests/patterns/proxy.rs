//! Proxies between two sets of handles.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::{self, await_subscribers, client_of, client_of_port, texts, watchdog};
use zeroless::{Client, ErrorKind, ProxySide, Receiver, Result, Sender, Server, Socket, proxy, proxy_with_capture};

/// A proxy that runs in a thread, and the sockets of its two sides.
struct Running {
    frontend: Socket,
    backend: Socket,
    thread: JoinHandle<Result<()>>,
}

impl Running {
    /// A queue between clients that request and workers that reply.
    fn queue() -> Running {
        let (frontend, backend) = (Server::new(0).router().unwrap(), Server::new(0).dealer().unwrap());
        let (front, back) = (frontend.0.socket(), backend.0.socket());
        Running::start(front, back, || proxy(frontend, backend))
    }

    /// A forwarder between publishers and subscribers.
    fn forwarder() -> Running {
        let (frontend, backend) = (Server::new(0).xsubscribe().unwrap(), Server::new(0).xpublish().unwrap());
        let (front, back) = (frontend.0.socket(), backend.0.socket());
        Running::start(front, back, || proxy(frontend, backend))
    }

    /// A streamer between pushers and pullers.
    fn streamer(high_water_mark: u32) -> Running {
        let frontend = Server::new(0).high_water_mark(high_water_mark).pull().unwrap();
        let backend = Server::new(0).high_water_mark(high_water_mark).push().unwrap();
        let (front, back) = (frontend.socket(), backend.socket());
        Running::start(front, back, || proxy(frontend, backend))
    }

    fn start(frontend: Socket, backend: Socket, run: impl FnOnce() -> Result<()> + Send + 'static) -> Running {
        let thread = thread::spawn(run);
        Running {
            frontend,
            backend,
            thread,
        }
    }

    fn to_frontend(&self) -> Client {
        client_of_port(self.frontend.port().unwrap())
    }

    fn to_backend(&self) -> Client {
        client_of_port(self.backend.port().unwrap())
    }

    /// Closes one side, and waits until the proxy ends.
    fn end(self) {
        self.frontend.close();
        self.thread.join().unwrap().unwrap();
        assert!(self.backend.is_closed(), "the proxy had its last handle");
    }
}

/// Replies to `count` requests, or to fewer if the socket is closed.
fn answer(count: usize, (reply, requests): (Sender, Receiver)) {
    for request in requests.iter().take(count) {
        reply.send(&request).unwrap();
    }
}

#[test]
fn queue_returns_each_reply_to_its_client() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 200;
    let _watchdog = watchdog();
    let queue = Running::queue();
    let workers: Vec<_> = (0..4).map(|_| queue.to_backend().reply().unwrap()).collect();
    let sockets: Vec<Socket> = workers.iter().map(|(reply, _)| reply.socket()).collect();
    let answering: Vec<_> = workers
        .into_iter()
        .map(|worker| thread::spawn(|| answer(usize::MAX, worker)))
        .collect();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (request, replies) = queue.to_frontend().request().unwrap();
            scope.spawn(move || {
                for number in 0..REQUESTS {
                    let body = [format!("{client} {number}"), String::new(), "end".to_owned()];
                    request.send(&body).unwrap();
                    assert_eq!(texts(&replies.recv().unwrap()), body);
                }
            });
        }
    });
    sockets.iter().for_each(Socket::close);
    answering.into_iter().for_each(|worker| worker.join().unwrap());
    queue.end();
}

#[test]
fn reply_to_departed_client_harms_no_other() {
    let _watchdog = watchdog();
    let queue = Running::queue();
    let (reply, requests) = queue.to_backend().reply().unwrap();
    for round in 0..20 {
        let hasty = queue.to_frontend().request().unwrap();
        hasty.0(&[b"and gone"]).unwrap();
        assert_eq!(requests.recv().unwrap(), [b"and gone"]);
        drop(hasty);
        reply(&[b"to nobody"]).unwrap();

        let (request, replies) = queue.to_frontend().request().unwrap();
        request.send(&[round.to_string()]).unwrap();
        reply.send(&requests.recv().unwrap()).unwrap();
        assert_eq!(texts(&replies.recv().unwrap()), [round.to_string()]);
    }
    queue.end();
}

#[test]
fn slow_client_blocks_others_only_until_timeout() {
    let _watchdog = watchdog();
    let frontend = Server::at("inproc://proxied-clients")
        .high_water_mark(1)
        .timeout(Duration::from_millis(10))
        .router()
        .unwrap();
    let backend = Server::new(0).dealer().unwrap();
    let (front, back) = (frontend.0.socket(), backend.0.socket());
    let queue = Running::start(front, back, || proxy(frontend, backend));
    let (reply, requests) = queue.to_backend().dealer().unwrap();
    let client = |high_water_mark| {
        let mut client = Client::new();
        client.connect_to("inproc://proxied-clients");
        client.high_water_mark(high_water_mark).dealer().unwrap()
    };
    let (ask, _unread) = client(1);
    let (request, replies) = client(1_000);
    for _ in 0..20 {
        ask(&[b"asks and asks"]).unwrap();
        reply.send(&requests.recv().unwrap()).unwrap();
    }
    request(&[b"question"]).unwrap();
    reply.send(&requests.recv().unwrap()).unwrap();
    assert_eq!(replies.recv().unwrap(), [b"question"]);
    queue.end();
}

#[test]
fn forwarder_passes_news_and_subscriptions() {
    let _watchdog = watchdog();
    let forwarder = Running::forwarder();
    let publish = forwarder.to_frontend().publish().unwrap();
    let mut fan = forwarder.to_backend().subscribe(["sport"]).unwrap();
    let mut sailor = forwarder.to_backend().subscribe(["weather"]).unwrap();
    // The subscriptions reach the publisher through the forwarder.
    await_subscribers(&publish, 2);
    publish(&[b"politics", b"an election"]).unwrap();
    publish(&[b"weather", b"", b"rain"]).unwrap();
    publish(&[b"sport", b"2:1"]).unwrap();
    assert_eq!(texts(&fan.next().unwrap()), ["sport", "2:1"]);
    assert_eq!(texts(&sailor.next().unwrap()), ["weather", "", "rain"]);
    forwarder.end();
}

#[test]
fn streamer_keeps_messages_whole_and_in_order() {
    let _watchdog = watchdog();
    for high_water_mark in [1, 1_000] {
        let streamer = Running::streamer(high_water_mark);
        let push = streamer.to_frontend().push().unwrap();
        let pull = streamer.to_backend().pull().unwrap();
        let message = |number: usize| {
            // Small and large frames in different positions.
            let large = vec![number as u8; [0, 100, 20_000, 300_000][number % 4]];
            let mut frames = vec![number.to_string().into_bytes(), large];
            frames.rotate_left(number % 2);
            frames.resize(2 + number % 3, b"end".to_vec());
            frames
        };
        thread::scope(|scope| {
            scope.spawn(|| (0..1_000).for_each(|number| push.send(&message(number)).unwrap()));
            for (number, received) in pull.iter().take(1_000).enumerate() {
                assert_eq!(received, message(number));
            }
        });
        streamer.end();
    }
}

#[test]
fn streamer_without_workers_blocks_producers() {
    let _watchdog = watchdog();
    let frontend = Server::at("inproc://held").high_water_mark(1).pull().unwrap();
    let backend = Server::new(0).push().unwrap();
    let (front, back) = (frontend.socket(), backend.socket());
    let still_there = frontend.clone();
    let streamer = Running::start(front, back, || proxy(frontend, backend));
    let mut producer = Client::new();
    let push = producer.connect_to("inproc://held").high_water_mark(1).push().unwrap();
    let mut sent = 0;
    while push
        .send_timeout(&[sent.to_string()], Duration::from_millis(200))
        .is_ok()
    {
        sent += 1;
    }
    assert!(sent <= 4, "{sent} messages were taken");
    // It ends nevertheless.
    streamer.backend.close();
    streamer.thread.join().unwrap().unwrap();
    for (number, message) in still_there.iter().take(sent).enumerate() {
        assert_eq!(texts(&message), [number.to_string()], "nothing was taken");
    }
}

#[test]
fn ends_when_either_side_closes() {
    let _watchdog = watchdog();
    for round in 0..100 {
        let (frontend, backend) = (Server::new(0).router().unwrap(), Server::new(0).dealer().unwrap());
        let sockets = [frontend.0.socket(), backend.0.socket()];
        let clones = [frontend.0.clone(), backend.0.clone()];
        let running = thread::spawn(|| proxy(frontend, backend));
        sockets[round % 2].close();
        running.join().unwrap().unwrap();
        assert!(!sockets[1 - round % 2].is_closed());
        drop(clones);
        assert!(sockets[1 - round % 2].is_closed());
    }
}

#[test]
fn one_way_proxy_ends_when_either_side_closes() {
    let _watchdog = watchdog();
    for round in 0..100 {
        let streamer = Running::streamer(1_000);
        // So that it waits sometimes for room, sometimes for a message.
        let pull = (round % 4 < 2).then(|| streamer.to_backend().pull().unwrap());
        [&streamer.frontend, &streamer.backend][round % 2].close();
        streamer.thread.join().unwrap().unwrap();
        drop(pull);
    }
}

#[test]
fn request_and_reply_take_turns() {
    let _watchdog = watchdog();
    let worker = Server::new(0).reply().unwrap();
    let frontend = Server::new(0).reply().unwrap();
    let backend = client_of(&worker.1).request().unwrap();
    let (front, back) = (frontend.0.socket(), backend.0.socket());
    let relay = Running::start(front, back, || proxy(frontend, backend));
    let (request, replies) = relay.to_frontend().request().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| answer(200, worker));
        for number in 0..200 {
            request.send(&[number.to_string()]).unwrap();
            assert_eq!(texts(&replies.recv().unwrap()), [number.to_string()]);
        }
    });
    relay.end();
}

#[test]
fn captures_both_directions() {
    let _watchdog = watchdog();
    let (frontend, backend) = (Server::new(0).router().unwrap(), Server::new(0).dealer().unwrap());
    let (front, back) = (frontend.0.socket(), backend.0.socket());
    let record = Server::new(0).pull().unwrap();
    let capture = client_of(&record).push().unwrap();
    let queue = Running::start(front, back, move || proxy_with_capture(frontend, backend, &capture));
    let (reply, requests) = queue.to_backend().reply().unwrap();
    let (request, replies) = queue.to_frontend().identity("me").request().unwrap();
    request(&[b"question"]).unwrap();
    requests.recv().unwrap();
    reply(&[b"answer"]).unwrap();
    replies.recv().unwrap();
    for word in ["question", "answer"] {
        let captured = record.recv().unwrap();
        assert_eq!(captured[0], b"me");
        assert_eq!(captured.last().unwrap(), word.as_bytes());
    }
    queue.end();
}

#[test]
fn blocked_capture_does_not_prevent_end() {
    let _watchdog = watchdog();
    let (frontend, backend) = (Server::new(0).pull().unwrap(), Server::new(0).push().unwrap());
    let (front, back) = (frontend.socket(), backend.socket());
    let capture = Server::new(0).push().unwrap();
    let streamer = Running::start(front, back, move || proxy_with_capture(frontend, backend, &capture));
    let push = streamer.to_frontend().push().unwrap();
    let pull = streamer.to_backend().pull().unwrap();
    push(&[b"not captured, as nobody pulls there"]).unwrap();
    assert!(pull.recv_timeout(Duration::from_millis(100)).is_err());
    streamer.end();
}

#[test]
fn refuses_mismatched_sides() {
    let _watchdog = watchdog();
    let (push, pull) = support::push_and_pull();
    let publish = Server::new(0).publish().unwrap();
    let topical = Sender::clone(&publish.topic("sport"));
    let sides: [(ProxySide, ProxySide); 3] = [
        (push.clone().into(), push.clone().into()),
        (pull.clone().into(), pull.clone().into()),
        (pull.clone().into(), topical.into()),
    ];
    for (frontend, backend) in sides {
        assert_eq!(proxy(frontend, backend).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
