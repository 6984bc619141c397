//! The rules over one snapshot.

use std::convert::Infallible;

use serde::Serialize;
use yiku::Snapshot;

use super::rule::{Read, Rule, Rules};
use super::{Error, Result, Text};
use crate::ast::{Expr, ExprKind};
use crate::catalogue::replaced;
use crate::plan::Limits;
use crate::run::{Selection, Subject, subjects};
use crate::source::Span;

/// A value that a warning rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonShown {
    /// What it is called.
    pub label: Text,
    /// The value as people write it: yuan, days, labels of codes; none where unknown.
    pub value: Option<String>,
    /// What it was compared with.
    pub threshold: Option<String>,
    /// The unit of both.
    pub unit: String,
}

/// A household, or a person of it, that a rule points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The key of the household.
    pub household: String,
    /// Digits of its place.
    pub region: String,
    /// The key of the person, where the rule is about persons.
    pub person: Option<String>,
    /// The values.
    pub reasons: Vec<ReasonShown>,
}

/// What came of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was evaluated; the subjects it points at, in the order of places and keys. Without any
    /// it does not fire.
    Fires {
        /// The subjects.
        hits: Vec<Hit>,
    },
    /// It was not evaluated, for a source is late: nothing can be said of anybody.
    NotEvaluated {
        /// The contract of the source.
        source: String,
        /// The last day that it spoke of (days since 1970-01-01); none where it never came.
        last: Option<i64>,
    },
}

/// A rule with what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleOutcome {
    /// The rule.
    pub rule: String,
    /// Its sources with the last day each spoke of.
    pub sources: Vec<(String, Option<i64>)>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl RuleOutcome {
    /// The subjects that the rule points at.
    #[must_use]
    pub fn hits(&self) -> &[Hit] {
        match &self.outcome {
            Outcome::Fires { hits } => hits,
            Outcome::NotEvaluated { .. } => &[],
        }
    }
}

/// Evaluates every rule over a snapshot, as of its day. `sources` are the contracts that have
/// come with the last day of their last period (days since 1970-01-01); `threads` segments are
/// read at a time.
///
/// # Errors
/// [`Error::Expression`] when a rule does not suit the snapshot's schema or the database cannot
/// be read; also when the snapshot has no day.
pub fn evaluate(
    rules: &Rules,
    snapshot: &Snapshot,
    sources: &[(String, i64)],
    threads: usize,
) -> Result<Vec<RuleOutcome>> {
    let day = snapshot.as_of().ok_or_else(|| wrong("warnings", crate::Error::MissingAsOf))?;
    let limits = Limits { threads, ..Limits::default() };
    let (mut found, mut selections) = (Vec::new(), Vec::new());
    for (rule, read) in rules.all().iter().zip(&rules.read) {
        let last = |contract: &String| {
            let of = sources.iter().filter(|(name, _)| name == contract);
            (contract.clone(), of.map(|(_, last)| *last).max())
        };
        let sources: Vec<(String, Option<i64>)> = rule.sources.iter().map(last).collect();
        let is_late = |(contract, last): &&(String, Option<i64>)| {
            last.is_none_or(|last| last.saturating_add(rule.freshness_of(contract)) < day)
        };
        let late = sources.iter().find(is_late);
        let outcome = match late {
            Some((source, last)) => Outcome::NotEvaluated { source: source.clone(), last: *last },
            None => {
                selections.push(selection(rules, (rule, read), snapshot, day)?);
                Outcome::Fires { hits: Vec::new() }
            }
        };
        found.push(RuleOutcome { rule: rule.id.clone(), sources, outcome });
    }
    let answered = subjects(snapshot, &selections, &limits);
    let mut answered = answered.map_err(|source| wrong("warnings", source))?.into_iter();
    for (outcome, rule) in found.iter_mut().zip(rules.all()) {
        if let Outcome::Fires { hits } = &mut outcome.outcome {
            let subjects = answered.next().unwrap_or_default();
            *hits = subjects.into_iter().map(|subject| hit(rule, subject)).collect();
        }
    }
    Ok(found)
}

fn wrong(rule: &str, source: crate::Error) -> Error {
    Error::Expression { rule: rule.to_owned(), source }
}

fn hit(rule: &Rule, subject: Subject) -> Hit {
    let mut shown = subject.shown.into_iter();
    let reasons = rule.reason.iter().map(|reason| ReasonShown {
        label: reason.label.clone(),
        value: shown.next().flatten(),
        threshold: reason.threshold.as_ref().and_then(|_| shown.next().flatten()),
        unit: reason.unit.clone(),
    });
    let reasons = reasons.collect();
    Hit { household: subject.root, region: subject.region, person: subject.own, reasons }
}

/// A rule bound to a snapshot: its condition, then each reason's value and threshold.
fn selection(
    rules: &Rules,
    (rule, read): (&Rule, &Read),
    snapshot: &Snapshot,
    day: i64,
) -> Result<Selection> {
    let schema = snapshot.schema();
    let table = schema
        .table_index(&rule.table)
        .filter(|table| *table == 0 || schema.tables.get(*table).and_then(|t| t.parent) == Some(0));
    let table = table.ok_or_else(|| Error::Catalogue {
        what: format!(
            "rule {}: `{}` is neither the root table nor beneath it",
            rule.id, rule.table
        ),
    })?;
    let ready = |expr: &Expr| {
        let found = replaced(expr, &mut |name| {
            let own = read.values.get(name).cloned();
            // What is no parameter of the rule is a standard, by the place of the row.
            let kind = || ExprKind::Parameter(name.to_owned());
            let standard = || Expr { kind: kind(), span: Span::default() };
            Ok::<_, Infallible>(own.unwrap_or_else(standard))
        });
        match found {
            Ok(expr) => expr,
            Err(never) => match never {},
        }
    };
    let mut shown = Vec::with_capacity(read.shown.len() * 2);
    for (reason, read) in rule.reason.iter().zip(&read.shown) {
        let yuan = reason.unit == "yuan";
        shown.push((ready(&read.value), yuan));
        shown.extend(read.threshold.as_ref().map(|threshold| (ready(threshold), yuan)));
    }
    let condition = ready(&read.condition);
    Selection::new(snapshot, (table, &rules.standards), &condition, &shown, day)
        .map_err(|source| wrong(&rule.id, source))
}

/// The keys of the households of which the condition of a rule is unknown, or is of a person.
#[cfg(test)]
pub(super) fn unknown_to(
    rules: &Rules,
    id: &str,
    snapshot: &Snapshot,
) -> Result<std::collections::BTreeSet<String>> {
    let day = snapshot.as_of().unwrap_or(0);
    let mut pairs = rules.all().iter().zip(&rules.read).filter(|(rule, _)| rule.id == id);
    let Some((rule, read)) = pairs.next() else { return Ok(Default::default()) };
    let unknown = ExprKind::Is(Box::new(read.condition.clone()), false);
    let condition = Expr { kind: unknown, span: Span::default() };
    let read = Read { condition, ..read.clone() };
    let selection = selection(rules, (rule, &read), snapshot, day)?;
    let found = subjects(snapshot, &[selection], &Limits::default());
    let found = found.map_err(|source| wrong(id, source))?;
    Ok(found.into_iter().flatten().map(|subject| subject.root).collect())
}
