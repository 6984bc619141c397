//! Values of the known rows of a block, put where those rows are.
//!
//! Invariant: the words have as many bits as there are stored values, at least one. A row that is
//! not known has some value.

use std::borrow::Cow;
use std::ops::Range;

use crate::cpu::{Cpu, Kernel, run};
use crate::words;

/// Which rows have a value in the frame of a block.
#[derive(Debug)]
pub(super) enum Places<'a> {
    /// All of them.
    All,
    /// Those whose bit is set.
    Known(Cow<'a, [u64]>),
}

/// How many bits of the words are set before a row.
fn rank(words: &[u64], row: u32) -> u32 {
    let full = (row / 64) as usize;
    let before: u32 = words.iter().take(full).map(|word| word.count_ones()).sum();
    let rest = words.get(full).map_or(0, |word| word & !(u64::MAX << (row % 64)));
    before + rest.count_ones()
}

/// The place of the value of a row.
pub(super) fn at(words: &[u64], row: u32) -> u32 {
    rank(words, row + 1).saturating_sub(1)
}

/// The places of the values of the rows `from..to`: the first and the last.
pub(super) fn span(words: &[u64], from: u32, to: u32) -> (u32, u32) {
    (at(words, from), at(words, to.saturating_sub(1)))
}

/// Where the values of the rows of some words stand among the stored ones.
#[derive(Debug)]
pub(super) struct StoredPart {
    /// The words of their bits.
    pub words: Range<usize>,
    /// How many bits of the first word are of values before them.
    pub lead: u32,
}

/// Where the values of the known rows of some words stand; none where there are no such words.
pub(super) fn stored_part(known: &[u64], part: Range<usize>) -> Option<StoredPart> {
    let (before, own) = (known.get(..part.start)?, known.get(part)?);
    let start = words::count(before);
    let end = start + words::count(own);
    let word = |bit: u64| usize::try_from(bit / 64).unwrap_or(usize::MAX);
    let lead = u32::try_from(start % 64).unwrap_or(0);
    Some(StoredPart { words: word(start)..word(end + 63).max(word(start)), lead })
}

/// Appends the values of rows `from..to`, given those from the place of the first to the place of
/// the last.
pub(super) fn spread(
    words: &[u64],
    (from, to): (usize, usize),
    values: &[i64],
    out: &mut Vec<i64>,
) {
    let Ok(first) = u32::try_from(from) else { return };
    let place = at(words, first);
    // Which value is next, the first being held already where its row lies before.
    let next = rank(words, first).saturating_sub(place) as usize;
    out.reserve(to.saturating_sub(from));
    run(Spread { words, rows: from..to, values: values.get(next..).unwrap_or_default(), out });
}

/// Values one behind the other, each at the row of its bit.
struct Spread<'a> {
    words: &'a [u64],
    rows: Range<usize>,
    values: &'a [i64],
    out: &'a mut Vec<i64>,
}

impl Kernel for Spread<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let (mut row, mut values) = (self.rows.start, self.values);
        while row < self.rows.end {
            let size = (64 - row % 64).min(self.rows.end - row);
            let known = self.words.get(row / 64).copied().unwrap_or(0) >> (row % 64);
            let mut own = [0i64; 64];
            for (mask, slots) in known.to_le_bytes().into_iter().zip(own.as_chunks_mut::<8>().0) {
                let mut near = [0; 8];
                let eight = match values.first_chunk::<8>() {
                    Some(eight) => eight,
                    None => {
                        near.iter_mut().zip(values).for_each(|(slot, value)| *slot = *value);
                        &near
                    }
                };
                *slots = cpu.expanded(eight, mask);
                values = values.get(mask.count_ones() as usize..).unwrap_or_default();
            }
            self.out.extend_from_slice(own.get(..size).unwrap_or_default());
            // Bits behind the rows that are asked for took values that nobody needs any more.
            row += size;
        }
    }
}

/// The bits of one list, one behind the other, at the places of another.
struct Deposit<'a> {
    places: &'a [u64],
    found: &'a [u64],
    lead: u32,
    out: &'a mut [u64],
}

impl Kernel for Deposit<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let (mut at, mut filled) = (0usize, self.lead % 64);
        let word = |at: usize| self.found.get(at).copied().unwrap_or(0);
        for (known, out) in self.places.iter().zip(self.out) {
            let count = known.count_ones();
            // The next bits; in two steps, for a shift of 64 is none.
            let bits = word(at) >> filled | word(at + 1) << 1 << (63 - filled);
            filled += count;
            (at, filled) = (at + (filled / 64) as usize, filled % 64);
            *out = cpu.deposit(bits, *known);
        }
    }
}

/// The bits of the rows whose value has its bit set in `found`, where so many bits, less than 64,
/// are of others.
pub(crate) fn deposit(words: &[u64], found: &[u64], lead: u32) -> Vec<u64> {
    let mut out = vec![0; words.len()];
    run(Deposit { places: words, found, lead, out: &mut out });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_to_their_rows() {
        let mixed = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
        for (seed, share) in [(1u64, 1), (2, 3), (3, 9), (4, 40)] {
            let is_known = |row: u64| mixed(row * 8 + seed) % 40 < share;
            let rows = 700u64;
            let mut words = vec![0u64; 11];
            let (mut values, mut expected, mut hits) = (Vec::new(), Vec::new(), vec![0u64; 11]);
            let mut kept = vec![0u64; 11];
            for row in 0..rows {
                if is_known(row) {
                    let place = values.len();
                    values.push(i64::try_from(row).unwrap_or(0) + 1_000);
                    words[(row / 64) as usize] |= 1 << (row % 64);
                    if mixed(row).is_multiple_of(3) {
                        kept[place / 64] |= 1 << (place % 64);
                        hits[(row / 64) as usize] |= 1 << (row % 64);
                    }
                }
                expected.push(values.last().copied());
            }
            assert_eq!(deposit(&words, &kept, 0), hits);
            for (from, to) in (0..700u32).step_by(13).flat_map(|from| {
                [from + 1, from + 2, from + 64, from + 130, 700].map(|to| (from, to.min(700)))
            }) {
                let (start, end) = span(&words, from, to);
                let mut out = Vec::new();
                let part = values.get(start as usize..=end as usize).unwrap_or_default();
                spread(&words, (from as usize, to as usize), part, &mut out);
                assert_eq!(out.len(), (to - from) as usize);
                for (row, found) in (from..to).zip(out) {
                    if is_known(row.into()) {
                        assert_eq!(Some(found), expected[row as usize], "{row} of {from} to {to}");
                        let place = at(&words, row) as usize;
                        assert_eq!(values.get(place).copied(), expected[row as usize]);
                    }
                }
            }
        }
    }
}
