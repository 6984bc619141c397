//! The table of contents of a segment file: what is where.
//!
//! Invariant: a table of contents that [`SegmentToc::check`] accepts leads nowhere outside its
//! file, every frame has one place in it, every block holds as many values as its table has
//! rows, and no number in it makes a reader take more memory than a writer's would.

use wincode::{SchemaRead, SchemaWrite};

use crate::block::integers::packed_fits;
use crate::block::{BlockToc, FrameRef};
use crate::format::Encoding;
use crate::limits::{BLOCK_ROWS, SEGMENT_ROWS_MAX, TEXT_BYTES_MAX, blocks};
use crate::schema::Schema;

/// One posting: the rows that have a code, or a set that has it.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct PostingToc {
    /// The stored value; of a set, the place of the code.
    pub value: i64,
    /// How many rows.
    pub rows: u32,
    /// The bitmap, in roaring's portable format.
    pub frame: FrameRef,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct ColumnToc {
    /// Its blocks, in the order of rows.
    pub blocks: Vec<BlockToc>,
    /// Its postings, by value; empty without an index.
    pub postings: Vec<PostingToc>,
}

/// The keys of a table: the upper half of each key's checksum, sorted, and the rows they are of.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct KeysToc {
    /// Checksums, 4 bytes each.
    pub hashes: FrameRef,
    /// Rows, 4 bytes each.
    pub rows: FrameRef,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct TableToc {
    /// Its rows.
    pub rows: u32,
    /// Its columns, as in the schema.
    pub columns: Vec<ColumnToc>,
    /// For every row of the parent's table, how many rows it has here; empty for the root.
    pub counts: Vec<BlockToc>,
    /// The index of its keys, where there is one.
    pub keys: Option<KeysToc>,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct SegmentToc {
    /// Frames of the file.
    pub frames: u32,
    /// Its tables, as in the schema.
    pub tables: Vec<TableToc>,
}

impl SegmentToc {
    /// Checks the whole against the schema and the bytes before the record.
    pub(crate) fn check(&self, schema: &Schema, end: u64) -> Result<(), &'static str> {
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
            if let Some(keys) = &table.keys {
                let size = u64::from(table.rows) * 4;
                if keys.hashes.length != size || keys.rows.length != size {
                    return Err("an index of keys has another size than its table");
                }
                inside.frame(&keys.hashes)?;
                inside.frame(&keys.rows)?;
            }
        }
        inside.all_once(self.frames)
    }
}

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
    fn frame(&mut self, frame: &FrameRef) -> Result<(), &'static str> {
        let end = frame.offset.checked_add(frame.length);
        if end.is_none_or(|end| end > self.end) {
            return Err("a frame lies outside the file");
        }
        self.seen.push(frame.index);
        Ok(())
    }

    /// The frames are numbered from 0, each met once: one that is checked is the one that is
    /// used, and their number is no larger than the table of contents is long.
    fn all_once(mut self, frames: u32) -> Result<(), &'static str> {
        self.seen.sort_unstable();
        if self.seen.iter().copied().eq(0..frames) {
            return Ok(());
        }
        Err("the frames are not numbered one by one")
    }

    fn blocks(&mut self, list: &[BlockToc], rows: u32, texts: bool) -> Result<(), &'static str> {
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

fn known_bits(block: &BlockToc) -> Result<(), &'static str> {
    let some = block.known > 0 && block.known < block.rows;
    let bytes = u64::from(block.rows.div_ceil(64)) * 8;
    let fits = block.known_bits.is_none_or(|frame| frame.length == bytes);
    if some == block.known_bits.is_some() && fits {
        return Ok(());
    }
    Err("the bits of known rows do not fit their block")
}

fn integer_values(block: &BlockToc) -> Result<(), &'static str> {
    match Encoding::from_number(block.encoding) {
        None => Err("a block has an encoding that this build does not know"),
        Some(Encoding::Constant) if block.min == block.max && block.base == block.min => Ok(()),
        Some(Encoding::Packed) => {
            let fits = |f: FrameRef| packed_fits(f.length, block.rows, block.bits);
            if block.bits > 0 && block.frame.is_some_and(fits) {
                return Ok(());
            }
            Err("a packed block is shorter than its rows need")
        }
        Some(_) => Err("a block has an encoding of another kind of column"),
    }
}

fn text_values(block: &BlockToc) -> Result<(), &'static str> {
    let most = match Encoding::from_number(block.encoding) {
        None => return Err("a block has an encoding that this build does not know"),
        Some(Encoding::Packed) => return Err("a block has an encoding of another kind of column"),
        Some(Encoding::Constant | Encoding::Numbered) => 0,
        Some(Encoding::Text) => plain_bytes_max(block.rows),
        Some(Encoding::Dictionary) => plain_bytes_max(block.distinct),
    };
    if block.distinct > block.rows || block.plain_bytes > most {
        return Err("the texts of a block would be larger than any this engine writes");
    }
    Ok(())
}
