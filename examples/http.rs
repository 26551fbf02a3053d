//! A tiny HTTP server: a stream socket speaks with peers that know nothing of ZeroMQ, here with browsers.
//!
//! TCP knows no messages, so what a peer sends comes in pieces of any size. The server keeps them, for each peer by
//! itself, until they make a request.
//!
//! ```text
//!   browser ◀──┐
//!   curl    ◀──┼── bytes ──▶ stream (server)
//!   any     ◀──┘
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

/// Nobody's request may have a longer head than this, or one peer could fill the memory.
const LONGEST_HEAD: usize = 16 * 1024;

fn main() -> ExitCode {
    env_logger::init();
    cli::run(http)
}

fn http(port: u16) -> Result<()> {
    let (send, pieces) = Server::new(port).stream()?;
    let port = pieces.socket().port()?;
    println!("serving http://127.0.0.1:{port}/; Ctrl-C ends it");
    let mut heads: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let mut count = 0;
    for message in pieces {
        let [peer, bytes] = message.as_slice() else { continue };
        if bytes.is_empty() {
            // The peer has just come, or it has left.
            heads.remove(peer);
            continue;
        }
        let head = heads.entry(peer.clone()).or_default();
        head.extend(bytes);
        let response = if head.windows(4).any(|end| end == b"\r\n\r\n") {
            count += 1;
            respond(&String::from_utf8_lossy(head), count)
        } else if head.len() > LONGEST_HEAD {
            response("431 Request Header Fields Too Large", "this is too long\n")
        } else {
            continue;
        };
        heads.remove(peer);
        hang_up(&send, peer, response.as_bytes())?;
    }
    Ok(())
}

/// The response to a request with this head.
fn respond(head: &str, count: usize) -> String {
    let mut words = head.split_whitespace();
    match (words.next(), words.next()) {
        (Some("GET"), Some(path)) => response("200 OK", &format!("request {count} is for {path}\n")),
        _ => response("501 Not Implemented", "this server knows GET alone\n"),
    }
}

fn response(status: &str, text: &str) -> String {
    let headers = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
    let length = text.len();
    format!("HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{text}")
}

/// Sends the last words, and an empty frame, which hangs up once they are sent.
fn hang_up(send: &Sender, peer: &[u8], words: &[u8]) -> Result<()> {
    match send(&[peer, words]).and_then(|()| send(&[peer, b""])) {
        // The peer was faster.
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
        outcome => outcome,
    }
}
