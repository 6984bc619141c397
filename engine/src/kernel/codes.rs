//! Groups by one or two columns of codes, counted and added up in arrays.

use std::mem::take;

use super::numbers::{Total, sums_fit};
use super::piece::{Reader, Word, each_bit};
use super::{Rows, bytes_of};
use crate::error::{Error, Result};
use crate::schema::Kind;
use crate::segment::Column;
use crate::words;

/// Neighbouring rows are counted in so many arrays: in one, a row would wait for the row before
/// it wherever both have the same code.
const LANES: usize = 4;

/// Up to so many pairs of codes are counted by sets of rows.
const SETS: usize = 64;

/// Up to so many groups have sums of a block before they have sums of all.
const SMALL: usize = 1 << 10;

/// Words with fewer rows than this are looked at row by row.
const FEW: u32 = 24;

/// What a thread has found, by group. One group more takes the rows that nobody asked for.
struct Counts {
    /// Rows; a number for each lane.
    rows: Vec<u64>,
    /// Rows whose number is not known.
    missing: Vec<u64>,
    sums: Vec<i128>,
    /// The sums of one block, a number for each lane; nothing where there are many groups.
    small: Vec<i64>,
    readers: (Reader<1>, Reader<2>, Reader<3>),
}

/// How many codes there are: the place behind them is for unknown.
#[derive(Clone, Copy)]
struct Shape {
    first: usize,
    /// Of the second column; with one column, 0.
    second: usize,
}

impl Shape {
    fn groups(self) -> usize {
        (self.first + 1).saturating_mul(self.second + 1)
    }
}

impl Rows<'_> {
    /// How many rows there are of each code of a column (a code, or a flag: 0 no, 1 yes), by the
    /// place of the code in its list; behind them those whose code is unknown. With a column of
    /// integers, the sum of each as well.
    ///
    /// # Errors
    /// [`Error::WrongType`] on a column without codes or a sum of texts,
    /// [`Error::UnknownColumn`], [`Error::Corrupt`], [`Error::Stopped`], [`Error::Memory`].
    pub fn by_code(&self, column: usize, sum: Option<usize>) -> Result<Vec<Total>> {
        let shape = Shape { first: self.codes(column)?, second: 0 };
        self.grouped(shape, (column, None), sum)
    }

    /// As [`Rows::by_code`] for the codes of two columns: a row for each code of the first, in
    /// it a cell for each code of the second.
    ///
    /// # Errors
    /// As [`Rows::by_code`].
    pub fn by_codes(&self, columns: (usize, usize), sum: Option<usize>) -> Result<Vec<Vec<Total>>> {
        let shape = Shape { first: self.codes(columns.0)?, second: self.codes(columns.1)? };
        let found = self.grouped(shape, (columns.0, Some(columns.1)), sum)?;
        Ok(found.chunks(shape.second + 1).map(<[Total]>::to_vec).collect())
    }

    /// How many codes a column may hold.
    fn codes(&self, column: usize) -> Result<usize> {
        let (kind, schema) = (self.kind(column)?, self.schema());
        let table = schema.tables.get(self.table);
        let list = table.and_then(|t| t.columns.get(column)).and_then(|c| c.list);
        match (kind, list.and_then(|list| schema.lists.get(list))) {
            (Kind::Flag, _) => Ok(2),
            (Kind::Code, Some(list)) => Ok(list.codes.len()),
            _ => {
                let column = self.column_name(column);
                Err(Error::WrongType { column, expected: kind, found: "a code" })
            }
        }
    }

    fn grouped(
        &self,
        shape: Shape,
        (first, second): (usize, Option<usize>),
        sum: Option<usize>,
    ) -> Result<Vec<Total>> {
        sum.map_or(Ok(()), |sum| self.is_number(sum))?;
        let (groups, blocks) = (shape.groups(), self.blocks());
        let sums = if sum.is_some() { groups } else { 0 };
        let small = if sums <= SMALL && sums > 0 { (groups + 1) * LANES } else { 0 };
        // The totals, what becomes of them, and what each thread has.
        let bytes = bytes_of::<Total>(groups).saturating_mul(2);
        let own = bytes_of::<u64>(groups.saturating_add(1)).saturating_mul(LANES as u64);
        let own = own.saturating_add(bytes_of::<(u64, i128)>(sums) + bytes_of::<i64>(small));
        let workers = self.run.workers(blocks.len()) as u64;
        let _held = self.run.hold(bytes.saturating_add(own.saturating_mul(workers)))?;
        let state = || {
            Ok(Counts {
                rows: vec![0; (groups + 1) * LANES],
                missing: vec![0; sums],
                sums: vec![0; sums],
                small: vec![0; small],
                readers: Default::default(),
            })
        };
        let states = self.run.over(blocks.len(), state, |counts, item| {
            let Some(&at) = blocks.get(item) else { return Ok(()) };
            let own = |column: usize| self.column(at.0, column);
            let (codes, words) = (own(first)?, self.words(at));
            let one = |word: &Word<'_, 1>| codes_of(word, 0, shape.first);
            let Counts { readers: (single, pair, triple), .. } = counts;
            let mut readers = (take(single), take(pair), take(triple));
            match (second, sum) {
                (None, None) if tallied(counts, shape, &codes, at.1, words)? => {}
                (Some(second), None)
                    if shape.groups() <= SETS
                        && paired(counts, shape, (&codes, &own(second)?), at.1, words)? => {}
                (None, None) => readers.0.each([codes], at.1, words, |word| {
                    counts.count(word.bits, one(word));
                })?,
                (Some(second), None) => {
                    readers.1.each([codes, own(second)?], at.1, words, |word| {
                        counts.count(word.bits, pairs_of(word, shape));
                    })?;
                }
                (None, Some(sum)) => {
                    let sum = own(sum)?;
                    let fits = counts.begin(&sum, at.1);
                    readers.1.each([codes, sum], at.1, words, |word| {
                        let groups = codes_of(word, 0, shape.first);
                        counts.add(word.bits, groups, (word.known[1], word.values[1]), fits);
                    })?;
                    counts.end();
                }
                (Some(second), Some(sum)) => {
                    let sum = own(sum)?;
                    let fits = counts.begin(&sum, at.1);
                    readers.2.each([codes, own(second)?, sum], at.1, words, |word| {
                        let groups = pairs_of(word, shape);
                        counts.add(word.bits, groups, (word.known[2], word.values[2]), fits);
                    })?;
                    counts.end();
                }
            }
            counts.readers = readers;
            Ok(())
        })?;
        Ok(joined(&states, groups))
    }
}

