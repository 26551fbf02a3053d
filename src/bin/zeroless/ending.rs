//! How the program ends when it is told to: by a signal, or because nobody reads its output any more.
//!
//! What was received must be written out before. So while a [`Finishing`] lives, a signal only asks the program to stop,
//! and the program then ends by that signal. Otherwise signals end it at once, as they do by default.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::fault::{Fault, Result};

/// How long a signal waits until what was received is written out.
const PATIENCE: Duration = Duration::from_secs(1);

static STATE: Mutex<State> = Mutex::new(State {
    finishing: 0,
    is_signalled: false,
});
static CHANGED: Condvar = Condvar::new();

struct State {
    /// How many `Finishing` there are.
    finishing: usize,
    is_signalled: bool,
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delays the end of the program by a signal, for a moment.
pub struct Finishing;

impl Drop for Finishing {
    fn drop(&mut self) {
        state().finishing -= 1;
        CHANGED.notify_all();
    }
}

/// From now on, a signal calls `stop`, and ends the program once the returned value is dropped.
pub fn finish_first(stop: impl FnOnce() + Send + 'static) -> Result<Finishing> {
    let ignored = ignored_signals();
    let heeded = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| !ignored.contains(signal));
    let signals = Signals::new(heeded);
    let mut signals = signals.map_err(|error| Fault::failed(format!("cannot handle Ctrl-C: {error}")))?;
    state().finishing += 1;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            state().is_signalled = true;
            // It may wait until what was sent is delivered, which a signal does not.
            thread::spawn(stop);
            let finished = CHANGED.wait_timeout_while(state(), PATIENCE, |state| state.finishing > 0);
            drop(finished);
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(Finishing)
}

/// The signals that whoever started the program wants it to ignore, as `nohup` does. Only Linux tells it.
fn ignored_signals() -> Vec<i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    (1..=64).filter(|signal| mask & (1 << (signal - 1)) != 0).collect()
}

/// Waits for the end if a signal is about to end the program.
pub fn wait_if_signalled() {
    if state().is_signalled {
        loop {
            thread::park();
        }
    }
}

/// From now on, the program ends when the reader of its output, such as `head`, has ended.
pub fn end_with_reader() -> Result<()> {
    when_unread(|| process::exit(0))
}

/// From now on, `act` is called when the reader of the output has ended.
pub fn when_unread(act: impl FnOnce() + Send + 'static) -> Result<()> {
    let output = duplicate_stdout()?;
    thread::spawn(move || {
        // No event is asked for, so only the end of the reader is one.
        let mut descriptors = [PollFd::new(output.as_fd(), PollFlags::empty())];
        let ended = PollFlags::POLLERR | PollFlags::POLLHUP;
        loop {
            match poll(&mut descriptors, PollTimeout::NONE) {
                Ok(_) if descriptors[0].revents().is_some_and(|events| events.intersects(ended)) => return act(),
                Ok(_) => return,
                // A signal.
                Err(_) => {}
            }
        }
    });
    Ok(())
}

/// Ends the program if nobody reads its output any more. Any other error of writing it is a fault.
pub fn end_if_unread(error: io::Error) -> Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => process::exit(0),
        _ => Err(fault_of_output(&error)),
    }
}

pub fn fault_of_output(error: &io::Error) -> Fault {
    Fault::failed(format!("cannot write the output: {error}"))
}

/// The standard output, without the buffer that Rust puts before it.
pub fn duplicate_stdout() -> Result<OwnedFd> {
    let descriptor = io::stdout().as_fd().try_clone_to_owned();
    descriptor.map_err(|error| fault_of_output(&error))
}
