//! Remote calls when something goes wrong. The servers count what they run.

use std::fs;
use std::io::{self, BufRead};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver as Channel, bounded, never, unbounded};
use nix::sys::signal::Signal;
use zeroless::{Call, Caller, Calls, Client, Error, ErrorKind, Server, text};

use crate::support::relay::Relay;
use crate::support::{
    self, Folder, Process, argument_of_child, client_of_port, report, serve_in_child, unused_port, wait_until, watchdog,
};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(100);

/// How long to wait for what does not come.
const SHORT: Duration = Duration::from_millis(200);

fn client_of(calls: &Calls) -> Client {
    client_of_port(calls.socket().port().unwrap())
}

/// Runs calls in a thread, and reports each: "fail" fails, and "drop" is dropped; others are answered with their text.
fn serve(calls: Calls) -> Channel<String> {
    let (ran, runs) = unbounded();
    thread::spawn(move || {
        for call in calls {
            let question = text(&call);
            ran.send(question.clone()).unwrap();
            match question.as_str() {
                "fail" => call.fail("as you wish").unwrap(),
                "drop" => drop(call),
                _ => call.reply(&question).unwrap(),
            }
        }
    });
    runs
}

/// Runs calls until it is killed, and reports each. It answers "hold" only when it is given a line, and reports that.
#[test]
#[ignore = "runs as a child process of another test"]
fn serves_until_killed() {
    let calls = Server::new(argument_of_child().parse().unwrap()).serve().unwrap();
    report("listening");
    for call in calls {
        let question = text(&call);
        report(&question);
        if question == "hold" {
            io::stdin().lock().read_line(&mut String::new()).unwrap();
        }
        call.reply(&question).unwrap();
        if question == "hold" {
            report("answered");
        }
    }
}

/// A server in a process of its own, its reports, and a caller that is connected to it.
fn child(port: u16) -> (Process, Channel<String>) {
    let (server, reports) = serve_in_child(serves_until_killed, &port.to_string());
    let (reported, channel) = unbounded();
    thread::spawn(move || reports.for_each(|line| drop(reported.send(line))));
    (server, channel)
}

fn connected(client: &Client) -> Caller {
    let caller = client.call().unwrap();
    caller.wait_for_server(LONG).unwrap();
    caller
}

fn kind_of<T>(outcome: Result<T, Error>) -> ErrorKind {
    outcome.map(drop).unwrap_err().kind()
}

/// Stops a process, and waits until all its threads have stopped.
fn stop(process: &Process) {
    process.signal(Signal::SIGSTOP);
    wait_until(|| {
        let mut threads = fs::read_dir(format!("/proc/{}/task", process.id())).unwrap().flatten();
        threads.all(|thread| {
            let status = fs::read_to_string(thread.path().join("status")).unwrap();
            status.contains("State:\tT")
        })
    });
}

/// How many connections a server of this machine has.
fn connections_to(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let (server, established) = (format!("0100007F:{port:04X}"), "01");
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is_open = |line: &str| columns(line)[1] == server && columns(line)[3] == established;
    table.lines().skip(1).filter(|line| is_open(line)).count()
}

#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs zeroless's own libzmq: run without --config and --no-default-features"
)]
fn answer_arrives_although_server_closes_at_once() {
    let _watchdog = watchdog();
    for round in 0..200 {
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let server = thread::spawn(move || calls.recv().unwrap().reply("last words").unwrap());
        assert_eq!(caller.call("anything").unwrap(), [b"last words"], "in round {round}");
        server.join().unwrap();
    }
}

/// What the errors promise about whether the server has run the call.
mod errors {
    use super::*;

