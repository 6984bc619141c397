//! The table of contents in as few bytes as a small segment needs.
//!
//! Numbers are in seven bits a byte, lowest first, the eighth bit set where another byte
//! follows; a signed one is folded, so that small ones of either sign are short. Frames stand one
//! behind the other and are named in the order in which they stand: only their lengths and
//! checksums are written.

use super::{ColumnToc, KeysToc, SegmentToc, TableToc};
use crate::block::{BlockToc, FrameRef};
use crate::format::{FRAME_ALIGN, HEADER_BYTES};
use crate::limits::{BLOCK_ROWS, SEGMENT_ROWS_MAX, blocks};
use crate::schema::Schema;

/// In the first byte of a block: whether rows are known, and which frames it has.
const SOME_KNOWN: u8 = 0x10;
const NONE_KNOWN: u8 = 0x20;
const FRAME: u8 = 0x40;
const BESIDE: u8 = 0x80;
/// The bits of that byte that are the encoding.
const ENCODING: u8 = 0x0F;
/// In the byte of bits: the base is 0, not the least value.
const NO_BASE: u8 = 0x80;
/// Bytes of a frame in the list of frames, at least.
const FRAME_BYTES_MIN: usize = 9;

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7F).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

fn fold(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unfold(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// The bytes of a table of contents.
pub(crate) fn write(toc: &SegmentToc) -> Vec<u8> {
    let (mut frames, mut body) = (Vec::new(), Vec::new());
    for table in &toc.tables {
        put(&mut body, table.rows.into());
        table.columns.iter().flat_map(|column| &column.blocks).for_each(|block| {
            write_block(block, &mut frames, &mut body);
        });
        table.counts.iter().for_each(|block| write_block(block, &mut frames, &mut body));
        body.push(u8::from(!table.versions.is_empty()));
        table.versions.iter().for_each(|block| write_block(block, &mut frames, &mut body));
        if let Some(KeysToc::Buckets { keys, count_bits, starts, rows }) = &table.keys {
            body.push(if count_bits.is_some() { 2 } else { 1 });
            put(&mut body, (*keys).into());
            body.extend(*count_bits);
            frames.extend([*starts, *rows]);
        } else {
            body.push(0);
        }
        body.push(u8::from(table.pairs.is_some()));
        frames.extend(table.pairs);
    }
    let mut out = Vec::with_capacity(body.len() + frames.len() * (FRAME_BYTES_MIN + 2));
    put(&mut out, frames.len() as u64);
    for frame in frames {
        put(&mut out, frame.length);
        out.extend(frame.checksum.to_le_bytes());
    }
    out.extend(body);
    out
}

fn write_block(block: &BlockToc, frames: &mut Vec<FrameRef>, out: &mut Vec<u8>) {
    let has = |flag: u8, yes: bool| if yes { flag } else { 0 };
    let some = block.known_bits.is_some();
    let first = block.encoding & ENCODING
        | has(SOME_KNOWN, some)
        | has(NONE_KNOWN, block.known == 0)
        | has(FRAME, block.frame.is_some())
        | has(BESIDE, block.beside.is_some());
    out.push(first);
    if some {
        put(out, block.known.into());
    }
    put(out, fold(block.min));
    put(out, block.max.wrapping_sub(block.min).cast_unsigned());
    let free = block.base == 0 && block.min != 0;
    out.push(block.bits | has(NO_BASE, free));
    put(out, block.distinct.into());
    if block.base != block.min && !free {
        put(out, 1);
        put(out, fold(block.base));
    } else {
        put(out, 0);
    }
    frames.extend([block.known_bits, block.frame, block.beside].into_iter().flatten());
}

/// A table of contents on its way from its bytes.
struct Reader<'a> {
    bytes: &'a [u8],
    frames: std::vec::IntoIter<FrameRef>,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7F);
            if part << shift >> shift != part {
                return None;
            }
            number |= part << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// The list of frames at the front.
    fn frames(&mut self) -> Option<()> {
        let count = usize::try_from(self.number()?).ok()?;
        if count > self.bytes.len() / FRAME_BYTES_MIN {
            return None;
        }
        let mut frames = Vec::with_capacity(count);
        let mut end = HEADER_BYTES as u64;
        for index in 0..u32::try_from(count).ok()? {
            let length = self.number()?;
            let (sum, rest) = self.bytes.split_first_chunk::<8>()?;
            self.bytes = rest;
            let offset = end.checked_next_multiple_of(FRAME_ALIGN as u64)?;
            end = offset.checked_add(length)?;
            frames.push(FrameRef { index, offset, length, checksum: u64::from_le_bytes(*sum) });
        }
        self.frames = frames.into_iter();
        Some(())
    }

    fn block(&mut self, rows: u32) -> Option<BlockToc> {
        let first = self.byte()?;
        let has = |flag: u8| first & flag != 0;
        let known = match (has(SOME_KNOWN), has(NONE_KNOWN)) {
            (true, false) => self.small()?,
            (false, true) => 0,
            (false, false) => rows,
            (true, true) => return None,
        };
        let min = unfold(self.number()?);
        let max = min.wrapping_add(self.number()?.cast_signed());
        let bits = self.byte()?;
        let distinct = self.small()?;
        let base = match self.byte()? {
            1 => unfold(self.number()?),
            0 if bits & NO_BASE != 0 => 0,
            0 => min,
            _ => return None,
        };
        let mut take = |flag: u8| match has(flag) {
            true => self.frames.next().map(Some),
            false => Some(None),
        };
        Some(BlockToc {
            rows,
            known,
            min,
            max,
            encoding: first & ENCODING,
            bits: bits & !NO_BASE,
            base,
            plain_bytes: 0,
            distinct,
            known_bits: take(SOME_KNOWN)?,
            frame: take(FRAME)?,
            beside: take(BESIDE)?,
            known_plain: false,
        })
    }

    fn blocks(&mut self, rows: u32) -> Option<Vec<BlockToc>> {
        let mut left = rows;
        let mut found = Vec::with_capacity(blocks(rows) as usize);
        while left > 0 {
            let own = left.min(BLOCK_ROWS);
            found.push(self.block(own)?);
            left -= own;
        }
        Some(found)
    }
}

