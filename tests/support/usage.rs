//! The resources that a process uses.

use std::fmt;
use std::fs;

pub struct Usage {
    pub memory: u64,
    pub descriptors: usize,
    pub threads: usize,
}

impl Usage {
    pub fn now() -> Usage {
        Usage::of("self")
    }

    /// Of the process with this id.
    pub fn of(process: &str) -> Usage {
        let statm = fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
        let resident: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        Usage {
            memory: resident * 4096,
            descriptors: fs::read_dir(format!("/proc/{process}/fd")).unwrap().count(),
            threads: fs::read_dir(format!("/proc/{process}/task")).unwrap().count(),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.memory as f64 / 1e6;
        write!(
            f,
            "{megabytes:6.1} MB, {} descriptors, {} threads",
            self.descriptors, self.threads
        )
    }
}
