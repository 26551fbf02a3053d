use super::*;

#[test]
fn alone_heats_and_refuses() {
    let _watchdog = watchdog();
    let (printed, complaint, code) = text_of(&run("sensor_board", &[]));
    assert_eq!((complaint.as_str(), code), ("", Some(0)));
    let temperatures: Vec<f64> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("temperature ")?.strip_suffix(" °C")?.parse().ok())
        .collect();
    assert!(temperatures.len() > 30 && temperatures.is_sorted(), "{temperatures:?}");
    assert!(
        printed.starts_with("interval is 0.05 s\ntarget is 180 °C\n"),
        "{printed}"
    );
    assert!(printed.ends_with("target is from 0 to 250 °C, not 1000\n"), "{printed}");
}

#[test]
fn board_shows_what_is_set() {
    let _watchdog = watchdog();
    let port = unused_ports(2).to_string();
    let mut board = launch("sensor_board", &["board", &port]);
    let mut shown = board.prints();
    let readings = format!("tcp://127.0.0.1:{}", port.parse::<u16>().unwrap() + 1);
    let question = format!("no reading from {readings} for 3 seconds; is the device on?");
    assert_prints(shown.by_ref(), &[&question]);

    let mut device = launch("sensor_board", &["device", &port]);
    assert_prints(
        device.prints(),
        &[&format!("an oven at {port}; Ctrl-C to switch it off")],
    );
    let (printed, ..) = text_of(&run("sensor_board", &["set", &port, "target", "99"]));
    assert_eq!(printed, "target is 99 °C\n");
    assert!(shown.any(|line| line == "target 99 °C"));
}

#[test]
fn wrong_settings_fail() {
    let _watchdog = watchdog();
    let port = unused_ports(2).to_string();
    let _device = launch("sensor_board", &["device", &port]);
    for (name, value, said) in [
        ("target", "-1", "target is from 0 to 250 °C, not -1\n"),
        ("target", "hot", "target is from 0 to 250 °C, not hot\n"),
        ("interval", "NaN", "interval is from 0.01 to 60 s, not NaN\n"),
        (
            "colour",
            "1",
            "the oven has no setting colour; it has target and interval\n",
        ),
    ] {
        let (printed, complaint, code) = text_of(&run("sensor_board", &["set", &port, name, value]));
        assert_eq!((printed.as_str(), complaint.as_str(), code), ("", said, Some(1)));
    }
}