    /// A server that starts after a call had no server runs only the next call.
    fn assert_not_run(server: &Server, client: &Client) {
        let caller = client.call().unwrap();
        for _ in 0..3 {
            let error = caller.call_timeout("early", Duration::from_millis(20)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotConnected);
            assert!(error.to_string().contains("was not run"), "{error}");
        }
        let runs = serve(server.serve().unwrap());
        assert_eq!(caller.call("in time").unwrap(), [b"in time"]);
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), ["in time"]);
    }

    #[test]
    fn not_connected_is_not_run() {
        let _watchdog = watchdog();
        let port = unused_port();
        assert_not_run(&Server::new(port), &client_of_port(port));
    }

    #[test]
    fn not_connected_is_not_run_over_inproc_and_ipc() {
        let _watchdog = watchdog();
        let folder = Folder::new("not-run");
        for endpoint in ["inproc://not-run", &folder.ipc("socket")] {
            assert_not_run(&Server::at(endpoint), Client::new().connect_to(endpoint));
        }
    }

    #[test]
    fn call_waits_for_its_server() {
        let _watchdog = watchdog();
        let port = unused_port();
        let caller = client_of_port(port).call().unwrap();
        thread::scope(|scope| {
            let calls = scope.spawn(|| caller.call("patient").unwrap());
            assert_eq!(kind_of(caller.wait_for_server(SHORT)), ErrorKind::NotConnected);
            let runs = serve(Server::new(port).serve().unwrap());
            assert_eq!(calls.join().unwrap(), [b"patient"]);
            assert_eq!(runs.try_iter().count(), 1);
        });
    }

    #[test]
    fn client_without_address_is_not_connected() {
        let _watchdog = watchdog();
        let caller = Client::new().call().unwrap();
        assert_eq!(kind_of(caller.call("anything")), ErrorKind::NotConnected);
        assert_eq!(kind_of(caller.wait_for_server(LONG)), ErrorKind::NotConnected);
    }

    #[test]
    fn failed_was_run_once() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let runs = serve(calls);
        for question in ["fail", "drop"] {
            assert_eq!(kind_of(caller.call(question)), ErrorKind::Failed);
        }
        assert_eq!(caller.call("next").unwrap(), [b"next"]);
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), ["fail", "drop", "next"]);
    }

    #[test]
    fn timed_out_is_never_run_twice() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut server, reports) = child(port);
        let caller = connected(&client_of_port(port));
        let error = caller.call_timeout("hold", SHORT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains("may have run"), "{error}");
        server.types("go on");
        assert_eq!(caller.call("next").unwrap(), [b"next"]);
        server.kill();
        assert_eq!(reports.iter().collect::<Vec<_>>(), ["hold", "answered", "next"]);
    }
}

/// A server that is killed, stopped or started again.
mod server {
    use super::*;

    type Pending<'a> = thread::ScopedJoinHandle<'a, Result<zeroless::Message, Error>>;

    const HEARTBEAT: Duration = Duration::from_millis(200);

    /// How soon a caller must notice that its server has gone. On an idle machine, it takes milliseconds.
    const AT_ONCE: Duration = Duration::from_secs(5);

    fn assert_lost(call: Pending<'_>) {
        let gone = Instant::now();
        let error = call.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
        assert!(error.to_string().contains("may have run"), "{error}");
        assert!(gone.elapsed() < AT_ONCE, "it took {:?}", gone.elapsed());
    }

