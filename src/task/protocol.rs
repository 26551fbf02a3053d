//! How calls and answers look on the wire: the envelopes of REQ and REP (RFC 28), so both ends can be anyone's.
//!
//! A caller sends `[id] [] body…`, and receives `[id] [] body…`, or `[id] [failed] [] text` for a failure. Only callers
//! whose id begins with [`MAGIC`] understand that. Others receive a failure as an answer of two frames: `failed` and the
//! text.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::message::{self, Message};

/// The beginning of the ids of callers that understand failures.
const MAGIC: &[u8; 4] = b"zls1";
const FAILED: &[u8] = b"failed";

/// The length of an id: the magic, 4 bytes that say how many milliseconds the caller waits (0: for ever), and 8 bytes for
/// the number of the call. Numbers begin with their highest byte.
const ID_LENGTH: usize = 16;

/// The id of a call, whose caller waits for this time, or for ever.
pub(super) fn id(number: u64, patience: Option<Duration>) -> [u8; ID_LENGTH] {
    // Rounded up, so that a server does not drop a call whose caller still waits. Longer than 49 days is for ever.
    let milliseconds = match patience.map(|time| u32::try_from(time.as_nanos().div_ceil(1_000_000))) {
        Some(Ok(milliseconds)) => milliseconds.max(1),
        _ => 0,
    };
    let mut id = [0; ID_LENGTH];
    id[..4].copy_from_slice(MAGIC);
    id[4..8].copy_from_slice(&milliseconds.to_be_bytes());
    id[8..].copy_from_slice(&number.to_be_bytes());
    id
}

/// The number of the call with this id, and how long its caller waits.
fn parse_id(id: &[u8]) -> Option<(u64, Option<Duration>)> {
    let id: &[u8; ID_LENGTH] = id.try_into().ok()?;
    let (magic, rest) = id.split_first_chunk()?;
    let (milliseconds, number) = rest.split_first_chunk()?;
    let milliseconds = u32::from_be_bytes(*milliseconds);
    let patience = (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()));
    (magic == MAGIC).then_some((u64::from_be_bytes(number.try_into().ok()?), patience))
}

/// The number of the call with this id; `None` if it is no id.
pub(super) fn number(id: &[u8]) -> Option<u64> {
    parse_id(id).map(|(number, _)| number)
}

/// The number of the call that a message answers, and the answer; `None` if it is not an answer.
pub(super) fn parse_answer(mut message: Message) -> Option<(u64, Result<Message>)> {
    let (number, _) = parse_id(message.first()?)?;
    let answer = match &message[1..] {
        [delimiter, _, ..] if delimiter.is_empty() => Ok(message.split_off(2)),
        [status, delimiter, words @ ..] if status == FAILED && delimiter.is_empty() => {
            Err(Error::new(ErrorKind::Failed, message::text(words)))
        }
        _ => Err(Error::new(
            ErrorKind::Other,
            "the server's answer is malformed: after the id, an empty frame and at least one more were expected",
        )),
    };
    Some((number, answer))
}

/// A call as a server receives it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The routing id of the peer and of each proxy, and the id of the call if there is one.
    pub(super) envelope: Vec<Vec<u8>>,
    pub(super) body: Message,
    /// How long its caller waits, if that is known.
    pub(super) patience: Option<Duration>,
    understands_failures: bool,
}

/// The call in a message that a router has received. If there is no empty frame, or nothing before or after it, it is none,
/// and the message is returned.
pub(super) fn parse_request(mut message: Message) -> std::result::Result<Request, Message> {
    let is_inside = |delimiter: &usize| (1..message.len().saturating_sub(1)).contains(delimiter);
    let Some(delimiter) = message.iter().position(Vec::is_empty).filter(is_inside) else {
        return Err(message);
    };
    let body = message.split_off(delimiter + 1);
    message.truncate(delimiter);
    let id = message.last().and_then(|id| parse_id(id));
    Ok(Request {
        envelope: message,
        body,
        patience: id.and_then(|(_, patience)| patience),
        understands_failures: id.is_some(),
    })
}

