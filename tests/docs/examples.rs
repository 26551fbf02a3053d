//! The examples do what they say, and report errors.

mod chat_room;
mod download;
mod index;
mod log_collector;
mod node;
mod programs;
mod remote_run;
mod sensor_board;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;
use std::time::Duration;

use crate::support::{self, Process, Watchdog, client_of_port, unused_port, unused_ports, wait_until};
use nix::sys::signal::Signal;
use zeroless::{Message, Receiver, Sender, Server};

/// Builds the examples, unless they are as new as their sources. `cargo test` has built them already; `cargo test
/// --test docs` has not.
///
/// They are built where this executable was built, in the same profile and with the same features. What Cargo was
/// configured with on its command line (`--config`) is not known here: then run `cargo build --examples` with it first.
fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let folder = folder();
        if examples().keys().all(|example| is_fresh(&folder.join(example))) {
            return;
        }
        // TARGET/PROFILE/examples, or TARGET/TRIPLE/PROFILE/examples where Cargo was told to build for a target.
        let mut above = folder.ancestors().skip(1);
        let profile = above.next().and_then(Path::file_name).unwrap();
        let mut target = above.next().unwrap();
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--examples"]);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        if !target.join(".rustc_info.json").exists() && target.with_file_name(".rustc_info.json").exists() {
            command.arg("--target").arg(target.file_name().unwrap());
            target = above.next().unwrap();
        }
        command.arg("--target-dir").arg(target);
        if profile != "debug" {
            command.arg("--profile").arg(profile);
        }
        for (feature, is_on) in [("curve", cfg!(feature = "curve")), ("draft", cfg!(feature = "draft"))] {
            if is_on {
                command.args(["--features", feature]);
            }
        }
        if cfg!(not(feature = "own-libzmq")) {
            command.arg("--no-default-features");
        }
        assert!(command.status().unwrap().success(), "the examples cannot be built");
    });
}

/// Where the examples are built.
fn folder() -> PathBuf {
    let mut folder = env::current_exe().unwrap();
    folder.pop(); // this executable
    folder.pop(); // deps
    folder.join("examples")
}

/// The names of the examples, each with the file that has its header.
fn examples() -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    let files = entries.flat_map(|entry| {
        let path = entry.unwrap().path();
        [path.join("main.rs"), path].into_iter().find(|path| path.is_file())
    });
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| {
            let named = if file.ends_with("main.rs") {
                file.parent().unwrap()
            } else {
                &file
            };
            (named.file_stem().unwrap().to_str().unwrap().to_owned(), file)
        })
        .collect()
}

/// Whether a program is newer than all the files that it was built from, which Cargo lists in a file beside it.
fn is_fresh(program: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    let Ok(built) = modified(program) else { return false };
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else {
        return false;
    };
    // The program, a colon, and the files. A space in a path is written `\ `.
    let (_, files) = list.split_once(": ").unwrap_or_default();
    let files = files.trim_end().replace("\\ ", "\0");
    files
        .split(' ')
        .all(|file| modified(Path::new(&file.replace('\0', " "))).is_ok_and(|modified| modified <= built))
}

/// The watchdog of the tests; building the examples does not count.
fn watchdog() -> Watchdog {
    build();
    support::watchdog()
}