    #[test]
    fn killed_before_and_during_handler_is_lost() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut server, reports) = child(port);
        let relay = Relay::to(port);
        relay.record();
        let caller = connected(&client_of_port(relay.port()));
        thread::scope(|scope| {
            let during = scope.spawn(|| caller.call("hold"));
            assert_eq!(reports.recv().unwrap(), "hold");
            let before = scope.spawn(|| caller.call("never run"));
            wait_until(|| text(&[&relay.recording()[0]]).contains("never run"));
            server.kill();
            assert_lost(during);
            assert_lost(before);
        });
        assert_eq!(reports.iter().count(), 0);
    }

    #[test]
    fn killed_is_lost_with_the_smallest_and_without_high_water_mark() {
        let _watchdog = watchdog();
        for mark in [1, 0] {
            let port = unused_port();
            let (mut server, reports) = child(port);
            let caller = connected(client_of_port(port).high_water_mark(mark));
            assert_eq!(caller.call("next").unwrap(), [b"next"]);
            thread::scope(|scope| {
                let during = scope.spawn(|| caller.call("hold"));
                assert!(reports.iter().any(|line| line == "hold"));
                server.kill();
                assert_lost(during);
            });
        }
    }

    #[test]
    fn killed_after_handler_is_lost() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut server, reports) = child(port);
        let relay = Relay::to(port);
        let caller = connected(&client_of_port(relay.port()));
        thread::scope(|scope| {
            let after = scope.spawn(|| caller.call("hold"));
            assert_eq!(reports.recv().unwrap(), "hold");
            // The answer does not arrive.
            relay.stall();
            server.types("go on");
            assert_eq!(reports.recv().unwrap(), "answered");
            server.kill();
            relay.cut();
            assert_lost(after);
        });
    }

    #[test]
    fn restarted_within_milliseconds_is_lost() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut server, reports) = child(port);
        let caller = connected(&client_of_port(port));
        thread::scope(|scope| {
            let during = scope.spawn(|| caller.call("hold"));
            assert_eq!(reports.recv().unwrap(), "hold");
            server.kill();
            let runs = serve(Server::new(port).serve().unwrap());
            assert_lost(during);
            assert_eq!(caller.call("next").unwrap(), [b"next"]);
            assert_eq!(runs.try_iter().collect::<Vec<_>>(), ["next"]);
        });
    }

    #[test]
    fn restarted_within_the_process_is_lost() {
        let _watchdog = watchdog();
        let server = Server::at("inproc://restarted");
        let caller = Client::new().connect_to("inproc://restarted").call().unwrap();
        for _ in 0..3 {
            let calls = server.serve().unwrap();
            thread::scope(|scope| {
                let during = scope.spawn(|| caller.call("hold"));
                let _held = calls.recv().unwrap();
                calls.socket().close();
                assert_lost(during);
            });
        }
    }

    /// The caller does not use its socket meanwhile.
    #[test]
    fn restarted_while_caller_is_idle_is_found() {
        let _watchdog = watchdog();
        let mut calls = Server::new(0).serve().unwrap();
        let port = calls.socket().port().unwrap();
        let caller = connected(&client_of_port(port));
        for _ in 0..5 {
            drop(calls);
            calls = Server::new(port).serve().unwrap();
            wait_until(|| connections_to(port) == 1);
            thread::scope(|scope| {
                let call = scope.spawn(|| caller.call("anything").unwrap());
                calls.recv().unwrap().reply("answer").unwrap();
                assert_eq!(call.join().unwrap(), [b"answer"]);
            });
        }
    }

    /// libzmq connects again by itself, but not over `inproc`.
    #[test]
    fn restarted_over_inproc_while_caller_is_idle_is_found() {
        let _watchdog = watchdog();
        let server = Server::at("inproc://restarted-while-idle");
        let calls = server.serve().unwrap();
        let caller = connected(Client::new().connect_to("inproc://restarted-while-idle"));
        calls.socket().close();
        for question in ["first", "second"] {
            let calls = server.serve().unwrap();
            let socket = calls.socket();
            let _runs = serve(calls);
            assert_eq!(caller.call(question).unwrap(), [question.as_bytes()]);
            socket.close();
            connected_and_closed(&server, &caller);
        }
    }

    /// A server that opens and closes without a call.
    fn connected_and_closed(server: &Server, caller: &Caller) {
        let calls = server.serve().unwrap();
        caller.wait_for_server(LONG).unwrap();
        calls.socket().close();
    }

    #[test]
    fn killed_while_many_wait_is_lost_to_all() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut server, reports) = child(port);
        let caller = connected(&client_of_port(port));
        thread::scope(|scope| {
            let calls = [(); 32].map(|()| scope.spawn(|| caller.call("hold")));
            assert_eq!(reports.recv().unwrap(), "hold");
            server.kill();
            // A call that was not sent yet waits for a server.
            let _runs = serve(Server::new(port).serve().unwrap());
            let outcomes = calls.map(|call| call.join().unwrap());
            let lost = outcomes.into_iter().filter_map(Result::err);
            assert!(lost.inspect(|error| assert_eq!(error.kind(), ErrorKind::Lost)).count() > 0);
        });
    }

    #[test]
    fn stopped_is_lost_with_heartbeat() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut server, reports) = child(port);
        let caller = connected(client_of_port(port).heartbeat(HEARTBEAT));
        thread::scope(|scope| {
            let during = scope.spawn(|| caller.call("hold"));
            assert_eq!(reports.recv().unwrap(), "hold");
            stop(&server);
            assert_lost(during);
            server.signal(Signal::SIGCONT);
            server.types("go on");
            assert_eq!(caller.call("next").unwrap(), [b"next"]);
        });
        server.kill();
        assert_eq!(reports.iter().collect::<Vec<_>>(), ["answered", "next"]);
    }

    #[test]
    fn stopped_times_out_without_heartbeat() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (server, reports) = child(port);
        let caller = connected(&client_of_port(port));
        stop(&server);
        assert_eq!(kind_of(caller.call_timeout("early", SHORT)), ErrorKind::TimedOut);
        server.signal(Signal::SIGCONT);
        assert_eq!(caller.call("next").unwrap(), [b"next"]);
        assert_eq!(reports.iter().find(|line| line != "early").unwrap(), "next");
    }

    #[test]
    fn link_cut_in_the_middle_of_answer_is_lost() {
        let _watchdog = watchdog();
        const LENGTH: usize = 10_000_000;
        let calls = Server::new(0).serve().unwrap();
        let relay = Relay::to(calls.socket().port().unwrap());
        let (ran, runs) = unbounded();
        thread::spawn(move || {
            for call in calls {
                ran.send(text(&call)).unwrap();
                let length = text(&call).parse().unwrap();
                call.reply(&[vec![b'a'; length]]).unwrap();
            }
        });
        let caller = client_of_port(relay.port()).call().unwrap();
        for break_link in [Relay::cut, Relay::reset] {
            assert_eq!(caller.call("1").unwrap(), [b"a"]);
            relay.record();
            relay.delay(Duration::from_millis(5));
            thread::scope(|scope| {
                let call = scope.spawn(|| caller.call(&LENGTH.to_string()));
                wait_until(|| relay.recording()[1].len() > LENGTH / 20);
                break_link(&relay);
                assert_lost(call);
            });
            relay.delay(Duration::ZERO);
            assert_eq!(caller.call("2").unwrap(), [b"aa"]);
        }
        assert_eq!(runs.try_iter().count(), 6);
    }

    #[test]
    fn one_of_two_killed_times_out_and_others_go_on() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut mortal, reports) = child(port);
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).connect_local(port).call().unwrap();
        let runs = serve(calls);
        // Until both are connected.
        wait_until(|| {
            caller.call("who").unwrap();
            !reports.is_empty() && !runs.is_empty()
        });
        thread::scope(|scope| {
            // One goes to each.
            let both = [(); 2].map(|()| scope.spawn(|| caller.call_timeout("hold", Duration::from_secs(2))));
            assert!(reports.iter().any(|line| line == "hold"));
            mortal.kill();
            let outcomes = both.map(|call| call.join().unwrap());
            let failed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
            assert_eq!(
                failed.iter().map(Error::kind).collect::<Vec<_>>(),
                [ErrorKind::TimedOut]
            );
        });
        runs.try_iter().for_each(drop);
        for _ in 0..10 {
            assert_eq!(caller.call("next").unwrap(), [b"next"]);
        }
        assert_eq!(runs.try_iter().count(), 10);
    }

    /// The memory of this process in bytes.
    fn memory() -> usize {
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }

    #[test]
    fn stopped_while_thousands_call_times_out() {
        let _watchdog = watchdog();
        support::run_in_child(thousands_call_a_stopped_server, "").succeeds();
    }

    /// In a process of its own, whose memory no other test uses.
    #[test]
    #[ignore = "runs as a child process of another test"]
    fn thousands_call_a_stopped_server() {
        let port = unused_port();
        let (server, _reports) = child(port);
        let caller = connected(client_of_port(port).high_water_mark(100));
        // The system's buffers and the queue hold less than half of all calls.
        let padding = "x".repeat(10_000);
        stop(&server);
        let before = memory();
        thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let kind = kind_of(caller.call_timeout(&padding, Duration::from_millis(10)));
                        assert!(
                            matches!(kind, ErrorKind::TimedOut | ErrorKind::NotConnected),
                            "{kind:?}"
                        );
                    }
                });
            }
        });
        let grown = memory().saturating_sub(before);
        assert!(grown < 20_000_000, "it has grown by {grown}");
        server.signal(Signal::SIGCONT);
        assert_eq!(caller.call("next").unwrap(), [b"next"]);
    }
}

