//! A question asked at many moments, answered in one pass over the rows.
//!
//! Often nothing moves from one moment to the next but the range that one value has to lie in:
//! `since <= as_of`. The ends of all ranges cut the values into bands; a row counts at the moments
//! whose range its band lies in. Rows are aggregated by group and band, and a moment joins the
//! bands of its range, going on from what the moment beside it had.
//!
//! Invariants: the answer is that of asking at every moment by itself, and what no moment asks is
//! not computed. Where two values move, where anything else depends on the moment, or where groups
//! are too many to be kept by band, each moment is asked by itself.

use std::ops::Range;

use yiku::kernel::Held;
use yiku::{Predicate, RowSet, Snapshot};

use super::aggregate::Column;
use super::cuts::Cuts;
use super::flow::numbers;
use super::fold;
use super::grouped::{Grouped, Index, Joined, Keys};
use super::keys::{Assignment, Cell, Groups};
use super::pairs::Numbers;
use super::rows::Rows;
use super::scan::{Scan, bounds, each_row};
use crate::bound::{Condition, Term, Test, Value};
use crate::check::{Aggregate, Combine, GroupKind};
use crate::error::Result;
use crate::plan::{Plan, Within};

/// Many rows are counted in so many tables at once.
const LANES: usize = 4;

/// Bytes that groups may take by band on a thread.
const BYTES_MAX: u64 = 64 << 20;

/// Bytes of the rows of a group in a band, and of an aggregate, about.
const ROWS_BYTES: u64 = 8;
const SLOT_BYTES: u64 = 64;

/// What moves from one moment to the next.
pub(super) struct Moving<'p> {
    /// The plan of a moment: what does not move is the same in all.
    plan: &'p Plan,
    /// Conditions that are the same at every moment, and those of them that wait until rows that
    /// no moment asks about are out.
    fixed: Vec<&'p Condition>,
    waiting: Vec<&'p Condition>,
    /// The value that has to lie in a range; none where nothing moves.
    value: Option<Value>,
    cuts: Cuts,
    /// The bands of each moment.
    ranges: Vec<Range<usize>>,
    /// Whether any moment asks about a band.
    asked: Vec<bool>,
}

/// Groups by band, as a thread has found them.
pub(super) struct Banded<'a> {
    index: Index,
    keys: Keys,
    /// The rows of each group in each band: a group's stand together.
    rows: Vec<u64>,
    /// The aggregates in the same order; none where it is the number of rows itself.
    columns: Vec<Option<Column>>,
    bands: usize,
    /// They are more than may be kept.
    pub(super) too_many: bool,
    /// Values of a piece.
    values: Vec<i64>,
    held: Vec<Held<'a>>,
}

/// A value and the range that it lies in where a condition is true.
fn ranged(condition: &Condition) -> Option<(Value, i64, i64)> {
    match &condition.kind {
        Test::Column { column, predicate: Predicate::Range { min, max } } => {
            Some((Value::column(condition.table, *column), *min, *max))
        }
        Test::Between { value, low, high } => Some((value.clone(), *low, *high)),
        Test::Spread(inner) => {
            let (value, low, high) = ranged(inner)?;
            Some((value.at(condition.table), low, high))
        }
        _ => None,
    }
}

/// Whether a condition computes nothing, so that it fails for no row.
fn is_plain(condition: &Condition) -> bool {
    match &condition.kind {
        Test::Constant(_)
        | Test::Within { .. }
        | Test::Column { .. }
        | Test::ColumnKnown { .. }
        | Test::SameText { .. }
        | Test::Matches { .. } => true,
        Test::Not(inner) | Test::Truth(inner) | Test::Spread(inner) => is_plain(inner),
        Test::Any { condition, .. } => is_plain(condition),
        Test::And(parts) | Test::Or(parts) => parts.iter().all(is_plain),
        _ => false,
    }
}

/// Whether an aggregate is the number of rows itself.
fn counts_rows(aggregate: &Aggregate) -> bool {
    let whole = aggregate.argument.is_none() && aggregate.condition.is_none();
    aggregate.combine == Combine::Count && whole
}

/// Whether an aggregate takes as little for every group, and joining leaves what is joined.
fn is_light(aggregate: &Aggregate) -> bool {
    matches!(
        aggregate.combine,
        Combine::Count
            | Combine::Sum { .. }
            | Combine::Average { .. }
            | Combine::Least { .. }
            | Combine::Greatest { .. }
            | Combine::Moments
    )
}

