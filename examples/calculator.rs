//! Remote calls: eight threads ask one calculator, over one socket. Try to stop the server while a client asks, and
//! restart it.
//!
//! ```text
//!   8 threads ◀──▶ call (client) ◀── PORT ──▶ serve (server) ◀──▶ 4 threads
//! ```
//!
//! ```sh
//! cargo run --example calculator -- server
//! cargo run --example calculator -- client
//! ```

mod cli;

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use zeroless::{Caller, Client, ErrorKind, Message, Result, Server, text};

/// How long to wait for an answer, or for a server.
const PATIENCE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role(&[("server", server), ("client", client)])
}

fn server(port: u16) -> Result<()> {
    let calls = Server::new(port).serve()?;
    println!("calculating at port {}; Ctrl-C to stop", calls.socket().port()?);
    calls.workers(4, calculate)
}

/// The frames of `Ok` are the answer. The text of an error is how the call fails at the client.
fn calculate(call: &Message) -> std::result::Result<[String; 1], Box<dyn Error>> {
    let [x, operator, y] = call.as_slice() else {
        return Err("a calculation has three frames, such as 1 + 2".into());
    };
    let x: i64 = str::from_utf8(x)?.parse()?;
    let y: i64 = str::from_utf8(y)?.parse()?;
    let result = match operator.as_slice() {
        b"+" => x.checked_add(y).ok_or("the sum is too large")?,
        b"/" => x
            .checked_div(y)
            .ok_or_else(|| format!("{x} cannot be divided by {y}"))?,
        other => return Err(format!("there is no operator {}", other.escape_ascii()).into()),
    };
    Ok([result.to_string()])
}

fn client(port: u16) -> Result<()> {
    let call = Client::new().connect_local(port).timeout(PATIENCE).call()?;
    wait_for_server(&call)?;
    let call = &call;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || ask(call, number))).collect();
        let mut threads = threads.into_iter();
        threads.try_for_each(|thread| thread.join().expect("no thread panics"))
    })
}

/// A call waits for its server by itself, until its timeout. This says only once, and not in each thread, that there is none.
fn wait_for_server(call: &Caller) -> Result<()> {
    loop {
        match call.wait_for_server(PATIENCE) {
            Err(error) if error.kind() == ErrorKind::NotConnected => println!("no server yet; is it running?"),
            outcome => return outcome,
        }
    }
}

/// What each of the eight threads does. All share one caller.
fn ask(call: &Caller, number: i64) -> Result<()> {
    let number = number.to_string();
    for operator in ["+", "/"] {
        let question = ["100", operator, &number];
        match call_until_answered(call, &question) {
            Ok(answer) => println!("{} = {}", question.join(" "), text(&answer)),
            // The server's own words. To ask again would not help.
            Err(error) if error.kind() == ErrorKind::Failed => println!("{}: {error}", question.join(" ")),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn call_until_answered(call: &Caller, question: &[&str]) -> Result<Message> {
    loop {
        match call.call(question) {
            // The call was not run, so it is always right to call again.
            Err(error) if error.kind() == ErrorKind::NotConnected => {
                println!("{}: no server any more; waiting for one", question.join(" "));
            }
            // The server may have run the call. This calls again only because it does no harm to add twice. A program
            // that orders tea must not.
            Err(error) if matches!(error.kind(), ErrorKind::Lost | ErrorKind::TimedOut) => {
                println!("{}: no answer; asking again", question.join(" "));
            }
            outcome => return outcome,
        }
    }
}
