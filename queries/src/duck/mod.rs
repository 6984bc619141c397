//! Free SQL over a snapshot, run by DuckDB in this process.
//!
//! The tables are those that a plan printed as SQL speaks of (see `crate::sql`), and two more:
//! `_place` (the places of the path: `code` to the full width, `digits` down to its level, `level`
//! from 0, `level_name`, `name`, `above`) and `_code` (the code lists: `list`, `place` from 0,
//! `code`, `name`, `label`).
//!
//! Nothing is copied into DuckDB before it is asked for: a table is read block by block, and of
//! each block only the columns that the question names. Conditions are not handed down, for the C
//! interface of DuckDB hands down columns alone; whoever asks for one county in a province is
//! quicker with the statistics language.
//!
//! Invariants: what is asked reads and changes nothing outside: no file, no network, no extension,
//! no setting; one statement, of those that read; memory has a limit and never goes to disk.

mod blocks;
mod fixed;
mod statement;
mod table;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use duckdb::arrow::array::{Array, AsArray};
use duckdb::arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type};
use duckdb::arrow::util::display::{ArrayFormatter, FormatOptions};
use duckdb::{Config, Connection, InterruptHandle};
use yiku::{Snapshot, calendar};

use crate::error::{Error, Result};
use table::{Relation, Scanned, Source};

/// How far SQL may go.
#[derive(Debug, Clone)]
pub struct SqlLimits {
    /// Threads that DuckDB works with.
    pub threads: u32,
    /// Bytes that DuckDB may take; more is an error, never a file.
    pub memory: u64,
    /// The most rows of an answer.
    pub rows: usize,
    /// Set by the caller to stop; looked at before every block that is read and every piece of the
    /// answer.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self { threads: 2, memory: 2 << 30, rows: 1_000_000, stop: None }
    }
}

/// A value of an answer of SQL.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SqlValue {
    /// NULL.
    Unknown,
    /// BOOLEAN.
    Flag(bool),
    /// An integer of any width.
    Int(i128),
    /// A float.
    Float(f64),
    /// A text, a day (`2026-10-31`), and whatever has no other form.
    Text(String),
    /// A list.
    List(Vec<SqlValue>),
}

/// An answer of SQL.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlAnswer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<SqlValue>>,
}

/// A snapshot that SQL is asked of.
pub struct Sql {
    connection: Connection,
    source: Arc<Source>,
    limits: SqlLimits,
}

thread_local! {
    /// What the tables of the statement that this thread prepares are read from. DuckDB binds a
    /// statement on the thread that hands it over, so that no statement reaches the tables of
    /// another.
    static ASKED: RefCell<Option<Arc<Source>>> = const { RefCell::new(None) };
}

/// Asks DuckDB from the thread of a source.
fn asking<T>(source: &Arc<Source>, ask: impl FnOnce() -> T) -> T {
    let before = ASKED.replace(Some(Arc::clone(source)));
    let found = ask();
    ASKED.replace(before);
    found
}

fn failed(error: duckdb::Error) -> Error {
    Error::Sql { reason: error.to_string() }
}

impl Sql {
    /// The tables of a snapshot, ready to be asked.
    ///
    /// # Errors
    /// [`Error::Sql`] when DuckDB does not start.
    pub fn open(snapshot: &Snapshot, limits: &SqlLimits) -> Result<Self> {
        let memory = format!("{}KiB", (limits.memory / 1024).max(1));
        let config = Config::default()
            .max_memory(&memory)
            .and_then(|config| config.threads(i64::from(limits.threads.max(1))))
            .and_then(|config| config.with("autoinstall_known_extensions", "false"))
            .and_then(|config| config.with("autoload_known_extensions", "false"))
            .and_then(|config| config.with("allow_community_extensions", "false"))
            .and_then(|config| config.with("max_temp_directory_size", "0KiB"))
            .map_err(failed)?;
        let connection = Connection::open_in_memory_with_flags(config).map_err(failed)?;
        connection.register_table_function::<Scanned>(table::NAME).map_err(failed)?;
        let source = Arc::new(Source::new(snapshot, limits.stop.clone())?);
        asking(&source, || {
            for (place, relation) in source.relations.iter().enumerate() {
                let name = &relation.name;
                let view =
                    format!("CREATE VIEW \"{name}\" AS SELECT * FROM {}({place})", table::NAME);
                connection.execute_batch(&view)?;
            }
            // The last settings: behind them nothing outside can be reached, and none is changed.
            connection.execute_batch(
                "SET temp_directory = ''; SET enable_external_access = false; \
                 SET lock_configuration = true",
            )
        })
        .map_err(failed)?;
        Ok(Self { connection, source, limits: limits.clone() })
    }

