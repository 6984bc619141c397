//! From the question as asked to the question bound: names found, kinds checked, units brought
//! together, comparisons with constants turned into ranges of one column.
//!
//! Invariant: what passes here can be run; what is not built is refused here by its name.

mod compare;
mod functions;
mod groups;
mod having;
mod listed;
mod measures;
mod names;
mod operators;
mod parameters;
mod sets;
mod statistics;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use yiku::{PathTree, Schema};

use crate::ast::{Call, Expr, ExprKind};
use crate::bound::{Condition, Term, Value};
use crate::context::Named;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::numbers::{Number, literal};
use crate::source::{Source, Span};

pub(crate) use compare::{digits_range, holds};
pub(crate) use groups::{Bands, Bounds, Group, GroupKind, next_level};
pub(crate) use having::Having;
pub(crate) use listed::{Listed, ListedKind};
pub(crate) use measures::{Aggregate, Combine, Formula, Measured, Shape, Statistic};

/// Functions of the language.
pub(crate) const FUNCTIONS: [&str; 32] = [
    "abs",
    "age",
    "all",
    "any",
    "avg",
    "band",
    "coalesce",
    "count",
    "count_distinct",
    "if",
    "max",
    "min",
    "month",
    "none",
    "per",
    "per_capita",
    "quarter",
    "share",
    "sum",
    "year",
    "gini",
    "histogram",
    "inflow",
    "lorenz",
    "matches",
    "median",
    "outflow",
    "poverty_gap",
    "poverty_rate",
    "poverty_severity",
    "quantile",
    "stddev",
];

/// Functions of other languages, and what says the same here.
const FOREIGN: [(&str, &str); 13] = [
    ("average", "avg"),
    ("contains", "matches"),
    ("exists", "any"),
    ("ifnull", "coalesce"),
    ("mean", "avg"),
    ("now", "as_of"),
    ("nvl", "coalesce"),
    ("percentile", "quantile"),
    ("std", "stddev"),
    ("today", "as_of"),
    ("total", "sum"),
    ("variance", "stddev"),
    ("current_date", "as_of"),
];

/// The kind of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Flag,
    Number(Number),
    Date,
    Month,
    Code(usize),
    Codes(usize),
    Text,
    Path,
    Level,
    Duration,
    Band,
}

/// What an expression became.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Condition(Condition),
    /// Numbers, days, months, codes.
    Value(Value),
    /// A column whose values are no integers to compute with: text, set, path.
    Column {
        table: usize,
        column: usize,
    },
    Text(String),
    Duration {
        months: i64,
        days: i64,
    },
    Level(usize),
    Band(Value, Bands),
}

/// An expression that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Typed {
    pub(crate) kind: Type,
    pub(crate) what: What,
    pub(crate) span: Span,
}

/// Checks the expressions of one text in the light of one table.
#[derive(Clone, Copy)]
pub(crate) struct Checker<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) tree: Option<&'a PathTree>,
    pub(crate) table: usize,
    pub(crate) as_of: Option<i64>,
    pub(crate) source: &'a Source,
    /// Expressions checked so far, in the whole question.
    pub(crate) steps: &'a Cell<usize>,
    /// Which rows the filter did not have at the moment before, where there is one.
    pub(crate) entered: Option<&'a Condition>,
    /// What expressions may name besides the schema.
    pub(crate) named: Named<'a>,
}

/// Expressions that are checked for one question. Some are looked at twice, as that before
/// `between`; inside one another, twice each, they would be more than anybody can wait for.
const STEPS_MAX: usize = 200_000;

impl Type {
    /// How an error and [`crate::check_expression`] call the kind.
    pub(crate) fn word(self, schema: &Schema) -> String {
        let list = |list: usize| schema.lists.get(list).map_or("", |l| l.name.as_str());
        match self {
            Self::Flag => "flag".to_owned(),
            Self::Number(number) => number.word().to_owned(),
            Self::Date => "date".to_owned(),
            Self::Month => "month".to_owned(),
            Self::Code(of) => format!("code of {}", list(of)),
            Self::Codes(of) => format!("codes of {}", list(of)),
            Self::Text => "text".to_owned(),
            Self::Path => schema.path.name.clone(),
            Self::Level => format!("level of {}", schema.path.name),
            Self::Duration => "length of time".to_owned(),
            Self::Band => "band".to_owned(),
        }
    }
}

impl<'a> Checker<'a> {
    /// A checker of expressions that name nothing but the schema.
    pub(crate) fn new(
        schema: &'a Schema,
        tree: Option<&'a PathTree>,
        table: usize,
        as_of: Option<i64>,
        (source, steps): (&'a Source, &'a Cell<usize>),
    ) -> Self {
        Self { schema, tree, table, as_of, source, steps, entered: None, named: Named::default() }
    }

    pub(crate) fn wrong(&self, span: Span, what: impl Into<String>) -> Error {
        Error::Type { what: what.into(), place: self.source.place(span) }
    }

    pub(crate) fn unsupported(&self, span: Span, name: impl Into<String>) -> Error {
        Error::Unsupported { name: name.into(), place: self.source.place(span) }
    }

    /// A kind as a message speaks of it: `a date`, `an int`, `money`.
    pub(crate) fn word(&self, kind: Type) -> String {
        let word = kind.word(self.schema);
        match word.as_bytes().first() {
            Some(b'a' | b'e' | b'i' | b'o' | b'u') => format!("an {word}"),
            _ if word.starts_with("money") || word.starts_with("codes") => word,
            _ => format!("a {word}"),
        }
    }

    /// The same checker for another text.
    pub(crate) fn of<'b>(&'b self, source: &'b Source) -> Checker<'b> {
        Checker { source, ..*self }
    }

