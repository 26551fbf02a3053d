//! Runs a command for a message.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use zeroless::Message;

use crate::decoder::Decoder;
use crate::format::Format;

/// What stands for the message in a command.
const PLACE: &[u8] = b"{}";

/// A command that is run for each message.
pub struct Template {
    program: OsString,
    arguments: Vec<OsString>,
    /// How the message is written to the standard input of the command, if it is.
    input: Option<Format>,
    decoder: Decoder,
}

/// How a command has ended.
#[derive(Debug)]
pub enum Ended {
    /// With success, and this output.
    Done(Message),
    /// Without success, for this reason.
    Failed(String),
    /// By a signal.
    Killed(String),
    /// There is no such command, or it may not be run.
    NotStarted(String),
}

impl Ended {
    /// Why there is no output.
    pub fn reason(self) -> String {
        match self {
            Ended::Done(_) => String::new(),
            Ended::Failed(reason) | Ended::Killed(reason) | Ended::NotStarted(reason) => reason,
        }
    }
}

impl Template {
    /// `input` is given if the command gets the message on its standard input, `output` is how its own is read.
    pub fn new(command: Vec<OsString>, input: Option<Format>, output: Format) -> Template {
        let mut words = command.into_iter();
        Template {
            program: words.next().unwrap_or_default(),
            arguments: words.collect(),
            input,
            decoder: Decoder::new(output),
        }
    }

    /// Runs the command, and blocks until it has ended.
    pub fn run(&self, message: &Message) -> Ended {
        let (arguments, input) = match self.fill(message) {
            Ok(filled) => filled,
            Err(reason) => return Ended::Failed(reason),
        };
        let mut command = Command::new(&self.program);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        match run(&mut command, input) {
            Ok((status, output, said)) => self.judge(status, &output, said),
            Err(error) => self.not_started(&error),
        }
    }

    /// The arguments and the standard input for a message.
    fn fill(&self, message: &Message) -> Result<(Vec<OsString>, Option<Vec<u8>>), String> {
        let input = match self.input {
            Some(format) => {
                let mut bytes = Vec::new();
                let written = format.write_alone(message, &mut bytes);
                // The one who reads this may be at the other end, which cannot choose the format.
                written.map_err(|misfit| {
                    format!("cannot give the message to the command: {misfit} at the end that runs the command")
                })?;
                Some(bytes)
            }
            None => None,
        };
        let arguments = fill_places(&self.arguments, message, input.is_none())?;
        Ok((arguments, input))
    }

    fn judge(&self, status: ExitStatus, output: &[u8], said: Vec<u8>) -> Ended {
        if let Some(signal) = status.signal() {
            return Ended::Killed(format!("{} was killed by signal {signal}", self.program.display()));
        }
        let text = String::from_utf8_lossy(&said);
        if !status.success() {
            return Ended::Failed(match text.trim_end() {
                "" => format!("{} has ended with {status}", self.program.display()),
                text => text.to_owned(),
            });
        }
        // If nobody reads it, it is not needed.
        let _ = io::stderr().write_all(&said);
        match self.decoder.read_alone(output) {
            Ok(message) => Ended::Done(message),
            Err(error) => Ended::Failed(format!(
                "the output of {} cannot be read: {error}",
                self.program.display()
            )),
        }
    }

    fn not_started(&self, error: &io::Error) -> Ended {
        let reason = format!("cannot run {}: {error}", self.program.display());
        match error.kind() {
            // Because of this message.
            ErrorKind::ArgumentListTooLong | ErrorKind::InvalidInput => Ended::Failed(reason),
            _ => Ended::NotStarted(reason),
        }
    }
}

/// Puts the frames of a message in the places that the arguments have for it, or else, if `append`, behind them.
fn fill_places(arguments: &[OsString], message: &Message, append: bool) -> Result<Vec<OsString>, String> {
    let frames = || message.iter().map(|frame| OsString::from_vec(frame.clone()));
    let has_place = |argument: &OsString| split(argument.as_bytes()).count() > 1;
    let mut filled = Vec::new();
    for argument in arguments {
        if argument.as_bytes() == PLACE {
            filled.extend(frames());
        } else if has_place(argument) {
            let [frame] = message.as_slice() else {
                let count = message.len();
                return Err(format!(
                    "the message has {count} frames, and {} has room for one; write {{}} as a word of its own",
                    argument.display()
                ));
            };
            let pieces: Vec<&[u8]> = split(argument.as_bytes()).collect();
            filled.push(OsString::from_vec(pieces.join(frame.as_slice())));
        } else {
            filled.push(argument.clone());
        }
    }
    if append && !arguments.iter().any(has_place) {
        filled.extend(frames());
    }
    Ok(filled)
}

