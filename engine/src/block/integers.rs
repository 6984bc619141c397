//! Integers in frame of reference and bit packing.
//!
//! Invariant of the bytes: `rows * bits` bits, lowest first, then [`PACK_PADDING`] zero bytes;
//! `bits` is at most 57, or 64, so that every value lies in one 8-byte load.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "packing is arithmetic modulo 2^64; `packed_fits` is checked before any load"
)]

use super::unpack::{GROUP, Lane, Take, each_group};
use super::{BlockToc, FrameSink};
use crate::format::{Encoding, PACK_PADDING};

/// The widest packed value that one unaligned 8-byte load always holds.
const BITS_LOADED: u8 = 57;

fn bits_for(span: u64) -> u8 {
    let bits = (64 - span.leading_zeros()) as u8;
    if bits > BITS_LOADED { 64 } else { bits }
}

/// Packs values, each less than `2^bits`.
pub(crate) fn pack(values: impl Iterator<Item = u64>, rows: usize, bits: u8) -> Vec<u8> {
    let mut bytes = vec![0u8; (rows * usize::from(bits)).div_ceil(8) + PACK_PADDING];
    for (row, value) in values.enumerate() {
        let bit = row * usize::from(bits);
        let at = bit / 8;
        let mut word = [0u8; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        let joined = u64::from_le_bytes(word) | value << (bit % 8);
        bytes[at..at + 8].copy_from_slice(&joined.to_le_bytes());
    }
    bytes
}

/// Whether a frame of that length holds `rows` values of `bits` bits.
pub(crate) fn packed_fits(length: u64, rows: u32, bits: u8) -> bool {
    let needed = (u64::from(rows) * u64::from(bits)).div_ceil(8) + PACK_PADDING as u64;
    (bits <= BITS_LOADED || bits == 64) && length >= needed
}

/// Value `row` of a frame that [`packed_fits`].
fn one(frame: &[u8], bits: u8, row: usize) -> u64 {
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    let bit = row * usize::from(bits);
    let mut word = [0u8; 8];
    word.copy_from_slice(&frame[bit / 8..bit / 8 + 8]);
    u64::from_le_bytes(word) >> (bit % 8) & mask
}

/// Calls `take` with the values `from..to` of a frame that [`packed_fits`].
pub(crate) fn unpack(frame: &[u8], bits: u8, from: usize, to: usize, mut take: impl FnMut(u64)) {
    let head = to.min(from.next_multiple_of(GROUP));
    let tail = head.max(to - to % GROUP);
    (from..head).for_each(|row| take(one(frame, bits, row)));
    each_group(frame, bits, head / GROUP..tail / GROUP, &mut Values(&mut take));
    (tail..to).for_each(|row| take(one(frame, bits, row)));
}

/// Takes every value of a group.
struct Values<'a, F>(&'a mut F);

impl<F: FnMut(u64)> Take for Values<'_, F> {
    fn take<T: Lane>(&mut self, lanes: &[T; GROUP]) {
        lanes.iter().for_each(|lane| (self.0)(lane.wide()));
    }
}

/// Appends the values of a group to a list, a base added.
struct Decoded<'a> {
    base: i64,
    out: &'a mut Vec<i64>,
}

impl Take for Decoded<'_> {
    fn take<T: Lane>(&mut self, lanes: &[T; GROUP]) {
        let base = self.base;
        self.out.extend(lanes.iter().map(|lane| base.wrapping_add(lane.wide() as i64)));
    }
}

/// Appends the values `from..to` of a block to `out`.
pub(crate) fn decode(toc: &BlockToc, frame: &[u8], from: usize, to: usize, out: &mut Vec<i64>) {
    if toc.encoding == Encoding::Constant as u8 {
        out.resize(out.len() + (to - from), toc.base);
        return;
    }
    let (base, bits) = (toc.base, toc.bits);
    let head = to.min(from.next_multiple_of(GROUP));
    let tail = head.max(to - to % GROUP);
    let single = |row| base.wrapping_add(one(frame, bits, row) as i64);
    out.reserve(to - from);
    out.extend((from..head).map(single));
    each_group(frame, bits, head / GROUP..tail / GROUP, &mut Decoded { base, out });
    out.extend((tail..to).map(single));
}

/// Writes one block; `known` holds a bit a row.
pub(crate) fn encode(sink: &mut FrameSink, values: &[i64], known: &[u64]) -> BlockToc {
    let rows = values.len() as u32;
    let is_known = |row: usize| known[row / 64] >> (row % 64) & 1 == 1;
    let (mut min, mut max, mut count) = (i64::MAX, i64::MIN, 0u32);
    for (row, &value) in values.iter().enumerate() {
        if is_known(row) {
            min = min.min(value);
            max = max.max(value);
            count += 1;
        }
    }
    if count == 0 {
        (min, max) = (0, 0);
    }
    let bits = bits_for(max.wrapping_sub(min) as u64);
    let mut toc = BlockToc {
        rows,
        known: count,
        min,
        max,
        encoding: Encoding::Constant as u8,
        bits: 0,
        base: min,
        plain_bytes: 0,
        distinct: 0,
        frame: None,
        beside: None,
        known_bits: sink.put_known(known, rows, count),
    };
    if bits > 0 {
        let spans = values.iter().enumerate();
        let spans =
            spans.map(|(row, v)| if is_known(row) { v.wrapping_sub(min) as u64 } else { 0 });
        toc.encoding = Encoding::Packed as u8;
        toc.bits = bits;
        toc.frame = Some(sink.put(&pack(spans, values.len(), bits)));
    }
    toc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[i64], unknown: &[usize]) {
        let mut known = vec![u64::MAX; values.len().div_ceil(64)];
        for &row in unknown {
            known[row / 64] &= !(1 << (row % 64));
        }
        let mut sink = FrameSink { bytes: Vec::new(), frames: 0 };
        let toc = encode(&mut sink, values, &known);
        let frame = toc.frame.map_or(&[][..], |f| {
            assert!(packed_fits(f.length, toc.rows, toc.bits));
            &sink.bytes[f.offset as usize..(f.offset + f.length) as usize]
        });
        for (from, to) in [(0, values.len()), (values.len() / 3, values.len() / 2)] {
            let mut out = Vec::new();
            decode(&toc, frame, from, to, &mut out);
            for (row, (a, b)) in (from..to).zip(values[from..to].iter().zip(&out)) {
                assert!(a == b || unknown.contains(&row), "row {row}: {a} became {b}");
            }
        }
    }

    #[test]
    fn every_width_reads_back() {
        check(&[], &[]);
        check(&[7; 100], &[3]);
        check(&[i64::MIN, i64::MAX, 0, -1], &[]);
        for bits in 0..64u32 {
            let top = (1i64 << bits).wrapping_sub(1);
            let values: Vec<i64> = (0..200).map(|n| top.wrapping_mul(n) & top).collect();
            check(&values, &[0, 64, 199]);
        }
    }
}