    /// The same checker for the rows of another table.
    pub(crate) fn on(&self, table: usize) -> Self {
        Self { table, ..*self }
    }

    pub(crate) fn table_name(&self, table: usize) -> &'a str {
        self.schema.tables.get(table).map_or("", |t| t.name.as_str())
    }

    /// Whether `above` is `table` or lies above it.
    pub(crate) fn is_above(&self, above: usize, table: usize) -> bool {
        let mut at = Some(table);
        while let Some(table) = at {
            if table == above {
                return true;
            }
            at = self.schema.tables.get(table).and_then(|t| t.parent);
        }
        false
    }

    fn need_as_of(&self) -> Result<i64> {
        self.as_of.ok_or(Error::MissingAsOf)
    }

    /// A condition.
    pub(crate) fn condition(&self, expr: &Expr) -> Result<Condition> {
        let typed = self.check(expr)?;
        match typed.what {
            What::Condition(condition) => Ok(condition),
            _ => Err(self.wrong(
                expr.span,
                format!("expected a condition, found {}", self.word(typed.kind)),
            )),
        }
    }

    /// A number with its kind.
    pub(crate) fn number(&self, expr: &Expr) -> Result<(Number, Value)> {
        let typed = self.check(expr)?;
        match (typed.kind, typed.what) {
            (Type::Number(number), What::Value(value)) => Ok((number, value)),
            (kind, _) => {
                let found = self.word(kind);
                Err(self.wrong(expr.span, format!("expected a number, found {found}")))
            }
        }
    }

    /// Any expression.
    pub(crate) fn check(&self, expr: &Expr) -> Result<Typed> {
        let span = expr.span;
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            return Err(Error::Limit {
                what: "the number of parts of the question",
                found: self.steps.get() as u64,
                limit: STEPS_MAX as u64,
                place: Some(self.source.place(span)),
            });
        }
        let typed = |kind, what| Ok(Typed { kind, what, span });
        match &expr.kind {
            ExprKind::Name(words) => self.name(words, span),
            ExprKind::Number(text) => {
                let (value, scale) = literal(text).ok_or_else(|| {
                    self.wrong(span, "a number has at most 18 digits, 9 of them decimals")
                })?;
                let number = Number { money: false, float: false, scale };
                typed(Type::Number(number), What::Value(Value::constant(value)))
            }
            ExprKind::Text(text) => typed(Type::Text, What::Text(text.clone())),
            ExprKind::Date(day) => typed(Type::Date, What::Value(Value::constant(*day))),
            ExprKind::Month(month) => typed(Type::Month, What::Value(Value::constant(*month))),
            ExprKind::AsOf => {
                let day = self.need_as_of()?;
                typed(Type::Date, What::Value(Value::constant(day)))
            }
            ExprKind::Flag(flag) => typed(Type::Flag, What::Condition(Condition::constant(*flag))),
            ExprKind::Duration(count, unit) => typed(Type::Duration, duration(*count, *unit)),
            ExprKind::Parameter(name) => self.parameter(name, span),
            ExprKind::InSet(of, name) => {
                typed(Type::Flag, What::Condition(self.in_set(of.as_deref(), name, span)?))
            }
            ExprKind::Negative(inner) => self.negative(inner, span),
            ExprKind::Arithmetic(sign, left, right) => self.arithmetic(*sign, left, right, span),
            ExprKind::Call(call) => self.call(call, span),
            _ => typed(Type::Flag, What::Condition(self.test(expr)?)),
        }
    }

    /// The forms of an expression that are conditions by their shape.
    fn test(&self, expr: &Expr) -> Result<Condition> {
        match &expr.kind {
            ExprKind::Not(inner) => Ok(self.condition(inner)?.not()),
            ExprKind::And(parts) => {
                let parts: Result<Vec<_>> = parts.iter().map(|p| self.condition(p)).collect();
                Ok(Condition::all(parts?))
            }
            ExprKind::Or(parts) => {
                let parts: Result<Vec<_>> = parts.iter().map(|p| self.condition(p)).collect();
                Ok(Condition::any(parts?))
            }
            ExprKind::Compare(sign, left, right) => self.compare(*sign, left, right, expr.span),
            ExprKind::Between(value, low, high) => self.between(value, low, high),
            ExprKind::In(value, list) => self.one_of(value, list),
            ExprKind::Has(value, quantity, list) => self.has(value, *quantity, list),
            ExprKind::Within(value, list) => self.within(value, list),
            ExprKind::Is(value, known) => self.is_known(value, *known),
            ExprKind::Starts(value, text) => self.starts(value, text),
            _ => Err(self.wrong(expr.span, "expected a condition")),
        }
    }

    /// A function that is not one of those a place allows: why not.
    pub(crate) fn no_function(&self, call: &Call) -> Error {
        let name = call.name.text.as_str();
        if FUNCTIONS.contains(&name) {
            return self.wrong(call.name.span, format!("`{name}` stands only in a measure"));
        }
        let lower = name.to_lowercase();
        let foreign = FOREIGN.iter().find(|(other, _)| *other == lower);
        Error::UnknownFunction {
            name: name.to_owned(),
            suggestion: foreign
                .map(|(_, own)| (*own).to_owned())
                .or_else(|| nearest(name, FUNCTIONS)),
            place: self.source.place(call.name.span),
        }
    }
}

fn duration(count: i64, unit: crate::ast::Unit) -> What {
    match unit {
        crate::ast::Unit::Days => What::Duration { months: 0, days: count },
        crate::ast::Unit::Months => What::Duration { months: count, days: 0 },
        crate::ast::Unit::Years => What::Duration { months: count * 12, days: 0 },
    }
}

/// Whether a value reads no row.
pub(crate) fn is_constant(value: &Value) -> bool {
    matches!(value.kind, Term::Constant(_))
}
