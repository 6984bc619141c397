//! A piece of a segment: which group each row belongs to.
//!
//! Rows are sorted by path, so that places are runs of rows and need no value a row. Keys of few
//! values are sets of rows (`partition`); where that does not serve, every row has the number of
//! its group. Groups are numbered densely in the order in which they are met.

use std::collections::HashMap;
use std::ops::Range;

use yiku::{PathTree, RowSet, Segment};

use super::grouped::Keys;
use super::pairs::Numbers;
use super::partition::Shared;
use super::scan::{Scan, bounds, each_row};
use super::valued::Valued;
use super::vector::{Values, Vector, expanded};
use crate::bound::{Condition, Value};
use crate::check::{Bands, Bounds, Group, GroupKind};
use crate::error::Result;
use crate::explain::probe::About;

/// One value of a group's key; unknown sorts behind every value, a total behind that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Cell {
    Int(i64),
    Text(String),
    Unknown,
    Total,
}

/// The groups of the rows of one segment.
pub(super) struct Groups {
    pub(super) keys: Keys,
    pub(super) assignment: Assignment,
}

/// Ranges of rows with their groups, of a set of rows or of all.
pub(super) type RangesOf<'a> = (Option<&'a RowSet>, &'a [(Range<u32>, u32)]);

/// Which group a row belongs to.
pub(super) enum Assignment {
    /// Ranges of rows, apart and rising, with their group.
    Slices(Vec<(Range<u32>, u32)>),
    /// The group of each row from `start` on.
    Rows { start: u32, groups: Vec<u32> },
    /// Sets of rows, apart, each with ranges and their groups.
    Sets(Vec<Shared>),
    /// By the value of a column.
    Valued(Valued),
}

/// The places of one key in its own list of cells, row by row or in runs (end and place).
enum Places {
    Runs(NumberedRuns),
    Rows(Vec<u32>),
}

/// Runs of rows: behind the last row of each, the number of its place.
pub(super) type NumberedRuns = Vec<(u32, u32)>;

struct KeyColumn {
    places: Places,
    cells: Vec<Cell>,
}

/// Integers this close together are numbered by their distance, others by a table.
const DENSE: i128 = 1 << 18;

impl Assignment {
    /// The ranges of rows of each group, and of which set of rows they are, if of one; none where
    /// groups are no ranges.
    pub(super) fn ranges(&self) -> Option<Vec<RangesOf<'_>>> {
        match self {
            Self::Slices(slices) => Some(vec![(None, slices.as_slice())]),
            Self::Sets(sets) => {
                Some(sets.iter().map(|own| (Some(&own.rows), own.slices.as_slice())).collect())
            }
            Self::Rows { .. } | Self::Valued(_) => None,
        }
    }

    /// Calls `visit` with every row of the set and its group; the rows of a group in rising order.
    pub(super) fn visit(&self, rows: &RowSet, visit: &mut impl FnMut(u32, u32)) {
        match self {
            Self::Sets(sets) => {
                for Shared { rows: own, slices } in sets {
                    let mut own = own.clone();
                    own.and(rows);
                    visit_slices(slices, &own, visit);
                }
            }
            Self::Rows { start, groups } => each_row(rows, |row| {
                if let Some(group) = groups.get(row.wrapping_sub(*start) as usize) {
                    visit(row, *group);
                }
            }),
            Self::Slices(slices) => visit_slices(slices, rows, visit),
            Self::Valued(valued) => valued.visit(rows, visit),
        }
    }
}

/// Calls `visit` with every row of a set and the group of the range that it lies in.
fn visit_slices(slices: &[(Range<u32>, u32)], rows: &RowSet, visit: &mut impl FnMut(u32, u32)) {
    let mut slices = slices.iter();
    let mut slice = slices.next();
    each_row(rows, |row| {
        while slice.is_some_and(|(range, _)| range.end <= row) {
            slice = slices.next();
        }
        if let Some((_, group)) = slice.filter(|(range, _)| range.start <= row) {
            visit(row, *group);
        }
    });
}

