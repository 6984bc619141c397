//! From groups and aggregates to the rows of the answer: measures computed, rows ordered and cut.

use std::cmp::Ordering;

use yiku::Snapshot;

use super::aggregate::Number;
use super::keys::Cell;
use super::publish::Hidden;
use super::statistic::Figure;
use super::{Grouped, Joined, tell};
use crate::answer::{Answer, AnswerColumn};
use crate::ast::Arithmetic;
use crate::check::{Formula, Measured, Shape};
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::numbers::ten_to;
use crate::plan::{Compared, Key, Plan, Within};
use yiku::calendar;

/// One row of the answer before it is written.
pub(super) struct Row {
    pub(super) key: Vec<Cell>,
    pub(super) measures: Vec<Option<Figure>>,
    /// Which of them are not told; empty where all are.
    pub(super) hidden: Vec<bool>,
    pub(super) level: usize,
}

/// A number beyond what the answer can hold.
pub(super) struct TooLarge;

/// A number, or none where it is unknown.
type Computed = std::result::Result<Option<Number>, TooLarge>;

/// A group that a measure is computed for, and the group of all rows.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    own: (&'a Grouped, usize),
    whole: Option<&'a Grouped>,
}

/// How many rows are of groups, not of totals.
fn of_groups(rows: &[Row]) -> u64 {
    rows.iter().filter(|row| row.level == 0).count() as u64
}

impl Plan {
    /// The rows of each level, those beside earlier days too, which have the same groups.
    pub(super) fn rows(
        &self,
        levels: &[usize],
        grouped: &[Grouped],
        compared: &[Vec<Joined>],
        hidden: &[Vec<Hidden>],
        within: Within<'_>,
    ) -> Result<Vec<Row>> {
        let open = within.open(About::Measures, self);
        let pairs = || levels.iter().copied().zip(grouped);
        let whole = pairs().find(|(level, _)| *level == self.groups.len()).map(|(_, g)| g);
        let mut rows = Vec::new();
        for (at, (level, grouped)) in pairs().enumerate() {
            if level > 0 && !self.totals {
                continue;
            }
            for (place, key) in grouped.keys.iter().enumerate() {
                let of = Of { own: (grouped, place), whole };
                if let (0, Some(having)) = (level, &self.having) {
                    let beyond = |TooLarge| Error::Overflow { what: "`having`".to_owned() };
                    if self.having_of(having, of).map_err(beyond)? != Some(true) {
                        continue;
                    }
                }
                let measures: Result<Vec<_>> =
                    self.measures.iter().map(|m| self.measure(m, of)).collect();
                let mut measures = measures?;
                for (others, Compared { plan, assumed }) in compared.iter().zip(&self.compared) {
                    let now = measures.get(..self.measures.len()).unwrap_or_default().to_vec();
                    if let Some(of) = self.earlier(levels, others, (at, key)) {
                        measures.extend(plan.beside(&now, of, *assumed)?);
                    }
                }
                let own = hidden.get(at).and_then(|own| own.get(place)).copied();
                let hidden = self.hidden_of(own, hidden);
                for (figure, hidden) in measures.iter_mut().zip(&hidden) {
                    *figure = figure.take().filter(|_| !hidden);
                }
                let mut key = key.clone();
                key.resize(self.groups.len(), Cell::Total);
                rows.push(Row { key, measures, hidden, level });
            }
        }
        let met = grouped.first().map_or(0, |grouped| grouped.keys.len() as u64);
        tell(open, met, of_groups(&rows));
        Ok(rows)
    }

    /// Which measures of a group are not told.
    fn hidden_of(&self, own: Option<Hidden>, all: &[Vec<Hidden>]) -> Vec<bool> {
        let (Some(own), Some(protection)) = (own, &self.protection) else { return Vec::new() };
        // The last level is that of all rows.
        let whole = all.last().and_then(|level| level.first()).copied().unwrap_or_default();
        self.measures.iter().map(|m| protection.hides(&m.formula, own, whole)).collect()
    }

