//! How many rows have two codes together, counted when a segment is written.
//!
//! Of every table with many rows, and for every piece of it that ends where a block does, a
//! segment holds how many rows have each two codes of its indexed columns. What asks for no more
//! than two of them, of whole pieces, is told without a look at any row.
//!
//! Invariants: the counts are those of all rows of a piece, and rows that are gone are taken off
//! where they are used; those of a pair rise from piece to piece.

use std::ops::Range;

use super::Segment;
use super::file::SegmentFile;
use super::marks::{Counted, EVERY, PairSum, Term, place};
use super::toc::TableToc;
use crate::block::gathered::Integers;
use crate::cpu::best;
use crate::error::Result;
use crate::limits::{BLOCK_ROWS, SEGMENT_ROWS_MAX};
use crate::schema::Schema;

/// Tables of fewer rows have no counts: what they tell is counted as fast.
const ROWS_MIN: u32 = BLOCK_ROWS / 2;

/// Bytes of a count: of the rows of a segment, the lowest first.
const COUNT_BYTES: usize = 3;
const _: () = assert!(SEGMENT_ROWS_MAX < 1 << (8 * COUNT_BYTES), "a count has room");

/// The marks of the rows of a table on their way to their counts.
#[derive(Debug)]
pub(super) struct PairDraft {
    counted: Counted,
    /// For each mark but the first the rows that have it.
    sets: Vec<Vec<u64>>,
}

impl PairDraft {
    /// None of a table that has no counts.
    pub(super) fn new(schema: &Schema, table: usize, rows: usize) -> Option<Self> {
        let counted = Counted::new(schema, table);
        let worth = rows >= ROWS_MIN as usize && !counted.columns.is_empty();
        let sets = vec![vec![0; rows.div_ceil(64)]; counted.marks - 1];
        worth.then_some(Self { counted, sets })
    }

    /// Whether a column is counted.
    pub(super) fn has(&self, column: usize) -> bool {
        self.counted.columns.iter().any(|marks| marks.column == column)
    }

    /// Adds the values of a column from a row on, the first of a block.
    pub(super) fn add(&mut self, column: usize, first: usize, values: &Integers) {
        let Some(marks) = self.counted.columns.iter().find(|own| own.column == column) else {
            return;
        };
        let own = marks.first - 1..marks.first + marks.codes;
        let Some((known, codes)) = self.sets.get_mut(own).and_then(|sets| sets.split_first_mut())
        else {
            return;
        };
        let start = first / 64;
        let slots = known.get_mut(start..).unwrap_or_default().iter_mut();
        slots.zip(&values.known).for_each(|(slot, word)| *slot = *word);
        for ((at, word), values) in (start..).zip(&values.known).zip(values.values.chunks(64)) {
            for (bit, value) in values.iter().enumerate().filter(|(bit, _)| word >> bit & 1 == 1) {
                let mut mark = |code: usize| {
                    if let Some(slot) = codes.get_mut(code).and_then(|set| set.get_mut(at)) {
                        *slot |= 1 << bit;
                    }
                };
                if !marks.set {
                    mark(usize::try_from(*value).unwrap_or(usize::MAX));
                    continue;
                }
                let mut left = value.cast_unsigned();
                while left != 0 {
                    mark(left.trailing_zeros() as usize);
                    left &= left - 1;
                }
            }
        }
    }

    /// For each pair the rows that have both, of all pieces up to each; a piece ends before a row
    /// of `ends`, which rise.
    pub(super) fn counts(&self, ends: &[u32]) -> Vec<u32> {
        let pieces = ends.len();
        let mut found = vec![0u32; self.counted.pairs() * pieces];
        let mut start = 0u32;
        for (piece, end) in ends.iter().enumerate() {
            let rows = end.saturating_sub(start);
            let own: Vec<Vec<u64>> = self.sets.iter().map(|set| cut(set, start..*end)).collect();
            let ones = own.iter().map(|set| set.iter().map(|word| word.count_ones()).sum());
            let ones: Vec<u32> = std::iter::once(rows).chain(ones).collect();
            let mut put = |pair: usize, count: u32| {
                let before = piece
                    .checked_sub(1)
                    .map_or(0, |before| found.get(pair * pieces + before).copied().unwrap_or(0));
                if let Some(slot) = found.get_mut(pair * pieces + piece) {
                    *slot = before.saturating_add(count);
                }
            };
            for (high, count) in ones.iter().enumerate() {
                put(place(EVERY, high), *count);
                for (low, other) in ones.iter().enumerate().take(high + 1).skip(1) {
                    let none = *count == 0 || *other == 0;
                    let sets = high.checked_sub(1).and_then(|at| own.get(at));
                    let count = match sets.zip(own.get(low - 1)) {
                        _ if low == high || none => {
                            if none {
                                0
                            } else {
                                *count
                            }
                        }
                        Some((one, other)) => shared(one, other),
                        None => 0,
                    };
                    put(place(low, high), count);
                }
            }
            start = *end;
        }
        found
    }

