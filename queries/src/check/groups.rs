//! What the rows are grouped by.

use super::{Checker, Type, What};
use crate::ast::{Call, Clause, ExprKind};
use crate::bound::{Condition, Reading, Term, Test, Value};
use crate::error::{Error, Result};
use crate::numbers::Number;
use crate::print;
use yiku::calendar;

/// One expression of `by`, bound.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// The canonical text, which is the name of the answer's column.
    pub(crate) name: String,
    pub(crate) kind: GroupKind,
}

/// What a group is known by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GroupKind {
    /// The place of a level of the path.
    Level(usize),
    /// The place itself, of whatever level.
    Path,
    Code {
        list: usize,
        value: Value,
    },
    Flag(Condition),
    Int {
        value: Value,
        money: bool,
    },
    Date(Value),
    Month(Value),
    Text {
        table: usize,
        column: usize,
    },
    Band {
        value: Value,
        bands: Bands,
    },
}

/// The bands of a value: band 0 lies below the first bound, band n from bound n-1 upward.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bands {
    pub(crate) bounds: Bounds,
    /// The values of the answer, by band: `[0,18)`.
    pub(crate) names: Vec<String>,
    /// How people say them: `0–17`.
    pub(crate) labels: Vec<String>,
}

/// The bounds, rising in the sense of the bands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bounds {
    /// A value is in band n when n of these are at most it.
    Exact(Vec<i64>),
    /// A day is in band n when n of these are at least it: ages, said of the birth date.
    Falling(Vec<i64>),
    /// As `Exact`, for floats.
    Float(Vec<f64>),
}

impl Checker<'_> {
    /// One expression of `by`. `next` is the level that `region.next` stands for.
    pub(crate) fn group(&self, clause: &Clause, next: usize) -> Result<Group> {
        let expr = &clause.expr;
        let name = print::expression(expr);
        let group = |kind| Ok(Group { name, kind });
        if let ExprKind::Name(words) = &expr.kind
            && let [path, level] = words.as_slice()
            && path.text == self.schema.path.name
            && level.text == "next"
        {
            return group(GroupKind::Level(next));
        }
        let typed = self.check(expr)?;
        match (typed.kind, typed.what) {
            (_, What::Level(level)) => group(GroupKind::Level(level)),
            (Type::Path, _) => group(GroupKind::Path),
            (_, What::Condition(condition)) => group(GroupKind::Flag(condition.at(self.table))),
            (_, What::Band(value, bands)) => {
                group(GroupKind::Band { value: value.at(self.table), bands })
            }
            (Type::Text, What::Column { table, column }) => {
                group(GroupKind::Text { table, column })
            }
            (Type::Code(list), What::Value(value)) => {
                group(GroupKind::Code { list, value: value.at(self.table) })
            }
            (Type::Date, What::Value(value)) => group(GroupKind::Date(value.at(self.table))),
            (Type::Month, What::Value(value)) => group(GroupKind::Month(value.at(self.table))),
            (Type::Number(Number { float: false, scale: 0, money }), What::Value(value)) => {
                group(GroupKind::Int { value: value.at(self.table), money })
            }
            (Type::Number(_), _) => {
                Err(self.wrong(expr.span, "group a fractional number by `band(x, b0, b1, …)`"))
            }
            (Type::Codes(_), _) => Err(self.wrong(
                expr.span,
                "a row has many codes of a set; count each: `count(where tags has any (…))`",
            )),
            (kind, _) => {
                let found = self.word(kind);
                Err(self.wrong(expr.span, format!("no groups by {found}")))
            }
        }
    }

    /// `band(x, b0, b1, …)`.
    pub(super) fn band(&self, call: &Call) -> Result<(Value, Bands)> {
        let Some((first, rest)) = call.arguments.split_first().filter(|(_, r)| !r.is_empty())
        else {
            let what = "`band` takes a number and the bounds of its bands: `band(x, 0, 18, 60)`";
            return Err(self.wrong(call.name.span, what));
        };
        let (number, value) = self.number(first)?;
        let mut bounds: Vec<(i64, Number)> = Vec::with_capacity(rest.len());
        let mut texts = Vec::with_capacity(rest.len());
        for bound in rest {
            let (of, constant) = self.number(bound)?;
            let Some(constant) = constant.as_constant() else {
                return Err(self.wrong(bound.span, "expected a number as the bound of a band"));
            };
            bounds.push((constant, of));
            texts.push(print::expression(bound));
        }
        let floats: Vec<f64> = bounds.iter().map(|(c, of)| scaled(*c, *of, number)).collect();
        if let Some(place) = floats.windows(2).position(|w| matches!(w, [a, b] if a >= b)) {
            let span = rest.get(place + 1).map_or(call.name.span, |e| e.span);
            return Err(self.wrong(span, "the bounds of bands rise from one to the next"));
        }
        let whole = number == Number::INT && bounds.iter().all(|(_, of)| of.scale == 0);
        let names = names(&texts);
        let constants: Vec<i64> = bounds.iter().map(|(c, _)| *c).collect();
        let labels = if whole { whole_labels(&constants) } else { labels(&texts) };
        let beyond = || Error::Overflow { what: "a bound of a band".to_owned() };
        let (value, bounds) = if number.float {
            (value, Bounds::Float(floats))
        } else {
            let exact = bounds.iter().map(|(c, of)| whole_bound(*c, *of, number));
            let exact: Option<Vec<i64>> = exact.collect();
            of_birth(value, exact.ok_or_else(beyond)?)
        };
        Ok((value, Bands { bounds, names, labels }))
    }
}

