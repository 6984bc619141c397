//! Ranges of numbers and sets of truths, and what operations make of them.
//!
//! Invariant: the result of an operation on single values of its ranges lies in the range that
//! the operation on the ranges gives.

use std::cmp::Ordering;

use crate::ast::{Arithmetic, Comparison};
use crate::bound::Reading;
use crate::check::holds;

/// What a truth may be: some of true, false, unknown, and an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truths(u8);

const OUTCOMES: [(u8, Option<bool>); 3] = [(1, Some(true)), (2, Some(false)), (4, None)];
const FAILS: u8 = 8;

impl Truths {
    pub(super) const NONE: Self = Self(0);
    pub(super) const KNOWN: Self = Self(3);
    pub(super) const ANY: Self = Self(15);

    pub(super) fn of(truth: Option<bool>) -> Self {
        Self(OUTCOMES.iter().find(|(_, own)| *own == truth).map_or(0, |(bit, _)| *bit))
    }

    pub(super) fn may(self, truth: Option<bool>) -> bool {
        self.0 & Self::of(truth).0 != 0
    }

    /// Whether it is this and nothing else.
    pub(super) fn is(self, truth: Option<bool>) -> bool {
        self == Self::of(truth)
    }

    pub(super) fn fails(self) -> bool {
        self.0 & FAILS != 0
    }

    /// The error alone, where there may be one.
    pub(super) fn failed(self) -> Self {
        Self(self.0 & FAILS)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn failing(self, fails: bool) -> Self {
        if fails { Self(self.0 | FAILS) } else { self }
    }

    pub(super) fn without_unknown(self) -> Self {
        Self(self.0 & !Self::of(None).0)
    }

    pub(super) fn map(self, of: impl Fn(Option<bool>) -> Option<bool>) -> Self {
        pairs(self, Self::of(None), |truth, _| of(truth))
    }
}

/// What an operation makes of two truths.
pub(super) fn pairs(
    left: Truths,
    right: Truths,
    of: impl Fn(Option<bool>, Option<bool>) -> Option<bool>,
) -> Truths {
    let mut found = left.failed().or(right.failed());
    for (_, x) in OUTCOMES.iter().filter(|(bit, _)| left.0 & bit != 0) {
        for (_, y) in OUTCOMES.iter().filter(|(bit, _)| right.0 & bit != 0) {
            found = found.or(Truths::of(of(*x, *y)));
        }
    }
    found
}

/// A range of numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Span {
    Exact(i128, i128),
    Float(f64, f64),
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct May {
    /// Where it lies if it is known; none where it never is.
    pub(super) span: Option<Span>,
    pub(super) unknown: bool,
    pub(super) fails: bool,
}

/// A range, whether nothing may come of it, and whether it may be an error.
type Made = (Span, bool, bool);

impl May {
    pub(super) const NONE: Self = Self { span: None, unknown: false, fails: false };
    pub(super) const UNKNOWN: Self = Self { span: None, unknown: true, fails: false };
    pub(super) const ANY: Self = Self {
        span: Some(Span::Float(f64::NEG_INFINITY, f64::INFINITY)),
        unknown: true,
        fails: true,
    };

    pub(super) fn of(span: Span) -> Self {
        Self { span: Some(span), ..Self::NONE }
    }

    pub(super) fn exact(value: i64) -> Self {
        Self::of(Span::Exact(value.into(), value.into()))
    }

    pub(super) fn or(self, other: Self) -> Self {
        let span = match (self.span, other.span) {
            (Some(x), Some(y)) => Some(x.or(y)),
            (x, y) => x.or(y),
        };
        Self { span, unknown: self.unknown || other.unknown, fails: self.fails || other.fails }
    }

    pub(super) fn without_unknown(self) -> Self {
        Self { unknown: false, ..self }
    }

    /// Whether it is known.
    pub(super) fn known(self) -> Truths {
        let yes = if self.span.is_some() { Truths::of(Some(true)) } else { Truths::NONE };
        let no = if self.unknown { Truths::of(Some(false)) } else { Truths::NONE };
        yes.or(no).failing(self.fails)
    }

    pub(super) fn map(self, of: impl Fn(Span) -> Span) -> Self {
        Self { span: self.span.map(of), ..self }
    }

    pub(super) fn then(self, of: impl Fn(Span) -> Made) -> Self {
        let Some((span, unknown, fails)) = self.span.map(of) else { return self };
        let (unknown, fails) = (self.unknown || unknown, self.fails || fails);
        Self { span: Some(span), unknown, fails }
    }