impl Scan<'_> {
    /// The groups of some rows of `table`.
    pub(super) fn groups(
        &self,
        by: &[Group],
        table: usize,
        tree: &PathTree,
        rows: &RowSet,
    ) -> Result<Groups> {
        if let Some(shared) = self.shared_groups(by, table, tree, rows)? {
            return Ok(shared);
        }
        if let Some(valued) = self.valued_groups(by, table, rows)? {
            return Ok(valued);
        }
        let span = bounds(rows);
        let mut keys = Keys::new(0);
        keys.push(&[]);
        if by.is_empty() {
            return Ok(Groups { keys, assignment: Assignment::Slices(vec![(span, 0)]) });
        }
        let mut places = Places::Runs(vec![(span.end, 0)]);
        for group in by {
            let open = self.within.open(About::Group, group);
            let column = self.key(&group.kind, table, tree, rows)?;
            (places, keys) = self.joined((places, keys), column, rows)?;
            if let Some(open) = open {
                open.rows(rows.count(), rows.count());
            }
        }
        let assignment = match places {
            Places::Rows(groups) => Assignment::Rows { start: span.start, groups },
            Places::Runs(runs) => {
                let mut from = span.start;
                let mut slices = Vec::with_capacity(runs.len());
                for (end, group) in runs {
                    if rows.any_in(from..end) {
                        slices.push((from..end, group));
                    }
                    from = end;
                }
                return Ok(met(slices, keys));
            }
        };
        Ok(Groups { keys, assignment })
    }

    /// Two keys as one.
    fn joined(
        &self,
        before: (Places, Keys),
        column: KeyColumn,
        rows: &RowSet,
    ) -> Result<(Places, Keys)> {
        let (places, keys) = before;
        if keys.width() == 0 && matches!(column.places, Places::Runs(_)) {
            return Ok((column.places, Keys::single(column.cells)));
        }
        let span = bounds(rows);
        let mut numbers = Numbers::new(keys.len(), column.cells.len());
        let joined = match (places, column.places) {
            (Places::Runs(a), Places::Runs(b)) => {
                let (mut x, mut y) = (a.into_iter().peekable(), b.into_iter().peekable());
                let mut runs = Vec::new();
                while let (Some((xe, xp)), Some((ye, yp))) = (x.peek(), y.peek()) {
                    let (end, step_x, step_y) = ((*xe).min(*ye), xe <= ye, ye <= xe);
                    runs.push((end, numbers.of(*xp, *yp)));
                    if step_x {
                        x.next();
                    }
                    if step_y {
                        y.next();
                    }
                }
                Places::Runs(runs)
            }
            (a, b) => {
                let (a, b) = (a.by_row(&span), b.by_row(&span));
                let groups = numbers.of_rows(a, &b, span.start, rows);
                self.limits.groups_fit(numbers.met.len())?;
                Places::Rows(groups)
            }
        };
        let mut joined_keys = Keys::new(keys.width() + 1);
        for (x, y) in &numbers.met {
            let own = column.cells.get(*y as usize).unwrap_or(&Cell::Unknown);
            joined_keys.extend(keys.get(*x as usize).iter().chain([own]).cloned());
        }
        Ok((joined, joined_keys))
    }

    fn key(
        &self,
        kind: &GroupKind,
        table: usize,
        tree: &PathTree,
        rows: &RowSet,
    ) -> Result<KeyColumn> {
        match kind {
            GroupKind::Level(level) => path_key(self, Some(*level), table, tree, rows),
            GroupKind::Path => path_key(self, None, table, tree, rows),
            GroupKind::Code { list, value } => {
                let size = self.schema.lists.get(*list).map_or(0, |l| l.codes.len());
                let unknown = u32::try_from(size).unwrap_or(u32::MAX);
                let mut cells: Vec<Cell> = (0i64..).take(size).map(Cell::Int).collect();
                cells.push(Cell::Unknown);
                let vector = self.value(value, rows)?;
                let place = |code: i64| u32::try_from(code).unwrap_or(unknown).min(unknown);
                Ok(KeyColumn { places: each_place(&vector, rows, unknown, place), cells })
            }
            GroupKind::Flag(condition) => self.flag_key(condition, rows),
            GroupKind::Int { value, .. } | GroupKind::Date(value) | GroupKind::Month(value) => {
                self.int_key(value, rows)
            }
            GroupKind::Text { table: home, column } => self.text_key(*home, *column, table, rows),
            GroupKind::Band { value, bands } => self.band_key(value, bands, rows),
        }
    }

    fn flag_key(&self, condition: &Condition, rows: &RowSet) -> Result<KeyColumn> {
        let (yes, no) = self.both(condition, rows)?;
        let span = bounds(rows);
        let mut places = vec![2; span.len()];
        for (set, place) in [(no, 0), (yes, 1)] {
            each_row(&set, |row| {
                if let Some(slot) = places.get_mut(row.wrapping_sub(span.start) as usize) {
                    *slot = place;
                }
            });
        }
        let cells = vec![Cell::Int(0), Cell::Int(1), Cell::Unknown];
        Ok(KeyColumn { places: Places::Rows(places), cells })
    }

    fn band_key(&self, value: &Value, bands: &Bands, rows: &RowSet) -> Result<KeyColumn> {
        let span = bounds(rows);
        let unknown = u32::try_from(bands.names.len()).unwrap_or(u32::MAX);
        let mut cells: Vec<Cell> = (0i64..).take(bands.names.len()).map(Cell::Int).collect();
        cells.push(Cell::Unknown);
        let vector = self.value(value, rows)?;
        // Bounds are few: a pass for each is faster than a search for every row.
        let places = match &bands.bounds {
            Bounds::Exact(list) => known_places(&vector, rows, unknown, |values, places| {
                list.iter().for_each(|bound| count_where(values, places, |v| *bound <= v));
            }),
            Bounds::Falling(list) => known_places(&vector, rows, unknown, |values, places| {
                list.iter().for_each(|bound| count_where(values, places, |v| v <= *bound));
            }),
            Bounds::Float(list) => {
                let mut places = vec![unknown; span.len()];
                each_row(&vector.known, |row| {
                    if let Some(slot) = places.get_mut(row.wrapping_sub(span.start) as usize) {
                        let place = list.partition_point(|bound| *bound <= vector.float(row));
                        *slot = u32::try_from(place).unwrap_or(unknown);
                    }
                });
                Places::Rows(places)
            }
        };
        Ok(KeyColumn { places, cells })
    }

    fn int_key(&self, value: &Value, rows: &RowSet) -> Result<KeyColumn> {
        let vector = self.value(value, rows)?;
        let span = bounds(rows);
        let known = || vector.known.iter().map(|row| vector.exact(row));
        let (Some(least), Some(greatest)) = (known().min(), known().max()) else {
            let places = Places::Runs(vec![(span.end, 0)]);
            return Ok(KeyColumn { places, cells: vec![Cell::Unknown] });
        };
        let width = i128::from(greatest) - i128::from(least);
        let mut cells: Vec<Cell>;
        let mut numbers: HashMap<i64, u32> = HashMap::new();
        if width < DENSE {
            cells = (least..=greatest).map(Cell::Int).collect();
        } else {
            cells = Vec::new();
            for value in known() {
                numbers.entry(value).or_insert_with(|| {
                    cells.push(Cell::Int(value));
                    u32::try_from(cells.len() - 1).unwrap_or(u32::MAX)
                });
            }
        }
        let unknown = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        cells.push(Cell::Unknown);
        let places = each_place(&vector, rows, unknown, |value| {
            if width < DENSE {
                u32::try_from(i128::from(value) - i128::from(least)).unwrap_or(unknown)
            } else {
                numbers.get(&value).copied().unwrap_or(unknown)
            }
        });
        Ok(KeyColumn { places, cells })
    }

    fn text_key(
        &self,
        home: usize,
        column: usize,
        table: usize,
        rows: &RowSet,
    ) -> Result<KeyColumn> {
        let above = self.lift(rows, table, home)?;
        let span = bounds(&above);
        let mut cells = vec![Cell::Unknown];
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut places = Vec::with_capacity(span.len());
        let column = self.segment.column(home, column)?;
        column.texts(span.clone(), &mut |row, text| {
            let place = match text.filter(|_| above.contains(row)) {
                None => 0,
                Some(text) => match numbers.get(text) {
                    Some(place) => *place,
                    None => {
                        let place = u32::try_from(cells.len()).unwrap_or(0);
                        numbers.insert(text.to_owned(), place);
                        cells.push(Cell::Text(text.to_owned()));
                        place
                    }
                },
            };
            places.push(place);
        })?;
        if home != table {
            let offsets = self.offsets(home, table)?;
            places = expanded(offsets, &bounds(rows), |row| {
                places.get(row.wrapping_sub(span.start) as usize).copied().unwrap_or(0)
            });
        }
        Ok(KeyColumn { places: Places::Rows(places), cells })
    }
}

