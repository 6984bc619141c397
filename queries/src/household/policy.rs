//! Policies as they are kept: who they speak of, their clauses, amounts, papers.

use serde::{Deserialize, Serialize};

use super::answers::{HOUSEHOLD, PERSON};
use super::standards::Standards;
use super::{Error, Result, Standard, Text};
use crate::ast::Expr;
use crate::catalogue::parsed;

/// The files of the catalogue, in the order in which outcomes are shown.
const FILES: [&str; 7] = [
    include_str!("../../catalog/policies/tekun.toml"),
    include_str!("../../catalog/policies/dibao.toml"),
    include_str!("../../catalog/policies/dibao_edge.toml"),
    include_str!("../../catalog/policies/rigid.toml"),
    include_str!("../../catalog/policies/temporary.toml"),
    include_str!("../../catalog/policies/disability_living.toml"),
    include_str!("../../catalog/policies/disability_care.toml"),
];

/// Whom a policy speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The household as a whole.
    Household,
    /// Each counted member.
    Person,
}

/// A clause as it is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClauseText {
    id: String,
    label: Text,
    expression: String,
    source: String,
    /// Whether a clause of a person's policy is asked of the household.
    #[serde(default)]
    of_household: bool,
    /// Whether its numbers are of a year, to be shown in the unit of the standard.
    #[serde(default)]
    yearly: bool,
    #[serde(default)]
    unit: String,
}

/// An amount as it is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountText {
    formula: Text,
    total: String,
    over: i64,
    rounding: String,
    period: String,
    #[serde(default)]
    step: Vec<StepText>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    label: Text,
    expression: String,
    #[serde(default = "one")]
    over: i64,
}

fn one() -> i64 {
    1
}

/// A policy as it is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyText {
    id: String,
    label: Text,
    subject: Subject,
    basis: String,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    excluded_by: Vec<String>,
    clause: Vec<ClauseText>,
    amount: Option<AmountText>,
    #[serde(default)]
    bring: Vec<Text>,
}

/// A clause, read.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) id: String,
    pub(super) label: Text,
    pub(super) text: String,
    pub(super) expr: Expr,
    pub(super) source: String,
    pub(super) table: usize,
    pub(super) yearly: bool,
    pub(super) unit: String,
}

/// A step that an amount is worked out by.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) label: Text,
    pub(super) expr: Expr,
    pub(super) over: i64,
}

/// The amount of a policy: an exact total, divided and rounded once.
#[derive(Debug, Clone)]
pub(super) struct AmountRule {
    pub(super) formula: Text,
    pub(super) text: String,
    pub(super) total: Expr,
    pub(super) over: i64,
    pub(super) rounding: String,
    pub(super) period: String,
    pub(super) steps: Vec<Step>,
}

/// A policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its word: `dibao`.
    pub id: String,
    /// What it is called.
    pub label: Text,
    /// Whom it speaks of.
    pub subject: Subject,
    /// The rule it follows.
    pub basis: String,
    /// Policies that must be met too.
    pub requires: Vec<String>,
    /// Policies that take its place.
    pub excluded_by: Vec<String>,
    /// What to bring.
    pub bring: Vec<Text>,
    pub(super) clauses: Vec<Clause>,
    pub(super) amount: Option<AmountRule>,
}

/// Policies and standards.
#[derive(Debug, Clone)]
pub struct PolicyBook {
    pub(super) policies: Vec<Policy>,
    pub(super) standards: Standards,
}

impl PolicyBook {
    /// The catalogue that comes with the program.
    ///
    /// # Errors
    /// [`Error::Catalogue`] or [`Error::Expression`] when it is not sound, which a test rules out.
    pub fn built_in() -> Result<Self> {
        Self::read(&FILES, Standards::BUILTIN)
    }

