//! The open socket: what it reports, and how it is changed while running.

use std::io::ErrorKind::ConnectionRefused;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::{Folder, client_of_port, push_and_pull, texts, unused_port, wait_until, watchdog, zmtp};
use zeroless::{Client, ErrorKind, Receiver, Sender, Server};

#[test]
fn returns_chosen_port() {
    let (push, pull) = push_and_pull();
    let port = pull.socket().port().unwrap();
    assert_ne!(port, 0);
    assert_eq!(pull.socket().endpoints(), [format!("tcp://127.0.0.1:{port}")]);
    assert_eq!(push.socket().endpoints(), [format!("tcp://127.0.0.1:{port}")]);
}

#[test]
fn public_server_is_reached_at_every_address() {
    let _watchdog = watchdog();
    let pull = Server::public(0).pull().unwrap();
    let port = pull.socket().port().unwrap();
    // All of 127.0.0.0/8 is this machine, and Server::new binds only 127.0.0.1.
    for host in ["127.0.0.1", "127.0.0.2", "localhost"] {
        let push = Client::new().connect(host, port).push().unwrap();
        push.send(&[host]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), [host]);
    }
}

#[test]
fn connects_over_ipv6() {
    let _watchdog = watchdog();
    let pull = Server::at("tcp://[::1]:0").pull().unwrap();
    let push = Client::new()
        .connect("::1", pull.socket().port().unwrap())
        .push()
        .unwrap();
    push(&[b"six"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["six"]);
}

#[test]
fn open_socket_connects_over_ipv6() {
    let _watchdog = watchdog();
    let pull = Server::at("tcp://[::1]:0").pull().unwrap();
    let push = Client::new().push().unwrap();
    push.socket().connect("::1", pull.socket().port().unwrap()).unwrap();
    push(&[b"six"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["six"]);
}

#[test]
fn connects_over_ipc_and_inproc() {
    let _watchdog = watchdog();
    let path = std::env::temp_dir().join(format!("zeroless-{} live", std::process::id()));
    for endpoint in [format!("ipc://{}", path.display()), "inproc://live".to_owned()] {
        let pull = Server::at(&endpoint).pull().unwrap();
        let push = Client::new().connect_to(&endpoint).push().unwrap();
        push.send(&[&endpoint]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), [&endpoint]);
        assert_eq!(pull.socket().endpoints(), [endpoint]);
    }
    let _ = std::fs::remove_file(path);
}

#[test]
fn connects_and_disconnects_while_running() {
    let _watchdog = watchdog();
    let push = Client::new().push().unwrap();
    let servers = [(); 2].map(|()| Server::new(0).pull().unwrap());
    let [one, two] = [0, 1].map(|server: usize| servers[server].socket().port().unwrap());

    push.socket().connect_local(one).unwrap();
    push(&[b"to the first"]).unwrap();
    assert_eq!(texts(&servers[0].recv().unwrap()), ["to the first"]);

    push.socket().connect("127.0.0.1", two).unwrap();
    push.socket().disconnect_local(one).unwrap();
    assert_eq!(push.socket().endpoints(), [format!("tcp://127.0.0.1:{two}")]);
    push(&[b"to the second"]).unwrap();
    assert_eq!(texts(&servers[1].recv().unwrap()), ["to the second"]);

    push.socket().disconnect_all().unwrap();
    assert!(push.socket().endpoints().is_empty());
    assert!(push.send_timeout(&["to no one"], Duration::from_millis(20)).is_err());
}

#[test]
fn idle_socket_finishes_disconnecting() {
    let _watchdog = watchdog();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let closes_connection = || {
        let pull = client_of_port(port).pull().unwrap();
        let (mut server, _) = listener.accept().unwrap();
        zmtp::shake_hands(&mut server, "PUSH");
        pull.socket().disconnect_local(port).unwrap();
        server.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        // Without an end, this times out.
        server.read_to_end(&mut Vec::new()).is_ok()
    };
    // On a busy machine, libzmq's thread may be late.
    assert!((0..10).any(|_| closes_connection()));
}

/// A pusher that does not connect again, after the server at this endpoint has closed.
fn pusher_given_up(endpoint: &str) -> Sender {
    let pull = Server::at(endpoint).pull().unwrap();
    let push = Client::new()
        .connect_to(endpoint)
        .configure(|socket| socket.set_reconnect_ivl(-1))
        .linger(Duration::ZERO)
        .push()
        .unwrap();
    push(&[b"once"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["once"]);
    drop(pull);
    wait_until(|| push.try_send(&["to no one"]).is_err());
    push
}

#[test]
fn disconnects_from_server_that_libzmq_gave_up() {
    let _watchdog = watchdog();
    let _another = Server::new(0).pull().unwrap();
    let tcp = format!("tcp://127.0.0.1:{}", unused_port());
    for endpoint in [&tcp, "inproc://given-up"] {
        let push = pusher_given_up(endpoint);
        push.socket().disconnect_from(endpoint).unwrap();
        assert!(push.socket().endpoints().is_empty());

        let pull = Server::at(endpoint).pull().unwrap();
        push.socket().connect_to(endpoint).unwrap();
        push(&[b"again"]).unwrap();
        assert_eq!(texts(&pull.recv().unwrap()), ["again"]);
    }
}

#[test]
fn disconnects_from_all_though_libzmq_gave_up_one() {
    let _watchdog = watchdog();
    let _another = Server::new(0).pull().unwrap();
    let push = pusher_given_up("inproc://given-up-first");
    let pull = Server::new(0).pull().unwrap();
    push.socket().connect_local(pull.socket().port().unwrap()).unwrap();
    push.socket().disconnect_all().unwrap();
    assert!(push.socket().endpoints().is_empty());
    assert!(push.try_send(&["to no one"]).is_err());
}

fn endpoint_of(pull: &Receiver) -> String {
    pull.socket().endpoints().remove(0)
}

/// Sends 20,000 messages, and unbinds the server after the first.
fn assert_unbinding_loses_nothing(pull: &Receiver) {
    const COUNT: usize = 20_000;
    let endpoint = endpoint_of(pull);
    // So that the test fails at once if the connection is lost.
    let limit = Duration::from_secs(10);
    let push = Client::new()
        .connect_to(&endpoint)
        .timeout(limit)
        .linger(limit)
        .push()
        .unwrap();
    thread::scope(|scope| {
        scope.spawn(|| (0..COUNT).for_each(|number| push(&[number.to_string().as_bytes()]).unwrap()));
        assert_eq!(texts(&pull.recv().unwrap()), ["0"]);
        pull.socket().unbind(&endpoint).unwrap();
        for number in 1..COUNT {
            let message = pull.recv_timeout(limit).unwrap();
            assert_eq!(texts(&message), [number.to_string()]);
        }
    });
    assert!(pull.socket().endpoints().is_empty());
}

#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs zeroless's own libzmq: run without --config and --no-default-features"
)]
fn unbinding_keeps_tcp_connections() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    assert_unbinding_loses_nothing(&pull);
    assert_eq!(pull.socket().port().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs zeroless's own libzmq: run without --config and --no-default-features"
)]
fn unbinding_keeps_ipc_connections() {
    let _watchdog = watchdog();
    let folder = Folder::new("unbind");
    let endpoint = folder.ipc("jobs");
    let pull = Server::at(&endpoint).pull().unwrap();
    assert_unbinding_loses_nothing(&pull);
    // Another socket can take the path.
    Server::at(&endpoint).pull().unwrap();
}

