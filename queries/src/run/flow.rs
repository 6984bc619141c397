//! Who entered, left, stayed and moved between two days.
//!
//! Invariant: what was before is what left, stayed and moved; what is after is what entered,
//! stayed and moved, in every group.

use std::collections::{BTreeMap, HashMap};

use yiku::{RowSet, Snapshot};

use super::keys::{Assignment, Cell, Groups};
use super::partition::Shared;
use super::scan::{Scan, bounds};
use super::{fold, tell};
use crate::answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
use crate::bound::{Condition, Test};
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
pub(super) const OUTSIDE: u32 = u32::MAX;

impl Plan {
    /// The answer to a question for flows.
    pub(super) fn flowed(
        &self,
        flow: &Flowing,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Answer> {
        let morsels = self.morsels_of(self.at_both(flow), snapshot, within)?;
        let within = self.worth(&morsels, within);
        let segments = within.segments(snapshot);
        let state = || Ok((HashMap::new(), 0u64));
        let states = fold(within, morsels.len(), state, |(found, matched), item| {
            let Some(morsel) = morsels.get(item) else { return Ok(()) };
            let Some(segment) = segments.get(morsel.segment) else { return Ok(()) };
            within.begin(snapshot, morsel.segment);
            let scan = self.scan(segment, morsel, within)?;
            *matched += self.moves(flow, &scan, snapshot, found)?;
            within.limits.groups_fit(found.len())
        })?;
        let open = within.open(About::Count, self);
        let mut counts: BTreeMap<Move, u64> = BTreeMap::new();
        let mut matched = 0;
        for (found, rows) in states {
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
            values: Values::Text(words().map(|(word, _)| Some(word.into())).collect()),
            labels: Some(words().map(|(_, label)| Some(label.into())).collect()),
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
                    self.shown(&group.kind, cells.iter(), snapshot.tree(), false);
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

    /// The clauses of the filter that are the same at both days.
    fn at_both<'c>(&'c self, flow: &'c Flowing) -> impl Iterator<Item = &'c Condition> {
        let inner = match &flow.before.kind {
            Test::Truth(inner) => inner,
            _ => &flow.before,
        };
        let parts = match &inner.kind {
            Test::And(parts) => parts.as_slice(),
            _ => std::slice::from_ref(inner),
        };
        let all = self.filter.iter().map(|(_, condition)| condition);
        all.filter(|condition| parts.contains(condition))
    }

    /// Adds the moves of the rows of a piece; how many rows the filter has at either day.
    fn moves(
        &self,
        flow: &Flowing,
        scan: &Scan<'_>,
        snapshot: &Snapshot,
        found: &mut HashMap<Move, u64>,
    ) -> Result<u64> {
        let within = scan.within;
        within.run.check()?;
        let rows = self.visible(scan)?;
        let before = scan.rows(&flow.before, true, &rows)?;
        let after = scan.rows(&flow.after, true, &rows)?;
        let mut either = before.clone();
        either.or(&after);
        if either.is_empty() {
            return Ok(0);
        }
        let _held = within.run.hold(bounds(&either).len() as u64 * 8)?;
        let tree = snapshot.tree();
        let groups = |by: &[Group]| scan.groups(by, self.table, tree, &either);
        let own = groups(&flow.groups_before)?;
        if flow.groups_before == flow.groups_after && within.probe.is_none() {
            // Nobody moves between groups that are the same at both days.
            let mut both = before.clone();
            both.and(&after);
            let (mut left, mut entered) = (before, after);
            left.and_not(&both);
            entered.and_not(&both);
            for (fate, set) in [(Fate::Left, left), (Fate::Entered, entered), (Fate::Stayed, both)]
            {
                for (key, count) in own.keys.iter().zip(counted(&own, &set)) {
                    if count > 0 {
                        let own = || key.to_vec();
                        let (from, to) = match fate {
                            Fate::Entered => (Vec::new(), own()),
                            Fate::Left => (own(), Vec::new()),
                            _ => (own(), own()),
                        };
                        *found.entry((fate, from, to)).or_insert(0) += count;
                    }
                }
            }
            return Ok(either.count());
        }
        let then = groups(&flow.groups_after)?;
        let (from, to) = (numbers(&own, &before, &either), numbers(&then, &after, &either));
        for ((from, to), count) in paired(&from, &to, (own.keys.len(), then.keys.len())) {
            let key = |groups: &Groups, at: u32| groups.keys.get(at as usize).to_vec();
            let (a, b) = (key(&own, from), key(&then, to));
            let fate = match (from, to) {
                (OUTSIDE, _) => Fate::Entered,
                (_, OUTSIDE) => Fate::Left,
                _ if a == b => Fate::Stayed,
                _ => Fate::Moved,
            };
            *found.entry((fate, a, b)).or_insert(0) += count;
        }
        Ok(either.count())
    }
}

/// Pairs of groups up to so many are counted in an array.
const PAIRS: usize = 1 << 14;

/// How often each pair of groups is met, those of no group on both sides left out.
fn paired(from: &[u32], to: &[u32], (a, b): (usize, usize)) -> Vec<((u32, u32), u64)> {
    let pairs = from.iter().copied().zip(to.iter().copied());
    let (width, size) = (b + 1, (a + 1).saturating_mul(b + 1));
    if size > PAIRS {
        let mut counts: HashMap<(u32, u32), u64> = HashMap::new();
        for pair in pairs.filter(|pair| *pair != (OUTSIDE, OUTSIDE)) {
            *counts.entry(pair).or_insert(0) += 1;
        }
        return counts.into_iter().collect();
    }
    // The number of no group becomes the first.
    let mut counts = vec![0u64; size];
    for (from, to) in pairs {
        let place = from.wrapping_add(1) as usize * width + to.wrapping_add(1) as usize;
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX).wrapping_sub(1);
    let met = counts.into_iter().enumerate().skip(1).filter(|(_, count)| *count > 0);
    met.map(|(at, count)| ((number(at / width), number(at % width)), count)).collect()
}

/// How many rows of a set are in each group; all of them have one.
pub(super) fn counted(groups: &Groups, set: &RowSet) -> Vec<u64> {
    let mut counts = vec![0u64; groups.keys.len()];
    let mut add = |group: u32, rows: u64| {
        if let Some(count) = counts.get_mut(group as usize) {
            *count += rows;
        }
    };
    match &groups.assignment {
        Assignment::Sets(sets) => {
            for Shared { rows, slices } in sets {
                let mut own = rows.clone();
                own.and(set);
                slices.iter().for_each(|(range, at)| add(*at, own.count_range(range.clone())));
            }
        }
        Assignment::Slices(slices) => {
            slices.iter().for_each(|(range, at)| add(*at, set.count_range(range.clone())));
        }
        assignment @ (Assignment::Rows { .. } | Assignment::Valued(_)) => {
            assignment.visit(set, &mut |_, group| add(group, 1));
        }
    }
    counts
}

/// The number of the group of each row from the first of some rows on; none where a row is not
/// in a set.
pub(super) fn numbers(groups: &Groups, set: &RowSet, rows: &RowSet) -> Vec<u32> {
    let span = bounds(rows);
    let mut found = vec![OUTSIDE; span.len()];
    groups.assignment.visit(set, &mut |row, group| {
        if let Some(slot) = found.get_mut(row.wrapping_sub(span.start) as usize) {
            *slot = group;
        }
    });
    found
}
