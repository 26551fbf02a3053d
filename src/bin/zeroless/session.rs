//! What all patterns do: tell the port, receive until the end, and deliver.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use zeroless::{ErrorKind, Message, Receiver, Socket};

use crate::ending;
use crate::exec::Template;
use crate::fault::{FAILED, Fault, Result, TIMED_OUT, USAGE};
use crate::format::Format;
use crate::input::Input;
use crate::log;
use crate::options::{CommandOptions, Common};
use crate::output::Output;
use crate::recipe::Recipe;

/// A longer time than anyone waits.
pub const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// What the command line says, apart from the pattern.
pub struct Session {
    pub recipe: Recipe,
    /// Whether to tell the port of the server.
    pub tells_port: bool,
    /// The format of messages to send.
    pub input: Format,
    /// The format of messages that were received.
    pub output: Format,
    pub count: Option<u64>,
    pub timeout: Option<Duration>,
    pub high_water_mark: Option<u32>,
    linger: Option<Duration>,
}

impl Session {
    pub fn new(recipe: Recipe, tells_port: bool, options: &Common, default: Format) -> Result<Session> {
        let formats = options.formats.choose(default);
        let (input, output) = formats.map_err(|message| Fault::new(USAGE, message))?;
        Ok(Session {
            recipe,
            tells_port,
            input,
            output,
            count: options.ends.count,
            timeout: options.ends.timeout,
            high_water_mark: options.connection.high_water_mark,
            linger: options.ends.linger.or(options.ends.timeout),
        })
    }

    /// The messages to send; `limit` of them at most.
    pub fn messages(&self, arguments: Vec<OsString>, limit: Option<u64>) -> Input {
        Input::new(arguments, self.input, limit)
    }

    /// The command to run for each message.
    pub fn template(&self, options: &CommandOptions) -> Template {
        let input = options.stdin.then_some(self.output);
        Template::new(options.command.clone(), input, self.input)
    }

    /// Tells the port on which the server listens, if the user has left it to the system.
    pub fn announce(&self, socket: &Socket) {
        if self.tells_port {
            announce(socket, "");
        }
    }

    /// Prints the messages of a receiver until the count is reached or the socket is closed.
    pub fn print_all(&self, receiver: &Receiver) -> Result<()> {
        self.print_while(receiver, Some)
    }

    /// Like [`print_all`](Self::print_all), but prints what `part` makes of a message, and ends when it is nothing.
    pub fn print_while(&self, receiver: &Receiver, part: impl Fn(Message) -> Option<Message>) -> Result<()> {
        let mut output = Output::new(self.output)?;
        let socket = receiver.socket();
        ending::end_with_reader()?;
        let _finishing = ending::finish_first(move || socket.close())?;
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            let mut received = receiver.try_recv();
            if matches!(&received, Err(error) if error.kind() == ErrorKind::WouldBlock) {
                output.flush()?;
                received = receiver.recv();
            }
            match received {
                Ok(message) => match part(message) {
                    Some(part) => output.write(&part)?,
                    None => break,
                },
                Err(error) if error.kind() == ErrorKind::Closed => break,
                Err(error) => {
                    output.flush()?;
                    return Err(error.into());
                }
            }
            left -= 1;
        }
        output.flush()
    }

    /// Closes the socket, and blocks until what was sent is delivered.
    pub fn deliver(&self, socket: &Socket) -> Result<()> {
        let (errors, started) = (log::errors(), Instant::now());
        socket.close();
        if log::errors() == errors {
            return Ok(());
        }
        let has_passed = self.linger.is_some_and(|linger| started.elapsed() >= linger);
        Err(Fault::silent(if has_passed { TIMED_OUT } else { FAILED }))
    }
}

/// Tells the ports on which a server listens.
pub fn announce(socket: &Socket, what: &str) {
    for endpoint in socket.endpoints() {
        if let Some((_, port)) = endpoint
            .strip_prefix("tcp://")
            .and_then(|address| address.rsplit_once(':'))
        {
            log::say(format_args!("zeroless: {what}listening on port {port}"));
        }
    }
}
