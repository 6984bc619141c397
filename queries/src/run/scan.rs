//! One segment: which of its rows satisfy a condition.
//!
//! Three-valued logic without a third set: a condition is asked twice when it must be, once for
//! the rows where it is true and once for those where it is false; a row in neither is unknown.
//! Every answer is a part of the rows that were asked about, so that each clause narrows what the
//! next one has to look at.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use yiku::{RowSet, Schema, Segment};

use super::vector::Vector;
use crate::bound::{Condition, Test};
use crate::check::holds;
use crate::error::Result;
use crate::plan::Limits;

/// Offsets of children by row of a table above, by that table and the child table.
type OffsetsByPair = BTreeMap<(usize, usize), Rc<[u32]>>;

/// One segment being read.
pub(super) struct Scan<'a> {
    pub(super) segment: &'a Segment,
    pub(super) schema: &'a Schema,
    pub(super) limits: &'a Limits,
    offsets: RefCell<OffsetsByPair>,
}

/// From the first row of a set to behind its last.
pub(super) fn bounds(rows: &RowSet) -> Range<u32> {
    let words = rows.words();
    let Some(first) = words.iter().position(|w| *w != 0) else { return 0..0 };
    let last = words.iter().rposition(|w| *w != 0).unwrap_or(first);
    let bit = |place: usize, low: bool| {
        let word = words.get(place).copied().unwrap_or(0);
        let within = if low { word.trailing_zeros() } else { 63 - word.leading_zeros() };
        u32::try_from(place).unwrap_or(u32::MAX).saturating_mul(64).saturating_add(within)
    };
    bit(first, true)..bit(last, false) + 1
}

pub(super) fn is_full(rows: &RowSet) -> bool {
    rows.count() == u64::from(rows.len_rows())
}

