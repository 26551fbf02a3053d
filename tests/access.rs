//! Whom a server lets in, by password and by address. `tests/curve.rs` has keys, `tests/interop_security.rs` pyzmq.

mod support;

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;
use support::zmtp;
use support::{
    Folder, assert_let_in, assert_not_understood, assert_turned_away, client_of, client_of_port, unused_port, watchdog,
};
use zeroless::{Client, ErrorKind, Receiver, Result, Server};

/// Long enough for what is to come to have come, where nothing is to come.
const A_WHILE: Duration = Duration::from_millis(300);

/// A server that lets in Ada.
fn server_for_ada() -> Server {
    let mut server = Server::new(0);
    server.plain_users([("ada", "enchantress")]);
    server
}

/// The recipe of a client of that server who says to be someone.
fn client_as(server: &Receiver, user: &str, password: &str) -> Client {
    let mut client = client_of(server);
    client.plain(user, password);
    client
}

/// The recipe of a client of that server from another address of this machine.
fn client_from(address: &str, server: &Receiver) -> Client {
    let port = server.socket().port().unwrap();
    let mut client = Client::new();
    client.connect_to(format!("tcp://{address}:0;{address}:{port}"));
    client
}

/// Looks whether that is what the server says after its greeting.
fn assert_refused(stranger: &mut TcpStream) {
    stranger.read_exact(&mut [0; 64]).unwrap();
    // libzmq 4.3.4 misspells how the command begins.
    assert!(zmtp::read_frame(stranger).ends_with(b"RROR\x03400"));
}

fn kind_of<T>(outcome: Result<T>) -> ErrorKind {
    outcome.map(drop).unwrap_err().kind()
}

#[test]
fn whoever_has_the_right_password_is_let_in() {
    let _watchdog = watchdog();
    let users = HashMap::from([
        ("ada".to_owned(), "enchantress".to_owned()),
        ("grace".to_owned(), "cobol".to_owned()),
    ]);
    let pull = Server::new(0).plain_users(users).pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
    assert_let_in(&pull, &client_as(&pull, "grace", "cobol"));
}

#[test]
fn whoever_has_a_wrong_name_or_password_is_denied_and_nothing_of_them_arrives() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let ada = client_as(&pull, "ada", "enchantress");
    for (user, password) in [
        ("ada", "enchantres"),
        ("ada", "enchantress "),
        ("ada", "enchantresS"),
        ("ada\0", "enchantress"),
        ("eve", "enchantress"),
        ("enchantress", "ada"),
    ] {
        assert_turned_away(&pull, &client_as(&pull, user, password), &ada);
    }
}

#[test]
fn a_function_can_say_who_is_let_in() {
    let _watchdog = watchdog();
    let pull = Server::new(0)
        .plain(|user, password| user.len() == password.len())
        .pull()
        .unwrap();
    let fitting = client_as(&pull, "ada", "123");
    assert_let_in(&pull, &fitting);
    assert_turned_away(&pull, &client_as(&pull, "ada", "1234"), &fitting);
}

#[test]
fn clients_without_a_password_where_one_is_wanted_and_with_one_where_none_is_are_denied() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let ada = client_as(&pull, "ada", "enchantress");
    let open = Server::new(0).pull().unwrap();
    assert_not_understood(&pull, &client_of(&pull), &ada);
    assert_not_understood(&open, &client_as(&open, "ada", "enchantress"), &client_of(&open));
}

