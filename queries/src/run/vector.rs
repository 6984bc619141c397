//! One segment: the values of an expression, row by row.
//!
//! Invariants: a vector knows only rows that were asked about; a row it does not know holds some
//! value that is never used; an operation that goes beyond 64 bits is an error only for a row it
//! knows.

use std::ops::Range;

use yiku::RowSet;

use super::scan::{Scan, bounds};
use crate::ast::Arithmetic;
use crate::bound::{Fold, Function, Term, Value};
use yiku::calendar;
use crate::error::{Error, Result};

/// The values of the rows of one table from `start` on.
pub(super) struct Vector {
    start: u32,
    values: Values,
    pub(super) known: RowSet,
}

enum Values {
    Exact(Vec<i64>),
    Float(Vec<f64>),
    Constant(i64),
    ConstantFloat(f64),
}

impl Vector {
    pub(super) fn is_float(&self) -> bool {
        matches!(self.values, Values::Float(_) | Values::ConstantFloat(_))
    }

    fn place(&self, row: u32) -> usize {
        row.wrapping_sub(self.start) as usize
    }

    /// The exact value of a row.
    pub(super) fn exact(&self, row: u32) -> i64 {
        match &self.values {
            Values::Exact(values) => values.get(self.place(row)).copied().unwrap_or(0),
            Values::Constant(value) => *value,
            Values::Float(_) | Values::ConstantFloat(_) => 0,
        }
    }

    /// The value of a row as a float.
    pub(super) fn float(&self, row: u32) -> f64 {
        match &self.values {
            Values::Float(values) => values.get(self.place(row)).copied().unwrap_or(0.0),
            Values::ConstantFloat(value) => *value,
            Values::Exact(_) | Values::Constant(_) => self.exact(row) as f64,
        }
    }
}

fn beyond(what: &str) -> Error {
    Error::Overflow { what: what.to_owned() }
}

/// The values of every row of a span, by an operation that may fail for rows that count.
fn each<T: Copy>(
    span: Range<u32>,
    known: &RowSet,
    none: T,
    mut value: impl FnMut(u32) -> Option<T>,
) -> Result<Vec<T>> {
    let mut values = Vec::with_capacity(span.len());
    for row in span {
        match value(row) {
            Some(found) => values.push(found),
            None if known.contains(row) => return Err(beyond("a value of a row")),
            None => values.push(none),
        }
    }
    Ok(values)
}

