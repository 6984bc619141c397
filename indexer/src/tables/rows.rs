//! The rows of one table's file: read, checked value by value, staged, joined with their parents.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use duckdb::arrow::datatypes::{DataType, Field, Schema as ArrowSchema};
use yiku::{Kind, PathTree, Schema, Value};

use super::{go, staged};
use crate::error::{Error, Result};
use crate::read::{Chunk, Plain};
use crate::reject::{Outcome, Reason, Reject, shown};

/// What was read of one file.
pub(super) struct Read {
    pub(super) path: PathBuf,
    pub(super) table: usize,
    pub(super) records: u64,
    pub(super) rejects: Vec<Reject>,
}

/// A column of the file: of the table, or the key of its parent.
struct Source {
    name: String,
    /// Its place in the table; none for the parent's key.
    column: Option<usize>,
    /// Whether a row cannot do without it.
    needed: bool,
    personal: bool,
}

/// The columns that a file of a table has.
fn sources(schema: &Schema, table: usize) -> Vec<Source> {
    let Some(declared) = schema.tables.get(table) else { return Vec::new() };
    let parent = declared.parent.and_then(|parent| schema.tables.get(parent));
    let parent = parent.and_then(|parent| parent.columns.get(parent.key));
    let parent = parent.map(|key| Source {
        name: key.name.clone(),
        column: None,
        needed: true,
        personal: key.personal,
    });
    let own = declared.columns.iter().enumerate().map(|(place, column)| Source {
        name: column.name.clone(),
        column: Some(place),
        needed: place == declared.key || column.kind == Kind::Path,
        personal: column.personal,
    });
    parent.into_iter().chain(own).collect()
}

/// Reads and checks the file of a table, and stages what is good.
///
/// # Errors
/// [`Error::Header`] and what the file's form can break.
pub(super) fn read(
    duckdb: &Connection,
    (schema, tree): (&Schema, &PathTree),
    table: usize,
    path: &Path,
) -> Result<Read> {
    let sources = sources(schema, table);
    let file = Plain::open(path, duckdb)?;
    let places = places(path, &sources, file.headers())?;
    let (stage, _) = staged(table);
    let columns: String = (0..sources.len()).map(|nth| format!(", c{nth} varchar")).collect();
    go(duckdb, &format!("create table {stage} (line bigint{columns})"))?;
    let failed = Error::duckdb("stage rows");
    let mut appender = duckdb.appender(&stage).map_err(&failed)?;
    let reader = duckdb.try_clone().map_err(&failed)?;
    let mut check = Check::new(schema, tree, table)?;
    let mut read = Read { path: path.to_owned(), table, records: 0, rejects: Vec::new() };
    file.read(&places, &reader, &mut |chunk| {
        let batch = check_chunk(&mut check, &sources, chunk, &mut read)?;
        appender.append_record_batch(batch).map_err(&failed)
    })?;
    appender.flush().map_err(&failed)?;
    Ok(read)
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

/// Tries values in a row of its own.
struct Check {
    batch: yiku::Batch,
    table: usize,
}

impl Check {
    fn new(schema: &Schema, tree: &PathTree, table: usize) -> Result<Check> {
        let (own, places) = (Arc::new(schema.clone()), Arc::new(tree.clone()));
        let mut batch = yiku::Batch::new(own, places);
        // A row needs rows above it.
        let mut above = Vec::new();
        let mut next = schema.tables.get(table).and_then(|t| t.parent);
        while let Some(parent) = next {
            above.push(parent);
            next = schema.tables.get(parent).and_then(|t| t.parent);
        }
        for parent in above.into_iter().rev() {
            batch.push(parent)?;
        }
        Ok(Check { batch, table })
    }
}

fn check_chunk(
    check: &mut Check,
    sources: &[Source],
    chunk: &Chunk,
    read: &mut Read,
) -> Result<RecordBatch> {
    let mut reject = |line, column: &str, reason, value| {
        let (file, column) = (read.path.clone(), column.to_owned());
        let outcome = Outcome::Rejected;
        read.rejects.push(Reject { file, line, column, reason, outcome, value });
    };
    for (line, reason, text) in &chunk.broken {
        reject(*line, "", *reason, shown(text, true));
    }
    let records = chunk.lines.len() + chunk.broken.len();
    let cells: Vec<Vec<&str>> =
        (0..sources.len()).map(|column| chunk.column(column).collect()).collect();
    let mut lines = Int64Builder::new();
    let mut builders: Vec<StringBuilder> = sources.iter().map(|_| StringBuilder::new()).collect();
    let mut batch = check.batch.clone();
    let mut row = batch.push(check.table)?;
    for (nth, line) in chunk.lines.iter().enumerate() {
        let cell = |column: usize| {
            let cells = cells.get(column).and_then(|cells| cells.get(nth));
            cells.copied().unwrap_or_default()
        };
        let wrong = sources.iter().enumerate().find_map(|(column, source)| {
            let cell = cell(column);
            let reason = match (cell, source.column) {
                ("", _) if source.needed => Some(Reason::MissingKey),
                ("", _) | (_, None) => None,
                (cell, Some(place)) => row.put(place, Value::Text(cell)).err().map(reason),
            };
            Some((source, shown(cell, source.personal), reason?))
        });
        if let Some((source, value, reason)) = wrong {
            reject(*line, &source.name, reason, value);
            continue;
        }
        lines.append_value(i64::try_from(*line).unwrap_or(0));
        for (column, builder) in builders.iter_mut().enumerate() {
            match cell(column) {
                "" => builder.append_null(),
                cell => builder.append_value(cell),
            }
        }
    }
    read.records += u64::try_from(records).unwrap_or(0);
    let mut fields = vec![Field::new("line", DataType::Int64, true)];
    fields.extend((0..sources.len()).map(|n| Field::new(format!("c{n}"), DataType::Utf8, true)));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(lines.finish())];
    columns.extend(builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns)
        .map_err(Error::arrow("stage rows"))
}

