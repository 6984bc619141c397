//! Statistics of a group: computed once from exact sums, or from its values in order.
//!
//! Invariant: what is computed depends on the values alone, not on their order.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks and bins are not below 0 and held to their bounds; those of bins are integers"
)]

use yiku::segment::Bands;

use super::aggregate::Number;
use super::exact_sum::ExactSum;
use super::ranks::between;
use super::vector::each_bit;
use crate::check::Statistic;

/// What a measure of a group is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Figure {
    One(Number),
    Counts(Vec<u64>),
    Shares(Vec<f64>),
}

/// Sum, sum of squares and number of exact values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    sum: i128,
    /// The sums of the upper and of the lower 64 bits of the squares.
    high: u128,
    low: u128,
    count: u64,
}

/// The 256 bits of a product: the upper half and the lower.
fn product(a: u128, b: u128) -> (u128, u128) {
    let halves = |n: u128| (n >> 64, n & u128::from(u64::MAX));
    let ((ah, al), (bh, bl)) = (halves(a), halves(b));
    let low = al * bl;
    let (middle, carried) = (ah * bl).overflowing_add(al * bh);
    let (low, over) = low.overflowing_add(middle << 64);
    let high = ah * bh + (middle >> 64) + (u128::from(carried) << 64) + u128::from(over);
    (high, low)
}

impl Moments {
    pub(super) fn add(&mut self, value: i64) {
        let square = u128::from(value.unsigned_abs()) * u128::from(value.unsigned_abs());
        self.sum += i128::from(value);
        self.high += square >> 64;
        self.low += square & u128::from(u64::MAX);
        self.count += 1;
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.sum += other.sum;
        self.high += other.high;
        self.low += other.low;
        self.count += other.count;
    }

    /// The standard deviation of a sample; none of fewer than two values.
    pub(super) fn deviation(&self) -> Option<f64> {
        if self.count < 2 {
            return None;
        }
        // n Q - S^2, exactly, is n (n - 1) times the variance.
        let count = u128::from(self.count);
        let squares = self.high + (self.low >> 64);
        let low = squares << 64 | self.low & u128::from(u64::MAX);
        let (mut high, low) = {
            let (carried, low) = product(low, count);
            (carried + (squares >> 64) * count, low)
        };
        let (over, under) = product(self.sum.unsigned_abs(), self.sum.unsigned_abs());
        let (low, borrowed) = low.overflowing_sub(under);
        high = high.saturating_sub(over).saturating_sub(u128::from(borrowed));
        let above = high as f64 * 2f64.powi(128) + low as f64;
        Some((above / (count as f64 * (count - 1) as f64)).sqrt())
    }
}

