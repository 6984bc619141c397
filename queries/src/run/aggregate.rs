//! Aggregates of groups, and how those of one segment join those of another.
//!
//! Invariant: partials of disjoint rows join to the partial of their union, in any order and any
//! split; sums of integers are kept in 128 bits, sums of floats exactly.

use std::collections::HashSet;
use std::ops::Range;

use yiku::RowSet;

use super::exact_sum::ExactSum;
use super::keys::{Assignment, Groups};
use super::partition::Shared;
use super::ranks::Lists;
use super::scan::Scan;
use super::statistic::{self, All, Bins, Figure, Moments};
use super::vector::{Values, Vector};
use crate::check::{Aggregate, Combine, Statistic};
use crate::error::Result;
use crate::explain::probe::About;

/// One aggregate of every group.
#[derive(Clone)]
pub(super) enum Column {
    Counts(Vec<u64>),
    Sums(Vec<(i128, u64)>),
    FloatSums(Vec<(ExactSum, u64)>),
    Extremes {
        least: bool,
        values: Vec<Option<i64>>,
    },
    FloatExtremes {
        least: bool,
        values: Vec<Option<f64>>,
    },
    Values(Vec<HashSet<i64>>),
    Texts(Vec<HashSet<String>>),
    Moments(Vec<Moments>),
    All(Vec<Lists<i64>>),
    AllFloat(Vec<Lists<f64>>),
    /// What was computed of all values: figures for each group, and of which statistics.
    Figures(Vec<(Statistic, f64)>, Vec<Vec<Option<Figure>>>),
    Bins {
        low: f64,
        high: f64,
        bins: usize,
        float: bool,
        counts: Vec<Vec<u64>>,
    },
}

/// A number that a measure computes with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Exact(i128),
    Float(f64),
}

impl Column {
    pub(super) fn new(combine: Combine, groups: usize) -> Self {
        match combine {
            Combine::Count | Combine::Left | Combine::DistinctRows(_) => {
                Self::Counts(vec![0; groups])
            }
            Combine::Sum { float: false } | Combine::Average { float: false, .. } => {
                Self::Sums(vec![(0, 0); groups])
            }
            Combine::Sum { float: true } | Combine::Average { float: true, .. } => {
                Self::FloatSums(vec![Default::default(); groups])
            }
            Combine::Least { float: false } => {
                Self::Extremes { least: true, values: vec![None; groups] }
            }
            Combine::Greatest { float: false } => {
                Self::Extremes { least: false, values: vec![None; groups] }
            }
            Combine::Least { float: true } => {
                Self::FloatExtremes { least: true, values: vec![None; groups] }
            }
            Combine::Greatest { float: true } => {
                Self::FloatExtremes { least: false, values: vec![None; groups] }
            }
            Combine::DistinctValues => Self::Values(vec![HashSet::new(); groups]),
            Combine::DistinctTexts { .. } => Self::Texts(vec![HashSet::new(); groups]),
            Combine::Moments => Self::Moments(vec![Moments::default(); groups]),
            Combine::All { float: false } => Self::All(vec![Vec::new(); groups]),
            Combine::All { float: true } => Self::AllFloat(vec![Vec::new(); groups]),
            Combine::Bins { low, high, bins, float } => {
                let bins = bins as usize;
                Self::Bins { low, high, bins, float, counts: vec![vec![0; bins]; groups] }
            }
        }
    }

    /// How many values its lists and sets hold.
    pub(super) fn listed(&self) -> usize {
        match self {
            Self::Values(v) => v.iter().map(HashSet::len).sum::<usize>(),
            Self::Texts(v) => v.iter().map(HashSet::len).sum::<usize>() * 2,
            Self::Moments(v) => v.len(),
            // A value of a list takes a quarter of what a cell is taken for.
            Self::All(v) => v.iter().flatten().map(Vec::len).sum::<usize>() / 4,
            Self::AllFloat(v) => v.iter().flatten().map(Vec::len).sum::<usize>() / 4,
            Self::Bins { counts, .. } => counts.iter().map(Vec::len).sum::<usize>() / 4,
            Self::Counts(_)
            | Self::Sums(_)
            | Self::FloatSums(_)
            | Self::Extremes { .. }
            | Self::FloatExtremes { .. }
            | Self::Figures(..) => 0,
        }
    }

