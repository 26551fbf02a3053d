//! How messages are written as text or bytes. [`Decoder`](crate::decoder::Decoder) reads them.
//!
//! Each format returns what went in, or refuses the message and names the format that can carry it.

pub mod json;

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

pub const LINE_END: u8 = b'\n';
pub const NUL: u8 = 0;
pub const TAB: u8 = b'\t';

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The bytes of the frames, with a separator between them, and `end` behind the message. Without a separator, a
    /// message has one frame.
    Text { separator: Option<u8>, end: u8 },
    /// A line with an array of strings.
    Json,
    /// A line with the frames in hexadecimal, with tabs between them.
    Hex,
    /// The bytes of the only frame, with nothing before or behind them.
    Raw,
    /// Each frame behind its length: `3:job,1:7` and a line end.
    Length,
}

impl Format {
    pub const LINES: Format = Format::text(None, LINE_END);
    pub const NULL: Format = Format::text(None, NUL);
    pub const FRAMES: Format = Format::text(Some(TAB), LINE_END);

    pub const fn text(separator: Option<u8>, end: u8) -> Format {
        Format::Text { separator, end }
    }

    /// The byte that ends a written message, and is in no other place.
    pub fn end(self) -> Option<u8> {
        match self {
            Format::Text { end, .. } => Some(end),
            Format::Json | Format::Hex => Some(LINE_END),
            Format::Raw | Format::Length => None,
        }
    }

    /// Writes a message behind what is in `out`. If it cannot carry the message, `out` stays as it is.
    pub fn write(self, message: &[impl AsRef<[u8]>], out: &mut Vec<u8>) -> Result<(), Misfit> {
        self.check(message)?;
        match self {
            Format::Text { separator, end } => {
                write_between(message, separator, out, |frame, out| out.extend_from_slice(frame));
                out.push(end);
            }
            Format::Json => json::write(message, out),
            Format::Hex => {
                write_between(message, Some(TAB), out, |frame, out| {
                    out.extend_from_slice(HEXLOWER.encode(frame).as_bytes());
                });
                out.push(LINE_END);
            }
            Format::Raw => message.iter().for_each(|frame| out.extend_from_slice(frame.as_ref())),
            Format::Length => {
                write_between(message, Some(b','), out, |frame, out| {
                    out.extend_from_slice(format!("{}:", frame.len()).as_bytes());
                    out.extend_from_slice(frame);
                });
                out.push(LINE_END);
            }
        }
        Ok(())
    }

    /// Writes a message that nothing follows, so its only frame may contain what ends messages elsewhere.
    pub fn write_alone(self, message: &[impl AsRef<[u8]>], out: &mut Vec<u8>) -> Result<(), Misfit> {
        match (self, message) {
            (Format::Text { separator: None, end }, [frame]) => {
                out.extend_from_slice(frame.as_ref());
                out.push(end);
                Ok(())
            }
            _ => self.write(message, out),
        }
    }

    fn check(self, message: &[impl AsRef<[u8]>]) -> Result<(), Misfit> {
        match self.obstacle(message) {
            None => Ok(()),
            Some(what) => Err(Misfit {
                what,
                format: self,
                remedy: Format::that_carries(message),
            }),
        }
    }

    /// What of this message the format cannot carry.
    fn obstacle(self, message: &[impl AsRef<[u8]>]) -> Option<String> {
        let has = |byte: u8| message.iter().any(|frame| frame.as_ref().contains(&byte));
        match self {
            Format::Text { separator: None, .. } | Format::Raw if message.len() != 1 => {
                Some(format!("has {} frames", message.len()))
            }
            Format::Text { end, .. } if has(end) => Some(format!("has {} in a frame", name_of(end))),
            Format::Text {
                separator: Some(separator),
                ..
            } if has(separator) => Some(format!("has {} in a frame", name_of(separator))),
            _ => None,
        }
    }

    /// The plainest format that can carry this message.
    fn that_carries(message: &[impl AsRef<[u8]>]) -> Format {
        let mut plain = [Format::NULL, Format::FRAMES].into_iter();
        let carries = |format: &Format| format.obstacle(message).is_none();
        plain.find(carries).unwrap_or(Format::Json)
    }
}

/// Writes the frames, with a separator between them.
fn write_between(
    message: &[impl AsRef<[u8]>],
    separator: Option<u8>,
    out: &mut Vec<u8>,
    write: impl Fn(&[u8], &mut Vec<u8>),
) {
    for (index, frame) in message.iter().enumerate() {
        if index > 0 {
            out.extend(separator);
        }
        write(frame.as_ref(), out);
    }
}

fn name_of(byte: u8) -> String {
    match byte {
        LINE_END => "a line end".to_owned(),
        NUL => "a NUL".to_owned(),
        TAB => "a tab".to_owned(),
        byte => format!("the separator {}", byte.escape_ascii()),
    }
}

/// The names of the formats on the command line. A separator is not named.
const NAMES: [(&str, Format); 7] = [
    ("lines", Format::LINES),
    ("null", Format::NULL),
    ("frames", Format::FRAMES),
    ("json", Format::Json),
    ("hex", Format::Hex),
    ("raw", Format::Raw),
    ("length", Format::Length),
];

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMES.iter().find(|(_, format)| format == self);
        f.write_str(named.map_or("frames", |(name, _)| name))
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        match NAMES.iter().find(|(other, _)| *other == name) {
            Some((_, format)) => Ok(*format),
            None => Err(format!("use {}", NAMES.map(|(name, _)| name).join(", "))),
        }
    }
}

/// Why a format cannot carry a message.
#[derive(Debug)]
pub struct Misfit {
    what: String,
    format: Format,
    /// A format that can.
    pub remedy: Format,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Misfit { what, format, remedy } = self;
        write!(
            f,
            "it {what}, which the format {format} cannot carry; use --out {remedy}"
        )
    }
}
