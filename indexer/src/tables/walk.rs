//! Joined tables become bundles: a walk from each root row down to the rows beneath it.

use duckdb::Connection;
use yiku::{Batch, Schema, Value, Writer};

use super::staged;
use crate::error::{Error, Result};
use crate::report::Progress;
use crate::rows::Rows;

/// Rows of the largest table in one batch.
const BATCH_ROWS: i64 = 1_000_000;

/// A table that was joined: its rows of one batch, and where its columns come from.
struct Table {
    table: usize,
    children: Vec<usize>,
    rows: Rows,
    /// Column of the rows, column of the table.
    copied: Vec<(usize, usize)>,
}

/// Writes all bundles; rows written by table.
///
/// # Errors
/// [`Error::DuckDb`], [`Error::Engine`].
pub(super) fn run(
    duckdb: &Connection,
    schema: &Schema,
    writer: &mut Writer,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<(String, u64)>> {
    let mut there = vec![false; schema.tables.len()];
    let mut largest = 0;
    let mut roots = 0;
    for (table, slot) in there.iter_mut().enumerate() {
        let (_, joined) = staged(table);
        let sql = format!(
            "select count(*)::bigint from information_schema.tables where table_name = '{joined}'"
        );
        *slot = number(duckdb, &sql)? > 0;
        if *slot {
            let rows = number(duckdb, &format!("select count(*)::bigint from {joined}"))?;
            largest = rows.max(largest);
            roots = if table == 0 { rows } else { roots };
        }
    }
    let mut written: Vec<(String, u64)> =
        schema.tables.iter().map(|table| (table.name.clone(), 0)).collect();
    let batches = (largest / BATCH_ROWS + 1).max(1);
    for nth in 0..batches {
        let (from, to) = (roots * nth / batches, roots * (nth + 1) / batches);
        let mut tables = fetch(duckdb, schema, &there, (from, to))?;
        let mut batch = writer.batch();
        let count = tables.first().map_or(0, |root| root.rows.len());
        for row in 0..count {
            push(&mut tables, 0, row, &mut batch)?;
        }
        for (table, (_, sum)) in written.iter_mut().enumerate() {
            *sum += u64::try_from(batch.rows(table)).unwrap_or(0);
        }
        writer.write(&batch)?;
        let (done, total) = (u64::try_from(to).unwrap_or(0), u64::try_from(roots).unwrap_or(0));
        progress(Progress { step: "writing", detail: String::new(), done, total });
    }
    Ok(written)
}

fn number(duckdb: &Connection, sql: &str) -> Result<i64> {
    duckdb.query_row(sql, [], |row| row.get(0)).map_err(Error::duckdb("join the tables"))
}

/// The rows of some roots and of everything beneath them, table by table.
fn fetch(
    duckdb: &Connection,
    schema: &Schema,
    there: &[bool],
    (from, to): (i64, i64),
) -> Result<Vec<Table>> {
    // The rows of each table are one range, for they stand in the order of their parents.
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    let mut tables = Vec::new();
    for (table, declared) in schema.tables.iter().enumerate() {
        let is_there = there.get(table) == Some(&true);
        let (_, joined) = staged(table);
        let range = match declared.parent.and_then(|parent| ranges.get(parent)) {
            _ if !is_there => (0, 0),
            None => (from, to),
            Some((first, last)) => {
                let within = format!("from {joined} where above >= {first} and above < {last}");
                let first = format!("select coalesce(min(rowid), 0)::bigint {within}");
                let last = format!("select coalesce(max(rowid) + 1, 0)::bigint {within}");
                (number(duckdb, &first)?, number(duckdb, &last)?)
            }
        };
        ranges.push(range);
        // The parent's key stands before the table's own columns.
        let first = usize::from(declared.parent.is_some());
        let columns: Vec<usize> = (0..declared.columns.len()).collect();
        let rows = if is_there {
            let names = columns.iter().map(|column| format!(", c{}", column + first));
            let names = names.collect::<String>();
            let (low, high) = range;
            let sql = format!(
                "select above, rowid{names} from {joined} where rowid >= {low} and rowid < {high}"
            );
            Rows::fetch(duckdb, &sql)?
        } else {
            Rows::none()
        };
        let copied = columns.into_iter().map(|column| (column + 2, column)).collect();
        tables.push(Table { table, children: schema.children(table), rows, copied });
    }
    Ok(tables)
}

/// Pushes a row and everything beneath it.
fn push(tables: &mut [Table], table: usize, row: usize, batch: &mut Batch) -> Result<()> {
    let Some(own) = tables.get(table) else { return Ok(()) };
    let mut builder = batch.push(own.table)?;
    for (from, to) in &own.copied {
        match own.rows.text(*from, row) {
            Some(text) => builder.put(*to, Value::Text(text))?,
            None => builder.put(*to, Value::Unknown)?,
        }
    }
    let number = own.rows.integer(1, row).unwrap_or(0);
    for child in own.children.clone() {
        let rows = tables.get_mut(child).map_or(0..0, |child| child.rows.take(number));
        for row in rows {
            push(tables, child, row, batch)?;
        }
    }
    Ok(())
}
