//! All patterns, in both roles, and the options of the recipes.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use zeroless::{Client, Server};

use crate::program::{Program, connect, serve, start, start_with};
use crate::support::{Folder, unused_port, watchdog};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn push_and_pull_in_either_role() {
    let _watchdog = watchdog();
    let (pull, port) = serve("pull -n 3");
    let mut push = connect(port, "push");
    push.give("1\n2\n3\n");
    push.succeeds();
    assert_eq!(pull.text(), "1\n2\n3\n");

    let (mut push, port) = serve("push");
    let pull = connect(port, "pull -n 3");
    push.give("1\n2\n3\n");
    assert_eq!(pull.text(), "1\n2\n3\n");
    push.succeeds();
}

#[test]
fn several_addresses_are_several_servers() {
    let _watchdog = watchdog();
    let [(one, first), (other, second)] = [(); 2].map(|()| serve("pull -n 2"));
    start(&format!("client {first} 127.0.0.1:{second} push a b c d")).succeeds();
    let mut lines: Vec<String> = [one.text(), other.text()]
        .iter()
        .flat_map(|text| text.lines())
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert_eq!(lines, ["a", "b", "c", "d"]);
}

#[test]
fn server_listens_at_several_addresses() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-addresses");
    let path = folder.ipc("socket");
    let mut pull = start(&format!("server 0 {path} 127.0.0.1:0 pull -n 3"));
    for address in [pull.port().to_string(), path, format!("localhost:{}", pull.port())] {
        start(&format!("client {address} push {address}")).succeeds();
    }
    assert_eq!(pull.text().lines().count(), 3);
}

#[test]
fn public_server_listens_on_all_interfaces() {
    let _watchdog = watchdog();
    let (pull, port) = serve("--public pull -n 1");
    assert!(TcpListener::bind(("127.0.0.1", port)).is_err());
    connect(port, "push a").succeeds();
    let ended = pull.ends();
    assert_eq!(ended.output, b"a\n");
    assert!(ended.said.contains("lets anyone in from other machines"), "{ended:?}");
}

#[test]
fn topic_begins_each_message() {
    let _watchdog = watchdog();
    let (mut publish, port) = serve("publish --topic news --wait 2");
    let subscribe = connect(port, "subscribe news sport -n 2");
    publish.give("rain\nsun\n");
    publish.succeeds();
    assert_eq!(subscribe.text(), "news rain\nnews sun\n");
}

#[test]
fn topic_can_be_a_frame() {
    let _watchdog = watchdog();
    let (publish, port) = serve("publish --embed-topic news --wait 1 rain");
    let subscribe = connect(port, "subscribe news --frames -n 1");
    publish.succeeds();
    assert_eq!(subscribe.text(), "news\train\n");
}

#[test]
fn subscriber_without_topics_receives_all() {
    let _watchdog = watchdog();
    let (publish, port) = serve("publish --wait 1 a b");
    let subscribe = connect(port, "subscribe -n 2");
    publish.succeeds();
    assert_eq!(subscribe.text(), "a\nb\n");
}

#[test]
fn publisher_that_waits_in_vain_is_status_124() {
    let _watchdog = watchdog();
    let (publish, _) = serve("publish --wait 1 --timeout 100ms a");
    publish.fails(124);
}

#[test]
fn pair_says_and_hears() {
    let _watchdog = watchdog();
    let (mut one, port) = serve("pair");
    let mut other = connect(port, "pair");
    for _ in 0..3 {
        one.types("knock, knock");
        assert_eq!(other.prints(), "knock, knock");
        other.types("who's there?");
        assert_eq!(one.prints(), "who's there?");
    }
}

#[test]
fn count_ends_exchange_and_delivers() {
    let _watchdog = watchdog();
    let (mut one, port) = serve("pair");
    let other = connect(port, "pair -n 1 hello");
    assert_eq!(one.prints(), "hello");
    one.types("hello yourself");
    assert_eq!(other.text(), "hello yourself\n");
}

#[test]
fn malformed_input_ends_exchange() {
    let _watchdog = watchdog();
    let (mut pair, _) = serve("pair --json");
    pair.give("hello\n");
    assert!(pair.fails(1).contains("message 1 of the input"));
}

#[test]
fn router_replies_to_chosen_dealer() {
    let _watchdog = watchdog();
    let (mut router, port) = serve("router --frames");
    let mut dealer = connect(port, "dealer --identity ada");
    dealer.types("question");
    assert_eq!(router.prints(), "ada\tquestion");
    router.types("ada\tanswer");
    assert_eq!(dealer.prints(), "answer");
}

#[test]
fn xpublish_prints_what_xsubscribe_sends() {
    let _watchdog = watchdog();
    let (mut publish, port) = serve("xpublish --in lines --out hex");
    let mut subscribe = connect(port, "xsubscribe --in hex --out lines");
    subscribe.types("016e");
    assert_eq!(publish.prints(), "016e");
    publish.types("sport");
    publish.types("news");
    assert_eq!(subscribe.prints(), "news");
}

