//! The one door to the disk: everything a database reads or writes passes through [`Storage`].
//!
//! The folder on disk is [`Disk`]; a test puts its own storage in its place, to lose what was
//! not synced and to tear what was being written.

mod disk;
mod map;
#[cfg(test)]
pub(crate) mod memory;

use std::io;
use std::ops::{Deref, Range};
use std::sync::Arc;

pub use disk::Disk;

/// A file that is written piece by piece: the only kind that is.
pub trait LogFile: Send + Sync + std::fmt::Debug {
    /// Writes bytes inside the length that the file was made with. Readers see them at once;
    /// they are durable after [`LogFile::sync`].
    ///
    /// # Errors
    /// `InvalidInput` beyond the length; whatever the system says: what the place then holds is
    /// unknown.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything written before the call is durable. Several threads may call it
    /// at once.
    ///
    /// # Errors
    /// Whatever the system says, and then of every call that runs at the time or comes later
    /// through this file. What was written since the last success may be lost for good, though
    /// a reader sees it, and a call through another file may succeed: nothing may rest on one.
    fn sync(&self) -> io::Result<()>;
}

/// A flat folder of files that are written once, and of logs.
///
/// An error of the kind `StorageFull` says that there was no place for what was to be written, and
/// nothing worse; a sync that fails, for whatever reason, is of another kind.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// Where it is, for messages.
    fn place(&self) -> &std::path::Path;
    /// The whole of a file that is not a log. The bytes of one call never change.
    ///
    /// # Errors
    /// `NotFound` when there is no such file.
    fn read(&self, name: &str) -> io::Result<Bytes>;
    /// Writes a new file, or replaces one, and returns when its bytes are durable. Its name is
    /// durable only after [`Storage::sync_folder`].
    ///
    /// # Errors
    /// Whatever the system says; what the file then holds is unknown.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Makes a file of `length` zero bytes, or replaces one. They are really written, so that a
    /// later sync needs no new place on the disk, and durable when this returns; the name is
    /// after [`Storage::sync_folder`].
    ///
    /// # Errors
    /// Whatever the system says; what the file then holds is unknown.
    fn create_log(&self, name: &str, length: u64) -> io::Result<Box<dyn LogFile>>;
    /// Opens a file that [`Storage::create_log`] made.
    ///
    /// # Errors
    /// `NotFound` when there is no such file.
    fn open_log(&self, name: &str) -> io::Result<Box<dyn LogFile>>;
    /// A copy of `length` bytes from `offset`; fewer where the file ends. The way to read a log.
    ///
    /// # Errors
    /// `NotFound` when there is no such file.
    fn read_at(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// Gives a file another name at once, replacing what bore it.
    ///
    /// # Errors
    /// Whatever the system says; the old state stands.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Returns when every name given or taken so far is durable.
    ///
    /// # Errors
    /// Whatever the system says; what is durable is unknown.
    fn sync_folder(&self) -> io::Result<()>;
    /// The names of the files.
    ///
    /// # Errors
    /// Whatever the system says.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Takes a file away; bytes that were read from it stay readable.
    ///
    /// # Errors
    /// Whatever the system says; the file stands.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The exclusive right to write, until the guard is dropped; none when another holds it.
    ///
    /// # Errors
    /// Whatever the system says.
    fn lock(&self) -> io::Result<Option<Lock>>;
}

/// The right to write; given back when it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, never read")] Box<dyn std::any::Any + Send>);

impl Lock {
    /// A lock that lasts as long as `guard`.
    pub fn new(guard: impl std::any::Any + Send) -> Self {
        Self(Box::new(guard))
    }
}

/// The bytes of a file: mapped from it, or in memory.
#[derive(Debug)]
pub enum Bytes {
    /// Mapped.
    Mapped(Mapping),
    /// In memory.
    Owned(Vec<u8>),
    /// A part of memory that others use as well; nothing where it has no such part.
    Shared(Arc<Vec<u8>>, Range<usize>),
}

pub use map::Mapping;

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(mapping) => mapping,
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes, part) => bytes.get(part.clone()).unwrap_or_default(),
        }
    }
}
