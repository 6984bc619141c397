//! What a condition may become while one value of the household runs over a range: the ground on
//! which the nearest change is searched.
//!
//! Invariant: the outcome for every single value of the range is among those that are told; for
//! a range of one value nothing else is. Ends of floats are those of the operations themselves,
//! which round without turning the order round.

use std::collections::BTreeSet;

use yiku::{Predicate, calendar};

use super::rows::Cell;
use super::scalar::{Number, Read, Scalar, is_float, satisfies};
use super::span::{May, Span, Truths, pairs};
use crate::bound::{Condition, Fold, Function, Reading, Term, Test, Value};
use crate::error::{Error, Result};

/// What runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Varied {
    /// A known value of a row that is an integer inside.
    Cell(Read),
    /// How many rows of a table beneath satisfy a condition.
    Count { child: usize, condition: Option<Condition> },
}

/// One value of a household running over a range.
pub(super) struct Reach<'a, 'b> {
    pub(super) scalar: &'b Scalar<'a>,
    pub(super) varied: &'b Varied,
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Reach<'_, '_> {
    fn span(&self) -> Span {
        Span::Exact(i128::from(self.low), i128::from(self.high))
    }

    /// Whether a column of a row runs; else its cell.
    fn cell(&self, read: Read) -> std::result::Result<Option<&Cell>, Span> {
        match self.varied {
            Varied::Cell(varied) if *varied == read => Err(self.span()),
            _ => Ok(self.scalar.rows().cell(read.0, read.2, read.1)),
        }
    }

    fn above(&self, table: usize, row: usize, above: usize) -> usize {
        self.scalar.rows().above(self.scalar.schema(), table, row, above)
    }

    /// What a condition may be for a row of its table.
    pub(super) fn truth(&self, condition: &Condition, row: usize) -> Result<Truths> {
        self.scalar.step()?;
        let table = condition.table;
        Ok(match &condition.kind {
            Test::Constant(value) => Truths::of(Some(*value)),
            Test::Column { column, predicate } => match self.cell((table, *column, row)) {
                Ok(cell) => Truths::of(cell.map(|cell| satisfies(cell, predicate))),
                Err(_) => self.satisfied(predicate),
            },
            Test::ColumnKnown { column } => {
                Truths::of(Some(self.cell((table, *column, row)).map_or(true, |c| c.is_some())))
            }
            Test::Between { value, low, high } => {
                let (low, high) = (i128::from(*low), i128::from(*high));
                self.value(value, row)?.test(|span| span.between(low, high))
            }
            Test::OneOf { value, list } => self.value(value, row)?.test(|span| span.one_of(list)),
            Test::Compare { sign, left, right } => {
                let (left, right) = (self.value(left, row)?, self.value(right, row)?);
                left.with(right, |x, y| x.compared(*sign, y))
            }
            Test::ValueKnown(value) => self.value(value, row)?.known(),
            Test::ConditionKnown(inner) => self.truth(inner, row)?.map(|t| Some(t.is_some())),
            Test::Truth(inner) => self.truth(inner, row)?.map(|t| Some(t == Some(true))),
            Test::Choose(when, first, second) => {
                let when = self.truth(when, row)?;
                let mut found = when.failed();
                if when.may(Some(true)) {
                    found = found.or(self.truth(first, row)?);
                }
                if when.may(Some(false)) || when.may(None) {
                    found = found.or(self.truth(second, row)?);
                }
                found
            }
            Test::FirstKnown(parts) => self.first_known(parts, row)?,
            Test::Same(left, right) => {
                let (left, right) = (self.truth(left, row)?, self.truth(right, row)?);
                pairs(left, right, |x, y| Some(x? == y?))
            }
            Test::Not(inner) => self.truth(inner, row)?.map(|t| t.map(|t| !t)),
            Test::And(parts) => self.joined(parts, row, false)?,
            Test::Or(parts) => self.joined(parts, row, true)?,
            Test::Spread(inner) => self.truth(inner, self.above(table, row, inner.table))?,
            Test::Any { child, condition } => self.some(*child, condition, (table, row))?,
            _ => self.other(condition, row)?,
        })
    }

    /// A condition that is not looked into: what it is where it does not read what runs.
    fn other(&self, condition: &Condition, row: usize) -> Result<Truths> {
        let kept: BTreeSet<Read> = self.scalar.take_read();
        let truth = self.scalar.truth(condition, row);
        let read = self.scalar.take_read();
        self.scalar.read_again(kept);
        match (self.varied, truth) {
            (_, Err(Error::Overflow { .. })) => Ok(Truths::ANY),
            (Varied::Cell(varied), truth) if !read.contains(varied) => Ok(Truths::of(truth?)),
            _ => Ok(Truths::ANY),
        }
    }

    /// What a predicate may say of the range.
    fn satisfied(&self, predicate: &Predicate) -> Truths {
        if self.low == self.high {
            return Truths::of(Some(satisfies(&Cell::Int(self.low), predicate)));
        }
        match predicate {
            Predicate::Range { min, max } => {
                self.span().between(i128::from(*min), i128::from(*max))
            }
            Predicate::In(list) => self.span().one_of(list),
            _ => Truths::KNOWN,
        }
    }

    fn first_known(&self, parts: &[Condition], row: usize) -> Result<Truths> {
        let mut found = Truths::NONE;
        for part in parts {
            let part = self.truth(part, row)?;
            found = found.or(part.without_unknown());
            if !part.may(None) {
                return Ok(found);
            }
        }
        Ok(found.or(Truths::of(None)))
    }

    fn joined(&self, parts: &[Condition], row: usize, decides: bool) -> Result<Truths> {
        let mut found = Truths::of(Some(!decides));
        for part in parts {
            let part = self.truth(part, row)?;
            found = pairs(found, part, |x, y| match (x, y) {
                (Some(x), _) if x == decides => Some(decides),
                (_, Some(y)) if y == decides => Some(decides),
                (Some(_), Some(_)) => Some(!decides),
                _ => None,
            });
        }
        Ok(found)
    }

    /// Whether some row beneath satisfies a condition.
    fn some(
        &self,
        child: usize,
        condition: &Condition,
        (table, row): (usize, usize),
    ) -> Result<Truths> {
        if let Varied::Count { child: counted, condition: own } = self.varied
            && *counted == child
            && own.as_ref().map_or(condition.kind == Test::Constant(true), |own| own == condition)
        {
            return Ok(self.span().between(1, i128::MAX));
        }
        let mut found = Truths::of(Some(false));
        for beneath in self.scalar.rows().beneath(self.scalar.schema(), table, row, child) {
            let part = self.truth(condition, beneath)?.map(|t| Some(t == Some(true)));
            found = pairs(found, part, |x, y| Some(x? || y?));
        }
        Ok(found)
    }

    /// What a value may be for a row of its table.
    fn value(&self, value: &Value, row: usize) -> Result<May> {
        self.scalar.step()?;
        let table = value.table;
        Ok(match &value.kind {
            Term::Column(column) => match self.cell((table, *column, row)) {
                Ok(Some(Cell::Int(value))) => May::exact(*value),
                Ok(_) => May::UNKNOWN,
                Err(span) => May::of(span),
            },
            Term::Spread(inner) => self.value(inner, self.above(table, row, inner.table))?,
            Term::Exact(sign, left, right) => {
                let (left, right) = (self.value(left, row)?, self.value(right, row)?);
                left.and(right, |x, y| x.exact(*sign, y))
            }
            Term::Float(sign, left, right) => {
                let (left, right) = (self.value(left, row)?, self.value(right, row)?);
                left.and(right, |x, y| x.float(*sign, y))
            }
            Term::ToFloat(inner, over) => self.value(inner, row)?.map(|span| {
                let (low, high) = span.floats();
                Span::Float(low / over, high / over)
            }),
            Term::Absolute(inner) => self.value(inner, row)?.then(Span::absolute),
            Term::Least(values) => self.extreme(values, row, true)?,
            Term::Greatest(values) => self.extreme(values, row, false)?,
            Term::Coalesce(values) => {
                let mut found = May::NONE;
                for value in values {
                    let next = self.value(value, row)?;
                    found = found.or(next.without_unknown());
                    if !next.unknown {
                        return Ok(found);
                    }
                }
                found.or(May::UNKNOWN)
            }
            Term::If(condition, first, second) => {
                let when = self.truth(condition, row)?;
                let mut found = May { fails: when.fails(), ..May::NONE };
                if when.may(Some(true)) {
                    found = found.or(self.value(first, row)?);
                }
                if when.may(Some(false)) || when.may(None) {
                    found = found.or(self.value(second, row)?);
                }
                found
            }
            Term::Calendar(reading, inner) => self.value(inner, row)?.map(|s| read(*reading, s)),
            Term::AddMonths(inner, months) => self
                .value(inner, row)?
                .map(|span| span.rising(|day| calendar::add_months(day, *months))),
            Term::Fold(fold) => self.fold(fold, table, row)?,
            _ => self.other_value(value, row)?,
        })
    }

    /// A value that is not looked into: what it is where it does not read what runs.
    fn other_value(&self, value: &Value, row: usize) -> Result<May> {
        let kept = self.scalar.take_read();
        let found = self.scalar.value(value, row);
        let read = self.scalar.take_read();
        self.scalar.read_again(kept);
        if matches!(self.varied, Varied::Cell(varied) if read.contains(varied)) {
            return Ok(May::ANY);
        }
        Ok(match found {
            Err(Error::Overflow { .. }) => May::ANY,
            found => match found? {
                Some(Number::Exact(value)) => May::exact(value),
                Some(Number::Float(value)) => May::of(Span::Float(value, value)),
                None => May::UNKNOWN,
            },
        })
    }

    fn extreme(&self, values: &[Value], row: usize, least: bool) -> Result<May> {
        let mut found: Option<May> = None;
        for value in values {
            let next = self.value(value, row)?;
            found = Some(match found {
                None => next,
                Some(before) => before.and(next, |x, y| (x.more(y, least), false, false)),
            });
        }
        Ok(found.unwrap_or(May::UNKNOWN))
    }

    fn fold(&self, fold: &Fold, table: usize, row: usize) -> Result<May> {
        if let Varied::Count { child, condition } = self.varied
            && fold.function == Function::Count
            && (fold.child, &fold.condition) == (*child, condition)
            && fold.argument.is_none()
        {
            return Ok(May::of(self.span()));
        }
        let mut folded = Folded::default();
        for place in self.scalar.rows().beneath(self.scalar.schema(), table, row, fold.child) {
            let counts = match &fold.condition {
                Some(condition) => self.truth(condition, place)?,
                None => Truths::of(Some(true)),
            };
            folded.fails |= counts.fails();
            if !counts.may(Some(true)) {
                continue;
            }
            let sure = !counts.may(Some(false)) && !counts.may(None);
            let value = match &fold.argument {
                Some(argument) => self.value(argument, place)?,
                None => May::exact(0),
            };
            folded.add(value, sure);
        }
        Ok(folded.done(fold.function, fold.argument.as_ref().is_some_and(is_float)))
    }
}

/// The rows beneath, one after the other.
#[derive(Default)]
struct Folded {
    /// Values, and whether they surely are there.
    values: Vec<(Span, bool)>,
    fails: bool,
}

impl Folded {
    fn add(&mut self, value: May, sure: bool) {
        self.fails |= value.fails;
        if let Some(span) = value.span {
            self.values.push((span, sure && !value.unknown));
        }
    }

