//! Who entered, left, stayed and moved between two versions: rows are the same where their keys
//! are.
//!
//! Versions share files. A row that lives in both of them stays in its group unless a condition
//! reads it otherwise, so that only the keys of the others are read.
//!
//! Invariant: as between two days, what was before is what left, stayed and moved, what is after
//! is what entered, stayed and moved, in every group; also where several rows have one key: a row
//! that stays takes itself off both sides, which leaves the pairs of the others as they are.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use yiku::kernel::Held;
use yiku::{RowSet, Segment, Snapshot};

use super::flow::{Fate, Move, OUTSIDE, counted, numbers};
use super::keys::{Cell, Groups};
use super::morsels::{Morsel, cut};
use super::scan::{Scan, bounds};
use super::{fold, tell};
use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::plan::{Plan, Within};

/// The question at both versions.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) before: Side,
    pub(crate) after: Side,
}

/// The question bound to a version.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) snapshot: Snapshot,
    pub(crate) plan: Plan,
}

/// Bytes of a key with the number of its group, about.
const KEY_BYTES: u64 = 56;

/// A short key as a number, which is quick to compare: its letters, and how many it has.
fn short(text: &str) -> Option<u128> {
    let mut bytes = [0; 16];
    let (size, slots) = bytes.split_last_mut()?;
    *size = u8::try_from(text.len()).ok().filter(|_| text.len() <= slots.len())?;
    slots.iter_mut().zip(text.bytes()).for_each(|(slot, byte)| *slot = byte);
    Some(u128::from_le_bytes(bytes))
}

/// The key of a row, and the number of its group.
type Keyed<K> = (K, u32);

/// Rows by their keys: those of short keys, and of long ones.
type Rows = (Vec<Keyed<u128>>, Vec<Keyed<Box<str>>>);

/// Rows that the filter finds, by their keys, each with the number of its group.
#[derive(Default)]
struct Found {
    rows: Rows,
    groups: Vec<Vec<Cell>>,
    numbers: HashMap<Vec<Cell>, u32>,
}

impl Found {
    fn number(&mut self, group: &[Cell]) -> u32 {
        if let Some(number) = self.numbers.get(group) {
            return *number;
        }
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.groups.push(group.to_vec());
        self.numbers.insert(group.to_vec(), number);
        number
    }
}

/// What a thread has found.
#[derive(Default)]
struct Met<'a> {
    stayed: HashMap<Vec<Cell>, u64>,
    before: Found,
    after: Found,
    held: Vec<Held<'a>>,
}

/// A piece of a segment that one version or both have.
enum Piece {
    Both(usize, Morsel),
    Before(Morsel),
    After(Morsel),
}

/// Whether two plans find the same rows in the same groups where the rows are the same.
fn same(before: &Side, after: &Side) -> bool {
    let (a, b) = (&before.plan, &after.plan);
    let conditions = |plan: &Plan| plan.filter.iter().map(|(_, c)| c.clone()).collect::<Vec<_>>();
    let scope = |plan: &Plan| plan.scope.as_ref().map(|scope| scope.condition().clone());
    let (tree, other) = (before.snapshot.tree(), after.snapshot.tree());
    a.table == b.table
        && a.groups == b.groups
        && scope(a) == scope(b)
        && conditions(a) == conditions(b)
        && (std::ptr::eq(tree, other) || tree == other)
}

