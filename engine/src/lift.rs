//! From the bits of rows to the bits of the rows above them and back, 64 rows at a time and
//! without a question a row.
//!
//! The rows beneath a row above are neighbours. A bit a row says which is the last of them; what
//! stands between two such bits is added as a number, and the carry tells a row's neighbours
//! about it.
//!
//! Invariant: no bit is given for a row above that is not asked for, nor for a row beneath one.
#![expect(clippy::cast_possible_truncation, reason = "rows of a table fit u32, bits of a word u8")]

use std::borrow::Cow;
use std::ops::Range;

use crate::block::deposit;
use crate::cpu::{Cpu, Kernel, run};

/// So many rows beneath one row above are told by carries, more by counting.
pub const LEAST_MAX: u32 = 8;

/// Which rows beneath other rows are the last of theirs.
#[derive(Debug)]
pub(crate) struct Ends {
    /// A bit a row: whether the next one is beneath another row above.
    ends: Vec<u64>,
    /// A bit a row above: whether it has any beneath it; nothing where all have.
    filled: Vec<u64>,
}

/// Bits of a set: from which row on, a multiple of 64, and the words. Rows before and behind are
/// not in the set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits<'a> {
    /// The first row.
    pub first: u32,
    /// The words.
    pub words: &'a [u64],
}

impl<'a> Bits<'a> {
    /// The words at these places, those that the set does not have among them.
    fn of(self, words: &Range<usize>) -> Cow<'a, [u64]> {
        let skipped = words.start.checked_sub((self.first / 64) as usize);
        let own = skipped.and_then(|skipped| self.words.get(skipped..)?.get(..words.len()));
        own.map_or_else(|| words.clone().map(|at| self.word(at)).collect(), Cow::Borrowed)
    }

    /// The word of rows `at * 64` and on.
    #[inline(always)]
    fn word(self, at: usize) -> u64 {
        let own = at.wrapping_sub((self.first / 64) as usize);
        self.words.get(own).copied().unwrap_or(0)
    }
}

/// The rows of a word that are in a range.
#[inline(always)]
fn inside(at: usize, rows: &Range<u32>) -> u64 {
    let first = (at as u32).wrapping_mul(64);
    let low = u64::MAX.checked_shl(rows.start.saturating_sub(first)).unwrap_or(0);
    let high = u64::MAX.checked_shl(rows.end.saturating_sub(first)).unwrap_or(0);
    low & !high
}

/// As [`inside`], of the first and the last word that has rows of the range; those between have all
/// of theirs.
#[cold]
fn inside_at_an_end(at: usize, rows: &Range<u32>) -> u64 {
    inside(at, rows)
}

/// The words that have rows of a range.
fn words_of(rows: &Range<u32>) -> Range<usize> {
    (rows.start / 64) as usize..rows.end.div_ceil(64) as usize
}

/// The rows behind a row of `bits`, up to the last beneath the same row above. `carry` is whether
/// the word before ended between.
#[inline(always)]
fn behind(bits: u64, ends: u64, carry: &mut u64) -> u64 {
    let between = !ends;
    let own = bits & between;
    let (sum, first) = own.overflowing_add(between);
    let (sum, second) = sum.overflowing_add(*carry);
    *carry = u64::from(first | second);
    sum ^ own ^ between
}

/// Bits that are written one group behind the other.
struct Stream<'a> {
    out: &'a mut [u64],
    at: usize,
    held: u64,
    filled: u32,
}

impl<'a> Stream<'a> {
    fn new(out: &'a mut [u64]) -> Self {
        Self { out, at: 0, held: 0, filled: 0 }
    }

    /// Adds the lowest `count` bits of a word; the others are zero.
    #[inline(always)]
    fn put(&mut self, bits: u64, count: u32) {
        let low = self.held | bits.wrapping_shl(self.filled);
        // In two steps: by 64 where nothing is held.
        let high = bits.wrapping_shr(1).wrapping_shr(63u32.wrapping_sub(self.filled));
        if let Some(slot) = self.out.get_mut(self.at) {
            *slot = low;
        }
        let total = self.filled.wrapping_add(count);
        let over = total >= 64;
        self.held = if over { high } else { low };
        self.filled = total % 64;
        self.at = self.at.wrapping_add(usize::from(over));
    }

