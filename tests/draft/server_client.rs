//! Draft server/client: the server answers a client by its routing id.

use std::collections::HashSet;
use std::thread;

use crate::support::{Folder, await_denial_of, client_of, new_keypair, watchdog};
use zeroless::{Client, ErrorKind, Receiver, Sender, Server};

fn open() -> ((Sender, Receiver), (Sender, Receiver)) {
    let server = Server::new(0).draft_server().unwrap();
    let client = client_of(&server.1).draft_client().unwrap();
    (server, client)
}

#[test]
fn server_answers_each_client() {
    let _watchdog = watchdog();
    let ((answer, questions), (ask, answers)) = open();
    let (ask_too, more_answers) = client_of(&questions).draft_client().unwrap();
    ask(&[b"one"]).unwrap();
    ask_too(&[b"two"]).unwrap();
    let mut ids = HashSet::new();
    for question in questions.iter().take(2) {
        let [id, text] = question.as_slice() else {
            panic!("{question:?}")
        };
        assert_eq!(id.len(), 4);
        answer(&[id, &text.to_ascii_uppercase()]).unwrap();
        ids.insert(id.clone());
    }
    assert_eq!(ids.len(), 2);
    assert_eq!(answers.recv().unwrap(), [b"ONE"]);
    assert_eq!(more_answers.recv().unwrap(), [b"TWO"]);
}

#[test]
fn received_message_can_be_sent_back() {
    let _watchdog = watchdog();
    let ((answer, questions), (ask, answers)) = open();
    for length in [0, 33, 34, 100_000] {
        ask.send(&[vec![7; length]]).unwrap();
        answer.send(&questions.recv().unwrap()).unwrap();
        assert_eq!(answers.recv().unwrap(), [vec![7; length]]);
    }
    ask(&[b"in libzmq's memory"]).unwrap();
    answer.send(&questions.recv_frames().unwrap()).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"in libzmq's memory"]);
}

#[test]
fn delivers_over_ipc_and_inproc() {
    let _watchdog = watchdog();
    let folder = Folder::new("draft-server");
    for endpoint in [folder.ipc("server"), "inproc://draft-server".to_owned()] {
        let (answer, questions) = Server::at(endpoint.clone()).draft_server().unwrap();
        let (ask, answers) = Client::new().connect_to(&endpoint).draft_client().unwrap();
        ask(&[b"ping"]).unwrap();
        answer.send(&questions.recv().unwrap()).unwrap();
        assert_eq!(answers.recv().unwrap(), [b"ping"], "{endpoint}");
    }
}

#[test]
fn server_can_be_the_client_that_connects() {
    let _watchdog = watchdog();
    let (ask, answers) = Server::new(0).draft_client().unwrap();
    let (answer, questions) = client_of(&answers).draft_server().unwrap();
    ask(&[b"ping"]).unwrap();
    answer.send(&questions.recv().unwrap()).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"ping"]);
}

#[test]
fn refuses_malformed_messages() {
    let _watchdog = watchdog();
    let ((answer, _questions), (ask, _answers)) = open();
    for message in [
        &[&b"\0\0\0\x01"[..]][..],
        &[b"\0\0\x01", b"text"],
        &[b"\0\0\0\x01", b"text", b"more"],
        &[],
    ] {
        assert_eq!(
            answer(message).unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{message:?}"
        );
    }
    let error = ask(&[b"one", b"two"]).unwrap_err();
    assert!(error.to_string().contains("a message has one frame"), "{error}");
}

#[test]
fn unknown_routing_id_is_an_error() {
    let _watchdog = watchdog();
    let ((answer, questions), (ask, answers)) = open();
    ask(&[b"ping"]).unwrap();
    let question = questions.recv().unwrap();
    let other: Vec<u8> = question[0].iter().map(|byte| !byte).collect();
    for id in [&other[..], b"\0\0\0\0"] {
        let error = answer(&[id, b"text"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
    }
    answer.send(&question).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"ping"]);
}

#[test]
fn threads_share_a_server() {
    let _watchdog = watchdog();
    let ((answer, questions), (ask, answers)) = open();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for question in &questions {
                    answer.send(&question).unwrap();
                }
            });
        }
        (0..4_000u32).for_each(|number| ask(&[&number.to_be_bytes()]).unwrap());
        let received: HashSet<Vec<u8>> = answers.iter().take(4_000).map(|mut answer| answer.remove(0)).collect();
        assert_eq!(received.len(), 4_000);
        questions.socket().close();
    });
}

#[test]
fn server_decides_whom_to_let_in() {
    let _watchdog = watchdog();
    let (answer, questions) = Server::new(0)
        .plain_users([("ada", "enchantress")])
        .draft_server()
        .unwrap();
    let (ask, _) = client_of(&questions).plain("ada", "wrong").draft_client().unwrap();
    await_denial_of(&ask);
    let (ask, answers) = client_of(&questions)
        .plain("ada", "enchantress")
        .draft_client()
        .unwrap();
    ask(&[b"ping"]).unwrap();
    answer.send(&questions.recv().unwrap()).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"ping"]);
    assert_eq!(questions.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
#[cfg_attr(not(feature = "curve"), ignore = "needs CURVE: run with --features curve,draft")]
fn server_encrypts() {
    let _watchdog = watchdog();
    let (ours, theirs) = (new_keypair(), new_keypair());
    let (answer, questions) = Server::new(0)
        .curve(&ours)
        .allow_keys([theirs.public()])
        .draft_server()
        .unwrap();
    let (ask, answers) = client_of(&questions)
        .curve(ours.public(), &theirs)
        .draft_client()
        .unwrap();
    ask(&[b"ping"]).unwrap();
    answer.send(&questions.recv().unwrap()).unwrap();
    assert_eq!(answers.recv().unwrap(), [b"ping"]);
}
