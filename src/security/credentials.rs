//! What a client proves its identity with.

use std::fmt;

use super::keys::{Keypair, PublicKey};
use crate::error::{Error, Result};
use crate::libzmq;

/// libzmq's limit for a name and for a password, in bytes.
const MAX_CREDENTIAL_LENGTH: usize = 255;

/// What a client proves its identity with.
#[derive(Clone)]
pub(crate) enum Credentials {
    Password { user: String, password: String },
    Key { server: PublicKey, keypair: Keypair },
}

impl Credentials {
    pub(crate) fn password(user: &str, password: &str) -> Result<Credentials> {
        let check = |what: &str, value: &str| match value.len() {
            1..=MAX_CREDENTIAL_LENGTH => Ok(value.to_owned()),
            length => Err(Error::invalid(format!(
                "cannot use these credentials: {what} has {length} bytes; give 1 to {MAX_CREDENTIAL_LENGTH}"
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

    /// Checks that this libzmq supports these credentials.
    pub(crate) fn check(&self, what_failed: &str) -> Result<()> {
        match self {
            Credentials::Password { .. } => Ok(()),
            Credentials::Key { .. } => libzmq::require_curve(what_failed),
        }
    }

    /// Sets the credentials on a socket.
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

/// Never shows a password or a secret key.
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
