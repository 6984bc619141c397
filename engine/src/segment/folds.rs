//! What the rows beneath each row of a window come to, told by where they end.

use std::ops::Range;

use super::Segment;
use crate::error::Result;
use crate::lift;
use crate::row_set::RowSet;

/// Sets with fewer rows than one in so many are added up row by row.
const FEW: u64 = 5;

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
        let offsets = self.offsets(child)?;
        let few = self.few_beneath(child, offsets, (rows, &above), |_| 1)?;
        Ok(few.unwrap_or_else(|| lift::counts(offsets, &above, rows.bits())))
    }

    /// For each row of a window of the parent's table the sum of the values of the rows of `child`
    /// in the set that are beneath it, modulo 2^64. `values` are those of the rows of `child` from
    /// a row on, as far as there are rows in the set; of others they are not looked at.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn sums_beneath(
        &self,
        child: usize,
        rows: &RowSet,
        above: Range<u32>,
        values: (u32, &[i64]),
    ) -> Result<Vec<i64>> {
        let offsets = self.offsets(child)?;
        let (first, list) = values;
        let value = |row: u32| list.get(row.wrapping_sub(first) as usize).copied().unwrap_or(0);
        let few = self.few_beneath(child, offsets, (rows, &above), value)?;
        Ok(few.unwrap_or_else(|| lift::sums(offsets, &above, rows.bits(), values)))
    }

    /// As [`Segment::sums_beneath`], the values one behind the other, one for each row of the set.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn sums_listed(
        &self,
        child: usize,
        rows: &RowSet,
        above: Range<u32>,
        values: &[i64],
    ) -> Result<Vec<i64>> {
        let (offsets, mut sums) = (self.offsets(child)?, vec![0i64; above.len()]);
        let (parents, ends) = (self.file.parents(child)?, self.file.ends(child)?);
        let Some((parents, ends)) = parents.zip(ends) else { return Ok(sums) };
        let mut values = values.iter();
        parents.each(offsets, ends, rows, |own, _| {
            let slot = sums.get_mut(own.wrapping_sub(above.start) as usize);
            if let (Some(sum), Some(value)) = (slot, values.next()) {
                *sum = sum.wrapping_add(*value);
            }
        });
        Ok(sums)
    }

    /// The sums of what is said of each row of a set, by the row above, where the rows are so few
    /// that they are quicker one by one.
    fn few_beneath(
        &self,
        child: usize,
        offsets: &[u32],
        (rows, above): (&RowSet, &Range<u32>),
        value: impl Fn(u32) -> i64,
    ) -> Result<Option<Vec<i64>>> {
        if rows.count() * FEW > u64::from(rows.len_rows()) {
            return Ok(None);
        }
        let (parents, ends) = (self.file.parents(child)?, self.file.ends(child)?);
        let Some((parents, ends)) = parents.zip(ends) else { return Ok(None) };
        let mut sums = vec![0i64; above.len()];
        parents.each(offsets, ends, rows, |own, row| {
            if let Some(sum) = sums.get_mut(own.wrapping_sub(above.start) as usize) {
                *sum = sum.wrapping_add(value(row));
            }
        });
        Ok(Some(sums))
    }
}