/// Reads a table of contents of a format; none where the bytes are not one.
pub(crate) fn read(bytes: &[u8], format: u16, schema: &Schema) -> Option<SegmentToc> {
    let mut reader = Reader { bytes, frames: Vec::new().into_iter() };
    reader.frames()?;
    let frames = u32::try_from(reader.frames.len()).ok()?;
    let mut tables: Vec<TableToc> = Vec::with_capacity(schema.tables.len());
    for declared in &schema.tables {
        let rows = reader.small()?;
        if rows > SEGMENT_ROWS_MAX {
            return None;
        }
        let mut columns = Vec::with_capacity(declared.columns.len());
        for _ in &declared.columns {
            columns.push(ColumnToc { blocks: reader.blocks(rows)?, postings: Vec::new() });
        }
        let above = declared.parent.and_then(|parent| tables.get(parent)).map_or(0, |t| t.rows);
        let counts = reader.blocks(above)?;
        let versions = match reader.byte()? {
            0 => Vec::new(),
            1 => reader.blocks(rows)?,
            _ => return None,
        };
        let keys = match reader.byte()? {
            0 => None,
            form @ 1..=2 => Some(KeysToc::Buckets {
                keys: reader.small()?,
                count_bits: if form == 2 { Some(reader.byte()?) } else { None },
                starts: reader.frames.next()?,
                rows: reader.frames.next()?,
            }),
            _ => return None,
        };
        // Formats before the fourth counted no pairs.
        let counted = if format < 4 { 0 } else { reader.byte()? };
        let pairs = match counted {
            0 => None,
            1 => Some(reader.frames.next()?),
            _ => return None,
        };
        tables.push(TableToc { rows, columns, counts, versions, keys, pairs });
    }
    let whole = reader.bytes.is_empty() && reader.frames.len() == 0;
    whole.then_some(SegmentToc { frames, tables })
}
