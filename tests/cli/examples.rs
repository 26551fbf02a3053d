//! Each example of the help, the man page, the README and the guide does what it says.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::help::{PAGES, page};
use crate::program::{Program, run};
use crate::support::{Folder, unused_ports, watchdog};

/// What an example does.
#[derive(Clone, Copy)]
enum Does {
    /// It ends with success, and has printed this.
    Prints(&'static str),
    /// It prints these lines, and goes on.
    Shows(&'static [&'static str]),
}
use Does::{Prints, Shows};

type Example = (&'static str, Does);

const PULL: &str = "zeroless server 12345 pull";
const SEQ: &str = "seq 10 | zeroless client 12345 push";
const REPLY: &str = "zeroless server 12345 reply -- tr a-z A-Z";
const SERVE: &str = "zeroless server 12345 serve --workers 4 -- ./answer";
const CALL: &str = "zeroless client 12345 call add 1 2";
const SUBSCRIBE: &str = "zeroless client 12345 subscribe news sport";
const DISPATCH: &str = "find . -name '*.jpg' | zeroless server 12345 dispatch > hashes";
const WORK: &str = "zeroless client 12345 work --workers 8 -- sha256sum {}";
const WORD_COUNT: &str = "zeroless client 12345 work --stdin -- wc -c";
const BROKER: &str = "zeroless proxy 12345 12346 --pattern router-dealer";

/// The examples that are run together, each in a shell of its own. What is not an example of the documentation is only
/// the other side.
const SCENES: &[&[Example]] = &[
    &[(PULL, Shows(&["1", "2", "3"])), (SEQ, Prints(""))],
    &[
        (PULL, Shows(&["hello", "again"])),
        ("zeroless client 12345 push hello again", Prints("")),
    ],
    &[
        ("zeroless server 12345 pull --json", Shows(&["[\"job\",\"7\"]"])),
        ("printf 'job\\t7\\n' | zeroless client 12345 push --frames", Prints("")),
    ],
    &[
        ("zeroless server 12345 pull --json", Shows(&["[\"job\\n7\"]"])),
        ("printf 'job\\n7\\0' | zeroless client 12345 push -0", Prints("")),
    ],
    &[
        (
            "zeroless server 12345 pull -n 10 --json",
            Prints("[\"1\"]\n[\"2\"]\n[\"3\"]\n[\"4\"]\n[\"5\"]\n[\"6\"]\n[\"7\"]\n[\"8\"]\n[\"9\"]\n[\"10\"]\n"),
        ),
        (SEQ, Prints("")),
    ],
    &[
        ("zeroless server 12345 pull --timeout 10s | head -1", Prints("1\n")),
        (SEQ, Prints("")),
    ],
    // Nobody subscribes in time.
    &[("zeroless server 12345 publish --topic news < lines", Prints(""))],
    &[
        (SUBSCRIBE, Shows(&["news: rain"])),
        (
            "zeroless server 12345 publish --wait 1 'news: rain' 'sport: 2:1'",
            Prints(""),
        ),
    ],
    &[
        (
            "zeroless client 12345 subscribe news --frames -n 1",
            Prints("news\train\n"),
        ),
        (
            "zeroless server 12345 publish --embed-topic news --wait 1 rain",
            Prints(""),
        ),
    ],
    &[
        (REPLY, Shows(&[])),
        ("zeroless client 12345 request hello again", Prints("HELLO\nAGAIN\n")),
    ],
    &[
        (REPLY, Shows(&[])),
        (
            "seq 3 | zeroless client 12345 request --timeout 5s",
            Prints("1\n2\n3\n"),
        ),
    ],
    &[
        ("zeroless server 12345 reply yes no", Prints("hello\nagain\n")),
        ("zeroless client 12345 request hello again", Prints("yes\nno\n")),
    ],
    &[(SERVE, Shows(&[])), (CALL, Prints("3\n"))],
    &[
        ("zeroless server 12345 serve --stdin -- tr a-z A-Z", Shows(&[])),
        ("seq 3 | zeroless client 12345 call --timeout 5s", Prints("1\n2\n3\n")),
    ],
    &[(DISPATCH, Prints("")), (WORK, Shows(&[]))],
    &[
        (
            "zeroless server 12345 dispatch --joblog log --resume < jobs >> results",
            Prints(""),
        ),
        (WORD_COUNT, Shows(&[])),
    ],
    &[
        (
            "zeroless server 12345 dispatch --keep-order --failed again < jobs",
            Prints("4\n5\n"),
        ),
        (WORD_COUNT, Shows(&[])),
    ],
    &[
        (
            "zeroless server 12345 stream --json | sed -u 's/.*\",//'",
            Shows(&["\"\"]", "\"GET / HTTP/1.0\\r\\n\\r\\n\"]"]),
        ),
        (
            "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | zeroless client 12345 stream",
            Shows(&[]),
        ),
    ],
    &[("zeroless server 12345 stream --json", Shows(&[]))],
    &[
        (BROKER, Shows(&[])),
        ("zeroless client 12346 serve -- ./answer", Shows(&[])),
        (CALL, Prints("3\n")),
    ],
    &[
        ("zeroless proxy 12345 12346 --pattern forwarder", Shows(&[])),
        ("zeroless client 12346 subscribe -n 1", Prints("news\n")),
        ("zeroless client 12345 publish --wait 1 news", Prints("")),
    ],
    &[
        ("zeroless proxy 12345 12346 --pattern streamer", Shows(&[])),
        ("zeroless client 12346 pull -n 1", Prints("job\n")),
        ("zeroless client 12345 push job", Prints("")),
    ],
    &[("source <(zeroless completions bash)", Prints(""))],
    &[("zeroless man > zeroless.1", Prints(""))],
    &[("zeroless man server dispatch > zeroless-server-dispatch.1", Prints(""))],
    // The recipes of the guide.
    &[
        ("zeroless server --public 12345 pull >> logs", Shows(&[])),
        (
            "tail -n 0 -F app.log | sed -u \"s/^/$(hostname) /\" | zeroless client collector:12345 push",
            Shows(&[]),
        ),
        (
            "until grep -q 'ERROR: no tea' logs; do sleep 0.1; echo 'ERROR: no tea' >> app.log; done",
            Prints(""),
        ),
    ],
    &[
        (
            "tail -n 0 -F app.log | zeroless server --public 12345 publish",
            Shows(&[]),
        ),
        (
            "zeroless client web:12345 subscribe ERROR WARN",
            Shows(&["ERROR: no tea"]),
        ),
        (
            "for second in $(seq 50); do sleep 0.1; echo 'ERROR: no tea' >> app.log; done",
            Shows(&[]),
        ),
    ],
    &[
        (
            "find photos -name '*.jpg' | sort | zeroless server 12345 dispatch --joblog log --resume >> hashes",
            Prints(""),
        ),
        (
            "for host in ada bob; do ssh -R 12345:localhost:12345 $host zeroless client 12345 work --workers 8 \
             --timeout 1m -- sha256sum {} & done; wait",
            Shows(&[]),
        ),
    ],
];

/// The examples that need CURVE. They are run in this order.
const WITH_CURVE: &[&[Example]] = &[
    &[("zeroless keygen boss > /dev/null", Prints(""))],
    &[("zeroless keygen ada > /dev/null", Prints(""))],
    &[
        (
            "zeroless server 12345 --curve boss.key_secret --allow-keys ada.key pull",
            Shows(&["hi"]),
        ),
        (
            "zeroless client 12345 --curve ada.key_secret --server-key boss.key push hi",
            Prints(""),
        ),
    ],
];

/// A folder with all that the examples read.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    let script = |name: &str, text: &str| {
        let path = folder.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let guide = include_str!("../../src/guide/shell.rs").replace("//! ", "");
    let answer = guide.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    script("answer", answer);
    // Instead of another host, this one.
    script("ssh", "#!/bin/sh\nshift 3\nexec \"$@\"\n");
    fs::create_dir(folder.0.join("photos")).unwrap();
    for (file, text) in [
        ("lines", "rain\nsun\n"),
        ("jobs", "tea\nmilk\n"),
        ("app.log", ""),
        ("a.jpg", "a"),
        ("photos/b.jpg", "b"),
    ] {
        fs::write(folder.0.join(file), text).unwrap();
    }
    folder
}

