//! What heals by itself, how a server lets in only known clients, what happens to the others, and what strangers can do.
//!
//! * [What heals by itself](#what-heals-by-itself)
//! * [Let in only known clients](#let-in-only-known-clients)
//!   * [Keys and encryption](#keys-and-encryption)
//!   * [Passwords](#passwords)
//!   * [Addresses](#addresses)
//! * [Refused clients](#refused-clients)
//! * [What strangers can do](#what-strangers-can-do)
//!   * [Attacks that cost something](#attacks-that-cost-something)
//!   * [How to protect a server](#how-to-protect-a-server)
//! * [Names](#names)
//!
//! # What heals by itself
//!
//! A client connects again to a server that it has lost, and tries this as long as it is open. Each attempt takes at
//! most 3 seconds. A server needs nothing for this. These times were measured between hosts on one machine. The tests of
//! power and addresses set a [`keepalive`](crate::Client::keepalive) of 1 second, which is 30 seconds by default:
//!
//! | what happens | what follows | measured | by default | test |
//! |---|---|---|---|---|
//! | the server's host loses its power and starts again; the client only receives | the client connects again | 1 s after the restart | at most 30 s | `robustness::namespaces::pull_client_returns_after_server_lost_power`, `robustness::namespaces::subscriber_returns_after_publisher_lost_power` |
//! | a client's host loses its power, and stays off | the server frees what it held for the client | 4 s | 45 s | `robustness::namespaces::server_frees_what_dead_host_held` |
//! | the server moves to a host with another address, and its name follows | the client resolves the name again, and connects | 4 s | 45 s | `robustness::namespaces::client_finds_host_with_new_address` |
//! | the network drops everything for 3, 30 or 90 s while nothing is on its way | messages pass again | less than 1 s after the end | the same | `robustness::namespaces::idle_link_works_soon_after_cut` |
//! | the same while messages are on their way | messages pass again; none is lost if the cut is shorter than the time of keepalive, 45 s | 0.3 s after 3 s, 24 s after 30 s, 18 s after 90 s | the same | `robustness::namespaces::busy_link_loses_nothing_in_short_cut` |
//! | the same, with a [`heartbeat`](crate::Client::heartbeat) of 0.5 s | messages pass again; lost is only what libzmq gave to the system before it noticed the cut | less than 1 s after the end | – | `robustness::namespaces::busy_link_with_heartbeat_works_soon_after_cut` |
//!
//! While messages are on their way, the system sends them again at intervals that double, up to 2 minutes. So messages
//! may take as long again as the cut until they pass. If that is too long, use a heartbeat: it gives up the connection,
//! and with it the messages that are on their way. A receiver that has nothing to send gives up the connection after
//! 45 s, and then these messages are lost, too. A longer keepalive on the receiving side postpones this.
//!
//! Keepalive needs a libzmq that [supports it](super::platforms). Published messages are lost while a subscriber is not
//! connected.
//!
//! # Let in only known clients
//!
//! [`Server::new`](crate::Server::new) listens only on this machine. [`Server::public`](crate::Server::public) listens
//! on all interfaces. Without a rule, a server lets every client in. These methods set rules:
//!
//! | which clients to let in | use | encrypted |
//! |---|---|---|
//! | clients with known keys | [`curve`] and [`allow_keys`], or [`allow_keys_in`] for key files | yes |
//! | every client, but nobody else can read the messages | [`curve`] and [`allow_any_key`] | yes |
//! | clients that know a password | [`plain`] or [`plain_users`] | **no** |
//! | clients with known addresses, also together with one of the above | [`allow`], [`deny`] | no |
//!
//! With [`curve`] alone, the server lets no client in. The rules have two exceptions: sockets of the same process, over
//! `inproc`, are always let in. A [`stream`](crate::Server::stream) cannot check its clients.
//!
//! [`curve`]: crate::Server::curve
//! [`allow_keys`]: crate::Server::allow_keys
//! [`allow_keys_in`]: crate::Server::allow_keys_in
//! [`allow_any_key`]: crate::Server::allow_any_key
//! [`plain`]: crate::Server::plain
//! [`plain_users`]: crate::Server::plain_users
//! [`allow`]: crate::Server::allow
//! [`deny`]: crate::Server::deny
//!
//! ## Keys and encryption
//!
//! Each side has a keypair. Generate it once, and give its public key to the other side:
//!
//! ```no_run
//! use zeroless::Keypair;
//!
//! let keypair = Keypair::generate()?;
//! // Only you can read this file. The client saves "client.key_secret".
//! keypair.save("server.key_secret")?;
//! println!("{}", keypair.public());
//! # Ok::<(), zeroless::Error>(())
//! ```
//!
//! With these keys, all messages are encrypted. The server lets in only clients with a known key, and the client talks
//! only to the server with the right key.
//!
//! ```no_run
//! use zeroless::{Client, Keypair, Server};
//! # fn server() -> zeroless::Result<()> {
//!
//! // The server. The constant is the client's public key.
//! const CLIENT: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
//! let keypair = Keypair::load("server.key_secret")?;
//! let pull = Server::public(12345)
//!     .curve(&keypair)
//!     .allow_keys([CLIENT])
//!     .pull()?;
//! for message in pull {
//!     println!("{message:?}");
//! }
//! # Ok(())
//! # }
//! # fn client() -> zeroless::Result<()> {
//!
//! // A client, on another machine. The constant is the server's public key.
//! const SERVER: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
//! let keypair = Keypair::load("client.key_secret")?;
//! let push = Client::new()
//!     .connect("server.example.com", 12345)
//!     .curve(SERVER, &keypair)
//!     .push()?;
//! push(&[b"secret"])?;
//! # Ok(())
//! # }
//! ```
//!
//! The example `secure` is a complete program that keeps its keys in files.
//!
//! The name of this mechanism is CURVE. The libzmq that is built by default does not have it. Then
//! [`Keypair::generate`](crate::Keypair::generate) and the pattern method of a recipe with `curve` return an error that
//! says what to do: turn on the feature `curve`, or link the system's libzmq ([Platforms](super::platforms)).
//! [`libzmq()`](crate::libzmq()) returns which libzmq a program has.
//!
//! Keys can be added and removed while the server runs, with [`Socket::allow_keys`](crate::Socket::allow_keys) and
//! [`Socket::revoke_keys`](crate::Socket::revoke_keys). Removing a key does not disconnect a client that is already
//! connected.
//!
//! ## Passwords
//!
//! With [`plain`] or [`plain_users`], a client sends a name and a password. The name of this mechanism is PLAIN.
//! **Nothing is encrypted**, neither the password nor the messages. Use keys on a network that others can listen to.
//! The number of guesses is not limited: choose passwords that are too long to guess.
//!
//! ## Addresses
//!
//! [`allow`] and [`deny`] take addresses and networks such as `10.0.0.0/8`. Networks of IPv6, such as `::/0`, concern no
//! client that connects over IPv4. Someone who controls the network can forge addresses. Nothing is encrypted.
//!
//! # Refused clients
//!
//! A server refuses a client if its rules do not let in the client's key, password or address. It logs the client and
//! the reason, at level warn. libzmq itself refuses a client that does not use the same mechanism as the server, for
//! example a client without a password if the server requires one. It also refuses a client whose pattern does not match
//! the server's, such as a `request` at a `pull`, and gives up a server that sends a malformed message. None of a refused
//! client's messages arrives, and libzmq does not try again: correct the reason, then open a new client.
//!
//! What the client sees depends on its pattern:
//!
//! * **`push`, `request`, `dealer` and `pair`**: sending and receiving fail with [`Denied`](crate::ErrorKind::Denied),
//!   and iteration ends. In three cases, they block instead:
//!   * The client has filled its queue: it has sent [`high_water_mark`](crate::Server::high_water_mark) messages, 1000
//!     by default. After a refusal, libzmq removes the client's queue. This is how the crate notices the refusal, but a
//!     full queue looks the same. For a `request`, the count starts again with each reply.
//!   * The client has the right password or key, but its pattern does not match the server's. Then the server closes the
//!     connection without a reason, and the client connects again and again.
//!   * The client does not use the server's mechanism, or without a mechanism its pattern does not match, and it is
//!     faster than the server: the server then closes the connection before it has sent its own part. The client
//!     connects again, every 100 to 200 milliseconds, until it is told. With the libzmq that is built by default, it
//!     notices another mechanism at once if the server has the same libzmq, and otherwise at the third connection:
//!     within half a second. Another libzmq of the client may try forever. Tests:
//!     `security::denial::server_names_its_mechanism_before_it_refuses`,
//!     `security::denial::reported_after_server_hides_its_mechanism_three_times`.
//! * **`call`**: calls that wait for a server fail with [`Denied`](crate::ErrorKind::Denied) when all servers refuse the
//!   client. This takes about a second. With
//!   a shorter timeout, they fail with [`NotConnected`](crate::ErrorKind::NotConnected).
//! * **All other patterns** get no error. They see the same as without a server: nothing. libzmq reports more only
//!   through its socket monitors, and in libzmq 4.3.4 these can stall the process. A
//!   [`timeout`](crate::Client::timeout) limits the wait.
//!
//! **A client that has the wrong public key for its server**, or that connects to a false server, is not refused. It
//! keeps trying, and closing it waits as for a server that is not running. Neither side reports this. The server's log
//! does not mention it either, because the two have no common key to talk with.
//!
//! # What strangers can do
//!
//! A stranger is a peer that can reach the port, and that you do not trust. A server without rules lets strangers
//! in. Strangers can send bytes to the port, even if the server then refuses them. Tests attack a server in these ways
//! while an honest client uses it. None of these attacks stops the server or makes its memory grow by much:
//!
//! | attack | test |
//! |---|---|
//! | meaningless bytes | `robustness::hostile::ignores_garbage` |
//! | malformed commands and frames | `robustness::hostile::ignores_malformed_commands_and_frames` |
//! | malformed requests | `robustness::hostile::requests_without_envelope_cost_no_reply` |
//! | a peer of the wrong pattern | `robustness::hostile::drops_peers_of_wrong_type` |
//! | a peer that uses a different mechanism | `robustness::hostile::drops_peers_of_other_mechanism` |
//! | a peer that stops in the middle of the greeting | `robustness::hostile::drops_peers_that_stop_in_greeting` |
//! | a handshake of many megabytes: frames are limited to 64 KiB until the peer is let in, with the libzmq that is built by default | `robustness::hostile::large_handshake_uses_no_memory` |
//! | a frame that is too large, if [`max_message_size`](crate::Server::max_message_size) is set | `robustness::hostile::refuses_large_frame_when_announced` |
//! | 2,000 strangers that ask, and leave before they are answered | `security::admission::flood_does_not_keep_friend_out` |
//! | made-up keys, with a folder of thousands of keys | `security::curve::strangers_do_not_hold_up_friend` |
//!
//! ## Attacks that cost something
//!
//! Rules keep strangers from most of what costs memory:
//!
//! | attack | without rules | with rules | test |
//! |---|---|---|---|
//! | a message that never ends: 64 MB in frames | 110 MB of memory | nothing: it is not let in | `robustness::hostile::endless_message_uses_memory` |
//! | the same, 4 MB in empty frames | 128 MB | nothing | the same |
//! | 20,000 subscriptions of 200 bytes to a publisher | 130 MB | nothing | `robustness::hostile::subscriptions_use_memory` |
//! | one large frame, without [`max_message_size`](crate::Server::max_message_size) | its size | nothing | |
//! | peers that connect and send nothing | a file descriptor each for 30 s | a file descriptor each for 5 s | `robustness::hostile::tolerates_thousand_silent_peers`, `robustness::hostile::guarded_server_drops_silent_peer_soon` |
//! | 2,000 silent peers, when the process may have 1,024 descriptors | an honest client waits for 36 s, and the process computes for 25 s | 4 s, and 4 s | |
//! | 2,000 strangers that ask, with a password function that takes 20 ms | – | 1 to 13 MB, an honest client waits for at most 41 ms | `security::admission::strangers_that_have_left_use_no_memory` |
//!
//! No option limits the first three. After an attack, the process does not give all of this memory back. While no file
//! descriptor is left, libzmq tries again and again to accept connections, for all sockets of the process: that is what
//! it computes. So set a limit of descriptors (`ulimit -n`) that is far above the number of your clients.
//!
//! A server has no limit for frames by default, because libzmq would drop a larger one without a word on either side.
//!
//! ## How to protect a server
//!
//! * Do not let strangers in. With `curve`, `plain` or `allow`, they can ask to be let in, but nothing more. Tests:
//!   `security::admission::refuses_thousand_while_serving_friend`,
//!   `security::admission::stalled_handshakes_block_no_one`.
//! * If strangers must not even ask, listen only on this machine, with [`Server::new`](crate::Server::new), and put a
//!   firewall, an SSH tunnel or a VPN such as WireGuard in front of it.
//! * Set [`max_message_size`](crate::Server::max_message_size), above the largest frame of your clients.
//! * Raise the limit of file descriptors, as described above.
//! * Set a [`linger`](crate::Server::linger). A hostile peer may never read the messages that closing waits to deliver.
//! * Limit the memory of the process, for example with systemd's `MemoryMax`.
//!
//! # Names
//!
//! A client can connect to a host by its name. libzmq looks the name up before each attempt to connect, so a client
//! finds a server that has moved to another address. If the name does not exist, connecting returns no error: libzmq
//! tries again until the name resolves. Test: `robustness::names::as_root::name_is_looked_up_again`.
//!
//! With the libzmq that is built by default, each lookup has a thread of its own. A name server that does not answer
//! delays only the clients that connect by name, and closing does not wait for it. At most 256 lookups run at once in a
//! process; the others are tried again after a moment. Tests:
//! `robustness::names::as_root::silent_resolver_stops_no_other_socket`,
//! `robustness::names::as_root::closing_does_not_wait_for_resolver`.
//!
//! The system's libzmq and zmq-sys's look names up on the only thread that sends and receives for all sockets of the
//! process. While a name server does not answer, all these sockets stop, for 10 s at a time or longer, and closing the
//! last one waits too. With these builds, connect to addresses, or run a caching resolver on the same machine.
