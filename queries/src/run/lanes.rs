//! Measures of many groups at once, as 64-bit numbers one behind the other.
//!
//! Invariant: what is given is what group by group gives (`finish`); where that cannot be said,
//! nothing is given: a number beyond 64 bits, an aggregate that is no count.

use std::cmp::Ordering;
use std::ops::Range;

use crate::answer::{AnswerKind, Values};
use crate::ast::Arithmetic;
use crate::check::{Formula, Having, Measured, Shape, holds};
use crate::numbers::ten_to;

/// Groups whose numbers are made together where they are not needed later.
const TOGETHER: usize = 1_024;

/// A number of each of some groups. A float is never NaN in the language: NaN is unknown.
pub(super) enum Lane {
    Exact(Vec<i64>),
    Float(Vec<f64>),
}

/// Counts of some groups, by aggregate.
pub(super) type Counts<'a> = (&'a [Vec<u64>], Range<usize>);

impl Lane {
    /// The numbers of a formula; none where lanes do not hold them.
    pub(super) fn of(formula: &Formula, counts: &Counts<'_>) -> Option<Self> {
        let (columns, groups) = counts;
        Some(match formula {
            Formula::Aggregate(place) => {
                let own = columns.get(*place)?.get(groups.clone())?;
                // A count too large for its sign is below zero.
                let all: Vec<i64> = own.iter().map(|count| count.cast_signed()).collect();
                if all.iter().fold(0, |bits, count| bits | count) < 0 {
                    return None;
                }
                Self::Exact(all)
            }
            Formula::Constant(value) => Self::Exact(vec![*value; groups.len()]),
            Formula::Negative(inner) => match Self::of(inner, counts)? {
                Self::Exact(all) => Self::Exact(each(all, i64::checked_neg)?),
                Self::Float(all) => Self::Float(each(all, |value| Some(-value))?),
            },
            Formula::Times(inner, times) => match Self::of(inner, counts)? {
                Self::Exact(all) => Self::Exact(each(all, |value| value.checked_mul(*times))?),
                Self::Float(all) => finite(all, *times as f64, |a, b| a * b)?,
            },
            Formula::ToFloat(inner, over) => {
                finite(Self::of(inner, counts)?.floats(), *over, |a, b| a / b)?
            }
            Formula::Exact(sign, left, right) | Formula::Float(sign, left, right) => {
                operated(*sign, Self::of(left, counts)?, Self::of(right, counts)?)?
            }
            Formula::Share(_) | Formula::Statistic(..) => return None,
        })
    }

    /// The numbers of a measure as an answer has them.
    pub(super) fn of_measure(measured: &Measured, counts: &Counts<'_>) -> Option<Self> {
        let lane = Self::of(&measured.formula, counts)?;
        let Shape::Number(number) = measured.shape else { return None };
        Some(match lane {
            Self::Exact(all) if number.scale > 0 => {
                finite(floats(&all), ten_to(number.scale) as f64, |a, b| a / b)?
            }
            lane => lane,
        })
    }

    fn floats(self) -> Vec<f64> {
        match self {
            Self::Exact(all) => floats(&all),
            Self::Float(all) => all,
        }
    }

    /// How the numbers of two groups stand, unknown last in both directions.
    pub(super) fn stands(&self, (a, b): (usize, usize), descending: bool) -> Ordering {
        let turned = |order: Ordering| if descending { order.reverse() } else { order };
        match self {
            Self::Exact(all) => turned(all.get(a).cmp(&all.get(b))),
            Self::Float(all) => {
                let of = |at: usize| all.get(at).copied().filter(|value| !value.is_nan());
                match (of(a), of(b)) {
                    // A zero below zero is the same number.
                    (Some(a), Some(b)) => turned((a + 0.0).total_cmp(&(b + 0.0))),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                }
            }
        }
    }
}

fn each<T: Copy>(mut all: Vec<T>, work: impl Fn(T) -> Option<T>) -> Option<Vec<T>> {
    for value in &mut all {
        *value = work(*value)?;
    }
    Some(all)
}

fn floats(all: &[i64]) -> Vec<f64> {
    all.iter().map(|value| *value as f64).collect()
}

/// Floats after an operation with one number; none where one is too large.
fn finite(mut all: Vec<f64>, other: f64, work: impl Fn(f64, f64) -> f64) -> Option<Lane> {
    let mut large = false;
    for value in &mut all {
        let made = work(*value, other);
        large |= !made.is_finite() && !value.is_nan();
        *value = made;
    }
    (!large).then_some(Lane::Float(all))
}

