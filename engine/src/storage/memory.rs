//! A folder in memory for the tests of this crate: nothing of it is ever lost.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::{Bytes, Lock, LogFile, Storage};

/// Files by name.
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) Files);

/// Files by name, shared with the logs among them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Files(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Files {
    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock()
    }

    pub(crate) fn into_inner(self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut *self.lock())
    }
}

impl From<BTreeMap<String, Vec<u8>>> for Files {
    fn from(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(Arc::new(Mutex::new(files)))
    }
}

/// A log among the files.
#[derive(Debug)]
struct Log {
    files: Files,
    name: String,
}

impl LogFile for Log {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.files.lock();
        let file = files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?;
        let at = usize::try_from(offset).unwrap();
        let place = file.get_mut(at..at + bytes.len());
        place.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Storage for Memory {
    fn place(&self) -> &Path {
        Path::new("memory")
    }

    fn read(&self, name: &str) -> io::Result<Bytes> {
        let found = self.0.lock().get(name).cloned();
        found.map(Bytes::Owned).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn create_log(&self, name: &str, length: u64) -> io::Result<Box<dyn LogFile>> {
        self.write(name, &vec![0; usize::try_from(length).unwrap()])?;
        self.open_log(name)
    }

    fn open_log(&self, name: &str) -> io::Result<Box<dyn LogFile>> {
        self.read(name)?;
        Ok(Box::new(Log { files: self.0.clone(), name: name.to_owned() }))
    }

    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let files = self.0.lock();
        let file = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        let at = usize::try_from(offset).unwrap().min(file.len());
        Ok(file.iter().skip(at).take(length).copied().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let bytes = self.0.lock().remove(from).unwrap();
        self.write(to, &bytes)
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().remove(name);
        Ok(())
    }

    fn lock(&self) -> io::Result<Option<Lock>> {
        Ok(Some(Lock::new(())))
    }
}
