//! Numbers bit by bit: a plane holds one bit of every number of a block.
//!
//! A comparison with a constant is a few operations a plane on 64 rows at once; a set of codes
//! has a plane a code; where most numbers share a bit, its plane is a short list of the others.
//!
//! A reader takes some words of the block, 64 rows each, and leaves the others alone.
//!
//! The bytes: a head a plane, lowest bit first ([`container::put`]), then the bodies.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "places are constants inside a group of 64 rows and 8 planes; numbers are taken \
              modulo 2^64"
)]

use std::borrow::Cow;
use std::ops::Range;

use super::container::{self, Container, HEAD_BYTES};
use crate::cpu::{Cpu, Kernel, run};
use crate::lift::extracted;
use crate::unfolded::Unfolded;

/// Rows of a word.
const GROUP: usize = 64;

/// The planes of numbers of `bits` bits, a word for 64 rows; a row that is not known has no bit.
pub(crate) fn transposed(numbers: &[u64], known: &[u64], bits: u8) -> Vec<Vec<u64>> {
    let mut planes = vec![Vec::with_capacity(numbers.len().div_ceil(GROUP)); usize::from(bits)];
    for (group, known) in numbers.chunks(GROUP).zip(known) {
        for (lane, planes) in planes.chunks_mut(8).enumerate() {
            let mut bytes = [0u8; GROUP];
            for (byte, number) in bytes.iter_mut().zip(group) {
                *byte = (number >> (lane * 8)) as u8;
            }
            for (bit, plane) in planes.iter_mut().enumerate() {
                plane.push(bits_of(&bytes, bit) & known);
            }
        }
    }
    planes
}

/// Bit `bit` of 64 bytes as one word.
fn bits_of(bytes: &[u8; GROUP], bit: usize) -> u64 {
    let mut word = 0;
    for (at, eight) in bytes.chunks_exact(8).enumerate() {
        let eight = eight.try_into().map_or(0, u64::from_le_bytes);
        // The product moves the bit of byte n to bit 56 + n; no two meet on the way.
        let bits = (eight >> bit & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= bits << (at * 8);
    }
    word
}

/// The bytes of planes of a block of `rows` rows. `known` says which rows count: the others are
/// given what is lightest.
pub(crate) fn write(mut planes: Vec<Vec<u64>>, rows: u32, known: &[u64]) -> Vec<u8> {
    let mut bytes = vec![0u8; planes.len() * HEAD_BYTES];
    let all: u32 = known.iter().map(|word| word.count_ones()).sum();
    for (at, plane) in planes.iter_mut().enumerate() {
        let ones: u32 = plane.iter().map(|word| word.count_ones()).sum();
        if ones > all / 2 {
            plane.iter_mut().zip(known).for_each(|(word, known)| *word |= !known);
            container::trim(plane, rows);
        }
        let head = container::put(plane, rows, &mut bytes);
        bytes[at * HEAD_BYTES..(at + 1) * HEAD_BYTES].copy_from_slice(&head);
    }
    bytes
}

/// Planes of a block, where they were written.
#[derive(Debug)]
pub(crate) struct Planes<'a> {
    heads: &'a [[u8; HEAD_BYTES]],
    bodies: &'a [u8],
    /// Where the body of each plane begins.
    starts: [u32; PLANES],
    rows: u32,
    /// Words that were made before.
    kept: Option<&'a Unfolded<[u8; 8]>>,
}

/// Planes of a block, at most; what they have together is kept behind them.
const PLANES: usize = 64;
/// What may be kept of a block: words of each plane, and of all.
pub(crate) const KEPT: usize = PLANES + 1;

/// Planes of fewer bytes are made into words each time: to read the words would take longer.
const LIGHT_BYTES: usize = 640;
/// Where less than one word of so many is asked for, the others are not made.
const SMALL_PART: usize = 8;

/// Words of a plane, and what each is to be joined with for its bits to be those of the numbers.
#[derive(Debug)]
pub(crate) struct Slice<'a> {
    words: Cow<'a, [[u8; 8]]>,
    flip: u64,
}

