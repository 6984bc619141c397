//! Rows counted by the band that their value lies in, from the numbers as they are packed.
//!
//! Bands of one width are found by a multiplication and a shift. That it finds the right one is
//! tried out where bands meet: in between it cannot go wrong, for it never falls.
//!
//! Invariant: what is counted is what [`Bands::of`] says of every value.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a distance within the bands, and a number of a block that is counted so, have 31 bits"
)]

use std::ops::Range;

use super::filter::rows_of;
use super::integers::IntegerBlock;
use super::unpack::{GROUP, Lane, Take, each_group};
use crate::cpu::{Cpu, Kernel, run};
use crate::format::Encoding;

/// Distances of so many bits are found by a multiplication.
const NEAR_BITS: u32 = 31;

/// Neighbouring rows are counted in so many tables: one does not wait for the one before it.
const LANES: usize = 4;

/// Of no more rows of 64 than this the bands are found one by one.
const FEW: u32 = 12;

/// Integers in bands, one behind the other.
///
/// ```
/// let bands = yiku::segment::Bands::new(vec![0, 10, 20, 31]);
/// assert_eq!(bands.count(), 3);
/// assert_eq!([-1, 0, 9, 10, 30, 31].map(|value| bands.of(value)), [
///     None, Some(0), Some(0), Some(1), Some(2), None,
/// ]);
/// ```
#[derive(Debug, Clone)]
pub struct Bands {
    /// The first value of each band, and behind the last value of the last.
    borders: Vec<i64>,
    near: Option<Near>,
}

/// What finds the band of a distance from the first value of the first band.
#[derive(Debug, Clone, Copy)]
struct Near {
    low: i64,
    /// The distance of the last value.
    last: u32,
    factor: u32,
    shift: u32,
    /// What is said of a value that lies in no band.
    behind: u32,
}

impl Near {
    fn new(borders: &[i64]) -> Option<Self> {
        let (low, high) = (*borders.first()?, *borders.last()?);
        let width = u32::try_from(high.checked_sub(low)?).ok()?;
        let behind = u32::try_from(borders.len() - 1).ok()?;
        if !(2..1 << NEAR_BITS).contains(&width) || behind == 0 || behind >= width {
            return None;
        }
        // The last band often has one value more than its share.
        [width - 1, width].into_iter().find_map(|shared| {
            // The greatest shift at which the factor, the share of a band rounded up, has 32 bits.
            let shift = NEAR_BITS + shared.ilog2() - behind.ilog2();
            let factor = (u64::from(behind) << shift) / u64::from(shared) + 1;
            let factor = u32::try_from(factor).ok()?;
            let near = Self { low, last: width - 1, factor, shift, behind };
            near.is_right(borders).then_some(near)
        })
    }

    /// Whether the bands on both sides of each border are found.
    fn is_right(self, borders: &[i64]) -> bool {
        let own = borders.get(1..borders.len() - 1).unwrap_or_default();
        (1u32..).zip(own).all(|(band, border)| {
            let Ok(first) = u32::try_from(border.wrapping_sub(self.low)) else { return false };
            let before = first.checked_sub(1).map(|before| self.band(before));
            before.is_some_and(|before| before < band) && self.band(first) >= band
        })
    }

    /// The band of a distance up to the last.
    #[inline(always)]
    fn band(self, distance: u32) -> u32 {
        let product = u64::from(distance).wrapping_mul(self.factor.into());
        (product.wrapping_shr(self.shift) as u32).min(self.behind.wrapping_sub(1))
    }

    /// As [`Near::band`], of any distance.
    #[inline(always)]
    fn any(self, distance: u32) -> u32 {
        if distance <= self.last { self.band(distance) } else { self.behind }
    }
}

impl Bands {
    /// Bands whose first values are given, rising, and behind them what follows the last value of
    /// the last. Where two are the same, the first of the two bands is empty.
    #[must_use]
    pub fn new(mut borders: Vec<i64>) -> Self {
        // Whatever is given, they rise.
        let mut most = i64::MIN;
        for border in &mut borders {
            most = most.max(*border);
            *border = most;
        }
        let near = Near::new(&borders);
        Self { borders, near }
    }

    /// How many bands there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.borders.len().saturating_sub(1)
    }

    /// The band that a value lies in.
    #[must_use]
    pub fn of(&self, value: i64) -> Option<usize> {
        let from = self.borders.partition_point(|border| *border <= value);
        from.checked_sub(1).filter(|band| *band < self.count())
    }
}

/// Counts of bands and of what lies in none.
struct Tables(Vec<[u32; LANES]>);

/// Adds one to the count of a band in a table.
#[inline(always)]
fn bump(tables: &mut [[u32; LANES]], lane: usize, band: u32) {
    if let Some(count) = tables.get_mut(band as usize).and_then(|own| own.get_mut(lane)) {
        *count = count.wrapping_add(1);
    }
}

impl Tables {
    /// For so many bands.
    fn new(bands: usize) -> Self {
        Self(vec![[0; LANES]; bands + 1])
    }

