//! `yiku sql`: free SQL over a snapshot, its answer on standard output.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value::Null;
use yiku::Database;
use yiku_queries::{Sql as Opened, SqlAnswer, SqlLimits, SqlValue};

use super::{out, snapshot, table};
use crate::error::Error;

const EXAMPLE: &str = "\
Examples:
  yiku sql --db /tmp/registry 'SELECT sex, count(*) AS n FROM person GROUP BY sex'
  yiku sql --db /tmp/registry \"$(yiku query --db /tmp/registry --as-sql 'from person by sex')\"
  yiku sql --db /tmp/registry 'SHOW TABLES'
  yiku sql --db /tmp/registry 'DESCRIBE person'

There is a table for each table of the registry, with the columns of its schema: flags as BOOLEAN,
days as DATE, months as the DATE of their first day, codes by their names, sets of codes as lists,
money as BIGINT in fen, the path as its digits. `_row` is the number of a row, `_parent` that of the
row above it, `_level` (of the root table) the level of its place. `_place` has the places, `_code`
the code lists. SQL only reads: no file, no network, one statement.";

/// Ask in SQL, which DuckDB answers over a version of the database
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Sql {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// The name of a kept version [default: the newest version]
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Bytes that DuckDB may take, in mebibytes
    #[arg(long, value_name = "MIB", default_value_t = 2_048)]
    memory: u64,
    /// The statement
    #[arg(value_name = "SQL")]
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl Sql {
    pub(super) fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.db).map_err(|source| Error::Engine { source })?;
        let snapshot = snapshot::version(&database, self.snapshot.as_deref())?;
        let memory = self.memory.saturating_mul(1 << 20);
        let limits = SqlLimits { memory, ..SqlLimits::default() };
        let refused = |source| Error::Query { source };
        let opened = Opened::open(&snapshot, &limits).map_err(refused)?;
        let answer = opened.ask(&self.text).map_err(refused)?;
        match if self.json { Format::Json } else { self.format } {
            Format::Table => out::text(&shown(&answer)),
            Format::Json => out::json(&body(&answer)),
            Format::Csv => {
                let cell = |value: &SqlValue| text(value).unwrap_or_default();
                out::text(&table::records(&answer.columns, &cells(&answer, cell))?)
            }
        }
    }
}

fn cells<T>(answer: &SqlAnswer, cell: impl Fn(&SqlValue) -> T) -> Vec<Vec<T>> {
    answer.rows.iter().map(|row| row.iter().map(&cell).collect()).collect()
}

fn shown(answer: &SqlAnswer) -> String {
    let cell = |value: &SqlValue| text(value).unwrap_or_else(|| "-".to_owned());
    let numbers = |place: usize| {
        let number = |row: &Vec<SqlValue>| {
            matches!(row.get(place), Some(SqlValue::Int(_) | SqlValue::Float(_)))
        };
        answer.rows.iter().any(number)
    };
    let grid = table::grid(&answer.columns, &cells(answer, cell), numbers);
    format!("{grid}\n{} rows\n", answer.rows.len())
}

/// A value as text; none where it is NULL.
fn text(value: &SqlValue) -> Option<String> {
    Some(match value {
        SqlValue::Unknown => return None,
        SqlValue::Flag(flag) => flag.to_string(),
        SqlValue::Int(number) => number.to_string(),
        SqlValue::Float(number) => number.to_string(),
        SqlValue::Text(text) => text.clone(),
        SqlValue::List(list) => {
            let parts: Vec<String> = list.iter().filter_map(text).collect();
            parts.join(" ")
        }
        other => format!("{other:?}"),
    })
}

/// An answer in columns, as those of questions are.
#[derive(Serialize)]
struct Body<'a> {
    columns: Vec<Column<'a>>,
    rows: usize,
}

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    values: Vec<serde_json::Value>,
}

fn body(answer: &SqlAnswer) -> Body<'_> {
    let value = |row: &Vec<SqlValue>, place: usize| row.get(place).map_or(Null, json);
    let names = answer.columns.iter().enumerate();
    let columns = names.map(|(place, name)| {
        let values = answer.rows.iter().map(|row| value(row, place)).collect();
        Column { name, values }
    });
    Body { columns: columns.collect(), rows: answer.rows.len() }
}

/// A value as JSON; an integer that a reader with floating-point numbers would change is a text.
fn json(value: &SqlValue) -> serde_json::Value {
    const EXACT_MAX: u128 = 1 << 53;
    match value {
        SqlValue::Flag(flag) => (*flag).into(),
        SqlValue::Int(number) => match i64::try_from(*number) {
            Ok(small) if number.unsigned_abs() <= EXACT_MAX => small.into(),
            _ => number.to_string().into(),
        },
        SqlValue::Float(number) => (*number).into(),
        SqlValue::Text(text) => text.as_str().into(),
        SqlValue::List(list) => list.iter().map(json).collect(),
        _ => Null,
    }
}
