//! A sum of floats that is the same in any order: kept exactly, rounded once.
//!
//! The sum is held as floats that do not overlap (Shewchuk, "Adaptive precision floating-point
//! arithmetic", 1997); their exact sum is the exact sum of what was added.

/// The exact sum of some finite floats.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ExactSum {
    /// From the least to the greatest, none zero, no two overlapping.
    parts: Vec<f64>,
}

impl ExactSum {
    pub(super) fn add(&mut self, value: f64) {
        let mut carried = value;
        let mut kept = 0;
        for place in 0..self.parts.len() {
            let Some(&part) = self.parts.get(place) else { break };
            let (high, low) = two_sum(carried, part);
            if low != 0.0 {
                if let Some(slot) = self.parts.get_mut(kept) {
                    *slot = low;
                }
                kept += 1;
            }
            carried = high;
        }
        self.parts.truncate(kept);
        if carried != 0.0 {
            self.parts.push(carried);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.parts.iter().for_each(|part| self.add(*part));
    }

    /// The float nearest to the sum, ties to even.
    pub(super) fn value(&self) -> f64 {
        let mut rest = self.parts.iter().rev().copied();
        let mut sum = rest.next().unwrap_or(0.0);
        let mut error = 0.0;
        for part in rest.by_ref() {
            let (high, low) = two_sum(sum, part);
            sum = high;
            if low != 0.0 {
                error = low;
                break;
            }
        }
        // Half way between two floats the parts beneath decide.
        let next = rest.next().unwrap_or(0.0);
        if error != 0.0 && next != 0.0 && (error < 0.0) == (next < 0.0) {
            let doubled = error * 2.0;
            let moved = sum + doubled;
            if doubled == moved - sum {
                return moved;
            }
        }
        sum
    }
}

/// The float sum of two floats and the exact rest.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let (large, small) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
    let high = large + small;
    (high, small - (high - large))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_gives_the_same_sum() {
        let values: Vec<f64> = (1..2_000u32).map(|n| f64::from(n).sqrt() / 7.0 - 3.0).collect();
        let sum = |values: &mut dyn Iterator<Item = f64>| {
            let mut sum = ExactSum::default();
            values.for_each(|v| sum.add(v));
            sum.value()
        };
        let forward = sum(&mut values.iter().copied());
        assert_eq!(forward, sum(&mut values.iter().rev().copied()));
        let mut parts = ExactSum::default();
        for chunk in values.chunks(37) {
            let mut part = ExactSum::default();
            chunk.iter().for_each(|v| part.add(*v));
            parts.merge(&part);
        }
        assert_eq!(forward, parts.value());
    }

    #[test]
    fn what_cancels_leaves_the_rest() {
        let mut sum = ExactSum::default();
        [1e100, 1.0, -1e100, 1e-3].iter().for_each(|v| sum.add(*v));
        assert_eq!(sum.value(), 1.001);
        let mut tenth = ExactSum::default();
        (0..10).for_each(|_| tenth.add(0.1));
        assert_eq!(tenth.value(), 1.0);
    }
}