#[test]
fn unbinding_keeps_inproc_connections() {
    let _watchdog = watchdog();
    let pull = Server::at("inproc://unbound").pull().unwrap();
    assert_unbinding_loses_nothing(&pull);
    let push = Client::new().connect_to("inproc://unbound").push().unwrap();
    push(&[b"to the next"]).unwrap();
    let next = Server::at("inproc://unbound").pull().unwrap();
    assert_eq!(texts(&next.recv().unwrap()), ["to the next"]);
    assert_eq!(pull.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs zeroless's own libzmq: run without --config and --no-default-features"
)]
fn unbound_server_refuses_new_connections() {
    let _watchdog = watchdog();
    let pull = Server::at(format!("tcp://127.0.0.1:{}", unused_port())).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let _push = client_of_port(port).push().unwrap();
    pull.socket().unbind(endpoint_of(&pull)).unwrap();
    wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_err_and(|error| error.kind() == ConnectionRefused));
}

#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs zeroless's own libzmq: run without --config and --no-default-features"
)]
fn unbound_port_can_be_bound_again() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let port = pull.socket().port().unwrap();
    let push = client_of_port(port).push().unwrap();
    push(&[b"to the first"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["to the first"]);
    pull.socket().unbind(endpoint_of(&pull)).unwrap();

    let next = Server::new(port).pull().unwrap();
    client_of_port(port).push().unwrap().send(&["to the second"]).unwrap();
    assert_eq!(texts(&next.recv().unwrap()), ["to the second"]);
    push(&[b"still to the first"]).unwrap();
    assert_eq!(texts(&pull.recv().unwrap()), ["still to the first"]);
}

#[test]
#[cfg_attr(libzmq = "own", ignore = "needs another libzmq: run with --no-default-features")]
fn unbinding_needs_own_libzmq() {
    let pull = Server::new(0).pull().unwrap();
    let error = pull.socket().unbind(endpoint_of(&pull)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("feature `own-libzmq`"), "{error}");
    assert_eq!(pull.socket().endpoints().len(), 1);
}

