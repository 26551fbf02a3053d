//! How servers handle strangers, whatever their rules are.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver as Channel, Sender, bounded};
use zeroless::{Client, ErrorKind, Receiver, Result, Server};

use crate::support::{
    assert_let_in, await_denial, await_denial_of, client_of, client_of_port, run_in_child, unused_port, wait_until,
    watchdog, zmtp,
};
use crate::{assert_refused, client_as, handlers, kind_of, server_for_ada, threads};

#[test]
fn closed_from_first_moment() {
    let _watchdog = watchdog();
    for _ in 0..20 {
        // No other socket of this test is guarded, so the server starts the ZAP handler, unless another test has one.
        let port = unused_port();
        let mut eager = client_of_port(port);
        eager.configure(|socket| socket.set_reconnect_ivl(1));
        let strangers: Vec<_> = (0..5).map(|_| eager.push().unwrap()).collect();
        for stranger in &strangers {
            stranger.send(&["from a stranger"]).unwrap();
        }
        let pull = Server::new(port)
            .allow(["127.0.0.2"])
            .also_at("tcp://127.0.0.2:0")
            .pull()
            .unwrap();
        strangers.iter().for_each(await_denial_of);
        assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
    }
}

#[test]
fn refuses_thousand_while_serving_friend() {
    const STRANGERS: usize = 1_000;
    const AT_A_TIME: usize = 100;
    let _watchdog = watchdog();
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let mut server = Server::new(0);
    server.plain(|user, _| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        user == "ada"
    });
    let pull = server.pull().unwrap();
    let port = pull.socket().port().unwrap();
    let strangers = thread::spawn(move || {
        for _ in 0..STRANGERS / AT_A_TIME {
            let ask = |_| {
                let mut stranger = TcpStream::connect(("127.0.0.1", port)).unwrap();
                stranger.write_all(&zmtp::greeting("PLAIN")).unwrap();
                let hello = zmtp::frame(zmtp::COMMAND, b"\x05HELLO\x03eve\x01?");
                stranger.write_all(&hello).unwrap();
                stranger
            };
            let strangers: Vec<_> = (0..AT_A_TIME).map(ask).collect();
            strangers
                .into_iter()
                .for_each(|mut stranger| assert_refused(&mut stranger));
        }
    });
    let ada = client_as(&pull, "ada", "enchantress");
    let mut friends = 0;
    while !strangers.is_finished() {
        assert_let_in(&pull, &ada);
        friends += 1;
    }
    strangers.join().unwrap();
    assert_eq!(ASKED.load(Ordering::Relaxed), STRANGERS + friends);
    assert!(friends > 10, "{friends} friends were let in meanwhile");
}

/// The users for whom the function of [`waits_for_eve`] was called.
type Calls = Arc<Mutex<Vec<String>>>;

/// A password function that lets in Ada, and for all others waits for a release.
fn waits_for_eve(release: Channel<()>) -> (impl Fn(&str, &str) -> bool + Send + Sync + 'static, Calls) {
    let calls = Calls::default();
    let users = Arc::clone(&calls);
    let check = move |user: &str, _: &str| {
        users.lock().unwrap().push(user.to_owned());
        let _ = user == "ada" || release.recv().is_ok();
        user == "ada"
    };
    (check, calls)
}

fn count(calls: &Calls, user: &str) -> usize {
    calls.lock().unwrap().iter().filter(|other| *other == user).count()
}

/// Connects, asks to be let in as Eve, and leaves.
fn ask_and_leave(port: u16) {
    let mut stranger = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stranger.write_all(&zmtp::greeting("PLAIN")).unwrap();
    // The server would not look at the rest if the connection were reset, as it is when something is left unread.
    stranger.read_exact(&mut [0; 64]).unwrap();
    stranger
        .write_all(&zmtp::frame(zmtp::COMMAND, b"\x05HELLO\x03eve\x01?"))
        .unwrap();
}

