//! What a client proves its identity with.

use std::fmt;

use super::keys::{Keypair, PublicKey};
use crate::error::{Error, Result};
use crate::libzmq;

/// How long libzmq lets a name and a password be, in bytes.
const LONGEST_CREDENTIAL: usize = 255;

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
    pub(crate) fn check(&self, what_failed: &str) -> Result<()> {
        match self {
            Credentials::Password { .. } => Ok(()),
            Credentials::Key { .. } => libzmq::require_curve(what_failed),
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
