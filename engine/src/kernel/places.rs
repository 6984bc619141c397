//! Groups by a level of the path: rows stand in the order of the path, so that each place is a
//! few ranges of rows and no row has to be looked at.

use std::ops::Range;

use super::numbers::{Total, small_sum, sums_fit};
use super::piece::{Reader, each_bit};
use super::{Block, Rows, bytes_of};
use crate::error::{Error, Result};
use crate::limits::BLOCK_ROWS;
use crate::path::PathTree;
use crate::segment::Segment;

/// Stands for the places of levels above the one that is asked for.
const NOWHERE: u64 = u64::MAX;

/// The rows of one segment by place: where each run ends, and its place.
type Runs = Vec<(u32, u64)>;

/// The place of a level that holds a path, and the paths for which it is the same.
fn place(tree: &PathTree, path: i64, level: usize) -> (u64, Range<i64>) {
    let own = path..path.saturating_add(1);
    let Ok(code) = u64::try_from(path) else { return (NOWHERE, own) };
    let found = tree.ancestor(code, level);
    // Only a code without digits beneath the level can be of a level above it.
    if found == code {
        let above = tree.get(code).is_some_and(|node| usize::from(node.level) < level);
        return (if above { NOWHERE } else { found }, own);
    }
    let digits = |level: usize| tree.levels().get(level).map_or(0, |l| u32::from(l.digits));
    let lowest = tree.levels().len().saturating_sub(1);
    let unit = 10u64.saturating_pow(digits(lowest).saturating_sub(digits(level)));
    let end = i64::try_from(found.saturating_add(unit)).unwrap_or(i64::MAX);
    (found, path..end)
}

/// Root rows walked run by run.
struct Walk<'a> {
    segment: &'a Segment,
    tree: &'a PathTree,
    level: usize,
    path: usize,
    runs: Runs,
}

impl Walk<'_> {
    fn push(&mut self, end: u32, place: u64) {
        match self.runs.last_mut() {
            Some(last) if last.1 == place => last.0 = end,
            _ => self.runs.push((end, place)),
        }
    }

    /// Walks a block of root rows; `paths` is where it may be decoded to.
    fn block(&mut self, block: u32, paths: &mut Vec<i64>) -> Result<()> {
        let column = self.segment.column(0, self.path)?;
        let Some(zone) = column.zone_maps().nth(block as usize) else { return Ok(()) };
        let mut row = block.saturating_mul(BLOCK_ROWS);
        let end = row.saturating_add(zone.rows);
        let (found, same) = place(self.tree, zone.min, self.level);
        if same.contains(&zone.max) {
            self.push(end, found);
            return Ok(());
        }
        paths.clear();
        column.integers(row..end, paths)?;
        let mut rest = paths.as_slice();
        while let Some(path) = rest.first() {
            let (found, same) = place(self.tree, *path, self.level);
            let size = rest.partition_point(|path| *path < same.end).max(1);
            row = row.saturating_add(u32::try_from(size).unwrap_or(u32::MAX)).min(end);
            self.push(row, found);
            rest = rest.get(size..).unwrap_or_default();
        }
        Ok(())
    }
}

