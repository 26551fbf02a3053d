//! A broker between clients and workers: clients send requests to it, and it passes them to workers, which reply. All
//! workers can work at the same time.
//!
//! Workers can come and go, because the clients only need to know the broker. If a worker dies, its request is lost.
//! The client gets no reply within its timeout, and sends the request again.
//!
//! ```text
//!   client ◀──┐             ┌────────┬────────┐                 ┌──▶ worker
//!   client ◀──┼─── PORT ───▶│ router │ dealer │◀── PORT + 1 ────┼──▶ worker
//!   client ◀──┘             └────────┴────────┘                 └──▶ worker
//!                                 broker
//! ```
//!
//! ```sh
//! cargo run --example broker -- broker
//! cargo run --example broker -- worker    # one or more
//! cargo run --example broker -- client
//! ```

mod cli;

use std::process::ExitCode;
use std::time::Duration;

use zeroless::{Client, ErrorKind, Result, Server, proxy, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role_with_two_ports(&[("broker", broker), ("worker", worker), ("client", client)])
}

fn broker(port: u16) -> Result<()> {
    // The router knows which client asked, and the dealer gives each request to the next worker.
    let clients = Server::new(port).router()?;
    let workers = Server::new(port + 1).dealer()?;
    println!("clients at port {port}, workers at port {}; Ctrl-C to stop", port + 1);
    proxy(clients, workers)
}

fn worker(port: u16) -> Result<()> {
    let (reply, requests) = Client::new().connect_local(port + 1).reply()?;
    println!("waiting for requests from port {}; Ctrl-C to stop", port + 1);
    let signature = format!("by worker {}", std::process::id());
    for request in requests {
        println!("asked for {}", text(&request));
        reply(&[&request[0].to_ascii_uppercase(), signature.as_bytes()])?;
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
            match replies.recv() {
                Ok(reply) => break println!("{question} is {}", text(&reply)),
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    println!("no reply to {question} yet; are the broker and a worker running?");
                }
                // Another request would fail, too, for example because the server does not reply to requests at all.
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