/// Values of a group in any order, in several lists.
#[derive(Debug, Clone, Copy)]
pub(super) enum All<'a> {
    Exact(&'a [Vec<i64>]),
    Float(&'a [Vec<f64>]),
}

/// Statistics of the values of one group, each with what an exact value is divided by.
pub(super) fn statistics(wanted: &[(Statistic, f64)], values: All<'_>) -> Vec<Option<Figure>> {
    let share = |(kind, _): &(Statistic, f64)| match kind {
        Statistic::Quantile(share) => Some(*share),
        _ => None,
    };
    let shares: Vec<f64> = wanted.iter().filter_map(share).collect();
    // The value between its neighbours, which for exact values is yet to be divided.
    let exact = |(low, high, part): (i64, i64, f64)| {
        low as f64 + part * (i128::from(high) - i128::from(low)) as f64
    };
    let float = |(low, high, part): (f64, f64, f64)| low + part * (high - low);
    let (quantiles, divides): (Vec<Option<f64>>, bool) = match values {
        All::Exact(lists) => {
            (between(lists, &shares).into_iter().map(|found| found.map(exact)).collect(), true)
        }
        All::Float(lists) => {
            (between(lists, &shares).into_iter().map(|found| found.map(float)).collect(), false)
        }
    };
    let mut quantiles = quantiles.into_iter();
    let each = |(kind, over): &(Statistic, f64)| match kind {
        Statistic::Quantile(_) => {
            let value = quantiles.next().flatten()?;
            let value = if divides { value / over } else { value };
            value.is_finite().then_some(Figure::One(Number::Float(value)))
        }
        kind => statistic(*kind, values),
    };
    wanted.iter().map(each).collect()
}

/// A statistic of values that is no quantile; none where it is not defined.
fn statistic(kind: Statistic, values: All<'_>) -> Option<Figure> {
    let float = |value: f64| Some(Figure::One(Number::Float(value))).filter(|_| value.is_finite());
    match (kind, values) {
        (Statistic::Gini, All::Exact(values)) => {
            let mut values = values.concat();
            values.sort_unstable();
            let sum: i128 = values.iter().map(|v| i128::from(*v)).sum();
            let least = values.first().copied()?;
            let count = values.len() as i128;
            let ranked = (1i128..).zip(&values);
            let above: i128 = ranked.map(|(n, v)| (2 * n - count - 1) * i128::from(*v)).sum();
            let defined = least >= 0 && sum > 0;
            defined.then(|| above as f64 / (count as f64 * sum as f64)).and_then(float)
        }
        (Statistic::Gini, All::Float(values)) => {
            let mut values = values.concat();
            values.sort_unstable_by(f64::total_cmp);
            let least = values.first().copied()?;
            let count = values.len() as f64;
            let (mut sum, mut above) = (ExactSum::default(), ExactSum::default());
            values.iter().for_each(|value| sum.add(*value));
            // Pairs from both ends: no term is below 0, so that nothing cancels.
            let pairs = values.iter().zip(values.iter().rev()).take(values.len() / 2);
            for (n, (low, high)) in (1u32..).zip(pairs) {
                above.add((count + 1.0 - 2.0 * f64::from(n)) * (high - low));
            }
            let defined = least >= 0.0 && sum.value() > 0.0;
            defined.then(|| above.value() / (count * sum.value())).and_then(float)
        }
        (Statistic::Lorenz(parts), All::Exact(values)) => {
            let mut values = values.concat();
            values.sort_unstable();
            lorenz(parts, &values, |v| *v as f64)
        }
        (Statistic::Lorenz(parts), All::Float(values)) => {
            let mut values = values.concat();
            values.sort_unstable_by(f64::total_cmp);
            lorenz(parts, &values, |v| *v)
        }
        (Statistic::Deviation, All::Float(values)) => {
            let mut values = values.concat();
            values.sort_unstable_by(f64::total_cmp);
            let count = values.len() as f64;
            // The mean of equal values is that value, to the last digit.
            let least = values.first().copied()?;
            let mut above = ExactSum::default();
            values.iter().for_each(|value| above.add(value - least));
            let mean = least + above.value() / count;
            let mut squares = ExactSum::default();
            values.iter().for_each(|value| squares.add((value - mean) * (value - mean)));
            if values.len() < 2 { None } else { float((squares.value() / (count - 1.0)).sqrt()) }
        }
        (Statistic::Deviation | Statistic::Counts | Statistic::Quantile(_), _) => None,
    }
}

/// The shares of the sum that the lowest parts of the values have: 0 of none of them to 1 of all,
/// linear within a value.
fn lorenz<T>(parts: u32, values: &[T], number: impl Fn(&T) -> f64) -> Option<Figure> {
    let least = values.first().map(&number)?;
    let mut sum = ExactSum::default();
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push(0.0);
    for value in values {
        sum.add(number(value));
        sums.push(sum.value());
    }
    let whole = sum.value();
    if least < 0.0 || whole <= 0.0 {
        return None;
    }
    let count = values.len() as f64;
    let share = |part: u32| {
        let rank = f64::from(part) * count / f64::from(parts);
        let at = (rank.floor() as usize).min(values.len());
        let low = sums.get(at).copied().unwrap_or(whole);
        let high = sums.get(at + 1).copied().unwrap_or(whole);
        (low + (high - low) * (rank - at as f64)) / whole
    };
    Some(Figure::Shares((0..=parts).map(share).collect()))
}

/// Neighbouring values are counted in so many tables.
const LANES: usize = 4;

/// Of no more of 64 neighbours than this the places are computed one by one.
const FEW: u32 = 12;

/// Bins of one width between two integers; the last has its upper bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bins {
    low: i128,
    high: i128,
    count: u32,
    /// What the distance from `low` is multiplied with, and 2^64 is the bin; 0 where the
    /// distances are too large for that to be exact.
    factor: u64,
}

