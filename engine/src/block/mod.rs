//! Blocks: 65,536 rows of one column as bytes.
//!
//! A block is one record in the table of contents ([`BlockToc`]) and up to three frames: the
//! values, something beside the values (a dictionary's codes, a prefix), and the bits of the
//! rows whose value is known.

mod above;
pub(crate) mod bands;
pub(crate) mod bordered;
pub(crate) mod chunks;
mod conditions;
pub(crate) mod container;
mod filter;
mod first;
pub(crate) mod gathered;
mod groups;
pub(crate) mod integers;
pub(crate) mod packed;
mod picked;
mod places;
pub(crate) mod planes;
mod plans;
mod reached;
mod shaped;
mod sliced;
mod tally;
pub(crate) mod texts;
pub(crate) mod unpack;

#[cfg(test)]
pub(crate) use filter::holds;
pub(crate) use places::deposit;

use std::borrow::Cow;
use std::ops::Range;

use wincode::{SchemaRead, SchemaWrite};

use crate::format::{Encoding, FRAME_ALIGN, checksum};
use crate::unfolded::Unfolded;

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// Values of a dictionary, or runs; of shaped texts bits of where a group begins.
    pub distinct: u32,
    /// The values.
    pub frame: Option<FrameRef>,
    /// What stands beside the values.
    pub beside: Option<FrameRef>,
    /// The bits of the known rows; none when all are known or none is.
    pub known_bits: Option<FrameRef>,
    /// The bits of the known rows are plain words, as format 1 had them.
    pub known_plain: bool,
}

/// A file under construction: frames one behind the other.
#[derive(Debug, Default)]
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
        let mut body = vec![0; container::HEAD_BYTES];
        let head = container::put(&mut known.to_vec(), rows, &mut body);
        body.splice(..container::HEAD_BYTES, head);
        Some(self.put(&body))
    }

    #[cfg(test)]
    pub(crate) fn bytes_of(&self, frame: Option<FrameRef>) -> &[u8] {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        let frame = frame.map(|f| at(f.offset)..at(f.offset + f.length));
        frame.and_then(|part| self.bytes.get(part)).unwrap_or_default()
    }
}

/// Where less than one word of so many of known rows is asked for, the others are not made.
const KNOWN_PART: usize = 8;

impl BlockToc {
    /// Whether the values of the known rows alone are written.
    pub(crate) fn of_known(&self) -> bool {
        Encoding::from_number(self.encoding).is_some_and(|encoding| encoding.of_rows().1)
    }

    /// Whether the values, or their places in a list, are written bit by bit.
    pub(crate) fn is_planes(&self) -> bool {
        let encoding = Encoding::from_number(self.encoding).map(|encoding| encoding.of_rows().0);
        matches!(encoding, Some(Encoding::Planes | Encoding::ListPlanes))
    }

    /// How many values are written.
    pub(crate) fn stored(&self) -> u32 {
        if self.of_known() { self.known } else { self.rows }
    }

    /// The rows whose value is known, or the others, from the bytes of their frame; none where it
    /// does not read.
    fn known_rows<'a>(&self, frame: &'a [u8]) -> Option<(container::Container<'a>, bool)> {
        if self.known_plain {
            let form = container::Form::Words;
            return Some((container::Container { form, bytes: frame, rows: self.rows }, false));
        }
        let (head, mut body) = frame.split_first_chunk::<{ container::HEAD_BYTES }>()?;
        let found = container::take(*head, self.rows, &mut body)?;
        body.is_empty().then_some(found)
    }

    /// Whether the value of a row is known.
    pub(crate) fn knows(&self, frame: &[u8], row: u32) -> Option<bool> {
        let (rows, others) = self.known_rows(frame)?;
        Some(rows.contains(row)? != others)
    }

    /// How many rows are known before a row.
    pub(crate) fn known_before(&self, frame: &[u8], row: u32) -> Option<u32> {
        let (rows, others) = self.known_rows(frame)?;
        let count = rows.rank(row)?;
        if others { row.checked_sub(count) } else { Some(count) }
    }

    /// The bits of the known rows, from the bytes of their frame; none where it does not read.
    pub(crate) fn known_words(&self, frame: &[u8]) -> Option<Vec<u64>> {
        self.known_part(frame, 0..self.rows.div_ceil(64) as usize)
    }

    /// As [`BlockToc::known_part`], kept for the next time where that may be.
    pub(crate) fn known_kept<'a>(
        &self,
        frame: &[u8],
        kept: Option<&'a Unfolded<u64>>,
        part: Range<usize>,
    ) -> Option<Cow<'a, [u64]>> {
        let all = self.rows.div_ceil(64) as usize;
        let made = || Some(self.known_words(frame)?.into());
        // A few words are not worth all of them.
        let own = match part.len() < all / KNOWN_PART {
            true => kept.and_then(|kept| kept.get(0)),
            false => kept.and_then(|kept| kept.get_or(0, all, made)),
        };
        match own {
            Some(own) => Some(Cow::Borrowed(own.get(part)?)),
            None => Some(Cow::Owned(self.known_part(frame, part)?)),
        }
    }

    /// As [`BlockToc::known_words`], some words of them.
    pub(crate) fn known_part(&self, frame: &[u8], part: Range<usize>) -> Option<Vec<u64>> {
        let (container, others) = self.known_rows(frame)?;
        let flip = if others { u64::MAX } else { 0 };
        let words = container.part(part.clone())?;
        let words = words.iter().map(|word| u64::from_le_bytes(*word) ^ flip);
        let mut words: Vec<u64> = words.collect();
        if part.end == self.rows.div_ceil(64) as usize {
            container::trim(&mut words, self.rows);
        }
        Some(words)
    }
}
