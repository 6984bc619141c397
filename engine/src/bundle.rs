//! A bundle taken out of a version: looked at, perhaps changed, and written again.
//!
//! Invariant: what is read of a bundle and put into a batch unchanged gives the same rows, values
//! and order.

use std::ops::Range;

use crate::batch::{Batch, Value};
use crate::database::Snapshot;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::segment::{Segment, Wanted};

/// A value of its own, as its column stores it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cell {
    /// No value.
    #[default]
    Unknown,
    /// What a column that is not of text stores: see [`crate::schema::Kind`].
    Int(i64),
    /// A text.
    Text(String),
}

impl Cell {
    /// The stored integer, if it is one.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The value as a batch takes it.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Unknown => Value::Unknown,
            Self::Int(value) => Value::Int(*value),
            Self::Text(text) => Value::Text(text),
        }
    }
}

/// A row with all rows beneath it. Of a row of the root table that is a whole bundle, which
/// [`Batch::put`] takes as it is or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The table of the row, by its place in the schema.
    pub table: usize,
    /// The values, by column.
    pub cells: Vec<Cell>,
    /// The rows directly beneath it: table by table, those of one table in their order.
    pub beneath: Vec<Self>,
}

impl Bundle {
    /// A row without values and without rows beneath it; none when the schema has no such table.
    #[must_use]
    pub fn new(schema: &Schema, table: usize) -> Option<Self> {
        let columns = schema.tables.get(table)?.columns.len();
        Some(Self { table, cells: vec![Cell::Unknown; columns], beneath: Vec::new() })
    }

    /// The value of a column; unknown where the table has no such column.
    #[must_use]
    pub fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Unknown)
    }

    /// Gives a column a value; whether the table has that column.
    pub fn set(&mut self, column: usize, cell: Cell) -> bool {
        let slot = self.cells.get_mut(column);
        slot.map(|slot| *slot = cell).is_some()
    }
}

impl Snapshot {
    /// The live bundle whose root row has this key, with all rows of all tables beneath it.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn bundle(&self, key: &str) -> Result<Option<Bundle>> {
        Ok(bundles(self.segments().iter(), self.schema(), &[key])?.pop().flatten())
    }

    /// The key of the root row above the live row that has this key in a table, or of that row
    /// itself in the root table. Found by the index of keys; a segment of format 1 has none
    /// beneath the root: there the column is read.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], [`Error::Corrupt`].
    pub fn find(&self, table: usize, key: &str) -> Result<Option<String>> {
        Ok(self.find_all(table, &[key])?.pop().flatten())
    }

    /// As [`Snapshot::find`], for many keys in one walk; in the order of the keys, which are
    /// without repeats.
    ///
    /// # Errors
    /// As [`Snapshot::find`].
    pub fn find_all(&self, table: usize, keys: &[&str]) -> Result<Vec<Option<String>>> {
        let schema = self.schema();
        if schema.tables.get(table).is_none() {
            return Err(Error::UnknownTable { table: table.to_string() });
        }
        let wanted = Wanted::new(keys);
        let root_key = schema.tables.first().map_or(0, |t| t.key);
        let mut found = vec![None; keys.len()];
        for segment in self.segments() {
            let mut hits = Vec::new();
            for (place, row) in segment.rows_of_keys(table, &wanted)? {
                let root = root_of(segment, schema, (table, row))?;
                hits.extend(segment.root_lives(root).then_some((root, place)));
            }
            let roots: Vec<Range<u32>> =
                hits.iter().map(|(root, _)| *root..root.saturating_add(1)).collect();
            let keys = segment.column(0, root_key)?.cells(&roots)?;
            for ((_, place), key) in hits.into_iter().zip(keys) {
                if let (Some(slot), Cell::Text(key)) = (found.get_mut(place), key) {
                    *slot = Some(key);
                }
            }
        }
        Ok(found)
    }
}

impl Segment {
    /// The root rows above the rows of a table that have these keys, live or not, rising and
    /// without repeats.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn roots_of_keys(&self, table: usize, keys: &Wanted<'_>) -> Result<Vec<u32>> {
        let found = self.rows_of_keys(table, keys)?;
        let schema = self.file.schema();
        let roots = found.into_iter().map(|(_, row)| root_of(self, schema, (table, row)));
        let mut roots = roots.collect::<Result<Vec<u32>>>()?;
        roots.dedup();
        Ok(roots)
    }
}

