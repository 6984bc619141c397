//! Packed integers, 64 at a time.
//!
//! 64 numbers of `bits` bits take `bits * 8` bytes, so that every group begins at a byte. For
//! each width there is a kernel in which every place and every shift is a constant; the width is
//! looked at once a frame. Numbers come out in the narrowest lane that holds them, because a
//! comparison of many narrow lanes is one instruction.
//!
//! Invariant: a kernel reads the bytes of its group and no other.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "places are constants inside a group; a number of a lane's width fits the lane"
)]

use std::ops::Range;

/// Numbers of a group: the rows of one word of a row set.
pub(crate) const GROUP: usize = 64;
/// Bytes of a group of the widest numbers.
const GROUP_BYTES_MAX: usize = GROUP * 8;

/// An unsigned number that a packed one fits into.
pub(crate) trait Lane: Copy + PartialOrd + Default {
    /// The lower bits of a number.
    fn of(value: u64) -> Self;
    /// The number.
    fn wide(self) -> u64;
    /// The difference, modulo the width of the lane.
    fn minus(self, other: Self) -> Self;
}

macro_rules! lanes {
    ($($lane:ty)*) => {$(
        impl Lane for $lane {
            #[inline(always)]
            fn of(value: u64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn wide(self) -> u64 {
                u64::from(self)
            }

            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
        }
    )*};
}

lanes! { u8 u16 u32 u64 }

/// What is done with the groups of a frame, one after the other.
pub(crate) trait Take {
    /// Takes the numbers of the next group.
    fn take<T: Lane>(&mut self, lanes: &[T; GROUP]);
}

#[inline(always)]
fn load(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0u8; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// Number `AT` of a group, by one load that stays inside the group.
#[inline(always)]
fn one<const BITS: usize, const AT: usize>(group: &[u8]) -> u64 {
    let byte = if AT * BITS / 8 < BITS * 8 - 8 { AT * BITS / 8 } else { BITS * 8 - 8 };
    let mask = if BITS == 64 { u64::MAX } else { (1 << BITS) - 1 };
    load(group, byte) >> (AT * BITS - byte * 8) & mask
}

macro_rules! each_place {
    ($bits:ident, $lane:ident, $group:ident, $lanes:ident: $($at:literal)*) => {
        $($lanes[$at] = $lane::of(one::<$bits, $at>($group));)*
    };
}

/// The numbers of a group. Written out, not as a loop: a loop would compute its places.
#[inline(never)]
fn group<const BITS: usize, T: Lane>(bytes: &[u8], lanes: &mut [T; GROUP]) {
    let Some(bytes) = bytes.get(..BITS * 8) else { return };
    each_place!(BITS, T, bytes, lanes:
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60
        61 62 63);
}

/// The kernel of a width.
enum Kernel {
    Bytes(fn(&[u8], &mut [u8; GROUP])),
    Halves(fn(&[u8], &mut [u16; GROUP])),
    Words(fn(&[u8], &mut [u32; GROUP])),
    Doubles(fn(&[u8], &mut [u64; GROUP])),
}

/// The kernel of a width from 1 that [`super::packed::packed_fits`] allows.
fn kernel(bits: u8) -> Option<Kernel> {
    macro_rules! widths {
        ($($kind:ident $lane:ident: $($bits:literal)*;)*) => {
            match bits {
                $($($bits => Some(Kernel::$kind(group::<$bits, $lane>)),)*)*
                _ => None,
            }
        };
    }
    widths! {
        Bytes u8: 1 2 3 4 5 6 7 8;
        Halves u16: 9 10 11 12 13 14 15 16;
        Words u32: 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32;
        Doubles u64: 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 64;
    }
}

/// Gives `sink` the groups `groups` of a frame of numbers of `bits` bits. The last may end
/// before it is full: what its frame does not have is any number. A width of 0 is zeros.
pub(crate) fn each_group(frame: &[u8], bits: u8, groups: Range<usize>, sink: &mut impl Take) {
    match kernel(bits) {
        Some(Kernel::Bytes(kernel)) => run(kernel, (frame, bits), groups, sink),
        Some(Kernel::Halves(kernel)) => run(kernel, (frame, bits), groups, sink),
        Some(Kernel::Words(kernel)) => run(kernel, (frame, bits), groups, sink),
        Some(Kernel::Doubles(kernel)) => run(kernel, (frame, bits), groups, sink),
        None => groups.for_each(|_| sink.take(&[0u8; GROUP])),
    }
}

fn run<T: Lane>(
    kernel: fn(&[u8], &mut [T; GROUP]),
    (frame, bits): (&[u8], u8),
    groups: Range<usize>,
    sink: &mut impl Take,
) {
    let size = usize::from(bits) * 8;
    let mut lanes = [T::default(); GROUP];
    let whole = frame.get(groups.start * size..).unwrap_or_default().chunks_exact(size);
    let rest = whole.remainder();
    let mut left = groups.len();
    for bytes in whole.take(left) {
        kernel(bytes, &mut lanes);
        sink.take(&lanes);
        left -= 1;
    }
    if left > 0 {
        let mut last = [0u8; GROUP_BYTES_MAX];
        last[..rest.len()].copy_from_slice(rest);
        kernel(&last, &mut lanes);
        sink.take(&lanes);
    }
}

/// A test of the numbers of a group.
pub(crate) trait Test {
    /// Writes 1 for a number that is kept and 0 for another.
    fn flags<T: Lane>(&self, lanes: &[T; GROUP], flags: &mut [u8; GROUP]);
}

/// Keeps the numbers from `low` to `high`, both included and both of the width of the frame.
pub(crate) struct Between {
    pub low: u64,
    pub high: u64,
}

impl Test for Between {
    #[inline(always)]
    fn flags<T: Lane>(&self, lanes: &[T; GROUP], flags: &mut [u8; GROUP]) {
        // With one comparison: what is below `low` becomes greater than any distance.
        let (low, span) = (T::of(self.low), T::of(self.high - self.low));
        for (flag, lane) in flags.iter_mut().zip(lanes) {
            *flag = u8::from(lane.minus(low) <= span);
        }
    }
}

/// Keeps the numbers for which a function says so.
pub(crate) struct Each<F>(pub F);

impl<F: Fn(u64) -> bool> Test for Each<F> {
    #[inline(always)]
    fn flags<T: Lane>(&self, lanes: &[T; GROUP], flags: &mut [u8; GROUP]) {
        for (flag, lane) in flags.iter_mut().zip(lanes) {
            *flag = u8::from((self.0)(lane.wide()));
        }
    }
}

/// A test, and the words whose bits it has yet to give.
struct Masks<'a, S> {
    test: &'a S,
    words: std::slice::IterMut<'a, u64>,
}

impl<S: Test> Take for Masks<'_, S> {
    fn take<T: Lane>(&mut self, lanes: &[T; GROUP]) {
        let mut flags = [0u8; GROUP];
        self.test.flags(lanes, &mut flags);
        if let Some(word) = self.words.next() {
            *word = bits_of(&flags);
        }
    }
}

