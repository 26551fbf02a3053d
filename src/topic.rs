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
    collect_checked(topics, check)
}

/// The names that pass a check, each of them once.
pub(crate) fn collect_checked<I>(names: I, check: impl Fn(&[u8]) -> Result<()>) -> Result<Vec<Vec<u8>>>
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut collected: Vec<Vec<u8>> = Vec::new();
    for name in names {
        let name = name.as_ref();
        check(name)?;
        if !collected.iter().any(|other| other == name) {
            collected.push(name.to_owned());
        }
    }
    Ok(collected)
}

/// The error for unsubscribing from a topic that is not among `subscribed`.
pub(crate) fn not_subscribed(topic: &[u8], subscribed: &[Vec<u8>]) -> Error {
    let subscribed = list(subscribed);
    let message = format!(
        "cannot unsubscribe from {}: the topic is not subscribed; subscribed topics: {subscribed}",
        quote(topic)
    );
    Error::new(ErrorKind::NotConnected, message)
}

/// Topics or groups as messages show them.
pub(crate) fn list(names: &[Vec<u8>]) -> String {
    match names {
        [] => "none".to_owned(),
        names => {
            let quoted: Vec<String> = names.iter().map(|name| quote(name)).collect();
            quoted.join(", ")
        }
    }
}

/// A topic or a group as messages show it.
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
