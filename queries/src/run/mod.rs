//! Running a plan: every piece of a segment by itself, each thread joining what it has found, then
//! what the threads have found joined.
//!
//! Invariant: the answer is the same for any number of threads and any spread of the rows over
//! segments: partials are exact, and everything is sorted at the end.

mod aggregate;
mod arith;
#[cfg(test)]
mod beneath_tests;
mod best;
mod borders;
#[cfg(test)]
mod borders_tests;
mod columns;
#[cfg(test)]
mod context_tests;
mod crosstab;
pub(crate) mod cursor;
mod cuts;
mod ends;
mod exact_sum;
pub(crate) mod exchange;
mod finish;
mod first;
pub(crate) mod flow;
#[cfg(test)]
mod flow_tests;
mod fold;
mod grouped;
mod guess;
mod keep;
#[cfg(test)]
mod keep_tests;
mod keys;
mod known;
mod lanes;
pub(crate) mod list;
#[cfg(test)]
mod list_tests;
mod logic;
mod lying;
pub(crate) mod matrix;
#[cfg(test)]
mod matrix_tests;
mod members;
mod moments;
#[cfg(test)]
mod moments_tests;
mod morsels;
#[cfg(test)]
mod page_tests;
mod paired;
#[cfg(test)]
mod paired_tests;
mod pairs;
mod partition;
mod placed;
#[cfg(test)]
mod placed_tests;
mod plain;
pub(crate) mod publish;
mod ranked;
mod ranks;
mod rows;
mod runs;
mod scan;
#[cfg(test)]
mod scope_tests;
pub(crate) mod spread;
mod standing;
mod statistic;
#[cfg(test)]
mod statistics_tests;
mod subjects;
mod tallied;
#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod text_tests;
mod texts;
#[cfg(test)]
mod time_tests;
mod totalled;
#[cfg(test)]
mod totalled_tests;
mod valued;
mod vector;
mod weight;

use yiku::kernel::Held;
use yiku::{RowSet, Snapshot};

use crate::answer::Answer;
use crate::check::{Aggregate, Combine, Statistic};
use crate::error::Result;
use crate::explain::probe::{About, Open};
use crate::plan::{Compared, Limits, Plan, Within};
use aggregate::Column;
use grouped::{Grouped, Index, Joined, Keys};
use keys::{Assignment, Cell, Groups};
use morsels::Morsel;
use rows::Rows;
pub(crate) use scan::Scan;
use scan::bounds;
use spread::{fold, over};
use statistic::{All, statistics};
pub(crate) use subjects::{Selection, Subject, subjects};
use totalled::Readings;

/// Bytes of the number of a row's group.
const GROUP_BYTES: u64 = 4;

/// Bytes of a value of a group, about.
const CELL_BYTES: u64 = 32;

/// What one piece contributes.
struct Part<'a> {
    matched: u64,
    levels: Vec<Grouped>,
    /// What the groups take, until all are joined.
    held: Option<Held<'a>>,
}

/// What a thread has found so far.
struct Met<'a> {
    joined: Vec<Joined>,
    /// Rows that the filter left.
    matched: u64,
    /// Groups of pieces that were joined.
    met: u64,
    /// What the groups take.
    held: Vec<Held<'a>>,
    /// What a piece leaves for the next.
    readings: Option<Box<Readings>>,
}

impl<'a> Met<'a> {
    fn new(plan: &Plan, levels: &[usize]) -> Self {
        let joined = levels.iter().map(|level| plan.nothing(*level)).collect();
        Self { joined, matched: 0, met: 0, held: Vec::new(), readings: None }
    }

    /// How many groups there are.
    fn groups(&self) -> u64 {
        self.joined.iter().map(|joined| joined.grouped.keys.len() as u64).sum()
    }

    /// Adds what a piece contributes.
    fn add(&mut self, mut part: Part<'a>, within: Within<'a>) -> Result<()> {
        let before = self.groups();
        let listed = part.levels.iter().map(Grouped::listed).fold(0, u64::saturating_add);
        self.matched += part.matched;
        self.met += part.levels.first().map_or(0, |grouped| grouped.keys.len() as u64);
        for (joined, grouped) in self.joined.iter_mut().zip(&mut part.levels) {
            joined.join(grouped, within.limits)?;
        }
        // A group has a cell for each key and aggregate, what its lists and sets hold, and a slot
        // where it is found.
        let width = self.joined.first().map_or(0, |joined| joined.grouped.width() + 1);
        let more = (self.groups() - before).saturating_mul(width).saturating_add(listed);
        if more > 0 {
            self.held.push(within.run.hold(more.saturating_mul(CELL_BYTES))?);
        }
        drop(part.held);
        Ok(())
    }

