//! Packed integers, 64 at a time.
//!
//! 64 numbers of `bits` bits take `bits * 8` bytes, so that every group begins at a byte. Where the
//! processor moves bytes of a vector by a table, there is a table for each width
//! ([`super::plans`]); elsewhere there is a kernel for each width in which every place and every
//! shift is a constant. Numbers come out in a narrow lane, because a comparison of many narrow
//! lanes is one instruction.
//!
//! Invariant: what is not in the frame is read as zeros.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "places are constants inside a group; a number of a lane's width fits the lane"
)]

use std::ops::Range;

use super::plans::{EIGHTS, PLANS, Plan};
use crate::cpu::{Cpu, EIGHT, Kernel, Level, run};

/// Numbers of a group: the rows of one word of a row set.
pub(crate) const GROUP: usize = 64;
/// Bytes of a group of the widest numbers.
const GROUP_BYTES_MAX: usize = GROUP * 8;
/// Bytes that are read at once, at most.
const READ_BYTES: usize = 64;

/// An unsigned number that a packed one fits into.
pub(crate) trait Lane: Copy + PartialOrd + Default {
    /// The lower bits of a number.
    fn of(value: u64) -> Self;
    /// The number.
    fn wide(self) -> u64;
    /// The difference, modulo the width of the lane.
    fn minus(self, other: Self) -> Self;
    /// Numbers that stand in bytes, those bits of them that a mask has.
    fn from_bytes(bytes: &[u8; 64], mask: u64, lanes: &mut [Self]);
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

            #[inline(always)]
            fn from_bytes(bytes: &[u8; 64], mask: u64, lanes: &mut [Self]) {
                let own = bytes.as_chunks::<{ size_of::<$lane>() }>().0;
                for (lane, bytes) in lanes.iter_mut().zip(own) {
                    *lane = <$lane>::from_le_bytes(*bytes) & mask as $lane;
                }
            }
        }
    )*};
}

lanes! { u8 u16 u32 u64 }

/// What is done with the groups of a frame, one after the other.
pub(crate) trait Take {
    /// Whether the next group is taken; else it is left out.
    #[inline(always)]
    fn wants(&mut self) -> bool {
        true
    }

    /// Takes the numbers of the next group. To be marked `#[inline(always)]`.
    fn take<C: Cpu, T: Lane>(&mut self, cpu: C, lanes: &[T; GROUP]);
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
enum Kernel64 {
    Bytes(fn(&[u8], &mut [u8; GROUP])),
    Halves(fn(&[u8], &mut [u16; GROUP])),
    Words(fn(&[u8], &mut [u32; GROUP])),
    Doubles(fn(&[u8], &mut [u64; GROUP])),
}

/// The kernel of a width from 1 that [`super::packed::packed_fits`] allows.
fn kernel(bits: u8) -> Option<Kernel64> {
    macro_rules! widths {
        ($($kind:ident $lane:ident: $($bits:literal)*;)*) => {
            match bits {
                $($($bits => Some(Kernel64::$kind(group::<$bits, $lane>)),)*)*
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
    run(Groups { frame, bits, groups, sink });
}

struct Groups<'a, S> {
    frame: &'a [u8],
    bits: u8,
    groups: Range<usize>,
    sink: &'a mut S,
}

impl<S: Take> Kernel for Groups<'_, S> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let bits = usize::from(self.bits);
        let plan = PLANS.get(bits).filter(|plan| plan.fits);
        if let Some(plan) = plan.filter(|_| C::LEVEL == Level::Avx512) {
            match self.bits {
                0..=8 => self.permuted::<C, u8>(cpu, plan),
                9..=16 => self.permuted::<C, u16>(cpu, plan),
                17..=32 => self.permuted::<C, u32>(cpu, plan),
                _ => self.permuted::<C, u64>(cpu, plan),
            }
            return;
        }
        let eights = EIGHTS.get(bits).filter(|eights| eights.fits);
        if let Some(eights) = eights.filter(|_| C::LEVEL == Level::Avx2) {
            let (second, mask) = (bits / 2, u64::MAX >> (64 - bits));
            let (index, shift) = (eights.index, eights.shift);
            self.each(
                cpu,
                7 * bits + second + 16,
                #[inline(always)]
                |cpu, bytes, lanes: &mut [u32; GROUP]| {
                    for (at, own) in lanes.as_chunks_mut::<EIGHT>().0.iter_mut().enumerate() {
                        let Some(rest) = bytes.get(at * bits..) else { return };
                        let high = rest.get(second..).unwrap_or_default().first_chunk::<16>();
                        let (Some(low), Some(high)) = (rest.first_chunk::<16>(), high) else {
                            return;
                        };
                        *own = cpu.shuffle([low, high], &index, &shift);
                        own.iter_mut().for_each(|number| *number &= mask as u32);
                    }
                },
            );
            return;
        }
        match kernel(self.bits) {
            Some(Kernel64::Bytes(kernel)) => self.each(cpu, bits * 8, |_, b, l| kernel(b, l)),
            Some(Kernel64::Halves(kernel)) => self.each(cpu, bits * 8, |_, b, l| kernel(b, l)),
            Some(Kernel64::Words(kernel)) => self.each(cpu, bits * 8, |_, b, l| kernel(b, l)),
            Some(Kernel64::Doubles(kernel)) => self.each(cpu, bits * 8, |_, b, l| kernel(b, l)),
            None => self.each(cpu, 0, |_, _, _: &mut [u8; GROUP]| {}),
        }
    }
}

impl<S: Take> Groups<'_, S> {
    /// Unpacks vectors of numbers by a plan.
    #[inline(always)]
    fn permuted<C: Cpu, T: Lane>(self, cpu: C, plan: &Plan) {
        let bits = usize::from(self.bits);
        let mask = u64::MAX >> (64 - bits);
        let (index, shift) = (plan.index, plan.shift);
        let (numbers, bytes_each) = (READ_BYTES / size_of::<T>(), 8 * bits / size_of::<T>());
        self.each(
            cpu,
            bits * 8,
            #[inline(always)]
            |cpu, bytes, lanes: &mut [T; GROUP]| {
                let parts = bytes.chunks_exact(bytes_each);
                for (part, own) in parts.zip(lanes.chunks_exact_mut(numbers)) {
                    T::from_bytes(&cpu.permuted(part, &index, &shift), mask, own);
                }
            },
        );
    }

