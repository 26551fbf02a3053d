//! Random histories of workers that come, work, hang, give jobs back, lie, stop and die, checked against a model.
//!
//! Messages are on their way for a while in both directions, so they cross. The model knows only which worker owes which
//! job, which starts were handed back unread, and which result arrived first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const RUN: u64 = 7;
const MOST_WORKERS: usize = 12;

#[derive(Clone, Debug)]
enum Event {
    AddJob,
    /// A new worker, which says `Ready` before each job if it is ours.
    Come {
        is_ours: bool,
    },
    /// It reads one order, if there is one, and acts on it.
    Read(usize),
    /// Its oldest word arrives.
    Arrive(usize),
    Finish {
        worker: usize,
        succeeds: bool,
    },
    /// It gives its job back, or is not ready any more.
    GiveBack(usize),
    /// It says `Ready` although it has said so before.
    Repeat(usize),
    Beat(usize),
    Lie {
        worker: usize,
        address: Address,
    },
    Babble(usize),
    /// The queue of its connection is full.
    Stop(usize),
    Continue(usize),
    Die {
        worker: usize,
        words_arrive: bool,
    },
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let worker = || 0..MOST_WORKERS;
    let address = (0..2_u64, 0..6_u64, 0..5_u32).prop_map(|(other, job, start)| Address {
        run: RUN + other,
        job,
        start,
    });
    prop_oneof![
        4 => Just(Event::AddJob),
        2 => any::<bool>().prop_map(|is_ours| Event::Come { is_ours }),
        12 => worker().prop_map(Event::Read),
        12 => worker().prop_map(Event::Arrive),
        6 => (worker(), any::<bool>()).prop_map(|(worker, succeeds)| Event::Finish { worker, succeeds }),
        2 => worker().prop_map(Event::GiveBack),
        1 => worker().prop_map(Event::Repeat),
        1 => worker().prop_map(Event::Beat),
        1 => (worker(), address).prop_map(|(worker, address)| Event::Lie { worker, address }),
        1 => worker().prop_map(Event::Babble),
        1 => worker().prop_map(Event::Stop),
        1 => worker().prop_map(Event::Continue),
        1 => (worker(), any::<bool>()).prop_map(|(worker, words_arrive)| Event::Die { worker, words_arrive }),
        3 => (1..4_000_u64).prop_map(Event::Wait),
    ]
}

/// An order on its way to a worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Request(Address),
    Heartbeat,
    RegisterAnew,
    Finished,
}

#[derive(Default)]
struct Peer {
    is_ours: bool,
    /// `None` if it can be reached.
    reach: Option<Reach>,
    inbox: VecDeque<Sent>,
    outbox: VecDeque<Word>,
    /// The job that it does.
    holds: Option<Address>,
    /// The last job that it has received.
    seen: Address,
    is_registered: bool,
    is_finished: bool,
    /// The model: the job that it owes, as far as the producer can know.
    owes: Option<Address>,
}

impl Peer {
    /// How it names the last job that it has received.
    fn naming(&self) -> Option<Address> {
        self.is_ours.then_some(self.seen)
    }

    fn register(&mut self) {
        let seen = self.naming();
        self.outbox.push_back(Word::Ready { seen });
        self.is_registered = true;
    }

    /// Reads while it has no job, as `Jobs` does.
    fn read(&mut self) {
        if self.holds.is_some() {
            return;
        }
        match self.inbox.pop_front() {
            Some(Sent::Request(address)) => {
                self.holds = Some(address);
                self.seen = address;
                self.is_registered = false;
            }
            Some(Sent::RegisterAnew) => self.register(),
            Some(Sent::Finished) => {
                assert!(!self.is_finished || !self.is_ours, "it is told once");
                self.is_finished = true;
                if self.is_ours {
                    self.give_back();
                }
            }
            Some(Sent::Heartbeat) => {}
            None if !self.is_registered && !self.is_finished => self.register(),
            None => {}
        }
    }

    fn finish(&mut self, succeeds: bool) {
        let Some(address) = self.holds.take() else { return };
        let result = match succeeds {
            true => Ok(vec![address.to_bytes().to_vec()]),
            false => Err(format!("it fails at {address:?}")),
        };
        self.outbox.push_back(Word::Reply { address, result });
        self.is_registered = !self.is_ours;
    }

    fn give_back(&mut self) {
        let seen = self.naming();
        self.outbox.push_back(Word::Disconnect { seen });
        self.holds = None;
        self.is_registered = false;
    }
}

