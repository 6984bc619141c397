//! A piece of a segment whose groups are runs of rows: what is asked of a run as a whole.
//!
//! Invariant: what is given is what a look at every row gives; where a run cannot be asked as a
//! whole nothing is given, and the rows are looked at.

use std::ops::Range;

use yiku::RowSet;

use super::aggregate::Column;
use super::keys::Assignment;
use super::scan::{Scan, bounds};
use crate::bound::{Condition, Term, Test, Value};
use crate::check::{Aggregate, Combine};
use crate::error::Result;

/// Runs of a piece up to so many are asked one by one: more are quicker row by row.
const RUNS: usize = 24;

/// Runs up to so many have their codes counted one by one: more are quicker from one set.
const FEW_RUNS: usize = 3;

impl Scan<'_> {
    /// How many rows of `above` are behind the rows of a set in each group (the group of each run
    /// by its number in `coarser`); none where runs end amid the rows beneath a row.
    pub(super) fn distinct_in_runs(
        &self,
        slices: &[(Range<u32>, u32)],
        rows: &RowSet,
        (table, above): (usize, usize),
        (coarser, size): (&[u32], usize),
    ) -> Result<Option<Vec<u64>>> {
        if let [(range, group)] = slices {
            let span = bounds(rows);
            if range.start <= span.start.max(rows.window().start) && span.end <= range.end {
                // All rows are of one group, wherever they begin.
                let mut counts = vec![0u64; size];
                let group = coarser.get(*group as usize).copied().unwrap_or(u32::MAX);
                if let Some(count) = counts.get_mut(group as usize) {
                    *count = self.lift_some(rows, table, above)?.count();
                }
                return Ok(Some(counts));
            }
        }
        let offsets = self.offsets(above, table)?;
        let mut own: Vec<(Range<u32>, u32)> = Vec::with_capacity(slices.len());
        let mut before: Option<u32> = None;
        for (range, group) in slices {
            let start = offsets.partition_point(|start| *start <= range.start).saturating_sub(1);
            let end = offsets.partition_point(|start| *start < range.end);
            // What lies between this run and the one before belongs to neither, so that a row
            // above that both meet is counted in both.
            let Ok(start) = u32::try_from(start) else { return Ok(None) };
            if before.is_some_and(|before| start < before) {
                return Ok(None);
            }
            let end = u32::try_from(end).unwrap_or(u32::MAX).max(start);
            before = Some(end);
            own.push((start..end, *group));
        }
        let found = self.lift_some(rows, table, above)?;
        let mut counts = vec![0u64; size];
        for (range, group) in own {
            let group = coarser.get(group as usize).copied().unwrap_or(u32::MAX);
            if let Some(count) = counts.get_mut(group as usize) {
                *count += found.count_range(range);
            }
        }
        Ok(Some(counts))
    }

    /// Counts of the rows of runs that have a code; none where an aggregate counts something else.
    pub(super) fn counted_in_runs(
        &self,
        aggregate: &Aggregate,
        rows: &RowSet,
        (assignment, size): (&Assignment, usize),
    ) -> Result<Option<Column>> {
        let Some(Condition { kind, table, .. }) = &aggregate.condition else { return Ok(None) };
        let Test::Column { column, predicate } = kind else { return Ok(None) };
        let counts = aggregate.combine == Combine::Count && aggregate.argument.is_none();
        let Assignment::Slices(slices) = assignment else { return Ok(None) };
        let plain = !self.limits.indexes || self.within.probe.is_some();
        if !counts || plain || slices.len() > FEW_RUNS {
            return Ok(None);
        }
        let read = self.segment.column(*table, *column)?;
        let mut found = vec![0u64; size];
        for (range, group) in slices {
            let part;
            let own = match slices.as_slice() {
                // One run has all rows there are.
                [_] => rows,
                _ => {
                    part = rows.within(range.clone());
                    &part
                }
            };
            let Some(count) = read.count_of(predicate, own)? else { return Ok(None) };
            if let Some(slot) = found.get_mut(*group as usize) {
                *slot += count;
            }
        }
        Ok(Some(Column::Counts(found)))
    }

    /// A sum of a column that is added up in the form that it is written in; none where there are
    /// many runs, or the argument is no column of the table.
    pub(super) fn summed(
        &self,
        aggregate: &Aggregate,
        argument: &Value,
        rows: &RowSet,
        (assignment, size): (&Assignment, usize),
    ) -> Result<Option<Column>> {
        let exact = matches!(
            aggregate.combine,
            Combine::Sum { float: false } | Combine::Average { float: false, .. }
        );
        let Term::Column(column) = &argument.kind else { return Ok(None) };
        if !exact || !self.limits.indexes || self.within.probe.is_some() {
            return Ok(None);
        }
        let Some(sets) = assignment.ranges() else { return Ok(None) };
        if sets.iter().map(|(_, slices)| slices.len()).sum::<usize>() > RUNS {
            return Ok(None);
        }
        let read = self.segment.column(argument.table, *column)?;
        let mut sums = vec![(0i128, 0u64); size];
        for (set, slices) in sets {
            let both = set.map(|set| {
                let mut both = rows.clone();
                both.and(set);
                both
            });
            let own = both.as_ref().unwrap_or(rows);
            for (range, group) in slices {
                let (count, sum) = read.sum_of(&own.within(range.clone()))?;
                if let Some(slot) = sums.get_mut(*group as usize) {
                    slot.0 += sum;
                    slot.1 += count;
                }
            }
        }
        Ok(Some(Column::Sums(sums)))
    }
}
