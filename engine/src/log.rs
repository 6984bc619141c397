//! What was committed since a manifest: one record a commit, one behind the other in one file.
//!
//! A commit that is small does not write a manifest: it appends a record here, and one sync of
//! this file makes it durable. The file is made once, at its full length and of zeros, so that a
//! sync has no more to write than the bytes of the record.
//!
//! Invariants: a record names the checksum of the header before it, so that what a longer log left
//! behind is never taken for a successor; a record that was acknowledged lies below the mark of
//! one of two slots, so that damage to it is told from a record that was being written when the
//! machine stopped.

use std::io;

use wincode::{SchemaRead, SchemaWrite};

use crate::codec;
use crate::error::{Error, Result};
use crate::format::{self, FORMAT, FORMAT_OLDEST, FileKind, checksum, read_u64};
use crate::records::{RecordRef, corrupt, io_error};
use crate::storage::{LogFile, Storage};

/// Where the first record begins: behind the header and the two slots, each in a sector of its
/// own.
pub(crate) const LOG_HEAD: u64 = HEAD as u64;
const HEAD: usize = 2048;
/// Where the slots are.
const SLOTS: [u64; 2] = [512, 1024];
/// Bytes of the header of a record.
const HEADER: usize = 64;
/// Records begin at multiples of this, and so do the segments in them.
const ALIGN: usize = 64;
/// What the header of a record begins with.
const MARK: u64 = u64::from_le_bytes(*b"yikulog\n");

/// The name of the log that follows the manifest of a number.
pub(crate) fn log_name(number: u64) -> String {
    format!("log-{number:010}")
}

/// What a commit changed, beside the segment that it wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default, SchemaRead, SchemaWrite)]
pub(crate) struct Change {
    /// The day that the rows speak of, if the commit said one.
    pub as_of: Option<i64>,
    /// What callers noted, by key.
    pub notes: Vec<(String, String)>,
    /// The keys of the bundles that were removed. They go before those of the segment come.
    pub removed: Vec<String>,
    /// The number of the next segment.
    pub next_segment: u64,
    /// Bytes of the segment that the commit wrote; 0 where it wrote none.
    pub segment_bytes: u64,
}

/// A record that was read back.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The version that it made.
    pub version: u64,
    /// What it changed.
    pub change: Change,
    /// The bytes of its segment; empty where it has none.
    pub segment: Vec<u8>,
}

/// Where the next record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The offset.
    pub offset: u64,
    /// The checksum of the header before; of the manifest for the first record.
    pub chain: u64,
    /// The version that was made last.
    pub version: u64,
}

impl Position {
    /// The first place of the log behind a manifest.
    pub(crate) fn first(manifest: RecordRef, version: u64) -> Self {
        Self { offset: LOG_HEAD, chain: manifest.checksum, version }
    }
}

/// The bytes of a record and the position behind it.
pub(crate) fn encode(at: Position, change: &Change, segment: &[u8]) -> Result<(Vec<u8>, Position)> {
    let meta = codec::encode(change)?;
    let mut body = Vec::with_capacity(16 + meta.len() + segment.len());
    body.extend((meta.len() as u64).to_le_bytes());
    body.extend_from_slice(&meta);
    body.resize(body.len().next_multiple_of(8), 0);
    body.extend_from_slice(segment);
    let version = at.version.saturating_add(1);
    let length = body.len() as u64;
    let fields = [MARK, version, length, checksum(&body), at.chain, 0, 0];
    let mut bytes: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
    let chain = checksum(&bytes);
    bytes.extend(chain.to_le_bytes());
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    let offset = at.offset.saturating_add(bytes.len() as u64);
    Ok((bytes, Position { offset, chain, version }))
}

