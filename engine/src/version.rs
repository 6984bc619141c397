//! One version of a database: which rows live in which segments, and how it came from the one
//! before.
//!
//! Invariant: what a version answers depends on what was committed, never on which segments the
//! rows lie in, nor on whether they were read from the log or from files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::gather;
use crate::log::{Entry, Position, log_name};
use crate::manifest::{LiveFiles, Manifest, NameRecord, RecordRef, SegmentRecord};
use crate::path::PathTree;
use crate::schema::Schema;
use crate::segment::{LiveSet, Segment, SegmentFile, Wanted};
use crate::storage::{Bytes, Storage};

/// The first number of segments that were read from a log: they are known by their version.
pub(crate) const IN_MEMORY: u64 = 1 << 63;

/// How a segment is kept on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its number.
    pub number: u64,
    /// Whether it is a file; otherwise its rows are in the log.
    pub file: bool,
    /// The file of its live set, where that says what is true.
    pub live: Option<RecordRef>,
    /// Whether rows left its live set since that was written.
    pub changed: bool,
    /// Live rows of each table.
    pub rows: Arc<[u32]>,
}

/// Root rows, rising, by the place of their segment.
pub(crate) type Rows = Vec<(usize, Vec<u32>)>;

/// One version.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// The manifest that it goes on from.
    pub manifest: Arc<Manifest>,
    /// The name and the checksum of that.
    pub current: RecordRef,
    /// Behind its last record in the log.
    pub position: Position,
    pub schema: Arc<Schema>,
    pub tree: Arc<PathTree>,
    /// The file of the tree; none where it is on no disk yet.
    pub tree_on_disk: Option<RecordRef>,
    pub as_of: Option<i64>,
    pub notes: Arc<BTreeMap<String, String>>,
    /// The versions that are kept under a name.
    pub names: Arc<Vec<NameRecord>>,
    /// How many month ends are kept by themselves.
    pub month_ends: Option<u32>,
    pub segments: Vec<Segment>,
    /// How each segment is kept.
    pub kept: Vec<Kept>,
}

impl Version {
    /// Its number.
    pub(crate) fn number(&self) -> u64 {
        self.position.version
    }

    /// Whether anything was committed since its manifest.
    pub(crate) fn has_log(&self) -> bool {
        self.position.version > self.manifest.version
    }

    /// Live rows of a table.
    pub(crate) fn rows(&self, table: usize) -> u64 {
        let rows = self.kept.iter().filter_map(|kept| kept.rows.get(table));
        rows.map(|rows| u64::from(*rows)).sum()
    }

    /// The live root row of a key: the place of its segment, and the row.
    pub(crate) fn root_of(&self, key: &str) -> Result<Option<(usize, u32)>> {
        let wanted = Wanted::new(&[key]);
        for (place, segment) in self.segments.iter().enumerate() {
            for (_, row) in segment.rows_of_keys(0, &wanted)? {
                if segment.root_lives(row) {
                    return Ok(Some((place, row)));
                }
            }
        }
        Ok(None)
    }

    /// The version of the commit that last wrote the bundle of a key, if there is one.
    pub(crate) fn version_of(&self, key: &str) -> Result<Option<u64>> {
        let Some((place, row)) = self.root_of(key)? else { return Ok(None) };
        let Some(segment) = self.segments.get(place) else { return Ok(None) };
        Ok(segment.versions(&[row])?.first().copied())
    }

    /// Takes the bundles of these keys out; how many there were.
    pub(crate) fn remove(&mut self, keys: &[&str]) -> Result<usize> {
        if keys.is_empty() {
            return Ok(0);
        }
        let found = self.rows_of(&Wanted::new(keys))?;
        let removed = found.iter().map(|(_, rows)| rows.len()).sum();
        self.take_out_all(&found)?;
        Ok(removed)
    }

    /// Takes the bundles out that are replaced by those of root rows with these places and keys.
    pub(crate) fn replace(&mut self, roots: &[(i64, &str)]) -> Result<()> {
        let found = self.rows_of_roots(roots)?;
        self.take_out_all(&found)
    }

    /// The live root rows that have these keys.
    fn rows_of(&self, keys: &Wanted<'_>) -> Result<Rows> {
        let mut found = Vec::new();
        for (place, segment) in self.segments.iter().enumerate() {
            let rows = live_rows(segment, keys)?;
            if !rows.is_empty() {
                found.push((place, rows));
            }
        }
        Ok(found)
    }

