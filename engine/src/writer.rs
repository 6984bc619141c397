//! Changes of one caller: batches become segments as they come, a commit makes them visible at
//! once.
//!
//! Invariants: nothing that a reader can see changes before the commit; after an error of the disk
//! the writer refuses everything, for it no longer knows what is there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::batch::Batch;
use crate::bundle::{self, Bundle};
use crate::database::{Share, Shared, Snapshot};
use crate::error::{Error, Result};
use crate::few::Few;
use crate::format::checksum;
use crate::group::Changes;
use crate::path::PathTree;
use crate::prepare::{Order, Prepared};
use crate::schema::Schema;
use crate::segment::{Segment, SegmentFile};
use crate::version::Version;

/// What a commit says of itself.
#[derive(Debug, Clone, Default)]
pub struct CommitInfo {
    /// The day that the rows speak of; none keeps the one before.
    pub as_of: Option<i64>,
    /// Short texts to be kept with the version, joined to those before; a later one of the same
    /// key replaces the earlier.
    pub notes: BTreeMap<String, String>,
}

/// A segment of more bytes than this is written to a file at once.
const SPILL_BYTES: usize = 1 << 20;
/// Segments in memory of more bytes than this in all are not kept there.
const HELD_BYTES: usize = 8 << 20;

/// Checksums are spread well already: they need no second hash.
#[derive(Debug, Default, Clone, Copy)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = checksum(bytes);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Changes of one caller, to be committed together. Dropped without a commit, nothing has
/// happened.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    base: Arc<Version>,
    /// The only bundles that it has written, while they are few and nothing else was asked.
    few: Option<Few>,
    /// Otherwise the base as this writer has changed it; none while it is the base.
    view: Option<Version>,
    /// The numbers of the segments that this writer wrote.
    own: BTreeSet<u64>,
    /// Checksums of the keys that this writer wrote: the others are in none of its segments.
    seen: HashSet<u64, BuildHasherDefault<AsIs>>,
    /// Bytes of its segments in memory.
    held_bytes: usize,
    removed: Vec<String>,
    expected: Vec<(String, Option<u64>)>,
    poisoned: bool,
    /// Given back last.
    _share: Share,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.discard();
    }
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, share: Share, base: Arc<Version>) -> Self {
        Self {
            shared,
            base,
            few: None,
            view: None,
            own: BTreeSet::new(),
            seen: HashSet::default(),
            held_bytes: 0,
            removed: Vec::new(),
            expected: Vec::new(),
            poisoned: false,
            _share: share,
        }
    }

    /// Begins anew from a version.
    fn rebase(&mut self, base: Arc<Version>) {
        (self.few, self.view) = (None, None);
        self.base = base;
        self.own.clear();
        self.seen.clear();
        self.held_bytes = 0;
        self.removed.clear();
        self.expected.clear();
    }

    /// Gives up the files that were written for a commit that does not come.
    fn discard(&mut self) {
        for number in &self.own {
            if self.shared.spilled.lock().remove(number) {
                self.shared.forget(*number);
                // One that stays is taken away when files are looked through again.
                let _ = self.shared.storage.remove(&SegmentFile::name(*number));
            }
        }
        self.own.clear();
    }

    /// The base as this writer has changed it, but for few bundles.
    fn shown(&self) -> &Version {
        self.view.as_ref().unwrap_or(&self.base)
    }

    /// The base as this writer has changed it, to be changed further.
    fn changed(&mut self) -> Result<&mut Version> {
        if let Some(few) = self.few.take() {
            let poisoned = std::mem::replace(&mut self.poisoned, true);
            let (view, bytes) = few.packed(&self.base)?;
            self.seen.extend(few.keys());
            self.view = Some(view);
            self.add(&bytes)?;
            self.poisoned = poisoned;
        }
        let base = &self.base;
        Ok(self.view.get_or_insert_with(|| Version::clone(base)))
    }

    /// An empty batch.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(Arc::clone(&self.base.schema), Arc::clone(&self.shown().tree))
    }

    /// The version that this writer began from.
    #[must_use]
    pub fn base(&self) -> Snapshot {
        Snapshot { inner: Arc::clone(&self.base) }
    }

    /// Replaces the path tree. Batches made before were checked against the one before.
    ///
    /// # Errors
    /// [`Error::UnknownPath`] when a live root row lies at a place that the new tree does not
    /// have, [`Error::Tree`] when its levels are not those of the schema.
    pub fn set_tree(&mut self, tree: PathTree) -> Result<()> {
        self.usable()?;
        tree.check_levels(&self.base.schema.path)?;
        let view = self.changed()?;
        for segment in &view.segments {
            check_paths(segment, &tree)?;
        }
        view.tree = Arc::new(tree);
        view.tree_on_disk = None;
        Ok(())
    }

    fn usable(&self) -> Result<()> {
        if self.poisoned || self.shared.desk.poisoned() { Err(Error::Poisoned) } else { Ok(()) }
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
        if self.few.is_some() || self.view.is_some() || !Few::fits(batch) {
            return self.write_prepared(&batch.prepare()?);
        }
        let order = Order::of(batch)?;
        self.fits(batch.schema(), batch.tree(), &order)?;
        if batch.is_empty() {
            return Ok(());
        }
        self.poisoned = true;
        self.few = Some(Few::new(batch, order, &self.base)?);
        self.poisoned = false;
        Ok(())
    }

    /// As [`Writer::write`], of a batch that [`Batch::prepare`] made into segments, in whatever
    /// thread.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write_prepared(&mut self, prepared: &Prepared) -> Result<()> {
        self.usable()?;
        self.fits(prepared.schema(), prepared.tree(), prepared.order())?;
        // What fails from here on leaves bundles taken out and not put back.
        self.poisoned = true;
        self.take_out(prepared.order().places())?;
        for bytes in prepared.segments() {
            self.add(bytes)?;
        }
        self.poisoned = false;
        Ok(())
    }

    /// Takes the bundles of keys that are about to be written out of what was there before.
    fn take_out<'a>(&mut self, roots: impl Iterator<Item = (i64, &'a str)>) -> Result<()> {
        self.changed()?;
        let fresh = self.shown().segments.len() == self.own.len();
        let mut known = Vec::new();
        for (path, key) in roots {
            let new = self.seen.insert(checksum(key.as_bytes()));
            if !fresh || !new {
                known.push((path, key));
            }
        }
        self.changed()?.replace(&known)
    }

    /// Whether a batch was begun for this database, and its places are still in the tree.
    fn fits(&self, schema: &Arc<Schema>, tree: &Arc<PathTree>, order: &Order) -> Result<()> {
        let own = &self.base.schema;
        if !Arc::ptr_eq(own, schema) && own != schema {
            let (what, name) = ("batch", schema.name.clone());
            let reason = "it was begun for another schema; begin it with this writer";
            return Err(Error::Schema { what, name, reason });
        }
        let own = &self.shown().tree;
        if Arc::ptr_eq(own, tree) { Ok(()) } else { check_codes(order.paths(), own) }
    }

    /// Removes the bundle of a key; whether there was one.
    ///
    /// # Errors
    /// [`Error::Corrupt`]: the writer is done.
    pub fn remove(&mut self, key: &str) -> Result<bool> {
        self.usable()?;
        self.poisoned = true;
        let removed = self.changed()?.remove(&[key])? > 0;
        if removed {
            self.removed.push(key.to_owned());
        }
        self.poisoned = false;
        Ok(removed)
    }

    /// Makes the commit depend on the bundle of a key being, just before it, of the version that is
    /// given, or, with none, on there being no bundle of that key. The version of a bundle is
    /// that of the commit that last wrote it: [`Snapshot::version_of`].
    pub fn expect(&mut self, key: &str, version: Option<u64>) {
        self.expected.push((key.to_owned(), version));
    }

    /// The bundles of these keys as the next commit will have them if nobody else commits before,
    /// in the order of the keys.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn bundles(&self, keys: &[&str]) -> Result<Vec<Option<Bundle>>> {
        self.usable()?;
        let read = |view: &Version| bundle::bundles(view.segments.iter(), &view.schema, keys);
        let Some(few) = &self.few else { return read(self.shown()) };
        let (mut view, bytes) = few.packed(&self.base)?;
        let segment = self.shared.in_memory(u64::MAX, bytes, &view.schema)?;
        view.add(u64::MAX, false, segment)?;
        read(&view)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let number = self.shared.number()?;
        let schema = Arc::clone(&self.base.schema);
        let small = bytes.len() <= SPILL_BYTES && self.held_bytes + bytes.len() <= HELD_BYTES;
        let segment = if small {
            self.held_bytes += bytes.len();
            self.shared.in_memory(number, bytes.to_vec(), &schema)?
        } else {
            self.shared.spill(number, bytes)?;
            Segment::whole(self.shared.file(number, &schema)?, 0)
        };
        self.own.insert(number);
        self.changed()?.add(number, !small, segment)
    }

    /// Makes everything written and removed since the last commit the newest version. When this
    /// returns, it is durable and the next snapshot shows it. What other writers commit at the
    /// same time may be in the same version. The writer goes on from it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when an expectation does not hold, [`Error::UnknownPath`] when the tree
    /// was replaced by another writer: nothing of this writer is committed, it goes on from the
    /// newest version with nothing written. [`Error::Io`]: nothing is visible, or, where only the
    /// last sync failed, everything; this process commits nothing more.
    pub fn commit(&mut self, info: CommitInfo) -> Result<Snapshot> {
        self.usable()?;
        let changes = Changes {
            base: Arc::clone(&self.base),
            tree: self.shown().tree_on_disk.is_none(),
            few: self.few.take(),
            view: self.view.take(),
            own: self.own.clone(),
            removed: std::mem::take(&mut self.removed),
            expected: std::mem::take(&mut self.expected),
            info,
        };
        let committed = self.shared.commit(changes);
        match committed {
            Ok(version) => {
                if !self.own.is_empty() {
                    self.shared.spilled.lock().retain(|number| !self.own.contains(number));
                }
                self.rebase(Arc::clone(&version));
                Ok(Snapshot { inner: version })
            }
            Err(error @ (Error::Conflict { .. } | Error::UnknownPath { .. })) => {
                self.discard();
                self.rebase(self.shared.newest()?);
                Err(error)
            }
            Err(error) => {
                // Files of unknown state are left as they are.
                self.own.clear();
                self.poisoned = true;
                Err(error)
            }
        }
    }
}

/// Whether a tree has places of these codes.
pub(crate) fn check_codes(codes: &[i64], tree: &PathTree) -> Result<()> {
    let there = |code: i64| u64::try_from(code).is_ok_and(|code| tree.get(code).is_some());
    // Most stand beside their like.
    let mut groups = codes.chunk_by(|a, b| a == b).filter_map(|group| group.first());
    match groups.find(|code| !there(**code)) {
        Some(code) => Err(Error::UnknownPath { code: code.to_string() }),
        None => Ok(()),
    }
}

/// Whether a tree has the places of all live root rows of a segment.
pub(crate) fn check_paths(segment: &Segment, tree: &PathTree) -> Result<()> {
    let column = segment.column(0, segment.file.schema().path_column())?;
    let mut paths = Vec::new();
    column.integers(0..segment.rows(0), &mut paths)?;
    for (row, code) in (0u32..).zip(paths) {
        let known = u64::try_from(code).is_ok_and(|code| tree.get(code).is_some());
        if !known && segment.root_lives(row) {
            return Err(Error::UnknownPath { code: code.to_string() });
        }
    }
    Ok(())
}
