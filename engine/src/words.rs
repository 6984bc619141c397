//! Lists of words of bits: counted, joined, looked through, as the processor does it best.
//!
//! Of two lists the shorter one says how many words are looked at.

use crate::cpu::best;

/// Up to so many words are not worth the choice of instructions.
const FEW: usize = 8;

/// The transpose of eight rows of eight bits.
#[inline(always)]
pub(crate) fn transpose(mut square: u64) -> u64 {
    let mut swap = (square ^ square >> 7) & 0x00AA_00AA_00AA_00AA;
    square ^= swap ^ swap << 7;
    swap = (square ^ square >> 14) & 0x0000_CCCC_0000_CCCC;
    square ^= swap ^ swap << 14;
    swap = (square ^ square >> 28) & 0x0000_0000_F0F0_F0F0;
    square ^ swap ^ swap << 28
}

/// The bits of words, one after the other.
#[inline(always)]
fn ones(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0u64, |sum, word| sum.wrapping_add(word.count_ones().into()))
}

macro_rules! chosen {
    ($words:expr, $what:expr) => {
        if $words.len() < FEW {
            $what
        } else {
            best(
                #[inline(always)]
                || $what,
            )
        }
    };
}

/// How many bits are set.
#[inline]
pub(crate) fn count(words: &[u64]) -> u64 {
    chosen!(words, ones(words.iter().copied()))
}

/// How many bits are set in both.
#[inline]
pub(crate) fn count_and(words: &[u64], others: &[u64]) -> u64 {
    chosen!(words, ones(words.iter().zip(others).map(|(a, b)| a & b)))
}

/// Keeps the bits that the others have too.
#[inline]
pub(crate) fn and(words: &mut [u64], others: &[u64]) {
    chosen!(words, words.iter_mut().zip(others).for_each(|(word, other)| *word &= other));
}

/// The bits that are set in both; the first list says how many words there are.
pub(crate) fn both(words: &[u64], others: &[u64]) -> Vec<u64> {
    if words.len() > others.len() {
        let mut found = words.to_vec();
        and(&mut found, others);
        return found;
    }
    let mut found = Vec::with_capacity(words.len());
    chosen!(words, found.extend(words.iter().zip(others).map(|(word, other)| word & other)));
    found
}

/// Adds the bits that the others have.
#[inline]
pub(crate) fn or(words: &mut [u64], others: &[u64]) {
    chosen!(words, words.iter_mut().zip(others).for_each(|(word, other)| *word |= other));
}

/// Takes the bits out that the others have.
#[inline]
pub(crate) fn and_not(words: &mut [u64], others: &[u64]) {
    chosen!(words, words.iter_mut().zip(others).for_each(|(word, other)| *word &= !other));
}

/// Every bit that was not set, and none that was.
#[inline]
pub(crate) fn invert(words: &mut [u64]) {
    chosen!(words, words.iter_mut().for_each(|word| *word = !*word));
}

/// Whether any bit is set.
#[inline]
pub(crate) fn any(words: &[u64]) -> bool {
    // In parts, so that a set with many rows is known by its first ones.
    words.chunks(64).any(|part| chosen!(part, part.iter().fold(0, |all, word| all | word) != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::at_each_level;

    fn drawn(size: usize, salt: u64) -> Vec<u64> {
        let mixed = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31) ^ n;
        (0..size as u64).map(|at| mixed(at * 5 + salt) & mixed(at * 7 + salt + 1)).collect()
    }

    #[test]
    fn lists_are_counted_and_joined_as_word_by_word() {
        at_each_level(|level| {
            for size in [0usize, 1, 7, 8, 9, 63, 64, 65, 130, 1_024, 1_031] {
                let (one, two) = (drawn(size, 1), drawn(size, 2));
                let ones = |test: &dyn Fn(usize) -> u64| -> u64 {
                    (0..size).map(|at| u64::from(test(at).count_ones())).sum()
                };
                assert_eq!(count(&one), ones(&|n| one[n]), "{level:?}, {size}");
                assert_eq!(count_and(&one, &two), ones(&|n| one[n] & two[n]), "{level:?}, {size}");
                let joined = |join: fn(&mut [u64], &[u64])| {
                    let mut words = one.clone();
                    join(&mut words, &two);
                    words
                };
                let expected =
                    |join: fn((&u64, &u64)) -> u64| one.iter().zip(&two).map(join).collect();
                let same: [(Vec<u64>, Vec<u64>); 3] = [
                    (joined(and), expected(|(a, b)| a & b)),
                    (joined(or), expected(|(a, b)| a | b)),
                    (joined(and_not), expected(|(a, b)| a & !b)),
                ];
                assert_eq!(both(&one, &two), joined(and), "{level:?}, {size}");
                for (found, expected) in same {
                    assert_eq!(found, expected, "{level:?}, {size}");
                }
                let mut other = one.clone();
                invert(&mut other);
                assert!(one.iter().zip(&other).all(|(a, b)| a ^ b == u64::MAX), "{level:?}");
                let mut words = vec![0; size];
                assert!(!any(&words), "{level:?}, {size}");
                if let Some(last) = words.last_mut() {
                    *last = 1;
                    assert!(any(&words), "{level:?}, {size}");
                }
            }
        });
    }
}
