//! How a plan is answered, clause by clause.
//!
//! The rows of a clause are counted, not guessed: every clause is asked alone of every segment.

use std::collections::BTreeSet;

use yiku::segment::Access;
use yiku::{Predicate, Segment, Snapshot};

use crate::answer::Step;
use crate::bound::{Condition, Term, Test, Value};
use crate::check::{Aggregate, Combine, GroupKind, Listed, ListedKind};
use crate::error::Result;
use crate::plan::{Limits, Plan};

/// Columns by table and place.
type Columns = BTreeSet<(usize, usize)>;

/// Describes the parts of a plan in the light of its largest segment.
struct Teller<'a> {
    plan: &'a Plan,
    segment: Option<&'a Segment>,
    columns: Columns,
}

impl Plan {
    /// How each clause is answered: which index, zone map or scan serves it, how many rows it
    /// leaves, and in the last step which segments and columns are read.
    ///
    /// # Errors
    /// As [`Plan::run`]: the clauses of the filter are answered to count their rows.
    pub fn steps(&self, snapshot: &Snapshot) -> Result<Vec<Step>> {
        self.fits(snapshot)?;
        let largest = snapshot.segments().iter().max_by_key(|s| s.rows(self.table));
        let mut teller = Teller { plan: self, segment: largest, columns: Columns::new() };
        let mut steps = Vec::new();
        let limits = Limits::default();
        let name = self.schema.tables.get(self.table).map_or("", |t| t.name.as_str());
        let (all, access) = match &self.scope {
            None => (snapshot.rows(self.table), "live set".to_owned()),
            Some(scope) => {
                let access =
                    format!("live set, {} within {}", self.schema.path.name, scope.prefix());
                (self.count(snapshot, &[], &limits)?.0, access)
            }
        };
        steps.push(Step { clause: format!("from {name}"), access, rows: Some(all) });
        for (text, condition) in &self.filter {
            let rows = self.count(snapshot, std::slice::from_ref(condition), &limits)?.0;
            let access = teller.condition(condition)?;
            steps.push(Step { clause: format!("where {text}"), access, rows: Some(rows) });
        }
        for group in &self.groups {
            let access = teller.group(&group.kind)?;
            steps.push(Step { clause: format!("by {}", group.name), access, rows: None });
        }
        for aggregate in &self.aggregates {
            let step = teller.aggregate(aggregate)?;
            steps.push(step);
        }
        for (name, condition) in &self.matrix {
            let access = teller.condition(condition)?;
            steps.push(Step { clause: format!("matrix {name}"), access, rows: None });
        }
        for column in self.list.iter().flat_map(|list| &list.columns) {
            let access = teller.listed(column)?;
            steps.push(Step { clause: format!("select {}", column.name), access, rows: None });
        }
        let conditions: Vec<Condition> = self.filter.iter().map(|(_, c)| c.clone()).collect();
        let (rows, read) = self.count(snapshot, &conditions, &limits)?;
        let columns: Vec<String> = teller
            .columns
            .iter()
            .map(|(table, column)| self.column_name(*table, *column))
            .collect();
        steps.push(Step {
            clause: "read".to_owned(),
            access: format!(
                "segments: {read} of {} with matching rows; columns: {}",
                snapshot.segments().len(),
                if columns.is_empty() { "none".to_owned() } else { columns.join(", ") }
            ),
            rows: Some(rows),
        });
        Ok(steps)
    }

    /// The columns that the question reads, by table and place: of its filter, groups and
    /// measures. Whoever may not see a column is refused before a row is read.
    ///
    /// # Errors
    /// As [`Plan::run`].
    pub fn columns(&self) -> Result<BTreeSet<(usize, usize)>> {
        let mut teller = Teller { plan: self, segment: None, columns: Columns::new() };
        for (_, condition) in &self.filter {
            teller.condition(condition)?;
        }
        for group in &self.groups {
            teller.group(&group.kind)?;
        }
        for aggregate in &self.aggregates {
            teller.aggregate(aggregate)?;
        }
        for column in self.list.iter().flat_map(|list| &list.columns) {
            teller.listed(column)?;
        }
        for (_, condition) in &self.matrix {
            teller.condition(condition)?;
        }
        Ok(teller.columns)
    }

