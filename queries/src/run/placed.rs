//! Maps: counts of codes by place, from the borders of places to the columns of the answer. The
//! pieces follow each other in places, so that only their borders meet; a place is a number until
//! it is written.
//!
//! Invariant: what is given is what groups give (`borders`, `finish`); where that cannot be said,
//! nothing is given and the question is answered by groups.

use yiku::kernel::Held;
use yiku::{PathTree, Segment, Snapshot};

use super::aggregate::Column;
use super::borders::{Counting, Told, merged};
use super::keys::Cell;
use super::lanes::{Lane, held, kind, values};
use super::morsels::{self, Morsel};
use super::spread::{fold, over};
use crate::answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
use crate::check::{Group, Shape};
use crate::error::Result;
use crate::plan::{Key, Plan, Within};

/// Stands for what is of no place of the level: no place has this number, and it stands last.
const UNKNOWN: i64 = i64::MAX;

/// Rows of an answer that are worth a second thread, and groups of pieces that are kept apart.
/// Tests have few of either.
const ROWS: usize = if cfg!(test) { 4 } else { 1 << 13 };
const APART: usize = if cfg!(test) { 8 } else { 1 << 18 };

/// Places with their counts by aggregate.
#[derive(Default)]
struct Placed {
    places: Vec<i64>,
    counts: Vec<Vec<u64>>,
}

impl Placed {
    fn new(aggregates: usize) -> Self {
        Self { places: Vec::new(), counts: vec![Vec::new(); aggregates] }
    }

    fn reserve(&mut self, more: usize) {
        self.places.reserve(more);
        self.counts.iter_mut().for_each(|own| own.reserve(more));
    }

    /// Adds what a piece has; whether its groups are places.
    fn add(&mut self, told: &Told) -> bool {
        let Told { cells, counts, .. } = told;
        let place = |cell: &Cell| match cell {
            Cell::Int(place) => *place,
            _ => UNKNOWN,
        };
        let is_place = |cell: &Cell| match cell {
            Cell::Int(place) => *place != UNKNOWN,
            Cell::Unknown => true,
            _ => false,
        };
        let fits = counts.iter().all(|own| own.len() == cells.len());
        if !fits || counts.len() != self.counts.len() || !cells.iter().all(is_place) {
            return false;
        }
        let from = self.meets(cells.first().map(place), counts);
        self.places.extend(cells.iter().skip(from).map(place));
        self.count(counts, from);
        true
    }

    /// Whether the first of other places is the last of these, whose counts it joins.
    fn meets(&mut self, first: Option<i64>, others: &[Vec<u64>]) -> usize {
        let meets = first.is_some() && self.places.last().copied() == first;
        for (own, others) in self.counts.iter_mut().zip(others).filter(|_| meets) {
            if let Some((slot, more)) = own.last_mut().zip(others.first()) {
                *slot += more;
            }
        }
        usize::from(meets)
    }

    fn count(&mut self, others: &[Vec<u64>], from: usize) {
        for (own, others) in self.counts.iter_mut().zip(others) {
            own.extend_from_slice(others.get(from..).unwrap_or_default());
        }
    }

    /// All of some pieces, each place once and in their order.
    fn all(mut pieces: Vec<(usize, Self)>) -> Self {
        pieces.sort_by_key(|(piece, _)| *piece);
        let size: usize = pieces.iter().map(|(_, own)| own.places.len()).sum();
        let mut pieces = pieces.into_iter();
        let Some((_, mut all)) = pieces.next() else { return Self::default() };
        all.reserve(size - all.places.len());
        for (_, other) in pieces {
            let from = all.meets(other.places.first().copied(), &other.counts);
            all.places.extend_from_slice(other.places.get(from..).unwrap_or_default());
            all.count(&other.counts, from);
        }
        if all.places.is_sorted_by(|a, b| a < b) { all } else { all.ordered() }
    }

    /// The same places in their order, each once.
    fn ordered(&self) -> Self {
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        let place = |at: &usize| self.places.get(*at).copied().unwrap_or(UNKNOWN);
        order.sort_by_key(place);
        let mut all = Self::new(self.counts.len());
        for same in order.chunk_by(|a, b| place(a) == place(b)) {
            all.places.extend(same.first().map(place));
            for (own, counts) in all.counts.iter_mut().zip(&self.counts) {
                own.push(same.iter().filter_map(|at| counts.get(*at)).sum());
            }
        }
        all
    }

    /// The places; none for what is of no place.
    fn known(&self) -> impl ExactSizeIterator<Item = Option<i64>> {
        self.places.iter().map(|place| (*place != UNKNOWN).then_some(*place))
    }

    /// Some of the places, by where they stand.
    fn some(&self, chosen: &[usize]) -> Self {
        let of = |own: &Vec<u64>| chosen.iter().filter_map(|at| own.get(*at).copied()).collect();
        Self {
            places: chosen.iter().filter_map(|at| self.places.get(*at).copied()).collect(),
            counts: self.counts.iter().map(of).collect(),
        }
    }
}

