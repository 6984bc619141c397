//! What is asked of a column about a set of rows, in the form that its blocks are written in.
//!
//! Invariant: block by block these give what a look at every value gives.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Column, Zone, zone};
use crate::block::BlockToc;
use crate::block::bands::Bands;
use crate::block::integers::IntegerBlock;
use crate::error::Result;
use crate::predicate::Predicate;
use crate::row_set::RowSet;
use crate::words;

/// So many values of one column are told apart, at most.
const APART_MAX: usize = 256;

/// Words of a block: of which block, its first row, and which of its words.
type Part<'a> = (&'a BlockToc, u32, Range<usize>);

impl<'a> Column<'a> {
    /// The words of blocks that a window meets.
    pub(super) fn word_parts(&self, window: Range<u32>) -> impl Iterator<Item = Part<'a>> {
        let parts = self.parts(window);
        parts.map(|(first, block, part)| (block, first, part.start / 64..part.end.div_ceil(64)))
    }

    /// Of a set of rows, takes those out that do not satisfy a predicate. What the set does not
    /// have is not read.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn keep_in(&self, predicate: &Predicate, rows: &mut RowSet) -> Result<()> {
        let window = rows.window();
        match predicate {
            Predicate::Known => {
                for (block, first, part) in self.word_parts(window) {
                    if let Some(words) = words_of(rows, first, &part) {
                        self.keep_known_part(block, part, words)?;
                    }
                }
            }
            Predicate::Unknown => rows.and_not(&self.known_in(window)?),
            Predicate::HasNone(bits) if !self.kind.is_text() => {
                let mut any = rows.clone();
                self.keep_in(&Predicate::HasAny(*bits), &mut any)?;
                rows.and(&self.known_in(window)?);
                rows.and_not(&any);
            }
            _ => match self.by_postings(predicate, &window)? {
                Some(found) => rows.and(&found),
                None if self.kind.is_text() => rows.and(&self.scan_texts(predicate, window)?),
                None => {
                    for (block, first, part) in self.word_parts(window) {
                        if let Some(words) = words_of(rows, first, &part) {
                            self.keep_part(predicate, block, part, words)?;
                        }
                    }
                }
            },
        }
        Ok(())
    }

    /// As [`Column::keep_in`], of some words of a block of integers.
    fn keep_part(
        &self,
        predicate: &Predicate,
        block: &BlockToc,
        part: Range<usize>,
        words: &mut [u64],
    ) -> Result<()> {
        if !words::any(words) {
            return Ok(());
        }
        match zone(block, predicate) {
            Zone::None => {
                words.fill(0);
                return Ok(());
            }
            Zone::Known => {}
            Zone::Some => {
                let own = self.file.integer_block(block)?;
                let kept = own.keep(predicate, part.clone(), words);
                kept.ok_or_else(|| self.no_value(block))?;
            }
        }
        self.keep_known_part(block, part, words)
    }

    /// Of words of a block, takes the rows out whose value is not known.
    fn keep_known_part(
        &self,
        block: &BlockToc,
        part: Range<usize>,
        words: &mut [u64],
    ) -> Result<()> {
        if block.known < block.rows {
            words::and(words, &self.known_part(block, part)?);
        }
        Ok(())
    }

    /// The block of some words and those of their rows whose value is known; none where there are
    /// none.
    fn known_rows(
        &self,
        block: &'a BlockToc,
        part: Range<usize>,
        words: &[u64],
    ) -> Result<Option<(IntegerBlock<'a>, Vec<u64>)>> {
        if self.kind.is_text() || !words::any(words) {
            return Ok(None);
        }
        let mut own = words.to_vec();
        self.keep_known_part(block, part, &mut own)?;
        if !words::any(&own) {
            return Ok(None);
        }
        Ok(Some((self.file.integer_block(block)?, own)))
    }

    /// Calls `visit` with every block of integers of which rows of a set are known: with the block,
    /// the number of the first row of the words, the words of the block, and the bits of those
    /// rows.
    pub(super) fn each_known(
        &self,
        rows: &RowSet,
        mut visit: impl FnMut(IntegerBlock<'_>, u32, Range<usize>, &[u64]) -> Option<()>,
    ) -> Result<()> {
        for (block, first, part) in self.word_parts(rows.window()) {
            let place = (first / 64) as usize + part.start;
            let place = place.saturating_sub((rows.window().start / 64) as usize);
            let own = rows.words().get(place..place + part.len()).unwrap_or_default();
            let Some((read, own)) = self.known_rows(block, part.clone(), own)? else { continue };
            let start = u32::try_from(part.start * 64).unwrap_or(u32::MAX);
            visit(read, first.saturating_add(start), part, &own)
                .ok_or_else(|| self.no_value(block))?;
        }
        Ok(())
    }

    /// Of the rows of a block as words: the block, and those rows whose value is known.
    fn known_of(
        &self,
        block: u32,
        words: &[u64],
    ) -> Result<Option<(&'a BlockToc, IntegerBlock<'a>, Vec<u64>)>> {
        let Some(toc) = self.toc.blocks.get(block as usize) else { return Ok(None) };
        let known = self.known_rows(toc, 0..words.len(), words)?;
        Ok(known.map(|(read, own)| (toc, read, own)))
    }

    /// As [`Column::sum_of`], of the rows of a block.
    pub(crate) fn sum_of_block(&self, block: u32, words: &[u64]) -> Result<(u64, i128)> {
        let Some((toc, read, own)) = self.known_of(block, words)? else { return Ok((0, 0)) };
        let sum = read.sum(&own, 0..own.len()).ok_or_else(|| self.no_value(toc))?;
        Ok((words::count(&own), sum))
    }

    /// As [`Column::ends_of`], of the rows of a block.
    pub(crate) fn ends_of_block(&self, block: u32, words: &[u64]) -> Result<Option<(i64, i64)>> {
        let Some((toc, read, own)) = self.known_of(block, words)? else { return Ok(None) };
        read.ends(&own, 0..own.len()).ok_or_else(|| self.no_value(toc)).map(Some)
    }

    /// As [`Column::tally`], of the rows of a block: calls `visit` with values and how many rows
    /// have each, and gives whether the values could be told apart.
    pub(crate) fn tally_of_block(
        &self,
        block: u32,
        words: &[u64],
        visit: &mut dyn FnMut(i64, u64),
    ) -> Result<bool> {
        let Some((toc, read, own)) = self.known_of(block, words)? else { return Ok(true) };
        read.tally(&own, 0..own.len(), visit).ok_or_else(|| self.no_value(toc))
    }

    /// As [`Column::apart`], of the rows of a block: calls `visit` with values and the bits of the
    /// rows that have each, and gives whether the values could be told apart.
    pub(crate) fn apart_of_block(
        &self,
        block: u32,
        words: &[u64],
        visit: &mut dyn FnMut(i64, &[u64]),
    ) -> Result<bool> {
        let Some((toc, read, own)) = self.known_of(block, words)? else { return Ok(true) };
        read.sets(&own, 0..own.len(), visit).ok_or_else(|| self.no_value(toc))
    }

    /// The rows of a set whose value is known; their values are appended, the rows rising. Texts
    /// give nothing.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn known_values(&self, rows: &RowSet, out: &mut Vec<i64>) -> Result<RowSet> {
        let mut found = RowSet::none_in(rows.window());
        out.reserve(usize::try_from(rows.count()).unwrap_or(0));
        let parts = self.word_parts(rows.window()).filter(|_| !self.kind.is_text());
        for (block, first, part) in parts {
            let place = (first / 64) as usize + part.start;
            let place = place.saturating_sub((rows.window().start / 64) as usize);
            let own = rows.words().get(place..place + part.len()).unwrap_or_default();
            if block.known == 0 || !words::any(own) {
                continue;
            }
            let (known, mut own) = (self.known_part(block, part.clone())?, own.to_vec());
            words::and(&mut own, &known);
            let start = u32::try_from(part.start * 64).unwrap_or(u32::MAX);
            found.write(first.saturating_add(start), &own);
            let read = self.file.integer_block(block)?;
            read.known_values(part, &known, &own, out).ok_or_else(|| self.no_value(block))?;
        }
        Ok(found)
    }

    /// Appends how far the stored integers of a range of rows lie above an integer, if all lie so
    /// near that this has `bits` bits, at most 32; gives whether they do. A row whose value is
    /// unknown gives some number. Texts give nothing.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn above(
        &self,
        rows: Range<u32>,
        least: i64,
        bits: u32,
        out: &mut Vec<u32>,
    ) -> Result<bool> {
        if self.kind.is_text() {
            return Ok(false);
        }
        for (_, block, part) in self.parts(rows) {
            let read = self.file.integer_block(block)?;
            let fits = read.above((part.start, part.end), least, bits, out);
            if !fits.ok_or_else(|| self.no_value(block))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Of how many rows of a set the value is known, and the sum of those. Texts give nothing.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn sum_of(&self, rows: &RowSet) -> Result<(u64, i128)> {
        let (mut known, mut sum) = (0, 0i128);
        self.each_known(rows, |block, _, part, own| {
            known += words::count(own);
            sum += block.sum(own, part)?;
            Some(())
        })?;
        Ok((known, sum))
    }

    /// Adds to each of some counts how many rows of a set that lie in a range have a known value in
    /// its band. Texts give nothing.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn count_bands(
        &self,
        rows: &RowSet,
        range: Range<u32>,
        bands: &Bands,
        counts: &mut [u64],
    ) -> Result<()> {
        let window = rows.window();
        let range = range.start.max(window.start)..range.end.min(window.end);
        for (block, first, part) in self.word_parts(range.clone()) {
            let place = (first / 64) as usize + part.start;
            let place = place.saturating_sub((window.start / 64) as usize);
            let own = rows.words().get(place..place + part.len()).unwrap_or_default();
            let mut own = own.to_vec();
            let start = first.saturating_add(u32::try_from(part.start * 64).unwrap_or(u32::MAX));
            if let Some(word) = own.first_mut() {
                *word &= u64::MAX.checked_shl(range.start.saturating_sub(start)).unwrap_or(0);
            }
            let last = u32::try_from(own.len().saturating_sub(1) * 64).unwrap_or(u32::MAX);
            if let Some(word) = own.last_mut() {
                let behind = range.end.saturating_sub(start.saturating_add(last));
                *word &= !u64::MAX.checked_shl(behind).unwrap_or(0);
            }
            let Some((read, own)) = self.known_rows(block, part.clone(), &own)? else { continue };
            let counted = read.count_bands(&own, part, bands, counts);
            counted.ok_or_else(|| self.no_value(block))?;
        }
        Ok(())
    }

    /// The least and the greatest known value of the rows of a set; none where no value is known,
    /// and of texts.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn ends_of(&self, rows: &RowSet) -> Result<Option<(i64, i64)>> {
        let mut ends: Option<(i64, i64)> = None;
        self.each_known(rows, |block, _, part, own| {
            if ends.is_some_and(|(low, high)| low <= block.toc.min && block.toc.max <= high) {
                return Some(());
            }
            let (low, high) = block.ends(own, part)?;
            let held = ends.unwrap_or((low, high));
            ends = Some((held.0.min(low), held.1.max(high)));
            Some(())
        })?;
        Ok(ends)
    }

    /// How many of the rows of a set have each known value, where there are so few values that
    /// nobody has to look at every row.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn tally(&self, rows: &RowSet) -> Result<Option<BTreeMap<i64, u64>>> {
        let (mut found, mut told) = (BTreeMap::<i64, u64>::new(), !self.kind.is_text());
        self.each_known(rows, |block, _, part, own| {
            told = told
                && found.len() <= APART_MAX
                && block.tally(own, part, &mut |value, count| {
                    *found.entry(value).or_default() += count;
                })?;
            Some(())
        })?;
        Ok(Some(found).filter(|found| told && found.len() <= APART_MAX))
    }

    /// The rows of a set that have each known value, under the same conditions as
    /// [`Column::tally`].
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn apart(&self, rows: &RowSet) -> Result<Option<BTreeMap<i64, RowSet>>> {
        let (mut found, mut told) = (BTreeMap::<i64, RowSet>::new(), !self.kind.is_text());
        self.each_known(rows, |block, first, part, own| {
            told = told
                && found.len() <= APART_MAX
                && block.sets(own, part, &mut |value, set| {
                    let window = || RowSet::none_in(rows.window());
                    found.entry(value).or_insert_with(window).write(first, set);
                })?;
            Some(())
        })?;
        Ok(Some(found).filter(|found| told && found.len() <= APART_MAX))
    }
}

/// The words of a set that are some words of a block.
fn words_of<'r>(rows: &'r mut RowSet, first: u32, part: &Range<usize>) -> Option<&'r mut [u64]> {
    let place = (first / 64) as usize + part.start;
    let place = place.checked_sub((rows.window().start / 64) as usize)?;
    rows.words_mut().get_mut(place..place + part.len())
}
