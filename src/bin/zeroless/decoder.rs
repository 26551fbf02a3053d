//! Reads messages that are written in a format.

use std::io::{self, BufRead, ErrorKind, Read};

use data_encoding::HEXLOWER_PERMISSIVE;
use zeroless::Message;

use crate::format::{Format, LINE_END, TAB, json};

/// The most digits of a length.
const DIGITS: u64 = 19;

/// Reads messages of one format.
pub struct Decoder {
    format: Format,
    /// The bytes of the message that is read.
    bytes: Vec<u8>,
}

impl Decoder {
    pub fn new(format: Format) -> Decoder {
        Decoder {
            format,
            bytes: Vec::new(),
        }
    }

    /// Reads the next message into `message`; `false` if there is none. Blocks until it has arrived.
    ///
    /// What is not in the format is an error of the kind `InvalidData`.
    pub fn next(&mut self, input: &mut impl BufRead, message: &mut Message) -> io::Result<bool> {
        match self.format {
            Format::Text { separator: None, end } => {
                message.resize_with(1, Vec::new);
                read_until(input, end, &mut message[0])
            }
            Format::Raw => {
                message.resize_with(1, Vec::new);
                read_some(input, &mut message[0])
            }
            Format::Length => read_lengths(input, message),
            Format::Text { .. } | Format::Json | Format::Hex => {
                let end = self.format.end().unwrap_or(LINE_END);
                if !read_until(input, end, &mut self.bytes)? {
                    return Ok(false);
                }
                *message = self.parse(&self.bytes)?;
                Ok(true)
            }
        }
    }

    /// The message in these bytes, which may end like a message of many.
    pub fn read_alone(&self, bytes: &[u8]) -> io::Result<Message> {
        match self.format {
            Format::Raw => Ok(vec![bytes.to_vec()]),
            Format::Length => {
                let (mut message, mut rest) = (Message::new(), bytes);
                match read_lengths(&mut rest, &mut message)? && rest.is_empty() {
                    true => Ok(message),
                    false => Err(malformed("it is not one message")),
                }
            }
            format => self.parse(format.end().and_then(|end| bytes.strip_suffix(&[end])).unwrap_or(bytes)),
        }
    }

    /// The message in these bytes, without the byte that ends it.
    fn parse(&self, bytes: &[u8]) -> io::Result<Message> {
        match self.format {
            Format::Text {
                separator: Some(separator),
                ..
            } => Ok(bytes.split(|&byte| byte == separator).map(<[u8]>::to_vec).collect()),
            Format::Json => match json::read(bytes).map_err(malformed)? {
                message if message.is_empty() => Err(malformed("a message has at least one frame; write [\"\"]")),
                message => Ok(message),
            },
            Format::Hex => bytes.split(|&byte| byte == TAB).map(unhex).collect(),
            _ => Ok(vec![bytes.to_vec()]),
        }
    }
}

fn malformed(what: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.into())
}

fn unhex(frame: &[u8]) -> io::Result<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(frame).map_err(|error| {
        malformed(format!(
            "it is not hexadecimal: {error}; write two digits for each byte, and tabs between frames"
        ))
    })
}

/// Reads up to and without `end`; `false` if nothing is left.
fn read_until(input: &mut impl BufRead, end: u8, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    if input.read_until(end, bytes)? == 0 {
        return Ok(false);
    }
    if bytes.last() == Some(&end) {
        bytes.pop();
    }
    Ok(true)
}

/// Reads what is there; `false` if nothing is left.
fn read_some(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    bytes.extend_from_slice(input.fill_buf()?);
    input.consume(bytes.len());
    Ok(!bytes.is_empty())
}

/// Reads frames, each behind its length; `false` if nothing is left.
fn read_lengths(input: &mut impl BufRead, message: &mut Message) -> io::Result<bool> {
    message.clear();
    if input.fill_buf()?.is_empty() {
        return Ok(false);
    }
    loop {
        let length = read_length(input)?;
        let mut frame = Vec::new();
        if (&mut *input).take(length).read_to_end(&mut frame)? as u64 != length {
            return Err(malformed(format!("it ends within a frame of {length} bytes")));
        }
        message.push(frame);
        let mut next = [0];
        input
            .read_exact(&mut next)
            .map_err(|_| malformed("it ends without a line end"))?;
        match next {
            [b','] => {}
            [LINE_END] => return Ok(true),
            _ => return Err(malformed("behind a frame, there is neither a comma nor a line end")),
        }
    }
}

fn read_length(input: &mut impl BufRead) -> io::Result<u64> {
    let mut digits = Vec::new();
    (&mut *input).take(DIGITS + 1).read_until(b':', &mut digits)?;
    let number = digits
        .strip_suffix(b":")
        .filter(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    number.ok_or_else(|| malformed("a frame does not begin with its length; write it like 3:job,1:7"))
}

#[cfg(test)]
mod tests;
