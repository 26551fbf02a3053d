//! What continues and what is lost when servers are killed and networks fail.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::relay::{self, Relay};
use crate::support::{
    self, Process, argument_of_child, client_of_port, report, texts, unused_port, wait_until, watchdog,
};
use crossbeam_channel::tick;
use zeroless::{Client, ErrorKind, Message, Receiver, Sender, Server};

/// Long enough for a running server to reply, even on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// Starts a server on a port, in a process that is killed when it is dropped.
fn serve<T: Fn()>(test: T, port: u16) -> (Process, impl Iterator<Item = String> + use<T>) {
    support::serve_in_child(test, &port.to_string())
}

/// The recipe of a server on the port that [`serve`] has passed.
fn server_of_child() -> Server {
    Server::new(argument_of_child().parse().unwrap()).clone()
}

/// The recipe of a client, and a receiver of a message for each connection that this client loses.
///
/// When that message arrives, libzmq gives nothing more to the lost connection: what is sent from then on is queued.
/// The receiver is leaked. Without a receiver, libzmq would block forever to report a lost connection, and all other
/// connections with it.
fn watched_client_of(port: u16) -> (Client, &'static Receiver) {
    let endpoint = format!("inproc://losses-at-{port}");
    let (_, losses) = Client::new().connect_to(&endpoint).pair().unwrap();
    let mut client = client_of_port(port);
    client.linger(Duration::ZERO).configure(move |socket| {
        let lost = zmq::SocketEvent::DISCONNECTED.to_raw();
        socket.monitor(&endpoint, lost.into())
    });
    (client, Box::leak(Box::new(losses)))
}

#[test]
#[ignore = "runs as a child process of another test"]
fn pulls_until_killed() {
    let pull = server_of_child().pull().unwrap();
    report("listening");
    pull.iter().for_each(|message| report(texts(&message)[0]));
}

#[test]
#[ignore = "runs as a child process of another test"]
fn subscribes_until_killed() {
    let news = server_of_child().subscribe([""]).unwrap();
    report("listening");
    news.iter().for_each(|message| report(texts(&message)[0]));
}

/// Each line of its input is a number of subscriptions to wait for, and what to publish then.
#[test]
#[ignore = "runs as a child process of another test"]
fn publishes_until_killed() {
    let publish = server_of_child().publish().unwrap();
    report("listening");
    for line in io::stdin().lines().map_while(|line| line.ok()) {
        let (subscriptions, news) = line.split_once(' ').unwrap();
        support::await_subscribers(&publish, subscriptions.parse().unwrap());
        publish.send(&[news]).unwrap();
    }
}

/// Replies to every request except "hold on".
#[test]
#[ignore = "runs as a child process of another test"]
fn replies_until_killed() {
    let (reply, requests) = server_of_child().reply().unwrap();
    report("listening");
    for request in requests {
        if texts(&request) == ["hold on"] {
            report("holding on");
            io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
        reply.send(&request).unwrap();
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn routes_until_killed() {
    let (answer, questions) = server_of_child().router().unwrap();
    report("listening");
    questions.iter().for_each(|question| answer.send(&question).unwrap());
}

#[test]
#[ignore = "runs as a child process of another test"]
fn talks_until_killed() {
    let (say, hear) = server_of_child().pair().unwrap();
    report("listening");
    hear.iter().for_each(|heard| say.send(&heard).unwrap());
}

#[test]
fn push_reaches_restarted_puller() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (client, losses) = watched_client_of(port);
    let push = client.push().unwrap();
    push(&[b"queued 0"]).unwrap();
    for life in 1..4 {
        let (server, mut reports) = serve(pulls_until_killed, port);
        assert_eq!(reports.next().unwrap(), format!("queued {}", life - 1));
        push(&[b"at once"]).unwrap();
        assert_eq!(reports.next().unwrap(), "at once");
        drop(server);
        losses.recv().unwrap();
        push.send(&[format!("queued {life}")]).unwrap();
    }
}

#[test]
fn subscription_reaches_restarted_publisher() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (client, losses) = watched_client_of(port);
    let news = client.subscribe(["0"]).unwrap();
    for life in 1..4 {
        let (mut server, _reports) = serve(publishes_until_killed, port);
        for topic in 0..life {
            server.types(&format!("{life} {topic}"));
            assert_eq!(texts(&news.recv().unwrap()), [topic.to_string()]);
        }
        drop(server);
        losses.recv().unwrap();
        news.subscribe(life.to_string()).unwrap();
    }
}

#[test]
fn publication_reaches_restarted_subscriber() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (client, losses) = watched_client_of(port);
    let publish = client.publish().unwrap();
    let (server, mut reports) = serve(subscribes_until_killed, port);
    support::await_subscribers(&publish, 1);
    publish(&[b"at once"]).unwrap();
    assert_eq!(reports.next().unwrap(), "at once");
    drop(server);
    losses.recv().unwrap();
    publish(&[b"queued"]).unwrap();
    let (_server, mut reports) = serve(subscribes_until_killed, port);
    assert_eq!(reports.next().unwrap(), "queued");
}

