//! Whom a server lets in by key, and what others see of it. `tests/access.rs` has passwords and addresses.
//!
//! These want a libzmq that has CURVE: `cargo test --features curve --test curve`. Where there is none, the tests that need
//! it do nothing, unless the environment variable `ZEROLESS_CURVE` is set: then they fail. CI sets it where it has built
//! with CURVE, so that they cannot be left out there without anyone noticing.

#[path = "support/relay.rs"]
mod relay;
mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use relay::Relay;
use support::{
    Folder, assert_let_in, assert_not_understood, assert_turned_away, await_denial, await_denial_of, await_subscribers,
    client_of_port, watchdog,
};
use zeroless::{Client, Error, ErrorKind, Keypair, Message, PublicKey, Receiver, Result, Sender, Server, Socket, zmq};

/// Long enough for what is to come to have come, where nothing is to come.
const A_WHILE: Duration = Duration::from_millis(300);

/// The keys of libzmq's manual, for what needs no CURVE.
const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

/// Whether there is CURVE to test.
fn has_curve() -> bool {
    let has_curve = zeroless::libzmq().curve();
    assert!(
        has_curve || std::env::var_os("ZEROLESS_CURVE").is_none(),
        "ZEROLESS_CURVE is set, and there is no CURVE: {}",
        zeroless::libzmq()
    );
    has_curve
}

/// The keys of a server, of a client that it lets in, and of one that it does not.
struct Keys {
    server: Keypair,
    friend: Keypair,
    stranger: Keypair,
}

impl Keys {
    fn new() -> Keys {
        let [server, friend, stranger] = [(); 3].map(|()| Keypair::generate().unwrap());
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

    /// A client of that server, with those keys of its own.
    fn client(&self, server: &Socket, keypair: &Keypair) -> Client {
        let mut client = client_of_port(server.port().unwrap());
        client.curve(self.server.public(), keypair);
        client
    }
}

/// Looks whether a stranger that the server drops without a word tries again and again and waits, and the server gets
/// nothing of it but goes on with a friend.
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

fn kind_of<T>(outcome: Result<T>) -> ErrorKind {
    outcome.map(drop).unwrap_err().kind()
}

/// Writes a file that a server may be reading just now: all at once, for it would take a file that is written a half for
/// one with fewer keys, and turn the others away for good.
fn put(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    fs::write(&draft, text).unwrap();
    fs::rename(&draft, path).unwrap();
}

// Whom a server lets in.

#[test]
fn whoever_has_a_key_that_is_allowed_is_let_in() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let other = Keypair::generate().unwrap();
    let pull = keys
        .server()
        // As text, and beside the one that is allowed already.
        .allow_keys([other.public().to_string()])
        .pull()
        .unwrap();
    assert_let_in(&pull, &keys.friend_of(&pull.socket()));
    assert_let_in(&pull, &keys.client(&pull.socket(), &other));
}

#[test]
fn whoever_has_another_key_is_denied_and_nothing_of_them_arrives() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    let (stranger, friend) = (keys.stranger_of(&pull.socket()), keys.friend_of(&pull.socket()));
    for _ in 0..3 {
        assert_turned_away(&pull, &stranger, &friend);
    }
    // The server's own key, which everyone may know, is not one that it lets in.
    assert_turned_away(&pull, &keys.client(&pull.socket(), &keys.server), &friend);
}

#[test]
fn a_request_a_dealer_and_a_pair_with_another_key_are_denied_while_they_wait_to_receive() {
    if !has_curve() {
        return;
    }
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
    // It may be too late already.
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
    // Nor does the stranger take the one place that there is.
    let (say, _hear) = keys.friend_of(&pairs.socket()).pair().unwrap();
    say.send(&["from a friend"]).unwrap();
    assert_eq!(pairs.recv().unwrap(), [b"from a friend"]);
}

