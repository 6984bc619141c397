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
    planes: Vec<(Container<'a>, bool)>,
    rows: u32,
}

/// Words of a plane, and what each is to be joined with for its bits to be those of the numbers.
#[derive(Debug)]
pub(super) struct Slice<'a> {
    words: Cow<'a, [[u8; 8]]>,
    flip: u64,
}

impl Slice<'_> {
    /// Word `at`; zeros behind the last.
    #[inline(always)]
    pub(super) fn word(&self, at: usize) -> u64 {
        self.words.get(at).map_or(0, |word| u64::from_le_bytes(*word) ^ self.flip)
    }
}

/// All ones or zero.
fn filled(yes: bool) -> u64 {
    u64::from(yes).wrapping_neg()
}

impl<'a> Planes<'a> {
    /// Finds the planes of numbers of `bits` bits; none where the bytes are not planes.
    pub(crate) fn new(frame: &'a [u8], bits: u8, rows: u32) -> Option<Self> {
        if bits > 64 {
            return None;
        }
        let (heads, mut bodies) = frame.split_at_checked(usize::from(bits) * HEAD_BYTES)?;
        let heads = heads.chunks_exact(HEAD_BYTES);
        let planes = heads.map(|head| container::take(head.try_into().ok()?, rows, &mut bodies));
        let planes = planes.collect::<Option<Vec<_>>>()?;
        bodies.is_empty().then_some(Self { planes, rows })
    }

    /// The words of the whole block.
    pub(crate) fn whole(&self) -> Range<usize> {
        0..self.rows.div_ceil(64) as usize
    }

    /// How many planes there are.
    pub(super) fn bits(&self) -> usize {
        self.planes.len()
    }

    /// The rows of a plane, and whether the others are meant; lowest bit first.
    pub(super) fn plane(&self, bit: usize) -> Option<(Container<'a>, bool)> {
        self.planes.get(bit).copied()
    }