#[derive(Default)]
struct World {
    peers: Vec<Peer>,
    /// How many times each job was sent.
    sent: BTreeMap<u64, u32>,
    /// The starts that a worker has declined before it received them.
    declined: BTreeSet<Address>,
    /// The first result of each job that has arrived.
    first: BTreeMap<u64, WorkerResult>,
    outcomes: BTreeMap<u64, Outcome>,
}

fn body_of(job: u64) -> Message {
    vec![job.to_be_bytes().to_vec()]
}

impl Outside for World {
    fn send(&mut self, worker: &[u8], order: Order<'_>) -> Reach {
        let peer = &mut self.peers[usize::from(worker[0])];
        if let Some(reach) = peer.reach {
            return reach;
        }
        peer.inbox.push_back(match order {
            Order::Request(address, body) => {
                assert_eq!(*body, body_of(address.job));
                assert_eq!(peer.owes, None, "a worker holds one job");
                assert!(!self.outcomes.contains_key(&address.job), "it has its outcome");
                peer.owes = Some(address);
                let sent = self.sent.entry(address.job).or_default();
                *sent += 1;
                assert_eq!(address.start, *sent);
                Sent::Request(address)
            }
            Order::Heartbeat => Sent::Heartbeat,
            Order::RegisterAnew => Sent::RegisterAnew,
            Order::Finished => Sent::Finished,
        });
        Reach::Sent
    }

    fn report(&mut self, outcome: Outcome) {
        let job = u64::from_be_bytes(outcome.job[0].as_slice().try_into().unwrap());
        let earlier = self.outcomes.insert(job, outcome);
        assert!(earlier.is_none(), "a job has one outcome");
    }
}

struct History {
    queue: Queue,
    world: World,
    now: Duration,
    attempts: u32,
    time_limit: Option<Duration>,
    jobs: u64,
}

impl History {
    fn new(attempts: u32, time_limit: Option<Duration>) -> History {
        History {
            queue: Queue::new(RUN, attempts, time_limit),
            world: World::default(),
            now: Duration::ZERO,
            attempts,
            time_limit,
            jobs: 0,
        }
    }

    /// Something happens to a worker, if it lives.
    fn with(&mut self, number: usize, happen: impl FnOnce(&mut Peer)) {
        if let Some(peer) = self.world.peers.get_mut(number)
            && peer.reach != Some(Reach::Gone)
        {
            happen(peer);
        }
    }

    fn say(&mut self, number: usize, word: Word) {
        self.with(number, |peer| peer.outbox.push_back(word));
    }

