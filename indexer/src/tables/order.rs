//! Which rows stay, and whose they are: of two rows with one key the first, and of the others
//! those whose parent stays.
//!
//! Invariant: keys are compared by hash, and where two hashes are equal by themselves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray, Int64Array, RecordBatch, StructArray};
use duckdb::arrow::datatypes::{DataType, Field, Int64Type, Schema as ArrowSchema};
use yiku::Schema;

use super::cells::texts;
use super::check::Checked;
use super::go;
use super::source::{Relation, TableFile};
use crate::error::{Error, Result};
use crate::reject::{Outcome, Reason, Reject, shown};

/// Rows of the parent's table that are looked at, from the last one found, before all are.
const AHEAD: usize = 64;

/// The rows of a table in the order in which they are written.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) file: TableFile,
    /// The row of the parent's table above each row; nothing in the root table. It never falls;
    /// of a row that does not stay it is that of the row before.
    pub(super) above: Vec<u32>,
    /// Whether a row stays.
    pub(super) stays: Vec<bool>,
}

/// The rows of a parent's table by the hash of their key.
pub(super) struct Parents {
    /// Of the rows that stay.
    sorted: Vec<(u64, u32)>,
}

impl Parents {
    fn new(keys: &[u64], stays: &[bool]) -> Parents {
        let rows = (0u32..).zip(keys).zip(stays);
        let mut sorted: Vec<(u64, u32)> =
            rows.filter(|(_, stays)| **stays).map(|((row, key), _)| (*key, row)).collect();
        sorted.sort_unstable();
        Parents { sorted }
    }

    fn find(&self, key: u64) -> Option<u32> {
        let place = self.sorted.partition_point(|(found, _)| *found < key);
        self.sorted.get(place).filter(|(found, _)| *found == key).map(|(_, row)| *row)
    }
}

/// A table of which the rows that stay are known.
pub(super) struct Kept {
    pub(super) keys: Vec<u64>,
    pub(super) stays: Vec<bool>,
    /// For each row its place in the order in which the table is written, if that is another.
    pub(super) moved: Option<Vec<u32>>,
}

/// Leaves out rows whose key stands before or whose parent is not there, and orders the rest:
/// roots by path, others by their parents, those of one parent by their lines.
///
/// # Errors
/// [`Error::DuckDb`], [`Error::Parquet`].
pub(super) fn run(
    duckdb: &Connection,
    schema: &Schema,
    (mut file, checked): (TableFile, Checked),
    parents: Option<&Kept>,
) -> Result<(Ordered, Kept)> {
    let Checked { keys, above, paths, refused } = checked;
    let mut stays = vec![true; keys.len()];
    let leave = |stays: &mut Vec<bool>, row: u32| {
        if let Some(slot) = stays.get_mut(row as usize) {
            *slot = false;
        }
    };
    refused.iter().for_each(|row| leave(&mut stays, *row));
    let twice = twice(duckdb, schema, &file, (&keys, &stays))?;
    twice.iter().for_each(|(row, _)| leave(&mut stays, *row));
    let mut lost: Vec<(u32, Reason)> = Vec::new();
    let mut own = vec![0; keys.len()];
    if let Some(parents) = parents {
        own = find_parents(parents, (&above, &mut stays), &mut lost);
    }
    for (row, first) in twice {
        // The first may have gone for want of a parent, and then this one goes for the same.
        let is_there = stays.get(first as usize) == Some(&true);
        lost.push((row, if is_there { Reason::Duplicate } else { Reason::Orphan }));
    }
    lost.sort_unstable_by_key(|(row, _)| *row);
    tell(duckdb, schema, &mut file, &lost)?;
    drop(above);
    let moved = if parents.is_none() { order(&paths, &stays) } else { order(&own, &stays) };
    if let Some(rows) = moved {
        return rewrite(duckdb, schema, file, (keys, own), rows);
    }
    let mut before = 0;
    for (own, stays) in own.iter_mut().zip(&stays) {
        before = if *stays { *own } else { before };
        *own = before;
    }
    let kept = Kept { keys, stays: stays.clone(), moved: None };
    Ok((Ordered { file, above: own, stays }, kept))
}

