use super::*;

#[test]
fn alone_shows_three_nodes() {
    let _watchdog = watchdog();
    let (printed, complaint, code) = text_of(&run("node", &[]));
    assert_eq!((complaint.as_str(), code), ("", Some(0)));
    let rows = printed.lines().filter(|line| line.contains(env::consts::ARCH));
    assert_eq!(rows.count(), 3, "{printed}");
    let failure = "fails: unknown variant `spoons`, expected `MiB` or `GiB`";
    assert!(printed.contains(failure), "{printed}");
}

#[test]
fn client_names_node_that_is_not_there() {
    let _watchdog = watchdog();
    let (port, missing) = (unused_port().to_string(), unused_port().to_string());
    let mut server = launch("node", &["server", &port]);
    server.prints().next().unwrap();
    let (printed, complaint, code) = text_of(&run("node", &["client", &port, &missing]));
    assert_eq!(code, Some(1));
    assert!(printed.contains(env::consts::ARCH), "{printed}");
    assert!(
        complaint.starts_with(&format!("{missing}: ")) && complaint.contains("no server was connected"),
        "{complaint}"
    );
}

#[test]
fn client_names_field_that_answer_lacks() {
    let _watchdog = watchdog();
    let calls = Server::new(0).serve().unwrap();
    let port = calls.socket().port().unwrap().to_string();
    let mut client = launch("node", &["client", &port]);
    let call = calls.recv().unwrap();
    assert_eq!(*call, [br#"{"memory_in":"GiB"}"#]);
    call.reply(&[r#"{"name":"an old node"}"#]).unwrap();
    let complaint = client.reports().next().unwrap();
    assert!(
        complaint.contains("cannot understand the answer: missing field `system`"),
        "{complaint}"
    );
}
