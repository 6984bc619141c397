//! What the catalogues of policies and warnings share: texts in two languages, their errors, and
//! parameters put into expressions by name.
//!
//! Invariant: a parameter becomes one value of the expression, whatever text it was kept as; it
//! cannot change how the expression around it is read.

use serde::{Deserialize, Serialize};

use crate::ast::{Call, Expr, ExprKind};
use crate::parse;
use crate::source::Source;

/// A result of the catalogues.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a household was not assessed, or a rule not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of the answers that is not what it should be.
    #[error("{path}: expected {wanted}")]
    Answers {
        /// The field: `members[1].birth_date`.
        path: String,
        /// What would be right.
        wanted: String,
    },
    /// A household that is not what the schema says.
    #[error("{path}: {what}{}", suggestion.as_ref().map_or_else(String::new, |s| {
        format!("; did you mean `{s}`?")
    }))]
    Bundle {
        /// Where, in the JSON: `person[1].birth_date`.
        path: String,
        /// What is wrong and what would be right.
        what: String,
        /// The nearest known name.
        suggestion: Option<String>,
    },
    /// An expression that cannot be asked of a household.
    #[error(transparent)]
    Asked {
        /// Why.
        source: crate::Error,
    },
    /// A catalogue that says something wrong.
    #[error("catalogue: {what}")]
    Catalogue {
        /// What, and of which entry.
        what: String,
    },
    /// An expression that cannot be read, checked or answered.
    #[error("{rule}: the expression is not answered")]
    Expression {
        /// The rule, and the clause where it has several.
        rule: String,
        /// Why.
        source: crate::Error,
    },
    /// The schema of the answers is not read.
    #[error("the schema of the answers is not read")]
    Schema {
        /// Why.
        source: yiku::Error,
    },
}

/// A text in both languages of the pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    pub(crate) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// Reads an expression of a rule.
pub(crate) fn parsed(rule: &str, text: &str) -> Result<Expr> {
    let read = parse::expression(&Source::text(text));
    read.map_err(|source| Error::Expression { rule: rule.to_owned(), source })
}

/// The names of the parameters of an expression, in their order, each once.
pub(crate) fn parameters(expr: &Expr) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    expr.each(&mut |part| {
        if let ExprKind::Parameter(name) = &part.kind
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    });
    names
}

/// An expression with every parameter replaced by what `value` gives for its name.
pub(crate) fn replaced<E>(
    expr: &Expr,
    value: &mut dyn FnMut(&str) -> std::result::Result<Expr, E>,
) -> std::result::Result<Expr, E> {
    let kind = match &expr.kind {
        ExprKind::Parameter(name) => {
            return value(name).map(|found| Expr { kind: found.kind, span: expr.span });
        }
        ExprKind::Negative(inner) => ExprKind::Negative(one(inner, value)?),
        ExprKind::Not(inner) => ExprKind::Not(one(inner, value)?),
        ExprKind::And(parts) => ExprKind::And(many(parts, value)?),
        ExprKind::Or(parts) => ExprKind::Or(many(parts, value)?),
        ExprKind::Arithmetic(sign, left, right) => {
            ExprKind::Arithmetic(*sign, one(left, value)?, one(right, value)?)
        }
        ExprKind::Compare(sign, left, right) => {
            ExprKind::Compare(*sign, one(left, value)?, one(right, value)?)
        }
        ExprKind::In(inner, list) => ExprKind::In(one(inner, value)?, many(list, value)?),
        ExprKind::InSet(of, name) => {
            let of = of.as_ref().map(|of| one(of, value)).transpose()?;
            ExprKind::InSet(of, name.clone())
        }
        ExprKind::Between(inner, low, high) => {
            ExprKind::Between(one(inner, value)?, one(low, value)?, one(high, value)?)
        }
        ExprKind::Has(inner, quantity, list) => {
            ExprKind::Has(one(inner, value)?, *quantity, many(list, value)?)
        }
        ExprKind::Within(inner, list) => ExprKind::Within(one(inner, value)?, many(list, value)?),
        ExprKind::Is(inner, known) => ExprKind::Is(one(inner, value)?, *known),
        ExprKind::Starts(inner, text) => ExprKind::Starts(one(inner, value)?, one(text, value)?),
        ExprKind::Call(call) => ExprKind::Call(Call {
            name: call.name.clone(),
            arguments: many(&call.arguments, value)?,
            filter: match &call.filter {
                Some(filter) => Some(one(filter, value)?),
                None => None,
            },
        }),
        plain => plain.clone(),
    };
    Ok(Expr { kind, span: expr.span })
}

fn one<E>(
    expr: &Expr,
    value: &mut dyn FnMut(&str) -> std::result::Result<Expr, E>,
) -> std::result::Result<Box<Expr>, E> {
    replaced(expr, value).map(Box::new)
}

fn many<E>(
    parts: &[Expr],
    value: &mut dyn FnMut(&str) -> std::result::Result<Expr, E>,
) -> std::result::Result<Vec<Expr>, E> {
    parts.iter().map(|part| replaced(part, value)).collect()
}
