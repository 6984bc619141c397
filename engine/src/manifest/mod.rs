//! The list of files that is one version, and the file that says which list is the newest.
//!
//! Invariants: a manifest is written under a name of its own and never changed; `CURRENT` is
//! replaced by renaming, so that it names the list before or the list after, never less.

mod first;
pub(crate) mod live;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use wincode::{SchemaRead, SchemaWrite};

use crate::error::{Error, Result};
use crate::format::FileKind;
use crate::path::{PathNode, PathTree};
pub(crate) use crate::records::RecordRef;
use crate::records::{RecordFile, corrupt, io_error, write_record};
use crate::schema::{PathSchema, Schema};
use crate::storage::Storage;
pub(crate) use live::{LiveFiles, write_live};

/// The version of a database that was just made, and the number of its manifest.
pub(crate) const FIRST_VERSION: u64 = 1;
/// What the name of a manifest begins with.
pub(crate) const MANIFEST: &str = "manifest-";
/// The file that names the newest manifest.
pub(crate) const CURRENT: &str = "CURRENT";
/// Its successor before it is renamed.
pub(crate) const CURRENT_NEW: &str = "CURRENT.new";

/// One segment of a version.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct SegmentRecord {
    /// The number in the file's name.
    pub number: u64,
    /// The size of the file.
    pub size_bytes: u64,
    /// The checksum of its table of contents.
    pub checksum: u64,
    /// The version of the rows that do not say theirs.
    pub version: u64,
    /// The file that holds its live set; none when every row lives.
    pub live: Option<RecordRef>,
    /// Live rows of each table.
    pub rows: Vec<u32>,
}

/// A version that is kept under a name.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct NameRecord {
    /// The name.
    pub name: String,
    /// The manifest of the version; it has no log.
    pub manifest: RecordRef,
    /// The version.
    pub version: u64,
    /// The day that its rows speak of.
    pub as_of: Option<i64>,
    /// Whether the rule of month ends made it, which may drop it too.
    pub by_rule: bool,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct Manifest {
    /// Its own number, in its name.
    pub number: u64,
    /// The number of the version.
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
    /// Bytes of the log that goes on from here, where there is one.
    pub log_bytes: Option<u64>,
    /// How many month ends are kept by themselves; none keeps none.
    pub month_ends: Option<u32>,
    /// The versions that are kept under a name, by name.
    pub names: Vec<NameRecord>,
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

/// The name of the manifest of a number.
pub(crate) fn manifest_name(number: u64) -> String {
    format!("{MANIFEST}{number:010}")
}

/// The name of the path tree that a manifest of a number wrote.
pub(crate) fn tree_name(number: u64) -> String {
    format!("tree-{number:010}")
}

/// The newest manifest; [`Error::NotFound`] where there is no database.
pub(crate) fn current(storage: &dyn Storage) -> Result<RecordRef> {
    match RecordFile::read(storage, CURRENT, FileKind::Current, None) {
        Ok(file) => Ok(file.decode::<CurrentRecord>()?.manifest),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Err(absent(storage)?)
        }
        Err(error) => Err(error),
    }
}

/// Why there is no `CURRENT`. The first manifest may be the rest of a creation that did not
/// happen; a later one says that a database lost the file.
fn absent(storage: &dyn Storage) -> Result<Error> {
    let names = storage.list().map_err(|source| io_error(storage, "list", "", source))?;
    if names.iter().filter_map(|name| number_of(name)).any(|number| number > FIRST_VERSION) {
        return Ok(corrupt(storage, CURRENT, "the file is missing though there are versions"));
    }
    Ok(Error::NotFound { path: storage.place().to_path_buf() })
}

/// The last manifest of a folder that is whole, of those with a number below one, and what is wrong
/// with those after it: for who looks for damage where the newest is not known or not whole.
pub(crate) fn last_whole(
    storage: &dyn Storage,
    below: Option<u64>,
) -> (Option<RecordRef>, Vec<Error>) {
    let names = storage.list().unwrap_or_default();
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_of(name)).collect();
    numbers.retain(|number| below.is_none_or(|below| *number < below));
    numbers.sort_unstable();
    let mut wrong = Vec::new();
    for number in numbers.into_iter().rev() {
        let name = manifest_name(number);
        let file = RecordFile::read(storage, &name, FileKind::Manifest, None);
        let own = file.map(|file| RecordRef { number, checksum: file.checksum() });
        match own.and_then(|own| Manifest::read(storage, own).map(|_| own)) {
            Ok(own) => return (Some(own), wrong),
            Err(error) => wrong.push(error),
        }
    }
    (None, wrong)
}

