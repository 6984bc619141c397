//! One household in memory: the rows of every table of a schema.
//!
//! Invariant: the rows of a table stand in the order of their parents, so that those beneath one
//! row stand together.

use std::ops::Range;

use yiku::Schema;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Numbers, money, days, months, flags; of a code its place in the list, of codes their bits.
    Int(i64),
    Text(String),
}

/// One row: which row above it belongs to, and its values by column.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) parent: usize,
    pub(crate) cells: Vec<Option<Cell>>,
}

/// The rows of one household, by table.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) tables: Vec<Vec<Row>>,
}

impl Rows {
    /// A household of which nothing is known.
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut rows = Self { tables: schema.tables.iter().map(|_| Vec::new()).collect() };
        rows.add(schema, 0, 0);
        rows
    }

    /// A row beneath `parent`, of which nothing is known; its place.
    pub(crate) fn add(&mut self, schema: &Schema, table: usize, parent: usize) -> usize {
        let columns = schema.tables.get(table).map_or(0, |t| t.columns.len());
        let Some(rows) = self.tables.get_mut(table) else { return 0 };
        rows.push(Row { parent, cells: vec![None; columns] });
        rows.len() - 1
    }

    pub(crate) fn set(&mut self, table: usize, row: usize, column: usize, cell: Cell) {
        let row = self.tables.get_mut(table).and_then(|rows| rows.get_mut(row));
        if let Some(slot) = row.and_then(|row| row.cells.get_mut(column)) {
            *slot = Some(cell);
        }
    }

    pub(crate) fn cell(&self, table: usize, row: usize, column: usize) -> Option<&Cell> {
        self.tables.get(table)?.get(row)?.cells.get(column)?.as_ref()
    }

    /// The row of `above` that a row of `table` belongs to.
    pub(crate) fn above(&self, schema: &Schema, table: usize, row: usize, above: usize) -> usize {
        let (mut at, mut row) = (table, row);
        while at != above {
            let rows = self.tables.get(at);
            row = rows.and_then(|rows| rows.get(row)).map_or(0, |row| row.parent);
            match schema.tables.get(at).and_then(|t| t.parent) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        row
    }

    /// The rows of `child` beneath a row of `table`, in their order.
    pub(crate) fn beneath(
        &self,
        schema: &Schema,
        table: usize,
        row: usize,
        child: usize,
    ) -> Range<usize> {
        let mut descent = Vec::new();
        let mut at = child;
        while at != table {
            descent.push(at);
            match schema.tables.get(at).and_then(|t| t.parent) {
                Some(parent) => at = parent,
                None => return 0..0,
            }
        }
        let mut found = row..row + 1;
        for step in descent.into_iter().rev() {
            let rows = self.tables.get(step).map_or(&[][..], Vec::as_slice);
            let behind = |parent: usize| rows.partition_point(|row| row.parent < parent);
            found = behind(found.start)..behind(found.end);
        }
        found
    }
}
