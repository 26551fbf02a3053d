//! Collects the lines of many programs in one file, and shows how many arrive each second.
//!
//! ```text
//!   program ── lines ──▶ push (client) ──┐
//!   program ── lines ──▶ push (client) ──┼──▶ pull (server) ──▶ channel ──┐
//!   program ── lines ──▶ push (client) ──┘           timer, each second ──┼──▶ one loop ──▶ file
//!                                                     SIGINT or SIGTERM ──┘
//! ```
//!
//! One loop waits for all three, so the file needs no lock, and is complete when Ctrl-C stops the collector. A writer
//! waits for a collector. A collector that is killed loses the last lines; if every line counts, use a `call` for each.
//!
//! ```sh
//! cargo run --example log_collector                                    # four writers, for two seconds
//! cargo run --example log_collector -- collector 0.0.0.0:12345 all.log
//! ping ::1 | cargo run --example log_collector -- writer 127.0.0.1:12345 ping
//! ```

mod cli;

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufWriter, Write, stdin};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, process, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zeroless::crossbeam_channel::{Receiver as Channel, after, bounded, never, select, tick};
use zeroless::{Client, Receiver, Server, text};

const USAGE: &str = "\ncollector ADDRESS FILE\nwriter ADDRESS NAME";

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_with_arguments(USAGE, |arguments| match arguments {
        [] => alone(),
        ["collector", address, file] => {
            let file = open(Path::new(file))?;
            let lines = Server::at(cli::endpoint(address)).pull()?;
            println!("collecting lines at {address}; Ctrl-C to stop");
            collect(lines, file, signals()?)
        }
        ["writer", address, name] => {
            let lines = stdin().lock().split(b'\n').map_while(|line| line.ok());
            Ok(write_lines(&cli::endpoint(address), name, lines)?)
        }
        _ => Err(cli::WrongUsage.into()),
    })
}

fn alone() -> Result<(), Box<dyn Error>> {
    let lines = Server::new(0).pull()?;
    let endpoint = &lines.socket().endpoints().concat();
    let path = env::temp_dir().join(format!("log_collector-{}.log", process::id()));
    let file = open(&path)?;
    let (running, stop) = bounded(0);
    thread::scope(|scope| {
        for name in ["web", "database", "mail", "kernel"] {
            let running = running.clone();
            scope.spawn(move || {
                let lines = (1..=1000).map(|number| format!("line {number}").into_bytes());
                let slowly = lines.inspect(|_| thread::sleep(Duration::from_millis(1)));
                write_lines(endpoint, name, slowly).expect("the collector is there");
                drop(running);
            });
        }
        drop(running); // the channel is over when the last writer has dropped its handle
        collect(lines, file, stop)
    })?;
    Ok(fs::remove_file(path)?)
}

/// Returns a channel that gets a message at SIGINT and SIGTERM. After this call, they do not end the process.
fn signals() -> Result<Channel<()>, Box<dyn Error>> {
    let (slot, stop) = bounded(1);
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || signals.forever().try_for_each(|_| slot.send(())));
    Ok(stop)
}

fn open(path: &Path) -> Result<BufWriter<File>, Box<dyn Error>> {
    let file = File::options().create(true).append(true).open(path);
    Ok(BufWriter::new(
        file.map_err(|error| format!("{}: {error}", path.display()))?,
    ))
}

fn collect(lines: Receiver, mut file: BufWriter<File>, mut stop: Channel<()>) -> Result<(), Box<dyn Error>> {
    let lines = lines.into_channel(1000);
    let second = tick(Duration::from_secs(1));
    let (mut count, mut shown, mut end) = (0, 0, never());
    loop {
        select! {
            recv(lines) -> line => {
                writeln!(file, "{}", text(&line?))?;
                count += 1;
            }
            recv(second) -> _ => {
                file.flush()?;
                println!("{} lines in this second, {count} in all", count - shown);
                shown = count;
            }
            // What has arrived by now is still written.
            recv(stop) -> _ => (stop, end) = (never(), after(Duration::from_secs(1))),
            recv(end) -> _ => break,
        }
    }
    file.flush()?;
    println!("stopped; lines written: {count}");
    Ok(())
}

fn write_lines(endpoint: &str, name: &str, mut lines: impl Iterator<Item = Vec<u8>>) -> zeroless::Result<()> {
    let push = Client::new().connect_to(endpoint).push()?;
    lines.try_for_each(|line| push(&[name.as_bytes(), &line]))
}
