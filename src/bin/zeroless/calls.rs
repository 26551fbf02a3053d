//! The patterns that ask and answer.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use zeroless::{Caller, Error, ErrorKind, Message, Receiver, Sender};

use crate::ending;
use crate::exec::{Ended, Template};
use crate::fault::{FAILED, Fault, Result, TIMED_OUT};
use crate::log::say;
use crate::options::{CommandOptions, ReplyOptions};
use crate::output::Output;
use crate::recipe::in_role;
use crate::session::Session;
use crate::workers;

pub fn request(session: &Session, messages: Vec<OsString>) -> Result<()> {
    let opened = in_role!(&session.recipe, recipe => recipe.request());
    let (request, replies) = opened.map_err(Fault::from_opening)?;
    session.announce(&replies.socket());
    ask(session, messages, |message| {
        request.send(message)?;
        Ok(Some(replies.recv()?))
    })
}

pub fn call(session: &Session, frames: Vec<OsString>) -> Result<()> {
    let call = in_role!(&session.recipe, recipe => recipe.call()).map_err(Fault::from_opening)?;
    session.announce(&call.socket());
    if !frames.is_empty() {
        let frames: Message = frames.into_iter().map(OsString::into_vec).collect();
        let answer = call.call(&frames).map_err(fault_of_call)?;
        return print(&mut Output::new(session.output)?, &answer);
    }
    let mut has_failed = false;
    ask(session, Vec::new(), |message| {
        let answer = call_one(&call, message)?;
        has_failed |= answer.is_none();
        Ok(answer)
    })?;
    match has_failed {
        true => Err(Fault::silent(FAILED)),
        false => Ok(()),
    }
}

/// Calls, and prints a failure, because the next call may succeed. Then there is no answer.
fn call_one(call: &Caller, message: &Message) -> Result<Option<Message>> {
    match call.call(message) {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == ErrorKind::Failed => {
            say(error);
            Ok(None)
        }
        Err(error) => Err(fault_of_call(error)),
    }
}

fn fault_of_call(error: Error) -> Fault {
    match error.kind() {
        ErrorKind::Failed => Fault::in_words(error),
        // Without a timeout, it would wait.
        ErrorKind::NotConnected => Fault::new(TIMED_OUT, error),
        _ => error.into(),
    }
}

/// Asks with each message, and prints each answer.
fn ask(
    session: &Session,
    messages: Vec<OsString>,
    mut ask: impl FnMut(&Message) -> Result<Option<Message>>,
) -> Result<()> {
    let mut input = session.messages(messages, session.count);
    let mut output = Output::new(session.output)?;
    ending::end_with_reader()?;
    let mut message = Message::new();
    while input.next(&mut message)? {
        if let Some(answer) = ask(&message)? {
            print(&mut output, &answer)?;
        }
    }
    Ok(())
}

fn print(output: &mut Output, message: &Message) -> Result<()> {
    output.write(message)?;
    output.flush()
}

pub fn reply(session: &Session, options: ReplyOptions) -> Result<()> {
    let opened = in_role!(&session.recipe, recipe => recipe.reply());
    let (reply, requests) = opened.map_err(Fault::from_opening)?;
    session.announce(&requests.socket());
    match options.command.is_empty() {
        true => reply_from_input(session, &reply, &requests, options.messages)?,
        false => reply_by_command(session, &reply, &requests, options.command)?,
    }
    session.deliver(&requests.socket())
}

/// Prints each request, and reads its reply.
fn reply_from_input(session: &Session, reply: &Sender, requests: &Receiver, replies: Vec<OsString>) -> Result<()> {
    let mut input = session.messages(replies, session.count);
    let mut output = Output::new(session.output)?;
    ending::end_with_reader()?;
    let mut message = Message::new();
    while !input.has_ended() {
        print(&mut output, &requests.recv()?)?;
        if !input.next(&mut message)? {
            return Err(Fault::failed("the input has ended, so the last request has no reply"));
        }
        reply.send(&message)?;
    }
    Ok(())
}

fn reply_by_command(session: &Session, reply: &Sender, requests: &Receiver, command: Vec<OsString>) -> Result<()> {
    let template = Template::new(command, Some(session.output), session.input);
    for _ in 0..session.count.unwrap_or(u64::MAX) {
        match template.run(&requests.recv()?) {
            Ended::Done(answer) => reply.send(&answer)?,
            ended => {
                say(format_args!(
                    "zeroless: a request has an empty reply: {}",
                    ended.reason()
                ));
                reply.send("")?;
            }
        }
    }
    Ok(())
}

pub fn serve(session: &Session, options: CommandOptions) -> Result<()> {
    let calls = in_role!(&session.recipe, recipe => recipe.serve()).map_err(Fault::from_opening)?;
    session.announce(&calls.socket());
    let template = session.template(&options);
    let serve_one = || {
        let call = match calls.recv() {
            Err(error) if error.kind() == ErrorKind::Closed => return Ok(false),
            call => call?,
        };
        match template.run(&call) {
            Ended::Done(answer) => call.reply(&answer)?,
            Ended::NotStarted(reason) => {
                // Only this end can mend it.
                say(format_args!("zeroless: a call fails: {reason}"));
                call.fail(reason)?;
            }
            ended => call.fail(ended.reason())?,
        }
        Ok(true)
    };
    workers::run(options.workers, session.count, serve_one, || calls.socket().close())?;
    session.deliver(&calls.socket())
}
