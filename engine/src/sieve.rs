//! Numbers of a list that are wanted, one behind the other.
//!
//! Invariant: what is kept stands in the order of the list.

use crate::cpu::{Cpu, EIGHT, Kernel, run};

/// Appends those of some floats whose bits are set, the lowest bit of the first word that of the
/// first.
///
/// ```
/// let mut out = vec![0.5];
/// yiku::sieve::press(&[0b1010], &[1.0, 2.0, 3.0, 4.0, 5.0], &mut out);
/// assert_eq!(out, [0.5, 2.0, 4.0]);
/// ```
pub fn press(words: &[u64], values: &[f64], out: &mut Vec<f64>) {
    run(Press { words, values, out });
}

struct Press<'a> {
    words: &'a [u64],
    values: &'a [f64],
    out: &'a mut Vec<f64>,
}

impl Kernel for Press<'_> {
    type Out = ();

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) {
        let mut found = [0.0f64; 64 + EIGHT];
        let (tiles, rest) = self.values.as_chunks::<64>();
        for (word, tile) in self.words.iter().zip(tiles) {
            let mut count = 0usize;
            let eights = tile.as_chunks::<EIGHT>().0;
            for (mask, eight) in word.to_le_bytes().into_iter().zip(eights) {
                let eight = eight.map(|value| value.to_bits().cast_signed());
                let own = cpu.compressed(&eight, mask);
                let slots = found.get_mut(count..).and_then(|slots| slots.first_chunk_mut());
                if let Some(slots) = slots {
                    *slots = own.map(|bits| f64::from_bits(bits.cast_unsigned()));
                }
                count += mask.count_ones() as usize;
            }
            self.out.extend_from_slice(found.get(..count).unwrap_or_default());
        }
        let word = self.words.get(tiles.len()).copied().unwrap_or(0);
        for (bit, value) in (0u32..).zip(rest) {
            self.out.extend(Some(*value).filter(|_| word >> bit & 1 == 1));
        }
    }
}

/// Appends the numbers of some values that lie in a range, both ends included, and gives how many
/// lie beneath it. Write the function `#[inline(always)] |value| ...`.
///
/// ```
/// let mut out = Vec::new();
/// let below = yiku::sieve::sift(&[7, 1, 5, 9, 2], |value| value, (2, 7), &mut out);
/// assert_eq!((below, out), (1, vec![7, 5, 2]));
/// ```
pub fn sift<T: Copy>(
    values: &[T],
    number: impl Fn(T) -> i64,
    (low, high): (i64, i64),
    out: &mut Vec<i64>,
) -> usize {
    run(Sift { values, number, low, high, out })
}

struct Sift<'a, T, F> {
    values: &'a [T],
    number: F,
    low: i64,
    high: i64,
    out: &'a mut Vec<i64>,
}

impl<T: Copy, F: Fn(T) -> i64> Kernel for Sift<'_, T, F> {
    type Out = usize;

    #[inline(always)]
    fn run<C: Cpu>(self, cpu: C) -> usize {
        let (low, high, number) = (self.low, self.high, self.number);
        let (mut below, mut count, mut found) = (0usize, 0usize, [0i64; 64 + EIGHT]);
        let (eights, rest) = self.values.as_chunks::<EIGHT>();
        for eight in eights {
            let own = eight.map(&number);
            let (under, mask) = cpu.placed(&own, low, high);
            below = below.wrapping_add(under.count_ones() as usize);
            // Whether any lies in the range is not asked: nobody could guess the answer.
            let slots = found.get_mut(count..).and_then(|slots| slots.first_chunk_mut());
            if let Some(slots) = slots {
                *slots = cpu.compressed(&own, mask);
            }
            count += mask.count_ones() as usize;
            if count >= 64 {
                self.out.extend_from_slice(found.get(..count).unwrap_or_default());
                count = 0;
            }
        }
        self.out.extend_from_slice(found.get(..count).unwrap_or_default());
        for own in rest.iter().map(|value| number(*value)) {
            below += usize::from(own < low);
            self.out.extend(Some(own).filter(|own| (low..=high).contains(own)));
        }
        below
    }
}