    /// Adds up what was counted.
    fn add_to(self, counts: &mut [u64]) {
        for (count, own) in counts.iter_mut().zip(self.0) {
            *count += own.iter().map(|own| u64::from(*own)).sum::<u64>();
        }
    }

    /// Counts those of 64 numbers whose bit is set, given the distance of each.
    #[inline(always)]
    fn add(&mut self, near: Near, word: u64, masks: &[u8; 64], distances: &[u32; GROUP]) {
        let tables = self.0.as_mut_slice();
        if word.count_ones() <= FEW {
            let mut rest = word;
            while rest != 0 {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                let distance = distances.get(bit).copied().unwrap_or(u32::MAX);
                bump(tables, bit % LANES, near.any(distance));
            }
            return;
        }
        let mut bands = [0u32; GROUP];
        for (band, distance) in bands.iter_mut().zip(distances) {
            *band = near.any(*distance);
        }
        if word != u64::MAX {
            for (band, mask) in bands.iter_mut().zip(masks) {
                *band = if *mask == 0 { near.behind } else { *band };
            }
        }
        for [a, b, c, d] in bands.as_chunks::<LANES>().0 {
            bump(tables, 0, *a);
            bump(tables, 1, *b);
            bump(tables, 2, *c);
            bump(tables, 3, *d);
        }
    }
}

/// Counts the numbers of a frame whose bits are set in words.
struct Counted<'a> {
    words: std::slice::Iter<'a, u64>,
    near: Near,
    /// How far what the numbers are added to lies above the first value of the first band.
    above: u32,
    tables: &'a mut Tables,
}

impl Take for Counted<'_> {
    #[inline(always)]
    fn wants(&mut self) -> bool {
        let has = self.words.as_slice().first().is_none_or(|word| *word != 0);
        if !has {
            self.words.next();
        }
        has
    }

    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, cpu: C, lanes: &[T; GROUP]) {
        let word = self.words.next().copied().unwrap_or(0);
        let mut distances = [0u32; GROUP];
        for (distance, lane) in distances.iter_mut().zip(lanes) {
            *distance = (lane.wide() as u32).wrapping_add(self.above);
        }
        self.tables.add(self.near, word, &cpu.bytes_of(word), &distances);
    }
}

/// Counts the values whose bits are set in words.
struct Read<'a> {
    words: &'a [u64],
    values: &'a [i64],
    near: Near,
    tables: &'a mut Tables,
}

impl Kernel for Read<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let low = self.near.low;
        for (word, chunk) in self.words.iter().zip(self.values.chunks(GROUP)) {
            let mut own = [0u32; GROUP];
            for (slot, value) in own.iter_mut().zip(chunk) {
                // What is too far away for 32 bits stays behind the last.
                *slot = value.wrapping_sub(low).cast_unsigned().min(u32::MAX.into()) as u32;
            }
            self.tables.add(self.near, *word, &cpu.bytes_of(*word), &own);
        }
    }
}

impl IntegerBlock<'_> {
    /// Adds to each of some counts how many values of rows lie in its band. `rows` are bits of
    /// rows whose value is known, one word for each word of `part`. None where the block does not
    /// read back.
    pub(crate) fn count_bands(
        &self,
        rows: &[u64],
        part: Range<usize>,
        bands: &Bands,
        counts: &mut [u64],
    ) -> Option<()> {
        let (rows, part) = self.stored_rows(rows, part)?;
        let packed = self.near(bands).filter(|_| self.encoding() == Some(Encoding::Packed));
        if let Some((near, above)) = packed {
            let (frame, bits) = self.packed()?;
            let mut tables = Tables::new(bands.count());
            let (groups, words) = (part.start..part.start + rows.len(), rows.iter());
            let mut counted = Counted { words, near, above, tables: &mut tables };
            each_group(frame, bits, groups, &mut counted);
            tables.add_to(counts);
        } else if let Some(near) = bands.near.filter(|_| !self.is_told()) {
            let asked = rows_of(&part, self.toc.stored());
            let mut values = Vec::with_capacity(asked.len());
            self.stored_values(asked.start as usize, asked.end as usize, &mut values)?;
            let mut tables = Tables::new(bands.count());
            run(Read { words: &rows, values: &values, near, tables: &mut tables });
            tables.add_to(counts);
        } else {
            self.each_value(&rows, part, &mut |value, own| {
                let band = bands.of(value).and_then(|band| counts.get_mut(band));
                if let Some(count) = band {
                    *count += own;
                }
            })?;
        }
        Some(())
    }

    /// What finds the bands of packed numbers, and how far these lie above the first; none where
    /// 32 bits do not tell.
    fn near(&self, bands: &Bands) -> Option<(Near, u32)> {
        let near = bands.near?;
        let above = self.toc.base.checked_sub(near.low)?;
        // No distance that goes beyond its 32 bits comes back to one that is in a band.
        let fits = u32::from(self.toc.bits) <= NEAR_BITS;
        let above = i32::try_from(above).ok().filter(|_| fits)?;
        Some((near, above.cast_unsigned()))
    }
}
