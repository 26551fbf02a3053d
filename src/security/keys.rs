//! CURVE keys: as text, and in files.
//!
//! The files are the certificates that CZMQ and pyzmq write and read, so that keys can be made with the one and used
//! with the other.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::libzmq;
use crate::sys::{self, FileMode};

/// How many characters of Z85 a key has.
const LENGTH: usize = 40;

/// The digits of Z85, from 0 to 84.
const DIGITS: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The names of the keys in a certificate, and of the section that they are in.
const PUBLIC: &str = "public-key";
const SECRET: &str = "secret-key";
const SECTION: &str = "curve";

/// How the names of the files end that hold a public key each, in a folder of them.
const EXTENSION: &str = "key";

/// The key by which others know a server or a client: 40 characters of [Z85](https://rfc.zeromq.org/spec/32/).
///
/// It may be known to everyone. It belongs to a [`Keypair`], whose secret key alone can prove to be the owner of this
/// one.
///
/// # Examples
///
/// ```
/// use zeroless::{ErrorKind, PublicKey};
///
/// let key: PublicKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID".parse()?;
/// println!("the server's key is {key}");
///
/// let error = "Yne@$w-vo".parse::<PublicKey>().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidInput);
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(String);

impl PublicKey {
    /// Reads a public key from a file that [`save`](Self::save), CZMQ or pyzmq has written, blocking on it.
    ///
    /// It may also be the file of a [`Keypair`], of which it leaves the secret alone.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) if the file is not for this user, and
    /// [`InvalidInput`](ErrorKind::InvalidInput) if it is not there or has no such key in it.
    ///
    /// # Examples
    ///
    /// As [`Keypair::save`].
    pub fn load(path: impl AsRef<Path>) -> Result<PublicKey> {
        let path = path.as_ref();
        public_key_of(&read(path)?, path)
    }

    /// Writes the public key to a new file, blocking on it.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if there is such a file already, or no such folder, and
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) if this user may not write there.
    ///
    /// # Examples
    ///
    /// As [`Keypair::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let text = format!("# A public CURVE key: give it to whom you like.\n{SECTION}\n    {PUBLIC} = \"{self}\"\n");
        write(path.as_ref(), FileMode::Everyone, &text)
    }

    /// The key as libzmq tells it to whoever decides on a client, which is as 32 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<PublicKey> {
        let text = zmq::z85_encode(bytes).ok()?;
        text.parse().ok()
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<PublicKey> {
        match check(text) {
            Ok(()) => Ok(PublicKey(text.to_owned())),
            Err(fault) => {
                let shown = text.escape_debug();
                Err(Error::invalid(format!("\"{shown}\" is no public key: {fault}")))
            }
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.0)
    }
}

impl AsRef<str> for PublicKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The keys of one server or client, for [`Server::curve`](crate::Server::curve) and
/// [`Client::curve`](crate::Client::curve): a public key that others know it by, and a secret key that proves it.
///
/// Make one for each server and client, once, and keep it in a file. The example `secure` does so:
/// `cargo run --example secure -- keygen`.
///
/// Its `Debug` shows the public key alone.
///
/// # Examples
///
/// ```
/// use zeroless::Keypair;
/// # if !zeroless::libzmq().curve() {
/// #     return Ok(());
/// # }
///
/// let keypair = Keypair::generate()?;
/// println!("tell the others: {}", keypair.public());
/// # Ok::<(), zeroless::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Keypair {
    public: PublicKey,
    secret: String,
}

impl Keypair {
    /// Makes a new keypair, at random, without blocking.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) if the [libzmq](crate::libzmq()) of this build has no CURVE; the message
    /// says how to get one that has.
    ///
    /// # Examples
    ///
    /// As [above](Self#examples).
    pub fn generate() -> Result<Keypair> {
        const WHAT_FAILED: &str = "cannot make a keypair";
        libzmq::require_curve(WHAT_FAILED)?;
        let keys = zmq::CurveKeyPair::new().map_err(|error| Error::from_zmq(WHAT_FAILED, error))?;
        let text = |key: &[u8]| zmq::z85_encode(key).expect("BUG: 32 bytes are a multiple of four");
        Keypair::new(text(&keys.public_key), text(&keys.secret_key))
    }

