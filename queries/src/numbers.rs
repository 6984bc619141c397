//! The kinds of numbers and what becomes of two of them.
//!
//! A number is exact (an integer with a fixed number of decimals) or a float, and plain or money.
//! Money is counted in its smallest unit; a plain number that meets money is read in the main
//! unit, a hundred times as much. Sums, differences and products of exact numbers are exact;
//! a quotient is a float.

use crate::ast::Arithmetic;

/// Decimals that an exact number keeps; beyond them it becomes a float.
const SCALE_MAX: u8 = 9;
/// Decimals of money: its smallest unit is a hundredth.
const MONEY_SCALE: u8 = 2;

/// The kind of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    /// Counted in the smallest unit of money.
    pub(crate) money: bool,
    /// A float; its scale is 0.
    pub(crate) float: bool,
    /// Decimals of an exact number: the integer divided by ten to this is the number.
    pub(crate) scale: u8,
}

/// How a number becomes one of another kind: times an integer, then an exact one that must be a
/// float is divided as such.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    pub(crate) times: i64,
    pub(crate) float_over: Option<f64>,
}

/// Two numbers brought together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Together {
    pub(crate) left: Change,
    pub(crate) right: Change,
    pub(crate) result: Number,
}

pub(crate) fn ten_to(scale: u8) -> i64 {
    10i64.saturating_pow(u32::from(scale))
}

impl Number {
    pub(crate) const INT: Self = Self { money: false, float: false, scale: 0 };
    pub(crate) const MONEY: Self = Self { money: true, float: false, scale: 0 };
    pub(crate) const FLOAT: Self = Self { money: false, float: true, scale: 0 };

    pub(crate) fn word(self) -> &'static str {
        match (self.money, self.float || self.scale > 0) {
            (true, false) => "money",
            (true, true) => "money (fractional)",
            (false, false) => "int",
            (false, true) => "number",
        }
    }

    /// The float of the same unit.
    pub(crate) fn as_float(self) -> Self {
        Self { money: self.money, float: true, scale: 0 }
    }

    /// What makes this a float of the unit `money`.
    fn float_change(self, money: bool) -> Change {
        let times = if money && !self.money { ten_to(MONEY_SCALE) } else { 1 };
        let over = if self.float { 1.0 } else { ten_to(self.scale) as f64 };
        Change { times, float_over: Some(over) }
    }

    /// Decimals after a plain number was turned into money where it must.
    fn scale_as(self, money: bool) -> u8 {
        if money && !self.money { self.scale.saturating_sub(MONEY_SCALE) } else { self.scale }
    }

    /// What makes this exact number one of `scale` decimals and the unit `money`.
    fn exact_change(self, money: bool, scale: u8) -> Change {
        let gain = if money && !self.money { MONEY_SCALE } else { 0 };
        let decimals = (scale + gain).saturating_sub(self.scale);
        Change { times: ten_to(decimals), float_over: None }
    }

    /// Both brought to one kind, to be compared, added or chosen from.
    pub(crate) fn align(self, other: Self) -> Together {
        let money = self.money || other.money;
        if self.float || other.float {
            let result = Self { money, float: true, scale: 0 };
            let (left, right) = (self.float_change(money), other.float_change(money));
            return Together { left, right, result };
        }
        let scale = self.scale_as(money).max(other.scale_as(money));
        Together {
            left: self.exact_change(money, scale),
            right: other.exact_change(money, scale),
            result: Self { money, float: false, scale },
        }
    }

    /// What an operation makes of two numbers, or why there is no such thing.
    pub(crate) fn combine(self, sign: Arithmetic, other: Self) -> Result<Together, &'static str> {
        match sign {
            Arithmetic::Add | Arithmetic::Subtract => Ok(self.align(other)),
            Arithmetic::Multiply if self.money && other.money => {
                Err("money times money is no amount; multiply money by a number")
            }
            Arithmetic::Multiply => {
                let money = self.money || other.money;
                let scale = self.scale + other.scale;
                if self.float || other.float || scale > SCALE_MAX {
                    return Ok(self.floats(other, money));
                }
                let same = Change { times: 1, float_over: None };
                let result = Self { money, float: false, scale };
                Ok(Together { left: same, right: same, result })
            }
            Arithmetic::Divide if other.money && !self.money => {
                Err("a number divided by money has no unit; divide money by money or by a number")
            }
            Arithmetic::Divide => Ok(self.floats(other, self.money && !other.money)),
        }
    }

    fn floats(self, other: Self, money: bool) -> Together {
        Together {
            left: self.float_change(self.money),
            right: other.float_change(other.money),
            result: Self { money, float: true, scale: 0 },
        }
    }
}

/// A number as written, as integer and decimals: `680.00` is 680 and no decimals. None when it
/// has more digits than an exact number keeps.
pub(crate) fn literal(text: &str) -> Option<(i64, u8)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let scale = u8::try_from(fraction.len()).ok().filter(|s| *s <= SCALE_MAX)?;
    let number = format!("{whole}{fraction}").parse().ok()?;
    Some((number, scale))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn literals_keep_their_decimals() {
        assert_eq!(literal("680.00"), Some((680, 0)));
        assert_eq!(literal("0.05"), Some((5, 2)));
        assert_eq!(literal("12.340"), Some((1_234, 2)));
        assert_eq!(literal("99999999999999999999"), None);
        assert_eq!(literal("0.0123456789"), None);
    }

    #[test]
    fn a_plain_number_beside_money_is_in_the_main_unit() {
        let check = |scale, factors: (i64, i64), result| {
            let plain = Number { money: false, float: false, scale };
            let together = plain.align(Number::MONEY);
            assert_eq!((together.left.times, together.right.times), factors, "{scale}");
            assert_eq!(together.result.scale, result, "{scale}");
        };
        check(0, (100, 1), 0);
        check(1, (10, 1), 0);
        check(2, (1, 1), 0);
        check(3, (1, 10), 1);
    }

    #[test]
    fn units_go_together_or_are_refused() {
        let product = Number::MONEY.combine(Arithmetic::Multiply, Number::INT).unwrap();
        assert_eq!(product.result, Number::MONEY);
        let ratio = Number::MONEY.combine(Arithmetic::Divide, Number::MONEY).unwrap();
        assert_eq!(ratio.result, Number::FLOAT);
        assert!(Number::MONEY.combine(Arithmetic::Multiply, Number::MONEY).is_err());
        assert!(Number::INT.combine(Arithmetic::Divide, Number::MONEY).is_err());
    }
}
