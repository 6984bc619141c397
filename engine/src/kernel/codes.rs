//! Groups by one or two columns of codes, counted and added up in arrays.

use super::numbers::Total;
use super::piece::{Reader, Word, each_bit};
use super::{Block, Rows, bytes_of};
use crate::error::{Error, Result};
use crate::schema::Kind;
use crate::segment::Column;

/// Neighbouring rows are counted in so many arrays: in one, a row would wait for the row before
/// it wherever both have the same code.
const LANES: usize = 4;

/// Words with fewer rows than this are looked at row by row.
const FEW: u32 = 24;

/// What a thread has found: by group, then by lane.
struct Counts {
    rows: Vec<u64>,
    known: Vec<u64>,
    sums: Vec<i128>,
    reader: Reader<1>,
    pairs: Reader<2>,
    triples: Reader<3>,
}

/// The codes of a row in one or two columns as the number of its group.
#[derive(Clone, Copy)]
struct Shape {
    /// Codes of the first column; the place behind them is for unknown.
    first: usize,
    /// As `first`, of the second column; with one column, 0.
    second: usize,
}

impl Shape {
    fn groups(self) -> usize {
        (self.first + 1).saturating_mul(self.second + 1)
    }
}

/// The place of a code, or the one behind the codes.
#[inline]
fn place(value: i64, known: bool, unknown: usize) -> usize {
    let code = if known { value.cast_unsigned() } else { u64::MAX };
    usize::try_from(code).unwrap_or(usize::MAX).min(unknown)
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
        // The totals, what becomes of them, and what each thread has.
        let bytes = bytes_of::<Total>(groups).saturating_mul(2);
        let own = bytes_of::<u64>(groups).saturating_mul(LANES as u64);
        let own = own.saturating_add(bytes_of::<(u64, i128)>(sums));
        let workers = self.run.workers(blocks.len()) as u64;
        let _held = self.run.hold(bytes.saturating_add(own.saturating_mul(workers)))?;
        let state = || {
            Ok(Counts {
                rows: vec![0; groups * LANES],
                known: vec![0; sums],
                sums: vec![0; sums],
                reader: Reader::default(),
                pairs: Reader::default(),
                triples: Reader::default(),
            })
        };
        let states = self.run.over(blocks.len(), state, |counts, item| {
            let Some(&at) = blocks.get(item) else { return Ok(()) };
            let own = |column: usize| self.column(at.0, column);
            let codes = own(first)?;
            match (second, sum) {
                (None, None) => self.count_codes(counts, shape, codes, at),
                (Some(second), None) => self.count_pairs(counts, shape, [codes, own(second)?], at),
                (None, Some(sum)) => self.add_codes(counts, shape, [codes, own(sum)?], at),
                (Some(second), Some(sum)) => {
                    self.add_pairs(counts, shape, [codes, own(second)?, own(sum)?], at)
                }
            }
        })?;
        let mut totals = vec![Total::default(); groups];
        for counts in &states {
            for (total, lanes) in totals.iter_mut().zip(counts.rows.chunks(LANES)) {
                total.rows += lanes.iter().sum::<u64>();
            }
            for (total, (known, sum)) in
                totals.iter_mut().zip(counts.known.iter().zip(&counts.sums))
            {
                total.known += known;
                total.sum += sum;
            }
        }
        Ok(totals)
    }

    fn count_codes(
        &self,
        counts: &mut Counts,
        shape: Shape,
        codes: Column<'_>,
        at: Block,
    ) -> Result<()> {
        let Counts { rows, reader, .. } = counts;
        let words = self.words(at);
        let zone = codes.zone_maps().nth(at.1 as usize);
        if let Some(zone) = zone.filter(|zone| zone.min == zone.max) {
            // One code, or none: bits are counted.
            let mut known = words.to_vec();
            codes.keep_known(at.1, &mut known)?;
            let ones = |words: &[u64]| words.iter().map(|w| u64::from(w.count_ones())).sum::<u64>();
            let (known, all) = (ones(&known), ones(words));
            bump(rows, place(zone.min, true, shape.first) * LANES, known);
            bump(rows, shape.first * LANES, all - known);
            return Ok(());
        }
        reader.each([codes], at.1, words, |word| {
            let (known, values) = (word.known[0], word.values[0]);
            each_place(
                word,
                |bit| {
                    let value = values.get(bit as usize).copied().unwrap_or(0);
                    place(value, known >> bit & 1 == 1, shape.first)
                },
                rows,
            );
        })
    }

    fn count_pairs(
        &self,
        counts: &mut Counts,
        shape: Shape,
        codes: [Column<'_>; 2],
        at: Block,
    ) -> Result<()> {
        let Counts { rows, pairs, .. } = counts;
        pairs.each(codes, at.1, self.words(at), |word| {
            each_place(word, |bit| pair(word.known, word.values, bit, shape), rows);
        })
    }

    fn add_codes(
        &self,
        counts: &mut Counts,
        shape: Shape,
        columns: [Column<'_>; 2],
        at: Block,
    ) -> Result<()> {
        let Counts { rows, known, sums, pairs, .. } = counts;
        pairs.each(columns, at.1, self.words(at), |word| {
            let [codes, numbers] = word.known;
            each_bit(word.bits, |bit| {
                let code = word.values[0].get(bit as usize).copied().unwrap_or(0);
                let group = place(code, codes >> bit & 1 == 1, shape.first);
                bump(rows, group * LANES, 1);
                let number = (numbers >> bit & 1 == 1).then(|| word.values[1].get(bit as usize));
                add(known, sums, group, number.flatten());
            });
        })
    }

    fn add_pairs(
        &self,
        counts: &mut Counts,
        shape: Shape,
        columns: [Column<'_>; 3],
        at: Block,
    ) -> Result<()> {
        let Counts { rows, known, sums, triples, .. } = counts;
        triples.each(columns, at.1, self.words(at), |word| {
            let ([a, b, numbers], [x, y, values]) = (word.known, word.values);
            each_bit(word.bits, |bit| {
                let group = pair([a, b], [x, y], bit, shape);
                bump(rows, group * LANES, 1);
                let number = (numbers >> bit & 1 == 1).then(|| values.get(bit as usize));
                add(known, sums, group, number.flatten());
            });
        })
    }
}

/// The group of a row of two codes.
#[inline]
fn pair(known: [u64; 2], values: [&[i64; 64]; 2], bit: u32, shape: Shape) -> usize {
    let [x, y] = values.map(|values| values.get(bit as usize).copied().unwrap_or(0));
    let [a, b] = known.map(|known| known >> bit & 1 == 1);
    place(x, a, shape.first) * (shape.second + 1) + place(y, b, shape.second)
}

#[inline]
fn bump(counts: &mut [u64], at: usize, more: u64) {
    if let Some(count) = counts.get_mut(at) {
        *count = count.wrapping_add(more);
    }
}

#[inline]
fn add(known: &mut [u64], sums: &mut [i128], group: usize, number: Option<&i64>) {
    if let Some(number) = number {
        bump(known, group, 1);
        if let Some(sum) = sums.get_mut(group) {
            *sum = sum.wrapping_add(i128::from(*number));
        }
    }
}

/// Counts the rows of a word by their groups, neighbours in different lanes.
#[inline]
fn each_place<const N: usize>(
    word: &Word<'_, N>,
    group: impl Fn(u32) -> usize,
    counts: &mut [u64],
) {
    if word.bits.count_ones() < FEW {
        each_bit(word.bits, |bit| bump(counts, group(bit) * LANES, 1));
        return;
    }
    for bit in 0..64 {
        let at = group(bit) * LANES + bit as usize % LANES;
        bump(counts, at, word.bits >> bit & 1);
    }
}
