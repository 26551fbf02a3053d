//! The draft sockets: what each is for, and what to use instead. They need the feature `draft`.
//!
//! libzmq has nine kinds of sockets that it calls drafts: later versions may change or remove them. They are off in every
//! libzmq that one gets by default. The feature `draft` builds one that has them:
//!
//! ```toml
//! zeroless = { version = "0.1", features = ["draft"] }
//! ```
//!
//! **You want them for two things: UDP, and peers in other languages that use them.** For all else, the other patterns
//! are better:
//!
//! | draft sockets | who receives a message | what one wants instead |
//! |---|---|---|
//! | [`radio`](crate::Client::radio), [`dish`](crate::Server::dish) | all dishes that have joined its group | **over UDP, nothing else.** Over TCP, [`publish`](crate::Server::publish) |
//! | [`dgram`](crate::Server::dgram) | any program, by its UDP address | [`std::net::UdpSocket`], unless threads share it |
//! | [`draft_server`](crate::Server::draft_server), [`draft_client`](crate::Client::draft_client) | a message: one of the servers, in turn; an answer: the client whose routing id is the first frame | [`call`](crate::Client::call) |
//! | [`scatter`](crate::Client::scatter), [`gather`](crate::Server::gather) | one of the gatherers, in turn | [`push`](crate::Client::push); [`dispatch`](crate::Server::dispatch) if no work may be lost |
//! | [`peer`](crate::Client::peer) | the peer whose routing id is the first frame | [`router`](crate::Server::router) |
//! | [`channel`](crate::Client::channel) | the other peer | [`pair`](crate::Client::pair) |
//!
//! A message of a draft socket has **one frame**. A message of more is [`InvalidInput`](crate::ErrorKind::InvalidInput),
//! and nothing of it is sent. Where you see two frames, libzmq sends only the second as a frame: the first is the routing
//! id, the group or the address. A message of several frames that comes from elsewhere is dropped.
//!
//! # Multicast
//!
//! A radio sends each message once, and the network delivers it to every dish:
//!
#![cfg_attr(draft, doc = "```")]
#![cfg_attr(not(draft), doc = "```ignore")]
//! use std::time::Duration;
//! use zeroless::{Client, Server, text};
//!
//! // On a network, use the address of an interface in the place of 127.0.0.1.
//! let group = "udp://127.0.0.1;239.255.0.1:5671";
//! let dish = Server::at(group).timeout(Duration::from_millis(10)).dish(["sport"])?;
//! let sport = Client::new().connect_to(group).radio("sport")?;
//! let message = loop {
//!     sport(&[b"2:1"])?;
//!     if let Ok(message) = dish.recv() {
//!         break message;
//!     }
//! };
//! assert_eq!(text(&message), "sport, 2:1");
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! * The side that receives binds, and the side that sends connects, whichever lives longer.
//! * UDP loses messages, repeats them and changes their order. Nothing reports it.
//! * The group and the frame have at most 8,191 bytes together.
//! * An address is IPv4, and never a name. Multicast addresses begin with 224 to 239; those with 239 are for private use.
//!   By default, routers do not pass multicast on.
//! * **Anyone can send to a dish and to a dgram**: UDP has no keys, passwords or rules, so a recipe with them is
//!   [`Unsupported`](crate::ErrorKind::Unsupported) there. Check what you receive.
//! * A port that another program uses is [`AddrInUse`](crate::ErrorKind::AddrInUse), but only when the socket is opened:
//!   libzmq opens the port a moment later, and reports nothing. For port 0, zeroless takes a port that is free at that
//!   moment.
//!
//! # How they behave
//!
//! They are shared by threads, closed and timed out like all other sockets, by the same code. A thread that waits takes no
//! time of the processor, and wakes at once when its socket is closed.
//!
//! There are two costs:
//!
//! * A message of a `draft_server`, a `peer` or a `dish` is copied once more when it arrives.
//! * The lock of zeroless makes these sockets thread-safe, and not libzmq. libzmq's own draft sockets have a lock inside,
//!   but no descriptor to wait for, so nothing could wake a thread that waits in one when another thread closes it. If
//!   your program also makes draft sockets by calling libzmq's functions itself, it must not share those between threads.
//!
//! libzmq 4.3.4 has faults in these sockets: with one datagram or one command, a stranger can abort the process, and some
//! damage memory. The feature corrects those that were found: `libzmq-changes.md` in the repository lists them. But few
//! people use draft sockets, so expect more faults than in the other patterns.
//!
//! Each dish costs its radios memory for each group that it joins, and libzmq does not limit their number. So let only
//! known clients join a radio over TCP: see [`networks`](super::networks).
//!
//! This crate needs `unsafe` for the functions of libzmq that the `zmq` crate lacks. It is in one module, and only in
//! builds with this feature.