/// Runs the examples of a scene, and asserts that they do what they should.
fn play(scene: &[Example], folder: &Folder) {
    let ports = unused_ports(2);
    let mut running = Vec::new();
    for (line, does) in scene {
        let mut line = line
            .replace("12345", &ports.to_string())
            .replace("12346", &(ports + 1).to_string());
        for host in ["collector:", "web:"] {
            line = line.replace(host, "127.0.0.1:");
        }
        // In a process group of its own, so that all of it can be ended.
        let mut command = Program::script(format!("PATH=.:$PATH; {line}"));
        running.push((line, *does, Program::start_group(command.current_dir(&folder.0))));
    }
    for (line, does, program) in &mut running {
        if let Shows(lines) = does {
            lines
                .iter()
                .for_each(|shown| assert_eq!(program.prints(), *shown, "{line}"));
        }
    }
    // What goes on may be the other side of what ends.
    let (ending, _lasting): (Vec<_>, Vec<_>) = running.into_iter().partition(|(_, does, _)| matches!(does, Prints(_)));
    for (line, does, program) in ending {
        let ended = program.ends();
        assert!(ended.status.success(), "{line}: {ended:?}");
        let text = String::from_utf8_lossy(&ended.output).into_owned();
        assert!(matches!(does, Prints(expected) if expected == text), "{line}: {text}");
    }
}

