//! Blocks: 65,536 rows of one column as bytes.
//!
//! A block is one record in the table of contents ([`BlockToc`]) and up to three frames: the
//! values, something beside the values (a dictionary's codes, a prefix), and the bits of the
//! rows whose value is known.

pub(crate) mod gathered;
pub(crate) mod integers;
pub(crate) mod texts;
pub(crate) mod unpack;

use wincode::{SchemaRead, SchemaWrite};

use crate::format::{FRAME_ALIGN, checksum};

/// Where a frame is and what its bytes sum to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct FrameRef {
    /// The number of the frame in its file.
    pub index: u32,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
    /// Their checksum.
    pub checksum: u64,
}

/// A block in the table of contents: its zone map and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct BlockToc {
    /// Rows.
    pub rows: u32,
    /// Rows whose value is known.
    pub known: u32,
    /// The least known value; 0 without one, and for texts.
    pub min: i64,
    /// The greatest known value; 0 without one, and for texts.
    pub max: i64,
    /// A number of [`crate::format::Encoding`].
    pub encoding: u8,
    /// Bits of a packed value.
    pub bits: u8,
    /// What a packed value is added to.
    pub base: i64,
    /// Bytes of the first frame once it is decompressed.
    pub plain_bytes: u64,
    /// Values of a dictionary.
    pub distinct: u32,
    /// The values.
    pub frame: Option<FrameRef>,
    /// What stands beside the values.
    pub beside: Option<FrameRef>,
    /// The bits of the known rows; none when all are known or none is.
    pub known_bits: Option<FrameRef>,
}

/// A file under construction: frames one behind the other.
#[derive(Debug)]
pub(crate) struct FrameSink {
    pub bytes: Vec<u8>,
    pub frames: u32,
}

impl FrameSink {
    /// Adds a frame.
    pub(crate) fn put(&mut self, frame: &[u8]) -> FrameRef {
        let padded = self.bytes.len().next_multiple_of(FRAME_ALIGN);
        self.bytes.resize(padded, 0);
        let index = self.frames;
        self.frames += 1;
        let offset = self.bytes.len() as u64;
        self.bytes.extend_from_slice(frame);
        FrameRef { index, offset, length: frame.len() as u64, checksum: checksum(frame) }
    }

    /// Adds the bits of the known rows where they say something.
    pub(crate) fn put_known(&mut self, known: &[u64], rows: u32, count: u32) -> Option<FrameRef> {
        if count == 0 || count == rows {
            return None;
        }
        let bytes: Vec<u8> = known.iter().flat_map(|w| w.to_le_bytes()).collect();
        Some(self.put(&bytes))
    }
}