#[test]
fn unbinding_unknown_endpoint_names_bound_ones() {
    let pull = Server::new(0).pull().unwrap();
    let error = pull.socket().unbind("tcp://127.0.0.1:1\0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    let text = error.to_string();
    assert!(
        text.contains("tcp://127.0.0.1:1\\0") && text.contains(&endpoint_of(&pull)),
        "{text}"
    );
}

#[test]
fn unbinding_closed_socket_is_error() {
    let pull = Server::new(0).pull().unwrap();
    pull.socket().close();
    let error = pull.socket().unbind(endpoint_of(&pull)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

/// A client that has left its only server.
fn client_between_servers() -> Client {
    client_of_port(unused_port())
}

#[test]
fn blocked_send_continues_after_connect() {
    let _watchdog = watchdog();
    for _ in 0..100 {
        let push = client_between_servers().push().unwrap();
        push.socket().disconnect_all().unwrap();
        let pull = Server::new(0).pull().unwrap();
        let (about, to_block) = crossbeam_channel::bounded(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                about.send(()).unwrap();
                push(&[b"at last"]).unwrap();
            });
            to_block.recv().unwrap();
            push.socket().connect_local(pull.socket().port().unwrap()).unwrap();
            assert_eq!(texts(&pull.recv().unwrap()), ["at last"]);
        });
    }
}

#[test]
fn iteration_continues_after_connect() {
    let _watchdog = watchdog();
    let pull = client_between_servers().pull().unwrap();
    pull.socket().disconnect_all().unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| pull.iter().next().unwrap());
        let push = Server::new(0).push().unwrap();
        pull.socket().connect_local(push.socket().port().unwrap()).unwrap();
        push(&[b"hello"]).unwrap();
        assert_eq!(texts(&first.join().unwrap()), ["hello"]);
    });
}

/// Asserts that the error says how to give a client an address.
fn assert_unconnected<T: std::fmt::Debug>(outcome: zeroless::Result<T>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert!(error.to_string().contains("call connect on the recipe"), "{error}");
}

#[test]
fn client_without_address_neither_sends_nor_receives() {
    let _watchdog = watchdog();
    let client = Client::new();
    let (pair, pairs) = client.pair().unwrap();
    for sender in [
        client.push().unwrap(),
        client.dealer().unwrap().0,
        client.request().unwrap().0,
        client.xpublish().unwrap().0,
        client.xsubscribe().unwrap().0,
        pair,
    ] {
        assert_unconnected(sender.send(&["\x01"]));
        assert_unconnected(sender.try_send(&["\x01"]));
        assert_unconnected(sender.send(&[vec![1; 100_000]]));
        assert_unconnected(
            sender
                .send(&["\x01", "two frames"])
                .map_err(|error| match error.kind() {
                    // An xsubscriber sends subscriptions of one frame.
                    ErrorKind::InvalidInput => sender.send(&["\x01"]).unwrap_err(),
                    _ => error,
                }),
        );
    }
    let publish = client.publish().unwrap();
    assert_unconnected(publish.send(&["news"]));
    assert_unconnected(publish.wait_for_subscribers(1, Duration::from_secs(60)));
    for receiver in [client.pull().unwrap(), client.reply().unwrap().1, pairs] {
        assert_unconnected(receiver.recv());
        assert_unconnected(receiver.try_recv());
        assert_eq!(receiver.iter().count(), 0);
    }
    assert_unconnected(client.subscribe([""]).unwrap().recv());
}

#[test]
fn one_socket_binds_and_connects() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let push = Server::new(0).push().unwrap();
    pull.socket().connect_local(push.socket().port().unwrap()).unwrap();
    push(&[b"from the server that it connected to"]).unwrap();
    assert_eq!(pull.recv().unwrap().len(), 1);
    assert_eq!(pull.socket().endpoints().len(), 2);
}

#[test]
fn debug_output_names_socket() {
    let (push, pull) = push_and_pull();
    let port = pull.socket().port().unwrap();
    assert_eq!(format!("{push:?}"), format!("Sender(push on tcp://127.0.0.1:{port})"));
    assert_eq!(format!("{pull:?}"), format!("Receiver(pull on tcp://127.0.0.1:{port})"));
    pull.socket().close();
    assert_eq!(
        format!("{:?}", pull.socket()),
        format!("Socket(pull on tcp://127.0.0.1:{port}, closed)")
    );
    assert_eq!(
        format!("{:?}", Client::new().pull().unwrap()),
        "Receiver(pull (connected to nothing))"
    );
    let recipe = format!("{:?}", Client::new().connect_local(5555).configure(|_| Ok(())));
    assert!(
        recipe.contains("tcp://127.0.0.1:5555") && recipe.contains("1 closure"),
        "{recipe}"
    );
}
