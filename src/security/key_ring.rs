//! The keys of a server that uses CURVE: its own, and those of the clients that it lets in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::key_source::KeySource;
use super::keys::{self, Keypair, PublicKey};
use crate::error::Result;

/// The server's keypair, and the keys of the clients that it lets in.
pub(crate) struct KeyRing {
    /// The server's own keypair.
    keypair: Keypair,
    /// Whether every key is let in.
    any: bool,
    keys: RwLock<BTreeSet<PublicKey>>,
    sources: Vec<KeySource>,
}

impl KeyRing {
    /// Fails if a file cannot be read.
    pub(super) fn new(keypair: &Keypair, any: bool, keys: &BTreeSet<PublicKey>, files: &[PathBuf]) -> Result<KeyRing> {
        Ok(KeyRing {
            keypair: keypair.clone(),
            any,
            keys: RwLock::new(keys.clone()),
            sources: files.iter().map(|path| KeySource::new(path)).collect::<Result<_>>()?,
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeSet<PublicKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeSet<PublicKey>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's own keypair.
    pub(super) fn keypair(&self) -> &Keypair {
        &self.keypair
    }

    /// Whether it lets no key in, and no file can change that.
    pub(super) fn is_empty(&self) -> bool {
        !self.any && self.sources.is_empty() && self.read().is_empty()
    }

    /// Lets these keys in, too, from now on.
    pub(super) fn allow(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        let keys = keys::parse_all(keys)?;
        self.write().extend(keys);
        Ok(())
    }

    /// Stops letting these keys in, unless a file has them.
    pub(super) fn revoke(&self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        let revoked = keys::parse_all(keys)?;
        self.write().retain(|key| !revoked.contains(key));
        Ok(())
    }

    /// Whether the key is let in. Fails if it is not known to be, but a file that may have it cannot be read.
    pub(super) fn lets_in(&self, key: &PublicKey) -> Result<bool> {
        if self.any || self.read().contains(key) {
            return Ok(true);
        }
        for source in &self.sources {
            if source.contains(key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