#[test]
fn a_client_with_another_key_hears_nothing() {
    if !has_curve() {
        return;
    }
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
fn a_server_that_was_told_of_no_key_lets_in_no_one() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server_for_no_one().pull().unwrap();
    for anyone in [&keys.friend, &keys.stranger, &keys.server] {
        await_denial(&keys.client(&pull.socket(), anyone));
    }
    assert_eq!(kind_of(pull.recv_timeout(A_WHILE)), ErrorKind::TimedOut);
}

#[test]
fn any_key_lets_in_everyone_who_speaks_curve_and_no_one_else() {
    if !has_curve() {
        return;
    }
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
fn clients_and_servers_of_different_mechanisms_do_not_come_together() {
    if !has_curve() {
        return;
    }
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
fn a_client_that_takes_the_server_for_another_goes_on_trying_and_nothing_of_it_arrives() {
    if !has_curve() {
        return;
    }
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
fn a_key_that_is_allowed_is_of_no_use_without_its_secret() {
    if !has_curve() {
        return;
    }
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
fn a_server_that_pretends_to_be_another_is_not_talked_to() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    // It knows the server's public key, as everyone does, but not its secret, and would let in everyone.
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
fn a_key_and_an_address_are_both_wanted_where_both_are_said() {
    if !has_curve() {
        return;
    }
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
    assert_turned_away(&pull, &from("127.0.0.1", &keys.friend), &friend);
    assert_turned_away(&pull, &from("127.0.0.2", &keys.stranger), &friend);
    assert_turned_away(&pull, &from("127.0.0.3", &keys.friend), &friend);

    // Nor does any key make up for an address that is denied.
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
fn over_ipc_keys_are_asked_for_as_over_tcp() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-ipc"));
    let endpoint = folder.ipc("socket");
    let pull = Server::at(&endpoint)
        .curve(&keys.server)
        .allow_keys([keys.friend.public()])
        .pull()
        .unwrap();
    assert_turned_away(
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
fn over_inproc_nobody_is_asked_for_a_key() {
    if !has_curve() {
        return;
    }
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
    // While those from afar are.
    await_denial(&keys.stranger_of(&pull.socket()));
}

// Keys that come and go.

#[test]
fn a_key_that_is_added_while_the_server_runs_is_let_in_from_then_on() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server_for_no_one().pull().unwrap();
    let (socket, friend) = (pull.socket(), keys.friend_of(&pull.socket()));
    await_denial(&friend);
    socket.allow_keys([keys.friend.public()]).unwrap();
    assert_let_in(&pull, &friend);
    // It takes nothing from those that were there.
    socket.allow_keys([keys.stranger.public().to_string()]).unwrap();
    assert_let_in(&pull, &keys.stranger_of(&socket));
    assert_let_in(&pull, &friend);
}

#[test]
fn a_key_that_is_revoked_is_let_in_no_longer_but_who_is_in_stays() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().allow_keys([keys.stranger.public()]).pull().unwrap();
    let (socket, friend) = (pull.socket(), keys.friend_of(&pull.socket()));
    let inside = friend.push().unwrap();
    inside.send(&["before"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"before"]);
    socket.revoke_keys([keys.friend.public()]).unwrap();
    // The other has not been revoked.
    assert_turned_away(&pull, &friend, &keys.stranger_of(&socket));
    inside.send(&["after"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"after"]);
}

#[test]
fn a_revoked_key_that_a_file_has_too_is_still_let_in() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-revoked"));
    let file = folder.0.join("friend.key");
    keys.friend.public().save(&file).unwrap();
    let pull = keys.server().allow_keys_in(&file).pull().unwrap();
    let friend = keys.friend_of(&pull.socket());
    pull.socket().revoke_keys([keys.friend.public()]).unwrap();
    assert_let_in(&pull, &friend);
    // So it is revoked in both places.
    put(&file, "");
    await_denial(&friend);
}

#[test]
fn keys_are_changed_all_at_once_or_not_at_all() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    let socket = pull.socket();
    let (friend, stranger) = (keys.friend.public().as_ref(), keys.stranger.public().as_ref());
    assert_eq!(kind_of(socket.allow_keys([stranger, "short"])), ErrorKind::InvalidInput);
    assert_eq!(kind_of(socket.revoke_keys([friend, "short"])), ErrorKind::InvalidInput);
    assert_turned_away(&pull, &keys.stranger_of(&socket), &keys.friend_of(&socket));
}

// Keys in files.

#[test]
fn the_key_in_a_file_is_let_in() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-file"));
    let file = folder.0.join("friend");
    keys.friend.public().save(&file).unwrap();
    let pull = keys.server_for_no_one().allow_keys_in(&file).pull().unwrap();
    let socket = pull.socket();
    assert_turned_away(&pull, &keys.stranger_of(&socket), &keys.friend_of(&socket));
}

#[test]
fn the_keys_in_a_list_are_let_in_and_its_remarks_are_not_minded() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-list"));
    let other = Keypair::generate().unwrap();
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
        assert_turned_away(&pull, &keys.client(&socket, no_one), &keys.friend_of(&socket));
    }
}