/// Messages that are not what the other end expects.
mod peer {
    use super::*;
    use zeroless::{Message, Receiver, Sender};

    /// A router that answers by hand, and a caller of it.
    fn by_hand() -> (Sender, Receiver, Caller) {
        let (answer, questions) = Server::new(0).router().unwrap();
        let caller = support::client_of(&questions).call().unwrap();
        (answer, questions, caller)
    }

    /// The routing id and the id of the next call.
    fn next_call(questions: &Receiver) -> [Vec<u8>; 2] {
        let [peer, id, delimiter, ..] = <[Vec<u8>; 4]>::try_from(questions.recv().unwrap()).unwrap();
        assert!(delimiter.is_empty());
        [peer, id]
    }

    fn id_of_call(id: &[u8], number: u64) -> Vec<u8> {
        [&id[..8], &number.to_be_bytes()].concat()
    }

    #[test]
    fn late_answer_is_dropped() {
        let _watchdog = watchdog();
        let (answer, questions, caller) = by_hand();
        thread::scope(|scope| {
            assert_eq!(kind_of(caller.call_timeout("early", SHORT)), ErrorKind::TimedOut);
            let [peer, id] = next_call(&questions);
            answer.send(&[&peer[..], &id, b"", b"late"]).unwrap();
            let next = scope.spawn(|| caller.call("next").unwrap());
            let [peer, id] = next_call(&questions);
            answer.send(&[&peer[..], &id, b"", b"its own"]).unwrap();
            assert_eq!(next.join().unwrap(), [b"its own"]);
        });
    }

    #[test]
    fn unknown_and_duplicate_answers_are_dropped() {
        let _watchdog = watchdog();
        let (answer, questions, caller) = by_hand();
        thread::scope(|scope| {
            let first = scope.spawn(|| caller.call("first").unwrap());
            let [peer, id] = next_call(&questions);
            for number in [0, 2, 3, u64::MAX] {
                answer
                    .send(&[&peer[..], &id_of_call(&id, number), b"", b"unknown"])
                    .unwrap();
                answer
                    .send(&[&peer[..], &id_of_call(&id, number), b"failed", b"", b"no"])
                    .unwrap();
            }
            for _ in 0..3 {
                answer.send(&[&peer[..], &id, b"", b"its own"]).unwrap();
            }
            assert_eq!(first.join().unwrap(), [b"its own"]);
            let second = scope.spawn(|| caller.call("second").unwrap());
            let [peer, id] = next_call(&questions);
            answer.send(&[&peer[..], &id, b"", b"the second"]).unwrap();
            assert_eq!(second.join().unwrap(), [b"the second"]);
        });
    }

