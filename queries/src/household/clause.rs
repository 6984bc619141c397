//! One clause of a policy over one household: its outcome, and the compared numbers behind it.

use std::cell::Cell;

use serde::Serialize;

use super::answers::{Answers, Missing};
use super::policy::Clause;
use super::scalar::{self, Scalar};
use super::standards::{Found, Standard, Standards, Unit};
use super::{Error, Result, Text};
use crate::ast::{Comparison, Expr, ExprKind};
use crate::catalogue::{parsed, replaced};
use crate::check::Checker;
use crate::numbers::{Number, ten_to};
use crate::source::Source;

/// What a clause, or a policy, says of a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is met.
    Met,
    /// It is not met.
    NotMet,
    /// It cannot be told.
    Unknown,
}

impl Outcome {
    pub(super) fn of(truth: Option<bool>) -> Self {
        match truth {
            Some(true) => Self::Met,
            Some(false) => Self::NotMet,
            None => Self::Unknown,
        }
    }

    /// All of several.
    pub(super) fn all(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self::Met, |whole, part| match (whole, part) {
            (Self::NotMet, _) | (_, Self::NotMet) => Self::NotMet,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Met,
        })
    }

    /// One of several.
    pub(super) fn any(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self::NotMet, |whole, part| match (whole, part) {
            (Self::Met, _) | (_, Self::Met) => Self::Met,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::NotMet,
        })
    }
}

/// The nearest number for which a comparison would turn out the other way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Nearest {
    /// That number, in the unit of the clause.
    pub value: f64,
    /// How far it is from the present one.
    pub change: f64,
}

/// A clause that was asked of one household.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessable {
    /// The clause, by its word in the policy.
    pub id: String,
    /// What it asks.
    pub label: Text,
    /// What came of it.
    pub outcome: Outcome,
    /// The number that was compared, in `unit`; none where no number decides or it is unknown.
    pub value: Option<f64>,
    /// How it is compared: `<`, `<=`, `>`, `>=`, `=`, `!=`.
    pub op: Option<&'static str>,
    /// What it is compared with.
    pub threshold: Option<f64>,
    /// `yuan/month`, `yuan/year`, `yuan`, or a word of the policy: `years`, `items`.
    pub unit: String,
    /// The article of the rule.
    pub source: String,
    /// The version of the standard: `dibao_line.urban@1407@2021-01-01`.
    pub parameter: Option<String>,
    /// Whether that standard is invented.
    pub invented: bool,
    /// What would turn the clause.
    pub nearest: Option<Nearest>,
    /// What would have to be told, where the outcome is unknown.
    pub missing: Vec<Missing>,
}

/// One comparison of numbers within a clause, in its own unit: yuan where it is money.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) sign: Comparison,
    pub(super) value: Option<f64>,
    pub(super) threshold: Option<f64>,
    pub(super) money: bool,
    /// The least step of the numbers.
    step: f64,
}

impl Compared {
    pub(super) fn outcome(&self) -> Option<bool> {
        let order = self.value?.partial_cmp(&self.threshold?)?;
        Some(crate::check::holds(self.sign, order))
    }

    /// The nearest value that turns the comparison.
    pub(super) fn nearest(&self) -> Option<f64> {
        let (threshold, holds) = (self.threshold?, self.outcome()?);
        Some(match (self.sign, holds) {
            (Comparison::Less, false) | (Comparison::GreaterEqual, true) => threshold - self.step,
            (Comparison::LessEqual, true) | (Comparison::Greater, false) => threshold + self.step,
            (Comparison::Equal, true) | (Comparison::NotEqual, false) => threshold + self.step,
            _ => threshold,
        })
    }

    /// The same in a unit so many times as large.
    fn scaled(mut self, by: f64) -> Self {
        self.value = self.value.map(|v| v / by);
        self.threshold = self.threshold.map(|v| v / by);
        self
    }
}

/// Everything that clauses are asked in the light of.
pub(super) struct Light<'a> {
    pub(super) answers: &'a Answers,
    pub(super) standards: &'a Standards,
    pub(super) region: &'a str,
    pub(super) as_of: i64,
}

/// Why a parameter has no value here.
pub(super) enum Absent {
    /// It has to be told whether the household is urban.
    Urban,
    /// No standard of this name is in force here.
    Nothing(String),
    Wrong(Error),
}

/// An expression whose parameters have their values.
pub(super) struct Ready<'a> {
    pub(super) expr: Expr,
    /// The standards that were put in, in their order.
    pub(super) used: Vec<&'a Standard>,
}

