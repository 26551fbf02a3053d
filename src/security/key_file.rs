//! Reads and writes the files of keys, and names them in messages.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::z85;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::{self, FileMode};

/// The largest file that is read, in bytes. As a list, it has room for 25,000 keys.
const MAX_SIZE: u64 = 1 << 20;

/// The contents of a file, and what the system told of the file before they were read.
pub(super) struct Contents {
    pub(super) text: Zeroizing<String>,
    pub(super) metadata: Metadata,
}

pub(super) fn read(path: &Path) -> Result<Contents> {
    sys::open_regular_file(path)
        .and_then(read_open_file)
        .map_err(|error| unreadable(path, error))
}

fn read_open_file(file: File) -> io::Result<Contents> {
    let metadata = file.metadata()?;
    let size = metadata.len();
    if size > MAX_SIZE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    // There is room for more than is read, or the text could move and leave a copy that is not wiped.
    let mut text = Zeroizing::new(String::with_capacity(size as usize + 1));
    file.take(size).read_to_string(&mut text)?;
    Ok(Contents { text, metadata })
}

/// The error for a file or folder that cannot be read.
pub(super) fn unreadable(path: &Path, error: io::Error) -> Error {
    let shown = show(path);
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "check the path, or save a key there first",
        io::ErrorKind::PermissionDenied => "let this user read it",
        io::ErrorKind::FileTooLarge => "give a file of at most 1 MiB, or divide it into the files of a folder",
        _ => "give a file that contains keys as text",
    };
    of_file(format!("cannot read the key in {shown}: {error}; {remedy}"), error)
}

/// Writes a file that does not exist yet.
pub(super) fn write(path: &Path, mode: FileMode, text: &str) -> Result<()> {
    sys::create_file(path, mode, text.as_bytes()).map_err(|error| {
        let shown = show(path);
        let remedy = match error.kind() {
            io::ErrorKind::AlreadyExists => "choose another name, or remove the file first",
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "create its folder first",
            io::ErrorKind::PermissionDenied => "choose a folder that this user may write to",
            _ => "choose another folder",
        };
        of_file(format!("cannot write the key to {shown}: {error}; {remedy}"), error)
    })
}

fn of_file(message: String, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::InvalidInput,
    };
    Error::with_source(kind, message, error)
}

/// The path as messages show it: on one line, and not if it may be a key in the wrong place.
pub(super) fn show(path: &Path) -> String {
    let text = path.to_string_lossy();
    let leads_somewhere = path.exists() || path.parent().is_some_and(Path::is_dir);
    match z85::check(&text) {
        Ok(()) if !leads_somewhere => "a path that is not shown, because it may be a key".to_owned(),
        _ => text.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret key in libzmq's manual.
    const SECRET_KEY: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

    #[test]
    fn paths_stay_on_one_line() {
        assert_eq!(show(Path::new("a\nzeroless: b\u{1b}[1m")), "a\\nzeroless: b\\u{1b}[1m");
        assert_eq!(show(Path::new("/etc/clients/ada.key")), "/etc/clients/ada.key");
    }

    #[test]
    fn key_in_place_of_path_is_not_shown() {
        assert!(!show(Path::new(SECRET_KEY)).contains(SECRET_KEY));
        // A path that looks like a key.
        let path = std::env::temp_dir().join("0".repeat(39 - std::env::temp_dir().as_os_str().len()));
        assert_eq!(show(&path), path.to_str().unwrap());
    }
}
