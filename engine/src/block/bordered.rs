//! How many rows of containers, or of several together, lie between borders.
//!
//! Borders are rows of the block that rise, none beyond its rows. What is counted for a border are
//! the rows from the border before on; for the first border nothing.
//! Invariant: what is counted are the rows that the containers hold; a container that names a row
//! that the block does not have does not read.

use std::ops::Range;

use super::container::{Container, FAR, Form, TOGETHER, number, run_of};
use super::planes::{Planes, Slice};
use crate::cpu::{Cpu, Kernel, best, run};

/// Containers of fewer bytes are gone through row by row where others tell which rows count.
const LIGHT_BYTES: usize = 640;

/// Counts on their way from border to border.
struct Between<'b> {
    /// The border that is next, and those behind it.
    next: u32,
    borders: std::slice::Iter<'b, u32>,
    counts: std::slice::IterMut<'b, u64>,
    count: u64,
    /// The first border was passed.
    begun: bool,
    /// Nothing is behind the last border.
    done: bool,
}

impl<'b> Between<'b> {
    fn new(borders: &'b [u32], counts: &'b mut [u64]) -> Self {
        let mut borders = borders.iter();
        let next = borders.next().copied();
        let counts = counts.get_mut(1..).unwrap_or_default().iter_mut();
        let (done, next) = (next.is_none(), next.unwrap_or(0));
        Self { next, borders, counts, count: 0, begun: false, done }
    }

    /// Goes on behind the next border.
    fn pass(&mut self) {
        if self.begun
            && let Some(slot) = self.counts.next()
        {
            *slot = slot.wrapping_add(self.count);
        }
        (self.begun, self.count) = (true, 0);
        match self.borders.next() {
            Some(border) => self.next = *border,
            None => self.done = true,
        }
    }

    /// Counts a row that is not before the last one; false behind the last border.
    #[inline(always)]
    fn add(&mut self, row: u32, counts: bool) -> bool {
        while row >= self.next {
            if self.done {
                return false;
            }
            self.pass();
        }
        self.count = self.count.wrapping_add(counts.into());
        !self.done
    }

    /// Counts the rows from `first` to `last`, both included.
    fn add_run(&mut self, mut first: u32, last: u32) {
        while first <= last && !self.done {
            if first >= self.next {
                self.pass();
                continue;
            }
            let behind = self.next.min(last.saturating_add(1));
            self.count = self.count.wrapping_add(behind.wrapping_sub(first).into());
            first = behind;
        }
    }

    fn end(mut self) {
        while !self.done {
            self.pass();
        }
    }
}

/// The rows that some steps name, and how far they go: behind the last of them.
#[inline(always)]
fn gone(steps: &[u8; TOGETHER]) -> (u32, u32) {
    let far = steps.iter().fold(0u8, |far, step| far.wrapping_add(u8::from(*step == FAR)));
    let ahead = steps.iter().fold(0u32, |ahead, step| ahead.wrapping_add(u32::from(*step)));
    let named = 64u32.wrapping_sub(far.into());
    (named, named.wrapping_add(ahead))
}

/// Words of a slice, and what each is joined with.
type Part<'a> = (&'a [[u8; 8]], u64);

/// The bits of one or two slices together, of all rows or of some, counted between borders.
struct Words<'p, 'b> {
    first: Part<'p>,
    second: Option<Part<'p>>,
    among: Option<&'p [u64]>,
    borders: &'b [u32],
    counts: &'b mut [u64],
}

/// Some words of a part as they are meant.
#[inline(always)]
fn bits((all, flip): Part<'_>, words: Range<usize>) -> impl Iterator<Item = u64> {
    let words = all.get(words).unwrap_or_default().iter();
    words.map(move |word| u64::from_le_bytes(*word) ^ flip)
}

impl Words<'_, '_> {
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let of = |(words, flip): Part<'_>| {
            words.get(at).map_or(0, |word| u64::from_le_bytes(*word) ^ flip)
        };
        let among = self.among.map_or(u64::MAX, |words| words.get(at).copied().unwrap_or(0));
        of(self.first) & self.second.map_or(u64::MAX, of) & among
    }

    #[inline(always)]
    fn count(&self, start: u32, end: u32) -> u64 {
        let Some(last) = end.checked_sub(1).filter(|last| start <= *last) else { return 0 };
        let (low, high) = ((start / 64) as usize, (last / 64) as usize);
        let (head, tail) = (u64::MAX << (start % 64), u64::MAX >> (63 - last % 64));
        if low == high {
            return (self.word(low) & head & tail).count_ones().into();
        }
        let ends = (self.word(low) & head).count_ones() + (self.word(high) & tail).count_ones();
        u64::from(ends).wrapping_add(self.ones(low + 1..high))
    }

    /// How many bits whole words have.
    #[inline(always)]
    fn ones(&self, words: Range<usize>) -> u64 {
        let among = self.among.map(|all| all.get(words.clone()).unwrap_or_default());
        let ones = |sum: u64, word: u64| sum.wrapping_add(word.count_ones().into());
        let own = bits(self.first, words.clone());
        match (self.second, among) {
            (None, None) => own.fold(0, ones),
            (None, Some(among)) => own.zip(among).map(|(own, among)| own & among).fold(0, ones),
            (Some(second), None) => own.zip(bits(second, words)).map(|(a, b)| a & b).fold(0, ones),
            (Some(second), Some(among)) => {
                let all = own.zip(bits(second, words)).zip(among);
                all.map(|((a, b), among)| a & b & among).fold(0, ones)
            }
        }
    }
}

