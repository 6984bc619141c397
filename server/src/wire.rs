//! An answer as JSON: columns, not rows.
//!
//! Invariant: an integer that a reader with floating-point numbers would change is a text.

use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use yiku::Snapshot;
use yiku_queries::{Answer, AnswerColumn, Explained, Text, Values};

use crate::http::signed::Scope;
use crate::question::Told;

/// The greatest integer up to which floating-point numbers hold every integer.
const EXACT_MAX: u64 = 1 << 53;

/// A figure of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Figure {
    Int(i64),
    Float(f64),
}

impl Figure {
    /// The figure as a floating-point number, for the purposes of a picture.
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(value) if value.unsigned_abs() > EXACT_MAX => serializer.collect_str(value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
        }
    }
}

/// What every answer says of the data it came from.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Origin {
    pub(crate) data_version: String,
    pub(crate) as_of: Option<String>,
    /// The place that it is of, where whoever asks does not see everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
}

impl Origin {
    /// Of a snapshot, for everybody alike.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let as_of = snapshot.as_of().map(yiku::calendar::date_text);
        Self { data_version: snapshot.version().to_string(), as_of, scope: None }
    }

    /// Of the rows of a snapshot in a scope.
    pub(crate) fn within(snapshot: &Snapshot, scope: &Scope) -> Self {
        Self { scope: scope.prefix().map(str::to_owned), ..Self::of(snapshot) }
    }
}

/// An answer.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerBody<'a> {
    #[serde(flatten)]
    origin: Origin,
    columns: Vec<ColumnBody<'a>>,
    #[serde(skip_serializing_if = "<[u8]>::is_empty")]
    levels: &'a [u8],
    rows: usize,
    total_rows: usize,
    truncated: bool,
    limit: Option<usize>,
    matched: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
}

/// How a question was answered.
#[derive(Debug, Serialize)]
pub(crate) struct PlanBody<'a> {
    #[serde(flatten)]
    origin: Origin,
    explain: &'a Explained,
}

/// What a question is answered with.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ToldBody<'a> {
    Answer(AnswerBody<'a>),
    Plan(PlanBody<'a>),
}

impl<'a> ToldBody<'a> {
    /// The body of what a question over the rows of a scope is answered with.
    pub(crate) fn of(told: &'a Told, snapshot: &Snapshot, scope: &Scope) -> Self {
        match told {
            Told::Answer(answer) => Self::Answer(AnswerBody::of(answer, scope)),
            Told::Plan(explain) => Self::Plan(PlanBody::of(explain, snapshot, scope)),
        }
    }
}

impl<'a> PlanBody<'a> {
    /// The body of how a question over the rows of a scope was answered.
    pub(crate) fn of(explain: &'a Explained, snapshot: &Snapshot, scope: &Scope) -> Self {
        Self { origin: Origin::within(snapshot, scope), explain }
    }
}

#[derive(Debug, Serialize)]
struct ColumnBody<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    role: &'static str,
    unit: Option<&'a str>,
    values: ValuesBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [Option<Text>]>,
    #[serde(skip_serializing_if = "<[bool]>::is_empty")]
    hidden: &'a [bool],
}

#[derive(Debug)]
struct ValuesBody<'a>(&'a Values);

impl Serialize for ValuesBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        match self.0 {
            Values::Int(values) => {
                values.iter().try_for_each(|v| list.serialize_element(&v.map(Figure::Int)))?;
            }
            Values::Float(values) => {
                values.iter().try_for_each(|v| list.serialize_element(&v.map(Figure::Float)))?;
            }
            Values::Text(values) => {
                values.iter().try_for_each(|v| list.serialize_element(v))?;
            }
            Values::TextLists(values) => {
                values.iter().try_for_each(|v| list.serialize_element(v))?;
            }
            Values::IntLists(values) => {
                let figures = |list: &Vec<i64>| list.iter().copied().map(Figure::Int).collect();
                let lists = values.iter().map(|v| v.as_ref().map(figures));
                lists.into_iter().try_for_each(|v: Option<Vec<_>>| list.serialize_element(&v))?;
            }
            Values::FloatLists(values) => {
                let figures = |list: &Vec<f64>| list.iter().copied().map(Figure::Float).collect();
                let lists = values.iter().map(|v| v.as_ref().map(figures));
                lists.into_iter().try_for_each(|v: Option<Vec<_>>| list.serialize_element(&v))?;
            }
        }
        list.end()
    }
}

impl<'a> AnswerBody<'a> {
    /// The body of an answer over the rows of a scope.
    pub(crate) fn of(answer: &'a Answer, scope: &Scope) -> Self {
        let as_of = Some(answer.as_of.clone()).filter(|day| !day.is_empty());
        let scope = scope.prefix().map(str::to_owned);
        Self {
            origin: Origin { data_version: answer.version.to_string(), as_of, scope },
            columns: answer.columns.iter().map(ColumnBody::from).collect(),
            levels: &answer.levels,
            rows: answer.rows,
            total_rows: answer.total_rows,
            truncated: answer.truncated,
            limit: answer.limit,
            matched: answer.matched,
            next: answer.next.as_deref(),
        }
    }
}

impl<'a> From<&'a AnswerColumn> for ColumnBody<'a> {
    fn from(column: &'a AnswerColumn) -> Self {
        Self {
            name: &column.name,
            kind: column.kind.word(),
            role: column.role.word(),
            unit: column.unit.as_deref(),
            values: ValuesBody(&column.values),
            labels: column.labels.as_deref(),
            hidden: &column.hidden,
        }
    }
}

/// What in a body that should be an object is none, in words. Empty and cut bodies are left to the
/// reader of JSON, which says where they end.
pub(crate) fn not_an_object(body: &[u8]) -> Option<String> {
    let found = *body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    let shown = if found.is_ascii_graphic() { char::from(found) } else { '?' };
    (found != b'{').then(|| format!("expected an object between braces, found `{shown}`"))
}

/// The text form of a question in a body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextForm {
    pub(crate) q: String,
}

/// Several questions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchForm {
    pub(crate) queries: Vec<BatchQuery>,
}

/// One question of several. Its JSON form is kept as it was written: one that cannot be read does
/// not fail the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchQuery {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) q: Option<String>,
    #[serde(default)]
    pub(crate) query: Option<Box<serde_json::value::RawValue>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_that_would_change_is_a_text() {
        let check = |figure, expected: &str| {
            assert_eq!(serde_json::to_string(&figure).ok().as_deref(), Some(expected));
        };
        check(Figure::Int(9_007_199_254_740_992), "9007199254740992");
        check(Figure::Int(9_007_199_254_740_993), "\"9007199254740993\"");
        check(Figure::Int(-9_007_199_254_740_993), "\"-9007199254740993\"");
        check(Figure::Int(i64::MIN), "\"-9223372036854775808\"");
        check(Figure::Float(0.5), "0.5");
    }
}
