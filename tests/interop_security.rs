//! Whom zeroless lets in of pyzmq's clients, and which servers of pyzmq's let in those of zeroless.
//!
//! Left out unless `ZEROLESS_PYTHON` names a Python that has both, as in `interop.rs`. Those with CURVE are also left
//! out where libzmq has none; if `ZEROLESS_CURVE` is set, they fail there instead:
//!
//! ```text
//! export ZEROLESS_PYTHON=venv/bin/python ZEROLESS_CURVE=1
//! cargo test --features curve --test interop_security
//! ```
//!
//! The Python end is `interop/secure_peer.py`. A client there tells how its handshake has ended. A server there lets in
//! whom pyzmq's own authenticator does.

mod support;

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};
use std::time::Duration;

use support::python::{Peer, interpreter};
use support::{Folder, client_of_port, leave_out, watchdog};
use zeroless::{Client, ErrorKind, Keypair, PublicKey, Receiver, Sender, Server};

/// How long a socket waits for what should come at once: a failure is better than a hang.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Long enough for what is to come to have come, where nothing is to come.
const A_WHILE: Duration = Duration::from_secs(1);

/// What zmq.auth.CURVE_ALLOW_ANY is.
const ANY_KEY: &str = "*";

#[test]
fn zeroless_lets_in_a_python_client_with_the_right_password() {
    run(|python| {
        let server = Replier::new(Server::new(0).plain_users([("ada", "enchantress")]));
        server.assert_lets_in_python(python.connect(&server, &["plain_client", "ada", "enchantress"]));
    });
}

#[test]
fn zeroless_turns_away_a_python_client_with_a_wrong_password() {
    run(|python| {
        let server = Replier::new(Server::new(0).plain_users([("ada", "enchantress")]));
        let stranger = python.connect(&server, &["plain_client", "ada", "enchantres"]);
        server.assert_turns_away(stranger, server.client().plain("ada", "enchantress"));
    });
}

#[test]
fn python_lets_in_a_zeroless_client_with_the_right_password() {
    run(|python| {
        let (mut server, mut client) = python.serve(&["plain_server", "ada", "enchantress"]);
        server.assert_lets_in(client.plain("ada", "enchantress"));
        server.0.ends_well();
    });
}

#[test]
fn python_turns_away_a_zeroless_client_with_a_wrong_password() {
    run(|python| {
        let (mut server, client) = python.serve(&["plain_server", "ada", "enchantress"]);
        await_denial(client.clone().plain("ada", "enchantres"));
        server.assert_lets_in(client.clone().plain("ada", "enchantress"));
        server.0.ends_well();
    });
}

#[test]
fn zeroless_lets_in_a_python_client_whose_key_is_allowed() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_keys([theirs.public()]));
        server.assert_lets_in_python(python.connect(&server, &as_owner_of(&theirs, &ours)));
    });
}

#[test]
fn zeroless_turns_away_a_python_client_whose_key_is_not_allowed() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_keys([theirs.public()]));
        let stranger = python.connect(&server, &as_owner_of(&Keypair::generate().unwrap(), &ours));
        server.assert_turns_away(stranger, server.client().curve(ours.public(), &theirs));
    });
}

#[test]
fn zeroless_lets_in_a_python_client_with_any_key_where_any_is_allowed() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_any_key());
        server.assert_lets_in_python(python.connect(&server, &as_owner_of(&theirs, &ours)));
    });
}

#[test]
fn zeroless_gets_nothing_of_a_python_client_that_takes_it_for_another_server() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_keys([theirs.public()]));
        let mistaken = python.connect(&server, &as_owner_of(&theirs, &Keypair::generate().unwrap()));
        server.assert_turns_away(mistaken, server.client().curve(ours.public(), &theirs));
    });
}

