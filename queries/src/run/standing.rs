//! A piece of a segment: what its rows have in the columns of a list, and where they stand by it.
//!
//! A value is a number that compares as the value does. Up to two numbers stand for the order of a
//! list as they are; texts, and more than two, are joined to bytes.
//!
//! Invariants: two rows stand equal only where every value that the list is ordered by is equal;
//! unknown stands last in both directions.
#![expect(clippy::big_endian_bytes, reason = "bytes that compare as the number does, in memory")]

use std::sync::atomic::{AtomicBool, Ordering};

use yiku::{PathTree, RowSet};

use super::keys::{Cell, place_runs};
use super::list::Item;
use super::scan::{Scan, bounds};
use super::vector::Vector;
use crate::bound::{Term, Value};
use crate::check::{Bands, Bounds, GroupKind, Listed, ListedKind};
use crate::error::Result;
use crate::numbers::ten_to;

/// Bytes of a text in memory, about.
const TEXT_BYTES: u64 = 40;

/// Where fewer rows than one in so many are asked about, the values of a column are read for these
/// alone.
const SPARSE: u64 = 12;

/// The numbers of some rows, each known by its place among them and by itself.
pub(super) enum Figures<'a> {
    All(Vector<'a>),
    /// The value of each of the rows, and which of them are known.
    Few(Vec<i64>, RowSet),
}

/// A row by its place among those that were asked about, and by its number.
pub(super) type Nth = (usize, u32);

impl Figures<'_> {
    fn knows(&self, row: u32) -> bool {
        match self {
            Self::All(vector) => vector.known.contains(row),
            Self::Few(_, known) => known.contains(row),
        }
    }

    fn exact(&self, (nth, row): Nth) -> i64 {
        match self {
            Self::All(vector) => vector.exact(row),
            Self::Few(values, _) => values.get(nth).copied().unwrap_or(0),
        }
    }

    fn float(&self, (nth, row): Nth) -> f64 {
        match self {
            Self::All(vector) => vector.float(row),
            Self::Few(..) => self.exact((nth, row)) as f64,
        }
    }

    fn is_float(&self) -> bool {
        matches!(self, Self::All(vector) if vector.is_float())
    }
}

