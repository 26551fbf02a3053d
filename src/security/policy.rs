//! How one socket decides whether to let a client in.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use super::key_ring::KeyRing;
use super::keys::PublicKey;
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
                socket.set_curve_secretkey(ring.keypair().secret().as_bytes())
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
        matches!(&self.proof, Proof::Key(ring) if ring.is_empty())
    }

    /// Lets these keys in, too, from now on.
    pub(crate) fn allow_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.ring()?.allow(keys)
    }

    /// Stops letting these keys in.
    pub(crate) fn revoke_keys(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.ring()?.revoke(keys)
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
            (Proof::Key(ring), b"CURVE", [key]) => examine_key(ring, key),
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

fn examine_key(ring: &KeyRing, key: &[u8]) -> std::result::Result<String, Refusal> {
    let Some(key) = PublicKey::from_bytes(key) else {
        return Err(Refusal::Refused("its key is malformed".to_owned()));
    };
    match ring.lets_in(&key) {
        Ok(true) => Ok(key.to_string()),
        Ok(false) => Err(Refusal::Refused(format!("its key {key} is not allowed"))),
        Err(error) => Err(Refusal::Undecided(error.to_string())),
    }
}

pub(crate) fn no_curve(label: &str) -> Error {
    Error::invalid(format!(
        "{label}: it does not use CURVE, so it has no keys to allow or revoke; open it from a Server with curve"
    ))
}