#[test]
fn python_lets_in_a_zeroless_client_whose_key_is_in_its_folder_and_no_other() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let folder = Folder::new("python-lets-in");
        ours.public().save(folder.0.join("ada.key")).unwrap();
        let (mut server, client) = python.serve(&["curve_server", theirs.secret(), folder.0.to_str().unwrap()]);
        await_denial(client.clone().curve(theirs.public(), &Keypair::generate().unwrap()));
        server.assert_lets_in(client.clone().curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
fn python_lets_in_a_zeroless_client_with_any_key_where_any_is_allowed() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let (mut server, mut client) = python.serve(&["curve_server", theirs.secret(), ANY_KEY]);
        server.assert_lets_in(client.curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
fn python_gets_nothing_of_a_zeroless_client_that_takes_it_for_another_server() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let (mut server, client) = python.serve(&["curve_server", theirs.secret(), ANY_KEY]);
        let mut mistaken = client.clone();
        mistaken.curve(Keypair::generate().unwrap().public(), &ours);
        // It is not turned away, but goes on trying: the right server may be there one day.
        assert_eq!(ask(&mistaken), Err(ErrorKind::TimedOut));
        server.assert_lets_in(client.clone().curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
fn zeroless_turns_away_a_python_client_whose_address_is_denied() {
    run(|python| {
        let server = Replier::new(Server::new(0).deny(["127.0.0.1"]));
        server.assert_turns_away(python.connect(&server, &["null"]), &client_from_afar(server.port()));
    });
}

#[test]
fn python_turns_away_a_zeroless_client_whose_address_is_denied() {
    run(|python| {
        let (mut server, client) = python.serve(&["denying_server", "127.0.0.1"]);
        await_denial(&client);
        server.assert_lets_in(&client_from_afar(server.1));
        server.0.ends_well();
    });
}

#[test]
fn zeroless_turns_away_python_clients_that_say_no_password_where_one_is_wanted() {
    run(|python| {
        let server = Replier::new(Server::new(0).plain_users([("ada", "enchantress")]));
        server.assert_turns_away(
            python.connect(&server, &["null"]),
            server.client().plain("ada", "enchantress"),
        );
    });
}

#[test]
fn zeroless_turns_away_python_clients_that_say_a_password_where_none_is_wanted() {
    run(|python| {
        let server = Replier::new(&Server::new(0));
        let stranger = python.connect(&server, &["plain_client", "ada", "enchantress"]);
        server.assert_turns_away(stranger, &server.client());
    });
}

#[test]
fn zeroless_turns_away_python_clients_that_have_no_key_where_one_is_wanted() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let server = Replier::new(Server::new(0).curve(&ours).allow_any_key());
        for how in [&["null"][..], &["plain_client", "ada", "enchantress"]] {
            let stranger = python.connect(&server, how);
            server.assert_turns_away(stranger, server.client().curve(ours.public(), &theirs));
        }
    });
}

#[test]
fn python_turns_away_zeroless_clients_that_say_no_password_where_one_is_wanted() {
    run(|python| {
        let (mut server, client) = python.serve(&["plain_server", "ada", "enchantress"]);
        await_denial(&client);
        server.assert_lets_in(client.clone().plain("ada", "enchantress"));
        server.0.ends_well();
    });
}

#[test]
fn python_turns_away_zeroless_clients_that_say_a_password_where_none_is_wanted() {
    run(|python| {
        let (mut server, client) = python.serve(&["null"]);
        await_denial(client.clone().plain("ada", "enchantress"));
        server.assert_lets_in(&client);
        server.0.ends_well();
    });
}

#[test]
fn python_turns_away_zeroless_clients_that_have_no_key_where_one_is_wanted() {
    run_with_curve(|python| {
        let (ours, theirs) = keypairs();
        let (mut server, client) = python.serve(&["curve_server", theirs.secret(), ANY_KEY]);
        await_denial(&client);
        await_denial(client.clone().plain("ada", "enchantress"));
        server.assert_lets_in(client.clone().curve(theirs.public(), &ours));
        server.0.ends_well();
    });
}

