//! A piece of a segment: its rows counted by several keys at once.
//!
//! Who only counts needs no rows of any group. Where most rows are asked about, the sets of each
//! key are joined some words at a time and counted as they are joined; where few are, each row has
//! a number made of the places of its values.
//!
//! Invariant: the counts are those of the groups that [`Scan::groups`] gives.

use yiku::{PathTree, RowSet};

use super::grouped::Keys;
use super::keys::{Cell, place_runs};
use super::partition::{Parts, Runs, SETS, column_of, common, interleaved, values};
use super::scan::{Scan, base, bounds, set_bytes};
use crate::check::{Bounds, Group, GroupKind};
use crate::error::Result;

/// Runs of places up to so many are counted one by one.
const RUNS: usize = 64;

/// Where fewer rows than one in so many are asked about, each has a number.
const FEW: u64 = 8;

/// Words that are joined at once.
const TILE: usize = 64;

/// A key of few values: its cells, and how far two neighbours of them are apart in a count's place.
struct Axis<'g> {
    kind: &'g GroupKind,
    cells: Vec<Cell>,
    stride: usize,
}

/// The places of counts.
struct Grid<'g> {
    axes: Vec<Axis<'g>>,
    runs: Runs,
    /// How far two neighbouring places are apart, and how many counts there are.
    stride: usize,
    size: usize,
}

/// Whether a key is a place.
fn is_path(group: &Group) -> bool {
    matches!(group.kind, GroupKind::Level(_) | GroupKind::Path)
}

impl Scan<'_> {
    /// The groups of some rows and how many rows each has; none where keys have too many values
    /// for it.
    pub(super) fn crossed_counts(
        &self,
        by: &[Group],
        table: usize,
        tree: &PathTree,
        rows: &RowSet,
    ) -> Result<Option<(Keys, Vec<u64>)>> {
        let most = by.iter().fold(1usize, |most, group| most.saturating_mul(values(self, group)));
        let plain = !self.limits.indexes || self.within.probe.is_some();
        if plain || most > SETS || by.iter().all(is_path) {
            return Ok(None);
        }
        let few = rows.count().saturating_mul(FEW) < u64::from(rows.len_rows())
            && by.iter().all(|group| is_path(group) || own_column(&group.kind, table).is_some());
        // The sets of one key are counted as they are.
        if !few && by.iter().filter(|group| !is_path(group)).count() < 2 {
            return Ok(None);
        }
        let mut own = Keys::new(0);
        own.push(&[]);
        let mut runs: Runs = (vec![(bounds(rows).end, 0)], own);
        for group in by {
            let level = match &group.kind {
                GroupKind::Level(level) => Some(*level),
                GroupKind::Path => None,
                _ => continue,
            };
            runs = common(runs, place_runs(self, level, table, tree, rows)?);
        }
        if runs.0.len() > RUNS {
            return Ok(None);
        }
        let mut sets: Vec<Vec<RowSet>> = Vec::new();
        let mut axes = Vec::with_capacity(by.len());
        for Group { kind, .. } in by.iter().filter(|group| !is_path(group)) {
            let cells = if few {
                let size = i64::try_from(self.size_of(kind)).unwrap_or(0);
                (0..size).map(Cell::Int).chain([Cell::Unknown]).collect()
            } else {
                let parts: Parts = self.parts(kind, table, rows)?;
                self.keep(set_bytes(rows.len_rows()).saturating_mul(parts.len() as u64))?;
                let (cells, own) = parts.into_iter().collect::<(Vec<Cell>, Vec<RowSet>)>();
                sets.push(own);
                cells
            };
            axes.push(Axis { kind, cells, stride: 1 });
        }
        let grid = Grid::new(by, axes, runs);
        let counts = match few {
            true => self.numbered_counts(&grid, table, rows)?,
            false => grid.joined_counts(&sets, rows),
        };
        Ok(Some(grid.met(by, &counts)))
    }

    /// How many values a key may have, beside none.
    fn size_of(&self, kind: &GroupKind) -> usize {
        match kind {
            GroupKind::Code { list, .. } => {
                self.schema.lists.get(*list).map_or(0, |list| list.codes.len())
            }
            GroupKind::Band { bands, .. } => bands.names.len(),
            _ => 0,
        }
    }

    /// The counts of few rows, each of which has the number of its count.
    fn numbered_counts(&self, grid: &Grid<'_>, table: usize, rows: &RowSet) -> Result<Vec<u64>> {
        let size = rows.count();
        let _held = self.run.hold(size.saturating_mul(16))?;
        let mut numbers = vec![0u32; usize::try_from(size).unwrap_or(0)];
        let mut found = Vec::new();
        for axis in &grid.axes {
            let Some(column) = own_column(axis.kind, table) else { continue };
            found.clear();
            let known = self.segment.column(table, column)?.known_values(rows, &mut found)?;
            let stride = u32::try_from(axis.stride).unwrap_or(0);
            let unknown = u32::try_from(axis.cells.len().saturating_sub(1)).unwrap_or(0);
            if found.len() == numbers.len() {
                add_places(axis.kind, &found, (unknown, stride), &mut numbers);
                continue;
            }
            let less = unknown * stride;
            numbers.iter_mut().for_each(|number| *number += less);
            let mut places = vec![0u32; found.len()];
            add_places(axis.kind, &found, (unknown, stride), &mut places);
            let mut places = places.into_iter();
            each_known(rows, &known, |at| {
                if let Some((number, place)) = numbers.get_mut(at).zip(places.next()) {
                    *number = *number - less + place;
                }
            });
        }
        let mut left = numbers.as_slice();
        let mut counts = vec![0u64; grid.size];
        let mut start = bounds(rows).start;
        for (end, place) in &grid.runs.0 {
            let own = usize::try_from(rows.count_range(start..*end)).unwrap_or(0);
            let (own, rest) = left.split_at(own.min(left.len()));
            let part = counts.get_mut(*place as usize * grid.stride..).unwrap_or_default();
            for number in own {
                if let Some(count) = part.get_mut(*number as usize) {
                    *count += 1;
                }
            }
            (left, start) = (rest, *end);
        }
        Ok(counts)
    }
}

