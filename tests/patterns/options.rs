//! Options of recipes that libzmq applies in the background.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::support::zmtp::{await_hang_up, read_frame, shake_hands};
use crate::support::{self, client_of, client_of_port, texts, watchdog};
use zeroless::{Client, ErrorKind, Result, Server, zmq};

fn assert_invalid<T>(outcome: Result<T>, named: &str) {
    let error = outcome.err().expect("it is refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains(named), "{error} does not name {named}");
}

#[test]
fn identity_has_1_to_255_bytes() {
    let _watchdog = watchdog();
    assert_invalid(Server::new(0).identity("").dealer(), "\"\"");
    assert_invalid(Server::new(0).identity(b"\0x").dealer(), "\"\\x00x\"");
    assert_invalid(Client::new().identity([b'x'; 256]).dealer(), "too long");

    let (_answer, questions) = Server::new(0).router().unwrap();
    for identity in [&b"\x01"[..], b"a\0\xff", &[b'x'; 255]] {
        let (ask, _answers) = client_of(&questions).identity(identity).dealer().unwrap();
        ask(&[b"who am I?"]).unwrap();
        assert_eq!(questions.recv().unwrap()[0], identity);
    }
}

#[test]
fn refuses_zero_heartbeat_and_message_size() {
    let _watchdog = watchdog();
    assert_invalid(Server::new(0).heartbeat(Duration::ZERO).pull(), "heartbeat");
    assert_invalid(Server::new(0).max_message_size(0).pull(), "0 bytes");
    assert_invalid(Server::new(0).max_message_size(u64::MAX).pull(), "18446744073709551615");
    Server::new(0).heartbeat(Duration::MAX).pull().unwrap();
    Server::new(0).max_message_size(i64::MAX as u64).pull().unwrap();
}

#[test]
fn refuses_keepalive_beyond_the_limit_of_the_system() {
    let _watchdog = watchdog();
    for beyond in [Duration::from_millis(32_767_001), Duration::MAX] {
        assert_invalid(Server::new(0).keepalive(beyond).pull(), "32767 s");
        assert_invalid(Client::new().keepalive(beyond).pull(), &format!("{beyond:?}"));
    }
    Server::new(0).keepalive(Duration::ZERO).pull().unwrap();
}

#[test]
#[cfg_attr(
    libzmq = "zmq_sys",
    ignore = "zmq-sys's libzmq has no keepalive: run with default features"
)]
fn keepalive_rounds_up_and_probes_each_sixth() {
    let probes = |idle: Duration| {
        let set = Arc::new(OnceLock::new());
        let seen = Arc::clone(&set);
        let look = move |socket: &zmq::Socket| {
            let (idle, interval) = (socket.get_tcp_keepalive_idle()?, socket.get_tcp_keepalive_intvl()?);
            let all = [
                socket.get_tcp_keepalive()?,
                idle,
                interval,
                socket.get_tcp_keepalive_cnt()?,
            ];
            seen.set(all).unwrap();
            Ok(())
        };
        Server::new(0).keepalive(idle).configure(look).pull().unwrap();
        set.get().copied().unwrap()
    };
    assert_eq!(probes(Duration::from_nanos(1)), [1, 1, 1, 3]);
    assert_eq!(probes(Duration::from_millis(11_001)), [1, 12, 2, 3]);
    assert_eq!(probes(Duration::from_secs(32_767)), [1, 32_767, 5_461, 3]);
    assert_eq!(probes(Duration::ZERO)[0], 0);
}

#[test]
#[cfg_attr(
    not(libzmq = "zmq_sys"),
    ignore = "needs another libzmq: run with --no-default-features"
)]
fn keepalive_needs_libzmq_that_supports_it() {
    let error = Server::new(0).keepalive(Duration::from_secs(1)).pull().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("own-libzmq"), "{error}");
}

