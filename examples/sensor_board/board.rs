//! The board, which shows the readings in the terminal.

use std::collections::{BTreeMap, VecDeque};
use std::io::{IsTerminal, Write, stdout};
use std::time::Duration;

use zeroless::{Client, ErrorKind, text};

use crate::Result;

/// A curve shows this number of values.
const WIDTH: usize = 60;

struct Sensor {
    values: VecDeque<f64>,
    unit: String,
}

/// Shows this number of readings. In a terminal, it draws the board anew for each. Otherwise, each reading is a line.
pub fn run(endpoint: &str, count: usize) -> Result<()> {
    let readings = Client::new()
        .connect_to(endpoint)
        .timeout(Duration::from_secs(3))
        .subscribe([""])?;
    let is_terminal = stdout().is_terminal();
    let mut sensors: BTreeMap<String, Sensor> = BTreeMap::new();
    for reading in readings.incoming().take(count) {
        let reading = match reading {
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                println!("no reading from {endpoint} for 3 seconds; is the device on?");
                continue;
            }
            reading => reading?,
        };
        let [name, value, unit] = reading.as_slice() else {
            return Err(format!("this is no reading: {}", text(&reading)).into());
        };
        let (name, value, unit) = (text(&[name]), text(&[value]).parse()?, text(&[unit]));
        if !is_terminal {
            println!("{name} {value} {unit}");
            continue;
        }
        let lines_drawn = sensors.len();
        let sensor = sensors.entry(name).or_insert(Sensor {
            values: VecDeque::new(),
            unit,
        });
        sensor.values.push_back(value);
        if sensor.values.len() > WIDTH {
            sensor.values.pop_front();
        }
        draw(&sensors, lines_drawn)?;
    }
    Ok(())
}

/// Draws the board over the one that was drawn before.
fn draw(sensors: &BTreeMap<String, Sensor>, lines_drawn: usize) -> Result<()> {
    let mut board = String::new();
    if lines_drawn > 0 {
        board += &format!("\x1b[{lines_drawn}A\x1b[J"); // up, and erase what is below
    }
    for (name, sensor) in sensors {
        let value = sensor.values.back().copied().unwrap_or_default();
        board += &format!("{name:12} {value:8.1} {:3} {}\n", sensor.unit, curve(&sensor.values));
    }
    stdout().write_all(board.as_bytes())?;
    Ok(stdout().flush()?)
}

/// Returns a character for each value, from the lowest to the highest.
fn curve(values: &VecDeque<f64>) -> String {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = |value: &f64| match highest > lowest {
        true => ((value - lowest) / (highest - lowest) * 7.0).round() as usize,
        false => 0,
    };
    let bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    values.iter().map(|value| bars[height(value)]).collect()
}
