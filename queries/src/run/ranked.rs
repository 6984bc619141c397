//! The page of a list that one column of numbers orders: of the rows in front of the page nothing is
//! kept but that number and where they lie, and of most not even that.
//!
//! What some pieces, spread over all, have tells about where a long list will end; all threads share
//! the number beyond which no row can be in it. Which rows are shown is found by counting numbers in
//! buckets, so that only those of the page are put in order.
//!
//! Invariant: what is given is what keys of all rows give (`first`, `best`); where a number does not
//! tell where a row stands, nothing is given.

use std::ops::Range;

use yiku::kernel::Held;
use yiku::{Predicate, RowSet};

use super::best::Bound;
use super::first::{Asked, Shown};
use super::morsels::Morsel;
use super::scan::each_row;
use super::spread::{fold, over};
use super::standing::{Standing, exact_of, of_exact};
use crate::error::Result;
use crate::plan::{Plan, Within};

/// The number that a row stands by, and where it lies.
type Ranked = (u64, u64);

/// The number of unknown, behind all others.
const LAST: u64 = u64::MAX;

/// Rows that are kept before any is left out, at least. Tests have few.
const LEAST: usize = if cfg!(test) { 4 } else { 4_096 };
/// Rows of a list that is worth a guess, pieces that are looked at for it about, and one of how
/// many that is at most.
const LONG: usize = if cfg!(test) { 2 } else { 2_000 };
const SAMPLE: usize = if cfg!(test) { 1 } else { 8 };
const STEP: usize = 16;
/// Rows of a sample beyond those that it should have, at least.
const SPARE: usize = if cfg!(test) { 0 } else { 64 };

/// Where more than one row of so many may be in the list, those that stand too far behind are
/// found by a look at all values together; where fewer than one of so many is left, values are
/// read one by one.
const DENSE: u64 = 64;
const SPARSE: u64 = 96;

/// The buckets that numbers are counted in have so many bits.
const BITS: u32 = if cfg!(test) { 2 } else { 12 };

/// What a thread has found.
#[derive(Default)]
struct Found<'a> {
    rows: Vec<Ranked>,
    matched: u64,
    /// A known value was met that numbers do not tell from an unknown one.
    met_last: bool,
    /// Of a piece.
    values: Vec<i64>,
    held: Vec<Held<'a>>,
}

impl<'a> Found<'a> {
    /// Leaves out what cannot be in the list.
    fn cut(&mut self, bound: &Bound) {
        let Some(last) = bound.wanted.checked_sub(1) else {
            self.rows.clear();
            return;
        };
        if last < self.rows.len() {
            let (_, (lead, _), _) = self.rows.select_nth_unstable(last);
            bound.lower(*lead);
            self.rows.truncate(bound.wanted);
        }
    }

    /// Adds the rows of a set whose values were read, one after the other.
    fn add(
        &mut self,
        rows: &RowSet,
        (place, falls): (u64, bool),
        bound: &Bound,
        within: Within<'a>,
    ) -> Result<()> {
        let most = self.values.len();
        if self.rows.capacity() < self.rows.len() + most {
            let more = most.max(self.rows.len()).max(LEAST);
            let bytes = (more as u64).saturating_mul(size_of::<Ranked>() as u64);
            self.held.push(within.run.hold(bytes)?);
            self.rows.reserve_exact(more);
        }
        let (lead, mut values) = (bound.lead(), self.values.iter());
        let (own, met_last) = (&mut self.rows, &mut self.met_last);
        each_row(rows, |row| {
            let number = values.next().map_or(LAST, |value| of_exact(*value));
            let number = if falls { !number } else { number };
            *met_last |= number == LAST;
            if number <= lead {
                own.push((number, place | u64::from(row)));
            }
        });
        let full = bound.wanted.saturating_mul(2).max(LEAST);
        if own.len() >= full || lead == LAST && own.len() >= bound.wanted {
            self.cut(bound);
        }
        Ok(())
    }
}