    /// A group at an earlier day, by its level and key.
    fn earlier<'a>(
        &self,
        levels: &[usize],
        others: &'a [Joined],
        (at, key): (usize, &[Cell]),
    ) -> Option<Of<'a>> {
        let whole = levels.iter().position(|level| *level == self.groups.len());
        let whole = whole.and_then(|at| others.get(at)).map(|joined| &joined.grouped);
        let own = others.get(at)?;
        Some(Of { own: (&own.grouped, *own.places.get(key)?), whole })
    }

    /// Of each measure that is a number: what it was, by how much it changed, and in percent; or,
    /// `assumed`, what it would be, and how that differs from now.
    fn beside(
        &self,
        now: &[Option<Figure>],
        of: Of<'_>,
        assumed: bool,
    ) -> Result<Vec<Option<Figure>>> {
        let mut found = Vec::new();
        for (measured, now) in self.measures.iter().zip(now) {
            if !matches!(measured.shape, Shape::Number(_)) {
                continue;
            }
            let beyond =
                |TooLarge| Error::Overflow { what: format!("measure `{}`", measured.name) };
            let other = self.scalar(measured, of)?;
            let now = now.as_ref().and_then(Figure::one);
            let (now, before) = if assumed { (other, now) } else { (now, other) };
            let change = match now.zip(before) {
                Some((now, before)) => {
                    operated(Arithmetic::Subtract, now, before).map_err(beyond)?
                }
                None => None,
            };
            if matches!(change, Some(Number::Exact(value)) if i64::try_from(value).is_err()) {
                return Err(beyond(TooLarge));
            }
            let percent = match change.zip(before) {
                Some((change, before)) => {
                    let change = Number::Float(change.float() * 100.0);
                    operated(Arithmetic::Divide, change, before).map_err(beyond)?
                }
                None => None,
            };
            found.extend([other, change, percent].map(|number| number.map(Figure::One)));
        }
        Ok(found)
    }

    /// An answer that is not cut.
    pub(super) fn whole_answer(
        &self,
        columns: Vec<AnswerColumn>,
        rows: usize,
        matched: u64,
    ) -> Answer {
        Answer {
            columns,
            rows,
            total_rows: rows,
            matched,
            version: self.version,
            as_of: self.as_of.map_or_else(String::new, calendar::date_text),
            truncated: false,
            limit: self.limit,
            levels: Vec::new(),
            next: None,
        }
    }

    /// The answer of rows in any order.
    pub(super) fn answer(
        &self,
        snapshot: &Snapshot,
        rows: Vec<Row>,
        matched: u64,
        within: Within<'_>,
    ) -> Answer {
        let (open, met) = (within.open(About::Best, self), of_groups(&rows));
        let rows = self.best(rows);
        tell(open, met, of_groups(&rows));
        let open = within.open(About::Cut, self);
        let total_rows = rows.iter().filter(|r| r.level == 0).count();
        let rows = self.cut(rows);
        let shown = rows.iter().filter(|r| r.level == 0).count();
        let level = |row: &Row| u8::try_from(row.level).unwrap_or(u8::MAX);
        let levels = if self.totals { rows.iter().map(level).collect() } else { Vec::new() };
        let columns = self.answer_columns(snapshot.tree(), &rows);
        tell(open, total_rows as u64, shown as u64);
        Answer {
            total_rows,
            truncated: shown < total_rows,
            levels,
            ..self.whole_answer(columns, rows.len(), matched)
        }
    }

    fn measure(&self, measured: &Measured, of: Of<'_>) -> Result<Option<Figure>> {
        if matches!(measured.shape, Shape::Ints | Shape::Floats) {
            let Formula::Statistic(kind, place, over) = measured.formula else { return Ok(None) };
            let column = of.own.0.columns.get(place);
            return Ok(column.and_then(|column| column.statistic(kind, of.own.1, over)));
        }
        Ok(self.scalar(measured, of)?.map(Figure::One))
    }

    fn scalar(&self, measured: &Measured, of: Of<'_>) -> Result<Option<Number>> {
        let beyond = || Error::Overflow { what: format!("measure `{}`", measured.name) };
        let number = self.number(&measured.formula, of).map_err(|TooLarge| beyond())?;
        let Some(Number::Exact(value)) = number else { return Ok(number) };
        match measured.shape {
            Shape::Number(number) if number.scale > 0 => {
                Ok(Some(Number::Float(value as f64 / ten_to(number.scale) as f64)))
            }
            _ if i64::try_from(value).is_err() => Err(beyond()),
            _ => Ok(Some(Number::Exact(value))),
        }
    }

    /// The value of a formula; none where it is unknown.
    pub(super) fn number(&self, formula: &Formula, of: Of<'_>) -> Computed {
        let float = |value: Option<f64>| Ok(value.map(Number::Float));
        match formula {
            Formula::Aggregate(place) => {
                let aggregate = self.aggregates.get(*place);
                let column = of.own.0.columns.get(*place);
                let found = aggregate.zip(column);
                Ok(found.and_then(|(a, column)| column.number(a.combine, of.own.1)))
            }
            Formula::Constant(value) => Ok(Some(Number::Exact(i128::from(*value)))),
            Formula::Negative(inner) => Ok(self.number(inner, of)?.map(|value| match value {
                Number::Exact(value) => Number::Exact(-value),
                Number::Float(value) => Number::Float(-value),
            })),
            Formula::Times(inner, times) => match self.number(inner, of)? {
                Some(value) => {
                    operated(Arithmetic::Multiply, value, Number::Exact(i128::from(*times)))
                }
                None => Ok(None),
            },
            Formula::ToFloat(inner, over) => {
                float(self.number(inner, of)?.map(|value| value.float() / over))
            }
            Formula::Exact(sign, left, right) | Formula::Float(sign, left, right) => {
                match (self.number(left, of)?, self.number(right, of)?) {
                    (Some(left), Some(right)) => operated(*sign, left, right),
                    _ => Ok(None),
                }
            }
            Formula::Statistic(kind, place, over) => {
                let column = of.own.0.columns.get(*place);
                let found = column.and_then(|column| column.statistic(*kind, of.own.1, *over));
                Ok(found.and_then(|figure| figure.one()))
            }
            Formula::Share(inner) => {
                let Some(whole) = of.whole else { return Ok(None) };
                let whole = self.number(inner, Of { own: (whole, 0), whole: Some(whole) })?;
                match (self.number(inner, of)?, whole) {
                    (Some(part), Some(whole)) => {
                        let (part, whole) = (part.float(), whole.float());
                        operated(Arithmetic::Divide, Number::Float(part), Number::Float(whole))
                    }
                    _ => Ok(None),
                }
            }
        }
    }

    /// The rows in their order, those of `limit` and `offset` only; totals are not counted and
    /// never cut. Without an order, a limit or an offset a total stands behind its parts,
    /// otherwise all totals stand behind all groups.
    fn cut(&self, mut rows: Vec<Row>) -> Vec<Row> {
        if self.order.is_empty() && self.limit.is_none() && self.offset == 0 {
            rows.sort_by(|a, b| a.key.cmp(&b.key));
            return rows;
        }
        rows.sort_by(|a, b| {
            a.level
                .cmp(&b.level)
                .then_with(|| self.ordered(&self.order, a, b))
                .then_with(|| a.key.cmp(&b.key))
        });
        let mut seen = 0usize;
        let last = self.offset.saturating_add(self.limit.unwrap_or(usize::MAX));
        rows.retain(|row| {
            let place = seen;
            seen += usize::from(row.level == 0);
            row.level > 0 || (self.offset..last).contains(&place)
        });
        rows
    }

    pub(super) fn ordered(&self, keys: &[(Key, bool)], a: &Row, b: &Row) -> Ordering {
        for (key, descending) in keys {
            let order = match key {
                Key::Group(place) => cells(a.key.get(*place), b.key.get(*place), *descending),
                Key::Measure(place) => {
                    let of = |row: &Row| row.measures.get(*place)?.as_ref()?.one();
                    numbers(of(a), of(b), *descending)
                }
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

/// Unknown and totals stand last in both directions.
fn cells(a: Option<&Cell>, b: Option<&Cell>, descending: bool) -> Ordering {
    let none = |c: Option<&Cell>| matches!(c, None | Some(Cell::Unknown | Cell::Total));
    match (none(a), none(b)) {
        (false, false) if descending => b.cmp(&a),
        (false, true) => Ordering::Less,
        (true, false) => Ordering::Greater,
        _ => a.cmp(&b),
    }
}

fn numbers(a: Option<Number>, b: Option<Number>, descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => {
            let order = a.compare(b);
            if descending { order.reverse() } else { order }
        }
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// An operation on two numbers; division by zero is unknown, too large is the error.
fn operated(sign: Arithmetic, left: Number, right: Number) -> Computed {
    if let (Number::Exact(a), Number::Exact(b)) = (left, right)
        && sign != Arithmetic::Divide
    {
        let exact = match sign {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            _ => a.checked_mul(b),
        };
        return exact.map(|v| Some(Number::Exact(v))).ok_or(TooLarge);
    }
    let (a, b) = (left.float(), right.float());
    let value = match sign {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide if b == 0.0 => return Ok(None),
        Arithmetic::Divide => a / b,
    };
    if value.is_finite() { Ok(Some(Number::Float(value))) } else { Err(TooLarge) }
}

impl Figure {
    /// The number, unless it is a list.
    pub(super) fn one(&self) -> Option<Number> {
        match self {
            Self::One(number) => Some(*number),
            Self::Counts(_) | Self::Shares(_) => None,
        }
    }
}

impl Number {
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a.cmp(&b),
            // A zero below zero is the same number.
            (a, b) => (a.float() + 0.0).total_cmp(&(b.float() + 0.0)),
        }
    }

    pub(super) fn float(self) -> f64 {
        match self {
            Self::Exact(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}
