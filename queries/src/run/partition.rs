//! A piece of a segment: its rows by the values of a key, a set of rows for each value.
//!
//! Where a key has few values and indexes or comparisons tell who has which, sets are quicker than
//! a number for every row: groups are counted by counting bits, and rows of two keys are the rows
//! that two sets share.
//!
//! Invariant: the sets of a key are apart, and together they are the rows that were asked about.

use std::collections::HashMap;
use std::ops::Range;

use yiku::{PathTree, Predicate, RowSet};

use super::keys::{Assignment, Cell, Groups, place_runs};
use super::scan::{Scan, bounds, set_bytes};
use crate::bound::{Term, Value};
use crate::check::{Bands, Bounds, Group, GroupKind};
use crate::error::Result;

/// A set for each of more values than this is no longer quicker than a number for each row.
const SETS: usize = 128;

/// Rows of some groups: those of a set, by the ranges of rows that they lie in.
pub(super) struct Shared {
    pub(super) rows: RowSet,
    pub(super) slices: Vec<(Range<u32>, u32)>,
}

/// The values of a key, and the rows that have each.
type Parts = Vec<(Cell, RowSet)>;

/// The places of a key in runs of rows: behind the last row of a run, its place.
type Runs = Vec<(u32, Cell)>;

impl Scan<'_> {
    /// The groups of some rows as sets; none where a key has too many values for it.
    pub(super) fn shared_groups(
        &self,
        by: &[Group],
        table: usize,
        tree: &PathTree,
        rows: &RowSet,
    ) -> Result<Option<Groups>> {
        let most = by.iter().fold(1usize, |most, group| most.saturating_mul(values(self, group)));
        let is_path = |group: &&Group| matches!(group.kind, GroupKind::Level(_) | GroupKind::Path);
        if !self.limits.indexes || most > SETS || by.iter().all(|group| is_path(&group)) {
            return Ok(None);
        }
        // Keys of places are ranges of rows; what they hold is told apart in the end.
        let mut runs: Vec<Runs> = Vec::new();
        let mut parts: Vec<(Vec<Cell>, RowSet)> = vec![(Vec::new(), rows.clone())];
        for group in by {
            let open = self.within.open(crate::explain::probe::About::Group, group);
            match &group.kind {
                GroupKind::Level(level) => {
                    runs.push(self.place_runs(Some(*level), table, tree, rows)?);
                }
                GroupKind::Path => runs.push(self.place_runs(None, table, tree, rows)?),
                kind => {
                    let own = self.parts(kind, table, rows)?;
                    parts = crossed(&parts, &own);
                    let sets = (own.len() + parts.len()) as u64;
                    self.keep(set_bytes(rows.len_rows()).saturating_mul(sets))?;
                }
            }
            if let Some(open) = open {
                open.rows(rows.count(), rows.count());
            }
        }
        let slices = common(&runs, bounds(rows).end);
        let (numbers, count) = numbered(&slices);
        let mut keys: Vec<Vec<Cell>> = Vec::new();
        let mut shared = Vec::with_capacity(parts.len());
        for (cells, set) in parts {
            let mut own: Vec<(Range<u32>, u32)> = Vec::new();
            // The group of each place, once it is met.
            let mut groups: Vec<Option<u32>> = vec![None; count];
            let mut from = bounds(rows).start;
            for ((end, places), number) in slices.iter().zip(&numbers) {
                let range = from..*end;
                from = *end;
                if !set.any_in(range.clone()) {
                    continue;
                }
                let Some(group) = groups.get_mut(*number) else { continue };
                let group = *group.get_or_insert_with(|| {
                    keys.push(interleaved(by, &cells, places));
                    u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
                });
                own.push((range, group));
            }
            shared.push(Shared { rows: set, slices: own });
        }
        Ok(Some(Groups { keys, assignment: Assignment::Sets(shared) }))
    }

    /// Places of a level in runs of rows of `table`.
    fn place_runs(
        &self,
        level: Option<usize>,
        table: usize,
        tree: &PathTree,
        rows: &RowSet,
    ) -> Result<Runs> {
        let (runs, cells) = place_runs(self, level, table, tree, rows)?;
        let cell = |place: u32| cells.get(place as usize).cloned().unwrap_or(Cell::Unknown);
        Ok(runs.into_iter().map(|(end, place)| (end, cell(place))).collect())
    }

    /// The rows of each value of a key that sets serve ([`values`]).
    fn parts(&self, kind: &GroupKind, table: usize, rows: &RowSet) -> Result<Parts> {
        match kind {
            GroupKind::Flag(condition) => {
                let (yes, no) = self.both(condition, rows)?;
                let mut unknown = rows.clone();
                unknown.and_not(&yes);
                unknown.and_not(&no);
                Ok(met([(Cell::Int(0), no), (Cell::Int(1), yes), (Cell::Unknown, unknown)]))
            }
            GroupKind::Code { list, value } => {
                let size = self.schema.lists.get(*list).map_or(0, |list| list.codes.len());
                if let Some((home, column)) = column_of(value) {
                    let own = self.lift(rows, table, home)?;
                    if let Some(apart) = self.segment.column(home, column)?.apart(&own)? {
                        let sets = apart.into_iter().filter(|(code, _)| in_list(*code, size));
                        return self.placed(sets, own, (home, table), rows);
                    }
                }
                let codes = (0i64..).take(size).map(|code| (code, code));
                self.ranged(value, codes, table, rows)
            }
            GroupKind::Band { value, bands } => match &bands.bounds {
                Bounds::Exact(list) => self.ranged(value, rising(list), table, rows),
                Bounds::Falling(list) => self.ranged(value, falling(list), table, rows),
                Bounds::Float(_) => Ok(Parts::new()),
            },
            _ => Ok(Parts::new()),
        }
    }

    /// The rows whose value in a column lies in each of some ranges that are apart; the others
    /// are not known.
    fn ranged(
        &self,
        value: &Value,
        ranges: impl Iterator<Item = (i64, i64)>,
        table: usize,
        rows: &RowSet,
    ) -> Result<Parts> {
        let Some((home, column)) = column_of(value) else { return Ok(Parts::new()) };
        let own = self.lift(rows, table, home)?;
        let mut left = own.clone();
        let mut sets = Vec::new();
        for (place, (min, max)) in (0i64..).zip(ranges) {
            if left.is_empty() {
                break;
            }
            let found = self.kept_of(home, column, &Predicate::Range { min, max }, &left)?;
            left.and_not(&found);
            sets.push((place, found));
        }
        self.placed(sets.into_iter(), own, (home, table), rows)
    }

    /// The rows of `table` beneath sets of rows of `home`, each with the place of its value; those
    /// beneath others of `own` are not known.
    fn placed(
        &self,
        sets: impl Iterator<Item = (i64, RowSet)>,
        mut own: RowSet,
        (home, table): (usize, usize),
        rows: &RowSet,
    ) -> Result<Parts> {
        let mut parts = Vec::new();
        for (place, set) in sets {
            own.and_not(&set);
            parts.push((Cell::Int(place), set));
        }
        parts.push((Cell::Unknown, own));
        if home != table {
            for (_, set) in &mut parts {
                *set = self.spread(set, home, table)?;
                set.and(rows);
            }
        }
        Ok(met(parts))
    }
}