impl Plan {
    /// The rows of the page of a list from its begin that one column of numbers orders, and how
    /// many rows match; none of other lists.
    pub(super) fn ranked<K: Standing>(
        &self,
        asked: &Asked<'_, K>,
        morsels: &[Morsel],
    ) -> Result<Option<(Vec<Shown>, u64)>> {
        let (Some(numbers), Some(leading)) = (&asked.apart, self.leading(asked)) else {
            return Ok(None);
        };
        if asked.after.is_some() || asked.list.order.len() != 1 {
            return Ok(None);
        }
        let wanted = asked.bound.wanted;
        let mut bound = Bound::new(wanted);
        let is_guessed = self.guessed(asked, leading, morsels, &bound)?;
        let mut found = self.met(asked, (leading, numbers), morsels, &bound)?;
        let count = |found: &[Found<'_>]| found.iter().map(|own| own.rows.len()).sum::<usize>();
        let matched = found.iter().map(|own| own.matched).sum::<u64>();
        if is_guessed && count(&found) < wanted && (count(&found) as u64) < matched {
            // The guess left too few.
            bound = Bound::new(wanted);
            found = self.met(asked, (leading, numbers), morsels, &bound)?;
        }
        let all = count(&found);
        let met_last = found.iter().any(|own| own.met_last);
        if met_last || all < wanted && (all as u64) < matched {
            return Ok(None);
        }
        let page = self.offset.min(all)..wanted.min(all);
        let bytes = 2 * size_of::<Ranked>() as u64;
        let _page = asked.within.run.hold((page.len() as u64).saturating_mul(bytes))?;
        let lists: Vec<&[Ranked]> = found.iter().map(|own| own.rows.as_slice()).collect();
        let mut segments = vec![u32::MAX; numbers.len()];
        for (at, number) in (0..).zip(numbers) {
            if let Some(slot) = segments.get_mut(*number as usize) {
                *slot = at;
            }
        }
        let shown = |(_, place): &Ranked| {
            let segment = segments.get(usize::try_from(place >> 32).ok()?)?;
            Some((*segment, u32::try_from(place & u64::from(u32::MAX)).ok()?))
        };
        Ok(Some((page_of(&lists, page).iter().filter_map(shown).collect(), matched)))
    }

    /// The rows of all pieces that may be in the list.
    fn met<'r, K: Standing>(
        &self,
        asked: &Asked<'r, K>,
        (leading, numbers): ((usize, bool), &[u32]),
        morsels: &[Morsel],
        bound: &Bound,
    ) -> Result<Vec<Found<'r>>> {
        let Asked { snapshot, within, .. } = *asked;
        let state = || Ok(Found::default());
        fold(within, morsels.len(), state, |found: &mut Found<'_>, item| {
            let Some(morsel) = morsels.get(item) else { return Ok(()) };
            let Some(segment) = within.segments(snapshot).get(morsel.segment) else {
                return Ok(());
            };
            let (column, falls) = leading;
            let scan = self.scan(segment, morsel, within)?;
            let mut rows = self.matching(&scan)?;
            let matched = rows.count();
            found.matched += matched;
            let lead = bound.lead();
            let own = segment.column(self.table, column)?;
            let is_dense = matched > u64::from(rows.len_rows()) / DENSE;
            let is_narrowed = lead != LAST && is_dense;
            if is_narrowed {
                let predicate = match falls {
                    true => Predicate::Range { min: exact_of(!lead), max: i64::MAX },
                    false => Predicate::Range { min: i64::MIN, max: exact_of(lead) },
                };
                own.keep_in(&predicate, &mut rows)?;
            }
            let count = if is_narrowed { rows.count() } else { matched };
            if count == 0 {
                return Ok(());
            }
            let _values = within.run.hold(count.saturating_mul(8))?;
            found.values.clear();
            if count * SPARSE < u64::from(rows.len_rows()) {
                if !is_narrowed {
                    own.keep_in(&Predicate::Known, &mut rows)?;
                }
                own.values_of(&rows, &mut found.values)?;
            } else {
                rows = own.known_values(&rows, &mut found.values)?;
            }
            let number = numbers.get(morsel.segment).copied().unwrap_or(u32::MAX);
            found.add(&rows, (u64::from(number) << 32, falls), bound, within)
        })
    }

    /// Bounds a long list by what some of its pieces have, and says whether it did.
    fn guessed<K: Standing>(
        &self,
        asked: &Asked<'_, K>,
        (column, falls): (usize, bool),
        morsels: &[Morsel],
        bound: &Bound,
    ) -> Result<bool> {
        let Asked { snapshot, within, .. } = *asked;
        if bound.wanted < LONG || morsels.len() <= SAMPLE {
            return Ok(false);
        }
        let step = (morsels.len() / SAMPLE).clamp(1, STEP);
        let pieces = morsels.len() / step;
        // A quarter more than its share, so that the list seldom has to be read again.
        let share = bound.wanted.saturating_mul(pieces) / morsels.len();
        let rank = share.saturating_add(share / 4).saturating_add(SPARE);
        let leads = over(within, pieces, |at| {
            let mut values = Vec::new();
            let Some(morsel) = morsels.get(at * step + step / 2) else { return Ok(values) };
            let Some(segment) = within.segments(snapshot).get(morsel.segment) else {
                return Ok(values);
            };
            let scan = self.scan(segment, morsel, within)?;
            let rows = self.matching(&scan)?;
            segment.column(self.table, column)?.known_values(&rows, &mut values)?;
            Ok(values)
        })?;
        let size = leads.iter().map(|own| own.len() as u64).sum::<u64>();
        let _held = within.run.hold(size.saturating_mul(16))?;
        let lead = |value: &i64| if falls { !of_exact(*value) } else { of_exact(*value) };
        let mut leads: Vec<u64> = leads.iter().flatten().map(lead).collect();
        if rank >= leads.len() {
            return Ok(false);
        }
        let (_, lead, _) = leads.select_nth_unstable(rank);
        bound.lower(*lead);
        Ok(true)
    }
}