impl Counts {
    /// Counts the rows of a word, neighbours in different lanes.
    #[inline]
    fn count(&mut self, bits: u64, mut groups: [u32; 64]) {
        if bits.count_ones() < FEW {
            each_bit(bits, |bit| bump(&mut self.rows, lane(&groups, bit), 1));
            return;
        }
        self.leave_out(bits, &mut groups);
        let rows = self.rows.as_mut_slice();
        for (at, group) in groups.iter().enumerate() {
            bump(rows, *group as usize * LANES + at % LANES, 1);
        }
    }

    /// Gives the rows that nobody asked for the group behind all others.
    #[inline]
    fn leave_out(&self, bits: u64, groups: &mut [u32; 64]) {
        let behind = u32::try_from(self.rows.len() / LANES - 1).unwrap_or(u32::MAX);
        each_bit(!bits, |bit| {
            if let Some(group) = groups.get_mut(bit as usize) {
                *group = behind;
            }
        });
    }

    /// Before a block of numbers: whether the sums of the block fit 64 bits.
    fn begin(&mut self, numbers: &Column<'_>, block: u32) -> bool {
        self.small.fill(0);
        let zone = numbers.zone_maps().nth(block as usize);
        !self.small.is_empty() && zone.is_some_and(|zone| sums_fit(&zone))
    }

    /// Counts the rows of a word, and adds their known numbers up.
    #[inline]
    fn add(
        &mut self,
        bits: u64,
        mut groups: [u32; 64],
        (known, numbers): (u64, &[i64; 64]),
        fits: bool,
    ) {
        each_bit(bits & !known, |bit| {
            bump(&mut self.missing, lane(&groups, bit) / LANES, 1);
        });
        if !fits || bits.count_ones() < FEW {
            each_bit(bits, |bit| bump(&mut self.rows, lane(&groups, bit), 1));
            each_bit(bits & known, |bit| {
                if let Some(sum) = self.sums.get_mut(lane(&groups, bit) / LANES) {
                    *sum += i128::from(numbers.get(bit as usize).copied().unwrap_or(0));
                }
            });
            return;
        }
        self.leave_out(bits, &mut groups);
        let (rows, small) = (self.rows.as_mut_slice(), self.small.as_mut_slice());
        for (at, (group, number)) in groups.iter().zip(numbers).enumerate() {
            let at = *group as usize * LANES + at % LANES;
            bump(rows, at, 1);
            if let Some(sum) = small.get_mut(at) {
                *sum = sum.wrapping_add(*number);
            }
        }
        // What stands where a number is not known was added too.
        each_bit(bits & !known, |bit| {
            let number = numbers.get(bit as usize).copied().unwrap_or(0);
            if let Some(sum) = small.get_mut(lane(&groups, bit)) {
                *sum = sum.wrapping_sub(number);
            }
        });
    }

