//! Files that are nothing but one record: written whole, read whole.
//!
//! Invariant: whoever names such a file also says what its record sums to, so that a file in
//! another's place is found.

use std::io;

use wincode::{SchemaRead, SchemaWrite};

use crate::codec;
use crate::error::{Error, Result};
use crate::format::{self, FileKind, checksum};
use crate::storage::{Bytes, Storage};

/// A file that is nothing but a record: the number in its name, and what the record sums to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct RecordRef {
    /// The number in the name.
    pub number: u64,
    /// The checksum of the record.
    pub checksum: u64,
}

/// What the system said of a file.
pub(crate) fn io_error(
    storage: &dyn Storage,
    action: &'static str,
    name: &str,
    source: io::Error,
) -> Error {
    Error::Io { action, path: storage.place().join(name), source }
}

/// A file whose whole is wrong.
pub(crate) fn corrupt(storage: &dyn Storage, name: &str, what: &'static str) -> Error {
    Error::Corrupt { file: storage.place().join(name), offset: 0, what }
}

/// Writes a file that is nothing but a record; what the record sums to.
pub(crate) fn write_record<T>(
    storage: &dyn Storage,
    name: &str,
    kind: FileKind,
    record: &T,
) -> Result<u64>
where
    T: SchemaWrite<codec::Config, Src = T>,
{
    let record = codec::encode(record)?;
    let bytes = format::close(format::header(kind), &record);
    storage.write(name, &bytes).map_err(|source| io_error(storage, "write", name, source))?;
    Ok(checksum(&record))
}

/// The bytes of a file that is nothing but a record, and where its record stands.
pub(crate) struct RecordFile {
    bytes: Bytes,
    path: std::path::PathBuf,
    offset: u64,
    length: usize,
}

impl RecordFile {
    /// Reads the file and checks everything but the meaning of the record; `expected` is what
    /// the record must sum to.
    pub(crate) fn read(
        storage: &dyn Storage,
        name: &str,
        kind: FileKind,
        expected: Option<u64>,
    ) -> Result<Self> {
        let bytes = storage.read(name).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound if expected.is_some() => {
                corrupt(storage, name, "the file is missing though the version needs it")
            }
            _ => io_error(storage, "read", name, source),
        })?;
        let path = storage.place().join(name);
        let (record, offset) = format::open(&bytes, kind, &path)?;
        if expected.is_some_and(|expected| expected != checksum(record)) {
            return Err(corrupt(storage, name, "it is not the file that the version names"));
        }
        let length = record.len();
        Ok(Self { bytes, path, offset, length })
    }

    /// The format that the file was written in.
    pub(crate) fn format(&self) -> u16 {
        format::format_of(&self.bytes)
    }

    /// What the record sums to.
    pub(crate) fn checksum(&self) -> u64 {
        checksum(self.record())
    }

    fn record(&self) -> &[u8] {
        let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
        self.bytes.get(start..start.saturating_add(self.length)).unwrap_or_default()
    }

    /// The record.
    pub(crate) fn decode<T>(&self) -> Result<T>
    where
        T: for<'a> SchemaRead<'a, codec::Config, Dst = T>,
    {
        codec::decode(self.record(), &self.path, self.offset)
    }
}
