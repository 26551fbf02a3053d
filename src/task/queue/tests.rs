//! A test for each rule, and histories of workers at random.

use std::collections::{BTreeSet, HashMap};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const START: Duration = Duration::ZERO;
const RUN: u64 = 7;

/// What a queue has done, and which workers it can reach.
#[derive(Default)]
struct World {
    sent: Vec<(String, String)>,
    outcomes: Vec<Outcome>,
    reach: HashMap<String, Reach>,
}

impl Outside for World {
    fn send(&mut self, worker: &[u8], order: Order<'_>) -> Reach {
        let worker = String::from_utf8(worker.to_vec()).unwrap();
        let reach = self.reach.get(&worker).copied().unwrap_or(Reach::Sent);
        if reach == Reach::Sent {
            let text = match order {
                Order::Request(address, body) => {
                    assert_eq!(address.run, RUN);
                    format!("{}.{}", crate::message::text(body), address.start)
                }
                Order::Heartbeat => "heartbeat".to_owned(),
                Order::RegisterAnew => "register".to_owned(),
                Order::Finished => "finished".to_owned(),
            };
            self.sent.push((worker, text));
        }
        reach
    }

    fn report(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }
}

/// A queue, its world, and the time.
struct Scene {
    queue: Queue,
    world: World,
    now: Duration,
}

impl Scene {
    fn new() -> Scene {
        Scene::with(3, None)
    }

    fn with(attempts: u32, time_limit: Option<Duration>) -> Scene {
        Scene {
            queue: Queue::new(RUN, attempts, time_limit),
            world: World::default(),
            now: START,
        }
    }

    /// Jobs are named after their numbers.
    fn add(&mut self, jobs: u64) {
        for _ in 0..jobs {
            let body = vec![self.queue.jobs_added.to_string().into_bytes()];
            self.queue.add(body, self.now, &mut self.world);
        }
    }

    fn hear(&mut self, worker: &str, word: Word) {
        self.queue.hear(worker.as_bytes(), word, self.now, &mut self.world);
    }

    /// A worker that has seen this start of a job is ready for another; `""` stands for no job.
    fn ready(&mut self, worker: &str, seen: &str) {
        let seen = Some(address(seen));
        self.hear(worker, Word::Ready { seen });
    }

    fn foreign_ready(&mut self, worker: &str) {
        self.hear(worker, Word::Ready { seen: None });
    }

    fn reply(&mut self, worker: &str, start: &str) {
        let result = Ok(vec![worker.as_bytes().to_vec()]);
        let address = address(start);
        self.hear(worker, Word::Reply { address, result });
    }

    fn disconnect(&mut self, worker: &str, seen: &str) {
        let seen = Some(address(seen));
        self.hear(worker, Word::Disconnect { seen });
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.queue.pass_time(self.now, &mut self.world);
    }

    fn end(&mut self) {
        self.queue.end(&mut self.world);
    }

    fn set_reach(&mut self, worker: &str, reach: Reach) {
        self.world.reach.insert(worker.to_owned(), reach);
    }

    /// What was sent since the last call, in order, as `worker:order`.
    fn sent(&mut self) -> Vec<String> {
        let sent = mem::take(&mut self.world.sent).into_iter();
        sent.map(|(worker, order)| format!("{worker}:{order}")).collect()
    }

    /// The outcomes since the last call, as `job=result` or `job!kind`, and the number of attempts.
    fn outcomes(&mut self) -> Vec<String> {
        let outcomes = mem::take(&mut self.world.outcomes).into_iter();
        let texts = outcomes.map(|outcome| {
            let (job, attempts) = (crate::message::text(&outcome.job), outcome.attempts);
            match outcome.result {
                Ok(result) => format!("{job}={} {attempts}", crate::message::text(&result)),
                Err(error) => format!("{job}!{:?} {attempts}", error.kind()),
            }
        });
        texts.collect()
    }
}