/// A column of a list, read for some rows.
pub(super) enum Read<'a> {
    Exact(Figures<'a>),
    /// Places in a list of so many codes.
    Code(Figures<'a>, i64),
    /// A number that an exact one is to be divided by.
    Float(Figures<'a>, f64),
    Flag {
        yes: RowSet,
        no: RowSet,
    },
    Band(Figures<'a>, &'a Bands),
    /// Behind the last row of each run its place among the cells.
    Runs(Vec<(u32, u32)>, Vec<Cell>),
    Texts(Texts<'a>),
}

/// Texts by their rows.
enum Kept {
    /// From a row on, one each.
    Span(u32, Vec<Option<Box<str>>>),
    /// Of few rows, rising.
    Few(Vec<(u32, Box<str>)>),
}

/// Texts of the rows of a table, or of those above them.
pub(super) struct Texts<'a> {
    texts: Kept,
    offsets: Option<&'a [u32]>,
    _held: yiku::kernel::Held<'a>,
}

impl Texts<'_> {
    fn of(&self, row: u32) -> Option<&str> {
        let row = match self.offsets {
            None => row,
            Some(offsets) => {
                let place = offsets.partition_point(|start| *start <= row).saturating_sub(1);
                u32::try_from(place).unwrap_or(u32::MAX)
            }
        };
        match &self.texts {
            Kept::Span(start, texts) => texts.get(row.wrapping_sub(*start) as usize)?.as_deref(),
            Kept::Few(texts) => {
                let place = texts.binary_search_by_key(&row, |(row, _)| *row).ok()?;
                texts.get(place).map(|(_, text)| &**text)
            }
        }
    }
}

impl<'a> Scan<'a> {
    /// A column of a list for some rows of `table`.
    pub(super) fn listed<'s>(
        &'s self,
        column: &'s Listed,
        table: usize,
        tree: &PathTree,
        rows: &RowSet,
    ) -> Result<Read<'s>> {
        let kind = match &column.kind {
            ListedKind::Group(kind) => kind,
            ListedKind::Number(number, value) => {
                return Ok(Read::Float(self.figures(value, rows)?, ten_to(number.scale) as f64));
            }
            ListedKind::Codes { table: home, column, .. } => {
                let value = Value::column(*home, *column).at(table);
                return Ok(Read::Exact(self.figures(&value, rows)?));
            }
        };
        Ok(match kind {
            GroupKind::Level(level) => self.runs(Some(*level), table, tree, rows)?,
            GroupKind::Path => self.runs(None, table, tree, rows)?,
            GroupKind::Code { list, value } => {
                let size = self.schema.lists.get(*list).map_or(0, |list| list.codes.len());
                Read::Code(self.figures(value, rows)?, i64::try_from(size).unwrap_or(i64::MAX))
            }
            GroupKind::Flag(condition) => {
                let (yes, no) = self.both(condition, rows)?;
                Read::Flag { yes, no }
            }
            GroupKind::Int { value, .. } | GroupKind::Date(value) | GroupKind::Month(value) => {
                Read::Exact(self.figures(value, rows)?)
            }
            GroupKind::Text { table: home, column } => {
                Read::Texts(self.texts_listed((*home, *column), table, rows)?)
            }
            GroupKind::Band { value, bands } => Read::Band(self.figures(value, rows)?, bands),
        })
    }

    /// The numbers of some rows.
    fn figures(&self, value: &Value, rows: &RowSet) -> Result<Figures<'_>> {
        let is_sparse = rows.count() * SPARSE < bounds(rows).len() as u64;
        if let (Term::Column(column), true, None) = (&value.kind, is_sparse, self.within.probe) {
            let mut known = rows.clone();
            known.and(&*self.known(value.table, *column)?);
            let mut values = Vec::new();
            self.segment.column(value.table, *column)?.values_of(rows, &mut values)?;
            return Ok(Figures::Few(values, known));
        }
        Ok(Figures::All(self.value(value, rows)?))
    }

    /// The places of a level, or the lowest ones, of some rows.
    pub(super) fn runs(
        &self,
        level: Option<usize>,
        table: usize,
        tree: &PathTree,
        rows: &RowSet,
    ) -> Result<Read<'_>> {
        let (runs, cells) = place_runs(self, level, table, tree, rows)?;
        Ok(Read::Runs(runs, cells))
    }

    fn texts_listed(
        &self,
        (home, column): (usize, usize),
        table: usize,
        rows: &RowSet,
    ) -> Result<Texts<'_>> {
        let own = self.lift(rows, table, home)?;
        let offsets = (home != table).then(|| self.offsets(home, table)).transpose()?;
        let (span, count) = (bounds(&own), own.count());
        let column = self.segment.column(home, column)?;
        if count * SPARSE < span.len() as u64 {
            let _held = self.run.hold(count.saturating_mul(TEXT_BYTES))?;
            let mut texts = Vec::new();
            column.texts_of(&own, &mut |row, text| texts.push((row, Box::from(text))))?;
            texts.sort_unstable_by_key(|(row, _)| *row);
            return Ok(Texts { texts: Kept::Few(texts), offsets, _held });
        }
        let _held = self.run.hold((span.len() as u64).saturating_mul(TEXT_BYTES))?;
        let mut texts = vec![None; span.len()];
        column.texts_of(&own, &mut |row, text| {
            if let Some(slot) = texts.get_mut(row.wrapping_sub(span.start) as usize) {
                *slot = Some(Box::from(text));
            }
        })?;
        Ok(Texts { texts: Kept::Span(span.start, texts), offsets, _held })
    }
}

/// The number of a value that compares as the value does.
pub(super) fn of_exact(value: i64) -> u64 {
    value.cast_unsigned() ^ 1 << 63
}