    /// The live root rows that have the keys of these, given with their places in order. A bundle
    /// rarely moves, and lives once: it is looked for first where its place lies, and, where it was
    /// found, nowhere else.
    pub(crate) fn rows_of_roots(&self, roots: &[(i64, &str)]) -> Result<Rows> {
        let mut left: Vec<(i64, &str)> = roots.to_vec();
        let mut found: Rows = Vec::new();
        for (place, segment) in self.segments.iter().enumerate() {
            let Some((low, high)) = segment.paths()? else { continue };
            let start = left.partition_point(|(path, _)| *path < low);
            let end = left.partition_point(|(path, _)| *path <= high);
            let here = left.get(start..end).unwrap_or_default();
            if here.is_empty() {
                continue;
            }
            let keys: Vec<&str> = here.iter().map(|(_, key)| *key).collect();
            let mut hits = segment.rows_of_keys(0, &Wanted::new(&keys))?;
            hits.retain(|(_, row)| segment.root_lives(*row));
            if hits.is_empty() {
                continue;
            }
            let mut stays = vec![true; left.len()];
            for (key, _) in &hits {
                if let Some(stays) = stays.get_mut(start + key) {
                    *stays = false;
                }
            }
            let mut stays = stays.into_iter();
            left.retain(|_| stays.next().unwrap_or(true));
            let mut rows: Vec<u32> = hits.into_iter().map(|(_, row)| row).collect();
            rows.dedup();
            found.push((place, rows));
        }
        if !left.is_empty() {
            let keys: Vec<&str> = left.iter().map(|(_, key)| *key).collect();
            for (place, rows) in self.rows_of(&Wanted::new(&keys))? {
                match found.iter_mut().find(|(other, _)| *other == place) {
                    Some((_, before)) => {
                        before.extend(rows);
                        before.sort_unstable();
                    }
                    None => found.push((place, rows)),
                }
            }
        }
        Ok(found)
    }

    /// As [`Version::rows_of`], where those of an earlier version are known. A file never changes
    /// and what left a live set does not come back: only segments that the earlier one does not
    /// have are looked through.
    pub(crate) fn rows_since(
        &self,
        before: &Self,
        known: &Rows,
        keys: &Wanted<'_>,
    ) -> Result<Rows> {
        let (mut found, mut hint) = (Vec::new(), 0);
        for (place, segment) in self.segments.iter().enumerate() {
            let same = |other: &Segment| Arc::ptr_eq(&other.file, &segment.file);
            // Most stand in the order in which they stood.
            let ahead = before.segments.iter().skip(hint).position(same).map(|at| at + hint);
            let rows = match ahead.or_else(|| before.segments.iter().position(same)) {
                Some(at) => {
                    hint = at + 1;
                    let rows = known.iter().find(|(place, _)| *place == at);
                    let rows = rows.map(|(_, rows)| rows.as_slice()).unwrap_or_default();
                    rows.iter().copied().filter(|row| segment.root_lives(*row)).collect()
                }
                None => live_rows(segment, keys)?,
            };
            if !rows.is_empty() {
                found.push((place, rows));
            }
        }
        Ok(found)
    }

    /// Takes root rows out. After an error nothing has changed.
    pub(crate) fn take_out_all(&mut self, rows: &Rows) -> Result<()> {
        let mut changed = Vec::with_capacity(rows.len());
        for (place, rows) in rows {
            if let Some(segment) = self.segments.get(*place) {
                let segment = segment.without(rows)?;
                changed.push((*place, segment.live_counts()?, segment));
            }
        }
        for (place, rows, segment) in changed {
            if let (Some(slot), Some(kept)) =
                (self.segments.get_mut(place), self.kept.get_mut(place))
            {
                *slot = segment;
                (kept.rows, kept.changed) = (rows.into(), true);
            }
        }
        self.forget_empty();
        Ok(())
    }

    /// Leaves out the segments in which no row lives.
    fn forget_empty(&mut self) {
        let lives = |kept: &Kept| kept.rows.first().is_some_and(|rows| *rows > 0);
        if self.kept.iter().all(lives) {
            return;
        }
        let mut flags = self.kept.iter().map(lives).collect::<Vec<_>>().into_iter();
        self.segments.retain(|_| flags.next().unwrap_or(true));
        self.kept.retain(lives);
    }

    /// Takes root rows (rising) of the segment at a place out.
    pub(crate) fn take_out(&mut self, place: usize, rows: &[u32]) -> Result<()> {
        let (Some(segment), Some(kept)) = (self.segments.get_mut(place), self.kept.get_mut(place))
        else {
            return Ok(());
        };
        *segment = segment.without(rows)?;
        kept.rows = segment.live_counts()?.into();
        kept.changed = true;
        Ok(())
    }

