//! A piece of a segment: rows counted and added up by what is read off the values of one column.
//!
//! Rows are looked at a tile at a time, in 32 bits. What a row adds to its group is one number:
//! one to the rows, one to the rows whose value is known, and the value. Which group it is, a
//! table says that serves all pieces whose values lie in the same range.
//!
//! Invariants: what is given is what a look at every row gives; no part of such a number runs into
//! the next within a tile.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a place lies below the size of a table, which has 16 bits"
)]

use yiku::RowSet;
use yiku::cpu::best;

use super::aggregate::Column;
use super::grouped::{Index, Keys};
use super::keys::Cell;
use super::scan::{Scan, base, bounds};
use super::valued::{Source, is_of_month, same_until, source};
use crate::bound::Term;
use crate::check::{Aggregate, Combine, Group};
use crate::error::Result;

/// Rows that are looked at together.
const TILE: usize = 1 << TILE_BITS;
const TILE_BITS: u32 = 11;

/// Bits of a place, and places.
const PLACE_BITS: u32 = 16;
const PLACES: usize = 1 << PLACE_BITS;

/// Groups, and one more for rows that nobody asked for.
const SLOTS: usize = 512;
const NOBODY: u16 = SLOTS as u16 - 1;

/// Neighbouring rows are added up apart: one does not wait for the one before it.
const LANES: usize = 4;

/// Where the parts of what a row adds begin; beneath them stand values of so many bits.
const VALUE_BITS: u32 = 29;
const KNOWN_AT: u32 = VALUE_BITS + TILE_BITS;
const ROWS_AT: u32 = KNOWN_AT + TILE_BITS + 1;

/// Where one row of so many is asked for, all are looked at.
const DENSE: u64 = 4;

/// Bytes of the tables, about.
const BYTES: u64 = 256 << 10;

/// The groups of the values of a column in a range.
#[derive(Debug)]
pub(super) struct Readings {
    sources: Vec<Source>,
    least: i64,
    span: u32,
    keys: Keys,
    /// The number of the key of each value by its distance from the least, behind the greatest
    /// that of what is not known, and from there on [`NOBODY`].
    numbers: Box<[u16]>,
}

/// What was found of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    rows: u64,
    known: u64,
    sum: u64,
}

/// The least value of a column, and what was found of each group.
type Totals = (i64, Vec<Total>);

impl Readings {
    /// None where there are too many groups.
    fn new(sources: &[Source], (least, span): (i64, u32)) -> Option<Self> {
        let (mut keys, mut index) = (Keys::new(sources.len()), Index::new());
        let mut numbers = vec![NOBODY; PLACES].into_boxed_slice();
        let mut number = |keys: &mut Keys, key: &[Cell]| {
            let number = index.place(keys, key);
            u16::try_from(number).ok().filter(|number| *number < NOBODY)
        };
        let last = least.checked_add(i64::from(span))?;
        let (mut value, mut place) = (least, 0usize);
        while value <= last {
            let cells: Option<Vec<Cell>> =
                sources.iter().map(|(_, reading)| Some(Cell::Int((*reading)?.of(value)))).collect();
            let until = sources.iter().map(|(_, reading)| same_until(*reading, value)).min()?;
            let size = usize::try_from(until.min(last) - value).ok()? + 1;
            let own = number(&mut keys, &cells?)?;
            numbers.get_mut(place..place + size)?.fill(own);
            (value, place) = (value + i64::try_from(size).ok()?, place + size);
        }
        let unknown = vec![Cell::Unknown; sources.len()];
        *numbers.get_mut(place)? = number(&mut keys, &unknown)?;
        let sources = sources.to_vec();
        Some(Self { sources, least, span, keys, numbers })
    }
}

/// Rows of a tile: how far what keys are read off lies above the least, and the values that are
/// added up; of each 64 the bits of those that are asked for, of those with a key and of those
/// with a value.
struct Tile<'t> {
    places: &'t [u32],
    values: &'t [u32],
    rows: &'t [u64],
    keyed: &'t [u64],
    known: &'t [u64],
}

