//! How long to wait.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::sync::AtomicBool;

/// How long an operation may wait.
#[derive(Clone, Copy)]
pub(crate) enum Wait<'a> {
    Never,
    For(Duration),
    Forever,
    /// Until [`Engine::cancel`](super::Engine::cancel) is called with this, or the time, if there is one, has passed.
    Until(&'a Cancel, Option<Duration>),
}

impl Wait<'_> {
    pub(super) fn is_cancellable(self) -> bool {
        matches!(self, Wait::Until(..))
    }

    pub(crate) fn is_cancelled(self) -> bool {
        matches!(self, Wait::Until(cancel, _) if cancel.is_set())
    }
}

/// Cancels the operations that wait with it.
#[derive(Default)]
pub(crate) struct Cancel(AtomicBool);

impl Cancel {
    /// Sets the flag, but wakes no thread: [`Engine::cancel`](super::Engine::cancel) does both.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// When to stop waiting: at a moment, when cancelled, whichever is first, or never.
#[derive(Clone, Copy, Default)]
pub(crate) struct Deadline<'a> {
    moment: Option<Instant>,
    cancel: Option<&'a Cancel>,
}

impl<'a> Deadline<'a> {
    pub(crate) fn after(wait: Wait<'a>) -> Deadline<'a> {
        let (time, cancel) = match wait {
            Wait::Never => (Some(Duration::ZERO), None),
            Wait::For(time) => (Some(time), None),
            Wait::Forever => (None, None),
            Wait::Until(cancel, time) => (time, Some(cancel)),
        };
        Deadline { moment: None, cancel }.within(time)
    }

    /// The same deadline, or `time` from now if that is sooner. A moment that the clock cannot represent counts as no
    /// deadline.
    pub(crate) fn within(self, time: Option<Duration>) -> Deadline<'a> {
        let sooner = time.and_then(|time| Instant::now().checked_add(time));
        let moment = self.moment.into_iter().chain(sooner).min();
        Deadline { moment, ..self }
    }

    /// The time left, zero once cancelled; `None` if there is no limit.
    pub(crate) fn remaining(self) -> Option<Duration> {
        if self.cancel.is_some_and(Cancel::is_set) {
            return Some(Duration::ZERO);
        }
        self.moment
            .map(|moment| moment.saturating_duration_since(Instant::now()))
    }

    /// What is left as a time to wait.
    pub(crate) fn wait(self) -> Wait<'a> {
        match (self.cancel, self.remaining()) {
            (Some(cancel), remaining) => Wait::Until(cancel, remaining),
            (None, Some(remaining)) => Wait::For(remaining),
            (None, None) => Wait::Forever,
        }
    }

    pub(crate) fn has_passed(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}

/// The time in whole milliseconds. It is rounded up, so that a wait does not end just before its deadline, and is at
/// most the 24 days that libzmq can count.
pub(super) fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

#[cfg(all(test, not(zeroless_loom)))]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_up_and_never_wrap() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(7)), 7);
        assert_eq!(milliseconds(Duration::MAX), i32::MAX);
    }

    #[test]
    fn deadline_that_the_clock_cannot_represent_never_passes() {
        assert_eq!(Deadline::after(Wait::For(Duration::MAX)).remaining(), None);
        assert!(!Deadline::after(Wait::Forever).has_passed());
    }

    #[test]
    fn deadline_takes_the_sooner_of_two_times() {
        let deadline = Deadline::after(Wait::For(Duration::from_secs(1_000)));
        assert!(deadline.within(Some(Duration::ZERO)).has_passed());
        assert!(!deadline.within(None).has_passed());
        let soon = Deadline::after(Wait::Never).within(Some(Duration::from_secs(1_000)));
        assert!(soon.has_passed());
    }

    #[test]
    fn cancelling_ends_a_deadline() {
        let cancel = Cancel::default();
        let deadline = Deadline::after(Wait::Until(&cancel, None));
        assert!(!deadline.has_passed());
        cancel.set();
        assert!(deadline.has_passed());
    }
}
