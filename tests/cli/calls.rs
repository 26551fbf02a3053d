//! Requests and calls, and the commands that answer them.

use std::thread;
use std::time::Duration;

use zeroless::{Client, ErrorKind, Server};

use crate::program::{Program, connect, serve, zeroless};
use crate::support::{Folder, unused_port, watchdog};

/// A server that runs a script of the shell for each message.
fn serve_script(pattern: &str, script: &str) -> (Program, u16) {
    let mut command = zeroless(&format!("server 0 {pattern} -- bash -c"));
    command.args([script, "script"]);
    let mut program = Program::start(&mut command);
    let port = program.port();
    (program, port)
}

#[test]
fn command_replies_to_requests() {
    let _watchdog = watchdog();
    let (reply, port) = serve("reply -n 3 -- tr a-z A-Z");
    assert_eq!(connect(port, "request hello again").text(), "HELLO\nAGAIN\n");
    let mut request = connect(port, "request");
    request.give("one line\n");
    assert_eq!(request.text(), "ONE LINE\n");
    reply.succeeds();
}

#[test]
fn each_reply_is_printed_before_the_next_request() {
    let _watchdog = watchdog();
    let (_reply, port) = serve("reply -- cat");
    let mut request = connect(port, "request");
    for line in ["one", "two"] {
        request.types(line);
        assert_eq!(request.prints(), line);
    }
}

#[test]
fn command_gets_and_gives_any_bytes() {
    let _watchdog = watchdog();
    let (_reply, port) = serve("reply --raw -- cat");
    let all: Vec<u8> = (0..=255).collect();
    let (request, replies) = Client::new().connect_local(port).request().unwrap();
    request(&[&all]).unwrap();
    assert_eq!(replies.recv().unwrap(), [all]);
}

#[test]
fn command_gets_and_gives_frames() {
    let _watchdog = watchdog();
    let (_reply, port) = serve_script("reply --json", "read -r frames; echo \"[\\\"got\\\",${frames#[}\"");
    assert_eq!(connect(port, "request --frames=, a,b").text(), "got,a,b\n");
}

#[test]
fn command_that_fails_gives_empty_reply() {
    let _watchdog = watchdog();
    let (mut reply, port) = serve("reply -- false");
    assert_eq!(connect(port, "request a").text(), "\n");
    reply.hears("false has ended with exit status: 1");
    assert_eq!(connect(port, "request b").text(), "\n");
}

#[test]
fn replies_are_read_from_the_input() {
    let _watchdog = watchdog();
    let (mut reply, port) = serve("reply");
    let request = connect(port, "request question");
    assert_eq!(reply.prints(), "question");
    reply.types("answer");
    assert_eq!(request.text(), "answer\n");
}

#[test]
fn replies_can_be_arguments() {
    let _watchdog = watchdog();
    let (reply, port) = serve("reply yes no");
    assert_eq!(connect(port, "request a b").text(), "yes\nno\n");
    assert_eq!(reply.text(), "a\nb\n");
}

#[test]
fn request_without_reply_times_out() {
    let _watchdog = watchdog();
    let (_reply, port) = serve("reply");
    connect(port, "request a --timeout 100ms").fails(124);
}

#[test]
fn call_prints_its_answer() {
    let _watchdog = watchdog();
    let (serve, port) = serve_script("serve -n 2", "echo $(($2 + $3))");
    assert_eq!(connect(port, "call add 1 2").text(), "3\n");
    let mut call = connect(port, "call --frames");
    call.give("add\t5\t6\n");
    assert_eq!(call.text(), "11\n");
    serve.succeeds();
}

#[test]
fn failure_is_status_1_and_words_on_stderr() {
    let _watchdog = watchdog();
    let (_serve, port) = serve_script("serve", "echo out of $1 >&2; exit 3");
    assert_eq!(connect(port, "call tea").fails(1), "out of tea");
}

#[test]
fn calls_of_the_input_go_on_after_a_failure() {
    let _watchdog = watchdog();
    let (_serve, port) = serve_script("serve", "[ $1 = tea ] || { echo no $1 >&2; exit 1; }; echo a cup of $1");
    let mut call = connect(port, "call");
    call.give("tea\nmilk\ntea\n");
    let ended = call.ends();
    assert_eq!((ended.status.code(), ended.said.as_str()), (Some(1), "no milk"));
    assert_eq!(ended.output, b"a cup of tea\na cup of tea\n");
}

