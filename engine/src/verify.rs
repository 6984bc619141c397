//! Everything that a database says of itself, looked at: what is damaged is named, file and place.
//!
//! Invariant: nothing that was read before is believed: every byte is looked at anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::database::Database;
use crate::error::{Error, Result};
use crate::format::checksum;
use crate::segment::{Segment, SegmentFile};
use crate::version::{self, Version};
use crate::writer::check_paths;

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// The newest version.
    pub version: u64,
    /// Versions: the newest and the named ones.
    pub versions: u64,
    /// Segments, each once.
    pub segments: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Live rows of each table of the newest version.
    pub rows: Vec<u64>,
    /// What was found wrong.
    pub wrong: u64,
}

impl Database {
    /// Looks at every checksum and every invariant of the newest version and of the named ones, and
    /// tells `report` of everything that is wrong.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be read. What is damaged is no error but reported.
    pub fn verify(&self, report: &mut dyn FnMut(Error)) -> Result<Verified> {
        let mut found = Verified::default();
        let mut wrong = 0;
        let mut tell = |error: Error| {
            wrong += 1;
            report(error);
        };
        let opened = Self::open_in(Arc::clone(&self.shared.storage));
        let opened = opened.and_then(|again| again.shared.newest().map(|newest| (again, newest)));
        let (again, newest) = match opened {
            Ok(opened) => opened,
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(error) => {
                tell(error);
                found.wrong = wrong;
                return Ok(found);
            }
        };
        found.version = newest.number();
        found.rows = (0..newest.schema.tables.len()).map(|table| newest.rows(table)).collect();
        let mut seen: BTreeMap<u64, Arc<SegmentFile>> = BTreeMap::new();
        let mut versions = vec![Arc::clone(&newest)];
        for record in newest.names.iter() {
            match again.shared.load(record.manifest, Some(&newest), false) {
                Ok(version) => versions.push(Arc::new(version)),
                Err(error) => tell(error),
            }
        }
        for version in versions {
            found.versions += 1;
            for (segment, kept) in version.segments.iter().zip(&version.kept) {
                if seen.insert(kept.number, Arc::clone(&segment.file)).is_none() {
                    found.segments += 1;
                    found.bytes += segment.file.size_bytes();
                    whole(segment).verify(&mut tell)?;
                }
            }
            if let Err(error) = together(&version) {
                tell(error);
            }
        }
        found.wrong = wrong;
        Ok(found)
    }
}

/// A segment with all its rows, live or not.
fn whole(segment: &Segment) -> Segment {
    Segment { file: Arc::clone(&segment.file), live: None, version: segment.version }
}

/// What must be true of all segments of a version together: no live key stands twice, every live
/// place is in the tree, live rows are as many as the version says.
fn together(version: &Version) -> Result<()> {
    let mut hashes = Vec::new();
    for (segment, kept) in version.segments.iter().zip(&version.kept) {
        check_paths(segment, &version.tree)?;
        if *segment.live_counts()? != *kept.rows {
            return Err(wrong(segment, "the manifest counts other rows than live"));
        }
        let keys = version::keys(segment)?;
        hashes.extend(keys.iter().map(|key| checksum(key.as_bytes())));
    }
    hashes.sort_unstable();
    let twice = hashes.iter().zip(hashes.iter().skip(1)).filter(|(a, b)| a == b);
    let twice: Vec<u64> = twice.map(|(hash, _)| *hash).collect();
    if twice.is_empty() {
        return Ok(());
    }
    // Checksums of different keys may be equal: only equal keys are wrong.
    let mut keys = BTreeMap::new();
    for segment in &version.segments {
        for key in version::keys(segment)? {
            if twice.binary_search(&checksum(key.as_bytes())).is_err() {
                continue;
            }
            *keys.entry(key).or_insert(0) += 1;
        }
        if keys.values().any(|times| *times > 1) {
            return Err(wrong(segment, "a live root row has a key that another has too"));
        }
    }
    Ok(())
}

fn wrong(segment: &Segment, what: &'static str) -> Error {
    Error::Corrupt { file: segment.file.path().to_path_buf(), offset: 0, what }
}

impl Segment {
    /// Looks at everything of the segment that can be looked at alone; the first thing that is
    /// wrong.
    pub(crate) fn check(&self) -> Result<()> {
        let mut first = None;
        self.verify(&mut |error| {
            first.get_or_insert(error);
        })?;
        first.map_or(Ok(()), Err)
    }
}
