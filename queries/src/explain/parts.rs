//! The parts of a plan as steps: conditions, values, groups, aggregates, columns of lists.

use yiku::Predicate;
use yiku::schema::Kind;
use yiku::segment::Access;

use super::outline::{Leaf, Node, Teller, VALUES};
use super::probe::{About, Key, key};
use super::words::Words;
use crate::bound::{Condition, Fold, Term, Test, Value};
use crate::check::{Aggregate, Combine, Group, GroupKind, Listed, ListedKind};
use crate::error::Result;

impl Teller<'_> {
    /// The worst that serves a predicate in any segment.
    fn served(&self, table: usize, column: usize, predicate: &Predicate) -> Result<&'static str> {
        let mut worst = 0;
        for segment in self.segments {
            worst = worst.max(match segment.column(table, column)?.served_by(predicate) {
                Access::PathRange => 1,
                Access::Index => 2,
                Access::ZoneMap => 3,
                _ => 4,
            });
        }
        // What zone maps tell is of all rows of a block: within a place it is nobody's business.
        let hidden = self.plan.scope.is_some();
        Ok(match worst {
            0 => "no segment",
            1 => "path range",
            2 => "index",
            3 if !hidden => "zone map",
            _ => "scan",
        })
    }

    pub(super) fn condition(&self, condition: &Condition) -> Result<Node> {
        let table = condition.table;
        let own = key(About::Condition, condition);
        let clause = Words { home: table, ..self.words }.condition(condition);
        let node = |by: &str| Node::new(own, clause.clone(), by, Some(table));
        Ok(match &condition.kind {
            Test::Constant(_) => node("constant"),
            Test::Column { column, predicate } => {
                let by = self.served(table, *column, predicate)?;
                node(by).reading(&[(table, *column)], Leaf::Predicate)
            }
            Test::ColumnKnown { column } => {
                let by = self.served(table, *column, &Predicate::Known)?;
                node(by).reading(&[(table, *column)], Leaf::Predicate)
            }
            Test::Within { .. } => {
                let path = (0, self.plan.schema.path_column());
                node("path range").reading(&[path], Leaf::Path)
            }
            Test::Between { value, .. } | Test::OneOf { value, .. } | Test::ValueKnown(value) => {
                node(VALUES).of(self.values(value)?).absorbed()
            }
            Test::SameText { left, right } => node("texts").reading(&[*left, *right], Leaf::Texts),
            Test::Matches { column, candidates, .. } => {
                let key = self.plan.schema.tables.get(table).map_or(0, |t| t.key);
                let words = [(table, *column), (table, key)];
                match candidates {
                    Some(_) => node("words").reading(&words, Leaf::Texts),
                    None => node("scan").reading(&words[..1], Leaf::Texts),
                }
            }
            Test::Compare { left, right, .. } => {
                let mut parts = self.values(left)?;
                parts.extend(self.values(right)?);
                node(VALUES).of(parts).absorbed()
            }
            // The step is that of the whole: which side of it is asked for is its own affair.
            Test::Not(inner) | Test::Truth(inner) | Test::ConditionKnown(inner) => {
                let inner = self.condition(inner)?;
                Node { key: Some(own), clause, ..inner }
            }
            Test::Choose(when, a, b) => self.parted(node("if"), [&**when, a, b])?,
            Test::FirstKnown(parts) => self.parted(node("first known"), parts)?,
            Test::Same(a, b) => self.parted(node("both alike"), [&**a, b])?,
            Test::And(parts) => self.parted(node("all of"), parts)?,
            Test::Or(parts) => self.parted(node("one of"), parts)?,
            Test::Spread(inner) => {
                let by = format!("spread {}", self.words.table(inner.table));
                self.parted(node(&by), [&**inner])?
            }
            Test::Any { child, condition } => {
                let by = format!("lift {}", self.words.table(*child));
                self.parted(node(&by), [&**condition])?
            }
        })
    }

    fn parted<'c>(
        &self,
        node: Node,
        parts: impl IntoIterator<Item = &'c Condition>,
    ) -> Result<Node> {
        let parts: Result<_> = parts.into_iter().map(|part| self.condition(part)).collect();
        Ok(node.of(parts?))
    }

    /// The steps that make a value: columns, what is spread, what is folded.
    fn values(&self, value: &Value) -> Result<Vec<Node>> {
        let table = value.table;
        let own = key(About::Value, value);
        let clause = || Words { home: table, ..self.words }.value(value);
        let all = |list: &[&Value]| -> Result<Vec<Node>> {
            let parts: Result<Vec<_>> = list.iter().map(|value| self.values(value)).collect();
            Ok(parts?.into_iter().flatten().collect())
        };
        Ok(match &value.kind {
            Term::Constant(_) | Term::ConstantFloat(_) => Vec::new(),
            Term::ByPlace(_) => {
                let node = Node::new(own, clause(), "path range", Some(table));
                vec![node.reading(&[(0, self.plan.schema.path_column())], Leaf::Path)]
            }
            Term::Column(column) => {
                let node = Node::new(own, clause(), VALUES, Some(table));
                vec![node.reading(&[(table, *column)], Leaf::Values)]
            }
            Term::Spread(inner) => {
                let by = format!("spread {}", self.words.table(inner.table));
                let node = Node::new(own, clause(), by, Some(table));
                vec![node.of(self.values(inner)?).absorbed()]
            }
            Term::Exact(_, a, b) | Term::Float(_, a, b) => all(&[a, b])?,
            Term::ToFloat(inner, _)
            | Term::Absolute(inner)
            | Term::Calendar(_, inner)
            | Term::AddMonths(inner, _) => self.values(inner)?,
            Term::Least(list) | Term::Greatest(list) | Term::Coalesce(list) => {
                all(&list.iter().collect::<Vec<_>>())?
            }
            Term::If(when, a, b) => {
                let mut parts = vec![self.condition(when)?];
                parts.extend(all(&[a, b])?);
                parts
            }
            Term::Fold(fold) => {
                let node = self.fold(fold, table)?;
                vec![Node { key: Some(own), clause: clause(), ..node }]
            }
        })
    }

    fn fold(&self, fold: &Fold, table: usize) -> Result<Node> {
        let mut parts = Vec::new();
        if let Some(condition) = &fold.condition {
            parts.push(self.condition(condition)?);
        }
        if let Some(argument) = &fold.argument {
            parts.extend(self.values(argument)?);
        }
        let by = format!("lift {}", self.words.table(fold.child));
        let node =
            Node { key: None, ..Node::new((About::Value, 0), String::new(), by, Some(table)) };
        Ok(node.of(parts).absorbed())
    }

    pub(super) fn group(&self, group: &Group, word: &str) -> Result<Node> {
        let clause = format!("{word} {}", group.name);
        self.grouping(&group.kind, key(About::Group, group), clause)
    }

    fn grouping(&self, kind: &GroupKind, own: Key, clause: String) -> Result<Node> {
        let node = |by: &str| Node::new(own, clause.clone(), by, Some(self.plan.table));
        Ok(match kind {
            GroupKind::Level(_) | GroupKind::Path => {
                let path = (0, self.plan.schema.path_column());
                node("path runs").reading(&[path], Leaf::Values)
            }
            GroupKind::Code { value, .. }
            | GroupKind::Int { value, .. }
            | GroupKind::Date(value)
            | GroupKind::Month(value)
            | GroupKind::Band { value, .. } => node(VALUES).of(self.values(value)?).absorbed(),
            GroupKind::Flag(condition) => node("both sides").of(vec![self.condition(condition)?]),
            GroupKind::Text { table, column } => {
                node("texts").reading(&[(*table, *column)], Leaf::Texts)
            }
        })
    }

    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> Result<Node> {
        let mut parts = Vec::new();
        if let Some(condition) = &aggregate.condition {
            parts.push(self.condition(condition)?);
        }
        if let Some(argument) = &aggregate.argument {
            parts.extend(self.values(argument)?);
        }
        let by = match (aggregate.combine, &aggregate.argument) {
            (Combine::DistinctTexts { .. }, _) => "texts",
            (_, Some(_)) => VALUES,
            (_, None) => "counted",
        };
        let clause = format!("measure {}", self.words.aggregate(aggregate));
        let own = key(About::Aggregate, aggregate);
        let node = Node::new(own, clause, by, Some(self.plan.table)).of(parts);
        Ok(match aggregate.combine {
            Combine::DistinctTexts { table, column } => {
                node.reading(&[(table, column)], Leaf::Texts)
            }
            _ => node.absorbed(),
        })
    }

    /// A column of a list. What it is made of is not told apart: it is read for few rows.
    pub(super) fn listed(&self, column: &Listed, part: About, word: &str) -> Result<Node> {
        let (own, clause) = (key(part, column), format!("{word} {}", column.name));
        let mut node = match &column.kind {
            ListedKind::Group(kind) => self.grouping(kind, own, clause)?,
            ListedKind::Number(_, value) => {
                Node::new(own, clause, VALUES, Some(self.plan.table)).of(self.values(value)?)
            }
            ListedKind::Codes { table, column, .. } => {
                let node = Node::new(own, clause, VALUES, Some(self.plan.table));
                node.reading(&[(*table, *column)], Leaf::Values)
            }
        };
        let mut parts = std::mem::take(&mut node.parts);
        while let Some(mut part) = parts.pop() {
            node.columns.append(&mut part.columns);
            parts.append(&mut part.parts);
        }
        node.columns.sort_unstable();
        node.columns.dedup();
        let of = |(table, column): &(usize, usize)| {
            self.plan.schema.tables.get(*table).and_then(|t| t.columns.get(*column)).map(|c| c.kind)
        };
        let text =
            node.columns.iter().any(|c| of(c).is_some_and(|k| matches!(k, Kind::Text | Kind::Id)));
        node.leaf = if text { Leaf::Texts } else { Leaf::Values };
        Ok(node)
    }
}