#[test]
fn of_a_folder_the_key_files_are_let_in_and_no_others() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-folder"));
    let other = Keypair::generate().unwrap();
    keys.friend.public().save(folder.0.join("friend.key")).unwrap();
    fs::write(folder.0.join("list.key"), other.public().to_string()).unwrap();
    // None of these is looked at.
    keys.stranger.save(folder.0.join("stranger.key_secret")).unwrap();
    keys.stranger.public().save(folder.0.join("stranger.key.old")).unwrap();
    keys.stranger.public().save(folder.0.join("key")).unwrap();
    fs::write(folder.0.join("README"), "no key").unwrap();
    fs::create_dir(folder.0.join("more")).unwrap();
    keys.stranger.public().save(folder.0.join("more/stranger.key")).unwrap();
    fs::create_dir(folder.0.join("folder.key")).unwrap();
    symlink("nowhere", folder.0.join(".#friend.key")).unwrap();
    let pull = keys.server_for_no_one().allow_keys_in(&folder.0).pull().unwrap();
    let socket = pull.socket();
    assert_let_in(&pull, &keys.client(&socket, &other));
    assert_turned_away(&pull, &keys.stranger_of(&socket), &keys.friend_of(&socket));
}

#[test]
fn files_that_come_go_and_change_take_effect_while_the_server_runs() {
    if !has_curve() {
        return;
    }
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
    assert_turned_away(&pull, &stranger, &friend);
    put(&list, keys.stranger.public().as_ref());
    fs::remove_file(clients.join("friend.key")).unwrap();
    assert_turned_away(&pull, &friend, &stranger);
    put(&list, keys.friend.public().as_ref());
    assert_turned_away(&pull, &stranger, &friend);
}

/// Looks whether a client waits while the server's file is as it should not be, and comes in once it is mended.
fn assert_comes_in_when_mended(name: &str, spoil: impl Fn(&Path)) {
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new(name));
    let file = folder.0.join("friends");
    let mended = keys.friend.public().as_ref();
    fs::write(&file, mended).unwrap();
    let mut server = keys.server_for_no_one();
    // After which libzmq lets those try again who got no answer, half a minute later if it is not told otherwise. It
    // is longer than refusals are delayed, so that a client that was refused would be told, and would not try again.
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
    // It is not one whom the file might let in.
    assert_let_in(&pull, &keys.stranger_of(&pull.socket()));
    assert_eq!(kind_of(pull.try_recv()), ErrorKind::WouldBlock);
    push.try_send(&["and again"])
        .expect("it is not told, and its queue has room");

    put(&file, mended);
    assert_eq!(pull.recv().unwrap(), [b"at last"]);
    assert_eq!(pull.recv().unwrap(), [b"and again"]);
}

