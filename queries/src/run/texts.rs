//! One segment: texts of rows, and whether two of them are the same.
//!
//! Invariant: texts are read a block at a time, and only of rows that were asked about.

use yiku::RowSet;

use super::logic::Sides;
use super::scan::{Scan, bounds, each_row};
use crate::error::Result;

/// Rows whose texts are read at once: a block of the engine.
const READ: u32 = yiku::limits::BLOCK_ROWS;

/// Bytes of a text in memory, about.
const TEXT_BYTES: u64 = 40;

impl Scan<'_> {
    /// Calls `visit` with each known text of some rows, in rising order.
    pub(super) fn texts(
        &self,
        table: usize,
        column: usize,
        rows: &RowSet,
        visit: &mut dyn FnMut(u32, &str),
    ) -> Result<()> {
        let column = self.segment.column(table, column)?;
        let span = bounds(rows);
        let mut start = span.start;
        while start < span.end {
            self.run.check()?;
            let end = span.end.min((start / READ + 1).saturating_mul(READ));
            if rows.count_range(start..end) > 0 {
                column.texts(start..end, &mut |row, text| {
                    if let (Some(text), true) = (text, rows.contains(row)) {
                        visit(row, text);
                    }
                })?;
            }
            start = end;
        }
        Ok(())
    }

    /// Where two texts of rows of `table` or of those above are both known and the same, and
    /// where they are both known and others.
    pub(super) fn same_text(
        &self,
        left: (usize, usize),
        right: (usize, usize),
        table: usize,
        rows: &RowSet,
    ) -> Result<Sides> {
        let span = bounds(rows);
        let _held = self.run.hold((span.len() as u64).saturating_mul(2 * TEXT_BYTES))?;
        let (a, b) = (self.texts_at(left, table, rows)?, self.texts_at(right, table, rows)?);
        let start = span.start;
        let none = || RowSet::none_in(rows.window());
        let (mut yes, mut no) = (none(), none());
        let of = |texts: &[Option<Box<str>>], row: u32| {
            texts.get(row.wrapping_sub(start) as usize).cloned().flatten()
        };
        each_row(rows, |row| match (of(&a, row), of(&b, row)) {
            (Some(a), Some(b)) if a == b => yes.insert(row),
            (Some(_), Some(_)) => no.insert(row),
            _ => {}
        });
        Ok(Sides { yes, no })
    }

    /// The text of each row of `table` from the first of some rows on, read there or above.
    fn texts_at(
        &self,
        (home, column): (usize, usize),
        table: usize,
        rows: &RowSet,
    ) -> Result<Vec<Option<Box<str>>>> {
        let span = bounds(rows);
        let mut found = vec![None; span.len()];
        let place = |row: u32| row.wrapping_sub(span.start) as usize;
        if home == table {
            self.texts(table, column, rows, &mut |row, text| {
                if let Some(slot) = found.get_mut(place(row)) {
                    *slot = Some(Box::from(text));
                }
            })?;
            return Ok(found);
        }
        let offsets = self.offsets(home, table)?;
        let above = self.lift(rows, table, home)?;
        self.texts(home, column, &above, &mut |row, text| {
            let of = |at: u32| offsets.get(at as usize).copied().unwrap_or(0);
            let own = of(row).max(span.start)..of(row.saturating_add(1)).min(span.end);
            if let Some(slots) = found.get_mut(place(own.start)..place(own.end.max(own.start))) {
                slots.fill(Some(Box::from(text)));
            }
        })?;
        Ok(found)
    }
}