/// Sends requests before and after a server is killed, and asserts that both are answered.
fn ask_and_ask_a_server_that_was_killed(
    test: impl Fn() + Copy,
    pattern: fn(&Client) -> zeroless::Result<(Sender, Receiver)>,
) {
    let port = unused_port();
    let (client, losses) = watched_client_of(port);
    let (ask, answers) = pattern(&client).unwrap();
    ask(&[b"queued 0"]).unwrap();
    for life in 1..4 {
        let (server, _reports) = serve(test, port);
        assert_eq!(texts(&answers.recv().unwrap()), [format!("queued {}", life - 1)]);
        ask(&[b"at once"]).unwrap();
        assert_eq!(answers.recv().unwrap(), [b"at once"]);
        drop(server);
        losses.recv().unwrap();
        ask.send(&[format!("queued {life}")]).unwrap();
    }
}

#[test]
fn request_reaches_restarted_server() {
    let _watchdog = watchdog();
    ask_and_ask_a_server_that_was_killed(replies_until_killed, Client::request);
}

#[test]
fn dealer_reaches_restarted_router() {
    let _watchdog = watchdog();
    ask_and_ask_a_server_that_was_killed(routes_until_killed, Client::dealer);
}

#[test]
fn pair_reaches_restarted_peer() {
    let _watchdog = watchdog();
    ask_and_ask_a_server_that_was_killed(talks_until_killed, Client::pair);
}

#[test]
fn killed_server_loses_only_what_was_sent_before_notice() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (client, losses) = watched_client_of(port);
    let push = client.push().unwrap();
    let (begun, enough) = (AtomicUsize::new(0), AtomicBool::new(false));

    // So large that the system's buffers hold thousands of messages, not millions.
    let padding = "x".repeat(1 << 10);
    let (first, noticed, second) = thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Ordering::SeqCst) {
                let number = begun.fetch_add(1, Ordering::SeqCst);
                push.send(&[&number.to_string(), &padding]).unwrap();
            }
            push(&[b"end"]).unwrap();
        });
        let (server, mut reports) = serve(pulls_until_killed, port);
        let mut first: Vec<String> = reports.by_ref().take(500).collect();
        drop(server);
        first.extend(reports);
        losses.recv().unwrap();
        let noticed = begun.load(Ordering::SeqCst);

        let (_server, mut reports) = serve(pulls_until_killed, port);
        let mut second: Vec<String> = reports.by_ref().take(1).collect();
        enough.store(true, Ordering::SeqCst);
        second.extend(reports.take_while(|report| report != "end"));
        (first, noticed, second)
    });

    let arrived =
        |reports: Vec<String>| -> Vec<usize> { reports.iter().map(|number| number.parse().unwrap()).collect() };
    let (first, second) = (arrived(first), arrived(second));
    let (killed, restarted, end) = (first.len(), second[0], begun.into_inner());
    let lost = format!("{killed} arrived, and the next was {restarted}; {noticed} had been sent when it was noticed");
    assert!(first.into_iter().eq(0..killed), "{lost}");
    assert!(second.into_iter().eq(restarted..end), "{lost}");
    assert!((killed..=noticed).contains(&restarted), "{lost}");
}

