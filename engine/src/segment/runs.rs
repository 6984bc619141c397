//! What is kept in memory of a segment once it was read, because nearly every question asks for it:
//! which root rows lie at which path, and where the rows of any table beneath rows begin.
//!
//! Invariant: it is made once from the file, which does not change; no answer depends on whether
//! it was there already.

use std::ops::Range;
use std::sync::Arc;

use super::Segment;
use super::file::SegmentFile;
use crate::error::Result;
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;

/// Neighbouring root rows of one path: the row behind the last of them (or of those beneath them
/// in some table), and the path.
pub type PathRun = (u32, i64);

/// The root rows before which the blocks of a table of so many rows end: see
/// [`Segment::block_ends`]. `offsets` say where the rows beneath each root row begin; of the
/// root's table there are none.
pub(super) fn ends_of(roots: u32, rows: u32, offsets: &[u32]) -> Vec<u32> {
    let mut ends: Vec<u32> = Vec::new();
    for behind in (0..rows).step_by(BLOCK_ROWS as usize).skip(1) {
        let own = offsets.partition_point(|start| *start < behind);
        let own = u32::try_from(own).unwrap_or(u32::MAX);
        let end = if offsets.is_empty() { behind } else { own };
        if end < roots && ends.last().is_none_or(|last| *last < end) {
            ends.push(end);
        }
    }
    ends.extend((roots > 0).then_some(roots));
    ends
}

impl SegmentFile {
    /// The paths of the root rows in runs, in the order of rows.
    fn path_runs(&self) -> Result<&[PathRun]> {
        let cell = self.kept_runs();
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let place = self.schema().path_column();
        let column = self.table(0).and_then(|table| table.columns.get(place));
        let mut runs: Vec<PathRun> = Vec::new();
        let mut row = 0u32;
        let mut values = Vec::new();
        for block in column.map(|column| column.blocks.as_slice()).unwrap_or_default() {
            let mut add = |rows: u32, path: i64| {
                row = row.saturating_add(rows);
                match runs.last_mut() {
                    Some(last) if last.1 == path => last.0 = row,
                    _ => runs.push((row, path)),
                }
            };
            let read = self.integer_block(block)?;
            if block.encoding == Encoding::Runs as u8 {
                let rows = 0..block.rows;
                let found = read.runs(rows, &mut |first, last, path| add(last - first + 1, path));
                let what = "the paths of a block do not read back";
                found.ok_or_else(|| self.corrupt(block.frame, what))?;
            } else {
                values.clear();
                self.integers(block, 0, block.rows as usize, &mut values)?;
                values.iter().for_each(|path| add(1, *path));
            }
        }
        Ok(cell.get_or_init(|| runs.into()))
    }

    /// The paths of the root rows in runs, ending behind the rows of a table beneath them.
    fn path_runs_over(&self, table: usize) -> Result<&[PathRun]> {
        let Some(cell) = self.kept_runs_over(table).filter(|_| table > 0) else {
            return self.path_runs();
        };
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let (runs, offsets) = (self.path_runs()?, self.offsets_between(0, table)?);
        let end = |root: u32| offsets.get(root as usize).copied().unwrap_or(u32::MAX);
        let found: Arc<[PathRun]> = runs.iter().map(|(root, path)| (end(*root), *path)).collect();
        Ok(cell.get_or_init(|| found))
    }

    /// The root rows at which the blocks of a table end: see [`Segment::block_ends`].
    fn block_ends(&self, table: usize) -> Result<&[u32]> {
        let Some(cell) = self.kept_ends(table) else { return Ok(&[]) };
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let (roots, rows) = (self.rows(0), self.rows(table));
        let offsets = if table == 0 { &[] } else { self.offsets_between(0, table)? };
        let ends = ends_of(roots, rows, offsets);
        Ok(cell.get_or_init(|| ends.into()))
    }

    /// The root rows before which the blocks of a table end, and the rows of another table before
    /// them.
    pub(super) fn pieces(&self, of: usize, table: usize) -> Result<(&[u32], &[u32])> {
        let roots = self.block_ends(of)?;
        Ok((roots, if table == 0 { roots } else { self.block_ends_over(of, table)? }))
    }

