//! Which clients a server lets in by key, on a libzmq that has CURVE. The other tests of keys are in `keys.rs`.
//!
//! Without the feature `curve` they are ignored. If the system's libzmq has CURVE, they can be run nevertheless:
//! `cargo test --config … --test security -- --include-ignored curve`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use zeroless::{Client, ErrorKind, Keypair, Message, PublicKey, Receiver, Sender, Server, Socket, zmq};

use crate::eavesdropper::{contains, overheard};
use crate::keys::{PUBLIC, any_file, assert_tells_of_file, cases, make_fifo};
use crate::support::relay::Relay;
use crate::support::{
    Folder, assert_denied, assert_let_in, assert_not_understood, await_denial, await_denial_of, await_subscribers,
    client_of_port, new_keypair, watchdog,
};
use crate::{A_WHILE, kind_of};

/// The keys of a server, of a client that it lets in, and of another client.
struct Keys {
    server: Keypair,
    friend: Keypair,
    stranger: Keypair,
}

impl Keys {
    fn new() -> Keys {
        let [server, friend, stranger] = [(); 3].map(|()| new_keypair());
        Keys {
            server,
            friend,
            stranger,
        }
    }

    /// A server that lets in the friend.
    fn server(&self) -> Server {
        let mut server = self.server_for_no_one();
        server.allow_keys([self.friend.public()]);
        server
    }

    fn server_for_no_one(&self) -> Server {
        let mut server = Server::new(0);
        server.curve(&self.server);
        server
    }

    fn friend_of(&self, server: &Socket) -> Client {
        self.client(server, &self.friend)
    }

    fn stranger_of(&self, server: &Socket) -> Client {
        self.client(server, &self.stranger)
    }

    /// A client of this server, with these keys.
    fn client(&self, server: &Socket, keypair: &Keypair) -> Client {
        let mut client = client_of_port(server.port().unwrap());
        client.curve(self.server.public(), keypair);
        client
    }
}

/// Asserts that a stranger that the server disconnects without an answer keeps trying, and that the server receives
/// nothing from it and still serves a friend.
fn assert_kept_waiting(pull: &Receiver, stranger: &Client, friend: &Client) {
    let relay = Relay::to(pull.socket().port().unwrap());
    let mut stranger = stranger.clone();
    stranger.disconnect_all().connect_local(relay.port());
    let push = stranger.linger(Duration::ZERO).push().unwrap();
    push.send(&["from a stranger"]).unwrap();
    // With the third connection, the server has dropped two.
    (0..3).for_each(|_| relay.await_connection());
    push.try_send(&["from a stranger"])
        .expect("it is not told, and its queue has room");
    assert_let_in(pull, friend);
    assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
}

/// Replaces a file that a server may be reading, in one step. If the server read a file that is only half written, it
/// would refuse the clients whose keys are missing, and they would not try again.
fn put(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    fs::write(&draft, text).unwrap();
    fs::rename(&draft, path).unwrap();
}