impl Bins {
    pub(super) fn new((low, high): (f64, f64), count: u32) -> Self {
        // Bounds of exact values are integers.
        let (low, high) = (low as i128, high as i128);
        let span = high - low;
        // Of a distance d the product is d * count / span * 2^64 and less than d more; what d *
        // count leaves of span is at least 1 of span below the next bin.
        let fits = span > 0 && span < 1 << 32 && i128::from(count) < span;
        let factor = if fits { (i128::from(count) << 64) / span + 1 } else { 0 };
        Self { low, high, count, factor: u64::try_from(factor).unwrap_or(0) }
    }

    /// The bin of a value, if it lies in one.
    #[inline(always)]
    pub(super) fn of(self, value: i64) -> Option<usize> {
        let value = i128::from(value);
        if value < self.low || self.high < value {
            return None;
        }
        let above = value - self.low;
        let place = if self.factor > 0 {
            (above.cast_unsigned().wrapping_mul(self.factor.into()) >> 64) as usize
        } else {
            usize::try_from(above * i128::from(self.count) / (self.high - self.low).max(1)).ok()?
        };
        Some(place.min(self.count as usize - 1))
    }

    /// The bins as bands of integers; none where they are wider than those can be.
    pub(super) fn bands(self) -> Option<Bands> {
        let mut borders = Vec::with_capacity(self.count as usize + 1);
        for bin in 0..self.count {
            // The least distance whose share reaches the bin.
            let above = (self.high - self.low) * i128::from(bin);
            let above = above.checked_add(i128::from(self.count) - 1)? / i128::from(self.count);
            borders.push(i64::try_from(self.low + above).ok()?);
        }
        borders.push(i64::try_from(self.high + 1).ok()?);
        Some(Bands::new(borders))
    }

    /// Counts all of some values.
    pub(super) fn count_all(self, values: &[i64], counts: &mut [u64]) {
        self.count(values, &vec![u64::MAX; values.len().div_ceil(64)], counts);
    }

    /// Counts the values whose bit is set, the lowest bit of the first word that of the first.
    pub(super) fn count(self, values: &[i64], words: &[u64], counts: &mut [u64]) {
        let quick = self.factor > 0 && counts.len() == self.count as usize;
        let (Ok(low), Ok(span)) = (i64::try_from(self.low), u64::try_from(self.high - self.low))
        else {
            return self.count_each(values, words, counts);
        };
        if !quick {
            return self.count_each(values, words, counts);
        }
        // One more for what lies in no bin.
        let last = u64::from(self.count) - 1;
        let behind = last + 1;
        let lists = (values, words);
        let Some((factor, shift)) = self.narrow() else {
            return tallied(lists, counts, |value| {
                let above = value.wrapping_sub(low).cast_unsigned();
                let place = (u128::from(above).wrapping_mul(self.factor.into()) >> 64) as u64;
                // A value below the bounds lies far above them.
                if above <= span { place.min(last) as u32 } else { behind as u32 }
            });
        };
        yiku::cpu::best(
            #[inline(always)]
            || {
                tallied(
                    lists,
                    counts,
                    #[inline(always)]
                    |value| {
                        let above = value.wrapping_sub(low).cast_unsigned();
                        let near = above & u64::from(u32::MAX);
                        let place = ((near * u64::from(factor)) >> shift).min(last);
                        if above <= span { place as u32 } else { behind as u32 }
                    },
                )
            },
        )
    }

