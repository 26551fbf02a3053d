//! Radio/dish over UDP, unicast and multicast. Everything stays on loopback.

use std::net::UdpSocket;
use std::time::Duration;

use crate::radio_dish::{await_joined, next_message};
use crate::support::{unused_port, watchdog};
use zeroless::{Client, Dish, ErrorKind, Radio, Server};

fn radio_of(dish: &Dish, group: &str) -> Radio {
    Client::new()
        .connect_to(&dish.socket().endpoints()[0])
        .radio(group)
        .unwrap()
}

/// A multicast address that other tests do not use.
fn multicast() -> String {
    format!("udp://127.0.0.1;239.255.17.20:{}", unused_port())
}

#[test]
fn dish_receives_its_groups_only() {
    let _watchdog = watchdog();
    let dish = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let sport = radio_of(&dish, "sport");
    await_joined(&sport, &dish);
    sport.group("weather").unwrap()(&[b"rain"]).unwrap();
    sport(&[b"2:1"]).unwrap();
    assert_eq!(dish.recv().unwrap(), [&b"sport"[..], b"2:1"]);
}

#[test]
fn dish_joins_and_leaves() {
    let _watchdog = watchdog();
    let dish = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let sport = radio_of(&dish, "sport");
    let weather = sport.group("weather").unwrap();
    await_joined(&sport, &dish);
    dish.join("weather").unwrap();
    weather(&[b"rain"]).unwrap();
    assert_eq!(dish.recv().unwrap(), [&b"weather"[..], b"rain"]);
    dish.leave("sport").unwrap();
    sport(&[b"2:1"]).unwrap();
    weather(&[b"snow"]).unwrap();
    assert_eq!(dish.recv().unwrap(), [&b"weather"[..], b"snow"]);
}

#[test]
fn all_dishes_of_a_multicast_address_receive() {
    let _watchdog = watchdog();
    let endpoint = multicast();
    let dishes = [(); 2].map(|()| Server::at(&endpoint).dish(["sport"]).unwrap());
    let radios = [(); 2].map(|()| radio_of(&dishes[0], "sport"));
    for dish in &dishes {
        await_joined(&radios[0], dish);
    }
    for (radio, text) in radios.iter().zip(["2:1", "3:1"]) {
        radio.send(&[text]).unwrap();
        for dish in &dishes {
            assert_eq!(next_message(dish), ["sport", text].map(str::as_bytes));
        }
    }
}

#[test]
fn dish_of_a_multicast_address_takes_nothing_else() {
    let _watchdog = watchdog();
    let endpoint = multicast();
    let dish = Server::at(&endpoint).dish(["sport"]).unwrap();
    let radio = radio_of(&dish, "sport");
    await_joined(&radio, &dish);
    let direct = format!("udp://127.0.0.1:{}", dish.socket().port().unwrap());
    let direct = Client::new().connect_to(direct).radio("sport").unwrap();
    direct(&[b"direct"]).unwrap();
    radio(&[b"multicast"]).unwrap();
    assert_eq!(next_message(&dish)[1], b"multicast");
    assert_eq!(
        dish.recv_timeout(Duration::from_millis(50)).unwrap_err().kind(),
        ErrorKind::TimedOut
    );
}

#[test]
fn message_fits_into_a_datagram_or_is_an_error() {
    let _watchdog = watchdog();
    let dish = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let radio = radio_of(&dish, "sport");
    await_joined(&radio, &dish);
    for length in [0, 8191 - "sport".len()] {
        radio.send(&[vec![7; length]]).unwrap();
        assert_eq!(dish.recv().unwrap()[1], vec![7; length]);
    }
    let error = radio.send(&[vec![7; 8192 - "sport".len()]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("8192 bytes"), "{error}");
}

#[test]
fn radio_and_dish_use_udp_beside_tcp() {
    let _watchdog = watchdog();
    let tcp = Server::at("tcp://[::1]:0");
    let dish = tcp.clone().also_at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let [by_tcp, by_udp] = dish.socket().endpoints().try_into().unwrap();
    for endpoint in [by_tcp, by_udp] {
        await_joined(&Client::new().connect_to(&endpoint).radio("sport").unwrap(), &dish);
    }
}

#[test]
fn radio_connects_and_dish_binds() {
    let _watchdog = watchdog();
    let errors = [
        Server::at("udp://127.0.0.1:0").radio("sport").unwrap_err(),
        Client::new()
            .connect_to("udp://127.0.0.1:5555")
            .dish(["sport"])
            .unwrap_err(),
    ];
    for (error, remedy) in errors.iter().zip(["Client::connect_to", "Server::at"]) {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
    }
}

#[test]
fn other_patterns_do_not_speak_udp() {
    let _watchdog = watchdog();
    let errors = [
        Server::at("udp://127.0.0.1:0").pull().unwrap_err(),
        Server::at("udp://127.0.0.1:0").gather().unwrap_err(),
        Client::new().connect_to("udp://127.0.0.1:5555").push().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("does not speak udp"), "{error}");
    }
}

