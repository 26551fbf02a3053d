//! Nothing is lost at exit: a program that sends and returns at once delivers everything.

use std::io::Read;
use std::time::{Duration, Instant};

use crate::support::{self, argument_of_child, client_of_port, report, run_in_child, texts, watchdog};
use zeroless::{Client, ErrorKind, Server};

const MESSAGES: usize = 5_000;

#[test]
#[ignore = "runs as a child process of another test"]
fn pushes_and_returns() {
    let push = client_of_port(argument_of_child().parse().unwrap())
        .high_water_mark(0)
        .push()
        .unwrap();
    (0..MESSAGES).for_each(|number| push.send(&[number.to_string()]).unwrap());
}

#[test]
fn delivers_everything() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let mut child = run_in_child(pushes_and_returns, &pull.socket().port().unwrap().to_string());
    for (number, message) in pull.iter().take(MESSAGES).enumerate() {
        assert_eq!(texts(&message), [number.to_string()]);
    }
    child.succeeds();
}

#[test]
fn delivers_to_server_that_starts_later() {
    let _watchdog = watchdog();
    let port = support::unused_port();
    let mut child = run_in_child(pushes_and_warns, &port.to_string());
    // The warning comes when everything is sent and dropping the last handle has waited for a second.
    let warning = child.reports().find(|line| line.contains("WARN")).unwrap();
    assert!(
        warning.contains("zeroless") && warning.contains("waited 1s to close"),
        "{warning}"
    );
    assert!(
        warning.contains(&format!("over push on tcp://127.0.0.1:{port} ({MESSAGES});")),
        "{warning}"
    );

    let pull = Server::new(port).pull().unwrap();
    for (number, message) in pull.iter().take(MESSAGES).enumerate() {
        assert_eq!(texts(&message), [number.to_string()]);
    }
    child.succeeds();
}

