//! Does the jobs of a producer, with a command.

use zeroless::{ErrorKind, Job, Jobs};

use crate::exec::{Ended, Template};
use crate::fault::{Fault, Result, USAGE};
use crate::log::say;
use crate::options::CommandOptions;
use crate::recipe::in_role;
use crate::session::Session;
use crate::workers;

pub fn work(session: &Session, options: CommandOptions) -> Result<()> {
    if session.tells_port {
        let message = "a worker that listens needs a port that its producer knows, not port 0";
        return Err(Fault::new(USAGE, message));
    }
    let jobs = in_role!(&session.recipe, recipe => recipe.work()).map_err(Fault::from_opening)?;
    let template = session.template(&options);
    let work_once = || match next(&jobs)? {
        Some(job) => perform(job, &template).map(|()| true),
        None => Ok(false),
    };
    workers::run(options.workers, session.count, work_once, || jobs.close())
}

/// The next job; `None` if there are no more, or if another worker has ended all.
fn next(jobs: &Jobs) -> Result<Option<Job>> {
    match jobs.recv() {
        Err(error) if error.kind() == ErrorKind::Closed => Ok(None),
        job => Ok(job?),
    }
}

fn perform(job: Job, template: &Template) -> Result<()> {
    match template.run(&job) {
        Ended::Done(result) => job.done(&result)?,
        Ended::Failed(reason) => job.fail(reason)?,
        // A job that is dropped goes back to its producer.
        killed @ Ended::Killed(_) => {
            say(format_args!("zeroless: a job goes back: {}", killed.reason()));
        }
        Ended::NotStarted(reason) => {
            return Err(Fault::failed(format!(
                "{reason}; the job goes back, and this worker ends"
            )));
        }
    }
    Ok(())
}
