//! A pool of workers counts the lines and words of files: by default, those of this crate.
//!
//! ```text
//!                        jobs, pushed            results, pushed
//!   producer (server) ──────────────▶ workers ───────────────────▶ collector (server)
//! ```
//!
//! ```sh
//! cargo run --example worker_pool
//! cargo run --example worker_pool -- --workers 8 PATH...
//! ```

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use walkdir::WalkDir;
use zeroless::{Client, Message, Receiver, Sender, Server};

/// The table shows at most `ROWS` files. The totals include all files.
const ROWS: usize = 50;

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let output = match Options::from_command_line()? {
        None => format!("{USAGE}\n"),
        Some(options) => {
            let files = find_files(&options.paths)?;
            let reports = count(&files, options.workers)?;
            format_reports(reports, options.workers)
        }
    };
    match io::stdout().write_all(output.as_bytes()) {
        // The reader of a pipe, such as `head`, may stop reading early.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// Pushes each file as a job, and collects the reports of the workers.
fn count(files: &[PathBuf], workers: usize) -> zeroless::Result<Vec<Report>> {
    let push_jobs = Server::new(0).push()?;
    let pull_reports = Server::new(0).pull()?;
    let jobs = Client::new().connect_local(push_jobs.socket().port()?).pull()?;
    let report = Client::new().connect_local(pull_reports.socket().port()?).push()?;

    thread::scope(|scope| {
        // All workers share one receiver, so the first idle worker takes the next job.
        for worker in 1..=workers {
            let (jobs, report) = (&jobs, &report);
            scope.spawn(move || work(worker, jobs, report));
        }
        let producer = scope.spawn(move || {
            files
                .iter()
                .try_for_each(|file| push_jobs(&[file.as_os_str().as_bytes()]))
        });

        let mut reports = Vec::new();
        for message in pull_reports.iter().take(files.len()) {
            reports.push(Report::from(message));
            show_progress(reports.len(), files.len());
        }
        // All reports have arrived, so no job is left. Closing the socket ends the iteration of the workers.
        jobs.socket().close();
        producer.join().expect("the producer does not panic")?;
        Ok(reports)
    })
}

/// Counts the file of one job after the other, until the socket of the jobs is closed.
fn work(worker: usize, jobs: &Receiver, report: &Sender) {
    for job in jobs {
        let path = &job[0];
        let worker = worker.to_string();
        let outcome = match fs::read(OsStr::from_bytes(path)) {
            Ok(bytes) => {
                let [lines, words, longest] = measure(&bytes).map(|number| number.to_string());
                report(&[
                    worker.as_bytes(),
                    path,
                    lines.as_bytes(),
                    words.as_bytes(),
                    longest.as_bytes(),
                ])
            }
            Err(error) => report(&[worker.as_bytes(), path, error.to_string().as_bytes()]),
        };
        if let Err(error) = outcome {
            eprintln!("worker {worker} cannot report: {error}");
        }
    }
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

/// A worker's report about a file: its counts, or the reason why it could not be read.
struct Report {
    worker: usize,
    path: String,
    counts: Result<[usize; 3], String>,
}

impl From<Message> for Report {
    fn from(message: Message) -> Report {
        let fields: Vec<_> = message.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
        let number = |field: usize| fields[field].parse().expect("the workers send numbers");
        Report {
            worker: number(0),
            path: relative(&fields[1]),
            counts: match fields.len() {
                5 => Ok([number(2), number(3), number(4)]),
                _ => Err(fields[2].to_string()),
            },
        }
    }
}

/// Returns a path relative to the current folder, if it is inside that folder.
fn relative(path: &str) -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    let path = Path::new(path);
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

fn format_reports(reports: Vec<Report>, workers: usize) -> String {
    let done = |worker| reports.iter().filter(|report| report.worker == worker).count();
    let done: Vec<usize> = (1..=workers).map(done).collect();
    let mut rows = Vec::new();
    let mut not_read = Vec::new();
    for report in reports {
        match report.counts {
            Ok(counts) => rows.push((report.path, counts)),
            Err(reason) => not_read.push((report.path, reason)),
        }
    }
    rows.sort();
    // Files with the most lines first, because the table shows only the first rows.
    rows.sort_by_key(|(_, [lines, ..])| std::cmp::Reverse(*lines));

    let mut table = format!("{:>12} {:>12} {:>12}  File\n", "Lines", "Words", "Longest line");
    let mut row = |[lines, words, longest]: [usize; 3], name: &str| {
        table += &format!(
            "{:>12} {:>12} {:>12}  {name}\n",
            grouped(lines),
            grouped(words),
            grouped(longest)
        );
    };
    for (path, counts) in rows.iter().take(ROWS) {
        row(*counts, path);
    }
    let total = |field: usize| rows.iter().map(|(_, counts)| counts[field]).sum();
    let longest = rows.iter().map(|(_, [.., longest])| *longest).max();
    let hidden = match rows.len().saturating_sub(ROWS) {
        0 => String::new(),
        hidden => format!(", {} of them not shown", grouped(hidden)),
    };
    let files = if rows.len() == 1 { "file" } else { "files" };
    row(
        [total(0), total(1), longest.unwrap_or(0)],
        &format!("in all, {} {files}{hidden}", grouped(rows.len())),
    );

    table += "\n      Worker        Files\n";
    for (worker, files) in (1..).zip(done) {
        table += &format!("{worker:>12} {:>12}\n", grouped(files));
    }
    for (path, reason) in not_read {
        table += &format!("\nnot read: {path}: {reason}\n");
    }
    table
}

/// Writes a number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join(",")
}

fn show_progress(done: usize, of: usize) {
    let mut terminal = io::stderr();
    if terminal.is_terminal() {
        let end = if done == of { "\r\x1b[K" } else { "" };
        let _ = write!(terminal, "\r{} of {} files{end}", grouped(done), grouped(of));
    }
}

/// Returns all files in these paths, and in the folders below them.
fn find_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Box<dyn Error>> {
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
                files.push(entry.into_path());
            }
        }
    }
    if files.is_empty() {
        return Err("there is no file to count; name files, or folders that contain files".into());
    }
    Ok(files)
}

struct Options {
    workers: usize,
    paths: Vec<PathBuf>,
}

impl Options {
    /// Returns `None` if the command line asks for help.
    fn from_command_line() -> Result<Option<Options>, Box<dyn Error>> {
        use lexopt::prelude::*;

        let mut options = Options {
            workers: 4,
            paths: Vec::new(),
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("workers") => {
                    let value = arguments.value()?;
                    options.workers = value
                        .parse()
                        .map_err(|_| format!("--workers needs a number, not {value:?}\n{USAGE}"))?;
                }
                Value(path) => options.paths.push(path.into()),
                Short('h') | Long("help") => return Ok(None),
                other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
            }
        }
        if !(1..=256).contains(&options.workers) {
            return Err(format!(
                "the number of --workers must be from 1 to 256, not {}\n{USAGE}",
                options.workers
            )
            .into());
        }
        if options.paths.is_empty() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR"));
            options.paths = ["src", "examples", "tests", "benches"]
                .map(|folder| source.join(folder))
                .to_vec();
        }
        Ok(Some(options))
    }
}

const USAGE: &str = "usage: worker_pool [--workers N] [PATH]...";