    #[test]
    fn answer_that_is_malformed_fails_its_call() {
        let _watchdog = watchdog();
        let (answer, questions, caller) = by_hand();
        let rests: [&[&[u8]]; 5] = [&[], &[b""], &[b"x"], &[b"failed"], &[b"what", b"", b"is this"]];
        for rest in rests {
            thread::scope(|scope| {
                let call = scope.spawn(|| caller.call("anything"));
                let [peer, id] = next_call(&questions);
                let frames = [&[&peer[..], &id], rest].concat();
                answer.send(&frames).unwrap();
                let error = call.join().unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Other);
                assert!(error.to_string().contains("malformed"), "{error}");
            });
        }
    }

    #[test]
    fn garbage_is_dropped() {
        let _watchdog = watchdog();
        let (answer, questions, caller) = by_hand();
        thread::scope(|scope| {
            let call = scope.spawn(|| caller.call("anything").unwrap());
            let [peer, id] = next_call(&questions);
            let garbage: [Message; 6] = [
                vec![vec![]],
                vec![vec![]; 10_000],
                vec![b"x".to_vec()],
                vec![vec![], b"an answer to REQ".to_vec()],
                vec![id[1..].to_vec(), vec![], b"x".to_vec()],
                vec![vec![0xff; 100_000]; 10],
            ];
            for message in garbage {
                answer.send(&[vec![peer.clone()], message].concat()).unwrap();
            }
            answer.send(&[&peer[..], &id, b"", b"its own"]).unwrap();
            assert_eq!(call.join().unwrap(), [b"its own"]);
        });
    }

    #[test]
    fn endless_garbage_does_not_prolong_timeout() {
        let _watchdog = watchdog();
        let (answer, questions, caller) = by_hand();
        thread::scope(|scope| {
            let call = scope.spawn(|| caller.call_timeout("anything", SHORT));
            let [peer, _] = next_call(&questions);
            while !call.is_finished() {
                answer.send(&[&peer[..], b"garbage"]).unwrap();
            }
            assert_eq!(kind_of(call.join().unwrap()), ErrorKind::TimedOut);
        });
    }

    #[test]
    fn malformed_calls_are_dropped() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let client = client_of(&calls);
        let (ask, answers) = client.dealer().unwrap();
        let runs = serve(calls);
        let malformed: [&[&[u8]]; 5] = [
            &[b"no delimiter"],
            &[b""],
            &[b"id", b""],
            &[b"a", b"b", b"c"],
            &[&[0xff; 100_000]],
        ];
        for message in malformed {
            ask.send(message).unwrap();
        }
        // The first frame ends the envelope, and the others are the body.
        ask.send(&vec![""; 10_000]).unwrap();
        assert_eq!(answers.recv().unwrap()[0], b"");
        ask.send(&["id", "", "well-formed"]).unwrap();
        assert_eq!(answers.recv().unwrap(), [&b"id"[..], b"", b"well-formed"]);
        assert_eq!(client.call().unwrap().call("next").unwrap(), [b"next"]);
        assert_eq!(runs.try_iter().skip(1).collect::<Vec<_>>(), ["well-formed", "next"]);
    }

    #[test]
    fn too_large_call_is_lost() {
        let _watchdog = watchdog();
        let calls = Server::new(0).max_message_size(1_000).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let runs = serve(calls);
        for _ in 0..3 {
            assert_eq!(kind_of(caller.call(&["x".repeat(10_000)])), ErrorKind::Lost);
            assert_eq!(caller.call("next").unwrap(), [b"next"]);
        }
        assert_eq!(runs.try_iter().collect::<Vec<_>>(), ["next"; 3]);
    }

    #[test]
    fn too_large_answer_is_lost() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).max_message_size(1_000).call().unwrap();
        let (ran, runs) = unbounded();
        thread::spawn(move || {
            for call in calls {
                ran.send(()).unwrap();
                let length = text(&call).parse().unwrap();
                call.reply(&[vec![b'a'; length]]).unwrap();
            }
        });
        for _ in 0..3 {
            assert_eq!(kind_of(caller.call("10000")), ErrorKind::Lost);
            assert_eq!(caller.call("1").unwrap(), [b"a"]);
        }
        assert_eq!(runs.try_iter().count(), 6);
    }
}

/// Sockets that are closed while calls wait.
mod close {
    use super::*;