/// Releases one call after the other until Ada is checked, and returns how many releases that took.
fn release_until_ada(release: &Sender<()>, calls: &Calls, earlier: usize) -> usize {
    let mut releases = 0;
    while count(calls, "ada") == earlier {
        let before = calls.lock().unwrap().len();
        release.send(()).unwrap();
        releases += 1;
        wait_until(|| calls.lock().unwrap().len() > before);
    }
    releases
}

#[test]
fn flood_does_not_keep_friend_out() {
    const STRANGERS: usize = 900;
    let _watchdog = watchdog();
    let (release, released) = bounded(0);
    let (check, calls) = waits_for_eve(released);
    let pull = Server::new(0).plain(check).pull().unwrap();
    let port = pull.socket().port().unwrap();
    (0..STRANGERS).for_each(|_| ask_and_leave(port));
    let friend = client_as(&pull, "ada", "enchantress").push().unwrap();
    friend.send(&["from a friend"]).unwrap();
    let releases = release_until_ada(&release, &calls, 0);
    assert!(
        releases < STRANGERS / 2,
        "{releases} strangers were checked before a friend"
    );
    assert_eq!(pull.recv().unwrap(), [b"from a friend"]);
}

#[test]
fn flood_from_one_address_concerns_no_other() {
    const STRANGERS: usize = 200;
    let _watchdog = watchdog();
    let (release, released) = bounded(0);
    let (check, calls) = waits_for_eve(released);
    let pull = Server::new(0).plain(check).also_at("tcp://127.0.0.2:0").pull().unwrap();
    let endpoint = pull.socket().endpoints()[1].replace("tcp://", "tcp://127.0.0.2:0;");
    let port = pull.socket().port().unwrap();
    let mut ada = Client::new();
    ada.connect_to(endpoint).plain("ada", "enchantress");
    for round in 0..3 {
        (0..STRANGERS).for_each(|_| ask_and_leave(port));
        let friend = ada.push().unwrap();
        friend.send(&["from a friend"]).unwrap();
        // The newest request must not be that of the friend.
        (0..STRANGERS).for_each(|_| ask_and_leave(port));
        let releases = release_until_ada(&release, &calls, round);
        assert!(
            releases < STRANGERS / 2,
            "{releases} strangers were checked before a friend"
        );
        assert_eq!(pull.recv().unwrap(), [b"from a friend"]);
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn is_asked_by_strangers_that_leave() {
    let (_release, released) = bounded(0);
    let (check, _) = waits_for_eve(released);
    let pull = Server::new(0).plain(check).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let ask = || (0..2_000).for_each(|_| ask_and_leave(port));
    // The queue is full after that.
    ask();
    let before = memory();
    (0..5).for_each(|_| ask());
    let growth = memory().saturating_sub(before);
    assert!(growth < 40_000_000, "it has grown by {growth} bytes");
}

#[test]
fn strangers_that_have_left_use_no_memory() {
    let _watchdog = watchdog();
    run_in_child(is_asked_by_strangers_that_leave, "").succeeds();
}

/// The memory that this process uses, in bytes.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
#[ignore = "runs as a child process of another test"]
fn has_checks_that_never_end() {
    const THREADS: usize = 16;
    let (release, released) = bounded(0);
    let (check, calls) = waits_for_eve(released);
    let mut server = Server::new(0);
    // A check that takes longer than a handshake may does not count any more.
    server.configure(|socket| socket.set_handshake_ivl(200));
    let pull = server.plain(check).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let started = Instant::now();
    while count(&calls, "eve") < THREADS {
        ask_and_leave(port);
        if count(&calls, "eve") == THREADS / 2 {
            assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    // With the handshake time that libzmq has by default, it takes 90 s.
    assert!(started.elapsed() < Duration::from_secs(60));
    (0..100).for_each(|_| ask_and_leave(port));
    let others = server_for_ada().pull().unwrap();
    assert_let_in(&others, &client_as(&others, "ada", "enchantress"));
    assert_eq!(count(&calls, "eve"), THREADS);
    let friend = client_as(&pull, "ada", "enchantress").push().unwrap();
    friend.send(&["from a friend"]).unwrap();
    drop(release);
    assert_eq!(pull.recv().unwrap(), [b"from a friend"]);
    wait_until(|| threads("zeroless-check") == 0);
}

#[test]
fn checks_that_never_end_are_replaced_up_to_a_limit() {
    let _watchdog = watchdog();
    run_in_child(has_checks_that_never_end, "").succeeds();
}

/// A logger that panics at each warning.
struct Panicking;

impl log::Log for Panicking {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.level() <= log::Level::Warn {
            panic::panic_any(Bomb);
        }
    }

    fn flush(&self) {}
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped on purpose");
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn logs_to_a_logger_that_panics() {
    log::set_logger(&Panicking).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let pull = server_for_ada().pull().unwrap();
    for _ in 0..10 {
        await_denial(&client_as(&pull, "eve", "?"));
    }
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
    let by_address = Server::new(0).allow(["127.0.0.1"]).pull().unwrap();
    assert_let_in(&by_address, &client_of(&by_address));
}

#[test]
fn logger_that_panics_changes_no_decision() {
    let _watchdog = watchdog();
    run_in_child(logs_to_a_logger_that_panics, "").succeeds();
}

#[test]
fn payload_whose_drop_panics_ends_no_thread() {
    let _watchdog = watchdog();
    let calls = AtomicUsize::new(0);
    let check = move |user: &str, _: &str| match calls.fetch_add(1, Ordering::Relaxed) {
        0..10 => panic::panic_any(Bomb),
        _ => user == "ada",
    };
    let mut server = Server::new(0);
    server.configure(|socket| socket.set_handshake_ivl(100));
    let pull = server.plain(check).pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "?"));
    let by_address = Server::new(0).allow(["127.0.0.1"]).pull().unwrap();
    assert_let_in(&by_address, &client_of(&by_address));
}

#[test]
fn stalled_handshakes_block_no_one() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let port = pull.socket().port().unwrap();
    let hello = zmtp::frame(zmtp::COMMAND, b"\x05HELLO\x03ada\x0benchantress");
    let mut silent = Vec::new();
    for length in 0..hello.len() {
        let mut stranger = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stranger.write_all(&zmtp::greeting("PLAIN")).unwrap();
        stranger.write_all(&hello[..length]).unwrap();
        silent.push(stranger);
    }
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
}

#[test]
fn drops_protocols_without_security() {
    let _watchdog = watchdog();
    let pull = Server::new(0).allow(["127.0.0.0/8"]).pull().unwrap();
    let port = pull.socket().port().unwrap();
    // A message in version 1, which begins with the identity, and in version 2, which begins with the socket type.
    let first = b"\x01\x00\x06\x00hello".to_vec();
    let second = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08"[..], b"\0\0", b"\0\x05hello"].concat();
    for old in [first, second] {
        let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        peer.write_all(&old).unwrap();
        zmtp::await_hang_up(&mut peer);
    }
    assert_let_in(&pull, &client_of(&pull));
    assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_and_closes_guarded_servers() {
    for _ in 0..20 {
        let first = server_for_ada().pull().unwrap();
        let second = server_for_ada().pull().unwrap();
        drop(first);
        // A thread has its name only once it runs.
        assert_let_in(&second, &client_as(&second, "ada", "enchantress"));
        assert_eq!(handlers(), 1);
        drop(second);
        assert_eq!(handlers(), 0);
        drop(Server::new(0).pull().unwrap());
        assert_eq!(handlers(), 0, "who lets everyone in needs none");
    }
}

#[test]
fn one_thread_serves_all_servers() {
    let _watchdog = watchdog();
    run_in_child(opens_and_closes_guarded_servers, "").succeeds();
}

#[test]
fn closes_while_clients_ask() {
    let _watchdog = watchdog();
    for _ in 0..100 {
        let pull = Server::new(0).plain(|_, _| true).pull().unwrap();
        let client = client_as(&pull, "ada", "?").linger(Duration::ZERO).clone();
        let clients: Vec<_> = (0..5).map(|_| client.push().unwrap()).collect();
        drop(pull);
        drop(clients);
    }
}

#[test]
fn impossible_rules_are_errors() {
    let _watchdog = watchdog();
    let long = "x".repeat(256);
    let long = long.as_str();
    let cases: [(Result<Receiver>, ErrorKind, &str); 11] = [
        (
            Server::new(0).allow(["10.0.0"]).pull(),
            ErrorKind::InvalidInput,
            "cannot allow \"10.0.0\"",
        ),
        (
            Server::new(0).deny(["10.0.0.0/33"]).pull(),
            ErrorKind::InvalidInput,
            "cannot deny \"10.0.0.0/33\"",
        ),
        (
            Server::new(0).deny(["localhost"]).pull(),
            ErrorKind::InvalidInput,
            "give an IP address",
        ),
        (
            Client::new().plain("", "x").pull(),
            ErrorKind::InvalidInput,
            "the user has 0 bytes",
        ),
        (
            Client::new().plain("x", "").pull(),
            ErrorKind::InvalidInput,
            "the password has 0 bytes",
        ),
        (
            Client::new().plain(long, "x").pull(),
            ErrorKind::InvalidInput,
            "the user has 256 bytes",
        ),
        (
            Client::new().plain("x", long).pull(),
            ErrorKind::InvalidInput,
            "the password has 256 bytes",
        ),
        (
            Server::new(0).allow_any_key().pull(),
            ErrorKind::InvalidInput,
            "call curve",
        ),
        (
            Server::new(0).allow_keys(["short"]).pull(),
            ErrorKind::InvalidInput,
            "40 characters",
        ),
        (
            server_for_ada().stream().map(|(_, bytes)| bytes),
            ErrorKind::Unsupported,
            "a stream speaks plain TCP",
        ),
        (
            Client::new().plain("x", "x").stream().map(|(_, bytes)| bytes),
            ErrorKind::Unsupported,
            "a stream",
        ),
    ];
    for (outcome, kind, what) in cases {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn keys_change_only_where_they_are_used() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    assert_eq!(kind_of(pull.socket().allow_keys([key])), ErrorKind::InvalidInput);
    assert_eq!(kind_of(pull.socket().revoke_keys([key])), ErrorKind::InvalidInput);
    let socket = pull.socket();
    drop(pull);
    assert_eq!(kind_of(socket.allow_keys([key])), ErrorKind::Closed);
}

#[test]
fn configure_cannot_change_it() {
    let _watchdog = watchdog();
    const ZAP: &str = "inproc://zeromq.zap.01";
    assert_eq!(kind_of(Server::at(ZAP).pull()), ErrorKind::InvalidInput);
    assert_eq!(kind_of(Server::new(0).also_at(ZAP).reply()), ErrorKind::InvalidInput);
    assert_eq!(kind_of(Client::new().connect_to(ZAP).push()), ErrorKind::InvalidInput);
    for configure in [
        |socket: &zeroless::zmq::Socket| socket.set_plain_server(true),
        |socket: &zeroless::zmq::Socket| socket.set_zap_domain("global"),
    ] {
        let error = Server::new(0).configure(configure).pull().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("configure must not change"), "{error}");
    }
    for configure in [
        |socket: &zeroless::zmq::Socket| socket.set_plain_server(false),
        |socket: &zeroless::zmq::Socket| socket.set_plain_username(Some("ada")),
        |socket: &zeroless::zmq::Socket| socket.set_zap_domain(""),
    ] {
        assert_eq!(
            kind_of(server_for_ada().configure(configure).pull()),
            ErrorKind::InvalidInput
        );
    }
}
