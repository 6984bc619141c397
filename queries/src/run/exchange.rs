//! Who entered, left, stayed and moved between two versions: rows are the same where their keys
//! are.
//!
//! Invariant: as between two days, what was before is what left, stayed and moved, what is after
//! is what entered, stayed and moved, in every group; also where several rows have one key.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use yiku::{Segment, Snapshot};

use super::flow::{Fate, Move};
use super::keys::Cell;
use super::scan::{Scan, bounds};
use super::tell;
use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::plan::{Plan, Within};

/// The question at both versions.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) before: Side,
    pub(crate) after: Side,
}

/// The question bound to a version.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) snapshot: Snapshot,
    pub(crate) plan: Plan,
}

/// Bytes of a key with the number of its group, about.
const KEY_BYTES: u64 = 56;

/// The key of a row, and the number of its group.
type Keyed = (Box<str>, u32);

/// The rows that the filter finds in a version, by their keys, each with the number of its group.
struct Found {
    rows: Vec<Keyed>,
    groups: Vec<Vec<Cell>>,
}

impl Plan {
    /// The answer to a question for flows between versions.
    pub(super) fn exchanged(&self, exchange: &Exchange, within: Within<'_>) -> Result<Answer> {
        let Exchange { before, after } = exchange;
        let held = std::cell::RefCell::new(Vec::new());
        let hold = |rows: usize| -> Result<()> {
            held.borrow_mut().push(within.run.hold((rows as u64).saturating_mul(KEY_BYTES))?);
            Ok(())
        };
        let open = within.open(About::Whole, &before.plan);
        let then = before.found(within)?;
        tell(open, then.rows.len() as u64, then.rows.len() as u64);
        hold(then.rows.len())?;
        let open = within.open(About::Whole, &after.plan);
        let now = after.found(within)?;
        tell(open, now.rows.len() as u64, now.rows.len() as u64);
        hold(now.rows.len())?;
        let open = within.open(About::Count, self);
        let group = |found: &Found, at: u32| found.groups.get(at as usize).cloned();
        let mut pairs: BTreeMap<(Option<u32>, Option<u32>), u64> = BTreeMap::new();
        joined(&then.rows, &now.rows, &mut |pair| *pairs.entry(pair).or_insert(0) += 1);
        let mut counts: BTreeMap<Move, u64> = BTreeMap::new();
        for ((from, to), count) in pairs {
            let own = from.and_then(|at| group(&then, at)).unwrap_or_default();
            let next = to.and_then(|at| group(&now, at)).unwrap_or_default();
            let fate = match (from, to) {
                (None, _) => Fate::Entered,
                (_, None) => Fate::Left,
                _ if own == next => Fate::Stayed,
                _ => Fate::Moved,
            };
            *counts.entry((fate, own, next)).or_insert(0) += count;
            within.limits.groups_fit(counts.len())?;
        }
        let matched: u64 = counts.values().sum();
        tell(open, matched, counts.len() as u64);
        let sides = [before, after].map(|side| (&side.plan.groups[..], &side.snapshot));
        self.flow_answer(sides, counts, matched)
    }
}

impl Side {
    /// The rows that the filter finds, in the order of their keys and groups.
    fn found(&self, within: Within<'_>) -> Result<Found> {
        let parts =
            super::segments(&self.snapshot, within, |_, segment| self.part(segment, within))?;
        let mut groups: Vec<Vec<Cell>> =
            parts.iter().flat_map(|part| part.groups.clone()).collect();
        groups.sort_unstable();
        groups.dedup();
        within.limits.groups_fit(groups.len())?;
        let mut rows = Vec::with_capacity(parts.iter().map(|part| part.rows.len()).sum());
        for part in parts {
            let numbers: Vec<u32> = part
                .groups
                .iter()
                .map(|group| groups.binary_search(group).unwrap_or(0))
                .map(|number| u32::try_from(number).unwrap_or(u32::MAX))
                .collect();
            let number = |at: u32| numbers.get(at as usize).copied().unwrap_or(0);
            rows.extend(part.rows.into_iter().map(|(key, at)| (key, number(at))));
        }
        rows.sort_unstable();
        Ok(Found { rows, groups })
    }

