//! Unix: descriptors, signals, file modes, error numbers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::SigSet;

/// A descriptor to poll. It is not owned: the code that polls it makes sure that it is open.
pub(crate) type Descriptor = RawFd;

/// Wakes a thread that polls its descriptor. The descriptor is readable from [`notify`](Self::notify) to
/// [`clear`](Self::clear).
pub(crate) struct Notifier {
    writer: UnixStream,
    /// Holds one byte while notified.
    reader: UnixStream,
}

impl Notifier {
    pub(crate) fn new() -> io::Result<Notifier> {
        UnixStream::pair().map(|(writer, reader)| Notifier { writer, reader })
    }

    pub(crate) fn notify(&mut self) -> io::Result<()> {
        self.writer.write_all(&[1])
    }

    /// Clears the notification. There must be one, or this blocks.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.reader.read_exact(&mut [0])
    }

    pub(crate) fn descriptor(&self) -> Descriptor {
        self.reader.as_raw_fd()
    }
}

/// Fails if the process cannot open `count` more descriptors.
pub(crate) fn check_free_descriptors(count: usize) -> io::Result<()> {
    let sockets: io::Result<Vec<_>> = (0..count).map(|_| UnixDatagram::unbound()).collect();
    sockets.map(drop)
}

/// Whether the process, or the system, has no file descriptor left.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EMFILE | Errno::ENFILE))
}

/// Binds the path of an `ipc` endpoint and releases it again, to learn whether the system allows it.
///
/// libzmq deletes the file that it finds at the path. That is right for a file that a dead server left behind. If a
/// server still listens there, or the file is not a socket, this is an error.
pub(crate) fn bind_probe(path: &str) -> io::Result<()> {
    match UnixListener::bind(path) {
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match UnixStream::connect(path) {
            Err(refused) if refused.kind() == ErrorKind::ConnectionRefused && is_socket(path) => Ok(()),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}

fn is_socket(path: &str) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}

/// Who may read a new file.
#[derive(Clone, Copy)]
pub(crate) enum FileMode {
    Everyone,
    OwnerOnly,
}

/// Creates a file that does not exist yet.
pub(crate) fn create_file(path: &Path, mode: FileMode) -> io::Result<File> {
    let mode = match mode {
        FileMode::Everyone => 0o644,
        FileMode::OwnerOnly => 0o600,
    };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// Whether users other than the file's owner can use it. A file that cannot be examined counts as private.
pub(crate) fn accessible_by_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// Blocks all signals in the calling thread.
pub(crate) fn block_signals() -> io::Result<()> {
    SigSet::all().thread_block().map_err(io::Error::from)
}
