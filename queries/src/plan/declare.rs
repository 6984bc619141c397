//! What a question declares to take before it begins.
//!
//! Invariant: a declaration decides when a question begins and never what it answers: one that
//! takes more than it declared begins again with more.

use yiku::Snapshot;

use super::{Limits, Plan};
use crate::check::{Group, GroupKind};

/// Bytes of a row in a column of numbers or a set: the number, whether it is known, a bit.
const ROW_BYTES: u64 = 9;
/// Bytes of a value of a group, about.
const CELL_BYTES: u64 = 32;
/// Rows of the longest table of a piece at most, but for a bundle that has more by itself.
const PIECE_ROWS: u64 = 2 * yiku::limits::BLOCK_ROWS as u64;
/// Columns that are there at a time besides those of keys, measures and conditions.
const COLUMNS: u64 = 4;

impl Plan {
    /// Bytes that it takes at most at a time, as far as is known before a row is read: the columns
    /// of numbers of a piece for each thread, and the groups.
    pub(crate) fn declared(&self, snapshot: &Snapshot, limits: &Limits) -> u64 {
        if limits.pool.is_none() {
            return u64::MAX;
        }
        let segments = snapshot.segments();
        let tables = 0..self.schema.tables.len();
        let largest = |table| segments.iter().map(|segment| segment.rows(table).into()).max();
        let rows: u64 = tables.filter_map(largest).max().unwrap_or(0);
        // Where no index may answer, segments are read whole.
        let rows = if limits.indexes { rows.min(PIECE_ROWS) } else { rows };
        let columns = self.groups.len() + self.aggregates.len() + self.filter.len();
        let columns = (columns as u64).saturating_add(COLUMNS);
        let threads = limits.threads.max(1) as u64;
        let values = rows.saturating_mul(columns).saturating_mul(ROW_BYTES);
        let others = 1 + self.compared.len() as u64 + u64::from(self.left.is_some());
        let cells = (self.groups.len() + self.aggregates.len()) as u64;
        let groups = self.groups_at_most(snapshot).min(limits.groups as u64).saturating_mul(cells);
        let groups = groups.saturating_mul(CELL_BYTES).saturating_mul(others);
        values.saturating_mul(threads).saturating_add(groups)
    }

    /// How many groups there can be, those of a place that lies in several segments counted in
    /// each, and all totals.
    fn groups_at_most(&self, snapshot: &Snapshot) -> u64 {
        let segments = snapshot.segments().len() as u64;
        let nodes = snapshot.tree().nodes().len() as u64;
        let values = |group: &Group| match &group.kind {
            GroupKind::Level(_) | GroupKind::Path => nodes.saturating_add(segments),
            GroupKind::Code { list, .. } => {
                self.schema.lists.get(*list).map_or(1, |list| list.codes.len() as u64 + 1)
            }
            GroupKind::Flag(_) => 3,
            GroupKind::Band { bands, .. } => bands.names.len() as u64 + 1,
            GroupKind::Month(_) => 1 << 10,
            GroupKind::Date(_) => 1 << 14,
            GroupKind::Int { .. } | GroupKind::Text { .. } => snapshot.rows(self.table),
        };
        let all = self.groups.iter().map(values).fold(1, u64::saturating_mul);
        let is_of_places = |group: &Group| matches!(group.kind, GroupKind::Level(_));
        let times = if self.groups.iter().any(is_of_places) { 2 } else { segments.max(2) };
        all.saturating_mul(times).min(snapshot.rows(self.table).saturating_mul(2))
    }
}