fn path_key(
    scan: &Scan<'_>,
    level: Option<usize>,
    table: usize,
    tree: &PathTree,
    rows: &RowSet,
) -> Result<KeyColumn> {
    let (runs, cells) = place_runs(scan, level, table, tree, rows)?;
    Ok(KeyColumn { places: Places::Runs(runs), cells })
}

/// Places as runs of the rows of a table, from the first of some rows to the last: behind the
/// last row of each run the number of its place.
pub(super) fn place_runs(
    scan: &Scan<'_>,
    level: Option<usize>,
    table: usize,
    tree: &PathTree,
    rows: &RowSet,
) -> Result<(NumberedRuns, Vec<Cell>)> {
    place_runs_of(scan.segment, level, table, tree, &bounds(rows))
}

/// As [`place_runs`], of a range of rows of a segment.
pub(super) fn place_runs_of(
    segment: &Segment,
    level: Option<usize>,
    table: usize,
    tree: &PathTree,
    span: &Range<u32>,
) -> Result<(NumberedRuns, Vec<Cell>)> {
    let paths = segment.path_runs_over(table)?;
    let mut levels = Level::of(tree, level);
    let mut unknown: Option<u32> = None;
    // From the least to behind the greatest path of the place that was met last.
    let mut last = 0i64..0;
    let first = paths.partition_point(|(end, _)| *end <= span.start);
    let own = paths.get(first..).unwrap_or_default();
    let most = own.len().min(own.partition_point(|(end, _)| *end < span.end) + 1);
    let (mut runs, mut cells) = (NumberedRuns::new(), Vec::new());
    if levels.is_lowest() {
        runs.reserve(most);
        cells.reserve(most);
    }
    for (end, path) in own {
        let end = (*end).min(span.end);
        if let Some(run) = runs.last_mut().filter(|_| last.contains(path)) {
            run.0 = end;
        } else {
            let cell;
            (cell, last) = levels.cell(tree, *path);
            let next = u32::try_from(cells.len()).unwrap_or(u32::MAX);
            // Paths rise: a place is met again behind itself only, if it is known.
            let place = match unknown.filter(|_| cell == Cell::Unknown) {
                Some(place) => place,
                None if cells.last() == Some(&cell) => next.wrapping_sub(1),
                None => {
                    if cell == Cell::Unknown {
                        unknown = Some(next);
                    }
                    cells.push(cell);
                    next
                }
            };
            match runs.last_mut() {
                Some(run) if run.1 == place => run.0 = end,
                _ => runs.push((end, place)),
            }
        }
        if end >= span.end {
            break;
        }
    }
    Ok((runs, cells))
}