    /// One group more, of no rows.
    pub(super) fn grow(&mut self) {
        match self {
            Self::Counts(v) => v.push(0),
            Self::Sums(v) => v.push((0, 0)),
            Self::FloatSums(v) => v.push(Default::default()),
            Self::Extremes { values, .. } => values.push(None),
            Self::FloatExtremes { values, .. } => values.push(None),
            Self::Values(v) => v.push(HashSet::new()),
            Self::Texts(v) => v.push(HashSet::new()),
            Self::Moments(v) => v.push(Moments::default()),
            Self::All(v) => v.push(Vec::new()),
            Self::AllFloat(v) => v.push(Vec::new()),
            Self::Figures(wanted, v) => v.push(vec![None; wanted.len()]),
            Self::Bins { counts, bins, .. } => counts.push(vec![0; *bins]),
        }
    }

    /// Adds the known values of the rows of every group.
    fn take(&mut self, value: &Vector<'_>, assignment: &Assignment) {
        let known = &value.known;
        match (self, assignment) {
            (Self::Sums(sums), _) => add_up(sums, value, assignment),
            (Self::FloatSums(sums), _) => each_slot(sums, assignment, known, |slot, row| {
                slot.0.add(value.float(row));
                slot.1 += 1;
            }),
            (Self::Extremes { least: true, values }, _) => {
                each_slot(values, assignment, known, |slot, row| {
                    meet(slot, value.exact(row), i64::min);
                });
            }
            (Self::Extremes { values, .. }, _) => {
                each_slot(values, assignment, known, |slot, row| {
                    meet(slot, value.exact(row), i64::max);
                });
            }
            (Self::FloatExtremes { least: true, values }, _) => {
                each_slot(values, assignment, known, |slot, row| {
                    meet(slot, value.float(row), f64::min);
                });
            }
            (Self::FloatExtremes { values, .. }, _) => {
                each_slot(values, assignment, known, |slot, row| {
                    meet(slot, value.float(row), f64::max);
                });
            }
            (Self::Values(sets), _) => each_slot(sets, assignment, known, |slot, row| {
                slot.insert(value.exact(row));
            }),
            (Self::Moments(sums), _) => each_slot(sums, assignment, known, |slot, row| {
                slot.add(value.exact(row));
            }),
            (Self::All(lists), _) => {
                if let Values::Exact(values) = &value.values {
                    listed(lists, (values, value.start), known, assignment);
                } else {
                    each_slot(lists, assignment, known, |slot, row| put(slot, value.exact(row)));
                }
            }
            (Self::AllFloat(lists), _) => {
                if let Values::Float(values) = &value.values {
                    listed(lists, (values, value.start), known, assignment);
                } else {
                    each_slot(lists, assignment, known, |slot, row| put(slot, value.float(row)));
                }
            }
            (Self::Bins { low, high, float, counts, bins }, _) => {
                let (ends, count) = ((*low, *high), u32::try_from(*bins).unwrap_or(0));
                let exact = Bins::new(ends, count);
                let float = *float;
                each_slot(counts, assignment, known, |slot, row| {
                    let place = if float {
                        statistic::float_bin(value.float(row), ends, count)
                    } else {
                        exact.of(value.exact(row))
                    };
                    if let Some(count) = place.and_then(|place| slot.get_mut(place)) {
                        *count = count.wrapping_add(1);
                    }
                });
            }
            (Self::Counts(_) | Self::Texts(_) | Self::Figures(..), _) => {}
        }
    }

