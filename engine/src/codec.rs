//! Metadata records in the bincode format, written and read in this one place.
//!
//! The format's original crate is no longer kept; `wincode` writes the same bytes
//! (docs/decisions/0008). Bulk data never passes through here.

use std::path::Path;

use wincode::{SchemaRead, SchemaWrite};

use crate::error::{Error, Result};
use crate::limits::RECORD_BYTES_MAX;

/// The bytes of a record.
pub(crate) fn encode<T>(record: &T) -> Result<Vec<u8>>
where
    T: SchemaWrite<wincode::config::DefaultConfig, Src = T>,
{
    wincode::serialize(record).map_err(|_| Error::Limit {
        what: "size of a metadata record in bytes",
        found: u64::MAX,
        limit: RECORD_BYTES_MAX as u64,
    })
}

/// The record that `bytes` hold; `offset` is where they stand in `file`, for the error.
pub(crate) fn decode<'a, T>(bytes: &'a [u8], file: &Path, offset: u64) -> Result<T>
where
    T: SchemaRead<'a, wincode::config::DefaultConfig, Dst = T>,
{
    let corrupt = |what| Error::Corrupt { file: file.to_path_buf(), offset, what };
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(corrupt("a metadata record is larger than any this engine writes"));
    }
    wincode::deserialize(bytes).map_err(|_| corrupt("a metadata record does not read back"))
}
