//! Rows of one block as bytes, in the lightest of four forms.
//!
//! Invariant: a container of a block never names a row that the block does not have, else it
//! does not read.
#![expect(
    clippy::cast_possible_truncation,
    reason = "rows of a block fit u16, and the bytes of a container 8 KiB"
)]

use std::borrow::Cow;
use std::ops::Range;

use crate::cpu::best;
use crate::limits::BLOCK_ROWS;

/// A byte of steps that names no row: it only goes ahead by as many rows.
pub(super) const FAR: u8 = u8::MAX;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Form {
    /// A bit a row, in whole 8-byte words.
    Words = 0,
    /// Two bytes for each row.
    List = 1,
    /// A byte for each row: how many rows lie between it and the one before.
    Steps = 2,
    /// Two bytes for the first row of each run and two for its other rows.
    Runs = 3,
}

impl Form {
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Words,
            1 => Self::List,
            2 => Self::Steps,
            3 => Self::Runs,
            _ => return None,
        })
    }
}

/// The rows whose bit is set, rising.
pub(crate) fn rows(words: &[u64]) -> impl Iterator<Item = u32> {
    words.iter().zip((0u32..).step_by(64)).flat_map(|(word, base)| {
        let mut rest = *word;
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            Some(base + bit)
        })
    })
}

/// How many runs of neighbouring bits there are.
fn runs(words: &[u64]) -> usize {
    let (mut count, mut before) = (0, 0);
    for word in words {
        count += (word & !(word << 1 | before)).count_ones() as usize;
        before = word >> 63;
    }
    count
}

/// The form that takes the fewest bytes; of equal ones the one that reads fastest.
pub(crate) fn lightest(words: &[u64]) -> Form {
    let ones: usize = words.iter().map(|word| word.count_ones() as usize).sum();
    let steps = ones + words.len() * 64 / usize::from(FAR);
    let sizes = [
        (words.len() * 8, Form::Words),
        (ones * 2, Form::List),
        (runs(words) * 4, Form::Runs),
        (steps, Form::Steps),
    ];
    sizes.into_iter().min_by_key(|(size, _)| *size).map_or(Form::Words, |(_, form)| form)
}

/// Appends the rows whose bit is set.
pub(crate) fn write(form: Form, words: &[u64], out: &mut Vec<u8>) {
    match form {
        Form::Words => words.iter().for_each(|word| out.extend(word.to_le_bytes())),
        Form::List => rows(words).for_each(|row| out.extend((row as u16).to_le_bytes())),
        Form::Steps => {
            let mut next = 0;
            for row in rows(words) {
                while row - next >= u32::from(FAR) {
                    out.push(FAR);
                    next += u32::from(FAR);
                }
                out.push((row - next) as u8);
                next = row + 1;
            }
        }
        Form::Runs => {
            let mut held: Option<(u32, u32)> = None;
            let mut close = |run: Option<(u32, u32)>| {
                if let Some((first, last)) = run {
                    out.extend((first as u16).to_le_bytes());
                    out.extend(((last - first) as u16).to_le_bytes());
                }
            };
            for row in rows(words) {
                match &mut held {
                    Some((_, last)) if *last + 1 == row => *last = row,
                    _ => close(held.replace((row, row))),
                }
            }
            close(held);
        }
    }
}

/// Rows of a block, where they were written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Container<'a> {
    pub form: Form,
    pub bytes: &'a [u8],
    /// Rows of the block.
    pub rows: u32,
}

/// A number of two bytes.
pub(super) fn number(bytes: [u8; 2]) -> u32 {
    u16::from_le_bytes(bytes).into()
}

/// The first and the last row of a run.
pub(super) fn run_of([a, b, c, d]: [u8; 4]) -> (u32, u32) {
    let first = number([a, b]);
    (first, first + number([c, d]))
}

/// Steps that are looked at together.
pub(super) const TOGETHER: usize = 64;