impl<'p> Moving<'p> {
    /// What moves between the moments of a plan; none where that is more than a range of one
    /// value.
    pub(super) fn new(plan: &'p Plan) -> Option<Self> {
        let moments = || plan.moments.iter().map(|moment| &moment.plan);
        let first = moments().next()?;
        let same = |other: &Plan| {
            let beside = other.left.is_some() || !other.compared.is_empty();
            let rows = other.table == first.table && other.filter.len() == first.filter.len();
            rows && !beside && other.groups == first.groups && other.aggregates == first.aggregates
        };
        if !moments().all(same) || !first.aggregates.iter().all(is_light) {
            return None;
        }
        let (mut fixed, mut waiting, mut value) = (Vec::new(), Vec::new(), None);
        let mut ranges = vec![(i64::MIN, i64::MAX); plan.moments.len()];
        for (place, (_, own)) in first.filter.iter().enumerate() {
            let at = |plan: &'p Plan| plan.filter.get(place).map(|(_, condition)| condition);
            if moments().all(|plan| at(plan) == Some(own)) {
                if value.is_none() || is_plain(own) { &mut fixed } else { &mut waiting }.push(own);
                continue;
            }
            for (plan, range) in moments().zip(&mut ranges) {
                let (of, low, high) = ranged(at(plan)?)?;
                if *value.get_or_insert_with(|| of.clone()) != of {
                    return None;
                }
                *range = (range.0.max(low), range.1.min(high));
            }
        }
        let cuts = Cuts::new(&ranges);
        let ranges: Vec<Range<usize>> = ranges.into_iter().map(|range| cuts.bands(range)).collect();
        let mut asked = vec![false; cuts.count()];
        for range in &ranges {
            asked.get_mut(range.clone()).unwrap_or_default().fill(true);
        }
        Some(Self { plan: first, fixed, waiting, value, cuts, ranges, asked })
    }

    /// The column of the question's own table that the value is read from, where rows are only to
    /// be counted, by place at the most.
    fn counted(&self) -> Option<usize> {
        let value = self.value.as_ref().filter(|value| value.table == self.plan.table)?;
        let Term::Column(column) = value.kind else { return None };
        let by_place = |kind: &GroupKind| matches!(kind, GroupKind::Level(_) | GroupKind::Path);
        let places = self.plan.groups.iter().all(|group| by_place(&group.kind));
        let counts = self.plan.aggregates.iter().all(counts_rows);
        (places && counts && self.waiting.is_empty()).then_some(column)
    }
}

