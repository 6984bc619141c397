//! Tables of few rows: the places of the path and the code lists.

use std::sync::Arc;

use duckdb::arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use duckdb::arrow::datatypes::{Field, Schema as Fields};
use duckdb::arrow::error::ArrowError;
use yiku::{Schema, Snapshot};

use super::table::{CHUNK_ROWS, Column, Of, Relation};

/// Columns of equal length.
#[derive(Debug)]
pub(super) struct Fixed {
    columns: Vec<ArrayRef>,
    rows: usize,
}

/// A record batch of some columns.
pub(super) fn batch(columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let field = |(place, column): (usize, &ArrayRef)| {
        Field::new(place.to_string(), column.data_type().clone(), true)
    };
    let fields: Vec<Field> = columns.iter().enumerate().map(field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Fields::new(fields)), columns, &options)
}

impl Fixed {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Some rows from one on, of the columns that are wanted.
    pub(super) fn chunk(&self, wanted: &[usize], from: usize) -> Result<RecordBatch, ArrowError> {
        let size = self.rows.saturating_sub(from).min(CHUNK_ROWS);
        let column = |place: &usize| match self.columns.get(*place) {
            Some(column) => column.slice(from, size),
            None => Arc::new(Int64Array::from(vec![0; size])),
        };
        batch(wanted.iter().map(column).collect(), size)
    }
}

fn texts(found: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(found.collect::<StringArray>())
}

fn integers(found: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(found))
}

fn relation(name: &str, columns: Vec<(&str, Column, ArrayRef)>) -> Relation {
    let rows = columns.first().map_or(0, |(_, _, column)| column.len());
    let named = columns.iter().map(|(name, column, _)| ((*name).to_owned(), *column)).collect();
    let columns = columns.into_iter().map(|(_, _, column)| column).collect();
    Relation { name: name.to_owned(), columns: named, of: Of::Fixed(Fixed { columns, rows }) }
}

/// The places of the path.
pub(super) fn places(snapshot: &Snapshot) -> Relation {
    let tree = snapshot.tree();
    let width = usize::from(snapshot.schema().path.digits());
    let nodes = || tree.nodes().iter();
    let level = |at: u8| tree.levels().get(usize::from(at)).map(|level| level.name.clone());
    let above = |node| tree.parent(node).map(|above| tree.prefix(above));
    relation(
        "_place",
        vec![
            ("code", Column::Text, texts(nodes().map(|n| Some(format!("{:0width$}", n.code))))),
            ("digits", Column::Text, texts(nodes().map(|n| Some(tree.prefix(n))))),
            ("level", Column::Integer, integers(nodes().map(|n| n.level.into()))),
            ("level_name", Column::Text, texts(nodes().map(|n| level(n.level)))),
            ("name", Column::Text, texts(nodes().map(|n| Some(n.name.clone())))),
            ("above", Column::Text, texts(nodes().map(above))),
        ],
    )
}

/// The code lists.
pub(super) fn codes(schema: &Schema) -> Relation {
    let all = || schema.lists.iter().flat_map(|l| (0..).zip(&l.codes).map(move |c| (l, c)));
    relation(
        "_code",
        vec![
            ("list", Column::Text, texts(all().map(|(list, _)| Some(list.name.clone())))),
            ("place", Column::Integer, integers(all().map(|(_, (place, _))| place))),
            ("code", Column::Text, texts(all().map(|(_, (_, code))| Some(code.code.clone())))),
            ("name", Column::Text, texts(all().map(|(_, (_, code))| Some(code.name.clone())))),
            ("label", Column::Text, texts(all().map(|(_, (_, code))| Some(code.label.clone())))),
        ],
    )
}
