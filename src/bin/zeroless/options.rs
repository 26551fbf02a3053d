//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::address::Address;
use crate::format::{Format, LINE_END, NUL, TAB};
use crate::help;

/// What the command line says.
#[derive(Parser)]
#[command(name = "zeroless", version, about = help::ABOUT, max_term_width = 80, after_help = help::TOP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    /// Say more: connecting with -v, what is dropped with -vv, and each message with -vvv
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 998)]
    pub verbose: u8,
}

#[derive(Subcommand)]
pub enum Command {
    /// Listen on a port, for clients to connect
    Server(ServerOptions),
    /// Connect to one or more servers
    Client(ClientOptions),
    /// Pass messages on between two ports, as a broker
    Proxy(ProxyOptions),
    /// Make the keys of a server or a client, for encryption
    #[command(after_help = help::KEYGEN)]
    Keygen {
        /// Writes NAME.key_secret, to keep, and NAME.key, for the others
        name: PathBuf,
    },
    /// Print a script that completes this command line in a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions { shell: Shell },
    /// Print the man page, of the program or of a command
    #[command(after_help = help::MAN)]
    Man {
        /// The command, such as: server dispatch
        command: Vec<String>,
    },
}

#[derive(Args)]
#[command(
    subcommand_precedence_over_arg = true,
    subcommand_value_name = "PATTERN",
    subcommand_help_heading = "Patterns",
    after_help = help::SERVER
)]
pub struct ServerOptions {
    /// Where to listen: PORT, HOST:PORT or an endpoint
    #[arg(value_name = "ADDRESS", required = true, value_parser = address)]
    pub addresses: Vec<Address>,

    #[command(flatten)]
    pub common: Common,

    #[command(flatten)]
    pub access: Access,

    #[command(subcommand)]
    pub pattern: Pattern,
}

#[derive(Args)]
#[command(
    subcommand_precedence_over_arg = true,
    subcommand_value_name = "PATTERN",
    subcommand_help_heading = "Patterns",
    after_help = help::CLIENT
)]
pub struct ClientOptions {
    /// Where the server listens: PORT, HOST:PORT or an endpoint
    #[arg(value_name = "ADDRESS", required = true, value_parser = address)]
    pub addresses: Vec<Address>,

    #[command(flatten)]
    pub common: Common,

    #[command(flatten)]
    pub credentials: Credentials,

    #[command(subcommand)]
    pub pattern: Pattern,
}

/// An address. After it, a pattern may follow, so a pattern that does not exist is read as an address, too.
fn address(text: &str) -> Result<Address, String> {
    let is_word = !text.is_empty() && text.chars().all(|character| character.is_ascii_alphabetic());
    text.parse().map_err(|reason| match is_word {
        true => format!("there is no pattern {text}; {}; for an address, {reason}", patterns()),
        false => reason,
    })
}

/// Lists the patterns.
pub fn patterns() -> String {
    let command = Pattern::augment_subcommands(clap::Command::new("zeroless"));
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    format!("the patterns are {}", names.join(", "))
}

/// Whom a server lets in.
#[derive(Args)]
#[command(next_help_heading = "Access")]
pub struct Access {
    /// Listen for other machines, too
    #[arg(long, global = true)]
    pub public: bool,

    /// Encrypt, with the server's secret key: see keygen
    #[arg(long, global = true, value_name = "FILE")]
    pub curve: Option<PathBuf>,

    /// Let in clients whose public keys are in a file or a folder
    #[arg(long, global = true, value_name = "PATH")]
    pub allow_keys: Vec<PathBuf>,

    /// Let in clients with any key
    #[arg(long, global = true)]
    pub allow_any_key: bool,

    /// Let in clients by the lines NAME:PASSWORD of FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub plain: Option<PathBuf>,

    /// Let in only these addresses, such as 10.0.0.0/8
    #[arg(long, global = true, value_name = "NETWORK")]
    pub allow: Vec<String>,

    /// Refuse these addresses
    #[arg(long, global = true, value_name = "NETWORK")]
    pub deny: Vec<String>,
}

/// What a client proves its identity with.
#[derive(Args)]
#[command(next_help_heading = "Access")]
pub struct Credentials {
    /// Encrypt, with this client's secret key: see keygen
    #[arg(long, global = true, value_name = "FILE")]
    pub curve: Option<PathBuf>,

    /// The server's public key, which --curve needs
    #[arg(long, global = true, value_name = "KEY|FILE")]
    pub server_key: Option<String>,

