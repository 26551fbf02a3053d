//! Bad input is an error that names it, never a panic, a hang or a silent nothing.

use std::error::Error as _;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use crate::support::{Folder, arguments_to_run, client_of, push_and_pull, watchdog};
use zeroless::{Client, Error, ErrorKind, Server, frames};

/// Asserts that the error is of that kind, and names what it is about.
fn assert_names(error: &Error, kind: ErrorKind, named: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    let message = error.to_string();
    assert!(message.contains(named), "{message:?} does not name {named:?}");
    assert!(
        message.starts_with(char::is_lowercase),
        "{message:?} does not begin in lowercase"
    );
}

#[test]
fn names_impossible_host() {
    for (host, named) in [
        ("", "\"\""),
        ("with\0nul", "with\\0nul"),
        ("with space", "with space"),
        ("a\nb", "a\\nb"),
        ("host:5555", "host:5555"),
        ("tcp://host", "tcp://host"),
        ("*", "*"),
        ("a/b", "a/b"),
        ("a;b", "a;b"),
        ("256.1.1.1", "256.1.1.1"),
        ("1.2.3", "1.2.3"),
        ("[::1", "[::1"),
    ] {
        assert_names(
            &Client::new().connect(host, 5555).push().unwrap_err(),
            ErrorKind::InvalidInput,
            named,
        );
        let push = Client::new().push().unwrap();
        assert_names(
            &push.socket().connect(host, 5555).unwrap_err(),
            ErrorKind::InvalidInput,
            named,
        );
    }
}

#[test]
fn refuses_to_connect_to_port_0() {
    assert_names(
        &Client::new().connect_local(0).push().unwrap_err(),
        ErrorKind::InvalidInput,
        "port 0",
    );
    assert_names(
        &Client::new().connect("host", 0).pull().unwrap_err(),
        ErrorKind::InvalidInput,
        "host",
    );
    assert_names(
        &Client::new().connect_to("tcp://host:0").pull().unwrap_err(),
        ErrorKind::InvalidInput,
        "tcp://host:0",
    );
    let push = Client::new().push().unwrap();
    assert_names(
        &push.socket().connect_local(0).unwrap_err(),
        ErrorKind::InvalidInput,
        "port 0",
    );
}

#[test]
fn names_malformed_endpoint() {
    let long_name = format!("inproc://{}", "x".repeat(300));
    let long_path = format!("ipc:///tmp/{}", "x".repeat(300));
    for (endpoint, kind) in [
        ("", ErrorKind::InvalidInput),
        ("localhost:5555", ErrorKind::InvalidInput),
        ("tcp://", ErrorKind::InvalidInput),
        ("tcp://localhost", ErrorKind::InvalidInput),
        ("tcp://:5555", ErrorKind::InvalidInput),
        ("tcp://127.0.0.1:", ErrorKind::InvalidInput),
        ("tcp://127.0.0.1:65536", ErrorKind::InvalidInput),
        ("tcp://127.0.0.1:-1", ErrorKind::InvalidInput),
        ("tcp://127.0.0.1:http", ErrorKind::InvalidInput),
        ("tcp://127.0.0.1 :5555", ErrorKind::InvalidInput),
        ("tcp://127.0.0.1:5555\0", ErrorKind::InvalidInput),
        ("ipc://", ErrorKind::InvalidInput),
        ("ipc:///tmp/a\0b", ErrorKind::InvalidInput),
        ("inproc://", ErrorKind::InvalidInput),
        (&long_name, ErrorKind::InvalidInput),
        (&long_path, ErrorKind::InvalidInput),
        ("tipc://{1,2,3}", ErrorKind::Unsupported),
        ("pgm://eth0;239.0.0.1:5555", ErrorKind::Unsupported),
        ("udp://127.0.0.1:5555", ErrorKind::Unsupported),
        ("http://example.com:80", ErrorKind::Unsupported),
        ("TCP://127.0.0.1:5555", ErrorKind::Unsupported),
    ] {
        let named = endpoint.escape_debug().to_string();
        assert_names(&Server::at(endpoint).pull().unwrap_err(), kind, &named);
        assert_names(&Client::new().connect_to(endpoint).push().unwrap_err(), kind, &named);
    }
}

#[test]
fn names_port_in_use() {
    let _watchdog = watchdog();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Server::new(port).pull().unwrap_err();
    assert_names(&error, ErrorKind::AddrInUse, &port.to_string());
    assert!(error.source().is_some(), "libzmq's own error is kept");

    let pull = Server::new(0).pull().unwrap();
    let port = pull.socket().port().unwrap();
    assert_names(
        &Server::new(port).push().unwrap_err(),
        ErrorKind::AddrInUse,
        &port.to_string(),
    );
}