/// The steps that name rows before `start` only: how many there are, the row behind them, and how
/// many rows they name. Some such steps may be left.
fn skipped(steps: &[u8], start: u32) -> (usize, u32, u32) {
    let (mut place, mut next, mut count) = (0, 0u32, 0);
    for chunk in steps.as_chunks::<TOGETHER>().0 {
        let rows: u32 = chunk.iter().map(|step| u32::from(*step != FAR)).sum();
        let ahead: u32 = chunk.iter().map(|step| u32::from(*step)).sum();
        let behind = next.saturating_add(ahead + rows);
        if behind > start {
            break;
        }
        (place, next, count) = (place + TOGETHER, behind, count + rows);
    }
    (place, next, count)
}

impl<'a> Container<'a> {
    /// Calls `visit` with ranges of rows that are in it and meet `rows`: first row and last. What
    /// lies outside is looked at no more than it takes to find the way. Not for words.
    fn visit(&self, rows: Range<u32>, visit: &mut impl FnMut(u32, u32)) -> Option<()> {
        // At the end of the block nothing may follow.
        let end = if rows.end < self.rows { rows.end } else { u32::MAX };
        match self.form {
            Form::Words => return None,
            Form::List => {
                let list = self.bytes.as_chunks::<2>().0;
                let list = list.get(list.partition_point(|row| number(*row) < rows.start)..)?;
                let list = list.get(..list.partition_point(|row| number(*row) < end))?;
                let (mut sound, mut next) = (true, 0);
                for row in list {
                    let row = number(*row);
                    sound &= (next <= row) & (row < self.rows);
                    next = row + 1;
                    if (rows.start <= row) & (row < self.rows) {
                        visit(row, row);
                    }
                }
                return sound.then_some(());
            }
            Form::Steps => {
                let (place, mut next, _) = skipped(self.bytes, rows.start);
                for step in self.bytes.get(place..)? {
                    next = next.saturating_add(u32::from(*step));
                    if *step != FAR {
                        if next >= end {
                            break;
                        }
                        if next >= self.rows {
                            return None;
                        }
                        if next >= rows.start {
                            visit(next, next);
                        }
                        next += 1;
                    }
                }
            }
            Form::Runs => {
                let all = self.bytes.as_chunks::<4>().0;
                let start = all.partition_point(|run| run_of(*run).1 < rows.start);
                for run in all.get(start..)? {
                    let (first, last) = run_of(*run);
                    if first >= end {
                        break;
                    }
                    if last >= self.rows {
                        return None;
                    }
                    visit(first.max(rows.start), last.min(rows.end.saturating_sub(1)));
                }
            }
        }
        Some(())
    }

    /// As [`Container::visit`] of a list, setting bits.
    fn set_listed(&self, rows: Range<u32>, found: &mut [[u8; 8]]) -> Option<()> {
        let end = if rows.end < self.rows { rows.end } else { u32::MAX };
        let list = self.bytes.as_chunks::<2>().0;
        let list = list.get(list.partition_point(|row| number(*row) < rows.start)..)?;
        let list = list.get(..list.partition_point(|row| number(*row) < end))?;
        let (mut sound, mut last) = (true, 0);
        let (mut held, mut before) = (0u64, u32::MAX);
        for row in list {
            let row = number(*row);
            // What was written is not read again: a row would wait for the one before it.
            let place = row.wrapping_sub(rows.start) / 64;
            sound &= (last <= row) & (row < self.rows);
            last = row;
            held = held & u64::from(place == before).wrapping_neg() | 1 << (row % 64);
            before = place;
            if let Some(word) = found.get_mut(place as usize) {
                *word = held.to_le_bytes();
            }
        }
        sound.then_some(())
    }