/// The table and the column that a value is read from.
fn column_of(value: &Value) -> Option<(usize, usize)> {
    match &value.kind {
        Term::Column(column) => Some((value.table, *column)),
        Term::Spread(inner) => column_of(inner),
        _ => None,
    }
}

/// Whether a code is one of a list of so many.
fn in_list(code: i64, size: usize) -> bool {
    usize::try_from(code).is_ok_and(|code| code < size)
}

/// How many values a key may have; more than [`SETS`] where sets do not serve it.
fn values(scan: &Scan<'_>, group: &Group) -> usize {
    match &group.kind {
        GroupKind::Level(_) | GroupKind::Path => 1,
        GroupKind::Flag(_) => 3,
        GroupKind::Code { list, value } if column_of(value).is_some() => {
            scan.schema.lists.get(*list).map_or(0, |list| list.codes.len()) + 1
        }
        GroupKind::Band { value, bands: Bands { names, bounds, .. } }
            if column_of(value).is_some() && !matches!(bounds, Bounds::Float(_)) =>
        {
            names.len() + 1
        }
        _ => SETS + 1,
    }
}

/// The values of each band of rising bounds.
fn rising(bounds: &[i64]) -> impl Iterator<Item = (i64, i64)> {
    (0..=bounds.len()).map(|band| {
        let low = band.checked_sub(1).and_then(|before| bounds.get(before)).copied();
        let high = bounds.get(band).and_then(|bound| bound.checked_sub(1));
        // Below the least number there is none.
        let low = low.unwrap_or(i64::MIN);
        match bounds.get(band) {
            Some(_) if high.is_none() => (1, 0),
            _ => (low, high.unwrap_or(i64::MAX)),
        }
    })
}