/// The address of a start, `job.start`.
fn address(text: &str) -> Address {
    let Some((job, start)) = text.split_once('.') else {
        return Address::NONE;
    };
    Address {
        run: RUN,
        job: job.parse().unwrap(),
        start: start.parse().unwrap(),
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn worker_gets_one_job_at_a_time() {
    let mut scene = Scene::new();
    scene.add(2);
    assert_eq!(scene.sent(), NOTHING);
    scene.ready("a", "");
    assert_eq!(scene.sent(), ["a:0.1"]);
    scene.reply("a", "0.1");
    assert_eq!(scene.outcomes(), ["0=a 1"]);
    assert_eq!(scene.sent(), NOTHING, "it has not said that it is ready");
    scene.ready("a", "0.1");
    assert_eq!(scene.sent(), ["a:1.1"]);
}

#[test]
fn worker_of_plain_rfc_7_is_ready_after_a_reply() {
    let mut scene = Scene::new();
    scene.add(2);
    scene.foreign_ready("a");
    scene.reply("a", "0.1");
    assert_eq!(scene.sent(), ["a:0.1", "a:1.1"]);
}

#[test]
fn worker_that_has_been_idle_longest_is_next() {
    let mut scene = Scene::new();
    for worker in ["a", "b", "c"] {
        scene.ready(worker, "");
    }
    scene.ready("a", "");
    scene.add(2);
    assert_eq!(scene.sent(), ["a:0.1", "b:1.1"]);
    scene.reply("b", "1.1");
    scene.ready("b", "1.1");
    scene.add(2);
    assert_eq!(scene.sent(), ["c:2.1", "b:3.1"]);
}

#[test]
fn busy_worker_is_probed_and_may_be_silent() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.ready("a", "");
    scene.sent();
    for _ in 0..60 {
        scene.pass(SECOND);
        assert_eq!(scene.sent(), ["a:heartbeat"]);
    }
    scene.set_reach("a", Reach::Full);
    scene.pass(SECOND);
    assert_eq!(scene.queue.workers(), 1, "a full queue is a sign of life");
    scene.reply("a", "0.1");
    assert_eq!(scene.outcomes(), ["0=a 1"]);
}

#[test]
fn probes_of_a_long_job_do_not_fill_a_queue_of_libzmq() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.ready("a", "");
    scene.sent();
    let day = 24 * 60 * 60;
    let mut longest_gap = 0;
    let mut last_probe = 0;
    for second in 1..=9 * day {
        scene.pass(SECOND);
        if !scene.world.sent.is_empty() && second < day {
            longest_gap = longest_gap.max(second - last_probe);
            last_probe = second;
        }
    }
    assert!(scene.sent().len() < 1_000);
    assert!(longest_gap < day / 90, "{longest_gap} s");
}

#[test]
fn job_of_a_dead_worker_is_next() {
    let mut scene = Scene::new();
    scene.add(3);
    scene.ready("a", "");
    scene.set_reach("a", Reach::Gone);
    scene.pass(SECOND);
    scene.sent();
    for worker in ["b", "c"] {
        scene.ready(worker, "");
    }
    assert_eq!(scene.sent(), ["b:0.2", "c:1.1"]);
    scene.reply("b", "0.2");
    assert_eq!(scene.outcomes(), ["0=b 2"]);
}

#[test]
fn idle_worker_that_is_silent_is_forgotten() {
    let mut scene = Scene::new();
    for worker in ["a", "b"] {
        scene.ready(worker, "");
    }
    for _ in 0..8 {
        scene.pass(SECOND);
        scene.hear("b", Word::Heartbeat);
    }
    scene.sent();
    scene.add(2);
    assert_eq!(scene.sent(), ["b:0.1"]);
    scene.hear("a", Word::Heartbeat);
    assert_eq!(scene.sent(), ["a:register"]);
    scene.ready("a", "");
    assert_eq!(scene.sent(), ["a:1.1"]);
}

#[test]
fn idle_workers_learn_that_the_producer_is_there() {
    let mut scene = Scene::new();
    scene.ready("a", "");
    assert_eq!(scene.queue.next_moment(), Some(PROBE_INTERVAL));
    scene.pass(PROBE_INTERVAL);
    assert_eq!(scene.sent(), ["a:heartbeat"]);
}

