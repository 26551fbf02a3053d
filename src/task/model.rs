//! A model of the exchange of calls and answers, for the model checker loom. `.ci/model` runs it, and checks that it
//! finds a fault when a rule is taken out.
//!
//! The socket is simulated: a server answers each call, in an order of its own.

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::exchange::{Event, Exchange, Fault, Received};
use crate::engine::Deadline;
use crate::error::{Error, ErrorKind};

/// What libzmq and the server do.
#[derive(Default)]
struct Socket {
    arrived: Mutex<Arrived>,
    changed: Condvar,
}

#[derive(Default)]
struct Arrived {
    /// The calls that the server has received and not answered.
    unanswered: Vec<u64>,
    /// Those that it answers only when it is free.
    postponed: Vec<u64>,
    is_free: bool,
    is_closed: bool,
    is_gone: bool,
    /// A logger has got what it waits for.
    is_logged: bool,
}

impl Socket {
    /// Blocks until there is an answer. The last call is answered first.
    fn receive(&self) -> Event {
        let mut arrived = self.arrived.lock().unwrap();
        loop {
            if arrived.is_closed {
                return Event::Closed(Error::new(ErrorKind::Closed, "closed"));
            }
            let next = arrived.unanswered.pop();
            if let Some(number) = next.or_else(|| arrived.is_free.then(|| arrived.postponed.pop()).flatten()) {
                return Event::Answer(number, Ok(vec![vec![number as u8]]));
            }
            if arrived.is_gone {
                return Event::NoPeer(u64::MAX);
            }
            arrived = self.changed.wait(arrived).unwrap();
        }
    }

    /// Blocks until `is_logged` is set.
    fn log(&self) {
        let mut arrived = self.arrived.lock().unwrap();
        while !arrived.is_logged {
            arrived = self.changed.wait(arrived).unwrap();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Arrived)) {
        change(&mut self.arrived.lock().unwrap());
        self.changed.notify_all();
    }
}

#[derive(Default)]
struct World {
    exchange: Exchange,
    socket: Socket,
}

impl World {
    /// Calls. `arrives` is what the call does to the server.
    fn call(&self, arrives: impl FnOnce(&mut Arrived, u64)) -> Result<(), Fault> {
        self.call_with(arrives, || self.socket.receive().into())
    }

    fn call_with<'a>(
        &self,
        arrives: impl FnOnce(&mut Arrived, u64),
        receive: impl Fn() -> Received<'a>,
    ) -> Result<(), Fault> {
        let mut sent = 0;
        let send = |number| {
            sent = number;
            self.socket.change(|arrived| arrives(arrived, number));
            Ok(())
        };
        let visit = self.exchange.send(send).expect("the server has room");
        let answer = visit.wait(Deadline::default(), |_| receive())?;
        assert_eq!(answer, [[sent as u8]], "the answer to another call");
        Ok(())
    }

    fn is_answered(&self) {
        assert!(self.call(|arrived, number| arrived.unanswered.push(number)).is_ok());
    }

    /// Calls, and writes to the log what it receives.
    fn is_answered_and_logged(&self) {
        let receive = || Received {
            event: self.socket.receive(),
            report: Some(Box::new(|| self.socket.log())),
        };
        let answer = self.call_with(|arrived, number| arrived.unanswered.push(number), receive);
        assert!(answer.is_ok());
    }

    fn is_ignored(&self) -> Fault {
        self.call(|_, _| {}).expect_err("nobody answers")
    }
}

fn check(threads: &'static [fn(&World)]) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(builder.preemption_bound.unwrap_or(3));
    builder.check(move || {
        let world = Arc::new(World::default());
        let (here, others) = threads.split_last().expect("there is a thread at least");
        let others: Vec<_> = others
            .iter()
            .map(|work| {
                let world = Arc::clone(&world);
                thread::spawn(move || work(&world))
            })
            .collect();
        here(&world);
        others
            .into_iter()
            .for_each(|other| other.join().expect("no thread panics"));
    });
}

#[test]
fn each_thread_gets_its_own_answer() {
    check(&[World::is_answered, World::is_answered, World::is_answered]);
}

#[test]
fn thread_that_calls_again_leaves_nobody_behind() {
    check(&[World::is_answered, |world| {
        world.is_answered();
        world.is_answered();
    }]);
}

#[test]
fn answer_is_handed_over_at_once() {
    check(&[
        |world| {
            assert!(world.call(|arrived, number| arrived.postponed.push(number)).is_ok());
        },
        |world| {
            world.is_answered();
            world.socket.change(|arrived| arrived.is_free = true);
        },
    ]);
}

#[test]
fn logger_may_wait_for_another_call() {
    check(&[World::is_answered_and_logged, |world| {
        world.is_answered();
        world.socket.change(|arrived| arrived.is_logged = true);
    }]);
}

#[test]
fn closing_ends_all_calls() {
    fn fails(world: &World) {
        assert!(matches!(world.is_ignored(), Fault::Failed(error) if error.kind() == ErrorKind::Closed));
    }
    check(&[fails, fails, |world| {
        world.socket.change(|arrived| arrived.is_closed = true)
    }]);
}

#[test]
fn lost_server_ends_all_calls() {
    fn is_lost(world: &World) {
        assert!(matches!(world.is_ignored(), Fault::Lost));
    }
    check(&[is_lost, is_lost, |world| {
        world.socket.change(|arrived| arrived.is_gone = true)
    }]);
}
