//! How many rows a step will leave, from what is known before values are read.
//!
//! A condition that an index or the sorted path answers is counted by it, among the rows that may
//! be asked about: exactly. A column without one is judged by its zone maps, as if its values were
//! spread evenly between the least and the greatest of each block. What is computed is a guess
//! ([`SOME`], [`FEW`]). Conditions are taken as independent of each other and of the tree.
//!
//! Invariant: what is told of a place is made of the rows in it alone; zone maps are of all rows
//! of a block, so that within a place what they alone could tell is not told.

use std::cell::RefCell;
use std::collections::HashMap;

use yiku::segment::Access;
use yiku::{Predicate, RowSet, Snapshot};

use super::outline::Outline;
use super::probe::{About, Key, key};
use crate::ast::Comparison;
use crate::bound::{Condition, Term, Test, Value};
use crate::error::Result;
use crate::plan::{Plan, Within};
use crate::run::Scan;

/// The share of rows for which a comparison of computed values is taken to be true.
const SOME: f64 = 1.0 / 3.0;
/// The same of an equality, and of a text that no index knows.
const FEW: f64 = 0.1;
/// Rows of a block.
const BLOCK_ROWS: u32 = yiku::limits::BLOCK_ROWS;

/// The shares of rows for which a condition is true and false.
#[derive(Debug, Clone, Copy)]
struct Share {
    yes: f64,
    no: f64,
    /// Made of nothing but the rows that may be asked about.
    own: bool,
}

impl Share {
    fn guess(yes: f64) -> Self {
        Self { yes, no: 1.0 - yes, own: true }
    }

    fn of(self, want: bool) -> f64 {
        if want { self.yes } else { self.no }
    }
}

/// Rows that are expected, and whether that may be told.
#[derive(Debug, Clone, Copy)]
struct Expected {
    rows: f64,
    own: bool,
}

impl Expected {
    fn times(self, share: f64, own: bool) -> Self {
        Self { rows: self.rows * share, own: self.own && own }
    }
}

/// What is expected of each step, by its place in the outline.
pub(super) fn estimates(
    plan: &Plan,
    snapshots: &[&Snapshot],
    outline: &Outline,
    within: Within<'_>,
) -> Result<Vec<Option<u64>>> {
    let mut found = vec![None; outline.stages.len()];
    let Some(own) = snapshots.first() else { return Ok(found) };
    let mut plans: Vec<(&Plan, &Snapshot)> = match &plan.exchange {
        None if plan.moments.is_empty() => vec![(plan, own)],
        None => plan.moments.iter().map(|moment| (&moment.plan, *own)).collect(),
        Some(exchange) => {
            [&exchange.before, &exchange.after].map(|side| (&side.plan, &side.snapshot)).to_vec()
        }
    };
    while let Some((plan, snapshot)) = plans.pop() {
        plans.extend(plan.left.as_deref().map(|left| (left, snapshot)));
        plans.extend(plan.compared.iter().map(|compared| (&compared.plan, snapshot)));
        let (shares, visible) = (RefCell::default(), RefCell::default());
        Estimator { plan, snapshot, within, outline, shares, visible }.plan(&mut found)?;
    }
    Ok(found)
}

struct Estimator<'a> {
    plan: &'a Plan,
    snapshot: &'a Snapshot,
    within: Within<'a>,
    outline: &'a Outline,
    shares: RefCell<HashMap<Key, Share>>,
    /// By table: the rows of each segment that may be asked about.
    visible: RefCell<HashMap<usize, std::rc::Rc<Vec<RowSet>>>>,
}

impl<'a> Estimator<'a> {
    fn plan(&self, found: &mut [Option<u64>]) -> Result<()> {
        let plan = self.plan;
        let all = Expected { rows: self.rows(plan.table)?, own: true };
        self.tell(key(About::From, plan), all, found);
        if let Some(flow) = &plan.flow {
            self.step(&flow.before, true, all, found)?;
            self.step(&flow.after, true, all, found)?;
            return Ok(());
        }
        let mut left = all;
        for (_, condition) in &plan.filter {
            left = self.step(condition, true, left, found)?;
        }
        for (_, condition) in &plan.matrix {
            self.step(condition, true, left, found)?;
        }
        for aggregate in &plan.aggregates {
            let own = match &aggregate.condition {
                Some(condition) => self.step(condition, true, left, found)?,
                None => left,
            };
            self.tell(key(About::Aggregate, aggregate), own, found);
            if let Some(value) = &aggregate.argument {
                self.value(value, own, found)?;
            }
        }
        Ok(())
    }

