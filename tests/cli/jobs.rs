//! Jobs, and the commands that do them.

use std::fs;

use crate::program::{Program, connect, serve, zeroless};
use crate::support::{Folder, wait_until, watchdog};

/// Starts workers that run a script of the shell for each job.
fn work_script(port: u16, workers: usize, script: &str) -> Program {
    let mut command = zeroless(&format!("client {port} work --workers {workers} -- bash -c"));
    command.args([script, "script"]);
    Program::start(&mut command)
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort();
    lines
}

#[test]
fn each_job_has_one_result() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch");
    let workers = [(); 2].map(|()| connect(port, "work --workers 2 -- echo done {}"));
    dispatch.give((0..100).map(|number| format!("{number}\n")).collect::<String>());
    let mut numbers: Vec<u32> = dispatch
        .text()
        .lines()
        .map(|line| line.strip_prefix("done ").unwrap().parse().unwrap())
        .collect();
    numbers.sort();
    assert_eq!(numbers, Vec::from_iter(0..100));
    workers.into_iter().for_each(|workers| _ = workers.succeeds());
}

#[test]
fn jobs_can_be_the_same() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch");
    let work = connect(port, "work -- echo");
    dispatch.give("a\na\na\n");
    assert_eq!(dispatch.text(), "a\na\na\n");
    work.succeeds();
}

#[test]
fn no_jobs_are_done_at_once() {
    let _watchdog = watchdog();
    let (mut dispatch, _) = serve("dispatch");
    dispatch.give("");
    assert_eq!(dispatch.text(), "");
}

#[test]
fn result_is_printed_as_soon_as_it_is_there() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch");
    let _work = connect(port, "work -- echo");
    for job in ["one", "two"] {
        dispatch.types(job);
        assert_eq!(dispatch.prints(), job);
    }
}

#[test]
fn results_can_keep_the_order_of_the_jobs() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-order");
    // The first job ends after the last one.
    let script = format!(
        "cd {}; if [ $1 = 0 ]; then cat < <(until [ -e 9 ]; do sleep 0.01; done); fi; touch $1; echo $1",
        folder.0.display()
    );
    for (options, first) in [("", "1"), ("--keep-order", "0")] {
        let (mut dispatch, port) = serve(&format!("dispatch {options}"));
        let work = work_script(port, 2, &script);
        dispatch.give((0..10).map(|number| format!("{number}\n")).collect::<String>());
        let printed = dispatch.text();
        assert_eq!(printed.lines().next(), Some(first));
        assert_eq!(
            sorted(&printed),
            Vec::from_iter((0..10).map(|number| number.to_string()))
        );
        work.succeeds();
        fs::remove_file(folder.0.join("9")).unwrap();
    }
}

#[test]
fn jobs_have_all_bytes_and_frames() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch --length");
    let work = connect(port, "work --stdin --length -- cat");
    let all: Vec<u8> = (0..=255).collect();
    let jobs = [b"256:", &all[..], b",0:\n"].concat();
    dispatch.give(jobs.clone());
    assert_eq!(dispatch.succeeds(), jobs);
    work.succeeds();
}

#[test]
fn frames_of_a_job_are_arguments() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch --frames=,");
    let work = connect(port, "work -- echo ({}) {} end");
    dispatch.give("a b,c\nd\n");
    let ended = dispatch.ends();
    assert_eq!(ended.output, b"(d) d end\n");
    assert!(ended.said.contains("has room for one"), "{ended:?}");
    work.succeeds();
}

#[test]
fn failed_job_is_named_and_listed_and_not_tried_again() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-failed");
    let list = folder.0.join("failed");
    let (mut dispatch, port) = serve(&format!("dispatch --failed {}", list.display()));
    let work = work_script(
        port,
        2,
        "case $1 in bad*) echo because >&2; exit 3;; *) echo good;; esac",
    );
    dispatch.give("a\nbad 1\nb\nbad 2\n");
    let ended = dispatch.ends();
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.output, b"good\ngood\n");
    let said = sorted(&ended.said);
    assert_eq!(
        said,
        [
            "zeroless: 2 of 4 jobs have failed",
            "zeroless: the job bad 1 has failed: because",
            "zeroless: the job bad 2 has failed: because",
        ]
    );
    assert_eq!(sorted(&fs::read_to_string(list).unwrap()), ["bad 1", "bad 2"]);
    work.succeeds();
}

#[test]
fn result_that_cannot_be_printed_is_a_failure() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch");
    let work = connect(port, "work -- printf");
    dispatch.give("a\\nb\\n\nfine\n");
    let ended = dispatch.ends();
    assert_eq!((ended.status.code(), &ended.output[..]), (Some(1), &b"fine\n"[..]));
    assert!(ended.said.contains("use --out null"), "{ended:?}");
    work.succeeds();
}

#[test]
fn what_a_successful_command_says_is_shown_by_its_worker() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch");
    let work = work_script(port, 1, "echo careful >&2; echo done");
    dispatch.give("a\n");
    assert_eq!(dispatch.text(), "done\n");
    let ended = work.ends();
    assert_eq!((ended.status.code(), ended.said.as_str()), (Some(0), "careful"));
}