/// Rows whose key an earlier row has that is not refused, with that row; rising.
fn twice(
    duckdb: &Connection,
    schema: &Schema,
    file: &TableFile,
    (keys, stays): (&[u64], &[bool]),
) -> Result<Vec<(u32, u32)>> {
    let mut sorted: Vec<u64> =
        keys.iter().zip(stays).filter(|(_, stays)| **stays).map(|(key, _)| *key).collect();
    sorted.sort_unstable();
    let equal = sorted.windows(2).filter(|pair| pair.first() == pair.last());
    let equal: HashSet<u64> = equal.filter_map(|pair| pair.first().copied()).collect();
    drop(sorted);
    if equal.is_empty() {
        return Ok(Vec::new());
    }
    let rows = (0u32..).zip(keys.iter().zip(stays));
    let rows = rows.filter(|(_, (key, stays))| **stays && equal.contains(*key));
    let rows: Vec<u32> = rows.map(|(row, _)| row).collect();
    let mut first: HashMap<String, u32> = HashMap::new();
    let mut found = Vec::new();
    let Some(key) = key_sql(schema, file) else { return Ok(found) };
    each_of(duckdb, file, (&rows, &key), &mut |row, _, text| match first.entry(text.to_owned()) {
        std::collections::hash_map::Entry::Occupied(first) => found.push((row, *first.get())),
        std::collections::hash_map::Entry::Vacant(slot) => drop(slot.insert(row)),
    })?;
    Ok(found)
}

/// What DuckDB calls the key of the table.
fn key_sql(schema: &Schema, file: &TableFile) -> Option<String> {
    let key = schema.tables.get(file.table)?.key;
    file.sources.get(file.place(Some(key))?)?.sql.clone()
}

/// Calls `take` with row, line and text of some rows, which rise.
fn each_of(
    duckdb: &Connection,
    file: &TableFile,
    (rows, column): (&[u32], &str),
    take: &mut dyn FnMut(u32, u64, &str),
) -> Result<()> {
    go(duckdb, "create or replace table some_rows (number bigint)")?;
    append(duckdb, "some_rows", rows)?;
    let Relation { sql, row, line, .. } = &file.relation;
    let sql = format!(
        "select r::bigint, l::bigint, c from (select {row} r, {line} l, {column} c from {sql})
         semi join some_rows on r = number order by r"
    );
    file.run(duckdb, &sql, &mut |found: &StructArray| {
        let [rows, lines, cells] = found.columns() else { return Ok(()) };
        let numbers = |array: &dyn Array| array.as_primitive_opt::<Int64Type>().cloned();
        let (Some(rows), Some(lines)) = (numbers(rows), numbers(lines)) else { return Ok(()) };
        for ((row, line), text) in rows.values().iter().zip(lines.values()).zip(texts(cells)?) {
            let (row, line) = (u32::try_from(*row), u64::try_from(*line));
            take(row.unwrap_or(u32::MAX), line.unwrap_or(0), text.unwrap_or_default());
        }
        Ok(())
    })
}

/// Appends numbers to a table of one column.
fn append(duckdb: &Connection, table: &str, numbers: &[u32]) -> Result<()> {
    let failed = Error::duckdb("order rows");
    let mut appender = duckdb.appender(table).map_err(&failed)?;
    let shape = Field::new("number", DataType::Int64, false);
    let shape = Arc::new(ArrowSchema::new(vec![shape]));
    for numbers in numbers.chunks(1 << 16) {
        let numbers = Int64Array::from_iter_values(numbers.iter().map(|row| i64::from(*row)));
        let batch = RecordBatch::try_new(Arc::clone(&shape), vec![Arc::new(numbers)]);
        let batch = batch.map_err(Error::arrow("order rows"))?;
        appender.append_record_batch(batch).map_err(&failed)?;
    }
    appender.flush().map_err(&failed)
}

/// The row above each row, by the hash of its key; rows without one no longer stay.
fn find_parents(
    parents: &Kept,
    (above, stays): (&[u64], &mut [bool]),
    lost: &mut Vec<(u32, Reason)>,
) -> Vec<u32> {
    let index = Parents::new(&parents.keys, &parents.stays);
    let mut found = vec![0; above.len()];
    let mut last = 0usize;
    for (row, (key, (stays, slot))) in
        (0u32..).zip(above.iter().zip(stays.iter_mut().zip(&mut found)))
    {
        if !*stays {
            continue;
        }
        let near = parents.keys.get(last..).unwrap_or_default().iter().take(AHEAD);
        let near = near.zip(parents.stays.get(last..).unwrap_or_default());
        let near = near.enumerate().find(|(_, (other, stays))| **stays && *other == key);
        let parent = match near {
            Some((ahead, _)) => u32::try_from(last + ahead).ok(),
            None => index.find(*key),
        };
        let Some(parent) = parent else {
            *stays = false;
            lost.push((row, Reason::Orphan));
            continue;
        };
        last = parent as usize;
        let moved = parents.moved.as_ref().and_then(|moved| moved.get(parent as usize));
        *slot = moved.copied().unwrap_or(parent);
    }
    found
}

