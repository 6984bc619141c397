//! Predicates answered without indexes and zone maps: every value is read and compared.
//!
//! Invariant: the rows are those that the engine's own ways find; nothing else depends on which
//! way was taken.

use yiku::{Predicate, RowSet};

use super::scan::Scan;
use crate::error::Result;

/// Whether a known integer satisfies a predicate.
fn holds(predicate: &Predicate, value: i64) -> bool {
    match predicate {
        Predicate::Range { min, max } => *min <= value && value <= *max,
        Predicate::In(list) => list.contains(&value),
        Predicate::HasAny(bits) => value.cast_unsigned() & bits != 0,
        Predicate::HasAll(bits) => value.cast_unsigned() & bits == *bits,
        Predicate::HasNone(bits) => value.cast_unsigned() & bits == 0,
        Predicate::Known => true,
        Predicate::TextIn(_) | Predicate::TextStarts(_) | Predicate::Unknown => false,
    }
}

/// Whether a known text satisfies a predicate.
fn text_holds(predicate: &Predicate, text: &str) -> bool {
    match predicate {
        Predicate::TextIn(texts) => texts.iter().any(|known| known == text),
        Predicate::TextStarts(start) => text.starts_with(start.as_str()),
        Predicate::Known => true,
        _ => false,
    }
}

impl Scan<'_> {
    /// The rows of a column that satisfy a predicate, read value by value.
    pub(super) fn read_through(
        &self,
        table: usize,
        column: usize,
        predicate: &Predicate,
    ) -> Result<RowSet> {
        let rows = self.window(table);
        let column = self.segment.column(table, column)?;
        let mut found = self.none(table);
        // Which values are known is no index: it is part of the values.
        let known = column.filter_in(&Predicate::Known, rows.clone())?;
        if matches!(predicate, Predicate::Known) {
            return Ok(known);
        }
        let mut values = Vec::with_capacity(rows.len());
        column.integers(rows.clone(), &mut values)?;
        for (row, value) in rows.clone().zip(values) {
            if known.contains(row) && holds(predicate, value) {
                found.insert(row);
            }
        }
        column.texts(rows, &mut |row, text| {
            if text.is_some_and(|text| text_holds(predicate, text)) {
                found.insert(row);
            }
        })?;
        Ok(found)
    }

    /// The root rows whose path lies in a range, read value by value.
    pub(super) fn places_through(&self, low: u64, high: u64) -> Result<RowSet> {
        let bound = |code: u64| i64::try_from(code).unwrap_or(i64::MAX);
        let predicate = Predicate::Range { min: bound(low), max: bound(high) };
        self.read_through(0, self.schema.path_column(), &predicate)
    }
}
