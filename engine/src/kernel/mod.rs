//! Kernels: what is asked of sets of rows, block by block.
//!
//! ```
//! # fn main() -> Result<(), yiku::Error> {
//! # let folder = std::env::temp_dir().join(format!("yiku-kernel-{}", std::process::id()));
//! # let schema = yiku::Schema::from_toml(
//! #     r#"name = "s"
//! #        [path]
//! #        name = "place"
//! #        levels = [{ name = "district", digits = 2 }]
//! #        [[table]]
//! #        name = "box"
//! #        key = "id"
//! #        columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
//! #            { name = "price", kind = "money" }]"#)?;
//! # let node = yiku::schema::PathNode { code: 11, level: 0, name: "North".into() };
//! # let tree = yiku::PathTree::new(&schema.path, vec![node])?;
//! # let database = yiku::Database::create(&folder, schema, tree)?;
//! # let mut writer = database.writer()?;
//! # let mut batch = writer.batch();
//! # batch.row("box")?.set("id", "B1")?.set("place", "11")?.set("price", "12.50")?;
//! # batch.row("box")?.set("id", "B2")?.set("place", "11")?.set("price", "2.50")?;
//! # writer.write(&batch)?;
//! # let snapshot = writer.commit(yiku::CommitInfo::default())?;
//! use yiku::Predicate;
//! use yiku::kernel::{Rows, Run};
//!
//! let run = Run::new();
//! let cheap = Predicate::Range { min: 0, max: 1_000 };
//! let boxes = Rows::live(&run, &snapshot, 0)?.filter(&[(2, cheap)])?;
//! assert_eq!(boxes.count(), 1);
//! assert_eq!(boxes.sum(2)?.sum, 250);
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok(()) }
//! ```
//!
//! Invariants: a set holds live rows only; no kernel builds more than a block of decoded values
//! on a thread, and what else it builds is announced ([`Run::hold`]); partial results join to the
//! same whole in any order.

mod codes;
mod filter;
mod lift;
mod numbers;
mod piece;
mod places;
mod quantile;
mod run;
mod top;

use std::ops::Range;

pub use lift::Lift;
pub use numbers::Total;
pub use run::{Held, Pool, Run, Stop};
pub use top::Top;

use crate::database::Snapshot;
use crate::error::{Error, Result};
use crate::row_set::RowSet;
use crate::schema::{Kind, Schema, TableSchema};
use crate::segment::{Column, Segment};

/// A set of live rows of one table, in some neighbouring segments of a snapshot.
#[derive(Debug)]
pub struct Rows<'a> {
    run: &'a Run<'a>,
    snapshot: &'a Snapshot,
    /// The places of the segments in the snapshot.
    places: Range<usize>,
    table: usize,
    /// By segment.
    sets: Vec<RowSet>,
    /// What the sets take.
    held: Vec<Held<'a>>,
}

/// A block of a segment in which a set has rows: the place of the segment, and the block.
type Block = (usize, u32);

/// Bytes of a set of so many rows.
fn set_bytes(rows: u32) -> u64 {
    u64::from(rows).div_ceil(64) * 8
}

/// Bytes of so many of these.
fn bytes_of<T>(count: usize) -> u64 {
    (count as u64).saturating_mul(size_of::<T>() as u64)
}

impl<'a> Rows<'a> {
    /// Every live row of a table.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], [`Error::Corrupt`], [`Error::Stopped`], [`Error::Memory`].
    pub fn live(run: &'a Run<'a>, snapshot: &'a Snapshot, table: usize) -> Result<Self> {
        Self::live_in(run, snapshot, 0..snapshot.segments().len(), table)
    }

    /// Every live row of a table in some segments of a snapshot, by their places. Places that it
    /// does not have are left out.
    ///
    /// # Errors
    /// As [`Rows::live`].
    pub fn live_in(
        run: &'a Run<'a>,
        snapshot: &'a Snapshot,
        places: Range<usize>,
        table: usize,
    ) -> Result<Self> {
        declared(snapshot.schema(), table)?;
        let end = places.end.min(snapshot.segments().len());
        let places = places.start.min(end)..end;
        let mut rows = Self { run, snapshot, places, table, sets: Vec::new(), held: Vec::new() };
        rows.fill(|segment| segment.live(table))?;
        Ok(rows)
    }

    /// Sets of another table in the same segments.
    fn other(&self, table: usize) -> Result<Self> {
        declared(self.snapshot.schema(), table)?;
        let (run, snapshot, places) = (self.run, self.snapshot, self.places.clone());
        Ok(Self { run, snapshot, places, table, sets: Vec::new(), held: Vec::new() })
    }