/// A command that runs an example, built as it is now.
fn example(name: &str, arguments: &[&str]) -> Command {
    build();
    let mut command = Command::new(folder().join(name));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

fn run(name: &str, arguments: &[&str]) -> Output {
    example(name, arguments).output().unwrap()
}

/// Starts an example in a role, on a port.
fn play(name: &str, role: &str, port: u16) -> Process {
    Process::start(example(name, &[role, &port.to_string()]).stdout(Stdio::piped()))
}

/// Starts an example without roles, on a port.
fn start(name: &str, port: u16) -> Process {
    Process::start(example(name, &[&port.to_string()]).stdout(Stdio::piped()))
}

/// What a process has printed, and whether it has succeeded.
fn text_of(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// Starts an example with these arguments, which reports its errors to the test.
fn launch(name: &str, arguments: &[&str]) -> Process {
    let mut command = example(name, arguments);
    Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// Asserts that the process prints these lines next.
fn assert_prints(prints: impl Iterator<Item = String>, expected: &[&str]) {
    let printed: Vec<String> = prints.take(expected.len()).collect();
    assert_eq!(printed, expected);
}

#[test]
fn push_pull_starts_in_either_order() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut client = play("push_pull", "client", port);
    let mut server = play("push_pull", "server", port);
    let mut printed = server.prints();
    let greeting = format!("pulling at port {port}; Ctrl-C to stop");
    assert_prints(printed.by_ref(), &[&greeting, "Msg1", "Msg2", "Msg3"]);
    client.succeeds();

    play("push_pull", "client", port).succeeds();
    assert_prints(printed, &["Msg1", "Msg2", "Msg3"]);
}

#[test]
fn publish_subscribe_prints_news_of_topic() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut server = play("publish_subscribe", "server", port);
    let mut client = play("publish_subscribe", "client", port);
    let news = [
        "subscribed to sport",
        "sport, 1, still no goal",
        "sport, 2, still no goal",
        "sport, 3, still no goal",
    ];
    assert_prints(client.prints(), &news);
    client.succeeds();
    server.succeeds();
}

#[test]
fn request_reply_retries_until_server_starts() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut client = play("request_reply", "client", port);
    let mut answers = client.prints();
    assert_prints(answers.by_ref(), &["no reply to one yet; is the server running?"]);
    let _server = play("request_reply", "server", port);
    let answers: Vec<String> = answers.filter(|line| !line.starts_with("no reply")).collect();
    assert_eq!(answers, ["one is ONE", "two is TWO", "three is THREE"]);
    client.succeeds();
}

#[test]
fn request_reply_stops_at_server_of_another_pattern() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let port = pull.socket().port().unwrap();
    // A client that is refused before it has finished connecting is not told.
    let stops_at_once = || {
        let arguments = ["client", &port.to_string()];
        let mut client = Process::start(
            example("request_reply", &arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        );
        let printed = client.prints().next();
        printed.is_none() && client.reports().any(|line| line.contains("another pattern"))
    };
    assert!((0..10).any(|_| stops_at_once()), "it asks again");
}

/// Asserts that the client prints the results of all eight threads, and ends.
fn assert_calculates(mut client: Process, printed: impl Iterator<Item = String>) {
    let is_result = |line: &String| !line.contains("asking again") && !line.contains("waiting for one");
    let results: BTreeSet<String> = printed.filter(is_result).collect();
    let sums = (0..8).map(|number| format!("100 + {number} = {}", 100 + number));
    let quotients = (1..8).map(|number| format!("100 / {number} = {}", 100 / number));
    let failure = "100 / 0: 100 cannot be divided by 0".to_owned();
    assert_eq!(results, sums.chain(quotients).chain([failure]).collect());
    client.succeeds();
}

#[test]
fn calculator_waits_for_server() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut client = play("calculator", "client", port);
    let mut printed = client.prints();
    assert_prints(printed.by_ref(), &["no server yet; is it running?"]);
    let _server = play("calculator", "server", port);
    assert_calculates(client, printed.filter(|line| !line.starts_with("no server yet")));
}

#[test]
fn calculator_repeats_calls_that_are_lost() {
    let _watchdog = watchdog();
    let port = unused_port();
    let calls = Server::new(port).serve().unwrap();
    let mut client = play("calculator", "client", port);
    let mut printed = client.prints();
    let call = calls.recv().unwrap();
    calls.socket().close();
    drop((call, calls));
    assert!(printed.next().unwrap().ends_with(": no answer; asking again"));
    let _server = play("calculator", "server", port);
    assert_calculates(client, printed);
}

#[test]
fn pair_talks_both_ways() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut server = play("pair", "server", port);
    let mut client = play("pair", "client", port);
    assert_prints(client.prints(), &["got echo, 1", "got echo, 2", "got echo, 3"]);
    client.succeeds();
    server.succeeds();
}

#[test]
fn chat_prints_lines_until_one_end_leaves() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut server = play("chat", "server", port);
    let mut client = play("chat", "client", port);
    let (mut server_prints, mut client_prints) = (server.prints(), client.prints());
    let greeting = "type a line to send it; Ctrl-D stops the chat";
    assert_prints(server_prints.by_ref(), &[greeting]);
    assert_prints(client_prints.by_ref(), &[greeting]);

    client.types("hello");
    assert_prints(server_prints.by_ref(), &["> hello"]);
    server.types("hi");
    assert_prints(client_prints.by_ref(), &["> hi"]);

    client.let_go();
    client.succeeds();
    assert_prints(server_prints, &["(the other end has left; press Enter to stop)"]);
    server.let_go();
    server.succeeds();
}

