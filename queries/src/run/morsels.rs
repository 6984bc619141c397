//! The pieces that a question is answered in: ranges of root rows with all that is beneath them.
//!
//! A piece is small enough that its sets stay in the fastest memory from one clause to the next,
//! and large enough that what a piece costs by itself does not count. It ends where a block of
//! its longest table ends, give or take a bundle, so that nearly every block is read once.
//!
//! Invariants: the pieces are apart, and together they hold every row that a place in front of
//! the question lets through; no answer depends on where they are cut.

use std::ops::Range;

use yiku::segment::Wanted;
use yiku::{Predicate, Schema, Segment, Snapshot};

use super::scan::Scan;
use crate::bound::{Condition, Test};
use crate::error::Result;
use crate::plan::{Plan, Within};

/// Bundles of up to this many keys are pieces of their own.
const KEYS: usize = 64;

/// A piece of a segment.
#[derive(Debug, Clone)]
pub(crate) struct Morsel {
    /// The place of the segment in its snapshot.
    pub(crate) segment: usize,
    pub(super) roots: Range<u32>,
}

impl Plan {
    /// The pieces of a snapshot that may hold rows that the question asks about.
    pub(super) fn morsels(&self, snapshot: &Snapshot, within: Within<'_>) -> Result<Vec<Morsel>> {
        self.morsels_of(self.filter.iter().map(|(_, condition)| condition), snapshot, within)
    }

    /// The pieces of a snapshot that may hold rows for which some conditions are true.
    pub(super) fn morsels_of<'c>(
        &'c self,
        conditions: impl Iterator<Item = &'c Condition>,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Vec<Morsel>> {
        let mut morsels = Vec::new();
        let scope = self.scope.iter().map(crate::scope::Scope::condition);
        let conditions: Vec<&Condition> = scope.chain(conditions).collect();
        let sought = conditions.iter().find_map(|condition| keyed(condition, &self.schema));
        let sought = sought.map(|(table, keys)| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            (table, keys.len(), Wanted::new(&keys))
        });
        let ranges: Vec<_> = conditions.iter().flat_map(|condition| places(condition)).collect();
        for (segment, own) in within.segments(snapshot).iter().enumerate() {
            // Whoever looks on wants to know what becomes of every segment as a whole.
            if within.probe.is_some() || !within.limits.indexes {
                morsels.push(Morsel { segment, roots: 0..own.rows(0) });
                continue;
            }
            let roots = placed(own, &ranges)?;
            if roots.is_empty() {
                continue;
            }
            if let Some((table, count, keys)) = &sought {
                let found = own.roots_of_keys(*table, keys)?;
                let pieces = bundles(&found, &roots, *count <= KEYS);
                morsels.extend(pieces.into_iter().map(|roots| Morsel { segment, roots }));
                continue;
            }
            for roots in cut(own, self.table, roots)? {
                morsels.push(Morsel { segment, roots });
            }
        }
        Ok(morsels)
    }

    /// A piece as it is read.
    pub(super) fn scan<'a>(
        &'a self,
        segment: &'a Segment,
        morsel: &Morsel,
        within: Within<'a>,
    ) -> Result<Scan<'a>> {
        let windows = windows(&self.schema, segment, self.table, &morsel.roots)?;
        Ok(Scan::of(segment, &self.schema, within, windows))
    }
}

/// The rows of every table beneath root rows.
pub(super) fn windows(
    schema: &Schema,
    segment: &Segment,
    table: usize,
    roots: &Range<u32>,
) -> Result<Vec<Range<u32>>> {
    let cut = longest(segment, table);
    let mut windows = Vec::with_capacity(schema.tables.len());
    for table in 0..schema.tables.len() {
        windows.push(segment.rows_beneath(cut, table, roots)?);
    }
    Ok(windows)
}

/// The root rows of a segment that places in front of a question let through, and those between
/// them.
fn placed(segment: &Segment, all: &[&[(u64, u64)]]) -> Result<Range<u32>> {
    let mut hulls = Vec::with_capacity(all.len());
    for ranges in all {
        let (Some((low, _)), Some((_, high))) = (ranges.first(), ranges.last()) else {
            return Ok(0..0);
        };
        if !segment.meets(*low, *high) {
            return Ok(0..0);
        }
        hulls.push((*low, *high));
    }
    let mut roots = 0..segment.rows(0);
    for (low, high) in hulls {
        let own = segment.path_rows(low, high)?;
        roots = roots.start.max(own.start)..roots.end.min(own.end);
        if roots.is_empty() {
            return Ok(0..0);
        }
    }
    Ok(roots)
}

/// The ranges of places that every row must lie in for which a condition is true.
fn places(condition: &Condition) -> Vec<&[(u64, u64)]> {
    match &condition.kind {
        Test::Within { ranges } => vec![ranges],
        Test::Spread(inner) => places(inner),
        Test::And(parts) => parts.iter().flat_map(places).collect(),
        _ => Vec::new(),
    }
}

/// A table and the keys of its rows, one of which every row must have, be above or be beneath for
/// which a condition is true.
fn keyed<'p>(condition: &'p Condition, schema: &Schema) -> Option<(usize, &'p [String])> {
    match &condition.kind {
        Test::Column { column, predicate: Predicate::TextIn(keys) } => {
            let is_key = schema.tables.get(condition.table)?.key == *column;
            is_key.then_some((condition.table, keys))
        }
        Test::Spread(inner) | Test::Truth(inner) => keyed(inner, schema),
        Test::Any { condition, .. } => keyed(condition, schema),
        Test::And(parts) => parts.iter().find_map(|part| keyed(part, schema)),
        _ => None,
    }
}

/// Pieces that hold these root rows, rising, of a range: each by itself, or one that holds all.
fn bundles(found: &[u32], roots: &Range<u32>, apart: bool) -> Vec<Range<u32>> {
    let own = || found.iter().copied().filter(|root| roots.contains(root));
    if apart {
        return own().map(|root| root..root + 1).collect();
    }
    let (Some(first), Some(last)) = (own().next(), own().next_back()) else { return Vec::new() };
    std::iter::once(first..last + 1).collect()
}

/// The longer table of two: the root's or another.
fn longest(segment: &Segment, table: usize) -> usize {
    if segment.rows(table) > segment.rows(0) { table } else { 0 }
}

/// The rows of a table beneath a range of root rows.
pub(super) fn beneath(segment: &Segment, table: usize, roots: &Range<u32>) -> Result<Range<u32>> {
    let offsets = segment.offsets_between(0, table)?;
    let at = |root: u32| offsets.get(root as usize).copied().unwrap_or(0);
    Ok(at(roots.start)..at(roots.end).max(at(roots.start)))
}

/// Root rows cut into pieces where the blocks of a segment's longest table of two end: the root's
/// or that one.
pub(super) fn cut(segment: &Segment, table: usize, roots: Range<u32>) -> Result<Vec<Range<u32>>> {
    let ends = segment.block_ends(longest(segment, table))?;
    let first = ends.partition_point(|end| *end <= roots.start);
    let mut pieces = Vec::new();
    let mut start = roots.start;
    for end in ends.get(first..).unwrap_or_default() {
        let end = (*end).min(roots.end);
        if start >= end {
            break;
        }
        pieces.push(start..end);
        start = end;
    }
    Ok(pieces)
}
