//! Dgram: datagrams of any program.

use std::net::UdpSocket;
use std::time::Duration;

use crate::support::watchdog;
use zeroless::{Client, ErrorKind, Receiver, Server};

/// A plain socket that is connected to a dgram, and a datagram that has arrived from it.
fn device_of(datagrams: &Receiver) -> (UdpSocket, Vec<Vec<u8>>) {
    let device = UdpSocket::bind("127.0.0.1:0").unwrap();
    device
        .connect(("127.0.0.1", datagrams.socket().port().unwrap()))
        .unwrap();
    loop {
        // It is lost, or an error, until libzmq listens.
        let _ = device.send(b"hello");
        if let Ok(message) = datagrams.recv_timeout(Duration::from_millis(10)) {
            return (device, message);
        }
    }
}

#[test]
fn exchanges_datagrams_with_a_plain_socket() {
    let _watchdog = watchdog();
    let (send, datagrams) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    let (device, hello) = device_of(&datagrams);
    assert_eq!(hello, [device.local_addr().unwrap().to_string().as_bytes(), b"hello"]);

    send(&[&hello[0], b"good day"]).unwrap();
    let mut buffer = [0; 9000];
    assert_eq!(device.recv(&mut buffer).unwrap(), 8);
    assert_eq!(&buffer[..8], b"good day");
}

#[test]
fn carries_empty_and_long_datagrams() {
    let _watchdog = watchdog();
    let (send, datagrams) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    let (device, hello) = device_of(&datagrams);
    let mut buffer = [0; 9000];
    for length in [0, 8192] {
        send.send(&[&hello[0], &vec![7; length]]).unwrap();
        assert_eq!(device.recv(&mut buffer).unwrap(), length);
        device.send(&vec![8; length]).unwrap();
        let received = datagrams.iter().find(|message| message[1] != b"hello").unwrap();
        assert_eq!(received[1], vec![8; length]);
    }
}

#[test]
fn refuses_to_send_what_does_not_fit() {
    let _watchdog = watchdog();
    let (send, datagrams) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    let (_device, hello) = device_of(&datagrams);
    let error = send.send(&[&hello[0], &vec![7; 8193]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("8192 bytes"), "{error}");
}

#[test]
fn drops_what_arrives_too_long() {
    let _watchdog = watchdog();
    let (_send, datagrams) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    let (device, _) = device_of(&datagrams);
    device.send(&[7; 8193]).unwrap();
    device.send(b"next").unwrap();
    let received = datagrams.iter().find(|message| message[1] != b"hello").unwrap();
    assert_eq!(received[1], b"next");
}

#[test]
fn refuses_malformed_messages() {
    let _watchdog = watchdog();
    let (send, _) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    for message in [
        &[&b"127.0.0.1:5555"[..]][..],
        &[b"localhost:5555", b"text"],
        &[b"127.0.0.1:5555", b"a", b"b"],
    ] {
        let error = send(message).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{message:?}");
        assert!(error.to_string().contains("127.0.0.1:5555"), "{error}");
    }
}

#[test]
fn speaks_udp_only_and_binds_once() {
    let _watchdog = watchdog();
    let error = Server::new(0).dgram().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let error = Server::at("udp://127.0.0.1:0")
        .also_at("udp://127.0.0.1:0")
        .dgram()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyConnected, "{error}");
    let (send, _) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    let error = send.socket().connect_to("udp://127.0.0.1:5555").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let error = Client::new().connect_to("udp://127.0.0.1:5555").push().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[test]
fn waits_for_an_endpoint_after_unbind() {
    let _watchdog = watchdog();
    let (send, datagrams) = Server::at("udp://127.0.0.1:0").dgram().unwrap();
    let (_device, hello) = device_of(&datagrams);
    datagrams.socket().unbind(&datagrams.socket().endpoints()[0]).unwrap();
    let error = loop {
        if let Err(error) = send.send_timeout(&[&hello[0], &b"late".to_vec()], Duration::from_millis(10)) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}
