//! Keys as text and in files, on any libzmq.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use zeroless::{Client, Error, ErrorKind, Keypair, PublicKey, Receiver, Result, Server, zmq};

use crate::kind_of;
use crate::support::Folder;

/// The keys of libzmq's manual, for tests that need no CURVE.
pub const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
pub const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

#[test]
fn files_round_trip() {
    let folder = Folder::new("curve-saved");
    let (secret_file, public_file) = (folder.0.join("server.key_secret"), folder.0.join("server.key"));
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    keypair.save(&secret_file).unwrap();
    keypair.public().save(&public_file).unwrap();
    assert_eq!(Keypair::load(&secret_file).unwrap(), keypair);
    assert_eq!(PublicKey::load(&public_file).unwrap(), *keypair.public());
    // A keypair's file contains the public key too.
    assert_eq!(PublicKey::load(&secret_file).unwrap(), *keypair.public());
    assert!(!fs::read_to_string(&public_file).unwrap().contains(SECRET));
    let error = Keypair::load(&public_file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("no secret key"), "{error}");
}

#[test]
fn secret_file_is_private_and_never_overwritten() {
    let folder = Folder::new("curve-mode");
    let file = folder.0.join("server.key_secret");
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    keypair.save(&file).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let written = fs::read(&file).unwrap();
    for outcome in [keypair.save(&file), keypair.public().save(&file)] {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let message = error.to_string();
        assert!(
            message.contains(&*file.to_string_lossy()) && message.contains("remove the file first"),
            "{message}"
        );
    }
    assert_eq!(fs::read(&file).unwrap(), written);
}

#[test]
fn missing_paths_are_named() {
    let folder = Folder::new("curve-nowhere");
    let file = folder.0.join("nowhere/server.key_secret");
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let errors = [
        keypair.save(&file).unwrap_err(),
        keypair.public().save(&file).unwrap_err(),
        Keypair::load(&file).unwrap_err(),
        PublicKey::load(&file).unwrap_err(),
        PublicKey::load(&folder.0).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(&*folder.0.to_string_lossy()), "{error}");
    }
}

#[test]
fn any_text_is_key_or_error() {
    proptest!(cases(), |(text in any_text())| {
        match text.parse::<PublicKey>() {
            Ok(key) => {
                prop_assert_eq!(text.len(), 40);
                prop_assert_eq!(key.to_string(), text.clone());
                // libzmq accepts each of these keys too: it decodes them to 32 bytes, which it encodes in the same way.
                prop_assert_eq!(zmq::z85_encode(&zmq::z85_decode(&text).unwrap()).unwrap(), text);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
                prop_assert!(error.to_string().contains(&text.escape_debug().to_string()), "{error}");
            }
        }
    });
}

#[test]
fn never_begin_with_comment_sign() {
    // The first five characters of such a key exceed 32 bits. So a line of a list is either a key or a comment.
    proptest!(cases(), |(rest in "[0-9a-zA-Z.:+=^!/*?&<>()\\[\\]{}@%$#-]{39}")| {
        prop_assert!(["#", &rest].concat().parse::<PublicKey>().is_err());
    });
    assert!(format!("#{}", "0".repeat(39)).parse::<PublicKey>().is_err());
}

#[test]
fn any_text_is_secret_key_or_error_that_hides_it() {
    proptest!(cases(), |(text in any_text())| {
        match Keypair::new(PUBLIC, &text) {
            Ok(keypair) => prop_assert_eq!(keypair.secret(), text),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
                // Shorter texts may be part of the message by chance.
                prop_assert!(text.len() < 20 || !format!("{error}{error:?}").contains(&text), "{error}");
            }
        }
    });
}

#[test]
fn any_file_has_keys_or_error_that_hides_secret() {
    let folder = Folder::new("curve-any-file");
    let path = folder.0.join("file");
    proptest!(cases(), |(bytes in any_file())| {
        fs::write(&path, &bytes).unwrap();
        match PublicKey::load(&path) {
            Ok(key) => prop_assert!(String::from_utf8(bytes.clone()).unwrap().contains(key.as_ref())),
            Err(error) => assert_tells_of_file(&error, &path)?,
        }
        match Keypair::load(&path) {
            Ok(keypair) => prop_assert_eq!((keypair.public().as_ref(), keypair.secret()), (PUBLIC, SECRET)),
            Err(error) => assert_tells_of_file(&error, &path)?,
        }
    });
}

