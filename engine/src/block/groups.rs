//! Packed numbers that rise about evenly: 64 rows share where they begin.
//!
//! The bytes: what each number is above its group's beginning, packed, nothing where all are their
//! beginning; then the beginnings, packed.
#![expect(clippy::cast_possible_truncation, reason = "rows of a block fit u32")]

use super::packed::{self, bits_for, pack, packed_fits};
use crate::format::PACK_PADDING;

/// Rows of a group.
const GROUP_ROWS: usize = 64;

/// Numbers in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    frame: &'a [u8],
    bits: u8,
}

impl<'a> Packed<'a> {
    /// None where the frame is shorter than `rows` numbers of `bits` bits.
    pub(super) fn new(frame: &'a [u8], rows: u32, bits: u8) -> Option<Self> {
        let fits = bits == 0 || packed_fits(frame.len() as u64, rows, bits);
        fits.then_some(Self { frame, bits })
    }

    /// Number `row`.
    pub(super) fn get(self, row: usize) -> u64 {
        if self.bits == 0 { 0 } else { packed::one(self.frame, self.bits, row) }
    }
}

/// The bytes of numbers of `bits` bits, and the bits of what they are above their beginnings; none
/// where that is not an eighth lighter than the numbers themselves.
pub(super) fn write(numbers: &[u64], bits: u8) -> Option<(Vec<u8>, u8)> {
    let groups = numbers.chunks(GROUP_ROWS);
    let starts: Vec<u64> = groups.map(|group| group.iter().copied().min().unwrap_or(0)).collect();
    let above = numbers.chunks(GROUP_ROWS).zip(&starts);
    let above = above.flat_map(|(group, start)| group.iter().map(|number| number - *start));
    let own = bits_for(above.clone().max().unwrap_or(0));
    let size = numbers.len() * usize::from(own) + starts.len() * usize::from(bits);
    if starts.len() < 2 || size * 8 > numbers.len() * usize::from(bits) * 7 {
        return None;
    }
    let mut frame = if own > 0 { pack(above, numbers.len(), own) } else { Vec::new() };
    let count = starts.len();
    frame.extend(pack(starts.into_iter(), count, bits));
    Some((frame, own))
}

/// Numbers of a block, in groups or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups<'a> {
    own: Packed<'a>,
    starts: Option<Packed<'a>>,
}

impl<'a> Groups<'a> {
    /// Finds numbers of `bits` bits above beginnings of `start_bits`, 0 where there are none; none
    /// where the frame is too short.
    pub(super) fn new(frame: &'a [u8], rows: u32, (bits, start_bits): (u8, u32)) -> Option<Self> {
        if start_bits == 0 {
            return Some(Self { own: Packed::new(frame, rows, bits)?, starts: None });
        }
        let bytes = (rows as usize * usize::from(bits)).div_ceil(8) + PACK_PADDING;
        let (own, starts) = frame.split_at_checked(if bits == 0 { 0 } else { bytes })?;
        let count = (rows as usize).div_ceil(GROUP_ROWS) as u32;
        let starts = Packed::new(starts, count, u8::try_from(start_bits).ok()?)?;
        Some(Self { own: Packed::new(own, rows, bits)?, starts: Some(starts) })
    }

    /// Number `row`.
    pub(super) fn get(&self, row: usize) -> u64 {
        let start = self.starts.map_or(0, |starts| starts.get(row / GROUP_ROWS));
        start.wrapping_add(self.own.get(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_their_groups() {
        let mixed = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        for (rows, noise, light) in [(650, 1, true), (9_000, 90, true), (9_000, 1 << 40, false)] {
            let numbers: Vec<u64> = (0..rows).map(|n| n * 1_000 + mixed(n) % noise).collect();
            let bits = bits_for(numbers.iter().copied().max().unwrap_or(0));
            let written = write(&numbers, bits);
            assert_eq!(written.is_some(), light, "{rows} rows");
            let Some((frame, own)) = written else { continue };
            assert!(own < bits);
            let size = numbers.len() as u32;
            let read = Groups::new(&frame, size, (own, bits.into()));
            let read: Vec<_> = (0..numbers.len()).map(|row| read.map(|r| r.get(row))).collect();
            assert!(read.iter().copied().eq(numbers.iter().copied().map(Some)));
            assert!(Groups::new(&frame[..frame.len() - 1], size, (own, bits.into())).is_none());
        }
    }
}
