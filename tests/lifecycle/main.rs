//! How sockets live: opened, shared by threads, changed while running, and closed.

mod channel;
mod close;
mod exit;
mod incoming;
mod live;
#[path = "../support/mod.rs"]
mod support;
mod threads;
mod workers;
