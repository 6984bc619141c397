//! A decision of case-work about the registry, as the outbox hands it over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Values of one row by column: codes by their code, money in fen, days as `2026-10-31`, flags as
/// `true` or `false`, sets as a list of codes, `null` for unknown.
pub type Values = BTreeMap<String, Value>;

/// A decision about one household, applied once. Decisions are numbered in the order in which they
/// are to be applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Its number. One at or below the last that was applied is passed over.
    pub seq: u64,
    /// The case that it comes from.
    pub case: String,
    /// When it was taken.
    #[serde(default)]
    pub at: String,
    /// The key of the household; none for the one of the head, or a new one.
    #[serde(default)]
    pub household: Option<String>,
    /// The ID number of the head of the household.
    #[serde(default)]
    pub head: Option<String>,
    /// Values of the household; a new one needs `region`.
    #[serde(default)]
    pub household_values: Values,
    /// What changes about its members.
    #[serde(default)]
    pub persons: Vec<PersonChange>,
    /// A warning as it stands now.
    #[serde(default)]
    pub warning: Option<WarningRow>,
    /// Whether the household leaves the registry.
    #[serde(default)]
    pub cancel: bool,
}

/// What changes about a member of the household, who is added if they were none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonChange {
    /// The ID number.
    pub id_number: String,
    /// Whether they leave the household.
    #[serde(default)]
    pub remove: bool,
    /// Values of the person.
    #[serde(default)]
    pub values: Values,
    /// Aid that begins; of the same kind and start as one that stands, it takes its place.
    #[serde(default)]
    pub aid: Vec<AidSpell>,
    /// Aid that ends.
    #[serde(default)]
    pub end_aid: Vec<AidEnd>,
}

/// A spell of aid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AidSpell {
    /// The code of its kind.
    pub kind: String,
    /// The day it begins.
    pub start: String,
    /// The day it ends, if that is known.
    #[serde(default)]
    pub end: Option<String>,
    /// Fen a month.
    #[serde(default)]
    pub amount: Option<i64>,
}

/// The end of all running aid of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AidEnd {
    /// The code of its kind.
    pub kind: String,
    /// The last day.
    pub end: String,
}

/// A warning as it stands; the row of the same number is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarningRow {
    /// Its number, which is the same for ever.
    pub id: String,
    /// The rule that raised it.
    #[serde(default)]
    pub rule: Option<String>,
    /// The code of its level.
    #[serde(default)]
    pub level: Option<String>,
    /// The day it was raised.
    #[serde(default)]
    pub raised_on: Option<String>,
    /// The code of its status.
    #[serde(default)]
    pub status: Option<String>,
    /// The day it was closed.
    #[serde(default)]
    pub closed_on: Option<String>,
}
