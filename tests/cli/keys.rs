//! Keys and encryption.

use std::fs;

use crate::program::{Program, connect, run, start};
use crate::support::{Folder, watchdog};

/// Makes keys of these names in a folder.
fn make_keys(folder: &Folder, names: &[&str]) {
    for name in names {
        let made = start(&format!("keygen {}", folder.0.join(name).display())).text();
        let public = fs::read_to_string(folder.0.join(format!("{name}.key"))).unwrap();
        assert!(public.contains(made.trim_end()), "{made}: {public}");
        assert!(folder.0.join(format!("{name}.key_secret")).exists());
    }
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: see CONTRIBUTING.md")]
fn curve_lets_in_clients_with_known_keys() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-keys");
    make_keys(&folder, &["server", "ada.b", "eve"]);
    let path = |name: &str| folder.0.join(name).display().to_string();
    fs::create_dir(path("clients")).unwrap();
    fs::copy(path("ada.b.key"), path("clients/ada.key")).unwrap();
    let curve = format!("--curve {} --allow-keys {}", path("server.key_secret"), path("clients"));
    let mut pull = start(&format!("server --public 0 {curve} pull -n 1"));
    let port = pull.port();
    let push = |name: &str| {
        let (secret, server) = (path(&format!("{name}.key_secret")), path("server.key"));
        connect(port, &format!("push --curve {secret} --server-key {server} {name}"))
    };
    push("eve").fails(1);
    push("ada.b").succeeds();
    assert_eq!(pull.ends().output, b"ada.b\n");
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: see CONTRIBUTING.md")]
fn curve_takes_key_of_server_as_text() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-key-text");
    make_keys(&folder, &["server", "client"]);
    let path = |name: &str| folder.0.join(name).display().to_string();
    let mut pull = start(&format!(
        "server 0 --curve {} --allow-any-key pull -n 1",
        path("server.key_secret")
    ));
    let port = pull.port();
    let key = fs::read_to_string(path("server.key")).unwrap();
    let key = key.rsplit('"').nth(1).unwrap();
    let mut command = crate::program::zeroless(&format!(
        "client {port} push hello --curve {}",
        path("client.key_secret")
    ));
    Program::start(command.args(["--server-key", key])).succeeds();
    assert_eq!(pull.text(), "hello\n");
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: see CONTRIBUTING.md")]
fn curve_keys_are_never_overwritten() {
    let folder = Folder::new("cli-key-again");
    make_keys(&folder, &["server"]);
    let said = start(&format!("keygen {}", folder.0.join("server").display())).fails(1);
    assert!(said.contains("exists"), "{said}");
}

#[test]
fn client_needs_both_keys() {
    let ended = run("client 1 push a --server-key x");
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.said.contains("belong together"), "{ended:?}");
}

#[test]
#[cfg_attr(feature = "curve", ignore = "needs a libzmq without CURVE")]
fn program_without_encryption_says_what_to_do() {
    let folder = Folder::new("cli-no-curve");
    let said = start(&format!("keygen {}", folder.0.join("server").display())).fails(1);
    assert!(said.contains("feature `curve`"), "{said}");
}
