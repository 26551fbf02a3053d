//! The room. It answers one call at a time, so it needs no locks.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use zeroless::{Calls, ErrorKind, Message, Publisher, frames, text};

/// Who has not called for this time has left.
const SILENCE: Duration = Duration::from_secs(6);

/// The room keeps this number of lines for those who come late.
const KEPT: usize = 1000;

struct Room {
    publish: Publisher,
    members: HashMap<String, Member>,
    lines: VecDeque<String>,
    /// The number of the last line. The first line has number 1.
    last: usize,
}

struct Member {
    name: String,
    seen: Instant,
}

pub fn run(calls: Calls, publish: Publisher) -> zeroless::Result<()> {
    let mut room = Room {
        publish,
        members: HashMap::new(),
        lines: VecDeque::new(),
        last: 0,
    };
    loop {
        match calls.recv_timeout(Duration::from_secs(1)) {
            Ok(call) => match room.answer(&call) {
                Ok(answer) => call.reply(&answer)?,
                Err(reason) => call.fail(reason)?,
            },
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            Err(error) => return Err(error),
        }
        room.dismiss_silent_members()?;
    }
}

impl Room {
    fn answer(&mut self, call: &Message) -> Result<Vec<String>, Box<dyn std::error::Error>> {
        let words: Vec<String> = call.iter().map(|frame| text(&[frame])).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["join", name] = words[..] {
            return Ok(vec![self.join(name)?]);
        }
        let [what, session, ref rest @ ..] = words[..] else {
            return Err("this is no call to a chat room".into());
        };
        let Some(member) = self.members.get_mut(session) else {
            return Err("you are not in the room any more; join again".into());
        };
        member.seen = Instant::now();
        match (what, rest) {
            ("since", [number]) => return Ok(self.since(number.parse()?)),
            ("say", [line]) => {
                let line = format!("{}: {line}", member.name);
                self.add(line)?;
            }
            ("leave", []) => {
                let line = format!("({} has left)", member.name);
                self.members.remove(session);
                self.add(line)?;
            }
            _ => return Err(format!("nobody can {what} here").into()),
        }
        Ok(vec!["done".to_owned()])
    }

    /// Returns the secret by which the room knows the new member.
    fn join(&mut self, name: &str) -> Result<String, Box<dyn std::error::Error>> {
        if self.members.values().any(|member| member.name == name) {
            return Err(format!("{name} is in the room already; take another name").into());
        }
        let session = RandomState::new().hash_one(name).to_string();
        let member = Member {
            name: name.to_owned(),
            seen: Instant::now(),
        };
        self.members.insert(session.clone(), member);
        self.add(format!("({name} has joined)"))?;
        Ok(session)
    }

    /// Publishes a line with its number.
    fn add(&mut self, line: String) -> zeroless::Result<()> {
        self.last += 1;
        (self.publish)(frames![self.last.to_string(), line])?;
        self.lines.push_back(line);
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
        Ok(())
    }

    /// Returns the lines after that number, behind the number of the first of them.
    fn since(&self, number: usize) -> Vec<String> {
        let first = number.clamp(self.last - self.lines.len(), self.last) + 1;
        let lines = self.lines.iter().skip(self.lines.len() - (self.last + 1 - first));
        [first.to_string()].into_iter().chain(lines.cloned()).collect()
    }

    fn dismiss_silent_members(&mut self) -> zeroless::Result<()> {
        let silent = self.members.extract_if(|_, member| member.seen.elapsed() > SILENCE);
        for (_, member) in silent.collect::<Vec<_>>() {
            self.add(format!("({} has gone)", member.name))?;
        }
        Ok(())
    }
}
