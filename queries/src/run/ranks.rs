//! Values of a group in the order of their ranks, without sorting them.
//!
//! Values are counted in buckets from the least to the greatest, so that a rank says which bucket
//! to look into; what is in it is few.
//!
//! Invariant: a value found by its rank is the one that stands there when all are sorted.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank of values lies below their number"
)]

/// Buckets that values are counted in.
const BUCKETS: usize = 1 << 12;

/// Fewer values than this are ordered as they are.
const FEW: usize = 1 << 11;

/// A value that stands in an order with others, as an integer in the same order.
pub(super) trait Ranked: Copy {
    fn rank(self) -> i64;
    fn of_rank(rank: i64) -> Self;
}

impl Ranked for i64 {
    #[inline(always)]
    fn rank(self) -> i64 {
        self
    }

    fn of_rank(rank: i64) -> Self {
        rank
    }
}

impl Ranked for f64 {
    /// That of [`f64::total_cmp`].
    #[inline(always)]
    fn rank(self) -> i64 {
        let bits = self.to_bits().cast_signed();
        bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
    }

    fn of_rank(rank: i64) -> Self {
        let bits = rank ^ ((rank >> 63).cast_unsigned() >> 1).cast_signed();
        Self::from_bits(bits.cast_unsigned())
    }
}

/// Values in several lists.
pub(super) type Lists<T> = Vec<Vec<T>>;

/// Where buckets lie: from the least value on, each of two to this power.
#[derive(Clone, Copy)]
struct Shape {
    least: i64,
    shift: u32,
}

impl Shape {
    #[inline(always)]
    fn bucket(self, rank: i64) -> usize {
        (rank.wrapping_sub(self.least).cast_unsigned() >> self.shift) as usize
    }
}

/// The least and the greatest rank, if there is any.
fn ends<T: Ranked>(lists: &[Vec<T>]) -> Option<(i64, i64)> {
    let first = lists.iter().find_map(|list| list.first())?.rank();
    Some(yiku::cpu::best(
        #[inline(always)]
        || {
            let (mut least, mut most) = (first, first);
            for value in lists.iter().flatten() {
                least = least.min(value.rank());
                most = most.max(value.rank());
            }
            (least, most)
        },
    ))
}

/// The two neighbours in order between which a share of the values lies, and how far from the
/// first to the second: linear between ranks from 0 to the number of values less one. For each
/// of some shares.
pub(super) fn between<T: Ranked>(lists: &[Vec<T>], shares: &[f64]) -> Vec<Option<(T, T, f64)>> {
    let count: usize = lists.iter().map(Vec::len).sum();
    let Some(last) = count.checked_sub(1) else { return vec![None; shares.len()] };
    let ranks: Vec<(usize, f64)> = shares
        .iter()
        .map(|share| {
            let rank = share * last as f64;
            // A rank lies below 2^53, so that the whole part is exact.
            let whole = (rank.floor() as usize).min(last);
            (whole, rank - whole as f64)
        })
        .collect();
    // Each with the one behind it.
    let mut asked: Vec<usize> =
        ranks.iter().flat_map(|(whole, _)| [*whole, (whole + 1).min(last)]).collect();
    asked.sort_unstable();
    asked.dedup();
    let found = nth(lists, &asked);
    let value = |rank: usize| {
        let place = asked.binary_search(&rank).ok()?;
        found.get(place).copied().map(T::of_rank)
    };
    ranks
        .iter()
        .map(|(whole, part)| Some((value(*whole)?, value((whole + 1).min(last))?, *part)))
        .collect()
}

