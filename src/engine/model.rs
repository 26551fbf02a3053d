//! The waiting and waking of the engine, run by a model checker in every order that matters.
//!
//! ```text
//! RUSTFLAGS="--cfg zeroless_loom" cargo test --lib --release
//! ```
//!
//! `.ci/model` does so, and then takes out one rule of the engine after the other, to see that the model misses it.
//!
//! A [`Gate`] is a gate as ever; the socket behind it and the descriptors are made up. The socket tells of what has
//! happened as libzmq's does: once, and any operation takes notice of all of it. A lost wake-up shows as a deadlock,
//! which loom reports.

use loom::sync::{Condvar, Mutex, MutexGuard};
use loom::thread;
use std::sync::Arc;

use zmq::PollEvents;

use super::gate::{Device, Direction, Gate, Halt};
use super::patience::{Cancel, Patience};

/// What the descriptors are made of.
pub(super) mod bell {
    use std::io::Result;
    use std::os::fd::RawFd;

    use super::world;
    use crate::engine::patience::Deadline;

    /// The number of a descriptor. The socket's is 0.
    pub(in crate::engine) type Descriptor = RawFd;

    pub(in crate::engine) struct Bell(Descriptor);

    impl Bell {
        pub(in crate::engine) fn new() -> Result<Bell> {
            let mut world = world();
            world.readable.push(false);
            Ok(Bell(world.readable.len() as RawFd - 1))
        }

        pub(in crate::engine) fn ring(&mut self) -> Result<()> {
            world().make_readable(self.0);
            Ok(())
        }

        pub(in crate::engine) fn still(&mut self) -> Result<()> {
            world().readable[self.0 as usize] = false;
            Ok(())
        }

        pub(in crate::engine) fn descriptor(&self) -> Descriptor {
            self.0
        }
    }

    pub(in crate::engine) fn wait(socket: &Descriptor, bell: &Descriptor, deadline: Deadline<'_>) -> zmq::Result<()> {
        let mut world = world();
        world.waiting += 1;
        while !world.readable[*socket as usize] && !world.readable[*bell as usize] && !deadline.has_passed() {
            world = super::WORLD.changed.wait(world).expect("no thread panics");
        }
        world.waiting -= 1;
        Ok(())
    }
}

/// All that is outside the gate.
struct World {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    readable: Vec<bool>,
    /// What has happened to the socket and was not taken notice of: messages that have come, and room for others.
    news: Stock,
    /// How many threads wait at the socket's descriptor.
    waiting: usize,
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
            news: Stock::default(),
            waiting: 0,
        }),
        changed: Condvar::new(),
    };
}

fn world() -> MutexGuard<'static, State> {
    WORLD.state.lock().expect("no thread panics")
}

impl State {
    fn make_readable(&mut self, descriptor: bell::Descriptor) {
        self.readable[descriptor as usize] = true;
        WORLD.changed.notify_all();
    }
}

/// What libzmq's own thread does.
fn happens(messages: usize, room: usize) {
    let mut world = world();
    world.news.messages += messages;
    world.news.room += room;
    world.make_readable(0);
}

/// A socket that knows what it has taken notice of.
#[derive(Default)]
struct Socket(std::cell::Cell<Stock>);

impl Socket {
    /// Takes notice of all that has happened, after which the descriptor tells of it no more.
    fn take_notice(&self) -> Stock {
        let mut world = world();
        let news = std::mem::take(&mut world.news);
        world.readable[0] = false;
        let Stock { messages, room } = self.0.get();
        let stock = Stock {
            messages: messages + news.messages,
            room: room + news.room,
        };
        self.0.set(stock);
        stock
    }

    fn try_receive(&mut self) -> zmq::Result<()> {
        let stock = self.take_notice();
        let messages = stock.messages.checked_sub(1).ok_or(zmq::Error::EAGAIN)?;
        self.0.set(Stock { messages, ..stock });
        Ok(())
    }