    /// What stops a statement that runs on another thread.
    #[must_use]
    pub fn interrupter(&self) -> SqlInterrupter {
        SqlInterrupter(self.connection.interrupt_handle())
    }

    /// Answers one statement that reads: `SELECT`, `WITH`, `EXPLAIN`, `DESCRIBE`, `SHOW` and their
    /// like.
    ///
    /// # Errors
    /// [`Error::SqlRefused`] for every other statement, and for more than one;
    /// [`Error::Sql`] with what DuckDB says; [`Error::Limit`] on too many rows;
    /// [`Error::Stopped`] when the caller asked to stop.
    pub fn ask(&self, text: &str) -> Result<SqlAnswer> {
        statement::check(text)?;
        asking(&self.source, || self.answer(text))
    }

    fn answer(&self, text: &str) -> Result<SqlAnswer> {
        let told = |error: duckdb::Error| match self.stopped() {
            true => Error::Stopped,
            false => failed(error),
        };
        let mut prepared = self.connection.prepare(text).map_err(told)?;
        let batches = prepared.query_arrow([]).map_err(told)?;
        let schema = batches.get_schema();
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut rows: Vec<Vec<SqlValue>> = Vec::new();
        for batch in batches {
            if self.stopped() {
                return Err(Error::Stopped);
            }
            let found = rows.len() + batch.num_rows();
            if found > self.limits.rows {
                let (found, limit) = (found as u64, self.limits.rows as u64);
                return Err(Error::Limit { what: "the number of rows", found, limit, place: None });
            }
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| value(column.as_ref(), row));
                rows.push(cells.collect());
            }
        }
        Ok(SqlAnswer { columns, rows })
    }

    fn stopped(&self) -> bool {
        self.limits.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }
}

/// Stops what a [`Sql`] is answering.
#[derive(Clone)]
pub struct SqlInterrupter(Arc<InterruptHandle>);

impl SqlInterrupter {
    /// Stops the statement that is being answered, if there is one.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

/// One value of a column.
fn value(column: &dyn Array, row: usize) -> SqlValue {
    if column.is_null(row) {
        return SqlValue::Unknown;
    }
    match column.data_type() {
        DataType::Boolean => SqlValue::Flag(column.as_boolean().value(row)),
        DataType::Int64 => SqlValue::Int(column.as_primitive::<Int64Type>().value(row).into()),
        DataType::Float64 => SqlValue::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, 0) => {
            SqlValue::Int(column.as_primitive::<Decimal128Type>().value(row))
        }
        DataType::Utf8 => SqlValue::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::Date32 => {
            let day = column.as_primitive::<Date32Type>().value(row);
            SqlValue::Text(calendar::date_text(day.into()))
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            SqlValue::List((0..list.len()).map(|place| value(list.as_ref(), place)).collect())
        }
        kind => {
            let shown = ArrayFormatter::try_new(column, &FormatOptions::default());
            let text = shown.map(|shown| shown.value(row).to_string()).unwrap_or_default();
            match text.parse() {
                Ok(number) if kind.is_integer() => SqlValue::Int(number),
                _ => SqlValue::Text(text),
            }
        }
    }
}

impl std::fmt::Debug for Sql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tables: Vec<&str> = self.source.relations.iter().map(Relation::name).collect();
        f.debug_struct("Sql").field("tables", &tables).finish_non_exhaustive()
    }
}
