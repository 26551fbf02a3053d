//! Which clients a server lets in: by password, by address and by key.

mod addresses;
mod admission;
mod curve;
mod denial;
mod eavesdropper;
mod keys;
mod passwords;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use support::{client_of, zmtp};
use zeroless::{Client, ErrorKind, Receiver, Result, Server};

/// How long to wait before asserting that nothing has arrived.
const A_WHILE: Duration = Duration::from_millis(300);

/// A server that lets in Ada.
fn server_for_ada() -> Server {
    let mut server = Server::new(0);
    server.plain_users([("ada", "enchantress")]);
    server
}

/// The recipe of a client of this server with a user and a password.
fn client_as(server: &Receiver, user: &str, password: &str) -> Client {
    let mut client = client_of(server);
    client.plain(user, password);
    client
}

/// The recipe of a client of this server from another address of this machine.
fn client_from(address: &str, server: &Receiver) -> Client {
    let port = server.socket().port().unwrap();
    let mut client = Client::new();
    client.connect_to(format!("tcp://{address}:0;{address}:{port}"));
    client
}

/// Asserts that the server refuses the peer after its greeting.
fn assert_refused(stranger: &mut TcpStream) {
    stranger.read_exact(&mut [0; 64]).unwrap();
    // libzmq 4.3.4 misspells how the command begins.
    assert!(zmtp::read_frame(stranger).ends_with(b"RROR\x03400"));
}

fn kind_of<T>(outcome: Result<T>) -> ErrorKind {
    outcome.map(drop).unwrap_err().kind()
}

/// How many threads of this process answer which clients to let in.
fn handlers() -> usize {
    threads("zeroless-zap")
}

/// How many threads of this process have this name.
fn threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|other| other.trim() == name).count()
}