#[test]
fn multipart_takes_messages_apart() {
    let output = run("multipart", &[]);
    let expected = "order 1: tea, without milk\norder 2: coffee\norder 3: water, with gas\n\
                    not an order, because it has 2 frames: 3, bread\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// Each answer that a client has printed, with its worker, and without the lines that say that it had to wait.
fn answers(client: &mut Process) -> Vec<(String, String)> {
    let printed = client.prints().filter(|line| !line.starts_with("no reply"));
    let answers = printed.map(|line| {
        let (answer, worker) = line.split_once(", by worker ").unwrap();
        (answer.to_owned(), worker.to_owned())
    });
    let answers = answers.collect();
    client.succeeds();
    answers
}

/// Runs a client, checks its answers, and returns the workers that gave them.
fn ask(name: &str, port: u16) -> BTreeSet<String> {
    let (answers, workers): (Vec<String>, _) = answers(&mut play(name, "client", port)).into_iter().unzip();
    assert_eq!(answers, ["one is ONE", "two is TWO", "three is THREE"]);
    workers
}

#[test]
fn broker_distributes_requests() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let mut broker = play("broker", "broker", port);
    let greeting = format!("clients at port {port}, workers at port {}; Ctrl-C to stop", port + 1);
    assert_prints(broker.prints(), &[&greeting]);

    let mut workers = [(); 2].map(|()| play("broker", "worker", port));
    let ids = BTreeSet::from_iter(workers.iter().map(|worker| worker.id().to_string()));
    let mut answering = BTreeSet::new();
    // When both are connected depends on the system.
    while answering != ids {
        answering.append(&mut ask("broker", port));
    }
    workers[0].kill();
    while ask("broker", port) != BTreeSet::from([workers[1].id().to_string()]) {}
}

#[test]
fn broker_may_start_after_client() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let mut client = play("broker", "client", port);
    let mut printed = client.prints();
    let complaint = "no reply to one yet; are the broker and a worker running?";
    assert_prints(printed.by_ref(), &[complaint]);
    let worker = play("broker", "worker", port);
    let _broker = play("broker", "broker", port);
    let signature = format!("by worker {}", worker.id());
    let answers: Vec<String> = printed.filter(|line| line != complaint).collect();
    let expected = ["one is ONE", "two is TWO", "three is THREE"].map(|answer| format!("{answer}, {signature}"));
    assert_eq!(answers, expected);
    client.succeeds();
}

#[test]
fn forwarder_passes_news_of_topic() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let mut subscriber = play("forwarder", "subscriber", port);
    let mut publisher = play("forwarder", "publisher", port);
    let mut publisher_prints = publisher.prints();
    assert_prints(publisher_prints.by_ref(), &["waiting for a subscriber"]);

    let mut forwarder = play("forwarder", "forwarder", port);
    let greeting = format!(
        "publishers at port {port}, subscribers at port {}; Ctrl-C to stop",
        port + 1
    );
    assert_prints(forwarder.prints(), &[&greeting]);
    let news = [
        "subscribed to sport",
        "sport, 1, still no goal",
        "sport, 2, still no goal",
        "sport, 3, still no goal",
    ];
    assert_prints(subscriber.prints(), &news);
    subscriber.succeeds();
    assert_prints(publisher_prints, &["published 6 messages"]);
    publisher.succeeds();
}

