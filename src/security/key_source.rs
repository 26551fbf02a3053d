//! The keys in a file or a folder, which are read again when they change on disk.
//!
//! Anyone can make a server look for a key that no file has. So that must be cheap even for a folder of ten thousand
//! files, and a change on disk must be noticed nevertheless:
//!
//! * For a key that is known, only the file that has it is examined. So a key that is removed is noticed at once.
//! * For another key, the file or folder itself is examined. The system changes the times of a folder when a file in it
//!   is added, renamed or removed. So a new file is noticed at once.
//! * The system does not do so when it changes the contents of a file in the folder. To notice that, all the files are
//!   examined, but at most for a tenth of the time; see [`MAX_PAUSE`].
//! * Only files that have changed are read. A file, or folder, that has changed just before it was examined could change
//!   again without getting another version; so it is examined and read again until it has been left alone for a moment.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::key_file;
use super::keys::{self, PublicKey};
use crate::error::{Error, Result};
use crate::sys::FileVersion;

/// In a folder, only files with this extension are read.
const EXTENSION: &str = "key";

/// The longest time after which the files of an unchanged folder are examined again for a key that is not known.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// A file or a folder of public keys.
pub(super) struct KeySource {
    path: PathBuf,
    known: Mutex<Known>,
}

impl KeySource {
    /// Fails if the keys cannot be read.
    pub(super) fn new(path: &Path) -> Result<KeySource> {
        let mut known = Known::default();
        known.update(path);
        match known.fault {
            Some(fault) => Err(fault),
            None => Ok(KeySource {
                path: path.to_owned(),
                known: Mutex::new(known),
            }),
        }
    }

    /// Whether the key is there. Fails if it is not among those that can be read, but others cannot be read.
    pub(super) fn contains(&self, key: &PublicKey) -> Result<bool> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.is_unchanged(key) {
            Some(true) => return Ok(true),
            None if known.is_current(&self.path) => {}
            _ => known.update(&self.path),
        }
        match &known.fault {
            _ if known.holders.contains_key(key) => Ok(true),
            Some(fault) => Err(fault.clone()),
            None => Ok(false),
        }
    }
}

/// What is known of a file or folder since it was last examined.
#[derive(Default)]
struct Known {
    version: Option<FileVersion>,
    is_folder: bool,
    files: HashMap<OsString, KnownFile>,
    /// A file that has the key, for each key.
    holders: HashMap<PublicKey, OsString>,
    /// Why some keys could not be read.
    fault: Option<Error>,
    /// Whether a change since then shows in the version of what has changed.
    settled: bool,
    /// Until when it need not be examined again if its version has not changed. `None` means forever.
    pause: Option<Instant>,
}

impl Known {
    /// Whether the file that has this key is still the same. `None` if no file has the key.
    fn is_unchanged(&self, key: &PublicKey) -> Option<bool> {
        let name = self.holders.get(key)?;
        let version = FileVersion::at(Path::new(name));
        Some(version.is_ok_and(|version| self.files[name].is_still(&version)))
    }

    /// Whether there is no need, or not yet, to examine all of it again.
    fn is_current(&self, path: &Path) -> bool {
        self.settled && self.pause.is_none_or(|end| Instant::now() < end) && FileVersion::at(path).ok() == self.version
    }

    /// Examines all of it, and reads what has changed.
    fn update(&mut self, path: &Path) {
        let started = Instant::now();
        if let Err(fault) = self.examine(path) {
            *self = Known {
                fault: Some(fault),
                ..Known::default()
            };
        }
        // A fault may go away although no file changes, such as a lack of descriptors.
        let may_change_unseen = self.is_folder || self.fault.is_some();
        self.pause = may_change_unseen.then(|| Instant::now() + (started.elapsed() * 9).min(MAX_PAUSE));
    }

    fn examine(&mut self, path: &Path) -> Result<()> {
        self.fault = None;
        let now = SystemTime::now();
        let metadata = fs::metadata(path).map_err(|error| key_file::unreadable(path, error))?;
        let version = FileVersion::of(&metadata);
        self.is_folder = metadata.is_dir();
        let files = match self.is_folder {
            true => key_files_in(path)?,
            false => vec![(path.into(), version.clone())],
        };
        let mut before = mem::take(&mut self.files);
        let mut has_changed = false;
        for (name, version) in files {
            let file = match before.remove(&name) {
                Some(file) if file.is_still(&version) => file,
                _ => {
                    has_changed = true;
                    KnownFile::read(Path::new(&name), version, now)
                }
            };
            self.files.insert(name, file);
        }
        if has_changed || !before.is_empty() {
            self.index();
        }
        self.settled = version.is_settled(now) && self.files.values().all(|file| file.settled);
        self.version = Some(version);
        Ok(())
    }

