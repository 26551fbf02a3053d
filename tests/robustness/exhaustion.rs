//! When file descriptors, threads, sockets, memory or the disk run out, the result is an error, and everything works
//! again afterwards.
//!
//! Each test exhausts a resource of a child process.

use std::fs::{self, File};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{self, await_denial, client_of, push_and_pull, run_in_child, watchdog};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};
use zeroless::{Client, Error, ErrorKind, Receiver, Server};

fn assert_exhausted(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
}

/// Asserts that a message still arrives.
fn assert_works() {
    let (push, pull) = push_and_pull();
    push(&[b"fine", b"again"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [&b"fine"[..], b"again"]);
}

/// Limits a resource of this process.
fn limit(resource: Resource, soft: u64) {
    let (_, hard) = getrlimit(resource).unwrap();
    setrlimit(resource, soft.min(hard), hard).unwrap();
}

/// Opens files until no descriptor is left.
fn take_all_descriptors() -> Vec<File> {
    std::iter::repeat_with(|| File::open("/dev/null"))
        .map_while(Result::ok)
        .collect()
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_sockets_until_no_descriptor_is_left() {
    limit(Resource::RLIMIT_NOFILE, 100);
    let mut servers: Vec<Receiver> = Vec::new();
    let error = loop {
        match Server::new(0).pull() {
            Ok(server) => servers.push(server),
            Err(error) => break error,
        }
    };
    assert_exhausted(&error);
    assert!(error.to_string().contains("file descriptor"), "{error}");
    assert!(servers.len() > 10);
    // Counting them needs one, too.
    let files = || fs::read_dir("/proc/self/fd").map_or(usize::MAX, |files| files.count());
    servers.truncate(servers.len() / 2);
    // libzmq closes descriptors in the background.
    support::wait_until(|| files() < 80);
    assert_works();
}

#[test]
fn recovers_when_descriptors_are_freed() {
    let _watchdog = watchdog();
    run_in_child(opens_sockets_until_no_descriptor_is_left, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_and_closes_sockets_without_a_pause() {
    limit(Resource::RLIMIT_NOFILE, 40);
    let _keeps_the_context = Client::new().pull().unwrap();
    for _ in 0..2_000 {
        Server::new(0).pull().unwrap();
    }
}

#[test]
fn opens_faster_than_libzmq_frees() {
    let _watchdog = watchdog();
    run_in_child(opens_and_closes_sockets_without_a_pause, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_its_first_socket_with_ever_more_descriptors() {
    limit(Resource::RLIMIT_NOFILE, 100);
    let mut files = take_all_descriptors();
    let mut refused = 0;
    // Until there are enough for a pair of sockets, and a few rounds more.
    for _ in 0..60 {
        for endpoint in [
            "tcp://127.0.0.1:*",
            "tcp://[::1]:*",
            "ipc://@zeroless-exhausted",
            "inproc://exhausted",
        ] {
            if let Err(error) = Server::at(endpoint).pull() {
                assert_exhausted(&error);
                refused += 1;
            }
        }
        drop(files.pop());
    }
    assert!(refused > 0);
    assert_works();
}

#[test]
fn first_socket_without_descriptors_is_error() {
    let _watchdog = watchdog();
    run_in_child(opens_its_first_socket_with_ever_more_descriptors, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_its_first_guarded_socket_with_ever_more_descriptors() {
    limit(Resource::RLIMIT_NOFILE, 100);
    let mut files = take_all_descriptors();
    let mut refused = 0;
    for _ in 0..60 {
        if let Err(error) = Server::new(0).deny(["127.0.0.1"]).pull() {
            assert_exhausted(&error);
            refused += 1;
        }
        drop(files.pop());
    }
    assert!(refused > 10);
    let pull = Server::new(0).deny(["127.0.0.1"]).pull().unwrap();
    await_denial(&client_of(&pull));
    assert_works();
}

#[test]
fn first_guarded_socket_without_descriptors_is_error() {
    let _watchdog = watchdog();
    run_in_child(opens_its_first_guarded_socket_with_ever_more_descriptors, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_its_first_socket_with_ever_more_threads() {
    limit(Resource::RLIMIT_NPROC, 1);
    // The limit does not apply to root.
    setuid(Uid::from_raw(65_534)).unwrap();
    let mut refused = 0;
    let socket = loop {
        match Server::new(0).pull() {
            Ok(socket) => break socket,
            Err(error) => assert_exhausted(&error),
        }
        refused += 1;
        limit(Resource::RLIMIT_NPROC, 1 + refused);
    };
    assert!(refused > 0);
    drop(socket);
    limit(Resource::RLIMIT_NPROC, u64::MAX);
    assert_works();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn is_asked_while_there_are_no_threads() {
    setuid(Uid::from_raw(65_534)).unwrap();
    let pull = Server::new(0).allow(["127.0.0.1"]).pull().unwrap();
    limit(Resource::RLIMIT_NPROC, 1);
    assert!(thread::Builder::new().spawn(|| {}).is_err());
    let push = client_of(&pull).push().unwrap();
    push(&[b"patience"]).unwrap();
    assert_eq!(
        pull.recv_timeout(Duration::from_millis(300)).unwrap_err().kind(),
        ErrorKind::TimedOut
    );
    limit(Resource::RLIMIT_NPROC, u64::MAX);
    let started = Instant::now();
    assert_eq!(pull.recv().unwrap(), [b"patience"]);
    // Sooner than after the handshake time of libzmq, when the client would ask again.
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
#[ignore = "runs as a child process of another test"]
fn waits_without_a_descriptor_to_wait_with() {
    limit(Resource::RLIMIT_NOFILE, 100);
    let (push, pull) = push_and_pull();
    push(&[b"one"]).unwrap();
    // Without waiting, because the first wait takes the descriptors.
    support::wait_until(|| pull.try_recv().is_ok());
    let files = take_all_descriptors();
    assert_exhausted(&pull.clone().recv().unwrap_err());
    push(&[b"two"]).unwrap();
    support::wait_until(|| pull.try_recv().is_ok_and(|message| message == [b"two"]));
    drop(files);
    push(&[b"three"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"three"]);
}

#[test]
fn receiver_without_descriptors_loses_nothing() {
    let _watchdog = watchdog();
    run_in_child(waits_without_a_descriptor_to_wait_with, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn has_clients_while_it_cannot_accept_them() {
    limit(Resource::RLIMIT_NOFILE, 100);
    let (_push, pull) = push_and_pull();
    let waiting = client_of(&pull).push().unwrap();
    let files = take_all_descriptors();
    waiting(&[b"patience"]).unwrap();
    drop(files);
    assert_eq!(pull.recv().unwrap(), [b"patience"]);
}

#[test]
fn client_is_accepted_once_descriptors_are_free() {
    let _watchdog = watchdog();
    run_in_child(has_clients_while_it_cannot_accept_them, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn opens_more_sockets_than_a_context_has() {
    limit(Resource::RLIMIT_NOFILE, 10_000);
    let mut sockets = Vec::new();
    let error = loop {
        match Client::new().push() {
            Ok(socket) => sockets.push(socket),
            Err(error) => break error,
        }
    };
    assert_exhausted(&error);
    drop(sockets);
    assert_works();
}

#[test]
fn too_many_sockets_are_error() {
    let _watchdog = watchdog();
    run_in_child(opens_more_sockets_than_a_context_has, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn connects_to_names_that_nobody_binds() {
    limit(Resource::RLIMIT_NOFILE, 10_000);
    // libzmq keeps such a socket after it is closed, as long as a server might still bind the name.
    let mut refused = 0;
    for number in 0..2_000 {
        match Client::new()
            .connect_to(format!("inproc://nobody-{}", number % 10))
            .push()
        {
            Ok(push) => push(&[b"to nobody"]).unwrap(),
            Err(error) => {
                assert_exhausted(&error);
                refused += 1;
            }
        }
    }
    assert!(refused == 0, "with the last socket, libzmq lets go of all of them");
    let _last = Server::new(0).pull().unwrap();
    while let Ok(push) = Client::new().connect_to("inproc://nobody").push() {
        push(&[b"to nobody"]).unwrap();
    }
}

#[test]
fn sockets_waiting_for_inproc_name_are_freed() {
    let _watchdog = watchdog();
    run_in_child(connects_to_names_that_nobody_binds, "").succeeds();
}

/// The address space that this process uses, in bytes.
fn address_space() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

const HUGE: usize = 300_000_000;

#[test]
#[ignore = "runs as a child process of another test"]
fn sends_a_frame_that_there_is_no_memory_for() {
    let (push, pull) = push_and_pull();
    push(&[b"one"]).unwrap();
    pull.recv().unwrap();
    let frame = vec![0; HUGE];
    limit(Resource::RLIMIT_AS, address_space() + HUGE as u64 / 2);
    let error = push.send(&[&b"head"[..], &frame]).unwrap_err();
    assert_exhausted(&error);
    assert!(error.to_string().contains("memory"), "{error}");
    push(&[b"two"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [b"two"], "nothing of the other message is sent");
}

#[test]
fn frame_without_memory_is_not_sent() {
    let _watchdog = watchdog();
    run_in_child(sends_a_frame_that_there_is_no_memory_for, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn receives_a_frame_that_there_is_no_memory_for() {
    // Over `inproc` libzmq holds the frame once, and the receiver must copy it.
    let pull = Server::at("inproc://huge").pull().unwrap();
    let push = Client::new().connect_to("inproc://huge").push().unwrap();
    push.send(&[&b"head"[..], &vec![0; HUGE], b"tail"]).unwrap();
    push(&[b"next"]).unwrap();
    limit(Resource::RLIMIT_AS, address_space() + HUGE as u64 / 2);
    assert_exhausted(&pull.recv().unwrap_err());
    assert_eq!(pull.recv().unwrap(), [b"next"]);
}

#[test]
fn received_frame_without_memory_is_error() {
    let _watchdog = watchdog();
    run_in_child(receives_a_frame_that_there_is_no_memory_for, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn receives_answers_of_which_there_is_no_memory_for_one() {
    let calls = Server::at("inproc://huge").serve().unwrap();
    let caller = Client::new().connect_to("inproc://huge").call().unwrap();
    thread::scope(|scope| {
        // This thread receives what arrives, and the other one waits.
        let small = scope.spawn(|| caller.call("small"));
        let call_for_small = calls.recv().unwrap();
        let huge = scope.spawn(|| caller.call("huge"));
        let call_for_huge = calls.recv().unwrap();
        let answer = [vec![0; HUGE]];
        // Enough for the server's copy, but not for the caller's.
        limit(Resource::RLIMIT_AS, address_space() + HUGE as u64 * 3 / 2);
        call_for_huge.reply(&answer).unwrap();
        assert_exhausted(&huge.join().unwrap().unwrap_err());
        call_for_small.reply("small").unwrap();
        assert_eq!(small.join().unwrap().unwrap(), [b"small"]);
    });
}

#[test]
fn answer_without_memory_fails_its_own_call() {
    let _watchdog = watchdog();
    run_in_child(receives_answers_of_which_there_is_no_memory_for_one, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn is_asked_what_there_is_no_memory_for() {
    let (reply, requests) = Server::at("inproc://huge").reply().unwrap();
    let client = || Client::new().connect_to("inproc://huge").request().unwrap();
    let (huge, small) = (client(), client());
    huge.0.send(&[vec![0; HUGE]]).unwrap();
    small.0(&[b"small"]).unwrap();
    limit(Resource::RLIMIT_AS, address_space() + HUGE as u64 / 2);
    assert_exhausted(&requests.recv().unwrap_err());
    reply.send(&requests.recv().unwrap()).unwrap();
    assert_eq!(small.1.recv().unwrap(), [b"small"]);
}

#[test]
fn request_without_memory_is_error() {
    let _watchdog = watchdog();
    run_in_child(is_asked_what_there_is_no_memory_for, "").succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn binds_on_a_full_disk() {
    let endpoint = format!("ipc://{}/full", support::argument_of_child());
    let error = Server::at(&endpoint).pull().unwrap_err();
    assert_exhausted(&error);
    assert!(error.to_string().contains(&endpoint), "{error}");
}

mod as_root {
    use super::*;

    #[test]
    #[ignore = "needs root: run with --include-ignored as_root"]
    fn first_socket_without_threads_is_error() {
        let _watchdog = watchdog();
        run_in_child(opens_its_first_socket_with_ever_more_threads, "").succeeds();
    }

    #[test]
    #[ignore = "needs root: run with --include-ignored as_root"]
    fn client_is_let_in_once_threads_are_free() {
        let _watchdog = watchdog();
        run_in_child(is_asked_while_there_are_no_threads, "").succeeds();
    }

    #[test]
    #[ignore = "needs root: run with --include-ignored as_root"]
    fn ipc_path_on_full_disk_is_error() {
        // In a mount namespace of its own, on a disk that has room only for its root folder.
        let program = std::env::current_exe().unwrap();
        let disk = std::env::temp_dir().join(format!("zeroless-{}-full", std::process::id()));
        fs::create_dir_all(&disk).unwrap();
        let script = "mount -t tmpfs -o nr_inodes=1 none \"$ZEROLESS_TEST_ARGUMENT\" && exec \"$0\" \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).arg(program);
        command.args(support::arguments_to_run(binds_on_a_full_disk));
        let output = command.env("ZEROLESS_TEST_ARGUMENT", &disk).output().unwrap();
        fs::remove_dir(&disk).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