#[test]
fn zeroless_reads_the_keys_that_python_has_written() {
    run(|python| {
        let folder = Folder::new("python-writes");
        let (public, secret) = python.make_certificates(&folder, "ada");
        let theirs = Keypair::new(public, secret).unwrap();
        assert_eq!(Keypair::load(folder.0.join("ada.key_secret")).unwrap(), theirs);
        assert_eq!(PublicKey::load(folder.0.join("ada.key")).unwrap(), *theirs.public());
        assert_eq!(
            PublicKey::load(folder.0.join("ada.key_secret")).unwrap(),
            *theirs.public()
        );
    });
}

#[test]
fn python_reads_the_keys_that_zeroless_has_written() {
    run(|python| {
        let folder = Folder::new("zeroless-writes");
        // Those of libzmq's manual: making new ones takes CURVE.
        let (public, secret) = (
            "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
            "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
        );
        let ours = Keypair::new(public, secret).unwrap();
        ours.save(folder.0.join("ada.key_secret")).unwrap();
        ours.public().save(folder.0.join("ada.key")).unwrap();
        let load = "import sys, zmq.auth\nprint(zmq.auth.load_certificate(sys.argv[1]))";
        assert_eq!(
            python.run(load, [folder.0.join("ada.key_secret")]),
            format!("(b'{public}', b'{secret}')")
        );
        assert_eq!(
            python.run(load, [folder.0.join("ada.key")]),
            format!("(b'{public}', None)")
        );
        let load = "import sys, zmq.auth\nprint(zmq.auth.load_certificates(sys.argv[1]))";
        assert_eq!(python.run(load, [&folder.0]), format!("{{b'{public}': True}}"));
    });
}

#[test]
fn zeroless_lets_in_python_clients_whose_keys_are_in_a_folder_as_python_writes_them() {
    run_with_curve(|python| {
        let ours = Keypair::generate().unwrap();
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
        server.assert_turns_away(stranger, server.client().curve(ours.public(), &grace));
    });
}

/// Runs a test with Python, if there is one.
fn run(test: impl FnOnce(Python)) {
    let _watchdog = watchdog();
    if let Some(interpreter) = interpreter() {
        test(Python(interpreter));
    }
}

/// Runs a test with Python, if there is one, and if there is CURVE.
fn run_with_curve(test: impl FnOnce(Python)) {
    let libzmq = zeroless::libzmq();
    if libzmq.curve() {
        return run(test);
    }
    assert!(
        env::var_os("ZEROLESS_CURVE").is_none(),
        "ZEROLESS_CURVE is set, but this is {libzmq}"
    );
    leave_out(&format!("this is {libzmq}"));
}

struct Python(OsString);

impl Python {
    /// A requester of Python's, a client of that server of ours.
    fn connect(&self, server: &Replier, how: &[&str]) -> Peer {
        self.start("request", server.port(), how).0
    }

    /// A replier of Python's, and the recipe of a client of it.
    fn serve(&self, how: &[&str]) -> (PythonReplier, Client) {
        let (peer, port) = self.start("reply", 0, how);
        (PythonReplier(peer, port), client_of_port(port))
    }

    fn start(&self, role: &str, port: u16, how: &[&str]) -> (Peer, u16) {
        let port = port.to_string();
        Peer::start(&self.0, "secure_peer.py", [&[role, &port], how].concat())
    }

    /// Has Python make a keypair, and write it to a folder; returns the public and the secret key.
    fn make_certificates(&self, folder: &Folder, name: &str) -> (String, String) {
        let code = "import sys, zmq.auth\n\
                    _, path = zmq.auth.create_certificates(*sys.argv[1:], metadata={'name': 'Ada', 'curve': 'no'})\n\
                    print(*(key.decode() for key in zmq.auth.load_certificate(path)))";
        let keys = self.run(code, [folder.0.as_os_str(), name.as_ref()]);
        let (public, secret) = keys.split_once(' ').unwrap();
        (public.to_owned(), secret.to_owned())
    }

