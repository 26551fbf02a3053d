//! How one socket decides whether to let a client in.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ipnet::IpNet;

use super::keys::{self, Keypair, PublicKey};
use crate::error::{Error, Result};
use crate::report;
use crate::unwind::contain;

/// A user's function that checks a name and a password.
pub(crate) type CheckPassword = dyn Fn(&str, &str) -> bool + Send + Sync;

/// Which clients one socket lets in.
pub(crate) struct Policy {
    proof: Proof,
    /// The only addresses that are let in; `None` allows all addresses.
    allowed: Option<Vec<IpNet>>,
    denied: Vec<IpNet>,
    /// The name of the socket in the log.
    label: Mutex<String>,
}

/// How clients prove their identity.
pub(crate) enum Proof {
    None,
    Password(Arc<CheckPassword>),
    Key(KeyRing),
}

/// The server's keypair, and the keys of the clients that it lets in.
pub(crate) struct KeyRing {
    /// The server's own keypair.
    keypair: Keypair,
    /// Whether every key is let in.
    any: bool,
    keys: RwLock<BTreeSet<PublicKey>>,
    /// Read again for each client.
    files: Vec<PathBuf>,
}

/// A client that asks to be let in, as libzmq describes it in a ZAP request.
pub(crate) struct ZapRequest<'a> {
    pub(crate) address: &'a str,
    pub(crate) mechanism: &'a [u8],
    pub(crate) credentials: &'a [Vec<u8>],
}

/// The decision on a client.
pub(crate) enum Verdict {
    /// The client is let in, under this name.
    Admit(String),
    /// The client is refused, and its libzmq does not try again.
    Refuse,
    /// The client is told to try again, because it could not be checked.
    Postpone,
}

impl Policy {
    /// Until the socket is bound, the log names it by `label`.
    pub(crate) fn new(proof: Proof, allowed: Option<Vec<IpNet>>, denied: Vec<IpNet>, label: &str) -> Policy {
        Policy {
            proof,
            allowed,
            denied,
            label: Mutex::new(label.to_owned()),
        }
    }

    /// Sets the name of the socket in the log.
    pub(crate) fn set_label(&self, label: String) {
        *self.label() = label;
    }

    fn label(&self) -> MutexGuard<'_, String> {
        self.label.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets on a socket how clients prove their identity. libzmq passes what they prove to the ZAP handler, which asks
    /// this policy.
    pub(crate) fn set_on(&self, socket: &zmq::Socket) -> zmq::Result<()> {
        match &self.proof {
            Proof::None => Ok(()),
            Proof::Password(_) => socket.set_plain_server(true),
            Proof::Key(ring) => {
                socket.set_curve_server(true)?;
                socket.set_curve_secretkey(ring.keypair.secret().as_bytes())
            }
        }
    }

    /// The security mechanism that libzmq uses for this policy.
    pub(crate) fn mechanism(&self) -> zmq::Mechanism {
        match self.proof {
            Proof::None => zmq::Mechanism::ZMQ_NULL,
            Proof::Password(_) => zmq::Mechanism::ZMQ_PLAIN,
            Proof::Key(_) => zmq::Mechanism::ZMQ_CURVE,
        }
    }

    /// Whether it asks for keys, but lets no key in yet.
    pub(crate) fn lets_in_no_key(&self) -> bool {
        matches!(&self.proof, Proof::Key(ring) if !ring.any && ring.files.is_empty() && ring.read().is_empty())
    }

