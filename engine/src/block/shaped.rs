//! Texts of one shape, such as `H000123` or `99901519800229004X`: each place has its letters.
//!
//! Such a text is a number whose digits count the letters of their place, and less than a slope
//! a row where the texts go on evenly. The bytes of a shape: its length (u8), the slope (i64),
//! then for each place a letter below 128 where it is always the same, 128 for any digit, or 128
//! and how many letters it has, and those.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "numbers of a shape fit 63 bits, its letters 7; with a slope they are modulo 2^64; \
              tables have a slot a letter, and known texts the length of the shape"
)]

use super::gathered::TextList;
use super::packed::bits_for;

/// Letters of a text.
const LENGTH_MAX: usize = 255;
/// What says that a place has any digit.
const DIGITS: u8 = 128;
/// From this many digits on a place has all of them.
const DIGITS_LEAST: usize = 8;

/// What stands for a letter that a place does not have.
const ABSENT: u8 = u8::MAX;
/// The digits.
const ALL_DIGITS: &[u8] = b"0123456789";

/// A shape of texts.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The letters of each place, rising.
    places: Vec<Vec<u8>>,
    slope: i64,
}

/// Texts as numbers: packed they take `bits` bits above `base`.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) shape: Shape,
    pub(crate) base: i64,
    pub(crate) bits: u8,
    pub(crate) numbers: Vec<u64>,
}

impl Shape {
    fn of(texts: &TextList) -> Option<Self> {
        let length = texts.iter().flatten().next()?.len();
        if length > LENGTH_MAX {
            return None;
        }
        let mut seen = vec![[false; 256]; length];
        for text in texts.iter().flatten() {
            if text.len() != length {
                return None;
            }
            seen.iter_mut().zip(text.bytes()).for_each(|(seen, letter)| {
                seen[usize::from(letter)] = true;
            });
        }
        let mut places = Vec::with_capacity(length);
        for seen in seen {
            let letters = (0..=u8::MAX).filter(|letter| seen[usize::from(*letter)]);
            let mut letters: Vec<u8> = letters.collect();
            if !letters.is_ascii() {
                return None;
            }
            if letters.len() >= DIGITS_LEAST && letters.iter().all(u8::is_ascii_digit) {
                letters = ALL_DIGITS.to_vec();
            }
            places.push(letters);
        }
        Self { places, slope: 0 }.sound()
    }

    /// Itself, where all its numbers fit 63 bits.
    fn sound(self) -> Option<Self> {
        let mut all = 1i64;
        for letters in &self.places {
            all = all.checked_mul(i64::try_from(letters.len()).ok()?)?;
        }
        (all > 0).then_some(self)
    }

    /// The number of a text; none where it has another shape.
    pub(crate) fn number(&self, text: &str) -> Option<i64> {
        if text.len() != self.places.len() {
            return None;
        }
        let mut number = 0;
        for (letters, letter) in self.places.iter().zip(text.bytes()) {
            number = number * letters.len() as u64 + letters.binary_search(&letter).ok()? as u64;
        }
        Some(number as i64)
    }

    /// The numbers of known texts of this shape, each with its row.
    fn numbers(&self, texts: &TextList) -> Vec<(usize, i64)> {
        // Places of one letter count for nothing.
        let counted = self.places.iter().enumerate().filter(|(_, letters)| letters.len() > 1);
        let counted = counted.map(|(at, letters)| {
            let mut ranks = [ABSENT; 256];
            (0u8..).zip(letters).for_each(|(rank, letter)| ranks[usize::from(*letter)] = rank);
            (at, letters.len() as u64, ranks)
        });
        let counted: Vec<(usize, u64, [u8; 256])> = counted.collect();
        let known = texts.iter().enumerate().filter_map(|(row, text)| Some((row, text?)));
        let numbers = known.map(|(row, text)| {
            let text = text.as_bytes();
            let mut number = 0u64;
            for (at, count, ranks) in &counted {
                number = number * count + u64::from(ranks[usize::from(text[*at])]);
            }
            (row, number as i64)
        });
        numbers.collect()
    }

