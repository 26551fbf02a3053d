//! Which systems the crate supports, and which builds of libzmq there are.
//!
//! The crate needs a Unix system. libzmq is the C++ library that implements ZeroMQ. A program has one of three builds
//! of it:
//!
//! | build | how to get it | what it needs | CURVE |
//! |---|---|---|---|
//! | the default: libzmq 4.3.4, built with the crate | nothing to do | a C++ compiler | no |
//! | a second one, built with the crate by the feature `curve` | add `features = ["curve"]` to the dependency | also a C compiler and `make` | yes |
//! | the system's | [tell Cargo to link it](#the-systems-libzmq) | the system's development package of libzmq | yes (checked with Debian's) |
//!
//! [`libzmq()`](crate::libzmq()) returns which libzmq a program has.
//!
//! On Linux, the second and the third build have three advantages over the default:
//!
//! * TCP keepalive works.
//! * Their clock is monotonic. The default uses the system's clock: setting this back, for example by an hour, stops
//!   clients from connecting again.
//! * A socket uses one file descriptor instead of two.
//!
//! Only the system's libzmq can bind to an interface by its name, such as `tcp://eth0:5555`. With the other two, use
//! the interface's IP address.
//!
//! # Compile libzmq once, and optimised
//!
//! Compiling libzmq takes most of the first build, which takes one to three minutes. Put these lines into the
//! `Cargo.toml` of your workspace, because Cargo does not read them from the crates that it depends on:
//!
//! ```toml
//! [profile.dev.package.zmq-sys]
//! opt-level = 3
//!
//! [profile.dev.build-override]
//! debug = false
//! ```
//!
//! Without the first setting, libzmq is not optimised in debug builds. Without the second, `cargo build` compiles it, and
//! `cargo check` or `cargo doc` compiles it again: for these commands, Cargo builds another build script, which differs
//! only in its debug information, and runs it too. Projects with the same settings can also share one libzmq: give them
//! the same `CARGO_TARGET_DIR`.
//!
//! # The feature `curve`
//!
//! The feature builds libsodium, and libzmq a second time. This takes about a minute more. Do not use it in a
//! `staticlib` that GNU ld links: GNU ld would find libzmq twice.
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