    /// The bytes of [`PairDraft::counts`].
    pub(super) fn bytes(&self, ends: &[u32]) -> Vec<u8> {
        let low = |count: &u32| count.to_le_bytes().into_iter().take(COUNT_BYTES);
        self.counts(ends).iter().flat_map(low).collect()
    }
}

/// The bits of a range of rows, from the word of the first on.
fn cut(set: &[u64], rows: Range<u32>) -> Vec<u64> {
    let (first, behind) = ((rows.start / 64) as usize, rows.end.div_ceil(64) as usize);
    let mut own = set.get(first..behind.max(first)).unwrap_or_default().to_vec();
    if let Some(word) = own.first_mut() {
        *word &= u64::MAX << (rows.start % 64);
    }
    if let Some(word) = own.last_mut()
        && !rows.end.is_multiple_of(64)
    {
        *word &= (1 << (rows.end % 64)) - 1;
    }
    own
}

/// How many bits two sets share.
fn shared(one: &[u64], other: &[u64]) -> u32 {
    best(
        #[inline(always)]
        || one.iter().zip(other).map(|(a, b)| (a & b).count_ones()).sum(),
    )
}

/// The counts of a table of a segment.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    segment: &'a Segment,
    table: usize,
    /// Root rows, and rows of the table, before which pieces end.
    roots: &'a [u32],
    rows: &'a [u32],
    /// By pair and piece.
    counts: &'a [[u8; COUNT_BYTES]],
}

impl SegmentFile {
    /// The table whose blocks say where the pieces of a table end: the longer one of it and the
    /// root's.
    pub(super) fn pieces_of(&self, table: usize) -> usize {
        if self.rows(table) > self.rows(0) { table } else { 0 }
    }
}

impl Segment {
    /// The counts of a table, where it has them.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn pairs(&self, table: usize) -> Result<Option<Pairs<'_>>> {
        let Some(frame) = self.file.table(table).and_then(|own: &TableToc| own.pairs) else {
            return Ok(None);
        };
        let of = self.file.pieces_of(table);
        let (roots, rows) = self.file.pieces(of, table)?;
        let pairs = Counted::new(self.file.schema(), table).pairs();
        let bytes = self.file.frame(frame)?;
        let (counts, rest) = bytes.as_chunks::<COUNT_BYTES>();
        if !rest.is_empty() || counts.len() != pairs * roots.len() || rows.len() != roots.len() {
            let what = "the counts of pairs are not those of the pieces";
            return Err(self.file.corrupt(Some(frame), what));
        }
        Ok(Some(Pairs { segment: self, table, roots, rows, counts }))
    }
}