    /// Joins group `from` of another column of the same kind to group `into`.
    /// Lists of values are taken out of the other.
    pub(super) fn join(&mut self, into: usize, other: &mut Self, from: usize) {
        match (self, other) {
            (Self::Counts(a), Self::Counts(b)) => pair(a, into, b, from, |a, b| *a += *b),
            (Self::Sums(a), Self::Sums(b)) => pair(a, into, b, from, |a, b| {
                a.0 += b.0;
                a.1 += b.1;
            }),
            (Self::FloatSums(a), Self::FloatSums(b)) => pair(a, into, b, from, |a, b| {
                a.0.merge(&b.0);
                a.1 += b.1;
            }),
            (Self::Extremes { least, values: a }, Self::Extremes { values: b, .. }) => {
                pair(a, into, b, from, |a, b| {
                    if let Some(b) = *b {
                        meet(a, b, |a, b| if *least { a.min(b) } else { a.max(b) });
                    }
                });
            }
            (Self::FloatExtremes { least, values: a }, Self::FloatExtremes { values: b, .. }) => {
                pair(a, into, b, from, |a, b| {
                    if let Some(b) = *b {
                        meet(a, b, |a, b| if *least { a.min(b) } else { a.max(b) });
                    }
                });
            }
            (Self::Values(a), Self::Values(b)) => {
                pair(a, into, b, from, |a, b| a.extend(b.iter().copied()));
            }
            (Self::Texts(a), Self::Texts(b)) => {
                pair(a, into, b, from, |a, b| a.extend(b.iter().cloned()));
            }
            (Self::Moments(a), Self::Moments(b)) => pair(a, into, b, from, |a, b| a.join(b)),
            (Self::All(a), Self::All(b)) => pair(a, into, b, from, |a, b| a.append(b)),
            (Self::AllFloat(a), Self::AllFloat(b)) => pair(a, into, b, from, |a, b| a.append(b)),
            (Self::Bins { counts: a, .. }, Self::Bins { counts: b, .. }) => {
                pair(a, into, b, from, |a, b| a.iter_mut().zip(b).for_each(|(a, b)| *a += *b));
            }
            _ => {}
        }
    }

    /// The aggregate of a group; unknown where no row had a value.
    pub(super) fn number(&self, combine: Combine, group: usize) -> Option<Number> {
        let size = |n: usize| Some(Number::Exact(n as i128));
        match (self, combine) {
            (Self::Counts(v), _) => v.get(group).map(|n| Number::Exact(i128::from(*n))),
            (Self::Sums(v), Combine::Average { over, .. }) => {
                let (sum, count) = v.get(group).filter(|(_, count)| *count > 0)?;
                Some(Number::Float(*sum as f64 / *count as f64 / over))
            }
            (Self::Sums(v), _) => v.get(group).map(|(sum, _)| Number::Exact(*sum)),
            (Self::FloatSums(v), Combine::Average { .. }) => {
                let (sum, count) = v.get(group).filter(|(_, count)| *count > 0)?;
                Some(Number::Float(sum.value() / *count as f64))
            }
            (Self::FloatSums(v), _) => v.get(group).map(|(sum, _)| Number::Float(sum.value())),
            (Self::Extremes { values, .. }, _) => {
                values.get(group).copied().flatten().map(|v| Number::Exact(i128::from(v)))
            }
            (Self::FloatExtremes { values, .. }, _) => {
                values.get(group).copied().flatten().map(Number::Float)
            }
            (Self::Values(v), _) => size(v.get(group)?.len()),
            (Self::Texts(v), _) => size(v.get(group)?.len()),
            (Self::Moments(_) | Self::All(_) | Self::AllFloat(_) | Self::Bins { .. }, _)
            | (Self::Figures(..), _) => None,
        }
    }

    /// A statistic of a group; unknown where it is not defined.
    pub(super) fn statistic(&self, kind: Statistic, group: usize, over: f64) -> Option<Figure> {
        match self {
            Self::Moments(v) => {
                let deviation = v.get(group)?.deviation()? / over;
                Some(Figure::One(Number::Float(deviation)))
            }
            Self::All(v) => one_statistic((kind, over), All::Exact(v.get(group)?)),
            Self::AllFloat(v) => one_statistic((kind, over), All::Float(v.get(group)?)),
            Self::Figures(wanted, v) => {
                let place = wanted.iter().position(|other| *other == (kind, over))?;
                v.get(group)?.get(place).cloned().flatten()
            }
            Self::Bins { counts, .. } => counts.get(group).cloned().map(Figure::Counts),
            _ => None,
        }
    }
}

