//! One block of rows of a table, read once and given out piece by piece.
//!
//! Invariant: only live rows are given out; a row's number counts the rows of the segments before
//! its own, live or not, so that numbers rise and those beneath one row follow one another.

use std::error::Error as Failure;
use std::ops::Range;
use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder,
};
use yiku::schema::{CodeList, Kind};
use yiku::{Predicate, RowSet, Segment, Snapshot, calendar, limits};

use super::fixed::batch;
use super::table::{CHUNK_ROWS, Column, Source};

type Outcome<T> = Result<T, Box<dyn Failure>>;

/// The live rows of a block, and the values of the columns that are wanted.
pub(super) struct Block {
    /// The number of the first row of the segment among those of all, and of its table above.
    before: (i64, i64),
    first: u32,
    rows: Vec<u32>,
    at: usize,
    columns: Vec<Read>,
}

/// What was read of a column, by row of the block.
enum Read {
    /// The number of the row itself.
    Rows,
    Integers(Vec<Option<i64>>),
    Texts(Vec<Option<Box<str>>>),
}

fn rows_before(snapshot: &Snapshot, segment: usize, table: usize) -> i64 {
    let before = snapshot.segments().iter().take(segment);
    before.map(|segment| i64::from(segment.rows(table))).sum()
}

impl Block {
    /// Reads the block of a segment that begins with a row.
    pub(super) fn read(
        source: &Source,
        (table, place, first): (usize, usize, u32),
        wanted: &[Column],
    ) -> Outcome<Self> {
        let snapshot = &source.snapshot;
        let segment = snapshot.segments().get(place).ok_or("no such segment")?;
        let end = first.saturating_add(limits::BLOCK_ROWS).min(segment.rows(table));
        let live = segment.live(table)?;
        let rows: Vec<u32> = (first..end).filter(|row| live.contains(*row)).collect();
        let mut columns = Vec::with_capacity(wanted.len());
        for column in wanted {
            columns.push(read(snapshot, (segment, table), *column, first..end)?);
        }
        let parent = snapshot.schema().tables.get(table).and_then(|table| table.parent);
        let above = parent.map_or(0, |parent| rows_before(snapshot, place, parent));
        let before = (rows_before(snapshot, place, table), above);
        Ok(Self { before, first, rows, at: 0, columns })
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.rows.len()
    }

    /// The next rows.
    pub(super) fn chunk(&mut self, snapshot: &Snapshot, wanted: &[Column]) -> Outcome<RecordBatch> {
        let end = self.at.saturating_add(CHUNK_ROWS).min(self.rows.len());
        let rows = self.rows.get(self.at..end).unwrap_or_default();
        self.at = end;
        let lists = &snapshot.schema().lists;
        let digits = usize::from(snapshot.schema().path.digits());
        let made = wanted.iter().zip(&self.columns).map(|(column, read)| match read {
            Read::Rows => {
                let number = |row: &u32| self.before.0 + i64::from(*row);
                Ok(Arc::new(Int64Array::from_iter_values(rows.iter().map(number))) as ArrayRef)
            }
            Read::Texts(texts) => {
                let text = |row: &u32| texts.get((row - self.first) as usize)?.as_deref();
                Ok(Arc::new(rows.iter().map(text).collect::<StringArray>()) as ArrayRef)
            }
            Read::Integers(values) => {
                let of = |row: &u32| values.get((row - self.first) as usize).copied().flatten();
                let values: Vec<Option<i64>> = rows.iter().map(of).collect();
                match column {
                    Column::Parent => {
                        let number = |value: Option<i64>| value.map(|row| row + self.before.1);
                        let numbers = values.into_iter().map(number);
                        Ok(Arc::new(numbers.collect::<Int64Array>()) as ArrayRef)
                    }
                    Column::Own(_, kind, list) => {
                        let list = lists.get(*list);
                        shown(values, *kind, list, digits)
                    }
                    _ => Ok(Arc::new(Int64Array::from(values)) as ArrayRef),
                }
            }
        });
        let made = made.collect::<Outcome<Vec<ArrayRef>>>()?;
        Ok(batch(made, rows.len())?)
    }
}