    /// As [`Container::visit`] of steps, setting bits.
    fn set_stepped(&self, rows: Range<u32>, found: &mut [[u8; 8]]) -> Option<()> {
        let (mut next, mut greatest) = (0u32, 0u32);
        let (mut held, mut before) = (0u64, u32::MAX);
        for step in self.bytes {
            let row = next.wrapping_add(u32::from(*step));
            if *step == FAR {
                next = row;
                continue;
            }
            next = row.wrapping_add(1);
            greatest = row;
            let place = row.wrapping_sub(rows.start) / 64;
            held = held & u64::from(place == before).wrapping_neg() | 1 << (row % 64);
            before = place;
            match found.get_mut(place as usize) {
                Some(word) => *word = held.to_le_bytes(),
                // Before the rows that are asked for, or behind them.
                None if row >= rows.start => break,
                None => {}
            }
        }
        // At the end of the block nothing may follow.
        (rows.end < self.rows || greatest < self.rows).then_some(())
    }

    /// Some words of the bits of the rows of a block, as bytes; in the last word of the block
    /// there may be bits of rows that it does not have. None where it does not read.
    pub(crate) fn part(&self, words: Range<usize>) -> Option<Cow<'a, [[u8; 8]]>> {
        let size = self.rows.div_ceil(64) as usize;
        if self.form == Form::Words {
            let all = self.bytes.as_chunks::<8>().0;
            return (self.bytes.len() == size * 8).then_some(Cow::Borrowed(all.get(words)?));
        }
        let mut found = vec![[0u8; 8]; words.len()];
        let (start, end) = (words.start.min(size) as u32 * 64, words.end.min(size) as u32 * 64);
        match self.form {
            Form::List => self.set_listed(start..end, &mut found)?,
            Form::Steps => self.set_stepped(start..end, &mut found)?,
            _ => {
                let bytes = found.as_flattened_mut();
                self.visit(start..end, &mut |first, last| {
                    if first <= last {
                        fill_bytes(bytes, first - start, last - start);
                    }
                })?;
            }
        }
        Some(Cow::Owned(found))
    }

    /// The bits of the rows of a block, a word at a time; none where it does not read.
    #[cfg(test)]
    pub(crate) fn words(&self) -> Option<Vec<u64>> {
        let part = self.part(0..self.rows.div_ceil(64) as usize)?;
        let mut words: Vec<u64> = part.iter().map(|word| u64::from_le_bytes(*word)).collect();
        trim(&mut words, self.rows);
        Some(words)
    }

    /// Whether it is a bit a row.
    pub(crate) fn is_words(&self) -> bool {
        self.form == Form::Words
    }

    /// Whether it has no row, as far as can be said at once.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_words() && self.bytes.is_empty()
    }

    /// Calls `visit` with the rows of some words that are in it, rising. Not for words.
    pub(crate) fn each(&self, words: Range<usize>, visit: impl FnMut(u32)) -> Option<()> {
        let size = self.rows.div_ceil(64) as usize;
        self.each_in(words.start.min(size) as u32 * 64..words.end.min(size) as u32 * 64, visit)
    }

    /// As [`Container::each`], with the rows of a range.
    pub(crate) fn each_in(&self, rows: Range<u32>, mut visit: impl FnMut(u32)) -> Option<()> {
        self.visit(rows, &mut |first, last| {
            if first <= last {
                (first..=last).for_each(&mut visit);
            }
        })
    }

    /// How many rows before a row are in it.
    pub(crate) fn rank(&self, row: u32) -> Option<u32> {
        if self.form == Form::Words {
            let (full, bits) = ((row / 64) as usize, row % 64);
            let words = self.bytes.as_chunks::<8>().0;
            let word = |word: &[u8; 8]| u64::from_le_bytes(*word);
            let words_before = words.get(..full)?;
            let before = best(
                #[inline(always)]
                || words_before.iter().map(|own| word(own).count_ones()).sum::<u32>(),
            );
            let rest = words.get(full).map_or(0, |own| word(own) & !(u64::MAX << bits));
            return Some(before + rest.count_ones());
        }
        let (mut count, mut start) = (0, 0);
        if self.form == Form::Steps {
            (_, start, count) = skipped(self.bytes, row);
        }
        let mut add = |first: u32, last: u32| count += (last + 1).saturating_sub(first);
        if start < row {
            self.visit(start..row, &mut add)?;
        }
        Some(count)
    }

    /// Whether a row is in it.
    pub(crate) fn contains(&self, row: u32) -> Option<bool> {
        if self.form == Form::Words {
            let at = (row / 64) as usize * 8;
            let word = self.bytes.get(at..at + 8)?.try_into().map_or(0, u64::from_le_bytes);
            return Some(word >> (row % 64) & 1 == 1);
        }
        let row = u16::try_from(row).ok()?;
        let pair = |at: usize| Some(u16::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?));
        // Lists and runs are rising: how many begin at the row or before.
        let width = if self.form == Form::Runs { 4 } else { 2 };
        if matches!(self.form, Form::List | Form::Runs) {
            let (mut low, mut high) = (0, self.bytes.len() / width);
            while low < high {
                let middle = usize::midpoint(low, high);
                if pair(middle * width)? <= row { low = middle + 1 } else { high = middle }
            }
            let Some(at) = low.checked_sub(1) else { return Some(false) };
            let more = if self.form == Form::Runs { pair(at * width + 2)? } else { 0 };
            return Some(row - pair(at * width)? <= more);
        }
        let mut found = false;
        let row = u32::from(row);
        self.visit(row..row + 1, &mut |first, _| found |= first == row)?;
        Some(found)
    }
}

