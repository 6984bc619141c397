//! Classes of a map: values into a few intervals that a reader can tell apart.
//!
//! Invariants: zero and "no data" are in no class; equal values share a class; every class holds a
//! value, and its ends are the least and the greatest value in it.

use serde::{Deserialize, Serialize};

use crate::wire::Figure;

/// How the ends of classes are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// Classes of about as many places each.
    #[default]
    Quantile,
    /// Classes whose values lie close together (least squares within classes).
    Natural,
    /// Classes of equal width.
    Equal,
}

/// One class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Class {
    from: Figure,
    to: Figure,
    /// How many values are in it.
    n: usize,
}

/// At most `count` classes of the values that are not zero.
pub(crate) fn classes(values: &[Figure], count: usize, method: Method) -> Vec<Class> {
    let mut sorted: Vec<Figure> = values.iter().copied().filter(|v| v.float() != 0.0).collect();
    sorted.sort_by(|a, b| a.float().total_cmp(&b.float()));
    let starts = match method {
        Method::Quantile => quantile(&sorted, count),
        Method::Natural => natural(&sorted, count),
        Method::Equal => equal(&sorted, count),
    };
    let ends = starts.iter().skip(1).copied().chain([sorted.len()]);
    let pieces = starts.iter().zip(ends).filter_map(|(start, end)| sorted.get(*start..end));
    let class = |piece: &[Figure]| {
        Some(Class { from: *piece.first()?, to: *piece.last()?, n: piece.len() })
    };
    pieces.filter_map(class).collect()
}

fn at(sorted: &[Figure], place: usize) -> f64 {
    sorted.get(place).map_or(0.0, |figure| figure.float())
}

/// Where each class begins, so that about as many values are in each.
fn quantile(sorted: &[Figure], count: usize) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut start = 0;
    for class in 1..=count {
        if start >= sorted.len() {
            break;
        }
        starts.push(start);
        // Rounded half up.
        let even = (2 * sorted.len() * class + count) / (2 * count);
        let mut end = even.max(start + 1);
        while end < sorted.len() && at(sorted, end) == at(sorted, end - 1) {
            end += 1;
        }
        start = end;
    }
    starts
}

/// Where each class begins that holds a value, the range cut into equal widths.
fn equal(sorted: &[Figure], count: usize) -> Vec<usize> {
    let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
    let (low, high) = (at(sorted, 0), at(sorted, last));
    let mut starts = vec![0];
    for class in 1..count {
        let bound = low + (high - low) * (class as f64 / count as f64);
        let start = sorted.partition_point(|figure| figure.float() < bound);
        if start <= last && starts.last() != Some(&start) {
            starts.push(start);
        }
    }
    starts
}

/// Sums by which the squared distances from the mean of any stretch of values are known.
struct Sums {
    values: Vec<f64>,
    squares: Vec<f64>,
}

impl Sums {
    fn new(sorted: &[Figure]) -> Self {
        // Distances from the middle: squares of large values would lose the small differences.
        let middle = at(sorted, sorted.len() / 2);
        let mut sums = Self { values: vec![0.0], squares: vec![0.0] };
        let (mut value, mut square) = (0.0, 0.0);
        for figure in sorted {
            let distance = figure.float() - middle;
            value += distance;
            square += distance * distance;
            sums.values.push(value);
            sums.squares.push(square);
        }
        sums
    }

    /// The squared distances from their mean of the values `start..end`.
    fn cost(&self, start: usize, end: usize) -> f64 {
        let between = |sums: &[f64]| match (sums.get(start), sums.get(end)) {
            (Some(before), Some(upto)) if start < end => upto - before,
            _ => 0.0,
        };
        let value = between(&self.values);
        between(&self.squares) - value * value / (end.saturating_sub(start).max(1) as f64)
    }
}

/// Where each class begins, so that the squared distances within classes are least. Equal values
/// would be parted only where there are fewer different ones than classes, so they count as one.
fn natural(sorted: &[Figure], count: usize) -> Vec<usize> {
    let changes = (1..sorted.len()).filter(|place| at(sorted, *place) != at(sorted, *place - 1));
    let firsts: Vec<usize> = changes.collect();
    if sorted.is_empty() || firsts.len() < count {
        return if sorted.is_empty() { Vec::new() } else { [vec![0], firsts].concat() };
    }
    let sums = Sums::new(sorted);
    let length = sorted.len();
    // costs[end]: the least cost of the values before `end` in so many classes.
    let mut costs: Vec<f64> = (0..=length).map(|end| sums.cost(0, end)).collect();
    let mut begun: Vec<Vec<usize>> = Vec::new();
    for classes in 2..=count {
        let mut next =
            Step { sums: &sums, before: &costs, costs: costs.clone(), starts: Vec::new() };
        next.starts = vec![0; length + 1];
        next.fill(classes, length, classes - 1, length - 1);
        begun.push(next.starts);
        costs = next.costs;
    }
    let mut starts = vec![length];
    for layer in begun.iter().rev() {
        let end = starts.last().copied().unwrap_or(length);
        starts.push(layer.get(end).copied().unwrap_or(0));
    }
    starts.push(0);
    starts.reverse();
    starts.pop();
    starts.dedup();
    starts
}

