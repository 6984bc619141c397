//! A folder of tables, and one version of it held open.
//!
//! Invariants: a snapshot answers the same for ever; a reader waits for nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::commit::Desk;
use crate::error::{Error, Result};
use crate::log::{Follow, Position};
use crate::manifest::{self, FIRST_VERSION, LiveFiles, Manifest, NameRecord, RecordRef};
use crate::path::PathTree;
use crate::schema::Schema;
use crate::segment::{Segment, SegmentFile};
use crate::storage::{Disk, Lock, Storage};
use crate::version::{self, IN_MEMORY, Kept, Version};
use crate::writer::Writer;

/// A database: a folder, its newest version, and the right to ask for writers.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
}

/// What snapshots and writers of a database share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    /// The newest version that is known to be durable.
    newest: Mutex<Option<Arc<Version>>>,
    /// Segment files that some version holds open, by number.
    files: Mutex<HashMap<u64, Weak<SegmentFile>>>,
    /// The right to write, and how many hold it.
    right: Mutex<Right>,
    /// Where commits are made.
    pub(crate) desk: Desk,
    /// The number of the next segment, while there is a writer.
    pub(crate) numbers: AtomicU64,
    /// Segments that are files and in no version yet.
    pub(crate) spilled: Mutex<BTreeSet<u64>>,
    /// Held by whoever compacts.
    pub(crate) compacting: Mutex<()>,
}

#[derive(Debug, Default)]
struct Right {
    lock: Option<Lock>,
    holders: usize,
}

/// A share in the right to write of this process.
#[derive(Debug)]
pub(crate) struct Share(Arc<Shared>);

impl Drop for Share {
    fn drop(&mut self) {
        let mut right = self.0.right.lock();
        right.holders = right.holders.saturating_sub(1);
        if right.holders > 0 {
            return;
        }
        let lock = right.lock.take();
        if self.0.desk.poisoned() {
            // What a failed sync lost, a later sync would not tell: this process, and any other
            // while it lives, must not commit to what it left.
            std::mem::forget(lock);
        }
    }
}

/// One version of a database, held open.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub(crate) inner: Arc<Version>,
}

/// A version that is kept under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The version.
    pub version: u64,
    /// The day that its rows speak of (days since 1970-01-01).
    pub as_of: Option<i64>,
    /// Whether the rule of month ends keeps it.
    pub by_rule: bool,
}

fn io_error(folder: &Path, action: &'static str, source: std::io::Error) -> Error {
    Error::Io { action, path: folder.to_path_buf(), source }
}

impl Database {
    /// Makes a database without rows in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::Exists`] when the folder holds a database, [`Error::Schema`] on a schema that
    /// contradicts itself, [`Error::Tree`] on a tree of other levels, [`Error::Io`].
    pub fn create(folder: &Path, schema: Schema, tree: PathTree) -> Result<Self> {
        check(&schema, &tree)?;
        let disk = Disk::create(folder);
        let disk = disk.map_err(|source| io_error(folder, "create", source))?;
        Self::create_in(Arc::new(disk), schema, tree)
    }

    /// As [`Database::create`], in a storage of the caller's.
    ///
    /// # Errors
    /// As [`Database::create`].
    pub fn create_in(storage: Arc<dyn Storage>, schema: Schema, tree: PathTree) -> Result<Self> {
        check(&schema, &tree)?;
        let _lock = lock(&*storage)?;
        match manifest::current(&*storage) {
            Err(Error::NotFound { .. }) => {}
            Ok(_) => return Err(Error::Exists { path: storage.place().to_path_buf() }),
            Err(error) => return Err(error),
        }
        let first = Manifest {
            number: FIRST_VERSION,
            version: FIRST_VERSION,
            schema: schema.to_toml(),
            tree: manifest::write_tree(&*storage, FIRST_VERSION, &tree)?,
            as_of: None,
            notes: Vec::new(),
            next_segment: 1,
            log_bytes: None,
            month_ends: None,
            names: Vec::new(),
            segments: Vec::new(),
        };
        first.publish(&*storage)?;
        Self::open_in(storage)
    }

