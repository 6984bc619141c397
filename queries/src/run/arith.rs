//! Lists of numbers, one for each row from a multiple of 64 on: joined one by one, compared, added
//! up. Loops without a question a row, compiled for what the processor has.
//!
//! Invariant: a list may hold any number for a row that is not known; what becomes of it is any
//! number as well, and never an error.

use yiku::cpu::best;

use crate::ast::{Arithmetic, Comparison};

/// A number for each row, or one for all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'a, T> {
    List(&'a [T]),
    One(T),
}

/// The values of every row by an operation on both sides, and whether `bad` says so of any.
#[inline(always)]
fn joined<T: Copy, U: Copy + Default>(
    (left, right): (Side<'_, T>, Side<'_, T>),
    len: usize,
    operate: impl Fn(T, T) -> U,
    bad: impl Fn(T, T, U) -> bool,
) -> (Vec<U>, bool) {
    let mut out = vec![U::default(); len];
    let mut any = false;
    match (left, right) {
        (Side::List(left), Side::List(right)) => {
            for ((slot, a), b) in out.iter_mut().zip(left).zip(right) {
                *slot = operate(*a, *b);
                any |= bad(*a, *b, *slot);
            }
        }
        (Side::List(left), Side::One(b)) => {
            for (slot, a) in out.iter_mut().zip(left) {
                *slot = operate(*a, b);
                any |= bad(*a, b, *slot);
            }
        }
        (Side::One(a), Side::List(right)) => {
            for (slot, b) in out.iter_mut().zip(right) {
                *slot = operate(a, *b);
                any |= bad(a, *b, *slot);
            }
        }
        (Side::One(a), Side::One(b)) => {
            let one = operate(a, b);
            any = bad(a, b, one);
            out.fill(one);
        }
    }
    (out, any)
}

/// How many bits the greatest magnitude of a side takes.
pub(super) fn bits(side: Side<'_, i64>) -> u32 {
    let one = |value: i64| (value ^ (value >> 63)).cast_unsigned();
    let all = match side {
        Side::One(value) => one(value),
        Side::List(values) => best(
            #[inline(always)]
            || values.iter().fold(0, |all, value| all | one(*value)),
        ),
    };
    64 - all.leading_zeros()
}

/// Whether sums of values lie within 64 bits, whichever are left out.
pub(super) fn adds_up(values: &[i64]) -> bool {
    let rows = u64::BITS - (values.len() as u64).leading_zeros();
    bits(Side::List(values)) + rows < 63
}

/// The results of an operation on integers; none where one of them may lie beyond 64 bits.
pub(super) fn exact(
    sign: Arithmetic,
    left: Side<'_, i64>,
    right: Side<'_, i64>,
    len: usize,
) -> Option<Vec<i64>> {
    let fits = match sign {
        Arithmetic::Add | Arithmetic::Subtract => bits(left).max(bits(right)) < 62,
        Arithmetic::Multiply => bits(left) + bits(right) < 62,
        Arithmetic::Divide => false,
    };
    if !fits {
        return None;
    }
    let sides = (left, right);
    let never = |_, _, _| false;
    let found = best(
        #[inline(always)]
        || match sign {
            Arithmetic::Add => joined(sides, len, i64::wrapping_add, never),
            Arithmetic::Subtract => joined(sides, len, i64::wrapping_sub, never),
            _ => joined(sides, len, i64::wrapping_mul, never),
        },
    );
    Some(found.0)
}

/// The results of an operation on floats, and whether one of them is not finite; nobody knows
/// what divides by zero.
pub(super) fn floats(
    sign: Arithmetic,
    left: Side<'_, f64>,
    right: Side<'_, f64>,
    len: usize,
) -> (Vec<f64>, bool) {
    let sides = (left, right);
    let bad = |_: f64, _: f64, found: f64| !found.is_finite();
    best(
        #[inline(always)]
        || match sign {
            Arithmetic::Add => joined(sides, len, |a, b| a + b, bad),
            Arithmetic::Subtract => joined(sides, len, |a, b| a - b, bad),
            Arithmetic::Multiply => joined(sides, len, |a, b| a * b, bad),
            Arithmetic::Divide => {
                joined(sides, len, |a, b| a / b, |a, b, found| b != 0.0 && bad(a, b, found))
            }
        },
    )
}

