//! The rules in a recipe for which clients a server lets in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};

use super::key_ring::KeyRing;
use super::keys::{self, Keypair, PublicKey};
use super::policy::{CheckPassword, Policy, Proof};
use super::secret::Secret;
use crate::error::{Error, Result};
use crate::libzmq;

/// A recipe's rules for which clients a server lets in.
#[derive(Clone, Default)]
pub(crate) struct AccessRules {
    keypair: Option<Keypair>,
    check_password: Option<Arc<CheckPassword>>,
    keys: BTreeSet<PublicKey>,
    key_files: Vec<PathBuf>,
    any_key: bool,
    /// The only addresses that are let in, even if the list is empty. `None` allows all addresses.
    allowed: Option<Vec<IpNet>>,
    denied: Vec<IpNet>,
}

impl AccessRules {
    pub(crate) fn curve(&mut self, keypair: &Keypair) {
        self.keypair = Some(keypair.clone());
    }

    pub(crate) fn plain(&mut self, check: impl Fn(&str, &str) -> bool + Send + Sync + 'static) {
        self.check_password = Some(Arc::new(check));
    }

    pub(crate) fn plain_users(&mut self, users: impl IntoIterator<Item = (String, String)>) {
        let secret = |(user, password): (String, String)| (user, Secret::from(password));
        let users: BTreeMap<_, _> = users.into_iter().map(secret).collect();
        let no_password = Secret::from("");
        self.plain(move |user, password| {
            let right = users.get(user);
            // An unknown user is compared, too, so that the time of an answer does not show which users there are.
            right.unwrap_or(&no_password).is(password) && right.is_some()
        });
    }

    pub(crate) fn allow_keys(&mut self, keys: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        self.keys.extend(keys::parse_all(keys)?);
        Ok(())
    }

    pub(crate) fn allow_keys_in(&mut self, path: PathBuf) {
        self.key_files.push(path);
    }

    pub(crate) fn allow_any_key(&mut self) {
        self.any_key = true;
    }

    pub(crate) fn allow(&mut self, networks: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        let allowed = self.allowed.get_or_insert_default();
        networks.into_iter().try_for_each(|network| {
            allowed.push(parse_network("allow", network.as_ref())?);
            Ok(())
        })
    }

    pub(crate) fn deny(&mut self, networks: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
        networks.into_iter().try_for_each(|network| {
            self.denied.push(parse_network("deny", network.as_ref())?);
            Ok(())
        })
    }

    /// The policy of a socket that is opened from this recipe, or `None` if the recipe has no rules.
    ///
    /// Until the socket is bound, the log names it by `label`.
    pub(crate) fn policy(&self, label: &str) -> Result<Option<Policy>> {
        const WHAT_FAILED: &str = "cannot open a server";
        let names_keys = !self.keys.is_empty() || !self.key_files.is_empty() || self.any_key;
        let proof = match (&self.keypair, &self.check_password) {
            (Some(_), Some(_)) => {
                let message = "cannot open a server with both curve and plain: a socket uses one of them; \
                               curve identifies clients by their keys";
                return Err(Error::invalid(message));
            }
            (Some(keypair), None) => {
                libzmq::require_curve(WHAT_FAILED)?;
                Proof::Key(KeyRing::new(keypair, self.any_key, &self.keys, &self.key_files)?)
            }
            (None, _) if names_keys => {
                let message = "cannot open a server that allows keys but has no keypair; call curve with its keypair";
                return Err(Error::invalid(message));
            }
            (None, Some(check)) => Proof::Password(Arc::clone(check)),
            (None, None) if self.allowed.is_none() && self.denied.is_empty() => return Ok(None),
            (None, None) => Proof::None,
        };
        Ok(Some(Policy::new(
            proof,
            self.allowed.clone(),
            self.denied.clone(),
            label,
        )))
    }
}

impl fmt::Debug for AccessRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessRules")
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

fn parse_network(action: &str, text: &str) -> Result<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| {
        Error::invalid(format!(
            "cannot {action} \"{}\": give an IP address, such as 10.1.2.3, or a network, such as 10.1.0.0/16",
            text.escape_debug()
        ))
    })?;
    Ok(canonical(network))
}

/// The IPv4 network, if the network is an IPv4-mapped one of IPv6: clients' addresses are compared in this form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(wide) = network else { return network };
    let narrow = wide.addr().to_ipv4_mapped().zip(wide.prefix_len().checked_sub(96));
    let narrow = narrow.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    narrow.map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<String> {
        parse_network("allow", text).ok().map(|network| network.to_string())
    }

    #[test]
    fn address_is_a_network_of_one() {
        assert_eq!(parse("10.1.2.3").unwrap(), "10.1.2.3/32");
        assert_eq!(parse("::1").unwrap(), "::1/128");
    }

    #[test]
    fn mapped_network_is_the_one_of_ipv4() {
        assert_eq!(parse("::ffff:10.0.0.0/104").unwrap(), "10.0.0.0/8");
        assert_eq!(parse("::ffff:10.1.2.3").unwrap(), "10.1.2.3/32");
        assert_eq!(parse("::ffff:0:0/95").unwrap(), "::ffff:0.0.0.0/95");
    }

    #[test]
    fn other_text_is_an_error_that_names_it() {
        for text in ["", "localhost", "10.1.2", "10.1.2.3/33", "10.1.2.3:5555", "::1/129"] {
            let error = parse_network("allow", text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("cannot allow \"{text}\"")), "{error}");
        }
    }

    #[test]
    fn recipe_without_rules_has_no_policy() {
        assert!(AccessRules::default().policy("pull").unwrap().is_none());
    }

    #[test]
    fn empty_list_of_networks_is_a_rule() {
        let mut rules = AccessRules::default();
        rules.allow([""; 0]).unwrap();
        assert!(rules.policy("pull").unwrap().is_some());
    }
}
