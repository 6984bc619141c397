//! What is counted and added up over planes without making a number of any row.
//!
//! `rows` are the bits of the rows that count, one word for each of the words that are read.
//! Invariant: what is given is what the numbers of those rows give.
#![expect(
    clippy::indexing_slicing,
    reason = "nodes are numbered within what was allocated for their level"
)]

use std::ops::Range;

use super::planes::{Planes, Slice};
use crate::cpu::{Cpu, Kernel, run};
use crate::words;

/// Numbers of up to so many bits are told apart one by one.
pub(crate) const TOLD_BITS: usize = 8;
/// Words in which rows are told apart.
const NODE_WORDS: usize = 4_096;
/// Bytes of lists that are made into words where those are kept.
const LONG: usize = 640;
/// Words of rows that are told apart together, at most.
const CHUNK: usize = 512;

/// Rows that are told apart by their numbers, some words after the others.
struct Tree<'s, 'a> {
    /// Lowest bit first.
    slices: &'s [Slice<'a>],
    rows: &'s [u64],
}

/// Splits rows by a plane.
#[inline(always)]
fn split(rows: &[u64], own: Part<'_>, without: &mut [u64], with: &mut [u64]) {
    let both = rows.iter().zip(own.0).zip(without.iter_mut().zip(with));
    for ((rows, own_word), (without, with)) in both {
        *with = rows & (u64::from_le_bytes(*own_word) ^ own.1);
        *without = rows & !(u64::from_le_bytes(*own_word) ^ own.1);
    }
}

/// Words of a plane, and what they are joined with.
type Part<'a> = (&'a [[u8; 8]], u64);

impl Tree<'_, '_> {
    /// Calls `leaf` for some words from a place on and each number without its lowest bit: with
    /// the place, the number, the rows that have it, and the plane of the lowest bits.
    #[inline(always)]
    fn each(&self, mut leaf: impl FnMut(usize, usize, &[u64], Part<'_>)) {
        let Some((last, above)) = self.slices.split_first() else { return };
        let stride = (NODE_WORDS >> above.len()).min(CHUNK);
        let mut nodes = [0u64; NODE_WORDS];
        for (at, rows) in (0..).step_by(stride).zip(self.rows.chunks(stride)) {
            let len = rows.len();
            if rows.iter().fold(0, |all, word| all | word) == 0 {
                continue;
            }
            nodes[..len].copy_from_slice(rows);
            // From the highest bit: a node becomes two, those without the bit before those with.
            let mut size = 1;
            for slice in above.iter().rev() {
                let own = slice.part(at, len);
                for node in (0..size).rev() {
                    let (before, with) = nodes.split_at_mut((2 * node + 1) * stride);
                    let with = &mut with[..len];
                    if node > 0 {
                        let (rows, without) = before.split_at_mut(2 * node * stride);
                        let rows = &rows[node * stride..][..len];
                        split(rows, own, &mut without[..len], with);
                    } else {
                        for ((rows, own_word), with) in before.iter_mut().zip(own.0).zip(with) {
                            let own_word = u64::from_le_bytes(*own_word) ^ own.1;
                            *with = *rows & own_word;
                            *rows &= !own_word;
                        }
                    }
                }
                size *= 2;
            }
            let own = last.part(at, len);
            for (number, rows) in nodes.chunks(stride).take(size).enumerate() {
                leaf(at, number, &rows[..len], own);
            }
        }
    }
}

/// How many rows have each number: two to the power of the planes.
struct Counts<'s, 'a> {
    tree: Tree<'s, 'a>,
    counts: &'s mut [u64],
}

impl Kernel for Counts<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) {
        let pairs = self.counts.as_chunks_mut::<2>().0;
        self.tree.each(
            #[inline(always)]
            |_, number, rows, own| {
                let (mut all, mut has) = (0u64, 0u64);
                for (rows, own_word) in rows.iter().zip(own.0) {
                    let with = rows & (u64::from_le_bytes(*own_word) ^ own.1);
                    has = has.wrapping_add(with.count_ones().into());
                    all = all.wrapping_add(rows.count_ones().into());
                }
                let [without, with] = &mut pairs[number];
                *with = with.wrapping_add(has);
                *without = without.wrapping_add(all.wrapping_sub(has));
            },
        );
    }
}

/// The rows of each number, one list of words behind the other.
struct Sets<'s, 'a> {
    tree: Tree<'s, 'a>,
    sets: &'s mut [u64],
}

impl Kernel for Sets<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) {
        let size = self.tree.rows.len();
        let sets = self.sets;
        self.tree.each(
            #[inline(always)]
            |at, number, rows, own| {
                let (before, with) = sets.split_at_mut((2 * number + 1) * size);
                let without = &mut before[2 * number * size + at..];
                split(rows, own, without, &mut with[at..]);
            },
        );
    }
}

