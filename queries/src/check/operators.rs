//! Arithmetic of numbers, days and months.

use super::{Checker, Type, Typed, What, is_constant};
use crate::ast::{Arithmetic, Expr};
use crate::bound::{Reading, Term, Value};
use crate::error::Result;
use crate::numbers::{Change, Number};
use crate::source::Span;
use yiku::calendar;

impl Checker<'_> {
    pub(super) fn negative(&self, inner: &Expr, span: Span) -> Result<Typed> {
        let (number, value) = self.number(inner)?;
        let zero = if number.float {
            Value { table: 0, kind: Term::ConstantFloat(0.0) }
        } else {
            Value::constant(0)
        };
        let value = if number.float {
            let minus = Value { table: value.table, kind: Term::ConstantFloat(-1.0) };
            operate(Arithmetic::Multiply, minus, value, true)
        } else {
            self.exact(Arithmetic::Subtract, zero, value, span)?
        };
        Ok(Typed { kind: Type::Number(number), what: What::Value(value), span })
    }

    pub(super) fn arithmetic(
        &self,
        sign: Arithmetic,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Result<Typed> {
        let (left, right) = (self.check(left)?, self.check(right)?);
        let kinds = (left.kind, right.kind);
        match (kinds, left.what, right.what) {
            ((Type::Number(a), Type::Number(b)), What::Value(x), What::Value(y)) => {
                self.numbers(sign, (a, x), (b, y), span)
            }
            ((Type::Date | Type::Month, _), What::Value(x), What::Duration { months, days }) => {
                let turn = match sign {
                    Arithmetic::Add => 1,
                    Arithmetic::Subtract => -1,
                    _ => return Err(self.no_operation(sign, kinds, span)),
                };
                self.later(kinds.0, x, (months * turn, days * turn), span)
            }
            (
                (Type::Date, Type::Date) | (Type::Month, Type::Month),
                What::Value(x),
                What::Value(y),
            ) if sign == Arithmetic::Subtract => {
                let value = self.exact(sign, x, y, span)?;
                Ok(Typed { kind: Type::Number(Number::INT), what: What::Value(value), span })
            }
            _ => Err(self.no_operation(sign, kinds, span)),
        }
    }

    fn no_operation(&self, sign: Arithmetic, kinds: (Type, Type), span: Span) -> crate::Error {
        let (left, right) = (self.word(kinds.0), self.word(kinds.1));
        let date = matches!(kinds.0, Type::Date | Type::Month);
        let adds = matches!(sign, Arithmetic::Add | Arithmetic::Subtract);
        let more = if date && adds && matches!(kinds.1, Type::Number(_)) {
            "; write the unit: `30 days`, `12 months`"
        } else if kinds.0 == Type::Duration && matches!(kinds.1, Type::Date | Type::Month) {
            "; write the day first: `start + 3 months`"
        } else {
            ""
        };
        self.wrong(span, format!("no `{}` of {left} and {right}{more}", sign.sign()))
    }

    fn numbers(
        &self,
        sign: Arithmetic,
        left: (Number, Value),
        right: (Number, Value),
        span: Span,
    ) -> Result<Typed> {
        let together = left.0.combine(sign, right.0).map_err(|what| self.wrong(span, what))?;
        let x = self.changed(left.1, left.0, together.left, span)?;
        let y = self.changed(right.1, right.0, together.right, span)?;
        let value = if together.result.float {
            operate(sign, x, y, true)
        } else {
            self.exact(sign, x, y, span)?
        };
        Ok(Typed { kind: Type::Number(together.result), what: What::Value(value), span })
    }

    /// An exact operation; of two constants, its result.
    pub(super) fn exact(
        &self,
        sign: Arithmetic,
        left: Value,
        right: Value,
        span: Span,
    ) -> Result<Value> {
        let (Some(x), Some(y)) = (left.as_constant(), right.as_constant()) else {
            return Ok(operate(sign, left, right, false));
        };
        let result = match sign {
            Arithmetic::Add => x.checked_add(y),
            Arithmetic::Subtract => x.checked_sub(y),
            Arithmetic::Multiply => x.checked_mul(y),
            Arithmetic::Divide => None,
        };
        result.map(Value::constant).ok_or_else(|| self.wrong(span, "a number beyond 64 bits"))
    }

    /// A number turned into one of another kind.
    pub(super) fn changed(
        &self,
        value: Value,
        from: Number,
        change: Change,
        span: Span,
    ) -> Result<Value> {
        let times = change.times;
        let value = match times {
            1 => value,
            _ if from.float => {
                let factor = Value { table: value.table, kind: Term::ConstantFloat(times as f64) };
                operate(Arithmetic::Multiply, value, factor, true)
            }
            _ => self.exact(Arithmetic::Multiply, value, Value::constant(times), span)?,
        };
        Ok(match change.float_over {
            Some(over) if !from.float => match value.as_constant() {
                Some(number) => Value { table: 0, kind: Term::ConstantFloat(number as f64 / over) },
                None => value.map(|v| Term::ToFloat(v, over)),
            },
            _ => value,
        })
    }

    /// A day or month some time later.
    fn later(&self, kind: Type, value: Value, by: (i64, i64), span: Span) -> Result<Typed> {
        let (months, days) = by;
        let value = match kind {
            Type::Month if days != 0 => {
                return Err(self.wrong(span, "a month and a number of days make no month"));
            }
            Type::Month => self.exact(Arithmetic::Add, value, Value::constant(months), span)?,
            _ if days != 0 => self.exact(Arithmetic::Add, value, Value::constant(days), span)?,
            _ => match value.as_constant() {
                Some(day) => Value::constant(calendar::add_months(day, months)),
                None => value.map(|v| Term::AddMonths(v, months)),
            },
        };
        Ok(Typed { kind, what: What::Value(value), span })
    }
}

/// An operation on values brought to one table.
pub(super) fn operate(sign: Arithmetic, left: Value, right: Value, float: bool) -> Value {
    let (table, left, right) = Value::level(left, right);
    let (left, right) = (Box::new(left), Box::new(right));
    let kind = if float { Term::Float(sign, left, right) } else { Term::Exact(sign, left, right) };
    Value { table, kind }
}

/// The month that holds a day.
pub(super) fn month_of(value: Value) -> Value {
    match value.as_constant() {
        Some(day) if is_constant(&value) => Value::constant(calendar::month_of(day)),
        _ => value.map(|v| Term::Calendar(Reading::Month, v)),
    }
}
