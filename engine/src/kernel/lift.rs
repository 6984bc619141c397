//! From rows to the rows above and beneath them: the rows beneath a row are one range, so that
//! one pass over a block of rows above meets all of theirs in order.

use std::ops::RangeInclusive;

use parking_lot::Mutex;

use super::piece::{BLOCK_WORDS, Reader, each_bit};
use super::{Block, Held, Rows, bytes_of};
use crate::error::{Error, Result};
use crate::limits::BLOCK_ROWS;
use crate::row_set::RowSet;
use crate::segment::Segment;

/// Which rows above a set of rows are asked for, by those of the set beneath each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lift {
    /// Those with any.
    Any,
    /// Those with none.
    None,
    /// Those with so many, both ends included.
    Count(RangeInclusive<u64>),
    /// Those whose sum of the known values of a column of integers lies in a range, both ends
    /// included. The sum over no value is 0.
    Sum(usize, RangeInclusive<i64>),
}

/// Words with fewer rows are added row by row.
const FEW: u32 = 8;

/// 64 such values have a sum of 64 bits.
const SMALL: u64 = i64::MAX.unsigned_abs() / 64;

/// Rows of a set for each row above beyond which nobody searches for the row above.
const SPARSE: usize = 8;

impl Rows<'_> {
    /// The tables from the one beneath `above` down to `table`.
    pub(super) fn descent(&self, above: usize, table: usize) -> Result<Vec<usize>> {
        let tables = &self.schema().tables;
        let (mut steps, mut at) = (Vec::new(), table);
        while at != above {
            steps.push(at);
            let Some(parent) = tables.get(at).and_then(|table| table.parent) else {
                let name = tables.get(above).map_or_else(|| above.to_string(), |t| t.name.clone());
                return Err(Error::UnknownTable { table: name });
            };
            at = parent;
        }
        steps.reverse();
        Ok(steps)
    }

    /// The live rows of a table above that have of these rows beneath them what is asked.
    ///
    /// # Errors
    /// [`Error::UnknownTable`] on a table that is not above, [`Error::UnknownColumn`],
    /// [`Error::WrongType`] on a sum of texts, [`Error::Corrupt`], [`Error::Stopped`],
    /// [`Error::Memory`].
    pub fn lift(&self, above: usize, lift: &Lift) -> Result<Self> {
        let steps = self.descent(above, self.table)?;
        if let Lift::Sum(column, _) = lift {
            self.is_number(*column)?;
        }
        let mut found = self.other(above)?;
        if matches!(lift, Lift::Any) {
            found.fill(|segment| Ok(RowSet::none(segment.rows(above))))?;
        } else {
            found.fill(|segment| segment.live(above))?;
        }
        let segments = self.segments();
        let mut parts = Vec::new();
        for (place, (segment, set)) in segments.iter().zip(&mut found.sets).enumerate() {
            let blocks = (0u32..).zip(set.words_mut().chunks_mut(BLOCK_WORDS));
            parts.extend(blocks.map(|(block, words)| (place, segment, block, Mutex::new(words))));
        }
        let state = || Ok((Vec::new(), Reader::<1>::default()));
        self.run.over(parts.len(), state, |(ends, reader), item| {
            let Some((place, segment, block, words)) = parts.get(item) else { return Ok(()) };
            let mut words = words.lock();
            let start = beneath(segment, &steps, *block, segment.rows(above), ends)?;
            let Some(rows) = self.sets.get(*place) else { return Ok(()) };
            match lift {
                Lift::Any => any(rows, start, ends, &mut words),
                Lift::None => {
                    let mut found = vec![0; words.len()];
                    any(rows, start, ends, &mut found);
                    words.iter_mut().zip(found).for_each(|(word, any)| *word &= !any);
                }
                Lift::Count(range) => choose(start, ends, &mut words, |_, from, to| {
                    range.contains(&rows.count_range(from..to))
                }),
                Lift::Sum(column, range) => {
                    let (low, high) = (i128::from(*range.start()), i128::from(*range.end()));
                    let sums = self.sums_beneath(reader, (*place, *column), (start, ends))?;
                    choose(start, ends, &mut words, |above, _, _| {
                        let sum = sums.get(above).copied().unwrap_or(0);
                        low <= sum && sum <= high
                    });
                }
            }
            Ok(())
        })?;
        drop(parts);
        Ok(found)
    }

    /// For every row of a table above, live or not, how many of these rows are beneath it; with
    /// a column of integers, the sum of its known values over them. One list a segment.
    ///
    /// # Errors
    /// As [`Rows::lift`], and [`Error::Overflow`] on a sum beyond 64 bits.
    pub fn beneath_each(&self, above: usize, sum: Option<usize>) -> Result<Vec<Vec<i64>>> {
        let steps = self.descent(above, self.table)?;
        sum.map_or(Ok(()), |sum| self.is_number(sum))?;
        let segments = self.segments();
        let mut held: Vec<Held<'_>> = Vec::with_capacity(segments.len());
        let mut found: Vec<Vec<i64>> = Vec::with_capacity(segments.len());
        for segment in segments {
            let rows = segment.rows(above) as usize;
            held.push(self.run.hold(bytes_of::<i64>(rows))?);
            found.push(vec![0; rows]);
        }
        let mut parts = Vec::new();
        for (place, (segment, values)) in segments.iter().zip(&mut found).enumerate() {
            let blocks = (0u32..).zip(values.chunks_mut(BLOCK_ROWS as usize));
            parts.extend(blocks.map(|(block, slot)| (place, segment, block, Mutex::new(slot))));
        }
        let state = || Ok((Vec::new(), Reader::<1>::default()));
        self.run.over(parts.len(), state, |(ends, reader), item| {
            let Some((place, segment, block, values)) = parts.get(item) else { return Ok(()) };
            let mut values = values.lock();
            let start = beneath(segment, &steps, *block, segment.rows(above), ends)?;
            let Some(rows) = self.sets.get(*place) else { return Ok(()) };
            let Some(sum) = sum else {
                let mut from = start;
                for (slot, &end) in values.iter_mut().zip(ends.iter()) {
                    *slot = rows.count_range(from..end).cast_signed();
                    from = end;
                }
                return Ok(());
            };
            let sums = self.sums_beneath(reader, (*place, sum), (start, ends))?;
            for (slot, sum) in values.iter_mut().zip(sums) {
                let what = "the sum of the rows beneath a row";
                *slot = i64::try_from(sum).map_err(|_| Error::Overflow { what })?;
            }
            Ok(())
        })?;
        drop(parts);
        Ok(found)
    }

    /// How many different root rows are above these rows.
    ///
    /// # Errors
    /// As [`Rows::lift`].
    pub fn distinct_roots(&self) -> Result<u64> {
        if self.table == 0 { Ok(self.count()) } else { Ok(self.lift(0, &Lift::Any)?.count()) }
    }

    /// The live rows of a table that lie beneath one of these rows.
    ///
    /// # Errors
    /// [`Error::UnknownTable`] on a table that is not beneath, [`Error::Corrupt`],
    /// [`Error::Stopped`], [`Error::Memory`].
    pub fn spread(&self, child: usize) -> Result<Self> {
        let steps = self.descent(self.table, child)?;
        let mut found = self.other(child)?;
        for (segment, set) in self.segments().iter().zip(&self.sets) {
            self.run.check()?;
            found.held.push(self.run.hold(super::set_bytes(segment.rows(child)))?);
            let mut spread = RowSet::none(segment.rows(child));
            if let [step] = steps.as_slice() {
                spread = segment.spread(*step, set)?;
            } else {
                let offsets = steps.iter().map(|step| segment.offsets(*step));
                let offsets = offsets.collect::<Result<Vec<_>>>()?;
                for run in set.runs() {
                    spread.insert_range(through(&offsets, run.start)..through(&offsets, run.end));
                }
            }
            found.sets.push(spread);
        }
        Ok(found)
    }

    /// The sum of the known values of the rows beneath each row of a block above.
    fn sums_beneath(
        &self,
        reader: &mut Reader<1>,
        (place, column): (usize, usize),
        (start, ends): (u32, &[u32]),
    ) -> Result<Vec<i128>> {
        let column = self.column(place, column)?;
        let small = column
            .zone_maps()
            .all(|zone| zone.min.unsigned_abs() <= SMALL && zone.max.unsigned_abs() <= SMALL);
        let behind = ends.last().copied().unwrap_or(start);
        let mut sums = vec![0i128; ends.len()];
        let mut above = Above { ends, at: 0 };
        for block in start / BLOCK_ROWS..behind.div_ceil(BLOCK_ROWS) {
            self.run.check()?;
            let words = self.part((place, block), start, behind);
            reader.each([column], block, &words, |word| {
                let values = word.values[0];
                let bits = word.bits & word.known[0];
                if small && bits.count_ones() > FEW {
                    above.prefixes(word.row, bits, values, &mut sums);
                    return;
                }
                each_bit(bits, |bit| {
                    above.forward(word.row.saturating_add(bit));
                    if let Some(sum) = sums.get_mut(above.at) {
                        *sum += i128::from(values.get(bit as usize).copied().unwrap_or(0));
                    }
                });
            })?;
        }
        Ok(sums)
    }

    /// The bits of a block of the set, those of the rows from `start` to `end` alone.
    fn part(&self, (place, block): Block, start: u32, end: u32) -> Vec<u64> {
        let mut words = self.words((place, block)).to_vec();
        for (first, word) in (block.saturating_mul(BLOCK_ROWS)..).step_by(64).zip(&mut words) {
            let (low, high) = (start.saturating_sub(first), end.saturating_sub(first));
            *word &= u64::MAX.checked_shl(low).unwrap_or(0);
            *word &= !u64::MAX.checked_shl(high).unwrap_or(0);
        }
        words
    }
}

