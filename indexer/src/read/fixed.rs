//! Records of fixed width in GB 18030: every cell so many bytes, padded with spaces.

use encoding_rs::GB18030;

use super::Sink;
use super::chunk::Chunk;
use crate::contract::Contract;
use crate::error::Result;
use crate::reject::Reason;

/// Hands over all records.
pub(super) fn read(
    contract: &Contract,
    bytes: &[u8],
    chunk: &mut Chunk,
    sink: Sink<'_>,
) -> Result<()> {
    let width = contract.record_bytes();
    for (line, record) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let record = record.strip_suffix(b"\r").unwrap_or(record);
        if record.is_empty() {
            continue;
        }
        if record.len() == width {
            let mut start = 0;
            for (place, column) in contract.columns.iter().enumerate() {
                let cell = record.get(start..start + column.bytes).unwrap_or_default();
                let (cell, _, _) = GB18030.decode(cell);
                chunk.cell(place, &cell);
                start += column.bytes;
            }
            chunk.end(line);
        } else {
            let (text, _, _) = GB18030.decode(record);
            chunk.broken(line, Reason::WrongCells, &text);
        }
        if chunk.is_full() {
            sink(chunk)?;
            chunk.clear();
        }
    }
    sink(chunk)
}