#[test]
fn names_address_of_no_interface() {
    for endpoint in [
        "tcp://203.0.113.1:5555",
        "tcp://localhost:5555",
        "tcp://nosuch0:5555",
        "tcp://[2001:db8::1]:5555",
    ] {
        assert_names(
            &Server::at(endpoint).pull().unwrap_err(),
            ErrorKind::AddrNotAvailable,
            endpoint,
        );
    }
}

#[test]
fn names_ipc_path_that_cannot_be_bound() {
    let folder = Folder::new("paths");
    fs::write(folder.0.join("file"), "precious").unwrap();
    for (path, kind) in [
        ("missing/socket", ErrorKind::AddrNotAvailable),
        ("file/socket", ErrorKind::AddrNotAvailable),
        ("file", ErrorKind::AddrInUse),
        (".", ErrorKind::AddrInUse),
    ] {
        let endpoint = folder.ipc(path);
        assert_names(&Server::at(&endpoint).pull().unwrap_err(), kind, &endpoint);
    }
    assert_eq!(
        fs::read_to_string(folder.0.join("file")).unwrap(),
        "precious",
        "no file is deleted"
    );
}

#[test]
fn ipc_path_of_live_server_is_in_use() {
    let _watchdog = watchdog();
    let folder = Folder::new("live");
    let endpoint = folder.ipc("socket");
    drop(std::os::unix::net::UnixListener::bind(folder.0.join("socket")).unwrap()); // leaves its file

    let pull = Server::at(&endpoint).pull().unwrap();
    assert_names(
        &Server::at(&endpoint).pull().unwrap_err(),
        ErrorKind::AddrInUse,
        &endpoint,
    );
    let push = Client::new().connect_to(&endpoint).push().unwrap();
    push(&[b"still there"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"still there"]);
}

#[test]
#[ignore = "runs as a child process of another test"]
fn binds_a_low_port() {
    eprintln!("{:?}", Server::public(81).pull().unwrap_err());
}

#[test]
fn refuses_to_connect_twice() {
    let _watchdog = watchdog();
    let error = Client::new()
        .connect("127.0.0.1", 5555)
        .connect_local(5555)
        .push()
        .unwrap_err();
    assert_names(&error, ErrorKind::AlreadyConnected, "tcp://127.0.0.1:5555");

    let (push, pull) = push_and_pull();
    let port = pull.socket().port().unwrap();
    let error = push.socket().connect_local(port).unwrap_err();
    assert_names(&error, ErrorKind::AlreadyConnected, &port.to_string());
}

#[test]
fn refuses_to_disconnect_twice() {
    let error = Client::new()
        .connect_local(5555)
        .disconnect_local(5556)
        .push()
        .unwrap_err();
    assert_names(&error, ErrorKind::NotConnected, "tcp://127.0.0.1:5556");
    assert!(
        error.to_string().contains("tcp://127.0.0.1:5555"),
        "{error} does not name what is connected"
    );

    let push = Client::new().connect_local(5555).push().unwrap();
    let socket = push.socket();
    assert_names(
        &socket.disconnect_local(5556).unwrap_err(),
        ErrorKind::NotConnected,
        "5556",
    );
    assert_names(
        &socket.disconnect_from("nonsense").unwrap_err(),
        ErrorKind::NotConnected,
        "nonsense",
    );
    socket.disconnect_local(5555).unwrap();
    assert_names(
        &socket.disconnect_local(5555).unwrap_err(),
        ErrorKind::NotConnected,
        "none",
    );
}

#[test]
fn recipe_returns_first_fault_each_time() {
    let mut client = Client::new();
    client.connect("not a host", 1).connect_local(0).disconnect_all();
    for _ in 0..2 {
        assert_names(&client.pull().unwrap_err(), ErrorKind::InvalidInput, "not a host");
        assert_names(
            &client.clone().subscribe([""]).unwrap_err(),
            ErrorKind::InvalidInput,
            "not a host",
        );
    }
}

#[test]
fn refuses_message_without_frames() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    assert_names(&push(&[]).unwrap_err(), ErrorKind::InvalidInput, "frame");
    assert_names(
        &push.send(frames![]).unwrap_err(),
        ErrorKind::InvalidInput,
        "push on tcp://",
    );
    assert_names(&push.try_send(frames![]).unwrap_err(), ErrorKind::InvalidInput, "frame");

    let publish = Server::new(0).publish().unwrap().topic("t");
    assert_names(&publish(&[]).unwrap_err(), ErrorKind::InvalidInput, "frame");
    push(&[b"the next goes well"]).unwrap();
    pull.recv().unwrap();
}

