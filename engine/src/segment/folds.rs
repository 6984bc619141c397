//! What the rows beneath each row of a window come to, told by where they end.

use std::ops::Range;

use super::Segment;
use crate::error::Result;
use crate::lift;
use crate::row_set::RowSet;

impl Segment {
    /// For each row of a window of the parent's table how many rows of `child` in the set are
    /// beneath it.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn counts_beneath(
        &self,
        child: usize,
        rows: &RowSet,
        above: Range<u32>,
    ) -> Result<Vec<i64>> {
        Ok(lift::counts(self.offsets(child)?, &above, rows.bits()))
    }

    /// For each row of a window of the parent's table the sum of the values of the rows of `child`
    /// in the set that are beneath it, modulo 2^64. `values` has one for each row of `child`
    /// beneath the window, in order; those of rows that are not in the set are not looked at.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn sums_beneath(
        &self,
        child: usize,
        rows: &RowSet,
        above: Range<u32>,
        values: &[i64],
    ) -> Result<Vec<i64>> {
        Ok(lift::sums(self.offsets(child)?, &above, rows.bits(), values))
    }
}
