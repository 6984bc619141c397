//! Sums, extremes.
//!
//! Invariant: sums are exact. Those of a block are kept in 64 bits where the zone map says that
//! they fit, all others in 128, which no number of rows fills.

use super::Rows;
use super::piece::{Reader, Word, each_bit};
use crate::error::Result;
use crate::limits::BLOCK_ROWS;
use crate::segment::ZoneMap;

/// Some rows, and the exact sum of a column over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// Rows.
    pub rows: u64,
    /// Rows whose value is known.
    pub known: u64,
    /// The sum of the known values.
    pub sum: i128,
}

impl Total {
    /// Adds what is known of other rows.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.known += other.known;
        self.sum += other.sum;
    }
}

/// Words with fewer rows than this are added row by row.
const FEW: u32 = 12;

/// A block of such values has a sum of 64 bits.
const SMALL: u64 = i64::MAX.unsigned_abs() / BLOCK_ROWS as u64;

/// Whether the sum of any rows of a block fits 64 bits.
pub(super) fn sums_fit(zone: &ZoneMap) -> bool {
    zone.min.unsigned_abs() <= SMALL && zone.max.unsigned_abs() <= SMALL
}

/// The one known value of a block.
fn constant(zone: &ZoneMap) -> Option<i64> {
    (zone.min == zone.max).then_some(zone.min)
}

/// The sum of the values whose bits are set; it fits 64 bits.
#[inline]
pub(super) fn small_sum(bits: u64, values: &[i64; 64]) -> i64 {
    if bits == u64::MAX {
        return values.iter().fold(0, |sum, value| sum.wrapping_add(*value));
    }
    let mut sum = 0i64;
    if bits.count_ones() < FEW {
        each_bit(bits, |bit| {
            sum = sum.wrapping_add(values.get(bit as usize).copied().unwrap_or(0));
        });
        return sum;
    }
    for (bit, value) in (0u32..).zip(values) {
        let mask = (bits >> bit & 1).wrapping_neg();
        sum = sum.wrapping_add((value.cast_unsigned() & mask).cast_signed());
    }
    sum
}

impl Rows<'_> {
    /// How many rows there are, of how many a column of integers is known, and the exact sum of
    /// those.
    ///
    /// # Errors
    /// [`crate::Error::WrongType`] on texts, [`crate::Error::UnknownColumn`],
    /// [`crate::Error::Corrupt`], [`crate::Error::Stopped`].
    pub fn sum(&self, column: usize) -> Result<Total> {
        self.is_number(column)?;
        let blocks = self.blocks();
        let state = || Ok((Total::default(), Reader::<1>::default()));
        let states = self.run.over(blocks.len(), state, |(total, reader), item| {
            let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
            let words = self.words((place, block));
            let own = self.column(place, column)?;
            let Some(zone) = own.zone_maps().nth(block as usize) else { return Ok(()) };
            let ones = |words: &[u64]| words.iter().map(|w| u64::from(w.count_ones())).sum();
            let rows: u64 = ones(words);
            total.rows += rows;
            if let Some(value) = constant(&zone) {
                let mut words = words.to_vec();
                own.keep_known(block, &mut words)?;
                let known = ones(&words);
                total.known += known;
                total.sum += i128::from(value) * i128::from(known);
                return Ok(());
            }
            let (mut known, mut small, mut wide) = (0u64, 0i64, 0i128);
            if sums_fit(&zone) {
                reader.each([own], block, words, |word| {
                    let bits = word.bits & word.known[0];
                    known += u64::from(bits.count_ones());
                    small = small.wrapping_add(small_sum(bits, word.values[0]));
                })?;
            } else {
                reader.each([own], block, words, |word| {
                    known += u64::from((word.bits & word.known[0]).count_ones());
                    each_value(word, |value| wide += i128::from(value));
                })?;
            }
            total.known += known;
            total.sum += i128::from(small) + wide;
            Ok(())
        })?;
        let mut total = Total::default();
        states.iter().for_each(|(own, _)| total.merge(own));
        Ok(total)
    }

    /// The least and the greatest known value of a column of integers; none where no value is
    /// known.
    ///
    /// # Errors
    /// As [`Rows::sum`].
    pub fn extremes(&self, column: usize) -> Result<Option<(i64, i64)>> {
        self.is_number(column)?;
        let blocks = self.blocks();
        let state = || Ok((None, Reader::<1>::default()));
        let states = self.run.over(blocks.len(), state, |(found, reader), item| {
            let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
            let words = self.words((place, block));
            let own = self.column(place, column)?;
            let Some(zone) = own.zone_maps().nth(block as usize) else { return Ok(()) };
            let inside = |(low, high): (i64, i64)| low <= zone.min && zone.max <= high;
            if zone.known == 0 || found.is_some_and(inside) {
                return Ok(());
            }
            let rows: u32 = words.iter().map(|w| w.count_ones()).sum();
            if rows == zone.rows {
                // The zone map is about these very rows.
                meet(found, (zone.min, zone.max));
                return Ok(());
            }
            reader.each([own], block, words, |word| {
                let (mut low, mut high) = (i64::MAX, i64::MIN);
                each_value(word, |value| {
                    low = low.min(value);
                    high = high.max(value);
                });
                if low <= high {
                    meet(found, (low, high));
                }
            })
        })?;
        let mut found = None;
        states.into_iter().filter_map(|(own, _)| own).for_each(|own| meet(&mut found, own));
        Ok(found)
    }
}

/// Widens the extremes by others.
fn meet(found: &mut Option<(i64, i64)>, (low, high): (i64, i64)) {
    *found = Some(found.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
}

/// Calls `visit` with the known values of a word.
#[inline]
pub(super) fn each_value(word: &Word<'_, 1>, mut visit: impl FnMut(i64)) {
    let bits = word.bits & word.known[0];
    if bits == u64::MAX {
        word.values[0].iter().for_each(|value| visit(*value));
    } else {
        each_bit(bits, |bit| visit(word.values[0].get(bit as usize).copied().unwrap_or(0)));
    }
}