    /// Adds what another thread has found.
    fn join(&mut self, other: Self, within: Within<'a>) -> Result<()> {
        self.matched += other.matched;
        self.met += other.met;
        self.held.extend(other.held);
        for (joined, other) in self.joined.iter_mut().zip(other.joined) {
            joined.take(other, within.limits)?;
        }
        Ok(())
    }
}

impl Plan {
    /// Answers the question from the snapshot the plan was made from.
    ///
    /// # Errors
    /// [`Error::Limit`] on too many groups, [`Error::Overflow`] on a number beyond 64 bits,
    /// [`Error::Stopped`] when the caller asked to stop, [`Error::Stale`] on another version,
    /// [`Error::Engine`] when the database cannot be read.
    pub fn run(&self, snapshot: &Snapshot, limits: &Limits) -> Result<Answer> {
        let bytes = self.declared(snapshot, limits);
        limits.within(bytes, |within| self.run_within(snapshot, within))
    }

    pub(crate) fn run_within(&self, snapshot: &Snapshot, within: Within<'_>) -> Result<Answer> {
        self.fits(snapshot)?;
        within.run.check()?;
        if let Some(list) = &self.list {
            return self.rows_listed(list, snapshot, within);
        }
        if let Some(exchange) = &self.exchange {
            return self.exchanged(exchange, within);
        }
        if let Some(flow) = &self.flow {
            return self.flowed(flow, snapshot, within);
        }
        if !self.matrix.is_empty() {
            return self.matrix_counted(&self.matrix, snapshot, within);
        }
        if let Some(answer) = self.placed(snapshot, within)? {
            return Ok(answer);
        }
        if self.moments.is_empty() {
            let (rows, matched) = self.rows_of(snapshot, within)?;
            return self.answer(snapshot, &rows, matched, within);
        }
        if let Some((rows, matched)) = self.together(snapshot, within)? {
            return self.answer(snapshot, &rows, matched, within);
        }
        let (mut rows, mut matched) = (Rows::new(self.groups.len()), 0);
        for moment in &self.moments {
            let open = within.open(About::Whole, &moment.plan);
            let (own, count) = moment.plan.rows_of(snapshot, within)?;
            matched = count;
            tell(open, count, count);
            rows.append(own, &[Cell::Int(moment.month)]);
            within.limits.groups_fit(rows.len())?;
        }
        self.answer(snapshot, &rows, matched, within)
    }

    /// The rows of the answer at one moment, and how many rows the filter left.
    fn rows_of(&self, snapshot: &Snapshot, within: Within<'_>) -> Result<(Rows, u64)> {
        let levels = self.levels();
        let (mut own, matched) = self.joined(&levels, snapshot, within)?;
        if let Some(left) = &self.left {
            let (mut others, _) = left.asked_beside(&levels, snapshot, within)?;
            for (own, other) in own.iter_mut().zip(&mut others) {
                self.take_left(own, &mut other.grouped);
            }
        }
        let mut compared = Vec::with_capacity(self.compared.len());
        for Compared { plan, .. } in &self.compared {
            let (mut others, _) = plan.asked_beside(&levels, snapshot, within)?;
            if let Some(left) = &plan.left {
                let (mut lefts, _) = left.asked_beside(&levels, snapshot, within)?;
                for (other, left) in others.iter_mut().zip(&mut lefts) {
                    plan.take_left(other, &mut left.grouped);
                }
            }
            // Both have the groups of either.
            for (own, other) in own.iter_mut().zip(&mut others) {
                own.places(&other.grouped.keys);
            }
            compared.push(others);
        }
        for others in &mut compared {
            for (own, other) in own.iter().zip(others) {
                other.places(&own.grouped.keys);
            }
        }
        self.finished(&levels, own, &compared, matched, snapshot, within)
    }