// Which clients a server lets in.

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn lets_in_allowed_keys() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let other = new_keypair();
    let pull = keys
        .server()
        // As text, in addition to the one that is allowed already.
        .allow_keys([other.public().to_string()])
        .pull()
        .unwrap();
    assert_let_in(&pull, &keys.friend_of(&pull.socket()));
    assert_let_in(&pull, &keys.client(&pull.socket(), &other));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn refuses_other_keys() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    let (stranger, friend) = (keys.stranger_of(&pull.socket()), keys.friend_of(&pull.socket()));
    for _ in 0..3 {
        assert_denied(&pull, &stranger, &friend);
    }
    // The server's own public key, which everyone may know, is not let in.
    assert_denied(&pull, &keys.client(&pull.socket(), &keys.server), &friend);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn refusal_ends_wait_to_receive() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let (reply, requests) = keys.server().reply().unwrap();
    let (request, replies) = keys.stranger_of(&requests.socket()).request().unwrap();
    request.send(&["from a stranger"]).unwrap();
    let error = replies.recv().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("its password, key or address"), "{error}");
    let (request, replies) = keys.friend_of(&requests.socket()).request().unwrap();
    request.send(&["from a friend"]).unwrap();
    reply.send(&requests.recv().unwrap()).unwrap();
    assert_eq!(replies.recv().unwrap(), [b"from a friend"]);
    assert_eq!(kind_of(requests.try_recv()), ErrorKind::WouldBlock);

    let (_say, dealers) = keys.server().router().unwrap();
    let (say, hear) = keys.stranger_of(&dealers.socket()).dealer().unwrap();
    // The client may have been denied already.
    let _ = say.send(&["from a stranger"]);
    assert_eq!(kind_of(hear.recv()), ErrorKind::Denied);
    let (say, _hear) = keys.friend_of(&dealers.socket()).dealer().unwrap();
    say.send(&["from a friend"]).unwrap();
    assert_eq!(dealers.recv().unwrap()[1], b"from a friend");
    assert_eq!(kind_of(dealers.try_recv()), ErrorKind::WouldBlock);

    let (_say, pairs) = keys.server().pair().unwrap();
    let (say, hear) = keys.stranger_of(&pairs.socket()).pair().unwrap();
    let _ = say.send(&["from a stranger"]);
    assert_eq!(kind_of(hear.recv()), ErrorKind::Denied);
    // The stranger does not take the place of the only peer either.
    let (say, _hear) = keys.friend_of(&pairs.socket()).pair().unwrap();
    say.send(&["from a friend"]).unwrap();
    assert_eq!(pairs.recv().unwrap(), [b"from a friend"]);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn stranger_receives_nothing() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let push = keys.server().timeout(A_WHILE).push().unwrap();
    let pull = keys.stranger_of(&push.socket()).timeout(A_WHILE).pull().unwrap();
    assert_eq!(kind_of(push.send(&["secret"])), ErrorKind::TimedOut);
    assert_eq!(kind_of(pull.recv()), ErrorKind::TimedOut);

    let publish = keys.server().publish().unwrap();
    let spy = keys.stranger_of(&publish.socket());
    let spy = spy.clone().timeout(A_WHILE).subscribe([""]).unwrap();
    assert_eq!(kind_of(publish.wait_for_subscribers(1, A_WHILE)), ErrorKind::TimedOut);
    let friend = keys.friend_of(&publish.socket()).subscribe([""]).unwrap();
    await_subscribers(&publish, 1);
    publish.send(&["secret"]).unwrap();
    assert_eq!(friend.recv().unwrap(), [b"secret"]);
    assert_eq!(kind_of(spy.recv()), ErrorKind::TimedOut);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn without_keys_lets_in_no_one() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server_for_no_one().pull().unwrap();
    for anyone in [&keys.friend, &keys.stranger, &keys.server] {
        await_denial(&keys.client(&pull.socket(), anyone));
    }
    assert_eq!(kind_of(pull.recv_timeout(A_WHILE)), ErrorKind::TimedOut);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn any_key_still_requires_encryption() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server_for_no_one().allow_any_key().pull().unwrap();
    let anyone = keys.stranger_of(&pull.socket());
    assert_let_in(&pull, &anyone);
    assert_let_in(&pull, &keys.friend_of(&pull.socket()));
    let mut null = client_of_port(pull.socket().port().unwrap());
    assert_not_understood(&pull, &null, &anyone);
    assert_not_understood(&pull, null.plain("ada", "enchantress"), &anyone);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn mechanisms_do_not_mix() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    let friend = keys.friend_of(&pull.socket());
    let mut null = client_of_port(pull.socket().port().unwrap());
    assert_not_understood(&pull, &null, &friend);
    assert_not_understood(&pull, null.plain("ada", "enchantress"), &friend);

    let pull = Server::new(0).pull().unwrap();
    let friend = client_of_port(pull.socket().port().unwrap());
    assert_not_understood(&pull, &keys.friend_of(&pull.socket()), &friend);

    let pull = Server::new(0).plain(|_, _| true).pull().unwrap();
    let mut friend = client_of_port(pull.socket().port().unwrap());
    friend.plain("ada", "enchantress");
    assert_not_understood(&pull, &keys.friend_of(&pull.socket()), &friend);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn client_with_wrong_server_key_keeps_trying() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    // Its own key would be let in.
    let mut mistaken = keys.friend_of(&pull.socket());
    mistaken.curve(keys.stranger.public(), &keys.friend);
    assert_kept_waiting(&pull, &mistaken, &keys.friend_of(&pull.socket()));

    let (_, requests) = keys.server().reply().unwrap();
    let mut mistaken = keys.friend_of(&requests.socket());
    mistaken.curve(keys.stranger.public(), &keys.friend);
    let (request, replies) = mistaken.timeout(A_WHILE).request().unwrap();
    request.send(&["from a stranger"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::TimedOut);
    assert_eq!(kind_of(requests.try_recv()), ErrorKind::WouldBlock);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn public_key_without_secret_is_useless() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let forged = Keypair::new(keys.friend.public(), keys.stranger.secret()).unwrap();
    let friends: [&dyn Fn(&mut Server); 2] = [&|server| _ = server.allow_keys([keys.friend.public()]), &|server| {
        _ = server.allow_any_key()
    }];
    for befriend in friends {
        let mut server = keys.server_for_no_one();
        befriend(&mut server);
        let pull = server.pull().unwrap();
        let socket = pull.socket();
        assert_kept_waiting(&pull, &keys.client(&socket, &forged), &keys.friend_of(&socket));
    }
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn client_sends_nothing_to_impostor() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    // It has the server's public key, which everyone may know, but not its secret key, and would let in everyone.
    let pretended = Keypair::new(keys.server.public(), keys.stranger.secret()).unwrap();
    let pull = Server::new(0).curve(&pretended).allow_any_key().pull().unwrap();
    let relay = Relay::to(pull.socket().port().unwrap());
    let mut client = client_of_port(relay.port());
    client.curve(keys.server.public(), &keys.friend).linger(Duration::ZERO);
    let push = client.push().unwrap();
    push.send(&["for the server alone"]).unwrap();
    (0..3).for_each(|_| relay.await_connection());
    assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn key_and_address_must_both_match() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = Server::public(0)
        .curve(&keys.server)
        .allow_keys([keys.friend.public()])
        .allow(["127.0.0.2"])
        .deny(["127.0.0.3"])
        .pull()
        .unwrap();
    let port = pull.socket().port().unwrap();
    let from = |address: &str, keypair: &Keypair| {
        let mut client = Client::new();
        client.connect_to(format!("tcp://{address}:0;127.0.0.1:{port}"));
        client.curve(keys.server.public(), keypair);
        client
    };
    let friend = from("127.0.0.2", &keys.friend);
    assert_denied(&pull, &from("127.0.0.1", &keys.friend), &friend);
    assert_denied(&pull, &from("127.0.0.2", &keys.stranger), &friend);
    assert_denied(&pull, &from("127.0.0.3", &keys.friend), &friend);

    // A key does not help a client whose address is denied.
    let pull = keys
        .server_for_no_one()
        .allow_any_key()
        .deny(["127.0.0.0/8"])
        .pull()
        .unwrap();
    await_denial(&keys.friend_of(&pull.socket()));
    assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn applies_to_ipc() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-ipc"));
    let endpoint = folder.ipc("socket");
    let pull = Server::at(&endpoint)
        .curve(&keys.server)
        .allow_keys([keys.friend.public()])
        .pull()
        .unwrap();
    assert_denied(
        &pull,
        Client::new()
            .connect_to(&endpoint)
            .curve(keys.server.public(), &keys.stranger),
        Client::new()
            .connect_to(&endpoint)
            .curve(keys.server.public(), &keys.friend),
    );
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn does_not_apply_to_inproc() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let endpoint = "inproc://near-curve";
    let pull = keys.server_for_no_one().also_at(endpoint).pull().unwrap();
    assert_let_in(&pull, Client::new().connect_to(endpoint));
    assert_let_in(
        &pull,
        Client::new()
            .connect_to(endpoint)
            .curve(keys.server.public(), &keys.stranger),
    );
    // Clients over TCP are asked.
    await_denial(&keys.stranger_of(&pull.socket()));
}

