//! Producers that end or are killed, and go on from their job log.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::program::{Program, connect, serve, start, zeroless};
use crate::support::{Folder, unused_port, wait_until, watchdog};

/// A producer with a job log, whose results are in a file.
struct Producer {
    folder: Folder,
    port: u16,
    jobs: u32,
}

impl Producer {
    fn new(name: &str, jobs: u32) -> Producer {
        let folder = Folder::new(name);
        let numbers: String = (1..=jobs).map(|number| format!("{number}\n")).collect();
        fs::write(folder.0.join("jobs"), numbers).unwrap();
        let port = unused_port();
        Producer { folder, port, jobs }
    }

    fn start(&self, options: &str) -> Program {
        let script = format!(
            "cd {}; exec zeroless server {} dispatch --joblog log {options} < jobs >> results",
            self.folder.0.display(),
            self.port
        );
        Program::start(&mut Program::script(script))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.0.join(name)
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How many times each job is in the results.
    fn results(&self) -> BTreeMap<u32, u32> {
        let mut counts = BTreeMap::new();
        for line in self.lines("results") {
            *counts.entry(line.parse().unwrap()).or_default() += 1;
        }
        counts
    }

    fn assert_each_once(&self) {
        assert_eq!(self.results(), (1..=self.jobs).map(|number| (number, 1)).collect());
    }
}

/// Workers that echo their jobs. They are killed when they are dropped: one that has not found the last producer in time
/// waits for the next.
fn workers(producer: &Producer) -> Program {
    connect(producer.port, "work --workers 4 -- echo")
}

/// Workers that echo their jobs, but from job `hold` on only once the file `go` is there.
fn workers_that_hold(producer: &Producer, hold: u32) -> Program {
    let script = format!(
        "cd {}; if [ $1 -ge {hold} ]; then until [ -e go ]; do sleep 0.01; done; fi; echo $1",
        producer.folder.0.display()
    );
    let mut command = zeroless(&format!("client {} work --workers 3 -- bash -c", producer.port));
    command.args([&script, "script"]);
    Program::start(&mut command)
}

#[test]
fn killed_producer_goes_on_and_each_result_is_there_once() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-killed-producer", 40);
    let _workers = workers_that_hold(&producer, 20);
    let mut first = producer.start("");
    // The 19 results and the header are logged, so nothing else is printed until the workers may go on.
    wait_until(|| producer.lines("log").len() == 20);
    first.kill();
    fs::write(producer.path("go"), "").unwrap();
    producer.start("--resume").succeeds();
    producer.assert_each_once();
}

#[test]
fn interrupted_producer_goes_on_and_each_result_is_there_once() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-interrupted", 400);
    let _workers = workers(&producer);
    for (options, printed) in [("", 20), ("--resume", 60), ("--resume --keep-order", 120)] {
        let running = producer.start(options);
        // In the middle of its work.
        wait_until(|| producer.lines("log").len() > printed);
        running.signal(Signal::SIGINT);
        running.dies_of(Signal::SIGINT);
    }
    producer.start("--resume").succeeds();
    producer.assert_each_once();
}

#[test]
fn producer_killed_at_any_time_loses_nothing() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-any-time", 200);
    let _workers = workers(&producer);
    let kills = [30, 80, 130];
    for printed in kills {
        let mut running = producer.start(if printed == kills[0] { "" } else { "--resume" });
        wait_until(|| producer.lines("results").len() > printed);
        running.kill();
    }
    producer.start("--resume").succeeds();
    let results = producer.results();
    assert_eq!(results.keys().copied().collect::<Vec<_>>(), Vec::from_iter(1..=200));
    // A kill between two writes, of a result and of its line in the log, repeats that result.
    let repeated: u32 = results.values().map(|count| count - 1).sum();
    assert!(repeated as usize <= kills.len(), "{results:?}");
}

/// Starts a producer of three workers whose output is read only until the first line, with this input.
fn start_with_short_reader(input: &str, port: u16) -> Program {
    let script = format!("{input} | zeroless server {port} dispatch --wait 3 --high-water-mark 5 | head -1");
    Program::start(&mut Program::script(script))
}

#[test]
fn end_of_the_reader_is_told_to_the_workers() {
    let _watchdog = watchdog();
    // The jobs are all read, too many, or come slowly.
    for input in ["seq 3", "seq 1000", "while sleep 0.1; do echo 1; done"] {
        let port = unused_port();
        let workers = connect(port, "work --workers 3 -- echo");
        start_with_short_reader(input, port).succeeds();
        // It may say that results are lost.
        assert!(workers.ends().status.success(), "{input}");
    }
}