/// The pieces of an argument between the places in it.
fn split(argument: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(argument);
    std::iter::from_fn(move || {
        let bytes = rest?;
        match bytes.windows(PLACE.len()).position(|window| window == PLACE) {
            Some(place) => {
                rest = Some(&bytes[place + PLACE.len()..]);
                Some(&bytes[..place])
            }
            None => rest.take(),
        }
    })
}

/// Runs a command, and returns what it has written to its standard output and its standard error.
fn run(command: &mut Command, input: Option<Vec<u8>>) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let output = thread::scope(|scope| {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A command need not read its input. If it does not, writing fails.
            scope.spawn(move || _ = stdin.write_all(&input));
        }
        child.wait_with_output()
    })?;
    Ok((output.status, output.stdout, output.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(arguments: &[&str], message: &[&str], append: bool) -> Result<Vec<String>, String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let message: Message = message.iter().map(|frame| frame.as_bytes().to_vec()).collect();
        let filled = fill_places(&arguments, &message, append)?;
        Ok(filled.into_iter().map(|word| word.into_string().unwrap()).collect())
    }

    #[test]
    fn message_is_appended_without_place() {
        assert_eq!(filled(&["-l"], &["a", "b"], true).unwrap(), ["-l", "a", "b"]);
        assert_eq!(filled(&["-l"], &["a"], false).unwrap(), ["-l"]);
    }

    #[test]
    fn message_fills_each_place() {
        assert_eq!(
            filled(&["{}", "-o", "{}.x{}"], &["a"], true).unwrap(),
            ["a", "-o", "a.xa"]
        );
        assert_eq!(filled(&["{}", "z"], &["a", "b"], true).unwrap(), ["a", "b", "z"]);
        assert_eq!(filled(&["{}"], &["{}"], true).unwrap(), ["{}"]);
    }

    #[test]
    fn several_frames_do_not_fit_into_a_word() {
        let reason = filled(&["{}.txt"], &["a", "b"], true).unwrap_err();
        assert!(reason.contains("has 2 frames, and {}.txt has room for one"), "{reason}");
    }

    fn ended(command: &[&str], message: &[u8], input: Option<Format>) -> Ended {
        let command = command.iter().map(OsString::from).collect();
        Template::new(command, input, Format::LINES).run(&vec![message.to_vec()])
    }

    #[test]
    fn output_without_last_line_end_is_result() {
        assert!(matches!(ended(&["echo", "-n"], b"a\n\n", None), Ended::Done(output) if output == [b"a\n"]));
        assert!(matches!(ended(&["cat"], b"a\nb", Some(Format::LINES)), Ended::Done(output) if output == [b"a\nb"]));
    }

    #[test]
    fn command_need_not_read_its_input() {
        let long = vec![b'a'; 1_000_000];
        assert!(matches!(ended(&["true"], &long, Some(Format::Raw)), Ended::Done(_)));
    }

    #[test]
    fn failure_is_told_by_its_words_or_its_status() {
        for (script, said) in [
            ("echo why >&2; exit 3", "why"),
            ("exit 3", "sh has ended with exit status: 3"),
        ] {
            let outcome = ended(&["sh", "-c", script], b"", None);
            assert!(
                matches!(&outcome, Ended::Failed(reason) if reason == said),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn signal_is_not_failure() {
        assert!(
            matches!(ended(&["sh", "-c", "kill -9 $$"], b"", None), Ended::Killed(reason) if reason == "sh was killed by signal 9")
        );
    }

    #[test]
    fn message_that_cannot_be_an_argument_is_failure() {
        assert!(matches!(ended(&["echo"], b"a\0b", None), Ended::Failed(_)));
        assert!(matches!(
            ended(&["echo"], &vec![b'a'; 10_000_000], None),
            Ended::Failed(_)
        ));
    }

    #[test]
    fn missing_command_is_not_started() {
        assert!(matches!(ended(&["no-such-command"], b"", None), Ended::NotStarted(_)));
    }
}