    /// Adds a segment whose live keys are in no other.
    pub(crate) fn add(&mut self, number: u64, file: bool, segment: Segment) -> Result<()> {
        let rows = segment.live_counts()?.into();
        // A live set that it has is on no disk yet.
        let changed = segment.live.is_some();
        self.segments.push(segment);
        self.kept.push(Kept { number, file, live: None, changed, rows });
        self.forget_empty();
        Ok(())
    }

    /// Takes in a record of the log.
    pub(crate) fn replay(&mut self, entry: Entry, next: Position, place: &Path) -> Result<()> {
        let keys: Vec<&str> = entry.change.removed.iter().map(String::as_str).collect();
        self.remove(&keys)?;
        if !entry.segment.is_empty() {
            let bytes = Bytes::Owned(entry.segment);
            let file = SegmentFile::from_bytes(
                place.join(log_name(self.current.number)),
                bytes,
                &self.schema,
            )?;
            let segment = Segment::whole(Arc::new(file), entry.version);
            let roots = roots(&segment)?;
            let roots: Vec<_> = roots.iter().map(|(path, key)| (*path, key.as_str())).collect();
            self.replace(&roots)?;
            // Numbers of segments that are no files only tell them apart.
            let number = IN_MEMORY.saturating_add(2 * entry.version);
            self.add(number, false, segment)?;
            gather::young(self, number.saturating_add(1), place)?;
        }
        self.as_of = entry.change.as_of.or(self.as_of);
        if !entry.change.notes.is_empty() {
            Arc::make_mut(&mut self.notes).extend(entry.change.notes);
        }
        self.position = next;
        Ok(())
    }

    /// The records of its segments for a manifest: all of them files, their live sets written.
    pub(crate) fn records(&self) -> Vec<SegmentRecord> {
        let pairs = self.segments.iter().zip(&self.kept);
        let records = pairs.map(|(segment, kept)| SegmentRecord {
            number: kept.number,
            size_bytes: segment.file.size_bytes(),
            checksum: segment.file.record_checksum(),
            version: segment.version,
            live: kept.live,
            rows: kept.rows.to_vec(),
        });
        records.collect()
    }
}

/// The live root rows of a segment that have these keys.
fn live_rows(segment: &Segment, keys: &Wanted<'_>) -> Result<Vec<u32>> {
    let found = segment.rows_of_keys(0, keys)?.into_iter().map(|(_, row)| row);
    let mut rows: Vec<u32> = found.filter(|row| segment.root_lives(*row)).collect();
    rows.dedup();
    Ok(rows)
}

/// The keys of the live root rows of a segment.
pub(crate) fn keys(segment: &Segment) -> Result<Vec<String>> {
    Ok(roots(segment)?.into_iter().map(|(_, key)| key).collect())
}

/// The places and keys of the live root rows of a segment, in order.
pub(crate) fn roots(segment: &Segment) -> Result<Vec<(i64, String)>> {
    let schema = segment.file.schema();
    let key = schema.tables.first().map_or(0, |table| table.key);
    let mut paths = Vec::new();
    segment.column(0, schema.path_column())?.integers(0..segment.rows(0), &mut paths)?;
    let (mut paths, mut roots) = (paths.into_iter(), Vec::new());
    segment.column(0, key)?.texts(0..segment.rows(0), &mut |row, text| {
        let path = paths.next().unwrap_or(0);
        if segment.root_lives(row) {
            roots.extend(text.map(|text| (path, text.to_owned())));
        }
    })?;
    Ok(roots)
}

/// A segment that a manifest names, its live set beside it.
pub(crate) fn segment(
    storage: &dyn Storage,
    file: Arc<SegmentFile>,
    record: &SegmentRecord,
    format: u16,
    live: &mut LiveFiles,
) -> Result<Segment> {
    let name = SegmentFile::name(record.number);
    let corrupt = |what| Error::Corrupt { file: storage.place().join(name), offset: 0, what };
    if file.size_bytes() != record.size_bytes || file.record_checksum() != record.checksum {
        return Err(corrupt("it is not the segment that the manifest names"));
    }
    let rows = file.rows(0);
    let tables = file.schema().tables.len();
    let mut segment = Segment::whole(file, record.version);
    let mut roots = rows;
    if let Some(wanted) = record.live {
        let found = live.read(storage, record.number, wanted, rows, format)?;
        roots = u32::try_from(found.count()).unwrap_or(u32::MAX);
        segment.live = Some(Arc::new(LiveSet::new(&found, tables)));
    }
    let counted = |(table, rows): (usize, &u32)| match table {
        0 => *rows == roots,
        _ if segment.live.is_none() => *rows == segment.rows(table),
        _ => *rows <= segment.rows(table),
    };
    if record.rows.len() != tables || !record.rows.iter().enumerate().all(counted) {
        return Err(corrupt("the manifest counts other rows than the segment has"));
    }
    Ok(segment)
}