#[test]
fn security_is_refused() {
    let _watchdog = watchdog();
    let errors = [
        Server::at("udp://127.0.0.1:0")
            .allow(["127.0.0.1"])
            .dish(["sport"])
            .unwrap_err(),
        Server::at("udp://127.0.0.1:0")
            .plain_users([("ada", "x")])
            .dgram()
            .unwrap_err(),
        Client::new()
            .connect_to("udp://127.0.0.1:5555")
            .plain("ada", "x")
            .radio("sport")
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("udp has no keys"), "{error}");
    }
}

#[test]
fn occupied_port_is_an_error() {
    let _watchdog = watchdog();
    let dish = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    await_joined(&radio_of(&dish, "sport"), &dish);
    let other = UdpSocket::bind("0.0.0.0:0").unwrap();
    let endpoints = [
        dish.socket().endpoints()[0].clone(),
        format!("udp://*:{}", other.local_addr().unwrap().port()),
        format!("udp://127.0.0.1;239.255.17.20:{}", other.local_addr().unwrap().port()),
    ];
    for endpoint in endpoints {
        let error = Server::at(&endpoint).dish(["sport"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse, "{endpoint}: {error}");
    }
}

#[test]
fn address_of_another_machine_is_an_error() {
    let _watchdog = watchdog();
    // Addresses for documentation, which no machine has.
    for endpoint in ["udp://192.0.2.1:5555", "udp://192.0.2.1;239.255.17.20:5555"] {
        let error = Server::at(endpoint).dish(["sport"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable, "{endpoint}: {error}");
    }
}

#[test]
fn malformed_endpoints_are_errors() {
    let _watchdog = watchdog();
    for endpoint in [
        "udp://localhost:0",
        "udp://[::1]:0",
        "udp://239.255.17.20:0",
        "udp://127.0.0.1",
        "udp://",
    ] {
        let error = Server::at(endpoint).dish(["sport"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{endpoint}: {error}");
        let error = Client::new().connect_to(endpoint).radio("sport").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{endpoint}: {error}");
    }
}

#[test]
fn port_is_free_again_after_close() {
    let _watchdog = watchdog();
    let dish = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let endpoint = dish.socket().endpoints()[0].clone();
    await_joined(&radio_of(&dish, "sport"), &dish);
    drop(dish);
    let dish = Server::at(&endpoint).dish(["sport"]).unwrap();
    await_joined(&radio_of(&dish, "sport"), &dish);
}

#[test]
fn dish_goes_on_after_its_queue_was_full() {
    let _watchdog = watchdog();
    let dish = Server::at("udp://127.0.0.1:0")
        .high_water_mark(1)
        .dish(["sport"])
        .unwrap();
    let radio = radio_of(&dish, "sport");
    await_joined(&radio, &dish);
    for round in 0..3 {
        (0..1_000).for_each(|_| radio(&[b"too many"]).unwrap());
        // What has not been lost arrives, and then the next message.
        while dish.recv_timeout(Duration::from_millis(10)).is_ok() {}
        await_joined(&radio, &dish);
        println!("round {round}");
    }
}

#[test]
fn disconnected_radio_sends_nothing() {
    let _watchdog = watchdog();
    let dish = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let other = Server::at("udp://127.0.0.1:0").dish(["sport"]).unwrap();
    let radio = radio_of(&dish, "sport");
    await_joined(&radio, &dish);
    radio.socket().connect_to(&other.socket().endpoints()[0]).unwrap();
    await_joined(&radio, &other);
    radio.socket().disconnect_from(&dish.socket().endpoints()[0]).unwrap();
    while dish.recv_timeout(Duration::from_millis(10)).is_ok() {}
    radio(&[b"to the other"]).unwrap();
    assert_eq!(other.recv().unwrap()[1], b"to the other");
    assert_eq!(dish.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}