impl Plan {
    /// The answer to a question for flows between versions.
    pub(super) fn exchanged(&self, exchange: &Exchange, within: Within<'_>) -> Result<Answer> {
        let Exchange { before, after } = exchange;
        let met = exchange.met(within)?;
        let open = within.open(About::Count, self);
        let mut groups: Vec<Vec<Cell>> =
            met.before.groups.iter().chain(&met.after.groups).cloned().collect();
        groups.sort_unstable();
        groups.dedup();
        within.limits.groups_fit(groups.len())?;
        let sides = [Mutex::new(met.before), Mutex::new(met.after)];
        let states = fold(
            within,
            sides.len(),
            || Ok(Vec::new()),
            |own, item| {
                if let Some(side) = sides.get(item) {
                    let mut side = side.lock().unwrap_or_else(PoisonError::into_inner);
                    own.push((item, ordered(&mut side, &groups)));
                }
                Ok(())
            },
        )?;
        let mut sides: Vec<(usize, Rows)> = states.into_iter().flatten().collect();
        sides.sort_unstable_by_key(|(item, _)| *item);
        let mut sides = sides.into_iter().map(|(_, rows)| rows);
        let (then, now) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
        let mut pairs: HashMap<(Option<u32>, Option<u32>), u64> = HashMap::new();
        // Most rows have the pair of the one before.
        let (mut last, mut count) = ((None, None), 0u64);
        let mut add = |pair| {
            if pair != last {
                *pairs.entry(last).or_insert(0) += count;
                (last, count) = (pair, 0);
            }
            count += 1;
        };
        joined(&then.0, &now.0, &mut add);
        joined(&then.1, &now.1, &mut add);
        *pairs.entry(last).or_insert(0) += count;
        pairs.retain(|_, count| *count > 0);
        let mut counts: BTreeMap<Move, u64> = BTreeMap::new();
        let stayed = met.stayed.into_iter();
        counts.extend(stayed.map(|(group, count)| ((Fate::Stayed, group.clone(), group), count)));
        for ((from, to), count) in pairs {
            let fate = match (from, to) {
                (None, _) => Fate::Entered,
                (_, None) => Fate::Left,
                _ if from == to => Fate::Stayed,
                _ => Fate::Moved,
            };
            let group = |at: Option<u32>| groups.get(at? as usize).cloned();
            let key = (fate, group(from).unwrap_or_default(), group(to).unwrap_or_default());
            *counts.entry(key).or_insert(0) += count;
            within.limits.groups_fit(counts.len())?;
        }
        within.limits.groups_fit(counts.len())?;
        let matched: u64 = counts.values().sum();
        tell(open, matched, counts.len() as u64);
        let sides = [before, after].map(|side| (&side.plan.groups[..], &side.snapshot));
        self.flow_answer(sides, counts, matched)
    }

    /// The rows among some for which the filter is true.
    fn among(&self, scan: &Scan<'_>, mut rows: RowSet) -> Result<RowSet> {
        let scope = self.scope.iter().map(crate::scope::Scope::condition);
        for condition in scope.chain(self.filter.iter().map(|(_, condition)| condition)) {
            rows = scan.rows(condition, true, &rows)?;
        }
        Ok(rows)
    }
}

/// The rows in the order of their keys and of their groups among those of both sides.
fn ordered(found: &mut Found, groups: &[Vec<Cell>]) -> Rows {
    let number = |group: &Vec<Cell>| groups.binary_search(group).unwrap_or(0);
    let numbers: Vec<u32> =
        found.groups.iter().map(|g| u32::try_from(number(g)).unwrap_or(u32::MAX)).collect();
    let (mut rows, mut long) = std::mem::take(&mut found.rows);
    renumber(&mut rows, &numbers);
    renumber(&mut long, &numbers);
    rows.sort_unstable();
    long.sort_unstable();
    (rows, long)
}

fn renumber<K>(rows: &mut [Keyed<K>], numbers: &[u32]) {
    for (_, group) in rows {
        *group = numbers.get(*group as usize).copied().unwrap_or(0);
    }
}

impl Exchange {
    /// All rows of either side, a segment at a time: whoever looks on wants to know what becomes of
    /// both versions.
    fn watched<'a>(&'a self, within: Within<'a>) -> Result<Met<'a>> {
        let mut met = Met::default();
        for (side, is_before) in [(&self.before, true), (&self.after, false)] {
            let open = within.open(About::Whole, &side.plan);
            let mut rows = 0;
            for morsel in side.plan.morsels(&side.snapshot, within)? {
                within.begin(&side.snapshot, morsel.segment);
                let Some(segment) = within.segments(&side.snapshot).get(morsel.segment) else {
                    continue;
                };
                let scan = side.plan.scan(segment, &morsel, within)?;
                let found = side.plan.matching(&scan)?;
                rows += found.count();
                side.keyed(&scan, &found, &mut met, is_before)?;
            }
            tell(open, rows, rows);
        }
        Ok(met)
    }

