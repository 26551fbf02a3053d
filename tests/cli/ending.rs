//! How the program ends, and its exit status.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use zeroless::Server;

use crate::program::{Program, connect, run, serve, start, start_with, zeroless};
use crate::support::{client_of_port, unused_port, watchdog};

#[test]
fn count_ends_receiving() {
    let _watchdog = watchdog();
    let (pull, port) = serve("pull -n 2");
    connect(port, "push a b c").succeeds();
    assert_eq!(pull.text(), "a\nb\n");
}

#[test]
fn count_ends_sending() {
    let _watchdog = watchdog();
    let (mut pull, port) = serve("pull");
    let mut push = connect(port, "push -n 2");
    push.types("a");
    push.types("b");
    push.succeeds(); // although its input is open
    connect(port, "push end").succeeds();
    assert_eq!([pull.prints(), pull.prints(), pull.prints()], ["a", "b", "end"]);
}

#[test]
fn timeout_of_receiving_is_status_124() {
    let _watchdog = watchdog();
    let (pull, port) = serve("pull --timeout 200ms");
    connect(port, "push a").succeeds();
    let ended = pull.ends();
    assert_eq!(ended.status.code(), Some(124));
    assert_eq!(ended.output, b"a\n");
    assert!(ended.said.contains("within 200ms"), "{ended:?}");
}

#[test]
fn timeout_of_sending_is_status_124() {
    let _watchdog = watchdog();
    let said = start_with("server 0 push --timeout 100ms", "a\n").fails(124);
    assert!(said.contains("within 100ms"), "{said}");
}

#[test]
fn message_that_is_not_delivered_in_time_is_status_124() {
    let _watchdog = watchdog();
    let said = connect(unused_port(), "push a --linger 100ms").fails(124);
    assert!(said.contains("1 message is lost"), "{said}");
}

#[test]
fn refusal_is_status_1() {
    let _watchdog = watchdog();
    let (_pull, port) = serve("pull");
    let said = connect(port, "request a").fails(1);
    assert!(said.contains("refused this client"), "{said}");
}

#[test]
fn end_of_input_delivers_and_says_that_it_waits() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut push = start_with(&format!("client {port} push"), "a\nb\n");
    push.hears("has waited 1s to close");
    let pull = start(&format!("server {port} pull -n 2"));
    assert_eq!(pull.text(), "a\nb\n");
    assert!(push.ends().status.success());
}

#[test]
fn lines_are_sent_and_printed_without_waiting_for_more() {
    let _watchdog = watchdog();
    let (mut pull, port) = serve("pull");
    let mut push = connect(port, "push");
    for line in ["one", "two", "three"] {
        push.types(line);
        assert_eq!(pull.prints(), line);
    }
}

#[test]
fn interrupt_writes_what_was_received() {
    let _watchdog = watchdog();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let (mut pull, port) = serve("pull");
        let push = client_of_port(port).push().unwrap();
        push(&[b"first"]).unwrap();
        assert_eq!(pull.prints(), "first");
        pull.signal(signal);
        assert_eq!(pull.dies_of(signal), b"");
    }
}

#[test]
fn ignored_signals_stay_ignored() {
    let _watchdog = watchdog();
    let mut pull = Program::start(&mut Program::script("trap '' HUP INT; exec zeroless server 0 pull"));
    let port = pull.port();
    pull.signal(Signal::SIGHUP);
    pull.signal(Signal::SIGINT);
    connect(port, "push still-here").succeeds();
    assert_eq!(pull.prints(), "still-here");
    pull.signal(Signal::SIGTERM);
    pull.dies_of(Signal::SIGTERM);
}

/// Sends more numbers than are read.
fn flood(port: u16) -> Program {
    let mut push = connect(port, "push");
    push.give((1..3_000_000).map(|number| format!("{number}\n")).collect::<String>());
    push
}

/// With messages on their way all the time, each line that is printed is whole, and none is missing before the last.
#[test]
fn interrupt_in_a_flood_leaves_whole_lines() {
    let _watchdog = watchdog();
    for _ in 0..5 {
        let (mut pull, port) = serve("pull");
        let mut push = flood(port);
        assert_eq!(pull.prints(), "1");
        pull.signal(Signal::SIGINT);
        let output = String::from_utf8(pull.dies_of(Signal::SIGINT)).unwrap();
        assert!(output.is_empty() || output.ends_with('\n'));
        assert!(output.lines().zip(2..).all(|(line, number)| line == number.to_string()));
        push.kill();
    }
}

#[test]
fn interrupt_ends_sender_that_waits() {
    let _watchdog = watchdog();
    let mut push = start_with(&format!("client {} push", unused_port()), "a\n");
    push.hears("has waited 1s to close");
    push.signal(Signal::SIGINT);
    push.dies_of(Signal::SIGINT);
}