/// The number of a manifest by its name; none where it is another file.
fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix(MANIFEST).and_then(|number| number.parse().ok())
}

/// Makes a manifest the newest. It and every file that it names must be durable, names too.
pub(crate) fn set_current(storage: &dyn Storage, manifest: RecordRef) -> Result<()> {
    let current = CurrentRecord { manifest };
    write_record(storage, CURRENT_NEW, FileKind::Current, &current)?;
    // Whatever the system says here, which manifest is the newest is not known: it is not an error
    // after which a writer goes on, as a full disk elsewhere is.
    storage
        .rename(CURRENT_NEW, CURRENT)
        .map_err(|source| io_error(storage, "replace", CURRENT, io::Error::other(source)))?;
    storage
        .sync_folder()
        .map_err(|source| io_error(storage, "sync the folder", "", io::Error::other(source)))
}

/// Returns when every name given or taken is durable.
pub(crate) fn sync_folder(storage: &dyn Storage) -> Result<()> {
    storage.sync_folder().map_err(|source| io_error(storage, "sync the folder", "", source))
}

impl Manifest {
    /// Reads a manifest, and says the format that it was written in.
    pub(crate) fn read(storage: &dyn Storage, wanted: RecordRef) -> Result<(Self, u16)> {
        let name = manifest_name(wanted.number);
        let file = RecordFile::read(storage, &name, FileKind::Manifest, Some(wanted.checksum))?;
        let found: Self = match file.format() {
            1 => file.decode::<first::FirstManifest>()?.into(),
            _ => file.decode()?,
        };
        if found.number != wanted.number {
            return Err(corrupt(storage, &name, "the manifest is of another number"));
        }
        Ok((found, file.format()))
    }

    /// Writes the manifest; its bytes are then durable, its name is not.
    pub(crate) fn write(&self, storage: &dyn Storage) -> Result<RecordRef> {
        let name = manifest_name(self.number);
        let checksum = write_record(storage, &name, FileKind::Manifest, self)?;
        Ok(RecordRef { number: self.number, checksum })
    }

    /// Writes the manifest and makes it the newest. Every file it names must be durable.
    pub(crate) fn publish(&self, storage: &dyn Storage) -> Result<RecordRef> {
        let own = self.write(storage)?;
        // The names of all files before the name of the manifest: order is what makes it a commit.
        sync_folder(storage)?;
        set_current(storage, own)?;
        Ok(own)
    }

    /// The schema.
    pub(crate) fn schema(&self, storage: &dyn Storage) -> Result<Arc<Schema>> {
        let schema = Schema::from_toml(&self.schema).map_err(|_| {
            let name = manifest_name(self.number);
            corrupt(storage, &name, "the schema does not read back")
        })?;
        Ok(Arc::new(schema))
    }

    /// The notes by key.
    pub(crate) fn notes(&self) -> BTreeMap<String, String> {
        self.notes.iter().cloned().collect()
    }
}

/// Writes the path tree for a manifest of this number.
pub(crate) fn write_tree(storage: &dyn Storage, number: u64, tree: &PathTree) -> Result<RecordRef> {
    let record = TreeRecord { nodes: tree.nodes().to_vec() };
    let checksum = write_record(storage, &tree_name(number), FileKind::Tree, &record)?;
    Ok(RecordRef { number, checksum })
}

/// Reads a path tree.
pub(crate) fn read_tree(
    storage: &dyn Storage,
    wanted: RecordRef,
    schema: &PathSchema,
) -> Result<Arc<PathTree>> {
    let name = tree_name(wanted.number);
    let file = RecordFile::read(storage, &name, FileKind::Tree, Some(wanted.checksum))?;
    let tree = PathTree::new(schema, file.decode::<TreeRecord>()?.nodes)
        .map_err(|_| corrupt(storage, &name, "the path tree contradicts itself or the schema"))?;
    Ok(Arc::new(tree))
}
