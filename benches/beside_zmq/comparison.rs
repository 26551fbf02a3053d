//! Alternating rounds, and what comes out of them.

use std::fmt::Display;
use std::io::{IsTerminal, stderr};

/// Does all rounds, after one to warm up, and returns what zeroless and the other reached in each.
///
/// In a round each contestant takes a turn. Who goes first alternates, so that drift favours neither.
pub fn alternate<T>(name: &str, rounds: usize, zeroless: impl Fn() -> T, other: impl Fn() -> T) -> Vec<(T, T)> {
    let round = |number| {
        show_progress(format_args!("{name}: round {number} of {rounds}"));
        if number % 2 == 0 {
            let zeroless = zeroless();
            (zeroless, other())
        } else {
            let other = other();
            (zeroless(), other)
        }
    };
    let reached = (0..=rounds).map(round).skip(1).collect();
    show_progress("");
    reached
}

/// The figures of zeroless and of the other, and their ratio: the median of the ratios of all rounds.
pub struct Comparison {
    pub ratio: f64,
    pub least: f64,
    pub greatest: f64,
    pub zeroless: f64,
    pub other: f64,
}

impl Comparison {
    pub fn of(rounds: &[(f64, f64)]) -> Comparison {
        let ratios = sorted(rounds.iter().map(|(zeroless, other)| zeroless / other));
        Comparison {
            ratio: ratios[ratios.len() / 2],
            least: ratios[0],
            greatest: ratios[ratios.len() - 1],
            zeroless: median(rounds.iter().map(|(zeroless, _)| *zeroless)),
            other: median(rounds.iter().map(|(_, other)| *other)),
        }
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

/// Writes over the last line of a terminal.
pub fn show_progress(what: impl Display) {
    if stderr().is_terminal() {
        const CLEARED: &str = "\r\x1b[K";
        eprint!("{CLEARED}{what}");
    }
}