    /// What is held is written.
    fn end(self) {
        if self.filled > 0
            && let Some(slot) = self.out.get_mut(self.at)
        {
            *slot = self.held;
        }
    }
}

/// Rows above with at least so many rows of a set beneath, a bit each; one without rows has none.
struct AtLeast<'a> {
    ends: &'a Ends,
    beneath: Range<u32>,
    rows: Bits<'a>,
    least: u32,
    out: &'a mut [u64],
}

impl Kernel for AtLeast<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let (mut stream, mut carries) = (Stream::new(self.out), [0u64; LEAST_MAX as usize]);
        let stages = (self.least.clamp(1, LEAST_MAX) - 1) as usize;
        let (before, last) = carries.split_at_mut(stages);
        let Some(last) = last.first_mut() else { return };
        let words = words_of(&self.beneath);
        let own = self.rows.of(&words);
        let ends = self.ends.ends.get(words.clone()).unwrap_or_default();
        let outer = [words.start, words.end.saturating_sub(1)];
        for ((at, ends), bits) in words.zip(ends).zip(own.iter()) {
            let (mut bits, mut ends) = (*bits, *ends);
            if outer.contains(&at) {
                let mask = inside_at_an_end(at, &self.beneath);
                bits &= mask;
                ends &= mask;
            }
            for carry in before.iter_mut() {
                // The first row beneath each row above is left out.
                bits &= behind(bits, ends, carry);
            }
            let found = (behind(bits, ends, last) | bits) & ends;
            stream.put(cpu.extract(found, ends), ends.count_ones());
        }
        stream.end();
    }
}

/// The rows beneath rows above, each of which has some.
struct Spread<'a> {
    ends: &'a Ends,
    beneath: Range<u32>,
    /// A bit each.
    above: &'a [u64],
    /// The first word is that of the first row beneath.
    out: &'a mut [u64],
}

impl Kernel for Spread<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let words = words_of(&self.beneath);
        let ends = self.ends.ends.get(words.clone()).unwrap_or_default();
        let (mut place, mut carry, mut before) = (0usize, 0u64, 1u64);
        let outer = [words.start, words.end.saturating_sub(1)];
        for ((at, ends), out) in words.zip(ends).zip(self.out) {
            let (mut mask, mut starts) = (u64::MAX, ends << 1 | before);
            if outer.contains(&at) {
                mask = inside_at_an_end(at, &self.beneath);
                // The first row asked for begins what is beneath the first row above.
                starts |= mask & mask.wrapping_neg() & before.wrapping_neg();
                starts &= mask;
            }
            before = ends >> 63;
            let (low, shift) = (place / 64, (place % 64) as u32);
            let word = |at: usize| self.above.get(at).copied().unwrap_or(0);
            let next = word(low) >> shift | word(low + 1) << 1 << (63 - shift);
            place += starts.count_ones() as usize;
            let chosen = cpu.deposit(next, starts);
            *out = (behind(chosen, ends & mask, &mut carry) | chosen) & mask;
        }
    }
}

/// The bits of one list at the places of another.
struct Extracted<'a> {
    words: &'a [u64],
    places: &'a [u64],
    lead: u32,
    out: &'a mut [u64],
}

impl Kernel for Extracted<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let mut stream = Stream { filled: self.lead % 64, ..Stream::new(self.out) };
        for (word, places) in self.words.iter().zip(self.places) {
            stream.put(cpu.extract(*word, *places), places.count_ones());
        }
        stream.end();
    }
}

/// The bits of words at the places whose bit is set in others, one behind the other after so many
/// zeros, less than 64.
pub(crate) fn extracted(words: &[u64], places: &[u64], lead: u32) -> Vec<u64> {
    let size = (crate::words::count(places) + u64::from(lead)).div_ceil(64);
    let mut out = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    run(Extracted { words, places, lead, out: &mut out });
    out
}

