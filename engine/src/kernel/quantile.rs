//! Quantiles by selection: exact, and without a list of the values.
//!
//! Values are counted in buckets between the least and the greatest; the bucket that holds the
//! rank that is asked for is counted again in finer buckets, until a bucket is one value.

use super::piece::Reader;
use super::{Block, Rows, bytes_of};
use crate::error::Result;
use crate::predicate::Predicate;

/// Buckets of a pass: two passes tell numbers of 26 bits apart.
const BUCKETS: usize = 1 << 13;
const BUCKET_BITS: u32 = BUCKETS.trailing_zeros();

/// An interval of values, both ends included, cut into buckets of `2^shift` values.
#[derive(Clone, Copy)]
struct Interval {
    low: i64,
    high: i64,
    shift: u32,
}

impl Interval {
    fn new(low: i64, high: i64) -> Self {
        let bits = u64::BITS - high.abs_diff(low).leading_zeros();
        Self { low, high, shift: bits.saturating_sub(BUCKET_BITS) }
    }

    /// The bucket of a value: none beyond the interval.
    #[inline]
    fn bucket(self, value: i64) -> usize {
        // What is below becomes greater than any distance.
        let distance = value.wrapping_sub(self.low).cast_unsigned();
        if distance > self.high.abs_diff(self.low) {
            return usize::MAX;
        }
        usize::try_from(distance >> self.shift).unwrap_or(usize::MAX)
    }

    /// The values of a bucket.
    fn part(self, bucket: usize) -> (i64, i64) {
        let start = (bucket as u64) << self.shift;
        let low = self.low.wrapping_add(start.cast_signed());
        let last = low.wrapping_add(((1u64 << self.shift) - 1).cast_signed());
        // The last bucket may reach beyond the interval, and beyond the greatest number.
        let inside = last >= low && last <= self.high;
        (low, if inside { last } else { self.high })
    }
}

impl Rows<'_> {
    /// The quantile of the known values of a column of integers: 0 the least, 0.5 the median, 1
    /// the greatest; between two values in the straight line (the default of numpy). None where
    /// no value is known, or when `share` is not a number; beyond 0 to 1 it is the nearer end.
    ///
    /// # Errors
    /// [`crate::Error::WrongType`] on texts, [`crate::Error::UnknownColumn`],
    /// [`crate::Error::Corrupt`], [`crate::Error::Stopped`], [`crate::Error::Memory`].
    pub fn quantile(&self, column: usize, share: f64) -> Result<Option<f64>> {
        self.is_number(column)?;
        let blocks = self.blocks();
        let mut interval: Option<(i64, i64)> = None;
        for &(place, block) in &blocks {
            let column = self.column(place, column)?;
            let zone = column.zone_maps().nth(block as usize);
            if let Some(zone) = zone.filter(|zone| zone.known > 0) {
                let (low, high) = interval.unwrap_or((zone.min, zone.max));
                interval = Some((low.min(zone.min), high.max(zone.max)));
            }
        }
        let Some((low, high)) = interval.filter(|_| !share.is_nan()) else { return Ok(None) };
        let workers = self.run.workers(blocks.len()) as u64;
        let _held = self.run.hold(bytes_of::<u64>(BUCKETS).saturating_mul(workers + 1))?;
        let mut interval = Interval::new(low, high);
        let mut counts = self.counts(&blocks, column, interval)?;
        let known: u64 = counts.iter().sum();
        if known == 0 {
            return Ok(None);
        }
        let (mut rank, weight) = rank(known, share);
        loop {
            let (bucket, before) = bucket_of(&counts, rank);
            let (next, _) = bucket_of(&counts, rank + u64::from(weight > 0.0));
            let (low, high) = interval.part(bucket);
            if next != bucket {
                let first = self.within(&blocks, column, (low, high))?;
                let second = self.within(&blocks, column, interval.part(next))?;
                let (first, second) = (first.map_or(low, |v| v.1), second.map_or(high, |v| v.0));
                return Ok(Some(between(first, second, weight)));
            }
            if low == high {
                return Ok(Some(between(low, low, 0.0)));
            }
            rank -= before;
            interval = Interval::new(low, high);
            counts = self.counts(&blocks, column, interval)?;
        }
    }

    /// How many known values lie in each bucket.
    fn counts(&self, blocks: &[Block], column: usize, interval: Interval) -> Result<Vec<u64>> {
        let state = || Ok((vec![0u64; BUCKETS], Reader::<1>::default()));
        let states = self.run.over(blocks.len(), state, |(counts, reader), item| {
            let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
            let own = self.column(place, column)?;
            let zone = own.zone_maps().nth(block as usize);
            let (low, high) = (interval.low, interval.high);
            let Some(zone) = zone.filter(|zone| low <= zone.max && zone.min <= high) else {
                return Ok(());
            };
            let mut words = self.words((place, block)).to_vec();
            if zone.min < low || high < zone.max {
                // The packed form tells faster than the values which rows are worth a look.
                own.keep(block, &Predicate::Range { min: low, max: high }, &mut words)?;
            }
            reader.each([own], block, &words, |word| {
                super::numbers::each_value(word, |value| {
                    if let Some(count) = counts.get_mut(interval.bucket(value)) {
                        *count = count.wrapping_add(1);
                    }
                });
            })
        })?;
        let mut states = states.into_iter().map(|(counts, _)| counts);
        let mut sums = states.next().unwrap_or_default();
        states.for_each(|own| sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own));
        Ok(sums)
    }

    /// The least and the greatest known value of an interval.
    fn within(
        &self,
        blocks: &[Block],
        column: usize,
        (low, high): (i64, i64),
    ) -> Result<Option<(i64, i64)>> {
        if low == high {
            return Ok(Some((low, high)));
        }
        let state = || Ok((None::<(i64, i64)>, Reader::<1>::default()));
        let states = self.run.over(blocks.len(), state, |(found, reader), item| {
            let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
            let own = self.column(place, column)?;
            let zone = own.zone_maps().nth(block as usize);
            if zone.is_none_or(|zone| zone.max < low || zone.min > high) {
                return Ok(());
            }
            let mut words = self.words((place, block)).to_vec();
            own.keep(block, &Predicate::Range { min: low, max: high }, &mut words)?;
            reader.each([own], block, &words, |word| {
                super::numbers::each_value(word, |value| {
                    let (a, b) = found.unwrap_or((value, value));
                    *found = Some((a.min(value), b.max(value)));
                });
            })
        })?;
        let found = states.into_iter().filter_map(|(found, _)| found);
        Ok(found.reduce(|(a, b), (c, d)| (a.min(c), b.max(d))))
    }
}

/// The rank of a share among `known` values, from 0, and the weight of the value behind it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product of a share and a count lies from 0 to the count"
)]
fn rank(known: u64, share: f64) -> (u64, f64) {
    let last = known - 1;
    let place = last as f64 * share.clamp(0.0, 1.0);
    let rank = (place.floor() as u64).min(last);
    (rank, if rank == last { 0.0 } else { place - place.floor() })
}

/// The bucket that holds a rank, and how many values are before it.
fn bucket_of(counts: &[u64], rank: u64) -> (usize, u64) {
    let mut before = 0;
    for (bucket, count) in counts.iter().enumerate() {
        if rank < before + count {
            return (bucket, before);
        }
        before += count;
    }
    (counts.len().saturating_sub(1), before)
}

/// The straight line between two values, from the nearer end.
fn between(first: i64, second: i64, weight: f64) -> f64 {
    let (a, b) = (first as f64, second as f64);
    if weight < 0.5 { a + (b - a) * weight } else { b - (b - a) * (1.0 - weight) }
}
