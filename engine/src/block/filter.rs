//! Which rows of a block of integers satisfy a predicate, found on the encoded form: one test a
//! run, one a value of a dictionary, a few operations a plane, else one a packed number.
//!
//! Invariant: the answer is that of testing every value.

use std::ops::Range;

use super::BlockToc;
use super::container::{fill, trim};
use super::integers::IntegerBlock;
use super::places::{Places, deposit, stored_part};
use super::unpack::{self, Between, Each};
use crate::format::Encoding;
use crate::lift::extracted;
use crate::predicate::Predicate;
use crate::words;

/// Spans of values up to this wide are looked up in a table rather than searched.
const TABLE_SPAN: usize = 1 << 12;
/// More ranges of values than this are looked up value by value.
const RANGES_MAX: usize = 8;

/// Whether a value satisfies a predicate.
pub(crate) fn holds(predicate: &Predicate, value: i64) -> bool {
    let set = value.cast_unsigned();
    match predicate {
        Predicate::Range { min, max } => (*min..=*max).contains(&value),
        Predicate::In(list) => list.binary_search(&value).is_ok(),
        Predicate::HasAny(bits) => set & bits != 0,
        Predicate::HasAll(bits) => set & bits == *bits,
        _ => false,
    }
}

/// The runs of neighbouring numbers of a rising list.
fn ranges(list: impl Iterator<Item = u64>) -> Ranges {
    let mut found = Ranges::new();
    for number in list {
        match found.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => found.push((number, number)),
        }
    }
    found
}

/// Ranges of numbers, most often one.
type Ranges = Vec<(u64, u64)>;

impl IntegerBlock<'_> {
    /// The words of the rows of the block.
    pub(crate) fn whole(&self) -> Range<usize> {
        0..self.toc.rows.div_ceil(64) as usize
    }

    /// The bits of the rows of some words whose value satisfies a predicate; a row that is not
    /// known may be among them. None where the block does not read back.
    pub(crate) fn filter(&self, predicate: &Predicate, part: Range<usize>) -> Option<Vec<u64>> {
        let mut found = vec![u64::MAX; part.len()];
        if part.end == self.whole().end {
            trim(&mut found, self.toc.rows);
        }
        self.keep(predicate, part, &mut found)?;
        Some(found)
    }

    /// Of the rows of some words, takes those out whose value does not satisfy a predicate; one
    /// that is not known may stay. None where the block does not read back.
    pub(crate) fn keep(
        &self,
        predicate: &Predicate,
        part: Range<usize>,
        found: &mut [u64],
    ) -> Option<()> {
        match self.places()? {
            Places::All => self.stored_keep(predicate, part, found),
            Places::Known(known) => {
                let own = stored_part(&known, part.clone())?;
                let known = known.get(part)?;
                let mut stored = extracted(found, known, own.lead);
                stored.resize(own.words.len(), 0);
                self.stored_keep(predicate, own.words, &mut stored)?;
                let kept = deposit(known, &stored, own.lead);
                found.copy_from_slice(&kept);
                Some(())
            }
        }
    }

    /// As [`IntegerBlock::keep`], of the stored values.
    fn stored_keep(
        &self,
        predicate: &Predicate,
        part: Range<usize>,
        found: &mut [u64],
    ) -> Option<()> {
        match self.encoding()? {
            Encoding::Constant => {
                if !holds(predicate, self.toc.base) {
                    found.fill(0);
                }
                Some(())
            }
            Encoding::Packed => self.scan(predicate, part, found),
            Encoding::Runs => {
                let mut own = vec![0; part.len()];
                let rows = rows_of(&part, self.toc.stored());
                let start = rows.start;
                self.runs(rows, &mut |first, last, value| {
                    if holds(predicate, value) {
                        fill(&mut own, first - start, last - start);
                    }
                })?;
                words::and(found, &own);
                Some(())
            }
            Encoding::ListPacked | Encoding::ListPlanes => self.listed(predicate, part, found),
            Encoding::Planes => self.planes_keep(predicate, part, found),
            _ => None,
        }
    }

    /// As [`IntegerBlock::stored_keep`], value by value.
    fn each(&self, predicate: &Predicate, part: Range<usize>, found: &mut [u64]) -> Option<()> {
        let rows = rows_of(&part, self.toc.stored());
        let mut values = Vec::with_capacity(rows.len());
        self.stored_values(rows.start as usize, rows.end as usize, &mut values)?;
        for (word, values) in found.iter_mut().zip(values.chunks(64)) {
            let bits = values.iter().enumerate();
            *word &= bits.fold(0, |word, (bit, v)| word | u64::from(holds(predicate, *v)) << bit);
        }
        Some(())
    }

    fn listed(&self, predicate: &Predicate, part: Range<usize>, found: &mut [u64]) -> Option<()> {
        let list = self.list()?;
        let kept: Vec<bool> = list.iter().map(|value| holds(predicate, *value)).collect();
        let places = (0u64..).zip(&kept).filter(|(_, kept)| **kept).map(|(place, _)| place);
        let ranges = ranges(places);
        if self.encoding()? == Encoding::ListPlanes {
            return if ranges.len() > RANGES_MAX {
                self.each(predicate, part, found)
            } else {
                self.any(&ranges, part, found)
            };
        }
        let (frame, bits) = self.packed()?;
        match ranges.as_slice() {
            [] => found.fill(0),
            [(low, high)] => {
                let test = Between { low: *low, high: *high };
                unpack::keep(frame, bits, part.start, found, &test);
            }
            _ => {
                let at = |code: u64| usize::try_from(code).unwrap_or(usize::MAX);
                let test = Each(|code| kept.get(at(code)).copied().unwrap_or(false));
                unpack::keep(frame, bits, part.start, found, &test);
            }
        }
        Some(())
    }

    /// Keeps the rows whose number in the planes lies in one of these ranges.
    fn any(&self, ranges: &[(u64, u64)], part: Range<usize>, found: &mut [u64]) -> Option<()> {
        let planes = self.planes()?;
        match ranges {
            [] => found.fill(0),
            [(low, high)] => planes.keep_between(*low, *high, part, found)?,
            _ => {
                let mut all = vec![0; found.len()];
                for (low, high) in ranges {
                    let mut own = found.to_vec();
                    planes.keep_between(*low, *high, part.clone(), &mut own)?;
                    words::or(&mut all, &own);
                }
                found.copy_from_slice(&all);
            }
        }
        Some(())
    }

    fn planes_keep(
        &self,
        predicate: &Predicate,
        part: Range<usize>,
        found: &mut [u64],
    ) -> Option<()> {
        let (base, max) = (self.toc.base, self.toc.max);
        let number = |value: i64| value.wrapping_sub(base).cast_unsigned();
        match predicate {
            Predicate::Range { min, max: most } => {
                let (low, high) = ((*min).max(base), (*most).min(max.max(base)));
                let range = (low <= high).then(|| (number(low), number(high)));
                self.any(range.as_slice(), part, found)
            }
            Predicate::In(list) => {
                let start = list.partition_point(|value| *value < base);
                let end = list.partition_point(|value| *value <= max);
                let list = list.get(start..end).unwrap_or_default();
                let ranges = ranges(list.iter().map(|value| number(*value)));
                if ranges.len() > RANGES_MAX {
                    self.each(predicate, part, found)
                } else {
                    self.any(&ranges, part, found)
                }
            }
            Predicate::HasAny(bits) if base == 0 => {
                self.planes()?.keep_bits(*bits, false, part, found)
            }
            Predicate::HasAll(bits) if base == 0 => {
                self.planes()?.keep_bits(*bits, true, part, found)
            }
            _ => self.each(predicate, part, found),
        }
    }

    fn scan(&self, predicate: &Predicate, part: Range<usize>, found: &mut [u64]) -> Option<()> {
        let (frame, width) = self.packed()?;
        let (block, base) = (self.toc, self.toc.base);
        let set = |v: u64| base.wrapping_add(v.cast_signed()).cast_unsigned();
        let first = part.start;
        match predicate {
            Predicate::Range { min, max } => scan_range(block, (frame, first), *min, *max, found),
            Predicate::In(list) => scan_list(block, (frame, first), list, found),
            Predicate::HasAny(bits) => {
                unpack::keep(frame, width, first, found, &Each(|v| set(v) & bits != 0));
            }
            Predicate::HasAll(bits) => {
                unpack::keep(frame, width, first, found, &Each(|v| set(v) & bits == *bits));
            }
            _ => found.fill(0),
        }
        Some(())
    }
}

