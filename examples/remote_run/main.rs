//! Runs commands on another machine, and shows what they print, line by line, while they run.
//!
//! **The server runs any command for whoever can connect.** So let it listen only on this machine, as below, or let in
//! only clients with known keys: the example `secure` shows the lines that this takes.
//!
//! ```text
//!                      seconds, command
//!                     ──────────────────▶
//!   dealer (client)                        router (server) ◀── stdout, stderr ── command
//!                     ◀──────────────────
//!                      lines, how it ended
//! ```
//!
//! A remote call has one answer. Here the answer is many messages, so this uses `dealer` and `router`. If the client is
//! slow, its queue fills, sending blocks, and the command waits.
//!
//! | what happens | what follows |
//! |---|---|
//! | the command ends | its client gets its exit status; processes that it has left behind are killed |
//! | its time is over | the command is killed, with the processes that it has started |
//! | Ctrl-C stops its client, or the client dies | the same, within half a second |
//! | the server dies | the client says so after 5 seconds; the command can go on until it prints something |
//!
//! ```sh
//! cargo run --example remote_run                                          # both sides in one process
//! cargo run --example remote_run -- server 127.0.0.1:12345
//! cargo run --example remote_run -- client 127.0.0.1:12345 10 ping ::1    # for at most 10 seconds
//! ```

#[path = "../cli/mod.rs"]
mod cli;
mod client;
mod server;

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use zeroless::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\nserver ADDRESS\nclient ADDRESS SECONDS COMMAND [ARGUMENT]...";

/// How often the server tells a client that its command is running. Sending fails if the client has gone.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// A client gives up a server that has sent nothing for this time.
const SILENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_with_arguments(USAGE, |arguments| match arguments {
        [] => alone(),
        ["server", address] => {
            let (send, requests) = Server::at(cli::endpoint(address)).router()?;
            println!("running commands at {address}; Ctrl-C to stop");
            server::run(&send, requests);
            Ok(ExitCode::SUCCESS)
        }
        ["client", address, seconds, command @ ..] if !command.is_empty() => {
            client::run(&cli::endpoint(address), seconds, command)
        }
        _ => Err(cli::WrongUsage.into()),
    })
}

fn alone() -> Result<ExitCode> {
    let (send, requests) = Server::new(0).router()?;
    let endpoint = requests.socket().endpoints().concat();
    thread::spawn(move || server::run(&send, requests));
    let script = "for n in 1 2 3; do echo line $n; sleep 0.5; done; echo an error >&2; exit 3";
    for (seconds, script) in [("10", script), ("1", "echo this takes too long; sleep 60")] {
        println!("$ {script}");
        client::run(&endpoint, seconds, &["sh", "-c", script])?;
    }
    Ok(ExitCode::SUCCESS)
}