impl Slice<'_> {
    /// Words that were made.
    pub(super) fn of(words: Vec<[u8; 8]>) -> Self {
        Self { words: Cow::Owned(words), flip: 0 }
    }

    /// All words, and what each is joined with.
    pub(super) fn all(&self) -> (&[[u8; 8]], u64) {
        (&self.words, self.flip)
    }

    /// So many words from `at` on, and what each is joined with.
    #[inline(always)]
    pub(super) fn part(&self, at: usize, len: usize) -> (&[[u8; 8]], u64) {
        (self.words.get(at..at + len).unwrap_or_default(), self.flip)
    }

    /// The others instead, where it is so.
    pub(super) fn turned(self, yes: bool) -> Self {
        Self { flip: self.flip ^ filled(yes), ..self }
    }

    /// How many bits of words it has.
    #[inline(always)]
    pub(super) fn count_and(&self, rows: &[u64]) -> u64 {
        let both = rows.iter().zip(self.words.iter());
        both.fold(0u64, |sum, (rows, word)| {
            let own = rows & (u64::from_le_bytes(*word) ^ self.flip);
            sum.wrapping_add(own.count_ones().into())
        })
    }
}

/// All ones or zero.
fn filled(yes: bool) -> u64 {
    u64::from(yes).wrapping_neg()
}

impl<'a> Planes<'a> {
    /// Finds the planes of numbers of `bits` bits; none where the bytes are not planes.
    pub(crate) fn new(frame: &'a [u8], bits: u8, rows: u32) -> Option<Self> {
        let (heads, bodies) = frame.split_at_checked(usize::from(bits) * HEAD_BYTES)?;
        let heads = heads.as_chunks::<HEAD_BYTES>().0;
        let mut starts = [0; PLANES];
        let mut next = 0u32;
        if heads.len() > PLANES {
            return None;
        }
        for (head, start) in heads.iter().zip(&mut starts) {
            *start = next;
            next += u32::from(container::bytes_of(*head)?);
        }
        let kept = None;
        (bodies.len() == next as usize).then_some(Self { heads, bodies, starts, rows, kept })
    }

    /// The same planes; what is made into words is kept there.
    pub(super) fn kept(self, kept: Option<&'a Unfolded<[u8; 8]>>) -> Self {
        Self { kept, ..self }
    }

    /// Whether words that are made are kept.
    pub(super) fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// The words of the whole block.
    #[cfg(test)]
    pub(crate) fn whole(&self) -> Range<usize> {
        0..self.rows.div_ceil(64) as usize
    }

    /// How many planes there are.
    pub(crate) fn bits(&self) -> usize {
        self.heads.len()
    }

    /// The rows of a plane, and whether the others are meant; lowest bit first.
    pub(super) fn plane(&self, bit: usize) -> Option<(Container<'a>, bool)> {
        let (head, start) = (self.heads.get(bit)?, self.starts.get(bit)?);
        container::take(*head, self.rows, &mut self.bodies.get(*start as usize..)?)
    }

    /// Every plane, lowest bit first.
    fn each_plane(&self) -> impl Iterator<Item = Option<(Container<'a>, bool)>> {
        (0..self.bits()).map(|bit| self.plane(bit))
    }