#[test]
fn next_request_replaces_unanswered_one() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (client, losses) = watched_client_of(port);
    let (request, replies) = client.request().unwrap();
    let assert_unanswered = || {
        let error = replies.recv_timeout(Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    };
    for round in 0..3 {
        let (server, mut reports) = serve(replies_until_killed, port);
        request(&[b"hold on"]).unwrap();
        assert_eq!(reports.next().unwrap(), "holding on");
        drop(server);
        assert_unanswered();
        losses.recv().unwrap();
        request(&[b"to nobody"]).unwrap();
        assert_unanswered();

        let (server, _reports) = serve(replies_until_killed, port);
        for number in 0..3 {
            let question = format!("{number} of round {round}");
            request.send(&[&question]).unwrap();
            assert_eq!(texts(&replies.recv_timeout(LONG).unwrap()), [question]);
        }
        drop(server);
        losses.recv().unwrap();
    }
}

#[test]
fn heartbeat_replaces_stalled_connection() {
    let _watchdog = watchdog();
    let heartbeat = Duration::from_millis(200);
    let pull = Server::new(0).pull().unwrap();
    let relay = Relay::to(pull.socket().port().unwrap());
    let push = client_of_port(relay.port())
        .heartbeat(heartbeat)
        .linger(Duration::ZERO)
        .push()
        .unwrap();
    relay.await_connection();
    for round in 0..2 {
        push.send(&[format!("before {round}")]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), [format!("before {round}")]);

        relay.stall();
        let stalled = Instant::now();
        relay.await_connection();
        assert!(stalled.elapsed() < 10 * heartbeat, "it took {:?}", stalled.elapsed());
        push.send(&[format!("after {round}")]).unwrap();
        relay.resume();
        assert_eq!(texts(&pull.recv().unwrap()), [format!("after {round}")]);
    }
}

#[test]
fn push_arrives_after_refused_connections() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let mut relay = Relay::to(pull.socket().port().unwrap());
    let (client, losses) = watched_client_of(relay.port());
    let push = client.push().unwrap();
    for break_connections in [Relay::cut, Relay::reset] {
        push(&[b"at once"]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), ["at once"]);
        relay.refuse();
        break_connections(&relay);
        losses.recv().unwrap();
        push(&[b"queued"]).unwrap();
        relay.accept();
        assert_eq!(texts(&pull.recv().unwrap()), ["queued"]);
    }
}