    /// How many rows of a table lie beneath the root rows before each end of the blocks of another.
    fn block_ends_over(&self, of: usize, table: usize) -> Result<&[u32]> {
        let Some(cell) = self.kept_ends_over(of, table) else { return Ok(&[]) };
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let (ends, offsets) = (self.block_ends(of)?, self.offsets_between(0, table)?);
        let rows = |root: &u32| offsets.get(*root as usize).copied().unwrap_or(0);
        let found: Arc<[u32]> = ends.iter().map(rows).collect();
        Ok(cell.get_or_init(|| found))
    }

    /// Where the rows of `table` beneath each row of `above`, a table over it, begin: see
    /// [`Segment::offsets_between`].
    fn offsets_between(&self, above: usize, table: usize) -> Result<&[u32]> {
        let parent = self.schema().tables.get(table).and_then(|t| t.parent);
        let Some(parent) = parent else { return Ok(&[]) };
        if parent == above {
            return self.offsets(table);
        }
        let Some(cell) = self.kept_offsets(above, table) else { return Ok(&[]) };
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let (upper, lower) = (self.offsets_between(above, parent)?, self.offsets(table)?);
        let place = |row: &u32| lower.get(*row as usize).copied().unwrap_or(0);
        let found: Arc<[u32]> = upper.iter().map(place).collect();
        Ok(cell.get_or_init(|| found))
    }
}

impl Segment {
    /// The paths of the root rows in runs, in the order of rows, which is that of paths.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn path_runs(&self) -> Result<&[PathRun]> {
        // They are kept in memory from the first time on and are nobody's reading.
        self.file.path_runs()
    }

    /// As [`Segment::path_runs`], but behind the last row of a table beneath the root rows.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn path_runs_over(&self, table: usize) -> Result<&[PathRun]> {
        // Counts what is read of the tables between.
        self.offsets_between(0, table)?;
        self.file.path_runs_over(table)
    }

    /// The root rows whose path lies from `low` to `high`, both included.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn path_rows(&self, low: u64, high: u64) -> Result<Range<u32>> {
        let runs = self.path_runs()?;
        let below = |path: u64, included: bool| {
            let path = i64::try_from(path).unwrap_or(i64::MAX);
            let place = runs.partition_point(|(_, own)| *own < path || included && *own == path);
            place.checked_sub(1).and_then(|last| runs.get(last)).map_or(0, |(end, _)| *end)
        };
        let start = below(low, false);
        Ok(start..below(high, true).max(start))
    }

    /// Root rows, rising, before each of which about a block of a table is complete: with what is
    /// beneath the root rows from one to the next the rows of one block, give or take a bundle.
    /// The last is the number of root rows; nothing for a table that is not there.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn block_ends(&self, table: usize) -> Result<&[u32]> {
        self.file.block_ends(table)
    }

    /// The rows of a table that lie beneath a range of root rows. Ranges that begin and end where
    /// the blocks of the table `of` end ([`Segment::block_ends`]) are found without a look at
    /// where the rows beneath every root row begin.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn rows_beneath(&self, of: usize, table: usize, roots: &Range<u32>) -> Result<Range<u32>> {
        if table == 0 {
            return Ok(roots.clone());
        }
        if self.meter.is_some() {
            // Counts what is read of the tables between.
            self.offsets_between(0, table)?;
        }
        let (ends, rows) = (self.file.block_ends(of)?, self.file.block_ends_over(of, table)?);
        let at = |root: u32| -> Result<u32> {
            if root == 0 {
                return Ok(0);
            }
            if let Ok(place) = ends.binary_search(&root) {
                return Ok(rows.get(place).copied().unwrap_or(0));
            }
            let offsets = self.file.offsets_between(0, table)?;
            Ok(offsets.get(root as usize).copied().unwrap_or(0))
        };
        let start = at(roots.start)?;
        Ok(start..at(roots.end)?.max(start))
    }

    /// For every row of `above`, where its rows in `table`, a table beneath it, begin; one entry
    /// more than rows, the last is the number of rows in `table`. Nothing where the tables do not
    /// stand so.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn offsets_between(&self, above: usize, table: usize) -> Result<&[u32]> {
        let mut at = table;
        while let Some(parent) = self.file.schema().tables.get(at).and_then(|t| t.parent) {
            // Counts what is read of the tables between.
            self.offsets(at)?;
            if parent == above {
                return self.file.offsets_between(above, table);
            }
            at = parent;
        }
        Ok(&[])
    }
}