fn of_float(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The value of a number that [`of_exact`] gave.
pub(super) fn exact_of(number: u64) -> i64 {
    (number ^ 1 << 63).cast_signed()
}

fn band(bands: &Bands, figures: &Figures<'_>, row: Nth) -> usize {
    match &bands.bounds {
        Bounds::Exact(list) => {
            let value = figures.exact(row);
            list.iter().filter(|bound| **bound <= value).count()
        }
        Bounds::Falling(list) => {
            let value = figures.exact(row);
            list.iter().filter(|bound| value <= **bound).count()
        }
        Bounds::Float(list) => {
            let value = figures.float(row);
            list.partition_point(|bound| *bound <= value)
        }
    }
}

impl Read<'_> {
    /// What a row has in the column.
    pub(super) fn item(&self, nth: Nth) -> Item {
        let (_, row) = nth;
        match self {
            Self::Exact(figures) if figures.knows(row) => Item::Int(figures.exact(nth)),
            Self::Code(figures, size) if figures.knows(row) => {
                let code = figures.exact(nth);
                if (0..*size).contains(&code) { Item::Int(code) } else { Item::Unknown }
            }
            Self::Float(figures, over) if figures.knows(row) => {
                Item::Float(match figures.is_float() {
                    true => figures.float(nth),
                    false => figures.exact(nth) as f64 / over,
                })
            }
            Self::Flag { yes, .. } if yes.contains(row) => Item::Int(1),
            Self::Flag { no, .. } if no.contains(row) => Item::Int(0),
            Self::Band(figures, bands) if figures.knows(row) => {
                i64::try_from(band(bands, figures, nth)).map_or(Item::Unknown, Item::Int)
            }
            Self::Runs(..) => self.path(row).map_or(Item::Unknown, Item::Int),
            Self::Texts(texts) => {
                texts.of(row).map_or(Item::Unknown, |text| Item::Text(text.to_owned()))
            }
            _ => Item::Unknown,
        }
    }

    /// The path of a row, or the place of its level.
    pub(super) fn path(&self, row: u32) -> Option<i64> {
        let Self::Runs(runs, cells) = self else { return None };
        let (_, place) = runs.get(runs.partition_point(|(end, _)| *end <= row))?;
        match cells.get(*place as usize)? {
            Cell::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The number of a row's value; none where it is unknown, and for texts.
    fn number(&self, nth: Nth) -> Option<u64> {
        match self {
            Self::Exact(figures) => figures.knows(nth.1).then(|| of_exact(figures.exact(nth))),
            Self::Texts(_) => None,
            _ => number(&self.item(nth)),
        }
    }
}

fn number(item: &Item) -> Option<u64> {
    match item {
        Item::Int(value) => Some(of_exact(*value)),
        Item::Float(value) => Some(of_float(*value)),
        Item::Text(_) | Item::Unknown => None,
    }
}

/// A column that a list is ordered by, and whether it falls.
pub(super) type Key<'a> = (Read<'a>, bool);

/// Where a row stands by what a list is ordered by.
pub(super) trait Standing: Ord + Clone + Send + Sync {
    /// Whether its lead is the number of the first value.
    const NUMBERS: bool;

    /// Of a row, by the columns of its order. What cannot be told from an unknown value is said.
    fn of(keys: &[Key<'_>], row: Nth, met_last: &AtomicBool) -> Self;

    /// Of a row whose values are given, each with whether its column falls.
    fn of_items<'i>(items: impl Iterator<Item = (&'i Item, bool)>, met_last: &AtomicBool) -> Self;

    /// Of a row of a list without an order.
    fn of_place(place: u64) -> Self;

    /// A number that does not fall where the standing rises.
    fn lead(&self) -> u64;
}

/// Up to two numbers.
pub(super) type Numbers = [u64; 2];

/// The number of unknown, behind all others.
const LAST: u64 = u64::MAX;

fn turned(number: Option<u64>, falls: bool, met_last: &AtomicBool) -> u64 {
    let Some(number) = number else { return LAST };
    let number = if falls { !number } else { number };
    if number == LAST {
        met_last.store(true, Ordering::Relaxed);
    }
    number
}

impl Standing for Numbers {
    const NUMBERS: bool = true;

    fn of(keys: &[Key<'_>], row: Nth, met_last: &AtomicBool) -> Self {
        let mut numbers = [0; 2];
        for (slot, (read, falls)) in numbers.iter_mut().zip(keys) {
            *slot = turned(read.number(row), *falls, met_last);
        }
        numbers
    }

    fn of_items<'i>(items: impl Iterator<Item = (&'i Item, bool)>, met_last: &AtomicBool) -> Self {
        let mut numbers = [0; 2];
        for (slot, (item, falls)) in numbers.iter_mut().zip(items) {
            *slot = turned(number(item), falls, met_last);
        }
        numbers
    }

    fn of_place(place: u64) -> Self {
        [place, 0]
    }

    fn lead(&self) -> u64 {
        let [first, _] = self;
        *first
    }
}

