//! What the crate promises, what it does not promise, and which messages can be lost.
//!
//! * [How to read the promises](#how-to-read-the-promises)
//! * [Delivery](#delivery)
//! * [Servers and links that fail](#servers-and-links-that-fail)
//! * [Remote calls and jobs](#remote-calls-and-jobs)
//! * [Threads, closing and signals](#threads-closing-and-signals)
//! * [Limited resources](#limited-resources)
//! * [Security](#security)
//! * [What is not promised](#what-is-not-promised)
//! * [What can be lost](#what-can-be-lost)
//!
//! # How to read the promises
//!
//! Each promise begins with a sentence in bold type. Its limits follow. Then come the tests that check it.
//!
//! The part of a test's name before the first `::` is the test executable. The rest is the name within it.
//! `lifecycle::exit::delivers_to_server_that_starts_later` runs with this command:
//!
//! ```sh
//! cargo test --test lifecycle exit::delivers_to_server_that_starts_later
//! ```
//!
//! `cargo test` does not run all tests by default. Some take an hour, need root, or need the feature `curve`. Cargo
//! lists these as `ignored`, with the reason.
//!
//! # Delivery
//!
//! **Sent messages are delivered before the process ends**, even to a server that starts later. This holds if the
//! program ends normally: it drops the last handle, or closes the socket. A [`linger`](crate::Server::linger) or a
//! [`timeout`](crate::Server::timeout) limits the wait. After that, undelivered messages are dropped, and the crate
//! reports this at level error.
//!
//! *Delivered* means handed to the operating system. If the network disappears when the process ends, for example
//! because a container is removed, messages can be lost. Where that is not enough, let the receiver answer, and wait for
//! the answer: use a [`call`](crate::Client::call), or [`dispatch`](crate::Server::dispatch) for jobs.
//!
//! Tests: `lifecycle::exit::delivers_to_server_that_starts_later`, `lifecycle::exit::loss::messages_given_up_are_reported`,
//! `lifecycle::exit::loss::server_of_other_pattern_is_reported`
//!
//! **A client can connect, send, disconnect and close in any order, and what it sent arrives.** Each message arrives
//! once. Messages that go over the same connection arrive in order.
//!
//! Test: `robustness::properties::any_sequence_of_calls_loses_nothing_over_tcp`
//!
//! **A client can repeat a request, and it never receives the reply to the earlier one.** The server may receive both
//! requests.
//!
//! Test: `patterns::request_reply::retry_gets_no_stale_reply`
//!
//! **A slow consumer slows its producer down, and memory does not grow.** Sending blocks while the queues are full. The
//! exceptions are publishers and `reply` sockets: they drop messages for peers that are too slow.
//!
//! Test: `robustness::soak::consumer_slower_than_producer`
//!
//! # Servers and links that fail
//!
//! **A server can end, even by SIGKILL, and start again on its port.** Its clients connect again, and the messages in
//! their queues arrive. Messages that libzmq had already handed to the operating system are lost with the server.
//!
//! Tests: `robustness::faults::push_reaches_restarted_puller`,
//! `robustness::faults::subscription_reaches_restarted_publisher`,
//! `robustness::faults::publication_reaches_restarted_subscriber`,
//! `robustness::faults::request_reaches_restarted_server`, `robustness::faults::dealer_reaches_restarted_router`,
//! `robustness::faults::pair_reaches_restarted_peer`,
//! `robustness::faults::killed_server_loses_only_what_was_sent_before_notice`
//!
//! **When a link breaks, no message arrives in part, and none arrives twice.** Messages in transit are lost. Messages
//! keep their order within one connection, but not across two: the server takes turns between the messages left from
//! the old connection and those that come over the new one.
//!
//! Tests: `robustness::faults::cut_link_loses_only_what_is_in_transit`,
//! `robustness::faults::reset_link_loses_only_what_is_in_transit`
//!
//! **With a [`heartbeat`](crate::Server::heartbeat), a client drops a connection that stalls** and connects again. Use
//! a long interval: on a busy link, or while the receiver's queue is full, a short one also drops healthy connections,
//! and messages in transit are lost. In one measurement, an interval of 1 s lost messages on a healthy link, and one of
//! 30 s lost none.
//!
//! Test: `robustness::faults::heartbeat_replaces_stalled_connection`
//!
//! **A connection to a host that lost its power or its network is dropped after 45 s of silence**, by TCP keepalive, if
//! your libzmq [supports it](super::platforms). A client then connects again, trying at least every 3 s. If messages to
//! that host are on their way, the system takes about a quarter of an hour to give them up.
//!
//! Test: `robustness::faults::idle_connections_are_probed`
//!
//! # Remote calls and jobs
//!
//! **Each thread that calls receives the answer to its own call**, in whatever order the server answers.
//!
//! Tests: `tasks::call::each_thread_gets_its_own_answer`, `tasks::call::answers_come_back_in_any_order`
//!
//! **A server runs a call at most once**, and a call that fails with `NotConnected` was not run, also if the server
//! starts later.
//!
//! Tests: `tasks::call_faults::errors::timed_out_is_never_run_twice`,
//! `tasks::call_faults::errors::not_connected_is_not_run`
//!
//! **A call fails at once if its handler fails, panics or drops it, and when the caller's only server ends.** A caller whose
//! thread waits for a processor for half a second, and one with [more calls than its high-water
//! mark](crate::Caller#when-to-set-a-timeout), may not notice that its server has ended: set a timeout.
//!
//! Tests: `tasks::call_faults::errors::failed_was_run_once`, `tasks::call::workers::answer_fail_and_survive_panics`,
//! `tasks::call_faults::server::killed_before_and_during_handler_is_lost`,
//! `tasks::call_faults::server::restarted_within_milliseconds_is_lost`
//!
//! **A server that is overrun does not run what it has held for longer than the caller waits.**
//! [`Calls`](crate::Calls#calls-whose-callers-have-given-up) says which time counts.
//!
//! Test: `tasks::call_faults::callers::that_gave_up_are_not_run`
//!
//! **Each job has exactly one outcome while its producer lives**, whichever workers die. It may run more than once:
//! [`guide::jobs`](super::jobs) lists the details.
//!
//! Tests: `tasks::work::each_job_has_one_outcome`, `tasks::work::deaths::killed_while_it_has_a_job`,
//! `tasks::work::deaths::poison_job_is_given_up_and_the_others_are_done`,
//! `robustness::namespaces::job_of_worker_that_is_cut_off_goes_to_another`
//!
//! # Threads, closing and signals
//!
//! **When threads share a socket, each message is received whole, by one thread.**
//!
//! Test: `lifecycle::threads::eight_receivers_get_each_message_once`
//!
//! **Any thread can close a socket at any time.** Calls that are blocked in other threads return. Messages that have
//! arrived but were not received are dropped.
//!
//! Test: `robustness::abuse::closing_races_all_other_calls`
//!
//! **A signal does not interrupt a call.** No message is lost because of it, and none arrives in part.
//!
//! Test: `robustness::abuse::signals_lose_nothing_and_tear_nothing`
//!
//! # Limited resources
//!
//! **When file descriptors, sockets, threads or memory run out, calls return an error, and everything works again as
//! soon as they are available.** A message is lost only if there is no memory to receive it. That call also returns an
//! error.
//!
//! Tests: `robustness::exhaustion::recovers_when_descriptors_are_freed`,
//! `robustness::exhaustion::as_root::first_socket_without_threads_is_error`
//!
//! # Security
//!
//! **No message of a refused client arrives.** This holds from the moment when the server opens.
//! [Networks](super::networks) explains how to set which clients a server lets in.
//!
//! Tests: `security::passwords::refuses_wrong_name_or_password`, `security::addresses::lets_in_allowed_and_not_denied`,
//! `security::admission::closed_from_first_moment`
//!
//! **With CURVE, nobody between the two peers can read the messages or learn the secret keys.**
//!
//! Test: `security::curve::eavesdropper_learns_neither_messages_nor_keys`
//!
//! # What is not promised
//!
//! * **That a message in transit survives.** When a link breaks or a server is killed, the crate does not send again
//!   what libzmq had handed to the operating system.
//! * **That a request is sent again.** If its connection is lost, only the program can repeat it. Without a timeout,
//!   the program waits forever for the reply.
//! * **That a repeated request runs once.** The server may receive the first request and the second.
//! * **That messages keep their order across several connections.**
//! * **That subscribers receive everything.** Publishing never blocks, so a subscriber can miss messages.
//!
//! # What can be lost
//!
//! | what | when |
//! |---|---|
//! | a published message | a subscriber has not subscribed yet, or is too slow |
//! | messages that a *server* has queued for a client, such as the jobs that `push` has dealt out to a worker in advance | that client disconnects or ends. (A *client* keeps its queue when its server ends.) |
//! | messages that a process has received, or libzmq has received for it | the process dies before it has processed them |
//! | messages to a server that refuses the client | always; the client gets [`Denied`](crate::ErrorKind::Denied) or an error in the log in [most cases](super::networks#refused-clients) |
//! | messages in transit | a link breaks, or the server is killed |
//! | messages to an `inproc` name that nobody has bound | the last socket of the process closes; the drop returns at once |
//! | a reply | the client that asked has gone, or the queue for it is full |
//! | undelivered messages | the [`linger`](crate::Server::linger), or else the [`timeout`](crate::Server::timeout), has passed; or the process ends by [`std::process::exit`] or by a signal, or leaks its handles |
//! | messages that have arrived but were not received | the socket is closed |
//! | messages in a [`Channel`](crate::Channel) | the channel is dropped |
//! | a message with a frame that is too large | the receiver has a [`max_message_size`](crate::Server::max_message_size) |
//! | a message that is being received | there is no memory for it; the call returns an error |
