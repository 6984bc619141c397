//! How many rows between borders have some codes and lack others, counted where the bits of the
//! codes lie: no set of rows is made.
//!
//! Invariant: what is counted is what [`Column::filter`] leaves of the live rows.

use std::borrow::Cow;

use super::{Column, Segment};
use crate::block::bordered::{self, Asked};
use crate::block::planes::Planes;
use crate::error::Result;
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;
use crate::schema::Kind;
use crate::words;

/// Codes of a column of sets: a row satisfies it that has each of some and none of others. A single
/// code, and a flag, is the set that has nothing else; of such a column one code is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// The place of the column in its table.
    pub column: usize,
    /// A bit for each code that a row must have.
    pub all: u64,
    /// A bit for each code that it must not have.
    pub none: u64,
}

/// A block of a column.
struct Read<'a> {
    column: usize,
    /// Of a column of single codes, the least that is written.
    single: Option<i64>,
    /// The codes that all known rows have, where those are the same; none without a known row.
    same: Option<u64>,
    /// The planes, where they are not.
    planes: Option<Planes<'a>>,
    /// The known rows, where some are not.
    known: Option<Cow<'a, [u64]>>,
}

/// What is asked of the planes of a block, and among which rows, if not of all.
type AskedAmong<'p, 'a> = (Vec<Asked<'p, 'a>>, Option<Cow<'p, [u64]>>);

impl<'a> Column<'a> {
    /// A block of codes; none where it is not written bit by bit.
    fn bits_of_block(&self, column: usize, block: usize) -> Result<Option<Read<'a>>> {
        let Some(toc) = self.toc.blocks.get(block).filter(|toc| toc.known > 0) else {
            return Ok(Some(Read { column, single: None, same: None, planes: None, known: None }));
        };
        let single = (self.kind() != Kind::Codes).then_some(toc.base);
        let (mut same, mut planes) = (None, None);
        if toc.encoding == Encoding::Constant as u8 {
            // A code beyond those that can be asked for is in no set.
            let set = |code: i64| u32::try_from(code).ok().and_then(|code| 1u64.checked_shl(code));
            same = Some(single.map_or(toc.base.cast_unsigned(), |code| set(code).unwrap_or(0)));
        } else if toc.encoding == Encoding::Planes as u8 && (toc.base == 0 || single.is_some()) {
            let read = self.file.integer_block(toc)?.planes();
            planes = Some(read.ok_or_else(|| self.no_value(toc))?);
        } else {
            return Ok(None);
        }
        let known = (toc.known != toc.rows).then(|| self.known_words(toc)).transpose()?;
        Ok(Some(Read { column, single, same, planes, known }))
    }

    /// Whether rows can be asked for these codes.
    fn can_have(&self, codes: &Codes) -> bool {
        match self.kind() {
            Kind::Codes => true,
            Kind::Code | Kind::Flag => codes.none == 0 && codes.all.count_ones() == 1,
            _ => false,
        }
    }
}

impl Segment {
    /// For each of some questions adds to its counts how many live rows of a table lie between
    /// borders, rising, and satisfy all that the question asks: for each border those from the one
    /// before on, for the first nothing. A question may ask nothing. False, and any counts, where
    /// the bits of codes do not tell: of a column that has none, of a block that is not written
    /// bit by bit.
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
            let place = columns.iter().position(|(place, _)| *place == codes.column);
            if place.is_none() {
                columns.push((codes.column, self.column(table, codes.column)?));
            }
            let own = columns.get(place.unwrap_or(columns.len().saturating_sub(1)));
            if !own.is_some_and(|(_, column)| column.can_have(codes)) {
                return Ok(false);
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
            for (at, column) in &columns {
                let Some(bits) = column.bits_of_block(*at, place)? else { return Ok(false) };
                read.push(bits);
            }
            let live = self.live_block(table, place)?;
            for (question, counts) in questions.iter().zip(counts.iter_mut()) {
                let own = counts.get_mut(first.saturating_sub(1)..=last).unwrap_or_default();
                let Some((asked, among)) = asked(question, &read, live) else { continue };
                let counted = bordered::between(&asked, among.as_deref(), &local, own);
                let what = "the bits of codes do not read back";
                counted.ok_or_else(|| self.file.corrupt(None, what))?;
            }
        }
        Ok(true)
    }
}

/// What a question asks of the planes of a block, and among which rows; none where no row
/// satisfies it.
fn asked<'p, 'a>(
    question: &[Codes],
    read: &'p [Read<'a>],
    live: Option<&'p [u64]>,
) -> Option<AskedAmong<'p, 'a>> {
    let mut found = Vec::with_capacity(question.len());
    let mut among = live.map(Cow::Borrowed);
    for Codes { column, all, none } in question {
        let own = read.iter().find(|own| own.column == *column)?;
        match (&own.planes, own.same) {
            (Some(planes), _) if let Some(base) = own.single => {
                let number = i64::from(all.trailing_zeros()).checked_sub(base);
                let number = u64::try_from(number?).ok()?;
                let bits = planes.bits().min(64);
                if (0..64).skip(bits).any(|bit| number >> bit & 1 == 1) {
                    return None;
                }
                let asked = |bit| Asked { planes, bit, yes: number >> bit & 1 == 1 };
                found.extend((0..bits).map(asked));
            }
            (Some(planes), _) => {
                for (mut bits, yes) in [(*all, true), (*none, false)] {
                    while bits != 0 {
                        found.push(Asked { planes, bit: bits.trailing_zeros() as usize, yes });
                        bits &= bits - 1;
                    }
                }
            }
            (None, Some(codes)) if codes & all == *all && codes & none == 0 => {}
            (None, _) => return None,
        }
        if let Some(known) = own.known.as_deref() {
            among = Some(match among {
                None => Cow::Borrowed(known),
                Some(others) => Cow::Owned(words::both(&others, known)),
            });
        }
    }
    Some((found, among))
}