    #[test]
    fn of_caller_ends_all_its_calls() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        thread::scope(|scope| {
            let waiting = [(); 8].map(|()| scope.spawn(|| caller.call("anything")));
            let taken = [(); 8].map(|()| calls.recv().unwrap());
            caller.socket().close();
            for call in waiting {
                assert_eq!(kind_of(call.join().unwrap()), ErrorKind::Closed);
            }
            for call in taken {
                call.reply("to nobody").unwrap();
            }
        });
        assert_eq!(kind_of(caller.call("again")), ErrorKind::Closed);
        assert_eq!(kind_of(caller.wait_for_server(LONG)), ErrorKind::Closed);
        assert_eq!(connected(&client_of(&calls)).socket().endpoints().len(), 1);
    }

    #[test]
    fn of_caller_ends_waiting_for_server() {
        let _watchdog = watchdog();
        let caller = client_of_port(unused_port()).call().unwrap();
        thread::scope(|scope| {
            let waiting = [(); 4].map(|()| scope.spawn(|| caller.call("anything")));
            let explicitly = scope.spawn(|| caller.wait_for_server(LONG));
            // Some may wait already; the others must notice it, too.
            assert_eq!(kind_of(caller.wait_for_server(SHORT)), ErrorKind::NotConnected);
            caller.socket().close();
            for call in waiting {
                assert_eq!(kind_of(call.join().unwrap()), ErrorKind::Closed);
            }
            assert_eq!(kind_of(explicitly.join().unwrap()), ErrorKind::Closed);
        });
    }

    /// Gives up a call that is too large for the buffers of a server that has stopped, and ends.
    #[test]
    #[ignore = "runs as a child process of another test"]
    fn gives_up_and_ends() {
        let caller = connected(&client_of_port(argument_of_child().parse().unwrap()));
        report("connected");
        io::stdin().lock().read_line(&mut String::new()).unwrap();
        let outcome = caller.call_timeout(&[vec![0; 10_000_000]], SHORT);
        assert_eq!(kind_of(outcome), ErrorKind::TimedOut);
    }

    #[test]
    fn of_caller_does_not_wait_for_its_server() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (server, _reports) = super::child(port);
        let mut caller = support::run_in_child(gives_up_and_ends, &port.to_string());
        assert!(caller.reports().any(|line| line == "connected"));
        stop(&server);
        caller.types("go on");
        caller.succeeds();
    }

    #[test]
    fn of_server_ends_calls_and_is_lost_to_callers() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        thread::scope(|scope| {
            let waiting = [(); 8].map(|()| scope.spawn(|| caller.call("anything")));
            let taken = [(); 8].map(|()| calls.recv().unwrap());
            let serving = [(); 2].map(|()| scope.spawn(|| (&calls).count()));
            calls.socket().close();
            for server in serving {
                assert_eq!(server.join().unwrap(), 0);
            }
            for call in waiting {
                assert_eq!(kind_of(call.join().unwrap()), ErrorKind::Lost);
            }
            for call in taken {
                assert_eq!(kind_of(call.reply("too late")), ErrorKind::Closed);
            }
        });
        assert_eq!(kind_of(calls.recv()), ErrorKind::Closed);
    }
}

/// Callers that die, stop, give up, or are too many.
mod callers {
    use super::*;

