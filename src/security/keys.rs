//! CURVE keys: as text, and in files.
//!
//! The files are certificates, in the format that CZMQ and pyzmq read and write.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::path::Path;
use std::str::FromStr;

use zeroize::{Zeroize, Zeroizing};

use super::key_file;
use super::secret::Secret;
use super::z85;
use crate::error::{Error, Result};
use crate::libzmq;
use crate::report;
use crate::sys::{self, FileMode};

/// The names of the keys in a certificate, and of their section.
const PUBLIC: &str = "public-key";
const SECRET: &str = "secret-key";
const SECTION: &str = "curve";

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
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if this user may not read the file, and
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the file does not exist, is not a regular file of at most
    /// 1 MiB, or does not contain a public key.
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
        public_key_of(&key_file::read(path)?.text, path)
    }

    /// Writes the public key to a new file. Blocks while it writes.
    ///
    /// The file appears as a whole: if writing fails, there is none, and no other file is ever replaced.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the file exists already or its folder does not exist, and
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if this user may not write there.
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
        key_file::write(path.as_ref(), FileMode::Everyone, &text)
    }

    /// `what` names the text in the error, which does not show it: it may be a secret key in the wrong place.
    pub(super) fn parse(what: impl fmt::Display, text: &str) -> Result<PublicKey> {
        match z85::check(text) {
            Ok(()) => Ok(PublicKey(text.to_owned())),
            Err(fault) => Err(Error::invalid(format!(
                "{what} is not a public key: {fault}; copy the whole key"
            ))),
        }
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
        PublicKey::parse("the text", text)
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
/// # Secret keys in memory
///
/// This crate wipes its copies of a secret key, and of the file that it was read from, when they are dropped. But a
/// socket that uses the key gives it to libzmq, which keeps copies of it, also of a name and a password, and does not
/// wipe them. Nor does libzmq wipe what it has used to [`generate`](Self::generate) a keypair, and nobody wipes the text
/// that you give to [`new`](Self::new). So a memory dump of a program may contain its secret keys.
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
    secret: Secret,
}

impl Keypair {
    /// Makes a new random keypair.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::ErrorKind::Unsupported) if the [libzmq](crate::libzmq()) of this build has no CURVE; the
    /// message says how to get one that has it.
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
        let mut keys = zmq::CurveKeyPair::new().map_err(|error| Error::from_zmq(WHAT_FAILED, error))?;
        let text = |key: &[u8]| zmq::z85_encode(key).expect("BUG: 32 bytes are a multiple of four");
        let (public, secret) = (text(&keys.public_key), text(&keys.secret_key));
        keys.secret_key.zeroize();
        Ok(Keypair {
            public: PublicKey(public),
            secret: secret.into(),
        })
    }

    /// Makes a keypair from two existing keys, in Z85.
    ///
    /// It does not check that the two keys belong together. If they do not, no peer can connect. If they are swapped,
    /// the secret key is shown as the public one.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a key that is not 40 characters of Z85, and for a secret key
    /// that is the same as the public key. The message does not show the text.
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
        let public = PublicKey::parse("the public key of the keypair", public.as_ref())?;
        let secret = Secret::from(secret.as_ref());
        // Neither key is shown, because the two may be swapped.
        let fault = |what| Error::invalid(format!("the secret key of the keypair {what}"));
        z85::check(secret.as_str()).map_err(|what| fault(format!("is malformed: {what}; copy the whole key")))?;
        if secret.is(&public.0) {
            return Err(fault("is the same as the public key; give the secret one".to_owned()));
        }
        Ok(Keypair { public, secret })
    }

    /// Returns the key by which others know the owner of this keypair.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Returns the secret key, in Z85. Keep it out of logs, and do not give it to anyone.
    pub fn secret(&self) -> &str {
        self.secret.as_str()
    }

    /// Reads a keypair from a file that [`save`](Self::save), CZMQ or pyzmq has written. Blocks while it reads.
    ///
    /// If users other than its owner can access the file, the log warns.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) if this user may not read the file, and
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the file does not exist, is not a regular file of at most
    /// 1 MiB, or does not contain both keys.
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
        let file = key_file::read(path)?;
        if sys::accessible_by_others(&file.metadata) {
            let shown = key_file::show(path);
            report::warn(format_args!(
                "users other than the owner can access the secret key in {shown}; run chmod 600 {shown}"
            ));
        }
        Keypair::from_file(&file.text, path)
    }

    /// The keypair in the text of a certificate.
    pub(super) fn from_file(text: &str, path: &Path) -> Result<Keypair> {
        let (public, secret) = (field(text, PUBLIC, path)?, field(text, SECRET, path)?);
        let named = |error| Error::invalid(format!("cannot read the keys in {}: {error}", key_file::show(path)));
        Keypair::new(public, secret).map_err(named)
    }

    /// Writes the keypair to a new file that only its owner may read. Blocks while it writes.
    ///
    /// The file appears as a whole: if writing fails, there is none, and no other file is ever replaced.
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
        let (public, secret) = (self.public(), self.secret());
        // There is room for all of it, or the text could move and leave copies that are not wiped.
        let mut text = Zeroizing::new(String::with_capacity(300));
        let written = write!(
            text,
            "# A CURVE keypair: keep the secret key to yourself.\n\
             {SECTION}\n    {PUBLIC} = \"{public}\"\n    {SECRET} = \"{secret}\"\n"
        );
        written.expect("BUG: a string takes any text");
        key_file::write(path.as_ref(), FileMode::OwnerOnly, &text)
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keypair")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

