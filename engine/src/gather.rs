//! Bundles of several segments as one: rows in the order of path and key again.
//!
//! Invariant: no answer changes, and no version of a bundle.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::limits::{BLOCK_ROWS, SEGMENT_ROWS_MAX};
use crate::segment::{RootWalk, Segment, SegmentFile, merge};
use crate::storage::Bytes;
use crate::version::{Kept, Version};

/// A tier has so many segments before they become one, which is of the next tier.
const TIER: usize = 8;

/// So many segments of the log are made into fewer.
const YOUNG_MAX: usize = 16;
/// One that has so many rows in a table stays as it is until a checkpoint: whoever makes or reads
/// a commit waits while segments are made into one.
const YOUNG_ROWS: u32 = BLOCK_ROWS / 16;

/// So many small segments of files are written as one with the next of the log.
const FILES_MAX: usize = 24;
/// A segment with fewer rows in each of its tables is small.
const SMALL_ROWS: u32 = BLOCK_ROWS / 8;

/// A root row: the place of its segment among several, and the row.
pub(crate) type Pick = (u32, u32);

/// The live root rows of segments whose path lies in a range, by path, then key.
pub(crate) fn picks(segments: &[Segment], low: u64, high: u64) -> Result<Vec<Pick>> {
    let mut keys = String::new();
    let mut found: Vec<(i64, Range<usize>, Pick)> = Vec::new();
    for (place, segment) in (0u32..).zip(segments) {
        let mut walk = RootWalk::new(segment, low, high)?;
        while let Some((path, key, row)) = walk.at() {
            let start = keys.len();
            keys.push_str(key);
            found.push((path, start..keys.len(), (place, row)));
            walk.step()?;
        }
    }
    let key = |range: &Range<usize>| keys.get(range.clone()).unwrap_or_default();
    // Each segment is in order already: a stable sort finds the runs.
    found.sort_by(|(path, a, _), (other, b, _)| path.cmp(other).then_with(|| key(a).cmp(key(b))));
    Ok(found.into_iter().map(|(_, _, pick)| pick).collect())
}

/// How many rows the bundle of a root row has in each table.
pub(crate) fn bundle_size(segment: &Segment, row: u32) -> Result<Vec<u32>> {
    let schema = segment.file.schema();
    let mut ranges: Vec<Range<u32>> = Vec::with_capacity(schema.tables.len());
    for (place, table) in schema.tables.iter().enumerate() {
        ranges.push(match table.parent.and_then(|parent| ranges.get(parent)) {
            None => row..row.saturating_add(1),
            Some(above) => {
                let offsets = segment.offsets(place)?;
                let at = |row: u32| offsets.get(row as usize).copied().unwrap_or(0);
                at(above.start)..at(above.end)
            }
        });
    }
    Ok(ranges.iter().map(|range| range.end.saturating_sub(range.start)).collect())
}

/// The ranges of picked rows that fit one segment each, as equal as bundles allow.
pub(crate) fn slices(segments: &[Segment], picks: &[Pick]) -> Result<Vec<Range<usize>>> {
    let Some(first) = segments.first() else { return Ok(Vec::new()) };
    let tables = first.file.schema().tables.len();
    let mut sizes = Vec::with_capacity(picks.len());
    for (source, row) in picks {
        if let Some(segment) = segments.get(*source as usize) {
            sizes.push(bundle_size(segment, *row)?);
        }
    }
    let sum = |table: usize| -> u64 {
        sizes.iter().filter_map(|size| size.get(table)).map(|rows| u64::from(*rows)).sum()
    };
    let largest: u64 = (0..tables).map(sum).max().unwrap_or(0);
    let limit = u64::from(SEGMENT_ROWS_MAX);
    let count = largest.div_ceil(limit).max(1);
    let share = largest.div_ceil(count).max(1);
    let mut found = Vec::new();
    let mut held = vec![0u64; tables];
    let mut start = 0;
    for (at, size) in sizes.iter().enumerate() {
        let over = held.iter().zip(size).any(|(held, own)| held + u64::from(*own) > limit);
        // The last one takes what is left: bundles without a row of the largest table too.
        let full = found.len() as u64 + 1 < count && held.iter().any(|rows| *rows >= share);
        if full || over {
            found.push(start..at);
            start = at;
            held.fill(0);
        }
        held.iter_mut().zip(size).for_each(|(held, own)| *held += u64::from(*own));
    }
    if start < picks.len() {
        found.push(start..picks.len());
    }
    Ok(found)
}

