//! One column of a segment: its values, and which rows satisfy a predicate.
//!
//! Invariant: the answer of a predicate does not depend on what serves it.

#[path = "blockwise.rs"]
mod blockwise;

use std::ops::Range;

use super::build::key_hash;
use super::file::SegmentFile;
use super::toc::{ColumnToc, KeysToc};
use crate::block::unpack::{Between, Each, Test, masks};
use crate::block::{BlockToc, integers, texts};
use crate::bundle::Cell;
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;
use crate::predicate::{Access, Predicate};
use crate::row_set::RowSet;
use crate::schema::Kind;

/// What is known of a block without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneMap {
    /// Rows.
    pub rows: u32,
    /// Rows whose value is known.
    pub known: u32,
    /// The least known value; 0 without one, and for texts.
    pub min: i64,
    /// The greatest known value; 0 without one, and for texts.
    pub max: i64,
}

/// One column of a segment.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    file: &'a SegmentFile,
    toc: &'a ColumnToc,
    keys: Option<&'a KeysToc>,
    rows: u32,
    kind: Kind,
}

/// What a zone map says about a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// No row satisfies it.
    None,
    /// Every known row satisfies it.
    Known,
    /// The values must be read.
    Some,
}

/// Spans of values up to this wide are looked up in a table rather than searched.
const TABLE_SPAN: usize = 1 << 12;

impl<'a> Column<'a> {
    pub(super) fn new(file: &'a SegmentFile, table: usize, column: usize) -> Result<Self> {
        let declared = file.schema().tables.get(table);
        let (Some(declared), Some(own)) = (declared, file.table(table)) else {
            return Err(Error::UnknownTable { table: table.to_string() });
        };
        let (Some(shape), Some(toc)) = (declared.columns.get(column), own.columns.get(column))
        else {
            let table = declared.name.clone();
            return Err(Error::UnknownColumn { table, column: column.to_string() });
        };
        let keys = own.keys.as_ref().filter(|_| declared.key == column);
        Ok(Self { file, toc, keys, rows: own.rows, kind: shape.kind })
    }

