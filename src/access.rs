//! Who is let in: what a server's recipe says of it, and what it comes to for a client.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ipnet::{IpNet, Ipv4Net};

use crate::error::{Error, Result};
use crate::keys::{self, Keypair, PublicKey};
use crate::libzmq;

type CheckPassword = dyn Fn(&str, &str) -> bool + Send + Sync;

/// How long libzmq lets a name and a password be, in bytes.
const LONGEST_CREDENTIAL: usize = 255;

/// What a recipe says of who is let in, and how a client proves to be one of them.
#[derive(Clone, Default)]
pub(crate) struct Access {
    keypair: Option<Keypair>,
    check_password: Option<Arc<CheckPassword>>,
    keys: BTreeSet<PublicKey>,
    key_files: Vec<PathBuf>,
    any_key: bool,
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
}

impl Access {
    pub(crate) fn curve(&mut self, keypair: &Keypair) {
        self.keypair = Some(keypair.clone());
    }

    pub(crate) fn plain(&mut self, check: impl Fn(&str, &str) -> bool + Send + Sync + 'static) {
        self.check_password = Some(Arc::new(check));
    }

    pub(crate) fn plain_users(&mut self, users: BTreeMap<String, String>) {
        self.plain(move |user, password| users.get(user).is_some_and(|right| is_same(password, right)));
    }

    pub(crate) fn allow_keys(&mut self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.keys.extend(parse_keys(keys)?);
        Ok(())
    }

    pub(crate) fn allow_keys_in(&mut self, path: PathBuf) {
        self.key_files.push(path);
    }

    pub(crate) fn allow_any_key(&mut self) {
        self.any_key = true;
    }

    pub(crate) fn allow(&mut self, networks: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        networks.into_iter().try_for_each(|network| {
            self.allowed.push(parse_network("allow", network.as_ref())?);
            Ok(())
        })
    }

    pub(crate) fn deny(&mut self, networks: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        networks.into_iter().try_for_each(|network| {
            self.denied.push(parse_network("deny", network.as_ref())?);
            Ok(())
        })
    }

    pub(crate) fn keypair(&self) -> Option<&Keypair> {
        self.keypair.as_ref()
    }

    /// What a socket of this recipe goes by; nothing if the recipe says nothing.
    ///
    /// The log calls it so until it is bound.
    pub(crate) fn policy(&self, label: &str) -> Result<Option<Policy>> {
        const DOING: &str = "cannot open a server";
        let speaks_of_keys = !self.keys.is_empty() || !self.key_files.is_empty() || self.any_key;
        let proof = match (&self.keypair, &self.check_password) {
            (Some(_), Some(_)) => {
                let message = "cannot open a server with both curve and plain: a socket speaks one of them; \
                               curve tells clients apart by their keys";
                return Err(Error::invalid(message));
            }
            (Some(_), None) => {
                libzmq::require_curve(DOING)?;
                self.key_files
                    .iter()
                    .try_for_each(|path| keys::read_public_keys(path).map(drop))?;
                Proof::Key(KeyRing {
                    any: self.any_key,
                    keys: RwLock::new(self.keys.clone()),
                    files: self.key_files.clone(),
                })
            }
            (None, _) if speaks_of_keys => {
                let message = "cannot open a server that allows keys and has none itself; call curve with its keypair";
                return Err(Error::invalid(message));
            }
            (None, Some(check)) => Proof::Password(Arc::clone(check)),
            (None, None) if self.allowed.is_empty() && self.denied.is_empty() => return Ok(None),
            (None, None) => Proof::None,
        };
        Ok(Some(Policy {
            proof,
            allowed: self.allowed.clone(),
            denied: self.denied.clone(),
            label: Mutex::new(label.to_owned()),
        }))
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("curve", &self.keypair)
            .field("plain", &self.check_password.is_some())
            .field("keys", &self.keys)
            .field("key_files", &self.key_files)
            .field("any_key", &self.any_key)
            .field("allowed", &self.allowed)
            .field("denied", &self.denied)
            .finish()
    }
}

/// What a client proves with to be one who is let in.
#[derive(Clone)]
pub(crate) enum Credentials {
    Password { user: String, password: String },
    Key { server: PublicKey, keypair: Keypair },
}

impl Credentials {
    pub(crate) fn password(user: &str, password: &str) -> Result<Credentials> {
        let check = |what: &str, value: &str| match value.len() {
            1..=LONGEST_CREDENTIAL => Ok(value.to_owned()),
            length => Err(Error::invalid(format!(
                "cannot say who the client is: {what} has {length} bytes; give 1 to {LONGEST_CREDENTIAL}"
            ))),
        };
        Ok(Credentials::Password {
            user: check("the user", user)?,
            password: check("the password", password)?,
        })
    }

