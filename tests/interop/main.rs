//! Talks to Python's Zeroless and to pyzmq.

mod call;
mod curve;
#[cfg(feature = "draft")]
mod draft;
mod patterns;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod work;
