//! One segment: what is asked over the rows beneath a row.
//!
//! The rows beneath a row stand together, so that one pass over the rows that count, in their
//! order, meets each row above once.

use yiku::RowSet;

use super::arith;
use super::scan::{Scan, bounds, each_row};
use super::vector::{Values, Vector, beyond};
use crate::bound::{Fold, Function, Term};
use crate::error::Result;

/// Fewer rows than one in so many are added up one by one.
const FEW: u64 = 5;

/// Steps to the next row above before it is searched for.
const STEPS: usize = 8;

/// Calls `done` with every row above that has rows in the set, and with what `add` made of them.
fn folded<A: Default>(
    counted: &RowSet,
    offsets: &[u32],
    mut add: impl FnMut(&mut A, u32),
    mut done: impl FnMut(usize, A),
) {
    let end_of = |above: usize| offsets.get(above + 1).copied().unwrap_or(u32::MAX);
    let (mut above, mut end) = (0usize, 0u32);
    let mut so_far: Option<A> = None;
    each_row(counted, |row| {
        if row >= end {
            if let Some(found) = so_far.take() {
                done(above, found);
            }
            let mut steps = 0;
            while end_of(above) <= row {
                above += 1;
                steps += 1;
                if steps == STEPS {
                    let ahead = offsets.get(above..).unwrap_or_default();
                    above += ahead.partition_point(|start| *start <= row).saturating_sub(1);
                }
            }
            end = end_of(above);
        }
        add(so_far.get_or_insert_default(), row);
    });
    if let Some(found) = so_far {
        done(above, found);
    }
}

/// The slot of a row above, in the values of a span.
fn put<T>(values: &mut [T], start: u32, above: usize, value: T) {
    if let Some(slot) = above.checked_sub(start as usize).and_then(|at| values.get_mut(at)) {
        *slot = value;
    }
}

impl Scan<'_> {
    /// Whether a table lies directly beneath another.
    fn is_beneath(&self, above: usize, table: usize) -> bool {
        self.schema.tables.get(table).and_then(|declared| declared.parent) == Some(above)
    }

    /// The sums of a column over few rows beneath each row of `table`; none where something else
    /// is asked, where the rows are not few, or where a sum may go beyond 64 bits.
    fn few_summed(
        &self,
        fold: &Fold,
        table: usize,
        rows: &RowSet,
        beneath: &RowSet,
    ) -> Result<Option<Vector<'_>>> {
        let argument = fold.argument.as_ref().filter(|value| value.table == fold.child);
        let Some(Term::Column(column)) = argument.map(|value| &value.kind) else {
            return Ok(None);
        };
        let plain = !self.limits.indexes || self.within.probe.is_some();
        let sums = fold.function == Function::Sum && self.is_beneath(table, fold.child);
        if plain || !sums || beneath.count() * FEW > u64::from(beneath.len_rows()) {
            return Ok(None);
        }
        let mut values = Vec::new();
        let _held = self.run.hold(beneath.count().saturating_mul(8))?;
        let column = self.segment.column(fold.child, *column)?;
        let known = column.known_values(beneath, &mut values)?;
        if !arith::adds_up(&values) {
            return Ok(None);
        }
        let span = bounds(rows);
        let own = span.start..span.end;
        let sums = self.segment.sums_listed(fold.child, &known, own, &values)?;
        let (start, known) = (span.start, rows.clone());
        Ok(Some(Vector { start, values: Values::Exact(sums), known, held: None }))
    }

    /// How many rows of `child` there are beneath each row of `table`.
    fn all_counted(&self, child: usize, table: usize, rows: &RowSet) -> Result<Vector<'_>> {
        let (span, offsets) = (bounds(rows), self.offsets(table, child)?);
        let starts = offsets.get(span.start as usize..).unwrap_or_default();
        let pairs = starts.iter().zip(starts.get(1..).unwrap_or_default());
        let mut values = vec![0i64; span.len()];
        let slots = values.iter_mut().zip(pairs);
        yiku::cpu::best(
            #[inline(always)]
            || slots.for_each(|(slot, (start, end))| *slot = end.wrapping_sub(*start).into()),
        );
        let (start, known) = (span.start, rows.clone());
        Ok(Vector { start, values: Values::Exact(values), known, held: None })
    }

    /// What is asked over the rows beneath each row of `table`.
    pub(super) fn fold(&self, fold: &Fold, table: usize, rows: &RowSet) -> Result<Vector<'_>> {
        if let (Function::Count, None, None) = (fold.function, &fold.argument, &fold.condition) {
            return self.all_counted(fold.child, table, rows);
        }
        let mut beneath = self.spread(rows, table, fold.child)?;
        if let Some(condition) = &fold.condition {
            beneath = self.rows(condition, true, &beneath)?;
        }
        if let Some(sums) = self.few_summed(fold, table, rows, &beneath)? {
            return Ok(sums);
        }
        let argument = match &fold.argument {
            Some(value) => Some(self.value(value, &beneath)?),
            None => None,
        };
        let counted = argument.as_ref().map_or(&beneath, |a| &a.known);
        let offsets = self.offsets(table, fold.child)?;
        let mut known = rows.clone();
        if !matches!(fold.function, Function::Count | Function::Sum) {
            known = self.lift_some(counted, fold.child, table)?;
            known.and(rows);
        }
        let span = bounds(rows);
        let (start, size) = (span.start, span.len());
        let values = match (fold.function, &argument) {
            (Function::Count, _) | (_, None) if self.is_beneath(table, fold.child) => {
                let above = start..span.end;
                Values::Exact(self.segment.counts_beneath(fold.child, counted, above)?)
            }
            (Function::Sum, Some(argument))
                if self.is_beneath(table, fold.child) && argument.adds_up().is_some() =>
            {
                let (above, values) = (start..span.end, argument.adds_up().unwrap_or_default());
                let values = (argument.start, values);
                Values::Exact(self.segment.sums_beneath(fold.child, counted, above, values)?)
            }
            (Function::Count, _) | (_, None) => {
                let mut values = vec![0i64; size];
                let done = |above, count| put(&mut values, start, above, count);
                folded(counted, offsets, |count: &mut i64, _| *count += 1, done);
                Values::Exact(values)
            }
            (Function::Average, Some(argument)) => {
                Values::Float(averages(argument, offsets, start, size))
            }
            (function, Some(argument)) if argument.is_float() => {
                floats(function, argument, offsets, start, size)?
            }
            (function, Some(argument)) => exact(function, argument, offsets, start, size)?,
        };
        Ok(Vector { start, values, known, held: None })
    }
}