pub(super) fn parse_all(keys: impl IntoIterator<Item: AsRef<str>>) -> Result<BTreeSet<PublicKey>> {
    let keys = (1..).zip(keys);
    keys.map(|(number, key)| PublicKey::parse(format_args!("key {number} of the list"), key.as_ref()))
        .collect()
}

/// The public keys in the text of a file: a certificate, or a list with one key per line.
///
/// In a list, text after a key is a comment. So is a line that begins with `#`, because no key begins with it.
pub(super) fn list(text: &str, path: &Path) -> Result<Vec<PublicKey>> {
    if text.lines().any(|line| line.trim() == SECTION) {
        return public_key_of(text, path).map(|key| vec![key]);
    }
    let words = text.lines().map(|line| line.split_whitespace().next());
    let keys = (1..)
        .zip(words)
        .filter_map(|(number, word)| match word?.starts_with('#') {
            true => None,
            false => Some(key_in_line(number, word?, path)),
        });
    keys.collect()
}

fn key_in_line(number: usize, word: &str, path: &Path) -> Result<PublicKey> {
    match z85::check(word) {
        Ok(()) => Ok(PublicKey(word.to_owned())),
        Err(fault) => Err(Error::invalid(format!(
            "cannot read the key in {}, line {number}: {fault}; begin each line with a whole key or with #",
            key_file::show(path)
        ))),
    }
}

/// The public key in a certificate.
fn public_key_of(text: &str, path: &Path) -> Result<PublicKey> {
    let key = field(text, PUBLIC, path)?;
    PublicKey::parse(format_args!("the public key in {}", key_file::show(path)), key)
}

/// The value of a field of a certificate.
fn field<'a>(text: &'a str, name: &str, path: &Path) -> Result<&'a str> {
    let value = |line: &'a str| line.trim().strip_prefix(name)?.trim_start().strip_prefix('=');
    match text.lines().find_map(value) {
        Some(value) => Ok(value.trim().trim_matches('"')),
        None => {
            let (what, writer) = match name {
                SECRET => ("no secret key", "Keypair::save"),
                _ => ("no key", "PublicKey::save or Keypair::save"),
            };
            let shown = key_file::show(path);
            Err(Error::invalid(format!(
                "there is {what} in {shown}; give a file that {writer} has written"
            )))
        }
    }
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
    fn list_has_a_key_per_line_with_remarks() {
        let text = format!("# friends\n\n{KEY} Ada\n  {SECRET_KEY}\n");
        let keys = list(&text, Path::new("list")).unwrap();
        assert_eq!(keys.len(), 2);
    }

    #[test]
    fn malformed_list_names_file_and_line_but_not_the_text() {
        let text = format!("{KEY}\n{}", &SECRET_KEY[1..]);
        let error = list(&text, Path::new("friends.txt")).unwrap_err().to_string();
        assert!(error.contains("friends.txt, line 2"), "{error}");
        assert!(!error.contains(&SECRET_KEY[1..]), "{error}");
    }

    #[test]
    fn certificate_gives_the_public_key_only() {
        let certificate = format!("metadata\ncurve\n    public-key = \"{KEY}\"\n    secret-key = \"{SECRET_KEY}\"\n");
        let keys = list(&certificate, Path::new("certificate")).unwrap();
        assert_eq!(keys, [KEY.parse().unwrap()]);
    }
}
