//! Which systems the crate supports, and which builds of libzmq there are.
//!
//! The crate needs a Unix system. libzmq is the C++ library that implements ZeroMQ. A program has one of five builds
//! of it:
//!
//! | build | how to get it | what it needs | CURVE | draft sockets |
//! |---|---|---|---|---|
//! | the default: libzmq 4.3.4, built by zeroless | nothing to do | a C++ compiler | no | no |
//! | the same with CURVE | add `features = ["curve"]` to the dependency | also a C compiler and `make` | yes | no |
//! | the first with draft sockets | add `features = ["draft"]` to the dependency, or `["curve", "draft"]` for both | the same as without | as without | [yes](super::draft) |
//! | libzmq 4.3.4, built by the crate zmq-sys | add `default-features = false` to the dependency | a C++ compiler | no | no |
//! | the system's | [tell Cargo to link it](#the-systems-libzmq) | the system's development package of libzmq | yes (checked with Debian's) | no |
//!
//! [`libzmq()`](crate::libzmq()) returns which libzmq a program has. A program has only one: the [`zmq`] crate
//! uses the same.
//!
//! On Linux, zmq-sys's build lacks three advantages of the others:
//!
//! * TCP keepalive works.
//! * Their clock is monotonic. zmq-sys's build uses the system's clock: setting this back, for example by an hour, stops
//!   clients from connecting again.
//! * A socket uses one file descriptor instead of two.
//!
//! The builds of zeroless are also optimised in every profile, and have [a few changes](#the-feature-own-libzmq) of
//! zeroless. Because of these:
//!
//! * libzmq does not lose a refusal that comes very early, and a client that lacks a password or a key notices that its
//!   server requires one. Otherwise these clients may wait forever. [Refused clients](super::networks#refused-clients)
//!   has the details.
//! * The answer to a `call` arrives even if the server ends right after it. Otherwise, the call may fail with
//!   [`Lost`](crate::ErrorKind::Lost). Test: `tasks::call_faults::answer_arrives_although_server_closes_at_once`.
//! * A program ends although a client hangs up at the moment when it is sent something. Otherwise, closing may wait for
//!   ever to deliver that, unless there is a [`linger`](crate::Server::linger). Test:
//!   `lifecycle::exit::hang_up::does_not_keep_the_process`.
//! * A name server that does not answer stops no other socket: see [Names](super::networks#names).
//! * A stranger cannot make a server hold a large handshake: see
//!   [What strangers can do](super::networks#what-strangers-can-do).
//! * [`Socket::unbind`](crate::Socket::unbind) keeps the connections over `tcp` and `ipc`.
//! * libzmq transfers more messages a second of up to 16 KiB: up to 2.8 times as many were measured.
//!
//! Only the system's libzmq can bind to an interface by its name, such as `tcp://eth0:5555`. With the others, use the
//! interface's IP address.
//!
//! # Compile libzmq once
//!
//! Compiling libzmq takes most of the first build, which takes one to three minutes. zmq-sys always compiles its own
//! libzmq too, which is then not linked. Put these lines into the `Cargo.toml` of your workspace, because Cargo does not
//! read them from the crates that it depends on:
//!
//! ```toml
//! [profile.dev.build-override]
//! debug = false
//!
//! [profile.dev.package.zmq-sys]
//! debug = false
//! ```
//!
//! Without the first setting, `cargo build` compiles libzmq, and `cargo check` or `cargo doc` compiles it again: for
//! these commands, Cargo builds another build script, which differs only in its debug information, and runs it too.
//! With the second, zmq-sys's libzmq compiles faster. Projects with the same settings can also share one libzmq: give
//! them the same `CARGO_TARGET_DIR`.
//!
//! # The feature `own-libzmq`
//!
//! This feature is on by default. With it, zeroless builds libzmq from zmq-sys's copy of the source, with a few changes
//! that `libzmq-changes.md` in the repository lists. `.ci/linking` checks
//! on Linux that programs and libraries have only this libzmq, with the linkers of GNU, gold and LLVM, without and with
//! link-time optimisation.
//!
//! Only a `staticlib` contains both. When you link it, tell the linker to take the first one with
//! `-Wl,--undefined=zmq_version`. Otherwise GNU ld and gold report functions that are defined twice.
//!
//! # The feature `curve`
//!
//! The feature builds libsodium, and libzmq with it. This takes about a minute more.
//!
//! # The feature `draft`
//!
//! The feature builds libzmq with its [draft sockets](super::draft), and takes no more time. With the system's libzmq it has no
//! effect: the draft sockets are `Unsupported` there.
//!
//! # The system's libzmq
//!
//! Install the development package, `libzmq3-dev` on Debian. Then tell Cargo to link it, in
//! [`.cargo/config.toml`](https://doc.rust-lang.org/cargo/reference/build-scripts.html#overriding-build-scripts):
//!
//! ```toml
//! [target.x86_64-unknown-linux-gnu.zmq]
//! rustc-link-lib = ["zmq"]
//! ```
//!
//! With another target, write its name instead. The build is faster than the default, because libzmq is not compiled.
