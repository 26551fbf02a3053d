//! The command line `zeroless`: the words of the crate, from a shell.
//!
//! These are its layers, from top to bottom. A module imports only from layers below its own (`.ci/imports` checks it):
//!
//! ```text
//! main                                         which command
//! calls, dispatch, manual, patterns, proxy,
//! work                                         what each does
//! progress, session, workers                   what they share
//! exec, input, joblog, output, recipe          what goes in and out
//! address, decoder, ending, fault, format,
//! help, log, options                           values, and how the program ends
//! ```

#![forbid(unsafe_code)]

mod address;
mod calls;
mod decoder;
mod dispatch;
mod ending;
mod exec;
mod fault;
mod format;
mod help;
mod input;
mod joblog;
mod log;
mod manual;
mod options;
mod output;
mod patterns;
mod progress;
mod proxy;
mod recipe;
mod session;
mod work;
mod workers;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use zeroless::Keypair;

use crate::address::Address;
use crate::fault::{Fault, Result};
use crate::format::Format;
use crate::options::{Cli, Command, Pattern};
use crate::recipe::{Recipe, in_role};
use crate::session::Session;

fn main() -> ExitCode {
    match Cli::try_parse().map_err(explain) {
        Ok(options) => {
            log::start(options.verbose);
            let outcome = run(options.command);
            ending::wait_if_signalled();
            end(outcome)
        }
        Err(error) if error.use_stderr() => error.exit(),
        Err(help) => end(help.print().or_else(ending::end_if_unread)),
    }
}

fn end(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Fault { status, message }) => {
            if let Some(message) = message {
                log::say(message);
            }
            ExitCode::from(status)
        }
    }
}

/// What is wrong with the command line, in the words of its help: what follows a role is a pattern.
fn explain(error: clap::Error) -> clap::Error {
    match error.kind() {
        ErrorKind::MissingSubcommand => clap::Error::raw(
            error.kind(),
            format!("the pattern is missing; {}\n", options::patterns()),
        ),
        _ => error,
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Server(options) => {
            let recipe = Recipe::of_server(&options)?;
            let tells_port = options.addresses.iter().any(Address::is_any_port);
            let session = Session::new(recipe, tells_port, &options.common, Format::LINES)?;
            run_pattern(session, options.pattern)
        }
        Command::Client(options) => {
            // Plain TCP has no messages.
            let default = match options.pattern {
                Pattern::Stream(_) => Format::Raw,
                _ => Format::LINES,
            };
            let session = Session::new(Recipe::of_client(&options)?, false, &options.common, default)?;
            run_pattern(session, options.pattern)
        }
        Command::Proxy(options) => proxy::proxy(&options),
        Command::Keygen { name } => keygen(&name),
        Command::Completions { shell } => print(&manual::completions(shell)),
        Command::Man { command } => print(&manual::man_page(&command)?),
    }
}

fn run_pattern(mut session: Session, pattern: Pattern) -> Result<()> {
    let session = &mut session;
    match pattern {
        Pattern::Push(messages) => patterns::push(session, messages.messages),
        Pattern::Pull => patterns::pull(session),
        Pattern::Publish(options) => patterns::publish(session, options),
        Pattern::Subscribe { topics } => patterns::subscribe(session, topics),
        Pattern::Request(messages) => calls::request(session, messages.messages),
        Pattern::Reply(options) => calls::reply(session, options),
        Pattern::Call { call } => calls::call(session, call),
        Pattern::Serve(options) => calls::serve(session, options),
        Pattern::Dispatch(options) => dispatch::dispatch(session, options),
        Pattern::Work(options) => work::work(session, options),
        Pattern::Pair(messages) => {
            let opened = in_role!(&session.recipe, recipe => recipe.pair());
            patterns::exchange(session, opened, messages.messages)
        }
        Pattern::Dealer(messages) => {
            let opened = in_role!(&session.recipe, recipe => recipe.dealer());
            patterns::exchange(session, opened, messages.messages)
        }
        Pattern::Router(messages) => {
            let opened = in_role!(&session.recipe, recipe => recipe.router());
            patterns::exchange(session, opened, messages.messages)
        }
        Pattern::Xpublish(messages) => {
            let opened = in_role!(&session.recipe, recipe => recipe.xpublish());
            patterns::exchange(session, opened, messages.messages)
        }
        Pattern::Xsubscribe(messages) => {
            let opened = in_role!(&session.recipe, recipe => recipe.xsubscribe());
            patterns::exchange(session, opened, messages.messages)
        }
        Pattern::Stream(messages) => patterns::stream(session, messages.messages),
    }
}

/// Makes a keypair, and writes it to two files.
fn keygen(name: &Path) -> Result<()> {
    let keypair = Keypair::generate()?;
    let file = |ending: &str| [name.as_os_str(), OsStr::new(ending)].join(OsStr::new(""));
    keypair.save(file(".key_secret"))?;
    keypair.public().save(file(".key"))?;
    print(format!("{}\n", keypair.public()).as_bytes())
}

fn print(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.or_else(ending::end_if_unread)
}