    /// Send the line NAME:PASSWORD of FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub plain: Option<PathBuf>,
}

/// The options of both roles.
#[derive(Args)]
pub struct Common {
    #[command(flatten)]
    pub formats: Formats,

    #[command(flatten)]
    pub ends: Ends,

    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Args)]
#[command(next_help_heading = "Formats (without any: a line for each message)")]
pub struct Formats {
    /// End each message with a NUL, not with a line end
    #[arg(short = '0', long, global = true)]
    null: bool,

    /// Separate frames by a tab, or by another character
    #[arg(
        long,
        global = true,
        value_name = "SEPARATOR",
        value_parser = separator,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "\t",
    )]
    frames: Option<u8>,

    /// A JSON array of strings; bytes are "base64:…"
    #[arg(long, global = true)]
    json: bool,

    /// The frames in hexadecimal, with tabs between them
    #[arg(long, global = true)]
    hex: bool,

    /// The bytes alone, with nothing between messages
    #[arg(long, global = true)]
    raw: bool,

    /// Each frame behind its length: 3:job,1:7
    #[arg(long, global = true)]
    length: bool,

    /// How to read: lines, null, frames, json, hex, raw or length
    #[arg(long = "in", global = true, value_name = "FORMAT")]
    input: Option<Format>,

    /// How to write, if in another format
    #[arg(long = "out", global = true, value_name = "FORMAT")]
    output: Option<Format>,
}

impl Formats {
    /// The formats of messages to send, and of messages that were received.
    pub fn choose(&self, default: Format) -> Result<(Format, Format), String> {
        let both = self.chosen()?.unwrap_or(default);
        Ok((self.input.unwrap_or(both), self.output.unwrap_or(both)))
    }

    fn chosen(&self) -> Result<Option<Format>, String> {
        let end = if self.null { NUL } else { LINE_END };
        let text = self.null || self.frames.is_some();
        let chosen = [
            (text, Format::text(self.frames, end)),
            (self.json, Format::Json),
            (self.hex, Format::Hex),
            (self.raw, Format::Raw),
            (self.length, Format::Length),
        ];
        let mut chosen = chosen
            .into_iter()
            .filter_map(|(is_chosen, format)| is_chosen.then_some(format));
        match (chosen.next(), chosen.next()) {
            (Some(one), Some(other)) => Err(format!("{one} and {other} are two formats; choose one")),
            (format, _) => Ok(format),
        }
    }
}

/// The byte between frames.
fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [LINE_END] => Err("a line end ends the message; give another character".to_owned()),
        [separator] => Ok(*separator),
        _ if text == "\\t" => Ok(TAB),
        _ => Err("give one ASCII character, such as --frames=,".to_owned()),
    }
}

#[derive(Args)]
#[command(next_help_heading = "Ending")]
pub struct Ends {
    /// End after this many messages
    #[arg(short = 'n', long, global = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Give up after this time without a message, such as 10s
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,

    /// At the end, deliver for this time [default: --timeout]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub linger: Option<Duration>,
}

#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Queue N messages for each peer [default: 1000]
    #[arg(long, global = true, value_name = "N")]
    pub high_water_mark: Option<u32>,

    /// Drop a silent peer after two of these times
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub heartbeat: Option<Duration>,

    /// Probe the machine of a silent peer [default: 30s]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub keepalive: Option<Duration>,

    /// The routing id by which a router knows this end
    #[arg(long, global = true, value_name = "ID")]
    pub identity: Option<OsString>,

    /// Refuse frames of more than N bytes
    #[arg(long, global = true, value_name = "N")]
    pub max_message_size: Option<u64>,
}

/// Messages to send.
#[derive(Args)]
pub struct Messages {
    /// The messages to send; without any, they are read from the standard input
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<OsString>,
}

