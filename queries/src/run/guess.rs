//! How far a long list reaches, guessed from some of its pieces.
//!
//! A list that wants many rows knows only after many pieces which rows it does not want. What some
//! pieces, spread over all, have tells about where it will end, so that the others are asked for
//! little more than that.
//!
//! Invariant: a guess is a bound that is tried. Where fewer rows than are wanted lie before it, the
//! list is read again without.

use std::sync::atomic::AtomicBool;

use super::first::Asked;
use super::morsels::Morsel;
use super::spread::over;
use super::standing::Standing;
use crate::error::Result;
use crate::plan::Plan;

/// One piece of so many is looked at. Tests guess from few, and often wrong.
const STEP: usize = if cfg!(test) { 2 } else { 16 };
/// Fewer pieces than this are not worth it, and fewer rows.
const PIECES: usize = if cfg!(test) { 2 } else { 64 };
const ROWS: usize = if cfg!(test) { 2 } else { 2_000 };
/// Rows of a sample beyond those that it should have, at least.
const SPARE: usize = if cfg!(test) { 0 } else { 64 };

impl Plan {
    /// Bounds a list by what some of its pieces have, and says whether it did.
    pub(super) fn guess<K: Standing>(
        &self,
        asked: &Asked<'_, K>,
        morsels: &[Morsel],
    ) -> Result<bool> {
        let wanted = asked.bound.wanted;
        let is_long = wanted >= ROWS && morsels.len() >= PIECES;
        if !is_long || asked.after.is_some() || self.leading(asked).is_none() {
            return Ok(false);
        }
        let pieces = morsels.len() / STEP;
        // A quarter more than its share, so that the list seldom has to be read again.
        let share = wanted / morsels.len() * pieces;
        let rank = share.saturating_add(share / 4).saturating_add(SPARE);
        let leads = over(asked.within, pieces, |at| {
            let place = at * STEP + STEP / 2;
            morsels.get(place).map_or_else(|| Ok(Vec::new()), |own| self.leads(asked, own))
        })?;
        let _held = asked.within.run.hold(leads.iter().map(|own| own.len() as u64 * 8).sum())?;
        let mut leads = leads.concat();
        if rank >= leads.len() {
            return Ok(false);
        }
        let (_, lead, _) = leads.select_nth_unstable(rank);
        asked.bound.lower(*lead);
        Ok(true)
    }

    /// The numbers that decide first where the rows of a piece stand.
    fn leads<K: Standing>(&self, asked: &Asked<'_, K>, morsel: &Morsel) -> Result<Vec<u64>> {
        let Asked { list, snapshot, within, .. } = *asked;
        let Some(segment) = within.segments(snapshot).get(morsel.segment) else {
            return Ok(Vec::new());
        };
        within.begin(snapshot, morsel.segment);
        let scan = self.scan(segment, morsel, within)?;
        let rows = self.matching(&scan)?;
        let Some((column, falls)) = list.ordered().next().filter(|_| !rows.is_empty()) else {
            return Ok(Vec::new());
        };
        let keys = [(scan.listed(column, self.table, snapshot.tree(), &rows)?, falls)];
        let met_last = AtomicBool::new(false);
        let lead = |nth| K::of(&keys, nth, &met_last).lead();
        Ok(rows.iter().enumerate().map(lead).collect())
    }
}