    /// The number of row `row` from what is stored for it.
    pub(crate) fn lifted(&self, row: usize, stored: i64) -> i64 {
        stored.wrapping_add(self.slope.wrapping_mul(row as i64))
    }

    /// Writes the text of a number.
    pub(crate) fn text(&self, number: i64, out: &mut String) {
        let mut text = [0u8; LENGTH_MAX];
        let mut rest = number as u64;
        let slots = text.iter_mut().take(self.places.len());
        for (slot, letters) in slots.rev().zip(self.places.iter().rev()) {
            let (above, at) = match letters.len() as u64 {
                1 => (rest, 0),
                10 => (rest / 10, rest % 10),
                count => (rest / count, rest % count),
            };
            *slot = letters.get(at as usize).copied().unwrap_or(b'?');
            rest = above;
        }
        let text = text.get(..self.places.len()).unwrap_or_default();
        out.clear();
        out.push_str(std::str::from_utf8(text).unwrap_or_default());
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = vec![self.places.len() as u8];
        bytes.extend(self.slope.to_le_bytes());
        for letters in &self.places {
            match letters.len() {
                1 => bytes.extend(letters),
                _ if letters == ALL_DIGITS => bytes.push(DIGITS),
                count => {
                    bytes.push(DIGITS + count as u8);
                    bytes.extend(letters);
                }
            }
        }
        bytes
    }

    /// Reads a shape; none where the bytes are not one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (length, bytes) = bytes.split_first()?;
        let (slope, mut bytes) = bytes.split_first_chunk::<8>()?;
        let mut places = Vec::with_capacity(usize::from(*length));
        while let Some((first, rest)) = bytes.split_first() {
            bytes = rest;
            places.push(match *first {
                letter if letter < DIGITS => vec![letter],
                DIGITS => ALL_DIGITS.to_vec(),
                count => {
                    let (letters, rest) = bytes.split_at_checked(usize::from(count - DIGITS))?;
                    bytes = rest;
                    let rising = letters.is_ascii() && letters.is_sorted_by(|a, b| a < b);
                    rising.then(|| letters.to_vec())?
                }
            });
        }
        let whole = places.len() == usize::from(*length);
        let shape = Self { places, slope: i64::from_le_bytes(*slope) };
        whole.then_some(shape)?.sound()
    }
}

/// The texts as numbers, where they have one shape; a row that is not known has one of another.
pub(crate) fn numbers(texts: &TextList) -> Option<Numbers> {
    let mut shape = Shape::of(texts)?;
    let found = shape.numbers(texts);
    let span = |slope: i64| {
        // A row that goes beyond 64 bits comes back when it is read: both are modulo 2^64.
        let stored =
            |(row, number): &(usize, i64)| number.wrapping_sub(slope.wrapping_mul(*row as i64));
        let (min, max) = (found.iter().map(stored).min()?, found.iter().map(stored).max()?);
        Some((min, bits_for(max.wrapping_sub(min) as u64)))
    };
    let (mut base, mut bits) = span(0)?;
    if let (Some((start, first)), Some((end, last))) = (found.first(), found.last())
        && end > start
    {
        let slope = (last - first) / (end - start) as i64;
        // Small enough that no row leaves 63 bits.
        let small = slope.unsigned_abs() < 1 << 40 && *last < 1 << 60 && *first < 1 << 60;
        if let Some((even, fewer)) = span(slope).filter(|(_, fewer)| small && *fewer < bits) {
            (base, bits, shape.slope) = (even, fewer, slope);
        }
    }
    // Up to the next known row each has the number of the one before, which takes no bits more.
    let mut numbers = Vec::with_capacity(texts.len());
    for (row, number) in found {
        let stored = number.wrapping_sub(shape.slope.wrapping_mul(row as i64));
        let stored = stored.wrapping_sub(base) as u64;
        numbers.resize(row, numbers.last().copied().unwrap_or(stored));
        numbers.push(stored);
    }
    numbers.resize(texts.len(), numbers.last().copied().unwrap_or(0));
    Some(Numbers { shape, base, bits, numbers })
}
