//! How many threads a question is worth.
//!
//! A thread that is called costs more than a question about a place often does: it has to be
//! started or woken, finds its processor asleep and nothing in its caches, and is waited for. So
//! what little there is to do is left to the one who asked.
//!
//! Invariant: a weight is a guess and decides who works, never what is answered.

use super::morsels::Morsel;
use crate::bound::{Condition, Term, Test, Value};
use crate::check::{Aggregate, Combine, Group, GroupKind};
use crate::plan::{Plan, Within};

/// Microseconds of work beneath which nobody is called. Tests have little to do and many threads.
pub(super) const LEAST: u64 = if cfg!(test) { 1 } else { 800 };
/// Root rows of a piece that is as much work as any.
const ROOTS: u32 = 16_384;
/// Microseconds that a piece costs whatever is asked of it.
const PIECE: u64 = 6;

/// Microseconds for a piece of what is read, about: values of a column, a set that is lifted or
/// spread, a number for each row, a text of each.
const READ: u64 = 12;
const LIFTED: u64 = 8;
const COMPUTED: u64 = 20;
const TEXTS: u64 = 200;

impl Plan {
    /// As many threads as these pieces are worth.
    pub(super) fn worth<'a>(&self, morsels: &[Morsel], within: Within<'a>) -> Within<'a> {
        if within.threads <= 1 {
            return within;
        }
        let full = self.weight();
        let cost = |morsel: &Morsel| {
            let roots = morsel.roots.end.saturating_sub(morsel.roots.start).min(ROOTS);
            PIECE + full * u64::from(roots) / u64::from(ROOTS)
        };
        let mut all = 0u64;
        for morsel in morsels {
            all += cost(morsel);
            if all >= LEAST {
                return within;
            }
        }
        Within { threads: 1, ..within }
    }

    /// Microseconds that a whole piece takes, about.
    fn weight(&self) -> u64 {
        let filter = self.filter.iter().map(|(_, condition)| of_condition(condition));
        let groups = self.groups.iter().map(of_group);
        let aggregates = self.aggregates.iter().map(of_aggregate);
        let matrix = self.matrix.iter().map(|(_, condition)| 2 + of_condition(condition));
        let list = self.list.iter().map(|list| COMPUTED * 3 * list.order.len() as u64);
        let flow = self.flow.iter().map(|flow| {
            let groups = flow.groups_before.iter().chain(&flow.groups_after);
            let sides = of_condition(&flow.before) + of_condition(&flow.after);
            sides + groups.map(of_group).sum::<u64>()
        });
        filter.chain(groups).chain(aggregates).chain(matrix).chain(list).chain(flow).sum()
    }
}

fn of_group(group: &Group) -> u64 {
    match &group.kind {
        GroupKind::Level(_) | GroupKind::Path => 1,
        GroupKind::Flag(condition) => LIFTED + of_condition(condition),
        GroupKind::Code { value, .. } => of_value(value),
        GroupKind::Band { value, .. } => COMPUTED + of_value(value),
        GroupKind::Int { value, .. } | GroupKind::Date(value) | GroupKind::Month(value) => {
            2 * COMPUTED + of_value(value)
        }
        GroupKind::Text { .. } => TEXTS,
    }
}

fn of_aggregate(aggregate: &Aggregate) -> u64 {
    let condition = aggregate.condition.as_ref().map_or(0, of_condition);
    let argument = aggregate.argument.as_ref().map_or(0, of_value);
    let own = match aggregate.combine {
        Combine::Count | Combine::Left => 1,
        Combine::DistinctRows(_) => LIFTED,
        Combine::All { .. } => 6 * COMPUTED,
        Combine::DistinctTexts { .. } => TEXTS,
        _ => LIFTED,
    };
    own + condition + argument
}

fn of_condition(condition: &Condition) -> u64 {
    match &condition.kind {
        Test::Constant(_) | Test::Within { .. } => 0,
        Test::Column { .. } | Test::ColumnKnown { .. } => 1,
        Test::Not(inner) | Test::Truth(inner) | Test::ConditionKnown(inner) => of_condition(inner),
        Test::Spread(inner) | Test::Any { condition: inner, .. } => LIFTED + of_condition(inner),
        Test::And(parts) | Test::Or(parts) | Test::FirstKnown(parts) => {
            parts.iter().map(of_condition).sum()
        }
        Test::Same(a, b) => of_condition(a) + of_condition(b),
        Test::Choose(when, a, b) => of_condition(when) + of_condition(a) + of_condition(b),
        Test::Between { value, .. } | Test::OneOf { value, .. } | Test::ValueKnown(value) => {
            LIFTED + of_value(value)
        }
        Test::Compare { left, right, .. } => LIFTED + of_value(left) + of_value(right),
        Test::SameText { .. } | Test::Matches { .. } => TEXTS,
    }
}

fn of_value(value: &Value) -> u64 {
    let all = |values: &[Value]| values.iter().map(of_value).sum::<u64>();
    match &value.kind {
        Term::Constant(_) | Term::ConstantFloat(_) => 0,
        Term::Column(_) | Term::ByPlace(_) => READ,
        Term::Spread(inner) => LIFTED + of_value(inner),
        Term::Exact(_, a, b) | Term::Float(_, a, b) => COMPUTED + of_value(a) + of_value(b),
        Term::ToFloat(inner, _)
        | Term::Absolute(inner)
        | Term::Calendar(_, inner)
        | Term::AddMonths(inner, _) => COMPUTED + of_value(inner),
        Term::Least(values) | Term::Greatest(values) | Term::Coalesce(values) => {
            COMPUTED + all(values)
        }
        Term::If(when, a, b) => COMPUTED + of_condition(when) + of_value(a) + of_value(b),
        Term::Fold(fold) => {
            let condition = fold.condition.as_ref().map_or(0, of_condition);
            COMPUTED + condition + fold.argument.as_ref().map_or(0, of_value)
        }
    }
}
