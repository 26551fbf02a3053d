//! What heals by itself between hosts that lose their power, their network or their address, and how soon.

use std::env;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::hosts::{
    CONNECTIONS, Host, Network, connects_often, counts, dispatches, milliseconds, pushes_lines, receives, serves_lines,
    serves_pushers, works,
};
use crate::support::{Process, wait_until, watchdog};

/// The default keepalive, in seconds.
const DEFAULT: &str = "30";

/// When the default keepalive gives up a connection.
const GIVEN_UP: Duration = Duration::from_secs(45);

/// How soon a link must work again.
const SOON: Duration = Duration::from_secs(5);

/// How long the network is cut.
fn cut_time() -> Duration {
    let seconds = env::var("ZEROLESS_CUT_SECONDS").ok();
    Duration::from_secs(seconds.map_or(3, |seconds| seconds.parse().expect("a number of seconds")))
}

/// Asserts that a client that only receives hears of a server again after the power of the server's host has failed.
fn receiver_returns(server: &str, client: &str) {
    let _watchdog = watchdog();
    let network = Network::new();
    let (host, other) = (network.host(1), network.host(2));
    let (mut sender, _) = host.serve(serves_lines, server);
    let mut receiver = other.run(receives, &format!("{client} {}", host.address()));
    let mut received = receiver.reports();
    sender.types("before");
    assert!(received.any(|line| line == "before"));
    host.await_acknowledgements(&sender);
    host.lose_power(sender);

    let host = network.host(1);
    let (mut sender, _) = host.serve(serves_lines, server);
    let restarted = Instant::now();
    sender.types("after");
    assert_eq!(received.next().unwrap(), "after");
    assert!(restarted.elapsed() < 2 * SOON, "it took {:?}", restarted.elapsed());
    println!("{server}: {:?} after the restart", restarted.elapsed());
}

#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn pull_client_returns_after_server_lost_power() {
    receiver_returns("push", "pull");
}

#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn subscriber_returns_after_publisher_lost_power() {
    receiver_returns("publish", "subscribe");
}

#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn server_frees_what_dead_host_held() {
    let _watchdog = watchdog();
    let network = Network::new();
    let (host, other) = (network.host(1), network.host(2));
    let (server, mut received) = host.serve(serves_pushers, "1");
    // Other descriptors come and go.
    let is_socket = |descriptor: &fs::DirEntry| {
        fs::read_link(descriptor.path()).is_ok_and(|file| file.to_string_lossy().starts_with("socket:"))
    };
    let folder = format!("/proc/{}/fd", server.id());
    let descriptors = || fs::read_dir(&folder).unwrap().flatten().filter(is_socket).count();
    let before = descriptors();
    let client = other.run(connects_often, &host.address());
    assert!(received.by_ref().take(CONNECTIONS).all(|line| line == "hello"));
    wait_until(|| descriptors() == before + CONNECTIONS);
    host.await_acknowledgements(&server);
    other.lose_power(client);

    let lost = Instant::now();
    wait_until(|| descriptors() == before);
    assert!(lost.elapsed() < 2 * SOON, "it took {:?}", lost.elapsed());
    println!("{:?} after the host was lost", lost.elapsed());
}

#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn idle_link_works_soon_after_cut() {
    let _watchdog = watchdog();
    let network = Network::new();
    let (host, other) = (network.host(1), network.host(2));
    let (_server, mut received) = host.serve(serves_pushers, DEFAULT);
    let mut client = other.run(pushes_lines, &host.address());
    client.types("before");
    assert_eq!(received.next().unwrap(), "before");
    other.await_acknowledgements(&client);

    other.cut();
    thread::sleep(cut_time());
    other.mend();
    let mended = Instant::now();
    client.types("after");
    assert_eq!(received.next().unwrap(), "after");
    assert!(mended.elapsed() < SOON, "it took {:?}", mended.elapsed());
    println!("{:?} after a cut of {:?}", mended.elapsed(), cut_time());
}

/// A message of [`counts`].
struct Count {
    number: usize,
    sent: u128,
}

/// Cuts the network while a client sends ever higher numbers to a server. Returns when the cut began and how long after
/// its end the first message came that was sent after its end, and all messages up to that one.
fn cut_while_counting(heartbeat: &str) -> (u128, Duration, Vec<Count>) {
    let network = Network::new();
    let (host, other) = (network.host(1), network.host(2));
    let (_server, received) = host.serve(serves_pushers, DEFAULT);
    let _client = other.run(counts, &format!("{} {heartbeat}", host.address()));
    let mut received = received.map(|line| {
        let (number, sent) = line.split_once(' ').unwrap();
        Count {
            number: number.parse().unwrap(),
            sent: sent.parse().unwrap(),
        }
    });
    let mut counts: Vec<Count> = received.by_ref().take(5).collect();

    let begin = milliseconds();
    other.cut();
    thread::sleep(cut_time());
    other.mend();
    let (end, mended) = (milliseconds(), Instant::now());
    while counts.last().is_none_or(|count| count.sent <= end) {
        counts.push(received.next().unwrap());
    }
    println!("{:?} after a cut of {:?}", mended.elapsed(), cut_time());
    (begin, mended.elapsed(), counts)
}

/// How many times messages are missing between two that follow each other.
fn holes(counts: &[Count]) -> usize {
    let pairs = counts.windows(2);
    pairs.filter(|pair| pair[0].number + 1 != pair[1].number).count()
}

/// Without heartbeats, the system sends again at intervals that double. The connection outlives the cut, unless the
/// server, which waits for messages, gives it up in the meantime.
#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn busy_link_loses_nothing_in_short_cut() {
    let _watchdog = watchdog();
    let (_, delay, counts) = cut_while_counting("0");
    let holes_allowed = usize::from(cut_time() > GIVEN_UP - SOON);
    assert!(holes(&counts) <= holes_allowed, "messages were lost");
    assert!(
        delay < SOON.max(cut_time() + Duration::from_secs(1)),
        "it took {delay:?}"
    );
}

