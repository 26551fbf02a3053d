//! The options of jobs.

use std::time::Duration;

/// The options of `dispatch`, besides those of its socket.
#[derive(Clone, Debug)]
pub(crate) struct JobOptions {
    pub(crate) attempts: u32,
    pub(crate) time_limit: Option<Duration>,
}

impl Default for JobOptions {
    fn default() -> JobOptions {
        JobOptions {
            attempts: 3,
            time_limit: None,
        }
    }
}