#[test]
fn worker_that_cannot_be_reached_gets_no_job() {
    let mut scene = Scene::with(1, None);
    for worker in ["a", "b", "c"] {
        scene.ready(worker, "");
    }
    scene.set_reach("a", Reach::Gone);
    scene.set_reach("b", Reach::Full);
    scene.add(1);
    assert_eq!(scene.sent(), ["c:0.1"]);
    assert_eq!(scene.queue.workers(), 2);
    scene.add(1);
    scene.set_reach("b", Reach::Sent);
    scene.pass(SECOND);
    assert_eq!(scene.sent().last().unwrap(), "b:1.1");
}

#[test]
fn job_is_given_up_after_the_attempts() {
    let mut scene = Scene::new();
    scene.add(2);
    for (worker, start) in [("a", "0.1"), ("b", "0.2"), ("c", "0.3")] {
        assert_eq!(scene.outcomes(), NOTHING);
        scene.ready(worker, "");
        assert_eq!(scene.sent(), [format!("{worker}:{start}")]);
        scene.disconnect(worker, start);
    }
    assert_eq!(scene.outcomes(), ["0!Lost 3"]);
    scene.ready("d", "");
    scene.reply("d", "1.1");
    assert_eq!(scene.outcomes(), ["1=d 1"]);
}

#[test]
fn hung_job_goes_to_another_worker_after_the_time_limit() {
    let mut scene = Scene::with(2, Some(SECOND / 2));
    scene.add(1);
    scene.ready("a", "");
    assert_eq!(scene.queue.next_moment(), Some(SECOND / 2));
    scene.pass(SECOND / 2);
    scene.add(1);
    scene.ready("b", "");
    assert_eq!(scene.sent(), ["a:0.1", "b:0.2"]);
    scene.pass(SECOND / 2);
    assert_eq!(scene.outcomes(), ["0!TimedOut 2"]);
    scene.reply("a", "0.1");
    assert_eq!(scene.outcomes(), NOTHING, "it is too late");
    scene.sent();
    scene.ready("a", "0.1");
    assert_eq!(scene.sent(), ["a:1.1"]);
}

#[test]
fn late_result_after_the_time_limit_counts_if_it_is_first() {
    let mut scene = Scene::with(2, Some(SECOND));
    scene.add(1);
    for worker in ["a", "b"] {
        scene.ready(worker, "");
    }
    scene.pass(SECOND);
    scene.reply("a", "0.1");
    scene.reply("b", "0.2");
    assert_eq!(scene.outcomes(), ["0=a 2"]);
    assert_eq!(scene.queue.deadlines.len(), 0);
}

#[test]
fn death_after_the_time_limit_does_not_put_the_job_back_again() {
    let mut scene = Scene::with(3, Some(SECOND));
    scene.add(1);
    for worker in ["a", "b", "c"] {
        scene.ready(worker, "");
    }
    scene.pass(SECOND);
    scene.sent();
    scene.disconnect("a", "0.1");
    assert_eq!(scene.sent(), NOTHING, "b does it");
    scene.reply("b", "0.2");
    assert_eq!(scene.outcomes(), ["0=b 2"]);
}

#[test]
fn without_a_time_limit_a_hung_job_is_not_given_away() {
    let mut scene = Scene::new();
    scene.add(1);
    for worker in ["a", "b"] {
        scene.ready(worker, "");
    }
    scene.pass(SECOND * 100_000);
    assert!(!scene.sent().contains(&"b:0.2".to_owned()));
}

#[test]
fn result_of_a_worker_thought_dead_counts_if_it_is_first() {
    let mut scene = Scene::new();
    scene.add(2);
    scene.ready("a", "");
    scene.set_reach("a", Reach::Gone);
    scene.pass(SECOND);
    scene.sent();
    // The same worker over another connection.
    scene.reply("a again", "0.1");
    assert_eq!(scene.outcomes(), ["0=a again 1"]);
    assert_eq!(scene.sent(), ["a again:register"]);
    scene.ready("b", "");
    assert_eq!(scene.sent(), ["b:1.1"]);
}