/// With heartbeats, both ends give up the connection in the cut, and with it what libzmq has handed to the system.
#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn busy_link_with_heartbeat_works_soon_after_cut() {
    const HEARTBEAT: u64 = 500;
    let _watchdog = watchdog();
    let (begin, delay, counts) = cut_while_counting(&HEARTBEAT.to_string());
    assert!(delay < SOON, "it took {delay:?}");
    // The heartbeat that is not answered follows one interval after the last, and is given up after one more.
    let given_up = begin + u128::from(4 * HEARTBEAT);
    let gap = counts.windows(2).find(|pair| pair[0].number + 1 != pair[1].number);
    let resumed = gap.map_or(0, |pair| pair[1].sent);
    assert!(
        resumed <= given_up,
        "lost what was sent after the connection was given up"
    );
    assert!(holes(&counts) <= 1, "lost more than what one connection held");
}

#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn client_finds_host_with_new_address() {
    let _watchdog = watchdog();
    let network = Network::new();
    let (host, other) = (network.host(1), network.host(2));
    other.set_name("server.test", &host.address());
    let (mut server, _) = host.serve(serves_lines, "push");
    let mut client = other.run(receives, "pull server.test");
    let mut received = client.reports();
    server.types("before");
    assert!(received.any(|line| line == "before"));
    host.lose_power(server);

    let moved = network.host(3);
    let (mut server, _) = moved.serve(serves_lines, "push");
    other.set_name("server.test", &moved.address());
    let renamed = Instant::now();
    server.types("after");
    assert_eq!(received.next().unwrap(), "after");
    assert!(renamed.elapsed() < 2 * SOON, "it took {:?}", renamed.elapsed());
    println!("{:?} after the name had its new address", renamed.elapsed());
}

/// A process on a host, and what it reports.
struct Reporter {
    process: Process,
    reports: Box<dyn Iterator<Item = String>>,
}

impl Reporter {
    fn producer(host: &Host<'_>, heartbeat: &str) -> Reporter {
        let (process, reports) = host.serve(dispatches, heartbeat);
        let reports = Box::new(reports);
        Reporter { process, reports }
    }

    fn worker(host: &Host<'_>, producer: &Host<'_>, heartbeat: &str) -> Reporter {
        let mut process = host.run(works, &format!("{} {heartbeat}", producer.address()));
        let reports = Box::new(process.reports());
        Reporter { process, reports }
    }

    fn await_report(&mut self, wanted: &str) {
        assert!(
            self.reports.any(|line| line == wanted),
            "it ended before it reported {wanted}"
        );
    }

    fn next_report(&mut self) -> String {
        self.reports.next().expect("it has ended")
    }
}

/// The connection breaks at both ends. The job goes to another worker, and the late result is dropped.
#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn job_of_worker_that_is_cut_off_goes_to_another() {
    const HEARTBEAT: &str = "500";
    let _watchdog = watchdog();
    let network = Network::new();
    let hosts = [1, 2, 3].map(|number| network.host(number));
    let mut producer = Reporter::producer(&hosts[0], HEARTBEAT);
    let mut first = Reporter::worker(&hosts[1], &hosts[0], HEARTBEAT);
    producer.process.types("one");
    first.await_report("one");
    hosts[1].cut();
    let mut second = Reporter::worker(&hosts[2], &hosts[0], HEARTBEAT);
    second.await_report("one");
    second.process.types("by the second");
    assert_eq!(producer.next_report(), "one: by the second, 2");

    // It takes part again, also if it finishes while the network is cut.
    first.process.types("by the first");
    hosts[1].mend();
    second.process.kill();
    producer.process.types("two");
    first.await_report("two");
    first.process.types("by the first again");
    let attempts = producer.next_report();
    assert!(
        ["two: by the first again, 1", "two: by the first again, 2"].contains(&attempts.as_str()),
        "{attempts}"
    );
}

/// With the default heartbeat, which is slow, because a worker may be busy.
#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn job_of_worker_that_lost_power_goes_to_another() {
    let _watchdog = watchdog();
    let network = Network::new();
    let (host, victim, heir) = (network.host(1), network.host(2), network.host(3));
    let mut producer = Reporter::producer(&host, "0");
    let mut first = Reporter::worker(&victim, &host, "0");
    producer.process.types("one");
    first.await_report("one");
    victim.lose_power(first.process);
    let lost = Instant::now();
    let mut second = Reporter::worker(&heir, &host, "0");
    second.await_report("one");
    assert!(lost.elapsed() < GIVEN_UP + SOON, "it took {:?}", lost.elapsed());
    println!("{:?} after the worker's host lost its power", lost.elapsed());
    second.process.types("by the second");
    assert_eq!(producer.next_report(), "one: by the second, 2");
}

/// Nobody notices a short cut, and the worker keeps its job.
#[test]
#[ignore = "needs root and network namespaces: cargo test --test robustness -- --ignored namespaces"]
fn worker_keeps_its_job_in_short_cut() {
    let _watchdog = watchdog();
    let network = Network::new();
    let (host, other) = (network.host(1), network.host(2));
    let mut producer = Reporter::producer(&host, "0");
    let mut worker = Reporter::worker(&other, &host, "0");
    producer.process.types("one");
    worker.await_report("one");
    other.cut();
    worker.process.types("done in the cut");
    thread::sleep(cut_time().min(Duration::from_secs(20)));
    other.mend();
    assert_eq!(producer.next_report(), "one: done in the cut, 1");
}
