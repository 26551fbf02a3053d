//! Push/pull: the client sends work, and the server receives it. Try several clients, or start the client first.
//!
//! ```text
//!   push (client) ──┐
//!   push (client) ──┼── PORT ──▶ pull (server)
//!   push (client) ──┘
//! ```
//!
//! ```sh
//! cargo run --example push_pull -- server
//! cargo run --example push_pull -- client
//! ```

mod cli;

use std::process::ExitCode;

use zeroless::{Client, Result, Server, text};

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role(&[("server", server), ("client", client)])
}

fn server(port: u16) -> Result<()> {
    let pull = Server::new(port).pull()?;
    println!("pulling at port {}; Ctrl-C to stop", pull.socket().port()?);
    for message in pull {
        println!("{}", text(&message));
    }
    Ok(())
}

fn client(port: u16) -> Result<()> {
    let push = Client::new().connect_local(port).push()?;
    for message in ["Msg1", "Msg2", "Msg3"] {
        push(&[message.as_bytes()])?;
    }
    println!("pushed; the program exits when the messages are delivered");
    Ok(())
}