    fn column_name(&self, table: usize, column: usize) -> String {
        let table = self.schema.tables.get(table);
        let column = table.and_then(|t| t.columns.get(column));
        let name = |name: Option<&String>| name.cloned().unwrap_or_default();
        format!("{}.{}", name(table.map(|t| &t.name)), name(column.map(|c| &c.name)))
    }
}

impl Teller<'_> {
    fn table(&self, table: usize) -> String {
        let found = self.plan.schema.tables.get(table);
        found.map_or_else(String::new, |t| t.name.clone())
    }

    fn column(&mut self, table: usize, column: usize) -> String {
        self.columns.insert((table, column));
        self.plan.column_name(table, column)
    }

    fn served(&self, table: usize, column: usize, predicate: &Predicate) -> Result<&'static str> {
        let Some(segment) = self.segment else { return Ok("no segment") };
        Ok(match segment.column(table, column)?.served_by(predicate) {
            Access::PathRange => "path range",
            Access::Index => "index",
            Access::ZoneMap => "zone map",
            _ => "scan",
        })
    }

    fn condition(&mut self, condition: &Condition) -> Result<String> {
        let table = condition.table;
        Ok(match &condition.kind {
            Test::Constant(value) => format!("always {value}"),
            Test::Column { column, predicate } => {
                let name = self.column(table, *column);
                format!("{} {name}", self.served(table, *column, predicate)?)
            }
            Test::ColumnKnown { column } => format!("known {}", self.column(table, *column)),
            Test::Within { ranges } => format!("path range x{}", ranges.len()),
            Test::Between { value, .. } | Test::OneOf { value, .. } | Test::ValueKnown(value) => {
                format!("per row: {}", self.value(value)?)
            }
            Test::Compare { left, right, .. } => {
                format!("per row: {}, {}", self.value(left)?, self.value(right)?)
            }
            Test::SameText { left, right } => {
                format!(
                    "per row: {}, {}",
                    self.column(left.0, left.1),
                    self.column(right.0, right.1)
                )
            }
            Test::Matches { column, candidates, .. } => {
                let name = self.column(condition.table, *column);
                match candidates {
                    Some((_, keys)) => match keys.as_ref() {
                        Predicate::TextIn(keys) => format!("words: {} rows of {name}", keys.len()),
                        _ => format!("words: {name}"),
                    },
                    None => format!("scan {name}"),
                }
            }
            Test::Not(inner) => format!("not ({})", self.condition(inner)?),
            Test::Truth(inner) | Test::ConditionKnown(inner) => self.condition(inner)?,
            Test::Choose(when, a, b) => {
                let when = self.condition(when)?;
                format!("if ({when}) {}, {}", self.condition(a)?, self.condition(b)?)
            }
            Test::FirstKnown(parts) => self.parts(parts, ", else ")?,
            Test::Same(a, b) => format!("{} = {}", self.condition(a)?, self.condition(b)?),
            Test::And(parts) => self.parts(parts, " and ")?,
            Test::Or(parts) => self.parts(parts, " or ")?,
            Test::Spread(inner) => {
                let inner_text = self.condition(inner)?;
                let (from, to) = (self.table(inner.table), self.table(table));
                format!("spread {from} -> {to} ({inner_text})")
            }
            Test::Any { child, condition: inner } => {
                let inner = self.condition(inner)?;
                let (from, to) = (self.table(*child), self.table(table));
                format!("lift {from} -> {to} ({inner})")
            }
        })
    }

    fn parts(&mut self, parts: &[Condition], word: &str) -> Result<String> {
        let told: Result<Vec<_>> = parts
            .iter()
            .map(|part| {
                let told = self.condition(part)?;
                let several = matches!(part.kind, Test::And(_) | Test::Or(_));
                Ok(if several { format!("({told})") } else { told })
            })
            .collect();
        Ok(told?.join(word))
    }

    fn value(&mut self, value: &Value) -> Result<String> {
        let table = value.table;
        Ok(match &value.kind {
            Term::Constant(_) | Term::ConstantFloat(_) => "constant".to_owned(),
            Term::Column(column) => format!("values {}", self.column(table, *column)),
            Term::Spread(inner) => {
                let text = self.value(inner)?;
                let (from, to) = (self.table(inner.table), self.table(table));
                format!("spread {from} -> {to} ({text})")
            }
            Term::Exact(_, a, b) | Term::Float(_, a, b) => {
                format!("{}, {}", self.value(a)?, self.value(b)?)
            }
            Term::ToFloat(inner, _)
            | Term::Absolute(inner)
            | Term::Calendar(_, inner)
            | Term::AddMonths(inner, _) => self.value(inner)?,
            Term::Least(values) | Term::Greatest(values) | Term::Coalesce(values) => {
                let told: Result<Vec<_>> = values.iter().map(|v| self.value(v)).collect();
                told?.join(", ")
            }
            Term::If(condition, a, b) => {
                let condition = self.condition(condition)?;
                format!("if ({condition}) {}, {}", self.value(a)?, self.value(b)?)
            }
            Term::ByPlace(ranges) => {
                let path = self.column(0, self.plan.schema.path_column());
                format!("path ranges: {} of {path}", ranges.len())
            }
            Term::Fold(fold) => {
                let mut told = Vec::new();
                if let Some(condition) = &fold.condition {
                    told.push(self.condition(condition)?);
                }
                if let Some(argument) = &fold.argument {
                    told.push(self.value(argument)?);
                }
                if told.is_empty() {
                    told.push("offsets".to_owned());
                }
                let (from, to) = (self.table(fold.child), self.table(table));
                format!("lift {from} -> {to} ({})", told.join("; "))
            }
        })
    }

    fn group(&mut self, kind: &GroupKind) -> Result<String> {
        Ok(match kind {
            GroupKind::Level(_) | GroupKind::Path => {
                let path = self.column(0, self.plan.schema.path_column());
                format!("runs of {path}")
            }
            GroupKind::Code { value, .. }
            | GroupKind::Int { value, .. }
            | GroupKind::Date(value)
            | GroupKind::Month(value)
            | GroupKind::Band { value, .. } => self.value(value)?,
            GroupKind::Flag(condition) => self.condition(condition)?,
            GroupKind::Text { table, column } => format!("texts {}", self.column(*table, *column)),
        })
    }

    fn listed(&mut self, column: &Listed) -> Result<String> {
        Ok(match &column.kind {
            ListedKind::Group(kind) => self.group(kind)?,
            ListedKind::Number(_, value) => self.value(value)?,
            ListedKind::Codes { table, column, .. } => self.column(*table, *column),
        })
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Step> {
        let word = match aggregate.combine {
            Combine::Count => "count".to_owned(),
            Combine::Left => "outflow".to_owned(),
            Combine::Sum { .. } => "sum".to_owned(),
            Combine::Average { .. } => "avg".to_owned(),
            Combine::Least { .. } => "min".to_owned(),
            Combine::Greatest { .. } => "max".to_owned(),
            Combine::DistinctRows(above) => format!("count_distinct {}", self.table(above)),
            Combine::DistinctValues => "count_distinct".to_owned(),
            Combine::Moments => "sums of squares".to_owned(),
            Combine::All { .. } => "values in order".to_owned(),
            Combine::Bins { .. } => "histogram".to_owned(),
            Combine::DistinctTexts { table, column } => {
                format!("count_distinct {}", self.column(table, column))
            }
        };
        let mut told = Vec::new();
        if let Some(condition) = &aggregate.condition {
            told.push(format!("where {}", self.condition(condition)?));
        }
        if let Some(argument) = &aggregate.argument {
            told.push(self.value(argument)?);
        }
        let access = if told.is_empty() { "counted".to_owned() } else { told.join("; ") };
        Ok(Step { clause: format!("measure {word}"), access, rows: None })
    }
}
