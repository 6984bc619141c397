//! Conditions on numbers as steps over their planes: no number of a row is made.
//!
//! Invariant: of the rows that are asked about those stay whose number satisfies the condition.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "words are counted off before they are read; rows of a block fit u32"
)]

use std::ops::Range;

use super::container::Container;
use super::planes::{Planes, Slice};
use crate::cpu::{Cpu, Kernel, run};

/// Lists of so many bytes are gone through row by row.
const SHORT_BYTES: usize = 512;

/// All ones or zero.
fn filled(yes: bool) -> u64 {
    u64::from(yes).wrapping_neg()
}

impl Planes<'_> {
    /// Of the rows of some words, takes those out whose number does not lie from `low` to `high`.
    pub(crate) fn keep_between(
        &self,
        low: u64,
        high: u64,
        words: Range<usize>,
        found: &mut [u64],
    ) -> Option<()> {
        let bits = self.bits();
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
        // Any of one is all of it.
        let all = all || bits.is_power_of_two();
        if !all && let Some(slice) = self.any_of(bits, &words) {
            let mut steps = Steps::new(self, words, [true, true]);
            steps.steps.push(Step { slice, join: Join::And, side: 0 });
            return steps.keep(found);
        }
        let mut steps = Steps::new(self, words, [all, true]);
        let mut light = Vec::new();
        for bit in (0..64u32).filter(|bit| bits >> bit & 1 == 1) {
            if all {
                steps.must(bit, true)?;
            } else if (bit as usize) < self.bits() {
                steps.may(bit, &mut light)?;
            }
        }
        if !light.is_empty() {
            steps.steps.push(Step { slice: Slice::of(light), join: Join::Or, side: 0 });
        }
        steps.keep(found)
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
    /// Lists of rows that are not meant.
    without: Vec<Container<'a>>,
    /// Short lists of rows, others than which are not meant.
    only: Vec<Container<'a>>,
    /// That nothing is meant.
    none: bool,
}

impl<'p, 'a> Steps<'p, 'a> {
    fn new(planes: &'p Planes<'a>, words: Range<usize>, begin: [bool; 2]) -> Self {
        Self {
            planes,
            words,
            begin,
            steps: Vec::new(),
            without: Vec::new(),
            only: Vec::new(),
            none: false,
        }
    }

    fn push(&mut self, bit: u32, other: bool, join: Join, side: usize) -> Option<()> {
        let slice = self.planes.slice(bit as usize, self.words.clone())?.turned(other);
        self.steps.push(Step { slice, join, side });
        Some(())
    }

    /// A bit of which any may be one: those of a light list are gathered in `light`, as words.
    fn may(&mut self, bit: u32, light: &mut Vec<[u8; 8]>) -> Option<()> {
        let (container, others) = self.planes.plane(bit as usize)?;
        if others || container.is_words() || container.bytes.len() > SHORT_BYTES {
            return self.push(bit, false, Join::Or, 0);
        }
        light.resize(self.words.len(), [0; 8]);
        let first = self.words.start as u32 * 64;
        container.each(self.words.clone(), |row| {
            let row = row - first;
            let word = light.get_mut((row / 64) as usize);
            if let Some(byte) = word.and_then(|word| word.get_mut((row % 64 / 8) as usize)) {
                *byte |= 1 << (row % 8);
            }
        })
    }

    /// A bit that must be one, or must not.
    fn must(&mut self, bit: u32, one: bool) -> Option<()> {
        let Some((container, others)) = self.planes.plane(bit as usize) else {
            self.none |= one;
            return Some(());
        };
        // Whether those in the container are meant.
        let those = one != others;
        let long = container.bytes.len() > SHORT_BYTES;
        if container.is_words() || long && self.planes.keeps() {
            return self.push(bit, !one, Join::And, 0);
        }
        if !those {
            self.without.push(container);
        } else if container.is_empty() {
            self.none = true;
        } else if !long {
            self.only.push(container);
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
        let first = self.words.start as u32 * 64;
        for container in self.only {
            let mut rows = Vec::with_capacity(container.bytes.len());
            container.each(self.words.clone(), |row| {
                let row = row - first;
                let word = found.get((row / 64) as usize).copied().unwrap_or(0);
                if word >> (row % 64) & 1 == 1 {
                    rows.push(row);
                }
            })?;
            found.fill(0);
            for row in rows {
                if let Some(word) = found.get_mut((row / 64) as usize) {
                    *word |= 1 << (row % 64);
                }
            }
        }
        if !self.steps.is_empty() || !self.begin[0] {
            run(Kept { steps: &self.steps, begin: self.begin, found });
        }
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

/// Words that are left out together where none of them has a row.
const PIECE: usize = 64;
/// Words that go through all steps together, at most: those of a block.
const CHUNK: usize = 1_024;

/// Words where loads and stores of a whole vector do not meet two lines of the memory.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Aligned([u64; CHUNK]);

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

/// Of some rows those that a plane has.
#[inline(always)]
fn single(slice: &Slice<'_>, found: &mut [u64]) {
    for (at, piece) in (0..).step_by(PIECE).zip(found.chunks_mut(PIECE)) {
        if piece.iter().fold(0, |all, word| all | *word) != 0 {
            let (plane, flip) = slice.part(at, piece.len());
            join(piece, plane, flip, Join::And);
        }
    }
}

impl Kernel for Kept<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, _: C) {
        // What begins with all rows is joined by what keeps some, and the other way round.
        if let ([step], [first, true]) = (self.steps, self.begin)
            && (step.side == 1 || first) == matches!(step.join, Join::And)
            && (step.side == 0 || first)
        {
            return single(&step.slice, self.found);
        }
        let mut sides = [Aligned([0; CHUNK]); 2];
        let mut at = 0;
        while at < self.found.len() {
            let pieces = || self.found[at..].chunks(PIECE).take(CHUNK / PIECE);
            let full = |piece: &&[u64]| piece.iter().fold(0, |all, word| all | *word) != 0;
            let size = pieces().take_while(full).count() * PIECE;
            if size == 0 {
                at += PIECE;
                continue;
            }
            let end = (at + size).min(self.found.len());
            let found = &mut self.found[at..end];
            for (side, all) in sides.iter_mut().zip(self.begin) {
                side.0[..found.len()].fill(filled(all));
            }
            for step in self.steps {
                let (plane, flip) = step.slice.part(at, end - at);
                join(&mut sides[step.side].0, plane, flip, step.join);
            }
            let [Aligned(one), Aligned(two)] = &sides;
            for ((found, one), two) in found.iter_mut().zip(one).zip(two) {
                *found &= one & two;
            }
            at = end;
        }
    }
}
