//! Tasks on top of the sockets.

#[path = "../support/mod.rs"]
mod support;
mod work;
