//! Cleaned records in DuckDB: one table a contract, one row a record, in integers wherever the
//! contract says more than text.
//!
//! Invariant: a staged row names its file (by number) and line; a record that broke its contract
//! is not staged, and is counted once, by the first thing that was wrong with it.

use std::path::PathBuf;
use std::sync::Arc;

use duckdb::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use duckdb::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use duckdb::{Appender, Connection};
use yiku::PathTree;
use yiku::limits::TEXT_BYTES_MAX;

use crate::clean::{trimmed, value};
use crate::contract::{CellKind, ColumnContract, Contract};
use crate::error::{Error, Result};
use crate::read::{CHUNK_ROWS, Chunk};
use crate::reject::{Outcome, Reason, Reject, shown};

/// Creates the empty tables.
///
/// # Errors
/// [`Error::DuckDb`].
pub(crate) fn create(duckdb: &Connection, contracts: &[Contract]) -> Result<()> {
    for contract in contracts {
        let columns = contract.kept().map(|(_, c)| format!(", \"{}\" {}", c.name, c.kind.sql()));
        let columns = columns.collect::<String>();
        let sql = format!("create table {} (file bigint, line bigint{columns})", contract.table());
        duckdb.execute_batch(&sql).map_err(Error::duckdb("create the tables to clean into"))?;
    }
    Ok(())
}

/// What became of the cells of one file.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    /// Records rejected for a cell of theirs.
    pub(crate) rejected: u64,
    pub(crate) rejects: Vec<Reject>,
}

/// Cleans the records of one file.
pub(crate) struct Stager<'a> {
    contract: &'a Contract,
    tree: &'a PathTree,
    path: PathBuf,
    file: i64,
    schema: SchemaRef,
    pub(crate) counts: Counts,
}

/// A column under construction.
enum Builder {
    Integers(Int64Builder),
    Texts(StringBuilder),
}

/// What a cell became.
#[derive(Clone, Copy)]
enum Cleaned<'c> {
    Unknown,
    Integer(i64),
    Text(&'c str),
}

impl<'a> Stager<'a> {
    /// For the file of that number.
    pub(crate) fn new(
        contract: &'a Contract,
        tree: &'a PathTree,
        path: PathBuf,
        file: usize,
    ) -> Stager<'a> {
        let field = |name: &str, is_text| {
            let kind = if is_text { DataType::Utf8 } else { DataType::Int64 };
            Field::new(name, kind, true)
        };
        let mut fields = vec![field("file", false), field("line", false)];
        fields.extend(contract.kept().map(|(_, c)| field(&c.name, c.kind == CellKind::Text)));
        Stager {
            contract,
            tree,
            path,
            file: i64::try_from(file).unwrap_or(i64::MAX),
            schema: Arc::new(ArrowSchema::new(fields)),
            counts: Counts::default(),
        }
    }

    /// Cleans a chunk and appends what is good.
    ///
    /// # Errors
    /// [`Error::DuckDb`], [`Error::Arrow`].
    pub(crate) fn take(&mut self, chunk: &Chunk, appender: &mut Appender<'_>) -> Result<()> {
        let records = chunk.lines.len() + chunk.broken.len();
        self.counts.read += u64::try_from(records).unwrap_or(0);
        for (line, reason, text) in &chunk.broken {
            // What stands in a record that cannot be taken apart may be anybody's.
            let value = shown(text, true);
            self.reject(*line, "", *reason, Outcome::Rejected, value);
            self.counts.rejected += 1;
        }
        let columns: Vec<&ColumnContract> = self.contract.kept().map(|(_, c)| c).collect();
        let cells: Vec<Vec<&str>> =
            self.contract.kept().map(|(place, _)| chunk.column(place).collect()).collect();
        let mut builders: Vec<Builder> = columns.iter().map(|c| Builder::new(c.kind)).collect();
        let mut good_lines = Int64Builder::with_capacity(CHUNK_ROWS);
        let mut record = Vec::with_capacity(columns.len());
        for (row, line) in chunk.lines.iter().enumerate() {
            record.clear();
            let unknown = self.counts.rejects.len();
            let mut is_good = true;
            for (column, cells) in columns.iter().zip(&cells) {
                let cell = cells.get(row).copied().unwrap_or_default();
                match cleaned(column, self.tree, cell) {
                    Ok(value) => record.push(value),
                    Err(reason) => {
                        let value = shown(trimmed(cell), column.personal);
                        if column.required {
                            // One reject a record: the cells noted before do not matter.
                            self.counts.rejects.truncate(unknown);
                            let header = column.header();
                            self.reject(*line, header, reason, Outcome::Rejected, value);
                            is_good = false;
                            break;
                        }
                        self.reject(*line, column.header(), reason, Outcome::Unknown, value);
                        record.push(Cleaned::Unknown);
                    }
                }
            }
            if is_good {
                good_lines.append_value(i64::try_from(*line).unwrap_or(0));
                builders.iter_mut().zip(&record).for_each(|(builder, cell)| builder.push(*cell));
            } else {
                self.counts.rejected += 1;
            }
        }
        self.append(good_lines, builders, appender)
    }

    fn append(
        &self,
        mut lines: Int64Builder,
        builders: Vec<Builder>,
        appender: &mut Appender<'_>,
    ) -> Result<()> {
        let lines = lines.finish();
        let files = std::iter::repeat_n(self.file, lines.values().len());
        let files = duckdb::arrow::array::Int64Array::from_iter_values(files);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(files), Arc::new(lines)];
        columns.extend(builders.into_iter().map(Builder::finish));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let batch = batch.map_err(Error::arrow("stage cleaned records"))?;
        appender.append_record_batch(batch).map_err(Error::duckdb("stage cleaned records"))
    }

    fn reject(&mut self, line: u64, column: &str, reason: Reason, outcome: Outcome, value: String) {
        self.counts.rejects.push(Reject {
            file: self.path.clone(),
            line,
            column: column.to_owned(),
            reason,
            outcome,
            value,
        });
    }
}

fn cleaned<'c>(
    column: &ColumnContract,
    tree: &PathTree,
    cell: &'c str,
) -> std::result::Result<Cleaned<'c>, Reason> {
    let found = if column.kind == CellKind::Text {
        match trimmed(cell) {
            "" => Cleaned::Unknown,
            text if text.len() > TEXT_BYTES_MAX => return Err(Reason::TooLong),
            text => Cleaned::Text(text),
        }
    } else {
        value(column, tree, cell)?.map_or(Cleaned::Unknown, Cleaned::Integer)
    };
    match found {
        Cleaned::Unknown if column.required => Err(Reason::MissingKey),
        found => Ok(found),
    }
}

impl Builder {
    fn new(kind: CellKind) -> Builder {
        if kind == CellKind::Text {
            Builder::Texts(StringBuilder::with_capacity(CHUNK_ROWS, CHUNK_ROWS * 16))
        } else {
            Builder::Integers(Int64Builder::with_capacity(CHUNK_ROWS))
        }
    }

    fn push(&mut self, cell: Cleaned<'_>) {
        match (self, cell) {
            (Self::Integers(builder), Cleaned::Integer(value)) => builder.append_value(value),
            (Self::Integers(builder), _) => builder.append_null(),
            (Self::Texts(builder), Cleaned::Text(text)) => builder.append_value(text),
            (Self::Texts(builder), _) => builder.append_null(),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Integers(mut builder) => Arc::new(builder.finish()),
            Self::Texts(mut builder) => Arc::new(builder.finish()),
        }
    }
}
