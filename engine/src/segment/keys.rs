//! The index of the keys of a table: where a key may stand.
//!
//! Keys are spread over buckets by the upper half of their hash, about eight to one; for each
//! there is a row and nine lower bits of the hash. A key that is absent meets a wrong row about
//! once in sixty look-ups; the text decides.
#![expect(clippy::cast_possible_truncation, reason = "places of buckets and rows fit u32")]

use super::Column;
use super::file::SegmentFile;
use super::toc::KeysToc;
use crate::block::FrameSink;
use crate::block::gathered::TextList;
use crate::block::packed::{self, bits_for, pack, packed_fits};
use crate::error::Result;
use crate::format::{PACK_PADDING, checksum};

/// What is wrong with an index that leads astray.
const STRAY: &str = "the index of keys names rows that there are not";
/// Keys of a bucket, about.
const BUCKET_KEYS: usize = 8;
/// Bits of the hash that stand beside a row; in format 2 one more.
const HASH_BITS: u8 = 9;
/// Buckets from one whose beginning is written to the next.
const GROUP: usize = 16;

/// Keys that are looked for, with their hashes, in the order of these.
#[derive(Debug)]
pub struct Wanted<'a>(Vec<(u64, usize, &'a str)>);

impl<'a> Wanted<'a> {
    /// The keys of a list.
    #[must_use]
    pub fn new(keys: &[&'a str]) -> Self {
        let hashed = keys.iter().enumerate().map(|(place, key)| (hash(key), place, *key));
        let mut hashed: Vec<_> = hashed.collect();
        hashed.sort_unstable();
        Self(hashed)
    }
}

fn hash(key: &str) -> u64 {
    checksum(key.as_bytes())
}

fn buckets(keys: usize) -> u64 {
    keys.div_ceil(BUCKET_KEYS).max(1) as u64
}

/// The bucket of a hash: the greater the hash, the later.
fn bucket(hash: u64, buckets: u64) -> usize {
    (((hash >> 32) * buckets) >> 32) as usize
}

/// How an index of so many keys is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    keys: u32,
    rows: u32,
    buckets: u64,
    /// Bits of a row.
    row_bits: u8,
    hash_bits: u8,
    /// Bits of a beginning.
    start_bits: u8,
    /// Bits of the number of keys of a bucket; none where each says where it begins.
    count_bits: Option<u8>,
}

impl Layout {
    /// The layout of so many keys of a table of so many rows.
    pub(super) fn new(keys: u32, rows: u32, count_bits: Option<u8>) -> Self {
        Self {
            keys,
            rows,
            buckets: buckets(keys as usize),
            row_bits: bits_for(u64::from(rows).saturating_sub(1)),
            hash_bits: HASH_BITS + u8::from(count_bits.is_none()),
            start_bits: bits_for(keys.into()),
            count_bits,
        }
    }

    /// The part of a hash that stands beside a row.
    fn beside(self, hash: u64) -> u64 {
        hash & ((1 << self.hash_bits) - 1)
    }

    /// How many beginnings are written.
    fn starts(self) -> u32 {
        match self.count_bits {
            None => self.buckets as u32 + 1,
            Some(_) => self.buckets.div_ceil(GROUP as u64) as u32,
        }
    }

    /// Bytes of the beginnings, behind which the numbers of keys stand.
    fn start_bytes(self) -> usize {
        (self.starts() as usize * usize::from(self.start_bits)).div_ceil(8) + PACK_PADDING
    }

    /// Whether frames of these lengths hold the index.
    pub(super) fn fits(self, starts: u64, entries: u64) -> bool {
        let own = starts.min(self.start_bytes() as u64);
        let counted =
            self.count_bits.is_none_or(|bits| packed_fits(starts - own, self.buckets as u32, bits));
        self.keys <= self.rows
            && counted
            && packed_fits(own, self.starts(), self.start_bits)
            && packed_fits(entries, self.keys, self.row_bits + self.hash_bits)
    }

