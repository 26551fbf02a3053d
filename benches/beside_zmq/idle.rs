//! Measures what an idle receiver costs, with the counters of Linux.

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::comparison::show_progress;
use crate::run::{Outcome, or_exit};
use crate::table::Row;
use crate::{with_zeroless, with_zmq};

/// The time that a thread gets to become idle.
const SETTLING: Duration = Duration::from_millis(100);

/// What a thread has used so far.
struct Usage {
    nanoseconds: u64,
    /// Context switches. Each wake-up follows one: the thread left the processor to sleep.
    switches: u64,
}

/// Lets a receiver of each library wait for this time, and returns the rows of the table.
pub fn rows(time: Duration) -> [Row; 2] {
    show_progress("an idle receiver");
    let zeroless = or_exit(with_zeroless::idle(time));
    let baseline = or_exit(with_zmq::idle(time));
    show_progress("");
    let row = |what, unit, figure: fn(&IdleCost) -> u64| Row {
        name: format!("{what} of an idle receiver in {time:?}"),
        ratio: "-".into(),
        spread: "-".into(),
        goal: "0".into(),
        zeroless: figure(&zeroless).to_string(),
        baseline: figure(&baseline).to_string(),
        unit,
        baseline_is: "zmq",
    };
    [
        row("processor time", "ns", |cost| cost.nanoseconds),
        row("wake-ups", "", |cost| cost.wake_ups),
    ]
}

/// What a thread used while it was idle.
pub struct IdleCost {
    nanoseconds: u64,
    wake_ups: u64,
}

impl IdleCost {
    /// Measures a thread that has received a first message and waits for a second, which is sent after this time.
    pub fn measure(
        time: Duration,
        mut receive: impl FnMut() -> Outcome + Send,
        mut send: impl FnMut() -> Outcome,
    ) -> Outcome<IdleCost> {
        let (send_path, path) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                or_exit(receive());
                or_exit(send_path.send(or_exit(fs::read_link("/proc/thread-self"))));
                or_exit(receive());
            });
            send()?;
            let thread = path.recv()?;
            let usage = || Usage::read(&format!("/proc/{}", thread.display()));
            thread::sleep(SETTLING);
            let before = usage()?;
            thread::sleep(time);
            let after = usage()?;
            send()?;
            Ok(IdleCost {
                nanoseconds: after.nanoseconds - before.nanoseconds,
                wake_ups: after.switches - before.switches,
            })
        })
    }
}

impl Usage {
    fn read(thread: &str) -> Outcome<Usage> {
        let times = fs::read_to_string(format!("{thread}/schedstat"))?;
        let nanoseconds = times.split_whitespace().next().ok_or("schedstat is empty")?;
        let status = fs::read_to_string(format!("{thread}/status"))?;
        let switches = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        Ok(Usage {
            nanoseconds: nanoseconds.parse()?,
            switches: switches
                .map(|(_, count)| count.trim().parse::<u64>())
                .sum::<Result<_, _>>()?,
        })
    }
}