    /// Words of a plane.
    pub(super) fn slice(&self, bit: usize, words: Range<usize>) -> Option<Slice<'a>> {
        let (container, others) = self.plane(bit)?;
        Some(Slice { words: container.part(words)?, flip: filled(others) })
    }

    /// Words of every plane.
    pub(super) fn slices(&self, words: &Range<usize>) -> Option<Vec<Slice<'a>>> {
        (0..self.bits()).map(|bit| self.slice(bit, words.clone())).collect()
    }

    /// Number `row`.
    pub(crate) fn one(&self, row: u32) -> Option<u64> {
        let mut number = 0;
        for (bit, (container, others)) in self.planes.iter().enumerate() {
            number |= u64::from(container.contains(row)? != *others) << bit;
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
        for (bit, (container, others)) in self.planes.iter().enumerate() {
            if container.is_empty() {
                common |= u64::from(*others) << bit;
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

    /// The bits of the rows of some words that a block has.
    fn all(&self, words: &Range<usize>) -> Vec<u64> {
        let mut all = vec![u64::MAX; words.len()];
        if words.end == self.whole().end {
            container::trim(&mut all, self.rows);
        }
        all
    }

    /// The bits of the rows of some words whose number lies from `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64, words: Range<usize>) -> Option<Vec<u64>> {
        let mut found = self.all(&words);
        self.keep_between(low, high, words, &mut found)?;
        Some(found)
    }

    /// Of the rows of some words, takes those out whose number does not lie from `low` to `high`.
    pub(crate) fn keep_between(
        &self,
        low: u64,
        high: u64,
        words: Range<usize>,
        found: &mut [u64],
    ) -> Option<()> {
        let bits = self.planes.len();
        let top = u64::MAX.checked_shr(64 - bits as u32).unwrap_or(0);
        if low > high || low > top {
            found.fill(0);
            return Some(());
        }
        let high = high.min(top);
        let mut steps = Steps::new(self, words, [true, true]);
        // Lowest bit first, each step needs only whether the lower bits were enough. Bits that
        // let everything through so far let all through.
        let split = 64 - (low ^ high).leading_zeros();
        for bit in low.trailing_zeros().min(split)..split {
            let one = low >> bit & 1 == 1;
            steps.push(bit, false, if one { Join::And } else { Join::Or }, 0)?;
        }
        for bit in high.trailing_ones().min(split)..split {
            let one = high >> bit & 1 == 1;
            steps.push(bit, true, if one { Join::Or } else { Join::And }, 1)?;
        }
        for bit in split..bits as u32 {
            steps.must(bit, low >> bit & 1 == 1)?;
        }
        steps.keep(found)
    }

    /// Of the rows of some words, takes those out whose number shares no bit with `bits`, or has
    /// not all of them.
    pub(crate) fn keep_bits(
        &self,
        bits: u64,
        all: bool,
        words: Range<usize>,
        found: &mut [u64],
    ) -> Option<()> {
        let mut steps = Steps::new(self, words, [all, true]);
        for bit in (0..64u32).filter(|bit| bits >> bit & 1 == 1) {
            if all {
                steps.must(bit, true)?;
            } else if (bit as usize) < self.planes.len() {
                steps.push(bit, false, Join::Or, 0)?;
            }
        }
        steps.keep(found)
    }

    /// The bits of the rows of some words whose number shares a bit with `bits`, or has all.
    pub(crate) fn with_bits(&self, bits: u64, all: bool, words: Range<usize>) -> Option<Vec<u64>> {
        let mut found = self.all(&words);
        self.keep_bits(bits, all, words, &mut found)?;
        Some(found)
    }
}

/// How a plane is joined to what the planes before it left.
#[derive(Debug, Clone, Copy)]
enum Join {
    And,
    Or,
}

#[derive(Debug)]
struct Step<'a> {
    slice: Slice<'a>,
    join: Join,
    /// Which of the two results it belongs to.
    side: usize,
}

/// A condition as steps over planes: two results, each begun with all rows or with none; what
/// both have is what is meant.
struct Steps<'p, 'a> {
    planes: &'p Planes<'a>,
    words: Range<usize>,
    begin: [bool; 2],
    steps: Vec<Step<'a>>,
    /// Short lists of rows that are not meant.
    without: Vec<Container<'a>>,
    /// That nothing is meant.
    none: bool,
}

impl<'p, 'a> Steps<'p, 'a> {
    fn new(planes: &'p Planes<'a>, words: Range<usize>, begin: [bool; 2]) -> Self {
        Self { planes, words, begin, steps: Vec::new(), without: Vec::new(), none: false }
    }

    fn push(&mut self, bit: u32, other: bool, join: Join, side: usize) -> Option<()> {
        let mut slice = self.planes.slice(bit as usize, self.words.clone())?;
        slice.flip ^= filled(other);
        self.steps.push(Step { slice, join, side });
        Some(())
    }

    /// A bit that must be one, or must not.
    fn must(&mut self, bit: u32, one: bool) -> Option<()> {
        let Some((container, others)) = self.planes.plane(bit as usize) else {
            self.none |= one;
            return Some(());
        };
        // Whether those in the container are meant.
        let those = one != others;
        if container.is_words() {
            return self.push(bit, !one, Join::And, 0);
        }
        if !those {
            self.without.push(container);
        } else if container.is_empty() {
            self.none = true;
        } else {
            self.push(bit, !one, Join::And, 0)?;
        }
        Some(())
    }

    /// Takes the rows out that are not meant.
    fn keep(self, found: &mut [u64]) -> Option<()> {
        if self.none {
            found.fill(0);
            return Some(());
        }
        if !self.steps.is_empty() || !self.begin[0] {
            run(Kept { steps: &self.steps, begin: self.begin, found });
        }
        let first = self.words.start as u32 * 64;
        for container in self.without {
            container.each(self.words.clone(), |row| {
                let row = row - first;
                if let Some(word) = found.get_mut((row / 64) as usize) {
                    *word &= !(1 << (row % 64));
                }
            })?;
        }
        Some(())
    }
}

/// Words that go through all steps together.
const CHUNK: usize = 64;

struct Kept<'s, 'a> {
    steps: &'s [Step<'a>],
    begin: [bool; 2],
    found: &'s mut [u64],
}