/// Makes rejects of rows that are lost.
fn tell(
    duckdb: &Connection,
    schema: &Schema,
    file: &mut TableFile,
    lost: &[(u32, Reason)],
) -> Result<()> {
    let Some(key) = key_sql(schema, file).filter(|_| !lost.is_empty()) else { return Ok(()) };
    let own = schema.tables.get(file.table).and_then(|t| file.place(Some(t.key)));
    let name = |place: usize| file.sources.get(place).map(|s| s.name.clone()).unwrap_or_default();
    let personal = own.and_then(|own| file.sources.get(own)).is_some_and(|s| s.personal);
    let rows: Vec<u32> = lost.iter().map(|(row, _)| *row).collect();
    let mut reasons = lost.iter();
    let mut rejects = Vec::new();
    each_of(duckdb, file, (&rows, &key), &mut |_, line, text| {
        let Some((_, reason)) = reasons.next() else { return };
        let place = if *reason == Reason::Duplicate { own.unwrap_or(0) } else { 0 };
        rejects.push(Reject {
            file: file.path.clone(),
            line,
            column: name(place),
            reason: *reason,
            outcome: Outcome::Rejected,
            value: shown(text, personal),
        });
    })?;
    file.rejects.append(&mut rejects);
    file.rejects.sort_by_key(|reject| reject.line);
    Ok(())
}

/// The rows that stay in the order of what they are sorted by, if that is not their own.
fn order<T: Ord + Copy>(by: &[T], stays: &[bool]) -> Option<Vec<u32>> {
    let kept = || (0u32..).zip(by.iter().zip(stays)).filter(|(_, (_, stays))| **stays);
    if kept().map(|(_, (by, _))| by).is_sorted() {
        return None;
    }
    let mut rows: Vec<(T, u32)> = kept().map(|(row, (by, _))| (*by, row)).collect();
    rows.sort_unstable();
    Some(rows.into_iter().map(|(_, row)| row).collect())
}

/// Writes the rows that stay anew, in another order.
fn rewrite(
    duckdb: &Connection,
    schema: &Schema,
    mut file: TableFile,
    (keys, own): (Vec<u64>, Vec<u32>),
    rows: Vec<u32>,
) -> Result<(Ordered, Kept)> {
    let numbers = format!("order_{}", file.table);
    go(duckdb, &format!("create table {numbers} (number bigint)"))?;
    append(duckdb, &numbers, &rows)?;
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let sorted = format!("sorted_{}", file.table);
    let mut columns = String::new();
    for (nth, source) in file.sources.iter_mut().enumerate() {
        if let Some(sql) = &mut source.sql {
            columns.push_str(&format!(", {sql} c{nth}"));
            *sql = format!("c{nth}");
        }
    }
    let Relation { sql, row, line, .. } = &file.relation;
    go(
        duckdb,
        &format!(
            "create table {sorted} as select s.* exclude (r) from
             (select {row} r, {line} line{columns} from {sql}) s
             join (select rowid place, number from {numbers}) o on s.r = o.number order by o.place"
        ),
    )?;
    go(duckdb, &format!("drop table {numbers}"))?;
    let rows_count = super::source::row_number(schema, file.table, count)?;
    file.relation = Relation { sql: sorted, row: "rowid", line: "line", rows: rows_count };
    let mut stays = vec![false; keys.len()];
    let mut moved = vec![0; keys.len()];
    let mut above = Vec::with_capacity(rows.len());
    for (place, row) in (0u32..).zip(&rows) {
        let row = *row as usize;
        if let (Some(stays), Some(moved)) = (stays.get_mut(row), moved.get_mut(row)) {
            (*stays, *moved) = (true, place);
        }
        above.push(own.get(row).copied().unwrap_or(0));
    }
    let ordered = Ordered { file, above, stays: vec![true; rows.len()] };
    Ok((ordered, Kept { keys, stays, moved: Some(moved) }))
}
