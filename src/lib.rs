//! ZeroMQ made plain: **iterate to receive, call to send.**
//!
//! ZeroMQ carries messages between threads, processes and machines, directly, without a message broker. This crate
//! calls libzmq, the C++ library that implements ZeroMQ.
//!
//! This page is a guide for people who have never used ZeroMQ. It takes about half an hour. It begins with sending and
//! receiving. Then it explains the patterns, what goes wrong and how you notice it, threads, and how a program ends.
//! The rest is for when you need it.
//!
//! * [Send and receive](#send-and-receive)
//!   * [Servers and clients](#servers-and-clients)
//! * [Messages](#messages)
//! * [Which pattern](#which-pattern)
//!   * [Push and pull: share work out](#push-and-pull-share-work-out)
//!   * [Jobs: lose no work, whoever dies](#jobs-lose-no-work-whoever-dies)
//!   * [Publish and subscribe: send to everyone](#publish-and-subscribe-send-to-everyone)
//!   * [Request and reply: ask a question](#request-and-reply-ask-a-question)
//!   * [Pair: connect two peers](#pair-connect-two-peers)
//!   * [Remote calls: ask, from any thread](#remote-calls-ask-from-any-thread)
//!   * [Dealer and router: ask many questions at a time](#dealer-and-router-ask-many-questions-at-a-time)
//!   * [Stream: raw bytes](#stream-raw-bytes)
//! * [Which patterns fit which](#which-patterns-fit-which)
//! * [What goes wrong](#what-goes-wrong)
//!   * [Timeouts](#timeouts)
//!   * [Errors](#errors)
//!   * [The log](#the-log)
//! * [Threads](#threads)
//! * [Several sockets at once](#several-sockets-at-once)
//! * [Closing](#closing)
//! * [Proxies](#proxies)
//! * [Large messages](#large-messages)
//! * [Live sockets and options](#live-sockets-and-options)
//! * [Guarantees](#guarantees)
//! * [Other languages](#other-languages)
//! * [From a shell](#from-a-shell)
//! * [Networks](#networks)
//! * [Draft sockets and UDP](#draft-sockets-and-udp)
//! * [Platforms](#platforms)
//!
//! # Send and receive
//!
//! This program is a worker or a producer. Producers send jobs, and the worker prints them. Put it into `src/main.rs`
//! of a project that depends on zeroless:
//!
//! ```no_run
//! use zeroless::{Client, Server, frames, text};
//!
//! fn main() -> zeroless::Result<()> {
//!     match std::env::args().nth(1).as_deref() {
//!         Some("worker") => {
//!             let jobs = Server::new(12345).pull()?;
//!             for job in jobs {
//!                 println!("{}", text(&job));
//!             }
//!         }
//!         Some("producer") => {
//!             let push = Client::new().connect_local(12345).push()?;
//!             for number in 1..=3 {
//!                 push(frames!["job", number.to_string()])?;
//!             }
//!         }
//!         _ => eprintln!("say worker or producer"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Run it in two terminals:
//!
//! ```text
//! terminal 1                        terminal 2
//!
//! $ cargo run -- worker             $ cargo run -- producer
//! job, 1
//! job, 2
//! job, 3
//! ```
//!
//! There are two things to learn: to receive messages, **iterate** over what [`pull`](Server::pull) returns. To send a
//! message, **call** what [`push`](Client::push) returns. The worker waits for more messages until you press Ctrl-C.
//!
//! Run the producer again, or several at the same time: the worker prints all their jobs. Then stop the worker, and run
//! the producer: after a second, it says that it waits. Start the worker: the jobs arrive, and the producer ends.
//!
//! ## Servers and clients
//!
//! A [`Server`] listens on a port. A [`Client`] connects to one or more servers. Both are *recipes*: they describe a
//! socket, and do not open it. A *pattern* says who sends to whom. A pattern method such as [`push`](Server::push)
//! opens the socket and returns its *handles*, which send and receive.
//!
//! A ZeroMQ socket can have many connections. The socket at the other end of a connection is a *peer*. A socket has a
//! queue of messages for each peer.
//!
//! It does not matter which side starts first. A client keeps trying to connect, and it connects again when a server
//! comes back. It does not matter which side sends, either: a client can push to a server, and a server can push to its
//! clients. Make the long-lived side the server, because the clients must know its address.
//!
//! [`Server::new`] listens only on this machine. [`Server::public`] also listens for other machines, on all network
//! interfaces. It lets every client in, unless you [set rules](guide::networks).
//!
//! An *endpoint* is an address together with its transport. Most programs use TCP. [`Server::at`] and
//! [`Client::connect_to`] also take other endpoints:
//!
//! * `ipc:///tmp/jobs` is a file, for processes on this machine.
//! * `inproc://jobs` is a name, for threads of this process.
//!
//! One socket can have several endpoints: use [`Server::also_at`], or `connect` several times.
//!
//! # Messages
//!
//! A message is a list of frames. A frame is a list of any bytes, so you can use each frame as a field. A message
//! arrives whole or not at all. You receive it as a [`Message`], which is a `Vec<Vec<u8>>`.
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let orders = Server::new(0).pull()?; // port 0 means any free port
//! let port = orders.socket().port()?;
//! let order = Client::new().connect_local(port).push()?;
//!
//! // A call takes frames that are slices of bytes.
//! order(&[b"7", b"tea", b""])?;
//! // `send` takes frames of any type that is `AsRef<[u8]>`.
//! order.send(&["8", "coffee", "with milk"])?;
//!
//! for message in orders.iter().take(2) {
//!     if let [number, item, note] = message.as_slice() {
//!         println!("order {}:", number.escape_ascii());
//!         println!("{} {}", item.escape_ascii(), note.escape_ascii());
//!     }
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! A call takes slices of bytes, and Rust converts nothing to them by itself. [`frames!`] does. If `push` is a
//! [`Sender`]:
//!
//! | you have | you write |
//! |---|---|
//! | literal bytes | `push(&[b"job", b"7"])` |
//! | a `&str` or a `String` | `push(frames![text])` or `push.send(&text)` |
//! | a `Vec<u8>` or a `&[u8]` | `push(frames![bytes])` |
//! | a number | `push(frames![number.to_string()])` or `push(frames![number.to_be_bytes()])` |
//! | a mix | `push(frames!["job", text, bytes, number.to_string()])` |
//! | a list of strings or of vectors | `push.send(&list)` |
//! | a whole [`Message`] | `push.send(&message)` |
//!
//! [`text`](text()) shows a received message to people. To compare a message, use a list of frames. To match a frame,
//! use its slice:
//!
//! ```
//! use zeroless::{Message, frames, text};
//!
//! let message: Message = vec![b"end".to_vec()];
//! println!("got {}", text(&message));
//!
//! assert!(message == [b"end"]); // frames of one length
//! assert!(message != frames!["end", "now"]); // any frames
//! assert!(message[0] == b"end");
//! match message[0].as_slice() {
//!     b"end" => println!("that was all"),
//!     other => println!("{} bytes", other.len()),
//! }
//! ```
//!
//! # Which pattern
//!
//! | to | use | who receives a message |
//! |---|---|---|
//! | share work out | [`push`](Server::push), [`pull`](Server::pull) | one of the pullers, in turn |
//! | get a result for each job | [`dispatch`](Server::dispatch), [`work`](Client::work) | a job: a worker that is idle; its outcome: the producer |
//! | send to everyone | [`publish`](Server::publish), [`subscribe`](Server::subscribe) | all subscribers of its topic |
//! | ask a question | [`request`](Server::request), [`reply`](Server::reply) | a request: the server; its reply: the client that asked |
//! | connect two peers | [`pair`](Server::pair) | the other peer |
//! | ask, from any thread | [`call`](Server::call), [`serve`](Server::serve) | a call: one of the connected servers, in turn; its answer: the thread that called |
//! | ask many questions at a time | [`dealer`](Server::dealer) | one of its peers, in turn |
//! | reply to a chosen peer | [`router`](Server::router) | the peer whose routing id is the first frame |
//! | forward subscriptions | [`xpublish`](Server::xpublish), [`xsubscribe`](Server::xsubscribe) | the same as for publish and subscribe |
//! | speak plain TCP | [`stream`](Server::stream) | the peer whose routing id is the first frame |
//!
//! Most programs need only the first six. If you do not know how to ask, [call](#remote-calls-ask-from-any-thread). A
//! *topic* is how a message begins. A *routing id* names one peer of a
//! socket. `xpublish` and `xsubscribe` are mostly for [proxies](#proxies).
//!
//! ## Push and pull: share work out
//!
//! ```text
//!                   ┌──▶ pull (client)
//!   push (server) ──┼──▶ pull (client)
//!                   └──▶ pull (client)
//! ```
//!
//! Use it for jobs that any worker can do, and to collect the results of workers: then many clients push to one server
//! that pulls. Each message goes to one puller. A server that pushes blocks until a client is connected. A client that
//! pushes can start before its server: the messages wait in its queue.
//!
//! > **Between processes:** messages are dealt out in advance, to the pullers in turn. So the first worker to connect can
//! > get them all, a slow worker can have hundreds in its queue while another is idle, and **a worker that dies takes its
//! > share along**: of 300 jobs for three workers, of which one was killed, 58 were done. If you need every job done, use
//! > [jobs](#jobs-lose-no-work-whoever-dies).
//!
//! Push and pull are right for streams, for many small messages, where you can lose or repeat some, and within one
//! process. When the queues of all pullers are full, sending blocks. Each side queues 1000 messages for each peer, unless
//! you set [`high_water_mark`](Server::high_water_mark), and the operating system's buffers hold many small messages
//! besides.
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let push = Server::new(0).push()?;
//! let port = push.socket().port()?;
//! let mut worker = Client::new().connect_local(port).pull()?;
//! push(&[b"one job"])?; // blocks until the first worker is connected
//! push(&[b"another job"])?;
//! assert_eq!(worker.next().unwrap(), [b"one job"]);
//! assert_eq!(worker.next().unwrap(), [b"another job"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Jobs: lose no work, whoever dies
//!
//! ```text
//!                                       ┌──▶ work (client)
//!   dispatch ──▶ producer (server) ◀──▶ ├──▶ work (client)
//!   outcomes ◀──                        └──▶ work (client)
//! ```
//!
//! Use it for a pool of worker processes. A worker gets a job when it is idle, and no job in advance. If it dies, another
//! worker gets its job. While the producer lives, each job has exactly one outcome.
//!
//! ```
//! use std::thread;
//! use zeroless::{Client, Server, text};
//!
//! let outcomes = Server::new(0).dispatch_all([["tea"], ["milk"]])?;
//! let port = outcomes.socket().port()?;
//! thread::spawn(move || -> zeroless::Result<()> {
//!     for job in Client::new().connect_local(port).work()? {
//!         let cup = format!("a cup of {}", text(&job));
//!         job.done(&cup)?; // or job.fail("no milk")
//!     }
//!     Ok(()) // the producer has no more jobs
//! });
//! for outcome in outcomes {
//!     println!("{}: {}", text(&outcome.job), text(&outcome.result?));
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! [`dispatch_all`](Server::dispatch_all) takes any iterator of jobs. With [`dispatch`](Server::dispatch), you call to add
//! a job, and iterate over the outcomes. [`guide::jobs`] lists what is guaranteed, what is not (a job may run twice), and
//! when to use a message broker instead.
//!
//! ## Publish and subscribe: send to everyone
//!
//! ```text
//!                      ┌──▶ subscribe "sport" (client)
//!   publish (server) ──┼──▶ subscribe "sport" (client)
//!                      └──▶ subscribe ""      (client)
//! ```
//!
//! Use it for news. A subscriber receives the messages that begin with one of its topics. The topic `""` is for all
//! messages.
//!
//! Publishing never blocks. A subscriber that is not connected, or too slow, misses messages. A subscription takes a
//! moment to arrive at the publisher. So nobody receives what a publisher sends immediately after it opens, unless it
//! first calls [`wait_for_subscribers`](Publisher::wait_for_subscribers).
//!
//! ```
//! use std::time::Duration;
//! use zeroless::{Client, Server};
//!
//! let publish = Server::new(0).publish()?;
//! let port = publish.socket().port()?;
//! let mut news = Client::new().connect_local(port).subscribe(["sport"])?;
//! publish.wait_for_subscribers(1, Duration::from_secs(10))?;
//!
//! publish(&[b"weather", b"rain"])?;
//! publish(&[b"sport", b"2:1"])?;
//! assert_eq!(news.next().unwrap(), [b"sport".to_vec(), b"2:1".to_vec()]);
//!
//! let sport = publish.embed_topic("sport"); // adds the topic as first frame
//! sport(&[b"3:1"])?;
//! assert_eq!(news.next().unwrap(), [b"sport".to_vec(), b"3:1".to_vec()]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Request and reply: ask a question
//!
//! ```text
//!   request (client) ◀──┐
//!   request (client) ◀──┼──▶ reply (server)
//!   request (client) ◀──┘
//! ```
//!
//! Both sides take turns: one request, one reply. After a [timeout](#timeouts), a client can ask again. From then on,
//! it never receives a late reply to its first request. Set a timeout: if the server dies before it replies, the reply
//! never comes.
//!
//! Threads cannot share a `request`, and a reply cannot say that the request has failed.
//! [Remote calls](#remote-calls-ask-from-any-thread) do both.
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
//! assert_eq!(replies.next().unwrap(), [b"HELLO"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Pair: connect two peers
//!
//! ```text
//!   pair (client) ◀────▶ pair (server)
//! ```
//!
//! Both peers send and receive at any time. There are only two peers: libzmq refuses every other client. Use it when
//! you control both ends and they stay connected. The other patterns are better for peers that come and go.
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let (send, mut messages) = Server::new(0).pair()?;
//! let port = messages.socket().port()?;
//! let (client_send, client_messages) =
//!     Client::new().connect_local(port).pair()?;
//! send(&[b"one"])?;
//! send(&[b"two"])?;
//! assert_eq!(client_messages.iter().take(2).count(), 2);
//! client_send(&[b"three"])?;
//! assert_eq!(messages.next().unwrap(), [b"three"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Remote calls: ask, from any thread
//!
//! ```text
//!   call (client, any threads) ◀──┐
//!   call (client, any threads) ◀──┼──▶ serve (server, any threads)
//!   call (client, any threads) ◀──┘
//! ```
//!
//! **When in doubt, call.** Use it when a program asks another one to do something. Any number of threads share one
//! [`Caller`]. Each call returns the answer to its own question, in whatever order the server answers.
//!
//! ```
//! use std::thread;
//! use std::time::Duration;
//! use zeroless::{Client, ErrorKind, Server, text};
//!
//! let calls = Server::new(0).serve()?;
//! let port = calls.socket().port()?;
//! thread::spawn(move || {
//!     for call in calls {
//!         let outcome = match text(&call).parse::<u32>() {
//!             Ok(number) => call.reply(&[(2 * number).to_string()]),
//!             Err(error) => call.fail(error),
//!         };
//!         outcome.unwrap();
//!     }
//! });
//!
//! let call = Client::new()
//!     .connect_local(port)
//!     .timeout(Duration::from_secs(5))
//!     .call()?;
//! thread::scope(|scope| {
//!     scope.spawn(|| assert_eq!(call(&[b"4"]).unwrap(), [b"8"]));
//!     scope.spawn(|| assert_eq!(call(&[b"3"]).unwrap(), [b"6"]));
//! });
//! let error = call(&[b"four"]).unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Failed);
//! assert_eq!(error.to_string(), "invalid digit found in string");
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! The server answers each [`Call`] with [`reply`](Call::reply) or [`fail`](Call::fail), from any thread. A call that
//! is dropped without an answer fails by itself. [`workers`](Calls::workers) runs a function for each call, on several
//! threads.
//!
//! A server runs each call **at most once**, because the crate never repeats a call. If a call fails, its error says
//! what to do:
//!
//! | the error is | what happened | what to do |
//! |---|---|---|
//! | [`NotConnected`](ErrorKind::NotConnected) | no server was connected in time; the call was **not run** | call again at will |
//! | [`Failed`](ErrorKind::Failed) | the server says that the call has failed | read the text of the error: it is the server's own |
//! | [`Lost`](ErrorKind::Lost) | the connection was lost after the call was sent; the server **may have run** it | call again only if it does no harm that the call runs twice |
//! | [`TimedOut`](ErrorKind::TimedOut) | no answer arrived in time; the server **may have run** the call | the same |
//! | [`Denied`](ErrorKind::Denied) | the server does not let this client in; the call was **not run** | correct the key, the password or the pattern, and open a new caller |
//! | [`Closed`](ErrorKind::Closed) | this socket was closed, perhaps during the call | stop |
//!
//! Set a [timeout](#timeouts). Without one, a call waits until a server is connected, and then until the answer
//! arrives. A caller notices at once when its only server ends, but not when a server hangs: [`Caller`] lists [what needs
//! a timeout](Caller#when-to-set-a-timeout). A server that is overrun [drops calls that have timed
//! out](Calls#calls-whose-callers-have-given-up), and does not run them.
//!
//! The example `calculator` shows all this in one program. A REP socket in any language can be called, and a REQ socket
//! can ask a `serve`: [`guide::protocol`] shows how.
//!
//! ## Dealer and router: ask many questions at a time
//!
//! ```text
//!   dealer (client) ◀──┐
//!   dealer (client) ◀──┼──▶ router (server)
//!   dealer (client) ◀──┘
//! ```
//!
//! Use it to send many requests without waiting for the replies, and to reply in another order. Unlike
//! [remote calls](#remote-calls-ask-from-any-thread), it leaves it to you to find out which reply belongs to which
//! request.
//!
//! A router puts one frame before each message that it receives: the *routing id* of the peer that sent the message.
//! When you send a message over a router, its first frame must be the routing id of the peer to send to. The router
//! removes this frame. A client can choose its own routing id with [`identity`](Client::identity).
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let (reply, requests) = Server::new(0).router()?;
//! let port = requests.socket().port()?;
//! let (request, replies) = Client::new().connect_local(port).dealer()?;
//! request(&[b"slow"])?;
//! request(&[b"quick"])?;
//!
//! let slow = requests.recv()?;
//! let quick = requests.recv()?;
//! reply.send(&quick)?; // the first frame is still the routing id
//! reply.send(&slow)?;
//! assert_eq!(replies.recv()?, [b"quick"]);
//! assert_eq!(replies.recv()?, [b"slow"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! A router can also reply to `request` sockets. Their messages have an *envelope* after the routing id: all frames up
//! to and including the first empty one. Send the routing id and the envelope back before the reply.
//!
//! ## Stream: raw bytes
//!
//! Use it for peers that do not speak ZeroMQ: browsers, terminals, old devices. Each message has two frames: the
//! routing id of a peer, and the bytes received from it or to send to it. The example `http` is a small web server.
//!
//! # Which patterns fit which
//!
//! Either side can be the server:
//!
//! | one side | the other side | what to know |
//! |---|---|---|
//! | `push` | `pull` | |
//! | `publish` or `xpublish` | `subscribe` or `xsubscribe` | all four combinations work |
//! | `request` | `reply` | |
//! | `request` | `router` | the router must send the envelope back |
//! | `call` | `serve` | |
//! | `call` | `reply` | `reply` answers one call at a time, and cannot fail one |
//! | `request` | `serve` | a failure arrives as a reply of two frames: `failed`, and its text |
//! | `dispatch` | `work` | |
//! | `dealer` | `reply` | the dealer sends an empty frame before the message, and receives one before the reply |
//! | `dealer` | `router` | |
//! | `dealer` | `dealer` | |
//! | `router` | `router` | to send first, a router must know the [`identity`](Client::identity) of the other |
//! | `pair` | `pair` | only two peers |
//! | [`stream`](Server::stream) | plain TCP, without ZeroMQ | |
//!
//! Do not combine other patterns: libzmq refuses the client, and no message arrives. The server does not notice it.
//! What the client notices depends on its pattern:
//!
//! * A client that is a `push`, `request`, `dealer` or `pair` gets the error [`Denied`](ErrorKind::Denied) when it next
//!   sends or receives. If it closes right after sending, the crate [reports](#the-log) at level error that the server
//!   has refused it, and how many messages may be lost. (With another [build](guide::platforms) of libzmq than the
//!   default, a client on the server's own machine is sometimes refused so quickly that libzmq loses sight of it. Then
//!   closing waits, and warns, as for a server that does not run.)
//! * A `call` returns `Denied`, after about a second. With a shorter timeout, it returns `NotConnected`.
//! * All other clients never notice it. A subscriber that connects to a `push` waits, as if there were no server.
//!
//! So if nothing arrives, check the patterns and the ports of both sides first. Over `inproc`, libzmq does not check
//! the patterns at all.
//!
//! # What goes wrong
//!
//! A call that fails returns an error. What no call can return is reported in the log, or on standard error in a
//! program without a logger.
//!
//! | what happens | how you notice it |
//! |---|---|
//! | an invalid host, port or option | the pattern method returns an error |
//! | the port is in use | the pattern method returns [`AddrInUse`](ErrorKind::AddrInUse) |
//! | the server is not running | sent messages wait in the queue, and receiving waits, until the [timeout](#timeouts) if you have set one. A `call` waits, too, and then returns [`NotConnected`](ErrorKind::NotConnected) |
//! | the host does not exist | the same: libzmq keeps trying |
//! | the client has no address | sending and receiving return [`NotConnected`](ErrorKind::NotConnected) at once |
//! | the server refuses the client | [`Denied`](ErrorKind::Denied), in most cases, for `push`, `request`, `call`, `dealer` and `pair`; see [Refused clients](guide::networks#refused-clients) |
//! | no peer has this routing id | sending over a `router` or `stream` returns [`NotConnected`](ErrorKind::NotConnected) |
//! | a worker dies that does a job | not at all: another worker gets the job. After three [`attempts`](Server::attempts), its outcome is an error |
//! | a peer dies | not at all. A client keeps its queue and connects again; a server drops its queue for a client that died. Only a reply proves that a message was processed |
//! | a server dies during a `call` | the call returns [`Lost`](ErrorKind::Lost) at once. If the caller has several servers, or a proxy, it returns [`TimedOut`](ErrorKind::TimedOut) at the timeout |
//! | a `call` cannot be done | it returns [`Failed`](ErrorKind::Failed), with the server's words |
//! | a subscriber is too slow, or is not there | not at all: the message is dropped |
//! | a program does not end, because its messages are not delivered | after 1 s, a warning names the sockets |
//! | messages are dropped at the end of a [`linger`](Server::linger) | an error in the log |
//!
//! ## Timeouts
//!
//! By default, receiving blocks until a message arrives, and sending blocks until there is room for the message.
//! `publish`, `xpublish` and `reply` are exceptions: they drop the message for a peer whose queue is full.
//!
//! [`timeout`](Server::timeout) on a recipe limits the wait of every call and of every step of an iteration. For a
//! single call, use `recv_timeout` or `send_timeout`. `try_recv`, `try_send` and `try_iter` do not block.
//!
//! ```
//! use std::time::Duration;
//! use zeroless::Server;
//!
//! let timeout = Duration::from_millis(10);
//! let mut pull = Server::new(0).timeout(timeout).pull()?;
//! assert!(pull.next().is_none()); // no message arrived; you can try again
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Errors
//!
//! A recipe keeps the first mistake in its input, and the pattern method returns it as an [`Error`]. The text of an
//! error names the input and says what to do. A program can check its [`kind`](Error::kind).
//!
//! Iteration over a receiver ends when the socket is closed, when the timeout has passed, and on a failure, which is
//! logged. To distinguish these cases, iterate over [`incoming`](Receiver::incoming). It returns a timeout and a
//! failure as an error, and ends only when the socket is closed:
//!
//! ```
//! use std::time::Duration;
//! use zeroless::{ErrorKind, Server};
//!
//! let pull = Server::new(0).timeout(Duration::from_millis(10)).pull()?;
//! for message in pull.incoming() {
//!     match message {
//!         Ok(message) => println!("{message:?}"),
//!         Err(error) if error.kind() == ErrorKind::TimedOut => {
//!             println!("nothing to do");
//! #           pull.socket().close();
//!         }
//!         Err(failure) => return Err(failure),
//!     }
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## The log
//!
//! The crate reports to the [`log`](https://docs.rs/log/0.4) crate, under the target `zeroless`. It logs binding,
//! connecting and closing at level info. It logs messages at level trace, with their sizes but never with their
//! content. With `env_logger`, `RUST_LOG=zeroless=trace` shows everything.
//!
//! A warning or an error tells you what no call can return: a server lets anyone in, closing waits to deliver, messages
//! were dropped. A program without a logger gets them too, each as a line on standard error:
//!
//! ```text
//! zeroless: pull on tcp://0.0.0.0:5555 lets anyone in from other machines, …
//! ```
//!
//! With a logger, they only go to the logger. To silence them without a logger, call
//! `log::set_max_level(log::LevelFilter::Error)`, with any level except `Off`.
//!
//! # Threads
//!
//! Threads can share a handle, or each can have a clone of it, and all can use it at the same time. Some can send while
//! others receive over the same socket.
//!
//! Each message goes to one of the threads that iterate. So a pool of workers is several threads that iterate over one
//! receiver. [`workers`](Receiver::workers) starts these threads and blocks until iteration ends:
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let jobs = Server::new(0).pull()?;
//! let port = jobs.socket().port()?;
//! let push = Client::new().connect_local(port).push()?;
//! push(&[b"a job"])?;
//! jobs.workers(4, |job| {
//!     println!("one of the four threads does {job:?}");
//! #   jobs.socket().close();
//! })?;
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! A worker takes a message when it has finished the previous one. So no message waits for a busy worker while another
//! worker is free.
//!
//! **Threads must not share a `request`: use [`call`](#remote-calls-ask-from-any-thread).** A `request` takes turns: a
//! second request abandons the first, and a reply goes to the thread that receives next, even if another thread asked.
//! `reply` takes turns, too: let only one thread receive requests and send replies, or use `serve`.
//!
//! # Several sockets at once
//!
//! [`into_channel`](Receiver::into_channel) turns a receiver into a channel of
//! [`crossbeam_channel`](https://docs.rs/crossbeam-channel/0.5). The argument is the number of messages that the
//! channel has room for. crossbeam's `select!` waits for several sockets, for timers and for other channels:
//!
//! ```
//! use std::time::Duration;
//! use zeroless::crossbeam_channel::{select, tick};
//! use zeroless::{Client, Server};
//!
//! let jobs = Server::new(0).pull()?.into_channel(10);
//! let subscriber = Client::new().connect_local(5555).subscribe([""])?;
//! let news = subscriber.into_channel(10);
//! let timer = tick(Duration::from_millis(10));
//! loop {
//!     select! {
//!         recv(jobs) -> job => println!("{job:?}"),
//!         recv(news) -> message => println!("{message:?}"),
//!         recv(timer) -> _ => break println!("nothing for a while"),
//!     }
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Closing
//!
//! A socket closes when the last of its handles is dropped. When the last socket of the process closes, the drop blocks
//! until libzmq has delivered what the process sent. So a program can send and then return from `main`: it ends only
//! after its messages are delivered, even if the server starts a day later. After 1 s, 10 s and 60 s, a warning names
//! the sockets that it waits for.
//!
//! [`linger`](Server::linger) limits this wait. Without a linger, the timeout limits it. When the time has passed, the
//! messages are dropped, and the crate reports this at level error.
//!
//! Any thread can call [`Socket::close`]. Then iteration ends in all threads, and calls that are blocked in other
//! threads return. The method `socket` of each handle returns the [`Socket`]. Unlike the handles, it does not keep the
//! socket open. So you can give it to another thread, for example one that handles Ctrl-C:
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
//! A program that ends by [`std::process::exit`], or that leaks its handles, does not drop them. So it does not wait,
//! and can lose messages.
//!
//! # Proxies
//!
//! ```text
//!   request ◀──┐                                   ┌──▶ reply
//!   request ◀──┼──▶ router ◀── proxy ──▶ dealer ◀──┼──▶ reply
//!   request ◀──┘                                   └──▶ reply
//! ```
//!
//! When clients and workers come and go, put a proxy between them. Then only the proxy needs a fixed address.
//! [`proxy()`] passes messages between two sockets: `router` and `dealer` for requests, `xsubscribe` and `xpublish` for
//! news, `pull` and `push` for jobs.
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
//! let port = backend.port()?;
//! let (reply, requests) = Client::new().connect_local(port).reply()?;
//! let port = frontend.port()?;
//! let (request, replies) = Client::new().connect_local(port).request()?;
//! request(&[b"hello"])?;
//! reply.send(&requests.recv()?)?;
//! assert_eq!(replies.recv()?, [b"hello"]);
//!
//! frontend.close(); // the proxy returns
//! broker.join().unwrap()?;
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Large messages
//!
//! [`frames`](Receiver::frames) iterates over messages and leaves them in the memory of libzmq. This avoids a copy.
//! [`recv_into`](Receiver::recv_into) copies a message into the buffers of an earlier one. This avoids allocations.
//!
//! ```
//! # let pull = zeroless::Server::new(0).pull()?;
//! # let port = pull.socket().port()?;
//! # let push = zeroless::Client::new().connect_local(port).push()?;
//! push.send(&[vec![7; 1_000_000]])?;
//! for message in pull.frames() {
//!     println!("{} bytes", message[0].len());
//! #   break;
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! glibc returns freed memory to the system, and takes it again for the next message. If a program keeps the memory, it
//! uses 10 to 28 % less processor time for messages of 64 KiB or more. For this, start it with the environment variable
//! `GLIBC_TUNABLES=glibc.malloc.trim_threshold=67108864:glibc.malloc.mmap_threshold=33554432`.
//!
//! # Live sockets and options
//!
//! While a socket is open, its [`Socket`] returns the port and the endpoints, and connects and disconnects. A server
//! that is about to end can [`unbind`](Socket::unbind): it accepts no more clients, and serves those that it has. A
//! [`Subscriber`] can change its topics.
//!
//! Some options of a recipe are for long-running programs:
//!
//! * [`keepalive`](Server::keepalive) sets how soon a peer's machine is probed that has been silent. It is on by default.
//! * [`heartbeat`](Server::heartbeat) detects a peer whose machine lost power or its network. Its documentation says
//!   when it is safe: a short one breaks healthy connections that are busy.
//! * [`max_message_size`](Server::max_message_size) prevents a peer from filling the memory with one frame.
//! * [`configure`](Server::configure) calls your function with the socket of the [`zmq`](https://docs.rs/zmq/0.10)
//!   crate. There you can set the options of libzmq that have no method here.
//!
//! # Guarantees
//!
//! [`guide::guarantees`] lists what the crate promises, with the tests that check each promise. It also lists [what can
//! be lost](guide::guarantees#what-can-be-lost): above all, published messages without a subscriber, and messages that
//! a server has queued for a client that disconnects or ends.
//!
//! # Other languages
//!
//! All patterns speak ZeroMQ's protocol, so the other end can be a program in any language that has ZeroMQ.
//! [`guide::protocol`] shows what `call` and `serve` send, and a client in Python.
//!
//! If you know Python's Zeroless, read [`guide::python`]. It shows the lines of both side by side.
//!
//! # From a shell
//!
//! The command line `zeroless` has the same words: `zeroless server 12345 pull` prints a line for each message. It shows
//! what ZeroMQ programs send, and makes scripts of a shell a pool of workers or a service. [`guide::shell`] explains it.
//!
//! # Networks
//!
//! Read [`guide::networks`] before you open a server to other machines. It explains how to let in only clients with a
//! known key, password or address, what [refused clients](guide::networks#refused-clients) see, and [what strangers can
//! do](guide::networks#what-strangers-can-do).
//!
//! # Draft sockets and UDP
//!
//! With the feature `draft`, there are libzmq's draft sockets, too: above all radio and dish, which send messages over UDP
//! and multicast. [`guide::draft`] says what each is for. Without UDP, the patterns on this page are better.
//!
//! # Platforms
//!
//! The crate needs a Unix system. By default it builds libzmq 4.3.4, and needs a C++ compiler for this. Encryption
//! needs the feature `curve` or the system's libzmq. [`guide::platforms`] compares these builds, and shows how to
//! compile libzmq only once.

