//! The one writer: batches become segments as they come, a commit makes them visible at once.
//!
//! Invariants: nothing that a reader can see changes before the commit; after an error of the
//! disk the writer refuses everything, for it no longer knows what is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::batch::Batch;
use crate::bundle::{self, Bundle};
use crate::database::{Shared, Snapshot};
use crate::error::{Error, Result};
use crate::manifest::{self, RecordRef, SegmentRecord};
use crate::path::PathTree;
use crate::prepare::Prepared;
use crate::row_set::RowSet;
use crate::segment::{LiveSet, Segment, SegmentFile};
use crate::storage::Lock;

/// What a commit says of itself.
#[derive(Debug, Clone, Default)]
pub struct CommitInfo {
    /// The day that the rows speak of; none keeps the one before.
    pub as_of: Option<i64>,
    /// Short texts to be kept with the version, joined to those before; a later one of the same
    /// key replaces the earlier.
    pub notes: BTreeMap<String, String>,
}

/// A segment of the version under construction.
#[derive(Debug)]
struct Draft {
    number: u64,
    segment: Segment,
    /// Its live set on disk; none when every row lives.
    live: Option<RecordRef>,
    /// The live root rows where they differ from what is on disk.
    changed: Option<RowSet>,
}

/// The right to write. Dropped without a commit, nothing has happened.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    _lock: Lock,
    base: Snapshot,
    drafts: Vec<Draft>,
    next_segment: u64,
    tree: Option<Arc<PathTree>>,
    poisoned: bool,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, lock: Lock, base: Snapshot) -> Self {
        let mut writer = Self {
            shared,
            _lock: lock,
            next_segment: 0,
            drafts: Vec::new(),
            base,
            tree: None,
            poisoned: false,
        };
        writer.rebase();
        writer
    }

    /// Begins anew from the base.
    fn rebase(&mut self) {
        let records = &self.base.manifest().segments;
        let drafts = records.iter().zip(self.base.segments()).map(|(record, segment)| Draft {
            number: record.number,
            segment: segment.clone(),
            live: record.live,
            changed: None,
        });
        self.drafts = drafts.collect();
        self.next_segment = self.base.manifest().next_segment;
        self.tree = None;
    }

    /// An empty batch.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(Arc::clone(self.base.schema_shared()), Arc::clone(self.tree_in_force()))
    }

    /// Replaces the path tree. Batches made before were checked against the one before.
    ///
    /// # Errors
    /// [`Error::UnknownPath`] when a live root row lies at a place that the new tree does not
    /// have, [`Error::Tree`] when its levels are not those of the schema.
    pub fn set_tree(&mut self, tree: PathTree) -> Result<()> {
        self.usable()?;
        tree.check_levels(&self.base.schema().path)?;
        let path = self.base.schema().path_column();
        for draft in &self.drafts {
            let live = draft.roots()?;
            let mut paths = Vec::new();
            draft.segment.column(0, path)?.integers(0..live.len_rows(), &mut paths)?;
            for (row, code) in (0u32..).zip(paths) {
                let known = u64::try_from(code).is_ok_and(|code| tree.get(code).is_some());
                if !known && live.contains(row) {
                    return Err(Error::UnknownPath { code: code.to_string() });
                }
            }
        }
        self.tree = Some(Arc::new(tree));
        Ok(())
    }

    fn usable(&self) -> Result<()> {
        if self.poisoned { Err(Error::Poisoned) } else { Ok(()) }
    }

    /// Writes the bundles of a batch. A root row replaces the bundle that has its key.
    ///
    /// # Errors
    /// [`Error::MissingKey`], [`Error::DuplicateKey`], [`Error::UnknownPath`] where the tree was
    /// replaced since the batch was begun, [`Error::Schema`] on a batch of another database,
    /// [`Error::Limit`] on a bundle larger than a segment: the batch is refused, the writer goes
    /// on. [`Error::Io`], [`Error::Corrupt`]: the writer is done.
    pub fn write(&mut self, batch: &Batch) -> Result<()> {
        self.usable()?;
        self.write_prepared(&batch.prepare()?)
    }

    /// As [`Writer::write`], of a batch that [`Batch::prepare`] made into segments, in whatever
    /// thread.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write_prepared(&mut self, prepared: &Prepared) -> Result<()> {
        self.usable()?;
        self.fits(prepared)?;
        let keys: Vec<&str> = prepared.keys().collect();
        // What fails from here on leaves bundles taken out and not put back.
        self.poisoned = true;
        self.kill(&keys)?;
        for bytes in prepared.segments() {
            self.add(bytes)?;
        }
        self.poisoned = false;
        Ok(())
    }

    /// Whether the batch was begun for this database, and its places are still in the tree.
    fn fits(&self, prepared: &Prepared) -> Result<()> {
        let (own, theirs) = (self.base.schema_shared(), prepared.schema());
        if !Arc::ptr_eq(own, theirs) && own != theirs {
            let (what, name) = ("batch", theirs.name.clone());
            let reason = "it was begun for another schema; begin it with this writer";
            return Err(Error::Schema { what, name, reason });
        }
        let tree = self.tree_in_force();
        if Arc::ptr_eq(tree, prepared.tree()) {
            return Ok(());
        }
        let there = |path: &i64| u64::try_from(*path).is_ok_and(|code| tree.get(code).is_some());
        match prepared.paths().iter().find(|path| !there(path)) {
            Some(path) => Err(Error::UnknownPath { code: path.to_string() }),
            None => Ok(()),
        }
    }

    fn tree_in_force(&self) -> &Arc<PathTree> {
        self.tree.as_ref().unwrap_or_else(|| self.base.tree_shared())
    }

    /// Removes the bundle of a key; whether there was one.
    ///
    /// # Errors
    /// [`Error::Corrupt`]: the writer is done.
    pub fn remove(&mut self, key: &str) -> Result<bool> {
        self.usable()?;
        self.poisoned = true;
        let removed = self.kill(&[key])? > 0;
        self.poisoned = false;
        Ok(removed)
    }

    /// The bundles of these keys as the next commit will have them, in the order of the keys.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn bundles(&self, keys: &[&str]) -> Result<Vec<Option<Bundle>>> {
        self.usable()?;
        let segments = self.drafts.iter().map(|draft| &draft.segment);
        bundle::bundles(segments, self.base.schema(), keys)
    }

    /// Where more than `most` segments have fewer than `rows` rows in each of their tables, writes
    /// the live bundles of the smallest of them anew, in one segment of about as many rows; how
    /// many segments became one. No answer changes.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn gather(&mut self, most: usize, rows: u32) -> Result<usize> {
        self.usable()?;
        let tables = self.base.schema().tables.len();
        let size = |draft: &Draft| (0..tables).map(|table| draft.segment.rows(table)).max();
        let sizes = self.drafts.iter().enumerate();
        let mut small: Vec<(u32, usize)> =
            sizes.map(|(place, draft)| (size(draft).unwrap_or(0), place)).collect();
        small.retain(|(size, _)| *size < rows);
        if small.len() <= most || small.len() < 2 {
            return Ok(0);
        }
        small.sort_unstable();
        let mut sum = 0u32;
        let fits = small.iter().take_while(|(size, _)| {
            sum = sum.saturating_add(*size);
            sum <= rows
        });
        let count = fits.count().max(2);
        let mut batch = self.batch();
        for (_, place) in small.iter().take(count) {
            let Some(draft) = self.drafts.get(*place) else { continue };
            for bundle in bundle::live(&draft.segment, self.base.schema())? {
                batch.put(&bundle)?;
            }
        }
        self.write(&batch)?;
        Ok(count)
    }

    /// Takes the bundles of these keys out of the live sets; how many there were.
    fn kill(&mut self, keys: &[&str]) -> Result<usize> {
        let mut killed = 0;
        for draft in &mut self.drafts {
            let found = draft.segment.roots_of(keys)?;
            if found.is_empty() {
                continue;
            }
            let mut roots = draft.roots()?;
            let before = roots.count();
            found.iter().for_each(|(_, row)| roots.remove(*row));
            if roots.count() < before {
                killed += usize::try_from(before - roots.count()).unwrap_or(0);
                let tables = self.base.schema().tables.len();
                draft.segment.live = Some(Arc::new(LiveSet::new(roots.clone(), tables)));
                draft.changed = Some(roots);
            }
        }
        Ok(killed)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let number = self.next_segment;
        let name = SegmentFile::name(number);
        let storage = Arc::clone(&self.shared.storage);
        if let Err(source) = storage.write(&name, bytes) {
            return Err(Error::Io { action: "write", path: storage.place().join(name), source });
        }
        self.next_segment = after(number, "number of a segment")?;
        // A segment of this number may be left from a writer that was dropped.
        self.shared.forget(number);
        let file = self.shared.file(number, self.base.schema_shared())?;
        let segment = Segment { file, live: None };
        self.drafts.push(Draft { number, segment, live: None, changed: None });
        Ok(())
    }

    /// Makes everything written and removed since the last commit the newest version. When this
    /// returns, it is durable and the next snapshot shows it.
    ///
    /// # Errors
    /// [`Error::Io`]: nothing is visible, or, where only the last sync failed, everything; the
    /// writer is done.
    pub fn commit(&mut self, info: CommitInfo) -> Result<Snapshot> {
        self.usable()?;
        // Whatever fails from here on leaves files of unknown state behind.
        self.poisoned = true;
        let before = self.base.manifest();
        let version = after(before.version, "number of a version")?;
        let storage = Arc::clone(&self.shared.storage);
        let mut segments = Vec::with_capacity(self.drafts.len());
        for draft in &self.drafts {
            let mut live = draft.live;
            if let Some(roots) = &draft.changed {
                if roots.is_empty() {
                    continue;
                }
                live = Some(manifest::write_live(&*storage, draft.number, version, roots)?);
            }
            segments.push(SegmentRecord {
                number: draft.number,
                size_bytes: draft.segment.file.size_bytes(),
                checksum: draft.segment.file.record_checksum(),
                live,
                rows: draft.segment.live_counts()?,
            });
        }
        let mut next = before.clone();
        if let Some(tree) = &self.tree {
            next.tree = manifest::write_tree(&*storage, version, tree)?;
        }
        let mut notes = before.notes();
        notes.extend(info.notes);
        next.version = version;
        next.as_of = info.as_of.or(before.as_of);
        next.notes = notes.into_iter().collect();
        next.next_segment = self.next_segment;
        next.segments = segments;
        next.publish(&*storage)?;
        self.base = self.shared.snapshot()?;
        self.rebase();
        self.poisoned = false;
        Ok(self.base.clone())
    }
}

/// The number after a number that was read from disk.
fn after(number: u64, what: &'static str) -> Result<u64> {
    number.checked_add(1).ok_or(Error::Limit { what, found: number, limit: u64::MAX - 1 })
}

impl Draft {
    /// The live root rows as the version under construction will have them.
    fn roots(&self) -> Result<RowSet> {
        self.segment.live(0)
    }
}
