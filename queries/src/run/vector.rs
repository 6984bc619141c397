//! A piece of a segment: the values of an expression, row by row.
//!
//! Invariants: the list of a vector that was made for some rows has a number for each row of their
//! bounds; a vector knows only rows that were asked about; a row it does not know holds some
//! value that is never used; an operation that goes beyond 64 bits is an error only for a row it
//! knows.

use std::ops::Range;

use yiku::RowSet;
use yiku::cpu::best;
use yiku::kernel::Held;
use yiku::segment::Column;

use super::arith::{self, Side, has_zero, masked_sum, to_floats};
use super::scan::{Scan, base, bounds, each_row, set_bytes};
use crate::ast::{Arithmetic, Comparison};
use crate::bound::{Term, Value};
use crate::error::{Error, Result};
use crate::explain::probe::About;
use yiku::calendar;

/// Bytes of a value.
const VALUE_BYTES: u64 = 8;

/// Words with no more rows than this are added up row by row.
const FEW: u32 = 12;

/// Calls `visit` with the place of every bit of a word.
#[inline(always)]
pub(super) fn each_bit(mut bits: u64, mut visit: impl FnMut(u32)) {
    while bits != 0 {
        visit(bits.trailing_zeros());
        bits &= bits - 1;
    }
}

/// The values of the rows of one table from `start` on, a multiple of 64.
pub(super) struct Vector<'a> {
    pub(super) start: u32,
    pub(super) values: Values,
    pub(super) known: RowSet,
    /// What the values take, for as long as they are there.
    pub(super) held: Option<Held<'a>>,
}

pub(super) enum Values {
    Exact(Vec<i64>),
    Float(Vec<f64>),
    Constant(i64),
    ConstantFloat(f64),
}

