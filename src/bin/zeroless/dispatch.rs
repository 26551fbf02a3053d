//! Dispatches jobs to workers, and prints their results.

mod failures;
mod open_jobs;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use zeroless::{Dispatcher, ErrorKind, Message, Outcome, Outcomes};

use self::failures::Failures;
use self::open_jobs::OpenJobs;
use crate::ending;
use crate::fault::{FAILED, Fault, Result, TIMED_OUT};
use crate::format::Format;
use crate::input::Input;
use crate::joblog::{DoneJobs, Entry, JobLog, Resume};
use crate::options::DispatchOptions;
use crate::output::Output;
use crate::progress::Progress;
use crate::recipe::in_role;
use crate::session::{FOREVER, Session};

/// How many jobs are read in advance, unless the user says it: enough to know early how many there are.
const READ_AHEAD: u32 = 100_000;

/// How long to wait at once, before looking whether somebody still reads the output.
const STEP: Duration = Duration::from_millis(200);

/// How long to wait, when nobody reads the output any more, until the jobs are not read any more.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the job log says of jobs without a result: their worker has failed them, they took too long, or their workers
/// have died.
const FAILED_BY_WORKER: u8 = 1;
const TOOK_TOO_LONG: u8 = 124;
const WORKERS_DIED: u8 = 255;

pub fn dispatch(session: &mut Session, options: DispatchOptions) -> Result<()> {
    set_options(session, &options);
    let opened = in_role!(&session.recipe, recipe => recipe.dispatch());
    let (dispatcher, outcomes) = opened.map_err(Fault::from_opening)?;
    session.announce(&outcomes.socket());
    let resume = Resume::new(options.resume, options.resume_failed);
    let (log, done) = match &options.joblog {
        Some(path) => JobLog::open(path, resume).map(|(log, done)| (Some(log), Some(done)))?,
        None => (None, None),
    };
    let open_jobs = Arc::new(OpenJobs::default());
    let is_unread = Arc::new(AtomicBool::new(false));
    let progress = Progress::new(&outcomes);
    let mut printer = Printer {
        output: Output::new(session.output)?,
        log,
        failures: Failures::open(options.failed, session.input, resume)?,
        open_jobs: Arc::clone(&open_jobs),
        keeps_order: options.keep_order,
        waiting: BTreeMap::new(),
        ended: 0,
        failed: 0,
        progress: progress.clone(),
        timeout: session.timeout,
        is_unread: Arc::clone(&is_unread),
    };
    if let Some(workers) = options.wait {
        dispatcher.wait_for_workers(workers, session.timeout.unwrap_or(FOREVER))?;
    }
    let reader = Reader {
        input: session.messages(options.jobs, session.count),
        done,
        open_jobs,
        progress,
        is_unread: Arc::clone(&is_unread),
    };
    let (read, reading) = mpsc::channel();
    // It is not waited for: it may wait for input.
    let thread = thread::spawn(move || reader.run(dispatcher, &read));
    let printed = printer.run(&outcomes);
    if is_unread.load(Ordering::Relaxed) {
        // Once the other thread has dropped its handles, the drop of these ones tells the workers that it is over.
        if reading.recv_timeout(PATIENCE).is_ok() {
            let _ = thread.join();
        }
        return Ok(());
    }
    printed?;
    printer.judge(&reading)
}

fn set_options(session: &mut Session, options: &DispatchOptions) {
    let timeout = session.timeout;
    let read_ahead = session.high_water_mark.unwrap_or(READ_AHEAD);
    in_role!(&mut session.recipe, recipe => {
        recipe.attempts(options.attempts).high_water_mark(read_ahead).timeout(step(timeout));
        if let Some(time_limit) = options.time_limit {
            recipe.time_limit(time_limit);
        }
    });
}

/// How long to wait for an outcome at once.
fn step(timeout: Option<Duration>) -> Duration {
    timeout.map_or(STEP, |timeout| timeout.min(STEP))
}

/// Reads the jobs, and dispatches them.
struct Reader {
    input: Input,
    /// The jobs of an earlier run that are not done again.
    done: Option<DoneJobs>,
    open_jobs: Arc<OpenJobs>,
    progress: Progress,
    is_unread: Arc<AtomicBool>,
}

impl Reader {
    /// Dispatches all jobs, and tells `read` how that has ended, before the outcomes end.
    fn run(mut self, dispatcher: Dispatcher, read: &Sender<Result<()>>) {
        let outcome = self.dispatch_all(&dispatcher);
        self.progress.all_read();
        // The last of the outcomes to be dropped tells the workers that it is over. The main thread does that.
        drop(self);
        // If nobody receives it, the program ends.
        let _ = read.send(outcome);
    }

    fn dispatch_all(&mut self, dispatcher: &Dispatcher) -> Result<()> {
        let mut job = Message::new();
        for number in 1.. {
            if !self.input.next(&mut job)? || self.is_unread.load(Ordering::Relaxed) {
                break;
            }
            if let Some(done) = &self.done
                && done.has(number, &on_one_line(&job))?
            {
                continue;
            }
            self.progress.add();
            self.open_jobs.add(&job, number);
            self.dispatch_one(dispatcher, &job)?;
        }
        Ok(())
    }

    /// Blocks while too many jobs are unfinished and somebody reads the output. `--timeout` is only for outcomes.
    fn dispatch_one(&self, dispatcher: &Dispatcher, job: &Message) -> Result<()> {
        loop {
            match dispatcher.send_timeout(job, STEP) {
                Err(error) if error.kind() == ErrorKind::TimedOut && !self.is_unread.load(Ordering::Relaxed) => {}
                sent => return Ok(sent?),
            }
        }
    }
}