    /// Unpacks each group that is taken; `needs` are the bytes that are read for one.
    #[inline(always)]
    fn each<C: Cpu, T: Lane>(
        self,
        cpu: C,
        needs: usize,
        unpack: impl Fn(C, &[u8], &mut [T; GROUP]),
    ) {
        let size = usize::from(self.bits) * 8;
        let mut lanes = [T::default(); GROUP];
        for at in self.groups {
            if !self.sink.wants() {
                continue;
            }
            let own = self.frame.get(at * size..).unwrap_or_default();
            if let Some(own) = own.get(..needs) {
                unpack(cpu, own, &mut lanes);
            } else {
                let mut last = [0u8; GROUP_BYTES_MAX + READ_BYTES];
                last.iter_mut().zip(own).for_each(|(slot, byte)| *slot = *byte);
                unpack(cpu, &last[..needs], &mut lanes);
            }
            self.sink.take(cpu, &lanes);
        }
    }
}

/// A test of the numbers of a group.
pub(crate) trait Test {
    /// Writes all ones for a number that is kept and 0 for another.
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
            *flag = u8::from(lane.minus(low) <= span).wrapping_neg();
        }
    }
}

/// Keeps the numbers for which a function says so.
pub(crate) struct Each<F>(pub F);

impl<F: Fn(u64) -> bool> Test for Each<F> {
    #[inline(always)]
    fn flags<T: Lane>(&self, lanes: &[T; GROUP], flags: &mut [u8; GROUP]) {
        for (flag, lane) in flags.iter_mut().zip(lanes) {
            *flag = u8::from((self.0)(lane.wide())).wrapping_neg();
        }
    }
}

/// A test, and the words whose bits it has yet to look at.
struct Masks<'a, S> {
    test: &'a S,
    words: std::slice::IterMut<'a, u64>,
}

impl<S: Test> Take for Masks<'_, S> {
    #[inline(always)]
    fn wants(&mut self) -> bool {
        let wanted = self.words.as_slice().first().is_none_or(|word| *word != 0);
        if !wanted {
            self.words.next();
        }
        wanted
    }

    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, cpu: C, lanes: &[T; GROUP]) {
        let mut flags = [0u8; GROUP];
        self.test.flags(lanes, &mut flags);
        if let Some(word) = self.words.next() {
            *word &= cpu.word_of(&flags);
        }
    }
}

/// Of the rows of words from `first` on, takes those out whose number the test does not keep.
pub(crate) fn keep(frame: &[u8], bits: u8, first: usize, words: &mut [u64], test: &impl Test) {
    let groups = first..first + words.len();
    each_group(frame, bits, groups, &mut Masks { test, words: words.iter_mut() });
}

/// A bit for each of the first `rows` numbers of a frame: whether the test keeps it.
#[cfg(test)]
pub(crate) fn masks(frame: &[u8], bits: u8, rows: usize, test: &impl Test) -> Vec<u64> {
    let mut words = vec![u64::MAX; rows.div_ceil(GROUP)];
    if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(GROUP)) {
        *last &= (1 << (rows % GROUP)) - 1;
    }
    keep(frame, bits, 0, &mut words, test);
    words
}

/// Whether the next word has a bit; one that has none is passed.
#[inline(always)]
fn has_rows(words: &mut std::slice::Iter<'_, u64>) -> bool {
    let has = words.as_slice().first().is_none_or(|word| *word != 0);
    if !has {
        words.next();
    }
    has
}

/// The sum of the numbers whose bits are set.
struct Sum<'a> {
    words: std::slice::Iter<'a, u64>,
    /// Of the lower halves of 64 bits, by place in eight, and of the upper halves.
    halves: [[u64; 8]; 2],
}

