//! A version written out: its log becomes segments, its live sets and its manifest files.
//!
//! Invariant: until `CURRENT` is replaced nothing happened, after it everything did; which is why
//! it may be stopped at any point and done again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::commit::Tail;
use crate::database::Shared;
use crate::error::Result;
use crate::gather;
use crate::limits::{LOG_BYTES_MAX, LOG_BYTES_MIN};
use crate::log::{Log, Position, log_name};
use crate::manifest::{self, Manifest, RecordRef};
use crate::records::io_error;
use crate::segment::{Segment, SegmentFile};
use crate::storage::Storage;
use crate::sweep;
use crate::version::Version;

/// Writes a checkpoint of a version and makes it the newest; `log` says whether a log goes on from
/// it. Files that nobody needs after it are taken away.
pub(crate) fn write(shared: &Shared, version: &Version, log: bool) -> Result<Tail> {
    let mut next = version.clone();
    let mut written = Vec::new();
    let stored = write_files(shared, &mut next, log, &mut written);
    // Named by the manifest from now on; or, where there is none, the rest of what did not happen.
    shared.spilled.lock().retain(|number| !written.contains(number));
    let log = stored?;
    let version = Arc::new(next);
    let spilled = shared.spilled.lock();
    let names = spilled.iter().map(|number| SegmentFile::name(*number)).collect();
    drop(spilled);
    // What is left lies there until the next time.
    let _ = sweep::sweep(&*shared.storage, &version, names);
    Ok(Tail { version, log: log.map(Arc::new) })
}

fn write_files(
    shared: &Shared,
    next: &mut Version,
    log: bool,
    written: &mut Vec<u64>,
) -> Result<Option<Log>> {
    gather::join_small(next);
    for (bytes, version) in gather::take_young(next)? {
        let number = shared.number()?;
        written.push(number);
        shared.spill(number, &bytes)?;
        let file = shared.file(number, &next.schema)?;
        next.add(number, true, Segment::whole(file, version))?;
    }
    let number = next.manifest.number.saturating_add(1);
    let next_segment = shared.numbers.load(Ordering::Acquire);
    store(&*shared.storage, next, number, next_segment, log)
}

/// Writes everything of a version but its segments, and makes it the newest of a folder.
pub(crate) fn store(
    storage: &dyn Storage,
    next: &mut Version,
    number: u64,
    next_segment: u64,
    log: bool,
) -> Result<Option<Log>> {
    let mut sets = BTreeMap::new();
    for (segment, kept) in next.segments.iter().zip(&next.kept) {
        if kept.changed {
            sets.insert(kept.number, segment.live(0)?);
        }
    }
    if !sets.is_empty() {
        let written = manifest::write_live(storage, number, &sets)?;
        for kept in next.kept.iter_mut().filter(|kept| kept.changed) {
            (kept.live, kept.changed) = (Some(written), false);
        }
    }
    let tree = match next.tree_on_disk {
        Some(tree) => tree,
        None => manifest::write_tree(storage, number, &next.tree)?,
    };
    next.tree_on_disk = Some(tree);
    let size: u64 = next.segments.iter().map(|segment| segment.file.size_bytes()).sum();
    let manifest = Manifest {
        number,
        version: next.position.version,
        schema: next.manifest.schema.clone(),
        tree,
        as_of: next.as_of,
        notes: next.notes.iter().map(|(key, note)| (key.clone(), note.clone())).collect(),
        next_segment,
        log_bytes: log.then(|| log_bytes(size)),
        month_ends: next.month_ends,
        names: next.names.to_vec(),
        segments: next.records(),
    };
    let current = manifest.write(storage)?;
    let log = match manifest.log_bytes {
        None => None,
        Some(length) => Some(
            Log::create(storage, current, length)
                .map_err(|source| io_error(storage, "write", &log_name(current.number), source))?,
        ),
    };
    // The names of all files before the name of the manifest: order is what makes it a commit.
    manifest::sync_folder(storage)?;
    manifest::set_current(storage, current)?;
    bind(next, current, manifest);
    Ok(log)
}

fn bind(next: &mut Version, current: RecordRef, manifest: Manifest) {
    next.current = current;
    next.position = Position::first(current, manifest.version);
    next.manifest = Arc::new(manifest);
}

/// Bytes of the log of a database of so many bytes.
fn log_bytes(size: u64) -> u64 {
    (size / 16).clamp(LOG_BYTES_MIN, LOG_BYTES_MAX).next_multiple_of(4096)
}
