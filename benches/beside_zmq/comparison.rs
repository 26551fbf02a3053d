//! Alternating rounds, and the comparison of their figures.

use std::fmt::Display;
use std::io::{IsTerminal, stderr};

/// Does all rounds, after one to warm up. Returns what zeroless and the baseline reached in each.
///
/// In a round, each of them runs once. The one that runs first alternates, so that drift does not favour either.
pub fn alternate<T>(name: &str, rounds: usize, zeroless: impl Fn() -> T, baseline: impl Fn() -> T) -> Vec<(T, T)> {
    let round = |number| {
        show_progress(format_args!("{name}: round {number} of {rounds}"));
        if number % 2 == 0 {
            let zeroless = zeroless();
            (zeroless, baseline())
        } else {
            let baseline = baseline();
            (zeroless(), baseline)
        }
    };
    let reached = (0..=rounds).map(round).skip(1).collect();
    show_progress("");
    reached
}

/// The figures of zeroless and of the baseline, and their ratio: the median of the ratios of all rounds.
pub struct Comparison {
    pub ratio: f64,
    pub least: f64,
    pub greatest: f64,
    pub zeroless: f64,
    pub baseline: f64,
}

impl Comparison {
    pub fn of(rounds: &[(f64, f64)]) -> Comparison {
        let ratios = sorted(rounds.iter().map(|(zeroless, baseline)| zeroless / baseline));
        Comparison {
            ratio: ratios[ratios.len() / 2],
            least: ratios[0],
            greatest: ratios[ratios.len() - 1],
            zeroless: median(rounds.iter().map(|(zeroless, _)| *zeroless)),
            baseline: median(rounds.iter().map(|(_, baseline)| *baseline)),
        }
    }

    /// Gives the ratios in percent, where they are far below 1.
    pub fn in_percent(mut self) -> Comparison {
        for ratio in [&mut self.ratio, &mut self.least, &mut self.greatest] {
            *ratio *= 100.0;
        }
        self
    }

    pub fn spread(&self) -> String {
        format!("{:.2} to {:.2}", self.least, self.greatest)
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let sorted = sorted(values);
    sorted[sorted.len() / 2]
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Overwrites the last line of a terminal.
pub fn show_progress(progress: impl Display) {
    if stderr().is_terminal() {
        const CLEARED: &str = "\r\x1b[K";
        eprint!("{CLEARED}{progress}");
    }
}