/// The rows above, met one after the other.
struct Above<'e> {
    /// Where the rows beneath each end.
    ends: &'e [u32],
    at: usize,
}

impl Above<'_> {
    fn end(&self) -> u32 {
        self.ends.get(self.at).copied().unwrap_or(u32::MAX)
    }

    /// Goes on to the row above a row.
    fn forward(&mut self, row: u32) {
        while self.end() <= row {
            self.at += 1;
        }
    }

    /// Adds the values of a word to the sums of the rows above: each as the difference of two
    /// sums over the word from its start, which needs no question row by row.
    #[inline]
    fn prefixes(&mut self, row: u32, bits: u64, values: &[i64; 64], sums: &mut [i128]) {
        let mut before = [0i64; 65];
        let mut sum = 0i64;
        for (bit, (slot, value)) in (0u32..).zip(before.iter_mut().skip(1).zip(values)) {
            let mask = (bits >> bit & 1).wrapping_neg();
            sum = sum.wrapping_add((value.cast_unsigned() & mask).cast_signed());
            *slot = sum;
        }
        self.forward(row);
        let mut from = 0i64;
        loop {
            let place = self.end().wrapping_sub(row).min(64);
            let to = before.get(place as usize).copied().unwrap_or(sum);
            if let Some(slot) = sums.get_mut(self.at) {
                *slot += i128::from(to.wrapping_sub(from));
            }
            if place == 64 {
                return;
            }
            from = to;
            self.at += 1;
        }
    }
}

