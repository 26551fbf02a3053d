//! A pool of worker processes counts the lines of files: by default, those of this crate. No file is lost or counted
//! twice, even if workers are killed.
//!
//! ```text
//!                                       ┌──▶ work (process)
//!   dispatch ──▶ producer (server) ◀──▶ ├──▶ work (process)
//!   outcomes ◀──                        └──▶ work (process)
//! ```
//!
//! ```sh
//! cargo run --example worker_pool
//! cargo run --example worker_pool -- --kill    # one worker is killed in the middle of a job
//! cargo run --example worker_pool -- --workers 8 PATH...
//! ```
//!
//! More workers can be on other machines. They read the files themselves, so run them in a folder that has the same files:
//!
//! ```sh
//! cargo run --example worker_pool -- --public 12345 --workers 0
//! cargo run --example worker_pool -- work HOST:12345
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::str::FromStr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanCount, ProgressBar, ProgressFinish};
use nix::sys::signal::{Signal, raise};
use walkdir::WalkDir;
use zeroless::{Client, Outcome, Server, Socket, frames, text};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Dispatches each file as a job, and collects the outcomes.
fn produce(files: &[PathBuf], options: &Options) -> Result<Pool> {
    let mut server = options.public.map_or_else(|| Server::new(0), Server::public);
    // A job is only a path, so there may be any number of them at a time.
    let (dispatch, mut outcomes) = server.high_water_mark(0).dispatch()?;
    let workers = Workers::start(options, dispatch.socket())?;
    dispatch.wait_for_workers(options.workers, Duration::from_secs(30))?;
    for file in files {
        dispatch(&[file.as_os_str().as_bytes()])?;
    }
    drop(dispatch); // there are no more jobs

    let progress = ProgressBar::new(files.len() as u64).with_finish(ProgressFinish::AndClear);
    let outcomes_seen = progress.wrap_iter(outcomes.by_ref()).collect();
    // Now the loops of the workers end, too. `outcomes` lives on, so that the socket stays open until they have.
    Ok(Pool {
        outcomes: outcomes_seen,
        workers: workers.wait(),
    })
}

/// Counts one file after the other, until the producer has no more.
fn work(producer: &str, is_victim: bool) -> Result<()> {
    let name = process::id().to_string();
    for job in Client::new().connect_to(format!("tcp://{producer}")).work()? {
        let file = fs::read(OsStr::from_bytes(&job[0]));
        if is_victim {
            raise(Signal::SIGKILL)?; // this ends the process in the middle of its job
        }
        match file {
            Ok(bytes) => {
                let [lines, words, longest] = measure(&bytes).map(|number| number.to_string());
                job.done(frames![name, lines, words, longest])?;
            }
            Err(error) => job.fail(error)?,
        }
    }
    Ok(())
}

// That was all of the messaging. The rest starts and watches processes, counts, and prints.

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let output = match Role::from_command_line()? {
        Role::Help => format!("{USAGE}\n"),
        Role::Worker {
            producer,
            is_child,
            is_victim,
        } => {
            match is_child {
                true => end_with_producer(),
                false => eprintln!("working for the producer at {producer}; Ctrl-C to stop"),
            }
            work(&producer, is_victim)?;
            String::new()
        }
        Role::Producer(options) => {
            let files = find_files(&options.paths)?;
            let pool = produce(&files, &options)?;
            if pool.outcomes.iter().any(|outcome| outcome.result.is_err()) {
                code = ExitCode::FAILURE;
            }
            pool.report(files.len())
        }
    };
    match io::stdout().write_all(output.as_bytes()) {
        // The reader of a pipe, such as `head`, may stop reading early.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        outcome => outcome?,
    }
    Ok(code)
}

/// The worker processes that this producer has started.
struct Workers {
    /// A worker ends when its input is closed, as it is when this process ends in any way.
    inputs: Vec<ChildStdin>,
    watch: JoinHandle<Vec<End>>,
}

/// How a worker process has ended.
struct End {
    process: u32,
    status: io::Result<ExitStatus>,
}