/// The values of a column as SQL has them.
fn shown(
    values: Vec<Option<i64>>,
    kind: Kind,
    list: Option<&CodeList>,
    digits: usize,
) -> Outcome<ArrayRef> {
    let codes = list.map_or(&[][..], |list| &list.codes);
    let name = |place: i64| Some(codes.get(usize::try_from(place).ok()?)?.name.as_str());
    Ok(match kind {
        Kind::Flag => {
            let flags = values.into_iter().map(|value| value.map(|value| value == 1));
            Arc::new(flags.collect::<BooleanArray>())
        }
        Kind::Code => {
            let names = values.into_iter().map(|value| value.and_then(name));
            Arc::new(names.collect::<StringArray>())
        }
        Kind::Codes => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for value in values {
                let set = value.unwrap_or(0);
                let held = (0..64i64).filter(|bit| set >> bit & 1 == 1).filter_map(name);
                held.for_each(|name| lists.values().append_value(name));
                lists.append(value.is_some());
            }
            Arc::new(lists.finish())
        }
        Kind::Date | Kind::Month => {
            let day = |value: i64| match kind {
                Kind::Month => calendar::month_start(value),
                _ => value,
            };
            let mut days = Vec::with_capacity(values.len());
            for value in values {
                // A day further away than DATE reaches is no other day.
                days.push(value.map(|value| i32::try_from(day(value))).transpose()?);
            }
            Arc::new(Date32Array::from(days))
        }
        Kind::Path => {
            let path = |value: i64| format!("{value:0digits$}");
            Arc::new(values.into_iter().map(|value| value.map(path)).collect::<StringArray>())
        }
        Kind::Int | Kind::Money | Kind::Text | Kind::Id => Arc::new(Int64Array::from(values)),
    })
}

/// Reads a column of the rows of a block.
fn read(
    snapshot: &Snapshot,
    (segment, table): (&Segment, usize),
    column: Column,
    rows: Range<u32>,
) -> Outcome<Read> {
    let place = match column {
        Column::Row | Column::Integer | Column::Text => return Ok(Read::Rows),
        Column::Parent => return Ok(Read::Integers(parents(segment.offsets(table)?, rows))),
        Column::Level => snapshot.schema().path_column(),
        Column::Own(place, kind, _) if kind.is_text() => {
            let mut texts = Vec::with_capacity(rows.len());
            let column = segment.column(table, place)?;
            column.texts(rows, &mut |_, text| texts.push(text.map(Box::from)))?;
            return Ok(Read::Texts(texts));
        }
        Column::Own(place, ..) => place,
    };
    let values = integers(segment, (table, place), rows)?;
    if column != Column::Level {
        return Ok(Read::Integers(values));
    }
    let tree = snapshot.tree();
    let level = |path: i64| tree.get(u64::try_from(path).ok()?).map(|node| i64::from(node.level));
    Ok(Read::Integers(values.into_iter().map(|path| path.and_then(level)).collect()))
}

fn integers(
    segment: &Segment,
    (table, place): (usize, usize),
    rows: Range<u32>,
) -> Outcome<Vec<Option<i64>>> {
    let column = segment.column(table, place)?;
    let known: RowSet = column.filter(&Predicate::Known)?;
    let mut values = Vec::with_capacity(rows.len());
    column.integers(rows.clone(), &mut values)?;
    Ok(rows.zip(values).map(|(row, value)| known.contains(row).then_some(value)).collect())
}

/// The row above each row, by where the rows beneath each begin.
fn parents(offsets: &[u32], rows: Range<u32>) -> Vec<Option<i64>> {
    let mut above = offsets.partition_point(|start| *start <= rows.start).saturating_sub(1);
    rows.map(|row| {
        while offsets.get(above + 1).is_some_and(|end| *end <= row) {
            above += 1;
        }
        i64::try_from(above).ok()
    })
    .collect()
}
