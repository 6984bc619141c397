//! Files that nobody needs are taken away.
//!
//! Needed is what the newest manifest or the manifest of a named version names. A version that is
//! only held open needs no name any more: its files are mapped. A process that is just opening
//! a manifest which is then taken away finds another in `CURRENT` and begins again.
//!
//! Invariant: a file that is not of the engine's own naming is never touched.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::log::log_name;
use crate::manifest::{CURRENT, CURRENT_NEW, Manifest, RecordRef, live, manifest_name, tree_name};
use crate::records::io_error;
use crate::segment::SegmentFile;
use crate::storage::Storage;
use crate::version::Version;

/// What names of files begin with.
const PREFIXES: [&str; 5] = ["seg-", "live-", "tree-", "log-", "manifest-"];

/// Takes away what the newest version and the named ones do not need, nor is in `needed`; how
/// many files.
pub(crate) fn sweep(
    storage: &dyn Storage,
    newest: &Version,
    mut needed: BTreeSet<String>,
) -> Result<usize> {
    needed.insert(CURRENT.to_owned());
    need(&mut needed, newest.current, &newest.manifest, 2);
    for record in newest.names.iter() {
        let (manifest, format) = Manifest::read(storage, record.manifest)?;
        need(&mut needed, record.manifest, &manifest, format);
    }
    let names = storage.list().map_err(|source| io_error(storage, "list", "", source))?;
    let own = |name: &str| {
        let digits = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        name == CURRENT_NEW || PREFIXES.iter().any(|p| name.strip_prefix(p).is_some_and(digits))
    };
    let mut removed = 0;
    for name in names.iter().filter(|name| own(name) && !needed.contains(*name)) {
        storage.remove(name).map_err(|source| io_error(storage, "remove", name, source))?;
        removed += 1;
    }
    Ok(removed)
}

/// Adds the files that a manifest names, and itself.
fn need(needed: &mut BTreeSet<String>, own: RecordRef, manifest: &Manifest, format: u16) {
    needed.insert(manifest_name(own.number));
    needed.insert(tree_name(manifest.tree.number));
    if manifest.log_bytes.is_some() {
        needed.insert(log_name(own.number));
    }
    for record in &manifest.segments {
        needed.insert(SegmentFile::name(record.number));
        needed.extend(record.live.map(|live| live::file_name(record.number, live, format)));
    }
}
