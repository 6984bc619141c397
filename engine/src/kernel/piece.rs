//! Values of the rows of a set, 64 at a time.
//!
//! A piece is small enough that its values stay in the fastest memory between decoding and use.
//! Where a piece has few rows of the set, only the words that have any are decoded.

use crate::error::Result;
use crate::limits::BLOCK_ROWS;
use crate::segment::Column;

/// Words of a block of a set.
pub(super) const BLOCK_WORDS: usize = (BLOCK_ROWS / 64) as usize;
/// Words of a piece.
const PIECE_WORDS: usize = 64;
/// Rows of a piece.
const PIECE_ROWS: u32 = 64 * 64;
/// Where fewer words of a piece than one in so many have rows, those are decoded one by one.
const SPARSE: usize = 8;

/// 64 rows of some columns.
pub(super) struct Word<'v, const N: usize> {
    /// The first of the rows.
    pub row: u32,
    /// Which of them are asked about: at least one.
    pub bits: u64,
    /// Of which of them each column knows the value.
    pub known: [u64; N],
    /// The values of each column; any number where it is not known.
    pub values: [&'v [i64; 64]; N],
}

/// Where the values of some columns are decoded to.
pub(super) struct Reader<const N: usize> {
    known: [Vec<u64>; N],
    /// A piece, or the whole block of a column that is not read in parts.
    values: [Vec<i64>; N],
    whole: [bool; N],
}

impl<const N: usize> Default for Reader<N> {
    fn default() -> Self {
        let (known, values) = ([(); N].map(|()| Vec::new()), [(); N].map(|()| Vec::new()));
        Self { known, values, whole: [false; N] }
    }
}

impl<const N: usize> Reader<N> {
    /// Calls `visit` with the rows of a block whose bits are set, in rising order.
    #[inline]
    pub(super) fn each(
        &mut self,
        columns: [Column<'_>; N],
        block: u32,
        words: &[u64],
        mut visit: impl FnMut(&Word<'_, N>),
    ) -> Result<()> {
        for (column, known) in columns.iter().zip(&mut self.known) {
            known.clear();
            known.resize(words.len(), u64::MAX);
            column.keep_known(block, known)?;
        }
        let mut row = block.saturating_mul(BLOCK_ROWS);
        let own = columns.iter().zip(&mut self.values).zip(&mut self.whole);
        for ((column, values), whole) in own {
            *whole = !column.reads_in_parts(block);
            if *whole {
                values.clear();
                column.integers(row..row.saturating_add(BLOCK_ROWS), values)?;
                values.resize(words.len() * 64, 0);
            }
        }
        for (at, piece) in (0..).step_by(PIECE_WORDS).zip(words.chunks(PIECE_WORDS)) {
            let met = piece.iter().filter(|word| **word != 0).count();
            if met * SPARSE >= piece.len() {
                self.decoded(&columns, (row, at), piece, &mut visit)?;
            } else if met > 0 {
                for (nth, word) in (0u32..).zip(piece).filter(|(_, word)| **word != 0) {
                    let (row, at) = (row.saturating_add(nth * 64), at + nth as usize);
                    self.decoded(&columns, (row, at), std::slice::from_ref(word), &mut visit)?;
                }
            }
            row = row.saturating_add(PIECE_ROWS);
        }
        Ok(())
    }

    /// Decodes the rows of some words and visits them; `at` is their place in the block.
    #[inline]
    fn decoded(
        &mut self,
        columns: &[Column<'_>; N],
        (mut row, at): (u32, usize),
        words: &[u64],
        visit: &mut impl FnMut(&Word<'_, N>),
    ) -> Result<()> {
        let size = words.len() * 64;
        let end = row.saturating_add(u32::try_from(size).unwrap_or(u32::MAX));
        let own = columns.iter().zip(&mut self.values).zip(&self.whole);
        for ((column, values), _) in own.filter(|(_, whole)| !**whole) {
            values.clear();
            column.integers(row..end, values)?;
            values.resize(size, 0);
        }
        let mut values = self.values.each_ref().map(|values| values.as_chunks::<64>().0);
        for (values, _) in values.iter_mut().zip(&self.whole).filter(|(_, whole)| **whole) {
            *values = values.get(at..).unwrap_or_default();
        }
        let known = self.known.each_ref().map(|known| known.get(at..).unwrap_or_default());
        for (nth, bits) in words.iter().enumerate() {
            if *bits != 0 {
                let known = known.map(|known| known.get(nth).copied().unwrap_or(0));
                let values = values.map(|values| values.get(nth).unwrap_or(&[0; 64]));
                visit(&Word { row, bits: *bits, known, values });
            }
            row = row.saturating_add(64);
        }
        Ok(())
    }
}

/// Calls `visit` with the place of every bit of a word.
#[inline]
pub(super) fn each_bit(mut bits: u64, mut visit: impl FnMut(u32)) {
    while bits != 0 {
        visit(bits.trailing_zeros());
        bits &= bits - 1;
    }
}
