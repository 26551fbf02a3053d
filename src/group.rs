//! Checks the names of groups before libzmq sees them.

use crate::error::{Error, ErrorKind, Result};
use crate::topic::{self, quote};

/// The longest name that the protocol (RFC 48) allows. libzmq would accept longer ones.
const LONGEST: usize = 15;

/// Fails for a name that no group can have.
pub(crate) fn check(group: &[u8]) -> Result<()> {
    let fault = match group {
        [] => "it is empty, and a group is never a part of another one",
        _ if group.len() > LONGEST => "it is too long",
        _ if group.contains(&0) => "it contains a zero byte",
        _ => return Ok(()),
    };
    Err(Error::invalid(format!(
        "cannot use the group {}: {fault}; give 1 to {LONGEST} bytes, none of them zero",
        quote(group)
    )))
}

/// The groups to join, each of them once.
pub(crate) fn collect<I>(groups: I) -> Result<Vec<Vec<u8>>>
where
    I: IntoIterator<Item: AsRef<[u8]>>,
{
    topic::collect_checked(groups, check)
}

/// The error for leaving a group that is not among `joined`.
pub(crate) fn not_joined(group: &[u8], joined: &[Vec<u8>]) -> Error {
    let message = format!(
        "cannot leave the group {}: it is not joined; joined groups: {}",
        quote(group),
        topic::list(joined)
    );
    Error::new(ErrorKind::NotConnected, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_1_to_15_bytes_without_zero() {
        assert!(check(b"a").is_ok());
        assert!(check(&[b'a'; 15]).is_ok());
        for group in [&b""[..], &[b'a'; 16], b"a\0b"] {
            assert_eq!(check(group).unwrap_err().kind(), ErrorKind::InvalidInput, "{group:?}");
        }
    }

    #[test]
    fn collects_each_group_once_in_order() {
        assert_eq!(collect(["b", "a", "b"]).unwrap(), [b"b", b"a"]);
        assert!(collect(["b", ""]).is_err());
    }
}
