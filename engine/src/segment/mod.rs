//! A segment as one snapshot sees it: a file that never changes, and which of its rows live.
//!
//! Invariants: a frame is used only after its checksum was found right; root rows are sorted by
//! path, then key; the rows beneath a row are one range.

mod borders;
mod build;
#[cfg(test)]
mod checks;
mod column;
mod encodings;
mod file;
mod folds;
mod gone;
mod keys;
mod live;
mod marks;
mod merge;
mod meter;
mod pairs;
mod runs;
mod sizes;
#[cfg(test)]
mod tests;
mod toc;
mod verify;
mod walk;

use std::ops::Range;
use std::sync::Arc;

pub use crate::block::bands::Bands;
pub use crate::lift::LEAST_MAX as LIFT_LEAST_MAX;
pub use crate::predicate::Access;
pub use borders::Codes;
pub use column::{Column, OfCode, ZoneMap};
pub use keys::Wanted;
pub use marks::{Counted, PairSum};
pub use meter::{Meter, Touched};
pub use pairs::Pairs;
pub use runs::PathRun;
pub use sizes::ColumnSizes;

use crate::error::Result;
use crate::limits;
use crate::row_set::RowSet;
pub(crate) use build::{Place, build, build_together};
pub(crate) use file::SegmentFile;
pub(crate) use live::LiveSet;
pub(crate) use merge::merge;
pub(crate) use walk::RootWalk;

/// A segment as one snapshot sees it.
#[derive(Debug, Clone)]
pub struct Segment {
    pub(crate) file: Arc<SegmentFile>,
    /// None when every row lives.
    pub(crate) live: Option<Arc<LiveSet>>,
    /// The version that wrote the rows that do not say otherwise.
    pub(crate) version: u64,
    /// Counts what is read, where somebody wants to know.
    meter: Option<Arc<Meter>>,
    /// The paths of its first and last root row, if they are known: of most segments nothing
    /// else is asked for, and their files are not looked at.
    ends: Option<(i64, i64)>,
}

/// Sets with fewer rows than one in so many of the rows above are lifted row by row: that
/// costs as much as looking beneath so many rows.
const SPARSE: u64 = 32;
/// As `SPARSE`, of sets that are spread to the rows beneath.
const SPARSE_ABOVE: u64 = 256;

impl Segment {
    /// A segment all of whose rows live.
    pub(crate) fn whole(file: Arc<SegmentFile>, version: u64) -> Self {
        let mut whole = Self { file, live: None, version, meter: None, ends: None };
        whole.ends = whole.paths().ok().flatten();
        whole
    }

    /// Whether rows may lie at paths from `low` to `high`, both included.
    #[must_use]
    pub fn meets(&self, low: u64, high: u64) -> bool {
        let outside = |(first, last): (i64, i64)| {
            i64::try_from(high).is_ok_and(|high| high < first)
                || i64::try_from(low).map_or(true, |low| low > last)
        };
        !self.ends.is_some_and(outside)
    }

    /// How many rows a table has here, replaced and removed ones among them.
    #[must_use]
    pub fn rows(&self, table: usize) -> u32 {
        self.file.rows(table)
    }

    /// Whether both are of one file, so that rows of one number are one row; which of them live may
    /// differ.
    #[must_use]
    pub fn shares_file(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
            || (self.file.path() == other.file.path()
                && self.file.record_checksum() == other.file.record_checksum()
                && self.file.size_bytes() == other.file.size_bytes())
    }