    /// What Python prints.
    fn run(&self, code: &str, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> String {
        let mut command = Command::new(&self.0);
        let output = command
            .args(["-c", code])
            .args(arguments)
            .stderr(Stdio::inherit())
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "Python has failed");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// A replier of zeroless.
struct Replier(Sender, Receiver);

impl Replier {
    fn new(server: &Server) -> Replier {
        let (reply, requests) = server.clone().timeout(TIMEOUT).reply().unwrap();
        Replier(reply, requests)
    }

    fn port(&self) -> u16 {
        self.0.socket().port().unwrap()
    }

    /// The recipe of a client of this server.
    fn client(&self) -> Client {
        client_of_port(self.port())
    }

    /// Answers the next request.
    fn answer(&self, request: &str, reply: &str) {
        assert_eq!(self.1.recv().unwrap(), [request.as_bytes()]);
        self.0.send(&[reply]).unwrap();
    }

    fn assert_lets_in_python(&self, mut friend: Peer) {
        friend.send(&[b"hello".to_vec()]);
        assert_eq!(end_of_handshake(&mut friend), "HANDSHAKE_SUCCEEDED");
        self.answer("hello", "welcome");
        assert_eq!(friend.hear(), [b"welcome"]);
        friend.ends_well();
    }

    /// Looks whether a client of Python's is turned away, and this server gets nothing of it but goes on with a friend.
    fn assert_turns_away(&self, mut stranger: Peer, friend: &Client) {
        stranger.send(&[b"from a stranger".to_vec()]);
        let end = end_of_handshake(&mut stranger);
        assert!(end.starts_with("HANDSHAKE_FAILED"), "{end}");
        let (request, replies) = friend.clone().timeout(TIMEOUT).request().unwrap();
        request.send(&["hello"]).unwrap();
        self.answer("hello", "welcome");
        assert_eq!(replies.recv().unwrap(), [b"welcome"]);
        assert_eq!(self.1.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

/// How a client of Python's has fared at its first handshake.
fn end_of_handshake(client: &mut Peer) -> String {
    client.order("await_handshake");
    client.line()
}

/// A replier of pyzmq, and its port.
struct PythonReplier(Peer, u16);

impl PythonReplier {
    /// Looks whether a client of ours is let in; and whether nothing arrived of those that were not, before it.
    fn assert_lets_in(&mut self, friend: &Client) {
        let (request, replies) = friend.clone().timeout(TIMEOUT).request().unwrap();
        request.send(&["hello"]).unwrap();
        assert_eq!(self.0.hear(), [b"hello"]);
        self.0.send(&[b"welcome".to_vec()]);
        assert_eq!(replies.recv().unwrap(), [b"welcome"]);
    }
}

/// Opens sockets of a client of pyzmq's, until one is told that it is turned away.
///
/// A libzmq that is turned away before its `zmq_connect` has returned does not notice, and other servers than ours
/// are quick enough for that.
fn await_denial(stranger: &Client) {
    let is_told = |_| match ask(stranger) {
        Err(ErrorKind::Denied) => true,
        Err(ErrorKind::TimedOut) => false,
        outcome => panic!("a stranger is not turned away: {outcome:?}"),
    };
    assert!((0..20).any(is_told), "the client is not told that it is turned away");
}

/// What comes of a request.
fn ask(client: &Client) -> Result<(), ErrorKind> {
    let (request, replies) = client.clone().timeout(A_WHILE).request().unwrap();
    let outcome = request.send(&["from a stranger"]).and_then(|()| replies.recv());
    outcome.map(drop).map_err(|error| error.kind())
}

/// The recipe of a client of that server, from another address of this machine than 127.0.0.1.
fn client_from_afar(port: u16) -> Client {
    let mut client = Client::new();
    client.connect_to(format!("tcp://127.0.0.2:0;127.0.0.1:{port}"));
    client
}

fn keypairs() -> (Keypair, Keypair) {
    (Keypair::generate().unwrap(), Keypair::generate().unwrap())
}

/// The words for a client of Python's that owns that keypair, and takes the server for the owner of the other.
fn as_owner_of<'a>(keypair: &'a Keypair, server: &'a Keypair) -> [&'a str; 4] {
    [
        "curve_client",
        server.public().as_ref(),
        keypair.public().as_ref(),
        keypair.secret(),
    ]
}
