//! The rows of the main table.

use std::fmt;

pub struct Row {
    pub name: String,
    pub ratio: String,
    pub spread: String,
    pub goal: String,
    pub zeroless: String,
    pub baseline: String,
    pub unit: &'static str,
    /// What zeroless is compared with.
    pub baseline_is: &'static str,
}

impl Row {
    pub fn heading() -> Row {
        Row {
            name: String::new(),
            ratio: "ratio".into(),
            spread: "spread".into(),
            goal: "goal".into(),
            zeroless: "zeroless".into(),
            baseline: "baseline".into(),
            unit: "",
            baseline_is: "baseline is",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:44}{:>6}{:>14}{:>9}{:>10}{:>11}  {:16}{}",
            self.name, self.ratio, self.spread, self.goal, self.zeroless, self.baseline, self.unit, self.baseline_is
        )
    }
}
