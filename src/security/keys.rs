//! CURVE keys: as text, and in files.
//!
//! The files are certificates, in the format that CZMQ and pyzmq read and write.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::libzmq;
use crate::report;
use crate::sys::{self, FileMode};

/// The length of a key, in characters of Z85.
const LENGTH: usize = 40;

/// The digits of Z85, from 0 to 84.
const DIGITS: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The names of the keys in a certificate, and of their section.
const PUBLIC: &str = "public-key";
const SECRET: &str = "secret-key";
const SECTION: &str = "curve";

/// In a folder, only files with this extension are read for public keys.
const EXTENSION: &str = "key";

/// The key that tells others which server or client they talk to: 40 characters of
/// [Z85](https://rfc.zeromq.org/spec/32/).
///
/// Anyone may know it. It belongs to a [`Keypair`], and only the secret key of that keypair can prove who owns it.
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
    /// Reads a public key from a file that [`save`](Self::save), CZMQ or pyzmq has written. Blocks while it reads.
    ///
    /// The file of a [`Keypair`] works, too; its secret key is ignored.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) if this user may not read the file, and
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the file does not exist or does not contain a public key.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use zeroless::{Client, Keypair, PublicKey};
    ///
    /// let (server, keypair) = (PublicKey::load("server.key")?, Keypair::load("client.key_secret")?);
    /// let push = Client::new().connect("server.example.com", 12345).curve(server, &keypair).push()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<PublicKey> {
        let path = path.as_ref();
        public_key_of(&read(path)?, path)
    }

    /// Writes the public key to a new file. Blocks while it writes.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the file exists already or its folder does not exist, and
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) if this user may not write there.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use zeroless::Keypair;
    ///
    /// Keypair::load("server.key_secret")?.public().save("server.key")?; // for the clients
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let text = format!("# A public CURVE key: anyone may know it.\n{SECTION}\n    {PUBLIC} = \"{self}\"\n");
        write(path.as_ref(), FileMode::Everyone, &text)
    }

    /// The key from its 32 bytes, the form in which ZAP gives a client's key.
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
                Err(Error::invalid(format!("\"{shown}\" is not a public key: {fault}")))
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
/// [`Client::curve`](crate::Client::curve): a public key that others know, and a secret key that proves who owns it.
///
/// Make one keypair for each server and each client, once, and keep it in a file. The example `secure` does so:
/// `cargo run --example secure -- keygen`.
///
/// `Debug` shows only the public key.
///
/// # Examples
///
#[cfg_attr(feature = "curve", doc = "```")]
#[cfg_attr(not(feature = "curve"), doc = "```ignore")]
/// use zeroless::Keypair;
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
    /// Makes a new random keypair.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](ErrorKind::Unsupported) if the [libzmq](crate::libzmq()) of this build has no CURVE; the message
    /// says how to get one that has it.
    ///
    /// # Examples
    ///
    #[cfg_attr(feature = "curve", doc = "```")]
    #[cfg_attr(not(feature = "curve"), doc = "```ignore")]
    /// use zeroless::Keypair;
    ///
    /// assert_ne!(Keypair::generate()?, Keypair::generate()?);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn generate() -> Result<Keypair> {
        const WHAT_FAILED: &str = "cannot make a keypair";
        libzmq::require_curve(WHAT_FAILED)?;
        let keys = zmq::CurveKeyPair::new().map_err(|error| Error::from_zmq(WHAT_FAILED, error))?;
        let text = |key: &[u8]| zmq::z85_encode(key).expect("BUG: 32 bytes are a multiple of four");
        Keypair::new(text(&keys.public_key), text(&keys.secret_key))
    }

    /// Makes a keypair from two existing keys, in Z85.
    ///
    /// It does not check that the two keys belong together. If they do not, no peer can connect.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a key that is not 40 characters of Z85.
    ///
    /// # Examples
    ///
    /// ```
    /// use zeroless::Keypair;
    ///
    /// // The keys from libzmq's manual.
    /// let public = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    /// let secret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
    /// let keypair = Keypair::new(public, secret)?;
    /// assert_eq!(keypair.public().to_string(), public);
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn new(public: impl AsRef<str>, secret: impl AsRef<str>) -> Result<Keypair> {
        let (public, secret) = (public.as_ref().parse()?, secret.as_ref());
        // The message does not show the text, which may be a secret key with a typing error.
        check(secret).map_err(|fault| Error::invalid(format!("the secret key of {public} is malformed: {fault}")))?;
        Ok(Keypair {
            public,
            secret: secret.to_owned(),
        })
    }

    /// Returns the key by which others know the owner of this keypair.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Returns the secret key, in Z85. Keep it out of logs, and do not give it to anyone.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Reads a keypair from a file that [`save`](Self::save), CZMQ or pyzmq has written. Blocks while it reads.
    ///
    /// If users other than its owner can access the file, the log warns.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) if this user may not read the file, and
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the file does not exist or does not contain both keys.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use zeroless::{Keypair, Server};
    ///
    /// let keypair = Keypair::load("server.key_secret")?;
    /// let pull = Server::public(12345).curve(&keypair).allow_keys_in("clients").pull()?;
    /// # Ok::<(), zeroless::Error>(())
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Keypair> {
        let path = path.as_ref();
        let text = read(path)?;
        if sys::accessible_by_others(path) {
            report::warn(format_args!(
                "users other than the owner can access the secret key in {0}; run chmod 600 {0}",
                path.display()
            ));
        }
        let named = |error: Error| Error::invalid(format!("{}: {error}", path.display()));
        Keypair::new(field(&text, PUBLIC, path)?, field(&text, SECRET, path)?).map_err(named)
    }

    /// Writes the keypair to a new file that only its owner may read. Blocks while it writes.
    ///
    /// # Errors
    ///
    /// Fails as [`PublicKey::save`] does: `InvalidInput` if the file exists already or its folder does not exist, and
    /// `PermissionDenied` if this user may not write there.
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
            "# A CURVE keypair: keep the secret key to yourself.\n\
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
/// A file is a certificate, or a list with one key per line. Text after a key is a comment. So is a line that begins
/// with `#`, because no key begins with it.
pub(crate) fn read_public_keys(path: &Path) -> Result<BTreeSet<PublicKey>> {
    if !path.is_dir() {
        return keys_of(&read(path)?, path);
    }
    let entries: io::Result<Vec<_>> = fs::read_dir(path).and_then(Iterator::collect);
    let mut keys = BTreeSet::new();
    for entry in entries.map_err(|error| unreadable(path, error))? {
        let path = entry.path();
        // Some editors put a broken link beside a file. It must not make every client wait.
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
                // The message does not show the word, which may be a secret key in the wrong file.
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
            "the public key in {} is malformed: {fault}",
            path.display()
        ))),
    }
}

