//! The only place that maps files, and the only `unsafe` of the storage layer.
//!
//! A mapping is sound while nobody shortens or rewrites the file. The engine keeps that: a file
//! is written under a name of its own, synced, and never opened for writing again; taking it
//! away leaves the mapping whole. A program that writes into a database folder by hand breaks
//! this; what it can then cause is a wrong byte, which the checksum finds, or a signal.

use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file in the address space, read only.
#[derive(Debug)]
pub struct Mapping(memmap2::Mmap);

impl Mapping {
    /// Maps the whole file.
    ///
    /// # Errors
    /// Whatever the system says.
    #[expect(unsafe_code, reason = "mapping a file is unsafe by nature; this is its one place")]
    pub(super) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: files of a database are never changed after they were named in it (see the
        // head of this module), so the bytes behind the mapping stay as they are.
        unsafe { memmap2::Mmap::map(file) }.map(Self)
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
