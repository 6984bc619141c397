//! A piece of a segment: which of its rows satisfy a condition.
//!
//! Three-valued logic without a third set: the rows where a condition is true and those where it
//! is false; a row in neither is unknown. Every answer is a part of the rows that were asked
//! about, so that each clause narrows what the next one has to look at.
//!
//! Invariant: to answer a condition, for one side or for both, asks each of its parts once, so
//! that the work grows with the question and not with the ways through it.

use std::ops::Range;

use yiku::segment::LIFT_LEAST_MAX;
use yiku::{Predicate, RowSet};

use super::arith::{between, compared, one_of};
use super::scan::{Scan, bounds};
use super::vector::{Values, Vector};
use crate::ast::Comparison;
use crate::bound::{Condition, Function, Term, Test, Value};
use crate::error::Result;
use crate::explain::probe::About;

/// The rows where a condition is true, and those where it is false.
pub(super) struct Sides {
    pub(super) yes: RowSet,
    pub(super) no: RowSet,
}

impl Sides {
    fn none(window: Range<u32>) -> Self {
        Self { yes: RowSet::none_in(window.clone()), no: RowSet::none_in(window) }
    }

    /// A condition that is false wherever it is not true.
    fn of_true(yes: RowSet, rows: &RowSet) -> Self {
        let mut no = rows.clone();
        no.and_not(&yes);
        Self { yes, no }
    }

    fn of(self, want: bool) -> RowSet {
        if want { self.yes } else { self.no }
    }

    fn known(mut self) -> RowSet {
        self.yes.or(&self.no);
        self.yes
    }

    fn add(&mut self, other: &Self) {
        self.yes.or(&other.yes);
        self.no.or(&other.no);
    }
}

fn without(rows: &RowSet, others: &RowSet) -> RowSet {
    let mut left = rows.clone();
    left.and_not(others);
    left
}

fn within(mut set: RowSet, rows: &RowSet) -> RowSet {
    set.and(rows);
    set
}