/// The bytes of a slot that says how far records are acknowledged.
fn slot(acknowledged: u64, seed: u64) -> Vec<u8> {
    let mut bytes = acknowledged.to_le_bytes().to_vec();
    bytes.extend(seed.to_le_bytes());
    let sum = checksum(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// A log that this process appends to.
#[derive(Debug)]
pub(crate) struct Log {
    file: Box<dyn LogFile>,
    length: u64,
    seed: u64,
    /// Which slot is written next.
    turn: std::sync::atomic::AtomicUsize,
}

impl Log {
    /// Makes the log behind a manifest; its head is durable, its name is not.
    pub(crate) fn create(
        storage: &dyn Storage,
        manifest: RecordRef,
        length: u64,
    ) -> io::Result<Self> {
        let file = storage.create_log(&log_name(manifest.number), length)?;
        let seed = manifest.checksum;
        file.write_at(0, &format::header(FileKind::Log))?;
        // Both, so that one that is torn leaves the other.
        for place in SLOTS {
            file.write_at(place, &slot(LOG_HEAD, seed))?;
        }
        file.sync()?;
        Ok(Self { file, length, seed, turn: 0.into() })
    }

    /// Whether so many bytes fit behind a position.
    pub(crate) fn fits(&self, at: Position, bytes: usize) -> bool {
        at.offset.saturating_add(bytes as u64) <= self.length
    }

    /// Writes the bytes of a record; they are durable after [`Log::sync`].
    pub(crate) fn write(&self, at: Position, record: &[u8]) -> io::Result<()> {
        self.file.write_at(at.offset, record)
    }

    /// Returns when all that was written is durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// Notes that everything before an offset is acknowledged. The note becomes durable with the
    /// next sync: it only serves to tell damage from a record that was never finished.
    pub(crate) fn acknowledge(&self, offset: u64) -> io::Result<()> {
        let turn = self.turn.fetch_xor(1, std::sync::atomic::Ordering::AcqRel);
        let place = SLOTS.get(turn).copied().unwrap_or(512);
        self.file.write_at(place, &slot(offset, self.seed))
    }
}

/// The records of a log behind a position, for one who does not write it.
pub(crate) struct Follow<'a> {
    storage: &'a dyn Storage,
    name: String,
    length: u64,
    acknowledged: u64,
}

impl<'a> Follow<'a> {
    /// Looks at the head of the log behind a manifest.
    pub(crate) fn open(storage: &'a dyn Storage, manifest: RecordRef, length: u64) -> Result<Self> {
        let name = log_name(manifest.number);
        let head = storage.read_at(&name, 0, HEAD).map_err(|source| {
            if source.kind() == io::ErrorKind::NotFound {
                return corrupt(storage, &name, "the file is missing though the manifest names it");
            }
            io_error(storage, "read", &name, source)
        })?;
        let expected = format::header(FileKind::Log);
        let found = format::format_of(&head);
        let same = |range: std::ops::Range<usize>| head.get(range.clone()) == expected.get(range);
        if !same(0..10) || !same(12..16) || head.len() < HEAD {
            return Err(corrupt(storage, &name, "it does not begin as a log of Yiku"));
        }
        if !(FORMAT_OLDEST..=FORMAT).contains(&found) {
            let file = storage.place().join(&name);
            return Err(Error::Format { file, found, oldest: FORMAT_OLDEST, newest: FORMAT });
        }
        let marks = SLOTS.iter().filter_map(|place| {
            let start = usize::try_from(*place).ok()?;
            let bytes = head.get(start..start + 24)?;
            let offset = read_u64(bytes, 0)?;
            (bytes == slot(offset, manifest.checksum)).then_some(offset)
        });
        let acknowledged = marks
            .max()
            .ok_or_else(|| corrupt(storage, &name, "both marks of the log are damaged"))?;
        Ok(Self { storage, name, length, acknowledged })
    }

    /// Appends the records behind a position, each with the position behind it, to `entries`;
    /// the position behind the last.
    pub(crate) fn read(
        &self,
        from: Position,
        entries: &mut Vec<(Entry, Position)>,
    ) -> Result<Position> {
        let mut at = from;
        while let Some((entry, next)) = self.next(at)? {
            entries.push((entry, next));
            at = next;
        }
        if at.offset < self.acknowledged {
            return Err(Error::Corrupt {
                file: self.storage.place().join(&self.name),
                offset: at.offset,
                what: "a record of the log is damaged",
            });
        }
        Ok(at)
    }

    /// Returns when everything that is read is durable: what another process wrote may not be.
    pub(crate) fn settle(&self, end: Position) -> Result<()> {
        if end.offset <= self.acknowledged {
            return Ok(());
        }
        let synced = self.storage.open_log(&self.name).and_then(|file| file.sync());
        match synced {
            // Who may not write here reads what the writer vouches for.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            other => other.map_err(|source| io_error(self.storage, "sync", &self.name, source)),
        }
    }

    fn part(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.storage
            .read_at(&self.name, offset, length)
            .map_err(|source| io_error(self.storage, "read", &self.name, source))
    }

    /// The record at a position and the position behind it; none where no whole record stands.
    fn next(&self, at: Position) -> Result<Option<(Entry, Position)>> {
        let header = self.part(at.offset, HEADER)?;
        let field = |n: usize| read_u64(&header, 8 * n).unwrap_or(0);
        let chain = checksum(header.get(..HEADER - 8).unwrap_or_default());
        let version = at.version.saturating_add(1);
        let whole = header.len() == HEADER
            && field(0) == MARK
            && field(1) == version
            && field(4) == at.chain
            && field(7) == chain;
        let start = at.offset.saturating_add(HEADER as u64);
        let end = start.checked_add(field(2)).filter(|end| *end <= self.length);
        let (true, Some(end)) = (whole, end) else { return Ok(None) };
        let Ok(length) = usize::try_from(field(2)) else { return Ok(None) };
        let body = self.part(start, length)?;
        if body.len() != length || checksum(&body) != field(3) {
            return Ok(None);
        }
        let Some((change, segment)) = self.body(&body, at.offset)? else {
            return Err(corrupt(
                self.storage,
                &self.name,
                "a record of the log has another length",
            ));
        };
        let offset = end.next_multiple_of(ALIGN as u64);
        Ok(Some((Entry { version, change, segment }, Position { offset, chain, version })))
    }

    fn body(&self, body: &[u8], offset: u64) -> Result<Option<(Change, Vec<u8>)>> {
        let length = read_u64(body, 0).and_then(|length| usize::try_from(length).ok());
        let Some(end) = length.and_then(|length| length.checked_add(8)) else { return Ok(None) };
        let Some(meta) = body.get(8..end) else { return Ok(None) };
        let file = self.storage.place().join(&self.name);
        let change: Change = codec::decode(meta, &file, offset)?;
        let segment = body.get(end.next_multiple_of(8)..).unwrap_or_default();
        if segment.len() as u64 != change.segment_bytes {
            return Ok(None);
        }
        Ok(Some((change, segment.to_vec())))
    }
}