/// What a thread has found: places of pieces that follow each other together, with the number of
/// the first and the last of these.
#[derive(Default)]
struct Found<'a> {
    matched: u64,
    pieces: Vec<(usize, Placed)>,
    last: usize,
    /// Groups that were met, and how many they were when they were joined last.
    groups: usize,
    joined: usize,
    /// Something was met that this is not for.
    other: bool,
    held: Vec<Held<'a>>,
}

impl Plan {
    /// The answer to a question for counts of codes by place; none to any other.
    pub(super) fn placed(&self, snapshot: &Snapshot, within: Within<'_>) -> Result<Option<Answer>> {
        let [group] = self.groups.as_slice() else { return Ok(None) };
        let is_plain = self.moments.is_empty() && self.compared.is_empty() && !self.totals;
        let is_whole = self.left.is_none() && self.protection.is_none() && self.top.is_none();
        let numbers = self.measures.iter().all(|own| matches!(own.shape, Shape::Number(_)));
        // Nothing is counted twice for a measure that is none of a map.
        let none = vec![Vec::new(); self.aggregates.len()];
        let fit = || self.measures.iter().all(|own| values(own, &none, 0).is_some());
        let Some(counting) = (is_plain && is_whole && numbers && fit())
            .then(|| self.counting(&self.levels(), within))
            .flatten()
        else {
            return Ok(None);
        };
        let pieces = self.morsels(snapshot, within)?;
        let within = counting.worth(&pieces, within);
        let Some((found, matched)) = self.counted(&counting, &merged(pieces), snapshot, within)?
        else {
            return Ok(None);
        };
        let Some(chosen) = self.chosen(&found) else { return Ok(None) };
        let (shown, total_rows) = match chosen {
            None => (found, None),
            Some((chosen, total)) => (found.some(&chosen), Some(total)),
        };
        let rows = shown.places.len();
        let total_rows = total_rows.unwrap_or(rows);
        let columns = self.columns_placed(group, &shown, snapshot.tree(), within)?;
        Ok(columns.map(|columns| Answer {
            total_rows,
            truncated: rows < total_rows,
            ..self.whole_answer(columns, rows, matched)
        }))
    }

