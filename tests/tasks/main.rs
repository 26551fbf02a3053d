//! Tasks on top of the sockets: remote calls, and jobs for workers.

mod call;
mod call_faults;
#[path = "../support/mod.rs"]
mod support;
mod work;
