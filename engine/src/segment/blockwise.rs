//! A column, one block at a time: what kernels ask, without a set of the whole segment.
//!
//! Invariant: block by block these give what [`Column::filter`] and [`Column::known`] give.

use super::{Column, Zone, zone};
use crate::block::BlockToc;
use crate::error::Result;
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;
use crate::predicate::Predicate;
use crate::row_set::RowSet;

fn keep(words: &mut [u64], other: &[u64]) {
    words.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
}

impl Column<'_> {
    /// Whether the values are texts.
    pub(crate) fn is_text(&self) -> bool {
        self.kind.is_text()
    }

    /// Whether a part of a block of integers is read at the cost of that part alone.
    pub(crate) fn reads_in_parts(&self, block: u32) -> bool {
        let encoding = self.toc.blocks.get(block as usize).map(|toc| toc.encoding);
        encoding
            .and_then(Encoding::from_number)
            .is_none_or(|encoding| matches!(encoding, Encoding::Constant | Encoding::Packed))
    }

    /// Takes the rows whose value is unknown out of the bits of a block.
    pub(crate) fn keep_known(&self, block: u32, words: &mut [u64]) -> Result<()> {
        match self.toc.blocks.get(block as usize) {
            Some(toc) if toc.known == toc.rows => {}
            Some(toc) => keep(words, &self.known_words(toc)?),
            None => words.fill(0),
        }
        Ok(())
    }

    /// What is known without reading the values of a block: that no row satisfies a predicate,
    /// or that every row does whose value is known. Of [`Predicate::Unknown`] nothing is.
    pub(crate) fn foretold(&self, block: u32, predicate: &Predicate) -> Option<bool> {
        let Some(toc) = self.toc.blocks.get(block as usize) else { return Some(false) };
        match predicate {
            Predicate::Known => Some(true),
            Predicate::Unknown => None,
            _ if self.kind.is_text() => (toc.known == 0).then_some(false),
            _ => match zone(toc, predicate) {
                Zone::None => Some(false),
                Zone::Known => Some(true),
                Zone::Some => None,
            },
        }
    }

    /// Takes the rows that do not satisfy a predicate out of the bits of a block.
    pub(crate) fn keep(&self, block: u32, predicate: &Predicate, words: &mut [u64]) -> Result<()> {
        let Some(toc) = self.toc.blocks.get(block as usize) else {
            words.fill(0);
            return Ok(());
        };
        match (predicate, self.foretold(block, predicate)) {
            (_, Some(false)) => words.fill(0),
            (_, Some(true)) => self.keep_known(block, words)?,
            (Predicate::Unknown, _) => {
                let mut known = self.known_words(toc)?.into_owned();
                known.iter_mut().for_each(|word| *word = !*word);
                keep(words, &known);
            }
            (Predicate::HasNone(bits), _) if !self.kind.is_text() => {
                let mut other = self.scan(toc, &Predicate::HasAny(*bits))?;
                other.iter_mut().for_each(|word| *word = !*word);
                keep(words, &other);
                self.keep_known(block, words)?;
            }
            _ if self.kind.is_text() => self.keep_texts(block, predicate, words)?,
            _ => {
                keep(words, &self.scan(toc, predicate)?);
                self.keep_known(block, words)?;
            }
        }
        Ok(())
    }

    /// Appends the stored integers of the rows of a set, in rising order; a row whose value is
    /// unknown gives some number. Texts give nothing.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn values_of(&self, rows: &RowSet, out: &mut Vec<i64>) -> Result<()> {
        if self.kind.is_text() {
            return Ok(());
        }
        let mut asked: Vec<u32> = Vec::new();
        for (block, first, part) in self.word_parts(rows.window()) {
            let place = (first / 64) as usize + part.start;
            let place = place.saturating_sub((rows.window().start / 64) as usize);
            let own = rows.words().get(place..place + part.len()).unwrap_or_default();
            asked.clear();
            for (word, at) in own.iter().zip((0u32..).step_by(64).skip(part.start)) {
                let mut rest = *word;
                while rest != 0 {
                    asked.push(at + rest.trailing_zeros());
                    rest &= rest - 1;
                }
            }
            if !asked.is_empty() {
                let read = self.file.integer_block(block)?.pick(&asked, out);
                read.ok_or_else(|| self.no_value(block))?;
            }
        }
        Ok(())
    }

    /// The bits of the rows of a block of integers that satisfy a predicate if they are known.
    fn scan(&self, toc: &BlockToc, predicate: &Predicate) -> Result<Vec<u64>> {
        let block = self.file.integer_block(toc)?;
        let words = block.filter(predicate, block.whole());
        words.ok_or_else(|| self.no_value(toc))
    }

    fn keep_texts(&self, block: u32, predicate: &Predicate, words: &mut [u64]) -> Result<()> {
        let starts = matches!(predicate, Predicate::TextStarts(_));
        let mut wanted: Vec<&str> = match predicate {
            Predicate::TextIn(list) => list.iter().map(String::as_str).collect(),
            Predicate::TextStarts(start) => vec![start.as_str()],
            _ => Vec::new(),
        };
        wanted.sort_unstable();
        let mut found = vec![0u64; words.len()];
        let first = block.saturating_mul(BLOCK_ROWS);
        self.texts(first..first.saturating_add(BLOCK_ROWS), &mut |row, text| {
            let hit = text.is_some_and(|text| match wanted.first() {
                Some(start) if starts => text.starts_with(start),
                _ => wanted.binary_search(&text).is_ok(),
            });
            let at = row.wrapping_sub(first);
            if let Some(word) = found.get_mut((at / 64) as usize) {
                *word |= u64::from(hit) << (at % 64);
            }
        })?;
        keep(words, &found);
        Ok(())
    }
}
