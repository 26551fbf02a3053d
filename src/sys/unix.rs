//! Unix: descriptors, signals, file modes, error numbers.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::libc;
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

/// Whether no network interface has an address, or reaches it.
pub(crate) fn has_no_device(error: &io::Error) -> bool {
    error.raw_os_error().map(Errno::from_raw) == Some(Errno::ENODEV)
}

/// Binds a UDP port and releases it again, to learn whether the system allows it. Returns the port, which is a free one
/// for port 0.
pub(crate) fn probe_udp(address: Ipv4Addr, port: u16) -> io::Result<u16> {
    Ok(UdpSocket::bind((address, port))?.local_addr()?.port())
}

/// Does what a socket does that receives multicast, and undoes it, to learn whether the system allows it.
#[cfg(feature = "draft")]
pub(crate) fn probe_multicast(address: Ipv4Addr, port: u16, interface: Option<Ipv4Addr>) -> io::Result<()> {
    use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn, sockopt};
    use std::net::SocketAddrV4;

    let socket = socket::socket(AddressFamily::Inet, SockType::Datagram, SockFlag::empty(), None)?;
    // Many sockets can share the port, if all of them agree.
    socket::setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    socket::setsockopt(&socket, sockopt::ReusePort, &true)?;
    socket::bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(address, port)))?;
    UdpSocket::from(socket).join_multicast_v4(&address, &interface.unwrap_or(Ipv4Addr::UNSPECIFIED))
}

/// nix has sockets only with the feature `draft`. Without it, no pattern receives multicast.
#[cfg(not(feature = "draft"))]
pub(crate) fn probe_multicast(_address: Ipv4Addr, _port: u16, _interface: Option<Ipv4Addr>) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Binds the path of an `ipc` endpoint and releases it again, to learn whether the system allows it.
///
/// libzmq deletes the file that it finds at the path. That is right for a file that a dead server left behind. If a
/// server still listens there, or the file is not a socket, this is an error.
pub(crate) fn bind_probe(path: &str) -> io::Result<()> {
    match UnixListener::bind(path) {
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_abandoned_socket(path) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether the file is a socket that no process has open.
///
/// A datagram socket asks. If a process has the stream socket there open, the system answers that it is of another type.
/// A stream socket would wait for its turn if the process is slow to accept connections.
fn is_abandoned_socket(path: &str) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    let answer = UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    is_socket && answer.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Opens a regular file to read. This does not block, as it would at a FIFO that nobody writes to.
pub(crate) fn open_regular_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Who may read a new file.
#[derive(Clone, Copy)]
pub(crate) enum FileMode {
    Everyone,
    OwnerOnly,
}

/// Creates a file with these contents. It never replaces a file, and if it fails, it leaves none.
///
/// The file is written beside its place first, so that a process that is killed leaves no torn file there.
pub(crate) fn create_file(path: &Path, mode: FileMode, contents: &[u8]) -> io::Result<()> {
    let draft = NewFile::beside(path, mode, contents)?;
    match fs::hard_link(&draft.0, path) {
        // Some file systems, such as FAT, have no links, and some systems do not permit them.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
            NewFile::create(path, mode, contents).map(NewFile::keep)
        }
        outcome => outcome,
    }
}

/// The path of a file that is removed when this is dropped.
struct NewFile(PathBuf);

impl NewFile {
    fn create(path: &Path, mode: FileMode, contents: &[u8]) -> io::Result<NewFile> {
        let mode = match mode {
            FileMode::Everyone => 0o644,
            FileMode::OwnerOnly => 0o600,
        };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        let new = NewFile(path.to_owned());
        file.write_all(contents)?;
        // Some file systems report only now that there is no room.
        file.sync_all()?;
        Ok(new)
    }

    /// Creates a file in the folder of `path`, with a name that is free.
    fn beside(path: &Path, mode: FileMode, contents: &[u8]) -> io::Result<NewFile> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let folder = path.parent().unwrap_or(Path::new(""));
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".zeroless-{}-{number}.draft", process::id());
            match NewFile::create(&folder.join(name), mode, contents) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                outcome => return outcome,
            }
        }
    }

    fn keep(mut self) {
        // There is no file to remove.
        self.0.clear();
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // It is gone already, or cannot be removed by anyone who could be told.
        let _ = fs::remove_file(&self.0);
    }
}

/// Whether users other than the file's owner can use it.
pub(crate) fn accessible_by_others(file: &Metadata) -> bool {
    file.permissions().mode() & 0o077 != 0
}

/// What the system tells of a file or folder that differs after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    /// When the contents last changed, which programs can set.
    modified: Duration,
    /// When the contents or any property last changed. Not all file systems know.
    changed: Duration,
}