/// The place of a group as columns are told it.
fn place_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl<'a> Banded<'a> {
    pub(super) fn new(moving: &Moving<'_>) -> Self {
        let own = |a: &Aggregate| (!counts_rows(a)).then(|| Column::new(a.combine, 0));
        Self {
            index: Index::new(),
            keys: Keys::new(moving.plan.groups.len()),
            rows: Vec::new(),
            columns: moving.plan.aggregates.iter().map(own).collect(),
            bands: moving.asked.len(),
            too_many: false,
            values: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Bytes that so many groups take.
    fn bytes(&self, groups: usize) -> u64 {
        let own = self.columns.iter().flatten().count() as u64 * SLOT_BYTES + ROWS_BYTES;
        (groups as u64).saturating_mul(self.bands as u64).saturating_mul(own)
    }

    /// Where a group has its bands; none where there are too many.
    pub(super) fn place(&mut self, key: &[Cell]) -> Option<usize> {
        let before = self.keys.len();
        let place = self.index.place(&mut self.keys, key);
        if self.bytes(place + 1) > BYTES_MAX {
            self.too_many = true;
            return None;
        }
        if place == before {
            let size = self.keys.len() * self.bands;
            self.rows.resize(size, 0);
            self.columns.iter_mut().flatten().for_each(|column| column.grow(size));
        }
        Some(place * self.bands)
    }

    /// Announces the groups that came since there were so many.
    fn announce(&mut self, before: usize, within: Within<'a>) -> Result<()> {
        let more = self.keys.len() - before;
        if more > 0 {
            self.held.push(within.run.hold(self.bytes(more))?);
        }
        Ok(())
    }

    /// Adds what another thread has found.
    fn join(&mut self, mut other: Self, within: Within<'a>) -> Result<()> {
        let before = self.keys.len();
        self.too_many |= other.too_many;
        for (from, key) in other.keys.iter().enumerate() {
            let Some(into) = self.place(key) else { return Ok(()) };
            let from = from * self.bands;
            for band in 0..self.bands {
                let rows = other.rows.get(from + band).copied().unwrap_or(0);
                if rows == 0 {
                    continue;
                }
                if let Some(slot) = self.rows.get_mut(into + band) {
                    *slot += rows;
                }
                let columns = self.columns.iter_mut().zip(&mut other.columns);
                for (own, other) in columns.filter_map(|(a, b)| a.as_mut().zip(b.as_mut())) {
                    own.join(&[place_of(into + band)], other, from + band);
                }
            }
        }
        self.announce(before, within)
    }

    /// Counts the rows of a piece by the values of a column of theirs.
    fn count(
        &mut self,
        (moving, column): (&Moving<'_>, usize),
        scan: &Scan<'a>,
        snapshot: &Snapshot,
        rows: &RowSet,
    ) -> Result<()> {
        let plan = moving.plan;
        let _held = scan.run.hold(rows.count().saturating_mul(8))?;
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        let known = scan.segment.column(plan.table, column)?.known_values(rows, &mut values)?;
        let mut left = values.as_slice();
        if plan.groups.is_empty() {
            self.add(&[], left, &moving.cuts);
        } else if !known.is_empty() {
            let groups = scan.groups(&plan.groups, plan.table, snapshot.tree(), &known)?;
            let sets = groups.assignment.ranges().unwrap_or_default();
            for (range, group) in sets.iter().flat_map(|(_, slices)| *slices) {
                let size = usize::try_from(known.count_range(range.clone())).unwrap_or(0);
                let (own, behind) = left.split_at_checked(size).unwrap_or((left, &[]));
                left = behind;
                let key = groups.keys.get(*group as usize);
                self.add(key, own, &moving.cuts);
            }
        }
        self.values = values;
        Ok(())
    }

    /// Adds rows of one group by their values.
    fn add(&mut self, key: &[Cell], values: &[i64], cuts: &Cuts) {
        let Some(place) = self.place(key) else { return };
        let own = self.rows.get_mut(place..place + self.bands).unwrap_or_default();
        if values.len() > own.len() * LANES * 2 {
            // In one table, a row would wait for the row before it wherever both have one band.
            let mut tables = vec![[0u32; LANES]; own.len()];
            for chunk in values.chunks(LANES) {
                for (lane, value) in chunk.iter().enumerate() {
                    let table = tables.get_mut(cuts.band(*value));
                    if let Some(slot) = table.and_then(|table| table.get_mut(lane)) {
                        *slot = slot.wrapping_add(1);
                    }
                }
            }
            for (slot, table) in own.iter_mut().zip(tables) {
                *slot += table.iter().map(|lane| u64::from(*lane)).sum::<u64>();
            }
            return;
        }
        for value in values {
            if let Some(slot) = own.get_mut(cuts.band(*value)) {
                *slot += 1;
            }
        }
    }

    /// Adds the aggregates of the rows of a piece.
    fn take(
        &mut self,
        moving: &Moving<'_>,
        scan: &Scan<'a>,
        snapshot: &Snapshot,
        rows: &RowSet,
    ) -> Result<()> {
        let (plan, start) = (moving.plan, bounds(rows).start);
        let _held = scan.run.hold((bounds(rows).len() as u64).saturating_mul(12))?;
        let mut bands = vec![0u32; bounds(rows).len()];
        let mut inside = rows.clone();
        if let Some(value) = &moving.value {
            let vector = scan.value(value, rows)?;
            inside = vector.known.clone();
            each_row(&vector.known, |row| {
                let band = moving.cuts.band(vector.exact(row));
                if moving.asked.get(band) != Some(&true) {
                    inside.remove(row);
                } else if let Some(slot) = bands.get_mut(row.wrapping_sub(start) as usize) {
                    *slot = u32::try_from(band).unwrap_or(u32::MAX);
                }
            });
        }
        for condition in &moving.waiting {
            inside = scan.rows(condition, true, &inside)?;
        }
        if inside.is_empty() {
            return Ok(());
        }
        let groups = scan.groups(&plan.groups, plan.table, snapshot.tree(), &inside)?;
        let own = bounds(&inside).start;
        let skipped = own.saturating_sub(start) as usize;
        let mut pairs = Numbers::new(groups.keys.len(), self.bands);
        let by_group = numbers(&groups, &inside, &inside);
        let bands = bands.get(skipped..).unwrap_or_default();
        let groups_of = pairs.of_rows(by_group, bands, own, &inside);
        let assignment = Assignment::Rows { start: own, groups: groups_of };
        let pieces = Groups { keys: Keys::nameless(pairs.met.len()), assignment };
        let mut counts = vec![0u64; pairs.met.len()];
        pieces.assignment.visit(&inside, &mut |_, number| {
            if let Some(count) = counts.get_mut(number as usize) {
                *count += 1;
            }
        });
        let mut columns = Vec::with_capacity(self.columns.len());
        for (aggregate, own) in plan.aggregates.iter().zip(&self.columns) {
            columns.push(match own {
                Some(_) => Some(scan.aggregate(aggregate, plan.table, &inside, &pieces)?),
                None => None,
            });
        }
        for (number, ((group, band), count)) in pairs.met.iter().zip(&counts).enumerate() {
            let key = groups.keys.get(*group as usize);
            let Some(place) = self.place(key) else { return Ok(()) };
            let into = place + *band as usize;
            if let Some(slot) = self.rows.get_mut(into) {
                *slot += count;
            }
            let columns = self.columns.iter_mut().zip(&mut columns);
            for (own, other) in columns.filter_map(|(a, b)| a.as_mut().zip(b.as_mut())) {
                own.join(&[place_of(into)], other, number);
            }
        }
        Ok(())
    }
}

/// What the moments so far have in common: every group with the rows and the aggregates of some
/// bands.
struct Stock {
    range: Range<usize>,
    rows: Vec<u64>,
    columns: Vec<Option<Column>>,
}

impl Stock {
    fn new(plan: &Plan, groups: usize) -> Self {
        let own = |a: &Aggregate| (!counts_rows(a)).then(|| Column::new(a.combine, groups));
        let columns = plan.aggregates.iter().map(own).collect();
        Self { range: 0..0, rows: vec![0; groups], columns }
    }

    /// Whether it has nothing that a range does not have.
    fn is_within(&self, range: &Range<usize>) -> bool {
        range.start <= self.range.start && self.range.end <= range.end
    }

    /// Adds the bands of a range that it does not have yet.
    fn extend(&mut self, range: &Range<usize>, banded: &mut Banded<'_>) {
        let own = std::mem::replace(&mut self.range, range.clone());
        let added = range.clone().filter(|band| !own.contains(band));
        for band in added {
            for (place, rows) in self.rows.iter_mut().enumerate() {
                let from = place * banded.bands + band;
                let more = banded.rows.get(from).copied().unwrap_or(0);
                if more == 0 {
                    continue;
                }
                *rows += more;
                let columns = self.columns.iter_mut().zip(&mut banded.columns);
                for (own, other) in columns.filter_map(|(a, b)| a.as_mut().zip(b.as_mut())) {
                    own.join(&[place_of(place)], other, from);
                }
            }
        }
    }

    /// The groups that have rows, with their aggregates.
    fn grouped(&mut self, plan: &Plan, all: &Keys) -> Grouped {
        let met = self.rows.iter().enumerate().filter(|(_, rows)| **rows > 0);
        let met: Vec<usize> = met.map(|(place, _)| place).collect();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (aggregate, own) in plan.aggregates.iter().zip(&mut self.columns) {
            let Some(own) = own else {
                let count = |place: &usize| self.rows.get(*place).copied().unwrap_or(0);
                columns.push(Column::Counts(met.iter().map(count).collect()));
                continue;
            };
            let mut column = Column::new(aggregate.combine, met.len());
            for (into, from) in met.iter().enumerate() {
                column.join(&[place_of(into)], own, *from);
            }
            columns.push(column);
        }
        let mut keys = Keys::new(all.width());
        met.iter().for_each(|place| keys.push(all.get(*place)));
        Grouped { keys, columns }
    }
}

impl Plan {
    /// The rows of the answers at all moments and how many rows the filter left at the last, where
    /// one pass gives them.
    pub(super) fn together(
        &self,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Option<(Rows, u64)>> {
        // Whoever looks on wants to see every moment; who doubts an index has each asked plainly.
        if within.probe.is_some() || !within.limits.indexes || self.moments.len() < 2 {
            return Ok(None);
        }
        let Some(moving) = Moving::new(self) else { return Ok(None) };
        let Some(banded) = moving.banded(snapshot, within)? else { return Ok(None) };
        self.rows_together(&moving, banded, snapshot, within).map(Some)
    }

    fn rows_together(
        &self,
        moving: &Moving<'_>,
        mut banded: Banded<'_>,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(Rows, u64)> {
        let keys = std::mem::replace(&mut banded.keys, Keys::new(0));
        let mut order: Vec<usize> = (0..moving.ranges.len()).collect();
        let size = |range: Option<&Range<usize>>| range.map_or(0, ExactSizeIterator::len);
        if size(moving.ranges.first()) > size(moving.ranges.last()) {
            // What shrinks with time grows from the last moment back.
            order.reverse();
        }
        let mut stock = Stock::new(moving.plan, keys.len());
        let (mut rows, mut matched) = (Rows::new(self.groups.len()), 0);
        for at in order {
            within.run.check()?;
            let (Some(moment), Some(range)) = (self.moments.get(at), moving.ranges.get(at)) else {
                continue;
            };
            if !stock.is_within(range) {
                stock = Stock::new(moving.plan, keys.len());
            }
            stock.extend(range, &mut banded);
            let count = stock.rows.iter().sum();
            let own = stock.grouped(moving.plan, &keys);
            let levels = moment.plan.levels();
            let own = moment.plan.levelled(&levels, own, within)?;
            let (own, count) = moment.plan.finished(&levels, own, &[], count, snapshot, within)?;
            if at + 1 == self.moments.len() {
                matched = count;
            }
            rows.append(own, &[Cell::Int(moment.month)]);
            within.limits.groups_fit(rows.len())?;
        }
        Ok((rows, matched))
    }

    /// Groups at every level.
    fn levelled(
        &self,
        levels: &[usize],
        mut own: Grouped,
        within: Within<'_>,
    ) -> Result<Vec<Joined>> {
        let mut found = Vec::with_capacity(levels.len());
        for level in levels {
            let mut joined = self.nothing(*level);
            let kept = self.groups.len().saturating_sub(*level);
            let mut heads = Keys::new(kept);
            own.keys.iter().for_each(|key| heads.push(key));
            let into = joined.places(&heads);
            joined.add(&into, &mut own.columns);
            if kept == 0 {
                joined.place(&[]);
            }
            within.limits.groups_fit(joined.grouped.keys.len())?;
            found.push(joined);
        }
        Ok(found)
    }
}

impl Moving<'_> {
    /// All rows by group and band; none where these are too many.
    fn banded<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        within: Within<'a>,
    ) -> Result<Option<Banded<'a>>> {
        let plan = self.plan;
        let conditions = self.fixed.iter().chain(&self.waiting).copied();
        let morsels = plan.morsels_of(conditions, snapshot, within)?;
        let segments = within.segments(snapshot);
        let counted = self.counted();
        let state = || Ok(Banded::new(self));
        let states = fold(within, morsels.len(), state, |state: &mut Banded<'_>, item| {
            let Some(morsel) = morsels.get(item) else { return Ok(()) };
            let Some(segment) = segments.get(morsel.segment) else { return Ok(()) };
            if state.too_many {
                return Ok(());
            }
            let scan = plan.scan(segment, morsel, within)?;
            let mut rows = plan.visible(&scan)?;
            for condition in &self.fixed {
                rows = scan.rows(condition, true, &rows)?;
            }
            if rows.is_empty() {
                return Ok(());
            }
            let before = state.keys.len();
            match counted {
                Some(column) => state.count((self, column), &scan, snapshot, &rows)?,
                None => state.take(self, &scan, snapshot, &rows)?,
            }
            state.announce(before, within)
        })?;
        let mut states = states.into_iter();
        let mut found = states.next().unwrap_or_else(|| Banded::new(self));
        for other in states {
            within.run.check()?;
            found.join(other, within)?;
        }
        Ok(Some(found).filter(|found| !found.too_many))
    }
}
