//! A slice of bundles as the bytes of a segment file.

use roaring::RoaringBitmap;

use super::toc::{ColumnToc, KeysToc, PostingToc, SegmentToc, TableToc};
use crate::batch::{Batch, BatchColumn};
use crate::block::gathered::{Integers, TextList};
use crate::block::{BlockToc, FrameSink, integers, texts};
use crate::codec;
use crate::error::{Error, Result};
use crate::format::{self, FileKind, checksum};
use crate::limits::BLOCK_ROWS;
use crate::schema::{ColumnSchema, Kind, Schema};

/// A row: the place of its source among several, and its number there.
pub(super) type Place = (u32, u32);

/// Where the rows of a segment come from.
pub(super) trait Origin {
    /// One column of it.
    type Column<'a>: OriginColumn
    where
        Self: 'a;

    /// The rows of a table beneath rows of its parent's, and how many each has.
    fn beneath(&self, table: usize, above: &[Place]) -> Result<(Vec<Place>, Vec<i64>)>;

    /// A column of a table.
    fn column(&self, table: usize, column: usize) -> Result<Self::Column<'_>>;
}

/// A column that values are taken from.
pub(super) trait OriginColumn {
    /// Appends the integers of rows.
    fn integers(&mut self, rows: &[Place], out: &mut Integers) -> Result<()>;
    /// Appends the texts of rows.
    fn texts(&mut self, rows: &[Place], out: &mut TextList) -> Result<()>;
}

/// The bytes of a segment of these root rows of a batch, in this order.
pub(crate) fn build(batch: &Batch, roots: &[u32]) -> Result<Vec<u8>> {
    assemble(batch.schema(), &batch, roots.iter().map(|row| (0, *row)).collect())
}

impl Origin for &Batch {
    type Column<'a>
        = Option<&'a BatchColumn>
    where
        Self: 'a;

    fn beneath(&self, table: usize, above: &[Place]) -> Result<(Vec<Place>, Vec<i64>)> {
        let (mut order, mut counts) = (Vec::new(), Vec::with_capacity(above.len()));
        let Some(rows) = self.table(table) else { return Ok((order, counts)) };
        for (_, row) in above {
            let range = rows.beneath(*row);
            counts.push(i64::from(range.end.saturating_sub(range.start)));
            order.extend(range.map(|row| (0, row)));
        }
        Ok((order, counts))
    }

    fn column(&self, table: usize, column: usize) -> Result<Self::Column<'_>> {
        Ok(Batch::column(self, table, column))
    }
}

impl OriginColumn for Option<&BatchColumn> {
    fn integers(&mut self, rows: &[Place], out: &mut Integers) -> Result<()> {
        rows.iter().for_each(|(_, row)| out.push(self.and_then(|column| column.integer(*row))));
        Ok(())
    }

    fn texts(&mut self, rows: &[Place], out: &mut TextList) -> Result<()> {
        rows.iter().for_each(|(_, row)| out.push(self.and_then(|column| column.text(*row))));
        Ok(())
    }
}

/// The bytes of a segment of these root rows of an origin, in this order.
pub(super) fn assemble(
    schema: &Schema,
    origin: &impl Origin,
    roots: Vec<Place>,
) -> Result<Vec<u8>> {
    let mut sink = FrameSink { bytes: format::header(FileKind::Segment), frames: 0 };
    let mut orders: Vec<Vec<Place>> = Vec::with_capacity(schema.tables.len());
    let mut tables = Vec::with_capacity(schema.tables.len());
    for (place, table) in schema.tables.iter().enumerate() {
        let (order, counts) = match table.parent.and_then(|parent| orders.get(parent)) {
            None => (roots.clone(), Vec::new()),
            Some(above) => origin.beneath(place, above)?,
        };
        let mut columns = Vec::with_capacity(table.columns.len());
        for (column, declared) in table.columns.iter().enumerate() {
            let size = declared.list.and_then(|l| schema.lists.get(l)).map_or(2, |l| l.codes.len());
            let values = origin.column(place, column)?;
            columns.push(write_column(&mut sink, values, declared, &order, size)?);
        }
        let counts = counts.chunks(BLOCK_ROWS as usize).map(|counts| {
            let known = vec![u64::MAX; counts.len().div_ceil(64)];
            integers::encode(&mut sink, counts, &known)
        });
        let counts: Vec<BlockToc> = counts.collect();
        let keys = match place {
            0 => Some(write_keys(&mut sink, origin.column(place, table.key)?, &order)?),
            _ => None,
        };
        let rows = u32::try_from(order.len()).unwrap_or(u32::MAX);
        tables.push(TableToc { rows, columns, counts, keys });
        orders.push(order);
    }
    let toc = SegmentToc { frames: sink.frames, tables };
    Ok(format::close(sink.bytes, &codec::encode(&toc)?))
}