#[test]
fn refuses_topic_that_never_matches() {
    let client = Client::new();
    let subscriber = client.subscribe(["x"]).unwrap();
    for length in [246, 250, 255] {
        let topic = "x".repeat(length);
        assert_names(
            &client.subscribe([&topic]).unwrap_err(),
            ErrorKind::InvalidInput,
            &length.to_string(),
        );
        assert_names(
            &subscriber.subscribe(&topic).unwrap_err(),
            ErrorKind::InvalidInput,
            &length.to_string(),
        );
    }
}

#[test]
fn refuses_to_unsubscribe_unknown_topic() {
    let subscriber = Client::new().subscribe(["a", "b"]).unwrap();
    let error = subscriber.unsubscribe("c\n").unwrap_err();
    assert_names(&error, ErrorKind::NotConnected, "\"c\\n\"");
    assert!(error.to_string().contains("\"a\", \"b\""), "{error}");
}

#[test]
fn refuses_excessive_high_water_mark() {
    let error = Server::new(0).high_water_mark(u32::MAX).pull().unwrap_err();
    assert_names(&error, ErrorKind::InvalidInput, "4294967295");
}

#[test]
fn returns_error_of_configure() {
    let error = Server::new(0)
        .configure(|socket| socket.set_sndhwm(-5))
        .push()
        .unwrap_err();
    assert_names(&error, ErrorKind::InvalidInput, "cannot configure a push socket");
    assert!(error.source().is_some());
}

#[test]
fn client_has_no_port() {
    let push = Client::new().connect_local(5555).push().unwrap();
    assert_names(
        &push.socket().port().unwrap_err(),
        ErrorKind::InvalidInput,
        "push on tcp://127.0.0.1:5555",
    );
    let pull = Server::at("inproc://no-port").pull().unwrap();
    assert_names(
        &pull.socket().port().unwrap_err(),
        ErrorKind::InvalidInput,
        "inproc://no-port",
    );
}

#[test]
fn timed_out_differs_from_would_block() {
    let _watchdog = watchdog();
    let push = Server::new(0).timeout(Duration::from_millis(20)).push().unwrap();
    assert_names(
        &push(&[b"x"]).unwrap_err(),
        ErrorKind::TimedOut,
        "could not send within 20ms",
    );
    assert_names(
        &push.try_send(&["x"]).unwrap_err(),
        ErrorKind::WouldBlock,
        "without waiting",
    );
    let pull = Server::new(0).pull().unwrap();
    assert_names(
        &pull.recv_timeout(Duration::from_millis(1)).unwrap_err(),
        ErrorKind::TimedOut,
        "receive within 1ms",
    );
    assert_names(
        &pull.try_recv().unwrap_err(),
        ErrorKind::WouldBlock,
        "could not receive without waiting",
    );
}

#[test]
fn longest_timeout_is_forever() {
    let _watchdog = watchdog();
    let pull = Server::new(0)
        .timeout(Duration::MAX)
        .linger(Duration::MAX)
        .pull()
        .unwrap();
    client_of(&pull).push().unwrap().send(&["x"]).unwrap();
    pull.recv().unwrap();
}

#[test]
fn converts_into_io_error() {
    fn open() -> io::Result<()> {
        Client::new().connect_local(0).push()?;
        Ok(())
    }
    let error = open().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("port 0"));
    assert!(error.get_ref().unwrap().is::<Error>(), "the error itself is inside");
}

mod as_root {
    use super::*;

    #[test]
    #[ignore = "needs root: run with --include-ignored as_root"]
    fn low_port_is_refused_to_other_users() {
        // As nobody, from a copy of this program that nobody may run, in a network of its own where the low ports are
        // reserved: containers often give them to everyone.
        let folder = Folder::new("privileges");
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
        let program = folder.0.join("program");
        // By a process, as a program cannot be run while a process that another test starts has it open for writing.
        let copied = Command::new("cp")
            .args([&std::env::current_exe().unwrap(), &program])
            .status();
        assert!(copied.unwrap().success());
        let output = Command::new("unshare")
            .args(["-n", "setpriv", "--reuid=65534", "--clear-groups"])
            .arg(&program)
            .args(arguments_to_run(binds_a_low_port))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            text.contains("kind: PermissionDenied") && text.contains("tcp://*:81"),
            "{text}"
        );
    }
}