impl Tile<'_> {
    /// Adds the rows to the sums of their groups.
    #[inline(always)]
    fn add(&self, (numbers, unknown): (&[u16; PLACES], u16), sums: &mut [[u64; LANES]; SLOTS]) {
        let chunks = self.places.chunks(64).zip(self.values.chunks(64));
        let words = self.rows.iter().zip(self.keyed).zip(self.known);
        for ((places, values), ((rows, keyed), known)) in chunks.zip(words) {
            let mut own = [0u16; 64];
            own.iter_mut().zip(places).for_each(|(slot, place)| *slot = *place as u16);
            if rows & keyed != u64::MAX {
                for (bit, slot) in (0u32..).zip(&mut own) {
                    let asked = rows.wrapping_shr(bit) & 1 == 1;
                    let place = if keyed.wrapping_shr(bit) & 1 == 1 { *slot } else { unknown };
                    *slot = if asked { place } else { unknown.wrapping_add(1) };
                }
            }
            let mut adds = [0u64; 64];
            adds.iter_mut().zip(values).for_each(|(add, value)| {
                *add = u64::from(*value) | 1 << KNOWN_AT;
            });
            for (bit, add) in (0u32..).zip(&mut adds) {
                let mask = (known.wrapping_shr(bit) & 1).wrapping_neg();
                *add = *add & mask | 1 << ROWS_AT;
            }
            let fours = own.as_chunks::<LANES>().0.iter().zip(adds.as_chunks::<LANES>().0);
            for ([a, b, c, d], adds) in fours {
                let [first, second, third, fourth] = adds;
                bump(sums, 0, numbers.get(usize::from(*a)), *first);
                bump(sums, 1, numbers.get(usize::from(*b)), *second);
                bump(sums, 2, numbers.get(usize::from(*c)), *third);
                bump(sums, 3, numbers.get(usize::from(*d)), *fourth);
            }
        }
    }
}

/// Adds what a row adds to the sum of a number.
#[inline(always)]
fn bump(sums: &mut [[u64; LANES]; SLOTS], lane: usize, number: Option<&u16>, add: u64) {
    let number = number.copied().unwrap_or(NOBODY);
    let slot = sums.get_mut(usize::from(number) % SLOTS);
    if let Some(sum) = slot.and_then(|own| own.get_mut(lane)) {
        *sum = sum.wrapping_add(add);
    }
}

/// Takes the sums of a tile apart.
fn settle(sums: &mut [[u64; LANES]; SLOTS], totals: &mut [Total]) {
    let part = |sum: u64, from: u32, to: u32| sum << (u64::BITS - to) >> (u64::BITS - to + from);
    for (own, total) in sums.iter_mut().zip(totals) {
        let sum = own.iter().fold(0u64, |sum, own| sum.wrapping_add(*own));
        total.rows += part(sum, ROWS_AT, u64::BITS);
        total.known += part(sum, KNOWN_AT, ROWS_AT);
        total.sum += part(sum, 0, KNOWN_AT);
        *own = [0; LANES];
    }
}

/// The column that an aggregate adds up; none within where it counts rows.
fn added(aggregate: &Aggregate, table: usize) -> Option<Option<usize>> {
    if aggregate.condition.is_some() {
        return None;
    }
    let exact = matches!(
        aggregate.combine,
        Combine::Sum { float: false } | Combine::Average { float: false, .. }
    );
    match &aggregate.argument {
        None if aggregate.combine == Combine::Count => Some(None),
        Some(value) if exact && value.table == table => match value.kind {
            Term::Column(column) => Some(Some(column)),
            _ => None,
        },
        _ => None,
    }
}

