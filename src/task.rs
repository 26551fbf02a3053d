//! Tasks, on top of the sockets: remote calls, and jobs that are handed out to workers.

mod call;
mod caller;
mod calls;
mod dispatch;
mod dispatch_all;
mod exchange;
mod jobs;
mod mdp;
#[cfg(zeroless_loom)]
mod model;
mod outcome;
mod outcomes;
mod patterns;
mod producer;
mod protocol;
mod queue;

pub use call::Call;
pub use caller::Caller;
pub use calls::Calls;
pub use dispatch::Dispatcher;
pub use dispatch_all::DispatchAll;
pub use jobs::{Job, Jobs};
pub use outcome::Outcome;
pub use outcomes::Outcomes;