    fn index(&mut self) {
        self.holders.clear();
        let mut faults = Vec::new();
        for (name, file) in &self.files {
            match &file.keys {
                Ok(keys) => self.holders.extend(keys.iter().map(|key| (key.clone(), name.clone()))),
                Err(fault) => faults.push((name, fault)),
            }
        }
        let first = faults.into_iter().min_by_key(|(name, _)| *name);
        self.fault = first.map(|(_, fault)| fault.clone());
    }
}

/// What is known of one file since it was last read.
struct KnownFile {
    version: FileVersion,
    /// Whether a change since then shows in the version.
    settled: bool,
    keys: Result<Vec<PublicKey>>,
}

impl KnownFile {
    /// Reads the file. If that fails, `version` remains its version.
    fn read(path: &Path, version: FileVersion, now: SystemTime) -> KnownFile {
        let (version, keys) = match key_file::read(path) {
            Ok(contents) => (FileVersion::of(&contents.metadata), keys::list(&contents.text, path)),
            Err(error) => (version, Err(error)),
        };
        KnownFile {
            settled: version.is_settled(now),
            version,
            keys,
        }
    }

    /// Whether the file, which has this version, still has the same keys.
    fn is_still(&self, version: &FileVersion) -> bool {
        self.settled && self.version == *version && self.keys.is_ok()
    }
}

