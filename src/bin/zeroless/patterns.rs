//! The patterns that send messages, receive them, or both.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::mpsc;
use std::thread;

use zeroless::{Message, Receiver, Sender, Socket};

use crate::fault::{Fault, Result};
use crate::input::Input;
use crate::options::PublishOptions;
use crate::recipe::{Recipe, in_role};
use crate::session::{FOREVER, Session};

pub fn push(session: &Session, messages: Vec<OsString>) -> Result<()> {
    let push = in_role!(&session.recipe, recipe => recipe.push()).map_err(Fault::from_opening)?;
    session.announce(&push.socket());
    send_all(&push, session.messages(messages, session.count))?;
    session.deliver(&push.socket())
}

pub fn pull(session: &Session) -> Result<()> {
    let pull = in_role!(&session.recipe, recipe => recipe.pull()).map_err(Fault::from_opening)?;
    session.announce(&pull.socket());
    session.print_all(&pull)
}

pub fn publish(session: &Session, options: PublishOptions) -> Result<()> {
    let mut publish = in_role!(&session.recipe, recipe => recipe.publish()).map_err(Fault::from_opening)?;
    session.announce(&publish.socket());
    if let Some(subscriptions) = options.wait {
        publish.wait_for_subscribers(subscriptions, session.timeout.unwrap_or(FOREVER))?;
    }
    if let Some(topic) = options.embed_topic {
        publish = publish.embed_topic(topic.as_bytes());
    }
    let beginning = options.topic.map(|topic| [topic.as_bytes(), b" "].concat());
    let mut input = session.messages(options.messages.messages, session.count);
    let mut message = Message::new();
    while input.next(&mut message)? {
        if let (Some(beginning), Some(first)) = (&beginning, message.first_mut()) {
            first.splice(..0, beginning.iter().copied());
        }
        publish.send(&message)?;
    }
    session.deliver(&publish.socket())
}

pub fn subscribe(session: &Session, topics: Vec<OsString>) -> Result<()> {
    let topics = match topics.is_empty() {
        true => vec![Vec::new()],
        false => topics.into_iter().map(OsString::into_vec).collect(),
    };
    let news = in_role!(&session.recipe, recipe => recipe.subscribe(&topics)).map_err(Fault::from_opening)?;
    session.announce(&news.socket());
    session.print_all(&news)
}

/// Sends the input, and prints what is received, at the same time.
pub fn exchange(
    session: &Session,
    opened: zeroless::Result<(Sender, Receiver)>,
    messages: Vec<OsString>,
) -> Result<()> {
    let (sender, receiver) = opened.map_err(Fault::from_opening)?;
    session.announce(&receiver.socket());
    let input = session.messages(messages, None);
    beside(
        receiver.socket(),
        move || send_all(&sender, input),
        || session.print_all(&receiver),
    )?;
    session.deliver(&receiver.socket())
}

/// Like [`exchange`], with programs that do not use ZeroMQ.
pub fn stream(session: &Session, messages: Vec<OsString>) -> Result<()> {
    let opened = in_role!(&session.recipe, recipe => recipe.stream());
    match session.recipe {
        Recipe::Server(_) => exchange(session, opened, messages),
        Recipe::Client(_) => {
            let (sender, receiver) = opened.map_err(Fault::from_opening)?;
            talk(session, sender, &receiver, messages)
        }
    }
}

/// Exchanges bytes with the one server of a client, until it closes the connection.
fn talk(session: &Session, sender: Sender, receiver: &Receiver, messages: Vec<OsString>) -> Result<()> {
    // The connection begins with an empty frame, behind the id to send to.
    let server = receiver.recv()?.swap_remove(0);
    let mut input = session.messages(messages, None);
    let send = move || {
        let mut message = Message::new();
        while input.next(&mut message)? {
            message.insert(0, server.clone());
            sender.send(&message)?;
        }
        Ok(())
    };
    let bytes = |mut message: Message| Some(vec![message.pop().filter(|bytes| !bytes.is_empty())?]);
    let print = || session.print_while(receiver, bytes);
    beside(receiver.socket(), send, print)?;
    session.deliver(&receiver.socket())
}

/// Sends in another thread while this one prints. A fault of either ends both.
fn beside(
    socket: Socket,
    send: impl FnOnce() -> Result<()> + Send + 'static,
    print: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let (failed, fault) = mpsc::channel();
    // It is not waited for: it may wait for input that nobody needs any more.
    thread::spawn(move || {
        if let Err(fault) = send() {
            let _ = failed.send(fault);
            socket.close();
        }
    });
    let printed = print();
    match fault.try_recv() {
        Ok(fault) => Err(fault),
        Err(_) => printed,
    }
}

fn send_all(sender: &Sender, mut input: Input) -> Result<()> {
    let mut message = Message::new();
    while input.next(&mut message)? {
        match message.as_slice() {
            [frame] => sender(&[frame])?,
            frames => sender.send(frames)?,
        }
    }
    Ok(())
}