/// The bytes of one segment of the live bundles of the segments at these places, which fit one.
pub(crate) fn merged(version: &Version, places: &[usize]) -> Result<Vec<u8>> {
    let segments: Vec<Segment> =
        places.iter().filter_map(|place| version.segments.get(*place).cloned()).collect();
    let picks = picks(&segments, 0, u64::MAX)?;
    merge(&version.schema, &segments, &picks)
}

/// Leaves out the segments at these places, whose bundles are in another.
pub(crate) fn leave_out(version: &mut Version, places: &[usize]) {
    let mut at = 0;
    let mut stays = || {
        at += 1;
        !places.contains(&(at - 1))
    };
    version.segments.retain(|_| stays());
    let mut at = 0;
    version.kept.retain(|_| {
        at += 1;
        !places.contains(&(at - 1))
    });
}

/// Makes segments of the log into fewer, tier by tier, in memory, when there are many. `number` is
/// what the segment that comes of it is known by.
pub(crate) fn young(version: &mut Version, number: u64, place: &Path) -> Result<()> {
    let size = |place: &usize| version.kept.get(*place).and_then(|kept| kept.rows.first());
    let small = |kept: &Kept| !kept.file && kept.rows.iter().all(|rows| *rows < YOUNG_ROWS);
    let mut places: Vec<usize> =
        (0..version.kept.len()).filter(|at| version.kept.get(*at).is_some_and(small)).collect();
    if places.len() < YOUNG_MAX {
        return Ok(());
    }
    places.sort_by_key(|place| size(place).copied().unwrap_or(0));
    // The smallest, and all of their own size: what is much larger waits for its peers.
    let mut rows = 0u32;
    let count = places.iter().take_while(|place| {
        let own = size(place).copied().unwrap_or(0);
        let joins = rows == 0 || own <= rows.saturating_mul(2);
        rows = rows.saturating_add(own);
        joins
    });
    let count = count.count().max(TIER);
    places.truncate(count);
    places.sort_unstable();
    if fits(version, &places) {
        let bytes = merged(version, &places)?;
        leave_out(version, &places);
        let path = place.join(SegmentFile::name(number));
        let file = SegmentFile::from_bytes(path, Bytes::Owned(bytes), &version.schema)?;
        let segment = Segment::whole(Arc::new(file), version.number());
        version.add(number, false, segment)?;
    }
    Ok(())
}

/// Whether the live bundles of segments fit one.
fn fits(version: &Version, places: &[usize]) -> bool {
    let kept = || places.iter().filter_map(|place| version.kept.get(*place));
    (0..version.schema.tables.len()).all(|table| {
        let rows = kept().filter_map(|kept| kept.rows.get(table)).map(|rows| u64::from(*rows));
        rows.sum::<u64>() <= u64::from(SEGMENT_ROWS_MAX)
    })
}

/// Puts small segments of files among those of the log, where there are many: they are then
/// written as one. So segments stay few also where nobody compacts.
pub(crate) fn join_small(version: &mut Version) {
    let rows = |kept: &Kept| kept.rows.iter().copied().max().unwrap_or(0);
    let files = version.kept.iter().enumerate().filter(|(_, kept)| kept.file);
    let mut small: Vec<(u32, usize)> = files.map(|(place, kept)| (rows(kept), place)).collect();
    small.retain(|(rows, _)| *rows < SMALL_ROWS);
    if small.len() < FILES_MAX {
        return;
    }
    small.sort_unstable();
    let mut sum = 0u32;
    for (rows, place) in small {
        sum = sum.saturating_add(rows);
        if let Some(kept) = version.kept.get_mut(place).filter(|_| sum <= BLOCK_ROWS) {
            kept.file = false;
        }
    }
}

/// The segments of the log as the bytes of files, as few as they fit, each with the version of its
/// rows that do not say theirs. The version then has none of them.
pub(crate) fn take_young(version: &mut Version) -> Result<Vec<(Vec<u8>, u64)>> {
    let places: Vec<usize> = (0..version.kept.len())
        .filter(|place| version.kept.get(*place).is_some_and(|kept| !kept.file))
        .collect();
    let segments: Vec<Segment> =
        places.iter().filter_map(|place| version.segments.get(*place).cloned()).collect();
    leave_out(version, &places);
    if let [only] = &*segments
        && only.live.is_none()
    {
        // One that nothing was taken from is written as it is.
        return Ok(vec![(only.file.bytes().to_vec(), only.version)]);
    }
    let picks = picks(&segments, 0, u64::MAX)?;
    let slices = slices(&segments, &picks)?.into_iter();
    let files = slices.map(|slice| {
        let bytes = merge(&version.schema, &segments, picks.get(slice).unwrap_or_default())?;
        Ok((bytes, version.number()))
    });
    files.collect()
}
