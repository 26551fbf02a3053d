//! Remote calls between callers and servers that behave.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::unbounded;
use zeroless::{Call, Caller, Calls, Client, ErrorKind, Message, Server, frames, proxy, text};

use crate::support::{self, Folder, client_of_port, watchdog};

const LONG: Duration = Duration::from_secs(60);

fn client_of(calls: &Calls) -> Client {
    client_of_port(calls.socket().port().unwrap())
}

/// Answers each call with its own frames.
fn echo(calls: Calls) {
    for call in calls {
        let frames = call.to_vec();
        call.reply(&frames).unwrap();
    }
}

/// A server that echoes, and a client of it.
fn echo_server() -> Client {
    let calls = Server::new(0).serve().unwrap();
    let client = client_of(&calls);
    thread::spawn(|| echo(calls));
    client
}

/// Calls from some threads at once, and checks that each gets its own answer.
fn call_from_threads(caller: &Caller, threads: u32, calls: u32) {
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for number in 0..calls {
                    let question = format!("{thread} {number}");
                    assert_eq!(text(&caller.call(&question).unwrap()), question);
                }
            });
        }
    });
}

#[test]
fn returns_answer() {
    let _watchdog = watchdog();
    let call = echo_server().call().unwrap();
    assert_eq!(call(&[b"add", b"", b"2"]).unwrap(), frames!["add", "", "2"]);
    assert_eq!(call.call("one frame").unwrap(), [b"one frame"]);
    assert_eq!(call.call_timeout(&["a", "b"], LONG).unwrap(), [b"a", b"b"]);
}

#[test]
fn each_thread_gets_its_own_answer() {
    let _watchdog = watchdog();
    call_from_threads(&echo_server().call().unwrap(), 8, 500);
}

#[test]
fn answers_come_back_in_any_order() {
    let _watchdog = watchdog();
    const THREADS: usize = 64;
    let calls = Server::new(0).serve().unwrap();
    let caller = client_of(&calls).call().unwrap();
    thread::spawn(move || {
        loop {
            let mut taken: Vec<Call> = calls.iter_all(THREADS);
            // Neither the order of arrival nor its reverse.
            while !taken.is_empty() {
                let call = taken.swap_remove(taken.len() / 2);
                let frames = call.to_vec();
                call.reply(&frames).unwrap();
            }
        }
    });
    call_from_threads(&caller, THREADS as u32, 20);
}

trait IterAll {
    /// Receives this number of calls before the first is answered.
    fn iter_all(&self, count: usize) -> Vec<Call>;
}

impl IterAll for Calls {
    fn iter_all(&self, count: usize) -> Vec<Call> {
        let mut calls = self;
        calls.by_ref().take(count).collect()
    }
}

#[test]
fn call_is_answered_from_another_thread_after_a_hundred_others() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let caller = client_of(&calls).call().unwrap();
    let (for_later, later) = unbounded::<Call>();
    thread::spawn(move || {
        for call in calls {
            match call[0].as_slice() {
                b"later" => for_later.send(call).unwrap(),
                _ => call.reply("now").unwrap(),
            }
        }
    });
    thread::scope(|scope| {
        let waits = scope.spawn(|| caller.call("later").unwrap());
        let call = later.recv().unwrap();
        for _ in 0..100 {
            assert_eq!(caller.call("quick").unwrap(), [b"now"]);
        }
        call.reply("at last").unwrap();
        assert_eq!(waits.join().unwrap(), [b"at last"]);
    });
}

#[test]
fn several_clients_share_a_server() {
    let _watchdog = watchdog();
    let client = echo_server();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| call_from_threads(&client.call().unwrap(), 2, 100));
        }
    });
}

#[test]
fn several_servers_share_a_client() {
    let _watchdog = watchdog();
    let mut client = Client::new();
    for name in ["first", "second"] {
        let calls = Server::new(0).serve().unwrap();
        client.connect_local(calls.socket().port().unwrap());
        thread::spawn(move || calls.for_each(|call| call.reply(name).unwrap()));
    }
    let caller = client.call().unwrap();
    let mut answers = BTreeSet::new();
    support::wait_until(|| {
        answers.insert(text(&caller.call("who").unwrap()));
        answers.len() == 2
    });
}

