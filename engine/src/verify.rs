//! Everything that a database says of itself, looked at: what is damaged is named, file and place.
//!
//! Invariants: nothing that was read before is believed: every byte is looked at anew; damage to
//! one file hides none to another, unless only the first says that there is the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::database::{Database, Shared};
use crate::error::{Error, Result};
use crate::format::checksum;
use crate::log::{Follow, Position};
use crate::manifest::{self, LiveFiles, Manifest, RecordRef};
use crate::segment::Segment;
use crate::storage::Storage;
use crate::version::{self, Kept, Version};
use crate::writer::check_paths;

/// How often opening is tried anew beside a writer that moves on: what is wrong then is wrong.
const TIMES_MAX: usize = 16;

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// The newest version; 0 where it cannot be opened.
    pub version: u64,
    /// Versions that can be opened, of the newest and the named ones.
    pub versions: u64,
    /// Segments, each once.
    pub segments: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Live rows of each table of the newest version, with its name.
    pub rows: Vec<(String, u64)>,
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
        verify(&self.shared.storage, report)
    }

    /// As [`Database::verify`], of a folder whose database may be too damaged to be opened: where a
    /// version cannot be, each of its files that can be reached is looked at nevertheless.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no database, [`Error::Io`] when the folder cannot be read.
    pub fn verify_folder(folder: &Path, report: &mut dyn FnMut(Error)) -> Result<Verified> {
        Self::verify_in(Self::storage(folder)?, report)
    }

    /// As [`Database::verify_folder`], of a storage of the caller's.
    ///
    /// # Errors
    /// As [`Database::verify_folder`].
    pub fn verify_in(storage: Arc<dyn Storage>, report: &mut dyn FnMut(Error)) -> Result<Verified> {
        verify(&storage, report)
    }
}

/// What is wrong, each thing once.
struct Findings<'a> {
    told: BTreeSet<String>,
    report: &'a mut dyn FnMut(Error),
}

impl Findings<'_> {
    fn say(&mut self, error: Error) {
        if self.told.insert(error.to_string()) {
            (self.report)(error);
        }
    }
}

fn verify(storage: &Arc<dyn Storage>, report: &mut dyn FnMut(Error)) -> Result<Verified> {
    let reached = Reached::of(storage)?;
    let mut findings = Findings { told: BTreeSet::new(), report };
    let mut found = Verified::default();
    if let Some(newest) = &reached.newest {
        found.version = newest.number();
        let tables = newest.schema.tables.iter().enumerate();
        found.rows =
            tables.map(|(table, shape)| (shape.name.clone(), newest.rows(table))).collect();
    }
    reached.wrong.into_iter().for_each(|error| findings.say(error));
    for segment in reached.segments.values() {
        found.segments += 1;
        found.bytes += segment.file.size_bytes();
        segment.verify(&mut |error| findings.say(error))?;
    }
    for version in &reached.versions {
        found.versions += 1;
        together(version, &mut |error| findings.say(error));
    }
    found.wrong = findings.told.len() as u64;
    Ok(found)
}

/// What can be opened of a database, and what is wrong with the rest.
struct Reached {
    shared: Shared,
    /// The newest version, where all of it can be opened.
    newest: Option<Arc<Version>>,
    /// Each version that can be opened; of the newest perhaps only what its manifest says.
    versions: Vec<Arc<Version>>,
    /// Every segment by number, with all its rows, live or not.
    segments: BTreeMap<u64, Segment>,
    wrong: Vec<Error>,
}

impl Reached {
    fn of(storage: &Arc<dyn Storage>) -> Result<Self> {
        let mut current = manifest::current(&**storage);
        let mut times = 0;
        loop {
            times += 1;
            let wanted = current.as_ref().ok().copied();
            let mut reached = Self {
                shared: Shared::new(Arc::clone(storage)),
                newest: None,
                versions: Vec::new(),
                segments: BTreeMap::new(),
                wrong: Vec::new(),
            };
            match current {
                Err(error @ (Error::NotFound { .. } | Error::Io { .. })) => return Err(error),
                Err(error) => reached.wrong.push(error),
                Ok(_) => {}
            }
            reached.all(wanted);
            // A writer may have moved on and taken away what this manifest names.
            current = manifest::current(&**storage);
            let same = current.as_ref().ok().copied() == wanted;
            if same || reached.wrong.is_empty() || times == TIMES_MAX {
                return Ok(reached);
            }
        }
    }

    /// Opens the version of the newest manifest and the named ones.
    fn all(&mut self, wanted: Option<RecordRef>) {
        let storage = Arc::clone(&self.shared.storage);
        let mut found = wanted.and_then(|wanted| Some((wanted, self.manifest(wanted)?)));
        if found.is_none() {
            // The next before it that is whole names files too, most of them the same.
            let number = wanted.map(|wanted| wanted.number);
            let (before, wrong) = manifest::last_whole(&*storage, number);
            self.wrong.extend(wrong);
            found = before.and_then(|before| Some((before, self.manifest(before)?)));
        }
        let Some((record, (manifest, format))) = found else { return };
        let opened = self.version(record, (&manifest, format), true);
        self.newest = opened.filter(|_| wanted == Some(record));
        for name in &manifest.names {
            if let Some((manifest, format)) = self.manifest(name.manifest) {
                self.version(name.manifest, (&manifest, format), false);
            }
        }
    }

