//! A block of integers asked for little of it.
//!
//! Invariant: what is read is what [`IntegerBlock::decode`] gives.

use std::borrow::Cow;
use std::ops::Range;

use super::container;
use super::integers::IntegerBlock;
use super::packed;
use super::places::Places;
use crate::cpu::{Cpu, EIGHT, Kernel, run};
use crate::format::Encoding;
use crate::lift::extracted;
use crate::words;

/// Rows up to so many are read from planes one by one.
const FEW: usize = 64;

/// Where one row of so many is wanted, those between are read too.
const DENSE: usize = 4;

/// Values of neighbouring rows, the first of which is that of a bit of the first word: those whose
/// bits are set are appended.
struct Pressed<'a> {
    own: &'a [u64],
    first: usize,
    values: &'a [i64],
    /// How many of them there are.
    count: usize,
    out: &'a mut Vec<i64>,
}

impl Kernel for Pressed<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let (mut left, mut skipped, start) = (self.values, self.first, self.out.len());
        // Each eight of them lie over what the eight before have left.
        self.out.resize(start + self.count + EIGHT, 0);
        let mut slots = self.out.get_mut(start..).unwrap_or_default();
        for word in self.own {
            let (near, rest) = left.split_at((64 - skipped).min(left.len()));
            let word = word >> skipped;
            (left, skipped) = (rest, 0);
            for (mask, eight) in word.to_le_bytes().into_iter().zip(near.chunks(EIGHT)) {
                let eight = match eight.as_array::<EIGHT>() {
                    Some(eight) => *eight,
                    None => {
                        let mut last = [0; EIGHT];
                        last.iter_mut().zip(eight).for_each(|(slot, value)| *slot = *value);
                        last
                    }
                };
                if let Some(slots) = slots.first_chunk_mut::<EIGHT>() {
                    *slots = cpu.compressed(&eight, mask);
                }
                slots = slots.get_mut(mask.count_ones() as usize..).unwrap_or_default();
            }
        }
        self.out.truncate(start + self.count);
    }
}

/// Appends what is said of each bit of some words, so many of them.
#[inline(always)]
fn each_listed(
    own: &[u64],
    count: usize,
    out: &mut Vec<i64>,
    value: impl Fn(usize) -> Option<i64>,
) -> Option<()> {
    let start = out.len();
    out.resize(start + count, 0);
    let mut slots = out.get_mut(start..)?.iter_mut();
    for (word, first) in own.iter().zip((0usize..).step_by(64)) {
        let mut rest = *word;
        while rest != 0 {
            *slots.next()? = value(first + rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
        }
    }
    Some(())
}

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
        if count == 0 {
            return Some(());
        }
        if !self.toc.of_known() {
            return self.stored_of(part.start * 64, own, count, out);
        }
        let all = words::count(known);
        let before = usize::try_from(self.known_before_part(&part, all)?).ok()?;
        if all == count {
            return self.stored_between(before, before + usize::try_from(count).ok()?, out);
        }
        let lead = before % 64;
        let stored = extracted(own, known, u32::try_from(lead).ok()?);
        self.stored_of(before - lead, &stored, count, out)
    }

    /// Appends the stored values from one place to another.
    fn stored_between(&self, from: usize, to: usize, out: &mut Vec<i64>) -> Option<()> {
        if to > usize::try_from(self.toc.stored()).ok()? {
            return None;
        }
        self.stored_values(from, to, out)
    }

    /// Appends the stored values whose bits are set, so many of them; the lowest bit of the first
    /// word is that of the value at a place, a multiple of 64.
    fn stored_of(&self, place: usize, own: &[u64], count: u64, out: &mut Vec<i64>) -> Option<()> {
        let count = usize::try_from(count).ok()?;
        let low = own.iter().position(|word| *word != 0)?;
        let high = own.iter().rposition(|word| *word != 0)?;
        let first = low * 64 + own.get(low)?.trailing_zeros() as usize;
        let last = high * 64 + 63 - own.get(high)?.leading_zeros() as usize;
        let (from, to) = (place + first, place + last + 1);
        if to > usize::try_from(self.toc.stored()).ok()? {
            return None;
        }
        let own = own.get(low..=high)?;
        let whole = count == to - from;
        let encoding = self.encoding()?;
        let runs = matches!(encoding, Encoding::Constant | Encoding::Runs);
        if whole || runs || count * DENSE > to - from {
            // Those between are read too.
            if whole {
                return self.stored_values(from, to, out);
            }
            let mut values = Vec::with_capacity(to - from);
            self.stored_values(from, to, &mut values)?;
            run(Pressed { own, first: first % 64, values: &values, count, out });
            return Some(());
        }
        let base = self.toc.base;
        let at = place + low * 64;
        match encoding {
            Encoding::Packed => {
                let (frame, bits) = self.packed()?;
                let value = |bit: usize| {
                    let number = packed::one(frame, bits, at + bit);
                    Some(base.wrapping_add(number.cast_signed()))
                };
                each_listed(own, count, out, value)
            }
            Encoding::ListPacked => {
                let ((frame, bits), list) = (self.packed()?, self.list()?);
                each_listed(own, count, out, |bit| {
                    let number = packed::one(frame, bits, at + bit);
                    list.get(usize::try_from(number).ok()?).copied()
                })
            }
            Encoding::Planes if count > FEW => self.planes()?.pick(at / 64, own, base, out),
            Encoding::ListPlanes if count > FEW => {
                let (list, start) = (self.list()?, out.len());
                self.planes()?.pick(at / 64, own, 0, out)?;
                for slot in out.get_mut(start..)? {
                    *slot = *list.get(usize::try_from(*slot).ok()?)?;
                }
                Some(())
            }
            _ => {
                let at = u32::try_from(at).ok()?;
                let places: Vec<u32> = container::rows(own).map(|bit| at + bit).collect();
                self.pick_stored(&places, out)
            }
        }
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
