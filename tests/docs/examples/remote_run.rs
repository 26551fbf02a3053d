use super::*;

/// Starts a server, and waits until it listens.
fn serve() -> (Process, impl Iterator<Item = String>, String) {
    let port = unused_port().to_string();
    let mut server = launch("remote_run", &["server", &port]);
    let mut printed = server.prints();
    assert_prints(
        printed.by_ref(),
        &[&format!("running commands at {port}; Ctrl-C to stop")],
    );
    (server, printed, port)
}

#[test]
fn alone_shows_output_and_exit_status() {
    let _watchdog = watchdog();
    let (printed, complaint, code) = text_of(&run("remote_run", &[]));
    let printed: Vec<&str> = printed.lines().filter(|line| !line.starts_with(['$', 's'])).collect();
    assert_eq!(printed, ["line 1", "line 2", "line 3", "this takes too long"]);
    let complaint: Vec<&str> = complaint.lines().collect();
    let endings = [
        "(exit status: 3)",
        "(killed, because its time was over; signal: 9 (SIGKILL))",
    ];
    assert_eq!(complaint, ["an error", endings[0], endings[1]]);
    assert_eq!(code, Some(0));
}

#[test]
fn line_comes_while_command_runs() {
    let _watchdog = watchdog();
    let (_server, _printed, port) = serve();
    // `cat` waits for a file that the test makes after it has seen the first line.
    let folder = Folder::new("fifo", &[]);
    let fifo = folder.0.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let script = format!("echo first; cat {}; exit 7", fifo.display());
    let mut client = launch("remote_run", &["client", &port, "100", "sh", "-c", &script]);
    let mut printed = client.prints();
    assert_prints(printed.by_ref(), &["first"]);
    fs::write(&fifo, "second\n").unwrap();
    assert_prints(printed, &["second"]);
    assert_eq!(client.reports().last().unwrap(), "(exit status: 7)");
    assert_eq!(client.exit_code(), Some(7));
}

/// The ids of the shell that a client has started at a server, and of a process that the shell has started.
fn start_family(port: &str) -> (Process, impl Iterator<Item = String>, [String; 2]) {
    let mut client = launch(
        "remote_run",
        &["client", port, "100", "sh", "-c", "sleep 1000 & echo $$; echo $!; wait"],
    );
    let mut printed = client.prints();
    let ids = [printed.next().unwrap(), printed.next().unwrap()];
    (client, printed, ids)
}

fn await_end_of<const N: usize>(ids: [String; N]) {
    for id in ids {
        wait_until(|| !Path::new("/proc").join(&id).exists());
    }
}

#[test]
fn end_of_command_kills_what_it_left_behind() {
    let _watchdog = watchdog();
    let (_server, _printed, port) = serve();
    let output = run(
        "remote_run",
        &["client", &port, "100", "sh", "-c", "sleep 1000 & echo $!; exit 4"],
    );
    let (printed, complaint, code) = text_of(&output);
    assert_eq!((complaint.as_str(), code), ("(exit status: 4)\n", Some(4)));
    await_end_of([printed.trim().to_owned()]);
}

#[test]
fn command_dies_with_its_client() {
    let _watchdog = watchdog();
    let (_server, mut printed, port) = serve();
    for signal in [Signal::SIGKILL, Signal::SIGINT] {
        let (client, _client_prints, ids) = start_family(&port);
        client.signal(signal);
        await_end_of(ids);
        let line = printed.next().unwrap();
        assert!(line.contains("killed, because its client has gone"), "{line}");
    }
}

#[test]
fn command_dies_with_client_that_is_slow() {
    let _watchdog = watchdog();
    let (_server, mut server_prints, port) = serve();
    let mut client = launch("remote_run", &["client", &port, "100", "sh", "-c", "echo $$; yes"]);
    // Nobody reads more than the first line, so all queues fill.
    let mut printed = client.prints();
    let shell = printed.next().unwrap();
    client.kill();
    assert!(
        server_prints
            .next()
            .unwrap()
            .starts_with("server: 100, sh, -c, echo $$; yes: ")
    );
    await_end_of([shell]);
}

#[test]
fn client_ends_quietly_with_its_reader() {
    let _watchdog = watchdog();
    let (_server, _printed, port) = serve();
    let mut client = launch("remote_run", &["client", &port, "100", "seq", "1000000"]);
    assert_prints(client.prints(), &["1"]);
    assert_eq!(client.reports().next(), None);
    assert_eq!(client.exit_code(), Some(0));
}

#[test]
fn client_notices_that_server_has_gone() {
    let _watchdog = watchdog();
    let (mut server, _printed, port) = serve();
    let (mut client, _client_prints, ids) = start_family(&port);
    server.kill();
    let complaint = client.reports().next().unwrap();
    assert!(complaint.contains("the server has gone, or the network to it; the command may still run"));
    assert_eq!(client.exit_code(), Some(1));
    let group = nix::unistd::Pid::from_raw(ids[0].parse().unwrap());
    nix::sys::signal::killpg(group, Signal::SIGKILL).unwrap();
}

#[test]
fn faults_are_told() {
    let _watchdog = watchdog();
    let (_server, _printed, port) = serve();
    let nobody = unused_port().to_string();
    for (port, seconds, said, status) in [
        (
            &port,
            "10",
            "(cannot run it: No such file or directory (os error 2))",
            127,
        ),
        (&port, "soon", "`soon` is not a number of whole seconds", 1),
        (&port, "0.5", "`0.5` is not a number of whole seconds", 1),
        (&nobody, "10", "no server answers; start it, or correct the address", 1),
    ] {
        let output = run("remote_run", &["client", port, seconds, "no-such-program"]);
        let (printed, complaint, code) = text_of(&output);
        assert!(complaint.contains(said), "{complaint}");
        assert_eq!((printed.as_str(), code), ("", Some(status)));
    }
}