impl Workers {
    /// Starts the workers. When all of them have ended, nobody else does the jobs that are left, unless there are workers
    /// on other machines. So the socket is closed then, which gives each of these jobs an error as its outcome.
    fn start(options: &Options, socket: Socket) -> Result<Workers> {
        let port = socket.port()?;
        if options.public.is_some() {
            eprintln!("listening at port {port}; on other machines, run `worker_pool work HOST:{port}`");
        }
        let mut children = Vec::new();
        let mut inputs = Vec::new();
        for number in 1..=options.workers {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["work", &format!("127.0.0.1:{port}"), "--child"]);
            if options.kill && number == 1 {
                command.arg("--kill");
            }
            let mut child = command.stdin(Stdio::piped()).spawn()?;
            inputs.extend(child.stdin.take());
            children.push(child);
        }
        let others_may_work = options.public.is_some();
        let watch = thread::spawn(move || {
            let end = |mut child: Child| End {
                process: child.id(),
                status: child.wait(),
            };
            let ends = children.into_iter().map(end).collect();
            if !others_may_work {
                socket.close();
            }
            ends
        });
        Ok(Workers { inputs, watch })
    }

    fn wait(self) -> Vec<End> {
        let ends = self.watch.join().expect("the thread does not panic");
        drop(self.inputs);
        ends
    }
}

/// Ends this worker when its producer has ended: then nobody holds the other end of its input any more.
fn end_with_producer() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(1);
    });
}

/// Returns the number of lines, of words, and of characters in the longest line.
fn measure(bytes: &[u8]) -> [usize; 3] {
    let text = String::from_utf8_lossy(bytes);
    let longest = text.lines().map(|line| line.chars().count()).max();
    [
        text.lines().count(),
        text.split_whitespace().count(),
        longest.unwrap_or(0),
    ]
}

/// What the producer knows at its end.
struct Pool {
    outcomes: Vec<Outcome>,
    workers: Vec<End>,
}

impl Pool {
    /// The table shows at most `ROWS` files. The totals include all files.
    const ROWS: usize = 50;

    fn report(&self, jobs: usize) -> String {
        let mut counts = Vec::new();
        let mut not_counted = Vec::new();
        let mut done: BTreeMap<String, usize> = BTreeMap::new();
        for outcome in &self.outcomes {
            let path = text(&outcome.job);
            match &outcome.result {
                Ok(result) => {
                    *done.entry(text(&result[..1])).or_default() += 1;
                    let count = |field: usize| text(&result[field..=field]).parse().expect("the workers send numbers");
                    counts.push((path, [count(1), count(2), count(3)]));
                }
                Err(error) => not_counted.push(format!("not counted: {path}: {error}\n")),
            }
        }
        let mut report = table_of_files(counts);
        report += &table_of_workers(done);
        for worker in &self.workers {
            match &worker.status {
                Ok(status) if status.success() => {}
                Ok(status) => report += &format!("worker {} has ended: {status}\n", worker.process),
                Err(error) => report += &format!("worker {} has ended: {error}\n", worker.process),
            }
        }
        report += &not_counted[..not_counted.len().min(Pool::ROWS)].concat();

        // A job starts again if its worker has died or given it back. It has been done twice only if that worker had
        // finished, and its result was lost on the way. Nobody can know that.
        let started_again = self.outcomes.iter().filter(|outcome| outcome.attempts > 1).count();
        report += &format!(
            "jobs: {}, outcomes: {}, not counted: {}, started more than once: {}\n",
            grouped(jobs),
            grouped(self.outcomes.len()),
            grouped(not_counted.len()),
            grouped(started_again),
        );
        report
    }
}

fn table_of_files(mut counts: Vec<(String, [usize; 3])>) -> String {
    counts.sort();
    // Files with the most lines first, because the table shows only the first rows.
    counts.sort_by_key(|(_, [lines, ..])| Reverse(*lines));

    let mut table = new_table(["Lines", "Words", "Longest line", "File"]);
    let mut add = |numbers: [usize; 3], name: &str| {
        let [lines, words, longest] = numbers.map(grouped);
        table.add_row([&lines, &words, &longest, name]);
    };
    for (path, numbers) in counts.iter().take(Pool::ROWS) {
        add(*numbers, path);
    }
    let total = |field: usize| counts.iter().map(|(_, numbers)| numbers[field]).sum();
    let longest = counts.iter().map(|(_, [.., longest])| *longest).max();
    let hidden = match counts.len().saturating_sub(Pool::ROWS) {
        0 => String::new(),
        hidden => format!(", {} of them not shown", grouped(hidden)),
    };
    let files = if counts.len() == 1 { "file" } else { "files" };
    add(
        [total(0), total(1), longest.unwrap_or(0)],
        &format!("in all, {} {files}{hidden}", grouped(counts.len())),
    );
    format!("{}\n\n", table.trim_fmt())
}

