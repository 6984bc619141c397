//! The page of a list without an order: of the pieces in front of it only the rows are counted,
//! by bits of codes where those tell.
//!
//! Invariant: pieces are given in the order of places, so that how many rows stand in those before
//! one tells which of its own rows are shown.

use std::ops::Range;

use yiku::{RowSet, Snapshot};

use super::borders::merged;
use super::first::Shown;
use super::morsels::{Morsel, cut};
use super::scan::set_bytes;
use super::spread::over;
use crate::error::Result;
use crate::plan::{Plan, Within};

/// Of so few pieces the rows are kept from the count to the page. Tests have few pieces.
const KEPT: usize = if cfg!(test) { 1 } else { 8 };

/// So few pieces of a page are read by one thread.
const FEW: usize = 4;

/// How many rows of a piece match, how many of them stand behind the cursor, and those.
struct Counted {
    matched: u64,
    behind: u64,
    rows: Option<RowSet>,
}

/// A piece and those of its rows behind the cursor that are shown, by their number.
struct Showing {
    piece: usize,
    numbers: Range<u64>,
}

impl Plan {
    /// The rows of the page, how many match, and how many of these stand behind the cursor, which
    /// tells of every segment the first row behind it.
    pub(super) fn page_lying(
        &self,
        morsels: &[Morsel],
        first_behind: Option<&[u32]>,
        wanted: usize,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(Vec<Shown>, u64, u64)> {
        if first_behind.is_none()
            && let Some(found) = self.page_told(morsels, wanted, snapshot, within)?
        {
            return Ok(found);
        }
        let keeps = morsels.len() <= KEPT;
        let kept = if keeps { set_bytes(self.rows_at_most(morsels, snapshot, within)) } else { 0 };
        let _kept = within.run.hold(kept)?;
        let counted = over(within, morsels.len(), |piece| {
            let (matched, rows) = self.lying_in(morsels, first_behind, piece, snapshot, within)?;
            let behind = rows.as_ref().map_or(0, RowSet::count);
            Ok(Counted { matched, behind, rows: rows.filter(|_| keeps) })
        })?;
        let page = self.offset as u64..wanted as u64;
        let matched = counted.iter().map(|own| own.matched).sum();
        let (showing, behind) = showing(counted.iter().map(|own| own.behind), &page);
        let shown = behind.min(page.end).saturating_sub(page.start);
        let _held = within.run.hold(shown.saturating_mul(2 * size_of::<Shown>() as u64))?;
        let pages = over(within, showing.len(), |at| {
            let Some(Showing { piece, numbers }) = showing.get(at) else { return Ok(Vec::new()) };
            let segment = morsels.get(*piece).map_or(0, |morsel| morsel.segment);
            let segment = u32::try_from(segment).unwrap_or(u32::MAX);
            let of = |rows: &RowSet| numbered(rows, numbers).map(|row| (segment, row)).collect();
            if let Some(rows) = counted.get(*piece).and_then(|own| own.rows.as_ref()) {
                return Ok(of(rows));
            }
            let (_, rows) = self.lying_in(morsels, first_behind, *piece, snapshot, within)?;
            Ok(rows.as_ref().map_or_else(Vec::new, of))
        })?;
        Ok((pages.concat(), matched, behind))
    }

    /// As [`Plan::page_lying`] of a list from its begin; none where bits of codes do not tell how
    /// many rows match.
    fn page_told(
        &self,
        morsels: &[Morsel],
        wanted: usize,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Option<(Vec<Shown>, u64, u64)>> {
        let Some(counting) = self.counting(&[0], within) else { return Ok(None) };
        let within = counting.worth(morsels, within);
        let large = merged(morsels.to_vec());
        let Some(counts) = self.matched_in(&counting, &large, snapshot, within)? else {
            return Ok(None);
        };
        let page = self.offset as u64..wanted as u64;
        let (showing_large, matched) = showing(counts.iter().copied(), &page);
        let mut shown: Vec<(Morsel, Range<u64>)> = Vec::new();
        for Showing { piece, numbers } in showing_large {
            let Some(morsel) = large.get(piece) else { continue };
            let Some(segment) = within.segments(snapshot).get(morsel.segment) else { continue };
            let small = cut(segment, self.table, morsel.roots.clone())?;
            let small: Vec<Morsel> =
                small.into_iter().map(|roots| Morsel { roots, ..*morsel }).collect();
            let one = Within { threads: 1, ..within };
            let Some(counts) = self.matched_in(&counting, &small, snapshot, one)? else {
                return Ok(None);
            };
            for Showing { piece, numbers } in showing(counts.into_iter(), &numbers).0 {
                shown.extend(small.get(piece).map(|own| (own.clone(), numbers)));
            }
        }
        let size = matched.min(page.end).saturating_sub(page.start);
        let _held = within.run.hold(size.saturating_mul(2 * size_of::<Shown>() as u64))?;
        let threads = if shown.len() < FEW { 1 } else { within.threads };
        let pages = over(Within { threads, ..within }, shown.len(), |at| {
            let Some((morsel, numbers)) = shown.get(at) else { return Ok(Vec::new()) };
            let (_, rows) =
                self.lying_in(std::slice::from_ref(morsel), None, 0, snapshot, within)?;
            let segment = u32::try_from(morsel.segment).unwrap_or(u32::MAX);
            let of = |rows: RowSet| numbered(&rows, numbers).map(|row| (segment, row)).collect();
            Ok(rows.map_or_else(Vec::new, of))
        })?;
        Ok(Some((pages.concat(), matched, matched)))
    }

    /// How many rows of the question's table the segments of some pieces have.
    fn rows_at_most(&self, morsels: &[Morsel], snapshot: &Snapshot, within: Within<'_>) -> u32 {
        let segments = within.segments(snapshot);
        let mut own: Vec<usize> = morsels.iter().map(|morsel| morsel.segment).collect();
        own.dedup();
        let rows = own.iter().filter_map(|at| segments.get(*at)).map(|own| own.rows(self.table));
        rows.fold(0, u32::saturating_add)
    }

    /// How many rows of a piece match, and those of them that stand behind the cursor.
    fn lying_in(
        &self,
        morsels: &[Morsel],
        first_behind: Option<&[u32]>,
        piece: usize,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(u64, Option<RowSet>)> {
        let Some(morsel) = morsels.get(piece) else { return Ok((0, None)) };
        let Some(segment) = within.segments(snapshot).get(morsel.segment) else {
            return Ok((0, None));
        };
        within.begin(snapshot, morsel.segment);
        let scan = self.scan(segment, morsel, within)?;
        let rows = self.matching(&scan)?;
        let (matched, window) = (rows.count(), rows.window());
        let first = first_behind.and_then(|first| first.get(morsel.segment));
        let behind = first.map(|first| (*first).clamp(window.start, window.end)..window.end);
        let rows = match behind {
            Some(behind) => rows.within(behind).within(window),
            None => rows,
        };
        Ok((matched, Some(rows)))
    }
}

/// The pieces that hold rows of a page, given how many rows each has, and how many all have.
fn showing(counts: impl Iterator<Item = u64>, page: &Range<u64>) -> (Vec<Showing>, u64) {
    let (mut found, mut behind) = (Vec::new(), 0);
    for (piece, count) in counts.enumerate() {
        let before = behind;
        behind += count;
        let (from, to) = (page.start.max(before), page.end.min(behind));
        if from < to {
            found.push(Showing { piece, numbers: from - before..to - before });
        }
    }
    (found, behind)
}

/// The rows of a set that have some numbers, rising, among all of it.
fn numbered(rows: &RowSet, numbers: &Range<u64>) -> impl Iterator<Item = u32> {
    let mut before = 0;
    let full = |word: &&u64| {
        let behind = before + u64::from(word.count_ones());
        let is_before = behind <= numbers.start;
        if is_before {
            before = behind;
        }
        is_before
    };
    let words = rows.words().iter().take_while(full).count();
    let window = rows.window();
    let start = u64::from(window.start - window.start % 64) + words as u64 * 64;
    let start = u32::try_from(start).unwrap_or(u32::MAX).clamp(window.start, window.end);
    let skipped = usize::try_from(numbers.start - before).unwrap_or(usize::MAX);
    let taken = usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
    let rest = rows.within(start..window.end);
    let found: Vec<u32> = rest.iter().skip(skipped).take(taken).collect();
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_number() {
        let mut rows = RowSet::none_in(70..1_000);
        let all: Vec<u32> = (70..1_000).filter(|row| row % 7 == 3 || row % 190 < 70).collect();
        all.iter().for_each(|row| rows.insert(*row));
        let size = all.len() as u64;
        for start in (0..size).step_by(5).chain([size - 1]) {
            for end in [start, start + 1, start + 50, size].map(|end| end.min(size)) {
                let found: Vec<u32> = numbered(&rows, &(start..end)).collect();
                let own = (0..).zip(&all).filter(|(number, _)| (start..end).contains(number));
                let expected: Vec<u32> = own.map(|(_, row)| *row).collect();
                assert_eq!(found, expected, "{start}..{end}");
            }
        }
    }
}
