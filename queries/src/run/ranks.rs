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

/// Buckets that values are counted in, and their number as a power of 2.
const BUCKETS: usize = 1 << BUCKET_BITS;
const BUCKET_BITS: u32 = 11;

/// Neighbouring values are counted in so many tables: one does not wait for the one before it.
const LANES: usize = 4;

/// About so many values tell where those asked for will lie.
const SAMPLE: usize = 1 << 10;

/// So many of the sample on both sides of those asked for lie within the buckets.
const MARGIN: usize = SAMPLE / 16;

/// So many of the sample on both sides of one that is asked for: it hardly ever lies further.
const NARROW: usize = SAMPLE / 20;

/// Values are put into buckets so many at a time.
const TILE: usize = 64;

/// More buckets than this that hold a rank are not looked for in a tile first.
const HELD_FEW: usize = 8;

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

/// Where buckets lie: from the least value on, each of two to this power. What lies below is in
/// the first of them, what lies above in the last.
#[derive(Clone, Copy)]
struct Shape {
    least: i64,
    shift: u32,
}

impl Shape {
    fn new((least, most): (i64, i64)) -> Self {
        let span = most.wrapping_sub(least).cast_unsigned();
        Self { least, shift: (u64::BITS - span.leading_zeros()).saturating_sub(BUCKET_BITS) }
    }

    #[inline(always)]
    fn bucket(self, rank: i64) -> u32 {
        let above = rank.max(self.least).wrapping_sub(self.least).cast_unsigned();
        (above >> self.shift).min(BUCKETS as u64 - 1) as u32
    }

    #[inline(always)]
    fn buckets<T: Ranked>(self, tile: &[T; TILE], places: &mut [u32; TILE]) {
        places.iter_mut().zip(tile).for_each(|(slot, value)| *slot = self.bucket(value.rank()));
    }
}

/// Between which values those at some ranks will lie, by some of all values.
fn guessed<T: Ranked>(lists: &[Vec<T>], ranks: &[usize], count: usize) -> Option<Shape> {
    let each = lists.iter().flat_map(|list| list.iter().step_by((count / SAMPLE).max(1)));
    let mut some: Vec<i64> = each.take(2 * SAMPLE).map(|value| value.rank()).collect();
    some.sort_unstable();
    let place = |rank: usize| (rank as f64 / count as f64 * some.len() as f64) as usize;
    let first = place(*ranks.first()?).saturating_sub(MARGIN);
    let last = place(*ranks.last()?).saturating_add(MARGIN).min(some.len().checked_sub(1)?);
    Some(Shape::new((*some.get(first)?, *some.get(last)?)))
}

/// Values of some ranks, and how many values of lower rank there are.
struct Near {
    low: i64,
    high: i64,
    before: usize,
    values: Vec<i64>,
}

/// A rank that stands so far from others is looked for by itself.
const APART_FEW: usize = 4;

/// The values at some ranks, each looked for among those that stand where a sample says that it
/// will be; none where the sample leads astray.
fn between_guesses<T: Ranked>(lists: &[Vec<T>], ranks: &[usize], count: usize) -> Option<Vec<i64>> {
    let each = lists.iter().flat_map(|list| list.iter().step_by((count / SAMPLE).max(1)));
    let mut some: Vec<i64> = each.take(2 * SAMPLE).map(|value| value.rank()).collect();
    some.sort_unstable();
    let place = |rank: usize| (rank as f64 / count as f64 * some.len() as f64) as usize;
    let mut near: Vec<Near> = Vec::new();
    for rank in ranks {
        let first = place(*rank).checked_sub(NARROW);
        let last = some.get(place(*rank) + NARROW);
        // Nothing of the sample lies further out.
        let low = first.and_then(|first| some.get(first)).map_or(i64::MIN, |low| *low);
        let high = last.map_or(i64::MAX, |high| *high);
        match near.last_mut() {
            Some(own) if low <= own.high => own.high = own.high.max(high),
            _ => near.push(Near { low, high, before: 0, values: Vec::new() }),
        }
    }
    if near.len() > APART_FEW {
        return None;
    }
    for Near { low, high, before, values } in &mut near {
        for list in lists {
            *before += yiku::sieve::sift(
                list,
                #[inline(always)]
                |value: T| value.rank(),
                (*low, *high),
                values,
            );
        }
    }
    let mut found = Vec::with_capacity(ranks.len());
    let mut left = ranks;
    for own in near {
        let end = own.before + own.values.len();
        let (ranks, rest) = left.split_at(left.partition_point(|rank| *rank < end));
        let ranks: Option<Vec<usize>> =
            ranks.iter().map(|rank| rank.checked_sub(own.before)).collect();
        found.extend(nth_near(&[own.values], &ranks?));
        left = rest;
    }
    (found.len() == ranks.len()).then_some(found)
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
    if count <= FEW {
        return sorted(lists, ranks);
    }
    if let Some(found) = between_guesses(lists, ranks, count) {
        return found;
    }
    guessed(lists, ranks, count).map_or_else(Vec::new, |shape| picked(lists, ranks, shape))
}

