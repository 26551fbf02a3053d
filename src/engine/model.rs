//! The engine's waiting and waking, run by a model checker in every order that matters.
//!
//! ```text
//! RUSTFLAGS="--cfg zeroless_loom" cargo test --lib --release
//! ```
//!
//! `.ci/model` runs it, and then removes one rule of the engine after the other, to check that the model fails.
//!
//! The [`Gate`] is the real one. The socket behind it and the descriptors are simulated. The socket reports events as
//! libzmq's does: once, and any operation processes all of them. A lost wake-up shows as a deadlock, which loom
//! reports.

use loom::sync::{Condvar, Mutex, MutexGuard};
use loom::thread;
use std::sync::Arc;

use zmq::PollEvents;

use super::gate::{Direction, Gate, GateError, Pollable};
use super::wait::{Cancel, Wait};

/// Simulated descriptors.
pub(super) mod poll {
    use std::io::Result;
    use std::os::fd::RawFd;

    use super::world;
    use crate::engine::wait::Deadline;

    /// The number of a descriptor. The socket's is 0.
    pub(in crate::engine) type Descriptor = RawFd;

    pub(in crate::engine) struct Notifier(Descriptor);

    impl Notifier {
        pub(in crate::engine) fn new() -> Result<Notifier> {
            let mut world = world();
            world.readable.push(false);
            Ok(Notifier(world.readable.len() as RawFd - 1))
        }

        pub(in crate::engine) fn notify(&mut self) -> Result<()> {
            world().make_readable(self.0);
            Ok(())
        }

        pub(in crate::engine) fn clear(&mut self) -> Result<()> {
            world().readable[self.0 as usize] = false;
            Ok(())
        }

        pub(in crate::engine) fn descriptor(&self) -> Descriptor {
            self.0
        }
    }

    pub(in crate::engine) fn wait(socket: Descriptor, notifier: Descriptor, deadline: Deadline<'_>) -> zmq::Result<()> {
        let mut world = world();
        world.polling += 1;
        while !world.readable[socket as usize] && !world.readable[notifier as usize] && !deadline.has_passed() {
            world = super::WORLD.changed.wait(world).expect("no thread panics");
        }
        world.polling -= 1;
        Ok(())
    }
}

/// Everything outside the gate.
struct World {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    readable: Vec<bool>,
    /// What has happened to the socket and is not processed yet: messages that have arrived, and room to send.
    unprocessed: Stock,
    /// How many threads poll the socket's descriptor.
    polling: usize,
}

#[derive(Clone, Copy, Default)]
struct Stock {
    messages: usize,
    room: usize,
}

loom::lazy_static! {
    static ref WORLD: World = World {
        state: Mutex::new(State {
            readable: vec![false],
            unprocessed: Stock::default(),
            polling: 0,
        }),
        changed: Condvar::new(),
    };
}

fn world() -> MutexGuard<'static, State> {
    WORLD.state.lock().expect("no thread panics")
}

impl State {
    fn make_readable(&mut self, descriptor: poll::Descriptor) {
        self.readable[descriptor as usize] = true;
        WORLD.changed.notify_all();
    }
}

/// What libzmq's own thread does.
fn happens(messages: usize, room: usize) {
    let mut world = world();
    world.unprocessed.messages += messages;
    world.unprocessed.room += room;
    world.make_readable(0);
}

/// A socket that knows what it has processed.
#[derive(Default)]
struct Socket(std::cell::Cell<Stock>);

impl Socket {
    /// Processes all that has happened; the descriptor no longer reports it.
    fn process_events(&self) -> Stock {
        let mut world = world();
        let new = std::mem::take(&mut world.unprocessed);
        world.readable[0] = false;
        let Stock { messages, room } = self.0.get();
        let stock = Stock {
            messages: messages + new.messages,
            room: room + new.room,
        };
        self.0.set(stock);
        stock
    }

    fn try_receive(&mut self) -> zmq::Result<()> {
        let stock = self.process_events();
        let messages = stock.messages.checked_sub(1).ok_or(zmq::Error::EAGAIN)?;
        self.0.set(Stock { messages, ..stock });
        Ok(())
    }

    fn try_send(&mut self) -> zmq::Result<()> {
        let stock = self.process_events();
        let room = stock.room.checked_sub(1).ok_or(zmq::Error::EAGAIN)?;
        self.0.set(Stock { room, ..stock });
        Ok(())
    }
}