/// The column of a table that a key of a code or of bands is read from.
fn own_column(kind: &GroupKind, table: usize) -> Option<usize> {
    let value = match kind {
        GroupKind::Code { value, .. } => value,
        GroupKind::Band { value, bands } if !matches!(bands.bounds, Bounds::Float(_)) => value,
        _ => return None,
    };
    column_of(value).filter(|(home, _)| *home == table).map(|(_, column)| column)
}

/// Adds the places of values among the cells of a key, so many times, to numbers.
fn add_places(kind: &GroupKind, values: &[i64], (unknown, times): (u32, u32), out: &mut [u32]) {
    match kind {
        GroupKind::Code { .. } => added(out, values, |value| {
            let code = value.cast_unsigned().min(unknown.into());
            u32::try_from(code).unwrap_or(unknown).wrapping_mul(times)
        }),
        GroupKind::Band { bands, .. } => match &bands.bounds {
            // Bounds are few: a pass for each is faster than a search for every row.
            Bounds::Exact(list) => list.iter().for_each(|bound| {
                added(out, values, |value| u32::from(*bound <= value).wrapping_mul(times));
            }),
            Bounds::Falling(list) => list.iter().for_each(|bound| {
                added(out, values, |value| u32::from(value <= *bound).wrapping_mul(times));
            }),
            Bounds::Float(_) => {}
        },
        _ => {}
    }
}

/// Adds what is made of each value to a number.
fn added(out: &mut [u32], values: &[i64], make: impl Fn(i64) -> u32) {
    yiku::cpu::best(
        #[inline(always)]
        || {
            let pairs = out.iter_mut().zip(values);
            pairs.for_each(|(slot, value)| *slot = slot.wrapping_add(make(*value)));
        },
    );
}

/// Calls `visit` with the place among the rows of a set of each row of a part of it.
fn each_known(rows: &RowSet, known: &RowSet, mut visit: impl FnMut(usize)) {
    let mut before = 0usize;
    for (word, own) in rows.words().iter().zip(known.words()) {
        let mut rest = *own;
        while rest != 0 {
            let bit = rest & rest.wrapping_neg();
            visit(before + (word & (bit - 1)).count_ones() as usize);
            rest ^= bit;
        }
        before += word.count_ones() as usize;
    }
}

impl<'g> Grid<'g> {
    /// Counts lie in the order of the keys, the last of them the nearest.
    fn new(by: &[Group], mut axes: Vec<Axis<'g>>, runs: Runs) -> Self {
        let (mut size, mut stride) = (1usize, 0usize);
        let mut own = axes.iter_mut().rev();
        let first = by.iter().position(is_path).unwrap_or(0);
        for (at, group) in by.iter().enumerate().rev() {
            if !is_path(group) {
                if let Some(axis) = own.next() {
                    axis.stride = size;
                    size = size.saturating_mul(axis.cells.len());
                }
            } else if at == first {
                stride = size;
                size = size.saturating_mul(runs.1.len());
            }
        }
        Self { axes, runs, stride, size }
    }