impl<'a> Light<'a> {
    /// The standard of a name for this household: `NAME`, or `NAME_urban`, `NAME_rural` for that
    /// of one kind whatever the household's.
    pub(super) fn standard(&self, name: &str) -> std::result::Result<&'a Standard, Absent> {
        let (base, urban) = match (name.strip_suffix("_urban"), name.strip_suffix("_rural")) {
            (Some(base), _) => (base, Some(true)),
            (_, Some(base)) => (base, Some(false)),
            _ => (name, self.answers.urban),
        };
        match self.standards.find(base, self.region, urban, self.as_of) {
            Found::Standard(standard) => Ok(standard),
            Found::Unclear => Err(Absent::Urban),
            Found::Nothing => Err(Absent::Nothing(name.to_owned())),
        }
    }

    pub(super) fn ready(&self, rule: &str, expr: &Expr) -> std::result::Result<Ready<'a>, Absent> {
        let mut used: Vec<&Standard> = Vec::new();
        let expr = replaced(expr, &mut |name| {
            let standard = self.standard(name)?;
            used.push(standard);
            let literal = standard.literal().map_err(Absent::Wrong)?;
            parsed(rule, &literal).map_err(Absent::Wrong)
        })?;
        Ok(Ready { expr, used })
    }

    /// Calls `ask` with a checker for the rows of a table.
    pub(super) fn checked<T>(
        &self,
        rule: &str,
        table: usize,
        ask: impl FnOnce(&Checker<'_>) -> crate::Result<T>,
    ) -> Result<T> {
        let (steps, source) = (Cell::new(0), Source::text(""));
        let schema = &self.answers.schema;
        let as_of = Some(self.as_of);
        let (steps, source) = (&steps, &source);
        let checker = Checker::new(schema, None, table, as_of, (source, steps));
        ask(&checker).map_err(|source| Error::Expression { rule: rule.to_owned(), source })
    }

    /// Asks a clause of one row of its table.
    pub(super) fn clause(&self, policy: &str, clause: &Clause, row: usize) -> Result<Assessable> {
        let rule = format!("{policy}.{}", clause.id);
        let row = if clause.table == super::answers::HOUSEHOLD { 0 } else { row };
        let ready = match self.ready(&rule, &clause.expr) {
            Ok(ready) => ready,
            Err(absent) => return self.unanswered(clause, absent),
        };
        let scalar = Scalar::new(&self.answers.schema, &self.answers.rows);
        let outcome = self.checked(&rule, clause.table, |checker| {
            let condition = checker.condition(&ready.expr)?.at(clause.table);
            scalar.truth(&condition, row)
        })?;
        let mut missing: Vec<Missing> = Vec::new();
        for (table, column, row) in scalar.take_read() {
            if outcome.is_none() && self.answers.rows.cell(table, row, column).is_none() {
                for field in self.answers.missing(table, column, row) {
                    if !missing.contains(&field) {
                        missing.push(field);
                    }
                }
            }
        }
        let compared = self.checked(&rule, clause.table, |checker| {
            let mut found = Vec::new();
            comparisons(checker, &scalar, &ready.expr, (row, true), &mut found)?;
            Ok(found)
        })?;
        let standard = ready.used.first().copied();
        let (unit, by) = shown(clause, standard, compared.first());
        // Of several comparisons the first that agrees with the outcome speaks for the clause.
        let speaks = compared.iter().find(|c| c.outcome() == outcome).or(compared.first());
        let told = speaks.map(|c| c.scaled(by));
        let change = told.and_then(|c| Some((c.nearest()?, c.value?)));
        let nearest = change.map(|(nearest, value)| Nearest {
            value: rounded(nearest),
            change: rounded(nearest - value),
        });
        Ok(Assessable {
            id: clause.id.clone(),
            label: clause.label.clone(),
            outcome: Outcome::of(outcome),
            value: told.and_then(|c| tidy(&c)),
            op: told.map(|c| c.sign.sign()),
            threshold: told.and_then(|c| c.threshold).map(rounded),
            unit,
            source: clause.source.clone(),
            parameter: standard.map(Standard::label),
            invented: standard.is_some_and(|s| s.invented),
            nearest,
            missing,
        })
    }

    fn unanswered(&self, clause: &Clause, absent: Absent) -> Result<Assessable> {
        let missing = match absent {
            Absent::Wrong(error) => return Err(error),
            Absent::Urban => Missing {
                path: "family.urban".to_owned(),
                zh: "城镇或农村".to_owned(),
                en: "whether the household is urban".to_owned(),
            },
            Absent::Nothing(_) if self.region.is_empty() => Missing {
                path: "family.region".to_owned(),
                zh: "所在地区".to_owned(),
                en: "the region".to_owned(),
            },
            Absent::Nothing(name) => Missing {
                path: format!("standards.{name}"),
                zh: "当地标准".to_owned(),
                en: format!("the local standard {name}"),
            },
        };
        Ok(unasked(clause, vec![missing]))
    }
}