/// Any values: for each whether it is unknown, then the bytes of its number or text.
pub(super) type Bytes = Box<[u8]>;

fn join(bytes: &mut Vec<u8>, item: &Item, falls: bool) {
    bytes.push(u8::from(*item == Item::Unknown));
    let start = bytes.len();
    match item {
        Item::Text(text) => {
            // An end that is less than any letter, which no text can hold.
            for letter in text.bytes() {
                bytes.push(letter);
                if letter == 0 {
                    bytes.push(u8::MAX);
                }
            }
            bytes.extend([0, 0]);
        }
        Item::Int(_) | Item::Float(_) => {
            bytes.extend(number(item).unwrap_or(LAST).to_be_bytes());
        }
        Item::Unknown => {}
    }
    if falls {
        bytes.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
}

impl Standing for Bytes {
    const NUMBERS: bool = false;

    fn of(keys: &[Key<'_>], row: Nth, _: &AtomicBool) -> Self {
        let mut bytes = Vec::new();
        keys.iter().for_each(|(read, falls)| join(&mut bytes, &read.item(row), *falls));
        bytes.into()
    }

    fn of_items<'i>(items: impl Iterator<Item = (&'i Item, bool)>, _: &AtomicBool) -> Self {
        let mut bytes = Vec::new();
        items.for_each(|(item, falls)| join(&mut bytes, item, falls));
        bytes.into()
    }

    fn of_place(place: u64) -> Self {
        Box::from(place.to_be_bytes())
    }

    fn lead(&self) -> u64 {
        let mut first = [0; 8];
        first.iter_mut().zip(self.iter()).for_each(|(slot, byte)| *slot = *byte);
        u64::from_be_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_as_they_compare_and_unknown_last() {
        let text = |text: &str| Item::Text(text.to_owned());
        let rising = [
            vec![Item::Int(i64::MIN), Item::Int(-1), Item::Int(0), Item::Int(i64::MAX)],
            vec![Item::Float(-1e300), Item::Float(-0.5), Item::Float(0.0), Item::Float(2.5)],
            vec![text(""), text("\0"), text("\0a"), text("a"), text("a\0"), text("ab"), text("王")],
        ];
        let never = AtomicBool::new(false);
        for list in rising {
            for falls in [false, true] {
                let mut own: Vec<Item> = list.clone();
                if falls {
                    own.reverse();
                }
                own.push(Item::Unknown);
                let bytes = |item: &Item| Bytes::of_items([(item, falls)].into_iter(), &never);
                let all: Vec<Bytes> = own.iter().map(bytes).collect();
                assert!(all.is_sorted_by(|a, b| a < b), "{own:?}");
                assert!(all.is_sorted_by_key(|own| own.lead()), "{own:?}");
                if !matches!(own.first(), Some(Item::Text(_))) {
                    let met = AtomicBool::new(false);
                    let numbers =
                        |item: &Item| Numbers::of_items([(item, falls)].into_iter(), &met);
                    let all: Vec<Numbers> = own.iter().map(numbers).collect();
                    assert!(all.is_sorted(), "{own:?}");
                    let apart = all.is_sorted_by(|a, b| a < b);
                    assert_eq!(apart, !met.load(Ordering::Relaxed), "{own:?}");
                }
            }
        }
        assert!(!never.load(Ordering::Relaxed));
        let float = |value| Numbers::of_items([(&Item::Float(value), true)].into_iter(), &never);
        assert_eq!(float(-0.0), float(0.0));
        assert_eq!(exact_of(of_exact(-77)), -77);
    }

    #[test]
    fn what_comes_first_decides() {
        let never = AtomicBool::new(false);
        let bytes =
            |a: &Item, b: &Item| Bytes::of_items([(a, false), (b, true)].into_iter(), &never);
        let text = |text: &str| Item::Text(text.to_owned());
        assert!(bytes(&text("a"), &Item::Int(1)) < bytes(&text("aa"), &Item::Int(2)));
        assert!(bytes(&text("a"), &Item::Int(2)) < bytes(&text("a"), &Item::Int(1)));
        assert!(bytes(&text("a"), &Item::Int(1)) < bytes(&text("a"), &Item::Unknown));
    }
}
