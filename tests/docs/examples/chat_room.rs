use super::*;

fn open_room() -> (Process, String) {
    let port = unused_ports(2).to_string();
    let mut room = launch("chat_room", &["room", &port]);
    assert_prints(room.prints(), &[&format!("a room at {port}; Ctrl-C to close it")]);
    (room, port)
}

fn join(port: &str, name: &str) -> (Process, impl Iterator<Item = String>) {
    let mut member = launch("chat_room", &["member", port, name]);
    let printed = member.prints();
    (member, printed)
}

#[test]
fn late_member_reads_all_lines_once() {
    let _watchdog = watchdog();
    let (_room, port) = open_room();
    let (mut ada, mut ada_sees) = join(&port, "ada");
    assert_prints(ada_sees.by_ref(), &["(ada has joined)"]);
    let lines: Vec<String> = (0..30).map(|number| format!("ada: {number}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    // The other one joins while ada talks.
    (0..10).for_each(|number| ada.types(&number.to_string()));
    let (mut bob, mut bob_sees) = join(&port, "bob");
    (10..30).for_each(|number| ada.types(&number.to_string()));
    let heard: Vec<String> = bob_sees
        .by_ref()
        .take(32)
        .filter(|line| line != "(bob has joined)")
        .collect();
    assert_eq!(heard[0], "(ada has joined)");
    assert_eq!(heard[1..], lines);

    bob.types("bye");
    bob.let_go();
    bob.succeeds();
    assert_eq!(bob_sees.next().unwrap(), "bob: bye");
    let seen: Vec<String> = ada_sees.filter(|line| !line.starts_with("ada")).take(3).collect();
    assert_eq!(seen, ["(bob has joined)", "bob: bye", "(bob has left)"]);
}

/// A member whose subscription does not work still sees all, because it asks.
#[test]
fn lines_that_were_not_published_are_fetched() {
    let _watchdog = watchdog();
    let (calls, publish) = open_fake_room();
    let port = calls.socket().port().unwrap().to_string();
    let (_member, printed) = join(&port, "ada");
    let answer = |expected: &[&str], answer: &[&str]| {
        let call = calls.recv().unwrap();
        assert_eq!(
            call.iter().map(|frame| zeroless::text(&[frame])).collect::<Vec<_>>(),
            expected
        );
        call.reply(answer).unwrap();
    };
    answer(&["join", "ada"], &["secret"]);
    answer(&["since", "secret", "0"], &["1", "one"]);
    publish.wait_for_subscribers(1, Duration::from_secs(30)).unwrap();
    publish.send(&["1", "one"]).unwrap();
    publish.send(&["2", "two"]).unwrap();
    publish.send(&["4", "four"]).unwrap();
    answer(&["since", "secret", "2"], &["3", "three", "four"]);
    // Nothing is published, so it asks by itself.
    answer(&["since", "secret", "4"], &["5", "five"]);
    assert_prints(printed, &["one", "two", "three", "four", "five"]);
}

/// The sockets of a room, at two consecutive ports.
fn open_fake_room() -> (zeroless::Calls, zeroless::Publisher) {
    let port = unused_ports(2);
    (
        Server::new(port).serve().unwrap(),
        Server::new(port + 1).publish().unwrap(),
    )
}

#[test]
fn killed_member_has_gone() {
    let _watchdog = watchdog();
    let (_room, port) = open_room();
    let (_ada, ada_sees) = join(&port, "ada");
    let (mut bob, bob_sees) = join(&port, "bob");
    assert!({ bob_sees }.any(|line| line == "(bob has joined)"));
    bob.kill();
    assert!({ ada_sees }.any(|line| line == "(bob has gone)"));
}

#[test]
fn name_is_taken_until_member_leaves() {
    let _watchdog = watchdog();
    let (_room, port) = open_room();
    let (mut ada, ada_sees) = join(&port, "ada");
    assert_prints(ada_sees, &["(ada has joined)"]);
    let (_, complaint, code) = text_of(&run("chat_room", &["member", &port, "ada"]));
    assert_eq!(complaint, "ada is in the room already; take another name\n");
    assert_eq!(code, Some(1));
    ada.let_go();
    ada.succeeds();
    let (_ada, ada_sees) = join(&port, "ada");
    assert_eq!({ ada_sees }.nth(2).unwrap(), "(ada has joined)");
}

#[test]
fn member_tells_that_room_has_gone() {
    let _watchdog = watchdog();
    let (mut room, port) = open_room();
    let (mut ada, ada_sees) = join(&port, "ada");
    assert_prints(ada_sees, &["(ada has joined)"]);
    room.kill();
    let complaint = ada.reports().next().unwrap();
    assert!(
        complaint.contains("no server was connected") || complaint.contains("lost"),
        "{complaint}"
    );
}

#[test]
fn alone_lets_user_join() {
    let _watchdog = watchdog();
    let mut room = launch("chat_room", &[]);
    room.types("hello");
    room.let_go();
    let lines = [
        "(ada has joined)",
        "ada: I have to go soon",
        "(guest has joined)",
        "guest: hello",
    ];
    assert_prints(room.prints(), &lines);
    room.succeeds();
}