/// One class more: the best beginning of the last class for every end.
struct Step<'a> {
    sums: &'a Sums,
    before: &'a [f64],
    costs: Vec<f64>,
    starts: Vec<usize>,
}

impl Step<'_> {
    /// Fills the ends `low..=high`, whose best beginnings are known to lie in `first..=last`: the
    /// beginning never moves back as the end moves on, so the middle end halves the search.
    fn fill(&mut self, low: usize, high: usize, first: usize, last: usize) {
        if low > high {
            return;
        }
        let end = low.midpoint(high);
        let (mut best, mut least) = (first, f64::INFINITY);
        for start in first..=last.min(end - 1) {
            let cost = self.before.get(start).copied().unwrap_or(0.0) + self.sums.cost(start, end);
            if cost < least {
                (best, least) = (start, cost);
            }
        }
        if let (Some(cost), Some(start)) = (self.costs.get_mut(end), self.starts.get_mut(end)) {
            (*cost, *start) = (least, best);
        }
        self.fill(low, end - 1, first, best);
        self.fill(end + 1, high, best, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [Method; 3] = [Method::Quantile, Method::Natural, Method::Equal];

    fn shown(values: &[i64], count: usize, method: Method) -> Vec<(f64, f64, usize)> {
        let figures: Vec<Figure> = values.iter().map(|v| Figure::Int(*v)).collect();
        let classes = classes(&figures, count, method);
        classes.iter().map(|c| (c.from.float(), c.to.float(), c.n)).collect()
    }

    #[test]
    fn classes_are_as_their_method_says() {
        let values = [1, 2, 3, 4, 10, 11, 12, 100];
        let check = |count, method, expected: &[(f64, f64, usize)]| {
            assert_eq!(shown(&values, count, method), expected, "{method:?}");
        };
        check(4, Method::Quantile, &[(1., 2., 2), (3., 4., 2), (10., 11., 2), (12., 100., 2)]);
        check(3, Method::Natural, &[(1., 4., 4), (10., 12., 3), (100., 100., 1)]);
        check(3, Method::Equal, &[(1., 12., 7), (100., 100., 1)]);
    }

    #[test]
    fn zero_is_in_no_class_and_equal_values_share_one() {
        for method in METHODS {
            assert_eq!(shown(&[0, 0], 5, method), []);
            assert_eq!(shown(&[], 5, method), []);
            assert_eq!(shown(&[0, 7, 7, 7], 5, method), [(7., 7., 3)], "{method:?}");
            assert_eq!(shown(&[3], 1, method), [(3., 3., 1)]);
            let twins = shown(&[1, 1, 1, 1, 2, 9], 3, method);
            assert_eq!(twins.iter().map(|c| c.2).sum::<usize>(), 6);
            assert!(twins.iter().zip(twins.iter().skip(1)).all(|(a, b)| a.1 < b.0), "{twins:?}");
        }
    }

    #[test]
    fn natural_classes_are_the_best_of_all() {
        // Every way to cut eleven values into three, by trying all.
        let values = [1_i64, 3, 4, 9, 15, 16, 17, 40, 44, 60, 61];
        let cost = |piece: &[i64]| {
            let mean = piece.iter().sum::<i64>() as f64 / piece.len() as f64;
            piece.iter().map(|v| (*v as f64 - mean).powi(2)).sum::<f64>()
        };
        let mut best = f64::INFINITY;
        for (a, b) in (1..10).flat_map(|a| (a + 1..11).map(move |b| (a, b))) {
            let (first, rest) = values.split_at(a);
            let (second, third) = rest.split_at(b - a);
            best = best.min(cost(first) + cost(second) + cost(third));
        }
        let mut found = 0.0;
        let mut rest = values.as_slice();
        for (_, _, n) in shown(&values, 3, Method::Natural) {
            let (piece, after) = rest.split_at(n);
            found += cost(piece);
            rest = after;
        }
        assert!(rest.is_empty() && (found - best).abs() < 1e-9, "{found} {best}");
    }
}
