//! A bound expression over one household: the same conditions and values as over the registry,
//! row by row in memory.
//!
//! Invariant: the outcome equals that of the evaluation over a database which holds this one
//! household; a test compares both on drawn expressions.

use std::cell::{Cell as Steps, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;

use yiku::{Predicate, Schema, calendar};

use super::rows::{Cell, Rows};
use crate::ast::Arithmetic;
use crate::bound::{Condition, Fold, Function, Term, Test, Value};
use crate::check::holds;
use crate::error::{Error, Result};

/// A value that was read: table, column, row.
pub(crate) type Read = (usize, usize, usize);

/// A number of one of the two representations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Exact(i64),
    Float(f64),
}

impl Number {
    pub(crate) fn exact(self) -> i64 {
        match self {
            Self::Exact(value) => value,
            Self::Float(_) => 0,
        }
    }

    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Exact(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// Evaluates over one household and notes what it reads.
pub(crate) struct Scalar<'a> {
    schema: &'a Schema,
    rows: &'a Rows,
    read: RefCell<BTreeSet<Read>>,
    /// One value that is taken to be another.
    instead: Option<(Read, Cell)>,
    steps: Rc<Steps<u64>>,
    steps_max: u64,
}

fn beyond(what: &str) -> Error {
    Error::Overflow { what: what.to_owned() }
}

impl<'a> Scalar<'a> {
    pub(crate) fn new(schema: &'a Schema, rows: &'a Rows) -> Self {
        let (read, steps) = (RefCell::default(), Rc::default());
        Self { schema, rows, read, instead: None, steps, steps_max: u64::MAX }
    }

    /// With so many conditions and values at most.
    pub(crate) fn limited(self, steps_max: u64) -> Self {
        Self { steps_max, ..self }
    }

    /// The same household with one value of it another; both count the same steps.
    pub(crate) fn with(&self, read: Read, cell: Cell) -> Self {
        Self {
            read: RefCell::default(),
            instead: Some((read, cell)),
            steps: Rc::clone(&self.steps),
            ..*self
        }
    }

    /// The same with only so many steps from here on.
    pub(crate) fn capped(&self, steps: u64) -> Self {
        let steps_max = self.steps_max.min(self.steps.get().saturating_add(steps));
        Self {
            read: RefCell::default(),
            instead: self.instead.clone(),
            steps: Rc::clone(&self.steps),
            steps_max,
            ..*self
        }
    }

    pub(crate) fn schema(&self) -> &'a Schema {
        self.schema
    }