    /// The rows of the answer at one moment of groups of every level, and how many rows are told
    /// to be theirs.
    fn finished(
        &self,
        levels: &[usize],
        mut own: Vec<Joined>,
        compared: &[Vec<Joined>],
        mut matched: u64,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(Rows, u64)> {
        let mut hidden = Vec::new();
        if let Some(protection) = &self.protection {
            hidden = self.protected(protection, &mut own, snapshot.tree())?;
            matched = protection.told(matched, &hidden);
        }
        Ok((self.rows(levels, &own, compared, &hidden, within)?, matched))
    }

    /// As [`Plan::joined`], a step of another plan.
    fn asked_beside(
        &self,
        levels: &[usize],
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(Vec<Joined>, u64)> {
        let open = within.open(About::Whole, self);
        let found = self.joined(levels, snapshot, within)?;
        tell(open, found.1, found.1);
        Ok(found)
    }

    /// The groups of every level, and how many rows the filter left.
    fn joined(
        &self,
        levels: &[usize],
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(Vec<Joined>, u64)> {
        let mut morsels = self.morsels(snapshot, within)?;
        let counting = self.counting(levels, within);
        let within = match &counting {
            Some(counting) => counting.worth(&morsels, within),
            None => self.worth(&morsels, within),
        };
        if counting.is_some() {
            morsels = borders::merged(morsels);
        }
        let paired = match &counting {
            Some(_) => None,
            None => self.paired_groups(levels, within),
        };
        let segments = within.segments(snapshot);
        let state = || Ok(Met::new(self, levels));
        let states = fold(within, morsels.len(), state, |state: &mut Met<'_>, item| {
            let Some(morsel) = morsels.get(item) else { return Ok(()) };
            let Some(segment) = segments.get(morsel.segment) else { return Ok(()) };
            within.begin(snapshot, morsel.segment);
            let Some(counting) = &counting else {
                if let Some(own) = &paired
                    && let Some(part) =
                        self.part_paired(own, segment, (morsel, snapshot), within)?
                {
                    return state.add(part, within);
                }
                let scan = self.scan(segment, morsel, within)?;
                scan.readings.replace(state.readings.take());
                let part = self.part(levels, &scan, snapshot)?;
                state.readings = scan.readings.take();
                return state.add(part, within);
            };
            let piece = (&morsel.roots, snapshot);
            if let Some(part) = self.part_counted(counting, segment, piece, within)? {
                return state.add(part, within);
            }
            for roots in morsels::cut(segment, self.table, morsel.roots.clone())? {
                within.run.check()?;
                let scan = self.scan(segment, &Morsel { roots, ..*morsel }, within)?;
                state.add(self.part(levels, &scan, snapshot)?, within)?;
            }
            Ok(())
        })?;
        let open = within.open(About::Join, self);
        let mut states = states.into_iter();
        let Some(mut state) = states.next() else { return Ok((Vec::new(), 0)) };
        for other in states {
            within.run.check()?;
            state.join(other, within)?;
        }
        let Met { mut joined, matched, met, .. } = state;
        for joined in &mut joined {
            self.settle(&mut joined.grouped, within)?;
        }
        for (joined, level) in joined.iter_mut().zip(levels) {
            if *level == self.groups.len() {
                joined.place(&[]);
            }
        }
        tell(open, met, joined.first().map_or(0, |joined| joined.grouped.keys.len() as u64));
        Ok((joined, matched))
    }

    /// Computes the statistics of lists of values, as many groups at once as there are threads.
    fn settle(&self, grouped: &mut Grouped, within: Within<'_>) -> Result<()> {
        for (place, column) in grouped.columns.iter_mut().enumerate() {
            let groups = match column {
                Column::All(lists) => lists.len(),
                Column::AllFloat(lists) => lists.len(),
                _ => continue,
            };
            let mut wanted: Vec<(Statistic, f64)> = Vec::new();
            self.statistics_of(place, &mut |kind, over| {
                if !wanted.contains(&(kind, over)) {
                    wanted.push((kind, over));
                }
            });
            let own: &Column = column;
            let figures = over(within, groups, |group| {
                let values = match own {
                    Column::All(lists) => lists.get(group).map(|own| All::Exact(own)),
                    Column::AllFloat(lists) => lists.get(group).map(|own| All::Float(own)),
                    _ => None,
                };
                Ok(values.map(|all| statistics(&wanted, all)).unwrap_or_default())
            })?;
            *column = Column::Figures(wanted, figures);
        }
        Ok(())
    }

    /// Calls `visit` with the statistics of an aggregate that measures and `having` name.
    fn statistics_of(&self, aggregate: usize, visit: &mut dyn FnMut(Statistic, f64)) {
        for measure in &self.measures {
            measure.formula.statistics(aggregate, visit);
        }
        if let Some(having) = &self.having {
            having.statistics(aggregate, visit);
        }
    }

    /// What left joins the groups that it was in.
    fn take_left(&self, own: &mut Joined, left: &mut Grouped) {
        let places = (0..).zip(&self.aggregates);
        let lefts: Vec<usize> =
            places.filter(|(_, a)| a.combine == Combine::Left).map(|(place, _)| place).collect();
        let into = own.places(&left.keys);
        for (place, column) in lefts.iter().zip(&mut left.columns) {
            if let Some(slot) = own.grouped.columns.get_mut(*place) {
                slot.join(&into, column, 0);
            }
        }
    }

    /// No groups, of all keys but the last `level`.
    fn nothing(&self, level: usize) -> Joined {
        let column = |a: &Aggregate| Column::new(a.combine, 0);
        let columns = self.aggregates.iter().map(column).collect();
        Joined::new(self.groups.len().saturating_sub(level), columns)
    }

    /// The live rows of a segment that may be asked about.
    fn visible(&self, scan: &Scan<'_>) -> Result<RowSet> {
        let open = scan.within.open(About::From, self);
        let mut rows = scan.segment.live_in(self.table, scan.window(self.table))?;
        if let Some(scope) = &self.scope {
            rows = scan.narrowed(scope.condition(), rows)?;
        }
        tell(open, rows.count(), rows.count());
        Ok(rows)
    }

    /// The rows of a segment that satisfy the filter.
    fn matching(&self, scan: &Scan<'_>) -> Result<RowSet> {
        let mut rows = self.visible(scan)?;
        for (_, condition) in &self.filter {
            rows = scan.narrowed(condition, rows)?;
            if rows.is_empty() {
                break;
            }
        }
        Ok(rows)
    }

    fn part<'a>(&self, wanted: &[usize], scan: &Scan<'a>, snapshot: &Snapshot) -> Result<Part<'a>> {
        let within = scan.within;
        within.run.check()?;
        let rows = self.matching(scan)?;
        let matched = rows.count();
        if matched == 0 {
            return Ok(Part { matched, levels: Vec::new(), held: None });
        }
        // The group of every row, of all keys so far and of the next.
        let assigned = bounds(&rows).len() as u64 * GROUP_BYTES;
        let assigned = within.run.hold(assigned.saturating_mul(2))?;
        let (groups, own) = self.grouped(scan, &rows, snapshot)?;
        let mut levels: Vec<Grouped> = Vec::with_capacity(wanted.len());
        // Groups of all keys are met once each.
        let all = self.aggregates.iter().all(Aggregate::adds_up);
        for level in wanted.iter().skip(usize::from(all)) {
            levels.push(self.level(scan, &rows, &groups, &own, *level)?);
        }
        if all {
            levels.insert(0, Grouped { keys: groups.keys, columns: own });
        }
        drop(assigned);
        let cells = levels.iter().map(Grouped::cells).fold(0, u64::saturating_add);
        let held = Some(within.run.hold(cells.saturating_mul(CELL_BYTES))?);
        Ok(Part { matched, levels, held })
    }

