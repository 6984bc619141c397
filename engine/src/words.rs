//! Lists of words: counted, and joined word by word.

/// How many bits are set.
#[must_use]
pub(crate) fn count(words: &[u64]) -> u64 {
    words.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// How many bits are set in both.
#[must_use]
pub(crate) fn count_and(a: &[u64], b: &[u64]) -> u64 {
    a.iter().zip(b).map(|(a, b)| u64::from((a & b).count_ones())).sum()
}

/// Keeps the bits that are also set in `b`.
pub(crate) fn and(a: &mut [u64], b: &[u64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a &= b);
}

/// Sets the bits of `b` as well.
pub(crate) fn or(a: &mut [u64], b: &[u64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a |= b);
}

/// Clears the bits of `b`.
pub(crate) fn and_not(a: &mut [u64], b: &[u64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a &= !b);
}
