//! A block of integers asked for little of it.
//!
//! Invariant: what is read is what [`IntegerBlock::decode`] gives.

use std::borrow::Cow;

use super::integers::IntegerBlock;
use super::packed;
use super::places::Places;
use crate::format::Encoding;

/// Rows up to so many are read from planes one by one.
const FEW: usize = 64;

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