#[test]
fn pipeline_does_each_job_once() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let mut sink = play("pipeline", "sink", port);
    let mut sink_prints = sink.prints();
    let greeting = format!("collecting 200 results at port {}", port + 1);
    assert_prints(sink_prints.by_ref(), &[&greeting]);
    let mut ventilator = play("pipeline", "ventilator", port);
    let mut ventilator_prints = ventilator.prints();
    let greeting = format!("handing out 200 jobs at port {port}");
    assert_prints(ventilator_prints.by_ref(), &[&greeting]);
    let mut workers = [(); 2].map(|()| play("pipeline", "worker", port));

    let mut summary: Vec<String> = sink_prints.collect();
    let sum: u64 = (1..=200).map(|number| number * number).sum();
    assert_eq!(
        summary.pop().unwrap(),
        format!("the squares of 1 to 200 add up to {sum}")
    );
    // One of them may have done everything, if the other started late.
    let ids = workers.each_ref().map(|worker| format!("worker {} did ", worker.id()));
    let shares = summary.iter().map(|line| {
        let share = ids.iter().find_map(|id| line.strip_prefix(id)).unwrap();
        share.strip_suffix(" jobs").unwrap().parse::<usize>().unwrap()
    });
    assert_eq!(shares.sum::<usize>(), 200);
    sink.succeeds();
    assert_prints(ventilator_prints, &["no jobs are left"]);
    ventilator.succeeds();
    for worker in &mut workers {
        worker.succeeds();
    }
}

#[test]
fn poller_hears_sockets_and_timer() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let mut poller = play("poller", "poller", port);
    let mut printed = poller.prints();
    let greeting = format!("orders at port {port}, complaints at port {}; Ctrl-C to stop", port + 1);
    assert_prints(printed.by_ref(), &[&greeting, "received 0 messages so far"]);

    play("poller", "sender", port).succeeds();
    let printed = printed.filter(|line| !line.ends_with(" so far"));
    let (orders, others): (Vec<String>, _) = printed.partition(|line| line.starts_with("order: "));
    assert_eq!(orders, ["order: tea, without milk", "order: another tea"]);
    let others: Vec<String> = others;
    assert_eq!(
        others,
        ["complaint: there is milk in the tea", "received 3 messages in total"]
    );
    poller.succeeds();
}

#[test]
fn load_balancer_answers() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let mut client = play("load_balancer", "client", port);
    let worker = play("load_balancer", "worker", port);
    let mut balancer = play("load_balancer", "balancer", port);
    let greeting = format!("clients at port {port}, workers at port {}; Ctrl-C to stop", port + 1);
    assert_prints(balancer.prints(), &[&greeting]);
    let by_worker = |answer: &str| (answer.to_owned(), worker.id().to_string());
    let expected = ["one is ONE", "two is TWO", "three is THREE"].map(by_worker);
    assert_eq!(answers(&mut client), expected);
}

/// A worker or a client of the load balancer that the test plays.
struct Peer {
    send: Sender,
    receive: Receiver,
}

impl Peer {
    fn worker(port: u16) -> Peer {
        let (send, receive) = client_of_port(port + 1).dealer().unwrap();
        Peer { send, receive }
    }

    fn client(port: u16) -> Peer {
        let (send, receive) = client_of_port(port).request().unwrap();
        Peer { send, receive }
    }

    fn ask(&self, what: &str) {
        self.send.send(&[what]).unwrap();
    }

    /// Receives a job, which must be this one.
    fn takes(&self, what: &str) -> Message {
        let job = self.receive.recv().unwrap();
        assert_eq!(job.last().unwrap(), what.as_bytes());
        job
    }

    /// Sends a job back unchanged, and waits until the client has it. Then the balancer knows that the worker is idle.
    fn does(&self, job: &Message, client: &Peer) {
        self.send.send(job).unwrap();
        assert_eq!(client.receive.recv().unwrap(), [job.last().unwrap().as_slice()]);
    }
}

#[test]
fn load_balancer_chooses_longest_idle_worker() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let _balancer = play("load_balancer", "balancer", port);
    let [bob, eve, jim] = [(); 3].map(|()| Peer::client(port));
    let [slow, fast] = [(); 2].map(|()| Peer::worker(port));

    slow.send.send(&["ready"]).unwrap();
    bob.ask("long");
    let long = slow.takes("long");
    fast.send.send(&["ready"]).unwrap();
    for what in ["1", "2", "3"] {
        eve.ask(what);
        fast.does(&fast.takes(what), &eve);
    }

    // Both are busy now, so this waits for the first one that is idle.
    eve.ask("4");
    let four = fast.takes("4");
    jim.ask("waiting");
    slow.does(&long, &bob);
    let waiting = slow.takes("waiting");

    fast.does(&four, &eve);
    slow.does(&waiting, &jim);
    bob.ask("to fast");
    let to_fast = fast.takes("to fast");
    eve.ask("to slow");
    let to_slow = slow.takes("to slow");

    // The other way round.
    slow.does(&to_slow, &eve);
    fast.does(&to_fast, &bob);
    bob.ask("to slow again");
    slow.does(&slow.takes("to slow again"), &bob);
}