// Keys that are added and revoked.

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn added_key_is_let_in() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server_for_no_one().pull().unwrap();
    let (socket, friend) = (pull.socket(), keys.friend_of(&pull.socket()));
    await_denial(&friend);
    socket.allow_keys([keys.friend.public()]).unwrap();
    assert_let_in(&pull, &friend);
    // The other keys stay allowed.
    socket.allow_keys([keys.stranger.public().to_string()]).unwrap();
    assert_let_in(&pull, &keys.stranger_of(&socket));
    assert_let_in(&pull, &friend);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn revoked_key_is_refused_but_connection_stays() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().allow_keys([keys.stranger.public()]).pull().unwrap();
    let (socket, friend) = (pull.socket(), keys.friend_of(&pull.socket()));
    let inside = friend.push().unwrap();
    inside.send(&["before"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"before"]);
    socket.revoke_keys([keys.friend.public()]).unwrap();
    // The other has not been revoked.
    assert_denied(&pull, &friend, &keys.stranger_of(&socket));
    inside.send(&["after"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"after"]);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn revoked_key_in_file_is_let_in() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-revoked"));
    let file = folder.0.join("friend.key");
    keys.friend.public().save(&file).unwrap();
    let pull = keys.server().allow_keys_in(&file).pull().unwrap();
    let friend = keys.friend_of(&pull.socket());
    pull.socket().revoke_keys([keys.friend.public()]).unwrap();
    assert_let_in(&pull, &friend);
    // Now it is revoked in both places.
    put(&file, "");
    await_denial(&friend);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn key_changes_are_atomic() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    let socket = pull.socket();
    let (friend, stranger) = (keys.friend.public().as_ref(), keys.stranger.public().as_ref());
    assert_eq!(kind_of(socket.allow_keys([stranger, "short"])), ErrorKind::InvalidInput);
    assert_eq!(kind_of(socket.revoke_keys([friend, "short"])), ErrorKind::InvalidInput);
    assert_denied(&pull, &keys.stranger_of(&socket), &keys.friend_of(&socket));
}