/// The rows of some words, of so many rows.
pub(super) fn rows_of(words: &Range<usize>, rows: u32) -> Range<u32> {
    let row = |word: usize| u32::try_from(word * 64).map_or(rows, |row| row.min(rows));
    row(words.start)..row(words.end)
}

/// Keeps the rows of words of a block whose value lies from `min` to `max`; `first` is the first
/// word.
fn scan_range(
    block: &BlockToc,
    (frame, first): (&[u8], usize),
    min: i64,
    max: i64,
    found: &mut [u64],
) {
    let (min, max) = (min.max(block.min), max.min(block.max));
    let packed = |value: i64| value.wrapping_sub(block.base).cast_unsigned();
    let top = u64::MAX.checked_shr(64u32.saturating_sub(block.bits.into())).unwrap_or(0);
    let (low, high) = (packed(min), packed(max).min(top));
    if min > max || low > high {
        found.fill(0);
        return;
    }
    unpack::keep(frame, block.bits, first, found, &Between { low, high });
}

/// Keeps the rows of words of a block whose value is in a sorted list.
fn scan_list(block: &BlockToc, (frame, first): (&[u8], usize), list: &[i64], found: &mut [u64]) {
    let start = list.partition_point(|value| *value < block.min);
    let end = list.partition_point(|value| *value <= block.max);
    let list = list.get(start..end).unwrap_or_default();
    let (Some(least), Some(greatest)) = (list.first(), list.last()) else {
        found.fill(0);
        return;
    };
    if list.iter().copied().eq(*least..=*greatest) {
        scan_range(block, (frame, first), *least, *greatest, found);
        return;
    }
    let base = block.base;
    if block.max.abs_diff(block.min) >= TABLE_SPAN as u64 {
        let kept = |v: u64| list.binary_search(&base.wrapping_add(v.cast_signed())).is_ok();
        unpack::keep(frame, block.bits, first, found, &Each(kept));
        return;
    }
    let mut table = [false; TABLE_SPAN];
    for value in list {
        let packed = usize::try_from(value.wrapping_sub(base)).ok();
        if let Some(slot) = packed.and_then(|packed| table.get_mut(packed)) {
            *slot = true;
        }
    }
    let at = |v: u64| usize::try_from(v).unwrap_or(usize::MAX);
    let test = Each(|v| table.get(at(v)).copied().unwrap_or(false));
    unpack::keep(frame, block.bits, first, found, &test);
}