impl Rows<'_> {
    /// How many rows there are in each place of a level of the path that has any, by the code of
    /// the place at full width; last and without a code, those that lie in a place of a level
    /// above. With a column of integers of the table, the sum of each as well.
    ///
    /// # Errors
    /// [`Error::Limit`] on a level that the path does not have, [`Error::WrongType`] on a sum of
    /// texts, [`Error::UnknownColumn`], [`Error::Corrupt`], [`Error::Stopped`],
    /// [`Error::Memory`].
    pub fn by_place(&self, level: usize, sum: Option<usize>) -> Result<Vec<(Option<u64>, Total)>> {
        sum.map_or(Ok(()), |sum| self.is_number(sum))?;
        let levels = self.snapshot.tree().levels().len();
        if level >= levels {
            let (found, limit) = (level as u64, levels.saturating_sub(1) as u64);
            return Err(Error::Limit { what: "the level of the path", found, limit });
        }
        let mut held = Vec::new();
        let (mut places, runs) = self.runs(level, &mut held)?;
        let blocks = self.blocks();
        let workers = self.run.workers(blocks.len()) as u64;
        let bytes = bytes_of::<Total>(places.len()).saturating_mul(workers.saturating_add(2));
        held.push(self.run.hold(bytes)?);
        let state = || Ok((vec![Total::default(); places.len()], Reader::<1>::default()));
        let states = self.run.over(blocks.len(), state, |(totals, reader), item| {
            let Some(&(place, block)) = blocks.get(item) else { return Ok(()) };
            let words = self.words((place, block));
            let runs = runs.get(place).map_or(&[][..], Vec::as_slice);
            let first = block.saturating_mul(BLOCK_ROWS);
            let at = runs.partition_point(|(end, _)| *end <= first);
            let runs = runs.get(at..).unwrap_or_default();
            each_run(words, first, runs, |number, count| {
                if let Some(total) = totals.get_mut(number) {
                    total.rows += count;
                }
            });
            let Some(sum) = sum else { return Ok(()) };
            self.add_runs(reader, (place, block), sum, runs, |number, known, sum| {
                if let Some(total) = totals.get_mut(number) {
                    total.known += known;
                    total.sum += sum;
                }
            })
        })?;
        let mut totals = vec![Total::default(); places.len()];
        for (own, _) in &states {
            totals.iter_mut().zip(own).for_each(|(total, own)| total.merge(own));
        }
        let code = |place: u64| (place != NOWHERE).then_some(place);
        let found = places.drain(..).map(code).zip(totals);
        Ok(found.filter(|(_, total)| total.rows > 0).collect())
    }

    /// Calls `visit` with the number of a run, and how many values of a column are known in a part
    /// of it and their sum.
    fn add_runs(
        &self,
        reader: &mut Reader<1>,
        at: Block,
        column: usize,
        runs: &[(u32, u64)],
        mut visit: impl FnMut(usize, u64, i128),
    ) -> Result<()> {
        let column = self.column(at.0, column)?;
        let zone = column.zone_maps().nth(at.1 as usize);
        let fits = zone.is_some_and(|zone| sums_fit(&zone));
        let mut runs = runs.iter().copied();
        let mut run = runs.next().unwrap_or((u32::MAX, u64::MAX));
        reader.each([column], at.1, self.words(at), |word| {
            let values = word.values[0];
            let bits = word.bits & word.known[0];
            while word.row >= run.0 {
                run = runs.next().unwrap_or((u32::MAX, u64::MAX));
            }
            let number = |run: (u32, u64)| usize::try_from(run.1).unwrap_or(usize::MAX);
            if fits && word.row.saturating_add(64) <= run.0 {
                let known = u64::from(bits.count_ones());
                visit(number(run), known, i128::from(small_sum(bits, values)));
                return;
            }
            each_bit(bits, |bit| {
                while word.row.saturating_add(bit) >= run.0 {
                    run = runs.next().unwrap_or((u32::MAX, u64::MAX));
                }
                let value = values.get(bit as usize).copied().unwrap_or(0);
                visit(number(run), 1, i128::from(value));
            });
        })
    }

    /// The places of all segments, sorted, and the runs of the table's rows in each segment, the
    /// place of a run as its number among the places.
    fn runs<'h>(
        &'h self,
        level: usize,
        held: &mut Vec<super::Held<'h>>,
    ) -> Result<(Vec<u64>, Vec<Runs>)> {
        let segments = self.segments();
        let (tree, path) = (self.snapshot.tree(), self.schema().path_column());
        let states = self.run.over(
            segments.len(),
            || Ok((Vec::new(), Vec::new())),
            |(found, held): &mut (Vec<(usize, Runs)>, Vec<_>), item| {
                let Some(segment) = segments.get(item) else { return Ok(()) };
                let mut walk = Walk { segment, tree, level, path, runs: Vec::new() };
                let mut paths = Vec::new();
                for block in 0..segment.rows(0).div_ceil(BLOCK_ROWS) {
                    self.run.check()?;
                    // As many as there may be more, before they are.
                    let before = walk.runs.len();
                    let more = self.run.hold(bytes_of::<(u32, u64)>(BLOCK_ROWS as usize))?;
                    walk.block(block, &mut paths)?;
                    drop(more);
                    held.push(self.run.hold(bytes_of::<(u32, u64)>(walk.runs.len() - before))?);
                }
                for (end, _) in &mut walk.runs {
                    *end = self.beneath(segment, *end)?;
                }
                found.push((item, walk.runs));
                Ok(())
            },
        )?;
        let mut runs = vec![Runs::new(); segments.len()];
        for (found, own) in states {
            held.extend(own);
            for (place, own) in found {
                if let Some(slot) = runs.get_mut(place) {
                    *slot = own;
                }
            }
        }
        let count = runs.iter().map(Vec::len).sum();
        held.push(self.run.hold(bytes_of::<u64>(count))?);
        let mut places: Vec<u64> = runs.iter().flatten().map(|(_, place)| *place).collect();
        places.sort_unstable();
        places.dedup();
        for (_, place) in runs.iter_mut().flatten() {
            *place = places.binary_search(place).map_or(u64::MAX, |number| number as u64);
        }
        Ok((places, runs))
    }

    /// Where the rows of the table beneath the root rows before `root` end.
    fn beneath(&self, segment: &Segment, root: u32) -> Result<u32> {
        let mut row = root;
        for step in self.descent(0, self.table)? {
            row = segment.offsets(step)?.get(row as usize).copied().unwrap_or(u32::MAX);
        }
        Ok(row)
    }
}

/// Calls `visit` with the number of each run that has rows in a block, and with how many.
fn each_run(words: &[u64], first: u32, runs: &[(u32, u64)], mut visit: impl FnMut(usize, u64)) {
    let len = u32::try_from(words.len() * 64).unwrap_or(u32::MAX);
    let mut from = 0u32;
    for (end, number) in runs {
        let to = end.saturating_sub(first).min(len);
        let count = count_range(words, from, to);
        if count > 0 {
            visit(usize::try_from(*number).unwrap_or(usize::MAX), count);
        }
        from = to;
        if from >= len {
            break;
        }
    }
}

/// How many bits from `from` to `to` are set.
fn count_range(words: &[u64], from: u32, to: u32) -> u64 {
    if from >= to {
        return 0;
    }
    let (low, high) = ((from / 64) as usize, ((to - 1) / 64) as usize);
    let (head, tail) = (u64::MAX << (from % 64), u64::MAX >> (63 - (to - 1) % 64));
    match words.get(low..=high) {
        Some([only]) => u64::from((only & head & tail).count_ones()),
        Some([first, between @ .., last]) => {
            let edges = (first & head).count_ones() + (last & tail).count_ones();
            u64::from(edges) + between.iter().map(|w| u64::from(w.count_ones())).sum::<u64>()
        }
        _ => 0,
    }
}