    fn part(&self, segment: &Segment, within: Within<'_>) -> Result<Found> {
        within.run.check()?;
        let plan = &self.plan;
        let scan = Scan::new(segment, &plan.schema, within);
        let rows = plan.matching(&scan)?;
        if rows.is_empty() {
            return Ok(Found { rows: Vec::new(), groups: Vec::new() });
        }
        let _held = within.run.hold(rows.count().saturating_mul(KEY_BYTES))?;
        let groups = scan.groups(&plan.groups, plan.table, self.snapshot.tree(), &rows)?;
        let mut numbers = vec![0; bounds(&rows).len()];
        let start = bounds(&rows).start;
        groups.assignment.visit(&rows, &mut |row, group| {
            if let Some(slot) = numbers.get_mut(row.wrapping_sub(start) as usize) {
                *slot = group;
            }
        });
        let open = within.open(About::Keys, plan);
        let key = plan.schema.tables.get(plan.table).map_or(0, |table| table.key);
        let mut found = Vec::new();
        segment.column(plan.table, key)?.texts(bounds(&rows), &mut |row, text| {
            if let (Some(text), true) = (text, rows.contains(row)) {
                let group = numbers.get(row.wrapping_sub(start) as usize).copied();
                found.push((Box::from(text), group.unwrap_or(0)));
            }
        })?;
        if found.len() as u64 != rows.count() {
            let what = "a key of a row that a flow between versions counts".to_owned();
            return Err(Error::Overflow { what });
        }
        tell(open, rows.count(), rows.count());
        Ok(Found { rows: found, groups: groups.keys })
    }
}

/// Visits every row of two sorted lists, those of one key together: those in one group first,
/// the others as they stand, and what is left on either side alone.
fn joined(before: &[Keyed], after: &[Keyed], visit: &mut dyn FnMut((Option<u32>, Option<u32>))) {
    let (mut a, mut b) = (before, after);
    while let (Some((one, _)), Some((other, _))) = (a.first(), b.first()) {
        match one.cmp(other) {
            Ordering::Less => {
                let (own, rest) = of_key(a);
                own.iter().for_each(|(_, group)| visit((Some(*group), None)));
                a = rest;
            }
            Ordering::Greater => {
                let (own, rest) = of_key(b);
                own.iter().for_each(|(_, group)| visit((None, Some(*group))));
                b = rest;
            }
            Ordering::Equal => {
                let ((own, rest), (next, others)) = (of_key(a), of_key(b));
                paired(own, next, visit);
                (a, b) = (rest, others);
            }
        }
    }
    a.iter().for_each(|(_, group)| visit((Some(*group), None)));
    b.iter().for_each(|(_, group)| visit((None, Some(*group))));
}

/// The rows of the first key, and the others.
fn of_key(rows: &[Keyed]) -> (&[Keyed], &[Keyed]) {
    let key = rows.first().map(|(key, _)| key);
    let count = rows.iter().take_while(|(own, _)| Some(own) == key).count();
    rows.split_at(count)
}

fn paired(before: &[Keyed], after: &[Keyed], visit: &mut dyn FnMut((Option<u32>, Option<u32>))) {
    let groups = |rows: &[Keyed]| rows.iter().map(|(_, g)| *g).collect::<Vec<u32>>();
    let (mut own, mut next) = (groups(before), groups(after));
    own.retain(|group| match next.iter().position(|other| other == group) {
        Some(place) => {
            visit((Some(*group), Some(next.remove(place))));
            false
        }
        None => true,
    });
    let longest = own.len().max(next.len());
    for place in 0..longest {
        visit((own.get(place).copied(), next.get(place).copied()));
    }
}

#[cfg(test)]
mod tests {
    use super::{Keyed, joined};

    #[test]
    fn rows_of_one_key_are_paired() {
        let rows = |list: &[(&str, u32)]| -> Vec<Keyed> {
            list.iter().map(|(key, group)| (Box::from(*key), *group)).collect()
        };
        let before = rows(&[("a", 1), ("b", 1), ("b", 2), ("d", 1), ("e", 3), ("e", 3)]);
        let after = rows(&[("b", 2), ("b", 3), ("c", 1), ("d", 1), ("e", 3), ("f", 2)]);
        let mut found = Vec::new();
        joined(&before, &after, &mut |pair| found.push(pair));
        let one = Some(1);
        assert_eq!(
            found,
            [
                (one, None),
                (Some(2), Some(2)),
                (one, Some(3)),
                (None, one),
                (one, one),
                (Some(3), Some(3)),
                (Some(3), None),
                (None, Some(2)),
            ]
        );
    }
}