/// The bits of a plane that are set in words, and how many.
struct Step<'s, 'a> {
    rows: &'s [u64],
    slice: &'s Slice<'a>,
    with: &'s mut [u64],
}

impl Kernel for Step<'_, '_> {
    type Out = u64;

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) -> u64 {
        let (own, flip) = self.slice.part(0, self.rows.len());
        let mut count = 0u64;
        for ((rows, own), with) in self.rows.iter().zip(own).zip(self.with) {
            *with = rows & (u64::from_le_bytes(*own) ^ flip);
            count = count.wrapping_add(with.count_ones().into());
        }
        count
    }
}

/// How many bits of words a plane has.
struct CountAnd<'s, 'a> {
    rows: &'s [u64],
    slice: &'s Slice<'a>,
}

impl Kernel for CountAnd<'_, '_> {
    type Out = u64;

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) -> u64 {
        self.slice.count_and(self.rows)
    }
}

/// How many of the rows have each number, by the number; `slices` are at most [`TOLD_BITS`].
pub(crate) fn counts(slices: &[Slice<'_>], rows: &[u64]) -> Vec<u64> {
    let mut counts = vec![0; 1 << slices.len().min(TOLD_BITS)];
    match slices {
        [] => counts.fill(words::count(rows)),
        _ => run(Counts { tree: Tree { slices, rows }, counts: &mut counts }),
    }
    counts
}

/// The rows that have each number, by the number: as many words for each as `rows` has.
pub(crate) fn sets(slices: &[Slice<'_>], rows: &[u64]) -> Vec<u64> {
    let mut sets = vec![0; rows.len() << slices.len().min(TOLD_BITS)];
    match slices {
        [] => sets.copy_from_slice(rows),
        _ => run(Sets { tree: Tree { slices, rows }, sets: &mut sets }),
    }
    sets
}

impl Planes<'_> {
    /// How many of the rows have a bit.
    pub(crate) fn count(&self, bit: usize, rows: &[u64], part: Range<usize>) -> Option<u64> {
        if bit >= self.bits() {
            return Some(0);
        }
        let (container, others) = self.plane(bit)?;
        if container.is_words() || self.keeps() && container.bytes.len() > LONG {
            let slice = self.slice(bit, part)?;
            return Some(run(CountAnd { rows, slice: &slice }));
        }
        let (mut count, first) = (0u64, part.start);
        container.each(part, |row| {
            let word = rows.get((row / 64) as usize - first).copied().unwrap_or(0);
            count += word >> (row % 64) & 1;
        })?;
        Some(if others { words::count(rows) - count } else { count })
    }

    /// Calls `visit` with the rows among others that have a bit, if its plane is a short list of
    /// them; false if it is not.
    pub(crate) fn each_light(
        &self,
        bit: usize,
        among: &[u64],
        part: Range<usize>,
        mut visit: impl FnMut(u32),
    ) -> Option<bool> {
        if bit >= self.bits() {
            return Some(true);
        }
        let (container, others) = self.plane(bit)?;
        if others || container.is_words() || container.bytes.len() > LONG {
            return Some(false);
        }
        let first = part.start;
        container.each(part, |row| {
            let word = among.get((row / 64) as usize - first).copied().unwrap_or(0);
            if word >> (row % 64) & 1 == 1 {
                visit(row);
            }
        })?;
        Some(true)
    }

    /// Writes the rows among others that have a bit.
    pub(crate) fn keep(
        &self,
        bit: usize,
        among: &[u64],
        part: Range<usize>,
        into: &mut [u64],
    ) -> Option<()> {
        let slice = self.slice(bit, part)?;
        run(Step { rows: among, slice: &slice, with: into });
        Some(())
    }

    /// How many of all rows of a range have a bit.
    pub(crate) fn count_in(&self, bit: usize, rows: Range<u32>) -> Option<u64> {
        if bit >= self.bits() {
            return Some(0);
        }
        let (container, others) = self.plane(bit)?;
        let count = container.rank(rows.end)?.checked_sub(container.rank(rows.start)?)?;
        let all = rows.end.saturating_sub(rows.start);
        Some(u64::from(if others { all.checked_sub(count)? } else { count }))
    }

    /// The sum of the numbers of the rows.
    pub(crate) fn sum(&self, rows: &[u64], part: Range<usize>) -> Option<u128> {
        let mut sum = 0u128;
        for bit in 0..self.bits() {
            sum += u128::from(self.count(bit, rows, part.clone())?) << bit;
        }
        Some(sum)
    }

    /// The number of the row that stands at place `rank` when the rows are sorted by theirs, the
    /// first at 0; none where there are not so many, or the planes do not read.
    pub(crate) fn nth(&self, rows: &[u64], part: Range<usize>, rank: u64) -> Option<u64> {
        let (mut held, mut rank) = (rows.to_vec(), rank);
        if words::count(rows) <= rank {
            return None;
        }
        let mut with = vec![0; held.len()];
        let (mut number, mut left) = (0, words::count(rows));
        for bit in (0..self.bits()).rev() {
            let slice = self.slice(bit, part.clone())?;
            let count = run(Step { rows: &held, slice: &slice, with: &mut with });
            let without = left - count;
            if rank < without {
                words::and_not(&mut held, &with);
                left = without;
            } else {
                number |= 1 << bit;
                rank -= without;
                left = count;
                std::mem::swap(&mut held, &mut with);
            }
        }
        Some(number)
    }

    /// The least and the greatest number of the rows, of which there is at least one; none where
    /// there is not, or the planes do not read.
    pub(crate) fn ends(&self, rows: &[u64], part: Range<usize>) -> Option<(u64, u64)> {
        let last = words::count(rows).checked_sub(1)?;
        Some((self.nth(rows, part.clone(), 0)?, self.nth(rows, part, last)?))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    #![expect(clippy::cast_possible_truncation, reason = "small numbers")]

    use super::super::planes::{transposed, write};
    use super::*;
    use crate::cpu::at_each_level;

    fn mixed(number: u64) -> u64 {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(11)
    }

    fn check(numbers: &[u64], bits: u8) {
        let rows = numbers.len();
        let size = rows.div_ceil(64);
        let mut known = vec![u64::MAX; size];
        super::super::container::trim(&mut known, rows as u32);
        let frame = write(transposed(numbers, &known, bits), rows as u32, &known);
        let planes = Planes::new(&frame, bits, rows as u32).unwrap();
        for (salt, part) in [(1, 0..size), (2, size / 3..size / 2), (3, size - 1..size)] {
            for sparse in [false, true] {
                let word = |at: usize| {
                    let own = mixed(at as u64 * 3 + salt) & known[at];
                    if sparse && !at.is_multiple_of(9) { 0 } else { own }
                };
                let asked: Vec<u64> = part.clone().map(word).collect();
                let start = part.start * 64;
                let mut own: Vec<(usize, u64)> = (start..rows.min(part.end * 64))
                    .filter(|row| asked[row / 64 - part.start] >> (row % 64) & 1 == 1)
                    .map(|row| (row, numbers[row]))
                    .collect();
                let what = format!("{bits} bits, words {part:?} of {size}, {sparse}");
                let sum: u128 = own.iter().map(|(_, number)| u128::from(*number)).sum();
                assert_eq!(planes.sum(&asked, part.clone()), Some(sum), "{what}");
                if usize::from(bits) <= TOLD_BITS {
                    let slices = planes.slices(&part).unwrap();
                    let (counts, sets) = (counts(&slices, &asked), sets(&slices, &asked));
                    assert_eq!(counts.len(), 1 << bits);
                    for (number, count) in (0u64..).zip(&counts) {
                        let expected = own.iter().filter(|(_, own)| *own == number).count();
                        assert_eq!(*count, expected as u64, "{number}, {what}");
                        let set = &sets[number as usize * asked.len()..][..asked.len()];
                        assert_eq!(words::count(set), *count, "{number}, {what}");
                    }
                    for (row, number) in &own {
                        let word = sets[*number as usize * asked.len() + row / 64 - part.start];
                        assert_eq!(word >> (row % 64) & 1, 1, "row {row}, {what}");
                    }
                }
                own.sort_by_key(|(_, number)| *number);
                for rank in [0, own.len() / 2, own.len() - own.len().min(1), own.len()] {
                    let expected = own.get(rank).map(|(_, number)| *number);
                    let found = planes.nth(&asked, part.clone(), rank as u64);
                    assert_eq!(found, expected, "place {rank}, {what}");
                }
                let ends = own.first().zip(own.last()).map(|(a, b)| (a.1, b.1));
                assert_eq!(planes.ends(&asked, part.clone()), ends, "{what}");
            }
        }
    }

    #[test]
    fn planes_are_counted_as_number_by_number() {
        at_each_level(|_| {
            for bits in [1u8, 2, 4, 6, 8, 9, 21, 64] {
                let top = u64::MAX >> (64 - bits);
                for rows in [1u64, 63, 64, 65, 1_000, 3_000] {
                    let numbers: Vec<u64> = (0..rows).map(|row| mixed(row) & top).collect();
                    check(&numbers, bits);
                    let seldom = |row: u64| if row % 50 == 7 { mixed(row) & top } else { top / 3 };
                    check(&(0..rows).map(seldom).collect::<Vec<_>>(), bits);
                }
            }
        });
    }
}
