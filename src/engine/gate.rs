//! Who may touch the socket when, and who wakes whom: all of the engine's waiting.
//!
//! The rules are those of the [engine's documentation](super). What is behind a [`Gate`] is a [`Wire`](super::Wire),
//! or in the model a socket that is made up.

use std::sync::PoisonError;
use std::time::Duration;

use zmq::PollEvents;

#[cfg(not(zeroless_loom))]
use super::bell::{self, Bell, Descriptor};
#[cfg(zeroless_loom)]
use super::model::bell::{self, Bell, Descriptor};
use super::patience::{Cancel, Deadline, Patience};
use super::sync::{Mutex, MutexGuard};
use super::turnstile::Turnstile;

/// A socket that tells what it is ready for.
pub(super) trait Device {
    /// What it is ready for. Asking takes notice of all that has happened to it.
    fn events(&self) -> zmq::Result<PollEvents>;

    /// Does what is to be done now and then, when no one waits.
    fn tidy(&mut self);

    /// Sees to what would be forgotten, or never be over, if it were dropped as it is.
    fn wind_up(&mut self);
}

/// The two things that a thread can wait for; each has a turnstile and a lane of its own.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Receiving,
    Sending,
}

impl Direction {
    const BOTH: [Direction; 2] = [Direction::Receiving, Direction::Sending];

    fn other(self) -> Direction {
        match self {
            Direction::Receiving => Direction::Sending,
            Direction::Sending => Direction::Receiving,
        }
    }

    fn event(self) -> PollEvents {
        match self {
            Direction::Receiving => zmq::POLLIN,
            Direction::Sending => zmq::POLLOUT,
        }
    }
}

/// Why an operation was not done.
pub(super) enum Halt {
    /// Not yet, and there was no time to wait, or not enough.
    Unready,
    Closed,
    Fault(zmq::Error),
    /// The bell could not be made, for want of file descriptors.
    NoBell(std::io::Error),
}

impl From<zmq::Error> for Halt {
    fn from(error: zmq::Error) -> Halt {
        match error {
            zmq::Error::EAGAIN => Halt::Unready,
            zmq::Error::ETERM => Halt::Closed,
            other => Halt::Fault(other),
        }
    }
}

pub(super) type Outcome<T> = std::result::Result<T, Halt>;

/// A socket that any number of threads operate, wait for, and close.
pub(super) struct Gate<D> {
    /// The socket's `ZMQ_FD`. It may be waited at by who holds a turn and has seen `core.device` since (rule 7).
    pub(super) descriptor: Descriptor,
    pub(super) core: Mutex<Core<D>>,
    pub(super) turnstiles: [Turnstile; 2],
}

/// What the lock guards. It is never held while blocked.
pub(super) struct Core<D> {
    /// `None` once closed.
    pub(super) device: Option<D>,
    pub(super) lanes: [Lane; 2],
}

/// Where the one thread that waits in a direction can be told to try again.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) flag: Flag,
    /// Made when first waited at: file descriptors are what sockets run out of. It rings while the flag is `Woken`.
    bell: Option<Bell>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Flag {
    /// No one waits.
    #[default]
    Down,
    /// A thread waits, or is about to, and no one has told it anything yet.
    Raised,
    /// A thread waits, and has been told to try again.
    Woken,
}

impl Lane {
    /// Says that the calling thread is going to wait, and returns what to wait at beside the socket.
    pub(super) fn raise(&mut self) -> std::io::Result<Descriptor> {
        let bell = match self.bell.take() {
            Some(bell) => bell,
            None => Bell::new()?,
        };
        self.flag = Flag::Raised;
        Ok(self.bell.insert(bell).descriptor())
    }

    /// Tells the waiting thread, if there is one, to try again.
    fn wake(&mut self) {
        if let (Flag::Raised, Some(bell)) = (self.flag, &mut self.bell) {
            match bell.ring() {
                Ok(()) => self.flag = Flag::Woken,
                // The flag stays up, so the next one to unlock tries again.
                Err(error) => log::error!(target: "zeroless", "cannot wake a waiting thread: {error}"),
            }
        }
    }

    /// Says that the calling thread waits no longer, and takes back what it was told.
    fn lower(&mut self) {
        if let (Flag::Woken, Some(bell)) = (self.flag, &mut self.bell)
            && let Err(error) = bell.still()
        {
            log::error!(target: "zeroless", "cannot read a wake-up: {error}");
        }
        self.flag = Flag::Down;
    }
}

impl<D: Device> Core<D> {
    /// Does something to the socket. Whoever does so settles before unlocking.
    #[inline]
    fn attempt<T>(&mut self, operation: impl FnOnce(&mut D) -> zmq::Result<T>) -> Outcome<T> {
        let device = self.device.as_mut().ok_or(Halt::Closed)?;
        Ok(operation(device)?)
    }

    /// Says that the calling thread is going to wait, sees to those who wait already, and returns what to wait at.
    ///
    /// The attempt that has just failed, under this very lock, was the last look of rule 4. Only if the other
    /// direction has a waiter is there another look, for its sake, which may well find what this thread waits for.
    /// Where the events do not tell whether to go on (rule 8), it must not, or the thread would never come to rest.
    fn raise_and_settle(&mut self, direction: Direction, events_tell: bool) -> std::io::Result<Descriptor> {
        if !events_tell {
            self.settle();
        }
        let bell = self.lanes[direction as usize].raise();
        if events_tell && self.lanes[direction.other() as usize].flag == Flag::Raised {
            self.settle();
        }
        bell
    }