    pub(crate) fn rows(&self) -> &'a Rows {
        self.rows
    }

    /// Counts one more condition or value.
    pub(crate) fn step(&self) -> Result<()> {
        let steps = self.steps.get().saturating_add(1);
        self.steps.set(steps);
        if steps <= self.steps_max {
            return Ok(());
        }
        let what = "the number of steps over the household";
        Err(Error::Limit { what, found: steps, limit: self.steps_max, place: None })
    }

    /// Takes values as read that were.
    pub(crate) fn read_again(&self, read: BTreeSet<Read>) {
        self.read.borrow_mut().extend(read);
    }

    /// What was read since the last call.
    pub(crate) fn take_read(&self) -> BTreeSet<Read> {
        self.read.take()
    }

    /// The value of a place, which is noted as read.
    pub(crate) fn read_cell(&self, (table, column, row): Read) -> Option<&Cell> {
        self.cell(table, row, column)
    }

    fn cell(&self, table: usize, row: usize, column: usize) -> Option<&Cell> {
        let read = (table, column, row);
        self.read.borrow_mut().insert(read);
        match &self.instead {
            Some((other, cell)) if *other == read => Some(cell),
            _ => self.rows.cell(table, row, column),
        }
    }

    /// Whether a condition holds for a row of its table; none where that is unknown.
    pub(crate) fn truth(&self, condition: &Condition, row: usize) -> Result<Option<bool>> {
        self.step()?;
        let table = condition.table;
        Ok(match &condition.kind {
            Test::Constant(value) => Some(*value),
            Test::Column { column, predicate } => {
                self.cell(table, row, *column).map(|cell| satisfies(cell, predicate))
            }
            Test::ColumnKnown { column } => Some(self.cell(table, row, *column).is_some()),
            Test::Within { ranges } => {
                let path = self.path(row);
                let inside = |p: u64| ranges.iter().any(|(low, high)| (*low..=*high).contains(&p));
                // Only a form may leave open where the household lives.
                path.map(inside)
            }
            Test::Between { value, low, high } => {
                let value = self.value(value, row)?.map(Number::exact);
                value.map(|v| *low <= v && v <= *high)
            }
            Test::OneOf { value, list } => {
                let value = self.value(value, row)?.map(Number::exact);
                value.map(|v| list.binary_search(&v).is_ok())
            }
            Test::Compare { sign, left, right } => {
                let pair = (self.value(left, row)?, self.value(right, row)?);
                let (Some(left), Some(right)) = pair else { return Ok(None) };
                let order = match (left, right) {
                    (Number::Exact(x), Number::Exact(y)) => Some(x.cmp(&y)),
                    (x, y) => x.float().partial_cmp(&y.float()),
                };
                order.map(|order| holds(*sign, order))
            }
            Test::SameText { left, right } => self.same_text((table, row), *left, *right),
            Test::Matches { column, pattern, .. } => match self.cell(table, row, *column) {
                Some(Cell::Text(text)) => Some(pattern.found_in(text)),
                _ => None,
            },
            Test::ValueKnown(value) => Some(self.value(value, row)?.is_some()),
            Test::ConditionKnown(inner) => Some(self.truth(inner, row)?.is_some()),
            Test::Truth(inner) => Some(self.truth(inner, row)? == Some(true)),
            Test::Choose(when, first, second) => {
                let chosen = if self.truth(when, row)? == Some(true) { first } else { second };
                self.truth(chosen, row)?
            }
            Test::FirstKnown(parts) => self.first_known(parts, row)?,
            Test::Same(left, right) => {
                let pair = (self.truth(left, row)?, self.truth(right, row)?);
                if let (Some(x), Some(y)) = pair { Some(x == y) } else { None }
            }
            Test::Not(inner) => self.truth(inner, row)?.map(|truth| !truth),
            Test::And(parts) => self.joined(parts, row, false)?,
            Test::Or(parts) => self.joined(parts, row, true)?,
            Test::Spread(inner) => {
                self.truth(inner, self.rows.above(self.schema, table, row, inner.table))?
            }
            Test::Any { child, condition } => {
                let beneath = self.rows.beneath(self.schema, table, row, *child);
                Some(self.some(beneath, condition)?)
            }
        })
    }

    /// Whether a condition is true for one of some rows; every one is read.
    fn some(&self, rows: Range<usize>, condition: &Condition) -> Result<bool> {
        let mut found = false;
        for row in rows {
            found |= self.truth(condition, row)? == Some(true);
        }
        Ok(found)
    }

    /// Whether two texts, of a row or of those above it, are the same.
    fn same_text(
        &self,
        (table, row): (usize, usize),
        left: (usize, usize),
        right: (usize, usize),
    ) -> Option<bool> {
        let text = |(home, column): (usize, usize)| {
            let above = self.rows.above(self.schema, table, row, home);
            self.cell(home, above, column)
        };
        let pair = (text(left), text(right));
        if let (Some(a), Some(b)) = pair { Some(a == b) } else { None }
    }

    /// The place of a root row.
    fn path(&self, row: usize) -> Option<u64> {
        match self.cell(0, row, self.schema.path_column()) {
            Some(Cell::Int(path)) => u64::try_from(*path).ok(),
            _ => None,
        }
    }

    fn first_known(&self, parts: &[Condition], row: usize) -> Result<Option<bool>> {
        for part in parts {
            if let Some(truth) = self.truth(part, row)? {
                return Ok(Some(truth));
            }
        }
        Ok(None)
    }

    /// Some conditions joined: with `decides` true one that is true makes the whole true, with
    /// false one that is false makes it false. Every part is read, so that all that is missing
    /// is known.
    fn joined(&self, parts: &[Condition], row: usize, decides: bool) -> Result<Option<bool>> {
        let mut found = Some(!decides);
        for part in parts {
            match self.truth(part, row)? {
                Some(truth) if truth == decides => found = Some(decides),
                Some(_) => {}
                None if found == Some(decides) => {}
                None => found = None,
            }
        }
        Ok(found)
    }

    /// A value for a row of its table; none where it is unknown.
    pub(crate) fn value(&self, value: &Value, row: usize) -> Result<Option<Number>> {
        self.step()?;
        let table = value.table;
        Ok(match &value.kind {
            Term::Constant(constant) => Some(Number::Exact(*constant)),
            Term::ConstantFloat(constant) => Some(Number::Float(*constant)),
            Term::Column(column) => match self.cell(table, row, *column) {
                Some(Cell::Int(value)) => Some(Number::Exact(*value)),
                _ => None,
            },
            Term::Spread(inner) => {
                self.value(inner, self.rows.above(self.schema, table, row, inner.table))?
            }
            Term::Exact(sign, left, right) => {
                let pair = (self.value(left, row)?, self.value(right, row)?);
                let (Some(x), Some(y)) = pair else { return Ok(None) };
                let (x, y) = (x.exact(), y.exact());
                let result = match sign {
                    Arithmetic::Add => x.checked_add(y),
                    Arithmetic::Subtract => x.checked_sub(y),
                    Arithmetic::Multiply => x.checked_mul(y),
                    Arithmetic::Divide => x.checked_div(y),
                };
                Some(Number::Exact(result.ok_or_else(|| beyond("a value of a row"))?))
            }
            Term::Float(sign, left, right) => {
                let pair = (self.value(left, row)?, self.value(right, row)?);
                let (Some(x), Some(y)) = pair else { return Ok(None) };
                self.floats(*sign, x.float(), y.float())?.map(Number::Float)
            }
            Term::ToFloat(inner, over) => {
                self.value(inner, row)?.map(|v| Number::Float(v.float() / over))
            }
            Term::Absolute(inner) => match self.value(inner, row)? {
                Some(Number::Exact(value)) => {
                    let value = value.checked_abs().ok_or_else(|| beyond("a value of a row"))?;
                    Some(Number::Exact(value))
                }
                other => other.map(|v| Number::Float(v.float().abs())),
            },
            Term::Least(values) => self.extreme(values, row, true)?,
            Term::Greatest(values) => self.extreme(values, row, false)?,
            Term::Coalesce(values) => {
                for value in values {
                    if let Some(found) = self.value(value, row)? {
                        return Ok(Some(found));
                    }
                }
                None
            }
            Term::If(condition, first, second) => {
                let yes = self.truth(condition, row)? == Some(true);
                self.value(if yes { first } else { second }, row)?
            }
            Term::Calendar(reading, inner) => {
                self.value(inner, row)?.map(|v| Number::Exact(reading.of(v.exact())))
            }
            Term::AddMonths(inner, months) => self
                .value(inner, row)?
                .map(|v| Number::Exact(calendar::add_months(v.exact(), *months))),
            Term::Fold(fold) => self.fold(fold, table, row)?,
            Term::ByPlace(ranges) => self.path(row).and_then(|path| {
                let holds = |(low, high, _): &&(u64, u64, i64)| (*low..=*high).contains(&path);
                ranges.iter().find(holds).map(|(_, _, number)| Number::Exact(*number))
            }),
        })
    }

    fn floats(&self, sign: Arithmetic, x: f64, y: f64) -> Result<Option<f64>> {
        let result = match sign {
            Arithmetic::Add => x + y,
            Arithmetic::Subtract => x - y,
            Arithmetic::Multiply => x * y,
            Arithmetic::Divide if y == 0.0 => return Ok(None),
            Arithmetic::Divide => x / y,
        };
        if result.is_finite() { Ok(Some(result)) } else { Err(beyond("a value of a row")) }
    }

    fn extreme(&self, values: &[Value], row: usize, least: bool) -> Result<Option<Number>> {
        let mut found: Option<Number> = None;
        let mut known = true;
        for value in values {
            let Some(next) = self.value(value, row)? else {
                known = false;
                continue;
            };
            found = Some(found.map_or(next, |before| more(before, next, least)));
        }
        Ok(found.filter(|_| known))
    }

    fn fold(&self, fold: &Fold, table: usize, row: usize) -> Result<Option<Number>> {
        let mut beneath = Vec::new();
        for place in self.rows.beneath(self.schema, table, row, fold.child) {
            let counts = match &fold.condition {
                Some(condition) => self.truth(condition, place)? == Some(true),
                None => true,
            };
            if counts {
                beneath.push(place);
            }
        }
        let Some(argument) = &fold.argument else {
            return Ok(Some(Number::Exact(i64::try_from(beneath.len()).unwrap_or(i64::MAX))));
        };
        let mut values = Vec::with_capacity(beneath.len());
        for place in beneath {
            values.extend(self.value(argument, place)?);
        }
        folded(fold.function, argument, &values)
    }
}

