//! What follows from sums: which unknowns of a system of linear equations have one value only.
//!
//! The equations are reduced over a prime field, sparse row by sparse row. An unknown is
//! determined where a reduced row has no other.
//!
//! Invariant: what is determined over the rationals is determined here, but for a prime that
//! divides a minor of the system: coefficients are 1 and -1, the prime is 2^61 - 1.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// The field.
const PRIME: u64 = (1 << 61) - 1;

/// The most entries that are touched.
const WORK_MAX: u64 = 50_000_000;

type Row = BTreeMap<u32, u64>;

fn times(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) % u128::from(PRIME);
    u64::try_from(product).unwrap_or(0)
}

fn minus(a: u64, b: u64) -> u64 {
    if a >= b { a - b } else { a + PRIME - b }
}

fn inverse(value: u64) -> u64 {
    // Fermat: the power to the prime less two.
    let (mut base, mut exponent, mut result) = (value, PRIME - 2, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}

/// Takes a multiple of `pivot` from a row, so that the unknown of the pivot is not in it.
fn reduce(row: &mut Row, at: u32, pivot: &Row, work: &mut u64) {
    let Some(factor) = row.get(&at).copied() else { return };
    *work = work.saturating_add(pivot.len() as u64);
    for (unknown, own) in pivot {
        let taken = times(factor, *own);
        let left = minus(row.get(unknown).copied().unwrap_or(0), taken);
        if left == 0 {
            row.remove(unknown);
        } else {
            row.insert(*unknown, left);
        }
    }
}

/// The unknowns of interest that the equations leave one value; each equation is a list of
/// unknowns with their signs.
///
/// # Errors
/// [`Error::Limit`] where the system is too large to be sure.
pub(super) fn determined(
    equations: impl Iterator<Item = Vec<(u32, bool)>>,
    of_interest: impl Fn(u32) -> bool,
) -> Result<Vec<u32>> {
    let mut pivots: BTreeMap<u32, Row> = BTreeMap::new();
    let mut work = 0;
    for equation in equations {
        let sign = |positive: bool| if positive { 1 } else { PRIME - 1 };
        let mut row: Row = equation.into_iter().map(|(at, plus)| (at, sign(plus))).collect();
        // From the last unknown on: those in front are never brought back by what comes later.
        let mut above = u32::MAX;
        while let Some((at, _)) = row.range(..=above).next_back() {
            let at = *at;
            if let Some(pivot) = pivots.get(&at) {
                reduce(&mut row, at, pivot, &mut work);
            }
            let Some(next) = at.checked_sub(1) else { break };
            above = next;
        }
        if let Some((at, value)) = row.iter().next_back().map(|(at, value)| (*at, *value)) {
            let scale = inverse(value);
            row.values_mut().for_each(|own| *own = times(*own, scale));
            pivots.insert(at, row);
        }
        if work > WORK_MAX {
            return Err(too_large(work));
        }
    }
    // Back: every row loses the unknowns of other pivots.
    let places: Vec<u32> = pivots.keys().copied().collect();
    let mut found = Vec::new();
    for at in places {
        let Some(mut row) = pivots.remove(&at) else { continue };
        let others: Vec<u32> = row.keys().copied().filter(|other| *other != at).collect();
        for other in others {
            if let Some(pivot) = pivots.get(&other) {
                reduce(&mut row, other, pivot, &mut work);
            }
        }
        if row.len() == 1 && of_interest(at) {
            found.push(at);
        }
        pivots.insert(at, row);
        if work > WORK_MAX {
            return Err(too_large(work));
        }
    }
    Ok(found)
}

fn too_large(found: u64) -> Error {
    let what = "the work to make sure that nothing hidden follows from what is told";
    Error::Limit { what, found, limit: WORK_MAX, place: None }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::determined;

    fn told(equations: &[&[(u32, bool)]]) -> Vec<u32> {
        determined(equations.iter().map(|e| e.to_vec()), |_| true).unwrap()
    }

    #[test]
    fn what_follows_from_sums_is_found() {
        assert_eq!(told(&[&[(0, true)]]), [0]);
        assert!(told(&[&[(0, true), (1, true)]]).is_empty());
        assert_eq!(
            told(&[&[(0, true), (1, true)], &[(1, true), (2, true)], &[(2, true)]]),
            [0, 1, 2]
        );
        // A cycle of two rows and two columns tells nothing.
        let cycle: [&[(u32, bool)]; 4] = [
            &[(0, true), (1, true)],
            &[(2, true), (3, true)],
            &[(0, true), (2, true)],
            &[(1, true), (3, true)],
        ];
        assert!(told(&cycle).is_empty());
        // Two such cycles with a bridge between them tell the bridge.
        let bridge: [&[(u32, bool)]; 8] = [
            &[(0, true), (1, true)],
            &[(2, true), (3, true), (8, true)],
            &[(0, true), (2, true)],
            &[(1, true), (3, true)],
            &[(4, true), (5, true)],
            &[(6, true), (7, true)],
            &[(4, true), (6, true), (8, true)],
            &[(5, true), (7, true)],
        ];
        assert_eq!(told(&bridge), [8]);
        // A sum that is hidden too is one more unknown.
        assert!(told(&[&[(0, true), (1, false)], &[(1, true), (2, true)]]).is_empty());
    }
}
