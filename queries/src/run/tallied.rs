//! A piece of a segment: the aggregates of its groups.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use yiku::RowSet;

use super::aggregate::Column;
use super::keys::{Assignment, Groups};
use super::partition::Shared;
use super::scan::Scan;
use crate::check::{Aggregate, Combine};
use crate::error::Result;
use crate::explain::probe::About;

impl Scan<'_> {
    /// The rows of the question that an aggregate is about.
    fn counted<'r>(&self, aggregate: &Aggregate, rows: &'r RowSet) -> Result<Cow<'r, RowSet>> {
        Ok(match &aggregate.condition {
            Some(condition) => Cow::Owned(self.rows(condition, true, rows)?),
            None => Cow::Borrowed(rows),
        })
    }

    /// One aggregate of every group of the segment.
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        table: usize,
        rows: &RowSet,
        groups: &Groups,
    ) -> Result<Column> {
        let into = (&groups.assignment, groups.keys.len());
        if let Some(counts) = self.counted_in_runs(aggregate, rows, into)? {
            return Ok(counts);
        }
        let open = self.within.open(About::Aggregate, aggregate);
        let asked = rows;
        let rows = self.counted(aggregate, rows)?;
        if let Some(open) = &open {
            open.rows(asked.count(), rows.count());
        }
        let mut column = Column::new(aggregate.combine, groups.keys.len());
        if let Combine::DistinctTexts { table: home, column: text } = aggregate.combine {
            if let Column::Texts(sets) = &mut column {
                self.distinct_texts(sets, (home, text), table, &rows, groups)?;
            }
            return Ok(column);
        }
        let Some(argument) = &aggregate.argument else {
            if let Column::Counts(counts) = &mut column {
                count(counts, &groups.assignment, &rows);
            }
            return Ok(column);
        };
        if let Some(sums) = self.summed(aggregate, argument, &rows, into)? {
            return Ok(sums);
        }
        if let Some(column) = self.of_known(aggregate, argument, &rows, into)? {
            return Ok(column);
        }
        let value = self.value(argument, &rows)?;
        column.take(&value, &groups.assignment);
        Ok(column)
    }

    /// Different rows of `above` behind the rows of every coarser group: each is counted where
    /// it is first met, for the rows beneath it stand together.
    pub(super) fn distinct_rows(
        &self,
        aggregate: &Aggregate,
        tables: (usize, usize),
        rows: &RowSet,
        groups: &Groups,
        coarser: (&[u32], usize),
    ) -> Result<Column> {
        let (table, above) = tables;
        let (coarser, size) = coarser;
        let open = self.within.open(About::Aggregate, aggregate);
        let asked = rows;
        let rows = self.counted(aggregate, rows)?;
        // Totals ask the same rows again.
        if let Some(open) = open.as_ref().filter(|_| size >= groups.keys.len()) {
            open.rows(asked.count(), rows.count());
        }
        let mut counts = vec![0u64; size];
        if let Assignment::Sets(sets) = &groups.assignment {
            let mut own: Vec<(u32, Range<u32>, RowSet)> = Vec::new();
            for shared in sets {
                let mut set = shared.rows.clone();
                set.and(&rows);
                for (range, group) in &shared.slices {
                    let group = coarser.get(*group as usize).copied().unwrap_or(u32::MAX);
                    own.push((group, range.clone(), set.within(range.clone())));
                }
            }
            own.sort_by_key(|(group, ..)| *group);
            for same in own.chunk_by(|(a, ..), (b, ..)| a == b) {
                let starts = same.iter().map(|(_, range, _)| range.start);
                let ends = same.iter().map(|(_, range, _)| range.end);
                let (Some(start), Some(end)) = (starts.min(), ends.max()) else { continue };
                let mut union = RowSet::none_in(start..end);
                same.iter().for_each(|(_, _, set)| union.add(set));
                let group = same.first().map_or(u32::MAX, |(group, ..)| *group);
                if let Some(count) = counts.get_mut(group as usize) {
                    *count = self.lift_some(&union, table, above)?.count();
                }
            }
            return Ok(Column::Counts(counts));
        }
        if let Assignment::Slices(slices) = &groups.assignment
            && self.limits.indexes
            && let Some(counts) =
                self.distinct_in_runs(slices, &rows, (table, above), (coarser, size))?
        {
            return Ok(Column::Counts(counts));
        }
        let offsets = self.offsets(above, table)?;
        let mut last = vec![u32::MAX; size];
        let mut at = first_above(offsets, &rows);
        groups.assignment.visit(&rows, &mut |row, group| {
            while offsets.get(at as usize + 1).is_some_and(|end| *end <= row) {
                at += 1;
            }
            let group = coarser.get(group as usize).copied().unwrap_or(u32::MAX) as usize;
            if let (Some(seen), Some(count)) = (last.get_mut(group), counts.get_mut(group))
                && *seen != at
            {
                *seen = at;
                *count += 1;
            }
        });
        Ok(Column::Counts(counts))
    }

    fn distinct_texts(
        &self,
        sets: &mut [HashSet<String>],
        text: (usize, usize),
        table: usize,
        rows: &RowSet,
        groups: &Groups,
    ) -> Result<()> {
        let (home, text) = text;
        let above = self.lift(rows, table, home)?;
        let span = super::scan::bounds(&above);
        let mut values: Vec<Option<String>> = Vec::with_capacity(span.len());
        let column = self.segment.column(home, text)?;
        column.texts(span.clone(), &mut |_, text| values.push(text.map(str::to_owned)))?;
        let (own, mut at) = (home == table, 0);
        let offsets = if own { None } else { Some(self.offsets(home, table)?) };
        groups.assignment.visit(rows, &mut |row, group| {
            let place = match offsets {
                None => row,
                Some(offsets) => {
                    // The rows of the next group may stand before those of the last one.
                    if offsets.get(at as usize).is_none_or(|start| *start > row) {
                        at = row_above(offsets, row);
                    }
                    while offsets.get(at as usize + 1).is_some_and(|end| *end <= row) {
                        at += 1;
                    }
                    at
                }
            };
            let value = values.get(place.wrapping_sub(span.start) as usize);
            if let (Some(Some(value)), Some(set)) = (value, sets.get_mut(group as usize))
                && !set.contains(value)
            {
                set.insert(value.clone());
            }
        });
        Ok(())
    }
}

