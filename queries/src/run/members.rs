//! The keys of the rows that a question finds.

use yiku::Snapshot;
use yiku::kernel::Held;

use super::fold;
use crate::error::Result;
use crate::plan::{Limits, Plan, Within};

/// Bytes of a key in memory, about.
const KEY_BYTES: u64 = 48;

/// Keys, and what they take.
type Kept<'a> = (Vec<String>, Vec<Held<'a>>);

impl Plan {
    /// The keys of the rows for which the filter is true, sorted and without repeats.
    pub(crate) fn keys(&self, snapshot: &Snapshot, limits: &Limits) -> Result<Vec<String>> {
        self.fits(snapshot)?;
        limits.within(self.declared(snapshot, limits), |within| self.keys_within(snapshot, within))
    }

    fn keys_within<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        within: Within<'a>,
    ) -> Result<Vec<String>> {
        let morsels = self.morsels(snapshot, within)?;
        let within = self.worth(&morsels, within);
        let segments = within.segments(snapshot);
        let key = self.schema.tables.get(self.table).map_or(0, |table| table.key);
        let work = |(keys, held): &mut Kept<'a>, item: usize| {
            let Some(morsel) = morsels.get(item) else { return Ok(()) };
            let Some(segment) = segments.get(morsel.segment) else { return Ok(()) };
            within.run.check()?;
            let scan = self.scan(segment, morsel, within)?;
            let rows = self.matching(&scan)?;
            held.push(within.run.hold(rows.count().saturating_mul(KEY_BYTES))?);
            let column = segment.column(self.table, key)?;
            column.texts_of(&rows, &mut |_, text| keys.push(text.to_owned()))?;
            Ok(())
        };
        let parts = fold(within, morsels.len(), || Ok(Kept::default()), work)?;
        // What the keys take is held until all are together.
        let (parts, _held): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let mut keys: Vec<String> = parts.into_iter().flatten().collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}