    /// A column of a table.
    ///
    /// # Errors
    /// [`crate::Error::UnknownTable`] or [`crate::Error::UnknownColumn`] on a place that the
    /// schema does not have.
    pub fn column(&self, table: usize, column: usize) -> Result<Column<'_>> {
        Column::new(self.frames(), table, column)
    }

    /// The places of its first and last root row, living or not; none without rows.
    pub(crate) fn paths(&self) -> Result<Option<(i64, i64)>> {
        let column = self.column(0, self.file.schema().path_column())?;
        Ok(column.sorted_ends())
    }

    /// For every row of the parent's table, where its rows in `child` begin; one entry more than
    /// rows, the last is the number of rows in `child`.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn offsets(&self, child: usize) -> Result<&[u32]> {
        if self.meter.is_some()
            && let Some(table) = self.file.table(child)
        {
            table.counts.iter().for_each(|block| self.frames().mark_block(block));
        }
        self.file.offsets(child)
    }

    /// The rows of the parent's table with any row of `child` in the set.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn lift_any(&self, child: usize, rows: &RowSet) -> Result<RowSet> {
        let parent = self.file.schema().tables.get(child).and_then(|table| table.parent);
        let above = parent.map_or(0, |parent| self.rows(parent));
        self.lift_any_in(child, rows, 0..above)
    }

    /// As [`Segment::lift_any`], of a set whose rows lie beneath a window of the parent's table.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn lift_any_in(&self, child: usize, rows: &RowSet, above: Range<u32>) -> Result<RowSet> {
        let offsets = self.offsets(child)?;
        let mut found = RowSet::none_in(above.clone());
        let Some(ends) = self.file.ends(child)? else { return Ok(found) };
        if rows.count() * SPARSE < u64::from(found.len_rows())
            && let Some(parents) = self.file.parents(child)?
        {
            parents.lift(offsets, ends, rows, &mut found);
            return Ok(found);
        }
        let first = above.start - above.start % 64;
        found.write(first, &ends.at_least(offsets, first..above.end, rows.bits(), 1));
        found.trim();
        Ok(found)
    }

    /// The rows of a window of the parent's table with at least so many rows of `child` in the set,
    /// whose rows lie beneath the window; none where `least` is 0 or more than
    /// [`LIFT_LEAST_MAX`].
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn lift_at_least(
        &self,
        child: usize,
        rows: &RowSet,
        above: Range<u32>,
        least: u32,
    ) -> Result<Option<RowSet>> {
        if !(1..=LIFT_LEAST_MAX).contains(&least) {
            return Ok(None);
        }
        let Some(ends) = self.file.ends(child)? else { return Ok(None) };
        let mut found = RowSet::none_in(above.clone());
        let first = above.start - above.start % 64;
        let offsets = self.offsets(child)?;
        found.write(first, &ends.at_least(offsets, first..above.end, rows.bits(), least));
        found.trim();
        Ok(Some(found))
    }

    /// The rows of `child` beneath a row of the set, a set of the parent's table.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn spread(&self, child: usize, rows: &RowSet) -> Result<RowSet> {
        self.spread_in(child, rows, 0..self.rows(child))
    }

    /// As [`Segment::spread`], within a window of `child`.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn spread_in(&self, child: usize, rows: &RowSet, window: Range<u32>) -> Result<RowSet> {
        let offsets = self.offsets(child)?;
        let mut found = RowSet::none_in(window);
        let above = rows.window();
        if rows.count() * SPARSE_ABOVE < u64::from(rows.len_rows()) {
            let at = |row: u32| offsets.get(row as usize).copied().unwrap_or(0);
            for range in rows.runs() {
                found.insert_range(at(range.start)..at(range.end));
            }
            return Ok(found);
        }
        let Some(ends) = self.file.ends(child)? else { return Ok(found) };
        let first = above.start - above.start % 64;
        let beneath = crate::lift::beneath(offsets, &(first..above.end)).start;
        found.write(beneath, &ends.spread(offsets, first..above.end, rows.words()));
        found.trim();
        Ok(found)
    }

    /// The rows of keys of a table, live or not: the place of a key in its list and its row, by
    /// row. Beneath the root a segment of format 1 has no index of keys: the column is read.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub(crate) fn rows_of_keys(
        &self,
        table: usize,
        keys: &Wanted<'_>,
    ) -> Result<Vec<(usize, u32)>> {
        let key = self.file.schema().tables.get(table).map_or(0, |t| t.key);
        let column = self.column(table, key)?;
        if column.keys.is_some() { column.rows_of_keys(keys) } else { column.search(keys) }
    }

    /// The root rows that were last written by a version later than this one, live or not.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn written_since(&self, version: u64) -> Result<RowSet> {
        let count = self.rows(0);
        if self.version <= version {
            return Ok(RowSet::none(count));
        }
        let rows: Vec<u32> = (0..count).collect();
        let mut found = RowSet::none(count);
        for (row, written) in rows.iter().zip(self.versions(&rows)?) {
            if written > version {
                found.insert(*row);
            }
        }
        Ok(found)
    }

    /// The version that last wrote each of these root rows.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub(crate) fn versions(&self, rows: &[u32]) -> Result<Vec<u64>> {
        let versions = self.file.table(0).map(|table| table.versions.as_slice());
        let Some(blocks) = versions.filter(|blocks| !blocks.is_empty()) else {
            return Ok(vec![self.version; rows.len()]);
        };
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let (block, at) = (row / limits::BLOCK_ROWS, (row % limits::BLOCK_ROWS) as usize);
            if let Some(block) = blocks.get(block as usize).filter(|b| at < b.rows as usize) {
                self.frames().integers(block, at, at + 1, &mut found)?;
            } else {
                found.push(0);
            }
        }
        Ok(found.into_iter().map(|version| u64::try_from(version).unwrap_or(0)).collect())
    }
}