/// The row above the first row of a set.
fn first_above(offsets: &[u32], rows: &RowSet) -> u32 {
    row_above(offsets, super::scan::bounds(rows).start)
}

/// The row above a row.
fn row_above(offsets: &[u32], row: u32) -> u32 {
    let place = offsets.partition_point(|start| *start <= row).saturating_sub(1);
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// How many rows of the set each group has: ranges by counting bits.
fn count(counts: &mut [u64], assignment: &Assignment, rows: &RowSet) {
    match assignment {
        Assignment::Slices(slices) => {
            for (range, group) in slices {
                if let Some(count) = counts.get_mut(*group as usize) {
                    *count += rows.count_range(range.clone());
                }
            }
        }
        Assignment::Sets(sets) => {
            for Shared { rows: own, slices } in sets {
                if let [(_, group)] = slices.as_slice() {
                    if let Some(count) = counts.get_mut(*group as usize) {
                        *count += own.count_and(rows);
                    }
                    continue;
                }
                let mut own = own.clone();
                own.and(rows);
                for (range, group) in slices {
                    if let Some(count) = counts.get_mut(*group as usize) {
                        *count += own.count_range(range.clone());
                    }
                }
            }
        }
        Assignment::Rows { groups, .. } if rows.count() == groups.len() as u64 => {
            count_all(counts, groups);
        }
        Assignment::Valued(valued) if valued.counts(rows).is_some() => {
            let own = valued.counts(rows).unwrap_or_default();
            counts.iter_mut().zip(own).for_each(|(count, own)| *count += own);
        }
        Assignment::Rows { .. } | Assignment::Valued(_) => {
            assignment.visit(rows, &mut |_, group| {
                if let Some(count) = counts.get_mut(group as usize) {
                    *count += 1;
                }
            })
        }
    }
}

/// Groups that are counted in several tables at once.
const LANES: usize = 4;

/// Counts every row. Neighbours are counted in different tables: in one, a row would wait for the
/// row before it wherever both are of the same group.
fn count_all(counts: &mut [u64], groups: &[u32]) {
    let mut tables = vec![[0u32; LANES]; counts.len()];
    for chunk in groups.chunks(LANES) {
        for (lane, group) in chunk.iter().enumerate() {
            let slot = tables.get_mut(*group as usize).and_then(|table| table.get_mut(lane));
            if let Some(count) = slot {
                *count += 1;
            }
        }
    }
    for (count, table) in counts.iter_mut().zip(tables) {
        *count += table.iter().map(|lane| u64::from(*lane)).sum::<u64>();
    }
}