impl Scan<'_> {
    /// The rows among `rows` for which the condition is `want`.
    pub(crate) fn rows(&self, condition: &Condition, want: bool, rows: &RowSet) -> Result<RowSet> {
        if rows.is_empty() {
            return Ok(rows.clone());
        }
        let Some(open) = self.within.open(About::Condition, condition) else {
            return self.found(condition, want, rows);
        };
        let found = self.found(condition, want, rows)?;
        open.rows(rows.count(), found.count());
        Ok(found)
    }

    /// As [`Scan::rows`], those for which it is true, of rows that nobody else needs.
    pub(crate) fn narrowed(&self, condition: &Condition, mut rows: RowSet) -> Result<RowSet> {
        // Whoever looks on is told what one part of a question has from another.
        if rows.is_empty() || self.within.probe.is_some() || !self.limits.indexes {
            return self.rows(condition, true, &rows);
        }
        match &condition.kind {
            Test::Column { column, predicate } => {
                self.run.check()?;
                let own = self.segment.column(condition.table, *column)?;
                own.keep_in(predicate, &mut rows)?;
                Ok(rows)
            }
            Test::ColumnKnown { column } => {
                self.run.check()?;
                let own = self.segment.column(condition.table, *column)?;
                own.keep_in(&Predicate::Known, &mut rows)?;
                Ok(rows)
            }
            Test::Truth(inner) => self.narrowed(inner, rows),
            _ => self.rows(condition, true, &rows),
        }
    }

    fn found(&self, condition: &Condition, want: bool, rows: &RowSet) -> Result<RowSet> {
        match &condition.kind {
            Test::Constant(value) if *value == want => Ok(rows.clone()),
            Test::Constant(_) => Ok(RowSet::none_in(rows.window())),
            Test::Not(inner) => self.rows(inner, !want, rows),
            Test::And(parts) if want => self.every(parts, want, rows),
            Test::Or(parts) if !want => self.every(parts, want, rows),
            Test::And(parts) | Test::Or(parts) => self.some(parts, want, rows),
            Test::Spread(inner) => {
                let above = self.lift(rows, condition.table, inner.table)?;
                let found = self.rows(inner, want, &above)?;
                Ok(within(self.spread(&found, inner.table, condition.table)?, rows))
            }
            Test::Choose(when, first, second) => {
                let yes = self.rows(when, true, rows)?;
                let mut found = self.rows(second, want, &without(rows, &yes))?;
                found.or(&self.rows(first, want, &yes)?);
                Ok(found)
            }
            Test::Same(left, right) => {
                let left = self.sides(left, rows)?;
                let right = self.sides(right, rows)?;
                let mut both = within(left.yes, if want { &right.yes } else { &right.no });
                both.or(&within(left.no, if want { &right.no } else { &right.yes }));
                Ok(both)
            }
            Test::FirstKnown(_) => Ok(self.found_sides(condition, rows)?.of(want)),
            Test::ConditionKnown(inner) => {
                Ok(Sides::of_true(self.sides(inner, rows)?.known(), rows).of(want))
            }
            Test::Truth(inner) => Ok(Sides::of_true(self.rows(inner, true, rows)?, rows).of(want)),
            Test::Any { child, condition: inner } => {
                let beneath = self.spread(rows, condition.table, *child)?;
                let found = self.rows(inner, true, &beneath)?;
                let found = self.lift_some(&found, *child, condition.table)?;
                Ok(Sides::of_true(within(found, rows), rows).of(want))
            }
            Test::ColumnKnown { column } => {
                self.run.check()?;
                let known = self.kept_of(condition.table, *column, &Predicate::Known, rows)?;
                Ok(if want { known } else { without(rows, &known) })
            }
            Test::Column { column, predicate } => {
                self.run.check()?;
                if want {
                    return self.kept_of(condition.table, *column, predicate, rows);
                }
                if self.limits.indexes && self.within.probe.is_none() {
                    let own = self.segment.column(condition.table, *column)?;
                    let mut left = rows.clone();
                    own.keep_in(&Predicate::Known, &mut left)?;
                    let mut found = left.clone();
                    own.keep_in(predicate, &mut found)?;
                    left.and_not(&found);
                    return Ok(left);
                }
                let found = self.filtered(condition.table, *column, predicate)?;
                let known = self.known(condition.table, *column)?;
                Ok(without(&within(rows.clone(), &known), &found))
            }
            test => {
                self.run.check()?;
                Ok(self.computed(condition.table, test, rows)?.of(want))
            }
        }
    }

    /// The rows among `rows` for which the condition is true, and those for which it is false.
    pub(crate) fn both(&self, condition: &Condition, rows: &RowSet) -> Result<(RowSet, RowSet)> {
        let Sides { yes, no } = self.sides(condition, rows)?;
        Ok((yes, no))
    }

    /// Both sides of a condition among `rows`.
    fn sides(&self, condition: &Condition, rows: &RowSet) -> Result<Sides> {
        if rows.is_empty() {
            return Ok(Sides::none(rows.window()));
        }
        let Some(open) = self.within.open(About::Condition, condition) else {
            return self.found_sides(condition, rows);
        };
        let found = self.found_sides(condition, rows)?;
        open.rows(rows.count(), found.yes.count());
        Ok(found)
    }

    fn found_sides(&self, condition: &Condition, rows: &RowSet) -> Result<Sides> {
        match &condition.kind {
            Test::Not(inner) => {
                let Sides { yes, no } = self.sides(inner, rows)?;
                Ok(Sides { yes: no, no: yes })
            }
            Test::And(parts) => self.joined_sides(parts, true, rows),
            Test::Or(parts) => self.joined_sides(parts, false, rows),
            Test::Spread(inner) => {
                let above = self.lift(rows, condition.table, inner.table)?;
                let found = self.sides(inner, &above)?;
                let spread = |set| self.spread(&set, inner.table, condition.table);
                let (yes, no) = (spread(found.yes)?, spread(found.no)?);
                Ok(Sides { yes: within(yes, rows), no: within(no, rows) })
            }
            Test::Choose(when, first, second) => {
                let yes = self.rows(when, true, rows)?;
                let mut found = self.sides(second, &without(rows, &yes))?;
                found.add(&self.sides(first, &yes)?);
                Ok(found)
            }
            Test::FirstKnown(parts) => {
                let mut found = Sides::none(rows.window());
                let mut left = rows.clone();
                for part in parts {
                    let own = self.sides(part, &left)?;
                    found.add(&own);
                    left.and_not(&own.known());
                }
                Ok(found)
            }
            Test::Same(left, right) => {
                let (a, b) = (self.sides(left, rows)?, self.sides(right, rows)?);
                let mut yes = within(a.yes.clone(), &b.yes);
                yes.or(&within(a.no.clone(), &b.no));
                let known = within(a.known(), &b.known());
                Ok(Sides { no: without(&known, &yes), yes })
            }
            Test::Column { column, predicate } => {
                self.run.check()?;
                let found = self.filtered(condition.table, *column, predicate)?;
                let yes = within(rows.clone(), &found);
                let known = self.known(condition.table, *column)?;
                Ok(Sides { no: without(&within(rows.clone(), &known), &yes), yes })
            }
            Test::Constant(_) | Test::ConditionKnown(_) | Test::Truth(_) | Test::Any { .. } => {
                Ok(Sides::of_true(self.found(condition, true, rows)?, rows))
            }
            test => {
                self.run.check()?;
                self.computed(condition.table, test, rows)
            }
        }
    }

    /// Both sides of all of some conditions (`all`), or of one of them.
    fn joined_sides(&self, parts: &[Condition], all: bool, rows: &RowSet) -> Result<Sides> {
        let mut every = rows.clone();
        let mut some = RowSet::none_in(rows.window());
        for part in parts {
            let own = self.sides(part, rows)?;
            every.and(if all { &own.yes } else { &own.no });
            some.or(if all { &own.no } else { &own.yes });
        }
        Ok(if all { Sides { yes: every, no: some } } else { Sides { yes: some, no: every } })
    }

    /// Both sides of a test that is no condition on others.
    fn computed(&self, table: usize, test: &Test, rows: &RowSet) -> Result<Sides> {
        match test {
            Test::ColumnKnown { column } => {
                let known = self.known(table, *column)?;
                Ok(Sides::of_true(within(rows.clone(), &known), rows))
            }
            Test::Within { ranges } => {
                let mut found = RowSet::none_in(rows.window());
                for (low, high) in ranges {
                    if self.limits.indexes {
                        found.insert_range(self.segment.path_rows(*low, *high)?);
                    } else {
                        found.or(&self.places_through(*low, *high)?);
                    }
                }
                Ok(Sides::of_true(within(found, rows), rows))
            }
            Test::ValueKnown(value) => Ok(Sides::of_true(self.value(value, rows)?.known, rows)),
            Test::Between { value, low, high } => {
                if let Some(found) = self.counted_beneath(value, (*low, *high), rows)? {
                    return Ok(Sides::of_true(found, rows));
                }
                if let Some(sides) = self.ends_beneath(value, (*low, *high), rows)? {
                    return Ok(sides);
                }
                let value = self.value(value, rows)?;
                Ok(kept(value, |v| *low <= v && v <= *high, |list| between(list, *low, *high)))
            }
            Test::OneOf { value, list } => {
                let value = self.value(value, rows)?;
                Ok(kept(value, |v| list.binary_search(&v).is_ok(), |values| one_of(values, list)))
            }
            Test::Compare { sign, left, right } => {
                let (left, right) = (self.value(left, rows)?, self.value(right, rows)?);
                Ok(sides_of(*sign, left, right, rows))
            }
            Test::SameText { left, right } => self.same_text(*left, *right, table, rows),
            Test::Matches { column, pattern, candidates } => {
                let mut known = rows.clone();
                known.and(&*self.known(table, *column)?);
                let mut asked = known.clone();
                if let Some((version, keys)) = candidates {
                    let key = self.schema.tables.get(table).map_or(0, |t| t.key);
                    let found = self.filtered(table, key, keys)?;
                    let later = self.segment.written_since(*version)?.within(self.window(0));
                    let mut looked = self.spread(&later, 0, table)?;
                    looked.or(&found);
                    asked.and(&looked);
                }
                let mut yes = RowSet::none_in(rows.window());
                self.texts(table, *column, &asked, &mut |row, text| {
                    if pattern.found_in(text) {
                        yes.insert(row);
                    }
                })?;
                Ok(Sides { no: without(&known, &yes), yes })
            }
            _ => Ok(Sides::none(rows.window())),
        }
    }

    /// The rows that have from `low` to `high` rows beneath them, where a value is such a count and
    /// the bounds are low enough to be told from bits alone.
    fn counted_beneath(
        &self,
        value: &Value,
        (low, high): (i64, i64),
        rows: &RowSet,
    ) -> Result<Option<RowSet>> {
        let Term::Fold(fold) = &value.kind else { return Ok(None) };
        let direct = self.schema.tables.get(fold.child).and_then(|t| t.parent) == Some(value.table);
        if !direct || fold.function != Function::Count || fold.argument.is_some() {
            return Ok(None);
        }
        // Not fewer than `low`, and not as many as one more than `high`.
        let few = |least: i64| u32::try_from(least).ok().filter(|l| *l <= LIFT_LEAST_MAX);
        let (least, most) = (few(low.max(0)), few(high.saturating_add(1).max(0)));
        if least.is_none() || most.is_none() && high != i64::MAX {
            return Ok(None);
        }
        let open = self.within.open(About::Value, value);
        let mut beneath = self.spread(rows, value.table, fold.child)?;
        if let Some(condition) = &fold.condition {
            beneath = self.rows(condition, true, &beneath)?;
        }
        let at_least = |least: u32| {
            self.segment.lift_at_least(fold.child, &beneath, self.window(value.table), least)
        };
        let mut found = rows.clone();
        if let Some(least) = least.filter(|least| *least > 0) {
            let Some(own) = at_least(least)? else { return Ok(None) };
            found.and(&own);
        }
        match most {
            Some(0) => return Ok(Some(RowSet::none_in(rows.window()))),
            Some(most) => {
                let Some(own) = at_least(most)? else { return Ok(None) };
                found.and_not(&own);
            }
            None => {}
        }
        if let Some(open) = open {
            open.rows(rows.count(), rows.count());
        }
        Ok(Some(found))
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
        Ok(without(rows, &left))
    }
}