#[test]
fn clients_wait_while_a_file_is_malformed_and_come_in_once_it_is_mended() {
    if !has_curve() {
        return;
    }
    assert_comes_in_when_mended("curve-malformed", |file| put(file, "no key"));
}

#[test]
fn clients_wait_while_a_file_is_missing_and_come_in_once_it_is_there() {
    if !has_curve() {
        return;
    }
    assert_comes_in_when_mended("curve-missing", |file| fs::remove_file(file).unwrap());
}

#[test]
fn files_that_are_missing_or_malformed_when_the_server_opens_are_errors_that_name_them() {
    if !has_curve() {
        return;
    }
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

// Keys as text and in files.

#[test]
fn each_keypair_is_another() {
    if !has_curve() {
        return;
    }
    let keypairs: Vec<_> = (0..20).map(|_| Keypair::generate().unwrap()).collect();
    for (index, keypair) in keypairs.iter().enumerate() {
        assert_ne!(keypair.public().as_ref(), keypair.secret());
        for other in &keypairs[..index] {
            assert_ne!(keypair, other);
            assert_ne!(keypair.public(), other.public());
            assert_ne!(keypair.secret(), other.secret());
        }
        // What is made can be told, and read again.
        assert_eq!(Keypair::new(keypair.public(), keypair.secret()).unwrap(), *keypair);
        assert_eq!(
            keypair.public().to_string().parse::<PublicKey>().unwrap(),
            *keypair.public()
        );
    }
}

#[test]
fn keys_in_files_are_read_as_they_were_written() {
    let folder = Folder::new("curve-saved");
    let (secret_file, public_file) = (folder.0.join("server.key_secret"), folder.0.join("server.key"));
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    keypair.save(&secret_file).unwrap();
    keypair.public().save(&public_file).unwrap();
    assert_eq!(Keypair::load(&secret_file).unwrap(), keypair);
    assert_eq!(PublicKey::load(&public_file).unwrap(), *keypair.public());
    // A keypair's file has a public key in it too.
    assert_eq!(PublicKey::load(&secret_file).unwrap(), *keypair.public());
    assert!(!fs::read_to_string(&public_file).unwrap().contains(SECRET));
    let error = Keypair::load(&public_file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("no secret key"), "{error}");
}

#[test]
fn a_secret_key_is_written_to_a_file_of_its_owner_alone_and_over_no_other() {
    let folder = Folder::new("curve-mode");
    let file = folder.0.join("server.key_secret");
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    keypair.save(&file).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let written = fs::read(&file).unwrap();
    for outcome in [keypair.save(&file), keypair.public().save(&file)] {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let message = error.to_string();
        assert!(
            message.contains(&*file.to_string_lossy()) && message.contains("remove the file first"),
            "{message}"
        );
    }
    assert_eq!(fs::read(&file).unwrap(), written);
}

#[test]
fn folders_and_files_that_are_not_there_are_named() {
    let folder = Folder::new("curve-nowhere");
    let file = folder.0.join("nowhere/server.key_secret");
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let errors = [
        keypair.save(&file).unwrap_err(),
        keypair.public().save(&file).unwrap_err(),
        Keypair::load(&file).unwrap_err(),
        PublicKey::load(&file).unwrap_err(),
        PublicKey::load(&folder.0).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(&*folder.0.to_string_lossy()), "{error}");
    }
}

/// As many cases as proptest makes by itself, without a file that keeps those that fail: each belongs into a test of its
/// own.
fn cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        // In milliseconds: what fails by waiting is shown before the watchdog bites.
        max_shrink_time: 30_000,
        ..ProptestConfig::default()
    }
}

/// Any text, and many a text that is nearly a key.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9a-zA-Z.:+=^!/*?&<>()\\[\\]{}@%$#-]{38,42}",
        "[0-9a-f]{40}",
        "[ -~é]{40}",
    ]
}

