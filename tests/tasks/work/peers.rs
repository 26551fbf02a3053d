//! Producers and workers that are played by bare sockets, and do what ours do rarely or never.

use std::time::Instant;

use zeroless::{Receiver, Sender};

use super::*;

const HEADER: &[u8] = b"MDPW01";
const READY: &[u8] = b"\x01";
const REQUEST: &[u8] = b"\x02";
const REPLY: &[u8] = b"\x03";
const HEARTBEAT: &[u8] = b"\x04";
const DISCONNECT: &[u8] = b"\x05";
/// There are no more jobs.
const FINISHED: &[&[u8]] = &[DISCONNECT, b"finished"];
const NO_JOB: &[u8] = &[0; 20];

/// A dealer that has registered as a worker of this crate.
fn dealer(socket: &Socket) -> (Sender, Receiver) {
    let (send, messages) = client_of(socket).linger(Duration::ZERO).dealer().unwrap();
    send(&[b"", HEADER, READY, b"jobs", NO_JOB]).unwrap();
    (send, messages)
}

/// Plays a producer for one worker, which iterates again whenever its iteration ends, and returns its first job. When the
/// worker first says `cue`, it is sent the order, and then a job that crosses its `DISCONNECT`. It gets the job `next` when it
/// has registered anew.
fn first_job(timeout: Option<Duration>, cue: &[u8], order: &[&[u8]]) -> String {
    // It does not wait for a worker that is gone.
    let (send, messages) = Server::new(0).linger(Duration::ZERO).router().unwrap();
    let mut client = client_of(&messages.socket());
    timeout.map(|timeout| client.timeout(timeout));
    let jobs = client.work().unwrap();
    let worker = thread::spawn(move || {
        loop {
            if let Some(job) = (&jobs).next() {
                return text_of(&job);
            }
        }
    });
    let mut is_late = false;
    while !worker.is_finished() {
        let Ok(message) = messages.recv_timeout(Duration::from_millis(10)) else {
            continue;
        };
        let [id, _, _, command, ..] = &message[..] else {
            panic!("{message:?}")
        };
        // The worker may have what it wants, and be gone.
        let say = |order: &[&[u8]]| drop(send(&[&[&id[..], b"", HEADER], order].concat()));
        let request = |job: &[u8]| say(&[REQUEST, &[b'1'; 20], b"", job]);
        match command.as_slice() {
            command if !is_late && command == cue => {
                say(order);
                request(b"late");
                is_late = true;
            }
            READY if is_late => request(b"next"),
            HEARTBEAT if is_late => say(&[DISCONNECT]),
            _ => {}
        }
    }
    worker.join().unwrap()
}

#[test]
fn job_that_comes_after_the_timeout_is_not_done_later() {
    let _watchdog = watchdog();
    let timeout = Some(Duration::from_millis(200));
    assert_eq!(first_job(timeout, DISCONNECT, &[HEARTBEAT]), "next");
}

/// The word of one producer, and the job of the next at the same address. The worker gives that job back.
#[test]
fn job_that_comes_after_the_end_is_not_done_later() {
    let _watchdog = watchdog();
    assert_eq!(first_job(None, READY, FINISHED), "next");
}

#[test]
fn job_that_comes_after_the_timeout_and_the_end_is_not_done_later() {
    let _watchdog = watchdog();
    let timeout = Some(Duration::from_millis(200));
    assert_eq!(first_job(timeout, DISCONNECT, FINISHED), "next");
}

#[test]
fn result_of_another_worker_counts_once() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).dispatch().unwrap();
    let (send, messages) = dealer(&dispatch.socket());
    let (other_send, _other) = dealer(&dispatch.socket());
    dispatch.wait_for_workers(2, SOON).unwrap();
    dispatch(&[b"job"]).unwrap();
    dispatch(&[b"job"]).unwrap();
    let request = messages.iter().find(|message| message[2] == REQUEST).unwrap();
    for (send, result) in [(&other_send, "first"), (&send, "second"), (&send, "third")] {
        send(&[b"", HEADER, REPLY, &request[3], b"", b"200", result.as_bytes()]).unwrap();
        if result == "first" {
            assert_eq!(summary(&outcomes.next().unwrap()), "job=first");
        }
    }
    // The other job has its own outcome.
    drop(dispatch);
    drop((other_send, _other));
    let heir = work(&client_of(&outcomes.socket()), 1);
    assert_eq!(summaries(outcomes), ["job=JOB"]);
    heir.join().unwrap().unwrap();
}