/// Sets the bits from `first` to `last`, both included.
fn fill_bytes(bytes: &mut [u8], first: u32, last: u32) {
    let (low, high) = ((first / 8) as usize, (last / 8) as usize);
    let (head, tail) = (u8::MAX << (first % 8), u8::MAX >> (7 - last % 8));
    match bytes.get_mut(low..=high) {
        None | Some([]) => {}
        Some([only]) => *only |= head & tail,
        Some([start, between @ .., end]) => {
            *start |= head;
            between.fill(u8::MAX);
            *end |= tail;
        }
    }
}

/// Sets the bits of rows from `first` to `last`, both included.
pub(crate) fn fill(words: &mut [u64], first: u32, last: u32) {
    let (low, high) = ((first / 64) as usize, (last / 64) as usize);
    let head = u64::MAX << (first % 64);
    let tail = u64::MAX >> (63 - last % 64);
    let Some(words) = words.get_mut(low..=high) else { return };
    match words {
        [] => {}
        [only] => *only |= head & tail,
        [start, between @ .., end] => {
            *start |= head;
            between.fill(u64::MAX);
            *end |= tail;
        }
    }
}

/// Clears the bits of rows that a block does not have.
pub(crate) fn trim(words: &mut [u64], rows: u32) {
    if !rows.is_multiple_of(64)
        && let Some(last) = words.last_mut()
    {
        *last &= (1 << (rows % 64)) - 1;
    }
}

/// Bytes of the head of a container: its form, and how many bytes it has.
pub(crate) const HEAD_BYTES: usize = 3;
/// In the form's byte: the rows are those that are not in the container.
const OTHERS: u8 = 0x80;
const _: () = assert!(BLOCK_ROWS / 8 <= u16::MAX as u32, "the size of a container fits u16");

/// The rows of a block whose bit is set, as a head and a body; the lighter side of the block is
/// what is written.
pub(crate) fn put(words: &mut [u64], rows: u32, body: &mut Vec<u8>) -> [u8; HEAD_BYTES] {
    let ones: u32 = words.iter().map(|word| word.count_ones()).sum();
    let others = ones > rows / 2;
    if others {
        words.iter_mut().for_each(|word| *word = !*word);
        trim(words, rows);
    }
    let form = lightest(words);
    let before = body.len();
    write(form, words, body);
    let [low, high] = ((body.len() - before) as u16).to_le_bytes();
    [form as u8 | if others { OTHERS } else { 0 }, low, high]
}

/// How many bytes the body behind a head has; none where it is not a head.
pub(crate) fn bytes_of([form, low, high]: [u8; HEAD_BYTES]) -> Option<u16> {
    Form::from_number(form & !OTHERS).map(|_| u16::from_le_bytes([low, high]))
}

