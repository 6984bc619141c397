//! A version copied into another folder, where opening it is all that restoring takes.
//!
//! Invariants: the folder holds the export before or the one after, whenever it is stopped; a
//! segment that is there already is not sent again.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::checkpoint;
use crate::database::{Snapshot, lock};
use crate::error::{Error, Result};
use crate::gather;
use crate::manifest::{self, Manifest, SegmentRecord};
use crate::records::io_error;
use crate::segment::{Segment, SegmentFile};
use crate::storage::{Disk, Storage};
use crate::sweep;
use crate::version::Version;

/// The first number of segments that only exports have: rows that lay in the log.
const OWN_SEGMENTS: u64 = 1 << 62;

/// What an export did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// The version that the folder now holds.
    pub version: u64,
    /// Segments that were sent.
    pub sent: u64,
    /// Bytes of those.
    pub sent_bytes: u64,
    /// Segments that were there already.
    pub there: u64,
}

impl Snapshot {
    /// Copies the version into a folder, as a database of its own: opening it there restores it.
    /// The source may be written meanwhile. A folder that holds an earlier export of the same
    /// database receives only the segments that it lacks. Names are not taken along.
    ///
    /// # Errors
    /// [`Error::Exists`] when the folder holds another database, [`Error::Locked`] while something
    /// else writes there, [`Error::Corrupt`] when a segment that is there already, or one to be
    /// sent, is damaged, [`Error::Io`]: what the folder held before still opens.
    pub fn export(&self, folder: &Path) -> Result<Exported> {
        let disk = Disk::create(folder).map_err(|source| Error::Io {
            action: "create",
            path: folder.to_path_buf(),
            source,
        })?;
        self.export_in(&disk)
    }

    /// As [`Snapshot::export`], into a storage of the caller's.
    ///
    /// # Errors
    /// As [`Snapshot::export`].
    pub fn export_in(&self, storage: &dyn Storage) -> Result<Exported> {
        let _lock = lock(storage)?;
        let own = &*self.inner;
        let before = match manifest::current(storage) {
            Ok(current) => Some(Manifest::read(storage, current)?.0),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let there = there(storage, own, before.as_ref())?;
        // The first is 1: without `CURRENT` a later one says that there was a database.
        let number = before.as_ref().map_or(0, |before| before.number).saturating_add(1);
        let first = first_own(own, before.as_ref());
        let mut done = Exported { version: own.number(), sent: 0, sent_bytes: 0, there: 0 };
        let mut next = own.clone();
        for (segment, kept) in next.segments.iter().zip(&mut next.kept) {
            // Live sets and the tree are small: they are written anew.
            (kept.live, kept.changed) = (None, segment.live.is_some());
            if !kept.file {
                continue;
            }
            if there.contains(&kept.number) {
                done.there += 1;
            } else {
                segment.check()?;
                send(storage, kept.number, segment.file.bytes(), &mut done)?;
            }
        }
        let young = gather::take_young(&mut next)?;
        for (number, (bytes, version)) in (first..).zip(young) {
            send(storage, number, &bytes, &mut done)?;
            let file = Arc::new(SegmentFile::open(storage, number, &next.schema)?);
            next.add(number, true, Segment::whole(file, version))?;
        }
        (next.tree_on_disk, next.names) = (None, Arc::default());
        let next_segment = own.manifest.next_segment;
        checkpoint::store(storage, &mut next, number, next_segment, false)?;
        // What is left lies there until the next time.
        let _ = sweep::sweep(storage, &next, BTreeSet::new());
        Ok(done)
    }
}

/// The first number for rows of the log, behind those that an export gave before: to segments that
/// the folder holds, and to segments of the version, which may come from an export itself.
fn first_own(own: &Version, before: Option<&Manifest>) -> u64 {
    let sent = own.kept.iter().filter(|kept| kept.file).map(|kept| kept.number);
    let there = before.iter().flat_map(|before| &before.segments).map(|record| record.number);
    let last = sent.chain(there).filter(|number| *number >= OWN_SEGMENTS).max();
    last.map_or(OWN_SEGMENTS, |last| last.saturating_add(1))
}

/// The numbers of the segments of a version that a folder holds already, and sound.
fn there(storage: &dyn Storage, own: &Version, before: Option<&Manifest>) -> Result<BTreeSet<u64>> {
    let Some(before) = before else { return Ok(BTreeSet::new()) };
    let other = || Error::Exists { path: storage.place().to_path_buf() };
    if before.schema != own.manifest.schema {
        return Err(other());
    }
    let records: HashMap<u64, &SegmentRecord> =
        before.segments.iter().map(|record| (record.number, record)).collect();
    let mut found = BTreeSet::new();
    for (segment, kept) in own.segments.iter().zip(&own.kept).filter(|(_, kept)| kept.file) {
        let Some(record) = records.get(&kept.number) else { continue };
        let size = segment.file.size_bytes();
        if (record.checksum, record.size_bytes) != (segment.file.record_checksum(), size) {
            return Err(other());
        }
        let file = SegmentFile::open(storage, kept.number, &own.schema)?;
        let copy = Segment::whole(Arc::new(file), 0);
        copy.check()?;
        found.insert(kept.number);
    }
    Ok(found)
}

fn send(storage: &dyn Storage, number: u64, bytes: &[u8], done: &mut Exported) -> Result<()> {
    let name = SegmentFile::name(number);
    let written: io::Result<()> = storage.write(&name, bytes);
    written.map_err(|source| io_error(storage, "write", &name, source))?;
    done.sent += 1;
    done.sent_bytes += bytes.len() as u64;
    Ok(())
}
