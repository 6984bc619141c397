//! How many rows of a set a code is in, without a set of those rows.
//!
//! Invariant: what is counted is what [`Column::keep_in`] leaves.

use std::borrow::Cow;
use std::ops::Range;

use super::{Column, Zone, zone};
use crate::block::BlockToc;
use crate::error::Result;
use crate::format::Encoding;
use crate::predicate::Predicate;
use crate::row_set::RowSet;
use crate::schema::Kind;
use crate::words;

/// The rows of a code.
#[derive(Debug, Clone)]
pub struct OfCode {
    /// All of them.
    pub rows: RowSet,
    /// Each of them, rising, where they were found one by one.
    pub listed: Option<Vec<u32>>,
}

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

    /// The rows of a set that have each of some codes, numbered from 0; one by one too where they
    /// were found so. None of a column that is no set of codes, and where a block is not written
    /// bit by bit.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn of_codes(&self, codes: &[u32], rows: &RowSet) -> Result<Option<Vec<OfCode>>> {
        if self.kind != Kind::Codes {
            return Ok(None);
        }
        let window = rows.window();
        let none = || OfCode { rows: RowSet::none_in(window.clone()), listed: Some(Vec::new()) };
        let mut found: Vec<OfCode> = codes.iter().map(|_| none()).collect();
        for (block, first, part) in self.word_parts(window.clone()) {
            let place = (first / 64) as usize + part.start;
            let place = place.saturating_sub((window.start / 64) as usize);
            let own = rows.words().get(place..place + part.len()).unwrap_or_default();
            if block.known == 0 || !words::any(own) {
                continue;
            }
            if block.encoding != Encoding::Planes as u8 || block.base != 0 {
                return Ok(None);
            }
            let among = match block.known == block.rows {
                true => Cow::Borrowed(own),
                false => Cow::Owned(words::both(own, &self.known_part(block, part.clone())?)),
            };
            let planes = self.file.integer_block(block)?.planes();
            let planes = planes.ok_or_else(|| self.no_value(block))?;
            for (code, found) in codes.iter().zip(&mut found) {
                let OfCode { rows, listed } = found;
                let add = |row: u32| {
                    rows.insert(first + row);
                    if let Some(listed) = listed {
                        listed.push(first + row);
                    }
                };
                let (bit, part) = (*code as usize, part.clone());
                let light = planes.each_light(bit, &among, part.clone(), add);
                if !light.ok_or_else(|| self.no_value(block))? {
                    let into = rows.words_mut().get_mut(place..place + part.len());
                    let kept = planes.keep(bit, &among, part, into.unwrap_or_default());
                    kept.ok_or_else(|| self.no_value(block))?;
                    *listed = None;
                }
            }
        }
        Ok(Some(found))
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
