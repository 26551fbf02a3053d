//! Coming from Python's Zeroless: its lines beside ours, what is different, and its examples in Rust.
//!
//! * [Line beside line](#line-beside-line)
//! * [What is different](#what-is-different)
//!   * [Where a server listens](#where-a-server-listens)
//!   * [When faults are reported](#when-faults-are-reported)
//!   * [Recipes and live sockets](#recipes-and-live-sockets)
//!   * [Messages](#messages)
//!   * [Requests and replies](#requests-and-replies)
//!   * [Pairs](#pairs)
//!   * [The end of a program](#the-end-of-a-program)
//! * [Its examples in Rust](#its-examples-in-rust)
//! * [Both in one system](#both-in-one-system)
//! * [What Zeroless does not have](#what-zeroless-does-not-have)
//!
//! [Zeroless](https://pypi.org/project/zeroless/) is the Python library whose idea this crate follows: iterate to
//! receive, call to send. This page compares it, in version 1.0.0, with this crate.
//!
//! # Line beside line
//!
//! | Python's Zeroless | this crate |
//! |---|---|
//! | `from zeroless import Server, Client` | `use zeroless::{Client, Server};` |
//! | `Server(port=12345)` | `Server::public(12345)`; `Server::new(12345)` for this machine alone |
//! | `Server(port=None)`, in the head of its repository | `Server::new(0)` |
//! | `server.port` | `handle.socket().port()?` |
//! | `client = Client()` | `let mut client = Client::new();` |
//! | `client.connect("10.0.0.1", 12345)` | `client.connect("10.0.0.1", 12345);` |
//! | `client.connect_local(port=12345)` | `client.connect_local(12345);` |
//! | `client.disconnect_local(port=12345)` | `client.disconnect_local(12345);` |
//! | `client.disconnect_all()` | `client.disconnect_all();` |
//! | `client.connect_local(12346)`, after `pull` | `pull.socket().connect_local(12346)?` |
//! | `client.addresses` | `client.addresses()` |
//! | `push = client.push()` | `let push = client.push()?;` |
//! | `push(b"Msg1")` | `push(&[b"Msg1"])?` |
//! | `push(id, msg)` | `push(frames![id, msg])?` |
//! | `listen_for_push = server.pull()` | `let pull = server.pull()?;` |
//! | `for msg in listen_for_push:` | `for message in pull {` |
//! | `for id, msg in listen_for_push:` | `for message in pull { if let [id, msg] = message.as_slice() {` |
//! | `next(listen_for_push)` | `pull.recv()?` |
//! | `print(msg)` | `println!("{}", text(&message))` |
//! | `pub = server.pub()` | `let publish = server.publish()?;` |
//! | `server.pub(topic=b"sh")` | `server.publish()?.topic("sh")` |
//! | `server.pub(topic=b"sh", embed_topic=True)` | `server.publish()?.embed_topic("sh")` |
//! | `sleep(1)`, before the first `pub(…)` | `publish.wait_for_subscribers(1, Duration::from_secs(10))?` |
//! | `client.sub()` | `client.subscribe([""])?` |
//! | `client.sub(topics=[b"sh", b"st"])` | `client.subscribe(["sh", "st"])?` |
//! | `request, listen_for_reply = client.request()` | `let (request, replies) = client.request()?;` |
//! | `reply, listen_for_request = server.reply()` | `let (reply, requests) = server.reply()?;` |
//! | `pair, listen_for_pair = client.pair()` | `let (send, messages) = client.pair()?;` |
//! | `from zeroless import log`, `log.setLevel(logging.DEBUG)` | any logger, such as `env_logger::init()` with `RUST_LOG=zeroless=trace` |
//!
//! # What is different
//!
//! ## Where a server listens
//!
//! [`Server::new`](crate::Server::new) listens only on this machine. Python's `Server` listens on all network interfaces,
//! as [`Server::public`](crate::Server::public) does here, and lets anyone in. [Networks](super::networks) explains how to
//! let in only known clients.
//!
//! Ports below 1024 are allowed if your system lets you use them, and 0 means any free port.
//!
//! ## When faults are reported
//!
//! `Client.connect` and `Server` raise an error for a port that is out of range, and for an address that is connected
//! already. Here, the recipe keeps its first fault, and the pattern method returns it. So one `?` after the pattern method
//! is enough. Hosts are checked, too, and an error says what to do.
//!
//! ```
//! use zeroless::{Client, ErrorKind};
//!
//! let mut client = Client::new();
//! client.connect_local(12345).connect_local(12345); // says nothing yet
//! let error = client.push().unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::AlreadyConnected);
//! ```
//!
//! What is not bytes is not an error at run time, but does not compile: a call takes slices of bytes. Topics can be text.
//!
//! Sending returns a [`Result`](crate::Result). Iteration ends when the socket is closed or fails; to see which, iterate
//! over [`incoming`](crate::Receiver::incoming).
//!
//! ## Recipes and live sockets
//!
//! A Python `Client` is connected to the socket of its last pattern, so `connect` and `disconnect` change that socket. Here
//! a [`Client`](crate::Client) is a recipe, from which you can open many sockets. It stays as it is. To change a socket
//! that is open, ask its handle for the [`Socket`](crate::Socket). For the same reason, the port that a server has taken
//! is asked of the open socket:
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let [one, two] = [Server::new(0).pull()?, Server::new(0).pull()?];
//! let push = Client::new().connect_local(one.socket().port()?).push()?;
//! push.socket().connect_local(two.socket().port()?)?;
//! push.socket().disconnect_local(one.socket().port()?)?;
//! push(&[b"only two receives this"])?;
//! assert_eq!(two.recv()?, [b"only two receives this"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! Recipes also have options that Zeroless does not have, such as [`timeout`](crate::Client::timeout).
//!
//! ## Messages
//!
//! Python's iterators return bytes for a message of one frame, and a list for a longer one. Here, you always receive a
//! list of frames, also for one frame. To call with arguments of several types, use [`frames!`](crate::frames!).
//!
//! ```
//! use zeroless::{Client, Server, frames};
//!
//! let pull = Server::new(0).pull()?;
//! let push = Client::new().connect_local(pull.socket().port()?).push()?;
//! push(&[b"Msg1"])?;
//! assert_eq!(pull.recv()?, [b"Msg1"]); // a list with one frame
//! push(frames!["2", b"Msg2", 3.to_string()])?;
//! assert_eq!(pull.recv()?, frames!["2", "Msg2", "3"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! ## Requests and replies
//!
//! In Python, a second request before the reply raises an error, so a client whose server died is stuck. Here, a second
//! request gives up the first, and its reply never arrives late:
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let (reply, requests) = Server::new(0).reply()?;
//! let (request, replies) = Client::new().connect_local(requests.socket().port()?).request()?;
//! request(&[b"first"])?;
//! request(&[b"second"])?;
//! for request in requests.iter().take(2) {
//!     reply.send(&request)?;
//! }
//! assert_eq!(replies.recv()?, [b"second"]);
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! Replying without a request is an error in both. If several threads ask, use
//! [`call` and `serve`](crate#remote-calls-ask-from-any-thread), which Zeroless does not have.
//!
//! ## Pairs
//!
//! In both, a client's pair cannot have two connections. Here, it has one peer for its whole life: after it has
//! disconnected, it cannot connect to another. Open a new pair instead.
//!
//! ## The end of a program
//!
//! When the last handle is dropped, the program waits until what it sent is delivered, and says so after a second. A
//! [`linger`](crate::Client::linger) limits this. Any thread can use and close any socket.
//!
//! # Its examples in Rust
//!
//! Each shows both sides. In the folder `examples`, `push_pull`, `publish_subscribe`, `request_reply`, `pair` and
//! `multipart` are these as programs.
//!
//! **Push and pull:**
//!
//! ```
//! use zeroless::{Client, Server, text};
//!
//! let pull = Server::new(0).pull()?; // a real server has a port of its own, such as 12345
//!
//! let push = Client::new().connect_local(pull.socket().port()?).push()?;
//! for message in ["Msg1", "Msg2", "Msg3"] {
//!     push.send(message)?;
//! }
//!
//! for message in pull.iter().take(3) {
//!     println!("{}", text(&message));
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! **Publish and subscribe.** The publisher waits for its subscriber, instead of sleeping:
//!
//! ```
//! use std::time::Duration;
//! use zeroless::{Client, Server};
//!
//! let publish = Server::new(0).publish()?;
//! let news = Client::new().connect_local(publish.socket().port()?).subscribe(["sh"])?;
//! publish.wait_for_subscribers(1, Duration::from_secs(10))?;
//!
//! let publish = publish.embed_topic("sh");
//! for message in ["Msg1", "Msg2", "Msg3"] {
//!     publish.send(message)?;
//! }
//!
//! for message in news.iter().take(3) {
//!     let [topic, message] = message.as_slice() else { continue };
//!     println!("{} - {}", topic.escape_ascii(), message.escape_ascii());
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! **Request and reply:**
//!
//! ```
//! use std::thread;
//! use zeroless::{Client, Server, text};
//!
//! let (reply, requests) = Server::new(0).reply()?;
//! let port = requests.socket().port()?;
//! thread::spawn(move || {
//!     for request in requests {
//!         reply.send(&request).unwrap();
//!     }
//! });
//!
//! let (request, replies) = Client::new().connect_local(port).request()?;
//! for message in ["Msg1", "Msg2", "Msg3"] {
//!     request.send(message)?;
//!     println!("{}", text(&replies.recv()?));
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! **Pair:**
//!
//! ```
//! use std::thread;
//! use zeroless::{Client, Server, text};
//!
//! let (send, messages) = Server::new(0).pair()?;
//! let port = messages.socket().port()?;
//! thread::spawn(move || {
//!     for message in messages {
//!         send.send(&message).unwrap();
//!     }
//! });
//!
//! let (send, messages) = Client::new().connect_local(port).pair()?;
//! for message in ["Msg1", "Msg2", "Msg3"] {
//!     send.send(message)?;
//!     println!("{}", text(&messages.recv()?));
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! **Messages of several frames:**
//!
//! ```
//! use zeroless::{Client, Server};
//!
//! let pull = Server::new(0).pull()?;
//! let push = Client::new().connect_local(pull.socket().port()?).push()?;
//! for (id, message) in [("1", "Msg1"), ("2", "Msg2"), ("3", "Msg3")] {
//!     push.send(&[id, message])?;
//! }
//!
//! for message in pull.iter().take(3) {
//!     if let [id, message] = message.as_slice() {
//!         println!("{} - {}", id.escape_ascii(), message.escape_ascii());
//!     }
//! }
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! **Logging.** The crate logs to the [`log`](https://docs.rs/log/0.4) crate. With `env_logger`, `RUST_LOG=zeroless=trace`
//! shows what Zeroless logs, except the content of the messages: only their sizes are logged. Warnings are printed also
//! without a logger.
//!
//! ```no_run
//! env_logger::init();
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! # Both in one system
//!
//! The patterns send the same over the network, so a Python program and a Rust program can be the two ends of each. You can
//! move one program at a time.
//!
//! Tests: `interop::patterns::pull_from_python::python_zeroless_binds`,
//! `interop::patterns::publish_embedded_topic::python_zeroless_connects`,
//! `interop::patterns::request_from_python::python_zeroless_binds`,
//! `interop::patterns::call_is_answered_by_python::python_zeroless_binds`
//!
//! # What Zeroless does not have
//!
//! * [Remote calls](crate#remote-calls-ask-from-any-thread) with errors, and [jobs](super::jobs) that survive their
//!   workers.
//! * The patterns [dealer and router](crate#dealer-and-router-ask-many-questions-at-a-time), `xpublish` and `xsubscribe`,
//!   and [stream](crate#stream-raw-bytes); [proxies](crate#proxies).
//! * Threads that share sockets, and [pools](crate#threads) of them.
//! * [Timeouts](crate#timeouts), [`select!`](crate#several-sockets-at-once), and closing from another thread.
//! * `ipc` and `inproc`, [passwords, keys and encryption](super::networks).
