//! Radio/dish over connections. Module `udp` has it over datagrams.

use std::time::Duration;

use crate::support::{Folder, client_of, watchdog};
use zeroless::{Client, Dish, ErrorKind, Message, Radio, Server};

/// How the messages of [`await_joined`] begin.
const PROBE: &[u8] = b"probe ";

/// Sends until the dish receives the last message that was sent. What is sent before it has joined is lost.
pub fn await_joined(radio: &Radio, dish: &Dish) {
    for number in 0.. {
        let probe = [PROBE, number.to_string().as_bytes()].concat();
        radio.send(&[&probe]).unwrap();
        while let Ok(message) = dish.recv_timeout(Duration::from_millis(10)) {
            if message[1] == probe {
                return;
            }
        }
    }
}

/// The next message that is not for another dish of [`await_joined`].
pub fn next_message(dish: &Dish) -> Message {
    dish.iter().find(|message| !message[1].starts_with(PROBE)).unwrap()
}

/// A radio and a dish of the group "sport", which has joined.
fn radio_and_dish() -> (Radio, Dish) {
    let radio = Server::new(0).radio("sport").unwrap();
    let dish = client_of_radio(&radio).dish(["sport"]).unwrap();
    await_joined(&radio, &dish);
    (radio, dish)
}

/// Asserts that of these two messages, only the second arrives.
fn assert_skips(dish: &Dish, skipped: &Radio, sent: &Radio) {
    skipped(&[b"skipped"]).unwrap();
    sent(&[b"sent"]).unwrap();
    assert_eq!(dish.recv().unwrap()[1], b"sent");
}

#[test]
fn dish_receives_its_groups_only() {
    let _watchdog = watchdog();
    let (sport, dish) = radio_and_dish();
    let weather = sport.group("weather").unwrap();

    weather(&[b"rain"]).unwrap();
    sport(&[b"2:1"]).unwrap();
    assert_eq!(dish.recv().unwrap(), [&b"sport"[..], b"2:1"]);
}

#[test]
fn group_is_matched_as_a_whole() {
    let _watchdog = watchdog();
    let (sport, dish) = radio_and_dish();
    assert_skips(&dish, &sport.group("sports").unwrap(), &sport);
    assert_skips(&dish, &sport.group("spor").unwrap(), &sport);
}

#[test]
fn dish_joins_and_leaves() {
    let _watchdog = watchdog();
    let (sport, dish) = radio_and_dish();
    let weather = sport.group("weather").unwrap();

    dish.join("weather").unwrap();
    dish.join("weather").unwrap(); // changes nothing
    await_joined(&weather, &dish);
    dish.leave("sport").unwrap();
    assert_skips(&dish, &sport, &weather);

    let error = dish.leave("sport").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert!(error.to_string().ends_with(r#"joined groups: "weather""#), "{error}");
}

#[test]
fn every_dish_receives_short_and_long_messages_of_long_groups() {
    let _watchdog = watchdog();
    // libzmq keeps groups of 15 bytes in shared memory, and messages of up to 33 bytes do not share theirs.
    let radio = Server::new(0).radio("group of 15 byt").unwrap();
    let client = client_of_radio(&radio);
    let dishes = [(); 3].map(|()| client.dish(["group of 15 byt"]).unwrap());
    dishes.iter().for_each(|dish| await_joined(&radio, dish));
    for length in [0, 33, 34, 100_000] {
        radio.send(&[vec![7; length]]).unwrap();
    }
    for dish in &dishes {
        for length in [0, 33, 34, 100_000] {
            assert_eq!(next_message(dish), [b"group of 15 byt".to_vec(), vec![7; length]]);
        }
    }
}

fn client_of_radio(radio: &Radio) -> Client {
    let mut client = Client::new();
    client.connect_local(radio.socket().port().unwrap());
    client
}

#[test]
fn dish_joins_at_all_radios() {
    let _watchdog = watchdog();
    let radios = [(); 3].map(|()| Server::new(0).radio("group of 15 byt").unwrap());
    let mut client = Client::new();
    for radio in &radios {
        client.connect_local(radio.socket().port().unwrap());
    }
    let dish = client.dish([""; 0]).unwrap();
    dish.join("group of 15 byt").unwrap();
    radios.iter().for_each(|radio| await_joined(radio, &dish));
    dish.leave("group of 15 byt").unwrap();
}

#[test]
fn dish_that_binds_joins_while_it_receives() {
    let _watchdog = watchdog();
    let dish = Server::new(0).dish(["sport"]).unwrap();
    let radio = client_of(&dish).radio("sport").unwrap();
    await_joined(&radio, &dish);
}

#[test]
fn delivers_over_ipc_and_inproc() {
    let _watchdog = watchdog();
    let folder = Folder::new("radio");
    for endpoint in [folder.ipc("radio"), "inproc://radio".to_owned()] {
        let dish = Client::new().connect_to(&endpoint).dish(["sport"]).unwrap();
        let radio = Server::at(endpoint).radio("sport").unwrap();
        await_joined(&radio, &dish);
    }
}

#[test]
fn dish_joins_more_groups_than_fit_into_a_queue() {
    let _watchdog = watchdog();
    let radio = Server::new(0).radio("1999").unwrap();
    let mut client = client_of_radio(&radio);
    let dish = client
        .high_water_mark(10)
        .dish((0..2_000).map(|number| number.to_string()))
        .unwrap();
    await_joined(&radio, &dish);
}

#[test]
fn radio_never_waits() {
    let _watchdog = watchdog();
    let radio = Server::new(0).high_water_mark(1).radio("sport").unwrap();
    let mut client = client_of_radio(&radio);
    let dish = client.high_water_mark(1).dish(["sport"]).unwrap();
    await_joined(&radio, &dish);
    (0..10_000).for_each(|_| radio(&[&[0; 1_000]]).unwrap());
    assert!(dish.recv().is_ok());
}

#[test]
fn refuses_groups_that_cannot_be() {
    let _watchdog = watchdog();
    let dish = Client::new().connect_local(5555).dish(["sport"]).unwrap();
    let radio = Client::new().connect_local(5555).radio("sport").unwrap();
    for group in [&b""[..], b"sixteen bytes ..", b"zero\0"] {
        let errors = [
            dish.join(group).unwrap_err(),
            radio.group(group).unwrap_err(),
            Client::new().connect_local(5555).dish([group]).unwrap_err(),
            Client::new().connect_local(5555).radio(group).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(error.to_string().contains("1 to 15 bytes"), "{error}");
        }
    }
}

#[test]
fn refuses_two_frames() {
    let _watchdog = watchdog();
    let radio = Server::new(0).radio("sport").unwrap();
    let error = radio(&[b"one", b"two"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("a message has one frame"), "{error}");
}

#[test]
fn becomes_a_channel() {
    let _watchdog = watchdog();
    let radio = Server::new(0).radio("sport").unwrap();
    let dish = client_of_radio(&radio).dish(["sport"]).unwrap();
    await_joined(&radio, &dish);
    let channel = dish.into_channel(10);
    radio(&[b"2:1"]).unwrap();
    assert_eq!(channel.recv().unwrap()[1], b"2:1");
}
