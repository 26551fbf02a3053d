//! A node tells about its machine, and a client shows several nodes as a table: remote calls with typed values.
//!
//! Questions and answers are Rust types, and travel as JSON. If a question does not fit its type, the call fails, and its
//! error names the wrong field. If an answer does not fit, the client names the field.
//!
//! ```text
//!                         ┌── {"memory_in":"GiB"} ──▶ node (server)
//!   table ◀── client ◀────┼──▶ node (server)
//!                         └──▶ node (server)
//! ```
//!
//! ```sh
//! cargo run --example node                                       # three nodes and a client, in one process
//! cargo run --example node -- server 0.0.0.0:12345               # on each machine
//! cargo run --example node -- client mars:12345 venus:12345      # anywhere
//! ```

#[path = "../cli/mod.rs"]
mod cli;
mod client;
mod server;

use std::error::Error;
use std::process::ExitCode;
use std::thread;

use serde::{Deserialize, Serialize};
use zeroless::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\nserver ADDRESS\nclient ADDRESS...";

/// What a client asks.
#[derive(Serialize, Deserialize)]
struct Question {
    memory_in: Unit,
}

#[derive(Serialize, Deserialize)]
enum Unit {
    MiB,
    GiB,
}

/// What a node answers.
#[derive(Serialize, Deserialize)]
struct Node {
    name: String,
    system: String,
    architecture: String,
    memory_used: f64,
    memory_total: f64,
    load: f64,
    uptime_hours: f64,
}

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_with_arguments(USAGE, |arguments| match arguments {
        [] => alone(),
        ["server", address] => server::run(Server::at(cli::endpoint(address)).serve()?),
        ["client", addresses @ ..] if !addresses.is_empty() => client::run(addresses),
        _ => Err(cli::WrongUsage.into()),
    })
}

fn alone() -> Result<()> {
    let mut addresses = Vec::new();
    for _ in 0..3 {
        let calls = Server::new(0).serve()?;
        addresses.push(calls.socket().port()?.to_string());
        thread::spawn(|| server::run(calls).map_err(|error| error.to_string()));
    }
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    client::run(&addresses)?;

    let bad_question = [r#"{"memory_in":"spoons"}"#];
    if let Err(failure) = client::connect(addresses[0])?.call(&bad_question) {
        println!("The call with {} fails: {failure}", bad_question[0]);
    }
    Ok(())
}