impl Ends {
    /// From where the rows beneath each row above begin, and where the last of them ends.
    pub(crate) fn new(offsets: &[u32]) -> Self {
        let rows = offsets.last().copied().unwrap_or(0);
        let above = offsets.len().saturating_sub(1);
        let mut ends = vec![0u64; rows.div_ceil(64) as usize];
        let mut filled = vec![0u64; above.div_ceil(64)];
        let mut all = true;
        let own = offsets.chunks(64).zip(&mut filled).enumerate();
        for (word, (starts, slot)) in own {
            let behind = offsets.get(word * 64 + 1..).unwrap_or_default();
            for (bit, (start, end)) in starts.iter().zip(behind).enumerate() {
                let some = end > start;
                all &= some;
                *slot |= u64::from(some) << bit;
                let last = end.wrapping_sub(1);
                if let Some(word) = ends.get_mut((last / 64) as usize) {
                    *word |= u64::from(some) << (last % 64);
                }
            }
        }
        if all {
            filled.clear();
        }
        Self { ends, filled }
    }

    /// The bits of rows `at * 64` and on.
    #[inline]
    pub(crate) fn word(&self, at: usize) -> u64 {
        self.ends.get(at).copied().unwrap_or(0)
    }

    /// Whether every row above has some beneath it.
    #[inline]
    pub(crate) fn all_filled(&self) -> bool {
        self.filled.is_empty()
    }

    /// Which of the rows above have any beneath them; none where all have.
    fn filled(&self, above: &Range<u32>) -> Option<Vec<u64>> {
        if self.filled.is_empty() {
            return None;
        }
        let mut words = self.filled.get(words_of(above)).unwrap_or_default().to_vec();
        let last = words_of(above).end.saturating_sub(1);
        if let Some(word) = words.last_mut() {
            *word &= inside(last, above);
        }
        Some(words)
    }

    /// The rows of `above` that have at least `least` rows of a set beneath them, from 1 to
    /// [`LEAST_MAX`], a bit each from `above.start` on, a multiple of 64. `offsets` are those of
    /// the whole table.
    pub(crate) fn at_least(
        &self,
        offsets: &[u32],
        above: Range<u32>,
        rows: Bits<'_>,
        least: u32,
    ) -> Vec<u64> {
        let beneath = beneath(offsets, &above);
        let mut out = vec![0; above.len().div_ceil(64)];
        let Some(filled) = self.filled(&above) else {
            run(AtLeast { ends: self, beneath, rows, least, out: &mut out });
            return out;
        };
        // One more: nobody asks whether the last is full.
        let size = crate::words::count(&filled).div_ceil(64);
        let mut compact = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        run(AtLeast { ends: self, beneath, rows, least, out: &mut compact });
        deposit(&filled, &compact, 0)
    }

    /// The rows beneath those rows of `above` whose bit is set in `chosen`, from `above.start` on,
    /// a multiple of 64: the words from that of the first row beneath `above` to that of the last.
    pub(crate) fn spread(&self, offsets: &[u32], above: Range<u32>, chosen: &[u64]) -> Vec<u64> {
        let beneath = beneath(offsets, &above);
        let mut out = vec![0; words_of(&beneath).len()];
        let compact = self.filled(&above).map(|filled| extracted(chosen, &filled, 0));
        let above = compact.as_deref().unwrap_or(chosen);
        run(Spread { ends: self, beneath, above, out: &mut out });
        out
    }
}

/// The rows beneath rows.
pub(crate) fn beneath(offsets: &[u32], above: &Range<u32>) -> Range<u32> {
    let at = |row: u32| offsets.get(row as usize).or(offsets.last()).copied().unwrap_or(0);
    at(above.start)..at(above.end)
}

/// What is added up over the rows beneath each row above.
struct Folded<'a, F> {
    /// Where the rows beneath each end.
    ends: &'a [u32],
    beneath: Range<u32>,
    rows: Bits<'a>,
    fold: F,
}

/// A sum over the rows of a word.
trait Fold {
    /// Takes the rows of a word, from a row on.
    fn begin<C: Cpu>(&mut self, cpu: C, row: u32, bits: u64);
    /// The sum over the first rows of the word.
    fn up_to(&self, rows: u32) -> i64;
}

