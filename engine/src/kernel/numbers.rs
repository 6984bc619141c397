//! Sums, extremes.
//!
//! Invariant: sums are exact: kept in 128 bits, which no number of rows fills, or in 64 where the
//! zone map of a block says that they fit.

use super::Rows;
use super::piece::{Word, each_bit};
use crate::error::Result;
use crate::limits::BLOCK_ROWS;
use crate::segment::ZoneMap;
use crate::words;

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
        let states = self.run.over(
            blocks.len(),
            || Ok(Total::default()),
            |total, item| {
                let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
                let words = self.words((place, block));
                let (known, sum) = self.column(place, column)?.sum_of_block(block, words)?;
                total.merge(&Total { rows: words::count(words), known, sum });
                Ok(())
            },
        )?;
        let mut total = Total::default();
        states.iter().for_each(|own| total.merge(own));
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
        let none = || Ok(None);
        let states = self.run.over(blocks.len(), none, |found, item| {
            let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
            let words = self.words((place, block));
            let own = self.column(place, column)?;
            let Some(zone) = own.zone_maps().nth(block as usize) else { return Ok(()) };
            let inside = |(low, high): (i64, i64)| low <= zone.min && zone.max <= high;
            if zone.known == 0 || found.is_some_and(inside) {
                return Ok(());
            }
            if words::count(words) == u64::from(zone.rows) {
                // The zone map is about these very rows.
                meet(found, (zone.min, zone.max));
            } else if let Some(ends) = own.ends_of_block(block, words)? {
                meet(found, ends);
            }
            Ok(())
        })?;
        let mut found = None;
        states.into_iter().flatten().for_each(|own| meet(&mut found, own));
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