#[test]
fn interrupt_ends_exchange_that_has_sent() {
    let _watchdog = watchdog();
    let mut pair = connect(unused_port(), "pair -v");
    pair.types("nobody receives this");
    pair.hears("connecting to");
    pair.signal(Signal::SIGINT);
    pair.dies_of(Signal::SIGINT);
}

#[test]
fn ends_when_its_reader_ends() {
    let _watchdog = watchdog();
    let mut command = Program::script("zeroless server 0 pull | head -1");
    let mut pull = Program::start(&mut command);
    let port = pull.port();
    connect(port, "push only").succeeds();
    assert_eq!(pull.text(), "only\n"); // no other message makes it write
}

#[test]
fn reader_that_ends_in_a_flood_is_silence() {
    let _watchdog = watchdog();
    let mut pull = zeroless("server 0 pull")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(pull.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let port = line.trim_end().rsplit(' ').next().unwrap();
    let mut push = flood(port.parse().unwrap());
    drop(pull.stdout.take().unwrap());
    assert!(pull.wait().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    push.kill();
}

#[test]
fn sender_does_not_need_a_reader() {
    let _watchdog = watchdog();
    let (pull, port) = serve("pull -n 1");
    let mut command = Program::script(format!(
        "{{ sleep 0.3; echo late; }} | zeroless client {port} push | true"
    ));
    Program::start(&mut command).succeeds();
    assert_eq!(pull.text(), "late\n");
}

#[test]
fn wrong_usage_is_status_2() {
    let _watchdog = watchdog();
    for arguments in [
        "",
        "serve",
        "client 1",
        "server pull",
        "client boss push",
        "client 1 psh",
        "client 0 push a",
        "client 1 pull -n 0",
        "client 1 pull --timeout 10",
        "client 1 push --frames=ab",
        "client 1 push --curve nowhere",
        "client 1 push --plain nowhere",
        "server 1 serve",
        "server 1 serve --workers 0 -- true",
        "server 1 dispatch --resume",
        "server 0 work -- true",
        "client 1 2 work -- true",
        "server tcp://nowhere pull",
        "client udp://1.1.1.1:3 push x",
        "client http://localhost:80 push x",
        "man no-such-command",
    ] {
        let ended = run(arguments);
        assert_eq!(ended.status.code(), Some(2), "{arguments}: {ended:?}");
        assert!(!ended.said.is_empty(), "{arguments}");
    }
}

#[test]
fn pattern_that_is_wrong_or_missing_is_told_with_all_patterns() {
    let _watchdog = watchdog();
    for (arguments, words) in [
        (
            "server 1 pul",
            "there is no pattern pul; the patterns are push, pull, publish, subscribe,",
        ),
        (
            "client 1",
            "the pattern is missing; the patterns are push, pull, publish, subscribe,",
        ),
    ] {
        let said = run(arguments).said;
        assert!(said.contains(words), "{arguments}: {said}");
    }
}

#[test]
fn port_in_use_is_status_1() {
    let _watchdog = watchdog();
    let taken = Server::new(0).pull().unwrap();
    let said = start(&format!("server {} pull", taken.socket().port().unwrap())).fails(1);
    assert!(said.contains("already in use"), "{said}");
}

#[test]
fn address_that_cannot_work_is_refused_with_the_remedy() {
    let _watchdog = watchdog();
    for (arguments, remedy) in [
        ("client inproc://x push hi", "give a port, or ipc:///tmp/NAME"),
        ("server inproc://x pull", "give a port, or ipc:///tmp/NAME"),
        ("proxy inproc://x 1", "give a port, or ipc:///tmp/NAME"),
        ("client ::1 push x", "such as [::1]:5555"),
    ] {
        let said = start(arguments).fails(2);
        assert!(said.contains(remedy), "{arguments}: {said}");
    }
}

#[test]
fn host_name_of_a_server_is_refused_with_the_remedy() {
    let _watchdog = watchdog();
    for role in ["server", "server --public"] {
        let said = start(&format!("{role} localhost:{} pull", unused_port())).fails(1);
        assert!(
            said.contains("a server takes no host names") && said.contains("give the port alone or 127.0.0.1"),
            "{said}"
        );
    }
}

#[test]
fn log_says_more_if_asked() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let ended = connect(port, "push -vvv hello").ends();
    assert!(
        ended.said.contains("connecting to") && ended.said.contains("sent 1 frame of 5 bytes"),
        "{ended:?}"
    );
    assert_eq!(pull.recv_timeout(Duration::from_secs(30)).unwrap(), [b"hello"]);
}