#[test]
fn of_the_documentation_work() {
    let _watchdog = watchdog();
    for scene in SCENES {
        play(scene, &folder("cli-examples"));
    }
}

/// The script of the guide adds all integers, and says what is not one.
#[test]
fn of_service_adds_integers() {
    let _watchdog = watchdog();
    let folder = folder("cli-service");
    let add = |terms: &str| {
        let mut command = Program::script(format!("./answer add {terms}"));
        Program::start(command.env("LC_ALL", "C").current_dir(&folder.0))
    };
    assert_eq!(add("-1 1").text(), "0\n");
    assert_eq!(add("08 -3").text(), "5\n");
    assert!(add("1 tea").fails(1).contains("non-integer argument"));
}

#[test]
fn of_jobs_print_hashes() {
    let _watchdog = watchdog();
    let folder = folder("cli-hashes");
    play(&[(DISPATCH, Prints("")), (WORK, Shows(&[]))], &folder);
    let hashes = fs::read_to_string(folder.0.join("hashes")).unwrap();
    let mut files: Vec<&str> = hashes.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    files.sort();
    assert_eq!(files, ["./a.jpg", "./photos/b.jpg"]);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: see CONTRIBUTING.md")]
fn of_curve_work() {
    let _watchdog = watchdog();
    let folder = folder("cli-examples-curve");
    WITH_CURVE.iter().for_each(|scene| play(scene, &folder));
}

/// The examples of a page of the help.
fn of_help(page: &str) -> Vec<String> {
    let mut lines = page.lines().skip_while(|line| !line.starts_with("Examples"));
    lines.next();
    // Those of the first page are in groups, and end with other text.
    let examples = lines.take_while(|line| line.is_empty() || line.starts_with("  "));
    examples
        .filter(|line| !line.is_empty())
        .map(|line| line.trim().to_owned())
        .collect()
}

/// The lines of the blocks of `sh` in a text, without their comments, that use `zeroless`.
fn of_text(text: &str) -> Vec<String> {
    let blocks = text
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let lines = blocks
        .flat_map(str::lines)
        .map(|line| line.split(" # ").next().unwrap().trim());
    let examples = lines.filter(|line| line.contains("zeroless ") && !line.starts_with("cargo "));
    examples.map(str::to_owned).collect()
}

#[test]
fn are_all_run() {
    let guide = include_str!("../../src/guide/shell.rs").replace("//! ", "");
    let mut documented = of_text(include_str!("../../README.md"));
    documented.extend(of_text(&guide));
    assert_eq!(documented.len(), 4 + 11, "{documented:?}");
    let in_help: Vec<String> = PAGES.iter().flat_map(|command| of_help(&page(command))).collect();
    assert!(in_help.len() > 30, "{in_help:?}");
    documented.extend(in_help);
    let lines = SCENES.iter().chain(WITH_CURVE).flat_map(|scene| scene.iter());
    let run: BTreeSet<&str> = lines.map(|(line, _)| line.trim_end_matches(" > /dev/null")).collect();
    for example in documented {
        assert!(run.contains(example.as_str()), "this example is not run: {example}");
    }
}

#[test]
fn of_the_man_page_are_those_of_the_help() {
    for command in PAGES {
        let ended = run(&format!("man {command}"));
        assert!(ended.status.success(), "man {command}: {ended:?}");
        let text = String::from_utf8(ended.output)
            .unwrap()
            .replace("\\-", "-")
            .replace("\\\\", "\\");
        for example in of_help(&page(command)) {
            assert!(
                text.contains(&example.replace("'", "\\*(Aq")) || text.contains(&example),
                "{command}: {example}\n{text}"
            );
        }
    }
}
