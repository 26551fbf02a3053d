//! How long to wait.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::sync::AtomicBool;

/// How long an operation may wait.
#[derive(Clone, Copy)]
pub(crate) enum Patience<'a> {
    None,
    For(Duration),
    Forever,
    /// Until [`Engine::cancel`](super::Engine::cancel) is called with this, or the time is up, if there is any.
    Until(&'a Cancel, Option<Duration>),
}

impl Patience<'_> {
    pub(super) fn is_cancelled(self) -> bool {
        matches!(self, Patience::Until(cancel, _) if cancel.is_set())
    }
}

/// Ends the operations that wait until it is set.
#[derive(Default)]
pub(crate) struct Cancel(AtomicBool);

impl Cancel {
    /// Says so to those who look. [`Engine::cancel`](super::Engine::cancel) also wakes those who wait.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The moment at which to stop waiting, if there is one.
#[derive(Clone, Copy, Default)]
pub(super) struct Deadline<'a> {
    moment: Option<Instant>,
    cancel: Option<&'a Cancel>,
}

impl<'a> Deadline<'a> {
    pub(super) fn after(patience: Patience<'a>) -> Deadline<'a> {
        let (time, cancel) = match patience {
            Patience::None => (Some(Duration::ZERO), None),
            Patience::For(time) => (Some(time), None),
            Patience::Forever => (None, None),
            Patience::Until(cancel, time) => (time, Some(cancel)),
        };
        Deadline { moment: None, cancel }.within(time)
    }

    /// The same, or so much time from now if that is sooner. A moment too far away for the clock is as good as none.
    pub(super) fn within(self, time: Option<Duration>) -> Deadline<'a> {
        let sooner = time.and_then(|time| Instant::now().checked_add(time));
        let moment = self.moment.into_iter().chain(sooner).min();
        Deadline { moment, ..self }
    }

    /// The time left; `None` if it is without end.
    pub(super) fn remaining(self) -> Option<Duration> {
        if self.cancel.is_some_and(Cancel::is_set) {
            return Some(Duration::ZERO);
        }
        self.moment
            .map(|moment| moment.saturating_duration_since(Instant::now()))
    }

    pub(super) fn has_passed(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}

/// The time in whole milliseconds, rounded up so that a wait does not end just before its deadline, and no more than
/// libzmq can count, which is 24 days.
pub(super) fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}
