//! The live root rows of a segment in the order of path and key, a block at a time.
//!
//! Whoever merges segments holds one walk a segment and takes the least row of all. That rows stand
//! in order is looked at on the way: who merged others would not come to an end.

use super::{Column, Segment};
use crate::block::gathered::TextList;
use crate::error::{Error, Result};
use crate::limits::BLOCK_ROWS;

/// Rows that are read at once.
const STEP_ROWS: u32 = BLOCK_ROWS / 16;

/// A live root row and its path.
type End = (u32, u64);

impl Segment {
    /// The first and the last live root row; none where no row lives.
    pub(crate) fn root_ends(&self) -> Result<Option<(End, End)>> {
        let roots = self.live(0)?;
        let Some((first, last)) = roots.iter().next().zip(roots.last()) else { return Ok(None) };
        let column = self.column(0, self.file.schema().path_column())?;
        let path = |row: u32| {
            let mut paths = Vec::with_capacity(1);
            column.integers(row..row.saturating_add(1), &mut paths)?;
            let path = paths.first().and_then(|path| u64::try_from(*path).ok());
            path.ok_or_else(|| self.out_of_order())
        };
        let ends = ((first, path(first)?), (last, path(last)?));
        if ends.0.1 <= ends.1.1 { Ok(Some(ends)) } else { Err(self.out_of_order()) }
    }

    fn out_of_order(&self) -> Error {
        self.file.corrupt(None, "the root rows do not stand by path and key")
    }
}

/// A walk over the live root rows of a segment whose path lies in a range.
#[derive(Debug)]
pub(crate) struct RootWalk<'a> {
    segment: &'a Segment,
    paths: Column<'a>,
    keys: Column<'a>,
    /// The row that the walk stands at; `end` behind the last.
    row: u32,
    end: u32,
    /// The rows that were read, from `first` on.
    first: u32,
    read_paths: Vec<i64>,
    read_keys: TextList,
    /// Path and key of the row before, where it is not among those that were read.
    before: (i64, String),
}

impl<'a> RootWalk<'a> {
    /// A walk that stands at the first live root row with a path from `low` to `high`, both
    /// included.
    pub(crate) fn new(segment: &'a Segment, low: u64, high: u64) -> Result<Self> {
        let schema = segment.file.schema();
        let key = schema.tables.first().map_or(0, |table| table.key);
        let rows = segment.path_rows(low, high)?;
        if let Some((first, last)) = segment.root_ends()? {
            // Rows out of order may be where nobody looks for them.
            let lost = |(row, path): End| (low..=high).contains(&path) && !rows.contains(&row);
            if lost(first) || lost(last) {
                return Err(segment.out_of_order());
            }
        }
        let mut walk = Self {
            segment,
            paths: segment.column(0, schema.path_column())?,
            keys: segment.column(0, key)?,
            row: rows.start,
            end: rows.end,
            first: rows.start,
            read_paths: Vec::new(),
            read_keys: TextList::default(),
            before: (i64::MIN, String::new()),
        };
        walk.settle()?;
        Ok(walk)
    }

    /// Path, key and row of where the walk stands; none behind the last row.
    pub(crate) fn at(&self) -> Option<(i64, &str, u32)> {
        let place = self.row.checked_sub(self.first)? as usize;
        if self.row >= self.end {
            return None;
        }
        Some((*self.read_paths.get(place)?, self.read_keys.get(place).unwrap_or(""), self.row))
    }

    /// Goes to the next live row.
    pub(crate) fn step(&mut self) -> Result<()> {
        let stood = self.row;
        self.row = self.row.saturating_add(1).min(self.end);
        self.settle()?;
        let Some((path, key, row)) = self.at() else { return Ok(()) };
        let place = |row: u32| Some(row.checked_sub(self.first)? as usize);
        let own = place(stood).filter(|_| row > stood).and_then(|place| {
            Some((*self.read_paths.get(place)?, self.read_keys.get(place).unwrap_or("")))
        });
        let before = own.unwrap_or((self.before.0, &self.before.1));
        if before < (path, key) {
            return Ok(());
        }
        Err(self.segment.out_of_order())
    }

    /// Goes to the first live row from here on, and reads it.
    fn settle(&mut self) -> Result<()> {
        while self.row < self.end && !self.segment.root_lives(self.row) {
            self.row += 1;
        }
        let read = u32::try_from(self.read_paths.len()).unwrap_or(u32::MAX);
        if self.row < self.end && self.row >= self.first.saturating_add(read) {
            // Up to a place that is the same wherever the walk began: a block is not read twice.
            let next = (self.row / STEP_ROWS + 1).saturating_mul(STEP_ROWS);
            let rows = self.row..next.min(self.end);
            if let Some(path) = self.read_paths.last() {
                let key = self.read_keys.get(self.read_paths.len() - 1).unwrap_or("");
                self.before = (*path, key.to_owned());
            }
            self.first = self.row;
            self.read_paths.clear();
            self.read_keys.clear();
            self.paths.integers(rows.clone(), &mut self.read_paths)?;
            self.keys.texts(rows, &mut |_, text| self.read_keys.push(text))?;
        }
        Ok(())
    }
}

impl Column<'_> {
    /// The first and the last value of a sorted column without unknowns.
    pub(super) fn sorted_ends(&self) -> Option<(i64, i64)> {
        Some((self.toc.blocks.first()?.min, self.toc.blocks.last()?.max))
    }
}
