//! ZeroMQ made plain: **iterate to receive, call to send.**
//!
//! ```no_run
//! use zeroless::{Client, Server};
//! # fn worker() -> zeroless::Result<()> {
//!
//! // A worker, in one process.
//! for message in Server::new(12345).pull()? {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! # fn producer() -> zeroless::Result<()> {
//!
//! // A producer, in another.
//! let push = Client::new().connect_local(12345).push()?;
//! push(&[b"1", b"Msg1"])?;
//! # Ok(())
//! # }
//! ```
//!
//! This page is a guide for those who have never used ZeroMQ. It begins with the two gestures, goes through the
//! patterns, shows how to put them together, and ends with what to know before a program goes to work.
//!
//! * [Servers and clients](#servers-and-clients)
//! * [Messages](#messages)
//! * [Which pattern](#which-pattern)
//!   * [Push and pull: share work out](#push-and-pull-share-work-out)
//!   * [Publish and subscribe: tell everyone](#publish-and-subscribe-tell-everyone)
//!   * [Request and reply: ask](#request-and-reply-ask)
//!   * [Pair: talk](#pair-talk)
//!   * [Dealer and router: ask without turns, and answer whom you mean](#dealer-and-router-ask-without-turns-and-answer-whom-you-mean)
//!   * [Stream: raw bytes](#stream-raw-bytes)
//! * [Threads](#threads)
//! * [Several sockets at once](#several-sockets-at-once)
//! * [Proxies](#proxies)
//! * [Timeouts](#timeouts)
//! * [Ending](#ending)
//! * [While running](#while-running)
//! * [Errors](#errors)
//! * [The log](#the-log)
//! * [What can be lost](#what-can-be-lost)
//! * [On a network](#on-a-network)
//!   * [Let in only those you know](#let-in-only-those-you-know)
//!   * [Clients that are not let in](#clients-that-are-not-let-in)
//!   * [What strangers can do](#what-strangers-can-do)
//!
//! # Servers and clients
//!
//! A [`Server`] listens on a port, a [`Client`] connects to one or more servers. Both are *recipes*: plain data, until
//! a pattern method such as [`push`](Server::push) opens a socket and returns the *handles* to send and receive with.
//!
//! It does not matter who starts first: a client goes on trying, and connects again when a server comes back. Nor does
//! it matter who sends: a client can push to a server, and a server to its clients. Let that side be the server which
//! stays, and whose address the others know.
//!
//! Mostly they meet over TCP. [`Server::at`] and [`Client::connect_to`] also take `ipc:///tmp/jobs`, a file for the
//! processes of this machine, and `inproc://jobs`, a name for the threads of this process. One socket can have several
//! endpoints: [`Server::also_at`], or as many `connect`s as you like.
//!
//! [`Server::new`] listens to this machine alone. [`Server::public`] listens to everyone, and lets everyone in unless it
//! is told [whom it may](#on-a-network).
//!
//! # Messages
//!
//! A message is a list of frames, and each frame is any bytes. It is sent whole and it arrives whole, or not at all.
//! What is received is a [`Message`], which is a `Vec<Vec<u8>>`: frames make good fields.
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let orders = Server::new(0).pull()?; // port 0 is for any that is free
//! let order = Client::new().connect_local(orders.socket().port()?).push()?;
//!
//! order(&[b"7", b"tea", b""])?; // a call takes slices of bytes
//! order.send(&["8", "coffee", "with milk"])?; // `send` takes all that is bytes
//!
//! for message in orders.iter().take(2) {
//!     if let [number, what, how] = message.as_slice() {
//!         println!("{} bytes, {} bytes and {} bytes", number.len(), what.len(), how.len());
//!     }
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Which pattern
//!
//! | to | use | who gets a message |
//! |---|---|---|
//! | share work out | [`push`](Server::push), [`pull`](Server::pull) | one of the pullers, in turn |
//! | tell everyone | [`publish`](Server::publish), [`subscribe`](Server::subscribe) | all who subscribed to its topic |
//! | ask | [`request`](Server::request), [`reply`](Server::reply) | the server, and then the one who asked |
//! | talk | [`pair`](Server::pair) | the other end |
//! | ask without turns | [`dealer`](Server::dealer) | one of its peers, in turn |
//! | answer whom one means | [`router`](Server::router) | the peer whose routing id is the first frame |
//! | pass subscriptions on | [`xpublish`](Server::xpublish), [`xsubscribe`](Server::xsubscribe) | as publish and subscribe |
//! | speak plain TCP | [`stream`](Server::stream) | the peer whose routing id is the first frame |
//!
//! The first four are all that most programs need.
//!
//! ## Push and pull: share work out
//!
//! ```text
//!                   ┌──▶ pull (client)
//!   push (server) ──┼──▶ pull (client)        or many that push to a server that pulls
//!                   └──▶ pull (client)
//! ```
//!
//! For jobs that any worker can do, and for collecting what workers have made. Each message goes to one puller; when
//! all of them have enough to do, pushing waits.
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let push = Server::new(0).push()?;
//! let mut worker = Client::new().connect_local(push.socket().port()?).pull()?;
//! push(&[b"one job"])?; // waits for the first worker
//! push(&[b"another job"])?;
//! assert_eq!(worker.next().unwrap(), [b"one job".to_vec()]);
//! assert_eq!(worker.next().unwrap(), [b"another job".to_vec()]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Publish and subscribe: tell everyone
//!
//! ```text
//!                      ┌──▶ subscribe "sport" (client)
//!   publish (server) ──┼──▶ subscribe "sport" (client)
//!                      └──▶ subscribe ""      (client)
//! ```
//!
//! For news. Each message goes to all who subscribed to how it begins; the topic `""` fits everything. Publishing never
//! waits: who is not there, or too slow, misses out. A subscription takes a moment to arrive, so the messages that are
//! published at once go to nobody, unless one waits for subscribers first.
//!
//! ```
//! use std::time::Duration;
//! use zeroless::{Client, Server};
//!
//! let publish = Server::new(0).publish()?;
//! let mut fan = Client::new().connect_local(publish.socket().port()?).subscribe(["sport"])?;
//! publish.wait_for_subscribers(1, Duration::from_secs(10))?;
//!
//! publish(&[b"weather", b"rain"])?;
//! publish(&[b"sport", b"2:1"])?;
//! assert_eq!(fan.next().unwrap(), [b"sport".to_vec(), b"2:1".to_vec()]);
//!
//! let sport = publish.embed_topic("sport"); // sends the topic as the first frame
//! sport(&[b"3:1"])?;
//! assert_eq!(fan.next().unwrap(), [b"sport".to_vec(), b"3:1".to_vec()]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Request and reply: ask
//!
//! ```text
//!   request (client) ◀──┐
//!   request (client) ◀──┼──▶ reply (server)
//!   request (client) ◀──┘
//! ```
//!
//! For questions. Both sides take turns: one request, one reply. With a timeout a client can ask again, and never takes
//! a late reply to the first question for one to the second.
//!
//! ```
//! use std::thread;
//! use zeroless::{Client, Server};
//!
//! let (reply, requests) = Server::new(0).reply()?;
//! let port = requests.socket().port()?;
//! thread::spawn(move || {
//!     for request in requests {
//!         reply(&[&request[0].to_ascii_uppercase()]).unwrap();
//!     }
//! });
//!
//! let (request, mut replies) = Client::new().connect_local(port).request()?;
//! request(&[b"hello"])?;
//! assert_eq!(replies.next().unwrap(), [b"HELLO".to_vec()]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Pair: talk
//!
//! ```text
//!   pair (client) ◀────▶ pair (server)
//! ```
//!
//! For two that both send and receive as they like. There is no third: libzmq turns away whoever else connects. Use it
//! where both ends are yours and stay; the other patterns take better to peers that come and go.
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let (say, mut hear) = Server::new(0).pair()?;
//! let (answer, mut listen) = Client::new().connect_local(hear.socket().port()?).pair()?;
//! say(&[b"one"])?;
//! say(&[b"two"])?;
//! assert_eq!(listen.by_ref().take(2).count(), 2);
//! answer(&[b"three"])?;
//! assert_eq!(hear.next().unwrap(), [b"three".to_vec()]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Dealer and router: ask without turns, and answer whom you mean
//!
//! ```text
//!   dealer (client) ◀──┐
//!   dealer (client) ◀──┼──▶ router (server)
//!   dealer (client) ◀──┘
//! ```
//!
//! For many questions at a time, and for answers that are ready in another order than the questions came. The router
//! puts a frame before each message that says whom it came from, and takes it off from what is sent: that is its
//! *routing id*. With [`identity`](Server::identity) a client chooses its own.
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let (answer, questions) = Server::new(0).router()?;
//! let (ask, answers) = Client::new().connect_local(questions.socket().port()?).dealer()?;
//! ask(&[b"slow"])?;
//! ask(&[b"quick"])?;
//!
//! let slow = questions.recv()?;
//! let quick = questions.recv()?;
//! answer.send(&quick)?; // with its routing id before it, as it came
//! answer.send(&slow)?;
//! assert_eq!(answers.recv()?, [b"quick"]);
//! assert_eq!(answers.recv()?, [b"slow"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! A router also serves `request`s, whose messages have an *envelope* behind the routing id: all frames up to the first
//! empty one. Send it back before the reply.
//!
//! ## Stream: raw bytes
//!
//! For peers that do not speak ZeroMQ: browsers, terminals, old devices. Each message is a routing id, and some bytes
//! that came or are to go. The example `http` is a small web server.
//!
//! # Threads
//!
//! Every handle can be shared by threads, or cloned for them, and used by all of them at once; also for sending while
//! others receive from the same socket. Each message goes to one of those who iterate, so a pool of workers is as many
//! loops over one receiver. [`workers`](Receiver::workers) runs them, and waits until iteration ends:
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let jobs = Server::new(0).pull()?;
//! let push = Client::new().connect_local(jobs.socket().port()?).push()?;
//! push(&[b"a job"])?;
//! jobs.workers(4, |job| {
//!     println!("one of the four does {job:?}");
//! #   jobs.socket().close();
//! })?;
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! A worker takes the next message when it is done with the last, so nobody is given work while another is free.
//!
//! Request and reply take turns also between threads: let one thread at a time ask or answer over a socket.
//!
//! # Several sockets at once
//!
//! [`into_channel`](Receiver::into_channel) makes a receiver a channel of [`crossbeam_channel`], and `select!` waits for
//! several of them, for timers and for other channels:
//!
//! ```
//! use std::time::Duration;
//! use zeroless::crossbeam_channel::{select, tick};
//! use zeroless::{Client, Server};
//!
//! let jobs = Server::new(0).pull()?.into_channel(10);
//! let news = Client::new().connect_local(5555).subscribe([""])?.into_channel(10);
//! let clock = tick(Duration::from_millis(10));
//! loop {
//!     select! {
//!         recv(jobs) -> job => println!("{job:?}"),
//!         recv(news) -> news => println!("{news:?}"),
//!         recv(clock) -> _ => break println!("nothing for a while"),
//!     }
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Proxies
//!
//! ```text
//!   request ◀──┐                                   ┌──▶ reply
//!   request ◀──┼──▶ router ◀── proxy ──▶ dealer ◀──┼──▶ reply
//!   request ◀──┘                                   └──▶ reply
//! ```
//!
//! Clients and workers that come and go had best know only one address, in the middle. [`proxy()`] joins two sockets
//! there: a router and a dealer for requests, `xsubscribe` and `xpublish` for news, `pull` and `push` for jobs.
//!
//! ```
//! use std::thread;
//! use zeroless::{Client, Server, proxy};
//!
//! let clients = Server::new(0).router()?;
//! let workers = Server::new(0).dealer()?;
//! let (frontend, backend) = (clients.0.socket(), workers.0.socket());
//! let broker = thread::spawn(|| proxy(clients, workers));
//!
//! let (reply, requests) = Client::new().connect_local(backend.port()?).reply()?;
//! let (request, replies) = Client::new().connect_local(frontend.port()?).request()?;
//! request(&[b"hello"])?;
//! reply.send(&requests.recv()?)?;
//! assert_eq!(replies.recv()?, [b"hello"]);
//!
//! frontend.close(); // and the proxy ends
//! broker.join().unwrap()?;
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Large messages
//!
//! [`frames`](Receiver::frames) iterates over messages that stay in the memory libzmq received them into, which saves
//! copying them; [`recv_into`](Receiver::recv_into) copies into the buffers of an earlier message, which saves
//! allocating them.
//!
//! ```
//! # let pull = zeroless::Server::new(0).pull()?;
//! # let push = zeroless::Client::new().connect_local(pull.socket().port()?).push()?;
//! push.send(&[vec![7; 1_000_000]])?;
//! for message in pull.frames() {
//!     println!("{} bytes", message[0].len());
//! #   break;
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Timeouts
//!
//! Without further ado, receiving waits for a message and sending for room. [`timeout`](Server::timeout) on a recipe
//! sets an end to it, for every call and every step of iteration; `recv_timeout`, `send_timeout`, `try_recv`,
//! `try_send` and `try_iter` do so for one.
//!
//! ```
//! use std::time::Duration;
//! use zeroless::Server;
//!
//! let mut pull = Server::new(0).timeout(Duration::from_millis(10)).pull()?;
//! assert!(pull.next().is_none()); // nothing came; it may be asked again
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Ending
//!
//! A socket closes when its last [`Sender`] or [`Receiver`] is dropped. When the last socket of the process closes, the
//! drop waits until libzmq has delivered what was sent, so a program that sends and returns from `main` loses nothing,
//! even if the server starts a day later. [`linger`](Server::linger), or else the timeout, sets an end to that wait.
//! After a second the log warns that it waits.
//!
//! From any thread, [`Socket::close`] ends what is blocked in all others. A [`Socket`] does not keep the connection
//! open, so it can be given away for that, say to a handler of Ctrl-C:
//!
//! ```
//! use std::thread;
//! use zeroless::Server;
//!
//! let pull = Server::new(0).pull()?;
//! let socket = pull.socket();
//! thread::spawn(move || socket.close());
//! for message in pull {
//!     println!("{message:?}");
//! }
//! println!("closed");
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! (A program that ends by [`std::process::exit`], or leaks its handles, does not drop them, and does not wait.)
//!
//! # While running
//!
//! [`Socket`] also tells the port and the endpoints, and connects and disconnects; [`Subscriber`] changes its topics.
//! With a [`heartbeat`](Server::heartbeat) a peer is missed whose machine has lost its power or its network, and
//! [`max_message_size`](Server::max_message_size) keeps peers from filling the memory with one frame.
//! Options of libzmq that have no method here are set by [`configure`](Server::configure), on the [`zmq`] crate's own
//! socket.
//!
//! # Errors
//!
//! A recipe notes what is wrong with it, and the pattern method returns it as an [`Error`], as it does what the
//! operating system has against the address. The message names the input and says what to do;
//! [`kind`](Error::kind) is for programs.
//!
//! Iteration cannot return an error: it ends when the socket is closed, when the timeout has passed, and on a fault,
//! which is logged. Where these are to be told apart, use [`recv`](Receiver::recv).
//!
//! # The log
//!
//! Everything is told to the [`log`] crate, under the target `zeroless`: binding, connecting and closing at info,
//! messages at trace with their sizes but never their content. With `env_logger`, `RUST_LOG=zeroless=trace` shows it.
//!
//! # What is promised
//!
//! Each promise with the test, in `tests/`, that holds it.
//!
//! * **What was sent is delivered before the process ends**, even to a server that starts later
//!   (`a_program_that_pushes_and_returns_delivers_to_a_server_that_starts_later`), unless `linger` or the timeout
//!   passes first.
//! * **A client connects, sends, disconnects and closes in any order, and what it sent arrives**, once, and in order
//!   on each connection (`any_sequence_of_connecting_sending_and_closing_loses_nothing_over_tcp`).
//! * **A server can end, even by SIGKILL, and come back at its port.** Its clients go on, and what they had queued
//!   arrives (`what_is_pushed_while_the_puller_is_killed_arrives_when_it_has_restarted` and the same for the other
//!   patterns). What libzmq had handed to the system by then is lost with the server
//!   (`a_killed_server_takes_along_no_more_than_was_sent_before_its_client_noticed`).
//! * **Where a link breaks, no message is torn, and none comes twice**
//!   (`a_link_that_is_cut_again_and_again_loses_no_more_than_is_under_way_and_tears_nothing`). Those that were under
//!   way are lost. Messages keep their order over one connection; what an old one has left at the server and what
//!   comes over the new one are received in turns.
//! * **With a heartbeat, a link that stalls is left**
//!   (`a_client_with_a_heartbeat_leaves_a_connection_that_stalls_for_one_that_does_not`).
//! * **A request can be asked again**, and is not answered with the reply to another
//!   (`a_request_that_timed_out_can_be_asked_again_and_gets_no_stale_reply`). So a server may see it twice.
//! * **A slow consumer holds its producer back**, and memory does not grow
//!   (`soak_of_a_consumer_that_is_slower_than_its_producer`). Publishers are not held back: they drop.
//! * **Threads that share a socket get each message whole, and one of them gets it**
//!   (`eight_threads_that_share_a_receiver_get_each_message_of_four_senders_whole_and_once`).
//! * **A socket can be closed at any time**, by any thread, and ends what is blocked in others
//!   (`closing_races_ten_thousand_times_with_all_else_that_eight_threads_can_do`). What had arrived and was not
//!   received is dropped.
//! * **Signals neither end nor tear anything** (`signals_every_millisecond_lose_nothing_and_tear_nothing`).
//! * **Where file descriptors, sockets, threads or memory run out, there is an error**, and all is well once there are
//!   some again (`a_process_without_descriptors_gets_an_error_and_works_again_once_some_are_free`,
//!   `a_first_socket_with_few_threads_left_is_an_error_and_no_abort`). But a message that there is no memory to
//!   receive is lost, with an error.
//!
//! * **Nothing of a client that is not let in arrives**
//!   (`whoever_has_a_wrong_name_or_password_is_denied_and_nothing_of_them_arrives`,
//!   `an_address_is_let_in_if_it_is_allowed_and_not_denied`), from a server's first moment on
//!   (`a_server_is_closed_to_strangers_from_its_first_moment`). With CURVE, nothing can be read on the way
//!   (`whoever_listens_on_the_network_learns_neither_messages_nor_keys`).
//!
//! What is lost besides: what is published while nobody, or not everybody, is subscribed or fast enough; what a
//! *server* had queued for a client that goes, while a *client's* queue outlives its server; what is in a [`Channel`]
//! that is dropped.
//!
//! # On a network
//!
//! ## Let in only those you know
//!
//! Give each side a keypair, once, and tell the other side its public key:
//!
//! ```no_run
//! use zeroless::Keypair;
//!
//! let keypair = Keypair::generate()?;
//! keypair.save("server.key_secret")?; // readable by you alone; "client.key_secret" on the client's machine
//! println!("{}", keypair.public());
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! From then on all that they say is encrypted, the server lets in nobody else, and the client talks to no other server.
//!
//! ```no_run
//! use zeroless::{Client, Keypair, Server};
//! # fn server() -> zeroless::Result<()> {
//!
//! // The server.
//! const CLIENT: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"; // the client's public key
//! let keypair = Keypair::load("server.key_secret")?;
//! for message in Server::public(12345).curve(&keypair).allow_keys([CLIENT]).pull()? {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! # fn client() -> zeroless::Result<()> {
//!
//! // A client, on another machine.
//! const SERVER: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"; // the server's public key
//! let keypair = Keypair::load("client.key_secret")?;
//! let push = Client::new().connect("server.example.com", 12345).curve(SERVER, &keypair).push()?;
//! push(&[b"for your eyes only"])?;
//! # Ok(())
//! # }
//! ```
//!
//! This is CURVE. The libzmq that is built with the crate does not have it: asking for it is an error that says what to do,
//! which is to turn on the feature `curve`, or to link the system's libzmq ([Platforms](#platforms)). [`libzmq()`] tells
//! what a program has. The example `secure` does all of this, with files.
//!
//! | to let in | use | encrypted |
//! |---|---|---|
//! | those with these keys | [`curve`](Server::curve) and [`allow_keys`](Server::allow_keys), or [`allow_keys_in`](Server::allow_keys_in) for files | yes |
//! | everyone, but so that no one else can listen | [`curve`](Server::curve) and [`allow_any_key`](Server::allow_any_key) | yes |
//! | those who know a password | [`plain`](Server::plain), [`plain_users`](Server::plain_users) | **no** |
//! | those at these addresses, also with one of the above | [`allow`](Server::allow), [`deny`](Server::deny) | no |
//!
//! Keys come and go while the server runs: [`Socket::allow_keys`], [`Socket::revoke_keys`]. Whoever has come in stays
//! until the connection ends. Sockets of the same process, over `inproc`, are never asked. A [`stream`](Server::stream)
//! can ask nobody.
//!
//! ## Clients that are not let in
//!
//! The server logs who it was and why, at warn. None of the client's messages arrives, and libzmq does not try again: once
//! the reason is mended, open a new client.
//!
//! * Of `push`, `request`, `dealer` and `pair`, sending and receiving fail with [`Denied`](ErrorKind::Denied), and
//!   iteration ends. That is told by the queue for the server being gone; so a socket that has sent as many messages as
//!   [`high_water_mark`](Server::high_water_mark) says, or 1000, waits instead, as a queue that is full looks the same.
//!   (A `request` counts from the last reply.) One that is turned away within microseconds, for speaking another
//!   mechanism than a server of the same machine, may wait too.
//! * The others are not told. They see what they would see if there was no server: nothing. libzmq tells more only
//!   through its monitors, which in this version can stall the process. A [`timeout`](Client::timeout) ends the wait.
//! * A client that knows the wrong public key of its server, or meets an impostor, goes on trying, and lingers for it as for
//!   a server that is not there. Nobody is told of that, nor does the server's log say so, as they have no key to talk
//!   with.
//!
//! ## What strangers can do
//!
//! Whoever reaches a port may speak to it, if only to be refused. `tests/hostile.rs` sends servers the following, while an honest client is
//! served, and none of it ends them or makes them grow by much:
//!
//! * bytes that mean nothing (`garbage_does_nothing`, `malformed_commands_and_frames_do_nothing`);
//! * requests that are not well formed (`requests_without_an_envelope_cost_others_no_reply`);
//! * peers that are of another kind or security (`peers_of_the_wrong_type_are_dropped`,
//!   `peers_with_another_security_are_dropped`), that stop in the middle of a greeting
//!   (`peers_that_stop_in_the_middle_of_a_greeting_are_dropped`) or never speak
//!   (`a_thousand_peers_that_never_speak_do_nothing`), though each costs a file descriptor while it stays;
//! * with [`max_message_size`](Server::max_message_size), a frame that says to be larger
//!   (`a_frame_that_is_too_large_is_refused_at_its_announcement`).
//!
//! Two things fill the memory whatever the options say: messages whose frames never end, of which 64 MB held 110 MB,
//! and 4 MB of empty ones 128 MB (`frames_without_end_fill_the_memory`); and subscriptions to a publisher, of which
//! 20,000 of 200 bytes held 130 MB (`subscriptions_fill_the_memory_of_a_publisher`). Not all of it is given back.
//!
//! So do not let strangers in: with `curve`, `plain` or `allow` they get no further than to ask
//! (`a_thousand_strangers_are_refused_while_a_friend_is_served`,
//! `strangers_that_stop_in_the_middle_of_asking_keep_no_one_out`). Where that is too much already, listen to this machine
//! alone with [`Server::new`], and have a firewall, an SSH tunnel or a VPN such as WireGuard before it. Set
//! `max_message_size`, a [`linger`](Server::linger), as a peer
//! may never read what closing waits to deliver, and a limit for the process, such as systemd's `MemoryMax`.
//!
//! # Platforms
//!
//! Unix. libzmq 4.3.4 is built with the crate and needs a C++ compiler, nothing else. Two others can take its place, and
//! have CURVE; the README has the commands:
//!
//! * one that the feature `curve` builds in addition, for which it wants `make`, too;
//! * the system's, if Cargo is told to link it.
//!
//! On Linux both also do what this one does not: keepalive of TCP and a clock that never jumps, and they take one file
//! descriptor for a socket where this one takes two.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(not(unix))]
compile_error!("zeroless waits on the file descriptors of libzmq, which needs a Unix system");

