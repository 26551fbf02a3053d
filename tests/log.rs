//! What is logged, and what is never logged.

mod support;

use std::convert::Infallible;
use std::hint;
use std::io;
use std::net::TcpListener;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Barrier, Mutex, Once, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use log::{Level, LevelFilter, Log, Metadata, Record};
use support::{
    argument_of_child, await_denial, await_subscribers, client_of, client_of_port, client_of_sender, push_and_pull,
    report, run_in_child, serve_in_child, silence, unused_port, wait_until, watchdog,
};
use zeroless::{Call, Caller, Client, ErrorKind, Server, text};

/// Keeps what is logged. A process has only one logger, so each test looks for its own ports.
struct Memory(Mutex<Vec<(Level, String)>>);

static MEMORY: Memory = Memory(Mutex::new(Vec::new()));

impl Log for Memory {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        assert_eq!(record.target(), "zeroless");
        self.0.lock().unwrap().push((record.level(), record.args().to_string()));
    }

    fn flush(&self) {}
}

fn start_logging() {
    silence();
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&MEMORY).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
}

/// What was logged at this level about the socket that is, or was last, bound to this port.
///
/// The system may give the port of a socket that another test has closed, so what was logged before is about that one.
fn logged(level: Level, port: u16) -> Vec<String> {
    let memory = MEMORY.0.lock().unwrap();
    let about_port = |(_, text): &&(Level, String)| text.contains(&format!(":{port}"));
    let about: Vec<&(Level, String)> = memory.iter().filter(about_port).collect();
    let bound = about.iter().rposition(|(_, text)| text.contains(" bound to "));
    let since_bound = &about[bound.unwrap_or(0)..];
    let at_level = since_bound.iter().filter(|(other, _)| *other == level);
    at_level.map(|(_, text)| text.clone()).collect()
}

#[test]
fn reports_binding_connecting_and_closing() {
    let _watchdog = watchdog();
    start_logging();
    let (push, pull) = push_and_pull();
    let port = pull.socket().port().unwrap();
    let endpoint = format!("tcp://127.0.0.1:{port}");
    push.socket().disconnect_local(port).unwrap();
    drop(push);
    drop(pull);
    assert_eq!(
        logged(Level::Info, port),
        [
            format!("pull bound to {endpoint}"),
            format!("push connecting to {endpoint}"),
            format!("push disconnected from {endpoint}"),
            format!("closing pull on {endpoint}"),
        ]
    );
}

#[test]
fn traces_sizes_but_not_content() {
    let _watchdog = watchdog();
    start_logging();
    let (push, pull) = push_and_pull();
    let port = pull.socket().port().unwrap();
    push(&[b"secret", b"", b"more secret"]).unwrap();
    pull.recv().unwrap();
    push(&[b"secret"]).unwrap();
    pull.recv().unwrap();
    assert_eq!(
        logged(Level::Trace, port),
        [
            format!("push on tcp://127.0.0.1:{port} sent 3 frames of 6, 0, 11 bytes"),
            format!("pull on tcp://127.0.0.1:{port} received 3 frames of 6, 0, 11 bytes"),
            format!("push on tcp://127.0.0.1:{port} sent 1 frame of 6 bytes"),
            format!("pull on tcp://127.0.0.1:{port} received 1 frame of 6 bytes"),
        ]
    );
    assert!(
        MEMORY
            .0
            .lock()
            .unwrap()
            .iter()
            .all(|(_, text)| !text.contains("secret"))
    );
}

#[test]
fn warns_of_subscriber_that_binds() {
    start_logging();
    let news = Server::new(0).subscribe([""]).unwrap();
    let warnings = logged(Level::Warn, news.socket().port().unwrap());
    assert!(
        warnings.len() == 1 && warnings[0].contains("make the publisher the server"),
        "{warnings:?}"
    );
}