    /// The places of all pieces, and how many rows the filter left.
    fn counted(
        &self,
        counting: &Counting<'_>,
        morsels: &[Morsel],
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Option<(Placed, u64)>> {
        let segments = within.segments(snapshot);
        let states = fold(
            within,
            morsels.len(),
            || Ok(Found::default()),
            |state, item| {
                let Some(morsel) = morsels.get(item) else { return Ok(()) };
                let Some(segment) = segments.get(morsel.segment).filter(|_| !state.other) else {
                    return Ok(());
                };
                let piece = (&morsel.roots, snapshot);
                let left = morsels.len() - item;
                match self.told(counting, segment, piece, within)? {
                    Some(told) => self.meet(state, (item, left), &told, within),
                    None => self.row_by_row(state, item, (segment, morsel), snapshot, within),
                }
            },
        )?;
        let (mut pieces, mut matched) = (Vec::new(), 0);
        let mut held = Vec::new();
        for state in states {
            if state.other {
                return Ok(None);
            }
            matched += state.matched;
            pieces.extend(state.pieces);
            held.push(state.held);
        }
        let size = pieces.iter().map(|(_, own)| own.places.len() as u64).sum();
        held.push(vec![self.hold_places(size, within)?]);
        let all = Placed::all(pieces);
        within.limits.groups_fit(all.places.len())?;
        Ok(Some((all, matched)))
    }

    fn hold_places<'a>(&self, places: u64, within: Within<'a>) -> Result<Held<'a>> {
        let bytes = (self.aggregates.len() as u64 + 1).saturating_mul(8);
        Ok(within.run.hold(places.saturating_mul(bytes))?)
    }

    /// Adds what a piece has, and those behind it, so many with it, will have about.
    fn meet<'a>(
        &self,
        state: &mut Found<'a>,
        (item, left): (usize, usize),
        told: &Told,
        within: Within<'a>,
    ) -> Result<()> {
        state.matched += told.matched;
        state.groups += told.cells.len();
        state.held.push(self.hold_places(told.cells.len() as u64, within)?);
        if state.pieces.is_empty() || !(state.last..=state.last + 1).contains(&item) {
            let mut own = Placed::new(self.aggregates.len());
            if state.pieces.is_empty() {
                own.reserve(told.cells.len().saturating_mul(left).min(APART));
            }
            state.pieces.push((item, own));
        }
        state.last = item;
        let is_added = state.pieces.last_mut().is_some_and(|(_, own)| own.add(told));
        state.other |= !is_added;
        // Where every piece has all places again, they are not kept apart.
        if state.groups > APART.max(state.joined.saturating_mul(4)) {
            let _both = self.hold_places(state.groups as u64, within)?;
            let all = Placed::all(std::mem::take(&mut state.pieces));
            within.limits.groups_fit(all.places.len())?;
            (state.groups, state.joined) = (all.places.len(), all.places.len());
            state.held = vec![self.hold_places(state.groups as u64, within)?];
            state.pieces.push((item, all));
        }
        Ok(())
    }

    /// Adds what the rows of a piece have, where borders do not tell.
    fn row_by_row<'a>(
        &self,
        state: &mut Found<'a>,
        item: usize,
        (segment, morsel): (&Segment, &Morsel),
        snapshot: &Snapshot,
        within: Within<'a>,
    ) -> Result<()> {
        for roots in morsels::cut(segment, self.table, morsel.roots.clone())? {
            within.run.check()?;
            let scan = self.scan(segment, &Morsel { roots, ..*morsel }, within)?;
            let mut part = self.part(&[0], &scan, snapshot)?;
            let Some(grouped) = part.levels.pop() else { continue };
            let counts = grouped.columns.into_iter().map(|own| match own {
                Column::Counts(counts) => counts,
                _ => Vec::new(),
            });
            let cells = grouped.keys.iter().flatten().cloned().collect();
            let told = Told { matched: part.matched, cells, counts: counts.collect() };
            self.meet(state, (item, 1), &told, within)?;
        }
        Ok(())
    }

    /// Which places are shown, by where they stand, and of how many; all in their order where
    /// nothing is said, nothing where lanes do not tell.
    #[expect(clippy::option_option, reason = "all, some, and not to be told are three things")]
    fn chosen(&self, found: &Placed) -> Option<Option<(Vec<usize>, usize)>> {
        let size = found.places.len();
        let counts = (found.counts.as_slice(), 0..size);
        let mut order: Vec<usize> = match &self.having {
            None if self.order.is_empty() && self.limit.is_none() && self.offset == 0 => {
                return Some(None);
            }
            None => (0..size).collect(),
            Some(having) => {
                let held = held(having, &counts)?;
                let kept =
                    |(at, found): (usize, &Option<bool>)| (*found == Some(true)).then_some(at);
                held.iter().enumerate().filter_map(kept).collect()
            }
        };
        let total = order.len();
        let last = self.offset.saturating_add(self.limit.unwrap_or(usize::MAX)).min(total);
        let mut lanes = Vec::with_capacity(self.order.len());
        for (key, descending) in &self.order {
            let lane = match key {
                Key::Measure(place) => Lane::of_measure(self.measures.get(*place)?, &counts)?,
                // What is of no place stands last in both directions.
                Key::Group(_) => Lane::Exact(match descending {
                    false => found.places.clone(),
                    true => found.places.iter().map(|own| turned(*own)).collect(),
                }),
            };
            lanes.push((lane, *descending && matches!(key, Key::Measure(_))));
        }
        let by = |a: &usize, b: &usize| {
            let orders = lanes.iter().map(|(lane, falls)| lane.stands((*a, *b), *falls));
            orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(a.cmp(b))
        };
        if !lanes.is_empty() {
            if last > 0 && last < total {
                order.select_nth_unstable_by(last - 1, by);
            }
            order.truncate(last);
            order.sort_unstable_by(by);
        }
        order.truncate(last);
        order.drain(..self.offset.min(order.len()));
        Some(Some((order, total)))
    }

    /// The columns of the answer; none where lanes do not hold a measure.
    fn columns_placed(
        &self,
        group: &Group,
        found: &Placed,
        tree: &PathTree,
        within: Within<'_>,
    ) -> Result<Option<Vec<AnswerColumn>>> {
        let threads = if found.places.len() < ROWS { 1 } else { within.threads };
        let made = over(Within { threads, ..within }, self.measures.len() + 2, |at| {
            Ok(match at.checked_sub(2) {
                None if at == 0 => Some(Values::Text(Self::digits(group, found.known(), tree))),
                None => Some(Values::Text(Self::names(group, found.known(), tree))),
                Some(at) => self
                    .measures
                    .get(at)
                    .and_then(|own| values(own, &found.counts, found.places.len())),
            })
        })?;
        let Some(mut made) = made.into_iter().collect::<Option<Vec<_>>>().map(Vec::into_iter)
        else {
            return Ok(None);
        };
        let (Some(digits), Some(Values::Text(names))) = (made.next(), made.next()) else {
            return Ok(None);
        };
        let column = |name: &String, kind, role, values| AnswerColumn {
            name: name.clone(),
            kind,
            unit: None,
            role,
            values,
            labels: None,
            hidden: Vec::new(),
        };
        let first = column(&group.name, AnswerKind::Path, Role::Group, digits);
        let mut columns = vec![AnswerColumn { labels: Some(names), ..first }];
        for (own, values) in self.measures.iter().zip(made) {
            let column = column(&own.name, kind(own), Role::Measure, values);
            columns.push(AnswerColumn { unit: own.unit.clone(), ..column });
        }
        Ok(Some(columns))
    }
}

/// A number that rises where a place falls.
fn turned(place: i64) -> i64 {
    if place == UNKNOWN {
        UNKNOWN
    } else {
        place.checked_neg().map_or(UNKNOWN - 1, |own| own.min(UNKNOWN - 1))
    }
}
