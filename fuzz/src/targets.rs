//! One function per target. It panics if something is wrong.

use std::net::IpAddr;
use std::path::Path;
use std::sync::LazyLock;

use super::keys::{self, Keypair};
use super::policy::{Verdict, ZapRequest};
use super::rules::AccessRules;
use super::zap::{self, ZapDomain};
use crate::endpoint;
use crate::error::Error;

/// Where others' text is in messages, it is on one line.
fn check_error(error: &Error) {
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "{message:?}");
}

/// A file of keys: all keys that are found are in the file, and errors show no text that may be a key.
pub fn key_file(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let path = Path::new("file");
    let check_secrecy = |error: Error| {
        check_error(&error);
        let message = error.to_string();
        // No message has so long a word of its own.
        let leaked = text
            .split_whitespace()
            .find(|word| word.len() > 30 && message.contains(*word));
        assert_eq!(leaked, None);
    };
    match keys::list(text, path) {
        Ok(keys) => assert!(keys.iter().all(|key| text.contains(key.as_ref()))),
        Err(error) => check_secrecy(error),
    }
    match Keypair::from_file(text, path) {
        Ok(keypair) => assert!(text.contains(keypair.public().as_ref()) && text.contains(keypair.secret())),
        Err(error) => check_secrecy(error),
    }
}

/// Networks to allow and to deny, one per line, after the address of a client: what is let in is as the lists say.
pub fn network(bytes: &[u8]) {
    log::set_max_level(log::LevelFilter::Error);
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut lines = text.split('\n');
    let address = lines.next().unwrap_or_default();
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for line in lines {
        let (list, network) = match line.strip_prefix('!') {
            Some(network) => (&mut denied, network),
            None => (&mut allowed, line),
        };
        // The rules parse it again.
        match AccessRules::default().allow([network]) {
            Ok(()) => list.push(network),
            Err(error) => check_error(&error),
        }
    }
    let verdict = |allowed: &[&str], denied: &[&str]| {
        let mut rules = AccessRules::default();
        rules.allow(allowed).expect("each is valid");
        rules.deny(denied).expect("each is valid");
        let policy = rules.policy("fuzz").expect("the rules agree").expect("there are rules");
        let request = ZapRequest {
            address,
            mechanism: b"NULL",
            credentials: &[],
        };
        matches!(policy.judge(&request), Verdict::Admit(_))
    };
    let is_in = |network: &&str| verdict(&[network], &[]);
    let expected = allowed.iter().any(is_in) && !denied.iter().any(is_in);
    assert_eq!(verdict(&allowed, &denied), expected);
    if address.parse::<IpAddr>().is_ok() {
        assert!(verdict(&[address], &[]));
        assert!(!verdict(&[address], &[address]));
    }
}

/// An endpoint, or a host: what is accepted is well-formed, and errors are on one line.
pub fn endpoint(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match endpoint::check_connectable(text) {
        Ok(()) => {
            assert!(!text.contains(char::is_control) && text.contains("://"), "{text:?}");
            assert_ne!(text, endpoint::ZAP);
            assert_eq!(text.starts_with("tcp://"), endpoint::port_of(text).is_some());
        }
        Err(error) => check_error(&error),
    }
    match endpoint::to_connect(text, 5555) {
        Ok(endpoint) => {
            endpoint::check_connectable(&endpoint).expect("it is made by the crate");
            assert_eq!(endpoint::port_of(&endpoint), Some(5555));
            assert!(!endpoint.contains(char::is_whitespace));
        }
        Err(error) => check_error(&error),
    }
    check_error(&endpoint::connected_twice(text));
    check_error(&endpoint::not_connected(text, &[text.to_owned()]));
}

/// The frames of a ZAP request, each after its length: only Ada is let in, and only with her password.
pub fn zap(bytes: &[u8]) {
    static DOMAIN: LazyLock<ZapDomain> = LazyLock::new(|| {
        log::set_max_level(log::LevelFilter::Off);
        let mut rules = AccessRules::default();
        rules.plain_users([("ada".to_owned(), "enchantress".to_owned())]);
        rules.deny(["10.0.0.0/8"]).expect("it is a network");
        ZapDomain::new(rules.policy("fuzz").expect("the rules agree").expect("there are rules"))
    });
    let mut frames = Vec::new();
    let mut rest = bytes;
    while let Some((&length, after)) = rest.split_first() {
        let (frame, after) = after.split_at(usize::from(length).min(after.len()));
        let frame = match frame {
            // The fuzzer need not guess the name.
            b"domain" => DOMAIN.name().as_bytes(),
            _ => frame,
        };
        frames.push(frame.to_vec());
        rest = after;
    }
    let Some(admission) = zap::enqueue(frames.clone()) else {
        return;
    };
    let checker = admission.start_checker().expect("a request waits");
    let check = checker.next().expect("a request waits");
    let Some((verdict, reply)) = check.answer() else {
        return;
    };
    assert_eq!([&reply[0], &reply[3]], [&frames[0], &frames[3]]);
    assert!(reply[1].is_empty() && reply[7].is_empty());
    let address = String::from_utf8_lossy(&frames[5]);
    let address = address.split('%').next().and_then(|address| address.parse().ok());
    // An address that is none, such as the one of a client over ipc, is not denied.
    let is_denied = address.is_some_and(|address: IpAddr| match address.to_canonical() {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(_) => false,
    });
    let is_ada = frames[7..] == [&b"PLAIN"[..], b"ada", b"enchantress"] && !is_denied;
    assert_eq!(is_ada, matches!(verdict, Verdict::Admit(_)));
    match verdict {
        Verdict::Admit(user) => {
            assert_eq!(user, "ada");
            assert_eq!([&reply[4][..], &reply[6]], [&b"200"[..], b"ada"]);
        }
        Verdict::Refuse => assert_eq!([&reply[4][..], &reply[6]], [&b"400"[..], b""]),
        Verdict::Postpone => panic!("there is nothing that could not be checked"),
    }
}