impl Kernel for Words<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(mut self, _: C) {
        let Some((mut start, ends)) = self.borders.split_first() else { return };
        let counts = std::mem::take(&mut self.counts);
        for (end, count) in ends.iter().zip(counts.iter_mut().skip(1)) {
            *count = count.wrapping_add(self.count(*start, *end));
            start = end;
        }
    }
}

impl Container<'_> {
    /// Adds how many rows lie between borders to their counts, as many; none where it does not
    /// read.
    pub(crate) fn between(&self, borders: &[u32], counts: &mut [u64]) -> Option<()> {
        if self.form == Form::Words {
            let words = self.bytes.as_chunks::<8>().0;
            let whole = words.len() == self.rows.div_ceil(64) as usize;
            let first =
                (whole && words.as_flattened().len() == self.bytes.len()).then_some(words)?;
            run(Words { first: (first, 0), second: None, among: None, borders, counts });
            return Some(());
        }
        let to_the_end = borders.last().is_some_and(|last| *last >= self.rows);
        let mut between = Between::new(borders, counts);
        let mut behind = 0;
        match self.form {
            Form::Words => return None,
            Form::List => {
                for row in self.bytes.as_chunks::<2>().0 {
                    let row = number(*row);
                    if row < behind || row >= self.rows {
                        return None;
                    }
                    behind = row + 1;
                    if !between.add(row, true) {
                        break;
                    }
                }
            }
            Form::Steps => {
                behind = best(
                    #[inline(always)]
                    || stepped(self.bytes, &mut between),
                )
            }
            Form::Runs => {
                for run in self.bytes.as_chunks::<4>().0 {
                    let (first, last) = run_of(*run);
                    if first < behind || last >= self.rows {
                        return None;
                    }
                    behind = last + 1;
                    between.add_run(first, last);
                    if between.done {
                        break;
                    }
                }
            }
        }
        between.end();
        (!to_the_end || behind <= self.rows).then_some(())
    }
}

/// Counts the rows of steps: the row behind the last that was looked at.
#[inline(always)]
fn stepped(steps: &[u8], between: &mut Between<'_>) -> u32 {
    let mut next = 0u32;
    let walk = |next: &mut u32, between: &mut Between<'_>, steps: &[u8]| {
        for step in steps {
            *next = next.wrapping_add(u32::from(*step));
            if *step != FAR {
                if !between.add(*next, true) {
                    *next = next.wrapping_add(1);
                    return false;
                }
                *next = next.wrapping_add(1);
            }
        }
        true
    };
    let (chunks, rest) = steps.as_chunks::<TOGETHER>();
    for chunk in chunks {
        let (named, ahead) = gone(chunk);
        let behind = next.wrapping_add(ahead);
        if behind <= between.next {
            between.count = between.count.wrapping_add(named.into());
            next = behind;
        } else if !walk(&mut next, between, chunk) {
            return next;
        }
    }
    walk(&mut next, between, rest);
    next
}

/// What is asked of a row: whether it has a bit, or has it not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'p, 'a> {
    pub planes: &'p Planes<'a>,
    pub bit: usize,
    pub yes: bool,
}

/// A container, where its planes are, and whether its rows are those that are asked for.
struct Held<'p, 'a> {
    asked: Asked<'p, 'a>,
    container: Container<'a>,
    inside: bool,
}

impl<'a> Held<'_, 'a> {
    fn slice(&self) -> Option<Slice<'a>> {
        let words = 0..self.container.rows.div_ceil(64) as usize;
        Some(self.asked.planes.slice(self.asked.bit, words)?.turned(!self.asked.yes))
    }

    fn is_light(&self) -> bool {
        self.inside && !self.container.is_words() && self.container.bytes.len() <= LIGHT_BYTES
    }
}