/// The values at some ranks, rising, each below the number of values.
fn nth<T: Ranked>(lists: &[Vec<T>], ranks: &[usize]) -> Vec<i64> {
    let count: usize = lists.iter().map(Vec::len).sum();
    let Some((least, most)) = ends(lists) else { return Vec::new() };
    if count <= FEW || least == most {
        let mut all: Vec<i64> = lists.iter().flatten().map(|value| value.rank()).collect();
        all.sort_unstable();
        return ranks.iter().filter_map(|rank| all.get(*rank).copied()).collect();
    }
    let span = most.wrapping_sub(least).cast_unsigned();
    let shape = Shape { least, shift: (64 - span.leading_zeros()).saturating_sub(12) };
    // Neighbours are counted apart: one does not wait for the one before it.
    let mut counts = [vec![0u32; BUCKETS], vec![0u32; BUCKETS]];
    for list in lists {
        let [even, odd] = &mut counts;
        let (pairs, rest) = list.as_chunks::<2>();
        let bump = |counts: &mut [u32], value: T| {
            if let Some(count) = counts.get_mut(shape.bucket(value.rank())) {
                *count = count.wrapping_add(1);
            }
        };
        for [one, other] in pairs {
            bump(even, *one);
            bump(odd, *other);
        }
        rest.iter().for_each(|value| bump(even, *value));
    }
    let [even, odd] = &counts;
    let sums = even.iter().zip(odd).map(|(a, b)| *a as usize + *b as usize);
    // The buckets that hold a rank: how many values stand before, and which of the ranks.
    let mut held: Vec<(usize, &[usize])> = Vec::new();
    let mut slots = vec![0u16; BUCKETS];
    let (mut before, mut left) = (0usize, ranks);
    for (size, slot) in sums.zip(&mut slots) {
        let (own, rest) = left.split_at(left.partition_point(|rank| *rank < before + size));
        if !own.is_empty() {
            held.push((before, own));
            *slot = u16::try_from(held.len()).unwrap_or(0);
        }
        before += size;
        left = rest;
    }
    let mut few: Vec<Vec<T>> = vec![Vec::new(); held.len()];
    for value in lists.iter().flatten() {
        let slot = slots.get(shape.bucket(value.rank())).copied().unwrap_or(0);
        if slot > 0
            && let Some(list) = few.get_mut(usize::from(slot) - 1)
        {
            list.push(*value);
        }
    }
    let own = held.into_iter().zip(few).map(|((before, ranks), few)| {
        let ranks: Vec<usize> = ranks.iter().map(|rank| rank - before).collect();
        nth(&[few], &ranks)
    });
    own.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(number: u64) -> u64 {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 31).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    }

    fn check<T: Ranked>(values: &[T]) {
        let shares = [0.0, 0.1, 0.25, 0.5, 0.9, 0.999, 1.0];
        let mut sorted: Vec<i64> = values.iter().map(|value| value.rank()).collect();
        sorted.sort_unstable();
        let lists: Lists<T> = values.chunks(values.len() / 3 + 1).map(<[T]>::to_vec).collect();
        for (share, found) in shares.iter().zip(between(&lists, &shares)) {
            let rank = share * (values.len() - 1) as f64;
            let at = |place: usize| sorted.get(place.min(values.len() - 1)).copied();
            let (low, high, part) = match found {
                Some((low, high, part)) => (Some(low.rank()), Some(high.rank()), part),
                None => (None, None, 0.0),
            };
            assert_eq!((low, high), (at(rank as usize), at(rank as usize + 1)), "{share}");
            assert!((rank - rank.floor() - part).abs() < 1e-12);
        }
    }

    #[test]
    fn ranks_are_those_of_the_sorted_values() {
        for size in [1u64, 2, 3, 100, 2_048, 2_049, 30_000] {
            let wide: Vec<i64> = (0..size).map(|n| mixed(n).cast_signed()).collect();
            check(&wide);
            check(&wide.iter().map(|n| n % 1_000).collect::<Vec<_>>());
            check(&wide.iter().map(|n| if n % 50 == 0 { *n } else { 7 }).collect::<Vec<_>>());
            let floats: Vec<f64> = wide.iter().map(|n| (n % 100_000) as f64 / 7.0).collect();
            check(&floats);
            check(&floats.iter().map(|f| if *f < 0.0 { 0.0 } else { *f }).collect::<Vec<_>>());
        }
        assert!(between::<i64>(&[], &[0.5]).iter().all(Option::is_none));
    }
}
