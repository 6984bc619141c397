//! Ranges of values that are asked about, cut into bands that each lie in some of them as a whole.
//!
//! Invariant: bands are apart and hold every value; a range is a range of bands.

use std::ops::Range;

/// Bounds that lie no further apart have a table from value to band.
const SPAN_MAX: u64 = 1 << 16;

/// The values at which one band ends and the next begins.
pub(super) struct Cuts {
    /// The least value of each band but the first, rising.
    bounds: Vec<i64>,
    /// The value before the first bound, and the last bound.
    ends: (i64, i64),
    /// The band of each value from one to the other; empty where they lie too far apart.
    table: Vec<u16>,
}

impl Cuts {
    /// The bands that ranges of values are made of.
    pub(super) fn new(ranges: &[(i64, i64)]) -> Self {
        let asked = ranges.iter().filter(|(low, high)| low <= high);
        let ends = asked.flat_map(|(low, high)| [Some(*low), high.checked_add(1)]);
        let mut bounds: Vec<i64> = ends.flatten().filter(|bound| *bound > i64::MIN).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let mut cuts = Self { ends: (0, 0), table: Vec::new(), bounds };
        if let (Some(first), Some(last)) = (cuts.bounds.first(), cuts.bounds.last()) {
            let (before, last) = (first.saturating_sub(1), *last);
            if last.abs_diff(before) <= SPAN_MAX {
                let band = |value| u16::try_from(cuts.searched(value)).unwrap_or(u16::MAX);
                cuts.table = (before..=last).map(band).collect();
                cuts.ends = (before, last);
            }
        }
        cuts
    }

    fn searched(&self, value: i64) -> usize {
        self.bounds.partition_point(|bound| *bound <= value)
    }

    /// The band of a value.
    #[inline(always)]
    pub(super) fn band(&self, value: i64) -> usize {
        let (before, last) = self.ends;
        let at = value.max(before).min(last).abs_diff(before);
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        self.table.get(at).map_or_else(|| self.searched(value), |band| usize::from(*band))
    }

    /// The bands of a range of values.
    pub(super) fn bands(&self, (low, high): (i64, i64)) -> Range<usize> {
        if low > high { 0..0 } else { self.searched(low)..self.searched(high) + 1 }
    }

    /// How many bands there are.
    pub(super) fn count(&self) -> usize {
        self.bounds.len() + 1
    }
}
