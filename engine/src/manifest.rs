//! The list of files that is one version, and the file that says which version is the newest.
//!
//! Invariants: a manifest is written under a name of its own and never changed; `CURRENT` is
//! replaced by renaming, so that it names the version before or the version after, never less;
//! whoever names a file also says what its record sums to, so that a file in another's place is
//! found.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use roaring::RoaringBitmap;
use wincode::{SchemaRead, SchemaWrite};

use crate::codec;
use crate::error::{Error, Result};
use crate::format::{self, FileKind, checksum};
use crate::path::{PathNode, PathTree};
use crate::row_set::RowSet;
use crate::schema::{PathSchema, Schema};
use crate::storage::Storage;

/// The version of a database that was just made.
pub(crate) const FIRST_VERSION: u64 = 1;
/// What the name of a manifest begins with.
const MANIFEST: &str = "manifest-";
/// The file that names the newest version.
pub(crate) const CURRENT: &str = "CURRENT";
/// Its successor before it is renamed.
const CURRENT_NEW: &str = "CURRENT.new";

/// A file that is nothing but a record: the version in its name, and what the record sums to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct RecordRef {
    /// The version in the name.
    pub version: u64,
    /// The checksum of the record.
    pub checksum: u64,
}

/// One segment of a version.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct SegmentRecord {
    /// The number in the file's name.
    pub number: u64,
    /// The size of the file.
    pub size_bytes: u64,
    /// The checksum of its table of contents.
    pub checksum: u64,
    /// Its live set; none when every row lives.
    pub live: Option<RecordRef>,
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
    /// The path tree.
    pub tree: RecordRef,
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
    /// The newest manifest.
    manifest: RecordRef,
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

fn corrupt(storage: &dyn Storage, name: &str, what: &'static str) -> Error {
    Error::Corrupt { file: storage.place().join(name), offset: 0, what }
}

/// Writes a file that is nothing but a record; what the record sums to.
fn write_record<T>(storage: &dyn Storage, name: &str, kind: FileKind, record: &T) -> Result<u64>
where
    T: SchemaWrite<codec::Config, Src = T>,
{
    let record = codec::encode(record)?;
    let bytes = format::close(format::header(kind), &record);
    storage.write(name, &bytes).map_err(|source| io_error(storage, "write", name, source))?;
    Ok(checksum(&record))
}

/// Reads a file that is nothing but a record; `expected` is what the record must sum to.
fn read_record<T>(
    storage: &dyn Storage,
    name: &str,
    kind: FileKind,
    expected: Option<u64>,
) -> Result<T>
where
    T: for<'a> SchemaRead<'a, codec::Config, Dst = T>,
{
    let bytes = storage.read(name).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if expected.is_some() => {
            corrupt(storage, name, "the file is missing though the version needs it")
        }
        _ => io_error(storage, "read", name, source),
    })?;
    let path = storage.place().join(name);
    let (record, offset) = format::open(&bytes, kind, &path)?;
    if expected.is_some_and(|expected| expected != checksum(record)) {
        return Err(corrupt(storage, name, "it is not the file that the version names"));
    }
    codec::decode(record, &path, offset)
}

fn manifest_name(version: u64) -> String {
    format!("{MANIFEST}{version:010}")
}

fn tree_name(version: u64) -> String {
    format!("tree-{version:010}")
}

fn live_name(segment: u64, version: u64) -> String {
    format!("live-{segment:010}-{version:010}")
}

/// The newest manifest; [`Error::NotFound`] where there is no database.
pub(crate) fn current(storage: &dyn Storage) -> Result<RecordRef> {
    match read_record::<CurrentRecord>(storage, CURRENT, FileKind::Current, None) {
        Ok(current) => Ok(current.manifest),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(absent(storage)?)
        }
        Err(error) => Err(error),
    }
}

/// Why there is no `CURRENT`. The manifest of the first version may be the rest of a creation
/// that did not happen; a later one says that a database lost the file.
fn absent(storage: &dyn Storage) -> Result<Error> {
    let names = storage.list().map_err(|source| io_error(storage, "list", "", source))?;
    let number = |name: &String| name.strip_prefix(MANIFEST).and_then(|n| n.parse::<u64>().ok());
    if names.iter().filter_map(number).any(|version| version > FIRST_VERSION) {
        return Ok(corrupt(storage, CURRENT, "the file is missing though there are versions"));
    }
    Ok(Error::NotFound { path: storage.place().to_path_buf() })
}

