//! The measures of groups, and the answer of rows: ordered and cut.

use std::cmp::Ordering;

use yiku::Snapshot;

use super::aggregate::Number;
use super::grouped::Grouped;
use super::keys::Cell;
use super::rows::Rows;
use super::statistic::Figure;
use super::tell;
use crate::answer::{Answer, AnswerColumn};
use crate::ast::Arithmetic;
use crate::check::{Formula, Measured, Shape};
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::numbers::ten_to;
use crate::plan::{Key, Plan, Within};
use yiku::calendar;

/// A number beyond what the answer can hold.
pub(super) struct TooLarge;

/// A number, or none where it is unknown.
pub(super) type Computed = std::result::Result<Option<Number>, TooLarge>;

/// As [`Computed`], of each of some groups.
type AllComputed = std::result::Result<Vec<Option<Number>>, TooLarge>;

/// Groups that a measure is computed for, by their places, and the group of all rows.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) groups: &'a Grouped,
    pub(super) places: &'a [u32],
    pub(super) whole: Option<&'a Grouped>,
}

impl Plan {
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
        rows: &Rows,
        matched: u64,
        within: Within<'_>,
    ) -> Result<Answer> {
        let level = |row: &u32| rows.levels.get(*row as usize).copied().unwrap_or(0);
        let of_groups = |order: &[u32]| order.iter().filter(|row| level(row) == 0).count();
        let open = within.open(About::Best, self);
        let order = self.best(rows);
        let total_rows = of_groups(&order);
        tell(open, rows.of_groups(), total_rows as u64);
        let open = within.open(About::Cut, self);
        let order = self.cut(rows, order);
        let shown = of_groups(&order);
        let word = |row: &u32| u8::try_from(level(row)).unwrap_or(u8::MAX);
        let levels = if self.totals { order.iter().map(word).collect() } else { Vec::new() };
        let columns = self.answer_columns(snapshot.tree(), rows, &order, within)?;
        tell(open, total_rows as u64, shown as u64);
        Ok(Answer {
            total_rows,
            truncated: shown < total_rows,
            levels,
            ..self.whole_answer(columns, order.len(), matched)
        })
    }

    /// The figures of a measure.
    pub(super) fn figures(&self, measured: &Measured, of: Of<'_>) -> Result<Vec<Option<Figure>>> {
        if matches!(measured.shape, Shape::Ints | Shape::Floats) {
            let Formula::Statistic(kind, place, over) = measured.formula else {
                return Ok(vec![None; of.places.len()]);
            };
            let column = of.groups.columns.get(place);
            let own = |place: &u32| column?.statistic(kind, *place as usize, over);
            return Ok(of.places.iter().map(own).collect());
        }
        let numbers = self.scalars(measured, of)?;
        Ok(numbers.into_iter().map(|number| number.map(Figure::One)).collect())
    }

    /// As [`Plan::figures`], of a measure that is no list.
    pub(super) fn scalars(&self, measured: &Measured, of: Of<'_>) -> Result<Vec<Option<Number>>> {
        let beyond = || Error::Overflow { what: format!("measure `{}`", measured.name) };
        let mut numbers = self.numbers(&measured.formula, of).map_err(|TooLarge| beyond())?;
        let scale = match measured.shape {
            Shape::Number(number) if number.scale > 0 => Some(ten_to(number.scale) as f64),
            _ => None,
        };
        for number in &mut numbers {
            let Some(Number::Exact(value)) = *number else { continue };
            match scale {
                Some(scale) => *number = Some(Number::Float(value as f64 / scale)),
                None if i64::try_from(value).is_err() => return Err(beyond()),
                None => {}
            }
        }
        Ok(numbers)
    }

    /// The values of a formula; none where they are unknown.
    pub(super) fn numbers(&self, formula: &Formula, of: Of<'_>) -> AllComputed {
        let each = |inner: &Formula, work: &dyn Fn(Number) -> Computed| -> AllComputed {
            let mut numbers = self.numbers(inner, of)?;
            for number in &mut numbers {
                if let Some(value) = *number {
                    *number = work(value)?;
                }
            }
            Ok(numbers)
        };
        match formula {
            Formula::Aggregate(place) => {
                let found = self.aggregates.get(*place).zip(of.groups.columns.get(*place));
                Ok(match found {
                    Some((own, column)) => column.numbers(own.combine, of.places),
                    None => vec![None; of.places.len()],
                })
            }
            Formula::Constant(value) => {
                Ok(vec![Some(Number::Exact(i128::from(*value))); of.places.len()])
            }
            Formula::Negative(inner) => each(inner, &|value| {
                Ok(Some(match value {
                    Number::Exact(value) => Number::Exact(-value),
                    Number::Float(value) => Number::Float(-value),
                }))
            }),
            Formula::Times(inner, times) => {
                let times = Number::Exact(i128::from(*times));
                each(inner, &|value| operated(Arithmetic::Multiply, value, times))
            }
            Formula::ToFloat(inner, over) => {
                each(inner, &|value| Ok(Some(Number::Float(value.float() / over))))
            }
            Formula::Exact(sign, left, right) | Formula::Float(sign, left, right) => {
                let (mut left, right) = (self.numbers(left, of)?, self.numbers(right, of)?);
                for (left, right) in left.iter_mut().zip(right) {
                    *left = match left.zip(right) {
                        Some((left, right)) => operated(*sign, left, right)?,
                        None => None,
                    };
                }
                Ok(left)
            }
            Formula::Statistic(kind, place, over) => {
                let column = of.groups.columns.get(*place);
                let own = |place: &u32| column?.statistic(*kind, *place as usize, *over)?.one();
                Ok(of.places.iter().map(own).collect())
            }
            Formula::Share(inner) => {
                let (Some(whole), false) = (of.whole, of.places.is_empty()) else {
                    return Ok(vec![None; of.places.len()]);
                };
                let all = Of { groups: whole, places: &[0], whole: Some(whole) };
                let Some(whole) = self.numbers(inner, all)?.pop().flatten() else {
                    self.numbers(inner, of)?;
                    return Ok(vec![None; of.places.len()]);
                };
                let whole = Number::Float(whole.float());
                each(inner, &|part| {
                    operated(Arithmetic::Divide, Number::Float(part.float()), whole)
                })
            }
        }
    }

    /// The rows in their order, those of `limit` and `offset` only; totals are not counted and
    /// never cut. Without an order, a limit or an offset a total stands behind its parts,
    /// otherwise all totals stand behind all groups.
    fn cut(&self, rows: &Rows, mut order: Vec<u32>) -> Vec<u32> {
        let key = |row: u32| rows.keys.get(row as usize);
        if self.order.is_empty() && self.limit.is_none() && self.offset == 0 {
            order.sort_by(|a, b| key(*a).cmp(key(*b)));
            return order;
        }
        let level = |row: u32| rows.levels.get(row as usize).copied().unwrap_or(0);
        order.sort_by(|a, b| {
            level(*a)
                .cmp(&level(*b))
                .then_with(|| self.ordered(&self.order, rows, (*a, *b)))
                .then_with(|| key(*a).cmp(key(*b)))
        });
        let mut seen = 0usize;
        let last = self.offset.saturating_add(self.limit.unwrap_or(usize::MAX));
        order.retain(|row| {
            let place = seen;
            seen += usize::from(level(*row) == 0);
            level(*row) > 0 || (self.offset..last).contains(&place)
        });
        order
    }

    pub(super) fn ordered(
        &self,
        keys: &[(Key, bool)],
        rows: &Rows,
        (a, b): (u32, u32),
    ) -> Ordering {
        for (key, descending) in keys {
            let order = match key {
                Key::Group(place) => {
                    let of = |row: u32| rows.keys.get(row as usize).get(*place);
                    cells(of(a), of(b), *descending)
                }
                Key::Measure(place) => {
                    let figures = rows.measures.get(*place);
                    let of = |row: u32| figures?.get(row as usize)?.as_ref()?.one();
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
pub(super) fn operated(sign: Arithmetic, left: Number, right: Number) -> Computed {
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
            // Of 64 bits the processor makes a float by itself.
            Self::Exact(value) => match i64::try_from(value) {
                Ok(value) => value as f64,
                Err(_) => value as f64,
            },
            Self::Float(value) => value,
        }
    }
}