#[test]
fn large_frame_is_refused_and_later_messages_arrive() {
    let _watchdog = watchdog();
    let pull = Server::new(0).max_message_size(1_000).pull().unwrap();
    let other = client_of(&pull).push().unwrap();
    let push = client_of(&pull).push().unwrap();
    push.send(&[vec![b'x'; 1_000], vec![b'y'; 1_000]]).unwrap();
    assert_eq!(pull.recv().unwrap(), [[b'x'; 1_000], [b'y'; 1_000]]);
    push.send(&[b"small".to_vec(), vec![b'z'; 1_001]]).unwrap();
    other(&[b"from another"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["from another"]);
    // What was sent before libzmq notices is lost with the connection, so this is sent until it arrives.
    let heard = loop {
        push(&[b"afterwards"]).unwrap();
        if let Ok(message) = pull.recv_timeout(Duration::from_millis(10)) {
            break message;
        }
    };
    assert_eq!(texts(&heard), ["afterwards"]);
}

/// Asserts that a silent peer is sent a ping, and then disconnected.
fn assert_dropped_when_silent(connection: &mut TcpStream, heartbeat: Duration) {
    let started = Instant::now();
    assert!(read_frame(connection).starts_with(b"\x04PING"));
    // There may be more pings before.
    await_hang_up(connection);
    assert!(started.elapsed() < 10 * heartbeat, "it took {:?}", started.elapsed());
}

const HEARTBEAT: Duration = Duration::from_millis(200);

#[test]
fn heartbeat_drops_silent_client() {
    let _watchdog = watchdog();
    let (send, messages) = Server::new(0).heartbeat(HEARTBEAT).router().unwrap();
    let mut silent = TcpStream::connect(("127.0.0.1", messages.socket().port().unwrap())).unwrap();
    shake_hands(&mut silent, "DEALER");
    silent.write_all(b"\x00\x05hello").unwrap();
    let [id, hello] = messages.recv().unwrap().try_into().unwrap();
    assert_eq!(hello, b"hello");
    assert_dropped_when_silent(&mut silent, HEARTBEAT);
    support::wait_until(|| {
        send.send(&[&id[..], b"are you there?"])
            .is_err_and(|error| error.kind() == ErrorKind::NotConnected)
    });
}

#[test]
fn heartbeat_leaves_silent_server() {
    let _watchdog = watchdog();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _pull = client_of_port(port).heartbeat(HEARTBEAT).pull().unwrap();
    let (mut silent, _) = listener.accept().unwrap();
    shake_hands(&mut silent, "PUSH");
    assert_dropped_when_silent(&mut silent, HEARTBEAT);
    let (mut again, _) = listener.accept().unwrap();
    shake_hands(&mut again, "PUSH");
}

#[test]
fn heartbeat_keeps_idle_connection() {
    let _watchdog = watchdog();
    let heartbeat = Duration::from_millis(20);
    let (answer, questions) = Server::new(0).heartbeat(heartbeat).router().unwrap();
    // Its routing id is generated, so if it connected again it would have another one.
    let (ask, answers) = client_of(&questions).dealer().unwrap();
    ask(&[b"hello"]).unwrap();
    let hello = questions.recv().unwrap();
    assert!(answers.recv_timeout(20 * heartbeat).is_err(), "nothing is said");
    answer.send(&hello).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"hello"]);
}

#[test]
fn unrelated_options_are_harmless() {
    let _watchdog = watchdog();
    let mut server = Server::at("inproc://options");
    server.identity("me").heartbeat(HEARTBEAT).max_message_size(1);
    let pull = server.pull().unwrap();
    let mut client = Client::new();
    client.identity("you").heartbeat(HEARTBEAT).max_message_size(1);
    let push = client.connect_to("inproc://options").push().unwrap();
    push(&[b"more than a byte"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["more than a byte"]);
}

#[test]
fn attempt_to_connect_takes_at_most_three_seconds() {
    let limit = Arc::new(AtomicI32::new(0));
    let seen = Arc::clone(&limit);
    let look = move |socket: &zmq::Socket| {
        seen.store(socket.get_connect_timeout()?, Ordering::Relaxed);
        Ok(())
    };
    client_of_port(9).linger(Duration::ZERO).configure(look).push().unwrap();
    assert_eq!(limit.load(Ordering::Relaxed), 3_000);
}