fn write_column(
    sink: &mut FrameSink,
    mut column: impl OriginColumn,
    declared: &ColumnSchema,
    order: &[Place],
    codes: usize,
) -> Result<ColumnToc> {
    let mut blocks = Vec::new();
    let mut postings = Postings::new(declared, codes);
    let (mut numbers, mut texts) = (Integers::default(), TextList::default());
    let mut row = 0u32;
    for rows in order.chunks(BLOCK_ROWS as usize) {
        if declared.kind.is_text() {
            texts.clear();
            column.texts(rows, &mut texts)?;
            let found: Vec<Option<&str>> = texts.iter().collect();
            let block = texts::encode(sink, &found, &texts.known);
            blocks.push(block.map_err(|source| Error::Io {
                action: "compress a block of",
                path: declared.name.clone().into(),
                source,
            })?);
            continue;
        }
        numbers.clear();
        column.integers(rows, &mut numbers)?;
        for (at, value) in numbers.values.iter().enumerate() {
            if numbers.known.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1) {
                postings.push(*value, row);
            }
            row = row.saturating_add(1);
        }
        blocks.push(integers::encode(sink, &numbers.values, &numbers.known));
    }
    Ok(ColumnToc { blocks, postings: postings.write(sink) })
}

/// The postings of a column under construction: one bitmap a code.
struct Postings {
    set: bool,
    bitmaps: Vec<RoaringBitmap>,
}

impl Postings {
    fn new(declared: &ColumnSchema, codes: usize) -> Self {
        let size = if declared.index { codes } else { 0 };
        Self { set: declared.kind == Kind::Codes, bitmaps: vec![RoaringBitmap::new(); size] }
    }

    fn push(&mut self, value: i64, row: u32) {
        if self.bitmaps.is_empty() {
            return;
        }
        if !self.set {
            if let Some(bitmap) = usize::try_from(value).ok().and_then(|v| self.bitmaps.get_mut(v))
            {
                bitmap.insert(row);
            }
            return;
        }
        for (code, bitmap) in self.bitmaps.iter_mut().enumerate() {
            if value >> code & 1 == 1 {
                bitmap.insert(row);
            }
        }
    }

    fn write(self, sink: &mut FrameSink) -> Vec<PostingToc> {
        let mut written = Vec::new();
        for (value, mut bitmap) in (0i64..).zip(self.bitmaps) {
            if bitmap.is_empty() {
                continue;
            }
            bitmap.optimize();
            let mut bytes = Vec::with_capacity(bitmap.serialized_size());
            // Writing to memory does not fail.
            let _ = bitmap.serialize_into(&mut bytes);
            let rows = u32::try_from(bitmap.len()).unwrap_or(u32::MAX);
            written.push(PostingToc { value, rows, frame: sink.put(&bytes) });
        }
        written
    }
}

/// The upper half of the checksum of a key.
pub(super) fn key_hash(key: &str) -> u32 {
    u32::try_from(checksum(key.as_bytes()) >> 32).unwrap_or(0)
}

fn write_keys(
    sink: &mut FrameSink,
    mut keys: impl OriginColumn,
    order: &[Place],
) -> Result<KeysToc> {
    let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(order.len());
    let mut texts = TextList::default();
    for (rows, first) in order.chunks(BLOCK_ROWS as usize).zip((0u32..).step_by(1 << 16)) {
        texts.clear();
        keys.texts(rows, &mut texts)?;
        pairs.extend(texts.iter().map(|key| key_hash(key.unwrap_or(""))).zip(first..));
    }
    pairs.sort_unstable();
    let hashes: Vec<u8> = pairs.iter().flat_map(|(hash, _)| hash.to_le_bytes()).collect();
    let rows: Vec<u8> = pairs.iter().flat_map(|(_, row)| row.to_le_bytes()).collect();
    Ok(KeysToc { hashes: sink.put(&hashes), rows: sink.put(&rows) })
}