#[test]
fn slow_replies_reach_their_requesters() {
    let _watchdog = watchdog();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let relay = Relay::to(requests.socket().port().unwrap());
    relay.delay(Duration::from_millis(5));
    let server = requests.socket();
    let serving = thread::spawn(move || requests.iter().try_for_each(|request| reply.send(&request)));
    thread::scope(|scope| {
        for asker in 0..3 {
            let (request, replies) = client_of_port(relay.port()).linger(Duration::ZERO).request().unwrap();
            scope.spawn(move || {
                for number in 0..20 {
                    // Unless the machine is busy, the first reply is still in transit when the second request is sent.
                    let hasty = format!("hasty {number} of {asker}");
                    request.send(&[&hasty]).unwrap();
                    let in_time = replies.recv_timeout(Duration::from_millis(2));
                    assert!(in_time.is_err() || in_time.is_ok_and(|reply| texts(&reply) == [hasty]));
                    let question = format!("{number} of {asker}");
                    request.send(&[&question]).unwrap();
                    assert_eq!(texts(&replies.recv_timeout(LONG).unwrap()), [question]);
                }
            });
        }
    });
    server.close();
    // A late reply may find the socket closed; none may fail otherwise.
    if let Err(error) = serving.join().unwrap() {
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
}

const SENDERS: usize = 3;

/// How often a link breaks while messages pass over it. All breaks together lose far less than is sent.
const BREAKS: usize = 30;

/// The size of a message without its two heads.
const BODY: usize = 4 << 10;

/// A message that shows if a part of it is missing or belongs to another message.
fn message_of(sender: usize, number: usize) -> Message {
    let head = format!("{sender} {number} ");
    let body = head.repeat(BODY / head.len());
    [head.clone(), body, head].map(String::into_bytes).to_vec()
}

/// The last message of a sender.
fn end_of(sender: usize) -> Message {
    vec![sender.to_string().into_bytes()]
}

/// Everything that arrives until each sender has ended, without the last messages.
fn receive_until_all_end(pull: &Receiver) -> Vec<Message> {
    let mut ended = HashSet::new();
    let messages = pull.iter().take_while(|message| {
        if message.len() == 1 {
            ended.insert(message.clone());
        }
        ended.len() < SENDERS
    });
    messages.filter(|message| message.len() > 1).collect()
}

/// Asserts that all messages are whole, and returns their numbers by sender, in the order in which they arrived.
fn numbers_by_sender(messages: &[Message]) -> [Vec<usize>; SENDERS] {
    let mut numbers = [(); SENDERS].map(|()| Vec::new());
    for message in messages {
        let head: Vec<usize> = texts(message)[0]
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        let [sender, number] = head[..] else {
            panic!("torn: {head:?}")
        };
        assert!(*message == message_of(sender, number), "torn: {head:?}");
        numbers[sender].push(number);
    }
    numbers
}

/// Asserts that each message of a sender arrived once and in order, and that no more are missing than breaks can lose.
///
/// The order holds on one connection. What a broken connection has left unread at the server may be overtaken by what
/// comes over the next one. So a message may arrive after its successor, but at most once for each break.
fn assert_once_in_order_and_few_missing(numbers: &[usize], sent: usize, breaks: usize) {
    let mut came: Vec<(usize, usize)> = numbers.iter().copied().zip(0..).collect();
    came.sort();
    let pairs = || came.windows(2).map(|pair| (pair[0], pair[1]));
    assert!(pairs().all(|(one, next)| one.0 != next.0), "something came twice");
    let overtaken = pairs().filter(|(one, next)| one.1 > next.1).count();
    assert!(overtaken <= breaks, "{overtaken} overtaken at {breaks} breaks");

    // In transit is what is in four buffers of the system, each twice as large as requested, in the relay, and in
    // libzmq at both ends.
    let under_way = 10 * relay::BUFFER / BODY;
    let missing = sent - numbers.len();
    assert!(missing <= breaks * under_way, "{missing} missing at {breaks} breaks");
    // A break loses consecutive messages. So other losses are detected, even if they are small.
    let is_missing = |number: &usize| came.binary_search_by_key(number, |one| one.0).is_err();
    let all_missing: Vec<usize> = (0..sent).filter(is_missing).collect();
    let holes = all_missing.chunk_by(|one, next| one + 1 == *next).count();
    assert!(holes <= breaks, "{holes} holes at {breaks} breaks");
    println!("{missing} of {sent} missing in {holes} holes, {overtaken} overtaken, at {breaks} breaks");
}

/// Sends messages over a relay that breaks its connections again and again, and asserts that what arrives is whole, in
/// order, and not much less than what was sent.
fn push_over_a_link_that_breaks(messages: usize, break_connections: fn(&Relay)) {
    let buffer = relay::BUFFER as i32;
    let pull = Server::new(0)
        .configure(move |socket| socket.set_rcvbuf(buffer))
        .pull()
        .unwrap();
    let relay = Relay::to(pull.socket().port().unwrap());
    // So slow that it is broken many times.
    relay.delay(Duration::from_millis(1));
    let mut client = client_of_port(relay.port());
    client.linger(Duration::ZERO).configure(move |socket| {
        socket.set_sndbuf(buffer)?;
        socket.set_reconnect_ivl(10)
    });
    let pushes = [(); SENDERS].map(|()| client.push().unwrap());

    let mut breaks = 0;
    let arrived = thread::scope(|scope| {
        let receiver = scope.spawn(|| receive_until_all_end(&pull));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let push = &pushes[sender];
                let send = move |number| push.send(&message_of(sender, number)).unwrap();
                scope.spawn(move || (0..messages / SENDERS).for_each(send))
            })
            .collect();
        let clock = tick(Duration::from_millis(50));
        while breaks < BREAKS && !senders.iter().all(|sender| sender.is_finished()) {
            clock.recv().unwrap();
            break_connections(&relay);
            breaks += 1;
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        while !receiver.is_finished() {
            (0..SENDERS).for_each(|sender| pushes[sender].send(&end_of(sender)).unwrap());
            clock.recv().unwrap();
        }
        receiver.join().unwrap()
    });

    assert!(breaks > 4, "{breaks} breaks are too few to tell");
    for numbers in numbers_by_sender(&arrived) {
        assert_once_in_order_and_few_missing(&numbers, messages / SENDERS, breaks);
    }
}