#[test]
fn later_results_are_dropped() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.ready("a", "");
    scene.reply("a", "0.1");
    scene.outcomes();
    scene.reply("a", "0.1");
    scene.reply("a again", "0.1");
    assert_eq!(scene.outcomes(), NOTHING);
}

#[test]
fn results_of_another_run_and_of_starts_that_never_were_are_dropped() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.ready("a", "");
    let result = || Ok(vec![]);
    let run = RUN + 1;
    let other_run = Address { run, ..address("0.1") };
    scene.hear(
        "b",
        Word::Reply {
            address: other_run,
            result: result(),
        },
    );
    for start in ["0.0", "0.2", "1.1"] {
        scene.hear(
            "b",
            Word::Reply {
                address: address(start),
                result: result(),
            },
        );
    }
    assert_eq!(scene.outcomes(), NOTHING);
    scene.reply("a", "0.1");
    assert_eq!(scene.outcomes(), ["0=a 1"]);
}

#[test]
fn outcome_has_the_time_since_the_last_start() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.pass(SECOND);
    scene.ready("a", "");
    scene.pass(SECOND);
    scene.disconnect("a", "0.1");
    scene.ready("b", "");
    scene.pass(SECOND / 4);
    scene.reply("b", "0.2");
    assert_eq!(scene.world.outcomes[0].time, SECOND / 4);
}

#[test]
fn failure_is_an_outcome_at_once() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.ready("a", "");
    let result = Err("no such file".to_owned());
    scene.hear(
        "a",
        Word::Reply {
            address: address("0.1"),
            result,
        },
    );
    assert_eq!(
        scene.world.outcomes[0].result.as_ref().unwrap_err().to_string(),
        "no such file"
    );
    assert_eq!(scene.outcomes(), ["0!Failed 1"]);
}

#[test]
fn ready_that_crosses_a_job_does_not_put_it_back() {
    let mut scene = Scene::new();
    scene.add(2);
    scene.ready("a", "");
    scene.ready("a", "");
    scene.ready("b", "");
    assert_eq!(scene.sent(), ["a:0.1", "b:1.1"]);
    scene.reply("a", "0.1");
    assert_eq!(scene.outcomes(), ["0=a 1"]);
}

#[test]
fn ready_after_a_job_puts_it_back() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.ready("a", "");
    scene.ready("a", "0.1");
    scene.foreign_ready("b");
    scene.disconnect("a", "0.2");
    scene.foreign_ready("b");
    assert_eq!(scene.sent(), ["a:0.1", "a:0.2", "b:0.3"]);
    assert_eq!(scene.outcomes(), ["0!Lost 3"]);
}

#[test]
fn disconnect_that_crosses_a_job_is_no_attempt() {
    let mut scene = Scene::with(1, None);
    scene.add(1);
    scene.ready("a", "");
    scene.disconnect("a", "");
    scene.ready("b", "");
    assert_eq!(scene.sent(), ["a:0.1", "b:0.2"]);
    scene.reply("b", "0.2");
    assert_eq!(scene.outcomes(), ["0=b 1"]);
}

#[test]
fn worker_that_talks_nonsense_is_dropped() {
    let mut scene = Scene::new();
    scene.add(1);
    scene.ready("a", "");
    scene.hear("a", Word::Malformed);
    scene.hear("stranger", Word::Malformed);
    scene.ready("b", "");
    assert_eq!(scene.sent(), ["a:0.1", "b:0.2"]);
}

#[test]
fn it_is_over_when_each_job_has_its_outcome() {
    let mut scene = Scene::new();
    scene.add(1);
    for worker in ["a", "b"] {
        scene.ready(worker, "");
    }
    scene.end();
    assert!(!scene.queue.is_over());
    scene.sent();
    scene.reply("a", "0.1");
    assert!(scene.queue.is_over());
    let mut sent = scene.sent();
    sent.sort();
    assert_eq!(sent, ["a:finished", "b:finished"]);
    // Both are not busy, and will confirm it.
    scene.ready("a", "0.1");
    assert!(scene.queue.awaits_confirmation());
    scene.disconnect("a", "0.1");
    scene.disconnect("b", "");
    assert!(!scene.queue.awaits_confirmation());
    // Each worker that comes later is told once.
    for (worker, word) in [("c", Word::Ready { seen: None }), ("d", Word::Heartbeat)] {
        scene.hear(worker, word.clone());
        assert_eq!(scene.sent(), [format!("{worker}:finished")]);
        scene.hear(worker, word);
        assert_eq!(scene.sent(), NOTHING);
        scene.set_reach(worker, Reach::Gone);
    }
    scene.pass(SECOND);
    assert_eq!(scene.queue.next_moment(), None);
}