#[test]
fn nonsense_harms_nobody() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let (send, _messages) = client_of(&dispatch.socket()).linger(Duration::ZERO).dealer().unwrap();
    let workers = work(&client_of(&dispatch.socket()), 1);
    let frames: [&[&[u8]]; 6] = [
        &[b""],
        &[b"", b"MDPC01", b"\x01"],
        &[b"", HEADER],
        &[b"", HEADER, READY],
        &[b"", HEADER, REPLY, b"short", b"", b"200"],
        &[b"", HEADER, b"\x09", b"more"],
    ];
    frames.iter().for_each(|frames| send(frames).unwrap());
    (0..20).for_each(|_| dispatch(&[b"job"]).unwrap());
    drop(dispatch);
    assert_eq!(summaries(outcomes), ["job=JOB"; 20]);
    workers.join().unwrap().unwrap();
}

/// A result that is too large breaks the connection. That costs an attempt, and not the worker.
#[test]
fn result_that_is_too_large_is_lost() {
    let _watchdog = watchdog();
    let mut server = Server::new(0);
    let mut outcomes = server
        .max_message_size(1_000)
        .dispatch_all([["large"], ["small"]])
        .unwrap();
    let jobs = client_of(&outcomes.socket()).work().unwrap();
    let worker = thread::spawn(move || {
        jobs.workers(1, |job| {
            Ok::<_, String>(match job[0].as_slice() {
                b"large" => [vec![0; 2_000]],
                _ => [b"done".to_vec()],
            })
        })
    });
    // The worker may be about to connect again when this ends. It is told as long as `outcomes` lives.
    assert_eq!(summaries(outcomes.by_ref()), ["large!Lost", "small=done"]);
    worker.join().unwrap().unwrap();
}

/// libzmq does not connect again after a frame that is too large.
#[test]
fn worker_that_cannot_receive_its_job_is_told() {
    let _watchdog = watchdog();
    let (dispatch, mut outcomes) = Server::new(0).attempts(1).dispatch().unwrap();
    let mut client = client_of(&dispatch.socket());
    let narrow = client.max_message_size(1_000).work().unwrap();
    let narrow = thread::spawn(move || narrow.workers(1, |_| Ok::<_, String>("")));
    dispatch.wait_for_workers(1, SOON).unwrap();
    dispatch.send(&[[0; 2_000]]).unwrap();
    assert_eq!(outcomes.next().unwrap().result.unwrap_err().kind(), ErrorKind::Lost);
    assert_eq!(narrow.join().unwrap().unwrap_err().kind(), ErrorKind::Denied);
}

#[test]
fn large_jobs_and_results() {
    const LENGTH: usize = 30_000_000;
    let _watchdog = watchdog();
    let jobs = [1, 2, 3].map(|byte| [vec![byte; LENGTH]]);
    let outcomes = Server::new(0).dispatch_all(jobs).unwrap();
    let jobs = client_of(&outcomes.socket()).work().unwrap();
    let worker = thread::spawn(move || jobs.workers(2, |job| Ok::<_, String>(job.clone())));
    let mut bytes: Vec<u8> = Vec::new();
    for outcome in outcomes {
        let result = outcome.result.unwrap();
        assert!(result == outcome.job && result[0].len() == LENGTH);
        assert_eq!(outcome.attempts, 1);
        bytes.push(result[0][0]);
    }
    bytes.sort();
    assert_eq!(bytes, [1, 2, 3]);
    worker.join().unwrap().unwrap();
}

/// Until the workers confirm, or at most for a second.
#[test]
fn producer_closes_soon_although_a_worker_never_confirms() {
    let _watchdog = watchdog();
    let (dispatch, outcomes) = Server::new(0).dispatch().unwrap();
    let _worker = dealer(&dispatch.socket());
    dispatch.wait_for_workers(1, SOON).unwrap();
    let started = Instant::now();
    drop((dispatch, outcomes));
    assert!(started.elapsed() < SOON / 2);
}
