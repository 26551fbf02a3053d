//! The rows of the main table.

use std::fmt;

pub struct Row {
    pub name: String,
    pub ratio: String,
    pub spread: String,
    pub wanted: String,
    pub zeroless: String,
    pub other: String,
    pub unit: &'static str,
    /// What zeroless is compared with.
    pub other_is: &'static str,
}

impl Row {
    pub fn heading() -> Row {
        Row {
            name: String::new(),
            ratio: "ratio".into(),
            spread: "spread".into(),
            wanted: "wanted".into(),
            zeroless: "zeroless".into(),
            other: "the other".into(),
            unit: "",
            other_is: "the other is",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:44}{:>6}{:>14}{:>9}{:>10}{:>11}  {:16}{}",
            self.name, self.ratio, self.spread, self.wanted, self.zeroless, self.other, self.unit, self.other_is
        )
    }
}
