//! The pieces that a question is answered in: ranges of root rows with all that is beneath them.
//!
//! A piece is small enough that its sets stay in the fastest memory from one clause to the next,
//! and large enough that what a piece costs by itself does not count. It ends where a block of
//! its longest table ends, give or take a bundle, so that nearly every block is read once.
//!
//! Invariants: the pieces are apart, and together they hold every row that a place in front of
//! the question lets through; no answer depends on where they are cut.

use std::ops::Range;

use yiku::{Segment, Snapshot};

use super::scan::Scan;
use crate::bound::{Condition, Test};
use crate::error::Result;
use crate::plan::{Plan, Within};

/// Rows of the longest table of a piece, about: those of a block of the engine.
const PIECE_ROWS: u32 = yiku::limits::BLOCK_ROWS;

/// A piece of a segment.
#[derive(Debug, Clone)]
pub(crate) struct Morsel {
    /// The place of the segment in its snapshot.
    pub(crate) segment: usize,
    roots: Range<u32>,
}

impl Plan {
    /// The pieces of a snapshot that may hold rows that the question asks about.
    pub(super) fn morsels(&self, snapshot: &Snapshot, within: Within<'_>) -> Result<Vec<Morsel>> {
        let mut morsels = Vec::new();
        for (segment, own) in within.segments(snapshot).iter().enumerate() {
            let roots = 0..own.rows(0);
            // Whoever looks on wants to know what becomes of every segment as a whole.
            if within.probe.is_some() || !within.limits.indexes {
                morsels.push(Morsel { segment, roots });
                continue;
            }
            let roots = self.roots(own, roots)?;
            for roots in cut(own, self.table, roots)? {
                morsels.push(Morsel { segment, roots });
            }
        }
        Ok(morsels)
    }

    /// The root rows of a range that a place in front of the question lets through, and those
    /// between them.
    fn roots(&self, segment: &Segment, mut roots: Range<u32>) -> Result<Range<u32>> {
        let scope = self.scope.iter().map(crate::scope::Scope::condition);
        for condition in scope.chain(self.filter.iter().map(|(_, condition)| condition)) {
            for ranges in places(condition) {
                let (Some((low, _)), Some((_, high))) = (ranges.first(), ranges.last()) else {
                    return Ok(0..0);
                };
                let own = segment.path_rows(*low, *high)?;
                roots = roots.start.max(own.start)..roots.end.min(own.end);
                if roots.is_empty() {
                    return Ok(0..0);
                }
            }
        }
        Ok(roots)
    }

    /// A piece as it is read.
    pub(super) fn scan<'a>(
        &'a self,
        segment: &'a Segment,
        morsel: &Morsel,
        within: Within<'a>,
    ) -> Result<Scan<'a>> {
        let mut windows = Vec::with_capacity(self.schema.tables.len());
        for (table, declared) in self.schema.tables.iter().enumerate() {
            windows.push(match declared.parent {
                None => morsel.roots.clone(),
                Some(_) => beneath(segment, table, &morsel.roots)?,
            });
        }
        Ok(Scan::of(segment, &self.schema, within, windows))
    }
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

/// The rows of a table beneath a range of root rows.
fn beneath(segment: &Segment, table: usize, roots: &Range<u32>) -> Result<Range<u32>> {
    let offsets = segment.offsets_between(0, table)?;
    let at = |root: u32| offsets.get(root as usize).copied().unwrap_or(0);
    Ok(at(roots.start)..at(roots.end).max(at(roots.start)))
}

/// Root rows cut into pieces.
fn cut(segment: &Segment, table: usize, roots: Range<u32>) -> Result<Vec<Range<u32>>> {
    let offsets = if table == 0 { &[] } else { segment.offsets_between(0, table)? };
    let is_longer = segment.rows(table) > segment.rows(0);
    let offsets = Some(offsets).filter(|offsets| is_longer && !offsets.is_empty());
    let row = |root: u32| {
        let beneath = offsets.map(|o| o.get(root as usize).copied().unwrap_or(u32::MAX));
        beneath.unwrap_or(root)
    };
    let mut pieces = Vec::new();
    let mut start = roots.start;
    while start < roots.end {
        let behind = (row(start) / PIECE_ROWS + 1).saturating_mul(PIECE_ROWS);
        let end = match offsets {
            None => behind,
            Some(offsets) => {
                let end = offsets.partition_point(|own| *own < behind);
                u32::try_from(end).unwrap_or(u32::MAX)
            }
        };
        let end = end.max(start + 1).min(roots.end);
        pieces.push(start..end);
        start = end;
    }
    Ok(pieces)
}
