//! A folder on disk.
//!
//! Invariant: the only module of the engine that touches the file system.
#![expect(clippy::disallowed_methods, reason = "this is the door to the file system")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Bytes, Lock, Storage, map::Mapping};

/// Name of the file that carries the lock. It holds nothing and is never removed: removing it
/// would let two writers lock two files of one name.
const LOCK_FILE: &str = "LOCK";

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
        let path = self.folder.join(name);
        // A file of this name can only be the rest of a commit that did not happen. It may be
        // mapped by nobody, but a new file rather than a shortened one costs nothing.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
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
        fs::remove_file(self.folder.join(name))
    }

    fn lock(&self) -> io::Result<Option<Lock>> {
        let path = self.folder.join(LOCK_FILE);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock::new(Held(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
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
