//! Rows that DuckDB gives back, column by column, and a walk through them by their first column.

use std::ops::Range;

use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray, StructArray};
use duckdb::arrow::compute::concat_batches;
use duckdb::arrow::datatypes::Int64Type;

use crate::error::{Error, Result};

/// A column of integers or of texts.
#[derive(Debug)]
enum Column {
    Integers(Int64Array),
    Texts(StringArray),
}

/// Rows with integers in their first column, in its order.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<Column>,
    len: usize,
    at: usize,
}

impl Rows {
    /// The rows of a query whose columns are `bigint` and `varchar`.
    ///
    /// # Errors
    /// [`Error::DuckDb`], [`Error::Arrow`].
    pub(crate) fn fetch(duckdb: &Connection, sql: &str) -> Result<Rows> {
        const ACTION: &str = "read joined records back";
        let mut statement = duckdb.prepare(sql).map_err(Error::duckdb(ACTION))?;
        statement.execute([]).map_err(Error::duckdb(ACTION))?;
        let mut batches = Vec::new();
        while let Some(rows) = statement.step().map_err(Error::duckdb(ACTION))? {
            batches.push(RecordBatch::from(&rows));
        }
        let Some(schema) = batches.first().map(RecordBatch::schema) else {
            return Ok(Rows { columns: Vec::new(), len: 0, at: 0 });
        };
        let all = concat_batches(&schema, &batches).map_err(Error::arrow(ACTION))?;
        Ok(Rows::of(&StructArray::from(all)))
    }

    fn of(rows: &StructArray) -> Rows {
        let column = |array: &dyn Array| match array.as_primitive_opt::<Int64Type>() {
            Some(integers) => Column::Integers(integers.clone()),
            None => {
                let texts = array.as_string_opt::<i32>().cloned();
                Column::Texts(texts.unwrap_or_else(|| StringArray::new_null(array.len())))
            }
        };
        let columns = rows.columns().iter().map(|array| column(&**array)).collect();
        Rows { columns, len: rows.len(), at: 0 }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The integer of a row, if it has one.
    pub(crate) fn integer(&self, column: usize, row: usize) -> Option<i64> {
        match self.columns.get(column)? {
            Column::Integers(values) if row < values.len() && values.is_valid(row) => {
                Some(values.value(row))
            }
            _ => None,
        }
    }

    /// The text of a row, if it has one.
    pub(crate) fn text(&self, column: usize, row: usize) -> Option<&str> {
        match self.columns.get(column)? {
            Column::Texts(values) if row < values.len() && values.is_valid(row) => {
                Some(values.value(row))
            }
            _ => None,
        }
    }

    /// The value of a row as the engine takes it.
    pub(crate) fn value(&self, column: usize, row: usize) -> yiku::Value<'_> {
        match self.columns.get(column) {
            Some(Column::Integers(_)) => self.integer(column, row).into(),
            Some(Column::Texts(_)) => self.text(column, row).into(),
            None => yiku::Value::Unknown,
        }
    }

    /// Walks on to the rows whose first column is `key`. Keys are asked for in rising order.
    pub(crate) fn take(&mut self, key: i64) -> Range<usize> {
        self.take_by(0, key)
    }

    /// As [`Rows::take`], by another column; one walk goes by one column.
    pub(crate) fn take_by(&mut self, column: usize, key: i64) -> Range<usize> {
        while self.at < self.len && self.integer(column, self.at).is_none_or(|found| found < key) {
            self.at += 1;
        }
        let start = self.at;
        while self.at < self.len && self.integer(column, self.at) == Some(key) {
            self.at += 1;
        }
        start..self.at
    }

    /// No rows.
    pub(crate) const fn none() -> Rows {
        Rows { columns: Vec::new(), len: 0, at: 0 }
    }
}
