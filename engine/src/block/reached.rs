//! Which rows of a block of integers reach each of several bounds, the values read once.
//!
//! Invariant: what is given is what a comparison with each bound gives.

use std::ops::Range;

use super::deposit;
use super::integers::IntegerBlock;
use super::places::{Places, stored_part};
use super::unpack::{GROUP, Lane, Take, each_group};
use crate::cpu::Cpu;
use crate::format::Encoding;
use crate::lift::extracted;
use crate::predicate::Predicate;

/// Bounds that are compared in one pass, at most.
const TOGETHER: usize = 8;

/// Numbers compared with bounds, in words of rows that are asked about.
struct Reached<'a> {
    bounds: &'a [u64],
    rows: &'a [u64],
    at: usize,
    /// As many words for each bound as there are of rows, one list behind the other.
    found: &'a mut [u64],
}

impl Take for Reached<'_> {
    #[inline(always)]
    fn wants(&mut self) -> bool {
        let wanted = self.rows.get(self.at).is_some_and(|word| *word != 0);
        self.at += usize::from(!wanted);
        wanted
    }

    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, cpu: C, lanes: &[T; GROUP]) {
        let (size, at) = (self.rows.len(), self.at);
        let rows = self.rows.get(at).copied().unwrap_or(0);
        for (bound, found) in self.bounds.iter().zip(self.found.chunks_mut(size.max(1))) {
            let bound = T::of(*bound);
            let mut flags = [0u8; GROUP];
            for (flag, lane) in flags.iter_mut().zip(lanes) {
                *flag = u8::from(bound <= *lane).wrapping_neg();
            }
            if let Some(word) = found.get_mut(at) {
                *word = rows & cpu.word_of(&flags);
            }
        }
        self.at += 1;
    }
}

impl IntegerBlock<'_> {
    /// The bits of rows, all of them known, whose value is at least each of some rising bounds:
    /// as many words for each bound as there are of rows. None where the block does not read back.
    pub(crate) fn reached(
        &self,
        bounds: &[i64],
        rows: &[u64],
        part: Range<usize>,
    ) -> Option<Vec<Vec<u64>>> {
        if self.encoding()? != Encoding::Packed {
            let mut left = rows.to_vec();
            let mut found = Vec::with_capacity(bounds.len());
            for min in bounds {
                // Who does not reach a bound reaches none behind it.
                self.keep(&Predicate::Range { min: *min, max: i64::MAX }, part.clone(), &mut left)?;
                found.push(left.clone());
            }
            return Some(found);
        }
        let mut found = Vec::with_capacity(bounds.len());
        match self.places()? {
            Places::All => {
                for bounds in bounds.chunks(TOGETHER) {
                    found.extend(self.stored_reached(bounds, rows, part.clone())?);
                }
            }
            Places::Known(known) => {
                let own = stored_part(&known, part.clone())?;
                let known = known.get(part)?;
                let mut stored = extracted(rows, known, own.lead);
                stored.resize(own.words.len(), 0);
                for bounds in bounds.chunks(TOGETHER) {
                    for set in self.stored_reached(bounds, &stored, own.words.clone())? {
                        found.push(deposit(known, &set, own.lead));
                    }
                }
            }
        }
        Some(found)
    }

    /// As [`IntegerBlock::reached`], of packed stored values.
    fn stored_reached(
        &self,
        bounds: &[i64],
        rows: &[u64],
        part: Range<usize>,
    ) -> Option<Vec<Vec<u64>>> {
        let (frame, bits) = self.packed()?;
        let (base, max) = (self.toc.base, self.toc.max);
        let number = |bound: i64| bound.wrapping_sub(base).cast_unsigned();
        // The least bounds are reached by all, the greatest by none.
        let low = bounds.partition_point(|bound| *bound <= base);
        let high = bounds.partition_point(|bound| *bound <= max).max(low);
        let asked: Vec<u64> = bounds.get(low..high)?.iter().map(|bound| number(*bound)).collect();
        let mut words = vec![0u64; asked.len() * rows.len()];
        if !asked.is_empty() {
            let mut take = Reached { bounds: &asked, rows, at: 0, found: &mut words };
            each_group(frame, bits, part, &mut take);
        }
        let mut found = vec![rows.to_vec(); low];
        found.extend(words.chunks(rows.len().max(1)).map(<[u64]>::to_vec));
        found.resize_with(bounds.len(), || vec![0; rows.len()]);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    #![expect(clippy::cast_possible_wrap, reason = "small numbers")]

    use super::super::FrameSink;
    use super::super::gathered::Integers;
    use super::super::integers::{Kept, Style, encode};
    use super::*;
    use crate::cpu::at_each_level;

    fn mixed(number: u64) -> u64 {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11
    }

    fn check(value: impl Fn(u64) -> Option<i64>, rows: u64, style: Style) {
        let mut block = Integers::default();
        (0..rows).for_each(|row| block.push(value(row)));
        let mut sink = FrameSink::default();
        let toc = encode(&mut sink, &mut block, style);
        let (frame, beside) = (sink.bytes_of(toc.frame), sink.bytes_of(toc.beside));
        let (known, kept) = (sink.bytes_of(toc.known_bits), Kept::default());
        let read = IntegerBlock { toc: &toc, frame, beside, known, kept };
        let bounds: Vec<i64> =
            [i64::MIN, -3, 0, 1, 17, 250, 600, 999, 1_000, 4_000, i64::MAX].to_vec();
        let size = usize::try_from(rows).unwrap().div_ceil(64);
        for part in [0..size, size / 3..size / 2, size - 1..size] {
            let asked =
                |row: u64| row < rows && value(row).is_some() && !mixed(row).is_multiple_of(5);
            let word = |at: usize, test: &dyn Fn(u64) -> bool| {
                (0..64).fold(0u64, |word, bit| {
                    let row = at as u64 * 64 + bit;
                    word | u64::from(asked(row) && test(row)) << bit
                })
            };
            let own: Vec<u64> = part.clone().map(|at| word(at, &|_| true)).collect();
            let found = read.reached(&bounds, &own, part.clone()).unwrap();
            assert_eq!(found.len(), bounds.len());
            for (bound, found) in bounds.iter().zip(found) {
                let reaches = |row: u64| value(row).is_some_and(|value| value >= *bound);
                let expected: Vec<u64> = part.clone().map(|at| word(at, &reaches)).collect();
                assert_eq!(found, expected, "{bound}, {part:?}, {:?}", read.encoding());
            }
        }
    }

    #[test]
    fn bounds_are_reached_as_value_by_value() {
        let styles = [(false, false), (false, true)].map(|(set, index)| Style { set, index });
        at_each_level(|_| {
            for style in styles {
                for rows in [64, 700, 4_001] {
                    check(|row| Some((mixed(row) % 1_000) as i64), rows, style);
                    check(|row| Some((mixed(row) % 3) as i64 * 300), rows, style);
                    let seldom =
                        |row| mixed(row).is_multiple_of(7).then(|| (mixed(row) % 900) as i64);
                    check(seldom, rows, style);
                    check(|row| Some((row / 100) as i64), rows, style);
                }
            }
        });
    }
}
