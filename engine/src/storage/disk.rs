//! A folder on disk.
//!
//! Invariant: the only module of the engine that touches the file system. It needs positioned
//! writes and folders that can be synced, so the engine is built for Unix systems.
#![expect(clippy::disallowed_methods, reason = "this is the door to the file system")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::{Bytes, Lock, LogFile, Storage, map::Mapping};

/// Name of the file that carries the lock. It holds nothing and is never removed: removing it
/// would let two writers lock two files of one name.
const LOCK_FILE: &str = "LOCK";
/// Zeros that are written at once when a log is made.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Tries again what a signal interrupted, which is no failure. Most calls of the standard library
/// do it themselves.
fn patient<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// A folder on disk.
#[derive(Debug, Clone)]
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// The folder at `folder`, which must exist.
    ///
    /// # Errors
    /// `NotFound` when there is no such folder.
    pub fn open(folder: &Path) -> io::Result<Self> {
        if !fs::metadata(folder)?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// The folder at `folder`, made with all above it where it is missing, and durable.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let missing: Vec<&Path> =
            folder.ancestors().take_while(|place| fs::metadata(place).is_err()).collect();
        fs::create_dir_all(folder)?;
        // A folder's name is kept by the folder above it.
        for place in missing {
            let above = place.parent().filter(|above| !above.as_os_str().is_empty());
            File::open(above.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// A new file of this name, open for writing.
    fn fresh(&self, name: &str) -> io::Result<File> {
        let path = self.folder.join(name);
        // A file of this name can only be the rest of a commit that did not happen. It may be
        // mapped by nobody, but a new file rather than a shortened one costs nothing.
        match patient(|| fs::remove_file(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    /// Whether the folder holds a file of that name.
    #[must_use]
    pub fn has(folder: &Path, name: &str) -> bool {
        fs::metadata(folder.join(name)).is_ok()
    }
}

impl Storage for Disk {
    fn place(&self) -> &Path {
        &self.folder
    }

    fn read(&self, name: &str) -> io::Result<Bytes> {
        let file = File::open(self.folder.join(name))?;
        if file.metadata()?.len() == 0 {
            return Ok(Bytes::Owned(Vec::new()));
        }
        Mapping::new(&file).map(Bytes::Mapped)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.fresh(name)?;
        file.write_all(bytes)?;
        // A disk that is full is told by the writing; what a sync says is worse.
        file.sync_all().map_err(io::Error::other)
    }

    fn create_log(&self, name: &str, length: u64) -> io::Result<Box<dyn LogFile>> {
        let mut file = self.fresh(name)?;
        let mut left = length;
        while left > 0 {
            let piece = usize::try_from(left).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
            file.write_all(ZEROS.get(..piece).unwrap_or(&ZEROS))?;
            left = left.saturating_sub(piece as u64);
        }
        file.sync_all().map_err(io::Error::other)?;
        self.open_log(name)
    }

    fn open_log(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(Log::open(&self.folder.join(name))?))
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.folder.join(name))?;
        // The caller's length is asked for by bytes that were read: only what is there is taken.
        let there = file.metadata()?.len().saturating_sub(offset);
        let mut bytes = vec![0; usize::try_from(there).map_or(length, |there| there.min(length))];
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match patient(|| file.read_at(rest, offset.saturating_add(done as u64)))? {
                0 => break,
                read => done += read,
            }
        }
        bytes.truncate(done);
        Ok(bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        patient(|| fs::rename(self.folder.join(from), self.folder.join(to)))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all().map_err(io::Error::other)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        patient(|| fs::remove_file(self.folder.join(name)))
    }

    fn lock(&self) -> io::Result<Option<Lock>> {
        let path = self.folder.join(LOCK_FILE);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let locked = patient(|| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })?;
        Ok(locked.then(|| Lock::new(Held(file))))
    }
}

/// A log on disk. Its handles live as long as it: the system reports an error of writing back to
/// each handle that was open when it happened, once, and to a later one perhaps not. So two syncs
/// never share a handle at one time, and after one that failed there is none that succeeds.
#[derive(Debug)]
struct Log {
    writing: File,
    syncing: [Mutex<File>; 2],
    length: u64,
    failed: AtomicBool,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let open = || OpenOptions::new().write(true).open(path);
        let (writing, syncing) = (open()?, [Mutex::new(open()?), Mutex::new(open()?)]);
        let length = writing.metadata()?.len();
        Ok(Self { writing, syncing, length, failed: AtomicBool::new(false) })
    }
}

impl LogFile for Log {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.writing.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        let [first, second] = &self.syncing;
        let handle = second.try_lock().unwrap_or_else(|| first.lock());
        if let Err(error) = handle.sync_data() {
            // Said before the handle is another's.
            self.failed.store(true, Ordering::Release);
            return Err(io::Error::other(error));
        }
        // What another sync lost may have been this one's.
        if self.failed.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier sync of the log failed"));
        }
        Ok(())
    }
}

/// A file that is locked until this is dropped.
struct Held(File);

impl Drop for Held {
    /// Closing the file is not enough: a process that another thread is just starting holds a
    /// copy of the handle until it runs its own program, and the lock with it.
    fn drop(&mut self) {
        // What cannot be unlocked is unlocked by closing it.
        let _ = self.0.unlock();
    }
}
