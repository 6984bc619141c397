//! Texts of one shape, such as `H000123` or `99901519800229004X`: each place has its letters.
//!
//! Such a text is a number whose digits count the letters of their place, and less than a slope
//! a row where the texts go on evenly. The bytes of a shape: its length (u8), the slope (i64),
//! then for each place a letter below 128 where it is always the same, 128 for any digit, or 128
//! and how many letters it has, and those.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "numbers of a shape fit 63 bits, its letters 7; with a slope they are modulo 2^64"
)]

use super::gathered::TextList;
use super::packed::bits_for;

/// Letters of a text.
const LENGTH_MAX: usize = 255;
/// What says that a place has any digit.
const DIGITS: u8 = 128;
/// From this many digits on a place has all of them.
const DIGITS_LEAST: u32 = 8;

/// The letters of one place.
#[derive(Debug, Clone, Copy)]
struct Letters {
    /// A bit a letter.
    set: u128,
    count: u64,
}

impl Letters {
    fn new(set: u128) -> Self {
        Self { set, count: u64::from(set.count_ones()) }
    }

    fn is_digits(self) -> bool {
        self.set == ALL_DIGITS
    }

    fn place(self, letter: u8) -> Option<u64> {
        if self.is_digits() {
            return letter.is_ascii_digit().then(|| u64::from(letter - b'0'));
        }
        let below = (1u128 << (letter & 127)) - 1;
        let known = letter.is_ascii() && self.set >> letter & 1 == 1;
        known.then(|| u64::from((self.set & below).count_ones()))
    }

    fn letter(self, place: u64) -> u8 {
        if self.is_digits() {
            return b'0' + place as u8;
        }
        let mut rest = self.set;
        (0..place).for_each(|_| rest &= rest.wrapping_sub(1));
        rest.trailing_zeros() as u8
    }
}

const ALL_DIGITS: u128 = 0x3FF << b'0';

/// A shape of texts.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    places: Vec<Letters>,
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
        let mut sets = vec![0u128; length];
        for text in texts.iter().flatten() {
            if text.len() != length || !text.is_ascii() {
                return None;
            }
            sets.iter_mut().zip(text.bytes()).for_each(|(set, letter)| *set |= 1 << letter);
        }
        for set in &mut sets {
            if *set & !ALL_DIGITS == 0 && set.count_ones() >= DIGITS_LEAST {
                *set = ALL_DIGITS;
            }
        }
        Self { places: sets.into_iter().map(Letters::new).collect(), slope: 0 }.sound()
    }

    /// Itself, where all its numbers fit 63 bits.
    fn sound(self) -> Option<Self> {
        let mut all = 1i64;
        for place in &self.places {
            all = all.checked_mul(i64::try_from(place.count).ok()?)?;
        }
        (all > 0).then_some(self)
    }

    /// The number of a text; none where it has another shape.
    pub(crate) fn number(&self, text: &str) -> Option<i64> {
        if text.len() != self.places.len() {
            return None;
        }
        let mut number = 0;
        for (place, letter) in self.places.iter().zip(text.bytes()) {
            number = number * place.count + place.place(letter)?;
        }
        Some(number as i64)
    }

    /// The number of row `row` from what is stored for it.
    pub(crate) fn lifted(&self, row: usize, stored: i64) -> i64 {
        stored.wrapping_add(self.slope.wrapping_mul(row as i64))
    }

    /// Writes the text of a number.
    pub(crate) fn text(&self, number: i64, out: &mut String) {
        let mut letters = [0u8; LENGTH_MAX];
        let mut rest = number as u64;
        let slots = letters.iter_mut().take(self.places.len());
        for (slot, place) in slots.rev().zip(self.places.iter().rev()) {
            let (above, at) = match place.count {
                1 => (rest, 0),
                10 => (rest / 10, rest % 10),
                count => (rest / count, rest % count),
            };
            *slot = place.letter(at);
            rest = above;
        }
        let letters = letters.get(..self.places.len()).unwrap_or_default();
        out.clear();
        out.push_str(std::str::from_utf8(letters).unwrap_or_default());
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = vec![self.places.len() as u8];
        bytes.extend(self.slope.to_le_bytes());
        for place in &self.places {
            let letters = (0..place.count).map(|at| place.letter(at));
            match place.count {
                1 => bytes.extend(letters),
                _ if place.is_digits() => bytes.push(DIGITS),
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
            let mut set = if *first < DIGITS { 1 << *first } else { 0 };
            if *first == DIGITS {
                set = ALL_DIGITS;
            } else if *first > DIGITS {
                let (letters, rest) = bytes.split_at_checked(usize::from(*first - DIGITS))?;
                bytes = rest;
                for letter in letters {
                    set |= letter.is_ascii().then(|| 1 << *letter)?;
                }
            }
            places.push(Letters::new(set));
        }
        let whole = places.len() == usize::from(*length);
        let shape = Self { places, slope: i64::from_le_bytes(*slope) };
        whole.then_some(shape)?.sound()
    }
}

/// The texts as numbers, where they have one shape; a row that is not known is the least.
pub(crate) fn numbers(texts: &TextList) -> Option<Numbers> {
    let mut shape = Shape::of(texts)?;
    let mut found = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        if let Some(text) = text {
            found.push((row, shape.number(text)?));
        }
    }
    let span = |slope: i64| {
        let stored = |(row, number): &(usize, i64)| *number - slope * *row as i64;
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
    let mut numbers = vec![0; texts.len()];
    for (row, number) in found {
        if let Some(slot) = numbers.get_mut(row) {
            *slot = (number - shape.slope * row as i64).wrapping_sub(base) as u64;
        }
    }
    Some(Numbers { shape, base, bits, numbers })
}