    /// Words of a plane.
    pub(super) fn slice(&self, bit: usize, words: Range<usize>) -> Option<Slice<'a>> {
        let (container, others) = self.plane(bit)?;
        let flip = filled(others);
        if let Some(kept) = self.kept.filter(|_| !container.is_words()) {
            let all = self.rows.div_ceil(64) as usize;
            let heavy = container.bytes.len() >= LIGHT_BYTES;
            let own = match heavy && words.len() >= all / SMALL_PART {
                true => kept.get_or(bit, all, || Some(container.part(0..all)?.into())),
                false if heavy => kept.get(bit),
                false => None,
            };
            if let Some(own) = own.and_then(|own| own.get(words.clone())) {
                return Some(Slice { words: Cow::Borrowed(own), flip });
            }
        }
        Some(Slice { words: container.part(words)?, flip })
    }

    /// Words of the rows that have a bit in any plane, where `bits` are all planes and such words
    /// are kept.
    pub(super) fn any_of(&self, bits: u64, words: &Range<usize>) -> Option<Slice<'a>> {
        let every = u64::MAX.checked_shr(64 - self.bits() as u32)?;
        let all = self.rows.div_ceil(64) as usize;
        let kept = self.kept.filter(|_| bits & every == every)?;
        let own = match words.len() >= all / SMALL_PART {
            true => kept.get_or(PLANES, all, || self.joined(all))?,
            false => kept.get(PLANES)?,
        };
        Some(Slice { words: Cow::Borrowed(own.get(words.clone())?), flip: 0 })
    }

    /// So many words, of any plane.
    fn joined(&self, words: usize) -> Option<Box<[[u8; 8]]>> {
        let mut found = vec![0u64; words];
        for plane in self.each_plane() {
            let (container, others) = plane?;
            let flip = filled(others);
            for (held, word) in found.iter_mut().zip(container.part(0..words)?.iter()) {
                *held |= u64::from_le_bytes(*word) ^ flip;
            }
        }
        Some(found.into_iter().map(u64::to_le_bytes).collect())
    }

    /// Words of every plane.
    pub(crate) fn slices(&self, words: &Range<usize>) -> Option<Vec<Slice<'a>>> {
        (0..self.bits()).map(|bit| self.slice(bit, words.clone())).collect()
    }

    /// Number `row`.
    pub(crate) fn one(&self, row: u32) -> Option<u64> {
        let mut number = 0;
        for (bit, plane) in self.each_plane().enumerate() {
            let (container, others) = plane?;
            number |= u64::from(container.contains(row)? != others) << bit;
        }
        Some(number)
    }

    /// Appends the numbers of rows `from..to`, a base added.
    pub(crate) fn decode(
        &self,
        (from, to): (usize, usize),
        base: i64,
        out: &mut Vec<i64>,
    ) -> Option<()> {
        if to - from == 1 {
            out.push(base.wrapping_add(self.one(from as u32)? as i64));
            return Some(());
        }
        let to = to.min(self.rows as usize);
        if from >= to {
            return Some(());
        }
        // Whole words are read; what is too much is taken away in the end.
        let words = from / GROUP..to.div_ceil(GROUP);
        let (start, mut common) = (out.len(), 0u64);
        let mut lanes: Vec<Lane<'a>> = Vec::new();
        for (bit, plane) in self.each_plane().enumerate() {
            let (container, others) = plane?;
            if container.is_empty() {
                common |= u64::from(others) << bit;
                continue;
            }
            let shift = bit as u32 / 8 * 8;
            if lanes.last().is_none_or(|lane| lane.shift != shift) {
                lanes.push(Lane { shift, planes: Default::default() });
            }
            if let Some(lane) = lanes.last_mut() {
                lane.planes[bit % 8] = self.slice(bit, words.clone());
            }
        }
        out.resize(start + words.len() * GROUP, 0);
        let base = base.wrapping_add(common as i64);
        run(Decode { lanes: &lanes, base, out: &mut out[start..] });
        out.truncate(start + to - words.start * GROUP);
        out.drain(start..start + from % GROUP);
        Some(())
    }

    /// Appends the numbers of the rows whose bits are set in words from `first` on, a base added.
    pub(super) fn pick(
        &self,
        first: usize,
        rows: &[u64],
        base: i64,
        out: &mut Vec<i64>,
    ) -> Option<()> {
        let (start, mut common) = (out.len(), 0u64);
        let mut lanes: Vec<Lane<'a>> = Vec::new();
        for (bit, plane) in self.each_plane().enumerate() {
            let (container, others) = plane?;
            if container.is_empty() {
                common |= u64::from(others) << bit;
                continue;
            }
            let slice = self.slice(bit, first..first + rows.len())?;
            let words = slice.words.iter().map(|word| u64::from_le_bytes(*word) ^ slice.flip);
            let own = extracted(&words.collect::<Vec<_>>(), rows, 0);
            let shift = bit as u32 / 8 * 8;
            if lanes.last().is_none_or(|lane| lane.shift != shift) {
                lanes.push(Lane { shift, planes: Default::default() });
            }
            if let Some(lane) = lanes.last_mut() {
                let own = own.into_iter().map(u64::to_le_bytes).collect();
                lane.planes[bit % 8] = Some(Slice::of(own));
            }
        }
        let count = crate::words::count(rows) as usize;
        out.resize(start + count.next_multiple_of(GROUP), 0);
        let base = base.wrapping_add(common as i64);
        run(Decode { lanes: &lanes, base, out: &mut out[start..] });
        out.truncate(start + count);
        Some(())
    }

    /// The bits of the rows of some words that a block has.
    #[cfg(test)]
    fn all(&self, words: &Range<usize>) -> Vec<u64> {
        let mut all = vec![u64::MAX; words.len()];
        if words.end == self.whole().end {
            container::trim(&mut all, self.rows);
        }
        all
    }

    /// The bits of the rows of some words whose number lies from `low` to `high`, both included.
    #[cfg(test)]
    pub(crate) fn between(&self, low: u64, high: u64, words: Range<usize>) -> Option<Vec<u64>> {
        let mut found = self.all(&words);
        self.keep_between(low, high, words, &mut found)?;
        Some(found)
    }

    /// The bits of the rows of some words whose number shares a bit with `bits`, or has all.
    #[cfg(test)]
    pub(crate) fn with_bits(&self, bits: u64, all: bool, words: Range<usize>) -> Option<Vec<u64>> {
        let mut found = self.all(&words);
        self.keep_bits(bits, all, words, &mut found)?;
        Some(found)
    }
}

