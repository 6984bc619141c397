//! Aggregates of groups, and how those of one segment join those of another.
//!
//! Invariant: partials of disjoint rows join to the partial of their union, in any order and any
//! split; sums of integers are kept in 128 bits, sums of floats exactly.

use std::collections::HashSet;
use std::ops::Range;

use yiku::RowSet;

use super::exact_sum::ExactSum;
use super::keys::{Assignment, RangesOf};
use super::partition::Shared;
use super::ranks::Lists;
use super::scan::base;
use super::statistic::{self, All, Bins, Figure, Moments};
use super::vector::{Values, Vector};
use crate::check::{Combine, Statistic};

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

    /// So many groups; the new ones have no rows.
    pub(super) fn grow(&mut self, groups: usize) {
        match self {
            Self::Counts(v) => v.resize(groups, 0),
            Self::Sums(v) => v.resize(groups, (0, 0)),
            Self::FloatSums(v) => v.resize_with(groups, Default::default),
            Self::Extremes { values, .. } => values.resize(groups, None),
            Self::FloatExtremes { values, .. } => values.resize(groups, None),
            Self::Values(v) => v.resize_with(groups, HashSet::new),
            Self::Texts(v) => v.resize_with(groups, HashSet::new),
            Self::Moments(v) => v.resize_with(groups, Moments::default),
            Self::All(v) => v.resize_with(groups, Vec::new),
            Self::AllFloat(v) => v.resize_with(groups, Vec::new),
            Self::Figures(wanted, v) => v.resize_with(groups, || vec![None; wanted.len()]),
            Self::Bins { counts, bins, .. } => counts.resize_with(groups, || vec![0; *bins]),
        }
    }

    /// Adds the known values of the rows of every group.
    pub(super) fn take(&mut self, value: &Vector<'_>, assignment: &Assignment) {
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
                    listed(lists, (values, value.start), known, assignment, pressed);
                } else {
                    each_slot(lists, assignment, known, |slot, row| put(slot, value.exact(row)));
                }
            }
            (Self::AllFloat(lists), _) => {
                if let Values::Float(values) = &value.values {
                    listed(lists, (values, value.start), known, assignment, yiku::sieve::press);
                } else {
                    each_slot(lists, assignment, known, |slot, row| put(slot, value.float(row)));
                }
            }
            (Self::Bins { low, high, float, counts, bins }, _) => {
                let (ends, count) = ((*low, *high), u32::try_from(*bins).unwrap_or(0));
                let exact = Bins::new(ends, count);
                let float = *float;
                if let (Values::Exact(values), Some(sets)) = (&value.values, assignment.ranges()) {
                    let values = (values.as_slice(), value.start);
                    return counted_bins(counts, values, known, &sets, exact);
                }
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

    /// Joins the groups of another column of the same kind, from one of them on, to groups at
    /// these places. Lists of values are taken out of the other.
    pub(super) fn join(&mut self, into: &[u32], other: &mut Self, from: usize) {
        let into = (into, from);
        match (self, other) {
            (Self::Counts(a), Self::Counts(b)) => pairs(a, into, b, |a, b| *a += *b),
            (Self::Sums(a), Self::Sums(b)) => pairs(a, into, b, |a, b| {
                a.0 += b.0;
                a.1 += b.1;
            }),
            (Self::FloatSums(a), Self::FloatSums(b)) => pairs(a, into, b, |a, b| {
                a.0.merge(&b.0);
                a.1 += b.1;
            }),
            (Self::Extremes { least, values: a }, Self::Extremes { values: b, .. }) => {
                pairs(a, into, b, |a, b| {
                    if let Some(b) = *b {
                        meet(a, b, |a, b| if *least { a.min(b) } else { a.max(b) });
                    }
                });
            }
            (Self::FloatExtremes { least, values: a }, Self::FloatExtremes { values: b, .. }) => {
                pairs(a, into, b, |a, b| {
                    if let Some(b) = *b {
                        meet(a, b, |a, b| if *least { a.min(b) } else { a.max(b) });
                    }
                });
            }
            (Self::Values(a), Self::Values(b)) => {
                pairs(a, into, b, |a, b| a.extend(b.iter().copied()));
            }
            (Self::Texts(a), Self::Texts(b)) => {
                pairs(a, into, b, |a, b| a.extend(b.iter().cloned()));
            }
            (Self::Moments(a), Self::Moments(b)) => pairs(a, into, b, |a, b| a.join(b)),
            (Self::All(a), Self::All(b)) => pairs(a, into, b, |a, b| a.append(b)),
            (Self::AllFloat(a), Self::AllFloat(b)) => pairs(a, into, b, |a, b| a.append(b)),
            (Self::Bins { counts: a, .. }, Self::Bins { counts: b, .. }) => {
                pairs(a, into, b, |a, b| a.iter_mut().zip(b).for_each(|(a, b)| *a += *b));
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

    /// As [`Column::number`], of each of some groups.
    pub(super) fn numbers(&self, combine: Combine, groups: &[u32]) -> Vec<Option<Number>> {
        if let Self::Counts(counts) = self {
            let count = |group: &u32| counts.get(*group as usize);
            let number = |count: &u64| Number::Exact(i128::from(*count));
            return groups.iter().map(|group| count(group).map(number)).collect();
        }
        groups.iter().map(|group| self.number(combine, *group as usize)).collect()
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

/// Counts the known values of the rows of every group by their bins.
fn counted_bins(
    counts: &mut [Vec<u64>],
    (values, start): (&[i64], u32),
    known: &RowSet,
    sets: &[RangesOf<'_>],
    bins: Bins,
) {
    for (set, slices) in sets {
        let mut own = known.clone();
        if let Some(set) = set {
            own.and(set);
        }
        for (range, group) in *slices {
            let Some(counts) = counts.get_mut(*group as usize) else { continue };
            // Lists of values begin where words do.
            let part = own.within(range.clone());
            let from = base(&part);
            let skipped = start.saturating_sub(from) as usize / 64;
            let at = from.saturating_sub(start) as usize;
            let words = part.words().get(skipped..).unwrap_or_default();
            bins.count(values.get(at..).unwrap_or_default(), words, counts);
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
    press: fn(&[u64], &[T], &mut Vec<T>),
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
            // Lists of values begin where words do.
            let own = known.within(range.clone());
            let from = base(&own);
            let skipped = start.saturating_sub(from) as usize / 64;
            let at = from.saturating_sub(start) as usize;
            let words = own.words().get(skipped..).unwrap_or_default();
            press(words, values.get(at..).unwrap_or_default(), list);
        }
    }
}

/// Adds the values whose bits are set.
fn pressed<T: Copy>(words: &[u64], values: &[T], list: &mut Vec<T>) {
    let chunks = values.chunks(64);
    for (word, chunk) in words.iter().zip(chunks) {
        let Some(first) = chunk.first().filter(|_| *word != 0) else { continue };
        if *word == u64::MAX {
            list.extend_from_slice(chunk);
            continue;
        }
        // Each value takes the place of the one before it, where that is not known.
        let (mut own, mut count, mut rest) = ([*first; 64], 0usize, *word);
        for value in chunk {
            if let Some(slot) = own.get_mut(count % 64) {
                *slot = *value;
            }
            count = count.wrapping_add((rest & 1) as usize);
            rest >>= 1;
        }
        list.extend_from_slice(own.get(..count).unwrap_or_default());
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
        Assignment::Valued(valued) if value.adds_up().is_some() => {
            let values = value.adds_up().unwrap_or_default();
            valued.add_up(sums, (values, value.start), known);
        }
        Assignment::Rows { .. } | Assignment::Valued(_) => {
            each_slot(sums, assignment, known, |slot, row| {
                slot.0 += i128::from(value.exact(row));
                slot.1 += 1;
            })
        }
    }
}

/// Calls `join` with each of some values, from one of them on, and what stands at its place.
fn pairs<T, U>(
    a: &mut [T],
    (into, from): (&[u32], usize),
    b: &mut [U],
    join: impl Fn(&mut T, &mut U),
) {
    for (into, b) in into.iter().zip(b.get_mut(from..).unwrap_or_default()) {
        if let Some(a) = a.get_mut(*into as usize) {
            join(a, b);
        }
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