impl Pollable for Socket {
    fn events(&self) -> zmq::Result<PollEvents> {
        let Stock { messages, room } = self.process_events();
        let mut events = PollEvents::empty();
        events.set(zmq::POLLIN, messages > 0);
        events.set(zmq::POLLOUT, room > 0);
        Ok(events)
    }

    fn housekeep(&mut self) {}

    fn prepare_close(&mut self) {}
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(world().polling, 0, "a thread polls a descriptor that is gone");
        }
    }
}

type Shared = Arc<Gate<Socket>>;

fn receive(gate: &Gate<Socket>, wait: Wait<'_>) -> Result<(), GateError> {
    gate.run_blocking(
        Direction::Receiving,
        wait,
        || None,
        |socket| {
            if wait.is_cancelled() {
                return Err(zmq::Error::EAGAIN);
            }
            socket.try_receive()
        },
    )
}

fn send(gate: &Gate<Socket>, wait: Wait<'_>) -> Result<(), GateError> {
    gate.run_blocking(Direction::Sending, wait, || None, Socket::try_send)
}

/// Runs the threads at the same time, in all orders with few enough switches between them, until all have ended.
fn check(threads: impl Fn() -> Vec<Box<dyn FnOnce(&Shared)>> + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(builder.preemption_bound.unwrap_or(3));
    builder.check(move || {
        let gate: Shared = Arc::new(Gate::new(Socket::default(), 0));
        let mut threads = threads();
        let here = threads.pop().expect("there is a thread at least");
        let others: Vec<_> = threads
            .into_iter()
            .map(|work| {
                let gate = Arc::clone(&gate);
                thread::spawn(move || work(&gate))
            })
            .collect();
        here(&gate);
        others
            .into_iter()
            .for_each(|other| other.join().expect("no thread panics"));
    });
}

/// A thread of the model.
fn thread_that(work: impl FnOnce(&Shared) + 'static) -> Box<dyn FnOnce(&Shared)> {
    Box::new(work)
}

fn receives() -> Box<dyn FnOnce(&Shared)> {
    thread_that(|gate| assert!(receive(gate, Wait::Forever).is_ok()))
}

fn sends() -> Box<dyn FnOnce(&Shared)> {
    thread_that(|gate| assert!(send(gate, Wait::Forever).is_ok()))
}

#[test]
fn receiver_wakes_although_a_sender_processed_its_event() {
    check(|| {
        vec![
            receives(),
            thread_that(|gate| _ = send(gate, Wait::Never)),
            thread_that(|_| happens(1, 0)),
        ]
    });
}

#[test]
fn one_event_for_both_wakes_sender_and_receiver() {
    check(|| vec![receives(), sends(), thread_that(|_| happens(1, 1))]);
}

#[test]
fn sender_that_wakes_in_vain_wakes_the_receiver() {
    check(|| {
        vec![
            thread_that(|gate| {
                assert!(receive(gate, Wait::Forever).is_ok());
                happens(0, 1);
            }),
            sends(),
            thread_that(|_| happens(1, 0)),
        ]
    });
}

#[test]
fn passing_receiver_wakes_the_sleeper_for_the_second_message() {
    check(|| {
        vec![
            receives(),
            thread_that(|gate| {
                happens(2, 0);
                _ = receive(gate, Wait::Never);
            }),
        ]
    });
}

#[test]
fn two_receivers_get_two_messages() {
    check(|| vec![receives(), receives(), thread_that(|_| happens(2, 0))]);
}

#[test]
fn two_receivers_get_two_messages_one_after_the_other() {
    check(|| {
        vec![
            receives(),
            receives(),
            thread_that(|_| {
                happens(1, 0);
                happens(1, 0);
            }),
        ]
    });
}

#[test]
fn closing_wakes_waiting_threads_and_waits_until_they_have_left() {
    let closed =
        || thread_that(|gate: &Shared| assert!(matches!(receive(gate, Wait::Forever), Err(GateError::Closed))));
    check(move || vec![closed(), closed(), thread_that(|gate| drop(gate.close()))]);
}

#[test]
fn cancelling_wakes_one_thread_and_the_other_gets_the_message() {
    check(|| {
        let cancel = Arc::new(Cancel::default());
        let waits = Arc::clone(&cancel);
        vec![
            receives(),
            thread_that(move |gate| {
                assert!(matches!(
                    receive(gate, Wait::Until(&waits, None)),
                    Err(GateError::NotReady)
                ));
                happens(1, 0);
            }),
            thread_that(move |gate| gate.cancel(&cancel)),
        ]
    });
}
