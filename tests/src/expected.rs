//! What a version of the sample database must hold, and changes made to it and to the engine
//! alike.

use std::collections::BTreeMap;

use yiku::{CommitInfo, Result, Snapshot, Writer};

use crate::registry::{Cell, Row, Rows, push};
use crate::sample::{Mood, Source, tree};
use crate::{Random, naive};

/// A version as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its number.
    pub version: u64,
    /// The live bundles.
    pub rows: Rows,
    /// The day that the rows speak of.
    pub as_of: Option<i64>,
    /// The notes.
    pub notes: BTreeMap<String, String>,
    /// Districts of the tree.
    pub districts: u64,
}

/// Compares the way up to a root row, from it and from the last row beneath each.
fn check_found(snapshot: &Snapshot, root: &str, row: &Row) -> Result<()> {
    let declared = snapshot.schema().tables.get(row.table).map_or(0, |table| table.key);
    if let Some(Cell::Text(key)) = row.cells.get(declared) {
        let found = snapshot.find(row.table, key)?;
        assert_eq!(found.as_deref(), Some(root), "row {key} of table {}", row.table);
    }
    row.beneath.last().map_or(Ok(()), |row| check_found(snapshot, root, row))
}

impl Expected {
    /// A database that was just made with a tree of so many districts.
    #[must_use]
    pub fn new(districts: u64) -> Self {
        let (rows, notes) = (Rows::new(), BTreeMap::new());
        Self { version: 1, rows, as_of: None, notes, districts }
    }

    /// Compares everything but the ways of asking; [`naive::check_all`] compares those.
    ///
    /// # Errors
    /// The engine's.
    ///
    /// # Panics
    /// When the snapshot is not this version.
    pub fn check(&self, snapshot: &Snapshot) -> Result<()> {
        assert_eq!(snapshot.version(), self.version, "version");
        assert_eq!(snapshot.as_of(), self.as_of, "day of version {}", self.version);
        assert_eq!(snapshot.notes(), &self.notes, "notes of version {}", self.version);
        assert_eq!(snapshot.tree(), &tree(self.districts), "tree of version {}", self.version);
        assert!(naive::rows(snapshot)? == self.rows, "rows of version {}", self.version);
        // One by one is slow: a bundle of every version, and one row of each table of it.
        let nth = usize::try_from(self.version).unwrap_or(0) % self.rows.len().max(1);
        if let Some((key, row)) = self.rows.iter().nth(nth) {
            let found = snapshot.bundle(key)?.map(|bundle| naive::row(&bundle));
            assert_eq!(found.as_ref(), Some(row), "bundle {key} of version {}", self.version);
            check_found(snapshot, key, row)?;
        }
        let mut live = vec![0; snapshot.schema().tables.len()];
        for segment in snapshot.segments() {
            for (table, live) in live.iter_mut().enumerate() {
                *live += segment.live(table)?.count();
            }
        }
        let counted: Vec<u64> = (0..live.len()).map(|table| snapshot.rows(table)).collect();
        assert_eq!(counted, live, "row counts of version {}", self.version);
        Ok(())
    }

    /// Writes a batch of bundles with these keys; those that exist are replaced.
    ///
    /// # Errors
    /// The engine's.
    pub fn write(
        &mut self,
        writer: &mut Writer,
        random: &mut Random,
        mood: Mood,
        keys: &[String],
    ) -> Result<()> {
        let mut batch = writer.batch();
        let tree = tree(self.districts);
        let mut source = Source { random, tree: &tree, mood, beneath_max: 3 };
        let mut drawn = Rows::new();
        for key in keys {
            if !drawn.contains_key(key) {
                let row = source.bundle(&crate::sample::schema(), key);
                push(&mut batch, &row);
                drawn.insert(key.clone(), row);
            }
        }
        writer.write(&batch)?;
        self.rows.extend(drawn);
        Ok(())
    }

    /// Removes the bundle of a key.
    ///
    /// # Errors
    /// The engine's.
    ///
    /// # Panics
    /// When the engine does not know whether there was one.
    pub fn remove(&mut self, writer: &mut Writer, key: &str) -> Result<()> {
        let removed = writer.remove(key)?;
        assert_eq!(removed, self.rows.remove(key).is_some(), "removal of {key}");
        Ok(())
    }

    /// Takes in what a commit says of itself.
    pub fn commit(&mut self, info: &CommitInfo) {
        self.version += 1;
        self.as_of = info.as_of.or(self.as_of);
        self.notes.extend(info.notes.clone());
    }
}