/// The places of a level of the path, or the paths themselves.
struct Level {
    level: Option<usize>,
    /// How many codes a place of the level has, and one of the level above it.
    units: (i64, i64),
    /// The place of the level above that was met last.
    above: i64,
}

impl Level {
    fn of(tree: &PathTree, level: Option<usize>) -> Self {
        let digits = |place: usize| tree.levels().get(place).map_or(0, |l| u32::from(l.digits));
        let lowest = digits(tree.levels().len().saturating_sub(1));
        let unit = |digits: u32| 10i64.saturating_pow(lowest.saturating_sub(digits));
        let above = level.and_then(|level| level.checked_sub(1));
        let units = (unit(level.map_or(lowest, digits)), unit(above.map_or(0, digits)));
        Self { level, units, above: 0 }
    }

    /// Whether every path is a place of its own.
    fn is_lowest(&self) -> bool {
        self.units.0 == 1
    }

    /// The place of the level that holds a path, unknown when the path itself is of a level above;
    /// and the paths for which it is the same.
    fn cell(&mut self, tree: &PathTree, path: i64) -> (Cell, Range<i64>) {
        let own = path..path.saturating_add(1);
        let (unit, above) = self.units;
        let (Ok(code), Some(level)) = (u64::try_from(path), self.level) else {
            return (Cell::Int(path), own);
        };
        let place = if unit == 1 { path } else { path / unit * unit };
        if place != path {
            // The place's own code may stand for a level above, the others beneath it may not.
            return (Cell::Int(place), path..place.saturating_add(unit));
        }
        if !(0..above).contains(&path.wrapping_sub(self.above)) {
            self.above = path / above * above;
        }
        // Only a code without digits below the level above can be of it.
        let is_above = level > 0
            && path == self.above
            && tree.get(code).is_some_and(|node| usize::from(node.level) < level);
        (if is_above { Cell::Unknown } else { Cell::Int(place) }, own)
    }
}

