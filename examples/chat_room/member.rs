//! A member of the room.

use std::io::stdin;
use std::thread;
use std::time::Duration;

use zeroless::crossbeam_channel::{Receiver as Channel, bounded, select, tick};
use zeroless::{Caller, Client, frames, text};

use crate::Result;

pub struct Member {
    call: Caller,
    session: String,
}

impl Member {
    pub fn join(endpoint: &str, name: &str) -> Result<Member> {
        let call = Client::new()
            .connect_to(endpoint)
            .timeout(Duration::from_secs(5))
            .call()?;
        let session = text(&call(frames!["join", name])?);
        Ok(Member { call, session })
    }

    pub fn say(&self, line: &str) -> Result<()> {
        (self.call)(frames!["say", self.session, line])?;
        Ok(())
    }

    /// Prints the lines of the room, and says what the user types, until the input ends.
    pub fn chat(&self, endpoint: &str) -> Result<()> {
        let news = Client::new().connect_to(endpoint).subscribe([""])?.into_channel(100);
        let input = read_lines();
        let mut last = self.catch_up(0)?;
        let still_there = tick(Duration::from_secs(2));
        loop {
            select! {
                recv(news) -> line => match line?.as_slice() {
                    [number, line] => {
                        let number: u64 = text(&[number]).parse()?;
                        if number == last + 1 {
                            println!("{}", text(&[line]));
                            last = number;
                        } else if number > last {
                            last = self.catch_up(last)?; // lines are missing; otherwise this one is known
                        }
                    }
                    other => return Err(format!("this is no line of a chat room: {}", text(other)).into()),
                },
                recv(input) -> line => match line {
                    Ok(line) => self.say(&line)?,
                    Err(_) => break, // the input has ended
                },
                // Also finds out whether the last lines are missing, after which no other has come.
                recv(still_there) -> _ => last = self.catch_up(last)?,
            }
        }
        self.catch_up(last)?;
        (self.call)(frames!["leave", self.session])?;
        Ok(())
    }

    /// Prints the lines after this number, and returns the number of the last.
    fn catch_up(&self, last: u64) -> Result<u64> {
        let answer = (self.call)(frames!["since", self.session, last.to_string()])?;
        let [first, lines @ ..] = answer.as_slice() else {
            return Err("the room answers nothing".into());
        };
        for line in lines {
            println!("{}", text(&[line]));
        }
        Ok(text(&[first]).parse::<u64>()? + lines.len() as u64 - 1)
    }
}

/// Returns a channel for the lines that the user types. It is over when the input ends.
fn read_lines() -> Channel<String> {
    let (slot, lines) = bounded(0);
    thread::spawn(move || {
        let lines = stdin().lines().map_while(|line| line.ok());
        lines
            .filter(|line| !line.is_empty())
            .try_for_each(|line| slot.send(line))
    });
    lines
}