    /// Calls until it is killed.
    #[test]
    #[ignore = "runs as a child process of another test"]
    fn calls_until_killed() {
        let caller = client_of_port(argument_of_child().parse().unwrap()).call().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| while caller.call("anything").is_ok() {});
            }
        });
    }

    fn child(calls: &Calls) -> Process {
        support::run_in_child(calls_until_killed, &calls.socket().port().unwrap().to_string())
    }

    #[test]
    fn killed_is_no_error_of_server() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let mut mortal = child(&calls);
        let taken = [(); 4].map(|()| calls.recv().unwrap());
        let caller = client_of(&calls).call().unwrap();
        let _runs = serve(calls);
        mortal.kill();
        for call in taken {
            call.reply("to nobody").unwrap();
            // Meanwhile, the server's socket notices that the caller has gone.
            for _ in 0..50 {
                assert_eq!(caller.call("next").unwrap(), [b"next"]);
            }
        }
    }

    #[test]
    fn stopped_does_not_block_server() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let asleep = child(&calls);
        let taken = [(); 4].map(|()| calls.recv().unwrap());
        stop(&asleep);
        for call in taken {
            // More than fits into the buffers of the connection.
            call.reply(&[vec![0; 10_000_000]]).unwrap();
        }
        let caller = client_of(&calls).call().unwrap();
        let _runs = serve(calls);
        assert_eq!(caller.call("next").unwrap(), [b"next"]);
    }

    #[test]
    fn that_read_nothing_do_not_block_server() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let (ask, _answers) = client_of(&calls).dealer().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| (0..10_000).for_each(|_| ask.send(&["id", "", "anything"]).unwrap()));
            let padding = vec![0; 10_000];
            for call in (&calls).take(10_000) {
                call.reply(&[&padding]).unwrap();
            }
        });
        let _runs = serve(calls);
        assert_eq!(caller.call("next").unwrap(), [b"next"]);
    }

    #[test]
    fn that_gave_up_are_not_run() {
        let _watchdog = watchdog();
        const PATIENCE: Duration = Duration::from_millis(500);
        let calls = Server::new(0).serve().unwrap();
        let caller = connected(&client_of(&calls));
        let (run, runs) = bounded(0);
        let (go_on, told) = bounded(0);
        thread::spawn(move || {
            for call in calls {
                run.send(text(&call)).unwrap();
                told.recv().unwrap();
                call.reply("done").unwrap();
            }
        });
        let mut ran = Vec::new();
        thread::scope(|scope| {
            let hasty = [(); 20].map(|()| scope.spawn(|| caller.call_timeout("hasty", PATIENCE)));
            let patient = scope.spawn(|| caller.call("patient").unwrap());
            for call in hasty {
                assert_eq!(kind_of(call.join().unwrap()), ErrorKind::TimedOut);
            }
            while !patient.is_finished() {
                let Ok(question) = runs.recv_timeout(Duration::from_millis(10)) else {
                    continue;
                };
                ran.push(question);
                // The handler takes longer than the hasty callers wait.
                let _ = never::<()>().recv_timeout(2 * PATIENCE);
                go_on.send(()).unwrap();
            }
            patient.join().unwrap();
        });
        ran.extend(runs.recv_timeout(PATIENCE));
        assert_eq!(
            ran.iter().filter(|question| *question == "patient").count(),
            1,
            "{ran:?}"
        );
        assert!(ran.len() <= 3, "{ran:?}");
    }

    #[test]
    fn with_one_identity_get_their_own_answers() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let mut client = client_of(&calls);
        client.identity("the same");
        let first = client.call().unwrap();
        assert_eq!(kind_of(first.call_timeout("first", SHORT)), ErrorKind::TimedOut);
        let for_first = calls.recv().unwrap();
        drop(first);
        let second = client.call().unwrap();
        thread::scope(|scope| {
            let answer = scope.spawn(|| second.call("second"));
            let for_second = calls.recv().unwrap();
            for_first.reply("to the first").unwrap();
            for_second.reply("to the second").unwrap();
            assert_eq!(answer.join().unwrap().unwrap(), [b"to the second"]);
        });
    }

    /// A server that is busy holds no more calls than libzmq does, twice its high-water mark, and its mark besides.
    #[test]
    fn wait_when_the_server_is_busy() {
        let _watchdog = watchdog();
        const MARK: u32 = 10;
        let endpoint = "inproc://busy";
        let calls = Server::at(endpoint).high_water_mark(MARK).serve().unwrap();
        let (ask, _answers) = Client::new()
            .connect_to(endpoint)
            .high_water_mark(MARK)
            .dealer()
            .unwrap();
        let sent = AtomicU32::new(0);
        let fill = || {
            while ask.try_send(&["id", "", "x"]).is_ok() {
                sent.fetch_add(1, Ordering::Relaxed);
            }
        };
        for taken in 0..50 {
            fill();
            let most = taken + 3 * MARK;
            assert!(sent.load(Ordering::Relaxed) <= most, "{sent:?} of {most}");
            calls.recv().unwrap().reply("done").unwrap();
        }
    }

    #[test]
    fn without_end_do_not_keep_server_from_running_one() {
        let _watchdog = watchdog();
        let endpoint = "inproc://flooded";
        let calls = Server::at(endpoint).high_water_mark(0).serve().unwrap();
        let (ask, _answers) = Client::new().connect_to(endpoint).dealer().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| while ask.send(&["id", "", "x"]).is_ok() {});
            for _ in 0..3 {
                let _ = calls.recv().unwrap();
            }
            ask.socket().close();
        });
    }

    #[test]
    fn share_a_queue_of_one_or_without_end() {
        let _watchdog = watchdog();
        for mark in [1, 0] {
            let calls = Server::new(0).high_water_mark(mark).serve().unwrap();
            let caller = client_of(&calls).high_water_mark(mark).call().unwrap();
            let runs = serve(calls);
            thread::scope(|scope| {
                for thread in 0..8 {
                    let caller = &caller;
                    scope.spawn(move || {
                        for number in 0..100 {
                            let question = format!("{thread} {number}");
                            assert_eq!(text(&caller.call(&question).unwrap()), question);
                        }
                    });
                }
            });
            assert_eq!(runs.try_iter().count(), 800);
        }
    }
}

/// Clients that the server does not let in.
mod denied {
    use super::*;

    /// Asserts that the client learns from a call, and from waiting, that it is denied.
    fn assert_denied(calls: &Calls, client: &Client) {
        let error = client.call().unwrap().call("let me in").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
        let caller = client.call().unwrap();
        assert_eq!(kind_of(caller.wait_for_server(Duration::MAX)), ErrorKind::Denied);
        assert_eq!(kind_of(caller.call("please")), ErrorKind::Denied);
        assert_eq!(kind_of(calls.try_recv()), ErrorKind::WouldBlock);
    }

    #[test]
    fn for_wrong_password() {
        let _watchdog = watchdog();
        let calls = Server::new(0).plain_users([("ada", "enchantress")]).serve().unwrap();
        assert_denied(&calls, client_of(&calls).plain("ada", "enchanter"));
    }

    #[test]
    fn for_address() {
        let _watchdog = watchdog();
        let calls = Server::new(0).allow(["127.0.0.2"]).serve().unwrap();
        assert_denied(&calls, &client_of(&calls));
    }

