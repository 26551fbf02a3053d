//! Request/reply: a client asks, and the server replies. Try to stop the server while a client asks, and restart it.
//!
//! The example `calculator` asks by remote calls: from several threads, and with failures.
//!
//! ```text
//!   request (client) ◀──┐
//!   request (client) ◀──┼── PORT ──▶ reply (server)
//!   request (client) ◀──┘
//! ```
//!
//! ```sh
//! cargo run --example request_reply -- server
//! cargo run --example request_reply -- client
//! ```

mod cli;

use std::process::ExitCode;
use std::time::Duration;

use zeroless::{Client, ErrorKind, Result, Server, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role(&[("server", server), ("client", client)])
}

fn server(port: u16) -> Result<()> {
    let (reply, requests) = Server::new(port).reply()?;
    println!("replying at port {}; Ctrl-C to stop", requests.socket().port()?);
    for request in requests {
        println!("asked for {}", text(&request));
        let uppercase: Vec<Vec<u8>> = request.iter().map(|frame| frame.to_ascii_uppercase()).collect();
        reply.send(&uppercase)?;
    }
    Ok(())
}

fn client(port: u16) -> Result<()> {
    let (request, replies) = Client::new()
        .connect_local(port)
        .timeout(Duration::from_secs(2))
        .request()?;
    for question in ["one", "two", "three"] {
        loop {
            request(&[question.as_bytes()])?;
            // After a timeout the request can be sent again. A late reply to the first request is dropped.
            match replies.recv() {
                Ok(reply) => break println!("{question} is {}", text(&reply)),
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    println!("no reply to {question} yet; is the server running?");
                }
                // Another request would fail, too, for example because the server does not reply to requests at all.
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
