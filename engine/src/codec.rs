//! Metadata records in the bincode format, written and read in this one place.
//!
//! The format's original crate is no longer kept; `wincode` writes the same bytes
//! (docs/decisions/0008). Bulk data never passes through here.
//!
//! Invariant: what [`encode`] writes, [`decode`] reads back; a list that says it is longer than
//! [`LIST_BYTES_MAX`] is refused before memory is taken for it.

use std::path::Path;

use wincode::config::Configuration;
use wincode::{SchemaRead, SchemaWrite};

use crate::error::{Error, Result};
use crate::limits::{LIST_BYTES_MAX, RECORD_BYTES_MAX};

/// How records are written: fixed widths, little-endian, lengths as 64 bits.
pub(crate) type Config = Configuration<true, LIST_BYTES_MAX>;

const CONFIG: Config = Configuration::default().with_preallocation_size_limit::<LIST_BYTES_MAX>();

/// The bytes of a record.
pub(crate) fn encode<T>(record: &T) -> Result<Vec<u8>>
where
    T: SchemaWrite<Config, Src = T>,
{
    let limit = RECORD_BYTES_MAX as u64;
    let too_large = |found| Error::Limit { what: "size of a metadata record", found, limit };
    let size = wincode::config::serialized_size(record, CONFIG);
    let size = size.map_err(|_| too_large(u64::MAX))?;
    if size > limit {
        return Err(too_large(size));
    }
    wincode::config::serialize(record, CONFIG).map_err(|_| too_large(size))
}

/// The record that `bytes` hold; `offset` is where they stand in `file`, for the error.
pub(crate) fn decode<'a, T>(bytes: &'a [u8], file: &Path, offset: u64) -> Result<T>
where
    T: SchemaRead<'a, Config, Dst = T>,
{
    let corrupt = |what| Error::Corrupt { file: file.to_path_buf(), offset, what };
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(corrupt("a metadata record is larger than any this engine writes"));
    }
    wincode::config::deserialize_exact(bytes, CONFIG)
        .map_err(|_| corrupt("a metadata record does not read back"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[derive(Debug, PartialEq, Eq, SchemaRead, SchemaWrite)]
    struct Sample {
        number: u16,
        list: Vec<u64>,
        maybe: Option<i64>,
        text: String,
    }

    fn sample(size: u64) -> Sample {
        Sample { number: 7, list: (0..size).collect(), maybe: Some(-1), text: "北".into() }
    }

    #[test]
    fn a_record_is_the_bytes_that_the_format_says() {
        let mut expected = vec![7, 0];
        expected.extend(1u64.to_le_bytes());
        expected.extend(0u64.to_le_bytes());
        expected.push(1);
        expected.extend((-1i64).to_le_bytes());
        expected.extend(3u64.to_le_bytes());
        expected.extend("北".as_bytes());
        assert_eq!(encode(&sample(1)).unwrap(), expected);
    }

    #[test]
    fn what_is_written_reads_back_and_nothing_else_does() {
        let file = Path::new("f");
        // The second is larger than the four MiB that the codec takes by itself.
        for size in [0, 1_000_000] {
            let bytes = encode(&sample(size)).unwrap();
            assert_eq!(decode::<Sample>(&bytes, file, 0).unwrap(), sample(size));
            for cut in [0, 1, 9, bytes.len() - 1] {
                assert!(decode::<Sample>(&bytes[..cut], file, 0).is_err(), "cut at {cut}");
            }
            let longer = [bytes.as_slice(), &[0]].concat();
            assert!(decode::<Sample>(&longer, file, 0).is_err(), "a byte too many");
        }
        let mut endless = encode(&sample(0)).unwrap();
        endless[2..10].copy_from_slice(&(u64::MAX / 8).to_le_bytes());
        assert!(decode::<Sample>(&endless, file, 0).is_err(), "a list without end");
        assert!(encode(&sample(9_000_000)).is_err(), "a list longer than is read back");
    }
}
