//! Publish/subscribe: each message goes to all who subscribed to its beginning.

use std::time::Duration;

use crate::support::{self, await_subscribers, client_of, client_of_sender, texts, watchdog};
use zeroless::{ErrorKind, Publisher, Server, Subscriber};

/// A publisher that is a server, and a subscriber whose subscriptions have arrived.
fn publisher_and_subscriber(topics: &[&str]) -> (Publisher, Subscriber) {
    let publisher = Server::new(0).publish().unwrap();
    let subscriber = client_of_sender(&publisher).subscribe(topics).unwrap();
    await_subscribers(&publisher, topics.len());
    (publisher, subscriber)
}

#[test]
fn filters_by_topic_prefix() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    for first in ["other", "s", "sh", "", "short"] {
        publish(&[first.as_bytes(), b"body"]).unwrap();
    }
    assert_eq!(texts(&news.next().unwrap()), ["sh", "body"]);
    assert_eq!(texts(&news.next().unwrap()), ["short", "body"]);
}

#[test]
fn empty_topic_matches_everything() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&[""]);
    publish(&[b""]).unwrap();
    publish(&[b"anything"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), [""]);
    assert_eq!(texts(&news.next().unwrap()), ["anything"]);
}

#[test]
fn every_subscriber_gets_every_message() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let subscribers = [(); 5].map(|()| client_of_sender(&publish).subscribe(["a"]).unwrap());
    await_subscribers(&publish, 5);
    publish(&[b"a"]).unwrap();
    for subscriber in &subscribers {
        assert_eq!(texts(&subscriber.recv().unwrap()), ["a"]);
    }
}

#[test]
fn waiting_for_subscribers_loses_no_message() {
    let _watchdog = watchdog();
    for _ in 0..100 {
        let (publish, mut news) = publisher_and_subscriber(&[""]);
        publish(&[b"first"]).unwrap();
        assert_eq!(texts(&news.next().unwrap()), ["first"]);
    }
}

#[test]
fn wait_for_subscribers_counts_on_timeout() {
    let _watchdog = watchdog();
    let (publish, _news) = publisher_and_subscriber(&["one"]);
    let error = publish.wait_for_subscribers(2, Duration::from_millis(20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(
        error
            .to_string()
            .contains("wait for 2 subscriptions, of which 1 have arrived"),
        "{error}"
    );
}

#[test]
fn two_threads_wait_for_different_counts() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    std::thread::scope(|scope| {
        let many = scope.spawn(|| await_subscribers(&publish, 2));
        let few = scope.spawn(|| await_subscribers(&publish, 1));
        let _one = client_of_sender(&publish).subscribe(["a"]).unwrap();
        few.join().unwrap();
        let _two = client_of_sender(&publish).subscribe(["a"]).unwrap();
        many.join().unwrap();
    });
}

#[test]
fn counts_subscriptions_while_publishing() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let news = client_of_sender(&publish).subscribe([""]).unwrap();
    // Until the subscription has arrived, and publishing has read it.
    support::wait_until(|| {
        (0..1_000).for_each(|_| publish(&[b"x"]).unwrap());
        news.try_recv().is_ok()
    });
    publish.wait_for_subscribers(1, Duration::ZERO).unwrap();
}

#[test]
fn topic_refuses_other_messages() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    let publish = publish.topic("sh");
    let error = publish(&[b"bash", b"body"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("\"sh\""), "{error}");
    publish(&[b"shell", b"body"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["shell", "body"]);
}

#[test]
fn embeds_topic_as_first_frame() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    publish.embed_topic("sh")(&[b"one", b"two"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["sh", "one", "two"]);
}

#[test]
fn embeds_empty_topic() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&[""]);
    publish.embed_topic("")(&[b"one"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["", "one"]);
}

#[test]
fn every_send_method_handles_topic() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    let (strict, embedding) = (publish.topic("sh"), publish.embed_topic("sh"));
    assert!(strict.send(&["no"]).is_err());
    assert!(strict.try_send(&["no"]).is_err());
    assert!(strict.send_timeout(&["no"], Duration::ZERO).is_err());
    embedding.send(&["1"]).unwrap();
    embedding.try_send(&["2"]).unwrap();
    embedding.send_timeout(&["3"], Duration::ZERO).unwrap();
    for number in ["1", "2", "3"] {
        assert_eq!(texts(&news.next().unwrap()), ["sh", number]);
    }
}

#[test]
fn topic_handle_outlives_publisher() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    let embedding = publish.embed_topic("sh");
    drop(publish);
    embedding(&[b"body"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["sh", "body"]);
}

#[test]
fn adds_topic_while_running() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["a"]);
    news.subscribe("b").unwrap();
    await_subscribers(&publish, 2);
    publish(&[b"b"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["b"]);
}

#[test]
fn drops_topic_while_iterating() {
    let _watchdog = watchdog();
    let (publish, news) = publisher_and_subscriber(&["a", "b"]);
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| {
            news.iter()
                .map(|message| message[0].clone())
                .take_while(|topic| topic != b"end")
                .collect()
        });
        news.unsubscribe("a").unwrap();
        // Once this has arrived, the unsubscription has arrived too, because it was sent before.
        news.subscribe("end").unwrap();
        await_subscribers(&publish, 3);
        for topic in ["a", "b", "end"] {
            publish(&[topic.as_bytes()]).unwrap();
        }
        let seen: Vec<Vec<u8>> = seen.join().unwrap();
        assert_eq!(seen, [b"b"]);
    });
}

#[test]
fn topic_given_twice_is_dropped_at_once() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let mut news = client_of_sender(&publish).subscribe(["a", "a"]).unwrap();
    news.subscribe("a").unwrap();
    news.unsubscribe("a").unwrap();
    news.subscribe("b").unwrap();
    await_subscribers(&publish, 2);
    publish(&[b"a"]).unwrap();
    publish(&[b"b"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["b"]);
}

#[test]
fn matches_topics_of_every_length() {
    let _watchdog = watchdog();
    for length in [1, 245, 256, 1_000] {
        let topic = "x".repeat(length);
        let (publish, mut news) = publisher_and_subscriber(&[&topic]);
        publish.send(&[&topic]).unwrap();
        assert_eq!(texts(&news.next().unwrap()), [topic]);
    }
}

#[test]
fn client_publishes_to_subscribing_server() {
    let _watchdog = watchdog();
    let news = Server::new(0).subscribe(["a"]).unwrap();
    let publish = client_of(&news).publish().unwrap();
    std::thread::scope(|scope| {
        // The server sends its subscription only while it receives.
        let first = scope.spawn(|| news.recv().unwrap());
        await_subscribers(&publish, 1);
        publish(&[b"a", b"body"]).unwrap();
        assert_eq!(texts(&first.join().unwrap()), ["a", "body"]);
    });
}

#[test]
fn publish_does_not_block() {
    let _watchdog = watchdog();
    let publish = Server::new(0).high_water_mark(1).publish().unwrap();
    publish(&[b"to no one"]).unwrap();
    let _slow = client_of_sender(&publish).high_water_mark(1).subscribe([""]).unwrap();
    await_subscribers(&publish, 1);
    let frame = vec![0; 1 << 20];
    (0..100).for_each(|_| publish(&[&frame]).unwrap());
}