    fn say(&mut self, outcome: Result<()>) {
        self.wrong.extend(outcome.err());
    }

    fn manifest(&mut self, wanted: RecordRef) -> Option<(Manifest, u16)> {
        let read = Manifest::read(&*self.shared.storage, wanted);
        read.map_err(|error| self.wrong.push(error)).ok()
    }

    /// Opens a version, with its log where that counts; none where only a part of it can be.
    fn version(
        &mut self,
        record: RecordRef,
        manifest: (&Manifest, u16),
        log: bool,
    ) -> Option<Arc<Version>> {
        let before = self.versions.first().cloned();
        let opened = self.shared.load(record, before.as_deref(), log).map(Arc::new);
        let (opened, most) = match opened {
            Ok(version) => (Some(Arc::clone(&version)), Some(version)),
            Err(error) => {
                self.wrong.push(error);
                self.pieces(record, manifest, log);
                // Without its log it is a version too.
                let without = self.shared.load(record, before.as_deref(), false).ok();
                (None, without.filter(|_| log).map(Arc::new))
            }
        };
        if let Some(version) = most {
            for (segment, kept) in version.segments.iter().zip(&version.kept) {
                self.segments.entry(kept.number).or_insert_with(|| whole(segment));
            }
            self.versions.push(version);
        }
        opened
    }

    /// Opens each file that a manifest names by itself.
    fn pieces(&mut self, own: RecordRef, (manifest, format): (&Manifest, u16), log: bool) {
        let storage = Arc::clone(&self.shared.storage);
        let schema = match manifest.schema(&*storage) {
            Ok(schema) => schema,
            Err(error) => return self.wrong.push(error),
        };
        self.say(manifest::read_tree(&*storage, manifest.tree, &schema.path).map(drop));
        let mut live = LiveFiles::default();
        for record in &manifest.segments {
            // Also where the segment cannot be opened.
            if let Some(wanted) = record.live {
                self.say(live.open(&*storage, record.number, wanted, format).map(drop));
            }
            let segment = self.shared.file(record.number, &schema).and_then(|file| {
                let (alone, version) = (Arc::clone(&file), record.version);
                let alone = Segment::whole(alone, version);
                self.segments.entry(record.number).or_insert(alone);
                version::segment(&*storage, file, record, format, &mut live)
            });
            self.say(segment.map(drop));
        }
        if let Some(length) = manifest.log_bytes.filter(|_| log) {
            let first = Position::first(own, manifest.version);
            let log = Follow::open(&*storage, own, length);
            self.say(log.and_then(|log| log.read(first, &mut Vec::new())).map(drop));
        }
    }
}

/// A segment with all its rows, live or not.
fn whole(segment: &Segment) -> Segment {
    Segment::whole(Arc::clone(&segment.file), segment.version)
}

/// What must be true of all segments of a version together: no live key stands twice, every live
/// place is in the tree, live rows are as many as the version says.
fn together(version: &Version, say: &mut dyn FnMut(Error)) {
    let mut hashes = Vec::new();
    let mut readable = Vec::with_capacity(version.segments.len());
    for (segment, kept) in version.segments.iter().zip(&version.kept) {
        match beside(segment, kept, version) {
            Ok(keys) => {
                hashes.extend(keys.iter().map(|key| checksum(key.as_bytes())));
                readable.push(segment);
            }
            Err(error) => say(error),
        }
    }
    hashes.sort_unstable();
    let twice = hashes.iter().zip(hashes.iter().skip(1)).filter(|(a, b)| a == b);
    let twice: Vec<u64> = twice.map(|(hash, _)| *hash).collect();
    if twice.is_empty() {
        return;
    }
    // Checksums of different keys may be equal: only equal keys are wrong.
    let mut keys = BTreeSet::new();
    for segment in readable {
        let own = version::keys(segment).unwrap_or_default();
        let own =
            own.into_iter().filter(|key| twice.binary_search(&checksum(key.as_bytes())).is_ok());
        let again = own.filter(|key| !keys.insert(key.clone())).count();
        if again > 0 {
            say(wrong(segment, "a live root row has a key that another has too"));
        }
    }
}

/// What a version says of a segment; the keys of its live root rows.
fn beside(segment: &Segment, kept: &Kept, version: &Version) -> Result<Vec<String>> {
    check_paths(segment, &version.tree).map_err(|error| match error {
        Error::UnknownPath { .. } => wrong(segment, "a live root row lies at no place of the tree"),
        other => other,
    })?;
    if *segment.live_counts()? != *kept.rows {
        return Err(wrong(segment, "the manifest counts other rows than live"));
    }
    version::keys(segment)
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