impl Scan<'_> {
    /// The values of an expression for some rows of its table.
    pub(super) fn value(&self, value: &Value, rows: &RowSet) -> Result<Vector> {
        self.limits.check()?;
        let span = bounds(rows);
        let start = span.start;
        let vector = |values, known| Ok(Vector { start, values, known });
        match &value.kind {
            Term::Constant(constant) => vector(Values::Constant(*constant), rows.clone()),
            Term::ConstantFloat(constant) => {
                vector(Values::ConstantFloat(*constant), rows.clone())
            }
            Term::Column(column) => {
                let column = self.segment.column(value.table, *column)?;
                let mut known = column.known()?;
                known.and(rows);
                let mut values = Vec::with_capacity(span.len());
                column.integers(span.clone(), &mut values)?;
                blank_unknown(&mut values, &span, &known);
                vector(Values::Exact(values), known)
            }
            Term::Spread(inner) => self.spread_value(inner, value.table, rows),
            Term::Exact(sign, left, right) => self.exact(*sign, left, right, rows),
            Term::Float(sign, left, right) => self.floats(*sign, left, right, rows),
            Term::ToFloat(inner, over) => {
                let inner = self.value(inner, rows)?;
                let values = span.map(|row| inner.exact(row) as f64 / over).collect();
                vector(Values::Float(values), inner.known)
            }
            Term::Absolute(inner) => {
                let inner = self.value(inner, rows)?;
                let values = if inner.is_float() {
                    Values::Float(span.map(|row| inner.float(row).abs()).collect())
                } else {
                    Values::Exact(each(span, &inner.known, 0, |r| inner.exact(r).checked_abs())?)
                };
                vector(values, inner.known)
            }
            Term::Least(values) => self.extreme(values, rows, true),
            Term::Greatest(values) => self.extreme(values, rows, false),
            Term::Coalesce(values) => self.coalesce(values, rows),
            Term::If(condition, first, second) => {
                let yes = self.rows(condition, true, rows)?;
                let mut no = rows.clone();
                no.and_not(&yes);
                let (first, second) = (self.value(first, &yes)?, self.value(second, &no)?);
                Ok(merged(span, vec![(yes, first), (no, second)], rows))
            }
            Term::Calendar(reading, inner) => {
                let inner = self.value(inner, rows)?;
                let values = span.map(|row| reading.of(inner.exact(row))).collect();
                vector(Values::Exact(values), inner.known)
            }
            Term::AddMonths(inner, months) => {
                let inner = self.value(inner, rows)?;
                let later = |row| calendar::add_months(inner.exact(row), *months);
                vector(Values::Exact(span.map(later).collect()), inner.known)
            }
            Term::Fold(fold) => self.fold(fold, value.table, rows),
        }
    }

    fn exact(
        &self,
        sign: Arithmetic,
        left: &Value,
        right: &Value,
        rows: &RowSet,
    ) -> Result<Vector> {
        let (left, right) = (self.value(left, rows)?, self.value(right, rows)?);
        let mut known = left.known.clone();
        known.and(&right.known);
        let operate = |f: fn(i64, i64) -> Option<i64>| {
            each(bounds(rows), &known, 0, |row| f(left.exact(row), right.exact(row)))
        };
        let values = match sign {
            Arithmetic::Add => operate(i64::checked_add)?,
            Arithmetic::Subtract => operate(i64::checked_sub)?,
            Arithmetic::Multiply => operate(i64::checked_mul)?,
            Arithmetic::Divide => operate(i64::checked_div)?,
        };
        Ok(Vector { start: bounds(rows).start, values: Values::Exact(values), known })
    }

    fn floats(
        &self,
        sign: Arithmetic,
        left: &Value,
        right: &Value,
        rows: &RowSet,
    ) -> Result<Vector> {
        let (left, right) = (self.value(left, rows)?, self.value(right, rows)?);
        let mut known = left.known.clone();
        known.and(&right.known);
        if sign == Arithmetic::Divide {
            let zero = known.iter().filter(|row| right.float(*row) == 0.0);
            let zero: Vec<u32> = zero.collect();
            zero.into_iter().for_each(|row| known.remove(row));
        }
        let operate = |f: fn(f64, f64) -> f64| {
            each(bounds(rows), &known, 0.0, |row| {
                Some(f(left.float(row), right.float(row))).filter(|v| v.is_finite())
            })
        };
        let values = match sign {
            Arithmetic::Add => operate(|a, b| a + b)?,
            Arithmetic::Subtract => operate(|a, b| a - b)?,
            Arithmetic::Multiply => operate(|a, b| a * b)?,
            Arithmetic::Divide => operate(|a, b| a / b)?,
        };
        Ok(Vector { start: bounds(rows).start, values: Values::Float(values), known })
    }

    fn extreme(&self, values: &[Value], rows: &RowSet, least: bool) -> Result<Vector> {
        let mut found: Option<Vector> = None;
        for value in values {
            let next = self.value(value, rows)?;
            let Some(before) = found else {
                found = Some(next);
                continue;
            };
            let span = bounds(rows);
            let mut known = before.known.clone();
            known.and(&next.known);
            let start = span.start;
            let values = if next.is_float() {
                let pick = |a: f64, b: f64| if least { a.min(b) } else { a.max(b) };
                Values::Float(span.map(|r| pick(before.float(r), next.float(r))).collect())
            } else {
                let pick = |a: i64, b: i64| if least { a.min(b) } else { a.max(b) };
                Values::Exact(span.map(|r| pick(before.exact(r), next.exact(r))).collect())
            };
            found = Some(Vector { start, values, known });
        }
        found.map_or_else(|| self.value(&Value::constant(0), rows), Ok)
    }

    fn coalesce(&self, values: &[Value], rows: &RowSet) -> Result<Vector> {
        let mut left = rows.clone();
        let mut parts = Vec::with_capacity(values.len());
        for value in values {
            let part = self.value(value, &left)?;
            left.and_not(&part.known);
            parts.push((part.known.clone(), part));
        }
        Ok(merged(bounds(rows), parts, rows))
    }

    /// The value of the row above, for rows of `table`.
    fn spread_value(&self, inner: &Value, table: usize, rows: &RowSet) -> Result<Vector> {
        let above = self.lift(rows, table, inner.table)?;
        let vector = self.value(inner, &above)?;
        let offsets = self.offsets(inner.table, table)?;
        let span = bounds(rows);
        let mut known = self.spread(&vector.known, inner.table, table)?;
        known.and(rows);
        let values = if vector.is_float() {
            Values::Float(expanded(&offsets, &span, |row| vector.float(row)))
        } else {
            Values::Exact(expanded(&offsets, &span, |row| vector.exact(row)))
        };
        Ok(Vector { start: span.start, values, known })
    }

    /// What is asked over the rows beneath each row of `table`.
    fn fold(&self, fold: &Fold, table: usize, rows: &RowSet) -> Result<Vector> {
        let mut beneath = self.spread(rows, table, fold.child)?;
        if let Some(condition) = &fold.condition {
            beneath = self.rows(condition, true, &beneath)?;
        }
        let argument = match &fold.argument {
            Some(value) => Some(self.value(value, &beneath)?),
            None => None,
        };
        let counted = argument.as_ref().map_or(&beneath, |a| &a.known);
        let offsets = self.offsets(table, fold.child)?;
        let span = bounds(rows);
        let range = |row: u32| {
            let at = |place: u32| offsets.get(place as usize).copied().unwrap_or(0);
            at(row)..at(row + 1)
        };
        let folder = Folder { argument: argument.as_ref(), counted };
        let start = span.start;
        let mut known = rows.clone();
        if !matches!(fold.function, Function::Count | Function::Sum) {
            known = self.lift_some(counted, fold.child, table)?;
            known.and(rows);
        }
        let float = argument.as_ref().is_some_and(Vector::is_float);
        let values = match fold.function {
            Function::Count => {
                let count = |row| i64::try_from(counted.count_range(range(row))).ok();
                Values::Exact(each(span, rows, 0, count)?)
            }
            Function::Average => {
                Values::Float(span.map(|row| folder.average(range(row))).collect())
            }
            function if float => Values::Float(each(span, &known, 0.0, |row| {
                Some(folder.float(function, range(row))).filter(|v| v.is_finite())
            })?),
            function => {
                Values::Exact(each(span, &known, 0, |row| folder.exact(function, range(row)))?)
            }
        };
        Ok(Vector { start, values, known })
    }
}

