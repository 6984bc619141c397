//! How many rows between borders have some codes and lack others, counted where the bits of the
//! codes lie: no set of rows is made. What pairs of codes tell of whole pieces is not read at all.
//!
//! Invariant: what is counted is what [`Column::filter`] leaves of the live rows.

use std::borrow::Cow;

use super::gone::Gone;
use super::{Column, Counted, PairSum, Pairs, Segment};
use crate::block::bordered::{self, Asked};
use crate::block::planes::Planes;
use crate::error::Result;
use crate::format::Encoding;
use crate::limits::BLOCK_ROWS;
use crate::predicate::Predicate;
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
        let pairs = self.pairs(table)?;
        let counted = pairs.as_ref().map(|_| Counted::new(self.file.schema(), table));
        let gone = match (&self.live, &counted) {
            (Some(_), Some(counted)) => self.gone_of(table, counted, questions)?,
            _ => None,
        };
        let all = self.live.is_none() || gone.is_some();
        let rows = Rows { segment: self, table, columns, all };
        let (mut told, mut left) = (Vec::new(), Vec::new());
        for (question, counts) in questions.iter().zip(counts.iter_mut()) {
            match counted.as_ref().and_then(|counted| sum_of(counted, question)) {
                Some(sum) => told.push((question, counts, sum)),
                None => left.push((question.as_slice(), counts.as_mut_slice())),
            }
        }
        if let Some(pairs) = pairs.filter(|_| !told.is_empty())
            && !rows.told_between(&pairs, &mut told, borders)?
        {
            return Ok(false);
        }
        if !rows.read_between(&mut left, borders)? {
            return Ok(false);
        }
        match (gone, pairs) {
            (Some((gone, wanted)), Some(pairs)) => {
                Ok(take_gone((&pairs, gone), &wanted, borders, counts))
            }
            _ => Ok(true),
        }
    }

    /// What the rows of a table had that are gone, and for each question the marks that a row must
    /// have and must not; none where that is not known of each.
    fn gone_of(
        &self,
        table: usize,
        counted: &Counted,
        questions: &[Vec<Codes>],
    ) -> Result<Option<(&Gone, Vec<Wanted>)>> {
        let wanted = questions.iter().map(|question| {
            question.iter().try_fold((1, 0), |(has, lacks), codes| {
                let own = counted.wanted(codes.column, (codes.all, codes.none))?;
                Some((has | own.0, lacks | own.1))
            })
        });
        let Some(wanted) = wanted.collect::<Option<Vec<Wanted>>>() else { return Ok(None) };
        Ok(self.gone(table)?.map(|gone| (gone, wanted)))
    }
}

/// The marks that a row must have, and those that it must not.
type Wanted = (u128, u128);