    /// Opens the database in a folder.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Corrupt`] or [`Error::Format`] when it
    /// cannot be read, [`Error::Io`].
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_in(Self::storage(folder)?)
    }

    /// The storage of a folder that is there.
    pub(crate) fn storage(folder: &Path) -> Result<Arc<dyn Storage>> {
        let disk = Disk::open(folder).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::NotFound { path: folder.to_path_buf() },
            _ => io_error(folder, "open", source),
        })?;
        Ok(Arc::new(disk))
    }

    /// As [`Database::open`], in a storage of the caller's.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_in(storage: Arc<dyn Storage>) -> Result<Self> {
        let database = Self { shared: Arc::new(Shared::new(storage)) };
        database.snapshot()?;
        Ok(database)
    }

    /// The newest version, whichever process wrote it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Format`], [`Error::Io`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot { inner: self.shared.newest()? })
    }

    /// A writer: changes of one caller, to be committed together. Writers of one `Database` and its
    /// clones may write at the same time, and what they commit at the same time shares a sync.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process, or another `Database` opened on the folder,
    /// writes; [`Error::Poisoned`] after a failed sync; as [`Database::snapshot`].
    pub fn writer(&self) -> Result<Writer> {
        let share = self.shared.right_to_write()?;
        let base = self.shared.newest()?;
        Ok(Writer::new(Arc::clone(&self.shared), share, base))
    }

    /// The versions that are kept under a name, by name.
    ///
    /// # Errors
    /// As [`Database::snapshot`].
    pub fn names(&self) -> Result<Vec<Named>> {
        let named = |record: &NameRecord| Named {
            name: record.name.clone(),
            version: record.version,
            as_of: record.as_of,
            by_rule: record.by_rule,
        };
        Ok(self.shared.newest()?.names.iter().map(named).collect())
    }

    /// The version that is kept under a name. It answers as it did when it was the newest.
    ///
    /// # Errors
    /// [`Error::NoSuchName`]; as [`Database::snapshot`].
    pub fn named(&self, name: &str) -> Result<Snapshot> {
        let newest = self.shared.newest()?;
        let Some(record) = newest.names.iter().find(|record| record.name == name) else {
            return Err(Error::NoSuchName { name: name.to_owned() });
        };
        let version = self.shared.load(record.manifest, Some(&newest), false)?;
        Ok(Snapshot { inner: Arc::new(version) })
    }
}

/// Checks a schema, and that a tree is of its path.
fn check(schema: &Schema, tree: &PathTree) -> Result<()> {
    schema.check()?;
    tree.check_levels(&schema.path)
}

/// Takes the lock of a folder.
pub(crate) fn lock(storage: &dyn Storage) -> Result<Lock> {
    let place = storage.place();
    let found = storage.lock().map_err(|source| io_error(place, "lock", source))?;
    found.ok_or_else(|| Error::Locked { path: place.to_path_buf() })
}

