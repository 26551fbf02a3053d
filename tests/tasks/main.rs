//! Tasks: remote calls.

mod call;
mod call_faults;
#[path = "../support/mod.rs"]
mod support;
