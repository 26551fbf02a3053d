//! Mistakes that a user can make with each of the larger examples.

use super::*;

#[test]
fn wrong_arguments_print_usage() {
    let _watchdog = watchdog();
    for (name, roles) in [
        ("node", "  node server ADDRESS\n  node client ADDRESS...\n"),
        (
            "remote_run",
            "  remote_run server ADDRESS\n  remote_run client ADDRESS SECONDS COMMAND [ARGUMENT]...\n",
        ),
        (
            "download",
            "  download server ADDRESS FILE\n  download client ADDRESS FILE\n",
        ),
        (
            "log_collector",
            "  log_collector collector ADDRESS FILE\n  log_collector writer ADDRESS NAME\n",
        ),
        (
            "chat_room",
            "  chat_room room ADDRESS\n  chat_room member ADDRESS NAME\n",
        ),
        (
            "sensor_board",
            "  sensor_board device ADDRESS\n  sensor_board board ADDRESS\n  sensor_board set ADDRESS target|interval NUMBER\n",
        ),
    ] {
        let addresses =
            "An ADDRESS is PORT or HOST:PORT. A server at 0.0.0.0:PORT can be reached from other machines.\n";
        let usage = format!("usage:\n  {name}\n{roles}{addresses}");
        for arguments in [
            &["--help"][..],
            &["server"],
            &["client"],
            &["set", "12345"],
            &["member", "12345", ""],
        ] {
            let (printed, complaint, code) = text_of(&run(name, arguments));
            assert_eq!(
                (printed.as_str(), complaint.as_str(), code),
                ("", usage.as_str(), Some(2))
            );
        }
    }
}

#[test]
fn missing_port_is_told() {
    let _watchdog = watchdog();
    for (name, arguments) in [
        ("node", &["client", "127.0.0.1"][..]),
        ("node", &["server", "localhost"]),
        ("download", &["client", "nope", "file"]),
    ] {
        let (_, complaint, code) = text_of(&run(name, arguments));
        assert!(complaint.contains("it has no port"), "{complaint}");
        assert_eq!(code, Some(1));
    }
}

#[test]
fn port_in_use_is_reported() {
    let _watchdog = watchdog();
    let port = unused_ports(2);
    let [first, _second] = [port, port + 1].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
    let folder = Folder::new("in-use", &[("file", "")]);
    let file = folder.0.join("file");
    for (name, role, more) in [
        ("node", "server", &[][..]),
        ("remote_run", "server", &[]),
        ("download", "server", &[file.to_str().unwrap()]),
        ("log_collector", "collector", &[file.to_str().unwrap()]),
        ("chat_room", "room", &[]),
        ("sensor_board", "device", &[]),
    ] {
        assert_taken(example(name, &[&[role, &port.to_string()], more].concat()), port);
    }
    drop(first);
    for (name, role) in [("chat_room", "room"), ("sensor_board", "device")] {
        assert_taken(example(name, &[role, &port.to_string()]), port + 1);
    }
}

/// The remedy is to correct the port, so trying again would not help.
#[test]
fn clients_stop_at_server_of_another_pattern() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let port = publish.socket().port().unwrap().to_string();
    for (name, arguments) in [
        ("node", &["client", &port][..]),
        ("remote_run", &["client", &port, "10", "true"]),
        ("download", &["client", &port, "no/such/folder/copy"]),
        ("log_collector", &["writer", &port, "mars"]),
        ("chat_room", &["member", &port, "ada"]),
        ("sensor_board", &["set", &port, "target", "1"]),
    ] {
        let is_told = || {
            let mut client = launch(name, arguments);
            client.types("a line");
            client.let_go();
            client
                .reports()
                .any(|line| line.contains("the server has refused this client"))
        };
        // A client that is refused before it has finished connecting is not told.
        assert!((0..10).any(|_| is_told()), "{name} is not told");
    }
}
