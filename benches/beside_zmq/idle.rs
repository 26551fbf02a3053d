//! What a receiver costs that nothing comes to, by the books of Linux.

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::comparison::show_progress;
use crate::table::Row;
use crate::turn::{Outcome, must};
use crate::{with_zeroless, with_zmq};

/// How long a thread may take to come to rest.
const SETTLING: Duration = Duration::from_millis(100);

/// What a thread has used so far.
struct Usage {
    nanoseconds: u64,
    /// Each time it was put on a processor, it had been taken off one before.
    switches: u64,
}

/// Has a receiver of each contestant wait for so long.
pub fn rows(time: Duration) -> [Row; 2] {
    show_progress("an idle receiver");
    let zeroless = must(with_zeroless::rest(time));
    let other = must(with_zmq::rest(time));
    show_progress("");
    let row = |what, unit, figure: fn(&Rest) -> u64| Row {
        name: format!("{what} of an idle receiver in {time:?}"),
        ratio: "-".into(),
        spread: "-".into(),
        wanted: "0".into(),
        zeroless: figure(&zeroless).to_string(),
        other: figure(&other).to_string(),
        unit,
        other_is: "zmq",
    };
    [
        row("processor time", "ns", |rest| rest.nanoseconds),
        row("wake-ups", "", |rest| rest.wake_ups),
    ]
}

/// What a thread used while it had nothing to do.
pub struct Rest {
    nanoseconds: u64,
    wake_ups: u64,
}

impl Rest {
    /// Observes a thread that waits to receive a second message, between the sending of the first and that.
    pub fn observe(
        time: Duration,
        mut receive: impl FnMut() -> Outcome + Send,
        mut send: impl FnMut() -> Outcome,
    ) -> Outcome<Rest> {
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                must(receive());
                must(tell.send(must(fs::read_link("/proc/thread-self"))));
                must(receive());
            });
            send()?;
            let thread = told.recv()?;
            let usage = || Usage::read(&format!("/proc/{}", thread.display()));
            thread::sleep(SETTLING);
            let before = usage()?;
            thread::sleep(time);
            let after = usage()?;
            send()?;
            Ok(Rest {
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