// With the feature `draft`, only `engine/draft/ffi.rs` allows it.
#![cfg_attr(not(draft), forbid(unsafe_code))]
#![cfg_attr(draft, deny(unsafe_code))]
#![deny(missing_docs)]

// The libzmq that build.rs builds calls libsodium, which is linked only if Rust code names it.
#[cfg(feature = "curve")]
extern crate libsodium_sys as _;

// The layers of the crate, from top to bottom. A module imports only from layers below its own, never through this file
// (`.ci/imports` checks it):
//
// task                          remote calls, and jobs for workers
// recipe, proxy                 what users begin with
// handle                        what the patterns return
// engine                        a socket that threads share
// security                      which clients a server lets in
// endpoint, error, group,
// libzmq, message, report,
// sys, topic, udp, unwind       values, and what the log and the platform need

mod endpoint;
mod engine;
mod error;
mod group;
pub mod guide;
mod handle;
mod libzmq;
mod message;
mod proxy;
mod recipe;
mod report;
mod security;
mod sys;
mod task;
mod topic;
mod udp;
mod unwind;

/// The crate of the channel inside a [`Channel`], and of `select!`.
pub use crossbeam_channel;
/// The crate that binds libzmq. [`Server::configure`] and [`Client::configure`] give its socket to a function.
pub use zmq;

pub use error::{Error, ErrorKind, Result};
pub use handle::{
    Channel, Dish, Frames, Incoming, Iter, Publisher, Radio, Receiver, Sender, Socket, Subscriber, TryIter,
};
pub use libzmq::{Libzmq, libzmq};
pub use message::{AsFrames, Frame, Message, text};
pub use proxy::{ProxySide, proxy, proxy_with_capture};
pub use recipe::{Client, Server};
pub use security::{Keypair, PublicKey};
pub use task::{Call, Caller, Calls, DispatchAll, Dispatcher, Job, Jobs, Outcome, Outcomes};

/// Runs the code of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