impl FileVersion {
    pub(crate) fn at(path: &Path) -> io::Result<FileVersion> {
        fs::metadata(path).map(|file| FileVersion::of(&file))
    }

    pub(crate) fn of(file: &Metadata) -> FileVersion {
        let time = |seconds: i64, nanoseconds: i64| {
            let seconds = Duration::from_secs(seconds.try_into().unwrap_or_default());
            seconds + Duration::from_nanos(nanoseconds.try_into().unwrap_or_default())
        };
        FileVersion {
            device: file.dev(),
            inode: file.ino(),
            size: file.len(),
            modified: time(file.mtime(), file.mtime_nsec()),
            changed: time(file.ctime(), file.ctime_nsec()),
        }
    }

    /// Whether each change after `now` gives the file another version.
    ///
    /// A file system counts time in steps, and a second change within a step shows in no time.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_past = |time: Duration| now.abs_diff(time) > longest_step(time);
        is_past(self.modified) && is_past(self.changed)
    }
}

/// The longest step in which a file system may count time if it reports this time.
fn longest_step(time: Duration) -> Duration {
    match time.subsec_nanos() {
        // Two seconds on FAT, and one on others.
        0 => Duration::from_secs(3),
        // A tick of the kernel, up to ten milliseconds.
        _ => Duration::from_millis(100),
    }
}

/// Blocks all signals in the calling thread.
pub(crate) fn block_signals() -> io::Result<()> {
    SigSet::all().thread_block().map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, UnixAddr};

    use super::*;

    /// A path that no other test uses.
    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("zeroless-{}-unix-{name}", process::id()))
    }

    /// A stream socket that listens at the path, but accepts nothing, and has room for one connection.
    fn busy_server(path: &Path) -> UnixListener {
        let server = socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::empty(), None).unwrap();
        let address = UnixAddr::new(path).unwrap();
        socket::bind(server.as_raw_fd(), &address).unwrap();
        socket::listen(&server.as_fd(), Backlog::new(0).unwrap()).unwrap();
        UnixListener::from(server)
    }

    #[test]
    fn probe_does_not_wait_for_busy_server() {
        let path = path("busy");
        let server = busy_server(&path);
        let waiting = UnixStream::connect(&path).unwrap();
        let (done, outcome) = crossbeam_channel::bounded(1);
        let text = path.to_str().unwrap().to_owned();
        std::thread::spawn(move || done.send(bind_probe(&text)));
        let outcome = outcome
            .recv_timeout(Duration::from_secs(20))
            .expect("it does not block");
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::AddrInUse);
        // The server has not been disturbed by a connection.
        drop((server.accept().unwrap(), waiting));
        server.set_nonblocking(true).unwrap();
        assert_eq!(server.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        // It leaves its file, which anyone may replace.
        drop(server);
        bind_probe(path.to_str().unwrap()).unwrap();
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn probe_finds_living_servers_of_any_type() {
        let path = path("datagram");
        let text = path.to_str().unwrap();
        let server = UnixDatagram::bind(&path).unwrap();
        assert_eq!(bind_probe(text).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(server);
        bind_probe(text).unwrap();
        fs::remove_file(&path).unwrap();
        bind_probe(text).unwrap();
        assert!(!path.exists());
        fs::write(&path, "not a socket").unwrap();
        assert_eq!(bind_probe(text).unwrap_err().kind(), ErrorKind::AddrInUse);
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn new_file_is_removed_unless_kept() {
        let path = path("new");
        drop(NewFile::create(&path, FileMode::OwnerOnly, b"text").unwrap());
        assert!(!path.exists());
        NewFile::create(&path, FileMode::OwnerOnly, b"text").unwrap().keep();
        assert_eq!(fs::read(&path).unwrap(), b"text");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn version_settles_when_time_has_moved_on() {
        let version = |modified, changed| FileVersion {
            device: 1,
            inode: 1,
            size: 1,
            modified,
            changed,
        };
        let [long_ago, just_now, exact] = [1, 1_000_000, 999_999].map(Duration::from_secs);
        let exact = exact + Duration::from_nanos(999_000_001);
        let now = UNIX_EPOCH + just_now;
        assert!(version(long_ago, long_ago).is_settled(now));
        for recent in [just_now, exact] {
            assert!(!version(long_ago, recent).is_settled(now));
            assert!(!version(recent, long_ago).is_settled(now));
        }
        // A file system with exact times counts them in short steps.
        assert!(version(exact, exact).is_settled(now + Duration::from_millis(200)));
        assert!(!version(just_now, just_now).is_settled(now + Duration::from_secs(2)));
        assert!(version(just_now, just_now).is_settled(now + Duration::from_secs(4)));
    }
}
