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

/// Rows of the longest table of a piece, about: those of a block of the engine.
const PIECE_ROWS: u32 = yiku::limits::BLOCK_ROWS;

/// Bundles of up to this many keys are pieces of their own.
const KEYS: usize = 64;

/// How far the end of a piece is first looked for beside where it is supposed to be.
const STEP: usize = 64;

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
        for (segment, own) in within.segments(snapshot).iter().enumerate() {
            let roots = 0..own.rows(0);
            // Whoever looks on wants to know what becomes of every segment as a whole.
            if within.probe.is_some() || !within.limits.indexes {
                morsels.push(Morsel { segment, roots });
                continue;
            }
            let roots = placed(own, &conditions, roots)?;
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
        let windows = windows(&self.schema, segment, &morsel.roots)?;
        Ok(Scan::of(segment, &self.schema, within, windows))
    }
}

/// The rows of every table beneath root rows.
pub(super) fn windows(
    schema: &Schema,
    segment: &Segment,
    roots: &Range<u32>,
) -> Result<Vec<Range<u32>>> {
    let mut windows = Vec::with_capacity(schema.tables.len());
    for (table, declared) in schema.tables.iter().enumerate() {
        windows.push(match declared.parent {
            None => roots.clone(),
            Some(_) => beneath(segment, table, roots)?,
        });
    }
    Ok(windows)
}

/// The root rows of a range that a place in front of a question lets through, and those between
/// them.
fn placed(
    segment: &Segment,
    conditions: &[&Condition],
    mut roots: Range<u32>,
) -> Result<Range<u32>> {
    for ranges in conditions.iter().flat_map(|condition| places(condition)) {
        let (Some((low, _)), Some((_, high))) = (ranges.first(), ranges.last()) else {
            return Ok(0..0);
        };
        let own = segment.path_rows(*low, *high)?;
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

/// The rows of a table beneath a range of root rows.
fn beneath(segment: &Segment, table: usize, roots: &Range<u32>) -> Result<Range<u32>> {
    let offsets = segment.offsets_between(0, table)?;
    let at = |root: u32| offsets.get(root as usize).copied().unwrap_or(0);
    Ok(at(roots.start)..at(roots.end).max(at(roots.start)))
}

/// The place of the first of rising numbers that is not below another, looked for about a place.
fn first_from(numbers: &[u32], guess: usize, least: u32) -> usize {
    let is_below = |at: usize| numbers.get(at).is_some_and(|own| *own < least);
    let guess = guess.min(numbers.len());
    let (mut low, mut high, mut step) = (guess, guess, STEP);
    while low > 0 && !is_below(low - 1) {
        (low, high, step) = (low.saturating_sub(step), low, step * 2);
    }
    while is_below(high) {
        (low, high, step) = (high, high.saturating_add(step), step * 2);
    }
    low + numbers
        .get(low..high.min(numbers.len()))
        .unwrap_or_default()
        .partition_point(|own| *own < least)
}

/// Root rows cut into pieces, by the rows of a table beneath them.
pub(super) fn cut(segment: &Segment, table: usize, roots: Range<u32>) -> Result<Vec<Range<u32>>> {
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
                // Bundles are much the same size, so that the end lies near where it would be if
                // they were the same: far less memory is looked at than by halving.
                let above = |end: u32| u64::from(end.saturating_sub(row(start)));
                let (rows, own) = (above(row(roots.end)), above(behind));
                let ahead = u64::from(roots.end - start) * own / rows.max(1);
                let guess = (start as usize).saturating_add(usize::try_from(ahead).unwrap_or(0));
                let end = first_from(offsets, guess, behind);
                u32::try_from(end).unwrap_or(u32::MAX)
            }
        };
        let end = end.max(start + 1).min(roots.end);
        pieces.push(start..end);
        start = end;
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_from_any_guess() {
        let numbers: Vec<u32> = (0..3_000u32).map(|n| n / 7 * 5 + n % 2).collect();
        let mut sorted = numbers;
        sorted.sort_unstable();
        for least in (0..2_200).step_by(13).chain([0, 1, u32::MAX]) {
            let expected = sorted.partition_point(|own| *own < least);
            for guess in [0, 1, 63, 64, 500, 1_499, 2_999, 3_000, 9_000, usize::MAX] {
                assert_eq!(first_from(&sorted, guess, least), expected, "{least} from {guess}");
            }
        }
        assert_eq!(first_from(&[], 5, 3), 0);
    }
}
