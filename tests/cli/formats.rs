//! Messages of all kinds pass in all formats.

use crate::program::{connect, run, serve};
use crate::support::watchdog;

/// All bytes, except one.
fn bytes_without(byte: u8) -> Vec<u8> {
    (0..=255).filter(|&other| other != byte).collect()
}

/// Sends an input from a client to a server, both with these options, and returns the output.
fn pass(options: &str, count: usize, input: &[u8]) -> Vec<u8> {
    let (pull, port) = serve(&format!("pull -n {count} {options}"));
    let mut push = connect(port, &format!("push {options}"));
    push.give(input);
    push.succeeds();
    pull.succeeds()
}

#[test]
fn lines_carry_all_bytes_but_line_ends() {
    let _watchdog = watchdog();
    let line = bytes_without(b'\n');
    let input = [&line[..], b"\n", b"\n", &line, b"\n"].concat();
    assert_eq!(pass("", 3, &input), input);
}

#[test]
fn nul_ends_messages_of_lines() {
    let _watchdog = watchdog();
    let input = [&bytes_without(0)[..], b"\0", b"\0", b"two\nlines\0"].concat();
    assert_eq!(pass("-0", 3, &input), input);
}

#[test]
fn tab_separates_frames() {
    let _watchdog = watchdog();
    assert_eq!(pass("--frames", 3, b"a\tb\tc\n\t\n\n"), b"a\tb\tc\n\t\n\n");
}

#[test]
fn another_character_separates_frames() {
    let _watchdog = watchdog();
    assert_eq!(pass("--frames=, -0", 2, b"a,b\tc\0,\0"), b"a,b\tc\0,\0");
}

#[test]
fn json_hex_and_length_carry_all_bytes() {
    let _watchdog = watchdog();
    let all: Vec<u8> = (0..=255).collect();
    let hex: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
    let length = [b"256:", &all[..], b",0:\n"].concat();
    let json = pass("--in hex --out json", 1, format!("{hex}\t\n").as_bytes());
    assert!(
        json.starts_with(b"[\"base64:AAEC") && json.ends_with(b"\",\"\"]\n"),
        "{json:?}"
    );
    assert_eq!(pass("--in json --out length", 1, &json), length);
    assert_eq!(
        pass("--in length --out hex", 1, &length),
        format!("{hex}\t\n").as_bytes()
    );
}

#[test]
fn raw_bytes_come_out_as_they_went_in() {
    let _watchdog = watchdog();
    let all: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    // How many messages it is depends on how much is read at once.
    let (mut pull, port) = serve("pull --raw");
    let mut push = connect(port, "push --raw");
    push.give(all.clone());
    push.succeeds();
    assert!(pull.prints_bytes(all.len()) == all);
}

#[test]
fn long_line_is_one_message() {
    let _watchdog = watchdog();
    let line = [vec![b'x'; 10_000_000], b"\n".to_vec()].concat();
    assert!(pass("", 1, &line) == line);
}

#[test]
fn many_lines_keep_their_order() {
    let _watchdog = watchdog();
    let lines: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
    assert!(pass("", 100_000, lines.as_bytes()) == lines.as_bytes());
}

#[test]
fn arguments_are_messages() {
    let _watchdog = watchdog();
    let (pull, port) = serve("pull -n 2 --json");
    connect(port, "push --frames=, a,b c").succeeds();
    assert_eq!(pull.text(), "[\"a\",\"b\"]\n[\"c\"]\n");
}

#[test]
fn what_format_cannot_carry_is_error_that_names_another() {
    let _watchdog = watchdog();
    for (options, message, remedy) in [
        ("", "[\"a\",\"b\"]", "--out frames"),
        ("", "[\"a\\nb\"]", "--out null"),
        ("-0", "[\"a\\u0000b\\n\"]", "--out json"),
        ("--frames", "[\"a\\tb\",\"c\"]", "--out json"),
        ("--raw", "[\"a\",\"b\"]", "--out frames"),
    ] {
        let (pull, port) = serve(&format!("pull {options}"));
        let mut push = connect(port, "push --json");
        push.give(format!("[\"before\"]\n{message}\n"));
        let ended = pull.ends();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(
            ended.said.contains("message 2") && ended.said.ends_with(remedy),
            "{}",
            ended.said
        );
        assert!(ended.output.starts_with(b"before"), "{ended:?}");
    }
}

#[test]
fn malformed_input_is_error_after_what_was_sent() {
    let _watchdog = watchdog();
    for (options, good, bad) in [
        ("--json", "[\"a\"]\n", "hello\n"),
        ("--hex", "61\n", "6\n"),
        ("--length", "1:a\n", "1:ab\n"),
    ] {
        let (pull, port) = serve("pull -n 1");
        let mut push = connect(port, &format!("push {options}"));
        push.give(format!("{good}{bad}"));
        let said = push.fails(1);
        assert!(said.contains("message 2 of the input"), "{said}");
        assert_eq!(pull.text(), "a\n");
    }
}

#[test]
fn two_formats_are_wrong_usage() {
    let ended = run("client 1 push --json --hex");
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.said.contains("json and hex are two formats"), "{ended:?}");
}

#[test]
fn malformed_argument_is_wrong_usage() {
    let ended = run("client 1 push --json hello");
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.said.contains("cannot send the argument \"hello\""), "{ended:?}");
}
