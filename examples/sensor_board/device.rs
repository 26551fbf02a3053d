//! A simulated oven.

use std::time::{Duration, Instant};

use zeroless::{Calls, ErrorKind, Message, Publisher, Result, frames, text};

struct Oven {
    temperature: f64,
    target: f64,
    interval: f64,
}

pub fn run(calls: &Calls, publish: &Publisher) -> Result<()> {
    let mut oven = Oven {
        temperature: 20.0,
        target: 20.0,
        interval: 0.5,
    };
    let mut next = Instant::now();
    loop {
        match calls.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(call) => match oven.set(&call) {
                Ok(answer) => call.reply(&answer)?,
                Err(reason) => call.fail(reason)?,
            },
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            Err(error) => return Err(error),
        }
        if Instant::now() >= next {
            for (name, value, unit) in oven.measure() {
                publish(frames![name, format!("{value:.1}"), unit])?;
            }
            next = Instant::now() + Duration::from_secs_f64(oven.interval);
        }
    }
}

impl Oven {
    /// Changes a setting, and returns words for it. An error is how the call fails.
    fn set(&mut self, call: &Message) -> std::result::Result<String, String> {
        let [name, value] = call.as_slice() else {
            return Err("a setting is a name and a number".into());
        };
        let (name, value) = (text(&[name]), text(&[value]));
        let (setting, range, unit) = match name.as_str() {
            "target" => (&mut self.target, 0.0..=250.0, "°C"),
            "interval" => (&mut self.interval, 0.01..=60.0, "s"),
            _ => return Err(format!("the oven has no setting {name}; it has target and interval")),
        };
        match value.parse::<f64>() {
            Ok(number) if range.contains(&number) => *setting = number,
            _ => {
                return Err(format!(
                    "{name} is from {} to {} {unit}, not {value}",
                    range.start(),
                    range.end()
                ));
            }
        }
        Ok(format!("{name} is {value} {unit}"))
    }

    /// Returns the next readings: a name, a value and a unit for each.
    fn measure(&mut self) -> [(&'static str, f64, &'static str); 3] {
        let power = (50.0 * (self.target - self.temperature)).clamp(0.0, 2000.0);
        self.temperature += power / 400.0 - (self.temperature - 20.0) / 100.0;
        [
            ("target", self.target, "°C"),
            ("temperature", self.temperature, "°C"),
            ("power", power, "W"),
        ]
    }
}