/// A job that has its outcome.
struct EndedJob {
    number: u64,
    /// When it was last given to a worker, since 1970.
    started_at: Duration,
    outcome: Outcome,
}

/// Prints the results, and notes the jobs in the files.
struct Printer {
    output: Output,
    log: Option<JobLog>,
    failures: Option<Failures>,
    open_jobs: Arc<OpenJobs>,
    keeps_order: bool,
    /// The jobs whose results wait for those of earlier jobs.
    waiting: BTreeMap<u64, EndedJob>,
    /// How many jobs have ended, and how many of them have failed.
    ended: u64,
    failed: u64,
    progress: Progress,
    timeout: Option<Duration>,
    /// Whether nobody reads the output any more.
    is_unread: Arc<AtomicBool>,
}

impl Printer {
    /// Prints until the outcomes end, or nobody reads the output any more.
    fn run(&mut self, outcomes: &Outcomes) -> Result<()> {
        let is_unread = Arc::clone(&self.is_unread);
        ending::when_unread(move || is_unread.store(true, Ordering::Relaxed))?;
        let socket = outcomes.socket();
        let _finishing = ending::finish_first(move || socket.close())?;
        while let Some(outcome) = self.next(outcomes) {
            if matches!(&outcome.result, Err(error) if error.kind() == ErrorKind::Closed) {
                break;
            }
            let job = EndedJob {
                number: self.open_jobs.take(&outcome.job),
                started_at: now_since_1970().saturating_sub(outcome.time),
                outcome,
            };
            match self.keeps_order {
                true => self.print_in_order(job)?,
                false => self.print(&job)?,
            }
        }
        self.progress.clear();
        Ok(())
    }

    /// The next outcome; `None` at the end, after the timeout, and if nobody reads the output any more.
    fn next(&self, mut outcomes: &Outcomes) -> Option<Outcome> {
        let started = Instant::now();
        loop {
            let asked = Instant::now();
            let outcome = outcomes.next();
            // Otherwise there would be an outcome, or the step would have passed.
            let have_ended = asked.elapsed() < step(self.timeout);
            let is_late = self.timeout.is_some_and(|timeout| started.elapsed() >= timeout);
            if outcome.is_some() || have_ended || is_late || self.is_unread.load(Ordering::Relaxed) {
                return outcome;
            }
        }
    }

    fn print_in_order(&mut self, job: EndedJob) -> Result<()> {
        self.waiting.insert(job.number, job);
        while let Some(first) = self.waiting.first_entry()
            && self.open_jobs.is_first(*first.key())
        {
            let job = first.remove();
            self.print(&job)?;
        }
        Ok(())
    }

    fn print(&mut self, job: &EndedJob) -> Result<()> {
        let EndedJob {
            number,
            started_at,
            outcome,
        } = job;
        self.open_jobs.finish(*number);
        let result = match &outcome.result {
            Ok(result) => self.print_result(result)?,
            Err(error) => Err((status_of(error.kind()), error.to_string())),
        };
        self.ended += 1;
        if let Err((_, reason)) = &result {
            self.note_failure(&outcome.job, reason)?;
        }
        if let Some(log) = &mut self.log {
            log.add(&Entry {
                number: *number,
                started_at: *started_at,
                time: outcome.time,
                sent: outcome.job.iter().map(Vec::len).sum(),
                received: outcome.result.iter().flatten().map(Vec::len).sum(),
                status: result.map_or_else(|(status, _)| status, |()| 0),
                job: on_one_line(&outcome.job),
            })?;
        }
        self.progress.done(self.failed);
        Ok(())
    }

    /// Prints a result. If the format cannot carry it, the job has failed.
    fn print_result(&mut self, result: &Message) -> Result<std::result::Result<(), (u8, String)>> {
        match self.output.put(result) {
            Ok(()) => self.flush().map(Ok),
            Err(misfit) => Ok(Err((
                FAILED_BY_WORKER,
                format!("its result cannot be printed: {misfit}"),
            ))),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let written = self.progress.print(|| self.output.try_flush());
        written.map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                self.is_unread.store(true, Ordering::Relaxed);
            }
            ending::fault_of_output(&error)
        })
    }

    fn note_failure(&mut self, job: &Message, reason: &str) -> Result<()> {
        self.failed += 1;
        let shown = on_one_line(job);
        self.progress
            .say(&format!("zeroless: the job {shown} has failed: {reason}"));
        match &mut self.failures {
            Some(failures) => failures.add(job),
            None => Ok(()),
        }
    }

    /// Judges how all has ended.
    fn judge(&self, reading: &Receiver<Result<()>>) -> Result<()> {
        let is_done = match reading.try_recv() {
            Ok(read) => {
                read?;
                self.open_jobs.are_done()
            }
            Err(_) => false,
        };
        if !is_done {
            let within = self
                .timeout
                .map_or(String::new(), |timeout| format!(" within {timeout:?}"));
            return Err(Fault::new(TIMED_OUT, format!("no job has ended{within}")));
        }
        match self.failed {
            0 => Ok(()),
            failed => Err(Fault::new(
                FAILED,
                format!("{failed} of {} jobs have failed", self.ended),
            )),
        }
    }
}

fn now_since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn status_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::TimedOut => TOOK_TOO_LONG,
        ErrorKind::Lost => WORKERS_DIED,
        _ => FAILED_BY_WORKER,
    }
}

/// A job as text on one line.
fn on_one_line(job: &Message) -> String {
    if let [frame] = job.as_slice()
        && let Ok(text) = str::from_utf8(frame)
        && !text
            .chars()
            .any(|character| character.is_control() && character != '\t')
    {
        return text.to_owned();
    }
    let mut line = Vec::new();
    // It carries any message, as text.
    let _ = Format::Json.write(job, &mut line);
    String::from_utf8_lossy(&line).trim_end().to_owned()
}
