//! Warnings and errors that no call returns.
//!
//! They go to the log. Many scripts have no logger; there they go to standard error, or nobody would see them. They are
//! reported by threads that must continue even if the logger panics, and while sockets are dropped.

use std::fmt::Arguments;
use std::io::{self, Write};

use log::{Level, LevelFilter};

use crate::unwind::contain;

pub(crate) fn warn(message: Arguments<'_>) {
    report(Level::Warn, message);
}

pub(crate) fn error(message: Arguments<'_>) {
    report(Level::Error, message);
}

fn report(level: Level, message: Arguments<'_>) {
    if has_logger() {
        contain(|| log::log!(target: "zeroless", level, "{message}"));
    } else {
        let line = message.to_string().replace(['\n', '\r'], " ");
        // Not by `eprintln!`, which panics if standard error cannot be written.
        let _ = writeln!(io::stderr(), "zeroless: {line}");
    }
}

/// Whether the program has installed a logger, or has set a level, which silences a program without a logger.
///
/// A logger may have set the level to `Off`. It differs from the one that the `log` crate has in its place, which has
/// no fields.
fn has_logger() -> bool {
    log::max_level() != LevelFilter::Off || size_of_val(log::logger()) > 0
}