    /// Makes a keypair of keys that are there, in Z85, without blocking.
    ///
    /// That they belong together is not checked: if they do not, nobody can connect.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for what is not 40 characters of Z85.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Keypair;
    ///
    /// // Those of libzmq's manual.
    /// let public = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    /// let secret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
    /// let keypair = Keypair::new(public, secret)?;
    /// assert_eq!(keypair.public().to_string(), public);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn new(public: impl AsRef<str>, secret: impl AsRef<str>) -> Result<Keypair> {
        let (public, secret) = (public.as_ref().parse()?, secret.as_ref());
        // The message does not show what may be a secret with a slip in it.
        check(secret).map_err(|fault| Error::invalid(format!("the secret key to {public} is none: {fault}")))?;
        Ok(Keypair {
            public,
            secret: secret.to_owned(),
        })
    }

    /// Returns the key by which others know the owner of this pair, without blocking.
    ///
    /// # Examples
    ///
    /// As [above](Self#examples).
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Returns the secret key, in Z85, without blocking: not for a log, nor for anyone else.
    ///
    /// # Examples
    ///
    /// As [`new`](Self::new).
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Reads a keypair from a file that [`save`](Self::save), CZMQ or pyzmq has written, blocking on it.
    ///
    /// If others than its owner may read the file, the log warns of it.
    ///
    /// # Errors
    ///
    /// As [`PublicKey::load`].
    ///
    /// # Examples
    ///
    /// As [`save`](Self::save).
    pub fn load(path: impl AsRef<Path>) -> Result<Keypair> {
        let path = path.as_ref();
        let text = read(path)?;
        if sys::accessible_by_others(path) {
            log::warn!(
                target: "zeroless",
                "others than its owner may use the secret key in {0}; run chmod 600 {0}",
                path.display()
            );
        }
        let named = |error: Error| Error::invalid(format!("{}: {error}", path.display()));
        Keypair::new(field(&text, PUBLIC, path)?, field(&text, SECRET, path)?).map_err(named)
    }

    /// Writes the keypair to a new file that only its owner may read, blocking on it.
    ///
    /// # Errors
    ///
    /// As [`PublicKey::save`].
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::{Keypair, PublicKey};
    /// # let public = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    /// # let keypair = Keypair::new(public, "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")?;
    /// # let folder = std::env::temp_dir().join(format!("zeroless-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    ///
    /// keypair.save(folder.join("server.key_secret"))?;
    /// keypair.public().save(folder.join("server.key"))?; // for the clients
    /// assert_eq!(Keypair::load(folder.join("server.key_secret"))?, keypair);
    /// assert_eq!(PublicKey::load(folder.join("server.key"))?, *keypair.public());
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let Keypair { public, secret } = self;
        let text = format!(
            "# A CURVE keypair: the secret key is for its owner alone.\n\
             {SECTION}\n    {PUBLIC} = \"{public}\"\n    {SECRET} = \"{secret}\"\n"
        );
        write(path.as_ref(), FileMode::OwnerOnly, &text)
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keypair")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

pub(crate) fn parse_all(keys: impl IntoIterator<Item: AsRef<str>>) -> Result<BTreeSet<PublicKey>> {
    keys.into_iter().map(|key| key.as_ref().parse()).collect()
}

