//! The examples do what they say, and say what is wrong.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Once;

use support::{Process, unused_port, watchdog};

/// A command that runs an example, built as it is now.
fn example(name: &str, arguments: &[&str]) -> Command {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let profile: &[&str] = if cfg!(debug_assertions) { &[] } else { &["--release"] };
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--examples"])
            .args(profile)
            .status();
        assert!(status.unwrap().success());
    });
    let mut program = std::env::current_exe().unwrap();
    program.pop(); // deps
    program.pop();
    let mut command = Command::new(program.join("examples").join(name));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

fn run(name: &str, arguments: &[&str]) -> Output {
    example(name, arguments).output().unwrap()
}

/// Starts an example in a role, at a port.
fn play(name: &str, role: &str, port: u16) -> Process {
    Process::start(example(name, &[role, &port.to_string()]).stdout(Stdio::piped()))
}

/// Asserts that the process prints these lines next.
fn assert_prints(prints: impl Iterator<Item = String>, expected: &[&str]) {
    let printed: Vec<String> = prints.take(expected.len()).collect();
    assert_eq!(printed, expected);
}

#[test]
fn push_pull_delivers_in_either_order_of_starting() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut client = play("push_pull", "client", port);
    let mut server = play("push_pull", "server", port);
    let mut printed = server.prints();
    let greeting = format!("pulling at port {port}; Ctrl-C ends it");
    assert_prints(printed.by_ref(), &[&greeting, "Msg1", "Msg2", "Msg3"]);
    client.succeeds();

    play("push_pull", "client", port).succeeds();
    assert_prints(printed, &["Msg1", "Msg2", "Msg3"]);
}

#[test]
fn publish_subscribe_tells_the_news_of_the_topic() {
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
fn request_reply_asks_again_until_the_server_is_there() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut client = play("request_reply", "client", port);
    let mut answers = client.prints();
    assert_prints(answers.by_ref(), &["no reply to one yet; is the server there?"]);
    let _server = play("request_reply", "server", port);
    let answers: Vec<String> = answers.filter(|line| !line.starts_with("no reply")).collect();
    assert_eq!(answers, ["one is ONE", "two is TWO", "three is THREE"]);
    client.succeeds();
}

#[test]
fn pair_hears_and_answers() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut server = play("pair", "server", port);
    let mut client = play("pair", "client", port);
    assert_prints(client.prints(), &["heard and, 1", "heard and, 2", "heard and, 3"]);
    client.succeeds();
    server.succeeds();
}

#[test]
fn chat_prints_what_the_other_types_until_one_leaves() {
    let _watchdog = watchdog();
    let port = unused_port();
    let mut server = play("chat", "server", port);
    let mut client = play("chat", "client", port);
    let (mut server_prints, mut client_prints) = (server.prints(), client.prints());
    let greeting = "type to the other end; Ctrl-D ends it";
    assert_prints(server_prints.by_ref(), &[greeting]);
    assert_prints(client_prints.by_ref(), &[greeting]);

    client.types("hello");
    assert_prints(server_prints.by_ref(), &["> hello"]);
    server.types("hi");
    assert_prints(client_prints.by_ref(), &["> hi"]);

    client.let_go();
    client.succeeds();
    assert_prints(server_prints, &["(the other end has left; Enter ends this one)"]);
    server.let_go();
    server.succeeds();
}

#[test]
fn multipart_takes_messages_apart() {
    let output = run("multipart", &[]);
    let expected = "order 1: tea, without milk\norder 2: coffee\norder 3: water, with gas\n\
                    not an order, as it has 2 frames: 3, bread\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn a_wrong_role_or_port_gets_a_usage_line() {
    for name in ["push_pull", "publish_subscribe", "request_reply", "pair", "chat"] {
        for arguments in [&[][..], &["serve"], &["server", "65536"], &["client", "http"]] {
            let output = run(name, arguments);
            assert_eq!(output.status.code(), Some(2), "{name} {arguments:?}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                said.starts_with(&format!("usage: {name} server|client [PORT]\n")),
                "{said}"
            );
        }
    }
}

#[test]
fn a_port_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run("push_pull", &["server", &port]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&port) && said.contains("in use"), "{said}");
}

#[test]
fn the_log_tells_the_story() {
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

/// A folder of files to count, which is gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let folder = std::env::temp_dir().join(format!("zeroless-{}-{name}", std::process::id()));
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

#[test]
fn worker_pool_prints_a_table_the_totals_and_who_did_how_many() {
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
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["Lines", "Words", "Longest", "line", "File"]);
    assert_eq!(rows[1], ["2", "3", "9", "./a.txt"]);
    assert_eq!(rows[2], ["1", "1,234", "6,170", "./sub/b.txt"]);
    assert_eq!(rows[3], ["0", "0", "0", "./empty"]);
    assert_eq!(rows[4], ["3", "1,237", "6,170", "in", "all,", "3", "files"]);
    assert_eq!(rows[6], ["Worker", "Files"]);
    let done: Vec<usize> = rows[7..].iter().map(|row| row[1].parse().unwrap()).collect();
    assert_eq!((done.len(), done.iter().sum::<usize>()), (3, 3));
}

#[test]
fn worker_pool_counts_its_own_source_if_no_path_is_given() {
    let _watchdog = watchdog();
    let table = String::from_utf8(run("worker_pool", &[]).stdout).unwrap();
    let engine = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine.rs")).unwrap();
    let row = table.lines().find(|line| line.ends_with("src/engine.rs")).unwrap();
    let lines: usize = row.split_whitespace().next().unwrap().replace(',', "").parse().unwrap();
    assert_eq!(lines, engine.lines().count());
}

#[test]
fn worker_pool_shows_the_longest_of_many_files_and_counts_them_all() {
    let _watchdog = watchdog();
    let files: Vec<String> = (0..60).map(|number| format!("{number}.txt")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), "line\n")).collect();
    let folder = Folder::new("many", &files);
    let table = String::from_utf8(run("worker_pool", &[folder.0.to_str().unwrap()]).stdout).unwrap();
    assert!(table.contains("in all, 60 files, 10 of them not shown"), "{table}");
    assert_eq!(table.matches(".txt").count(), 50);
}

#[test]
fn worker_pool_helps_who_asks() {
    let output = run("worker_pool", &["--help"]);
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "usage: worker_pool [--workers N] [PATH]...\n"
    );
}

#[test]
fn worker_pool_says_what_is_wrong_with_its_arguments() {
    let _watchdog = watchdog();
    let empty = Folder::new("nothing", &[]);
    fs::create_dir_all(&empty.0).unwrap();
    for (arguments, said) in [
        (
            &["no/such/path"][..],
            "cannot walk no/such/path: No such file or directory",
        ),
        (
            &["--workers", "0"],
            "0 workers are too few or too many: 1 to 256 can be had",
        ),
        (&["--workers", "many"], "many"),
        (&["--wrokers", "3"], "invalid option '--wrokers'"),
        (&[empty.0.to_str().unwrap()], "there is no file to count"),
    ] {
        let output = run("worker_pool", arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(said), "{message:?} does not say {said:?}");
        assert!(output.stdout.is_empty());
    }
}