#[test]
fn warns_of_open_public_server() {
    start_logging();
    for (server, warns) in [
        (Server::public(0), 1),
        (Server::at("tcp://*:0"), 1),
        (Server::new(0), 0),
        (Server::public(0).allow(["10.0.0.0/8"]).clone(), 0),
        (Server::public(0).plain_users([("ada", "enchantress")]).clone(), 0),
    ] {
        let pull = server.pull().unwrap();
        let warnings = logged(Level::Warn, pull.socket().port().unwrap());
        assert_eq!(warnings.len(), warns, "{warnings:?}");
        assert!(
            warnings
                .iter()
                .all(|warning| warning.contains("other machines") && warning.contains("guide::networks")),
            "{warnings:?}"
        );
    }
    assert!(
        include_str!("../src/guide.rs").contains("pub mod networks;"),
        "there is such a page"
    );
}

#[test]
fn warns_of_heartbeat_that_can_lose_messages() {
    let _watchdog = watchdog();
    start_logging();
    let recipe = |timeout: bool| {
        let mut server = Server::new(0);
        server.heartbeat(Duration::from_secs(60));
        if timeout {
            server.timeout(Duration::from_secs(60));
        }
        server
    };
    let warns = |socket: zeroless::Socket, about: &str| {
        let warnings = logged(Level::Warn, socket.port().unwrap());
        warnings.len() == 1 && warnings[0].contains(about)
    };
    let push = recipe(true).push().unwrap();
    assert!(warns(push.socket(), "has a heartbeat: "));
    let pull = recipe(false).pull().unwrap();
    assert!(warns(pull.socket(), "has a heartbeat: "));
    let (request, _replies) = recipe(false).request().unwrap();
    assert!(warns(request.socket(), "no timeout"));

    let (request, _replies) = recipe(true).request().unwrap();
    let (reply, _requests) = recipe(false).reply().unwrap();
    for socket in [request.socket(), reply.socket()] {
        assert_eq!(logged(Level::Warn, socket.port().unwrap()), [""; 0]);
    }
}

