//! Checks topics before libzmq sees them.

use std::ops::RangeInclusive;

use crate::error::{Error, ErrorKind, Result};

/// The lengths of topics that libzmq before 4.3.5 subscribes to but never matches with a message.
const LOST_LENGTHS: RangeInclusive<usize> = 246..=255;

/// Fails for a topic that libzmq would never match.
pub(crate) fn check(topic: &[u8]) -> Result<()> {
    check_length(topic.len(), zmq::version())
}

fn check_length(length: usize, libzmq_version: (i32, i32, i32)) -> Result<()> {
    if LOST_LENGTHS.contains(&length) && libzmq_version < (4, 3, 5) {
        return Err(Error::invalid(format!(
            "cannot subscribe to a topic of {length} bytes: libzmq before 4.3.5 never matches topics of {} to {} \
             bytes; use a shorter or a longer one",
            LOST_LENGTHS.start(),
            LOST_LENGTHS.end()
        )));
    }
    Ok(())
}

/// The topics to subscribe to, each of them once.
pub(crate) fn collect<I>(topics: I) -> Result<Vec<Vec<u8>>>
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut collected: Vec<Vec<u8>> = Vec::new();
    for topic in topics {
        let topic = topic.as_ref();
        check(topic)?;
        if !collected.iter().any(|other| other == topic) {
            collected.push(topic.to_owned());
        }
    }
    Ok(collected)
}

/// The error for unsubscribing from a topic that is not among `subscribed`.
pub(crate) fn not_subscribed(topic: &[u8], subscribed: &[Vec<u8>]) -> Error {
    let subscribed = match subscribed {
        [] => "none".to_owned(),
        topics => {
            let quoted: Vec<String> = topics.iter().map(|topic| quote(topic)).collect();
            quoted.join(", ")
        }
    };
    let message = format!(
        "cannot unsubscribe from {}: the topic is not subscribed; subscribed topics: {subscribed}",
        quote(topic)
    );
    Error::new(ErrorKind::NotConnected, message)
}

/// A topic as messages show it.
pub(crate) fn quote(topic: &[u8]) -> String {
    format!("\"{}\"", topic.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_lengths_that_old_libzmq_loses() {
        for length in 0..300 {
            let outcome = check_length(length, (4, 3, 4));
            assert_eq!(outcome.is_err(), (246..=255).contains(&length), "{length}");
            assert!(check_length(length, (4, 3, 5)).is_ok(), "{length}");
        }
    }

    #[test]
    fn collects_each_topic_once_in_order() {
        let topics = collect(["b", "a", "b", ""]).unwrap();
        assert_eq!(topics, [b"b".to_vec(), b"a".to_vec(), b"".to_vec()]);
    }

    #[test]
    fn says_what_is_subscribed() {
        let error = not_subscribed(b"x\n", &[b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert!(error.to_string().contains(r#""x\n""#), "{error}");
        assert!(error.to_string().ends_with(r#"subscribed topics: "a", "b""#), "{error}");
        assert!(
            not_subscribed(b"x", &[])
                .to_string()
                .ends_with("subscribed topics: none")
        );
    }
}
