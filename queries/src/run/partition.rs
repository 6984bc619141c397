//! A piece of a segment: its rows by the values of a key, a set of rows for each value.
//!
//! Where a key has few values and indexes or comparisons tell who has which, sets are quicker than
//! a number for every row: groups are counted by counting bits, and rows of two keys are the rows
//! that two sets share.
//!
//! Invariant: the sets of a key are apart, and together they are the rows that were asked about.

use std::ops::Range;

use yiku::{PathTree, Predicate, RowSet};

use super::grouped::Keys;
use super::keys::{Assignment, Cell, Groups, place_runs};
use super::pairs::Numbers;
use super::scan::{Scan, bounds, set_bytes};
use crate::bound::{Term, Value};
use crate::check::{Bands, Bounds, Group, GroupKind};
use crate::error::Result;

/// A set for each of more values than this is no longer quicker than a number for each row.
pub(super) const SETS: usize = 128;

/// Sets times places up to which groups are numbered place by place, so that keys rise.
const TOGETHER: usize = 1 << 18;

/// Rows of some groups: those of a set, by the ranges of rows that they lie in.
pub(super) struct Shared {
    pub(super) rows: RowSet,
    pub(super) slices: Vec<(Range<u32>, u32)>,
}

/// The values of a key, and the rows that have each.
pub(super) type Parts = Vec<(Cell, RowSet)>;