    /// The groups of some rows of a piece, and their aggregates.
    fn grouped(
        &self,
        scan: &Scan<'_>,
        rows: &RowSet,
        snapshot: &Snapshot,
    ) -> Result<(Groups, Vec<Column>)> {
        let counts = |a: &Aggregate| {
            a.combine == Combine::Count && a.argument.is_none() && a.condition.is_none()
        };
        if self.aggregates.iter().all(counts)
            && let Some((keys, counts)) =
                scan.crossed_counts(&self.groups, self.table, snapshot.tree(), rows)?
        {
            let own = vec![Column::Counts(counts); self.aggregates.len()];
            return Ok((Groups { keys, assignment: Assignment::Slices(Vec::new()) }, own));
        }
        if let Some((keys, own)) = scan.totals(&self.groups, &self.aggregates, self.table, rows)? {
            return Ok((Groups { keys, assignment: Assignment::Slices(Vec::new()) }, own));
        }
        let groups = scan.groups(&self.groups, self.table, snapshot.tree(), rows)?;
        let mut own = Vec::with_capacity(self.aggregates.len());
        for aggregate in &self.aggregates {
            own.push(if aggregate.adds_up() {
                scan.aggregate(aggregate, self.table, rows, &groups)?
            } else {
                Column::Counts(Vec::new())
            });
        }
        Ok((groups, own))
    }

    /// The groups of the segment with the last `level` keys left out.
    fn level(
        &self,
        scan: &Scan<'_>,
        rows: &RowSet,
        groups: &Groups,
        own: &[Column],
        level: usize,
    ) -> Result<Grouped> {
        let kept = self.groups.len().saturating_sub(level);
        let (mut keys, mut index) = (Keys::new(kept), Index::new());
        let mut coarser: Vec<u32> = Vec::with_capacity(groups.keys.len());
        for key in groups.keys.iter() {
            let place = index.place(&mut keys, key.get(..kept).unwrap_or(key));
            coarser.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
        let mut columns = Vec::with_capacity(self.aggregates.len());
        for (aggregate, own) in self.aggregates.iter().zip(own) {
            if let Combine::DistinctRows(above) = aggregate.combine {
                let tables = (self.table, above);
                let coarser = (coarser.as_slice(), keys.len());
                columns.push(scan.distinct_rows(aggregate, tables, rows, groups, coarser)?);
                continue;
            }
            let mut column = Column::new(aggregate.combine, keys.len());
            column.join(&coarser, &mut own.clone(), 0);
            columns.push(column);
        }
        Ok(Grouped { keys, columns })
    }
}

/// Ends a step that somebody looks at.
pub(crate) fn tell(open: Option<Open<'_>>, asked: u64, left: u64) {
    if let Some(open) = open {
        open.rows(asked, left);
    }
}
