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
    const LINES: usize = 20_000;
    let _watchdog = watchdog();
    let folder = Folder::new("log", &[]);
    let file = folder.0.join("all.log");
    let port = unused_port().to_string();
    let mut writers = ["mars", "venus"].map(|name| launch("log_collector", &["writer", &port, name]));
    writers
        .iter_mut()
        .for_each(|writer| writer.types("before the collector"));
    let mut collector = launch("log_collector", &["collector", &port, file.to_str().unwrap()]);
    let mut printed = collector.prints();
    let greeting = format!("collecting lines at {port}; Ctrl-C to stop");
    assert_prints(printed.by_ref(), &[&greeting]);
    let lines = ["line"; LINES - 1].join("\n");
    for writer in &mut writers {
        writer.types(&lines);
        writer.let_go();
    }
    for writer in &mut writers {
        writer.succeeds(); // its lines are delivered, but the collector has not written them yet
    }
    collector.signal(Signal::SIGINT);
    assert_eq!(
        printed.last().unwrap(),
        format!("stopped; lines written: {}", 2 * LINES)
    );
    collector.succeeds();
    let written = fs::read_to_string(&file).unwrap();
    for name in ["mars", "venus"] {
        let of_writer = written
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(", "));
        let of_writer: Vec<&str> = of_writer.collect();
        assert_eq!((of_writer[0], of_writer.len()), ("before the collector", LINES));
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
