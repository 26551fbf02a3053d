//! The pattern methods for tasks.

use std::sync::Arc;

use super::caller::{Caller, OpenProbe};
use super::calls::Calls;
use super::dispatch::Dispatcher;
use super::dispatch_all::DispatchAll;
use super::jobs::Jobs;
use super::outcomes::Outcomes;
use super::producer::Producer;
use crate::engine::Pattern;
use crate::error::{Error, ErrorKind, Result};
use crate::recipe::{Client, Server};

/// Defines the pattern methods for remote calls, of a recipe.
macro_rules! call_methods {
    ($Recipe:ident, $open_probe:expr) => {
        /// # Remote calls
        ///
        /// Callers ask and servers answer. The chapter [Remote calls](crate#remote-calls-ask-from-any-thread) of the
        /// guide lists what this guarantees.
        impl $Recipe {
            /// Opens the asking end of [remote calls](crate#remote-calls-ask-from-any-thread): ask, and get the answer to
            /// *your* question, on any number of threads.
            ///
            /// The other end is [`serve`](Self::serve), or a `reply`, or a REP socket in [any
            /// language](crate::guide::protocol). Unlike
            /// [`request`](Self::request), a caller can be shared by threads, and it never sends a call to a server that
            /// is not connected. A call does not wait longer than the [`timeout`](Self::timeout).
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns).
            ///
            /// # Examples
            ///
            /// ```
            /// use std::thread;
            /// use std::time::Duration;
            /// use zeroless::{Client, Server};
            ///
            /// let calls = Server::new(0).serve()?;
            /// let port = calls.socket().port()?;
            /// thread::spawn(move || {
            ///     for call in calls {
            ///         let shout = call[0].to_ascii_uppercase();
            ///         call.reply(&[shout]).unwrap();
            ///     }
            /// });
            ///
            /// let call = Client::new().connect_local(port).timeout(Duration::from_secs(5)).call()?;
            /// thread::scope(|scope| {
            ///     scope.spawn(|| assert_eq!(call(&[b"hello"]).unwrap(), [b"HELLO"]));
            ///     scope.spawn(|| assert_eq!(call(&[b"again"]).unwrap(), [b"AGAIN"]));
            /// });
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn call(&self) -> Result<Caller> {
                let open_probe: fn(&$Recipe) -> Option<OpenProbe> = $open_probe;
                let recipe = self.without_identity();
                Ok(Caller::new(
                    recipe.open(Pattern::Call, Vec::new())?,
                    open_probe(&recipe),
                ))
            }

            /// Opens the answering end of [remote calls](crate#remote-calls-ask-from-any-thread): iterate over the calls,
            /// and answer each.
            ///
            /// The other end is [`call`](Self::call), or a `request`, or a REQ socket in [any
            /// language](crate::guide::protocol). Calls can be answered in any order, from any thread, and one that is
            /// dropped without an answer fails at its caller.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns).
            ///
            /// # Examples
            ///
            /// ```no_run
            /// use zeroless::Server;
            ///
            /// for call in Server::new(12345).serve()? {
            ///     match call[0].as_slice() {
            ///         b"ping" => call.reply("pong")?,
            ///         _ => call.fail("unknown operation")?,
            ///     }
            /// }
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn serve(&self) -> Result<Calls> {
                Ok(Calls::new(
                    self.without_identity().open(Pattern::Serve, Vec::new())?,
                ))
            }

            /// A recipe for sockets of which there may be several. If a caller had the identity of an earlier one, it would
            /// receive the answers to the calls of that one.
            fn without_identity(&self) -> $Recipe {
                let mut recipe = self.clone();
                recipe.options.forget_identity();
                recipe
            }
        }
    };
}

/// A socket without an address could not wait for one.
fn check_addresses(pattern: &str, addresses: Option<&[String]>) -> Result<()> {
    match addresses {
        Some([]) => Err(Error::new(
            ErrorKind::NotConnected,
            format!("cannot open a {pattern} socket: it has no address; call connect on the recipe first"),
        )),
        _ => Ok(()),
    }
}

