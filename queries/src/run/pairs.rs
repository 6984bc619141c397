//! Dense numbers of pairs of numbers: two keys of a group as one.

use std::collections::HashMap;

use yiku::RowSet;

use super::scan::each_row;

/// Pairs up to this many are numbered in an array.
const PAIRS: u64 = 1 << 22;
/// Pairs up to this many are marked first and numbered afterwards.
const MARKED: usize = 1 << 16;

/// The pairs that were met, each with a number from 0.
pub(super) struct Numbers {
    pub(super) met: Vec<(u32, u32)>,
    first: usize,
    second: usize,
    array: Vec<u32>,
    table: HashMap<(u32, u32), u32>,
}

impl Numbers {
    /// Numbers of pairs whose parts are below `first` and `second`.
    pub(super) fn new(first: usize, second: usize) -> Self {
        let pairs = (first as u64).saturating_mul(second as u64);
        let size = if pairs <= PAIRS { first * second } else { 0 };
        let array = vec![u32::MAX; size];
        Self { met: Vec::new(), first, second, array, table: HashMap::new() }
    }

    /// The number of a pair, new or old.
    pub(super) fn of(&mut self, x: u32, y: u32) -> u32 {
        let next = u32::try_from(self.met.len()).unwrap_or(u32::MAX);
        let number = match self.array.get_mut(x as usize * self.second + y as usize) {
            Some(slot) => {
                if *slot == u32::MAX {
                    *slot = next;
                }
                *slot
            }
            None => *self.table.entry((x, y)).or_insert(next),
        };
        if number == next {
            self.met.push((x, y));
        }
        number
    }

    /// The numbers of the pairs of some rows, whose parts stand from row `start` on. What stands
    /// where no row was asked is any number.
    pub(super) fn of_rows(
        &mut self,
        mut x: Vec<u32>,
        y: &[u32],
        start: u32,
        rows: &RowSet,
    ) -> Vec<u32> {
        if self.array.is_empty() || self.array.len() > MARKED {
            each_row(rows, |row| {
                let at = row.wrapping_sub(start) as usize;
                if let (Some(x), Some(y)) = (x.get_mut(at), y.get(at)) {
                    *x = self.of(*x, *y);
                }
            });
            return x;
        }
        // Without a look at what was met before, the pairs are one pass that needs no memory.
        let second = u32::try_from(self.second).unwrap_or(u32::MAX);
        x.iter_mut().zip(y).for_each(|(x, y)| *x = x.wrapping_mul(second).wrapping_add(*y));
        let mut marks = vec![false; self.array.len()];
        each_row(rows, |row| {
            let pair = x.get(row.wrapping_sub(start) as usize);
            if let Some(mark) = pair.and_then(|pair| marks.get_mut(*pair as usize)) {
                *mark = true;
            }
        });
        let pairs = (0u32..).take(self.first).flat_map(|x| (0..second).map(move |y| (x, y)));
        for ((x, y), _) in pairs.zip(&marks).filter(|(_, met)| **met) {
            self.of(x, y);
        }
        if self.met.len() < self.array.len() {
            for pair in &mut x {
                *pair = self.array.get(*pair as usize).copied().unwrap_or(0);
            }
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_numbered_alike_however_many_there_could_be() {
        let rows = RowSet::range(100, 10..90);
        let x: Vec<u32> = (0..100).map(|row| row / 7 % 5).collect();
        let y: Vec<u32> = (0..100).map(|row| row * row % 11).collect();
        let pairs = |first: usize, second: usize| -> Vec<(u32, u32)> {
            let mut numbers = Numbers::new(first, second);
            let found = numbers.of_rows(x.clone(), &y, 0, &rows);
            let of = |row: usize| numbers.met.get(*found.get(row)? as usize).copied();
            (10..90).filter_map(of).collect()
        };
        let expected: Vec<(u32, u32)> = x.iter().copied().zip(y.iter().copied()).collect();
        // Marked first, in the array, in the table.
        for (first, second) in [(5, 11), (1 << 9, 1 << 9), (1 << 20, 1 << 20)] {
            assert_eq!(Some(pairs(first, second).as_slice()), expected.get(10..90), "{first}");
        }
    }
}
