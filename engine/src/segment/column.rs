//! One column of a segment: its values, and which rows satisfy a predicate.
//!
//! Invariant: the answer of a predicate does not depend on what serves it.

#[path = "blockwise.rs"]
mod blockwise;
#[path = "counted.rs"]
mod counted;
#[path = "tally.rs"]
mod tally;

use std::borrow::Cow;
use std::ops::Range;

pub use counted::OfCode;

use super::keys::{KeyIndex, Wanted};
use super::meter::Frames;
use super::toc::{ColumnToc, KeysToc, PostingToc};
use crate::block::BlockToc;
use crate::block::texts::TextBlock;
use crate::bundle::Cell;
use crate::error::{Error, Result};
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;
use crate::predicate::{Access, Predicate};
use crate::row_set::RowSet;
use crate::schema::Kind;

/// Rows up to so many are looked up one by one.
const FEW_ROWS: usize = 16;

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
    pub(super) file: Frames<'a>,
    pub(super) toc: &'a ColumnToc,
    pub(super) keys: Option<&'a KeysToc>,
    rows: u32,
    kind: Kind,
    index: bool,
}

/// Bits of rows, those that are kept or others.
type Words<'a> = Cow<'a, [u64]>;

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

impl<'a> Column<'a> {
    pub(super) fn new(frames: Frames<'a>, table: usize, column: usize) -> Result<Self> {
        let file = frames.file;
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
        let (rows, kind, index) = (own.rows, shape.kind, shape.index);
        Ok(Self { file: frames, toc, keys, rows, kind, index })
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

    /// The bitmaps of a segment of format 1.
    pub(super) fn postings(&self) -> &'a [PostingToc] {
        &self.toc.postings
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Every block with its first row.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (u32, &'a BlockToc)> {
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
    pub(super) fn known_words(&self, block: &BlockToc) -> Result<Words<'a>> {
        self.known_part(block, 0..block.rows.div_ceil(64) as usize)
    }

    /// Some words of the bits of the known rows of a block.
    fn known_part(&self, block: &BlockToc, part: Range<usize>) -> Result<Words<'a>> {
        if block.known == 0 {
            return Ok(Cow::Owned(vec![0; part.len()]));
        }
        let Some(frame) = block.known_bits else {
            return Ok(Cow::Owned(vec![u64::MAX; part.len()]));
        };
        self.file.known_part(block, frame, part)
    }

    /// As [`Column::known_words`], from the bytes of the file whether they were read before or not.
    pub(super) fn known_again(&self, block: &BlockToc) -> Result<Vec<u64>> {
        let Some(frame) = block.known_bits.filter(|_| block.known > 0) else {
            return Ok(self.known_words(block)?.into_owned());
        };
        block.known_words(self.file.frame(frame)?).ok_or_else(|| {
            self.file.corrupt(Some(frame), "the bits of known rows do not read back")
        })
    }

    /// Whether the value of a row of a block is known.
    fn knows(&self, block: &BlockToc, at: usize) -> Result<bool> {
        let Some(frame) = block.known_bits.filter(|_| block.known > 0) else {
            return Ok(block.known > 0);
        };
        let row = u32::try_from(at).unwrap_or(u32::MAX);
        block.knows(self.file.frame(frame)?, row).ok_or_else(|| {
            self.file.corrupt(Some(frame), "the bits of known rows do not read back")
        })
    }

    /// As [`Column::known_words`], of a block by its number.
    pub(super) fn known_of_block(&self, block: usize) -> Result<Vec<u64>> {
        let block = self.toc.blocks.get(block);
        block.map_or(Ok(Vec::new()), |block| Ok(self.known_words(block)?.into_owned()))
    }