/// The root row above a row of a table.
fn root_of(segment: &Segment, schema: &Schema, (table, row): (usize, u32)) -> Result<u32> {
    let (mut table, mut row) = (table, row);
    while let Some(parent) = schema.tables.get(table).and_then(|t| t.parent) {
        let above = segment.offsets(table)?.partition_point(|offset| *offset <= row);
        row = u32::try_from(above.saturating_sub(1)).unwrap_or(u32::MAX);
        table = parent;
    }
    Ok(row)
}

/// The live bundles of keys among segments, in the order of the keys.
pub(crate) fn bundles<'a>(
    segments: impl Iterator<Item = &'a Segment>,
    schema: &Schema,
    keys: &[&str],
) -> Result<Vec<Option<Bundle>>> {
    let mut found: Vec<Option<Bundle>> = vec![None; keys.len()];
    let wanted = Wanted::new(keys);
    for segment in segments {
        // By row: a block of a column is read once, however many rows of it are wanted.
        let mut roots = segment.rows_of_keys(0, &wanted)?;
        roots.retain(|(_, row)| segment.root_lives(*row));
        if roots.is_empty() {
            continue;
        }
        let rows: Vec<Range<u32>> =
            roots.iter().map(|(_, row)| *row..row.saturating_add(1)).collect();
        for ((place, _), bundle) in roots.iter().zip(read(segment, schema, 0, &rows)?) {
            if let Some(slot) = found.get_mut(*place) {
                *slot = Some(bundle);
            }
        }
    }
    Ok(found)
}

/// Reads ranges of rows of a table, in rising order, with all beneath them, column by column.
fn read(
    segment: &Segment,
    schema: &Schema,
    table: usize,
    rows: &[Range<u32>],
) -> Result<Vec<Bundle>> {
    let all = || rows.iter().cloned().flatten();
    let mut found: Vec<Bundle> = all().filter_map(|_| Bundle::new(schema, table)).collect();
    let columns = schema.tables.get(table).map_or(0, |t| t.columns.len());
    for column in 0..columns {
        let cells = segment.column(table, column)?.cells(rows)?;
        for (bundle, cell) in found.iter_mut().zip(cells) {
            bundle.set(column, cell);
        }
    }
    for child in schema.children(table) {
        let offsets = segment.offsets(child)?;
        let at = |row: u32| offsets.get(row as usize).copied().unwrap_or(0);
        let below: Vec<Range<u32>> = rows.iter().map(|r| at(r.start)..at(r.end)).collect();
        let mut beneath = read(segment, schema, child, &below)?.into_iter();
        for (row, bundle) in all().zip(&mut found) {
            let count = at(row.saturating_add(1)).saturating_sub(at(row));
            bundle.beneath.extend(beneath.by_ref().take(count as usize));
        }
    }
    Ok(found)
}

impl Batch {
    /// Adds a row with all rows beneath it: a bundle, where the row is of the root table.
    ///
    /// # Errors
    /// As [`Batch::push`] and [`crate::rows::RowBuilder::put`]; [`Error::Orphan`] on a row that
    /// lies beneath one of another table than its parent's. The batch then has a part of the rows.
    pub fn put(&mut self, bundle: &Bundle) -> Result<()> {
        let mut row = self.push(bundle.table)?;
        for (column, cell) in bundle.cells.iter().enumerate() {
            row.put(column, cell.value())?;
        }
        for row in &bundle.beneath {
            let schema = self.schema();
            let declared = schema.tables.get(row.table);
            if declared.is_some_and(|table| table.parent != Some(bundle.table)) {
                let name = |place: usize| schema.tables.get(place).map(|t| t.name.clone());
                let parent = declared.and_then(|table| table.parent).unwrap_or(0);
                let (table, parent) = (name(row.table), name(parent));
                let (table, parent) = (table.unwrap_or_default(), parent.unwrap_or_default());
                return Err(Error::Orphan { table, parent });
            }
            self.put(row)?;
        }
        Ok(())
    }
}