    /// The pieces of both versions: those of files that both have once.
    fn pieces(&self, is_same: bool, within: Within<'_>) -> Result<Vec<Piece>> {
        let Self { before, after } = self;
        let (then, now) = (within.segments(&before.snapshot), within.segments(&after.snapshot));
        // By segment of the one version the same of the other.
        let mut taken = vec![false; then.len()];
        let mut shared = vec![None; now.len()];
        let mut pieces = Vec::new();
        for (place, segment) in now.iter().enumerate() {
            let mut pairs = then.iter().zip(&mut taken).enumerate();
            let found = pairs.find(|(_, (then, taken))| !**taken && then.shares_file(segment));
            let Some((other, (_, taken))) = found else { continue };
            *taken = true;
            if let Some(slot) = shared.get_mut(place) {
                *slot = Some(other);
            }
            if !is_same {
                for roots in cut(segment, after.plan.table, 0..segment.rows(0))? {
                    pieces.push(Piece::Both(other, Morsel { segment: place, roots }));
                }
            }
        }
        for morsel in after.plan.morsels(&after.snapshot, within)? {
            match shared.get(morsel.segment).copied().flatten() {
                Some(_) if !is_same => {}
                Some(at) => pieces.push(Piece::Both(at, morsel)),
                None => pieces.push(Piece::After(morsel)),
            }
        }
        let alone = before.plan.morsels(&before.snapshot, within)?.into_iter();
        let alone = alone.filter(|m| !taken.get(m.segment).copied().unwrap_or(false));
        pieces.extend(alone.map(Piece::Before));
        Ok(pieces)
    }

    /// Who stayed, and the keys of the others on either side.
    fn met<'a>(&'a self, within: Within<'a>) -> Result<Met<'a>> {
        let Self { before, after } = self;
        if within.probe.is_some() {
            return self.watched(within);
        }
        let (then, now) = (within.segments(&before.snapshot), within.segments(&after.snapshot));
        let is_same = same(before, after);
        let pieces = self.pieces(is_same, within)?;
        let states = fold(
            within,
            pieces.len(),
            || Ok(Met::default()),
            |met: &mut Met<'a>, item| {
                within.run.check()?;
                match pieces.get(item) {
                    Some(Piece::Both(at, morsel)) => {
                        let (Some(then), Some(now)) = (then.get(*at), now.get(morsel.segment))
                        else {
                            return Ok(());
                        };
                        self.in_both(then, now, morsel, is_same, within, met)
                    }
                    Some(Piece::Before(morsel)) => before.alone(then, morsel, within, met, true),
                    Some(Piece::After(morsel)) => after.alone(now, morsel, within, met, false),
                    None => Ok(()),
                }
            },
        )?;
        let mut met = Met::default();
        for other in states {
            for (group, count) in other.stayed {
                *met.stayed.entry(group).or_insert(0) += count;
            }
            for (own, other) in [(&mut met.before, other.before), (&mut met.after, other.after)] {
                let numbers: Vec<u32> = other.groups.iter().map(|g| own.number(g)).collect();
                let (mut rows, mut long) = other.rows;
                renumber(&mut rows, &numbers);
                renumber(&mut long, &numbers);
                own.rows.0.append(&mut rows);
                own.rows.1.append(&mut long);
            }
            met.held.extend(other.held);
        }
        Ok(met)
    }

    /// Adds the rows of a piece that both versions have.
    fn in_both<'a>(
        &'a self,
        then: &'a Segment,
        now: &'a Segment,
        morsel: &Morsel,
        is_same: bool,
        within: Within<'a>,
        met: &mut Met<'a>,
    ) -> Result<()> {
        let Self { before, after } = self;
        let table = after.plan.table;
        let (old, new) =
            (before.plan.scan(then, morsel, within)?, after.plan.scan(now, morsel, within)?);
        let mut left = then.live_in(table, old.window(table))?;
        let mut entered = now.live_in(table, new.window(table))?;
        if is_same {
            let mut both = left.clone();
            both.and(&entered);
            left.and_not(&both);
            entered.and_not(&both);
            let stayed = after.plan.among(&new, both)?;
            if !stayed.is_empty() {
                let tree = after.snapshot.tree();
                let groups = new.groups(&after.plan.groups, table, tree, &stayed)?;
                met.stay(&groups, &stayed);
            }
            left = before.plan.among(&old, left)?;
            entered = after.plan.among(&new, entered)?;
        } else {
            left = before.plan.among(&old, left)?;
            entered = after.plan.among(&new, entered)?;
            let stayed = self.stayed(&old, &left, &new, &entered, met)?;
            left.and_not(&stayed);
            entered.and_not(&stayed);
        }
        before.keyed(&old, &left, met, true)?;
        after.keyed(&new, &entered, met, false)
    }

    /// The rows that both versions find in the same group, counted.
    fn stayed(
        &self,
        old: &Scan<'_>,
        left: &RowSet,
        new: &Scan<'_>,
        entered: &RowSet,
        met: &mut Met<'_>,
    ) -> Result<RowSet> {
        let Self { before, after } = self;
        let mut both = left.clone();
        both.and(entered);
        if both.is_empty() {
            return Ok(both);
        }
        let _held = new.run.hold(bounds(&both).len() as u64 * 8)?;
        let (a, b) = (&before.plan, &after.plan);
        let from = old.groups(&a.groups, a.table, before.snapshot.tree(), &both)?;
        let to = new.groups(&b.groups, b.table, after.snapshot.tree(), &both)?;
        if !(a.groups.is_empty() && b.groups.is_empty()) {
            let place = |key: &[Cell]| from.keys.iter().position(|own| own == key);
            let number = |at: usize| u32::try_from(at).unwrap_or(OUTSIDE);
            let same: Vec<u32> =
                to.keys.iter().map(|key| place(key).map_or(OUTSIDE, number)).collect();
            let (start, was) = (bounds(&both).start, numbers(&from, &both, &both));
            let is = numbers(&to, &both, &both);
            let pairs = (start..).zip(was.into_iter().zip(is));
            for (row, (was, is)) in pairs {
                let own = same.get(is as usize).copied().unwrap_or(OUTSIDE);
                if own == OUTSIDE || own != was {
                    both.remove(row);
                }
            }
        }
        met.stay(&to, &both);
        Ok(both)
    }
}

