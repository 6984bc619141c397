//! The table of contents of a segment file: what is where.
//!
//! Invariant: a table of contents that [`SegmentToc::check`] accepts leads nowhere outside its
//! file, and every block holds as many values as its table has rows.

use wincode::{SchemaRead, SchemaWrite};

use crate::block::integers::packed_fits;
use crate::block::{BlockToc, FrameRef};
use crate::format::Encoding;
use crate::limits::{BLOCK_ROWS, SEGMENT_ROWS_MAX, blocks};
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
        let inside = Inside { frames: self.frames, end };
        for (table, declared) in self.tables.iter().zip(&schema.tables) {
            if table.rows > SEGMENT_ROWS_MAX || table.columns.len() != declared.columns.len() {
                return Err("the segment has other columns than the schema, or too many rows");
            }
            for (column, declared) in table.columns.iter().zip(&declared.columns) {
                inside.blocks(&column.blocks, table.rows, declared.kind.is_text())?;
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
        Ok(())
    }
}

/// The bounds of a file.
struct Inside {
    frames: u32,
    end: u64,
}

impl Inside {
    fn frame(&self, frame: &FrameRef) -> Result<(), &'static str> {
        let end = frame.offset.checked_add(frame.length);
        if frame.index >= self.frames || end.is_none_or(|end| end > self.end) {
            return Err("a frame lies outside the file");
        }
        Ok(())
    }

    fn blocks(&self, list: &[BlockToc], rows: u32, texts: bool) -> Result<(), &'static str> {
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
            self.values(block, texts)?;
        }
        Ok(())
    }

    fn values(&self, block: &BlockToc, texts: bool) -> Result<(), &'static str> {
        let some = block.known > 0 && block.known < block.rows;
        let bytes = u64::from(block.rows.div_ceil(64)) * 8;
        if some != block.known_bits.is_some()
            || block.known_bits.is_some_and(|frame| frame.length != bytes)
        {
            return Err("the bits of known rows do not fit their block");
        }
        match Encoding::from_number(block.encoding) {
            None => Err("a block has an encoding that this build does not know"),
            Some(Encoding::Constant) => Ok(()),
            Some(Encoding::Packed) if !texts => {
                let fits = |f: FrameRef| packed_fits(f.length, block.rows, block.bits);
                if block.bits > 0 && block.frame.is_some_and(fits) {
                    return Ok(());
                }
                Err("a packed block is shorter than its rows need")
            }
            Some(_) if texts => Ok(()),
            Some(_) => Err("a block has an encoding of another kind of column"),
        }
    }
}
