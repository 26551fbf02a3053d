//! When file descriptors, sockets, memory or the disk run out, there is an error, and afterwards all is well again.
//!
//! Each of them runs out in a process of its own.

mod support;

use std::fs::{self, File};
use std::process::Command;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};
use support::{await_denial, client_of, push_and_pull, run_in_child, watchdog};
use zeroless::{Client, Error, ErrorKind, Receiver, Server};

fn assert_exhausted(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
}

/// Asserts that a message still gets through.
fn assert_works() {
    let (push, pull) = push_and_pull();
    push(&[b"fine", b"again"]).unwrap();
    assert_eq!(pull.recv().unwrap(), [&b"fine"[..], b"again"]);
}

/// Allows this process no more than so much.
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
#[ignore = "run by another test, as a child"]
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
    // To count them takes one, too.
    let files = || fs::read_dir("/proc/self/fd").map_or(usize::MAX, |files| files.count());
    servers.truncate(servers.len() / 2);
    // libzmq closes in the background.
    support::wait_until(|| files() < 80);
    assert_works();
}

#[test]
fn a_process_without_descriptors_gets_an_error_and_works_again_once_some_are_free() {
    let _watchdog = watchdog();
    run_in_child("opens_sockets_until_no_descriptor_is_left", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
fn opens_and_closes_sockets_without_a_pause() {
    limit(Resource::RLIMIT_NOFILE, 40);
    let _keeps_the_context = Client::new().pull().unwrap();
    for _ in 0..2_000 {
        Server::new(0).pull().unwrap();
    }
}

#[test]
fn sockets_can_be_opened_and_closed_faster_than_libzmq_frees_them() {
    let _watchdog = watchdog();
    run_in_child("opens_and_closes_sockets_without_a_pause", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
fn opens_its_first_socket_with_ever_more_descriptors() {
    limit(Resource::RLIMIT_NOFILE, 100);
    let mut files = take_all_descriptors();
    let mut refused = 0;
    // Until there are enough for a pair of sockets, and some rounds more.
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
fn a_first_socket_with_few_descriptors_left_is_an_error_and_no_abort() {
    let _watchdog = watchdog();
    run_in_child("opens_its_first_socket_with_ever_more_descriptors", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
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
fn a_first_guarded_socket_with_few_descriptors_left_is_an_error_and_no_abort() {
    let _watchdog = watchdog();
    run_in_child("opens_its_first_guarded_socket_with_ever_more_descriptors", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
fn opens_its_first_socket_with_ever_more_threads() {
    limit(Resource::RLIMIT_NPROC, 1);
    // To the superuser there is no limit.
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
fn a_first_socket_with_few_threads_left_is_an_error_and_no_abort() {
    let _watchdog = watchdog();
    if !Uid::effective().is_root() {
        eprintln!("left out: this needs the right to become another user, who has no other processes");
        return;
    }
    run_in_child("opens_its_first_socket_with_ever_more_threads", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
fn waits_without_a_descriptor_to_wait_with() {
    limit(Resource::RLIMIT_NOFILE, 100);
    let (push, pull) = push_and_pull();
    push(&[b"one"]).unwrap();
    // Without waiting, as the first wait takes the descriptors.
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
fn a_receiver_that_has_no_descriptor_to_wait_with_says_so_and_loses_nothing() {
    let _watchdog = watchdog();
    run_in_child("waits_without_a_descriptor_to_wait_with", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
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
fn a_client_that_cannot_be_accepted_for_want_of_descriptors_is_accepted_later() {
    let _watchdog = watchdog();
    run_in_child("has_clients_while_it_cannot_accept_them", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
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
fn more_sockets_than_libzmq_has_are_an_error() {
    let _watchdog = watchdog();
    run_in_child("opens_more_sockets_than_a_context_has", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
fn connects_to_names_that_nobody_binds() {
    limit(Resource::RLIMIT_NOFILE, 10_000);
    // libzmq keeps such a socket after it has closed, for as long as somebody might yet be found there.
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
fn sockets_that_waited_for_a_name_in_vain_are_let_go_in_the_end() {
    let _watchdog = watchdog();
    run_in_child("connects_to_names_that_nobody_binds", "").succeeds();
}

/// The address space that this process uses, in bytes.
fn address_space() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

const HUGE: usize = 300_000_000;

#[test]
#[ignore = "run by another test, as a child"]
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
fn a_frame_that_there_is_no_memory_for_is_not_sent_and_the_next_message_is() {
    let _watchdog = watchdog();
    run_in_child("sends_a_frame_that_there_is_no_memory_for", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
fn receives_a_frame_that_there_is_no_memory_for() {
    // Over `inproc` libzmq has the frame once, and the receiver would have to copy it.
    let pull = Server::at("inproc://huge").pull().unwrap();
    let push = Client::new().connect_to("inproc://huge").push().unwrap();
    push.send(&[&b"head"[..], &vec![0; HUGE], b"tail"]).unwrap();
    push(&[b"next"]).unwrap();
    limit(Resource::RLIMIT_AS, address_space() + HUGE as u64 / 2);
    assert_exhausted(&pull.recv().unwrap_err());
    assert_eq!(pull.recv().unwrap(), [b"next"]);
}

#[test]
fn a_frame_that_there_is_no_memory_to_receive_is_an_error_and_the_next_message_is_whole() {
    let _watchdog = watchdog();
    run_in_child("receives_a_frame_that_there_is_no_memory_for", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
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
fn a_request_that_there_is_no_memory_for_is_an_error_and_the_next_one_is_replied_to() {
    let _watchdog = watchdog();
    run_in_child("is_asked_what_there_is_no_memory_for", "").succeeds();
}

#[test]
#[ignore = "run by another test, as a child"]
fn binds_on_a_full_disk() {
    let endpoint = format!("ipc://{}/full", support::argument_of_child());
    let error = Server::at(&endpoint).pull().unwrap_err();
    assert_exhausted(&error);
    assert!(error.to_string().contains(&endpoint), "{error}");
}

#[test]
fn an_ipc_path_on_a_full_disk_is_an_error() {
    // In a mount namespace of its own, on a disk that has room for its own root only.
    let program = std::env::current_exe().unwrap();
    let disk = std::env::temp_dir().join(format!("zeroless-{}-full", std::process::id()));
    fs::create_dir_all(&disk).unwrap();
    let script = "mount -t tmpfs -o nr_inodes=1 none \"$ZEROLESS_TEST_ARGUMENT\" && exec \"$0\" \"$@\"";
    let command = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script]).args(arguments);
        command.env("ZEROLESS_TEST_ARGUMENT", &disk);
        command
    };
    if !command(&["true"]).status().is_ok_and(|status| status.success()) {
        eprintln!("left out: this needs the right to mount a disk");
        return;
    }
    let test = ["--exact", "binds_on_a_full_disk", "--ignored", "--nocapture"];
    let output = command(&[program.to_str().unwrap()]).args(test).output().unwrap();
    fs::remove_dir(&disk).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
