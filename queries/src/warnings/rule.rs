//! Rules as they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Error, Result, Text};
use crate::ast::{Expr, ExprKind};
use crate::catalogue::{parameters, parsed};
use crate::household::Standards;

/// The files of the catalogue, one a group.
const FILES: [&str; 8] = [
    include_str!("../../catalog/warnings/a_expenditure.toml"),
    include_str!("../../catalog/warnings/b_income.toml"),
    include_str!("../../catalog/warnings/c_population.toml"),
    include_str!("../../catalog/warnings/d_disaster.toml"),
    include_str!("../../catalog/warnings/e_request.toml"),
    include_str!("../../catalog/warnings/f_composite.toml"),
    include_str!("../../catalog/warnings/g_wrong_payment.toml"),
    include_str!("../../catalog/warnings/h_missed_aid.toml"),
];

/// How pressing a warning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 红色.
    Red,
    /// 橙色.
    Orange,
    /// 黄色.
    Yellow,
}

impl Level {
    /// The word of the level, as the registry's code list has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Orange => "orange",
            Self::Yellow => "yellow",
        }
    }
}

/// What kind of value a parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Yuan.
    Money,
    /// A plain number.
    Number,
    /// A length of time: `31 days`, `12 months`.
    Duration,
}

/// A parameter of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its kind.
    pub kind: ParameterKind,
    /// Its value as written in the language.
    pub value: String,
    /// What it is called.
    pub label: Text,
}

/// A value that is shown beside a warning, and what it was compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What it is called.
    pub label: Text,
    /// Its value, an expression of the rule's table.
    pub expression: String,
    /// The threshold, an expression too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// The unit of both: `yuan`, `persons`, `years`; empty where there is none.
    #[serde(default)]
    pub unit: String,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its number in the catalogue: `A05`.
    pub id: String,
    /// Its group, `A` to `H`.
    pub group: String,
    /// What it is called.
    pub name: Text,
    /// How pressing it is.
    pub level: Level,
    /// Contracts of the departments' files that it depends on; none where only the platform's
    /// own cases are asked.
    pub sources: Vec<String>,
    /// Days that the last period of a source may lie back.
    pub freshness_days: i64,
    /// Other days for sources that come less often, by contract.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slower: BTreeMap<String, i64>,
    /// Days in which the same subject is not warned of again.
    pub silence_days: i64,
    /// The table whose rows are asked: that of households or of persons.
    pub table: String,
    /// The condition.
    pub expression: String,
    /// What is shown beside a warning.
    pub reason: Vec<Reason>,
    /// The ground for looking at it.
    pub legal: String,
    /// Whether hits are only counted, not sent.
    #[serde(default)]
    pub trial: bool,
    /// Parameters by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

/// A reason, read.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) value: Expr,
    pub(super) threshold: Option<Expr>,
}

/// A rule with its expressions read.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) condition: Expr,
    pub(super) shown: Vec<Shown>,
    pub(super) values: BTreeMap<String, Expr>,
}

/// Rules with the standards they may name.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: Vec<Rule>,
    pub(super) read: Vec<Read>,
    pub(super) standards: Standards,
}

impl Rules {
    /// The catalogue that comes with the program.
    ///
    /// # Errors
    /// [`Error::Catalogue`] or [`Error::Expression`] when it is not sound, which a test rules out.
    pub fn built_in() -> Result<Self> {
        Self::read(&FILES, Standards::BUILTIN)
    }

    /// Reads rules from texts, and the standards they may name.
    ///
    /// # Errors
    /// As [`Rules::built_in`].
    pub fn read(files: &[&str], standards: &str) -> Result<Self> {
        let standards = Standards::read(standards)?;
        let mut rules: Vec<Rule> = Vec::new();
        for text in files {
            let file = toml::from_str::<File>(text);
            let file = file.map_err(|e| Error::Catalogue { what: format!("warnings: {e}") })?;
            rules.extend(file.rule);
        }
        let mut read = Vec::with_capacity(rules.len());
        for (place, rule) in rules.iter().enumerate() {
            let earlier = rules.get(..place).unwrap_or_default();
            if earlier.iter().any(|other| other.id == rule.id) {
                let what = format!("rule {} stands twice", rule.id);
                return Err(Error::Catalogue { what });
            }
            read.push(rule.read(&standards)?);
        }
        Ok(Self { rules, read, standards })
    }

    /// The rules, in the order of the catalogue.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of a number.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

impl Rule {
    /// Days that the last period of a source may lie back.
    #[must_use]
    pub fn freshness_of(&self, contract: &str) -> i64 {
        self.slower.get(contract).copied().unwrap_or(self.freshness_days)
    }

    fn read(&self, standards: &Standards) -> Result<Read> {
        let wrong = |what: &str| Error::Catalogue { what: format!("rule {}: {what}", self.id) };
        if self.freshness_days < 1 || self.silence_days < 0 || self.reason.is_empty() {
            return Err(wrong("needs days of freshness and of silence, and a reason"));
        }
        if !self.id.starts_with(&self.group) || self.group.len() != 1 {
            return Err(wrong("its number begins with its group"));
        }
        if self.slower.iter().any(|(name, days)| *days < 1 || !self.sources.contains(name)) {
            return Err(wrong("`slower` names a source and its days"));
        }
        let mut values = BTreeMap::new();
        for (name, parameter) in &self.parameters {
            let value = parsed(&self.id, &parameter.value)?;
            let fits = match parameter.kind {
                ParameterKind::Money | ParameterKind::Number => {
                    matches!(value.kind, ExprKind::Number(_))
                }
                ParameterKind::Duration => matches!(value.kind, ExprKind::Duration(..)),
            };
            if !fits {
                return Err(wrong(&format!("parameter `{name}` is not of its kind")));
            }
            values.insert(name.clone(), value);
        }
        let condition = parsed(&self.id, &self.expression)?;
        let mut shown = Vec::with_capacity(self.reason.len());
        for reason in &self.reason {
            let value = parsed(&self.id, &reason.expression)?;
            let threshold = match &reason.threshold {
                Some(threshold) => Some(parsed(&self.id, threshold)?),
                None => None,
            };
            shown.push(Shown { value, threshold });
        }
        let named = shown.iter().flat_map(|one| std::iter::once(&one.value).chain(&one.threshold));
        for name in std::iter::once(&condition).chain(named).flat_map(parameters) {
            let standard = standards.all().iter().any(|s| s.name == name);
            if !standard && !values.contains_key(&name) {
                return Err(wrong(&format!("no parameter and no standard `{name}`")));
            }
        }
        Ok(Read { condition, shown, values })
    }
}