/// Joins words of a plane to as many words.
#[inline(always)]
fn join(held: &mut [u64], plane: &[[u8; 8]], flip: u64, join: Join) {
    let both = held.iter_mut().zip(plane);
    match join {
        Join::And => both.for_each(|(held, word)| *held &= u64::from_le_bytes(*word) ^ flip),
        Join::Or => both.for_each(|(held, word)| *held |= u64::from_le_bytes(*word) ^ flip),
    }
}

impl Kernel for Kept<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) {
        for (at, found) in (0..).step_by(CHUNK).zip(self.found.chunks_mut(CHUNK)) {
            if found.iter().fold(0, |all, word| all | *word) == 0 {
                continue;
            }
            let mut held = self.begin.map(|all| [filled(all); CHUNK]);
            for step in self.steps {
                let plane = step.slice.words.get(at..at + found.len()).unwrap_or_default();
                let held = &mut held[step.side];
                let flip = step.slice.flip;
                // A chunk of constant size needs no loop.
                match plane.first_chunk::<CHUNK>() {
                    Some(plane) => join(held, plane, flip, step.join),
                    None => join(held, plane, flip, step.join),
                }
            }
            let [one, two] = &held;
            for ((found, one), two) in found.iter_mut().zip(one).zip(two) {
                *found &= one & two;
            }
        }
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
    fn run<C: Cpu>(self, cpu: C) {
        match self.lanes.len() {
            0 => self.out.fill(self.base),
            1 => self.lanes_of::<C, 1>(cpu),
            2 => self.lanes_of::<C, 2>(cpu),
            3 => self.lanes_of::<C, 3>(cpu),
            4 => self.lanes_of::<C, 4>(cpu),
            _ => self.lanes_of::<C, 8>(cpu),
        }
    }
}

impl Decode<'_, '_> {
    /// As [`Decode::run`], of up to so many lanes.
    #[inline(always)]
    fn lanes_of<C: Cpu, const N: usize>(self, cpu: C) {
        let mut shifts = [0; N];
        shifts.iter_mut().zip(self.lanes).for_each(|(shift, lane)| *shift = lane.shift);
        for (at, group) in self.out.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
            let mut bytes = [[0u8; GROUP]; N];
            for (bytes, lane) in bytes.iter_mut().zip(self.lanes) {
                let mut words = [0; 8];
                for (word, plane) in words.iter_mut().zip(&lane.planes) {
                    *word = plane.as_ref().map_or(0, |plane| plane.word(at));
                }
                *bytes = cpu.crossed(&words);
            }
            for (row, slot) in group.iter_mut().enumerate() {
                let mut number = 0;
                for (bytes, shift) in bytes.iter().zip(shifts) {
                    number |= u64::from(bytes[row]).wrapping_shl(shift);
                }
                *slot = self.base.wrapping_add(number as i64);
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
        let (mut found, mut expected) = (Vec::new(), Vec::new());
        planes.decode((0, rows), -7, &mut found).unwrap();
        let mut part = Vec::new();
        planes.decode((rows / 3, rows - rows / 5), -7, &mut part).unwrap();
        assert_eq!(part, found[rows / 3..rows - rows / 5]);
        let found: Vec<u64> = found.iter().map(|v| v.wrapping_add(7) as u64).collect();
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
                let found = planes.with_bits(low, false, part.clone()).unwrap();
                assert_eq!(found, any[own.clone()], "any, {what}");
                let found = planes.with_bits(low, true, part.clone()).unwrap();
                assert_eq!(found, all[own.clone()], "all, {what}");
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
