//! The keys of the rows that a question finds.

use yiku::{Segment, Snapshot};

use super::scan::{Scan, bounds};
use crate::error::Result;
use crate::plan::{Limits, Plan, Within};

/// Bytes of a key in memory, about.
const KEY_BYTES: u64 = 48;

impl Plan {
    /// The keys of the rows for which the filter is true, sorted and without repeats.
    pub(crate) fn keys(&self, snapshot: &Snapshot, limits: &Limits) -> Result<Vec<String>> {
        self.fits(snapshot)?;
        limits.within(self.declared(snapshot, limits), |within| {
            let parts =
                super::segments(snapshot, within, |_, segment| self.keys_of(segment, within))?;
            // What the keys take is held until all are together.
            let (parts, _held): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let mut keys: Vec<String> = parts.into_iter().flatten().collect();
            keys.sort_unstable();
            keys.dedup();
            Ok(keys)
        })
    }

    fn keys_of<'a>(
        &self,
        segment: &Segment,
        within: Within<'a>,
    ) -> Result<(Vec<String>, yiku::kernel::Held<'a>)> {
        within.run.check()?;
        let scan = Scan::new(segment, &self.schema, within);
        let rows = self.matching(&scan)?;
        let held = within.run.hold(rows.count().saturating_mul(KEY_BYTES))?;
        let key = self.schema.tables.get(self.table).map_or(0, |table| table.key);
        let mut keys = Vec::new();
        let column = segment.column(self.table, key)?;
        column.texts(bounds(&rows), &mut |row, text| {
            if rows.contains(row) {
                keys.extend(text.map(str::to_owned));
            }
        })?;
        Ok((keys, held))
    }
}
