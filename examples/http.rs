//! A small HTTP server: a stream socket talks to peers that do not use ZeroMQ, here browsers.
//!
//! TCP has no messages, so the bytes of a peer arrive in pieces of any size. The server collects the pieces of each peer
//! separately, until they form a request.
//!
//! ```text
//!   browser ◀──┐
//!   curl    ◀──┼── bytes ──▶ stream (server)
//!   other   ◀──┘
//! ```
//!
//! ```sh
//! cargo run --example http
//! curl http://127.0.0.1:12345/hello
//! ```

mod cli;

use std::collections::HashMap;
use std::process::ExitCode;

use zeroless::{ErrorKind, Result, Sender, Server};

/// The longest head of a request. Without a limit, one peer could fill the memory.
const MAX_HEAD: usize = 16 * 1024;

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run(http)
}

fn http(port: u16) -> Result<()> {
    let (send, pieces) = Server::new(port).stream()?;
    let port = pieces.socket().port()?;
    println!("serving http://127.0.0.1:{port}/; Ctrl-C to stop");
    let mut heads: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let mut count = 0;
    for message in pieces {
        let [peer, bytes] = message.as_slice() else { continue };
        if bytes.is_empty() {
            // An empty frame means that the peer has just connected, or that it has disconnected.
            heads.remove(peer);
            continue;
        }
        let head = heads.entry(peer.clone()).or_default();
        head.extend(bytes);
        let response = if head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            count += 1;
            respond(&String::from_utf8_lossy(head), count)
        } else if head.len() > MAX_HEAD {
            response("431 Request Header Fields Too Large", "the request is too long\n")
        } else {
            continue;
        };
        heads.remove(peer);
        send_and_disconnect(&send, peer, response.as_bytes())?;
    }
    Ok(())
}

/// Returns the response to a request with this head.
fn respond(head: &str, count: usize) -> String {
    let mut words = head.split_whitespace();
    match (words.next(), words.next()) {
        (Some("GET"), Some(path)) => response("200 OK", &format!("request {count} is for {path}\n")),
        _ => response("501 Not Implemented", "this server supports only GET\n"),
    }
}

fn response(status: &str, text: &str) -> String {
    let headers = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
    let length = text.len();
    format!("HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{text}")
}

/// Sends the response, and then an empty frame, which disconnects the peer after the response is sent.
fn send_and_disconnect(send: &Sender, peer: &[u8], response: &[u8]) -> Result<()> {
    match send(&[peer, response]).and_then(|()| send(&[peer, b""])) {
        // The peer has already disconnected.
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
        outcome => outcome,
    }
}