#[test]
fn load_balancer_finds_workers_after_restart() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let _worker = play("load_balancer", "worker", port);
    let mut balancer = play("load_balancer", "balancer", port);
    ask("load_balancer", port);
    balancer.kill();
    let _balancer = play("load_balancer", "balancer", port);
    ask("load_balancer", port);
}

#[test]
fn load_balancer_replaces_worker_that_left() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let _balancer = play("load_balancer", "balancer", port);
    let mut leaver = play("load_balancer", "worker", port);
    ask("load_balancer", port);
    leaver.kill();

    // The other worker's report goes to the probe. It was sent after the first worker left. So once the probe has it,
    // the balancer knows both workers, and the one that left has been idle longest.
    let (probe, heard) = client_of_port(port).identity("probe").dealer().unwrap();
    let other = Peer::worker(port);
    // More than once, because the balancer may not know the probe yet.
    while heard.recv_timeout(Duration::from_millis(100)).is_err() {
        other.send.send(&["probe", "I am here"]).unwrap();
    }
    probe.send(&["a job"]).unwrap();
    other.takes("a job");
}

#[test]
fn secure_names_missing_curve_before_missing_keys() {
    let _watchdog = watchdog();
    let empty = Folder::new("no-keys", &[]);
    for role in ["server", "client"] {
        let output = example("secure", &[role]).current_dir(&empty.0).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let missing = if zeroless::libzmq().curve() {
            "secure-keys/server.key"
        } else {
            "needs CURVE"
        };
        assert!(!output.status.success() && error.contains(missing), "{error}");
    }
}

#[test]
fn clean_stop_ends_on_signal() {
    let _watchdog = watchdog();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let port = unused_port();
        let mut stopped = start("clean_stop", port);
        let mut printed = stopped.prints();
        let greeting = format!("pulling at port {port}; Ctrl-C to stop");
        assert_prints(printed.by_ref(), &[&greeting]);
        let push = client_of_port(port).push().unwrap();
        push.send(&["a message"]).unwrap();
        assert_prints(printed.by_ref(), &["a message"]);
        stopped.signal(signal);
        assert_prints(printed.by_ref(), &["stopped; messages received: 1"]);
        assert_eq!(printed.next(), None);
        stopped.succeeds();
    }
}

/// Starts the HTTP server, and waits until it listens.
fn serve_http() -> (Process, u16) {
    let port = unused_port();
    let mut server = start("http", port);
    let greeting = format!("serving http://127.0.0.1:{port}/; Ctrl-C to stop");
    assert_prints(server.prints(), &[&greeting]);
    (server, port)
}

/// Sends a request and returns the response.
fn browse(port: u16, request: &str) -> String {
    let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
    peer.write_all(request.as_bytes()).unwrap();
    read_response(peer)
}

/// Reads until the server closes the connection.
fn read_response(mut peer: TcpStream) -> String {
    let mut response = String::new();
    peer.read_to_string(&mut response).unwrap();
    response
}

