//! Keys between zeroless and pyzmq, on a libzmq that has CURVE.

use zeroless::{ErrorKind, Keypair, Server};

use crate::security::{A_WHILE, Replier, ask, assert_denied, run};
use crate::support::{Folder, new_keypair};

/// The value of zmq.auth.CURVE_ALLOW_ANY.
const ANY_KEY: &str = "*";

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn server_lets_in_allowed_key() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_keys([theirs.public()]));
        server.assert_lets_in_python(python.connect(&server, &as_owner_of(&theirs, &ours)));
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn server_refuses_other_key() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_keys([theirs.public()]));
        let stranger = python.connect(&server, &as_owner_of(&new_keypair(), &ours));
        server.assert_refuses(stranger, server.client().curve(ours.public(), &theirs));
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn server_lets_in_any_key() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_any_key());
        server.assert_lets_in_python(python.connect(&server, &as_owner_of(&theirs, &ours)));
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn server_gets_nothing_from_mistaken_client() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_keys([theirs.public()]));
        let mistaken = python.connect(&server, &as_owner_of(&theirs, &new_keypair()));
        server.assert_refuses(mistaken, server.client().curve(ours.public(), &theirs));
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn client_is_let_in_by_key_in_folder() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let folder = Folder::new("python-lets-in");
        ours.public().save(folder.0.join("ada.key")).unwrap();
        let (mut server, client) = python.serve(&["curve_server", theirs.secret(), folder.0.to_str().unwrap()]);
        assert_denied(client.clone().curve(theirs.public(), &new_keypair()));
        server.assert_lets_in(client.clone().curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn client_is_let_in_by_any_key() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let (mut server, mut client) = python.serve(&["curve_server", theirs.secret(), ANY_KEY]);
        server.assert_lets_in(client.curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn mistaken_client_sends_nothing() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let (mut server, client) = python.serve(&["curve_server", theirs.secret(), ANY_KEY]);
        let mut mistaken = client.clone();
        mistaken.curve(new_keypair().public(), &ours);
        // It is not denied but keeps trying, because the right server may start later.
        assert_eq!(ask(&mistaken, A_WHILE), Err(ErrorKind::TimedOut));
        server.assert_lets_in(client.clone().curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn server_refuses_missing_key() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_any_key());
        for how in [&["null"][..], &["plain_client", "ada", "enchantress"]] {
            let stranger = python.connect(&server, how);
            server.assert_refuses(stranger, server.client().curve(ours.public(), &theirs));
        }
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn client_without_key_is_refused() {
    run(|python| {
        let (ours, theirs) = keypairs();
        let (mut server, client) = python.serve(&["curve_server", theirs.secret(), ANY_KEY]);
        assert_denied(&client);
        assert_denied(client.clone().plain("ada", "enchantress"));
        server.assert_lets_in(client.clone().curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python and CURVE: see CONTRIBUTING.md"]
fn server_lets_in_keys_written_by_python() {
    run(|python| {
        let ours = new_keypair();
        let (allowed, others) = (Folder::new("python-allowed"), Folder::new("python-others"));
        for name in ["ada", "grace"] {
            python.make_certificates(&allowed, name);
        }
        python.make_certificates(&others, "eve");
        let server = Replier::new(Server::new(0).curve(&ours).allow_keys_in(&allowed.0));
        let load = |folder: &Folder, name: &str| Keypair::load(folder.0.join(name)).unwrap();
        let grace = load(&allowed, "grace.key_secret");
        for friend in [load(&allowed, "ada.key_secret"), grace.clone()] {
            server.assert_lets_in_python(python.connect(&server, &as_owner_of(&friend, &ours)));
        }
        let eve = load(&others, "eve.key_secret");
        let stranger = python.connect(&server, &as_owner_of(&eve, &ours));
        server.assert_refuses(stranger, server.client().curve(ours.public(), &grace));
    });
}

fn keypairs() -> (Keypair, Keypair) {
    (new_keypair(), new_keypair())
}

/// The arguments of a Python client that owns `keypair`, and expects the server to own the other one.
fn as_owner_of<'a>(keypair: &'a Keypair, server: &'a Keypair) -> [&'a str; 4] {
    [
        "curve_client",
        server.public().as_ref(),
        keypair.public().as_ref(),
        keypair.secret(),
    ]
}
