//! A device publishes its readings, a board in the terminal shows them, and anybody can call the device to set it.
//!
//! ```text
//!                                      ┌──▶ board
//!   oven ── readings, published ───────┼──▶ board
//!        PORT + 1                      └──▶ board
//!
//!   oven ◀── target 180, called ────────── set
//!        PORT
//! ```
//!
//! Readings are published: the device does not wait for anybody, and a board that misses one gets the next. Settings are
//! called: whoever sets one learns whether the device has taken it. One loop in the device does both, so it needs no
//! locks. The oven is simulated; put your own device into `device.rs`.
//!
//! ```sh
//! cargo run --example sensor_board                                            # all in one process
//! cargo run --example sensor_board -- device 0.0.0.0:12345
//! cargo run --example sensor_board -- board mars:12345
//! cargo run --example sensor_board -- set mars:12345 target 180               # or: interval 0.5
//! ```

mod board;
#[path = "../cli/mod.rs"]
mod cli;
mod device;

use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use zeroless::{Client, Server, frames, text};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "\ndevice ADDRESS\nboard ADDRESS\nset ADDRESS target|interval NUMBER";

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_with_arguments(USAGE, |arguments| match arguments {
        [] => alone(),
        ["device", address] => {
            let [calls, readings] = cli::two_endpoints(address)?;
            let (calls, publish) = (Server::at(calls).serve()?, Server::at(readings).publish()?);
            println!("an oven at {address}; Ctrl-C to switch it off");
            Ok(device::run(&calls, &publish)?)
        }
        ["board", address] => {
            let [_, readings] = cli::two_endpoints(address)?;
            board::run(&readings, usize::MAX)
        }
        ["set", address, name, value] => set(&cli::endpoint(address), name, value),
        _ => Err(cli::WrongUsage.into()),
    })
}

/// Sets the oven to a temperature, shows how it heats, and then tries one that is too high.
fn alone() -> Result<()> {
    let (calls, publish) = (Server::new(0).serve()?, Server::new(0).publish()?);
    let settings = calls.socket().endpoints().concat();
    let readings = publish.socket().endpoints().concat();
    thread::spawn(move || device::run(&calls, &publish));
    set(&settings, "interval", "0.05")?;
    set(&settings, "target", "180")?;
    board::run(&readings, 100)?;
    if let Err(failure) = set(&settings, "target", "1000") {
        println!("{failure}");
    }
    Ok(())
}

fn set(endpoint: &str, name: &str, value: &str) -> Result<()> {
    let call = Client::new()
        .connect_to(endpoint)
        .timeout(Duration::from_secs(5))
        .call()?;
    println!("{}", text(&call(frames![name, value])?));
    Ok(())
}
