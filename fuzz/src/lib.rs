//! What each target checks, on the parsers of the crate zeroless.
//!
//! The parsers are private, so this crate includes their modules: the public interface is not widened for fuzzing.

#![allow(dead_code, unused_imports, reason = "the modules contain more than the parsers")]

#[path = "../../src/endpoint.rs"]
mod endpoint;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/libzmq.rs"]
mod libzmq;
#[path = "../../src/message.rs"]
mod message;
#[path = "../../src/report.rs"]
mod report;
#[path = "../../src/udp.rs"]
mod udp;
#[path = "../../src/unwind.rs"]
mod unwind;

#[path = "../../src/sys"]
mod sys {
    mod unix;

    pub(crate) use unix::*;
}

#[path = "../../src/security"]
mod security {
    mod credentials;
    mod key_file;
    mod key_ring;
    mod key_source;
    mod keys;
    mod policy;
    mod queue;
    mod rules;
    mod secret;
    mod z85;
    mod zap;

    #[path = "../../fuzz/src/targets.rs"]
    pub mod targets;
}

pub use security::targets;