/// Whether any number of a side is zero.
pub(super) fn has_zero(side: Side<'_, f64>) -> bool {
    match side {
        Side::One(value) => value == 0.0,
        Side::List(values) => best(
            #[inline(always)]
            || values.iter().fold(false, |any, value| any | (*value == 0.0)),
        ),
    }
}

/// Integers as floats, divided.
pub(super) fn to_floats(values: &[i64], over: f64) -> Vec<f64> {
    let mut out = vec![0.0; values.len()];
    let pairs = out.iter_mut().zip(values);
    best(
        #[inline(always)]
        || match over == 1.0 {
            true => pairs.for_each(|(slot, value)| *slot = *value as f64),
            false => pairs.for_each(|(slot, value)| *slot = *value as f64 / over),
        },
    );
    out
}

/// Puts what is made of pairs of integers in its place, and gives whether any of it is not finite.
#[inline(always)]
fn divided<'v>(
    pairs: impl Iterator<Item = (&'v mut f64, (&'v i64, &'v i64))>,
    divide: impl Fn(f64, f64) -> f64,
) -> bool {
    pairs.fold(false, |bad, (slot, (a, b))| {
        *slot = divide(*a as f64, *b as f64);
        bad | !slot.is_finite()
    })
}

/// Quotients of integers, each side divided first as [`to_floats`] does; none where any of them is
/// not finite.
pub(super) fn quotients(
    (left, over_left): (&[i64], f64),
    (right, over_right): (&[i64], f64),
) -> Option<Vec<f64>> {
    let mut out = vec![0.0; left.len()];
    let sides = left.iter().zip(right);
    let pairs = out.iter_mut().zip(sides);
    let bad = best(
        #[inline(always)]
        || match (over_left == 1.0, over_right == 1.0) {
            (true, true) => divided(pairs, |a, b| a / b),
            (false, true) => divided(pairs, |a, b| (a / over_left) / b),
            _ => divided(pairs, |a, b| (a / over_left) / (b / over_right)),
        },
    );
    (!bad && left.len() == right.len()).then_some(out)
}

/// A bit for each number for which a test holds, the first the lowest of the first word.
#[inline(always)]
fn words<T: Copy>(values: &[T], holds: impl Fn(T) -> bool) -> Vec<u64> {
    let word = |chunk: &[T]| {
        let bits = chunk.iter().enumerate();
        bits.fold(0u64, |word, (bit, value)| word | u64::from(holds(*value)) << bit)
    };
    let (whole, rest) = values.as_chunks::<64>();
    let mut found: Vec<u64> = whole.iter().map(|chunk| word(chunk)).collect();
    if !rest.is_empty() {
        found.push(word(rest));
    }
    found
}

/// A bit for each number from `low` to `high`.
pub(super) fn between(values: &[i64], low: i64, high: i64) -> Vec<u64> {
    best(
        #[inline(always)]
        || words(values, |value| (low <= value) & (value <= high)),
    )
}

/// A bit for each number of a sorted list.
pub(super) fn one_of(values: &[i64], list: &[i64]) -> Vec<u64> {
    words(values, |value| list.binary_search(&value).is_ok())
}

/// A bit for each row for which a comparison of both sides holds.
pub(super) fn compared<T: Copy + PartialOrd + Default>(
    sign: Comparison,
    left: Side<'_, T>,
    right: Side<'_, T>,
    len: usize,
) -> Vec<u64> {
    let sides = (left, right);
    let never = |_, _, _| false;
    let flags: (Vec<bool>, bool) = best(
        #[inline(always)]
        || match sign {
            Comparison::Equal => joined(sides, len, |a, b| a == b, never),
            Comparison::NotEqual => joined(sides, len, |a, b| a != b, never),
            Comparison::Less => joined(sides, len, |a, b| a < b, never),
            Comparison::LessEqual => joined(sides, len, |a, b| a <= b, never),
            Comparison::Greater => joined(sides, len, |a, b| a > b, never),
            Comparison::GreaterEqual => joined(sides, len, |a, b| a >= b, never),
        },
    );
    best(
        #[inline(always)]
        || words(&flags.0, |flag| flag),
    )
}

