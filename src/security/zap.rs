//! ZAP ([RFC 27](https://rfc.zeromq.org/spec/27/)): the protocol in which libzmq asks whether to let a client in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::policy::{Policy, Verdict, ZapRequest};
use crate::message::Message;

const VERSION: &[u8] = b"1.0";

/// The policies of the sockets that are open, by the names of their domains.
static POLICIES: Mutex<BTreeMap<String, Arc<Policy>>> = Mutex::new(BTreeMap::new());

fn policies() -> MutexGuard<'static, BTreeMap<String, Arc<Policy>>> {
    POLICIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ZAP domain of one socket. It tells the ZAP handler which policy to apply, until it is dropped.
pub(crate) struct ZapDomain {
    name: String,
    policy: Arc<Policy>,
}

impl ZapDomain {
    pub(crate) fn new(policy: Policy) -> ZapDomain {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("zeroless-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let policy = Arc::new(policy);
        policies().insert(name.clone(), Arc::clone(&policy));
        ZapDomain { name, policy }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }
}

impl Drop for ZapDomain {
    fn drop(&mut self) {
        // Not dropped under the lock: a user's function may hold another socket with a policy.
        let policy = policies().remove(&self.name);
        drop(policy);
    }
}

/// The frames of a reply.
pub(crate) type ZapReply = [Vec<u8>; 8];

/// Decides on a request, as the ZAP handler's `ROUTER` received it.
///
/// `None` for a malformed request, and for a socket that is closed already: its clients are not refused, and their
/// connections are closed in a moment.
pub(crate) fn answer(request: &Message) -> Option<(Verdict, ZapReply)> {
    let [peer, _, _, id, domain, address, _, mechanism, credentials @ ..] = request.as_slice() else {
        return None;
    };
    let policy = policies().get(str::from_utf8(domain).ok()?).cloned()?;
    let verdict = policy.judge(&ZapRequest {
        address: str::from_utf8(address).ok()?,
        mechanism,
        credentials,
    });
    let (code, text, user) = match &verdict {
        Verdict::Admit(user) => ("200", "OK", user.as_str()),
        Verdict::Postpone => ("300", "try again", ""),
        Verdict::Refuse => ("400", "refused", ""),
    };
    let frames = [
        peer.as_slice(),
        b"",
        VERSION,
        id,
        code.as_bytes(),
        text.as_bytes(),
        user.as_bytes(),
        b"",
    ];
    let reply = frames.map(<[u8]>::to_vec);
    Some((verdict, reply))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::AccessRules;

    /// A domain that lets in the user Ada, unless from 10.0.0.0/8.
    fn domain() -> ZapDomain {
        // The refusals are expected; a program without a logger would print them.
        log::set_max_level(log::LevelFilter::Error);
        let mut rules = AccessRules::default();
        rules.plain(|user, password| match user {
            "bob" => panic!("the function fails for Bob"),
            _ => user == "ada" && password == "enchantress",
        });
        rules.deny(["10.0.0.0/8"]).unwrap();
        ZapDomain::new(rules.policy("pull").unwrap().unwrap())
    }

    fn request(domain: &str, address: &str, mechanism: &str, credentials: &[&str]) -> Message {
        let mut frames = vec!["peer", "", "1.0", "id 7", domain, address, "identity", mechanism];
        frames.extend(credentials);
        frames.iter().map(|frame| frame.as_bytes().to_vec()).collect()
    }

    /// The peer, the request's id, the status code and the user of the reply.
    fn reply_to(request: &Message) -> Option<[String; 4]> {
        let (_, reply) = answer(request)?;
        let text = |index: usize| String::from_utf8(reply[index].clone()).unwrap();
        assert_eq!([text(1), text(2), text(7)], ["", "1.0", ""]);
        Some([0, 3, 4, 6].map(text))
    }

    #[test]
    fn admits_under_the_users_name() {
        let domain = domain();
        let request = request(domain.name(), "127.0.0.1", "PLAIN", &["ada", "enchantress"]);
        assert_eq!(reply_to(&request).unwrap(), ["peer", "id 7", "200", "ada"]);
    }

    #[test]
    fn refuses_wrong_password_address_and_mechanism() {
        let domain = domain();
        let right: &[&str] = &["ada", "enchantress"];
        let requests = [
            request(domain.name(), "127.0.0.1", "PLAIN", &["ada", "wrong"]),
            request(domain.name(), "127.0.0.1", "PLAIN", &["ada"]),
            request(domain.name(), "10.1.2.3", "PLAIN", right),
            request(domain.name(), "::ffff:10.1.2.3", "PLAIN", right),
            request(domain.name(), "127.0.0.1", "NULL", &[]),
            request(domain.name(), "127.0.0.1", "CURVE", &["key"]),
        ];
        for request in requests {
            assert_eq!(reply_to(&request).unwrap(), ["peer", "id 7", "400", ""], "{request:?}");
        }
    }

    #[test]
    fn postpones_if_the_function_panics() {
        let domain = domain();
        let request = request(domain.name(), "127.0.0.1", "PLAIN", &["bob", "x"]);
        assert_eq!(reply_to(&request).unwrap(), ["peer", "id 7", "300", ""]);
    }

    #[test]
    fn does_not_answer_for_closed_sockets_or_malformed_requests() {
        let domain = domain();
        let mut malformed = request(domain.name(), "127.0.0.1", "PLAIN", &["ada", "enchantress"]);
        malformed.truncate(7);
        assert!(answer(&malformed).is_none());
        assert!(answer(&request("zeroless-none", "127.0.0.1", "NULL", &[])).is_none());
        let closed = request(domain.name(), "127.0.0.1", "PLAIN", &["ada", "enchantress"]);
        drop(domain);
        assert!(answer(&closed).is_none());
    }
}