#[test]
fn cut_link_loses_only_what_is_in_transit() {
    let _watchdog = watchdog();
    push_over_a_link_that_breaks(10_000, Relay::cut);
}

#[test]
fn reset_link_loses_only_what_is_in_transit() {
    let _watchdog = watchdog();
    push_over_a_link_that_breaks(10_000, Relay::reset);
}

#[cfg(target_os = "linux")]
/// What the system waits for at the server's end of the only connection of a port, and at the client's end: the kind of
/// a timer, and in how many hundredths of a second it expires. `None` until both ends are connected.
fn timers(port: u16) -> Option<[(u8, u32); 2]> {
    const ESTABLISHED: &str = "01";
    let address = format!(":{port:04X}");
    let all = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let timer_at = |end: usize| {
        let mut connections = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let fields = connections.find(|fields| fields[end].ends_with(&address) && fields[3] == ESTABLISHED)?;
        let (kind, left) = fields[5].split_once(':')?;
        Some((kind.parse().unwrap(), u32::from_str_radix(left, 16).unwrap()))
    };
    Some([timer_at(1)?, timer_at(2)?])
}

/// Waits until what the system waits for at both ends of this server's connection is as expected.
fn await_timers(pull: &Receiver, client: &mut Client, so: impl Fn([(u8, u32); 2]) -> bool) {
    let port = pull.socket().port().unwrap();
    let push = client.connect_local(port).push().unwrap();
    push(&[b"x"]).unwrap();
    pull.recv().unwrap();
    // Until the last bytes are acknowledged, the system waits for that.
    wait_until(|| timers(port).is_some_and(&so));
}

#[cfg(target_os = "linux")]
const KEEPALIVE: u8 = 2;

#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(
    libzmq = "zmq_sys",
    ignore = "zmq-sys's libzmq has no keepalive: run with default features"
)]
fn idle_connections_are_probed() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    await_timers(&pull, &mut Client::new(), |timers| {
        timers
            .iter()
            .all(|&(kind, left)| kind == KEEPALIVE && (2_000..=3_000).contains(&left))
    });
}

#[test]
#[cfg(target_os = "linux")]
#[cfg_attr(
    libzmq = "zmq_sys",
    ignore = "zmq-sys's libzmq has no keepalive: run with default features"
)]
fn keepalive_sets_when_idle_connections_are_probed() {
    let _watchdog = watchdog();
    let pull = Server::new(0).keepalive(Duration::ZERO).pull().unwrap();
    let mut client = Client::new();
    await_timers(
        &pull,
        client.keepalive(Duration::from_secs(600)),
        |[server, (kind, left)]| server == (0, 0) && kind == KEEPALIVE && (50_000..=60_000).contains(&left),
    );
}
