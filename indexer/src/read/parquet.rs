//! Parquet, through DuckDB: the columns of the contract as text, in the order of the file's rows.

use std::path::Path;

use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray};
use duckdb::arrow::datatypes::Int64Type;

use super::Sink;
use super::chunk::Chunk;
use crate::error::{Error, Result};

/// A path as a text of SQL.
pub(crate) fn quoted_path(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "''"))
}

fn failed(path: &Path) -> impl Fn(duckdb::Error) -> Error {
    move |source| Error::Parquet { path: path.to_owned(), source }
}

/// The names of the columns.
///
/// # Errors
/// [`Error::Parquet`].
pub(crate) fn parquet_columns(path: &Path, duckdb: &Connection) -> Result<Vec<String>> {
    let sql = format!("describe select * from read_parquet({})", quoted_path(path));
    let mut statement = duckdb.prepare(&sql).map_err(failed(path))?;
    let names = statement.query_map([], |row| row.get(0)).map_err(failed(path))?;
    names.collect::<std::result::Result<_, _>>().map_err(failed(path))
}

/// Hands over all records.
pub(super) fn read(
    path: &Path,
    (places, headers): (&[Option<usize>], &[String]),
    duckdb: &Connection,
    chunk: &mut Chunk,
    sink: Sink<'_>,
) -> Result<()> {
    let column = |place: &Option<usize>| match place.and_then(|place| headers.get(place)) {
        Some(header) => format!("coalesce(\"{}\"::varchar, '')", header.replace('"', "\"\"")),
        None => "''".to_owned(),
    };
    let columns: Vec<String> = places.iter().map(column).collect();
    let sql = format!(
        "select file_row_number + 1, {} from read_parquet({}, file_row_number = true)",
        columns.join(", "),
        quoted_path(path),
    );
    let mut statement = duckdb.prepare(&sql).map_err(failed(path))?;
    // Stepping below says what went wrong, where the iterator would end the process.
    drop(statement.stream_arrow([]).map_err(failed(path))?);
    while let Some(rows) = statement.step().map_err(failed(path))? {
        let Some(lines) = rows.columns().first().and_then(|c| c.as_primitive_opt::<Int64Type>())
        else {
            break;
        };
        for (nth, cells) in rows.columns().iter().skip(1).enumerate() {
            if let Some(cells) = cells.as_string_opt::<i32>() {
                (0..cells.len()).for_each(|row| chunk.cell(nth, cells.value(row)));
            }
        }
        for line in lines.values() {
            chunk.end(u64::try_from(*line).unwrap_or(0));
        }
        if chunk.is_full() {
            sink(chunk)?;
            chunk.clear();
        }
    }
    sink(chunk)
}