impl<F: Fold> Kernel for Folded<'_, F> {
    type Out = Vec<i64>;

    #[inline(always)]
    fn run<C: Cpu>(mut self, cpu: C) -> Vec<i64> {
        let mut found = vec![0; self.ends.len()];
        let mut next = self.ends.iter().zip(&mut found);
        let mut held = next.next();
        // Of the row above whose rows are not yet over.
        let mut sum = 0i64;
        for at in words_of(&self.beneath) {
            let row = at as u32 * 64;
            let bits = self.rows.word(at) & inside(at, &self.beneath);
            self.fold.begin(cpu, row, bits);
            let mut from = 0i64;
            while let Some((end, slot)) = &mut held
                && **end <= row.wrapping_add(64)
            {
                let own = self.fold.up_to(end.saturating_sub(row));
                **slot = sum.wrapping_add(own).wrapping_sub(from);
                (sum, from) = (0, own);
                held = next.next();
            }
            sum = sum.wrapping_add(self.fold.up_to(64)).wrapping_sub(from);
        }
        found
    }
}

/// Rows are counted.
struct Counted(u64);

impl Fold for Counted {
    #[inline(always)]
    fn begin<C: Cpu>(&mut self, _: C, _: u32, bits: u64) {
        self.0 = bits;
    }

    #[inline(always)]
    fn up_to(&self, rows: u32) -> i64 {
        (self.0 & !u64::MAX.checked_shl(rows).unwrap_or(0)).count_ones().into()
    }
}

/// Values are added up.
struct AddedUp<'a> {
    values: &'a [i64],
    /// The row of the first.
    first: u32,
    /// Of the rows of a word: the sums before each.
    before: [i64; 65],
}

impl Fold for AddedUp<'_> {
    #[inline(always)]
    fn begin<C: Cpu>(&mut self, cpu: C, row: u32, bits: u64) {
        if bits == 0 {
            self.before = [0; 65];
            return;
        }
        // Before the first value there are no rows of the set.
        let ahead = self.first.saturating_sub(row) as usize;
        let values = self.values.get(row.saturating_sub(self.first) as usize..).unwrap_or_default();
        let mut own = [0i64; 64];
        let masks = cpu.bytes_of(bits);
        if let (0, Some(values)) = (ahead, values.first_chunk::<64>()) {
            for ((own, value), mask) in own.iter_mut().zip(values).zip(masks) {
                *own = value & i64::from(mask.cast_signed());
            }
        } else {
            let slots = own.iter_mut().zip(masks).skip(ahead);
            for ((own, mask), value) in slots.zip(values) {
                *own = value & i64::from(mask.cast_signed());
            }
        }
        let mut sum = 0i64;
        for (slot, own) in self.before.iter_mut().skip(1).zip(own) {
            sum = sum.wrapping_add(own);
            *slot = sum;
        }
    }

    #[inline(always)]
    fn up_to(&self, rows: u32) -> i64 {
        self.before.get(rows as usize).copied().unwrap_or(0)
    }
}

/// Where the rows beneath each row of `above` end.
fn ends_of<'o>(offsets: &'o [u32], above: &Range<u32>) -> &'o [u32] {
    offsets.get(above.start as usize + 1..=above.end as usize).unwrap_or_default()
}

/// How many rows of a set are beneath each row of `above`.
pub(crate) fn counts(offsets: &[u32], above: &Range<u32>, rows: Bits<'_>) -> Vec<i64> {
    let (ends, beneath) = (ends_of(offsets, above), beneath(offsets, above));
    run(Folded { ends, beneath, rows, fold: Counted(0) })
}