#[test]
fn a_request_of_a_stranger_is_denied_also_while_it_waits_for_its_reply() {
    let _watchdog = watchdog();
    let (_reply, requests) = server_for_ada().reply().unwrap();
    let (request, replies) = client_as(&requests, "eve", "?").request().unwrap();
    request(&[b"let me in"]).unwrap();
    let error = replies.recv().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("turned this client away"), "{error}");
    assert_eq!(kind_of(request.send(&["please"])), ErrorKind::Denied);
    assert_eq!(replies.iter().count(), 0, "iteration ends");
    assert_eq!(requests.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_request_is_denied_however_many_it_has_asked_before() {
    let _watchdog = watchdog();
    let (reply, requests) = server_for_ada().reply().unwrap();
    let port = requests.socket().port().unwrap();
    let (request, replies) = client_as(&requests, "ada", "enchantress").request().unwrap();
    for _ in 0..1_500 {
        request(&[b"again"]).unwrap();
        reply.send(&requests.recv().unwrap()).unwrap();
        replies.recv().unwrap();
    }
    drop((reply, requests));
    let _server = Server::new(port).plain(|_, _| false).reply().unwrap();
    request(&[b"again"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::Denied);
}

#[test]
fn frames_that_are_waited_for_are_denied_too() {
    let _watchdog = watchdog();
    let (_, requests) = server_for_ada().reply().unwrap();
    let (request, replies) = client_as(&requests, "eve", "?").request().unwrap();
    request(&[b"let me in"]).unwrap();
    assert_eq!(kind_of(replies.recv_frames()), ErrorKind::Denied);
}

#[test]
fn all_threads_that_wait_are_told_whichever_of_them_finds_out() {
    let _watchdog = watchdog();
    let (_, dealers) = server_for_ada().router().unwrap();
    let client = client_as(&dealers, "eve", "?");
    for _ in 0..10 {
        let (say, hear) = client.dealer().unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert_eq!(kind_of(hear.recv()), ErrorKind::Denied));
            }
            // What has happened to the socket is noticed by sending as well.
            support::await_denial_of(&say);
        });
    }
}

#[test]
fn a_dealer_and_a_pair_that_are_strangers_are_denied_while_they_wait_to_receive() {
    let _watchdog = watchdog();
    let (_, dealers) = server_for_ada().router().unwrap();
    let (_say, hear) = client_as(&dealers, "eve", "?").dealer().unwrap();
    assert_eq!(kind_of(hear.recv()), ErrorKind::Denied);

    let (_, pairs) = server_for_ada().pair().unwrap();
    let (_say, hear) = client_as(&pairs, "eve", "?").pair().unwrap();
    assert_eq!(kind_of(hear.recv()), ErrorKind::Denied);
}

#[test]
fn a_denied_client_ends_a_receiver_that_was_made_a_channel() {
    let _watchdog = watchdog();
    let (_, dealers) = server_for_ada().router().unwrap();
    let (_say, hear) = client_as(&dealers, "eve", "?").dealer().unwrap();
    assert_eq!(hear.into_channel(1).iter().count(), 0);
}

#[test]
fn a_client_that_only_receives_is_not_told_and_gets_nothing() {
    let _watchdog = watchdog();
    let push = server_for_ada().timeout(A_WHILE).push().unwrap();
    let port = push.socket().port().unwrap();
    let pull = client_of_port(port).plain("eve", "?").timeout(A_WHILE).pull().unwrap();
    assert_eq!(kind_of(push.send(&["secret"])), ErrorKind::TimedOut);
    assert_eq!(kind_of(pull.recv()), ErrorKind::TimedOut);

    let publish = server_for_ada().publish().unwrap();
    let port = publish.socket().port().unwrap();
    let subscribe = client_of_port(port)
        .plain("eve", "?")
        .timeout(A_WHILE)
        .subscribe([""])
        .unwrap();
    assert_eq!(kind_of(publish.wait_for_subscribers(1, A_WHILE)), ErrorKind::TimedOut);
    publish(&[b"secret"]).unwrap();
    assert_eq!(kind_of(subscribe.recv()), ErrorKind::TimedOut);
}

#[test]
fn a_client_of_several_servers_goes_on_with_those_that_let_it_in() {
    let _watchdog = watchdog();
    let (closed, open) = (server_for_ada().pull().unwrap(), server_for_ada().pull().unwrap());
    closed.socket().close();
    let stranger = Server::new(0).plain(|_, _| false).pull().unwrap();
    let mut client = client_as(&open, "ada", "enchantress");
    let push = client.connect_local(stranger.socket().port().unwrap()).push().unwrap();
    // Those that are for the stranger are lost with it; once it is gone, all are for the other.
    let mut arrived = 0;
    for number in 0..100 {
        push.send(&[format!("{number}")]).unwrap();
        arrived += usize::from(open.recv_timeout(A_WHILE).is_ok());
    }
    assert!(arrived > 50, "{arrived} of 100 arrived");
}