/// Adds how many rows satisfy all that is asked of them and are among others, where those are
/// given, between borders to their counts; none where a plane does not read.
pub(crate) fn between(
    asked: &[Asked<'_, '_>],
    among: Option<&[u64]>,
    borders: &[u32],
    counts: &mut [u64],
) -> Option<()> {
    let mut held = Vec::with_capacity(asked.len());
    for own in asked {
        if own.bit < own.planes.bits() {
            let (container, others) = own.planes.plane(own.bit)?;
            held.push(Held { asked: *own, container, inside: own.yes != others });
        } else if own.yes {
            return Some(());
        }
    }
    if let ([only], None) = (held.as_slice(), among) {
        return one(only, borders, counts);
    }
    let light = held.iter().enumerate().filter(|(_, own)| own.is_light());
    let light = light.min_by_key(|(_, own)| own.container.bytes.len()).map(|(at, _)| at);
    let first = light.map(|at| held.swap_remove(at));
    let mut slices = Vec::with_capacity(held.len());
    for own in &held {
        slices.push(own.slice()?);
    }
    if let Some(first) = first {
        let parts: Vec<Part<'_>> = slices.iter().map(Slice::all).collect();
        return row_by_row(first.container, (&parts, among), borders, counts);
    }
    let joined_words;
    let (first, second) = match slices.as_slice() {
        [] => return all(among, borders, counts),
        [one] => (one.all(), None),
        [one, two] => (one.all(), Some(two.all())),
        [one, two, others @ ..] => {
            joined_words = joined(two, others);
            (one.all(), Some((joined_words.as_slice(), 0)))
        }
    };
    run(Words { first, second, among, borders, counts });
    Some(())
}

