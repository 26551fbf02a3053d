//! Compares zeroless with other ZeroMQ libraries: push/pull over loopback TCP, with one sender, one receiver and frames
//! of many sizes. `benches/README.md` explains how to run this and how to read the table.
//!
//! Each library does the same work, as a newcomer would write it, and nothing is tuned. zeroless and `zmq` send on one
//! thread and receive on another. `zeromq` and `rzmq` send in one task and receive in another, on a tokio runtime with
//! as many threads as there are cores. All start from borrowed bytes, and must copy them to send them.

#![forbid(unsafe_code)]

mod libraries;
mod measure;
mod picture;

use std::error::Error;
use std::process::ExitCode;

use libraries::LIBRARIES;
use measure::{Effort, FULL, QUICK, Row, SIZES};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: peers [--quick] [--picture]";

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
    let rows = compare(options.effort);
    if options.picture {
        picture::draw(&rows)?;
    }
    Ok(())
}

struct Options {
    effort: &'static Effort,
    picture: bool,
}

impl Options {
    fn from_command_line() -> Outcome<Options> {
        let mut options = Options {
            effort: &FULL,
            picture: false,
        };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--quick" => options.effort = &QUICK,
                "--picture" => options.picture = true,
                _ => return Err(format!("unknown option: {argument}\n{USAGE}").into()),
            }
        }
        Ok(options)
    }
}

/// Prints each row of the table as soon as it is measured.
fn compare(effort: &Effort) -> Vec<Row> {
    let names = LIBRARIES.map(|library| library.name);
    println!("{:8}  {:>36}  {:>48}", "", "ratio to zmq", "k messages/s");
    println!("{}", line("", names, names));
    let measured = SIZES.iter().map(|size| {
        let row = Row::measure(size, effort);
        let ratios = row.ratios().map(|ratio| format!("{ratio:.2}"));
        let throughputs = row.throughputs().map(|throughput| format!("{:.1}", throughput / 1e3));
        println!("{}", line(&size.to_string(), ratios, throughputs));
        row
    });
    measured.collect()
}

fn line<T: AsRef<str>>(size: &str, ratios: [T; LIBRARIES.len()], throughputs: [T; LIBRARIES.len()]) -> String {
    let cells = |cells: [T; LIBRARIES.len()], width| cells.map(|cell| format!("{:>width$}", cell.as_ref())).concat();
    format!("{size:>8}  {}  {}", cells(ratios, 9), cells(throughputs, 12))
}