#[test]
fn stream_server_talks_to_plain_tcp() {
    let _watchdog = watchdog();
    let (mut stream, port) = serve("stream --json");
    let mut peer = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let connected = stream.prints();
    assert!(connected.ends_with(",\"\"]"), "{connected}");
    peer.write_all(b"hello\n").unwrap();
    let id = connected.strip_suffix("\"\"]").unwrap();
    assert_eq!(stream.prints(), format!("{id}\"hello\\n\"]"));
    stream.types(&format!("{id}\"good day\"]"));
    stream.types(&format!("{id}\"\"]"));
    let mut answer = String::new();
    peer.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "good day");
}

#[test]
fn stream_client_is_bytes_until_server_closes() {
    let _watchdog = watchdog();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let client = start_with(&format!("client {port} stream"), bytes.clone());
    let mut peer = server.accept().unwrap().0;
    let mut heard = vec![0; bytes.len()];
    peer.read_exact(&mut heard).unwrap();
    assert!(heard == bytes);
    peer.write_all(&bytes).unwrap();
    drop((peer, server));
    assert!(client.succeeds() == bytes);
}

#[test]
#[ignore = "needs curl: see CONTRIBUTING.md"]
fn curl_is_served_by_stream() {
    let _watchdog = watchdog();
    let (mut stream, port) = serve("stream --json");
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", &format!("http://127.0.0.1:{port}/hello")])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let connected = stream.prints();
    let id = connected.strip_suffix("\"\"]").unwrap();
    let request = stream.prints();
    assert!(
        request.starts_with(&format!("{id}\"GET /hello HTTP/1.1\\r\\n")),
        "{request}"
    );
    stream.types(&format!("{id}\"HTTP/1.0 200 OK\\r\\n\\r\\ngood day\"]"));
    stream.types(&format!("{id}\"\"]"));
    assert_eq!(curl.wait_with_output().unwrap().stdout, b"good day");
}

#[test]
fn password_lets_client_in() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-passwords");
    let file = |name: &str, text: &str| {
        let path = folder.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (pull, port) = serve(&format!(
        "pull -n 1 --plain {}",
        file("users", "ada:enchant:ress\nbob:builder\n")
    ));
    let stranger = connect(port, &format!("push --plain {} no", file("stranger", "ada:wrong\n"))).ends();
    assert_eq!(stranger.status.code(), Some(1), "{stranger:?}");
    connect(port, &format!("push --plain {} yes", file("ada", "ada:enchant:ress\n"))).succeeds();
    assert_eq!(pull.ends().output, b"yes\n");
}

#[test]
fn addresses_are_let_in_or_refused() {
    let _watchdog = watchdog();
    let (_denying, port) = serve("--deny 127.0.0.1 pull");
    connect(port, "push no --linger 10s").fails(1);
    let (allowing, port) = serve("--allow 127.0.0.0/8 --allow 10.0.0.0/8 pull -n 1");
    connect(port, "push yes").succeeds();
    assert_eq!(allowing.text(), "yes\n");
}

#[test]
fn frame_over_max_message_size_is_refused() {
    let _watchdog = watchdog();
    let (pull, port) = serve("--max-message-size 5 pull -n 1");
    connect(port, "push too_long").succeeds();
    connect(port, "push short").succeeds();
    assert_eq!(pull.text(), "short\n");
}

#[test]
fn high_water_mark_and_probes_are_accepted() {
    let _watchdog = watchdog();
    let (pull, port) = serve("--high-water-mark 1 --heartbeat 30s --keepalive 0s pull -n 1");
    connect(port, "push --high-water-mark 0 a").succeeds();
    assert_eq!(pull.ends().output, b"a\n");
}

#[test]
fn options_can_precede_the_pattern() {
    let _watchdog = watchdog();
    let mut pull = start("server --json -n 1 0 pull");
    let port = pull.port();
    start(&format!("client --frames=, {port} push a,b")).succeeds();
    assert_eq!(pull.text(), "[\"a\",\"b\"]\n");
}

#[test]
fn either_side_can_start_first() {
    let _watchdog = watchdog();
    let port = unused_port();
    let subscribe = start(&format!("client {port} subscribe -n 1"));
    let publish = start(&format!("server {port} publish --wait 1 late"));
    publish.succeeds();
    assert_eq!(subscribe.text(), "late\n");
}

#[test]
fn names_of_python_work() {
    let _watchdog = watchdog();
    let (publish, port) = serve("pub --wait 1 hello");
    let news = Client::new().connect_local(port).subscribe([""]).unwrap();
    publish.succeeds();
    assert_eq!(news.recv_timeout(SOON).unwrap(), [b"hello"]);
    let publish = Server::new(0).publish().unwrap();
    let subscribe = connect(publish.socket().port().unwrap(), "sub -n 1");
    publish.wait_for_subscribers(1, SOON).unwrap();
    publish(&[b"hello"]).unwrap();
    assert_eq!(subscribe.text(), "hello\n");
}

#[test]
fn bash_can_hold_a_conversation() {
    let _watchdog = watchdog();
    let (mut pair, port) = serve("pair");
    let script = format!(
        "coproc zeroless client {port} pair; echo ping >&${{COPROC[1]}}; read -r answer <&${{COPROC[0]}}; echo got $answer; kill $COPROC_PID"
    );
    let bash = Program::start(&mut Program::script(script));
    assert_eq!(pair.prints(), "ping");
    pair.types("pong");
    assert_eq!(bash.ends().output, b"got pong\n");
}