/// The sum of the numbers whose bit is set.
#[inline(always)]
pub(super) fn masked_sum(values: &[i64; 64], bits: u64) -> i128 {
    // Their halves apart: no sum of 64 numbers of 32 bits goes beyond 64.
    let (mut low, mut high) = (0i64, 0i64);
    for (bit, value) in values.iter().enumerate() {
        let mask = ((bits >> bit) & 1).cast_signed().wrapping_neg();
        low = low.wrapping_add(value & mask & 0xFFFF_FFFF);
        high = high.wrapping_add((value & mask) >> 32);
    }
    (i128::from(high) << 32) + i128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [i64; 9] = [0, 1, -1, 7, -40, i64::MAX, i64::MIN, 1 << 40, (1 << 61) - 1];

    #[test]
    fn what_may_go_beyond_is_left_to_others() {
        let signs = [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply];
        for (a, b) in VALUES.iter().flat_map(|a| VALUES.map(|b| (*a, b))) {
            for sign in signs {
                let expected = match sign {
                    Arithmetic::Add => a.checked_add(b),
                    Arithmetic::Subtract => a.checked_sub(b),
                    _ => a.checked_mul(b),
                };
                let (list, other) = ([a, 0, a], [b, 0, b]);
                let forms = [
                    exact(sign, Side::List(&list), Side::List(&other), 3),
                    exact(sign, Side::List(&list), Side::One(b), 3),
                    exact(sign, Side::One(a), Side::List(&other), 3),
                    exact(sign, Side::One(a), Side::One(b), 3),
                ];
                for found in forms.into_iter().flatten() {
                    assert_eq!(found.first().copied(), expected, "{sign:?} of {a} and {b}");
                }
            }
        }
        let few = exact(Arithmetic::Multiply, Side::List(&[3, -4]), Side::One(-5), 2);
        assert_eq!(few, Some(vec![-15, 20]));
    }

    #[test]
    fn quotients_are_those_of_floats() {
        let (left, right) = (VALUES, VALUES.map(|value| if value == 0 { 3 } else { value }));
        for (a, b) in [(1.0, 1.0), (100.0, 1.0), (7.0, 10.0)] {
            let sides = (to_floats(&left, a), to_floats(&right, b));
            let expected: Vec<f64> = sides.0.iter().zip(&sides.1).map(|(a, b)| a / b).collect();
            assert_eq!(quotients((&left, a), (&right, b)), Some(expected));
        }
        assert_eq!(quotients((&[1, 0], 1.0), (&[1, 0], 1.0)), None);
        assert_eq!(quotients((&[1, 5], 1.0), (&[1, 0], 1.0)), None);
    }

    #[test]
    fn comparisons_are_those_of_every_pair() {
        let values: Vec<i64> = (0..150).map(|n: i64| n * n % 17 - 5).collect();
        let bit = |words: &[u64], row: usize| words.get(row / 64).map(|w| w >> (row % 64) & 1);
        let found = between(&values, -1, 4);
        let listed = one_of(&values, &[-4, 0, 8]);
        let less = compared(Comparison::Less, Side::List(&values), Side::One(3), 150);
        let rising: Vec<i64> = (0..150).map(|n| n % 9).collect();
        let sides = (Side::List(rising.as_slice()), Side::List(values.as_slice()));
        let same = compared(Comparison::Equal, sides.0, sides.1, 150);
        for (row, (value, other)) in values.iter().zip(&rising).enumerate() {
            assert_eq!(bit(&found, row), Some(u64::from((-1..=4).contains(value))));
            assert_eq!(bit(&listed, row), Some(u64::from([-4, 0, 8].contains(value))));
            assert_eq!(bit(&less, row), Some(u64::from(*value < 3)));
            assert_eq!(bit(&same, row), Some(u64::from(value == other)));
        }
        assert_eq!([&found, &less, &same].map(Vec::len), [3; 3]);
    }

    #[test]
    fn sums_take_what_their_bits_say() {
        let mut values = [0; 64];
        values.iter_mut().zip(VALUES.iter().cycle()).for_each(|(slot, value)| *slot = *value);
        for bits in [0, 1, u64::MAX, 0x8000_0000_0000_0001, 0x5A5A_A5A5_1234_4321] {
            let chosen = values.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
            let expected: i128 = chosen.map(|(_, value)| i128::from(*value)).sum();
            assert_eq!(masked_sum(&values, bits), expected, "{bits:x}");
        }
    }
}