/// As [`between`], of the rows of a light container that parts have and that are among others.
fn row_by_row(
    container: Container<'_>,
    (parts, among): (&[Part<'_>], Option<&[u64]>),
    borders: &[u32],
    counts: &mut [u64],
) -> Option<()> {
    let rows = borders.first().copied()?..borders.last().copied()?;
    let mut between = Between::new(borders, counts);
    container.each_in(rows, |row| {
        let (at, bit) = ((row / 64) as usize, row % 64);
        let among = among.map_or(u64::MAX, |words| words.get(at).copied().unwrap_or(0));
        let has = |(words, flip): &Part<'_>| {
            words.get(at).map_or(0, |word| u64::from_le_bytes(*word) ^ flip)
        };
        let both = parts.iter().fold(among, |both, part| both & has(part));
        between.add(row, both >> bit & 1 == 1);
    })?;
    between.end();
    Some(())
}

/// As [`between`], of all rows or of those among others.
fn all(among: Option<&[u64]>, borders: &[u32], counts: &mut [u64]) -> Option<()> {
    if let Some(among) = among {
        let every = vec![[u8::MAX; 8]; among.len()];
        run(Words { first: (&every, 0), second: None, among: Some(among), borders, counts });
        return Some(());
    }
    for (pair, count) in borders.windows(2).zip(counts.iter_mut().skip(1)) {
        if let [start, end] = pair {
            *count = count.wrapping_add(end.checked_sub(*start)?.into());
        }
    }
    Some(())
}

/// As [`between`], of one container.
fn one(own: &Held<'_, '_>, borders: &[u32], counts: &mut [u64]) -> Option<()> {
    if own.inside {
        return own.container.between(borders, counts);
    }
    let mut others = vec![0; counts.len()];
    own.container.between(borders, &mut others)?;
    let pairs = borders.windows(2).zip(others.iter().skip(1));
    for ((pair, others), count) in pairs.zip(counts.iter_mut().skip(1)) {
        if let [start, end] = pair {
            *count = count.wrapping_add(u64::from(end.checked_sub(*start)?).checked_sub(*others)?);
        }
    }
    Some(())
}

/// The bits that slices share.
fn joined(first: &Slice<'_>, others: &[Slice<'_>]) -> Vec<[u8; 8]> {
    let (words, flip) = first.all();
    let mut found: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word) ^ flip).collect();
    for other in others {
        let (words, flip) = other.part(0, found.len());
        best(
            #[inline(always)]
            || {
                let both = found.iter_mut().zip(words);
                both.for_each(|(own, word)| *own &= u64::from_le_bytes(*word) ^ flip);
            },
        );
    }
    found.into_iter().map(u64::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::super::container::{fill, trim, write};
    use super::super::planes::{transposed, write as write_planes};
    use super::*;
    use crate::cpu::at_each_level;

    fn mixed(number: u64) -> u64 {
        let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9).rotate_left(11)
    }

    /// Borders of a block of so many rows: few and many, some at one row.
    fn borders(rows: u32) -> Vec<Vec<u32>> {
        let many = (0..rows).step_by(97).flat_map(|row| [row, row, row + 1]);
        let many: Vec<u32> = many.filter(|row| *row <= rows).chain([rows]).collect();
        let (third, half) = (rows / 3, rows / 2);
        vec![
            vec![0, rows],
            vec![third, half, half, rows],
            vec![third, half],
            many,
            vec![half],
            vec![],
        ]
    }

    fn expected(borders: &[u32], has: impl Fn(u32) -> bool) -> Vec<u64> {
        let mut counts = vec![7; borders.len()];
        for (pair, count) in borders.windows(2).zip(counts.iter_mut().skip(1)) {
            *count += (pair[0]..pair[1]).filter(|row| has(*row)).count() as u64;
        }
        counts
    }

    #[test]
    fn every_form_is_counted_between_borders() {
        let rows = 40_000;
        let sets: [&dyn Fn(u32) -> bool; 6] = [
            &|_| false,
            &|row| row % 3 == 0,
            &|row| row % 300 == 299,
            &|row| row % 1_000 < 700,
            &|row| row == rows - 1 || row == 12_345,
            &|row| !(100..=39_000).contains(&row),
        ];
        at_each_level(|level| {
            for (at, has) in sets.iter().enumerate() {
                let mut words = vec![0u64; rows.div_ceil(64) as usize];
                (0..rows).filter(|row| has(*row)).for_each(|row| fill(&mut words, row, row));
                for form in [Form::Words, Form::List, Form::Steps, Form::Runs] {
                    let mut bytes = Vec::new();
                    write(form, &words, &mut bytes);
                    let container = Container { form, bytes: &bytes, rows };
                    for borders in borders(rows) {
                        let mut counts = vec![7; borders.len()];
                        container.between(&borders, &mut counts).unwrap();
                        let what = format!("{level:?}, {form:?}, set {at}, {borders:?}");
                        assert_eq!(counts, expected(&borders, has), "{what}");
                    }
                }
            }
        });
    }

    #[test]
    fn rows_beyond_a_block_do_not_read() {
        for (form, bytes) in [
            (Form::List, &[9u8, 0, 100, 0][..]),
            (Form::List, &[9, 0, 8, 0]),
            (Form::Steps, &[50, 49]),
            (Form::Runs, &[90, 0, 10, 0]),
            (Form::Words, &[0; 8]),
        ] {
            let container = Container { form, bytes, rows: 100 };
            assert_eq!(container.between(&[0, 100], &mut [0, 0]), None, "{form:?}, {bytes:?}");
        }
    }

    #[test]
    fn conditions_are_counted_together() {
        let rows = 20_000u32;
        // Bits of every kind: seldom, often, nearly always, in runs, never.
        let number = |row: u32| {
            let drawn = mixed(row.into());
            let bits = [
                drawn % 500 == 3,
                drawn.is_multiple_of(3),
                drawn % 200 != 9,
                row % 5_000 < 2_000,
                drawn % 7 < 3,
                false,
            ];
            (0..).zip(bits).fold(0u64, |number, (bit, yes)| number | u64::from(yes) << bit)
        };
        let size = rows.div_ceil(64) as usize;
        let mut known = vec![u64::MAX; size];
        trim(&mut known, rows);
        let numbers: Vec<u64> = (0..rows).map(number).collect();
        let frame = write_planes(transposed(&numbers, &known, 6), rows, &known);
        let planes = Planes::new(&frame, 6, rows).unwrap();
        let some: Vec<u64> = (0..size as u64).map(|at| mixed(at + 77)).collect();
        at_each_level(|level| {
            for seed in 0..300u64 {
                let drawn = mixed(seed + 5_000);
                let asked: Vec<(usize, bool)> = (0..7)
                    .filter(|bit| drawn >> (bit * 3) & 3 == 0)
                    .map(|bit| (bit, drawn >> (40 + bit) & 1 == 1))
                    .collect();
                let among = (drawn >> 60 & 1 == 1).then_some(some.as_slice());
                let has = |row: u32| {
                    let number = numbers[row as usize];
                    asked.iter().all(|(bit, yes)| (number >> bit & 1 == 1) == *yes)
                        && among.is_none_or(|words| words[row as usize / 64] >> (row % 64) & 1 == 1)
                };
                let own: Vec<Asked<'_, '_>> = asked
                    .iter()
                    .map(|(bit, yes)| Asked { planes: &planes, bit: *bit, yes: *yes })
                    .collect();
                for borders in borders(rows) {
                    let mut counts = vec![7; borders.len()];
                    between(&own, among, &borders, &mut counts);
                    let what = format!("{level:?}, {asked:?}, {}", among.is_some());
                    assert_eq!(counts, expected(&borders, has), "{what}");
                }
            }
        });
    }
}