    /// Makes the set of every segment.
    fn fill(&mut self, make: impl Fn(&Segment) -> Result<RowSet>) -> Result<()> {
        for segment in self.segments() {
            self.run.check()?;
            self.held.push(self.run.hold(set_bytes(segment.rows(self.table)))?);
            self.sets.push(make(segment)?);
        }
        Ok(())
    }

    /// The same rows once more.
    ///
    /// # Errors
    /// [`Error::Stopped`], [`Error::Memory`].
    pub fn copy(&self) -> Result<Self> {
        let mut copy = self.other(self.table)?;
        for set in &self.sets {
            self.run.check()?;
            copy.held.push(self.run.hold(set_bytes(set.len_rows()))?);
            copy.sets.push(set.clone());
        }
        Ok(copy)
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> usize {
        self.table
    }

    /// The segments that the rows are in.
    #[must_use]
    pub fn segments(&self) -> &'a [Segment] {
        self.snapshot.segments().get(self.places.clone()).unwrap_or_default()
    }

    /// The rows of each segment.
    #[must_use]
    pub fn sets(&self) -> &[RowSet] {
        &self.sets
    }

    /// How many rows are in the set.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.sets.iter().map(RowSet::count).sum()
    }

    /// Keeps the rows that are also in `other`.
    ///
    /// # Errors
    /// [`Error::UnknownTable`] when `other` is of another table or of other segments.
    pub fn and(&mut self, other: &Self) -> Result<()> {
        self.with(other, RowSet::and)
    }

    /// Adds the rows of `other`.
    ///
    /// # Errors
    /// As [`Rows::and`].
    pub fn or(&mut self, other: &Self) -> Result<()> {
        self.with(other, RowSet::or)
    }

    /// Takes the rows of `other` out.
    ///
    /// # Errors
    /// As [`Rows::and`].
    pub fn and_not(&mut self, other: &Self) -> Result<()> {
        self.with(other, RowSet::and_not)
    }

    fn with(&mut self, other: &Self, join: fn(&mut RowSet, &RowSet)) -> Result<()> {
        let same = std::ptr::eq(self.snapshot.segments(), other.snapshot.segments())
            && self.places == other.places
            && self.table == other.table;
        if !same {
            let table = declared(other.snapshot.schema(), other.table)?.name.clone();
            return Err(Error::UnknownTable { table });
        }
        self.sets.iter_mut().zip(&other.sets).for_each(|(own, other)| join(own, other));
        Ok(())
    }

    fn schema(&self) -> &'a Schema {
        self.snapshot.schema()
    }

    /// The segment at a place.
    fn segment(&self, place: usize) -> Result<&'a Segment> {
        // A place comes from the sets, of which there is one a segment.
        self.segments().get(place).ok_or(Error::Stopped(Stop::Cancelled))
    }

    /// A column of the table in the segment at a place.
    fn column(&self, place: usize, column: usize) -> Result<Column<'a>> {
        self.segment(place)?.column(self.table, column)
    }

    /// The kind of a column of the table.
    fn kind(&self, column: usize) -> Result<Kind> {
        let table = declared(self.schema(), self.table)?;
        let found = table.columns.get(column).map(|column| column.kind);
        found.ok_or_else(|| Error::UnknownColumn {
            table: table.name.clone(),
            column: column.to_string(),
        })
    }

    /// That a column holds integers.
    fn is_number(&self, column: usize) -> Result<()> {
        let kind = self.kind(column)?;
        if !kind.is_text() {
            return Ok(());
        }
        let column = self.column_name(column);
        Err(Error::WrongType { column, expected: kind, found: "a number" })
    }

    fn column_name(&self, column: usize) -> String {
        let table = self.schema().tables.get(self.table);
        table.and_then(|t| t.columns.get(column)).map_or_else(String::new, |c| c.name.clone())
    }

    /// The blocks in which the set has rows.
    fn blocks(&self) -> Vec<Block> {
        let mut found = Vec::new();
        for (place, set) in self.sets.iter().enumerate() {
            let words = set.words().chunks(piece::BLOCK_WORDS);
            let met = (0u32..).zip(words).filter(|(_, words)| words.iter().any(|w| *w != 0));
            found.extend(met.map(|(block, _)| (place, block)));
        }
        found
    }

    /// The bits of a block of the set.
    fn words(&self, (place, block): Block) -> &[u64] {
        let words = self.sets.get(place).map_or(&[][..], RowSet::words);
        words.chunks(piece::BLOCK_WORDS).nth(block as usize).unwrap_or_default()
    }
}

/// A table of a schema.
fn declared(schema: &Schema, table: usize) -> Result<&TableSchema> {
    let found = schema.tables.get(table);
    found.ok_or_else(|| Error::UnknownTable { table: table.to_string() })
}
