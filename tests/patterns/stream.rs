//! Raw TCP peers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::{self, client_of_port, watchdog};
use zeroless::{Client, ErrorKind, Receiver, Server};

/// Receives `count` bytes of one peer.
fn take(bytes: &Receiver, count: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend_from_slice(&bytes.recv().unwrap()[1]);
    }
    taken
}

#[test]
fn exchanges_bytes_with_raw_peer() {
    let _watchdog = watchdog();
    let (send, bytes) = Server::new(0).stream().unwrap();
    let mut peer = TcpStream::connect(("127.0.0.1", bytes.socket().port().unwrap())).unwrap();
    let came = bytes.recv().unwrap();
    assert_eq!(came[1], b"", "an empty frame tells of the connection");

    peer.write_all(b"hello").unwrap();
    assert_eq!(bytes.recv().unwrap(), [&came[0][..], b"hello"]);
    send.send(&[&came[0][..], b"good day"]).unwrap();
    let mut heard = [0; 8];
    peer.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"good day");

    drop(peer);
    assert_eq!(bytes.recv().unwrap(), [&came[0][..], b""]);
    support::wait_until(|| {
        send.send(&[&came[0][..], b"gone"])
            .is_err_and(|error| error.kind() == ErrorKind::NotConnected)
    });
}

#[test]
fn hang_up_delivers_what_was_sent() {
    const LENGTH: usize = 10_000_000;
    let _watchdog = watchdog();
    let (send, bytes) = Server::new(0).stream().unwrap();
    let port = bytes.socket().port().unwrap();
    let server = thread::spawn(move || {
        for message in &bytes {
            if message[1] == b"please" {
                send.send(&[&message[0][..], &vec![b'x'; LENGTH]]).unwrap();
                send.send(&[&message[0][..], b""]).unwrap();
            } else if message[1] == b"enough" {
                break;
            }
        }
    });
    for _ in 0..5 {
        let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        peer.write_all(b"please").unwrap();
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).unwrap();
        assert_eq!(heard.len(), LENGTH);
    }
    let mut last = TcpStream::connect(("127.0.0.1", port)).unwrap();
    last.write_all(b"enough").unwrap();
    server.join().unwrap();
}

#[test]
fn client_talks_to_raw_server() {
    let _watchdog = watchdog();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (send, bytes) = client_of_port(listener.local_addr().unwrap().port()).stream().unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let [id, empty] = bytes.recv().unwrap().try_into().unwrap();
    assert_eq!(empty, b"");
    send.send(&[&id[..], b"shout"]).unwrap();
    let mut heard = [0; 5];
    server.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"shout");
    server.write_all(b"echo").unwrap();
    assert_eq!(take(&bytes, 4), b"echo");
}

#[test]
fn slow_peer_loses_nothing() {
    const CHUNKS: usize = 2_000;
    let _watchdog = watchdog();
    let (send, bytes) = Server::new(0).high_water_mark(2).stream().unwrap();
    let mut peer = TcpStream::connect(("127.0.0.1", bytes.socket().port().unwrap())).unwrap();
    let [id, _] = bytes.recv().unwrap().try_into().unwrap();
    let chunk = vec![b'x'; 10_000];
    // Its queue is soon full, and so are the buffers at both ends of the connection.
    let mut sent = 0;
    let error = loop {
        match send.send_timeout(&[&id[..], &chunk], Duration::from_millis(100)) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    thread::scope(|scope| {
        scope.spawn(|| (sent..CHUNKS).for_each(|_| send.send(&[&id[..], &chunk]).unwrap()));
        let mut heard = vec![0; CHUNKS * chunk.len()];
        peer.read_exact(&mut heard).unwrap();
        assert!(heard.iter().all(|&byte| byte == b'x'));
    });
    peer.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn wrong_frame_count_is_error() {
    let _watchdog = watchdog();
    let (send, bytes) = Server::new(0).stream().unwrap();
    let mut peer = TcpStream::connect(("127.0.0.1", bytes.socket().port().unwrap())).unwrap();
    let id = bytes.recv().unwrap().remove(0);
    let refused: [&[&[u8]]; 3] = [&[], &[&id], &[&id, b"a", b"b"]];
    for frames in refused {
        assert_eq!(send(frames).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(send(&[b"nobody", b"x"]).unwrap_err().kind(), ErrorKind::NotConnected);
    send(&[&id, b"fine"]).unwrap();
    let mut heard = [0; 4];
    peer.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"fine");
}

#[test]
fn refuses_other_transports() {
    let _watchdog = watchdog();
    for endpoint in ["inproc://raw", "ipc:///tmp/zeroless-raw"] {
        let errors = [
            Server::at(endpoint).stream().unwrap_err(),
            Client::new().connect_to(endpoint).stream().unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(endpoint));
        }
    }
}