/// The places of the exact values of some rows, made for all of their span at once; where a value
/// is not known, `unknown`; where no row was asked, any number.
fn known_places(
    vector: &Vector<'_>,
    rows: &RowSet,
    unknown: u32,
    make: impl FnOnce(&[i64], &mut [u32]),
) -> Places {
    let span = bounds(rows);
    let mut places = vec![0; span.len()];
    match &vector.values {
        Values::Exact(values) => make(values, &mut places),
        _ => {
            let mut one = [0];
            make(&[vector.exact(span.start)], &mut one);
            places.fill(one.first().copied().unwrap_or(unknown));
        }
    }
    let mut others = rows.clone();
    others.and_not(&vector.known);
    each_row(&others, |row| {
        if let Some(place) = places.get_mut(row.wrapping_sub(span.start) as usize) {
            *place = unknown;
        }
    });
    Places::Rows(places)
}

/// As [`known_places`], value by value.
fn each_place(
    vector: &Vector<'_>,
    rows: &RowSet,
    unknown: u32,
    place: impl Fn(i64) -> u32,
) -> Places {
    known_places(vector, rows, unknown, |values, places| {
        places.iter_mut().zip(values).for_each(|(slot, value)| *slot = place(*value));
    })
}

fn count_where(values: &[i64], places: &mut [u32], holds: impl Fn(i64) -> bool) {
    places.iter_mut().zip(values).for_each(|(place, value)| *place += u32::from(holds(*value)));
}

/// The slices with their groups numbered anew: groups that no row met are left out.
fn met(mut slices: Vec<(Range<u32>, u32)>, keys: Keys) -> Groups {
    if (0..keys.len()).eq(slices.iter().map(|(_, group)| *group as usize)) {
        return Groups { keys, assignment: Assignment::Slices(slices) };
    }
    let mut numbers = vec![u32::MAX; keys.len()];
    let mut kept = Keys::new(keys.width());
    for (_, group) in &mut slices {
        let Some(number) = numbers.get_mut(*group as usize) else { continue };
        if *number == u32::MAX {
            *number = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            kept.push(keys.get(*group as usize));
        }
        *group = *number;
    }
    Groups { keys: kept, assignment: Assignment::Slices(slices) }
}

impl Places {
    fn by_row(self, span: &Range<u32>) -> Vec<u32> {
        match self {
            Self::Rows(places) => places,
            Self::Runs(runs) => {
                let mut places = Vec::with_capacity(span.len());
                for (end, place) in runs {
                    let size = end.min(span.end).saturating_sub(span.start) as usize;
                    places.resize(size.max(places.len()), place);
                }
                places.resize(span.len(), 0);
                places
            }
        }
    }
}