    /// Wakes whom the state of the socket concerns (rule 1). Nothing may be done to the socket between this and the
    /// unlocking.
    #[inline]
    fn settle(&mut self) {
        let Some(device) = &mut self.device else { return };
        match self.lanes.iter().any(|lane| lane.flag == Flag::Raised) {
            true => self.wake_whom_it_concerns(),
            false => device.tidy(),
        }
    }

    #[inline(never)]
    fn wake_whom_it_concerns(&mut self) {
        let Some(device) = &mut self.device else { return };
        // If libzmq cannot say, those who wait will be told when they try.
        let events = device.events().unwrap_or(PollEvents::all());
        for direction in Direction::BOTH {
            if events.contains(direction.event()) {
                self.lanes[direction as usize].wake();
            }
        }
    }
}

impl<D: Device> Gate<D> {
    pub(super) fn new(device: D, descriptor: Descriptor) -> Gate<D> {
        Gate {
            descriptor,
            core: Mutex::new(Core {
                device: Some(device),
                lanes: Default::default(),
            }),
            turnstiles: Default::default(),
        }
    }

    /// Does something to the socket that does not wait, then sees to those who do.
    pub(super) fn perform<T>(&self, operation: impl FnOnce(&mut D) -> zmq::Result<T>) -> Outcome<T> {
        let mut core = self.lock();
        let outcome = core.attempt(operation);
        core.settle();
        outcome
    }

    /// Tries an operation, and again each time that the socket may have become ready for it.
    ///
    /// When it answers `EAGAIN`, it has to have taken notice of all that has happened to the socket, and found nothing
    /// to go on with: whoever waits then is only told of what happens later.
    ///
    /// If there is a `slice`, the events do not tell when that is (rule 8), and it is tried again after so much time.
    /// It is only asked for before waiting.
    #[inline]
    pub(super) fn operate<T>(
        &self,
        direction: Direction,
        patience: Patience<'_>,
        slice: impl FnOnce() -> Option<Duration>,
        mut operation: impl FnMut(&mut D) -> zmq::Result<T>,
    ) -> Outcome<T> {
        let mut core = self.lock();
        let outcome = core.attempt(|device| operation(device));
        match outcome {
            Err(Halt::Unready) if !matches!(patience, Patience::None) => {
                let deadline = Deadline::after(patience);
                self.wait_to_operate(direction, deadline, slice(), operation, core)
            }
            outcome => {
                core.settle();
                outcome
            }
        }
    }

    /// Waits, and tries an operation again, until it succeeds or the time is up. It has just been tried, under a lock
    /// that is still held.
    #[inline(never)]
    fn wait_to_operate<'a, T>(
        &'a self,
        direction: Direction,
        deadline: Deadline<'_>,
        slice: Option<Duration>,
        mut operation: impl FnMut(&mut D) -> zmq::Result<T>,
        mut core: MutexGuard<'a, Core<D>>,
    ) -> Outcome<T> {
        let turnstile = &self.turnstiles[direction as usize];
        let mut turn = None;
        loop {
            turn = turn.or_else(|| turnstile.try_enter());
            if turn.is_some() {
                let bell = core.raise_and_settle(direction, slice.is_none());
                drop(core);
                bell::wait(&self.descriptor, &bell.map_err(Halt::NoBell)?, deadline.within(slice))?;
            } else {
                core.settle();
                drop(core);
                turn = turnstile.enter(deadline.within(slice));
            }
            // The clock is looked at before the attempt, so that one is made after the deadline too.
            let last = deadline.has_passed();
            core = self.lock();
            if turn.is_some() {
                core.lanes[direction as usize].lower();
            }
            let outcome = core.attempt(|device| operation(device));
            if last || !matches!(outcome, Err(Halt::Unready)) {
                core.settle();
                // Before the turn is given up, or whoever is next would run into the lock.
                drop(core);
                return outcome;
            }
        }
    }

    /// Ends what waits until this is set. When it returns, none of it will receive anything any more.
    pub(super) fn cancel(&self, cancel: &Cancel) {
        cancel.set();
        // Whoever is about to wait looks at it under one of these locks. Others who wait are woken for nothing.
        self.lock().lanes.iter_mut().for_each(Lane::wake);
        self.turnstiles.iter().for_each(Turnstile::wake_all);
    }

    /// Ends all waiting, and drops the socket when no one is at its descriptor any more. Not to be called twice at the
    /// same time.
    pub(super) fn close(&self) {
        let mut device = {
            let mut core = self.lock();
            core.lanes.iter_mut().for_each(Lane::wake);
            core.device.take()
        };
        device.iter_mut().for_each(Device::wind_up);
        // Whoever comes past a turnstile from now on finds the socket gone, and leaves. With both turns in hand, no one
        // waits at its descriptor (rule 7).
        let turns = self
            .turnstiles
            .each_ref()
            .map(|turnstile| turnstile.enter(Deadline::default()));
        drop(device);
        drop(turns);
    }

    /// Looks at the socket, and does nothing to it; `None` once closed.
    pub(super) fn look<T>(&self, look: impl FnOnce(&D) -> T) -> Option<T> {
        self.lock().device.as_ref().map(look)
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Core<D>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