/// Eight planes whose bits are a byte of a number, and where in the number that byte is.
struct Lane<'a> {
    shift: u32,
    planes: [Option<Slice<'a>>; 8],
}

struct Decode<'d, 'a> {
    lanes: &'d [Lane<'a>],
    base: i64,
    out: &'d mut [i64],
}

impl Kernel for Decode<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(mut self, cpu: C) {
        match self.lanes.len() {
            0 => self.out.fill(self.base),
            1 => self.add::<C, 1>(cpu, self.lanes, true),
            2 => self.add::<C, 2>(cpu, self.lanes, true),
            _ => {
                let (first, rest) = self.lanes.split_at(3);
                self.add::<C, 3>(cpu, first, true);
                rest.iter()
                    .for_each(|lane| self.add::<C, 1>(cpu, std::slice::from_ref(lane), false));
            }
        }
    }
}

/// Words of a tile.
const TILE: usize = 8;

impl Decode<'_, '_> {
    /// Adds so many lanes to the numbers, or begins them.
    #[inline(always)]
    fn add<C: Cpu, const N: usize>(&mut self, cpu: C, lanes: &[Lane<'_>], begin: bool) {
        let mut shifts = [0; N];
        shifts.iter_mut().zip(lanes).for_each(|(shift, lane)| *shift = lane.shift);
        let groups = self.out.as_chunks_mut::<GROUP>().0;
        for (at, groups) in (0..).step_by(TILE).zip(groups.chunks_mut(TILE)) {
            let mut tile = [[[0u64; TILE]; 8]; N];
            for (tile, lane) in tile.iter_mut().zip(lanes) {
                for (tile, plane) in tile.iter_mut().zip(&lane.planes) {
                    let Some(plane) = plane else { continue };
                    let (words, flip) = plane.part(at, groups.len());
                    for (slot, word) in tile.iter_mut().zip(words) {
                        *slot = u64::from_le_bytes(*word) ^ flip;
                    }
                }
            }
            for (word, group) in groups.iter_mut().enumerate() {
                let mut bytes = [[0u8; GROUP]; N];
                for (bytes, tile) in bytes.iter_mut().zip(&tile) {
                    let mut words = [0; 8];
                    words.iter_mut().zip(tile).for_each(|(slot, plane)| *slot = plane[word % TILE]);
                    *bytes = cpu.crossed(&words);
                }
                for (row, slot) in group.iter_mut().enumerate() {
                    let mut number = 0;
                    for (bytes, shift) in bytes.iter().zip(shifts) {
                        number |= u64::from(bytes[row]).wrapping_shl(shift);
                    }
                    let before = if begin { self.base } else { *slot };
                    *slot = before.wrapping_add(number as i64);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use crate::cpu::at_each_level;

    fn bits(rows: usize, test: impl Fn(usize) -> bool) -> Vec<u64> {
        let mut words = vec![0; rows.div_ceil(64)];
        (0..rows).filter(|row| test(*row)).for_each(|row| words[row / 64] |= 1 << (row % 64));
        words
    }

    fn check(numbers: &[u64], width: u8, unknown: usize) {
        let rows = numbers.len();
        let known = bits(rows, |row| unknown == 0 || row % unknown > 0);
        let frame = write(transposed(numbers, &known, width), rows as u32, &known);
        let planes = Planes::new(&frame, width, rows as u32).unwrap();
        let kept = Unfolded::new(KEPT);
        let keeping = Planes::new(&frame, width, rows as u32).unwrap().kept(Some(&kept));
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        planes.decode((0, rows), -7, &mut found).unwrap();
        let mut part = Vec::new();
        planes.decode((rows / 3, rows - rows / 5), -7, &mut part).unwrap();
        assert_eq!(part, found[rows / 3..rows - rows / 5]);
        let found: Vec<u64> = found.iter().map(|v| v.wrapping_add(7).cast_unsigned()).collect();
        let is_known = |row: usize| known[row / 64] >> (row % 64) & 1 == 1;
        for (row, number) in numbers.iter().enumerate() {
            assert!(!is_known(row) || found[row] == *number, "row {row} of {width} bits");
            expected.push(found[row]);
            assert_eq!(planes.one(row as u32), Some(found[row]));
        }
        let numbers = expected;
        let top = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        let bounds = [0, 1, top / 3, top / 2, top - top / 5, top, u64::MAX];
        let size = rows.div_ceil(64);
        let parts = [0..size, size / 3..size / 2, size - 1..size, 0..0];
        for (low, high) in bounds.iter().flat_map(|low| bounds.map(|high| (*low, high))) {
            let expected = bits(rows, |row| (low..=high).contains(&numbers[row]));
            let any = bits(rows, |row| numbers[row] & low != 0);
            let all = bits(rows, |row| numbers[row] & low == low);
            for part in parts.clone() {
                let own = part.clone();
                let what = format!("{low:x} to {high:x}, {width} bits, words {part:?}");
                let between = planes.between(low, high, part.clone()).unwrap();
                assert_eq!(between, expected[own.clone()], "{what}");
                for planes in [&planes, &keeping] {
                    let found = planes.with_bits(low, false, part.clone()).unwrap();
                    assert_eq!(found, any[own.clone()], "any, {what}");
                    let found = planes.with_bits(low, true, part.clone()).unwrap();
                    assert_eq!(found, all[own.clone()], "all, {what}");
                }
                let mut kept = known[own.clone()].to_vec();
                planes.keep_between(low, high, part, &mut kept).unwrap();
                let both = known[own.clone()].iter().zip(&expected[own]).map(|(a, b)| a & b);
                assert!(kept.into_iter().eq(both), "{what}");
            }
        }
    }

    #[test]
    fn every_width_reads_back_and_compares_as_its_numbers() {
        at_each_level(|_| each_width());
    }

    fn each_width() {
        for width in [1u8, 2, 3, 7, 8, 9, 16, 20, 33, 63, 64] {
            let top = if width == 64 { u64::MAX } else { (1 << width) - 1 };
            let mixed = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(13) & top;
            for rows in [1, 63, 64, 65, 700, 4_200] {
                let numbers: Vec<u64> = (1..=rows).map(mixed).collect();
                check(&numbers, width, 0);
                check(&numbers, width, 3);
                let skewed: Vec<u64> = (0..rows)
                    .map(|row| if row % 50 == 7 { mixed(row) } else { top - top / 3 })
                    .collect();
                check(&skewed, width, 5);
            }
        }
    }
}