#[test]
fn any_text_is_a_key_or_an_error() {
    proptest!(cases(), |(text in text())| {
        match text.parse::<PublicKey>() {
            Ok(key) => {
                prop_assert_eq!(text.len(), 40);
                prop_assert_eq!(key.to_string(), text.clone());
                // Whatever is taken for a key, libzmq takes for one too: it reads 32 bytes, which are written so.
                prop_assert_eq!(zmq::z85_encode(&zmq::z85_decode(&text).unwrap()).unwrap(), text);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
                prop_assert!(error.to_string().contains(&text.escape_debug().to_string()), "{error}");
            }
        }
    });
}

#[test]
fn no_key_begins_with_the_sign_of_a_comment() {
    // The five characters of the least such key are more than 32 bits already. So a line of a list is the one or the other.
    proptest!(cases(), |(rest in "[0-9a-zA-Z.:+=^!/*?&<>()\\[\\]{}@%$#-]{39}")| {
        prop_assert!(["#", &rest].concat().parse::<PublicKey>().is_err());
    });
    assert!(format!("#{}", "0".repeat(39)).parse::<PublicKey>().is_err());
}

#[test]
fn any_text_is_a_secret_key_or_an_error_that_does_not_show_it() {
    proptest!(cases(), |(text in text())| {
        match Keypair::new(PUBLIC, &text) {
            Ok(keypair) => prop_assert_eq!(keypair.secret(), text),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
                // What is shorter is in every other sentence.
                prop_assert!(text.len() < 20 || !format!("{error}{error:?}").contains(&text), "{error}");
            }
        }
    });
}

/// Any bytes, and many a file that is nearly one of keys.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => select(vec![
            "curve",
            "    curve  ",
            "metadata",
            "# a comment",
            "#",
            "",
            "\r",
            "\u{feff}",
            "public-key",
            "public-key =",
            "public-key = \"",
            "public-key = \"short\"",
            "secret-key = \"short\"",
        ])
        .prop_map(str::to_owned),
        2 => select(vec![
            format!("{PUBLIC}"),
            format!("  {PUBLIC} a remark"),
            format!("public-key = \"{PUBLIC}\""),
            format!("public-key={PUBLIC}"),
            format!("secret-key = \"{SECRET}\""),
            format!("secret-key={SECRET}"),
            format!("secret-key = \"{SECRET}x\""),
            format!("secret-key=\"{SECRET}x\""),
        ]),
        1 => any::<String>(),
    ];
    prop_oneof![
        3 => prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n").into_bytes()),
        1 => any::<Vec<u8>>(),
    ]
}

fn assert_tells_of_file(error: &Error, path: &Path) -> std::result::Result<(), TestCaseError> {
    let shown = format!("{error}{error:?}");
    prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
    prop_assert!(shown.contains(&*path.to_string_lossy()), "{}", shown);
    prop_assert!(!shown.contains(SECRET), "{}", shown);
    Ok(())
}

#[test]
fn any_file_has_keys_or_is_an_error_that_names_it_and_shows_no_secret() {
    let folder = Folder::new("curve-any-file");
    let path = folder.0.join("file");
    proptest!(cases(), |(bytes in file())| {
        fs::write(&path, &bytes).unwrap();
        match PublicKey::load(&path) {
            Ok(key) => prop_assert!(String::from_utf8(bytes.clone()).unwrap().contains(key.as_ref())),
            Err(error) => assert_tells_of_file(&error, &path)?,
        }
        match Keypair::load(&path) {
            Ok(keypair) => prop_assert_eq!((keypair.public().as_ref(), keypair.secret()), (PUBLIC, SECRET)),
            Err(error) => assert_tells_of_file(&error, &path)?,
        }
    });
}