fn exact(a: &[i64], b: &[i64], work: impl Fn(i64, i64) -> Option<i64>) -> Option<Vec<i64>> {
    let mut all = Vec::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        all.push(work(*a, *b)?);
    }
    Some(all)
}

fn operated(sign: Arithmetic, left: Lane, right: Lane) -> Option<Lane> {
    if let (Lane::Exact(a), Lane::Exact(b)) = (&left, &right)
        && sign != Arithmetic::Divide
    {
        return Some(Lane::Exact(match sign {
            Arithmetic::Add => exact(a, b, i64::checked_add)?,
            Arithmetic::Subtract => exact(a, b, i64::checked_sub)?,
            _ => exact(a, b, i64::checked_mul)?,
        }));
    }
    let (mut all, right) = (left.floats(), right.floats());
    let mut large = false;
    for (a, b) in all.iter_mut().zip(right) {
        let made = match sign {
            Arithmetic::Add => *a + b,
            Arithmetic::Subtract => *a - b,
            Arithmetic::Multiply => *a * b,
            Arithmetic::Divide if b == 0.0 => f64::NAN,
            Arithmetic::Divide => *a / b,
        };
        let known = !a.is_nan() && !b.is_nan() && (sign != Arithmetic::Divide || b != 0.0);
        large |= known && !made.is_finite();
        *a = made;
    }
    (!large).then_some(Lane::Float(all))
}

/// The values of a measure of all groups, as an answer has them; none where lanes do not hold them.
pub(super) fn values(measured: &Measured, columns: &[Vec<u64>], groups: usize) -> Option<Values> {
    let Shape::Number(number) = measured.shape else { return None };
    let pieces = (0..groups).step_by(TOGETHER).map(|at| at..groups.min(at + TOGETHER));
    if number.float || number.scale > 0 {
        let mut all = Vec::with_capacity(groups);
        for piece in pieces {
            let own = Lane::of_measure(measured, &(columns, piece))?.floats();
            all.extend(own.iter().map(|value| (!value.is_nan()).then_some(*value)));
        }
        return Some(Values::Float(all));
    }
    let mut all = Vec::with_capacity(groups);
    for piece in pieces {
        let Lane::Exact(own) = Lane::of_measure(measured, &(columns, piece))? else { return None };
        all.extend(own.iter().map(|value| Some(*value)));
    }
    Some(Values::Int(all))
}

/// What a measure that is a number is shown as.
pub(super) fn kind(measured: &Measured) -> AnswerKind {
    match measured.shape {
        Shape::Number(number) if number.money => AnswerKind::Money,
        Shape::Number(number) if !number.float && number.scale == 0 => AnswerKind::Int,
        _ => AnswerKind::Float,
    }
}

/// Whether a condition is true of each group, none where it is unknown; nothing where lanes do not
/// tell.
pub(super) fn held(having: &Having, counts: &Counts<'_>) -> Option<Vec<Option<bool>>> {
    let groups = counts.1.len();
    let any_of = |parts: &[Having], decides: bool| -> Option<Vec<Option<bool>>> {
        let mut whole = vec![Some(!decides); groups];
        for part in parts {
            for (slot, found) in whole.iter_mut().zip(held(part, counts)?) {
                if *slot != Some(decides) && found != Some(!decides) {
                    *slot = found;
                }
            }
        }
        Some(whole)
    };
    Some(match having {
        Having::Constant(flag) => vec![Some(*flag); groups],
        Having::Known(formula) => match Lane::of(formula, counts)? {
            Lane::Exact(all) => vec![Some(true); all.len()],
            Lane::Float(all) => all.iter().map(|value| Some(!value.is_nan())).collect(),
        },
        Having::Not(inner) => {
            held(inner, counts)?.into_iter().map(|found| found.map(|found| !found)).collect()
        }
        Having::All(parts) => any_of(parts, false)?,
        Having::Any(parts) => any_of(parts, true)?,
        Having::Compare(sign, left, right) => {
            match (Lane::of(left, counts)?, Lane::of(right, counts)?) {
                (Lane::Exact(a), Lane::Exact(b)) => {
                    a.iter().zip(b).map(|(a, b)| Some(holds(*sign, a.cmp(&b)))).collect()
                }
                (a, b) => {
                    let compared = |(a, b): (f64, f64)| {
                        let order = (a + 0.0).total_cmp(&(b + 0.0));
                        (!a.is_nan() && !b.is_nan()).then(|| holds(*sign, order))
                    };
                    a.floats().into_iter().zip(b.floats()).map(compared).collect()
                }
            }
        }
    })
}
