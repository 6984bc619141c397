//! Which rows of a block of integers satisfy a predicate, found on the encoded form: one test a
//! run, one a value of a dictionary, a few operations a plane, else one a packed number.
//!
//! Invariant: the answer is that of testing every value.

use super::BlockToc;
use super::container::fill;
use super::integers::IntegerBlock;
use super::places::{Places, deposit};
use super::unpack::{Between, Each, Test, masks};
use crate::format::Encoding;
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
fn ranges(list: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for number in list {
        match found.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => found.push((number, number)),
        }
    }
    found
}

impl IntegerBlock<'_> {
    /// The bits of the rows whose value satisfies a predicate; a row that is not known may be
    /// among them. None where the block does not read back.
    pub(crate) fn filter(&self, predicate: &Predicate) -> Option<Vec<u64>> {
        match self.places()? {
            Places::All => self.stored_filter(predicate),
            Places::Known(words) => Some(deposit(&words, &self.stored_filter(predicate)?)),
        }
    }

    /// As [`IntegerBlock::filter`], of the stored values.
    fn stored_filter(&self, predicate: &Predicate) -> Option<Vec<u64>> {
        let size = self.toc.stored().div_ceil(64) as usize;
        match self.encoding()? {
            Encoding::Constant => {
                let mut words = vec![0; size];
                if self.toc.stored() > 0 && holds(predicate, self.toc.base) {
                    fill(&mut words, 0, self.toc.stored() - 1);
                }
                Some(words)
            }
            Encoding::Packed => self.scan(predicate),
            Encoding::Runs => {
                let mut words = vec![0; size];
                self.runs(&mut |first, last, value| {
                    if holds(predicate, value) {
                        fill(&mut words, first, last);
                    }
                })?;
                Some(words)
            }
            Encoding::ListPacked | Encoding::ListPlanes => self.listed(predicate),
            Encoding::Planes => self.planes_filter(predicate),
            _ => None,
        }
    }

    /// As [`IntegerBlock::filter`], value by value.
    fn each(&self, predicate: &Predicate) -> Option<Vec<u64>> {
        let rows = self.toc.stored() as usize;
        let mut values = Vec::with_capacity(rows);
        self.stored_values(0, rows, &mut values)?;
        let words = values.chunks(64).map(|values| {
            let bits = values.iter().enumerate();
            bits.fold(0, |word, (bit, v)| word | u64::from(holds(predicate, *v)) << bit)
        });
        Some(words.collect())
    }

    fn listed(&self, predicate: &Predicate) -> Option<Vec<u64>> {
        let list = self.list()?;
        let kept: Vec<bool> = list.iter().map(|value| holds(predicate, *value)).collect();
        let places = (0u64..).zip(&kept).filter(|(_, kept)| **kept).map(|(place, _)| place);
        let ranges = ranges(places);
        let rows = self.toc.stored() as usize;
        if self.encoding()? == Encoding::ListPlanes {
            return if ranges.len() > RANGES_MAX {
                self.each(predicate)
            } else {
                self.any(&ranges)
            };
        }
        let (frame, bits) = self.packed()?;
        Some(match ranges.as_slice() {
            [] => vec![0; rows.div_ceil(64)],
            [(low, high)] => masks(frame, bits, rows, &Between { low: *low, high: *high }),
            _ => {
                let at = |code: u64| usize::try_from(code).unwrap_or(usize::MAX);
                let test = Each(|code| kept.get(at(code)).copied().unwrap_or(false));
                masks(frame, bits, rows, &test)
            }
        })
    }

    /// The rows whose number in the planes lies in one of these ranges.
    fn any(&self, ranges: &[(u64, u64)]) -> Option<Vec<u64>> {
        let planes = self.planes()?;
        let mut found = vec![0; self.toc.stored().div_ceil(64) as usize];
        for (low, high) in ranges {
            let own = planes.between(*low, *high, planes.whole())?;
            words::or(&mut found, &own);
        }
        Some(found)
    }

    fn with_bits(&self, bits: u64, all: bool) -> Option<Vec<u64>> {
        let planes = self.planes()?;
        planes.with_bits(bits, all, planes.whole())
    }

    fn planes_filter(&self, predicate: &Predicate) -> Option<Vec<u64>> {
        let (base, max) = (self.toc.base, self.toc.max);
        let number = |value: i64| value.wrapping_sub(base).cast_unsigned();
        match predicate {
            Predicate::Range { min, max: most } => {
                let (low, high) = ((*min).max(base), (*most).min(max.max(base)));
                let range = (low <= high).then(|| (number(low), number(high)));
                self.any(range.as_slice())
            }
            Predicate::In(list) => {
                let start = list.partition_point(|value| *value < base);
                let end = list.partition_point(|value| *value <= max);
                let list = list.get(start..end).unwrap_or_default();
                let ranges = ranges(list.iter().map(|value| number(*value)));
                if ranges.len() > RANGES_MAX { self.each(predicate) } else { self.any(&ranges) }
            }
            Predicate::HasAny(bits) if base == 0 => self.with_bits(*bits, false),
            Predicate::HasAll(bits) if base == 0 => self.with_bits(*bits, true),
            _ => self.each(predicate),
        }
    }

    fn scan(&self, predicate: &Predicate) -> Option<Vec<u64>> {
        let (frame, _) = self.packed()?;
        let (block, base) = (self.toc, self.toc.base);
        let set = |v: u64| base.wrapping_add(v.cast_signed()).cast_unsigned();
        Some(match predicate {
            Predicate::Range { min, max } => scan_range(block, frame, *min, *max),
            Predicate::In(list) => scan_list(block, frame, list),
            Predicate::HasAny(bits) => scan_packed(block, frame, &Each(|v| set(v) & bits != 0)),
            Predicate::HasAll(bits) => scan_packed(block, frame, &Each(|v| set(v) & bits == *bits)),
            _ => vec![0; block.stored().div_ceil(64) as usize],
        })
    }
}

/// The bits of the rows of a block whose packed number is kept.
fn scan_packed(block: &BlockToc, frame: &[u8], test: &impl Test) -> Vec<u64> {
    masks(frame, block.bits, block.stored() as usize, test)
}

/// The bits of the rows of a block whose value lies from `min` to `max`.
fn scan_range(block: &BlockToc, frame: &[u8], min: i64, max: i64) -> Vec<u64> {
    let (min, max) = (min.max(block.min), max.min(block.max));
    let packed = |value: i64| value.wrapping_sub(block.base).cast_unsigned();
    let top = u64::MAX.checked_shr(64u32.saturating_sub(block.bits.into())).unwrap_or(0);
    let (low, high) = (packed(min), packed(max).min(top));
    if min > max || low > high {
        return vec![0; block.stored().div_ceil(64) as usize];
    }
    scan_packed(block, frame, &Between { low, high })
}

/// The bits of the rows of a block whose value is in a sorted list.
fn scan_list(block: &BlockToc, frame: &[u8], list: &[i64]) -> Vec<u64> {
    let start = list.partition_point(|value| *value < block.min);
    let end = list.partition_point(|value| *value <= block.max);
    let list = list.get(start..end).unwrap_or_default();
    let (Some(least), Some(greatest)) = (list.first(), list.last()) else {
        return vec![0; block.stored().div_ceil(64) as usize];
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