/// Why the engine does not take a value.
fn reason(error: yiku::Error) -> Reason {
    match error {
        yiku::Error::UnknownCode { .. } | yiku::Error::UnknownPath { .. } => Reason::UnknownCode,
        yiku::Error::Limit { .. } => Reason::TooLong,
        yiku::Error::WrongType { expected: Kind::Date | Kind::Month, .. } => Reason::ImpossibleDate,
        yiku::Error::WrongType { expected: Kind::Money, .. } => Reason::BadAmount,
        yiku::Error::WrongType { expected: Kind::Flag, .. } => Reason::BadFlag,
        _ => Reason::BadNumber,
    }
}

/// Leaves out rows whose key stands before or whose parent is not there, and orders the rest: roots
/// by path and key, others by their parents. A row's number in `joined_…` is its place.
///
/// # Errors
/// [`Error::DuckDb`].
pub(super) fn compare(duckdb: &Connection, schema: &Schema, read: &mut Read) -> Result<()> {
    let Some(declared) = schema.tables.get(read.table) else { return Ok(()) };
    let (stage, joined) = staged(read.table);
    let sources = sources(schema, read.table);
    let place = |column: usize| sources.iter().position(|s| s.column == Some(column));
    let key = place(declared.key).unwrap_or(0);
    let kept =
        format!("(from {stage} qualify row_number() over (partition by c{key} order by line) = 1)");
    let sql = match declared.parent {
        None => {
            let path = place(schema.path_column()).unwrap_or(0);
            let digits = schema.path.digits();
            format!(
                "create table {joined} as select 0::bigint above, * from {kept}
                 order by rpad(c{path}, {digits}, '0'), c{key}"
            )
        }
        Some(parent) => {
            let (_, above) = staged(parent);
            // The parent's key stands first in this file; in the parent's, behind its own parent's.
            let parents = self::sources(schema, parent);
            let parents_key = schema.tables.get(parent).map_or(0, |t| t.key);
            let parents_key = parents.iter().position(|s| s.column == Some(parents_key));
            let parents_key = parents_key.unwrap_or(0);
            format!(
                "create table {joined} as select a.rowid above, s.* from {kept} s
                 join {above} a on a.c{parents_key} = s.c0 order by above, line"
            )
        }
    };
    go(duckdb, &sql)?;
    let sql = format!(
        "select s.line, s.c{key}, exists (from {joined} j where j.c{key} = s.c{key})
         from {stage} s where not exists (from {joined} j where j.line = s.line) order by s.line"
    );
    let failed = Error::duckdb("join the tables");
    let mut statement = duckdb.prepare(&sql).map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let name = |nth: usize| sources.get(nth).map(|s| s.name.clone()).unwrap_or_default();
    let personal = sources.get(key).is_some_and(|source| source.personal);
    while let Some(row) = rows.next().map_err(&failed)? {
        let line: i64 = row.get(0).map_err(&failed)?;
        let value: String = row.get(1).map_err(&failed)?;
        let is_there: bool = row.get(2).map_err(&failed)?;
        let reason = if is_there { Reason::Duplicate } else { Reason::Orphan };
        read.rejects.push(Reject {
            file: read.path.clone(),
            line: u64::try_from(line).unwrap_or(0),
            column: name(if is_there { key } else { 0 }),
            reason,
            outcome: Outcome::Rejected,
            value: shown(&value, personal),
        });
    }
    Ok(())
}
