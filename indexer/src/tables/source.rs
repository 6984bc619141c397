//! The file of one table as DuckDB has it: which column stands where, and in what form it comes.
//!
//! Invariant: the rows of a relation are numbered from 0 without gaps, in the order of the file,
//! so that any range of them can be read by itself.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder, StructArray};
use duckdb::arrow::datatypes::{DataType, Field, Schema as ArrowSchema};
use yiku::Schema;
use yiku::schema::Kind;

use super::go;
use crate::error::{Error, Result};
use crate::read::{Chunk, Plain, quoted_path};
use crate::reject::{Outcome, Reject, shown};

/// How the values of a column come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Yes and no.
    Flags,
    /// Days since 1970-01-01.
    Days,
    /// Decimal numbers with so many digits behind the point, at most two.
    Decimals(u32),
    /// Integers as the column stores them.
    Integers,
    /// Texts as people write the value; an empty one is unknown.
    Texts,
    /// Lists of codes.
    Lists,
}

/// A column of the file: of the table, or the key of its parent.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    /// Its place in the table; none for the parent's key.
    pub(super) column: Option<usize>,
    /// Whether a row cannot do without it.
    pub(super) needed: bool,
    pub(super) personal: bool,
    pub(super) form: Form,
    /// What DuckDB calls it; none when the file does not have it.
    pub(super) sql: Option<String>,
}

/// Where rows are read from.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) sql: String,
    /// The number of a row.
    pub(super) row: &'static str,
    /// The line that it began on.
    pub(super) line: &'static str,
    pub(super) rows: u32,
}

/// The file of a table.
#[derive(Debug)]
pub(super) struct TableFile {
    pub(super) path: PathBuf,
    pub(super) table: usize,
    pub(super) sources: Vec<Source>,
    pub(super) relation: Relation,
    /// Records in the file, those among them that could not be taken apart.
    pub(super) records: u64,
    pub(super) rejects: Vec<Reject>,
}

impl TableFile {
    /// Opens the file of a table; text is staged, Parquet is read where it lies.
    ///
    /// # Errors
    /// [`Error::Header`] and what the file's form can break.
    pub(super) fn open(
        duckdb: &Connection,
        schema: &Schema,
        table: usize,
        path: &Path,
    ) -> Result<TableFile> {
        let mut sources = sources(schema, table);
        let file = Plain::open(path, duckdb)?;
        let places = places(path, &sources, file.headers())?;
        if file.is_text() {
            return stage(duckdb, table, path, (&file, &places), sources);
        }
        let from = format!("read_parquet({}, file_row_number = true)", quoted_path(path));
        let types = types(duckdb, path)?;
        let kinds = schema.tables.get(table).map(|t| t.columns.as_slice()).unwrap_or_default();
        for (source, place) in sources.iter_mut().zip(places) {
            let Some((header, found)) = place.and_then(|place| types.get(place)) else { continue };
            let kind = source.column.and_then(|column| kinds.get(column)).map(|c| c.kind);
            let header = format!("\"{}\"", header.replace('"', "\"\""));
            let (form, sql) = form(kind, found, header);
            (source.form, source.sql) = (form, Some(sql));
        }
        let failed = |source| Error::Parquet { path: path.to_owned(), source };
        let count = format!("select count(*)::bigint from {from}");
        let count: i64 = duckdb.query_row(&count, [], |row| row.get(0)).map_err(failed)?;
        let rows = row_number(schema, table, count)?;
        let relation =
            Relation { sql: from, row: "file_row_number", line: "file_row_number + 1", rows };
        let records = u64::from(rows);
        let path = path.to_owned();
        Ok(TableFile { path, table, sources, relation, records, rejects: Vec::new() })
    }

    /// The place among the sources of a column of the table, or, for none, of the parent's key.
    pub(super) fn place(&self, column: Option<usize>) -> Option<usize> {
        self.sources.iter().position(|source| source.column == column)
    }

    /// Hands over some columns of a range of rows, in their order, piece by piece.
    ///
    /// # Errors
    /// [`Error::Parquet`], and what `take` says.
    pub(super) fn read(
        &self,
        duckdb: &Connection,
        columns: &[&str],
        rows: Range<u32>,
        take: &mut dyn FnMut(&StructArray) -> Result<()>,
    ) -> Result<()> {
        let Relation { sql, row, .. } = &self.relation;
        let sql = format!(
            "select {} from {sql} where {row} >= {} and {row} < {}",
            columns.join(", "),
            rows.start,
            rows.end
        );
        self.run(duckdb, &sql, take)
    }

    /// Hands over what a statement about the file's rows finds.
    ///
    /// # Errors
    /// As [`TableFile::read`].
    pub(super) fn run(
        &self,
        duckdb: &Connection,
        sql: &str,
        take: &mut dyn FnMut(&StructArray) -> Result<()>,
    ) -> Result<()> {
        let failed = |source| Error::Parquet { path: self.path.clone(), source };
        let mut statement = duckdb.prepare(sql).map_err(failed)?;
        // Stepping below says what went wrong, where the iterator would end the process.
        drop(statement.stream_arrow([]).map_err(failed)?);
        while let Some(rows) = statement.step().map_err(failed)? {
            take(&rows)?;
        }
        Ok(())
    }
}

/// A count of rows as the number of the last.
pub(super) fn row_number(schema: &Schema, table: usize, count: i64) -> Result<u32> {
    u32::try_from(count).ok().filter(|rows| *rows < u32::MAX).ok_or_else(|| {
        let table = schema.tables.get(table).map(|t| t.name.clone()).unwrap_or_default();
        let what = format!("its file has {count} rows; {} is the most", u32::MAX - 1);
        Error::Table { table, what }
    })
}

