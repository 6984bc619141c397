//! What is counted and added up over a block of integers in the form that it is written in.
//!
//! `rows` are bits of rows whose value is known, one word for each word of `part`. None is given
//! where the block does not read back.
//!
//! Invariant: what is given is what the values of those rows give.

use std::borrow::Cow;
use std::ops::Range;

use super::filter::rows_of;
use super::integers::IntegerBlock;
use super::places::{Places, stored_part};
use super::planes::Slice;
use super::sliced::{self, TOLD_BITS};
use super::unpack;
use crate::format::Encoding;
use crate::lift::extracted;
use crate::words;

/// Fewer rows than this are read one by one where values cannot be told apart.
const FEW_ROWS: u16 = 2_048;

/// Rows by their value.
pub(crate) enum Told<'a> {
    /// There are too many values for it.
    TooMany,
    /// Rows of some words have one value; runs of one block may have the same.
    Runs(Vec<(Range<u32>, i64)>),
    /// The number of a row is made of the bits of slices, the lowest first, and stands for a
    /// value.
    Numbers {
        /// The bits.
        slices: Vec<Slice<'a>>,
        /// The values by number.
        values: Vec<i64>,
    },
}

impl<'a> IntegerBlock<'a> {
    /// The bits of rows among the stored values, and their words.
    pub(super) fn stored_rows<'r>(
        &self,
        rows: &'r [u64],
        part: Range<usize>,
    ) -> Option<(Cow<'r, [u64]>, Range<usize>)> {
        match self.places()? {
            Places::All => Some((Cow::Borrowed(rows), part)),
            Places::Known(known) => {
                let own = stored_part(&known, part.clone())?;
                let mut stored = extracted(rows, known.get(part)?, own.lead);
                stored.resize(own.words.len(), 0);
                Some((Cow::Owned(stored), own.words))
            }
        }
    }

    /// The sum of the values of rows.
    pub(crate) fn sum(&self, rows: &[u64], part: Range<usize>) -> Option<i128> {
        let (rows, part) = self.stored_rows(rows, part)?;
        let count = i128::from(words::count(&rows));
        let above = |sum: u128| {
            let base = i128::from(self.toc.base).checked_mul(count)?;
            base.checked_add(i128::try_from(sum).ok()?)
        };
        match self.encoding()? {
            Encoding::Packed => {
                let (frame, bits) = self.packed()?;
                above(unpack::sum(frame, bits, part.start, &rows))
            }
            Encoding::Planes => above(self.planes()?.sum(&rows, part)?),
            _ if words::count(&rows) < u64::from(FEW_ROWS) && !self.is_told() => {
                let first = u32::try_from(part.start * 64).ok()?;
                let places: Vec<u32> = super::container::rows(&rows).map(|r| first + r).collect();
                let mut values = Vec::with_capacity(places.len());
                self.pick_stored(&places, &mut values)?;
                Some(values.into_iter().map(i128::from).sum())
            }
            _ => {
                let mut sum = 0i128;
                self.each_value(&rows, part, &mut |value, count| {
                    sum += i128::from(value) * i128::from(count);
                })?;
                Some(sum)
            }
        }
    }

    /// The least and the greatest value of rows, of which there is at least one.
    pub(crate) fn ends(&self, rows: &[u64], part: Range<usize>) -> Option<(i64, i64)> {
        let (rows, part) = self.stored_rows(rows, part)?;
        let value = |number: u64| self.toc.base.wrapping_add(number.cast_signed());
        let numbers = match self.encoding()? {
            Encoding::Planes => Some(self.planes()?.ends(&rows, part.clone())?),
            Encoding::Packed if words::any(&rows) => {
                let (frame, bits) = self.packed()?;
                Some(unpack::ends(frame, bits, part.start, &rows))
            }
            _ => None,
        };
        if let Some((least, greatest)) = numbers {
            return Some((value(least), value(greatest)));
        }
        let mut ends: Option<(i64, i64)> = None;
        self.each_value(&rows, part, &mut |value, _| {
            let (low, high) = ends.unwrap_or((value, value));
            ends = Some((low.min(value), high.max(value)));
        })?;
        ends
    }

    /// Calls `visit` with values of rows and how many of the rows have each; a value may be met
    /// again.
    pub(super) fn each_value(
        &self,
        rows: &[u64],
        part: Range<usize>,
        visit: &mut dyn FnMut(i64, u64),
    ) -> Option<()> {
        match self.told(part.clone())? {
            Told::Runs(runs) => {
                let first = rows_of(&part, self.toc.stored()).start;
                for (run, value) in runs {
                    let count = count_in(rows, run.start - first, run.end - first);
                    if count > 0 {
                        visit(value, count);
                    }
                }
            }
            Told::Numbers { slices, values } => {
                let counts = sliced::counts(&slices, rows);
                for (number, count) in counts.into_iter().enumerate().filter(|(_, c)| *c > 0) {
                    visit(*values.get(number)?, count);
                }
            }
            Told::TooMany => {
                let asked = rows_of(&part, self.toc.stored());
                let mut values = Vec::with_capacity(asked.len());
                self.stored_values(asked.start as usize, asked.end as usize, &mut values)?;
                for (word, values) in rows.iter().zip(values.chunks(64)) {
                    let mut rest = *word;
                    while rest != 0 {
                        visit(*values.get(rest.trailing_zeros() as usize)?, 1);
                        rest &= rest - 1;
                    }
                }
            }
        }
        Some(())
    }

    /// Calls `visit` with values of rows and how many of the rows have each, where the values can
    /// be told apart without a look at every row; a value may be met again. Gives whether they
    /// could.
    pub(crate) fn tally(
        &self,
        rows: &[u64],
        part: Range<usize>,
        visit: &mut dyn FnMut(i64, u64),
    ) -> Option<bool> {
        if !self.is_told() {
            return Some(false);
        }
        let (rows, part) = self.stored_rows(rows, part)?;
        self.each_value(&rows, part, visit)?;
        Some(true)
    }

    /// Calls `visit` with values of rows and the bits of the rows that have each, under the same
    /// conditions as [`IntegerBlock::tally`].
    pub(crate) fn sets(
        &self,
        rows: &[u64],
        part: Range<usize>,
        visit: &mut dyn FnMut(i64, &[u64]),
    ) -> Option<bool> {
        if !self.is_told() {
            return Some(false);
        }
        let known = match self.places()? {
            Places::All => None,
            Places::Known(known) => Some(known),
        };
        let (own, stored) = self.stored_rows(rows, part.clone())?;
        let lead = known.as_ref().and_then(|known| stored_part(known, part.clone()));
        let lead = lead.map_or(0, |own| own.lead);
        let mut give = |value: i64, set: &[u64]| {
            if !words::any(set) {
                return Some(());
            }
            match &known {
                None => visit(value, set),
                Some(known) => {
                    visit(value, &super::deposit(known.get(part.clone())?, set, lead));
                }
            }
            Some(())
        };
        match self.told(stored.clone())? {
            Told::Runs(runs) => {
                let first = rows_of(&stored, self.toc.stored()).start;
                for (run, value) in runs {
                    let mut set = vec![0; own.len()];
                    super::container::fill(&mut set, run.start - first, run.end - 1 - first);
                    words::and(&mut set, &own);
                    give(value, &set)?;
                }
            }
            Told::Numbers { slices, values } => {
                let all = sliced::sets(&slices, &own);
                for (number, set) in all.chunks(own.len().max(1)).enumerate() {
                    if let Some(value) = values.get(number) {
                        give(*value, set)?;
                    } else if words::any(set) {
                        return None;
                    }
                }
            }
            Told::TooMany => return Some(false),
        }
        Some(true)
    }

    /// Whether few values can be told apart.
    pub(super) fn is_told(&self) -> bool {
        let few = |bits: u8| usize::from(bits) <= TOLD_BITS;
        self.encoding().is_some_and(|encoding| match encoding {
            Encoding::Constant => true,
            Encoding::Runs => self.toc.distinct <= 1 << TOLD_BITS,
            Encoding::Packed | Encoding::Planes => few(self.toc.bits),
            Encoding::ListPacked | Encoding::ListPlanes => few(self.list_bits()),
            _ => false,
        })
    }

    /// Stored values of some words, told apart.
    fn told(&self, part: Range<usize>) -> Option<Told<'a>> {
        let rows = rows_of(&part, self.toc.stored());
        let encoding = self.encoding()?;
        match encoding {
            Encoding::Constant if rows.is_empty() => return Some(Told::Runs(Vec::new())),
            Encoding::Constant => return Some(Told::Runs(vec![(rows, self.toc.base)])),
            Encoding::Runs => {
                let mut runs = Vec::new();
                self.runs(rows, &mut |first, last, value| runs.push((first..last + 1, value)))?;
                return Some(Told::Runs(runs));
            }
            _ if !self.is_told() => return Some(Told::TooMany),
            _ => {}
        }
        let slices = match encoding {
            Encoding::Planes | Encoding::ListPlanes => self.planes()?.slices(&part)?,
            _ => {
                let (frame, bits) = self.packed()?;
                let planes = unpack::planes(frame, bits, part);
                planes.into_iter().map(Slice::of).collect()
            }
        };
        let values = match encoding {
            Encoding::Planes | Encoding::Packed => {
                let numbers = 0i64..1i64.checked_shl(self.toc.bits.into())?;
                numbers.map(|number| self.toc.base.wrapping_add(number)).collect()
            }
            _ => self.list()?,
        };
        Some(Told::Numbers { slices, values })
    }
}