    fn tell(&self, key: Key, expected: Expected, found: &mut [Option<u64>]) {
        let told = expected.own || self.plan.scope.is_none();
        if let (Some(stage), true) = (self.outline.keys.get(&key), told)
            && let Some(slot) = found.get_mut(*stage)
        {
            *slot = Some(whole(expected.rows));
        }
    }

    /// The rows of a table that may be asked about, in every segment.
    fn visible(&self, table: usize) -> Result<std::rc::Rc<Vec<RowSet>>> {
        if let Some(found) = self.visible.borrow().get(&table) {
            return Ok(std::rc::Rc::clone(found));
        }
        let scope = self.plan.scope.as_ref().map(|scope| scope.root().clone().at(table));
        let mut sets = Vec::new();
        for segment in self.snapshot.segments() {
            let rows = segment.live(table)?;
            sets.push(match &scope {
                None => rows,
                Some(scope) => {
                    let scan = Scan::new(segment, &self.plan.schema, self.within);
                    scan.rows(scope, true, &rows)?
                }
            });
        }
        let sets = std::rc::Rc::new(sets);
        self.visible.borrow_mut().insert(table, std::rc::Rc::clone(&sets));
        Ok(sets)
    }

    fn rows(&self, table: usize) -> Result<f64> {
        Ok(self.visible(table)?.iter().map(RowSet::count).sum::<u64>() as f64)
    }

    /// Rows of `below` for each row of `above`, on average.
    fn fan(&self, above: usize, below: usize) -> Result<f64> {
        Ok(divided(self.rows(below)?, self.rows(above)?))
    }

    /// The rows above some rows of a table.
    fn lifted(&self, rows: Expected, table: usize, above: usize) -> Result<Expected> {
        let share = divided(rows.rows, self.rows(table)?);
        let met = 1.0 - (1.0 - share).max(0.0).powf(self.fan(above, table)?);
        let met = if share >= 1.0 { 1.0 } else { met };
        Ok(Expected { rows: self.rows(above)? * met, own: rows.own })
    }

    /// What a condition leaves of some rows; tells it, and what its parts leave.
    fn step(
        &self,
        condition: &Condition,
        want: bool,
        rows: Expected,
        found: &mut [Option<u64>],
    ) -> Result<Expected> {
        let table = condition.table;
        let share = self.share(condition)?;
        let left = rows.times(share.of(want), share.own);
        self.tell(key(About::Condition, condition), left, found);
        match &condition.kind {
            Test::Not(inner) => {
                self.step(inner, !want, rows, found)?;
            }
            Test::Truth(inner) | Test::ConditionKnown(inner) => {
                self.step(inner, true, rows, found)?;
            }
            Test::And(parts) | Test::Or(parts) => {
                let every = matches!(condition.kind, Test::And(_)) == want;
                let mut rest = rows;
                for part in parts {
                    let own = self.step(part, want, rest, found)?;
                    let others = Expected { rows: rest.rows - own.rows, own: own.own };
                    rest = if every { own } else { others };
                }
            }
            Test::Spread(inner) => {
                let above = self.lifted(rows, table, inner.table)?;
                self.step(inner, want, above, found)?;
            }
            Test::Any { child, condition } => {
                self.step(condition, true, rows.times(self.fan(table, *child)?, true), found)?;
            }
            Test::Choose(when, a, b) => {
                let yes = self.step(when, true, rows, found)?;
                let no = Expected { rows: rows.rows - yes.rows, own: yes.own };
                self.step(a, want, yes, found)?;
                self.step(b, want, no, found)?;
            }
            Test::FirstKnown(parts) => {
                let mut rest = rows;
                for part in parts {
                    self.step(part, want, rest, found)?;
                    let share = self.share(part)?;
                    rest = rest.times(1.0 - share.yes - share.no, share.own);
                }
            }
            Test::Same(a, b) => {
                self.step(a, true, rows, found)?;
                self.step(b, true, rows, found)?;
            }
            Test::Between { value, .. } | Test::OneOf { value, .. } | Test::ValueKnown(value) => {
                self.value(value, rows, found)?;
            }
            Test::Compare { left, right, .. } => {
                self.value(left, rows, found)?;
                self.value(right, rows, found)?;
            }
            _ => {}
        }
        Ok(left)
    }

