//! Which clients a server lets in by user and password.

use std::collections::HashMap;
use std::io::Write;
use std::net::TcpStream;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::bounded;
use zeroless::{Client, Server};

use crate::support::{
    assert_denied, assert_let_in, assert_not_understood, client_of, run_in_child, wait_until, watchdog, zmtp,
};
use crate::{assert_refused, client_as, handlers, server_for_ada, threads};

#[test]
fn lets_in_right_password() {
    let _watchdog = watchdog();
    let users = HashMap::from([
        ("ada".to_owned(), "enchantress".to_owned()),
        ("grace".to_owned(), "cobol".to_owned()),
    ]);
    let pull = Server::new(0).plain_users(users).pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
    assert_let_in(&pull, &client_as(&pull, "grace", "cobol"));
}

#[test]
fn refuses_wrong_name_or_password() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let ada = client_as(&pull, "ada", "enchantress");
    for (user, password) in [
        ("ada", "enchantres"),
        ("ada", "enchantress "),
        ("ada", "enchantresS"),
        ("ada\0", "enchantress"),
        ("eve", "enchantress"),
        ("enchantress", "ada"),
    ] {
        assert_denied(&pull, &client_as(&pull, user, password), &ada);
    }
}

#[test]
fn function_decides() {
    let _watchdog = watchdog();
    let pull = Server::new(0)
        .plain(|user, password| user.len() == password.len())
        .pull()
        .unwrap();
    let fitting = client_as(&pull, "ada", "123");
    assert_let_in(&pull, &fitting);
    assert_denied(&pull, &client_as(&pull, "ada", "1234"), &fitting);
}

#[test]
fn refuses_missing_and_needless_password() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let ada = client_as(&pull, "ada", "enchantress");
    let open = Server::new(0).pull().unwrap();
    assert_not_understood(&pull, &client_of(&pull), &ada);
    assert_not_understood(&open, &client_as(&open, "ada", "enchantress"), &client_of(&open));
}

#[test]
fn do_not_apply_to_inproc() {
    let _watchdog = watchdog();
    let pull = server_for_ada().also_at("inproc://near-ada").pull().unwrap();
    assert_let_in(&pull, Client::new().connect_to("inproc://near-ada"));
}

#[test]
fn refuses_invalid_utf8() {
    let _watchdog = watchdog();
    let pull = Server::new(0).plain(|_, _| true).pull().unwrap();
    let port = pull.socket().port().unwrap();
    for hello in [&b"\x05HELLO\x02\xff\xfe\x01?"[..], b"\x05HELLO\x03ada\x02\xff\xfe"] {
        let mut stranger = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stranger.write_all(&zmtp::greeting("PLAIN")).unwrap();
        stranger.write_all(&zmtp::frame(zmtp::COMMAND, hello)).unwrap();
        assert_refused(&mut stranger);
    }
    assert_let_in(&pull, &client_as(&pull, "ada", "any"));
}

#[test]
fn client_retries_after_function_panics() {
    let _watchdog = watchdog();
    let calls = AtomicUsize::new(0);
    let check = move |_: &str, _: &str| match calls.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => panic!("on purpose"),
        _ => true,
    };
    let mut server = Server::new(0);
    // libzmq closes the connection after this time; the default is half a minute.
    server.configure(|socket| socket.set_handshake_ivl(100));
    let pull = server.plain(check).pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
}

#[test]
fn slow_call_blocks_no_other_client() {
    let _watchdog = watchdog();
    let (release, released) = bounded::<()>(0);
    let (asked, is_asked) = bounded::<()>(0);
    let check = move |user: &str, _: &str| {
        if user == "bob" {
            asked.send(()).unwrap();
            let _ = released.recv();
        }
        true
    };
    let pull = Server::new(0).plain(check).pull().unwrap();
    let others = server_for_ada().pull().unwrap();
    let bob = client_as(&pull, "bob", "?").push().unwrap();
    bob.send(&["from Bob"]).unwrap();
    is_asked.recv().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "?"));
    assert_let_in(&others, &client_as(&others, "ada", "enchantress"));
    assert_eq!(pull.try_recv().unwrap_err().kind(), zeroless::ErrorKind::WouldBlock);
    drop(release);
    assert_eq!(pull.recv().unwrap(), [b"from Bob"]);
}

#[test]
#[ignore = "runs as a child process of another test"]
fn closes_last_socket_during_call() {
    // A panic in a thread of the crate would not be noticed otherwise.
    panic::set_hook(Box::new(|_| std::process::abort()));
    let (release, released) = bounded::<()>(0);
    let (asked, is_asked) = bounded::<()>(0);
    let check = move |_: &str, _: &str| {
        asked.send(()).unwrap();
        released.recv().is_err()
    };
    let pull = Server::new(0).plain(check).pull().unwrap();
    let push = client_as(&pull, "ada", "?").linger(Duration::ZERO).push().unwrap();
    is_asked.recv().unwrap();
    drop((pull, push));
    assert_eq!((handlers(), threads("zeroless-check")), (0, 1));
    let pull = server_for_ada().pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
    drop(release);
    wait_until(|| threads("zeroless-check") == 0);
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
}

#[test]
fn closing_does_not_wait_for_call() {
    let _watchdog = watchdog();
    run_in_child(closes_last_socket_during_call, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn lets_function_drop_last_socket() {
    // A panic in a thread of the crate would not be noticed otherwise.
    panic::set_hook(Box::new(|_| std::process::abort()));
    let (asked, is_asked) = bounded::<()>(0);
    let (answers, answer) = bounded::<()>(0);
    let audit = Server::new(0).pull().unwrap();
    let record = client_of(&audit).push().unwrap();
    let recorded = record.socket();
    let pull = {
        let mut server = Server::new(0);
        server.plain(move |user, _| {
            record.send(&[user]).unwrap();
            asked.send(()).unwrap();
            answer.recv().is_ok()
        });
        server.pull().unwrap()
    };
    let push = client_as(&pull, "ada", "?").linger(Duration::ZERO).push().unwrap();
    is_asked.recv().unwrap();
    assert_eq!(audit.recv().unwrap(), [b"ada"]);
    drop((pull, push, audit));
    assert!(!recorded.is_closed());
    answers.send(()).unwrap();
    wait_until(|| recorded.is_closed());
    // The thread that called the function has dropped the last socket of all, which stops the handler.
    wait_until(|| handlers() == 0);
    let pull = server_for_ada().pull().unwrap();
    assert_let_in(&pull, &client_as(&pull, "ada", "enchantress"));
}

#[test]
fn function_may_drop_last_socket() {
    let _watchdog = watchdog();
    run_in_child(lets_function_drop_last_socket, "").succeeds();
}

#[test]
fn recipes_hide_passwords() {
    let mut client = Client::new();
    client.plain("ada", "enchantress");
    let shown = format!("{client:?} {:?}", server_for_ada());
    assert!(shown.contains("ada") && !shown.contains("enchantress"), "{shown}");
}

#[test]
fn recipe_can_be_changed_and_reused() {
    let _watchdog = watchdog();
    static CHECKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut server = Server::new(0);
    server.plain(|user, _| {
        CHECKED.lock().unwrap().push(user.to_owned());
        true
    });
    let first = server.pull().unwrap();
    let second = server.plain_users([("ada", "enchantress")]).pull().unwrap();
    assert_let_in(&first, &client_as(&first, "eve", "?"));
    assert_denied(
        &second,
        &client_as(&second, "eve", "?"),
        &client_as(&second, "ada", "enchantress"),
    );
    assert_eq!(*CHECKED.lock().unwrap(), ["eve"]);
}