/// Where the rows beneath the rows before `row` end, step by step.
fn through(offsets: &[&[u32]], row: u32) -> u32 {
    offsets.iter().fold(row, |row, step| step.get(row as usize).copied().unwrap_or(u32::MAX))
}

/// Where the rows beneath a block of rows above begin; `ends` gets where those of each end.
fn beneath(
    segment: &Segment,
    steps: &[usize],
    block: u32,
    rows: u32,
    ends: &mut Vec<u32>,
) -> Result<u32> {
    let first = block.saturating_mul(BLOCK_ROWS);
    let last = first.saturating_add(BLOCK_ROWS).min(rows);
    ends.clear();
    let offsets = steps.iter().map(|step| segment.offsets(*step)).collect::<Result<Vec<_>>>()?;
    match offsets.as_slice() {
        [only] => {
            let own = only.get(first as usize + 1..=last as usize);
            ends.extend_from_slice(own.unwrap_or_default());
        }
        all => ends.extend((first..last).map(|row| through(all, row.saturating_add(1)))),
    }
    Ok(through(&offsets, first))
}

/// Adds the rows above that have any row of the set beneath them.
fn any(rows: &RowSet, start: u32, ends: &[u32], words: &mut [u64]) {
    let behind = ends.last().copied().unwrap_or(start);
    let count = rows.count_range(start..behind);
    if count.saturating_mul(SPARSE as u64) < ends.len() as u64 {
        let mut at = 0;
        for row in rows.range_rows(start..behind) {
            // In growing steps: the row above is rarely far from the one before.
            let ahead = ends.get(at..).unwrap_or_default();
            let mut reach = 1;
            while ahead.get(reach - 1).is_some_and(|end| *end <= row) {
                reach *= 2;
            }
            at += ahead.get(..reach).unwrap_or(ahead).partition_point(|end| *end <= row);
            if let Some(word) = words.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        }
        return;
    }
    let mut from = start;
    for (word, ends) in words.iter_mut().zip(ends.chunks(64)) {
        let behind = ends.last().copied().unwrap_or(from);
        if !rows.any_in(from..behind) {
            from = behind;
            continue;
        }
        for (bit, &end) in (0u32..).zip(ends) {
            *word |= u64::from(rows.any_in(from..end)) << bit;
            from = end;
        }
    }
}

/// Keeps the rows above that are chosen: by their place in the block, and where the rows beneath
/// them begin and end.
fn choose(
    start: u32,
    ends: &[u32],
    words: &mut [u64],
    mut choose: impl FnMut(usize, u32, u32) -> bool,
) {
    let (mut from, mut above) = (start, 0usize);
    for (word, ends) in words.iter_mut().zip(ends.chunks(64)) {
        for (bit, &end) in (0u32..).zip(ends) {
            if *word >> bit & 1 == 1 && !choose(above, from, end) {
                *word &= !(1 << bit);
            }
            from = end;
            above += 1;
        }
    }
}