fn expected_response(status: &str, text: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

#[test]
fn http_answers_and_hangs_up() {
    let _watchdog = watchdog();
    let (_server, port) = serve_http();
    let response = browse(port, "GET /a HTTP/1.1\r\nHost: here\r\n\r\n");
    assert_eq!(response, expected_response("200 OK", "request 1 is for /a\n"));
    let response = browse(port, "POST /a HTTP/1.1\r\n\r\n");
    let expected = expected_response("501 Not Implemented", "this server supports only GET\n");
    assert_eq!(response, expected);

    let long = "x".repeat(16 * 1024 + 1);
    let response = browse(port, &long);
    let expected = expected_response("431 Request Header Fields Too Large", "the request is too long\n");
    assert_eq!(response, expected);
}

#[test]
fn http_joins_pieces_of_each_peer() {
    let _watchdog = watchdog();
    let (_server, port) = serve_http();
    let begin = |path: &str| {
        let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(peer, "GET {path} HTTP/1.1\r\nHost: he").unwrap();
        peer
    };
    let [mut one, mut two] = [begin("/one"), begin("/two")];
    // A peer that leaves in the middle of a request disturbs no other.
    begin("/none").shutdown(Shutdown::Both).unwrap();
    // Once this is answered, the server has read the first pieces of the others, so the second ones come separately.
    browse(port, "GET / HTTP/1.1\r\n\r\n");
    two.write_all(b"re\r\n\r\n").unwrap();
    assert_eq!(
        read_response(two),
        expected_response("200 OK", "request 2 is for /two\n")
    );
    one.write_all(b"re\r\n\r\n").unwrap();
    assert_eq!(
        read_response(one),
        expected_response("200 OK", "request 3 is for /one\n")
    );
}

#[test]
#[ignore = "needs curl: run with --include-ignored"]
fn http_speaks_with_curl() {
    let _watchdog = watchdog();
    let (_server, port) = serve_http();
    let curl = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--max-time",
            "60",
        ])
        .arg(format!("http://127.0.0.1:{port}/hello"))
        .output();
    let output = curl.expect("this test needs curl");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "request 1 is for /hello\n");
}

/// The examples that take a role and one port.
const AT_ONE_PORT: [&str; 6] = [
    "push_pull",
    "publish_subscribe",
    "request_reply",
    "calculator",
    "pair",
    "chat",
];

/// The examples that take a role and use two ports, with their roles.
const AT_TWO_PORTS: [(&str, &str); 5] = [
    ("broker", "broker|worker|client"),
    ("forwarder", "forwarder|publisher|subscriber"),
    ("pipeline", "ventilator|worker|sink"),
    ("poller", "poller|sender"),
    ("load_balancer", "balancer|worker|client"),
];

/// The examples that take a port alone.
const WITHOUT_ROLES: [&str; 2] = ["clean_stop", "http"];

/// Asserts that an example refuses these arguments with a usage line that says which ports are valid.
fn assert_usage(name: &str, arguments: &[&str], usage: &str, ports: &str) {
    let output = run(name, arguments);
    assert_eq!(output.status.code(), Some(2), "{name} {arguments:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("usage: {name} {usage}\n")), "{said}");
    assert!(said.contains(ports), "{said}");
}

#[test]
fn wrong_role_or_port_prints_usage() {
    let _watchdog = watchdog();
    for name in AT_ONE_PORT {
        for arguments in [&[][..], &["serve"], &["server", "65536"], &["client", "http"]] {
            assert_usage(name, arguments, "server|client [PORT]", "a number up to 65535");
        }
    }
    for (name, roles) in AT_TWO_PORTS {
        let usage = format!("{roles} [PORT]");
        let ports = "PORT is a number from 1 to 65534; the default is 12345. The next port is used too.";
        for arguments in [&[][..], &["serve"]] {
            assert_usage(name, arguments, &usage, ports);
        }
        for role in roles.split('|') {
            for port in ["0", "65535", "65536", "http"] {
                assert_usage(name, &[role, port], &usage, ports);
            }
        }
    }
    for name in WITHOUT_ROLES {
        for arguments in [["serve"], ["65536"]] {
            assert_usage(name, &arguments, "[PORT]", "a number up to 65535");
        }
    }
}

/// Asserts that a program reports that this port is in use.
fn assert_taken(mut command: Command, taken: u16) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&taken.to_string()) && said.contains("in use"), "{said}");
}

/// The examples and roles that listen at two ports.
const SERVERS_AT_TWO_PORTS: [(&str, &str); 4] = [
    ("broker", "broker"),
    ("forwarder", "forwarder"),
    ("poller", "poller"),
    ("load_balancer", "balancer"),
];

#[test]
fn port_in_use_is_reported() {
    let _watchdog = watchdog();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port();
    let argument = taken.to_string();
    for name in WITHOUT_ROLES {
        assert_taken(example(name, &[&argument]), taken);
    }
    let servers = [("push_pull", "server"), ("pipeline", "ventilator")];
    for (name, role) in servers.into_iter().chain(SERVERS_AT_TWO_PORTS) {
        assert_taken(example(name, &[role, &argument]), taken);
    }
}