impl Manifest {
    /// Reads a manifest.
    pub(crate) fn read(storage: &dyn Storage, wanted: RecordRef) -> Result<Self> {
        let name = manifest_name(wanted.version);
        let found: Self = read_record(storage, &name, FileKind::Manifest, Some(wanted.checksum))?;
        if found.version != wanted.version {
            return Err(corrupt(storage, &name, "the manifest is of another version"));
        }
        Ok(found)
    }

    /// Writes the manifest and makes it the newest version. Every file it names must be durable.
    pub(crate) fn publish(&self, storage: &dyn Storage) -> Result<()> {
        let name = manifest_name(self.version);
        let checksum = write_record(storage, &name, FileKind::Manifest, self)?;
        let sync = || {
            let synced = storage.sync_folder();
            synced.map_err(|source| io_error(storage, "sync the folder", "", source))
        };
        // The names of all files before the name of the version: order is what makes it a commit.
        sync()?;
        let manifest = RecordRef { version: self.version, checksum };
        let current = CurrentRecord { manifest };
        write_record(storage, CURRENT_NEW, FileKind::Current, &current)?;
        storage
            .rename(CURRENT_NEW, CURRENT)
            .map_err(|source| io_error(storage, "replace", CURRENT, source))?;
        sync()
    }

    /// The schema.
    pub(crate) fn schema(&self, storage: &dyn Storage) -> Result<Arc<Schema>> {
        let schema = Schema::from_toml(&self.schema).map_err(|_| {
            let name = manifest_name(self.version);
            corrupt(storage, &name, "the schema does not read back")
        })?;
        Ok(Arc::new(schema))
    }

    /// The notes by key.
    pub(crate) fn notes(&self) -> BTreeMap<String, String> {
        self.notes.iter().cloned().collect()
    }
}

/// Writes the path tree of a version.
pub(crate) fn write_tree(
    storage: &dyn Storage,
    version: u64,
    tree: &PathTree,
) -> Result<RecordRef> {
    let record = TreeRecord { nodes: tree.nodes().to_vec() };
    let checksum = write_record(storage, &tree_name(version), FileKind::Tree, &record)?;
    Ok(RecordRef { version, checksum })
}

/// Reads a path tree.
pub(crate) fn read_tree(
    storage: &dyn Storage,
    wanted: RecordRef,
    schema: &PathSchema,
) -> Result<Arc<PathTree>> {
    let name = tree_name(wanted.version);
    let record: TreeRecord = read_record(storage, &name, FileKind::Tree, Some(wanted.checksum))?;
    let tree = PathTree::new(schema, record.nodes)
        .map_err(|_| corrupt(storage, &name, "the path tree contradicts itself or the schema"))?;
    Ok(Arc::new(tree))
}

/// Writes the live root rows of a segment.
pub(crate) fn write_live(
    storage: &dyn Storage,
    segment: u64,
    version: u64,
    roots: &RowSet,
) -> Result<RecordRef> {
    let mut bitmap = roots.to_bitmap();
    bitmap.optimize();
    let mut bytes = Vec::with_capacity(bitmap.serialized_size());
    // Writing to memory does not fail.
    let _ = bitmap.serialize_into(&mut bytes);
    let record = LiveRecord { roots: bytes };
    let checksum = write_record(storage, &live_name(segment, version), FileKind::Live, &record)?;
    Ok(RecordRef { version, checksum })
}

