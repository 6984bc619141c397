//! A folder in memory for the tests of this crate: nothing of it is ever lost.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use parking_lot::Mutex;

use super::{Bytes, Lock, Storage};

/// Files by name.
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) Mutex<BTreeMap<String, Vec<u8>>>);

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