impl Shared {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self {
            storage,
            newest: Mutex::default(),
            files: Mutex::default(),
            right: Mutex::default(),
            desk: Desk::default(),
            numbers: AtomicU64::new(0),
            spilled: Mutex::default(),
            compacting: Mutex::default(),
        }
    }

    /// The newest version: of this process while it may write, otherwise from the folder.
    pub(crate) fn newest(&self) -> Result<Arc<Version>> {
        if self.right.lock().holders > 0
            && let Some(found) = self.newest.lock().as_ref()
        {
            return Ok(Arc::clone(found));
        }
        self.follow()
    }

    /// Makes a version the newest of this process.
    pub(crate) fn publish(&self, version: &Arc<Version>) {
        *self.newest.lock() = Some(Arc::clone(version));
    }

    /// The newest version that the folder holds.
    fn follow(&self) -> Result<Arc<Version>> {
        let mut newest = self.newest.lock();
        let mut current = manifest::current(&*self.storage)?;
        loop {
            let before = newest.as_ref();
            let found = match before.filter(|before| before.current == current) {
                Some(before) => self.catch_up(before),
                None => self.load(current, before.map(|before| &**before), true).map(Arc::new),
            };
            match found {
                Ok(version) => {
                    *newest = Some(Arc::clone(&version));
                    return Ok(version);
                }
                Err(error) => {
                    // A writer may have moved on and taken away what this manifest names.
                    let again = manifest::current(&*self.storage)?;
                    if again == current {
                        return Err(error);
                    }
                    current = again;
                }
            }
        }
    }

    /// A version with what its log has gained.
    fn catch_up(&self, before: &Arc<Version>) -> Result<Arc<Version>> {
        let Some(length) = before.manifest.log_bytes else { return Ok(Arc::clone(before)) };
        let mut entries = Vec::new();
        let follow = Follow::open(&*self.storage, before.current, length)?;
        let end = follow.read(before.position, &mut entries)?;
        if entries.is_empty() {
            return Ok(Arc::clone(before));
        }
        follow.settle(end)?;
        let mut version = Version::clone(before);
        for (entry, next) in entries {
            version.replay(entry, next, self.storage.place())?;
        }
        Ok(Arc::new(version))
    }

    /// Reads the version of a manifest, with its log where that is wanted. What `before` has open
    /// is not opened again.
    pub(crate) fn load(
        &self,
        current: RecordRef,
        before: Option<&Version>,
        log: bool,
    ) -> Result<Version> {
        let (manifest, format) = Manifest::read(&*self.storage, current)?;
        let schema = match before.filter(|b| b.manifest.schema == manifest.schema) {
            Some(before) => Arc::clone(&before.schema),
            None => manifest.schema(&*self.storage)?,
        };
        let tree = match before.filter(|b| b.tree_on_disk == Some(manifest.tree)) {
            Some(before) => Arc::clone(&before.tree),
            None => manifest::read_tree(&*self.storage, manifest.tree, &schema.path)?,
        };
        let mut live = LiveFiles::default();
        let mut segments = Vec::with_capacity(manifest.segments.len());
        let mut kept = Vec::with_capacity(manifest.segments.len());
        for record in &manifest.segments {
            let file = self.file(record.number, &schema)?;
            segments.push(version::segment(&*self.storage, file, record, format, &mut live)?);
            // Live sets of format 1 have files of their own, which are not named any more.
            let on_disk = record.live.filter(|_| format > 1);
            let changed = on_disk.is_none() && record.live.is_some();
            let rows = record.rows.as_slice().into();
            kept.push(Kept { number: record.number, file: true, live: on_disk, changed, rows });
        }
        let version = Arc::new(Version {
            current,
            position: Position::first(current, manifest.version),
            schema,
            tree,
            tree_on_disk: Some(manifest.tree),
            as_of: manifest.as_of,
            notes: Arc::new(manifest.notes()),
            names: Arc::new(manifest.names.clone()),
            month_ends: manifest.month_ends,
            segments,
            kept,
            manifest: Arc::new(manifest),
        });
        let version = if log { self.catch_up(&version)? } else { version };
        Ok(Arc::unwrap_or_clone(version))
    }

    /// Opens a segment file, once for all versions that hold it.
    pub(crate) fn file(&self, number: u64, schema: &Arc<Schema>) -> Result<Arc<SegmentFile>> {
        let mut files = self.files.lock();
        if let Some(found) = files.get(&number).and_then(Weak::upgrade) {
            return Ok(found);
        }
        let file = Arc::new(SegmentFile::open(&*self.storage, number, schema)?);
        files.retain(|_, file| file.strong_count() > 0);
        files.insert(number, Arc::downgrade(&file));
        Ok(file)
    }

    /// Forgets a segment file, whose name will be used again.
    pub(crate) fn forget(&self, number: u64) {
        self.files.lock().remove(&number);
    }

    /// A share in the right to write.
    pub(crate) fn right_to_write(self: &Arc<Self>) -> Result<Share> {
        if self.desk.poisoned() {
            return Err(Error::Poisoned);
        }
        let mut right = self.right.lock();
        if right.holders == 0 {
            let held = lock(&*self.storage)?;
            let version = self.follow()?;
            // What a writer that failed left has numbers that are used again.
            self.files.lock().clear();
            // Segments of the log that this process wrote have numbers that no manifest knows.
            let young = version.kept.iter().filter(|kept| !kept.file && kept.number < IN_MEMORY);
            let after = young.map(|kept| kept.number.saturating_add(1)).max().unwrap_or(0);
            let number = version.manifest.next_segment.max(after);
            self.numbers.fetch_max(number, Ordering::AcqRel);
            let began = self.desk.begin(self, version);
            if self.desk.poisoned() {
                std::mem::forget(held);
                began?;
                return Err(Error::Poisoned);
            }
            began?;
            right.lock = Some(held);
        }
        right.holders += 1;
        Ok(Share(Arc::clone(self)))
    }

    /// The number of a new segment.
    pub(crate) fn number(&self) -> Result<u64> {
        let limit = u64::MAX - 1;
        let what = "number of a segment";
        let next = |number: u64| number.checked_add(1);
        let taken = self.numbers.fetch_update(Ordering::AcqRel, Ordering::Acquire, next);
        taken.map_err(|found| Error::Limit { what, found, limit })
    }
}

impl Snapshot {
    /// The number of the version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.inner.number()
    }

    /// The version of the commit that last wrote the live bundle of a key, if there is one.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn version_of(&self, key: &str) -> Result<Option<u64>> {
        self.inner.version_of(key)
    }

    /// What the database holds.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// As [`Snapshot::schema`], for whoever keeps it beyond the snapshot.
    #[must_use]
    pub fn shared_schema(&self) -> &Arc<Schema> {
        &self.inner.schema
    }

    /// The places of the path.
    #[must_use]
    pub fn tree(&self) -> &PathTree {
        &self.inner.tree
    }

    /// The day that the rows speak of (days since 1970-01-01), if a commit said one.
    #[must_use]
    pub fn as_of(&self) -> Option<i64> {
        self.inner.as_of
    }

    /// What commits noted, by key.
    #[must_use]
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.inner.notes
    }

    /// How many live rows a table has.
    #[must_use]
    pub fn rows(&self, table: usize) -> u64 {
        self.inner.rows(table)
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.inner.segments
    }

    /// Bytes of its segments.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.inner.segments.iter().map(|segment| segment.file.size_bytes()).sum()
    }
}