/// The files of a folder that are read, with their versions.
fn key_files_in(folder: &Path) -> Result<Vec<(OsString, FileVersion)>> {
    let unreadable = |error| key_file::unreadable(folder, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        // Some editors put a broken link beside a file. It must not make every client wait.
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => files.push((path.into(), FileVersion::of(&metadata))),
            _ => {}
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder that is removed when it is dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("zeroless-{}-source-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Folder(folder)
        }

        /// Writes a file in place.
        fn write(&self, name: &str, keys: &[&PublicKey]) -> PathBuf {
            let lines: Vec<_> = keys.iter().map(ToString::to_string).collect();
            fs::write(self.0.join(name), lines.join("\n")).unwrap();
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn two_keys() -> [PublicKey; 2] {
        [1, 2].map(|byte| PublicKey::from_bytes(&[byte; 32]).unwrap())
    }

    /// A source that need not be examined again unless a version changes.
    fn settled(path: &Path) -> KeySource {
        let source = KeySource::new(path).unwrap();
        let mut known = source.known.lock().unwrap();
        let started = Instant::now();
        while !known.settled {
            assert!(started.elapsed() < Duration::from_secs(60), "it does not settle");
            known.update(path);
        }
        known.pause = known.pause.map(|_| Instant::now() + Duration::from_secs(3_600));
        drop(known);
        source
    }

    #[test]
    fn change_of_file_is_noticed_at_once() {
        let folder = Folder::new("file");
        let [ada, bob] = two_keys();
        let path = folder.write("list", &[&ada]);
        let source = settled(&path);
        assert!(source.contains(&ada).unwrap() && !source.contains(&bob).unwrap());
        folder.write("list", &[&ada, &bob]);
        assert!(source.contains(&ada).unwrap() && source.contains(&bob).unwrap());
        folder.write("list", &[&bob]);
        assert!(!source.contains(&ada).unwrap() && source.contains(&bob).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(source.contains(&bob).is_err());
    }

    #[test]
    fn new_or_removed_key_in_folder_is_noticed_at_once() {
        let folder = Folder::new("folder");
        let [ada, bob] = two_keys();
        let path = folder.write("ada.key", &[&ada]);
        let source = settled(&folder.0);
        assert!(source.contains(&ada).unwrap() && !source.contains(&bob).unwrap());
        let added = folder.write("bob.key", &[&bob]);
        assert!(source.contains(&ada).unwrap() && source.contains(&bob).unwrap());

        let source = settled(&folder.0);
        fs::rename(added, folder.0.join("bob.old")).unwrap();
        folder.write("ada.key", &[]);
        assert!(!source.contains(&ada).unwrap() && !source.contains(&bob).unwrap());

        let source = settled(&folder.0);
        fs::rename(folder.write("draft", &[&bob]), path).unwrap();
        assert!(source.contains(&bob).unwrap());
    }

    #[test]
    fn other_folder_at_path_is_noticed_at_once() {
        let (one, other) = (Folder::new("link"), Folder::new("link-target"));
        let [ada, bob] = two_keys();
        let link = one.0.join("clients");
        one.write("ada.key", &[&ada]);
        other.write("ada.key", &[&bob]);
        symlink(&one.0, &link).unwrap();
        let source = settled(&link);
        fs::remove_file(&link).unwrap();
        symlink(&other.0, &link).unwrap();
        assert!(!source.contains(&ada).unwrap() && source.contains(&bob).unwrap());
    }

    #[test]
    fn key_that_is_in_two_files_stays_until_both_are_gone() {
        let folder = Folder::new("twice");
        let [ada, bob] = two_keys();
        let files = [folder.write("1.key", &[&ada]), folder.write("2.key", &[&ada, &bob])];
        let source = settled(&folder.0);
        fs::remove_file(&files[0]).unwrap();
        assert!(source.contains(&ada).unwrap());
        fs::remove_file(&files[1]).unwrap();
        assert!(!source.contains(&ada).unwrap());
    }

    #[test]
    fn key_added_in_place_is_noticed_after_pause() {
        let folder = Folder::new("pause");
        let [ada, bob] = two_keys();
        folder.write("list.key", &[&ada]);
        let source = settled(&folder.0);
        folder.write("list.key", &[&ada, &bob]);
        assert!(
            !source.contains(&bob).unwrap(),
            "the files are not examined for each stranger"
        );
        source.known.lock().unwrap().pause = Some(Instant::now());
        assert!(source.contains(&bob).unwrap());
    }

    #[test]
    fn pause_is_short_after_short_look() {
        let folder = Folder::new("short");
        let source = settled(&folder.0);
        let started = Instant::now();
        source.known.lock().unwrap().update(&folder.0);
        let taken = started.elapsed();
        let pause = source.known.lock().unwrap().pause.unwrap();
        assert!(pause <= Instant::now() + taken * 9);
    }

    #[test]
    fn unsettled_file_is_read_again() {
        let folder = Folder::new("unsettled");
        let [ada, bob] = two_keys();
        let path = folder.write("list", &[&ada]);
        for is_settled in [true, false] {
            let source = settled(&path);
            folder.write("list", &[&bob]);
            // As if both contents had been written in the same step of the file system's clock.
            let mut known = source.known.lock().unwrap();
            let version = FileVersion::at(&path).unwrap();
            known.version = Some(version.clone());
            known.settled = is_settled;
            let file = known.files.get_mut(path.as_os_str()).unwrap();
            (file.version, file.settled) = (version, is_settled);
            drop(known);
            assert_eq!(source.contains(&ada).unwrap(), is_settled);
            assert_eq!(source.contains(&bob).unwrap(), !is_settled);
            folder.write("list", &[&ada]);
        }
    }

    #[test]
    fn faulty_file_matters_only_to_keys_that_it_may_have() {
        let folder = Folder::new("faulty");
        let [ada, bob] = two_keys();
        folder.write("ada.key", &[&ada]);
        let source = settled(&folder.0);
        for name in ["2.key", "1.key"] {
            fs::write(folder.0.join(name), "not a key").unwrap();
        }
        assert!(source.contains(&ada).unwrap());
        let error = source.contains(&bob).unwrap_err().to_string();
        assert!(error.contains("1.key, line 1"), "{error}");
        assert!(KeySource::new(&folder.0).is_err());
        fs::remove_file(folder.0.join("1.key")).unwrap();
        fs::rename(folder.write("draft", &[&bob]), folder.0.join("2.key")).unwrap();
        assert!(source.contains(&bob).unwrap());
    }

    #[test]
    fn fault_of_folder_goes_away_with_its_cause() {
        let folder = Folder::new("gone");
        let [ada, bob] = two_keys();
        folder.write("ada.key", &[&ada]);
        let (clients, hidden) = (folder.0.join("clients"), folder.0.join("hidden"));
        fs::create_dir(&clients).unwrap();
        let source = settled(&clients);
        fs::rename(&clients, &hidden).unwrap();
        assert!(source.contains(&ada).is_err() && source.contains(&bob).is_err());
        fs::rename(&hidden, &clients).unwrap();
        assert!(!source.contains(&ada).unwrap());
    }
}