    pub(crate) fn key(server: &str, keypair: &Keypair) -> Result<Credentials> {
        Ok(Credentials::Key {
            server: server.parse()?,
            keypair: keypair.clone(),
        })
    }

    /// Whether this libzmq can prove so.
    pub(crate) fn check(&self, doing: &str) -> Result<()> {
        match self {
            Credentials::Password { .. } => Ok(()),
            Credentials::Key { .. } => libzmq::require_curve(doing),
        }
    }

    /// Sets what libzmq is to prove with.
    pub(crate) fn set_on(&self, socket: &zmq::Socket) -> zmq::Result<()> {
        match self {
            Credentials::Password { user, password } => {
                socket.set_plain_username(Some(user))?;
                socket.set_plain_password(Some(password))
            }
            Credentials::Key { server, keypair } => {
                socket.set_curve_serverkey(server.as_ref().as_bytes())?;
                socket.set_curve_publickey(keypair.public().as_ref().as_bytes())?;
                socket.set_curve_secretkey(keypair.secret().as_bytes())
            }
        }
    }
}

/// Never a password or a secret key.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password { user, .. } => f.debug_struct("Plain").field("user", user).finish_non_exhaustive(),
            Credentials::Key { server, keypair } => f
                .debug_struct("Curve")
                .field("server", server)
                .field("keypair", keypair)
                .finish(),
        }
    }
}

/// Who is let in by one socket.
pub(crate) struct Policy {
    proof: Proof,
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
    /// The socket, as the log names it.
    label: Mutex<String>,
}

/// How a client proves to be one who is let in.
enum Proof {
    None,
    Password(Arc<CheckPassword>),
    Key(KeyRing),
}

/// The keys of those who are let in.
struct KeyRing {
    any: bool,
    keys: RwLock<BTreeSet<PublicKey>>,
    /// Read anew for each client.
    files: Vec<PathBuf>,
}

/// A client that asks to be let in, as ZAP tells of it.
pub(crate) struct Applicant<'a> {
    pub(crate) address: &'a str,
    pub(crate) mechanism: &'a [u8],
    pub(crate) credentials: &'a [Vec<u8>],
}

/// What becomes of a client.
pub(crate) enum Verdict {
    /// It is let in, under a name.
    Admit(String),
    /// It is turned away, and libzmq will not let it try again.
    Refuse,
    /// It is to try again, since nobody could say.
    Postpone,
}

impl Policy {
    /// Names the socket, for the log.
    pub(crate) fn set_label(&self, label: String) {
        *self.label() = label;
    }

    fn label(&self) -> MutexGuard<'_, String> {
        self.label.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the socket what to ask of clients; the rest is asked of this policy, by ZAP.
    pub(crate) fn set_on(&self, socket: &zmq::Socket, keypair: Option<&Keypair>) -> zmq::Result<()> {
        match (&self.proof, keypair) {
            (Proof::Password(_), _) => socket.set_plain_server(true),
            (Proof::Key(_), Some(keypair)) => {
                socket.set_curve_server(true)?;
                socket.set_curve_secretkey(keypair.secret().as_bytes())
            }
            _ => Ok(()),
        }
    }

    /// The mechanism that libzmq is to let clients in by.
    pub(crate) fn mechanism(&self) -> zmq::Mechanism {
        match self.proof {
            Proof::None => zmq::Mechanism::ZMQ_NULL,
            Proof::Password(_) => zmq::Mechanism::ZMQ_PLAIN,
            Proof::Key(_) => zmq::Mechanism::ZMQ_CURVE,
        }
    }

    /// Whether there is no one whom it lets in, as far as can be told.
    pub(crate) fn lets_in_no_one(&self) -> bool {
        matches!(&self.proof, Proof::Key(ring) if !ring.any && ring.files.is_empty() && ring.read().is_empty())
    }