#[test]
fn a_denied_client_can_connect_to_another_server_and_go_on() {
    let _watchdog = watchdog();
    let closed = server_for_ada().reply().unwrap();
    let open = Server::new(0).plain(|_, _| true).reply().unwrap();
    let (request, replies) = client_as(&closed.1, "eve", "?").request().unwrap();
    request(&[b"lost"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::Denied);

    request.socket().connect_local(open.1.socket().port().unwrap()).unwrap();
    request(&[b"anyone?"]).unwrap();
    open.0.send(&open.1.recv().unwrap()).unwrap();
    assert_eq!(replies.recv().unwrap(), [b"anyone?"]);
}

#[test]
fn a_client_that_waits_for_a_server_is_not_denied() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (request, replies) = client_of_port(port).timeout(A_WHILE).request().unwrap();
    request(&[b"anyone?"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::TimedOut);
    let push = client_of_port(port).timeout(A_WHILE).high_water_mark(5).push().unwrap();
    for _ in 0..5 {
        push(&[b"anyone?"]).unwrap();
    }
    assert_eq!(kind_of(push.send(&["full"])), ErrorKind::TimedOut);
    push.socket().disconnect_local(port).unwrap();
    assert_eq!(kind_of(push.send(&["to nobody"])), ErrorKind::TimedOut);
}

#[test]
fn a_client_whose_server_went_and_came_back_is_not_denied() {
    let _watchdog = watchdog();
    let (_, requests) = server_for_ada().reply().unwrap();
    let port = requests.socket().port().unwrap();
    let (request, replies) = client_as(&requests, "ada", "enchantress")
        .timeout(A_WHILE)
        .request()
        .unwrap();
    drop(requests);
    let (reply, requests) = Server::new(port).plain(|_, _| true).reply().unwrap();
    let server = requests.socket();
    let echo = thread::spawn(move || requests.iter().try_for_each(|request| reply.send(&request)));
    // What the first server had taken of the connection is lost with it, but can be asked again.
    let answer = (0..100).find_map(|_| {
        request(&[b"still there?"]).unwrap();
        replies
            .recv()
            .map_err(|error| assert_eq!(error.kind(), ErrorKind::TimedOut))
            .ok()
    });
    assert_eq!(answer.unwrap(), [b"still there?"]);
    server.close();
    let _ = echo.join().unwrap();
}

#[test]
fn a_denied_client_closes_at_once_though_it_has_sent() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let (push, hear) = client_as(&pull, "eve", "?").dealer().unwrap();
    assert_eq!(
        kind_of(hear.recv()),
        ErrorKind::Denied,
        "a dealer and a pull do not go together either"
    );
    assert_eq!(kind_of(push.send(&["?"])), ErrorKind::Denied);
    drop((push, hear, pull));
}

#[test]
fn an_address_is_let_in_if_it_is_allowed_and_not_denied() {
    let _watchdog = watchdog();
    type Addresses = &'static [&'static str];
    let cases: [(Option<Addresses>, Addresses, bool); 12] = [
        (Some(&["127.0.0.1"]), &[], true),
        (Some(&["127.0.0.0/8"]), &[], true),
        (Some(&["10.0.0.0/8", "127.0.0.1/32"]), &[], true),
        (Some(&["::ffff:127.0.0.1"]), &[], true),
        (Some(&["0.0.0.0/0"]), &["127.0.0.2"], true),
        (None, &["127.0.0.2", "10.0.0.0/8"], true),
        (Some(&["127.0.0.2"]), &[], false),
        (Some(&["::1"]), &[], false),
        (Some(&["127.0.0.0/8"]), &["127.0.0.1"], false),
        (Some(&[]), &[], false),
        (None, &["127.0.0.0/8"], false),
        (None, &["::ffff:0:0/96"], false),
    ];
    for (allowed, denied, is_let_in) in cases {
        let mut server = Server::new(0);
        allowed.map(|allowed| server.allow(allowed));
        let (reply, requests) = server.deny(denied).reply().unwrap();
        let (request, replies) = client_of(&requests).request().unwrap();
        request(&[b"hello"]).unwrap();
        if is_let_in {
            reply.send(&requests.recv().unwrap()).unwrap();
            assert_eq!(
                replies.recv().unwrap(),
                [b"hello"],
                "allowed {allowed:?}, denied {denied:?}"
            );
        } else {
            assert_eq!(
                kind_of(replies.recv()),
                ErrorKind::Denied,
                "allowed {allowed:?}, denied {denied:?}"
            );
            assert_eq!(kind_of(requests.try_recv()), ErrorKind::WouldBlock);
        }
    }
}