fn table_of_workers(done: BTreeMap<String, usize>) -> String {
    let mut table = new_table(["Worker", "Files"]);
    for (worker, files) in done {
        table.add_row([worker, grouped(files)]);
    }
    format!("{}\n\n", table.trim_fmt())
}

/// A table whose columns are numbers, except the fourth.
fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Writes a number with commas between its thousands.
fn grouped(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

/// Returns all files in these paths, and in the folders below them.
fn find_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let folder = std::env::current_dir().unwrap_or_default();
    let mut files = Vec::new();
    for path in paths {
        for entry in WalkDir::new(path) {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(path).display().to_string();
                match error.into_io_error() {
                    Some(error) => format!("cannot walk {path}: {error}"),
                    None => format!("cannot walk {path}: its symbolic links form a loop"),
                }
            })?;
            if entry.file_type().is_file() {
                // So that a worker in another folder finds its own copy.
                let path = entry.path().strip_prefix(&folder).unwrap_or(entry.path());
                files.push(path.to_owned());
            }
        }
    }
    files.sort();
    files.dedup(); // if a path was given twice, or a file and its folder
    if files.is_empty() {
        return Err("there is no file to count; name files, or folders that contain files".into());
    }
    Ok(files)
}

/// What this process is.
enum Role {
    Help,
    Producer(Options),
    Worker {
        /// Its host and port.
        producer: String,
        /// Whether the producer has started it.
        is_child: bool,
        is_victim: bool,
    },
}

/// The options of a producer.
struct Options {
    workers: usize,
    kill: bool,
    public: Option<u16>,
    paths: Vec<PathBuf>,
}

impl Role {
    fn from_command_line() -> Result<Role> {
        use lexopt::prelude::*;

        let (mut workers, mut kill, mut public, mut is_child) = (4, false, None, false);
        let mut values = Vec::new();
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("workers") => workers = number(arguments.value(), "--workers needs a number")?,
                Long("public") => public = Some(number(arguments.value(), "--public needs a port")?),
                Long("kill") => kill = true,
                Long("child") => is_child = true,
                Value(value) => values.push(value),
                Short('h') | Long("help") => return Ok(Role::Help),
                other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
            }
        }
        if values.first().is_some_and(|value| value == "work") {
            let producer = match &values[1..] {
                [producer] if producer.as_bytes().contains(&b':') => producer.to_string_lossy().into_owned(),
                _ => return Err(format!("`work` needs one HOST:PORT\n{USAGE}").into()),
            };
            return Ok(Role::Worker {
                producer,
                is_child,
                is_victim: kill,
            });
        }
        let fewest = if public.is_some() { 0 } else { 1 };
        if !(fewest..=256).contains(&workers) {
            let message = format!("the number of --workers must be from {fewest} to 256, not {workers}\n{USAGE}");
            return Err(message.into());
        }
        if kill && workers < 2 {
            return Err(format!("--kill needs at least 2 --workers, of which one is left\n{USAGE}").into());
        }
        let mut paths: Vec<PathBuf> = values.into_iter().map(PathBuf::from).collect();
        if paths.is_empty() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR"));
            paths.extend(["src", "examples", "tests", "benches"].map(|folder| source.join(folder)));
        }
        Ok(Role::Producer(Options {
            workers,
            kill,
            public,
            paths,
        }))
    }
}

fn number<N: FromStr>(value: std::result::Result<OsString, lexopt::Error>, need: &str) -> Result<N> {
    let value = value.map_err(|_| format!("{need}\n{USAGE}"))?;
    let number = value.to_str().and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("{need}, not {value:?}\n{USAGE}").into())
}

const USAGE: &str = "usage: worker_pool [--workers N] [--kill] [--public PORT] [PATH]...
       worker_pool work HOST:PORT";