/// Folds the rows of one range.
struct Folder<'a> {
    argument: Option<&'a Vector>,
    counted: &'a RowSet,
}

impl Folder<'_> {
    fn rows(&self, range: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        range.filter(|row| self.counted.contains(*row))
    }

    fn exact(&self, function: Function, range: Range<u32>) -> Option<i64> {
        let values = self.rows(range).map(|row| self.argument.map_or(0, |a| a.exact(row)));
        match function {
            Function::Least => values.min(),
            Function::Greatest => values.max(),
            _ => i64::try_from(values.map(i128::from).sum::<i128>()).ok(),
        }
    }

    fn float(&self, function: Function, range: Range<u32>) -> f64 {
        let values = self.rows(range).map(|row| self.argument.map_or(0.0, |a| a.float(row)));
        match function {
            Function::Least => values.fold(f64::INFINITY, f64::min),
            Function::Greatest => values.fold(f64::NEG_INFINITY, f64::max),
            _ => values.sum(),
        }
    }

    fn average(&self, range: Range<u32>) -> f64 {
        let count = self.counted.count_range(range.clone());
        if count == 0 {
            return 0.0;
        }
        let float = self.argument.is_some_and(Vector::is_float);
        let sum = if float {
            self.float(Function::Sum, range)
        } else {
            let values = self.rows(range).map(|row| self.argument.map_or(0, |a| a.exact(row)));
            values.map(i128::from).sum::<i128>() as f64
        };
        sum / count as f64
    }
}

/// Rows that are not known may hold anything; they are made zero, which no operation minds.
fn blank_unknown(values: &mut [i64], span: &Range<u32>, known: &RowSet) {
    if known.count() == span.len() as u64 {
        return;
    }
    for (row, value) in span.clone().zip(values) {
        if !known.contains(row) {
            *value = 0;
        }
    }
}

/// Each row above, as often as it has rows within the span.
pub(super) fn expanded<T: Copy + Default>(
    offsets: &[u32],
    span: &Range<u32>,
    mut value: impl FnMut(u32) -> T,
) -> Vec<T> {
    let mut values = Vec::with_capacity(span.len());
    if span.is_empty() {
        return values;
    }
    // The first row above whose rows beneath end behind the start of the span.
    let first = offsets.partition_point(|o| *o <= span.start).saturating_sub(1);
    let mut at = span.start;
    for (row, pair) in (0u32..).zip(offsets.windows(2)).skip(first) {
        let end = pair.last().copied().unwrap_or(0).min(span.end);
        if end > at {
            let value = value(row);
            values.resize(values.len() + (end - at) as usize, value);
            at = end;
        }
        if at >= span.end {
            break;
        }
    }
    values.resize(span.len(), T::default());
    values
}

/// One vector of several, each for its own rows.
fn merged(span: Range<u32>, parts: Vec<(RowSet, Vector)>, rows: &RowSet) -> Vector {
    let mut known = RowSet::none(rows.len_rows());
    let float = parts.iter().any(|(_, part)| part.is_float());
    let size = span.len();
    let (mut floats, mut exact) = (Vec::new(), Vec::new());
    if float {
        floats.resize(size, 0.0);
    } else {
        exact.resize(size, 0);
    }
    for (own, part) in &parts {
        let mut own = own.clone();
        own.and(&part.known);
        for row in own.iter() {
            let place = row.wrapping_sub(span.start) as usize;
            if let Some(slot) = floats.get_mut(place) {
                *slot = part.float(row);
            } else if let Some(slot) = exact.get_mut(place) {
                *slot = part.exact(row);
            }
        }
        known.or(&own);
    }
    let values = if float { Values::Float(floats) } else { Values::Exact(exact) };
    Vector { start: span.start, values, known }
}
