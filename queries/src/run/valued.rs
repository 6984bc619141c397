//! A piece of a segment: groups by what is read off the values of one column.
//!
//! Years, months and the like are read off few different days. Rows are counted by their value
//! first; what is read off a value is looked up once a value, not once a row.
//!
//! Invariant: the groups are those of reading every row by itself.

use yiku::{RowSet, calendar};

use super::grouped::{Index, Keys};
use super::keys::{Assignment, Cell, Groups};
use super::scan::{Scan, base, bounds, each_row};
use super::vector::{Values, each_bit};
use crate::bound::{Reading, Term, Value};
use crate::check::{Group, GroupKind};
use crate::error::Result;
use crate::explain::probe::About;

/// Values spread wider than this are not counted in an array.
const SPAN_MAX: i64 = 1 << 16;

/// Days within so many of the first have the ends of their months within 64 bits.
const DAYS_USUAL: u64 = 1 << 32;

/// Neighbouring rows are counted in so many arrays: in one, a row would wait for the row before
/// it wherever both have the same value.
const LANES: usize = 4;

/// Rows by the values of a column.
pub(super) struct Valued {
    start: u32,
    /// How far the value of each row lies above the least; one more than the greatest where it is
    /// not known. Of a row that nobody asked for any number.
    places: Vec<u32>,
    /// The group of each such value.
    numbers: Vec<u32>,
    /// How many rows were asked about, and how many of them each group has.
    rows: u64,
    counts: Vec<u64>,
}

impl Valued {
    pub(super) fn visit(&self, rows: &RowSet, visit: &mut impl FnMut(u32, u32)) {
        each_row(rows, |row| {
            let place = self.places.get(row.wrapping_sub(self.start) as usize);
            let number = place.and_then(|place| self.numbers.get(*place as usize));
            if let Some(number) = number {
                visit(row, *number);
            }
        });
    }

    /// Adds the values of known rows to the sums of their groups, with how many they are. Values
    /// stand from row `start` on, and no sum of any of them goes beyond 64 bits.
    pub(super) fn add_up(
        &self,
        sums: &mut [(i128, u64)],
        (values, start): (&[i64], u32),
        known: &RowSet,
    ) {
        let mut found = vec![(0i64, 0u64); sums.len()];
        let mut add = |(place, value): (&u32, &i64)| {
            let number = self.numbers.get(*place as usize).copied().unwrap_or(u32::MAX);
            if let Some(slot) = found.get_mut(number as usize) {
                *slot = (slot.0.wrapping_add(*value), slot.1.wrapping_add(1));
            }
        };
        // All of these begin where words do.
        let first = self.start.max(start);
        let from = |other: u32| first.saturating_sub(other) as usize;
        let words = known.words().get(from(base(known)) / 64..).unwrap_or_default();
        let places = self.places.get(from(self.start)..).unwrap_or_default().chunks(64);
        let values = values.get(from(start)..).unwrap_or_default().chunks(64);
        for (word, (places, values)) in words.iter().zip(places.zip(values)) {
            if *word == u64::MAX {
                places.iter().zip(values).for_each(&mut add);
                continue;
            }
            each_bit(*word, |bit| {
                if let Some(pair) = places.get(bit as usize).zip(values.get(bit as usize)) {
                    add(pair);
                }
            });
        }
        for (sum, own) in sums.iter_mut().zip(found) {
            *sum = (sum.0 + i128::from(own.0), sum.1 + own.1);
        }
    }

    /// How many of some rows each group has, if that is known: all that were asked about are.
    pub(super) fn counts(&self, rows: &RowSet) -> Option<&[u64]> {
        (rows.count() == self.rows).then_some(self.counts.as_slice())
    }
}

/// Whether the same is read off all days of a month.
pub(super) fn is_of_month(reading: Reading) -> bool {
    matches!(reading, Reading::Year | Reading::MonthNumber | Reading::Quarter | Reading::Month)
}

/// A value up to which the same is read off all values from another on: neighbouring days have the
/// same month.
pub(super) fn same_until(reading: Option<Reading>, value: i64) -> i64 {
    match reading {
        Some(reading) if is_of_month(reading) && value.unsigned_abs() < DAYS_USUAL => {
            calendar::month_end(calendar::month_of(value))
        }
        _ => value,
    }
}

/// The column that a key is read off, and how.
pub(super) type Source = (usize, Option<Reading>);

/// What a key is read off, if that is one column.
pub(super) fn source(kind: &GroupKind, table: usize) -> Option<Source> {
    let (GroupKind::Int { value, .. } | GroupKind::Date(value) | GroupKind::Month(value)) = kind
    else {
        return None;
    };
    match &value.kind {
        _ if value.table != table => None,
        Term::Column(column) => Some((*column, None)),
        Term::Calendar(reading, inner) => match inner.kind {
            Term::Column(column) => Some((column, Some(*reading))),
            _ => None,
        },
        _ => None,
    }
}