impl Pairs<'_> {
    /// The rows of the table before which pieces end.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        self.rows
    }

    /// The rows of the table in some pieces.
    #[must_use]
    pub fn rows(&self, pieces: &Range<usize>) -> Range<u32> {
        let at = |piece: usize| match piece {
            0 => 0,
            piece => self.rows.get(piece - 1).copied().unwrap_or(0),
        };
        at(pieces.start)..at(pieces.end)
    }

    /// The pieces that are these root rows with what is beneath them; none where a piece is cut.
    #[must_use]
    pub fn pieces(&self, roots: &Range<u32>) -> Option<Range<usize>> {
        let at = |root: u32| match root {
            0 => Some(0),
            root => self.roots.binary_search(&root).ok().map(|place| place + 1),
        };
        Some(at(roots.start)?..at(roots.end)?)
    }

    /// Whether the counts are these bytes.
    pub(super) fn equal(&self, bytes: &[u8]) -> bool {
        self.counts.as_flattened() == bytes
    }

    /// Whether [`Pairs::count`] tells how many live rows of some pieces a sum is of, at the cost of
    /// at most so many rows that are gone.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`].
    pub fn tells(&self, pieces: &Range<usize>, most: usize) -> Result<bool> {
        if self.segment.live.is_none() {
            return Ok(true);
        }
        match self.segment.gone(self.table)? {
            Some(gone) => Ok(gone.count(pieces.clone()) <= most),
            None => self.all_live(pieces),
        }
    }

    /// Whether no row of some pieces is gone.
    pub(super) fn all_live(&self, pieces: &Range<usize>) -> Result<bool> {
        let rows = self.rows(pieces);
        Ok(self.segment.live_in(self.table, rows.clone())?.count() == rows.len() as u64)
    }

    /// How many rows of some pieces a sum is of, living or not.
    pub(super) fn stored(&self, sum: &PairSum, pieces: &Range<usize>) -> i64 {
        let size = self.rows.len();
        let upto = |pair: usize, piece: usize| match piece {
            0 => 0,
            piece => {
                let count = self.counts.get(pair * size + piece - 1);
                count.map_or(0, |[low, middle, high]| {
                    i64::from(u32::from_le_bytes([*low, *middle, *high, 0]))
                })
            }
        };
        let own = sum.0.iter().map(|Term { times, place, .. }| {
            times.wrapping_mul(upto(*place, pieces.end) - upto(*place, pieces.start))
        });
        own.fold(0i64, i64::wrapping_add)
    }

    /// How many live rows of some pieces a sum is of, where that is told ([`Pairs::tells`]); none
    /// where the counts do not add up.
    #[must_use]
    pub fn count(&self, sum: &PairSum, pieces: &Range<usize>) -> Option<u64> {
        let mut all = self.stored(sum, pieces);
        if self.segment.live.is_some()
            && let Some(gone) = self.segment.gone(self.table).ok()?
        {
            for (_, marks) in pieces.clone().flat_map(|piece| gone.rows(piece)) {
                let has = |term: &&Term| marks & term.marks == term.marks;
                all -= sum.0.iter().filter(has).map(|term| term.times).sum::<i64>();
            }
        }
        u64::try_from(all).ok()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    const SCHEMA: &str = r#"
name = "s"
path = { name = "place", levels = [{ name = "district", digits = 2 }] }
[[list]]
name = "colour"
codes = [["1", "a", "A"], ["2", "b", "B"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "colours", kind = "codes", list = "colour", index = true },
    { name = "plain", kind = "flag" },
    { name = "open", kind = "flag", index = true }]
"#;

    #[test]
    fn counts_stand_as_the_format_says() {
        let schema = Schema::from_toml(SCHEMA).unwrap();
        let counted = Counted::new(&schema, 0);
        // Being a row; colours known, a, b; open known, no, yes.
        assert_eq!((counted.marks, counted.pairs()), (7, 28));
        let mut draft = PairDraft { counted, sets: vec![vec![0; 2]; 6] };
        let (mut colours, mut open) = (Integers::default(), Integers::default());
        for row in 0..70i64 {
            colours.push((row != 1).then_some(row % 4));
            open.push((row < 66).then_some(i64::from(row < 2)));
        }
        draft.add(2, 0, &colours);
        draft.add(3, 0, &open);
        draft.add(4, 0, &open);
        let found = draft.bytes(&[3, 65, 70]);
        let counts: Vec<u32> = found
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[low, middle, high]| u32::from_le_bytes([*low, *middle, *high, 0]))
            .collect();
        let expected = [
            [3, 65, 70], // a row
            [2, 64, 69], // known, and being a row
            [2, 64, 69], // known
            [0, 31, 34], // a: 3, 5, 7 ... 69; 1 is unknown
            [0, 31, 34], // and known
            [0, 31, 34], // and a
            [1, 32, 34], // b: 2, 3, 6, 7 ... 67
            [1, 32, 34],
            [0, 16, 17], // a and b: 3, 7 ... 67
            [1, 32, 34],
            [3, 65, 66], // open is known
            [2, 64, 65],
            [0, 31, 32], // of a: up to 65
            [1, 32, 32], // of b: up to 63
            [3, 65, 66],
            [1, 63, 64], // not open: from 2 on
            [1, 63, 64],
            [0, 31, 32],
            [1, 32, 32],
            [1, 63, 64],
            [1, 63, 64],
            [2, 2, 2], // open: 0 and 1
            [1, 1, 1], // whose colours are known: 0
            [0, 0, 0],
            [0, 0, 0],
            [2, 2, 2],
            [0, 0, 0], // open and not
            [2, 2, 2],
        ];
        assert_eq!(counts, expected.concat());
    }

    #[test]
    fn few_rows_have_no_counts() {
        let schema = Schema::from_toml(SCHEMA).unwrap();
        assert!(PairDraft::new(&schema, 0, ROWS_MIN as usize - 1).is_none());
        assert!(PairDraft::new(&schema, 0, ROWS_MIN as usize).is_some());
        // Nor has a table without an indexed column of codes.
        let none = SCHEMA.replace(", index = true", "");
        let schema = Schema::from_toml(&none).unwrap();
        assert!(PairDraft::new(&schema, 0, 1 << 20).is_none());
    }

    #[test]
    fn a_range_of_rows_is_cut_out() {
        let set = [u64::MAX, 0b1010, u64::MAX];
        assert_eq!(cut(&set, 0..192), set);
        assert_eq!(cut(&set, 2..66), [u64::MAX << 2, 0b10]);
        assert_eq!(cut(&set, 65..66), [0b10]);
        assert_eq!(cut(&set, 130..131), [0b100]);
        assert_eq!(cut(&set, 7..7), [0]);
    }
}