    fn try_send(&mut self) -> zmq::Result<()> {
        let stock = self.take_notice();
        let room = stock.room.checked_sub(1).ok_or(zmq::Error::EAGAIN)?;
        self.0.set(Stock { room, ..stock });
        Ok(())
    }
}

impl Device for Socket {
    fn events(&self) -> zmq::Result<PollEvents> {
        let Stock { messages, room } = self.take_notice();
        let mut events = PollEvents::empty();
        events.set(zmq::POLLIN, messages > 0);
        events.set(zmq::POLLOUT, room > 0);
        Ok(events)
    }

    fn tidy(&mut self) {}

    fn wind_up(&mut self) {}
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(world().waiting, 0, "someone waits at a descriptor that is gone");
        }
    }
}

type Shared = Arc<Gate<Socket>>;

fn receive(gate: &Gate<Socket>, patience: Patience<'_>) -> Result<(), Halt> {
    gate.operate(
        Direction::Receiving,
        patience,
        || None,
        |socket| {
            if patience.is_cancelled() {
                return Err(zmq::Error::EAGAIN);
            }
            socket.try_receive()
        },
    )
}

fn send(gate: &Gate<Socket>, patience: Patience<'_>) -> Result<(), Halt> {
    gate.operate(Direction::Sending, patience, || None, Socket::try_send)
}

/// Runs the threads at the same time, in all orders with few enough changes between them, and has all of them end.
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
    thread_that(|gate| assert!(receive(gate, Patience::Forever).is_ok()))
}

fn sends() -> Box<dyn FnOnce(&Shared)> {
    thread_that(|gate| assert!(send(gate, Patience::Forever).is_ok()))
}

#[test]
fn a_receiver_gets_its_message_though_a_sender_takes_notice_of_it() {
    check(|| {
        vec![
            receives(),
            thread_that(|gate| _ = send(gate, Patience::None)),
            thread_that(|_| happens(1, 0)),
        ]
    });
}

#[test]
fn a_sender_and_a_receiver_that_wait_both_go_on_when_something_happens_for_both() {
    check(|| vec![receives(), sends(), thread_that(|_| happens(1, 1))]);
}

#[test]
fn a_sender_that_wakes_for_nothing_passes_on_what_it_took_notice_of() {
    check(|| {
        vec![
            thread_that(|gate| {
                assert!(receive(gate, Patience::Forever).is_ok());
                happens(0, 1);
            }),
            sends(),
            thread_that(|_| happens(1, 0)),
        ]
    });
}

#[test]
fn of_two_messages_that_come_at_once_a_passing_receiver_leaves_one_for_the_sleeper() {
    check(|| {
        vec![
            receives(),
            thread_that(|gate| {
                happens(2, 0);
                _ = receive(gate, Patience::None);
            }),
        ]
    });
}

#[test]
fn two_receivers_get_two_messages() {
    check(|| vec![receives(), receives(), thread_that(|_| happens(2, 0))]);
}

#[test]
fn two_receivers_get_two_messages_that_come_one_after_the_other() {
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
fn closing_ends_those_who_wait_and_waits_until_they_have_left() {
    let closed = || thread_that(|gate: &Shared| assert!(matches!(receive(gate, Patience::Forever), Err(Halt::Closed))));
    check(move || vec![closed(), closed(), thread_that(|gate| gate.close())]);
}

#[test]
fn cancelling_ends_who_waits_or_queues_and_the_other_gets_the_message() {
    check(|| {
        let cancel = Arc::new(Cancel::default());
        let waits = Arc::clone(&cancel);
        vec![
            receives(),
            thread_that(move |gate| {
                assert!(matches!(
                    receive(gate, Patience::Until(&waits, None)),
                    Err(Halt::Unready)
                ));
                happens(1, 0);
            }),
            thread_that(move |gate| gate.cancel(&cancel)),
        ]
    });
}
