//! Tasks, on top of the sockets: jobs that are handed out to workers.

mod dispatch;
mod dispatch_all;
mod jobs;
mod mdp;
mod outcome;
mod outcomes;
mod patterns;
mod producer;
mod queue;

pub use dispatch::Dispatcher;
pub use dispatch_all::DispatchAll;
pub use jobs::{Job, Jobs};
pub use outcome::Outcome;
pub use outcomes::Outcomes;