/// The values of each band of falling bounds.
fn falling(bounds: &[i64]) -> impl Iterator<Item = (i64, i64)> {
    (0..=bounds.len()).map(|band| {
        let high = band.checked_sub(1).and_then(|before| bounds.get(before)).copied();
        let low = bounds.get(band).map(|bound| bound.checked_add(1));
        match low {
            Some(None) => (1, 0),
            Some(Some(low)) => (low, high.unwrap_or(i64::MAX)),
            None => (i64::MIN, high.unwrap_or(i64::MAX)),
        }
    })
}

/// Those with any row.
fn met(parts: impl IntoIterator<Item = (Cell, RowSet)>) -> Parts {
    parts.into_iter().filter(|(_, set)| !set.is_empty()).collect()
}

/// The rows of each pair of values.
fn crossed(parts: &[(Vec<Cell>, RowSet)], own: &Parts) -> Vec<(Vec<Cell>, RowSet)> {
    let mut found = Vec::with_capacity(parts.len() * own.len());
    for (cells, set) in parts {
        for (cell, other) in own {
            let mut both = set.clone();
            both.and(other);
            if !both.is_empty() {
                found.push(([cells.as_slice(), std::slice::from_ref(cell)].concat(), both));
            }
        }
    }
    found
}

/// Runs in which no key of places changes: behind the last row, the place of each.
fn common(runs: &[Runs], end: u32) -> Vec<(u32, Vec<Cell>)> {
    let mut found: Vec<(u32, Vec<Cell>)> = vec![(end, Vec::new())];
    for own in runs {
        let mut next = Vec::with_capacity(found.len() + own.len());
        let (mut a, mut b) = (found.iter().peekable(), own.iter().peekable());
        while let (Some((x, places)), Some((y, place))) = (a.peek(), b.peek()) {
            let (x, y) = (*x, *y);
            next.push((x.min(y), [places.as_slice(), std::slice::from_ref(place)].concat()));
            if x <= y {
                a.next();
            }
            if y <= x {
                b.next();
            }
        }
        found = next;
    }
    found
}

/// A number for the places of each run, the same where they are met again, and how many there
/// are. Places stand in their order but for those of a level above.
fn numbered(slices: &[(u32, Vec<Cell>)]) -> (Vec<usize>, usize) {
    let mut known: HashMap<&[Cell], usize> = HashMap::new();
    let mut numbers = Vec::with_capacity(slices.len());
    for (_, places) in slices {
        let next = known.len();
        numbers.push(*known.entry(places.as_slice()).or_insert(next));
    }
    (numbers, known.len())
}

/// The cells of a group in the order of its keys.
fn interleaved(by: &[Group], cells: &[Cell], places: &[Cell]) -> Vec<Cell> {
    let (mut cells, mut places) = (cells.iter(), places.iter());
    let next = |group: &Group| {
        let own = match group.kind {
            GroupKind::Level(_) | GroupKind::Path => places.next(),
            _ => cells.next(),
        };
        own.cloned().unwrap_or(Cell::Unknown)
    };
    by.iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(value: i64, ranges: impl Iterator<Item = (i64, i64)>) -> Vec<usize> {
        let inside = |(_, (low, high)): &(usize, (i64, i64))| (*low..=*high).contains(&value);
        ranges.enumerate().filter(inside).map(|(band, _)| band).collect()
    }

    #[test]
    fn places_that_are_met_again_have_one_number() {
        let run = |end: u32, place: i64| (end, vec![Cell::Int(place)]);
        let unknown = |end: u32| (end, vec![Cell::Unknown]);
        let slices = [run(3, 11), unknown(5), run(9, 12), unknown(20), run(30, 13)];
        assert_eq!(numbered(&slices), (vec![0, 1, 2, 1, 3], 4));
        assert_eq!(numbered(&[]), (Vec::new(), 0));
    }

    #[test]
    fn a_value_lies_in_one_band() {
        for bounds in [vec![0, 18, 60], vec![i64::MIN, 3], vec![5, i64::MAX], vec![7]] {
            let back: Vec<i64> = bounds.iter().rev().copied().collect();
            for value in [i64::MIN, -1, 0, 5, 6, 7, 17, 18, 59, 60, i64::MAX] {
                let rises = bounds.iter().filter(|bound| **bound <= value).count();
                assert_eq!(band(value, rising(&bounds)), [rises], "{value} in {bounds:?}");
                let falls = back.iter().filter(|bound| **bound >= value).count();
                assert_eq!(band(value, falling(&back)), [falls], "{value} in {back:?}");
            }
        }
    }
}