    /// The counts of rows by the sets that they lie in, of each key one.
    fn joined_counts(&self, sets: &[Vec<RowSet>], rows: &RowSet) -> Vec<u64> {
        let mut counts = vec![0u64; self.size];
        let Some((last, before)) = sets.split_last() else { return counts };
        // Where the counts of each pair of sets but those of the last key lie.
        let mut places = vec![0usize];
        for axis in self.axes.iter().take(before.len()) {
            let own = (0..axis.cells.len()).map(|cell| cell * axis.stride);
            let each = |place: &usize| own.clone().map(|next| place + next).collect::<Vec<_>>();
            places = places.iter().flat_map(each).collect();
        }
        let near = self.axes.last().map_or(1, |axis| axis.stride);
        let mut start = bounds(rows).start;
        for (end, place) in &self.runs.0 {
            let own = rows.within(start..*end);
            let at = (base(&own).saturating_sub(base(rows)) / 64) as usize;
            let found = counted(own.words(), at, before, last, places.len());
            let first = *place as usize * self.stride;
            for (own, place) in found.chunks(last.len().max(1)).zip(&places) {
                for (count, cell) in own.iter().zip(0..) {
                    if let Some(slot) = counts.get_mut(first + place + cell * near) {
                        *slot += count;
                    }
                }
            }
            start = *end;
        }
        counts
    }

    /// The groups that have rows, and their counts.
    fn met(&self, by: &[Group], counts: &[u64]) -> (Keys, Vec<u64>) {
        let (mut keys, mut found) = (Keys::new(by.len()), Vec::new());
        let mut head = vec![Cell::Unknown; self.axes.len()];
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            for (slot, axis) in head.iter_mut().zip(&self.axes) {
                let cell = at / axis.stride.max(1) % axis.cells.len().max(1);
                *slot = axis.cells.get(cell).cloned().unwrap_or(Cell::Unknown);
            }
            let place = at.checked_div(self.stride).unwrap_or(0) % self.runs.1.len().max(1);
            keys.extend(interleaved(by, &head, self.runs.1.get(place)));
            found.push(*count);
        }
        (keys, found)
    }
}

/// How many rows lie in each set of the last key, for each choice of a set of every key before.
/// Words of rows stand from place `at` on in those of the sets. The sets of a key are apart, and
/// together they hold the rows.
fn counted(
    rows: &[u64],
    at: usize,
    before: &[Vec<RowSet>],
    last: &[RowSet],
    size: usize,
) -> Vec<u64> {
    let mut counts = vec![0u64; size * last.len()];
    let mut nodes = vec![[0u64; TILE]; size];
    for (from, chunk) in (at..).step_by(TILE).zip(rows.chunks(TILE)) {
        let part = from..from + chunk.len();
        if let Some(first) = nodes.first_mut() {
            first.iter_mut().zip(chunk).for_each(|(slot, word)| *slot = *word);
        }
        let mut made = 1;
        for key in before {
            for node in (0..made).rev() {
                let Some(whole) = nodes.get(node).copied() else { continue };
                let slots = nodes.get_mut(node * key.len()..).unwrap_or_default();
                for (slot, set) in slots.iter_mut().zip(key) {
                    let own = set.words().get(part.clone()).unwrap_or_default();
                    both(&whole, own, slot);
                }
            }
            made *= key.len();
        }
        for (node, counts) in nodes.iter().zip(counts.chunks_mut(last.len().max(1))) {
            let own = last.iter().map(|set| set.words().get(part.clone()).unwrap_or_default());
            tally(node.get(..chunk.len()).unwrap_or_default(), own, counts);
        }
    }
    counts
}

fn both(whole: &[u64; TILE], set: &[u64], part: &mut [u64; TILE]) {
    yiku::cpu::best(
        #[inline(always)]
        || {
            let words = whole.iter().zip(set);
            part.iter_mut().zip(words).for_each(|(slot, (word, own))| *slot = word & own);
        },
    );
}

