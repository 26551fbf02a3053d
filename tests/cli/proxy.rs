//! Brokers.

use nix::sys::signal::Signal;

use crate::program::{Program, connect, start};
use crate::support::watchdog;

fn proxy(options: &str) -> (Program, u16, u16) {
    let mut proxy = start(&format!("proxy 0 0 {options}"));
    let ports = ["frontend", "backend"].map(|side| {
        let line = proxy.hears(&format!("the {side} is listening on port "));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    });
    (proxy, ports[0], ports[1])
}

#[test]
fn requests_and_calls_pass() {
    let _watchdog = watchdog();
    let (proxy, front, back) = proxy("--pattern router-dealer");
    let reply = connect(back, "reply -n 1 -- tr a-z A-Z");
    assert_eq!(connect(front, "request hello").text(), "HELLO\n");
    reply.succeeds();
    let _serve = connect(back, "serve -- echo got");
    assert_eq!(connect(front, "call hello").text(), "got hello\n");
    proxy.signal(Signal::SIGINT);
    proxy.dies_of(Signal::SIGINT);
}

#[test]
fn news_pass() {
    let _watchdog = watchdog();
    let (_proxy, front, back) = proxy("--pattern forwarder");
    let mut subscribe = connect(back, "subscribe news");
    let mut publish = connect(front, "publish --wait 1");
    publish.types("sport: 2:1");
    publish.types("news: rain");
    assert_eq!(subscribe.prints(), "news: rain");
    drop(publish);
}

#[test]
fn pushed_messages_pass() {
    let _watchdog = watchdog();
    let (_proxy, front, back) = proxy("--pattern streamer");
    let pull = connect(back, "pull -n 2");
    connect(front, "push a b").succeeds();
    assert_eq!(pull.text(), "a\nb\n");
}