/// Calls `visit` with every row of a set, in rising order.
pub(super) fn each_row(rows: &RowSet, mut visit: impl FnMut(u32)) {
    for (first, &word) in (0u32..).step_by(64).zip(rows.words()) {
        if word == u64::MAX {
            (first..first + 64).for_each(&mut visit);
            continue;
        }
        let mut rest = word;
        while rest != 0 {
            visit(first + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
}

/// The rows of `span` for which `keep` says so, in a table of `len` rows.
pub(super) fn gather(len: u32, span: Range<u32>, mut keep: impl FnMut(u32) -> bool) -> RowSet {
    let mut found = RowSet::none(len);
    let words = found.words_mut();
    let mut row = span.start;
    while row < span.end {
        let place = row / 64;
        let end = span.end.min((place + 1).saturating_mul(64));
        let mut word = 0u64;
        for bit in row..end {
            word |= u64::from(keep(bit)) << (bit % 64);
        }
        if let Some(slot) = words.get_mut(place as usize) {
            *slot |= word;
        }
        row = end;
    }
    found
}

impl<'a> Scan<'a> {
    pub(super) fn new(segment: &'a Segment, schema: &'a Schema, limits: &'a Limits) -> Self {
        Self { segment, schema, limits, offsets: RefCell::default() }
    }

    fn parent(&self, table: usize) -> Option<usize> {
        self.schema.tables.get(table).and_then(|t| t.parent)
    }

    /// The tables from the one beneath `above` down to `table`.
    fn descent(&self, above: usize, table: usize) -> Vec<usize> {
        let mut steps = Vec::new();
        let mut at = table;
        while at != above {
            steps.push(at);
            match self.parent(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        steps.reverse();
        steps
    }

    /// Where the rows of `table` beneath each row of `above` begin; one entry more than rows.
    pub(super) fn offsets(&self, above: usize, table: usize) -> Result<Rc<[u32]>> {
        if let Some(found) = self.offsets.borrow().get(&(above, table)) {
            return Ok(Rc::clone(found));
        }
        let mut composed: Option<Rc<[u32]>> = None;
        for step in self.descent(above, table) {
            let next = self.segment.offsets(step)?;
            composed = Some(match composed {
                None => Rc::from(next),
                Some(before) => {
                    let place = |o: &u32| next.get(*o as usize).copied().unwrap_or(0);
                    before.iter().map(place).collect()
                }
            });
        }
        let found = composed.unwrap_or_default();
        self.offsets.borrow_mut().insert((above, table), Rc::clone(&found));
        Ok(found)
    }

    /// The rows of `above` with any row of `table` beneath them in the set. Of every row: every
    /// row above, with or without rows beneath.
    pub(super) fn lift(&self, rows: &RowSet, table: usize, above: usize) -> Result<RowSet> {
        if table != above && is_full(rows) {
            return Ok(RowSet::all(self.segment.rows(above)));
        }
        self.lift_some(rows, table, above)
    }

    /// As [`Scan::lift`], but a row above without rows beneath is never in it.
    pub(super) fn lift_some(&self, rows: &RowSet, table: usize, above: usize) -> Result<RowSet> {
        let mut found = rows.clone();
        for step in self.descent(above, table).into_iter().rev() {
            found = self.segment.lift_any(step, &found)?;
        }
        Ok(found)
    }

    /// The rows of `table` beneath a row of the set.
    pub(super) fn spread(&self, rows: &RowSet, above: usize, table: usize) -> Result<RowSet> {
        if is_full(rows) {
            return Ok(RowSet::all(self.segment.rows(table)));
        }
        let mut found = rows.clone();
        for step in self.descent(above, table) {
            found = self.segment.spread(step, &found)?;
        }
        Ok(found)
    }

    /// The rows among `rows` for which the condition is `want`.
    pub(super) fn rows(&self, condition: &Condition, want: bool, rows: &RowSet) -> Result<RowSet> {
        if rows.is_empty() {
            return Ok(rows.clone());
        }
        match &condition.kind {
            Test::Constant(value) if *value == want => Ok(rows.clone()),
            Test::Constant(_) => Ok(RowSet::none(rows.len_rows())),
            Test::Not(inner) => self.rows(inner, !want, rows),
            Test::And(parts) if want => self.every(parts, want, rows),
            Test::Or(parts) if !want => self.every(parts, want, rows),
            Test::And(parts) | Test::Or(parts) => self.some(parts, want, rows),
            Test::Spread(inner) => {
                let above = self.lift(rows, condition.table, inner.table)?;
                let found = self.rows(inner, want, &above)?;
                let mut found = self.spread(&found, inner.table, condition.table)?;
                found.and(rows);
                Ok(found)
            }
            Test::ConditionKnown(inner) => {
                let mut known = self.rows(inner, true, rows)?;
                known.or(&self.rows(inner, false, rows)?);
                Ok(two_valued(known, want, rows))
            }
            Test::Truth(inner) => Ok(two_valued(self.rows(inner, true, rows)?, want, rows)),
            Test::Any { child, condition: inner } => {
                let beneath = self.spread(rows, condition.table, *child)?;
                let found = self.rows(inner, true, &beneath)?;
                let found = self.lift_some(&found, *child, condition.table)?;
                Ok(two_valued(found, want, rows))
            }
            test => self.leaf(condition.table, test, want, rows),
        }
    }

    fn leaf(&self, table: usize, test: &Test, want: bool, rows: &RowSet) -> Result<RowSet> {
        self.limits.check()?;
        match test {
            Test::Column { column, predicate } => {
                let column = self.segment.column(table, *column)?;
                let mut found = column.filter(predicate)?;
                if !want {
                    let mut known = column.known()?;
                    known.and_not(&found);
                    found = known;
                }
                found.and(rows);
                Ok(found)
            }
            Test::ColumnKnown { column } => {
                let known = self.segment.column(table, *column)?.known()?;
                Ok(two_valued(known, want, rows))
            }
            Test::Within { ranges } => {
                let mut found = RowSet::none(rows.len_rows());
                for (low, high) in ranges {
                    let range = self.segment.path_rows(*low, *high)?;
                    found.or(&RowSet::range(rows.len_rows(), range));
                }
                Ok(two_valued(found, want, rows))
            }
            Test::ValueKnown(value) => Ok(two_valued(self.value(value, rows)?.known, want, rows)),
            Test::Between { value, low, high } => {
                let value = self.value(value, rows)?;
                Ok(keep(&value, |v| (*low <= v && v <= *high) == want))
            }
            Test::OneOf { value, list } => {
                let value = self.value(value, rows)?;
                Ok(keep(&value, |v| list.binary_search(&v).is_ok() == want))
            }
            Test::Compare { sign, left, right } => {
                let (left, right) = (self.value(left, rows)?, self.value(right, rows)?);
                let mut found = if left.is_float() {
                    gather(rows.len_rows(), bounds(rows), |row| {
                        // A float of the language is never NaN.
                        let order = left.float(row).partial_cmp(&right.float(row));
                        order.is_some_and(|order| holds(*sign, order) == want)
                    })
                } else {
                    gather(rows.len_rows(), bounds(rows), |row| {
                        holds(*sign, left.exact(row).cmp(&right.exact(row))) == want
                    })
                };
                found.and(&left.known);
                found.and(&right.known);
                Ok(found)
            }
            _ => Ok(RowSet::none(rows.len_rows())),
        }
    }

    /// The rows for which every part is `want`.
    fn every(&self, parts: &[Condition], want: bool, rows: &RowSet) -> Result<RowSet> {
        let mut left = rows.clone();
        for part in parts {
            left = self.rows(part, want, &left)?;
            if left.is_empty() {
                break;
            }
        }
        Ok(left)
    }

    /// The rows for which some part is `want`.
    fn some(&self, parts: &[Condition], want: bool, rows: &RowSet) -> Result<RowSet> {
        let mut left = rows.clone();
        for part in parts {
            let found = self.rows(part, want, &left)?;
            left.and_not(&found);
            if left.is_empty() {
                break;
            }
        }
        let mut found = rows.clone();
        found.and_not(&left);
        Ok(found)
    }
}

/// A condition that is never unknown.
fn two_valued(mut found: RowSet, want: bool, rows: &RowSet) -> RowSet {
    if want {
        found.and(rows);
        return found;
    }
    let mut others = rows.clone();
    others.and_not(&found);
    others
}

/// The known rows of a vector whose value is kept.
fn keep(value: &Vector, mut wanted: impl FnMut(i64) -> bool) -> RowSet {
    let known = &value.known;
    let mut found = gather(known.len_rows(), bounds(known), |row| wanted(value.exact(row)));
    found.and(known);
    found
}