#[test]
fn debug_output_hides_secrets() {
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let mut client = Client::new();
    client.curve(PUBLIC, &keypair);
    let mut server = Server::new(0);
    server.curve(&keypair).allow_keys([PUBLIC]);
    // A recipe with a fault shows it, too.
    let mut faulty = Client::new();
    faulty.curve("short", &keypair);
    let slip = Keypair::new(PUBLIC, format!("{SECRET}x")).unwrap_err();
    let shown = format!("{keypair:?} {keypair:#?} {client:?} {server:#?} {faulty:?} {slip} {slip:?}");
    assert!(shown.contains(PUBLIC) && shown.contains("short"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    let raw = format!("{:?}", zmq::z85_decode(SECRET).unwrap());
    assert!(!shown.contains(raw.trim_matches(['[', ']'])), "{shown}");
}

/// With CURVE nothing is wrong; without it the error says how to get it. This test runs in either case.
#[test]
fn work_only_if_libzmq_reports_support() {
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let outcomes = [
        Keypair::generate().map(drop),
        Server::new(0).curve(&keypair).allow_keys([PUBLIC]).pull().map(drop),
        Server::new(0).curve(&keypair).allow_any_key().reply().map(drop),
        Client::new().connect_local(9).curve(PUBLIC, &keypair).push().map(drop),
    ];
    for outcome in outcomes {
        if zeroless::libzmq().curve() {
            outcome.unwrap();
            continue;
        }
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let message = error.to_string();
        for what in ["feature `curve`", "README", "without CURVE"] {
            assert!(message.contains(what), "{message}");
        }
    }
}

#[test]
fn conflicting_options_are_errors() {
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let mut both = Server::new(0);
    both.curve(&keypair).plain(|_, _| true);
    let cases: [(Result<Receiver>, &str); 4] = [
        (both.pull(), "both curve and plain"),
        (Server::new(0).allow_keys([PUBLIC]).pull(), "call curve"),
        (Server::new(0).allow_keys_in("clients").pull(), "call curve"),
        (Client::new().curve("short", &keypair).pull(), "40 characters"),
    ];
    for (outcome, what) in cases {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
    assert_eq!(kind_of(Server::new(0).curve(&keypair).stream()), ErrorKind::Unsupported);
    assert_eq!(
        kind_of(Client::new().curve(PUBLIC, &keypair).stream()),
        ErrorKind::Unsupported
    );
}

/// proptest's own number of cases, without a file of the cases that failed: each of those gets a test of its own.
pub fn cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        // In milliseconds, so that a case that fails by waiting is shown before the watchdog ends the process.
        max_shrink_time: 30_000,
        ..ProptestConfig::default()
    }
}

/// Any text, and often a text that is almost a key.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9a-zA-Z.:+=^!/*?&<>()\\[\\]{}@%$#-]{38,42}",
        "[0-9a-f]{40}",
        "[ -~é]{40}",
    ]
}

/// Any bytes, and often almost a file of keys.
pub fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => select(vec![
            "curve",
            "    curve  ",
            "metadata",
            "# a comment",
            "#",
            "",
            "\r",
            "\u{feff}",
            "public-key",
            "public-key =",
            "public-key = \"",
            "public-key = \"short\"",
            "secret-key = \"short\"",
        ])
        .prop_map(str::to_owned),
        2 => select(vec![
            format!("{PUBLIC}"),
            format!("  {PUBLIC} a remark"),
            format!("public-key = \"{PUBLIC}\""),
            format!("public-key={PUBLIC}"),
            format!("secret-key = \"{SECRET}\""),
            format!("secret-key={SECRET}"),
            format!("secret-key = \"{SECRET}x\""),
            format!("secret-key=\"{SECRET}x\""),
        ]),
        1 => any::<String>(),
    ];
    prop_oneof![
        3 => prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n").into_bytes()),
        1 => any::<Vec<u8>>(),
    ]
}

pub fn assert_tells_of_file(error: &Error, path: &Path) -> std::result::Result<(), TestCaseError> {
    let shown = format!("{error}{error:?}");
    prop_assert_eq!(error.kind(), ErrorKind::InvalidInput);
    prop_assert!(shown.contains(&*path.to_string_lossy()), "{}", shown);
    prop_assert!(!shown.contains(SECRET), "{}", shown);
    Ok(())
}