/// The columns that a file of a table may have.
fn sources(schema: &Schema, table: usize) -> Vec<Source> {
    let Some(declared) = schema.tables.get(table) else { return Vec::new() };
    let parent = declared.parent.and_then(|parent| schema.tables.get(parent));
    let key = parent.and_then(|parent| parent.columns.get(parent.key)).map(|key| (None, key));
    let own = declared.columns.iter().enumerate().map(|(place, column)| (Some(place), column));
    let all = key.into_iter().chain(own).map(|(column, shape)| Source {
        name: shape.name.clone(),
        column,
        needed: column.is_none_or(|c| c == declared.key) || shape.kind == Kind::Path,
        personal: shape.personal,
        form: Form::Texts,
        sql: None,
    });
    all.collect()
}

/// Where each column stands in the file.
fn places(path: &Path, sources: &[Source], headers: &[String]) -> Result<Vec<Option<usize>>> {
    let wrong = |what: String| Error::Header { path: path.to_owned(), what };
    let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    if let Some(other) = headers.iter().find(|header| !known.contains(&header.as_str())) {
        return Err(wrong(format!("no column `{other}`; it may have {}", known.join(", "))));
    }
    let mut places = Vec::new();
    for source in sources {
        let place = headers.iter().position(|header| *header == source.name);
        if source.needed && place.is_none() {
            return Err(wrong(format!("the column `{}` is missing", source.name)));
        }
        places.push(place);
    }
    Ok(places)
}

/// The columns of a Parquet file with their types, as DuckDB names them.
fn types(duckdb: &Connection, path: &Path) -> Result<Vec<(String, String)>> {
    let failed = |source| Error::Parquet { path: path.to_owned(), source };
    let sql = format!("describe select * from read_parquet({})", quoted_path(path));
    let mut statement = duckdb.prepare(&sql).map_err(failed)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    found.collect::<std::result::Result<_, _>>().map_err(failed)
}

/// In what form a column comes, and what DuckDB is asked for: its own type where every value of
/// it means the same there and here, text in all other cases.
fn form(kind: Option<Kind>, found: &str, sql: String) -> (Form, String) {
    let decimal = || {
        let digits = found.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
        let (all, behind): (u32, u32) = (digits.0.parse().ok()?, digits.1.parse().ok()?);
        // In hundredths it must fit 63 bits.
        (behind <= 2 && all.checked_sub(behind)? <= 16).then_some(behind)
    };
    let small =
        matches!(found, "TINYINT" | "SMALLINT" | "INTEGER" | "UTINYINT" | "USMALLINT" | "UINTEGER");
    match (kind, found) {
        (Some(Kind::Flag), "BOOLEAN") => (Form::Flags, sql),
        (Some(Kind::Date), "DATE") => (Form::Days, sql),
        (Some(Kind::Int), _) if small || found == "BIGINT" => {
            (Form::Integers, format!("{sql}::bigint"))
        }
        (Some(Kind::Money), _) if small => (Form::Integers, format!("{sql}::bigint * 100")),
        (Some(Kind::Codes), "VARCHAR[]") => (Form::Lists, sql),
        (Some(Kind::Money), _) => match decimal() {
            Some(behind) => (Form::Decimals(behind), sql),
            None => (Form::Texts, format!("{sql}::varchar")),
        },
        _ => (Form::Texts, format!("{sql}::varchar")),
    }
}

/// Stages the records of a text, all cells as they stand there.
fn stage(
    duckdb: &Connection,
    table: usize,
    path: &Path,
    (file, places): (&Plain, &[Option<usize>]),
    mut sources: Vec<Source>,
) -> Result<TableFile> {
    let name = format!("stage_{table}");
    let columns: String = (0..sources.len()).map(|nth| format!(", c{nth} varchar")).collect();
    go(duckdb, &format!("create table {name} (line bigint{columns})"))?;
    let failed = Error::duckdb("stage rows");
    let mut appender = duckdb.appender(&name).map_err(&failed)?;
    let reader = duckdb.try_clone().map_err(&failed)?;
    let mut rejects = Vec::new();
    let mut rows = 0;
    file.read(places, &reader, &mut |chunk| {
        for (line, reason, text) in &chunk.broken {
            let (file, value) = (path.to_owned(), shown(text, true));
            let (outcome, column) = (Outcome::Rejected, String::new());
            rejects.push(Reject { file, line: *line, column, reason: *reason, outcome, value });
        }
        rows += u32::try_from(chunk.lines.len()).unwrap_or(u32::MAX);
        let batch = batch(chunk, sources.len())?;
        appender.append_record_batch(batch).map_err(&failed)
    })?;
    appender.flush().map_err(&failed)?;
    for (nth, (source, place)) in sources.iter_mut().zip(places).enumerate() {
        source.sql = place.map(|_| format!("c{nth}"));
    }
    let records = u64::from(rows) + u64::try_from(rejects.len()).unwrap_or(0);
    let relation = Relation { sql: name, row: "rowid", line: "line", rows };
    Ok(TableFile { path: path.to_owned(), table, sources, relation, records, rejects })
}

/// The cells of a chunk as DuckDB takes them.
fn batch(chunk: &Chunk, columns: usize) -> Result<RecordBatch> {
    let mut lines = Int64Builder::new();
    for line in &chunk.lines {
        lines.append_value(i64::try_from(*line).unwrap_or(0));
    }
    let mut fields = vec![Field::new("line", DataType::Int64, true)];
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(lines.finish())];
    for column in 0..columns {
        let mut cells = StringBuilder::new();
        chunk.column(column).for_each(|cell| cells.append_value(cell));
        fields.push(Field::new(format!("c{column}"), DataType::Utf8, true));
        arrays.push(Arc::new(cells.finish()));
    }
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), arrays)
        .map_err(Error::arrow("stage rows"))
}
