//! How many rows of a set a code is in, without a set of those rows.
//!
//! Invariant: what is counted is what [`Column::keep_in`] leaves.

use std::ops::Range;

use super::{Column, Zone, zone};
use crate::block::BlockToc;
use crate::error::Result;
use crate::predicate::Predicate;
use crate::row_set::RowSet;
use crate::words;

impl Column<'_> {
    /// How many rows of a set satisfy a predicate, where that is told by counting bits: of
    /// [`Predicate::HasAny`] with one bit. None for other predicates, and where a block is not
    /// written bit by bit.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn count_of(&self, predicate: &Predicate, rows: &RowSet) -> Result<Option<u64>> {
        let Predicate::HasAny(bits) = predicate else { return Ok(None) };
        if self.kind.is_text() || bits.count_ones() != 1 {
            return Ok(None);
        }
        let (window, full, mut count) = (rows.window(), rows.is_full(), 0);
        for (block, first, part) in self.word_parts(window.clone()) {
            let place = (first / 64) as usize + part.start;
            let place = place.saturating_sub((window.start / 64) as usize);
            let own = rows.words().get(place..place + part.len()).unwrap_or_default();
            if !full && !words::any(own) {
                continue;
            }
            match zone(block, predicate) {
                Zone::None => continue,
                Zone::Some | Zone::Known if block.known == block.rows => {}
                // Rows that are not known may have any bit.
                _ => return Ok(None),
            }
            let inside = full.then(|| {
                let start = window.start.max(first).saturating_sub(first);
                start..window.end.saturating_sub(first).min(block.rows)
            });
            let Some(own) = self.count_part(block, *bits, part, (own, inside))? else {
                return Ok(None);
            };
            count += own;
        }
        Ok(Some(count))
    }

    /// The rows of a set whose known value is at least each of some rising bounds; none of texts.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn reached(&self, bounds: &[i64], rows: &RowSet) -> Result<Vec<RowSet>> {
        let mut found = vec![RowSet::none_in(rows.window()); bounds.len()];
        self.each_known(rows, |block, first, part, own| {
            for (set, words) in found.iter_mut().zip(block.reached(bounds, own, part)?) {
                set.write(first, &words);
            }
            Some(())
        })?;
        Ok(found)
    }

    /// As [`Column::count_of`], of some words of a block, or of all rows of a range of it.
    fn count_part(
        &self,
        block: &BlockToc,
        bit: u64,
        part: Range<usize>,
        (words, inside): (&[u64], Option<Range<u32>>),
    ) -> Result<Option<u64>> {
        let read = self.file.integer_block(block)?;
        if !block.is_planes() || block.of_known() || read.is_listed() || block.base != 0 {
            return Ok(None);
        }
        let bit = bit.trailing_zeros() as usize;
        let count = read.planes().and_then(|planes| match inside {
            Some(rows) => planes.count_in(bit, rows),
            None => planes.count(bit, words, part),
        });
        count.ok_or_else(|| self.no_value(block)).map(Some)
    }
}