/// As [`nth`], of values that a guess has put together.
fn nth_near<T: Ranked>(lists: &[Vec<T>], ranks: &[usize]) -> Vec<i64> {
    let count: usize = lists.iter().map(Vec::len).sum();
    match ends(lists) {
        Some((least, most)) if least == most => vec![least; ranks.len()],
        // Each bucket is narrower than all of them by far, so that this comes to an end.
        Some(ends) if count > FEW => picked(lists, ranks, Shape::new(ends)),
        _ => sorted(lists, ranks),
    }
}

fn sorted<T: Ranked>(lists: &[Vec<T>], ranks: &[usize]) -> Vec<i64> {
    let mut all: Vec<i64> = lists.iter().flatten().map(|value| value.rank()).collect();
    all.sort_unstable();
    ranks.iter().filter_map(|rank| all.get(*rank).copied()).collect()
}

/// The values at some ranks, by the buckets of a shape.
fn picked<T: Ranked>(lists: &[Vec<T>], ranks: &[usize], shape: Shape) -> Vec<i64> {
    let sizes = counted(lists, shape);
    // The buckets that hold a rank: how many values stand before, and which of the ranks.
    let mut held: Vec<(u32, usize, &[usize])> = Vec::new();
    let mut slots = vec![0u16; BUCKETS];
    let (mut before, mut left) = (0usize, ranks);
    for ((bucket, size), slot) in (0..).zip(sizes).zip(&mut slots) {
        let (own, rest) = left.split_at(left.partition_point(|rank| *rank < before + size));
        if !own.is_empty() {
            held.push((bucket, before, own));
            *slot = u16::try_from(held.len()).unwrap_or(0);
        }
        before += size;
        left = rest;
    }
    let buckets: Vec<u32> = held.iter().map(|(bucket, ..)| *bucket).collect();
    let few = gathered(lists, shape, &buckets, &slots);
    let own = held.into_iter().zip(few).map(|((_, before, ranks), few)| {
        let ranks: Vec<usize> = ranks.iter().map(|rank| rank - before).collect();
        nth_near(&[few], &ranks)
    });
    own.flatten().collect()
}

/// How many values each bucket has.
fn counted<T: Ranked>(lists: &[Vec<T>], shape: Shape) -> Vec<usize> {
    let mut tables = vec![[0u32; LANES]; BUCKETS];
    yiku::cpu::best(
        #[inline(always)]
        || {
            let mut bump = |lane: usize, place: u32| {
                let table = tables.get_mut(place as usize);
                if let Some(count) = table.and_then(|table| table.get_mut(lane)) {
                    *count = count.wrapping_add(1);
                }
            };
            let mut places = [0u32; TILE];
            for list in lists {
                let (tiles, rest) = list.as_chunks::<TILE>();
                for tile in tiles {
                    shape.buckets(tile, &mut places);
                    places.iter().enumerate().for_each(|(at, place)| bump(at % LANES, *place));
                }
                rest.iter().for_each(|value| bump(0, shape.bucket(value.rank())));
            }
        },
    );
    tables.iter().map(|table| table.iter().map(|count| *count as usize).sum()).collect()
}

/// The values in some buckets; of each bucket the number of its list and one more, or 0.
fn gathered<T: Ranked>(
    lists: &[Vec<T>],
    shape: Shape,
    buckets: &[u32],
    slots: &[u16],
) -> Vec<Vec<T>> {
    let mut few: Vec<Vec<T>> = vec![Vec::new(); buckets.len()];
    yiku::cpu::best(
        #[inline(always)]
        || {
            let mut put = |value: T, bucket: u32| {
                let slot = slots.get(bucket as usize).copied().unwrap_or(0);
                if slot > 0
                    && let Some(list) = few.get_mut(usize::from(slot) - 1)
                {
                    list.push(value);
                }
            };
            let mut places = [0u32; TILE];
            for list in lists {
                let (tiles, rest) = list.as_chunks::<TILE>();
                for tile in tiles {
                    shape.buckets(tile, &mut places);
                    let has = |bucket: &u32| {
                        places.iter().fold(false, |any, place| any | (place == bucket))
                    };
                    if buckets.len() > HELD_FEW || buckets.iter().any(has) {
                        let pairs = tile.iter().zip(&places);
                        pairs.for_each(|(value, place)| put(*value, *place));
                    }
                }
                rest.iter().for_each(|value| put(*value, shape.bucket(value.rank())));
            }
        },
    );
    few
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