/// The sum of the values of the rows of a set beneath each row of `above`, modulo 2^64: `values`
/// has one for each row from `first` on, whatever it is for a row that is not in the set.
pub(crate) fn sums(
    offsets: &[u32],
    above: &Range<u32>,
    rows: Bits<'_>,
    (first, values): (u32, &[i64]),
) -> Vec<i64> {
    let (ends, beneath) = (ends_of(offsets, above), beneath(offsets, above));
    let fold = AddedUp { values, first, before: [0; 65] };
    run(Folded { ends, beneath, rows, fold })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::at_each_level;

    fn mixed(number: u64) -> u64 {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
    }

    /// Where the rows beneath rows begin: up to `most` beneath each, at least `least`.
    fn offsets(above: u64, least: u64, most: u64, salt: u64) -> Vec<u32> {
        let mut at = 0u32;
        let own = |row: u64| {
            let long = if mixed(row * 3 + salt).is_multiple_of(40) { 150 } else { 0 };
            least + mixed(row + salt) % (most + 1 - least) + long * u64::from(most > 4)
        };
        std::iter::once(0)
            .chain((0..above).map(|row| {
                at += own(row) as u32;
                at
            }))
            .collect()
    }

    fn bits(rows: u32, one_of: u64, salt: u64) -> Vec<u64> {
        let mut words = vec![0u64; rows.div_ceil(64) as usize];
        for row in (0..rows).filter(|row| mixed(u64::from(*row) + salt).is_multiple_of(one_of)) {
            words[(row / 64) as usize] |= 1 << (row % 64);
        }
        words
    }

    fn has(words: &[u64], row: u32) -> bool {
        words.get((row / 64) as usize).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    fn check(offsets: &[u32], set: &[u64], above: Range<u32>) {
        let ends = Ends::new(offsets);
        let own = beneath(offsets, &above);
        let rows = Bits { first: 0, words: set };
        // A window of the set that has no more than it must.
        let part =
            Bits { first: own.start / 64 * 64, words: set.get(words_of(&own)).unwrap_or_default() };
        let count = |row: u32| {
            let own = offsets[row as usize]..offsets[row as usize + 1];
            own.filter(|row| has(set, *row)).count() as i64
        };
        let expected: Vec<i64> = above.clone().map(count).collect();
        for rows in [rows, part] {
            assert_eq!(counts(offsets, &above, rows), expected, "{above:?}");
            for least in 1..=LEAST_MAX {
                let found = ends.at_least(offsets, above.clone(), rows, least);
                assert_eq!(found.len(), above.len().div_ceil(64));
                for (place, count) in (0u32..).zip(&expected) {
                    assert_eq!(
                        has(&found, place),
                        *count >= i64::from(least),
                        "{place} of {above:?}"
                    );
                }
                let ones: u32 = found.iter().map(|word| word.count_ones()).sum();
                assert_eq!(
                    ones as usize,
                    expected.iter().filter(|c| **c >= i64::from(least)).count()
                );
            }
            let values: Vec<i64> = own.clone().map(|row| i64::from(row) * 7 - 900).collect();
            let sum = |row: u32| -> i64 {
                let own = offsets[row as usize]..offsets[row as usize + 1];
                own.filter(|row| has(set, *row)).map(|row| i64::from(row) * 7 - 900).sum()
            };
            let expected: Vec<i64> = above.clone().map(sum).collect();
            assert_eq!(sums(offsets, &above, rows, (own.start, &values)), expected, "{above:?}");
        }
        let chosen = bits(above.end - above.start, 3, 77);
        let found = ends.spread(offsets, above.clone(), &chosen);
        let first = own.start / 64 * 64;
        let mut expected = vec![0u64; words_of(&own).len()];
        for row in above.clone().filter(|row| has(&chosen, row - above.start)) {
            for own in offsets[row as usize]..offsets[row as usize + 1] {
                expected[((own - first) / 64) as usize] |= 1 << (own % 64);
            }
        }
        assert_eq!(found, expected, "{above:?}");
    }

    #[test]
    fn rows_above_and_beneath_are_as_counted_row_by_row() {
        at_each_level(|_| {
            for (least, most) in [(1, 1), (1, 4), (0, 2), (0, 9), (64, 64), (63, 65), (0, 200)] {
                for above in [0, 1, 2, 63, 64, 65, 300] {
                    let offsets = offsets(above, least, most, above);
                    let rows = offsets.last().copied().unwrap_or(0);
                    for one_of in [1, 2, 30] {
                        let set = bits(rows, one_of, 5);
                        let above = above as u32;
                        check(&offsets, &set, 0..above);
                        for from in (0..above).step_by(64) {
                            check(&offsets, &set, from..above.min(from + 64));
                            check(&offsets, &set, from..above.min(from + 130));
                        }
                    }
                }
            }
        });
    }
}
