//! A folder of tables, and one version of it held open.
//!
//! Invariants: a snapshot answers the same for ever; a reader waits for nobody.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::manifest::{self, FIRST_VERSION, Manifest, RecordRef, SegmentRecord};
use crate::path::PathTree;
use crate::schema::Schema;
use crate::segment::{LiveSet, Segment, SegmentFile};
use crate::storage::{Disk, Lock, Storage};
use crate::writer::Writer;

/// A database: a folder, its newest version, and the right to ask for a writer.
#[derive(Debug, Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

/// What snapshots and writers of a database share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    /// The newest version that was asked for.
    newest: Mutex<Option<Snapshot>>,
    /// Segment files that some snapshot holds open, by number.
    files: Mutex<HashMap<u64, Weak<SegmentFile>>>,
}

/// One version of a database, held open.
#[derive(Debug, Clone)]
pub struct Snapshot {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// What `CURRENT` said when the version was read.
    current: RecordRef,
    manifest: Manifest,
    schema: Arc<Schema>,
    tree: Arc<PathTree>,
    notes: BTreeMap<String, String>,
    segments: Vec<Segment>,
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
            version: FIRST_VERSION,
            schema: schema.to_toml(),
            tree: manifest::write_tree(&*storage, FIRST_VERSION, &tree)?,
            as_of: None,
            notes: Vec::new(),
            next_segment: 1,
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
        let disk = Disk::open(folder).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::NotFound { path: folder.to_path_buf() },
            _ => io_error(folder, "open", source),
        })?;
        Self::open_in(Arc::new(disk))
    }

    /// As [`Database::open`], in a storage of the caller's.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_in(storage: Arc<dyn Storage>) -> Result<Self> {
        let (newest, files) = (Mutex::new(None), Mutex::new(HashMap::new()));
        let database = Self { shared: Arc::new(Shared { storage, newest, files }) };
        database.snapshot()?;
        Ok(database)
    }

    /// The newest version, whichever process wrote it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Format`], [`Error::Io`].
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.shared.snapshot()
    }

    /// The right to write, until the writer is dropped.
    ///
    /// # Errors
    /// [`Error::Locked`] while another holds it; as [`Database::snapshot`].
    pub fn writer(&self) -> Result<Writer> {
        let lock = lock(&*self.shared.storage)?;
        let base = self.snapshot()?;
        Ok(Writer::new(Arc::clone(&self.shared), lock, base))
    }
}

/// Checks a schema, and that a tree is of its path.
fn check(schema: &Schema, tree: &PathTree) -> Result<()> {
    schema.check()?;
    tree.check_levels(&schema.path)
}

fn lock(storage: &dyn Storage) -> Result<Lock> {
    let place = storage.place();
    let found = storage.lock().map_err(|source| io_error(place, "lock", source))?;
    found.ok_or_else(|| Error::Locked { path: place.to_path_buf() })
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Result<Snapshot> {
        let current = manifest::current(&*self.storage)?;
        let mut newest = self.newest.lock();
        if let Some(found) = newest.as_ref().filter(|found| found.inner.current == current) {
            return Ok(found.clone());
        }
        let manifest = Manifest::read(&*self.storage, current)?;
        let before = newest.as_ref().map(|found| &*found.inner);
        let schema = match before.filter(|b| b.manifest.schema == manifest.schema) {
            Some(before) => Arc::clone(&before.schema),
            None => manifest.schema(&*self.storage)?,
        };
        let tree = match before.filter(|b| b.manifest.tree == manifest.tree) {
            Some(before) => Arc::clone(&before.tree),
            None => manifest::read_tree(&*self.storage, manifest.tree, &schema.path)?,
        };
        let segments = manifest.segments.iter().map(|record| self.segment(record, &schema));
        let segments = segments.collect::<Result<Vec<_>>>()?;
        let notes = manifest.notes();
        let inner = Inner { current, manifest, schema, tree, notes, segments };
        let snapshot = Snapshot { inner: Arc::new(inner) };
        *newest = Some(snapshot.clone());
        Ok(snapshot)
    }

    /// Opens a segment file, once for all snapshots that hold it.
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

    fn segment(&self, record: &SegmentRecord, schema: &Arc<Schema>) -> Result<Segment> {
        let file = self.file(record.number, schema)?;
        let name = SegmentFile::name(record.number);
        let corrupt =
            |what| Error::Corrupt { file: self.storage.place().join(name), offset: 0, what };
        if file.size_bytes() != record.size_bytes || file.record_checksum() != record.checksum {
            return Err(corrupt("it is not the segment that the manifest names"));
        }
        let rows = file.rows(0);
        let (live, roots) = match record.live {
            None => (None, u64::from(rows)),
            Some(live) => {
                let roots = manifest::read_live(&*self.storage, record.number, live, rows)?;
                let count = roots.count();
                (Some(Arc::new(LiveSet::new(&roots, schema.tables.len()))), count)
            }
        };
        let counted = |(table, rows): (usize, &u32)| match table {
            0 => u64::from(*rows) == roots,
            _ if live.is_none() => *rows == file.rows(table),
            _ => *rows <= file.rows(table),
        };
        if record.rows.len() != schema.tables.len() || !record.rows.iter().enumerate().all(counted)
        {
            return Err(corrupt("the manifest counts other rows than the segment has"));
        }
        Ok(Segment { file, live, version: 0 })
    }
}

impl Snapshot {
    /// The number of the version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.inner.manifest.version
    }

    /// What the database holds.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    pub(crate) fn schema_shared(&self) -> &Arc<Schema> {
        &self.inner.schema
    }

    /// The places of the path.
    #[must_use]
    pub fn tree(&self) -> &PathTree {
        &self.inner.tree
    }

    pub(crate) fn tree_shared(&self) -> &Arc<PathTree> {
        &self.inner.tree
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// The day that the rows speak of (days since 1970-01-01), if a commit said one.
    #[must_use]
    pub fn as_of(&self) -> Option<i64> {
        self.inner.manifest.as_of
    }

    /// What commits noted, by key.
    #[must_use]
    pub fn notes(&self) -> &BTreeMap<String, String> {
        &self.inner.notes
    }

    /// How many live rows a table has.
    #[must_use]
    pub fn rows(&self, table: usize) -> u64 {
        let rows = self.inner.manifest.segments.iter().filter_map(|s| s.rows.get(table));
        rows.map(|rows| u64::from(*rows)).sum()
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.inner.segments
    }

    /// Bytes of its segment files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.inner.manifest.segments.iter().map(|s| s.size_bytes).sum()
    }
}