#[test]
fn second_port_in_use_is_reported() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let _listener = TcpListener::bind(("127.0.0.1", port + 1)).unwrap();
    for (name, role) in SERVERS_AT_TWO_PORTS.into_iter().chain([("pipeline", "sink")]) {
        assert_taken(example(name, &[role, &port.to_string()]), port + 1);
    }
}

#[test]
fn log_shows_what_happens() {
    let output = example("multipart", &[])
        .env("RUST_LOG", "zeroless=trace")
        .output()
        .unwrap();
    let story = String::from_utf8(output.stderr).unwrap();
    for part in [
        "pull bound to",
        "push connecting to",
        "sent 3 frames of 1, 3, 12 bytes",
        "closing pull",
    ] {
        assert!(story.contains(part), "{story}");
    }
}

/// A folder of files to count, which is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let folder = std::env::temp_dir().join(format!("zeroless-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The words of each line that `worker_pool` has printed.
fn words(output: &Output) -> Vec<Vec<&str>> {
    let table = std::str::from_utf8(&output.stdout).unwrap();
    table.lines().map(|line| line.split_whitespace().collect()).collect()
}

/// How many files each worker has counted, as `worker_pool` has printed it.
fn files_of_workers(output: &Output) -> Vec<usize> {
    let words = words(output);
    let rows = words.iter().skip_while(|row| **row != ["Worker", "Files"]).skip(1);
    let rows = rows.take_while(|row| !row.is_empty());
    rows.map(|row| row[1].parse().unwrap()).collect()
}

fn last_line(output: &Output) -> String {
    let printed = std::str::from_utf8(&output.stdout).unwrap();
    printed.lines().next_back().unwrap_or_default().to_owned()
}

#[test]
fn worker_pool_prints_table_and_totals() {
    let _watchdog = watchdog();
    let long = "word ".repeat(1_234);
    let folder = Folder::new(
        "counted",
        &[("a.txt", "one\ntwo words\n"), ("sub/b.txt", &long), ("empty", "")],
    );
    let output = example("worker_pool", &["--workers", "3", "."])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(output.status.success());
    let rows = words(&output);
    assert_eq!(rows[0], ["Lines", "Words", "Longest", "line", "File"]);
    assert_eq!(rows[1], ["2", "3", "9", "./a.txt"]);
    assert_eq!(rows[2], ["1", "1,234", "6,170", "./sub/b.txt"]);
    assert_eq!(rows[3], ["0", "0", "0", "./empty"]);
    assert_eq!(rows[4], ["3", "1,237", "6,170", "in", "all,", "3", "files"]);
    // Each worker gets a job before any worker gets its second.
    assert_eq!(files_of_workers(&output), [1, 1, 1]);
    assert_eq!(
        last_line(&output),
        "jobs: 3, outcomes: 3, not counted: 0, started more than once: 0"
    );
}

#[test]
fn worker_pool_counts_path_that_is_given_twice_once() {
    let _watchdog = watchdog();
    let folder = Folder::new("twice", &[("a", "line\n")]);
    let output = example("worker_pool", &["./a", "./a", "."])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(last_line(&output).starts_with("jobs: 1, outcomes: 1,"), "{output:?}");
}

#[test]
fn worker_pool_counts_its_own_source() {
    let _watchdog = watchdog();
    let output = run("worker_pool", &[]);
    let engine = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine.rs")).unwrap();
    let rows = words(&output);
    let row = rows
        .iter()
        .find(|row| row.last().is_some_and(|path| path.ends_with("src/engine.rs")));
    let lines: usize = row.unwrap()[0].replace(',', "").parse().unwrap();
    assert_eq!(lines, engine.lines().count());
}

#[test]
fn worker_pool_shows_longest_files_and_counts_all() {
    let _watchdog = watchdog();
    let files: Vec<String> = (0..60).map(|number| format!("{number}.txt")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), "line\n")).collect();
    let folder = Folder::new("many", &files);
    let table = String::from_utf8(run("worker_pool", &[folder.0.to_str().unwrap()]).stdout).unwrap();
    assert!(table.contains("in all, 60 files, 10 of them not shown"), "{table}");
    assert_eq!(table.matches(".txt").count(), 50);
}

