//! The draft sockets. They need the feature `draft`.

mod channel;
mod dgram;
mod faults;
mod hostile;
mod peer;
mod radio_dish;
mod scatter_gather;
mod server_client;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
mod udp;
