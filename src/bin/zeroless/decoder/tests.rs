use std::io::BufReader;

use proptest::collection::vec;
use proptest::prelude::*;
use zeroless::Message;

use super::*;
use crate::format::{Misfit, NUL};

const ALL: [Format; 8] = [
    Format::LINES,
    Format::NULL,
    Format::FRAMES,
    Format::text(Some(b','), NUL),
    Format::Json,
    Format::Hex,
    Format::Raw,
    Format::Length,
];

fn write_all(format: Format, messages: &[Message]) -> Result<Vec<u8>, Misfit> {
    let mut out = Vec::new();
    messages
        .iter()
        .try_for_each(|message| format.write(message, &mut out))?;
    Ok(out)
}

fn can_carry(format: Format, message: &Message) -> bool {
    format.write(message, &mut Vec::new()).is_ok()
}

fn read_all(format: Format, mut input: impl BufRead) -> io::Result<Vec<Message>> {
    let mut decoder = Decoder::new(format);
    let (mut message, mut messages) = (Message::new(), Vec::new());
    while decoder.next(&mut input, &mut message)? {
        messages.push(message.clone());
    }
    Ok(messages)
}

/// Frames in which the bytes that formats give a meaning are frequent.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        Just(LINE_END),
        Just(NUL),
        Just(TAB),
        Just(b','),
        Just(b'a'),
        any::<u8>()
    ];
    prop_oneof![
        vec(byte, 0..12),
        Just(b"base64:aGk=".to_vec()),
        "[a-z\"\\\\ü]{0,8}".prop_map(String::into_bytes),
    ]
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    vec(vec(frames(), 1..4), 0..6)
}

/// Reads one byte at a time.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

proptest! {
    #[test]
    fn returns_what_went_in_or_names_format_that_can(messages in messages()) {
        for format in ALL {
            match write_all(format, &messages) {
                // It has no borders between messages.
                Ok(bytes) if format == Format::Raw => prop_assert_eq!(bytes, messages.concat().concat()),
                Ok(bytes) => {
                    prop_assert_eq!(&read_all(format, bytes.as_slice()).unwrap(), &messages);
                    prop_assert_eq!(&read_all(format, BufReader::new(Trickle(&bytes))).unwrap(), &messages);
                }
                Err(misfit) => {
                    let refused = messages.iter().find(|message| !can_carry(format, message)).unwrap();
                    prop_assert!(can_carry(misfit.remedy, refused), "{}", misfit);
                }
            }
        }
    }

    #[test]
    fn formats_of_any_bytes_carry_all(messages in messages()) {
        for format in [Format::Json, Format::Hex, Format::Length] {
            prop_assert!(write_all(format, &messages).is_ok());
        }
    }

    #[test]
    fn message_alone_is_returned(message in vec(frames(), 1..4)) {
        for format in ALL {
            let mut bytes = Vec::new();
            if format.write_alone(&message, &mut bytes).is_ok() {
                prop_assert_eq!(&Decoder::new(format).read_alone(&bytes).unwrap(), &message);
            }
        }
    }

    #[test]
    fn strange_input_is_read_or_refused(bytes in vec(any::<u8>(), 0..40)) {
        for format in ALL {
            if let Err(error) = read_all(format, bytes.as_slice()) {
                prop_assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            }
        }
    }
}

fn written(format: Format, message: &[&str]) -> String {
    let mut out = Vec::new();
    match format.write(message, &mut out) {
        Ok(()) => String::from_utf8(out).unwrap(),
        Err(misfit) => misfit.to_string(),
    }
}

#[test]
fn looks_like_this() {
    assert_eq!(written(Format::LINES, &["job 7"]), "job 7\n");
    assert_eq!(written(Format::NULL, &["job\n7"]), "job\n7\0");
    assert_eq!(written(Format::FRAMES, &["job", "", "7"]), "job\t\t7\n");
    assert_eq!(
        written(Format::Json, &["job", "\"7\"\n"]),
        "[\"job\",\"\\\"7\\\"\\n\"]\n"
    );
    assert_eq!(written(Format::Hex, &["job", "", "7"]), "6a6f62\t\t37\n");
    assert_eq!(written(Format::Raw, &["job"]), "job");
    assert_eq!(written(Format::Length, &["job", "", "7"]), "3:job,0:,1:7\n");
}

#[test]
fn bytes_are_base64_in_json() {
    let mut out = Vec::new();
    Format::Json.write(&[&b"\xff\0"[..], b"base64:"], &mut out).unwrap();
    assert_eq!(out, b"[\"base64:/wA=\",\"base64:YmFzZTY0Og==\"]\n");
}

#[test]
fn misfit_names_what_can_carry_it() {
    for (format, message, said) in [
        (
            Format::LINES,
            &["a", "b"][..],
            "it has 2 frames, which the format lines cannot carry; use --out frames",
        ),
        (
            Format::LINES,
            &["a\nb"],
            "it has a line end in a frame, which the format lines cannot carry; use --out null",
        ),
        (
            Format::NULL,
            &["a\0\nb"],
            "it has a NUL in a frame, which the format null cannot carry; use --out json",
        ),
        (
            Format::FRAMES,
            &["a\tb", "c"],
            "it has a tab in a frame, which the format frames cannot carry; use --out json",
        ),
        (
            Format::Raw,
            &["a", "b"],
            "it has 2 frames, which the format raw cannot carry; use --out frames",
        ),
    ] {
        assert_eq!(written(format, message), said);
    }
}

#[test]
fn last_line_needs_no_end() {
    assert_eq!(
        read_all(Format::LINES, &b"a\n\nb"[..]).unwrap(),
        [[&b"a"[..]], [b""], [b"b"]]
    );
    assert_eq!(read_all(Format::Json, &b"[\"a\"]"[..]).unwrap(), [[b"a"]]);
}

#[test]
fn malformed_input_says_what_is_wrong() {
    for (format, input, said) in [
        (Format::Json, "hello\n", "not a JSON array of strings"),
        (Format::Json, "[7]\n", "not a JSON array of strings"),
        (Format::Json, "[]\n", "at least one frame"),
        (Format::Json, "[\"base64:?\"]\n", "not base64"),
        (Format::Hex, "6\n", "not hexadecimal"),
        (Format::Hex, "6a 6f\n", "not hexadecimal"),
        (Format::Length, "job\n", "does not begin with its length"),
        (
            Format::Length,
            "99999999999999999999:a\n",
            "does not begin with its length",
        ),
        (Format::Length, "3:jo", "ends within a frame of 3 bytes"),
        (Format::Length, "3:job", "ends without a line end"),
        (Format::Length, "3:jobs", "neither a comma nor a line end"),
    ] {
        let error = read_all(format, input.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(said), "{input}: {error}");
    }
}
