//! The ends of publish/subscribe that handle subscriptions as messages.

use crate::support::{self, await_subscribers, client_of, client_of_sender, texts, watchdog};
use zeroless::{ErrorKind, Server};

#[test]
fn receives_subscriptions_and_their_end() {
    let _watchdog = watchdog();
    let (publish, subscriptions) = Server::new(0).xpublish().unwrap();
    let mut news = client_of_sender(&publish).subscribe(["sport"]).unwrap();
    assert_eq!(subscriptions.recv().unwrap(), [b"\x01sport"]);
    publish(&[b"weather", b"rain"]).unwrap();
    publish(&[b"sport", b"2:1"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["sport", "2:1"]);
    news.unsubscribe("sport").unwrap();
    assert_eq!(subscriptions.recv().unwrap(), [b"\x00sport"]);
}

#[test]
fn verbose_reports_each_subscription() {
    let _watchdog = watchdog();
    for (verbose, expected) in [
        (false, &[&b"\x01a"[..], b"\x01end"][..]),
        (true, &[b"\x01a", b"\x01a", b"\x01end"]),
    ] {
        let (publish, subscriptions) = Server::new(0)
            .configure(move |socket| socket.set_xpub_verbose(verbose))
            .xpublish()
            .unwrap();
        let _first = client_of_sender(&publish).subscribe(["a"]).unwrap();
        assert_eq!(subscriptions.recv().unwrap(), [expected[0]]);
        // Its two subscriptions come one after the other.
        let second = client_of_sender(&publish).subscribe(["a"]).unwrap();
        second.subscribe("end").unwrap();
        for subscription in &expected[1..] {
            assert_eq!(subscriptions.recv().unwrap(), [*subscription]);
        }
    }
}

#[test]
fn subscribes_and_unsubscribes_by_sending() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let (subscribe, news) = client_of_sender(&publish).xsubscribe().unwrap();
    subscribe(&[b"\x01sport"]).unwrap();
    subscribe(&[b"\x01weather"]).unwrap();
    await_subscribers(&publish, 2);
    publish(&[b"weather", b"rain"]).unwrap();
    assert_eq!(texts(&news.recv().unwrap()), ["weather", "rain"]);
    subscribe(&[b"\x00weather"]).unwrap();
    // This arrives after the unsubscription.
    subscribe(&[b"\x01end"]).unwrap();
    await_subscribers(&publish, 3);
    publish(&[b"weather", b"sun"]).unwrap();
    publish(&[b"sport", b"2:1"]).unwrap();
    assert_eq!(texts(&news.recv().unwrap()), ["sport", "2:1"]);
}

#[test]
fn xpublish_client_reaches_subscribing_server() {
    let _watchdog = watchdog();
    let (subscribe, news) = Server::new(0).xsubscribe().unwrap();
    let (publish, subscriptions) = client_of(&news).xpublish().unwrap();
    subscribe(&[b"\x01"]).unwrap();
    assert_eq!(
        support::while_receiving(&news, || subscriptions.recv().unwrap()),
        [b"\x01"]
    );
    publish(&[b"anything"]).unwrap();
    assert_eq!(texts(&news.recv().unwrap()), ["anything"]);
}

#[test]
fn xsubscribe_sends_other_messages() {
    let _watchdog = watchdog();
    let (publish, subscriptions) = Server::new(0).xpublish().unwrap();
    let (subscribe, _news) = client_of_sender(&publish).xsubscribe().unwrap();
    subscribe(&[b"\x01news"]).unwrap();
    assert_eq!(subscriptions.recv().unwrap(), [b"\x01news"]);
    subscribe(&[b"\x02", b"more"]).unwrap();
    assert_eq!(subscriptions.recv().unwrap(), [&b"\x02"[..], b"more"]);
}

#[test]
fn refuses_malformed_subscriptions() {
    let _watchdog = watchdog();
    let (subscribe, _news) = Server::new(0).xsubscribe().unwrap();
    let long_topic = [&[1][..], &[b'x'; 250]].concat();
    let refused: [&[&[u8]]; 4] = [
        &[],
        &[&long_topic],
        &[b"\x01topic", b"more"],
        &[b"\x02more", b"\x01topic"],
    ];
    for frames in refused {
        assert_eq!(
            subscribe(frames).unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{frames:?}"
        );
    }
}