/// How many bits from `from` to `to` are set.
fn count_in(words: &[u64], from: u32, to: u32) -> u64 {
    if from >= to {
        return 0;
    }
    let (low, high) = ((from / 64) as usize, ((to - 1) / 64) as usize);
    let (head, tail) = (u64::MAX << (from % 64), u64::MAX >> (63 - (to - 1) % 64));
    match words.get(low..=high) {
        Some([only]) => u64::from((only & head & tail).count_ones()),
        Some([first, between @ .., last]) => {
            let edges = (first & head).count_ones() + (last & tail).count_ones();
            u64::from(edges) + words::count(between)
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    #![expect(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "small numbers")]

    use std::collections::BTreeMap;

    use super::super::filter::holds;
    use super::super::gathered::Integers;
    use super::super::integers::{Kept, Style, encode};
    use super::super::{BlockToc, FrameSink};
    use super::*;
    use crate::cpu::at_each_level;
    use crate::predicate::Predicate;

    fn mixed(number: u64) -> u64 {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 9
    }

    fn check(values: &[Option<i64>], style: Style) -> Option<Encoding> {
        let mut block = Integers::default();
        values.iter().for_each(|value| block.push(*value));
        let mut sink = FrameSink::default();
        let toc = encode(&mut sink, &mut block, style);
        let (frame, beside) = (sink.bytes_of(toc.frame), sink.bytes_of(toc.beside));
        let known = sink.bytes_of(toc.known_bits);
        let kept = Kept::default();
        let read = IntegerBlock { toc: &toc, frame, beside, known, kept };
        let size = values.len().div_ceil(64);
        for (salt, part) in [(1, 0..size), (2, size / 3..size / 2), (3, size - 1..size)] {
            let mut asked = vec![0u64; part.len()];
            let mut own: Vec<(usize, i64)> = Vec::new();
            for row in part.start * 64..values.len().min(part.end * 64) {
                if let Some(value) =
                    values[row].filter(|_| !mixed(row as u64 * 4 + salt).is_multiple_of(3))
                {
                    asked[row / 64 - part.start] |= 1 << (row % 64);
                    own.push((row, value));
                }
            }
            let what =
                format!("{:?}, words {part:?} of {size}", Encoding::from_number(toc.encoding));
            let sum: i128 = own.iter().map(|(_, value)| i128::from(*value)).sum();
            assert_eq!(read.sum(&asked, part.clone()), Some(sum), "{what}");
            let low = own.iter().map(|(_, value)| *value).min();
            let ends = low.zip(own.iter().map(|(_, value)| *value).max());
            assert_eq!(read.ends(&asked, part.clone()), ends, "{what}");
            let mut expected: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            own.iter().for_each(|(row, value)| expected.entry(*value).or_default().push(*row));
            let mut found: BTreeMap<i64, u64> = BTreeMap::new();
            let told = read.tally(&asked, part.clone(), &mut |value, count| {
                *found.entry(value).or_default() += count;
            });
            let mut sets: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            let apart = read.sets(&asked, part.clone(), &mut |value, set| {
                let rows = super::super::container::rows(set);
                let rows = rows.map(|row| row as usize + part.start * 64);
                sets.entry(value).or_default().extend(rows);
            });
            assert_eq!((told, apart), (Some(read.is_told()), Some(read.is_told())), "{what}");
            if told == Some(true) {
                let counts = expected.iter().map(|(value, rows)| (*value, rows.len() as u64));
                assert_eq!(found, counts.collect(), "{what}");
                assert_eq!(sets, expected, "{what}");
            } else {
                assert!(found.is_empty() && sets.is_empty(), "{what}");
            }
            conditions(&read, &own, &asked, part);
        }
        Encoding::from_number(toc.encoding)
    }

    /// Conditions take out of the rows asked about those that do not satisfy them.
    fn conditions(
        read: &IntegerBlock<'_>,
        own: &[(usize, i64)],
        asked: &[u64],
        part: Range<usize>,
    ) {
        let some: Vec<i64> = own.iter().step_by(own.len() / 7 + 1).map(|(_, v)| *v).collect();
        let mut list = some.clone();
        list.sort_unstable();
        list.dedup();
        let (low, high) = (list.first().copied(), list.get(list.len() / 2).copied());
        let (low, high) = (low.unwrap_or(0), high.unwrap_or(0));
        for predicate in [
            Predicate::Range { min: low, max: high },
            Predicate::Range { min: high, max: i64::MAX },
            Predicate::In(list),
            Predicate::HasAny(low as u64 | 4),
            Predicate::HasAll(5),
        ] {
            let mut found = asked.to_vec();
            read.keep(&predicate, part.clone(), &mut found).unwrap();
            let mut expected = vec![0u64; asked.len()];
            for (row, _) in own.iter().filter(|(_, value)| holds(&predicate, *value)) {
                expected[row / 64 - part.start] |= 1 << (row % 64);
            }
            assert_eq!(found, expected, "{predicate:?}, words {part:?}, {:?}", read.toc);
            let all = read.filter(&predicate, part.clone()).unwrap();
            assert!(all.iter().zip(&found).all(|(all, found)| found & !all == 0));
        }
    }

    #[test]
    fn every_encoding_is_counted_as_value_by_value() {
        at_each_level(|level| {
            let mut met = Vec::new();
            for rows in [1u64, 64, 65, 1_000, 5_000] {
                for known in [1u64, 2, 9] {
                    for index in [false, true] {
                        let style = Style { set: false, index };
                        let draw = |value: &dyn Fn(u64) -> i64| -> Vec<Option<i64>> {
                            let is_known = |row: &u64| mixed(*row + 9).is_multiple_of(known);
                            let own = |row: u64| Some(row).filter(is_known).map(value);
                            (0..rows).map(own).collect()
                        };
                        let few = |row: u64| (mixed(row) % 5) as i64 * 1_000_000_007 - 9;
                        met.push(check(&draw(&|_| 7), style));
                        met.push(check(&draw(&|row| (row / 90) as i64 - 20), style));
                        met.push(check(&draw(&few), style));
                        met.push(check(&draw(&|row| (mixed(row) % 100) as i64 - 50), style));
                        met.push(check(&draw(&|row| (mixed(row) % 100_000) as i64), style));
                        met.push(check(&draw(&|row| i64::from(mixed(row) % 40 == 3)), style));
                        met.push(check(&draw(&|row| mixed(row) as i64), style));
                    }
                }
            }
            for encoding in [
                Encoding::Constant,
                Encoding::Runs,
                Encoding::Packed,
                Encoding::Planes,
                Encoding::ListPacked,
                Encoding::ListPlanes,
                Encoding::KnownPacked,
                Encoding::KnownPlanes,
                Encoding::KnownListPacked,
                Encoding::KnownListPlanes,
            ] {
                assert!(met.contains(&Some(encoding)), "{encoding:?} at {level:?}");
            }
        });
    }

    #[test]
    fn bytes_that_are_no_block_are_no_answer() {
        let toc = BlockToc { rows: 200, known: 200, max: 9, bits: 4, ..BlockToc::default() };
        for encoding in (0..20).filter_map(Encoding::from_number) {
            let toc = BlockToc { encoding: encoding as u8, distinct: 12, ..toc.clone() };
            for bytes in [&[][..], &[7; 40], &[0xFF; 300]] {
                let (frame, beside, known, kept) = (bytes, bytes, bytes, Kept::default());
                let read = IntegerBlock { toc: &toc, frame, beside, known, kept };
                let rows = [u64::MAX; 2];
                read.sum(&rows, 1..3);
                read.ends(&rows, 1..3);
                read.tally(&rows, 1..3, &mut |_, _| {});
                read.sets(&rows, 1..3, &mut |_, _| {});
                read.filter(&Predicate::Range { min: 1, max: 3 }, 1..3);
                let mut values = Vec::new();
                read.decode(3, 150, &mut values);
            }
        }
    }
}
