//! The progress of jobs, on a terminal.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::thread;

use nix::pty::{Winsize, openpty};

use crate::program::{connect, zeroless};
use crate::support::{unused_port, watchdog};

/// Runs a producer whose standard error is a terminal, and returns what is on it.
fn on_terminal(jobs: &str) -> String {
    let port = unused_port();
    let size = Winsize {
        ws_row: 24,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).unwrap();
    let mut dispatch = zeroless(&format!("server {port} dispatch {jobs}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(terminal.slave))
        .spawn()
        .unwrap();
    let reading = thread::spawn(move || read_all(terminal.master));
    let work = connect(port, "work -- sh -c [ $0 = 1 ]");
    dispatch.wait().unwrap();
    work.ends();
    reading.join().unwrap()
}

/// Reads until the other end is closed, which is an error.
fn read_all(terminal: OwnedFd) -> String {
    let (mut terminal, mut bytes, mut block) = (File::from(terminal), Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = terminal.read(&mut block) {
        bytes.extend_from_slice(&block[..count]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn is_shown_on_terminal() {
    let _watchdog = watchdog();
    let shown = on_terminal("1 1 0 1");
    assert!(
        shown.contains("of 4 jobs") && shown.contains("/s") && shown.contains("1 worker"),
        "{shown:?}"
    );
}
