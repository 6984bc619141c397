//! What commits that share a record make of the version before them.
//!
//! Invariants: a commit that is refused leaves the version as it was; the version of the group is
//! what its commits would have made one after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::database::Shared;
use crate::error::{Error, Result};
use crate::few::{Few, Gathered};
use crate::format::checksum;
use crate::gather;
use crate::limits::LOGGED_BYTES_MAX;
use crate::log::Change;
use crate::month_ends;
use crate::segment::{Segment, SegmentFile};
use crate::storage::Bytes;
use crate::version::{self, Version};
use crate::writer::{CommitInfo, check_codes, check_paths};

/// What a writer asks to be committed.
#[derive(Debug)]
pub(crate) struct Changes {
    /// The version that the writer began from.
    pub base: Arc<Version>,
    /// The only bundles that it wrote, where they are few.
    pub few: Option<Few>,
    /// Otherwise the base with the changes made; none where there are none.
    pub view: Option<Version>,
    /// The numbers of the segments that the writer wrote.
    pub own: BTreeSet<u64>,
    /// The keys that it removed.
    pub removed: Vec<String>,
    /// What must be true of bundles just before.
    pub expected: Vec<(String, Option<u64>)>,
    /// Whether it replaced the tree.
    pub tree: bool,
    /// What the commit says of itself.
    pub info: CommitInfo,
}

/// A group under construction.
#[derive(Default)]
pub(crate) struct Work {
    pub change: Change,
    /// The numbers of the segments that its writers wrote.
    pub own: BTreeSet<u64>,
    /// Small batches that are in none of them yet; what they replace has left the version.
    few: Gathered,
    /// Bytes of all that and of the keys that were removed, about.
    bytes: u64,
    /// Whether it does not go into the log.
    pub large: bool,
}

impl Work {
    /// Makes the changes of a writer; `next` is what the version would be without them and `tail`
    /// what it was before the group. After an error `next` is the same in other segments.
    pub(crate) fn apply(
        &mut self,
        shared: &Shared,
        (next, tail): (&mut Version, &Arc<Version>),
        mut changes: Changes,
    ) -> Result<()> {
        let fresh = self.own.is_empty() && self.few.is_empty();
        let alone = fresh && self.change.removed.is_empty() && !self.large;
        let asked = |key: &str| self.few.may_have(checksum(key.as_bytes()));
        if changes.view.is_some()
            || changes.few.as_ref().is_some_and(|few| self.few.hinders(few))
            || changes.expected.iter().any(|(key, _)| asked(key))
        {
            self.pack(shared, next)?;
        }
        for (key, expected) in &changes.expected {
            let found = next.version_of(key)?;
            if found != *expected {
                let (key, expected) = (key.clone(), *expected);
                return Err(Error::Conflict { key, expected, found });
            }
        }
        if let Some(few) = changes.few.take() {
            check_places(&few, next)?;
            let bytes = few.size_bytes();
            self.few.add(next, &changes.base, few)?;
            self.bytes = self.bytes.saturating_add(bytes as u64);
        } else if let Some(view) = changes.view.take() {
            let unchanged = alone && Arc::ptr_eq(&changes.base, tail);
            *next = if unchanged { go_on(next, view) } else { merge(next, &changes, &view)? };
            self.count(next, &changes.own);
        }
        let removed: usize = changes.removed.iter().map(|key| key.len() + 8).sum();
        self.bytes = self.bytes.saturating_add(removed as u64);
        self.large |= changes.tree || self.bytes > LOGGED_BYTES_MAX as u64;
        let as_of = changes.info.as_of.or(next.as_of);
        self.large |= month_ends::crosses(next, as_of);
        next.as_of = as_of;
        self.change.as_of = changes.info.as_of.or(self.change.as_of);
        if !changes.info.notes.is_empty() {
            Arc::make_mut(&mut next.notes).extend(changes.info.notes.clone());
            self.change.notes.extend(changes.info.notes);
        }
        self.change.removed.extend(changes.removed);
        self.own.extend(changes.own);
        Ok(())
    }

    /// Says of the segments of a writer which version they are of, and counts their bytes.
    fn count(&mut self, next: &mut Version, own: &BTreeSet<u64>) {
        for (segment, kept) in next.segments.iter_mut().zip(&next.kept) {
            if own.contains(&kept.number) {
                segment.version = next.position.version;
                self.bytes = self.bytes.saturating_add(segment.file.size_bytes());
                self.large |= kept.file;
            }
        }
    }

    /// Makes a segment of the small batches.
    pub(crate) fn pack(&mut self, shared: &Shared, next: &mut Version) -> Result<()> {
        if self.few.is_empty() {
            return Ok(());
        }
        let number = shared.number()?;
        self.few.pack(next, number, shared.storage.place())?;
        self.own.insert(number);
        Ok(())
    }
}

/// The version of a writer that began from the one before, of which `next` is a copy: what it made
/// is the version.
fn go_on(next: &Version, mut view: Version) -> Version {
    (view.position, view.names) = (next.position, Arc::clone(&next.names));
    (view.month_ends, view.as_of) = (next.month_ends, next.as_of);
    view.notes = Arc::clone(&next.notes);
    view
}

/// Whether the places of a batch are still in the tree.
fn check_places(few: &Few, next: &Version) -> Result<()> {
    if Arc::ptr_eq(few.tree(), &next.tree) {
        return Ok(());
    }
    check_codes(few.paths(), &next.tree)
}

/// Makes the changes of a writer to a version that is not the one it began from.
fn merge(next: &Version, changes: &Changes, view: &Version) -> Result<Version> {
    let mut applied = next.clone();
    let removed: Vec<&str> = changes.removed.iter().map(String::as_str).collect();
    applied.remove(&removed)?;
    if changes.tree {
        for segment in &applied.segments {
            check_paths(segment, &view.tree)?;
        }
        applied.tree = Arc::clone(&view.tree);
        applied.tree_on_disk = None;
    }
    let other_tree = !Arc::ptr_eq(&applied.tree, &view.tree);
    for (segment, kept) in view.segments.iter().zip(&view.kept) {
        if !changes.own.contains(&kept.number) {
            continue;
        }
        if other_tree {
            check_paths(segment, &applied.tree)?;
        }
        let roots = version::roots(segment)?;
        let roots: Vec<_> = roots.iter().map(|(path, key)| (*path, key.as_str())).collect();
        applied.replace(&roots)?;
        applied.add(kept.number, kept.file, segment.clone())?;
    }
    Ok(applied)
}

/// The bytes of one segment of all bundles that a group wrote, which takes the place of theirs;
/// empty where it wrote none.
pub(crate) fn group_bytes(
    shared: &Shared,
    next: &mut Version,
    own: &BTreeSet<u64>,
) -> Result<Vec<u8>> {
    let places = 0..next.kept.len();
    let written: Vec<usize> =
        places.filter(|at| next.kept.get(*at).is_some_and(|k| own.contains(&k.number))).collect();
    if let [only] = *written
        && let Some(segment) = next.segments.get(only).filter(|segment| segment.live.is_none())
    {
        return Ok(segment.file.bytes().to_vec());
    }
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let bytes = gather::merged(next, &written)?;
    let number = shared.number()?;
    gather::leave_out(next, &written);
    let path = shared.storage.place().join(SegmentFile::name(number));
    let file = SegmentFile::from_bytes(path, Bytes::Owned(bytes.clone()), &next.schema)?;
    let version = next.position.version;
    next.add(number, false, Segment::whole(Arc::new(file), version))?;
    Ok(bytes)
}