#[test]
fn end_of_the_reader_does_not_wait_for_jobs() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-short-reader", 0);
    let workers = workers_that_hold(&producer, 2);
    assert_eq!(start_with_short_reader("seq 3", producer.port).text(), "1\n");
    fs::write(producer.path("go"), "").unwrap();
    assert!(workers.ends().status.success());
}

#[test]
fn log_has_the_columns_of_parallel() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-columns", 2);
    let workers = connect(producer.port, "work -- echo");
    producer.start("").succeeds();
    let log = producer.lines("log");
    assert_eq!(
        log[0],
        "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand"
    );
    for (line, number) in log[1..].iter().zip(["1", "2"]) {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(
            [
                fields[0], fields[1], fields[4], fields[5], fields[6], fields[7], fields[8]
            ],
            [number, "-", "1", "1", "0", "0", number]
        );
        assert!(fields[2].parse::<f64>().unwrap() > 1e9 && fields[3].trim().parse::<f64>().unwrap() < 60.0);
    }
    workers.succeeds();
}

#[test]
fn failed_jobs_are_done_again_if_asked() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-failed-again", 4);
    let fails = connect(producer.port, "work -- false");
    assert!(producer.start("").fails(1).contains("4 of 4 jobs have failed"));
    fails.succeeds();
    producer.start("--resume").succeeds();
    assert_eq!(producer.lines("results").len(), 0);
    let works = connect(producer.port, "work -- echo");
    producer.start("--resume-failed").succeeds();
    producer.assert_each_once();
    works.succeeds();
    producer.start("--resume-failed").succeeds();
    producer.assert_each_once();
}

#[test]
fn other_jobs_than_those_of_the_log_are_refused() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-other-jobs", 2);
    let workers = connect(producer.port, "work -- echo");
    producer.start("").succeeds();
    workers.succeeds();
    fs::write(producer.path("jobs"), "2\n1\n").unwrap();
    let said = producer.start("--resume").fails(2);
    assert!(said.contains("job 1 is \"2\", but \"1\" in log"), "{said}");
}

#[test]
fn line_of_the_log_that_is_not_whole_is_done_again() {
    let _watchdog = watchdog();
    let producer = Producer::new("cli-torn", 3);
    let workers = connect(producer.port, "work -- echo");
    producer.start("").succeeds();
    workers.succeeds();
    let log = fs::read_to_string(producer.path("log")).unwrap();
    fs::write(producer.path("log"), &log[..log.len() - 1]).unwrap();
    fs::write(producer.path("results"), "1\n2\n").unwrap();
    let workers = connect(producer.port, "work -- echo");
    producer.start("--resume").succeeds();
    producer.assert_each_once();
    assert_eq!(producer.lines("log").len(), 4);
    workers.succeeds();
}

#[test]
fn jobs_of_several_lines_are_on_one_line_of_the_log() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-one-line");
    let log = folder.0.join("log");
    let run = |options: &str| {
        let (mut dispatch, port) = serve(&format!("dispatch -0 --joblog {} {options}", log.display()));
        let work = connect(port, "work -- echo");
        dispatch.give("a\nb\0c\td\0ÿ\0");
        let printed = dispatch.succeeds();
        if options.is_empty() {
            work.succeeds();
        }
        printed
    };
    assert_eq!(run(""), "a\nb\0c\td\0ÿ\0".as_bytes());
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains("\t[\"a\\nb\"]\n") && text.contains("\tc\td\n"), "{text}");
    assert_eq!(run("--resume"), b"");
}

#[test]
fn log_that_is_none_is_refused() {
    let _watchdog = watchdog();
    let folder = Folder::new("cli-no-log");
    let log = folder.0.join("log");
    fs::write(&log, "Seq\nhello\n").unwrap();
    let said = start(&format!("server 0 dispatch --resume --joblog {} a", log.display())).fails(2);
    assert!(
        said.contains("line 2 of") && said.contains("is not that of a job log"),
        "{said}"
    );
    let said = start(&format!("server 0 dispatch --joblog {}/no/log a", folder.0.display())).fails(1);
    assert!(said.contains("cannot use the job log"), "{said}");
}
