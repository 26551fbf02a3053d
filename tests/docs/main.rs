//! What the documentation shows does what it says.

mod examples;
#[path = "../support/mod.rs"]
mod support;
