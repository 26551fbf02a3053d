//! What the executables of the libraries share. Each is one side of a connection, or both.
//!
//! The driver starts them: see `main.rs`. An executable writes each line that the driver waits for to its standard
//! output. When the driver ends, for any reason, the standard input of the executable ends, and it exits.

#![forbid(unsafe_code)]

use std::env;
use std::error::Error;
use std::fmt::Display;
use std::hint::black_box;
use std::io::stdin;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The address at which servers listen. A client of another program that has lost its server tries the server's port at
/// 127.0.0.1 again and again, and a run could get that port. Linux has more addresses for this machine.
#[cfg(target_os = "linux")]
pub const HOST: &str = "127.0.0.9";
#[cfg(not(target_os = "linux"))]
pub const HOST: &str = "127.0.0.1";

/// The bytes to send. A frame of a given size consists of the first bytes of this array.
static BYTES: [u8; 1 << 20] = [b'0'; 1 << 20];

/// What an executable does.
pub enum Role {
    /// Pulls, and pushes in another thread or task.
    Both,
    Pull,
    Push(String),
    Request(String),
    Reply,
}

/// What a library has to do in one run.
#[derive(Clone, Copy)]
pub struct Run {
    /// The frame that is sent again and again.
    pub frame: &'static [u8],
    /// The number of messages that are timed. Before them, one shows that the sockets are connected.
    pub count: usize,
}

/// The longest time for a run. Without it, a library that loses a message would wait for it forever.
const LIMIT: Duration = Duration::from_secs(60);

/// Reads the command line, and makes this process exit when the driver does.
pub fn role() -> Outcome<(Role, Run)> {
    thread::spawn(|| {
        for _ in stdin().lines() {}
        process::exit(0);
    });
    thread::spawn(|| {
        thread::sleep(LIMIT);
        or_exit::<()>(Err(format!("a run took longer than {LIMIT:?}")));
    });
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (role, bytes, count) = match arguments[..] {
        ["both", bytes, count] => (Role::Both, bytes, count),
        ["pull", bytes, count] => (Role::Pull, bytes, count),
        ["push", bytes, count, endpoint] => (Role::Push(endpoint.into()), bytes, count),
        ["request", bytes, count, endpoint] => (Role::Request(endpoint.into()), bytes, count),
        ["reply", bytes, count] => (Role::Reply, bytes, count),
        _ => return Err("the executable `peers` starts this one; run that one".into()),
    };
    let frame = BYTES.get(..bytes.parse()?).ok_or("a frame has at most 1 MiB")?;
    let count = count.parse()?;
    Ok((role, Run { frame, count }))
}

/// Tells the driver where this process listens.
pub fn announce(endpoint: &str) {
    println!("{endpoint}");
}

impl Run {
    /// Times `count` steps, after a first that shows that the sockets are connected, and tells the driver.
    pub fn time<E: Display>(self, mut step: impl FnMut() -> Result<(), E>) -> ! {
        or_exit(step());
        let start = Instant::now();
        (0..self.count).for_each(|_| or_exit(step()));
        finish(start.elapsed())
    }

    /// Checks that the lengths of the frames of a message are those of the message that was sent.
    pub fn check(self, lengths: impl IntoIterator<Item = usize>) {
        if !black_box(lengths).into_iter().eq([self.frame.len()]) {
            or_exit(Err("a message arrived with frames of the wrong length"))
        }
    }
}

/// Tells the driver how long it took, and exits.
pub fn finish(elapsed: Duration) -> ! {
    println!("{}", elapsed.as_secs_f64());
    process::exit(0)
}

/// Keeps the sockets of this thread open: closing may drop what a library still holds. The driver ends the process.
pub fn stay() -> ! {
    loop {
        thread::park();
    }
}

/// Exits on an error, on any thread. Otherwise another thread could wait forever for a message that was not sent.
pub fn or_exit<T>(outcome: Result<T, impl Display>) -> T {
    outcome.unwrap_or_else(|error| {
        eprintln!("{}: {error}", env::args().collect::<Vec<_>>().join(" "));
        process::exit(1)
    })
}