impl Request {
    /// The lengths of the frames of the message.
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.answer(&self.body.iter().map(Vec::as_slice).collect::<Vec<_>>())
            .into_iter()
            .map(<[u8]>::len)
            .collect()
    }

    /// The frames that answer this call.
    pub(super) fn answer<'a>(&'a self, body: &[&'a [u8]]) -> Vec<&'a [u8]> {
        self.address(&[b""], body)
    }

    /// The frames that fail this call.
    pub(super) fn failure<'a>(&'a self, text: &'a [u8]) -> Vec<&'a [u8]> {
        match self.understands_failures {
            true => self.address(&[FAILED, b""], &[text]),
            false => self.address(&[b"", FAILED], &[text]),
        }
    }

    fn address<'a>(&'a self, status: &[&'a [u8]], body: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let envelope = self.envelope.iter().map(Vec::as_slice);
        envelope
            .chain(status.iter().copied())
            .chain(body.iter().copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn owned(frames: &[&[u8]]) -> Message {
        frames.iter().map(|frame| frame.to_vec()).collect()
    }

    fn kind_of(answer: &[&[u8]]) -> Option<ErrorKind> {
        let (number, answer) = parse_answer(owned(answer))?;
        assert_eq!(number, 7);
        Some(answer.unwrap_err().kind())
    }

    #[test]
    fn id_says_number_and_patience() {
        assert_eq!(&id(258, Some(SECOND)), b"zls1\0\0\x03\xe8\0\0\0\0\0\0\x01\x02");
        assert_eq!(parse_id(&id(7, Some(SECOND))), Some((7, Some(SECOND))));
        assert_eq!(parse_id(&id(u64::MAX, None)), Some((u64::MAX, None)));
    }

    #[test]
    fn patience_is_rounded_up() {
        let patience = |time| parse_id(&id(7, Some(time))).unwrap().1;
        assert_eq!(patience(Duration::ZERO), Some(Duration::from_millis(1)));
        assert_eq!(patience(Duration::from_micros(1_001)), Some(Duration::from_millis(2)));
        assert_eq!(patience(Duration::from_millis(2)), Some(Duration::from_millis(2)));
        assert_eq!(patience(Duration::MAX), None);
    }

    #[test]
    fn ids_of_others_are_not_ours() {
        assert_eq!(parse_id(b""), None);
        assert_eq!(parse_id(b"\0\x12\x34\x56\x78"), None);
        assert_eq!(parse_id(b"zls2\0\0\0\0\0\0\0\0\0\0\0\x07"), None);
        assert_eq!(parse_id(b"zls1\0\0\0\0\0\0\0\0\0\0\0\x07 and more"), None);
    }

    #[test]
    fn answer_and_failure_come_back() {
        let id = id(7, None);
        let request = parse_request(owned(&[b"peer", &id, b"", b"add", b""])).unwrap();
        assert_eq!(request.body, owned(&[b"add", b""]));
        assert_eq!(request.answer(&[b"3"]), [b"peer", &id[..], b"", b"3"]);
        let (number, answer) = parse_answer(owned(&request.answer(&[b"3"])[1..])).unwrap();
        assert_eq!((number, answer.unwrap()), (7, owned(&[b"3"])));
        let (number, answer) = parse_answer(owned(&request.failure(b"no \xff")[1..])).unwrap();
        let error = answer.unwrap_err();
        assert_eq!((number, error.kind()), (7, ErrorKind::Failed));
        assert_eq!(error.to_string(), "no \u{FFFD}");
    }

    #[test]
    fn failure_is_an_ordinary_answer_to_others() {
        let request = parse_request(owned(&[b"peer", b"", b"add"])).unwrap();
        assert_eq!(request.failure(b"no"), [&b"peer"[..], b"", b"failed", b"no"]);
        assert_eq!(request.patience, None);
    }

    #[test]
    fn envelope_reaches_to_the_first_empty_frame() {
        let request = parse_request(owned(&[b"proxy", b"peer", &id(7, Some(SECOND)), b"", b"", b"x", b""])).unwrap();
        assert_eq!(request.envelope.len(), 3);
        assert_eq!(request.lengths(), [5, 4, 16, 0, 0, 1, 0]);
        assert_eq!(request.body, owned(&[b"", b"x", b""]));
        assert_eq!(request.patience, Some(SECOND));
    }

    #[test]
    fn messages_that_are_no_calls_are_told_apart() {
        let messages: [&[&[u8]]; 4] = [&[b"peer", b"no delimiter"], &[b"peer", b""], &[b"", b"no peer"], &[]];
        for message in messages {
            assert_eq!(parse_request(owned(message)), Err(owned(message)));
        }
    }

    #[test]
    fn malformed_answers_fail_the_call_that_they_name() {
        let id = id(7, None);
        assert_eq!(kind_of(&[&id]), Some(ErrorKind::Other));
        assert_eq!(kind_of(&[&id, b""]), Some(ErrorKind::Other));
        assert_eq!(kind_of(&[&id, b"what", b"", b"is this"]), Some(ErrorKind::Other));
        assert_eq!(kind_of(&[&id, FAILED]), Some(ErrorKind::Other));
        assert_eq!(kind_of(&[&id, FAILED, b""]), Some(ErrorKind::Failed));
        assert!(parse_answer(owned(&[b"", b"x"])).is_none());
        assert!(parse_answer(Vec::new()).is_none());
    }
}
