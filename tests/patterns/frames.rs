//! How a message is made of frames of any types.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{push_and_pull, texts, watchdog};
use zeroless::frames;

#[test]
fn macro_mixes_types() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let (owned, bytes, id) = (String::from("owned"), vec![b'v'], 7);
    push(frames![
        "str",
        owned,
        &owned,
        bytes,
        &bytes[..],
        b"array",
        id.to_string(),
    ])
    .unwrap();
    assert_eq!(
        texts(&pull.recv().unwrap()),
        ["str", "owned", "owned", "v", "v", "array", "7"]
    );
    // The macro only borrows.
    assert_eq!((owned.len(), bytes.len()), (5, 1));
}

#[test]
fn macro_takes_no_frames() {
    let none: &[&[u8]] = frames![];
    assert!(none.is_empty());
}

#[test]
fn macro_makes_frames_for_send() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    push.send(frames!["send", 1.to_string()]).unwrap();
    push.try_send(frames!["try", 2.to_string()]).unwrap();
    push.send_timeout(frames!["timeout", 3.to_string()], Duration::MAX)
        .unwrap();
    for expected in [["send", "1"], ["try", "2"], ["timeout", "3"]] {
        assert_eq!(texts(&pull.recv().unwrap()), expected);
    }
}

#[test]
fn text_is_one_frame() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    push.send("str").unwrap();
    push.try_send(&String::from("String")).unwrap();
    push.send_timeout("timeout", Duration::MAX).unwrap();
    for expected in ["str", "String", "timeout"] {
        assert_eq!(texts(&pull.recv().unwrap()), [expected]);
    }
}

#[test]
fn send_takes_pointers_to_lists() {
    let _watchdog = watchdog();
    let (push, pull) = push_and_pull();
    let list = vec!["a", "bc"];
    push.send(&list).unwrap();
    push.send(&&list).unwrap();
    push.send(&list[..]).unwrap();
    push.send(&Rc::new(list.clone())).unwrap();
    push.send(&Arc::<[&str]>::from(list.clone())).unwrap();
    push.send(&list.into_boxed_slice()).unwrap();
    for message in pull.iter().take(6) {
        assert_eq!(texts(&message), ["a", "bc"]);
    }
}