/// The public keys in a file, or in the files of a folder whose names end in `.key`.
///
/// A file is a certificate, or a list with one key a line; what follows a key is a remark, and so is a line that begins
/// with `#`, which no key does.
pub(crate) fn read_public_keys(path: &Path) -> Result<BTreeSet<PublicKey>> {
    if !path.is_dir() {
        return keys_of(&read(path)?, path);
    }
    let entries: io::Result<Vec<_>> = fs::read_dir(path).and_then(Iterator::collect);
    let mut keys = BTreeSet::new();
    for entry in entries.map_err(|error| unreadable(path, error))? {
        let path = entry.path();
        // A link to nowhere, as some editors leave beside a file, shall not keep everyone waiting.
        if path.extension().is_some_and(|extension| extension == EXTENSION) && path.is_file() {
            keys.append(&mut keys_of(&read(&path)?, &path)?);
        }
    }
    Ok(keys)
}

fn keys_of(text: &str, path: &Path) -> Result<BTreeSet<PublicKey>> {
    if text.lines().any(|line| line.trim() == SECTION) {
        return Ok(BTreeSet::from([public_key_of(text, path)?]));
    }
    let mut keys = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        match line.split_whitespace().next().map(|word| (word, check(word))) {
            Some((word, Ok(()))) => _ = keys.insert(PublicKey(word.to_owned())),
            None => {}
            Some((word, Err(_))) if word.starts_with('#') => {}
            Some((_, Err(fault))) => {
                // Without the word, which may be a secret key that is in the wrong file.
                let message = format!("cannot read the keys in {}, line {number}: {fault}", path.display());
                return Err(Error::invalid(message));
            }
        }
    }
    Ok(keys)
}

/// The public key in a certificate.
fn public_key_of(text: &str, path: &Path) -> Result<PublicKey> {
    let key = field(text, PUBLIC, path)?;
    match check(key) {
        Ok(()) => Ok(PublicKey(key.to_owned())),
        Err(fault) => Err(Error::invalid(format!(
            "the public key in {} is none: {fault}",
            path.display()
        ))),
    }
}

/// What is wrong with a key, if anything is.
fn check(text: &str) -> std::result::Result<(), &'static str> {
    if text.chars().count() != LENGTH {
        return Err("a key has 40 characters");
    }
    // Not by the `zmq` crate, whose z85_decode takes any characters, and leaks a copy of them.
    let digit = |byte| DIGITS.iter().position(|digit| *digit == byte);
    let number = |row: &[u8]| {
        row.iter()
            .try_fold(0, |number, byte| Some(number * 85 + digit(*byte)? as u64))
    };
    // Five digits are four bytes, for which the highest are too much.
    let is_right = |row: &[u8]| number(row).is_some_and(|number| u32::try_from(number).is_ok());
    match text.as_bytes().chunks(5).all(is_right) {
        true => Ok(()),
        false => Err("it has characters in it, or a row of them, that Z85 has not"),
    }
}

/// The value of a field of a certificate.
fn field<'a>(text: &'a str, name: &str, path: &Path) -> Result<&'a str> {
    let value = |line: &'a str| line.trim().strip_prefix(name)?.trim_start().strip_prefix('=');
    match text.lines().find_map(value) {
        Some(value) => Ok(value.trim().trim_matches('"')),
        None => {
            let what = if name == SECRET { "no secret key" } else { "no key" };
            Err(Error::invalid(format!("there is {what} in {}", path.display())))
        }
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "; check the path, or save a key there first",
        _ => "",
    };
    of_file(
        format!("cannot read the key in {}: {error}{remedy}", path.display()),
        error,
    )
}

fn write(path: &Path, mode: FileMode, text: &str) -> Result<()> {
    let fill = |mut file: File| file.write_all(text.as_bytes());
    sys::create_file(path, mode).and_then(fill).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AlreadyExists => "; choose another name, or remove the file first",
            _ => "",
        };
        of_file(
            format!("cannot write the key to {}: {error}{remedy}", path.display()),
            error,
        )
    })
}

fn of_file(message: String, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::InvalidInput,
    };
    Error::with_source(kind, message, error)
}