    /// Lets more keys in from now on.
    pub(crate) fn allow_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        let keys = parse_keys(keys)?;
        self.ring()?.write().extend(keys);
        Ok(())
    }

    /// Lets those keys in no longer.
    pub(crate) fn revoke_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        let revoked = parse_keys(keys)?;
        self.ring()?.write().retain(|key| !revoked.contains(key));
        Ok(())
    }

    fn ring(&self) -> Result<&KeyRing> {
        match &self.proof {
            Proof::Key(ring) => Ok(ring),
            _ => Err(no_curve(&self.label())),
        }
    }

    /// Decides on a client, and tells the log if it is not let in.
    pub(crate) fn judge(&self, applicant: &Applicant<'_>) -> Verdict {
        // Not locked while the log is written to, as a logger may do what it likes.
        let label = self.label().clone();
        let address = applicant.address.escape_debug();
        match self.examine(applicant) {
            Ok(name) => Verdict::Admit(name),
            Err(Objection::Refused(reason)) => {
                log::warn!(target: "zeroless", "{label} refused a client at {address}: {reason}");
                Verdict::Refuse
            }
            Err(Objection::Undecided(reason)) => {
                log::error!(target: "zeroless", "{label} can let no client in, such as that at {address}: {reason}");
                Verdict::Postpone
            }
        }
    }

    /// The name of a client that may come in.
    fn examine(&self, applicant: &Applicant<'_>) -> std::result::Result<String, Objection> {
        self.examine_address(applicant.address)?;
        match (&self.proof, applicant.mechanism, applicant.credentials) {
            (Proof::None, b"NULL", []) => Ok(String::new()),
            (Proof::Password(check), b"PLAIN", [user, password]) => examine_password(&**check, user, password),
            (Proof::Key(ring), b"CURVE", [key]) => ring.examine(key),
            (_, mechanism, _) => {
                let mechanism = mechanism.escape_ascii();
                Err(Objection::Refused(format!("it speaks {mechanism}")))
            }
        }
    }

    fn examine_address(&self, address: &str) -> std::result::Result<(), Objection> {
        let refused = |reason: &str| Err(Objection::Refused(reason.to_owned()));
        // Without the interface of a link-local address. One of another transport is none.
        let address = address.split('%').next().and_then(|address| address.parse().ok());
        // That of a client over IPv4 to a server of IPv6 is one of IPv4.
        let address = address.map(|address: IpAddr| address.to_canonical());
        let is_in =
            |networks: &[IpNet]| address.is_some_and(|address| networks.iter().any(|net| net.contains(&address)));
        match () {
            () if is_in(&self.denied) => refused("its address is denied"),
            () if !self.allowed.is_empty() && !is_in(&self.allowed) => refused("its address is not allowed"),
            () => Ok(()),
        }
    }
}

/// Why a client does not come in.
enum Objection {
    Refused(String),
    Undecided(String),
}

fn examine_password(check: &CheckPassword, user: &[u8], password: &[u8]) -> std::result::Result<String, Objection> {
    let (Ok(user), Ok(password)) = (str::from_utf8(user), str::from_utf8(password)) else {
        return Err(Objection::Refused("its name or password is no UTF-8".to_owned()));
    };
    // It must not end the thread that everyone's coming in depends on.
    match catch_unwind(AssertUnwindSafe(|| check(user, password))) {
        Ok(true) => Ok(user.to_owned()),
        Ok(false) => Err(Objection::Refused(format!(
            "the user \"{}\" or the password is wrong",
            user.escape_debug()
        ))),
        Err(_) => Err(Objection::Undecided(
            "the function given to plain has panicked".to_owned(),
        )),
    }
}

impl KeyRing {
    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeSet<PublicKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeSet<PublicKey>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn examine(&self, key: &[u8]) -> std::result::Result<String, Objection> {
        let Some(key) = PublicKey::from_bytes(key) else {
            return Err(Objection::Refused("its key is none".to_owned()));
        };
        if self.any || self.read().contains(&key) {
            return Ok(key.to_string());
        }
        for path in &self.files {
            let keys = keys::read_public_keys(path).map_err(|error| Objection::Undecided(error.to_string()))?;
            if keys.contains(&key) {
                return Ok(key.to_string());
            }
        }
        Err(Objection::Refused(format!("its key {key} is not allowed")))
    }
}

pub(crate) fn no_curve(label: &str) -> Error {
    Error::invalid(format!(
        "{label}: has no CURVE, and lets in nobody by a key; open it from a Server with curve"
    ))
}

fn parse_keys(keys: impl IntoIterator<Item: AsRef<str>>) -> Result<BTreeSet<PublicKey>> {
    keys.into_iter().map(|key| key.as_ref().parse()).collect()
}

fn parse_network(doing: &str, text: &str) -> Result<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| {
        Error::invalid(format!(
            "cannot {doing} \"{}\": give an IP address, such as 10.1.2.3, or a network, such as 10.1.0.0/16",
            text.escape_debug()
        ))
    })?;
    Ok(canonical(network))
}

/// The network of IPv4 for one that is written in IPv6, as its addresses will be compared.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(wide) = network else { return network };
    let narrow = wide.addr().to_ipv4_mapped().zip(wide.prefix_len().checked_sub(96));
    let narrow = narrow.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    narrow.map_or(network, IpNet::V4)
}

/// Whether two passwords are the same, in a time that does not tell how much of them is.
fn is_same(given: &str, right: &str) -> bool {
    let differences = given
        .bytes()
        .zip(right.bytes())
        .fold(0, |all, (one, other)| all | (one ^ other));
    given.len() == right.len() && differences == 0
}
