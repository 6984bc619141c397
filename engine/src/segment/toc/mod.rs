//! The table of contents of a segment file: what is where.
//!
//! Invariant: a table of contents that [`SegmentToc::check`] accepts leads nowhere outside its
//! file, every frame has one place in it, every block holds as many values as its table has
//! rows, and no number in it makes a reader take more memory than a writer's would.

mod compact;
mod first;

use std::path::Path;

use super::keys;
use crate::block::container::HEAD_BYTES;
use crate::block::packed::packed_fits;
use crate::block::{BlockToc, FrameRef};
use crate::codec;
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::limits::{BLOCK_ROWS, SEGMENT_ROWS_MAX, TEXT_BYTES_MAX, blocks};
use crate::schema::Schema;

/// One posting: the rows that have a code, or a set that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostingToc {
    /// The stored value; of a set, the place of the code.
    pub value: i64,
    /// How many rows.
    pub rows: u32,
    /// The bitmap, in roaring's portable format.
    pub frame: FrameRef,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnToc {
    /// Its blocks, in the order of rows.
    pub blocks: Vec<BlockToc>,
    /// Its postings, by value; empty without an index.
    pub postings: Vec<PostingToc>,
}

/// The index of the keys of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeysToc {
    /// Format 1: the upper half of each key's checksum, sorted, and the rows they are of.
    Sorted {
        /// Checksums, 4 bytes each.
        hashes: FrameRef,
        /// Rows, 4 bytes each.
        rows: FrameRef,
    },
    /// Rows in buckets by hash.
    Buckets {
        /// How many keys are known.
        keys: u32,
        /// Bits of the number of keys of a bucket; none in format 2, which says where each begins.
        count_bits: Option<u8>,
        /// Where the buckets begin, packed.
        starts: FrameRef,
        /// Rows and a few bits of the hashes, packed.
        rows: FrameRef,
    },
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableToc {
    /// Its rows.
    pub rows: u32,
    /// Its columns, as in the schema.
    pub columns: Vec<ColumnToc>,
    /// For every row of the parent's table, how many rows it has here; empty for the root.
    pub counts: Vec<BlockToc>,
    /// The version that last wrote each row of the root; empty where it is the segment's own.
    pub versions: Vec<BlockToc>,
    /// The index of its keys, where there is one.
    pub keys: Option<KeysToc>,
    /// How many rows have each two codes, where it is counted: see `segment::pairs`.
    pub pairs: Option<FrameRef>,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentToc {
    /// Frames of the file.
    pub frames: u32,
    /// Its tables, as in the schema.
    pub tables: Vec<TableToc>,
}

impl SegmentToc {
    /// The bytes of the table of contents.
    pub(crate) fn write(&self) -> Vec<u8> {
        compact::write(self)
    }

    /// Reads a table of contents; `offset` is where it stands in `file`, for the error.
    pub(crate) fn read(
        record: &[u8],
        format: u16,
        schema: &Schema,
        (file, offset): (&Path, u64),
    ) -> Result<Self> {
        if format == 1 {
            return Ok(codec::decode::<first::FirstToc>(record, file, offset)?.into());
        }
        compact::read(record, format, schema).ok_or_else(|| Error::Corrupt {
            file: file.to_path_buf(),
            offset,
            what: "the table of contents does not read back",
        })
    }

    /// Checks the whole against the schema and the bytes before the record.
    pub(crate) fn check(&self, schema: &Schema, end: u64) -> Check {
        if self.tables.len() != schema.tables.len() {
            return Err("the segment has other tables than the schema");
        }
        let mut inside = Inside { end, seen: Vec::new() };
        for (table, declared) in self.tables.iter().zip(&schema.tables) {
            if table.rows > SEGMENT_ROWS_MAX || table.columns.len() != declared.columns.len() {
                return Err("the segment has other columns than the schema, or too many rows");
            }
            for (column, declared) in table.columns.iter().zip(&declared.columns) {
                inside.blocks(&column.blocks, table.rows, declared.kind.is_text())?;
                if !declared.index && !column.postings.is_empty() {
                    return Err("a column without an index has postings");
                }
                column.postings.iter().try_for_each(|p| inside.frame(&p.frame))?;
            }
            if let Some(parent) = declared.parent {
                let above = self.tables.get(parent).map_or(0, |t| t.rows);
                inside.blocks(&table.counts, above, false)?;
            }
            if !table.versions.is_empty() {
                inside.blocks(&table.versions, table.rows, false)?;
            }
            if let Some(keys) = &table.keys {
                inside.keys(keys, table.rows)?;
            }
            if let Some(pairs) = &table.pairs {
                inside.frame(pairs)?;
            }
        }
        inside.all_once(self.frames)
    }
}

/// What is wrong, if anything is.
type Check = std::result::Result<(), &'static str>;

/// The bounds of a file, and the frames that were met.
struct Inside {
    end: u64,
    /// The numbers of the frames.
    seen: Vec<u32>,
}

/// Bytes of so many texts once they are decompressed, at most: a length and a text each.
fn plain_bytes_max(texts: u32) -> u64 {
    u64::from(texts) * (4 + TEXT_BYTES_MAX as u64)
}

impl Inside {
    fn frame(&mut self, frame: &FrameRef) -> Check {
        let end = frame.offset.checked_add(frame.length);
        if end.is_none_or(|end| end > self.end) {
            return Err("a frame lies outside the file");
        }
        self.seen.push(frame.index);
        Ok(())
    }

    fn keys(&mut self, keys: &KeysToc, rows: u32) -> Check {
        let (fits, frames) = match keys {
            KeysToc::Sorted { hashes, rows: places } => {
                let size = u64::from(rows) * 4;
                (hashes.length == size && places.length == size, [hashes, places])
            }
            KeysToc::Buckets { keys, count_bits, starts, rows: entries } => {
                let layout = keys::Layout::new(*keys, rows, *count_bits);
                (layout.fits(starts.length, entries.length), [starts, entries])
            }
        };
        if !fits {
            return Err("an index of keys has another size than its table");
        }
        frames.into_iter().try_for_each(|frame| self.frame(frame))
    }

    /// The frames are numbered from 0, each met once: one that is checked is the one that is
    /// used, and their number is no larger than the table of contents is long.
    fn all_once(mut self, frames: u32) -> Check {
        self.seen.sort_unstable();
        if self.seen.iter().copied().eq(0..frames) {
            return Ok(());
        }
        Err("the frames are not numbered one by one")
    }

    fn blocks(&mut self, list: &[BlockToc], rows: u32, texts: bool) -> Check {
        if list.len() != blocks(rows) as usize {
            return Err("a column has another number of blocks than its rows need");
        }
        let mut left = rows;
        for block in list {
            if block.rows != left.min(BLOCK_ROWS) || block.known > block.rows {
                return Err("a block has another number of rows than its place needs");
            }
            left -= block.rows;
            let frames = [&block.frame, &block.beside, &block.known_bits];
            frames.into_iter().flatten().try_for_each(|f| self.frame(f))?;
            known_bits(block)?;
            if texts { text_values(block)? } else { integer_values(block)? }
        }
        Ok(())
    }
}

fn known_bits(block: &BlockToc) -> Check {
    let some = block.known > 0 && block.known < block.rows;
    let bytes = u64::from(block.rows.div_ceil(64)) * 8;
    let fits = |frame: FrameRef| match block.known_plain {
        true => frame.length == bytes,
        false => frame.length <= HEAD_BYTES as u64 + bytes,
    };
    if some == block.known_bits.is_some() && block.known_bits.is_none_or(fits) {
        return Ok(());
    }
    Err("the bits of known rows do not fit their block")
}

fn integer_values(block: &BlockToc) -> Check {
    let fits = |f: FrameRef, rows: u32| packed_fits(f.length, rows, block.bits);
    let (frame, beside, stored) = (block.frame, block.beside, block.stored());
    let listed = block.distinct > 0 && block.distinct <= stored;
    if block.of_known() && block.known_bits.is_none() {
        return Err("a block has the values of some rows, and does not say of which");
    }
    let own = Encoding::from_number(block.encoding).map(|encoding| encoding.of_rows().0);
    let (sound, what) = match own {
        None => (false, "a block has an encoding that this build does not know"),
        Some(Encoding::Constant) => (
            block.min == block.max && block.base == block.min,
            "a constant block has several values",
        ),
        Some(Encoding::Packed) => (
            block.bits > 0 && frame.is_some_and(|frame| fits(frame, stored)),
            "a packed block is shorter than its rows need",
        ),
        Some(Encoding::Planes) => (
            block.bits > 0 && block.bits <= 64 && frame.is_some(),
            "a block of planes has no planes",
        ),
        Some(Encoding::Runs) => (
            listed && beside.is_some() && frame.is_some_and(|frame| fits(frame, block.distinct)),
            "a block of runs is shorter than its runs need",
        ),
        Some(Encoding::ListPacked | Encoding::ListPlanes) => (
            listed && frame.is_some() && beside.is_some_and(|list| fits(list, block.distinct)),
            "a dictionary is shorter than its values need",
        ),
        Some(_) => (false, "a block has an encoding of another kind of column"),
    };
    if block.min > block.max {
        return Err("the least value of a block is greater than the greatest");
    }
    if sound { Ok(()) } else { Err(what) }
}

fn text_values(block: &BlockToc) -> Check {
    let most = match Encoding::from_number(block.encoding) {
        None => return Err("a block has an encoding that this build does not know"),
        Some(Encoding::Text) => plain_bytes_max(block.rows),
        Some(Encoding::Dictionary) => plain_bytes_max(block.distinct),
        Some(
            Encoding::Constant
            | Encoding::Numbered
            | Encoding::Shaped
            | Encoding::TextList
            | Encoding::TextChunks,
        ) => 0,
        Some(_) => return Err("a block has an encoding of another kind of column"),
    };
    if block.distinct > block.rows || block.plain_bytes > most || block.bits > 64 {
        return Err("the texts of a block would be larger than any this engine writes");
    }
    Ok(())
}