impl Met<'_> {
    fn stay(&mut self, groups: &Groups, rows: &RowSet) {
        for (key, count) in groups.keys.iter().zip(counted(groups, rows)) {
            if count > 0 {
                *self.stayed.entry(key.to_vec()).or_insert(0) += count;
            }
        }
    }
}

impl Side {
    /// Adds the rows of a piece that only this version has.
    fn alone<'a>(
        &'a self,
        segments: &'a [Segment],
        morsel: &Morsel,
        within: Within<'a>,
        met: &mut Met<'a>,
        is_before: bool,
    ) -> Result<()> {
        let Some(segment) = segments.get(morsel.segment) else { return Ok(()) };
        let scan = self.plan.scan(segment, morsel, within)?;
        let rows = self.plan.matching(&scan)?;
        self.keyed(&scan, &rows, met, is_before)
    }

    /// Adds the keys and groups of some rows.
    fn keyed<'a>(
        &self,
        scan: &Scan<'a>,
        rows: &RowSet,
        met: &mut Met<'a>,
        is_before: bool,
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let plan = &self.plan;
        met.held.push(scan.run.hold(rows.count().saturating_mul(KEY_BYTES))?);
        let found = if is_before { &mut met.before } else { &mut met.after };
        let groups = scan.groups(&plan.groups, plan.table, self.snapshot.tree(), rows)?;
        let own: Vec<u32> = groups.keys.iter().map(|group| found.number(group)).collect();
        scan.limits.groups_fit(found.groups.len())?;
        let places = match plan.groups.is_empty() {
            true => Vec::new(),
            false => numbers(&groups, rows, rows),
        };
        let open = scan.within.open(About::Keys, plan);
        let key = plan.schema.tables.get(plan.table).map_or(0, |table| table.key);
        let start = bounds(rows).start;
        let size = |found: &Found| found.rows.0.len() + found.rows.1.len();
        let before = size(found);
        scan.segment.column(plan.table, key)?.texts_of(rows, &mut |row, text| {
            let place = places.get(row.wrapping_sub(start) as usize).copied().unwrap_or(0);
            let group = own.get(place as usize).copied().unwrap_or(0);
            match short(text) {
                Some(key) => found.rows.0.push((key, group)),
                None => found.rows.1.push((Box::from(text), group)),
            }
        })?;
        if (size(found) - before) as u64 != rows.count() {
            let what = "a key of a row that a flow between versions counts".to_owned();
            return Err(Error::Overflow { what });
        }
        tell(open, rows.count(), rows.count());
        Ok(())
    }
}

