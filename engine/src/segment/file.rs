//! A segment file, opened: its bytes, its table of contents, and what was already checked.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::runs::PathRun;
use super::toc::{KeysToc, SegmentToc, TableToc};
use crate::block::integers::{IntegerBlock, Kept};
use crate::block::planes::KEPT;
use crate::block::{BlockToc, FrameRef};
use crate::error::{Error, Result};
use crate::format::{self, FileKind, checksum};
use crate::lift::Ends;
use crate::parents::Parents;
use crate::schema::Schema;
use crate::storage::{Bytes, Storage};
use crate::unfolded::Unfolded;

/// A segment file.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    path: PathBuf,
    bytes: Bytes,
    toc: SegmentToc,
    record_checksum: u64,
    schema: Arc<Schema>,
    /// Frames whose checksum was found right.
    checked: Vec<AtomicBool>,
    offsets: Vec<OnceLock<Arc<[u32]>>>,
    /// Which rows are the last beneath theirs above, by table.
    ends: Vec<OnceLock<Ends>>,
    /// The rows above every 64 rows, by table.
    parents: Vec<OnceLock<Parents>>,
    /// Offsets over several tables: by the upper table, then the lower.
    offsets_over: Vec<OnceLock<Arc<[u32]>>>,
    path_runs: OnceLock<Arc<[PathRun]>>,
    /// The same in rows of the tables beneath, by table.
    runs_over: Vec<OnceLock<Arc<[PathRun]>>>,
    /// Root rows at which blocks end, by table.
    block_ends: Vec<OnceLock<Arc<[u32]>>>,
    /// The same in rows of another table: by the table of the blocks, then the other.
    ends_over: Vec<OnceLock<Arc<[u32]>>>,
    /// Words that were made of planes and of the bits of known rows, by frame.
    planes: Vec<OnceLock<Unfolded<[u8; 8]>>>,
    known: Vec<OnceLock<Unfolded<u64>>>,
}

impl SegmentFile {
    /// The name of a segment's file.
    pub(crate) fn name(number: u64) -> String {
        format!("seg-{number:010}")
    }

