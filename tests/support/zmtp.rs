//! ZeroMQ's protocol, written by hand, for peers that behave as libzmq never does.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// Flags of a frame: more frames of its message follow; it is a command.
pub const MORE: u8 = 1;
pub const COMMAND: u8 = 4;

/// The flag of a frame whose length has eight bytes.
const LONG: u8 = 2;

/// The greeting of a peer of version 3.
pub fn greeting(mechanism: &str) -> [u8; 64] {
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..][..mechanism.len()].copy_from_slice(mechanism.as_bytes());
    greeting
}

/// The header of a frame that announces this length, in the longer of the two forms.
pub fn long_head(flags: u8, length: u64) -> Vec<u8> {
    [&[flags | LONG][..], &length.to_be_bytes()].concat()
}

pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let head = match u8::try_from(body.len()) {
        Ok(length) => vec![flags, length],
        Err(_) => long_head(flags, body.len() as u64),
    };
    [&head, body].concat()
}

/// The command that completes the handshake of a peer without security.
pub fn ready(socket_type: &str) -> Vec<u8> {
    let length = (socket_type.len() as u32).to_be_bytes();
    let body = [b"\x05READY\x0bSocket-Type", &length[..], socket_type.as_bytes()].concat();
    frame(COMMAND, &body)
}

/// Exchanges greetings with a peer, without security.
pub fn greet(connection: &mut TcpStream) {
    connection.write_all(&greeting("NULL")).unwrap();
    connection.read_exact(&mut [0; 64]).unwrap();
}

/// Performs the whole handshake with a peer, without security.
pub fn shake_hands(connection: &mut TcpStream, socket_type: &str) {
    greet(connection);
    connection.write_all(&ready(socket_type)).unwrap();
    assert!(read_frame(connection).starts_with(b"\x05READY"));
}

/// Reads a short frame, and returns it without its header.
pub fn read_frame(connection: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    connection.read_exact(&mut head).unwrap();
    let mut body = vec![0; head[1].into()];
    connection.read_exact(&mut body).unwrap();
    body
}

/// Waits until the peer has read all that it was sent.
pub fn await_taken(connection: &mut TcpStream) {
    connection.write_all(&frame(COMMAND, b"\x04PING\0\0")).unwrap();
    assert_eq!(read_frame(connection), b"\x04PONG");
}

/// Waits until the peer closes the connection, whatever it sends before.
pub fn await_hang_up(connection: &mut TcpStream) {
    match connection.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}