    /// Tells what the conditions within a value leave.
    fn value(&self, value: &Value, rows: Expected, found: &mut [Option<u64>]) -> Result<()> {
        match &value.kind {
            Term::Spread(inner) => {
                let above = self.lifted(rows, value.table, inner.table)?;
                self.value(inner, above, found)
            }
            Term::Exact(_, a, b) | Term::Float(_, a, b) => {
                self.value(a, rows, found)?;
                self.value(b, rows, found)
            }
            Term::ToFloat(inner, _)
            | Term::Absolute(inner)
            | Term::Calendar(_, inner)
            | Term::AddMonths(inner, _) => self.value(inner, rows, found),
            Term::Least(list) | Term::Greatest(list) | Term::Coalesce(list) => {
                list.iter().try_for_each(|value| self.value(value, rows, found))
            }
            Term::If(when, a, b) => {
                let yes = self.step(when, true, rows, found)?;
                self.value(a, yes, found)?;
                self.value(b, Expected { rows: rows.rows - yes.rows, own: yes.own }, found)
            }
            Term::Fold(fold) => {
                let mut rows = rows.times(self.fan(value.table, fold.child)?, true);
                if let Some(condition) = &fold.condition {
                    rows = self.step(condition, true, rows, found)?;
                }
                fold.argument.iter().try_for_each(|value| self.value(value, rows, found))
            }
            _ => Ok(()),
        }
    }

    /// The share of rows for which a condition is true, and for which it is false.
    fn share(&self, condition: &Condition) -> Result<Share> {
        let own = key(About::Condition, condition);
        if let Some(share) = self.shares.borrow().get(&own) {
            return Ok(*share);
        }
        let share = match self.is_counted(condition)? {
            true => self.counted(condition)?,
            false => self.guessed(condition)?,
        };
        self.shares.borrow_mut().insert(own, share);
        Ok(share)
    }

    /// Whether indexes and the path alone answer a condition.
    fn is_counted(&self, condition: &Condition) -> Result<bool> {
        Ok(match &condition.kind {
            Test::Within { .. } => true,
            Test::Column { column, predicate } => {
                let mut all = true;
                for segment in self.snapshot.segments() {
                    let by = segment.column(condition.table, *column)?.served_by(predicate);
                    all &= matches!(by, Access::Index | Access::PathRange);
                }
                all
            }
            Test::Not(inner) | Test::Truth(inner) | Test::Spread(inner) => {
                self.is_counted(inner)?
            }
            _ => false,
        })
    }

    fn counted(&self, condition: &Condition) -> Result<Share> {
        let visible = self.visible(condition.table)?;
        let (mut yes, mut no) = (0, 0);
        for (segment, rows) in self.snapshot.segments().iter().zip(visible.iter()) {
            let scan = Scan::new(segment, &self.plan.schema, self.within);
            let sides = scan.both(condition, rows)?;
            yes += sides.0.count();
            no += sides.1.count();
        }
        let all = self.rows(condition.table)?;
        Ok(Share { yes: divided(yes as f64, all), no: divided(no as f64, all), own: true })
    }