    /// Opens a segment file and checks everything but the frames.
    pub(crate) fn open(storage: &dyn Storage, number: u64, schema: &Arc<Schema>) -> Result<Self> {
        let name = Self::name(number);
        let path = storage.place().join(&name);
        let bytes = storage.read(&name).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Error::Corrupt {
                file: path.clone(),
                offset: 0,
                what: "the file is missing though the manifest names it",
            },
            _ => Error::Io { action: "read", path: path.clone(), source },
        })?;
        Self::from_bytes(path, bytes, schema)
    }

    /// As [`SegmentFile::open`], of bytes at hand; `path` is where they come from, for messages.
    pub(crate) fn from_bytes(path: PathBuf, bytes: Bytes, schema: &Arc<Schema>) -> Result<Self> {
        let (record, offset) = format::open(&bytes, FileKind::Segment, &path)?;
        let format = format::format_of(&bytes);
        let toc = SegmentToc::read(record, format, schema, (&path, offset))?;
        let record_checksum = checksum(record);
        toc.check(schema, offset).map_err(|what| Error::Corrupt {
            file: path.clone(),
            offset,
            what,
        })?;
        let checked = (0..toc.frames).map(|_| AtomicBool::new(false)).collect();
        let planes = (0..toc.frames).map(|_| OnceLock::new()).collect();
        let known = (0..toc.frames).map(|_| OnceLock::new()).collect();
        let offsets = toc.tables.iter().map(|_| OnceLock::new()).collect();
        let block_ends = toc.tables.iter().map(|_| OnceLock::new()).collect();
        let parents = toc.tables.iter().map(|_| OnceLock::new()).collect();
        let ends = toc.tables.iter().map(|_| OnceLock::new()).collect();
        let runs_over = toc.tables.iter().map(|_| OnceLock::new()).collect();
        let pairs = toc.tables.len().saturating_mul(toc.tables.len());
        let offsets_over = (0..pairs).map(|_| OnceLock::new()).collect();
        let ends_over = (0..pairs).map(|_| OnceLock::new()).collect();
        let (schema, path_runs) = (Arc::clone(schema), OnceLock::new());
        Ok(Self {
            path,
            bytes,
            toc,
            record_checksum,
            schema,
            checked,
            offsets,
            ends,
            parents,
            offsets_over,
            path_runs,
            runs_over,
            block_ends,
            ends_over,
            planes,
            known,
        })
    }

    /// Where the runs of paths are kept.
    pub(super) fn kept_runs(&self) -> &OnceLock<Arc<[PathRun]>> {
        &self.path_runs
    }

    /// Where the runs of paths in rows of a table are kept.
    pub(super) fn kept_runs_over(&self, table: usize) -> Option<&OnceLock<Arc<[PathRun]>>> {
        self.runs_over.get(table)
    }

    /// Where the root rows at which the blocks of a table end are kept.
    pub(super) fn kept_ends(&self, table: usize) -> Option<&OnceLock<Arc<[u32]>>> {
        self.block_ends.get(table)
    }

    /// Where the rows of a table are kept that lie beneath the root rows before the ends of
    /// another's blocks.
    pub(super) fn kept_ends_over(&self, of: usize, table: usize) -> Option<&OnceLock<Arc<[u32]>>> {
        self.ends_over.get(self.pair(of, table)?)
    }

    /// Where the offsets from a table to one further beneath are kept.
    pub(super) fn kept_offsets(&self, above: usize, table: usize) -> Option<&OnceLock<Arc<[u32]>>> {
        self.offsets_over.get(self.pair(above, table)?)
    }

    /// The place of what is kept for two tables.
    fn pair(&self, first: usize, second: usize) -> Option<usize> {
        let tables = self.toc.tables.len();
        first.checked_mul(tables)?.checked_add(second).filter(|_| second < tables)
    }

    /// Where it is, for messages.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// All of the file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The checksum of the table of contents, by which the manifest knows the file.
    pub(crate) fn record_checksum(&self) -> u64 {
        self.record_checksum
    }

    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    pub(crate) fn rows(&self, table: usize) -> u32 {
        self.toc.tables.get(table).map_or(0, |t| t.rows)
    }

    pub(super) fn table(&self, table: usize) -> Option<&TableToc> {
        self.toc.tables.get(table)
    }

    pub(crate) fn corrupt(&self, frame: Option<FrameRef>, what: &'static str) -> Error {
        Error::Corrupt { file: self.path.clone(), offset: frame.map_or(0, |f| f.offset), what }
    }

    /// The bytes of a frame, its checksum looked at the first time.
    pub(super) fn frame(&self, frame: FrameRef) -> Result<&[u8]> {
        let start = usize::try_from(frame.offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(frame.length).unwrap_or(usize::MAX));
        let Some(bytes) = self.bytes.get(start..end) else {
            return Err(self.corrupt(Some(frame), "a frame lies outside the file"));
        };
        let Some(checked) = self.checked.get(frame.index as usize) else {
            return Err(self.corrupt(Some(frame), "a frame has a number that is not in the file"));
        };
        // Several threads may check one frame at once; each comes to the same result.
        if !checked.load(Ordering::Acquire) {
            if checksum(bytes) != frame.checksum {
                return Err(self.corrupt(Some(frame), "a frame is damaged"));
            }
            checked.store(true, Ordering::Release);
        }
        Ok(bytes)
    }

    /// Every frame that the table of contents names.
    pub(super) fn frames(&self) -> impl Iterator<Item = FrameRef> {
        self.toc.tables.iter().flat_map(|table| {
            let columns = || table.columns.iter();
            let blocks = columns().flat_map(|column| &column.blocks);
            let blocks = blocks.chain(&table.counts).chain(&table.versions);
            let keys = table.keys.iter().flat_map(|keys| match keys {
                KeysToc::Sorted { hashes, rows } => [*hashes, *rows],
                KeysToc::Buckets { starts, rows, .. } => [*starts, *rows],
            });
            let own = blocks.flat_map(|b| [b.known_bits, b.frame, b.beside].into_iter().flatten());
            let postings = columns().flat_map(|column| &column.postings).map(|p| p.frame);
            own.chain(postings).chain(keys).chain(table.pairs)
        })
    }

    /// Looks at the checksum of a frame, whether that was done before or not.
    pub(super) fn check_frame(&self, frame: FrameRef) -> Result<()> {
        if checksum(self.frame(frame)?) == frame.checksum {
            return Ok(());
        }
        Err(self.corrupt(Some(frame), "a frame is damaged"))
    }

    /// The bytes of a frame that may be left out.
    pub(super) fn frame_or_nothing(&self, frame: Option<FrameRef>) -> Result<&[u8]> {
        frame.map_or(Ok(&[][..]), |frame| self.frame(frame))
    }

    /// Appends the integers `from..to` of a block.
    pub(super) fn integers(
        &self,
        block: &BlockToc,
        from: usize,
        to: usize,
        out: &mut Vec<i64>,
    ) -> Result<()> {
        let read = self.integer_block(block)?.decode(from, to, out);
        read.ok_or_else(|| self.corrupt(block.frame, "the values of a block do not read back"))
    }

    /// A block of integers with its frames.
    pub(super) fn integer_block<'a>(&'a self, toc: &'a BlockToc) -> Result<IntegerBlock<'a>> {
        let frame = self.frame_or_nothing(toc.frame)?;
        let beside = self.frame_or_nothing(toc.beside)?;
        let known_bits = toc.known_bits.filter(|_| toc.of_known());
        let known = self.frame_or_nothing(known_bits)?;
        let planes = toc.frame.filter(|_| toc.is_planes()).and_then(|frame| {
            Some(self.planes.get(frame.index as usize)?.get_or_init(|| Unfolded::new(KEPT)))
        });
        let kept = Kept { planes, known: known_bits.and_then(|frame| self.known_kept(frame)) };
        Ok(IntegerBlock { toc, frame, beside, known, kept })
    }

    /// What is kept of the bits of known rows.
    fn known_kept(&self, frame: FrameRef) -> Option<&Unfolded<u64>> {
        Some(self.known.get(frame.index as usize)?.get_or_init(|| Unfolded::new(1)))
    }

    /// Some words of the bits of the known rows of a block, from their frame.
    pub(super) fn known_part(
        &self,
        block: &BlockToc,
        frame: FrameRef,
        part: Range<usize>,
    ) -> Result<Cow<'_, [u64]>> {
        let found = block.known_kept(self.frame(frame)?, self.known_kept(frame), part);
        found.ok_or_else(|| self.corrupt(Some(frame), "the bits of known rows do not read back"))
    }

    /// Where the rows beneath each row of the parent's table begin.
    pub(super) fn offsets(&self, child: usize) -> Result<&[u32]> {
        let Some(cell) = self.offsets.get(child) else { return Ok(&[]) };
        if let Some(found) = cell.get() {
            return Ok(found);
        }
        let Some(table) = self.toc.tables.get(child) else { return Ok(&[]) };
        let mut counts = Vec::new();
        for block in &table.counts {
            self.integers(block, 0, block.rows as usize, &mut counts)?;
        }
        let mut offsets = Vec::with_capacity(counts.len() + 1);
        let mut at = 0u32;
        offsets.push(at);
        for count in counts {
            let next = u32::try_from(count).ok().and_then(|count| at.checked_add(count));
            at = next.filter(|next| *next <= table.rows).ok_or_else(|| {
                self.corrupt(None, "the rows beneath rows are more than their table has")
            })?;
            offsets.push(at);
        }
        let orphans = self.schema.tables.get(child).is_some_and(|t| t.parent.is_some());
        if orphans && at != table.rows {
            return Err(self.corrupt(None, "the rows beneath rows are fewer than their table has"));
        }
        Ok(cell.get_or_init(|| offsets.into()))
    }

    /// Which rows of a table are the last beneath theirs above.
    pub(super) fn ends(&self, child: usize) -> Result<Option<&Ends>> {
        self.made_of_offsets(self.ends.get(child), child, Ends::new)
    }

    /// The rows above every 64 rows of a table.
    pub(super) fn parents(&self, child: usize) -> Result<Option<&Parents>> {
        self.made_of_offsets(self.parents.get(child), child, Parents::new)
    }

    /// What is made of the offsets of a table once.
    fn made_of_offsets<'a, T>(
        &self,
        cell: Option<&'a OnceLock<T>>,
        child: usize,
        make: impl FnOnce(&[u32]) -> T,
    ) -> Result<Option<&'a T>> {
        let Some(cell) = cell else { return Ok(None) };
        if cell.get().is_none() {
            let made = make(self.offsets(child)?);
            return Ok(Some(cell.get_or_init(|| made)));
        }
        Ok(cell.get())
    }

    /// How many frames two files share, in the order of their checksums.
    #[cfg(test)]
    pub(super) fn frames_equal(&self, other: &Self) -> usize {
        let versions = |file: &Self| {
            let blocks = file.toc.tables.iter().flat_map(|table| &table.versions);
            blocks.flat_map(|b| [b.frame, b.beside]).flatten().collect::<Vec<_>>()
        };
        let sums = |file: &Self| {
            let own = versions(file);
            let frames = file.frames().filter(|frame| !own.contains(frame));
            frames.map(|frame| frame.checksum).collect::<Vec<_>>()
        };
        if sums(self) == sums(other) { sums(self).len() } else { 0 }
    }
}
