//! What a socket is opened with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::pattern::Pattern;
use crate::error::{Error, Result};
use crate::libzmq;
use crate::security::{AccessRules, Credentials};

/// A function of the user's that sets options of libzmq.
pub(crate) type Configure = dyn Fn(&zmq::Socket) -> zmq::Result<()> + Send + Sync;

/// libzmq's limit for an identity, in bytes.
const MAX_IDENTITY_LENGTH: usize = 255;

/// The system's limit for the idle time of a connection before a probe, in seconds.
const MAX_KEEPALIVE: i32 = 32_767;

/// How long a connection over TCP is idle before the system probes the peer, in seconds, if the user does not say.
const DEFAULT_KEEPALIVE: i32 = 30;

/// Which socket to open, and with which options.
pub(crate) struct SocketSpec<'a> {
    pub(crate) pattern: Pattern,
    /// The endpoints to bind, not checked yet.
    pub(crate) binds: &'a [String],
    /// The endpoints to connect to, checked.
    pub(crate) connects: &'a [String],
    /// The topics to subscribe to, or the groups to join, checked.
    pub(crate) topics: Vec<Vec<u8>>,
    pub(crate) options: &'a Options,
}

/// The options of a socket. They are the same for servers and clients, except for the security at the end.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) linger: Option<Duration>,
    pub(super) high_water_mark: Option<i32>,
    pub(super) identity: Option<Vec<u8>>,
    pub(super) heartbeat: Option<Duration>,
    /// In seconds; 0 turns keepalive off.
    pub(super) keepalive: Option<i32>,
    pub(super) max_message_size: Option<i64>,
    pub(crate) configure: Vec<Arc<Configure>>,
    /// Which clients a server lets in.
    pub(crate) access: AccessRules,
    /// What a client proves its identity with.
    pub(crate) credentials: Option<Credentials>,
}

impl Options {
    pub(crate) fn set_high_water_mark(&mut self, messages: u32) -> Result<()> {
        let messages = i32::try_from(messages).map_err(|_| {
            Error::invalid(format!(
                "cannot set the high-water mark to {messages} messages: the maximum is {}; 0 means no limit",
                i32::MAX
            ))
        })?;
        self.high_water_mark = Some(messages);
        Ok(())
    }

    pub(crate) fn set_identity(&mut self, identity: &[u8]) -> Result<()> {
        let fault = match identity {
            [] => "it is empty",
            [0, ..] => "it begins with a zero byte, which libzmq reserves for the ids that it generates",
            _ if identity.len() > MAX_IDENTITY_LENGTH => "it is too long",
            _ => {
                self.identity = Some(identity.to_owned());
                return Ok(());
            }
        };
        Err(Error::invalid(format!(
            "cannot use the identity \"{}\": {fault}; give 1 to {MAX_IDENTITY_LENGTH} bytes, the first of them not zero",
            identity.escape_ascii()
        )))
    }

    pub(crate) fn set_heartbeat(&mut self, interval: Duration) -> Result<()> {
        if interval.is_zero() {
            let message =
                "cannot set a heartbeat of zero: the interval must be longer; for no heartbeats, do not call heartbeat";
            return Err(Error::invalid(message));
        }
        self.heartbeat = Some(interval);
        Ok(())
    }

    /// Removes the identity, for sockets of which there may be several.
    pub(crate) fn forget_identity(&mut self) {
        self.identity = None;
    }

    /// How many jobs of a producer may be unfinished; `None` for no limit.
    pub(crate) fn most_unfinished(&self) -> Option<usize> {
        const DEFAULT: usize = 1_000;

        match self.high_water_mark {
            None => Some(DEFAULT),
            Some(0) => None,
            Some(jobs) => usize::try_from(jobs).ok(),
        }
    }

    pub(crate) fn has_heartbeat(&self) -> bool {
        self.heartbeat.is_some()
    }

    pub(crate) fn set_keepalive(&mut self, idle: Duration) -> Result<()> {
        let seconds = idle.as_nanos().div_ceil(1_000_000_000);
        let seconds = i32::try_from(seconds).ok().filter(|&seconds| seconds <= MAX_KEEPALIVE);
        let Some(seconds) = seconds else {
            return Err(Error::invalid(format!(
                "cannot set a keepalive of {idle:?}: the maximum is {MAX_KEEPALIVE} s; Duration::ZERO turns keepalive off"
            )));
        };
        if seconds > 0 {
            libzmq::require_keepalive(&format!("cannot set a keepalive of {idle:?}"))?;
        }
        self.keepalive = Some(seconds);
        Ok(())
    }

    pub(super) fn keepalive(&self) -> i32 {
        self.keepalive.unwrap_or(DEFAULT_KEEPALIVE)
    }

    pub(crate) fn set_max_message_size(&mut self, bytes: u64) -> Result<()> {
        match i64::try_from(bytes) {
            Ok(bytes @ 1..) => {
                self.max_message_size = Some(bytes);
                Ok(())
            }
            _ => Err(Error::invalid(format!(
                "cannot limit frames to {bytes} bytes: give 1 to {}; for no limit, do not call max_message_size",
                i64::MAX
            ))),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("timeout", &self.timeout)
            .field("linger", &self.linger)
            .field("high_water_mark", &self.high_water_mark)
            .field("identity", &self.identity)
            .field("heartbeat", &self.heartbeat)
            .field("keepalive", &self.keepalive)
            .field("max_message_size", &self.max_message_size)
            .field("configure", &format_args!("{} closures", self.configure.len()))
            .field("access", &self.access)
            .field("credentials", &self.credentials)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_limits_and_rejects_what_is_beyond() {
        let mut options = Options::default();
        assert!(options.set_high_water_mark(0).is_ok());
        assert!(options.set_high_water_mark(i32::MAX as u32).is_ok());
        assert!(options.set_high_water_mark(i32::MAX as u32 + 1).is_err());
        assert!(options.set_identity(&[1; 255]).is_ok());
        assert!(options.set_identity(&[1; 256]).is_err());
        assert!(options.set_identity(b"\0worker").is_err());
        assert!(options.set_identity(b"").is_err());
        assert!(options.set_heartbeat(Duration::from_nanos(1)).is_ok());
        assert!(options.set_heartbeat(Duration::ZERO).is_err());
        assert!(options.set_keepalive(Duration::ZERO).is_ok());
        assert!(options.set_keepalive(Duration::from_nanos(32_767_000_000_001)).is_err());
        assert!(options.set_max_message_size(1).is_ok());
        assert!(options.set_max_message_size(i64::MAX as u64).is_ok());
        assert!(options.set_max_message_size(0).is_err());
        assert!(options.set_max_message_size(u64::MAX).is_err());
    }

    #[test]
    fn keeps_the_last_good_value() {
        let mut options = Options::default();
        options.set_identity(b"worker").unwrap();
        options.set_identity(b"").unwrap_err();
        assert_eq!(options.identity.as_deref(), Some(&b"worker"[..]));
    }
}
