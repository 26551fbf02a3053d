//! The client, which shows the nodes as a table.

use std::thread;
use std::time::Duration;

use comfy_table::Table;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroless::{Caller, Client};

use crate::{Node, Question, Result, Unit, cli};

pub fn run(addresses: &[&str]) -> Result<()> {
    let mut table = Table::new();
    table.set_header("Address,Name,System,Architecture,GiB used,of,Load,Hours up".split(','));
    let mut failures = Vec::new();
    for (address, answer) in addresses.iter().zip(ask_all(addresses)) {
        match answer {
            Ok(node) => {
                let numbers = [node.memory_used, node.memory_total, node.load, node.uptime_hours];
                let texts = [address.to_string(), node.name, node.system, node.architecture];
                table.add_row(texts.into_iter().chain(numbers.map(|number| format!("{number:.2}"))));
            }
            Err(failure) => failures.push(format!("{address}: {failure}")),
        }
    }
    if !table.is_empty() {
        println!("{table}");
    }
    match failures.as_slice() {
        [] => Ok(()),
        failures => Err(failures.join("\n").into()),
    }
}

/// Asks all nodes at the same time, so one that does not answer delays no other.
fn ask_all(addresses: &[&str]) -> Vec<std::result::Result<Node, String>> {
    let question = &Question { memory_in: Unit::GiB };
    thread::scope(|scope| {
        let ask = |address| scope.spawn(move || ask(address, question).map_err(|error| error.to_string()));
        let threads: Vec<_> = addresses.iter().copied().map(ask).collect();
        let answers = threads.into_iter().map(|thread| thread.join());
        answers.map(|answer| answer.expect("no thread panics")).collect()
    })
}

/// Asks with one type, and gets another.
fn ask<Q: Serialize, A: DeserializeOwned>(address: &str, question: &Q) -> Result<A> {
    let answer = connect(address)?.call(&[serde_json::to_vec(question)?])?;
    let answer = serde_json::from_slice(&answer.concat());
    Ok(answer.map_err(|error| format!("cannot understand the answer: {error}"))?)
}

pub fn connect(address: &str) -> zeroless::Result<Caller> {
    let mut client = Client::new();
    client
        .connect_to(cli::endpoint(address))
        .timeout(Duration::from_secs(5));
    client.call()
}
