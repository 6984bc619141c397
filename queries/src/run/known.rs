//! A piece of a segment whose groups are runs of rows: aggregates of a column from its known
//! values, one behind the other, without a number for the rows between.
//!
//! Invariant: what is given is what a look at every row gives.

use std::ops::Range;

use yiku::RowSet;

use super::aggregate::Column;
use super::keys::Assignment;
use super::scan::Scan;
use super::statistic::Bins;
use crate::bound::{Term, Value};
use crate::check::{Aggregate, Combine};
use crate::error::Result;

/// Bytes of a value.
const VALUE_BYTES: u64 = 8;

impl Scan<'_> {
    /// The lists or the bins of a column of exact values; none where something else is asked.
    pub(super) fn of_known(
        &self,
        aggregate: &Aggregate,
        argument: &Value,
        rows: &RowSet,
        (assignment, size): (&Assignment, usize),
    ) -> Result<Option<Column>> {
        let Term::Column(column) = &argument.kind else { return Ok(None) };
        let Assignment::Slices(slices) = assignment else { return Ok(None) };
        let fits = matches!(
            aggregate.combine,
            Combine::All { float: false } | Combine::Bins { float: false, .. }
        );
        if !fits || !self.limits.indexes || self.within.probe.is_some() {
            return Ok(None);
        }
        if let Combine::Bins { low, high, bins, .. } = aggregate.combine
            && let Some(bands) = Bins::new((low, high), bins).bands()
        {
            let mut found = Column::new(aggregate.combine, size);
            let read = self.segment.column(argument.table, *column)?;
            if let Column::Bins { counts, .. } = &mut found {
                for (range, group) in slices {
                    let Some(counts) = counts.get_mut(*group as usize) else { continue };
                    read.count_bands(rows, range.clone(), &bands, counts)?;
                }
            }
            return Ok(Some(found));
        }
        let _held = self.run.hold(rows.count().saturating_mul(VALUE_BYTES))?;
        let mut values = Vec::new();
        let read = self.segment.column(argument.table, *column)?;
        let known = read.known_values(rows, &mut values)?;
        let mut column = Column::new(aggregate.combine, size);
        match (&mut column, slices.as_slice()) {
            (Column::All(lists), [(_, group)]) => {
                if let Some(lists) = lists.get_mut(*group as usize) {
                    lists.push(values);
                }
            }
            (Column::All(lists), _) => each_part(slices, &known, &values, |group, own| {
                let Some(lists) = lists.get_mut(group as usize) else { return };
                match lists.last_mut() {
                    Some(list) => list.extend_from_slice(own),
                    None => lists.push(own.to_vec()),
                }
            }),
            (Column::Bins { low, high, bins, counts, .. }, _) => {
                let bins = Bins::new((*low, *high), u32::try_from(*bins).unwrap_or(0));
                each_part(slices, &known, &values, |group, own| {
                    if let Some(counts) = counts.get_mut(group as usize) {
                        bins.count_all(own, counts);
                    }
                });
            }
            _ => return Ok(None),
        }
        Ok(Some(column))
    }
}

/// Calls `visit` with each group and the values of the known rows of a range of it, given those of
/// all known rows.
fn each_part(
    slices: &[(Range<u32>, u32)],
    known: &RowSet,
    values: &[i64],
    mut visit: impl FnMut(u32, &[i64]),
) {
    let (mut left, mut start) = (values, known.window().start);
    for (range, group) in slices {
        let before = usize::try_from(known.count_range(start..range.start)).unwrap_or(0);
        let count = usize::try_from(known.count_range(range.clone())).unwrap_or(0);
        let (own, rest) =
            left.split_at(before.min(left.len())).1.split_at_checked(count).unwrap_or_default();
        visit(*group, own);
        (left, start) = (rest, range.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_to_the_range_of_their_row() {
        let mut known = RowSet::none_in(60..300);
        (60..300).filter(|row| row % 7 > 2).for_each(|row| known.insert(row));
        let values: Vec<i64> = known.iter().map(i64::from).collect();
        let slices = [(60..61, 2), (61..130, 0), (140..200, 1), (200..300, 0)];
        let mut found = Vec::new();
        each_part(&slices, &known, &values, |group, own| found.push((group, own.to_vec())));
        let own = |range: &Range<u32>| -> Vec<i64> {
            known.iter().filter(|row| range.contains(row)).map(i64::from).collect()
        };
        let expected: Vec<(u32, Vec<i64>)> =
            slices.iter().map(|(range, group)| (*group, own(range))).collect();
        assert_eq!(found, expected);
    }
}
