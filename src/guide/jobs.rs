//! Jobs for a pool of workers: what `dispatch` and `work` guarantee, and how to write a worker in another language.
//!
//! * [The pieces](#the-pieces)
//! * [What is guaranteed](#what-is-guaranteed)
//! * [What is never promised](#what-is-never-promised)
//! * [When a worker dies](#when-a-worker-dies)
//! * [The end](#the-end)
//! * [When to use a broker instead](#when-to-use-a-broker-instead)
//! * [The wire format](#the-wire-format)
//! * [A worker in Python](#a-worker-in-python)
//!
//! # The pieces
//!
//! ```text
//!                                       ┌──▶ work (client)
//!   dispatch ──▶ producer (server) ◀──▶ ├──▶ work (client)
//!   outcomes ◀──                        └──▶ work (client)
//! ```
//!
//! A *producer* has jobs. [`dispatch`](crate::Server::dispatch) opens it and returns two handles: a
//! [`Dispatcher`](crate::Dispatcher), which you call with a job, and the [`Outcomes`](crate::Outcomes), over which you
//! iterate. [`dispatch_all`](crate::Server::dispatch_all) does both for the jobs of an iterator. Workers do the jobs:
//! [`work`](crate::Client::work) returns the [`Jobs`](crate::Jobs), over which a worker iterates. There can be any number
//! of workers, in threads, processes and machines, and they can come and go.
//!
//! ```
//! use std::thread;
//! use zeroless::{Client, Server, text};
//!
//! let outcomes = Server::new(0).dispatch_all([["tea"], ["coffee"]])?;
//! let port = outcomes.socket().port()?;
//! // In a real program, this is another process.
//! let worker = thread::spawn(move || -> zeroless::Result<()> {
//!     for job in Client::new().connect_local(port).work()? {
//!         let cup = format!("a cup of {}", text(&job));
//!         job.done(&cup)?;
//!     }
//!     Ok(())
//! });
//!
//! for outcome in outcomes {
//!     println!("{} after {} attempts", text(&outcome.result?), outcome.attempts);
//! }
//! worker.join().unwrap()?;
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! Push and pull also share work out. They deal messages out in advance, and a worker that dies takes its share along.
//! They are faster. Use them for streams of messages that you can lose or repeat.
//!
//! The example `worker_pool` starts worker processes and waits for them. With `--kill`, one of them is killed in the middle
//! of a job.
//!
//! # What is guaranteed
//!
//! While the producer lives:
//!
//! * **Each job has exactly one outcome**: a result, a failure that its worker reported, or the reason why it has none.
//! * **A job is done at least once** while there are workers, unless it is given up.
//! * **A worker holds one job.** No job is sent to a worker that is not idle, so a job never waits behind another one, and
//!   a worker that dies loses one job.
//! * **The next job goes to the worker that has been idle longest.** Fast workers do more jobs than slow ones.
//! * **A job starts at most [`attempts`](crate::Server::attempts) times** if its workers die. So a job that kills its
//!   workers is given up.
//! * **A worker that is busy is never given up for being silent.** A job can take days. Only
//!   [`time_limit`](crate::Server::time_limit) limits it, if you set one.
//! * **At most [`high_water_mark`](crate::Server::high_water_mark) jobs are unfinished.** Dispatching blocks until there is
//!   room.
//!
//! # What is never promised
//!
//! * **That a job runs only once.** A worker whose connection breaks may have done its job, or may still do it, while
//!   another worker does it, too. The first result counts. So make jobs that can be repeated: write a file under a new
//!   name and rename it, or store a result under the job's own key.
//! * **The order.** Outcomes come in the order in which jobs end.
//! * **That jobs survive the producer.** Its queue is in its memory. Workers wait for the next producer, and their late
//!   results for the earlier one are dropped.
//!
//! # When a worker dies
//!
//! | what happens to the worker | what happens to its job |
//! |---|---|
//! | its process dies | given to another worker within a second, or within a hundredth of the time that the job has taken, if that is longer |
//! | it drops the [`Job`](crate::Job), also because of a panic | given to another worker at once |
//! | its machine loses its power or its network, or it is stopped (`SIGSTOP`) | given to another worker after about 35 seconds, or after the time of [`heartbeat`](crate::Server::heartbeat) |
//! | its result is longer than the producer's [`max_message_size`](crate::Server::max_message_size) | given to another worker within a second |
//! | it hangs | stays with it; with a [`time_limit`](crate::Server::time_limit), given to another worker after that time |
//! | it calls [`fail`](crate::Job::fail), or its function panics in [`Jobs::workers`](crate::Jobs::workers) | has failed: that is its outcome |
//!
//! Each of these except the last counts as an attempt. A worker that finds its producer gone waits until there is one
//! again. A worker that the producer has given up and that comes back takes part again.
//!
//! If a producer refuses a worker, because of a wrong password or key, the worker's loop ends, and the log reports the
//! error at level error. [`Jobs::workers`](crate::Jobs::workers) returns it. It has the kind
//! [`Denied`](crate::ErrorKind::Denied).
//!
//! # The end
//!
//! When all `Dispatcher`s are dropped and each job has its outcome, the outcomes end, and the loops of the workers end. Of
//! a [`Jobs`](crate::Jobs), all threads end: those that wait at once, and those that do a job when they ask for the next
//! one. A thread that begins only then waits for the next producer; the threads of
//! [`Jobs::workers`](crate::Jobs::workers) begin together.
//!
//! A worker that connects after the end is also told, as long as the `Outcomes` are not dropped. When they are dropped, the
//! socket closes. A worker that comes later waits for the next producer. So if you start worker processes for one producer,
//! and wait for them, either call [`wait_for_workers`](crate::Dispatcher::wait_for_workers) before the first job, or keep
//! the outcomes until the workers have ended:
//!
//! ```
//! # use std::thread;
//! # use zeroless::{Client, Server};
//! let outcomes = Server::new(0).dispatch_all([["one job"]])?;
//! let port = outcomes.socket().port()?;
//! let start_worker = || thread::spawn(move || {
//!     let jobs = Client::new().connect_local(port).work()?;
//!     jobs.workers(1, |job| Ok::<_, String>([job.concat()]))
//! });
//! let workers = [start_worker(), start_worker()];
//! let mut outcomes = outcomes;
//! for outcome in outcomes.by_ref() {
//!     println!("{:?}", outcome.result?);
//! }
//! for worker in workers {
//!     worker.join().unwrap()?;
//! }
//! drop(outcomes);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! A [`Jobs::close`](crate::Jobs::close) from another thread, for example a handler of Ctrl-C, ends the loops of a worker.
//! The job in hand can still be done.
//!
//! # When to use a broker instead
//!
//! * Jobs must survive the producer or its machine: NATS JetStream, RabbitMQ or Faktory store them.
//! * Jobs must run at certain times, or be repeated later: Celery has schedules.
//! * Jobs depend on the results of other jobs: Dask and Ray run graphs of tasks.
//!
//! # The wire format
//!
//! It is [RFC 7](https://rfc.zeromq.org/spec/7/), the worker's half of the Majordomo protocol (MDP/Worker 0.1), with the
//! producer in the place of the broker. The producer is a ROUTER, a worker is a DEALER. A message to or from a DEALER has
//! these frames, where the numbers are single bytes:
//!
//! | command | direction | frames |
//! |---|---|---|
//! | READY | from the worker | empty, `MDPW01`, 1, service |
//! | REQUEST | to the worker | empty, `MDPW01`, 2, address, empty, job… |
//! | REPLY | from the worker | empty, `MDPW01`, 3, address, empty, status, result… |
//! | HEARTBEAT | both | empty, `MDPW01`, 4 |
//! | DISCONNECT | both | empty, `MDPW01`, 5 |
//!
//! * The *address* is 20 bytes that a worker returns unchanged.
//! * The *status* is `200` for a result, and `500` for a failure. After `500` follows the reason.
//! * The *service* can be anything.
//! * A worker is ready for the next job after READY, and after REPLY.
//! * An idle worker sends a HEARTBEAT at least every 2.5 seconds. After 7.5 seconds of silence the producer forgets an idle
//!   worker. A busy worker can be silent.
//! * DISCONNECT from the producer means that it does not know the worker, which sends READY again. **With one more frame,
//!   `finished`, it means that there are no more jobs**, and the worker ends.
//! * DISCONNECT from a worker, and READY from a worker that has a job, give the job back.
//!
//! The workers of this crate add one thing. Their READY and their DISCONNECT have one more frame: the address of the last
//! job that they have received, or 20 zero bytes. From this the producer knows whether a job was on its way at that time.
//! A worker with this frame in READY is ready only after READY, and not after REPLY. After its DISCONNECT it ignores jobs
//! until the producer answers a HEARTBEAT with DISCONNECT.
//!
//! # A worker in Python
//!
//! This worker needs only pyzmq. Its function `work` gets the frames of a job and returns the frames of the result.
//!
//! ```python
#![doc = include_str!("../../tests/interop/worker.py")]
//! ```