#[test]
fn command_killed_by_signal_fails_the_call() {
    let _watchdog = watchdog();
    let (_serve, port) = serve_script("serve", "kill -9 $$");
    assert_eq!(connect(port, "call a").fails(1), "bash was killed by signal 9");
}

#[test]
fn command_that_is_missing_fails_the_call_and_the_server_goes_on() {
    let _watchdog = watchdog();
    let (mut serve, port) = serve("serve -- no-such-command");
    for _ in 0..2 {
        assert!(
            connect(port, "call a")
                .fails(1)
                .starts_with("cannot run no-such-command")
        );
        serve.hears("a call fails: cannot run no-such-command");
    }
}

#[test]
fn bytes_that_cannot_be_an_argument_fail_the_call() {
    let _watchdog = watchdog();
    let (_serve, port) = serve("serve -- echo");
    let call = Client::new().connect_local(port).call().unwrap();
    let error = call(&[b"a\0b"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(call(&[b"a\nb\xff"]).unwrap(), [b"a\nb\xff"]);
}

#[test]
fn command_can_read_the_call_from_its_input() {
    let _watchdog = watchdog();
    let (_serve, port) = serve("serve --stdin --frames=, -- sed s/,/,,/g");
    assert_eq!(connect(port, "call a b --frames").text(), "a\t\tb\n");
}

#[test]
fn frames_that_do_not_fit_the_input_are_told_with_the_remedy_of_the_server() {
    let _watchdog = watchdog();
    let (_serve, port) = serve("serve --stdin -- cat");
    let said = connect(port, "call a b").fails(1);
    let remedy = "use --out frames at the end that runs the command";
    assert!(said.ends_with(remedy), "{said}");
    let (_serve, port) = serve("serve --stdin --out frames -- tr \\t ,");
    assert_eq!(connect(port, "call a b").text(), "a,b\n");
}

#[test]
fn answer_keeps_all_but_the_last_line_end() {
    let _watchdog = watchdog();
    let (_serve, port) = serve("serve -- printf");
    let call = Client::new().connect_local(port).call().unwrap();
    for (format, answer) in [("a\\nb\\n\\n", "a\nb\n"), ("a", "a"), ("", "")] {
        assert_eq!(call.call(format).unwrap(), [answer.as_bytes()]);
    }
}

#[test]
fn workers_answer_at_the_same_time() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-serve");
    // Each call writes into a pipe from which the other one reads.
    let script = format!(
        "cd {}; mkfifo $1 $2 2>/dev/null; if [ $1 = a ]; then echo hi > $2; cat $1; else cat $1; echo hi > $2; fi",
        folder.0.display()
    );
    let (_serve, port) = serve_script("serve --workers 2", &script);
    let one = connect(port, "call a b");
    let other = connect(port, "call b a");
    assert_eq!((one.text(), other.text()), ("hi\n".to_owned(), "hi\n".to_owned()));
}

#[test]
fn timeout_of_one_worker_does_not_disturb_the_others() {
    let _watchdog = watchdog();
    let (serve, port) = serve_script("serve --workers 2 --timeout 300ms", "sleep 1; echo $1");
    assert_eq!(connect(port, "call a").text(), "a\n");
    serve.fails(124);
}

#[test]
fn call_without_server_is_status_124_and_not_run() {
    let _watchdog = watchdog();
    let said = connect(unused_port(), "call a --timeout 100ms").fails(124);
    assert!(said.contains("the call was not run"), "{said}");
}

#[test]
fn call_without_answer_is_status_124_and_may_have_run() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let port = calls.socket().port().unwrap();
    let call = connect(port, "call a --timeout 300ms");
    let taken = thread::spawn(move || calls.recv_timeout(Duration::from_secs(60)).unwrap());
    let said = call.fails(124);
    assert!(said.contains("may have run the call"), "{said}");
    drop(taken.join().unwrap());
}

#[test]
fn call_of_server_that_ends_is_status_1() {
    let _watchdog = watchdog();
    let (mut serve, port) = serve_script("serve", "echo started >&2; kill -9 $PPID; sleep 60");
    let said = connect(port, "call a").fails(1);
    assert!(said.contains("connection was lost"), "{said}");
    serve.kill();
}
