//! Tasks: what a program asks of others, on top of the sockets.

mod call;
mod caller;
mod calls;
mod exchange;
#[cfg(zeroless_loom)]
mod model;
mod protocol;

pub use call::Call;
pub use caller::Caller;
pub(crate) use caller::OpenProbe;
pub use calls::Calls;