/// Reads the live root rows of a segment of `rows` root rows.
pub(crate) fn read_live(
    storage: &dyn Storage,
    segment: u64,
    wanted: RecordRef,
    rows: u32,
) -> Result<RowSet> {
    let name = live_name(segment, wanted.version);
    let record: LiveRecord = read_record(storage, &name, FileKind::Live, Some(wanted.checksum))?;
    let bitmap = RoaringBitmap::deserialize_from(record.roots.as_slice())
        .map_err(|_| corrupt(storage, &name, "the live set does not read back"))?;
    if bitmap.max().is_some_and(|last| last >= rows) {
        return Err(corrupt(storage, &name, "the live set has rows that its segment has not"));
    }
    Ok(RowSet::from_bitmap(rows, &bitmap))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use crate::storage::memory::Memory;
    use crate::{Batch, CommitInfo, Database};

    const SCHEMA: &str = r#"name = "s"
        path = { name = "place", levels = [{ name = "district", digits = 2 }] }
        [[table]]
        name = "box"
        key = "id"
        columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]
        [[table]]
        name = "ball"
        parent = "box"
        key = "id"
        columns = [{ name = "id", kind = "id" }]"#;

    fn boxes(batch: &mut Batch, keys: std::ops::Range<u32>) -> Result<()> {
        for key in keys {
            let key = format!("box {key}");
            batch.row("box")?.set("id", key.as_str())?.set("place", "11")?;
            batch.row("ball")?;
        }
        Ok(())
    }

    /// The files of a database with a live set, and its newest manifest.
    fn sample() -> (BTreeMap<String, Vec<u8>>, Manifest) {
        let storage = Arc::new(Memory::default());
        let schema = Schema::from_toml(SCHEMA).unwrap();
        let node = |code| PathNode { code, level: 0, name: "N".into() };
        let tree = PathTree::new(&schema.path, vec![node(11), node(12)]).unwrap();
        let shared: Arc<dyn Storage> = Arc::<Memory>::clone(&storage);
        let mut writer = Database::create_in(shared, schema, tree).unwrap().writer().unwrap();
        for keys in [0..6, 4..8] {
            let mut batch = writer.batch();
            boxes(&mut batch, keys).unwrap();
            writer.write(&batch).unwrap();
            let notes = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
            writer.commit(CommitInfo { as_of: Some(1), notes }).unwrap();
        }
        let manifest = Manifest::read(&*storage, current(&*storage).unwrap()).unwrap();
        let files = storage.0.lock().clone();
        (files, manifest)
    }

    fn record(files: &BTreeMap<String, Vec<u8>>, name: &str, kind: FileKind) -> Vec<u8> {
        format::open(&files[name], kind, name.as_ref()).unwrap().0.to_vec()
    }

    /// Opens, reads, writes and commits; whether nothing was said to be wrong.
    fn survives(files: BTreeMap<String, Vec<u8>>, what: &str) -> bool {
        let use_it = || -> Result<()> {
            let database = Database::open_in(Arc::new(Memory(files.into())))?;
            let snapshot = database.snapshot()?;
            for (table, segment) in
                (0..2).flat_map(|t| snapshot.segments().iter().map(move |s| (t, s)))
            {
                segment.live(table)?;
                segment.column(table, 0)?.texts(0..u32::MAX, &mut |_, _| {})?;
            }
            let _ = (snapshot.rows(0), snapshot.rows(1), snapshot.size_bytes());
            let mut writer = database.writer()?;
            let mut batch = writer.batch();
            boxes(&mut batch, 2..3)?;
            writer.write(&batch)?;
            writer.commit(CommitInfo::default())?;
            Ok(())
        };
        let used = use_it();
        // What is made on purpose may be another sound schema; what happened to a disk is not
        // what is said of it.
        assert!(!matches!(used, Err(Error::Io { .. } | Error::Poisoned)), "{what}: {used:?}");
        used.is_ok()
    }

    /// Changes every byte of a record in turn, each time with every checksum above it right.
    fn check(name: &str, kind: FileKind, bind: impl Fn(&mut Manifest, u64)) {
        let (files, sound) = sample();
        let whole = record(&files, name, kind);
        let mut refused = 0;
        for (at, mask) in (0..whole.len()).flat_map(|at| [1, 0x80, 0xFF].map(|mask| (at, mask))) {
            let (mut files, mut manifest, mut record) =
                (files.clone(), sound.clone(), whole.clone());
            record[at] ^= mask;
            bind(&mut manifest, checksum(&record));
            files.insert(name.to_owned(), format::close(format::header(kind), &record));
            if kind == FileKind::Manifest {
                let manifest = RecordRef { version: 3, checksum: checksum(&record) };
                let current = codec::encode(&CurrentRecord { manifest }).unwrap();
                let current = format::close(format::header(FileKind::Current), &current);
                files.insert(CURRENT.to_owned(), current);
            } else {
                let storage = Memory(files.into());
                manifest.publish(&storage).unwrap();
                files = storage.0.into_inner();
            }
            refused += usize::from(!survives(files, &format!("{name}, byte {at} ^ {mask}")));
        }
        assert!(refused > whole.len() / 2, "{name}: {refused} of {} refused", 3 * whole.len());
    }

    #[test]
    fn no_manifest_makes_a_reader_panic() {
        check("manifest-0000000003", FileKind::Manifest, |_, _| {});
    }

    #[test]
    fn no_tree_makes_a_reader_panic() {
        check("tree-0000000001", FileKind::Tree, |manifest, sum| manifest.tree.checksum = sum);
    }

    #[test]
    fn no_live_set_makes_a_reader_panic() {
        let name = "live-0000000001-0000000003";
        check(name, FileKind::Live, |manifest, sum| {
            manifest.segments[0].live.as_mut().unwrap().checksum = sum;
        });
    }
}