    /// A factor of 32 bits and a shift that make the bin of a distance, if there are such: many
    /// distances are multiplied at once.
    fn narrow(self) -> Option<(u32, u32)> {
        // As in `new`, with a power of 2 above the square of span in the place of 2^64.
        let span = self.high - self.low;
        let shift = (i128::BITS - span.leading_zeros()) * 2;
        let fits = span > 0 && shift < u64::BITS;
        let factor = fits.then(|| (i128::from(self.count) << shift) / span + 1)?;
        Some((u32::try_from(factor).ok()?, shift))
    }

    fn count_each(self, values: &[i64], words: &[u64], counts: &mut [u64]) {
        for (chunk, word) in values.chunks(64).zip(words) {
            each_bit(*word, |bit| {
                let place = chunk.get(bit as usize).and_then(|value| self.of(*value));
                if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                    *count = count.wrapping_add(1);
                }
            });
        }
    }
}

/// Adds how many of the values whose bit is set have each place; those with a place behind the
/// last count are left out.
#[inline(always)]
fn tallied((values, words): (&[i64], &[u64]), counts: &mut [u64], place: impl Fn(i64) -> u32) {
    // Neighbours are counted apart: one does not wait for the one before it.
    let mut tables = vec![[0u64; LANES]; counts.len() + 1];
    let mut bump = |lane: usize, place: u32| {
        if let Some(count) = tables.get_mut(place as usize).and_then(|table| table.get_mut(lane)) {
            *count = count.wrapping_add(1);
        }
    };
    let mut places = [0u32; 64];
    for (chunk, word) in values.chunks(64).zip(words) {
        match chunk.as_array::<64>() {
            Some(chunk) if word.count_ones() > FEW => {
                places.iter_mut().zip(chunk).for_each(|(slot, value)| *slot = place(*value));
                if *word == u64::MAX {
                    places.iter().enumerate().for_each(|(at, place)| bump(at % LANES, *place));
                    continue;
                }
                each_bit(*word, |bit| {
                    if let Some(place) = places.get(bit as usize) {
                        bump(bit as usize % LANES, *place);
                    }
                });
            }
            _ => each_bit(*word, |bit| {
                if let Some(value) = chunk.get(bit as usize) {
                    bump(bit as usize % LANES, place(*value));
                }
            }),
        }
    }
    for (count, table) in counts.iter_mut().zip(tables) {
        *count = count.wrapping_add(table.iter().fold(0, |sum, own| own.wrapping_add(sum)));
    }
}

