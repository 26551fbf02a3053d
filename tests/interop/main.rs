//! Talks to Python's Zeroless and to pyzmq.

mod call;
mod curve;
mod patterns;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod work;
