//! Python's Zeroless and pyzmq as the other end.

use std::process::{Command, Stdio};

use crate::program::{connect, serve};
use crate::support::python::{Peer, interpreter};
use crate::support::watchdog;

/// A message with bytes of all kinds, as the format of lengths writes it.
fn message() -> (Vec<Vec<u8>>, Vec<u8>) {
    let all: Vec<u8> = (0..=255).collect();
    let written = [b"256:", &all[..], b",0:,3:end\n"].concat();
    (vec![all, Vec::new(), b"end".to_vec()], written)
}

fn peer(library: &str, role: &str, port: u16) -> (Peer, u16) {
    Peer::start(&interpreter(), "peer.py", [library, role, &port.to_string()])
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_pushes_and_pulls() {
    let _watchdog = watchdog();
    let (frames, written) = message();
    for library in ["zeroless", "pyzmq"] {
        let (pull, port) = serve("pull -n 1 --length");
        let (mut python, _) = peer(library, "push", port);
        python.send(&frames);
        assert_eq!(pull.succeeds(), written);
        python.ends_well();

        let (mut push, port) = serve("push --length");
        let (mut python, _) = peer(library, "pull", port);
        push.give(written.clone());
        assert_eq!(python.hear(), frames);
        push.succeeds();
        python.ends_well();
    }
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_serves_the_client() {
    let _watchdog = watchdog();
    let (frames, written) = message();
    for library in ["zeroless", "pyzmq"] {
        let (mut python, port) = peer(library, "pull", 0);
        let mut push = connect(port, "push --length");
        push.give(written.clone());
        push.succeeds();
        assert_eq!(python.hear(), frames);
        python.ends_well();
    }
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_subscribes_and_publishes() {
    let _watchdog = watchdog();
    for library in ["zeroless", "pyzmq"] {
        let (mut publish, port) = serve("publish --wait 1 --topic news");
        let (mut python, _) = Peer::start(
            &interpreter(),
            "peer.py",
            [library, "subscribe", &port.to_string(), "news"],
        );
        publish.give("rain\n");
        assert_eq!(python.hear(), [b"news rain"]);
        publish.succeeds();
        python.ends_well();
    }
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_requests_and_replies() {
    let _watchdog = watchdog();
    for library in ["zeroless", "pyzmq"] {
        let (_reply, port) = serve("reply -- tr a-z A-Z");
        let (mut python, _) = peer(library, "request", port);
        python.send(&[b"hello".to_vec()]);
        assert_eq!(python.hear(), [b"HELLO"]);
        python.ends_well();

        let (mut python, port) = peer(library, "reply", 0);
        let request = connect(port, "request question");
        assert_eq!(python.hear(), [b"question"]);
        python.send(&[b"answer".to_vec()]);
        assert_eq!(request.text(), "answer\n");
        python.ends_well();
    }
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_calls_and_is_called() {
    let _watchdog = watchdog();
    let (_serve, port) = serve("serve -- expr");
    let (mut python, _) = peer("pyzmq", "request", port);
    python.send(&["1", "+", "2"].map(|frame| frame.as_bytes().to_vec()));
    assert_eq!(python.hear(), [b"3"]);
    python.ends_well();

    let (mut python, port) = peer("pyzmq", "reply", 0);
    let call = connect(port, "call add 1 2 --frames");
    assert_eq!(python.hear(), [&b"add"[..], b"1", b"2"]);
    python.send(&[b"3".to_vec()]);
    assert_eq!(call.text(), "3\n");
    python.ends_well();
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_does_jobs() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch --keep-order");
    let mut python = Command::new(interpreter())
        .arg("-B")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/worker.py"))
        .arg(format!("tcp://127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    dispatch.give("a\nb\nc\nd\n");
    assert_eq!(dispatch.text(), "A\nB\nC\nD\n");
    assert!(python.wait().unwrap().success());
}
