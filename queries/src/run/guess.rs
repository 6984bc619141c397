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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use yiku::CommitInfo;

    use super::super::tests::{database, lines};

    /// Two segments one behind the other, of which the second is looked at.
    fn rents(first: &[u32], second: &[u32], question: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = database(&folder.path().join("d")).writer().unwrap();
        let mut found = Vec::new();
        for (part, (place, rents)) in [("1101", first), ("1201", second)].into_iter().enumerate() {
            let mut batch = writer.batch();
            for (at, rent) in rents.iter().enumerate() {
                let (id, rent) = (format!("h{part}{at}"), rent.to_string());
                let row = batch.row("house").unwrap().set("id", id.as_str()).unwrap();
                row.set("place", place).unwrap().set("rent", rent.as_str()).unwrap();
            }
            writer.write(&batch).unwrap();
            let snapshot = writer.commit(CommitInfo::default()).unwrap();
            if part == 1 {
                assert_eq!(snapshot.segments().len(), 2);
                found = lines(&snapshot, question);
            }
        }
        found
    }

    #[test]
    fn a_list_is_the_same_however_wrong_the_guess() {
        let question = "from house select rent order rent limit 4";
        // The sample says that three rows of its own are enough: the fourth lies elsewhere.
        let (low, high) = ([1, 2, 3, 4, 5, 6], [70, 80, 90]);
        assert_eq!(rents(&high, &low, question), ["100", "200", "300", "400"]);
        assert_eq!(rents(&low, &high, question), ["100", "200", "300", "400"]);
        // Fewer than are wanted.
        assert_eq!(rents(&[9], &[8, 7], question), ["700", "800", "900"]);
        let falling = "from house select rent order -rent limit 4";
        assert_eq!(rents(&low, &high, falling), ["9000", "8000", "7000", "600"]);
        assert_eq!(rents(&high, &low, falling), ["9000", "8000", "7000", "600"]);
    }
}