#[test]
fn works_over_every_transport() {
    let _watchdog = watchdog();
    let folder = Folder::new("transports");
    for endpoint in [
        "tcp://127.0.0.1:*",
        &folder.ipc("calls"),
        "inproc://calls",
        "tcp://[::1]:*",
    ] {
        let calls = Server::at(endpoint).serve().unwrap();
        let bound = calls.socket().endpoints().remove(0);
        thread::spawn(|| echo(calls));
        let caller = Client::new().connect_to(&bound).call().unwrap();
        call_from_threads(&caller, 4, 50);
        drop(caller);

        // The other way round. The server above is still bound to its endpoint.
        let caller = Server::at(endpoint.replace("calls", "back")).call().unwrap();
        let bound = caller.socket().endpoints().remove(0);
        let calls = Client::new().connect_to(&bound).serve().unwrap();
        thread::spawn(|| echo(calls));
        call_from_threads(&caller, 4, 50);
    }
}

#[test]
fn works_through_a_proxy() {
    let _watchdog = watchdog();
    let clients = Server::new(0).router().unwrap();
    let servers = Server::new(0).dealer().unwrap();
    let (front, back) = (clients.0.socket(), servers.0.socket());
    thread::spawn(|| proxy(clients, servers));
    let calls = client_of_port(back.port().unwrap()).serve().unwrap();
    thread::spawn(move || {
        for call in calls {
            match call[0].as_slice() {
                b"no" => call.fail("no way").unwrap(),
                _ => {
                    let frames = call.to_vec();
                    call.reply(&frames).unwrap();
                }
            }
        }
    });
    // The calls of both callers have the same numbers.
    let callers = [(); 2].map(|()| client_of_port(front.port().unwrap()).call().unwrap());
    thread::scope(|scope| {
        for (number, caller) in callers.iter().enumerate() {
            scope.spawn(move || {
                for call in 0..500 {
                    let question = format!("{number} {call}");
                    assert_eq!(text(&caller.call(&question).unwrap()), question);
                }
            });
        }
    });
    assert_eq!(callers[0].call("no").unwrap_err().to_string(), "no way");
}

#[test]
fn works_with_passwords() {
    let _watchdog = watchdog();
    let mut server = Server::new(0);
    let calls = server
        .plain(|user, password| user == "ann" && password == "secret")
        .serve()
        .unwrap();
    let client = client_of(&calls);
    thread::spawn(|| echo(calls));
    let caller = client.clone().plain("ann", "secret").call().unwrap();
    call_from_threads(&caller, 2, 10);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs the feature curve")]
fn works_with_curve() {
    let _watchdog = watchdog();
    let (server, client) = (support::new_keypair(), support::new_keypair());
    let calls = Server::new(0)
        .curve(&server)
        .allow_keys([client.public()])
        .serve()
        .unwrap();
    let mut recipe = client_of(&calls);
    thread::spawn(|| echo(calls));
    let caller = recipe.curve(server.public(), &client).call().unwrap();
    call_from_threads(&caller, 2, 10);
}

#[test]
fn request_and_reply_are_other_ends() {
    let _watchdog = watchdog();
    let client = echo_server();
    let (request, replies) = client.request().unwrap();
    request.send(&["plain", "question"]).unwrap();
    assert_eq!(replies.recv().unwrap(), frames!["plain", "question"]);

    let (reply, requests) = Server::new(0).reply().unwrap();
    let caller = support::client_of(&requests).call().unwrap();
    thread::spawn(move || requests.for_each(|request| reply.send(&request).unwrap()));
    call_from_threads(&caller, 4, 50);
}

#[test]
fn request_receives_failure_as_two_frames() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let (request, replies) = client_of(&calls).request().unwrap();
    request(&[b"anything"]).unwrap();
    calls.recv().unwrap().fail("no such thing").unwrap();
    assert_eq!(replies.recv().unwrap(), frames!["failed", "no such thing"]);
}

#[test]
fn failure_has_the_words_of_the_server() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let caller = client_of(&calls).call().unwrap();
    let long = "ö\n\0".repeat(100_000);
    thread::scope(|scope| {
        scope.spawn(|| calls.recv().unwrap().fail(&long).unwrap());
        let error = caller.call("anything").unwrap_err();
        assert_eq!((error.kind(), error.to_string() == long), (ErrorKind::Failed, true));
        scope.spawn(|| calls.recv().unwrap().fail("").unwrap());
        assert_eq!(caller.call("anything").unwrap_err().to_string(), "");
    });
}