/// Many values as one, as the registry folds them.
fn folded(function: Function, argument: &Value, values: &[Number]) -> Result<Option<Number>> {
    let float = values.iter().any(|v| matches!(v, Number::Float(_)));
    let total = || values.iter().map(|v| i128::from(v.exact())).sum::<i128>();
    let float_total = || values.iter().map(|v| v.float()).reduce(|a, b| a + b);
    let whole = |total: i128| {
        let total = i64::try_from(total).map_err(|_| beyond("a sum over the rows beneath"));
        total.map(|total| Some(Number::Exact(total)))
    };
    match function {
        Function::Count => whole(i128::try_from(values.len()).unwrap_or(i128::MAX)),
        // A sum of no row is the zero of its own representation.
        Function::Sum if values.is_empty() => {
            Ok(Some(if is_float(argument) { Number::Float(0.0) } else { Number::Exact(0) }))
        }
        Function::Sum if float => match float_total() {
            Some(total) if !total.is_finite() => Err(beyond("a sum over the rows beneath")),
            total => Ok(total.map(Number::Float)),
        },
        Function::Sum => whole(total()),
        Function::Average if values.is_empty() => Ok(None),
        Function::Average => {
            let sum = if float { float_total().unwrap_or(0.0) } else { total() as f64 };
            Ok(Some(Number::Float(sum / values.len() as f64)))
        }
        Function::Least => Ok(values.iter().copied().reduce(|a, b| more(a, b, true))),
        Function::Greatest => Ok(values.iter().copied().reduce(|a, b| more(a, b, false))),
    }
}