impl Scan<'_> {
    /// The groups of some rows by calendar readings of one column, with their aggregates; none
    /// where something else is asked.
    pub(super) fn totals(
        &self,
        by: &[Group],
        aggregates: &[Aggregate],
        table: usize,
        rows: &RowSet,
    ) -> Result<Option<(Keys, Vec<Column>)>> {
        let span = bounds(rows);
        let plain = !self.limits.indexes || self.within.probe.is_some();
        if plain || rows.count() * DENSE < span.len() as u64 {
            return Ok(None);
        }
        let sources = by.iter().map(|group| source(&group.kind, table));
        let Some(sources) = sources.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let asked = aggregates.iter().map(|aggregate| added(aggregate, table));
        let Some(asked) = asked.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let same = |(column, reading): &Source| {
            sources.first().is_some_and(|(first, _)| first == column)
                && reading.is_some_and(is_of_month)
        };
        if sources.is_empty() || !sources.iter().all(same) {
            return Ok(None);
        }
        let _held = self.run.hold(BYTES)?;
        let Some(readings) = self.readings(&sources, table)? else { return Ok(None) };
        let mut columns: Vec<Option<usize>> =
            asked.iter().filter(|own| own.is_some()).copied().collect();
        columns.sort_unstable();
        columns.dedup();
        if columns.is_empty() {
            columns.push(None);
        }
        let mut found = Vec::with_capacity(columns.len());
        for column in &columns {
            match self.totals_of(*column, &readings, table, rows)? {
                Some(own) => found.push((*column, own)),
                None => return Ok(None),
            }
        }
        let own = answered(&readings.keys, &asked, &found);
        self.readings.replace(Some(readings));
        Ok(Some(own))
    }

    /// The groups of the values of a column in this piece.
    fn readings(&self, sources: &[Source], table: usize) -> Result<Option<Box<Readings>>> {
        let Some((column, _)) = sources.first() else { return Ok(None) };
        let Some((least, span)) = self.span_of(table, *column)? else { return Ok(None) };
        // What is unknown and what nobody asked for have places behind the greatest.
        if span as usize + 2 >= PLACES {
            return Ok(None);
        }
        let same =
            |own: &Readings| own.sources == sources && (own.least, own.span) == (least, span);
        let kept = self.readings.take().filter(|own| same(own));
        Ok(kept.or_else(|| Readings::new(sources, (least, span)).map(Box::new)))
    }

    /// How many rows each group has, and of the values of a column how many are known and their
    /// sum above the least; none where they lie too far apart.
    fn totals_of(
        &self,
        column: Option<usize>,
        readings: &Readings,
        table: usize,
        rows: &RowSet,
    ) -> Result<Option<Totals>> {
        let Some(numbers) = readings.numbers.as_array::<PLACES>() else { return Ok(None) };
        let low = match column {
            Some(column) => self.zone_ends(table, column)?.map(|(least, _)| least),
            None => Some(0),
        };
        let Some(low) = low else { return Ok(None) };
        let Some((key, _)) = readings.sources.first() else { return Ok(None) };
        let keyed = self.known(table, *key)?;
        let known = column.map(|column| self.known(table, column)).transpose()?;
        let known = known.as_deref().unwrap_or(rows);
        let keys = self.segment.column(table, *key)?;
        let added = column.map(|column| self.segment.column(table, column)).transpose()?;
        let unknown = readings.span as u16 + 1;
        let mut totals = vec![Total::default(); readings.keys.len()];
        let mut sums = Box::new([[0u64; LANES]; SLOTS]);
        let (mut places, mut values) = (Vec::with_capacity(TILE), Vec::with_capacity(TILE));
        let span = bounds(rows);
        for start in span.clone().step_by(TILE) {
            let end = span.end.min(start.saturating_add(TILE as u32));
            places.clear();
            values.clear();
            let mut fits = keys.above(start..end, readings.least, PLACE_BITS, &mut places)?;
            match &added {
                Some(added) => fits &= added.above(start..end, low, VALUE_BITS, &mut values)?,
                None => values.resize(places.len(), 0),
            }
            if !fits {
                return Ok(None);
            }
            let at = ((start - base(rows)) / 64) as usize;
            let words = |set: &'_ RowSet| at..set.words().len().min(at + TILE / 64);
            let tile = Tile {
                places: &places,
                values: &values,
                rows: rows.words().get(words(rows)).unwrap_or_default(),
                keyed: keyed.words().get(words(&keyed)).unwrap_or_default(),
                known: known.words().get(words(known)).unwrap_or_default(),
            };
            best(
                #[inline(always)]
                || tile.add((numbers, unknown), &mut sums),
            );
            settle(&mut sums, &mut totals);
        }
        Ok(Some((low, totals)))
    }
}

/// The keys of the groups that have rows, and the aggregates of these.
fn answered(
    all: &Keys,
    asked: &[Option<usize>],
    found: &[(Option<usize>, Totals)],
) -> (Keys, Vec<Column>) {
    let rows = found.first().map_or(&[][..], |(_, (_, totals))| totals);
    let met: Vec<usize> = (0..all.len())
        .filter(|number| rows.get(*number).is_some_and(|total| total.rows > 0))
        .collect();
    let mut keys = Keys::new(all.width());
    met.iter().for_each(|number| keys.push(all.get(*number)));
    let total = |totals: &[Total], number: &usize| totals.get(*number).copied().unwrap_or_default();
    let column = |asked: &Option<usize>| match asked {
        None => Column::Counts(met.iter().map(|number| total(rows, number).rows).collect()),
        Some(_) => {
            let own = found.iter().find(|(column, _)| column == asked);
            let (low, totals) = own.map_or((0, &[][..]), |(_, (low, totals))| (*low, totals));
            let sum = |number: &usize| {
                let own = total(totals, number);
                (i128::from(low) * i128::from(own.known) + i128::from(own.sum), own.known)
            };
            Column::Sums(met.iter().map(sum).collect())
        }
    };
    (keys, asked.iter().map(column).collect())
}
