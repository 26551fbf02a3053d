//! Running code that may panic, in a thread that must continue.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a user's code; `None` if it panics. The panic hook has reported that.
///
/// The payload of a panic may panic, too, when it is dropped. The payload of that panic is leaked.
pub(crate) fn contain<T>(run: impl FnOnce() -> T) -> Option<T> {
    let payload = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => return Some(outcome),
        Err(payload) => payload,
    };
    // Leaking each payload would let strangers fill the memory, if they find out what makes a function panic.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(payload);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    /// Panics each time that one is dropped, with another.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic::panic_any(Bomb(self.0 + 1));
        }
    }

    #[test]
    fn returns_what_the_code_returns() {
        assert_eq!(contain(|| 7), Some(7));
    }

    #[test]
    fn survives_panics_and_their_payloads() {
        assert_eq!(contain(|| panic!("on purpose")), None::<()>);
        assert_eq!(contain(|| panic::panic_any(Bomb(0))), None::<()>);
    }
}