    /// Lets these keys in, too, from now on.
    pub(crate) fn allow_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        let keys = keys::parse_all(keys)?;
        self.ring()?.write().extend(keys);
        Ok(())
    }

    /// Stops letting these keys in.
    pub(crate) fn revoke_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        let revoked = keys::parse_all(keys)?;
        self.ring()?.write().retain(|key| !revoked.contains(key));
        Ok(())
    }

    fn ring(&self) -> Result<&KeyRing> {
        match &self.proof {
            Proof::Key(ring) => Ok(ring),
            _ => Err(no_curve(&self.label())),
        }
    }

    /// Decides on a client, and logs it if the client is not let in.
    pub(crate) fn judge(&self, request: &ZapRequest<'_>) -> Verdict {
        // Cloned, so that no lock is held while a logger runs, which is a user's code.
        let label = self.label().clone();
        let address = request.address.escape_debug();
        match self.examine(request) {
            Ok(name) => Verdict::Admit(name),
            Err(Refusal::Refused(reason)) => {
                report::warn(format_args!("{label} refused a client at {address}: {reason}"));
                Verdict::Refuse
            }
            Err(Refusal::Undecided(reason)) => {
                report::error(format_args!("{label} could not check a client at {address}: {reason}"));
                Verdict::Postpone
            }
        }
    }

    /// Logs how many clients got no decision: those that were `dropped` were never checked, and the checks of those that
    /// are `late` have not ended yet.
    pub(super) fn report_losses(&self, dropped: usize, late: usize) {
        let label = self.label().clone();
        if dropped > 0 {
            report::warn(format_args!(
                "{label} has left clients without an answer ({dropped} since the last warning): more ask than it can \
                 check in time"
            ));
        }
        if late > 0 {
            report::error(format_args!(
                "{label} has not finished in time to check clients ({late} since the last error), and cannot let them \
                 in: make the function given to plain return sooner, or its files of keys faster to read"
            ));
        }
    }

    /// Returns the name of a client that is let in.
    fn examine(&self, request: &ZapRequest<'_>) -> std::result::Result<String, Refusal> {
        self.examine_address(request.address)?;
        match (&self.proof, request.mechanism, request.credentials) {
            (Proof::None, b"NULL", []) => Ok(String::new()),
            (Proof::Password(check), b"PLAIN", [user, password]) => examine_password(&**check, user, password),
            (Proof::Key(ring), b"CURVE", [key]) => ring.examine(key),
            (_, mechanism, _) => {
                let mechanism = mechanism.escape_ascii();
                Err(Refusal::Refused(format!("it uses the mechanism {mechanism}")))
            }
        }
    }

    fn examine_address(&self, address: &str) -> std::result::Result<(), Refusal> {
        let refused = |reason: &str| Err(Refusal::Refused(reason.to_owned()));
        let address = parse_address(address);
        let is_in =
            |networks: &[IpNet]| address.is_some_and(|address| networks.iter().any(|net| net.contains(&address)));
        if is_in(&self.denied) {
            return refused("its address is denied");
        }
        match &self.allowed {
            Some(allowed) if !is_in(allowed) => refused("its address is not allowed"),
            _ => Ok(()),
        }
    }
}

/// The address of a client, as libzmq writes it; `None` if the client uses a transport without IP addresses.
pub(super) fn parse_address(text: &str) -> Option<IpAddr> {
    // A link-local address ends with `%` and an interface, which is cut off.
    let address: IpAddr = text.split('%').next()?.parse().ok()?;
    // To a server that is bound to IPv6, a client over IPv4 has a mapped address.
    Some(address.to_canonical())
}

/// Why a client is not let in.
enum Refusal {
    Refused(String),
    Undecided(String),
}

fn examine_password(check: &CheckPassword, user: &[u8], password: &[u8]) -> std::result::Result<String, Refusal> {
    let (Ok(user), Ok(password)) = (str::from_utf8(user), str::from_utf8(password)) else {
        return Err(Refusal::Refused("its name or password is not valid UTF-8".to_owned()));
    };
    match contain(|| check(user, password)) {
        Some(true) => Ok(user.to_owned()),
        Some(false) => Err(Refusal::Refused(format!(
            "the user \"{}\" or the password is wrong",
            user.escape_debug()
        ))),
        None => Err(Refusal::Undecided(
            "the function given to plain has panicked".to_owned(),
        )),
    }
}

impl KeyRing {
    /// Fails if a file cannot be read.
    pub(crate) fn new(keypair: &Keypair, any: bool, keys: &BTreeSet<PublicKey>, files: &[PathBuf]) -> Result<KeyRing> {
        files
            .iter()
            .try_for_each(|path| keys::read_public_keys(path).map(drop))?;
        Ok(KeyRing {
            keypair: keypair.clone(),
            any,
            keys: RwLock::new(keys.clone()),
            files: files.to_vec(),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeSet<PublicKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeSet<PublicKey>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn examine(&self, key: &[u8]) -> std::result::Result<String, Refusal> {
        let Some(key) = PublicKey::from_bytes(key) else {
            return Err(Refusal::Refused("its key is malformed".to_owned()));
        };
        if self.any || self.read().contains(&key) {
            return Ok(key.to_string());
        }
        for path in &self.files {
            let keys = keys::read_public_keys(path).map_err(|error| Refusal::Undecided(error.to_string()))?;
            if keys.contains(&key) {
                return Ok(key.to_string());
            }
        }
        Err(Refusal::Refused(format!("its key {key} is not allowed")))
    }
}

pub(crate) fn no_curve(label: &str) -> Error {
    Error::invalid(format!(
        "{label}: it does not use CURVE, so it has no keys to allow or revoke; open it from a Server with curve"
    ))
}