#[test]
fn job_of_command_that_is_killed_is_tried_again() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-killed");
    let script = format!(
        "cd {}; mkdir $1 2>/dev/null && kill -9 $$; echo second",
        folder.0.display()
    );
    let (mut dispatch, port) = serve("dispatch");
    let work = work_script(port, 1, &script);
    dispatch.give("a\nb\n");
    assert_eq!(dispatch.text(), "second\nsecond\n");
    let ended = work.ends();
    assert!(ended.status.success());
    assert_eq!(
        ended
            .said
            .matches("a job goes back: bash was killed by signal 9")
            .count(),
        2
    );
}

#[test]
fn job_that_kills_each_command_is_given_up() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch --attempts 2");
    let work = work_script(port, 1, "[ $1 = poison ] && kill -9 $$; echo fine");
    dispatch.give("poison\na\n");
    let ended = dispatch.ends();
    assert_eq!((ended.status.code(), &ended.output[..]), (Some(1), &b"fine\n"[..]));
    assert!(
        ended
            .said
            .contains("poison has failed: the job has no result: it was lost 2 times"),
        "{ended:?}"
    );
    work.ends();
}

#[test]
fn job_of_killed_worker_is_done_by_another() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-worker");
    // The first to take a job waits until the test ends, and so does its worker.
    let script = format!(
        "cd {}; mkdir victim 2>/dev/null && {{ echo $PPID > pid; exec sleep 100; }}; echo $1",
        folder.0.display()
    );
    let (mut dispatch, port) = serve("dispatch");
    let mut victim = work_script(port, 1, &script);
    dispatch.types("0");
    wait_until(|| fs::read_to_string(folder.0.join("pid")).is_ok_and(|pid| pid.ends_with('\n')));
    let survivor = work_script(port, 2, &script);
    (1..50).for_each(|number| dispatch.types(&number.to_string()));
    victim.kill();
    dispatch.give("");
    let printed = dispatch.text();
    assert_eq!(printed.lines().count(), 50);
    let mut numbers: Vec<u32> = printed.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort();
    assert_eq!(numbers, Vec::from_iter(0..50));
    survivor.succeeds();
}

#[test]
fn job_over_its_time_limit_goes_to_another_worker() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-limit");
    let script = format!(
        "cd {}; mkdir slow 2>/dev/null && exec sleep 100; echo $1",
        folder.0.display()
    );
    let (mut dispatch, port) = serve("dispatch --time-limit 300ms");
    let _hangs = work_script(port, 2, &script);
    dispatch.give("a\nb\nc\n");
    assert_eq!(sorted(&dispatch.text()), ["a", "b", "c"]);
}

#[test]
fn worker_without_its_command_gives_the_job_back_and_ends() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch");
    dispatch.give("a\n");
    let said = connect(port, "work --workers 2 -- no-such-command").fails(1);
    assert!(
        said.contains("cannot run no-such-command") && said.contains("the job goes back"),
        "{said}"
    );
    let work = connect(port, "work -- echo");
    assert_eq!(dispatch.text(), "a\n");
    work.succeeds();
}

#[test]
fn count_ends_workers_and_jobs() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch -n 3");
    ["a", "b", "c"].iter().for_each(|job| dispatch.types(job));
    connect(port, "work --workers 2 -n 2 -- echo").succeeds();
    connect(port, "work -n 1 -- echo").succeeds();
    assert_eq!(sorted(&dispatch.text()), ["a", "b", "c"]);
}

#[test]
fn nothing_to_do_in_time_is_status_124() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch --timeout 200ms");
    dispatch.types("a");
    assert!(dispatch.fails(124).contains("no job has ended within 200ms"));
    connect(port, "work --timeout 100ms -- echo").fails(124);
    let (dispatch, _) = serve("dispatch --wait 1 --timeout 100ms a");
    dispatch.fails(124);
}

#[test]
fn workers_are_awaited() {
    let _watchdog = watchdog();
    let (dispatch, port) = serve("dispatch --wait 2 a b");
    let one = connect(port, "work -- echo one");
    let other = connect(port, "work -- echo other");
    let printed = dispatch.text();
    assert!(
        [
            "one a\nother b\n",
            "other b\none a\n",
            "one b\nother a\n",
            "other a\none b\n"
        ]
        .contains(&printed.as_str()),
        "{printed}"
    );
    one.succeeds();
    other.succeeds();
}

#[test]
fn malformed_job_is_told_after_the_results_of_the_others() {
    let _watchdog = watchdog();
    let (mut dispatch, port) = serve("dispatch --json");
    let work = connect(port, "work -- echo");
    dispatch.give("[\"a\"]\nb\n");
    let ended = dispatch.ends();
    assert_eq!((ended.status.code(), &ended.output[..]), (Some(1), &b"[\"a\"]\n"[..]));
    assert!(ended.said.contains("message 2 of the input"), "{ended:?}");
    work.ends();
}

#[test]
fn results_end_with_their_reader() {
    let _watchdog = watchdog();
    let mut dispatch = Program::start(&mut Program::script(
        "seq 1000000 | zeroless server 0 dispatch | head -2",
    ));
    let port = dispatch.port();
    let work = connect(port, "work -- echo");
    assert_eq!(dispatch.text(), "1\n2\n");
    // It may say that its last result is lost.
    assert!(work.ends().status.success());
}
