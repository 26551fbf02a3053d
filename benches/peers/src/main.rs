//! zeroless beside its peers: push/pull over loopback TCP, one sender and one receiver, frames of many sizes.
//!
//! From the root of the repository:
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers
//! cargo run --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers -- --quick
//! cargo run --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers -- --picture
//! ```
//!
//! The first takes about six minutes, `--quick` less than one. Only with `--picture` does it draw
//! `benches/throughput.svg`, so that a mere trial does not replace what was measured with care. The target folder is
//! named because cargo would put one in here, where the `worker_pool` example would count its files.
//!
//! Each contestant does the same work, as a newcomer to it would write it, with nothing tuned: zeroless calls to send
//! and iterates to receive, `zmq` calls its blocking `send_multipart` and `recv_multipart`, each on a thread of its
//! own. `zeromq` and `rzmq` await in a task each, on a tokio runtime with as many threads as there are cores. All of
//! them start from borrowed bytes, which each has to copy to send them.
//!
//! # How to read it
//!
//! By the ratios to `zmq`; more is better. The other figures tell as much of the machine, and of what else it was
//! doing; but the contestants take turns of a fraction of a second, and what slows the one mostly slows the others.
//! Each ratio is the median of the ratios of all rounds.

#![forbid(unsafe_code)]

mod contestants;
mod measure;
mod picture;

use std::error::Error;
use std::process::ExitCode;

use contestants::CONTESTANTS;
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
                _ => return Err(format!("{argument} is no option\n{USAGE}").into()),
            }
        }
        Ok(options)
    }
}

/// Prints each row of the table as soon as it is measured.
fn compare(effort: &Effort) -> Vec<Row> {
    let names = CONTESTANTS.map(|contestant| contestant.name);
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

fn line<T: AsRef<str>>(size: &str, ratios: [T; CONTESTANTS.len()], throughputs: [T; CONTESTANTS.len()]) -> String {
    let cells = |cells: [T; CONTESTANTS.len()], width| cells.map(|cell| format!("{:>width$}", cell.as_ref())).concat();
    format!("{size:>8}  {}  {}", cells(ratios, 9), cells(throughputs, 12))
}