#[derive(Subcommand)]
pub enum Pattern {
    /// Send each message to one of the pullers, in turn
    #[command(after_help = help::PUSH)]
    Push(Messages),
    /// Receive what pushers send
    #[command(after_help = help::PULL)]
    Pull,
    /// Send each message to all subscribers of its topic
    #[command(alias = "pub", after_help = help::PUBLISH)]
    Publish(PublishOptions),
    /// Receive the messages that begin with a topic
    #[command(alias = "sub", after_help = help::SUBSCRIBE)]
    Subscribe {
        /// The topics; without any, all messages are received
        #[arg(value_name = "TOPIC")]
        topics: Vec<OsString>,
    },
    /// Send requests, and print the reply to each
    #[command(after_help = help::REQUEST)]
    Request(Messages),
    /// Reply to requests, with a command or from the standard input
    #[command(after_help = help::REPLY)]
    Reply(ReplyOptions),
    /// Call a server, and print its answer; a call can fail
    #[command(after_help = help::CALL)]
    Call {
        /// The frames of one call; without any, each message of the standard
        /// input is a call
        #[arg(value_name = "FRAME")]
        call: Vec<OsString>,
    },
    /// Answer calls, with a command
    #[command(after_help = help::SERVE)]
    Serve(CommandOptions),
    /// Give each job to one worker, and print the results
    #[command(after_help = help::DISPATCH)]
    Dispatch(DispatchOptions),
    /// Do jobs, with a command
    #[command(after_help = help::WORK)]
    Work(CommandOptions),
    /// Exchange messages with the one other end
    Pair(Messages),
    /// Send without waiting for replies, and print what is received
    Dealer(Messages),
    /// Like dealer, but the first frame names the peer
    Router(Messages),
    /// Publish, and print the subscriptions
    Xpublish(Messages),
    /// Send subscriptions, and print what is published
    Xsubscribe(Messages),
    /// Talk to programs without ZeroMQ, over plain TCP
    #[command(after_help = help::STREAM)]
    Stream(Messages),
}

#[derive(Args)]
pub struct PublishOptions {
    /// Begin each message with TOPIC and a space
    #[arg(long)]
    pub topic: Option<OsString>,

    /// Put TOPIC before each message, as a frame of its own
    #[arg(long, value_name = "TOPIC", conflicts_with = "topic")]
    pub embed_topic: Option<OsString>,

    /// First wait for this many subscriptions
    #[arg(long, value_name = "N")]
    pub wait: Option<usize>,

    #[command(flatten)]
    pub messages: Messages,
}

#[derive(Args)]
pub struct ReplyOptions {
    /// The replies, if there is no command; without any, they are read from the
    /// standard input
    #[arg(value_name = "REPLY", conflicts_with = "command")]
    pub messages: Vec<OsString>,

    /// The command to run for each request
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

#[derive(Args)]
pub struct CommandOptions {
    /// Run this many commands at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = workers)]
    pub workers: usize,

    /// Give the message to the command on its standard input
    #[arg(long)]
    pub stdin: bool,

    /// The command to run; {} in it is the message, which otherwise is appended
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

fn workers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(workers @ 1..) => Ok(workers),
        _ => Err("give a number from 1".to_owned()),
    }
}

#[derive(Args)]
pub struct DispatchOptions {
    /// Log each job to FILE once its result is printed, as GNU parallel does
    #[arg(long, value_name = "FILE")]
    pub joblog: Option<PathBuf>,

    /// Go on where the job log ends: skip the jobs that are in it
    #[arg(long, requires = "joblog")]
    pub resume: bool,

    /// Like --resume, but do the jobs again that have failed
    #[arg(long, requires = "joblog")]
    pub resume_failed: bool,

    /// Print the results in the order of the jobs
    #[arg(long)]
    pub keep_order: bool,

    /// Write the jobs that have failed to FILE, in the format of the input
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,

    /// Give a job up after this many workers have died of it
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub attempts: u32,

    /// Give a job to another worker after this time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub time_limit: Option<Duration>,

    /// First wait for this many workers
    #[arg(long, value_name = "N")]
    pub wait: Option<usize>,

    /// The jobs; without any, they are read from the standard input
    #[arg(value_name = "JOB")]
    pub jobs: Vec<OsString>,
}

#[derive(Args)]
#[command(after_help = help::PROXY)]
pub struct ProxyOptions {
    /// Where clients connect: PORT, HOST:PORT or an endpoint
    pub frontend: Address,

    /// Where workers connect
    pub backend: Address,

    /// What to pass on
    #[arg(long, default_value = "router-dealer")]
    pub pattern: ProxyPattern,

    /// Drop a reply that its client does not take within this time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,

    #[command(flatten)]
    pub access: Access,

    #[command(flatten)]
    pub connection: Connection,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ProxyPattern {
    // Requests and calls, to servers that take turns.
    #[value(alias = "broker")]
    RouterDealer,
    // News, from publishers to subscribers.
    #[value(alias = "xsubscribe-xpublish")]
    Forwarder,
    // Messages, from pushers to pullers.
    #[value(alias = "pull-push")]
    Streamer,
}