    fn done(self, function: Function, float: bool) -> May {
        let most = self.values.len() as i128;
        let least = self.values.iter().filter(|(_, sure)| *sure).count() as i128;
        let fails = self.fails;
        let found = match function {
            Function::Count => May::of(Span::Exact(least, most)),
            Function::Sum => self.sum(float),
            Function::Average if most == 0 => May::UNKNOWN,
            Function::Average => {
                let (low, high) = self.total(float).floats();
                let counts = [least.max(1) as f64, most as f64];
                let ends = counts.map(|n| (low / n, high / n));
                let [(a, b), (c, d)] = ends;
                let span = Span::Float(a.min(c), b.max(d));
                May { span: Some(span), unknown: least == 0, fails: false }
            }
            Function::Least | Function::Greatest => self.extreme(function == Function::Least),
        };
        May { fails: found.fails || fails, ..found }
    }

    fn total(&self, float: bool) -> Span {
        let zero = if float { Span::Float(0.0, 0.0) } else { Span::Exact(0, 0) };
        self.values
            .iter()
            .fold(zero, |sum, (span, sure)| sum.plus(if *sure { *span } else { span.or(zero) }))
    }

    fn sum(&self, float: bool) -> May {
        let (span, _, fails) = self.total(float).bounded();
        May { span: Some(span), unknown: false, fails }
    }

    fn extreme(&self, least: bool) -> May {
        let mut values = self.values.iter();
        let Some((first, _)) = values.next() else { return May::UNKNOWN };
        let all = values.fold(*first, |found, (span, _)| found.or(*span));
        let sure = self.values.iter().filter(|(_, sure)| *sure).map(|(span, _)| *span);
        let sure = sure.reduce(|a, b| a.more(b, least));
        // What is surely there bounds the extreme on its own side.
        let span = sure.map_or(all, |sure| all.no_further(sure, least));
        May { span: Some(span), unknown: sure.is_none(), fails: false }
    }
}

/// What is read off a range of days or months.
fn read(reading: Reading, span: Span) -> Span {
    let of = |day| reading.of(day);
    match reading {
        Reading::Age { .. } => span.falling(of),
        Reading::Year | Reading::Month | Reading::YearOfMonth => span.rising(of),
        Reading::MonthNumber | Reading::NumberOfMonth => span.within_year(reading, 12),
        Reading::Quarter | Reading::QuarterOfMonth => span.within_year(reading, 4),
    }
}