#[test]
fn any_file_lets_in_keys_or_is_an_error_that_names_it_and_shows_no_secret() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let (keys, folder) = (Keys::new(), Folder::new("curve-any-list"));
    let path = folder.0.join("file.key");
    // So that the context is not made anew for each case.
    let _open = Server::new(0).pull().unwrap();
    proptest!(cases(), |(bytes in file(), whole_folder: bool)| {
        fs::write(&path, &bytes).unwrap();
        let mut server = keys.server_for_no_one();
        server.allow_keys_in(if whole_folder { &folder.0 } else { &path });
        if let Err(error) = server.pull() {
            assert_tells_of_file(&error, &path)?;
        }
    });
}

#[test]
fn secret_keys_are_not_shown_by_what_has_them() {
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let mut client = Client::new();
    client.curve(PUBLIC, &keypair);
    let mut server = Server::new(0);
    server.curve(&keypair).allow_keys([PUBLIC]);
    // A recipe with a fault shows that, too.
    let mut faulty = Client::new();
    faulty.curve("short", &keypair);
    let slip = Keypair::new(PUBLIC, format!("{SECRET}x")).unwrap_err();
    let shown = format!("{keypair:?} {keypair:#?} {client:?} {server:#?} {faulty:?} {slip} {slip:?}");
    assert!(shown.contains(PUBLIC) && shown.contains("short"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    let raw = format!("{:?}", zmq::z85_decode(SECRET).unwrap());
    assert!(!shown.contains(raw.trim_matches(['[', ']'])), "{shown}");
}

// What can never work.

#[test]
fn without_curve_the_errors_say_how_to_get_it() {
    if has_curve() {
        return;
    }
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let errors = [
        Keypair::generate().unwrap_err(),
        Server::new(0).curve(&keypair).allow_keys([PUBLIC]).pull().unwrap_err(),
        Server::new(0).curve(&keypair).allow_any_key().reply().unwrap_err(),
        Client::new()
            .connect_local(9)
            .curve(PUBLIC, &keypair)
            .push()
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let message = error.to_string();
        for what in ["feature `curve`", "README", "without CURVE"] {
            assert!(message.contains(what), "{message}");
        }
    }
}

#[test]
fn what_does_not_go_with_keys_is_an_error_that_says_so() {
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let mut both = Server::new(0);
    both.curve(&keypair).plain(|_, _| true);
    let cases: [(Result<Receiver>, &str); 4] = [
        (both.pull(), "both curve and plain"),
        (Server::new(0).allow_keys([PUBLIC]).pull(), "call curve"),
        (Server::new(0).allow_keys_in("clients").pull(), "call curve"),
        (Client::new().curve("short", &keypair).pull(), "40 characters"),
    ];
    for (outcome, what) in cases {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    assert_eq!(kind_of(Server::new(0).curve(&keypair).stream()), ErrorKind::Unsupported);
    assert_eq!(
        kind_of(Client::new().curve(PUBLIC, &keypair).stream()),
        ErrorKind::Unsupported
    );
}

#[test]
fn configure_can_neither_open_a_server_of_curve_nor_make_one() {
    if !has_curve() {
        return;
    }
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
        assert!(error.to_string().contains("not for configure"), "{error}");
    }
    // That one is for libzmq to refuse.
    let error = keys.server().configure(|socket| socket.set_zap_domain("")).pull();
    assert_eq!(kind_of(error), ErrorKind::InvalidInput);
}

// What others see.

/// What goes to and fro while a client asks a server something, as someone sees it who listens in between.
fn overheard(server: &Server, client: &Client) -> Vec<u8> {
    let (reply, requests) = server.reply().unwrap();
    let relay = Relay::to(requests.socket().port().unwrap());
    relay.record();
    let mut client = client.clone();
    let (request, replies) = client.connect_local(relay.port()).request().unwrap();
    request.send(&["what is the plan?"]).unwrap();
    assert_eq!(requests.recv().unwrap(), [b"what is the plan?"]);
    reply.send(&["attack at dawn"]).unwrap();
    assert_eq!(replies.recv().unwrap(), [b"attack at dawn"]);
    relay.recording().concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn whoever_listens_on_the_network_learns_neither_messages_nor_keys() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let overheard = overheard(&keys.server(), Client::new().curve(keys.server.public(), &keys.friend));
    assert!(contains(&overheard, b"CURVE"), "it has listened");
    let messages = ["what is the plan?", "attack at dawn", "Socket-Type"].map(str::as_bytes);
    // The client's public key too: who talks to the server is not for others to know.
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

#[test]
fn without_curve_whoever_listens_on_the_network_learns_everything() {
    let _watchdog = watchdog();
    // So the test above would fail if there were no encryption.
    let overheard = overheard(
        Server::new(0).plain_users([("ada", "enchantress")]),
        Client::new().plain("ada", "enchantress"),
    );
    for secret in ["what is the plan?", "attack at dawn", "enchantress", "Socket-Type"] {
        assert!(contains(&overheard, secret.as_bytes()), "{secret}");
    }
}

// Many clients, and all patterns.

#[test]
fn hundreds_of_strangers_are_refused_while_a_friend_is_served() {
    const STRANGERS: usize = 200;
    const AT_A_TIME: usize = 50;
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    let mut stranger = keys.stranger_of(&pull.socket());
    stranger.linger(Duration::ZERO);
    // These are not told, and are at it as long as they are there.
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

#[test]
fn servers_and_clients_that_close_while_they_shake_hands_do_not_hang() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    for round in 0..100 {
        let pull = keys.server().pull().unwrap();
        let (mut friend, mut stranger) = (keys.friend_of(&pull.socket()), keys.stranger_of(&pull.socket()));
        let (friend, stranger) = (friend.linger(Duration::ZERO), stranger.linger(Duration::ZERO));
        let clients = [(); 3].map(|()| [friend.push().unwrap(), stranger.push().unwrap()]);
        // Each time at another moment of the handshake, which takes about a millisecond.
        thread::sleep(Duration::from_micros(round / 2 * 50));
        match round % 2 {
            0 => drop((pull, clients)),
            _ => drop((clients, pull)),
        }
    }
}

/// A message of large frames, of small ones and of an empty one, which begins so.
fn large(first: &str) -> Message {
    let megabyte: Vec<u8> = (0..1_u32 << 20).map(|number| (number % 251) as u8).collect();
    vec![first.into(), megabyte.clone(), Vec::new(), b"small".to_vec(), megabyte]
}

/// Sends a large message from one end to the other.
fn assert_arrives(from: &Sender, to: &Receiver) {
    from.send(&large("first")).unwrap();
    // Without showing megabytes where it does not.
    assert!(to.recv().unwrap() == large("first"));
}

#[test]
fn push_and_pull_work_with_keys() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let pull = keys.server().pull().unwrap();
    assert_arrives(&keys.friend_of(&pull.socket()).push().unwrap(), &pull);
    let push = keys.server().push().unwrap();
    let pull = keys.friend_of(&push.socket()).pull().unwrap();
    assert_arrives(&push, &pull);
}

#[test]
fn publish_and_subscribe_work_with_keys() {
    if !has_curve() {
        return;
    }
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
fn request_and_reply_work_with_keys() {
    if !has_curve() {
        return;
    }
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
fn pairs_work_with_keys() {
    if !has_curve() {
        return;
    }
    let _watchdog = watchdog();
    let keys = Keys::new();
    let (say, hear) = keys.server().pair().unwrap();
    let (answer, listen) = keys.friend_of(&hear.socket()).pair().unwrap();
    assert_arrives(&answer, &hear);
    assert_arrives(&say, &listen);
}

#[test]
fn dealers_and_routers_work_with_keys() {
    if !has_curve() {
        return;
    }
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
fn xpublish_and_xsubscribe_work_with_keys() {
    if !has_curve() {
        return;
    }
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