    /// The zone map of every block.
    pub fn zone_maps(&self) -> impl Iterator<Item = ZoneMap> + '_ {
        self.toc.blocks.iter().map(|block| ZoneMap {
            rows: block.rows,
            known: block.known,
            min: block.min,
            max: block.max,
        })
    }

    /// Every block with its first row.
    fn blocks(&self) -> impl Iterator<Item = (u32, &'a BlockToc)> {
        (0u32..).step_by(BLOCK_ROWS as usize).zip(&self.toc.blocks)
    }

    /// The blocks that meet a range of rows, with their first row and the part that is met.
    fn parts(&self, rows: Range<u32>) -> impl Iterator<Item = (u32, &'a BlockToc, Range<usize>)> {
        let end = rows.end.min(self.rows);
        let skipped = (rows.start / BLOCK_ROWS) as usize;
        self.blocks().skip(skipped).map_while(move |(first, block)| {
            let from = rows.start.max(first).saturating_sub(first);
            let to = end.saturating_sub(first).min(block.rows);
            (from < to).then_some((first, block, from as usize..to as usize))
        })
    }

    /// The bits of the known rows of a block, a word at a time.
    fn known_words(&self, block: &BlockToc) -> Result<Vec<u64>> {
        let size = block.rows.div_ceil(64) as usize;
        if block.known == 0 {
            return Ok(vec![0; size]);
        }
        let Some(frame) = block.known_bits else { return Ok(vec![u64::MAX; size]) };
        let bytes = self.file.frame(frame)?.chunks_exact(8);
        Ok(bytes.map(|b| b.try_into().map_or(0, u64::from_le_bytes)).collect())
    }

    /// The rows whose value is known.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn known(&self) -> Result<RowSet> {
        let mut found = RowSet::none(self.rows);
        for (first, block) in self.blocks() {
            if block.known == block.rows {
                found.insert_range(first..first.saturating_add(block.rows));
            } else if block.known > 0 {
                write_words(&mut found, first, &self.known_words(block)?);
            }
        }
        found.trim();
        Ok(found)
    }

    /// Appends the stored integers of a range of rows; a row whose value is unknown gives some
    /// number. Texts give nothing.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn integers(&self, rows: Range<u32>, out: &mut Vec<i64>) -> Result<()> {
        if self.kind.is_text() {
            return Ok(());
        }
        for (_, block, part) in self.parts(rows) {
            self.file.integers(block, part.start, part.end, out)?;
        }
        Ok(())
    }

    /// Calls `visit` with every row of a range and its text. Integers give nothing.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn texts(&self, rows: Range<u32>, visit: &mut dyn FnMut(u32, Option<&str>)) -> Result<()> {
        if !self.kind.is_text() {
            return Ok(());
        }
        let mut scratch = String::new();
        for (first, block, part) in self.parts(rows) {
            let texts = self.block_texts(block)?;
            let known = self.known_words(block)?;
            for (row, at) in (first..).skip(part.start).zip(part) {
                let known = known.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
                visit(row, known.then(|| texts.get(at, &mut scratch)));
            }
        }
        Ok(())
    }

    /// The values of ranges of rows. A block that several ranges meet is read once where they
    /// follow each other.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub(crate) fn cells(&self, rows: &[Range<u32>]) -> Result<Vec<Cell>> {
        let mut cells = Vec::with_capacity(rows.iter().map(ExactSizeIterator::len).sum());
        let mut values = Vec::new();
        let mut scratch = String::new();
        let mut held: Option<(u32, Vec<u64>, Option<texts::Texts>)> = None;
        for (first, block, part) in rows.iter().flat_map(|rows| self.parts(rows.clone())) {
            if held.as_ref().is_none_or(|(held, _, _)| *held != first) {
                let texts = self.kind.is_text().then(|| self.block_texts(block)).transpose()?;
                held = Some((first, self.known_words(block)?, texts));
            }
            let Some((_, known, texts)) = &held else { continue };
            values.clear();
            if texts.is_none() {
                self.file.integers(block, part.start, part.end, &mut values)?;
            }
            for (nth, at) in part.enumerate() {
                let known = known.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
                cells.push(match (known, texts) {
                    (false, _) => Cell::Unknown,
                    (true, Some(texts)) => Cell::Text(texts.get(at, &mut scratch).to_owned()),
                    (true, None) => Cell::Int(values.get(nth).copied().unwrap_or(0)),
                });
            }
        }
        Ok(cells)
    }

    fn block_texts(&self, block: &BlockToc) -> Result<texts::Texts> {
        let frame = self.file.frame_or_nothing(block.frame)?;
        let beside = self.file.frame_or_nothing(block.beside)?;
        texts::decode(block, frame, beside)
            .ok_or_else(|| self.file.corrupt(block.frame, "the texts of a block do not read back"))
    }

    /// The rows that satisfy a predicate. One that does not suit the kind of the column (a set's
    /// on a text, a text's on a number) is satisfied by no row.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn filter(&self, predicate: &Predicate) -> Result<RowSet> {
        match predicate {
            Predicate::Known => return self.known(),
            Predicate::Unknown => {
                let mut found = self.known()?;
                found.invert();
                return Ok(found);
            }
            Predicate::HasNone(_) if self.kind.is_text() => return Ok(RowSet::none(self.rows)),
            Predicate::HasNone(bits) => {
                let mut found = self.known()?;
                found.and_not(&self.filter(&Predicate::HasAny(*bits))?);
                return Ok(found);
            }
            _ => {}
        }
        if let Some(found) = self.by_postings(predicate)? {
            return Ok(found);
        }
        if self.kind.is_text() {
            return self.scan_texts(predicate);
        }
        let mut found = RowSet::none(self.rows);
        for (first, block) in self.blocks() {
            match zone(block, predicate) {
                Zone::None => {}
                Zone::Known if block.known == block.rows => {
                    found.insert_range(first..first.saturating_add(block.rows));
                }
                Zone::Known => write_words(&mut found, first, &self.known_words(block)?),
                Zone::Some => {
                    let mut words = self.scan(block, predicate)?;
                    if block.known < block.rows {
                        let known = self.known_words(block)?;
                        words.iter_mut().zip(known).for_each(|(word, known)| *word &= known);
                    }
                    write_words(&mut found, first, &words);
                }
            }
        }
        found.trim();
        Ok(found)
    }

    /// How [`Column::filter`] answers a predicate.
    #[must_use]
    pub fn served_by(&self, predicate: &Predicate) -> Access {
        if self.kind == Kind::Path && matches!(predicate, Predicate::Range { .. }) {
            return Access::PathRange;
        }
        let keyed = self.keys.is_some() && matches!(predicate, Predicate::TextIn(_));
        if keyed || (!self.toc.postings.is_empty() && self.asks_codes(predicate)) {
            return Access::Index;
        }
        let read = match predicate {
            Predicate::Known | Predicate::Unknown => {
                self.toc.blocks.iter().any(|block| block.known_bits.is_some())
            }
            _ if self.kind.is_text() => true,
            _ => self.toc.blocks.iter().any(|block| zone(block, predicate) == Zone::Some),
        };
        if read { Access::Scan } else { Access::ZoneMap }
    }

    /// Whether postings can answer a predicate.
    fn asks_codes(&self, predicate: &Predicate) -> bool {
        let set = self.kind == Kind::Codes;
        match predicate {
            Predicate::Range { .. } | Predicate::In(_) => !set,
            Predicate::HasAny(_) | Predicate::HasAll(_) | Predicate::HasNone(_) => set,
            _ => false,
        }
    }

    /// The answer from an index, where there is one.
    fn by_postings(&self, predicate: &Predicate) -> Result<Option<RowSet>> {
        if let (Predicate::Range { min, max }, Kind::Path) = (predicate, self.kind) {
            let start = self.sorted_rows_below(*min)?;
            let end = max.checked_add(1).map_or(Ok(self.rows), |m| self.sorted_rows_below(m))?;
            return Ok(Some(RowSet::range(self.rows, start..end.max(start))));
        }
        if let (Predicate::TextIn(keys), Some(_)) = (predicate, self.keys) {
            let mut found = RowSet::none(self.rows);
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            self.rows_of_keys(&keys)?.into_iter().for_each(|(_, row)| found.insert(row));
            return Ok(Some(found));
        }
        if self.toc.postings.is_empty() || !self.asks_codes(predicate) {
            return Ok(None);
        }
        let bit = |value: i64| 1u64.checked_shl(u32::try_from(value).unwrap_or(64)).unwrap_or(0);
        let any = |value: i64| match predicate {
            Predicate::Range { min, max } => (*min..=*max).contains(&value),
            Predicate::In(list) => list.binary_search(&value).is_ok(),
            Predicate::HasAny(bits) => bits & bit(value) != 0,
            _ => false,
        };
        let mut found = RowSet::none(self.rows);
        if let Predicate::HasAll(bits) = predicate {
            found = self.known()?;
            let mut left = *bits;
            for posting in self.toc.postings.iter().filter(|p| bits & bit(p.value) != 0) {
                left &= !bit(posting.value);
                let mut own = RowSet::none(self.rows);
                self.insert_posting(&mut own, posting.frame)?;
                found.and(&own);
            }
            // A code without a posting is in no set of this segment.
            return Ok(Some(if left == 0 { found } else { RowSet::none(self.rows) }));
        }
        for posting in self.toc.postings.iter().filter(|posting| any(posting.value)) {
            self.insert_posting(&mut found, posting.frame)?;
        }
        Ok(Some(found))
    }

    fn insert_posting(&self, found: &mut RowSet, frame: crate::block::FrameRef) -> Result<()> {
        let bytes = self.file.frame(frame)?;
        found
            .insert_portable(bytes)
            .ok_or_else(|| self.file.corrupt(Some(frame), "a bitmap does not read back"))
    }

    fn scan(&self, block: &BlockToc, predicate: &Predicate) -> Result<Vec<u64>> {
        let frame = self.file.frame_or_nothing(block.frame)?;
        let base = block.base;
        let set = |v: u64| base.wrapping_add(v.cast_signed()).cast_unsigned();
        Ok(match predicate {
            Predicate::Range { min, max } => scan_range(block, frame, *min, *max),
            Predicate::In(list) => scan_list(block, frame, list),
            Predicate::HasAny(bits) => scan_packed(block, frame, &Each(|v| set(v) & bits != 0)),
            Predicate::HasAll(bits) => scan_packed(block, frame, &Each(|v| set(v) & bits == *bits)),
            _ => vec![0; block.rows.div_ceil(64) as usize],
        })
    }

    fn scan_texts(&self, predicate: &Predicate) -> Result<RowSet> {
        let mut found = RowSet::none(self.rows);
        let mut wanted: Vec<&str> = match predicate {
            Predicate::TextIn(list) => list.iter().map(String::as_str).collect(),
            Predicate::TextStarts(start) => vec![start.as_str()],
            _ => return Ok(found),
        };
        wanted.sort_unstable();
        let starts = matches!(predicate, Predicate::TextStarts(_));
        self.texts(0..self.rows, &mut |row, text| {
            let hit = text.is_some_and(|text| {
                if starts {
                    wanted.first().is_some_and(|start| text.starts_with(start))
                } else {
                    wanted.binary_search(&text).is_ok()
                }
            });
            if hit {
                found.insert(row);
            }
        })?;
        Ok(found)
    }

    /// How many rows of a sorted column without unknowns are below a value.
    pub(super) fn sorted_rows_below(&self, value: i64) -> Result<u32> {
        let full = self.toc.blocks.partition_point(|block| block.max < value);
        let Some(block) = self.toc.blocks.get(full) else { return Ok(self.rows) };
        let first = u32::try_from(full).unwrap_or(u32::MAX).saturating_mul(BLOCK_ROWS);
        let frame = self.file.frame_or_nothing(block.frame)?;
        let (mut low, mut high) = (0usize, block.rows as usize);
        let mut one = Vec::with_capacity(1);
        while low < high {
            let middle = usize::midpoint(low, high);
            one.clear();
            integers::decode(block, frame, middle, middle + 1, &mut one);
            if one.first().is_some_and(|found| *found < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(first.saturating_add(u32::try_from(low).unwrap_or(0)))
    }

    /// The rows of keys, by the index of keys: the place of a key in the list and its row.
    /// A block of texts is read once, however many keys lie in it.
    pub(super) fn rows_of_keys(&self, wanted: &[&str]) -> Result<Vec<(usize, u32)>> {
        let Some(keys) = self.keys else { return Ok(Vec::new()) };
        let (hashes, rows) = (self.file.frame(keys.hashes)?, self.file.frame(keys.rows)?);
        let number = |bytes: &[u8], at: usize| {
            let raw = bytes.get(at * 4..at * 4 + 4).and_then(|b| b.try_into().ok());
            raw.map_or(0, u32::from_le_bytes)
        };
        let size = self.rows as usize;
        let mut candidates: Vec<(u32, usize)> = Vec::new();
        for (place, key) in wanted.iter().enumerate() {
            let hash = key_hash(key);
            let (mut low, mut high) = (0usize, size);
            while low < high {
                let middle = usize::midpoint(low, high);
                if number(hashes, middle) < hash { low = middle + 1 } else { high = middle }
            }
            while low < size && number(hashes, low) == hash {
                candidates.push((number(rows, low), place));
                low += 1;
            }
        }
        candidates.sort_unstable();
        let mut found = Vec::with_capacity(candidates.len());
        let mut scratch = String::new();
        for group in candidates.chunk_by(|(a, _), (b, _)| a / BLOCK_ROWS == b / BLOCK_ROWS) {
            let Some((row, _)) = group.first() else { continue };
            let Some(block) = self.toc.blocks.get((row / BLOCK_ROWS) as usize) else { continue };
            let texts = self.block_texts(block)?;
            let known = self.known_words(block)?;
            for (row, place) in group {
                let at = (row % BLOCK_ROWS) as usize;
                let known = known.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
                if known && wanted.get(*place) == Some(&texts.get(at, &mut scratch)) {
                    found.push((*place, *row));
                }
            }
        }
        Ok(found)
    }
}

/// What the zone map of a block of integers says about a predicate.
fn zone(block: &BlockToc, predicate: &Predicate) -> Zone {
    if block.known == 0 {
        return Zone::None;
    }
    let constant = block.encoding == Encoding::Constant as u8;
    let all = |yes: bool| if yes { Zone::Known } else { Zone::None };
    match predicate {
        Predicate::Range { min, max } => {
            if block.max < *min || block.min > *max || min > max {
                Zone::None
            } else if *min <= block.min && block.max <= *max {
                Zone::Known
            } else {
                Zone::Some
            }
        }
        Predicate::In(list) => {
            let start = list.partition_point(|value| *value < block.min);
            match list.get(start) {
                Some(value) if *value <= block.max && constant => Zone::Known,
                Some(value) if *value <= block.max => Zone::Some,
                _ => Zone::None,
            }
        }
        Predicate::HasAny(bits) if constant => all(block.base.cast_unsigned() & bits != 0),
        Predicate::HasAll(bits) if constant => all(block.base.cast_unsigned() & bits == *bits),
        Predicate::HasNone(bits) if constant => all(block.base.cast_unsigned() & bits == 0),
        Predicate::HasAny(_) | Predicate::HasAll(_) | Predicate::HasNone(_) => Zone::Some,
        _ => Zone::None,
    }
}

/// The bits of the rows of a block whose packed number is kept.
fn scan_packed(block: &BlockToc, frame: &[u8], test: &impl Test) -> Vec<u64> {
    // The one number of a constant block is the base itself: packed, it is 0 in no bits.
    let bits = if block.encoding == Encoding::Constant as u8 { 0 } else { block.bits };
    masks(frame, bits, block.rows as usize, test)
}

/// The bits of the rows of a block whose value lies from `min` to `max`.
fn scan_range(block: &BlockToc, frame: &[u8], min: i64, max: i64) -> Vec<u64> {
    let (min, max) = (min.max(block.min), max.min(block.max));
    let packed = |value: i64| value.wrapping_sub(block.base).cast_unsigned();
    let top = u64::MAX.checked_shr(64u32.saturating_sub(block.bits.into())).unwrap_or(0);
    let (low, high) = (packed(min), packed(max).min(top));
    if min > max || low > high {
        return vec![0; block.rows.div_ceil(64) as usize];
    }
    scan_packed(block, frame, &Between { low, high })
}

/// The bits of the rows of a block whose value is in a sorted list.
fn scan_list(block: &BlockToc, frame: &[u8], list: &[i64]) -> Vec<u64> {
    let start = list.partition_point(|value| *value < block.min);
    let end = list.partition_point(|value| *value <= block.max);
    let list = list.get(start..end).unwrap_or_default();
    let (Some(least), Some(greatest)) = (list.first(), list.last()) else {
        return vec![0; block.rows.div_ceil(64) as usize];
    };
    if list.iter().copied().eq(*least..=*greatest) {
        return scan_range(block, frame, *least, *greatest);
    }
    let base = block.base;
    if block.max.abs_diff(block.min) >= TABLE_SPAN as u64 {
        let kept = |v: u64| list.binary_search(&base.wrapping_add(v.cast_signed())).is_ok();
        return scan_packed(block, frame, &Each(kept));
    }
    let mut table = [false; TABLE_SPAN];
    for value in list {
        let packed = usize::try_from(value.wrapping_sub(base)).ok();
        if let Some(slot) = packed.and_then(|packed| table.get_mut(packed)) {
            *slot = true;
        }
    }
    let at = |v: u64| usize::try_from(v).unwrap_or(usize::MAX);
    scan_packed(block, frame, &Each(|v| table.get(at(v)).copied().unwrap_or(false)))
}

/// Adds the bits of a block to a set.
fn write_words(found: &mut RowSet, first: u32, words: &[u64]) {
    let slots = found.words_mut().iter_mut().skip((first / 64) as usize);
    slots.zip(words).for_each(|(slot, word)| *slot |= word);
}