fn exact(
    function: Function,
    argument: &Vector<'_>,
    offsets: &[u32],
    start: u32,
    size: usize,
) -> Result<Values> {
    let mut values = vec![0i64; size];
    let mut whole = true;
    let add = |found: &mut Option<i128>, row| {
        let value = i128::from(argument.exact(row));
        *found = Some(match (*found, function) {
            (None, _) => value,
            (Some(before), Function::Least) => before.min(value),
            (Some(before), Function::Greatest) => before.max(value),
            (Some(before), _) => before + value,
        });
    };
    folded(&argument.known, offsets, add, |above, found| match i64::try_from(found.unwrap_or(0)) {
        Ok(found) => put(&mut values, start, above, found),
        Err(_) => whole = false,
    });
    if whole { Ok(Values::Exact(values)) } else { Err(beyond("a sum over the rows beneath")) }
}

fn floats(
    function: Function,
    argument: &Vector<'_>,
    offsets: &[u32],
    start: u32,
    size: usize,
) -> Result<Values> {
    let mut values = vec![0.0; size];
    let mut finite = true;
    let add = |found: &mut Option<f64>, row| {
        let value = argument.float(row);
        *found = Some(match (*found, function) {
            (None, _) => value,
            (Some(before), Function::Least) => before.min(value),
            (Some(before), Function::Greatest) => before.max(value),
            (Some(before), _) => before + value,
        });
    };
    folded(&argument.known, offsets, add, |above, found| {
        let found = found.unwrap_or(0.0);
        finite &= found.is_finite();
        put(&mut values, start, above, found);
    });
    if finite { Ok(Values::Float(values)) } else { Err(beyond("a sum over the rows beneath")) }
}

/// The sum of the known values over their number: of exact values the exact sum.
fn averages(argument: &Vector<'_>, offsets: &[u32], start: u32, size: usize) -> Vec<f64> {
    let mut values = vec![0.0; size];
    if argument.is_float() {
        let add = |(sum, count): &mut (f64, f64), row| {
            *sum += argument.float(row);
            *count += 1.0;
        };
        let done = |above, (sum, count)| put(&mut values, start, above, sum / count);
        folded(&argument.known, offsets, add, done);
    } else {
        let add = |(sum, count): &mut (i128, f64), row| {
            *sum += i128::from(argument.exact(row));
            *count += 1.0;
        };
        let done = |above, (sum, count)| put(&mut values, start, above, sum as f64 / count);
        folded(&argument.known, offsets, add, done);
    }
    values
}
