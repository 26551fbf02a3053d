//! Publish/subscribe: each message goes to all who subscribed to its beginning.

mod support;

use std::time::Duration;

use support::{await_subscribers, client_of, client_of_sender, texts, watchdog};
use zeroless::{ErrorKind, Publisher, Server, Subscriber};

/// A publisher that is a server, and a subscriber whose subscriptions have arrived.
fn publisher_and_subscriber(topics: &[&str]) -> (Publisher, Subscriber) {
    let publisher = Server::new(0).publish().unwrap();
    let subscriber = client_of_sender(&publisher).subscribe(topics).unwrap();
    await_subscribers(&publisher, topics.len());
    (publisher, subscriber)
}

#[test]
fn a_subscriber_gets_the_messages_that_begin_with_its_topic() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    for first in ["other", "s", "sh", "", "short"] {
        publish(&[first.as_bytes(), b"body"]).unwrap();
    }
    assert_eq!(texts(&news.next().unwrap()), ["sh", "body"]);
    assert_eq!(texts(&news.next().unwrap()), ["short", "body"]);
}

#[test]
fn the_empty_topic_is_everything() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&[""]);
    publish(&[b""]).unwrap();
    publish(&[b"anything"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), [""]);
    assert_eq!(texts(&news.next().unwrap()), ["anything"]);
}

#[test]
fn each_subscriber_gets_each_message() {
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
fn the_first_message_after_waiting_for_subscribers_is_never_lost() {
    let _watchdog = watchdog();
    for _ in 0..100 {
        let (publish, mut news) = publisher_and_subscriber(&[""]);
        publish(&[b"first"]).unwrap();
        assert_eq!(texts(&news.next().unwrap()), ["first"]);
    }
}

#[test]
fn waiting_for_subscribers_says_how_many_came_when_time_is_up() {
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
fn two_threads_can_wait_for_different_numbers_of_subscribers() {
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
fn subscriptions_are_counted_also_while_publishing() {
    let _watchdog = watchdog();
    let publish = Server::new(0).publish().unwrap();
    let news = client_of_sender(&publish).subscribe([""]).unwrap();
    // Until the subscription has arrived, and has been read in passing.
    support::wait_until(|| {
        (0..1_000).for_each(|_| publish(&[b"x"]).unwrap());
        news.try_recv().is_ok()
    });
    publish.wait_for_subscribers(1, Duration::ZERO).unwrap();
}

#[test]
fn a_publisher_with_a_topic_refuses_messages_that_do_not_begin_with_it() {
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
fn an_embedded_topic_is_the_first_frame() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    publish.embed_topic("sh")(&[b"one", b"two"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["sh", "one", "two"]);
}

#[test]
fn an_empty_topic_is_embedded_too() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&[""]);
    publish.embed_topic("")(&[b"one"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["", "one"]);
}

#[test]
fn topics_are_checked_and_embedded_by_every_way_of_sending() {
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
fn a_publisher_outlives_the_one_that_it_was_made_from() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["sh"]);
    let embedding = publish.embed_topic("sh");
    drop(publish);
    embedding(&[b"body"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["sh", "body"]);
}

#[test]
fn a_topic_can_be_added_while_running() {
    let _watchdog = watchdog();
    let (publish, mut news) = publisher_and_subscriber(&["a"]);
    news.subscribe("b").unwrap();
    await_subscribers(&publish, 2);
    publish(&[b"b"]).unwrap();
    assert_eq!(texts(&news.next().unwrap()), ["b"]);
}

#[test]
fn a_topic_can_be_dropped_while_another_thread_iterates() {
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
        // Once this one has arrived, so has the end of the other, which was sent before it.
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
fn a_topic_given_twice_is_dropped_at_once() {
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
fn topics_of_every_length_that_is_accepted_are_found() {
    let _watchdog = watchdog();
    for length in [1, 245, 256, 1_000] {
        let topic = "x".repeat(length);
        let (publish, mut news) = publisher_and_subscriber(&[&topic]);
        publish.send(&[&topic]).unwrap();
        assert_eq!(texts(&news.next().unwrap()), [topic]);
    }
}

#[test]
fn a_client_can_publish_to_a_server_that_subscribes() {
    let _watchdog = watchdog();
    let news = Server::new(0).subscribe(["a"]).unwrap();
    let publish = client_of(&news).publish().unwrap();
    std::thread::scope(|scope| {
        // The server asks for its topic only while it receives.
        let first = scope.spawn(|| news.recv().unwrap());
        await_subscribers(&publish, 1);
        publish(&[b"a", b"body"]).unwrap();
        assert_eq!(texts(&first.join().unwrap()), ["a", "body"]);
    });
}

#[test]
fn publishing_does_not_block_without_subscribers_or_for_slow_ones() {
    let _watchdog = watchdog();
    let publish = Server::new(0).high_water_mark(1).publish().unwrap();
    publish(&[b"to no one"]).unwrap();
    let _slow = client_of_sender(&publish).high_water_mark(1).subscribe([""]).unwrap();
    await_subscribers(&publish, 1);
    let frame = vec![0; 1 << 20];
    (0..100).for_each(|_| publish(&[&frame]).unwrap());
}