/// One statistic of values.
fn one_statistic(wanted: (Statistic, f64), values: All<'_>) -> Option<Figure> {
    statistic::statistics(&[wanted], values).pop().flatten()
}

/// Adds a value to the last of some lists.
fn put<T>(lists: &mut Lists<T>, value: T) {
    match lists.last_mut() {
        Some(list) => list.push(value),
        None => lists.push(vec![value]),
    }
}

/// Adds the known values of the rows of every group; a group has at most one list before.
fn listed<T: Copy>(
    lists: &mut [Lists<T>],
    (values, start): (&[T], u32),
    known: &RowSet,
    assignment: &Assignment,
) {
    let value = |row: u32| values.get(row.wrapping_sub(start) as usize).copied();
    let Assignment::Slices(slices) = assignment else {
        return each_slot(lists, assignment, known, |slot, row| {
            if let Some(value) = value(row) {
                put(slot, value);
            }
        });
    };
    for (range, group) in slices {
        let Some(slot) = lists.get_mut(*group as usize) else { continue };
        let count = known.count_range(range.clone());
        if slot.is_empty() {
            slot.push(Vec::with_capacity(usize::try_from(count).unwrap_or(0)));
        }
        let Some(list) = slot.last_mut() else { continue };
        if count == u64::from(range.end - range.start) {
            let at = |row: u32| row.wrapping_sub(start) as usize;
            list.extend_from_slice(values.get(at(range.start)..at(range.end)).unwrap_or_default());
        } else {
            known.runs_in(range.clone()).for_each(|run| {
                let at = |row: u32| row.wrapping_sub(start) as usize;
                list.extend_from_slice(values.get(at(run.start)..at(run.end)).unwrap_or_default());
            });
        }
    }
}

/// Adds the known exact values of the rows of every group, and how many they are.
fn add_up(sums: &mut [(i128, u64)], value: &Vector<'_>, assignment: &Assignment) {
    let mut add = |own: &RowSet, slices: &[(Range<u32>, u32)]| {
        for (range, group) in slices {
            if let Some(slot) = sums.get_mut(*group as usize) {
                slot.0 += value.sum(own, range.clone());
                slot.1 += own.count_range(range.clone());
            }
        }
    };
    let known = &value.known;
    match assignment {
        Assignment::Slices(slices) => add(known, slices),
        Assignment::Sets(sets) => {
            for Shared { rows, slices } in sets {
                let mut own = known.clone();
                own.and(rows);
                add(&own, slices);
            }
        }
        Assignment::Rows { .. } | Assignment::Valued(_) => {
            each_slot(sums, assignment, known, |slot, row| {
                slot.0 += i128::from(value.exact(row));
                slot.1 += 1;
            })
        }
    }
}

fn pair<T, U>(
    a: &mut [T],
    into: usize,
    b: &mut [U],
    from: usize,
    join: impl FnOnce(&mut T, &mut U),
) {
    if let (Some(a), Some(b)) = (a.get_mut(into), b.get_mut(from)) {
        join(a, b);
    }
}

/// Calls `visit` with the slot of the group of every row of a set.
fn each_slot<T>(
    slots: &mut [T],
    assignment: &Assignment,
    rows: &RowSet,
    mut visit: impl FnMut(&mut T, u32),
) {
    assignment.visit(rows, &mut |row, group| {
        if let Some(slot) = slots.get_mut(group as usize) {
            visit(slot, row);
        }
    });
}

fn meet<T: Copy>(slot: &mut Option<T>, value: T, pick: impl Fn(T, T) -> T) {
    *slot = Some(slot.map_or(value, |before| pick(before, value)));
}

impl Scan<'_> {
    /// The rows of the question that an aggregate is about.
    fn counted(&self, aggregate: &Aggregate, rows: &RowSet) -> Result<RowSet> {
        match &aggregate.condition {
            Some(condition) => self.rows(condition, true, rows),
            None => Ok(rows.clone()),
        }
    }

    /// One aggregate of every group of the segment.
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        table: usize,
        rows: &RowSet,
        groups: &Groups,
    ) -> Result<Column> {
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
