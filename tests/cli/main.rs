//! The command line `zeroless`, as processes with real pipes.

mod calls;
mod ending;
mod examples;
mod formats;
mod help;
mod interop;
mod jobs;
mod keys;
mod patterns;
mod producer;
mod program;
mod progress;
mod proxy;
#[path = "../support/mod.rs"]
mod support;