impl Scan<'_> {
    /// The groups of some rows by what all keys read off one column; none where they do not, or
    /// where its values lie too far apart.
    pub(super) fn valued_groups(
        &self,
        by: &[Group],
        table: usize,
        rows: &RowSet,
    ) -> Result<Option<Groups>> {
        let sources = by.iter().map(|group| source(&group.kind, table));
        let Some(sources) = sources.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let Some((column, _)) = sources.first().copied() else { return Ok(None) };
        if !self.limits.indexes || sources.iter().any(|(other, _)| *other != column) {
            return Ok(None);
        }
        let Some((least, span)) = self.span_of(table, column)? else { return Ok(None) };
        let open: Vec<_> = by.iter().map(|group| self.within.open(About::Group, group)).collect();
        let vector = self.value(&Value::column(table, column), rows)?;
        let Values::Exact(values) = &vector.values else { return Ok(None) };
        let unknown = span + 1;
        let place = |value: &i64| {
            let above = value.wrapping_sub(least).cast_unsigned();
            u32::try_from(above.min(unknown.into())).unwrap_or(unknown)
        };
        let mut places: Vec<u32> = yiku::cpu::best(
            #[inline(always)]
            || values.iter().map(place).collect(),
        );
        let mut others = rows.clone();
        others.and_not(&vector.known);
        let start = bounds(rows).start;
        each_row(&others, |row| {
            if let Some(place) = places.get_mut(row.wrapping_sub(start) as usize) {
                *place = unknown;
            }
        });
        let met = counted(&places, start, rows, unknown as usize + 1);
        let (keys, numbers, counts) = keyed(&sources, (least, unknown), &met);
        for open in open.into_iter().flatten() {
            open.rows(rows.count(), rows.count());
        }
        let rows = rows.count();
        let assignment = Assignment::Valued(Valued { start, places, numbers, rows, counts });
        Ok(Some(Groups { keys, assignment }))
    }

    /// The least value of a column in the window of its table, and how far the greatest lies above
    /// it; none where that is too far, or where no value is known.
    pub(super) fn span_of(&self, table: usize, column: usize) -> Result<Option<(i64, u32)>> {
        Ok(self.zone_ends(table, column)?.and_then(|(least, most)| {
            let span = most.checked_sub(least).filter(|span| *span < SPAN_MAX)?;
            Some((least, u32::try_from(span).ok()?))
        }))
    }

    /// The least and the greatest value of a column in the blocks that the window of its table
    /// meets; none where no value is known.
    pub(super) fn zone_ends(&self, table: usize, column: usize) -> Result<Option<(i64, i64)>> {
        let window = self.window(table);
        let column = self.segment.column(table, column)?;
        let mut first = 0u32;
        let mut found: Option<(i64, i64)> = None;
        for zone in column.zone_maps() {
            let end = first.saturating_add(zone.rows);
            if zone.known > 0 && first < window.end && window.start < end {
                let (least, most) = found.unwrap_or((zone.min, zone.max));
                found = Some((least.min(zone.min), most.max(zone.max)));
            }
            first = end;
        }
        Ok(found)
    }
}

/// The keys of the values that were met, the number of the key of each value, and how many rows
/// each key has. The least value stands first, what is not known at its place.
fn keyed(
    sources: &[Source],
    (least, unknown): (i64, u32),
    met: &[u64],
) -> (Keys, Vec<u32>, Vec<u64>) {
    let (mut keys, mut index) = (Keys::new(sources.len()), Index::new());
    let (mut counts, mut numbers) = (Vec::<u64>::new(), vec![u32::MAX; met.len()]);
    // The key that was met last, and up to which value others have it for certain.
    let (mut last, mut until) = (0, i64::MIN);
    let own = (0u32..).zip(met).zip(&mut numbers).filter(|((_, count), _)| **count > 0);
    for ((place, count), slot) in own {
        let value = least.wrapping_add(i64::from(place));
        if value > until || place == unknown {
            let cell = |(_, reading): &Source| match reading {
                _ if place == unknown => Cell::Unknown,
                Some(reading) => Cell::Int(reading.of(value)),
                None => Cell::Int(value),
            };
            let key: Vec<Cell> = sources.iter().map(cell).collect();
            last = u32::try_from(index.place(&mut keys, &key)).unwrap_or(u32::MAX);
            counts.resize(keys.len(), 0);
            let untils = sources.iter().map(|(_, reading)| same_until(*reading, value));
            until = untils.min().unwrap_or(value);
        }
        *slot = last;
        if let Some(sum) = counts.get_mut(last as usize) {
            *sum += count;
        }
    }
    (keys, numbers, counts)
}

/// How many rows of a set have each place below `size`.
fn counted(places: &[u32], start: u32, rows: &RowSet, size: usize) -> Vec<u64> {
    let mut tables = vec![[0u32; LANES]; size];
    let mut bump = |lane: usize, place: u32| {
        if let Some(count) = tables.get_mut(place as usize).and_then(|table| table.get_mut(lane)) {
            *count = count.wrapping_add(1);
        }
    };
    let skipped = (start.saturating_sub(base(rows)) / 64) as usize;
    let words = rows.words().get(skipped..).unwrap_or_default();
    for (chunk, word) in places.chunks(64).zip(words) {
        if *word == u64::MAX {
            chunk.iter().enumerate().for_each(|(at, place)| bump(at % LANES, *place));
            continue;
        }
        let mut rest = *word;
        while rest != 0 {
            let bit = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if let Some(place) = chunk.get(bit) {
                bump(bit % LANES, *place);
            }
        }
    }
    tables.iter().map(|table| table.iter().map(|lane| u64::from(*lane)).sum()).collect()
}
