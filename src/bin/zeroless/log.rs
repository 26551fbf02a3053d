//! What goes to the standard error: the log of the crate, and what the program says itself.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use env_logger::{Builder, Env, Logger};
use log::{Level, LevelFilter, Log, Metadata, Record};

static ERRORS: AtomicUsize = AtomicUsize::new(0);

/// A logger that counts errors.
struct Counting(Logger);

impl Log for Counting {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() == Level::Error || self.0.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if record.level() == Level::Error {
            ERRORS.fetch_add(1, Ordering::Relaxed);
        }
        self.0.log(record);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Prints the log. `RUST_LOG` says what of it; otherwise it is warnings and errors, and more if `verbose` is not 0.
pub fn start(verbose: u8) {
    let default = ["warn", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let logger = Builder::from_env(Env::new().default_filter_or(default))
        .format(|formatter, record| writeln!(formatter, "zeroless: {}", record.args()))
        .build();
    log::set_max_level(logger.filter().max(LevelFilter::Error));
    // This is the only logger of the program.
    let _ = log::set_boxed_logger(Box::new(Counting(logger)));
}

/// Prints a line on the standard error.
pub fn say(line: impl Display) {
    // Unlike `eprintln!`, it does not panic if nobody reads it.
    let _ = writeln!(io::stderr(), "{line}");
}

/// How many errors the log has had.
pub fn errors() -> usize {
    ERRORS.load(Ordering::Relaxed)
}
