//! ZAP ([RFC 27](https://rfc.zeromq.org/spec/27/)): the protocol in which libzmq asks whether to let a client in.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::policy::{self, Policy, Verdict, ZapRequest};
use super::queue::{Losses, Queue};
use crate::message::Message;

const VERSION: &[u8] = b"1.0";

/// How long libzmq lets a handshake take, unless that is configured.
const HANDSHAKE_TIME: Duration = Duration::from_secs(30);

/// The sockets that are open and have a policy, by the names of their domains.
static ADMISSIONS: Mutex<BTreeMap<String, Arc<Admission>>> = Mutex::new(BTreeMap::new());

fn admissions() -> MutexGuard<'static, BTreeMap<String, Arc<Admission>>> {
    ADMISSIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ZAP domain of one socket. It tells the ZAP handler which policy to apply, until it is dropped.
pub(crate) struct ZapDomain {
    name: String,
    policy: Arc<Policy>,
    admission: Arc<Admission>,
}

impl ZapDomain {
    pub(crate) fn new(policy: Policy) -> ZapDomain {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("zeroless-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let policy = Arc::new(policy);
        let admission = Arc::new(Admission {
            policy: Arc::downgrade(&policy),
            queue: Mutex::new(Some(Queue::new(HANDSHAKE_TIME))),
        });
        admissions().insert(name.clone(), Arc::clone(&admission));
        ZapDomain {
            name,
            policy,
            admission,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// Sets how long libzmq waits for an answer about a client of this socket.
    pub(crate) fn set_handshake_time(&self, time: Duration) {
        self.admission.with_queue(|queue| queue.set_time_limit(time));
    }
}

impl Drop for ZapDomain {
    fn drop(&mut self) {
        admissions().remove(&self.name);
        *self.admission.queue() = None;
    }
}

/// The clients that ask one socket to be let in.
///
/// The policy owns a user's function, with all that the function owns. Only the socket and a [`Check`] keep the policy
/// alive, so that no thread of the crate drops it, except one that checks clients.
pub(crate) struct Admission {
    policy: Weak<Policy>,
    /// `None` once the socket is closed: no client is checked after that.
    queue: Mutex<Option<ClientQueue>>,
}

type ClientQueue = Queue<Source, Message>;

impl Admission {
    fn queue(&self) -> MutexGuard<'_, Option<ClientQueue>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_queue<T>(&self, run: impl FnOnce(&mut ClientQueue) -> T) -> Option<T> {
        self.queue().as_mut().map(run)
    }

    /// Returns what the next thread that checks clients must run, if one is needed.
    pub(crate) fn start_checker(self: &Arc<Admission>) -> Option<Checker> {
        let number = self.with_queue(|queue| queue.start_thread(Instant::now()))??;
        Some(Checker {
            admission: Arc::clone(self),
            number,
        })
    }
}

/// Where clients come from. Sources take turns.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Ipv4(Ipv4Addr),
    /// The first half of an address. Usually one site, or even one host, has all addresses that begin with it.
    Ipv6([u16; 4]),
    /// What libzmq tells of a client over `ipc`, which may be its process.
    Other(String),
}

impl Source {
    fn new(address: &str) -> Source {
        match policy::parse_address(address) {
            Some(IpAddr::V4(address)) => Source::Ipv4(address),
            Some(IpAddr::V6(address)) => {
                let [first, second, third, fourth, ..] = address.segments();
                Source::Ipv6([first, second, third, fourth])
            }
            None => Source::Other(address.to_owned()),
        }
    }
}

/// Puts a request, as the ZAP handler's `ROUTER` received it, into the queue of its socket, and returns that.
///
/// `None` for a malformed request, and for a socket that is closed already: its clients are not refused, and their
/// connections are closed in a moment.
pub(crate) fn enqueue(request: Message) -> Option<Arc<Admission>> {
    let [_, _, _, _, domain, address, ..] = request.as_slice() else {
        return None;
    };
    let admission = admissions().get(str::from_utf8(domain).ok()?).cloned()?;
    let source = Source::new(str::from_utf8(address).ok()?);
    admission.with_queue(|queue| queue.push(Instant::now(), source, request))?;
    Some(admission)
}

/// The work of one thread that checks clients. It counts as such a thread until it is dropped.
pub(crate) struct Checker {
    admission: Arc<Admission>,
    number: u64,
}

impl Checker {
    /// Takes the next client that this thread must check. After `None`, the thread must end.
    pub(crate) fn next(&self) -> Option<Check> {
        let next = self.admission.with_queue(|queue| {
            let request = queue.next(Instant::now(), self.number)?;
            Some((request, queue.take_losses()))
        });
        let (request, losses) = next??;
        Some(Check {
            policy: self.admission.policy.upgrade()?,
            request,
            losses,
        })
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.admission.with_queue(|queue| queue.end_thread(self.number));
    }
}

/// A client that is about to be checked. To check it, and to drop this, may run users' code.
pub(crate) struct Check {
    policy: Arc<Policy>,
    request: Message,
    losses: Losses,
}

/// The frames of a reply.
pub(crate) type ZapReply = [Vec<u8>; 8];

impl Check {
    /// Decides on the client; `None` if the request is malformed.
    pub(crate) fn answer(&self) -> Option<(Verdict, ZapReply)> {
        self.policy.report_losses(self.losses.dropped, self.losses.late);
        answer(&self.policy, &self.request)
    }
}

fn answer(policy: &Policy, request: &Message) -> Option<(Verdict, ZapReply)> {
    let [peer, _, _, id, _, address, _, mechanism, credentials @ ..] = request.as_slice() else {
        return None;
    };
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
        let checker = enqueue(request.clone())?.start_checker().unwrap();
        let (_, reply) = checker.next()?.answer()?;
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
        assert!(reply_to(&malformed).is_none());
        assert!(reply_to(&request("zeroless-none", "127.0.0.1", "NULL", &[])).is_none());
        let closed = request(domain.name(), "127.0.0.1", "PLAIN", &["ada", "enchantress"]);
        let checker = enqueue(closed.clone()).unwrap().start_checker().unwrap();
        // Handles of a closed socket keep its policy.
        let _policy = domain.policy();
        drop(domain);
        assert!(reply_to(&closed).is_none());
        assert!(checker.next().is_none());
    }

    #[test]
    fn a_site_is_one_source() {
        let source = |address| Source::new(address);
        assert!(source("::ffff:10.1.2.3") == source("10.1.2.3"));
        assert!(source("10.1.2.3") != source("10.1.2.4"));
        assert!(source("2001:db8:1:2::3") == source("2001:db8:1:2:ffff::4%eth0"));
        assert!(source("2001:db8:1:2::3") != source("2001:db8:1:3::3"));
        assert!(source(":1000:1000:7") != source(":1000:1000:8"));
    }

    #[test]
    fn threads_that_never_start_do_not_count() {
        let domain = domain();
        for _ in 0..100 {
            let admission = enqueue(request(domain.name(), "127.0.0.1", "NULL", &[])).unwrap();
            drop(admission.start_checker().unwrap());
        }
    }
}