/// A clause that could not be asked, for want of something.
pub(super) fn unasked(clause: &Clause, missing: Vec<Missing>) -> Assessable {
    Assessable {
        id: clause.id.clone(),
        label: clause.label.clone(),
        outcome: Outcome::Unknown,
        value: None,
        op: None,
        threshold: None,
        unit: clause.unit.clone(),
        source: clause.source.clone(),
        parameter: None,
        invented: false,
        nearest: None,
        missing,
    }
}

/// The unit a clause is shown in, and how many of a year's parts that is.
fn shown(clause: &Clause, used: Option<&Standard>, first: Option<&Compared>) -> (String, f64) {
    if clause.yearly {
        return match used.map(|s| s.unit) {
            Some(Unit::YuanMonth) => ("yuan/month".to_owned(), 12.0),
            _ => ("yuan/year".to_owned(), 1.0),
        };
    }
    let money = first.is_some_and(|c| c.money);
    (if money { "yuan".to_owned() } else { clause.unit.clone() }, 1.0)
}

/// To a ten-thousandth: enough for people, without the tail of a float.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// The value for people: money to the fen, never across the threshold.
fn tidy(compared: &Compared) -> Option<f64> {
    let value = compared.value?;
    if !compared.money {
        return Some(rounded(value));
    }
    let near = (value * 100.0).round() / 100.0;
    let Some(threshold) = compared.threshold else { return Some(near) };
    Some(if near == threshold && value < threshold {
        near - 0.01
    } else if near == threshold && value > threshold {
        near + 0.01
    } else {
        near
    })
}

/// A number of the language as people count: yuan, and decimals in their place.
pub(super) fn in_main_unit(kind: Number, value: scalar::Number) -> f64 {
    let value = if kind.float { value.float() } else { value.float() / ten_to(kind.scale) as f64 };
    if kind.money { value / 100.0 } else { value }
}

fn step(kind: Number) -> f64 {
    match (kind.money, kind.float) {
        (true, _) => 0.01,
        (false, true) => 0.0,
        (false, false) => 1.0 / ten_to(kind.scale) as f64,
    }
}

/// The comparisons of numbers that an expression joins by `and`, `or` and `not`, for one row.
pub(super) fn comparisons(
    checker: &Checker<'_>,
    scalar: &Scalar<'_>,
    expr: &Expr,
    (row, straight): (usize, bool),
    found: &mut Vec<Compared>,
) -> crate::Result<()> {
    let mut pair = |sign: Comparison, left: &Expr, right: &Expr| -> crate::Result<()> {
        let (Ok((a, x)), Ok((b, y))) = (checker.number(left), checker.number(right)) else {
            return Ok(());
        };
        let number = |kind: Number, value: crate::bound::Value| {
            let value = scalar.value(&value.at(checker.table), row)?;
            crate::Result::Ok(value.map(|v| in_main_unit(kind, v)))
        };
        let (value, threshold) = (number(a, x)?, number(b, y)?);
        let step = step(a.align(b).result);
        let money = a.money || b.money;
        let sign = if straight { sign } else { inverse(sign) };
        found.push(Compared { sign, value, threshold, money, step });
        Ok(())
    };
    match &expr.kind {
        ExprKind::Compare(sign, left, right) => pair(*sign, left, right),
        ExprKind::Between(value, low, high) => {
            pair(Comparison::GreaterEqual, value, low)?;
            pair(Comparison::LessEqual, value, high)
        }
        ExprKind::Not(inner) => comparisons(checker, scalar, inner, (row, !straight), found),
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            let mut parts = parts.iter();
            parts.try_for_each(|p| comparisons(checker, scalar, p, (row, straight), found))
        }
        _ => Ok(()),
    }
}

fn inverse(sign: Comparison) -> Comparison {
    match sign {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterEqual,
        Comparison::GreaterEqual => Comparison::Less,
        Comparison::Greater => Comparison::LessEqual,
        Comparison::LessEqual => Comparison::Greater,
    }
}
