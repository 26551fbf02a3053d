//! Every transport, alone and together.

use std::fs;
use std::path::PathBuf;

use crate::support::{self, Process, texts, watchdog};
use zeroless::{Client, ErrorKind, Server};

/// A path for an `ipc` endpoint. The file is removed when this is dropped.
struct IpcPath(PathBuf);

impl IpcPath {
    fn new(name: &str) -> IpcPath {
        IpcPath(std::env::temp_dir().join(format!("zeroless-{}-{name}", std::process::id())))
    }

    fn endpoint(&self) -> String {
        format!("ipc://{}", self.0.display())
    }
}

impl Drop for IpcPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn carry_messages_whoever_is_first() {
    let _watchdog = watchdog();
    let path = IpcPath::new("every");
    let tcp = format!("tcp://127.0.0.1:{}", support::unused_port());
    for endpoint in [tcp, path.endpoint(), "inproc://every".to_owned()] {
        // The client is first.
        let push = Client::new().connect_to(&endpoint).push().unwrap();
        push(&[b"early", b""]).unwrap();
        let pull = Server::at(&endpoint).pull().unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), ["early", ""]);
        // The server is first.
        let late = Client::new().connect_to(&endpoint).push().unwrap();
        late(&[b"late"]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), ["late"]);
    }
}

#[test]
fn server_is_reached_at_every_endpoint() {
    let _watchdog = watchdog();
    let path = IpcPath::new("several");
    let mut server = Server::new(0);
    server
        .also_at(path.endpoint())
        .also_at("inproc://several")
        .also_at("tcp://[::1]:*");
    let (answer, questions) = server.router().unwrap();
    let endpoints = questions.socket().endpoints();
    assert_eq!(endpoints.len(), 4);
    for endpoint in endpoints {
        let (ask, answers) = Client::new().connect_to(&endpoint).dealer().unwrap();
        ask.send(&[&endpoint]).unwrap();
        answer.send(&questions.recv().unwrap()).unwrap();
        assert_eq!(texts(&answers.recv().unwrap()), [endpoint]);
    }
}

#[test]
fn failed_bind_keeps_no_endpoint() {
    let _watchdog = watchdog();
    let _another = Server::new(0).pull().unwrap();
    for _ in 0..100 {
        let error = Server::at("inproc://kept")
            .also_at("http://example.com")
            .pull()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        Server::at("inproc://kept").pull().unwrap();
    }
}

#[test]
fn client_connects_over_several() {
    let _watchdog = watchdog();
    let path = IpcPath::new("client");
    let near = Server::at("inproc://near").pull().unwrap();
    let beside = Server::at(path.endpoint()).pull().unwrap();
    let far = Server::new(0).pull().unwrap();
    let mut client = Client::new();
    client.connect_to("inproc://near").connect_to(path.endpoint());
    client.connect_local(far.socket().port().unwrap());
    let push = client.push().unwrap();
    (0..30).for_each(|_| push(&[b"x"]).unwrap());
    for pull in [near, beside, far] {
        assert_eq!(pull.iter().take(10).count(), 10);
    }
}

#[test]
fn ipv6_address_in_every_notation() {
    let _watchdog = watchdog();
    let pull = Server::at("tcp://[::1]:*").pull().unwrap();
    let port = pull.socket().port().unwrap();
    for host in ["::1", "[::1]", "0:0:0:0:0:0:0:1"] {
        let push = Client::new().connect(host, port).push().unwrap();
        push.send(&[host]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), [host]);
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn serves_at_a_path_until_killed() {
    let pull = Server::at(support::argument_of_child()).pull().unwrap();
    support::report("listening");
    for message in pull {
        support::report(texts(&message)[0]);
    }
}

/// A process that has bound this path.
fn server_at(path: &IpcPath) -> (Process, impl Iterator<Item = String> + use<>) {
    support::serve_in_child(serves_at_a_path_until_killed, &path.endpoint())
}

#[test]
fn leftover_ipc_file_is_no_obstacle() {
    let _watchdog = watchdog();
    let path = IpcPath::new("leftover");
    let push = Client::new().connect_to(path.endpoint()).push().unwrap();
    for number in 0..3 {
        let (mut server, mut reports) = server_at(&path);
        push.send(&[number.to_string()]).unwrap();
        assert_eq!(reports.next().unwrap(), number.to_string());
        server.kill();
        drop(server);
        assert!(path.0.exists(), "it was killed, and could not clean up");
    }
}

#[test]
fn ipc_path_of_live_server_is_kept() {
    let _watchdog = watchdog();
    let path = IpcPath::new("alive");
    let (_server, mut reports) = server_at(&path);
    let error = Server::at(path.endpoint()).pull().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&path.endpoint()));

    let push = Client::new().connect_to(path.endpoint()).push().unwrap();
    push(&[b"still yours"]).unwrap();
    assert_eq!(reports.next().unwrap(), "still yours");
}

#[test]
fn released_ipc_path_can_be_bound_at_once() {
    let _watchdog = watchdog();
    let path = IpcPath::new("released");
    // Without another socket, closing ends libzmq's context, and with it the old listener.
    let _another = Server::new(0).pull().unwrap();
    for number in 0..100 {
        let pull = Server::at(path.endpoint()).pull().unwrap();
        let push = Client::new().connect_to(path.endpoint()).push().unwrap();
        push.send(&[number.to_string()]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), [number.to_string()]);
    }
}

#[test]
fn ipc_path_of_live_server_of_this_process_is_kept() {
    let _watchdog = watchdog();
    let path = IpcPath::new("alive-here");
    let pull = Server::at(path.endpoint()).pull().unwrap();
    drop(pull);
    let pull = Server::at(path.endpoint()).pull().unwrap();
    // Also within the time in which libzmq may still have to free the path.
    let error = Server::at(path.endpoint()).pull().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let push = Client::new().connect_to(path.endpoint()).push().unwrap();
    push(&[b"still yours"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["still yours"]);
}
