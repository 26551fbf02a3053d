//! What happens while a name server does not answer, or answers wrongly.

use std::fs::File;
use std::iter;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{argument_of_child, run_in_child, watchdog};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use zeroless::{Client, ErrorKind, Server};

/// A client that closes may find its lookup running, done or not started.
#[test]
fn clients_close_at_any_time() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let client = client_of("localhost", pull.socket().port().unwrap());
    for microseconds in 0..500 {
        let _push = client.push().unwrap();
        let started = Instant::now();
        while started.elapsed() < Duration::from_micros(microseconds) {
            thread::yield_now();
        }
    }
    client.push().unwrap().send(&["last"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"last"]);
}

#[test]
#[ignore = "runs as a child process of another test"]
fn connects_to_a_name_without_a_descriptor() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let nothing = || pull.recv_timeout(Duration::from_millis(300)).unwrap_err().kind();
    // The first wait opens the descriptors that it needs.
    assert_eq!(nothing(), ErrorKind::TimedOut);
    let push = Client::new().linger(Duration::ZERO).push().unwrap();
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 100, hard).unwrap();
    let files: Vec<_> = iter::repeat_with(|| File::open("/dev/null"))
        .map_while(Result::ok)
        .collect();
    push.socket()
        .connect("localhost", pull.socket().port().unwrap())
        .unwrap();
    push.send(&["patience"]).unwrap();
    assert_eq!(nothing(), ErrorKind::TimedOut);
    drop(files);
    assert_eq!(pull.recv().unwrap(), [b"patience"]);
}

#[test]
fn name_is_looked_up_once_descriptors_are_free() {
    let _watchdog = watchdog();
    run_in_child(connects_to_a_name_without_a_descriptor, "").succeeds();
}

fn client_of(host: &str, port: u16) -> Client {
    Client::new().connect(host, port).clone()
}

/// A name that only the test's name server knows.
const NAME: &str = "peer.example";

/// Far longer than what does not wait for the name server takes, and shorter than the 10 s after which the system stops
/// waiting for it.
const SOON: Duration = Duration::from_secs(3);

/// The name server that this process asks.
fn name_server() -> UdpSocket {
    UdpSocket::bind((argument_of_child(), 53)).unwrap()
}

/// Waits until the name server is asked.
fn await_question(name_server: &UdpSocket) {
    name_server.recv_from(&mut [0; 512]).unwrap();
}

/// Answers the next question with an address, or that the name does not exist.
fn answer(name_server: &UdpSocket, address: Option<Ipv4Addr>) {
    let mut message = [0; 512];
    let (length, client) = name_server.recv_from(&mut message).unwrap();
    let (header, question) = message[..length].split_at(12);
    let id = &header[..2];
    let answer = match address {
        // One question, no answer.
        None => [id, b"\x81\x83\0\x01\0\0\0\0\0\0", question].concat(),
        Some(address) => {
            let header = b"\x81\x80\0\x01\0\x01\0\0\0\0";
            // The name of the question, type A, class IN, to be kept for 0 s, 4 bytes.
            let record = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04";
            [id, header, question, record, &address.octets()].concat()
        }
    };
    name_server.send_to(&answer, client).unwrap();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn works_while_name_server_is_silent() {
    let _watchdog = watchdog();
    let name_server = name_server();
    let (reply, requests) = Server::new(0).reply().unwrap();
    let port = requests.socket().port().unwrap();
    thread::spawn(move || requests.iter().try_for_each(|request| reply.send(&request)));
    let (request, replies) = client_of("127.0.0.1", port).request().unwrap();
    let round_trip = || {
        request.send(&["ping"]).unwrap();
        replies.recv().unwrap();
    };
    round_trip();

    let client = client_of(NAME, port);
    let _silent = client.push().unwrap();
    await_question(&name_server);
    let started = Instant::now();
    (0..100).for_each(|_| round_trip());
    let elapsed = started.elapsed();
    assert!(elapsed < SOON, "100 round trips took {elapsed:?}");

    // They do not wait for each other either.
    let _all_silent = [(); 10].map(|()| {
        let push = client.push().unwrap();
        await_question(&name_server);
        push
    });
    let elapsed = started.elapsed();
    assert!(elapsed < SOON, "10 clients asked after {elapsed:?}");
}

#[test]
#[ignore = "runs as a child process of another test"]
fn closes_while_name_server_is_silent() {
    let _watchdog = watchdog();
    let name_server = name_server();
    let push = client_of(NAME, 5555).linger(Duration::ZERO).push().unwrap();
    push.send(&["never delivered"]).unwrap();
    await_question(&name_server);
    let started = Instant::now();
    // It is the last socket, so libzmq stops its threads.
    drop(push);
    let elapsed = started.elapsed();
    assert!(elapsed < SOON, "closing took {elapsed:?}");
}

#[test]
#[ignore = "runs as a child process of another test"]
fn sends_to_a_name_that_resolves_late() {
    let _watchdog = watchdog();
    let name_server = name_server();
    let pull = Server::new(0).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let push = client_of(NAME, port).linger(Duration::ZERO).push().unwrap();
    answer(&name_server, None);
    // Nothing listens there.
    answer(&name_server, Some(Ipv4Addr::new(127, 0, 0, 2)));
    answer(&name_server, Some(Ipv4Addr::LOCALHOST));
    push.send(&["found"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"found"]);
}

#[cfg(target_os = "linux")]
mod as_root {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::support::{Folder, arguments_to_run};

    /// Runs a test in a process that asks another name server: one at the address that it is given, which the test must
    /// be itself. The number distinguishes the tests.
    fn run_with_name_server<T: Fn()>(test: T, number: u8) {
        let _watchdog = watchdog();
        let folder = Folder::new(&format!("names-{number}"));
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, number, high, low);
        fs::write(folder.0.join("resolv.conf"), format!("nameserver {address}\n")).unwrap();
        fs::write(folder.0.join("nsswitch.conf"), "hosts: dns\n").unwrap();
        let script = "for file in *.conf; do mount --bind $file /etc/$file || exit; done; exec \"$0\" \"$@\"";
        let output = Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .arg(std::env::current_exe().unwrap())
            .args(arguments_to_run(test))
            .current_dir(&folder.0)
            .env("ZEROLESS_TEST_ARGUMENT", address.to_string())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    #[ignore = "needs root: run with --include-ignored as_root"]
    fn silent_resolver_stops_no_other_socket() {
        run_with_name_server(works_while_name_server_is_silent, 1);
    }

    #[test]
    #[ignore = "needs root: run with --include-ignored as_root"]
    fn closing_does_not_wait_for_resolver() {
        run_with_name_server(closes_while_name_server_is_silent, 2);
    }

    #[test]
    #[ignore = "needs root: run with --include-ignored as_root"]
    fn name_is_looked_up_again() {
        run_with_name_server(sends_to_a_name_that_resolves_late, 3);
    }
}
