//! Of a few rows those above them: found by counting the ends before a row in its word.
//!
//! Invariant: what is found is what a search through the offsets finds.
#![expect(clippy::cast_possible_truncation, reason = "rows of a table fit u32")]

use crate::cpu::{Cpu, Kernel, run};
use crate::lift::Ends;
use crate::row_set::RowSet;

/// For every 64 rows beneath others the row above the first of them.
#[derive(Debug)]
pub(crate) struct Parents(Vec<u32>);

impl Parents {
    /// From where the rows beneath each row above begin, and where the last of them ends.
    pub(crate) fn new(offsets: &[u32]) -> Self {
        let rows = offsets.last().copied().unwrap_or(0);
        let mut above = 0usize;
        let firsts = (0..rows).step_by(64).map(|row| {
            while offsets.get(above + 1).is_some_and(|end| *end <= row) {
                above += 1;
            }
            above as u32
        });
        Self(firsts.collect())
    }

    /// Calls `visit` with the row above every row of a set, and that row, in rising order.
    #[inline(always)]
    pub(crate) fn each(
        &self,
        offsets: &[u32],
        ends: &Ends,
        rows: &RowSet,
        mut visit: impl FnMut(u32, u32),
    ) {
        let bits = rows.bits();
        let first = (bits.first / 64) as usize;
        for (at, word) in (first..).zip(bits.words).filter(|(_, word)| **word != 0) {
            let start = self.0.get(at).copied().unwrap_or(u32::MAX);
            let (own, mut rest) = (ends.word(at), *word);
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                let before = own & ((1u64 << bit) - 1);
                let mut above = start.saturating_add(before.count_ones());
                let row = at as u32 * 64 + bit;
                if !ends.all_filled() {
                    while offsets.get(above as usize + 1).is_some_and(|end| *end <= row) {
                        above += 1;
                    }
                }
                visit(above, row);
            }
        }
    }

    /// Adds the rows above those of a set.
    pub(crate) fn lift(&self, offsets: &[u32], ends: &Ends, rows: &RowSet, found: &mut RowSet) {
        let window = found.window();
        let first = window.start - window.start % 64;
        run(Lifted { parents: self, offsets, ends, rows, first, words: found.words_mut() });
        found.trim();
    }
}

/// The rows above some rows, as words from that of the row `first` on.
struct Lifted<'a> {
    parents: &'a Parents,
    offsets: &'a [u32],
    ends: &'a Ends,
    rows: &'a RowSet,
    first: u32,
    words: &'a mut [u64],
}

impl Kernel for Lifted<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) {
        let Self { parents, offsets, ends, rows, first, words } = self;
        parents.each(offsets, ends, rows, |above, _| {
            let at = above.wrapping_sub(first);
            if let Some(word) = words.get_mut((at / 64) as usize) {
                *word |= 1 << (at % 64);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_beneath_the_row_that_a_search_finds() {
        for (salt, empty) in [(1u32, false), (2, true), (3, true)] {
            let (mut offsets, mut next) = (vec![0u32], 0u32);
            for above in 0..900u32 {
                let size = above.wrapping_mul(2_654_435_761).rotate_left(salt) % 5;
                next += if empty { size } else { size + 1 };
                offsets.push(next);
            }
            let (ends, parents) = (Ends::new(&offsets), Parents::new(&offsets));
            for step in [1usize, 7, 40] {
                for window in [0..next, 100..next - 70, 64..65] {
                    let (mut rows, mut expected) =
                        (RowSet::none_in(window.clone()), RowSet::none(900));
                    for row in window.clone().step_by(step) {
                        rows.insert(row);
                        let above = offsets.partition_point(|start| *start <= row) - 1;
                        expected.insert(u32::try_from(above).unwrap_or(u32::MAX));
                    }
                    let mut found = RowSet::none(900);
                    parents.lift(&offsets, &ends, &rows, &mut found);
                    assert_eq!(found, expected, "{salt}, {window:?} by {step}");
                }
            }
        }
    }
}