    /// The rows whose value is known.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn known(&self) -> Result<RowSet> {
        self.known_in(0..self.rows)
    }

    /// As [`Column::known`], of a window of the table.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn known_in(&self, window: Range<u32>) -> Result<RowSet> {
        let mut found = RowSet::none_in(window.clone());
        for (first, block, part) in self.parts(window) {
            if block.known == block.rows {
                found.insert_range(first..first.saturating_add(block.rows));
            } else if part.len() <= FEW_ROWS {
                for (row, at) in (first..).skip(part.start).zip(part) {
                    if self.knows(block, at)? {
                        found.insert(row);
                    }
                }
            } else if block.known > 0 {
                let words = part.start / 64..part.end.div_ceil(64);
                let start = u32::try_from(words.start * 64).unwrap_or(u32::MAX);
                found.write(first.saturating_add(start), &self.known_part(block, words)?);
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
            let mut texts = self.block_texts(block)?;
            let known = self.known_words(block)?;
            for (row, at) in (first..).skip(part.start).zip(part) {
                let known = known.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
                let text = if known {
                    Some(self.text(block, &mut texts, at, &mut scratch)?)
                } else {
                    None
                };
                visit(row, text);
            }
        }
        Ok(())
    }

    /// Calls `visit` with every row of a set whose text is known, and its text, in rising order.
    /// Only the texts of these rows are read. Integers give nothing.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn texts_of(&self, rows: &RowSet, visit: &mut dyn FnMut(u32, &str)) -> Result<()> {
        if !self.kind.is_text() {
            return Ok(());
        }
        let mut scratch = String::new();
        for (first, block, part) in self.parts(rows.window()) {
            let row = |at: usize| first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
            let mut asked = rows.range_rows(row(part.start)..row(part.end)).peekable();
            if asked.peek().is_none() || block.known == 0 {
                continue;
            }
            let mut texts = self.block_texts(block)?;
            let known = block.known_bits.filter(|_| part.len() > FEW_ROWS);
            let known = known.map(|_| self.known_words(block)).transpose()?;
            for row in asked {
                let at = (row - first) as usize;
                let bit = |w: &Words<'_>| w.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
                if known.as_ref().map_or_else(|| self.knows(block, at), |w| Ok(bit(w)))? {
                    visit(row, self.text(block, &mut texts, at, &mut scratch)?);
                }
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
        let mut held: Option<(u32, Option<Words<'_>>, Option<TextBlock<'_>>)> = None;
        for (first, block, part) in rows.iter().flat_map(|rows| self.parts(rows.clone())) {
            if held.as_ref().is_none_or(|(held, _, _)| *held != first) {
                let texts = self.kind.is_text().then(|| self.block_texts(block)).transpose()?;
                // The bits of all rows are read for many of them only.
                let known = block.known_bits.filter(|_| rows.len() > FEW_ROWS);
                let known = known.map(|_| self.known_words(block)).transpose()?;
                held = Some((first, known, texts));
            }
            let Some((_, known, texts)) = &mut held else { continue };
            values.clear();
            if texts.is_none() {
                self.file.integers(block, part.start, part.end, &mut values)?;
            }
            for (nth, at) in part.enumerate() {
                let bit =
                    |words: &Words<'_>| words.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
                let known = known.as_ref().map_or_else(|| self.knows(block, at), |w| Ok(bit(w)))?;
                cells.push(match (known, &mut *texts) {
                    (false, _) => Cell::Unknown,
                    (true, Some(texts)) => {
                        Cell::Text(self.text(block, texts, at, &mut scratch)?.to_owned())
                    }
                    (true, None) => Cell::Int(values.get(nth).copied().unwrap_or(0)),
                });
            }
        }
        Ok(cells)
    }

    fn block_texts(&self, block: &BlockToc) -> Result<TextBlock<'a>> {
        let frame = self.file.frame_or_nothing(block.frame)?;
        let beside = self.file.frame_or_nothing(block.beside)?;
        TextBlock::new(block, frame, beside).ok_or_else(|| self.no_text(block))
    }

    fn no_text(&self, block: &BlockToc) -> Error {
        self.file.corrupt(block.frame, "the texts of a block do not read back")
    }

    /// The text of a row of a block.
    fn text<'b>(
        &self,
        block: &BlockToc,
        texts: &'b mut TextBlock<'_>,
        row: usize,
        scratch: &'b mut String,
    ) -> Result<&'b str> {
        texts.get(row, scratch).ok_or_else(|| self.no_text(block))
    }

    /// The rows that satisfy a predicate. One that does not suit the kind of the column (a set's
    /// on a text, a text's on a number) is satisfied by no row.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn filter(&self, predicate: &Predicate) -> Result<RowSet> {
        self.filter_in(predicate, 0..self.rows)
    }

    /// As [`Column::filter`], of a window of the table.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn filter_in(&self, predicate: &Predicate, window: Range<u32>) -> Result<RowSet> {
        let mut found = RowSet::all_in(window);
        self.keep_in(predicate, &mut found)?;
        Ok(found)
    }

    /// How [`Column::filter`] answers a predicate.
    #[must_use]
    pub fn served_by(&self, predicate: &Predicate) -> Access {
        if self.kind == Kind::Path && matches!(predicate, Predicate::Range { .. }) {
            return Access::PathRange;
        }
        let keyed = self.keys.is_some() && matches!(predicate, Predicate::TextIn(_));
        if keyed || (self.index && self.asks_index(predicate)) {
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

    /// Whether bitmaps can answer a predicate.
    fn asks_index(&self, predicate: &Predicate) -> bool {
        let set = self.kind == Kind::Codes;
        match predicate {
            Predicate::Range { .. } | Predicate::In(_) => !set && !self.kind.is_text(),
            Predicate::HasAny(_) | Predicate::HasAll(_) | Predicate::HasNone(_) => set,
            _ => false,
        }
    }

    /// The answer from an index, where there is one.
    fn by_postings(&self, predicate: &Predicate, window: &Range<u32>) -> Result<Option<RowSet>> {
        if let (Predicate::Range { min, max }, Kind::Path) = (predicate, self.kind) {
            let start = self.sorted_rows_below(*min)?;
            let end = max.checked_add(1).map_or(Ok(self.rows), |m| self.sorted_rows_below(m))?;
            let mut found = RowSet::none_in(window.clone());
            found.insert_range(start..end.max(start));
            return Ok(Some(found));
        }
        if let (Predicate::TextIn(keys), Some(_)) = (predicate, self.keys) {
            let mut found = RowSet::none_in(window.clone());
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            self.rows_of_keys(&Wanted::new(&keys))?
                .into_iter()
                .for_each(|(_, row)| found.insert(row));
            return Ok(Some(found));
        }
        if self.toc.postings.is_empty() || !self.asks_index(predicate) {
            return Ok(None);
        }
        self.by_bitmaps(predicate).map(|found| Some(found.within(window.clone())))
    }

    /// The answer from the bitmaps of a segment of format 1.
    fn by_bitmaps(&self, predicate: &Predicate) -> Result<RowSet> {
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
            return Ok(if left == 0 { found } else { RowSet::none(self.rows) });
        }
        for posting in self.toc.postings.iter().filter(|posting| any(posting.value)) {
            self.insert_posting(&mut found, posting.frame)?;
        }
        Ok(found)
    }

    pub(super) fn insert_posting(
        &self,
        found: &mut RowSet,
        frame: crate::block::FrameRef,
    ) -> Result<()> {
        let bytes = self.file.frame(frame)?;
        found
            .insert_portable(bytes)
            .ok_or_else(|| self.file.corrupt(Some(frame), "a bitmap does not read back"))
    }

    pub(super) fn no_value(&self, block: &BlockToc) -> Error {
        self.file.corrupt(block.frame, "the values of a block do not read back")
    }

    fn scan_texts(&self, predicate: &Predicate, window: Range<u32>) -> Result<RowSet> {
        let mut found = RowSet::none_in(window.clone());
        let mut wanted: Vec<&str> = match predicate {
            Predicate::TextIn(list) => list.iter().map(String::as_str).collect(),
            Predicate::TextStarts(start) => vec![start.as_str()],
            _ => return Ok(found),
        };
        wanted.sort_unstable();
        let starts = matches!(predicate, Predicate::TextStarts(_));
        self.texts(window, &mut |row, text| {
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
        let read = self.file.integer_block(block)?;
        let (mut low, mut high) = (0usize, block.rows as usize);
        let mut one = Vec::with_capacity(1);
        while low < high {
            let middle = usize::midpoint(low, high);
            one.clear();
            read.decode(middle, middle + 1, &mut one).ok_or_else(|| self.no_value(block))?;
            if one.first().is_some_and(|found| *found < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(first.saturating_add(u32::try_from(low).unwrap_or(0)))
    }

    /// The index of keys, where the column has one.
    pub(super) fn key_index(&self) -> Result<Option<KeyIndex<'a>>> {
        let Some(keys) = self.keys else { return Ok(None) };
        let (KeysToc::Sorted { hashes: first, rows }
        | KeysToc::Buckets { starts: first, rows, .. }) = keys;
        [first, rows].into_iter().for_each(|frame| self.file.mark(*frame));
        KeyIndex::new(self.file.file, keys, self.rows).map(Some)
    }

    /// Of rows, rising, with the place of a key and the key, those that have it.
    pub(super) fn confirm(&self, rows: &[(u32, usize, &str)]) -> Result<Vec<(usize, u32)>> {
        let mut found = Vec::with_capacity(rows.len());
        let mut scratch = String::new();
        for group in rows.chunk_by(|(a, ..), (b, ..)| a / BLOCK_ROWS == b / BLOCK_ROWS) {
            let Some((row, ..)) = group.first() else { continue };
            let Some(block) = self.toc.blocks.get((row / BLOCK_ROWS) as usize) else { continue };
            let mut texts = self.block_texts(block)?;
            let many = group.len() > FEW_ROWS;
            let known = many.then(|| self.known_words(block)).transpose()?;
            for (row, place, key) in group {
                let at = (row % BLOCK_ROWS) as usize;
                let bit = |w: &Words<'_>| w.get(at / 64).is_some_and(|w| w >> (at % 64) & 1 == 1);
                let known = known.as_ref().map_or_else(|| self.knows(block, at), |w| Ok(bit(w)))?;
                let same = texts.is(at, key, &mut scratch).ok_or_else(|| self.no_text(block))?;
                if known && same {
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
