//! Ordered tables become bundles: each thread reads a range of roots with everything beneath it,
//! column by column, and makes the bytes of its segment; one thread writes them.

use std::ops::Range;

use duckdb::Connection;
use duckdb::arrow::array::{Array, StructArray};
use yiku::limits::SEGMENT_ROWS_MAX;
use yiku::rows::{Prepared, Values};
use yiku::schema::TableSchema;
use yiku::{Batch, Schema, Writer};

use super::cells::{Cells, texts};
use super::lanes;
use super::order::Ordered;
use crate::error::{Error, Result};
use crate::report::Progress;

/// Rows of the largest table of a part; a little room is left for bundles that a cut goes around.
const PART_ROWS: u32 = SEGMENT_ROWS_MAX - SEGMENT_ROWS_MAX / 64;

/// Writes all bundles; rows written by table.
///
/// # Errors
/// [`Error::DuckDb`], [`Error::Parquet`], [`Error::Engine`].
pub(super) fn run(
    duckdb: &Connection,
    schema: &Schema,
    tables: &[Option<Ordered>],
    (writer, threads): (&mut Writer, usize),
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<(String, u64)>> {
    let mut written: Vec<(String, u64)> =
        schema.tables.iter().map(|table| (table.name.clone(), 0)).collect();
    let empty = writer.batch();
    let cuts = cuts(schema, tables);
    let parts = cuts.len().saturating_sub(1);
    let total = u64::try_from(parts).unwrap_or(0);
    let work = |connection: &Connection, part: usize| {
        let cut = |nth: usize| cuts.get(nth).copied().unwrap_or(0);
        let mut batch = empty.clone();
        fill(connection, (schema, tables), (&empty, &mut batch), cut(part)..cut(part + 1))?;
        let rows: Vec<usize> = (0..schema.tables.len()).map(|table| batch.rows(table)).collect();
        Ok((batch.prepare()?, rows))
    };
    let mut done = 0;
    lanes::run(duckdb, (threads, parts), &work, &mut |(prepared, rows): (Prepared, _)| {
        writer.write_prepared(&prepared)?;
        for ((_, sum), rows) in written.iter_mut().zip(rows) {
            *sum += u64::try_from(rows).unwrap_or(0);
        }
        done += 1;
        progress(Progress { step: "writing", detail: String::new(), done, total });
        Ok(())
    })?;
    Ok(written)
}

/// The root rows at which a part begins, and their number at the end.
fn cuts(schema: &Schema, tables: &[Option<Ordered>]) -> Vec<u32> {
    let count = |table: &Option<Ordered>| table.as_ref().map_or(0, |t| t.file.relation.rows);
    let roots = tables.first().map_or(0, count);
    let largest = tables.iter().enumerate().max_by_key(|(_, table)| count(table));
    let Some((largest, rows)) = largest.map(|(place, table)| (place, count(table))) else {
        return Vec::new();
    };
    let parts = rows.div_ceil(PART_ROWS).max(1);
    let mut cuts = vec![0];
    for part in 1..parts {
        let row = u64::from(rows) * u64::from(part) / u64::from(parts);
        let (mut table, mut row) = (largest, u32::try_from(row).unwrap_or(u32::MAX));
        while let Some(parent) = schema.tables.get(table).and_then(|t| t.parent) {
            let own = tables.get(table).and_then(Option::as_ref);
            row = own.and_then(|own| own.above.get(row as usize).copied()).unwrap_or(0);
            table = parent;
        }
        if cuts.last().is_some_and(|last| *last < row) {
            cuts.push(row);
        }
    }
    cuts.push(roots);
    cuts
}

/// What is known of the rows of a table in one part.
#[derive(Default)]
struct Done {
    /// The rows of the file.
    rows: Range<u32>,
    /// For each its place in the batch, if it stays.
    places: Vec<u32>,
    /// The keys of the rows in the batch, where other tables hang beneath.
    keys: Vec<String>,
}

/// Fills a batch with a range of roots and everything beneath them.
fn fill(
    duckdb: &Connection,
    (schema, tables): (&Schema, &[Option<Ordered>]),
    (empty, batch): (&Batch, &mut Batch),
    roots: Range<u32>,
) -> Result<()> {
    let mut all: Vec<Done> = Vec::with_capacity(tables.len());
    for (place, (declared, own)) in schema.tables.iter().zip(tables).enumerate() {
        let Some(own) = own else {
            all.push(Done::default());
            continue;
        };
        let above = declared.parent.and_then(|parent| all.get(parent));
        let rows = match above {
            None => roots.clone(),
            Some(above) => {
                let first = |row: u32| own.above.partition_point(|parent| *parent < row);
                let number = |row: u32| u32::try_from(first(row)).unwrap_or(u32::MAX);
                number(above.rows.start)..number(above.rows.end)
            }
        };
        let within = rows.start as usize..rows.end as usize;
        let stays = own.stays.get(within.clone()).unwrap_or_default();
        let mut done = Done { rows: rows.clone(), ..Done::default() };
        let mut kept = 0u32;
        for stays in stays {
            done.places.push(kept);
            kept += u32::from(*stays);
        }
        let parents = above.map(|above| above.of(own.above.get(within).unwrap_or_default()));
        let mut counts = vec![kept];
        if let Some(parents) = &parents {
            counts = vec![0; declared.parent.map_or(0, |parent| batch.rows(parent))];
            for (parent, _) in parents.iter().zip(stays).filter(|(_, stays)| **stays) {
                if let Some(count) = counts.get_mut(*parent) {
                    *count += 1;
                }
            }
        }
        let has_children = schema.tables.iter().any(|table| table.parent == Some(place));
        let above = above.zip(parents).map(|(above, parents)| (above.keys.as_slice(), parents));
        let mut reader = Reader {
            table: declared,
            stays,
            at: 0,
            above,
            cells: Vec::new(),
            values: declared.columns.iter().map(|_| Values::default()).collect(),
            keys: has_children.then(Vec::new),
        };
        reader.read(duckdb, (empty, own), rows)?;
        let (values, keys) = (reader.values, reader.keys);
        batch.extend(place, &counts, values)?;
        done.keys = keys.unwrap_or_default();
        all.push(done);
    }
    Ok(())
}

impl Done {
    /// The places in the batch of rows of the file.
    fn of(&self, rows: &[u32]) -> Vec<usize> {
        let place = |row: &u32| self.places.get(row.saturating_sub(self.rows.start) as usize);
        rows.iter().map(|row| place(row).map_or(usize::MAX, |place| *place as usize)).collect()
    }
}

/// Rows of one table on their way into columns.
struct Reader<'r> {
    table: &'r TableSchema,
    stays: &'r [bool],
    /// The next of them.
    at: usize,
    /// The keys of the parent's rows in the batch, and which of them each row is beneath.
    above: Option<(&'r [String], Vec<usize>)>,
    cells: Vec<Option<Cells<'r>>>,
    values: Vec<Values>,
    /// The keys of the rows, if they are asked for.
    keys: Option<Vec<String>>,
}

impl<'r> Reader<'r> {
    fn read(
        &mut self,
        duckdb: &Connection,
        (empty, own): (&'r Batch, &Ordered),
        rows: Range<u32>,
    ) -> Result<()> {
        let file = &own.file;
        let there: Vec<_> = file.sources.iter().filter(|source| source.sql.is_some()).collect();
        let columns: Vec<&str> = there.iter().filter_map(|source| source.sql.as_deref()).collect();
        let targets: Vec<Option<usize>> = there.iter().map(|source| source.column).collect();
        for source in there {
            let column = source.column.filter(|column| {
                self.table.columns.get(*column).is_some_and(|shape| !shape.kind.is_text())
            });
            self.cells.push(column.map(|c| Cells::new(empty, file.table, c, source.form)));
        }
        file.read(duckdb, &columns, rows, &mut |found| self.rows(found, &targets))
    }

    fn rows(&mut self, found: &StructArray, targets: &[Option<usize>]) -> Result<()> {
        let stays = self.stays.get(self.at..).unwrap_or_default();
        let arrays = found.columns().iter().zip(targets);
        let mut sound = true;
        for ((array, target), cells) in arrays.zip(&mut self.cells) {
            let Some(column) = *target else {
                let (keys, parents) =
                    self.above.as_ref().map_or((&[][..], &[][..]), |a| (a.0, &a.1));
                let parents = parents.get(self.at..).unwrap_or_default();
                for ((text, parent), _) in
                    texts(array)?.iter().zip(parents).zip(stays).filter(|(_, stays)| **stays)
                {
                    sound &= keys.get(*parent).map(String::as_str) == text;
                }
                continue;
            };
            let Some(values) = self.values.get_mut(column) else { continue };
            if let Some(cells) = cells {
                cells.each(array, |at, found| {
                    if stays.get(at) == Some(&true) {
                        sound &= found.is_ok();
                        values.push(found.ok().flatten());
                    }
                })?;
                continue;
            }
            let kept = texts(array)?.iter().zip(stays).filter(|(_, stays)| **stays);
            for (text, _) in kept {
                values.push_text(text.filter(|text| !text.is_empty()));
                if let (Some(keys), true) = (&mut self.keys, column == self.table.key) {
                    keys.push(text.unwrap_or_default().to_owned());
                }
            }
        }
        self.at += found.len();
        let what = "its file was changed while it was read, or two keys have one checksum";
        let (table, what) = (self.table.name.clone(), what.to_owned());
        if sound { Ok(()) } else { Err(Error::Table { table, what }) }
    }
}
