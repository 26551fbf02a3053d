//! The node.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sysinfo::System;
use zeroless::{Calls, Message};

use crate::{Node, Question, Result, Unit};

pub fn run(calls: Calls) -> Result<()> {
    println!("a node at {}; Ctrl-C to stop", calls.socket().endpoints().join(", "));
    Ok(calls.workers(2, |call| answer(call, describe_machine))?)
}

/// Answers a call with what `run` returns for its question. An error in any step is how the call fails at the client.
fn answer<Q: DeserializeOwned, A: Serialize>(call: &Message, run: fn(Q) -> A) -> Result<[Vec<u8>; 1]> {
    let question = serde_json::from_slice(&call.concat())?;
    Ok([serde_json::to_vec(&run(question))?])
}

fn describe_machine(question: Question) -> Node {
    let mut system = System::new();
    system.refresh_memory();
    let unit = match question.memory_in {
        Unit::MiB => 1024.0 * 1024.0,
        Unit::GiB => 1024.0 * 1024.0 * 1024.0,
    };
    Node {
        name: System::host_name().unwrap_or_default(),
        system: System::long_os_version().unwrap_or_default(),
        architecture: System::cpu_arch(),
        memory_used: system.used_memory() as f64 / unit,
        memory_total: system.total_memory() as f64 / unit,
        load: System::load_average().one,
        uptime_hours: System::uptime() as f64 / 3600.0,
    }
}
