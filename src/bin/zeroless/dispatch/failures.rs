//! The file of the jobs that have failed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use zeroless::Message;

use crate::fault::{Fault, Result};
use crate::format::Format;
use crate::joblog::Resume;

/// The file of the jobs that have failed, in the format in which they were read.
pub struct Failures {
    path: PathBuf,
    file: File,
    format: Format,
}

impl Failures {
    /// Opens the file, if the user wants one. It begins anew, except after an earlier run.
    pub fn open(path: Option<PathBuf>, format: Format, resume: Resume) -> Result<Option<Failures>> {
        let Some(path) = path else {
            return Ok(None);
        };
        let mut how = OpenOptions::new();
        match resume {
            Resume::Unfinished => how.append(true),
            Resume::No | Resume::Failed => how.write(true).truncate(true),
        };
        match how.create(true).open(&path) {
            Ok(file) => Ok(Some(Failures { path, file, format })),
            Err(error) => Err(Fault::failed(format!("cannot write {}: {error}", path.display()))),
        }
    }

    pub fn add(&mut self, job: &Message) -> Result<()> {
        let fault = |error: String| Fault::failed(format!("cannot write a job to {}: {error}", self.path.display()));
        let mut bytes = Vec::new();
        self.format
            .write(job, &mut bytes)
            .map_err(|misfit| fault(misfit.to_string()))?;
        self.file.write_all(&bytes).map_err(|error| fault(error.to_string()))
    }
}