#[test]
fn warns_of_refused_client_without_its_password() {
    let _watchdog = watchdog();
    start_logging();
    let pull = Server::new(0).plain_users([("ada", "enchantress")]).pull().unwrap();
    await_denial(client_of(&pull).plain("eve\n", "let me in"));
    let port = pull.socket().port().unwrap();
    let by_address = Server::new(0).deny(["127.0.0.1"]).pull().unwrap();
    await_denial(&client_of(&by_address));
    let other_port = by_address.socket().port().unwrap();
    let refused = |port, reason| {
        let label = format!("pull on tcp://127.0.0.1:{port}");
        vec![format!("{label} refused a client at 127.0.0.1: {reason}")]
    };
    assert_eq!(
        logged(Level::Warn, port),
        refused(port, r#"the user "eve\n" or the password is wrong"#)
    );
    assert_eq!(
        logged(Level::Warn, other_port),
        refused(other_port, "its address is denied")
    );
    let memory = MEMORY.0.lock().unwrap();
    assert!(
        memory
            .iter()
            .all(|(_, text)| !text.contains("let me in") && !text.contains("enchantress"))
    );
}

#[test]
fn reports_function_that_panics() {
    let _watchdog = watchdog();
    start_logging();
    let pull = Server::new(0).plain(|_, _| panic!("on purpose")).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let _push = client_of(&pull)
        .plain("ada", "?")
        .linger(Duration::ZERO)
        .push()
        .unwrap();
    wait_until(|| !logged(Level::Error, port).is_empty());
    let errors = logged(Level::Error, port);
    assert!(
        errors[0].ends_with("the function given to plain has panicked"),
        "{errors:?}"
    );
}

#[test]
fn reports_fault_that_ends_iteration() {
    let _watchdog = watchdog();
    start_logging();
    let (_reply, requests) = Server::new(0).reply().unwrap();
    let port = requests.socket().port().unwrap();
    let (_request, mut replies) = client_of_port(port).request().unwrap();
    assert_eq!(replies.next(), None);
    let errors = logged(Level::Error, port);
    assert!(
        errors.len() == 1 && errors[0].starts_with("iteration ends: request on"),
        "{errors:?}"
    );
}

#[test]
fn normal_end_of_iteration_is_silent() {
    let _watchdog = watchdog();
    start_logging();
    let publish = Server::new(0).publish().unwrap();
    let port = publish.socket().port().unwrap();
    let mut news = client_of_sender(&publish)
        .timeout(Duration::from_millis(1))
        .subscribe([""])
        .unwrap();
    await_subscribers(&publish, 1);
    assert_eq!(news.next(), None);
    assert_eq!(news.try_iter().next(), None);
    news.socket().close();
    assert_eq!(news.next(), None);
    assert_eq!(logged(Level::Error, port), [""; 0]);
}

mod without_logger {
    use super::*;

    /// Opens a server that lets anyone in.
    fn do_something_to_be_warned_of() {
        Server::public(0).pull().unwrap();
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn has_none() {
        do_something_to_be_warned_of();
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn sets_a_level() {
        log::set_max_level(LevelFilter::Error);
        do_something_to_be_warned_of();
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn has_a_logger_that_is_off() {
        env_logger::builder().filter_level(LevelFilter::Off).init();
        assert_eq!(log::max_level(), LevelFilter::Off);
        do_something_to_be_warned_of();
    }

    /// The lines that a child prints on standard error.
    fn printed_by(child: impl Fn()) -> Vec<String> {
        let mut child = run_in_child(child, "");
        let lines = child.reports().collect();
        child.succeeds();
        lines
    }

    #[test]
    fn warnings_go_to_stderr() {
        let _watchdog = watchdog();
        let lines = printed_by(has_none);
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(line.starts_with("zeroless: pull on tcp://0.0.0.0:"), "{line}");
    }

    #[test]
    fn level_silences_warnings() {
        let _watchdog = watchdog();
        assert_eq!(printed_by(sets_a_level), [""; 0]);
    }

    #[test]
    fn logger_that_is_off_is_not_overruled() {
        let _watchdog = watchdog();
        assert_eq!(printed_by(has_a_logger_that_is_off), [""; 0]);
    }
}

/// A logger that sends what is logged to another process, by calls over the caller whose log it is.
mod logger_that_calls {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use super::*;

    struct Collector(OnceLock<Caller>);

    static COLLECTOR: Collector = Collector(OnceLock::new());

    impl Log for Collector {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            thread_local!(static IS_LOGGING: Cell<bool> = const { Cell::new(false) });
            // What its own calls log is not sent.
            if let (Some(caller), false) = (self.0.get(), IS_LOGGING.replace(true)) {
                caller.call(&["log", &record.args().to_string()]).unwrap();
                IS_LOGGING.set(false);
            }
        }

        fn flush(&self) {}
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn logs_by_calls() {
        let caller = client_of_port(argument_of_child().parse().unwrap()).call().unwrap();
        COLLECTOR.0.set(caller.clone()).unwrap();
        log::set_logger(&COLLECTOR).unwrap();
        log::set_max_level(LevelFilter::Trace);
        caller.call(&["question"]).unwrap();
    }

    /// What a server receives from a child that logs by calls. It receives `first` calls before it answers, and answers
    /// the last of them first.
    fn received_from_child(first: usize) -> Vec<String> {
        let mut calls = Server::new(0).serve().unwrap();
        let mut child = run_in_child(logs_by_calls, &calls.socket().port().unwrap().to_string());
        let socket = calls.socket();
        let server = thread::spawn(move || {
            let answer = |call: Call| (text(&call), call.reply("yes").unwrap()).0;
            let first: Vec<Call> = calls.by_ref().take(first).collect();
            let mut received: Vec<String> = first.into_iter().rev().map(answer).collect();
            received.reverse();
            received.extend(calls.map(answer));
            received
        });
        child.succeeds();
        socket.close();
        server.join().unwrap()
    }

    #[test]
    fn does_not_block_itself_while_it_sends() {
        let _watchdog = watchdog();
        let received = received_from_child(0);
        assert_eq!(received[0], "question");
        assert!(
            received[1].starts_with("log, call on") && received[1].contains("sent 1 frame"),
            "{received:?}"
        );
    }

    #[test]
    fn does_not_block_itself_while_it_receives() {
        let _watchdog = watchdog();
        // The call that logs that the question was sent is answered first, so it does not receive the other answer.
        let received = received_from_child(2);
        assert!(
            received[2].starts_with("log, call on") && received[2].contains("received"),
            "{received:?}"
        );
    }

    #[test]
    fn does_not_block_itself_while_it_looks_for_a_refusal() {
        let _watchdog = watchdog();
        // By hand, so that the child's second connection shows that it looks.
        let no_server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = no_server.local_addr().unwrap().port();
        let mut child = run_in_child(logs_by_calls, &port.to_string());
        let connections = [no_server.accept().unwrap(), no_server.accept().unwrap()];
        drop((no_server, connections));
        let calls = Server::new(port).serve().unwrap();
        let socket = calls.socket();
        let server = thread::spawn(move || calls.for_each(|call| call.reply("yes").unwrap()));
        child.succeeds();
        socket.close();
        server.join().unwrap();
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn logs_by_calls_to_itself() {
        let calls = Server::at("inproc://logs").serve().unwrap();
        let mut client = Client::new();
        client.connect_to("inproc://logs");
        COLLECTOR.0.set(client.call().unwrap()).unwrap();
        log::set_logger(&COLLECTOR).unwrap();
        log::set_max_level(LevelFilter::Warn);
        let (send, _receive) = client.dealer().unwrap();
        let caller = client.call().unwrap();
        let both_workers = Barrier::new(3);
        let (ran, runs) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                calls.workers(2, |call| {
                    let call = text(call);
                    if call == "wait" {
                        both_workers.wait();
                        both_workers.wait();
                    }
                    ran.send(call).unwrap();
                    Ok::<_, Infallible>("yes")
                })
            });
            scope.spawn(|| caller.call("wait").unwrap());
            scope.spawn(|| caller.call("wait").unwrap());
            both_workers.wait();
            // So that a worker finds it when it looks for a call while no other one waits.
            send.send("not a call").unwrap();
            both_workers.wait();
            assert!(
                runs.iter()
                    .any(|call| call.contains("drops a message that is not a call"))
            );
            // Its worker answers it before it runs another call.
            caller.call("last").unwrap();
            calls.socket().close();
        });
    }

    #[test]
    fn does_not_block_the_server_that_it_calls() {
        let _watchdog = watchdog();
        run_in_child(logs_by_calls_to_itself, "").succeeds();
    }
}

/// A logger that takes its time, and a peer that sends faster than that.
mod logger_that_is_slow {
    use super::*;

    struct Slow;

    impl Log for Slow {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, _: &Record<'_>) {
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(20) {
                hint::spin_loop();
            }
        }

        fn flush(&self) {}
    }

    /// Looks for a call when it is given a line, and then serves until killed.
    #[test]
    #[ignore = "runs as a child process of another test"]
    fn serves() {
        log::set_logger(&Slow).unwrap();
        log::set_max_level(LevelFilter::Warn);
        let calls = Server::new(argument_of_child().parse().unwrap()).serve().unwrap();
        report("listening");
        io::stdin().read_line(&mut String::new()).unwrap();
        assert_eq!(calls.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
        report("there is no call");
        calls.workers(2, |call| Ok::<_, Infallible>(call.to_vec())).unwrap();
    }

    #[test]
    fn messages_that_are_no_calls_do_not_hold_up_calls() {
        let _watchdog = watchdog();
        let port = unused_port();
        let (mut server, mut reports) = serve_in_child(serves, &port.to_string());
        let (send, _receive) = client_of_port(port).linger(Duration::ZERO).dealer().unwrap();
        let socket = send.socket();
        // More than its own queue takes, so the server has received some.
        for _ in 0..2_000 {
            send.send("not a call").unwrap();
        }
        thread::scope(|scope| {
            scope.spawn(|| while send.send("not a call").is_ok() {});
            server.types("go");
            assert_eq!(reports.next().unwrap(), "there is no call");
            let caller = client_of_port(port).call().unwrap();
            for number in 0..20 {
                assert_eq!(text(&caller.call(&[number.to_string()]).unwrap()), number.to_string());
            }
            socket.close();
        });
    }
}

mod logger_that_panics {
    use super::*;

    struct Panics;

    static HAS_WARNED: AtomicBool = AtomicBool::new(false);

    impl Log for Panics {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let text = record.args().to_string();
            let is_answer = text.starts_with("serve on") && text.contains("sent");
            let is_warning = record.level() == Level::Warn;
            HAS_WARNED.fetch_or(is_warning, Ordering::SeqCst);
            assert!(!is_answer && !is_warning, "on purpose");
        }

        fn flush(&self) {}
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn handler_panics_too() {
        log::set_logger(&Panics).unwrap();
        log::set_max_level(LevelFilter::Trace);
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of_port(calls.socket().port().unwrap()).call().unwrap();
        let server = thread::spawn(move || {
            let _call = calls.recv().unwrap();
            panic!("on purpose");
        });
        assert_eq!(caller.call("question").unwrap_err().kind(), ErrorKind::Failed);
        assert!(server.join().is_err());
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn worker_panics_while_others_have_calls() {
        silence();
        log::set_logger(&Panics).unwrap();
        log::set_max_level(LevelFilter::Warn);
        let calls = Server::new(0).serve().unwrap();
        let client = client_of_port(calls.socket().port().unwrap());
        let caller = client.call().unwrap();
        let (send, _receive) = client.dealer().unwrap();
        thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| while caller.call("again").is_ok() {});
            }
            scope.spawn(|| {
                caller.call("first").unwrap();
                send.send("not a call").unwrap();
            });
            let run_late = AtomicU32::new(0);
            let run = || {
                calls.workers(2, |_| {
                    run_late.fetch_add(HAS_WARNED.load(Ordering::SeqCst).into(), Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(1)); // its work
                    Ok::<_, Infallible>("yes")
                })
            };
            assert!(panic::catch_unwind(panic::AssertUnwindSafe(run)).is_err());
            caller.socket().close();
            // The panic takes some time to print, and until then, nothing is stopped.
            let run_late = run_late.into_inner();
            assert!(run_late < 1_000, "{run_late} calls were run after the panic");
        });
    }

    #[test]
    fn ends_all_workers_although_calls_keep_coming() {
        let _watchdog = watchdog();
        run_in_child(worker_panics_while_others_have_calls, "").succeeds();
    }

    #[test]
    fn does_not_abort_when_a_call_is_dropped() {
        let _watchdog = watchdog();
        run_in_child(handler_panics_too, "").succeeds();
    }
}