/// Adds how many rows of some words lie in each set; the last has what the others leave.
fn tally<'a>(rows: &[u64], sets: impl ExactSizeIterator<Item = &'a [u64]>, counts: &mut [u64]) {
    yiku::cpu::best(
        #[inline(always)]
        || {
            let ones = |sum: u64, word: u64| sum.wrapping_add(word.count_ones().into());
            let mut left = rows.iter().fold(0u64, |sum, word| ones(sum, *word));
            if left == 0 {
                return;
            }
            let behind = sets.len().saturating_sub(1);
            for (set, count) in sets.zip(counts.iter_mut()).take(behind) {
                let own = rows.iter().zip(set).fold(0u64, |sum, (a, b)| ones(sum, a & b));
                *count = count.wrapping_add(own);
                left = left.wrapping_sub(own);
            }
            if let Some(count) = counts.get_mut(behind) {
                *count = count.wrapping_add(left);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::super::tests::{Drawn, House, answer, written};
    use super::*;
    use crate::{Limits, Plan, Query};

    #[test]
    fn sets_are_counted_as_row_by_row() {
        let mixed = |n: u32| n.wrapping_mul(2_654_435_761).rotate_left(13);
        for (start, end) in [(0u32, 70u32), (100, 9_000), (64, 128), (63, 4_200)] {
            let part = |salt: u32, size: u32| -> Vec<RowSet> {
                let mut sets = vec![RowSet::none_in(start..end); size as usize];
                for row in start..end {
                    if let Some(set) = sets.get_mut((mixed(row ^ salt) % size) as usize) {
                        set.insert(row);
                    }
                }
                sets
            };
            let (a, b, c) = (part(1, 3), part(2, 2), part(3, 4));
            let rows = RowSet::all_in(start..end);
            for own in [start..end, start + 7..end - 1] {
                let asked = rows.within(own.clone());
                let at = (base(&asked) - base(&rows)) / 64;
                let found = counted(
                    asked.words(),
                    at as usize,
                    &[a.clone(), b.clone()],
                    &c,
                    a.len() * b.len(),
                );
                let mut expected = Vec::new();
                for (one, two) in a.iter().flat_map(|one| b.iter().map(move |two| (one, two))) {
                    for three in &c {
                        let inside = |row: &u32| one.contains(*row) && two.contains(*row);
                        let both = own.clone().filter(inside);
                        expected.push(both.filter(|row| three.contains(*row)).count() as u64);
                    }
                }
                assert_eq!(found, expected, "{own:?} of {start}..{end}");
            }
        }
    }

    #[test]
    fn crossed_keys_count_as_a_look_at_every_row() {
        let mut drawn = Drawn(11);
        let mut houses: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
        for _ in 0..900 {
            let mut own = vec![("a", (drawn.below(20) == 0).to_string())];
            for (column, share) in [("b", 3), ("floors", 4), ("built", 5)] {
                let value = match column {
                    "b" => (drawn.below(2) == 0).to_string(),
                    "floors" => drawn.below(12).to_string(),
                    _ => format!("{}-03-07", 1930 + drawn.below(95)),
                };
                if drawn.below(share) > 0 {
                    own.push((column, value));
                }
            }
            houses.push((*drawn.one_of(&["1101", "1102", "1201"]), own));
        }
        let lists: Vec<(&str, Vec<(&str, &str)>)> = houses
            .iter()
            .map(|(place, own)| (*place, own.iter().map(|(n, v)| (*n, v.as_str())).collect()))
            .collect();
        let rows: Vec<House<'_>> = lists.iter().map(|(place, own)| (*place, &own[..])).collect();
        let (_folder, snapshot) = written(&rows, &[]);
        for filter in ["", "where a", "where floors = 7", "where built < 1940-01-01"] {
            for by in [
                "band(floors, 0, 3, 8)",
                "band(floors, 0, 3, 8), band(age(built), 0, 18, 60)",
                "place.street, band(floors, 0, 3, 8), band(age(built), 0, 18, 60)",
                "band(age(built), 0, 18, 60), place.city, b, band(floors, 1, 3)",
            ] {
                let text = format!("from house {filter} by {by}");
                let found = answer(&snapshot, &text);
                let plain = Limits { indexes: false, ..Limits::default() };
                let query = Query::parse(&text).unwrap();
                let plan = Plan::new(&query, &snapshot).unwrap();
                assert_eq!(found, plan.run(&snapshot, &plain).unwrap(), "{text}");
                assert!(found.rows > 0, "{text}");
            }
        }
    }

    #[test]
    fn places_among_rows_are_their_ranks() {
        let (mut rows, mut known) = (RowSet::none_in(70..400), RowSet::none_in(70..400));
        (70..400).filter(|row| row % 3 == 1).for_each(|row| rows.insert(row));
        (70..400).filter(|row| row % 15 == 4).for_each(|row| known.insert(row));
        let mut found = Vec::new();
        each_known(&rows, &known, |at| found.push(at));
        let expected: Vec<usize> =
            (0..).zip(rows.iter()).filter(|(_, row)| row % 15 == 4).map(|(at, _)| at).collect();
        assert_eq!(found, expected);
    }
}
