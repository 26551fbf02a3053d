//! Which clients a server lets in by address.

use zeroless::{Client, ErrorKind, Receiver, Server};

use crate::support::{Folder, assert_denied, assert_let_in, client_of, watchdog};
use crate::{client_as, client_from, kind_of, server_for_ada};

#[test]
fn lets_in_allowed_and_not_denied() {
    let _watchdog = watchdog();
    type Addresses = &'static [&'static str];
    let cases: [(Option<Addresses>, Addresses, bool); 15] = [
        (Some(&["127.0.0.1"]), &[], true),
        (Some(&["127.0.0.0/8"]), &[], true),
        (Some(&["10.0.0.0/8", "127.0.0.1/32"]), &[], true),
        (Some(&["::ffff:127.0.0.1"]), &[], true),
        (Some(&["0.0.0.0/0"]), &["127.0.0.2"], true),
        (None, &["127.0.0.2", "10.0.0.0/8"], true),
        (Some(&["127.0.0.2"]), &[], false),
        (Some(&["::1"]), &[], false),
        (Some(&["127.0.0.0/8"]), &["127.0.0.1"], false),
        (Some(&[]), &[], false),
        (None, &["127.0.0.0/8"], false),
        (None, &["::ffff:0:0/96"], false),
        (None, &["::/0"], true),
        (None, &["::/0", "0.0.0.0/0"], false),
        (Some(&["::/0"]), &[], false),
    ];
    for (allowed, denied, is_let_in) in cases {
        let mut server = Server::new(0);
        allowed.map(|allowed| server.allow(allowed));
        let (reply, requests) = server.deny(denied).reply().unwrap();
        let (request, replies) = client_of(&requests).request().unwrap();
        request(&[b"hello"]).unwrap();
        if is_let_in {
            reply.send(&requests.recv().unwrap()).unwrap();
            assert_eq!(
                replies.recv().unwrap(),
                [b"hello"],
                "allowed {allowed:?}, denied {denied:?}"
            );
        } else {
            assert_eq!(
                kind_of(replies.recv()),
                ErrorKind::Denied,
                "allowed {allowed:?}, denied {denied:?}"
            );
            assert_eq!(kind_of(requests.try_recv()), ErrorKind::WouldBlock);
        }
    }
}

#[test]
fn tells_clients_apart() {
    let _watchdog = watchdog();
    let pull = Server::public(0).allow(["127.0.0.2"]).pull().unwrap();
    assert_denied(&pull, &client_of(&pull), &client_from("127.0.0.2", &pull));
}

#[test]
fn ipv4_client_of_ipv6_server() {
    let _watchdog = watchdog();
    let pull = Server::at("tcp://[::]:0").allow(["127.0.0.1"]).pull().unwrap();
    assert_let_in(&pull, &client_of(&pull));
    let pull = Server::at("tcp://[::]:0").deny(["127.0.0.1"]).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let mut near = Client::new();
    near.connect("::1", port);
    assert_denied(&pull, &client_of(&pull), &near);
}

#[test]
fn ipv6_networks_are_not_about_ipv4_clients() {
    let _watchdog = watchdog();
    let near = |pull: &Receiver| {
        let mut near = Client::new();
        near.connect("::1", pull.socket().port().unwrap());
        near
    };
    let pull = Server::at("tcp://[::]:0").deny(["::/0"]).pull().unwrap();
    assert_denied(&pull, &near(&pull), &client_of(&pull));
    let pull = Server::at("tcp://[::]:0").allow(["::/0"]).pull().unwrap();
    assert_denied(&pull, &client_of(&pull), &near(&pull));
}

#[test]
fn password_and_address_must_both_match() {
    let _watchdog = watchdog();
    let pull = server_for_ada()
        .allow(["127.0.0.2"])
        .also_at("tcp://127.0.0.2:0")
        .pull()
        .unwrap();
    let endpoints = pull.socket().endpoints();
    let far = endpoints[1].replace("tcp://", "tcp://127.0.0.2:0;");
    let mut ada = Client::new();
    ada.connect_to(&far).plain("ada", "enchantress");
    let mut eve = Client::new();
    eve.connect_to(&far).plain("eve", "enchantress");
    assert_denied(&pull, &client_as(&pull, "ada", "enchantress"), &ada);
    assert_denied(&pull, &eve, &ada);
}

#[test]
fn ipc_has_passwords_but_no_addresses() {
    let _watchdog = watchdog();
    let folder = Folder::new("access");
    let (by_address, by_password) = (folder.ipc("address"), folder.ipc("password"));
    let (_, requests) = Server::at(&by_address).allow(["0.0.0.0/0", "::/0"]).reply().unwrap();
    let (request, replies) = Client::new().connect_to(&by_address).request().unwrap();
    request(&[b"hello"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::Denied);
    assert_eq!(kind_of(requests.try_recv()), ErrorKind::WouldBlock);

    let denies_all = folder.ipc("denies");
    let pull = Server::at(&denies_all).deny(["0.0.0.0/0", "::/0"]).pull().unwrap();
    assert_let_in(&pull, Client::new().connect_to(&denies_all));

    let pull = Server::at(&by_password)
        .plain_users([("ada", "enchantress")])
        .pull()
        .unwrap();
    assert_denied(
        &pull,
        Client::new().connect_to(&by_password).plain("eve", "enchantress"),
        Client::new().connect_to(&by_password).plain("ada", "enchantress"),
    );
}