/// Takes rows that are gone off the counts between borders; false where they were not in them.
fn take_gone(
    (pairs, gone): (&Pairs<'_>, &Gone),
    wanted: &[Wanted],
    borders: &[u32],
    counts: &mut [Vec<u64>],
) -> bool {
    let (Some(begin), Some(end)) = (borders.first(), borders.last()) else { return true };
    let has = |marks: u128, (has, lacks): &Wanted| marks & has == *has && marks & lacks == 0;
    let mut sound = true;
    let mut take = |counts: &mut Vec<u64>, at: usize, rows: u64| match counts
        .get_mut(at)
        .map(|slot| (slot.checked_sub(rows), slot))
    {
        Some((Some(less), slot)) => *slot = less,
        _ => sound = false,
    };
    let mut start = 0;
    for (piece, behind) in pairs.ends().iter().enumerate() {
        let (from, to) = (std::mem::replace(&mut start, *behind), *behind);
        if to <= *begin || from >= *end {
            continue;
        }
        let rows = gone.rows(piece);
        let at = borders.partition_point(|border| *border <= from);
        let cut = from < *begin || borders.get(at).is_none_or(|border| *border < to);
        for (own, counts) in wanted.iter().zip(counts.iter_mut()) {
            if !cut {
                let all = match *own {
                    (1, 0) => rows.len(),
                    _ => rows.iter().filter(|(_, marks)| has(*marks, own)).count(),
                };
                take(counts, at, all as u64);
                continue;
            }
            for (row, _) in rows.iter().filter(|(_, marks)| has(*marks, own)) {
                if (begin..end).contains(&row) {
                    take(counts, borders.partition_point(|border| border <= row), 1);
                }
            }
        }
    }
    sound
}

/// A question, and its count for each border.
type Counting<'q> = (&'q [Codes], &'q mut [u64]);

/// A question, its counts, and what it is the sum of in each piece.
type Told<'q> = (&'q Vec<Codes>, &'q mut Vec<u64>, PairSum);

/// What a question adds up, where two codes tell it.
fn sum_of(counted: &Counted, question: &[Codes]) -> Option<PairSum> {
    let asked = question.iter().flat_map(|codes| {
        let Codes { column, all, none } = *codes;
        match counted.is_set(column) {
            true => vec![(column, Predicate::HasAll(all)), (column, Predicate::HasNone(none))],
            false => vec![(column, Predicate::In(vec![all.trailing_zeros().into()]))],
        }
    });
    let asked: Vec<(usize, Predicate)> = asked.collect();
    let asked: Vec<(usize, &Predicate)> = asked.iter().map(|(at, own)| (*at, own)).collect();
    counted.sum(&asked)
}

/// The rows of a table, and the columns that are asked about.
struct Rows<'s> {
    segment: &'s Segment,
    table: usize,
    columns: Vec<(usize, Column<'s>)>,
    /// All rows count, not the live ones alone.
    all: bool,
}

impl Rows<'_> {
    /// As [`Segment::count_between`], of questions whose counts of whole pieces are known: what is
    /// read are pieces that borders cut, up to the last border in them.
    fn told_between(
        &self,
        pairs: &Pairs<'_>,
        told: &mut [Told<'_>],
        borders: &[u32],
    ) -> Result<bool> {
        let (Some(begin), Some(end)) = (borders.first(), borders.last()) else { return Ok(true) };
        let first = pairs.ends().partition_point(|end| end <= begin);
        let mut start = first.checked_sub(1).and_then(|at| pairs.ends().get(at)).map_or(0, |e| *e);
        let mut local = Vec::new();
        for (piece, behind) in pairs.ends().iter().enumerate().skip(first) {
            let (from, to) = (start.max(*begin), *end.min(behind));
            if from >= to {
                break;
            }
            let first = borders.partition_point(|border| *border <= from);
            let last = borders.partition_point(|border| *border < to).max(first);
            let own = piece..piece + 1;
            let whole = (from, to) == (start, *behind) && (self.all || pairs.all_live(&own)?);
            local.clear();
            local.push(from);
            local.extend(borders.get(first..last).unwrap_or_default());
            local.extend((!whole).then_some(to));
            let mut counts = vec![vec![0; local.len()]; told.len()];
            if local.len() > 1 {
                let own = told.iter().zip(&mut counts);
                let mut own: Vec<Counting<'_>> = own
                    .map(|((own, ..), counts)| (own.as_slice(), counts.as_mut_slice()))
                    .collect();
                if !self.read_between(&mut own, &local)? {
                    return Ok(false);
                }
            }
            for ((_, slots, sum), counts) in told.iter_mut().zip(&counts) {
                let read = counts.iter().skip(1);
                let slots = slots.get_mut(first..).unwrap_or_default();
                slots.iter_mut().zip(read.clone()).for_each(|(slot, count)| *slot += count);
                if let Some(slot) = slots.get_mut(last - first).filter(|_| whole) {
                    let all = u64::try_from(pairs.stored(sum, &own)).ok();
                    let rest = all.and_then(|all| all.checked_sub(read.sum()));
                    let what = "the counts of pairs are not those of the values";
                    *slot += rest.ok_or_else(|| self.segment.file.corrupt(None, what))?;
                }
            }
            start = *behind;
        }
        Ok(true)
    }

    /// As [`Segment::count_between`], of the bits of the codes alone.
    fn read_between(&self, questions: &mut [Counting<'_>], borders: &[u32]) -> Result<bool> {
        let (Some(begin), Some(end)) = (borders.first(), borders.last()) else { return Ok(true) };
        let (begin, end) = (*begin, (*end).min(self.segment.rows(self.table)));
        if questions.is_empty() {
            return Ok(true);
        }
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
            let mut read = Vec::with_capacity(self.columns.len());
            for (at, column) in &self.columns {
                let Some(bits) = column.bits_of_block(*at, place)? else { return Ok(false) };
                read.push(bits);
            }
            let live = match self.all {
                true => None,
                false => self.segment.live_block(self.table, place)?,
            };
            for (question, counts) in questions.iter_mut() {
                let own = counts.get_mut(first.saturating_sub(1)..=last).unwrap_or_default();
                let Some((asked, among)) = asked(question, &read, live) else { continue };
                let counted = bordered::between(&asked, among.as_deref(), &local, own);
                let what = "the bits of codes do not read back";
                counted.ok_or_else(|| self.segment.file.corrupt(None, what))?;
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