/// Visits every row of two sorted lists, those of one key together: those in one group first,
/// the others as they stand, and what is left on either side alone.
fn joined<K: Ord>(
    before: &[Keyed<K>],
    after: &[Keyed<K>],
    visit: &mut dyn FnMut((Option<u32>, Option<u32>)),
) {
    let (mut a, mut b) = (before, after);
    while let (Some((one, _)), Some((other, _))) = (a.first(), b.first()) {
        match one.cmp(other) {
            Ordering::Less => {
                let (own, rest) = of_key(a);
                own.iter().for_each(|(_, group)| visit((Some(*group), None)));
                a = rest;
            }
            Ordering::Greater => {
                let (own, rest) = of_key(b);
                own.iter().for_each(|(_, group)| visit((None, Some(*group))));
                b = rest;
            }
            Ordering::Equal => {
                let ((own, rest), (next, others)) = (of_key(a), of_key(b));
                paired(own, next, visit);
                (a, b) = (rest, others);
            }
        }
    }
    a.iter().for_each(|(_, group)| visit((Some(*group), None)));
    b.iter().for_each(|(_, group)| visit((None, Some(*group))));
}

/// The rows of the first key, and the others.
fn of_key<K: Ord>(rows: &[Keyed<K>]) -> (&[Keyed<K>], &[Keyed<K>]) {
    let key = rows.first().map(|(key, _)| key);
    let count = rows.iter().take_while(|(own, _)| Some(own) == key).count();
    rows.split_at(count)
}

fn paired<K>(
    before: &[Keyed<K>],
    after: &[Keyed<K>],
    visit: &mut dyn FnMut((Option<u32>, Option<u32>)),
) {
    if let ([(_, own)], [(_, next)]) = (before, after) {
        return visit((Some(*own), Some(*next)));
    }
    let groups = |rows: &[Keyed<K>]| rows.iter().map(|(_, g)| *g).collect::<Vec<u32>>();
    let (mut own, mut next) = (groups(before), groups(after));
    own.retain(|group| match next.iter().position(|other| other == group) {
        Some(place) => {
            visit((Some(*group), Some(next.remove(place))));
            false
        }
        None => true,
    });
    let longest = own.len().max(next.len());
    for place in 0..longest {
        visit((own.get(place).copied(), next.get(place).copied()));
    }
}

#[cfg(test)]
mod tests {
    use super::{Keyed, joined, short};

    #[test]
    fn rows_of_one_key_are_paired() {
        let rows = |list: &[(&str, u32)]| -> Vec<Keyed<Option<u128>>> {
            list.iter().map(|(key, group)| (short(key), *group)).collect()
        };
        let before = rows(&[("a", 1), ("b", 1), ("b", 2), ("d", 1), ("e", 3), ("e", 3)]);
        let after = rows(&[("b", 2), ("b", 3), ("c", 1), ("d", 1), ("e", 3), ("f", 2)]);
        let mut found = Vec::new();
        joined(&before, &after, &mut |pair| found.push(pair));
        let one = Some(1);
        assert_eq!(
            found,
            [
                (one, None),
                (Some(2), Some(2)),
                (one, Some(3)),
                (None, one),
                (one, one),
                (Some(3), Some(3)),
                (Some(3), None),
                (None, Some(2)),
            ]
        );
    }
}
