//! The list of files that is one version, and the file that says which version is the newest.
//!
//! Invariant: a manifest is written under a name of its own and never changed; `CURRENT` is
//! replaced by renaming, so that it names the version before or the version after, never less.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use roaring::RoaringBitmap;
use wincode::{SchemaRead, SchemaWrite};

use crate::codec;
use crate::error::{Error, Result};
use crate::format::{self, FileKind};
use crate::path::{PathNode, PathTree};
use crate::row_set::RowSet;
use crate::schema::{PathSchema, Schema};
use crate::storage::Storage;

/// The file that names the newest version.
pub(crate) const CURRENT: &str = "CURRENT";
/// Its successor before it is renamed.
const CURRENT_NEW: &str = "CURRENT.new";

/// One segment of a version.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct SegmentRecord {
    /// The number in the file's name.
    pub number: u64,
    /// The size of the file.
    pub size_bytes: u64,
    /// The checksum of its table of contents.
    pub checksum: u64,
    /// The version in the name of its live set; none when every row lives.
    pub live: Option<u64>,
    /// Live rows of each table.
    pub rows: Vec<u32>,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct Manifest {
    /// Its number.
    pub version: u64,
    /// The schema, as TOML.
    pub schema: String,
    /// The version in the name of the path tree's file.
    pub tree: u64,
    /// The day that the rows speak of.
    pub as_of: Option<i64>,
    /// What callers noted, by key.
    pub notes: Vec<(String, String)>,
    /// The number of the next segment.
    pub next_segment: u64,
    /// The segments.
    pub segments: Vec<SegmentRecord>,
}

#[derive(SchemaRead, SchemaWrite)]
struct CurrentRecord {
    version: u64,
}

#[derive(SchemaRead, SchemaWrite)]
struct TreeRecord {
    nodes: Vec<PathNode>,
}

#[derive(SchemaRead, SchemaWrite)]
struct LiveRecord {
    /// The live root rows, in roaring's portable format.
    roots: Vec<u8>,
}

fn io_error(storage: &dyn Storage, action: &'static str, name: &str, source: io::Error) -> Error {
    Error::Io { action, path: storage.place().join(name), source }
}

fn write_record<T>(storage: &dyn Storage, name: &str, kind: FileKind, record: &T) -> Result<()>
where
    T: SchemaWrite<wincode::config::DefaultConfig, Src = T>,
{
    let bytes = format::close(format::header(kind), &codec::encode(record)?);
    storage.write(name, &bytes).map_err(|source| io_error(storage, "write", name, source))
}

/// Reads a file that is nothing but a record.
fn read_record<T>(storage: &dyn Storage, name: &str, kind: FileKind) -> Result<T>
where
    T: for<'a> SchemaRead<'a, wincode::config::DefaultConfig, Dst = T>,
{
    let bytes = storage.read(name).map_err(|source| io_error(storage, "read", name, source))?;
    let path = storage.place().join(name);
    let (record, offset) = format::open(&bytes, kind, &path)?;
    codec::decode(record, &path, offset)
}

fn manifest_name(version: u64) -> String {
    format!("manifest-{version:010}")
}

fn tree_name(version: u64) -> String {
    format!("tree-{version:010}")
}

fn live_name(segment: u64, version: u64) -> String {
    format!("live-{segment:010}-{version:010}")
}

/// The number of the newest version; [`Error::NotFound`] where there is no database.
pub(crate) fn current_version(storage: &dyn Storage) -> Result<u64> {
    match read_record::<CurrentRecord>(storage, CURRENT, FileKind::Current) {
        Ok(current) => Ok(current.version),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(Error::NotFound { path: storage.place().to_path_buf() })
        }
        Err(error) => Err(error),
    }
}

impl Manifest {
    /// Reads the manifest of a version.
    pub(crate) fn read(storage: &dyn Storage, version: u64) -> Result<Self> {
        let name = manifest_name(version);
        let found: Self = read_record(storage, &name, FileKind::Manifest)?;
        if found.version != version {
            let (file, what) = (storage.place().join(name), "the manifest is of another version");
            return Err(Error::Corrupt { file, offset: 0, what });
        }
        Ok(found)
    }

    /// Writes the manifest and makes it the newest version. Every file it names must be durable.
    pub(crate) fn publish(&self, storage: &dyn Storage) -> Result<()> {
        write_record(storage, &manifest_name(self.version), FileKind::Manifest, self)?;
        let sync = || {
            let synced = storage.sync_folder();
            synced.map_err(|source| io_error(storage, "sync the folder", "", source))
        };
        // The names of all files before the name of the version: order is what makes it a commit.
        sync()?;
        let current = CurrentRecord { version: self.version };
        write_record(storage, CURRENT_NEW, FileKind::Current, &current)?;
        storage
            .rename(CURRENT_NEW, CURRENT)
            .map_err(|source| io_error(storage, "replace", CURRENT, source))?;
        sync()
    }

    /// The schema.
    pub(crate) fn schema(&self, storage: &dyn Storage) -> Result<Arc<Schema>> {
        let schema = Schema::from_toml(&self.schema).map_err(|_| Error::Corrupt {
            file: storage.place().join(manifest_name(self.version)),
            offset: 0,
            what: "the schema does not read back",
        })?;
        Ok(Arc::new(schema))
    }

    /// The notes by key.
    pub(crate) fn notes(&self) -> BTreeMap<String, String> {
        self.notes.iter().cloned().collect()
    }
}

/// Writes the path tree of a version.
pub(crate) fn write_tree(storage: &dyn Storage, version: u64, tree: &PathTree) -> Result<()> {
    let record = TreeRecord { nodes: tree.nodes().to_vec() };
    write_record(storage, &tree_name(version), FileKind::Tree, &record)
}

/// Reads the path tree of a version.
pub(crate) fn read_tree(
    storage: &dyn Storage,
    version: u64,
    schema: &PathSchema,
) -> Result<Arc<PathTree>> {
    let name = tree_name(version);
    let record: TreeRecord = read_record(storage, &name, FileKind::Tree)?;
    let tree = PathTree::new(schema, record.nodes).map_err(|_| Error::Corrupt {
        file: storage.place().join(name),
        offset: 0,
        what: "the path tree contradicts itself or the schema",
    })?;
    Ok(Arc::new(tree))
}

/// Writes the live root rows of a segment.
pub(crate) fn write_live(
    storage: &dyn Storage,
    segment: u64,
    version: u64,
    roots: &RowSet,
) -> Result<()> {
    let mut bitmap = roots.to_bitmap();
    bitmap.optimize();
    let mut bytes = Vec::with_capacity(bitmap.serialized_size());
    // Writing to memory does not fail.
    let _ = bitmap.serialize_into(&mut bytes);
    let record = LiveRecord { roots: bytes };
    write_record(storage, &live_name(segment, version), FileKind::Live, &record)
}

/// Reads the live root rows of a segment of `rows` root rows.
pub(crate) fn read_live(
    storage: &dyn Storage,
    segment: u64,
    version: u64,
    rows: u32,
) -> Result<RowSet> {
    let name = live_name(segment, version);
    let record: LiveRecord = read_record(storage, &name, FileKind::Live)?;
    let corrupt = |what| Error::Corrupt { file: storage.place().join(&name), offset: 0, what };
    let bitmap = RoaringBitmap::deserialize_from(record.roots.as_slice())
        .map_err(|_| corrupt("the live set does not read back"))?;
    if bitmap.max().is_some_and(|last| last >= rows) {
        return Err(corrupt("the live set has rows that its segment does not have"));
    }
    Ok(RowSet::from_bitmap(rows, &bitmap))
}
