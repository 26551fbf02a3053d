//! Which clients a server lets in, and how a client proves that it is one of them.

mod credentials;
mod key_file;
mod key_ring;
mod key_source;
mod keys;
mod policy;
mod queue;
mod rules;
mod secret;
mod z85;
mod zap;

pub(crate) use credentials::Credentials;
pub use keys::{Keypair, PublicKey};
pub(crate) use policy::{Policy, Verdict, no_curve};
pub(crate) use rules::AccessRules;
pub(crate) use zap::{Admission, Checker, ZapDomain, ZapReply, enqueue};