#[test]
fn dropped_call_fails_and_server_goes_on() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let caller = client_of(&calls).call().unwrap();
    let server = thread::spawn(move || {
        drop(calls.recv().unwrap());
        echo(calls);
    });
    let error = caller.call("anything").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("dropped the call"), "{error}");
    assert_eq!(caller.call("again").unwrap(), [b"again"]);
    drop(server);
}

#[test]
fn panic_fails_the_call() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let caller = client_of(&calls).call().unwrap();
    let server_calls = calls.clone();
    let server = thread::spawn(move || {
        let _call = server_calls.recv().unwrap();
        panic!("on purpose");
    });
    let error = caller.call("anything").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("panicked"), "{error:?}");
    assert!(server.join().is_err());
}

/// Can neither be shown nor be sent.
struct Unspeakable;

impl AsRef<[u8]> for Unspeakable {
    fn as_ref(&self) -> &[u8] {
        panic!("on purpose")
    }
}

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("on purpose")
    }
}

#[test]
fn reason_or_answer_that_panics_fails_the_call() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let caller = client_of(&calls).call().unwrap();
    let socket = calls.socket();
    let server = thread::spawn(move || {
        for answer in [
            |call: Call| call.fail(Unspeakable),
            |call: Call| call.reply(&[Unspeakable]),
        ] {
            let call = calls.recv().unwrap();
            assert!(thread::spawn(move || answer(call)).join().is_err());
        }
        calls.workers(1, |call| match call[0].as_slice() {
            b"fail" => Err(Unspeakable),
            _ => Ok([Unspeakable]),
        })
    });
    for question in ["anything", "anything", "fail", "reply", "fail"] {
        let error = caller.call_timeout(question, LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
        assert!(error.to_string().contains("panicked"), "{error}");
    }
    socket.close();
    server.join().unwrap().unwrap();
}

#[test]
fn answer_without_frames_is_an_error_at_both_ends() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let caller = client_of(&calls).call().unwrap();
    thread::scope(|scope| {
        let answers = scope.spawn(|| calls.recv().unwrap().reply(&[] as &[&str]).unwrap_err());
        let error = caller.call("anything").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert_eq!(error.to_string(), answers.join().unwrap().to_string());
    });
    assert_eq!(caller.call(&[] as &[&str]).unwrap_err().kind(), ErrorKind::InvalidInput);
}

mod workers {
    use super::*;

    fn run(call: &Message) -> Result<[String; 1], String> {
        match call[0].as_slice() {
            b"fail" => Err("as you wish".to_owned()),
            b"panic" => panic!("on purpose"),
            _ => Ok([text(call)]),
        }
    }

    fn server() -> (Caller, thread::JoinHandle<zeroless::Result<()>>, zeroless::Socket) {
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let socket = calls.socket();
        (caller, thread::spawn(move || calls.workers(4, run)), socket)
    }

    #[test]
    fn answer_fail_and_survive_panics() {
        let _watchdog = watchdog();
        let (caller, server, socket) = server();
        call_from_threads(&caller, 8, 50);
        // More often than there are workers.
        for _ in 0..8 {
            assert!(caller.call("panic").unwrap_err().to_string().contains("panicked"));
            assert_eq!(caller.call("fail").unwrap_err().to_string(), "as you wish");
        }
        call_from_threads(&caller, 2, 10);
        socket.close();
        server.join().unwrap().unwrap();
    }

    #[test]
    fn run_calls_at_the_same_time() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let running = AtomicU32::new(0);
        // Each call waits until all four run.
        let meet = |_: &Message| -> Result<&str, &str> {
            running.fetch_add(1, Ordering::SeqCst);
            support::wait_until(|| running.load(Ordering::SeqCst) >= 4);
            Ok("met")
        };
        thread::scope(|scope| {
            scope.spawn(|| calls.workers(4, meet).unwrap());
            let callers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| caller.call("anything").unwrap()))
                .collect();
            for caller in callers {
                assert_eq!(caller.join().unwrap(), [b"met"]);
            }
            calls.socket().close();
        });
    }

    #[test]
    fn none_is_an_error() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        assert_eq!(calls.workers(0, run).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
