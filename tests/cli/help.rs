//! What the program says of itself.

use crate::program::{Program, run};
use crate::support::watchdog;

/// The commands that have a page of help.
pub const PAGES: [&str; 22] = [
    "",
    "server",
    "client",
    "proxy",
    "keygen",
    "completions",
    "man",
    "server push",
    "server pull",
    "server publish",
    "client subscribe",
    "client request",
    "server reply",
    "client call",
    "server serve",
    "server dispatch",
    "client work",
    "server pair",
    "client dealer",
    "server router",
    "server xpublish",
    "client stream",
];

pub fn page(command: &str) -> String {
    let ended = run(&format!("help {command}"));
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.output).unwrap()
}

#[test]
fn fits_into_80_columns() {
    for command in PAGES {
        let page = page(command);
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "help {command}: {line}");
        }
        assert!(page.lines().all(|line| line.trim_end() == line), "help {command}");
    }
}

#[test]
fn is_the_same_for_the_option() {
    assert_eq!(
        String::from_utf8(run("server push --help").output).unwrap(),
        page("server push")
    );
    assert_eq!(run("-h").output, run("--help").output);
}

#[test]
fn output_that_cannot_be_written_is_status_1() {
    let _watchdog = watchdog();
    for arguments in ["help", "--version", "completions zsh", "man"] {
        let said = Program::start(&mut Program::script(format!("zeroless {arguments} > /dev/full"))).fails(1);
        assert!(said.contains("cannot write the output"), "{arguments}: {said}");
    }
}

#[test]
fn completions_are_scripts() {
    for (shell, sign) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef zeroless"),
        ("fish", "complete -c zeroless"),
    ] {
        let ended = run(&format!("completions {shell}"));
        assert!(ended.status.success());
        assert!(String::from_utf8(ended.output).unwrap().contains(sign), "{shell}");
    }
    let complete = "source <(zeroless completions bash); COMP_WORDS=(zeroless server 1 pu); COMP_CWORD=3; \
                    _zeroless zeroless pu 1; echo ${COMPREPLY[@]}";
    let completed = Program::start(&mut Program::script(complete)).text();
    assert_eq!(completed, "push pull publish\n");
}

#[test]
fn man_page_is_roff_with_examples() {
    for (command, name, what) in [
        (
            "man",
            "zeroless",
            "Sends and receives ZeroMQ messages, and shares work among machines.",
        ),
        (
            "man server dispatch",
            "zeroless\\-server\\-dispatch",
            "Give each job to one worker, and print the results",
        ),
    ] {
        let text = String::from_utf8(run(command).output).unwrap();
        assert!(
            text.contains(&format!(
                ".TH {} 1  \"zeroless {}\"",
                name.replace("\\-", "-"),
                env!("CARGO_PKG_VERSION")
            )),
            "{text}"
        );
        let named = format!(".SH NAME\n{name} \\- {what}\n.SH SYNOPSIS");
        assert!(text.contains(&named) && !text.contains("EXTRA"), "{text}");
        assert!(text.contains("zeroless server 12345"), "{text}");
    }
}

#[test]
fn version_is_that_of_the_crate() {
    assert_eq!(
        run("--version").output,
        format!("zeroless {}\n", env!("CARGO_PKG_VERSION")).as_bytes()
    );
}