/// The lowest bits of 64 bytes as one word.
#[inline(always)]
fn bits_of(flags: &[u8; GROUP]) -> u64 {
    let mut word = 0;
    for (at, eight) in flags.chunks_exact(8).enumerate() {
        // The product moves the bit of byte n to bit 56 + n; no two meet on the way.
        let bits = load(eight, 0).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= bits << (at * 8);
    }
    word
}

/// A bit for each of the first `rows` numbers of a frame: whether the test keeps it.
pub(crate) fn masks(frame: &[u8], bits: u8, rows: usize, test: &impl Test) -> Vec<u64> {
    let mut words = vec![0; rows.div_ceil(GROUP)];
    let groups = 0..words.len();
    each_group(frame, bits, groups, &mut Masks { test, words: words.iter_mut() });
    if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(GROUP)) {
        *last &= (1 << (rows % GROUP)) - 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::packed::{pack, unpack};
    use super::*;
    use crate::format::PACK_PADDING;

    /// Numbers without a pattern, the least and the greatest of a width among them.
    fn numbers(rows: usize, bits: u8) -> Vec<u64> {
        let top = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        let mixed = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(17) & top;
        let mut numbers: Vec<u64> = (1..=rows as u64).map(mixed).collect();
        numbers.iter_mut().step_by(7).for_each(|number| *number = top);
        numbers.iter_mut().skip(3).step_by(11).for_each(|number| *number = 0);
        numbers
    }

    /// The widths that are packed.
    fn widths() -> impl Iterator<Item = u8> {
        (0..=57).chain([64])
    }

    #[test]
    fn every_width_unpacks_from_and_to_every_row() {
        let rows = 64 * 3 + 37;
        for bits in widths() {
            let expected = numbers(rows, bits);
            let frame = pack(expected.iter().copied(), rows, bits);
            assert_eq!(frame.len(), (rows * usize::from(bits)).div_ceil(8) + PACK_PADDING);
            let edges = [0, 1, 63, 64, 65, 127, 128, 190, 192, 193, rows - 1, rows];
            for (from, to) in edges.into_iter().flat_map(|from| edges.map(|to| (from, to))) {
                let mut found = Vec::new();
                unpack(&frame, bits, from, to, |number| found.push(number));
                let expected = expected.get(from..to).unwrap_or_default();
                assert_eq!(found, expected, "{bits} bits, rows {from} to {to}");
            }
        }
    }

    #[test]
    fn every_width_is_tested_as_number_by_number() {
        for (bits, rows) in widths().flat_map(|bits| [1, 63, 64, 65, 250].map(|rows| (bits, rows)))
        {
            let numbers = numbers(rows, bits);
            let frame = pack(numbers.iter().copied(), rows, bits);
            let top = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
            let bounds = [0, 1, top / 3, top / 2, top - top / 5, top.saturating_sub(1), top];
            for (low, high) in bounds.into_iter().flat_map(|low| bounds.map(|high| (low, high))) {
                let (low, high) = (low.min(high).min(top), low.max(high).min(top));
                let mut expected = vec![0u64; rows.div_ceil(GROUP)];
                for (row, number) in numbers.iter().enumerate() {
                    expected[row / 64] |= u64::from((low..=high).contains(number)) << (row % 64);
                }
                let between = masks(&frame, bits, rows, &Between { low, high });
                assert_eq!(between, expected, "{bits} bits, {rows} rows, {low} to {high}");
                let each = masks(&frame, bits, rows, &Each(|n| (low..=high).contains(&n)));
                assert_eq!(each, expected, "{bits} bits, {rows} rows, {low} to {high}, each");
            }
        }
    }
}
