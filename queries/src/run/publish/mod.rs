//! Small cells of a published table: what is hidden, what is rounded.
//!
//! Invariant: what is hidden of a group does not depend on whether totals are asked, how groups
//! are ordered or cut, or how the rows are spread over segments: it is decided over the whole
//! table with all its margins.

mod cells;
mod solve;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use yiku::PathTree;

use self::cells::{ALL, Counts, Leaf, Node, Table};
use super::aggregate::Column;
use super::grouped::Joined;
use super::keys::Cell;
use crate::ast::Publish;
use crate::bound::{Condition, Test};
use crate::check::{Aggregate, Combine, Formula, Group, GroupKind};
use crate::error::Result;
use crate::plan::Plan;

pub(in crate::run) use cells::Hidden;

/// How a plan protects small cells.
#[derive(Debug, Clone)]
pub(crate) struct Protection {
    publish: Publish,
    /// The aggregate that counts the rows of a group.
    rows: usize,
    /// Of each aggregate that is told: what counts what it is of; nothing where that is the rows.
    counted: Vec<Option<Counted>>,
}

/// What an aggregate is of.
#[derive(Debug, Clone, Copy)]
struct Counted {
    /// The aggregate that counts it.
    by: usize,
    /// It counts some of the rows, so the others are told too.
    shares: bool,
}

impl Protection {
    /// Protects what is computed from some aggregates; those that count what others are of are
    /// added behind them. None where one of them tells of single rows: the place of that one.
    pub(crate) fn new(
        publish: Publish,
        table: usize,
        aggregates: &mut Vec<Aggregate>,
    ) -> std::result::Result<Self, usize> {
        let mut counted = Vec::with_capacity(aggregates.len());
        let mut added: Vec<Aggregate> = Vec::new();
        let first = aggregates.len();
        let count = |condition| Aggregate { combine: Combine::Count, argument: None, condition };
        for (place, aggregate) in aggregates.iter().enumerate() {
            counted.push(match aggregate.combine {
                Combine::Count if aggregate.condition.is_none() => None,
                Combine::Count => Some(Counted { by: place, shares: true }),
                Combine::DistinctRows(_) => Some(Counted { by: place, shares: false }),
                Combine::Sum { .. } | Combine::Average { .. } | Combine::Moments => {
                    let known = aggregate.argument.clone().map(|value| {
                        Condition { table: value.table, kind: Test::ValueKnown(value) }.at(table)
                    });
                    let all: Vec<Condition> =
                        aggregate.condition.clone().into_iter().chain(known).collect();
                    added.push(count(Some(Condition::all(all).at(table))));
                    Some(Counted { by: first + added.len() - 1, shares: false })
                }
                _ => return Err(place),
            });
        }
        added.push(count(None));
        let rows = first + added.len() - 1;
        aggregates.extend(added);
        Ok(Self { publish, rows, counted })
    }

    /// A number as it is told.
    fn rounded(&self, count: u64) -> u64 {
        let round = self.publish.round.max(1);
        (count.saturating_add(round / 2) / round).saturating_mul(round)
    }

    /// How many rows there are in all, as it is told; nothing where it is hidden.
    pub(super) fn told(&self, rows: u64, hidden: &[Vec<Hidden>]) -> u64 {
        let whole = hidden.last().and_then(|level| level.first()).copied().unwrap_or_default();
        if whole.rows { 0 } else { self.rounded(rows) }
    }

    /// Whether a figure of a group is hidden.
    pub(super) fn hides(&self, formula: &Formula, own: Hidden, whole: Hidden) -> bool {
        let aggregate = |place: &usize| match self.counted.get(*place) {
            Some(None) => own.rows,
            _ => own.others,
        };
        match formula {
            Formula::Aggregate(place) | Formula::Statistic(_, place, _) => aggregate(place),
            Formula::Constant(_) => false,
            Formula::Negative(inner) | Formula::Times(inner, _) | Formula::ToFloat(inner, _) => {
                self.hides(inner, own, whole)
            }
            Formula::Exact(_, a, b) | Formula::Float(_, a, b) => {
                self.hides(a, own, whole) || self.hides(b, own, whole)
            }
            Formula::Share(inner) => {
                self.hides(inner, own, whole) || self.hides(inner, whole, whole)
            }
        }
    }
}