#[test]
fn it_is_over_without_jobs() {
    let mut scene = Scene::new();
    scene.ready("a", "");
    scene.end();
    assert_eq!(scene.sent(), ["a:finished"]);
}

#[test]
fn worker_without_room_is_told_later_that_it_is_over() {
    let mut scene = Scene::new();
    scene.ready("a", "");
    scene.set_reach("a", Reach::Full);
    scene.end();
    assert_eq!(scene.sent(), NOTHING);
    scene.set_reach("a", Reach::Sent);
    scene.pass(SECOND);
    assert_eq!(scene.sent(), ["a:finished", "a:heartbeat"]);
}

#[test]
fn abandoned_jobs_have_an_outcome() {
    let mut scene = Scene::new();
    scene.add(3);
    scene.ready("a", "");
    scene.sent();
    let closed = Error::new(ErrorKind::Closed, "closed");
    scene.queue.abandon(&closed, &mut scene.world);
    assert_eq!(scene.outcomes(), ["0!Closed 1", "1!Closed 0", "2!Closed 0"]);
    assert_eq!(scene.sent(), ["a:finished"]);
}

/// Lets these workers do jobs, where a job takes a worker so much
/// time. Returns when the last job has ended, and how many jobs each worker has done.
fn simulate(workers: &[&'static str], jobs: u64, time: impl Fn(&str, u64) -> Duration) -> (Duration, Vec<usize>) {
    let mut scene = Scene::new();
    scene.add(jobs);
    workers.iter().for_each(|worker| scene.ready(worker, ""));
    // When each worker has done what, the soonest first.
    let mut ends = BTreeSet::new();
    let mut done = Vec::new();
    loop {
        for (worker, order) in mem::take(&mut scene.world.sent) {
            if let Some((job, _)) = order.split_once('.') {
                ends.insert((scene.now + time(&worker, job.parse().unwrap()), worker, order));
            }
        }
        let Some((end, worker, start)) = ends.pop_first() else {
            break;
        };
        // The times of probes are of no importance here.
        scene.now = end;
        scene.reply(&worker, &start);
        scene.ready(&worker, &start);
        done.push(worker);
    }
    assert_eq!(scene.world.outcomes.len() as u64, jobs);
    let count = |worker: &&str| done.iter().filter(|other| other == worker).count();
    (scene.now, workers.iter().map(count).collect())
}

#[test]
fn workers_share_as_their_speeds_are() {
    let (_, done) = simulate(&["fast", "slow"], 1_100, |worker, _| match worker {
        "fast" => Duration::from_millis(1),
        _ => Duration::from_millis(10),
    });
    assert!(
        (990..=1_010).contains(&done[0]) && done[0] + done[1] == 1_100,
        "{done:?}"
    );
}

#[test]
fn jobs_of_any_length_take_hardly_longer_than_the_best_schedule() {
    // From 1 to 100 ms, in no order.
    let length = |job: u64| Duration::from_millis(1 + job.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100);
    let (time, _) = simulate(&["a", "b", "c", "d"], 1_000, |_, job| length(job));
    let work: Duration = (0..1_000).map(length).sum();
    assert!(time < work / 4 * 105 / 100, "{time:?} for {work:?}");
}

#[test]
fn long_job_delays_no_other() {
    let (time, done) = simulate(&["a", "b"], 101, |_, job| match job {
        0 => 100 * SECOND,
        _ => SECOND,
    });
    assert_eq!((time, done), (100 * SECOND, vec![1, 100]));
}
