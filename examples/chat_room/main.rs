//! A chat room: who comes late reads what was said before, and nobody misses a line or sees one twice.
//!
//! ```text
//!   member ──┐                       ┌──▶ member
//!   member ──┼── calls ──▶ room ─────┼──▶ member
//!   member ──┘   PORT      PORT + 1  └──▶ member
//!            join, say, since, leave      lines, published
//! ```
//!
//! Publishing alone loses lines: those from before a member has subscribed, and those that come faster than it takes
//! them. So the room numbers its lines, and keeps the last ones. A member that sees a number missing calls the room for the
//! lines `since` the last one that it has. It also calls every two seconds, which tells the room that it is still there.
//!
//! ```sh
//! cargo run --example chat_room                                  # a room with ada, for you to join
//! cargo run --example chat_room -- room 0.0.0.0:12345
//! cargo run --example chat_room -- member mars:12345 NAME        # type lines; Ctrl-D leaves
//! ```

#[path = "../cli/mod.rs"]
mod cli;
mod member;
mod room;

use std::error::Error;
use std::process::ExitCode;
use std::thread;

use member::Member;
use zeroless::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\nroom ADDRESS\nmember ADDRESS NAME";

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_with_arguments(USAGE, |arguments| match arguments {
        [] => alone(),
        ["room", address] => {
            let [calls, news] = cli::two_endpoints(address)?;
            let (calls, publish) = (Server::at(calls).serve()?, Server::at(news).publish()?);
            println!("a room at {address}; Ctrl-C to close it");
            Ok(room::run(calls, publish)?)
        }
        ["member", address, name] if !name.trim().is_empty() => {
            let [calls, news] = cli::two_endpoints(address)?;
            Member::join(&calls, name)?.chat(&news)
        }
        _ => Err(cli::WrongUsage.into()),
    })
}

fn alone() -> Result<()> {
    let (calls, publish) = (Server::new(0).serve()?, Server::new(0).publish()?);
    let room = calls.socket().endpoints().concat();
    let news = publish.socket().endpoints().concat();
    thread::spawn(|| room::run(calls, publish));
    let ada = Member::join(&room, "ada")?;
    ada.say("I have to go soon")?; // she never says that she leaves, but the room will notice
    Member::join(&room, "guest")?.chat(&news)
}
