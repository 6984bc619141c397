//! What the rows had that are gone: so that counts of all rows are made those of the live ones
//! without a look at which rows live.
//!
//! Invariant: the rows of a table that are told here are those that its live set lacks.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::Segment;
use super::marks::Counted;
use crate::bundle::Cell;
use crate::error::Result;

/// Rows that are gone of a piece at most: more are counted from the live set as fast.
const PIECE_ROWS_MAX: usize = 512;
/// Rows that are gone of a piece at most where they have to be read first.
const READ_ROWS_MAX: u32 = 64;

/// A row that is gone, and a bit for each mark that it had.
pub(super) type GoneRow = (u32, u128);

/// The rows of a table that are gone, by piece. Several versions share them.
#[derive(Debug, Clone)]
pub(super) struct Gone {
    pieces: Vec<Arc<Vec<GoneRow>>>,
}

impl Gone {
    /// No row.
    fn none(pieces: usize) -> Self {
        Self { pieces: vec![Arc::default(); pieces] }
    }

    /// Adds rows that go; false where there are too many then.
    fn add(&mut self, ends: &[u32], rows: impl Iterator<Item = GoneRow>) -> bool {
        for (row, marks) in rows {
            let piece = ends.partition_point(|end| *end <= row);
            let Some(own) = self.pieces.get_mut(piece) else { return false };
            let own = Arc::make_mut(own);
            own.push((row, marks));
            if own.len() > PIECE_ROWS_MAX {
                return false;
            }
        }
        true
    }

    /// The rows of a piece.
    pub(super) fn rows(&self, piece: usize) -> &[GoneRow] {
        self.pieces.get(piece).map_or(&[], |own| own.as_slice())
    }

    /// How many rows of some pieces there are.
    pub(super) fn count(&self, pieces: Range<usize>) -> usize {
        self.pieces.get(pieces).unwrap_or_default().iter().map(|own| own.len()).sum()
    }
}

impl Segment {
    /// The marks of rows of a table, in their order.
    fn marks_of(&self, table: usize, ranges: &[Range<u32>]) -> Result<Vec<GoneRow>> {
        let rows = ranges.iter().cloned().flatten();
        let mut found: Vec<GoneRow> = rows.map(|row| (row, 1)).collect();
        let counted = Counted::new(self.file.schema(), table);
        for column in counted.columns() {
            let cells = self.unmetered().column(table, column)?.cells(ranges)?;
            for ((_, marks), cell) in found.iter_mut().zip(&cells) {
                if let Cell::Int(value) = cell {
                    *marks |= counted.marks(column, *value);
                }
            }
        }
        Ok(found)
    }

    /// What the rows of a table had that are gone; none where nobody counts pairs of the table, or
    /// where they are too many.
    pub(super) fn gone(&self, table: usize) -> Result<Option<&Gone>> {
        let Some(cell) = self.live.as_deref().and_then(|live| live.gone(table)) else {
            return Ok(None);
        };
        if let Some(found) = cell.get() {
            return Ok(found.as_ref());
        }
        let Some(pairs) = self.pairs(table)? else { return Ok(None) };
        let ends = pairs.ends();
        let mut lost = self.live(table)?;
        lost.invert();
        let most = u64::from(READ_ROWS_MAX) * ends.len() as u64;
        let mut found = (lost.count() <= most).then(|| Gone::none(ends.len()));
        if let Some(gone) = &mut found {
            let ranges: Vec<Range<u32>> = lost.runs().collect();
            if !gone.add(ends, self.marks_of(table, &ranges)?.into_iter()) {
                found = None;
            }
        }
        Ok(cell.get_or_init(|| found).as_ref())
    }

    /// What the rows of a table had that are gone when those of some ranges, living ones, go too;
    /// nothing where that is not known yet.
    pub(super) fn gone_with(
        &self,
        table: usize,
        ranges: &[Range<u32>],
    ) -> Result<OnceLock<Option<Gone>>> {
        let cell = OnceLock::new();
        let before = match self.live.as_deref() {
            None => None,
            Some(live) => match live.gone(table).and_then(OnceLock::get) {
                None => return Ok(cell),
                Some(None) => return Ok(OnceLock::from(None)),
                Some(Some(before)) => Some(before.clone()),
            },
        };
        let Some(pairs) = self.pairs(table)? else { return Ok(cell) };
        let ends = pairs.ends();
        let mut gone = before.unwrap_or_else(|| Gone::none(ends.len()));
        let fits = gone.add(ends, self.marks_of(table, ranges)?.into_iter());
        Ok(OnceLock::from(fits.then_some(gone)))
    }
}