    #[test]
    #[cfg_attr(not(feature = "curve"), ignore = "needs the feature curve")]
    fn for_key() {
        let _watchdog = watchdog();
        let [server, friend, stranger] = [(); 3].map(|()| support::new_keypair());
        let calls = Server::new(0)
            .curve(&server)
            .allow_keys([friend.public()])
            .serve()
            .unwrap();
        assert_denied(&calls, client_of(&calls).curve(server.public(), &stranger));
    }

    #[test]
    fn in_all_threads() {
        let _watchdog = watchdog();
        let calls = Server::new(0).plain(|_, _| false).serve().unwrap();
        let caller = client_of(&calls).plain("ada", "enchantress").call().unwrap();
        thread::scope(|scope| {
            for call in [(); 8].map(|()| scope.spawn(|| caller.call("let us in"))) {
                assert_eq!(kind_of(call.join().unwrap()), ErrorKind::Denied);
            }
        });
    }

    #[test]
    fn later_by_a_server_that_was_restarted() {
        let _watchdog = watchdog();
        let calls = Server::new(0).plain(|_, _| true).serve().unwrap();
        let port = calls.socket().port().unwrap();
        let caller = client_of_port(port).plain("ada", "enchantress").call().unwrap();
        thread::scope(|scope| {
            let first = scope.spawn(|| caller.call("hello"));
            calls.recv().unwrap().reply("hello").unwrap();
            first.join().unwrap().unwrap();
            drop(calls);
            let _calls = Server::new(port).plain(|_, _| false).serve().unwrap();
            // The call may be sent before the caller has noticed that the server has closed.
            let kinds = [(); 2].map(|()| kind_of(caller.call("again")));
            assert_eq!(kinds[1], ErrorKind::Denied);
            assert!(matches!(kinds[0], ErrorKind::Denied | ErrorKind::Lost), "{kinds:?}");
        });
    }
}

/// The second socket with which a client that waits finds out whether it is refused.
mod probe {
    use super::*;

    /// Longer than a client waits before it opens the second socket.
    const PROBED: Duration = Duration::from_millis(500);

    #[test]
    fn closes_when_a_call_was_answered() {
        let _watchdog = watchdog();
        let port = unused_port();
        let caller = client_of_port(port).call().unwrap();
        assert_eq!(kind_of(caller.call_timeout("early", PROBED)), ErrorKind::NotConnected);
        let _runs = serve(Server::new(port).serve().unwrap());
        wait_until(|| connections_to(port) == 2);
        assert_eq!(caller.call("in time").unwrap(), [b"in time"]);
        wait_until(|| connections_to(port) == 1);
    }
}

mod handles {
    use super::*;

    #[test]
    fn name_the_time_that_has_passed() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = connected(&client_of(&calls));
        let error = calls.recv_timeout(Duration::from_millis(20)).unwrap_err();
        assert!(error.to_string().ends_with("within 20ms"), "{error}");
        let error = caller.call_timeout("x", Duration::from_millis(20)).unwrap_err();
        assert!(error.to_string().contains("within 20ms"), "{error}");
    }

    #[test]
    fn name_themselves() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let endpoint = calls.socket().endpoints().remove(0);
        assert_eq!(format!("{calls:?}"), format!("Calls(serve on {endpoint})"));
        assert_eq!(format!("{caller:?}"), format!("Caller(call on {endpoint})"));
        thread::scope(|scope| {
            scope.spawn(|| caller.call("x"));
            let call = calls.recv().unwrap();
            assert_eq!(format!("{call:?}"), "Call([[120]])");
        });
    }

    #[test]
    fn close_when_the_last_is_dropped() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of(&calls).call().unwrap();
        let sockets = [calls.socket(), caller.socket()];
        for handles in [sockets[0].clone(), sockets[1].clone()] {
            assert!(!handles.is_closed());
        }
        let more = (calls.clone(), caller.clone());
        drop((calls, caller));
        assert!(sockets.iter().all(|socket| !socket.is_closed()));
        drop(more);
        assert!(sockets.iter().all(|socket| socket.is_closed()));
    }

    #[test]
    fn call_keeps_socket_open_until_answered() {
        let _watchdog = watchdog();
        let calls = Server::new(0).serve().unwrap();
        let socket = calls.socket();
        let caller = client_of(&calls).call().unwrap();
        thread::scope(|scope| {
            let asks = scope.spawn(|| caller.call("anything"));
            let call: Call = calls.recv().unwrap();
            drop(calls);
            assert!(!socket.is_closed());
            call.reply("at last").unwrap();
            assert!(socket.is_closed());
            match asks.join().unwrap() {
                Ok(answer) => assert_eq!(answer, [b"at last"]),
                // Another libzmq drops what has arrived when it learns that the connection is closed.
                Err(error) => assert_eq!((cfg!(libzmq = "own"), error.kind()), (false, ErrorKind::Lost)),
            }
        });
    }
}