/// Runs of rows: behind the last row of each, the number of its places, and the places of every
/// number.
pub(super) type Runs = (Vec<(u32, u32)>, Keys);

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
        let mut own = Keys::new(0);
        own.push(&[]);
        let mut runs: Runs = (vec![(bounds(rows).end, 0)], own);
        let mut parts: Vec<(Vec<Cell>, RowSet)> = vec![(Vec::new(), rows.clone())];
        for group in by {
            let open = self.within.open(crate::explain::probe::About::Group, group);
            let level = match &group.kind {
                GroupKind::Level(level) => Some(Some(*level)),
                GroupKind::Path => Some(None),
                _ => None,
            };
            if let Some(level) = level {
                runs = common(runs, place_runs(self, level, table, tree, rows)?);
            } else {
                let own = self.parts(&group.kind, table, rows)?;
                let sets = own.len();
                parts = crossed(parts, own);
                let sets = (sets + parts.len()) as u64;
                self.keep(set_bytes(rows.len_rows()).saturating_mul(sets))?;
            }
            if let Some(open) = open {
                open.rows(rows.count(), rows.count());
            }
        }
        let (keys, shared) = numbered(by, parts, &runs, bounds(rows).start);
        Ok(Some(Groups { keys, assignment: Assignment::Sets(shared) }))
    }

    /// The rows of each value of a key that sets serve ([`values`]).
    pub(super) fn parts(&self, kind: &GroupKind, table: usize, rows: &RowSet) -> Result<Parts> {
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
                Bounds::Exact(list) => self.banded((value, list, false), table, rows),
                Bounds::Falling(list) => self.banded((value, list, true), table, rows),
                Bounds::Float(_) => Ok(Parts::new()),
            },
            _ => Ok(Parts::new()),
        }
    }

    /// The rows whose value in a column lies in each of the bands of rising bounds, or of falling
    /// ones.
    fn banded(
        &self,
        (value, bounds, falls): (&Value, &[i64], bool),
        table: usize,
        rows: &RowSet,
    ) -> Result<Parts> {
        let Some((home, column)) = column_of(value) else { return Ok(Parts::new()) };
        let cuts = cuts(bounds, falls);
        let own = self.lift(rows, table, home)?;
        let mut lower = own.clone();
        let read = self.segment.column(home, column)?;
        read.keep_in(&Predicate::Known, &mut lower)?;
        let mut sets = Vec::with_capacity(cuts.len() + 1);
        for upper in read.reached(&cuts, &lower)? {
            lower.and_not(&upper);
            sets.push(std::mem::replace(&mut lower, upper));
        }
        sets.push(lower);
        // What would lie beyond the greatest number is nowhere.
        sets.resize_with(bounds.len() + 1, || self.none(home));
        if falls {
            sets.reverse();
        }
        self.placed((0i64..).zip(sets), own, (home, table), rows)
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
pub(super) fn column_of(value: &Value) -> Option<(usize, usize)> {
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
pub(super) fn values(scan: &Scan<'_>, group: &Group) -> usize {
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

/// Where the bands of rising bounds, or of falling ones, begin but the lowest, rising. The band
/// beyond the greatest number has no beginning.
fn cuts(bounds: &[i64], falls: bool) -> Vec<i64> {
    match falls {
        true => bounds.iter().rev().filter_map(|bound| bound.checked_add(1)).collect(),
        false => bounds.to_vec(),
    }
}

/// Those with any row.
fn met(parts: impl IntoIterator<Item = (Cell, RowSet)>) -> Parts {
    parts.into_iter().filter(|(_, set)| !set.is_empty()).collect()
}

/// The rows of each pair of values.
fn crossed(parts: Vec<(Vec<Cell>, RowSet)>, own: Parts) -> Vec<(Vec<Cell>, RowSet)> {
    if let [(cells, _)] = parts.as_slice()
        && cells.is_empty()
    {
        return own.into_iter().map(|(cell, set)| (vec![cell], set)).collect();
    }
    let mut found = Vec::with_capacity(parts.len() * own.len());
    for (cells, set) in parts {
        for (cell, other) in &own {
            let both = set.both(other);
            if !both.is_empty() {
                found.push(([cells.as_slice(), std::slice::from_ref(cell)].concat(), both));
            }
        }
    }
    found
}

/// Runs in which neither the places before nor those of one more key change.
pub(super) fn common((before, keys): Runs, (own, cells): (Vec<(u32, u32)>, Vec<Cell>)) -> Runs {
    if keys.width() == 0 {
        return (own, Keys::single(cells));
    }
    let mut numbers = Numbers::new(keys.len(), cells.len());
    let mut runs = Vec::with_capacity(before.len() + own.len());
    let (mut a, mut b) = (before.iter().peekable(), own.iter().peekable());
    while let (Some((x, place)), Some((y, other))) = (a.peek(), b.peek()) {
        let (x, y) = (*x, *y);
        runs.push((x.min(y), numbers.of(*place, *other)));
        if x <= y {
            a.next();
        }
        if y <= x {
            b.next();
        }
    }
    let mut both = Keys::new(keys.width() + 1);
    for (place, other) in &numbers.met {
        let cell = cells.get(*other as usize).unwrap_or(&Cell::Unknown);
        both.extend(keys.get(*place as usize).iter().chain([cell]).cloned());
    }
    (runs, both)
}

/// The groups of rows by the set and by the run of places that they lie in, from a first row on:
/// those that any row has, numbered so that keys rise where they can.
fn numbered(
    by: &[Group],
    parts: Vec<(Vec<Cell>, RowSet)>,
    (runs, places): &Runs,
    start: u32,
) -> (Keys, Vec<Shared>) {
    let mut keys = Keys::new(by.len());
    let (heads, mut shared) = parts
        .into_iter()
        .map(|(cells, rows)| (cells, Shared { rows, slices: Vec::new() }))
        .collect::<(Vec<_>, Vec<_>)>();
    let mut meet = |at: usize, group: Option<&mut u32>, (range, place): (Range<u32>, u32)| {
        let Some(own) = shared.get_mut(at).filter(|own| own.rows.any_in(range.clone())) else {
            return;
        };
        let Some(group) = group else { return };
        if *group == u32::MAX {
            *group = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            let head = heads.get(at).map_or(&[][..], Vec::as_slice);
            keys.extend(interleaved(by, head, places.get(place as usize)));
        }
        own.slices.push((range, *group));
    };
    let starts = std::iter::once(start).chain(runs.iter().map(|(end, _)| *end));
    let slices = starts.zip(runs).map(|(from, (end, place))| (from..*end, *place));
    let first = by.first().map(|group| &group.kind);
    let pairs = heads.len().saturating_mul(places.len());
    // The group of each place in each set, once it is met: of all sets, or of one.
    if matches!(first, Some(GroupKind::Level(_) | GroupKind::Path)) && pairs <= TOGETHER {
        let mut groups = vec![u32::MAX; pairs];
        for slice in slices {
            let own = groups.chunks_mut(heads.len().max(1)).nth(slice.1 as usize);
            for (at, group) in own.unwrap_or_default().iter_mut().enumerate() {
                meet(at, Some(group), slice.clone());
            }
        }
    } else {
        let mut groups = vec![u32::MAX; places.len()];
        for at in 0..heads.len() {
            groups.fill(u32::MAX);
            slices.clone().for_each(|slice| meet(at, groups.get_mut(slice.1 as usize), slice));
        }
    }
    (keys, shared)
}

/// The cells of a group in the order of its keys.
pub(super) fn interleaved(
    by: &[Group],
    cells: &[Cell],
    places: &[Cell],
) -> impl Iterator<Item = Cell> {
    let (mut cells, mut places) = (cells.iter(), places.iter());
    let next = move |group: &Group| {
        let own = match group.kind {
            GroupKind::Level(_) | GroupKind::Path => places.next(),
            _ => cells.next(),
        };
        own.cloned().unwrap_or(Cell::Unknown)
    };
    by.iter().map(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_two_keys_change_where_either_does() {
        let mut none = Keys::new(0);
        none.push(&[]);
        let int = |place: i64| Cell::Int(place);
        let first = (vec![(3, 0), (5, 1), (9, 2), (20, 1)], vec![int(11), Cell::Unknown, int(12)]);
        let runs = common((vec![(20, 0)], none), first.clone());
        assert_eq!((&runs.0, &runs.1), (&first.0, &Keys::single(first.1)));
        let (runs, keys) = common(runs, (vec![(4, 0), (20, 1)], vec![int(1), int(2)]));
        assert_eq!(runs, [(3, 0), (4, 1), (5, 2), (9, 3), (20, 2)]);
        let found: Vec<&[Cell]> = keys.iter().collect();
        let unknown = Cell::Unknown;
        assert_eq!(
            found,
            [[int(11), int(1)], [unknown.clone(), int(1)], [unknown, int(2)], [int(12), int(2)]]
        );
    }

    #[test]
    fn groups_of_places_and_sets_rise() {
        let mut code = Keys::new(1);
        (1..=3).for_each(|place| code.push(&[Cell::Int(place * 10)]));
        let runs: Runs = (vec![(4, 0), (6, 1), (10, 2), (12, 1)], code);
        let path = Group { kind: GroupKind::Path, name: String::new() };
        let date = Group { kind: GroupKind::Date(Value::column(0, 0)), name: String::new() };
        let set = |rows: &[u32]| {
            let mut set = RowSet::none_in(0..12);
            rows.iter().for_each(|row| set.insert(*row));
            set
        };
        let parts = || {
            let (men, women) = (set(&[0, 5, 11]), set(&[1, 2, 8]));
            vec![(vec![Cell::Int(1)], men), (vec![Cell::Int(2)], women)]
        };
        for (by, expected) in [
            ([path.clone(), date.clone()], [[10, 1], [10, 2], [20, 1], [30, 2]]),
            ([date, path], [[1, 10], [1, 20], [2, 10], [2, 30]]),
        ] {
            let (keys, shared) = numbered(&by, parts(), &runs, 0);
            let expected: Vec<Vec<Cell>> =
                expected.iter().map(|key| key.map(Cell::Int).to_vec()).collect();
            assert_eq!(keys.iter().collect::<Vec<_>>(), expected);
            let groups: Vec<usize> = shared.iter().map(|own| own.slices.len()).collect();
            // The second place is met twice.
            assert_eq!(groups, [3, 2]);
        }
    }

    #[test]
    fn a_value_lies_in_one_band() {
        for bounds in [vec![0, 18, 60], vec![i64::MIN, 3], vec![5, i64::MAX], vec![7]] {
            let back: Vec<i64> = bounds.iter().rev().copied().collect();
            for value in [i64::MIN, -1, 0, 5, 6, 7, 17, 18, 59, 60, i64::MAX] {
                let reached = |cuts: Vec<i64>| cuts.iter().filter(|cut| **cut <= value).count();
                let rises = bounds.iter().filter(|bound| **bound <= value).count();
                assert_eq!(reached(cuts(&bounds, false)), rises, "{value} in {bounds:?}");
                let falls = back.iter().filter(|bound| **bound >= value).count();
                let found = back.len() - reached(cuts(&back, true));
                assert_eq!(found, falls, "{value} in {back:?}");
            }
        }
    }
}