    fn guessed(&self, condition: &Condition) -> Result<Share> {
        let of = |part: &Condition| self.share(part);
        Ok(match &condition.kind {
            Test::Constant(value) => Share::guess(f64::from(u8::from(*value))),
            Test::Column { column, predicate } => {
                self.zones(condition.table, *column, predicate)?
            }
            Test::ColumnKnown { column } => {
                let known = self.zones(condition.table, *column, &Predicate::Known)?;
                Share { no: 1.0 - known.yes, ..known }
            }
            Test::Not(inner) => {
                let Share { yes, no, own } = of(inner)?;
                Share { yes: no, no: yes, own }
            }
            Test::Truth(inner) => {
                let share = of(inner)?;
                Share { no: 1.0 - share.yes, ..share }
            }
            Test::ConditionKnown(inner) => {
                let Share { yes, no, own } = of(inner)?;
                Share { yes: yes + no, no: 1.0 - yes - no, own }
            }
            Test::And(parts) => self.joined(parts, true)?,
            Test::Or(parts) => self.joined(parts, false)?,
            Test::Spread(inner) => of(inner)?,
            Test::Any { child, condition: inner } => {
                let share = of(inner)?;
                let fan = self.fan(condition.table, *child)?;
                let none = (1.0 - share.yes).max(0.0).powf(fan);
                Share { yes: 1.0 - none, no: none, own: share.own }
            }
            Test::Choose(when, a, b) => {
                let (when, a, b) = (of(when)?, of(a)?, of(b)?);
                let mixed = |a: f64, b: f64| when.yes * a + (1.0 - when.yes) * b;
                let own = when.own && a.own && b.own;
                Share { yes: mixed(a.yes, b.yes), no: mixed(a.no, b.no), own }
            }
            Test::Same(a, b) => {
                let (a, b) = (of(a)?, of(b)?);
                let (yes, no) = (a.yes * b.yes + a.no * b.no, a.yes * b.no + a.no * b.yes);
                Share { yes, no, own: a.own && b.own }
            }
            Test::FirstKnown(parts) => {
                let mut whole = Share { yes: 0.0, no: 0.0, own: true };
                for part in parts {
                    let (part, left) = (of(part)?, 1.0 - whole.yes - whole.no);
                    whole.yes += left * part.yes;
                    whole.no += left * part.no;
                    whole.own &= part.own;
                }
                whole
            }
            Test::Compare { sign: Comparison::Equal, .. }
            | Test::OneOf { .. }
            | Test::SameText { .. }
            | Test::Matches { .. } => Share::guess(FEW),
            _ => Share::guess(SOME),
        })
    }

    fn joined(&self, parts: &[Condition], all: bool) -> Result<Share> {
        let (mut every, mut none, mut own) = (1.0, 1.0, true);
        for part in parts {
            let share = self.share(part)?;
            every *= share.of(all);
            none *= 1.0 - share.of(!all);
            own &= share.own;
        }
        let (yes, no) = if all { (every, 1.0 - none) } else { (1.0 - none, every) };
        Ok(Share { yes, no, own })
    }

    /// The shares that the zone maps of a column make likely.
    fn zones(&self, table: usize, column: usize, predicate: &Predicate) -> Result<Share> {
        let visible = self.visible(table)?;
        let (mut yes, mut known) = (0.0, 0.0);
        for (segment, rows) in self.snapshot.segments().iter().zip(visible.iter()) {
            let column = segment.column(table, column)?;
            let starts = (0u32..).step_by(BLOCK_ROWS as usize);
            for (start, zone) in starts.zip(column.zone_maps()) {
                let asked = rows.count_range(start..start.saturating_add(zone.rows)) as f64;
                let own = asked * divided(f64::from(zone.known), f64::from(zone.rows));
                known += own;
                yes += match predicate {
                    Predicate::Unknown => asked - own,
                    _ => own * share_of(predicate, zone.min, zone.max),
                };
            }
        }
        let all = self.rows(table)?;
        let no = match predicate {
            Predicate::Known | Predicate::Unknown => all - yes,
            _ => known - yes,
        };
        Ok(Share { yes: divided(yes, all), no: divided(no, all), own: false })
    }
}

/// The share of the values from `min` to `max` that satisfy a predicate, spread evenly.
fn share_of(predicate: &Predicate, min: i64, max: i64) -> f64 {
    let width = |low: i64, high: i64| (i128::from(high) - i128::from(low) + 1).max(0) as f64;
    match predicate {
        Predicate::Known => 1.0,
        Predicate::Range { min: low, max: high } => {
            divided(width((*low).max(min), (*high).min(max)), width(min, max))
        }
        Predicate::In(list) => {
            let met = list.iter().filter(|value| (min..=max).contains(*value)).count();
            divided(met as f64, width(min, max)).min(1.0)
        }
        Predicate::TextIn(_) | Predicate::TextStarts(_) => FEW,
        _ => SOME,
    }
}

fn divided(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows are fewer than floats hold exactly, and not below none"
)]
fn whole(rows: f64) -> u64 {
    rows.max(0.0).round() as u64
}
