//! What each pattern does, and the transports, options and proxies that they share.

mod dealer_router;
mod draft;
mod frames;
mod options;
mod pair;
mod proxy;
mod publish_subscribe;
mod push_pull;
mod request_reply;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod transports;
mod xpublish_xsubscribe;
