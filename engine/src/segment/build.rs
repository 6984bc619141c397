//! A slice of bundles as the bytes of a segment file.

use roaring::RoaringBitmap;

use super::toc::{ColumnToc, KeysToc, PostingToc, SegmentToc, TableToc};
use crate::batch::{Batch, BatchColumn};
use crate::block::{BlockToc, FrameSink, integers, texts};
use crate::codec;
use crate::error::{Error, Result};
use crate::format::{self, FileKind, checksum};
use crate::limits::BLOCK_ROWS;
use crate::schema::{ColumnSchema, Kind};

/// The bytes of a segment of these root rows of a batch, in this order.
pub(crate) fn build(batch: &Batch, roots: &[u32]) -> Result<Vec<u8>> {
    let schema = batch.schema();
    let mut sink = FrameSink { bytes: format::header(FileKind::Segment), frames: 0 };
    let mut orders: Vec<Vec<u32>> = Vec::with_capacity(schema.tables.len());
    let mut tables = Vec::with_capacity(schema.tables.len());
    for (place, table) in schema.tables.iter().enumerate() {
        let (order, counts) = match table.parent.and_then(|parent| orders.get(parent)) {
            None => (roots.to_vec(), Vec::new()),
            Some(above) => beneath(batch, place, above),
        };
        let mut columns = Vec::with_capacity(table.columns.len());
        for (column, declared) in table.columns.iter().enumerate() {
            let Some(values) = batch.column(place, column) else { continue };
            let size = declared.list.and_then(|l| schema.lists.get(l)).map_or(2, |l| l.codes.len());
            columns.push(write_column(&mut sink, values, declared, &order, size)?);
        }
        let counts = counts.chunks(BLOCK_ROWS as usize).map(|counts| {
            let known = vec![u64::MAX; counts.len().div_ceil(64)];
            integers::encode(&mut sink, counts, &known)
        });
        let counts: Vec<BlockToc> = counts.collect();
        let keys = (place == 0).then(|| batch.column(place, table.key));
        let keys = keys.flatten().map(|keys| write_keys(&mut sink, keys, &order));
        let rows = u32::try_from(order.len()).unwrap_or(u32::MAX);
        tables.push(TableToc { rows, columns, counts, keys });
        orders.push(order);
    }
    let toc = SegmentToc { frames: sink.frames, tables };
    Ok(format::close(sink.bytes, &codec::encode(&toc)?))
}

/// The rows of a table beneath rows of its parent's, and how many each has.
fn beneath(batch: &Batch, table: usize, above: &[u32]) -> (Vec<u32>, Vec<i64>) {
    let (mut order, mut counts) = (Vec::new(), Vec::with_capacity(above.len()));
    let Some(rows) = batch.table(table) else { return (order, counts) };
    for row in above {
        let range = rows.beneath(*row);
        counts.push(i64::from(range.end.saturating_sub(range.start)));
        order.extend(range);
    }
    (order, counts)
}

fn write_column(
    sink: &mut FrameSink,
    column: &BatchColumn,
    declared: &ColumnSchema,
    order: &[u32],
    codes: usize,
) -> Result<ColumnToc> {
    let mut blocks = Vec::new();
    let mut postings = Postings::new(declared, codes);
    let mut values: Vec<i64> = Vec::with_capacity(BLOCK_ROWS as usize);
    let mut row = 0u32;
    for rows in order.chunks(BLOCK_ROWS as usize) {
        let mut known = vec![0u64; rows.len().div_ceil(64)];
        let mut mark = |at: usize| {
            if let Some(word) = known.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        };
        if declared.kind.is_text() {
            let found: Vec<Option<&str>> = rows.iter().map(|row| column.text(*row)).collect();
            found
                .iter()
                .enumerate()
                .filter(|(_, text)| text.is_some())
                .for_each(|(at, _)| mark(at));
            let block = texts::encode(sink, &found, &known);
            blocks.push(block.map_err(|source| Error::Io {
                action: "compress a block of",
                path: declared.name.clone().into(),
                source,
            })?);
            continue;
        }
        values.clear();
        for (at, from) in rows.iter().enumerate() {
            let value = column.integer(*from);
            values.push(value.unwrap_or(0));
            if let Some(value) = value {
                mark(at);
                postings.push(value, row);
            }
            row = row.saturating_add(1);
        }
        blocks.push(integers::encode(sink, &values, &known));
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

fn write_keys(sink: &mut FrameSink, keys: &BatchColumn, order: &[u32]) -> KeysToc {
    let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(order.len());
    for (row, from) in (0u32..).zip(order) {
        pairs.push((key_hash(keys.text(*from).unwrap_or("")), row));
    }
    pairs.sort_unstable();
    let hashes: Vec<u8> = pairs.iter().flat_map(|(hash, _)| hash.to_le_bytes()).collect();
    let rows: Vec<u8> = pairs.iter().flat_map(|(_, row)| row.to_le_bytes()).collect();
    KeysToc { hashes: sink.put(&hashes), rows: sink.put(&rows) }
}