/// Ages are banded by the day of birth itself.
fn of_birth(value: Value, bounds: Vec<i64>) -> (Value, Bounds) {
    let usual = bounds.iter().all(|b| b.unsigned_abs() < 100_000);
    match value.kind {
        Term::Calendar(Reading::Age { as_of }, birth) if usual => {
            let days = bounds.iter().map(|b| calendar::born_by(*b, as_of)).collect();
            (*birth, Bounds::Falling(days))
        }
        kind => (Value { table: value.table, kind }, Bounds::Exact(bounds)),
    }
}

/// A bound in the unit of the value, as a float.
fn scaled(constant: i64, of: Number, value: Number) -> f64 {
    let unit = if value.money && !of.money { 100.0 } else { 1.0 };
    let decimals = if value.float { 0 } else { value.scale };
    let own = crate::numbers::ten_to(of.scale) as f64;
    constant as f64 * unit * crate::numbers::ten_to(decimals) as f64 / own
}

/// The least exact value that is at or above a bound.
fn whole_bound(constant: i64, of: Number, value: Number) -> Option<i64> {
    let unit = if value.money && !of.money { 100 } else { 1 };
    let above = i128::from(constant) * unit * i128::from(crate::numbers::ten_to(value.scale));
    let below = i128::from(crate::numbers::ten_to(of.scale));
    i64::try_from(-(-above).div_euclid(below)).ok()
}

fn names(texts: &[String]) -> Vec<String> {
    let mut from = String::from("(");
    let mut names = Vec::with_capacity(texts.len() + 1);
    for text in texts {
        names.push(format!("{from},{text})"));
        from = format!("[{text}");
    }
    names.push(format!("{from},)"));
    names
}

fn labels(texts: &[String]) -> Vec<String> {
    let mut labels: Vec<String> = texts.first().map(|t| format!("<{t}")).into_iter().collect();
    for pair in texts.windows(2) {
        if let [low, high] = pair {
            labels.push(format!("{low}–<{high}"));
        }
    }
    labels.extend(texts.last().map(|t| format!("≥{t}")));
    labels
}

/// Whole numbers end at the one before the next bound.
fn whole_labels(bounds: &[i64]) -> Vec<String> {
    let mut labels: Vec<String> = bounds.first().map(|b| format!("<{b}")).into_iter().collect();
    for pair in bounds.windows(2) {
        if let [low, high] = pair {
            let last = high - 1;
            labels.push(if *low == last { low.to_string() } else { format!("{low}–{last}") });
        }
    }
    labels.extend(bounds.last().map(|b| format!("≥{b}")));
    labels
}

/// The level one below the places that clauses ask for; the top without such a clause.
pub(crate) fn next_level<'c>(
    tree: &yiku::PathTree,
    clauses: impl Iterator<Item = &'c Condition>,
) -> usize {
    let mut deepest: Option<usize> = None;
    for condition in clauses {
        for (low, _) in regions(condition) {
            let level = tree.get(low).map(|n| usize::from(n.level));
            deepest = deepest.max(level.map(|l| l + 1));
        }
    }
    deepest.unwrap_or(0).min(tree.levels().len().saturating_sub(1))
}

fn regions(condition: &Condition) -> Vec<(u64, u64)> {
    match &condition.kind {
        Test::Within { ranges } => ranges.clone(),
        Test::Spread(inner) => regions(inner),
        Test::And(parts) => parts.iter().flat_map(regions).collect(),
        _ => Vec::new(),
    }
}