/// How the groups of a key are numbered, with those above them.
struct Nodes<'a> {
    kind: &'a GroupKind,
    tree: &'a PathTree,
    numbers: HashMap<(usize, Cell), Node>,
}

impl Nodes<'_> {
    fn number(&mut self, level: usize, cell: Cell) -> Node {
        let next = Node::try_from(self.numbers.len() + 1).unwrap_or(Node::MAX);
        *self.numbers.entry((level, cell)).or_insert(next)
    }

    /// The node of a cell and those above it, up to all.
    fn chain(&mut self, cell: &Cell) -> Vec<Node> {
        let level = match self.kind {
            GroupKind::Level(level) => Some(*level),
            GroupKind::Path => Some(self.tree.levels().len().saturating_sub(1)),
            _ => None,
        };
        let mut chain = Vec::new();
        match (level, cell) {
            (_, Cell::Total) => {}
            (Some(level), Cell::Int(code)) => {
                let code = u64::try_from(*code).unwrap_or(0);
                for above in (0..=level).rev() {
                    let place = i64::try_from(self.tree.ancestor(code, above)).unwrap_or(i64::MAX);
                    chain.push(self.number(above, Cell::Int(place)));
                }
            }
            (_, cell) => chain.push(self.number(0, cell.clone())),
        }
        chain.push(ALL);
        chain
    }
}

impl Plan {
    /// What is hidden of each group of each level; counts are rounded.
    pub(super) fn protected(
        &self,
        protection: &Protection,
        levels: &mut [Joined],
        tree: &PathTree,
    ) -> Result<Vec<Vec<Hidden>>> {
        let nodes = |group: &Group| group.kind.clone();
        let kinds: Vec<GroupKind> = self.groups.iter().map(nodes).collect();
        let mut nodes: Vec<Nodes<'_>> =
            kinds.iter().map(|kind| Nodes { kind, tree, numbers: HashMap::new() }).collect();
        let table = self.table_of(protection, levels, &mut nodes)?;
        let mut hidden = Vec::with_capacity(levels.len());
        for Joined { grouped, .. } in levels.iter() {
            let mut own = Vec::with_capacity(grouped.keys.len());
            for key in grouped.keys.iter() {
                let head = nodes
                    .iter_mut()
                    .zip(key)
                    .map(|(nodes, cell)| nodes.chain(cell).first().copied().unwrap_or(ALL));
                let mut place: Vec<Node> = head.collect();
                place.resize(self.groups.len(), ALL);
                own.push(table.hidden(&place));
            }
            hidden.push(own);
        }
        for Joined { grouped, .. } in levels {
            for column in grouped.columns.iter_mut().take(protection.counted.len()) {
                if let Column::Counts(counts) = column {
                    counts.iter_mut().for_each(|count| *count = protection.rounded(*count));
                }
            }
        }
        Ok(hidden)
    }

    /// The table of the groups, protected.
    fn table_of(
        &self,
        protection: &Protection,
        levels: &[Joined],
        nodes: &mut [Nodes<'_>],
    ) -> Result<Table> {
        let none = Joined::new(0, Vec::new());
        let first = levels.first().unwrap_or(&none);
        let groups = &first.grouped;
        let count = |by: usize, place: usize| match groups.columns.get(by) {
            Some(Column::Counts(counts)) => counts.get(place).copied().unwrap_or(0),
            _ => 0,
        };
        let told: Vec<Counted> = protection.counted.iter().flatten().copied().collect();
        // In the order of their keys, whatever order the segments gave them.
        let order = first.order();
        let mut leaves = Vec::with_capacity(order.len());
        for place in order {
            let place = place as usize;
            let key = groups.keys.get(place);
            let chains = nodes.iter_mut().zip(key).map(|(nodes, cell)| nodes.chain(cell));
            let chains: Vec<Vec<Node>> = chains.collect();
            let others = told.iter().map(|counted| count(counted.by, place)).collect();
            let counts = Counts { rows: count(protection.rows, place), others };
            leaves.push(Leaf { chains, counts });
        }
        let mut table = Table::new(&leaves, protection.publish.min_cell)?;
        let shares: Vec<bool> = told.iter().map(|counted| counted.shares).collect();
        table.protect(&shares)?;
        Ok(table)
    }
}
