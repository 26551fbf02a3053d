use super::*;

#[test]
fn alone_writes_all_lines() {
    let _watchdog = watchdog();
    let (printed, complaint, code) = text_of(&run("log_collector", &[]));
    assert!(
        printed.lines().next().unwrap().contains(" lines in this second, "),
        "{printed}"
    );
    assert!(printed.ends_with("stopped; lines written: 4000\n"), "{printed}");
    assert_eq!((complaint.as_str(), code), ("", Some(0)));
}

#[test]
fn stop_writes_what_has_arrived() {
    let _watchdog = watchdog();
    let folder = Folder::new("log", &[]);
    let file = folder.0.join("all.log");
    let port = unused_port().to_string();
    let mut writers = ["mars", "venus"].map(|name| launch("log_collector", &["writer", &port, name]));
    for number in 0..100 {
        writers
            .iter_mut()
            .for_each(|writer| writer.types(&format!("line {number}")));
    }
    let mut collector = launch("log_collector", &["collector", &port, file.to_str().unwrap()]);
    let mut printed = collector.prints();
    assert_prints(
        printed.by_ref(),
        &[&format!("collecting lines at {port}; Ctrl-C to stop")],
    );
    for writer in &mut writers {
        writer.let_go();
        writer.succeeds(); // its lines are delivered
    }
    collector.signal(Signal::SIGINT);
    assert_eq!(printed.last().unwrap(), "stopped; lines written: 200");
    collector.succeeds();
    let lines = fs::read_to_string(&file).unwrap();
    for name in ["mars", "venus"] {
        let of_writer = lines.lines().filter_map(|line| line.strip_prefix(&format!("{name}, ")));
        assert!(of_writer.eq((0..100).map(|number| format!("line {number}"))));
    }
}

#[test]
fn file_that_cannot_be_opened_is_named() {
    let _watchdog = watchdog();
    let (_, complaint, code) = text_of(&run("log_collector", &["collector", "12345", "no/such/folder/log"]));
    assert_eq!(
        complaint,
        "no/such/folder/log: No such file or directory (os error 2)\n"
    );
    assert_eq!(code, Some(1));
}