/// The rows that stand at some places among all of some lists, in their order.
fn page_of(lists: &[&[Ranked]], page: Range<usize>) -> Vec<Ranked> {
    let all = || lists.iter().flat_map(|own| own.iter());
    let ends = all().fold((LAST, 0), |(low, high), (lead, _)| (low.min(*lead), high.max(*lead)));
    let (least, greatest) = ends;
    if page.is_empty() || least > greatest {
        return Vec::new();
    }
    let shift = 64u32.saturating_sub((greatest - least).leading_zeros()).saturating_sub(BITS);
    let bucket = |lead: u64| usize::try_from((lead - least) >> shift).unwrap_or(usize::MAX);
    let mut counts = [0usize; 1 << BITS];
    for own in lists {
        for (lead, _) in *own {
            if let Some(count) = counts.get_mut(bucket(*lead)) {
                *count += 1;
            }
        }
    }
    // The buckets of the first and the last row of the page, and the rows before the first.
    let (mut before, mut behind) = (0, 0);
    let (mut first, mut last) = (None, 0);
    for (at, count) in counts.iter().enumerate() {
        let start = behind;
        behind += count;
        if first.is_none() && page.start < behind {
            (first, before) = (Some(at), start);
        }
        if page.end <= behind {
            last = at;
            break;
        }
    }
    let own = first.unwrap_or(0)..=last;
    let mut rows: Vec<Ranked> =
        all().filter(|(lead, _)| own.contains(&bucket(*lead))).copied().collect();
    let page = page.start - before..(page.end - before).min(rows.len());
    if page.end < rows.len() {
        rows.select_nth_unstable(page.end);
        rows.truncate(page.end);
    }
    if page.start > 0 && page.start < rows.len() {
        rows.select_nth_unstable(page.start);
    }
    rows.drain(..page.start.min(rows.len()));
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::super::tests::Drawn;
    use super::*;

    #[test]
    fn a_page_is_that_of_all_rows_in_order() {
        let mut drawn = Drawn(3);
        for values in [1, 3, 40, u64::MAX] {
            for spread in [0, 7, 1 << 62] {
                let row = |place: u64, drawn: &mut Drawn| {
                    (drawn.below(values).wrapping_mul(spread.max(1)) | spread, place)
                };
                let lists: Vec<Vec<Ranked>> = (0..3u64)
                    .map(|list| (0..40 * list).map(|at| row(at * 3 + list, &mut drawn)).collect())
                    .collect();
                let own: Vec<&[Ranked]> = lists.iter().map(Vec::as_slice).collect();
                let mut all = own.concat();
                all.sort_unstable();
                for start in [0, 1, 60, 119, 120] {
                    for end in [start, start + 1, start + 9, 120].map(|end| end.min(120)) {
                        let page = start..end.max(start);
                        let expected = all.get(page.clone()).unwrap_or_default();
                        assert_eq!(page_of(&own, page), expected, "{values}, {spread}, {start}");
                    }
                }
            }
        }
        assert!(page_of(&[], 0..0).is_empty());
    }
}