    /// Reads policies, each a text, and standards. A policy may name only those before it.
    ///
    /// # Errors
    /// As [`PolicyBook::built_in`].
    pub fn read(policies: &[&str], standards: &str) -> Result<Self> {
        let mut read: Vec<Policy> = Vec::with_capacity(policies.len());
        for text in policies {
            let found = toml::from_str::<PolicyText>(text);
            let found = found.map_err(|e| Error::Catalogue { what: format!("policy: {e}") })?;
            let policy = policy(found)?;
            let known = |id: &String| read.iter().any(|p| p.id == *id);
            if known(&policy.id) {
                let what = format!("policy {} stands twice", policy.id);
                return Err(Error::Catalogue { what });
            }
            let mut named = policy.requires.iter().chain(&policy.excluded_by);
            if let Some(id) = named.find(|id| !known(id)) {
                let what = format!("policy {}: no policy `{id}` before it", policy.id);
                return Err(Error::Catalogue { what });
            }
            read.push(policy);
        }
        Ok(Self { policies: read, standards: Standards::read(standards)? })
    }

    /// The policies, in their order.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Every standard, in the order of the file.
    #[must_use]
    pub fn all_standards(&self) -> &[Standard] {
        self.standards.all()
    }

    /// The standards in force for a place (2 to 12 digits) on a day, urban and rural apart.
    #[must_use]
    pub fn standards(&self, region: &str, as_of: i64) -> Vec<&Standard> {
        let mut found: Vec<&Standard> = Vec::new();
        for standard in self.standards.all() {
            for urban in [Some(true), Some(false)] {
                let best = self.standards.find(&standard.name, region, urban, as_of);
                if let super::Found::Standard(best) = best
                    && !found.iter().any(|known| std::ptr::eq(*known, best))
                {
                    found.push(best);
                }
            }
        }
        found
    }
}

impl Policy {
    /// Its clauses: word, label, expression, article of the rule.
    pub fn clauses(&self) -> impl Iterator<Item = (&str, &Text, &str, &str)> {
        self.clauses.iter().map(|c| (c.id.as_str(), &c.label, c.text.as_str(), c.source.as_str()))
    }

    /// The formula of its amount, the total before division, and what it is divided by.
    #[must_use]
    pub fn formula(&self) -> Option<(&Text, &str, i64)> {
        self.amount.as_ref().map(|a| (&a.formula, a.text.as_str(), a.over))
    }
}

fn policy(text: PolicyText) -> Result<Policy> {
    let id = text.id;
    let own = match text.subject {
        Subject::Household => HOUSEHOLD,
        Subject::Person => PERSON,
    };
    let mut clauses = Vec::with_capacity(text.clause.len());
    for clause in text.clause {
        let expr = parsed(&format!("{id}.{}", clause.id), &clause.expression)?;
        let table = if clause.of_household { HOUSEHOLD } else { own };
        clauses.push(Clause {
            id: clause.id,
            label: clause.label,
            text: clause.expression,
            expr,
            source: clause.source,
            table,
            yearly: clause.yearly,
            unit: clause.unit,
        });
    }
    let amount = match text.amount {
        Some(amount) => Some(amount_rule(&id, amount)?),
        None => None,
    };
    Ok(Policy {
        id,
        label: text.label,
        subject: text.subject,
        basis: text.basis,
        requires: text.requires,
        excluded_by: text.excluded_by,
        bring: text.bring,
        clauses,
        amount,
    })
}

fn amount_rule(policy: &str, text: AmountText) -> Result<AmountRule> {
    let rule = format!("{policy}.amount");
    if text.over < 1 || text.step.iter().any(|step| step.over < 1) {
        return Err(Error::Catalogue { what: format!("{rule}: `over` is 1 or more") });
    }
    let mut steps = Vec::with_capacity(text.step.len());
    for step in text.step {
        let expr = parsed(&rule, &step.expression)?;
        steps.push(Step { label: step.label, expr, over: step.over });
    }
    Ok(AmountRule {
        formula: text.formula,
        total: parsed(&rule, &text.total)?,
        text: text.total,
        over: text.over,
        rounding: text.rounding,
        period: text.period,
        steps,
    })
}