/// Reads a head and takes the body from the front of `bodies`: the container, and whether it
/// holds the rows that are not meant.
pub(crate) fn take<'a>(
    head: [u8; HEAD_BYTES],
    rows: u32,
    bodies: &mut &'a [u8],
) -> Option<(Container<'a>, bool)> {
    let [form, low, high] = head;
    let (bytes, rest) = bodies.split_at_checked(u16::from_le_bytes([low, high]).into())?;
    *bodies = rest;
    let container = Container { form: Form::from_number(form & !OTHERS)?, bytes, rows };
    Some((container, form & OTHERS != 0))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn check(rows_of_block: u32, chosen: &[u32], expected: Option<Form>) {
        let mut words = vec![0u64; rows_of_block.div_ceil(64) as usize];
        chosen.iter().for_each(|row| fill(&mut words, *row, *row));
        for form in [Form::Words, Form::List, Form::Steps, Form::Runs] {
            let mut bytes = Vec::new();
            write(form, &words, &mut bytes);
            let container = Container { form, bytes: &bytes, rows: rows_of_block };
            assert_eq!(container.words().unwrap(), words, "{form:?}");
            let size = words.len();
            for (from, to) in [(0, size), (size / 3, size / 2), (0, 1), (size - 1, size)] {
                let part = container.part(from..to).unwrap();
                let part: Vec<u64> = part.iter().map(|w| u64::from_le_bytes(*w)).collect();
                assert_eq!(part, words[from..to], "{form:?}, {from} to {to}");
                let mut found = Vec::new();
                if form != Form::Words {
                    container.each(from..to, |row| found.push(row)).unwrap();
                    let inside = from as u32 * 64..to as u32 * 64;
                    let expected: Vec<u32> =
                        chosen.iter().copied().filter(|row| inside.contains(row)).collect();
                    assert_eq!(found, expected, "{form:?}");
                }
            }
            for row in [0, 63, 64, rows_of_block - 1].into_iter().filter(|r| *r < rows_of_block) {
                assert_eq!(container.contains(row), Some(chosen.contains(&row)), "{form:?}");
                let before = chosen.iter().filter(|chosen| **chosen < row).count();
                assert_eq!(container.rank(row), u32::try_from(before).ok(), "{form:?}, {row}");
            }
            let short = Container { rows: rows_of_block / 2, ..container };
            let read = short.words().unwrap_or_default();
            assert!(rows(&read).all(|row| row < short.rows), "{form:?}: rows beyond the block");
        }
        if let Some(expected) = expected {
            assert_eq!(lightest(&words), expected);
        }
        let (mut copy, mut body) = (words.clone(), Vec::new());
        let head = put(&mut copy, rows_of_block, &mut body);
        let (container, others) = take(head, rows_of_block, &mut body.as_slice()).unwrap();
        let mut read = container.words().unwrap();
        if others {
            read.iter_mut().for_each(|word| *word = !*word);
            trim(&mut read, rows_of_block);
        }
        assert_eq!(read, words);
    }

    #[test]
    fn every_form_reads_back() {
        check(65_536, &[], None);
        check(65_536, &[0, 65_535], Some(Form::List));
        check(65_536, &(7..60_000).collect::<Vec<_>>(), Some(Form::Runs));
        check(65_536, &(0..65_536).step_by(20).collect::<Vec<_>>(), Some(Form::Steps));
        check(65_536, &(0..65_536).step_by(255).collect::<Vec<_>>(), None);
        check(65_536, &(255..65_536).step_by(511).collect::<Vec<_>>(), None);
        check(65_536, &(0..65_536).step_by(3).collect::<Vec<_>>(), Some(Form::Words));
        check(65_536, &(0..65_536).filter(|row| row % 3 > 0).collect::<Vec<_>>(), None);
        check(100, &[0, 63, 64, 99], None);
        check(3, &[1], Some(Form::Steps));
    }
}