impl Take for Sum<'_> {
    #[inline(always)]
    fn wants(&mut self) -> bool {
        has_rows(&mut self.words)
    }

    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, cpu: C, lanes: &[T; GROUP]) {
        let bytes = cpu.bytes_of(self.words.next().copied().unwrap_or(0));
        let eights = lanes.as_chunks::<8>().0.iter().zip(bytes.as_chunks::<8>().0);
        let [low, high] = &mut self.halves;
        for (lanes, bytes) in eights {
            for at in 0..8 {
                let mask = i64::from(bytes[at].cast_signed()).cast_unsigned();
                let number = lanes[at].wide() & mask;
                if size_of::<T>() == 8 {
                    low[at] = low[at].wrapping_add(number & u64::from(u32::MAX));
                    high[at] = high[at].wrapping_add(number >> 32);
                } else {
                    low[at] = low[at].wrapping_add(number);
                }
            }
        }
    }
}

/// The sum of the numbers of a frame whose bits are set in words from `first` on.
pub(crate) fn sum(frame: &[u8], bits: u8, first: usize, words: &[u64]) -> u128 {
    let mut sum = Sum { words: words.iter(), halves: Default::default() };
    each_group(frame, bits, first..first + words.len(), &mut sum);
    let [low, high] = sum.halves.map(|half| half.map(u128::from).iter().sum::<u128>());
    low + (high << 32)
}

/// The least and the greatest of the numbers whose bits are set.
struct Extremes<'a> {
    words: std::slice::Iter<'a, u64>,
    low: u64,
    high: u64,
}

impl Take for Extremes<'_> {
    #[inline(always)]
    fn wants(&mut self) -> bool {
        has_rows(&mut self.words)
    }

    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, cpu: C, lanes: &[T; GROUP]) {
        let bytes = cpu.bytes_of(self.words.next().copied().unwrap_or(0));
        let (mut low, mut high) = (T::of(u64::MAX), T::of(0));
        for (lane, byte) in lanes.iter().zip(bytes) {
            let (least, most) =
                if byte == 0 { (T::of(u64::MAX), T::of(0)) } else { (*lane, *lane) };
            low = if least < low { least } else { low };
            high = if most > high { most } else { high };
        }
        (self.low, self.high) = (self.low.min(low.wide()), self.high.max(high.wide()));
    }
}

/// The least and the greatest of the numbers of a frame whose bits are set in words from `first`
/// on, of which there is at least one.
pub(crate) fn ends(frame: &[u8], bits: u8, first: usize, words: &[u64]) -> (u64, u64) {
    let mut ends = Extremes { words: words.iter(), low: u64::MAX, high: 0 };
    each_group(frame, bits, first..first + words.len(), &mut ends);
    (ends.low, ends.high)
}

/// Planes of numbers of up to eight bits, the lowest first.
struct Crossing<'a>(&'a mut [Vec<[u8; 8]>]);

impl Take for Crossing<'_> {
    #[inline(always)]
    fn take<C: Cpu, T: Lane>(&mut self, cpu: C, lanes: &[T; GROUP]) {
        let mut bytes = [0u8; GROUP];
        bytes.iter_mut().zip(lanes).for_each(|(byte, lane)| *byte = lane.wide() as u8);
        for (bit, plane) in (0u32..).zip(self.0.iter_mut()) {
            let mut high = [0u8; GROUP];
            high.iter_mut().zip(&bytes).for_each(|(high, byte)| *high = byte.wrapping_shl(7 - bit));
            plane.push(cpu.word_of(&high).to_le_bytes());
        }
    }
}

/// Words of the planes of a frame of numbers of up to eight bits, the lowest first.
pub(super) fn planes(frame: &[u8], bits: u8, words: Range<usize>) -> Vec<Vec<[u8; 8]>> {
    let mut planes = vec![Vec::with_capacity(words.len()); bits.min(8).into()];
    each_group(frame, bits, words, &mut Crossing(&mut planes));
    planes
}

#[cfg(test)]
mod tests {
    use super::super::packed::{pack, unpack};
    use super::*;
    use crate::cpu::at_each_level;
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
        at_each_level(|_| each_width_unpacks());
    }

    fn each_width_unpacks() {
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
        at_each_level(|_| each_width_is_tested());
    }

    fn each_width_is_tested() {
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
                let first = expected.len() / 2;
                let mut part: Vec<u64> = expected[first..].iter().map(|w| w & 0xF0F0).collect();
                let asked = part.clone();
                keep(&frame, bits, first, &mut part, &Between { low, high });
                assert_eq!(part, asked, "{bits} bits, {rows} rows, a part");
                let own = numbers.iter().enumerate().skip(first * 64);
                let own = own.filter(|(row, _)| asked[row / 64 - first] >> (row % 64) & 1 == 1);
                let expected: u128 = own.map(|(_, number)| u128::from(*number)).sum();
                assert_eq!(sum(&frame, bits, first, &asked), expected, "{bits} bits, {rows} rows");
            }
        }
    }
}