fn more(before: Number, next: Number, least: bool) -> Number {
    match (before, next) {
        (Number::Exact(x), Number::Exact(y)) => {
            Number::Exact(if least { x.min(y) } else { x.max(y) })
        }
        (x, y) => {
            let (x, y) = (x.float(), y.float());
            Number::Float(if least { x.min(y) } else { x.max(y) })
        }
    }
}

/// Whether a value is a float, known before any row is read.
pub(crate) fn is_float(value: &Value) -> bool {
    match &value.kind {
        Term::ConstantFloat(_) | Term::Float(..) | Term::ToFloat(..) => true,
        Term::Constant(_) | Term::Column(_) | Term::Exact(..) => false,
        Term::Calendar(..) | Term::AddMonths(..) | Term::ByPlace(_) => false,
        Term::Spread(inner) | Term::Absolute(inner) => is_float(inner),
        Term::Least(parts) | Term::Greatest(parts) | Term::Coalesce(parts) => {
            parts.iter().any(is_float)
        }
        Term::If(_, first, second) => is_float(first) || is_float(second),
        Term::Fold(fold) => match fold.function {
            Function::Count => false,
            Function::Average => true,
            _ => fold.argument.as_ref().is_some_and(is_float),
        },
    }
}

/// Whether a known value satisfies a predicate.
pub(crate) fn satisfies(cell: &Cell, predicate: &Predicate) -> bool {
    match (cell, predicate) {
        (Cell::Int(value), Predicate::Range { min, max }) => min <= value && value <= max,
        (Cell::Int(value), Predicate::In(list)) => list.binary_search(value).is_ok(),
        (Cell::Int(value), Predicate::HasAny(bits)) => value.cast_unsigned() & bits != 0,
        (Cell::Int(value), Predicate::HasAll(bits)) => value.cast_unsigned() & bits == *bits,
        (Cell::Int(value), Predicate::HasNone(bits)) => value.cast_unsigned() & bits == 0,
        (Cell::Text(text), Predicate::TextIn(list)) => list.iter().any(|one| one == text),
        (Cell::Text(text), Predicate::TextStarts(start)) => text.starts_with(start.as_str()),
        (_, Predicate::Known) => true,
        _ => false,
    }
}