// Keys in files.

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn lets_in_key_in_file() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-file"));
    let file = folder.0.join("friend");
    keys.friend.public().save(&file).unwrap();
    let pull = keys.server_for_no_one().allow_keys_in(&file).pull().unwrap();
    let socket = pull.socket();
    assert_denied(&pull, &keys.stranger_of(&socket), &keys.friend_of(&socket));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn lets_in_keys_in_list() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-list"));
    let other = new_keypair();
    let list = format!(
        "# who may come in\n\n{}\n  #\n\t{}  the other {}\r\n#{} has left\n",
        keys.friend.public(),
        other.public(),
        keys.server.public(),
        keys.stranger.public()
    );
    let file = folder.0.join("friends.txt");
    fs::write(&file, list).unwrap();
    let pull = keys.server_for_no_one().allow_keys_in(&file).pull().unwrap();
    let socket = pull.socket();
    assert_let_in(&pull, &keys.client(&socket, &other));
    for no_one in [&keys.stranger, &keys.server] {
        assert_denied(&pull, &keys.client(&socket, no_one), &keys.friend_of(&socket));
    }
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn lets_in_key_files_in_folder() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-folder"));
    let other = new_keypair();
    keys.friend.public().save(folder.0.join("friend.key")).unwrap();
    fs::write(folder.0.join("list.key"), other.public().to_string()).unwrap();
    // None of these is read.
    keys.stranger.save(folder.0.join("stranger.key_secret")).unwrap();
    keys.stranger.public().save(folder.0.join("stranger.key.old")).unwrap();
    keys.stranger.public().save(folder.0.join("key")).unwrap();
    fs::write(folder.0.join("README"), "no key").unwrap();
    fs::create_dir(folder.0.join("more")).unwrap();
    keys.stranger.public().save(folder.0.join("more/stranger.key")).unwrap();
    fs::create_dir(folder.0.join("folder.key")).unwrap();
    symlink("nowhere", folder.0.join(".#friend.key")).unwrap();
    make_fifo(&folder.0.join("fifo.key"));
    let pull = keys.server_for_no_one().allow_keys_in(&folder.0).pull().unwrap();
    let socket = pull.socket();
    assert_let_in(&pull, &keys.client(&socket, &other));
    assert_denied(&pull, &keys.stranger_of(&socket), &keys.friend_of(&socket));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn file_changes_take_effect() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-changes"));
    let (clients, list) = (folder.0.join("clients"), folder.0.join("list"));
    fs::create_dir(&clients).unwrap();
    fs::write(&list, "").unwrap();
    let pull = keys
        .server_for_no_one()
        .allow_keys_in(&clients)
        .allow_keys_in(&list)
        .pull()
        .unwrap();
    let (friend, stranger) = (keys.friend_of(&pull.socket()), keys.stranger_of(&pull.socket()));
    await_denial(&friend);

    keys.friend.public().save(clients.join("friend.key")).unwrap();
    assert_denied(&pull, &stranger, &friend);
    put(&list, keys.stranger.public().as_ref());
    fs::remove_file(clients.join("friend.key")).unwrap();
    assert_denied(&pull, &friend, &stranger);
    put(&list, keys.friend.public().as_ref());
    assert_denied(&pull, &stranger, &friend);
}

