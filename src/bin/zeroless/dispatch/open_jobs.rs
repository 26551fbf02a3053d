//! The jobs that have no outcome yet, by their content: an outcome says only that.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroless::Message;

/// The jobs that have no outcome yet.
#[derive(Default)]
pub struct OpenJobs(Mutex<State>);

#[derive(Default)]
struct State {
    /// The numbers of the jobs with each content, which are interchangeable.
    jobs: HashMap<Message, VecDeque<u64>>,
    /// The numbers of the jobs whose outcomes are not printed.
    unfinished: BTreeSet<u64>,
}

impl OpenJobs {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job with its number: from 1, in the order of the input.
    pub fn add(&self, job: &Message, number: u64) {
        let mut state = self.lock();
        state.unfinished.insert(number);
        state.jobs.entry(job.clone()).or_default().push_back(number);
    }

    /// Takes the first job with this content, which has its outcome now, and returns its number.
    pub fn take(&self, job: &Message) -> u64 {
        let mut state = self.lock();
        let same = state
            .jobs
            .get_mut(job)
            .expect("BUG: each job is added before it is dispatched");
        let taken = same.pop_front().expect("BUG: a job has one outcome");
        if same.is_empty() {
            state.jobs.remove(job);
        }
        taken
    }

    /// Whether no earlier job is unfinished.
    pub fn is_first(&self, number: u64) -> bool {
        self.lock().unfinished.first() == Some(&number)
    }

    /// Notes that the outcome of a job is printed.
    pub fn finish(&self, number: u64) {
        self.lock().unfinished.remove(&number);
    }

    /// Whether the outcomes of all jobs are printed.
    pub fn are_done(&self) -> bool {
        self.lock().unfinished.is_empty()
    }
}