/// The known rows of a vector whose value is kept, and the others.
fn kept(
    value: Vector<'_>,
    wanted: impl Fn(i64) -> bool,
    words: impl Fn(&[i64]) -> Vec<u64>,
) -> Sides {
    let Vector { start, values, known, .. } = value;
    let mut yes = RowSet::none_in(known.window());
    match &values {
        Values::Exact(values) => yes.insert_words(start, &words(values)),
        Values::Constant(value) if wanted(*value) => yes.insert_range(known.window()),
        _ => {}
    }
    yes.and(&known);
    Sides { no: without(&known, &yes), yes }
}

/// Both sides of a comparison of two values.
fn sides_of(sign: Comparison, left: Vector<'_>, right: Vector<'_>, rows: &RowSet) -> Sides {
    let span = bounds(rows);
    let words = if left.is_float() || right.is_float() {
        // A float of the language is never NaN.
        let lists = (left.as_floats(), right.as_floats());
        compared(sign, left.float_side(&lists.0), right.float_side(&lists.1), span.len())
    } else {
        compared(sign, left.exact_side(), right.exact_side(), span.len())
    };
    let mut yes = RowSet::none_in(rows.window());
    yes.insert_words(span.start, &words);
    let known = within(left.known, &right.known);
    let yes = within(yes, &known);
    Sides { no: without(&known, &yes), yes }
}
