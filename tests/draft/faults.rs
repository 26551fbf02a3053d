//! Peers that are killed, and queues that are full.

use std::fs::File;
use std::io::Read;
use std::thread;
use std::time::Duration;

use crate::radio_dish::await_joined;
use crate::support::{
    Process, argument_of_child, client_of, client_of_port, client_of_sender, report, run_in_child, serve_in_child,
    unused_port, wait_until, watchdog,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zeroless::{Client, ErrorKind, Server};

const SHORT: Duration = Duration::from_millis(10);

/// The argument is a pattern and the port of a server to connect to. It connects, says hello, and waits to be killed.
#[test]
#[ignore = "runs as a child process of another test"]
fn connects() {
    let argument = argument_of_child();
    let (pattern, port) = argument.split_once(' ').unwrap();
    let client = client_of_port(port.parse().unwrap());
    let gather = (pattern == "gather").then(|| client.gather().unwrap());
    let send = match pattern {
        "draft_client" => Some(client.draft_client().unwrap().0),
        "channel" => Some(client.channel().unwrap().0),
        _ => None,
    };
    if let Some(send) = &send {
        send(&[b"hello"]).unwrap();
    }
    report(&format!("{gather:?} {send:?}"));
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// The argument is the port to listen on.
#[test]
#[ignore = "runs as a child process of another test"]
fn listens() {
    let gather = Server::new(argument_of_child().parse().unwrap()).gather().unwrap();
    report("listening");
    for message in gather {
        report(&String::from_utf8(message[0].clone()).unwrap());
    }
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_udp_without_descriptors() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 60.min(hard), hard).unwrap();
    let dish = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let endpoint = dish.socket().endpoints()[0].clone();
    let radio = Client::new().radio("sport").unwrap();
    wait_until(|| dish.recv_timeout(SHORT).is_err());

    let files: Vec<File> = std::iter::repeat_with(|| File::open("/dev/null"))
        .map_while(Result::ok)
        .collect();
    let errors = [
        Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap_err(),
        Server::at("udp://127.0.0.1;239.255.17.20:5555")
            .dish(["sport"])
            .unwrap_err(),
        radio.socket().connect_to(&endpoint).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
    }
    drop(files);
    radio.socket().connect_to(&endpoint).unwrap();
    await_joined(&radio, &dish);
}

#[test]
fn no_descriptor_is_left() {
    let _watchdog = watchdog();
    run_in_child(opens_udp_without_descriptors, "").succeeds();
}

fn child_of(pattern: &str, port: u16) -> Process {
    run_in_child(connects, &format!("{pattern} {port}"))
}

#[test]
fn server_learns_that_a_client_was_killed() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).draft_server().unwrap();
    let mut client = child_of("draft_client", questions.socket().port().unwrap());
    let hello = questions.recv().unwrap();
    answer.send(&hello).unwrap();
    client.kill();
    wait_until(|| {
        answer
            .send(&hello)
            .is_err_and(|error| error.kind() == ErrorKind::NotConnected)
    });
}

#[test]
fn channel_waits_when_its_peer_was_killed() {
    let _watchdog = watchdog();
    let (say, hear) = Server::new(0).channel().unwrap();
    let mut client = child_of("channel", hear.socket().port().unwrap());
    hear.recv().unwrap();
    client.kill();
    wait_until(|| {
        say.send_timeout(&["anyone?"], SHORT)
            .is_err_and(|error| error.kind() == ErrorKind::TimedOut)
    });
    // Another peer can take the place.
    let (answer, _listen) = client_of(&hear).channel().unwrap();
    answer(&[b"me"]).unwrap();
    assert_eq!(hear.recv().unwrap(), [b"me"]);
}

#[test]
fn scatter_goes_on_with_other_gatherers() {
    let _watchdog = watchdog();
    let scatter = Server::new(0).scatter().unwrap();
    let port = scatter.socket().port().unwrap();
    let mut doomed = child_of("gather", port);
    scatter(&[b"to the only one"]).unwrap();
    let gather = client_of_sender(&scatter).gather().unwrap();
    doomed.kill();
    // Some of these may be dealt to the one that was killed, as long as libzmq has not noticed.
    wait_until(|| {
        scatter(&[b"to anyone"]).unwrap();
        gather.recv_timeout(SHORT).is_ok()
    });
    wait_until(|| gather.recv_timeout(Duration::from_millis(100)).is_err());
    for number in 0..100 {
        scatter.send(&[number.to_string()]).unwrap();
        assert_eq!(gather.recv().unwrap(), [number.to_string().into_bytes()]);
    }
}

#[test]
fn client_connects_to_a_server_that_was_restarted() {
    let _watchdog = watchdog();
    let port = unused_port();
    let scatter = Client::new().connect_local(port).scatter().unwrap();
    for round in ["first", "second"] {
        let (mut server, reports) = serve_in_child(listens, &port.to_string());
        let mut reports = reports.peekable();
        wait_until(|| {
            scatter.send(&[round]).unwrap();
            reports.peek().is_some()
        });
        assert!(reports.any(|line| line == round));
        server.kill();
    }
}

#[test]
fn full_queue_makes_scatter_wait() {
    let _watchdog = watchdog();
    let gather = Server::new(0).high_water_mark(1).gather().unwrap();
    let scatter = client_of(&gather).high_water_mark(1).scatter().unwrap();
    let large = vec![0; 1_000_000];
    let mut sent = 0;
    while scatter.send_timeout(&[&large], Duration::from_millis(200)).is_ok() {
        sent += 1;
    }
    assert_eq!(scatter.try_send(&[&large]).unwrap_err().kind(), ErrorKind::WouldBlock);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| scatter.send(&[&large]));
        assert_eq!(gather.iter().take(sent + 1).count(), sent + 1);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn full_queue_of_one_client_does_not_concern_others() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0).high_water_mark(1).draft_server().unwrap();
    let mut client = client_of(&questions);
    let (ask_slowly, slow_answers) = client.high_water_mark(1).draft_client().unwrap();
    let (ask, answers) = client.draft_client().unwrap();
    ask_slowly(&[b"slow"]).unwrap();
    let slow = questions.recv().unwrap();
    ask(&[b"quick"]).unwrap();
    let quick = questions.recv().unwrap();

    let large = vec![0; 1_000_000];
    let mut sent = 0;
    while answer
        .send_timeout(&[&slow[0], &large], Duration::from_millis(200))
        .is_ok()
    {
        sent += 1;
    }
    answer.send(&quick).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"quick"]);
    // When the slow one receives, the server can send to it again.
    thread::scope(|scope| {
        let waiting = scope.spawn(|| answer.send(&[&slow[0], &large]));
        assert_eq!(slow_answers.iter().take(sent + 1).count(), sent + 1);
        waiting.join().unwrap().unwrap();
    });
}
