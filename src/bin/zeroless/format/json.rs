//! A message as a JSON array of strings.
//!
//! A frame that is no text is written as `base64:` and its base64. So is a text that begins with `base64:`, so that
//! reading returns each frame as it was.

use std::borrow::Cow;
use std::str;

use data_encoding::BASE64;
use zeroless::Message;

const PREFIX: &str = "base64:";

pub fn write(message: &[impl AsRef<[u8]>], out: &mut Vec<u8>) {
    let strings: Vec<Cow<str>> = message.iter().map(|frame| to_string(frame.as_ref())).collect();
    serde_json::to_writer(&mut *out, &strings).expect("BUG: strings are JSON, and a vector takes all bytes");
    out.push(b'\n');
}

fn to_string(frame: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(frame) {
        Ok(text) if !text.starts_with(PREFIX) => Cow::Borrowed(text),
        _ => Cow::Owned(format!("{PREFIX}{}", BASE64.encode(frame))),
    }
}

pub fn read(line: &[u8]) -> Result<Message, String> {
    let strings: Vec<Cow<str>> = serde_json::from_slice(line)
        .map_err(|error| format!("it is not a JSON array of strings: {error}; write it like [\"job\",\"7\"]"))?;
    strings.iter().map(|string| to_frame(string)).collect()
}

fn to_frame(string: &str) -> Result<Vec<u8>, String> {
    match string.strip_prefix(PREFIX) {
        None => Ok(string.as_bytes().to_vec()),
        Some(encoded) => BASE64.decode(encoded.as_bytes()).map_err(|error| {
            format!(
                "the text after {PREFIX} is not base64: {error}; also write a text that begins with {PREFIX} in base64"
            )
        }),
    }
}
