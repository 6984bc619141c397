//! Who entered, left, stayed and moved between two days.
//!
//! Invariant: what was before is what left, stayed and moved; what is after is what entered,
//! stayed and moved, in every group.

use std::collections::{BTreeMap, HashMap};

use yiku::{RowSet, Segment, Snapshot};

use super::keys::{Cell, Groups};
use super::scan::{Scan, bounds};
use super::tell;
use crate::answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
use crate::bound::Condition;
use crate::check::Group;
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::plan::{Plan, Within};

/// The filter and the groups at two days.
#[derive(Debug, Clone)]
pub(crate) struct Flowing {
    /// Where the filter is true, at either day.
    pub(crate) before: Condition,
    pub(crate) after: Condition,
    pub(crate) groups_before: Vec<Group>,
    pub(crate) groups_after: Vec<Group>,
}

/// What became of some rows, in the order of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fate {
    Entered,
    Left,
    Stayed,
    Moved,
}

impl Fate {
    fn word(self) -> (&'static str, &'static str) {
        match self {
            Self::Entered => ("entered", "新增"),
            Self::Left => ("left", "退出"),
            Self::Stayed => ("stayed", "未变"),
            Self::Moved => ("moved", "转移"),
        }
    }
}

/// A fate with the groups before and after; empty where there was none.
pub(super) type Move = (Fate, Vec<Cell>, Vec<Cell>);

/// The number of the group of no row.
const OUTSIDE: u32 = u32::MAX;

impl Plan {
    /// The answer to a question for flows.
    pub(super) fn flowed(
        &self,
        flow: &Flowing,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Answer> {
        let parts = super::segments(snapshot, within, |_, segment| {
            self.moves(flow, segment, snapshot, within)
        })?;
        let open = within.open(About::Count, self);
        let mut counts: BTreeMap<Move, u64> = BTreeMap::new();
        let mut matched = 0;
        for (found, rows) in parts {
            matched += rows;
            for (key, count) in found {
                *counts.entry(key).or_insert(0) += count;
            }
            within.limits.groups_fit(counts.len())?;
        }
        tell(open, matched, counts.len() as u64);
        let sides = [&flow.groups_before, &flow.groups_after].map(|groups| (&groups[..], snapshot));
        self.flow_answer(sides, counts, matched)
    }

    /// The answer of what is counted, with the groups of each side in their snapshots.
    pub(super) fn flow_answer(
        &self,
        sides: [(&[Group], &Snapshot); 2],
        mut counts: BTreeMap<Move, u64>,
        matched: u64,
    ) -> Result<Answer> {
        if sides.iter().all(|(groups, _)| groups.is_empty()) {
            // Without groups nobody moves, and the three are told where nobody did.
            for fate in [Fate::Entered, Fate::Left, Fate::Stayed] {
                counts.entry((fate, Vec::new(), Vec::new())).or_insert(0);
            }
        }
        let total_rows = counts.len();
        let limit = self.limit.unwrap_or(usize::MAX);
        let counts: Vec<(Move, u64)> = counts.into_iter().skip(self.offset).take(limit).collect();
        let columns = self.flow_columns(sides, &counts)?;
        Ok(Answer {
            total_rows,
            truncated: counts.len() < total_rows,
            ..self.whole_answer(columns, counts.len(), matched)
        })
    }

    fn flow_columns(
        &self,
        sides: [(&[Group], &Snapshot); 2],
        counts: &[(Move, u64)],
    ) -> Result<Vec<AnswerColumn>> {
        let words = || counts.iter().map(|((fate, _, _), _)| fate.word());
        let mut columns = vec![AnswerColumn {
            name: "move".to_owned(),
            kind: AnswerKind::Text,
            unit: None,
            role: Role::Group,
            values: Values::Text(words().map(|(word, _)| Some(word.to_owned())).collect()),
            labels: Some(words().map(|(_, label)| Some(label.to_owned())).collect()),
            hidden: Vec::new(),
        }];
        let sides = sides.into_iter().zip(["before", "after"]);
        for (side, ((groups, snapshot), word)) in sides.enumerate() {
            for (place, group) in groups.iter().enumerate() {
                let cell = |(_, before, after): &Move| {
                    let own = if side == 0 { before } else { after };
                    own.get(place).cloned().unwrap_or(Cell::Unknown)
                };
                let cells: Vec<Cell> = counts.iter().map(|(key, _)| cell(key)).collect();
                let (kind, values, labels) =
                    self.shown(&group.kind, &cells, snapshot.tree(), false);
                let (name, role) = (format!("{}.{word}", group.name), Role::Group);
                columns.push(AnswerColumn {
                    name,
                    kind,
                    unit: None,
                    role,
                    values,
                    labels,
                    hidden: Vec::new(),
                });
            }
        }
        let numbers: std::result::Result<Vec<_>, _> =
            counts.iter().map(|(_, count)| i64::try_from(*count).map(Some)).collect();
        let beyond = |_| Error::Overflow { what: "a count of moves".to_owned() };
        columns.push(AnswerColumn {
            name: "n".to_owned(),
            kind: AnswerKind::Int,
            unit: None,
            role: Role::Measure,
            values: Values::Int(numbers.map_err(beyond)?),
            labels: None,
            hidden: Vec::new(),
        });
        Ok(columns)
    }

    /// The moves of the rows of a segment, and how many rows the filter has at either day.
    fn moves(
        &self,
        flow: &Flowing,
        segment: &Segment,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<(HashMap<Move, u64>, u64)> {
        within.run.check()?;
        let scan = Scan::new(segment, &self.schema, within);
        let rows = self.visible(&scan)?;
        let before = scan.rows(&flow.before, true, &rows)?;
        let after = scan.rows(&flow.after, true, &rows)?;
        let mut either = before.clone();
        either.or(&after);
        let mut found: HashMap<Move, u64> = HashMap::new();
        if either.is_empty() {
            return Ok((found, 0));
        }
        let _held = within.run.hold(bounds(&either).len() as u64 * 8)?;
        let tree = snapshot.tree();
        let groups = |by: &[Group]| scan.groups(by, self.table, tree, &either);
        let (own, then) = (groups(&flow.groups_before)?, groups(&flow.groups_after)?);
        let (from, to) = (numbers(&own, &before, &either), numbers(&then, &after, &either));
        let mut pairs: HashMap<(u32, u32), u64> = HashMap::new();
        for pair in from.into_iter().zip(to).filter(|pair| *pair != (OUTSIDE, OUTSIDE)) {
            *pairs.entry(pair).or_insert(0) += 1;
        }
        for ((from, to), count) in pairs {
            let key = |groups: &Groups, at: u32| {
                groups.keys.get(at as usize).cloned().unwrap_or_default()
            };
            let (a, b) = (key(&own, from), key(&then, to));
            let fate = match (from, to) {
                (OUTSIDE, _) => Fate::Entered,
                (_, OUTSIDE) => Fate::Left,
                _ if a == b => Fate::Stayed,
                _ => Fate::Moved,
            };
            *found.entry((fate, a, b)).or_insert(0) += count;
        }
        Ok((found, either.count()))
    }
}

/// The number of the group of each row from the first of some rows on; none where a row is not
/// in a set.
fn numbers(groups: &Groups, set: &RowSet, rows: &RowSet) -> Vec<u32> {
    let span = bounds(rows);
    let mut found = vec![OUTSIDE; span.len()];
    groups.assignment.visit(set, &mut |row, group| {
        if let Some(slot) = found.get_mut(row.wrapping_sub(span.start) as usize) {
            *slot = group;
        }
    });
    found
}
