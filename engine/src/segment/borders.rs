//! How many rows between borders have some codes and lack others, counted where the bits of the
//! codes lie: no set of rows is made.
//!
//! Invariant: what is counted is what [`Column::filter`] leaves of the live rows.

use super::{Column, Segment};
use crate::block::bordered::{self, Asked};
use crate::block::planes::Planes;
use crate::error::Result;
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;
use crate::schema::Kind;

/// Codes of a column of sets: a row satisfies it that has each of some and none of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// The place of the column in its table.
    pub column: usize,
    /// A bit for each code that a row must have.
    pub all: u64,
    /// A bit for each code that it must not have.
    pub none: u64,
}

/// A block of a column: a number that all rows have, or its planes.
enum Read<'a> {
    Constant(u64),
    Planes(Planes<'a>),
    /// No row of the block has a known value.
    Nothing,
}

impl Column<'_> {
    /// A block of sets of codes; none where it is not written bit by bit, or some of its rows are
    /// not known.
    fn bits_of_block(&self, block: usize) -> Result<Option<Read<'_>>> {
        let Some(toc) = self.toc.blocks.get(block) else { return Ok(Some(Read::Nothing)) };
        if toc.known == 0 {
            return Ok(Some(Read::Nothing));
        }
        if toc.known != toc.rows {
            return Ok(None);
        }
        if toc.encoding == Encoding::Constant as u8 {
            return Ok(Some(Read::Constant(toc.base.cast_unsigned())));
        }
        if toc.encoding != Encoding::Planes as u8 || toc.base != 0 {
            return Ok(None);
        }
        let planes = self.file.integer_block(toc)?.planes();
        Ok(Some(Read::Planes(planes.ok_or_else(|| self.no_value(toc))?)))
    }
}

impl Segment {
    /// For each of some questions adds to its counts how many live rows of a table lie between
    /// borders, rising, and satisfy all that the question asks: for each border those from the one
    /// before on, for the first nothing. A question may ask nothing. False, and any counts, where
    /// the bits of codes do not tell: of a column that is no set of codes, of rows whose value is
    /// not known, of a block that is not written bit by bit.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`]; [`crate::Error::UnknownTable`] and
    /// [`crate::Error::UnknownColumn`] on a place that the schema does not have.
    pub fn count_between(
        &self,
        table: usize,
        questions: &[Vec<Codes>],
        borders: &[u32],
        counts: &mut [Vec<u64>],
    ) -> Result<bool> {
        let rows = self.rows(table);
        let mut columns: Vec<(usize, Column<'_>)> = Vec::new();
        for codes in questions.iter().flatten() {
            if columns.iter().all(|(place, _)| *place != codes.column) {
                let column = self.column(table, codes.column)?;
                if column.kind() != Kind::Codes {
                    return Ok(false);
                }
                columns.push((codes.column, column));
            }
        }
        let (Some(begin), Some(end)) = (borders.first(), borders.last()) else { return Ok(true) };
        let (begin, end) = (*begin, (*end).min(rows));
        let mut local = Vec::new();
        for block in begin / BLOCK_ROWS..end.div_ceil(BLOCK_ROWS) {
            let start = block * BLOCK_ROWS;
            let (from, to) = (start.max(begin), start.saturating_add(BLOCK_ROWS).min(end));
            // The borders within the block, between where it is entered and where it is left.
            let first = borders.partition_point(|border| *border <= from);
            let last = borders.partition_point(|border| *border < to).max(first);
            let within = borders.get(first..last).unwrap_or_default();
            local.clear();
            local.push(from - start);
            local.extend(within.iter().chain([&to]).map(|border| border - start));
            let place = block as usize;
            let mut read = Vec::with_capacity(columns.len());
            for (place_of_column, column) in &columns {
                let Some(bits) = column.bits_of_block(place)? else { return Ok(false) };
                read.push((*place_of_column, bits));
            }
            let live = self.live_block(table, place)?;
            for (question, counts) in questions.iter().zip(counts.iter_mut()) {
                let own = counts.get_mut(first.saturating_sub(1)..=last).unwrap_or_default();
                let Some(asked) = asked(question, &read) else { continue };
                bordered::between(&asked, live, &local, own)
                    .ok_or_else(|| self.file.corrupt(None, "the bits of codes do not read back"))?;
            }
        }
        Ok(true)
    }
}

/// What a question asks of the planes of a block; none where no row satisfies it.
fn asked<'p, 'a>(question: &[Codes], read: &'p [(usize, Read<'a>)]) -> Option<Vec<Asked<'p, 'a>>> {
    let mut found = Vec::with_capacity(question.len());
    for Codes { column, all, none } in question {
        let (_, bits) = read.iter().find(|(place, _)| place == column)?;
        match bits {
            Read::Nothing => return None,
            Read::Constant(codes) if codes & all != *all || codes & none != 0 => return None,
            Read::Constant(_) => {}
            Read::Planes(planes) => {
                for (bits, yes) in [(*all, true), (*none, false)] {
                    let bits = (0..64).filter(|bit| bits >> bit & 1 == 1);
                    found.extend(bits.map(|bit| Asked { planes, bit, yes }));
                }
            }
        }
    }
    Some(found)
}