#[test]
fn clients_of_one_server_are_told_apart_by_their_addresses() {
    let _watchdog = watchdog();
    let pull = Server::public(0).allow(["127.0.0.2"]).pull().unwrap();
    assert_turned_away(&pull, &client_of(&pull), &client_from("127.0.0.2", &pull));
}

#[test]
fn an_address_of_ipv4_is_one_of_ipv4_to_a_server_of_ipv6_too() {
    let _watchdog = watchdog();
    let pull = Server::at("tcp://[::]:0").allow(["127.0.0.1"]).pull().unwrap();
    assert_let_in(&pull, &client_of(&pull));
    let pull = Server::at("tcp://[::]:0").deny(["127.0.0.1"]).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let mut near = Client::new();
    near.connect("::1", port);
    assert_turned_away(&pull, &client_of(&pull), &near);
}

#[test]
fn a_password_and_an_address_are_both_wanted_where_both_are_said() {
    let _watchdog = watchdog();
    let pull = server_for_ada()
        .allow(["127.0.0.2"])
        .also_at("tcp://127.0.0.2:0")
        .pull()
        .unwrap();
    let endpoints = pull.socket().endpoints();
    let far = endpoints[1].replace("tcp://", "tcp://127.0.0.2:0;");
    let mut ada = Client::new();
    ada.connect_to(&far).plain("ada", "enchantress");
    let mut eve = Client::new();
    eve.connect_to(&far).plain("eve", "enchantress");
    assert_turned_away(&pull, &client_as(&pull, "ada", "enchantress"), &ada);
    assert_turned_away(&pull, &eve, &ada);
}