impl Vector<'_> {
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

    /// A number made of every known value of a span; zero where there is none.
    fn mapped(&self, span: Range<u32>, make: impl Fn(i64) -> i64) -> Vec<i64> {
        let mut values = vec![0; span.len()];
        each_row(&self.known, |row| {
            if let Some(slot) = values.get_mut(row.wrapping_sub(span.start) as usize) {
                *slot = make(self.exact(row));
            }
        });
        values
    }

    /// The sum of the exact values of the rows of a set, all of them known, in a range.
    pub(super) fn sum(&self, known: &RowSet, rows: Range<u32>) -> i128 {
        if let Values::Constant(value) = self.values {
            return i128::from(value) * i128::from(known.count_range(rows));
        }
        let Values::Exact(values) = &self.values else { return 0 };
        let first = base(known).max(rows.start - rows.start % 64);
        let skipped = ((first - base(known)) / 64) as usize;
        let words = known.words().get(skipped..).unwrap_or_default();
        // Lists of values begin where words do.
        let own = values.get(self.place(first)..).unwrap_or_default();
        let before = self.start.saturating_sub(first) as usize / 64;
        let (own, words) = match before {
            0 => (own, words),
            _ => (values.as_slice(), words.get(before..).unwrap_or_default()),
        };
        let first = first.max(self.start);
        best(
            #[inline(always)]
            || {
                let mut sum = 0i128;
                let firsts = (first..rows.end).step_by(64);
                for ((row, word), chunk) in firsts.zip(words).zip(own.chunks(64)) {
                    let low = u64::MAX << rows.start.saturating_sub(row).min(63);
                    let high = u64::MAX.checked_shl(rows.end - row).unwrap_or(0);
                    let bits = word & low & !high;
                    match chunk.as_array::<64>() {
                        Some(chunk) if bits.count_ones() > FEW => {
                            sum = sum.wrapping_add(masked_sum(chunk, bits));
                        }
                        _ => each_bit(bits, |bit| {
                            let value = chunk.get(bit as usize).copied().unwrap_or(0);
                            sum = sum.wrapping_add(i128::from(value));
                        }),
                    }
                }
                sum
            },
        )
    }

    /// The list of values, if its sums lie within 64 bits, whatever rows are left out.
    pub(super) fn adds_up(&self) -> Option<&[i64]> {
        let Values::Exact(values) = &self.values else { return None };
        arith::adds_up(values).then_some(values)
    }

    /// The exact values as a side of an operation.
    pub(super) fn exact_side(&self) -> Side<'_, i64> {
        match &self.values {
            Values::Exact(values) => Side::List(values),
            Values::Constant(value) => Side::One(*value),
            Values::Float(_) | Values::ConstantFloat(_) => Side::One(0),
        }
    }

    /// The exact values of a list as floats.
    pub(super) fn as_floats(&self) -> Vec<f64> {
        match &self.values {
            Values::Exact(values) => to_floats(values, 1.0),
            Values::Float(_) | Values::Constant(_) | Values::ConstantFloat(_) => Vec::new(),
        }
    }

    /// The values as a side of an operation on floats, given [`Vector::as_floats`].
    pub(super) fn float_side<'s>(&'s self, exact: &'s [f64]) -> Side<'s, f64> {
        match &self.values {
            Values::Exact(_) => Side::List(exact),
            Values::Float(values) => Side::List(values),
            Values::ConstantFloat(value) => Side::One(*value),
            Values::Constant(value) => Side::One(*value as f64),
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

pub(super) fn beyond(what: &str) -> Error {
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
    pub(super) fn value(&self, value: &Value, rows: &RowSet) -> Result<Vector<'_>> {
        self.run.check()?;
        let size = match &value.kind {
            Term::Constant(_) | Term::ConstantFloat(_) => 0,
            _ => bounds(rows).len() as u64 * VALUE_BYTES,
        };
        let held = self.run.hold(size.saturating_add(set_bytes(rows.len_rows())))?;
        let open = self.within.open(About::Value, value);
        let mut vector = self.made(value, rows)?;
        if let Some(open) = open {
            open.rows(rows.count(), vector.known.count());
        }
        vector.held = Some(held);
        Ok(vector)
    }

    fn made(&self, value: &Value, rows: &RowSet) -> Result<Vector<'_>> {
        let span = bounds(rows);
        let start = span.start;
        let vector = |values, known| Ok(Vector { start, values, known, held: None });
        match &value.kind {
            Term::Constant(constant) => vector(Values::Constant(*constant), rows.clone()),
            Term::ConstantFloat(constant) => vector(Values::ConstantFloat(*constant), rows.clone()),
            Term::Column(column) => {
                let mut known = rows.clone();
                known.and(&*self.known(value.table, *column)?);
                let column = self.segment.column(value.table, *column)?;
                vector(Values::Exact(read(&column, &span, &known)?), known)
            }
            Term::Spread(inner) => self.spread_value(inner, value.table, rows),
            Term::Exact(sign, left, right) => self.exact(*sign, left, right, rows),
            Term::Float(sign, left, right) => self.floats(*sign, left, right, rows),
            Term::ToFloat(inner, over) => {
                let inner = self.value(inner, rows)?;
                let values = match &inner.values {
                    Values::Exact(values) => Values::Float(to_floats(values, *over)),
                    _ => Values::ConstantFloat(inner.exact(start) as f64 / over),
                };
                vector(values, inner.known)
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
                vector(Values::Exact(inner.mapped(span, |day| reading.of(day))), inner.known)
            }
            Term::AddMonths(inner, months) => {
                let inner = self.value(inner, rows)?;
                let later = |day| calendar::add_months(day, *months);
                vector(Values::Exact(inner.mapped(span, later)), inner.known)
            }
            Term::Fold(fold) => self.fold(fold, value.table, rows),
            Term::ByPlace(ranges) => {
                let (values, known) = self.by_place(ranges, rows)?;
                vector(Values::Exact(values), known)
            }
        }
    }

    /// The number of the range that each root row's path lies in.
    fn by_place(&self, ranges: &[(u64, u64, i64)], rows: &RowSet) -> Result<(Vec<i64>, RowSet)> {
        let span = bounds(rows);
        let (mut values, mut placed) = (vec![0; span.len()], RowSet::none_in(rows.window()));
        for (low, high, number) in ranges {
            let found = self.segment.path_rows(*low, *high)?;
            let own = found.start.max(span.start)..found.end.min(span.end);
            if own.is_empty() {
                continue;
            }
            let place = |row: u32| (row - span.start) as usize;
            if let Some(slots) = values.get_mut(place(own.start)..place(own.end)) {
                slots.fill(*number);
            }
            placed.insert_range(own);
        }
        placed.and(rows);
        Ok((values, placed))
    }

    fn exact(
        &self,
        sign: Arithmetic,
        left: &Value,
        right: &Value,
        rows: &RowSet,
    ) -> Result<Vector<'_>> {
        let (left, right) = (self.value(left, rows)?, self.value(right, rows)?);
        let mut known = left.known.clone();
        known.and(&right.known);
        let span = bounds(rows);
        let quick = arith::exact(sign, left.exact_side(), right.exact_side(), span.len());
        if let Some(values) = quick {
            return Ok(Vector {
                start: span.start,
                values: Values::Exact(values),
                known,
                held: None,
            });
        }
        let operate = |f: fn(i64, i64) -> Option<i64>| {
            each(bounds(rows), &known, 0, |row| f(left.exact(row), right.exact(row)))
        };
        let values = match sign {
            Arithmetic::Add => operate(i64::checked_add)?,
            Arithmetic::Subtract => operate(i64::checked_sub)?,
            Arithmetic::Multiply => operate(i64::checked_mul)?,
            Arithmetic::Divide => operate(i64::checked_div)?,
        };
        Ok(Vector { start: bounds(rows).start, values: Values::Exact(values), known, held: None })
    }

    fn floats(
        &self,
        sign: Arithmetic,
        left: &Value,
        right: &Value,
        rows: &RowSet,
    ) -> Result<Vector<'_>> {
        if let Some(quotients) = self.quotients(sign, left, right, rows)? {
            return Ok(quotients);
        }
        let (left, right) = (self.value(left, rows)?, self.value(right, rows)?);
        let mut known = left.known.clone();
        known.and(&right.known);
        let span = bounds(rows);
        let (left_list, right_list) = (left.as_floats(), right.as_floats());
        let (quick_left, quick_right) =
            (left.float_side(&left_list), right.float_side(&right_list));
        if sign == Arithmetic::Divide && has_zero(quick_right) {
            let words = arith::compared(Comparison::Equal, quick_right, Side::One(0.0), span.len());
            let mut zero = RowSet::none_in(known.window());
            zero.insert_words(span.start, &words);
            known.and_not(&zero);
        }
        let (values, beyond) = arith::floats(sign, quick_left, quick_right, span.len());
        if !beyond {
            let values = Values::Float(values);
            return Ok(Vector { start: span.start, values, known, held: None });
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
        Ok(Vector { start: bounds(rows).start, values: Values::Float(values), known, held: None })
    }

    /// Integers by integers, with no list of floats of either; none where that is not asked, or
    /// where a quotient is not finite.
    fn quotients(
        &self,
        sign: Arithmetic,
        left: &Value,
        right: &Value,
        rows: &RowSet,
    ) -> Result<Option<Vector<'_>>> {
        let (Term::ToFloat(above, over), Term::ToFloat(below, under)) = (&left.kind, &right.kind)
        else {
            return Ok(None);
        };
        if sign != Arithmetic::Divide || !self.limits.indexes || self.within.probe.is_some() {
            return Ok(None);
        }
        let (above, below) = (self.value(above, rows)?, self.value(below, rows)?);
        let (Values::Exact(a), Values::Exact(b)) = (&above.values, &below.values) else {
            return Ok(None);
        };
        let Some(values) = arith::quotients((a, *over), (b, *under)) else { return Ok(None) };
        let mut known = above.known;
        known.and(&below.known);
        let (start, values) = (bounds(rows).start, Values::Float(values));
        Ok(Some(Vector { start, values, known, held: None }))
    }

    fn extreme(&self, values: &[Value], rows: &RowSet, least: bool) -> Result<Vector<'_>> {
        let mut found: Option<Vector<'_>> = None;
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
            found = Some(Vector { start, values, known, held: None });
        }
        found.map_or_else(|| self.value(&Value::constant(0), rows), Ok)
    }

    fn coalesce(&self, values: &[Value], rows: &RowSet) -> Result<Vector<'_>> {
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
    fn spread_value(&self, inner: &Value, table: usize, rows: &RowSet) -> Result<Vector<'_>> {
        let above = self.lift(rows, table, inner.table)?;
        let vector = self.value(inner, &above)?;
        let offsets = self.offsets(inner.table, table)?;
        let span = bounds(rows);
        let mut known = self.spread(&vector.known, inner.table, table)?;
        known.and(rows);
        let values = if vector.is_float() {
            Values::Float(expanded(offsets, &span, |row| vector.float(row)))
        } else {
            Values::Exact(expanded(offsets, &span, |row| vector.exact(row)))
        };
        Ok(Vector { start: span.start, values, known, held: None })
    }
}

