//! Compares zeroless with other ZeroMQ libraries, over loopback TCP and frames of many sizes: push/pull in one process
//! and between two, and round trips between two. `benches/README.md` explains how to run this and how to read the
//! tables.
//!
//! Each library does the same work, as a newcomer would write it, and nothing is tuned. Each has an executable of its
//! own in `bin/`, because a program can have only one libzmq. All start from borrowed bytes, and must copy them to send
//! them.

#![forbid(unsafe_code)]

mod measure;
mod picture;

use std::process::ExitCode;

use measure::{Effort, FULL, LIBRARIES, QUICK, Row, SIZES, Work};
use peers::Outcome;

const USAGE: &str = "usage: peers [--quick] [--picture] [one-process] [two-processes] [round-trips] [BYTES ...]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let options = Options::from_command_line()?;
    for work in options.works {
        let rows = compare(work, options.effort, &options.sizes)?;
        if options.picture && work == Work::TwoProcesses {
            picture::draw(&rows)?;
        }
    }
    Ok(())
}

struct Options {
    effort: &'static Effort,
    picture: bool,
    /// All, unless the command line names some.
    works: Vec<Work>,
    sizes: Vec<usize>,
}

impl Options {
    fn from_command_line() -> Outcome<Options> {
        let mut options = Options {
            effort: &FULL,
            picture: false,
            works: Vec::new(),
            sizes: Vec::new(),
        };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--quick" => options.effort = &QUICK,
                "--picture" => options.picture = true,
                "one-process" => options.works.push(Work::OneProcess),
                "two-processes" => options.works.push(Work::TwoProcesses),
                "round-trips" => options.works.push(Work::RoundTrips),
                bytes => match bytes.parse() {
                    Ok(bytes) if SIZES.contains(&bytes) => options.sizes.push(bytes),
                    _ => return Err(format!("unknown option: {argument}\n{USAGE}").into()),
                },
            }
        }
        if options.works.is_empty() {
            options.works = vec![Work::OneProcess, Work::TwoProcesses, Work::RoundTrips];
        }
        if options.sizes.is_empty() {
            options.sizes = SIZES.to_vec();
        }
        Ok(options)
    }
}

/// Prints each row of a table as soon as it is measured.
fn compare(work: Work, effort: &Effort, sizes: &[usize]) -> Outcome<Vec<Row>> {
    println!("\n{}", work.title());
    println!("{:8}  {:>36}  {:>48}", "", "ratio to zmq", work.unit());
    println!("{}  {:>12}", line("", LIBRARIES, LIBRARIES), "to the best");
    let mut rows = Vec::new();
    for &bytes in sizes {
        let row = Row::measure(work, bytes, effort)?;
        let ratios = row.ratios().map(|ratio| format!("{ratio:.2}"));
        let figures = row.figures().map(|figure| format!("{figure:.1}"));
        println!(
            "{}  {:>12.2}",
            line(&measure::label(bytes), ratios, figures),
            row.ratio_to_best()
        );
        rows.push(row);
    }
    Ok(rows)
}

fn line<T: AsRef<str>>(size: &str, ratios: [T; LIBRARIES.len()], figures: [T; LIBRARIES.len()]) -> String {
    let cells = |cells: [T; LIBRARIES.len()], width| cells.map(|cell| format!("{:>width$}", cell.as_ref())).concat();
    format!("{size:>8}  {}  {}", cells(ratios, 9), cells(figures, 12))
}