#[test]
fn over_ipc_there_is_no_address_to_allow_but_a_password_to_say() {
    let _watchdog = watchdog();
    let folder = Folder::new("access");
    let (by_address, by_password) = (folder.ipc("address"), folder.ipc("password"));
    let (_, requests) = Server::at(&by_address).allow(["0.0.0.0/0", "::/0"]).reply().unwrap();
    let (request, replies) = Client::new().connect_to(&by_address).request().unwrap();
    request(&[b"hello"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::Denied);
    assert_eq!(kind_of(requests.try_recv()), ErrorKind::WouldBlock);

    let pull = Server::at(&by_password)
        .plain_users([("ada", "enchantress")])
        .pull()
        .unwrap();
    assert_turned_away(
        &pull,
        Client::new().connect_to(&by_password).plain("eve", "enchantress"),
        Client::new().connect_to(&by_password).plain("ada", "enchantress"),
    );
}

#[test]
fn sockets_of_the_same_process_are_let_in_without_being_asked() {
    let _watchdog = watchdog();
    let pull = server_for_ada().also_at("inproc://near-ada").pull().unwrap();
    assert_let_in(&pull, Client::new().connect_to("inproc://near-ada"));
}

#[test]
fn a_server_is_closed_to_strangers_from_its_first_moment() {
    let _watchdog = watchdog();
    for _ in 0..20 {
        // No other socket of this test is guarded, so the first one brings the handler along. Others may be at it too.
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
        strangers.iter().for_each(support::await_denial_of);
        assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
    }
}

#[test]
fn a_thousand_strangers_are_refused_while_a_friend_is_served() {
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

#[test]
fn strangers_that_stop_in_the_middle_of_asking_keep_no_one_out() {
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
fn peers_of_protocols_that_know_no_security_are_dropped() {
    let _watchdog = watchdog();
    let pull = Server::new(0).allow(["127.0.0.0/8"]).pull().unwrap();
    let port = pull.socket().port().unwrap();
    // A message in version 1, where the identity comes first, and in version 2, where the socket type does.
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
fn names_and_passwords_that_are_no_text_are_refused() {
    let _watchdog = watchdog();
    let pull = Server::new(0).plain(|_, _| true).pull().unwrap();
    let port = pull.socket().port().unwrap();
    for hello in [&b"\x05HELLO\x02\xff\xfe\x01?"[..], b"\x05HELLO\x03ada\x02\xff\xfe"] {
        let mut stranger = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stranger.write_all(&zmtp::greeting("PLAIN")).unwrap();
        stranger.write_all(&zmtp::frame(zmtp::COMMAND, hello)).unwrap();
        assert_refused(&mut stranger);
    }
    assert_let_in(&pull, &client_as(&pull, "ada", "any"));
}

#[test]
fn a_function_that_panics_lets_its_client_try_again() {
    let _watchdog = watchdog();
    let calls = AtomicUsize::new(0);
    let check = move |_: &str, _: &str| match calls.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => panic!("as this test wants it"),
        _ => true,
    };
    let mut server = Server::new(0);
    // Which is when libzmq hangs up, half a minute later if it is not told otherwise.
    server.configure(|socket| socket.set_handshake_ivl(100));
    let pull = server.plain(check).pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
}

#[test]
#[ignore = "run by another test, as a child"]
fn lets_a_function_be_the_last_to_hold_a_socket() {
    // One in a thread of the crate's own would show nowhere else.
    panic::set_hook(Box::new(|_| std::process::abort()));
    let (asked, is_asked) = bounded::<()>(0);
    let (answers, answer) = bounded::<()>(0);
    let audit = Server::new(0).pull().unwrap();
    let record = client_of(&audit).push().unwrap();
    let recorded = record.socket();
    let pull = {
        let mut server = Server::new(0);
        server.plain(move |user, _| {
            record.send(&[user]).unwrap();
            asked.send(()).unwrap();
            answer.recv().is_ok()
        });
        server.pull().unwrap()
    };
    let push = client_as(&pull, "ada", "?").linger(Duration::ZERO).push().unwrap();
    is_asked.recv().unwrap();
    assert_eq!(audit.recv().unwrap(), [b"ada"]);
    drop((pull, push, audit));
    assert!(!recorded.is_closed());
    answers.send(()).unwrap();
    support::wait_until(|| recorded.is_closed());
    // The thread that called the function has dropped the last socket of all, and ends itself over it.
    support::wait_until(|| handlers() == 0);
    let pull = server_for_ada().pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
}

#[test]
fn a_function_may_be_the_last_to_hold_a_socket() {
    let _watchdog = watchdog();
    support::run_in_child("lets_a_function_be_the_last_to_hold_a_socket", "").succeeds();
}

/// How many threads of this process let clients in.
fn handlers() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "zeroless-zap").count()
}

#[test]
#[ignore = "run by another test, as a child"]
fn opens_and_closes_guarded_servers() {
    for _ in 0..20 {
        let first = server_for_ada().pull().unwrap();
        let second = server_for_ada().pull().unwrap();
        drop(first);
        // A thread has its name when it runs.
        assert_let_in(&second, &client_as(&second, "ada", "enchantress"));
        assert_eq!(handlers(), 1);
        drop(second);
        assert_eq!(handlers(), 0);
        drop(Server::new(0).pull().unwrap());
        assert_eq!(handlers(), 0, "who lets everyone in needs none");
    }
}

#[test]
fn one_thread_lets_clients_in_for_all_servers_and_ends_with_the_last() {
    let _watchdog = watchdog();
    support::run_in_child("opens_and_closes_guarded_servers", "").succeeds();
}

#[test]
fn servers_that_close_while_clients_ask_do_not_hang() {
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
fn what_can_never_let_anyone_in_is_an_error_that_says_what_to_do() {
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
fn keys_can_only_be_changed_where_there_are_keys() {
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
fn no_one_else_can_say_whom_to_let_in() {
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
        assert!(error.to_string().contains("not for configure"), "{error}");
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

#[test]
fn passwords_are_not_shown_by_recipes() {
    let mut client = Client::new();
    client.plain("ada", "enchantress");
    let shown = format!("{client:?} {:?}", server_for_ada());
    assert!(shown.contains("ada") && !shown.contains("enchantress"), "{shown}");
}

#[test]
fn a_recipe_can_be_used_again_and_changed_between() {
    let _watchdog = watchdog();
    static CHECKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut server = Server::new(0);
    server.plain(|user, _| {
        CHECKED.lock().unwrap().push(user.to_owned());
        true
    });
    let first = server.pull().unwrap();
    let second = server.plain_users([("ada", "enchantress")]).pull().unwrap();
    assert_let_in(&first, &client_as(&first, "eve", "?"));
    assert_turned_away(
        &second,
        &client_as(&second, "eve", "?"),
        &client_as(&second, "ada", "enchantress"),
    );
    assert_eq!(*CHECKED.lock().unwrap(), ["eve"]);
}