    /// The entries of a bucket: the first, and the one behind the last.
    fn entries(self, starts: &[u8], at: usize) -> (u64, u64) {
        let one = |frame, bits, at| if bits == 0 { 0 } else { packed::one(frame, bits, at) };
        let Some(count_bits) = self.count_bits else {
            let start = |at| one(starts, self.start_bits, at);
            return (start(at), start(at + 1));
        };
        let (starts, counts) = starts.split_at_checked(self.start_bytes()).unwrap_or_default();
        let count = |at| one(counts, count_bits, at);
        let first = at - at % GROUP;
        let start = one(starts, self.start_bits, at / GROUP);
        let from = (first..at).map(count).fold(start, u64::saturating_add);
        (from, from.saturating_add(count(at)))
    }
}

/// An index under construction.
#[derive(Debug, Default)]
pub(super) struct KeyDraft {
    /// Hash and row of each key, by row.
    keys: Vec<(u64, u32)>,
}

impl KeyDraft {
    /// Adds the keys of rows from `first` on; one that is not known is not in the index.
    pub(super) fn extend(&mut self, keys: &TextList, first: u32) {
        let known = keys.iter().zip(first..).filter_map(|(key, row)| Some((key?, row)));
        self.keys.extend(known.map(|(key, row)| (hash(key), row)));
    }

    /// Writes the index of a table of so many rows.
    pub(super) fn write(&self, sink: &mut FrameSink, rows: u32) -> KeysToc {
        let keys = self.keys.len() as u32;
        let count = buckets(self.keys.len());
        let mut counts = vec![0u64; count as usize];
        for (hash, _) in &self.keys {
            if let Some(count) = counts.get_mut(bucket(*hash, count)) {
                *count += 1;
            }
        }
        let count_bits = bits_for(counts.iter().copied().max().unwrap_or(0)).max(1);
        let layout = Layout::new(keys, rows, Some(count_bits));
        let mut next: Vec<u64> = Vec::with_capacity(counts.len());
        let mut sum = 0;
        for count in &counts {
            next.push(sum);
            sum += count;
        }
        let starts = next.iter().copied().step_by(GROUP);
        let mut starts = pack(starts, layout.starts() as usize, layout.start_bits);
        starts.extend(pack(counts.into_iter(), count as usize, count_bits));
        let mut entries = vec![0u64; self.keys.len()];
        for (hash, row) in &self.keys {
            if let Some(place) = next.get_mut(bucket(*hash, count)) {
                if let Some(entry) = entries.get_mut(*place as usize) {
                    *entry = layout.beside(*hash) << layout.row_bits | u64::from(*row);
                }
                *place += 1;
            }
        }
        let entry_bits = layout.row_bits + layout.hash_bits;
        let entries = pack(entries.into_iter(), self.keys.len(), entry_bits);
        let (starts, rows) = (sink.put(&starts), sink.put(&entries));
        KeysToc::Buckets { keys, count_bits: Some(count_bits), starts, rows }
    }
}

/// The upper half of the checksum of a key, as format 1 sorted them.
fn first_hash(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The index of the keys of a table, where it was written.
pub(super) struct KeyIndex<'a> {
    file: &'a SegmentFile,
    toc: &'a KeysToc,
    frames: (&'a [u8], &'a [u8]),
    rows: u32,
}

impl<'a> KeyIndex<'a> {
    pub(super) fn new(file: &'a SegmentFile, toc: &'a KeysToc, rows: u32) -> Result<Self> {
        let frames = match toc {
            KeysToc::Sorted { hashes, rows } => (file.frame(*hashes)?, file.frame(*rows)?),
            KeysToc::Buckets { starts, rows, .. } => (file.frame(*starts)?, file.frame(*rows)?),
        };
        Ok(Self { file, toc, frames, rows })
    }

