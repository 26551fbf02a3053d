//! What happens when something goes wrong: bad input, hostile peers, broken networks, exhausted resources.

mod abuse;
mod errors;
mod exhaustion;
mod faults;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod hosts;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod namespaces;
mod properties;
#[cfg(target_os = "linux")]
mod soak;
#[path = "../support/mod.rs"]
mod support;