/// Checks a key; the error says what is wrong with it.
fn check(text: &str) -> std::result::Result<(), &'static str> {
    if text.chars().count() != LENGTH {
        return Err("a key has 40 characters");
    }
    // The `zmq` crate's z85_decode is not used: it accepts any characters, and leaks a copy of them.
    let digit = |byte| DIGITS.iter().position(|digit| *digit == byte);
    let number = |row: &[u8]| {
        row.iter()
            .try_fold(0, |number, byte| Some(number * 85 + digit(*byte)? as u64))
    };
    // Five digits stand for four bytes, and the highest numbers of five digits do not fit into four bytes.
    let is_right = |row: &[u8]| number(row).is_some_and(|number| u32::try_from(number).is_ok());
    match text.as_bytes().chunks(5).all(is_right) {
        true => Ok(()),
        false => Err("it contains a character, or a group of five characters, that is not valid Z85"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys in libzmq's manual.
    const KEY: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    const SECRET_KEY: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

    #[test]
    fn text_and_bytes_of_a_key_agree() {
        let bytes = zmq::z85_decode(KEY).unwrap();
        assert_eq!(PublicKey::from_bytes(&bytes).unwrap().as_ref(), KEY);
        assert_eq!(PublicKey::from_bytes(&bytes[1..]), None);
    }

    #[test]
    fn malformed_text_is_an_error() {
        let too_large = format!("#####{}", &KEY[5..]); // more than four bytes can hold
        let not_ascii = format!("é{}", &KEY[1..]);
        for text in [
            "",
            &KEY[1..],
            &format!("{KEY}0"),
            &format!("\"{}", &KEY[1..]),
            &too_large,
            &not_ascii,
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn list_has_a_key_per_line_with_remarks() {
        let list = format!("# friends\n\n{KEY} Ada\n  {SECRET_KEY}\n");
        let keys = keys_of(&list, Path::new("list")).unwrap();
        assert_eq!(keys.len(), 2);
    }

    #[test]
    fn malformed_list_names_file_and_line_but_not_the_text() {
        let list = format!("{KEY}\n{}", &SECRET_KEY[1..]);
        let error = keys_of(&list, Path::new("friends.txt")).unwrap_err().to_string();
        assert!(error.contains("friends.txt, line 2"), "{error}");
        assert!(!error.contains(&SECRET_KEY[1..]), "{error}");
    }

    #[test]
    fn certificate_gives_the_public_key_only() {
        let certificate = format!("metadata\ncurve\n    public-key = \"{KEY}\"\n    secret-key = \"{SECRET_KEY}\"\n");
        let keys = keys_of(&certificate, Path::new("certificate")).unwrap();
        assert_eq!(keys, BTreeSet::from([KEY.parse().unwrap()]));
    }
}
