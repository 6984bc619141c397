//! The table of contents as format 1 wrote it: records of fixed widths.

use wincode::{SchemaRead, SchemaWrite};

use super::{ColumnToc, KeysToc, PostingToc, SegmentToc, TableToc};
use crate::block::{BlockToc, FrameRef};

#[derive(SchemaRead, SchemaWrite)]
struct Frame {
    index: u32,
    offset: u64,
    length: u64,
    checksum: u64,
}

#[derive(SchemaRead, SchemaWrite)]
struct Block {
    rows: u32,
    known: u32,
    min: i64,
    max: i64,
    encoding: u8,
    bits: u8,
    base: i64,
    plain_bytes: u64,
    distinct: u32,
    frame: Option<Frame>,
    beside: Option<Frame>,
    known_bits: Option<Frame>,
}

#[derive(SchemaRead, SchemaWrite)]
struct Posting {
    value: i64,
    rows: u32,
    frame: Frame,
}

#[derive(SchemaRead, SchemaWrite)]
struct Column {
    blocks: Vec<Block>,
    postings: Vec<Posting>,
}

#[derive(SchemaRead, SchemaWrite)]
struct Keys {
    hashes: Frame,
    rows: Frame,
}

#[derive(SchemaRead, SchemaWrite)]
struct Table {
    rows: u32,
    columns: Vec<Column>,
    counts: Vec<Block>,
    keys: Option<Keys>,
}

/// A table of contents of format 1.
#[derive(SchemaRead, SchemaWrite)]
pub(crate) struct FirstToc {
    frames: u32,
    tables: Vec<Table>,
}

fn frame(from: Frame) -> FrameRef {
    let Frame { index, offset, length, checksum } = from;
    FrameRef { index, offset, length, checksum }
}

fn block(from: Block) -> BlockToc {
    BlockToc {
        rows: from.rows,
        known: from.known,
        min: from.min,
        max: from.max,
        encoding: from.encoding,
        bits: from.bits,
        base: from.base,
        plain_bytes: from.plain_bytes,
        distinct: from.distinct,
        frame: from.frame.map(frame),
        beside: from.beside.map(frame),
        known_bits: from.known_bits.map(frame),
        known_plain: true,
    }
}

fn column(from: Column) -> ColumnToc {
    let postings = from.postings.into_iter().map(|posting| {
        let Posting { value, rows, frame: at } = posting;
        PostingToc { value, rows, frame: frame(at) }
    });
    let postings = postings.collect();
    ColumnToc { blocks: from.blocks.into_iter().map(block).collect(), postings }
}

impl From<FirstToc> for SegmentToc {
    fn from(from: FirstToc) -> Self {
        let tables = from.tables.into_iter().map(|table| TableToc {
            rows: table.rows,
            columns: table.columns.into_iter().map(column).collect(),
            counts: table.counts.into_iter().map(block).collect(),
            versions: Vec::new(),
            keys: table
                .keys
                .map(|keys| KeysToc::Sorted { hashes: frame(keys.hashes), rows: frame(keys.rows) }),
            pairs: None,
        });
        Self { frames: from.frames, tables: tables.collect() }
    }
}