mod logger_that_panics_in_a_producer {
    use super::*;

    /// Panics in the thread of a producer, once that has sent a job.
    struct Panicking;

    impl Log for Panicking {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            let is_producer = std::thread::current().name() == Some("zeroless-dispatch");
            assert!(
                !is_producer || !record.args().to_string().contains("sent"),
                "on purpose"
            );
        }

        fn flush(&self) {}
    }

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn dispatches() {
        log::set_logger(&Panicking).unwrap();
        log::set_max_level(LevelFilter::Trace);
        let (dispatch, outcomes) = Server::new(0).high_water_mark(3).dispatch().unwrap();
        for _ in 0..3 {
            dispatch(&[b"job"]).unwrap();
        }
        let blocked = std::thread::spawn(move || dispatch(&[b"no room"]).unwrap_err().kind());
        let port = outcomes.socket().port().unwrap();
        let jobs = client_of_port(port).work().unwrap();
        let closer = jobs.clone();
        std::thread::spawn(move || jobs.for_each(drop));
        assert_eq!(blocked.join().unwrap(), ErrorKind::Closed);
        let errors: Vec<String> = outcomes
            .map(|outcome| outcome.result.unwrap_err().to_string())
            .collect();
        assert_eq!(errors.len(), 3);
        assert!(errors[0].contains("panicked"), "{errors:?}");
        closer.close();
    }

    #[test]
    fn leaves_each_job_an_outcome() {
        let _watchdog = watchdog();
        run_in_child(dispatches, "").succeeds();
    }
}
