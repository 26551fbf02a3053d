//! The draft sockets without the feature `draft`. With it, `tests/draft/` tests them.

use crate::support::watchdog;
use zeroless::{Client, Error, ErrorKind, Server};

/// What each pattern method of a recipe returns as an error, with the name of its pattern.
macro_rules! errors_of {
    ($recipe:expr) => {
        [
            ("scatter", $recipe.scatter().err()),
            ("gather", $recipe.gather().err()),
            ("radio", $recipe.radio("group").err()),
            ("dish", $recipe.dish(["group"]).err()),
            ("draft_server", $recipe.draft_server().err()),
            ("draft_client", $recipe.draft_client().err()),
            ("peer", $recipe.peer().err()),
            ("channel", $recipe.channel().err()),
        ]
    };
}

fn assert_unsupported((pattern, error): (&str, Option<Error>)) {
    let error = error.unwrap_or_else(|| panic!("{pattern} is opened"));
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{pattern}: {error}");
    let text = error.to_string();
    assert!(text.contains(pattern) && text.contains("feature `draft`"), "{text}");
}

#[test]
#[cfg_attr(
    feature = "draft",
    ignore = "needs a libzmq without drafts: run without the feature draft"
)]
fn is_unsupported() {
    let _watchdog = watchdog();
    // Over TCP, libzmq would abort the process.
    errors_of!(Server::new(0)).into_iter().for_each(assert_unsupported);
    errors_of!(Client::new().connect_local(5555))
        .into_iter()
        .for_each(assert_unsupported);
    for endpoint in ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", "inproc://draft"] {
        assert_unsupported(("dish", Server::at(endpoint).dish(["group"]).err()));
        assert_unsupported(("dgram", Server::at(endpoint).dgram().err()));
    }
}

#[test]
#[cfg_attr(
    feature = "draft",
    ignore = "needs a libzmq without drafts: run without the feature draft"
)]
fn libzmq_reports_none() {
    let libzmq = zeroless::libzmq();
    assert!(!libzmq.draft());
    assert!(!libzmq.to_string().contains("draft"), "{libzmq}");
}

#[test]
fn other_patterns_do_not_speak_udp() {
    let _watchdog = watchdog();
    let errors = [
        Server::at("udp://127.0.0.1:5555").pull().unwrap_err(),
        Client::new().connect_to("udp://127.0.0.1:5555").push().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("does not speak udp"), "{error}");
    }
}