    /// After a block of numbers.
    fn end(&mut self) {
        for (sum, lanes) in self.sums.iter_mut().zip(self.small.chunks(LANES)) {
            *sum += lanes.iter().map(|lane| i128::from(*lane)).sum::<i128>();
        }
    }
}

/// The place of the group of a row, in the lane of the row.
#[inline]
fn lane(groups: &[u32; 64], bit: u32) -> usize {
    groups.get(bit as usize).map_or(0, |group| *group as usize) * LANES + bit as usize % LANES
}

#[inline]
fn bump(counts: &mut [u64], at: usize, more: u64) {
    if let Some(count) = counts.get_mut(at) {
        *count = count.wrapping_add(more);
    }
}

/// The lower half of a number: of a code, the code.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "known codes are below the length of their list, which 16 bits hold"
)]
fn low(value: i64) -> u32 {
    value as u32
}

/// The codes of a column of a word; what is not known, or no code, has the place behind them.
#[inline]
fn codes_of<const N: usize>(word: &Word<'_, N>, column: usize, codes: usize) -> [u32; 64] {
    let unknown = u32::try_from(codes).unwrap_or(u32::MAX);
    let mut found = [unknown; 64];
    let (Some(values), Some(known)) = (word.values.get(column), word.known.get(column)) else {
        return found;
    };
    for (slot, value) in found.iter_mut().zip(*values) {
        *slot = low(*value).min(unknown);
    }
    each_bit(!known, |bit| {
        if let Some(slot) = found.get_mut(bit as usize) {
            *slot = unknown;
        }
    });
    found
}

/// The numbers of the pairs of codes of a word.
#[inline]
fn pairs_of<const N: usize>(word: &Word<'_, N>, shape: Shape) -> [u32; 64] {
    let width = u32::try_from(shape.second + 1).unwrap_or(u32::MAX);
    let mut found = codes_of(word, 0, shape.first);
    let second = codes_of(word, 1, shape.second);
    for (slot, second) in found.iter_mut().zip(second) {
        *slot = slot.wrapping_mul(width).wrapping_add(second);
    }
    found
}

/// The place of a code; what is no code has the place behind them.
fn place_of(code: i64, codes: usize) -> usize {
    usize::try_from(code).unwrap_or(usize::MAX).min(codes)
}

/// Counts the rows of a block by code without a look at each, where that can be done.
fn tallied(
    counts: &mut Counts,
    shape: Shape,
    codes: &Column<'_>,
    block: u32,
    words: &[u64],
) -> Result<bool> {
    let mut known = 0;
    let told = codes.tally_of_block(block, words, &mut |code, count| {
        known += count;
        bump(&mut counts.rows, place_of(code, shape.first) * LANES, count);
    })?;
    if told {
        bump(&mut counts.rows, shape.first * LANES, words::count(words) - known);
    }
    Ok(told)
}

/// As [`tallied`], by two codes: the rows of each code of the first column by the second.
fn paired(
    counts: &mut Counts,
    shape: Shape,
    (first, second): (&Column<'_>, &Column<'_>),
    block: u32,
    words: &[u64],
) -> Result<bool> {
    let mut sets: Vec<(usize, Vec<u64>)> = Vec::new();
    let mut left = words.to_vec();
    let told = first.apart_of_block(block, words, &mut |code, set| {
        words::and_not(&mut left, set);
        sets.push((place_of(code, shape.first), set.to_vec()));
    })?;
    if !told {
        return Ok(false);
    }
    sets.push((shape.first, left));
    let mut found: Vec<(usize, u64)> = Vec::new();
    for (place, set) in &sets {
        let row = place * (shape.second + 1);
        let mut known = 0;
        let told = second.tally_of_block(block, set, &mut |code, count| {
            known += count;
            found.push((row + place_of(code, shape.second), count));
        })?;
        if !told {
            return Ok(false);
        }
        found.push((row + shape.second, words::count(set) - known));
    }
    found.into_iter().for_each(|(group, count)| bump(&mut counts.rows, group * LANES, count));
    Ok(true)
}

/// What all threads have found together.
fn joined(states: &[Counts], groups: usize) -> Vec<Total> {
    let mut totals = vec![Total::default(); groups];
    for counts in states {
        for (total, lanes) in totals.iter_mut().zip(counts.rows.chunks(LANES)) {
            let rows = lanes.iter().sum::<u64>();
            total.rows += rows;
            total.known += if counts.sums.is_empty() { 0 } else { rows };
        }
        let sums = counts.missing.iter().zip(&counts.sums);
        for (total, (missing, sum)) in totals.iter_mut().zip(sums) {
            total.known -= missing;
            total.sum += sum;
        }
    }
    totals
}
