//! Keys as text and in files, on any libzmq.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use proptest::prelude::*;
use proptest::sample::select;
use zeroize::Zeroizing;
use zeroless::{Client, Error, ErrorKind, Keypair, PublicKey, Receiver, Result, Server, zmq};

use crate::kind_of;
use crate::support::{Folder, argument_of_child, run_in_child, watchdog};

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
                // It may be a secret key. Shorter texts may be part of the message by chance.
                prop_assert!(text.len() < 20 || !format!("{error}{error:?}").contains(&text), "{error}");
            }
        }
    });
}

/// A secret key in the wrong place, or with a slip of the hand.
#[test]
fn misplaced_secret_is_not_shown() {
    let folder = Folder::new("curve-misplaced");
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let slip = &SECRET[1..];
    let file = folder.0.join("swapped.key");
    fs::write(
        &file,
        format!("curve\npublic-key = \"{slip}\"\nsecret-key = \"{PUBLIC}\"\n"),
    )
    .unwrap();
    let opened = |client: &Client| client.push().map(drop).unwrap_err();
    let cases = [
        (slip.parse::<PublicKey>().unwrap_err(), "has 39 characters"),
        (Keypair::new(slip, PUBLIC).unwrap_err(), "public key of the keypair"),
        (Keypair::new(SECRET, "short").unwrap_err(), "secret key of the keypair"),
        (Keypair::new(SECRET, SECRET).unwrap_err(), "the same"),
        (
            Server::new(0).allow_keys([PUBLIC, slip]).pull().unwrap_err(),
            "key 2 of the list",
        ),
        (opened(Client::new().curve(slip, &keypair)), "the server's key"),
        (opened(Client::new().curve(SECRET, &keypair)), "own secret key"),
        (PublicKey::load(&file).unwrap_err(), "swapped.key is not a public key"),
        (Keypair::load(&file).unwrap_err(), "swapped.key"),
        (PublicKey::load(SECRET).unwrap_err(), "may be a key"),
        (Keypair::load(SECRET).unwrap_err(), "may be a key"),
        (opened(Client::new().plain("ada", SECRET.repeat(7))), "280 bytes"),
    ];
    for (error, what) in cases {
        let shown = format!("{error}{error:?}");
        assert!(shown.contains(what) && !shown.contains(slip), "{shown}");
    }
}

#[test]
fn only_small_regular_files_are_read() {
    let _watchdog = watchdog();
    let folder = Folder::new("curve-irregular");
    let (fifo, large) = (folder.0.join("fifo"), folder.0.join("large"));
    make_fifo(&fifo);
    File::create(&large).unwrap().set_len((1 << 20) + 1).unwrap();
    let cases = [
        (fifo.as_path(), "not a regular file; give a file"),
        (Path::new("/dev/zero"), "not a regular file; give a file"),
        (&folder.0, "not a regular file; give a file"),
        (&large, "at most 1 MiB"),
    ];
    for (path, what) in cases {
        for error in [PublicKey::load(path).unwrap_err(), Keypair::load(path).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let message = error.to_string();
            assert!(
                message.contains(path.to_str().unwrap()) && message.contains(what),
                "{message}"
            );
        }
    }
    // A list may be as large as that.
    fs::write(&large, [PUBLIC, &"\n".repeat((1 << 20) - 40)].concat()).unwrap();
    let error = PublicKey::load(&large).unwrap_err().to_string();
    assert!(error.contains("no key"), "{error}");
}

#[test]
fn names_of_files_stay_on_one_line() {
    let folder = Folder::new("curve-lines");
    let path = folder.0.join("a\nzeroless: all is well");
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    let missing = PublicKey::load(&path).unwrap_err();
    keypair.save(&path).unwrap();
    for error in [missing, keypair.save(&path).unwrap_err()] {
        let message = error.to_string();
        assert!(message.contains("a\\nzeroless"), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
}

#[test]
fn failed_save_leaves_no_file() {
    let _watchdog = watchdog();
    let folder = Folder::new("curve-torn");
    run_in_child(saves_with_little_room, folder.0.to_str().unwrap()).succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn saves_with_little_room() {
    let folder = PathBuf::from(argument_of_child());
    let keypair = Keypair::new(PUBLIC, SECRET).unwrap();
    // As on a disk that is full after 50 bytes. By default, the system terminates the process.
    signal_hook::flag::register(Signal::SIGXFSZ as i32, Arc::default()).unwrap();
    let (_, limit) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, 50, limit).unwrap();
    let path = folder.join("server.key_secret");
    let error = keypair.save(&path).unwrap_err().to_string();
    assert!(error.contains("server.key_secret: "), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    setrlimit(Resource::RLIMIT_FSIZE, limit, limit).unwrap();
    keypair.save(&path).unwrap();
    assert_eq!(Keypair::load(&path).unwrap(), keypair);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads the memory of the process through /proc")]
fn secrets_are_wiped_from_memory() {
    let _watchdog = watchdog();
    let folder = Folder::new("curve-wiped");
    run_in_child(keeps_no_secret, folder.0.to_str().unwrap()).succeeds();
}

#[test]
#[ignore = "runs as a child process of another test"]
fn keeps_no_secret() {
    const PASSWORD: &str = "correct horse battery staple";
    let path = PathBuf::from(argument_of_child()).join("server.key_secret");
    // The program itself contains the texts, but in memory that it cannot write to.
    Keypair::new(PUBLIC, SECRET).unwrap().save(&path).unwrap();
    let keypair = Keypair::load(&path).unwrap();
    let copy = keypair.clone();
    assert_eq!(copy, keypair);
    let (mut client, mut server) = (Client::new(), Server::new(0));
    client.plain("ada", PASSWORD).curve(PUBLIC, &keypair);
    server.plain_users([("ada", PASSWORD), ("bob", PASSWORD)]).curve(&copy);
    let recipes = (client.clone(), server.clone(), format!("{client:?} {server:?}"));
    for secret in [SECRET, PASSWORD] {
        assert!(copies_in_memory(secret) > 0, "this test finds what is there");
    }
    drop((client, server, recipes, keypair, copy));
    for secret in [SECRET, PASSWORD] {
        assert_eq!(copies_in_memory(secret), 0);
    }
}

/// How often a text is in the memory that this process can write to.
fn copies_in_memory(text: &str) -> usize {
    let mut memory = File::open("/proc/self/mem").unwrap();
    let areas = fs::read_to_string("/proc/self/maps").unwrap();
    let areas = areas.lines().filter(|line| line.contains(" rw"));
    areas
        .map(|line| {
            let (range, _) = line.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
            // Wiped, or the copies here would be found the next time.
            let mut bytes = Zeroizing::new(vec![0; usize::try_from(end - start).unwrap()]);
            memory.seek(SeekFrom::Start(start)).unwrap();
            // Some areas belong to the system and cannot be read.
            match memory.read_exact(&mut bytes) {
                Ok(()) => bytes
                    .windows(text.len())
                    .filter(|window| *window == text.as_bytes())
                    .count(),
                Err(_) => 0,
            }
        })
        .sum()
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
    // A recipe with a fault shows the fault, too.
    let mut faulty = Client::new();
    faulty.curve("short", &keypair);
    let slip = Keypair::new(PUBLIC, format!("{SECRET}x")).unwrap_err();
    let shown = format!("{keypair:?} {keypair:#?} {client:?} {server:#?} {faulty:?} {slip} {slip:?}");
    assert!(shown.contains(PUBLIC) && shown.contains("has 5 characters"), "{shown}");
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

/// Makes a file from which nothing can be read until another process writes to it.
pub fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
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
