//! A piece of a segment: rows by the least or greatest of what is beneath them, told without a
//! number of any row.
//!
//! The greatest of some values lies at or above a bound where any of them does, and at or below one
//! where none lies above.
//!
//! Invariant: what is given is what comparing the least or greatest value of every row gives.

use yiku::{Predicate, RowSet};

use super::logic::Sides;
use super::scan::Scan;
use crate::bound::{Function, Term, Value};
use crate::error::Result;
use crate::explain::probe::About;

impl Scan<'_> {
    /// The rows whose value lies from `low` to `high`, and the other rows that have one, where the
    /// value is the least or the greatest of a column beneath them; none for other values.
    pub(super) fn ends_beneath(
        &self,
        value: &Value,
        (low, high): (i64, i64),
        rows: &RowSet,
    ) -> Result<Option<Sides>> {
        let Term::Fold(fold) = &value.kind else { return Ok(None) };
        let argument = fold.argument.as_ref().filter(|argument| argument.table == fold.child);
        let Some(Term::Column(column)) = argument.map(|argument| &argument.kind) else {
            return Ok(None);
        };
        let greatest = match fold.function {
            Function::Greatest => true,
            Function::Least => false,
            _ => return Ok(None),
        };
        if !self.limits.indexes {
            return Ok(None);
        }
        let open = self.within.open(About::Value, value);
        let mut beneath = self.spread(rows, value.table, fold.child)?;
        if let Some(condition) = &fold.condition {
            beneath = self.rows(condition, true, &beneath)?;
        }
        let beneath = self.kept_of(fold.child, *column, &Predicate::Known, &beneath)?;
        let mut known = self.lift_some(&beneath, fold.child, value.table)?;
        known.and(rows);
        if let Some(open) = open {
            open.rows(rows.count(), known.count());
        }
        // Values from here on put the row at the bound or beyond it, values beyond `out` too far.
        let (reach, out) = match greatest {
            true => ((low, i64::MAX), high.checked_add(1).map(|min| (min, i64::MAX))),
            false => ((i64::MIN, high), low.checked_sub(1).map(|max| (i64::MIN, max))),
        };
        let above = |(min, max): (i64, i64)| {
            if (min, max) == (i64::MIN, i64::MAX) {
                return Ok(known.clone());
            }
            let predicate = Predicate::Range { min, max };
            let own = self.kept_of(fold.child, *column, &predicate, &beneath)?;
            self.lift_some(&own, fold.child, value.table)
        };
        let mut yes = above(reach)?;
        yes.and(&known);
        if let Some(out) = out {
            yes.and_not(&above(out)?);
        }
        known.and_not(&yes);
        Ok(Some(Sides { yes, no: known }))
    }
}