    /// What an operation makes of two values.
    pub(super) fn and(self, other: Self, of: impl Fn(Span, Span) -> Made) -> Self {
        let (unknown, fails) = (self.unknown || other.unknown, self.fails || other.fails);
        let (Some(x), Some(y)) = (self.span, other.span) else {
            return Self { span: None, unknown, fails };
        };
        let (span, also, failed) = of(x, y);
        Self { span: Some(span), unknown: unknown || also, fails: fails || failed }
    }

    pub(super) fn test(self, of: impl Fn(Span) -> Truths) -> Truths {
        let found = self.span.map_or(Truths::NONE, of);
        let unknown = if self.unknown { Truths::of(None) } else { Truths::NONE };
        found.or(unknown).failing(self.fails)
    }

    pub(super) fn with(self, other: Self, of: impl Fn(Span, Span) -> Truths) -> Truths {
        let unknown = self.unknown || other.unknown;
        let (found, fails) = match (self.span, other.span) {
            (Some(x), Some(y)) => (of(x, y), self.fails || other.fails),
            _ => (Truths::NONE, self.fails || other.fails),
        };
        let unknown = if unknown { Truths::of(None) } else { Truths::NONE };
        found.or(unknown).failing(fails)
    }
}

fn truths(yes: bool, no: bool) -> Truths {
    let of = |truth, may| if may { Truths::of(Some(truth)) } else { Truths::NONE };
    of(true, yes).or(of(false, no))
}

fn clamped(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// From the least to the greatest of some floats; of anything, where one of them is no number.
fn hull(ends: impl IntoIterator<Item = f64>) -> Span {
    let mut found = (f64::INFINITY, f64::NEG_INFINITY);
    for end in ends {
        if end.is_nan() {
            return Span::Float(f64::NEG_INFINITY, f64::INFINITY);
        }
        found = (found.0.min(end), found.1.max(end));
    }
    Span::Float(found.0, found.1)
}

impl Span {
    pub(super) fn floats(self) -> (f64, f64) {
        match self {
            Self::Exact(low, high) => (low as f64, high as f64),
            Self::Float(low, high) => (low, high),
        }
    }

    fn exacts(self) -> (i128, i128) {
        match self {
            Self::Exact(low, high) => (low, high),
            Self::Float(..) => (i64::MIN.into(), i64::MAX.into()),
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(a, b), Self::Exact(c, d)) => Self::Exact(a.min(c), b.max(d)),
            (x, y) => {
                let ((a, b), (c, d)) = (x.floats(), y.floats());
                Self::Float(a.min(c), b.max(d))
            }
        }
    }

    /// A sum that may be beyond 64 bits.
    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact(a, b), Self::Exact(c, d)) => {
                Self::Exact(a.saturating_add(c), b.saturating_add(d))
            }
            (x, y) => {
                let ((a, b), (c, d)) = (x.floats(), y.floats());
                hull([a + c, b + d])
            }
        }
    }

    /// What of it is a number of 64 bits.
    pub(super) fn bounded(self) -> Made {
        match self {
            Self::Exact(low, high) => {
                let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
                let fails = low < least || high > most;
                (Self::Exact(low.clamp(least, most), high.clamp(least, most)), false, fails)
            }
            Self::Float(low, high) => (self, false, !low.is_finite() || !high.is_finite()),
        }
    }

    pub(super) fn exact(self, sign: Arithmetic, other: Self) -> Made {
        let ((a, b), (c, d)) = (self.exacts(), other.exacts());
        let (low, high) = match sign {
            Arithmetic::Add => (a + c, b + d),
            Arithmetic::Subtract => (a - d, b - c),
            Arithmetic::Multiply => {
                let ends = [a * c, a * d, b * c, b * d];
                let least = ends.iter().copied().min().unwrap_or(0);
                (least, ends.iter().copied().max().unwrap_or(0))
            }
            Arithmetic::Divide => (i64::MIN.into(), i64::MAX.into()),
        };
        Self::Exact(low, high).bounded()
    }

    pub(super) fn float(self, sign: Arithmetic, other: Self) -> Made {
        let ((a, b), (c, d)) = (self.floats(), other.floats());
        match sign {
            Arithmetic::Add => hull([a + c, b + d]).bounded(),
            Arithmetic::Subtract => hull([a - d, b - c]).bounded(),
            Arithmetic::Multiply => hull([a * c, a * d, b * c, b * d]).bounded(),
            Arithmetic::Divide if c == 0.0 && d == 0.0 => {
                (Self::Float(f64::NEG_INFINITY, f64::INFINITY), true, false)
            }
            Arithmetic::Divide if c <= 0.0 && d >= 0.0 => {
                (Self::Float(f64::NEG_INFINITY, f64::INFINITY), true, true)
            }
            Arithmetic::Divide => hull([a / c, a / d, b / c, b / d]).bounded(),
        }
    }

    pub(super) fn absolute(self) -> Made {
        match self {
            Self::Exact(low, high) => {
                let least = if low <= 0 && high >= 0 { 0 } else { low.abs().min(high.abs()) };
                Self::Exact(least, low.abs().max(high.abs())).bounded()
            }
            Self::Float(low, high) => {
                let spans = low <= 0.0 && high >= 0.0;
                let least = if spans { 0.0 } else { low.abs().min(high.abs()) };
                (Self::Float(least, low.abs().max(high.abs())), false, false)
            }
        }
    }

    /// The less or the greater of two.
    pub(super) fn more(self, other: Self, least: bool) -> Self {
        match (self, other) {
            (Self::Exact(a, b), Self::Exact(c, d)) if least => Self::Exact(a.min(c), b.min(d)),
            (Self::Exact(a, b), Self::Exact(c, d)) => Self::Exact(a.max(c), b.max(d)),
            (x, y) => {
                let ((a, b), (c, d)) = (x.floats(), y.floats());
                if least {
                    Self::Float(a.min(c), b.min(d))
                } else {
                    Self::Float(a.max(c), b.max(d))
                }
            }
        }
    }

    /// No greater (`least`) than the end of another range, or no less.
    pub(super) fn no_further(self, other: Self, least: bool) -> Self {
        match (self, other) {
            (Self::Exact(a, b), Self::Exact(_, d)) if least => Self::Exact(a, b.min(d)),
            (Self::Exact(a, b), Self::Exact(c, _)) => Self::Exact(a.max(c), b),
            (x, y) => {
                let ((a, b), (c, d)) = (x.floats(), y.floats());
                if least { Self::Float(a, b.min(d)) } else { Self::Float(a.max(c), b) }
            }
        }
    }

    /// A reading that is greater of a greater value.
    pub(super) fn rising(self, of: impl Fn(i64) -> i64) -> Self {
        let (low, high) = self.exacts();
        Self::Exact(of(clamped(low)).into(), of(clamped(high)).into())
    }

    /// A reading that is less of a greater value.
    pub(super) fn falling(self, of: impl Fn(i64) -> i64) -> Self {
        let (low, high) = self.exacts();
        Self::Exact(of(clamped(high)).into(), of(clamped(low)).into())
    }

    /// A reading that begins anew with every year.
    pub(super) fn within_year(self, reading: Reading, most: i128) -> Self {
        let year = match reading {
            Reading::MonthNumber | Reading::Quarter => Reading::Year,
            _ => Reading::YearOfMonth,
        };
        match self.rising(|value| year.of(value)) {
            Self::Exact(first, last) if first == last => self.rising(|value| reading.of(value)),
            _ => Self::Exact(1, most),
        }
    }

    pub(super) fn between(self, low: i128, high: i128) -> Truths {
        let (first, last) = self.exacts();
        truths(first <= high && last >= low, first < low || last > high)
    }

    /// Whether it is one of a sorted list.
    pub(super) fn one_of(self, list: &[i64]) -> Truths {
        let (first, last) = self.exacts();
        let place = list.partition_point(|one| i128::from(*one) < first);
        let some = list.get(place).is_some_and(|one| i128::from(*one) <= last);
        truths(some, !some || first != last)
    }

    pub(super) fn compared(self, sign: Comparison, other: Self) -> Truths {
        let (lowest, highest, met) = match (self, other) {
            (Self::Exact(a, b), Self::Exact(c, d)) => (a.cmp(&d), b.cmp(&c), a <= d && c <= b),
            (x, y) => {
                let ((a, b), (c, d)) = (x.floats(), y.floats());
                let order = |x: f64, y: f64| x.partial_cmp(&y).unwrap_or(Ordering::Equal);
                (order(a, d), order(b, c), a <= d && c <= b)
            }
        };
        // Less, equal and greater are each possible or not.
        let orders = [
            (Ordering::Less, lowest == Ordering::Less),
            (Ordering::Equal, met),
            (Ordering::Greater, highest == Ordering::Greater),
        ];
        let possible = |want| orders.iter().any(|(o, may)| *may && holds(sign, *o) == want);
        truths(possible(true), possible(false))
    }
}
