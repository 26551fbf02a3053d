//! The worker in Python of the guide, among workers of this crate.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::python::interpreter;
use crate::support::{Process, client_of_port, watchdog};
use zeroless::{Server, frames, text};

const SOON: Duration = Duration::from_secs(60);

fn python_worker(port: u16) -> Process {
    Process::start(
        Command::new(interpreter())
            .arg("-B")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/worker.py"))
            .arg(format!("tcp://127.0.0.1:{port}")),
    )
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_does_jobs_and_ends() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let mut workers = [(); 2].map(|()| python_worker(dispatch.socket().port().unwrap()));
    dispatch.wait_for_workers(2, SOON).unwrap();
    (0..200).for_each(|number| dispatch(frames!["job", number.to_string()]).unwrap());
    drop(dispatch);
    for outcome in outcomes.by_ref() {
        let [_, number] = outcome.job.as_slice() else {
            panic!("{outcome:?}")
        };
        assert_eq!(text(&outcome.result.unwrap()), format!("JOB {}", text(&[number])));
    }
    workers.iter_mut().for_each(Process::succeeds);
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn python_is_killed_among_workers_of_ours() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let port = dispatch.socket().port().unwrap();
    let jobs = client_of_port(port).work().unwrap();
    let ours = thread::spawn(move || jobs.workers(2, |job| Ok::<_, String>([job.join(&b' ').to_ascii_uppercase()])));
    let [mut victim, mut survivor] = [(); 2].map(|()| python_worker(port));
    dispatch.wait_for_workers(4, SOON).unwrap();
    (0..500).for_each(|number| dispatch(frames!["job", number.to_string()]).unwrap());
    assert!(outcomes.next().unwrap().result.is_ok());
    victim.kill();
    let mut heir = python_worker(port);
    dispatch.wait_for_workers(4, SOON).unwrap();
    drop(dispatch);
    assert_eq!(outcomes.by_ref().filter(|outcome| outcome.result.is_ok()).count(), 499);
    survivor.succeeds();
    heir.succeeds();
    ours.join().unwrap().unwrap();
}

#[test]
#[ignore = "needs Python: see CONTRIBUTING.md"]
fn failure_of_python_is_an_outcome() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let mut python = python_worker(dispatch.socket().port().unwrap());
    dispatch(&[b"fail"]).unwrap();
    drop(dispatch);
    let error = outcomes.next().unwrap().result.unwrap_err();
    assert_eq!(error.to_string(), "as the job says");
    assert!(outcomes.next().is_none());
    python.succeeds();
}
