//! The progress of jobs, on a terminal.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use zeroless::Outcomes;

use crate::log::say;

/// How often the time and the number of workers are shown anew.
const INTERVAL: Duration = Duration::from_millis(250);

/// While jobs are read, the time that is left is not known.
const READING: &str = "{pos} of {len} jobs or more, {rate}, {workers}{msg}";
const ALL_READ: &str = "{wide_bar} {pos} of {len} jobs, {rate}, {workers}{msg}, {eta} left";

/// The progress of jobs. It shows nothing if the standard error is no terminal.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    outcomes: Outcomes,
    /// Whether results are printed where the progress is shown.
    shares_terminal: bool,
}

impl Progress {
    pub fn new(outcomes: &Outcomes) -> Progress {
        let progress = Progress {
            bar: ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()),
            outcomes: outcomes.clone(),
            shares_terminal: io::stdout().is_terminal(),
        };
        progress.bar.set_style(progress.style(READING));
        if io::stderr().is_terminal() {
            progress.bar.enable_steady_tick(INTERVAL);
        }
        progress
    }

    fn style(&self, template: &str) -> ProgressStyle {
        let outcomes = self.outcomes.clone();
        let workers = move |_: &ProgressState, text: &mut dyn Write| {
            // It writes to a string.
            let _ = match outcomes.workers() {
                1 => write!(text, "1 worker"),
                workers => write!(text, "{workers} workers"),
            };
        };
        let rate = |state: &ProgressState, text: &mut dyn Write| _ = write!(text, "{:.1}/s", state.per_sec());
        let style = ProgressStyle::with_template(template).expect("BUG: the template is valid");
        style.with_key("workers", workers).with_key("rate", rate)
    }

    /// Shows that one more job was read.
    pub fn add(&self) {
        self.bar.inc_length(1);
    }

    /// Shows that there are no more jobs to read.
    pub fn all_read(&self) {
        self.bar.set_style(self.style(ALL_READ));
    }

    /// Shows that one more job has ended.
    pub fn done(&self, failed: u64) {
        if failed > 0 {
            self.bar.set_message(format!(", {failed} failed"));
        }
        self.bar.inc(1);
    }

    /// Prints a result.
    pub fn print<R>(&self, print: impl FnOnce() -> R) -> R {
        match self.shares_terminal {
            true => self.bar.suspend(print),
            false => print(),
        }
    }

    /// Prints a line on the standard error.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
