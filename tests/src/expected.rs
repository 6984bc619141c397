//! What a version of the sample database must hold, and changes made to it and to the engine
//! alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use yiku::{CommitInfo, Database, Result, Snapshot, Writer, calendar};

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
    /// By key: the version that last wrote the bundle.
    pub versions: BTreeMap<String, u64>,
    /// The versions that are kept under a name, and whether the rule of month ends keeps them.
    pub names: BTreeMap<String, (Arc<Expected>, bool)>,
    /// How many month ends are kept.
    pub month_ends: Option<u32>,
    /// The keys that were written since the last commit.
    written: BTreeSet<String>,
    /// The keys that were removed since the last commit.
    removed: BTreeSet<String>,
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
        Self {
            version: 1,
            rows: Rows::new(),
            as_of: None,
            notes: BTreeMap::new(),
            districts,
            versions: BTreeMap::new(),
            names: BTreeMap::new(),
            month_ends: None,
            written: BTreeSet::new(),
            removed: BTreeSet::new(),
        }
    }

    /// The version that comes of what was written and removed here when another was committed in
    /// between.
    #[must_use]
    pub fn onto(&self, between: &Self) -> Self {
        let mut merged = between.clone();
        merged.districts = merged.districts.max(self.districts);
        for key in self.removed.iter().chain(&self.written) {
            merged.rows.remove(key);
            merged.versions.remove(key);
        }
        for key in &self.written {
            merged.rows.extend(self.rows.get(key).map(|row| (key.clone(), row.clone())));
        }
        merged.written.clone_from(&self.written);
        merged
    }

    /// Whether a database may be this version: by its number and the names that it keeps.
    ///
    /// # Errors
    /// The engine's.
    pub fn may_be(&self, database: &Database) -> Result<bool> {
        let names = database.names()?;
        let found = names.iter().map(|named| (&named.name, named.version, named.by_rule));
        let own = self.names.iter().map(|(name, (kept, rule))| (name, kept.version, *rule));
        Ok(database.snapshot()?.version() == self.version && found.eq(own))
    }

    /// As [`Expected::check`], of all that a database has: each named version too, and which
    /// commit wrote what.
    ///
    /// # Errors
    /// The engine's.
    ///
    /// # Panics
    /// When the database is not at this version.
    pub fn check_database(&self, database: &Database) -> Result<()> {
        assert!(self.may_be(database)?, "version {}: other names or number", self.version);
        let snapshot = database.snapshot()?;
        self.check(&snapshot)?;
        for (key, version) in self.versions.iter().take(8) {
            assert_eq!(snapshot.version_of(key)?, Some(*version), "version of {key}");
        }
        assert_eq!(snapshot.version_of("absent")?, None);
        let since = self.versions.values().next().copied().unwrap_or(0);
        let mut later = 0;
        for segment in snapshot.segments() {
            let mut rows = segment.written_since(since)?;
            rows.and(&segment.live(0)?);
            later += rows.count();
        }
        let expected = self.versions.values().filter(|version| **version > since).count();
        assert_eq!(later, expected as u64, "rows written since version {since}");
        for (name, (kept, _)) in &self.names {
            kept.check(&database.named(name)?)?;
        }
        Ok(())
    }

    /// Keeps this version under a name, or under none any more.
    pub fn name(&mut self, name: &str, keep: bool) {
        if keep {
            self.names.insert(name.to_owned(), (self.plain(), false));
        } else {
            self.names.remove(name);
        }
    }

    /// The version without what is kept beside it.
    #[must_use]
    pub fn plain(&self) -> Arc<Self> {
        Arc::new(Self { names: BTreeMap::new(), month_ends: None, ..self.clone() })
    }

    /// Keeps so many month ends from now on.
    pub fn keep_month_ends(&mut self, most: Option<u32>) {
        self.month_ends = most;
        self.trim();
    }

    fn trim(&mut self) {
        let most = self.month_ends.unwrap_or(0) as usize;
        let mut ends: Vec<(Option<i64>, u64, String)> = Vec::new();
        for (name, (kept, _)) in self.names.iter().filter(|(_, (_, rule))| *rule) {
            ends.push((kept.as_of, kept.version, name.clone()));
        }
        ends.sort();
        let over = ends.len().saturating_sub(most);
        ends.iter().take(over).for_each(|(_, _, name)| drop(self.names.remove(name)));
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
        let (schema, tree) = (crate::sample::schema(), tree(self.districts));
        let mut source = Source { random, tree: &tree, mood, beneath_max: 3 };
        let mut drawn = Rows::new();
        for key in keys {
            if !drawn.contains_key(key) {
                let row = source.bundle(&schema, key);
                push(&mut batch, &row);
                drawn.insert(key.clone(), row);
            }
        }
        writer.write(&batch)?;
        self.written.extend(drawn.keys().cloned());
        self.removed.retain(|key| !drawn.contains_key(key));
        self.rows.extend(drawn);
        Ok(())
    }

    /// Takes in that a bundle was written again as it is.
    pub fn rewrite(&mut self, key: &str) {
        self.written.insert(key.to_owned());
        self.removed.remove(key);
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
        self.written.remove(key);
        self.versions.remove(key);
        self.removed.extend(removed.then(|| key.to_owned()));
        Ok(())
    }

    /// Takes in what a commit says of itself. Where it begins another month,
    /// [`Expected::end_of_month`] was called before.
    pub fn commit(&mut self, info: &CommitInfo) {
        self.version += 1;
        self.removed.clear();
        for key in std::mem::take(&mut self.written) {
            self.versions.insert(key, self.version);
        }
        self.as_of = info.as_of.or(self.as_of);
        self.notes.extend(info.notes.clone());
    }

    /// Keeps this version as the end of its month, where a commit that speaks of a day begins
    /// another; to be called before the changes of that commit are made.
    pub fn end_of_month(&mut self, as_of: Option<i64>) {
        let (Some(old), Some(new)) = (self.as_of, as_of) else { return };
        let most = self.month_ends.unwrap_or(0);
        if most > 0 && calendar::month_of(new) > calendar::month_of(old) {
            let name = calendar::month_text(calendar::month_of(old));
            if self.names.get(&name).is_none_or(|(_, rule)| *rule) {
                self.names.insert(name, (self.plain(), true));
            }
            self.trim();
        }
    }
}