// The libzmq that build.rs builds calls libsodium, which is linked only if Rust code names it.
#[cfg(feature = "curve")]
extern crate libsodium_sys as _;

mod access;
mod channel;
mod client;
mod context;
mod endpoint;
mod engine;
mod error;
mod frame;
mod handle;
mod keys;
mod libzmq;
mod policy;
mod proxy;
mod publish;
mod receiver;
mod recipe;
mod sender;
mod server;
mod socket;
mod workers;

pub use channel::Channel;
pub use client::Client;
/// The crate of the channel that is inside a [`Channel`], and of `select!`.
pub use crossbeam_channel;
pub use error::{Error, ErrorKind, Result};
pub use frame::Frame;
pub use keys::{Keypair, PublicKey};
pub use libzmq::{Libzmq, libzmq};
pub use proxy::{ProxySide, proxy, proxy_with_capture};
pub use publish::{Publisher, Subscriber};
pub use receiver::{Frames, Iter, Receiver, TryIter};
pub use sender::Sender;
pub use server::Server;
pub use socket::Socket;
/// The crate that binds libzmq, for what is done with its socket in [`Server::configure`] and [`Client::configure`].
pub use zmq;

/// One message: all of its frames, in order, each as it was sent.
///
/// A message has at least one frame. A frame may be empty.
///
/// # Examples
///
/// ```
/// let message: zeroless::Message = vec![b"id".to_vec(), b"body".to_vec()];
/// let [id, body] = message.as_slice() else { panic!("two frames were expected") };
/// # assert!(id == b"id" && body == b"body");
/// ```
pub type Message = Vec<Vec<u8>>;

/// Runs the code of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Says how many frames a message has and how long they are, but not what is in them: for the log.
fn sizes(frames: &[impl AsRef<[u8]>]) -> String {
    let sizes: Vec<String> = frames.iter().map(|frame| frame.as_ref().len().to_string()).collect();
    let noun = if frames.len() == 1 { "frame" } else { "frames" };
    format!("{} {noun} of {} bytes", frames.len(), sizes.join(", "))
}
