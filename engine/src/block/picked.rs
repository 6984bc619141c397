//! A block of integers asked for little of it.
//!
//! Invariant: what is read is what [`IntegerBlock::decode`] gives.

use std::borrow::Cow;
use std::ops::Range;

use super::container;
use super::integers::IntegerBlock;
use super::packed;
use super::places::Places;
use crate::format::Encoding;
use crate::words;

/// Rows up to so many are read from planes one by one.
const FEW: usize = 64;

/// Where one row of so many is wanted, those between are read too.
const DENSE: usize = 4;

/// The places of the values of rows, rising, where those of the known rows alone are written.
fn stored(known: &[u64], rows: &[u32]) -> Vec<u32> {
    let (mut word, mut before) = (0usize, 0u32);
    let place = |row: &u32| {
        let at = (*row / 64) as usize;
        let passed = known.get(word..at.max(word)).unwrap_or_default();
        before += passed.iter().map(|word| word.count_ones()).sum::<u32>();
        word = at.max(word);
        let own = known.get(word).map_or(0, |own| own & u64::MAX >> (63 - row % 64));
        (before + own.count_ones()).saturating_sub(1)
    };
    rows.iter().map(place).collect()
}

impl IntegerBlock<'_> {
    /// Appends the values of some rows, rising; a row that is not known has some number. None
    /// where the block does not read back.
    pub(crate) fn pick(&self, rows: &[u32], out: &mut Vec<i64>) -> Option<()> {
        let places = match self.places()? {
            Places::All => Cow::Borrowed(rows),
            Places::Known(known) => Cow::Owned(stored(&known, rows)),
        };
        self.pick_stored(&places, out)
    }

    /// As [`IntegerBlock::pick`], of the stored values at some places, rising.
    pub(super) fn pick_stored(&self, places: &[u32], out: &mut Vec<i64>) -> Option<()> {
        let (base, encoding) = (self.toc.base, self.encoding()?);
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return Some(()) };
        if *last >= self.toc.stored() {
            return None;
        }
        let listed = matches!(encoding, Encoding::ListPacked | Encoding::ListPlanes);
        let list = if listed { self.list()? } else { Vec::new() };
        let value = |number: u64| match listed {
            true => list.get(usize::try_from(number).ok()?).copied(),
            false => Some(base.wrapping_add(number.cast_signed())),
        };
        match encoding {
            Encoding::Packed | Encoding::ListPacked => {
                let (frame, bits) = self.packed()?;
                for place in places.iter() {
                    out.push(value(packed::one(frame, bits, *place as usize))?);
                }
            }
            Encoding::Planes | Encoding::ListPlanes if places.len() <= FEW => {
                let planes = self.planes()?;
                for place in places.iter() {
                    out.push(value(planes.one(*place)?)?);
                }
            }
            _ => {
                let mut values = Vec::new();
                self.stored_values(*first as usize, *last as usize + 1, &mut values)?;
                for place in places.iter() {
                    out.push(*values.get((place - first) as usize)?);
                }
            }
        }
        Some(())
    }

    /// Appends the values of rows that are known: those of the bits of some words of the block, of
    /// which `known` are all known ones. None where the block does not read back.
    pub(crate) fn known_values(
        &self,
        part: Range<usize>,
        known: &[u64],
        own: &[u64],
        out: &mut Vec<i64>,
    ) -> Option<()> {
        let count = words::count(own);
        let (Some(low), Some(high)) =
            (own.iter().position(|word| *word != 0), own.iter().rposition(|word| *word != 0))
        else {
            return Some(());
        };
        let (first, last) = (own.get(low)?.trailing_zeros(), 63 - own.get(high)?.leading_zeros());
        if self.toc.of_known() {
            // Rows between which no other is known have their values one behind the other.
            let (bits, ends) = (known.get(low)?, known.get(high)?);
            let before = words::count(known.get(..low)?);
            let before = before + u64::from((bits & !(u64::MAX << first)).count_ones());
            let behind = words::count(known.get(high + 1..)?);
            let behind = behind + u64::from((ends & !(u64::MAX >> (63 - last))).count_ones());
            let all = words::count(known);
            if before + count + behind == all {
                let from = before.checked_add(self.known_before_part(&part, all)?)?;
                let (from, to) = (usize::try_from(from), usize::try_from(from + count));
                return self.stored_values(from.ok()?, to.ok()?, out);
            }
        } else {
            let row = |word: usize, bit: u32| (part.start + word) * 64 + bit as usize;
            let (from, to) = (row(low, first), row(high, last) + 1);
            let asked = usize::try_from(count).ok()?;
            if asked == to - from {
                return self.decode(from, to, out);
            }
            if asked * DENSE > to - from {
                let mut values = Vec::with_capacity(to - from);
                self.decode(from, to, &mut values)?;
                for row in container::rows(own) {
                    let at = (part.start * 64 + row as usize).checked_sub(from)?;
                    out.push(*values.get(at)?);
                }
                return Some(());
            }
        }
        let before = u32::try_from(part.start * 64).ok()?;
        let rows: Vec<u32> = container::rows(own).map(|row| before.saturating_add(row)).collect();
        self.pick(&rows, out)
    }

    /// How many rows are known before some words of the block, in which so many are.
    fn known_before_part(&self, part: &Range<usize>, count: u64) -> Option<u64> {
        if part.start == 0 {
            return Some(0);
        }
        if part.end == self.toc.rows.div_ceil(64) as usize {
            return u64::from(self.toc.known).checked_sub(count);
        }
        let row = u32::try_from(part.start * 64).ok()?;
        self.toc.known_before(self.known, row).map(u64::from)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::super::FrameSink;
    use super::super::gathered::Integers;
    use super::super::integers::{Kept, Style, encode};
    use super::*;

    /// Values with some rows unknown, in every way that a column may ask for.
    fn check(values: &[i64], known: &dyn Fn(usize) -> bool) {
        for (set, index) in [(false, false), (false, true), (true, true)] {
            let mut words = vec![0u64; values.len().div_ceil(64)];
            (0..values.len()).filter(|r| known(*r)).for_each(|r| words[r / 64] |= 1 << (r % 64));
            let mut own = Integers { values: values.to_vec(), known: words };
            let mut sink = FrameSink::default();
            let toc = encode(&mut sink, &mut own, Style { set, index });
            let bytes = |frame| sink.bytes_of(frame);
            let beside = toc.known_bits.filter(|_| toc.of_known());
            let block = IntegerBlock {
                toc: &toc,
                frame: bytes(toc.frame),
                beside: bytes(toc.beside),
                known: bytes(beside),
                kept: Kept::default(),
            };
            let mut all = Vec::new();
            block.decode(0, values.len(), &mut all).unwrap();
            for step in [1, 3, 50, 200] {
                let rows: Vec<u32> =
                    (0u32..).step_by(step).take_while(|r| (*r as usize) < all.len()).collect();
                let (mut picked, mut expected) = (Vec::new(), Vec::new());
                block.pick(&rows, &mut picked).unwrap();
                rows.iter().for_each(|row| expected.push(all[*row as usize]));
                let told = |list: &[i64]| -> Vec<i64> {
                    let pairs = rows.iter().zip(list).filter(|(row, _)| known(**row as usize));
                    pairs.map(|(_, value)| *value).collect()
                };
                assert_eq!(told(&picked), told(&expected), "{:?}, {step}", block.encoding());
            }
            // All known rows of a part, and every third row of it.
            let size = values.len().div_ceil(64);
            let (third, whole) = (size / 3, 0..size);
            for (part, lead, step) in [
                (whole.clone(), 0, 1),
                (whole.clone(), 0, 3),
                (whole, 7, 1),
                (third..size, 5, 1),
                (third..size - third, 9, 1),
                (third..size - third, 0, 5),
                (0..0, 0, 1),
            ] {
                let bits = |rows: &[usize]| {
                    let mut bits = vec![0u64; part.len()];
                    rows.iter().for_each(|r| bits[r / 64 - part.start] |= 1 << (r % 64));
                    bits
                };
                let rows = part.start * 64..values.len().min(part.end * 64);
                let every: Vec<usize> = rows.clone().filter(|r| known(*r)).collect();
                let rows = rows.start + lead..rows.end.saturating_sub(lead);
                let rows: Vec<usize> = rows.step_by(step).filter(|r| known(*r)).collect();
                let (every, own, mut found) = (bits(&every), bits(&rows), Vec::new());
                block.known_values(part.clone(), &every, &own, &mut found).unwrap();
                let expected: Vec<i64> = rows.iter().map(|row| all[*row]).collect();
                assert_eq!(found, expected, "{:?}, {step}", block.encoding());
            }
        }
    }

    #[test]
    fn what_is_picked_is_what_is_decoded() {
        let mixed = |n: i64| n.wrapping_mul(0x1E37_79B9_7F4A_7C15).rotate_left(29);
        for rows in [1, 64, 1_000] {
            for known in [|_: usize| true, |r: usize| !r.is_multiple_of(3), |r: usize| r % 7 == 2] {
                check(&(0..rows).map(|_| 5).collect::<Vec<_>>(), &known);
                check(&(0..rows).map(|n| mixed(n) & 0xFFFF).collect::<Vec<_>>(), &known);
                check(&(0..rows).map(|n| mixed(n) & 7).collect::<Vec<_>>(), &known);
                check(&(0..rows).map(|n| (mixed(n) & 3) << 33).collect::<Vec<_>>(), &known);
                check(&(0..rows).map(|n| n / 90).collect::<Vec<_>>(), &known);
            }
        }
    }
}