#[test]
fn warns_again() {
    let _watchdog = watchdog();
    let child = &mut run_in_child(pushes_and_warns, &support::unused_port().to_string());
    let waits: Vec<bool> = child
        .reports()
        .filter(|line| line.contains("WARN"))
        .take(2)
        .zip(["waited 1s", "waited 10s"])
        .map(|(line, wait)| line.contains(wait))
        .collect();
    assert_eq!(waits, [true, true]);
    child.kill();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn pushes_and_warns() {
    env_logger::builder().filter_level(log::LevelFilter::Warn).init();
    pushes_and_returns();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn pushes_frames_and_warns() {
    env_logger::builder().filter_level(log::LevelFilter::Warn).init();
    let push = client_of_port(argument_of_child().parse().unwrap()).push().unwrap();
    push(&[b"a message", b"of", b"several frames"]).unwrap();
}

/// libzmq takes the first frame of the message before it has taken a whole message.
#[test]
fn frames_that_are_delivered_are_not_reported_as_lost() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let port = pull.socket().port().unwrap().to_string();
    for _ in 0..10 {
        let mut child = run_in_child(pushes_frames_and_warns, &port);
        assert_eq!(pull.recv().unwrap().len(), 3);
        let said: Vec<String> = child.reports().collect();
        assert!(!said.iter().any(|line| line.contains("lost")), "{said:?}");
        child.succeeds();
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn closes_from_another_thread_and_returns() {
    let push = client_of_port(argument_of_child().parse().unwrap())
        .high_water_mark(0)
        .push()
        .unwrap();
    let socket = push.socket();
    (0..MESSAGES).for_each(|number| push.send(&[number.to_string()]).unwrap());
    std::thread::spawn(move || socket.close());
    // The other thread may still be closing the socket, and this thread must wait for it.
    support::wait_until(|| push.socket().is_closed());
}

#[test]
fn delivers_when_another_thread_closes() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let port = pull.socket().port().unwrap().to_string();
    for _ in 0..5 {
        let mut child = run_in_child(closes_from_another_thread_and_returns, &port);
        assert_eq!(pull.iter().take(MESSAGES).count(), MESSAGES);
        child.succeeds();
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn keeps_a_socket_for_good_and_returns() {
    let push = client_of_port(argument_of_child().parse().unwrap()).push().unwrap();
    // As a program does that closes the socket on Ctrl-C.
    std::mem::forget(push.socket());
    push(&[b"the last message"]).unwrap();
}

#[test]
fn delivers_despite_leaked_socket() {
    let _watchdog = watchdog();
    let port = support::unused_port();
    let mut child = run_in_child(keeps_a_socket_for_good_and_returns, &port.to_string());
    let pull = Server::new(port).pull().unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["the last message"]);
    child.succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn gives_up_and_returns() {
    let port = argument_of_child().parse().unwrap();
    for (timeout, linger) in [(Some(200), None), (None, Some(200)), (Some(60_000), Some(200))] {
        let mut client = client_of_port(port);
        timeout.map(|timeout| client.timeout(Duration::from_millis(timeout)));
        linger.map(|linger| client.linger(Duration::from_millis(linger)));
        let push = client.push().unwrap();
        push(&[b"to no one"]).unwrap();
        let started = Instant::now();
        drop(push);
        assert!(started.elapsed() >= Duration::from_millis(150), "it has not waited");
        assert!(started.elapsed() < Duration::from_secs(30), "it has waited too long");
    }
}

#[test]
fn gives_up_after_linger_or_timeout() {
    let _watchdog = watchdog();
    run_in_child(gives_up_and_returns, &support::unused_port().to_string()).succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn subscribes_and_returns() {
    let port = argument_of_child().parse().unwrap();
    let news = client_of_port(port).subscribe(["a", "b"]).unwrap();
    news.recv().unwrap();
    report("received");
    // Waits until the publisher is gone.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    news.unsubscribe("a").unwrap();
    news.subscribe("c").unwrap();
}

#[test]
fn subscriber_ends_without_publisher() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let mut child = run_in_child(subscribes_and_returns, &publish.socket().port().unwrap().to_string());
    support::await_subscribers(&publish, 2);
    publish(&[b"a"]).unwrap();
    assert_eq!(child.reports().next().as_deref(), Some("received"));
    drop(publish);
    child.let_go();
    child.succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_again_and_again() {
    for _ in 0..200 {
        let pull = Server::new(0).pull().unwrap();
        let push = Client::new()
            .connect_local(pull.socket().port().unwrap())
            .push()
            .unwrap();
        push(&[b"x"]).unwrap();
        pull.recv().unwrap();
    }
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    report(&format!("{threads} threads"));
}

#[test]
fn leaves_no_threads() {
    let _watchdog = watchdog();
    let mut child = run_in_child(opens_again_and_again, "");
    // The test harness has two: one runs the test, and one waits for it.
    let threads = child.reports().find(|line| line.ends_with("threads"));
    assert_eq!(threads.as_deref(), Some("2 threads"));
    child.succeeds();
}

#[test]
fn delivers_over_new_connection() {
    let _watchdog = watchdog();
    // Because of this socket, no close is the last one, which would wait for delivery.
    let _another = Server::new(0).pull().unwrap();
    for round in 0..200 {
        let pull = Server::new(0).pull().unwrap();
        let push = Client::new().push().unwrap();
        // This makes libzmq read its commands, and it does not read them again for a while.
        push.try_send(&["to nobody"]).unwrap_err();
        push.socket().connect_local(pull.socket().port().unwrap()).unwrap();
        push.send(&[round.to_string()]).unwrap();
        drop(push);
        assert_eq!(texts(&pull.recv().unwrap()), [round.to_string()]);
    }
}

mod loss {
    use super::*;

    /// Pushes a message. The argument is a port, and the milliseconds of the linger and before closing.
    #[test]
    #[ignore = "runs as a child process of another test"]
    fn pushes_and_pauses() {
        let argument = argument_of_child();
        let numbers: Vec<u64> = argument.split(' ').map(|number| number.parse().unwrap()).collect();
        let mut client = client_of_port(numbers[0] as u16);
        client.linger(Duration::from_millis(numbers[1]));
        let mut push = client.push().unwrap();
        while let Err(error) = push(&[b"x"]) {
            // The refusal came first, so this one has nothing to lose.
            assert_eq!(error.kind(), ErrorKind::Denied);
            push = client.push().unwrap();
        }
        // So that it closes before, during and after the handshake.
        std::thread::sleep(Duration::from_millis(numbers[2]));
    }

    /// What a child reports that pushes a message to this port.
    fn reports(port: u16, linger: u64, pause: u64) -> String {
        let mut child = run_in_child(pushes_and_pauses, &format!("{port} {linger} {pause}"));
        let reports: Vec<String> = child.reports().collect();
        child.succeeds();
        reports.join("\n")
    }

    #[test]
    fn server_of_other_pattern_is_reported() {
        let _watchdog = watchdog();
        let (_reply, requests) = Server::new(0).reply().unwrap();
        let publish = Server::new(0).publish().unwrap();
        let (_send, pairs) = Server::new(0).pair().unwrap();
        for socket in [requests.socket(), publish.socket(), pairs.socket()] {
            let port = socket.port().unwrap();
            let is_refused = |pause| {
                let reports = reports(port, 5_000, pause);
                assert!(
                    reports.contains(&format!("push on tcp://127.0.0.1:{port}: "))
                        && reports.contains("1 message is lost"),
                    "{reports}"
                );
                reports.contains("the server has refused this client")
            };
            // If libzmq misses the refusal, as it does now and then, the client gives up after its linger.
            assert!((0..20).any(|pause| is_refused(5 * pause)));
        }
    }

    /// Waits for a job a moment.
    #[test]
    #[ignore = "runs as a child process of another test"]
    fn works_without_a_producer() {
        let jobs = client_of_port(argument_of_child().parse().unwrap())
            .timeout(Duration::from_millis(10))
            .work()
            .unwrap();
        assert!(jobs.recv().is_err());
    }

    #[test]
    fn worker_without_a_reply_loses_nothing() {
        let _watchdog = watchdog();
        let mut child = run_in_child(works_without_a_producer, &support::unused_port().to_string());
        let reports: Vec<String> = child.reports().collect();
        child.succeeds();
        assert_eq!(reports, [""; 0]);
    }

    #[test]
    fn messages_given_up_are_reported() {
        let _watchdog = watchdog();
        let reports = reports(support::unused_port(), 300, 0);
        assert!(
            reports.contains("1 message is lost, because no server has accepted the client within 300ms"),
            "{reports}"
        );
    }

    #[test]
    fn delivered_messages_are_not_reported() {
        let _watchdog = watchdog();
        let pull = Server::new(0).pull().unwrap();
        for pause in [0, 1, 2, 5, 50] {
            assert_eq!(reports(pull.socket().port().unwrap(), 60_000, pause), "");
            pull.recv().unwrap();
        }
    }
}

/// A peer that hangs up while it is sent something.
mod hang_up {
    use std::hint;
    use std::io::Write;
    use std::net::TcpStream;

    use super::*;
    use crate::support::zmtp;

    #[test]
    #[ignore = "runs as a child process of another test"]
    fn sends_to_peers_that_hang_up() {
        // How far libzmq has got with the end of the connection depends on the moment.
        for moment in (0..50).map(Duration::from_micros) {
            let (send, messages) = Server::new(0).router().unwrap();
            let mut peer = TcpStream::connect(("127.0.0.1", messages.socket().port().unwrap())).unwrap();
            zmtp::shake_hands(&mut peer, "DEALER");
            peer.write_all(&zmtp::frame(0, b"hello")).unwrap();
            let message = messages.recv().unwrap();
            drop(peer);
            let hung_up = Instant::now();
            while hung_up.elapsed() < moment {
                hint::spin_loop();
            }
            match send.send(&message) {
                Ok(()) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotConnected),
            }
        }
    }

    #[test]
    #[cfg_attr(
        not(libzmq = "own"),
        ignore = "needs zeroless's own libzmq: run without --config and --no-default-features"
    )]
    fn does_not_keep_the_process() {
        let _watchdog = watchdog();
        run_in_child(sends_to_peers_that_hang_up, "").succeeds();
    }
}