    fn come(&mut self, is_ours: bool) -> usize {
        let mut peer = Peer {
            is_ours,
            ..Peer::default()
        };
        peer.register();
        self.world.peers.push(peer);
        self.world.peers.len() - 1
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::AddJob => {
                self.queue.add(body_of(self.jobs), self.now, &mut self.world);
                self.jobs += 1;
            }
            Event::Come { is_ours } if self.world.peers.len() < MOST_WORKERS => _ = self.come(is_ours),
            Event::Come { .. } => {}
            Event::Read(number) => self.with(number, Peer::read),
            Event::Arrive(number) => self.arrive(number),
            Event::Finish { worker, succeeds } => self.with(worker, |peer| peer.finish(succeeds)),
            Event::GiveBack(number) => self.with(number, Peer::give_back),
            // A worker of plain RFC 7 does not, as that would mean that it has lost its job.
            Event::Repeat(number) => self.with(number, |peer| {
                if peer.is_ours && peer.is_registered {
                    peer.register();
                }
            }),
            Event::Beat(number) => self.say(number, Word::Heartbeat),
            Event::Lie { worker, address } => {
                let result = Ok(vec![b"lie".to_vec()]);
                self.say(worker, Word::Reply { address, result });
            }
            Event::Babble(number) => self.say(number, Word::Malformed),
            Event::Stop(number) => self.with(number, |peer| peer.reach = Some(Reach::Full)),
            Event::Continue(number) => self.with(number, |peer| peer.reach = None),
            Event::Die { worker, words_arrive } => {
                while words_arrive && self.arrive_any(worker) {}
                self.with(worker, |peer| {
                    peer.reach = Some(Reach::Gone);
                    peer.inbox.clear();
                    peer.outbox.clear();
                });
            }
            Event::Wait(milliseconds) => {
                self.now += Duration::from_millis(milliseconds);
                self.queue.pass_time(self.now, &mut self.world);
            }
        }
        self.check();
    }

    fn arrive(&mut self, number: usize) {
        self.arrive_any(number);
    }

    /// A word arrives; false if there is none.
    fn arrive_any(&mut self, number: usize) -> bool {
        let mut word = None;
        self.with(number, |peer| word = peer.outbox.pop_front());
        let Some(word) = word else { return false };
        self.note(number, &word);
        self.queue.hear(&[number as u8], word, self.now, &mut self.world);
        true
    }

    /// What the model makes of a word that arrives.
    fn note(&mut self, number: usize, word: &Word) {
        let World {
            peers,
            sent,
            declined,
            first,
            outcomes,
        } = &mut self.world;
        let owes = &mut peers[number].owes;
        match word {
            Word::Ready { seen: Some(seen) } => _ = owes.take_if(|owed| owed == seen),
            Word::Disconnect { seen: Some(seen) } => declined.extend(owes.take().filter(|owed| owed != seen)),
            Word::Ready { seen: None } | Word::Disconnect { seen: None } | Word::Malformed => *owes = None,
            Word::Reply { address, result } => {
                owes.take_if(|owed| owed == address);
                let starts = sent.get(&address.job).copied().unwrap_or(0);
                let is_real = address.run == RUN && (1..=starts).contains(&address.start);
                if is_real && !outcomes.contains_key(&address.job) {
                    first.insert(address.job, result.clone());
                }
            }
            Word::Heartbeat => {}
        }
    }

    fn check(&self) {
        let World {
            peers,
            sent,
            declined,
            first,
            outcomes,
        } = &self.world;
        for (job, outcome) in outcomes {
            match (first.get(job), &outcome.result) {
                (Some(Ok(first)), Ok(result)) => assert_eq!(first, result),
                (Some(Err(why)), Err(error)) => {
                    assert_eq!((error.kind(), &error.to_string()), (ErrorKind::Failed, why));
                }
                (None, Err(error)) => {
                    assert_eq!(
                        outcome.attempts, self.attempts,
                        "it is given up only after all attempts"
                    );
                    let is_late = error.kind() == ErrorKind::TimedOut && self.time_limit.is_some();
                    assert!(is_late || error.kind() == ErrorKind::Lost, "{error:?}");
                }
                other => panic!("the outcome is the first result: {other:?}"),
            }
        }
        for (job, sent) in sent {
            let declined = declined.iter().filter(|address| address.job == *job).count() as u32;
            assert!(
                sent - declined <= self.attempts,
                "a job starts at most `attempts` times"
            );
        }
        assert_eq!(self.queue.jobs.len() + outcomes.len(), self.jobs as usize);
        self.check_bounds(peers.len());
    }

    /// Nothing grows without bound, and no worker is idle while a job waits.
    fn check_bounds(&self, peers: usize) {
        let Queue {
            jobs,
            waiting,
            workers,
            idle,
            deadlines,
            ..
        } = &self.queue;
        let running = jobs.values().filter(|job| job.running.is_some()).count();
        assert_eq!(waiting.len() + running, jobs.len());
        assert!(deadlines.len() <= running);
        assert!(idle.len() <= workers.len() && workers.len() <= peers);
        assert!(waiting.is_empty() || idle.is_empty());
    }

    /// All workers die, one good worker comes, and everything has to come to its end.
    fn end(mut self) {
        self.queue.end(&mut self.world);
        for number in 0..self.world.peers.len() {
            self.happen(Event::Die {
                worker: number,
                words_arrive: false,
            });
        }
        let good = self.come(true);
        for _ in 0..20 + self.jobs {
            self.happen(Event::Wait(400));
            for _ in 0..5 {
                self.happen(Event::Read(good));
                self.happen(Event::Finish {
                    worker: good,
                    succeeds: true,
                });
                self.happen(Event::Arrive(good));
            }
        }
        assert_eq!(self.world.outcomes.len() as u64, self.jobs, "each job has its outcome");
        assert!(self.queue.is_over() && self.queue.workers() == 0);
        assert!(self.world.peers[good].is_finished);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agree_with_the_model(
        events in vec(event(), 0..300),
        attempts in 1..4_u32,
        time_limit in proptest::option::of(500..5_000_u64),
    ) {
        let mut history = History::new(attempts, time_limit.map(Duration::from_millis));
        events.into_iter().for_each(|event| history.happen(event));
        history.end();
    }
}