/// Where fewer rows than one in so many are asked about, only those are read.
const SPARSE: u64 = 12;

/// The values of a column for a span of rows; where a row is not known, any number.
fn read(column: &Column<'_>, span: &Range<u32>, known: &RowSet) -> Result<Vec<i64>> {
    if known.count() * SPARSE > span.len() as u64 {
        let mut values = Vec::with_capacity(span.len());
        column.integers(span.clone(), &mut values)?;
        return Ok(values);
    }
    let mut found = Vec::new();
    column.values_of(known, &mut found)?;
    let mut values = vec![0; span.len()];
    let mut found = found.into_iter();
    each_row(known, |row| {
        let slot = values.get_mut(row.wrapping_sub(span.start) as usize);
        if let (Some(slot), Some(value)) = (slot, found.next()) {
            *slot = value;
        }
    });
    Ok(values)
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
    let rows = u32::try_from(first).unwrap_or(u32::MAX)..;
    for (row, pair) in rows.zip(offsets.get(first..).unwrap_or_default().windows(2)) {
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
fn merged<'h>(span: Range<u32>, parts: Vec<(RowSet, Vector<'_>)>, rows: &RowSet) -> Vector<'h> {
    let mut known = RowSet::none_in(rows.window());
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
        each_row(&own, |row| {
            let place = row.wrapping_sub(span.start) as usize;
            if let Some(slot) = floats.get_mut(place) {
                *slot = part.float(row);
            } else if let Some(slot) = exact.get_mut(place) {
                *slot = part.exact(row);
            }
        });
        known.or(&own);
    }
    let values = if float { Values::Float(floats) } else { Values::Exact(exact) };
    Vector { start: span.start, values, known, held: None }
}
