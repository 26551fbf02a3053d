//! A log of jobs that have ended, from which a producer can go on: one line for each, with the columns of GNU parallel.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fault::{Fault, Result, USAGE};

const HEADER: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// The columns before `Command`.
const COLUMNS: usize = 8;

/// One line of the log.
#[derive(Debug, PartialEq)]
pub struct Entry {
    /// The number of the job, from 1.
    pub number: u64,
    /// When the job was last given to a worker, since 1970.
    pub started_at: Duration,
    /// How long it took from then to its outcome.
    pub time: Duration,
    /// How many bytes the job and its result have.
    pub sent: usize,
    pub received: usize,
    pub status: u8,
    /// The job, on one line.
    pub job: String,
}

impl Entry {
    fn to_line(&self) -> String {
        let Entry {
            number,
            started_at,
            time,
            sent,
            received,
            status,
            job,
        } = self;
        let (started_at, time) = (started_at.as_secs_f64(), time.as_secs_f64());
        // Which worker did it is not known.
        format!("{number}\t-\t{started_at:.3}\t{time:10.3}\t{sent}\t{received}\t{status}\t0\t{job}\n")
    }
}

/// The number, the status and the job in a line of a log.
fn parse(line: &str) -> Option<(u64, i32, &str)> {
    let mut fields = line.splitn(COLUMNS + 1, '\t');
    let number = fields.next()?.parse().ok()?;
    let status = fields.nth(5)?.parse().ok()?;
    Some((number, status, fields.nth(1)?))
}

/// The log file, to add jobs to.
pub struct JobLog {
    path: PathBuf,
    file: File,
}

/// The jobs of an earlier run that need not be done again.
pub struct DoneJobs {
    path: PathBuf,
    /// By their numbers.
    jobs: HashMap<u64, String>,
}

/// Which jobs of an earlier run are not done again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// None: the log begins anew.
    No,
    /// Those that have succeeded.
    Failed,
    /// Those that have ended.
    Unfinished,
}

impl Resume {
    pub fn new(resume: bool, resume_failed: bool) -> Resume {
        match (resume_failed, resume) {
            (true, _) => Resume::Failed,
            (false, true) => Resume::Unfinished,
            (false, false) => Resume::No,
        }
    }
}

impl JobLog {
    pub fn open(path: &Path, resume: Resume) -> Result<(JobLog, DoneJobs)> {
        let fault = |error| Fault::failed(format!("cannot use the job log {}: {error}", path.display()));
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(resume == Resume::No);
        let mut file = options.open(path).map_err(fault)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(fault)?;
        // If the program was killed while it wrote, the last line is not whole.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(fault)?;
        file.seek(SeekFrom::End(0)).map_err(fault)?;
        if whole == 0 {
            file.write_all(HEADER.as_bytes()).map_err(fault)?;
        }
        let jobs = done_jobs(&text[..whole], path, resume)?;
        let path = path.to_owned();
        Ok((
            JobLog {
                path: path.clone(),
                file,
            },
            DoneJobs { path, jobs },
        ))
    }

    /// Adds a job.
    pub fn add(&mut self, entry: &Entry) -> Result<()> {
        let written = self.file.write_all(entry.to_line().as_bytes());
        written.map_err(|error| Fault::failed(format!("cannot write {}: {error}", self.path.display())))
    }
}

impl DoneJobs {
    /// Whether this job is among them.
    ///
    /// It is an error if the job with this number was another one.
    pub fn has(&self, number: u64, job: &str) -> Result<bool> {
        match self.jobs.get(&number) {
            None => Ok(false),
            Some(logged) if logged == job => Ok(true),
            Some(logged) => Err(Fault::new(
                USAGE,
                format!(
                    "cannot resume: job {number} is {job:?}, but {logged:?} in {}; give the same jobs in the same order, \
                     or another job log",
                    self.path.display()
                ),
            )),
        }
    }
}

fn done_jobs(text: &str, path: &Path, resume: Resume) -> Result<HashMap<u64, String>> {
    let mut done = HashMap::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let Some((number, status, job)) = parse(line) else {
            let message = format!(
                "cannot resume: line {} of {} is not that of a job log; give the log of an earlier run",
                index + 1,
                path.display()
            );
            return Err(Fault::new(USAGE, message));
        };
        if status == 0 || resume == Resume::Unfinished {
            done.insert(number, job.to_owned());
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, status: u8, job: &str) -> Entry {
        Entry {
            number,
            started_at: Duration::from_millis(1_700_000_000_500),
            time: Duration::from_millis(1_250),
            sent: 4,
            received: 6,
            status,
            job: job.to_owned(),
        }
    }

    #[test]
    fn line_has_columns_of_parallel() {
        assert_eq!(
            entry(7, 1, "tea\twith milk").to_line(),
            "7\t-\t1700000000.500\t     1.250\t4\t6\t1\t0\ttea\twith milk\n"
        );
        assert_eq!(HEADER.matches('\t').count(), COLUMNS);
    }

    #[test]
    fn line_is_read_again() {
        assert_eq!(
            parse(entry(7, 1, "tea\twith milk").to_line().trim_end()),
            Some((7, 1, "tea\twith milk"))
        );
        assert_eq!(
            parse(entry(7, 0, "").to_line().trim_end_matches('\n')),
            Some((7, 0, ""))
        );
        assert_eq!(parse("7\t-\t1"), None);
    }

    #[test]
    fn line_of_parallel_is_read() {
        let line = "2\t:\t1376577364.974\t      10.003\t0\t0\t-1\t15\tsleep 20";
        assert_eq!(parse(line), Some((2, -1, "sleep 20")));
    }

    #[test]
    fn failed_job_is_done_only_for_resume() {
        let text = format!("{HEADER}{}{}", entry(1, 0, "a").to_line(), entry(2, 1, "b").to_line());
        let numbers = |resume| {
            let mut numbers: Vec<u64> = done_jobs(&text, Path::new("log"), resume)
                .unwrap()
                .into_keys()
                .collect();
            numbers.sort();
            numbers
        };
        assert_eq!(numbers(Resume::Unfinished), [1, 2]);
        assert_eq!(numbers(Resume::Failed), [1]);
    }
}