/// Defines the pattern methods for jobs, of a recipe.
macro_rules! job_methods {
    ($Recipe:ident, $addresses:expr) => {
        /// # Jobs
        ///
        /// A producer dispatches jobs, and any number of workers do them. No job is sent to a worker before the worker is
        /// idle, and the job of a worker that dies is given to another one. The chapter [Jobs](crate::guide::jobs) of
        /// the guide lists what this guarantees.
        impl $Recipe {
            /// Opens a producer: it gives each job to a worker that is idle, and collects the outcomes.
            ///
            /// The options [`attempts`](Self::attempts), [`time_limit`](Self::time_limit) and
            /// [`high_water_mark`](Self::high_water_mark) apply to its jobs. If the recipe has no
            /// [`heartbeat`](Self::heartbeat), the producer checks silent connections every 5 seconds, and gives one up
            /// after 30 seconds without an answer.
            ///
            /// A thread behind the handles talks to the workers.
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns). Also fails with [`Exhausted`](crate::ErrorKind::Exhausted) if the system has no more
            /// threads, and with [`NotConnected`](crate::ErrorKind::NotConnected) for a client without an address.
            ///
            /// # Examples
            ///
            /// ```no_run
            /// use zeroless::{Server, frames};
            ///
            /// let (dispatch, outcomes) = Server::public(12345).dispatch()?;
            /// for file in std::fs::read_dir(".").unwrap() {
            ///     dispatch(frames![file.unwrap().path().to_str().unwrap()])?;
            /// }
            /// drop(dispatch); // there are no more jobs
            /// for outcome in outcomes {
            ///     match outcome.result {
            ///         Ok(result) => println!("{}: {}", zeroless::text(&outcome.job), zeroless::text(&result)),
            ///         Err(error) => eprintln!("{}: {error}", zeroless::text(&outcome.job)),
            ///     }
            /// }
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn dispatch(&self) -> Result<(Dispatcher, Outcomes)> {
                self.open_producer(self.options.most_unfinished())
            }

            fn open_producer(&self, limit: Option<usize>) -> Result<(Dispatcher, Outcomes)> {
                let addresses: fn(&$Recipe) -> Option<&[String]> = $addresses;
                // An address that is wrong is not among them.
                self.check()?;
                check_addresses("dispatch", addresses(self))?;
                let socket = self.open(Pattern::Dispatch, Vec::new())?;
                let (producer, reported) = Producer::start(socket, limit, &self.jobs)?;
                let dispatcher = Dispatcher::new(Arc::clone(&producer));
                Ok((dispatcher, Outcomes::new(producer, reported)))
            }

            /// Opens a producer for the jobs of an iterator, and returns an iterator over their outcomes.
            ///
            /// The jobs are taken from their iterator while you iterate over the outcomes, in the same thread. So an
            /// iterator without end needs no more memory than [`high_water_mark`](Self::high_water_mark) jobs take, which
            /// must not be 0 then. Iteration ends when each job has its outcome. Dropping the iterator tells the
            /// workers that it is over.
            ///
            /// # Errors
            ///
            /// Fails as [`dispatch`](Self::dispatch) does: with the first error in the recipe, if an address cannot be
            /// used or is missing, and if the system has no more threads.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::thread;
            /// use zeroless::{Client, Server};
            ///
            /// let outcomes = Server::new(0).dispatch_all([["1"], ["2"], ["3"]])?;
            /// let jobs = Client::new().connect_local(outcomes.socket().port()?).work()?;
            /// let workers = thread::spawn(move || {
            ///     jobs.workers(2, |job| {
            ///         let number: u32 = zeroless::text(job).parse()?;
            ///         Ok::<_, std::num::ParseIntError>((number * number).to_string())
            ///     })
            /// });
            ///
            /// let mut sum = 0;
            /// for outcome in outcomes {
            ///     sum += zeroless::text(&outcome.result?).parse::<u32>().unwrap();
            /// }
            /// assert_eq!(sum, 14);
            /// workers.join().unwrap()?;
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn dispatch_all<J>(&self, jobs: J) -> Result<DispatchAll<J::IntoIter>>
            where
                J: IntoIterator<Item: IntoIterator<Item: AsRef<[u8]>>>,
            {
                // The iterator limits the jobs itself.
                let (dispatcher, outcomes) = self.open_producer(None)?;
                let limit = self.options.most_unfinished();
                Ok(DispatchAll::new(jobs.into_iter(), limit, dispatcher, outcomes))
            }

            /// Opens a worker: it does the jobs of a producer.
            ///
            /// Iterate over the jobs, or let [`Jobs::workers`] call a function with them on several threads. A worker has
            /// one producer: let no second one connect to a worker that is a server. If the producer is not there, or is
            /// restarted, the worker waits for it.
            ///
            /// [`high_water_mark`](Self::high_water_mark) and [`identity`](Self::identity) have no effect. The
            /// connection is checked as for [`dispatch`](Self::dispatch).
            ///
            /// # Errors
            ///
            /// Fails with the first error in the recipe, or if an address cannot be used; the kinds are listed
            /// [above](#patterns). Also fails with [`NotConnected`](crate::ErrorKind::NotConnected) for a client without
            /// an address, and with [`InvalidInput`](crate::ErrorKind::InvalidInput) for one with several.
            ///
            /// # Examples
            ///
            /// ```no_run
            /// use zeroless::Client;
            ///
            /// for job in Client::new().connect("boss", 12345).work()? {
            ///     match std::fs::read(zeroless::text(&job)) {
            ///         Ok(content) => job.done(&[content.len().to_string()])?,
            ///         Err(error) => job.fail(error)?,
            ///     }
            /// }
            /// # Ok::<(), zeroless::Error>(())
            /// ```
            pub fn work(&self) -> Result<Jobs> {
                let addresses: fn(&$Recipe) -> Option<&[String]> = $addresses;
                self.check()?;
                check_addresses("work", addresses(self))?;
                if let Some([first, _, ..]) = addresses(self) {
                    return Err(Error::invalid(format!(
                        "cannot work for several producers: a worker has one; give only one address, such as {first}"
                    )));
                }
                let recipe = self.without_identity();
                let is_client = addresses(self).is_some();
                let timeout = recipe.options.timeout;
                Jobs::new(is_client, timeout, move || recipe.open(Pattern::Work, Vec::new()))
            }
        }
    };
}

// Nobody refuses a server.
call_methods!(Server, |_| None);
call_methods!(Client, |client| Some(Box::new(client.opener(Pattern::CallProbe))));

job_methods!(Server, |_| None);
job_methods!(Client, |client| Some(client.addresses()));
