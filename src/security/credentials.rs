//! What a client proves its identity with.

use std::fmt;

use super::keys::{Keypair, PublicKey};
use super::secret::{MAX_LENGTH, Secret};
use crate::error::{Error, Result};
use crate::libzmq;

/// What a client proves its identity with.
#[derive(Clone)]
pub(crate) enum Credentials {
    Password { user: String, password: Secret },
    Key { server: PublicKey, keypair: Keypair },
}

impl Credentials {
    pub(crate) fn password(user: &str, password: &str) -> Result<Credentials> {
        let check = |what: &str, value: &str| match value.len() {
            1..=MAX_LENGTH => Ok(()),
            length => Err(Error::invalid(format!(
                "cannot use these credentials: {what} has {length} bytes; give 1 to {MAX_LENGTH}"
            ))),
        };
        check("the user", user)?;
        check("the password", password)?;
        Ok(Credentials::Password {
            user: user.to_owned(),
            password: password.into(),
        })
    }

    pub(crate) fn key(server: &str, keypair: &Keypair) -> Result<Credentials> {
        let server = PublicKey::parse("the server's key", server)?;
        if server.as_ref() == keypair.secret() {
            let message = "the server's key is the client's own secret key; give the public key of the server";
            return Err(Error::invalid(message));
        }
        Ok(Credentials::Key {
            server,
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
                socket.set_plain_password(Some(password.as_str()))
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