    pub(super) fn corrupt(&self, what: &'static str) -> crate::Error {
        let (KeysToc::Sorted { rows, .. } | KeysToc::Buckets { rows, .. }) = self.toc;
        self.file.corrupt(Some(*rows), what)
    }

    /// Calls `visit` with each row whose key may have this hash.
    pub(super) fn candidates(&self, hash: u64, visit: &mut impl FnMut(u32)) -> Result<()> {
        let KeysToc::Buckets { keys, count_bits, .. } = self.toc else {
            return self.first(first_hash(hash), visit);
        };
        let layout = Layout::new(*keys, self.rows, *count_bits);
        let (starts, entries) = self.frames;
        let (from, to) = layout.entries(starts, bucket(hash, layout.buckets));
        if from > to || to > u64::from(*keys) {
            return Err(self.corrupt(STRAY));
        }
        let (bits, wanted) = (layout.row_bits, layout.beside(hash));
        for place in from..to {
            let entry = packed::one(entries, bits + layout.hash_bits, place as usize);
            if entry >> bits == wanted {
                let row = (entry & ((1 << bits) - 1)) as u32;
                if row >= self.rows {
                    return Err(self.corrupt(STRAY));
                }
                visit(row);
            }
        }
        Ok(())
    }

    /// As [`KeyIndex::candidates`], in the sorted hashes of format 1.
    fn first(&self, hash: u32, visit: &mut impl FnMut(u32)) -> Result<()> {
        let (hashes, rows) = self.frames;
        let number = |bytes: &[u8], at: usize| {
            let raw = bytes.get(at * 4..at * 4 + 4).and_then(|b| b.try_into().ok());
            raw.map_or(0, u32::from_le_bytes)
        };
        let size = self.rows as usize;
        let (mut low, mut high) = (0usize, size);
        while low < high {
            let middle = usize::midpoint(low, high);
            if number(hashes, middle) < hash { low = middle + 1 } else { high = middle }
        }
        while low < size && number(hashes, low) == hash {
            if number(rows, low) >= self.rows {
                return Err(self.corrupt(STRAY));
            }
            visit(number(rows, low));
            low += 1;
        }
        Ok(())
    }

    /// How many entries there are.
    pub(super) fn entries(&self) -> u32 {
        match self.toc {
            KeysToc::Sorted { .. } => self.rows,
            KeysToc::Buckets { keys, .. } => *keys,
        }
    }
}

impl Column<'_> {
    /// The rows that have keys: the place of a key in its list and its row, by row. Only the
    /// texts that the index of keys points at are read.
    pub(super) fn rows_of_keys(&self, wanted: &Wanted<'_>) -> Result<Vec<(usize, u32)>> {
        let Some(index) = self.key_index()? else { return Ok(Vec::new()) };
        let mut candidates: Vec<(u32, usize, &str)> = Vec::new();
        for (hash, place, key) in &wanted.0 {
            index.candidates(*hash, &mut |row| candidates.push((row, *place, key)))?;
        }
        candidates.sort_unstable();
        self.confirm(&candidates)
    }

    /// As [`Column::rows_of_keys`], where there is no index of keys.
    pub(super) fn search(&self, wanted: &Wanted<'_>) -> Result<Vec<(usize, u32)>> {
        let mut keys: Vec<(&str, usize)> =
            wanted.0.iter().map(|(_, at, key)| (*key, *at)).collect();
        keys.sort_unstable();
        let mut found = Vec::new();
        self.texts(0..u32::MAX, &mut |row, text| {
            let Some(text) = text else { return };
            let start = keys.partition_point(|(key, _)| *key < text);
            let same = keys.iter().skip(start).take_while(|(key, _)| *key == text);
            found.extend(same.map(|(_, place)| (*place, row)));
        })?;
        Ok(found)
    }
}

/// The hash by which a key is looked for.
pub(super) fn hash_of(key: &str) -> u64 {
    hash(key)
}
