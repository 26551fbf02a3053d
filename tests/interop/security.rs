//! Passwords, addresses and key files between zeroless and pyzmq. `curve.rs` has the tests that need CURVE.
//!
//! The Python end is `secure_peer.py`. As a client it reports how its handshake has ended. As a server it lets in the
//! clients that pyzmq's own authenticator lets in.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::python::{Peer, interpreter};
use crate::support::{Folder, client_of_port, watchdog};
use zeroless::{Client, ErrorKind, Keypair, PublicKey, Receiver, Sender, Server};

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn server_lets_in_right_password() {
    run(|python| {
        let server = Replier::new(Server::new(0).plain_users([("ada", "enchantress")]));
        server.assert_lets_in_python(python.connect(&server, &["plain_client", "ada", "enchantress"]));
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn server_refuses_wrong_password() {
    run(|python| {
        let server = Replier::new(Server::new(0).plain_users([("ada", "enchantress")]));
        let stranger = python.connect(&server, &["plain_client", "ada", "enchantres"]);
        server.assert_refuses(stranger, server.client().plain("ada", "enchantress"));
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn client_with_right_password_is_let_in() {
    run(|python| {
        let (mut server, mut client) = python.serve(&["plain_server", "ada", "enchantress"]);
        server.assert_lets_in(client.plain("ada", "enchantress"));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn client_with_wrong_password_is_refused() {
    run(|python| {
        let (mut server, client) = python.serve(&["plain_server", "ada", "enchantress"]);
        assert_denied(client.clone().plain("ada", "enchantres"));
        server.assert_lets_in(client.clone().plain("ada", "enchantress"));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn server_refuses_denied_address() {
    run(|python| {
        let server = Replier::new(Server::new(0).deny(["127.0.0.1"]));
        server.assert_refuses(python.connect(&server, &["null"]), &client_from_afar(server.port()));
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn client_at_denied_address_is_refused() {
    run(|python| {
        let (mut server, client) = python.serve(&["denying_server", "127.0.0.1"]);
        assert_denied(&client);
        server.assert_lets_in(&client_from_afar(server.1));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn server_refuses_missing_password() {
    run(|python| {
        let server = Replier::new(Server::new(0).plain_users([("ada", "enchantress")]));
        server.assert_refuses(
            python.connect(&server, &["null"]),
            server.client().plain("ada", "enchantress"),
        );
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn server_refuses_needless_password() {
    run(|python| {
        let server = Replier::new(&Server::new(0));
        let stranger = python.connect(&server, &["plain_client", "ada", "enchantress"]);
        server.assert_refuses(stranger, &server.client());
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn client_without_password_is_refused() {
    run(|python| {
        let (mut server, client) = python.serve(&["plain_server", "ada", "enchantress"]);
        assert_denied(&client);
        server.assert_lets_in(client.clone().plain("ada", "enchantress"));
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn client_with_needless_password_is_refused() {
    run(|python| {
        let (mut server, client) = python.serve(&["null"]);
        assert_denied(client.clone().plain("ada", "enchantress"));
        server.assert_lets_in(&client);
        server.0.ends_well();
    });
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn reads_keys_of_python() {
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
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_reads_keys() {
    run(|python| {
        let folder = Folder::new("zeroless-writes");
        // The keys of libzmq's manual, because generating keys needs CURVE.
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

/// How long a socket waits for what should come at once, so that a test fails instead of hanging.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How long to wait before asserting that nothing has arrived.
pub const A_WHILE: Duration = Duration::from_secs(1);

/// Runs a test with Python.
pub fn run(test: impl FnOnce(Python)) {
    let _watchdog = watchdog();
    test(Python(interpreter()));
}

pub struct Python(OsString);

impl Python {
    /// Starts a Python requester that is a client of our server.
    pub fn connect(&self, server: &Replier, how: &[&str]) -> Peer {
        self.start("request", server.port(), how).0
    }

    /// Starts a Python replier, and returns it with the recipe of a client of it.
    pub fn serve(&self, how: &[&str]) -> (PythonReplier, Client) {
        let (peer, port) = self.start("reply", 0, how);
        (PythonReplier(peer, port), client_of_port(port))
    }

    fn start(&self, role: &str, port: u16, how: &[&str]) -> (Peer, u16) {
        let port = port.to_string();
        Peer::start(&self.0, "secure_peer.py", [&[role, &port], how].concat())
    }

    /// Makes Python write a new keypair to a folder, and returns the public and the secret key.
    pub fn make_certificates(&self, folder: &Folder, name: &str) -> (String, String) {
        let code = "import sys, zmq.auth\n\
                    _, path = zmq.auth.create_certificates(*sys.argv[1:], metadata={'name': 'Ada', 'curve': 'no'})\n\
                    print(*(key.decode() for key in zmq.auth.load_certificate(path)))";
        let keys = self.run(code, [folder.0.as_os_str(), name.as_ref()]);
        let (public, secret) = keys.split_once(' ').unwrap();
        (public.to_owned(), secret.to_owned())
    }

    /// Runs code, and returns what it prints.
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
pub struct Replier(Sender, Receiver);

impl Replier {
    pub fn new(server: &Server) -> Replier {
        let (reply, requests) = server.clone().timeout(TIMEOUT).reply().unwrap();
        Replier(reply, requests)
    }

    fn port(&self) -> u16 {
        self.0.socket().port().unwrap()
    }

    /// The recipe of a client of this server.
    pub fn client(&self) -> Client {
        client_of_port(self.port())
    }

    /// Replies to the next request.
    fn answer(&self, request: &str, reply: &str) {
        assert_eq!(self.1.recv().unwrap(), [request.as_bytes()]);
        self.0.send(&[reply]).unwrap();
    }

    pub fn assert_lets_in_python(&self, mut friend: Peer) {
        friend.send(&[b"hello".to_vec()]);
        assert_eq!(end_of_handshake(&mut friend), "HANDSHAKE_SUCCEEDED");
        self.answer("hello", "welcome");
        assert_eq!(friend.hear(), [b"welcome"]);
        friend.ends_well();
    }

    /// Asserts that a Python client is refused, and that this server receives nothing from it and serves a friend.
    pub fn assert_refuses(&self, mut stranger: Peer, friend: &Client) {
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

/// How the first handshake of a Python client has ended.
fn end_of_handshake(client: &mut Peer) -> String {
    client.order("await_handshake");
    client.line()
}

/// A replier of pyzmq, and its port.
pub struct PythonReplier(pub Peer, u16);

impl PythonReplier {
    /// Asserts that our client is let in, and that nothing from refused clients has arrived before.
    pub fn assert_lets_in(&mut self, friend: &Client) {
        let (request, replies) = friend.clone().timeout(TIMEOUT).request().unwrap();
        request.send(&["hello"]).unwrap();
        assert_eq!(self.0.hear(), [b"hello"]);
        self.0.send(&[b"welcome".to_vec()]);
        assert_eq!(replies.recv().unwrap(), [b"welcome"]);
    }
}

/// Asserts that a client of pyzmq's server is denied.
pub fn assert_denied(stranger: &Client) {
    assert_eq!(ask(stranger, TIMEOUT), Err(ErrorKind::Denied));
}

/// Sends a request, and returns how it ends.
pub fn ask(client: &Client, timeout: Duration) -> Result<(), ErrorKind> {
    let (request, replies) = client.clone().timeout(timeout).request().unwrap();
    let outcome = request.send(&["from a stranger"]).and_then(|()| replies.recv());
    outcome.map(drop).map_err(|error| error.kind())
}

/// The recipe of a client of this port, from an address of this machine other than 127.0.0.1.
fn client_from_afar(port: u16) -> Client {
    let mut client = Client::new();
    client.connect_to(format!("tcp://127.0.0.2:0;127.0.0.1:{port}"));
    client
}
