//! Numbers of one width, one behind the other.
//!
//! Invariant of the bytes: `rows * bits` bits, lowest first, then [`PACK_PADDING`] zero bytes;
//! `bits` is at most 57, or 64, so that every value lies in one 8-byte load.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "packing is arithmetic modulo 2^64; `packed_fits` is checked before any load"
)]

use super::unpack::{GROUP, Lane, Take, each_group};
use crate::cpu::Cpu;
use crate::format::PACK_PADDING;

/// The widest packed value that one unaligned 8-byte load always holds.
const BITS_LOADED: u8 = 57;

/// How many bits a number takes, of the widths that are packed.
pub(crate) fn bits_for(span: u64) -> u8 {
    let bits = (64 - span.leading_zeros()) as u8;
    if bits > BITS_LOADED { 64 } else { bits }
}

/// Packs values, each less than `2^bits`.
pub(crate) fn pack(values: impl Iterator<Item = u64>, rows: usize, bits: u8) -> Vec<u8> {
    let size = (rows * usize::from(bits)).div_ceil(8) + PACK_PADDING;
    let mut bytes = Vec::with_capacity(size + 8);
    let (bits, mut word, mut filled) = (u32::from(bits), 0u64, 0u32);
    for value in values.take(if bits == 0 { 0 } else { rows }) {
        word |= value << filled;
        filled += bits;
        if filled >= 64 {
            bytes.extend(word.to_le_bytes());
            filled -= 64;
            // What did not fit; all of it did where nothing is left over.
            word = value.checked_shr(bits - filled).unwrap_or(0);
        }
    }
    bytes.extend(word.to_le_bytes());
    bytes.resize(size, 0);
    bytes
}

/// Whether a frame of that length holds `rows` values of `bits` bits.
pub(crate) fn packed_fits(length: u64, rows: u32, bits: u8) -> bool {
    let needed = (u64::from(rows) * u64::from(bits)).div_ceil(8) + PACK_PADDING as u64;
    (bits <= BITS_LOADED || bits == 64) && length >= needed
}

/// Value `row` of a frame that [`packed_fits`].
pub(crate) fn one(frame: &[u8], bits: u8, row: usize) -> u64 {
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
    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, _: C, lanes: &[T; GROUP]) {
        lanes.iter().for_each(|lane| (self.0)(lane.wide()));
    }
}

/// Appends the values of a group to a list, a base added.
struct Decoded<'a> {
    base: i64,
    out: &'a mut Vec<i64>,
}

impl Take for Decoded<'_> {
    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, _: C, lanes: &[T; GROUP]) {
        let base = self.base;
        self.out.extend(lanes.iter().map(|lane| base.wrapping_add(lane.wide() as i64)));
    }
}

/// Appends the values `from..to` of a frame that [`packed_fits`] to `out`, a base added.
pub(crate) fn decode(
    (frame, bits, base): (&[u8], u8, i64),
    from: usize,
    to: usize,
    out: &mut Vec<i64>,
) {
    let head = to.min(from.next_multiple_of(GROUP));
    let tail = head.max(to - to % GROUP);
    let single = |row| base.wrapping_add(one(frame, bits, row) as i64);
    out.reserve(to - from);
    out.extend((from..head).map(single));
    each_group(frame, bits, head / GROUP..tail / GROUP, &mut Decoded { base, out });
    out.extend((tail..to).map(single));
}
