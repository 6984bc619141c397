//! Which groups an answer keeps: those for which `having` is true, and of each group of groups the
//! best. Totals are kept: they speak of all rows.

use std::collections::BTreeMap;

use super::finish::{Of, Row, TooLarge};
use super::keys::Cell;
use crate::check::{Having, holds};
use crate::plan::Plan;

impl Plan {
    /// Whether a condition on measures is true; none where it is unknown.
    pub(super) fn having_of(&self, having: &Having, of: Of<'_>) -> Result<Option<bool>, TooLarge> {
        let each = |parts: &[Having], decides: bool| {
            let mut whole = Some(!decides);
            for part in parts {
                match self.having_of(part, of)? {
                    Some(found) if found == decides => return Ok(Some(decides)),
                    Some(_) => {}
                    None => whole = None,
                }
            }
            Ok(whole)
        };
        match having {
            Having::Constant(flag) => Ok(Some(*flag)),
            Having::Known(formula) => Ok(Some(self.number(formula, of)?.is_some())),
            Having::Not(inner) => Ok(self.having_of(inner, of)?.map(|found| !found)),
            Having::All(parts) => each(parts, false),
            Having::Any(parts) => each(parts, true),
            Having::Compare(sign, left, right) => {
                let (left, right) = (self.number(left, of)?, self.number(right, of)?);
                let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
                Ok(Some(holds(*sign, left.compare(right))))
            }
        }
    }

    /// The best rows within each group of groups; totals as they are.
    pub(super) fn best(&self, rows: Vec<Row>) -> Vec<Row> {
        let Some(top) = &self.top else { return rows };
        let mut best: BTreeMap<Vec<Cell>, Vec<Row>> = BTreeMap::new();
        let mut kept = Vec::new();
        for row in rows {
            if row.level > 0 {
                kept.push(row);
                continue;
            }
            let cell = |place: &usize| row.key.get(*place).cloned().unwrap_or(Cell::Unknown);
            best.entry(top.within.iter().map(cell).collect()).or_default().push(row);
        }
        for mut rows in best.into_values() {
            rows.sort_by(|a, b| self.ordered(&top.order, a, b).then_with(|| a.key.cmp(&b.key)));
            rows.truncate(top.count);
            kept.extend(rows);
        }
        kept
    }
}
