//! Which groups an answer keeps: those for which `having` is true, and of each group of groups the
//! best. Totals are kept: they speak of all rows.

use super::aggregate::Number;
use super::finish::{Of, TooLarge};
use super::keys::Cell;
use super::rows::Rows;
use crate::check::{Having, holds};
use crate::plan::Plan;

/// Whether a condition is true of each of some groups; none where it is unknown.
type Held = Result<Vec<Option<bool>>, TooLarge>;

impl Plan {
    /// Whether a condition on measures is true; none where it is unknown.
    pub(super) fn having_of(&self, having: &Having, of: Of<'_>) -> Held {
        match having {
            Having::Constant(flag) => Ok(vec![Some(*flag); of.places.len()]),
            Having::Known(formula) => {
                Ok(self.numbers(formula, of)?.into_iter().map(|n| Some(n.is_some())).collect())
            }
            Having::Not(inner) => {
                let found = self.having_of(inner, of)?.into_iter();
                Ok(found.map(|found| found.map(|found| !found)).collect())
            }
            Having::All(parts) => self.having_each(parts, false, of),
            Having::Any(parts) => self.having_each(parts, true, of),
            Having::Compare(sign, left, right) => {
                let (left, right) = (self.numbers(left, of)?, self.numbers(right, of)?);
                let pairs = left.into_iter().zip(right);
                let compared = |(left, right): (Option<_>, Option<_>)| left.zip(right);
                let holds = |(left, right): (Number, Number)| holds(*sign, left.compare(right));
                Ok(pairs.map(|pair| compared(pair).map(holds)).collect())
            }
        }
    }

    /// Conditions of which one decides, if it is `decides`: those behind it are not asked then.
    fn having_each(&self, parts: &[Having], decides: bool, of: Of<'_>) -> Held {
        let mut whole = vec![Some(!decides); of.places.len()];
        // The groups that are not decided, by their places, and where they stand.
        let (mut places, mut open) = (of.places.to_vec(), Vec::from_iter(0..of.places.len()));
        for part in parts {
            let found = self.having_of(part, Of { places: &places, ..of })?;
            let (mut left, mut still) = (Vec::new(), Vec::new());
            for ((place, at), found) in places.into_iter().zip(open).zip(found) {
                if let Some(slot) = whole.get_mut(at).filter(|_| found != Some(!decides)) {
                    *slot = found;
                }
                if found != Some(decides) {
                    left.push(place);
                    still.push(at);
                }
            }
            (places, open) = (left, still);
        }
        Ok(whole)
    }

    /// The best rows within each group of groups, and all totals.
    pub(super) fn best(&self, rows: &Rows) -> Vec<u32> {
        let all = 0..u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let Some(top) = &self.top else { return all.collect() };
        let is_total = |row: &u32| rows.levels.get(*row as usize).is_some_and(|level| *level > 0);
        let (mut kept, mut own): (Vec<u32>, Vec<u32>) = all.partition(is_total);
        let key = |row: u32| rows.keys.get(row as usize);
        let group = |row: u32| top.within.iter().map(move |place| cell(key(row), *place));
        own.sort_by(|a, b| {
            group(*a)
                .cmp(group(*b))
                .then_with(|| self.ordered(&top.order, rows, (*a, *b)))
                .then_with(|| key(*a).cmp(key(*b)))
        });
        for same in own.chunk_by(|a, b| group(*a).eq(group(*b))) {
            kept.extend(same.iter().take(top.count));
        }
        kept
    }
}

fn cell(key: &[Cell], place: usize) -> &Cell {
    key.get(place).unwrap_or(&Cell::Unknown)
}