#[test]
fn worker_pool_counts_each_file_once_although_a_worker_is_killed() {
    let _watchdog = watchdog();
    let files: Vec<(String, String)> = (0..40)
        .map(|number| (format!("{number}.txt"), "line\n".repeat(number)))
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(file, text)| (file.as_str(), text.as_str()))
        .collect();
    let folder = Folder::new("killed", &files);
    let output = example("worker_pool", &["--kill", "--workers", "3", "."])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(output.status.success());
    let rows = words(&output);
    let counted: Vec<(String, &str)> = rows[1..41].iter().map(|row| (row[3].to_owned(), row[0])).collect();
    let expected: Vec<(String, String)> = (0..40)
        .rev()
        .map(|number| (format!("./{number}.txt"), number.to_string()))
        .collect();
    assert_eq!(
        counted,
        expected
            .iter()
            .map(|(path, lines)| (path.clone(), lines.as_str()))
            .collect::<Vec<_>>()
    );
    let files = files_of_workers(&output);
    assert_eq!((files.len(), files.iter().sum::<usize>()), (2, 40));
    assert!(String::from_utf8_lossy(&output.stdout).contains("SIGKILL"));
    assert_eq!(
        last_line(&output),
        "jobs: 40, outcomes: 40, not counted: 0, started more than once: 1"
    );
}

#[test]
fn worker_pool_has_workers_elsewhere() {
    let _watchdog = watchdog();
    let port = unused_port();
    // The second file is missing where the worker is.
    let [here, there] = [&["a", "b"][..], &["a"]].map(|files| {
        let contents: Vec<(&str, &str)> = files.iter().map(|file| (*file, "line\n")).collect();
        Folder::new(&format!("elsewhere-{}", files.len()), &contents)
    });
    let mut worker =
        Process::start(example("worker_pool", &["work", &format!("127.0.0.1:{port}")]).current_dir(&there.0));
    let output = example("worker_pool", &["--public", &port.to_string(), "--workers", "0", "."])
        .current_dir(&here.0)
        .output()
        .unwrap();
    worker.succeeds();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(files_of_workers(&output), [1]);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("not counted: ./b: No such file"), "{printed}");
    assert_eq!(
        last_line(&output),
        "jobs: 2, outcomes: 2, not counted: 1, started more than once: 0"
    );
}

/// A worker that the producer has started gets an input from it, which closes when the producer ends in any way.
#[test]
fn worker_pool_leaves_no_worker_behind() {
    let _watchdog = watchdog();
    let (dispatch, _outcomes) = Server::new(0).dispatch().unwrap();
    let producer = format!("127.0.0.1:{}", dispatch.socket().port().unwrap());
    let mut worker = Process::start(&mut example("worker_pool", &["work", &producer, "--child"]));
    dispatch.wait_for_workers(1, Duration::from_secs(60)).unwrap();
    worker.let_go();
    wait_until(|| dispatch.wait_for_workers(1, Duration::ZERO).is_err());
}

#[test]
fn worker_pool_prints_help() {
    let output = run("worker_pool", &["--help"]);
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "usage: worker_pool [--workers N] [--kill] [--public PORT] [PATH]...\n       worker_pool work HOST:PORT\n"
    );
}

#[test]
fn worker_pool_names_wrong_arguments() {
    let _watchdog = watchdog();
    let empty = Folder::new("nothing", &[]);
    let taken = TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, said) in [
        (
            &["no/such/path"][..],
            "cannot walk no/such/path: No such file or directory",
        ),
        (
            &["--workers", "0"],
            "the number of --workers must be from 1 to 256, not 0",
        ),
        (&["--workers", "many"], "many"),
        (&["--wrokers", "3"], "invalid option '--wrokers'"),
        (&["--kill", "--workers", "1"], "--kill needs at least 2 --workers"),
        (&["--public", "many"], "--public needs a port"),
        (&["--public", &port], "already in use"),
        (&["--workers"], "--workers needs a number\nusage: worker_pool"),
        (&["work"], "`work` needs one HOST:PORT"),
        (&["work", "localhost"], "`work` needs one HOST:PORT"),
        (&["work", "no host:1"], "no host"),
        (&[empty.0.to_str().unwrap()], "there is no file to count"),
    ] {
        let output = run("worker_pool", arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(said), "{message:?} does not say {said:?}");
        assert!(output.stdout.is_empty());
    }
}