/// Asserts that a client waits while the server's file cannot be read, and is let in once it is repaired.
fn assert_comes_in_when_mended(name: &str, spoil: impl Fn(&Path)) {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new(name));
    let file = folder.0.join("friends");
    let mended = keys.friend.public().as_ref();
    fs::write(&file, mended).unwrap();
    let mut server = keys.server_for_no_one();
    // After this time, libzmq disconnects clients that got no answer, and they try again; the default is half a minute.
    // It is longer than refusals are delayed: a client that was refused would be told so, and would not try again.
    server.configure(|socket| socket.set_handshake_ivl(300));
    let pull = server
        .allow_keys_in(&file)
        .allow_keys([keys.stranger.public()])
        .pull()
        .unwrap();
    spoil(&file);

    let relay = Relay::to(pull.socket().port().unwrap());
    let client = client_of_port(relay.port())
        .curve(keys.server.public(), &keys.friend)
        .clone();
    let push = client.push().unwrap();
    push.send(&["at last"]).unwrap();
    (0..3).for_each(|_| relay.await_connection());
    // This client's key is not one of the file.
    assert_let_in(&pull, &keys.stranger_of(&pull.socket()));
    assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
    push.try_send(&["and again"])
        .expect("it is not told, and its queue has room");

    put(&file, mended);
    assert_eq!(pull.recv().unwrap(), [b"at last"]);
    assert_eq!(pull.recv().unwrap(), [b"and again"]);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn clients_wait_while_file_is_malformed() {
    assert_comes_in_when_mended("curve-malformed", |file| put(file, "no key"));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn clients_wait_while_file_is_missing() {
    assert_comes_in_when_mended("curve-missing", |file| fs::remove_file(file).unwrap());
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn clients_wait_while_file_is_fifo() {
    assert_comes_in_when_mended("curve-fifo", |file| {
        let fifo = file.with_extension("fifo");
        make_fifo(&fifo);
        fs::rename(fifo, file).unwrap();
    });
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn bad_files_are_errors_when_server_opens() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-errors"));
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let clients = folder.0.join("clients");
    fs::create_dir(&clients).unwrap();
    let in_folder = file("clients/short.key", b"# a list\n\nshort\n");
    let list = file("list", format!("{PUBLIC}\n{PUBLIC}x with a slip\n").as_bytes());
    let certificate = file("certificate", b"curve\n    public-key = \"short\"\n");
    let lacking = file("lacking", b"curve\n");
    let binary = file("binary", b"\xff\xfe\x00");
    let missing = folder.0.join("missing");
    let cases: [(&PathBuf, &PathBuf, &str); 6] = [
        (&clients, &in_folder, ", line 3: "),
        (&list, &list, ", line 2: "),
        (&certificate, &certificate, "40 characters"),
        (&lacking, &lacking, "no key"),
        (&binary, &binary, "UTF-8"),
        (&missing, &missing, "No such file"),
    ];
    for (path, named, what) in cases {
        let error = keys.server().allow_keys_in(path).pull().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let message = error.to_string();
        assert!(
            message.contains(&*named.to_string_lossy()) && message.contains(what),
            "{message}"
        );
    }
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn generated_keypairs_differ() {
    let keypairs: Vec<_> = (0..20).map(|_| new_keypair()).collect();
    for (index, keypair) in keypairs.iter().enumerate() {
        assert_ne!(keypair.public().as_ref(), keypair.secret());
        for other in &keypairs[..index] {
            assert_ne!(keypair, other);
            assert_ne!(keypair.public(), other.public());
            assert_ne!(keypair.secret(), other.secret());
        }
        // A key can be written as text and read again.
        assert_eq!(Keypair::new(keypair.public(), keypair.secret()).unwrap(), *keypair);
        assert_eq!(
            keypair.public().to_string().parse::<PublicKey>().unwrap(),
            *keypair.public()
        );
    }
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn any_file_lets_in_keys_or_is_named() {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-any-list"));
    let path = folder.0.join("file.key");
    // So that not every case creates a new context.
    let _open = Server::new(0).pull().unwrap();
    proptest!(cases(), |(bytes in any_file(), whole_folder: bool)| {
        fs::write(&path, &bytes).unwrap();
        let mut server = keys.server_for_no_one();
        server.allow_keys_in(if whole_folder { &folder.0 } else { &path });
        if let Err(error) = server.pull() {
            assert_tells_of_file(&error, &path)?;
        }
    });
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn configure_cannot_change_it() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let secret = keys.server.secret().to_owned();
    let make = move |socket: &zmq::Socket| {
        socket.set_curve_server(true)?;
        socket.set_curve_secretkey(secret.as_bytes())
    };
    let (mut to_null, mut to_plain, mut to_another_domain) = (keys.server(), keys.server(), keys.server());
    to_null.configure(|socket| socket.set_curve_server(false));
    to_plain.configure(|socket| socket.set_plain_server(true));
    to_another_domain.configure(|socket| socket.set_zap_domain("zeroless-0"));
    let (mut open, mut by_address, mut by_password) = (Server::new(0), Server::new(0), Server::new(0));
    open.configure(make.clone());
    by_address.allow(["127.0.0.1"]).configure(make.clone());
    by_password.plain(|_, _| true).configure(make);
    for server in [to_null, to_plain, to_another_domain, open, by_address, by_password] {
        let error = server.pull().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{server:?}");
        assert!(error.to_string().contains("configure must not change"), "{error}");
    }
    // libzmq refuses this itself.
    let error = keys.server().configure(|socket| socket.set_zap_domain("")).pull();
    assert_eq!(kind_of(error), ErrorKind::InvalidInput);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn eavesdropper_learns_neither_messages_nor_keys() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let overheard = overheard(&keys.server(), Client::new().curve(keys.server.public(), &keys.friend));
    assert!(contains(&overheard, b"CURVE"), "it has listened");
    let messages = ["what is the plan?", "attack at dawn", "Socket-Type"].map(str::as_bytes);
    // The client's public key is secret too, because it tells who talks to the server.
    let texts = [
        keys.server.secret(),
        keys.friend.secret(),
        keys.friend.public().as_ref(),
    ];
    let raw = texts.map(|text| zmq::z85_decode(text).unwrap());
    let texts = texts.map(str::as_bytes);
    for secret in messages.into_iter().chain(texts).chain(raw.iter().map(Vec::as_slice)) {
        assert!(!contains(&overheard, secret), "{}", secret.escape_ascii());
    }
}

// Many clients, and all patterns.

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn refuses_hundreds_while_serving_friend() {
    const STRANGERS: usize = 200;
    const AT_A_TIME: usize = 50;
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    let mut stranger = keys.stranger_of(&pull.socket());
    stranger.linger(Duration::ZERO);
    // These are not told, and keep trying as long as they are open.
    let mut mistaken = keys.friend_of(&pull.socket());
    mistaken
        .curve(keys.stranger.public(), &keys.friend)
        .linger(Duration::ZERO);
    let friend = keys.friend_of(&pull.socket());
    let mut friends = 0;
    thread::scope(|scope| {
        let strangers = scope.spawn(|| {
            for _ in 0..STRANGERS / AT_A_TIME {
                let open = |client: &Client| {
                    let push = client.push().unwrap();
                    push.send(&["from a stranger"]).unwrap();
                    push
                };
                let mistaken: Vec<Sender> = (0..AT_A_TIME / 5).map(|_| open(&mistaken)).collect();
                let strangers: Vec<Sender> = (mistaken.len()..AT_A_TIME).map(|_| open(&stranger)).collect();
                strangers.iter().for_each(await_denial_of);
            }
        });
        while !strangers.is_finished() {
            assert_let_in(&pull, &friend);
            friends += 1;
        }
    });
    assert!(friends > 10, "{friends} friends were let in meanwhile");
    assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
}

/// With a folder of many keys, which would take long to read for each of them.
#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn strangers_do_not_hold_up_friend() {
    const KEYS: u32 = 3_000;
    const STRANGERS: usize = 100;
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-many"));
    for number in 0..KEYS {
        let bytes = [&number.to_be_bytes()[..], &[0; 28]].concat();
        let key: PublicKey = zmq::z85_encode(&bytes).unwrap().parse().unwrap();
        fs::write(folder.0.join(format!("{number}.key")), key.as_ref()).unwrap();
    }
    keys.friend.public().save(folder.0.join("friend.key")).unwrap();
    let started = Instant::now();
    let pull = keys.server_for_no_one().allow_keys_in(&folder.0).pull().unwrap();
    let reading = started.elapsed();
    let (mut stranger, friend) = (keys.stranger_of(&pull.socket()), keys.friend_of(&pull.socket()));
    stranger.linger(Duration::ZERO);
    let strangers: Vec<Sender> = (0..STRANGERS).map(|_| stranger.push().unwrap()).collect();
    let started = Instant::now();
    assert_let_in(&pull, &friend);
    strangers.iter().for_each(await_denial_of);
    let waited = started.elapsed();
    assert!(waited < reading * 20 + Duration::from_secs(1), "{waited:?}");
    // A new friend is let in at once, although strangers have just made the server look for their keys.
    let newcomer = new_keypair();
    let stranger = stranger.push().unwrap();
    await_denial_of(&stranger);
    newcomer.public().save(folder.0.join("newcomer.key")).unwrap();
    assert_let_in(&pull, &keys.client(&pull.socket(), &newcomer));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn closes_during_handshake() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    for round in 0..100 {
        let pull = keys.server().pull().unwrap();
        let (mut friend, mut stranger) = (keys.friend_of(&pull.socket()), keys.stranger_of(&pull.socket()));
        let (friend, stranger) = (friend.linger(Duration::ZERO), stranger.linger(Duration::ZERO));
        let clients = [(); 3].map(|()| [friend.push().unwrap(), stranger.push().unwrap()]);
        // At another moment of the handshake each time; it takes about a millisecond.
        thread::sleep(Duration::from_micros(round / 2 * 50));
        match round % 2 {
            0 => drop((pull, clients)),
            _ => drop((clients, pull)),
        }
    }
}

/// A message of large, small and empty frames, with this first frame.
fn large(first: &str) -> Message {
    let megabyte: Vec<u8> = (0..1_u32 << 20).map(|number| (number % 251) as u8).collect();
    vec![first.into(), megabyte.clone(), Vec::new(), b"small".to_vec(), megabyte]
}

/// Sends a large message from one end to the other.
fn assert_arrives(from: &Sender, to: &Receiver) {
    from.send(&large("first")).unwrap();
    // `assert_eq` would print megabytes.
    assert!(to.recv().unwrap() == large("first"));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn push_and_pull() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    assert_arrives(&keys.friend_of(&pull.socket()).push().unwrap(), &pull);
    let push = keys.server().push().unwrap();
    let pull = keys.friend_of(&push.socket()).pull().unwrap();
    assert_arrives(&push, &pull);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn publish_and_subscribe() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let publish = keys.server().publish().unwrap();
    let subscribe = keys.friend_of(&publish.socket()).subscribe(["news"]).unwrap();
    await_subscribers(&publish, 1);
    publish.send(&large("weather")).unwrap();
    publish.send(&large("news")).unwrap();
    assert!(subscribe.recv().unwrap() == large("news"));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn request_and_reply() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let (reply, requests) = keys.server().reply().unwrap();
    let (request, replies) = keys.friend_of(&requests.socket()).request().unwrap();
    for _ in 0..2 {
        assert_arrives(&request, &requests);
        assert_arrives(&reply, &replies);
    }
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn pair() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let (say, hear) = keys.server().pair().unwrap();
    let (answer, listen) = keys.friend_of(&hear.socket()).pair().unwrap();
    assert_arrives(&answer, &hear);
    assert_arrives(&say, &listen);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn dealer_and_router() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let (answer, questions) = keys.server().router().unwrap();
    let (ask, answers) = keys.friend_of(&questions.socket()).identity("ada").dealer().unwrap();
    ask.send(&large("first")).unwrap();
    let question = questions.recv().unwrap();
    assert_eq!(question[0], b"ada");
    assert!(question[1..] == large("first"));
    answer.send(&question).unwrap();
    assert!(answers.recv().unwrap() == large("first"));
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve")]
fn xpublish_and_xsubscribe() {
    let _watchdog = watchdog();
    let keys = Keys::new();
    let (publish, subscriptions) = keys.server().xpublish().unwrap();
    let (subscribe, news) = keys.friend_of(&publish.socket()).xsubscribe().unwrap();
    subscribe.send(&["\x01news"]).unwrap();
    assert_eq!(subscriptions.recv().unwrap(), [b"\x01news"]);
    publish.send(&large("weather")).unwrap();
    publish.send(&large("news")).unwrap();
    assert!(news.recv().unwrap() == large("news"));
}