/// As [`bin`], of a float.
pub(super) fn float_bin(value: f64, (low, high): (f64, f64), bins: u32) -> Option<usize> {
    if !(low..=high).contains(&value) {
        return None;
    }
    let place = (value - low) / (high - low) * f64::from(bins);
    Some((place.floor() as usize).min(bins as usize - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(kind: Statistic, values: All<'_>) -> Option<Figure> {
        statistics(&[(kind, 1.0)], values).into_iter().flatten().next()
    }

    fn one(kind: Statistic, values: &[i64]) -> Option<f64> {
        match first(kind, All::Exact(&[values.to_vec()]))? {
            Figure::One(number) => Some(number.float()),
            _ => None,
        }
    }

    #[test]
    fn quantiles_lie_between_ranks() {
        let values = [40, 10, 30, 20];
        for (share, expected) in [(0.0, 10.0), (0.5, 25.0), (0.9, 37.0), (1.0, 40.0)] {
            assert_eq!(one(Statistic::Quantile(share), &values), Some(expected), "{share}");
        }
        assert_eq!(one(Statistic::Quantile(0.3), &[7]), Some(7.0));
        assert_eq!(one(Statistic::Quantile(0.3), &[]), None);
        let ends = [i64::MIN, i64::MAX];
        assert_eq!(one(Statistic::Quantile(0.5), &ends), Some(0.0));
    }

    #[test]
    fn deviations_are_exact_before_the_root() {
        let of = |values: &[i64]| {
            let mut moments = Moments::default();
            values.iter().for_each(|value| moments.add(*value));
            moments.deviation()
        };
        assert_eq!(of(&[3]), None);
        assert_eq!(of(&[5, 5, 5]), Some(0.0));
        assert_eq!(of(&[2, 4, 4, 4, 5, 5, 7, 9]), Some((32.0f64 / 7.0).sqrt()));
        // What is equal does not deviate, whatever its digits.
        let equal = [31.0 / 37.0; 5];
        let found = first(Statistic::Deviation, All::Float(&[equal.to_vec()]));
        assert_eq!(found, Some(Figure::One(Number::Float(0.0))));
        // Far from zero nothing is lost.
        let far = 9_000_000_000_000_000_000;
        assert_eq!(of(&[far, far + 2, far + 4]), Some(2.0));
        let ends = of(&[i64::MIN, i64::MAX]).unwrap_or(0.0);
        assert!((ends / 2f64.powi(63) / 2f64.sqrt() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn inequality_is_that_of_the_textbook() {
        assert_eq!(one(Statistic::Gini, &[5, 5, 5, 5]), Some(0.0));
        assert_eq!(one(Statistic::Gini, &[0, 0, 0, 8]), Some(0.75));
        assert_eq!(one(Statistic::Gini, &[1, 2, 3, 4]), Some(0.25));
        assert_eq!(one(Statistic::Gini, &[0, 0]), None);
        assert_eq!(one(Statistic::Gini, &[-1, 5]), None);
        // Small differences of large values: nothing of them is lost.
        let near = first(Statistic::Gini, All::Float(&[vec![1e15, 1e15 + 1.0], vec![1e15 + 3.0]]));
        let expected = 2.0 * 3.0 / (3.0 * (3e15 + 4.0));
        assert_eq!(near, Some(Figure::One(Number::Float(expected))));
        let points = first(Statistic::Lorenz(2), All::Exact(&[vec![4, 1, 3, 2]]));
        assert_eq!(points, Some(Figure::Shares(vec![0.0, 0.3, 1.0])));
        let floats = first(Statistic::Lorenz(4), All::Float(&[vec![4.0, 1.0, 3.0, 2.0]]));
        assert_eq!(floats, Some(Figure::Shares(vec![0.0, 0.1, 0.3, 0.6, 1.0])));
    }

    #[test]
    fn bins_are_half_open_but_the_last() {
        let bins = |value: i64| Bins::new((0.0, 10.0), 4).of(value);
        let found: Vec<_> = [-1, 0, 2, 3, 5, 10, 11].into_iter().map(bins).collect();
        assert_eq!(found, [None, Some(0), Some(0), Some(1), Some(2), Some(3), None]);
        for (low, high, count) in
            [(0.0, 2e6, 40), (-7.0, 1e4, 7), (0.0, 4e9, 4_096), (-5.0, 5.0, 3)]
        {
            let quick = Bins::new((low, high), count);
            let (first, span) = (low as i64, (high - low) as i64);
            // Both sides of every edge.
            for edge in (0..=i64::from(count)).map(|bin| first + bin * span / i64::from(count)) {
                for value in (edge - 2..=edge + 2).filter(|v| (low..=high).contains(&(*v as f64))) {
                    let place = (value - first) * i64::from(count) / span;
                    let expected = place.min(i64::from(count) - 1) as usize;
                    assert_eq!(quick.of(value), Some(expected), "{value} of {count} to {high}");
                    let mut list = vec![0; 70];
                    list.extend([value, i64::MIN, i64::MAX]);
                    let mut counts = vec![0; count as usize];
                    quick.count(&list, &[0, 7 << 6], &mut counts);
                    assert_eq!((counts.iter().sum::<u64>(), counts.get(expected)), (1, Some(&1)));
                }
            }
        }
        assert_eq!(float_bin(2.5, (0.0, 10.0), 4), Some(1));
        assert_eq!(float_bin(10.0, (0.0, 10.0), 4), Some(3));
    }
}
